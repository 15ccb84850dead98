"""What doors with a queue share: a job's place in it, its log, and its changes as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from fastapi.responses import StreamingResponse

from portrayal.errors import NotFoundError
from portrayal.service.envelope import Job
from portrayal.service.ids import new_id
from portrayal.service.keys import Caller
from portrayal.service.service import Service
from portrayal.service.tables import PortrayalRow

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


def job_of(service: Service, job_id: str, caller: Caller, dialect: str) -> Job:
    """A job that came through this door. Blocks.

    Raises:
        NotFoundError: there is none in the caller's library.
    """
    job = service.job(job_id, caller)
    if job.dialect != dialect:
        raise NotFoundError("there is no such job", field="id", remedy="It came through another door.")
    return job


def echoed_id(given: str) -> str:
    """The id of a request as an error's header tells it: what a caller made up, line ends say, is not repeated."""
    return given if _ID.fullmatch(given) else new_id()


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def position(service: Service, job: Job) -> int:
    """How many waiting jobs come before this one; 0 for one that does not wait. Blocks."""
    if job.state != "starting":
        return 0
    turn = int(job.wire.get("_round", 1))
    mine = sa.tuple_(sa.literal(job.priority), sa.literal(turn), sa.literal(job.id))
    theirs = sa.tuple_(PortrayalRow.priority, PortrayalRow.round, PortrayalRow.id)
    before = sa.select(sa.func.count()).select_from(PortrayalRow).where(PortrayalRow.state == "starting")
    with service.database.session() as session:
        return int(session.scalar(before.where(theirs < mine)) or 0)


async def until(service: Service, job_id: str, seconds: float, done: Callable[[Job], bool]) -> Job:
    """The job as soon as `done` says so, or as it is after `seconds`."""
    deadline = time.monotonic() + seconds
    with service.hub.listen(job_id) as bell:
        while True:
            job = await asyncio.to_thread(service.job, job_id)
            left = deadline - time.monotonic()
            if done(job) or left <= 0:
                return job
            await bell.wait(min(left, 5.0))


async def changes(service: Service, job: Job) -> AsyncIterator[Job | None]:
    """The job now and after each change, until it is final or the server stops; None after a while of silence."""
    last: tuple[Any, ...] = ()
    happened: Any = service.events.stream(job.library, job_id=job.id)
    async with contextlib.aclosing(happened) as events:
        async for event in events:
            if event is None:
                yield None
                continue
            try:
                job = await asyncio.to_thread(service.job, job.id)
            except NotFoundError:  # deleted meanwhile
                return
            current = (job.state, job.progress, len(job.pictures))
            if current != last:
                last = current
                yield job
            if job.final:
                return


def stream(events: AsyncIterator[dict[str, Any] | None]) -> StreamingResponse:
    """Server-sent events, each one JSON object; None is a comment that keeps the line open."""

    async def lines() -> AsyncIterator[bytes]:
        async for event in events:
            yield b": hb\n\n" if event is None else f"data: {json.dumps(event)}\n\n".encode()

    headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
    return StreamingResponse(lines(), media_type="text/event-stream", headers=headers)


def log(job: Job) -> list[tuple[datetime, str, str]]:
    """What happened so far, as (time, level, message); levels are INFO, WARN and ERROR."""
    lines = []
    if job.started_at is not None:
        lines.append((job.started_at, "INFO", f"started: {job.operation}, {job.order.num_images} picture(s)"))
        if not job.final:
            shown = f"picture {job.progress.picture} of {job.progress.of}: {job.progress.stage}"
            lines.append((job.started_at, "INFO", shown))
    if job.completed_at is not None:
        lines += [(job.completed_at, "WARN", warning) for warning in job.warnings]
        if job.error is not None:
            lines.append((job.completed_at, "ERROR", job.error.message))
        lines.append((job.completed_at, "INFO", f"{job.state} after {seconds(job):.2f} s"))
    return lines


def seconds(job: Job) -> float:
    """How long the job was made, or has been made so far as is known; 0 for one that never started."""
    if job.started_at is None or job.completed_at is None:
        return job.engine_seconds
    return (job.completed_at - job.started_at).total_seconds()
