"""Enlargement filters that one photograph teaches itself.

A photograph repeats its edges at every scale (Glasner, Bagon and Irani 2009). So the filters that sharpen the
enlargement of a picture can be learnt from the picture: it is made smaller, enlarged again, and for each kind of
neighbourhood (direction, strength and coherence of the gradient) the least-squares filter is found that leads from
the soft copy back to the original. This is RAISR (Romano, Isidoro and Milanfar 2016) without a training set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numba import njit
from numpy.lib.stride_tricks import sliding_window_view

from portrayal.imaging import F32, Array
from portrayal.parallel import bands

RADIUS: Final = 3
SIDE: Final = 2 * RADIUS + 1
TAPS: Final = SIDE * SIDE
ANGLES: Final = 16
STRENGTHS: Final = 4
COHERENCES: Final = 3
# Rows of taps are filled up with zeros to whole vector registers.
_ROW: Final = 8
BUCKETS: Final = ANGLES * STRENGTHS * COHERENCES

# Window of the structure tensor; a smaller one takes grain for edges and paints swirls into hair.
_WINDOW: Final = 2.0
# Most training pixels that one bucket needs; sky and cheeks would else take all the time.
_ENOUGH: Final = 1600
# Pull of every filter towards the common one, in pixels.
_RIDGE: Final = 400.0
_NOISE: Final = 2e-5


@dataclass(frozen=True)
class FilterBank:
    """Learnt filters.

    Attributes:
        taps: (BUCKETS, TAPS) float32, each sums to 1.
        strengths: (STRENGTHS - 1,) limits of the gradient's root energy.
        coherences: (COHERENCES - 1,) limits of the coherence 0..1.
    """

    taps: F32
    strengths: F32
    coherences: F32


def structure(luma: F32, sigma: float) -> tuple[F32, F32, F32]:
    """Smoothed structure tensor (xx, xy, yy) of a picture; derivatives per pixel, window `sigma` in pixels."""
    gx = cv2.Scharr(luma, cv2.CV_32F, 1, 0, scale=1 / 32)
    gy = cv2.Scharr(luma, cv2.CV_32F, 0, 1, scale=1 / 32)
    blur = [cv2.GaussianBlur(t, (0, 0), sigma) for t in (gx * gx, gx * gy, gy * gy)]
    return np.asarray(blur[0], np.float32), np.asarray(blur[1], np.float32), np.asarray(blur[2], np.float32)


@njit(nogil=True, cache=True, fastmath=True)
def _buckets(jxx: F32, jxy: F32, jyy: F32, strengths: F32, coherences: F32, out: Array, a: int, b: int) -> None:
    for y in range(a, b):
        for x in range(jxx.shape[1]):
            p, q, r = jxx[y, x], jxy[y, x], jyy[y, x]
            d = np.sqrt((p - r) * (p - r) + 4 * q * q)
            s = np.sqrt(max(0.0, (p + r + d) * 0.5))
            c = d / (p + r + 1e-9)
            angle = np.arctan2(2 * q, p - r) * 0.5  # of the gradient, -pi/2..pi/2
            i = int(np.floor(angle * (ANGLES / np.pi) + 0.5)) % ANGLES
            si = 0
            for k in range(STRENGTHS - 1):
                if s > strengths[k]:
                    si = k + 1
            ci = 0
            for k in range(COHERENCES - 1):
                if c > coherences[k]:
                    ci = k + 1
            out[y, x] = (i * STRENGTHS + si) * COHERENCES + ci


def _classify(luma: F32, strengths: F32, coherences: F32) -> Array:
    tensor = structure(luma, _WINDOW)
    out = np.empty(luma.shape, np.int32)
    bands(lambda a, b: _buckets(*tensor, strengths, coherences, out, a, b), luma.shape[0])
    return out


@njit(nogil=True, cache=True, fastmath=True)
def _convolve(luma: F32, bucket: Array, taps: F32, out: F32, a: int, b: int) -> None:
    # `luma` is padded by RADIUS, on the right so far that a row of taps can be read whole. The sum runs down the
    # columns first: so the compiler does a whole row of taps at once, ten times as fast.
    for y in range(a, b):
        for x in range(out.shape[1]):
            k = bucket[y, x]
            total = np.float32(0)
            for i in range(_ROW):
                column = np.float32(0)
                for j in range(SIDE):
                    column += taps[k, j, i] * luma[y + j, x + i]
                total += column
            out[y, x] = total


def apply(bank: FilterBank, soft: F32) -> F32:
    """The sharp picture that `bank` sees in a softly enlarged one; (h, w) float32 in and out."""
    bucket = _classify(soft, bank.strengths, bank.coherences)
    padded = np.asarray(cv2.copyMakeBorder(soft, RADIUS, RADIUS, RADIUS, _ROW, cv2.BORDER_REPLICATE), np.float32)
    taps = np.zeros((BUCKETS, SIDE, _ROW), np.float32)
    taps[:, :, :SIDE] = bank.taps.reshape(BUCKETS, SIDE, SIDE)
    out = np.empty_like(soft)
    bands(lambda a, b: _convolve(padded, bucket, taps, out, a, b), soft.shape[0])
    return out


def _symmetries() -> list[tuple[Array, Array]]:
    """The mirrored and quarter-turned versions of a neighbourhood: (order of taps, new bucket of each bucket)."""
    grid = np.arange(TAPS).reshape(SIDE, SIDE)
    bucket = np.arange(BUCKETS).reshape(ANGLES, STRENGTHS, COHERENCES)
    turned = np.roll(bucket, ANGLES // 2, axis=0)  # a quarter turn adds 90 of 180 degrees
    back = -np.arange(ANGLES) % ANGLES  # a mirror turns the angle's sign
    return [
        (grid.ravel(), bucket.ravel()),
        (grid[:, ::-1].ravel(), bucket[back].ravel()),
        (grid[::-1].ravel(), bucket[back].ravel()),
        (grid[::-1, ::-1].ravel(), bucket.ravel()),
        (grid.T.ravel(), turned[back].ravel()),
        (np.rot90(grid).ravel(), turned.ravel()),
        (np.rot90(grid, 3).ravel(), turned.ravel()),
        (np.rot90(grid, 2).T.ravel(), turned[back].ravel()),
    ]


def learn(luma: F32, weight: F32, factor: float, seed: int = 0) -> FilterBank:
    """Learn a bank from one picture for enlargements by `factor`.

    Args:
        luma: (h, w) float32 0..1.
        weight: (h, w) float32, places above 0.5 teach.
        factor: over 1, up to about 2.2; larger enlargements are done in several steps.
        seed: which pixels of the plentiful kinds teach.
    """
    h, w = luma.shape
    small = cv2.resize(luma, (max(8, round(w / factor)), max(8, round(h / factor))), interpolation=cv2.INTER_AREA)
    soft = np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC), np.float32)
    xx, xy, yy = structure(soft, _WINDOW)
    spread = np.sqrt((xx - yy) ** 2 + 4 * xy * xy)
    teaches = weight > 0.5
    teaches[:RADIUS] = teaches[-RADIUS:] = False
    teaches[:, :RADIUS] = teaches[:, -RADIUS:] = False
    if not teaches.any():
        teaches[RADIUS:-RADIUS, RADIUS:-RADIUS] = True
    root = np.sqrt(np.maximum(0, (xx + yy + spread) / 2))[teaches]
    strengths = np.quantile(root, (0.5, 0.75, 0.92)).astype(np.float32)
    coherences = np.array([0.35, 0.65], np.float32)
    bucket = _classify(soft, strengths, coherences)
    patches = sliding_window_view(soft, (SIDE, SIDE))
    gram = np.zeros((BUCKETS, TAPS + 1, TAPS + 1), np.float32)
    ys, xs = np.nonzero(teaches)
    found = bucket[ys, xs]
    order = np.random.default_rng(seed).permutation(len(found))
    order = order[np.argsort(found[order], kind="stable")]
    limits = np.searchsorted(found[order], np.arange(BUCKETS + 1))
    for k in range(BUCKETS):
        some = order[limits[k] : min(limits[k + 1], limits[k] + _ENOUGH)]
        if len(some) == 0:
            continue
        y, x = ys[some], xs[some]
        rows = np.empty((len(some), TAPS + 1), np.float32)
        rows[:, :TAPS] = patches[y - RADIUS, x - RADIUS].reshape(len(some), TAPS)
        rows[:, TAPS] = luma[y, x]
        # The centre's value is taken away, so that brightness teaches nothing and the taps can sum to one.
        rows -= rows[:, TAPS // 2, None].copy()
        gram[k] = rows.T @ rows
    return FilterBank(_solve(gram), strengths, coherences)


def _solve(gram: F32) -> F32:
    """Filters of all buckets from their normal equations; buckets that are mirrored or turned share what they know."""
    # A fifth of the circle is enough: all other directions are mirrored or turned versions of it.
    first = np.arange((ANGLES // 4 + 1) * STRENGTHS * COHERENCES)
    symmetries = _symmetries()
    both = np.zeros((len(first), TAPS + 1, TAPS + 1), np.float32)
    for taps, bucket in symmetries:
        index = np.append(taps, TAPS)
        both += gram[np.argsort(bucket)[first]][:, index[:, None], index[None, :]]
    # Without coherence, or in the grain of smooth skin, an angle means nothing: those buckets know together.
    angles = both.reshape(-1, STRENGTHS, COHERENCES, TAPS + 1, TAPS + 1)
    angles[:, :, 0] = angles[:, :, 0].sum(axis=0)
    angles[:, 0] = angles[:, 0].sum(axis=(0, 1))
    common = both.sum(axis=0, dtype=np.float64)
    eye = np.eye(TAPS, dtype=np.float32)
    size = np.trace(common[:TAPS, :TAPS]) / TAPS
    base = np.linalg.solve(common[:TAPS, :TAPS] + eye * size * 1e-4, common[:TAPS, TAPS])
    scale = np.trace(both[:, :TAPS, :TAPS], axis1=1, axis2=2)[:, None] / TAPS
    pull = scale * 2e-3 + 8 * _NOISE * _RIDGE
    left = both[:, :TAPS, :TAPS] + pull[:, :, None] * eye
    right = both[:, :TAPS, TAPS] + pull * base.astype(np.float32)
    found = np.linalg.solve(left, right[..., None])[..., 0]
    found[:, TAPS // 2] += 1 - found.sum(axis=1)
    taps_of = np.zeros((BUCKETS, TAPS), np.float32)
    for taps, bucket in symmetries:
        taps_of[np.argsort(bucket)[first][:, None], taps[None, :]] = found
    return taps_of
