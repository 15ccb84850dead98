"""Three drawn characters without a human face, for tests: a robot, a round bird, a cactus.

Each is drawn at four times the size and shrunk, so that its edges are smooth and its true matte is known.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import cv2
import numpy as np

from portrayal.imaging import F32, U8, Array

Mascot = Literal["robot", "bird", "cactus"]
Ground = Literal["white", "gradient", "grey", "floor", "dots"]
NAMES: tuple[Mascot, ...] = ("robot", "bird", "cactus")
GROUNDS: tuple[Ground, ...] = ("white", "gradient", "grey", "floor", "dots")

_OVER = 4
_UNITS = 100  # the drawings' own grid


def draw(
    mascot: Mascot, size: int = 384, ground: Ground = "white", light: tuple[float, float, float] = (1, 1, 1)
) -> U8:
    """A picture (size, size, 3) uint8 of a mascot; `light` multiplies its linear RGB."""
    rgb, alpha = layer(mascot, size)
    lit = np.clip(np.power(rgb, 2.2) * np.asarray(light, np.float32), 0, 1) ** (1 / 2.2)
    mixed = lit * alpha[..., None] + backdrop(ground, size) * (1 - alpha[..., None])
    return np.asarray(np.clip(mixed * 255 + 0.5, 0, 255), np.uint8)


def layer(mascot: Mascot, size: int = 384) -> tuple[F32, F32]:
    """The mascot alone: (size, size, 3) float32 0..1 colours, and its true (size, size) alpha."""
    canvas = np.zeros((size * _OVER, size * _OVER, 4), np.uint8)
    _PAINTERS[mascot](_Brush(canvas))
    small = np.asarray(cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA), np.float32) / 255
    alpha = small[..., 3]
    colours = np.asarray(small[..., :3] / np.maximum(alpha, 1e-3)[..., None], np.float32)
    return colours, np.ascontiguousarray(alpha)


def backdrop(ground: Ground, size: int) -> F32:
    """A background (size, size, 3) float32 0..1."""
    y = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]
    x = np.linspace(0, 1, size, dtype=np.float32)[None, :, None]
    white = np.ones((size, size, 3), np.float32)
    if ground == "gradient":
        blue = np.array([0.55, 0.72, 0.86], np.float32)
        return np.asarray(white * blue * (0.75 + 0.35 * y) * (0.95 + 0.05 * x), np.float32)
    if ground == "grey":
        return white * np.float32(0.5)
    if ground == "floor":
        wall, floor = np.array([0.80, 0.76, 0.86], np.float32), np.array([0.62, 0.52, 0.42], np.float32)
        return np.where(y < 0.78, wall, floor) * white
    if ground == "dots":
        step = max(8, size // 16)
        yy, xx = np.mgrid[:size, :size].astype(np.float32)
        dot = np.hypot(yy % step - step / 2, xx % step - step / 2) < step * 0.2
        return np.where(dot[..., None], np.array([0.85, 0.88, 0.70], np.float32), white * np.float32(0.95))
    return white


class _Brush:
    """Draws opaque shapes in grid units."""

    def __init__(self, canvas: Array) -> None:
        self.canvas = canvas
        self.k = canvas.shape[0] / _UNITS

    def _at(self, *points: tuple[float, float]) -> list[tuple[int, int]]:
        return [(round(x * self.k), round(y * self.k)) for x, y in points]

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: tuple[int, int, int], turn: float = 0) -> None:
        axes = (round(rx * self.k), round(ry * self.k))
        cv2.ellipse(self.canvas, self._at((x, y))[0], axes, turn, 0, 360, (*colour, 255), -1)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: tuple[int, int, int]) -> None:
        a, b = self._at((x0, y0), (x1, y1))
        cv2.rectangle(self.canvas, a, b, (*colour, 255), -1)

    def line(self, x0: float, y0: float, x1: float, y1: float, width: float, colour: tuple[int, int, int]) -> None:
        a, b = self._at((x0, y0), (x1, y1))
        cv2.line(self.canvas, a, b, (*colour, 255), round(width * self.k))

    def polygon(self, points: list[tuple[float, float]], colour: tuple[int, int, int]) -> None:
        cv2.fillPoly(self.canvas, [np.array(self._at(*points), np.int32)], (*colour, 255))


def _robot(b: _Brush) -> None:
    steel, dark, glow = (120, 150, 170), (50, 60, 75), (255, 190, 40)
    b.line(50, 8, 50, 20, 2, dark)
    b.ellipse(50, 8, 3.5, 3.5, (220, 60, 50))
    b.box(30, 18, 70, 45, steel)
    b.box(35, 26, 45, 34, glow)
    b.box(55, 26, 65, 34, glow)
    b.line(38, 40, 62, 40, 2, dark)
    b.box(44, 44, 56, 50, dark)
    b.box(26, 48, 74, 80, (90, 120, 145))
    b.box(38, 55, 62, 68, dark)
    b.ellipse(44, 61, 3, 3, (80, 220, 140))
    b.ellipse(56, 61, 3, 3, (220, 60, 50))
    for side in (-1, 1):
        b.line(50 + side * 27, 52, 50 + side * 34, 72, 6, steel)
        b.ellipse(50 + side * 34, 75, 5, 5, dark)
        b.box(50 + side * 14 - 6, 80, 50 + side * 14 + 6, 92, dark)


def _bird(b: _Brush) -> None:
    red, cream, orange = (200, 50, 60), (250, 240, 220), (245, 150, 30)
    for side in (-1, 1):
        b.line(50 + side * 8, 80, 50 + side * 8, 92, 3, orange)
        b.ellipse(50 + side * 31, 58, 8, 18, (150, 30, 45), -side * 20)
    b.ellipse(50, 54, 31, 34, red)
    b.ellipse(50, 66, 20, 20, cream)
    b.polygon([(44, 22), (50, 6), (54, 20), (62, 10), (60, 25)], (150, 30, 45))
    for side in (-1, 1):
        b.ellipse(50 + side * 12, 42, 8, 9, (255, 255, 255))
        b.ellipse(50 + side * 11, 43, 3.5, 4.5, (25, 25, 30))
    b.polygon([(43, 50), (57, 50), (50, 60)], orange)


def _cactus(b: _Brush) -> None:
    green, dark, clay = (70, 150, 80), (40, 105, 55), (190, 105, 70)
    b.ellipse(50, 46, 15, 34, green)
    b.line(30, 54, 42, 58, 8, green)
    b.line(29, 36, 30, 54, 8, green)
    b.line(71, 46, 58, 50, 8, green)
    b.line(72, 28, 71, 46, 8, green)
    for x in (42, 50, 58):
        b.line(x, 20, x, 72, 1.2, dark)
    b.ellipse(50, 12, 7, 5, (240, 120, 180))
    b.ellipse(44, 40, 3, 4, (25, 25, 30))
    b.ellipse(56, 40, 3, 4, (25, 25, 30))
    b.line(45, 50, 55, 50, 1.6, (25, 25, 30))
    b.polygon([(30, 70), (70, 70), (64, 94), (36, 94)], clay)
    b.box(27, 66, 73, 74, (165, 85, 55))


_PAINTERS = {"robot": _robot, "bird": _bird, "cactus": _cactus}

# Each draws its picture on white: ``MASCOTS[0]()``.
MASCOTS: tuple[Callable[[], U8], ...] = tuple(partial(draw, name) for name in NAMES)
