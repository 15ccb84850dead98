"""Pictures as arrays: decode with limits, colour, encode, write.

Conventions of the whole package: RGB order, shape (height, width, 3); ``uint8`` or ``float32`` 0..1 are sRGB
display codes, unless a name says `linear` or `radiance`. Points are (x, y) or (x, y, z) in pixels, x to the
right, y down, z in the unit of x and negative towards the camera. "Left" and "right" are the picture's.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from portrayal import png, profiles
from portrayal.errors import ImageReadError, ImageTooLargeError, ImageTooSmallError, OutputError
from portrayal.request import OutputFormat

U8: TypeAlias = npt.NDArray[np.uint8]
F32: TypeAlias = npt.NDArray[np.float32]
F64: TypeAlias = npt.NDArray[np.float64]
Bool: TypeAlias = npt.NDArray[np.bool_]
Array: TypeAlias = npt.NDArray[Any]

MAX_PIXELS = 80_000_000
MAX_BYTES = 200_000_000
MIN_SIDE = 64
_LONGEST: dict[OutputFormat, int] = {"jpeg": 65_500, "webp": 16_383}
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")

UNDER_ALPHA = 236
"""Code of the grey that lies under transparent pixels: neutral, and unlike most subjects' outlines."""


def read_bytes(path: Path, field: str = "image") -> bytes:
    """The bytes of a file.

    Raises:
        ImageReadError: when it is missing, a folder, unreadable or too large.
    """
    try:
        if path.is_dir():
            raise ImageReadError(f"{path} is a folder", field=field, remedy="Name a picture file.")
        if path.exists() and not path.is_file():  # a pipe or a device may never end
            raise ImageReadError(f"{path} is no ordinary file", field=field, remedy="Name a picture file.")
        if path.stat().st_size > MAX_BYTES:
            raise ImageTooLargeError(
                f"{path} is larger than {MAX_BYTES // 1_000_000} MB", field=field, remedy="Save it smaller."
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageReadError(f"there is no file {path}", field=field, remedy="Check the path.") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise ImageReadError(f"cannot read {path}: {reason}", field=field, remedy="Check it.") from None


def opened(data: bytes, field: str) -> Image.Image:
    """A still picture, opened but not decoded yet.

    Raises:
        ImageReadError: not a picture, animated, or of several pages.
        ImageTooLargeError: over 80 megapixels.
    """
    if not data:
        raise ImageReadError("the file is empty", field=field, remedy="Give a JPEG, PNG or WebP file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the limit is checked below, with our own words
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise _too_large(field) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise ImageReadError(
            "this is not a picture that can be read", field=field, remedy="Give a JPEG, PNG or WebP file."
        ) from None
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(field, image.size)
    # An MPO file is a photograph with a second view for 3-D screens; the first one is the picture.
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        raise ImageReadError(
            "this picture is animated or has several pages", field=field, remedy="Save one frame as PNG."
        )
    return image


def _too_large(field: str, size: tuple[int, int] | None = None) -> ImageTooLargeError:
    shown = f"{size[0]}x{size[1]} px is" if size else "this picture is"
    limit = MAX_PIXELS // 1_000_000
    return ImageTooLargeError(
        f"{shown} more than {limit} megapixels", field=field, remedy="Save it smaller; 2048 px are plenty."
    )


def decode(data: bytes, field: str = "image", least: int = MIN_SIDE) -> U8:
    """Decode a still picture to upright sRGB.

    EXIF orientation is applied, embedded colour profiles are converted to sRGB, 16-bit is scaled to 8-bit, CMYK and
    grey become RGB, transparency is put over light grey.

    Args:
        data: bytes of a JPEG, PNG, WebP, BMP, TIFF or GIF file.
        field: name of the request field, for the errors.
        least: fewest pixels of the shorter side.

    Returns:
        (h, w, 3) uint8.

    Raises:
        ImageReadError: not a picture, damaged, or animated.
        ImageTooLargeError: over 80 megapixels.
        ImageTooSmallError: a side under `least` pixels.
    """
    image = opened(data, field)
    check_least(image.size, field, least)
    return np.asarray(to_rgb(loaded(image, field)), np.uint8).copy()


def check_least(size: tuple[int, int], field: str, least: int = MIN_SIDE) -> None:
    """Refuse a picture with a side under `least` pixels.

    Raises:
        ImageTooSmallError: it is so.
    """
    if min(size) < least:
        raise ImageTooSmallError(
            f"{size[0]}x{size[1]} px is too small",
            field=field,
            remedy=f"At least {least} px a side are needed, 512 px or more are good.",
        )


def loaded(image: Image.Image, field: str) -> Image.Image:
    """Decode what `opened` gave, and set it upright.

    Raises:
        ImageReadError: damaged or cut off.
    """
    try:
        image.load()
        return ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, EOFError):
        raise ImageReadError("the file is damaged or cut off", field=field, remedy="Copy or export it again.") from None


def to_rgb(image: Image.Image) -> Image.Image:
    """A loaded picture of any mode as 8-bit sRGB."""
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, np.float64)
        top = 65535.0 if values.max(initial=0.0) > 255 else 255.0
        grey = (np.clip(values / top, 0, 1) * 255 + 0.5).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    profile = image.info.get("icc_profile")
    if image.mode in ("P", "LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        under = Image.new("RGBA", image.size, (UNDER_ALPHA, UNDER_ALPHA, UNDER_ALPHA, 255))
        image = Image.alpha_composite(under, image).convert("RGB")
    if profile and (converted := profiles.to_srgb(image, profile)) is not None:
        return converted
    return image.convert("RGB")


def decode_mask(data: bytes, field: str = "mask") -> U8:
    """Decode a mask: (h, w) uint8; the alpha channel when the picture has one that varies, else its grey value.

    Raises:
        ImageReadError, ImageTooLargeError: as for `decode`.
    """
    image = loaded(opened(data, field), field)
    if "A" in image.getbands() or "transparency" in image.info:
        alpha = np.asarray(image.convert("RGBA"), np.uint8)[..., 3]
        if alpha.min() != alpha.max():
            return alpha.copy()
    return np.asarray(to_rgb(image).convert("L"), np.uint8).copy()


def encode_png(rgb: U8, text: dict[str, str] | None = None) -> bytes:
    """PNG bytes of (h, w, 3) uint8 with text chunks (UTF-8); the same input gives the same bytes."""
    return png.with_text(png.encode(rgb), text or {})


compress_png = png.encode


def encode(picture: Array, kind: OutputFormat = "png", *, lossless: bool = False, icc: bytes | None = None) -> bytes:
    """The bytes of a picture file; the same input gives the same bytes.

    JPEG: quality 95 without chroma subsampling, so that thin hair and red lips keep their colour (a JPEG has no
    transparency: white lies under it). WebP: quality 92, about a quarter of the size, or lossless.

    Args:
        picture: (h, w) or (h, w, 1..4), uint8, or uint16 which JPEG and WebP reduce to 8 bits.
        kind: the format.
        lossless: for WebP.
        icc: a colour profile to embed.

    Raises:
        OutputError: a side is too long for the format.
    """
    if kind == "png":
        return png.encode(picture, icc)
    if max(picture.shape[:2]) > _LONGEST[kind]:
        raise OutputError(
            f"a side of {max(picture.shape[:2])} px is too long for {kind}", field="output", remedy="Name a .png file."
        )
    out = io.BytesIO()
    image = _eight_bits(picture)
    if kind == "jpeg":
        if image.mode in ("RGBA", "LA"):
            under = Image.new("RGBA", image.size, (255, 255, 255, 255))
            flat = Image.alpha_composite(under, image.convert("RGBA"))
            image = flat.convert("L" if image.mode == "LA" else "RGB")
        image.save(out, "JPEG", quality=95, subsampling=0, icc_profile=icc)
    else:
        image = image.convert("RGBA" if image.mode in ("RGBA", "LA") else "RGB")
        if lossless:
            image.save(out, "WEBP", lossless=True, exact=True, quality=0, method=1, icc_profile=icc)
        else:
            image.save(out, "WEBP", quality=92, method=2, icc_profile=icc)
    return out.getvalue()


def _eight_bits(picture: Array) -> Image.Image:
    if picture.dtype != np.uint8:
        picture = ((picture.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if picture.ndim == 3 and picture.shape[2] == 1:
        picture = picture[..., 0]
    return Image.fromarray(np.ascontiguousarray(picture))


with_png_text = png.with_text
read_png_text = png.read_text


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: into a temporary file beside it, then renamed.

    Raises:
        OutputError: when the folder cannot be made or written, or the disk is full; nothing is left behind.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        reason = error.strerror or str(error)
        raise OutputError(
            f"cannot write {path}: {reason}",
            field="output",
            remedy="Choose another place or free some space.",
        ) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
