"""What a file is by its first bytes, whatever name or content type it came with."""

from __future__ import annotations

import codecs
from typing import Final

ENOUGH: Final = 64
"""So many first bytes tell every kind apart."""

ACCEPTED: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
"""The formats that are taken, as Pillow names them, and their media types."""

_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"8BPS", "a Photoshop file"),
    (b"\0\0\x01\0", "an icon file"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x1aE\xdf\xa3", "a video"),
)
# ISO base media files name their brand after "ftyp" (ISO/IEC 14496-12, 4.3).
_BRANDS: Final = {
    b"avif": "an AVIF",
    b"avis": "an AVIF",
    b"heic": "a HEIC",
    b"heix": "a HEIC",
    b"hevc": "a HEIC",
    b"mif1": "a HEIC",
    b"msf1": "a HEIC",
}


def image_format(head: bytes) -> str | None:
    """The accepted format that a file starts like: "JPEG", "PNG" or "WEBP"; None for everything else.

    Args:
        head: the file, or its first `ENOUGH` bytes.
    """
    found = named(head)
    return found if found in ACCEPTED else None


def named(head: bytes) -> str:
    """What a file starts like, for a message: an accepted format's name, or e.g. "a GIF", "a web page", "a text"."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF":
        return "WEBP" if head[8:12] == b"WEBP" else "a RIFF file"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "a video")
    return _text(head[:ENOUGH])


def _text(head: bytes) -> str:
    if not head:
        return "an empty file"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<svg", b"<?xml")):
        return "an SVG or XML file"
    if start.startswith(b"<"):
        return "a web page"
    if start.startswith((b"{", b"[")):
        return "a JSON text"
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return "an unknown kind of file"
    return "a text" if all(c.isprintable() or c in "\r\n\t\f" for c in text) else "an unknown kind of file"
