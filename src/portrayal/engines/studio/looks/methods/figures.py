"""Figures that a poster is drawn of: a pen on bytes, and each kind of figure by its name in a look's table."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import cv2
import numpy as np

from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.texture import colour
from portrayal.imaging import U8, Array
from portrayal.perception import mesh

_SHIFT: Final = 4


def paint(ink: str) -> tuple[int, int, int]:
    """An ink as three bytes."""
    r, g, b = (int(v) for v in np.round(colour(ink) * 255))
    return r, g, b


def head(context: Context) -> tuple[float, float, float]:
    """Middle x, y and radius of the largest head, in pixels; where one would be when there is no face."""
    h, w = context.shape
    if not context.faces:
        return w / 2, 0.42 * h, 0.20 * min(h, w)
    largest = int(np.argmax(context.face_heights))
    oval = context.faces[largest][list(mesh.OVAL), :2]
    x, y = oval.mean(0).tolist()
    height = context.face_heights[largest]
    return x, y - 0.12 * height, 0.72 * height


class Pen:
    """Draws shapes on bytes (h, w, 3).

    Lengths are shares of the shorter side. `at` of a shape is "frame": x and y are shares of width and height; or
    "head": they count from the middle of the largest head in shares of the shorter side.
    """

    def __init__(self, context: Context, picture: U8) -> None:
        self.picture = picture
        self.h, self.w = context.shape
        self.side = min(self.h, self.w)
        self.head = head(context)

    def point(self, shape: Mapping[str, Any], x: float, y: float) -> tuple[float, float]:
        """Pixels of a point of a shape."""
        if shape.get("at", "frame") == "head":
            return self.head[0] + x * self.side, self.head[1] + y * self.side
        return x * self.w, y * self.h

    def fill(self, points: Array, ink: tuple[int, int, int]) -> None:
        """A polygon (n, 2) of pixels."""
        corners = np.round(np.asarray(points, np.float64) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(self.picture, [corners], ink, cv2.LINE_AA, _SHIFT)

    def stroke(self, points: Array, ink: tuple[int, int, int], width: float, closed: bool = False) -> None:
        """A line (n, 2) so many pixels wide."""
        corners = np.round(np.asarray(points, np.float64) * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(self.picture, [corners], closed, ink, max(1, round(width)), cv2.LINE_AA, _SHIFT)

    def circle(self, x: float, y: float, radius: float, start: float = 0.0, end: float = 360.0) -> Array:
        """Points (n, 2) of an arc, degrees clockwise from the right."""
        angles = np.radians(np.linspace(start, end, max(16, int(abs(end - start) / 2))))
        return np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], 1)


def _disc(pen: Pen, shape: Mapping[str, Any]) -> None:
    x, y = pen.point(shape, shape.get("x", 0.0), shape.get("y", 0.0))
    start, end = shape.get("start", 0.0), shape.get("end", 360.0)
    points = pen.circle(x, y, shape["r"] * pen.side, start, end)
    if end - start < 360:
        points = np.vstack([points, [[x, y]]])
    pen.fill(points, paint(shape["ink"]))


def _ring(pen: Pen, shape: Mapping[str, Any]) -> None:
    x, y = pen.point(shape, shape.get("x", 0.0), shape.get("y", 0.0))
    outer, width = shape["r"] * pen.side, shape["width"] * pen.side
    start, end = shape.get("start", 0.0), shape.get("end", 360.0)
    points = np.vstack([pen.circle(x, y, outer, start, end), pen.circle(x, y, max(0.0, outer - width), end, start)])
    pen.fill(points, paint(shape["ink"]))


def _polygon(pen: Pen, shape: Mapping[str, Any]) -> None:
    pen.fill(np.array([pen.point(shape, x, y) for x, y in shape["points"]]), paint(shape["ink"]))


def _rays(pen: Pen, shape: Mapping[str, Any]) -> None:
    x, y = pen.point(shape, shape.get("x", 0.0), shape.get("y", 0.0))
    n, duty, turn = int(shape["n"]), shape.get("duty", 0.5), shape.get("turn", 0.0)
    near, far = shape.get("r", 0.0) * pen.side, shape.get("far", 3.0) * pen.side
    for i in range(n):
        a = math.radians(turn) + 2 * math.pi * i / n
        b = a + 2 * math.pi * duty / n
        corners = [(near, a), (far, a), (far, b), (near, b)]
        pen.fill(np.array([(x + r * math.cos(t), y + r * math.sin(t)) for r, t in corners]), paint(shape["ink"]))


def _stripes(pen: Pen, shape: Mapping[str, Any]) -> None:
    """Parallel bands over a box (x0, y0, x1, y1 in shares of the frame), or over everything."""
    period, width = shape["period"] * pen.side, shape.get("duty", 0.5) * shape["period"] * pen.side
    angle = math.radians(shape.get("angle", 0.0))
    along, across = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    x0, y0, x1, y1 = shape.get("box", (0.0, 0.0, 1.0, 1.0))
    left, top, right, bottom = (round(v) for v in (x0 * pen.w, y0 * pen.h, x1 * pen.w, y1 * pen.h))
    part = pen.picture[max(0, top) : bottom, max(0, left) : right]
    inner = np.ascontiguousarray(part)
    whole, pen.picture = pen.picture, inner
    far = float(pen.h + pen.w)
    middle = np.array([(right - left) / 2, (bottom - top) / 2])
    for i in range(-int(far / period) - 1, int(far / period) + 2):
        start = middle + across * (i * period)
        ends = [start - along * far, start + along * far, start + along * far + across * width]
        pen.fill(np.array([*ends, start - along * far + across * width]), paint(shape["ink"]))
    pen.picture = whole
    part[:] = inner


def _wave(pen: Pen, shape: Mapping[str, Any]) -> None:
    """Everything under a wavy horizon, down to `bottom`."""
    xs = np.linspace(-0.02, 1.02, 160) * pen.w
    phase = 2 * math.pi * (xs / (shape["length"] * pen.side) + shape.get("phase", 0.0))
    waves = np.sin(phase)
    if shape.get("scallop"):
        waves = 1 - 2 * np.abs(np.sin(phase / 2))
    top = np.stack([xs, shape["y"] * pen.h + shape["height"] * pen.side * waves], 1)
    bottom = shape.get("bottom", 1.1) * pen.h
    low = np.stack([xs[::-1], np.full(len(xs), bottom)], 1)
    if shape.get("parallel"):
        low = top[::-1] + np.array([0.0, shape["parallel"] * pen.side])
    pen.fill(np.vstack([top, low]), paint(shape["ink"]))


def _umbrella(pen: Pen, shape: Mapping[str, Any]) -> None:
    """A sunshade seen from the side above: wedges of two inks with a scalloped rim."""
    x, y = pen.point(shape, shape["x"], shape["y"])
    radius, n = shape["r"] * pen.side, int(shape["n"])
    for i in range(n):
        a, b = (math.radians(shape.get("turn", 0.0)) + 2 * math.pi * k / n for k in (i, i + 1))
        ink = paint(shape["inks"][i % 2])
        t = np.linspace(0, 1, 18)
        angles = a + (b - a) * t
        rim = radius * (1 - 0.055 * np.sin(np.pi * t))
        edge = np.stack([x + rim * np.cos(angles), y + rim * np.sin(angles)], 1)
        pen.fill(np.vstack([[[x, y]], edge]), ink)
        frill = np.vstack([edge, np.stack([x + 0.93 * rim * np.cos(angles), y + 0.93 * rim * np.sin(angles)], 1)[::-1]])
        pen.fill(frill, paint(shape["inks"][(i + 1) % 2]))


def _grid(pen: Pen, shape: Mapping[str, Any]) -> None:
    """Lines of a grid; `step` a share of the shorter side."""
    gap, width = shape["step"] * pen.side, shape["width"] * pen.side
    ink = paint(shape["ink"])
    for i in range(int(max(pen.h, pen.w) / gap) + 2):
        at = (i + shape.get("start", 0.0)) * gap
        pen.stroke(np.array([[at, 0], [at, pen.h]]), ink, width)
        pen.stroke(np.array([[0, at], [pen.w, at]]), ink, width)


def _floor(pen: Pen, shape: Mapping[str, Any]) -> None:
    """A floor of lines in perspective under a horizon `y`."""
    ink, width, top = paint(shape["ink"]), shape["width"] * pen.side, shape["y"] * pen.h
    middle, deep = pen.w / 2, pen.h - top
    for i in range(-14, 15):
        far, near = middle + i * 0.055 * pen.side, middle + i * 0.30 * pen.side
        pen.stroke(np.array([[far, top], [near, pen.h + 0.02 * pen.side]]), ink, width)
    for i in range(9):
        level = top + deep * (i / 8.0) ** 2.1
        pen.stroke(np.array([[0, level], [pen.w, level]]), ink, width)


def _tiles(pen: Pen, shape: Mapping[str, Any]) -> None:
    """A mid-century pattern in a box: quarter circles, leaves, triangles and rings in turn."""
    x0, y0, x1, y1 = shape.get("box", (0.0, 0.0, 1.0, 1.0))
    cell = shape["cell"] * pen.side
    left, top = x0 * pen.w, y0 * pen.h
    columns, rows = max(1, round((x1 - x0) * pen.w / cell)), max(1, round((y1 - y0) * pen.h / cell))
    width, height = (x1 - x0) * pen.w / columns, (y1 - y0) * pen.h / rows
    inks = [paint(ink) for ink in shape["inks"]]
    random = np.random.default_rng(int(shape.get("seed", 5)))
    for row in range(rows):
        for column in range(columns):
            x, y = left + column * width, top + row * height
            ground, figure = random.choice(len(inks), 2, replace=False)
            _tile(pen, (x, y, width, height), inks[ground], inks[figure], int(random.integers(0, 24)))


def _tile(
    pen: Pen,
    box: tuple[float, float, float, float],
    ground: tuple[int, int, int],
    figure: tuple[int, int, int],
    motif: int,
) -> None:
    x, y, w, h = box
    corners = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])
    pen.fill(corners, ground)
    turn, kind = motif % 4, motif // 4
    if kind in (0, 4):  # a quarter circle
        cx, cy = corners[turn]
        arc = pen.circle(0, 0, 1.0, 90.0 * turn, 90.0 * turn + 90) * (w, h) + (cx, cy)
        pen.fill(np.vstack([arc, [[cx, cy]]]), figure)
    elif kind == 1:  # a leaf
        first, second = corners[turn], corners[(turn + 2) % 4]
        t = np.linspace(0, 1, 20)[:, None]
        line = first + (second - first) * t
        away = np.array([-(second - first)[1], (second - first)[0]]) * 0.30
        bulge = np.sin(np.pi * t) * away
        pen.fill(np.vstack([line + bulge, (line - bulge)[::-1]]), figure)
    elif kind == 2:  # a triangle
        pen.fill(corners[[turn, (turn + 1) % 4, (turn + 2) % 4]], figure)
    elif kind == 3:  # a ring
        for radius, ink in ((0.42, figure), (0.24, ground), (0.11, figure)):
            pen.fill(pen.circle(0, 0, radius) * (w, h) + (x + w / 2, y + h / 2), ink)
    else:  # a diamond
        middle = np.array([x + w / 2, y + h / 2])
        pen.fill(middle + (corners - middle)[:, ::-1] * 0 + np.array([[0, -h], [w, 0], [0, h], [-w, 0]]) * 0.44, figure)


def _confetti(pen: Pen, shape: Mapping[str, Any]) -> None:
    """Scattered small triangles, dots and bars."""
    random = np.random.default_rng(int(shape.get("seed", 9)))
    inks = [paint(ink) for ink in shape["inks"]]
    size = shape["size"] * pen.side
    for i in range(int(shape["n"])):
        x, y = random.uniform(0, pen.w), random.uniform(0, pen.h)
        a, ink = random.uniform(0, 2 * math.pi), inks[i % len(inks)]
        if i % 3 == 0:
            pen.fill(pen.circle(x, y, size * 0.5), ink)
        else:
            n = 3 if i % 3 == 1 else 4
            stretch = 1.0 if n == 3 else 0.28
            angles = a + 2 * math.pi * np.arange(n) / n
            points = np.stack([np.cos(angles - a) * size, np.sin(angles - a) * size * stretch], 1)
            turn = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
            pen.fill(points @ turn.T + (x, y), ink)


def _sunset(pen: Pen, shape: Mapping[str, Any]) -> None:
    """A sun of horizontal slices from one ink to another, with gaps that widen downwards."""
    x, y = pen.point(shape, shape.get("x", 0.0), shape.get("y", 0.0))
    radius, first, last = shape["r"] * pen.side, colour(shape["inks"][0]), colour(shape["inks"][1])
    levels = np.linspace(-1, 1, 61)
    for a, b in itertools.pairwise(levels):
        ink = np.round((first + (last - first) * np.float32((a + 1) / 2)) * 255).astype(int).tolist()
        t = np.linspace(a, b, 4)
        half = np.sqrt(np.maximum(1 - t * t, 0))
        right = np.stack([x + half * radius, y + t * radius], 1)
        pen.fill(np.vstack([right, (right * (-1, 1) + (2 * x, 0))[::-1]]), (ink[0], ink[1], ink[2]))
    if shape.get("gap"):
        for i in range(6):
            # A gap ends at the rim: two chords of the disc.
            a, b = 0.10 + 0.15 * i, 0.10 + 0.15 * i + 0.018 + 0.013 * i
            upper, lower = (math.sqrt(max(0.0, 1 - t * t)) + 0.01 for t in (a, b))
            corners = np.array([[-upper, a], [upper, a], [lower, b], [-lower, b]]) * radius + (x, y)
            pen.fill(corners, paint(shape["gap"]))


def _sparkles(pen: Pen, shape: Mapping[str, Any]) -> None:
    """Stars of four thin points."""
    random = np.random.default_rng(int(shape.get("seed", 4)))
    for _ in range(int(shape["n"])):
        x, y = random.uniform(0.03, 0.97) * pen.w, random.uniform(0.03, shape.get("low", 0.5)) * pen.h
        size = shape["size"] * pen.side * random.uniform(0.35, 1.0)
        angles = np.arange(8) * math.pi / 4
        radii = np.where(np.arange(8) % 2 == 0, size, 0.12 * size)
        pen.fill(np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], 1), paint(shape["ink"]))


def _arch(pen: Pen, shape: Mapping[str, Any]) -> None:
    """A door with a round top: middle `x`, top `y` and half width `r` in shares of the side; down to `bottom`."""
    x, y = pen.point(shape, shape.get("x", 0.0), shape.get("y", 0.0))
    radius = shape["r"] * pen.side
    top = pen.circle(x, y, radius, 180, 360)
    base = shape.get("bottom", 1.1) * pen.h
    pen.fill(np.vstack([top, [[x + radius, base], [x - radius, base]]]), paint(shape["ink"]))


def _blob(pen: Pen, shape: Mapping[str, Any]) -> None:
    """A soft closed shape, as cut without a ruler."""
    x, y = pen.point(shape, shape.get("x", 0.0), shape.get("y", 0.0))
    random = np.random.default_rng(int(shape.get("seed", 3)))
    t = np.linspace(0, 2 * math.pi, 200, endpoint=False)
    radius = np.ones_like(t)
    for k in (2, 3, 4):
        radius += shape.get("rough", 0.10) / (k - 1) * np.sin(k * t + random.uniform(0, 2 * math.pi))
    stretch = np.array([shape.get("wide", 1.0), 1.0])
    edge = np.stack([np.cos(t), np.sin(t)], 1) * (radius * shape["r"] * pen.side)[:, None] * stretch
    edge += np.array([x, y])
    pen.fill(edge, paint(shape["ink"]))


def _frame(pen: Pen, shape: Mapping[str, Any]) -> None:
    """Lines around the picture with stepped corners; `mat` fills what lies outside of them."""
    ink, width = paint(shape["ink"]), shape["width"] * pen.side
    inset, stair, steps = shape["inset"] * pen.side, shape.get("stair", 0.0) * pen.side, int(shape.get("steps", 0))
    corner = [(inset + k * stair, inset + (steps - k) * stair) for k in range(steps + 1)]
    stairs: list[tuple[float, float]] = []
    for k, point in enumerate(corner):
        if k:
            stairs.append((corner[k - 1][0] + stair, corner[k - 1][1]))
        stairs.append(point)
    one = np.array(stairs)
    flip = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    size = np.array([[0, 0], [pen.w - 1, 0], [pen.w - 1, pen.h - 1], [0, pen.h - 1]])
    whole = np.vstack([(one if i % 2 == 0 else one[::-1]) * flip[i] + size[i] for i in range(4)])
    if shape.get("mat"):
        rim = np.array([[-9, -9], [pen.w + 9, -9], [pen.w + 9, pen.h + 9], [-9, pen.h + 9]])
        rings = [np.round(ring * (1 << _SHIFT)).astype(np.int32) for ring in (rim, whole)]
        cv2.fillPoly(pen.picture, rings, paint(shape["mat"]), cv2.LINE_AA, _SHIFT)
    pen.stroke(whole, ink, width, True)


def _keys(pen: Pen, shape: Mapping[str, Any]) -> None:
    """A keyboard in a box turned by `angle`."""
    x, y = pen.point(shape, shape["x"], shape["y"])
    long, deep, n = shape["length"] * pen.side, shape["deep"] * pen.side, int(shape["n"])
    a = math.radians(shape.get("angle", 0.0))
    turn = np.array([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]])

    def box(u0: float, u1: float, v0: float, v1: float, ink: str) -> None:
        corners = np.array(
            [[u0 * long, v0 * deep], [u1 * long, v0 * deep], [u1 * long, v1 * deep], [u0 * long, v1 * deep]]
        )
        pen.fill(corners @ turn + (x, y), paint(ink))

    white, black = shape["inks"]
    box(0, 1, 0, 1, white)
    for i in range(n):
        box(i / n - 0.003, i / n + 0.003, 0, 1, black)
        if i % 7 not in (0, 3):
            box((i - 0.30) / n, (i + 0.30) / n, 0, 0.62, black)


def _plant(pen: Pen, shape: Mapping[str, Any]) -> None:
    """A bent stem with pairs of leaves; `angle` of its growth in degrees, `bend` of the stem."""
    x, y = pen.point(shape, shape["x"], shape["y"])
    length, n = shape["length"] * pen.side, int(shape.get("n", 6))
    t = np.linspace(0, 1, 40)
    turn = np.radians(shape.get("angle", -90.0) + shape.get("bend", 20.0) * t)
    way = np.stack([np.cos(turn), np.sin(turn)], 1)
    stem = np.array([x, y]) + np.cumsum(way, 0) * (length / 40)
    ink = paint(shape["ink"])
    pen.stroke(stem, ink, max(1.0, 0.012 * length))
    s = np.linspace(0, 1, 16)
    half = np.sin(np.pi * s**0.8)
    for i in range(n):
        k = int(6 + 33 * i / n)
        size = 0.34 * length * (1 - 0.45 * i / n)
        for side in (-1, 1):
            a = turn[k] + side * 0.85
            axis, across = np.array([math.cos(a), math.sin(a)]), np.array([-math.sin(a), math.cos(a)])
            middle = stem[k] + np.outer(s * size, axis)
            pen.fill(
                np.vstack(
                    [
                        middle + np.outer(half * 0.19 * size, across),
                        (middle - np.outer(half * 0.19 * size, across))[::-1],
                    ]
                ),
                ink,
            )


SHAPES: Final[dict[str, Callable[[Pen, Mapping[str, Any]], None]]] = {
    "disc": _disc,
    "ring": _ring,
    "polygon": _polygon,
    "rays": _rays,
    "stripes": _stripes,
    "wave": _wave,
    "umbrella": _umbrella,
    "grid": _grid,
    "floor": _floor,
    "tiles": _tiles,
    "confetti": _confetti,
    "sunset": _sunset,
    "sparkles": _sparkles,
    "arch": _arch,
    "blob": _blob,
    "frame": _frame,
    "keys": _keys,
    "plant": _plant,
}
