"""Which part of a prompt belongs to whom, when several characters are in one picture.

"@ada on the left laughing, @bob on the right in a navy jacket, in a cafe": place, expression, head, gaze, clothes and
pose belong to a member; setting, time, weather, light, look, framing and camera to all, wherever they are said. A
member's words go from the place where he or she is named, back over what stands before the name in the same clause
("a laughing @ada"), and on to the next name, to "both", or to the end of the sentence. Words without a name belong to
everybody, and give way to what is said of one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from portrayal.character import mentions
from portrayal.character.names import key
from portrayal.prompting import lettering
from portrayal.prompting import text as texts
from portrayal.prompting.clitics import parted
from portrayal.prompting.languages import detect
from portrayal.prompting.phrases import Phrase, find_phrases
from portrayal.prompting.plan import Framing, Gaze, HeadTurn, ScenePlan, Understood
from portrayal.prompting.reader import Scene, parse, vocabularies
from portrayal.prompting.text import Token
from portrayal.prompting.vocabulary import FOLDER, LANGUAGES, rules, toml

Place = Literal["left", "centre", "right"]

_PERSONAL: Final = frozenset(("expression", "head", "gaze", "garment", "accessory", "hair", "pose", "seated"))
_ADDED: Final = ("accessory",)  # what is said of all is worn besides what is said of one
_FRAMINGS: Final[tuple[Framing, ...]] = (
    "close-up", "head and shoulders", "bust", "medium", "three-quarter", "full", "wide",
)  # fmt: skip
_FIRST_SIGN: Final = 0xE000  # private characters stand for the mentioned members: no reader takes them for words
_ORDINALS: Final = ("first", "second", "third", "fourth")
_SOFT: Final = re.compile(r"[,:،؛、()|]|\s-\s|[–—]")
_HARD: Final = re.compile(r"\.(?!\d)|[;!?؟।。\n\r]")
_SIDEWAYS: Final = 0.4  # gaze of somebody who looks at a neighbour


class MemberPlan(BaseModel):
    """What a prompt says of one member of a cast.

    Attributes:
        name: as it was given; "" for a plain picture.
        place: where the prompt puts him or her; None when it does not say.
        order: 0 is leftmost in the picture.
        plan: his or her own words, with all that the cast shares.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    place: Place | None
    order: int
    plan: ScenePlan


class CastPlan(BaseModel):
    """The reading of a prompt for several characters: what they share, and each one's own plan, as names were given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shared: ScenePlan
    members: tuple[MemberPlan, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        """What is not portrayed, of anybody."""
        plans = (self.shared, *(member.plan for member in self.members))
        return tuple(dict.fromkeys(phrase for plan in plans for phrase in plan.unknown))

    @property
    def understood(self) -> tuple[Understood, ...]:
        """What was understood, of anybody."""
        plans = (self.shared, *(member.plan for member in self.members))
        return tuple(dict.fromkeys(phrase for plan in plans for phrase in plan.understood))


def read_cast(prompt: str, names: Sequence[str], negative: str = "") -> CastPlan:
    """What a prompt says of each member of a cast.

    Args:
        prompt: any text in the languages of `read`.
        names: of the members, "" for those that are given as plain pictures; these are called "the first", "the one
            on the left" and so on.
        negative: what shall not be in the picture, of nobody.

    Raises:
        ValueError: no member at all.
    """
    if not names:
        raise ValueError("a cast has members")
    prompt = texts.clean(prompt)
    said = lettering.take(_signed(prompt, names))
    text = texts.even(said.rest)
    plain = _SIGNS.sub(",", text)
    whole = texts.take_lettering(_signed(prompt, names))[0]
    language = detect(texts.tokens(_SIGNS.sub(",", texts.even(whole))))
    known = vocabularies(language)
    finder = _Division(text, len(names), _words(language, len(names)))
    words = parted(texts.tokens(plain), language)
    finder.divide(list(_spans(words, find_phrases(plain, words, known, bool(said.texts)))))
    tokens = parted(texts.tokens(finder.rest()), language)
    phrases = find_phrases(finder.rest(), tokens, known, bool(said.texts))
    owned = [_Owned(finder.quoted(tokens, p), p, finder.owners(tokens[p.first].start)) for p in phrases]
    unwanted = parse(texts.take_lettering(texts.clean(negative))[0], False)

    def plan(chosen: list[_Owned]) -> ScenePlan:
        scene = Scene([(o.quoted, o.phrase) for o in chosen], tokens, language)
        scene.unwanted(*unwanted)
        plan = scene.plan(prompt, said.texts)
        return plan.model_copy(update={"lettering_as": lettering.settled(said, plan.pose, plan.look)})

    everybody = frozenset(range(len(names)))
    shared = plan([o for o in owned if o.phrase.kind not in _PERSONAL or o.owners == everybody])
    order = finder.order()
    plans = [_turned(plan(_of(owned, i)), i, finder, order, names) for i in range(len(names))]
    framing = max((p.framing for p in (shared, *plans) if p.framing), key=_FRAMINGS.index, default=None)
    shared, *plans = (p.model_copy(update={"framing": framing}) for p in (shared, *plans))
    members = [
        MemberPlan(name=name, place=finder.places.get(i), order=order[i], plan=plans[i]) for i, name in enumerate(names)
    ]
    return CastPlan(shared=shared, members=tuple(members))


class _Owned(NamedTuple):
    quoted: str
    phrase: Phrase
    owners: frozenset[int]


class _Event(NamedTuple):
    """Something in the text that says who is meant, or that parts it."""

    start: int
    end: int
    kind: str  # member, place, all, other, one, pronoun, join, soft, hard, toward, mutual, beside, left_of, ..., people
    value: Any = None


_SIGNS: Final = re.compile("[\ue000-\uf8ff]")


def _signed(prompt: str, names: Sequence[str]) -> str:
    """The prompt with a private character for each mention; mentions of others are left to the reader."""
    prompt = _SIGNS.sub(" ", prompt)
    numbers = {key(name): i for i, name in reversed(list(enumerate(names))) if name}
    parts, at = [], 0
    for start, end, name in mentions.find(prompt, [name for name in names if name]):
        number = numbers.get(key(name))
        sign = " , " if number is None else f" {chr(_FIRST_SIGN + number)} "
        parts += [prompt[at:start], sign]
        at = end
    return re.sub(r"[ \t]+", " ", "".join((*parts, prompt[at:])))


def _words(language: str, count: int) -> list[tuple[str, Any, re.Pattern[str]]]:
    """(kind, value, pattern) of all words of a language and of English."""
    table = toml(FOLDER.parent / "cast.toml")
    found: list[tuple[str, Any, re.Pattern[str]]] = []
    for name in dict.fromkeys((language, "en")):
        if name not in LANGUAGES or name not in table:
            continue
        for kind, words in table[name].items():
            if kind == "numbers":
                continue
            pattern = words.replace("(?<=@)", "(?<=[\ue000-\uf8ff])").replace("@", "[\ue000-\uf8ff]")
            if name not in ("ja", "zh", "ko"):  # written without spaces, or with particles behind
                pattern = rf"(?<!\w)(?:{pattern})" + ("" if kind == "toward" else r"(?!\w)")
            value: Any = None
            if kind in _ORDINALS:
                kind, value = "member", _ORDINALS.index(kind)
                if value >= count:
                    continue
            elif kind in ("left", "centre", "right"):
                kind, value = "place", kind
            elif kind == "people":
                wrong = "|".join(n for i, n in enumerate(table[name]["numbers"]) if n and i not in (1, count))
                right = table[name]["numbers"][count] if count > 1 else ""
                value = (wrong, right)
            found.append((kind, value, re.compile(pattern, re.IGNORECASE)))
    return found


def _spans(tokens: Sequence[Token], phrases: Sequence[Phrase]) -> Iterator[tuple[int, int, str]]:
    """(begin, end, kind) of phrases in the text."""
    for phrase in phrases:
        yield tokens[phrase.first].start, tokens[phrase.last - 1].end, phrase.kind


@dataclass
class _Division:
    """A text divided among the members of a cast."""

    text: str
    count: int
    words: list[tuple[str, Any, re.Pattern[str]]]
    places: dict[int, Place] = field(default_factory=dict)
    turns: list[tuple[int, frozenset[int], str]] = field(default_factory=list)  # (who, to whom, the words)

    def __post_init__(self) -> None:
        self._all = frozenset(range(self.count))
        self._starts: list[int] = [0]
        self._owners: list[frozenset[int]] = [self._all]
        self._blank: list[tuple[int, int]] = []
        self._beside: list[tuple[int, int, str]] = []  # (who, of whom, "left" or "right")
        self._first_named: dict[int, int] = {}
        self._last: int | None = None  # who was named last
        self._clause = 0  # where the clause begins
        self._named_at = -1  # where the present owner was named
        self._named_from = 0  # where his or her words begin
        self._after_hard = True
        self._previous: _Event | None = None  # the last member event

    # What comes out.

    def rest(self) -> str:
        """The text without the words that were understood here; every other character keeps its place."""
        letters = list(_SIGNS.sub(",", self.text))
        for start, end in self._blank:
            letters[start:end] = [",", *" " * (end - start - 1)]
        return "".join(letters)

    def owners(self, at: int) -> frozenset[int]:
        """Who is meant at a place of the text."""
        return self._owners[bisect_right(self._starts, at) - 1]

    def quoted(self, tokens: Sequence[Token], phrase: Phrase) -> str:
        """The words of a phrase."""
        return " ".join(self.rest()[tokens[phrase.first].start : tokens[phrase.last - 1].end].split())

    def order(self) -> list[int]:
        """The place of each member from left to right."""
        everyone = sorted(range(self.count), key=lambda i: (self._first_named.get(i, len(self.text)), i))
        free = list(range(self.count))
        out: dict[int, int] = {}
        left = [i for i in everyone if self.places.get(i) == "left"]
        right = [i for i in everyone if self.places.get(i) == "right"]
        for i, slot in [*zip(left, free, strict=False), *zip(reversed(right), reversed(free), strict=False)]:
            if slot in free and i not in out:
                free.remove(slot)
                out[i] = slot
        for i in everyone:
            if self.places.get(i) == "centre" and i not in out:
                out[i] = free.pop(len(free) // 2)
        for i in everyone:
            if i not in out:
                out[i] = free.pop(0)
        line = sorted(out, key=lambda i: out[i])
        for who, whom, side in self._beside:
            line.remove(who)
            line.insert(line.index(whom) + (side == "right"), who)
        return [line.index(i) for i in range(self.count)]

    # The pass over the text.

    def divide(self, phrases: list[tuple[int, int, str]]) -> None:
        """Find who is meant where; `phrases` are those of the reader, with which no words here may overlap."""
        events = self._events([(a, b) for a, b, kind in phrases if kind in ("head", "gaze")])
        for k, event in enumerate(events):
            coming = events[k + 1 :]
            if event.kind == "hard":
                self._give(event.end, self._all)
                self._clause, self._after_hard = event.end, True
                continue
            if event.kind in ("soft", "join"):
                self._clause = event.end
                if event.kind == "soft" and self._scene_follows(event.end, coming, phrases):
                    self._give(event.end, self._all)
                continue
            getattr(self, f"_on_{event.kind}")(event, coming)
            self._after_hard = False

    def _on_member(self, event: _Event, coming: Sequence[_Event]) -> None:
        number = event.value
        self._first_named.setdefault(number, event.start)
        previous = self._previous
        self._previous = event
        together = self.owners(event.start)
        listed = previous and _LISTED.fullmatch(self._without_joins(previous.end, event.start))
        if listed and number not in together:  # "smiling @ada and @bob"
            self._give(self._named_from, together | {number})
            self._last, self._named_at = number, event.start
            return
        begin = max(self._clause, self._named_at + 1)
        if self._named_at >= self._clause and begin > self._clause and not self._parted(begin, event.start):
            begin = event.start  # "@ada laughing @bob": the word between belongs to the first
        else:
            begin = max(begin, self._last_beside(begin, event.start))
        self._give(begin, frozenset((number,)))
        self._last, self._named_at, self._named_from = number, event.start, begin

    def _on_place(self, event: _Event, coming: Sequence[_Event]) -> None:
        owners, place = self.owners(event.start), event.value
        alone = next(iter(owners)) if len(owners) == 1 else None
        if alone is not None and self._named_at >= self._clause and alone not in self.places:
            self.places[alone] = place
            return
        if alone is None and self._last is not None and self._named_at >= self._clause:
            # "@ada, @bob on the left": said of the last of a list; of all of it when others are left to stand there
            group = owners if len(owners) < self.count else {self._last}
            self.places.update({i: place for i in sorted(group) if i not in self.places})
            return
        named = next((e for e in coming if e.kind in ("member", "soft", "hard", "join", "place")), None)
        if named and named.kind == "member":
            if self.places.setdefault(named.value, place) == place:
                self._clause = min(self._clause, event.start)
            return
        if alone is not None and alone not in self.places:
            self.places[alone] = place
            return
        if alone is not None and self.places[alone] == place:
            return
        who = self._at(place)
        if who is not None:
            self.places.setdefault(who, place)
            self._give(max(self._clause, self._named_at + 1), frozenset((who,)))
            self._last, self._named_at = who, event.start

    def _on_all(self, event: _Event, coming: Sequence[_Event]) -> None:
        self._give(event.start, self._all)
        self._named_at = event.start

    def _on_one(self, event: _Event, coming: Sequence[_Event]) -> None:
        if any(e.kind == "other" for e in coming) and self._last is None:
            self._on_member(event._replace(value=0), coming)

    def _on_other(self, event: _Event, coming: Sequence[_Event]) -> None:
        if self.count == 2 and self._last is not None:
            self._on_member(event._replace(value=1 - self._last), coming)

    def _on_pronoun(self, event: _Event, coming: Sequence[_Event]) -> None:
        if self._after_hard and self._last is not None:
            self._give(event.start, frozenset((self._last,)))

    def _on_mutual(self, event: _Event, coming: Sequence[_Event]) -> None:
        words = " ".join(self.text[event.start : event.end].split())
        group = self.owners(event.start)
        group = group if len(group) > 1 else self._all
        self.turns += [(i, group - {i}, words) for i in sorted(group)]

    def _on_toward(self, event: _Event, coming: Sequence[_Event]) -> None:
        whom, words = event.value
        self.turns += [(i, frozenset((whom,)), words) for i in sorted(self.owners(event.start)) if i != whom]

    def _on_left_of(self, event: _Event, coming: Sequence[_Event]) -> None:
        owners = self.owners(event.start) - {event.value}
        if len(owners) == 1:
            side = event.kind.removesuffix("_of")
            self._beside.append((next(iter(owners)), event.value, side))

    _on_right_of = _on_left_of

    def _on_between(self, event: _Event, coming: Sequence[_Event]) -> None:
        owners = self.owners(event.start)
        if len(owners) == 1:
            self.places.setdefault(next(iter(owners)), "centre")

    def _on_people(self, event: _Event, coming: Sequence[_Event]) -> None:
        """Only blanked."""

    # Small questions.

    def _events(self, taken: list[tuple[int, int]]) -> list[_Event]:
        """Everything that says who is meant, in order and without overlaps; the longer of two wins."""
        found = [_Event(m.start(), m.end(), "member", ord(m[0]) - _FIRST_SIGN) for m in _SIGNS.finditer(self.text)]
        found += [_Event(m.start(), m.end(), "soft") for m in _SOFT.finditer(self.text)]
        found += [_Event(m.start(), m.end(), "hard") for m in _HARD.finditer(self.text)]
        for kind, value, pattern in self.words:
            for match in pattern.finditer(self.text):
                event = self._event(kind, value, match)
                if event and not any(a < event.end and event.start < b for a, b in taken):
                    found.append(event)
        events: list[_Event] = []
        for event in sorted(found, key=lambda e: (e.start, -e.end)):
            if not events or event.start >= events[-1].end:
                events.append(event)
        silent = ("soft", "hard", "join", "beside", "pronoun")
        self._blank = [(e.start, e.end) for e in events if e.kind not in silent]
        self._besides = [e for e in events if e.kind == "beside"]
        return [e for e in events if e.kind != "beside"]

    def _event(self, kind: str, value: Any, match: re.Match[str]) -> _Event | None:
        start, end = match.span()
        if start == end:
            return None
        if kind in ("toward", "left_of", "right_of"):
            sign = _SIGNS.match(self.text, end)
            if sign is None:  # "looking at each other": the other words are found by themselves
                return _Event(start, end, "people")
            whom = ord(sign[0]) - _FIRST_SIGN
            words = " ".join(self.text[start:end].split())
            return _Event(start, sign.end(), kind, (whom, words) if kind == "toward" else whom)
        if kind == "people":
            wrong, right = value
            before = " ".join(self.text[max(0, start - 40) : start].split()[-3:])
            if wrong and re.search(rf"\b(?:{wrong})\b", before, re.IGNORECASE):
                return None
            number = re.search(rf"\b(?:{right})\s+$", self.text[:start], re.IGNORECASE) if right else None
            return _Event(number.start() if number else start, end, kind)
        return _Event(start, end, kind, value)

    def _give(self, start: int, owners: frozenset[int]) -> None:
        """From here on, these are meant."""
        at = bisect_right(self._starts, start)
        if self._starts[at - 1] == start:
            at -= 1
        del self._starts[at:], self._owners[at:]
        self._starts.append(start)
        self._owners.append(owners)

    def _scene_follows(self, at: int, coming: Sequence[_Event], phrases: list[tuple[int, int, str]]) -> bool:
        """Whether the next clause names nobody and begins with the scene: what follows it is said of all."""
        end = next((e.start for e in coming if e.kind in ("soft", "hard")), len(self.text))
        if any(e.start < end and e.kind in ("member", "place", "other", "one") for e in coming):
            return False
        first = next((kind for a, _, kind in phrases if at <= a < end), "")
        return bool(first) and first not in _PERSONAL and first != "other"

    def _without_joins(self, start: int, end: int) -> str:
        text = self.text[start:end]
        for kind, _, pattern in self.words:
            if kind == "join":
                text = pattern.sub("", text)
        return text

    def _parted(self, start: int, end: int) -> bool:
        """Whether a word like "next to" stands between two names."""
        return any(start <= e.start < end for e in self._besides)

    def _last_beside(self, start: int, end: int) -> int:
        return max((e.end for e in self._besides if start <= e.start < end), default=start)

    def _at(self, place: Place) -> int | None:
        """Who is at a place: whom the prompt put there, else by the order of the references."""
        for who, said in self.places.items():
            if said == place:
                return who
        free = [i for i in range(self.count) if i not in self.places]
        if place == "centre":
            return free[len(free) // 2] if free and self.count > 2 else None
        return (free[0] if place == "left" else free[-1]) if free else None


_LISTED: Final = re.compile(r"[\s,、&+/]*と?[\s,、&+/]*")


def _of(owned: list[_Owned], number: int) -> list[_Owned]:
    """The phrases of one member: the scene, and of each personal kind those that were said of the fewest people."""
    mine = [o for o in owned if o.phrase.kind not in _PERSONAL or number in o.owners]
    fewest: dict[str, int] = {}
    own_ids = {o.phrase.id for o in mine if len(o.owners) == 1 and not o.phrase.negative}
    for o in mine:
        if o.phrase.kind in _PERSONAL and not o.phrase.negative:
            fewest[o.phrase.kind] = min(fewest.get(o.phrase.kind, len(o.owners)), len(o.owners))
    chosen = []
    for o in mine:
        kind = o.phrase.kind
        if kind not in _PERSONAL:
            if kind != "other" or number in o.owners:
                chosen.append(o)
        elif o.phrase.negative:
            if len(o.owners) == 1 or o.phrase.id not in own_ids:
                chosen.append(o)
        elif kind in _ADDED or len(o.owners) == fewest[kind]:
            chosen.append(o)
    return chosen


def _turned(plan: ScenePlan, who: int, division: _Division, order: list[int], names: Sequence[str]) -> ScenePlan:
    """The plan with the head turned to a neighbour, if the words say so and nothing else about the head."""
    if plan.head.yaw is not None or plan.gaze is not None:
        return plan
    for i, whom, words in division.turns:
        if i != who or not whom:
            continue
        aim = sum(order[k] for k in whom) / len(whom)
        side = (aim > order[who]) - (aim < order[who])
        value = {1: "turned right", -1: "turned left", 0: "facing"}[side]
        called = " ".join(f"@{names[k]}" for k in whom if names[k] and len(whom) == 1)
        said = Understood(phrase=f"{words} {called}".strip(), kind="head", value=value)
        yaw = float(side * rules()["head"]["turned"]["turn"])
        changed = {
            "head": HeadTurn(yaw=yaw, pitch=plan.head.pitch, roll=plan.head.roll),
            "gaze": Gaze(x=side * _SIDEWAYS),
            "understood": (*plan.understood, said),
        }
        return plan.model_copy(update=changed)
    return plan
