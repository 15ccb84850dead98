"""The portrait studio: seamless paper and painted canvas in any colour, lit by the rig.

The backdrop hangs out of focus behind the person, its floor edge outside of the frame. It is drawn at a reduced size
(nothing in it is sharp) in scene light, as the colour's own radiance times the light that falls on it.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal import colours
from portrayal.engines.studio import lens, noise
from portrayal.engines.studio.light import rigs
from portrayal.engines.studio.light.tone import linear_of_hex, luminance
from portrayal.engines.studio.types import Lamp, Plate, Shot
from portrayal.imaging import F32

_DEFAULT_PAPER: Final = "grey"
_DEFAULT_LIGHT: Final = "softbox"
# Rigs with the mood of a painter's studio often hang canvas instead of paper.
_CANVAS: Final = {"Rembrandt": 0.75, "low key": 0.6, "window": 0.6, "loop": 0.4, "butterfly": 0.3, "split": 0.4}
_CANDLE_APERTURE: Final = 0.022
_WHITEST: Final = 5.0
_DRAWN: Final = {"turbo": 4, "balanced": 2, "quality": 2}


def studio_plate(shot: Shot) -> Plate:
    """A studio backdrop.

    Args:
        shot: `backdrop` is a colour name (None = grey), `light` the id of a rig (None = softbox); `seed` chooses
            paper or canvas, its mottling, the side of the light and the place of the pool.

    Returns:
        The plate with the rig's lighting, scene linear, already out of focus.

    Raises:
        InvalidRequestError: unknown colour or light.
    """
    light_id = shot.light or _DEFAULT_LIGHT
    lighting = rigs.light_rig(light_id, None, shot.seed)
    backing = rigs.backing(light_id, shot.seed)
    rng = np.random.default_rng([shot.seed, 41])
    colour = linear_of_hex(colours.hex_of(shot.backdrop or _DEFAULT_PAPER))
    canvas = rng.random() < _CANVAS.get(light_id, 0.12)
    part = _DRAWN[shot.speed]
    height, width = max(8, shot.height // part), max(8, shot.width // part)
    light = _light(height, width, backing, rng)
    texture = _canvas(height, width, rng) if canvas else _paper(height, width, rng)
    key = lighting.keys[0].colour if lighting.keys else np.ones(3, np.float32)
    tint = np.maximum(key / max(float(luminance(key)), 1e-4), 1e-3) ** backing.tint
    small = colour * (texture * light * backing.level)[..., None] * tint
    for x, y, size, *rgb in backing.gels:
        small += _gel(height, width, x, y, size)[..., None] * np.array(rgb, np.float32) * (0.35 + colour)
    radiance = cv2.resize(small.astype(np.float32), (shot.width, shot.height), interpolation=cv2.INTER_CUBIC)
    # White paper under much light clips softly: it is paper, not a lamp.
    bright = luminance(radiance)[..., None]
    cap = np.float32(_WHITEST * 0.6)
    kept = np.where(bright > cap, cap + (_WHITEST - cap) * np.tanh((bright - cap) / (_WHITEST - cap)), bright)
    radiance = np.ascontiguousarray(radiance * (kept / np.maximum(bright, 1e-4)), np.float32)
    lens.draw_lamps(radiance, _candles(shot, backing.lamps, rng), shot, _CANDLE_APERTURE)
    grade = "film" if light_id in ("Rembrandt", "candle", "firelight") else "none"
    return Plate(radiance, lighting, grade=grade, wall=backing.wall)


def _frame(height: int, width: int) -> tuple[F32, F32]:
    """Coordinates (h, w) from the middle of a portrait, in shares of the frame's mean side."""
    side = float(np.sqrt(height * width))
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return (x + 0.5 - 0.5 * width) / side, (y + 0.5 - 0.45 * height) / side


def _light(height: int, width: int, backing: rigs.Backing, rng: np.random.Generator) -> F32:
    """Light (h, w) on the backdrop; about one behind the head."""
    x, y = _frame(height, width)
    px = backing.pool_at[0] + float(rng.uniform(-0.05, 0.05))
    py = backing.pool_at[1] + float(rng.uniform(-0.04, 0.04))
    size = backing.pool_size * float(rng.uniform(0.9, 1.12))
    r2 = ((x - px) / size) ** 2 + ((y - py) / (size * 0.95)) ** 2
    # Inverse-square falloff of a lamp close to the paper has longer tails than a Gaussian.
    pool = 1 / (1 + r2) ** 1.6
    even = np.exp(np.clip(backing.side * 1.4 * -x, -0.9, 0.9)) * np.exp(-0.35 * np.maximum(y, 0) ** 1.5)
    total = (1 - backing.pool) * even + backing.pool * pool * (0.7 + 0.3 * even)
    return np.asarray(total, np.float32)


def _paper(height: int, width: int, rng: np.random.Generator) -> F32:
    """Reflectance (h, w) of a paper roll: faint mottling and the soft vertical waves of a hanging sheet."""
    side = float(np.sqrt(height * width))
    x, y = width / side, height / side
    seed = int(rng.integers(0, 1000))
    mottle = noise.sheet(height, width, seed, 1.2, 0.9 * x, 0.9 * y)
    waves = noise.sheet(height, width, seed + 1, 1.7, 0.5 * x, 0.06 * y)
    return np.asarray(np.exp(0.010 * mottle + 0.022 * waves), np.float32)


def _canvas(height: int, width: int, rng: np.random.Generator) -> F32:
    """Reflectance (h, w) of hand-painted canvas: clouds of brush strokes in two sizes, out of focus."""
    side = float(np.sqrt(height * width))
    x, y = width / side, height / side
    seed = int(rng.integers(0, 1000))
    clouds = noise.sheet(height, width, seed, 1.7, 0.5 * x, 0.5 * y)
    strokes = noise.sheet(height, width, seed + 3, 1.2, 0.6 * x, 0.45 * y)
    soft = cv2.GaussianBlur(strokes, (0, 0), max(0.8, 0.009 * side))
    texture = np.exp(0.11 * clouds + 0.05 * soft)
    return np.asarray(texture / float(texture.mean()), np.float32)


def _gel(height: int, width: int, x0: float, y0: float, size: float) -> F32:
    x, y = _frame(height, width)
    return np.asarray(np.exp(-0.5 * (((x - x0) / size) ** 2 + ((y - y0) / (size * 1.15)) ** 2)), np.float32)


def _candles(shot: Shot, count: int, rng: np.random.Generator) -> list[Lamp]:
    """Candles on both sides behind the person, far out of focus."""
    lamps = []
    for _ in range(count):
        x = shot.width * (float(rng.choice([0.14, 0.86])) + float(rng.normal()) * 0.10)
        y = shot.height * (0.52 + float(rng.normal()) * 0.12)
        strength = float(rng.uniform(0.25, 1.2)) * (shot.height * _CANDLE_APERTURE) ** 2 * np.pi
        lamps.append(Lamp(x, y, float(rng.uniform(3.0, 7.0)), (strength, 0.36 * strength, 0.06 * strength), 2.0))
    return lamps
