"""Predictions: create, wait, look, list, cancel."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from portrayal.api.bodies import read_json
from portrayal.api.dialects.replicate import inputs, listing
from portrayal.api.dialects.replicate.answers import moment, prediction
from portrayal.api.dialects.replicate.errors import InvalidInputError, Wrong, encode
from portrayal.api.dialects.replicate.models import known
from portrayal.api.dialects.replicate.schema import version_named
from portrayal.api.dialects.replicate.webhooks import EVENTS, USUAL
from portrayal.api.doors import TheCaller, TheService, base_of, link_of, may, score_headers, speaking
from portrayal.errors import InvalidRequestError, NotFoundError
from portrayal.service.envelope import Job
from portrayal.service.keys import Caller
from portrayal.service.service import Service, Ticket
from portrayal.service.webhooks import Webhook

router = APIRouter(route_class=speaking(encode))

_BODY: Final = ("input", "webhook", "webhook_events_filter", "webhook_completed", "stream")
_WAIT: Final = re.compile(r"wait(?:=([1-9][0-9]?))?")
_LONGEST: Final = 60.0  # seconds that a call is held
_DURATION: Final = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s?)?")
_SHORTEST: Final = 5  # seconds that `Cancel-After` may give
_SETTLE: Final = 1.0  # seconds that a cancel waits for the worker to notice


@router.post("/predictions", status_code=201)
async def create(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Make a picture with a version of the model."""
    may(caller, "create")
    body = await read_json(request, service.settings.max_upload_bytes)
    version = body.pop("version", None)
    if version is None:
        raise InvalidInputError([Wrong("required", "", "version is required")])
    if not isinstance(version, str) or version_named(version) is None:
        what = "The specified version does not exist (or perhaps you don't have permission to use it?)"
        raise InvalidInputError([Wrong("invalid", "version", what)])
    return await _created(body, request, service, caller)


@router.post("/models/{owner}/{name}/predictions", status_code=201)
async def create_with_model(
    owner: str, name: str, request: Request, service: TheService, caller: TheCaller
) -> Response:
    """Make a picture with the model's latest version."""
    known(owner, name)
    may(caller, "create")
    body = await read_json(request, service.settings.max_upload_bytes)
    return await _created(body, request, service, caller)


@router.post("/deployments/{owner}/{name}/predictions", status_code=201)
async def create_with_deployment(
    owner: str, name: str, request: Request, service: TheService, caller: TheCaller
) -> Response:
    """Make a picture with a deployment; every name stands for the one model."""
    may(caller, "create")
    body = await read_json(request, service.settings.max_upload_bytes)
    return await _created(body, request, service, caller, {"deployment": f"{owner}/{name}"[:200]})


async def _created(
    body: dict[str, Any], request: Request, service: Service, caller: Caller, wire: Mapping[str, Any] | None = None
) -> Response:
    hold, life = _hold(request), _life(request)
    webhook = _webhook(body)
    taken = await inputs.take(body.get("input"), request, service, caller)
    kept: dict[str, Any] = {"input": taken.shown, "files": taken.files, **(wire or {})}
    if taken.notes:
        kept["notes"] = taken.notes
    if life is not None:
        kept["deadline"] = moment(datetime.fromtimestamp(time.time() + life, UTC))
    ticket = Ticket(
        dialect="replicate",
        wire=kept,
        webhook=webhook,
        idempotency_key=request.headers.get("idempotency-key"),
        base=base_of(request),
    )
    job = await service.submit(taken.order, caller, ticket, taken.roles)
    if life is not None:
        _end_later(request, service, job, caller, life)
    if hold:
        # A caller who goes away has the prediction still: its id is in the list, and its webhook will come.
        job = await service.wait(job.id, hold)
    return await _answer(job, request, service, 202 if hold and not job.final else 201, held=bool(hold))


async def _answer(job: Job, request: Request, service: Service, status: int = 200, *, held: bool = False) -> Response:
    data = await asyncio.to_thread(_data_uris, job, service) if service.settings.replicate_data_uris else None
    body = prediction(job, link_of(request), base_of(request), data=data, held=held)
    return JSONResponse(body, status, score_headers(job) if job.final else None)


def _data_uris(job: Job, service: Service) -> dict[str, str]:
    """The finished pictures by their ids; blocks."""
    return {
        picture.id: f"data:{picture.media_type};base64,{base64.b64encode(service.blobs.get(picture.sha256)).decode()}"
        for picture in job.pictures
    }


@router.get("/predictions")
async def listed(
    request: Request,
    service: TheService,
    caller: TheCaller,
    cursor: str = "",
    created_after: str = "",
    created_before: str = "",
    source: str = "",
) -> dict[str, Any]:
    """The predictions, the newest first, 100 a page. Outputs are addresses here, whatever the setting says."""
    may(caller, "read")
    if source not in ("", "web"):
        raise InvalidRequestError("is not web", field="source", remedy="Leave it out, or say web.")
    after, before = _time(created_after, "created_after"), _time(created_before, "created_before")
    # `web` lists what Replicate's own site made; here everything comes from a client.
    jobs: list[Job] = []
    page = listing.Page((), None, None)
    if not source:
        jobs, page = await asyncio.to_thread(listing.predictions, service, caller.library, cursor, after, before)
    link, base = link_of(request), base_of(request)
    query = request.url.include_query_params
    return {
        "next": page.next and f"{base}/v1/predictions?{query(cursor=page.next).query}",
        "previous": page.previous and f"{base}/v1/predictions?{query(cursor=page.previous).query}",
        "results": [prediction(job, link, base) for job in jobs],
    }


@router.get("/predictions/{prediction_id}")
async def one(prediction_id: str, request: Request, service: TheService, caller: TheCaller) -> Response:
    """A prediction as it is now."""
    may(caller, "read")
    job = await asyncio.to_thread(_found, prediction_id, service, caller)
    deadline = job.wire.get("deadline")
    if deadline and not job.final and datetime.fromisoformat(deadline) < datetime.now(UTC):
        # The process that should have ended it was restarted meanwhile.
        job = await asyncio.to_thread(service.cancel, job.id, caller)
    return await _answer(job, request, service)


@router.post("/predictions/{prediction_id}/cancel")
async def cancel(prediction_id: str, request: Request, service: TheService, caller: TheCaller) -> Response:
    """Cancel a prediction; one that has ended stays as it is."""
    may(caller, "create")
    job = await asyncio.to_thread(_found, prediction_id, service, caller)
    job = await asyncio.to_thread(service.cancel, job.id, caller)
    return await _answer(await service.wait(job.id, _SETTLE), request, service)


def _found(prediction_id: str, service: Service, caller: Caller) -> Job:
    """The job, if it came through this door; blocks."""
    job = service.job(prediction_id, caller)
    if job.dialect != "replicate":
        raise NotFoundError("there is no such prediction", field="id")
    return job


def _end_later(request: Request, service: Service, job: Job, caller: Caller, seconds: float) -> None:
    """Cancel the job when its time is over."""

    async def end() -> None:
        if not (await service.wait(job.id, seconds)).final:
            await asyncio.to_thread(service.cancel, job.id, caller)

    state = request.app.state
    if not hasattr(state, "replicate_deadlines"):
        state.replicate_deadlines = set()  # the event loop itself keeps no task alive
    task = asyncio.create_task(end())
    state.replicate_deadlines.add(task)
    task.add_done_callback(state.replicate_deadlines.discard)


def _hold(request: Request) -> float:
    """Seconds that the call shall be held (`Prefer: wait`, `wait=1` to `wait=60`); 0 = not at all.

    Raises:
        InvalidRequestError: another number. Other preferences are not looked at (RFC 7240).
    """
    for preference in request.headers.get("prefer", "").split(","):
        word = "".join(preference.split()).lower()
        match = _WAIT.fullmatch(word)
        if match:
            return min(float(match[1] or _LONGEST), _LONGEST)
        if word.partition("=")[0] == "wait":
            raise InvalidRequestError("is not within 1 to 60", field="Prefer", remedy="Say wait or wait=60.")
    return 0.0


def _life(request: Request) -> float | None:
    """Seconds after which the prediction is canceled (`Cancel-After: 90`, `90s`, `5m`, `1h30m`); None = never.

    Raises:
        InvalidRequestError: no such duration, or less than 5 seconds.
    """
    text = "".join(request.headers.get("cancel-after", "").split()).lower()
    if not text:
        return None
    match = _DURATION.fullmatch(text)
    seconds = sum(int(n or 0) * unit for n, unit in zip(match.groups(), (3600, 60, 1), strict=True)) if match else 0
    if seconds < _SHORTEST:
        raise InvalidRequestError(
            "is no duration of 5 seconds or more", field="Cancel-After", remedy="Say 90s, 5m or 1h."
        )
    return float(seconds)


def _webhook(body: Mapping[str, Any]) -> Webhook | None:
    """Who is told of what; also refuses what a body must not hold.

    Raises:
        InvalidInputError: with all that is wrong.
    """
    wrong = [
        Wrong("additional_property_not_allowed", "", f"Additional property {name[:60]!r} is not allowed")
        for name in body
        if name not in _BODY
    ]
    for name in ("webhook", "webhook_completed"):
        if not isinstance(body.get(name, ""), str | None):
            wrong.append(Wrong("invalid_type", name, "Invalid type. Expected: string"))
    events = body.get("webhook_events_filter")
    if events is not None and not isinstance(events, list):
        wrong.append(Wrong("invalid_type", "webhook_events_filter", "Invalid type. Expected: array"))
    elif any(event not in EVENTS for event in events or ()):
        wrong.append(Wrong("enum", "webhook_events_filter", f"must be some of: {', '.join(EVENTS)}"))
    if wrong:
        raise InvalidInputError(wrong)
    if body.get("webhook"):
        return Webhook(url=body["webhook"], events=tuple(dict.fromkeys(events or USUAL)))
    if body.get("webhook_completed"):
        return Webhook(url=body["webhook_completed"], events=("completed",))
    return None


def _time(text: str, field: str) -> float | None:
    """Seconds since 1970 of a time in ISO 8601; None when there is none.

    Raises:
        InvalidRequestError: it is no such time.
    """
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.strip().replace(" ", "+"))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise InvalidRequestError(
            "is no time", field=field, remedy="Write it as 2026-10-01T10:00:00Z (ISO 8601)."
        ) from None
