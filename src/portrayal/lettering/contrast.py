"""Letters that can be read: the contrast of WCAG 2.2 (success criterion 1.4.3), measured and made.

Contrast is (L1 + 0.05) / (L2 + 0.05) of two relative luminances; 4.5 is asked for text. In a picture the ground differs
from pixel to pixel, so that the worst place counts, not the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from portrayal.imaging import F32, U8

LEAST: Final = 4.5
_AIM: Final = 5.4
"""What is aimed at: rounding to 8 bits, anti-aliasing and JPEG cost some."""
_LUMA: Final = np.array((0.2126, 0.7152, 0.0722), np.float32)
_FLARE: Final = 0.05

Colour = tuple[int, int, int]


@lru_cache(1)
def _linear() -> F32:
    """Linear light of the 256 codes of sRGB (IEC 61966-2-1)."""
    code = np.arange(256, dtype=np.float64) / 255
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _coded(light: F32) -> U8:
    """Linear light as codes of sRGB."""
    light = np.clip(light, 0, 1)
    code = np.where(light <= 0.0031308, 12.92 * light, 1.055 * cv2.pow(light, 1 / 2.4) - 0.055)
    return np.asarray(code * 255 + 0.5, np.uint8)


def luminance(rgb: U8) -> F32:
    """Relative luminance 0..1 of (..., 3) uint8 sRGB."""
    return np.asarray(_linear()[rgb] @ _LUMA, np.float32)


def ratio(first: Colour, second: Colour) -> float:
    """Contrast of two colours, 1..21."""
    a, b = (float(luminance(np.array(colour, np.uint8))) for colour in (first, second))
    return (max(a, b) + _FLARE) / (min(a, b) + _FLARE)


def measured(image: U8, coverage: F32, reach: int = 4, share: float = 0.01) -> float:
    """Contrast of letters in a finished picture to what surrounds them.

    Args:
        image: (h, w, 3) uint8.
        coverage: (h, w) of the letters, 0..1.
        reach: pixels around a letter that count as its surroundings.
        share: of the surroundings that may be worse: anti-aliased corners are no ground.

    Returns:
        The contrast of all but the worst `share` of the pixels around the letters; 21 where there are none.
    """
    light = luminance(image)
    solid = coverage > min(0.85, 0.8 * float(coverage.max()))
    if not solid.any():
        return 21.0
    side = 2 * reach + 1
    near = cv2.dilate(solid.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    ground = near & (cv2.dilate(coverage, np.ones((3, 3), np.uint8)) < 0.04)
    if not ground.any():
        return 21.0
    window = (4 * reach + 1, 4 * reach + 1)
    amount = cv2.boxFilter(solid.astype(np.float32), -1, window)
    ink = cv2.boxFilter(np.where(solid, light, 0).astype(np.float32), -1, window) / np.maximum(amount, 1e-6)
    a, b = ink[ground], light[ground]
    found = (np.maximum(a, b) + _FLARE) / (np.minimum(a, b) + _FLARE)
    return float(np.quantile(found, share))


def set_readable(
    image: U8,
    coverage: F32,
    inks: Sequence[Colour],
    reach: float = 6.0,
    spare: Sequence[tuple[float, float, float, float]] = (),
) -> tuple[U8, Colour]:
    """Letters in a picture, in the ink that needs least help, with as much shade or haze around as 4.5 : 1 takes.

    Light letters on a busy ground get a soft shadow, dark ones a soft glow, exactly where the ground needs it and
    nowhere else.

    Args:
        image: (h, w, 3) uint8; not changed.
        coverage: (h, w) float32 0..1 of the letters.
        inks: colours to choose from, the preferred one first.
        reach: radius in pixels of the surroundings that are made to contrast; the shade fades out over three of them.
        spare: boxes (x0, y0, x1, y1) of faces, which no shade reaches from letters beside them.

    Returns:
        The picture, and the ink that was chosen.
    """
    rows, columns = np.flatnonzero(coverage.max(axis=1) > 0.02), np.flatnonzero(coverage.max(axis=0) > 0.02)
    if not len(rows):
        return image, inks[0]
    room = round(9 * reach) + 2
    y0, y1 = max(0, rows[0] - room), min(image.shape[0], rows[-1] + room + 1)
    x0, x1 = max(0, columns[0] - room), min(image.shape[1], columns[-1] + room + 1)
    part, cover = image[y0:y1, x0:x1], np.clip(coverage[y0:y1, x0:x1], 0, 1)
    side = 2 * round(reach) + 1
    near = cv2.dilate((cover > 0.02).astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))) > 0
    light = luminance(part)
    chosen, keep, lift = _chosen(light, near, inks)
    if keep is not None:
        keep = _spread(keep, reach, darker=True)
        keep = 1 - (1 - keep) * _open(keep.shape, (x0, y0), spare, near)
        part = _coded(_linear()[part] * keep[..., None])
    elif lift is not None:
        lift = _spread(lift, reach, darker=False) * _open(light.shape, (x0, y0), spare, near)
        linear = _linear()[part]
        part = _coded(linear + (1 - linear) * lift[..., None])
    out = image.copy()
    mixed = part.astype(np.float32) * (1 - cover[..., None]) + np.array(chosen, np.float32) * cover[..., None]
    out[y0:y1, x0:x1] = np.asarray(mixed + 0.5, np.uint8)
    return out, chosen


def _open(
    shape: tuple[int, ...],
    corner: tuple[int, int],
    spare: Sequence[tuple[float, float, float, float]],
    near: np.ndarray,
) -> F32:
    """How much of a change of the ground is let through (h, w): none over faces, all of it right at the letters."""
    x = np.arange(shape[1], dtype=np.float32)[None] + corner[0]
    y = np.arange(shape[0], dtype=np.float32)[:, None] + corner[1]
    through = np.ones(shape[:2], np.float32)
    for x0, y0, x1, y1 in spare:
        # An ellipse through the corners of the box, and its soft rim.
        away = ((2 * x - x0 - x1) / (x1 - x0)) ** 2 + ((2 * y - y0 - y1) / (y1 - y0)) ** 2
        through = np.minimum(through, np.clip((np.sqrt(away) - 1.45) / 0.5, 0, 1).astype(np.float32))
    return np.where(near, 1, through).astype(np.float32)


def _chosen(light: F32, near: np.ndarray, inks: Sequence[Colour]) -> tuple[Colour, F32 | None, F32 | None]:
    """The ink whose ground needs least change; how much of the ground's light stays, or how much white it gets."""
    best: tuple[float, Colour, F32 | None, F32 | None] | None = None
    for place, ink in enumerate(inks):
        own = float(luminance(np.array(ink, np.uint8)))
        most = (own + _FLARE) / _AIM - _FLARE  # ground at most, under light ink
        least = _AIM * (own + _FLARE) - _FLARE  # ground at least, under dark ink
        if most > 0.004:
            keep = np.where(near, np.minimum(1, most / np.maximum(light, 1e-4)), 1).astype(np.float32)
            cost = float((1 - keep[near]).mean())
            answer: tuple[float, Colour, F32 | None, F32 | None] = (cost, ink, keep if cost > 0 else None, None)
        elif least < 0.96:
            lift = np.where(near, np.clip((least - light) / np.maximum(1 - light, 1e-3), 0, 1), 0).astype(np.float32)
            cost = 3.0 * float(lift[near].mean())  # haze looks worse than shade
            answer = (cost, ink, None, lift if cost > 0 else None)
        else:
            continue
        answer = (answer[0] + 0.42 * (place > 0), *answer[1:])
        if best is None or answer[0] < best[0]:
            best = answer
    if best is None:
        raise ValueError("no ink reaches the contrast on any ground")
    return best[1], best[2], best[3]


def _spread(change: F32, reach: float, *, darker: bool) -> F32:
    """A change of the ground that fades out; at least as strong as asked everywhere."""
    side = 2 * round(reach) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    grown = cv2.erode(change, kernel) if darker else cv2.dilate(change, kernel)
    soft = cv2.GaussianBlur(grown, (0, 0), max(0.8, 0.9 * reach))
    soft = np.minimum(soft, change) if darker else np.maximum(soft, change)
    # Half of it again, far and wide, so that no halo is seen.
    part = max(1, round(reach))
    size = change.shape[1] // part + 1, change.shape[0] // part + 1
    wide = cv2.resize(grown, size, interpolation=cv2.INTER_AREA)
    wide = cv2.erode(wide, np.ones((3, 3), np.uint8)) if darker else cv2.dilate(wide, np.ones((3, 3), np.uint8))
    wide = cv2.resize(cv2.GaussianBlur(wide, (0, 0), 1.8), change.shape[::-1], interpolation=cv2.INTER_LINEAR)
    if darker:
        return np.asarray(np.minimum(soft, 0.45 + 0.55 * wide), np.float32)
    return np.asarray(np.maximum(soft, 0.55 * wide), np.float32)
