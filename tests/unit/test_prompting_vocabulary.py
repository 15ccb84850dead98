"""The vocabulary files: the ids that the engines know, and each phrase read alone."""

from __future__ import annotations

import random

import pytest

from portrayal.prompting import ids, read
from portrayal.prompting.text import even, tokens
from portrayal.prompting.vocabulary import LANGUAGES, entries, expand, load, rules, split_mark

IDS = {
    "setting": "studio, coffee shop, restaurant, bar, office, library, classroom, kitchen, living room, bedroom, "
    "fireplace, lobby, hotel, hall, museum, ballroom, theatre, stage, train station, church, laboratory, hospital, "
    "workshop, warehouse, gym, castle, castle corridor, city street, neon street, night street, rainy street, alley, "
    "rooftop, bridge, venice, harbour, market, park, autumn park, garden, cherry blossom, forest, jungle, "
    "snow forest, meadow, countryside, mountains, snow mountains, lake, beach, tropical beach, desert, mars, moon, "
    "space, spaceship, underwater, sky",
    "time": "dawn, morning, noon, afternoon, golden hour, sunset, blue hour, night",
    "weather": "clear, cloudy, overcast, fog, rain, snow, storm",
    "light": "natural, softbox, beauty, fashion, Rembrandt, split, butterfly, loop, ring light, window, golden hour, "
    "hard sun, overcast, backlit, rim, neon, duotone, candle, firelight, moonlight, spotlight, high key, low key",
    "expression": "neutral, serious, calm, confident, slight smile, smile, broad smile, laugh, surprised, sad, angry, "
    "pout, thoughtful, eyes closed, wink, wide eyes, singing, shouting, squint, skeptical",
    "look": "photo, cinematic, film, vintage, black and white, sepia, high contrast, pastel, warm, cool, matte, vivid, "
    "comic, watercolor, oil painting, pencil sketch, ink, anime, cartoon, 3d render, pixel art, travel poster, "
    "pop art, children's book, line art, low poly, woodcut, graffiti",
    "camera": "eye level, low angle, high angle, dutch angle",
    "framing": "close-up, head and shoulders, bust, medium, three-quarter, full, wide",
    "colour": "white, ivory, cream, beige, sand, tan, brown, chocolate, black, charcoal, grey, light grey, silver, "
    "red, crimson, burgundy, maroon, scarlet, coral, salmon, orange, amber, gold, yellow, mustard, lime, green, olive, "
    "forest green, emerald, mint, teal, turquoise, cyan, sky blue, blue, royal blue, navy, indigo, lavender, purple, "
    "violet, magenta, pink, hot pink, rose, plum",
    "garment": "suit, tuxedo, blazer, shirt, t-shirt, polo, turtleneck, sweater, hoodie, denim jacket, leather jacket, "
    "trench coat, parka, evening dress, lab coat, scrubs, chef, uniform, high-visibility vest, armour, kimono, sari, "
    "superhero, spacesuit, toga, dress, coat",
    "accessory": "glasses, sunglasses, hat, cap, beanie, helmet, crown, headphones, earrings, necklace, scarf, tie, "
    "bow tie",
    "lower": "trousers, jeans, shorts, skirt, leggings, shoes, boots, sneakers, gloves, belt, cape",
    "pose": "standing, contrapposto, hands in pockets, hands behind back, hands on hips, arms crossed, arms raised, "
    "waving, pointing, thinking, sitting on a chair, sitting on a stool, sitting on a bench, walking, running, "
    "jumping, holding a sign, holding a cup, cycling, flying",
    "head": "",
    "gaze": "",
    "season": "",
}  # fmt: skip
PARTS = ("grammar", "wall", "backdrop", "pattern", "fabric")
MANY = 120  # of the spellings of one entry, this many are tried


def phrases(kind: str, language: str = "en") -> list[tuple[str, str, bool, bool]]:
    """(id, phrase, weak, reported) for a sample of every entry of a kind."""
    found = []
    for id_, listed in entries(language).get(kind, {}).items():
        for entry in listed:
            pattern, weak, reported = split_mark(entry)
            spellings = expand(pattern)
            if len(spellings) > MANY:
                spellings = random.Random(7).sample(spellings, MANY)
            found += [(id_, spelling, weak, reported) for spelling in spellings if spelling]
    return found


@pytest.mark.parametrize("kind", [k for k in IDS if IDS[k]])
def test_ids_are_those_the_engines_know(kind: str) -> None:
    assert set(ids(kind)) == set(IDS[kind].split(", "))


@pytest.mark.parametrize("kind", [k for k in IDS if k not in ("season", "colour")])
def test_every_phrase_alone_is_its_id(kind: str) -> None:
    wrong = []
    for id_, phrase, _, reported in phrases(kind):
        spoken, value = phrase.replace("#", "15"), id_.replace("#", "15")
        plan = read(f"a portrait, {spoken}")
        if kind in ("garment", "lower"):
            said = value in [g.item or "" for g in plan.outfit]
        else:
            said = any(u.kind == kind and u.value == value for u in plan.understood)
        extra = [u for u in plan.unknown if not reported and not u.startswith("full profile") and not _is_shape(u)]
        if not said or extra:
            wrong.append((value, spoken, extra))
    assert wrong == []


def _is_shape(words: str) -> bool:
    """Whether words ask for a shape that is not drawn: "oversized"; they are told as what is not portrayed."""
    piece = tokens(even(words))
    match = load("en").longest(piece, 0)
    return match.end == len(piece) and any((s.kind, s.id) == ("grammar", "shape") for s in match.senses)


def test_every_colour_is_a_backdrop_and_a_suit() -> None:
    wrong = []
    for id_, phrase, _, _ in phrases("colour"):
        backdrop, suit = read(f"{phrase} background"), read(f"a {phrase} suit")
        if (backdrop.setting, backdrop.backdrop) != ("studio", id_) or [g.colour for g in suit.outfit] != [id_]:
            wrong.append((id_, phrase))
    assert wrong == []


@pytest.mark.parametrize("kind", ["pattern", "fabric"])
def test_every_pattern_and_fabric_describes_a_garment(kind: str) -> None:
    wrong = []
    for id_, phrase, _, _ in phrases(kind):
        (garment,) = read(f"a {phrase} kimono").outfit or (None,)
        if garment is None or getattr(garment, kind) != id_:
            wrong.append((id_, phrase))
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_means_two_ids_of_a_kind(language: str) -> None:
    wrong = []
    vocabulary = load(language)
    for kind in entries(language):
        if kind == "grammar":
            continue
        for _, phrase, _, _ in phrases(kind, language):
            found = vocabulary.longest(tokens(phrase.replace("#", "15")), 0).senses
            strong = {s.id for s in found if s.kind == kind and not s.weak}
            weak = {s.id for s in found if s.kind == kind and s.weak}
            if len(strong) > 1 or (not strong and len(weak) > 1):
                wrong.append((kind, phrase, strong | weak))
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_other_languages_use_the_same_ids(language: str) -> None:
    for kind, table in entries(language).items():
        if kind != "grammar":
            assert set(table) - {""} <= set(entries("en")[kind])


@pytest.mark.parametrize("language", LANGUAGES[1:])
@pytest.mark.parametrize("kind", ["setting", "time", "weather", "light", "expression", "framing"])
def test_every_foreign_phrase_is_found(language: str, kind: str) -> None:
    vocabulary = load(language)
    wrong = []
    for id_, phrase, _, _ in phrases(kind, language):
        text = tokens(phrase)
        found = vocabulary.longest(text, 0)
        if found.end != len(text) or not any(s.kind == kind and s.id == id_ for s in found.senses):
            wrong.append((id_, phrase))
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_main_kinds_are_well_covered_in_every_language(language: str) -> None:
    for kind in ("setting", "time", "weather", "expression", "framing"):
        assert set(ids(kind)) - set(entries(language)[kind]) <= {"bust"}


def test_rules_name_known_ids() -> None:
    table = rules()
    assert set(table["head"]) == set(ids("head"))
    assert set(table["gaze"]) == set(ids("gaze"))
    assert set(table["pose_framing"]) <= set(ids("pose"))
    for rule in table["combine"]:
        assert {rule["setting"], rule["gives"]} <= set(ids("setting"))
        for pair in rule["with"]:
            kind, _, value = pair.partition(":")
            assert value in ids(kind)
    for pair, covered in table["covers"].items():
        kind, _, value = pair.partition(":")
        assert {value, *covered} <= set(ids(kind))


@pytest.mark.parametrize(
    ("pattern", "phrases_"),
    [
        ("a|b c", {"a c", "b c"}),
        ("[x y|z] c", {"x y c", "z c", "c"}),
        ("(a b|c) [d]", {"a b", "a b d", "c", "c d"}),
    ],
)
def test_phrase_patterns(pattern: str, phrases_: set[str]) -> None:
    assert set(expand(pattern)) == phrases_
