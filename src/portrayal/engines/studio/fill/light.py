"""Light that falls off evenly over a picture, and edges no sharper than the lens drew the others."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.imaging import F32, Array, Bool

_SIDE = 96  # longer side of the picture that the light is fitted to
_EVEN = 0.035  # largest deviation of a picture from its light for which it counts as evenly lit
_SIGMAS = (2.0, 4.0, 8.0, 16.0, 32.0)


def even_light(picture: F32, known: Bool) -> F32 | None:
    """A second-order surface through an evenly lit picture, in every place; None when the picture is not such a one.

    Beyond the known pixels' box it bends to its value some way out, so that a fall-off does not run into black.

    Args:
        picture: (h, w, 3) float32.
        known: (h, w).
    """
    h, w = known.shape
    scale = min(1.0, _SIDE / max(h, w))
    size = (max(4, round(w * scale)), max(4, round(h * scale)))
    share = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(picture * known[..., None], size, interpolation=cv2.INTER_AREA)
    colours = (small / np.maximum(share, 1e-6)[..., None]).reshape(-1, 3)
    rows, columns = np.flatnonzero(known.any(1)), np.flatnonzero(known.any(0))
    terms = _terms(_bent(h, size[1], rows[0], rows[-1]), _bent(w, size[0], columns[0], columns[-1])).reshape(-1, 6)
    weight: Array = (share.ravel() > 0.9).astype(np.float64)
    if weight.sum() < 40:
        return None
    use = weight > 0
    fit: Array = np.zeros((6, 3))
    for _ in range(8):
        heavy = terms * weight[:, None]
        fit = np.linalg.solve(terms.T @ heavy + 1e-6 * np.eye(6), heavy.T @ colours)
        away = np.abs(colours - terms @ fit).max(1)
        weight = use / (1 + (away / 0.02) ** 2)
    rest = np.abs(colours - terms @ fit).max(1)[use]
    if float(np.quantile(rest, 0.9)) > _EVEN:
        return None
    full = _terms(_bent(h, h, rows[0], rows[-1]), _bent(w, w, columns[0], columns[-1]))
    return np.asarray(full @ fit, np.float32)


def _bent(length: int, count: int, first: int, last: int) -> Array:
    """Places of `count` pixels along an axis, -1 .. 1 over the known ones, and not much farther beyond."""
    at = (np.arange(count) + 0.5) * (length / count)
    at = (at - 0.5 * (first + last + 1)) / (0.5 * (last + 1 - first))
    over = np.maximum(np.abs(at) - 1, 0)
    return np.asarray(np.sign(at) * (np.minimum(np.abs(at), 1) + 0.35 * (1 - np.exp(-over / 0.35))))


def _terms(y: Array, x: Array) -> Array:
    b, a = np.meshgrid(y, x, indexing="ij")
    return np.stack([np.ones_like(a), a, b, a * a, b * b, a * b], -1)


def banded_light(picture: F32, known: Bool, columns: bool) -> F32:
    """Colours that go on sideways, row by row: sky over sea over sand; by columns when the picture grows upwards.

    Each row has the median of its known pixels, on the left and on the right; what varies slowly within the rows is
    added. So pieces from different places fit together, and a horizon stays where it is.

    Args:
        picture: (h, w, 3) float32.
        known: (h, w).
        columns: whether it is the columns that go on.
    """
    if columns:
        return np.ascontiguousarray(banded_light(picture.swapaxes(0, 1), known.T, False).swapaxes(0, 1))
    h, w = known.shape
    first, last = np.flatnonzero(known.any(0))[[0, -1]]
    xs = np.linspace(first, last, min(_SIDE, last - first + 1)).astype(int)
    seen = np.where(known[:, xs, None], picture[:, xs], np.nan)
    half = len(xs) // 2
    # A row without known pixels on one side has those of the other side, or of the rows above and below.
    sides = [_rows(part, h) for part in (seen[:, : half + 1], seen[:, half:])]
    filled = [np.where(np.isnan(s), t, s) for s, t in (sides, sides[::-1])]
    left, right = (_between(f) for f in filled)
    t = np.clip((np.arange(w, dtype=np.float32) - first) / max(last - first, 1), 0, 1)[:, None]
    bands = (left[:, None] + (right - left)[:, None] * t).astype(np.float32)
    scale = min(1.0, _SIDE / max(h, w))
    size = (max(4, round(w * scale)), max(4, round(h * scale)))
    share = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    rest = cv2.resize(np.where(known[..., None], picture - bands, 0), size, interpolation=cv2.INTER_AREA)
    sigma = 0.07 * max(size)
    slow = cv2.GaussianBlur(rest, (0, 0), sigma) / (cv2.GaussianBlur(share, (0, 0), sigma) + 0.02)[..., None]
    return np.asarray(bands + cv2.resize(slow, (w, h), interpolation=cv2.INTER_CUBIC), np.float32)


def _rows(seen: Array, h: int) -> Array:
    """(h, 3) median of each row; NaN where fewer than a tenth of its pixels are known."""
    enough = (~np.isnan(seen[..., 0])).sum(1) > 0.1 * seen.shape[1]
    out = np.full((h, 3), np.nan)
    if enough.any():
        out[enough] = np.nanmedian(seen[enough], 1)
    return out


def _between(rows: Array) -> Array:
    """Rows without a colour get one between those above and below; then all are smoothed a little."""
    known = np.flatnonzero(~np.isnan(rows[:, 0]))
    if not len(known):
        return np.zeros_like(rows)
    at = np.arange(len(rows))
    full = np.stack([np.interp(at, known, rows[known, c]) for c in range(3)], -1)
    return np.asarray(cv2.GaussianBlur(full[:, None], (0, 0), max(0.8, 0.003 * len(rows)))[:, 0])


def soften(
    picture: F32, hole: Bool, known: Bool, match: Array | None, reach: F32 | None, hardest: float
) -> tuple[F32, F32]:
    """Blur the painted edges that are harder than those around: out of focus is out of focus.

    Args:
        picture: (h, w, 3) float32, without grain.
        hole, known: (h, w) what was painted, and what tells how sharp it may be.
        match: (h, w, 2) rows and columns that were copied: an edge that was one there may stay; None = nothing was.
        reach: (h, w) least blur in pixels (sigma), or None.
        hardest: quantile of the known slopes that the painted ones may reach.

    Returns:
        The picture, and (h, w) how much of it was blurred, 0..1.
    """
    where = (hole | known).astype(np.float32)
    near = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 3) < 0.2 * max(hole.shape)
    sure = cv2.erode(known.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    slopes = _slope(picture)
    told = slopes[sure & near] if (sure & near).any() else slopes[known]
    most = 1.1 * float(np.quantile(told[:: max(1, told.size // 200000)], hardest)) if told.size else 1.0
    allowed: Array = np.full(hole.shape, most, np.float32)
    if match is not None:
        there = cv2.dilate(np.where(known, slopes, 0).astype(np.float32), np.ones((5, 5), np.uint8))
        allowed = np.maximum(allowed, np.float32(1.2) * there[match[..., 0], match[..., 1]])
    layers, masks = [picture], []
    for sigma, wider in zip((0.7, *_SIGMAS[:-1]), _SIGMAS, strict=True):
        hard = ((slopes > allowed) & hole).astype(np.float32)
        if reach is not None:
            hard = np.maximum(hard, reach > 1.4 * sigma)
        if not hard.any():
            break
        masks.append(_dilated(hard, max(1, round(1.5 * sigma))))
        layers.append(_blurred(picture, where, wider))
        slopes = _slope(layers[-1])
    if not masks:
        return picture, np.zeros(hole.shape, np.float32)
    out = layers[-1]
    for layer, mask in zip(reversed(layers[:-1]), reversed(masks), strict=True):
        out = np.asarray(layer + (out - layer) * mask[..., None], np.float32)
    return np.where(hole[..., None], out, picture).astype(np.float32), np.where(hole, masks[0], 0).astype(np.float32)


def _slope(picture: F32) -> F32:
    """(h, w) steepest of the three colours, per pixel."""
    soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
    x, y = (cv2.Sobel(soft, cv2.CV_32F, a, b, ksize=3, scale=0.125) for a, b in ((1, 0), (0, 1)))
    r, g, b = cv2.split(cv2.magnitude(x, y))
    return np.asarray(cv2.max(cv2.max(r, g), b), np.float32)


def _blurred(picture: F32, where: F32, sigma: float) -> F32:
    """Blur within `where`; on a smaller picture when sigma is large."""
    h, w = where.shape
    step = max(1, int(sigma / 2))
    size = (max(1, w // step), max(1, h // step))
    small = cv2.resize(picture * where[..., None], size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(where, size, interpolation=cv2.INTER_AREA)
    small, share = cv2.GaussianBlur(small, (0, 0), sigma / step), cv2.GaussianBlur(share, (0, 0), sigma / step)
    return np.asarray(
        cv2.resize(small / np.maximum(share, 1e-4)[..., None], (w, h), interpolation=cv2.INTER_CUBIC), np.float32
    )


def _dilated(hard: F32, radius: int) -> F32:
    """The mask grown by a radius, with soft borders as wide; on a smaller picture when that is large."""
    h, w = hard.shape
    step = max(1, radius // 3)
    small = cv2.resize(hard, (max(1, w // step), max(1, h // step)), interpolation=cv2.INTER_AREA)
    r = max(1, round(1.5 * radius / step))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1))
    grown = cv2.dilate((small > 0.02).astype(np.float32), disc)
    grown = cv2.blur(grown, (2 * max(1, r // 2) + 1,) * 2)
    return np.asarray(cv2.resize(grown, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
