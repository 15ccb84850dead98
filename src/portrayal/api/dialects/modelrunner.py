"""ModelRunner: `ideogram/character` by its queue protocol, and `/edit` and `/remix` beside it.

The protocol is fal's older one with differences: 201 on submit, a result that is an envelope around the output, states
FAILED and CANCELLED, reserved keys in the body, Standard Webhooks. Sources: `modelrunner-ai` 0.6.0 (Python),
`modelrunner/docs` (`openapi.json`, `errors.mdx`, `request-semantics.mdx`, `webhooks.mdx`). Uploads are in
`portrayal.api.storage`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from portrayal.api import queueing
from portrayal.api.bodies import read_json
from portrayal.api.dialects import character_input, common
from portrayal.api.dialects.character_input import Endpoint, field_of, warnings_of
from portrayal.api.doors import TheCaller, TheService, base_of, link_of, may, proof, score_headers, speaking
from portrayal.api.problems import status_of
from portrayal.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    PolicyError,
    PortrayalError,
)
from portrayal.service import records
from portrayal.service.envelope import FINAL, Job
from portrayal.service.keys import Caller
from portrayal.service.service import Service, Ticket
from portrayal.service.signing import Secrets
from portrayal.service.tables import EventRow, PortrayalRow
from portrayal.service.webhooks import Message, Notifier, Webhook

DIALECT: Final = "modelrunner"
APP: Final = "ideogram/character"
ENDPOINTS: Final[dict[str, Endpoint]] = {"character": "generate", "edit": "edit", "remix": "remix"}
RESERVED: Final = ("metadata", "webhook", "webhook_events_filter")
EVENTS: Final = {"start": "start", "started": "start", "completed": "completed"}
"""Names of events, as the documentation and an older page of it spell them."""
_STATES: Final = {
    "starting": "IN_QUEUE",
    "processing": "IN_PROGRESS",
    "succeeded": "COMPLETED",
    "canceled": "CANCELLED",
}
_CODES: Final = {401: "UNAUTHORIZED", 403: "FORBIDDEN", 404: "NOT_FOUND", 409: "NOT_COMPLETED", 429: "RATE_LIMITED"}
_REQUEST_ID: Final = "x-modelrunner-request-id"
_LONG: Final = 3000  # characters of one field of the input that are remembered
_SNAPSHOT: Final = 1000  # requests on their way that the stream of all of them begins with
Link = Callable[[str, str], str]


class NotCompletedError(ConflictError):
    """The result was asked for too early."""


def encode(error: PortrayalError | Exception, request: Request) -> Response:
    """An error in ModelRunner's form: `{error, request_id, details}`.

    What is wrong with an input is a list of issues with status 400; both spellings, `error` and
    `details.validationErrors`, are filled, as its JavaScript client looks at the second one.
    """
    status, _ = status_of(error)
    request_id = queueing.echoed_id(getattr(request.state, "request_id", ""))
    headers = {_REQUEST_ID: request_id}
    body: dict[str, Any] = {"error": "Unexpected server error.", "request_id": request_id}
    if not isinstance(error, PortrayalError) or status >= 500:
        return JSONResponse({**body, "details": {"code": "INTERNAL_ERROR"}}, 500, headers)
    body["error"] = str(error)
    if isinstance(error, LimitError):
        headers["retry-after"] = str(error.retry_after)
    if isinstance(error, PolicyError):
        body["details"] = {"code": "CONTENT_POLICY_VIOLATION", "category": error.category}
        return JSONResponse(body, 422, headers)
    if status in _CODES and (status != 409 or isinstance(error, NotCompletedError)):
        body["details"] = {"code": _CODES[status]}
        return JSONResponse(body, status, headers)
    issue = _issue(error)
    body["error"] = [issue]
    body["details"] = {"code": "VALIDATION_ERROR", "validationErrors": [issue]}
    return JSONResponse(body, 400, headers)


def _issue(error: PortrayalError) -> dict[str, Any]:
    field = field_of(error)
    missing = error.message == "is required"
    return {
        "code": "invalid_type" if missing else "custom",
        "path": [] if field in ("", "body") else field.split("."),
        "message": f"Required. {error.remedy}" if missing else f"{error.message}. {error.remedy}".rstrip(". ") + ".",
    }


router = APIRouter(route_class=speaking(encode), tags=["ModelRunner"])


# States and answers.


def _failed_input(job: Job) -> bool:
    """Whether a job failed by its input: for ModelRunner it is COMPLETED then, with an error."""
    return job.state == "failed" and job.error is not None and job.error.type not in ("internal", "engine")


def state_of(job: Job) -> str:
    """The job's state in ModelRunner's words."""
    return "COMPLETED" if _failed_input(job) else _STATES.get(job.state, "FAILED")


def _error_of(job: Job) -> str | None:
    if job.state == "canceled":
        return "Request was cancelled"
    if job.state != "failed":
        return None
    if job.error is None:
        return "The request failed"
    field = field_of(job.error)
    return f"{field}: {job.error.message}" if field else job.error.message


def _log(job: Job) -> str:
    return "\n".join(f"{when.isoformat()} {level} {message}" for when, level, message in queueing.log(job))


def status_body(job: Job, base: str, *, logs: bool) -> dict[str, Any]:
    """The envelope of a request in the queue; its place is always 0, as at ModelRunner."""
    here = f"{base}/{APP}/requests/{job.id}"
    body: dict[str, Any] = {
        "status": state_of(job),
        "request_id": job.id,
        "response_url": here,
        "status_url": f"{here}/status",
        "cancel_url": f"{here}/cancel",
        "queue_position": 0,
        "logs": _log(job) if logs else None,
    }
    if job.final:
        body["metrics"] = {"inference_time": round(queueing.seconds(job), 4)}
    error = _error_of(job)
    return body if error is None else {**body, "error": error}


def item(job: Job, link: Link) -> dict[str, Any]:
    """A request with its input and output: the result, an entry of the stream, the body of a webhook."""
    body: dict[str, Any] = {
        "id": job.id,
        "modelEndpoint": job.wire.get("endpoint", APP),
        "targetKind": "model",
        "status": state_of(job),
        "billingStatus": "charged" if job.state == "succeeded" else "failed" if job.final else "pending",
        "totalPrice": "0",
        "input": {**_texts(job), **job.wire.get("input", {})},
        "output": [link(p.id, p.media_type) for p in job.pictures] if job.state == "succeeded" else None,
        "error": _error_of(job),
        "logs": _log(job),
        "metadata": job.wire.get("metadata", {}),
        "createdAt": _time(job.created_at),
        "updatedAt": _time(job.completed_at or job.started_at or job.created_at),
        "inferenceTime": round(1000 * queueing.seconds(job)),
        "delayTime": round(1000 * ((job.started_at or job.created_at) - job.created_at).total_seconds()),
        "public": False,
    }
    if job.state == "succeeded":
        body |= {
            "seed": job.seed,
            "identity": [proof(job, i) for i in range(len(job.pictures))],
            "warnings": warnings_of(job),
        }
    return body


def _texts(job: Job) -> dict[str, str]:
    texts = {"prompt": job.result.get("magic_prompt") or job.order.prompt, "negative_prompt": job.order.negative_prompt}
    return {name: text for name, text in texts.items() if text}


def _time(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _headers(job: Job) -> dict[str, str]:
    return {_REQUEST_ID: job.id, **score_headers(job)}


# Submitting.


def _reserved(body: Mapping[str, Any]) -> tuple[dict[str, str], Webhook | None]:
    """The keys that are not the model's.

    Raises:
        InvalidRequestError: more or longer metadata than are kept, a webhook that is no address, unknown events.
    """
    metadata = body.get("metadata")
    if metadata is None:
        metadata = {}
    if not isinstance(metadata, Mapping) or len(metadata) > 16:
        raise InvalidRequestError("is no map of at most 16 keys", field="metadata", remedy="Give strings by name.")
    for key, value in metadata.items():
        if not 1 <= len(key) <= 64 or not isinstance(value, str) or len(value) > 512:
            raise InvalidRequestError(
                "keys have 1 to 64 characters, values are strings of at most 512",
                field="metadata",
                remedy="Shorten it.",
            )
        common.text(key, "metadata")
        common.text(value, "metadata")
    url, events = body.get("webhook"), body.get("webhook_events_filter")
    if url is None:
        if events is not None:
            raise InvalidRequestError("needs a webhook", field="webhook_events_filter", remedy="Give a webhook too.")
        return dict(metadata), None
    if not isinstance(url, str) or not 1 <= len(url) <= 2048:
        raise InvalidRequestError("is no URL of at most 2048 characters", field="webhook", remedy="Give an https URL.")
    if events is not None and (not isinstance(events, list) or not events or not all(str(e) in EVENTS for e in events)):
        raise InvalidRequestError(
            "is no list of events", field="webhook_events_filter", remedy="Use some of start, completed."
        )
    chosen = tuple(dict.fromkeys(EVENTS[str(event)] for event in events or ("completed",)))
    return dict(metadata), Webhook(url=url, events=chosen, https_only=True)


def _kept(value: Any) -> Any:
    """A field of the input as it is remembered: plain Unicode and JSON, and no longer than is of use."""
    text = json.dumps(common.echoed(value), ensure_ascii=False).encode("utf-8", "replace").decode()
    return json.loads(text, parse_constant=lambda _: None) if len(text) <= _LONG else "..."


async def submit(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Put a request into the queue."""
    may(caller, "create")
    endpoint = request.url.path.strip("/")
    body = await read_json(request, service.settings.max_upload_bytes)
    metadata, webhook = _reserved(body)
    body = {name: value for name, value in body.items() if name not in RESERVED}
    given = await character_input.read(body, ENDPOINTS[endpoint.rpartition("/")[2]], request, service, caller)
    fields = character_input.FIELDS[given.endpoint] - {"prompt", "negative_prompt"}  # the order keeps these two
    known = {name: _kept(value) for name, value in body.items() if name in fields}
    notes = list(given.notes)
    if request.headers.get("x-modelrunner-store-io", "").strip() == "0":
        notes.append("x-modelrunner-store-io: the request is kept until it is deleted from the library")
    if body.get("sync_mode"):
        notes.append("sync_mode: outputs are addresses here")
    ticket = Ticket(
        dialect=DIALECT,
        wire={"endpoint": endpoint, "input": known, "metadata": metadata, "notes": notes},
        webhook=webhook,
        idempotency_key=request.headers.get("idempotency-key"),
        priority=2 if request.headers.get("x-modelrunner-queue-priority", "").strip().lower() == "low" else 1,
        base=base_of(request),
    )
    job = await service.submit(given.order, caller, ticket, given.roles)
    answer = status_body(job, base_of(request), logs=False)
    if webhook is not None:
        answer |= {"webhook": webhook.url, "webhook_events_filter": list(webhook.events)}
    return JSONResponse(answer, 201, _headers(job))


# A request.


async def _job(request_id: str, request: Request, service: Service, caller: Caller) -> Job:
    request.state.request_id = request_id
    return await asyncio.to_thread(queueing.job_of, service, request_id, caller, DIALECT)


async def status(
    request_id: str, request: Request, service: TheService, caller: TheCaller, logs: str = "0"
) -> Response:
    """The state of a request; 400 with a state that is neither on its way nor COMPLETED, which ends all polling."""
    may(caller, "read")
    wanted = common.truth(logs, "logs", False)
    job = await _job(request_id, request, service, caller)
    body = status_body(job, base_of(request), logs=wanted)
    return JSONResponse(body, 400 if body["status"] in ("FAILED", "CANCELLED") else 200, _headers(job))


async def status_stream(
    request_id: str, request: Request, service: TheService, caller: TheCaller, logs: str = "0"
) -> Response:
    """The states of a request as server-sent events."""
    may(caller, "read")
    wanted = common.truth(logs, "logs", False)
    first = await _job(request_id, request, service, caller)
    base = base_of(request)

    async def events() -> AsyncIterator[dict[str, Any] | None]:
        async for job in queueing.changes(service, first):
            yield None if job is None else status_body(job, base, logs=wanted)

    answer = queueing.stream(events())
    answer.headers[_REQUEST_ID] = first.id
    return answer


async def result(request_id: str, request: Request, service: TheService, caller: TheCaller) -> Response:
    """The result: an envelope around the output; 422 for a request that ended without one, 400 for one that FAILED."""
    may(caller, "read")
    job = await _job(request_id, request, service, caller)
    if not job.final:
        raise NotCompletedError("the request is not completed", field="", remedy="Ask for its status first.")
    body = item(job, link_of(request))
    status = {"COMPLETED": 422 if job.state == "failed" else 200, "CANCELLED": 422}.get(body["status"], 400)
    return JSONResponse(body, status, _headers(job))


async def cancel(request_id: str, request: Request, service: TheService, caller: TheCaller) -> Response:
    """Cancel a request; answers with its state, whether that stopped it or not."""
    may(caller, "create")
    job = await _job(request_id, request, service, caller)
    job = await asyncio.to_thread(service.cancel, job.id, caller)
    return JSONResponse(status_body(job, base_of(request), logs=False), headers=_headers(job))


# All requests of the account.


@router.get("/requests/stream")
async def requests_stream(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Server-sent events of all requests of the key's library: those on their way first, then each that changes."""
    may(caller, "read")
    link = link_of(request)

    async def events() -> AsyncIterator[dict[str, Any] | None]:
        newest, running = await asyncio.to_thread(_running, service, caller)
        yield {"type": "snapshot", "requests": [item(job, link) for job in running]}
        happened: Any = service.events.stream(caller.library, after=newest)
        async with contextlib.aclosing(happened):
            async for event in happened:
                if event is None:
                    yield None
                elif event.type in _STATES or event.type in FINAL:
                    with contextlib.suppress(NotFoundError):  # of another door, or deleted meanwhile
                        job = await asyncio.to_thread(queueing.job_of, service, event.job_id, caller, DIALECT)
                        yield {"type": "update", "request": item(job, link)}

    return queueing.stream(events())


def _running(service: Service, caller: Caller) -> tuple[int, list[Job]]:
    """The number of the newest event, and the requests that have not ended, the oldest first."""
    rows = (
        sa.select(PortrayalRow)
        .where(PortrayalRow.library == caller.library, PortrayalRow.dialect == DIALECT)
        .where(PortrayalRow.state.not_in(FINAL))
        .order_by(PortrayalRow.id)
        .limit(_SNAPSHOT)
    )
    with service.database.session() as session:
        newest = int(session.scalar(sa.select(sa.func.max(EventRow.id))) or 0)
        return newest, records.jobs(session, session.scalars(rows).all())


@router.get("/requests/{request_id}")
async def one_request(request_id: str, request: Request, service: TheService, caller: TheCaller) -> Response:
    """One request by its id alone, on its way or ended."""
    may(caller, "read")
    job = await _job(request_id, request, service, caller)
    return JSONResponse(item(job, link_of(request)), headers=_headers(job))


# Webhooks.


@router.get("/webhooks/default/secret")
async def secret(service: TheService, caller: TheCaller) -> dict[str, str]:
    """The secret by which receivers check webhooks."""
    may(caller, "create")
    return {"key": service.secrets.of(caller.library).webhook_secret}


@router.post("/webhooks/default/secret/rotate")
async def rotate(caller: TheCaller) -> Response:
    """Not offered: the secret is one for the whole library, other hosts' formats sign with it too."""
    raise ForbiddenError(
        "this server does not rotate its secret over the network",
        remedy="The operator may delete the file of its secrets and start it anew.",
    )


class ModelRunnerNotifier:
    """Messages `start` and `completed`, signed as the Standard Webhooks say."""

    def messages(self, job: Job, what: str, webhook: Webhook, link: Link) -> list[Message]:
        """The message of a change, if it was asked for."""
        event = "start" if what == "processing" else "completed" if job.final and what == job.state else ""
        if event not in webhook.events:
            return []
        return [Message(event, json.dumps({"event": event, **item(job, link)}).encode())]

    def headers(self, job: Job, message_id: str, timestamp: int, body: bytes, secrets: Secrets) -> dict[str, str]:
        """The three headers of the Standard Webhooks."""
        return secrets.standard_webhook_headers(message_id, timestamp, body)


NOTIFIER: Notifier | None = ModelRunnerNotifier()


def _routes() -> None:
    body = {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}, "required": True}}
    for name in ("", "/edit", "/remix"):
        router.add_api_route(f"/{APP}{name}", submit, methods=["POST"], status_code=201, openapi_extra=body)
        # The clients leave out /edit and /remix here; who writes them is understood too.
        here, shown = f"/{APP}{name}/requests/{{request_id}}", not name
        router.add_api_route(here, result, methods=["GET"], include_in_schema=shown)
        router.add_api_route(f"{here}/status", status, methods=["GET"], include_in_schema=shown)
        router.add_api_route(f"{here}/status/stream", status_stream, methods=["GET"], include_in_schema=shown)
        router.add_api_route(f"{here}/cancel", cancel, methods=["PUT", "GET"], include_in_schema=False)


_routes()
