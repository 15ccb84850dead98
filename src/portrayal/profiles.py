"""Colour profiles (ICC): from a file's own colours to sRGB and back, by LittleCMS."""

from __future__ import annotations

import contextlib
import io
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
_BROKEN = (ImageCms.PyCMSError, OSError, ValueError)


def fits(icc: bytes | None, mode: str) -> bool:
    """Whether a profile can be read and is one for pictures of Pillow's `mode`: "RGB", "L" or "CMYK"."""
    return icc is not None and mode in _SPACES and _transform(icc, mode, True) is not None


def to_srgb(image: Image.Image, icc: bytes) -> Image.Image | None:
    """An "RGB", "L" or "CMYK" picture in sRGB; None when the profile is broken or for other pictures.

    A broken profile is common and harmless: the picture is then taken as sRGB.
    """
    if image.mode not in _SPACES or (transform := _transform(icc, image.mode, True)) is None:
        return None
    if image.mode == "RGB" and is_srgb(icc):
        return image
    return transform.apply(image)


def from_srgb(rgb: npt.NDArray[np.uint8], icc: bytes, mode: str) -> npt.NDArray[np.uint8]:
    """(h, w, 3) sRGB codes in the colours of a profile that `fits`; (h, w) for `mode` "L"."""
    transform = _transform(icc, mode, False)
    if (mode == "RGB" and is_srgb(icc)) or transform is None:
        return rgb
    return np.asarray(transform.apply(Image.fromarray(rgb)), np.uint8)


@lru_cache(16)
def is_srgb(icc: bytes) -> bool:
    """Whether an RGB profile is sRGB by another name: no colour moves by more than one code."""
    transform = _transform(icc, "RGB", True)
    if transform is None:
        return False
    codes = np.arange(0, 256, 15, dtype=np.uint8)
    grid = np.stack(np.meshgrid(codes, codes, codes), axis=-1).reshape(-1, len(codes), 3)
    moved = np.asarray(transform.apply(Image.fromarray(grid)), np.int16) - grid
    return bool(np.abs(moved).max() <= 1)


@lru_cache(32)
def _transform(icc: bytes, mode: str, forward: bool) -> ImageCms.ImageCmsTransform | None:
    with contextlib.suppress(*_BROKEN):
        own = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if own.profile.xcolor_space.strip() != _SPACES[mode]:
            return None
        srgb = ImageCms.createProfile("sRGB")
        if forward:
            return ImageCms.buildTransform(own, srgb, mode, "RGB")
        return ImageCms.buildTransform(srgb, own, "RGB", mode)
    return None
