"""The nearest thing that is offered, for words that cannot be portrayed."""

from __future__ import annotations

import difflib
from functools import lru_cache
from typing import Final

from portrayal.prompting import text as texts
from portrayal.prompting.vocabulary import FOLDER, entries, ids, load, toml

_ALIKE: Final = 0.84  # likeness of two spellings that are probably one word
_LONGEST: Final = 60  # letters of a phrase that is looked up
_ARTICLES: Final = {"garment": "a", "accessory": "a", "lower": "", "pose": ""}
_TITLES: Final = {"chef": "chef's jacket", "superhero": "superhero suit", "t-shirt": "T-shirt"}
_BARE: Final = frozenset(("glasses", "sunglasses", "headphones", "earrings", "scrubs", "armour"))


@lru_cache(maxsize=1024)
def nearest(phrase: str) -> str | None:
    """What comes nearest to a phrase that is not portrayed ("a hat" for a sombrero), or None.

    Looked up in `near.toml`, then in the vocabulary, by its last words; then misspelled names are compared.
    """
    if not phrase or len(phrase) > _LONGEST or phrase.startswith("also: ") or phrase.endswith("(also excluded)"):
        return None
    words = [token.word for token in texts.tokens(texts.even(phrase))]
    for first in range(len(words)):
        found = _known().get(" ".join(words[first:])) or _in_vocabulary(" ".join(words[first:]))
        if found:
            return found
    if len(words) > 1 and (found := _known().get(words[0])):
        return found
    return next((found for word in reversed(words) if (found := _misspelled(word))), None)


@lru_cache(1)
def _known() -> dict[str, str]:
    table: dict[str, str] = {}
    for near, phrases in toml(FOLDER.parent / "near.toml")["near"].items():
        for phrase in phrases:
            table.setdefault(" ".join(t.word for t in texts.tokens(texts.even(phrase))), near)
    return table


def _in_vocabulary(words: str) -> str | None:
    """What a phrase stands for that is portrayed in kind only."""
    tokens = texts.tokens(words)
    match = load("en").longest(tokens, 0)
    if match.end != len(tokens):
        return None
    return next((one(s.id, s.kind) for s in match.senses if s.kind in _ARTICLES and s.id), None)


@lru_cache(1)
def _names() -> dict[str, str]:
    """Single words that name what is offered."""
    names: dict[str, str] = {}
    for kind in _ARTICLES:
        for id_ in ids(kind):
            plain = [e for e in entries("en")[kind][id_] if e.isalpha() and len(e) > 3]
            for word in [*([id_] if " " not in id_ else []), *plain]:
                names.setdefault(texts.fold(word.replace("-", "")), one(id_, kind))
    return names


def _misspelled(word: str) -> str | None:
    if len(word) < 4 or not word.isascii():
        return None
    close = [name for name in _names() if name[0] == word[0] and abs(len(name) - len(word)) <= 2]
    found = difflib.get_close_matches(word, close, 1, _ALIKE)
    return _names()[found[0]] if found else None


def called(id_: str) -> str:
    """What a garment is called where its id is who wears it: "chef's jacket"."""
    return _TITLES.get(id_, id_)


def one(id_: str, kind: str = "garment") -> str:
    """A thing with its article: "an evening dress", "armour"."""
    title = called(id_)
    if id_ in _BARE or not _ARTICLES[kind]:
        return title
    return f"{'an' if title[0] in 'aeio' else 'a'} {title}"
