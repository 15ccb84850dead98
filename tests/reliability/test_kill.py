"""Workers die; every job is made, with exactly one set of pictures."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import fresh_database, postgres
from tests.reliability.machines import (
    PATIENCE,
    Worker,
    assert_one_set,
    final,
    look,
    order,
    read_events,
    running,
    starts,
    until,
)
from tests.servers import Server

ASKED = [1 + i % 2 for i in range(20)]
SEED = int(os.environ.get("KILL_SEED", "4"))
"""Of the moments of the kills; try others with KILL_SEED."""


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture
def distributed(postgresql: str, tmp_path: Path) -> Iterator[Server]:
    """A server that makes no pictures, on a PostgreSQL that workers can share."""
    with (
        fresh_database(postgresql, tmp_path.name) as url,
        Server(
            tmp_path, options=("--no-work",), database_url=url, worker_ttl=3, shutdown_grace=1, access="open"
        ) as server,
    ):
        yield server


def test_one_process_with_sqlite_is_killed_three_times(tmp_path: Path) -> None:
    moments = random.Random(SEED)
    with Server(tmp_path, slots=2, access="open") as server:
        jobs = [order(server, f"WAIT {i}", number) for i, number in enumerate(ASKED)]
        for _ in range(3):
            until(lambda: bool(running(server)), "a job that is being made")
            time.sleep(moments.uniform(0.0, 0.8))
            server.kill()
            server.start()
        assert_one_set(server, final(server, jobs), ASKED)
        assert max(starts(server, jobs).values()) > 1, "the kills hit jobs that were being made"


def test_two_workers_with_postgresql_are_killed_three_times(distributed: Server) -> None:
    moments = random.Random(SEED)
    workers = [Worker(distributed, f"worker{i}") for i in range(2)]
    try:
        jobs = [order(distributed, f"WAIT {i}", number) for i, number in enumerate(ASKED)]
        for worker in workers:
            worker.start()
        for _ in range(3):
            until(lambda: bool(_busy(distributed, workers)), "a worker that makes a picture")
            time.sleep(moments.uniform(0.0, 0.8))
            victim = moments.choice(_busy(distributed, workers) or workers)
            victim.kill()
            victim.start()
        assert_one_set(distributed, final(distributed, jobs), ASKED)
        assert max(starts(distributed, jobs).values()) > 1, "the kills hit jobs that were being made"
        until(lambda: all("working" in worker.told() for worker in workers), "both workers, which may be on their way")
        assert [worker.stop() for worker in workers] == [0, 0]
        assert [worker.told()[-1] for worker in workers] == ["stopped", "stopped"]
    finally:
        for worker in workers:
            worker.kill()


def test_a_worker_that_sleeps_too_long_adds_nothing_when_it_wakes(distributed: Server) -> None:
    sleeper, other = Worker(distributed, "sleeper").start(), Worker(distributed, "other")
    try:
        job = order(distributed, "WAIT", 4)
        events: list[dict[str, Any]] = []
        reader = threading.Thread(target=read_events, args=(distributed, job, None, events))
        reader.start()  # at a server that makes nothing itself
        until(lambda: len(look(distributed, job)["pictures"]) == 1, "the first picture")
        sleeper.signal(signal.SIGSTOP)
        other.start()
        until(lambda: len(look(distributed, job)["pictures"]) >= 2, "another worker's picture")
        sleeper.signal(signal.SIGCONT)  # while the other one is still at it
        assert_one_set(distributed, final(distributed, [job]), [4])
        assert starts(distributed, [job]) == {job: 2}
        reader.join(PATIENCE)
        numbered = [event["type"] for event in events if event["number"]]
        assert numbered == ["starting", "processing", *["picture"] * 4, "succeeded"], "each told once, as it happened"
        assert "progress" in {event["type"] for event in events}
        assert other.stop() == 0
        (last,) = final(distributed, [order(distributed, "again")])
        assert last["state"] == "succeeded", "who woke up works again"
        assert len(look(distributed, job)["pictures"]) == 4
    finally:
        sleeper.kill()
        other.kill()


def _busy(server: Server, workers: list[Worker]) -> list[Worker]:
    """The workers that make a picture now. Rows of those that were killed just now name processes that are gone."""
    processes = running(server)
    return [worker for worker in workers if worker.process is not None and worker.process.pid in processes]
