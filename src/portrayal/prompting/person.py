"""What people wear, how their hair is, what they hold and sit on: "a navy suit and long red hair"."""

from __future__ import annotations

from portrayal.prompting.clause import MADE_OF, MODIFIERS, NOUNS, REACH, Clause, Lexeme
from portrayal.prompting.plan import Garment, HairWords
from portrayal.prompting.vocabulary import Sense, rules


class Person(Clause):
    """The part of the pass that reads what belongs to a person."""

    # Garments: modifiers, then a noun, then perhaps "of red silk".

    def _garment(self, at: int) -> int | None:
        first = self._lexemes[at]
        if not (first.sense(*MODIFIERS, *NOUNS, "without") or "fit" in first.groups or _two_tone(first)):
            return None
        without = first.sense("without")
        if without:
            self._negated = True
            self._emit(at, at + 1, Sense("accessory", without.id), garment=Garment(text=first.word, item=without.id))
            return at + 1
        modifiers, end = self._modifiers(at, ())
        noun = first if end == at else self._at(end)
        sense = noun.sense(*NOUNS) if noun else None
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
        garment = garment_of(text, sense.id, modifiers)
        self._emit(at, last, sense._replace(kind="garment") if sense.kind == "lower" else sense, garment=garment)
        for other in noun.content:
            if other.kind not in (*NOUNS, *MODIFIERS):
                self._emit(end, end + 1, other)
        if not sense.reported:
            self._shapes(at, last, sense.id)
        for i in spare:
            self._emit(i, i + 1, Sense("other", f"also: {self._slice(self._lexemes[i].first, self._lexemes[i].last)}"))
        return last

    def _bare_colour(self, at: int, modifiers: dict[str, str], end: int) -> int | None:
        """ "Dressed in white", "wearing red and black plaid" is a garment without a name."""
        said = modifiers.keys() & {"colour", "pattern", "fabric"}
        if not self._wearing or not said or (self._at(end) and self._is_word(end)):
            return None
        text = self._slice(self._lexemes[at].first, self._lexemes[end - 1].last)
        self._emit(at, end, Sense("garment", ""), garment=garment_of(text, "", modifiers))
        return end

    def _modifiers(self, at: int, groups: tuple[str, ...]) -> tuple[dict[str, str], int]:
        """Colour, pattern, fabric and cut from here on, and the index after them."""
        said: dict[str, str] = {}
        end = at
        joined = False
        self._spare = []
        while end < min(at + REACH, len(self._lexemes)) and (end == at or not self._stop(end)):
            lexeme = self._lexemes[end]
            modifier = lexeme.sense(*MODIFIERS)
            after = self._at(end + 1)
            if lexeme.sense("cut") and lexeme.sense(*NOUNS) and after and after.sense(*NOUNS):
                modifier = lexeme.sense("cut")  # "V-neck" alone is a T-shirt, but not before "dress"
            elif lexeme.sense(*NOUNS, "backdrop"):
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
                        if sense.kind in MODIFIERS:
                            modifiers.setdefault(sense.kind, sense.id)

    def _shapes(self, at: int, last: int, item: str) -> None:
        """Report what words ask of a garment's shape and is not drawn: "oversized", "ripped", "double-breasted"."""
        if self._found[-1].negative:
            return
        drawn = rules()["as_drawn"].get(item, ())
        for i in range(at, last):
            first, end = self._lexemes[i].first, self._lexemes[i].last
            while first < end:
                size = next((n for n in (3, 2, 1) if first + n <= end and self._is_shape(first, first + n)), 0)
                words = " ".join(token.word for token in self._tokens[first : first + size])
                if size and words not in drawn:
                    self._emit(i, i + 1, Sense("other", self._slice(first, first + size)))
                first += size or 1

    def _is_shape(self, first: int, last: int) -> bool:
        piece = [token._replace(after_stop=False) for token in self._tokens[first:last]]
        matches = (vocabulary.longest(piece, 0) for vocabulary in self._vocabularies)
        return any(m.end == len(piece) and any(s.id == "shape" for s in m.senses) for m in matches)

    def _behind(self, at: int, modifiers: dict[str, str]) -> int:
        """Modifiers behind the noun: "a dress of red silk", "with white dots", "veste en cuir rouge"."""
        while at < len(self._lexemes) and not self._stop(at):
            lexeme = self._lexemes[at]
            begin = at
            if lexeme.word in MADE_OF and lexeme.last - lexeme.first == 1:
                begin = at + 1
            elif self._head_last:
                return at
            if begin == at:
                begin = self._past_plain(begin)  # "robe longue noire"
            said, end = self._modifiers(begin, ())
            if not said or (begin > at and self._stop(begin)):
                return at
            look = self._lexemes[begin].sense("look")
            if look and not (begin == at and "pattern" in modifiers):
                return at
            follows = self._at(end)
            if follows and self._before and (self._is_word(end) or follows.sense(*NOUNS, "backdrop")):
                return at
            if "pattern" in said and "colour" in said and ("with" in lexeme.groups or "colour" in modifiers):
                modifiers.setdefault("second", said.pop("colour"))  # "with white dots"
            for kind, value in said.items():
                if kind == "colour" and "pattern" in modifiers and modifiers.get("colour", value) != value:
                    kind = "second"
                modifiers.setdefault(kind, value)
            at = end
        return at

    def _past_plain(self, at: int) -> int:
        """The next place behind adjectives that change nothing that is drawn, if something follows there."""
        then = at
        while (lexeme := self._at(then)) and not lexeme.content:
            if not lexeme.groups & {"noise", "fit"} and not lexeme.beside("length"):
                break
            then += 1
        return then if self._at(then) else at

    # Hair, and what hands hold.

    def _hair(self, at: int) -> int | None:
        """Colour and length of the hair: "long red hair", "hair dyed blue", "cheveux longs et roux", "a redhead"."""
        first = self._lexemes[at]
        if not first.aside and not first.sense("colour"):
            return None
        said: dict[str, str] = {}
        falls: list[int] = []
        end, noun, dyed = at, first.beside("hair"), False
        while noun is None and end + 1 < at + REACH and self._hair_word(end, said, falls) and self._at(end + 1):
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
            if self._at(then) is None or (self._head_last and not said_of and not self._dyed_behind(then)):
                return end, dyed
            if not self._hair_word(then, said, falls, strict=True):
                return end, dyed
            end = then + 1

    def _dyed_behind(self, at: int) -> bool:
        """ "머리를 파란색으로 염색한": where verbs stand last, the colour stands between the hair and the dyeing."""
        after = self._at(at + 1)
        return self._verb_last and after is not None and "dyed" in after.groups

    def _hair_word(self, at: int, said: dict[str, str], falls: list[int], strict: bool = False) -> bool:
        """Take a word that may stand beside hair; other words without meaning only before it."""
        lexeme = self._lexemes[at]
        if lexeme.sense(*NOUNS):
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
        for i in range(at + 1, min(at + REACH, len(self._lexemes))):
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
            alone = alone and all(s.kind in MODIFIERS for s in after.content)
            if kind == "held" and (not alone or after.groups & {"place", "with", "object"}):
                break
        return self._held_before(at, kind) or self._held_lettering(at, kind)

    def _held_before(self, at: int, kind: str) -> int | None:
        """ "ein Schild haltend", "看板を持って": the thing stands before the verb, and was noted as unknown."""
        if not self._verb_last:
            return None
        for i in range(at - 1, max(at - REACH, -1), -1):
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
        while end < min(at + 2 * REACH, len(self._lexemes)) and not self._stop(end):
            end += 1
        behind = self._tokens[self._lexemes[end - 1].last - 1].end
        until = self._tokens[self._lexemes[end].first].start if end < len(self._lexemes) else len(self._text)
        if "|" not in self._text[behind:until]:
            return None
        self._emit(at, end, Sense("pose", "holding a sign"))
        return end


def garment_of(text: str, item: str, said: dict[str, str]) -> Garment:
    """A garment of these words, with what was said of it by kind."""
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
