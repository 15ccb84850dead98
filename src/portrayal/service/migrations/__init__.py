"""Migrations of the library's tables, run when a database is opened.

To change the tables: change `tables.py`, add `versions/NNNN_what.py` (the next number is its revision), and run the
tests: they say whether the models and the migrations agree, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from portrayal.errors import ConflictError

HERE: Final = Path(__file__).parent
VERSIONS: Final = HERE / "versions"
_LOCK: Final = 7254001  # of PostgreSQL: one process migrates, the others wait


def revisions(versions: Path = VERSIONS) -> list[str]:
    """The revisions that this program knows, the oldest first: the numbers that the files begin with."""
    return sorted(path.name.split("_")[0] for path in versions.glob("[0-9]*_*.py"))


def current(connection: sa.Connection) -> str | None:
    """The revision of a database; None for an empty one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def upgrade(url: str, *, versions: Path = VERSIONS, to: str = "head") -> None:
    """Bring a database up to a revision; several processes may do so at the same time.

    Raises:
        ConflictError: a newer version of the program made the database.
    """
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    known = revisions(versions)
    target = known[-1] if to == "head" else to
    with engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        found = current(connection)
    if found == target:
        return
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # Foreign keys are off on this connection, as tables are made anew by some migrations.
            connection.exec_driver_sql("PRAGMA busy_timeout=60000")
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = current(connection)  # another process may have been faster
        if found is not None and found not in known:
            raise ConflictError(
                f"the database is of revision {found}, and this program knows {known[-1]} at most: a newer version of "
                "Portrayal made it",
                field="database",
                remedy="Install that version or a later one, or use another database.",
            )
        if found != target:
            _run(connection, versions, target)
        connection.commit()


def _run(connection: sa.Connection, versions: Path, target: str) -> None:
    from alembic import command  # only where there is something to do: it takes a while to load

    command.upgrade(config(connection, versions), target)


def config(connection: sa.Connection, versions: Path = VERSIONS) -> Any:
    """The settings of Alembic, for a connection whose transaction somebody else begins and ends."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(HERE).replace("%", "%%"))
    made.set_main_option("path_separator", "newline")
    made.set_main_option("version_locations", str(versions).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def ours(dialect: str) -> Callable[..., bool]:
    """What Alembic compares: not the full-text table and what SQLite keeps for it, nor the job system's tables."""
    from portrayal.service.tables import Base

    def included(_thing: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        if kind == "table":
            return name in Base.metadata.tables
        # On SQLite the full-text table is that index.
        return not (kind == "index" and name == "search_words" and dialect == "sqlite")

    return included
