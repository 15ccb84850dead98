"""How much two cut-outs of a subject without a face look alike, whatever light they stand in.

Four views of the pixels inside the matte, each in a square around the subject: a histogram of log-chromaticities
(compared under the best small shift, which is what coloured light does: Finlayson et al. 1996), the layout of colours,
the silhouette, and gradient orientations (Dalal and Triggs 2005) of a picture whose local contrast is evened out.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal.imaging import F32, U8

_SIDE: Final = 96  # the subject is looked at in this many pixels
_BINS: Final = 20
_RANGE: Final = 1.6  # of log(R/G) and log(B/G)
_SHIFT: Final = 3  # bins; how far coloured light may move the histogram, a factor of 1.6 between two channels
_GRID: Final = 6
_TURNS: Final = 8
_MASK: Final = 12

# Share of each view in the likeness, and where it falls from alike to different.
_WEIGHTS: Final = {"chroma": 0.40, "layout": 0.20, "shape": 0.15, "edges": 0.25}
_MIDDLE: Final = 0.62
_SLOPE: Final = 0.085

_SIZES: Final = {
    "chroma": _BINS * _BINS,
    "layout": _GRID * _GRID * 2,
    "shape": _MASK * _MASK,
    "edges": _GRID * _GRID * _TURNS,
}


def describe(rgb: U8, alpha: F32 | None = None, *, seen_in_scene: bool = False) -> F32:
    """Describe the look of a subject.

    Args:
        rgb: (h, w, 3) uint8.
        alpha: (h, w) float32 matte of the subject; None = it is cut out first, or the whole picture is described when
            nothing stands out.
        seen_in_scene: the subject was put before another background, which shines through the rim of its matte: only
            what is well inside counts.

    Returns:
        (n,) float32 unit vector; compare it with `similarity`.
    """
    if alpha is None:
        alpha = _cut(rgb)
    picture, matte = _framed(rgb, alpha)
    inside = np.asarray(cv2.erode(matte, np.ones((3, 3), np.uint8)), np.float32) if seen_in_scene else matte
    if inside.sum() < 20:
        inside = matte
    light = picture.mean(2)
    logs = np.log(picture + np.float32(0.03))
    chroma = np.stack([logs[..., 0] - logs[..., 1], logs[..., 2] - logs[..., 1]], -1)
    # Dark pixels have no reliable colour.
    sure = inside * np.clip(light / 0.12, 0.05, 1)
    views = (_histogram(chroma, sure), _layout(chroma, sure), _silhouette(matte), _edges(light, inside))
    vector = np.concatenate([view / max(float(np.linalg.norm(view)), 1e-6) for view in views])
    out: F32 = (vector / np.sqrt(len(views))).astype(np.float32)
    return out


def similarity(a: F32, b: F32) -> float:
    """Likeness 0..1 of two descriptions: over 0.8 the same subject, under 0.6 another one."""
    first, second = _views(a), _views(b)
    likeness = {name: float(first[name] @ second[name]) for name in _SIZES}
    likeness["chroma"] = _best_shift(first["chroma"], second["chroma"])
    total = sum(weight * max(0.0, likeness[name]) for name, weight in _WEIGHTS.items())
    return float(1 / (1 + np.exp((_MIDDLE - total) / _SLOPE)))


def _views(vector: F32) -> dict[str, F32]:
    edges = np.cumsum([0, *_SIZES.values()])
    scale = np.float32(np.sqrt(len(_SIZES)))
    return {name: vector[a:b] * scale for name, a, b in zip(_SIZES, edges[:-1], edges[1:], strict=True)}


def _cut(rgb: U8) -> F32:
    from portrayal.errors import NoSubjectError
    from portrayal.perception.subject import subject_matte  # the cut-out is only needed here

    try:
        return subject_matte(rgb).alpha
    except NoSubjectError:
        return np.ones(rgb.shape[:2], np.float32)


def _framed(rgb: U8, alpha: F32) -> tuple[F32, F32]:
    """The subject's bounding square at a fixed size: premultiplied-averaged colours 0..1, matte."""
    ys, xs = np.nonzero(alpha > 0.3)
    if not len(ys):
        ys, xs = (np.arange(n) for n in alpha.shape)
    x0, x1, y0, y1 = int(xs.min()), int(xs.max()) + 1, int(ys.min()), int(ys.max()) + 1
    side = max(x1 - x0, y1 - y0)
    k = _SIDE / side
    size = (max(1, round((x1 - x0) * k)), max(1, round((y1 - y0) * k)))
    how = cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR
    part = alpha[y0:y1, x0:x1, None]
    stack = np.concatenate([rgb[y0:y1, x0:x1].astype(np.float32) / np.float32(255) * part, part], 2)
    small = np.asarray(cv2.resize(np.ascontiguousarray(stack, np.float32), size, interpolation=how), np.float32)
    square = np.zeros((_SIDE, _SIDE, 4), np.float32)
    x, y = (_SIDE - size[0]) // 2, (_SIDE - size[1]) // 2
    square[y : y + size[1], x : x + size[0]] = small
    matte = np.ascontiguousarray(square[..., 3])
    # Outside, the colours around are continued, so that the silhouette makes no edges of its own.
    soft = np.asarray(cv2.GaussianBlur(square, (0, 0), 3), np.float32)
    filled = square[..., :3] + (1 - matte[..., None]) * soft[..., :3] / np.maximum(soft[..., 3:], 1e-3)
    return filled.astype(np.float32), matte


def _histogram(chroma: F32, weight: F32) -> F32:
    place = (chroma.reshape(-1, 2) + _RANGE) / (2 * _RANGE) * _BINS
    grid = np.histogram2d(place[:, 0], place[:, 1], _BINS, [[0, _BINS], [0, _BINS]], weights=weight.ravel())[0]
    soft = cv2.GaussianBlur(grid.astype(np.float32), (0, 0), 1.0)
    return np.asarray(np.sqrt(soft), np.float32).ravel()


def _best_shift(a: F32, b: F32) -> float:
    first, second = a.reshape(_BINS, _BINS), np.pad(b.reshape(_BINS, _BINS), _SHIFT)
    best = 0.0
    for y in range(2 * _SHIFT + 1):
        for x in range(2 * _SHIFT + 1):
            far = float(np.hypot(y - _SHIFT, x - _SHIFT))
            if far <= _SHIFT:
                match = float((first * second[y : y + _BINS, x : x + _BINS]).sum())
                best = max(best, match * (1 - 0.04 * far))
    return best


def _cells(values: F32) -> F32:
    return np.asarray(cv2.resize(values, (_GRID, _GRID), interpolation=cv2.INTER_AREA), np.float32)


def _layout(chroma: F32, weight: F32) -> F32:
    """Mean chromaticity of each cell, relative to the subject's own mean."""
    mean = (chroma * weight[..., None]).sum((0, 1)) / max(float(weight.sum()), 1e-6)
    cells = _cells(np.ascontiguousarray((chroma - mean) * weight[..., None]))
    return np.asarray(cells / (np.sqrt(_cells(weight))[..., None] + 0.1), np.float32).ravel()


def _silhouette(matte: F32) -> F32:
    small = np.asarray(cv2.resize(matte, (_MASK, _MASK), interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(small - small.mean() + 1e-4, np.float32).ravel()


def _edges(light: F32, weight: F32) -> F32:
    """Gradient orientations per cell, of logarithmic light with even local contrast: shading and blur drop out."""
    log = np.asarray(cv2.GaussianBlur(np.log(light + np.float32(0.05)), (0, 0), 2.0), np.float32)
    dx = np.asarray(cv2.Sobel(log, cv2.CV_32F, 1, 0), np.float32)
    dy = np.asarray(cv2.Sobel(log, cv2.CV_32F, 0, 1), np.float32)
    size = np.hypot(dx, dy)
    size = size / (np.asarray(cv2.GaussianBlur(size, (0, 0), 8), np.float32) + 0.08) * weight
    turn = (np.arctan2(dy, dx) % np.pi) / np.pi * _TURNS
    cells = []
    for k in range(_TURNS):
        near = np.abs((turn - k + _TURNS / 2) % _TURNS - _TURNS / 2)
        cells.append(_cells((size * np.clip(1 - near, 0, 1)).astype(np.float32)))
    out = np.sqrt(np.stack(cells, -1))
    # Relative to the mean over orientations: mere texture is no shape.
    return np.asarray(out - 0.5 * out.mean(2, keepdims=True), np.float32).ravel()
