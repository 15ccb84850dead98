"""``portrayal library ...``: look after the pictures that a server keeps; ``portrayal bench library``."""

from __future__ import annotations

import json
import re
from typing import Annotated

import typer

from portrayal.cli.examine import bench_app
from portrayal.cli.shared import Json, out, say

library_app = typer.Typer(
    help="Look after the pictures that a server keeps.", no_args_is_help=True, rich_markup_mode=None
)

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86_400.0}


def _span(text: str) -> float:
    """Seconds of `90m`, `1h`, `2d`."""
    from portrayal.errors import InvalidRequestError

    match = re.fullmatch(r"(\d{1,6})([mhd])", text.strip())
    if match is None:
        raise InvalidRequestError("is no time", field="older", remedy="Write it like 90m, 1h or 2d.")
    return int(match[1]) * _UNITS[match[2]]


def _bytes(number: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


@library_app.command()
def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Delete nothing; say what would go.")] = False,
    older: Annotated[str, typer.Option(help="Only what was stored so long ago: 90m, 1h, 2d; 40m at least.")] = "1h",
    as_json: Json = False,
) -> None:
    """Delete the bytes of pictures that nothing refers to any more. The server may run meanwhile."""
    from portrayal.service.blobs import Blobs
    from portrayal.service.database import Database
    from portrayal.service.retention import collect
    from portrayal.settings import Settings

    seconds, settings = _span(older), Settings()
    database = Database(settings)
    try:
        database.migrate()
        found = collect(database, Blobs(settings), older=seconds, dry_run=dry_run)
    finally:
        database.close()
    if as_json:
        out(json.dumps({**found.__dict__, "dry_run": dry_run}))
        return
    verb = "would delete" if dry_run else "deleted"
    out(f"{verb} {found.blobs} files of {_bytes(found.bytes)}, {found.uploads} expired uploads, "
        f"{found.temporary} half-written files")  # fmt: skip
    out(f"kept {found.kept} files that are used, and {found.young} that are too young to tell")


@library_app.command()
def stats(
    library: Annotated[str | None, typer.Argument(help="Name of a library; default: all together.")] = None,
    as_json: Json = False,
) -> None:
    """Say how much there is."""
    from datetime import UTC, datetime

    from portrayal.service.database import Database
    from portrayal.service.retention import stats as count
    from portrayal.settings import Settings

    database = Database(Settings())
    try:
        database.migrate()
        with database.session() as session:
            found = count(session, library)
    finally:
        database.close()
    if as_json:
        out(json.dumps(found.__dict__))
        return
    states = ", ".join(f"{number} {state}" for state, number in sorted(found.by_state.items()))
    out(f"portrayals  {found.portrayals}" + (f" ({states})" if states else ""))
    out(f"starred     {found.starred}")
    out(f"pictures    {found.pictures}")
    out(f"files       {found.files} of {_bytes(found.bytes)}")
    out(f"characters  {found.characters}")
    if found.oldest is not None and found.newest is not None:
        first, last = (datetime.fromtimestamp(t, UTC).date().isoformat() for t in (found.oldest, found.newest))
        out(f"made        {first} to {last}")


@bench_app.command("library")
def bench_library(
    portrayals: Annotated[int, typer.Option(min=1000, help="How many portrayals are made.")] = 1_000_000,
    characters: Annotated[int, typer.Option(min=1, help="How many characters.")] = 10_000,
    repeats: Annotated[int, typer.Option(min=2, help="Random questions of each kind.")] = 200,
    database_url: Annotated[
        str | None, typer.Option(help="An empty PostgreSQL database; default: SQLite in a temporary folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Time pages, searches and filters in a large library that is made for it."""
    from portrayal.bench.library import run, table

    def progress(stage: str, fraction: float) -> None:
        if not as_json:
            say(f"{stage} ({fraction:.0%})")

    found = run(portrayals, characters, repeats, database_url, progress)
    out(json.dumps(found) if as_json else table(found))
