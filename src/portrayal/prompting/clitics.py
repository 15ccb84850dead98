"""Small words that are written together with others are cut off: Korean particles, the Arabic article and "and".

A word that the vocabulary knows is left whole, and nothing is cut off where what remains would be unknown: an unknown
word is reported as it was typed. Traditional Chinese characters become simplified ones here, as in the
vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from portrayal.prompting.text import Token, is_cjk
from portrayal.prompting.vocabulary import FOLDER, Vocabulary, load, toml

# Korean: case, topic and other particles, longest first; what joins two nouns stays as a word of its own.
_PARTICLES: Final = (
    "에서는", "에서의", "으로는", "이라는", "에서", "에게", "에는", "에도", "으로", "까지", "부터", "처럼",
    "같은", "을", "를", "은", "는", "이", "가", "의", "에", "로", "도", "만", "인",
)  # fmt: skip
_JOINS: Final = ("이랑", "하고", "과", "와", "랑")
_EITHER: Final = ("이나", "나")
_SHORT: Final = frozenset(("흰", "밤", "긴", "눈", "비", "붉은", "푸른", "검은"))
# Arabic: one letter before a word; "ك" (like) too. Possessives stand behind.
_PREFIXES: Final = "وفبلك"
_POSSESSIVES: Final = ("هما", "ها", "هم", "هن", "ه", "ي")


def parted(tokens: Sequence[Token], language: str) -> list[Token]:
    """The tokens of a text with small words cut off, or its ideographs simplified; of other languages as they are."""
    if language == "zh":
        return [t._replace(word=simplified(t.word)) if is_cjk(t.word) else t for t in tokens]
    cut = _CUTS.get(language)
    if cut is None:
        return list(tokens)
    return [part for token in tokens for part in _placed(token, cut(token.word))]


@lru_cache(1)
def _simple() -> dict[str, str]:
    pairs = str(toml(FOLDER.parent / "traditional.toml")["pairs"])
    return {traditional: pair[0] for pair in pairs.split() for traditional in pair[1:]}


def simplified(character: str) -> str:
    """The simplified form of a Chinese character, itself where it has none."""
    return _simple().get(character, character)


def _placed(token: Token, words: Sequence[str]) -> Iterator[Token]:
    """One token for each word; the last takes what is left of the place in the text."""
    start, stop = token.start, token.after_stop
    for i, word in enumerate(words):
        end = token.end if i + 1 == len(words) else min(token.end, start + len(word))
        yield Token(start, end, word, stop)
        start, stop = end, False


@lru_cache(maxsize=4096)
def _korean(word: str) -> tuple[str, ...]:
    known = load("ko")
    if not "\uac00" <= word[0] <= "\ud7a3" or known.forms(word):
        return (word,)
    bare = _without_particle(word, known)
    if bare:
        return bare
    for at in range(len(word) - 1, 0, -1):  # two words that are usually parted: "흰셔츠", "가죽재킷을"
        first, second = word[:at], word[at:]
        if (at > 1 or first in _SHORT) and len(second) > 1 and _pictured(first, known):
            rest = (second,) if known.forms(second) else _without_particle(second, known)
            if rest and _pictured(rest[0], known):
                return (first, *rest)
    return (word,)


def _pictured(word: str, known: Vocabulary) -> bool:
    """Whether a word alone has a meaning that belongs into a picture."""
    return any(sense.kind != "grammar" for sense in known.longest((Token(0, 0, word, True),), 0).senses)


def _without_particle(word: str, known: Vocabulary) -> tuple[str, ...]:
    for particle in _PARTICLES:
        if word.endswith(particle) and known.forms(word.removesuffix(particle)):
            return (word.removesuffix(particle),)
    for particles, joint in ((_JOINS, "와"), (_EITHER, "또는")):
        for particle in particles:
            if word.endswith(particle) and known.forms(word.removesuffix(particle)):
                return (word.removesuffix(particle), joint)
    return ()


@lru_cache(maxsize=4096)
def _arabic(word: str) -> tuple[str, ...]:
    if not "\u0600" <= word[0] <= "\u06ff":
        return (word,)
    known = load("ar")
    bare = _without_article(word, known)
    if bare:
        return (bare,)
    if word[0] in _PREFIXES and len(word) > 3:
        rest = _arabic(word[1:]) if word[0] == "و" else (_without_article(word[1:], known),)
        if word[0] == "ل" and word[1] == "ل" and not rest[0]:  # the article loses a letter behind "for"
            rest = (_without_article(word[2:], known),)
        if rest[0] and (known.forms(rest[-1]) or word[1:3] == "ال"):
            return (word[0], *rest)
    return (word,)


def _without_article(word: str, known: Vocabulary) -> str:
    """A known word without its article and possessive; "" when there is none."""
    if word.startswith("ال") and len(word) > 4 and known.forms(word[2:]):
        return word[2:]
    if known.forms(word):
        return word
    for ending in _POSSESSIVES:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2:
            if known.forms(stem):
                return stem
            if stem.endswith("ت") and known.forms(stem[:-1] + "ه"):  # "قبعتها": her hat
                return stem[:-1] + "ه"
    return ""


_CUTS: Final[dict[str, Callable[[str], tuple[str, ...]]]] = {"ko": _korean, "ar": _arabic}
