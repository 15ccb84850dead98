"""v2 calls without a character: reframe, replace-background, remove-background, upscale, describe."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from portrayal.api.dialects import common
from portrayal.api.dialects.ideogram import answers, errors, inputs
from portrayal.api.dialects.ideogram.fields import Fields
from portrayal.api.dialects.ideogram.intake import Intake
from portrayal.api.dialects.ideogram.tools import words
from portrayal.api.dialects.ideogram.v2 import Call, Task
from portrayal.api.doors import TheCaller, TheService, may, speaking
from portrayal.errors import InvalidRequestError
from portrayal.service.files import File
from portrayal.service.ids import new_id

router = APIRouter(route_class=speaking(errors.v2), tags=["Ideogram"])

_FACTORS = {"x2": 2, "x4": 4, "2": 2, "4": 4}
_MAX_BACKGROUND_PROMPT = 4000
_LONGEST = 3  # long side of a picture by its short side


@router.post("/v2/image/reframe/ideogram-3")
async def reframe(request: Request, service: TheService, caller: TheCaller) -> Response:
    """A picture carried on to another size."""
    call = await Call.read(Task("reframe", "ideogram_v3_reframe", webhooks=False), request, service, caller)
    fields = call.fields
    size = common.resolution(fields.value("resolution"), "resolution")
    if size is None:
        raise common.missing("resolution", "Give WIDTHxHEIGHT such as 1536x512.")
    values = inputs.basics(fields, prompt=False) | call.speed()
    values |= {"style_preset": common.style_preset(fields.value("style_preset")), "palette": inputs.palette(fields)}
    image = await call.image()
    values |= await call.style(codes=True, types={"auto": "auto"})
    return await call.answer(image=image.sha256, size=size, **values)


@router.post("/v2/image/replace-background/ideogram-3")
async def replace_background(request: Request, service: TheService, caller: TheCaller) -> Response:
    """The people of a picture before another background; always asynchronous."""
    task = Task("replace-background", "ideogram_v3_replace_background", background=True)
    call = await Call.read(task, request, service, caller)
    values = inputs.basics(call.fields) | call.speed()
    common.text(values["prompt"], "prompt", most=_MAX_BACKGROUND_PROMPT)
    image = await call.image()
    _not_too_long(image)
    return await call.answer(image=image.sha256, **values)


def _not_too_long(image: File) -> None:
    if max(image.width, image.height) > _LONGEST * min(image.width, image.height):
        raise InvalidRequestError(
            f"its long side is more than {_LONGEST} times its short one", field="image", remedy="Crop it."
        )


@router.post("/v2/image/remove-background/ideogram-1")
async def remove_background(request: Request, service: TheService, caller: TheCaller) -> Response:
    """The people of a picture, the rest transparent."""
    task = Task("remove-background", "remove_background", webhooks=False)
    call = await Call.read(task, request, service, caller)
    return await call.answer(image=(await call.image()).sha256, seed=inputs.any_seed())


@router.post("/v2/image/upscale/auto")
async def upscale(request: Request, service: TheService, caller: TheCaller) -> Response:
    """A picture two or four times as large."""
    call = await Call.read(Task("upscale", "upscale_auto"), request, service, caller)
    factor = common.choice(call.fields.value("upscale_factor"), _FACTORS, "upscale_factor", 2, ("x2", "x4"))
    seed = inputs.seed(call.fields)
    image = await call.image()
    return await call.answer(image=image.sha256, factor=factor, seed=seed)


@router.post("/v2/image/describe/ideogram-3")
async def describe(request: Request, service: TheService, caller: TheCaller) -> Response:
    """A picture in words that lead back to such a picture."""
    may(caller, "create")
    fields = await Fields.read(request, service.settings.max_upload_bytes)
    intake, asset = Intake(request, service, caller), fields.object("image_asset_identifier")
    if asset is None:
        given = fields.picture("image", "Give the picture that shall be described, or image_asset_identifier.")
        file = await intake.picture(given, "image", "image")
    elif fields.given("image"):
        raise InvalidRequestError(
            "it cannot be combined with image", field="image_asset_identifier", remedy="Give one of them."
        )
    else:
        file = await intake.asset(asset, "image_asset_identifier", "image")
    found = await words(service, file, "image")
    body = {
        "description_id": new_id(),
        "created": answers.created(datetime.now(UTC)),
        "descriptions": [{"text": found.prompt}],
    }
    return JSONResponse(body)
