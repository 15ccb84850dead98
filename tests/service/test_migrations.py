"""Migrations: from nothing, from an older revision, by several processes, and not from a newer one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from portrayal.errors import ConflictError
from portrayal.service import migrations
from portrayal.service.database import sqlalchemy_url
from portrayal.service.tables import Base
from tests.postgres import fresh_database, postgres

NEXT = '''"""A later version, for the test."""

import sqlalchemy as sa
from alembic import op

revision = "0099"
down_revision = "{last}"


def upgrade() -> None:
    again = "always" if op.get_context().dialect.name == "sqlite" else "auto"
    with op.batch_alter_table("portrayals", recreate=again) as table:
        table.add_column(sa.Column("mood", sa.String(20), nullable=False, server_default="calm"))
'''


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'library.sqlite'}"
        return
    with fresh_database(request.getfixturevalue("server"), "migrated") as found:
        yield sqlalchemy_url(found)


@pytest.fixture
def open_(url: str) -> Iterator[Callable[[], sa.Connection]]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    yield engine.connect
    engine.dispose()


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The versions of a later program."""
    folder = tmp_path / "versions"
    shutil.copytree(migrations.VERSIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "0099_mood.py").write_text(NEXT.format(last=migrations.revisions()[-1]))
    return folder


def test_models_and_migrations_agree(url: str, open_: Callable[[], sa.Connection]) -> None:
    migrations.upgrade(url)
    with open_() as connection:
        options = {
            "include_object": migrations.ours(connection.dialect.name),
            "compare_type": True,
            "target_metadata": Base.metadata,
        }
        context = MigrationContext.configure(connection, opts=options)
        different = compare_metadata(context, Base.metadata)
    assert different == [], "change the models and add a revision, both"


def test_the_comparison_would_see_a_difference(url: str, open_: Callable[[], sa.Connection]) -> None:
    migrations.upgrade(url)
    with open_() as connection:
        connection.execute(sa.text("ALTER TABLE meta ADD COLUMN more TEXT"))
        connection.execute(sa.text("DROP INDEX portrayals_library"))
        context = MigrationContext.configure(
            connection, opts={"include_object": migrations.ours(connection.dialect.name)}
        )
        assert len(compare_metadata(context, Base.metadata)) == 2


def test_revisions_are_numbered_in_a_row() -> None:
    assert migrations.revisions() == [f"{n:04}" for n in range(1, len(migrations.revisions()) + 1)]


def test_a_second_time_changes_nothing(url: str, open_: Callable[[], sa.Connection]) -> None:
    migrations.upgrade(url)
    with open_() as connection:
        connection.execute(sa.insert(Base.metadata.tables["meta"]).values(name="a", value="b"))
        connection.commit()
    migrations.upgrade(url)
    with open_() as connection:
        assert connection.scalar(sa.text("SELECT value FROM meta")) == "b"
        assert migrations.current(connection) == migrations.revisions()[-1]


def test_an_older_database_is_upgraded_with_its_data(url: str, open_: Callable[[], sa.Connection], later: Path) -> None:
    migrations.upgrade(url)
    tables = Base.metadata.tables
    given: dict[str, Any] = {
        "id": "0" * 26,
        "library": "main",
        "key_id": "",
        "dialect": "native",
        "operation": "generate",
    }
    given |= {"state": "succeeded", "priority": 1, "round": 1, "prompt": "a beach", "num_images": 1, "created_at": 1.0}
    given |= {"order": {"a": "ß"}, "wire": {}, "warnings": [], "result": {}, "starred": True}
    with open_() as connection:
        connection.execute(sa.insert(tables["portrayals"]).values(given))
        connection.execute(sa.insert(tables["tags"]).values(portrayal_id="0" * 26, tag="t", library="main"))
        connection.commit()
    migrations.upgrade(url, versions=later)
    with open_() as connection:
        row = connection.execute(sa.text("SELECT prompt, mood, starred FROM portrayals")).one()
        assert (row[0], row[1], bool(row[2])) == ("a beach", "calm", True)
        assert connection.scalar(sa.select(tables["portrayals"].c.order)) == {"a": "ß"}
        assert connection.scalar(sa.text("SELECT tag FROM tags")) == "t", "remaking a table must not cascade"
        assert migrations.current(connection) == "0099"


def test_a_database_of_a_newer_version_is_refused_and_stays_as_it_is(
    url: str, open_: Callable[[], sa.Connection], later: Path
) -> None:
    migrations.upgrade(url, versions=later)
    with pytest.raises(ConflictError, match=r"revision 0099.*newer version"):
        migrations.upgrade(url)
    with open_() as connection:
        assert migrations.current(connection) == "0099"


def test_a_migration_that_fails_leaves_the_old_database(
    url: str, open_: Callable[[], sa.Connection], later: Path
) -> None:
    migrations.upgrade(url)
    bad = later / "0099_mood.py"
    bad.write_text(bad.read_text() + '    op.execute("NO SUCH STATEMENT")\n')
    with pytest.raises(sa.exc.DBAPIError):
        migrations.upgrade(url, versions=later)
    with open_() as connection:
        assert migrations.current(connection) == migrations.revisions()[-1]
        assert "mood" not in {column["name"] for column in sa.inspect(connection).get_columns("portrayals")}


def test_processes_that_start_together_migrate_once(url: str, open_: Callable[[], sa.Connection]) -> None:
    code = "import sys; from portrayal.service.migrations import upgrade; upgrade(sys.argv[1])"
    started = [subprocess.Popen([sys.executable, "-c", code, url], stderr=subprocess.PIPE, text=True) for _ in range(4)]
    ended = [(process.communicate(timeout=120)[1], process.returncode) for process in started]
    assert ended == [("", 0)] * 4
    with open_() as connection:
        assert migrations.current(connection) == migrations.revisions()[-1]
