"""Masks: one internal form, (h, w) uint8 with 255 = chosen (belongs to the character, or is to be repainted).

Every polarity that a host or a program uses is turned into this form at the door.
"""

from __future__ import annotations

from typing import Final, Literal

import cv2
import numpy as np
from PIL import Image

from portrayal import imaging
from portrayal.errors import MaskMismatchError
from portrayal.imaging import U8, Array
from portrayal.request import MaskMode

Polarity = Literal["white", "black"]

_GREY: Final = (32, 223)  # codes between these are neither painted nor left, e.g. a soft edge
_FEW: Final = 0.02  # share of grey pixels that soft edges and JPEG make
_MANY: Final = 0.20  # share of grey pixels above which it is a photograph or a depth map
_COLOURED: Final = 48  # difference of channels of a colour that JPEG does not make from black and white
_COLOURFUL: Final = 0.01  # share of such pixels in a picture that is no mask


def normalise(mask: U8, size: tuple[int, int], polarity: Polarity = "white", field: str = "mask") -> U8:
    """Bring a mask of a reference into the internal form.

    Args:
        mask: (h, w) uint8, any grey values; 128 and more count as white.
        size: (width, height) of the picture that it belongs to.
        polarity: which side is chosen.
        field: name for the errors.

    Returns:
        (h, w) uint8 of 0 and 255.

    Raises:
        MaskMismatchError: another size than the picture, or nothing is chosen.
    """
    _check_size((mask.shape[1], mask.shape[0]), size, field)
    chosen = mask >= 128 if polarity == "white" else mask < 128
    if not chosen.any():
        raise MaskMismatchError("the mask chooses nothing", field=field, remedy=f"Paint what is meant in {polarity}.")
    return (chosen * np.uint8(255)).astype(np.uint8)


def edit_mask(
    data: bytes, size: tuple[int, int], mode: MaskMode = "white", field: str = "edit_mask"
) -> tuple[U8, tuple[str, ...]]:
    """Read the mask of an edit: what may be repainted.

    Soft edges and the ringing of JPEG are cut at 128. A file with real transparency in the modes "white" and "black"
    keeps what is transparent.

    Args:
        data: bytes of a picture file, black and white in any mode; upright as its EXIF orientation says.
        size: (width, height) of the upright picture that it belongs to.
        mode: what is repainted: "white", "black", or "alpha" = what is transparent (as in OpenAI's Images API).
        field: name for the errors.

    Returns:
        (h, w) uint8 of 0 and 255, and warnings.

    Raises:
        ImageReadError, ImageTooLargeError: as for `imaging.decode`.
        MaskMismatchError: another size, nothing or everything is chosen, no transparency in "alpha", or a photograph in
            the place of a mask.
    """
    image = imaging.loaded(imaging.opened(data, field), field)
    _check_size(image.size, size, field)
    values = _transparency(image, field) if mode == "alpha" else _lightness(image, mode, field)
    grey = float(np.count_nonzero(cv2.inRange(values, *_GREY))) / values.size
    if grey > _MANY:
        raise MaskMismatchError(
            f"{grey:.0%} of the mask are grey; it looks like a photograph or a depth map",
            field=field,
            remedy="Give a mask of black and white only.",
        )
    chosen = np.asarray(cv2.threshold(values, 127, 255, cv2.THRESH_BINARY)[1], np.uint8)
    if mode != "white":
        chosen = np.asarray(cv2.bitwise_not(chosen), np.uint8)
    count = cv2.countNonZero(chosen)
    paint = {"white": "white", "black": "black", "alpha": "transparent"}[mode]
    if count == 0:
        raise MaskMismatchError(
            f"the mask chooses nothing: there is no {paint} pixel",
            field=field,
            remedy=f"Make {paint} what shall change, or choose another mask mode.",
        )
    if count == chosen.size:
        raise MaskMismatchError(
            f"the mask chooses everything: every pixel is {paint}",
            field=field,
            remedy="Leave a part of the picture, or choose another mask mode.",
        )
    if grey > _FEW:
        return chosen, (f"mask: {grey:.0%} of it are grey; from the middle grey on it counts as painted",)
    return chosen, ()


def _check_size(mask: tuple[int, int], size: tuple[int, int], field: str) -> None:
    if mask != size:
        raise MaskMismatchError(
            f"the mask is {mask[0]}x{mask[1]} px, its picture {size[0]}x{size[1]} px",
            field=field,
            remedy="Draw the mask on the picture itself, or resize it.",
        )


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info


def _transparency(image: Image.Image, field: str) -> U8:
    alpha = np.array(image.convert("RGBA"), np.uint8)[..., 3] if _has_alpha(image) else np.full((1, 1), 255, np.uint8)
    if alpha.min() == alpha.max():
        raise MaskMismatchError(
            "the mask has no transparency that varies",
            field=field,
            remedy="Make transparent what shall change, or use the mask mode white or black.",
        )
    return np.ascontiguousarray(alpha)


def _lightness(image: Image.Image, mode: MaskMode, field: str) -> U8:
    """(h, w) grey values; what is transparent lies over the colour that is kept."""
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(np.asarray(image))
    if image.mode in ("1", "L") and not _has_alpha(image):
        return np.array(image.convert("L"), np.uint8)
    if _has_alpha(image):
        keep = 255 if mode == "black" else 0
        under = Image.new("RGBA", image.size, (keep, keep, keep, 255))
        image = Image.alpha_composite(under, image.convert("RGBA"))
    rgb = np.array(image.convert("RGB"), np.uint8)
    red, green, blue = cv2.split(rgb)  # ten times as fast as a maximum over the last axis
    spread = cv2.max(cv2.max(red, green), blue) - cv2.min(cv2.min(red, green), blue)
    if np.count_nonzero(spread > _COLOURED) > _COLOURFUL * spread.size:
        raise MaskMismatchError(
            "the mask is a picture in colours", field=field, remedy="Give a mask of black and white only."
        )
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def _eight_bits(values: Array) -> U8:
    """Whole numbers up to 255 or 65535, or parts of one, as codes."""
    top = float(values.max(initial=0))
    scale = 255.0 if top <= 1 else 1.0 if top <= 255 else 255 / 65535
    codes = np.clip(values.astype(np.float32) * np.float32(scale) + np.float32(0.5), 0, 255)
    return np.asarray(codes, np.uint8)
