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
# Codes that say nothing against the file: nobody keeps a list of trusted signers here.
_HARMLESS: Final = ("signingCredential.untrusted",)


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
        problems: codes of what does not hold.
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
    try:
        reader = c2pa.Reader.try_create(
            library.MIME[kind], io.BytesIO(data), context=library.context(c2pa, _own(settings))
        )
        if reader is None:
            return Credentials("none")
        store: dict[str, Any] = json.loads(reader.json())
    except (c2pa.C2paError, ValueError) as error:
        return Credentials("damaged", problems=(str(error)[:200],))
    return _interpreted(store)


def _own(settings: Settings) -> str:
    """The certificate of this installation; "" when it has none yet. None is made for reading."""
    given = settings.signing_key is not None
    if not given and not keys.path(settings).is_file():
        return ""
    try:
        return keys.load(settings).own
    except CredentialsError:
        return ""


def _interpreted(store: dict[str, Any]) -> Credentials:
    manifest = store.get("manifests", {}).get(store.get("active_manifest", ""), {})
    results = store.get("validation_results", {}).get("activeManifest", {})
    good = {entry["code"] for entry in results.get("success", ())}
    bad = tuple(e["code"] for e in results.get("failure", ()) if e["code"] not in _HARMLESS)
    signature = manifest.get("signature_info", {})
    actions = [
        action
        for assertion in manifest.get("assertions", ())
        if assertion["label"].startswith("c2pa.actions")
        for action in assertion["data"].get("actions", ())
    ]
    types = [a["digitalSourceType"] for a in actions if "digitalSourceType" in a]
    generator = (manifest.get("claim_generator_info") or [{}])[0]
    holds = None
    if any(code.startswith(_PIXELS) for code in bad):
        holds = False
    elif any(code.startswith(_PIXELS) for code in good):
        holds = True
    return Credentials(
        state="tampered" if bad or store.get("validation_state") == "Invalid" else "valid",
        signer="this installation" if "signingCredential.trusted" in good else "another",
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
        problems=bad,
    )
