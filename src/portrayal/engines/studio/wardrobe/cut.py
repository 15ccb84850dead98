"""Cutting patterns: paths and curves in centimetres on the standard bust (x right, y down, origin the jugular notch).

A path is written as in a tailor's draft: the first point, then (x, y) for a straight line, (cx, cy, x, y) for a
quadratic and (c1x, c1y, c2x, c2y, x, y) for a cubic Bezier curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from portrayal.imaging import F32

Path = Sequence[Sequence[float]]

NECK: Final = 5.7
"""Radius of the standard neck, cm."""

FAR: Final = 60.0
"""Beyond every picture's lower edge, cm."""

_WIDTHS: Final = {
    "crew": (7.2, 2.3),
    "v": (7.0, 8.2),
    "boat": (13.6, 1.4),
    "scoop": (8.6, 6.0),
    "collar": (6.0, 0.9),
    "roll": (7.2, -3.2),
}


def bezier(path: Path, pieces: int = 14) -> F32:
    """The points (n, 2) of a path."""
    points = [np.asarray(path[0][-2:], np.float64)]
    t = np.linspace(0, 1, pieces + 1)[1:, None]
    for step in path[1:]:
        a = points[-1]
        p = np.asarray(step, np.float64).reshape(-1, 2)
        if len(p) == 1:
            points.append(p[0])
        elif len(p) == 2:
            points += list((1 - t) ** 2 * a + 2 * t * (1 - t) * p[0] + t * t * p[1])
        else:
            points += list((1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * p[0] + 3 * t * t * (1 - t) * p[1] + t**3 * p[2])
    return np.asarray(points, np.float32)


def mirror(points: F32) -> F32:
    """The same on the other side of the body."""
    return np.asarray(points * np.array([-1, 1], np.float32))


def side(path: Path, s: int, pieces: int = 14) -> F32:
    """A path drafted for the picture's right (s = 1), or mirrored to its left (s = -1)."""
    points = bezier(path, pieces)
    return points if s > 0 else mirror(points)


def resample(points: F32, step: float) -> F32:
    """Points at equal distances of about `step` cm."""
    at = lengths(points)
    n = max(2, round(float(at[-1]) / step) + 1)
    s = np.linspace(0, at[-1], n)
    return np.stack([np.interp(s, at, points[:, 0]), np.interp(s, at, points[:, 1])], 1).astype(np.float32)


def lengths(points: F32) -> F32:
    """Arc length at each point, cm."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    return np.concatenate([[0], np.cumsum(steps)]).astype(np.float32)


def offset(points: F32, distance: float | F32) -> F32:
    """The parallel curve at a distance in cm, to the right of the way seen on the picture (y down)."""
    t = np.gradient(points, axis=0)
    n = np.stack([-t[:, 1], t[:, 0]], 1)
    n /= np.linalg.norm(n, axis=1, keepdims=True) + 1e-9
    d = np.asarray(distance, np.float32)
    return np.asarray(points + n * (d[:, None] if d.ndim else d), np.float32)


def ribbon(points: F32, left: float, right: float) -> F32:
    """The closed outline between two parallels of a curve: offsets `left` and `right`."""
    return np.concatenate([offset(points, left), offset(points, right)[::-1]])


def disc(x: float, y: float, radius: float, squeeze: float = 1.0) -> F32:
    """A circle, or an ellipse `squeeze` times as high as wide."""
    t = np.linspace(0, 2 * np.pi, 40)
    return np.stack([x + radius * np.cos(t), y + radius * squeeze * np.sin(t)], 1).astype(np.float32)


def neckline(shape: str, width: float | None = None, depth: float | None = None, top: float = -5.2) -> F32:
    """The curve of an opening at the neck, from the picture's left to its right.

    Args:
        shape: "crew", "v", "scoop", "boat", "off-shoulder", "collar" (closed under a collar), "roll" (under a roll
            neck: up to its sides).
        width: half width at the top, depth: lowest point, cm; None = the shape's own.
        top: height at which it leaves over the shoulder.
    """
    if shape == "off-shoulder":
        return bezier([(-26, 8.4), (-13, 8.2, -5, 11.2, 0, 11.4), (5, 11.2, 13, 8.2, 26, 8.4)], 20)
    own_width, own_depth = _WIDTHS[shape]
    w, d = width or own_width, depth if depth is not None else own_depth
    if shape == "v":
        return bezier([(-w, top), (-w * 0.86, 0.4, 0, d), (w * 0.86, 0.4, w, top)], 26)
    if shape == "roll":
        return bezier([(-w, top), (-w * 0.95, d - 0.3, -w * 0.6, d, 0, d), (w * 0.6, d, w * 0.95, d - 0.3, w, top)], 20)
    if shape == "boat":
        return bezier(
            [(-w, -1.4), (-w * 0.6, d + 0.8, -w * 0.25, d + 1, 0, d + 1), (w * 0.25, d + 1, w * 0.6, d + 0.8, w, -1.4)],
            22,
        )
    return bezier([(-w, top), (-w * 0.86, d * 0.75, -w * 0.32, d, 0, d), (w * 0.32, d, w * 0.86, d * 0.75, w, top)], 24)


def below(curve: F32) -> F32:
    """Everything under a neckline that runs from left to right, out to all sides."""
    top = float(min(curve[0, 1], curve[-1, 1]))
    # The shoulder rises steeply beside the neck: cloth does not climb it past the end of the opening.
    right, left = float(curve[-1, 0]), float(curve[0, 0])
    rest = [
        [right + 2.4, top - 0.6],
        [right + 5.0, top - 12],
        [45.0, top - 12],
        [45.0, FAR],
        [-45.0, FAR],
        [-45.0, top - 12],
        [left - 5.0, top - 12],
        [left - 2.4, top - 0.6],
    ]
    return np.concatenate([curve, np.asarray(rest, np.float32)]).astype(np.float32)


def armhole(s: int, x: float = 15.6, rise: float = 0.0) -> F32:
    """The seam where the sleeve is set in, from the tip of the shoulder round the chest to the armpit."""
    path = [
        (x + 0.7, -2.4 - rise),
        (x - 0.3, 1.4, x - 2.3, 4.4, x - 2.4, 9.0),
        (x - 2.45, 12.2, x - 1.9, 14.6, x - 0.7, 16.8),
    ]
    return side(path, s, 12)
