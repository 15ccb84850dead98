"""What the policy refuses and lets pass, tricks of spelling, pictures by list, and files of rules."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portrayal.service.policy import PolicyError, Rules, Verdict, judge
from portrayal.service.policy.judging import ALIKE

ROOT = Path(__file__).parents[2]
TABLE: dict[str, Any] = tomllib.loads((ROOT / "tests/data/policy.toml").read_text("utf-8"))
ALLOWED = [(language, text) for language, texts in TABLE["allowed"].items() for text in texts]
REFUSED = [
    (category, language, text)
    for category, languages in TABLE["refused"].items()
    for language, texts in languages.items()
    for text in texts
]
NEW = {"nl", "pl", "tr", "ru", "zh", "ko", "ar", "hi"}
LANGUAGES = {"en", "de", "es", "fr", "pt", "it", "ja"} | NEW


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules.load(None)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (str(key), *_strings(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def test_the_tables_are_as_large_as_they_should_be() -> None:
    assert len(ALLOWED) >= 120
    assert len(REFUSED) >= 120
    assert {language for language, _ in ALLOWED} == LANGUAGES
    for language in NEW:
        assert len([1 for found, _ in ALLOWED if found == language]) >= 25
        assert len([1 for _, found, _ in REFUSED if found == language]) >= 20
    for category in ("sexual", "minors", "hateful", "degrading", "violence"):
        assert {language for found, language, _ in REFUSED if found == category} == LANGUAGES


@pytest.mark.parametrize(("language", "text"), ALLOWED)
def test_ordinary_work_passes(rules: Rules, language: str, text: str) -> None:
    assert judge(text, people=True, rules=rules) == Verdict(True, "", "")


@pytest.mark.parametrize(("category", "language", "text"), REFUSED)
def test_what_is_refused(rules: Rules, category: str, language: str, text: str) -> None:
    verdict = judge(text, people=True, rules=rules)
    assert (verdict.allowed, verdict.category) == (False, category)
    assert verdict.reason.endswith(".")
    assert text.casefold() not in verdict.reason.casefold()


def test_four_hundred_more(rules: Rules) -> None:
    more = TABLE["more"]
    assert [text for text in more["allowed"] if not judge(text, people=True, rules=rules).allowed] == []
    assert [text for text in more["refused"] if judge(text, people=True, rules=rules).allowed] == []
    assert len(more["allowed"]) + len(more["refused"]) > 400


@pytest.mark.parametrize(
    "source",
    [
        "tests/data/prompts.toml",
        "../shared/prompts.toml",
        "src/portrayal/prompting/cast.toml",
        "src/portrayal/prompting/edit_words.toml",
    ],
)
def test_the_prompts_of_the_other_tests_pass(rules: Rules, source: str) -> None:
    path = ROOT / source
    if not path.is_file():
        pytest.skip("not beside this checkout")
    for text in _strings(tomllib.loads(path.read_text("utf-8"))):
        assert judge(text, people=True, rules=rules).allowed, text


def test_texts_in_tests_and_documents_pass(rules: Rules) -> None:
    """All strings of the tests of reader and engine, and all quotations in the documents, in all languages."""
    texts: set[str] = set()
    sources = [*ROOT.glob("tests/unit/*.py"), *ROOT.glob("tests/engines/*.py"), *ROOT.glob("docs/*.md")]
    for path in (*sources, ROOT / "README.md"):
        if path.name != "policy.md":
            texts.update(re.findall(r'["`]((?:[^"`\\\n]|\\.)+)["`]', path.read_text("utf-8")))
    assert len(texts) > 2000
    refused = [text for text in texts if not judge(text, people=True, rules=rules).allowed]
    assert refused == []


def test_every_word_of_the_reader_passes(rules: Rules) -> None:
    """The vocabulary that the reader knows, in all languages; "nude" is a colour there, alone and of lips."""
    known: set[str] = set()
    for path in (ROOT / "src/portrayal/prompting/vocabulary").glob("**/*.toml"):
        known.update(_strings(tomllib.loads(path.read_text("utf-8"))))
    assert len(known) > 5000
    refused = {text for text in known if not judge(text, people=True, rules=rules).allowed}
    assert all(re.search(r"\bnude\b|\brape\|", text) for text in refused), refused


@pytest.mark.parametrize(
    "text",
    [
        "N U D E",
        "n u d e",
        "a n u d e woman",
        "n.u.d.e",
        "n-u-d-e",
        "n_u_d_e",
        "nu-de",
        "n*de",
        "n**e",
        "nud3",
        "NUD3",
        "nuuuude",
        "n\u200bu\u200bd\u200be",
        "nu\u00adde",
        "n\u0301u\u0308de",
        "ｎｕｄｅ",
        "𝓷𝓾𝓭𝓮",
        "ⓝⓤⓓⓔ",
        "nudе",
        "ոude nude",
        "(nude:1.4)",
        "#nude",
        "nude!",
        "**nude**",
        'nude, "poster"',
        'a "nude" woman',
        '{"prompt": "nude"}',
        "nude/portrait",
        "portrait!nude",
        "nudewoman",
        "nude\nwoman",
        "p0rn",
        "p.o.r.n",
        "$ex",
        "s3x",
        "n u d e w o m a n",
        "@anna, nude",
        "https://example.org/ a nude man",
        "nude lipstick and otherwise nude",
        "ヌ\u200bード",
        "ﾇｰﾄﾞ",
        "not dressed but naked",
        "ÇIPLAK",
        "ç ı p l a k",
        "ciplak",
        "polnaga",
        "ГОЛАЯ",
        "г о л а я",
        "nаked женщина",
        "裸　照",
        "脫 光",
        "알몸으로만",
        "عَارِيَة",
        "عـاريـة",
        "عارٍ",
        "والعارية",
        "नङ्गा नंगा",
        "न\u200dग्न",
    ],
)
def test_tricks_of_spelling_do_not_help(rules: Rules, text: str) -> None:
    assert judge(text, people=True, rules=rules).category == "sexual"


@pytest.mark.parametrize(
    "text",
    [
        "S E X T O N",
        "C O C K T A I L S",
        "T I T A N I C",
        "a n a l y s t",
        "C L A S S I C",
        "S C U N T H O R P E",
        "E S S E X",
        "Galaxy A55 in her hand",
        "B2B trade fair",
        "4K, 8k, 35mm, f/1.8, ISO 100",
        "3d render",
        "H2O and CO2",
        "semi-annual",
        "in-laws",
        "co-ck-pit",
        "wow!!! soooo good",
        "1st 2nd 3rd",
        "R2-D2 and C-3PO",
        "https://example.org/nude.png a portrait",
        "@nude in a café",
        "x_x o_o",
        "***",
        "",
        "   ",
        "\ud800",
        "\x00",
        "🙂🙂",
        "a*b*c",
        "5*5",
        "Pen Island pens",
        "expertsexchange",
        "therapist's office",
        "Ma'am",
        "S&P 500",
        "c/o Ms. Sussex",
        "в Риге",  # in Latin letters that look alike: "pute"
        "каша в репе",
        "góry, w górach",
        "gory w Tatrach",
        "naga chilli",
        "Nanga Parbat",
        "先生首次",
        "女性感受",
        "жить у горы",
    ],
)
def test_what_only_looks_like_a_trick_passes(rules: Rules, text: str) -> None:
    assert judge(text, people=True, rules=rules).allowed


def test_the_negative_prompt_asks_not_to_have_it(rules: Rules) -> None:
    for text in (
        "nude",
        "nude, naked, nsfw, gore, blood",
        "child, sexy",
        "bad hands, extra fingers",
        "hat, glasses",
        "清晰",
    ):
        assert judge("a portrait", negative_prompt=text, people=True, rules=rules).allowed


def test_the_negative_prompt_cannot_take_clothes_away(rules: Rules) -> None:
    for text in ("clothes", "blurry, clothes, hat", "Kleidung", "ropa, sombrero", "服"):
        verdict = judge("a portrait", negative_prompt=text, people=True, rules=rules)
        assert verdict.category == "sexual"
        assert "negative" in verdict.reason
    for text in ("torn clothes", "colourful clothes, hat", "clothes rack", "wrinkled clothing"):
        assert judge("a portrait", negative_prompt=text, people=True, rules=rules).allowed


@pytest.mark.parametrize(
    "text",
    [
        "no nudity",
        "without any blood",
        "not nude",
        "non-nude",
        "no gore or nudity",
        "no nudity or gore",
        "keine Nacktheit",
        "sin desnudos",
        "sans nudité",
        "nudity: none",
        "ヌード禁止",
        "geen naaktheid of bloed",
        "bez nagości",
        "çıplaklık yok",
        "без наготы",
        "没有裸体",
        "누드 없음",
        "بدون عري",
        "नग्नता नहीं",
    ],
)
def test_what_is_negated_passes(rules: Rules, text: str) -> None:
    assert judge(f"a portrait, {text}", people=True, rules=rules).allowed


def test_a_negation_reaches_one_phrase_only(rules: Rules) -> None:
    assert judge("no hat, nude", people=True, rules=rules).category == "sexual"
    assert judge("no nudity, naked", people=True, rules=rules).category == "sexual"
    assert judge("no clothes", people=True, rules=rules).category == "sexual"


def test_a_negation_does_not_excuse_minors_or_slurs(rules: Rules) -> None:
    assert judge("a child, no nudity", people=True, rules=rules).category == "minors"
    assert judge("not a faggot", people=True, rules=rules).category == "hateful"


def test_minors_and_sexual_words_need_not_be_near(rules: Rules) -> None:
    text = "a child in a garden. " + "There are many flowers and a fountain. " * 50 + "Everything is sexy."
    assert judge(text, people=True, rules=rules).category == "minors"
    assert judge(text.replace("sexy", "calm"), people=True, rules=rules).allowed


@pytest.mark.parametrize("age", range(1, 30))
def test_ages(rules: Rules, age: int) -> None:
    for text in (
        f"sexy, {age} years old",
        f"sexy {age}-year-old",
        f"{age}yo, sexy",
        f"sexy, {age} ans",
        f"セクシー、{age}歳",
        f"性感，{age}岁",
        f"섹시, {age}살",
        f"seksi, {age} yaşında",
        f"сексуальная, {age} лет",
        f"سكسي، {age} سنة",
        f"सेक्सी, {age} साल",
    ):
        verdict = judge(text, people=True, rules=rules)
        assert verdict.category == ("minors" if age < 18 else "")


@pytest.mark.parametrize(
    ("text", "alone", "person"),
    [
        ("nude in a museum, oil on canvas", "", "sexual"),
        ("a beheaded king", "", "violence"),
        ("a nazi parade", "", "hateful"),
        ("porn scene", "sexual", "sexual"),
        ("sexy child", "minors", "minors"),
        ('sign "WHITE POWER"', "hateful", "hateful"),
        ("nude girl", "minors", "minors"),
        ("a lake at dawn", "", ""),
    ],
)
def test_rules_are_milder_without_a_person(rules: Rules, text: str, alone: str, person: str) -> None:
    assert judge(text, people=False, rules=rules).category == alone
    assert judge(text, people=True, rules=rules).category == person


def test_names_of_lists_and_fields_do_not_matter(rules: Rules) -> None:
    assert judge("explicit seed, suggestive field, minor prompt, body text", people=True, rules=rules).allowed


def _own(tmp_path: Path, text: str) -> Rules:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    return Rules.load(path)


PICTURE = ("ab" * 32, "f0f0f0f0f0f0f0f0")


def test_pictures_are_judged_by_the_operators_list(tmp_path: Path) -> None:
    rules = _own(
        tmp_path, f'[[blocked_pictures]]\nsha256 = "{PICTURE[0].upper()}"\n[[blocked_pictures]]\ndhash = "{PICTURE[1]}"'
    )

    def category(*pictures: tuple[str, str]) -> str:
        return judge("a portrait", people=True, picture_hashes=pictures, rules=rules).category

    def away(bits: int) -> str:
        return f"{int(PICTURE[1], 16) ^ ((1 << bits) - 1):016x}"

    other = ("cd" * 32, "0f0f0f0f0f0f0f0f")
    assert category() == ""
    assert category(other) == ""
    assert category(other, (PICTURE[0], "")) == "blocked-picture"
    assert category(("", away(ALIKE))) == "blocked-picture"
    assert category(("", away(ALIKE + 1))) == ""
    assert judge("", people=False, picture_hashes=[PICTURE], rules=rules).reason.endswith(".")


def test_own_rules_stand_alone_or_extend(tmp_path: Path, rules: Rules) -> None:
    text = """
[lists.brand]
en = ["acme", "{big,small} acme logo*", "=café", "#th edition"]
[allowed]
en = ["acme street"]
[[rules]]
category = "brand"
reason = "This server does not make pictures of that brand."
any = ["brand"]
always = true
"""
    alone = _own(tmp_path, text)
    more = _own(tmp_path, 'extends = "shipped"\n' + text)
    for own in (alone, more):
        assert judge("an ACME shirt", people=False, rules=own).category == "brand"
        assert judge("no acme", people=False, rules=own).category == ("" if own is more else "brand")
        assert judge("on acme street", people=False, rules=own).allowed
        assert judge("Café", people=False, rules=own).category == "brand"
        assert judge("cafe", people=False, rules=own).allowed
        assert judge("7th edition", people=False, rules=own).category == "brand"
        assert judge("20th edition", people=False, rules=own).allowed
    assert judge("nude", people=True, rules=alone).allowed
    assert judge("nude", people=True, rules=more).category == "sexual"
    assert judge("an acme shirt", people=False, rules=rules).allowed


def test_near_and_unless(tmp_path: Path) -> None:
    rules = _own(
        tmp_path,
        """
[lists]
one.en = ["red"]
two.en = ["dragon"]
but.en = ["toy"]
[[rules]]
category = "near"
reason = "Too near."
any = ["one"]
near = ["two"]
within = 2
unless = ["but"]
always = true
""",
    )
    for text, expected in (
        ("red dragon", "near"),
        ("dragon is red", "near"),
        ("red and small dragon", "near"),
        ("red and quite small dragon", ""),
        ("dragon is not so red", ""),
        ("a red toy dragon", ""),
        ("red", ""),
        ("dragon", ""),
        ("red. dragon", "near"),
    ):
        assert judge(text, people=True, rules=rules).category == expected, text


RULE = '[[rules]]\ncategory = "a"\nreason = "b."\nany = ["x"]\n[lists.x]\nen = ["y"]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = [", "no TOML"),
        ("colour = 1", "colour: Extra inputs"),
        ('[lists]\nx = ["a"]', "lists.x"),
        ("[lists.x]\nen = [1]", "lists.x.en.0"),
        ('[lists.x]\nen = [""]', "lists.x.en.0"),
        ('[lists.x]\nen = ["..."]', "lists.x.en.*1 to 12 may be"),
        ('[lists.x]\nen = ["a b c d e f g h i j k l m"]', "1 to 12 may be"),
        ('[lists.x]\nen = ["{a,b"]', "brace is not closed"),
        ('[lists.x]\nen = ["' + "{a,b}" * 13 + '"]', "more than 5000"),
        ('[lists.x]\nen = ["a*b"]', "asterisk stands at the end"),
        ('[lists.x]\nen = ["ab*"]', "three letters"),
        (RULE.replace('any = ["x"]', 'any = ["z"]'), "rules.0: there is no list 'z'"),
        (RULE.replace('any = ["x"]', "any = []"), "rules.0.any"),
        (RULE.replace('"a"', '"A b"'), "rules.0.category"),
        (RULE.replace("any =", "within = 900\nany ="), "rules.0.within"),
        (RULE.replace("any =", 'where = "title"\nany ='), "rules.0.where"),
        ('extends = "mine"', "extends"),
        ('extends = "shipped"\n' + RULE.replace('any = ["x"]', 'any = ["z"]'), "there is no list 'z'"),
        ('[[blocked_pictures]]\nnote = "a"', "give sha256 or dhash"),
        ('[[blocked_pictures]]\nsha256 = "12"', "blocked_pictures.0.sha256"),
        ('[[blocked_pictures]]\ndhash = "xyz"', "blocked_pictures.0.dhash"),
    ],
)
def test_files_of_rules_are_checked(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message) as caught:
        _own(tmp_path, text)
    assert str(caught.value).startswith("policy_file: ")
    assert "own.toml" in caught.value.message
    assert caught.value.remedy


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="policy_file"):
        Rules.load(tmp_path / "none.toml")
    with pytest.raises(PolicyError, match="policy_file"):
        Rules.load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'[lists.x]\nen = ["caf\xe9"]')
    with pytest.raises(PolicyError, match="UTF-8"):
        Rules.load(tmp_path / "latin.toml")


def test_rules_that_ship_are_sound(rules: Rules) -> None:
    """Every list is used, is in all languages, and no entry stands twice in one list."""
    data = tomllib.loads((ROOT / "src/portrayal/data/policy.toml").read_text("utf-8"))
    used = {name for rule in data["rules"] for key in ("any", "near", "unless") for name in rule.get(key, ())}
    assert used == set(data["lists"])
    for name, table in (*data["lists"].items(), ("allowed", data["allowed"])):
        assert set(table) == LANGUAGES, name
        for language, entries in table.items():
            assert len(entries) == len(set(entries)), (name, language)
    assert {rule.category for rule in rules.rules} == {"sexual", "minors", "hateful", "degrading", "violence"}


@pytest.mark.parametrize(
    "text",
    [
        "a calm portrait, ",
        "a ",
        "n u d x ",
        "a-b-",
        "no ",
        "彼女は裸足で歩く。",
        "她在海边微笑，穿着红色的裙子。",
        "समुद्र किनारे नंगे पैर। ",
        "والبالال ",
        "н о с ",
        "ヌ",
        "s*q ",
        "\ufdfa",
        "x",
        '"a" ',
        "child ",
        "n\u0301",
    ],
)
def test_long_texts_end(rules: Rules, text: str) -> None:
    """100 kB of anything; `docs/policy.md` says how long it takes."""
    assert judge((text * 100_000)[:100_000], people=True, rules=rules).allowed
