"""What ends by itself, and what garbage collection takes and leaves."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from portrayal import cli
from portrayal.errors import InvalidRequestError
from portrayal.service.blobs import GRACE, Blobs
from portrayal.service.database import Database
from portrayal.service.ids import id_at, new_id
from portrayal.service.library import Library
from portrayal.service.retention import Retention, collect, stats
from portrayal.service.tables import CharacterRow, PictureRow, PortrayalRow, SourceRow, StoredFile
from portrayal.settings import Settings
from tests.service.test_library import put

DAY = 86_400.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, keep_days=10, upload_days=7)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    made = Database(settings)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def blobs(settings: Settings) -> Blobs:
    return Blobs(settings)


def left(database: Database) -> set[str]:
    with database.session() as session:
        return set(session.scalars(sa.select(PortrayalRow.id)))


def stored(
    database: Database, digest: str, *, purpose: str = "upload", age: float = 0.0, expires: float | None = None
) -> str:
    """A file's row; `age` in seconds, `expires` in seconds from now."""
    now = time.time()
    file_id = id_at(now - age)[:10] + new_id()[10:]
    with database.session() as session:
        session.add(
            StoredFile(
                id=file_id,
                library="main",
                sha256=digest,
                media_type="image/png",
                size=1,
                width=8,
                height=8,
                purpose=purpose,
                notes=[],
                created_at=now - age,
                expires_at=None if expires is None else now + expires,
            )
        )
    return file_id


def there(database: Database, file_id: str) -> bool:
    with database.session() as session:
        return session.get(StoredFile, file_id) is not None


def age(blobs: Blobs, *digests: str) -> None:
    """Make bytes old."""
    assert blobs.folder is not None
    for digest in digests:
        os.utime(blobs.folder / digest[:2] / digest, (1e9, 1e9))


# Retention.


def test_only_old_finished_portrayals_without_a_star_go(database: Database, settings: Settings) -> None:
    long_ago = time.time() - 11 * DAY
    old = put(database, "main", at=long_ago)
    failed = put(database, "other", state="failed", at=long_ago)
    starred = put(database, "main", at=long_ago)
    Library(database).update(starred, "main", starred=True)
    waiting = put(database, "main", state="starting", at=long_ago)
    young = put(database, "main", at=time.time() - 9 * DAY)
    late = put(database, "main", at=long_ago)
    with database.session() as session:
        session.execute(
            sa.update(PortrayalRow).where(PortrayalRow.id == late).values(completed_at=time.time() - 5 * DAY)
        )
    assert Retention(settings, database).run_once() == (2, 0)
    assert left(database) == {starred, waiting, young, late}
    with database.session() as session:
        assert (
            session.scalars(sa.select(PictureRow.portrayal_id).where(PictureRow.portrayal_id.in_((old, failed)))).all()
            == []
        )
    assert Retention(settings, database).run_once() == (0, 0)


def test_nothing_goes_when_nobody_asked_for_it(database: Database, settings: Settings) -> None:
    kept = put(database, "main", at=time.time() - 1000 * DAY)
    Retention(settings.model_copy(update={"keep_days": 0}), database).run_once()
    assert left(database) == {kept}


def test_more_than_one_batch(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portrayal.service.retention._BATCH", 2)
    for i in range(7):
        put(database, "main", at=time.time() - 20 * DAY + i)
    keep = put(database, "main", at=time.time() - 20 * DAY + 2.5)
    Library(database).update(keep, "main", starred=True)
    assert Retention(settings, database).run_once() == (7, 0)
    assert left(database) == {keep}


def test_uploads_go_when_their_time_has_come_or_nothing_uses_them(database: Database, settings: Settings) -> None:
    digests = [f"{i:064x}" for i in range(1, 9)]
    expired = stored(database, digests[0], age=DAY, expires=-1)
    valid = stored(database, digests[1], age=DAY, expires=60)
    unused = stored(database, digests[2], age=8 * DAY)
    unused_mask = stored(database, digests[3], purpose="mask", age=8 * DAY)
    young = stored(database, digests[4], age=6 * DAY)
    result = stored(database, digests[5], purpose="result", age=100 * DAY)
    used = stored(database, digests[6], age=100 * DAY)
    of_card = stored(database, digests[7], purpose="mask", age=100 * DAY)
    job_id = put(database, "main")
    with database.session() as session:
        session.add(SourceRow(portrayal_id=job_id, position=1, role="image", sha256=digests[6]))
        session.add(character(card={"masks": [{"sha256": digests[7]}]}))
    assert Retention(settings, database).run_once() == (0, 3)
    assert [there(database, i) for i in (expired, unused, unused_mask)] == [False] * 3
    assert [there(database, i) for i in (valid, young, result, used, of_card)] == [True] * 5
    Library(database).delete(job_id, "main")
    assert Retention(settings, database).run_once() == (0, 1)
    assert not there(database, used)


def character(card: dict[str, Any], reference: str = "a" * 64, thumbnail: str = "b" * 64) -> CharacterRow:
    return CharacterRow(
        id=new_id(),
        library="main",
        name="Ada",
        name_key="ada",
        card=card,
        reference_sha256=reference,
        mask_sha256=None,
        thumbnail_sha256=thumbnail,
        created_at=0.0,
        updated_at=0.0,
    )


def test_it_runs_in_a_thread_and_survives_a_database_that_is_away(database: Database, settings: Settings) -> None:
    put(database, "main", at=time.time() - 20 * DAY)
    retention = Retention(settings, database)
    retention.start()
    end = time.monotonic() + 20
    while left(database) and time.monotonic() < end:
        time.sleep(0.01)
    retention.stop()
    assert left(database) == set()
    with database.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE portrayals RENAME TO away"))
    broken = Retention(settings, database)
    broken.start()
    broken.stop()


# Garbage collection.


def test_only_bytes_that_nothing_refers_to_go(database: Database, blobs: Blobs) -> None:
    names = (
        "file",
        "picture",
        "mask",
        "source",
        "order",
        "finished",
        "reference",
        "thumbnail",
        "card",
        "none",
        "young",
    )
    digest = {name: blobs.put(name.encode()) for name in names}
    stored(database, digest["file"])
    running = put(database, "main", state="starting")
    done = put(database, "main")
    with database.session() as session:
        session.get_one(PortrayalRow, running).order = {"image": digest["order"]}
        session.get_one(PortrayalRow, done).order = {"edit_mask": digest["finished"]}
        picture = session.scalars(sa.select(PictureRow).where(PictureRow.portrayal_id == done)).one()
        picture.sha256, picture.data = digest["picture"], {**picture.data, "mask": digest["mask"]}
        session.add(SourceRow(portrayal_id=done, position=1, role="image", sha256=digest["source"]))
        session.add(character({"masks": [digest["card"]]}, digest["reference"], digest["thumbnail"]))
    age(blobs, *(d for name, d in digest.items() if name != "young"))
    dry = collect(database, blobs, dry_run=True)
    assert (dry.blobs, dry.bytes, dry.young, dry.kept) == (1, 4, 1, 9)
    assert blobs.has(digest["none"])
    assert collect(database, blobs) == dry
    assert {name for name, d in digest.items() if not blobs.has(d)} == {"none"}
    assert collect(database, blobs).blobs == 0
    Library(database).delete(done, "main")
    assert collect(database, blobs).blobs == 4, "picture, mask, source, and the input of the order"


def test_an_upload_between_listing_and_deleting_is_kept(
    database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = blobs.put(b"x")
    age(blobs, digest)
    written = blobs.written

    def racing(wanted: str) -> float | None:
        blobs.put(b"x")  # somebody stores the same bytes, before his row is there
        return written(wanted)

    monkeypatch.setattr(blobs, "written", racing)
    assert collect(database, blobs).blobs == 0
    assert blobs.get(digest) == b"x"


def test_half_written_files_and_expired_rows_go_too(database: Database, blobs: Blobs) -> None:
    assert blobs.folder is not None
    digest = blobs.put(b"x")
    old, young = (blobs.folder / digest[:2] / f"{digest}#{i}" for i in (1, 2))
    foreign = blobs.folder / digest[:2] / "notes.txt"
    for path in (old, young, foreign):
        path.write_bytes(b"half")
    os.utime(old, (1e9, 1e9))
    os.utime(foreign, (1e9, 1e9))
    expired = stored(database, digest, expires=-GRACE - 60)
    dry = collect(database, blobs, dry_run=True)
    assert (dry.temporary, dry.uploads) == (1, 1)
    assert old.exists()
    assert there(database, expired)
    assert collect(database, blobs) == dry
    assert (old.exists(), young.exists(), foreign.exists(), there(database, expired)) == (False, True, True, False)


def test_a_time_that_is_too_short_for_uploads_is_refused(database: Database, blobs: Blobs) -> None:
    with pytest.raises(InvalidRequestError, match="older"):
        collect(database, blobs, older=60)


# Numbers, and the commands.


def test_numbers(database: Database) -> None:
    first = put(database, "main", images=2)
    put(database, "main", state="failed")
    put(database, "other")
    Library(database).update(first, "main", starred=True)
    with database.session() as session:
        every, main, none = stats(session), stats(session, "main"), stats(session, "nobody")
    assert (every.portrayals, every.pictures, every.files, every.bytes, every.starred) == (3, 3, 3, 3, 1)
    assert (main.portrayals, main.pictures, main.by_state) == (2, 2, {"failed": 1, "succeeded": 1})
    assert (none.portrayals, none.oldest) == (0, None)


@pytest.fixture
def command(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[Any, str, str]]:
    """Runs a command of `portrayal library`: exit code, stdout, stderr."""

    def run(*words: str) -> tuple[Any, str, str]:
        monkeypatch.setenv("PORTRAYAL_DATA_DIR", str(settings.data_dir))
        monkeypatch.setattr(sys, "argv", ["portrayal", "library", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capsys.readouterr()

    return run


def test_commands(database: Database, blobs: Blobs, command: Callable[..., tuple[Any, str, str]]) -> None:
    put(database, "main")
    digest = blobs.put(b"nobody's")
    age(blobs, digest)
    code, shown, error = command("gc", "--dry-run")
    assert (code, error) == (0, "")
    assert shown.startswith("would delete 1 files of 8 bytes")
    assert blobs.has(digest)
    found = json.loads(command("gc", "--older", "1d", "--json")[1])
    assert (found["blobs"], found["bytes"], found["dry_run"]) == (1, 8, False)
    assert not blobs.has(digest)
    for older in ("soon", "-1h", "10m"):
        code, shown, error = command("gc", f"--older={older}")
        assert (code, shown) == (2, ""), older
        assert "older" in error
    assert "portrayals  1 (1 succeeded)" in command("stats")[1]
    assert json.loads(command("stats", "main", "--json")[1])["pictures"] == 1
