"""The service: everything that the doors (HTTP formats, web UI, workers) share, opened and closed as one."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import logging
import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from portrayal import assets
from portrayal.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    PolicyError,
)
from portrayal.request import Request
from portrayal.service import policy, records, search
from portrayal.service.blobs import Blobs
from portrayal.service.characters import Characters
from portrayal.service.database import Database
from portrayal.service.envelope import FINAL, Job, JobError, Role, Source
from portrayal.service.events import Events
from portrayal.service.fetching import Guard, data_uri
from portrayal.service.files import File, Files
from portrayal.service.hub import Hub
from portrayal.service.ids import new_id
from portrayal.service.jobs import Jobs
from portrayal.service.keys import Caller, Keys
from portrayal.service.library import Library
from portrayal.service.looking import Looking
from portrayal.service.masks import Masks
from portrayal.service.metrics import Metrics
from portrayal.service.orders import Order
from portrayal.service.retention import Retention
from portrayal.service.secrets_store import shared_secrets
from portrayal.service.tables import PictureRow, PortrayalRow, RunRow, SourceRow, StoredFile
from portrayal.service.webhooks import Notifier, Webhook, Webhooks
from portrayal.service.work import Maker, Work
from portrayal.settings import Settings

log = logging.getLogger("portrayal.service")

DAY = 86_400.0
_AT_HAND = 64  # finished jobs that are kept in memory for a moment
_REPEAT = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True)
class Ticket:
    """How a job is ordered, besides what shall be made.

    Attributes:
        dialect: the door.
        wire: what the door must remember; plain JSON values, no secrets.
        webhook: who is told.
        idempotency_key: the same key with the same order gives the same job.
        idempotency_of: the request's own content, to tell a repeated one from another; the order when None.
        priority: 0 first, 1 usual, 2 last.
        max_in_flight: the door's limit, where the key has none.
        bases: address that the caller used, to make links for webhooks.
        sources: the pictures' roles, for the lineage; see `Service.submit`.
    """

    dialect: str = "native"
    wire: Mapping[str, Any] | None = None
    webhook: Webhook | None = None
    idempotency_key: str | None = None
    idempotency_of: str | None = None
    priority: int = 1
    max_in_flight: int | None = None
    base: str = ""


class Service:
    """One installation in one process.

    Args:
        settings: of it.
        work: whether this process makes pictures too.
        maker: what makes them; `portrayal.pipeline.portray` unless a test says otherwise.
        notifiers: how each door words and signs its webhooks.
        keys_needed: whether callers need a key.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        work: bool = True,
        maker: Maker | None = None,
        notifiers: Mapping[str, Notifier] | None = None,
        keys_needed: bool = False,
    ) -> None:
        self.settings = settings
        self.database = Database(settings)
        self.database.migrate()
        self.blobs = Blobs(settings)
        self.secrets = shared_secrets(self.database, settings)
        self.files = Files(settings, self.database, self.blobs, self.secrets)
        self.keys = Keys(self.database, needed=keys_needed)
        self.characters = Characters(settings, self.database, self.blobs)
        self.library = Library(self.database)
        self.retention = Retention(settings, self.database)
        self.masks = Masks(self.files)
        self.looking = Looking(settings, self.files)
        self.rules = _rules(settings.policy_file) if settings.policy else None
        self.metrics = Metrics()
        private = tuple(part.strip() for part in settings.fetch_private.split(",") if part.strip())
        self.guard = Guard(allow_private=private, max_bytes=settings.max_upload_bytes, timeout=settings.fetch_timeout)
        self.hub = Hub()
        self.events = Events(self.database, self.hub)
        self._ordering = threading.Lock()
        self._finished: dict[str, Job] = {}  # the last ones, for those who wait for them
        self.webhooks = Webhooks(self.database, self.guard, self.secrets, self.files, self.job, notifiers or {})
        self._maker = maker or _pipeline
        self.work = Work(settings, self.database, self.blobs, self._maker, self._judge_rewritten, self._changed)
        self.jobs = Jobs(
            self.database,
            self.work,
            self._abandoned,
            self.hub,
            slots=settings.slots or max(1, (os.cpu_count() or 2) // 2),
            work=work,
            ttl=settings.worker_ttl,
        )

    def open(self) -> Service:
        """Start to work. Blocks for a moment."""
        self.jobs.start()
        self.webhooks.start(deliver=self.jobs.work)
        if self.jobs.work:
            self.retention.start()
        if self.jobs.work:
            threading.Thread(target=_warmed, args=(self._maker, self.settings), name="warming", daemon=True).start()
        return self

    def hush(self) -> None:
        """Begin to end: start no further job, and let those go who wait or listen. Call it in the event loop."""
        self.events.close()
        self.jobs.hush()
        for job_id in self.hub.awaited():
            self.hub.ring(job_id, ended=True)

    def close(self) -> None:
        """End: running pictures are finished or handed back."""
        self.retention.stop()
        self.webhooks.stop()
        self.jobs.stop(self.settings.shutdown_grace)
        self.database.close()

    # Pictures that callers give.

    async def take(
        self, given: str | bytes, field: str, caller: Caller, *, bases: tuple[str, ...] = (), name: str = ""
    ) -> File:
        """A picture that a caller gave: bytes, a data URI, one of our own addresses, or a URL that is fetched.

        Args:
            bases: addresses under which the caller reaches this very server, without a slash at the end.

        Raises:
            FetchError, ImageReadError, ImageTooLargeError, NotFoundError: it cannot be had; `field` is named.
        """
        if isinstance(given, bytes):
            return await asyncio.to_thread(self.files.take, given, field, caller.library, name=name)
        text = given.strip()
        if text[:5].lower() == "data:":
            data = await asyncio.to_thread(data_uri, text, field, self.settings.max_upload_bytes)
            return await asyncio.to_thread(self.files.take, data, field, caller.library, name=name)
        try:
            own = await asyncio.to_thread(self.files.own, text, bases, caller.library)
        except NotFoundError as error:
            raise InvalidRequestError(error.message, field=field, remedy=error.remedy) from None
        if own is not None:
            # Another library's address that somebody passed on: what is made of it, masks say, is the caller's.
            return replace(own, library=caller.library)
        data = await self.guard.image(text, field)
        return await asyncio.to_thread(self.files.take, data, field, caller.library, name=name)

    # Jobs.

    async def submit(
        self, order: Order, caller: Caller, ticket: Ticket, roles: Sequence[tuple[Role, File]] = ()
    ) -> Job:
        """Order a job. `@names` in the prompt are resolved now, so that later changes of a character do not matter.

        Args:
            order: what; characters that only the prompt mentions are added.
            roles: the pictures that were given, for lineage and policy.

        Raises:
            PolicyError, LimitError, ForbiddenError, ConflictError, UnknownCharacterError, InvalidRequestError.
        """
        if ticket.idempotency_key is not None and not _REPEAT.fullmatch(ticket.idempotency_key):
            raise InvalidRequestError(
                "has 1 to 255 visible characters", field="Idempotency-Key", remedy="Take e.g. a UUID."
            )
        if ticket.webhook is not None:
            await self.guard.check(ticket.webhook.url, "webhook", https_only=ticket.webhook.https_only)
        return await asyncio.to_thread(self._ordered, order, caller, ticket, roles)

    async def wait(self, job_id: str, timeout: float) -> Job:
        """The job, as soon as it is final; as it is after `timeout` seconds, or when the server stops before it."""
        deadline = time.monotonic() + timeout
        with self.hub.listen(job_id, ended=True) as bell:
            while True:
                state = await asyncio.to_thread(self._state, job_id)
                left = deadline - time.monotonic()
                nobody = state == "starting" and self.jobs.stopping.is_set()  # nobody here will make it now
                if state in FINAL or left <= 0 or nobody:
                    return await asyncio.to_thread(self.job, job_id)
                # Who is woken by the end gets the job as it was read then: at that moment the next picture begins, and
                # each look at the database would wait for the interpreter.
                if await bell.wait(min(left, 5.0)) and (job := self._finished.get(job_id)) is not None:
                    return job

    def job(self, job_id: str, caller: Caller | None = None) -> Job:
        """The job of an id; `caller` None = of any library.

        Raises:
            NotFoundError: there is none in the caller's library.
        """
        with self.database.session() as session:
            # PostgreSQL takes no NUL in a text; an id of anything but letters and digits is none of ours.
            row = session.get(PortrayalRow, job_id) if job_id.isalnum() else None
            if row is None or (caller is not None and row.library != caller.library):
                raise NotFoundError("there is no such job", field="id", remedy="It may have been deleted.")
            return records.jobs(session, [row])[0]

    def cancel(self, job_id: str, caller: Caller) -> Job:
        """Cancel a job; one that has ended stays as it is.

        Raises:
            NotFoundError: there is none.
        """
        job = self.job(job_id, caller)
        if job.final:
            return job
        self.work.end(job_id, "canceled")
        self.jobs.cancel(job_id)
        return self.job(job_id)

    def delete(self, job_id: str, caller: Caller) -> None:
        """Delete a job with its pictures; one that is not finished is canceled first.

        Raises:
            NotFoundError: there is none.
        """
        self.cancel(job_id, caller)
        self.library.delete(job_id, caller.library)

    # Inside.

    def _ordered(self, order: Order, caller: Caller, ticket: Ticket, roles: Sequence[tuple[Role, File]]) -> Job:
        """Write a job down and queue it. A process that dies in between leaves it to `Jobs`, which looks for such."""
        try:
            job, fresh = self._written(order, caller, ticket, roles)
        except sa.exc.IntegrityError:
            if ticket.idempotency_key is None:
                raise
            job, fresh = self._written(order, caller, ticket, roles)  # another call with its key came first: find it
        if fresh:
            self.jobs.submit(job.id, job.priority, job.wire["_round"])
            self.metrics.submitted(ticket.dialect, order.operation)
        return job

    def _written(
        self, order: Order, caller: Caller, ticket: Ticket, roles: Sequence[tuple[Role, File]]
    ) -> tuple[Job, bool]:
        if "create" not in caller.scopes:
            raise ForbiddenError("this key may not make pictures", remedy="Use a key with the scope create.")
        order, saved = self.characters.resolved(order, caller.library)
        self._judge(order, roles)
        self.files.keep(order.digests(), caller.library)
        job_id, now = new_id(), time.time()
        content = ticket.idempotency_of or f"{ticket.dialect} {order.model_dump_json()}"
        with self._ordering, self.database.session() as session:
            if not self.database.sqlite:  # the same lock for all processes: a key's orders are counted one by one
                session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(caller.key_id))))
            known = self._repeated(session, caller, ticket, content)
            if known is not None:
                return known, False
            self._limits(session, order, caller, ticket)
            turn = self.jobs.turn(session, caller.key_id, ticket.priority)
            wire = {**(ticket.wire or {}), "_base": ticket.base, "_round": turn}
            if ticket.webhook is not None:
                wire["_webhook"] = ticket.webhook.model_dump()
            row = PortrayalRow(
                id=job_id,
                library=caller.library,
                key_id=caller.key_id,
                dialect=ticket.dialect,
                operation=order.operation,
                state="starting",
                priority=ticket.priority,
                round=turn,
                prompt=order.prompt,
                order=order.model_dump(mode="json"),
                wire=wire,
                num_images=order.num_images,
                warnings=[],
                result={},
                idempotency_key=ticket.idempotency_key,
                idempotency_hash=_digest(content) if ticket.idempotency_key else None,
                created_at=now,
            )
            session.add(row)
            session.flush()
            session.add(RunRow(id=job_id))
            sources = self._sources(session, job_id, roles, saved)
            search.write(session, job_id)
            job = records.jobs(session, [row], brief=True)[0].model_copy(update={"sources": sources})
            records.event(session, job_id, caller.library, "starting", {}, now)
            return job, True

    def _judge(self, order: Order, roles: Sequence[tuple[Role, File]]) -> None:
        if self.rules is None:
            return
        hashes = {(file.sha256, file.fingerprint) for _, file in roles}
        if self.rules.sha256s or self.rules.dhashes:  # saved characters' pictures too, which only the prompt may name
            with self.database.session() as session:
                known = sa.select(StoredFile.sha256, StoredFile.fingerprint).where(
                    StoredFile.sha256.in_(order.digests())
                )
                hashes |= {(digest, fingerprint) for digest, fingerprint in session.execute(known)}
        self._decide(
            order.prompt,
            negative_prompt=order.negative_prompt,
            people=bool(order.characters) or order.image is not None,
            picture_hashes=sorted(hashes),
            rules=self.rules,
        )

    def _judge_rewritten(self, request: Request, prompt: str) -> None:
        """Judge a prompt that a language model wrote after the request was judged."""
        if self.rules is not None:
            self._decide(
                prompt,
                negative_prompt=request.negative_prompt,
                people=bool(request.characters) or request.image is not None,
                rules=self.rules,
            )

    def _decide(self, prompt: str, **about: Any) -> None:
        verdict = policy.judge(prompt, **about)
        self.metrics.judged(verdict.category or "allowed")
        if not verdict.allowed:
            reason = verdict.reason[:1].lower() + verdict.reason[1:].rstrip(".")  # as all messages are, before a remedy
            raise PolicyError(reason, category=verdict.category, remedy="Ask for another picture.")

    def _repeated(self, session: Any, caller: Caller, ticket: Ticket, content: str) -> Job | None:
        if ticket.idempotency_key is None:
            return None
        row = session.scalar(
            sa.select(PortrayalRow).where(
                PortrayalRow.library == caller.library,
                PortrayalRow.key_id == caller.key_id,
                PortrayalRow.idempotency_key == ticket.idempotency_key,
            )
        )
        if row is None:
            return None
        if row.idempotency_hash != _digest(content):
            raise ConflictError(
                "this idempotency key was used for another request",
                field="Idempotency-Key",
                remedy="Take a new one for each request.",
            )
        return records.jobs(session, [row])[0]

    def _limits(self, session: Any, order: Order, caller: Caller, ticket: Ticket) -> None:
        most = caller.max_in_flight or ticket.max_in_flight or self.settings.max_queued
        mine = sa.select(sa.func.count()).select_from(PortrayalRow).where(PortrayalRow.key_id == caller.key_id)
        if session.scalar(mine.where(PortrayalRow.state.not_in(FINAL))) >= most:
            raise LimitError(
                f"{most} jobs of this key are in flight",
                reason="inflight_limit",
                limit=most,
                retry_after=2,
                remedy="Wait until one has ended.",
            )
        if caller.daily is None:
            return
        made = sa.select(sa.func.coalesce(sa.func.sum(PortrayalRow.num_images), 0)).where(
            PortrayalRow.key_id == caller.key_id,
            PortrayalRow.created_at > time.time() - DAY,
            PortrayalRow.state.not_in(("failed", "canceled")),
        )
        if session.scalar(made) + order.num_images > caller.daily:
            raise LimitError(
                f"the {caller.daily} pictures of this key's day are used up",
                reason="daily_limit",
                limit=caller.daily,
                retry_after=3600,
                remedy="Try again later, or ask the operator for more.",
            )

    def _sources(
        self, session: Any, job_id: str, roles: Sequence[tuple[Role, File]], saved: Mapping[str, str]
    ) -> tuple[Source, ...]:
        """Lineage: `saved` maps digests of saved characters' pictures to the characters."""
        given = [Source(role=role, sha256=file.sha256, picture=_picture(session, file)) for role, file in roles]
        there = {source.sha256 for source in given}
        given = [s.model_copy(update={"character": saved.get(s.sha256, "")}) for s in given]
        given += [Source(role="reference", sha256=d, character=c) for d, c in saved.items() if d not in there]
        for position, source in enumerate(given):
            session.add(SourceRow(portrayal_id=job_id, position=position, **source.model_dump()))
        return tuple(given)

    def _changed(self, job_id: str, what: str, told: bool) -> None:
        """After a job changed: wake those who wait, tell webhooks and counters."""
        job = None
        with contextlib.suppress(NotFoundError, sa.exc.DBAPIError):  # this must not end a job; webhooks look again
            job = self.job(job_id) if told else None
            if job is not None and job.final:
                self._finished[job_id] = job
                while len(self._finished) > _AT_HAND:
                    self._finished.pop(next(iter(self._finished)), None)
        self.hub.ring(job_id, ended=what in FINAL)
        if job is None:
            return
        with contextlib.suppress(NotFoundError, sa.exc.DBAPIError):
            if job.final:
                self.metrics.ended(job)
            self.webhooks.changed(job, what)

    def _state(self, job_id: str) -> str:
        with self.database.session() as session:
            return session.scalar(sa.select(PortrayalRow.state).where(PortrayalRow.id == job_id)) or "failed"

    def _abandoned(self, job_id: str, why: str) -> None:
        error = JobError(type="internal", message=f"the job was given up: {why}", remedy="Try again.")
        self.work.end(job_id, "failed", error=error)


def _picture(session: Any, file: File) -> str:
    """The library's own picture that a file is, if any."""
    return str(session.scalar(sa.select(PictureRow.id).where(PictureRow.id == file.id)) or "")


_rules = functools.cache(policy.Rules.load)  # half a second, the same for all services of a process


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _pipeline(*args: Any, **kwargs: Any) -> Any:
    from portrayal.pipeline import portray  # OpenCV and numba: only in a process that makes pictures

    return portray(*args, **kwargs)


def _warmed(maker: Maker, settings: Settings) -> None:
    """Make a small picture of the sample, so that nobody's first picture waits for models and kernels to load."""
    sample = assets.path("sample/astronaut.png").read_bytes()
    request = Request.make(prompt="portrait in a forest", reference=sample, size=(512, 512), speed="turbo", seed=1)
    quiet = settings.model_copy(update={"cache": False, "credentials": False})
    try:
        maker(
            request, settings=quiet, progress=lambda *_: None, finished={}, done=lambda *_: None, judge=lambda _: None
        )
    except Exception:  # a job will fail in the same way, and tell its caller why
        log.warning("the engine did not warm up", exc_info=True)
