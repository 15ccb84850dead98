"""Read content credentials back, and whether they still hold."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from portrayal.credentials import keys, library
from portrayal.errors import CredentialsError
from portrayal.packets import sniff
from portrayal.settings import Settings

State: TypeAlias = Literal["none", "valid", "tampered", "damaged", "unreadable"]
_PIXELS: Final = ("assertion.dataHash.", "assertion.boxesHash.")
# What is said of the signer and not of the file. Nobody keeps a list of trusted signers here.
_OF_THE_SIGNER: Final = ("signingCredential.untrusted", "signingCredential.expired", "signingCredential.invalid")


@dataclass(frozen=True)
class Credentials:
    """What the manifest of a file says.

    Attributes:
        state: "none"; "valid"; "tampered" = well-formed, but a hash or the signature does not hold; "damaged" = a
            manifest is there that cannot be read; "unreadable" = the library is missing.
        signer: "this installation", "another" or "" for none.
        issuer, common_name: as the certificate says; nobody vouches for it.
        generator: program and version.
        source_type: last part of the IPTC digital source type.
        actions: what was done, in order.
        ingredients: title and relation of each picture that went in.
        bytes_hold: whether the bytes of the file are those that were signed; None when that could not be found out.
        problems: codes of the specification for what does not hold.
    """

    state: State
    signer: str = ""
    issuer: str = ""
    common_name: str = ""
    generator: str = ""
    source_type: str = ""
    actions: tuple[str, ...] = ()
    ingredients: tuple[dict[str, str], ...] = ()
    bytes_hold: bool | None = None
    problems: tuple[str, ...] = ()


def read(data: bytes, settings: Settings) -> Credentials:
    """The credentials of a PNG, JPEG or WebP file."""
    kind, c2pa = sniff(data), library.load()
    if c2pa is None:
        return Credentials("unreadable")
    if kind is None:
        return Credentials("none")
    own = _own(settings)
    try:
        context = library.context(c2pa, own.top if own else "")
        reader = c2pa.Reader.try_create(library.MIME[kind], io.BytesIO(data), context=context)
        if reader is None:
            return Credentials("none")
        store: dict[str, Any] = json.loads(reader.json())
    except c2pa.C2paError.RemoteManifest:  # it lies on the network, where nothing is fetched from
        return Credentials("none")
    except (c2pa.C2paError, ValueError) as error:
        if b"jumb" not in data:  # an odd file, but without any manifest
            return Credentials("none")
        return Credentials("damaged", problems=(str(error)[:200],))
    return _interpreted(store, str(own.serial) if own else "")


def _own(settings: Settings) -> keys.Key | None:
    """The key of this installation, when there is one already."""
    if settings.signing_key is None and not keys.path(settings).is_file():
        return None
    try:
        return keys.load(settings)
    except CredentialsError:
        return None


def _interpreted(store: dict[str, Any], serial: str) -> Credentials:
    manifest = store.get("manifests", {}).get(store.get("active_manifest", ""), {})
    results = store.get("validation_results", {}).get("activeManifest", {})
    good = {entry["code"] for entry in results.get("success", ())}
    failures = tuple(entry["code"] for entry in results.get("failure", ()))
    bad = tuple(code for code in failures if code not in _OF_THE_SIGNER)
    signature = manifest.get("signature_info", {})
    actions = [
        action
        for assertion in manifest.get("assertions", ())
        if assertion["label"].startswith("c2pa.actions")
        for action in assertion["data"].get("actions", ())
    ]
    types = [a["digitalSourceType"] for a in actions if "digitalSourceType" in a]
    generator = (manifest.get("claim_generator_info") or [{}])[0]
    trusted = "signingCredential.trusted" in good
    holds = None
    if any(code.startswith(_PIXELS) for code in bad):
        holds = False
    elif any(code.startswith(_PIXELS) for code in good):
        holds = True
    return Credentials(
        state="tampered" if bad else "valid",
        # An authority may have signed for others too: the certificate must be the own one.
        signer="this installation" if trusted and serial == signature.get("cert_serial_number") else "another",
        issuer=signature.get("issuer", ""),
        common_name=signature.get("common_name", ""),
        generator=f"{generator.get('name', '')} {generator.get('version', '')}".strip(),
        source_type=types[-1].rsplit("/", 1)[-1] if types else "",
        actions=tuple(a["action"] for a in actions),
        ingredients=tuple(
            {"title": i.get("title", ""), "relation": i.get("relationship", "")}
            for i in manifest.get("ingredients", ())
        ),
        bytes_hold=holds,
        problems=tuple(code for code in failures if code != _OF_THE_SIGNER[0]),
    )
