"""Storyboards: scripts are checked whole before anything is made; pages, redone panels, balloons and their tails."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from portrayal import assets
from portrayal.cli import app
from portrayal.errors import InvalidRequestError, PortrayalError
from portrayal.imaging import decode, encode
from portrayal.request import Request
from portrayal.result import IdentityScore, Picture
from portrayal.storyboard import Script, make, read_script
from portrayal.storyboard.layout import SIZES, spots
from portrayal.storyboard.page import Drawn, _tail, draw_page
from portrayal.storyboard.script import MAX_PANELS, Balloon, Panel, dressed, script_of

FACE = (430.0, 300.0, 590.0, 500.0)
STORY: dict[str, Any] = {
    "title": "A test",
    "characters": {"ada": "ada.png", "ben": {"reference": "ben.png", "wears": "a blue sweater"}},
    "panel": [
        {"prompt": "@ada in a kitchen", "caption": "Morning.", "balloon": [{"who": "ada", "text": "Tea?"}]},
        {"prompt": "@ada and @ben in a park", "balloon": [{"who": "ben", "text": "Coffee."}]},
        {"prompt": "@ben on a beach", "below": "Later."},
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    picture = encode(np.full((64, 64, 3), 128, np.uint8), "png")
    for name in ("ada.png", "ben.png", "style.png"):
        (tmp_path / name).write_bytes(picture)
    return tmp_path


def story(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(STORY), **changes}


class Fake:
    """Makes flat pictures whose colour comes from the seed."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def __call__(self, request: Request, progress: Any = None) -> Any:
        self.asked.append(request)
        assert request.size is not None
        width, height = request.size
        colour = 60 + request.seeds()[0] % 150
        score = IdentityScore(kind="face", distance=0.2, score=0.99, same_person=True, bar=0.4)
        names = [c.name for c in request.characters]
        cast = tuple(score.model_copy(update={"name": name}) for name in names) if len(names) > 1 else ()
        picture = Picture(
            seed=request.seeds()[0],
            width=width,
            height=height,
            identity=score,
            cast=cast,
            data=encode(np.full((height, width, 3), colour, np.uint8), "png"),
            faces=tuple((0.3 * width, 0.3 * height, 0.45 * width, 0.55 * height) for _ in names),
        )
        return SimpleNamespace(pictures=(picture,), warnings=())


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("panel", {"panel": []}),
        ("panel", {"panel": [{"prompt": "a"}] * 500}),
        ("panel.1.prompt", {"panel": [{"prompt": "@carl in a park"}]}),
        ("panel.2.prompt", {"panel": [{"prompt": "a"}, {"prompt": ""}]}),
        ("panel.1.balloon.1.who", {"panel": [{"prompt": "@ada", "balloon": [{"who": "ben", "text": "Hi"}]}]}),
        ("panel.1.balloon.1.text", {"panel": [{"prompt": "@ada", "balloon": [{"text": "a" * 300}]}]}),
        ("panel.1.balloon.1.kind", {"panel": [{"prompt": "@ada", "balloon": [{"text": "a", "kind": "song"}]}]}),
        ("panel.1.colour", {"panel": [{"prompt": "@ada", "colour": "red"}]}),
        ("characters", {"characters": {}}),
        ("characters.ada.reference", {"characters": {"ada": "nowhere.png"}, "panel": [{"prompt": "a"}]}),
        ("style_preset", {"style_preset": "cubism from mars"}),
        ("panel.1.style_preset", {"panel": [{"prompt": "a", "style_preset": "nothing such"}]}),
        ("panel.1.balloon", {"panel": [{"prompt": "@ada", "balloon": [{"text": "a"}] * 7}]}),
        ("characters", {"characters": {"ada": "ada.png", "Ada": "ada.png"}, "panel": [{"prompt": "a"}]}),
        ("characters.ada.reference", {"characters": {"ada": "a" * 5000}, "panel": [{"prompt": "a"}]}),
        ("characters.ada.reference", {"characters": {"ada": "a\0.png"}, "panel": [{"prompt": "a"}]}),
        ("palette", {"palette": ["#12"]}),
        ("style_codes", {"style_codes": ["12"]}),
        ("style_references.1", {"style_references": ["gone.png"]}),
        ("layout.1", {"layout": ["9-9"]}),
        ("page", {"page": "round"}),
        ("seed", {"seed": -1}),
        ("folder", {"folder": "/tmp"}),
        ("hero", {"hero": "ada"}),
    ],
)
def test_a_bad_script_is_refused_with_its_place(folder: Path, field: str, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        script_of(story(**change), folder)
    assert caught.value.field == field


def test_a_style_code_beside_style_references_is_refused_before_anything_is_made(folder: Path) -> None:
    script = script_of(story(style_codes=["1A2B3C4D"], style_references=["style.png"]), folder)
    fake = Fake()
    with pytest.raises(PortrayalError):
        make(script, folder / "out", portrayer=fake)
    assert not fake.asked
    assert not (folder / "out").exists()


def test_a_file_that_is_no_script(folder: Path) -> None:
    for text in ("not = [toml", "\x00", "a = " + "[" * 3000):
        (folder / "story.toml").write_text(text)
        with pytest.raises(InvalidRequestError) as caught:
            read_script(folder / "story.toml")
        assert caught.value.field == "script"
    with pytest.raises(InvalidRequestError):
        read_script(folder / "nowhere.toml")


def test_the_command_line_says_it_in_a_line_and_writes_nothing(folder: Path) -> None:
    from typer.testing import CliRunner

    (folder / "story.toml").write_text('[characters]\nada = "ada.png"\n')
    result = CliRunner().invoke(app, ["storyboard", str(folder / "story.toml"), "--output", str(folder / "out")])
    assert isinstance(result.exception, InvalidRequestError)
    assert not (folder / "out").exists()


@pytest.mark.parametrize("page", SIZES)
@pytest.mark.parametrize("count", [1, 2, 5, 7, 19, MAX_PANELS])
def test_panels_stand_on_their_pages_and_not_on_each_other(page: Any, count: int) -> None:
    width, height = SIZES[page]
    found = spots(count, page, (), True)
    assert len(found) == count
    assert [s.page for s in found] == sorted(s.page for s in found)
    for number in {s.page for s in found}:
        cover = np.zeros((height, width), np.uint8)
        for s in (s for s in found if s.page == number):
            assert s.x > 0
            assert s.y > 0
            assert s.x + s.width < width
            assert s.y + s.height < height
            cover[s.y : s.y + s.height, s.x : s.x + s.width] += 1
        assert cover.max() == 1


def test_a_layout_is_heeded() -> None:
    found = spots(6, "portrait", ("1-2-3",), False)
    assert [len({s.y for s in found}), [sum(s.y == y for s in found) for y in sorted({s.y for s in found})]] == [
        3,
        [1, 2, 3],
    ]


def test_clothes_of_the_script_and_seeds(folder: Path) -> None:
    script = script_of(story(), folder)
    assert dressed(script, 1) == "@ada and @ben wearing a blue sweater, in a park"
    assert dressed(script, 0) == "@ada in a kitchen"
    assert [script.seed_of(i) for i in range(3)] == [1, 2, 3]
    assert [script_of(story(seed_policy="same"), folder).seed_of(i) for i in range(3)] == [1, 1, 1]
    assert script.cast(1) == ("ada", "ben")


def test_a_storyboard_is_made_and_one_panel_again(folder: Path) -> None:
    script, out, fake = script_of(story(), folder), folder / "out", Fake()
    made = make(script, out, portrayer=fake)
    assert [r.seed for r in fake.asked] == [1, 2, 3]
    assert [p.name for p in made.pages] == ["page-01.png"]
    assert made.document.read_bytes().startswith(b"%PDF")
    assert not made.warnings
    before = {f.name: f.read_bytes() for f in (out / "panels").iterdir()}
    page = hashlib.sha256(made.pages[0].read_bytes()).hexdigest()

    fake.asked.clear()
    again = make(script, out, portrayer=fake)
    assert not fake.asked
    assert [panel["made"] for panel in again.panels] == [False] * 3
    assert hashlib.sha256(again.pages[0].read_bytes()).hexdigest() == page

    redone = make(script, out, again=[2], seed=77, portrayer=fake)
    assert [r.seed for r in fake.asked] == [77]
    after = {f.name: f.read_bytes() for f in (out / "panels").iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"002.png"}
    assert redone.panels[1]["seed"] == 77
    assert hashlib.sha256(redone.pages[0].read_bytes()).hexdigest() != page

    fake.asked.clear()
    make(script, out, portrayer=fake)
    assert not fake.asked, "the redone panel keeps its seed"
    make(script, out, again=[2], portrayer=fake)
    assert [r.seed for r in fake.asked] == [78], "asked again without a seed, it is another picture"
    fake.asked.clear()

    changed = story()
    changed["panel"][2]["prompt"] = "@ben on the moon"
    make(script_of(changed, folder), out, portrayer=fake)
    assert [r.prompt for r in fake.asked] == ["@ben wearing a blue sweater, on the moon"]


def test_a_panel_that_was_damaged_is_made_again(folder: Path) -> None:
    script, out, fake = script_of(story(), folder), folder / "out", Fake()
    make(script, out, portrayer=fake)
    (out / "panels" / "001.png").write_bytes(b"")
    (out / "storyboard.json").write_text(json.dumps(json.loads((out / "storyboard.json").read_text())))
    fake.asked.clear()
    make(script, out, portrayer=fake)
    assert len(fake.asked) == 1


def _refused(script: Script, out: Path, **options: Any) -> str:
    """The field that is refused before anything is asked for or written."""
    fake = Fake()
    before = sorted(out.rglob("*")) if out.is_dir() else None
    with pytest.raises(PortrayalError) as caught:
        make(script, out, portrayer=fake, **options)
    assert not fake.asked
    assert (sorted(out.rglob("*")) if out.is_dir() else None) == before
    return caught.value.field


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_out_of_range(folder: Path, seed: int) -> None:
    assert _refused(script_of(story(), folder), folder / "out", again=[1], seed=seed) == "seed"


def test_the_last_panel_is_checked_before_the_first_is_made(folder: Path) -> None:
    story_ = story()
    story_["panel"][2]["prompt"] = "@ben " + " ".join(f'"word {i}"' for i in range(30))
    assert _refused(script_of(story_, folder), folder / "out") == "panel.3.prompt"
    (folder / "text.png").write_text("no picture")
    bad = story(style_references=["style.png", "text.png"])
    assert _refused(script_of(bad, folder), folder / "out") == "style_references.2"
    bad = story()
    bad["characters"]["ben"]["mask"] = "text.png"
    assert _refused(script_of(bad, folder), folder / "out") == "characters.ben.mask"


def test_an_input_is_never_replaced(folder: Path) -> None:
    (folder / "panels").mkdir()
    (folder / "ben.png").rename(folder / "panels" / "002.png")
    data = story()
    data["characters"]["ben"]["reference"] = "panels/002.png"
    assert _refused(script_of(data, folder), folder) == "output"


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        "[]",
        "[" * 5000,
        '{"panels": 3}',
        '{"panels": [3, {}, {"number": 1}]}',
        '{"panels": [], "pages": ["../ada.png"]}',
    ],
)
def test_a_manifest_that_is_none_is_not_believed(folder: Path, text: str) -> None:
    out, fake = folder / "out", Fake()
    out.mkdir()
    (out / "storyboard.json").write_text(text)
    made = make(script_of(story(), folder), out, portrayer=fake)
    assert len(fake.asked) == 3
    assert (folder / "ada.png").exists()
    assert len(json.loads((out / "storyboard.json").read_text())["panels"]) == len(made.panels)


def test_a_panel_whose_entry_was_damaged_is_made_again(folder: Path) -> None:
    script, out, fake = script_of(story(), folder), folder / "out", Fake()
    make(script, out, portrayer=fake)
    data = json.loads((out / "storyboard.json").read_text())
    data["panels"][1]["seed"] = "x"
    del data["panels"][2]["faces"]
    (out / "storyboard.json").write_text(json.dumps(data))
    fake.asked.clear()
    make(script, out, portrayer=fake)
    assert len(fake.asked) == 2


def test_another_seed_in_the_script_is_heeded(folder: Path) -> None:
    out, fake = folder / "out", Fake()
    make(script_of(story(), folder), out, portrayer=fake)
    make(script_of(story(), folder), out, again=[2], seed=77, portrayer=fake)
    fake.asked.clear()
    make(script_of(story(seed=40), folder), out, portrayer=fake)
    assert [r.seed for r in fake.asked] == [40, 41, 42]


def test_fewer_panels_take_their_own_pages_away_and_nothing_else(folder: Path) -> None:
    out, fake = folder / "out", Fake()
    long = story(panel=[{"prompt": "@ada in a park"}] * 9)
    assert len(make(script_of(long, folder), out, portrayer=fake).pages) > 1
    for name in ("page-cover.png", "page-99.png"):
        (out / name).write_bytes(b"mine")
    make(script_of(story(), folder), out, portrayer=fake)
    assert sorted(p.name for p in out.glob("page-*")) == ["page-01.png", "page-99.png", "page-cover.png"]


@pytest.mark.parametrize("number", [0, 4])
def test_there_is_no_such_panel(folder: Path, number: int) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        make(script_of(story(), folder), folder / "out", again=[number], portrayer=Fake())
    assert caught.value.field == "panel"
    assert not (folder / "out").exists()


def _page(panel: Panel, faces: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    picture = np.full((1024, 1024, 3), (40, 90, 160), np.uint8)
    place = spots(1, "square", (), False)[0]
    return draw_page([Drawn(panel, picture, faces, place)], "square", "", 0, 1)


def test_balloons_and_captions_leave_the_face_free() -> None:
    words = tuple(Balloon(text=f"This is a line of number {i}.", who="ada") for i in range(4))
    bare = Panel(prompt="@ada")
    full = Panel(prompt="@ada", caption="A caption above.", below="And one below.", balloon=words)
    plain, _ = _page(bare, {"ada": FACE})
    sheet, notes = _page(full, {"ada": FACE})
    assert not notes
    place = spots(1, "square", (), False)[0]
    scale = place.width / 1024
    x0, y0, x1, y1 = (v * scale for v in FACE)
    assert place.height < place.width
    y = float(np.clip(0.4 * (1024 * scale - place.height), 0, 1e9))
    part = np.s_[
        round(place.y + y0 - y) + 2 : round(place.y + y1 - y) - 2, round(place.x + x0) + 2 : round(place.x + x1) - 2
    ]
    assert np.array_equal(sheet[part], plain[part])
    assert not np.array_equal(sheet, plain)


def test_a_mask_of_another_size_and_nobody_in_a_picture_stop_before_the_first_panel(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiled(stage: str, fraction: float) -> None:
        raise AssertionError("work began")

    (folder / "ada.png").write_bytes(assets.path("sample/astronaut.png").read_bytes())
    (folder / "small.png").write_bytes(encode(np.full((64, 64), 255, np.uint8), "png"))
    for who, field in (
        ({"ada": {"reference": "ada.png", "mask": "small.png"}}, "characters.ada.mask"),
        ({"ada": "ada.png", "ben": "ben.png"}, "characters.ben.reference"),
    ):
        script = script_of({"characters": who, "panel": [{"prompt": "@ada in a park"}]}, folder)
        with pytest.raises(PortrayalError) as caught:
            make(script, folder / "out", progress=compiled)
        assert caught.value.field == field
        assert not (folder / "out").exists()


def test_what_finds_no_room_is_said() -> None:
    face = (20.0, 20.0, 1000.0, 1000.0)
    _, notes = _page(Panel(prompt="@ada", balloon=(Balloon(text="Hello", who="ada"),)), {"ada": face})
    assert any("no room" in note for note in notes)


def test_a_tail_points_at_the_mouth_and_ends_before_the_face() -> None:
    middle = (200.0, 150.0)
    x, y = _tail(FACE, middle, "speech")
    end = np.add(middle, (x, y))
    assert not (FACE[0] < end[0] < FACE[2] and FACE[1] < end[1] < FACE[3])
    mouth = np.array([(FACE[0] + FACE[2]) / 2, FACE[1] + 0.8 * (FACE[3] - FACE[1])])
    along = (mouth - middle) / np.linalg.norm(mouth - middle)
    assert np.dot((x, y), along) / np.hypot(x, y) > 0.999
    assert np.linalg.norm(end - mouth) < 0.8 * (FACE[2] - FACE[0])


def test_a_storyboard_of_the_sample(tmp_path: Path) -> None:
    (tmp_path / "me.png").write_bytes(assets.path("sample/astronaut.png").read_bytes())
    data = {
        "style_type": "fiction",
        "speed": "turbo",
        "characters": {"me": "me.png"},
        "panel": [
            {"prompt": "@me in a garden", "balloon": [{"who": "me", "text": "Hello!"}]},
            {"prompt": "@me on the moon", "caption": "Next day"},
        ],
    }
    made = make(script_of(data, tmp_path), tmp_path / "out")
    for panel in made.panels:
        assert panel["look"] == "comic"
        assert panel["identity"]["me"]["same_person"]
        assert panel["identity"]["me"]["measured"] == "before the look"
        assert len(panel["faces"]["me"]) == 4
    sheet = decode(made.pages[0].read_bytes(), "page")
    assert sheet.shape == (*SIZES["portrait"][::-1], 3)
