"""Picture files without their metadata: every pixel and colour stays, to the byte; what else was in the file goes.

What goes: EXIF with its places and thumbnails, XMP, IPTC, comments, text, content credentials (C2PA), second pictures,
and whatever follows the end of the picture. Only lists of what is kept are written down here, so that a kind of
metadata that nobody thought of goes too. A colour profile is kept: without it the colours would be others.

Follows ITU-T T.81 annex B (JPEG), the W3C PNG specification (third edition) and the WebP container specification.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from typing import Final

from portrayal import png

_MAX_PROFILE: Final = 1_000_000  # bytes, unpacked; what Pillow reads at most from a PNG file
_PROFILE_LOST: Final = "the colour profile is damaged or too large; the picture is taken as sRGB"

# Everything that draws or says how colours are meant. cICP: coding-independent code points, e.g. of HDR pictures.
_PNG_KEPT: Final = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"cICP")
_PNG_ANIMATED: Final = (b"acTL", b"fcTL", b"fdAT")

_SOS, _EOI = 0xDA, 0xD9
# Frames (with DHT, C4, and DAC, CC, among their numbers; C8 is reserved), then SOS, DQT, DNL, DRI.
_JPEG_KEPT: Final = frozenset(range(0xC0, 0xD0)) - {0xC8} | {_SOS, 0xDB, 0xDC, 0xDD}
_JPEG_ALONE: Final = frozenset(range(0xD0, 0xD8)) | {0x01, 0xD8}  # RSTn, TEM, SOI: markers without a length
# A marker among the coded pixels: not a stuffed byte, not a restart. Neither pattern repeats anything, so that the
# search takes linear time whatever the file holds.
_JPEG_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_JPEG_ANY: Final = re.compile(rb"\xff[^\x00\xff]")
_EXIF: Final = b"Exif\0\0"
_ICC: Final = b"ICC_PROFILE\0"
# A file of a few kilobytes can ask for thousands of passes over millions of pixels; honest ones ask for about ten.
_MAX_SCANS: Final = 100
# Pieces of a file; honest ones of 25 MB have a few thousand, and each costs time.
_MAX_PIECES: Final = 50_000
_JFIF_BYTES: Final = 14  # of a JFIF header without its thumbnail
_ADOBE_BYTES: Final = 12

_WEBP_PIXELS: Final = (b"VP8 ", b"VP8L", b"ALPH")
_WEBP_KEPT: Final = (b"VP8X", b"ICCP", *_WEBP_PIXELS)
_WEBP_ANIMATED: Final = (b"ANIM", b"ANMF")
_VP8X_KEPT: Final = 0x20 | 0x10  # the flags of a colour profile and of transparency


class DamagedError(Exception):
    """The file is cut off, or its parts do not fit together."""


@dataclass(frozen=True)
class Stripped:
    """A file without its metadata, and what was said in there that matters for the picture.

    Attributes:
        data: the file.
        exif: the EXIF block, b"" when there was none.
        animated: it holds more than one frame in time.
        lossless: the pixels are stored exactly.
        notes: what was lost of the picture's own look.
    """

    data: bytes
    exif: bytes = b""
    animated: bool = False
    lossless: bool = True
    notes: tuple[str, ...] = ()


def stripped(data: bytes, kind: str) -> Stripped:
    """A file of `kind` "JPEG", "PNG" or "WEBP" without its metadata; stripping twice changes nothing more.

    Raises:
        DamagedError: the file is cut off or damaged in its structure. The pixels themselves are not looked at.
    """
    return {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp}[kind](data)


def colour_chunks(data: bytes) -> bytes:
    """The chunks of a PNG file that say how its colours are meant, as they can follow any header."""
    kept = (b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP")
    return b"".join(data[start:end] for kind, start, end in png.chunks(data) if kind in kept)


def _png(data: bytes) -> Stripped:
    parts, notes, exif, animated = [png.SIGNATURE], [], b"", False
    kind = b""
    for count, (kind, start, end) in enumerate(png.chunks(data)):
        if count == _MAX_PIECES:
            raise DamagedError
        if kind == b"eXIf":
            exif = data[start + 8 : end - 4]
        animated |= kind in _PNG_ANIMATED
        if kind not in _PNG_KEPT:
            continue
        if zlib.crc32(memoryview(data)[start + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise DamagedError
        if kind == b"iCCP":
            if profile := _png_profile(data[start + 8 : end - 4]):
                parts.append(profile)
            else:
                notes.append(_PROFILE_LOST)
        else:
            parts.append(data[start:end])
        if kind == b"IEND":
            break
    if kind != b"IEND":
        raise DamagedError
    return Stripped(b"".join(parts), exif, animated, notes=tuple(notes))


def _png_profile(body: bytes) -> bytes | None:
    """The chunk of a profile under a name that says nothing; None when it cannot be unpacked within bounds."""
    _, _, rest = body.partition(b"\0")
    unpack = zlib.decompressobj()
    try:
        profile = unpack.decompress(rest[1:], _MAX_PROFILE)
    except zlib.error:
        return None
    if not profile or not unpack.eof:
        return None
    end = len(rest) - len(unpack.unused_data)
    return png.chunk(b"iCCP", b"ICC profile\0\0" + rest[1:end])


def _jpeg(data: bytes) -> Stripped:
    parts, exif, at, scans = [b"\xff\xd8"], b"", 2, 0
    for _ in range(_MAX_PIECES):
        marker, at = _next_marker(data, at)
        if marker == _EOI:
            break
        if marker in _JPEG_ALONE:
            continue
        end = at + int.from_bytes(data[at : at + 2], "big")
        if end < at + 2 or end > len(data):
            raise DamagedError
        body = data[at + 2 : end]
        if marker == 0xE1 and body.startswith(_EXIF) and not exif:
            exif = body
        if (kept := _jpeg_kept(marker, body)) is not None:
            parts.append(struct.pack(">BBH", 0xFF, marker, len(kept) + 2) + kept)
        at = end
        if marker == _SOS:
            scans += 1
            found = _JPEG_MARKER.search(data, at)
            if found is None or scans > _MAX_SCANS:
                raise DamagedError
            parts.append(data[at : found.start()].rstrip(b"\xff"))  # fill bytes
            at = found.start()
    else:
        raise DamagedError
    if not scans:
        raise DamagedError
    parts.append(b"\xff\xd9")
    return Stripped(b"".join(parts), exif, lossless=False)


def _next_marker(data: bytes, at: int) -> tuple[int, int]:
    """A marker and where its segment starts; strange bytes and fill bytes before it are skipped, as libjpeg does."""
    found = _JPEG_ANY.search(data, at)
    if found is None:
        raise DamagedError
    return data[found.end() - 1], found.end()


def _jpeg_kept(marker: int, body: bytes) -> bytes | None:
    """What is kept of a segment."""
    if marker in _JPEG_KEPT:
        return body
    if marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= _JFIF_BYTES:
        return body[: _JFIF_BYTES - 2] + b"\0\0"  # a thumbnail of 0x0 pixels
    if marker == 0xE2 and body.startswith(_ICC):
        return body
    if marker == 0xEE and body.startswith(b"Adobe") and len(body) >= _ADOBE_BYTES:
        return body[:_ADOBE_BYTES]  # says whether the colours are RGB, YCbCr, CMYK or YCCK
    return None


def _webp(data: bytes) -> Stripped:
    size = 8 + int.from_bytes(data[4:8], "little")
    if size < 20 or size > len(data):
        raise DamagedError
    parts, exif, animated, kinds, at = [b"WEBP"], b"", False, set(), 12
    for _ in range(_MAX_PIECES):
        if at + 8 > size:
            break
        kind = data[at : at + 4]
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if end > size:
            raise DamagedError
        body = data[at + 8 : end]
        at = end + end % 2
        animated |= kind in _WEBP_ANIMATED
        if kind == b"EXIF":
            exif = body
        if kind not in _WEBP_KEPT or kind in kinds:
            continue
        kinds.add(kind)
        if kind == b"VP8X":
            if len(body) < 10:
                raise DamagedError
            body = bytes([body[0] & _VP8X_KEPT, 0, 0, 0]) + body[4:10]
        parts.append(kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2))
    else:
        raise DamagedError
    inner = b"".join(parts)
    whole = b"RIFF" + struct.pack("<I", len(inner)) + inner
    return Stripped(whole, exif, animated, lossless=b"VP8L" in kinds)
