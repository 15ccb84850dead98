"""Pages of what Replicate lists: the newest first, 100 a page, with a cursor to each side."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import sqlalchemy as sa

from portrayal.errors import InvalidRequestError
from portrayal.service import records
from portrayal.service.envelope import Job
from portrayal.service.service import Service
from portrayal.service.tables import PortrayalRow, StoredFile

SIZE: Final = 100
_CURSOR: Final = re.compile(r"([np])=([0-9a-z]{26})")

R = TypeVar("R", PortrayalRow, StoredFile)


class Page(NamedTuple):
    """One page, and the cursors of those after (older) and before (newer) it; None where there is none."""

    rows: Sequence[Any]
    next: str | None
    previous: str | None


def predictions(
    service: Service, library: str, cursor: str, after: float | None, before: float | None
) -> tuple[list[Job], Page]:
    """The jobs of a page, made through this door; `after` and `before` are seconds since 1970. Blocks.

    Raises:
        InvalidRequestError: the cursor is not one of ours.
    """
    where = [PortrayalRow.library == library, PortrayalRow.dialect == "replicate"]
    if after is not None:
        where.append(PortrayalRow.created_at >= after)
    if before is not None:
        where.append(PortrayalRow.created_at < before)
    with service.database.session() as session:
        page = _page(lambda statement: session.scalars(statement).all(), PortrayalRow, where, cursor)
        return records.jobs(session, page.rows), page


def files(service: Service, library: str, cursor: str, now: float) -> Page:
    """A page of uploads that have not expired. Blocks.

    Raises:
        InvalidRequestError: the cursor is not one of ours.
    """
    alive = sa.or_(StoredFile.expires_at.is_(None), StoredFile.expires_at > now)
    where = [StoredFile.library == library, StoredFile.purpose == "upload", alive]
    with service.database.session() as session:
        return _page(lambda statement: session.scalars(statement).all(), StoredFile, where, cursor)


def count(service: Service, library: str) -> int:
    """How many predictions a library has. Blocks."""
    where = (PortrayalRow.library == library, PortrayalRow.dialect == "replicate")
    with service.database.session() as session:
        return int(session.scalar(sa.select(sa.func.count()).select_from(PortrayalRow).where(*where)) or 0)


def _page(run: Callable[[Any], Sequence[R]], table: type[R], where: list[Any], cursor: str) -> Page:
    direction, mark = _read(cursor) if cursor else ("n", "")
    statement = sa.select(table).where(*where)
    if direction == "p":
        rows = list(run(statement.where(table.id > mark).order_by(table.id).limit(SIZE + 1)))
        more, rows = len(rows) > SIZE, rows[:SIZE][::-1]
        older, newer = bool(rows), more
    else:
        if mark:
            statement = statement.where(table.id < mark)
        rows = list(run(statement.order_by(table.id.desc()).limit(SIZE + 1)))
        more, rows = len(rows) > SIZE, rows[:SIZE]
        older, newer = more, bool(mark) and bool(rows)
    return Page(
        rows,
        _cursor("n", rows[-1].id) if older and rows else None,
        _cursor("p", rows[0].id) if newer and rows else None,
    )


def _cursor(direction: str, row_id: str) -> str:
    return base64.urlsafe_b64encode(f"{direction}={row_id}".encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[str, str]:
    try:
        text = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        text = ""
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise InvalidRequestError(
            "is no cursor of this list", field="cursor", remedy="Use `next` or `previous` of a page."
        )
    return match[1], match[2]
