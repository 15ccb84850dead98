"""A large library made by script: portrayals with pictures, sources, tags, stars, characters, in several libraries.

Nothing in it is real: prompts are put together from word lists and made-up names; there are no picture files.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from portrayal.engines.base import Progress
from portrayal.service import search
from portrayal.service.database import Database
from portrayal.service.envelope import JobPicture
from portrayal.service.ids import id_at, number
from portrayal.service.orders import Order, Who
from portrayal.service.tables import (
    Base,
    CharacterRow,
    PictureRow,
    PortrayalRow,
    SearchRow,
    SourceRow,
    StoredFile,
    TagRow,
    WordRow,
)

SHOTS: Final = ("portrait", "portrait", "portrait", "close-up", "photo", "full body shot", "headshot", "selfie")
WHO: Final = ("a woman", "a man", "a girl", "a boy", "an old man", "a young woman", "the person", "a chef", "a knight")
CLOTHES: Final = (
    "in a red dress", "wearing a leather jacket", "in a suit", "in a white shirt", "wearing a straw hat", "in armour",
    "in a spacesuit", "wearing glasses", "in a kimono", "in a raincoat", "in a wool sweater", "wearing headphones",
)  # fmt: skip
PLACES: Final = (
    "on a beach", "in a forest", "in a coffee shop", "on a rooftop", "in an office", "on a neon street", "in a library",
    "in the desert", "at a market", "on a mountain", "in a snowy village", "in a garden", "at the harbour", "on Mars",
)  # fmt: skip
LIGHTS: Final = (
    "at sunset", "at golden hour", "at night", "in soft window light", "in Rembrandt lighting", "in the rain",
    "in morning fog", "under studio lights", "at blue hour", "by candlelight",
)  # fmt: skip
ENDS: Final = (
    "smiling",
    "laughing",
    "looking away",
    "serious",
    "head turned left",
    "eyes closed",
    "35mm film",
    "bokeh",
)
TAGS: Final = ("work", "family", "draft", "best", "print", "travel", "client a", "client b", "winter", "summer")
SYLLABLES: Final = ("ba", "ko", "li", "ren", "ta", "mos", "vi", "dra", "sel", "pho", "nu", "qua", "zer", "im", "ost")
RARE_TAGS: Final = 2000
NAMES: Final = 40_000
START: Final = 1_600_000_000.0
STEP: Final = 97.0  # seconds between two portrayals
_CHUNK: Final = 20_000
_DIGEST: Final = "%064x"


@dataclass
class Made:
    """What was made, for questions about it: some ids of the main library (the oldest first), and characters."""

    ids: list[str] = field(default_factory=list)
    characters: list[str] = field(default_factory=list)


def name(n: int) -> str:
    """A made-up word; low numbers are used often."""
    letters = []
    n += len(SYLLABLES) ** 2
    while n:
        n, rest = divmod(n, len(SYLLABLES))
        letters.append(SYLLABLES[rest])
    return "".join(letters)


def rare(rng: random.Random) -> int:
    """A number below NAMES; small ones are likelier (about 1/n)."""
    return min(NAMES - 1, int(NAMES ** rng.random()) - 1)


def prompt(rng: random.Random) -> str:
    """A prompt as people write them."""
    words = [rng.choice(SHOTS), "of", rng.choice(WHO), rng.choice(CLOTHES), rng.choice(PLACES), rng.choice(LIGHTS)]
    text = " ".join(words) + ", " + rng.choice(ENDS)
    return f"{text}, {name(rare(rng))}" if rng.random() < 0.5 else text


def make(database: Database, portrayals: int, characters: int, progress: Progress) -> Made:
    """Fill an empty database; a million portrayals take some minutes."""
    rng, made = random.Random(7), Made()  # noqa: S311 - nothing secret
    engine = database.engine
    with engine.connect() as connection:
        if database.sqlite:
            connection.exec_driver_sql("PRAGMA synchronous=OFF")
            connection.exec_driver_sql("PRAGMA cache_size=-400000")
        made.characters = _characters(connection, database, characters, rng)
        connection.connection.commit()
        numbers = iter(range(portrayals))
        while chunk := list(itertools.islice(numbers, _CHUNK)):
            _portrayals(connection, database, chunk, made, rng)
            connection.connection.commit()
            progress(f"{chunk[-1] + 1} portrayals", (chunk[-1] + 1) / portrayals)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if database.sqlite else "VACUUM ANALYZE")
    return made


def _characters(connection: sa.Connection, database: Database, count: int, rng: random.Random) -> list[str]:
    rows = []
    for i in range(count):
        called = f"{name(i)}{i}"
        character_id = f"{rng.getrandbits(128):032x}"
        rows.append(
            (character_id, "main", called, called, "", "{}", _DIGEST % i, None, _DIGEST % i, START + i, START + i)
        )
    columns = ("id", "library", "name", "name_key", "notes", "card", "reference_sha256", "mask_sha256")
    _bulk(connection, database, CharacterRow, (*columns, "thumbnail_sha256", "created_at", "updated_at"), rows)
    return [row[0] for row in rows]


def _portrayals(
    connection: sa.Connection, database: Database, chunk: Sequence[int], made: Made, rng: random.Random
) -> None:
    rows: dict[type[Base], list[tuple[Any, ...]]] = {}

    def add(table: type[Base], *values: Any) -> None:
        rows.setdefault(table, []).append(values)

    for i in chunk:
        _one(i, add, database.sqlite, made, rng)
    columns: dict[type[Base], str] = {
        PortrayalRow: "id library key_id dialect operation state priority round prompt order wire num_images warnings "
        "result starred created_at started_at completed_at",
        PictureRow: "id portrayal_id position sha256 score data",
        StoredFile: "id library sha256 media_type size width height name purpose fingerprint notes created_at",
        SourceRow: "portrayal_id position role sha256 picture character",
        TagRow: "portrayal_id tag library",
        SearchRow: "portrayal_id number library words",
    }
    for table, names in columns.items():
        _bulk(connection, database, table, names.split(), rows.get(table, []))
    if database.sqlite:
        terms = {w for row in rows[SearchRow] for w in row[3].split() if len(w) >= 4 and w[0] != "§"}
        statement = f"INSERT OR IGNORE INTO {WordRow.__tablename__} VALUES (?)"  # noqa: S608
        connection.exec_driver_sql(statement, [(term,) for term in sorted(terms)])


_ORDER: Final = Order(prompt="%", characters=(Who(image="0" * 64),), size=(1024, 1024)).model_dump(mode="json")
_PICTURE: Final = JobPicture(
    id="", position=0, sha256="", media_type="image/png", size=1_400_000, width=1024, height=1024, seed=1
).model_dump(mode="json")


def _one(i: int, add: Any, sqlite: bool, made: Made, rng: random.Random) -> None:
    at = START + i * STEP
    job_id = id_at(at)[:10] + "".join(rng.choices("0123456789abcdefghjkmnpqrstvwxyz", k=16))
    chance = rng.random()
    library = "main" if chance < 0.9 else "studio" if chance < 0.98 else f"small-{int(chance * 1e6) % 10}"
    if library == "main" and i % 100 == 0:
        made.ids.append(job_id)
    state = "succeeded" if (chance := rng.random()) < 0.96 else "failed" if chance < 0.99 else "canceled"
    operation = rng.choices(("generate", "edit", "remix", "reframe"), (70, 15, 10, 5))[0]
    starred = rng.random() < 0.03
    text = prompt(rng)
    known = library == "main" and made.characters and rng.random() < 0.6
    character = made.characters[rare(rng) * len(made.characters) // NAMES] if known else ""
    tags = set(rng.choices(TAGS, k=rng.randrange(3))) if rng.random() < 0.5 else set()
    tags |= {f"tag {rng.randrange(RARE_TAGS)}"} if rng.random() < 0.1 else set()
    digest = _DIGEST % (i + 1_000_000_000)
    order = json.dumps({**_ORDER, "prompt": text, "operation": operation})
    result = '{"engine": "studio", "language": "en"}'
    add(
        PortrayalRow, job_id, library, "", "native", operation, state, 1, i, text, order, "{}", 1, "[]", result,
        starred, at, at + 1, at + 2,
    )  # fmt: skip
    add(SourceRow, job_id, 0, "reference", _DIGEST % (i % 5000), "", character)
    for tag in sorted(tags):
        add(TagRow, job_id, tag, library)
    if state == "succeeded":
        data = json.dumps({**_PICTURE, "id": job_id, "sha256": digest, "seed": i})
        add(PictureRow, job_id, job_id, 0, digest, 0.9, data)
        add(StoredFile, job_id, library, digest, "image/png", 1_400_000, 1024, 1024, "", "result", "", "[]", at)
    marks = search.marks_of(library, operation, state, starred, sorted(tags), [character], [])
    words = search.indexed([text, *sorted(tags)], marks, sqlite=sqlite)
    add(SearchRow, job_id, number(job_id) if sqlite else None, library, words)


def _bulk(
    connection: sa.Connection,
    database: Database,
    table: type[Base],
    columns: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
) -> None:
    """Many rows at once: COPY on PostgreSQL."""
    names = ", ".join(f'"{column}"' for column in columns)
    if database.sqlite:
        marks = ", ".join("?" * len(columns))
        filled: Iterator[tuple[Any, ...]] = iter(rows)
        statement = f"INSERT INTO {table.__tablename__} ({names}) VALUES ({marks})"  # noqa: S608
        if batch := list(filled):
            connection.exec_driver_sql(statement, batch)
        return
    cursor: Any = connection.connection.cursor()
    with cursor.copy(f"COPY {table.__tablename__} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
