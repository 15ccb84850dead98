"""The negative prompt: whatever it names, of every kind, is neither kept from the prompt nor chosen by anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from portrayal import colours
from portrayal.engines.studio import avoid, looks
from portrayal.engines.studio.accessories.data import things as accessories
from portrayal.engines.studio.compose import Composition
from portrayal.engines.studio.figure.dress import wear
from portrayal.engines.studio.generate import fill_in
from portrayal.engines.studio.head import HeadMotion
from portrayal.engines.studio.scenes.catalogue import settings
from portrayal.engines.studio.scenes.photograph import cleared, removable
from portrayal.engines.studio.types import Notes, Shot
from portrayal.engines.studio.wardrobe import data
from portrayal.engines.studio.wardrobe.choose import choose, things
from portrayal.engines.studio.wardrobe.outfit import Cloth, Outfit
from portrayal.prompting import read
from portrayal.prompting.magic import enrich
from portrayal.prompting.plan import ScenePlan
from portrayal.prompting.vocabulary import entries, ids, split_mark
from portrayal.prompting.without import STAYS, hidden, own, table
from portrayal.styles.style import Style

_KINDS = (
    "setting", "time", "weather", "light", "expression", "look", "framing", "camera", "pose", "gaze", "garment",
    "accessory", "lower", "colour", "pattern", "fabric", "season", "head",
)  # fmt: skip
_AS = {"garment": "outfit", "lower": "outfit"}
_FIELDS = ("setting", "time", "weather", "light", "expression", "look", "framing", "camera", "pose")


def _plain(entry: str) -> str:
    """One phrase of a pattern: the first choice of each group, without options."""
    text = re.sub(r"\[[^\]]*\]", " ", split_mark(entry)[0])
    text = re.sub(r"\(([^)|]*)[^)]*\)", r"\1", text)
    return " ".join(word.split("|")[0] for word in text.replace("#", "15").split())


def _entries() -> Iterator[tuple[str, str, list[str]]]:
    for kind in _KINDS:
        for id_, listed in entries("en")[kind].items():
            if id_:
                yield kind, id_, [_plain(entry) for entry in listed]


def _names(negative: str, kind: str, id_: str) -> bool:
    plan = read("", negative)
    kind = _AS.get(kind, kind)
    return plan.excludes(kind, id_) or any(u.kind == kind and u.value.endswith(id_) for u in plan.negative)


def test_nearly_every_entry_of_the_vocabulary_is_understood_in_a_negative_prompt() -> None:
    found = [[_names(phrase, kind, id_) for phrase in phrases] for kind, id_, phrases in _entries()]
    assert all(any(one) for one in found), "an id that no phrase excludes"
    every = [ok for one in found for ok in one]
    assert len(every) > 3000
    assert sum(every) > 0.97 * len(every)


def _phrase(kind: str, id_: str, phrases: list[str]) -> str:
    return next(p for p in phrases if read("", p).excludes(_AS.get(kind, kind), id_))


_BY_ID = [
    (kind, id_, _phrase(kind, id_, phrases))
    for kind, id_, phrases in _entries()
    if any(read("", p).excludes(_AS.get(kind, kind), id_) for p in phrases)
]


def test_every_id_can_be_excluded() -> None:
    missing = {(kind, id_) for kind, id_, _ in _entries()} - {(kind, id_) for kind, id_, _ in _BY_ID}
    assert {kind for kind, _ in missing} <= {"head"}, missing  # an angle with a number is no word for a list


@pytest.mark.parametrize("kind", _KINDS)
def test_what_is_named_and_excluded_is_not_in_the_plan(kind: str) -> None:
    for _, id_, phrase in (one for one in _BY_ID if one[0] == kind):
        plan = read(f"a portrait, {phrase}", phrase)
        values: tuple[str | None, ...] = ()
        if kind in ("garment", "lower"):
            values = tuple(g.item for g in plan.outfit)
        elif kind == "accessory":
            values = plan.accessories
        elif kind in _FIELDS and kind not in STAYS:
            values = (getattr(plan, kind),)
        assert id_ not in values, phrase


def _chosen(plan: ScenePlan, seed: int) -> tuple[ScenePlan, Shot]:
    """What the engine makes of a plan before it draws."""
    shot = Shot(512, 512, time=plan.time, weather=plan.weather)
    plan, composition = fill_in(
        avoid.settled(plan, seed), Composition(1.0, (0.0, 0.0), "bust", shot, HeadMotion(), 0.0, 0.4), seed, 0
    )
    return plan, avoid.shown(plan, composition.shot)


@pytest.mark.parametrize("kind", [k for k in _KINDS if k in _FIELDS])
def test_the_engine_chooses_nothing_that_is_excluded(kind: str) -> None:
    for _, _, phrase in (one for one in _BY_ID if one[0] == kind):
        start = read("a portrait", phrase)
        for seed in range(40):
            plan, shot = _chosen(start, seed)
            taken = {"time": shot.time, "weather": shot.weather}.get(kind, getattr(plan, kind))
            assert not start.excludes(kind, taken), (phrase, seed)


@pytest.mark.parametrize("kind", ["setting", "time", "weather", "light", "expression", "camera", "gaze"])
def test_the_magic_prompt_adds_nothing_that_is_excluded(kind: str) -> None:
    for _, _, phrase in (one for one in _BY_ID if one[0] == kind):
        for seed in range(6 if kind == "setting" else 12 if kind in ("light", "expression") else 40):
            magic = enrich("a portrait", mode="on", seed=seed, negative=phrase)
            assert magic.added
            plan = read(magic.prompt, phrase)
            assert not any(note.endswith("(also excluded)") for note in plan.unknown), (phrase, magic.prompt)
            assert not any(plan.excludes(u.kind, u.value) for u in read(magic.prompt).understood), (
                phrase,
                magic.prompt,
            )


def test_the_hour_of_a_place_gives_way() -> None:
    for name, setting in settings().items():
        if setting.place == "apart" or len(setting.times) < 2:
            continue
        plan = read("", setting.time).model_copy(update={"setting": name})
        shot = avoid.shown(plan, Shot(512, 512))
        assert shot.time is not None
        assert shot.time != setting.time
        assert shot.time in setting.times
    clear = avoid.shown(read("on a beach", "clear sky"), Shot(512, 512))
    assert clear.weather == "cloudy"
    assert avoid.shown(read("on a beach"), Shot(512, 512)) == Shot(512, 512)


@pytest.mark.parametrize("colour", ["red", "white", "navy", "black", "grey", "burgundy", "green", "blue", "olive"])
def test_no_cloth_has_an_excluded_colour(colour: str) -> None:
    barred = frozenset({colour, *table()["shades"].get(colour, ())})
    for garment in data.garments():
        for seed in (1, 2):
            outfit = choose(read(f"wearing {'a ' + garment}", colour), seed, Notes())
            if outfit is None or outfit.garment != garment:
                continue
            cloths = [outfit.main, *outfit.parts.values(), *wear(outfit).cloths[:1]]
            for cloth in cloths:
                assert not avoid._is(cloth.colour, barred), (garment, cloth)


def test_patterns_and_fabrics_are_changed() -> None:
    plan = read("", "stripes, silk")
    outfit = Outfit("shirt", Cloth("#ffffff", "silk", "striped", "#ff0000"))
    assert avoid.spared(plan, outfit).main == Cloth("#ffffff", "cotton")
    assert avoid.spared(read(""), outfit) is outfit


def test_a_garment_that_is_only_excluded_makes_room_for_another() -> None:
    for garment in data.garments():
        if garment == "scarf":
            continue
        for seed in range(8):
            outfit = choose(read("a portrait", garment), seed, Notes())
            assert outfit is not None
            assert outfit.garment != garment
    assert choose(read("a portrait"), 1, Notes()) is None


def test_a_tie_is_taken_off() -> None:
    outfit = choose(read("in a suit", "tie"), 3, Notes())
    assert outfit is not None
    assert "tie" in outfit.without


def test_legs_feet_and_things_on_the_head() -> None:
    sweater = Outfit("sweater", Cloth("#808080", "knit"))
    usual, other = wear(sweater), wear(avoid.spared(read("", "jeans, trousers"), sweater))
    assert usual.lower.kind != "skirt"
    assert other.lower.kind == "skirt"
    assert wear(avoid.spared(read("", "sneakers"), Outfit("hoodie", sweater.main))).feet.kind != "trainers"
    hat = things(read("wearing a hat"))[0]
    assert hat.colour is None
    usual_colour = accessories()["hat"].made_of(hat, "").colour
    name = next(n for n in colours.names() if avoid._is(usual_colour, frozenset({n})))
    other_colour = things(read("wearing a hat", name))[0].colour
    assert other_colour is not None
    assert not avoid._is(other_colour, frozenset({name}))
    assert things(read("wearing a blue hat", "brown"))[0].colour == colours.hex_of("blue")


def test_looks_give_way_and_when_all_do_it_is_a_photograph() -> None:
    fiction = Style(type="fiction")
    assert looks.choose(read(""), fiction, body=False)[0] == "comic"
    assert looks.choose(read("", "comic"), fiction, body=False)[0] not in (None, "comic")
    everything = ", ".join((*looks.names(), "line art, drawing"))
    look, note = looks.choose(read("", everything), fiction, body=False)
    assert look is None
    assert "photograph" in note
    assert looks.choose(read("walking", "oil painting"), Style(), body=True)[0] != "oil painting"
    assert looks.choose(read("a portrait", "photo"), Style(), body=False)[0] is not None


@pytest.mark.parametrize(
    ("prompt", "negative", "setting"),
    [
        ("in a snowy forest", "snow", "forest"),
        ("in a forest in winter", "snow", "forest"),
        ("in a park in autumn", "autumn", "park"),
        ("in a neon street", "neon", "night street"),
        ("in a neon street", "neon, night", "city street"),
        ("on a beach", "beach", None),
        ("in the snowy mountains", "snow", "mountains"),
    ],
)
def test_what_is_left_of_a_place(prompt: str, negative: str, setting: str | None) -> None:
    plan = read(prompt, negative)
    assert plan.setting == setting
    assert plan.weather is None
    assert any(note.endswith("(also excluded)") for note in plan.unknown)


@pytest.mark.parametrize(
    ("prompt", "negative", "outfit"),
    [
        ("a red dress", "red", [("dress", None)]),
        ("a crimson dress", "red", [("dress", None)]),
        ("a red dress", "red shirt", [("dress", "red")]),
        ("a red shirt", "red shirt", [("shirt", None)]),
        ("a blue shirt and a red tie", "red", [("shirt", "blue")]),
        ("a striped navy suit", "stripes", [("suit", "navy")]),
        ("a suit", "suit", []),
        ("a suit", "shirt", [("suit", None)]),
    ],
)
def test_what_is_left_of_clothes(prompt: str, negative: str, outfit: list[tuple[str, str | None]]) -> None:
    plan = read(prompt, negative)
    assert [(g.item, g.colour) for g in plan.outfit] == outfit
    assert not any(g.colour == "red" for g in plan.accessory_details) or "red" not in negative


@pytest.mark.parametrize(
    ("prompt", "negative"), [("close-up", "close-up"), ("low angle", "low angle"), ("looking at the camera",) * 2]
)
def test_how_the_picture_is_taken_stays(prompt: str, negative: str) -> None:
    before, after = read(prompt), read(prompt, negative)
    assert (after.framing, after.camera, after.gaze) == (before.framing, before.camera, before.gaze)


def test_head_and_eyes_do_something_else() -> None:
    for seed in range(8):
        turned, _ = _chosen(read("a portrait", "facing the camera"), seed)
        assert turned.head.yaw is not None
        assert abs(turned.head.yaw) > 10
        away, _ = _chosen(read("a portrait", "looking at the camera"), seed)
        assert away.gaze is not None
        assert abs(away.gaze.x) > 0.3
    straight, _ = _chosen(read("a portrait", "turned head, tilted head"), 1)
    assert straight.head.yaw == 0
    smiling, _ = _chosen(read("a portrait", "smile, neutral expression"), 1)
    assert smiling.expression == "calm"


def test_things_of_scenes() -> None:
    for thing in table()["things"]:
        assert thing in removable(), thing
    for thing in removable():
        assert thing in table()["things"] or thing in ("snow", "fog", "neon", "clouds"), thing
    assert hidden(read("on a street", "cars, Pflanzen, snow")) == ("cars", "plants", "snow")
    street = settings()["night street"]
    assert cleared(street, ("cars",)).options["cars"] is False
    assert cleared(street, ()) is street
    with_plants = [s for s in settings().values() if any(i["item"] == "plants" for i in s.options.get("items", ()))]
    assert with_plants
    for setting in with_plants:
        assert not any(item["item"] == "plants" for item in cleared(setting, ("plants",)).options["items"])


def test_a_piece_of_furniture_is_no_place() -> None:
    plan = read("in a living room", "sofa")
    assert plan.setting == "living room"
    assert hidden(plan) == ("sofas",)
    both = read("in a restaurant by candlelight", "candles")
    assert both.light is None
    assert hidden(both) == ("candles",)


def test_every_thing_is_somewhere_and_goes() -> None:
    for thing in removable():
        if thing != "clouds":
            assert any(cleared(setting, (thing,)) != setting for setting in settings().values()), thing


def test_the_words_of_other_languages() -> None:
    plan = read("Porträt", "Schnee, rot, Brille, Autos")
    assert plan.excludes("weather", "snow")
    assert plan.excludes("colour", "crimson")
    assert plan.excludes("accessory", "glasses")
    assert "cars" in hidden(plan)
    assert read("", "雪").excludes("weather", "snow")
    assert read("", "gafas").excludes("accessory", "glasses")


def test_what_belongs_to_the_person_is_said_to_stay() -> None:
    assert own(read("a portrait", "beard, blurry, freckles")) == ("beard", "freckles")
    notes = Notes()
    avoid.stays(read("a portrait", "beard"), notes)
    assert notes.warnings == ["not taken away: beard; it belongs to the person of the reference"]


def test_the_tables_hold_ids_of_the_vocabulary() -> None:
    known = {f"{_AS.get(kind, kind)}:{id_}" for kind in (*_KINDS, "season") for id_ in ids(kind)}
    for key, more in table()["with"].items():
        assert {key, *more} <= known, key
    for setting, left in table()["left"].items():
        assert {setting, left} <= set(ids("setting"))
    for name, shades in table()["shades"].items():
        assert {name, *shades} <= set(ids("colour"))
    assert set(table()["faces"]["calm"]) <= set(ids("expression"))


def test_without_a_negative_prompt_nothing_changes() -> None:
    plan = read("in a suit on a beach")
    assert avoid.settled(plan, 3) is plan
    shot = Shot(512, 512)
    assert avoid.shown(plan, shot) is shot
    assert np.all([not plan.excludes("setting", place) for place in ids("setting")])
