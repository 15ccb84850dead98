"""Durable jobs on DBOS Transact: one SQLite file for one process, PostgreSQL for many workers, the same code.

No type of DBOS leaves this module. What DBOS leaves open is done here: signs of life of the workers and recovery of
the dead ones' jobs, an own limit of starts against jobs that kill their worker, and fair turns between keys.

A job runs at least once, from its start or from what it kept; its result is recorded once, because only the owner of
the last start may write it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

from portrayal.errors import ConflictError
from portrayal.service.database import Database
from portrayal.service.hub import Hub
from portrayal.service.lockfile import LockFile
from portrayal.service.tables import PortrayalRow, RunRow, WorkerRow

log = logging.getLogger("portrayal.jobs")

QUEUE: Final = "portrayals"
VERSION: Final = "jobs-1"
"""Fixed: by default it is a digest of the code, and every edit would strand the waiting jobs."""
MAX_STARTS: Final = 5
ALONE_FROM: Final = 3
"""From this start on a job runs without neighbours, so that one that kills the process takes nobody along."""
_ENDED: Final = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_ROUNDS: Final = 100_000_000  # rounds per priority class; DBOS takes priorities up to 2^31 - 1


class CanceledError(Exception):
    """The job was canceled while it ran."""


class LostError(Exception):
    """Another worker owns the job now; this run must not write anything."""


class HandedBack(SystemExit):
    """The process stops; the job is made after the next start, or by another worker.

    DBOS leaves a workflow that ends with a SystemExit to whoever recovers it.
    """


class PlainJSON:
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


class Run:
    """One run of a job, in the hands of its handler."""

    def __init__(self, jobs: Jobs, job_id: str) -> None:
        self.id, self.jobs = job_id, jobs
        self._last = 0.0

    @property
    def owner(self) -> str:
        """The worker that runs it."""
        return self.jobs.me

    def progress(self, value: dict[str, Any], *, force: bool = False) -> None:
        """Tell how far it is, at most four times a second; also the place where a run ends early.

        Raises:
            CanceledError, LostError, HandedBack: stop at once, write nothing.
        """
        if self.jobs.expired:
            raise HandedBack
        if self.id in self.jobs.canceled_here:
            raise CanceledError(self.id)
        now = time.monotonic()
        if not force and now - self._last < 0.25:
            return
        self._last = now
        statement = (
            sa.update(RunRow)
            .where(RunRow.id == self.id, RunRow.owner == self.owner)
            .values(progress=json.dumps(value))
            .returning(RunRow.cancel)
        )
        try:
            with self.jobs.database.session() as session:
                row = session.execute(statement).first()
        except sa.exc.DBAPIError:
            return  # the database is away: go on, the result is written when it is back
        if row is None:
            raise LostError(self.id)
        if row[0]:
            raise CanceledError(self.id)
        self.jobs.hub.ring(self.id)


Handler = Callable[[Run], None]
_running: Jobs | None = None  # DBOS is one per process, so are we


@DBOS.workflow(name="portray")
def _workflow(job_id: str) -> None:
    assert _running is not None
    _running.execute(job_id)


class Jobs:
    """Submit, cancel, run and recover jobs.

    Args:
        database: of the library; its `portrayals` row is the job.
        handler: makes a job; it writes the result itself, with `Run.owner` as its fence.
        abandoned: called with a job that was started too often, and with one whose end got lost.
        hub: is rung whenever something happened to a job.
        slots: jobs at the same time in this process.
        work: False for a process that only takes orders.
        ttl: seconds without a sign of life after which a worker is dead.
    """

    def __init__(
        self,
        database: Database,
        handler: Handler,
        abandoned: Callable[[str, str], None],
        hub: Hub,
        *,
        slots: int,
        work: bool = True,
        ttl: float = 10.0,
    ) -> None:
        self.database, self.hub, self.slots, self.work, self.ttl = database, hub, slots, work, ttl
        self.me = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.canceled_here: set[str] = set()
        self.expired = False
        self._handler, self._abandoned = handler, abandoned
        self._room = threading.Condition()
        self._used = 0
        self._reserved: set[str] = set()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock: LockFile | None = None

    # Life.

    def start(self) -> None:
        """Begin to work, and take over what dead workers left.

        Raises:
            ConflictError: another process owns the SQLite file.
        """
        global _running
        if _running is not None:
            raise ConflictError("jobs run in this process already", remedy="Stop the other service first.")
        if self.database.sqlite:
            self._lock = LockFile(sa.make_url(self.database.jobs_url).database or "")
            self._lock.take()
            with contextlib.closing(sa.create_engine(self.database.jobs_url).raw_connection()) as connection:
                connection.cursor().execute("PRAGMA journal_mode=WAL")  # stays in the file
        _running = self
        logging.getLogger("dbos").setLevel(logging.CRITICAL)  # it logs a traceback for every canceled job
        DBOS(
            config={
                "name": "portrayal",
                "system_database_url": self.database.jobs_url,
                "application_version": VERSION,
                "executor_id": self.me,
                "serializer": PlainJSON(),
                "max_executor_threads": max(64, 4 * self.slots),
                "sys_db_pool_size": 10,
                "log_level": "CRITICAL",
            }
        )
        if not self.work:
            DBOS.listen_queues([])
        self._beat()
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=self.slots,
            polling_interval_sec=0.05 if self.database.sqlite else 0.2,
            on_conflict="always_update" if self.work else "never_update",
        )
        if self.work:
            self._reap()
        for target in (self._housekeep, self._watch):
            thread = threading.Thread(target=target, name=f"jobs{target.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, grace: float) -> None:
        """Let running jobs end, for `grace` seconds; hand the others back."""
        global _running
        deadline = time.monotonic() + grace
        self._stop.set()
        with self._room:
            self._room.notify_all()
            self._room.wait_for(lambda: self._used == 0, max(0.0, deadline - time.monotonic()))
        self.expired = True
        with self._room:
            self._room.wait_for(lambda: self._used == 0, 10.0)
        for thread in self._threads:
            thread.join(5)
        DBOS.destroy(workflow_completion_timeout_sec=2)
        with contextlib.suppress(sa.exc.DBAPIError), self.database.session() as session:
            session.execute(sa.delete(WorkerRow).where(WorkerRow.id == self.me))
        if self._lock is not None:
            self._lock.free()
        _running = None

    # Orders.

    def turn(self, session: Any, key_id: str, priority: int) -> int:
        """The round of a key's next job: one more than its last waiting one, so that keys take turns.

        That is start-time fair queueing (Goyal, Vin and Cheng 1996) with jobs of equal length.
        """
        waiting = sa.select(sa.func.max(PortrayalRow.round)).where(
            PortrayalRow.state == "starting", PortrayalRow.priority == priority
        )
        mine = session.scalar(waiting.where(PortrayalRow.key_id == key_id)) or 0
        served = session.scalar(
            sa.select(sa.func.min(PortrayalRow.round)).where(
                PortrayalRow.state == "starting", PortrayalRow.priority == priority
            )
        )
        return int(max(mine + 1, served or 1))

    def submit(self, job_id: str, priority: int, round_: int) -> None:
        """Start a job whose row is written: at once if there is room and nobody waits, else in its turn."""
        with SetWorkflowID(job_id):
            if self._reserve(job_id):
                DBOS.start_workflow(_workflow, job_id)
                return
            with SetEnqueueOptions(priority=priority * _ROUNDS + min(round_, _ROUNDS - 1)):
                DBOS.enqueue_workflow(QUEUE, _workflow, job_id)

    def cancel(self, job_id: str) -> None:
        """Stop a job: a waiting one at once, a running one at its next stage."""
        with self.database.session() as session:
            session.execute(sa.update(RunRow).where(RunRow.id == job_id).values(cancel=1))
            owner = session.scalar(sa.select(RunRow.owner).where(RunRow.id == job_id))
        if owner == self.me:
            self.canceled_here.add(job_id)
        DBOS.cancel_workflow(job_id)

    # Running.

    def execute(self, job_id: str) -> None:
        """Run a job in a slot; called by the workflow."""
        try:
            alone = self._tries(job_id) + 1 >= ALONE_FROM
            with self._slot(job_id, self.slots if alone else 1):
                tries = self._own(job_id)
                if tries > MAX_STARTS:
                    self._abandoned(job_id, f"{tries - 1} starts ended with the process")
                    return
                with contextlib.suppress(LostError):
                    self._handler(Run(self, job_id))
        finally:
            self.canceled_here.discard(job_id)
            self.hub.ring(job_id)

    def _tries(self, job_id: str) -> int:
        return int(self._patiently(sa.select(RunRow.tries).where(RunRow.id == job_id)) or 0)

    def _own(self, job_id: str) -> int:
        return int(
            self._patiently(
                sa.update(RunRow)
                .where(RunRow.id == job_id)
                .values(owner=self.me, tries=RunRow.tries + 1)
                .returning(RunRow.tries)
            )
            or 0
        )

    def _patiently(self, statement: Any) -> Any:
        """One value; raising would end the job, so a database that is away is waited for."""
        while True:
            try:
                with self.database.session() as session:
                    return session.scalar(statement)
            except sa.exc.DBAPIError:
                if self._stop.wait(1.0):
                    raise HandedBack from None

    def _reserve(self, job_id: str) -> bool:
        """Take a slot for a job that starts at once."""
        if not self.work or self._stop.is_set():
            return False
        waiting = sa.select(PortrayalRow.id).where(PortrayalRow.state == "starting", PortrayalRow.id != job_id).limit(1)
        with self.database.session() as session:
            if session.scalar(waiting) is not None:
                return False
        with self._room:
            if self._used >= self.slots:
                return False
            self._used += 1
            self._reserved.add(job_id)
            return True

    @contextmanager
    def _slot(self, job_id: str, weight: int) -> Iterator[None]:
        with self._room:
            if job_id in self._reserved:
                self._reserved.discard(job_id)
                weight = 1
            else:
                self._room.wait_for(lambda: self._stop.is_set() or self._used + weight <= self.slots)
                if self._stop.is_set():
                    raise HandedBack
                self._used += weight
        try:
            yield
        finally:
            with self._room:
                self._used -= weight
                self._room.notify_all()

    # Signs of life, and recovery.

    def _beat(self) -> None:
        now = self.database.now
        with self.database.session() as session:
            done = session.execute(sa.update(WorkerRow).where(WorkerRow.id == self.me).values(seen=now))
            if not done.rowcount:  # type: ignore[attr-defined]
                session.execute(sa.insert(WorkerRow).values(id=self.me, seen=now, slots=self.slots if self.work else 0))

    def _reap(self) -> None:
        """Take over the jobs of workers that died. It repeats for ever, so an interrupted recovery heals."""
        with self.database.session() as session:
            if not self.database.sqlite and not session.scalar(sa.text("SELECT pg_try_advisory_xact_lock(7254002)")):
                return
            # SQLite: the lock file says that nobody else lives.
            stale = sa.delete(WorkerRow).where(WorkerRow.id != self.me)
            if not self.database.sqlite:
                stale = stale.where(sa.text(f"seen < {self.database.now.text} - {float(self.ttl)}"))
            session.execute(stale)
            living = set(session.scalars(sa.select(WorkerRow.id))) | {self.me}
            if self.database.sqlite:
                session.commit()  # DBOS writes now
            running = DBOS.list_workflows(status="PENDING", app_version=VERSION, load_input=False, load_output=False)
            lost = [w for w in running if w.executor_id not in living]
            direct = [w.workflow_id for w in lost if w.queue_name is None]
            if direct:
                DBOS.resume_workflows(direct, queue_name=QUEUE)
            dead = sorted({w.executor_id for w in lost if w.queue_name is not None and w.executor_id})
            if dead:
                log.warning("taking over jobs of dead workers", extra={"workers": len(dead), "jobs": len(lost)})
                DBOS._recover_pending_workflows(dead)

    def _housekeep(self) -> None:
        calm = 0.0
        while not self._stop.wait(self.ttl / 5):
            try:
                self._beat()
                if self.work and time.monotonic() > calm:
                    self._reap()
            except Exception:
                # After an outage of the database everybody looks dead: let all beat again first.
                calm = time.monotonic() + self.ttl
                log.warning("housekeeping failed", exc_info=True)

    def _watch(self) -> None:
        """Ring for jobs that other processes work on: one query for all that are awaited here."""
        while not self._stop.wait(0.1):
            awaited = self.hub.awaited() if not (self.database.sqlite and self.work) else ()
            if not awaited:
                continue
            with contextlib.suppress(sa.exc.DBAPIError):
                with self.database.session() as session:
                    changed = set(
                        session.scalars(
                            sa.select(PortrayalRow.id).where(
                                PortrayalRow.id.in_(awaited), PortrayalRow.state.not_in(("starting",))
                            )
                        )
                    )
                for job_id in changed:
                    self.hub.ring(job_id)
