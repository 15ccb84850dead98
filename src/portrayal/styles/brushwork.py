"""Brushwork of a reference picture: its fine texture, laid over a picture patch by patch where the two are alike."""

from __future__ import annotations

from collections.abc import Sequence

from portrayal.imaging import F32, U8


def brushed(image: U8, references: Sequence[U8], *, protect: F32 | None = None) -> U8:
    """The picture itself for now."""
    return image
