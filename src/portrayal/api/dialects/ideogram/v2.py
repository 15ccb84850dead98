"""v2: `/v2/image/<task>/<model>`, multipart or JSON, synchronous or not, with price quotes, webhooks and polling."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from portrayal.api.dialects import common
from portrayal.api.dialects.ideogram import answers, errors, inputs
from portrayal.api.dialects.ideogram.fields import Fields
from portrayal.api.dialects.ideogram.intake import Intake, is_id
from portrayal.api.dialects.ideogram.v1 import PATIENCE
from portrayal.api.doors import TheCaller, TheService, attended, base_of, link_of, may, speaking
from portrayal.character.mentions import mentions
from portrayal.errors import InvalidRequestError, NotFoundError
from portrayal.service.files import File
from portrayal.service.keys import Caller
from portrayal.service.orders import Order, Who
from portrayal.service.service import Service, Ticket
from portrayal.service.webhooks import Webhook
from portrayal.sizes import RATIOS

router = APIRouter(route_class=speaking(errors.v2), tags=["Ideogram"])

MAX_URL: Final = 2048
_IMAGES: Final = "character_reference_images"
_ASSETS: Final = "character_reference_asset_identifiers"
_COLLECTION: Final = "character_reference_collection_id"
_VERSION: Final = "character_reference_collection_version_id"
_MASK: Final = "character_reference_mask"
_STYLE_ASSETS: Final = "style_reference_asset_identifiers"
_STYLE_IMAGES: Final = "style_reference_images"
_STYLE_COLLECTION: Final = "style_reference_collection_id"
_STYLES: Final = {name: name for name in ("auto", "realistic", "fiction")}
_ALL_STYLES: Final = {name: name for name in ("auto", "general", "realistic", "design", "fiction")}


@dataclass(frozen=True)
class Task:
    """A kind of call.

    Attributes:
        operation: of the order.
        billing: identifier of its price.
        background: it is always asynchronous.
        webhooks: it can tell when it is done.
    """

    operation: str
    billing: str
    background: bool = False
    webhooks: bool = True


class Call:
    """One call: its fields, its pictures, and what becomes of them."""

    def __init__(self, task: Task, request: Request, service: Service, caller: Caller, fields: Fields) -> None:
        self.task, self.request, self.service, self.caller, self.fields = task, request, service, caller, fields
        self.quoted = common.truth(request.query_params.get("dry_run"), "dry_run", False)
        self.intake = Intake(request, service, caller, keep=not self.quoted)
        self.notes: list[str] = []

    @classmethod
    async def read(cls, task: Task, request: Request, service: Service, caller: Caller) -> Call:
        """A call whose caller may make pictures.

        Raises:
            ForbiddenError, InvalidRequestError, ImageTooLargeError: it may not, or the body cannot be read.
        """
        may(caller, "create")
        return cls(task, request, service, caller, await Fields.read(request, service.settings.max_upload_bytes))

    async def answer(self, **values: Any) -> Response:
        """Quote what was asked for; or order it, and wait for it unless the caller wants to ask later."""
        webhook = await self._webhook() if self.task.webhooks else None
        asked = common.truth(self.fields.value("async"), "async", False)
        asynchronous = asked or self.task.background or webhook is not None
        if not common.truth(self.fields.value("private"), "private", True):
            self.notes.append("private: nothing is published here; the result stays in the library")
        if self.fields.given("target_collection_id"):
            self.notes.append("target_collection_id: there are no collections of results here; it was ignored")
        notes = [*self.notes, *inputs.noted(self.fields)]
        order = Order.make(operation=self.task.operation, **values)
        if self.quoted:
            return await self._quote(order)
        ticket = Ticket(
            dialect="ideogram",
            wire={"version": "v2", "warnings": notes},
            webhook=webhook,
            base=base_of(self.request),
            max_in_flight=self.service.settings.max_in_flight,
        )
        job = await self.service.submit(order, self.caller, ticket, self.intake.roles)
        if not asynchronous:
            job = await attended(self.request, self.service, job, self.caller, PATIENCE)
        return answers.v2(job, link_of(self.request), asynchronous=asynchronous)

    async def _webhook(self) -> Webhook | None:
        """Who is told.

        Raises:
            InvalidRequestError, FetchError: no https URL, too long, or it leads to a private address.
        """
        url = common.text(self.fields.value("webhook_url"), "webhook_url", most=MAX_URL).strip()
        if not url:
            return None
        await self.service.guard.check(url, "webhook_url", https_only=True)
        return Webhook(url=url, https_only=True)

    async def _quote(self, order: Order) -> Response:
        """What it costs: nothing."""
        await asyncio.to_thread(self.service.characters.resolved, order, self.caller.library)
        quote = {
            "object": "price_quote",
            "billing_identifier": self.task.billing,
            "quantity": order.num_images,
            "usd_micros": 0,
            "credit_millis": 0,
            "qualifier": "exact",
        }
        return JSONResponse(quote)

    # What several calls have.

    def speed(self) -> dict[str, Any]:
        """The rendering speed; there is no flash.

        Raises:
            InvalidRequestError: it is none of the three.
        """
        return {
            "speed": common.choice(
                self.fields.value("rendering_speed"), inputs.SPEEDS_V2, "rendering_speed", "balanced"
            )
        }

    async def image(self) -> File:
        """The picture that is worked on: a file or an asset.

        Raises:
            PortrayalError: there is none, both are given, or it is no picture.
        """
        fields, asset = self.fields, self.fields.object("image_asset_identifier")
        if asset is None:
            given = fields.picture("image", "Give the picture that shall be worked on, or image_asset_identifier.")
            return await self.intake.picture(given, "image", "image")
        if fields.given("image"):
            raise InvalidRequestError(
                "it cannot be combined with image", field="image_asset_identifier", remedy="Give one of them."
            )
        return await self.intake.asset(asset, "image_asset_identifier", "image")

    async def mask(self, image: File) -> File:
        """The mask of an edit, in the internal form.

        Raises:
            PortrayalError: there is none, both are given, or it does not fit.
        """
        fields, asset = self.fields, self.fields.object("mask_asset_identifier")
        if asset is None:
            given = fields.picture("mask", "Give a mask of the same size, black where the picture shall change.")
            drawn = await self.intake.mask(given, "mask")
        elif fields.given("mask"):
            raise InvalidRequestError(
                "it cannot be combined with mask", field="mask_asset_identifier", remedy="Give one of them."
            )
        else:
            drawn = await self.intake.asset_mask(asset, "mask_asset_identifier")
        return await self.intake.edit_mask(drawn, image, fields, "mask")

    def needs_character(self) -> None:
        """Refuse a picture of nobody.

        Raises:
            InvalidRequestError: no character is given in any of the three ways, or mentioned in the prompt.
        """
        fields, prompt = self.fields, self.fields.value("prompt")
        if any(fields.given(name) for name in (_COLLECTION, _ASSETS, _IMAGES)):
            return
        if not (isinstance(prompt, str) and mentions(prompt)):
            raise InvalidRequestError(
                "a character reference is required",
                field=_IMAGES,
                remedy=f"Give {_COLLECTION}, {_ASSETS} or {_IMAGES}, or name a saved character in the prompt: @name.",
            )

    async def people(self) -> dict[str, Any]:
        """The character: a saved one before an asset before a file.

        Raises:
            PortrayalError: there are several, it cannot be had, or its mask does not fit or has no file.
        """
        fields = self.fields
        images, masks, assets = fields.pictures(_IMAGES), fields.pictures(_MASK), fields.objects(_ASSETS)
        name = common.text(fields.value(_COLLECTION), _COLLECTION, most=100).strip()
        for field, given in ((_IMAGES, images), (_ASSETS, assets), (_MASK, masks)):
            if len(given) > 1:
                raise InvalidRequestError(
                    f"exactly one is supported, {len(given)} are given", field=field, remedy="Give one."
                )
        if masks and (not images or assets or name):
            raise InvalidRequestError(
                "it belongs to an uploaded reference",
                field=_MASK,
                remedy=f"Give {_IMAGES} too, and no other reference.",
            )
        if name:
            return {"characters": (await self._saved(name),)}
        if assets:
            file = await self.intake.asset(assets[0], _ASSETS, "reference")
        elif images:
            file = await self.intake.picture(images[0], _IMAGES, "reference")
        else:
            return {"characters": ()}
        return {"characters": (await self.intake.who(file, masks[0] if masks else None, fields, _MASK),)}

    async def style(self, *, codes: bool, types: dict[str, str]) -> dict[str, Any]:
        """Style type, references and codes.

        Args:
            codes: the call takes style codes.
            types: the style types that it takes.

        Raises:
            PortrayalError: one is not allowed, they cannot be combined, or a reference is no picture.
        """
        fields = self.fields
        if fields.given(_STYLE_COLLECTION):
            raise NotFoundError("there is no such collection", field=_STYLE_COLLECTION, remedy="Send the files.")
        images, assets = fields.pictures(_STYLE_IMAGES), fields.objects(_STYLE_ASSETS)
        style = common.choice(fields.value("style_type"), types, "style_type", "auto")
        found: dict[str, Any] = {"style_type": style}
        if codes:
            found["style_codes"] = inputs.codes(fields, styled=style != "auto", references=bool(images or assets))
        if len(images) + len(assets) > inputs.MAX_STYLE_REFERENCES:
            raise InvalidRequestError(
                f"{len(images) + len(assets)} are given",
                field=_STYLE_IMAGES,
                remedy=f"Give at most {inputs.MAX_STYLE_REFERENCES}.",
            )
        files = [await self.intake.picture(each, _STYLE_IMAGES, "style-reference") for each in images]
        files += [await self.intake.asset(each, _STYLE_ASSETS, "style-reference") for each in assets]
        found["style_references"] = tuple(dict.fromkeys(file.sha256 for file in files))
        return found

    async def _saved(self, name: str) -> Who:
        """A saved character by its name or id, with the version of its mask that is asked for.

        Raises:
            NotFoundError: there is no such character or version.
            InvalidRequestError: a version that is no number.
        """
        version = common.integer(self.fields.value(_VERSION), _VERSION, 0, 1_000_000, None)
        try:
            found = await asyncio.to_thread(self.service.characters.get, name, self.caller.library)
        except NotFoundError as error:
            raise NotFoundError(error.message, field=_COLLECTION, remedy="Give a saved character's name.") from None
        self.intake.roles.append(
            ("reference", await asyncio.to_thread(self.service.characters.reference, name, self.caller.library))
        )
        if version is None:
            return found.who
        masks: dict[int, str | None] = {0: None} | {mask.version: mask.sha256 for mask in found.card.masks}
        if version not in masks:
            raise NotFoundError("its mask has no such version", field=_VERSION, remedy="0 is the automatic mask.")
        return found.who.model_copy(update={"mask": masks[version]})


# The three calls with a character, and editing by words.

_REFUSED: Final = ("style_preset", "color_palette")


async def _generate(call: Call) -> Response:
    fields = call.fields
    values = inputs.basics(fields) | inputs.negative(fields) | inputs.magic(fields) | call.speed()
    inputs.not_here(fields, (*_REFUSED, "style_codes"), "this call does not take it")
    call.needs_character()
    values["size"] = inputs.size(fields, RATIOS["1x1"], auto=True)
    if inputs.is_auto(fields):
        call.notes.append("aspect_ratio: auto is 1x1 here")
    values |= await call.people() | await call.style(codes=False, types=_STYLES)
    return await call.answer(**values)


@router.post("/v2/image/generate/ideogram-3-character")
async def generate(request: Request, service: TheService, caller: TheCaller) -> Response:
    """New pictures of a character."""
    task = Task("generate", "ideogram_v3_character_generation")
    return await _generate(await Call.read(task, request, service, caller))


async def _inpaint(call: Call, *, character: bool) -> Response:
    fields = call.fields
    values = inputs.basics(fields) | inputs.magic(fields) | call.speed()
    if character:
        inputs.not_here(fields, _REFUSED, "this call does not take it")
        call.needs_character()
    else:
        values["style_preset"] = common.style_preset(fields.value("style_preset"))
    image = await call.image()
    mask = await call.mask(image)
    if character:
        values |= await call.people()
    values |= await call.style(codes=True, types=_STYLES if character else _ALL_STYLES)
    return await call.answer(image=image.sha256, edit_mask=mask.sha256, **values)


@router.post("/v2/image/inpaint/ideogram-3-character")
async def inpaint(request: Request, service: TheService, caller: TheCaller) -> Response:
    """The character in the black part of a mask."""
    task = Task("edit", "ideogram_v3_character_inpaint")
    return await _inpaint(await Call.read(task, request, service, caller), character=True)


@router.post("/v2/image/inpaint/ideogram-3")
async def inpaint_by_words(request: Request, service: TheService, caller: TheCaller) -> Response:
    """The black part of a mask repainted by words."""
    task = Task("edit", "ideogram_v3_inpaint")
    return await _inpaint(await Call.read(task, request, service, caller), character=False)


@router.post("/v2/image/remix/ideogram-3-character")
async def remix(request: Request, service: TheService, caller: TheCaller) -> Response:
    """The scene of a picture with the character in it; in its own shape when none is asked for."""
    call = await Call.read(Task("remix", "ideogram_v3_character_generation"), request, service, caller)
    fields = call.fields
    values = inputs.basics(fields) | inputs.negative(fields) | inputs.magic(fields) | inputs.weight(fields)
    values |= call.speed() | {"size": inputs.size(fields, None)}
    inputs.not_here(fields, (*_REFUSED, "style_codes"), "this call does not take it")
    call.needs_character()
    image = await call.image()
    values |= await call.people() | await call.style(codes=False, types=_STYLES)
    return await call.answer(image=image.sha256, **values)


@router.get("/v2/generations/{generation_id}")
async def generation(generation_id: str, request: Request, service: TheService, caller: TheCaller) -> Response:
    """How far a generation is, and its pictures."""
    may(caller, "read")
    missing = NotFoundError("there is no such generation", field="generation_id", remedy="Check the id.")
    if not is_id(generation_id):
        raise missing
    try:
        job = await asyncio.to_thread(service.job, generation_id, caller)
    except NotFoundError:
        raise missing from None
    if job.dialect != "ideogram":
        raise missing
    return answers.generation(job, link_of(request))
