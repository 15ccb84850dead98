"""Keys of the service."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from portrayal.cli.shared import Json, out, say

if TYPE_CHECKING:
    from portrayal.service.keys import Keys
    from portrayal.service.tables import ApiKey

keys_app = typer.Typer(help="Keys of the service: create, list, revoke.", no_args_is_help=True)


@contextmanager
def _keys() -> Iterator[Keys]:
    from portrayal.service.database import Database
    from portrayal.service.keys import Keys
    from portrayal.settings import Settings

    database = Database(Settings())
    try:
        database.migrate()
        yield Keys(database, needed=True)
    finally:
        database.close()


@keys_app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What it is for; shown in lists and counters.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="create, read, delete or admin; several. Default: the first three.")
    ] = None,
    library: Annotated[str, typer.Option(help="Keys of one library share characters and pictures.")] = "main",
    max_in_flight: Annotated[int | None, typer.Option(min=1, help="Unfinished jobs that it may have.")] = None,
    daily: Annotated[int | None, typer.Option(min=1, help="Pictures that it may make in 24 hours.")] = None,
    as_json: Json = False,
) -> None:
    """Make a key. It is shown this once; only its hash is kept."""
    with _keys() as keys:
        row, key = keys.create(
            name,
            library=library,
            scopes=scope or ("create", "read", "delete"),
            max_in_flight=max_in_flight,
            daily=daily,
        )
    if as_json:
        out(json.dumps({**_described(row), "key": key}))
        return
    out(key)
    say(f"The key {row.name} ({row.id}) is shown this once; only its hash is kept.")


@keys_app.command("list")
def show(as_json: Json = False) -> None:
    """All keys, revoked ones too."""
    with _keys() as keys:
        rows = keys.listed()
    if as_json:
        out(json.dumps([_described(row) for row in rows]))
        return
    for row in rows:
        limits = [f"{row.max_in_flight} in flight"] if row.max_in_flight else []
        limits += [f"{row.daily} a day"] if row.daily else []
        words = [row.id, row.prefix + "...", row.name, row.library, ",".join(row.scopes), *limits]
        out(
            "  ".join([*words, f"revoked {_day(row.revoked_at)}" if row.revoked_at else f"made {_day(row.created_at)}"])
        )
    if not rows:
        say("No keys yet: `portrayal keys create NAME` makes one.")


@keys_app.command("revoke")
def revoke(key: Annotated[str, typer.Argument(help="Its name, id or first characters.")]) -> None:
    """End a key, now and for ever."""
    with _keys() as keys:
        row = keys.revoke(key.removesuffix("..."))
    out(f"revoked {row.name} ({row.id})")


def _described(row: ApiKey) -> dict[str, object]:
    names = ("id", "name", "prefix", "library", "scopes", "max_in_flight", "daily")
    times = {name: getattr(row, name) for name in ("created_at", "used_at", "revoked_at")}
    return {name: getattr(row, name) for name in names} | {
        name: None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
        for name, seconds in times.items()
    }


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
