"""The library on SQLite and on PostgreSQL: the same answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from portrayal.errors import InvalidRequestError, NotFoundError
from portrayal.service import finding, records, search
from portrayal.service.database import Database
from portrayal.service.finding import Filters
from portrayal.service.ids import id_at, new_id, number
from portrayal.service.library import Library, clean_tags
from portrayal.service.orders import Order, Who
from portrayal.service.tables import PictureRow, PortrayalRow, RunRow, SearchRow, SourceRow, StoredFile, TagRow, WordRow
from portrayal.settings import Settings
from tests.postgres import fresh_database, postgres

DIGEST = "0" * 64


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder: Path = tmp_path_factory.mktemp("library")
    if request.param == "sqlite":
        made = Database(Settings(data_dir=folder))
        made.migrate()
        yield made
        made.close()
        return
    with fresh_database(request.getfixturevalue("server"), "library") as url:
        made = Database(Settings(data_dir=folder, database_url=SecretStr(url)))
        made.migrate()
        yield made
        made.close()


@pytest.fixture
def library(database: Database) -> Library:
    return Library(database)


@pytest.fixture
def name(database: Database, request: pytest.FixtureRequest) -> str:
    """A library of the test's own, in a database of the module's."""
    return f"lib-{new_id()}"


def put(
    database: Database,
    library: str,
    prompt: str = "a person",
    *,
    state: str = "succeeded",
    operation: str = "generate",
    who: str = "",
    character: str = "",
    source: str = "",
    key: str = "",
    images: int = 1,
    at: float | None = None,
) -> str:
    """A portrayal with its pictures, as the service writes it."""
    job_id = new_id() if at is None else id_at(at)[:10] + new_id()[10:]
    order = Order(
        operation=operation,  # type: ignore[arg-type]
        prompt=prompt,
        characters=(Who(image=DIGEST, name=who),),
        num_images=images,
    )
    now = time.time() if at is None else at
    with database.session() as session:
        session.add(
            PortrayalRow(
                id=job_id,
                library=library,
                key_id=key,
                dialect="native",
                operation=operation,
                state="starting" if state in ("succeeded", "failed", "canceled") else state,
                prompt=prompt,
                order=order.model_dump(mode="json"),
                wire={},
                num_images=images,
                warnings=[],
                result={},
                created_at=now,
            )
        )
        session.flush()
        session.add(RunRow(id=job_id))
        session.add(
            SourceRow(
                portrayal_id=job_id, position=0, role="reference", sha256=DIGEST, picture=source, character=character
            )
        )
        search.write(session, job_id)
        if state == "succeeded":
            for i in range(images):
                add_picture(session, job_id, library, i, now)
        if state in ("succeeded", "failed", "canceled"):
            records.finish(session, job_id, state, now)
    return job_id


def add_picture(session: Any, job_id: str, library: str, position: int, now: float) -> None:
    file_id = new_id()
    session.add(
        StoredFile(
            id=file_id,
            library=library,
            sha256=DIGEST,
            media_type="image/png",
            size=1,
            width=8,
            height=8,
            purpose="result",
            notes=[],
            created_at=now,
        )
    )
    data = {
        "id": file_id,
        "position": position,
        "sha256": DIGEST,
        "media_type": "image/png",
        "size": 1,
        "width": 8,
        "height": 8,
        "seed": 1,
    }
    session.add(PictureRow(id=file_id, portrayal_id=job_id, position=position, sha256=DIGEST, data=data))


def picture_of(database: Database, job_id: str) -> str:
    with database.session() as session:
        return session.scalars(sa.select(PictureRow.id).where(PictureRow.portrayal_id == job_id)).one()


def ids(library: Library, name: str, **filters: Any) -> list[str]:
    return [job.id for job in library.page(name, limit=100, filters=Filters(**filters)).jobs]


# Identifiers.


def test_identifiers_rise_and_their_numbers_tell_them_apart() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    numbers = [number(i) for i in made]
    assert numbers == sorted(set(numbers))
    assert id_at(time.time() - 1) < new_id() < id_at(time.time() + 1)
    assert all(0 <= n < 1 << 63 for n in (*numbers, number("7" + "z" * 25)))
    for bad in ("", "8" + "0" * 25, "i" * 26, "0" * 25, "0" * 25 + "Ä"):
        with pytest.raises(ValueError, match="no identifier"):
            number(bad)


# Pages.


def walk(library: Library, name: str, limit: int, **filters: Any) -> list[list[str]]:
    """Every page to the end, each also found again from the next one."""
    pages, cursor = [], None
    while True:
        page = library.page(name, cursor=cursor, limit=limit, filters=Filters(**filters))
        pages.append([job.id for job in page.jobs])
        if page.next is None:
            break
        back = library.page(name, cursor=page.next, limit=limit, filters=Filters(**filters)).previous
        assert back is not None
        again = library.page(name, cursor=back, limit=limit, filters=Filters(**filters))
        assert [job.id for job in again.jobs] == pages[-1]
        cursor = page.next
    return pages


@pytest.mark.parametrize("limit", [1, 2, 5, 7, 100])
@pytest.mark.parametrize("filters", [{}, {"search": "beach"}, {"operation": "generate"}], ids=str)
def test_pages_hold_everything_once_the_newest_first(
    library: Library, database: Database, name: str, limit: int, filters: dict[str, Any]
) -> None:
    made = [put(database, name, "on a beach") for _ in range(7)]
    pages = walk(library, name, limit, **filters)
    assert [i for page in pages for i in page] == made[::-1]
    assert all(len(page) == limit for page in pages[:-1])


def test_the_first_page_has_no_previous_and_the_last_no_next(library: Library, database: Database, name: str) -> None:
    for _ in range(4):
        put(database, name)
    first = library.page(name, limit=2)
    assert first.previous is None
    last = library.page(name, limit=2, cursor=first.next)
    assert last.next is None
    assert last.previous is not None
    assert library.page(name, limit=2, cursor=last.previous).previous is None
    empty = library.page(f"{name}-other")
    assert (empty.jobs, empty.next, empty.previous) == ((), None, None)


def test_new_and_deleted_portrayals_do_not_move_the_pages_behind_a_cursor(
    library: Library, database: Database, name: str
) -> None:
    made = [put(database, name) for _ in range(6)]
    first = library.page(name, limit=2)
    put(database, name)
    library.delete(first.jobs[-1].id, name)  # the very one that the cursor names
    second = library.page(name, limit=2, cursor=first.next)
    assert [job.id for job in second.jobs] == [made[3], made[2]]
    for job in library.page(name, limit=100).jobs[:3]:
        library.delete(job.id, name)
    assert second.previous is not None
    top = library.page(name, limit=2, cursor=second.previous)
    assert [job.id for job in top.jobs] == [made[2], made[1]], "nothing newer is left: the first page"


@pytest.mark.parametrize("cursor", ["", "x", "====", "bm8", "é", "\0", "n" * 500, "bjAxYQ", "cG" + "A" * 40])
def test_a_cursor_that_is_none_of_ours_is_refused(library: Library, name: str, cursor: str) -> None:
    with pytest.raises(InvalidRequestError, match="cursor"):
        library.page(name, cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_limit_out_of_range_is_refused(library: Library, name: str, limit: int) -> None:
    with pytest.raises(InvalidRequestError, match="limit"):
        library.page(name, limit=limit)


# Search.

FOUND = [
    ("a woman on a beach at sunset", "beach", True),
    ("a woman on a beach at sunset", "BEACH Sunset", True),
    ("a woman on a beach at sunset", "sunset beach", True),
    ("a woman on a beach at sunset", "bea", True),
    ("a woman on a beach at sunset", "sun bea", False),  # only the last word may be a beginning
    ("a woman on a beach at sunset", "each", False),
    ("a woman on a beach at sunset", '"beach at sunset"', True),
    ("a woman on a beach at sunset", '"at beach"', False),
    ("a woman on a beach at sunset", '"bea"', False),  # quoted: whole words
    ("a woman on a beach at sunset", '"on a bea', True),  # still being typed
    ("a woman on a beach at sunset", "beach -sunset", True),  # nothing is an operator
    ("a woman on a beach at sunset", "beach NOT sunset", False),  # "not" is a word
    ("a beach OR a forest", "OR", True),
    ("a t-shirt", "t-shirt", True),
    ("a shirt, and a T", "t-shirt", False),
    ("the woman's hat", "woman’s", True),
    ("Café Zoë in São Paulo", "cafe zoe sao", True),
    ("cafe zoe", "CAFÉ ZOË", True),
    ("Straße", "strasse", True),
    ("Łódź, Ærø, smørrebrød", "lodz aero smorrebrod", True),
    ("ΑΘΉΝΑ", "αθηνα", True),
    ("портрет ёлки", "ПОРТРЕТ ЕЛКИ", True),
    ("海辺で笑う女性の写真", "女性", True),
    ("海辺で笑う女性の写真", "笑う女性", True),
    ("海辺で笑う女性の写真", "女性 海辺", True),
    ("海辺で笑う女性の写真", "性女", False),
    ("海辺で笑う女性の写真", "写", True),
    ("がくせい", "かくせい", False),
    ("ｶﾒﾗ", "カメラ", True),
    ("一位女士在海滩上", "海滩", True),
    ("해변에서 웃는 여자", "해변", True),
    ("해변에서 웃는 여자", "여자 해변", True),
    ("ผู้หญิงบนชายหาด", "ชายหาด", True),
    ("समुद्र तट पर महिला", "महिला", True),
    ("امرأة على الشاطئ", "الشاطئ", True),
    ("a cat 🐱 and a dog 🐶", "🐱", True),
    ("a cat 🐱 and a dog 🐶", "🐭", False),
    ("in 4k at 35mm", "35mm 4k", True),
    ("word " * 1990 + "needle", "needle", True),
    ("x" * 300, "x" * 300, True),
    ("a beach", "!?", True),  # no word at all: everything
]


@pytest.mark.parametrize(("prompt", "query", "found"), FOUND, ids=[f"{p[:20]}|{q[:20]}" for p, q, _ in FOUND])
def test_search(library: Library, database: Database, name: str, prompt: str, query: str, found: bool) -> None:
    job_id = put(database, name, prompt)
    assert ids(library, name, search=query) == ([job_id] if found else [])


def test_the_beginning_of_a_word_finds_all_that_begin_so(library: Library, database: Database, name: str) -> None:
    made = [put(database, name, f"portra{end}") for end in ("it", "its", "yal", "ying")]
    put(database, name, "port")
    assert ids(library, name, search="portra") == made[::-1]
    many = [put(database, name, f"abcdef{new_id()}") for _ in range(70)]  # more than are asked for one by one
    assert ids(library, name, search="abcdef") == many[::-1]
    assert ids(library, name, search='"abcdef') == many[::-1]


def test_tags_and_names_are_found_too_but_no_phrase_goes_across(
    library: Library, database: Database, name: str
) -> None:
    job_id = put(database, name, "on a beach", who="Ada")
    library.update(job_id, name, tags=["summer holiday"])
    for query in ("ada", "summer", '"summer holiday"', "ada beach hol"):
        assert ids(library, name, search=query) == [job_id], query
    for query in ('"beach summer"', '"holiday ada"'):
        assert ids(library, name, search=query) == [], query


HOSTILE = [
    '"', '""', '"""', "'", "''); DROP TABLE portrayals; --", "*", "a*", "^a", "a:b", "words:a", "{words}: a",
    "NEAR(a b)",
    "a AND", "OR", "NOT", "(", ")", "a )", "+", "-", "-a", "a & b", "a | !b", "a <-> b", "a:*", "a\\", "\\'", "%", "_",
    "\x00", "a\x00b", "\ud7ff", "§li00", "¦", "¶", "\u202e", "\U0010ffff", "', '", ":*", "'a':*", "a'b", "$1",
    ":query", "?",
]  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE, ids=ascii)
def test_no_query_is_an_error(library: Library, database: Database, name: str, query: str) -> None:
    job_id = put(database, name, query.replace("\0", ""))
    assert set(ids(library, name, search=query)) <= {job_id}


@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60),
    query=st.text(st.characters(codec="utf-8"), max_size=30),
)
def test_any_text_is_found_by_itself_and_any_query_is_answered(
    library: Library, database: Database, text: str, query: str
) -> None:
    name = f"prop-{new_id()}"
    job_id = put(database, name, text)
    assert ids(library, name, search=text.replace('"', " ")) == [job_id]
    assert set(ids(library, name, search=query)) <= {job_id}


def test_a_search_that_is_too_long_is_refused(library: Library, name: str) -> None:
    with pytest.raises(InvalidRequestError, match="search"):
        library.page(name, filters=Filters(search="a " * 1000))


# Filters.


def test_each_filter_alone_and_all_together(library: Library, database: Database, name: str) -> None:
    parent = put(database, name, "first")
    picture = picture_of(database, parent)
    child = put(database, name, "beach", operation="remix", source=picture, character="c1")
    library.update(child, name, starred=True, tags=["a b", "Zoë"])
    failed = put(database, name, "beach", state="failed", operation="edit")
    waiting = put(database, name, "beach", state="starting")
    running = put(database, name, "beach", state="processing")
    everything = {parent, child, failed, waiting, running}
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({}, everything),
        ({"starred": True}, {child}),
        ({"starred": False}, everything - {child}),
        ({"tags": ("Zoë",)}, {child}),
        ({"tags": ("Zoë", "a b")}, {child}),
        ({"tags": ("Zoë", "none")}, set()),
        ({"tags": ("a",)}, set()),
        ({"operation": "remix"}, {child}),
        ({"operation": "generate"}, {parent, waiting, running}),
        ({"state": "succeeded"}, {parent, child}),
        ({"state": "failed"}, {failed}),
        ({"state": "starting"}, {waiting}),
        ({"state": "processing"}, {running}),
        ({"state": "starting", "search": "beach"}, {waiting}),
        ({"character": "c1"}, {child}),
        ({"character": "c2"}, set()),
        ({"parent": parent}, {child}),
        ({"parent": child}, set()),
        ({"search": "beach", "starred": True, "operation": "remix", "state": "succeeded"}, {child}),
        ({"since": time.time() + 60}, set()),
        ({"until": time.time() - 60}, set()),
        ({"since": time.time() - 60, "until": time.time() + 60, "search": "beach"}, everything - {parent}),
        ({"since": time.time() - 60, "until": time.time() + 60}, everything),
    ]
    for filters, wanted in cases:
        assert set(ids(library, name, **filters)) == wanted, filters
    library.update(child, name, starred=False, tags=[])
    assert ids(library, name, starred=True) == []
    assert ids(library, name, tags=("Zoë",)) == []


def test_since_and_until_are_the_times_of_the_portrayals(library: Library, database: Database, name: str) -> None:
    made = [put(database, name, at=1_700_000_000.0 + 10 * i) for i in range(5)]
    found = ids(library, name, since=1_700_000_010.0, until=1_700_000_030.0)
    assert found == [made[2], made[1]]
    assert ids(library, name, since=1_700_000_010.0, until=1_700_000_030.0, search="person") == found
    page = library.page(name, limit=1, filters=Filters(since=1_700_000_010.0, search="person"))
    assert page.jobs[0].id == made[4]
    back = library.page(name, limit=5, cursor=page.next, filters=Filters(since=1_700_000_010.0, search="person"))
    assert [job.id for job in back.jobs] == made[3:0:-1]


def test_rare_words_are_found_behind_the_walk(
    library: Library, database: Database, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL: what the newest portrayals do not give comes from the index, in the same order."""
    monkeypatch.setattr(finding, "WALKED", 5)
    made = [put(database, name, "rare" if i % 4 == 0 else "common") for i in range(20)]
    rare = [i for n, i in enumerate(made) if n % 4 == 0]
    assert ids(library, name, search="rare") == rare[::-1]
    assert [i for page in walk(library, name, 2, search="rare") for i in page] == rare[::-1]
    assert [i for page in walk(library, name, 3, search="common") for i in page] == [
        i for i in made[::-1] if i not in rare
    ]


# Marking, deleting.


def test_another_library_has_nothing_of_it(library: Library, database: Database, name: str) -> None:
    job_id = put(database, name, "secret beach")
    other = f"{name}-other"
    assert ids(library, other) == []
    assert ids(library, other, search="secret") == []
    for call in (
        lambda: library.update(job_id, other, starred=True),
        lambda: library.delete(job_id, other),
        lambda: library.lineage(job_id, other),
    ):
        with pytest.raises(NotFoundError):
            call()
    assert library.tags(other) == {}
    assert library.usage(other) == ()
    assert library.queue(other).jobs == ()


def test_stars_and_tags_are_kept_in_their_own_words(library: Library, database: Database, name: str) -> None:
    job_id = put(database, name)
    job = library.update(job_id, name, starred=True, tags=["  Two   words ", "Zoe\u0308", "Two words"])
    assert (job.starred, job.tags) == (True, ("Two words", "Zoë"))
    job = library.update(job_id, name, tags=["b"])
    assert (job.starred, job.tags) == (True, ("b",)), "what is not given stays"
    put(database, name)
    second = put(database, name)
    library.update(second, name, tags=["b", "a"])
    assert list(library.tags(name).items()) == [("b", 2), ("a", 1)]


@pytest.mark.parametrize("tags", [[""], ["  "], ["x" * 61], ["a\x00"], [f"t{i}" for i in range(41)]], ids=ascii)
def test_bad_tags_are_refused(tags: list[str]) -> None:
    with pytest.raises(InvalidRequestError, match="tags"):
        clean_tags(tags)


def test_deleting_removes_every_row(library: Library, database: Database, name: str) -> None:
    stays = put(database, name, "portraits of quokkas")
    job_id = put(database, name, "portraits of zebras", images=2)
    library.update(job_id, name, tags=["a"])
    library.delete(job_id, name)
    with database.session() as session:
        for table in (PictureRow, SourceRow, TagRow, SearchRow):
            assert session.scalar(sa.select(sa.func.count()).where(table.portrayal_id == job_id)) == 0
        assert session.scalar(sa.select(sa.func.count()).where(StoredFile.library == name)) == 1
        assert session.get(RunRow, job_id) is None
        left = set(session.scalars(sa.select(WordRow.word).where(WordRow.word.in_(("portraits", "quokkas", "zebras")))))
    assert ids(library, name, search="zebras") == []
    assert ids(library, name, search="portraits") == [stays]
    if database.sqlite:
        assert left == {"portraits", "quokkas"}, "a deleted portrayal's words are kept nowhere"
    with pytest.raises(NotFoundError):
        library.delete(job_id, name)


# Families, use, queue.


def test_a_lineage_goes_over_generations_both_ways(library: Library, database: Database, name: str) -> None:
    first = put(database, name, "first")
    second = put(database, name, "second", source=picture_of(database, first))
    third = put(database, name, "third", source=picture_of(database, second))
    beside = put(database, name, "beside", source=picture_of(database, first))
    put(database, name, "stranger")
    found = library.lineage(second, name)
    assert found.job.id == second
    assert [job.id for job in found.ancestors] == [first]
    assert [job.id for job in found.descendants] == [third]
    assert [(k.parent, k.child) for k in found.links] == [(first, second), (second, third)]
    assert {job.id for job in library.lineage(first, name).descendants} == {second, beside, third}
    assert found.complete
    library.delete(first, name)
    assert library.lineage(second, name).ancestors == ()


def test_a_family_that_is_too_large_is_cut_and_says_so(
    library: Library, database: Database, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portrayal.service.library._FAMILY", 3)
    first = put(database, name)
    picture = picture_of(database, first)
    for _ in range(5):
        put(database, name, source=picture)
    found = library.lineage(first, name)
    assert len(found.descendants) == len(found.links) == 3
    assert not found.complete


def test_usage_counts_pictures_per_day_key_and_operation(library: Library, database: Database, name: str) -> None:
    put(database, name, key="k1", images=3)
    put(database, name, key="k1", state="failed", images=2)
    put(database, name, key="k2", operation="remix")
    put(database, name, key="k1", state="starting")
    put(database, name, key="k1", at=time.time() - 3 * 86_400)
    put(database, name, key="k1", at=time.time() - 90 * 86_400)
    found = [(u.key_id, u.operation, u.jobs, u.pictures) for u in library.usage(name)]
    assert found == [("k1", "generate", 2, 3), ("k2", "remix", 1, 1), ("k1", "generate", 1, 1)]
    assert library.usage(name)[0].day > library.usage(name)[-1].day
    assert len(library.usage(name, days=2)) == 2
    assert [u.key_id for u in library.usage(name, key_id="k2")] == ["k2"]
    with pytest.raises(InvalidRequestError, match="days"):
        library.usage(name, days=0)


def test_the_queue_shows_ones_own_jobs_and_where_they_stand_among_all(
    library: Library, database: Database, name: str
) -> None:
    other = f"{name}-other"
    before = library.queue(name)
    running = put(database, name, state="processing")
    theirs = put(database, other, state="starting")
    mine = put(database, name, state="starting")
    queue = library.queue(name)
    assert (queue.waiting - before.waiting, queue.running - before.running) == (2, 1)
    assert [(job.id, job.state) for job in queue.jobs] == [(running, "processing"), (mine, "starting")]
    assert queue.jobs[0].position == 0
    assert queue.jobs[1].position == library.queue(other).jobs[0].position + 1
    for job_id, whose in ((running, name), (theirs, other), (mine, name)):
        library.delete(job_id, whose)
