"""Grain of a photograph in what was painted: where copying and voting lost it, noise of the same size and strength.

The grain is read off the calmest blocks (their covariance of colours and their power spectrum) and made new from white
noise with random phases (Galerne, Gousseau and Morel, "Random phase textures", 2011).
"""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.imaging import F32, Array, Bool

_BLOCK = 32
_FINE = 2.5  # sigma: what is finer counts as grain
_WINDOW = 17  # pixels over which the painting's own detail is measured
_TILE = 384
_LEAST = 0.002  # deviation (codes 0..1) under which a picture has no grain


def regrained(painted: F32, hole: Bool, source: Bool, seed: int) -> F32:
    """The painting with as much grain as the calm parts of its surroundings have.

    Args:
        painted: (h, w, 3) float32 0..1.
        hole: (h, w) what was painted; only this changes.
        source: (h, w) where the surroundings' grain is.
        seed: of the noise.
    """
    fine = painted - cv2.GaussianBlur(painted, (0, 0), _FINE)
    blocks = _calm(painted, fine, source)
    if blocks is None:
        return painted
    flat = blocks.reshape(-1, 3)
    deviation = float(np.sqrt(np.mean(flat.mean(1) ** 2)))
    if deviation < _LEAST:
        return painted
    ys, xs = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
    box = np.s_[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
    own = cv2.blur(np.square(fine[box].mean(2)), (_WINDOW, _WINDOW))
    missing = np.sqrt(np.clip(1 - own / np.float32(deviation**2), 0, 1)) * hole[box]
    noise = _noise(blocks, own.shape, seed)
    out = painted.copy()
    out[box] += noise * missing[..., None]
    return out


def _calm(picture: F32, fine: F32, source: Bool) -> Array | None:
    """(n, 32, 32, 3) fine detail of the calmest blocks; None when there are too few."""
    rows, columns = (n // _BLOCK for n in source.shape)
    if not rows or not columns:
        return None
    grey, detail = cv2.transform(picture, np.full((1, 3), 1 / 3)), cv2.transform(fine, np.full((1, 3), 1 / 3))
    size = (columns, rows)
    part = np.s_[: rows * _BLOCK, : columns * _BLOCK]
    sure = cv2.resize(source[part].astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.999
    level = cv2.resize(grey[part], size, interpolation=cv2.INTER_AREA)
    rough = cv2.resize(np.square(detail[part]), size, interpolation=cv2.INTER_AREA)
    good = np.flatnonzero((sure & (level > 0.04) & (level < 0.96)).ravel())
    if len(good) < 3:
        return None
    order = good[np.argsort(rough.ravel()[good], kind="stable")]
    chosen = order[len(order) // 20 : len(order) // 20 + max(3, min(24, len(order) // 5))]
    y, x = chosen // columns * _BLOCK, chosen % columns * _BLOCK
    return np.stack([fine[j : j + _BLOCK, i : i + _BLOCK] for j, i in zip(y, x, strict=True)])


def _noise(blocks: Array, shape: tuple[int, ...], seed: int) -> F32:
    """(h, w, 3) noise with the colours' covariance and the spectrum of some blocks."""
    grey = blocks.mean(3)
    window = np.hanning(_BLOCK)[:, None] * np.hanning(_BLOCK)
    power = (np.abs(np.fft.fft2((grey - grey.mean((1, 2), keepdims=True)) * window)) ** 2).mean(0)
    kernel = np.fft.fftshift(np.fft.ifft2(np.sqrt(power)).real)
    middle = _BLOCK // 2
    kernel = kernel[middle - 6 : middle + 7, middle - 6 : middle + 7]
    kernel /= np.sqrt(np.square(kernel).sum())
    colours = np.linalg.cholesky(np.cov(blocks.reshape(-1, 3).T) + 1e-9 * np.eye(3))
    size = (min(shape[0], _TILE), min(shape[1], _TILE))
    white = np.random.default_rng([seed, 211]).standard_normal((*size, 3), np.float32)
    tile = cv2.transform(cv2.filter2D(white, -1, kernel, borderType=cv2.BORDER_REFLECT), colours)
    return np.asarray(
        np.tile(tile, (-(-shape[0] // size[0]), -(-shape[1] // size[1]), 1))[: shape[0], : shape[1]], np.float32
    )
