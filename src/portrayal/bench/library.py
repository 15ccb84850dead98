"""How fast the library is when it is large: medians and 95th percentiles of random questions, through its functions.

Machines are noisy, so nothing here is ever a pass/fail test.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from pydantic import SecretStr

from portrayal.bench import library_data
from portrayal.bench.library_data import Made
from portrayal.engines.base import Progress
from portrayal.errors import ConflictError
from portrayal.service.database import Database
from portrayal.service.finding import Filters
from portrayal.service.library import Library, cursor_at
from portrayal.service.tables import PortrayalRow
from portrayal.settings import Settings

TARGET: Final = 50.0
"""Milliseconds that the 95th percentile aims at."""
_LIMIT: Final = 50

Question = Callable[[random.Random], Any]


def run(portrayals: int, characters: int, repeats: int, database_url: str | None, progress: Progress) -> dict[str, Any]:
    """Make a library in a temporary folder, or in an empty PostgreSQL, and measure.

    Raises:
        ConflictError: that database is not empty.
    """
    with tempfile.TemporaryDirectory(prefix="portrayal-bench-") as folder:
        url = None if database_url is None else SecretStr(database_url)
        database = Database(Settings(data_dir=Path(folder), database_url=url))
        try:
            database.migrate()
            with database.session() as session:
                if session.scalar(sa.select(PortrayalRow.id).limit(1)) is not None:
                    raise ConflictError("the database is not empty", remedy="Give one that is only for this.")
            begin = time.perf_counter()
            made = library_data.make(database, portrayals, characters, lambda stage, done: progress(stage, 0.9 * done))
            seconds = time.perf_counter() - begin
            questions = measure(database, made, repeats, progress)
        finally:
            database.close()
    return {
        "database": "SQLite" if database.sqlite else "PostgreSQL",
        "portrayals": portrayals,
        "characters": characters,
        "made_in_seconds": round(seconds, 1),
        "repeats": repeats,
        "questions": questions,
    }


def measure(database: Database, made: Made, repeats: int, progress: Progress) -> list[dict[str, Any]]:
    """Ask every question `repeats` times with other words each; milliseconds."""
    rows = []
    asked = _questions(Library(database), made)
    for i, (name, ask) in enumerate(asked.items()):
        progress(name, 0.9 + 0.1 * i / len(asked))
        rng = random.Random(i)  # noqa: S311 - nothing secret
        times, found = [], 0
        for _ in range(repeats):
            begin = time.perf_counter()
            page = ask(rng)
            times.append(1000 * (time.perf_counter() - begin))
            found += len(page.jobs)
        p95 = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
        rows.append(
            {
                "name": name,
                "p50": round(statistics.median(times), 2),
                "p95": round(p95, 2),
                "worst": round(max(times), 2),
                "shown": round(found / repeats, 1),
            }
        )
    return rows


def _questions(library: Library, made: Made) -> dict[str, Question]:
    last = max(1, len(made.ids) // 50)

    def ask(where: str = "main", cursor: str | None = None, **filters: Any) -> Any:
        return library.page(where, cursor=cursor, limit=_LIMIT, filters=Filters(**filters))

    def somewhere(rng: random.Random) -> str:
        return cursor_at(rng.choice(made.ids))

    def common(rng: random.Random) -> str:
        return rng.choice(("portrait", "woman", "beach", "sunset", "head", "of", "smiling", "dress"))

    def rare(rng: random.Random) -> str:
        return library_data.name(rng.randrange(library_data.NAMES))

    return {
        "first page": lambda rng: ask(),
        "page in the middle": lambda rng: ask(cursor=somewhere(rng)),
        "page at the end": lambda rng: ask(cursor=cursor_at(rng.choice(made.ids[:last]))),
        "search, rare word": lambda rng: ask(search=f'"{rare(rng)}"'),
        "search, common word": lambda rng: ask(search=common(rng)),
        "search, common word, deep": lambda rng: ask(search=common(rng), cursor=somewhere(rng)),
        "search, two common words": lambda rng: ask(search=f"{common(rng)} {common(rng)}"),
        "search, common and rare": lambda rng: ask(search=f"{common(rng)} {rare(rng)}"),
        "search, phrase": lambda rng: ask(search=f'"{rng.choice(library_data.PLACES)}"'),
        "search, beginning of a word": lambda rng: ask(search=common(rng)[: rng.randrange(1, 7)]),
        "search, beginning of a rare word": lambda rng: ask(search=rare(rng)[: rng.randrange(2, 7)]),
        "search, in a small library": lambda rng: ask("small-3", search=common(rng)),
        "tag, common": lambda rng: ask(tags=(rng.choice(library_data.TAGS),)),
        "tag, rare": lambda rng: ask(tags=(f"tag {rng.randrange(library_data.RARE_TAGS)}",)),
        "tag and word": lambda rng: ask(tags=(rng.choice(library_data.TAGS),), search=common(rng)),
        "starred": lambda rng: ask(starred=True),
        "starred, deep": lambda rng: ask(starred=True, cursor=somewhere(rng)),
        "starred and word": lambda rng: ask(starred=True, search=common(rng)),
        "state failed": lambda rng: ask(state="failed"),
        "operation": lambda rng: ask(operation=rng.choice(("generate", "reframe"))),
        "character": lambda rng: ask(character=rng.choice(made.characters)),
        "character and word": lambda rng: ask(character=rng.choice(made.characters), search=common(rng)),
    }


def table(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        f"{found['database']}, {found['portrayals']:,} portrayals, {found['characters']:,} characters "
        f"(made in {found['made_in_seconds']} s); {found['repeats']} random questions each, pages of {_LIMIT}; "
        f"aimed at: 95 % within {TARGET:.0f} ms.",
        "",
        "| question | p50, ms | p95, ms | worst, ms | shown on average |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {q['name']} | {q['p50']} | {q['p95']} | {q['worst']} | {q['shown']} |" for q in found["questions"]]
    return "\n".join(lines)
