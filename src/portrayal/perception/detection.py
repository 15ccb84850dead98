"""Where faces are: a detector for 128 px pictures, run over a pyramid.

The net is BlazeFace (Bazarevsky et al. 2019), short range. It sees faces of about 0.12 to 0.8 of its input, so that
group pictures are scanned in overlapping tiles of ever larger versions of the picture.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from portrayal.imaging import F64, U8
from portrayal.perception.crops import Roi
from portrayal.perception.nets import forward, sigmoid
from portrayal.perception.types import Face

INPUT = 128
THRESHOLD = 0.5
_CLEAR = 0.8


@lru_cache(1)
def _anchors() -> F64:
    """(896, 2) centres of the anchors in units of the input: 16 x 16 cells twice, then 8 x 8 cells six times."""
    parts = []
    for cells, times in ((16, 2), (8, 6)):
        centre = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(centre, centre, indexing="ij")
        parts.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), times, axis=0))
    return np.concatenate(parts)


def _detect_input(rgb: U8) -> F64:
    """Rows (x0, y0, x1, y1, score, 12 key point values) in pixels of the 128 x 128 input."""
    boxes, logits = forward("face_detection_short_range", rgb, ("regressors", "classificators"), -1.0, 1.0)
    score = sigmoid(logits.reshape(-1))
    keep = np.flatnonzero(score >= THRESHOLD)
    raw = boxes.reshape(896, 16)[keep].astype(np.float64) / INPUT
    anchor = _anchors()[keep]
    centre, size = raw[:, :2] + anchor, raw[:, 2:4]
    points = (raw[:, 4:].reshape(-1, 6, 2) + anchor[:, None]).reshape(-1, 12)
    rows = np.hstack([centre - size / 2, centre + size / 2, points]) * INPUT
    return np.insert(rows, 4, score[keep], axis=1)


def _moved(rows: F64, scale_x: float, scale_y: float, x: float, y: float) -> F64:
    rows = rows.copy()
    even = [0, 2, *range(5, 17, 2)]
    odd = [1, 3, *range(6, 17, 2)]
    rows[:, even] = rows[:, even] * scale_x + x
    rows[:, odd] = rows[:, odd] * scale_y + y
    return rows


def _overlap(row: F64, rows: F64) -> tuple[F64, F64]:
    """Intersection over union, and over the smaller box."""
    width = np.clip(np.minimum(row[2], rows[:, 2]) - np.maximum(row[0], rows[:, 0]), 0, None)
    height = np.clip(np.minimum(row[3], rows[:, 3]) - np.maximum(row[1], rows[:, 1]), 0, None)
    shared = width * height
    area = (row[2] - row[0]) * (row[3] - row[1])
    areas = (rows[:, 2] - rows[:, 0]) * (rows[:, 3] - rows[:, 1])
    return shared / (area + areas - shared + 1e-9), shared / (np.minimum(area, areas) + 1e-9)


def _merged(rows: F64) -> F64:
    """Weighted non-maximum suppression: boxes that overlap become their score-weighted mean."""
    rows = rows[np.argsort(-rows[:, 4], kind="stable")]
    out = []
    while len(rows):
        same = _overlap(rows[0], rows)[0] > 0.3
        same[0] = True
        group = rows[same]
        mean = (group * group[:, 4:5]).sum(0) / group[:, 4].sum()
        mean[4] = rows[0, 4]
        out.append(mean)
        rows = rows[~same]
    return np.array(out).reshape(-1, 17)


def _whole(rgb: U8) -> F64:
    h, w = rgb.shape[:2]
    k = INPUT / max(h, w)
    small_w, small_h = max(1, round(w * k)), max(1, round(h * k))
    x, y = (INPUT - small_w) // 2, (INPUT - small_h) // 2
    canvas = np.zeros((INPUT, INPUT, 3), np.uint8)
    how = cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR
    canvas[y : y + small_h, x : x + small_w] = cv2.resize(rgb, (small_w, small_h), interpolation=how)
    scale_x, scale_y = w / small_w, h / small_h
    return _moved(_detect_input(canvas), scale_x, scale_y, -x * scale_x, -y * scale_y)


def _tile(level: U8, x: int, y: int) -> F64:
    rows = _detect_input(np.ascontiguousarray(level[y : y + INPUT, x : x + INPUT]))
    h, w = level.shape[:2]
    # A box that an inner edge of the tile cuts is seen whole by the next tile.
    cut = (rows[:, 0] < 2) & (x > 0) | (rows[:, 1] < 2) & (y > 0)
    cut |= (rows[:, 2] > INPUT - 2) & (x + INPUT < w) | (rows[:, 3] > INPUT - 2) & (y + INPUT < h)
    return _moved(_merged(rows[~cut]), 1, 1, x, y)


def _tiles(rgb: U8, least: float, every: bool) -> list[F64]:
    """Detections in tiles, from large faces to faces of `least` pixels; `every` goes on after a clear one."""
    h, w = rgb.shape[:2]
    side = float(min(h, w)) if max(h, w) > 1.25 * min(h, w) else max(h, w) / 2
    found = []
    while side >= max(INPUT, 5 * least):
        k = INPUT / side
        size = (max(INPUT, round(w * k)), max(INPUT, round(h * k)))
        level = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        across, down = (int(np.ceil((s - INPUT) / (INPUT // 2))) + 1 for s in size)
        for y in np.linspace(0, size[1] - INPUT, down).astype(int):
            for x in np.linspace(0, size[0] - INPUT, across).astype(int):
                found.append(_moved(_tile(level, int(x), int(y)), w / size[0], h / size[1], 0, 0))
        if not every and any((rows[:, 4] > _CLEAR).any() for rows in found):
            break
        side /= 2
    return found


def detect(rgb: U8, *, tiles: bool | None = None, least: float | None = None) -> list[Face]:
    """Boxes that look like faces, largest first; false ones are possible (landmarks tell).

    Args:
        rgb: (h, w, 3) uint8.
        tiles: False looks at the whole picture only (2 ms), True scans for all faces down to the smallest; None scans
            from large to small until a clear face is found, and not at all when one shows that is wider than 15 %.
        least: width in pixels of the smallest face worth finding; by default 2 % of the longer side, 24 or more.
    """
    side = max(rgb.shape[:2])
    least = least or max(24.0, side / 50)
    rows = _whole(rgb)
    clear = (rows[:, 4] > _CLEAR) & (rows[:, 2] - rows[:, 0] > 0.15 * side)
    if tiles or (tiles is None and not clear.any()):
        rows = np.concatenate([rows, *_tiles(rgb, least, every=bool(tiles))])
    kept: list[F64] = []
    for row in _merged(rows):
        if not kept or _overlap(row, np.array(kept))[1].max() <= 0.6:  # not a part of a better face
            kept.append(row)
    kept.sort(key=lambda r: float(r[0] - r[2]))
    return [_face(row) for row in kept]


def _face(row: F64) -> Face:
    x0, y0, x1, y1 = (float(v) for v in row[:4])
    return Face((x0, y0, x1, y1), float(row[4]), row[5:].reshape(6, 2).astype(np.float32))


def roi(face: Face) -> Roi:
    """The square that the landmark net wants to see: 1.5 times the box, the line of the eyes level."""
    eyes = face.keypoints[1] - face.keypoints[0]
    return roi_of_box(face.box, float(np.arctan2(eyes[1], eyes[0])))


def roi_of_box(box: tuple[float, float, float, float], angle: float = 0.0) -> Roi:
    """The same for a box without key points; `angle` of the line of the eyes in radians."""
    x0, y0, x1, y1 = box
    return Roi((x0 + x1) / 2, (y0 + y1) / 2, 1.5 * max(x1 - x0, y1 - y0), angle)
