"""Chinese, Korean, Arabic and Hindi prompts read as their English twins; scripts, particles, spellings, languages."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from portrayal.prompting import read
from portrayal.prompting.cast import read_cast
from portrayal.prompting.clitics import parted, simplified
from portrayal.prompting.intent import read_edit
from portrayal.prompting.text import even, fold, tokens
from portrayal.prompting.vocabulary import FOLDER, toml

TWINS = tomllib.loads((Path(__file__).parents[1] / "data" / "twins_scripts.toml").read_text("utf-8"))["twin"]
NOT_COMPARED = {"prompt", "language", "understood", "unknown"}


def meant(text: str) -> dict[str, Any]:
    """All that a plan says, without the words it was said with."""
    plan = read(text).model_dump(exclude=NOT_COMPARED)
    for garment in (*plan["outfit"], *plan["accessory_details"]):
        del garment["text"]
    plan["negative"] = [(excluded["kind"], excluded["value"]) for excluded in plan["negative"]]
    return plan


def words(text: str, language: str) -> list[str]:
    return [token.word for token in parted(tokens(even(text)), language)]


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: f"{twin['language']}: {twin['english'][:50]}")
def test_a_prompt_reads_as_its_english_twin(twin: dict[str, str]) -> None:
    assert read(twin["text"]).language == twin["language"]
    assert meant(twin["text"]) == meant(twin["english"])


def test_every_language_has_its_share() -> None:
    assert min(Counter(twin["language"] for twin in TWINS).values()) >= 25


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: f"{twin['language']}: {twin['english'][:50]}")
def test_nothing_that_english_understands_is_reported_as_unknown(twin: dict[str, str]) -> None:
    if not read(twin["english"]).unknown:
        assert read(twin["text"]).unknown == ()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("图书馆里的女人", "zh"),
        ("圖書館裡的女人", "zh"),
        ("公園", "zh"),
        ("微笑，全身", "zh"),
        ("公園で", "ja"),
        ("駅、夜景", "ja"),
        ("桜、女性", "ja"),
        ("不機嫌、教室", "ja"),
        ("着物、京都、夜", "ja"),
        ("해변", "ko"),
        ("شاطئ", "ar"),
        ("समुद्र", "hi"),
        ("пляж", "ru"),
        ("παραλία", "el"),
        ("beach 海", "en"),
    ],
)
def test_letters_tell_the_language(text: str, language: str) -> None:
    assert read(text).language == language


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("카페에서", ["카페"]),
        ("모자와 안경을", ["모자", "와", "안경"]),
        ("흰셔츠를", ["흰", "셔츠"]),
        ("가죽재킷", ["가죽", "재킷"]),
        ("드래곤을", ["드래곤을"]),  # unknown: reported as it was typed
        ("로마", ["로마"]),
    ],
)
def test_korean_particles_are_cut_off_known_words(text: str, cut: list[str]) -> None:
    assert words(text, "ko") == cut


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("والقبعة", ["و", "قبعه"]),
        ("بالنظارات", ["ب", "نظارات"]),
        ("للكاميرا", ["ل", "كاميرا"]),
        ("قبعتها", ["قبعه"]),
        ("وشاح", ["وشاح"]),  # a scarf, no "and"
        ("وَرْدِيّ", ["وردي"]),
        ("التنين", ["التنين"]),
    ],
)
def test_arabic_articles_and_prefixes_are_cut_off_known_words(text: str, cut: list[str]) -> None:
    assert words(text, "ar") == cut


def test_spellings_of_one_word_fold_into_one() -> None:
    assert fold("مُبتَسِمَة") == fold("مبتسمه") == fold("مبتســمة")
    assert fold("أحمر") == fold("احمر") == fold("إحمر")
    assert fold("مقهى") == fold("مقهي")
    assert fold("सफ़ेद") == fold("सफेद")
    assert fold("आँख") == fold("आंख")
    assert fold("बाल") != fold("बल")  # vowel signs make other words


def test_signs_stay_inside_their_words() -> None:
    assert [t.word for t in tokens("मुस्कुराती हुई महिला।")] == ["मुस्कुराती", "हुई", "महिला"]
    assert [t.after_stop for t in tokens("قبعة، نظارة؛ وشاح؟ بحر")] == [True, True, True, True]


def test_traditional_characters_become_simplified_ones() -> None:
    pairs = str(toml(FOLDER.parent / "traditional.toml")["pairs"]).split()
    listed = [traditional for pair in pairs for traditional in pair[1:]]
    assert len(listed) == len(set(listed)) > 300
    assert all(simplified(traditional) == pair[0] != traditional for pair in pairs for traditional in pair[1:])
    assert simplified("人") == "人"


@pytest.mark.parametrize(
    ("text", "action", "target", "place"),
    [
        ("移除左邊的人", "remove", "person", "left"),
        ("把背景换成海滩", "change", "background", None),
        ("왼쪽 사람을 지워줘", "remove", "person", "left"),
        ("배경을 해변으로 바꿔줘", "change", "background", None),
        ("احذف الشخص على اليسار", "remove", "person", "left"),
        ("غير الخلفية إلى شاطئ", "change", "background", None),
        ("बाईं ओर के व्यक्ति को हटा दो", "remove", "person", "left"),
        ("पृष्ठभूमि को समुद्र तट में बदलो", "change", "background", None),
    ],
)
def test_edits(text: str, action: str, target: str, place: str | None) -> None:
    intent = read_edit(text)
    assert (intent.action, intent.target, intent.place) == (action, target, place)
    assert intent.plan.setting == ("beach" if target == "background" else None)
    assert intent.plan.unknown == ()


@pytest.mark.parametrize(
    "text",
    [
        "@ada 在左边大笑，@bob 在右边穿着深蓝色西装，咖啡馆",
        "@ada 왼쪽에서 크게 웃고, @bob 오른쪽에서 남색 정장, 카페",
        "@ada على اليسار تضحك، @bob على اليمين يرتدي بدلة كحلية، في مقهى",
        "@ada बाईं ओर हँसती हुई, @bob दाईं ओर गहरे नीले सूट में, कैफे",
    ],
)
def test_casts(text: str) -> None:
    plan = read_cast(text, ["ada", "bob"])
    ada, bob = plan.members
    assert (plan.shared.setting, plan.unknown) == ("coffee shop", ())
    assert (ada.place, ada.plan.expression, ada.plan.outfit) == ("left", "laugh", ())
    assert (bob.place, bob.plan.expression) == ("right", None)
    assert [(garment.colour, garment.item) for garment in bob.plan.outfit] == [("navy", "suit")]
