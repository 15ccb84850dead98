"""Square crops of a character, as other engines like their reference pictures."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.imaging import U8

Crop = Literal["face", "head", "bust"]

# Side of the square in face widths, and how far its middle is under the eyes.
_FRAMES: dict[Crop, tuple[float, float]] = {"face": (1.7, 0.25), "head": (2.7, 0.10), "bust": (4.6, 0.95)}


def crop(character: IdentityMap, kind: Crop, size: int = 1024, ground: tuple[int, int, int] | None = None) -> U8:
    """A square picture of the face, the head with hair, or head and shoulders; of a subject always all of it.

    Args:
        character: the identity map.
        kind: what is shown.
        size: side in pixels.
        ground: colour to put the cut-out on; None keeps the photo's background (its border is continued).

    Returns:
        (size, size, 3) uint8.
    """
    x, y, side = _square(character, kind)
    scale = size / side
    matrix = np.array([[scale, 0, size / 2 - scale * x], [0, scale, size / 2 - scale * y]])
    picture = character.image
    border = cv2.BORDER_REPLICATE
    if ground is not None:
        alpha = character.alpha[..., None]
        mixed = character.foreground * alpha + np.array(ground, np.float32) * (1 - alpha)
        picture = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
        border = cv2.BORDER_CONSTANT
    if scale < 0.5:  # shrink first, against aliasing
        h, w = picture.shape[:2]
        small = (max(1, round(2 * scale * w)), max(1, round(2 * scale * h)))
        picture = np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.uint8)
        matrix[:, 0] *= w / small[0]
        matrix[:, 1] *= h / small[1]
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    out = cv2.warpAffine(picture, matrix, (size, size), flags=how, borderMode=border, borderValue=ground or (0, 0, 0))
    return np.asarray(out, np.uint8)


def crops(character: IdentityMap, size: int = 1024, ground: tuple[int, int, int] | None = None) -> dict[Crop, U8]:
    """All three crops; arguments as for `crop`."""
    return {kind: crop(character, kind, size, ground) for kind in _FRAMES}


def _square(character: IdentityMap, kind: Crop) -> tuple[float, float, float]:
    """Middle (x, y) and side in pixels of the identity map."""
    if character.reading is None:
        ys, xs = np.nonzero(character.alpha > 0.3)
        if not len(ys):
            ys, xs = (np.arange(n) for n in character.alpha.shape)
        side = 1.08 * max(float(np.ptp(xs)), float(np.ptp(ys)), 8.0)
        return (float(xs.min()) + float(xs.max())) / 2, (float(ys.min()) + float(ys.max())) / 2, side
    pose = character.reading.pose
    widths, below = _FRAMES[kind]
    return float(pose.origin[0]), float(pose.origin[1]) + below * pose.scale, widths * pose.scale
