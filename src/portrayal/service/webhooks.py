"""Webhooks: messages to callers about their jobs, signed as each host signs, retried from the durable queue."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import sqlalchemy as sa
from dbos import DBOS, SetEnqueueOptions, SetWorkflowID
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import IntegrityError

from portrayal.errors import PortrayalError
from portrayal.service.database import Database
from portrayal.service.envelope import FINAL, Job
from portrayal.service.fetching import Guard
from portrayal.service.files import Files
from portrayal.service.ids import id_at, new_id
from portrayal.service.signing import Secrets
from portrayal.service.tables import DeliveryRow, PortrayalRow

log = logging.getLogger("portrayal.webhooks")

QUEUE: Final = "webhooks"
DELAYS: Final = (2, 5, 15, 60, 180, 300, 600, 1200, 1800, 3600)
"""Seconds before each further attempt: ten within about two hours, as the hosts do."""
TIMEOUT: Final = 15.0
_GONE: Final = 410
_LOOK_BACK: Final = 86_400.0
_running: Webhooks | None = None


class Webhook(BaseModel):
    """Who is told of what.

    Attributes:
        url: where to; events: names of the door's own events, empty = its usual ones.
        https_only: the host takes no other addresses.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    url: str
    events: tuple[str, ...] = ()
    https_only: bool = False


@dataclass(frozen=True)
class Message:
    """One message: the event's name, which is unique for the job, and the body."""

    event: str
    body: bytes
    content_type: str = "application/json"


class Notifier(Protocol):
    """How one door words and signs its messages.

    `messages` is called when a job changed (`what` is "processing", "picture" or a final state), in the process that
    made the job; it must give the same messages for the same change.
    """

    def messages(self, job: Job, what: str, webhook: Webhook, link: Callable[[str, str], str]) -> list[Message]:
        """What to send; `link` makes the address of a file from its id and media type."""
        ...

    def headers(self, job: Job, message_id: str, timestamp: int, body: bytes, secrets: Secrets) -> dict[str, str]:
        """The host's own headers, signature included."""
        ...


class Webhooks:
    """Keeps and delivers messages.

    A message is a row first, then one durable workflow for each attempt; a failed one puts the next into the queue with
    a delay. A message that arrived is never sent again; when a worker dies between the answer and its note, the repeat
    carries the same id, by which receivers of the Standard Webhooks know it.
    """

    def __init__(
        self,
        database: Database,
        guard: Guard,
        secrets: Secrets,
        files: Files,
        job: Callable[[str], Job],
        notifiers: Mapping[str, Notifier],
    ) -> None:
        self._database, self._guard, self._secrets, self._files = database, guard, secrets, files
        self._job, self._notifiers = job, notifiers

    def start(self, *, deliver: bool) -> None:
        """Begin to deliver; call it after the jobs have started. What a stopped process left is taken up."""
        global _running
        _running = self
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=16,
            polling_interval_sec=1.0,
            on_conflict="always_update" if deliver else "never_update",
        )
        if deliver:
            self._take_up()

    def stop(self) -> None:
        """End; attempts that run are ended or recovered by the jobs' own stop."""
        global _running
        _running = None

    def changed(self, job: Job, what: str) -> None:
        """A job changed: write its messages down, and send them."""
        given = job.wire.get("_webhook")
        notifier = self._notifiers.get(job.dialect)
        if given is None or notifier is None:
            return
        webhook = Webhook.model_validate(given)
        base = str(job.wire.get("_base", ""))

        def link(file_id: str, media_type: str) -> str:
            return self._files.address(file_id, media_type, base)

        for message in notifier.messages(job, what, webhook, link):
            row = DeliveryRow(
                id=new_id(),
                portrayal_id=job.id,
                event=message.event,
                dialect=job.dialect,
                url=webhook.url,
                content_type=message.content_type,
                body=message.body.decode(),
                created_at=time.time(),
            )
            try:
                with self._database.session() as session:
                    session.add(row)
            except IntegrityError:
                continue  # this event was told before, by a run that died later
            _begin(row.id, 0)

    def attempt(self, delivery_id: str, number: int) -> None:
        """Send a message once; called by the workflow."""
        with self._database.session() as session:
            row = session.get(DeliveryRow, delivery_id)
        if row is None or row.state != "waiting" or row.attempts > number:
            return
        status = self._sent(row)
        arrived = status is not None and 200 <= status < 300
        over = arrived or status == _GONE or number >= len(DELAYS)
        with self._database.session() as session:
            session.execute(
                sa.update(DeliveryRow)
                .where(DeliveryRow.id == delivery_id)
                .values(
                    attempts=number + 1,
                    status=status,
                    state="delivered" if arrived else "failed" if over else "waiting",
                    delivered_at=time.time() if arrived else None,
                )
            )
        if not over:
            log.info("a webhook did not arrive", extra={"delivery": delivery_id, "status": status, "attempt": number})
            _begin(delivery_id, number + 1)

    def _sent(self, row: DeliveryRow) -> int | None:
        """The receiver's HTTP status; None when it could not be reached."""
        body = row.body.encode()
        try:
            job = self._job(row.portrayal_id)
            secrets = self._secrets.of(job.library)
            headers = self._notifiers[row.dialect].headers(job, row.id, int(time.time()), body, secrets)
            headers = {"content-type": row.content_type, "user-agent": "portrayal", **headers}
            return asyncio.run(self._guard.post(row.url, body, headers, timeout=TIMEOUT))
        except PortrayalError:
            return None

    def _take_up(self) -> None:
        """What was written down and never sent, and ends of jobs that were never written down."""
        with self._database.session() as session:
            waiting = session.execute(
                sa.select(DeliveryRow.id, DeliveryRow.attempts).where(DeliveryRow.state == "waiting")
            ).all()
            ended = session.scalars(
                sa.select(PortrayalRow)
                .where(PortrayalRow.id > id_at(time.time() - _LOOK_BACK), PortrayalRow.state.in_(FINAL))
                .where(PortrayalRow.dialect.in_(self._notifiers))
            ).all()
            told = [row.id for row in ended if "_webhook" in row.wire]
        for delivery_id, attempts in waiting:
            _begin(delivery_id, attempts)
        for job_id in told:
            job = self._job(job_id)
            self.changed(job, job.state)


def _begin(delivery_id: str, number: int) -> None:
    """Start an attempt: the first one at once, the others after their delay. Starting it twice is starting it once."""
    with SetWorkflowID(f"webhook-{delivery_id}-{number}"):
        if number == 0:
            DBOS.start_workflow(_deliver, delivery_id, number)
            return
        with SetEnqueueOptions(delay_seconds=DELAYS[number - 1]):
            DBOS.enqueue_workflow(QUEUE, _deliver, delivery_id, number)


@DBOS.workflow(name="deliver")
def _deliver(delivery_id: str, number: int) -> None:
    if _running is None:
        raise SystemExit  # the process stops: DBOS leaves the workflow to the next worker
    _running.attempt(delivery_id, number)
