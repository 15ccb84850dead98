"""The routes of the Images API."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from portrayal.api.bodies import read_form, read_json
from portrayal.api.dialects.character_input import warnings_of
from portrayal.api.dialects.openai_images import fields
from portrayal.api.dialects.openai_images.errors import ParameterError, encode, job_error, not_made
from portrayal.api.dialects.openai_images.fields import QUALITIES, Values
from portrayal.api.dialects.openai_images.intake import Intake, of_form
from portrayal.api.doors import (
    TheCaller,
    TheService,
    attended,
    base_of,
    link_of,
    may,
    proof,
    score_headers,
    speaking,
)
from portrayal.errors import NotFoundError
from portrayal.service.envelope import Job, JobError, JobPicture
from portrayal.service.keys import Caller
from portrayal.service.orders import Order
from portrayal.service.service import Service, Ticket

router = APIRouter(route_class=speaking(encode), tags=["OpenAI Images"])

MODELS: Final = ("portrayal", "ideogram-character")
_CREATED: Final = 1_753_747_200  # when the model that this stands in for came out
_LONGEST: Final = 590.0  # seconds that a call waits; the clients give up after 600
_BEAT: Final = 10.0  # seconds between two signs of life in a stream
_NOTHING: Final = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "total_tokens": 0,
}
"""Clients add up tokens to costs: nothing is counted here, and nothing costs."""


@router.post("/v1/images/generations")
async def generations(request: Request, service: TheService, caller: TheCaller) -> Response:
    """New pictures of a character, who is `character_reference_image` or an `@name` in the prompt; from JSON."""
    may(caller, "create")
    given = await read_json(request, service.settings.max_upload_bytes)
    values = fields.read(given)
    intake = Intake(request, service, caller)
    order = await intake.generation(given, values)
    return await _made(order, intake, values, "image_generation.completed", request, service, caller)


@router.post("/v1/images/edits")
async def edits(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Pictures after pictures, from a form: `image` (a scene, or the character), `mask`, `operation`."""
    may(caller, "create")
    given = of_form(await read_form(request, service.settings.max_upload_bytes))
    values = fields.read(given)
    intake = Intake(request, service, caller)
    order = await intake.edit(given, values)
    return await _made(order, intake, values, "image_edit.completed", request, service, caller)


@router.post("/v1/images/variations")
async def variations(caller: TheCaller) -> Response:
    """Not to be had: variations of DALL·E 2 keep no identity."""
    raise ParameterError(
        "variations are not supported here",
        field="",
        code="unsupported",
        remedy="Call /v1/images/edits with operation=remix and a character.",
    )


@router.get("/v1/models/{model}")
async def model(model: str, caller: TheCaller) -> dict[str, Any]:
    """One model."""
    may(caller, "read")
    if model not in MODELS:
        raise NotFoundError("there is no such model", field="model", remedy=f"Use one of {', '.join(MODELS)}.")
    return _model(model)


def models_list(caller: Caller) -> dict[str, Any]:
    """All models: names of the one engine. Calls may name any model; they all mean this one."""
    may(caller, "read")
    return {"object": "list", "data": [_model(name) for name in MODELS]}


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "portrayal"}


async def _made(
    order: Order, intake: Intake, values: Values, event: str, request: Request, service: Service, caller: Caller
) -> Response:
    notes = (*values.notes, *intake.notes)
    ticket = Ticket(
        dialect="openai_images",
        wire={"notes": list(notes)} if notes else {},
        idempotency_key=request.headers.get("idempotency-key"),
        base=base_of(request),
    )
    job = await service.submit(order, caller, ticket, intake.roles)
    if values.stream:
        stream = _events(job, values, event, request, service, caller)
        headers = {"cache-control": "no-store", "x-request-id": job.id, "x-portrayal-id": job.id}
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
    job = await attended(request, service, job, caller, _LONGEST)
    if job.state != "succeeded":
        if not job.final:
            await asyncio.to_thread(service.cancel, job.id, caller)
        return not_made(job)
    data = [await _item(job, picture, values, request, service) for picture in job.pictures]
    answer = {"created": int(job.created_at.timestamp()), "data": data, **_about(job, job.pictures[0], values)}
    if warnings := warnings_of(job):
        answer["warnings"] = warnings
    return JSONResponse(answer, headers={"x-request-id": job.id, **score_headers(job)})


async def _item(job: Job, picture: JobPicture, values: Values, request: Request, service: Service) -> dict[str, Any]:
    """One picture, with the proof of who is in it."""
    shown: dict[str, Any] = {}
    if values.inline:
        shown["b64_json"] = await _base64(picture, service)
    else:
        shown["url"] = link_of(request)(picture.id, picture.media_type)
    return {**shown, "seed": picture.seed, "identity": proof(job, picture.position)}


def _about(job: Job, picture: JobPicture, values: Values) -> dict[str, Any]:
    """What is the same for all pictures of a job."""
    about = {
        "id": job.id,
        "background": "opaque",
        "output_format": picture.media_type.removeprefix("image/"),
        "quality": QUALITIES[job.order.speed],
        "size": f"{picture.width}x{picture.height}",
        "usage": _NOTHING,
    }
    return {**about, "safety_identifier": values.safety_identifier} if values.safety_identifier else about


async def _base64(picture: JobPicture, service: Service) -> str:
    return (await asyncio.to_thread(lambda: base64.b64encode(service.blobs.get(picture.sha256)))).decode()


async def _events(
    job: Job, values: Values, event: str, request: Request, service: Service, caller: Caller
) -> AsyncIterator[str]:
    """One event for each picture as soon as it is finished, or one error. The job ends with its reader."""
    sent = 0
    try:
        with service.hub.listen(job.id) as bell:
            while True:
                job = await asyncio.to_thread(service.job, job.id)
                for picture in job.pictures[sent:]:
                    yield _event(event, await _completed(job, picture, values, event, service))
                    sent += 1
                if job.final:
                    break
                if not await bell.wait(_BEAT):
                    yield ": still at work\n\n"
        if job.state != "succeeded":
            failure = job.error or JobError(type="invalid_request", message="the request was canceled on the server")
            yield _event("error", {"type": "error", **job_error(failure)[1]})
    finally:
        if not job.final:  # the reader went away: nothing may be awaited any more
            asyncio.get_running_loop().run_in_executor(None, service.cancel, job.id, caller)


async def _completed(job: Job, picture: JobPicture, values: Values, event: str, service: Service) -> dict[str, Any]:
    return {
        "type": event,
        "created_at": int(job.created_at.timestamp()),
        "b64_json": await _base64(picture, service),
        **_about(job, picture, values),
        "seed": picture.seed,
        "identity": proof(job, picture.position),
        "warnings": [*job.wire.get("notes", ()), *job.warnings, *picture.warnings],
    }


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
