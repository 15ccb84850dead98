"""The vocabulary: phrases of the TOML files beside this module, ready to be found in a text.

A file holds ``[kind]`` tables of ``id = [phrases]``. A phrase is a little pattern: ``a|b`` one of these words,
``(a b|c)`` one of these groups, ``[a|b c]`` the same but optional, ``#`` a number. A leading ``~`` marks a weak
phrase (any other of its kind overrides it), a leading ``?`` a weak one that is only portrayed in kind and
therefore also reported (Paris becomes a city street).

Patterns are matched, never written out: "[dark|deep] forest [path|glade]" alone stands for nine phrases, and
some for thousands. They are indexed by their first words.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from portrayal.errors import MissingDataError
from portrayal.prompting.text import Token, tokens

FOLDER = Path(__file__).parent / "vocabulary"
LANGUAGES = ("en", "de", "es", "fr", "pt", "it", "ja")
NUMBER = "#"
_SLOT = re.compile(r"\[([^\]]*)\]|\(([^)]*)\)|(\S+)")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
# A pattern may begin with these as an option; they are words without meaning, so a match need not hold them.
_GLUE = frozenset(
    [
        "a",
        "an",
        "the",
        "in",
        "on",
        "at",
        "by",
        "with",
        "and",
        "of",
        "from",
        "during",
        "under",
        "through",
        "within",
        "to",
        "is",
        "for",
        "into",
    ]
)


class Sense(NamedTuple):
    """One meaning of a phrase."""

    kind: str
    id: str
    weak: bool = False
    reported: bool = False


class Match(NamedTuple):
    """A phrase found in a text: index after its last token, its meanings, the number in it."""

    end: int
    senses: tuple[Sense, ...] = ()
    number: float | None = None


@dataclass(frozen=True)
class Slot:
    """One place of a pattern: first word of each alternative -> the words that must follow it."""

    optional: bool
    alternatives: dict[str, tuple[tuple[str, ...], ...]]


class Pattern(NamedTuple):
    """A phrase pattern and its meaning."""

    slots: tuple[Slot, ...]
    sense: Sense


class _Found(NamedTuple):
    """Ordered so that the longest match, and among equals the one with the fewest inflected words, is greatest."""

    end: int
    exactness: int = 0
    number: float | None = None


@dataclass(frozen=True)
class Vocabulary:
    """Phrases of one language.

    Attributes:
        index: first word -> patterns.
        endings: (ending, replacement) that turn an inflected word into the listed one.
        fillers: words that may stand anywhere inside a phrase ("turned slightly left").
        words: all words of the phrases, to tell languages apart.
    """

    language: str
    index: dict[str, list[Pattern]]
    endings: tuple[tuple[str, str], ...]
    fillers: frozenset[str]
    words: frozenset[str]

    def forms(self, word: str) -> tuple[str, ...]:
        """The word and what it may be an inflection of; only words that the vocabulary has."""
        found = [word] if word in self.words else []
        if len(word) > 3:
            for ending, instead in self.endings:
                stem = word.removesuffix(ending) + instead
                if word.endswith(ending) and len(stem) > 2 and stem in self.words and stem not in found:
                    found.append(stem)
        return tuple(found)

    def longest(self, text: Sequence[Token], at: int) -> Match:
        """The longest phrase that begins at token `at`; its end is `at` when there is none.

        Phrases do not reach across commas. An exact word beats an inflected one.
        """
        best, senses = _Found(at), list[Sense]()
        word = text[at].word
        firsts: tuple[str, ...] = self.forms(word)
        if as_number(word) is not None:
            firsts = (*firsts, NUMBER)
        for pattern in (p for first in firsts for p in self.index.get(first, ())):
            found = self._follow(pattern.slots, 0, text, _Found(at))
            if found is None or found[:2] < best[:2] or found.end == at:
                continue
            if found[:2] > best[:2]:
                best, senses = found, []
            if not any(s[:2] == pattern.sense[:2] for s in senses):
                senses.append(pattern.sense)
        return Match(best.end, tuple(senses), best.number)

    def _follow(self, slots: tuple[Slot, ...], k: int, text: Sequence[Token], so_far: _Found) -> _Found | None:
        """The best match of the slots from the k-th on, or None."""
        if k == len(slots):
            return so_far
        slot, at = slots[k], so_far.end
        best = self._follow(slots, k + 1, text, so_far) if slot.optional else None
        for step in self._fill(slot, text, so_far):
            rest = self._follow(slots, k + 1, text, step)
            if rest is not None and (best is None or rest[:2] > best[:2]):
                best = rest
        if best is None and k and at < len(text) and not text[at].after_stop and text[at].word in self.fillers:
            return self._follow(slots, k, text, so_far._replace(end=at + 1))
        return best

    def _fill(self, slot: Slot, text: Sequence[Token], so_far: _Found) -> Iterator[_Found]:
        """Ways to fill one slot from where the match stands."""
        at, exactness, number = so_far
        for word, exact in self._candidates(text, at):
            for rest in slot.alternatives.get(word, ()):
                index, loss = at + 1, 0 if exact else 1
                for wanted in rest:
                    cost = self._cost(text, index, wanted)
                    if cost is None:
                        break
                    index, loss = index + 1, loss + cost
                else:
                    value = as_number(text[at].word) if word == NUMBER else number
                    yield _Found(index, exactness - loss, value)

    def _candidates(self, text: Sequence[Token], at: int) -> Iterator[tuple[str, bool]]:
        if at >= len(text):
            return
        word = text[at].word
        for form in self.forms(word):
            yield form, form == word
        if as_number(word) is not None:
            yield NUMBER, True

    def _cost(self, text: Sequence[Token], at: int, wanted: str) -> int | None:
        """0 when the token is the wanted word, 1 when an inflection of it, None when neither."""
        if at >= len(text) or text[at].after_stop:
            return None
        if text[at].word == wanted or (wanted == NUMBER and as_number(text[at].word) is not None):
            return 0
        return 1 if wanted in self.forms(text[at].word) else None


def as_number(word: str) -> float | None:
    """The value of a token of digits ("15", "15deg", "7.5"), else None."""
    if not word[0].isdecimal() or len(word) > 10:
        return None
    try:
        return float(word.removesuffix("deg").removesuffix("degrees"))
    except ValueError:
        return None


def expand(phrase: str) -> list[str]:
    """All phrases that a pattern stands for, for tests and documentation; can be many."""
    choices = [[*([""] if optional else []), *words] for optional, words in _slots(phrase)]
    return [" ".join(" ".join(c).split()) for c in itertools.product(*choices)]


def split_mark(entry: str) -> tuple[str, bool, bool]:
    """(phrase pattern, weak, reported) of an entry of the files."""
    return entry.lstrip("~?"), entry[:1] in ("~", "?"), entry[:1] == "?"


def entries(language: str) -> dict[str, dict[str, list[str]]]:
    """The raw tables of a language: kind -> id -> entries."""
    tables: dict[str, dict[str, list[str]]] = {}
    if language == "en":
        files = [path for path in sorted(FOLDER.glob("*.toml")) if path.stem != "rules"]
    else:
        files = [FOLDER / "languages" / f"{language}.toml"]
    for path in files:
        for kind, table in _toml(path).items():
            for id_, listed in table.items():
                tables.setdefault(kind, {}).setdefault(id_, []).extend(listed)
    return tables


@lru_cache
def load(language: str) -> Vocabulary:
    """The vocabulary of one of `LANGUAGES`.

    Raises:
        MissingDataError: when its file is not there.
    """
    index: dict[str, list[Pattern]] = {}
    words: set[str] = set()
    for kind, table in entries(language).items():
        for id_, listed in table.items():
            for entry in listed:
                phrase, weak, reported = split_mark(entry)
                pattern = Pattern(_compile(phrase, language), Sense(kind, id_, weak, reported))
                for slot in pattern.slots:
                    words.update(slot.alternatives)
                    words.update(w for rests in slot.alternatives.values() for rest in rests for w in rest)
                for first in _firsts(pattern.slots):
                    index.setdefault(first, []).append(pattern)
    words.discard(NUMBER)
    endings = tuple((e, r) for e, r in rules()["endings"].get(language, ()))
    fillers = frozenset(rules()["fillers"].get(language, ()))
    return Vocabulary(language, index, endings, fillers, frozenset(words))


@lru_cache
def rules() -> dict[str, Any]:
    """What is not words: angles of the head, settings that combine, what an id covers, endings."""
    return _toml(FOLDER / "rules.toml")


@lru_cache
def ids(kind: str) -> tuple[str, ...]:
    """All ids of a kind ("setting", "time", "weather", "light", "expression", "look", ...), in file order."""
    return tuple(id_ for id_ in entries("en").get(kind, {}) if id_)


def _slots(phrase: str) -> list[tuple[bool, list[str]]]:
    return [(bool(optional), (optional or group or word).split("|")) for optional, group, word in _SLOT.findall(phrase)]


def _compile(phrase: str, language: str) -> tuple[Slot, ...]:
    """The slots of a pattern; an optional beginning loses its words without meaning."""
    slots: list[Slot] = []
    for optional, choices in _slots(phrase):
        alternatives: dict[str, list[tuple[str, ...]]] = {}
        spellings = [w for choice in choices for w in _spellings(choice, language)]
        for words in spellings:
            if words and not (optional and not slots and _GLUE.issuperset(words)):
                alternatives.setdefault(words[0], []).append(words[1:])
        if alternatives:
            slots.append(Slot(optional, {first: tuple(rests) for first, rests in alternatives.items()}))
    return tuple(slots)


def _spellings(words: str, language: str) -> list[tuple[str, ...]]:
    """The words of a choice, folded as those of a prompt; in German also with ae, oe, ue."""
    if words.isascii() and words.replace(" ", "").isalpha():
        return [tuple(words.lower().split())]
    spelled = [words]
    if language == "de" and (plain := words.lower().translate(_UMLAUTS)) != words.lower():
        spelled.append(plain)
    split = [tuple(t.word for t in tokens(s.replace(NUMBER, " 000 "))) for s in spelled]
    return [tuple(NUMBER if w == "000" else w for w in s) for s in split]


def _firsts(slots: tuple[Slot, ...]) -> set[str]:
    """The words with which a pattern can begin."""
    firsts: set[str] = set()
    for slot in slots:
        firsts.update(slot.alternatives)
        if not slot.optional:
            break
    return firsts


@lru_cache
def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise MissingDataError(f"the vocabulary {path.name} is missing", remedy="Install the package again.") from None
