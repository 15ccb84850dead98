"""The first sketch of a hole: each of its pixels gets an offset to the surroundings, so that neighbours fit together.

A labelling of a small picture: an offset that the surroundings repeat at is a label (He and Sun, "Statistics of patch
offsets for image completion", 2012); two neighbours pay for how different their offsets' colours are on both of them
(Kwatra et al., "Graphcut textures", 2003). Solved by min-sum belief propagation on a checkerboard, which needs no
order and no random numbers.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import cv2
import numpy as np
from numba import njit
from scipy.signal import fftconvolve

from portrayal.imaging import F32, U8, Array, Bool
from portrayal.parallel import bands

LABELS = 56
_LARGE = np.float32(1e4)
_MOST = 0.12  # what two neighbours pay at most
_SAMPLES = 1500
_SETTLED = 0.08  # share of labels that may still have changed in the last eight half turns


def offsets(hole: Bool, valid: Bool, counts: F32, rows: float) -> Array:
    """The offsets (n, 2) that serve the hole best.

    Args:
        hole, valid: (h, w) what to paint, what may be copied.
        counts: (2 h + 1, 2 w + 1) how often the surroundings repeat at each offset; zero in the middle.
        rows: how strongly sources of the same height are preferred.
    """
    h, w = hole.shape
    reach = fftconvolve(valid.astype(np.float32), hole[::-1, ::-1].astype(np.float32))
    served = np.zeros_like(counts)
    served[1 : 2 * h, 1 : 2 * w] = np.maximum(reach, 0)
    dy, dx = np.mgrid[-h : h + 1, -w : w + 1]
    level = np.exp(-rows * 60 * (dy / h) ** 2)
    score = (counts / max(float(counts.max()), 1e-6) + 0.02) * np.sqrt(served) * level
    score[served < 1] = 0
    peaks = np.flatnonzero((score == cv2.dilate(score, np.ones((5, 5), np.uint8))) & (score > 0))
    # Where nothing repeats, a loose grid of offsets: each pixel needs some.
    loose = np.flatnonzero((dy % max(2, h // 24) == 0) & (dx % max(2, w // 20) == 0) & (served >= 1))
    peaks = peaks[np.argsort(-score.flat[peaks], kind="stable")][:240]
    loose = loose[np.argsort(-score.flat[loose], kind="stable")][:160]
    choice = np.unique(np.concatenate([peaks, loose]))
    return _covering(hole, valid, np.stack([dy.flat[choice], dx.flat[choice]], -1), score.flat[choice])


def _covering(hole: Bool, valid: Bool, shifts: Array, score: Array) -> Array:
    """Pick good offsets one by one; what is served already counts less and less."""
    h, w = hole.shape
    ys, xs = np.nonzero(hole)
    step = max(1, len(ys) // _SAMPLES)
    y, x = ys[::step] + shifts[:, :1], xs[::step] + shifts[:, 1:]
    inside = (y >= 0) & (x >= 0) & (y < h) & (x < w)
    serves = (inside & valid[np.clip(y, 0, h - 1), np.clip(x, 0, w - 1)]).astype(np.float32)
    need = np.ones(serves.shape[1], np.float32)
    quality = np.sqrt(score / max(float(score.max(initial=0)), 1e-9)).astype(np.float32) + 0.02
    chosen: list[int] = []
    for _ in range(min(LABELS, len(shifts))):
        gain = (serves @ need) * quality
        gain[chosen] = -1
        best = int(gain.argmax())
        if gain[best] <= 0:
            break
        chosen.append(best)
        need *= 1 - 0.35 * serves[best]
    return np.ascontiguousarray(shifts[chosen], np.int64)


@njit(nogil=True, fastmath=True, cache=True)
def _pass(
    messages: F32, unary: F32, colours: F32, index: Array, nodes: Array, parity: int, most: Any, first: int, last: int
) -> None:
    """Messages of the nodes of one colour of the checkerboard to their four neighbours."""
    count = unary.shape[1]
    base = np.empty(count, np.float32)
    line = np.empty(count, np.float32)
    for node in range(first, last):
        y = nodes[node, 0]
        x = nodes[node, 1]
        if (y + x) & 1 != parity:
            continue
        for side in range(4):
            ny = y + (-1 if side == 0 else 1 if side == 1 else 0)
            nx = x + (-1 if side == 2 else 1 if side == 3 else 0)
            if ny < 0 or nx < 0 or ny >= index.shape[0] or nx >= index.shape[1]:
                continue
            other = index[ny, nx]
            if other < 0:
                continue
            least = np.float32(1e9)
            for a in range(count):
                s = unary[node, a]
                for k in range(4):
                    if k != side:
                        s += messages[node, k, a]
                base[a] = s
                least = min(least, s)
            back = side ^ 1  # the message is kept at the receiver, under the side that it comes from
            cut = least + np.float32(most)
            for b in range(count):
                line[b] = min(base[b], cut)
            for a in range(count):
                v = base[a]
                if v >= cut:
                    continue
                a0, a1, a2, a3 = colours[0, node, a], colours[1, node, a], colours[2, node, a], colours[3, node, a]
                b0, b1, b2, b3 = colours[0, other, a], colours[1, other, a], colours[2, other, a], colours[3, other, a]
                for b in range(count):
                    d0 = colours[0, node, b] - a0
                    d1 = colours[1, node, b] - a1
                    d2 = colours[2, node, b] - a2
                    d3 = colours[3, node, b] - a3
                    e0 = colours[0, other, b] - b0
                    e1 = colours[1, other, b] - b1
                    e2 = colours[2, other, b] - b2
                    e3 = colours[3, other, b] - b3
                    e = d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3 + e0 * e0 + e1 * e1 + e2 * e2 + e3 * e3
                    line[b] = min(line[b], v + e)
            for b in range(count):
                messages[other, back, b] = line[b] - least


def arrange(
    full: F32, hole: Bool, known: Bool, valid: U8, shifts: Array, price: F32, guess: F32, rows: float, columns: float
) -> Array:
    """The source of each pixel of the hole: (h, w, 2) int32 row and column; its own place elsewhere.

    Args:
        full: (h, w, 3) float32, under the hole a smooth guess.
        hole, known: (h, w) what to paint, what it has to fit to.
        valid: (h, w) 255 = may be copied.
        shifts: (n, 2) offsets.
        price: (h, w) what it costs to copy from a place.
        guess: (h, w, 4) colours that are known beforehand, and how surely.
        rows, columns: what an offset of the whole height or width costs.
    """
    h, w = hole.shape
    nodes = np.ascontiguousarray(np.argwhere(hole), np.int64)
    index = np.full((h, w), -1, np.int64)
    index[hole] = np.arange(len(nodes))
    y, x = nodes[:, :1] + shifts[:, 0], nodes[:, 1:] + shifts[:, 1]
    inside = (y >= 0) & (x >= 0) & (y < h) & (x < w)
    y, x = np.clip(y, 0, h - 1), np.clip(x, 0, w - 1)
    good = inside & (valid[y, x] > 0)
    far = rows * (shifts[:, 0] / h) ** 2 + columns * (shifts[:, 1] / w) ** 2
    unary = np.where(good, price[y, x] + far, _LARGE).astype(np.float32)
    features = _features(full, hole)
    wanted = _features(np.ascontiguousarray(guess[..., :3]), hole)[hole][:, None, :3]
    unary += guess[..., 3][hole][:, None] * ((features[y, x][..., :3] - wanted) ** 2).sum(-1)
    colours = np.ascontiguousarray(features[y, x].transpose(2, 0, 1))
    for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        # A known neighbour: what the offset says of it is compared with what it is.
        by, bx = nodes[:, 0] + dy, nodes[:, 1] + dx
        there = (by >= 0) & (bx >= 0) & (by < h) & (bx < w)
        by, bx = np.clip(by, 0, h - 1), np.clip(bx, 0, w - 1)
        there &= known[by, bx] & ~hole[by, bx]
        sy, sx = np.clip(y + dy, 0, h - 1), np.clip(x + dx, 0, w - 1)
        e = ((features[sy, sx] - features[by, bx][:, None]) ** 2).sum(-1)
        unary += np.where(there[:, None], 5 * e, 0).astype(np.float32)
    messages = np.zeros((len(nodes), 4, len(shifts)), np.float32)
    label: Array = np.full(len(nodes), -1)
    for turn in range(2 * int(np.clip(0.7 * np.sqrt(len(nodes)), 12, 40))):
        # Even nodes only write what odd ones read, so that bands do not meet.
        bands(partial(_pass, messages, unary, colours, index, nodes, turn & 1, _MOST), len(nodes), 200)
        if turn % 8 == 7:
            before, label = label, (unary + messages.sum(1)).argmin(1)
            if np.count_nonzero(label != before) < _SETTLED * len(nodes):
                break
    label = (unary + messages.sum(1)).argmin(1)
    out = places(h, w)
    pick = np.arange(len(nodes))
    out[hole] = np.stack([y[pick, label], x[pick, label]], -1)
    return np.asarray(out, np.int32)


def places(h: int, w: int) -> Array:
    """(h, w, 2) int32: each pixel's own row and column."""
    rows, columns = np.mgrid[:h, :w]
    return np.dstack([rows, columns]).astype(np.int32)


def _features(full: F32, hole: Bool) -> F32:
    """(h, w, 4) lightness, two colour differences, strength of edges."""
    light = full.mean(2)
    slopes = [cv2.Sobel(light, cv2.CV_32F, a, b, ksize=3, scale=0.25) for a, b in ((1, 0), (0, 1))]
    near = cv2.dilate(hole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    edge = np.where(near, 0, np.hypot(*slopes))
    lightness = light * np.float32(1.6)
    return np.dstack([lightness, full[..., 0] - light, full[..., 2] - light, edge]).astype(np.float32)
