"""The work on one job: read the order's pictures, make the portrayal, keep each picture as soon as it is finished."""

from __future__ import annotations

import functools
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import sqlalchemy as sa

from portrayal.errors import ImageReadError, ImageTooLargeError, ImageTooSmallError, MissingDataError, PortrayalError
from portrayal.request import Request
from portrayal.result import Picture, Portrayal
from portrayal.service import records
from portrayal.service.blobs import Blobs
from portrayal.service.database import Database
from portrayal.service.envelope import FINAL, ErrorType, Job, JobError, JobPicture, JobProgress
from portrayal.service.ids import new_id
from portrayal.service.jobs import CanceledError, LostError, Run
from portrayal.service.tables import PictureRow, PortrayalRow, StoredFile
from portrayal.settings import Settings

log = logging.getLogger("portrayal.work")
_PICTURE = re.compile(r"picture (\d+) of \d+: ")
_SAME = ("seed", "width", "height", "identity", "cast", "did", "mask_box", "warnings", "timings", "facts")
"""What a picture of a job has in common with one of the pipeline."""
_IMAGE = (ImageReadError, ImageTooLargeError, ImageTooSmallError)


class Maker(Protocol):
    """What makes the pictures: `portrayal.pipeline.portray`."""

    def __call__(
        self,
        request: Request,
        *,
        settings: Settings,
        progress: Callable[[str, float], None],
        finished: Mapping[int, Picture],
        done: Callable[[int, Picture], None],
        judge: Callable[[str], None],
    ) -> Portrayal:
        """Make all pictures of a request that are not finished yet; a prompt rewritten on the way is judged again."""


class Work:
    """Makes jobs.

    Args:
        judge: called with a request and a prompt that was written in place of its own; raises a `PolicyError` when that
            is refused.
        changed: called with a job, what happened to it, and whether anybody may want a message; after that is
            committed. Waiters, webhooks and counters hang on it.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        blobs: Blobs,
        maker: Maker,
        judge: Callable[[Request, str], None],
        changed: Callable[[str, str, bool], None],
    ) -> None:
        self._settings, self._database, self._blobs = settings, database, blobs
        self._maker, self._judge, self._changed = maker, judge, changed

    def __call__(self, run: Run) -> None:
        """Make the job of a run; every end of it is written here."""
        job = run.patiently(lambda: self._begin(run))
        if job is None:
            return
        begun = time.monotonic()
        waited = time.time() - job.created_at.timestamp()
        about = {"job": run.id, "operation": job.operation, "dialect": job.dialect}
        log.info("a job is made", extra={**about, "start": run.tries, "waited": round(waited, 3)})
        state, values = self._made(run, job)
        mine = run.patiently(lambda: self.end(run.id, state, owner=run.owner, **values))
        seconds = round(time.monotonic() - begun, 3)
        log.info("a job ended", extra={**about, "state": state if mine else "not ours", "seconds": seconds})

    def _made(self, run: Run, job: Job) -> tuple[str, dict[str, Any]]:
        """The job's final state, and what is written with it."""
        try:
            portrayal = self._make(run, job)
        except CanceledError:
            return "canceled", {}
        except PortrayalError as error:
            return "failed", {"error": _failure(error)}
        except LostError:
            raise
        except Exception as error:
            # The text of a foreign error may hold a prompt or a path: only its type is told.
            log.error("a job failed", extra={"job": run.id, "error": type(error).__name__}, exc_info=True)
            words = f"the engine failed ({type(error).__name__})"
            return "failed", {
                "error": JobError(type="internal", message=words, remedy="Try again; the server's log says more.")
            }
        result = portrayal.model_dump(mode="json", exclude={"pictures", "warnings", "prompt", "operation"})
        return "succeeded", {"warnings": (*portrayal.warnings, *job.order.unheeded()), "result": result}

    def end(self, job_id: str, state: str, **values: Any) -> bool:
        """End a job that has not ended; whether this call did it."""
        with self._database.session() as session:
            ended = records.finish(session, job_id, state, time.time(), **values)
        if ended:
            self._changed(job_id, state, True)
        return ended

    def _begin(self, run: Run) -> Job | None:
        """Mark the job as being made; None when it has ended already, or is not this run's any more."""
        now = time.time()
        with self._database.session() as session:
            if not records.own(session, run.id, run.owner):
                return None
            row = session.get(PortrayalRow, run.id)
            if row is None or row.state in FINAL:
                return None
            fresh = row.state == "starting"
            if fresh:
                row.state = "processing"
                row.started_at = now
            job = records.jobs(session, [row], brief=True)[0]
            if fresh:
                records.event(session, run.id, row.library, "processing", {}, now)
        self._changed(run.id, "processing", "_webhook" in job.wire)
        return job

    def _make(self, run: Run, job: Job) -> Portrayal:
        of = job.order.num_images
        state = {"picture": min(len(job.pictures) + 1, of)}

        def progress(stage: str, fraction: float) -> None:
            match = _PICTURE.match(stage)
            if match:
                state["picture"] = int(match[1])
                stage = stage[match.end() :]
            told = JobProgress(stage=stage, fraction=round(min(fraction, 1.0), 4), picture=state["picture"], of=of)
            run.progress(told)

        def done(position: int, picture: Picture) -> None:
            self._keep(run, job, position, picture)

        finished = {p.position: self._again(p) for p in job.pictures}
        request = job.order.request(self._blobs.get)
        return self._maker(
            request,
            settings=self._settings,
            progress=progress,
            finished=finished,
            done=done,
            judge=functools.partial(self._judge, request),
        )

    def _again(self, kept: JobPicture) -> Picture:
        """A picture that an earlier run finished."""
        values = {name: getattr(kept, name) for name in _SAME} | {"format": kept.media_type.removeprefix("image/")}
        return Picture(data=self._blobs.get(kept.sha256), **values)

    def _keep(self, run: Run, job: Job, position: int, picture: Picture) -> None:
        """Store a finished picture; an earlier run's picture of this place stays.

        Raises:
            LostError: the job is not this run's any more, or has ended.
        """
        now = time.time()
        digest = self._blobs.put(picture.data)
        mask = None if picture.mask is None else self._blobs.put(picture.mask)
        kept = JobPicture(
            id=new_id(),
            position=position,
            sha256=digest,
            media_type=f"image/{picture.format}",
            size=len(picture.data),
            mask=mask,
            **{name: getattr(picture, name) for name in _SAME},
        )
        run.patiently(lambda: self._noted(run, job, kept, now))
        self._changed(run.id, "picture", "_webhook" in job.wire)

    def _noted(self, run: Run, job: Job, kept: JobPicture, now: float) -> None:
        with self._database.session() as session:
            if not records.own(session, run.id, run.owner):
                raise LostError(run.id)
            if session.scalar(sa.select(PortrayalRow.state).where(PortrayalRow.id == run.id)) != "processing":
                raise LostError(run.id)  # canceled
            there = sa.select(PictureRow.id).where(
                PictureRow.portrayal_id == run.id, PictureRow.position == kept.position
            )
            if session.scalar(there) is not None:
                return
            data = kept.model_dump(mode="json")
            score = None if kept.identity is None else kept.identity.score
            session.add(_file(kept, job.library, now))
            session.add(
                PictureRow(
                    id=kept.id,
                    portrayal_id=run.id,
                    position=kept.position,
                    sha256=kept.sha256,
                    score=score,
                    data=data,
                )
            )
            session.flush()
            records.event(session, run.id, job.library, "picture", data, now)


def _file(kept: JobPicture, library: str, now: float) -> StoredFile:
    return StoredFile(
        id=kept.id,
        library=library,
        sha256=kept.sha256,
        media_type=kept.media_type,
        size=kept.size,
        width=kept.width,
        height=kept.height,
        purpose="result",
        notes=[],
        created_at=now,
    )


def _failure(error: PortrayalError) -> JobError:
    kind: ErrorType = "image" if isinstance(error, _IMAGE) else "invalid_request"
    if isinstance(error, MissingDataError) or error.exit_code == 3:
        kind = "engine"
    return JobError(type=kind, message=error.message, field=error.field, remedy=error.remedy)
