"""Webhooks: messages to callers about their jobs, signed as each host signs, retried from the durable queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from portrayal.service.database import Database
from portrayal.service.envelope import Job
from portrayal.service.fetching import Guard
from portrayal.service.signing import Secrets


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
    """Keeps and delivers messages."""

    def __init__(
        self,
        database: Database,
        guard: Guard,
        secrets: Secrets,
        job: Callable[[str], Job],
        notifiers: Mapping[str, Notifier],
    ) -> None:
        self._database, self._guard, self._secrets, self._job, self._notifiers = (
            database,
            guard,
            secrets,
            job,
            notifiers,
        )

    def start(self, *, deliver: bool) -> None:
        """Begin to deliver."""

    def stop(self) -> None:
        """End."""

    def changed(self, job: Job, what: str) -> None:
        """A job changed."""
