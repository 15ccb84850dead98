"""What happens to jobs, for readers who listen: durable events, and snapshots of progress in between.

A change of a job's state and a finished picture are rows, written with the change itself, numbered in the order of the
commits (`records.event`); a reader who comes back, even to another server, goes on after the number that it saw last.
Progress is a snapshot without a number: only the newest counts.

One task in each process reads the news, however many readers there are: woken by the hub when this process did it,
else by looking every 0.2 s (PostgreSQL). Readers share the latest news and fetch older ones page by page, so a slow
reader costs no memory.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portrayal.service.database import Database
from portrayal.service.envelope import FINAL
from portrayal.service.hub import ANY, Hub
from portrayal.service.tables import EventRow, PortrayalRow, RunRow

log = logging.getLogger("portrayal.events")

QUIET: Final = 15.0
"""Seconds after which a reader who hears nothing gets a sign of life."""
_RECENT: Final = 1000
_PAGE: Final = 200


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        id: its number; None for what is not kept: progress, and the end of a job whose events are gone.
        type: starting, processing, picture, progress, succeeded, failed or canceled.
        data: a finished picture, an error, or how far it is.
        at: seconds since 1970.
    """

    id: int | None
    job_id: str
    library: str
    type: str
    data: dict[str, Any]
    at: float | None = None


class Events:
    """The events of an installation, as one process sees them. All calls belong to one event loop."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database, self._hub = database, hub
        self._pause = 5.0 if database.sqlite else 0.2
        self._recent: deque[Event] = deque(maxlen=_RECENT)
        self._floor = self._newest = 0  # `_recent` holds all events with floor < number <= newest
        self._progress: dict[str, Event] = {}
        self._readers: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._closed = False

    @property
    def readers(self) -> int:
        """How many listen."""
        return len(self._readers)

    def close(self) -> None:
        """Let all readers go; they come back to the next server."""
        self._closed = True
        self._tell()

    async def stream(
        self, library: str, *, job_id: str | None = None, after: int | None = None
    ) -> AsyncIterator[Event | None]:
        """Events as they happen, oldest first; None whenever nothing happened for a while.

        Args:
            library: whose; others' events do not exist.
            job_id: of one job only; the stream ends after its final event.
            after: number that was seen last. None: a job's events from the first, a library's from now on.
        """
        bell = asyncio.Event()
        self._readers.add(bell)
        try:
            if self._task is None:
                self._ready = asyncio.Event()
                self._task = asyncio.create_task(self._follow(self._ready))
            await self._ready.wait()
            ended = "" if job_id is None else await asyncio.to_thread(self._ended, job_id)
            newest = await asyncio.to_thread(self._last)
            position = min(newest if after is None else after, newest)
            if job_id is not None and after is None:
                position = 0
            async for event in self._live(bell, position, newest, library, job_id, ended):
                yield event
                if event is not None and job_id is not None and event.type in FINAL:
                    return
        finally:
            self._readers.discard(bell)
            if not self._readers and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _live(
        self, bell: asyncio.Event, position: int, newest: int, library: str, job_id: str | None, ended: str
    ) -> AsyncIterator[Event | None]:
        while position < newest:  # what is past
            page = await asyncio.to_thread(self._page, position, newest, library, job_id)
            position = (page[-1].id or newest) if len(page) == _PAGE else newest
            for event in page:
                yield event
        if ended:
            yield Event(None, str(job_id), library, ended, {})  # the event itself was seen, or is gone
        shown: dict[str, Event] = {}
        while not self._closed:
            bell.clear()
            newest, progress = self._newest, self._progress
            while position < newest:
                events, position = await self._after(position, newest, library, job_id)
                for event in events:
                    yield event
            for event in progress.values():
                if event.library == library and job_id in (None, event.job_id) and shown.get(event.job_id) != event:
                    yield event
            shown = progress
            try:
                await asyncio.wait_for(bell.wait(), QUIET)
            except TimeoutError:
                yield None

    def over(self, job_id: str, after: int) -> bool:
        """Whether a reader who saw the event `after` knows the job's end. Blocks."""
        ended = self._ended(job_id)
        more = sa.select(EventRow.id).where(EventRow.portrayal_id == job_id, EventRow.id > after).limit(1)
        with self._database.session() as session:
            return bool(ended) and session.scalar(more) is None

    # The one task that reads.

    async def _follow(self, ready: asyncio.Event) -> None:
        self._recent.clear()
        self._progress.clear()
        self._floor = self._newest = await asyncio.to_thread(self._last)
        with self._hub.listen(ANY) as bell:
            while not self._closed:
                try:
                    events, progress = await asyncio.to_thread(self._news, self._newest)
                except sa.exc.DBAPIError:
                    log.warning("the database is away: no events")
                    await asyncio.sleep(1.0)
                    continue
                finally:
                    ready.set()
                self._take(events, progress)
                if len(events) < _PAGE:
                    await bell.wait(self._pause)

    def _take(self, events: Sequence[Event], progress: Sequence[Event]) -> None:
        for event in events:
            if len(self._recent) == _RECENT:
                self._floor = self._recent[0].id or 0
            self._recent.append(event)
            self._newest = event.id or 0
        over = {event.job_id for event in events if event.type in FINAL}
        now = {event.job_id: event for event in progress if event.job_id not in over}
        if events or now != self._progress:
            self._progress = now
            self._tell()

    def _tell(self) -> None:
        for reader in self._readers:
            reader.set()

    async def _after(self, position: int, newest: int, library: str, job_id: str | None) -> tuple[list[Event], int]:
        """Some events of a reader after a position up to `newest`, and the position that they lead to."""
        if position >= self._floor:
            recent = [e for e in self._recent if position < (e.id or 0) <= newest]
            return [e for e in recent if e.library == library and job_id in (None, e.job_id)], newest
        page = await asyncio.to_thread(self._page, position, newest, library, job_id)
        return page, (page[-1].id or newest) if len(page) == _PAGE else newest

    # Queries.

    def _last(self) -> int:
        with self._database.session() as session:
            return session.scalar(sa.select(sa.func.max(EventRow.id))) or 0

    def _ended(self, job_id: str) -> str:
        """The final state of a job that has one."""
        with self._database.session() as session:
            state = session.scalar(sa.select(PortrayalRow.state).where(PortrayalRow.id == job_id))
        return str(state) if state in FINAL else ""

    def _page(self, position: int, newest: int, library: str, job_id: str | None) -> list[Event]:
        some = _events(position).where(EventRow.library == library, EventRow.id <= newest)
        if job_id is not None:
            some = some.where(EventRow.portrayal_id == job_id)
        with self._database.session() as session:
            return [_event(row) for row in session.scalars(some)]

    def _news(self, position: int) -> tuple[list[Event], list[Event]]:
        with self._database.session() as session:
            # First progress: an end that comes after it is then among the events, and wins.
            progress = _running(session)
            return [_event(row) for row in session.scalars(_events(position))], progress


def _events(position: int) -> sa.Select[EventRow]:
    return sa.select(EventRow).where(EventRow.id > position).order_by(EventRow.id).limit(_PAGE)


def _event(row: EventRow) -> Event:
    return Event(row.id, row.portrayal_id, row.library, row.type, row.data, row.created_at)


def _running(session: Session) -> list[Event]:
    running = (
        sa.select(RunRow.id, PortrayalRow.library, RunRow.progress)
        .join(PortrayalRow, PortrayalRow.id == RunRow.id)
        .where(PortrayalRow.state == "processing", RunRow.progress != "")
    )
    return [Event(None, row.id, row.library, "progress", json.loads(row.progress)) for row in session.execute(running)]
