"""What ends by itself: unstarred portrayals, unused uploads, bytes that nothing refers to."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portrayal.errors import InvalidRequestError
from portrayal.service import library
from portrayal.service.blobs import GRACE, SHORTEST_GRACE, Blobs
from portrayal.service.database import Database
from portrayal.service.envelope import FINAL
from portrayal.service.ids import id_at
from portrayal.service.tables import CharacterRow, PictureRow, PortrayalRow, SourceRow, StoredFile
from portrayal.settings import Settings

log = logging.getLogger("portrayal.retention")

EVERY: Final = 3600.0
_BATCH: Final = 200
_DAY: Final = 86_400.0
_DIGESTS: Final = re.compile(r"[0-9a-f]{64}")
_INPUTS: Final = ("upload", "mask")
"""Files that are only kept for what was made from them."""


@dataclass(frozen=True)
class Collected:
    """What a garbage collection removed, or would remove.

    Attributes:
        blobs, bytes: that nothing referred to; kept: the others.
        young: not referred to, but too young to tell.
        uploads: rows of uploads that ended; temporary: half-written files.
    """

    blobs: int
    bytes: int
    kept: int
    young: int
    uploads: int
    temporary: int


@dataclass(frozen=True)
class Stats:
    """How much there is: of one library, or of all."""

    portrayals: int
    starred: int
    pictures: int
    files: int
    bytes: int
    characters: int
    by_state: dict[str, int]
    oldest: float | None
    newest: float | None


class Retention:
    """Deletes what has ended, every hour in a thread of its own, or once when asked."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._database = settings, database
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; the first time is now."""
        self._thread = threading.Thread(target=self._repeat, name="retention", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, after the batch that is being deleted."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)

    def _repeat(self) -> None:
        while True:
            try:
                self.run_once()
            except Exception:  # the database may be away; in an hour it is tried again
                log.warning("retention failed", exc_info=True)
            if self._stop.wait(EVERY):
                return

    def run_once(self) -> tuple[int, int]:
        """Delete what has ended by now; returns the numbers of portrayals and of uploads.

        Portrayals go when they ended `settings.keep_days` ago and have no star; uploads and masks when their time has
        come, or when nothing has used them for `settings.upload_days`. Bytes stay until `collect`.
        """
        portrayals = self._portrayals() if self._settings.keep_days else 0
        uploads = self._uploads()
        if portrayals or uploads:
            log.info("deleted what has ended", extra={"portrayals": portrayals, "uploads": uploads})
        return portrayals, uploads

    def _portrayals(self) -> int:
        limit = time.time() - self._settings.keep_days * _DAY
        ended = sa.select(PortrayalRow.id).where(
            PortrayalRow.id < id_at(limit),  # older by its making, so that the newest are not even looked at
            PortrayalRow.starred.is_(False),
            PortrayalRow.state.in_(FINAL),
            PortrayalRow.completed_at < limit,
        )
        total, last = 0, ""
        while not self._stop.is_set():
            with self._database.session() as session:
                batch = list(
                    session.scalars(ended.where(PortrayalRow.id > last).order_by(PortrayalRow.id).limit(_BATCH))
                )
                if batch:
                    # Somebody may give one a star meanwhile: what is locked here is looked at again.
                    still = ended.where(PortrayalRow.id.in_(batch)).with_for_update(skip_locked=True)
                    gone = list(session.scalars(still))
                    library.remove(session, gone)
                    total += len(gone)
            if not batch:
                break
            last = batch[-1]
        return total

    def _uploads(self) -> int:
        total, last = 0, ""
        while not self._stop.is_set():
            with self._database.session() as session:
                batch = ended_uploads(session, self._settings.upload_days * _DAY, last)
                if not batch:
                    return total
                last = batch[-1]
                busy = used(session, batch)
                gone = [file_id for file_id in batch if file_id not in busy]
                session.execute(sa.delete(StoredFile).where(StoredFile.id.in_(gone)))
                total += len(gone)
        return total


def ended_uploads(session: Session, keep: float, after: str = "") -> list[str]:
    """Uploads and masks whose time has come, or that are older than `keep` seconds; some may be in use."""
    now = time.time()
    expired = StoredFile.expires_at < now
    old = sa.and_(StoredFile.expires_at.is_(None), StoredFile.purpose.in_(_INPUTS), StoredFile.id < id_at(now - keep))
    statement = sa.select(StoredFile.id).where(sa.or_(expired, old), StoredFile.id > after)
    return list(session.scalars(statement.order_by(StoredFile.id).limit(_BATCH)))


def used(session: Session, file_ids: Sequence[str]) -> set[str]:
    """Those of these files that a portrayal was or will be made from, or that a character has."""
    digests: dict[str, list[str]] = {}
    for file_id, digest in session.execute(
        sa.select(StoredFile.id, StoredFile.sha256).where(StoredFile.id.in_(file_ids))
    ):
        digests.setdefault(digest, []).append(file_id)
    wanted = list(digests)
    found = set(session.scalars(sa.select(SourceRow.sha256).where(SourceRow.sha256.in_(wanted))))
    columns = (CharacterRow.reference_sha256, CharacterRow.mask_sha256, CharacterRow.thumbnail_sha256)
    for column in columns:
        found |= {digest for digest in session.scalars(sa.select(column).where(column.in_(wanted))) if digest}
    unfinished = sa.select(sa.cast(PortrayalRow.order, sa.Text)).where(PortrayalRow.state.not_in(FINAL))
    cards = sa.select(sa.cast(CharacterRow.card, sa.Text))  # all versions of the masks
    for statement in (unfinished, cards):
        for text in session.scalars(statement):
            found |= set(_DIGESTS.findall(text)) & digests.keys()
    return {file_id for digest in found for file_id in digests[digest]}


def references(session: Session) -> set[bytes]:
    """The digests of all bytes that some row refers to."""
    found: set[bytes] = set()
    columns = (
        StoredFile.sha256,
        PictureRow.sha256,
        SourceRow.sha256,
        CharacterRow.reference_sha256,
        CharacterRow.mask_sha256,
        CharacterRow.thumbnail_sha256,
    )
    for column in columns:
        for digest in session.scalars(sa.select(column).distinct().execution_options(yield_per=10_000)):
            if digest:
                found.add(bytes.fromhex(digest))
    # Masks of pictures; inputs of orders, which can be made again; all masks of a character: digests inside of JSON.
    for text_column in (PictureRow.data, PortrayalRow.order, CharacterRow.card):
        texts = sa.select(sa.cast(text_column, sa.Text)).execution_options(yield_per=10_000)
        for text in session.scalars(texts):
            found.update(bytes.fromhex(digest) for digest in _DIGESTS.findall(text))
    return found


def collect(database: Database, blobs: Blobs, *, older: float = GRACE, dry_run: bool = False) -> Collected:
    """Delete the bytes that nothing refers to.

    Args:
        older: only those that were written at least so many seconds ago, 2400 at least.
        dry_run: delete nothing.

    Raises:
        InvalidRequestError: `older` is too short for an upload that is on its way.
    """
    if older < SHORTEST_GRACE:
        raise InvalidRequestError(
            f"is shorter than {SHORTEST_GRACE / 60:.0f} minutes: a picture that is being uploaded would be lost",
            field="older",
            remedy="Leave it out, or give a longer time.",
        )
    limit = time.time() - older
    listed = list(blobs.listed())  # before the references: what is stored after this moment is not in it
    with database.session() as session:
        needed = references(session)
        expired = sa.select(StoredFile.id).where(StoredFile.expires_at < limit)
        uploads = list(session.scalars(expired))
        if not dry_run:
            for start in range(0, len(uploads), _BATCH):
                session.execute(sa.delete(StoredFile).where(StoredFile.id.in_(uploads[start : start + _BATCH])))
    unused = [blob for blob in listed if bytes.fromhex(blob.digest) not in needed]
    old = [blob for blob in unused if blob.written < limit]
    gone = [blob for blob in old if dry_run or _dropped(blobs, blob.digest, limit)]
    temporary = blobs.dangling(older)
    if not dry_run:
        for path in temporary:
            with suppress(FileNotFoundError):
                path.unlink()
    return Collected(
        blobs=len(gone),
        bytes=sum(blob.size for blob in gone),
        kept=len(listed) - len(unused),
        young=len(unused) - len(old),
        uploads=len(uploads),
        temporary=len(temporary),
    )


def _dropped(blobs: Blobs, digest: str, limit: float) -> bool:
    """Delete one, unless somebody has just stored the same bytes again."""
    written = blobs.written(digest)
    if written is None or written >= limit:
        return False
    blobs.delete(digest)
    return True


def stats(session: Session, of: str | None = None) -> Stats:
    """Numbers of a library; None = of all together."""

    def count(table: type, *where: sa.ColumnElement[bool]) -> int:
        statement = sa.select(sa.func.count()).select_from(table).where(*where)
        column = getattr(table, "library", None)
        return session.scalar(statement if of is None or column is None else statement.where(column == of)) or 0

    mine = [] if of is None else [PortrayalRow.library == of]
    pictures = sa.select(sa.func.count()).select_from(PictureRow)
    if of is not None:
        pictures = pictures.join(PortrayalRow, PortrayalRow.id == PictureRow.portrayal_id).where(*mine)
    size = sa.select(sa.func.coalesce(sa.func.sum(StoredFile.size), 0))
    states = sa.select(PortrayalRow.state, sa.func.count()).where(*mine).group_by(PortrayalRow.state)
    ends = sa.select(sa.func.min(PortrayalRow.created_at), sa.func.max(PortrayalRow.created_at)).where(*mine)
    oldest, newest = session.execute(ends).one()
    return Stats(
        portrayals=count(PortrayalRow),
        starred=count(PortrayalRow, PortrayalRow.starred.is_(True)),
        pictures=session.scalar(pictures) or 0,
        files=count(StoredFile),
        bytes=int(session.scalar(size if of is None else size.where(StoredFile.library == of)) or 0),
        characters=count(CharacterRow),
        by_state=dict(session.execute(states).all()),
        oldest=oldest,
        newest=newest,
    )
