"""The body beyond the picture's border: shoulders that a tight reference cuts off at the sides.

A wide frame around a tight portrait would otherwise have to come so close that only the face fits. The outline of the
shoulder is continued outwards and down, as an arm that hangs, and the cloth is the mirrored cloth beside the border,
shaded towards the outer edge. It is an invention, so it is used only where the frame needs it, and it is kept plain.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.imaging import F32, U8
from portrayal.perception.types import CLOTHING

_REACH = 1.6  # how far the picture is widened at a cut side, in face heights


def complete(character: IdentityMap) -> IdentityMap:
    """The character with shoulders completed at the sides where the reference cuts them off.

    Returns:
        A wider identity map (points, face box and masks moved along); the same object when no side is cut.
    """
    if character.reading is None:
        return character
    points = character.reading.points[:468]
    face = float(np.ptp(points[:, 1]))
    pads = [round(_REACH * face) if _cut(character, side, face) else 0 for side in ("left", "right")]
    if not any(pads):
        return character
    rgb, alpha, regions = character.foreground, character.alpha, character.regions
    if pads[0]:
        other = extend(rgb[:, ::-1], alpha[:, ::-1], regions[:, ::-1], pads[0], face, float(points[:, 0].mean()))
        rgb, alpha = np.ascontiguousarray(other[0][:, ::-1]), np.ascontiguousarray(other[1][:, ::-1])
        regions = np.ascontiguousarray(other[2][:, ::-1])
    if pads[1]:
        centre = alpha.shape[1] - float(points[:, 0].mean()) - pads[0]
        rgb, alpha, regions = extend(rgb, alpha, regions, pads[1], face, centre)
    return _moved(character, rgb, alpha, regions, (pads[0], pads[1]))


def _cut(character: IdentityMap, side: str, face: float) -> bool:
    """Whether a shoulder is cut off: the body meets the border, and not only far below the chin (an elbow, a thing)."""
    assert character.reading is not None
    column = character.alpha[:, :2] if side == "left" else character.alpha[:, -2:]
    rows = np.flatnonzero(column.max(1) > 0.5)
    chin = float(character.reading.points[152, 1])
    return bool(len(rows) > 0.25 * face and rows[0] < chin + 0.9 * face)


def _moved(character: IdentityMap, rgb: U8, alpha: F32, regions: U8, pads: tuple[int, int]) -> IdentityMap:
    assert character.reading is not None
    left, right = pads
    reading = character.reading
    points = reading.points.copy()
    points[:, 0] += left
    x0, y0, x1, y1 = reading.face.box
    keypoints = reading.face.keypoints.copy()
    keypoints[:, 0] += left
    origin = reading.pose.origin.copy()
    origin[0] += left
    wide = ((0, 0), (left, right))
    return replace(
        character,
        digest=f"{character.digest}+{left}+{right}",
        image=np.pad(character.image, (*wide, (0, 0)), mode="edge"),
        alpha=alpha,
        foreground=rgb,
        regions=regions,
        mask=np.pad(character.mask, wide),
        reading=replace(
            reading,
            points=points,
            face=replace(reading.face, box=(x0 + left, y0, x1 + left, y1), keypoints=keypoints),
            pose=replace(reading.pose, origin=origin),
        ),
    )


def extend(rgb: U8, alpha: F32, regions: U8, pad: int, face: float, shown: float) -> tuple[U8, F32, U8]:
    """Widen at the right side by `pad` columns; `shown` is how far the border is from the middle of the face."""
    height, width = alpha.shape
    top = _outline(alpha, int(np.clip(shown - 0.45 * face, 8, width // 3)))
    start = float(np.median(top[-3:]))
    slope = _slope(top, face)
    out = np.arange(1, pad + 1, dtype=np.float32)
    # Shoulders end about 1.25 face heights from the middle of the face (landmark height, chin to forehead); there the
    # slope turns into the outer side of the arm.
    turn = float(np.clip(1.25 * face - shown, 0.2 * face, 0.7 * face))
    line = start + slope * out + 0.55 * face * (out / turn) ** 3.2
    y = np.arange(height, dtype=np.float32)[:, None]
    cover = np.clip(y - line[None] + 0.5, 0, 1).astype(np.float32)
    cover = cv2.GaussianBlur(cover, (0, 0), max(0.6, 0.008 * face))
    # Mirrored columns near the border; farther out they come slower, so that no second lapel or button shows.
    back = np.minimum(0.75 * out, float(len(top) - 2))
    source = (width - 1 - back)[None].repeat(height, 0)
    below = y - line[None]
    rows = top[np.clip(np.round(len(top) - 1 - back).astype(int), 0, len(top) - 1)][None] + np.maximum(below, 0)
    rows = np.clip(rows + 0.05 * face, 0, height - 1)
    cloth = _cloth_only(rgb, alpha, regions, face)
    new = cv2.remap(cloth, source.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR).astype(np.float32)
    edge = np.clip(1 - below / (0.35 * face), 0, 1) * np.clip(out / turn, 0, 1)[None] ** 2
    new *= (1 - 0.45 * edge - 0.12 * np.clip(out / turn, 0, 1)[None])[..., None]
    # Blend over the first columns, where mirrored and real cloth meet anyway.
    alpha = alpha.copy()
    strangers = np.arange(height)[:, None] < top[None] - 0.12 * face
    alpha[:, -len(top) :][strangers] = 0
    merged = np.concatenate([rgb, np.clip(new, 0, 255).astype(np.uint8)], axis=1)
    solid = np.concatenate([alpha, cover * _still_body(alpha)[:, None]], axis=1).astype(np.float32)
    labels = np.concatenate([regions, np.where(cover > 0.5, CLOTHING, 0).astype(np.uint8)], axis=1)
    return merged, solid, labels


def _still_body(alpha: F32) -> F32:
    """1 in rows at whose border the body is solid or above it; 0 where it has ended (an arm's inner gap)."""
    border = alpha[:, -3:].mean(1)
    rows = np.flatnonzero(border > 0.5)
    keep = np.ones(len(border), np.float32)
    if len(rows) and rows[-1] < len(border) - 2:
        keep[rows[-1] + 1 :] = 0
    return np.asarray(cv2.GaussianBlur(keep[:, None], (1, 0), sigmaX=0.1, sigmaY=2.0)[:, 0], np.float32)


def _outline(alpha: F32, columns: int) -> F32:
    """Row of the body's upper edge in each of the last `columns` columns (the height when there is none).

    Shoulders only fall outwards: what stands above that near the border is somebody else.
    """
    solid = alpha[:, -columns:] > 0.5
    first = solid.argmax(0).astype(np.float32)
    smooth = np.asarray(cv2.medianBlur(first[None], 5)[0] if columns >= 5 else first, np.float32)
    return np.maximum.accumulate(np.where(solid.any(0), smooth, 0)).astype(np.float32)


def _slope(top: F32, face: float) -> float:
    """Rows per column of the outline at the border, 0.1 .. 2.5."""
    n = min(len(top), max(8, round(0.25 * face)))
    x = np.arange(n, dtype=np.float32)
    return float(np.clip(np.polyfit(x, top[-n:], 1)[0], 0.1, 2.5))


def _cloth_only(rgb: U8, alpha: F32, regions: U8, face: float) -> U8:
    """The picture with everything but clothes filled from the nearest clothes."""
    good = ((regions == CLOTHING) & (alpha > 0.95)).astype(np.uint8)
    good = cv2.erode(good, np.ones((3, 3), np.uint8), iterations=max(1, round(0.015 * face)))
    if not good.any():
        return rgb
    _, labels = cv2.distanceTransformWithLabels(1 - good, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.zeros((int(labels.max()) + 1, 3), np.uint8)
    table[labels[good > 0]] = rgb[good > 0]
    filled = table[labels]
    soft = cv2.GaussianBlur(filled, (0, 0), max(1.0, 0.03 * face))
    return np.where(good[..., None] > 0, rgb, soft).astype(np.uint8)
