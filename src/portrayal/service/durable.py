"""The durable workflows under the jobs: DBOS Transact, on SQLite or PostgreSQL, behind a few plain calls.

No type of DBOS leaves this module. Its queue is used, its polling thread is not: that one asks the database twenty
times a second, starts a job up to 50 ms late, and counts slots that are not its own. The claim itself is DBOS's, with
its fencing: a run that lost its claim cannot record a result. Four private names are used for that (`_claim`, `run`,
`recover`, `active`), so dbos is pinned to a minor version and the crash tests come before the next one.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import sys
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from dbos import DBOS, Serializer, SetEnqueueOptions, SetWorkflowID
from dbos._core import execute_dequeued_workflow

from portrayal.errors import ConflictError
from portrayal.service.database import Database

VERSION: Final = "jobs-1"
"""Fixed: by default it is a digest of the code, and every edit would strand the waiting jobs."""
QUEUE: Final = "portrayals"
_NAME: Final = "portray"
_ENDED: Final = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_SQLITE: Final = (3, 42)

_execute: Callable[[str], None] | None = None  # DBOS is one per process, so are we


class HandedBack(SystemExit):
    """The process stops; the job is made after the next start, or by another worker.

    DBOS records nothing of a workflow that ends with a SystemExit, and leaves it to whoever recovers it.
    """


class PlainJSON(Serializer):
    """DBOS's default is pickle, which runs whatever somebody wrote into the database."""

    def serialize(self, data: Any) -> str:
        """To text."""
        return json.dumps(data, default=str)

    def deserialize(self, serialized_data: str) -> Any:
        """From text."""
        return json.loads(serialized_data)

    def name(self) -> str:
        """Of this form, kept in the rows."""
        return "portrayal_json_1"


@DBOS.workflow(name=_NAME)
def _workflow(job_id: str) -> None:
    if _execute is None:
        raise HandedBack
    _execute(job_id)


@dataclass(frozen=True)
class Claim:
    """A job that is ours to run now."""

    job_id: str
    token: str
    status: Any


class Durable:
    """The workflows of one process.

    Args:
        me: name of this process; new at each start.
        execute: runs a job, in a thread of DBOS's.
        threads: of them, at most.
    """

    def __init__(self, database: Database, me: str, execute: Callable[[str], None], *, threads: int) -> None:
        self._database, self._me, self._threads = database, me, threads
        self._run = execute
        self._dbos: Any = None
        self._queue: Any = None

    def start(self, *, work: bool) -> None:
        """Connect; with `work` the queue of the webhooks is served too.

        Raises:
            ConflictError: jobs run in this process already, or its SQLite is too old.
        """
        global _execute
        if _execute is not None:
            raise ConflictError("jobs run in this process already", remedy="Stop the other service first.")
        check_sqlite(self._database.sqlite)
        if self._database.sqlite:
            with contextlib.closing(sa.create_engine(self._database.jobs_url).raw_connection()) as connection:
                connection.cursor().execute("PRAGMA journal_mode=WAL")  # stays in the file
        _execute = self._run
        logging.getLogger("dbos").setLevel(logging.CRITICAL)  # it logs a traceback for every canceled job
        self._dbos = DBOS(
            config={
                "name": "portrayal",
                "system_database_url": self._database.jobs_url,
                "application_version": VERSION,
                "executor_id": self._me,
                "serializer": PlainJSON(),
                "max_executor_threads": self._threads,
                "sys_db_pool_size": 10,
                "log_level": "CRITICAL",
                **({"db_engine_kwargs": {"connect_args": {"factory": _Relaxed}}} if self._database.sqlite else {}),
            }
        )
        DBOS.listen_queues(["webhooks"] if work else [])
        DBOS.launch()
        # One at a time: each claim is for one free slot. How many slots there are is every worker's own affair.
        self._queue = DBOS.register_queue(QUEUE, worker_concurrency=1, on_conflict="always_update")

    def stop(self, timeout: float) -> None:
        """Disconnect, after at most `timeout` seconds in which runs may record their ends."""
        global _execute
        _execute = None
        end = time.monotonic() + timeout
        while self._dbos is not None and self._dbos._active_workflows_set.activeList() and time.monotonic() < end:
            time.sleep(0.01)
        DBOS.destroy()
        self._dbos = None

    def enqueue(self, job_id: str, priority: int) -> None:
        """Put a job into the queue, lowest priority first; doing it again does nothing."""
        with SetWorkflowID(job_id), SetEnqueueOptions(priority=priority):
            DBOS.enqueue_workflow(QUEUE, _workflow, job_id)

    def claim(self) -> Claim | None:
        """Take the next job from the queue; no other process can take it then."""
        token = uuid.uuid4().hex
        database = self._dbos._sys_db
        ids, _ = database.start_queued_workflows(
            self._queue, self._me, VERSION, None, 0, owner_xid=token, is_latest_version=True
        )
        if not ids:
            return None
        return Claim(ids[0], token, database.get_workflow_status(ids[0]))

    def run(self, claim: Claim) -> None:
        """Run a claimed job in a thread."""
        execute_dequeued_workflow(self._dbos, claim.status, claim.token)

    def cancel(self, job_id: str) -> None:
        """Take a job out of the queue, so that nobody runs or recovers it."""
        DBOS.cancel_workflow(job_id)

    def pending(self) -> Mapping[str, str]:
        """The claimed jobs that have not ended: job -> process."""
        return {w.workflow_id: w.executor_id or "" for w in self._pending() if w.name == _NAME}

    def recover(self, living: Collection[str]) -> int:
        """Put the workflows of processes that do not live into the queue again; their number."""
        lost = [w for w in self._pending() if w.executor_id not in living]
        dead = sorted({w.executor_id for w in lost if w.executor_id})
        if dead:
            DBOS._recover_pending_workflows(dead)
        return len(lost)

    def back(self, job_ids: Sequence[str]) -> None:
        """Put claimed jobs into the queue again, where they stood."""
        if job_ids:
            DBOS.resume_workflows(list(job_ids), queue_name=QUEUE)

    def states(self, job_ids: Sequence[str]) -> Mapping[str, bool]:
        """The jobs that are known here, and whether their workflow has ended."""
        found = DBOS.list_workflows(workflow_ids=list(job_ids), load_input=False, load_output=False)
        return {w.workflow_id: w.status in _ENDED for w in found}

    def purge(self, before: float, going_on: Callable[[], bool], batch: int = 500) -> int:
        """Forget the workflows that ended before a time (seconds since 1970); their number."""
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(before))
        number = 0
        while going_on():
            ended = DBOS.list_workflows(
                status=list(_ENDED), completed_before=text, limit=batch, load_input=False, load_output=False
            )
            if not ended:
                break
            DBOS.delete_workflows([w.workflow_id for w in ended])
            number += len(ended)
        return number

    def _pending(self) -> list[Any]:
        return DBOS.list_workflows(status="PENDING", app_version=VERSION, load_input=False, load_output=False)


class _Relaxed(sqlite3.Connection):
    """In WAL nothing that was written is lost when the process is killed, so the disk is not synced at each step, which
    would cost milliseconds. A power cut may cost the last moment; the library's rows are queued again then.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.execute("PRAGMA synchronous=NORMAL")


def check_sqlite(used: bool, python: tuple[int, ...] = sys.version_info[:2], has: str = sqlite3.sqlite_version) -> None:
    """Refuse a pair of Python and SQLite on which DBOS cannot start: its clock is NULL there.

    Raises:
        ConflictError: SQLite is used, and is older than 3.42 under Python 3.12 or later.
    """
    if used and python >= (3, 12) and tuple(int(part) for part in has.split(".")[:2]) < _SQLITE:
        raise ConflictError(
            f"Python {python[0]}.{python[1]} is linked with SQLite {has}; jobs need 3.42 or later",
            remedy="Use a Python with its own SQLite (python.org, uv, conda), or set PORTRAYAL_DATABASE_URL.",
        )
