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
    local = np.sqrt(cv2.GaussianBlur(band * band, (0, 0), 2.0 * scale / step))
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
    pore = pore - 0.22 * (pore * pore - 1)  # pits are deeper than the skin between them is high
    small = (shape[0] // 8 + 2, shape[1] // 8 + 2)
    patches = cv2.GaussianBlur(_noise(small, seed + 1), (0, 0), max(0.8, 0.5 * millimetre))
    patches = 1 + 0.3 * patches / (float(patches.std()) + 1e-9)
    wide = cv2.resize(patches, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(pore * np.clip(wide, 0.3, 1.7), np.float32)


@njit(nogil=True, cache=True, fastmath=True)
def _strands(noise: F32, tx: F32, ty: F32, weight: F32, half: int, out: F32, a: int, b: int) -> None:
    # Line integral convolution (Cabral and Leedom 1993); tx, ty at half size.
    height, width = noise.shape
    for y in range(a, b):
        for x in range(width):
            if weight[y, x] < 0.02:
                out[y, x] = 0.0
                continue
            total = np.float32(noise[y, x])
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
                    total += noise[int(py + 0.5), int(px + 0.5)] * (1.0 - k / half)
            out[y, x] = total


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


def strands(luma: F32, weight: F32, scale: float, seed: int) -> F32:
    """Hair: noise drawn out along the strands, about unit variance where `weight` is above 0."""
    noise = np.asarray(cv2.GaussianBlur(_noise(luma.shape, seed), (0, 0), 0.6), np.float32)
    tx, ty, sure = directions(luma, 1.3 * scale)
    out = np.empty_like(noise)
    bands(lambda a, b: _strands(noise, tx, ty, weight, _STRAND, out, a, b), luma.shape[0])
    out = _band(out, 0.0, 0.4 * scale)
    level = out[weight > 0.5]
    if not level.size:
        return out
    # Where strands cross or curl, a drawn-out noise would be a swirl of paint.
    clear = np.clip((cv2.resize(sure, luma.shape[::-1], interpolation=cv2.INTER_LINEAR) - 0.2) / 0.45, 0, 1)
    return np.asarray(out * clear / (float(level.std()) + 1e-6), np.float32)


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
    skin = np.clip(0.006 + 0.35 * local, 0.007, 0.019) * lit
    amount = (shown.skin + 0.4 * shown.lips) * skin
    cloth = np.clip(0.004 + 0.22 * local, 0.004, 0.03)
    texture = pore * (amount + shown.cloth * cloth)
    hair = np.clip(0.45 * local, 0.005, 0.04)
    texture += strands(luma, shown.hair, scale, seed + 7) * shown.hair * hair
    return np.asarray(luma + (luma + 0.03) * texture * strength, np.float32)
