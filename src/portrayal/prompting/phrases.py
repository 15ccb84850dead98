"""From words to phrases that mean something: garments with their colours, backdrops, negations, the unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from portrayal.prompting.clause import MADE_OF, MODIFIERS, NOUNS, REACH, Lexeme, Phrase, lexemes
from portrayal.prompting.person import Person, garment_of
from portrayal.prompting.text import Token
from portrayal.prompting.vocabulary import Sense, Vocabulary

__all__ = ["Phrase", "PhraseFinder", "find_phrases"]

_EITHER = frozenset(["or", "nor", "oder", "ou", "o", "u", "ni", "ne", "noch", "nem"])
# Between what is negated behind: "टोपी या चश्मे के बिना".
_JOINING = frozenset(("와", "또는", "및", "या", "और", "व", "तथा", "と", "や"))
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


class PhraseFinder(Person):
    """One pass over the lexemes of a prompt."""

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

    # Backdrops.

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
        elif self._lexemes[at].word in (*MADE_OF, "is"):
            begin = at + 1
        elif self._head_last:
            return at
        said, end = self._modifiers(begin, ())
        modifiers |= said
        return end if "colour" in said else at

    # Everything else.

    def _known(self, at: int) -> int | None:
        """A lexeme with a meaning of its own."""
        lexeme = self._lexemes[at]
        senses = [s for s in lexeme.content if s.kind not in (*MODIFIERS, "wall", "backdrop")]
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
            if end in self._taken or "hold" in lexeme.groups or self._dresses(end):
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
            said = {s.kind: s.id for x in self._lexemes[at:end] if (s := x.sense(*MODIFIERS))}
            self._emit(at, end, Sense("garment", ""), garment=garment_of(text, "", said))
        self._emit(at, end, Sense("other", text))
        return end

    def _dresses(self, at: int) -> bool:
        """Whether modifiers of a garment begin here: of "a frilly red dress" the dress is red all the same."""
        if not self._lexemes[at].sense(*MODIFIERS):
            return False
        noun = self._at(self._modifiers(at, ())[1])
        return noun is not None and noun.sense(*NOUNS) is not None

    def _tints(self, at: int) -> bool:
        """Whether colour words before this place belong to a person, a light, a sky or a manner, not to a thing."""
        for i in range(at, min(at + REACH, len(self._lexemes))):
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
                before = not (self._verb_final and governor in ("wear", "verb"))
                self._governor = governor if before else ""
                self._wearing = before and governor == "wear"
                self._carried = self._negated_kind = ""
                return

    def _negate_last(self, lexeme: Lexeme) -> None:
        """Japanese negates behind: what stands directly before is not wanted, nor what is joined to it."""
        end, kind = lexeme.first, ""
        for i in reversed(range(len(self._found))):
            phrase = self._found[i]
            joined = phrase.last + 1 == end and phrase.kind == kind and self._tokens[phrase.last].word in _JOINING
            if phrase.last != lexeme.first and not joined:
                if phrase.first == end:
                    continue  # another meaning of the same words
                return
            self._found[i] = replace(phrase, negative=True)
            end, kind = phrase.first, phrase.kind


def find_phrases(
    text: str, tokens: Sequence[Token], vocabularies: Sequence[Vocabulary], has_lettering: bool
) -> list[Phrase]:
    """The phrases of an evened text in its order."""
    return PhraseFinder(text, tokens, vocabularies, has_lettering).find()
