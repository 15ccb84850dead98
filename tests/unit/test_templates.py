"""Templates: every one is whole; slots; the commands, and what they say to bad input."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from portrayal import assets, warmup
from portrayal.bench import gallery_templates
from portrayal.engines.studio import looks
from portrayal.errors import InvalidRequestError
from portrayal.prompting import read
from portrayal.prompting.templates import Template, find, groups, templates
from portrayal.styles.catalogue import PALETTES, STYLE_PRESETS, STYLE_TYPES
from tests.unit.commands import run

_GROUPS = {"headshots", "fantasy", "science fiction", "cartoon", "seasons", "storybook", "professions", "campaign"}
_WITH_SLOTS = [t for t in templates() if t.slots or t.required]


def _texts(template: Template) -> dict[str, str]:
    return dict.fromkeys(template.required, "HELLO THERE")


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warmup, "needed", lambda **_: False)


def test_there_are_enough_in_every_group() -> None:
    assert 44 <= len(templates()) <= 60
    assert set(groups()) >= _GROUPS
    for group in _GROUPS:
        assert sum(t.group == group for t in templates()) >= 4, group
    assert len({t.title for t in templates()}) == len(templates())


@pytest.mark.parametrize("template", templates(), ids=lambda t: t.name)
def test_each_is_whole(template: Template) -> None:
    assert re.fullmatch(r"[a-z][a-z-]+", template.name)
    in_prompt = set(re.findall(r"\{(\w+)\}", template.prompt)) - {"character"}
    assert in_prompt == {*template.slots, *template.required}
    assert not set(template.slots) & set(template.required)
    plan = read(template.filled("@ada", _texts(template)))
    assert plan.unknown == ()
    assert plan.language == "en"
    if template.framing:
        assert plan.framing_said
    assert template.style_type in STYLE_TYPES
    assert not template.style_preset or template.style_preset in STYLE_PRESETS
    assert not template.style_preset or template.style_preset in looks.presets()
    assert set(template.palette) <= set(PALETTES)
    assert template.preview == ("gallery/templates.jpg" if template.operation == "generate" else "")
    assert not template.style_preset or plan.look is None, "a preset is the look"


def test_the_file_holds_no_field_that_is_not_read() -> None:
    entries = tomllib.loads(assets.path("templates.toml").read_text("utf-8"))["template"]
    assert len(entries) == len(templates())
    assert {key for entry in entries for key in entry} <= set(Template.model_fields)


@pytest.mark.parametrize("template", _WITH_SLOTS, ids=lambda t: t.name)
def test_other_words_in_the_slots_are_understood(template: Template) -> None:
    other = {"colour": "mustard", "backdrop": "teal", "place": "market", "text": "GOOD DAY"}
    slots = {slot: other[slot] for slot in (*template.slots, *template.required)}
    plan = read(template.filled("", slots))
    assert plan.unknown == ()
    if "colour" in slots:
        assert "mustard" in {g.colour for g in (*plan.outfit, *plan.accessory_details)}
    if "backdrop" in slots:
        assert plan.backdrop == "teal"
    if "place" in slots:
        assert plan.setting == "market"
    if "text" in slots:
        assert plan.lettering == ("GOOD DAY",)


def test_filling() -> None:
    suit = find("business-headshot")
    assert suit.filled("@ada").startswith("@ada in a charcoal suit, grey backdrop")
    assert suit.filled(slots={"colour": "navy"}).startswith("in a navy suit, grey backdrop")
    sign = find("holding-a-sign")
    assert '"HELLO"' in sign.filled("", {"text": " HELLO "})


@pytest.mark.parametrize(
    ("name", "slots", "said"),
    [
        ("knight", {"colour": "red"}, "there is no slot 'colour'"),
        ("business-headshot", {"place": "x"}, "business-headshot has colour, backdrop"),
        ("holding-a-sign", {}, "'text' is missing"),
        ("holding-a-sign", {"text": "  "}, "'text' is empty"),
        ("holding-a-sign", {"text": 'a "b"'}, "quotation marks"),
        ("holding-a-sign", {"text": "{x}"}, "braces"),
        ("holding-a-sign", {"text": "a\nb"}, "line breaks"),
        ("holding-a-sign", {"text": "x" * 300}, "longer than 200"),
        ("holding-a-sign", {"character": "@bob", "text": "x"}, "there is no slot 'character'"),
    ],
)
def test_bad_slots(name: str, slots: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidRequestError, match=re.escape(said)) as refused:
        find(name).filled("", slots)
    assert refused.value.field == "slot"
    assert refused.value.remedy


def test_finding() -> None:
    assert find(" Business Headshot ").name == "business-headshot"
    with pytest.raises(InvalidRequestError, match="Did you mean knight") as refused:
        find("knigth")
    assert refused.value.field == "template"
    with pytest.raises(InvalidRequestError, match="templates list"):
        find("zzzzzz")


def test_the_sheet_fills_every_template() -> None:
    for template in templates():
        assert read(gallery_templates.filled(template)).unknown == ()


def test_list_and_show(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, text, _ = run(monkeypatch, capsys, "templates", "list")
    assert code == 0
    assert all(f"{group}:" in text for group in groups())
    assert all(template.name in text for template in templates())
    assert "text (needed), colour" in text
    code, text, _ = run(monkeypatch, capsys, "templates", "list", "--group", "fantasy", "--json")
    assert {entry["group"] for entry in json.loads(text)["templates"]} == {"fantasy"}
    code, text, _ = run(monkeypatch, capsys, "templates", "show", "magazine-cover")
    assert "slot text: needed" in text
    assert "MAGAZINE_EDITORIAL" in text
    code, text, _ = run(monkeypatch, capsys, "templates", "show", "magazine-cover", "--json")
    assert json.loads(text)["preview"] == "gallery/templates.jpg"
    code, text, told = run(monkeypatch, capsys, "templates", "list", "--group", "cars")
    assert (code, text) == (2, "")
    assert "fantasy" in told


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["knigth", "-r", "SAMPLE"], "template"),
        (["holding-a-sign", "-r", "SAMPLE"], "slot"),
        (["knight", "-r", "SAMPLE", "-s", "colour=red"], "slot"),
        (["business-headshot", "-r", "SAMPLE", "-s", "colour"], "slot"),
        (["business-headshot", "-r", "SAMPLE", "-s", "colour=red", "-s", "colour=blue"], "slot"),
        (["knight"], "reference"),
        (["knight", "-r", "SAMPLE", "-i", "SAMPLE"], "image"),
        (["library-behind", "-r", "SAMPLE"], "image"),
        (["library-behind", "-i", "SAMPLE", "-r", "SAMPLE"], "reference"),
        (["library-behind", "-i", "SAMPLE", "--size", "512x512"], "size"),
        (["library-behind", "-i", "SAMPLE", "--magic-prompt", "on"], "magic_prompt"),
        (["knight", "-r", "SAMPLE", "--seed", "-1"], "seed"),
        (["knight", "-r", "SAMPLE", "--size", "3x3"], "size"),
    ],
)
def test_a_bad_run_writes_nothing(
    arguments: list[str],
    field: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sample = str(assets.path("sample/astronaut.png"))
    target = tmp_path / "out.png"
    arguments = [sample if a == "SAMPLE" else a for a in arguments]
    code, text, told = run(monkeypatch, capsys, "templates", "run", *arguments, "-o", str(target))
    assert (code, text) == (2, "")
    assert told.startswith(f"portrayal: {field}:")
    assert told.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("no_work")
def test_a_run_asks_for_what_the_template_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import portrayal

    asked: dict[str, object] = {}

    class Told:
        pictures = ()
        warnings = ()

    def generate(reference: object, prompt: str, **options: object) -> Told:
        asked.update(options, reference=reference, prompt=prompt)
        return Told()

    monkeypatch.setattr(portrayal, "generate", generate)
    code, _, _ = run(
        monkeypatch, capsys, "templates", "run", "garden-watercolour", "-r", "@ada", "-s", "colour=rose", "-o",
        str(tmp_path / "x.png"), "--seed", "5", "--magic-prompt", "auto", "--negative-prompt", "hat",
    )  # fmt: skip
    assert code == 0
    assert asked["prompt"] == "@ada in a rose dress in a flower garden, smiling"
    assert asked["reference"] == ["@ada"]
    assert (asked["size"], asked["style_preset"], asked["seed"]) == ("832x1248", "WATERCOLOR", 5)
    assert (asked["magic_prompt"], asked["negative_prompt"]) == ("auto", "hat")

    monkeypatch.setattr(portrayal, "replace_background", generate)
    arguments = ("-i", str(assets.path("sample/astronaut.png")), "--negative-prompt", "lamp")
    code, _, _ = run(
        monkeypatch, capsys, "templates", "run", "library-behind", "-o", str(tmp_path / "x.png"), *arguments
    )
    assert code == 0
    assert asked["negative_prompt"] == "lamp"
