"""A picture described: a prompt in words that leads back to such a picture, and the style code nearest to it.

Only what was measured with some certainty is said; the rest is left to the seed, as in any prompt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrayal.description.model import Description

if TYPE_CHECKING:
    from portrayal.imaging import U8

__all__ = ["Description", "describe"]


def describe(data: bytes) -> Description:
    """Describe a picture file.

    Args:
        data: bytes of any picture that `portrayal.imaging.decode` reads.

    Raises:
        ImageReadError, ImageTooLargeError, ImageTooSmallError: as `decode`, with the field ``"image"``.
    """
    from portrayal.imaging import decode

    return of_picture(decode(data, "image"), _request(data))


def of_picture(image: U8, request: dict[str, object] | None = None) -> Description:
    """Describe decoded pixels (h, w, 3) uint8; see `describe`.

    Args:
        image: the picture.
        request: what `portrayal.finish.provenance` found in its file.
    """
    from portrayal.description import reading

    return reading.describe(image, request)


def _request(data: bytes) -> dict[str, object] | None:
    from portrayal.finish import provenance

    return provenance(data)
