"""The input of the character endpoints that fal and ModelRunner have in common, read into an order.

Three endpoints: generate, edit (a picture and a mask of the same size) and remix (a picture to start from). The fields
are those of fal's published types (`endpoints.d.ts` of `@fal-ai/client` 1.10.1); ModelRunner's are a part of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from fastapi import Request

from portrayal.api.dialects import common
from portrayal.api.doors import bases_of
from portrayal.character.mentions import mentions
from portrayal.errors import InvalidRequestError
from portrayal.request import MagicPrompt, MaskMode
from portrayal.service.envelope import Job, JobError, Role
from portrayal.service.files import File
from portrayal.service.keys import Caller
from portrayal.service.orders import Order, Who
from portrayal.service.service import Service

Endpoint = Literal["generate", "edit", "remix"]

MAX_STYLES: Final = 10
"""Style references and style codes of one request."""
STRENGTH: Final = 0.8
STYLES: Final = {"auto": "auto", "realistic": "realistic", "fiction": "fiction"}
MASK_MODES: Final[dict[str, MaskMode]] = {"black": "black", "white": "white", "alpha": "alpha"}
POLARITIES: Final[dict[str, Literal["white", "black"]]] = {"white": "white", "black": "black"}
_SPEEDS: Final = ("TURBO", "BALANCED", "QUALITY")
_EVERYWHERE: Final = frozenset(
    {
        "prompt",
        "reference_image_urls",
        "reference_mask_urls",
        "image_urls",
        "style_codes",
        "color_palette",
        "style",
        "rendering_speed",
        "expand_prompt",
        "negative_prompt",
        "num_images",
        "seed",
        "sync_mode",
        "character_mask_mode",
    }
)
FIELDS: Final[dict[Endpoint, frozenset[str]]] = {
    "generate": _EVERYWHERE | {"image_size"},
    "edit": _EVERYWHERE | {"image_url", "mask_url", "mask_mode"},
    "remix": _EVERYWHERE | {"image_url", "image_size", "strength"},
}
_OURS: Final = {
    "reference": "reference_image_urls",
    "characters": "reference_image_urls",
    "mask": "reference_mask_urls",
    "image": "image_url",
    "edit_mask": "mask_url",
    "size": "image_size",
    "speed": "rendering_speed",
}


@dataclass(frozen=True)
class Given:
    """What was asked for.

    Attributes:
        endpoint: which of the three.
        roles: the pictures, for lineage and policy.
        notes: what was given and has no effect, one sentence each; part of the answer's warnings.
    """

    endpoint: Endpoint
    order: Order
    roles: tuple[tuple[Role, File], ...]
    notes: tuple[str, ...]


def field_of(error: InvalidRequestError | JobError | Any) -> str:
    """The hosts' name of the field that an error is about."""
    name = str(error.field)
    return _OURS.get(name, name)


def warnings_of(job: Job) -> list[str]:
    """What of the input had no effect, and what the pictures lack."""
    several = job.order.num_images > 1
    own = [
        f"picture {picture.position + 1}: {warning}" if several else warning
        for picture in job.pictures
        for warning in picture.warnings
        if warning not in job.warnings
    ]
    return [*job.wire.get("notes", ()), *job.warnings, *own]


async def read(
    body: Mapping[str, Any], endpoint: Endpoint, request: Request, service: Service, caller: Caller
) -> Given:
    """Read an input. What is cheap is checked before any picture is fetched.

    Raises:
        InvalidRequestError, FetchError, ImageReadError, ImageTooLargeError, MaskMismatchError: with the host's field.
    """
    notes = _unused(body, endpoint)
    values: dict[str, Any] = {
        "operation": endpoint,
        "prompt": common.text(body.get("prompt"), "prompt", needed=True),
        "negative_prompt": common.text(body.get("negative_prompt"), "negative_prompt"),
        "speed": common.choice(body.get("rendering_speed"), common.SPEEDS, "rendering_speed", "balanced", _SPEEDS),
        "magic_prompt": _magic(body.get("expand_prompt")),
        "num_images": common.integer(body.get("num_images"), "num_images", 1, 8, 1),
        "seed": common.seed(body.get("seed")),
        "palette": common.palette(body.get("color_palette")),
        **_style(body),
    }
    if endpoint != "edit":
        values["size"] = _size(body, notes)
    if endpoint == "remix":
        values["strength"] = _strength(body, notes)
    mode = common.choice(body.get("mask_mode"), MASK_MODES, "mask_mode", "black")
    polarity = common.choice(body.get("character_mask_mode"), POLARITIES, "character_mask_mode", "white")
    urls = _urls(body, endpoint, values["prompt"], notes)

    async def take(field: str) -> File | None:
        given = urls.get(field)
        return await service.take(given[0], field, caller, bases=bases_of(request)) if given else None

    roles: list[tuple[Role, File]] = []
    reference = await take("reference_image_urls")
    if reference is not None:
        mask = await take("reference_mask_urls")
        values["characters"] = (await _who(service, reference, mask, polarity),)
        roles.append(("reference", reference))
        if mask is not None:
            roles.append(("reference-mask", mask))
    image = await take("image_url")
    if image is not None:
        values["image"] = image.sha256
        roles.append(("image", image))
        edit_mask = await take("mask_url")
        if edit_mask is not None:
            ready = await asyncio.to_thread(service.masks.of_edit, edit_mask, image, mode, "mask_url")
            values["edit_mask"] = ready.sha256
            roles.append(("mask", edit_mask))
    styles = [await service.take(u, "image_urls", caller, bases=bases_of(request)) for u in urls.get("image_urls", ())]
    values["style_references"] = tuple(file.sha256 for file in styles)
    roles += [("style-reference", file) for file in styles]
    return Given(endpoint, Order.make(**values), tuple(roles), tuple(notes))


async def _who(service: Service, reference: File, mask: File | None, polarity: Literal["white", "black"]) -> Who:
    if mask is None:
        return Who(image=reference.sha256)
    ready = await asyncio.to_thread(
        service.masks.of_reference, mask, reference, "reference_mask_urls", polarity=polarity
    )
    return Who(image=reference.sha256, mask=ready.sha256)


def _magic(given: Any) -> MagicPrompt:
    """Rewriting is a wish when it is asked for, and left to the engine when nothing is said."""
    if not common.given(given):
        return "auto"
    return "on" if common.truth(given, "expand_prompt", True) else "off"


def _unused(body: Mapping[str, Any], endpoint: Endpoint) -> list[str]:
    """Unknown fields are ignored, as fal does, but not in silence."""
    names = [name for name in body if name not in FIELDS[endpoint] and body[name] is not None]
    shown = ["".join(c for c in name if c.isprintable())[:40] for name in names[:10]]
    return [f"{name}: this endpoint has no such field; it was ignored" for name in shown]


def _style(body: Mapping[str, Any]) -> dict[str, Any]:
    """Style codes exclude style and style references; an explicit AUTO counts as none."""
    style = common.choice(body.get("style"), STYLES, "style", "auto", ("AUTO", "REALISTIC", "FICTION"))
    codes = common.style_codes(body.get("style_codes"))
    if len(codes) > MAX_STYLES:
        raise InvalidRequestError("are too many", field="style_codes", remedy=f"Give at most {MAX_STYLES}.")
    if codes:
        for field, there in (
            ("style", style != "auto"),
            ("image_urls", bool(common.listed(body.get("image_urls"), ""))),
        ):
            if there:
                raise InvalidRequestError(
                    f"cannot be used together with {field}", field="style_codes", remedy="Leave out one of the two."
                )
    return {"style_type": style, "style_codes": codes}


def _size(body: Mapping[str, Any], notes: list[str]) -> tuple[int, int]:
    given = body.get("image_size")
    size = common.image_size(given) or (1024, 1024)
    if isinstance(given, Mapping):
        asked = tuple(common.integer(given.get(side), side, 1, 14_142, 512) for side in ("width", "height"))
        if asked != size:
            notes.append(f"image_size: {asked[0]}x{asked[1]} is not made; the nearest, {size[0]}x{size[1]}, was")
    return size


def _strength(body: Mapping[str, Any], notes: list[str]) -> float:
    """0 to 1, clamped: the range is not published, so nothing is refused."""
    given = common.number(body.get("strength"), "strength", -1e6, 1e6, STRENGTH)
    clamped = min(max(given, 0.0), 1.0)
    if clamped != given:
        notes.append(f"strength: {given:g} was taken as {clamped:g}")
    return clamped


def _urls(body: Mapping[str, Any], endpoint: Endpoint, prompt: str, notes: list[str]) -> dict[str, list[str]]:
    """The pictures that are given, by field."""
    found: dict[str, list[str]] = {}
    for field in ("reference_image_urls", "reference_mask_urls", "image_urls", "image_url", "mask_url"):
        if field not in FIELDS[endpoint]:
            continue
        urls = common.listed(body.get(field), field)
        if not all(isinstance(url, str) for url in urls):
            raise InvalidRequestError("is no URL", field=field, remedy="Give an http(s) URL or a data URI.")
        if len(urls) > 1 and field != "image_urls":
            notes.append(f"{field}: only the first of {len(urls)} was used")
        found[field] = urls
    if len(found["image_urls"]) > MAX_STYLES:
        raise InvalidRequestError("are too many", field="image_urls", remedy=f"Give at most {MAX_STYLES} pictures.")
    if not found["reference_image_urls"] and not mentions(prompt):
        raise common.missing("reference_image_urls", "Give a picture of the person, or say @name of a saved one.")
    if found["reference_mask_urls"] and not found["reference_image_urls"]:
        raise common.missing("reference_image_urls", "A mask needs its picture.")
    if endpoint != "generate" and not found["image_url"]:
        raise common.missing("image_url", "Give the picture that shall be worked on.")
    if endpoint == "edit" and not found["mask_url"]:
        raise common.missing("mask_url", "Give a mask of the picture's size: black is repainted.")
    return found
