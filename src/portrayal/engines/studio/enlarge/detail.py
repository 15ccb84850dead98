"""What an enlargement cannot know: pores, strands and threads, at the strength that the person's own texture suggests.

All texture is noise without any low frequency, so that the picture made small again is still the reference. It
multiplies the luma: strong enough that skin is not wax, weak enough that nobody sees it as grain. The strengths come
from portraits with faces of 290 to 360 px, where the finest band (below 2 px) of cheeks and foreheads has a relative
contrast of 1.6 to 3.6 %.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numba import njit

from portrayal.engines.studio.enlarge.filters import structure
from portrayal.engines.studio.enlarge.masks import Parts
from portrayal.imaging import F32
from portrayal.parallel import bands

_TILE: Final = 512
_STRAND: Final = 8  # steps of the line integral on each side


def _noise(shape: tuple[int, int], seed: int) -> F32:
    # One tile, repeated: nobody sees the repeat of noise without low frequencies.
    tile = np.random.default_rng(seed).standard_normal((_TILE, _TILE), np.float32)
    down, across = -(-shape[0] // _TILE), -(-shape[1] // _TILE)
    return np.ascontiguousarray(np.tile(tile, (down, across))[: shape[0], : shape[1]])


def _band(picture: F32, fine: float, coarse: float) -> F32:
    """Picture between two Gaussian scales in pixels; fine below 0.3 keeps everything fine."""
    top = cv2.GaussianBlur(picture, (0, 0), fine) if fine >= 0.3 else picture
    return np.asarray(top - cv2.GaussianBlur(picture, (0, 0), coarse), np.float32)


def _contrast(log_luma: F32, scale: float) -> F32:
    """Local strength of the finest structure that the reference still shows: relative, (H, W)."""
    step = max(1.0, scale / 1.5)
    height, width = log_luma.shape
    size = (max(8, round(width / step)), max(8, round(height / step)))
    small = cv2.resize(log_luma, size, interpolation=cv2.INTER_AREA)
    band = _band(np.asarray(small, np.float32), 0.5 * scale / step, 1.2 * scale / step)
    # The mean of the logarithm: one edge in the window does not make its surroundings rough.
    local = 1.7 * np.exp(cv2.GaussianBlur(np.log(np.abs(band) + 5e-4), (0, 0), 2.0 * scale / step))
    return np.asarray(cv2.resize(local, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def pores(shape: tuple[int, int], millimetre: float, seed: int) -> F32:
    """Skin: blue noise of pores, darker than lighter, in patches; about unit variance.

    Args:
        shape: (H, W).
        millimetre: canvas pixels per millimetre of skin.
        seed: of the noise.
    """
    fine = max(0.45, 0.2 * millimetre)
    pore = _band(_noise(shape, seed), fine, 2.2 * fine)
    pore /= float(pore.std()) + 1e-9
    pore = np.clip(pore - 0.12 * (pore * pore - 1), -2.4, 2.0)  # pits are deeper than the skin between is high
    small = (shape[0] // 8 + 2, shape[1] // 8 + 2)
    patches = cv2.GaussianBlur(_noise(small, seed + 1), (0, 0), max(0.8, 0.5 * millimetre))
    patches = 1 + 0.3 * patches / (float(patches.std()) + 1e-9)
    wide = cv2.resize(patches, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(pore * np.clip(wide, 0.3, 1.7), np.float32)


@njit(nogil=True, cache=True, fastmath=True)
def _along(picture: F32, tx: F32, ty: F32, weight: F32, half: int, out: F32, a: int, b: int) -> None:
    # Line integral convolution (Cabral and Leedom 1993), a triangle of `half` steps on each side; tx, ty at half size.
    height, width = picture.shape
    for y in range(a, b):
        for x in range(width):
            out[y, x] = 0.0
            if weight[y, x] < 0.02:
                continue
            total = picture[y, x]
            for side in (-1.0, 1.0):
                px, py = float(x), float(y)
                lx = tx[y >> 1, x >> 1] * side
                ly = ty[y >> 1, x >> 1] * side
                for k in range(half):
                    i, j = int(py + 0.5), int(px + 0.5)
                    vx, vy = tx[i >> 1, j >> 1], ty[i >> 1, j >> 1]
                    if vx * lx + vy * ly < 0:
                        vx, vy = -vx, -vy
                    lx, ly = vx, vy
                    px = min(max(px + vx, 0.0), width - 1.0)
                    py = min(max(py + vy, 0.0), height - 1.0)
                    total += picture[int(py + 0.5), int(px + 0.5)] * (1.0 - (k + 1) / (half + 1))
            out[y, x] = total / (half + 1)


def along_strands(picture: F32, luma: F32, weight: F32, scale: float, half: int) -> tuple[F32, F32]:
    """A picture averaged along the strands of `luma`, where `weight` is above 0 (elsewhere 0).

    Returns:
        the average (H, W), and how sure the direction is (H, W), 0..1.
    """
    tx, ty, sure = directions(luma, 1.5 * scale)
    out = np.empty_like(picture)
    bands(lambda a, b: _along(picture, tx, ty, weight, half, out, a, b), luma.shape[0])
    clear = cv2.resize(sure, (luma.shape[1], luma.shape[0]), interpolation=cv2.INTER_LINEAR)
    return out, np.asarray(np.clip((clear - 0.15) / 0.4, 0, 1), np.float32)


def directions(luma: F32, sigma: float) -> tuple[F32, F32, F32]:
    """Unit vectors (x, y) along the strands of a picture and how sure they are (0..1), at half its size.

    `sigma` is the window in pixels of the picture.
    """
    height, width = luma.shape
    size = ((width + 2) // 2, (height + 2) // 2)
    small = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.float32)
    small = np.asarray(cv2.GaussianBlur(small, (0, 0), max(0.5, sigma / 4)), np.float32)
    xx, xy, yy = structure(small, max(0.8, sigma / 2))
    angle = 0.5 * cv2.phase(xx - yy, 2 * xy) + np.float32(math.pi / 2)
    sure = np.hypot(xx - yy, 2 * xy) / (xx + yy + 1e-6)
    return np.cos(angle), np.sin(angle), np.asarray(sure, np.float32)


def strand_noise(luma: F32, weight: F32, scale: float, seed: int) -> F32:
    """Noise drawn out along the strands, about unit variance where `weight` is above 0 (elsewhere 0)."""
    noise = np.asarray(cv2.GaussianBlur(_noise((luma.shape[0], luma.shape[1]), seed), (0, 0), 0.6), np.float32)
    out, clear = along_strands(noise, luma, weight, scale, _STRAND)
    return np.asarray(_band(out, 0.0, 0.4 * scale) * clear * 7.0, np.float32)


def add(luma: F32, shown: Parts, scale: float, strength: float, seed: int) -> F32:
    """Luma with the texture that the reference was too small for.

    Args:
        luma: (H, W) float32 0..1, enlarged.
        shown: parts of the person on the canvas.
        scale: how much the picture was enlarged.
        strength: 0..1, how much of the finest band is missing.
        seed: of the noise.
    """
    log_luma = np.log(luma + 0.03)
    local = _contrast(np.asarray(log_luma, np.float32), scale)
    millimetre = shown.face_height / 180 if shown.face_height else scale / 2
    pore = pores((luma.shape[0], luma.shape[1]), millimetre, seed)
    # Highlights are smooth film; deep shadow has no pores to see.
    lit = np.clip((0.97 - luma) / 0.25, 0.25, 1) * np.clip(luma / 0.25, 0.2, 1)
    skin = np.clip(0.0075 + 0.48 * local, 0.010, 0.022) * lit
    amount = (shown.skin + 0.4 * shown.lips) * skin
    cloth = np.clip(0.004 + 0.22 * local, 0.004, 0.03)
    texture = pore * (amount + shown.cloth * cloth)
    hair = np.clip(0.45 * local, 0.005, 0.04)
    texture += strand_noise(luma, shown.hair, scale, seed + 7) * shown.hair * hair
    return np.asarray(luma + (luma + 0.03) * texture * strength, np.float32)
