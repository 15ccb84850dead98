"""The style code nearest to a picture.

What a style did to a picture cannot be told from what was there. So the picture is first made plain, as an average
photograph is (pale colours grey, usual saturation and contrast), and then that code is looked for which brings the
plain colours nearest to the seen ones.
"""

from __future__ import annotations

from itertools import product
from typing import Final

import cv2
import numpy as np

from portrayal.imaging import F32, U8
from portrayal.styles.apply import _GRAIN, _WARM, colours
from portrayal.styles.code import SCHEMES, StyleCode, steps
from portrayal.styles.oklab import to_oklab

_SIDE: Final = 40  # the longer side of the picture whose colours are compared
_SKIN: Final = 0.15  # weight of skin, on which styles hardly show
# Of the average photograph: range of lightness (10 % to 90 %), mean chroma, and film grain in display codes.
_RANGE: Final = 0.56
_CHROMA: Final = 0.062
_OWN_GRAIN: Final = 0.009
# Pictures differ by nature: this share (of the logarithm) of what is unusual is taken for the style.
_TRUST: Final = 0.3
_NATURAL: Final = 0.014  # chroma of a tint that any scene may have
_PALE: Final = (0.02, 0.04)  # chroma of what may be grey under the tint
_EFFORT: Final = 0.02  # what a palette at full strength must gain
_GREY: Final = 0.012
_BLOCK: Final = 8


def nearest(image: U8, skin: F32 | None = None) -> StyleCode:
    """The photographic style code that leads an ordinary picture nearest to the colours of this one.

    Args:
        image: (h, w, 3) uint8.
        skin: (h, w) float32 0..1, where people's skin is; it tells little of the style.
    """
    lab, weight = _samples(image, skin)
    light, chroma = lab[:, 0], np.hypot(lab[:, 1], lab[:, 2])
    grain = _grain_of(image)
    low, high = _quantiles(light, weight, (0.1, 0.9))
    contrast = float(np.clip((high - low) / _RANGE, 0.4, 2.0)) ** _TRUST
    contrast = 1 + 0.7 * (contrast - 1)
    look = _monochrome(lab, weight)
    if look is not None:
        return StyleCode(look=look, contrast=contrast, grain=grain)
    saturation = float(np.clip(np.average(chroma, weights=weight) / _CHROMA, 0.2, 3.0)) ** _TRUST
    saturation = float(np.clip(saturation, *_ends("saturation")))
    plain, warmth = _plain(lab, weight, saturation, contrast)
    wanted = _statistics(lab, weight)
    start = StyleCode(contrast=contrast, saturation=saturation, warmth=warmth, grain=grain)
    best, cost = start, _cost(plain, weight, start, wanted)

    def try_all(hues: tuple[float, ...], strengths: tuple[float, ...], schemes: tuple[str, ...]) -> None:
        nonlocal best, cost
        for hue, strength, scheme, warm in product(
            hues, strengths, schemes, (0.0, warmth) if abs(warmth) > 0.2 else (0.0,)
        ):
            code = StyleCode("photo", hue, scheme, strength, start.contrast, start.saturation, start.grain, 0.0, warm)
            found = _cost(plain, weight, code, wanted)
            if found < cost - 1e-6:
                best, cost = code, found

    try_all(tuple(22.5 * i for i in range(16)), (0.3, 0.7), SCHEMES)
    if best.strength > 0:
        near = tuple((best.hue + d) % 360 for d in (-11.25, 0.0, 11.25))
        try_all(near, tuple(float(s) for s in steps("strength")[1:]), (best.scheme,))
    return best


def _ends(field: str) -> tuple[float, float]:
    values = [float(v) for v in steps(field)]
    return min(values), max(values)


def _samples(image: U8, skin: F32 | None) -> tuple[F32, F32]:
    """Colours (n, 3) of the picture in Oklab, and their weights (n,)."""
    height, width = image.shape[:2]
    k = _SIDE / max(height, width)
    size = (max(4, round(width * k)), max(4, round(height * k)))
    # Every few pixels one that is averaged a little: averages of large areas would all be grey.
    soft = cv2.resize(image, (4 * size[0], 4 * size[1]), interpolation=cv2.INTER_AREA)[1::4, 1::4]
    weight = np.ones(soft.shape[:2], np.float32)
    if skin is not None:
        weight -= (1 - _SKIN) * np.asarray(cv2.resize(skin, soft.shape[1::-1], interpolation=cv2.INTER_AREA))
    return to_oklab(np.asarray(soft, np.uint8)).reshape(-1, 3), np.asarray(np.maximum(weight, 1e-3).ravel(), np.float32)


def _quantiles(values: F32, weight: F32, shares: tuple[float, ...]) -> list[float]:
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(weight[order])
    return [float(values[order[int(np.searchsorted(sums, q * sums[-1]))]]) for q in shares]


def _monochrome(lab: F32, weight: F32) -> str | None:
    """Black and white or sepia, when there is one hue at most."""
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    if _quantiles(chroma, weight, (0.97,))[0] < _GREY:
        return "black and white"
    # In a toned print the colour follows from the lightness alone.
    terms = np.column_stack([np.ones(len(lab)), lab[:, 0], lab[:, 0] ** 2, lab[:, 0] ** 3])
    root = np.sqrt(weight)[:, None]
    fitted = np.linalg.lstsq(terms * root, lab[:, 1:] * root, rcond=None)[0]
    rest = np.hypot(*(lab[:, 1:] - terms @ fitted).T)
    if _quantiles(np.asarray(rest, np.float32), weight, (0.97,))[0] < _GREY:
        a, b = np.average(lab[:, 1:], axis=0, weights=weight)
        return "sepia" if b > 0.01 and 20 < np.degrees(np.arctan2(b, a)) < 110 else None
    return None


def _zones(light: F32) -> F32:
    """Membership (n, 3) of shadows, mid-tones and lights."""
    middles = np.array([0.25, 0.55, 0.85], np.float32)
    return np.asarray(np.exp(-0.5 * ((light[:, None] - middles) / 0.15) ** 2) + 1e-6, np.float32)


def _plain(lab: F32, weight: F32, saturation: float, contrast: float) -> tuple[F32, float]:
    """(colours (n, 3) as an average photograph would have them, warmth that was taken out)."""
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    reach = float(np.clip(_quantiles(chroma, weight, (0.4,))[0], *_PALE))
    pale = weight * np.exp(-((chroma / reach) ** 2))
    zones = _zones(lab[:, 0]) * pale[:, None]
    known = zones.sum(0) / weight.sum()
    tints = zones.T @ lab[:, 1:] / zones.sum(0)[:, None]
    tints = tints * np.clip(known / 0.05, 0, 1)[:, None]
    # Small tints are the scene's own.
    size = np.maximum(np.hypot(*tints.T), 1e-6)[:, None]
    tints = tints * np.clip(1 - (_NATURAL / size) ** 2, 0, 1)
    share = _zones(lab[:, 0])
    own = (share / share.sum(1, keepdims=True)) @ tints
    plain = lab.copy()
    plain[:, 1:] = (lab[:, 1:] - 0.8 * own) / saturation
    middle = np.average(lab[:, 0], weights=weight)
    plain[:, 0] = np.clip(middle + (lab[:, 0] - middle) / contrast, 0, 1)
    warm = np.array(_WARM) / np.hypot(*_WARM)
    return plain, float(np.clip(tints[1] @ warm / np.hypot(*_WARM), *_ends("warmth")))


def _statistics(lab: F32, weight: F32) -> F32:
    """(n,) Mean colours of shadows, mid-tones and lights, of pale and of strong colours, and spreads."""
    w = weight / weight.sum()
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    zones = _zones(lab[:, 0]) * w[:, None]
    known = zones.sum(0)
    tints = (zones.T @ lab[:, 1:]) / known[:, None] * np.minimum(1, known / 0.05)[:, None]
    mean = w @ lab
    angle = np.arctan2(lab[:, 2], lab[:, 1])
    hues = [(w * chroma) @ np.maximum(0, np.cos(angle - t)) ** 3 for t in np.arange(8) * (np.pi / 4)]
    spread = float(np.sqrt(w @ (lab[:, 0] - mean[0]) ** 2))
    return np.concatenate([tints.ravel(), mean[1:], [w @ chroma], hues, [0.5 * spread]]).astype(np.float32)


def _cost(plain: F32, weight: F32, code: StyleCode, wanted: F32) -> float:
    found = _statistics(colours(plain, code), weight)
    return float(np.linalg.norm(found - wanted)) + _EFFORT * code.strength


def _grain_of(image: U8) -> float:
    """Grain 0..1 as a style code has it, from the quietest blocks of the picture."""
    height, width = image.shape[:2]
    k = 1024 / max(256, min(height, width))
    scaled = image
    if k < 1:
        scaled = np.asarray(cv2.resize(image, (round(width * k), round(height * k)), interpolation=cv2.INTER_AREA))
    luma = scaled.astype(np.float32) @ np.array([0.2126, 0.7152, 0.0722], np.float32) / np.float32(255)
    rest = luma - cv2.GaussianBlur(luma, (0, 0), 3.0)
    rows, columns = (n // _BLOCK * _BLOCK for n in rest.shape)
    if not rows or not columns:
        return 0.0

    def blocks(values: F32) -> F32:
        return values[:rows, :columns].reshape(rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK)

    power, level = (blocks(rest) ** 2).mean((1, 3)), blocks(luma).mean((1, 3))
    quiet = (level > 0.2) & (level < 0.92)
    if quiet.sum() < 16:
        return 0.0
    strength = 0.3 + 2.8 * level[quiet] * (1 - level[quiet])
    deviation = float(np.percentile(np.sqrt(power[quiet]) / strength, 20))
    return float(np.clip((np.sqrt(max(deviation**2 - _OWN_GRAIN**2, 0.0))) / (0.85 * _GRAIN), 0, 1))
