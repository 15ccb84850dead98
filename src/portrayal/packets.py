"""Notes inside of picture files that other programs read: XMP packets in PNG, JPEG and WebP.

Follows "XMP Specification Part 3: Storage in Files" (Adobe, 2016), with extended packets where a JPEG segment is too
short, and the WebP container specification.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
from typing import Final
from xml.sax.saxutils import escape, unescape

from PIL import Image

from portrayal import png
from portrayal.request import OutputFormat

_JPEG_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_JPEG_MORE: Final = b"http://ns.adobe.com/xmp/extension/\0"
_PNG_XMP: Final = "XML:com.adobe.xmp"
_SEGMENT: Final = 65_000  # bytes of a packet that surely fit into one JPEG segment
_VP8X_XMP: Final = 0x04
_VP8X_ALPHA: Final = 0x10
_NAMESPACES: Final = {
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "portrayal": "urn:portrayal:xmp/1.0/",
}


def sniff(data: bytes) -> OutputFormat | None:
    """Which of the written formats a file has, by its first bytes; None for every other one."""
    if data.startswith(png.SIGNATURE):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def packet(properties: dict[str, str]) -> str:
    """An XMP packet of simple properties, e.g. ``{"xmp:CreatorTool": "..."}``; prefixes as in `_NAMESPACES`."""
    used = {name.partition(":")[0] for name in properties}
    spaces = "".join(f' xmlns:{k}="{v}"' for k, v in _NAMESPACES.items() if k in used)
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in properties.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about=""{spaces}>{inner}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    )


def value(xmp: str, name: str) -> str | None:
    """A property that `packet` wrote."""
    found = re.search(f"<{re.escape(name)}>(.*?)</{re.escape(name)}>", xmp, re.DOTALL)
    return unescape(found[1]) if found else None


def with_xmp(data: bytes, properties: dict[str, str]) -> bytes:
    """A PNG, JPEG or WebP file that has no XMP yet, with a packet of these properties."""
    kind = sniff(data)
    if kind == "jpeg":
        return _into_jpeg(data, properties)
    body = packet(properties)
    return png.with_text(data, {_PNG_XMP: body}) if kind == "png" else _into_webp(data, body.encode())


def read_xmp(data: bytes) -> str:
    """The XMP packets of a PNG, JPEG or WebP file, one after the other; "" when there is none."""
    kind = sniff(data)
    if kind == "png":
        return png.read_text(data).get(_PNG_XMP, "")
    if kind == "jpeg":
        return _from_jpeg(data)
    found = [data[a + 8 : b] for name, a, b in _riff(data) if name == b"XMP "] if kind == "webp" else []
    return b"".join(found).decode("utf-8", "replace")


def segments(jpeg: bytes) -> list[tuple[int, int, int]]:
    """(marker, start, end) of each JPEG segment before the pixels, from its marker to its last byte."""
    at, found = 2, []
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and jpeg[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if end > len(jpeg):
            break
        found.append((jpeg[at + 1], at, end))
        at = end
    return found


def _segment(payload: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload


def _into_jpeg(data: bytes, properties: dict[str, str]) -> bytes:
    body, more = packet(properties).encode(), b""
    if len(body) > _SEGMENT:  # the longest property moves into an extended packet
        longest = max(properties, key=lambda name: len(properties[name]))
        extension = packet({longest: properties[longest]}).encode()
        digest = hashlib.md5(extension, usedforsecurity=False).hexdigest().upper()
        kept = {k: v for k, v in properties.items() if k != longest}
        body = packet(kept | {"xmpNote:HasExtendedXMP": digest}).encode()
        more = b"".join(
            _segment(_JPEG_MORE + digest.encode() + struct.pack(">II", len(extension), i) + extension[i : i + _SEGMENT])
            for i in range(0, len(extension), _SEGMENT)
        )
    heads = [end for marker, _, end in segments(data) if marker == 0xE0]
    at = heads[0] if heads else 2
    return data[:at] + _segment(_JPEG_XMP + body) + more + data[at:]


def _from_jpeg(data: bytes) -> str:
    main, more = b"", []
    for marker, start, end in segments(data):
        body = data[start + 4 : end]
        if marker == 0xE1 and body.startswith(_JPEG_XMP):
            main = body[len(_JPEG_XMP) :]
        elif marker == 0xE1 and body.startswith(_JPEG_MORE):
            body = body[len(_JPEG_MORE) + 32 :]
            more.append((int.from_bytes(body[4:8], "big"), body[8:]))
    return (main + b"".join(part for _, part in sorted(more))).decode("utf-8", "replace")


def _riff(webp: bytes) -> list[tuple[bytes, int, int]]:
    """(name, start, end) of each chunk of a WebP file, without the padding byte."""
    at, found = 12, []
    while at + 8 <= len(webp):
        end = at + 8 + int.from_bytes(webp[at + 4 : at + 8], "little")
        if end > len(webp):
            break
        found.append((webp[at : at + 4], at, end))
        at = end + end % 2
    return found


def _into_webp(data: bytes, body: bytes) -> bytes:
    head = _riff(data)[0]
    if head[0] == b"VP8X":
        extended = bytearray(data[head[1] : head[2]])
        extended[8] |= _VP8X_XMP
        rest = data[head[2] :]
    else:  # the simple form, which has no room for notes
        with Image.open(io.BytesIO(data), formats=("WEBP",)) as image:
            flags = _VP8X_XMP | (_VP8X_ALPHA if image.mode == "RGBA" else 0)
            width, height = (side - 1 for side in image.size)
        sides = width.to_bytes(3, "little") + height.to_bytes(3, "little")
        extended = bytearray(b"VP8X" + struct.pack("<I", 10) + bytes([flags, 0, 0, 0]) + sides)
        rest = data[12:]
    rest += b"\0" * (len(rest) % 2)
    inner = b"WEBP" + bytes(extended) + rest + b"XMP " + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(inner)) + inner
