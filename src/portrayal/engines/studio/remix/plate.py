"""The inspiration's background without its people, as sharp as the strength wants it, as a plate for the person."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio import lens
from portrayal.engines.studio.fill import fill
from portrayal.engines.studio.light.tone import untone
from portrayal.engines.studio.types import Speed
from portrayal.imaging import F32, U8

# Radius in drawn pixels of a blur disc: what is blurred needs no more resolution than this.
_DRAWN: Final = {"turbo": 5.0, "balanced": 8.0, "quality": 12.0}
# Blur (share of the sides' mean) under which painted surroundings must have their texture.
TEXTURED: Final = 0.02
# Radius of the blur in pixels that a painted place gets at its own size.
_PAINTED: Final = 4.0
# How far beyond a matte colours of the person spill, as a share of the sides' mean; rough mattes miss hair.
_GROWN: Final = (0.006, 0.016)


def side_of(shape: tuple[int, ...]) -> float:
    """Geometric mean of a picture's height and width."""
    return float(np.sqrt(shape[0] * shape[1]))


def empty(picture: U8, people: F32, shown: F32, defocus: float, seed: int, speed: Speed) -> U8:
    """The picture without the people that `people` covers.

    Args:
        picture: (h, w, 3) uint8.
        people: (h, w) 0..1, the matte of those who go.
        shown: (h, w) 0..1, the matte of who will stand there; what it hides is not painted with care.
        defocus: blur that the result will get, as a share of the sides' mean: blurred places need no texture.
        seed, speed: of the painting.
    """
    if not people.any():
        return picture
    side = side_of(picture.shape)
    rough = defocus > TEXTURED
    gone = _grown(people > (0.2 if rough else 0.03), _GROWN[rough] * side)
    if gone.mean() > 0.97:
        gone[:: max(1, gone.shape[0] - 1)] = False
        gone[:, :: max(1, gone.shape[1] - 1)] = False
    smooth = _smooth(picture, gone)
    if rough:
        return smooth
    hidden = cv2.erode((shown > 0.98).astype(np.uint8), _disc(0.004 * side)) > 0
    todo = gone & ~hidden
    if not todo.any():
        return smooth
    base = np.where((gone & hidden)[..., None], smooth, picture)
    # What will be blurred by several pixels is painted at a smaller size.
    k = float(np.clip(defocus * side / _PAINTED, 1.0, 4.0))
    size = (round(picture.shape[1] / k), round(picture.shape[0] / k))
    if k < 1.2 or min(size) < 96:
        size = (picture.shape[1], picture.shape[0])
    small = np.asarray(cv2.resize(base, size, interpolation=cv2.INTER_AREA), np.uint8)
    mask, forbid = (
        (cv2.resize(m.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8) * np.uint8(255)
        for m in (todo, gone)
    )
    patch = fill(small, mask, seed=seed, speed=speed, forbid=forbid)
    rows, columns = patch.rgb.shape[:2]
    small[patch.y : patch.y + rows, patch.x : patch.x + columns] = patch.rgb
    if size == (picture.shape[1], picture.shape[0]):
        return small
    large = cv2.resize(small, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_CUBIC)
    out = np.where(todo[..., None], large, base)
    return np.asarray(out, np.uint8)


def defocused(radiance: F32, defocus: float, speed: Speed) -> F32:
    """Light (h, w, 3) through a lens that is focused on the person; `defocus` as a share of the sides' mean."""
    height, width = radiance.shape[:2]
    radius = defocus * side_of(radiance.shape)
    if radius < 0.5:
        return radiance
    k = max(1.0, radius / _DRAWN[speed])
    size = (max(8, round(width / k)), max(8, round(height / k)))
    small = cv2.resize(radiance, size, interpolation=cv2.INTER_AREA) if k > 1 else radiance
    drawn = np.ascontiguousarray(small, np.float32)
    blurred = lens.depth_blur(drawn, np.full(drawn.shape[:2], np.float32(radius / k)))
    if k == 1:
        return blurred
    # The disc's own edge is not sharper than one drawn pixel.
    calm = cv2.GaussianBlur(blurred, (0, 0), 0.8)
    return np.maximum(np.asarray(cv2.resize(calm, (width, height), interpolation=cv2.INTER_CUBIC), np.float32), 0)


def light_in(picture: U8) -> F32:
    """Scene linear light of a picture; the tone curve turns it into the very picture again."""
    return untone(picture.astype(np.float32) / np.float32(255))


def _disc(radius: float) -> U8:
    size = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _grown(mask: np.ndarray, radius: float) -> np.ndarray:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), _disc(radius)) > 0)


def _smooth(picture: U8, gone: np.ndarray) -> U8:
    """What is gone in the colours around it: near ones count most (a pyramid of normalised means)."""
    height, width = gone.shape
    k = max(1, max(height, width) // 256)
    size = (max(4, width // k), max(4, height // k))
    weight = 1 - gone.astype(np.float32)
    small = cv2.resize(picture.astype(np.float32) * weight[..., None], size, interpolation=cv2.INTER_AREA)
    share = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA), np.float32)
    todo = np.ones_like(share)
    total = np.zeros((size[1], size[0], 3), np.float32)
    for sigma in (1.0, 2.5, 6.0, 15.0, 40.0):
        near = cv2.GaussianBlur(share, (0, 0), sigma)
        mean = cv2.GaussianBlur(small, (0, 0), sigma) / np.maximum(near, 1e-4)[..., None]
        take = todo * np.clip(near / 0.3, 0, 1)
        total += mean * take[..., None]
        todo = todo - take
    total += (small.sum((0, 1)) / max(float(share.sum()), 1e-3)) * todo[..., None]
    out = cv2.resize(total, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(gone[..., None], np.clip(out + 0.5, 0, 255).astype(np.uint8), picture)
