"""Sign a finished picture file: its manifest says which program made it, how, and from which pictures."""

from __future__ import annotations

import hashlib
import io
import logging
import uuid
from dataclasses import dataclass
from typing import Any, Final, Literal

from portrayal._version import __version__
from portrayal.credentials import keys, library, salts
from portrayal.errors import CredentialsError
from portrayal.packets import sniff
from portrayal.request import Operation, Request
from portrayal.settings import Settings

_TERMS: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_ALTERED: Final = ("upscale", "remove-background")
_MISSING: Final = "content credentials: the library c2pa cannot be loaded; the files are not signed"
_HOW: Final = "made by the algorithms of Portrayal's studio engine out of the pictures given; no generative model"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Ingredient:
    """A picture that went in.

    Attributes:
        label: by which the actions name it; also its title. Never a file name or a person's name.
        relation: "parentOf": it was opened and changed; "componentOf": parts of it are in the picture; "inputTo": only
            colours and composition were taken from it.
    """

    label: str
    data: bytes
    relation: Literal["parentOf", "componentOf", "inputTo"]


def source_type(operation: Operation) -> str:
    """The IPTC digital source type of what the studio engine makes: "Composite of elements", because a photographed
    person, photographed and drawn surroundings and computed light come together, and none of it is generative AI; of
    one picture without new content "Algorithmically-altered media".
    """
    return _TERMS + ("algorithmicallyEnhanced" if operation in _ALTERED else "composite")


def prepare(settings: Settings) -> tuple[str, ...]:
    """Load or make the key, before any work is done; warnings when files will not be signed.

    Raises:
        CredentialsError: the key or the certificate of the settings cannot be used, or none can be written.
    """
    if not settings.credentials:
        return ()
    if library.load() is None:
        return (_MISSING,)
    keys.load(settings)
    return ()


def sign(data: bytes, request: Request, settings: Settings) -> bytes:
    """The file with content credentials; unchanged when they are switched off or the library is missing.

    The same file and request give the same bytes: ids come from digests, there is no date, signatures are
    deterministic, and the library's random salts are replaced (see `salts`).

    Args:
        data: a finished PNG, JPEG or WebP file; changing a byte of it afterwards breaks the seal.
        request: what was asked for; its pictures become ingredients, by a digest that only this key can compute.
        settings: `credentials`, `data_dir`, `signing_key`, `signing_certificate`.

    Raises:
        CredentialsError: see `prepare`; or the certificate does not fit the rules of C2PA.
    """
    c2pa = library.load() if settings.credentials else None
    kind = sniff(data)
    if c2pa is None or kind is None:
        return data
    key = keys.load(settings)
    label = f"urn:c2pa:{_id(key, hashlib.sha256(data).hexdigest(), 'manifest')}"
    signed: list[tuple[bytes, bytes]] = []

    def callback(message: bytes) -> bytes:
        signed.append((message, key.sign(message)))
        return signed[-1][1]

    out = io.BytesIO()
    try:
        signer = c2pa.Signer.from_callback(callback, c2pa.C2paSigningAlg[key.algorithm], key.chain)
        builder = _builder(c2pa, key, label, request)
        manifest = builder.sign(signer, library.MIME[kind], io.BytesIO(data), out)
    except c2pa.C2paError as error:
        raise CredentialsError(
            f"the file could not be signed ({str(error)[:120]})",
            field="signing_certificate",
            remedy="Check the certificate, or set PORTRAYAL_CREDENTIALS=false.",
        ) from None
    return salts.settle(out.getvalue(), kind, manifest, signed[-1], key)


def _builder(c2pa: Any, key: keys.Key, label: str, request: Request) -> Any:
    ingredients = _ingredients(request)
    described = [_described(key, ingredient) for ingredient in ingredients]
    readable = [_is_readable(c2pa, ingredient) for ingredient in ingredients]
    manifest = {
        "label": label,
        "instance_id": "xmp:iid:" + label.removeprefix("urn:c2pa:"),
        "claim_version": 2,
        "claim_generator_info": [{"name": "Portrayal", "version": __version__}],
        "ingredients": [d for d, own in zip(described, readable, strict=True) if not own],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": _actions(request, ingredients)}}],
    }
    builder = c2pa.Builder(manifest, library.context(c2pa))
    for ingredient, values, own in zip(ingredients, described, readable, strict=True):
        if own:
            builder.add_ingredient(values, values["format"], io.BytesIO(ingredient.data))
    return builder


def _described(key: keys.Key, ingredient: _Ingredient) -> dict[str, str]:
    kind = sniff(ingredient.data)
    return {
        "title": ingredient.label,
        "label": ingredient.label.replace(" ", "-"),
        "relationship": ingredient.relation,
        "format": library.MIME[kind] if kind else "application/octet-stream",
        "instance_id": f"xmp:iid:{_id(key, hashlib.sha256(ingredient.data).hexdigest(), 'ingredient')}",
    }


def _is_readable(c2pa: Any, ingredient: _Ingredient) -> bool:
    """Whether the picture carries credentials of its own that can be taken along."""
    kind = sniff(ingredient.data)
    if kind is None:
        return False
    try:
        return (
            c2pa.Reader.try_create(library.MIME[kind], io.BytesIO(ingredient.data), context=library.context(c2pa))
            is not None
        )
    except c2pa.C2paError:
        logger.info("the credentials of the %s cannot be read and are left out", ingredient.label)
        return False


def _ingredients(request: Request) -> list[_Ingredient]:
    found = []
    if request.image is not None:
        new = request.operation == "remix"
        relation: Literal["parentOf", "componentOf", "inputTo"] = "parentOf"
        if new:
            relation = "componentOf" if request.strength > 0 else "inputTo"
        found.append(_Ingredient("inspiration" if new else "source picture", request.image, relation))
    for i, character in enumerate(request.characters):
        number = f" {i + 1}" if len(request.characters) > 1 else ""
        found.append(_Ingredient(f"reference picture{number}", character.image, "componentOf"))
    if request.background is not None:
        found.append(_Ingredient("background picture", request.background, "componentOf"))
    return found


def _actions(request: Request, ingredients: list[_Ingredient]) -> list[dict[str, Any]]:
    """What was done, in order. One parameter an action: the library would shuffle several."""
    kind = source_type(request.operation)
    parents = [i for i in ingredients if i.relation == "parentOf"]
    inputs = [i for i in ingredients if i.relation == "inputTo"]
    first: dict[str, Any] = {"action": "c2pa.opened" if parents else "c2pa.created"}
    if not parents:
        first |= {"digitalSourceType": kind, "description": f"{request.operation}: {_HOW}"}
    if parents or inputs:
        first["parameters"] = {"ingredientIds": [_name(i) for i in parents or inputs]}
    actions = [first]
    for ingredient in ingredients:
        if ingredient.relation == "componentOf":
            actions.append({"action": "c2pa.placed", "parameters": {"ingredientIds": [_name(ingredient)]}})
    if parents:
        verb = "c2pa.resized" if request.operation == "upscale" else "c2pa.edited"
        actions.append({"action": verb, "digitalSourceType": kind, "description": f"{request.operation}: {_HOW}"})
    return actions


def _name(ingredient: _Ingredient) -> str:
    return ingredient.label.replace(" ", "-")


def _id(key: keys.Key, *names: str) -> uuid.UUID:
    """A UUID of version 4 in form that is always the same for the same names, and means nothing without the key."""
    return uuid.UUID(bytes=key.secret(*names)[:16], version=4)
