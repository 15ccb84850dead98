"""How cloth falls: relief in centimetres over the standard bust, another one for each seed.

Two things together. *Drag lines*: the few folds that a tailor can name (from the armpit, over the shoulder, hanging
from the chest, across the sleeve), drawn as tapered curves with random places. *Drape*: noise smeared along the
direction in which the cloth is pulled (line integral convolution, Cabral and Leedom 1993) at two scales, its amplitude
gathered in patches: it merges and breaks the lines as folds do, so that none reads as a stroke.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np
from numba import njit

from portrayal.engines.studio import noise
from portrayal.imaging import F32
from portrayal.kernels import KERNEL
from portrayal.parallel import bands

STEP: Final = 0.2
LEFT: Final = -30.0
TOP: Final = -16.0
COLUMNS: Final = 300
ROWS: Final = 330

Stroke = tuple[tuple[float, float], tuple[float, float], tuple[float, float], float, float, float]
"""Start, control, end, amplitude, width, asymmetry of one drag line."""


@dataclass(frozen=True)
class Fall:
    """How a cloth falls.

    Attributes:
        fan, shoulder, sleeve, hang, yoke: drag lines from the armpit, over the shoulder, across the sleeve, down from
            the chest, under the neckline: amplitude in cm.
        count: how many of them, relative.
        width: of a fold, relative to 1 cm.
        drape: amplitude of the smeared noise, cm; crisp: 0 soft .. 1 sharp ridges.
        dent: amplitude of large undirected dents, cm.
    """

    fan: float
    shoulder: float
    sleeve: float
    hang: float
    yoke: float
    count: float
    width: float
    drape: float
    crisp: float
    dent: float


FALLS: Final = {
    "jersey": Fall(0.44, 0.38, 0.42, 0.36, 0.12, 1.1, 1.4, 0.30, 0.25, 0.13),
    "shirt": Fall(0.46, 0.38, 0.46, 0.38, 0.0, 1.1, 1.1, 0.42, 0.50, 0.14),
    "knit": Fall(0.42, 0.30, 0.56, 0.32, 0.08, 0.9, 1.7, 0.26, 0.2, 0.15),
    "fleece": Fall(0.46, 0.32, 0.68, 0.42, 0.06, 0.9, 1.6, 0.36, 0.25, 0.20),
    "tailored": Fall(0.22, 0.14, 0.42, 0.08, 0.0, 0.65, 1.4, 0.14, 0.35, 0.14),
    "coat": Fall(0.32, 0.20, 0.56, 0.26, 0.0, 0.7, 1.7, 0.24, 0.35, 0.22),
    "denim": Fall(0.36, 0.24, 0.60, 0.26, 0.0, 0.9, 0.95, 0.34, 0.7, 0.18),
    "leather": Fall(0.36, 0.22, 0.54, 0.18, 0.0, 1.0, 0.70, 0.30, 0.9, 0.18),
    "satin": Fall(0.34, 0.24, 0.40, 0.46, 0.10, 0.9, 1.5, 0.34, 0.15, 0.14),
    "taut": Fall(0.08, 0.06, 0.14, 0.03, 0.0, 0.6, 0.8, 0.08, 0.4, 0.05),
}


@lru_cache(24)
def relief(kind: str, seed: int) -> F32:
    """The relief (ROWS, COLUMNS) of a kind of cloth, read-only; crest to valley mostly below 1 cm, 3 cm at most."""
    fall = FALLS[kind]
    random = np.random.default_rng([seed, 17])
    lines = strokes(_drag_lines(fall, random))
    y, x = np.mgrid[0:ROWS, 0:COLUMNS].astype(np.float32)
    wave = [noise.fbm(x / 200 + 0.13 * k, y / 200, seed % 997 + k, 1.7) for k in range(2)]
    reach = 0.55 / STEP
    mx, my = x + reach * wave[0], y + reach * wave[1]
    lines = np.asarray(cv2.remap(lines, mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
    # Each line is stronger here and weaker there.
    gather = noise.fbm(x / 260, y / 260, seed % 991 + 5, 1.7)
    lines *= np.clip(0.85 + 0.35 * gather, 0.15, 1.7)
    total: F32 = lines + _drape(fall, random, seed) + fall.dent * noise.fbm(x / 900, y / 900, seed % 983 + 9, 1.7)
    total = np.asarray(cv2.GaussianBlur(total, (0, 0), (0.30 - 0.12 * fall.crisp) / STEP), np.float32)
    total.setflags(write=False)
    return total


def strokes(lines: list[Stroke], pieces: int = 14) -> F32:
    """Tapered folds as relief (ROWS, COLUMNS): a rounded crest with a shallow valley on each side."""
    out = np.zeros((ROWS, COLUMNS), np.float32)
    if not lines:
        return out
    t = np.linspace(0, 1, pieces)[:, None]
    points = np.stack(
        [
            (1 - t) ** 2 * np.asarray(a) + 2 * t * (1 - t) * np.asarray(b) + t * t * np.asarray(c)
            for a, b, c, *_ in lines
        ]
    ).astype(np.float32)
    form = np.array([line[3:] for line in lines], np.float32)
    bands(lambda a, b: _draw(out, points, form, a, b), ROWS)
    return out


def _drag_lines(fall: Fall, random: np.random.Generator) -> list[Stroke]:
    """Random places for the lines that a tailor can name, on both sides of the body."""

    def near(x: float, y: float, spread: float) -> tuple[float, float]:
        return x + float(random.normal()) * spread, y + float(random.normal()) * spread

    def size(amplitude: float, width: float) -> tuple[float, float, float]:
        a, w, s = random.uniform(0.4, 1.15), random.uniform(0.6, 1.35), random.uniform(0.55, 1.7)
        return amplitude * float(a), width * fall.width * float(w), float(s)

    lines: list[Stroke] = []
    for s in (-1, 1):
        for k in range(round(7 * fall.count * random.uniform(0.7, 1.2))):
            angle, length = random.uniform(-1.0, 1.1), random.uniform(4, 11)
            a = near(s * 13.6, 9.8 + k * 1.2, 0.9)
            c = a[0] - s * length * math.cos(angle), a[1] + length * math.sin(angle) - 1.0
            b = near((a[0] + c[0]) / 2, (a[1] + c[1]) / 2 + 0.9, 0.8)
            lines.append((a, b, c, *size(fall.fan, 0.95)))
        for k in range(round(4 * fall.count * random.uniform(0.6, 1.2))):
            a, c = near(s * (9 + 2.1 * k), 0.6 + k * 0.8, 0.9), near(s * (13.3 + 0.4 * k), 11 + 1.2 * k, 1.3)
            lines.append((a, near(s * (11.2 + 1.6 * k), 6 + k, 0.9), c, *size(fall.shoulder, 0.85)))
        y = 6.0 + float(random.uniform(-1, 1))
        while y < 44:
            # Where the arm bends, the sleeve gathers.
            elbow = math.exp(-(((y - 34) / 5) ** 2))
            lean = random.uniform(-0.5, 2.4)
            a, c = near(s * (13.4 + y * 0.03), y + lean, 0.6), near(s * (21.4 + y * 0.03), y - 1.8 + 0.2 * lean, 0.8)
            form = size(fall.sleeve * (0.75 + 0.5 * elbow), 0.85)
            lines.append((a, near(s * 17.4, y + 1.2 + 0.3 * lean, 0.6), c, *form))
            y += float(random.uniform(1.9, 4.2)) / fall.count / (1 + 0.6 * elbow)
        for _ in range(round(3 * fall.count)):
            x, y = s * float(random.uniform(1.5, 10)), float(random.uniform(14, 20))
            c = x + s * float(random.uniform(-2.5, 0.8)), y + float(random.uniform(8, 20))
            lines.append(((x, y), near(x, y + 6, 1.0), c, *size(fall.hang, 1.25)))
    for k in range(round(3 * fall.count) if fall.yoke else 0):
        y, w, x = 3.5 + k * 2.6, float(random.uniform(3, 6.5)), float(random.normal()) * 1.5
        lines.append(((x - w, y - 1.6), near(x, y + 1.2, 0.6), (x + w, y - 1.4), *size(fall.yoke, 0.8)))
    return lines


def _drape(fall: Fall, random: np.random.Generator, seed: int) -> F32:
    """Noise smeared along the pull of the cloth, gathered in patches."""
    # Its finest line is a centimetre wide: half the grid is enough.
    rows, columns, step = ROWS // 2, COLUMNS // 2, 2 * STEP
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) * np.float32(step)
    x += LEFT + STEP / 2
    y += TOP + STEP / 2
    ax, s = np.abs(x), np.tanh(x / 5)

    def ramp(a: float, b: float, v: F32) -> F32:
        t = np.clip((v - a) / (b - a), 0, 1)
        return np.asarray(t * t * (3 - 2 * t), np.float32)

    arm = ramp(13.4, 15.6, ax) * ramp(3, 9, y)
    dx, dy = 15.7 - ax, y - 11.0
    pit = np.exp(-((dx / 10) ** 2) - ((dy - 2) / 8) ** 2) * (1 - arm)
    top = (1 - ramp(5, 12, y)) * (1 - arm)
    low = ramp(13, 21, y) * (1 - arm)
    # Direction of the pull as a doubled angle: lines have no sense.
    parts = (
        (arm * 1.4, np.float32(1.0) * s, np.full_like(x, -0.5)),
        (pit, -s * (np.maximum(dx, 0) + 2.0), dy * 0.85),
        (top * 0.7, s * 0.42, np.ones_like(x)),
        (low, -s * 0.30, np.ones_like(x)),
        (np.full_like(x, 0.16), np.ones_like(x), 0.10 * x),
    )
    c2, s2 = np.zeros_like(x), np.zeros_like(x)
    for weight, u, v in parts:
        length = u * u + v * v + 1e-6
        c2 += weight * (u * u - v * v) / length
        s2 += weight * 2 * u * v / length
    angle = 0.5 * np.arctan2(s2, c2) + 0.32 * noise.fbm(x / 46, y / 46, seed % 977 + 21, 1.7)
    fx, fy = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    total = np.zeros_like(x)
    for across, along, share in ((2.5, 9.0, 1.0), (1.15, 5.0, 0.30)):
        grain = random.standard_normal((rows, columns)).astype(np.float32)
        sigma = across * fall.width**0.5 / step / 2.4
        grain = cv2.GaussianBlur(grain, (0, 0), sigma) - cv2.GaussianBlur(grain, (0, 0), sigma * 2.2)
        smeared = np.empty_like(grain)
        steps = max(3, round(along / step / 2))
        bands(lambda a, b, g=grain, o=smeared, n=steps: _smear(o, g, fx, fy, n, a, b), rows)  # type: ignore[misc]
        smeared /= smeared.std() + 1e-9
        # A crisp cloth breaks into sharp crests between flat fields.
        crest = np.sqrt(smeared * smeared + 0.12) * -0.9 + 0.75
        folded = smeared * (1 - 0.6 * fall.crisp) + crest * (0.8 * fall.crisp)
        patches = np.clip(0.42 + 0.62 * noise.fbm(x / 70, y / 70, seed % 971 + round(across * 31), 1.7), 0, 1.6)
        total += share * folded * patches
    calm = 0.5 - 0.15 * low + 0.5 * np.clip(pit * 1.3 + arm + 0.8 * top, 0, 1)
    total = cv2.resize(fall.drape * 0.65 * total * calm, (COLUMNS, ROWS), interpolation=cv2.INTER_CUBIC)
    return np.asarray(total, np.float32)


@njit(**KERNEL)
def _smear(out: Any, grain: Any, fx: Any, fy: Any, steps: int, first: int, last: int) -> None:
    """Average the grain along the field, `steps` both ways, with a tapered weight."""
    h, w = grain.shape
    for i in range(first, last):
        for j in range(w):
            total = grain[i, j]
            weight = 1.0
            for way in (-1.0, 1.0):
                x, y = float(j), float(i)
                px, py = fx[i, j] * way, fy[i, j] * way
                for k in range(steps):
                    x += px
                    y += py
                    a, b = int(x + 0.5), int(y + 0.5)
                    if a < 0 or b < 0 or a >= w or b >= h:
                        break
                    vx, vy = fx[b, a], fy[b, a]
                    if vx * px + vy * py < 0.0:
                        vx, vy = -vx, -vy
                    px, py = vx, vy
                    g = 1.0 - (k + 1.0) / (steps + 1.0)
                    total += grain[b, a] * g
                    weight += g
            out[i, j] = total / math.sqrt(weight)


@njit(**KERNEL)
def _draw(out: Any, points: Any, form: Any, first: int, last: int) -> None:
    """Add all strokes to the rows first..last."""
    n = points.shape[1]
    for k in range(points.shape[0]):
        amplitude, width, asymmetry = form[k, 0], form[k, 1], form[k, 2]
        x0, x1, y0, y1 = 1e9, -1e9, 1e9, -1e9
        for q in range(n):
            x0, x1 = min(x0, points[k, q, 0]), max(x1, points[k, q, 0])
            y0, y1 = min(y0, points[k, q, 1]), max(y1, points[k, q, 1])
        r = width * max(1.0, asymmetry) * 3.2
        i0, i1 = max(first, int((y0 - r - TOP) / STEP)), min(last, int((y1 + r - TOP) / STEP) + 1)
        j0, j1 = max(0, int((x0 - r - LEFT) / STEP)), min(out.shape[1], int((x1 + r - LEFT) / STEP) + 1)
        for i in range(i0, i1):
            y = TOP + i * STEP
            for j in range(j0, j1):
                x = LEFT + j * STEP
                best, at, way = 1e9, 0.0, 0.0
                for q in range(n - 1):
                    ax, ay = points[k, q, 0], points[k, q, 1]
                    dx, dy = points[k, q + 1, 0] - ax, points[k, q + 1, 1] - ay
                    t = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy + 1e-9)
                    t = min(max(t, 0.0), 1.0)
                    ex, ey = x - ax - t * dx, y - ay - t * dy
                    d = ex * ex + ey * ey
                    if d < best:
                        best, at, way = d, (q + t) / (n - 1), dx * ey - dy * ex
                taper = math.sin(at * 3.14159)
                wide = width * (0.55 + 0.6 * taper)
                if way > 0:
                    wide *= asymmetry
                u = math.sqrt(best) / wide
                if u < 3.2:
                    valley = math.exp(-((u - 1.7) ** 2) * 0.9)
                    out[i, j] += amplitude * max(taper, 0.0) ** 1.2 * (math.exp(-0.9 * u * u) - 0.17 * valley)
