"""Events: kept, numbered, gone on with; progress in between; readers that come and go."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from portrayal.service import events as events_module
from portrayal.service import records
from portrayal.service.database import Database
from portrayal.service.events import Event, Events
from portrayal.service.hub import Hub
from portrayal.service.orders import Order, Who
from portrayal.service.tables import EventRow, PortrayalRow, RunRow
from portrayal.settings import Settings
from tests.api.conftest import client, keys_needed, picture, service, settings_here, uri  # noqa: F401

DATA = json.dumps({"stage": "light", "fraction": 0.5, "picture": 1, "of": 1})


def _id(name: str) -> str:
    """An identifier with a name in it; names have letters that identifiers have."""
    return f"0{name:0<25}"


def _name(job_id: str) -> str:
    return job_id.strip("0")


class Desk:
    """Jobs in a database, changed by hand."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(Settings(data_dir=folder))
        self.database.migrate()
        self.hub = Hub()
        self.events = Events(self.database, self.hub)

    def job(self, name: str, library: str = "main") -> None:
        job_id = _id(name)
        row = PortrayalRow(
            id=job_id,
            library=library,
            dialect="native",
            operation="generate",
            state="starting",
            prompt="x",
            order=Order.make(prompt="x", characters=(Who(image="0" * 64),)).model_dump(mode="json"),
            wire={},
            num_images=1,
            warnings=[],
            result={},
            created_at=1.0,
        )
        with self.database.session() as session:
            session.add_all([row, RunRow(id=job_id)])
            session.flush()
            records.event(session, job_id, library, "starting", {}, 1.0)
        self.hub.ring(job_id)

    def begin(self, name: str, progress: str = "") -> None:
        job_id = _id(name)
        with self.database.session() as session:
            row = session.get_one(PortrayalRow, job_id)
            fresh, row.state = row.state == "starting", "processing"
            session.execute(sa.update(RunRow).where(RunRow.id == job_id).values(progress=progress))
            if fresh:
                records.event(session, job_id, row.library, "processing", {}, 2.0)
        self.hub.ring(job_id)

    def end(self, name: str, state: str = "succeeded") -> None:
        job_id = _id(name)
        with self.database.session() as session:
            records.finish(session, job_id, state, 3.0)
        self.hub.ring(job_id)

    async def heard(self, number: int, *, library: str = "main", **more: Any) -> list[tuple[int | None, str, str]]:
        """The first events of a stream: number, job, type."""
        if "job_id" in more:
            more["job_id"] = _id(more["job_id"])
        found = []
        async with aclosing(self.events.stream(library, **more)) as stream:  # type: ignore[type-var]
            async for event in stream:
                if event is not None:
                    found.append((event.id, _name(event.job_id), event.type))
                if len(found) == number:
                    break
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def _next(stream: AsyncIterator[Event | None]) -> Event | None:
    return await asyncio.wait_for(anext(stream), 20)


def test_a_job_is_followed_from_its_first_event_to_its_last(desk: Desk) -> None:
    async def follow() -> list[str]:
        desk.job("a")
        heard = []
        async with aclosing(desk.events.stream("main", job_id=_id("a"))) as stream:  # type: ignore[type-var]
            heard.append(await _next(stream))
            desk.begin("a")
            heard.append(await _next(stream))
            desk.begin("a", DATA)
            heard.append(await _next(stream))
            desk.job("ether")
            desk.end("a")
            async for event in stream:
                heard.append(event)
        assert [event.id for event in heard if event] == [1, 2, None, 4]
        assert heard[2] is not None
        assert heard[2].data == json.loads(DATA)
        return [event.type for event in heard if event]

    assert asyncio.run(follow()) == ["starting", "processing", "progress", "succeeded"]


def test_who_comes_back_goes_on_after_what_he_saw_even_elsewhere(desk: Desk, tmp_path: Path) -> None:
    for job in ("a", "b"):
        desk.job(job)
        desk.begin(job)
        desk.end(job)
    everything = [(1, "a", "starting"), (2, "a", "processing"), (3, "a", "succeeded")]
    everything += [(4, "b", "starting"), (5, "b", "processing"), (6, "b", "succeeded")]
    assert asyncio.run(desk.heard(6, after=0)) == everything
    restarted = Desk(tmp_path)
    assert asyncio.run(restarted.heard(4, after=2)) == everything[2:]
    assert asyncio.run(restarted.heard(9, job_id="b", after=4)) == everything[4:], "it ends by itself"


@pytest.mark.parametrize("after", [None, 999])
def test_without_a_number_or_with_one_from_the_future_a_library_is_followed_from_now_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, after: int | None
) -> None:
    monkeypatch.setattr(events_module, "QUIET", 0.05)
    desk.job("a")

    async def follow() -> Event | None:
        async with aclosing(desk.events.stream("main", after=after)) as stream:  # type: ignore[type-var]
            assert await _next(stream) is None, "nothing of the past"
            desk.begin("a")
            while (event := await _next(stream)) is None:
                pass
            return event

    event = asyncio.run(follow())
    assert event is not None
    assert (event.id, event.type) == (2, "processing")


def test_a_library_hears_nothing_of_another(desk: Desk) -> None:
    desk.job("them", "them")
    desk.begin("them", DATA)
    desk.job("me")
    assert asyncio.run(desk.heard(1, after=0)) == [(3, "me", "starting")]
    assert asyncio.run(desk.heard(2, after=0, library="them"))[1] == (2, "them", "processing")


def test_the_end_is_told_even_when_its_event_is_gone(desk: Desk) -> None:
    desk.job("a")
    desk.end("a", "failed")
    with desk.database.session() as session:
        session.execute(sa.delete(EventRow))
    assert asyncio.run(desk.heard(9, job_id="a")) == [(None, "a", "failed")]


def test_a_long_past_comes_page_by_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "_PAGE", 3)
    for i in range(5):
        desk.job(f"x{i}")
        desk.end(f"x{i}")
    heard = asyncio.run(desk.heard(10, after=0))
    assert [number for number, _, _ in heard] == list(range(1, 11))


def test_a_slow_reader_misses_nothing_and_keeps_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.events, "_recent", type(desk.events._recent)(maxlen=4))
    monkeypatch.setattr(events_module, "_RECENT", 4)

    async def follow() -> list[int | None]:
        desk.job("q")
        async with aclosing(desk.events.stream("main", after=0)) as stream:  # type: ignore[type-var]
            heard = [await _next(stream)]
            for i in range(10):  # while it does not read
                desk.job(f"x{i}")
            while desk.events._newest < 11:
                await asyncio.sleep(0.01)
            assert len(desk.events._recent) == 4
            heard += [await _next(stream) for _ in range(10)]
        return [event.id for event in heard if event]

    assert asyncio.run(follow()) == list(range(1, 12))


def test_readers_are_told_that_the_line_lives_and_leave_nothing_behind(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "QUIET", 0.05)

    async def follow() -> None:
        stream = desk.events.stream("main")
        assert await _next(stream) is None
        waiting = asyncio.create_task(_next(stream))
        await asyncio.sleep(0.01)
        assert desk.events.readers == 1
        waiting.cancel()  # as when the reader goes away
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(0.05)
        assert desk.events.readers == 0
        assert desk.events._task is None
        assert desk.hub._bells == {}

    asyncio.run(follow())


def test_readers_are_let_go_when_the_server_stops(desk: Desk) -> None:
    async def follow() -> list[Event | None]:
        desk.job("a")
        stream = desk.events.stream("main", job_id=_id("a"))
        first = [await _next(stream)]
        desk.events.close()
        return first + [event async for event in stream]

    assert [event.type for event in asyncio.run(follow()) if event] == ["starting"]


def test_over_http(client: TestClient) -> None:  # noqa: F811
    body = {"prompt": "x", "characters": [{"image": uri(picture())}], "size": "512x512", "wait": 30}
    job = client.post("/api/v1/portrayals/generate", json=body).json()
    answer = client.get(f"/api/v1/portrayals/{job['id']}/events")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache, no-transform"
    blocks = answer.text.strip().split("\n\n")
    assert blocks[0] == "retry: 2000"
    found = [re.fullmatch(r"id: (\d+)\nevent: (\w+)\ndata: (\{.*\})", block) for block in blocks[1:]]
    assert [match and match[2] for match in found] == ["starting", "processing", "picture", "succeeded"]
    data = [json.loads(match[3]) for match in found if match]
    assert {each["id"] for each in data} == {job["id"]}
    assert data[2]["picture"]["identity"]["same_person"] is True
    assert client.get(data[2]["picture"]["url"]).status_code == 200
    last = int(found[-1][1]) if found[-1] else 0
    again = client.get(f"/api/v1/portrayals/{job['id']}/events", headers={"last-event-id": str(last - 1)})
    assert again.text.count("event:") == 1
    assert client.get(f"/api/v1/portrayals/{job['id']}/events?after={last}").status_code == 204
    both = client.get(f"/api/v1/portrayals/{job['id']}/events?after=0", headers={"last-event-id": str(last)})
    assert both.status_code == 204, "the header of who comes back goes before the address"


@pytest.mark.parametrize("after", ["x", "-1", "1.5"])
def test_a_wrong_number_is_refused(client: TestClient, after: str) -> None:  # noqa: F811
    answer = client.get(f"/api/v1/events?after={after}")
    assert (answer.status_code, answer.json()["field"]) == (422, "after")
    answer = client.get("/api/v1/events", headers={"last-event-id": after})
    assert (answer.status_code, answer.json()["field"]) == (422, "last-event-id")


def test_events_of_nothing(client: TestClient) -> None:  # noqa: F811
    assert client.get(f"/api/v1/portrayals/{'0' * 26}/events").status_code == 404
