"""Enlargement of a small photograph of a person, without network weights.

Balanced and quality, from the small picture to the canvas:

1. `denoise`: colour blotches and grain are taken away before they are made large.
2. `filters`: the picture teaches itself the filters that sharpen its own enlargement; applied in steps of up to twice.
3. `sharpen`: edges are thinned, held within what the reference shows around them, and corrected until the picture made
   small again is the reference.
4. `detail`: pores, strands and threads, where and as strong as the person has them.

Turbo does bicubic enlargement with held sharpening. Large references are resampled and hardly touched.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from portrayal.engines.studio.enlarge import denoise, detail, filters, sharpen
from portrayal.engines.studio.enlarge.frame import Frame
from portrayal.engines.studio.enlarge.masks import Parts, label_weight, parts
from portrayal.engines.studio.types import Speed
from portrayal.imaging import F32, U8
from portrayal.perception.types import FACE, SKIN

__all__ = ["Frame", "enlarge"]

_MARGIN = 12
_STEP = 2.05  # largest enlargement that one pass of the filters does


def enlarge(rgb: F32, alpha: F32, regions: U8, points: F32 | None, frame: Frame, speed: Speed, seed: int = 0) -> F32:
    """The reference on the canvas, as sharp as it can be made.

    Args:
        rgb: (h, w, 3) float32 0..1 display code of the reference.
        alpha: (h, w) float32 matte; only the person teaches the filters.
        regions: (h, w) uint8 labels of `portrayal.perception.types`.
        points: (478, 3) landmarks on the canvas, or None.
        frame: where the canvas lies on the reference.
        speed: turbo, balanced or quality.
        seed: of the texture.

    Returns:
        (frame.height, frame.width, 3) float32 0..1. Beyond the reference its border pixels go on.
    """
    height, width = alpha.shape
    x0, y0, x1, y1 = frame.window(width, height, _MARGIN)
    part = np.s_[y0:y1, x0:x1]
    rgb, alpha, regions = np.ascontiguousarray(rgb[part], np.float32), alpha[part], regions[part]
    frame = frame.inside(x0, y0)
    if frame.scale <= 1.2:
        return _resample(rgb, frame)
    if speed == "turbo":
        return _quick(rgb, frame)
    return _thorough(rgb, alpha, regions, points, frame, speed, seed)


def _resample(rgb: F32, frame: Frame) -> F32:
    large = frame.warp(rgb, cv2.INTER_LANCZOS4 if frame.scale > 0.8 else cv2.INTER_CUBIC)
    luma, red, blue = denoise.split(large)
    soft = cv2.GaussianBlur(luma, (0, 0), 0.8)
    # Capture sharpening: what resampling itself has softened.
    luma = np.asarray(luma + 0.3 * np.clip(luma - soft, -0.04, 0.04), np.float32)
    return denoise.join(luma, red, blue)


def _quick(rgb: F32, frame: Frame) -> F32:
    large = np.asarray(frame.warp(rgb), np.float32)
    luma = np.asarray(cv2.transform(large, denoise.LUMA[None]), np.float32).reshape(large.shape[:2])
    small = np.asarray(cv2.transform(rgb, denoise.LUMA[None]), np.float32).reshape(rgb.shape[:2])
    soft = cv2.GaussianBlur(luma, (0, 0), 0.55 * frame.scale)
    sharp = np.asarray(luma + 1.1 * (luma - soft), np.float32)
    gain = sharpen.hold(sharp, sharpen.limits(small, frame, 0.1)) - luma
    return np.asarray(np.clip(large + cv2.merge([gain, gain, gain]), 0, 1), np.float32)


def _thorough(rgb: F32, alpha: F32, regions: U8, points: F32 | None, frame: Frame, speed: Speed, seed: int) -> F32:
    luma, red, blue = denoise.split(rgb)
    skin = label_weight(regions, (FACE, SKIN))
    luma = denoise.clean_luma(luma, skin, denoise.noise_level(luma, skin))
    red, blue = denoise.clean_colour(luma, red), denoise.clean_colour(luma, blue)
    shown = parts(regions, points, frame)
    large = _sharp(luma, alpha, shown, frame, speed, seed)
    plain = np.asarray(frame.warp(luma), np.float32)
    gain = large - plain
    strength = float(np.clip((frame.scale - 1.2) / 1.3, 0, 1))
    final = detail.add(large, shown, frame.scale, strength, seed)
    return denoise.join(final, _follow(luma, red, gain, frame), _follow(luma, blue, gain, frame))


def _sharp(luma: F32, alpha: F32, shown: Parts, frame: Frame, speed: Speed, seed: int) -> F32:
    steps = max(1, math.ceil(math.log(frame.scale) / math.log(_STEP)))
    factor = frame.scale ** (1 / steps)
    bank = filters.learn(luma, alpha, factor, seed)
    large, rest = luma, frame
    for _ in range(steps - 1):
        height, width = large.shape
        matrix, rest = rest.after(factor)
        size = (round(width * factor), round(height * factor))
        soft = cv2.warpAffine(large, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        large = filters.apply(bank, np.asarray(soft, np.float32))
    large = filters.apply(bank, np.asarray(rest.warp(large), np.float32))
    # Catch-lights: direction means nothing on a dot, and the filters would make a star of it.
    dots = sharpen.settle(np.asarray(frame.warp(luma), np.float32), luma, frame)
    large = np.asarray(large + (dots - large) * shown.iris, np.float32)
    # A catch-light or a pupil smaller than a pixel was brighter or darker than its pixel says.
    allowed = sharpen.limits(luma, frame, np.asarray(0.12 + 0.25 * shown.eyes, np.float32))
    large = sharpen.hold(sharpen.settle(large, luma, frame), allowed)
    for _ in range(3 if speed == "quality" else 1):
        thinner = sharpen.thin(large, frame.scale, 0.25)
        large = np.asarray(large + (thinner - large) * (1 - 0.8 * shown.hair) * (1 - shown.iris), np.float32)
        large = large + 0.4 * (shown.eyes - shown.iris) * (large - cv2.GaussianBlur(large, (0, 0), 0.5 * frame.scale))
        large = sharpen.hold(sharpen.settle(np.asarray(large, np.float32), luma, frame), allowed)
    # Capture sharpening: the small picture was softened by its own lens and its own reduction.
    amount = 0.22 * min(1.0, frame.scale - 1)
    crisp = large + amount * (large - cv2.GaussianBlur(large, (0, 0), 0.7 * frame.scale))
    return sharpen.hold(np.asarray(crisp, np.float32), allowed)


def _follow(luma: F32, colour: F32, gain: F32, frame: Frame) -> F32:
    """A colour difference on the canvas; it gets its own share of the luma's new sharpness."""
    a, _ = denoise.slope(luma, colour, 5, 4e-4)
    share = frame.warp(np.clip(a, -0.7, 0.7), cv2.INTER_LINEAR)
    return np.asarray(frame.warp(colour) + share * gain, np.float32)
