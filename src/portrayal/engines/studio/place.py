"""The person of a reference, cut out and placed on the canvas at its size."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio import edges
from portrayal.engines.studio.enlarge import Frame, enlarge
from portrayal.engines.studio.enlarge.denoise import LUMA
from portrayal.engines.studio.enlarge.masks import face_height, label_weight
from portrayal.engines.studio.types import Cutout, Speed
from portrayal.imaging import F32, U8
from portrayal.perception.types import BACKGROUND, CLOTHING, FACE, HAIR, SKIN

_MARGIN: Final = 14  # reference pixels around what the canvas shows, for the filters
# Share of a side of the reference that the body must cover to be cut off there.
_CUT: Final = 0.02


def touches(alpha: F32) -> frozenset[str]:
    """Sides of a picture at which the subject is cut off: any of "left", "right", "top", "bottom"."""
    sides = {"left": alpha[:, :3], "right": alpha[:, -3:], "top": alpha[:3], "bottom": alpha[-3:]}
    return frozenset(name for name, strip in sides.items() if float((strip > 0.5).mean()) > _CUT)


def place(
    character: IdentityMap,
    scale: float,
    offset: tuple[float, float],
    width: int,
    height: int,
    speed: Speed,
    seed: int,
) -> Cutout:
    """Cut the person out and place it: canvas = scale * reference + offset (pixel centres are whole numbers).

    Enlarged as `portrayal.engines.studio.enlarge` does it; the edge is freed of the old background and gets single
    hairs along the outline of the hair. Where the body ends at a border of the reference that lies on the canvas, it
    fades out; the caller should avoid that (`Cutout.touches` names the sides).

    Args:
        character: the person or subject.
        scale: canvas pixels per reference pixel, above 0.
        offset: (x, y) on the canvas of the reference's first pixel.
        width: of the canvas in pixels.
        height: of the canvas in pixels.
        speed: turbo, balanced or quality.
        seed: of texture and stray hairs; the same seed gives the same bytes.

    Returns:
        Cutout with arrays of the canvas; landmarks in canvas pixels.
    """
    whole = Frame(float(scale), float(offset[0]), float(offset[1]), width, height)
    rows, columns = character.alpha.shape
    x0, y0, x1, y1 = whole.window(columns, rows, _MARGIN)
    part, frame = np.s_[y0:y1, x0:x1], whole.inside(x0, y0)
    alpha = edges.levels(character.alpha[part])
    if character.reading is not None:
        size = face_height(character.reading.points)
        alpha = edges.trim(alpha, label_weight(character.regions[part], (HAIR,)), size)
    free = np.asarray(
        character.foreground[part].astype(np.float32) / 255, np.float32
    )  # the reference's own colours where it is opaque
    rgb = edges.decontaminate(free, alpha)
    regions = character.regions[part]
    points = landmarks(character, scale, offset)
    canvas = enlarge(rgb, alpha, regions, points, frame, speed, seed)
    labels, hair = _labels(regions, frame)
    if character.crown_is_skin or points is None:
        hair = np.zeros_like(hair)
    soft = np.asarray(np.clip(frame.warp(alpha), 0, 1), np.float32)
    matte = edges.crisp(soft, hair, scale)
    if points is not None and not character.crown_is_skin:
        size = face_height(points)
        if speed != "turbo":
            luma = np.asarray(cv2.transform(canvas, LUMA[None]), np.float32).reshape(height, width)
            matte = edges.ragged(matte, hair, luma, scale, seed + 3)
            canvas, matte = edges.stray_hairs(canvas, matte, hair, size, seed + 5)
    _fade_cuts(matte, whole, character.alpha, points)
    return Cutout(canvas, matte, labels, points, touches(character.alpha))


def landmarks(character: IdentityMap, scale: float, offset: tuple[float, float]) -> F32 | None:
    """The landmarks (478, 3) as `place` puts them on the canvas."""
    if character.reading is None:
        return None
    points = character.reading.points.astype(np.float32) * np.float32(scale)
    points[:, 0] += float(offset[0])
    points[:, 1] += float(offset[1])
    return points


def _labels(regions: U8, frame: Frame) -> tuple[U8, F32]:
    """Regions on the canvas with smooth borders, and the weight of hair."""

    def weight(chosen: tuple[int, ...], sigma: float) -> U8:
        # Eight bits are enough to compare, and four times as fast.
        soft = np.asarray(label_weight(regions, chosen, sigma) * 255 + 0.5, np.uint8)
        return np.asarray(frame.warp(soft, cv2.INTER_LINEAR), np.uint8)

    best = weight((BACKGROUND,), 0.8)
    labels = np.zeros(best.shape, np.uint8)
    for label in (FACE, HAIR, SKIN, CLOTHING):
        own = weight((label,), 0.8)
        labels[own > best] = label
        best = np.maximum(best, own)
    # Beyond the matte's middle nothing is labelled: hair counts as far out as it is the nearest thing.
    wide = weight((HAIR,), 3.0).astype(np.float32)
    person = np.maximum(weight((FACE, HAIR, SKIN, CLOTHING), 3.0), 1)
    return labels, np.asarray(np.clip(wide / person * 1.6 - 0.4, 0, 1), np.float32)


def _fade_cuts(matte: F32, frame: Frame, alpha: F32, points: F32 | None) -> None:
    """Fade the matte, in place, to the reference's borders where the body is cut off within the picture."""
    rows, columns = alpha.shape
    size = face_height(points) or 0.3 * frame.height
    fade = min(0.25 * size, 0.1 * frame.height)
    right, bottom = frame.x + frame.scale * (columns - 1), frame.y + frame.scale * (rows - 1)
    across, down = np.arange(frame.width, dtype=np.float32), np.arange(frame.height, dtype=np.float32)
    x, y = (across - frame.x) / frame.scale, (down - frame.y) / frame.scale
    for canvas, way, border, beside in (
        (matte, across - frame.x, alpha[:, :3].max(1), y),
        (matte, right - across, alpha[:, -3:].max(1), y),
        (matte.T, down - frame.y, alpha[:3].max(0), x),
        (matte.T, bottom - down, alpha[-3:].max(0), x),
    ):
        near = np.flatnonzero(way < fade)
        if not len(near) or way.min() >= 0:
            continue  # that border lies outside of the picture
        canvas[:, way < -0.5] = 0
        # Only where the body itself meets the border; everywhere else the matte ends by itself.
        met = np.interp(beside, np.arange(len(border)), cv2.GaussianBlur(border[None], (0, 0), 2.0)[0])
        touched = np.flatnonzero(met > 1e-3)
        if not len(touched):
            continue
        part = np.s_[touched[0] : touched[-1] + 1, near[0] : near[-1] + 1]
        far = np.clip((way[part[1]] + 0.5) / fade, 0, 1)
        soft = far * far * (3 - 2 * far)
        canvas[part] *= (1 - met[part[0], None] * (1 - soft[None])).astype(np.float32)
