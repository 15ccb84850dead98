"""`@name` in prompts."""

from __future__ import annotations

import unicodedata

import pytest

from portrayal.character.mentions import find, mentions, without_mentions
from portrayal.prompting import read
from portrayal.prompting.text import take_lettering

KNOWN = ("Ada", "ada-lovelace", "bob", "Zoë", "さくら", "さくら子", "太郎", "Ана", "आदित्य", "علي", "สมชาย", "x1")

FOUND: list[tuple[str, tuple[str, ...]]] = [
    ("@ada in a cafe", ("Ada",)),
    ("a photo of @ADA.", ("Ada",)),
    ("@ada, @bob and @ada on a beach", ("Ada", "bob")),
    ("(@ada)", ("Ada",)),
    ("@ada's portrait", ("Ada",)),
    ("@ada’s portrait", ("Ada",)),
    ("@ada-lovelace at night", ("ada-lovelace",)),
    ("@ada-", ("Ada",)),
    ("_@ada_ in a cafe", ("Ada",)),
    ("@ada—laughing", ("Ada",)),
    ("@ada:smiling;@bob/@x1", ("Ada", "bob", "x1")),
    ("@adams in a cafe", ("adams",)),
    ("@ada-mae in a cafe", ("ada-mae",)),
    ("@nobody in a cafe", ("nobody",)),
    ("@ZOË and @zoe\u0308", ("Zoë",)),
    ("@zoe", ("zoe",)),
    ("write to ada@example.com", ()),
    ("ada@bob", ()),
    ("first.last+tag@mail.example.org or @bob", ("bob",)),
    ("https://example.com/@ada and @bob", ("bob",)),
    ("www.example.com/@ada", ()),
    ("@@ada", ()),
    ("@", ()),
    ("@ ada", ()),
    ("@-ada", ()),
    ("5@7", ()),
    ('a sign that says "follow @ada"', ()),
    ("a t-shirt saying 'by @ada', @bob", ("bob",)),
    ("@ada's and @bob's cafe", ("Ada", "bob")),
    ("„folgt @ada“ und @bob", ("bob",)),
    ("「@さくら」と@太郎", ("太郎",)),
    ("@さくらがカフェで笑っている", ("さくら",)),
    ("@さくら子がカフェで", ("さくら子",)),
    ("笑顔の@さくらと@太郎", ("さくら", "太郎")),
    ("＠さくら、海辺", ("さくら",)),
    ("@ada笑顔", ("Ada",)),
    ("@Ана на пляже", ("Ана",)),
    ("@АНА", ("Ана",)),
    ("@आदित्य मुस्कुराते हुए", ("आदित्य",)),
    ("@علي في مقهى", ("علي",)),
    ("@สมชายยิ้ม", ("สมชาย",)),
    ("no names here", ()),
    ("", ()),
]


@pytest.mark.parametrize(("prompt", "expected"), FOUND)
def test_who_is_mentioned(prompt: str, expected: tuple[str, ...]) -> None:
    assert mentions(prompt, KNOWN) == expected
    assert mentions(unicodedata.normalize("NFD", prompt), KNOWN) == expected


def test_without_known_names_letters_decide() -> None:
    assert mentions("@ada, @Bob-2 and @ada's friend @zoë_x.") == ("ada", "Bob-2", "zoë_x")


@pytest.mark.parametrize("prompt", [p for p, _ in FOUND])
def test_spans_lie_on_the_names(prompt: str) -> None:
    for start, end, name in find(prompt, KNOWN):
        said = unicodedata.normalize("NFC", prompt[start + 1 : end]).casefold()
        assert prompt[start] in "@＠"
        assert said.removesuffix("'s").removesuffix("’s") == name.casefold()


PLAIN: list[tuple[str, int, str]] = [
    ("@ada in a cafe", 1, "a portrait in a cafe"),
    ("@ada and @bob on a beach", 2, "two people on a beach"),
    ("@ada, @bob and @x1 on a beach", 3, "three people on a beach"),
    ("@ada & @bob on the moon", 2, "two people on the moon"),
    ("a photo of @ada in a cafe", 1, "a photo of a person in a cafe"),
    ("@ada's portrait in a cafe", 1, "a person's portrait in a cafe"),
    ("@ada in a cafe, @ada is laughing", 1, "a portrait in a cafe, the person is laughing"),
    ("@ada on the left laughing, @bob on the right", 2, "a person on the left laughing, a person on the right"),
    ("@ada next to @bob at night", 2, "a person next to a person at night"),
    ("@ada", 1, "a portrait"),
    ("@ada laughing", 1, "laughing"),
    ("@ada am Strand", 1, "am Strand"),
    ("@ada und @bob am Strand", 2, "am Strand"),
    ("@ada, am Strand", 1, "am Strand"),
    ("@さくらがカフェで笑っている", 1, "がカフェで笑っている"),
    ("a cafe", 1, "a cafe"),
    ('@ada with a sign "@bob"', 1, 'a portrait with a sign "@bob"'),
]


@pytest.mark.parametrize(("prompt", "count", "expected"), PLAIN)
def test_words_for_the_names(prompt: str, count: int, expected: str) -> None:
    assert without_mentions(prompt, count, KNOWN) == expected


@pytest.mark.parametrize(
    ("prompt", "language", "expected"),
    [
        ("@ada am Strand", "de", "ein Porträt am Strand"),
        ("@ada y @bob en la playa", "es", "dos personas en la playa"),
        ("un café avec @ada", "fr", "un café avec une personne"),
        ("@ada na praia", "pt", "um retrato na praia"),
        ("@ada in spiaggia", "it", "un ritratto in spiaggia"),
        ("@さくらがカフェで", "ja", "人物がカフェで"),
    ],
)
def test_words_of_the_own_language(prompt: str, language: str, expected: str) -> None:
    assert without_mentions(prompt, 1 if "bob" not in prompt else 2, KNOWN, language) == expected


@pytest.mark.parametrize(
    ("prompt", "language", "setting"),
    [
        ("@ada in a cafe", "en", "coffee shop"),
        ("@xyzzy in a cafe", "en", "coffee shop"),
        ("@ada am Strand", "de", "beach"),
        ("@ada en la playa", "es", "beach"),
        ("@ada à la plage", "fr", "beach"),
        ("@ada na praia", "pt", "beach"),
        ("@ada in spiaggia", "it", "beach"),
        ("@さくらがカフェで笑っている", "ja", "coffee shop"),
        ("@ada's portrait in a cafe", "en", "coffee shop"),
        ("portrait of @forest in a cafe", "en", "coffee shop"),
    ],
)
def test_the_reader_does_not_stumble(prompt: str, language: str, setting: str) -> None:
    for own in ("", language):
        plan = read(without_mentions(prompt, 1, KNOWN, own))
        assert (plan.language, plan.setting, plan.unknown) == (language, setting, ())


@pytest.mark.parametrize(
    "prompt", ['a sign "@ada"', "a sign saying '@ada'", "「@さくら」", "«@ada»", "it's @ada's", "“@ada” and @bob"]
)
def test_what_is_lettering_is_no_mention(prompt: str) -> None:
    rest, lettering = take_lettering(prompt)
    assert mentions(prompt, KNOWN) == mentions(rest, KNOWN)
    assert not set(lettering) & {prompt[m.start : m.end] for m in find(prompt, KNOWN)}


@pytest.mark.parametrize("letter", ["a", "a.", "-_", "%", "1"])
def test_a_long_word_costs_what_its_length_does(letter: str) -> None:
    """With a cost that grows with the square of the length this would take many minutes."""
    word = letter * (200_000 // len(letter))
    assert mentions(f"{word} @ada {word}") == ("ada",)
