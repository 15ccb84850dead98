"""Pictures as arrays: decode with limits, colour, encode, write.

Conventions of the whole package: RGB order, shape (height, width, 3); ``uint8`` or ``float32`` 0..1 are sRGB
display codes, unless a name says `linear` or `radiance`. Points are (x, y) or (x, y, z) in pixels, x to the
right, y down, z in the unit of x and negative towards the camera. "Left" and "right" are the picture's.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import tempfile
import warnings
import zlib
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from portrayal.errors import ImageReadError, ImageTooLargeError, ImageTooSmallError, OutputError

U8: TypeAlias = npt.NDArray[np.uint8]
F32: TypeAlias = npt.NDArray[np.float32]
F64: TypeAlias = npt.NDArray[np.float64]
Bool: TypeAlias = npt.NDArray[np.bool_]
Array: TypeAlias = npt.NDArray[Any]

MAX_PIXELS = 80_000_000
MAX_BYTES = 200_000_000
MIN_SIDE = 64
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")

# What lies under transparent pixels of a reference: neutral, and unlike most subjects' outlines.
_UNDER_ALPHA = (236, 236, 236)


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


def _open(data: bytes, field: str) -> Image.Image:
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
    image = _open(data, field)
    if min(image.size) < least:
        raise ImageTooSmallError(
            f"{image.width}x{image.height} px is too small",
            field=field,
            remedy=f"At least {least} px a side are needed, 512 px or more are good.",
        )
    try:
        image.load()
        image = ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, EOFError):
        raise ImageReadError("the file is damaged or cut off", field=field, remedy="Copy or export it again.") from None
    return np.asarray(_to_rgb(image), np.uint8).copy()


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, np.float64)
        top = 65535.0 if values.max(initial=0.0) > 255 else 255.0
        grey = (np.clip(values / top, 0, 1) * 255 + 0.5).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    profile = image.info.get("icc_profile")
    if image.mode in ("P", "LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        under = Image.new("RGBA", image.size, (*_UNDER_ALPHA, 255))
        image = Image.alpha_composite(under, image).convert("RGB")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        # A broken profile is common and harmless: the picture is then taken as sRGB.
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            if converted is not None:
                return converted
    return image.convert("RGB")


def decode_mask(data: bytes, field: str = "mask") -> U8:
    """Decode a mask: (h, w) uint8; the alpha channel when the picture has one that varies, else its grey value.

    Raises:
        ImageReadError, ImageTooLargeError: as for `decode`.
    """
    image = _open(data, field)
    try:
        image.load()
        image = ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, EOFError):
        raise ImageReadError("the file is damaged or cut off", field=field, remedy="Copy or export it again.") from None
    if "A" in image.getbands() or "transparency" in image.info:
        alpha = np.asarray(image.convert("RGBA"), np.uint8)[..., 3]
        if alpha.min() != alpha.max():
            return alpha.copy()
    return np.asarray(_to_rgb(image).convert("L"), np.uint8).copy()


def encode_png(rgb: U8, text: dict[str, str] | None = None) -> bytes:
    """PNG bytes of (h, w, 3) uint8 with text chunks (UTF-8); the same input gives the same bytes."""
    return with_png_text(compress_png(rgb), text or {})


def compress_png(rgb: U8) -> bytes:
    """PNG bytes of (h, w, 3) uint8; lets other threads run meanwhile.

    Run-length matching: photographs with grain hold no longer repeats, and a search for them costs up to ten times as
    long for 2 % of the size.
    """
    import cv2

    options = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    done, data = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    assert done  # only fails for shapes that are no picture
    return data.tobytes()


def with_png_text(png: bytes, text: dict[str, str]) -> bytes:
    """The file with international text chunks (PNG specification, 11.3.3.4) right after its header."""
    header = 8 + 25  # signature and the IHDR chunk, whose size is fixed
    chunks = b"".join(_itxt(key, value) for key, value in text.items())
    return png[:header] + chunks + png[header:]


def _itxt(key: str, value: str) -> bytes:
    # keyword, then: not compressed, method, language, translated keyword
    body = b"iTXt" + key.encode("latin-1") + b"\0\0\0\0\0" + value.encode()
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def read_png_text(data: bytes) -> dict[str, str]:
    """The text chunks of a PNG file."""
    image = Image.open(io.BytesIO(data), formats=("PNG",))
    image.load()
    return {k: str(v) for k, v in getattr(image, "text", {}).items()}


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
