"""v1: synchronous multipart calls with upper-case enumerations (`/v1/ideogram-v3/...`)."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from portrayal.api.dialects import common
from portrayal.api.dialects.ideogram import answers, errors, inputs
from portrayal.api.dialects.ideogram.fields import Fields
from portrayal.api.dialects.ideogram.intake import Intake
from portrayal.api.doors import TheCaller, TheService, attended, base_of, link_of, may, speaking
from portrayal.character.mentions import mentions
from portrayal.errors import InvalidRequestError
from portrayal.service.keys import Caller
from portrayal.service.orders import Order, Who
from portrayal.service.service import Service, Ticket
from portrayal.sizes import RATIOS

PATIENCE: Final = 600.0
"""Seconds that a synchronous call waits for its pictures."""
REFERENCES: Final = "character_reference_images"
REFERENCE_MASKS: Final = "character_reference_images_mask"
STYLES: Final = ("AUTO", "GENERAL", "REALISTIC", "DESIGN", "FICTION")
_STYLE: Final = {name.lower(): name for name in STYLES}
_SPEEDS: Final = ("FLASH", "TURBO", "DEFAULT", "QUALITY")
_ONE: Final = "Give one picture of the character, or name a saved character in the prompt: @name."

plain = APIRouter(route_class=speaking(errors.v1), tags=["Ideogram"])
forbidding = APIRouter(route_class=speaking(errors.v1_forbidding), tags=["Ideogram"])


class Call:
    """One call: its fields, its pictures, and what becomes of them."""

    def __init__(self, request: Request, service: Service, caller: Caller, fields: Fields) -> None:
        self.request, self.service, self.caller, self.fields = request, service, caller, fields
        self.intake = Intake(request, service, caller)
        self.wire: dict[str, Any] = {"version": "v1"}
        self.notes: list[str] = []

    @classmethod
    async def read(cls, request: Request, service: Service, caller: Caller) -> Call:
        """A call whose caller may make pictures.

        Raises:
            ForbiddenError, InvalidRequestError, ImageTooLargeError: it may not, or the body cannot be read.
        """
        may(caller, "create")
        return cls(request, service, caller, await Fields.read(request, service.settings.max_upload_bytes))

    async def answer(self, **values: Any) -> Response:
        """Order what was asked for, wait for it, and show it."""
        self.wire["warnings"] = [*self.notes, *inputs.noted(self.fields)]
        order = Order.make(**values)
        ticket = Ticket(
            dialect="ideogram",
            wire=self.wire,
            base=base_of(self.request),
            max_in_flight=self.service.settings.max_in_flight,
        )
        job = await self.service.submit(order, self.caller, ticket, self.intake.roles)
        job = await attended(self.request, self.service, job, self.caller, PATIENCE)
        if not job.final:
            await asyncio.to_thread(self.service.cancel, job.id, self.caller)
        return answers.v1(job, link_of(self.request))

    # What several calls have.

    @property
    def somebody(self) -> bool:
        """Whether a character is given, or mentioned in the prompt."""
        prompt = self.fields.value("prompt")
        return self.fields.given(REFERENCES) or (isinstance(prompt, str) and bool(mentions(prompt)))

    def speed(self, *, character: bool = False) -> dict[str, Any]:
        """The rendering speed.

        Raises:
            InvalidRequestError: it is none, or FLASH with a character.
        """
        given = self.fields.value("rendering_speed")
        speed = common.choice(given, inputs.SPEEDS_V1, "rendering_speed", "balanced", _SPEEDS)
        if character and str(given).strip().lower() == "flash":
            raise InvalidRequestError(
                "FLASH cannot be combined with a character", field="rendering_speed", remedy="Use TURBO."
            )
        return {"speed": speed}

    def style(self, *, typed: bool, character: bool = False) -> dict[str, Any]:
        """Style type, preset, codes and palette; the type is kept for the answer.

        Args:
            typed: the call has a style type.
            character: there is one; GENERAL, the documented default, then is AUTO, as clients send it.

        Raises:
            InvalidRequestError: one of them is not allowed, or they cannot be combined.
        """
        fields = self.fields
        if common.given(fields.value("custom_model_uri")):
            raise InvalidRequestError(
                "there are no custom models here", field="custom_model_uri", remedy="Leave it out."
            )
        given = fields.value("style_type") if typed else None
        style = common.choice(given, _STYLE, "style_type", "GENERAL", STYLES)
        if character and style == "DESIGN":
            raise InvalidRequestError(
                "DESIGN cannot be combined with a character",
                field="style_type",
                remedy="Use AUTO, REALISTIC or FICTION.",
            )
        style = "AUTO" if character and style == "GENERAL" else style
        found: dict[str, Any] = {
            "style_preset": common.style_preset(fields.value("style_preset")),
            "style_codes": inputs.codes(
                fields, styled=common.given(given), references=fields.given("style_reference_images")
            ),
            "palette": inputs.palette(fields),
        }
        if typed:
            self.wire["style_type"] = style
            found["style_type"] = style.lower()
        return found

    async def style_references(self) -> dict[str, Any]:
        """The pictures of a style.

        Raises:
            PortrayalError: there are more than ten, or one is no picture.
        """
        name = "style_reference_images"
        given = self.fields.pictures(name)
        if len(given) > inputs.MAX_STYLE_REFERENCES:
            raise InvalidRequestError(
                f"{len(given)} are given", field=name, remedy=f"Give at most {inputs.MAX_STYLE_REFERENCES}."
            )
        files = [await self.intake.picture(each, name, "style-reference") for each in given]
        return {"style_references": tuple(dict.fromkeys(file.sha256 for file in files))}

    async def people(self) -> dict[str, Any]:
        """The character, if one is given.

        Raises:
            PortrayalError: there are several, the masks are not as many, or one is no picture.
        """
        given, masks = self.fields.pictures(REFERENCES), self.fields.pictures(REFERENCE_MASKS)
        if len(given) > 1:
            raise InvalidRequestError(
                f"exactly one image is supported, {len(given)} are given", field=REFERENCES, remedy="Give one."
            )
        if masks and len(masks) != len(given):
            raise InvalidRequestError(
                f"{len(masks)} masks are given for {len(given)} images",
                field=REFERENCE_MASKS,
                remedy="Give as many masks as character references.",
            )
        if not given:
            return {"characters": ()}
        file = await self.intake.picture(given[0], REFERENCES, "reference")
        who: Who = await self.intake.who(file, masks[0] if masks else None, self.fields, REFERENCE_MASKS)
        return {"characters": (who,)}

    async def image(self) -> dict[str, Any]:
        """The picture that is worked on.

        Raises:
            PortrayalError: there is none, or it is no picture.
        """
        given = self.fields.picture("image", "Give the picture that shall be worked on.")
        return {"image": (await self.intake.picture(given, "image", "image")).sha256}


def needs_somebody(somebody: bool) -> None:
    """Refuse a picture of nobody.

    Raises:
        InvalidRequestError: nobody is given or mentioned.
    """
    if not somebody:
        raise InvalidRequestError(
            "is required: this server makes pictures of a character only", field=REFERENCES, remedy=_ONE
        )


@plain.post("/v1/ideogram-v3/generate")
async def generate(request: Request, service: TheService, caller: TheCaller) -> Response:
    """New pictures of a character."""
    call = await Call.read(request, service, caller)
    fields = call.fields
    values = inputs.basics(fields) | inputs.negative(fields) | inputs.magic(fields)
    values |= {"size": inputs.size(fields, RATIOS["1x1"])}
    values |= call.speed(character=call.somebody) | call.style(typed=True, character=call.somebody)
    needs_somebody(call.somebody)
    values |= await call.people() | await call.style_references()
    return await call.answer(operation="generate", **values)


@plain.post("/v1/ideogram-v3/edit")
@plain.post("/v1/ideogram-v3/inpaint")
async def inpaint(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Repaint the black part of a mask: with the character, or by words alone."""
    call = await Call.read(request, service, caller)
    fields = call.fields
    values = inputs.basics(fields) | inputs.magic(fields)
    values |= call.speed(character=call.somebody) | call.style(typed=True, character=call.somebody)
    image = fields.picture("image", "Give the picture that shall be edited.")
    mask = fields.picture("mask", "Give a mask of the same size, black where the picture shall change.")
    source = await call.intake.picture(image, "image", "image")
    drawn = await call.intake.mask(mask, "mask")
    chosen = await call.intake.edit_mask(drawn, source, fields, "mask")
    values |= await call.people() | await call.style_references()
    return await call.answer(operation="edit", image=source.sha256, edit_mask=chosen.sha256, **values)


@forbidding.post("/v1/ideogram-v3/remix")
async def remix(request: Request, service: TheService, caller: TheCaller) -> Response:
    """The scene of a picture with the character in it."""
    call = await Call.read(request, service, caller)
    fields = call.fields
    values = inputs.basics(fields) | inputs.negative(fields) | inputs.magic(fields) | inputs.weight(fields)
    values |= {"size": inputs.size(fields, RATIOS["1x1"])}
    values |= call.speed(character=call.somebody) | call.style(typed=True, character=call.somebody)
    needs_somebody(call.somebody)
    values |= await call.image() | await call.people() | await call.style_references()
    return await call.answer(operation="remix", **values)


@plain.post("/v1/ideogram-v3/reframe")
async def reframe(request: Request, service: TheService, caller: TheCaller) -> Response:
    """A picture carried on to another size."""
    call = await Call.read(request, service, caller)
    fields = call.fields
    size = common.resolution(fields.value("resolution"), "resolution")
    if size is None:
        raise common.missing("resolution", "Give WIDTHxHEIGHT such as 1536x512.")
    values = inputs.basics(fields, prompt=False) | call.speed() | call.style(typed=False)
    values |= await call.image() | await call.style_references()
    return await call.answer(operation="reframe", size=size, **values)


@plain.post("/v1/ideogram-v3/replace-background")
async def replace_background(request: Request, service: TheService, caller: TheCaller) -> Response:
    """The people of a picture before another background."""
    call = await Call.read(request, service, caller)
    values = inputs.basics(call.fields) | inputs.magic(call.fields) | call.speed() | call.style(typed=False)
    values |= await call.image() | await call.style_references()
    return await call.answer(operation="replace-background", **values)
