"""Webhooks: delivered once, signed, tried again, and taken up after a stop."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from portrayal.service import webhooks
from portrayal.service.envelope import Job
from portrayal.service.keys import Caller
from portrayal.service.orders import Order, Who
from portrayal.service.service import Service, Ticket
from portrayal.service.signing import Secrets
from portrayal.service.tables import DeliveryRow
from portrayal.service.webhooks import Message, Webhook
from portrayal.settings import Settings
from tests.api.conftest import picture
from tests.fake import maker


class Receiver:
    """A listener that answers with `statuses`, then 200."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Notifier:
    """A door that tells when a job begins and ends."""

    def messages(self, job: Job, what: str, webhook: Webhook, link: Callable[[str, str], str]) -> list[Message]:
        if what not in ("processing", "succeeded"):
            return []
        pictures = [link(p.id, p.media_type) for p in job.pictures]
        return [Message(what, json.dumps({"id": job.id, "what": what, "pictures": pictures}).encode())]

    def headers(self, job: Job, message_id: str, timestamp: int, body: bytes, secrets: Secrets) -> dict[str, str]:
        return secrets.standard_webhook_headers(message_id, timestamp, body)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "DELAYS", (0.1, 0.1, 0.1))


def _service(folder: Path) -> Service:
    settings = Settings(
        data_dir=folder / "data", cache_dir=folder / "cache", fetch_private="127.0.0.1", shutdown_grace=1, slots=2
    )
    return Service(settings, maker=maker, notifiers={"test": Notifier()}).open()


async def _ordered(service: Service, url: str) -> Job:
    file = await service.take(picture(), "reference", Caller())
    ticket = Ticket(dialect="test", webhook=Webhook(url=url), base="http://here")
    job = await service.submit(Order.make(prompt="x", characters=(Who(image=file.sha256),)), Caller(), ticket)
    return await service.wait(job.id, 20)


def _rows(service: Service) -> list[DeliveryRow]:
    with service.database.session() as session:
        return list(session.scalars(sa.select(DeliveryRow).order_by(DeliveryRow.event)))


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not done():
        assert time.monotonic() < end, "it did not happen within 20 s"
        time.sleep(0.02)


@pytest.mark.usefixtures("quick")
def test_each_event_arrives_once_and_a_failed_attempt_is_repeated(tmp_path: Path, receiver: Receiver) -> None:
    import asyncio

    service = _service(tmp_path)
    try:
        receiver.statuses = [500, 503]
        job = asyncio.run(_ordered(service, receiver.url))
        _until(lambda: len(_rows(service)) == 2 and all(row.state == "delivered" for row in _rows(service)))
        bodies = [json.loads(body) for _, body in receiver.got]
        assert len(bodies) == 4
        ends = [body for body in bodies if body["what"] == "succeeded"]
        assert ends[0]["pictures"][0].startswith("http://here/files/")
        ids = {headers["webhook-id"] for headers, _ in receiver.got}
        assert ids == {row.id for row in _rows(service)}, "a repeat has the id of the first attempt"
        headers, body = receiver.got[-1]
        secrets = service.secrets.of(job.library)
        again = secrets.standard_webhook_headers(headers["webhook-id"], int(headers["webhook-timestamp"]), body)
        assert headers["webhook-signature"] == again["webhook-signature"]
        service.webhooks.changed(job, "succeeded")  # the same event once more
        time.sleep(0.3)
        assert len(receiver.got) == 4
    finally:
        service.close()


@pytest.mark.usefixtures("quick")
def test_it_gives_up_after_the_last_attempt_and_at_once_when_gone(tmp_path: Path, receiver: Receiver) -> None:
    import asyncio

    service = _service(tmp_path)
    try:
        receiver.statuses = [500] * 50
        asyncio.run(_ordered(service, receiver.url))
        _until(lambda: [row.state for row in _rows(service)] == ["failed", "failed"])
        assert [row.attempts for row in _rows(service)] == [4, 4]
        before = len(receiver.got)
        receiver.statuses = [410, 410]
        asyncio.run(_ordered(service, receiver.url))
        _until(lambda: [row.state for row in _rows(service)] == ["failed"] * 4)
        assert len(receiver.got) == before + 2
    finally:
        service.close()


def test_what_a_stopped_server_did_not_send_is_sent_after_its_start(tmp_path: Path, receiver: Receiver) -> None:
    import asyncio

    service = _service(tmp_path)
    with service.database.session() as session:
        session.execute(sa.text("SELECT 1"))
    # As if the process had died between the end of the job and the writing of its message.
    service.webhooks.changed = lambda *_: None  # type: ignore[method-assign]
    try:
        asyncio.run(_ordered(service, receiver.url))
    finally:
        service.close()
    assert not receiver.got
    service = _service(tmp_path)
    try:
        _until(lambda: bool(receiver.got))
        _until(lambda: [row.state for row in _rows(service)] == ["delivered"])
        assert json.loads(receiver.got[0][1])["what"] == "succeeded"
    finally:
        service.close()


def test_an_address_that_is_not_allowed_is_refused_when_the_job_is_ordered(tmp_path: Path) -> None:
    import asyncio

    from portrayal.service.fetching import FetchError

    service = _service(tmp_path)
    try:
        with pytest.raises(FetchError) as caught:
            asyncio.run(_ordered(service, "http://169.254.169.254/latest"))
        assert caught.value.field == "webhook"
    finally:
        service.close()
