"""Portrayals: order, look, cancel."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from portrayal.api.doors import TheCaller, TheService, base_of, bases_of, link_of, may, speaking
from portrayal.api.problems import problem
from portrayal.service.envelope import Job
from portrayal.service.orders import Order, Who
from portrayal.service.service import Ticket

router = APIRouter(route_class=speaking(problem), tags=["portrayals"])


class GenerateIn(BaseModel):
    """What to generate."""

    model_config = ConfigDict(extra="forbid")
    prompt: str
    reference: str
    num_images: int = 1
    seed: int | None = None
    wait: float = 0.0


def shown(job: Job, request: Request) -> dict[str, Any]:
    """A job as the native API shows it."""
    link = link_of(request)
    values = job.model_dump(mode="json", exclude={"wire", "key_id", "library"})
    for picture in values["pictures"]:
        picture["url"] = link(picture["id"], picture["media_type"])
    return values


@router.post("/portrayals/generate", status_code=201)
async def generate(body: GenerateIn, request: Request, service: TheService, caller: TheCaller) -> dict[str, Any]:
    """Make pictures of the person in `reference`."""
    file = await service.take(body.reference, "reference", caller, bases=bases_of(request))
    order = Order.make(
        prompt=body.prompt, characters=(Who(image=file.sha256),), num_images=body.num_images, seed=body.seed
    )
    ticket = Ticket(base=base_of(request), idempotency_key=request.headers.get("idempotency-key"))
    job = await service.submit(order, caller, ticket, (("reference", file),))
    if body.wait:
        job = await service.wait(job.id, body.wait)
    return shown(job, request)


@router.get("/portrayals/{job_id}")
async def portrayal(job_id: str, request: Request, service: TheService, caller: TheCaller) -> dict[str, Any]:
    """One portrayal."""
    may(caller, "read")
    return shown(await asyncio.to_thread(service.job, job_id, caller), request)
