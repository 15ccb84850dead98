"""Painting a hole with pieces of its surroundings, coarse to fine.

Patches of the hole look for the surroundings' patches that are most like them, and all patches over a pixel vote for
its colour; in turn, from a picture of some 30 pixels up to the full one (Wexler, Shechtman and Irani, "Space-time
completion of video", 2007; Barnes et al., "PatchMatch", 2009). On top of that:

- A copy may be made a little lighter or darker, so that light falls on evenly (Darabi et al., "Image melding", 2012).
- Offsets at which the surroundings repeat are tried everywhere (He and Sun, "Statistics of patch offsets", 2012): they
  carry lines, edges and tilings on.
- What is unlike everything else in the surroundings is an object, and costs; what was copied often costs as well.
- Grain is not averaged away: colours are voted for, the finest detail is copied from one place.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from portrayal.engines.studio.fill.kernels import RADIUS, sweep, vote
from portrayal.engines.studio.fill.membrane import halved, membrane
from portrayal.engines.studio.types import Speed
from portrayal.imaging import F32, U8, Array, Bool

_SMALLEST = 20  # shorter side of the coarsest picture
_PATCH = np.ones((2 * RADIUS + 1, 2 * RADIUS + 1), np.uint8)
_LIGHTEN = 0.08
_SELF = 160  # longer side of the picture in which repetitions are looked for


@dataclass(frozen=True)
class Prior:
    """What is known of a hole beforehand.

    Attributes:
        rows, columns: cost of a source that lies the picture's whole height higher or lower, or its width sideways.
        objects: cost of what is unlike everything else.
        repeats: cost of what was copied already.
    """

    rows: float = 0.06
    columns: float = 0.0
    objects: float = 0.5
    repeats: float = 0.004


@dataclass(frozen=True)
class Synthesis:
    """A painted hole.

    Attributes:
        base: (h, w, 3) float32, the picture with the hole painted, without the finest detail inside of it.
        match: (h, w, 2) int32 row and column that each painted pixel comes from; None when nothing could be copied.
    """

    base: F32
    match: Array | None


@dataclass(frozen=True)
class _Level:
    picture: F32
    known: F32
    source: F32


def synthesise(picture: F32, hole: Bool, source: Bool, seed: int, speed: Speed, prior: Prior) -> Synthesis:
    """Paint a hole.

    Args:
        picture: (h, w, 3) float32 0..1; anything under the hole.
        hole: (h, w) what to paint.
        source: (h, w) what may be copied.
        seed: of the search.
        speed: how often it is looked and voted.
        prior: what is known beforehand.
    """
    levels = _pyramid(picture, hole, source & ~hole)
    offsets, price = _repetitions(levels, seed, prior)
    state: tuple[F32, Array] | None = None
    for number in range(len(levels) - 1, -1, -1):
        level = levels[number]
        valid = _valid(level)
        if valid.any():
            state = _paint(level, valid, number, state, offsets, price, seed, speed, prior)
    if state is None:
        return Synthesis(membrane(picture, ~hole), None)
    return Synthesis(np.where(hole[..., None], state[0], picture).astype(np.float32), state[1])


def _pyramid(picture: F32, hole: Bool, source: Bool) -> list[_Level]:
    levels = [_Level(picture, (~hole).astype(np.float32), source.astype(np.float32))]
    while True:
        last = levels[-1]
        inner = cv2.distanceTransform((last.known < 0.5).astype(np.uint8), cv2.DIST_L2, 3).max()
        if inner <= RADIUS or min(last.known.shape) < 2 * _SMALLEST:
            return levels
        smaller, known = halved(last.picture, last.known)
        levels.append(_Level(smaller, known, halved(last.source[..., None], last.known)[0][..., 0] * known))


def _valid(level: _Level) -> U8:
    sure = (level.source > 0.75).astype(np.uint8) * np.uint8(255)
    valid = cv2.erode(sure, _PATCH, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(valid, np.uint8)


def _mean(x: F32) -> F32:
    return np.asarray(cv2.blur(x, (2 * RADIUS + 1, 2 * RADIUS + 1), borderType=cv2.BORDER_REFLECT_101), np.float32)


def _repetitions(levels: list[_Level], seed: int, prior: Prior) -> tuple[F32, F32]:
    """Offsets (n, 2) at which the surroundings repeat, as fractions of height and width; what each place costs."""
    level = next((v for v in levels if max(v.known.shape) <= _SELF), levels[-1])
    h, w = level.known.shape
    valid = _valid(level)
    if max(h, w) > 2 * _SELF or cv2.countNonZero(valid) < 200:
        return np.zeros((0, 2), np.float32), np.zeros((1, 1), np.float32)
    near = max(4, max(h, w) // 12)
    match, cost = _scatter(valid, seed), np.zeros((h, w), np.float32)
    x, one = level.picture, np.ones((h, w), np.float32)
    mean, none = _mean(x), np.zeros((0, 2), np.int64)
    away = _apart(valid, match, near, seed)
    way = np.array([_LIGHTEN, 0, 0, 0.3], np.float32)
    for i in range(4):
        sweep(x, mean, one, np.zeros_like(one), away, valid, match, cost, none, way, (max(h, w), near, seed + i, i % 2))
    dy, dx = match[..., 0] - np.arange(h)[:, None], match[..., 1] - np.arange(w)
    good = (away > 0) & (cost < 0.02)
    counts = np.zeros((2 * h + 1, 2 * w + 1), np.float32)
    np.add.at(counts, (dy[good] + h, dx[good] + w), 1)
    counts = cv2.GaussianBlur(counts, (0, 0), 1.0)
    peaks = (counts == cv2.dilate(counts, np.ones((5, 5), np.uint8))) & (counts > 0)
    rows, columns = np.nonzero(peaks)
    best = np.argsort(-counts[rows, columns], kind="stable")[:40]
    offsets = np.stack([(rows[best] - h) / h, (columns[best] - w) / w], -1)
    unlike = np.where(away > 0, np.clip(cost - 0.002, 0, 0.05), 0)
    unlike = cv2.dilate(unlike.astype(np.float32), _PATCH)
    return offsets.astype(np.float32), (prior.objects * cv2.GaussianBlur(unlike, (0, 0), 1.5)).astype(np.float32)


def _scatter(valid: U8, seed: int) -> Array:
    """For each pixel a source that is drawn by chance."""
    rows, columns = np.nonzero(valid)
    pick = np.random.default_rng(seed).integers(0, len(rows), valid.shape)
    return np.stack([rows[pick], columns[pick]], -1).astype(np.int32)


def _apart(valid: U8, match: Array, near: int, seed: int) -> U8:
    """Valid pixels whose match is far enough from themselves; the others draw again, and are left out if in vain."""
    h, w = valid.shape
    y, x = np.arange(h)[:, None], np.arange(w)
    for i in range(8):
        bad = (np.abs(match[..., 0] - y) < near) & (np.abs(match[..., 1] - x) < near)
        if not bad.any():
            break
        match[bad] = _scatter(valid, seed + 100 + i)[bad]
    return np.where(bad, 0, valid).astype(np.uint8)


def _paint(
    level: _Level,
    valid: U8,
    number: int,
    state: tuple[F32, Array] | None,
    offsets: F32,
    price: F32,
    seed: int,
    speed: Speed,
    prior: Prior,
) -> tuple[F32, Array]:
    """Search and vote at one level; returns the picture and the matches."""
    h, w = valid.shape
    hole = (level.known < 0.5).astype(np.uint8) * np.uint8(255)
    todo = np.asarray(cv2.dilate(hole, _PATCH), np.uint8)
    if state is None:
        x, match = membrane(level.picture, hole == 0), _scatter(valid, seed)
    else:
        guess = cv2.resize(state[0], (w, h), interpolation=cv2.INTER_LINEAR)
        x = np.where(hole[..., None] > 0, guess, level.picture).astype(np.float32)
        match = _enlarged(state[1], valid)
    x = np.ascontiguousarray(x)
    depth = np.asarray(cv2.distanceTransform(hole, cv2.DIST_L2, 3), np.float32)
    steps = np.round(offsets * np.array([h, w], np.float32)).astype(np.int64)
    costs = np.asarray(cv2.resize(price, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
    way = np.array([_LIGHTEN, np.sqrt(prior.rows) / h, np.sqrt(prior.columns) / w, 0.3], np.float32)
    cost = np.zeros((h, w), np.float32)
    rounds, sweeps = _effort(int(np.count_nonzero(todo)), number, speed, state is None)
    reach = max(h, w) if state is None or h * w < 12000 else 24 if number else 6
    for turn in range(rounds):
        # What is only guessed yet counts less than what is known.
        doubt = 0.12 + 0.88 * turn / rounds if state is None else 0.75
        trust = np.where(depth > 0, doubt * np.exp(-depth / 12 * (1 - doubt)), 1).astype(np.float32)
        busy = costs + _usage(match, todo, prior.repeats) if number else costs
        mean = _mean(x)
        for i in range(sweeps):
            plan = (reach, 0, seed * 31 + number * 101 + turn * 7 + i, (turn * sweeps + i) % 2)
            sweep(x, mean, trust, busy, todo, valid, match, cost, steps, way, plan)
        x = vote(x, mean, todo, hole, match, _weights(cost, todo, depth), _LIGHTEN)
    return x, match


def _effort(pixels: int, number: int, speed: Speed, first: bool) -> tuple[int, int]:
    """Rounds of search and vote, and sweeps of one search."""
    factor = {"turbo": 0.5, "balanced": 1.0, "quality": 1.6}[speed]
    if first:
        return max(4, round(10 * factor)), 2
    rounds = 6 if pixels < 8000 else 4 if pixels < 60000 else 2
    if number == 0:
        rounds = 1 if pixels > 60000 and speed != "quality" else min(rounds, 2)
    return max(1, round(rounds * factor)), 1 if speed == "turbo" or number == 0 else 2


def _enlarged(match: Array, valid: U8) -> Array:
    """Matches of the next larger picture; those that are no source there move to the nearest one."""
    (h, w), (ph, pw) = valid.shape, match.shape[:2]
    y, x = np.arange(h), np.arange(w)
    py, px = np.minimum(y * ph // h, ph - 1), np.minimum(x * pw // w, pw - 1)
    up = match[py][:, px]
    rows = up[..., 0] * h // ph + (y - py * h // ph)[:, None]
    columns = up[..., 1] * w // pw + x - px * w // pw
    rows, columns = np.clip(rows, 0, h - 1), np.clip(columns, 0, w - 1)
    near_rows, near_columns = _nearest(valid)
    out = np.stack([near_rows[rows, columns], near_columns[rows, columns]], -1)
    return np.ascontiguousarray(out, np.int32)


def _nearest(valid: U8) -> tuple[Array, Array]:
    """Row and column of the nearest source of each pixel."""
    _, labels = cv2.distanceTransformWithLabels(
        (valid == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(valid)
    table = np.zeros((int(labels.max()) + 1, 2), np.int32)
    table[labels[rows, columns]] = np.stack([rows, columns], -1)
    found = table[labels]
    return found[..., 0], found[..., 1]


def _usage(match: Array, todo: U8, strength: float) -> F32:
    """A price for each source that was copied more often than the mean."""
    h, w = todo.shape
    chosen = match[todo > 0]
    counts = np.bincount(chosen[:, 0] * w + chosen[:, 1], minlength=h * w).reshape(h, w).astype(np.float32)
    counts = cv2.blur(counts, (5, 5))
    return np.asarray(strength * np.clip(counts - 1.5, 0, 6), np.float32)


def _weights(cost: F32, todo: U8, depth: F32) -> F32:
    """How much the patch around each pixel has to say: good ones more, and those near to what is known."""
    costs = cost[todo > 0]
    scale = max(float(np.quantile(costs[:: max(1, costs.size // 20000)], 0.6)), 1e-5)
    return np.asarray(np.exp(-cost / (0.5 * scale)) * np.exp(-depth / 40) + 1e-6, np.float32)
