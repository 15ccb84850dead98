"""A picture in another shape: placed into the new canvas, and the world painted on beyond its border."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from portrayal.engines.studio.body import extend
from portrayal.engines.studio.fill.held import held
from portrayal.engines.studio.fill.placing import Place, place
from portrayal.engines.studio.fill.removal import paint
from portrayal.engines.studio.fill.synthesis import Prior
from portrayal.engines.studio.types import Notes, Speed
from portrayal.imaging import F32, U8, Bool
from portrayal.perception.types import CLOTHING, FaceReading
from portrayal.sizes import Size

_SIDEWAYS = Prior(
    rows=2.0, objects=0.4, repeats=0.001, near=0.02, open_ended=True, melt=0.05, defocus=0.005, bands="rows"
)
# Above a picture lies what its top shows: sky, wall, ceiling; not the things that stand on the ground.
_UPWARDS = Prior(
    columns=0.1,
    rows=0.0,
    objects=0.4,
    repeats=0.001,
    near=2.0,
    open_ended=True,
    melt=0.05,
    defocus=0.005,
    bands="columns",
)
_TOP = 0.14  # share of the picture's height that is copied from there


def reframe(
    image: U8,
    size: Size,
    *,
    seed: int,
    speed: Speed,
    notes: Notes,
    subject: F32 | None = None,
    faces: Sequence[FaceReading] = (),
) -> tuple[U8, tuple[int, int, int, int], float]:
    """The picture in another size or shape; what is beyond its border is painted on.

    All of the picture is kept where a body that its border cuts off does not end in the new area; else the smallest
    part is cropped, never a face, and `notes` says so.

    Args:
        image: (h, w, 3) uint8.
        size: (width, height) of the canvas.
        seed: another one, another painting.
        speed: turbo, balanced or quality.
        notes: gets warnings.
        subject: (h, w) float32 0..1, matte of the people; they are never copied.
        faces: readings of the faces of the picture.

    Returns:
        The canvas (height, width, 3); (x0, y0, x1, y1) where the whole picture lies, which is beyond the canvas where
        something was cropped; and the scale. Inside of the box the canvas is the resampled picture, exactly.
    """
    height, width = image.shape[:2]
    where = place(width, height, size, subject, faces)
    if where.note:
        notes.warnings.append(where.note)
    wide, tall = round(width * where.scale), round(height * where.scale)
    canvas, inside = _laid(image, where, size)
    box = (where.x, where.y, where.x + wide, where.y + tall)
    if inside.all():
        return canvas, box, where.scale
    people = np.zeros(inside.shape, np.uint8)
    if subject is not None:
        theirs = (subject > 0.03) | held(image, subject > 0.5)
        people = _laid(np.where(theirs, 255, 0).astype(np.uint8), where, size)[0]
        people = np.asarray(cv2.dilate((people > 0).astype(np.uint8), np.ones((7, 7), np.uint8)), np.uint8)
    free = inside & (people == 0)
    source, prior = free, _SIDEWAYS
    if not inside.all(0).any():
        away = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3)
        top = free & (away < _TOP * tall)
        source, prior = (top if top.sum() > 0.3 * _TOP * inside.sum() else free), _UPWARDS
    picture = canvas.astype(np.float32) * np.float32(1 / 255)
    painted = paint(picture, ~inside, free, source, seed, speed, prior, notes)
    if subject is not None and faces and where.cut & {"left", "right"}:
        painted = _with_shoulders(painted, image, where, subject, faces)
        notes.warnings.append("the shoulders that the picture cuts off were completed")
    new = np.clip(painted * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.where(inside[..., None], canvas, new), box, where.scale


def _with_shoulders(painted: F32, image: U8, where: Place, subject: F32, faces: Sequence[FaceReading]) -> F32:
    """The new area with the body that the picture cuts off at both sides; each side gets the shoulder of its face."""
    h, w = subject.shape
    size = (round(w * where.scale), round(h * where.scale))
    rgb = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    alpha = np.asarray(cv2.resize(subject, size, interpolation=cv2.INTER_AREA), np.float32)
    out = painted.copy()
    for side in ("left", "right"):
        by_side = sorted(faces, key=lambda f: float(f.points[:468, 0].mean()))
        points = (by_side[0] if side == "left" else by_side[-1]).points[:468] * where.scale
        face = float(np.ptp(points[:, 1]))
        labels = np.where(alpha > 0.5, CLOTHING, 0).astype(np.uint8)
        labels[: round(float(points[:, 1].max()) + 0.15 * face)] = 0
        turn = np.s_[:, ::-1] if side == "left" else np.s_[:, :]
        pad = where.x if side == "left" else painted.shape[1] - where.x - size[0]
        centre = float(points[:, 0].mean())
        shown = centre if side == "left" else size[0] - centre
        wider, cover, _ = extend(rgb[turn], alpha[turn], labels[turn], pad, face, shown)
        wider, cover = wider[:, -pad:], cover[:, -pad:, None]
        part = np.s_[where.y : where.y + size[1], :pad] if side == "left" else np.s_[where.y : where.y + size[1], -pad:]
        if side == "left":
            wider, cover = wider[:, ::-1], cover[:, ::-1]
        rows = out[part].shape[0]
        out[part] += (wider[:rows].astype(np.float32) / np.float32(255) - out[part]) * cover[:rows]
    return out


def _laid(image: U8, where: Place, size: Size) -> tuple[U8, Bool]:
    """The resampled picture on the canvas, black around, and where it is."""
    wide, tall = size
    h, w = image.shape[:2]
    to = (round(w * where.scale), round(h * where.scale))
    if to != (w, h):
        image = np.asarray(
            cv2.resize(image, to, interpolation=cv2.INTER_AREA if where.scale < 1 else cv2.INTER_LANCZOS4), np.uint8
        )
    out = np.zeros((tall, wide, *image.shape[2:]), np.uint8)
    inside = np.zeros((tall, wide), bool)
    x0, y0, x1, y1 = max(where.x, 0), max(where.y, 0), min(where.x + to[0], wide), min(where.y + to[1], tall)
    out[y0:y1, x0:x1] = image[y0 - where.y : y1 - where.y, x0 - where.x : x1 - where.x]
    inside[y0:y1, x0:x1] = True
    return out, inside
