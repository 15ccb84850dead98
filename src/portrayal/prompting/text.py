"""Text before it has meaning: lettering taken out, spelling evened out, words cut apart."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from portrayal.quotations import quotations

# Japanese and Chinese have no spaces: every kana and ideograph is a word of its own here.
# Kana, ideographs and their marks; Hangul is written with spaces and is not among them.
_CJK = "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_EMOJI = "\u2600-\u27bf\U0001f300-\U0001faff"
# Signs that belong to the letter before them and that regular expressions do not count as letters: accents that stand
# alone, Arabic vowel signs, Devanagari vowel signs, joiners.
_MARKS = (
    "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963"
    "\u200c\u200d"
)
_PIECE = re.compile(
    rf"(?P<word>[{_CJK}{_EMOJI}]|\d+(?:\.\d+)?[^\W_{_CJK}]*"
    rf"|[^\W\d_{_CJK}][^\W_{_CJK}]*(?:[{_MARKS}]+[^\W_{_CJK}]*)*|[&°])"
    r"|(?P<stop>[,;.!?:|()\[\]{}\n\r\u060c\u061b\u061f\u0964\u0965\u3001\u3002\u30fb\u2013\u2014\u2022]|\s-\s)"
)
# Links, command switches, weights of other programs, mentions of saved characters: no part of the scene.
_FOREIGN = re.compile(r"https?://\S+|(?<!\S)--\w+(?:[ =][\w.:]+)?|<[^<>\n]{0,80}>|(?<!\w)@[\w-]+")


class Token(NamedTuple):
    """One word: its place in the evened text, its folded form, whether a comma or the like stands before it."""

    start: int
    end: int
    word: str
    after_stop: bool


def clean(text: str) -> str:
    """The text without lone surrogates, which no encoder would take."""
    return text.encode("utf-8", "replace").decode("utf-8")


def take_lettering(text: str) -> tuple[str, tuple[str, ...]]:
    """Quoted texts, verbatim and in order, and the rest with stops in their place."""
    found: list[str] = []
    rest: list[str] = []
    at = 0
    for start, end, inner in quotations(text):
        if inner.strip():
            found.append(inner.strip())
        rest += [text[at:start], " | "]
        at = end
    return "".join((*rest, text[at:])), tuple(found)


def even(text: str) -> str:
    """Compatibility forms and typographic apostrophes made plain; links and switches blanked out."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'").replace("‘", "'").replace("`", "'")
    return _FOREIGN.sub(" , ", text)


# What folding leaves out, and what it puts in place of letters that are typed for others.
_FOLDED: dict[int, int | None] = {
    **dict.fromkeys((*range(0x300, 0x370), *range(0x610, 0x61B), *range(0x64B, 0x660), *range(0x6D6, 0x6EE))),
    **dict.fromkeys((0x640, 0x670, 0x93C, 0x200C, 0x200D)),
    **{ord(typed): ord(meant) for typed, meant in ("łl", "ıi", "ٱا", "ةه", "ىي", "یي", "کك", "\u0901\u0902")},
}


@lru_cache(maxsize=8192)
def fold(word: str) -> str:
    """Lower case without accents; the marks of kana stay, they make other letters.

    Arabic loses vowel signs, hamza and tatweel, and letters that are typed for one another become one. Devanagari
    keeps its vowel signs, but not the dot below, which half the people leave out.
    """
    if word.isascii():
        return word.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", word.casefold()).translate(_FOLDED))


def tokens(text: str) -> list[Token]:
    """Words of an evened text. Hyphens and apostrophes part words as spaces do."""
    found: list[Token] = []
    stop = True
    for match in _PIECE.finditer(text):
        if match["word"] is None:
            stop = True
            continue
        word = match["word"]
        found.append(Token(match.start(), match.end(), _SIGNS.get(word) or fold(word), stop))
        stop = False
    return found


_SIGNS = {"&": "and", "°": "degrees"}


def is_cjk(word: str) -> bool:
    """Whether a token is a kana or an ideograph."""
    return len(word) == 1 and "\u3005" <= word <= "\u9fff"
