"""v1 calls around the pictures of a character: remove-background, upscale, describe."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from portrayal.api.dialects import common
from portrayal.api.dialects.ideogram import errors, inputs
from portrayal.api.dialects.ideogram.fields import Fields
from portrayal.api.dialects.ideogram.intake import Intake
from portrayal.api.dialects.ideogram.v1 import Call
from portrayal.api.doors import TheCaller, TheService, may, speaking
from portrayal.description import Description
from portrayal.errors import InvalidRequestError, PortrayalError
from portrayal.service.files import File
from portrayal.service.service import Service

plain = APIRouter(route_class=speaking(errors.v1), tags=["Ideogram"])
forbidding = APIRouter(route_class=speaking(errors.v1_forbidding), tags=["Ideogram"])

_MODELS = {"v_2": "V_2", "v_3": "V_3"}
_UPSCALE = ("prompt", "resemblance", "detail", "magic_prompt_option")


@plain.post("/v1/remove-background")
async def remove_background(request: Request, service: TheService, caller: TheCaller) -> Response:
    """The people of a picture, the rest transparent."""
    call = await Call.read(request, service, caller)
    return await call.answer(operation="remove-background", **await call.image())


@forbidding.post("/upscale")
async def upscale(request: Request, service: TheService, caller: TheCaller) -> Response:
    """A picture twice as large. `image_request` is a JSON text, as in Ideogram's first API."""
    call = await Call.read(request, service, caller)
    wish = call.fields.object("image_request")
    if wish is not None and not isinstance(wish, dict):
        raise InvalidRequestError("is no JSON object", field="image_request", remedy='Give {"num_images": 1}, or {}.')
    asked = Fields({name: [value] for name, value in (wish or {}).items()})
    values = inputs.basics(asked, prompt=False)
    _checked(asked)
    image = call.fields.picture("image_file", "Give the picture that shall be enlarged.")
    file = await call.intake.picture(image, "image_file", "image")
    call.wire["enlarged"] = f"{file.width}x{file.height}"
    call.wire["style_type"] = "AUTO"
    call.notes = [f"image_request.{name}: not used to enlarge pictures" for name in _UPSCALE if asked.given(name)]
    return await call.answer(operation="upscale", image=file.sha256, factor=2, **values)


def _checked(asked: Fields) -> None:
    """Check what is not used, so that a request that is good here is good there."""
    common.text(asked.value("prompt"), "image_request.prompt")
    for name in ("resemblance", "detail"):
        common.integer(asked.value(name), f"image_request.{name}", 1, 100, 50)
    common.choice(asked.value("magic_prompt_option"), common.MAGIC, "image_request.magic_prompt_option", "auto")


@plain.post("/describe")
async def described(request: Request, service: TheService, caller: TheCaller) -> Response:
    """A picture in words that lead back to such a picture."""
    may(caller, "create")
    fields = await Fields.read(request, service.settings.max_upload_bytes)
    model = fields.value("describe_model_version")
    common.choice(model, _MODELS, "describe_model_version", "V_3", tuple(_MODELS.values()))
    given = fields.picture("image_file", "Give the picture that shall be described.")
    file = await Intake(request, service, caller).picture(given, "image_file", "image")
    found = await words(service, file, "image_file")
    return JSONResponse({"descriptions": [{"text": found.prompt}]})


async def words(service: Service, file: File, field: str) -> Description:
    """The description of a picture.

    Raises:
        PortrayalError: it is too small; `field` is named.
    """
    try:
        return await asyncio.to_thread(service.looking.describe, file)
    except PortrayalError as error:
        error.field = field
        raise
