"""Jobs: their turn, their end, their owner. The maker is a fake that can be held; each test has its own service."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from portrayal.errors import ConflictError
from portrayal.request import Request
from portrayal.result import Picture, Portrayal
from portrayal.service import records
from portrayal.service.durable import check_sqlite
from portrayal.service.envelope import Job
from portrayal.service.jobs import KEEP_EVENTS, MAX_STARTS
from portrayal.service.keys import Caller
from portrayal.service.orders import Order, Who
from portrayal.service.service import Service, Ticket
from portrayal.service.tables import EventRow, PictureRow, PortrayalRow, RunRow
from portrayal.settings import Settings
from tests import fake
from tests.api.conftest import picture


class Bench:
    """A service whose maker notes what it begins, and stays at prompts that are held."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        given = {"slots": 1, "shutdown_grace": 0, "policy": False, **settings}
        self.settings = Settings(data_dir=folder / "data", cache_dir=folder / "cache", **given)
        self.begun: list[str] = []
        self.held: dict[str, threading.Event] = {}
        self.service = Service(self.settings, maker=self._make).open()
        self._file = asyncio.run(self.service.take(picture(), "reference", Caller()))

    def restart(self, *, work: bool = True) -> None:
        self.service.close()
        self.service = Service(self.settings, maker=self._make, work=work).open()

    def submit(self, prompt: str, key: str = "", **ticket: Any) -> str:
        images = ticket.pop("num_images", 1)
        order = Order.make(
            prompt=prompt, characters=(Who(image=self._file.sha256),), num_images=images, size=(512, 512)
        )
        caller = Caller(key_id=key)
        return asyncio.run(self.service.submit(order, caller, Ticket(**ticket))).id

    def hold(self, prompt: str) -> str:
        """Order a job, and wait until it is being made; it stays there until `go`."""
        self.held[prompt] = threading.Event()
        job = self.submit(prompt)
        self.until(lambda: prompt in self.begun)
        return job

    def go(self, prompt: str) -> None:
        self.held[prompt].set()

    def ended(self, job_id: str) -> Job:
        job = asyncio.run(self.service.wait(job_id, 20))
        assert job.final, f"{job.state} after 20 s"
        return job

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not true():
            assert time.monotonic() < end, "it did not happen within 20 s"
            time.sleep(0.005)

    def count(self, row: Any) -> int:
        with self.service.database.session() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(row)) or 0

    def set(self, row: Any, job_id: str, **values: Any) -> None:
        with self.service.database.session() as session:
            session.execute(sa.update(row).where(row.id == job_id).values(**values))

    def _make(
        self,
        request: Request,
        *,
        settings: Settings,
        progress: Callable[[str, float], None],
        finished: Mapping[int, Picture],
        done: Callable[[int, Picture], None],
        judge: Callable[[str], None],
    ) -> Portrayal:
        self.begun.append(request.prompt)
        gate = self.held.get(request.prompt)

        def step(stage: str, fraction: float) -> None:
            # The first picture is made; the others wait.
            while gate is not None and fraction >= 0.5 and not gate.wait(0.01):
                progress(stage, fraction)
            progress(stage, fraction)

        while gate is not None and request.num_images == 1 and not gate.wait(0.01):
            progress("held", 0.1)
        return fake.maker(request, settings=settings, progress=step, finished=finished, done=done, judge=judge)


@pytest.fixture(autouse=True)
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service makes no picture of its own when it starts."""
    monkeypatch.setattr("portrayal.service.service._warmed", lambda *_: None)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    yield found
    found.service.close()


@pytest.fixture
def wide(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path, slots=2)
    yield found
    found.service.close()


# Turns.


def test_keys_take_turns_however_much_one_of_them_ordered_before(bench: Bench) -> None:
    bench.hold("a0")
    jobs = [bench.submit(f"a{i}") for i in range(1, 30)] + [bench.submit(f"b{i}", key="b") for i in range(4)]
    bench.go("a0")
    for job in jobs:
        assert bench.ended(job).state == "succeeded"
    assert bench.begun == ["a0", "b0", "a1", "b1", "a2", "b2", "a3", "b3", *(f"a{i}" for i in range(4, 30))]


def test_who_comes_late_joins_the_round_that_is_served_and_makes_up_for_nothing(bench: Bench) -> None:
    bench.held["a2"] = threading.Event()
    bench.hold("a0")
    for i in range(1, 5):
        last = bench.submit(f"a{i}")
    bench.go("a0")
    bench.until(lambda: "a2" in bench.begun)
    for i in range(2):
        bench.submit(f"b{i}", key="b")
    bench.go("a2")
    bench.ended(last)
    assert bench.begun == ["a0", "a1", "a2", "b0", "a3", "b1", "a4"]


def test_priority_goes_before_turns(bench: Bench) -> None:
    bench.hold("first")
    jobs = [bench.submit("usual 1"), bench.submit("last", key="b", priority=2), bench.submit("usual 2")]
    jobs.append(bench.submit("urgent", key="c", priority=0))
    bench.go("first")
    for job in jobs:
        bench.ended(job)
    assert bench.begun == ["first", "urgent", "usual 1", "usual 2", "last"]


def test_no_more_jobs_run_than_there_are_slots(wide: Bench) -> None:
    wide.hold("one")
    wide.hold("two")
    third = wide.submit("three")
    assert wide.service.job(third).state == "starting"
    wide.go("one")
    assert wide.ended(third).state == "succeeded"
    assert "two" in wide.begun
    wide.go("two")


# Cancel.


def test_a_waiting_job_is_canceled_at_once_and_never_made(bench: Bench) -> None:
    first = bench.hold("first")
    waiting, after = bench.submit("waiting"), bench.submit("after")
    assert bench.service.cancel(waiting, Caller()).state == "canceled"
    bench.go("first")
    assert [bench.ended(job).state for job in (first, after)] == ["succeeded", "succeeded"]
    assert bench.begun == ["first", "after"]
    assert bench.service.job(waiting).state == "canceled"


def test_a_running_job_is_canceled_for_good_and_its_slot_is_free(bench: Bench) -> None:
    running = bench.hold("running")
    assert bench.service.cancel(running, Caller()).state == "canceled"
    assert bench.ended(bench.submit("next")).state == "succeeded", "the only slot is free"
    job = bench.service.job(running)
    assert (job.state, job.pictures) == ("canceled", ())
    assert bench.service.cancel(running, Caller()).state == "canceled", "again changes nothing"


def test_what_is_finished_after_the_cancel_is_thrown_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    running = bench.hold("running")
    monkeypatch.setattr(bench.service.jobs, "cancel", lambda job_id: None)  # the run hears nothing of it ...
    monkeypatch.setattr("portrayal.service.jobs.Run.progress", lambda *_, **__: None)
    bench.service.cancel(running, Caller())
    bench.go("running")
    bench.until(lambda: not bench.service.jobs._used)
    job = bench.service.job(running)
    assert (job.state, job.pictures) == ("canceled", ()), "... and its end comes too late"


def test_a_job_whose_worker_is_gone_can_be_canceled(bench: Bench) -> None:
    job = bench.hold("job")
    bench.restart(work=False)  # handed back: it waits, though it is begun
    assert bench.service.job(job).state == "processing"
    assert bench.service.cancel(job, Caller()).state == "canceled"
    bench.restart()
    assert bench.ended(bench.submit("next")).state == "succeeded"
    assert bench.begun == ["job", "next"]


def test_a_job_that_is_canceled_after_its_claim_is_not_begun(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    own = bench.service.jobs._own

    def canceled_meanwhile(run: Any) -> int:
        bench.service.cancel(run.id, Caller())
        return own(run)

    monkeypatch.setattr(bench.service.jobs, "_own", canceled_meanwhile)
    job = bench.submit("job")
    assert bench.ended(job).state == "canceled"
    bench.until(lambda: not bench.service.jobs._used)
    assert bench.begun == []
    assert [event.type for event in _events(bench, job)] == ["starting", "canceled"]


# Stop and start.


def test_a_stopping_process_hands_its_jobs_back_with_what_they_have(bench: Bench) -> None:
    bench.held["two pictures"] = threading.Event()
    job = bench.submit("two pictures", num_images=2)
    waiting = bench.submit("waiting")
    bench.until(lambda: len(bench.service.job(job).pictures) == 1)
    kept = bench.service.job(job).pictures[0]
    bench.service.close()
    bench.held.clear()
    bench.service = Service(bench.settings, maker=bench._make).open()
    made = bench.ended(job)
    assert made.state == "succeeded"
    assert made.pictures[0] == kept, "the finished picture was not made again"
    assert [p.position for p in made.pictures] == [0, 1]
    assert bench.ended(waiting).state == "succeeded"
    assert bench.begun == ["two pictures", "two pictures", "waiting"]
    with bench.service.database.session() as session:
        assert session.scalar(sa.select(RunRow.tries).where(RunRow.id == job)) == 1, "handed back is no bad start"


def test_a_running_job_is_finished_within_the_grace(tmp_path: Path) -> None:
    bench = Bench(tmp_path, shutdown_grace=20)
    job = bench.hold("job")
    threading.Timer(0.2, bench.go, ["job"]).start()
    bench.restart(work=False)
    try:
        assert bench.service.job(job).state == "succeeded"
    finally:
        bench.service.close()


def test_who_waits_for_a_job_that_will_not_be_begun_is_let_go(bench: Bench) -> None:
    bench.hold("job")
    waiting = bench.submit("waiting")

    async def wait() -> Job:
        asyncio.get_running_loop().call_later(0.1, bench.service.hush)
        return await bench.service.wait(waiting, 600)

    assert asyncio.run(wait()).state == "starting"
    bench.service.close()
    bench.held.clear()
    bench.service = Service(bench.settings, maker=bench._make).open()
    assert bench.ended(waiting).state == "succeeded"


def test_a_claimed_job_that_waits_for_its_slot_is_handed_back(wide: Bench) -> None:
    job = wide.hold("job")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wide.service.jobs, "submit", lambda *_: None)
        suspect = wide.submit("suspect")
    wide.set(RunRow, suspect, tries=2)
    wide.service.jobs._reconcile(0)
    wide.until(lambda: wide.service.jobs._used == 2)  # it is claimed, and wants to be alone
    wide.service.close()
    wide.held.clear()
    wide.service = Service(wide.settings, maker=wide._make).open()
    assert [wide.ended(each).state for each in (job, suspect)] == ["succeeded", "succeeded"]


def test_two_processes_cannot_own_one_file(bench: Bench) -> None:
    second = Service(bench.settings)
    with pytest.raises(ConflictError, match="another server uses"):
        second.jobs.start()
    assert bench.ended(bench.submit("still here")).state == "succeeded"


@pytest.mark.parametrize(
    ("used", "python", "has", "refused"),
    [
        (True, (3, 12), "3.40.1", True),
        (True, (3, 12), "3.42.0", False),
        (True, (3, 11), "3.40.1", False),
        (False, (3, 13), "3.40.1", False),
    ],
)
def test_an_old_sqlite_is_refused_with_a_remedy(used: bool, python: tuple[int, ...], has: str, refused: bool) -> None:
    if not refused:
        check_sqlite(used, python, has)
        return
    with pytest.raises(ConflictError, match=r"SQLite 3\.40\.1.*3\.42.*PORTRAYAL_DATABASE_URL"):
        check_sqlite(used, python, has)


# Two books.


def test_the_same_key_at_the_same_time_is_one_job(bench: Bench) -> None:
    order = Order.make(prompt="once", characters=(Who(image=bench._file.sha256),))

    async def all_at_once() -> set[str]:
        ticket = Ticket(idempotency_key="k")
        jobs = await asyncio.gather(*(bench.service.submit(order, Caller(), ticket) for _ in range(8)))
        return {job.id for job in jobs}

    (job,) = asyncio.run(all_at_once())
    assert bench.ended(job).state == "succeeded"
    assert bench.count(PortrayalRow) == 1
    assert bench.begun == ["once"]


def test_a_key_that_another_process_took_in_between_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    known = bench.submit("once", idempotency_key="k")
    repeated = bench.service._repeated
    answers = iter([lambda *_: None, repeated])
    monkeypatch.setattr(bench.service, "_repeated", lambda *given: next(answers)(*given))
    assert bench.submit("once", idempotency_key="k") == known


def test_a_row_whose_workflow_was_never_written_is_queued(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(bench.service.jobs, "submit", lambda *_: None)  # it dies between the row and the queue
        while_running, before_restart = bench.submit("1"), ""
        bench.service.jobs._reconcile(60)
        assert bench.service.jobs._durable.states([while_running]) == {}, "a young one may be on its way"
    bench.service.jobs._reconcile(0)
    assert bench.ended(while_running).state == "succeeded"
    with monkeypatch.context() as patch:
        patch.setattr(bench.service.jobs, "submit", lambda *_: None)
        before_restart = bench.submit("2")
    bench.restart()
    assert bench.ended(before_restart).state == "succeeded"
    assert bench.begun == ["1", "2"]


def test_a_job_whose_end_got_lost_fails(bench: Bench) -> None:
    job = bench.submit("job")
    bench.ended(job)
    bench.until(lambda: bench.service.jobs._durable.states([job]) == {job: True})
    bench.set(PortrayalRow, job, state="processing")
    bench.service.jobs._reconcile(0)
    found = bench.service.job(job)
    assert found.state == "failed"
    assert found.error is not None
    assert "its end got lost" in found.error.message


def test_a_claim_that_never_came_to_run_goes_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        failed = threading.Event()

        def fails(claim: Any) -> None:
            failed.set()
            raise sa.exc.OperationalError("away", {}, Exception())

        patch.setattr(bench.service.jobs._durable, "run", fails)
        job = bench.submit("job")
        assert failed.wait(20)
    bench.until(lambda: not bench.service.jobs._used)
    bench.service.jobs._collect()
    assert bench.service.job(job).state == "starting", "seen once: it could be on its way"
    bench.service.jobs._collect()
    assert bench.ended(job).state == "succeeded"


def test_an_outage_of_the_database_ends_no_job(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[str] = Counter()
    for module, name in ((records, "finish"), (bench.service.work, "_noted"), (bench.service.work, "_begin")):
        real = getattr(module, name)

        def away_once(*given: Any, _real: Any = real, _name: str = name, **more: Any) -> Any:
            calls[_name] += 1
            if calls[_name] == 1:
                raise sa.exc.OperationalError("away", {}, Exception())
            return _real(*given, **more)

        monkeypatch.setattr(module, name, away_once)
    job = bench.ended(bench.submit("job"))
    assert (job.state, len(job.pictures)) == ("succeeded", 1)
    assert calls == {"finish": 2, "_noted": 2, "_begin": 2}


# Owners.


def test_a_run_that_lost_its_job_writes_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job = bench.hold("job")
    monkeypatch.setattr("portrayal.service.jobs.Run.progress", lambda *_, **__: None)  # it slept, and wakes up late
    bench.set(RunRow, job, owner="another worker's run")
    bench.go("job")
    bench.until(lambda: not bench.service.jobs._used)
    found = bench.service.job(job)
    assert (found.state, found.pictures) == ("processing", ())
    assert bench.count(PictureRow) == 0


def test_two_runs_in_one_process_have_two_names(bench: Bench) -> None:
    job = bench.hold("job")
    with bench.service.database.session() as session:
        owner = session.scalar(sa.select(RunRow.owner).where(RunRow.id == job))
    assert owner is not None
    assert owner.startswith(f"{bench.service.jobs.me}/")
    bench.set(RunRow, job, owner=f"{bench.service.jobs.me}/00000000")
    bench.until(lambda: not bench.service.jobs._used)  # lost, though the worker is the same
    assert bench.service.job(job).state == "processing"


def test_from_the_third_start_a_job_runs_alone(wide: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    neighbour = wide.hold("neighbour")
    with monkeypatch.context() as patch:
        patch.setattr(wide.service.jobs, "submit", lambda *_: None)
        suspect = wide.submit("suspect")
    wide.set(RunRow, suspect, tries=2)
    wide.held["suspect"] = threading.Event()
    wide.service.jobs._reconcile(0)
    wide.until(lambda: wide.service.jobs._used == 2)  # it has its slot, and waits for the other one
    third = wide.submit("third")
    assert wide.begun == ["neighbour"]
    wide.go("neighbour")
    assert wide.ended(neighbour).state == "succeeded"
    wide.until(lambda: "suspect" in wide.begun)
    assert wide.begun == ["neighbour", "suspect"], "nobody beside it"
    wide.go("suspect")
    assert [wide.ended(job).state for job in (suspect, third)] == ["succeeded", "succeeded"]


def test_after_five_starts_a_job_fails(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(bench.service.jobs, "submit", lambda *_: None)
        job = bench.submit("job")
    bench.set(RunRow, job, tries=MAX_STARTS)
    bench.service.jobs._reconcile(0)
    found = bench.ended(job)
    assert found.state == "failed"
    assert found.error is not None
    assert "5 starts" in found.error.message
    assert bench.begun == []


# What is kept, and what is told.


def test_the_past_is_forgotten_but_not_the_newest_number(bench: Bench) -> None:
    job = bench.submit("job")
    bench.ended(job)
    bench.until(lambda: bench.service.jobs._durable.states([job]) == {job: True})
    newest = max(event.id for event in _events(bench, job))
    bench.service.jobs.purge(time.time() + 3600)
    assert (bench.count(RunRow), bench.count(EventRow)) == (1, 4), "an hour later everything is there"
    bench.service.jobs.purge(time.time() + KEEP_EVENTS + 60)
    assert (bench.count(RunRow), [event.id for event in _events(bench, job)]) == (0, [newest])
    assert bench.service.jobs._durable.states([job]) == {}
    assert bench.service.job(job).state == "succeeded", "the library keeps it"
    bench.service.jobs._reconcile(0)
    assert bench.service.job(job).state == "succeeded"
    assert min(event.id for event in _events(bench, bench.submit("next"))) == newest + 1


def test_logs_tell_of_jobs_without_their_words(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "portrayal"):
        good, bad = bench.submit("a confidential park"), bench.submit("a confidential CRASH")
        bench.ended(good)
        bench.ended(bad)
        bench.until(lambda: sum(record.message == "a job ended" for record in caplog.records) == 2)
    from portrayal.api.logs import JsonLines

    lines = [JsonLines().format(record) for record in caplog.records]
    assert not [line for line in lines if "confidential" in line or "secret" in line]
    ends = {record.job: record.state for record in caplog.records if record.message == "a job ended"}  # type: ignore[attr-defined]
    assert ends == {good: "succeeded", bad: "failed"}


def _events(bench: Bench, job_id: str) -> list[EventRow]:
    with bench.service.database.session() as session:
        found = sa.select(EventRow).where(EventRow.portrayal_id == job_id).order_by(EventRow.id)
        return list(session.scalars(found))
