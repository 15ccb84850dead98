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

from portrayal.engines.studio.fill.arrangement import arrange, offsets
from portrayal.engines.studio.fill.kernels import RADIUS, sweep, vote
from portrayal.engines.studio.fill.lines import guide
from portrayal.engines.studio.fill.membrane import halved, membrane
from portrayal.engines.studio.types import Speed
from portrayal.imaging import F32, U8, Array, Bool

_SMALLEST = 20  # shorter side of the coarsest picture
_PATCH = np.ones((2 * RADIUS + 1, 2 * RADIUS + 1), np.uint8)
_LIGHTEN = 0.08
_SKETCH = 112  # longer side of the picture in which the hole is sketched
_NODES = 2600  # most pixels of the hole there


@dataclass(frozen=True)
class Prior:
    """What is known of a hole beforehand.

    Attributes:
        rows, columns: cost of a source that lies the picture's whole height higher or lower, or its width sideways.
        objects: cost of what is unlike everything else.
        repeats: cost of what was copied already.
        open_ended: long edges that enter the hole go on, also when nothing on its other side meets them.
    """

    rows: float = 0.06
    columns: float = 0.0
    objects: float = 0.1
    repeats: float = 0.004
    open_ended: bool = False


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
    first = _reduced(levels[-1])
    edges = guide(picture, hole, prior.open_ended)
    counts, price = _repetitions(first, seed, prior)
    state: tuple[F32, Array] | None = None
    shifts = np.zeros((0, 2), np.float32)
    if _valid(first, 1).any():
        state, shifts = _sketch(first, counts, price, edges, prior)
    for number in range(len(levels) - 1, -1, -1):
        level = levels[number]
        valid = _valid(level)
        if not valid.any():
            continue
        if state is None:
            state = membrane(level.picture, level.known >= 0.5), _scatter(valid, seed)
        state = _paint(level, valid, number, state, shifts, price, edges, seed, speed, prior)
    if state is None:
        return Synthesis(membrane(picture, ~hole), None)
    return Synthesis(np.where(hole[..., None], state[0], picture).astype(np.float32), state[1])


def _pyramid(picture: F32, hole: Bool, source: Bool) -> list[_Level]:
    levels = [_Level(picture, (~hole).astype(np.float32), source.astype(np.float32))]
    while True:
        last = levels[-1]
        if max(last.known.shape) <= 1.5 * _SKETCH:
            return levels
        if min(last.known.shape) < 2 * _SMALLEST:
            return levels
        smaller, known = halved(last.picture, last.known)
        levels.append(_Level(smaller, known, halved(last.source[..., None], last.known)[0][..., 0] * known))


def _reduced(level: _Level) -> _Level:
    """The picture for the sketch, which takes as long as the hole has pixels."""
    h, w = level.known.shape
    nodes = int(np.count_nonzero(level.known < 0.5))
    scale = min(1.0, _SKETCH / max(h, w), np.sqrt(_NODES / max(nodes, 1)))
    if scale == 1:
        return level
    size = (max(8, round(w * scale)), max(8, round(h * scale)))
    known = cv2.resize(level.known, size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(level.picture * level.known[..., None], size, interpolation=cv2.INTER_AREA)
    source = cv2.resize(level.source, size, interpolation=cv2.INTER_AREA)
    return _Level((total / np.maximum(known, 1e-6)[..., None]).astype(np.float32), known, source)


def _valid(level: _Level, radius: int = RADIUS) -> U8:
    """255 where a patch holds sources only."""
    sure = (level.source > 0.75).astype(np.uint8) * np.uint8(255)
    valid = cv2.erode(
        sure, np.ones((2 * radius + 1, 2 * radius + 1), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    return np.asarray(valid, np.uint8)


def _mean(x: F32) -> F32:
    return np.asarray(cv2.blur(x, (2 * RADIUS + 1, 2 * RADIUS + 1), borderType=cv2.BORDER_REFLECT_101), np.float32)


def _repetitions(level: _Level, seed: int, prior: Prior) -> tuple[F32, F32]:
    """How often the surroundings repeat at each offset (2 h + 1, 2 w + 1), and what each place (h, w) costs."""
    h, w = level.known.shape
    counts, price = np.zeros((2 * h + 1, 2 * w + 1), np.float32), np.zeros((h, w), np.float32)
    valid = _valid(level)
    if cv2.countNonZero(valid) < 100:
        return counts, price
    near = max(4, max(h, w) // 12)
    match, cost = _scatter(valid, seed), np.zeros((h, w), np.float32)
    x, one = level.picture, np.ones((h, w), np.float32)
    mean, none = _mean(x), np.zeros((0, 2), np.int64)
    away = _apart(valid, match, near, seed)
    way = np.array([_LIGHTEN, 0, 0, 0.3], np.float32)
    for i in range(4):
        sweep(x, mean, one, price, away, valid, match, cost, none, way, (max(h, w), near, seed + i, i % 2))
    dy, dx = match[..., 0] - np.arange(h)[:, None], match[..., 1] - np.arange(w)
    good = (away > 0) & (cost < 0.02)
    # Even areas repeat at any offset: it is edges that tell.
    light = x.mean(2)
    edges = np.hypot(*(cv2.Sobel(light, cv2.CV_32F, a, b, ksize=3, scale=0.25) for a, b in ((1, 0), (0, 1))))
    np.add.at(counts, (dy[good] + h, dx[good] + w), np.minimum(edges, 0.1)[good] + 0.002)
    counts = np.asarray(cv2.GaussianBlur(counts, (0, 0), 1.0), np.float32)
    unlike = np.where(away > 0, np.clip(cost - 0.002, 0, 0.05), 0)
    unlike = cv2.dilate(unlike.astype(np.float32), _PATCH)
    return counts, (prior.objects * cv2.GaussianBlur(unlike, (0, 0), 1.5)).astype(np.float32)


def _sketch(
    level: _Level, counts: F32, price: F32, edges: tuple[F32, F32], prior: Prior
) -> tuple[tuple[F32, Array], F32]:
    """The first picture and its matches; and the offsets used, as fractions of height and width."""
    h, w = level.known.shape
    hole = level.known < 0.5
    sure = _valid(level, 1)
    shifts = offsets(hole, sure > 0, counts, prior.rows)
    drawn, weight = (cv2.resize(e, (w, h), interpolation=cv2.INTER_AREA) for e in edges)
    guess = np.dstack([drawn, weight]).astype(np.float32)
    match = arrange(level.picture, hole, sure, shifts, price, guess, prior.rows, prior.columns)
    x = np.where(hole[..., None], level.picture[match[..., 0], match[..., 1]], level.picture)
    return (x.astype(np.float32), match), (shifts / np.array([h, w])).astype(np.float32)


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
    state: tuple[F32, Array],
    shifts: F32,
    price: F32,
    edges: tuple[F32, F32],
    seed: int,
    speed: Speed,
    prior: Prior,
) -> tuple[F32, Array]:
    """Search and vote at one level; returns the picture and the matches."""
    h, w = valid.shape
    hole = (level.known < 0.5).astype(np.uint8) * np.uint8(255)
    todo = np.asarray(cv2.dilate(hole, _PATCH), np.uint8)
    guess = cv2.resize(state[0], (w, h), interpolation=cv2.INTER_LINEAR)
    x = np.where(hole[..., None] > 0, guess, level.picture).astype(np.float32)
    match = _enlarged(state[1], valid)
    x = np.ascontiguousarray(x)
    depth = np.asarray(cv2.distanceTransform(hole, cv2.DIST_L2, 3), np.float32)
    steps = np.round(shifts * np.array([h, w], np.float32)).astype(np.int64)
    costs = np.asarray(cv2.resize(price, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
    way = np.array([_LIGHTEN, np.sqrt(prior.rows) / h, np.sqrt(prior.columns) / w, 0.3], np.float32)
    cost = np.zeros((h, w), np.float32)
    rounds, sweeps = _effort(int(np.count_nonzero(todo)), number, speed)
    reach = 24 if number else 6
    # What is painted counts less than what is known.
    trust = np.where(depth > 0, 0.7, 1).astype(np.float32)
    drawn, weight = (cv2.resize(e, (w, h), interpolation=cv2.INTER_AREA) for e in edges)
    weight = np.where(depth > 0, weight, 0)[..., None]
    trust = np.where(weight[..., 0] > 0.5, 1, trust).astype(np.float32)
    for turn in range(rounds):
        if number > 1 or (number == 1 and turn == 0):
            x = (x + (drawn - x) * weight).astype(np.float32)
        busy = costs + _usage(match, todo, prior.repeats) if number else costs
        mean = _mean(x)
        for i in range(sweeps):
            plan = (reach, 0, seed * 31 + number * 101 + turn * 7 + i, (turn * sweeps + i) % 2)
            sweep(x, mean, trust, busy, todo, valid, match, cost, steps, way, plan)
        x = vote(x, mean, todo, hole, match, _weights(cost, todo, depth), _LIGHTEN)
    return x, match


def _effort(pixels: int, number: int, speed: Speed) -> tuple[int, int]:
    """Rounds of search and vote, and sweeps of one search."""
    factor = {"turbo": 0.5, "balanced": 1.0, "quality": 1.6}[speed]
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
