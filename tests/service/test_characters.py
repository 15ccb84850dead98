"""Saved characters of the service: one with the command line's, found by `@name`, gone without a trace."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image, ImageDraw

from portrayal.character import archive, cache, names, saved
from portrayal.character.card import Card, id_of
from portrayal.errors import ConflictError, InvalidRequestError, NotFoundError, UnknownCharacterError
from portrayal.service.blobs import Blobs
from portrayal.service.characters import Characters
from portrayal.service.database import Database
from portrayal.service.orders import Order, Who
from portrayal.service.tables import CharacterRow, StoredFile
from portrayal.settings import Settings

MAIN, OTHER = "main", "other"


@pytest.fixture
def own(tmp_path: Path, settings: Settings) -> Settings:
    """A data folder for one test; the cache is that of the whole run, so that the sample is studied once."""
    return Settings(data_dir=tmp_path / "data", cache_dir=settings.cache_dir)


@pytest.fixture
def database(own: Settings) -> Iterator[Database]:
    found = Database(own)
    found.migrate()
    yield found
    found.close()


@pytest.fixture
def blobs(own: Settings) -> Blobs:
    return Blobs(own)


@pytest.fixture
def service(own: Settings, database: Database, blobs: Blobs) -> Characters:
    return Characters(own, database, blobs)


@pytest.fixture(scope="session")
def mask() -> bytes:
    """A mask of the sample that holds the face."""
    return _mask((160, 60, 290, 200))


def _mask(box: tuple[int, int, int, int]) -> bytes:
    picture = np.zeros((512, 512), np.uint8)
    picture[box[1] : box[3], box[0] : box[2]] = 255
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def _subject(colour: tuple[int, int, int] = (200, 60, 40)) -> bytes:
    """A ball: a character without a face."""
    image = Image.new("RGB", (160, 160), "white")
    ImageDraw.Draw(image).ellipse((30, 30, 130, 130), colour)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _order(prompt: str, *characters: Who) -> Order:
    return Order.make(prompt=prompt, characters=characters)


def _files(database: Database) -> int:
    with database.session() as session:
        return session.query(StoredFile).count()


# One with the command line.


def test_what_the_command_line_saved_is_there(
    service: Characters, own: Settings, blobs: Blobs, sample: bytes, mask: bytes
) -> None:
    saved.add("Ada", sample, own, mask=mask, notes="an astronaut", tags=["space"])
    found = service.get("@ADA", MAIN)
    assert found.card == saved.resolve("ada", own).card
    assert (found.card.notes, found.card.tags, found.card.mask_used) == ("an astronaut", ("space",), 1)
    assert blobs.get(found.card.reference.sha256) == sample
    with pytest.raises(NotFoundError):
        service.get("ada", OTHER)


def test_what_it_changes_and_removes_later_is_seen(
    service: Characters, own: Settings, database: Database, blobs: Blobs, sample: bytes, mask: bytes
) -> None:
    saved.add("ada", sample, own)
    assert service.get("ada", MAIN).mask is None
    saved.add_mask("ada", mask, own, note="face")
    assert service.get("ada", MAIN).mask == saved.resolve("ada", own).card.masks[0].sha256
    saved.use_mask("ada", 0, own)
    assert service.get("ada", MAIN).mask is None
    digest = service.get("ada", MAIN).card.reference.sha256
    saved.remove("ada", own)
    with pytest.raises(NotFoundError):
        service.get("ada", MAIN)
    assert (blobs.has(digest), _files(database)) == (False, 0)


def test_what_it_changed_while_the_service_was_away_is_seen(
    service: Characters, own: Settings, database: Database, blobs: Blobs, sample: bytes
) -> None:
    service.add("ada", sample, MAIN)
    service.add("bob", _subject(), MAIN)
    saved.remove("ada", own)
    saved.add("cy", sample, own)
    again = Characters(own, database, blobs)
    assert [c.card.name for c in again.page(MAIN)[0]] == ["bob", "cy"]


def test_what_the_service_makes_changes_and_removes_is_so_for_the_command_line(
    service: Characters, own: Settings, sample: bytes, mask: bytes
) -> None:
    made = service.add("Ada", sample, MAIN, mask=mask, notes="n", tags=["a  b", "a b"])
    there = saved.resolve("ada", own)
    assert there.card == made.card
    assert (there.card.kind, there.card.tags, there.reference) == ("person", ("a b",), sample)
    assert there.thumbnail.read_bytes()[8:12] == b"WEBP"
    service.add_mask("ada", _mask((100, 20, 300, 300)), MAIN, note="wide")
    assert [m.note for m in saved.resolve("ada", own).card.masks] == ["", "wide"]
    assert saved.resolve("ada", own).card.mask_used == 2
    service.use_mask("ada", 1, MAIN)
    assert saved.resolve("ada", own).card.mask_used == 1
    service.change("ada", MAIN, new_name="Lovelace", notes="", star=True)
    assert saved.known_names(own) == ("Lovelace",)
    assert saved.resolve("lovelace", own).card.star
    service.remove("lovelace", MAIN)
    assert saved.known_names(own) == ()


def test_other_libraries_are_not_in_the_folder(service: Characters, own: Settings, sample: bytes) -> None:
    service.add("ada", sample, OTHER)
    assert saved.known_names(own) == ()
    assert service.get("ada", OTHER).card.name == "ada"
    with pytest.raises(NotFoundError):
        service.get("ada", MAIN)


def test_nothing_is_read_again_while_nothing_changes(
    service: Characters, own: Settings, sample: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved.add("ada", sample, own)
    service.get("ada", MAIN)
    os.utime(own.data_dir / "characters", ns=(0, 0))  # dates of long ago count as settled
    service.get("ada", MAIN)
    read: list[str] = []
    monkeypatch.setattr(saved, "resolve", lambda name, settings: read.append(name))
    service.get("ada", MAIN)
    assert read == []


def test_a_damaged_folder_does_not_stop_the_others(service: Characters, own: Settings, sample: bytes) -> None:
    saved.add("ada", sample, own)
    folder = saved.add("bob", sample, own).folder
    (folder / "reference.png").write_bytes(b"x")
    assert [c.card.name for c in service.page(MAIN)[0]] == ["ada"]


# Names.


def test_mentions_become_characters_pinned_by_digest(service: Characters, sample: bytes, mask: bytes) -> None:
    ada = service.add("Ada", sample, MAIN, mask=mask)
    robot = service.add("さくら", _subject(), MAIN)
    order, ids = service.resolved(_order("@ADA and @さくらが笑う, not a@ada.org"), MAIN)
    assert [who.name for who in order.characters] == ["Ada", "さくら"]
    assert [who.image for who in order.characters] == [ada.card.reference.sha256, robot.card.reference.sha256]
    assert order.characters[0].mask == ada.card.masks[0].sha256
    assert ids == {ada.card.reference.sha256: id_of("ada"), robot.card.reference.sha256: id_of("さくら")}


def test_given_ones_come_first_and_are_not_doubled(service: Characters, sample: bytes) -> None:
    service.add("ada", sample, MAIN)
    service.add("bob", _subject(), MAIN)
    given = service.who("@bob", MAIN)
    order, _ = service.resolved(_order("@ada beside @Bob", given), MAIN)
    assert [who.name for who in order.characters] == ["bob", "ada"]


def test_an_order_without_mentions_asks_nothing(service: Characters) -> None:
    order = _order("somebody@example.org in a park", Who(image="0" * 64))
    assert service.resolved(order, MAIN) == (order, {})


def test_unknown_names_tell_the_nearest(service: Characters, sample: bytes) -> None:
    service.add("Adelaide", sample, MAIN)
    with pytest.raises(UnknownCharacterError) as told:
        service.resolved(_order("@Adelade in a park"), MAIN)
    assert told.value.remedy == "Did you mean @Adelaide? GET /api/v1/characters lists all."
    assert told.value.field == "prompt"


def test_too_many_and_useless_characters_are_refused(service: Characters, sample: bytes) -> None:
    for name in ("a1", "a2", "a3", "a4", "a5"):
        service.add(name, sample, MAIN)
    with pytest.raises(InvalidRequestError, match="5 characters"):
        service.resolved(_order("@a1 @a2 @a3 @a4 @a5"), MAIN)
    edit = Order.make(operation="edit", image="0" * 64, prompt="@a1 and @a2")
    with pytest.raises(InvalidRequestError) as told:
        service.resolved(edit, MAIN)
    assert told.value.field == "reference"
    with pytest.raises(InvalidRequestError, match="too many"):
        service.resolved(_order("".join(f"@{i:02}{'さ' * 78} " for i in range(60))), MAIN)


def test_a_later_change_does_not_reach_an_order(service: Characters, blobs: Blobs, sample: bytes) -> None:
    service.add("ada", sample, MAIN)
    order, _ = service.resolved(_order("@ada in a park"), MAIN)
    service.add("ada", _subject(), MAIN, replace=True)
    again, _ = service.resolved(order, MAIN)
    assert again == order


# Changes.


def test_names_are_taken_once_in_any_spelling(service: Characters, sample: bytes) -> None:
    service.add("Ada", sample, MAIN)
    service.add("bob", sample, MAIN)
    with pytest.raises(ConflictError):
        service.add("aDA", sample, MAIN)
    with pytest.raises(ConflictError):
        service.change("bob", MAIN, new_name="ada")
    assert service.change("ada", MAIN, new_name="ADA").card.name == "ADA"
    assert service.add("ada", sample, OTHER).card.name == "ada"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"new_name": "a b"}, "name"),
        ({"notes": "\x1b[31m"}, "notes"),
        ({"tags": ["x"] + [str(i) for i in range(50)]}, "tags"),
        ({"tags": [" "]}, "tags"),
    ],
)
def test_bad_changes_name_their_field(
    service: Characters, sample: bytes, change: dict[str, object], field: str
) -> None:
    service.add("ada", sample, OTHER)
    with pytest.raises(InvalidRequestError) as told:
        service.change("ada", OTHER, **change)  # type: ignore[arg-type]
    assert told.value.field == field


def test_mask_versions(service: Characters, sample: bytes, mask: bytes) -> None:
    service.add("ada", sample, OTHER)
    first = service.add_mask("ada", mask, OTHER, note="face")
    second = service.add_mask("ada", _mask((100, 20, 300, 300)), OTHER)
    assert [m.version for m in second.card.masks] == [1, 2]
    assert second.mask == second.card.masks[1].sha256
    assert service.use_mask("ada", 1, OTHER).mask == first.mask
    assert set(service.files([second])[id_of("ada")]) == {
        "reference.png", "mask-1.png", "mask-2.png", "thumbnail.webp",
    }  # fmt: skip
    with pytest.raises(InvalidRequestError, match="no version 7"):
        service.use_mask("ada", 7, OTHER)


def test_deleting_leaves_nothing_behind(
    service: Characters, own: Settings, database: Database, blobs: Blobs, mask: bytes
) -> None:
    sample = _subject((30, 160, 60))
    made = service.add("ada", sample, OTHER)
    learnt = cache.folder(own.cache_dir)
    assert list(learnt.glob(f"{saved.sha256(sample)}.*"))
    service.remove("ada", OTHER)
    assert not list(learnt.glob(f"{saved.sha256(sample)}.*"))
    assert not any(blobs.has(digest) for digest in made.digests.values())
    assert _files(database) == 0


def test_a_picture_that_another_one_uses_stays(service: Characters, blobs: Blobs, sample: bytes) -> None:
    one = service.add("ada", sample, OTHER)
    service.add("bob", sample, MAIN)
    service.remove("ada", OTHER)
    assert blobs.has(one.card.reference.sha256)
    service.remove("bob", MAIN)
    assert not blobs.has(one.card.reference.sha256)


def test_archives_are_those_of_the_command_line(
    service: Characters, own: Settings, tmp_path: Path, sample: bytes, mask: bytes
) -> None:
    service.add("Ada", sample, MAIN, mask=mask, notes="n", tags=["t"])
    name, data = service.export("ada", MAIN)
    assert name == "Ada"
    assert data == archive.export("ada", tmp_path / "ada.zip", own).read_bytes()
    there = service.import_(data, OTHER, name="Byron")
    assert (there.card.name, there.card.notes, there.mask) == ("Byron", "n", service.get("ada", MAIN).mask)
    with pytest.raises(ConflictError):
        service.import_(data, MAIN)
    assert service.import_(data, MAIN, replace=True).card.name == "Ada"
    assert service.export("byron", OTHER)[0] == "Byron"


# Many.


@pytest.fixture
def many(database: Database) -> Callable[[int], None]:
    """Puts characters into a library, without pictures."""

    def put(count: int) -> None:
        with database.session() as session:
            for i in range(count):
                name = f"n{i:05}"
                known = Card.model_validate(
                    {
                        "id": id_of(name),
                        "name": name,
                        "kind": "person",
                        "created": "2026-01-01T00:00:00Z",
                        "reference": {"file": "reference.png", "sha256": "0" * 64},
                    }
                )
                session.add(
                    CharacterRow(
                        id=known.id, library=OTHER, name=name, name_key=names.key(name),
                        card=known.model_dump(mode="json"), reference_sha256="0" * 64, thumbnail_sha256="1" * 64,
                        created_at=0.0, updated_at=0.0,
                    )
                )  # fmt: skip

    return put


def test_paging_goes_through_all_once(service: Characters, many: Callable[[int], None]) -> None:
    many(250)
    seen: list[str] = []
    cursor, pages = "", 0
    while pages == 0 or cursor:
        found, cursor = service.page(OTHER, limit=40, cursor=cursor)
        seen += [c.card.name for c in found]
        pages += 1
    assert (pages, seen) == (7, [f"n{i:05}" for i in range(250)])
    assert [c.card.name for c in service.page(OTHER, contains="@N0024")[0]] == [f"n{i:05}" for i in range(240, 250)]
    assert service.page(OTHER, contains="%")[0] == []
    for bad in ("!", "é", "////"):
        with pytest.raises(InvalidRequestError):
            service.page(OTHER, cursor=bad)


def test_a_mention_is_found_among_many_by_the_index(
    service: Characters, database: Database, many: Callable[[int], None]
) -> None:
    many(300)
    rows: list[int] = []

    def count(connection: object, cursor: object, statement: str, *_: object) -> None:
        if "FROM characters" in statement:
            rows.append(statement.count("?"))

    sa.event.listen(database.engine, "before_cursor_execute", count)
    order, _ = service.resolved(_order("@n00123 in a park"), OTHER)
    assert order.characters[0].name == "n00123"
    assert len(rows) == 1  # one question, for the names that are in the prompt
    assert rows[0] <= 5
