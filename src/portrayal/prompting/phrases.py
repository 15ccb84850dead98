"""From words to phrases that mean something: garments with their colours, backdrops, negations, the unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from portrayal.prompting.plan import Garment, HairWords
from portrayal.prompting.text import Token, is_cjk
from portrayal.prompting.vocabulary import Sense, Vocabulary, as_number

_MODIFIERS = ("colour", "pattern", "fabric", "cut")
_NOUNS = ("garment", "accessory", "lower")
# Meanings that only count beside others: shades beside hair, a cup beside "holding".
_ASIDE = ("hair", "shade", "length", "fall", "held", "seat")
_MADE_OF = ("of", "in", "en", "di", "de", "aus", "with", "mit", "con", "avec", "com", "a")
_REACH = 8  # words that may stand before a garment's or backdrop's noun
_EITHER = frozenset(["or", "nor", "oder", "ou", "o", "u", "ni", "ne", "noch", "nem"])
# "A black woman" is no clothing and no colour of the picture.
_PEOPLE = frozenset(
    (
        "woman",
        "man",
        "person",
        "girl",
        "boy",
        "lady",
        "guy",
        "male",
        "female",
        "people",
        "women",
        "men",
        "child",
    )
)


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
        content = tuple(s for s in match.senses if s.kind != "grammar" and s.kind not in _ASIDE)
        aside = tuple(s for s in match.senses if s.kind in _ASIDE)
        found.append(Lexeme(at, last, text[at].after_stop, text[at].word, content, groups, match.number, aside))
        at = last
    return found


class PhraseFinder:
    """One pass over the lexemes of a prompt.

    The finder remembers, within a clause, what governs the next words: a negation, a word of wearing, a
    preposition, a comparison.
    """

    def __init__(self, text: str, tokens: Sequence[Token], vocabularies: Sequence[Vocabulary], has_lettering: bool):
        self._text = text
        self._tokens = tokens
        self._vocabularies = vocabularies
        self._has_lettering = has_lettering
        self._lexemes = lexemes(tokens, vocabularies)
        self._head_last = vocabularies[0].language in ("en", "de", "ja")
        self._found: list[Phrase] = []
        self._taken: set[int] = set()  # lexemes that a verb before them has used
        self._spare: list[int] = []  # lexemes of colours that one garment has too many
        self._new_clause()

    def find(self) -> list[Phrase]:
        """All phrases in the order of the prompt."""
        at = 0
        while at < len(self._lexemes):
            lexeme = self._lexemes[at]
            if lexeme.after_stop:
                self._new_clause()
            after = self._hair(at) or self._garment(at) or self._backdrop(at) or self._done_with(at) or self._unlike(at)
            if after is None:
                self._words_of_grammar(lexeme)
                after = self._known(at) or self._unknown(at) or at + 1
            at = after
        return self._found

    def _new_clause(self) -> None:
        self._negated = False
        self._negated_kind = ""  # kind of the last phrase if it was negated
        self._carried = ""  # the same after "and": "no hat and glasses"
        self._wearing = False
        self._simile = False
        self._governor = ""

    # Garments and backdrops: modifiers, then a noun, then perhaps "of red silk".

    def _garment(self, at: int) -> int | None:
        first = self._lexemes[at]
        if not (first.sense(*_MODIFIERS, *_NOUNS, "without") or "fit" in first.groups or _two_tone(first)):
            return None
        without = first.sense("without")
        if without:
            self._negated = True
            self._emit(at, at + 1, Sense("accessory", without.id), garment=Garment(text=first.word, item=without.id))
            return at + 1
        modifiers, end = self._modifiers(at, ())
        noun = first if end == at else self._at(end)
        sense = noun.sense(*_NOUNS) if noun else None
        if noun is None or sense is None:
            return self._bare_colour(at, modifiers, end)
        last, spare = end + 1, self._spare
        self._of_itself(noun, modifiers)
        last = self._behind(last, modifiers)
        if sense.weak and not sense.reported:
            if self._simile and not self._wearing:
                return last
            # "a black chef" is a person
            modifiers = {k: v for k, v in modifiers.items() if v not in ("black", "white", "brown")}
        text = self._slice(first.first, self._lexemes[last - 1].last)
        garment = _garment(text, sense.id, modifiers)
        self._emit(at, last, sense._replace(kind="garment") if sense.kind == "lower" else sense, garment=garment)
        for other in noun.content:
            if other.kind not in (*_NOUNS, *_MODIFIERS):
                self._emit(end, end + 1, other)
        for i in spare:
            self._emit(i, i + 1, Sense("other", f"also: {self._slice(self._lexemes[i].first, self._lexemes[i].last)}"))
        return last

    def _bare_colour(self, at: int, modifiers: dict[str, str], end: int) -> int | None:
        """ "Dressed in white", "wearing red and black plaid" is a garment without a name."""
        said = modifiers.keys() & {"colour", "pattern", "fabric"}
        if not self._wearing or not said or (self._at(end) and self._is_word(end)):
            return None
        text = self._slice(self._lexemes[at].first, self._lexemes[end - 1].last)
        self._emit(at, end, Sense("garment", ""), garment=_garment(text, "", modifiers))
        return end

    def _modifiers(self, at: int, groups: tuple[str, ...]) -> tuple[dict[str, str], int]:
        """Colour, pattern, fabric and cut from here on, and the index after them."""
        said: dict[str, str] = {}
        end = at
        joined = False
        self._spare = []
        while end < min(at + _REACH, len(self._lexemes)) and (end == at or not self._stop(end)):
            lexeme = self._lexemes[end]
            modifier = lexeme.sense(*_MODIFIERS)
            after = self._at(end + 1)
            if lexeme.sense("cut") and lexeme.sense(*_NOUNS) and after and after.sense(*_NOUNS):
                modifier = lexeme.sense("cut")  # "V-neck" alone is a T-shirt, but not before "dress"
            elif lexeme.sense(*_NOUNS, "backdrop"):
                break
            if _two_tone(lexeme) and "colour" not in said and not groups:
                said |= {"colour": "black", "second": "white"}
            elif modifier:
                if not _say(said, modifier, joined or "pattern" in said):
                    self._spare.append(end)
            elif "join" in lexeme.groups and end > at:
                before, after = self._lexemes[end - 1], self._at(end + 1)
                if not (before.sense("colour") and after and after.sense("colour")):
                    break
            elif (
                "fit" not in lexeme.groups
                and not lexeme.groups.intersection(groups)
                and not (said and ("noise" in lexeme.groups or lexeme.word == "の"))
            ):
                break
            joined = "join" in lexeme.groups
            end += 1
        return said, end

    def _of_itself(self, noun: Lexeme, modifiers: dict[str, str]) -> None:
        """What the noun itself says: a leather jacket is of leather, a V-neck sweater has that neck."""
        whole = self._tokens[noun.first : noun.last]
        for size in (1, 2):
            for i in range(len(whole) - size + 1):
                piece = [whole[i]._replace(after_stop=True), *whole[i + 1 : i + size]]
                for vocabulary in self._vocabularies:
                    match = vocabulary.longest(piece, 0)
                    for sense in match.senses if match.end == size else ():
                        if sense.kind in _MODIFIERS:
                            modifiers.setdefault(sense.kind, sense.id)

    def _behind(self, at: int, modifiers: dict[str, str]) -> int:
        """Modifiers behind the noun: "a dress of red silk", "with white dots", "veste en cuir rouge"."""
        while at < len(self._lexemes) and not self._stop(at):
            lexeme = self._lexemes[at]
            begin = at
            if lexeme.word in _MADE_OF and lexeme.last - lexeme.first == 1:
                begin = at + 1
            elif self._head_last:
                return at
            said, end = self._modifiers(begin, ())
            if not said or (begin > at and self._stop(begin)):
                return at
            look = self._lexemes[begin].sense("look")
            if look and not (begin == at and "pattern" in modifiers):
                return at
            follows = self._at(end)
            if follows and self._head_last and (self._is_word(end) or follows.sense(*_NOUNS, "backdrop")):
                return at
            if "pattern" in said and "colour" in said and ("with" in lexeme.groups or "colour" in modifiers):
                modifiers.setdefault("second", said.pop("colour"))  # "with white dots"
            for kind, value in said.items():
                if kind == "colour" and "pattern" in modifiers and modifiers.get("colour", value) != value:
                    kind = "second"
                modifiers.setdefault(kind, value)
            at = end
        return at

    def _backdrop(self, at: int) -> int | None:
        """A plain or coloured background is a studio's; any other background is left to the setting."""
        first = self._lexemes[at]
        if not first.sense("colour", "backdrop", "wall", "setting") and not first.groups & {"bare", "tint"}:
            return None
        modifiers, end = self._modifiers(at, ("bare", "tint"))
        bare = any("bare" in x.groups for x in self._lexemes[at:end])
        studio = False
        noun: Lexeme | None = None
        while end < len(self._lexemes) and (end == at or not self._stop(end)):
            lexeme = self._lexemes[end]
            setting = lexeme.sense("setting")
            if lexeme.sense("backdrop") or (lexeme.sense("wall") and "colour" in modifiers):
                noun = lexeme
                end += 1
                break
            if studio or setting is None or setting.id != "studio" or setting.weak:
                break
            studio = True
            end += 1
        on_colour = at > 0 and self._lexemes[at - 1].word in ("on", "against") and self._at(end) is None
        if noun is None and not ("colour" in modifiers and (studio or (on_colour and not self._stop(at)))):
            return None
        if noun is not None:
            end = self._colour_behind(end, modifiers)
        own = noun.sense("backdrop") if noun else None
        colour = modifiers.get("colour") or (own.id if own else "")
        if colour or bare or studio:
            self._emit(at, end, Sense("setting", "studio"))
        if colour:
            self._emit(at, end, Sense("backdrop", colour))
        return end

    def _colour_behind(self, at: int, modifiers: dict[str, str]) -> int:
        """ "background: blue", "background in blue", "fondo azul"."""
        if "colour" in modifiers or at >= len(self._lexemes):
            return at
        begin = at
        if self._stop(at):
            if self._text[self._tokens[self._lexemes[at].first - 1].end :].lstrip()[:1] != ":":
                return at
        elif self._lexemes[at].word in (*_MADE_OF, "is"):
            begin = at + 1
        elif self._head_last:
            return at
        said, end = self._modifiers(begin, ())
        modifiers |= said
        return end if "colour" in said else at

    # Hair, and what hands hold.

    def _hair(self, at: int) -> int | None:
        """Colour and length of the hair: "long red hair", "hair dyed blue", "cheveux longs et roux", "a redhead"."""
        first = self._lexemes[at]
        if not first.aside and not first.sense("colour"):
            return None
        said: dict[str, str] = {}
        falls: list[int] = []
        end, noun, dyed = at, first.beside("hair"), False
        while noun is None and end + 1 < at + _REACH and self._hair_word(end, said, falls) and self._at(end + 1):
            dyed = dyed or "dyed" in self._lexemes[end].groups
            end += 1
            noun = self._lexemes[end].beside("hair")
        if noun is None:
            if not any(s.kind in ("shade", "length") and not s.weak for s in first.aside):
                return None
            said, falls, end = {}, [], at
        self._of_hair(self._lexemes[end], said)
        if noun and noun.id:
            falls.append(end)
        end, dyed_behind = self._hair_behind(end + 1, said, falls)
        if said or not falls:
            colour = said.get("shade") or said.get("colour")
            if colour == "red" and (dyed or dyed_behind):
                colour = "scarlet"  # red hair is ginger, dyed hair may be red
            words = HairWords(colour=colour, length=said.get("length"))
            value = " ".join(w for w in (words.length, words.colour) if w) or "own"
            self._emit(at, end, Sense("hair", value), hair=words)
        if falls:
            text = " ".join(self._slice(self._lexemes[i].first, self._lexemes[i].last) for i in falls)
            self._emit(falls[0], falls[-1] + 1, Sense("other", text if noun and noun.id else f"{text} hair"))
        return end

    def _hair_behind(self, at: int, said: dict[str, str], falls: list[int]) -> tuple[int, bool]:
        """What is said of hair after its noun: the index after it, and whether the hair is dyed."""
        end, dyed = at, False
        while True:
            then, said_of = end, False
            while self._at(then) and self._lexemes[then].groups & {"dyed", "join", "is"}:
                said_of = said_of or bool(self._lexemes[then].groups & {"dyed", "is"})
                dyed = dyed or "dyed" in self._lexemes[then].groups
                then += 1
            if self._at(then) is None or (self._head_last and not said_of):
                return end, dyed
            if not self._hair_word(then, said, falls, strict=True):
                return end, dyed
            end = then + 1

    def _hair_word(self, at: int, said: dict[str, str], falls: list[int], strict: bool = False) -> bool:
        """Take a word that may stand beside hair; other words without meaning only before it."""
        lexeme = self._lexemes[at]
        if lexeme.sense(*_NOUNS):
            return False
        if lexeme.beside("fall"):
            falls.append(at)
            return True
        return self._of_hair(lexeme, said) or (
            not strict and (bool(lexeme.groups & {"dyed", "noise", "join"}) or lexeme.word == "の")
        )

    def _of_hair(self, lexeme: Lexeme, said: dict[str, str]) -> bool:
        """Take the shade, colour or length that a word says of hair; False when it says none."""
        senses = [s for s in (lexeme.beside("shade"), lexeme.beside("length"), lexeme.sense("colour")) if s]
        for sense in senses:
            said.setdefault(sense.kind, sense.id)
        return bool(senses)

    def _done_with(self, at: int) -> int | None:
        """ "Holding a large wooden sign", "sitting on an old bench": a verb, and what belongs to it in its clause."""
        if at in self._taken:
            return at + 1
        lexeme = self._lexemes[at]
        kind = "held" if "hold" in lexeme.groups else "seat" if lexeme.sense("seated") else ""
        if not kind:
            return None
        self._wearing = False
        alone = True  # nothing with a meaning of its own stands between
        for i in range(at + 1, min(at + _REACH, len(self._lexemes))):
            after = self._lexemes[i]
            if self._stop(i) or after.groups & {"negation", "wear", "hold"}:
                break
            sense = after.beside(kind)
            if sense:
                self._emit(at, i + 1 if alone else at + 1, Sense("pose", sense.id))
                if sense.reported:
                    self._emit(i, i + 1, Sense("other", self._slice(after.first, after.last)))
                self._taken.add(i)
                return i + 1 if alone else at + 1
            alone = alone and all(s.kind in _MODIFIERS for s in after.content)
            if kind == "held" and (not alone or after.groups & {"place", "with", "object"}):
                break
        return self._held_before(at, kind) or self._held_lettering(at, kind)

    def _held_before(self, at: int, kind: str) -> int | None:
        """ "ein Schild haltend", "看板を持って": the thing stands before the verb, and was noted as unknown."""
        if self._vocabularies[0].language not in ("de", "ja"):
            return None
        for i in range(at - 1, max(at - _REACH, -1), -1):
            thing = self._lexemes[i]
            sense = thing.beside(kind)
            if sense:
                while not sense.reported and self._found and self._found[-1].last > thing.first:
                    if self._found[-1].kind != "other":
                        break
                    self._found.pop()
                self._emit(at, at + 1, Sense("pose", sense.id))
                return at + 1
            if self._stop(i + 1) or thing.after_stop:
                break
        return None

    def _held_lettering(self, at: int, kind: str) -> int | None:
        """ "Holding "HELLO"": what carries words is a sign."""
        if kind != "held" or not self._has_lettering:
            return None
        end = at + 1
        while end < min(at + 2 * _REACH, len(self._lexemes)) and not self._stop(end):
            end += 1
        behind = self._tokens[self._lexemes[end - 1].last - 1].end
        until = self._tokens[self._lexemes[end].first].start if end < len(self._lexemes) else len(self._text)
        if "|" not in self._text[behind:until]:
            return None
        self._emit(at, end, Sense("pose", "holding a sign"))
        return end

    # Everything else.

    def _known(self, at: int) -> int | None:
        """A lexeme with a meaning of its own."""
        lexeme = self._lexemes[at]
        senses = [s for s in lexeme.content if s.kind not in (*_MODIFIERS, "wall", "backdrop")]
        if not senses:
            return None
        after = self._at(at + 1)
        if self._simile:  # "like a queen" is said of the manner, not of the clothes
            senses = [s for s in senses if not s.weak]
        for sense in senses:
            place = sense.kind == "setting" and not sense.reported and self._head_last
            if place and after and (head := after.sense("setting")) and not (head.weak and not sense.weak):
                continue  # "beach restaurant": the last noun is the place
            self._emit(at, at + 1, sense, number=lexeme.number)
            if sense.kind in ("setting", "time"):
                self._inside(at, sense)
        self._wearing = "wear" in lexeme.groups
        return at + 1

    def _inside(self, at: int, whole_sense: Sense) -> None:
        """A misty forest is a setting and a weather; snowy mountains need no falling snow."""
        lexeme = self._lexemes[at]
        whole = self._tokens[lexeme.first : lexeme.last]
        done: set[Sense] = set()
        for piece in (whole[:-1], whole[1:]):
            for inner in lexemes(piece, self._vocabularies):
                for sense in inner.content:
                    if sense.kind == "weather" and sense.id in whole_sense.id.split():
                        continue
                    more = (
                        ("weather", "season") if whole_sense.kind == "time" else ("time", "weather", "light", "season")
                    )
                    if sense.kind in more and sense not in done:
                        done.add(sense)
                        self._emit(at, at + 1, sense, number=inner.number)

    def _unlike(self, at: int) -> int | None:
        """Known words in a phrase that means something else: a burning city, a kitchen knife."""
        lexeme = self._lexemes[at]
        end = at
        if "spoiler" in lexeme.groups:
            end = at + 1
            while end < len(self._lexemes) and not self._stop(end) and "noise" in self._lexemes[end].groups:
                end += 1
            if end >= len(self._lexemes) or self._stop(end) or not self._lexemes[end].sense("setting"):
                return self._unknown(at) if not lexeme.content else None
            end += 1
        elif "object" in lexeme.groups:
            end = at + 1
        elif (sense := lexeme.sense("setting", "weather")) and not sense.reported:
            after = self._at(at + 1)
            compound = after is not None and self._is_word(at + 1)
            compound = compound and after is not None and not after.word.endswith(("ing", "ed"))
            governed = self._governor in ("with", "verb", "wear")
            if not compound or not self._head_last or not governed:
                return None
            end = at + 1
        else:
            return None
        return self._rest_of_unknown(at, end)

    def _unknown(self, at: int) -> int | None:
        return self._rest_of_unknown(at, at + 1) if self._is_word(at) else None

    def _rest_of_unknown(self, at: int, end: int) -> int:
        """Take the noun phrase that goes on at `end`, "bouquet of roses" whole, and note it."""
        while end < len(self._lexemes) and not self._stop(end):
            lexeme = self._lexemes[end]
            after = self._at(end + 1)
            if end in self._taken or "hold" in lexeme.groups:
                break
            if self._is_word(end) or "object" in lexeme.groups:
                end += 1
            elif "of" in lexeme.groups and after and (self._is_word(end + 1) or "object" in after.groups):
                end += 2
            else:
                break
        first, last = self._lexemes[at], self._lexemes[end - 1]
        text = self._slice(first.first, last.last)
        if self._simile and not self._wearing:  # "like a dragon queen" shows no dragon
            return end
        if all(x.sense("colour") for x in self._lexemes[at:end]) and self._tints(end):
            return end
        if self._wearing and not self._negated:
            said = {s.kind: s.id for x in self._lexemes[at:end] if (s := x.sense(*_MODIFIERS))}
            self._emit(at, end, Sense("garment", ""), garment=_garment(text, "", said))
        self._emit(at, end, Sense("other", text))
        return end

    def _tints(self, at: int) -> bool:
        """Whether colour words before this place belong to a person, a light, a sky or a manner, not to a thing."""
        for i in range(at, min(at + _REACH, len(self._lexemes))):
            lexeme = self._lexemes[i]
            if self._stop(i):
                return False
            if lexeme.word in _PEOPLE or lexeme.sense("light", "look", "time", "weather"):
                return True
            if not lexeme.sense("colour") and "join" not in lexeme.groups:
                return "noise" in lexeme.groups and not lexeme.sense("backdrop")
        return False

    def _words_of_grammar(self, lexeme: Lexeme) -> None:
        """What function words do to the words after them in the clause."""
        groups = lexeme.groups
        if "negation" in groups:
            self._negated = True
        if "negation after" in groups:
            self._negate_last(lexeme)
        if "join" in groups:
            self._carried = self._negated_kind
            self._negated = self._negated or (bool(self._carried) and lexeme.word in _EITHER)
        if "like" in groups:
            self._simile = True
        for governor in ("wear", "verb", "with", "place"):
            if governor in groups:
                self._governor = governor
                self._wearing = governor == "wear"
                self._carried = self._negated_kind = ""
                return

    def _negate_last(self, lexeme: Lexeme) -> None:
        """Japanese negates behind: what stands directly before is not wanted."""
        for i in reversed(range(len(self._found))):
            if self._found[i].last != lexeme.first:
                return
            self._found[i] = replace(self._found[i], negative=True)

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
        kind = "worn" if sense.kind in _NOUNS else sense.kind
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
            return not lexeme.groups and all(s.kind in (*_MODIFIERS, "wall") for s in lexeme.content)
        if "verb" in lexeme.groups and lexeme.groups <= {"verb", "hold"}:
            return not self._has_object(at)
        if lexeme.groups == {"lettering"}:
            return not self._has_lettering
        if lexeme.groups - {"spoiler", "fit"}:
            return False
        word = lexeme.word
        if is_cjk(word):
            return not "\u3041" <= word <= "\u309f" and word != "ー"
        return len(word) > 1 and word[0].isalpha() and as_number(word) is None

    def _has_object(self, at: int) -> bool:
        """Whether a verb has something after it: then the thing is worth a report, not the verb."""
        for i in range(at + 1, min(at + _REACH, len(self._lexemes))):
            lexeme = self._lexemes[i]
            if self._stop(i) or "place" in lexeme.groups:
                return False
            if lexeme.content or not lexeme.groups or "object" in lexeme.groups:
                return True
        return False


def _garment(text: str, item: str, said: dict[str, str]) -> Garment:
    return Garment.model_validate({**said, "text": text, "item": item or None})


def _two_tone(lexeme: Lexeme) -> bool:
    """ "Black and white" before a striped shirt is no look of the picture but two colours."""
    look = lexeme.sense("look")
    return look is not None and look.id == "black and white" and lexeme.last - lexeme.first > 1


def _say(said: dict[str, str], modifier: Sense, second: bool) -> bool:
    """Add what a modifier says; another colour is the second one where two are joined or a pattern has them.

    False for a colour too many.
    """
    if modifier.kind == "colour" and said.get("colour", modifier.id) != modifier.id:
        if second:
            said.setdefault("second", modifier.id)
        return said.get("second") == modifier.id
    said.setdefault(modifier.kind, modifier.id)
    return True


def find_phrases(
    text: str, tokens: Sequence[Token], vocabularies: Sequence[Vocabulary], has_lettering: bool
) -> list[Phrase]:
    """The phrases of an evened text in its order."""
    return PhraseFinder(text, tokens, vocabularies, has_lettering).find()
