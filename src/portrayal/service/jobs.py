"""Durable jobs: in their turn, in free slots, on one machine or many, and again when a worker dies.

What DBOS (`durable.py`) leaves open is done here: fair turns between keys, signs of life of the workers and recovery of
the dead ones' jobs, an own limit of starts against jobs that kill their worker, retention.

A job runs at least once, from its start or from what it kept; its result is recorded once, because only the owner of
its last start may write. There are two books, the row of the library and the workflow of DBOS, in two transactions:
the row is written first and is what counts, `_reconcile` brings the other one after it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from portrayal.service.database import Database
from portrayal.service.durable import Durable, HandedBack
from portrayal.service.envelope import FINAL, JobProgress
from portrayal.service.hub import Hub
from portrayal.service.lockfile import LockFile
from portrayal.service.tables import EventRow, PortrayalRow, RunRow, WorkerRow

__all__ = ["CanceledError", "HandedBack", "Jobs", "LostError", "Run"]

log = logging.getLogger("portrayal.jobs")

MAX_STARTS: Final = 5
ALONE_FROM: Final = 3
"""From this start on a job runs without neighbours, so that one that kills the process takes nobody along."""
KEEP_WORKFLOWS: Final = 86_400.0
"""Seconds that the workflows and progress of ended jobs are kept. The library keeps the jobs themselves."""
KEEP_EVENTS: Final = 7 * 86_400.0
"""Seconds that events are kept for readers who come back."""
_ROUNDS: Final = 100_000_000  # rounds per priority class; DBOS takes priorities up to 2^31 - 1
_BATCH: Final = 500
_OUTAGE: Final = (sa.exc.OperationalError, sa.exc.InterfaceError)
T = TypeVar("T")


class CanceledError(Exception):
    """The job was canceled while it ran."""


class LostError(Exception):
    """Another run owns the job now, or it has ended; this run must not write anything."""


class Run:
    """One run of a job, in the hands of its handler.

    Attributes:
        owner: the run's own name, by which it proves that the job is still its own. A worker's name would not do: a
            worker that was thought dead may get its own lost job again.
        tries: how often the job was started, this one included.
    """

    def __init__(self, jobs: Jobs, job_id: str) -> None:
        self.id, self._jobs, self.tries = job_id, jobs, 0
        self.owner = f"{jobs.me}/{uuid.uuid4().hex[:8]}"
        self._last = 0.0

    def progress(self, value: JobProgress) -> None:
        """Tell how far it is, at most four times a second; also the place where a run ends early.

        Raises:
            CanceledError, LostError, HandedBack: stop at once, write nothing.
        """
        if self._jobs.expired:
            raise HandedBack
        if self.id in self._jobs.canceled_here:
            raise CanceledError(self.id)
        now = time.monotonic()
        if now - self._last < 0.25:
            return
        self._last = now
        statement = (
            sa.update(RunRow)
            .where(RunRow.id == self.id, RunRow.owner == self.owner)
            .values(progress=value.model_dump_json())
            .returning(RunRow.cancel)
        )
        try:
            with self._jobs.database.session() as session:
                row = session.execute(statement).first()
        except sa.exc.DBAPIError:
            return  # the database is away: go on, the result is written when it is back
        if row is None:
            raise LostError(self.id)
        if row[0]:
            raise CanceledError(self.id)
        self._jobs.hub.ring(self.id)

    def patiently(self, call: Callable[[], T]) -> T:
        """The call's value; while the database is away it is tried again, because raising would end the job.

        Raises:
            HandedBack: the process stops meanwhile.
        """
        while True:
            try:
                return call()
            except _OUTAGE as error:
                log.warning("the database is away", extra={"job": self.id, "error": type(error).__name__})
                if self._jobs.stopping.wait(1.0):
                    raise HandedBack from None


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
        handler: Callable[[Run], None],
        abandoned: Callable[[str, str], None],
        hub: Hub,
        *,
        slots: int,
        work: bool = True,
        ttl: float = 10.0,
    ) -> None:
        self.database, self.hub, self.slots, self.work, self.ttl = database, hub, slots, work, ttl
        self.me = f"{socket.gethostname()[:60]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.canceled_here: set[str] = set()
        self.stopping = threading.Event()
        self.expired = False
        self._handler, self._abandoned = handler, abandoned
        self._durable = Durable(database, self.me, self._execute, threads=max(64, 4 * slots))
        self._room = threading.Condition()
        self._used = 0
        self._claimed: dict[str, tuple[str, int]] = {}  # job -> token of its claim, slots that it takes
        self._back: list[str] = []
        self._strays: set[str] = set()
        self._wake = threading.Event()
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock: LockFile | None = None

    # Life.

    def start(self) -> None:
        """Begin to work, and take over what dead workers left.

        Raises:
            ConflictError: another process owns the SQLite file, or jobs run in this process already.
        """
        if self.database.sqlite:
            self._lock = LockFile(sa.make_url(self.database.jobs_url).database or "")
            self._lock.take()
        try:
            self._beat()  # be alive before the first claim
            self._durable.start(work=self.work)
            if self.work:
                self._reap()
                self._reconcile(0.0 if self.database.sqlite else self.ttl)
        except BaseException:
            self._free()
            raise
        for target in (self._dispatch, self._housekeep, self._watch):
            thread = threading.Thread(target=target, name=f"jobs{target.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def hush(self) -> None:
        """Start no further job here; those that run go on. The first half of `stop`."""
        self.stopping.set()
        self._wake.set()
        with self._room:
            self._room.notify_all()

    def stop(self, grace: float) -> None:
        """Let running jobs end, for `grace` seconds; hand the others back."""
        self.hush()
        if not self._threads:
            return  # it has not started
        with self._room:
            self._room.wait_for(lambda: self._used == 0, grace)
        self.expired = True
        with self._room:
            self._room.wait_for(lambda: self._used == 0, 10.0)
            back = [*self._back, *self._claimed]
        with contextlib.suppress(Exception):  # what is not handed back now is recovered later
            self._durable.back(back)
        if back:
            log.info("jobs were handed back", extra={"jobs": len(back)})
        self._over.set()
        for thread in self._threads:
            thread.join(5)
        self._free()

    def _free(self) -> None:
        self._durable.stop(timeout=2.0)
        with contextlib.suppress(sa.exc.DBAPIError), self.database.session() as session:
            session.execute(sa.delete(WorkerRow).where(WorkerRow.id == self.me))
        if self._lock is not None:
            self._lock.free()

    # Orders.

    def turn(self, session: Any, key_id: str, priority: int) -> int:
        """The round of a key's next job: the one after its last unfinished job's, or the one that is being served.

        That is start-time fair queueing (Goyal, Vin and Cheng 1996) with jobs of equal length.
        """

        def rounds(function: Any, *states: str) -> Any:
            return sa.select(function(PortrayalRow.round)).where(
                PortrayalRow.state.in_(states), PortrayalRow.priority == priority
            )

        mine = rounds(sa.func.max, "starting", "processing").where(PortrayalRow.key_id == key_id)
        served = rounds(sa.func.max, "processing"), rounds(sa.func.min, "starting")
        row = session.execute(sa.select(*(query.scalar_subquery() for query in (mine, *served)))).one()
        return int(max((row[0] or 0) + 1, row[1] or row[2] or 1))

    def submit(self, job_id: str, priority: int, round_: int) -> None:
        """Queue a job whose row is written; doing it again does nothing."""
        self._durable.enqueue(job_id, priority * _ROUNDS + min(round_, _ROUNDS - 1))
        self._wake.set()
        self.hub.ring(job_id)

    def cancel(self, job_id: str) -> None:
        """Take a job whose row is canceled out of the queue; a running one notices at its next stage."""
        with self._room:
            if job_id in self._claimed:
                self.canceled_here.add(job_id)
        self._durable.cancel(job_id)

    # Running.

    def _dispatch(self) -> None:
        """Claim the next job whenever there is a free slot."""
        # SQLite has one process, which rings for each job of its own; there the pause only heals.
        pause = 1.0 if self.database.sqlite else 0.2
        while self.work and not self.stopping.is_set():
            self._wake.clear()
            try:
                while self._next():
                    pass
            except Exception as error:
                log.warning("no job could be taken", extra={"error": type(error).__name__})
                self.stopping.wait(1.0)
            self._wake.wait(pause)

    def _next(self) -> bool:
        """Start the next job; False when there is none, or no room."""
        with self._room:
            if self.stopping.is_set() or self._used >= self.slots:
                return False
            self._used += 1
        weight, running = 1, False
        try:
            claim = self._durable.claim()
            if claim is None:
                return False
            with self.database.session() as session:
                tries = session.scalar(sa.select(RunRow.tries).where(RunRow.id == claim.job_id)) or 0
            with self._room:
                if tries + 1 >= ALONE_FROM:
                    self._room.wait_for(lambda: self.stopping.is_set() or self._used == 1)
                    if self._used == 1:
                        weight = self._used = self.slots
                if self.stopping.is_set():
                    self._back.append(claim.job_id)
                    return False
                self._claimed[claim.job_id] = (claim.token, weight)
            try:
                self._durable.run(claim)
                running = True
            finally:
                if not running:  # `_collect` finds it
                    self._claimed.pop(claim.job_id)
            return True
        finally:
            if not running:
                self._leave(weight)  # wakes nobody here: that would be to ask again, without end

    def _leave(self, weight: int) -> None:
        with self._room:
            self._used -= weight
            self._room.notify_all()

    def _execute(self, job_id: str) -> None:
        """Run a claimed job; called in a thread of DBOS's."""
        with self._room:
            claim = self._claimed.get(job_id)
        if claim is None:
            raise HandedBack  # somebody else's doing, e.g. a tool of DBOS's; housekeeping puts it into the queue
        run = Run(self, job_id)
        try:
            run.tries = run.patiently(lambda: self._own(run))
            if run.tries > MAX_STARTS:
                self._abandoned(job_id, f"{run.tries - 1} starts of it ended with the process")
                return
            with contextlib.suppress(LostError):
                self._handler(run)
        except HandedBack:
            with contextlib.suppress(sa.exc.DBAPIError):
                self._disown(run)
            with self._room:
                self._back.append(job_id)
            raise
        finally:
            with self._room:
                self.canceled_here.discard(job_id)
                if self._claimed.get(job_id) == claim:
                    del self._claimed[job_id]
            self._leave(claim[1])
            self._wake.set()
            self.hub.ring(job_id, ended=True)

    def _own(self, run: Run) -> int:
        """Make a run the owner of its job; how often the job was started."""
        statement = (
            sa.update(RunRow)
            .where(RunRow.id == run.id)
            .values(owner=run.owner, tries=RunRow.tries + 1)
            .returning(RunRow.tries)
        )
        with self.database.session() as session:
            return int(session.scalar(statement) or 0)

    def _disown(self, run: Run) -> None:
        """A run that is handed back in order was no bad start."""
        statement = sa.update(RunRow).where(RunRow.id == run.id, RunRow.owner == run.owner)
        with self.database.session() as session:
            session.execute(statement.values(owner="", tries=RunRow.tries - 1))

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
            lost = self._durable.recover(living)
        if lost:
            log.warning("work of dead workers was taken over", extra={"jobs": lost})
            self._wake.set()

    def _collect(self) -> None:
        """Put claims into the queue again that never came to run, as when the database went away in between."""
        with self._room:
            here = set(self._claimed)
        strays = {job for job, process in self._durable.pending().items() if process == self.me and job not in here}
        self._durable.back(sorted(strays & self._strays))  # seen twice: a claim that is only just under way is none
        self._strays = strays

    def _reconcile(self, older: float) -> None:
        """Queue the jobs again whose workflow was never written, and fail those whose end was lost.

        Args:
            older: than so many seconds; a younger job may be on its way into the queue.
        """
        unfinished = (
            sa.select(PortrayalRow.id, PortrayalRow.priority, PortrayalRow.round)
            .where(PortrayalRow.state.not_in(FINAL), PortrayalRow.created_at <= time.time() - older)
            .order_by(PortrayalRow.id)
            .limit(_BATCH)
        )
        last = ""
        while not self.stopping.is_set():
            with self.database.session() as session:
                rows = session.execute(unfinished.where(PortrayalRow.id > last)).all()
            if not rows:
                return
            ended = self._durable.states([row.id for row in rows])
            for row in rows:
                if row.id not in ended:
                    log.warning("a job was not in the queue", extra={"job": row.id})
                    self.submit(row.id, row.priority, row.round)
                elif ended[row.id]:
                    self._abandoned(row.id, "its end got lost")
            last = rows[-1].id

    def _housekeep(self) -> None:
        calm = cleaned = looked = 0.0
        beaten = time.monotonic()
        while not self._over.wait(self.ttl / 5):
            now = time.monotonic()
            try:
                self._beat()
                if now - beaten > self.ttl / 2:
                    calm = now + self.ttl  # we slept, perhaps with all others: let them show that they live
                beaten = now
                if not self.work or self.stopping.is_set() or now < calm:
                    continue
                self._reap()
                self._collect()
                if now - looked > 3 * self.ttl:
                    self._reconcile(self.ttl)
                    looked = now
                if now - cleaned > 3600:
                    self.purge(time.time())
                    cleaned = now
            except Exception:
                # After an outage of the database everybody looks dead: let all beat again first.
                calm = time.monotonic() + self.ttl
                log.warning("housekeeping failed", exc_info=True)

    def purge(self, now: float) -> None:
        """Forget what nobody needs any more: workflows, progress and events of the past; see `KEEP_...`."""
        going_on: Callable[[], bool] = lambda: not self.stopping.is_set()  # noqa: E731
        self._durable.purge(now - KEEP_WORKFLOWS, going_on, _BATCH)
        ended = sa.select(PortrayalRow.id).where(
            PortrayalRow.state.in_(FINAL), PortrayalRow.completed_at < now - KEEP_WORKFLOWS
        )
        runs = sa.select(RunRow.id).where(RunRow.id.in_(ended)).limit(_BATCH)
        # The newest event stays, so that SQLite gives no number twice.
        old = sa.select(EventRow.id).where(
            EventRow.created_at < now - KEEP_EVENTS, EventRow.id < sa.select(sa.func.max(EventRow.id)).scalar_subquery()
        )
        for statement in (
            sa.delete(RunRow).where(RunRow.id.in_(runs)),
            sa.delete(EventRow).where(EventRow.id.in_(old.limit(_BATCH))),
        ):
            number = _BATCH
            while number >= _BATCH and going_on():
                with self.database.session() as session:
                    number = session.execute(statement).rowcount  # type: ignore[attr-defined]

    def _watch(self) -> None:
        """Ring for jobs that other processes work on: one query for all that are awaited here."""
        seen: dict[str, tuple[str, str]] = {}
        while not self._over.wait(0.1):
            awaited = self.hub.awaited() if not self.database.sqlite else ()
            if not awaited:
                continue
            states = (
                sa.select(PortrayalRow.id, PortrayalRow.state, RunRow.progress)
                .join(RunRow, RunRow.id == PortrayalRow.id, isouter=True)
                .where(PortrayalRow.id.in_(awaited))
            )
            try:
                with self.database.session() as session:
                    now = {row.id: (row.state, row.progress or "") for row in session.execute(states)}
            except sa.exc.DBAPIError:
                continue
            for job_id, state in now.items():
                if seen.get(job_id) != state:
                    self.hub.ring(job_id, ended=state[0] in FINAL)
            seen = now
