"""The database of the library: SQLite in the data folder, or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from portrayal.errors import InvalidRequestError
from portrayal.service.migrations import upgrade
from portrayal.settings import Settings


class Database:
    """Connections and sessions. Calls block: in an event loop use a thread.

    Attributes:
        url: of the library; jobs_url: of the job system's own tables (SQLite: a file beside it).
        sqlite: which of the two.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.database_url is not None:
            self.url = sqlalchemy_url(settings.database_url.get_secret_value())
            if not self.url.startswith("postgresql+psycopg://"):
                raise InvalidRequestError(
                    "is no address of a PostgreSQL",
                    field="PORTRAYAL_DATABASE_URL",
                    remedy="Write it like postgresql://USER:PASSWORD@HOST/NAME.",
                )
            self.jobs_url, self.sqlite = self.url, False
            self.engine = sa.create_engine(self.url, pool_pre_ping=True, pool_size=20, max_overflow=20)
        else:
            settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name in ("library.sqlite", "jobs.sqlite"):  # prompts are private in a folder that others may read, too
                (settings.data_dir / name).touch(mode=0o600)
            self.url = f"sqlite:///{settings.data_dir / 'library.sqlite'}"
            self.jobs_url, self.sqlite = f"sqlite:///{settings.data_dir / 'jobs.sqlite'}", True
            self.engine = sa.create_engine(self.url, pool_size=20, max_overflow=40)
            sa.event.listen(self.engine, "connect", _pragmas)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    def migrate(self) -> None:
        """Bring the tables up to this version's.

        Raises:
            ConflictError: a newer version made them.
            InvalidRequestError: the database does not answer.
        """
        try:
            upgrade(self.url)
        except sa.exc.OperationalError as error:
            raise InvalidRequestError(
                "the database does not answer, or lets nobody in",
                field="PORTRAYAL_DATA_DIR" if self.sqlite else "PORTRAYAL_DATABASE_URL",
                remedy="See that its disk has room and its files are yours."
                if self.sqlite
                else "Start it, and see that host, name, user and password are right.",
            ) from error

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction: committed at the end, rolled back when something is raised."""
        with self._sessions.begin() as session:
            yield session

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    @property
    def now(self) -> sa.TextClause:
        """The database's clock, seconds since 1970, as an SQL expression."""
        if self.sqlite:
            return sa.text("((julianday('now') - 2440587.5) * 86400.0)")
        return sa.text("extract(epoch from clock_timestamp())::float8")


def sqlalchemy_url(url: str) -> str:
    """A PostgreSQL address with the driver that we use."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def _pragmas(connection: Any, _record: Any) -> None:
    for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
