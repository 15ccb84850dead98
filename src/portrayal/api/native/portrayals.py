"""Portrayals: order, look, cancel."""

from __future__ import annotations

import asyncio
import secrets
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from portrayal.api.doors import TheCaller, TheService, may, score_headers, speaking
from portrayal.api.native.bodies import (
    AgainIn,
    Body,
    EditIn,
    GenerateIn,
    ReframeIn,
    RemixIn,
    RemoveBackgroundIn,
    ReplaceBackgroundIn,
    UpscaleIn,
)
from portrayal.api.native.models import PREFIX, PortrayalOut, Prefer, RepeatKey, problems, shown
from portrayal.api.native.orders import order_of, reader_of, seconds_to_wait, ticket_of
from portrayal.api.problems import problem
from portrayal.errors import NotFoundError
from portrayal.request import MAX_SEED
from portrayal.service.envelope import Job, JobPicture
from portrayal.service.keys import Caller
from portrayal.service.service import Service

router = APIRouter(route_class=speaking(problem), tags=["portrayals"])

Id = Annotated[str, Path(pattern="^[0-9a-z]{26}$", description="Of a portrayal.")]
Position = Annotated[int, Path(ge=0, le=7, description="Of the picture, from 0.")]
_ORDER = {
    **problems(403, 409, 413, 429),
    201: {
        "description": "Ordered; with `wait` as it is when it is final or the time is out.",
        "headers": {"Location": {"description": "Of the portrayal.", "schema": {"type": "string"}}},
    },
}


async def _ordered(body: Body, request: Request, response: Response, service: Service, caller: Caller) -> PortrayalOut:
    may(caller, "create")
    ticket = ticket_of(body, request)
    reader = reader_of(service, caller, request)
    order = await order_of(body, reader)
    job = await service.submit(order, caller, ticket, reader.roles)
    return await _answered(job, seconds_to_wait(body, request), request, response, service)


async def _answered(job: Job, wait: float, request: Request, response: Response, service: Service) -> PortrayalOut:
    if wait:
        # Who goes away while he waits finds the portrayal later: it is not canceled.
        job = await service.wait(job.id, wait)
    response.headers["location"] = f"{PREFIX}/portrayals/{job.id}"
    if job.final:
        response.headers.update(score_headers(job))
    return shown(job, request)


@router.post("/portrayals/generate", status_code=201, responses=_ORDER)
async def generate(
    body: GenerateIn,
    request: Request,
    response: Response,
    service: TheService,
    caller: TheCaller,
    idempotency_key: RepeatKey = None,
    prefer: Prefer = None,
) -> PortrayalOut:
    """New pictures of one to four characters, as the prompt says.

    Give a character as a picture or as `@name` of a saved one; `@name` in the prompt is enough, too.
    """
    return await _ordered(body, request, response, service, caller)


@router.post("/portrayals/edit", status_code=201, responses=_ORDER)
async def edit(
    body: EditIn,
    request: Request,
    response: Response,
    service: TheService,
    caller: TheCaller,
    idempotency_key: RepeatKey = None,
    prefer: Prefer = None,
) -> PortrayalOut:
    """Magic Fill: put the character under the mask of a picture, or fill or change what is there.

    Pixels outside of the mask stay equal to the bit.
    """
    return await _ordered(body, request, response, service, caller)


@router.post("/portrayals/remix", status_code=201, responses=_ORDER)
async def remix(
    body: RemixIn,
    request: Request,
    response: Response,
    service: TheService,
    caller: TheCaller,
    idempotency_key: RepeatKey = None,
    prefer: Prefer = None,
) -> PortrayalOut:
    """A new picture of the character after an inspiration."""
    return await _ordered(body, request, response, service, caller)


@router.post("/portrayals/reframe", status_code=201, responses=_ORDER)
async def reframe(
    body: ReframeIn,
    request: Request,
    response: Response,
    service: TheService,
    caller: TheCaller,
    idempotency_key: RepeatKey = None,
    prefer: Prefer = None,
) -> PortrayalOut:
    """The picture in another size or ratio; what is missing is painted on."""
    return await _ordered(body, request, response, service, caller)


@router.post("/portrayals/replace-background", status_code=201, responses=_ORDER)
async def replace_background(
    body: ReplaceBackgroundIn,
    request: Request,
    response: Response,
    service: TheService,
    caller: TheCaller,
    idempotency_key: RepeatKey = None,
    prefer: Prefer = None,
) -> PortrayalOut:
    """The same people somewhere else, in the light of the place."""
    return await _ordered(body, request, response, service, caller)


@router.post("/portrayals/remove-background", status_code=201, responses=_ORDER)
async def remove_background(
    body: RemoveBackgroundIn,
    request: Request,
    response: Response,
    service: TheService,
    caller: TheCaller,
    idempotency_key: RepeatKey = None,
    prefer: Prefer = None,
) -> PortrayalOut:
    """The people of a picture, or its subject, alone."""
    return await _ordered(body, request, response, service, caller)


@router.post("/portrayals/upscale", status_code=201, responses=_ORDER)
async def upscale(
    body: UpscaleIn,
    request: Request,
    response: Response,
    service: TheService,
    caller: TheCaller,
    idempotency_key: RepeatKey = None,
    prefer: Prefer = None,
) -> PortrayalOut:
    """A picture enlarged 2 or 4 times."""
    return await _ordered(body, request, response, service, caller)


@router.get("/portrayals/{id}", responses=problems(403, 404))
async def portrayal(id: Id, request: Request, service: TheService, caller: TheCaller) -> PortrayalOut:
    """One portrayal as it is now."""
    may(caller, "read")
    return shown(await asyncio.to_thread(service.job, id, caller), request)


@router.post("/portrayals/{id}/cancel", responses=problems(403, 404))
async def cancel(id: Id, request: Request, service: TheService, caller: TheCaller) -> PortrayalOut:
    """Cancel a portrayal; one that has ended stays as it is. A running one ends at its next stage."""
    may(caller, "create")
    return shown(await asyncio.to_thread(service.cancel, id, caller), request)


@router.post("/portrayals/{id}/again", status_code=201, responses={**_ORDER, **problems(403, 404, 409, 413, 429)})
async def again(
    id: Id,
    request: Request,
    response: Response,
    service: TheService,
    caller: TheCaller,
    body: AgainIn | None = None,
    idempotency_key: RepeatKey = None,
    prefer: Prefer = None,
) -> PortrayalOut:
    """The same order once more: with another seed, or with the one that is given."""
    may(caller, "create")
    body = body or AgainIn()
    job = await asyncio.to_thread(service.job, id, caller)
    roles = await asyncio.to_thread(service.files.roles, job)
    seed = secrets.randbelow(MAX_SEED + 1) if body.seed is None else body.seed
    order = job.order.model_copy(update={"seed": seed, "num_images": body.num_images or job.order.num_images})
    made = await service.submit(order, caller, ticket_of(body, request), roles)
    return await _answered(made, seconds_to_wait(body, request), request, response, service)


_PICTURE = {
    **problems(403, 404),
    200: {
        "description": "The file.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/png", "image/jpeg", "image/webp")
        },
    },
}
_MASK = {**_PICTURE, 200: {"description": "The file.", "content": {"image/png": {}}}}


@router.get("/portrayals/{id}/pictures/{position}", response_class=Response, responses=_PICTURE)
async def picture(id: Id, position: Position, service: TheService, caller: TheCaller) -> Response:
    """The file of one picture."""
    may(caller, "read")
    job, found = await asyncio.to_thread(_picture, service, id, position, caller)
    data = await asyncio.to_thread(service.blobs.get, found.sha256)
    name = f"{found.id}.{found.media_type.removeprefix('image/').replace('jpeg', 'jpg')}"
    headers = {**score_headers(job), "content-disposition": f'inline; filename="{name}"'}
    return Response(data, media_type=found.media_type, headers=headers)


@router.get("/portrayals/{id}/pictures/{position}/mask", response_class=Response, responses=_MASK)
async def picture_mask(id: Id, position: Position, service: TheService, caller: TheCaller) -> Response:
    """The mask of an edit that was used: white was allowed to change."""
    may(caller, "read")
    _, found = await asyncio.to_thread(_picture, service, id, position, caller)
    if found.mask is None:
        raise NotFoundError("this picture has no mask", field="position", remedy="Only edits have one.")
    return Response(await asyncio.to_thread(service.blobs.get, found.mask), media_type="image/png")


def _picture(service: Service, job_id: str, position: int, caller: Caller) -> tuple[Job, JobPicture]:
    job = service.job(job_id, caller)
    found = next((p for p in job.pictures if p.position == position), None)
    if found is None:
        raise NotFoundError("there is no such picture (yet)", field="position", remedy="Look at `pictures`.")
    return job, found
