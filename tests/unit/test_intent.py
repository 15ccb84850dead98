"""What the words of an edit mean, in seven languages; and words that must not be misread."""

from __future__ import annotations

import pytest

from portrayal.prompting.intent import phrases, read_edit
from portrayal.prompting.vocabulary import LANGUAGES

# Prompt -> action, target, place, colour, setting.
MEANT: dict[str, tuple[str | None, str | None, str | None, str | None, str | None]] = {
    "": (None, None, None, None, None),
    "the woman on the left": (None, "person", "left", None, None),
    "head and hair": (None, "head", None, None, None),
    "swap the face": (None, "face", None, None, None),
    "make the jacket navy": ("change", None, None, "navy", None),
    "red dress": (None, None, None, "red", None),
    "paint the wall white": ("recolour", None, None, "white", None),
    "change the colour of the sky to red": ("recolour", None, None, "red", "sky"),
    "remove the person in the background": ("remove", "person", "smallest", None, None),
    "remove people in the background": ("remove", None, "others", None, None),
    "remove everyone else": ("remove", None, "others", None, None),
    "remove everyone": ("remove", None, "all", None, None),
    "remove the third person from the left": ("remove", None, "third", None, None),
    "remove the lamp": ("remove", None, None, None, None),
    "remove the tall man": ("remove", "person", None, None, None),
    "remove the man with the hat": ("remove", "person", None, None, None),
    "remove the woman's hat": ("remove", None, None, None, None),
    "remove the hat of the woman": ("remove", None, None, None, None),
    "remove the background": ("remove", "background", None, None, None),
    "change background to a beach": ("change", "background", None, None, "beach"),
    '"remove the man" on a sign': (None, None, None, None, None),
    "der Mann in der Mitte": (None, "person", "middle", None, None),
    "mach die Jacke blau": ("change", None, None, "blue", None),
    "entferne die Person rechts": ("remove", "person", "right", None, None),
    "entferne den Hut der Frau": ("remove", None, None, None, None),
    "entferne die Leute im Hintergrund": ("remove", None, "others", None, None),
    "ersetze den Hintergrund durch einen Strand": ("change", "background", None, None, "beach"),
    "elimina a la persona de la derecha": ("remove", "person", "right", None, None),
    "elimina el sombrero de la mujer": ("remove", None, None, None, None),
    "quita a los demás": ("remove", None, "others", None, None),
    "cambia el color de la chaqueta a azul marino": ("recolour", None, None, "navy", None),
    "cambia el fondo por una playa": ("change", "background", None, None, "beach"),
    "supprime la personne à droite": ("remove", "person", "right", None, None),
    "supprime tout le monde": ("remove", None, "all", None, None),
    "enlève le chapeau de la femme": ("remove", None, None, None, None),
    "mets la veste en bleu marine": ("change", None, None, "navy", None),
    "remplace l'arrière-plan par une plage": ("change", "background", None, None, "beach"),
    "remova a pessoa da direita": ("remove", "person", "right", None, None),
    "pinte a jaqueta de azul": ("recolour", None, None, "blue", None),
    "troque o fundo por uma praia": ("change", "background", None, None, "beach"),
    "rimuovi la persona a destra": ("remove", "person", "right", None, None),
    "rendi la giacca blu": ("change", None, None, "blue", None),
    "cambia lo sfondo con una spiaggia": ("change", "background", None, None, "beach"),
    "右の人を消して": ("remove", "person", "right", None, None),
    "人の帽子を消して": ("remove", None, None, None, None),
    "ジャケットを紺色にして": ("change", None, None, "navy", None),
    "背景をビーチに変えて": ("change", "background", None, None, "beach"),
}


@pytest.mark.parametrize("prompt", MEANT)
def test_what_words_mean(prompt: str) -> None:
    intent = read_edit(prompt)
    found = (intent.action, intent.target, intent.place, intent.colour, intent.plan.setting)
    assert found == MEANT[prompt]
    assert not intent.negated


@pytest.mark.parametrize(
    "prompt",
    [
        "don't remove the man",
        "do not change her face",
        "entferne nicht die Frau",
        "no elimines a la mujer",
        "ne supprime pas l'homme",
        "não remova a pessoa",
        "non rimuovere la persona",
        "人を消さないで",
    ],
)
def test_what_shall_not_be_done(prompt: str) -> None:
    assert read_edit(prompt).negated


def test_colours_are_understood_and_other_words_are_told() -> None:
    assert read_edit("make the jacket navy").plan.unknown == ()
    assert read_edit("make the jacket navy and add a dragon").plan.unknown == ("dragon",)
    assert read_edit("paint the wall white").plan.unknown == ("wall",)


@pytest.mark.parametrize("prompt", ["teal background", "make the background teal", "ein Hintergrund in Petrol"])
def test_a_background_may_be_a_colour(prompt: str) -> None:
    intent = read_edit(prompt)
    assert intent.target == "background"
    assert intent.plan.backdrop == intent.colour == "teal"


def test_every_phrase_is_found_in_its_own_language() -> None:
    for language in LANGUAGES:
        for phrase in phrases()[language]:
            assert phrase.words
        kinds = {(phrase.kind, phrase.id) for phrase in phrases()[language]}
        assert kinds == {(phrase.kind, phrase.id) for phrase in phrases()["en"]}
