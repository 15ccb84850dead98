"""A server that is stopped, or that a job ends, goes on where it was."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx2

from portrayal.service.keys import Caller
from portrayal.service.orders import Order, Who
from portrayal.service.service import Service, Ticket
from tests.api.conftest import picture
from tests.reliability.machines import PATIENCE, assert_one_set, final, look, order, read_events, starts, until
from tests.reliability.process import settings
from tests.servers import ROOT, Server

EXIT = 9
"""With what the fake maker ends its process."""


def test_a_stopped_server_hands_back_and_its_listeners_go_on_after_it(tmp_path: Path) -> None:
    with Server(tmp_path, slots=1, shutdown_grace=0, access="open") as server:
        job, waiting = order(server, "WAIT", 4), order(server, "next")
        before: list[dict[str, Any]] = []
        reader = threading.Thread(target=read_events, args=(server, job, None, before))
        reader.start()
        until(lambda: len(look(server, job)["pictures"]) == 1, "the first picture")
        server.stop()
        reader.join(PATIENCE)
        assert not reader.is_alive(), "the stream ended with the server"
        assert [event["type"] for event in before if event["number"]][:3] == ["starting", "processing", "picture"]
        server.start()
        jobs = final(server, [job, waiting])
        assert_one_set(server, jobs, [4, 1])
        kept = [event["data"]["picture"]["id"] for event in before if event["type"] == "picture"]
        assert [picture["id"] for picture in jobs[0]["pictures"]][: len(kept)] == kept, "they are not made again"
        assert starts(server, [job, waiting]) == {job: 1, waiting: 1}, "handed back is no bad start"
        after: list[dict[str, Any]] = []
        last = max(event["number"] or 0 for event in before)
        read_events(server, job, last, after)
        numbered = [event for event in before + after if event["number"]]
        assert [e["type"] for e in numbered] == ["starting", "processing", *["picture"] * 4, "succeeded"]
        assert [e["number"] for e in numbered] == sorted({e["number"] for e in numbered})
        again = httpx2.get(
            f"{server.base}/api/v1/portrayals/{job}/events", headers={"last-event-id": str(numbered[-1]["number"])}
        )
        assert again.status_code == 204, "nothing will come any more"


def test_a_job_that_ends_its_process_fails_after_five_starts_and_takes_nobody_along(tmp_path: Path) -> None:
    orders = Service(settings(tmp_path), work=False).open()
    try:
        file = asyncio.run(orders.take(picture(), "reference", Caller()))

        def order(prompt: str) -> str:
            wanted = Order.make(prompt=prompt, characters=(Who(image=file.sha256),), size=(512, 512))
            return asyncio.run(orders.submit(wanted, Caller(), Ticket())).id

        jobs = [order("WAIT 1"), order("EXIT"), order("WAIT 2")]
    finally:
        orders.close()
    command = [sys.executable, "-m", "tests.reliability.process", str(tmp_path)]
    ends: list[int] = []
    while not ends or (ends[-1] != 0 and len(ends) < 9):
        ends.append(subprocess.run(command, cwd=ROOT, timeout=PATIENCE, check=False).returncode)
    assert ends == [EXIT] * 5 + [0]
    first, bomb, second = (orders.job(job) for job in jobs)
    assert [first.state, bomb.state, second.state] == ["succeeded", "failed", "succeeded"]
    assert bomb.error is not None
    assert "5 starts" in bomb.error.message
    assert [len(job.pictures) for job in (first, bomb, second)] == [1, 0, 1]
