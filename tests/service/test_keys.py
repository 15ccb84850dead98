"""Keys: only hashes are kept, revoked ones are refused everywhere, limits hold."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from portrayal.errors import (
    ForbiddenError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    PortrayalError,
    UnauthenticatedError,
)
from portrayal.service.database import Database
from portrayal.service.keys import Caller, Keys
from portrayal.service.orders import Order, Who
from portrayal.service.service import Service, Ticket
from portrayal.settings import Settings
from tests.api.conftest import picture
from tests.fake import maker


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(Settings(data_dir=tmp_path))
    database.migrate()
    return database


def test_only_the_hash_of_a_key_is_kept(database: Database, tmp_path: Path) -> None:
    _, key = Keys(database, needed=True).create("anna")
    database.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert key.encode() not in kept
    assert b"anna" in kept


def test_a_key_tells_who_calls(database: Database) -> None:
    keys = Keys(database, needed=True)
    row, key = keys.create("anna", library="studio", scopes=["read"], max_in_flight=3, daily=7)
    assert keys.caller(key) == Caller(row.id, "anna", "studio", frozenset({"read"}), 3, 7)


@pytest.mark.parametrize("presented", [None, "", "pk_wrong", "x" * 10_000, "ключ"])
def test_without_a_known_key_a_call_is_refused_where_one_is_needed(database: Database, presented: str | None) -> None:
    with pytest.raises(UnauthenticatedError):
        Keys(database, needed=True).caller(presented)
    assert Keys(database, needed=False).caller(presented) == Caller()


def test_a_revoked_key_is_refused_also_where_none_is_needed(database: Database) -> None:
    keys = Keys(database, needed=False)
    _, key = keys.create("anna")
    keys.revoke("anna")
    with pytest.raises(UnauthenticatedError, match="revoked"):
        keys.caller(key)
    with pytest.raises(NotFoundError):
        keys.revoke("anna")
    assert [row.name for row in keys.listed()] == ["anna"]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "x" * 81}),
        ("library", {"name": "a", "library": ""}),
        ("scopes", {"name": "a", "scopes": ["everything"]}),
        ("daily", {"name": "a", "daily": 0}),
        ("max_in_flight", {"name": "a", "max_in_flight": -1}),
    ],
)
def test_a_bad_key_is_refused_and_the_field_is_named(database: Database, field: str, values: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Keys(database, needed=True).create(**values)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_limits_and_scopes_of_a_key_hold(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache", slots=1, shutdown_grace=0.5)
    service = Service(settings, maker=maker, keys_needed=True).open()

    async def order(caller: Caller, prompt: str, count: int = 1) -> str:
        file = await service.take(picture(), "reference", caller)
        made = Order.make(prompt=prompt, characters=(Who(image=file.sha256),), num_images=count)
        return (await service.submit(made, caller, Ticket())).id

    async def ended(caller: Caller, prompt: str, count: int = 1) -> str:
        return (await service.wait(await order(caller, prompt, count), 20)).state

    def refused(caller: Caller, prompt: str, count: int = 1) -> PortrayalError:
        with pytest.raises(PortrayalError) as caught:
            asyncio.run(order(caller, prompt, count))
        return caught.value

    try:
        two = Caller("k" * 26, max_in_flight=2)
        ids = [asyncio.run(order(two, f"SLOW {i}")) for i in range(2)]
        error = refused(two, "one more")
        assert isinstance(error, LimitError)
        assert (error.reason, error.limit) == ("inflight_limit", 2)
        for job_id in ids:
            assert service.cancel(job_id, two).state in ("canceled", "processing")
        day = Caller("d" * 26, daily=3)
        assert asyncio.run(ended(day, "a", 2)) == "succeeded"
        assert asyncio.run(ended(day, "FAIL", 1)) == "failed"
        assert asyncio.run(ended(day, "b", 1)) == "succeeded", "what failed does not count"
        error = refused(day, "c")
        assert isinstance(error, LimitError)
        assert error.reason == "daily_limit"
        assert isinstance(refused(Caller("r" * 26, scopes=frozenset({"read"})), "d"), ForbiddenError)
    finally:
        service.close()


def test_the_command_line_makes_lists_and_revokes(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from portrayal.cli import app

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["keys", *words], env={"PORTRAYAL_DATA_DIR": str(tmp_path)})
        assert done.exit_code == 0, done.output
        return done.stdout

    key = run("create", "anna", "--daily", "5").strip()
    assert key.startswith("pk_")
    assert key not in run("list")
    assert "5 a day" in run("list")
    run("revoke", "anna")
    assert json.loads(run("list", "--json"))[0]["revoked_at"] is not None


def test_a_limit_holds_when_many_orders_come_at_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache", slots=1, shutdown_grace=0.5)
    service = Service(settings, maker=maker).open()
    caller = Caller("k" * 26, max_in_flight=4)

    async def all_at_once() -> list[object]:
        file = await service.take(picture(), "reference", caller)
        made = Order.make(prompt="SLOW", characters=(Who(image=file.sha256),))
        return await asyncio.gather(
            *(service.submit(made, caller, Ticket()) for _ in range(16)), return_exceptions=True
        )

    try:
        outcomes = asyncio.run(all_at_once())
        assert sum(isinstance(outcome, LimitError) for outcome in outcomes) == 12
    finally:
        service.close()
