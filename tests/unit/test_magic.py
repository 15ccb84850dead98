"""The built-in magic prompt: it adds what is open, suits, and is understood; what was said stays."""

from __future__ import annotations

import json

import pytest

from portrayal.engines.studio.light.rigs import lights
from portrayal.engines.studio.scenes.catalogue import settings
from portrayal.errors import InvalidRequestError
from portrayal.prompting import read
from portrayal.prompting.magic import Mode, check_mode, enrich, joined, leaves_open, table
from portrayal.prompting.vocabulary import ids
from tests.unit.commands import run

_SHORT = (
    "a portrait", "@ada", "in a suit", "a chef", "@ada as a knight", "sitting", "a woman in a red dress.", "jumping",
    "close-up, black and white", "a sign that says 'hello'", "cyberpunk", "at night", "in the rain", "wearing glasses",
)  # fmt: skip
_LANGUAGES = (
    "Porträt im Wald", "eine Frau im roten Kleid", "un astronauta", "una mujer en la playa", "femme en robe rouge",
    "homme dans un bar", "uma mulher na praia", "una donna in un bar", "ビーチで笑顔", "スーツを着た女性",
)  # fmt: skip
_SAID = ("setting", "time", "weather", "light", "look", "framing", "camera", "pose", "expression")


@pytest.mark.parametrize("mode", ["on", "auto"])
@pytest.mark.parametrize("prompt", [*_SHORT, *_LANGUAGES])
def test_it_adds_and_changes_nothing(prompt: str, mode: Mode) -> None:
    before = read(prompt)
    for seed in range(12):
        magic = enrich(prompt, mode=mode, seed=seed)
        assert magic.prompt.startswith(prompt)
        after = read(magic.prompt)
        for kind, phrase in magic.added:
            assert phrase in magic.prompt
            assert getattr(before, kind) is None
            assert getattr(after, kind) is not None
        for name in _SAID:
            assert getattr(before, name) in (None, getattr(after, name)), (name, magic.prompt)
        assert (after.outfit, after.accessories, after.hair) == (before.outfit, before.accessories, before.hair)
        assert after.unknown == before.unknown
        assert (after.look, after.pose, after.framing) == (before.look, before.pose, before.framing)
        if mode == "on":
            assert 2 <= len(magic.added) <= 4, magic.prompt
            assert magic.by == "built-in"
        else:
            assert len(magic.added) <= 2
            assert bool(magic.added) == bool(magic.by)


def test_the_seed_chooses() -> None:
    prompts = {enrich("a portrait", mode="on", seed=seed).prompt for seed in range(40)}
    assert len(prompts) > 20
    assert enrich("a portrait", mode="on", seed=7) == enrich("a portrait", mode="on", seed=7)


def test_auto_leaves_full_prompts_alone_and_off_all() -> None:
    full = "smiling in a park at golden hour"
    assert enrich(full, mode="auto", seed=1).prompt == full
    assert enrich("a portrait", mode="off", seed=1).prompt == "a portrait"
    assert enrich("   ", mode="on", seed=1).prompt == "   "
    assert leaves_open(read("a portrait"))
    assert leaves_open(read("on a beach"))
    assert not leaves_open(read("on a beach, smiling"))


def test_quoted_words_stay_and_are_no_hint() -> None:
    prompt = 'a sign that says "On the BEACH at night, no hat"'
    for seed in range(20):
        magic = enrich(prompt, mode="on", seed=seed)
        assert magic.prompt.startswith(prompt)
        assert read(magic.prompt).lettering == ("On the BEACH at night, no hat",)


def test_a_cast_gets_nothing_personal() -> None:
    for seed in range(30):
        magic = enrich("@ada and @bob", mode="on", seed=seed)
        assert magic.added
        assert not {kind for kind, _ in magic.added} & {"expression", "gaze"}


def test_what_is_given_elsewhere_is_not_added() -> None:
    for seed in range(30):
        magic = enrich("a portrait", mode="on", seed=seed, given=("setting", "light"))
        assert magic.added
        assert not {kind for kind, _ in magic.added} & {"setting", "backdrop", "light"}


def test_the_negative_prompt_is_heeded() -> None:
    for seed in range(40):
        magic = enrich("a portrait", mode="on", seed=seed, negative="park, coffee shop, smile, golden hour, studio")
        plan = read(magic.prompt)
        assert plan.setting not in ("park", "autumn park", "coffee shop", "studio")
        assert plan.expression not in ("smile", "slight smile", "broad smile", "laugh")
        assert plan.time != "golden hour"


def test_places_suit_clothes() -> None:
    for seed in range(20):
        assert read(enrich("a chef", mode="on", seed=seed).prompt).setting in ("kitchen", "restaurant", "market")
        assert read(enrich("astronaut", mode="on", seed=seed).prompt).setting in ("moon", "mars", "space", "spaceship")


def test_a_long_prompt_is_taken_as_it_is() -> None:
    prompt = "portrait " + "a " * 1000
    magic = enrich(prompt, mode="on", seed=1)
    assert (magic.prompt, magic.by) == (prompt, "")
    assert "rich enough" in magic.warnings[0]


@pytest.mark.parametrize(
    ("prompt", "whole"),
    [("a man", "a man, x, y"), ("a man.", "a man. x, y"), ("a man,", "a man, x, y"), ("a man ", "a man, x, y")],
)
def test_how_it_is_joined(prompt: str, whole: str) -> None:
    assert joined(prompt, ["x", "y"]).replace(" ,", ",") == whole
    assert joined(prompt, []) == prompt


def test_modes() -> None:
    assert [check_mode(mode) for mode in ("auto", "on", "off")] == ["auto", "on", "off"]
    with pytest.raises(InvalidRequestError, match="magic_prompt"):
        check_mode("maybe")


@pytest.mark.parametrize("kind", list(table()["phrase"]))
def test_every_phrase_is_read_as_its_id(kind: str) -> None:
    plain = read("a portrait")
    for id_, phrase in table()["phrase"][kind].items():
        plan = read(f"a portrait, {phrase}")
        assert plan.unknown == ()
        assert getattr(plan, kind) == id_ or kind == "gaze", phrase
        changed = {name for name in type(plan).model_fields if getattr(plan, name) != getattr(plain, name)}
        own = {"neon street": {"light"}, "night street": {"time"}, "rainy street": {"weather"}}.get(id_, set())
        own |= {"setting"} if kind == "backdrop" else set()
        assert changed - {"prompt", "understood"} == {kind, *own}, phrase


def test_the_tables_are_whole() -> None:
    phrases = table()["phrase"]
    assert set(phrases["setting"]) >= set(ids("setting")) - {"bedroom"}
    placed = [setting for place in table()["place"] for setting in place["settings"]]
    assert sorted(placed) == sorted(set(ids("setting")))
    for place in table()["place"]:
        for kind, listed in place.items():
            if kind == "settings":
                continue
            assert set(listed) <= set(phrases[kind]), place
            for setting in place["settings"]:
                known = settings()[setting]
                if kind == "time" and known.times:
                    assert set(listed) <= set(known.times), setting
                if kind == "weather" and known.weathers:
                    assert set(listed) <= set(known.weathers), setting
                if kind == "light":
                    assert set(listed) <= {"natural", *lights()}, setting
    kinds = {"outfit": "garment"}
    for key, places in table()["where"].items():
        kind, _, id_ = key.partition(":")
        assert not key or id_ in ids(kinds.get(kind, kind)), key
        assert set(places) <= set(phrases["setting"]), key
    for key, against in table()["clash"].items():
        for one in (key, *against):
            kind, _, id_ = one.partition(":")
            assert id_ in ids(kind), one


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, text, told = run(monkeypatch, capsys, "magic-prompt", "a chef", "--seed", "3")
    assert (code, text.strip()) == (0, enrich("a chef", mode="on", seed=3).prompt)
    assert "added setting" in told
    code, text, _ = run(monkeypatch, capsys, "magic-prompt", "a chef", "--mode", "off", "--json")
    assert json.loads(text)["changed"] is False
    code, text, told = run(monkeypatch, capsys, "magic-prompt", "a chef", "--mode", "much")
    assert (code, text) == (2, "")
    assert "magic_prompt" in told
    assert run(monkeypatch, capsys, "magic-prompt", "  ")[0] == 2
