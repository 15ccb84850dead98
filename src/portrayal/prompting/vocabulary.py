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
from portrayal.prompting.text import Token, fold, tokens

FOLDER = Path(__file__).parent / "vocabulary"
# Languages in Latin letters are told apart by their words, the others by their letters.
LATIN = ("en", "de", "es", "fr", "pt", "it", "nl", "pl", "tr")
LANGUAGES = (*LATIN, "ru", "zh", "ja", "ko", "ar", "hi")
NUMBER = "#"
_SLOT = re.compile(r"\[([^\]]*)\]|\(([^)]*)\)|(\S+)")
_ARTICLE = re.compile(r"(?<!\w)ال(?=\w{3})")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
# A pattern may begin with these as an option; they are words without meaning, so a match need not hold them.
_GLUE = frozenset(
    "a an the in on at by with and of from during under through within to is for into".split()  # noqa: SIM905
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
    start: int = 0


@dataclass(frozen=True)
class Vocabulary:
    """Phrases of one language.

    Attributes:
        index: first word -> patterns.
        endings: ending -> (rank, replacement) that turn an inflected word into the listed one.
        fillers: words that may stand anywhere inside a phrase ("turned slightly left").
        words: all words of the phrases, to tell languages apart.
    """

    language: str
    index: dict[str, list[Pattern]]
    endings: dict[str, tuple[tuple[int, str], ...]]
    fillers: frozenset[str]
    words: frozenset[str]

    def forms(self, word: str) -> tuple[str, ...]:
        """The word and what it may be an inflection of; only words that the vocabulary has."""
        return _forms(self.language, word)

    def longest(self, text: Sequence[Token], at: int) -> Match:
        """The longest phrase that begins at token `at`; its end is `at` when there is none.

        Phrases do not reach across commas. An exact word beats an inflected one.
        """
        word = text[at].word
        value = as_number(word) if word[0].isdecimal() else None
        firsts = self.forms(word) if value is None else (*self.forms(word), NUMBER)
        if not firsts:
            return Match(at)
        best, senses = _Found(at), list[Sense]()
        coming = self._coming(text, at)
        for first in firsts:
            alone = _Found(at + 1, 0 if first == word or value is not None else -1, value)
            for pattern, complete, seconds, only in _starts(self.language, first):
                found: _Found | None = alone if complete else None
                if seconds.isdisjoint(coming):
                    pass
                elif only and not self.endings:  # Japanese: letters are compared as they are
                    found = self._plain(only, text, at)
                else:
                    found = self._follow(pattern.slots, 0, text, _Found(at, start=at)) or found
                if found is None or found[:2] < best[:2]:
                    continue
                if found[:2] > best[:2]:
                    best, senses = found, []
                if not any(s[:2] == pattern.sense[:2] for s in senses):
                    senses.append(pattern.sense)
        return Match(best.end, tuple(senses), best.number)

    def _plain(self, words: tuple[str, ...], text: Sequence[Token], at: int) -> _Found | None:
        """A match of exactly these words."""
        for i in range(1, len(words)):
            if at + i >= len(text) or text[at + i].word != words[i] or text[at + i].after_stop:
                return None
        return _Found(at + len(words))

    def _coming(self, text: Sequence[Token], at: int) -> set[str]:
        """The words that the second word of a phrase may be read as: a quick test before the real one."""
        words: set[str] = set()
        for token in text[at + 1 : at + 3]:
            if token.after_stop:
                break
            words.update(self.forms(token.word))
            if token.word[0].isdecimal():
                words.add(NUMBER)
            if token.word not in self.fillers:
                break
        return words

    def _follow(
        self, slots: tuple[Slot, ...], k: int, text: Sequence[Token], so_far: _Found, filled: bool = False
    ) -> _Found | None:
        """The best match of the slots from the k-th on, or None; `filled` after a filler, of which one may stand."""
        if k == len(slots):
            return so_far
        slot, at = slots[k], so_far.end
        best = self._follow(slots, k + 1, text, so_far, filled) if slot.optional else None
        for step in self._fill(slot, text, so_far):
            rest = self._follow(slots, k + 1, text, step)
            if rest is not None and (best is None or rest[:2] > best[:2]):
                best = rest
        if best is None and at > so_far.start and not filled and at < len(text):
            token = text[at]
            if token.word in self.fillers and not token.after_stop:
                return self._follow(slots, k, text, so_far._replace(end=at + 1), filled=True)
        return best

    def _fill(self, slot: Slot, text: Sequence[Token], so_far: _Found) -> Iterator[_Found]:
        """Ways to fill one slot from where the match stands."""
        at, exactness, number, start = so_far
        if at >= len(text) or (at > start and text[at].after_stop):
            return
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
                    yield so_far._replace(end=index, exactness=exactness - loss, number=value)

    def _candidates(self, text: Sequence[Token], at: int) -> Iterator[tuple[str, bool]]:
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
        for kind, table in toml(path).items():
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
    endings: dict[str, tuple[tuple[int, str], ...]] = {}
    for rank, (ending, instead) in enumerate(rules()["endings"].get(language, ())):
        endings[fold(ending)] = (*endings.get(fold(ending), ()), (rank, fold(instead)))
    fillers = frozenset(fold(word) for word in rules()["fillers"].get(language, ()))
    return Vocabulary(language, index, endings, fillers, frozenset(words))


@lru_cache(maxsize=16384)
def _forms(language: str, word: str) -> tuple[str, ...]:
    vocabulary = load(language)
    found = [word] if word in vocabulary.words else []
    if len(word) > 3:
        stems = [
            (rank, word[:cut] + instead)
            for cut in range(1, len(word))
            for rank, instead in vocabulary.endings.get(word[cut:], ())
        ]
        found += [stem for _, stem in sorted(stems) if len(stem) > 2 and stem in vocabulary.words]
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=16384)
def _starts(language: str, first: str) -> tuple[tuple[Pattern, bool, frozenset[str], tuple[str, ...]], ...]:
    """Patterns that can begin with a word; for each, whether that can be all, what can come second, and all its
    words if it has but one spelling."""
    found = []
    for pattern in load(language).index.get(first, ()):
        complete, seconds = False, set[str]()
        for k, slot in enumerate(pattern.slots):
            for rest in slot.alternatives.get(first, ()):
                if rest:
                    seconds.add(rest[0])
                    continue
                behind = pattern.slots[k + 1 :]
                complete = complete or all(s.optional for s in behind)
                for later in behind:
                    seconds.update(later.alternatives)
                    if not later.optional:
                        break
            if not slot.optional:
                break
        spelled = [(first, *rest) for rest in pattern.slots[0].alternatives.get(first, ())]
        only = spelled[0] if len(pattern.slots) == len(spelled) == 1 and NUMBER not in spelled[0] else ()
        found.append((pattern, complete, frozenset(seconds), only))
    return tuple(found)


@lru_cache
def rules() -> dict[str, Any]:
    """What is not words: angles of the head, settings that combine, what an id covers, endings."""
    return toml(FOLDER / "rules.toml")


@lru_cache
def ids(kind: str) -> tuple[str, ...]:
    """All ids of a kind ("setting", "time", "weather", "light", "expression", "look", ...), in file order."""
    return tuple(id_ for id_ in entries("en").get(kind, {}) if id_)


def _slots(phrase: str) -> list[tuple[bool, list[str]]]:
    return [(bool(optional), (optional or group or word).split("|")) for optional, group, word in _SLOT.findall(phrase)]


def _compile(phrase: str, language: str) -> tuple[Slot, ...]:
    """The slots of a pattern."""
    slots: list[Slot] = []
    for optional, choices in _slots(phrase):
        alternatives: dict[str, list[tuple[str, ...]]] = {}
        spellings = [w for choice in choices for w in _spellings(choice, language)]
        for words in spellings:
            if words:
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
    if language == "ar" and "ال" in words:  # the article is cut off the words of a prompt
        spelled.append(_ARTICLE.sub("", words))
    split = [tuple(t.word for t in tokens(s.replace(NUMBER, " 000 "))) for s in spelled]
    return [tuple(NUMBER if w == "000" else w for w in s) for s in split]


def _firsts(slots: tuple[Slot, ...]) -> set[str]:
    """The words with which a pattern can begin; never an optional word without meaning."""
    firsts: set[str] = set()
    for slot in slots:
        firsts.update(first for first in slot.alternatives if not (slot.optional and first in _GLUE))
        if not slot.optional:
            break
    return firsts


@lru_cache
def toml(path: Path) -> dict[str, Any]:
    """A data file of this package, read once.

    Raises:
        MissingDataError: when it is not there.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise MissingDataError(f"the vocabulary {path.name} is missing", remedy="Install the package again.") from None
