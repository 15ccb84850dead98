"""fal's calls: run (the output at once), the queue, and its status, stream, result and cancel.

fal has one host for each of the two ways to call an endpoint, `fal.run` and `queue.fal.run`, with the same paths. Here
they are `/run/...` and `/queue/...`; at the root the call itself is asked which of the two is meant, see `manner`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Any, Final, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.background import BackgroundTask

from portrayal.api import queueing
from portrayal.api.bodies import read_json
from portrayal.api.dialects import character_input, common
from portrayal.api.dialects.character_input import Endpoint
from portrayal.api.dialects.fal import answers
from portrayal.api.dialects.fal.answers import APP, DATA_URIS, Place
from portrayal.api.dialects.fal.errors import BadRequestError, encode, flat
from portrayal.api.doors import TheCaller, TheService, attended, base_of, link_of, may, speaking
from portrayal.errors import NotFoundError
from portrayal.service.envelope import Job
from portrayal.service.keys import Caller
from portrayal.service.service import Service, Ticket
from portrayal.service.webhooks import Webhook

Manner = Literal["run", "queue", "both"]

HOLD: Final = 60.0
"""Seconds that a call waits for its pictures when it may be a `run` or a `submit`; half of the client's own timeout."""
LONGEST: Final = 600.0
"""Seconds that a `run` waits for its pictures; then 504, and the job is canceled."""
ENDPOINTS: Final[dict[str, Endpoint]] = {"character": "generate", "edit": "edit", "remix": "remix"}

router = APIRouter(route_class=speaking(encode), tags=["fal"])


def manner(request: Request) -> Manner:
    """Whether a call wants the output or a place in the queue.

    The prefix says it, or the host's name, or what only a submission carries: the JavaScript client always sends a
    priority with it. The Python client's `run` and `submit` cannot be told apart when both are sent to the root: they
    get an answer that is both, when the pictures are ready.
    """
    path, host = request.url.path, (request.url.hostname or "").lower()
    if path.startswith("/run/") or host == "fal.run":
        return "run"
    if path.startswith("/queue/") or host.startswith("queue."):
        return "queue"
    if "x-fal-queue-priority" in request.headers or "fal_webhook" in request.query_params:
        return "queue"
    return "run" if request.headers.get("user-agent", "").startswith("@fal-ai/client/") else "both"


def _place(request: Request) -> Place:
    prefix = "/queue" if request.url.path.startswith("/queue/") else ""
    return Place(base_of(request) + prefix)


def _start_timeout(request: Request) -> float | None:
    """Seconds within which the work must have begun."""
    given = request.headers.get("x-fal-request-timeout")
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < 1e9:
        raise BadRequestError("is no number of seconds", field="X-Fal-Request-Timeout", remedy="Send e.g. 30.")
    return seconds


def _priority(request: Request) -> int:
    return 2 if request.headers.get("x-fal-queue-priority", "").strip().lower() == "low" else 1


async def submit(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Make pictures: the output at once (run), or a place in the queue."""
    may(caller, "create")
    path = request.url.path.rstrip("/")
    how, start_timeout = manner(request), _start_timeout(request)
    body = await read_json(request, service.settings.max_upload_bytes)
    request.state.given = body
    sync = common.truth(body.get(DATA_URIS), DATA_URIS, False)
    given = await character_input.read(body, ENDPOINTS[path.rpartition("/")[2]], request, service, caller)
    wire = {
        "endpoint": path[path.index(APP) :],
        "notes": list(given.notes),
        DATA_URIS: sync,
        "start_timeout": start_timeout,
    }
    webhook = request.query_params.get("fal_webhook")
    ticket = Ticket(
        dialect="fal",
        wire=wire,
        webhook=Webhook(url=webhook) if webhook else None,
        idempotency_key=request.headers.get("idempotency-key"),
        priority=_priority(request),
        base=base_of(request),
    )
    job = await service.submit(given.order, caller, ticket, given.roles)
    if how == "queue":
        return await _accepted(request, service, job)
    return await _run(request, service, caller, job, how, start_timeout)


async def _accepted(request: Request, service: Service, job: Job) -> Response:
    position = await asyncio.to_thread(queueing.position, service, job)
    return JSONResponse(answers.accepted(job, _place(request), position), headers=answers.headers(job))


async def _run(
    request: Request, service: Service, caller: Caller, job: Job, how: Manner, start_timeout: float | None
) -> Response:
    """Wait for the pictures as long as the caller does."""
    request.state.request_id = job.id
    if start_timeout is not None:
        job = await queueing.until(service, job.id, start_timeout, lambda job: job.state != "starting")
        job = await _in_time(service, caller, job)
    job = await attended(request, service, job, caller, HOLD if how == "both" else LONGEST)
    if job.final:
        more = answers.accepted(job, _place(request), 0) if how == "both" else {}
        return await _result(request, service, job, more)
    if how == "both":
        return await _accepted(request, service, job)
    await asyncio.to_thread(service.cancel, job.id, caller)
    late = flat(504, "Request timed out", "request_timeout")
    return JSONResponse(late.body, late.status, {**answers.headers(job), **late.headers()})


async def _in_time(service: Service, caller: Caller, job: Job) -> Job:
    """A job that should have begun by now is canceled."""
    limit = job.wire.get("start_timeout")
    waited = (queueing.now() - job.created_at).total_seconds()
    if job.state != "starting" or limit is None or waited < limit:
        return job
    return await asyncio.to_thread(service.cancel, job.id, caller)


async def _result(request: Request, service: Service, job: Job, more: dict[str, Any] | None = None) -> Response:
    """The output or the error. With `sync_mode` the pictures are in it, and afterwards they are nowhere else."""
    if not job.wire.get(DATA_URIS) or job.state != "succeeded":
        return answers.result(job, link_of(request), more)
    link = await asyncio.to_thread(answers.data_uris, job, service.blobs)
    answer = answers.result(job, link, more)
    answer.background = BackgroundTask(forget, service, job)
    return answer


def forget(service: Service, job: Job) -> None:
    """Delete a job whose pictures were handed over."""
    service.library.delete(job.id, job.library)


async def _job(request_id: str, service: Service, caller: Caller) -> Job:
    job = await asyncio.to_thread(queueing.job_of, service, request_id, caller, "fal")
    return await _in_time(service, caller, job)


async def status(
    request_id: str, request: Request, service: TheService, caller: TheCaller, logs: str = "0"
) -> Response:
    """The state of a request: 202 while it waits or is made, 200 when it is COMPLETED."""
    may(caller, "read")
    request.state.request_id = request_id
    wanted = common.truth(logs, "logs", False)
    job = await _job(request_id, service, caller)
    position = await asyncio.to_thread(queueing.position, service, job)
    body = answers.status(job, _place(request), position, logs=wanted)
    return JSONResponse(body, 200 if job.final else 202, answers.headers(job))


async def status_stream(
    request_id: str, request: Request, service: TheService, caller: TheCaller, logs: str = "0"
) -> Response:
    """The states of a request as server-sent events, until it is COMPLETED."""
    may(caller, "read")
    request.state.request_id = request_id
    wanted = common.truth(logs, "logs", False)
    first = await _job(request_id, service, caller)
    place = _place(request)

    async def events() -> AsyncIterator[dict[str, Any] | None]:
        told: set[str] = set()
        async for job in queueing.changes(service, first):
            if job is None:
                yield None
            else:
                position = await asyncio.to_thread(queueing.position, service, job)
                yield answers.status(job, place, position, logs=wanted, told=told)

    answer = queueing.stream(events())
    answer.headers["x-fal-request-id"] = first.id
    return answer


async def result(request_id: str, request: Request, service: TheService, caller: TheCaller) -> Response:
    """The output of a COMPLETED request, or its error with the error's own HTTP status."""
    may(caller, "read")
    request.state.request_id = request_id
    job = await _job(request_id, service, caller)
    if not job.final:
        raise BadRequestError("Request is still in progress")
    return await _result(request, service, job)


async def cancel(request_id: str, request: Request, service: TheService, caller: TheCaller) -> Response:
    """Cancel a request that has not ended."""
    may(caller, "create")
    request.state.request_id = request_id
    try:
        job = await asyncio.to_thread(queueing.job_of, service, request_id, caller, "fal")
    except NotFoundError:
        return JSONResponse({"status": "NOT_FOUND"}, 404, {"x-fal-request-id": request_id})
    if job.final:
        return JSONResponse({"status": "ALREADY_COMPLETED"}, 400, answers.headers(job))
    job = await asyncio.to_thread(service.cancel, job.id, caller)
    return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202, answers.headers(job))


async def nothing(rest: str) -> Response:
    """Any other application of fal."""
    raise NotFoundError(
        "this server has no such application", remedy="It has fal-ai/ideogram/character, /edit, /remix."
    )


def _routes() -> None:
    body = {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}, "required": True}}
    for prefix in ("", "/queue", "/run"):
        for name in ("character", "character/edit", "character/remix"):
            path = f"{prefix}/{APP}/{name}"
            router.add_api_route(path, submit, methods=["POST"], include_in_schema=not prefix, openapi_extra=body)
    for prefix in ("", "/queue"):
        # The clients use the short form; the long one, which names the endpoint, is understood too.
        for name in ("", "/character", "/character/edit", "/character/remix"):
            here, shown = f"{prefix}/{APP}{name}/requests/{{request_id}}", not prefix and not name
            router.add_api_route(here, result, methods=["GET"], include_in_schema=shown)
            router.add_api_route(f"{here}/status", status, methods=["GET"], include_in_schema=shown)
            router.add_api_route(f"{here}/status/stream", status_stream, methods=["GET"], include_in_schema=shown)
            router.add_api_route(f"{here}/cancel", cancel, methods=["PUT"], include_in_schema=shown)
    methods = ["GET", "POST", "PUT", "DELETE"]
    for prefix in ("", "/queue", "/run"):
        router.add_api_route(f"{prefix}/fal-ai/{{rest:path}}", nothing, methods=methods, include_in_schema=False)


_routes()
