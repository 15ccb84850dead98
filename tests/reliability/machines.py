"""What the reliability tests share: workers that are really started, jobs over HTTP, and what must be true of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa

from portrayal.service.database import Database
from portrayal.service.envelope import FINAL
from portrayal.service.tables import PictureRow, PortrayalRow, RunRow, StoredFile
from portrayal.settings import Settings
from tests.api.conftest import picture, uri
from tests.servers import ROOT, Server

PATIENCE = 300.0
"""Seconds: an upper bound only, for machines with much else to do."""
_client = httpx2.Client(timeout=60)


class Worker:
    """`portrayal worker` with the fake maker, for a server's database and folder."""

    def __init__(self, server: Server, name: str) -> None:
        self._environment = {**os.environ, **server.env}
        self._log = server.folder / f"{name}.txt"
        self._begin = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Worker:
        """Start; it works when it is ready to."""
        self._begin = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.fake_server", "worker", "--slots", "1"],
                env=self._environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        return self

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.signal(signal.SIGTERM)
        assert self.process is not None
        return self.process.wait(40)

    def told(self) -> list[str]:
        """The events of its log since its last start; every line is a JSON object."""
        return [json.loads(line)["event"] for line in self._log.read_bytes()[self._begin :].splitlines()]


def order(server: Server, prompt: str, num_images: int = 1) -> str:
    """Order a portrayal; its id."""
    body = {"prompt": prompt, "characters": [{"image": uri(picture())}], "num_images": num_images, "size": "512x512"}
    answer = _client.post(f"{server.base}/api/v1/portrayals/generate", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def look(server: Server, job_id: str) -> dict[str, Any]:
    """A portrayal as it is."""
    answer = _client.get(f"{server.base}/api/v1/portrayals/{job_id}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"{what}: not within {PATIENCE:.0f} s"
        time.sleep(0.1)


def final(server: Server, jobs: list[str]) -> list[dict[str, Any]]:
    """The portrayals when all of them have ended."""
    ended = []
    for job in jobs:
        until(lambda job=job: look(server, job)["state"] in FINAL, f"the end of {job}")  # type: ignore[misc]
        ended.append(look(server, job))
    return ended


def database(server: Server) -> Database:
    """The server's own database."""
    url = server.env.get("PORTRAYAL_DATABASE_URL")
    return Database(Settings(data_dir=Path(server.env["PORTRAYAL_DATA_DIR"]), database_url=url))  # type: ignore[arg-type]


def running(server: Server) -> list[int]:
    """The processes that make a picture now."""
    there = database(server)
    with there.session() as session:
        owners = session.scalars(
            sa.select(RunRow.owner)
            .join(PortrayalRow, PortrayalRow.id == RunRow.id)
            .where(PortrayalRow.state == "processing", RunRow.owner != "")
        ).all()
    there.close()
    return [int(owner.rsplit("-", 2)[1]) for owner in owners]


def starts(server: Server, jobs: list[str]) -> dict[str, int]:
    """How often each job was started and not handed back."""
    there = database(server)
    with there.session() as session:
        found = {row.id: row.tries for row in session.scalars(sa.select(RunRow).where(RunRow.id.in_(jobs)))}
    there.close()
    return found


def assert_one_set(server: Server, jobs: list[dict[str, Any]], asked: list[int]) -> None:
    """Every job succeeded with exactly one set of pictures: in its answer, in the rows, and as files that open."""
    assert [job["state"] for job in jobs] == ["succeeded"] * len(jobs)
    assert [[p["position"] for p in job["pictures"]] for job in jobs] == [list(range(number)) for number in asked]
    for job in jobs:
        for shown in job["pictures"]:
            file = _client.get(shown["url"])
            assert file.status_code == 200
            assert len(file.content) == shown["size"]
    there = database(server)
    ids = [job["id"] for job in jobs]
    with there.session() as session:
        rows = session.execute(
            sa.select(PictureRow.portrayal_id, PictureRow.position).where(PictureRow.portrayal_id.in_(ids))
        ).all()
        results = session.scalar(
            sa.select(sa.func.count()).select_from(StoredFile).where(StoredFile.purpose == "result")
        )
    there.close()
    assert sorted(map(tuple, rows)) == sorted((job, i) for job, n in zip(ids, asked, strict=True) for i in range(n))
    assert results == sum(asked), "and no file of another set"


def read_events(server: Server, job: str, last: int | None, into: list[dict[str, Any]]) -> None:
    """Read a portrayal's events, from the one that was seen last, until the stream ends."""
    headers = {} if last is None else {"last-event-id": str(last)}
    address = f"{server.base}/api/v1/portrayals/{job}/events"
    with httpx2.stream("GET", address, headers=headers, timeout=PATIENCE) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = "".join(answer.iter_text())
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            number = int(fields["id"]) if "id" in fields else None
            into.append({"type": fields["event"], "number": number, "data": json.loads(fields["data"])})
