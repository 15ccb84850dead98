"""`portrayal keys ...`: a key is shown once, lists never show it, and what is revoked stays so."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from portrayal.cli.keys import keys_app
from portrayal.errors import PortrayalError

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command of the group and returns its stdout."""
    monkeypatch.setenv("PORTRAYAL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("PORTRAYAL_DATABASE_URL", raising=False)

    def call(*arguments: str) -> str:
        keys_app(list(arguments), standalone_mode=False)
        return capsys.readouterr().out

    return call


def test_a_key_from_its_making_to_its_end(run: Run) -> None:
    key = run("create", "robot", "--scope", "create", "--daily", "200", "--max-in-flight", "4").strip()
    assert key.startswith("pk_")
    listed = run("list")
    assert key not in listed
    for shown in ("robot", "create", "4 in flight", "200 a day"):
        assert shown in listed
    assert run("revoke", "robot").startswith("revoked robot (")
    assert "revoked 2" in run("list")


def test_keys_as_json(run: Run) -> None:
    made = json.loads(run("create", "anna", "--json"))
    assert made.pop("key").startswith("pk_")
    assert made["scopes"] == ["create", "delete", "read"]
    assert datetime.fromisoformat(made["created_at"]).tzinfo is not None
    assert (made["used_at"], made["revoked_at"]) == (None, None)
    assert json.loads(run("list", "--json")) == [made]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [(("create", ""), "name"), (("create", "x", "--scope", "fly"), "scopes"), (("revoke", "nobody"), "key")],
)
def test_bad_input_names_its_field(run: Run, arguments: tuple[str, ...], field: str) -> None:
    with pytest.raises(PortrayalError) as error:
        run(*arguments)
    assert error.value.field == field
    assert error.value.remedy


def test_a_name_that_two_keys_have_revokes_none(run: Run) -> None:
    run("create", "robot")
    run("create", "robot")
    with pytest.raises(PortrayalError, match="several keys"):
        run("revoke", "robot")
    assert "revoked" not in run("list")
