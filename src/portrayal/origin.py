"""Where a picture comes from: what its file says, and whether that still holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from portrayal import credentials, imaging, packets
from portrayal.credentials import Credentials
from portrayal.errors import ImageReadError
from portrayal.finish import provenance
from portrayal.settings import Settings

_TYPES: Final = {
    "composite": "a composite of elements (photographs, computed light and surroundings)",
    "algorithmicallyEnhanced": "altered by algorithms, without new content",
    "algorithmicMedia": "made purely by algorithms",
    "compositeSynthetic": "a composite that includes generative AI elements",
    "trainedAlgorithmicMedia": "made by generative AI",
    "compositeWithTrainedAlgorithmicMedia": "edited with generative AI",
    "digitalCapture": "a photograph of a digital camera",
}


def verify(data: bytes, settings: Settings | None = None) -> dict[str, Any]:
    """Read back what a picture file says of its origin.

    The embedded record is a note that anybody can write or change; what the content credentials say is signed.

    Args:
        data: bytes of a file.
        settings: for the key of this installation.

    Returns:
        plain values for JSON: ``format``; ``record``: version, engine, seed, request, scores, or None; ``credentials``:
        as in `portrayal.credentials.Credentials`; ``pixels``: "whole", or "damaged" when the file cannot be decoded;
        ``verdict``: "made here", "made by another", "tampered", "damaged", "unsigned" or "unknown"; ``lines``: the same
        in plain words.

    Raises:
        ImageReadError, ImageTooLargeError: not a picture, or so damaged that it says nothing.
    """
    settings = settings or Settings()
    record = provenance(data)
    found = credentials.read(data, settings)
    kind: str = packets.sniff(data) or ""
    whole = True
    try:
        image = imaging.opened(data, "file")
        kind = kind or (image.format or "").lower()
        imaging.loaded(image, "file")
    except ImageReadError:
        if record is None and found.state in ("none", "unreadable"):
            raise
        whole = False
    verdict = _verdict(found, record, whole)
    return {
        "format": kind,
        "verdict": verdict,
        "record": record,
        "credentials": asdict(found),
        "pixels": "whole" if whole else "damaged",
        "lines": [*_summary(verdict, found), *_signed(found), *_noted(record)],
    }


def _verdict(found: Credentials, record: dict[str, Any] | None, whole: bool) -> str:
    if found.state == "tampered":
        return "tampered"
    if found.state == "damaged" or not whole:
        return "damaged"
    if found.state == "valid":
        return "made here" if found.signer == "this installation" else "made by another"
    return "unsigned" if record else "unknown"


def _summary(verdict: str, found: Credentials) -> list[str]:
    said = {
        "made here": "The file is as this installation of Portrayal signed it: not a byte was changed.",
        "made by another": "The file is as it was signed: not a byte was changed. The signer is not this installation; "
        "nobody here vouches for the name.",
        "tampered": "The file was changed after it was signed. Do not trust what it says of itself.",
        "damaged": "The file is damaged or cut off.",
        "unsigned": "The file holds a note of Portrayal, but no content credentials: anybody could have written it.",
        "unknown": "The file says nothing of its origin. It was not made by Portrayal, or it was saved again by a "
        "program or service that removes such notes.",
    }
    lines = [said[verdict]]
    if verdict == "tampered" and found.bytes_hold:
        lines.append("The pixels are those that were signed; the credentials themselves were changed.")
    if found.state == "unreadable":
        lines.append("Content credentials could not be read: the library c2pa is missing (pip install c2pa-python).")
    return lines


def _signed(found: Credentials) -> list[str]:
    if found.state not in ("valid", "tampered"):
        return []
    by = f"{found.common_name} ({found.issuer})" if found.issuer else found.common_name
    lines = [f"Signed by: {found.signer}; the certificate says {by or 'no name'}."]
    if "signingCredential.expired" in found.problems:
        lines.append("The certificate of the signer has expired since.")
    if "signingCredential.invalid" in found.problems:
        lines.append("The certificate of the signer does not follow the rules for content credentials.")
    if found.generator:
        lines.append(f"Made with: {found.generator}.")
    if found.source_type:
        lines.append(f"Kind of picture: {_TYPES.get(found.source_type, found.source_type)}.")
    if found.actions:
        lines.append("Done: " + ", ".join(a.removeprefix("c2pa.") for a in found.actions) + ".")
    if found.ingredients:
        lines.append("Made from: " + ", ".join(i["title"] for i in found.ingredients) + ".")
    return lines


def _noted(record: dict[str, Any] | None) -> list[str]:
    """The note in words; whoever wrote it may have put anything there."""
    if record is None:
        return []
    request = record.get("request")
    request = request if isinstance(request, dict) else {}
    lines = [f"Note: Portrayal {record.get('version')}, engine {record.get('engine')}, seed {record.get('seed')}."]
    if request.get("prompt"):
        lines.append(f"Note: {request.get('operation', 'generate')}, prompt: {request['prompt']}")
    identity = record.get("identity")
    if isinstance(identity, dict):
        distance = identity.get("distance")
        shown = f" (distance {distance:.2f})" if isinstance(distance, float) else ""
        lines.append(f"Note: identity score {identity.get('score')}{shown}.")
    return lines
