"""Events: what happens to portrayals, as server-sent events that go on where a reader lost the line.

The form is that of the HTML standard, section 9.2: an `EventSource` of a browser reads it as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from portrayal.api.doors import TheCaller, TheService, base_of, link_of, may, speaking
from portrayal.api.native.models import PREFIX, Out, PictureOut, problems
from portrayal.api.problems import problem
from portrayal.service.envelope import JobError, JobPicture, JobProgress
from portrayal.service.events import Event

router = APIRouter(route_class=speaking(problem), tags=["events"])

RETRY: Final = 2000
"""Milliseconds after which a reader shall come back."""
_MOST: Final = 2**63 - 1
_STREAM: Final = "text/event-stream"
_EVENT: Final = {
    "type": "object",
    "description": "One event of the stream.",
    "properties": {
        "id": {"type": "string", "description": "Its number; progress has none."},
        "event": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "retry": {"type": ["integer", "string"], "description": "Milliseconds."},
    },
}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "`event:` is starting, processing, picture, progress, succeeded, failed or canceled; `data:` is "
        "a JSON object with the portrayal's `id`, the time `at`, and `picture`, `progress` or `error` where there is "
        "one. Comments keep the line open.",
        "content": {_STREAM: {"schema": _EVENT}},
    },
}

After = Annotated[int | None, Query(ge=0, le=_MOST, description="Only what came after the event of this number.")]
LastEventId = Annotated[
    int | None,
    Header(ge=0, le=_MOST, description="The same, as a reader sends it who comes back; goes before `after`."),
]


class EventOut(Out):
    """One thing that happened."""

    id: Annotated[str, Field(description="Of the portrayal.")]
    at: datetime | None = None
    picture: PictureOut | None = None
    progress: JobProgress | None = None
    error: JobError | None = None


@router.get("/events", response_class=StreamingResponse, responses={**problems(403), **_ANSWERS})
async def events(
    request: Request, service: TheService, caller: TheCaller, after: After = None, last_event_id: LastEventId = None
) -> Response:
    """Everything that happens in the library, from now on, or from the event that was seen last.

    Events are kept for a week. The stream has no end.
    """
    may(caller, "read")
    seen = after if last_event_id is None else last_event_id
    return _answer(service.events.stream(caller.library, after=seen), request)


@router.get(
    "/portrayals/{job_id}/events",
    response_class=StreamingResponse,
    responses={
        **problems(403, 404),
        **_ANSWERS,
        204: {"description": "The last event was seen: nothing will come any more. An `EventSource` stops then."},
    },
)
async def events_of(
    job_id: Annotated[str, Path(pattern="^[0-9a-z]{26}$", description="Of a portrayal.")],
    request: Request,
    service: TheService,
    caller: TheCaller,
    after: After = None,
    last_event_id: LastEventId = None,
) -> Response:
    """What happens to one portrayal, from the beginning; the stream ends with its end."""
    may(caller, "read")
    await asyncio.to_thread(service.job, job_id, caller)
    seen = after if last_event_id is None else last_event_id
    if seen is not None and await asyncio.to_thread(service.events.over, job_id, seen):
        return Response(status_code=204)
    return _answer(service.events.stream(caller.library, job_id=job_id, after=seen), request)


def _answer(stream: AsyncIterator[Event | None], request: Request) -> Response:
    # Proxies must neither keep nor gather what shall arrive at once.
    headers = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}
    return StreamingResponse(_lines(stream, request), media_type=_STREAM, headers=headers)


async def _lines(stream: Any, request: Request) -> AsyncIterator[str]:
    yield f"retry: {RETRY}\n\n"
    async with contextlib.aclosing(stream):
        async for event in stream:
            yield ": still here\n\n" if event is None else _text(event, request)


def _text(event: Event, request: Request) -> str:
    values: dict[str, Any] = {"id": event.job_id}
    if event.at is not None:
        values["at"] = datetime.fromtimestamp(event.at, UTC)
    if event.type == "picture":
        values["picture"] = _picture(event, request)
    elif event.type == "progress":
        values["progress"] = JobProgress.model_validate(event.data)
    elif "error" in event.data:
        values["error"] = JobError.model_validate(event.data["error"])
    number = "" if event.id is None else f"id: {event.id}\n"
    return f"{number}event: {event.type}\ndata: {EventOut(**values).model_dump_json(exclude_unset=True)}\n\n"


def _picture(event: Event, request: Request) -> PictureOut:
    picture = JobPicture.model_validate(event.data)
    mask = f"{base_of(request)}{PREFIX}/portrayals/{event.job_id}/pictures/{picture.position}/mask"
    return PictureOut(
        **dict(picture),
        url=link_of(request)(picture.id, picture.media_type),
        mask_url=mask if picture.mask else None,
    )
