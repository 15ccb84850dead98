"""Masks: one internal form, (h, w) uint8 with 255 = chosen (belongs to the character, or is to be repainted).

Every polarity that a host or a program uses is turned into this form at the door.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from portrayal.errors import MaskMismatchError
from portrayal.imaging import U8

Polarity = Literal["white", "black"]


def normalise(mask: U8, size: tuple[int, int], polarity: Polarity = "white", field: str = "mask") -> U8:
    """Bring a mask into the internal form.

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
    height, width = mask.shape
    if (width, height) != size:
        raise MaskMismatchError(
            f"the mask is {width}x{height} px, its picture {size[0]}x{size[1]} px",
            field=field,
            remedy="Draw the mask on the picture itself, or resize it.",
        )
    chosen = mask >= 128 if polarity == "white" else mask < 128
    if not chosen.any():
        raise MaskMismatchError("the mask chooses nothing", field=field, remedy=f"Paint what is meant in {polarity}.")
    return (chosen * np.uint8(255)).astype(np.uint8)
