"""Which portrayals a page of the library holds: words and filters as one query of the full-text index.

SQLite: FTS5 gives the rows of all words and marks in falling order as it finds them, so a page costs what it shows,
for common words too. PostgreSQL: a GIN index knows no order. So first the newest portrayals are looked at in their
order, a bounded number of them: a common combination fills the page there. Only what is rare goes to the index, and
its few matches are sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portrayal.service import ids, search
from portrayal.service.envelope import FINAL
from portrayal.service.ids import id_at
from portrayal.service.tables import PortrayalRow, SearchRow

WALKED: Final = 4000
"""Portrayals that PostgreSQL looks at in their order before it asks the index."""


@dataclass(frozen=True)
class Filters:
    """What a page shows; all of them together.

    Attributes:
        search: words as a user types them: all of them, the last also as a beginning, quoted ones in that order.
        tags: all of these.
        character: id of a saved character.
        parent: id of a portrayal that these were made from.
        since, until: seconds since 1970; from (inclusive) and up to (exclusive).
    """

    search: str = ""
    tags: tuple[str, ...] = ()
    starred: bool | None = None
    operation: str | None = None
    state: str | None = None
    character: str | None = None
    parent: str | None = None
    since: float | None = None
    until: float | None = None

    def marks(self) -> list[str]:
        """The filters as words of the index."""
        found = [search.mark("tag", tag) for tag in self.tags]
        named: tuple[tuple[search.MarkKind, str | None], ...] = (
            ("operation", self.operation),
            ("character", self.character),
            ("parent", self.parent),
        )
        found += [search.mark(kind, value) for kind, value in named if value is not None]
        if self.state is not None:
            found.append(search.mark("state", self.state if self.state in FINAL else search.ACTIVE))
        if self.starred is not None:
            found.append(search.mark("starred", "yes" if self.starred else "no"))
        return found


def find(session: Session, library: str, filters: Filters, place: str | None, *, newer: bool, limit: int) -> list[str]:
    """Ids of portrayals beside a place: the newest older ones in falling order, or the next newer ones in rising.

    Args:
        place: an id; None = the end.
    """
    low = None if filters.since is None else id_at(filters.since)
    high = None if filters.until is None else id_at(filters.until)
    if place is not None and newer:
        low = max(low or "", place + "0")  # what sorts right behind it
    elif place is not None:
        high = place if high is None else min(high, place)
    phrases, marks = search.parsed(filters.search), filters.marks()
    span = _Span(low, high, newer, limit)
    if not phrases and not marks:
        return _plain(session, library, span)
    active = filters.state if filters.state is not None and filters.state not in FINAL else None
    marks = [search.mark("library", library), *marks]
    if session.get_bind().dialect.name == "sqlite":
        expansions = search.expanded(session, phrases)
        query = search.match(phrases, marks, sqlite=True, expansions=expansions)
        return _fts5(session, query, span, active)
    return _tsvector(session, library, search.match(phrases, marks, sqlite=False), span, active)


@dataclass(frozen=True)
class _Span:
    """Ids from `low` (inclusive) up to `high` (exclusive), in rising or falling order."""

    low: str | None
    high: str | None
    rising: bool
    limit: int

    def within(self, column: Any) -> list[Any]:
        limits = [] if self.low is None else [column >= self.low]
        return limits + ([] if self.high is None else [column < self.high])

    def order(self, column: Any) -> Any:
        return column.asc() if self.rising else column.desc()


def _plain(session: Session, library: str, span: _Span) -> list[str]:
    column = PortrayalRow.id
    statement = sa.select(column).where(PortrayalRow.library == library, *span.within(column))
    return list(session.scalars(statement.order_by(span.order(column)).limit(span.limit)))


def _fts5(session: Session, query: str, span: _Span, active: str | None) -> list[str]:
    """The index's rows have the numbers of the ids; FTS5 gives them in their order and seeks to where they begin."""
    where, values = ["search_fts MATCH :query"], {"query": query, "limit": span.limit}
    if span.low is not None:
        where.append("search_fts.rowid >= :low")
        values["low"] = ids.number(span.low[:26]) + (len(span.low) > 26)
    if span.high is not None:
        where.append("search_fts.rowid < :high")
        values["high"] = ids.number(span.high)
    join = ""
    if active is not None:
        join = "JOIN portrayals ON portrayals.id = search.portrayal_id"
        where.append("portrayals.state = :state")
        values["state"] = active
    statement = (
        f"SELECT search.portrayal_id FROM search_fts CROSS JOIN search ON search.number = search_fts.rowid {join} "  # noqa: S608
        f"WHERE {' AND '.join(where)} ORDER BY search_fts.rowid {'ASC' if span.rising else 'DESC'} LIMIT :limit"
    )
    return list(session.scalars(sa.text(statement), values))


def _tsvector(session: Session, library: str, query: str, span: _Span, active: str | None) -> list[str]:
    column = SearchRow.portrayal_id
    asked = sa.cast(sa.literal(query), sa.dialects.postgresql.TSQUERY)
    walked = (
        sa.select(column, SearchRow.words)
        .where(SearchRow.library == library, *span.within(column))
        .order_by(span.order(column))
        .limit(WALKED)
        .subquery()
    )
    first = sa.select(walked.c.portrayal_id).where(walked.c.words.bool_op("@@")(asked))
    if active is not None:
        first = first.join(PortrayalRow, PortrayalRow.id == walked.c.portrayal_id).where(PortrayalRow.state == active)
    found = list(session.scalars(first.order_by(span.order(walked.c.portrayal_id)).limit(span.limit)))
    if len(found) == span.limit:
        return found
    # The place where the walk ended; None: it saw all there is.
    last = session.scalar(
        sa.select(column)
        .where(SearchRow.library == library, *span.within(column))
        .order_by(span.order(column))
        .offset(WALKED - 1)
        .limit(1)
    )
    if last is None:
        return found
    rest = _Span(last + "0" if span.rising else span.low, span.high if span.rising else last, span.rising, 0)
    # OFFSET 0 keeps the planner from walking on in the order, which it likes to do for a LIMIT.
    matches = sa.select(column).where(SearchRow.words.bool_op("@@")(asked), *rest.within(column)).offset(0).subquery()
    second = sa.select(matches.c.portrayal_id)
    if active is not None:
        second = second.join(PortrayalRow, PortrayalRow.id == matches.c.portrayal_id)
        second = second.where(PortrayalRow.state == active)
    second = second.order_by(span.order(matches.c.portrayal_id)).limit(span.limit - len(found))
    return found + list(session.scalars(second))
