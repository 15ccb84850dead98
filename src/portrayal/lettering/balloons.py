"""Speech balloons, thought clouds, shouts and caption boxes around set words, as a comic letterer inks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np

from portrayal.imaging import F32, U8
from portrayal.lettering.typesetting import Block

Kind = Literal["speech", "thought", "shout", "caption"]

_FINE: Final = 3
"""Side of the grid within a pixel on which outlines are drawn."""
_POWER: Final = 2.6
"""Exponent of the super-ellipse: 2 is an ellipse, 4 nearly a rectangle with round corners."""
_PAD: Final = {"speech": 0.62, "thought": 0.75, "shout": 0.8, "caption": 0.5}
"""Room about the letters in sizes of the em."""
_LINE: Final = 0.075
"""Mean width of the outline in sizes of the em."""
_TURNS: Final = 160


@dataclass(frozen=True)
class Balloon:
    """Layers of one balloon, all (h, w) float32 0..1.

    Attributes:
        paper: what the balloon covers, with its tail and its outline.
        ink: what is drawn on it: outline and letters.
        letters: the letters alone.
        centre: (x, y) of the body's centre in the layers.
        body: (x0, y0, x1, y1) of the body without its tail in the layers.
    """

    paper: F32
    ink: F32
    letters: F32
    centre: tuple[float, float]
    body: tuple[float, float, float, float]


def balloon(
    block: Block,
    *,
    tail: tuple[float, float] | None = None,
    kind: Kind = "speech",
    seed: int = 0,
) -> Balloon:
    """A balloon about set words.

    Args:
        block: the words.
        tail: where the tail ends, in pixels from the balloon's centre (x to the right, y down): near the mouth, not on
            it. None, or a place inside of the balloon = no tail. Captions have none.
        kind: "speech", "thought" (a cloud with a trail of bubbles), "shout" (a burst) or "caption" (a box).
        seed: of the hand's unevenness.
    """
    rng = np.random.default_rng([seed, 77])
    line = max(1.0, _LINE * block.size)
    half = _half(block, _PAD[kind] * block.size, kind)
    outline = _BODIES[kind](half, block.size, rng)
    parts = [outline]
    if tail is not None and kind != "caption" and not _inside(tail, half):
        parts += _trail(half, tail, block.size, rng) if kind == "thought" else [_tail(half, tail, block.size, rng)]
    low = np.floor(np.min([part.min(axis=0) for part in parts], axis=0) - line - 2)
    high = np.ceil(np.max([part.max(axis=0) for part in parts], axis=0) + line + 2)
    low = np.minimum(low, np.floor([-block.coverage.shape[1] / 2 - 1, -block.coverage.shape[0] / 2 - 1]))
    width, height = (high - low).astype(int)
    mask = np.zeros((height * _FINE, width * _FINE), np.uint8)
    for part in parts:
        cv2.fillPoly(mask, [np.round((part - low) * _FINE * 16).astype(np.int32)], 255, shift=4)
    edge = _outline(mask, line * _FINE)
    paper, drawn = (_coarse(layer, (width, height)) for layer in (mask, edge))
    letters = np.zeros((height, width), np.float32)
    y, x = round(-low[1] - block.coverage.shape[0] / 2), round(-low[0] - block.coverage.shape[1] / 2)
    letters[y : y + block.coverage.shape[0], x : x + block.coverage.shape[1]] = block.coverage
    first, last = outline.min(axis=0) - low, outline.max(axis=0) - low
    return Balloon(
        paper=paper,
        ink=np.maximum(drawn, letters),
        letters=letters,
        centre=(float(-low[0]), float(-low[1])),
        body=(float(first[0]), float(first[1]), float(last[0]), float(last[1])),
    )


def extent(block: Block, kind: Kind = "speech") -> tuple[float, float]:
    """Width and height in pixels that a balloon takes without its tail, at most; cheaper than drawing it."""
    half = _half(block, _PAD[kind] * block.size, kind)
    more = {"speech": 0.06 * max(half), "thought": 1.0 * block.size, "shout": 1.9 * block.size, "caption": 0.0}[kind]
    return 2 * half[0] + more, 2 * half[1] + more


def _half(block: Block, pad: float, kind: Kind) -> tuple[float, float]:
    """Half width and height of the body: the smallest of its proportions that leaves room about every letter."""
    height, width = block.coverage.shape
    p, q = width / 2 + pad, height / 2 + 0.85 * pad
    if kind == "caption":
        return width / 2 + 1.2 * pad, height / 2 + pad
    # The ends of each row of ink decide; corners that no line reaches cost no room.
    ink = block.coverage > 0.2
    rows = np.flatnonzero(ink.any(axis=1))
    if not len(rows):
        return p, q
    first, last = ink[rows].argmax(axis=1), width - 1 - ink[rows][:, ::-1].argmax(axis=1)
    reach = np.maximum(np.abs(first - width / 2), np.abs(last - width / 2)) + 0.7 * pad
    rise = np.abs(rows - height / 2) + 0.6 * pad
    grown = float((((reach / p) ** _POWER + (rise / q) ** _POWER) ** (1 / _POWER)).max())
    return p * max(1.0, grown), q * max(1.0, grown)


def _inside(point: tuple[float, float], half: tuple[float, float]) -> bool:
    return bool((abs(point[0]) / half[0]) ** _POWER + (abs(point[1]) / half[1]) ** _POWER < 1.15)


def _rim(half: tuple[float, float], angle: F32) -> F32:
    """Points of the super-ellipse at angles, (n, 2)."""
    c, s = np.cos(angle), np.sin(angle)
    radius = (np.abs(c / half[0]) ** _POWER + np.abs(s / half[1]) ** _POWER) ** (-1 / _POWER)
    return np.stack([radius * c, radius * s], axis=1).astype(np.float32)


def _turn(count: int) -> F32:
    return np.linspace(0, 2 * np.pi, count, endpoint=False, dtype=np.float32)


def _speech(half: tuple[float, float], _: float, rng: np.random.Generator) -> F32:
    """A super-ellipse that a hand drew: three slow waves of about a hundredth."""
    angle = _turn(_TURNS)
    wave = 1 + 0.009 * sum(np.sin(k * angle + rng.uniform(0, 6.28)) for k in (2, 3, 5))
    return np.asarray(_rim(half, angle) * np.asarray(wave, np.float32)[:, None], np.float32)


def _thought(half: tuple[float, float], size: float, rng: np.random.Generator) -> F32:
    """A cloud: bulges along the rim, about as wide as a letter is tall."""
    rim = _rim(half, _turn(720))
    step = np.linalg.norm(np.diff(rim, axis=0, append=rim[:1]), axis=1)
    length = np.cumsum(step)
    count = max(7, round(float(length[-1]) / (1.9 * size)))
    share = np.cumsum(rng.uniform(0.75, 1.25, count))
    phase = np.interp(length / length[-1], np.concatenate([[0], share / share[-1]]), np.arange(count + 1)) % 1
    bulge = np.sqrt(np.clip(1 - (2 * phase - 1) ** 2, 0, 1)).astype(np.float32)
    out = rim / np.linalg.norm(rim, axis=1, keepdims=True)
    return np.asarray(rim + out * (0.5 * size * bulge)[:, None], np.float32)


def _shout(half: tuple[float, float], size: float, rng: np.random.Generator) -> F32:
    """A burst: long and short spikes in turn."""
    rim = _rim(half, _turn(720))
    length = np.cumsum(np.linalg.norm(np.diff(rim, axis=0, append=rim[:1]), axis=1))
    count = 2 * max(10, round(float(length[-1]) / (1.1 * size)))
    share = (np.arange(count) + rng.uniform(-0.22, 0.22, count)) / count % 1.0
    rim = rim[np.searchsorted(length, np.sort(share) * length[-1]) % len(rim)]
    out = rim / np.linalg.norm(rim, axis=1, keepdims=True)
    spike = np.where(np.arange(count) % 2, rng.uniform(0.5, 0.95, count), 0.0) * size
    return np.asarray(rim + out * spike.astype(np.float32)[:, None], np.float32)


def _caption(half: tuple[float, float], _: float, __: np.random.Generator) -> F32:
    x, y = half
    return np.array([[-x, -y], [x, -y], [x, y], [-x, y]], np.float32)


_BODIES: Final = {"speech": _speech, "thought": _thought, "shout": _shout, "caption": _caption}


def _tail(half: tuple[float, float], tip: tuple[float, float], size: float, rng: np.random.Generator) -> F32:
    """A curved tail that tapers from inside of the body to its tip."""
    end = np.array(tip, np.float32)
    reach = float(np.linalg.norm(end))
    along = end / reach
    across = np.array([-along[1], along[0]], np.float32)
    rim = _rim(half, np.array([np.arctan2(end[1], end[0])], np.float32))[0]
    root = rim * np.float32(0.75)
    # A root towards the middle of the lower edge looks like a voice, one at the very corner like a leaf.
    root[0] *= np.float32(0.8)
    broad = np.float32(min(0.55 * size + 0.10 * min(half), 0.45 * min(half)))
    bow = np.float32((1 if along[0] > 0 else -1) * (0.12 + 0.05 * rng.random()) * np.linalg.norm(end - root))
    t = np.linspace(0, 1, 24, dtype=np.float32)[:, None]

    def side(sign: float) -> F32:
        start = root + across * np.float32(sign) * broad
        middle = (root + end) / 2 + across * (bow + np.float32(0.3 * sign) * broad)
        return np.asarray((1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end, np.float32)

    return np.concatenate([side(1), side(-1)[::-1]])


def _trail(half: tuple[float, float], tip: tuple[float, float], size: float, rng: np.random.Generator) -> list[F32]:
    """Three bubbles from the cloud to the thinker, each smaller."""
    end = np.array(tip, np.float32)
    rim = _rim(half, np.array([np.arctan2(end[1], end[0])], np.float32))[0]
    start = rim * np.float32(1 + 0.75 * size / max(1.0, float(np.linalg.norm(rim))))
    circle = np.stack([np.cos(_turn(48)), 0.85 * np.sin(_turn(48))], axis=1).astype(np.float32)
    found = []
    for share, radius in ((0.12, 0.42), (0.55, 0.3), (0.92, 0.19)):
        at = (
            start
            + (end - start) * np.float32(share)
            + rng.uniform(-0.06, 0.06, 2).astype(np.float32) * np.float32(size)
        )
        found.append(np.asarray(at + circle * np.float32(radius * size), np.float32))
    return found


def _outline(mask: U8, line: float) -> U8:
    """Ink along the inside of an outline, heavier below and to the right, as a pen held by a right hand draws."""
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    height, width = mask.shape
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    width_here = np.float32(line) * (1 + np.float32(0.22) * (x + y))
    return ((mask > 0) & (depth <= width_here)).astype(np.uint8) * np.uint8(255)


def _coarse(layer: U8, size: tuple[int, int]) -> F32:
    small = cv2.resize(layer, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small.astype(np.float32) / np.float32(255), np.float32)
