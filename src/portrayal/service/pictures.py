"""Uploads: what is kept of a picture that somebody gave, and its fingerprint.

Whatever a file is called, it must be a whole still JPEG, PNG or WebP within the limits. It is kept as it came, without
its metadata; only a picture that its EXIF block says lies on its side is turned, so that nobody after this door has to
know of that.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from PIL import Image, ImageOps

from portrayal import imaging, png
from portrayal.errors import ImageReadError, ImageTooLargeError
from portrayal.service import sniffing
from portrayal.service.stripping import DamagedError, Stripped, colour_chunks, stripped
from portrayal.source import open_source

MAX_BYTES: Final = 25 * 1024 * 1024
MAX_PIXELS: Final = 40_000_000

_ORIENTATION: Final = 0x0112  # EXIF tag
_SHORT: Final = 3  # its type: 16 bits
# What each orientation asks for: turned by 90 degrees counter-clockwise how often, then mirrored left to right.
_UPRIGHT: Final = {2: (0, True), 3: (2, False), 4: (2, True), 5: (3, True), 6: (3, False), 7: (1, True), 8: (1, False)}
_MEBI: Final = 1024 * 1024
_QUALITY: Final = 95
_NAMES: Final = {"JPEG": "JPEG", "PNG": "PNG", "WEBP": "WebP"}
# What the decoders raise for damaged files; Pillow's PNG reader also lets these last two through.
_BROKEN: Final = (OSError, ValueError, SyntaxError, EOFError, IndexError, OverflowError)


@dataclass(frozen=True)
class Accepted:
    """A picture as it is kept.

    Attributes:
        data: the file: JPEG, PNG or WebP without metadata, upright.
        media_type: "image/jpeg", "image/png" or "image/webp".
        width, height: in pixels, upright.
        notes: what had to be changed about the look or the coding of the picture, one sentence each.
    """

    data: bytes
    media_type: str
    width: int
    height: int
    notes: tuple[str, ...] = ()


def accepted(
    data: bytes,
    field: str,
    *,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    formats: tuple[str, ...] = ("JPEG", "PNG", "WEBP"),
) -> Accepted:
    """The picture that is kept of what somebody gave.

    Metadata is cut out of the file, the pixels stay as they were coded, with their depth, transparency and colour
    profile. An EXIF orientation is applied: exactly for PNG and lossless WebP, at quality 95 for JPEG (4:4:4) and lossy
    WebP. What comes out goes in unchanged.

    Args:
        data: the file.
        field: name of the request field, for the errors.
        max_bytes: size of the file; checked before anything else.
        max_pixels: width times height; checked from the header, before anything is unpacked.
        formats: of "JPEG", "PNG", "WEBP".

    Raises:
        ImageReadError: not a picture of these formats, animated, cut off or damaged.
        ImageTooLargeError: too many bytes or pixels.
    """
    if len(data) > max_bytes:
        raise ImageTooLargeError(
            f"the file has {len(data) / _MEBI:.1f} MB, more than {max_bytes / _MEBI:.4g} MB",
            field=field,
            remedy="Save it smaller; 2048 px are plenty.",
        )
    kind = sniffing.named(data[: sniffing.ENOUGH])
    if kind not in formats:
        raise _refused(kind, field, formats)
    try:
        clean = stripped(data, kind)
        if clean.animated:
            raise ImageReadError("this picture is animated", field=field, remedy="Save one frame of it as PNG.")
        image = _opened(clean.data, kind, field, max_pixels)
        image.load()
        notes = clean.notes
        turn = _orientation(clean.exif)
        if turn != 1:
            clean, note = _upright(clean, image, kind, turn, field)
            notes = (*notes, note)
    except (DamagedError, *_BROKEN):
        raise ImageReadError("the file is damaged or cut off", field=field, remedy="Copy or export it again.") from None
    width, height = image.size if turn < 5 else image.size[::-1]
    return Accepted(clean.data, sniffing.ACCEPTED[kind], width, height, notes)


def _refused(kind: str, field: str, formats: tuple[str, ...]) -> ImageReadError:
    names = [_NAMES[name] for name in formats]
    wanted = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
    what = f"this is {_a(kind)}, not {_a(wanted)} picture"
    return ImageReadError(what, field=field, remedy=f"Give a {wanted} file.")


def _a(kind: str) -> str:
    return kind if kind.startswith(("a ", "an ")) else f"a {_NAMES.get(kind, kind)}"


def _opened(data: bytes, kind: str, field: str, max_pixels: int) -> Image.Image:
    """The picture, opened but not decoded.

    Raises:
        ImageTooLargeError: its header announces too many pixels.
    """
    size: tuple[int, int] | None = None
    if kind == "PNG":
        size = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
        _check_pixels(size, field, max_pixels)
    try:
        image = Image.open(io.BytesIO(data), formats=(kind,))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # Pillow's own limits are higher ones
        raise _too_many(None, field, max_pixels) from None
    _check_pixels(image.size, field, max_pixels)
    return image


def _check_pixels(size: tuple[int, int], field: str, max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise _too_many(size, field, max_pixels)


def _too_many(size: tuple[int, int] | None, field: str, max_pixels: int) -> ImageTooLargeError:
    shown = f"{size[0]}x{size[1]} px is" if size else "this picture is"
    return ImageTooLargeError(
        f"{shown} more than {max_pixels / 1e6:.4g} megapixels",
        field=field,
        remedy="Save it smaller; 2048 px are plenty.",
    )


def _orientation(exif: bytes) -> int:
    """How the picture lies, 1..8 (EXIF 2.32, 4.6.4 A); 1, upright, for a block that says nothing or is broken."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], order)

    if tiff[:4] not in (b"II*\0", b"MM\0*"):
        return 1
    first = number(4, 4)
    for entry in range(first + 2, min(first + 2 + 12 * number(first, 2), len(tiff) - 11), 12):
        if (number(entry, 2), number(entry + 2, 2)) == (_ORIENTATION, _SHORT):
            turn = number(entry + 8, 2)
            return turn if 1 <= turn <= 8 else 1
    return 1


def _upright(clean: Stripped, image: Image.Image, kind: str, turn: int, field: str) -> tuple[Stripped, str]:
    """The file turned as its orientation asks, and a note about that."""
    if clean.lossless:
        return stripped(_exactly_turned(clean.data, kind, turn, field), kind), "turned upright as its EXIF block asks"
    image.getexif()[_ORIENTATION] = turn
    upright = ImageOps.exif_transpose(image)
    icc = image.info.get("icc_profile")
    out = io.BytesIO()
    if kind == "JPEG":
        upright.save(out, "JPEG", quality=_QUALITY, subsampling=0, icc_profile=icc)
    else:
        upright.save(out, "WEBP", quality=_QUALITY, alpha_quality=100, exact=True, icc_profile=icc)
    note = f"turned upright as its EXIF block asks and coded again at quality {_QUALITY}"
    return stripped(out.getvalue(), kind), note


def _exactly_turned(data: bytes, kind: str, turn: int, field: str) -> bytes:
    """A lossless file with its pixels turned, in its own depth and colours."""
    source = open_source(data, field, least=1)
    turns, mirrored = _UPRIGHT[turn]
    native = np.rot90(source.native, turns)
    if mirrored:
        native = np.fliplr(native)
    if kind == "WEBP":
        return imaging.encode(native, "webp", lossless=True, icc=source.icc)
    plain = png.encode(native)
    head = len(png.SIGNATURE) + 25  # the header chunk has one size
    return plain[:head] + colour_chunks(data) + plain[head:]


def fingerprint(data: bytes) -> str:
    """A 64-bit difference hash of a picture, which changes little when it is scaled, re-coded or recoloured.

    The picture is reduced to 9x8 grey pixels; each bit tells whether a pixel is brighter than its left neighbour (N.
    Krawetz, "Kind of Like That", The Hacker Factor Blog, 2013). Two pictures are alike when few bits differ: 10 of 64
    is the usual border. For upright RGB files the value equals that of the program `imagehash`, so that lists made with
    it can be used.

    Args:
        data: bytes of any picture that `imaging.decode` reads.

    Returns:
        16 hexadecimal digits; rows from top to bottom, the leftmost bit first.

    Raises:
        ImageReadError, ImageTooLargeError: as for `imaging.decode`.
    """
    image = imaging.to_rgb(imaging.loaded(imaging.opened(data, "image"), "image"))
    small = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.LANCZOS))
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes().hex()
