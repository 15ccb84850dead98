"""The library: finding, marking and deleting what was made."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portrayal.errors import InvalidRequestError, NotFoundError
from portrayal.service import finding, records, search
from portrayal.service.database import Database
from portrayal.service.envelope import FINAL, Job, JobProgress, Role, State
from portrayal.service.finding import Filters
from portrayal.service.ids import id_at
from portrayal.service.tables import (
    DeliveryRow,
    EventRow,
    PictureRow,
    PortrayalRow,
    RunRow,
    SearchRow,
    SourceRow,
    StoredFile,
    TagRow,
    WorkerRow,
)

MOST_A_PAGE: Final = 100
MOST_TAGS: Final = 40
_LONGEST_TAG: Final = 60
_LONGEST_SEARCH: Final = 1000
_FAMILY: Final = 200  # portrayals that a lineage shows
_ID: Final = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")
_DAY: Final = 86_400.0


@dataclass(frozen=True)
class Page:
    """Some portrayals, the newest first.

    Attributes:
        next, previous: cursors of the older and of the newer ones; None where there are none.
    """

    jobs: tuple[Job, ...]
    next: str | None = None
    previous: str | None = None


@dataclass(frozen=True)
class Link:
    """One step of a lineage: the portrayal `child` was made from the picture `picture` of the portrayal `parent`."""

    parent: str
    picture: str
    child: str
    role: Role


@dataclass(frozen=True)
class Lineage:
    """Where a portrayal came from and what became of it.

    Attributes:
        ancestors, descendants: the nearest first.
        complete: False when the family is too large to be shown whole.
    """

    job: Job
    ancestors: tuple[Job, ...]
    descendants: tuple[Job, ...]
    links: tuple[Link, ...]
    complete: bool


@dataclass(frozen=True)
class Use:
    """What one key made on one day (UTC) with one operation: ended jobs, and pictures of those that succeeded."""

    day: date
    key_id: str
    operation: str
    jobs: int
    pictures: int


@dataclass(frozen=True)
class Waiting:
    """A job in the queue.

    Attributes:
        position: 1 = the next one of all libraries; 0 = is being made.
    """

    id: str
    state: State
    operation: str
    num_images: int
    priority: int
    position: int
    created_at: datetime
    started_at: datetime | None
    progress: JobProgress


@dataclass(frozen=True)
class Queue:
    """The queue as one library sees it.

    Attributes:
        waiting, running: jobs of all libraries.
        slots: pictures that all workers together can make at the same time.
        jobs: the library's own ones, in the order in which they will be made.
    """

    waiting: int
    running: int
    slots: int
    jobs: tuple[Waiting, ...]


class Library:
    """What was made. Rows of another library do not exist. Calls block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        library: str,
        *,
        cursor: str | None = None,
        limit: int = 50,
        filters: Filters = Filters(),  # noqa: B008
    ) -> Page:
        """Portrayals, the newest first; new ones never move those that follow a cursor.

        Raises:
            InvalidRequestError: the cursor is none of ours, `limit` is not 1 to 100, the search is too long.
        """
        if not 1 <= limit <= MOST_A_PAGE:
            raise InvalidRequestError("is not 1 to 100", field="limit", remedy="Ask for fewer, and follow `next`.")
        if len(filters.search) > _LONGEST_SEARCH:
            raise InvalidRequestError(
                f"has more than {_LONGEST_SEARCH} characters", field="search", remedy="Search for a few words."
            )
        newer, place = _position(cursor)
        with self._database.session() as session:
            found = finding.find(session, library, filters, place, newer=newer, limit=limit + 1)
            if newer and not found:  # what was newer is gone: begin at the top
                newer, place = False, None
                found = finding.find(session, library, filters, None, newer=False, limit=limit + 1)
            more, ids = len(found) > limit, found[:limit]
            if newer:
                ids.reverse()
            rows = {r.id: r for r in session.scalars(sa.select(PortrayalRow).where(PortrayalRow.id.in_(ids)))}
            jobs = tuple(records.jobs(session, [rows[i] for i in ids if i in rows]))
        if not ids:
            return Page((), previous=None if place is None else _cursor("p", place))
        older = _cursor("n", ids[-1]) if more or newer else None
        return Page(jobs, older, _cursor("p", ids[0]) if (more if newer else place is not None) else None)

    def update(
        self, job_id: str, library: str, *, starred: bool | None = None, tags: Sequence[str] | None = None
    ) -> Job:
        """Star a portrayal, or give it other tags; None leaves it as it is.

        Raises:
            NotFoundError: there is none.
            InvalidRequestError: a tag is empty or too long, or there are too many.
        """
        wanted = None if tags is None else clean_tags(tags)
        with self._database.session() as session:
            row = _row(session, job_id, library)
            if starred is not None:
                row.starred = starred
            if wanted is not None:
                session.execute(sa.delete(TagRow).where(TagRow.portrayal_id == job_id))
                session.add_all([TagRow(portrayal_id=job_id, tag=tag, library=library) for tag in wanted])
            search.write(session, job_id)
            return records.jobs(session, [row])[0]

    def delete(self, job_id: str, library: str) -> None:
        """Delete a portrayal with its pictures; their bytes go with the next garbage collection.

        A run that still works on it finds its row gone and stops.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.session() as session:
            _row(session, job_id, library)
            remove(session, [job_id])

    def lineage(self, job_id: str, library: str) -> Lineage:
        """Which pictures a portrayal was made from, and what was made from its own ones, over all generations.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.session() as session:
            _row(session, job_id, library)
            up, above, whole_above = _walk(session, job_id, library, up=True)
            down, below, whole_below = _walk(session, job_id, library, up=False)
            wanted = [job_id, *above, *below]
            rows = {r.id: r for r in session.scalars(sa.select(PortrayalRow).where(PortrayalRow.id.in_(wanted)))}
            jobs = {job.id: job for job in records.jobs(session, list(rows.values()))}
        links = tuple(dict.fromkeys((*up, *down)))
        ancestors, descendants = (tuple(jobs[i] for i in side if i in jobs) for side in (above, below))
        return Lineage(jobs[job_id], ancestors, descendants, links, whole_above and whole_below)

    def tags(self, library: str) -> dict[str, int]:
        """Every tag with the number of portrayals that have it, the most used first."""
        number = sa.func.count()
        statement = sa.select(TagRow.tag, number).where(TagRow.library == library).group_by(TagRow.tag)
        with self._database.session() as session:
            return dict(session.execute(statement.order_by(number.desc(), TagRow.tag)).all())

    def usage(self, library: str, *, days: int = 30, key_id: str | None = None) -> tuple[Use, ...]:
        """What was made per day, key and operation, the newest day first.

        Args:
            days: how far back, 1 to 366.
            key_id: only of this key.

        Raises:
            InvalidRequestError: `days` is out of range.
        """
        if not 1 <= days <= 366:
            raise InvalidRequestError("is not 1 to 366", field="days", remedy="Ask for fewer days.")
        first = datetime.combine(datetime.now(UTC).date() - timedelta(days=days - 1), datetime.min.time(), UTC)
        day = sa.cast(sa.func.floor(PortrayalRow.created_at / _DAY), sa.Integer).label("day")
        good = sa.case((PortrayalRow.state == "succeeded", PortrayalRow.num_images), else_=0)
        statement = sa.select(day, PortrayalRow.key_id, PortrayalRow.operation, sa.func.count(), sa.func.sum(good))
        statement = statement.where(
            PortrayalRow.library == library, PortrayalRow.id >= id_at(first.timestamp()), PortrayalRow.state.in_(FINAL)
        )
        if key_id is not None:
            statement = statement.where(PortrayalRow.key_id == key_id)
        statement = statement.group_by(day, PortrayalRow.key_id, PortrayalRow.operation)
        with self._database.session() as session:
            rows = session.execute(statement.order_by(day.desc(), PortrayalRow.key_id, PortrayalRow.operation)).all()
        epoch = date(1970, 1, 1)
        return tuple(Use(epoch + timedelta(days=d), key, what, jobs, int(made)) for d, key, what, jobs, made in rows)

    def queue(self, library: str) -> Queue:
        """The jobs that wait or are being made."""
        turn = (PortrayalRow.priority, PortrayalRow.round, PortrayalRow.id)
        waiting = sa.select(PortrayalRow.id, PortrayalRow.library, sa.func.row_number().over(order_by=turn).label("at"))
        ranked = waiting.where(PortrayalRow.state == "starting").subquery()
        with self._database.session() as session:
            places: dict[str, int] = dict(
                session.execute(sa.select(ranked.c.id, ranked.c.at).where(ranked.c.library == library)).all()
            )
            number = sa.select(PortrayalRow.state, sa.func.count()).where(PortrayalRow.state.not_in(FINAL))
            counts = dict(session.execute(number.group_by(PortrayalRow.state)).all())
            slots = session.scalar(sa.select(sa.func.coalesce(sa.func.sum(WorkerRow.slots), 0))) or 0
            active = sa.select(PortrayalRow).where(PortrayalRow.state.not_in(FINAL), PortrayalRow.library == library)
            jobs = records.jobs(session, list(session.scalars(active)))
        shown = [_waiting(job, places.get(job.id, 0)) for job in jobs]
        shown.sort(key=lambda entry: (entry.position, entry.id))
        return Queue(counts.get("starting", 0), counts.get("processing", 0), int(slots), tuple(shown))


def remove(session: Session, ids: Sequence[str]) -> None:
    """Delete portrayals and all that belongs to them."""
    if session.get_bind().dialect.name == "sqlite":
        texts = list(session.scalars(sa.select(SearchRow.words).where(SearchRow.portrayal_id.in_(ids))))
    else:
        texts = []
    pictures = sa.select(PictureRow.id).where(PictureRow.portrayal_id.in_(ids))
    session.execute(sa.delete(RunRow).where(RunRow.id.in_(ids)))
    session.execute(sa.delete(StoredFile).where(StoredFile.id.in_(pictures)))
    for table in (EventRow, DeliveryRow):
        session.execute(sa.delete(table).where(table.portrayal_id.in_(ids)))
    session.execute(sa.delete(PortrayalRow).where(PortrayalRow.id.in_(ids)))  # the others cascade
    for text in texts:
        search.forget(session, text)


def clean_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Tags as they are kept: NFC, single spaces, each once, in their order.

    Raises:
        InvalidRequestError: a tag is empty, too long or holds control characters, or there are too many.
    """
    found: dict[str, None] = {}
    for tag in tags:
        clean = " ".join(unicodedata.normalize("NFC", tag).split())
        if not 1 <= len(clean) <= _LONGEST_TAG or any(unicodedata.category(c) in ("Cc", "Cs") for c in clean):
            raise InvalidRequestError(
                f"a tag has 1 to {_LONGEST_TAG} visible characters", field="tags", remedy="Shorten it, or leave it out."
            )
        found[clean] = None
    if len(found) > MOST_TAGS:
        raise InvalidRequestError(f"there are more than {MOST_TAGS} tags", field="tags", remedy="Leave some out.")
    return tuple(found)


def _row(session: Session, job_id: str, library: str) -> PortrayalRow:
    row = session.get(PortrayalRow, job_id)
    if row is None or row.library != library:
        raise NotFoundError("there is no such portrayal", field="id", remedy="It may have been deleted.")
    return row


def _waiting(job: Job, position: int) -> Waiting:
    same = ("id", "state", "operation", "priority", "created_at", "started_at", "progress")
    return Waiting(num_images=job.order.num_images, position=position, **{name: getattr(job, name) for name in same})


def _walk(session: Session, job_id: str, library: str, *, up: bool) -> tuple[list[Link], list[str], bool]:
    """One side of a family, a generation at a time: links, ids (the nearest first), and whether that is all."""

    def end(link: Link) -> str:
        return link.parent if up else link.child

    links: list[Link] = []
    seen, generation = {job_id: None}, [job_id]
    while generation:
        here = SourceRow.portrayal_id if up else PictureRow.portrayal_id
        statement = (
            sa.select(PictureRow.portrayal_id, PictureRow.id, SourceRow.portrayal_id, SourceRow.role)
            .join(PictureRow, PictureRow.id == SourceRow.picture)
            .join(PortrayalRow, PortrayalRow.id == (PictureRow.portrayal_id if up else SourceRow.portrayal_id))
            .where(here.in_(generation), PortrayalRow.library == library)
            .order_by(SourceRow.portrayal_id, SourceRow.position)
        )
        rows: list[Any] = list(session.execute(statement))
        found = [Link(*row) for row in rows]
        fresh = [i for i in dict.fromkeys(map(end, found)) if i not in seen]
        generation = fresh[: _FAMILY + 1 - len(seen)]
        seen.update(dict.fromkeys(generation))
        links += [link for link in found if end(link) in seen]
        if len(fresh) > len(generation):
            return links, list(seen)[1:], False
    return links, list(seen)[1:], True


def cursor_at(job_id: str) -> str:
    """A cursor of the page behind a portrayal."""
    return _cursor("n", job_id)


def _cursor(direction: str, place: str) -> str:
    return base64.urlsafe_b64encode(f"{direction}{place}".encode()).decode().rstrip("=")


def _position(cursor: str | None) -> tuple[bool, str | None]:
    """Whether a cursor asks for newer ones, and from where."""
    if cursor is None:
        return False, None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeError, ValueError):
        text = ""
    if text[:1] not in ("n", "p") or not _ID.fullmatch(text[1:]):
        raise InvalidRequestError("is not one that we gave", field="cursor", remedy="Begin without a cursor.")
    return text[0] == "p", text[1:]
