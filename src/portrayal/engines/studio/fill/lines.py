"""Straight edges that run into a hole: drawn on through it before it is painted.

Segments on two sides of a hole that lie on one line and part the same two colours are one edge: a table's, a window's,
the horizon (after Huang et al., "Image completion using planar structure guidance", 2014, without the planes). Beyond
the border of a picture a long edge simply goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from portrayal.engines.studio.fill.membrane import membrane
from portrayal.imaging import F32, Array, Bool

_SIDE = 320  # longer side of the picture in which edges are looked for
_BAND = 7  # how far beside an edge its colours are drawn on, in pixels of that picture
_MOST = 14


@dataclass(frozen=True)
class _End:
    """An edge that enters the hole.

    Attributes:
        at: (2,) x, y where it enters.
        way: (2,) unit vector into the hole.
        length: known length in pixels.
        profile: (2 _BAND + 1, 3) mean colours across it, from left of the way to right.
    """

    at: Array
    way: Array
    length: float
    profile: F32


def guide(picture: F32, unknown: Bool, hole: Bool, open_ended: bool = False) -> tuple[F32, F32]:
    """Edges through the hole.

    Args:
        picture: (h, w, 3) float32 0..1.
        unknown, hole: (h, w) where the picture tells nothing, and where it is painted.
        open_ended: edges without a partner go on as well.

    Returns:
        (h', w', 3) their colours, and (h', w') weights 0..1, of a smaller picture; zero where there is no edge.
    """
    scale = min(1.0, _SIDE / max(hole.shape))
    size = (max(1, round(hole.shape[1] * scale)), max(1, round(hole.shape[0] * scale)))
    share = cv2.resize((~unknown).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(np.where(unknown[..., None], 0, picture), size, interpolation=cv2.INTER_AREA)
    small = np.asarray(total / np.maximum(share, 1e-6)[..., None], np.float32)
    gap, away = share < 0.5, cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA) < 0.5
    colours: F32 = np.zeros(small.shape, np.float32)
    weights: F32 = np.zeros(gap.shape, np.float32)
    ends = _ends(small, gap)
    pairs = _pairs(ends, gap)
    for a, b in pairs:
        _draw(colours, weights, a, b.at, b.profile[::-1])
    if open_ended:
        used = {id(e) for pair in pairs for e in pair}
        for a in ends:
            if id(a) not in used and a.length > 0.12 * max(gap.shape):
                _draw(colours, weights, a, a.at + a.way * _run(a, gap), a.profile)
    weights[away] = 0
    mean = colours / np.maximum(weights, np.float32(1e-6))[..., None]
    return np.asarray(mean, np.float32), np.asarray(np.minimum(weights, 1), np.float32)


def _ends(picture: F32, gap: Bool) -> list[_End]:
    smooth = membrane(picture, ~gap)
    grey = np.clip(smooth.mean(2) * 255, 0, 255).astype(np.uint8)
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    if found is None:
        return []
    away = np.asarray(cv2.distanceTransform((~gap).astype(np.uint8), cv2.DIST_L2, 3), np.float32)
    ends: list[_End] = []
    for x0, y0, x1, y1 in found.reshape(-1, 4).astype(np.float64):
        a, b = np.array([x0, y0]), np.array([x1, y1])
        if _at(away, a) < _at(away, b):
            a, b = b, a
        length = float(np.hypot(*(b - a)))
        if length < 14:
            continue
        way = (b - a) / length
        # The last few pixels before a hole are bent by what lies under it.
        steps = np.arange(0, 0.04 * max(gap.shape) + 6)
        entry = next((s for s in steps if _at(away, b + s * way) <= 1), None)
        if entry is None or _at(away, (a + b) / 2) < 3:
            continue
        profile = _profile(picture, gap, a, way, length)
        if profile is not None and np.abs(profile[0] - profile[-1]).max() > 0.03:
            ends.append(_End(b + entry * way, way, length, profile))
    return ends


def _at(values: F32, point: Array) -> float:
    """Value at a point; 99 outside of the picture."""
    x, y = round(float(point[0])), round(float(point[1]))
    inside = 0 <= x < values.shape[1] and 0 <= y < values.shape[0]
    return float(values[y, x]) if inside else 99.0


def _profile(picture: F32, gap: Bool, start: Array, way: Array, length: float) -> F32 | None:
    """Mean colours across an edge, from the known pixels of its last part."""
    along = length - np.linspace(2, min(length, 60) - 1, 24)
    across = np.arange(-_BAND, _BAND + 1)
    x = start[0] + along[:, None] * way[0] - across * way[1]
    y = start[1] + along[:, None] * way[1] + across * way[0]
    colours = cv2.remap(picture, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    unknown = cv2.remap(
        gap.astype(np.float32), x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, None, 0, 1
    )
    weight = (unknown < 0.01).astype(np.float32)
    if weight.sum(0).min() < 4:
        return None
    return np.asarray((colours * weight[..., None]).sum(0) / weight.sum(0)[:, None], np.float32)


def _pairs(ends: list[_End], gap: Bool) -> list[tuple[_End, _End]]:
    """Ends that are two sides of one edge, best ones first, each end once."""
    found: list[tuple[float, int, int]] = []
    for i, a in enumerate(ends):
        for j in range(i + 1, len(ends)):
            b = ends[j]
            chord = b.at - a.at
            far = float(np.hypot(*chord))
            if far < 4 or float(a.way @ b.way) > -0.9:
                continue
            # Both must point at each other, up to what short segments leave open.
            bend = max(abs(_cross(a.way, chord)), abs(_cross(b.way, chord))) / far
            allowed = 0.03 + 1.5 / min(a.length, b.length)
            differ = float(np.abs(a.profile - b.profile[::-1]).mean())
            if bend > allowed or differ > 0.08 or not _inside(a.at, b.at, gap):
                continue
            found.append((bend / allowed + differ / 0.08 - min(a.length, b.length) / 100, i, j))
    taken: set[int] = set()
    pairs: list[tuple[_End, _End]] = []
    for _, i, j in sorted(found):
        if i not in taken and j not in taken and len(pairs) < _MOST:
            taken |= {i, j}
            pairs.append((ends[i], ends[j]))
    return pairs


def _cross(a: Array, b: Array) -> float:
    return float(a[0] * b[1] - a[1] * b[0])


def _inside(a: Array, b: Array, gap: Bool) -> bool:
    t = np.linspace(0.05, 0.95, 19)[:, None]
    points = np.round(a + (b - a) * t).astype(int)
    return bool(gap[points[:, 1].clip(0, gap.shape[0] - 1), points[:, 0].clip(0, gap.shape[1] - 1)].mean() > 0.8)


def _run(end: _End, gap: Bool) -> float:
    """How far an edge without a partner goes on: to the other side of the hole or of the picture."""
    h, w = gap.shape
    run = 4.0
    while run < max(h, w):
        x, y = end.at + run * end.way
        if not (0 <= x < w and 0 <= y < h) or not gap[int(y), int(x)]:
            break
        run += 2
    return run


def _draw(colours: F32, weights: F32, a: _End, to: Array, last: F32) -> None:
    """Add a band from one end to a point, its profile changing on the way."""
    chord = to - a.at
    far = float(np.hypot(*chord))
    way = chord / max(far, 1e-6)
    x0, y0 = np.floor(np.minimum(a.at, to) - _BAND - 1).astype(int).clip(0)
    x1, y1 = np.ceil(np.maximum(a.at, to) + _BAND + 2).astype(int)
    part = np.s_[y0:y1, x0:x1]
    if not weights[part].size:
        return
    y, x = np.mgrid[part].astype(np.float32)
    y, x = y[: weights[part].shape[0], : weights[part].shape[1]], x[: weights[part].shape[0], : weights[part].shape[1]]
    x, y = x - np.float32(a.at[0]), y - np.float32(a.at[1])
    along, across = x * way[0] + y * way[1], y * way[0] - x * way[1]
    share = np.clip(along / far, 0, 1).astype(np.float32)
    row = (across + _BAND).astype(np.float32)
    ramps = [
        cv2.remap(p[:, None], np.zeros_like(row), row, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)
        for p in (np.ascontiguousarray(a.profile), np.ascontiguousarray(last))
    ]
    inside = (along > -2) & (along < far + 2)
    weight = np.where(inside, np.clip((_BAND - np.abs(across)) / 3, 0, 1), 0).astype(np.float32)
    colours[part] += (ramps[0] + (ramps[1] - ramps[0]) * share[..., None]) * weight[..., None]
    weights[part] += weight
