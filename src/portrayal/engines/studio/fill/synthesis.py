"""Painting a hole with pieces of its surroundings, coarse to fine.

Patches of the hole look for the surroundings' patches that are most like them, and all patches over a pixel vote for
its colour; in turn, from a picture of some 100 pixels up to the full one (Wexler, Shechtman and Irani, "Space-time
completion of video", 2007; Barnes et al., "PatchMatch", 2009). On top of that:

- The first picture is an arrangement of large pieces (`arrangement`), edges through the hole are drawn on (`lines`).
- A copy may be made a little lighter or darker, so that light falls on evenly (Darabi et al., "Image melding", 2012).
- Offsets at which the surroundings repeat are tried everywhere (He and Sun, "Statistics of patch offsets", 2012).
- What is unlike everything else in the surroundings is an object, and costs; what was copied often costs as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from portrayal.engines.studio.fill.arrangement import arrange, offsets, places
from portrayal.engines.studio.fill.kernels import RADIUS, sweep, vote
from portrayal.engines.studio.fill.levels import Level, for_sketch, pyramid
from portrayal.engines.studio.fill.lines import guide
from portrayal.engines.studio.fill.membrane import membrane
from portrayal.engines.studio.types import Speed
from portrayal.imaging import F32, U8, Array, Bool

_PATCH = np.ones((2 * RADIUS + 1, 2 * RADIUS + 1), np.uint8)
_LIGHTEN = 0.08  # most that a copy is lightened or darkened
_LATER = 0.1  # weight of all other prices after the sketch, which has decided what goes where
_LIGHTENED = 0.3  # price of that, per square


@dataclass(frozen=True)
class Prior:
    """What is known of a hole beforehand.

    Attributes:
        rows, columns: cost of a source that lies the picture's whole height higher or lower, or its width sideways.
        objects: cost of what is unlike everything else.
        repeats: cost of what was copied already.
        near: cost of a source that lies half the picture away from the hole.
        open_ended: long edges that enter the hole go on, also when nothing on its other side meets them.
        melt: how far the border is made soft where things do not fit together, as a fraction of the longer side.
        defocus: largest blur (sigma, as a fraction of the longer side) of what does not fit and is far from the border.
        bands: the picture's rows or columns go on in their own colours.
    """

    rows: float = 0.06
    columns: float = 0.0
    objects: float = 0.1
    repeats: float = 0.0004
    near: float = 0.0
    open_ended: bool = False
    melt: float = 0.012
    defocus: float = 0.0
    bands: Literal["", "rows", "columns"] = ""


@dataclass(frozen=True)
class Synthesis:
    """A painted hole.

    Attributes:
        picture: (h, w, 3) float32 with the hole painted.
        match: (h, w, 2) int32 row and column that each painted pixel comes from; None when nothing could be copied.
    """

    picture: F32
    match: Array | None


@dataclass(frozen=True)
class _Task:
    """What all sizes share: offsets as fractions of height and width, prices of places, drawn edges, and how to go."""

    shifts: F32
    price: F32
    edges: tuple[F32, F32]
    prior: Prior
    seed: int
    speed: Speed


def synthesise(picture: F32, hole: Bool, known: Bool, source: Bool, seed: int, speed: Speed, prior: Prior) -> Synthesis:
    """Paint a hole.

    Args:
        picture: (h, w, 3) float32 0..1; anything under the hole.
        hole: (h, w) what to paint.
        known: (h, w) what the painting has to fit to.
        source: (h, w) what may be copied.
        seed: of the search.
        speed: how often it is looked and voted.
        prior: what is known beforehand.
    """
    levels = pyramid(picture, hole, known, source)
    if not levels[0].valid().any():
        return Synthesis(membrane(picture, known), None)
    first = for_sketch(levels[-1])
    edges = guide(picture, ~known, hole, prior.open_ended)
    counts, price = _repetitions(first, seed, prior)
    state, shifts = _sketch(first, counts, price, edges, prior)
    task = _Task(shifts, price, edges, prior, seed, speed)
    for number in range(len(levels) - 1, -1, -1):
        valid = levels[number].valid()
        if valid.any():
            state = _paint(levels[number], valid, number, state, task)
    return Synthesis(np.where(hole[..., None], state[0], picture).astype(np.float32), state[1])


def _mean(x: F32) -> F32:
    return np.asarray(cv2.blur(x, (2 * RADIUS + 1, 2 * RADIUS + 1), borderType=cv2.BORDER_REFLECT_101), np.float32)


def _repetitions(level: Level, seed: int, prior: Prior) -> tuple[F32, F32]:
    """How often the surroundings repeat at each offset (2 h + 1, 2 w + 1), and what each place (h, w) costs."""
    h, w = level.shape
    counts, price = np.zeros((2 * h + 1, 2 * w + 1), np.float32), np.zeros((h, w), np.float32)
    if prior.near:
        away = cv2.distanceTransform((~level.hole).astype(np.uint8), cv2.DIST_L2, 3)
        price = np.asarray(prior.near * (2 * away / max(h, w)) ** 2, np.float32)
    valid = level.valid()
    if cv2.countNonZero(valid) < 100:
        return counts, price
    near = max(4, max(h, w) // 12)
    match, cost = _scatter(valid, seed), np.zeros((h, w), np.float32)
    x, one, none = level.picture, np.ones((h, w), np.float32), np.zeros((0, 2), np.int64)
    away, mean, free = _apart(valid, match, near, seed), _mean(x), np.zeros((h, w), np.float32)
    way = np.array([_LIGHTEN, 0, 0, _LIGHTENED], np.float32)
    for i in range(4):
        sweep(x, mean, one, free, away, valid, match, cost, none, way, (max(h, w), near, seed + i, i % 2))
    dy, dx = match[..., 0] - np.arange(h)[:, None], match[..., 1] - np.arange(w)
    good = (away > 0) & (cost < 0.02)
    # Even areas repeat at any offset: it is edges that tell.
    light = x.mean(2)
    edge = np.hypot(*(cv2.Sobel(light, cv2.CV_32F, a, b, ksize=3, scale=0.25) for a, b in ((1, 0), (0, 1))))
    np.add.at(counts, (dy[good] + h, dx[good] + w), np.minimum(edge, 0.1)[good] + 0.002)
    counts = np.asarray(cv2.GaussianBlur(counts, (0, 0), 1.0), np.float32)
    unlike = np.where(away > 0, np.clip(cost - 0.002, 0, 0.05), 0)
    unlike = cv2.dilate(unlike.astype(np.float32), _PATCH)
    return counts, (price + prior.objects * cv2.GaussianBlur(unlike, (0, 0), 1.5)).astype(np.float32)


def _sketch(
    level: Level, counts: F32, price: F32, edges: tuple[F32, F32], prior: Prior
) -> tuple[tuple[F32, Array], F32]:
    """The first picture and its matches; and the offsets used, as fractions of height and width."""
    h, w = level.shape
    hole, valid = level.hole, level.valid(1)
    shifts = offsets(hole, valid > 0, counts, prior.rows)
    if not len(shifts):
        return (membrane(level.picture, level.known > 0.25), places(h, w)), np.zeros((0, 2), np.float32)
    drawn, weight = (cv2.resize(e, (w, h), interpolation=cv2.INTER_AREA) for e in edges)
    guess = np.dstack([drawn, weight]).astype(np.float32)
    full = membrane(level.picture, level.known > 0.25)
    match = arrange(full, hole, level.known > 0.5, valid, shifts, price, guess, prior.rows, prior.columns)
    x = np.where(hole[..., None], full[match[..., 0], match[..., 1]], full)
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


def _paint(level: Level, valid: U8, number: int, state: tuple[F32, Array], task: _Task) -> tuple[F32, Array]:
    """Search and vote at one size, 0 = the full one; returns the picture and the matches."""
    (h, w), prior = level.shape, task.prior
    hole = level.hole.astype(np.uint8) * np.uint8(255)
    todo = np.asarray(cv2.dilate(hole, _PATCH), np.uint8)
    guess = cv2.resize(state[0], (w, h), interpolation=cv2.INTER_LINEAR)
    real = (hole == 0) & (level.known > 0)
    x = np.ascontiguousarray(np.where(real[..., None], level.picture, guess), np.float32)
    match, cost = _enlarged(state[1], valid), np.zeros((h, w), np.float32)
    depth = np.asarray(cv2.distanceTransform(hole, cv2.DIST_L2, 3), np.float32)
    steps = np.round(task.shifts * np.array([h, w], np.float32)).astype(np.int64)
    price = _LATER * np.asarray(cv2.resize(task.price, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
    far = np.sqrt([_LATER * prior.rows, _LATER * prior.columns]) / (h, w)
    way = np.array([_LIGHTEN, *far, _LIGHTENED], np.float32)
    drawn, weight = (np.asarray(cv2.resize(e, (w, h), interpolation=cv2.INTER_AREA)) for e in task.edges)
    weight = np.where(hole > 0, weight, 0)
    # What is painted counts less than what is known; what stands in front counts nothing.
    trust = np.where(hole > 0, np.where(weight > 0.5, 1, 0.7), level.known > 0.5).astype(np.float32)
    rounds, sweeps = _effort(int(np.count_nonzero(todo)), number, task.speed)
    for turn in range(rounds):
        if number > 1 or (number == 1 and turn == 0):
            x = (x + (drawn - x) * weight[..., None]).astype(np.float32)
        busy = price + _usage(match, todo, prior.repeats) if number else price
        mean = _mean(x)
        for i in range(sweeps):
            seed = task.seed * 31 + number * 101 + turn * 7 + i
            plan = (24 if number else 6, 0, seed, (turn * sweeps + i) % 2)
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
    each = np.bincount(chosen[:, 0] * w + chosen[:, 1], minlength=h * w).reshape(h, w)
    counts = cv2.blur(each.astype(np.float32), (5, 5))
    return np.asarray(strength * np.clip(counts - 1.5, 0, 6), np.float32)


def _weights(cost: F32, todo: U8, depth: F32) -> F32:
    """How much the patch around each pixel has to say: good ones more, and those near to what is known."""
    costs = cost[todo > 0]
    scale = max(float(np.quantile(costs[:: max(1, costs.size // 20000)], 0.6)), 1e-5)
    return np.asarray(np.exp(-cost / (0.5 * scale)) * np.exp(-depth / 40) + 1e-6, np.float32)
