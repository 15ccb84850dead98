"""Typesetting: faces, shaping, directions, lines, balloons, contrast; and what quoted words are."""

from __future__ import annotations

import numpy as np
import pytest

from portrayal.errors import InvalidRequestError
from portrayal.lettering import balloon, bidi, contrast, fit, fonts, shaping, typeset
from portrayal.lettering.balloons import Kind
from portrayal.prompting import lettering
from portrayal.prompting.reader import read


def glyphs(text: str, role: str = "sans") -> list[shaping.Glyph]:
    return list(shaping.shaped(shaping.paragraph(shaping.plain(text), role)).glyphs)


# ---------------------------------------------------------------------------------------------------------- typefaces


@pytest.mark.parametrize("role", fonts.ROLES)
def test_every_role_has_a_face_with_the_letters_of_europe(role: fonts.Role) -> None:
    first = fonts.faces(role)[0]
    assert first.has("AZaz09!?&")
    block = typeset("Größe café señor, 12 €?", role=role, size=40)
    assert not block.missing
    assert block.coverage.max() > 0.99


def test_every_face_of_the_table_is_there() -> None:
    table = fonts.table()
    assert set(table["roles"]) == set(fonts.ROLES)
    named = {name for names in table["roles"].values() for name in names} | set(table["fallback"]["faces"])
    loaded = {face.name for role in fonts.ROLES for face in fonts.faces(role)}
    assert loaded == {name.rpartition(":")[2] for name in named}
    assert len(loaded) >= 10


@pytest.mark.parametrize(
    "text",
    ["Привет, мир", "Καλημέρα", "مرحبا", "שלום", "नमस्ते", "สวัสดี", "你好，世界", "こんにちは、東京タワー", "안녕하세요"],
)
def test_letters_that_a_face_has_not_come_from_another(text: str) -> None:
    block = typeset(text, role="poster", size=40)
    assert not block.missing
    assert (block.coverage > 0.5).sum() > 100


def test_what_no_font_has_is_said_and_left_out() -> None:
    unassigned = "\U0010fffd"
    block = typeset(f"A{unassigned}B", size=40)
    assert block.missing == unassigned
    plain = typeset("AB", size=40)
    assert abs(block.coverage.shape[1] - plain.coverage.shape[1]) <= 4
    assert typeset(unassigned, size=40).coverage.shape == (1, 1)


# ------------------------------------------------------------------------------------------------------------ shaping


def test_letters_are_kerned() -> None:
    def width(text: str) -> float:
        return shaping.shaped(shaping.paragraph(text, "sans")).advance

    assert width("AV") < width("A") + width("V") - 0.01


def test_letters_join_into_ligatures_and_conjuncts() -> None:
    assert len(glyphs("fi", "serif")) == 1
    assert len(glyphs("क्ष")) < 3
    joined = {glyph.index for glyph in glyphs("ببب")}
    assert len(joined) >= 3, "a letter of Arabic has another shape at the beginning, in the middle and at the end"


def test_hebrew_runs_to_the_left_and_its_numbers_to_the_right() -> None:
    seen = sorted(glyphs("אב 12"), key=lambda glyph: glyph.x)
    assert [glyph.letter for glyph in seen if glyph.letter != " "] == ["1", "2", "ב", "א"]


def test_latin_words_in_an_arabic_line_stay_in_order() -> None:
    seen = "".join(glyph.letter for glyph in sorted(glyphs("ا hello ب"), key=lambda glyph: glyph.x))
    assert "hello" in seen
    assert seen.index("ب") < seen.index("hello") < seen.index("ا")


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("abc", [0, 0, 0]),
        ("אב", [1, 1]),
        ("a אב b", [0, 0, 1, 1, 0, 0]),
        ("אב 12", [1, 1, 1, 2, 2]),
        ("(aא)", [0, 0, 1, 0]),
        ("א(b)", [1, 1, 2, 1]),
        ("ا ١٢", [1, 1, 2, 2]),
    ],
)
def test_levels_of_the_bidirectional_algorithm(text: str, levels: list[int]) -> None:
    assert bidi.levels(text) == levels


# -------------------------------------------------------------------------------------------------------------- lines


@pytest.mark.parametrize("text", ["The quick brown fox jumps", "Straße & Café — 50 %", "weather-beaten sea-captains"])
def test_words_are_spelled_exactly_however_they_are_broken(text: str) -> None:
    for width in (120, 200, 400):
        block = typeset(text, size=40, width=width)
        assert "".join("".join(block.lines).split()) == "".join(text.split())
        for line in block.lines:
            assert all(word in text for word in line.split())


def test_no_word_is_broken_inside() -> None:
    block = typeset("Donaudampfschifffahrt ist lang", size=40, width=60)
    assert "Donaudampfschifffahrt" in block.lines


def test_ideographs_are_broken_anywhere_but_before_a_comma() -> None:
    block = typeset("東京は、夜が、長い、街。", size=40, width=130)
    assert len(block.lines) >= 3
    assert not any(line[0] in "、。" for line in block.lines)


def test_lines_come_out_about_equally_long() -> None:
    block = typeset("one two three four five six", size=40, width=420)
    widths = [typeset(line, size=40).coverage.shape[1] for line in block.lines]
    assert len(widths) == 2
    assert min(widths) > 0.6 * max(widths)


def test_fit_takes_the_largest_size_and_says_when_none_fits() -> None:
    block = fit("Welcome home", (400, 120), largest=200, smallest=10)
    assert block.fits
    assert block.coverage.shape[1] <= 400
    assert block.coverage.shape[0] <= 120
    larger = typeset("\n".join(block.lines), size=block.size * 1.12)
    assert larger.coverage.shape[1] > 400 or larger.coverage.shape[0] > 120
    assert not fit("Welcome home", (20, 10), largest=200, smallest=10).fits


def test_letters_are_drawn_between_pixels() -> None:
    assert len(np.unique(typeset("Oo", size=60).coverage)) > 60


def test_too_large_words_are_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        typeset("W" * 500, size=400)


# ----------------------------------------------------------------------------------------------------------- balloons


@pytest.mark.parametrize("kind", ["speech", "thought", "shout", "caption"])
def test_a_balloon_holds_its_words_and_points_at_the_mouth(kind: Kind) -> None:
    block = typeset("Hello there,\nmy friend!", role="comic", size=30)
    made = balloon(block, tail=(60, 150), kind=kind, seed=4)
    assert (made.paper[made.letters > 0.1] > 0.9).all()
    rows = np.flatnonzero(made.paper.max(axis=1) > 0.5)
    lowest = rows[-1] - made.centre[1]
    if kind == "caption":
        assert lowest < 100
    else:
        assert lowest == pytest.approx(150, abs=14)
        tip = np.flatnonzero(made.paper[rows[-1]] > 0.5).mean() - made.centre[0]
        assert tip == pytest.approx(60, abs=14)


# ----------------------------------------------------------------------------------------------------------- contrast


def test_contrast_is_that_of_wcag() -> None:
    assert contrast.ratio((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)
    assert contrast.ratio((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("ground", ["black", "grey", "white", "stripes", "noise"])
def test_letters_can_be_read_on_any_ground(ground: str) -> None:
    rng = np.random.default_rng(5)
    image = np.zeros((160, 420, 3), np.uint8)
    if ground == "noise":
        image[:] = rng.integers(0, 256, image.shape)
    elif ground == "stripes":
        image[:, ::2] = 255
    else:
        image[:] = {"black": 0, "grey": 128, "white": 255}[ground]
    block = typeset("Readable", role="sans", size=80)
    cover = np.zeros(image.shape[:2], np.float32)
    h, w = block.coverage.shape
    cover[40 : 40 + h, 30 : 30 + w] = block.coverage
    out, _ = contrast.set_readable(image, cover, [(255, 255, 255), (16, 16, 18)])
    assert contrast.measured(out, cover) >= 4.5
    flat = image.copy()
    flat[cover > 0.5] = 150
    assert ground in ("black", "noise") or contrast.measured(flat, cover) < 4.5


# ------------------------------------------------------------------------------------------- what quoted words are


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ('a shop sign that reads "BAKERY"', "sign"),
        ('a neon sign saying "OPEN"', "neon"),
        ('"OPEN" neon sign above a man', "neon"),
        ('graffiti on the wall "HELLO"', "wall"),
        ('movie poster with the title "NIGHT RUN"', "title"),
        ('magazine cover "CITY"', "title"),
        ('poster of a man with the text "SALE"', "poster"),
        ('she says "Hello there!"', "speech"),
        ('"Hello," she says, in a park', "speech"),
        ('a man shouts "WATCH OUT!"', "shout"),
        ('a man thinking "I need coffee"', "thought"),
        ('photo with caption "Summer 2026"', "label"),
        ('a woman holding a sign that says "HELP"', "held"),
        ('a T-shirt that says "COOL"', "thing"),
        ('a woman at the beach "Holiday"', "sign"),
        ('comic panel of a woman "The End"', "title"),
        ('una mujer, un letrero de neón que dice "ABIERTO"', "neon"),
        ('una mujer dice "Hola"', "speech"),
        ('um cartaz, título "FESTA"', "title"),
        ('uma mulher diz "Olá"', "speech"),
        ("une femme, une enseigne « OUVERT »", "sign"),
        ("une femme dit « Bonjour »", "speech"),
        ('eine Frau, ein Schild mit der Aufschrift "OFFEN"', "sign"),
        ('eine Frau sagt "Hallo"', "speech"),
        ('una donna dice "Ciao"', "speech"),
        ('una donna, titolo "ROMA"', "title"),
        ("女性、看板に「営業中」", "sign"),
        ("「こんにちは」と言う女性", "speech"),
        ('een vrouw zegt "Hallo"', "speech"),
        ('een vrouw, een bord met de tekst "OPEN"', "sign"),
        ('kobieta pod szyldem z napisem "OTWARTE"', "sign"),
        ('kobieta mówi "Cześć"', "speech"),
        ('"AÇIK" yazan tabela önünde bir kadın', "sign"),
        ('bir kadın diyor "Merhaba"', "speech"),
        ("женщина под вывеской с надписью «ОТКРЫТО»", "sign"),
        ("мужчина говорит «Привет»", "speech"),
        ("一个女人站在写着“营业中”的招牌前", "sign"),
        ("他说“你好”", "speech"),
        ('"영업중"이라고 쓰인 간판 앞의 여자', "sign"),
        ('"안녕"이라고 말하는 여자', "speech"),
        ('امرأة أمام لافتة مكتوب عليها "مفتوح"', "sign"),
        ('رجل يقول "مرحبا"', "speech"),
        ('एक महिला "खुला" लिखा बोर्ड के सामने', "sign"),
        ('एक आदमी कहता है "नमस्ते"', "speech"),
    ],
)
def test_the_words_around_say_what_quoted_words_are(prompt: str, kind: str) -> None:
    plan = read(prompt)
    assert plan.lettering_as == (kind,)
    assert len(plan.lettering) == 1
    assert plan.lettering[0] in prompt


def test_several_texts_have_each_its_kind() -> None:
    plan = read('a woman, street sign "Main Street", chalkboard menu "Soup", label "Anna, 34", she says "Hi"')
    assert plan.lettering == ("Main Street", "Soup", "Anna, 34", "Hi")
    assert plan.lettering_as == ("sign", "sign", "label", "speech")
    assert read('two signs, "Left" and "Right"').lettering_as == ("sign", "sign")


@pytest.mark.parametrize(
    "prompt",
    [
        'a man under a shop sign that reads "BAKERY"',
        'eine Frau im Park, ein Schild mit der Aufschrift "OFFEN"',
        'una donna dice "Ciao"',
        'graffiti on the wall "HELLO"',
        'a woman in a forest thinks "Did I lock the door?"',
    ],
)
def test_what_announces_words_is_nothing_else(prompt: str) -> None:
    plan = read(prompt)
    assert plan.unknown == ()
    assert plan.look is None
    assert plan.head.pitch is None, "a sign that reads is nobody who reads"


def test_a_neon_sign_still_says_what_the_light_is() -> None:
    assert read('a woman in a park, a neon sign saying "OPEN"').light == "neon"
    assert read('a woman holding a sign that says "HELP"').pose == "holding a sign"


def test_a_prompt_without_quotations_has_no_lettering() -> None:
    assert read("a woman under a sign in a park").lettering_as == ()


def test_every_table_has_every_language() -> None:
    languages = {"en", "de", "es", "fr", "pt", "it", "nl", "pl", "tr", "ru", "zh", "ja", "ko", "ar", "hi"}
    rules = lettering.rules()
    for table in ("noun", "verb", "kept"):
        for kind, words in rules[table].items():
            assert set(words) == languages, f"{table}.{kind}"
            assert all(words.values())
    assert set(rules["link"]) == set(rules["held"]) == languages


def test_more_words_than_can_be_read_are_refused() -> None:
    lettering.check_lettering(["a" * 300])
    lettering.check_lettering(["hi"] * 12)
    with pytest.raises(InvalidRequestError, match="300 letters") as refused:
        lettering.check_lettering(["many words " * 40])
    assert refused.value.field == "prompt"
    with pytest.raises(InvalidRequestError, match="12 texts"):
        lettering.check_lettering(["hi"] * 13)
