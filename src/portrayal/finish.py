"""The finished file: what it was made from stands in it, and it is sealed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from portrayal import credentials, packets
from portrayal._version import __version__
from portrayal.imaging import encode
from portrayal.png import read_text, with_text
from portrayal.request import Request
from portrayal.result import IdentityScore
from portrayal.settings import Settings

__all__ = ["encode", "label", "provenance", "seal"]

KEY: Final = "portrayal"
_RECORD: Final = "portrayal:record"
# No XML file may hold these, not even escaped; JSON can write them in another way.
_NOT_IN_XML: Final = {"\ufffe": "\\ufffe", "\uffff": "\\uffff"}


def label(
    data: bytes,
    request: Request,
    seed: int,
    engine: str,
    score: IdentityScore | None,
    metadata: bool,
    cast: Sequence[IdentityScore] = (),
) -> bytes:
    """The file with the request, seed, version and scores in it, when `metadata` is on.

    In a PNG file they are a text chunk named ``portrayal``, in JPEG and WebP files a property of an XMP packet. Every
    format gets an XMP packet with the program's name and the IPTC digital source type, which other programs show.
    Digests stand in the place of pictures and there is no date, so that equal requests give equal bytes.

    Args:
        data: a PNG, JPEG or WebP file as `encode` makes it.
        request, seed, engine, score: what is written.
        metadata: as in the settings.
        cast: the scores of a cast of several.
    """
    if not metadata:
        return data
    values: dict[str, Any] = {
        "version": __version__,
        "engine": engine,
        "seed": seed,
        "request": request.described(),
        "identity": None if score is None else score.model_dump(mode="json"),
    }
    if cast:
        values["cast"] = [one.model_dump(mode="json") for one in cast]
    record = json.dumps(values, ensure_ascii=False, sort_keys=True)
    program = f"Portrayal {__version__}"
    shown = {
        "xmp:CreatorTool": program,
        "Iptc4xmpExt:DigitalSourceType": credentials.source_type(request.operation),
    }
    if packets.sniff(data) == "png":
        return with_text(packets.with_xmp(data, shown), {"Software": program, KEY: record})
    for character, written in _NOT_IN_XML.items():
        record = record.replace(character, written)
    return packets.with_xmp(data, shown | {_RECORD: record})


def seal(data: bytes, request: Request, settings: Settings) -> bytes:
    """The file with signed content credentials, when the settings ask for them: the last step before it is saved.

    Raises:
        CredentialsError: see `portrayal.credentials.sign`.
    """
    return credentials.sign(data, request, settings)


def provenance(data: bytes) -> dict[str, Any] | None:
    """What `label` wrote into a PNG, JPEG or WebP file; None when there is nothing, or it is damaged."""
    kind = packets.sniff(data)
    if kind is None:
        return None
    text = read_text(data).get(KEY) if kind == "png" else packets.value(packets.read_xmp(data), _RECORD)
    try:
        values = json.loads(text) if text else None
    except ValueError:
        return None
    return values if isinstance(values, dict) else None
