"""Rows of the library as `Job` values, and the few statements that change a job's state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portrayal.service import search
from portrayal.service.envelope import FINAL, Job, JobError, JobPicture, JobProgress, Source
from portrayal.service.orders import Order
from portrayal.service.tables import EventRow, PictureRow, PortrayalRow, RunRow, SourceRow, TagRow


def jobs(session: Session, rows: Sequence[PortrayalRow], *, brief: bool = False) -> list[Job]:
    """The jobs of rows, in their order; four queries for all of them.

    Args:
        brief: without sources, tags and progress, as a worker needs them.
    """
    ids = [row.id for row in rows]
    if not ids:
        return []
    pictures: dict[str, list[JobPicture]] = defaultdict(list)
    begun = [row.id for row in rows if row.started_at is not None]  # the others have neither pictures nor progress
    made = (
        sa.select(PictureRow.portrayal_id, PictureRow.data)
        .where(PictureRow.portrayal_id.in_(begun))
        .order_by(PictureRow.position)
    )
    for job_id, data in session.execute(made) if begun else ():
        pictures[job_id].append(JobPicture.model_validate(data))
    sources: dict[str, list[Source]] = defaultdict(list)
    tags: dict[str, list[str]] = defaultdict(list)
    if not brief:
        columns = (SourceRow.portrayal_id, SourceRow.role, SourceRow.sha256, SourceRow.picture, SourceRow.character)
        given = sa.select(*columns).where(SourceRow.portrayal_id.in_(ids)).order_by(SourceRow.position)
        for job_id, role, sha256, picture, character in session.execute(given):
            values = {"role": role, "sha256": sha256, "picture": picture, "character": character}
            sources[job_id].append(Source.model_validate(values))
        tagged = sa.select(TagRow.portrayal_id, TagRow.tag).where(TagRow.portrayal_id.in_(ids)).order_by(TagRow.tag)
        for job_id, tag in session.execute(tagged):
            tags[job_id].append(tag)
    running = [] if brief else [row.id for row in rows if row.state != "succeeded" and row.started_at is not None]
    told = sa.select(RunRow.id, RunRow.progress).where(RunRow.id.in_(running))
    progress: dict[str, str] = dict(session.execute(told).all()) if running else {}
    return [
        Job(
            id=row.id,
            library=row.library,
            key_id=row.key_id,
            dialect=row.dialect,
            operation=row.operation,  # type: ignore[arg-type]
            state=row.state,  # type: ignore[arg-type]
            order=Order.model_validate(row.order),
            wire=row.wire,
            created_at=_time(row.created_at),
            started_at=None if row.started_at is None else _time(row.started_at),
            completed_at=None if row.completed_at is None else _time(row.completed_at),
            priority=row.priority,
            progress=_progress(progress.get(row.id, ""), row),
            pictures=tuple(pictures[row.id]),
            sources=tuple(sources[row.id]),
            warnings=tuple(row.warnings),
            error=None if row.error is None else JobError.model_validate(row.error),
            result=row.result,
            starred=row.starred,
            tags=tuple(tags[row.id]),
        )
        for row in rows
    ]


def _progress(text: str, row: PortrayalRow) -> JobProgress:
    if row.state == "succeeded":
        return JobProgress(stage="done", fraction=1.0, picture=row.num_images, of=row.num_images)
    return JobProgress.model_validate_json(text) if text else JobProgress(of=row.num_images)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def event(session: Session, job_id: str, library: str, kind: str, data: dict[str, Any], now: float) -> None:
    """Note what happened, for those who listen. Call it last in a transaction.

    Numbers are given in the order of the commits: a reader that has seen one will never find a lower one later.
    SQLite has one writer at a time; on PostgreSQL a lock is held from here to the commit, which must thus be near.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SELECT pg_advisory_xact_lock(7254003)"))
    session.add(EventRow(portrayal_id=job_id, library=library, type=kind, data=data, created_at=now))


def own(session: Session, job_id: str, owner: str) -> bool:
    """Whether a run still owns its job; if so, nobody else takes, ends or cancels it before this transaction ends.

    Writing the row is what locks it, on SQLite (the whole file) and on PostgreSQL. All that change a job lock this row
    first, so they come one after the other and never wait for each other in a circle.
    """
    mine = sa.update(RunRow).where(RunRow.id == job_id, RunRow.owner == owner).values(owner=owner)
    return bool(session.execute(mine).rowcount)  # type: ignore[attr-defined]


def finish(
    session: Session,
    job_id: str,
    state: str,
    now: float,
    *,
    owner: str | None = None,
    error: JobError | None = None,
    warnings: Sequence[str] = (),
    result: dict[str, Any] | None = None,
) -> bool:
    """End a job that is not final yet; whether this call did it.

    Args:
        owner: only if this run owns the job.
    """
    if owner is not None and not own(session, job_id, owner):
        return False
    if owner is None:
        cancel = 1 if state == "canceled" else RunRow.cancel
        session.execute(sa.update(RunRow).where(RunRow.id == job_id).values(cancel=cancel))
    values: dict[str, Any] = {"state": state, "completed_at": now}
    if error is not None:
        values["error"] = error.model_dump()
    if warnings:
        values["warnings"] = list(warnings)
    if result is not None:
        values["result"] = result
    unfinished = sa.update(PortrayalRow).where(PortrayalRow.id == job_id, PortrayalRow.state.not_in(FINAL))
    library = session.scalar(unfinished.values(values).returning(PortrayalRow.library))
    if library is None:
        return False
    search.write(session, job_id)
    event(session, job_id, library, state, {} if error is None else {"error": error.model_dump()}, now)
    return True
