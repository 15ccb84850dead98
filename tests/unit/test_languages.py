"""Every entry of every language means what its English twin means, alone and in whole prompts."""

from __future__ import annotations

import random
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from portrayal.prompting import ScenePlan, read, vocabulary
from portrayal.prompting.intent import read_edit
from portrayal.prompting.vocabulary import FOLDER, LANGUAGES, LATIN, entries, expand, rules, split_mark, toml

TWINS = [
    case
    for path in sorted((Path(__file__).parents[1] / "data").glob("twins*.toml"))
    for case in tomllib.loads(path.read_text("utf-8"))["twin"]
]
FOREIGN = LANGUAGES[1:]
SAMPLE = 6  # of the spellings of one entry, this many are tried

# Before every phrase, so that the language is known even where the phrase alone could be another.
PORTRAIT = {
    "en": "a portrait of a woman, {}",
    "de": "ein Porträt von einer Frau, {}",
    "es": "un retrato de una mujer joven, {}",
    "fr": "le portrait d'une jeune femme, {}",
    "pt": "um retrato de uma mulher jovem, {}",
    "it": "il ritratto di una giovane donna, {}",
    "nl": "een portret van een jonge vrouw, {}",
    "pl": "portret młodej kobiety, zdjęcie, {}",
    "tr": "genç bir kadının portresi, {}",
    "ru": "портрет молодой женщины, {}",
    "zh": "一位女性的肖像，{}",
    "ja": "女性のポートレート、{}",
    "ko": "젊은 여성의 초상 사진, {}",
    "ar": "صورة امرأة شابة، {}",
    "hi": "एक युवा महिला का चित्र, {}",
}
KIMONO = {"zh": "和服", "ja": "着物", "ko": "기모노", "ar": "كيمونو", "hi": "किमोनो", "ru": "кимоно"}
# A plain word for hair, for a thing that is held, and for glasses, with the phrase in its place.
HAIR = {
    "de": "{} haare", "es": "pelo {}", "fr": "cheveux {}", "pt": "cabelo {}", "it": "capelli {}", "nl": "{} haar",
    "pl": "{} włosy", "tr": "{} saç", "ru": "{} волосы", "zh": "{}头发", "ja": "{}髪", "ko": "{} 머리",
    "ar": "شعر {}", "hi": "{} बाल",
}  # fmt: skip
HELD = {
    "de": "hält {}", "es": "sosteniendo {}", "fr": "tenant {}", "pt": "segurando {}", "it": "tenendo {}",
    "nl": "houdt {}", "pl": "trzyma {}", "tr": "{} tutan", "ru": "держит {}", "zh": "拿着{}", "ja": "{}を持って",
    "ko": "{} 들고 있는", "ar": "تحمل {}", "hi": "{} पकड़े हुए",
}  # fmt: skip
SEATED = {
    "de": "sitzt auf {}", "es": "sentada en {}", "fr": "assise sur {}", "pt": "sentada em {}", "it": "seduta su {}",
    "nl": "zit op {}", "pl": "siedzi na {}", "tr": "{} oturan", "ru": "сидит на {}", "zh": "坐在{}上",
    "ja": "{}に座って", "ko": "{} 앉아 있는", "ar": "جالسة على {}", "hi": "{} पर बैठी",
}  # fmt: skip
GLASSES = {
    "de": "Brille", "es": "gafas", "fr": "lunettes", "pt": "óculos", "it": "occhiali", "nl": "bril", "pl": "okulary",
    "tr": "gözlük", "ru": "очки", "zh": "眼镜", "ja": "眼鏡", "ko": "안경", "ar": "نظارة", "hi": "चश्मा",
}  # fmt: skip


def spellings(language: str, kind: str) -> list[tuple[str, str, bool]]:
    """(id, phrase, whether it is told as portrayed only in kind) of a sample of every entry."""
    found = []
    for id_, listed in entries(language).get(kind, {}).items():
        for entry in listed:
            pattern, _, reported = split_mark(entry)
            every = [phrase for phrase in expand(pattern) if phrase]
            if len(every) > SAMPLE:
                every = [every[0], *random.Random(7).sample(every[1:], SAMPLE - 1)]
            found += [(id_, phrase.replace("#", "15"), reported) for phrase in every]
    return found


def said(plan: ScenePlan, kind: str) -> Any:
    """What a plan has of a kind."""
    if kind in ("garment", "lower"):
        return {g.item for g in plan.outfit}
    if kind in ("colour", "pattern", "fabric", "cut"):
        return {getattr(g, kind) for g in (*plan.outfit, *plan.accessory_details)}
    if kind in ("shade", "length"):
        return {getattr(plan.hair, "colour" if kind == "shade" else "length", None)}
    if kind == "accessory":
        return set(plan.accessories)
    if kind == "head":
        return {str(plan.head)}
    return {getattr(plan, kind, None)}


@lru_cache(maxsize=4096)
def twin(kind: str, id_: str) -> str:
    """What the English plan has for an id, by its first plain phrase."""
    _, phrase, _ = next(s for s in spellings("en", kind) if s[0] == id_)
    (value,) = said(read(PORTRAIT["en"].format(phrase)), kind)
    return str(value)


@pytest.mark.parametrize("language", FOREIGN)
@pytest.mark.parametrize(
    "kind",
    ["setting", "time", "weather", "light", "expression", "look", "framing", "camera", "pose", "head", "gaze"],
)
def test_every_phrase_is_what_its_english_twin_is(language: str, kind: str) -> None:
    wrong = []
    for id_, phrase, reported in spellings(language, kind):
        plan = read(PORTRAIT[language].format(phrase))
        (value,) = said(plan, kind)
        extra = [u for u in plan.unknown if not reported and not u.startswith("full profile")]
        if str(value) != twin(kind, id_) or plan.language != language or extra:
            wrong.append((id_, phrase, value, plan.language, extra))
    assert wrong == []


@pytest.mark.parametrize("language", FOREIGN)
@pytest.mark.parametrize("kind", ["garment", "lower", "accessory"])
def test_every_thing_that_is_worn_is_its_id(language: str, kind: str) -> None:
    wrong = []
    for id_, phrase, reported in spellings(language, kind):
        plan = read(PORTRAIT[language].format(phrase))
        extra = plan.unknown if not reported else ()
        if (id_ or None) not in said(plan, kind) or plan.language != language or extra:
            wrong.append((id_, phrase, said(plan, kind), plan.language, extra))
    assert wrong == []


@pytest.mark.parametrize("language", FOREIGN)
@pytest.mark.parametrize("kind", ["colour", "pattern", "fabric"])
def test_every_colour_pattern_and_fabric_describes_a_garment(language: str, kind: str) -> None:
    wrong = []
    noun = KIMONO.get(language, "kimono")
    for id_, phrase, _ in spellings(language, kind):
        first = language in rules()["order"]["head_last"]
        plan = read(PORTRAIT[language].format(f"{phrase} {noun}" if first else f"{noun} {phrase}"))
        if id_ not in said(plan, kind) or plan.language != language:
            wrong.append((id_, phrase, [str(g) for g in plan.outfit], plan.unknown))
    assert wrong == []


@pytest.mark.parametrize("language", FOREIGN)
@pytest.mark.parametrize("kind", ["shade", "length"])
def test_every_shade_and_length_is_one_of_hair(language: str, kind: str) -> None:
    wrong = []
    for id_, phrase, _ in spellings(language, kind):
        plan = read(PORTRAIT[language].format(HAIR[language].format(phrase)))
        if id_ not in said(plan, kind) or plan.language != language:
            wrong.append((id_, phrase, plan.hair, plan.unknown))
    assert wrong == []


@pytest.mark.parametrize("language", FOREIGN)
@pytest.mark.parametrize("kind", ["hair", "fall"])
def test_words_of_hair_that_is_not_drawn_are_told(language: str, kind: str) -> None:
    wrong = []
    for id_, phrase, _ in spellings(language, kind):
        phrase = HAIR[language].format(phrase) if kind == "fall" else phrase
        plan = read(PORTRAIT[language].format(phrase))
        told = bool(plan.unknown)
        if told != (kind == "fall" or id_ == "style") or plan.outfit or plan.language != language:
            wrong.append((id_, phrase, plan.hair, plan.unknown))
    assert wrong == []


@pytest.mark.parametrize("language", FOREIGN)
@pytest.mark.parametrize(("kind", "frame"), [("held", HELD), ("seat", SEATED)])
def test_every_thing_that_is_held_or_sat_on_is_its_pose(language: str, kind: str, frame: dict[str, str]) -> None:
    wrong = []
    for id_, phrase, _ in spellings(language, kind):
        plan = read(PORTRAIT[language].format(frame[language].format(phrase)))
        if plan.pose != id_ or plan.language != language:
            wrong.append((id_, phrase, plan.pose, plan.unknown))
    for _, phrase, _ in spellings(language, "seated"):
        plan = read(PORTRAIT[language].format(phrase))
        if plan.pose != "sitting on a chair":
            wrong.append(("", phrase, plan.pose, plan.unknown))
    assert wrong == []


@pytest.mark.parametrize("language", FOREIGN)
def test_every_backdrop_is_a_studio_of_its_colour(language: str) -> None:
    wrong = []
    white = spellings(language, "colour")[0][1]
    for id_, phrase, _ in spellings(language, "backdrop"):
        first = language in rules()["order"]["head_last"]
        plain = f"{white} {phrase}" if first else f"{phrase} {white}"
        plan = read(PORTRAIT[language].format(phrase if id_ else plain))
        if (plan.setting, plan.backdrop) != ("studio", id_ or "white") or plan.language != language:
            wrong.append((id_, phrase, plan.setting, plan.backdrop))
    assert wrong == []


@pytest.mark.parametrize("language", FOREIGN)
def test_every_negation_and_every_open_collar_takes_away(language: str) -> None:
    wrong = []
    for id_, phrase, _ in spellings(language, "grammar"):
        if id_ in ("negation", "negation after"):
            order = f"{phrase} {GLASSES[language]}" if id_ == "negation" else f"{GLASSES[language]}{phrase}"
            if language in ("ko", "tr", "hi") and id_ == "negation after":
                order = f"{GLASSES[language]} {phrase}"
            plan = read(PORTRAIT[language].format(order))
            if plan.accessories or "glasses" not in [u.value for u in plan.negative]:
                wrong.append((id_, phrase, plan.accessories))
    for id_, phrase, _ in spellings(language, "without"):
        plan = read(PORTRAIT[language].format(phrase))
        if id_ not in [u.value for u in plan.negative]:
            wrong.append((id_, phrase, plan.unknown))
    assert wrong == []


@pytest.mark.parametrize("language", FOREIGN)
def test_words_of_grammar_are_never_told_as_not_portrayed(language: str) -> None:
    wrong = []
    for id_, phrase, _ in spellings(language, "grammar"):
        if id_ in ("function", "place", "with", "of", "join", "noise", "is", "bare"):
            plan = read(PORTRAIT[language].format(phrase))
            if plan.unknown:
                wrong.append((id_, phrase, plan.unknown))
    assert wrong == []


@pytest.mark.parametrize("language", FOREIGN)
def test_every_word_of_an_edit_is_in_every_language(language: str) -> None:
    for kind, ids in toml(FOLDER.parent / "edit_words.toml").items():
        for id_, listed in ids.items():
            assert listed.get(language), (kind, id_)
            for phrase in listed[language] if kind == "action" else ():
                assert read_edit(f"{phrase}, {PORTRAIT[language].format(GLASSES[language])}").action == id_, phrase


def test_who_is_meant_can_be_said_in_every_language() -> None:
    table = toml(FOLDER.parent / "cast.toml")
    for language in FOREIGN:
        assert set(table[language]) == set(table["de"]), language


@pytest.mark.parametrize("language", FOREIGN)
def test_every_language_has_the_kinds_that_german_has(language: str) -> None:
    missing = {kind for kind in entries("de") if not entries(language).get(kind)}
    assert missing == set()


def test_an_english_prompt_of_known_words_reads_no_other_table(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def load(name: str) -> vocabulary.Vocabulary:
        loaded.append(name)
        return vocabulary.load(name)

    monkeypatch.setattr("portrayal.prompting.languages.load", load)
    assert read("a woman in a navy suit in a cafe at night, smiling").language == "en"
    assert set(loaded) == {"en"}


def test_languages_in_latin_letters_come_first() -> None:
    assert LANGUAGES[: len(LATIN)] == LATIN


# Whole prompts.


def plain(plan: ScenePlan) -> dict[str, Any]:
    """What a plan means, without the words it was said in."""
    kept = plan.model_dump(exclude={"prompt", "language", "understood", "unknown", "negative"})
    for key in ("outfit", "accessory_details"):
        kept[key] = [{k: v for k, v in garment.items() if k != "text"} for garment in kept[key]]
    kept["negative"] = sorted((u.kind, u.value) for u in plan.negative)
    return kept


@pytest.mark.parametrize("case", TWINS, ids=lambda c: f"{c['language']}-{c['text'][:40]}")
def test_a_prompt_means_what_its_english_twin_means(case: dict[str, str]) -> None:
    plan, english = read(case["text"]), read(case["english"])
    assert plan.language == case["language"]
    assert plain(plan) == plain(english)
    told = [u for u in (*english.unknown, *plan.unknown) if not u.startswith(("full profile", "also:"))]
    assert told == []
