"""Files that callers send by mistake or on purpose, for the doors' bad-input tests.

`REFUSED`: name -> bytes that no door may take. `TAKEN`: odd pictures that are handled. Make them once a module: a few
take a moment.
"""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _noise(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


@functools.cache
def text_named_png() -> bytes:
    """A text, whatever its name says."""
    return b"This is no picture.\n" * 40


@functools.cache
def truncated_jpeg() -> bytes:
    """The first half of a JPEG file."""
    data = _saved(_noise(300, 300), "JPEG")
    return data[: len(data) // 2]


@functools.cache
def bomb() -> bytes:
    """A PNG file of 30000x30000 pixels in some kB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(b"\0" * (3751 * 1000)) for _ in range(30)) + rows.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@functools.cache
def of_26_megabytes() -> bytes:
    """A sound PNG file that is larger than what is taken."""
    data = _saved(Image.new("RGB", (64, 64)), "PNG")
    extra = b"x" * (27 * 1024 * 1024)
    chunk = struct.pack(">I", len(extra)) + b"prVt" + extra + struct.pack(">I", zlib.crc32(b"prVt" + extra))
    return data[:33] + chunk + data[33:]


@functools.cache
def animated() -> bytes:
    """An animated WebP file."""
    frames = [Image.new("RGB", (128, 128), colour) for colour in ("red", "green", "blue")]
    return _saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=100)


@functools.cache
def gif() -> bytes:
    """A format that is not taken."""
    return _saved(Image.new("RGB", (128, 128), "red"), "GIF")


@functools.cache
def sixteen_bits() -> bytes:
    """A 16-bit grey PNG file."""
    values = np.linspace(0, 65535, 256 * 256, dtype=np.uint16).reshape(256, 256)
    return _saved(Image.fromarray(values), "PNG")


@functools.cache
def cmyk() -> bytes:
    """A JPEG file in four printing colours."""
    return _saved(Image.new("CMYK", (256, 256), (10, 60, 20, 5)), "JPEG")


@functools.cache
def grey_alpha() -> bytes:
    """A grey PNG file with transparency."""
    image = Image.new("LA", (256, 256), (90, 255))
    image.paste((200, 120), (64, 64, 192, 192))
    return _saved(image, "PNG")


REFUSED: dict[str, Callable[[], bytes]] = {
    "text": text_named_png,
    "truncated": truncated_jpeg,
    "bomb": bomb,
    "26 MB": of_26_megabytes,
    "animated": animated,
    "gif": gif,
    "empty": lambda: b"",
}
TAKEN: dict[str, Callable[[], bytes]] = {"16 bits": sixteen_bits, "cmyk": cmyk, "grey and alpha": grey_alpha}
