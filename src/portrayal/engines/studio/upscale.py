"""A whole picture two or four times as large.

The picture teaches itself the filters that sharpen its own enlargement (`enlarge.filters`, RAISR without a training
set), edges are thinned and held within what the picture shows around them, and iterative back-projection (Irani and
Peleg 1991) makes sure that the result, made small again, is the picture that was given. Worked in tiles, so that the
memory that is needed does not grow with the picture.

What this is not: a network that paints pores, lashes or letters which the picture does not hold. Nothing is invented
but a grain as fine and as weak as the picture's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from portrayal import imaging
from portrayal.engines.studio.enlarge import denoise, filters, sharpen
from portrayal.engines.studio.enlarge.frame import Frame
from portrayal.engines.studio.types import Notes, Speed
from portrayal.errors import ImageReadError, ImageTooLargeError, ImageTooSmallError, InvalidRequestError
from portrayal.imaging import F32, U8

FACTORS: Final = (2, 4)
# What a four times enlarged picture must say of itself.
NO_DETAIL: Final = "enlarged 4 times: edges are sharp, but no detail was invented that the picture does not show"
_TILE: Final = 448  # pixels of the given picture
_MARGIN: Final = 24  # what the filters and four back-projections can see beyond a tile
_LESSON: Final = 1280  # side of the middle part that teaches the filters
_THIN: Final = 0.25
_CRISP: Final = 0.22
_SLACK: Final = 0.12
_ROUNDS: Final = {"turbo": 0, "balanced": 1, "quality": 3}
_GRAIN: Final = 0.5  # of the picture's own noise
_GRAIN_TILE: Final = 1024


@dataclass(frozen=True)
class _Method:
    """What all tiles share: the factor, the filters (None = turbo), the grain (tile of noise) and the speed."""

    factor: int
    bank: filters.FilterBank | None
    grain: F32
    speed: Speed
    level: float


def upscale(image: U8, factor: int, *, speed: Speed, notes: Notes) -> U8:
    """Enlarge a picture; faces, letters and edges keep their shape.

    Made small again by averaging, the result is the given picture within about half a code (the mean over all pixels;
    edges between black and white may differ by some more). It shows no detail that the given picture does not hold: a
    face of 40 pixels becomes a clean face, not one with pores.

    Args:
        image: (h, w, 3) uint8, 64 px a side or more.
        factor: 2 or 4.
        speed: turbo sharpens a cubic enlargement; balanced learns filters; quality refines the edges three times.
        notes: gets a warning at a factor of 4.

    Returns:
        (factor * h, factor * w, 3) uint8.

    Raises:
        InvalidRequestError: another factor.
        ImageReadError: no (h, w, 3) uint8 array.
        ImageTooSmallError: a side under 64 px.
        ImageTooLargeError: the result would be over 80 megapixels.
    """
    _check(image, factor)
    if factor == 4:
        notes.warnings.append(NO_DETAIL)
    height, width = image.shape[:2]
    out = np.empty((height * factor, width * factor, 3), np.uint8)
    method = _method(image, factor, speed)
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            _tile(image, out, top, left, method)
    return out


def _check(image: U8, factor: int) -> None:
    if factor not in FACTORS:
        raise InvalidRequestError(f"{factor} is no factor of enlargement", field="factor", remedy="Use 2 or 4.")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ImageReadError(
            f"an array of shape {image.shape} and type {image.dtype} is no picture",
            field="image",
            remedy="Give (height, width, 3) uint8 RGB.",
        )
    height, width = image.shape[:2]
    if min(height, width) < imaging.MIN_SIDE:
        raise ImageTooSmallError(
            f"{width}x{height} px is too small", field="image", remedy=f"At least {imaging.MIN_SIDE} px a side."
        )
    if height * width * factor * factor > imaging.MAX_PIXELS:
        most = f"{imaging.MAX_PIXELS // 1_000_000} megapixels"
        smaller = height * width * 4 <= imaging.MAX_PIXELS and factor == 4
        raise ImageTooLargeError(
            f"{width}x{height} px enlarged {factor} times is more than {most}",
            field="factor" if smaller else "image",
            remedy="Use factor 2." if smaller else "It is large enough; make it smaller first if you must.",
        )


def _method(image: U8, factor: int, speed: Speed) -> _Method:
    """Learn from the middle of the picture, where the faces are in most."""
    height, width = image.shape[:2]
    y, x = max(0, (height - _LESSON) // 2), max(0, (width - _LESSON) // 2)
    part = np.ascontiguousarray(image[y : y + _LESSON, x : x + _LESSON]).astype(np.float32) / np.float32(255)
    luma = denoise.split(part)[0]
    everywhere = np.ones_like(luma)
    level = denoise.noise_level(luma, everywhere)
    flat = float(luma.std()) < 1e-3  # one colour teaches nothing
    bank = None if flat or speed == "turbo" else filters.learn(luma, everywhere, 2.0)
    return _Method(factor, bank, _grain(factor) * np.float32(_GRAIN * min(level, 0.012)), speed, level)


def _grain(factor: int) -> F32:
    """Noise (1024, 1024) of unit deviation that is zero in the mean over every `factor` x `factor` pixels."""
    random = np.random.default_rng(1976)
    noise = random.standard_normal((_GRAIN_TILE, _GRAIN_TILE), np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.7), np.float32)
    side = _GRAIN_TILE // factor
    noise = noise - noise.reshape(side, factor, side, factor).mean((1, 3)).repeat(factor, 0).repeat(factor, 1)
    return np.asarray(noise / noise.std(), np.float32)


def _tile(image: U8, out: U8, top: int, left: int, method: _Method) -> None:
    """Enlarge one tile into `out`; what it needs beyond its borders is read from the picture."""
    height, width = image.shape[:2]
    y0, x0 = max(0, top - _MARGIN), max(0, left - _MARGIN)
    y1, x1 = min(height, top + _TILE + _MARGIN), min(width, left + _TILE + _MARGIN)
    part = np.ascontiguousarray(image[y0:y1, x0:x1]).astype(np.float32) / np.float32(255)
    luma, red, blue = denoise.split(part)
    large = _luma(luma, method)
    gain = np.asarray(large - _enlarged(luma, method.factor), np.float32)
    f = method.factor
    rows, columns = min(_TILE, height - top), min(_TILE, width - left)
    inner = np.s_[f * (top - y0) : f * (top - y0 + rows), f * (left - x0) : f * (left - x0 + columns)]
    red, blue = (_colour(luma, colour, gain, f) for colour in (red, blue))
    grained = _grained(large[inner], f * top, f * left, method.grain)
    codes = denoise.join(grained, np.ascontiguousarray(red[inner]), np.ascontiguousarray(blue[inner]))
    out[f * top : f * (top + rows), f * left : f * (left + columns)] = codes * np.float32(255) + np.float32(0.5)


def _enlarged(small: F32, factor: int, how: int = cv2.INTER_CUBIC) -> F32:
    size = (small.shape[1] * factor, small.shape[0] * factor)
    return np.asarray(cv2.resize(small, size, interpolation=how), np.float32)


def _settled(large: F32, small: F32, factor: int) -> F32:
    """One step of back-projection: what is wrong after averaging is added back."""
    again = cv2.resize(large, small.shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(large + _enlarged(np.asarray(small - again, np.float32), factor), np.float32)


def _luma(luma: F32, method: _Method) -> F32:
    factor = method.factor
    height, width = luma.shape
    frame = Frame(float(factor), (factor - 1) / 2, (factor - 1) / 2, width * factor, height * factor)
    calm = denoise.clean_luma(luma, np.zeros_like(luma), method.level)
    allowed = sharpen.limits(calm, frame, _SLACK)
    if method.bank is None:
        large = _enlarged(calm, factor)
        soft = cv2.GaussianBlur(large, (0, 0), 0.55 * factor)
        large = sharpen.hold(np.asarray(large + 0.8 * (large - soft), np.float32), allowed)
        return _settled(large, luma, factor)
    large = calm
    for _ in range(factor // 2):
        large = filters.apply(method.bank, _enlarged(large, 2))
    large = sharpen.hold(_settled(large, calm, factor), allowed)
    for _ in range(_ROUNDS[method.speed]):
        thinner = sharpen.thin(large, float(factor), _THIN)
        large = sharpen.hold(_settled(thinner, calm, factor), allowed)
    crisp = large + _CRISP * (large - cv2.GaussianBlur(large, (0, 0), 0.7 * factor))
    large = sharpen.hold(np.asarray(crisp, np.float32), allowed)
    return _settled(large, luma, factor)


def _colour(luma: F32, colour: F32, gain: F32, factor: int) -> F32:
    """A colour difference; it gets its own share of the luma's new sharpness."""
    slope = denoise.slope(luma, colour, 5, 4e-4)[0]
    share = _enlarged(np.asarray(np.clip(slope, -0.7, 0.7), np.float32), factor, cv2.INTER_LINEAR)
    return _settled(np.asarray(_enlarged(colour, factor) + share * gain, np.float32), colour, factor)


def _grained(luma: F32, top: int, left: int, grain: F32) -> F32:
    """Luma with the grain of its place in the picture; highlights and blacks have none."""
    down = np.arange(top, top + luma.shape[0]) % _GRAIN_TILE
    across = np.arange(left, left + luma.shape[1]) % _GRAIN_TILE
    weight = np.clip(8 * luma, 0, 1) * np.clip(8 * (1 - luma), 0, 1)
    return np.asarray(luma + grain[np.ix_(down, across)] * weight, np.float32)
