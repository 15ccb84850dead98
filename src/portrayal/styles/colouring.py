"""The colours of a style on a finished picture: a code's, then those of reference pictures, then a palette."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portrayal.imaging import F32, U8
from portrayal.styles.apply import apply
from portrayal.styles.brushwork import brushed
from portrayal.styles.palettes import measured, of_pictures, toned
from portrayal.styles.style import Style


@dataclass(frozen=True)
class Coloured:
    """A picture with its colours.

    Attributes:
        image: (h, w, 3) uint8.
        palette: colours that were asked for, and the share of the picture that each has now.
        warnings: what could not be done.
    """

    image: U8
    palette: tuple[tuple[str, float], ...] = ()
    warnings: tuple[str, ...] = ()


def coloured(image: U8, style: Style, *, skin: F32 | None = None, detail: F32 | None = None) -> Coloured:
    """Give a picture the colours of a style.

    Args:
        image: (h, w, 3) uint8.
        style: with a code, references or a palette.
        skin: (h, w) 0..1, where people keep most of their complexion; None = nobody is in the picture.
        detail: (h, w) 0..1, where brushwork would cost a face its features.
    """
    if style.code is not None:
        image = apply(image, style.code, skin=skin)
    if style.references:
        image = toned(image, of_pictures(style.references), skin=skin)
        image = brushed(image, style.references, protect=detail)
    if not style.palette:
        return Coloured(image)
    image = toned(image, style.palette, skin=skin)
    shares = measured(image, style.palette)
    missing = [colour for colour, share in shares if share < _SEEN]
    warnings = () if not missing else (f"palette: hardly any place for {', '.join(missing)} in this picture",)
    return Coloured(np.asarray(image, np.uint8), shares, warnings)


# A colour with less than this share of the picture is not seen.
_SEEN = 0.01
