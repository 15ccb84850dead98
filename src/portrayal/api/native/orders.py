"""From what a caller sends to an order: pictures are taken, names looked up, masks checked."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import Request

from portrayal.api.doors import base_of, bases_of
from portrayal.api.native.bodies import MAX_WAIT, OPERATIONS, PRIORITIES, AgainIn, Body, EditIn, WhoIn, plain
from portrayal.errors import InvalidRequestError, NotFoundError
from portrayal.service.envelope import Role
from portrayal.service.files import File
from portrayal.service.keys import Caller
from portrayal.service.orders import Order, Who
from portrayal.service.service import Service, Ticket
from portrayal.service.webhooks import Webhook
from portrayal.sizes import Size, parse_ratio, parse_size
from portrayal.styles.catalogue import palette, preset

_ID: Final = re.compile(r"[0-9a-z]{26}")
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_PREFER: Final = re.compile(r"(?:^|[,;\s])wait\s*=\s*(\d{1,6})(?:$|[,;\s])")
_SAME: Final = (
    "prompt", "negative_prompt", "strength", "factor", "speed", "num_images", "seed", "engine", "output_format",
    "magic_prompt", "style_type",
)  # fmt: skip


@dataclass
class Reader:
    """The pictures of one call."""

    service: Service
    caller: Caller
    bases: tuple[str, ...]
    roles: list[tuple[Role, File]] = field(default_factory=list)

    async def picture(self, given: str, name: str) -> File:
        """A picture: a file's id, an address, a data URI.

        Raises:
            PortrayalError: it cannot be had; `name` is the field.
        """
        text = given.strip()
        if not _ID.fullmatch(text):
            return await self.service.take(text, name, self.caller, bases=self.bases)
        try:
            return await asyncio.to_thread(self.service.files.get, text, self.caller.library)
        except NotFoundError as error:
            raise InvalidRequestError(error.message, field=name, remedy="Upload it again.") from None

    async def given(self, given: str, name: str, role: Role) -> File:
        """A picture with its role in the lineage."""
        file = await self.picture(given, name)
        self.roles.append((role, file))
        return file

    async def who(self, who: WhoIn, name: str, mode: str) -> Who:
        """One character: a picture or a name, and what of it belongs to the character."""
        called, image = who.name, who.image
        if image is not None and image.strip()[:1] in ("@", "＠"):
            called, image = image, None
        if (called is None) == (image is None):
            what = "neither a picture nor a name is given" if called is None else "both a picture and a name are given"
            raise InvalidRequestError(what, field=name, remedy="Give one of them.")
        if called is not None:
            found = await asyncio.to_thread(self.service.characters.who, called, self.caller.library, name)
            file = await asyncio.to_thread(self.service.characters.reference, called, self.caller.library)
            self.roles.append(("reference", file))
        else:
            file = await self.given(image or "", name, "reference")
            found = Who(image=file.sha256)
        if who.mask is None:
            return found
        at = f"{name}_mask" if name == "reference" else f"{name}.mask"
        mask = await self.given(who.mask, at, "reference-mask")
        if mode == "black":
            mask = await asyncio.to_thread(self.service.masks.of_reference, mask, file, at, polarity="black")
        else:
            await asyncio.to_thread(self.service.masks.check_reference, mask, file, at)
        return found.model_copy(update={"mask": mask.sha256})


async def order_of(body: Body, reader: Reader) -> Order:
    """The order that a body is.

    Raises:
        PortrayalError: the first wrong field, by its name in the body.
    """
    values: dict[str, Any] = {**plain(body, *_SAME), "operation": OPERATIONS[type(body)], **_size(body)}
    values.update(await _style(body, reader))
    values["characters"] = await _characters(body, reader)
    image = getattr(body, "image", None)
    if image is not None:
        values.update(await _worked_on(body, image, reader))
    background = getattr(body, "background", None)
    if background is not None:
        values["background"] = (await reader.given(background, "background", "background")).sha256
    try:
        return Order.make(**values)
    except InvalidRequestError as error:
        error.field = {"edit_mask": "mask"}.get(error.field, error.field)
        raise


def _size(body: Body) -> dict[str, Size | None]:
    given = plain(body, "size", "aspect_ratio")
    size, ratio = given.get("size"), given.get("aspect_ratio")
    if size is not None and ratio is not None:
        raise InvalidRequestError("both a size and an aspect ratio are given", field="size", remedy="Give one of them.")
    if ratio is not None:
        return {"size": parse_ratio(ratio)}
    return {} if size is None else {"size": parse_size(size)}


async def _style(body: Body, reader: Reader) -> dict[str, Any]:
    given = plain(body, "style_preset", "style_codes", "style_references", "palette")
    if given.get("style_codes") and given.get("style_references"):
        raise InvalidRequestError(
            "style codes go without style references", field="style_codes", remedy="Give one of the two."
        )
    values: dict[str, Any] = {}
    if given.get("style_preset"):
        values["style_preset"] = preset(given["style_preset"], "style_preset")
    if given.get("style_codes"):
        values["style_codes"] = tuple(code.lower() for code in given["style_codes"])
    if given.get("palette"):
        values["palette"] = palette(given["palette"], "palette")
    files = [
        await reader.given(text, f"style_references.{i}", "style-reference")
        for i, text in enumerate(given.get("style_references", ()))
    ]
    if files:
        values["style_references"] = tuple(file.sha256 for file in files)
    return values


async def _characters(body: Body, reader: Reader) -> tuple[Who, ...]:
    given = plain(body, "characters", "reference", "reference_mask", "character_mask_mode")
    mode = given.get("character_mask_mode", "white")
    listed: tuple[WhoIn, ...] = given.get("characters", ())
    short, mask = given.get("reference"), given.get("reference_mask")
    if short is not None and listed:
        raise InvalidRequestError("is given beside `characters`", field="reference", remedy="Give one of the two.")
    if mask is not None and short is None:
        raise InvalidRequestError(
            "there is no reference that it is the mask of", field="reference_mask", remedy="Give a reference."
        )
    if short is not None:
        return (await reader.who(WhoIn(image=short, mask=mask), "reference", mode),)
    return tuple([await reader.who(who, f"characters.{i}", mode) for i, who in enumerate(listed)])


async def _worked_on(body: Body, given: str, reader: Reader) -> dict[str, Any]:
    """The picture that is worked on and its mask."""
    image = await reader.given(given, "image", "image")
    values: dict[str, Any] = {"image": image.sha256}
    masks = plain(body, "mask", "mask_mode")
    mode = masks.get("mask_mode", "white")
    values["mask_mode"] = mode
    if masks.get("mask") is not None:
        mask = await reader.given(masks["mask"], "mask", "mask")
    elif mode == "alpha" and isinstance(body, EditIn):
        mask = image
    else:
        return values
    # The mask stays as it is: in the mode "alpha" the picture may hold what was there before.
    await asyncio.to_thread(reader.service.masks.check_edit, mask, image, mode, "mask")
    values["edit_mask"] = mask.sha256
    return values


def ticket_of(body: Body | AgainIn, request: Request) -> Ticket:
    """How the job is ordered.

    Raises:
        InvalidRequestError: an idempotency key that is not allowed.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidRequestError(
            "has 1 to 255 visible characters", field="Idempotency-Key", remedy="Take e.g. a UUID."
        )
    webhook = None
    if body.webhook is not None:
        webhook = Webhook(url=str(body.webhook.url), events=body.webhook.events)
    return Ticket(
        base=base_of(request),
        idempotency_key=key,
        idempotency_of=f"{request.url.path} {body.model_dump_json(exclude={'wait'})}" if key else None,
        webhook=webhook,
        priority=PRIORITIES[body.priority],
    )


def seconds_to_wait(body: Body | AgainIn, request: Request) -> float:
    """How long the call waits: `wait` of the body, or `Prefer: wait=N` (RFC 7240)."""
    preferred = _PREFER.search(request.headers.get("prefer", ""))
    if body.wait or preferred is None:
        return body.wait
    return min(float(preferred[1]), MAX_WAIT)


def reader_of(service: Service, caller: Caller, request: Request) -> Reader:
    """A reader for one call."""
    return Reader(service, caller, bases_of(request))
