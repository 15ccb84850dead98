"""The words of a prompt on their way to phrases: lexemes, what governs them within a clause, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portrayal.prompting.plan import Garment, HairWords
from portrayal.prompting.text import Token, is_cjk
from portrayal.prompting.vocabulary import Sense, Vocabulary, as_number, rules

MODIFIERS = ("colour", "pattern", "fabric", "cut")
NOUNS = ("garment", "accessory", "lower")
# Meanings that only count beside others: shades beside hair, a cup beside "holding".
_ASIDE = ("hair", "shade", "length", "fall", "held", "seat")
MADE_OF = (
    *("of", "in", "en", "di", "de", "aus", "with", "mit", "con", "avec", "com", "a", "van", "z", "ze", "w", "из", "в"),
    *("من", "ب"),
)
REACH = 8  # words that may stand before a garment's or backdrop's noun


@dataclass(slots=True)
class Lexeme:
    """The longest known phrase at a place of the prompt, or one unknown word.

    Attributes:
        first, last: token indices, `last` exclusive.
        content: meanings that belong into a picture.
        aside: meanings that only count beside other words.
        groups: what part the words play in a sentence ("place", "wear", "negation", "noise", ...).
    """

    first: int
    last: int
    after_stop: bool
    word: str
    content: tuple[Sense, ...]
    groups: frozenset[str]
    number: float | None = None
    aside: tuple[Sense, ...] = ()

    def sense(self, *kinds: str) -> Sense | None:
        """Its first meaning of one of these kinds."""
        return next((s for s in self.content if s.kind in kinds), None)

    def beside(self, kind: str) -> Sense | None:
        """Its meaning of a kind that only counts beside other words."""
        return next((s for s in self.aside if s.kind == kind), None)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of the prompt and what it was taken for; kind "other" was not understood."""

    first: int
    last: int
    kind: str
    id: str
    weak: bool = False
    reported: bool = False
    number: float | None = None
    garment: Garment | None = None
    negative: bool = False
    hair: HairWords | None = None


def lexemes(text: Sequence[Token], vocabularies: Sequence[Vocabulary]) -> list[Lexeme]:
    """The text cut into known phrases, longest first; the first vocabulary wins a tie."""
    found: list[Lexeme] = []
    at = 0
    while at < len(text):
        match = vocabularies[0].longest(text, at)
        for other in vocabularies[1:] if not is_cjk(text[at].word) else ():
            match = max(match, other.longest(text, at), key=lambda m: m.end)
        last = max(match.end, at + 1)
        groups = frozenset(s.id for s in match.senses if s.kind == "grammar")
        if "shape" in groups:
            groups |= {"fit"}
        content = tuple(s for s in match.senses if s.kind != "grammar" and s.kind not in _ASIDE)
        aside = tuple(s for s in match.senses if s.kind in _ASIDE)
        found.append(Lexeme(at, last, text[at].after_stop, text[at].word, content, groups, match.number, aside))
        at = last
    return found


class Clause:
    """The state of one pass over the lexemes of a prompt.

    It remembers, within a clause, what governs the next words: a negation, a word of wearing, a preposition, a
    comparison.
    """

    def __init__(self, text: str, tokens: Sequence[Token], vocabularies: Sequence[Vocabulary], has_lettering: bool):
        self._text = text
        self._tokens = tokens
        self._vocabularies = vocabularies
        self._has_lettering = has_lettering
        self._lexemes = lexemes(tokens, vocabularies)
        language, order = vocabularies[0].language, rules()["order"]
        self._head_last = language in order["head_last"]
        self._before = self._head_last or language in order["adjective_first"]
        self._verb_last = language in order["verb_last"]
        self._verb_final = language in order["verb_final"]
        self._found: list[Phrase] = []
        self._taken: set[int] = set()  # lexemes that a verb before them has used
        self._spare: list[int] = []  # lexemes of colours that one garment has too many
        self._new_clause()

    def _new_clause(self) -> None:
        self._negated = False
        self._negated_kind = ""  # kind of the last phrase if it was negated
        self._carried = ""  # the same after "and": "no hat and glasses"
        self._wearing = False
        self._simile = False
        self._governor = ""

    def _emit(
        self,
        at: int,
        end: int,
        sense: Sense,
        *,
        number: float | None = None,
        garment: Garment | None = None,
        hair: HairWords | None = None,
    ) -> None:
        first, last = self._lexemes[at].first, self._lexemes[end - 1].last
        kind = "worn" if sense.kind in NOUNS else sense.kind
        previous = self._found[-1] if self._found else None
        if previous and previous.first == first:  # another meaning of the same words
            negative = previous.negative
        else:
            negative = self._negated or (bool(self._carried) and self._carried == kind)
        self._negated = False
        self._carried = ""
        self._negated_kind = kind if negative else ""
        self._found.append(
            Phrase(first, last, sense.kind, sense.id, sense.weak, sense.reported, number, garment, negative, hair)
        )

    # Small questions.

    def _stop(self, at: int) -> bool:
        return self._lexemes[at].after_stop

    def _at(self, at: int) -> Lexeme | None:
        """The lexeme at an index if it goes on with the clause."""
        return self._lexemes[at] if at < len(self._lexemes) and not self._stop(at) else None

    def _slice(self, first: int, last: int) -> str:
        return " ".join(self._text[self._tokens[first].start : self._tokens[last - 1].end].split())

    def _is_word(self, at: int) -> bool:
        """Whether a lexeme is a content word without a meaning, or one that lacks its noun."""
        lexeme = self._lexemes[at]
        if lexeme.content:
            return not lexeme.groups and all(s.kind in (*MODIFIERS, "wall") for s in lexeme.content)
        if "verb" in lexeme.groups and lexeme.groups <= {"verb", "hold"}:
            return not self._has_object(at)
        if lexeme.groups == {"lettering"}:
            return not self._has_lettering
        if lexeme.groups - {"spoiler", "fit", "shape"}:
            return False
        word = lexeme.word
        if is_cjk(word):
            return not "\u3041" <= word <= "\u309f" and word != "ー"
        return len(word) > 1 and word[0].isalpha() and as_number(word) is None

    def _has_object(self, at: int) -> bool:
        """Whether a verb has something after it: then the thing is worth a report, not the verb."""
        for i in range(at + 1, min(at + REACH, len(self._lexemes))):
            lexeme = self._lexemes[i]
            if self._stop(i) or "place" in lexeme.groups:
                return False
            if lexeme.content or not lexeme.groups or "object" in lexeme.groups:
                return True
        return False
