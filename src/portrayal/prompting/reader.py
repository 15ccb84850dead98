"""A prompt in, a `ScenePlan` out: what was found is weighed, combined and put in its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from portrayal.prompting import lettering, without
from portrayal.prompting import text as texts
from portrayal.prompting.clitics import parted
from portrayal.prompting.languages import detect
from portrayal.prompting.phrases import Phrase, find_phrases
from portrayal.prompting.plan import LOWER, Garment, Gaze, HairWords, HeadTurn, ScenePlan, Understood
from portrayal.prompting.text import Token
from portrayal.prompting.vocabulary import LANGUAGES, Vocabulary, ids, load, rules

# Kinds of which a picture has one; the first that is named wins.
_SINGLE = (
    "setting",
    "time",
    "weather",
    "light",
    "expression",
    "look",
    "framing",
    "camera",
    "pose",
    "gaze",
    "backdrop",
)
_MAX_TURN = {"yaw": 90.0, "pitch": 60.0, "roll": 60.0}


def read(prompt: str, negative: str = "") -> ScenePlan:
    """What a prompt says about the picture.

    Text in quotation marks is lettering, verbatim. Of several settings, times, lights and so on the first
    named wins; the others are listed in `unknown` as "also: beach". Content words that nothing stands for are
    listed there as whole noun phrases. The person's own left is the picture's right.

    Args:
        prompt: any text; English, German, Spanish, French, Portuguese, Italian, Dutch, Polish, Turkish, Russian,
            Chinese, Japanese, Korean, Arabic or Hindi is understood.
        negative: what shall not be in the picture, in the same languages.
    """
    prompt = texts.clean(prompt)
    words = lettering.take(prompt)
    scene = Scene(*parse(words.rest, bool(words.texts), texts.take_lettering(prompt)[0]))
    scene.unwanted(*parse(texts.take_lettering(texts.clean(negative))[0], False))
    plan = scene.plan(prompt, words.texts)
    return plan.model_copy(update={"lettering_as": lettering.settled(words, plan.pose, plan.look)})


def vocabularies(language: str) -> list[Vocabulary]:
    """The vocabularies that a text of a language is read with: its own, and English."""
    own = language if language in LANGUAGES else {"zh": "ja"}.get(language, language)
    return [load(name) for name in (["en"] if own == "en" or own not in LANGUAGES else [own, "en"])]


def parse(text: str, has_lettering: bool, whole: str = "") -> tuple[list[tuple[str, Phrase]], list[Token], str]:
    """The phrases of a text without lettering, each with its words; its tokens; its language (that of `whole`)."""
    text = texts.even(text)
    tokens = texts.tokens(text)
    language = detect(texts.tokens(texts.even(whole))) if whole else detect(tokens)
    tokens = parted(tokens, language)
    phrases = find_phrases(text, tokens, vocabularies(language), has_lettering)
    quoted = [" ".join(text[tokens[p.first].start : tokens[p.last - 1].end].split()) for p in phrases]
    return list(zip(quoted, phrases, strict=True)), tokens, language


@dataclass
class Scene:
    """The phrases of one prompt on their way to a plan."""

    phrases: list[tuple[str, Phrase]]
    tokens: list[Token]
    language: str
    chosen: dict[str, str] = field(default_factory=dict)
    negatives: list[Understood] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)  # (place in the prompt, what is not portrayed)
    seen: list[tuple[int, Understood]] = field(default_factory=list)

    def unwanted(
        self, phrases: Iterable[tuple[str, Phrase]], tokens: Sequence[Token] = (), language: str = "en"
    ) -> None:
        """Everything in a negative prompt, and what the prompt itself negates."""
        own = [(quoted, p) for quoted, p in self.phrases if p.negative]
        phrases = list(phrases)
        behind = {p.first for _, p in phrases if p.kind == "backdrop"}
        for quoted, phrase in (*own, *phrases):
            if phrase.kind == "setting" and phrase.id == "studio" and phrase.first in behind:
                continue  # "red background" excludes no studio
            kind = {"garment": "outfit"}.get(phrase.kind, phrase.kind)
            value = _garment_value(phrase.garment) if phrase.garment else phrase.id
            self._exclude(Understood(phrase=quoted, kind=kind, value=value or quoted), language)
        known = {i for _, p in phrases for i in range(p.first, p.last)}
        for item in _items(tokens):
            if not known.issuperset(range(item[0], item[1])):
                quoted = " ".join(t.word for t in tokens[item[0] : item[1]])
                for kind, id_ in without.meanings(quoted, language):
                    self._exclude(Understood(phrase=quoted, kind=kind, value=id_), language)
        self.phrases = [(quoted, p) for quoted, p in self.phrases if not p.negative]

    def _exclude(self, found: Understood, language: str) -> None:
        more = [(found.kind, found.value)]
        thing = without.thing(found.phrase)
        if thing and found.kind in ("setting", "look"):  # "no sofa" excludes no living room
            more = [("thing", thing)]
        elif thing and found.kind != "other":
            more.append(("thing", thing))
        elif found.kind == "other":
            more += without.meanings(found.phrase, language)
        elif found.kind == "seated":
            more = [("pose", pose) for pose in ids("pose") if pose.startswith("sitting")]
        for kind, value in more:
            one = Understood(phrase=found.phrase, kind=kind, value=value)
            if one not in self.negatives:
                self.negatives.append(one)

    def plan(self, prompt: str, lettering: tuple[str, ...]) -> ScenePlan:
        """The finished plan."""
        self._contradictions()
        for kind in _SINGLE:
            if kind != "pose":
                self._choose(kind)
        self._combine_setting()
        self._seat()
        self._choose("pose")
        if self.chosen.get("setting") != "studio":
            self.chosen.pop("backdrop", None)
        self._seasons()
        self._rivals()
        outfit = self._outfit()
        accessories, details = self._accessories()
        hair = self._hair()
        head, gaze = self._head()
        self._implied()
        self.notes += [(p.first, p.id) for _, p in self.phrases if p.kind == "other"]
        self.notes += [(p.first, quoted) for quoted, p in self.phrases if p.reported]
        understood = [u for _, u in sorted(self.seen, key=lambda s: s[0])]
        understood += [Understood(phrase=t, kind="lettering", value=t) for t in lettering]
        return ScenePlan(
            prompt=prompt,
            language=self.language,
            head=head,
            gaze=gaze,
            outfit=outfit,
            accessories=accessories,
            accessory_details=details,
            hair=hair,
            lettering=lettering,
            negative=tuple(self.negatives),
            understood=tuple(dict.fromkeys(understood)),
            unknown=tuple(dict.fromkeys(note for _, note in sorted(self.notes, key=lambda n: n[0]))),
            **{k: v for k, v in self.chosen.items() if k in _SINGLE and k != "gaze"},  # type: ignore[arg-type]
        )

    def _of(self, *kinds: str) -> list[tuple[str, Phrase]]:
        return [(quoted, p) for quoted, p in self.phrases if p.kind in kinds]

    def _contradictions(self) -> None:
        """What is named and excluded is left out, and noted; how the picture is taken stays (`without.STAYS`)."""
        kept = []
        for quoted, phrase in self.phrases:
            kind = {"garment": "outfit"}.get(phrase.kind, phrase.kind)
            rest: Phrase | None = phrase
            if phrase.garment is not None:
                rest = self._undressed(kind, phrase, phrase.garment)
            elif kind not in without.STAYS and without.excludes(self.negatives, kind, phrase.id):
                instead = without.left(self.negatives, phrase.id) if kind == "setting" else None
                rest = replace(phrase, id=instead, reported=False) if instead else None
            if rest is not None:
                kept.append((quoted, rest))
            if rest is not phrase:
                self.notes.append((phrase.first, f"{quoted} (also excluded)"))
        self.phrases = kept

    def _undressed(self, kind: str, phrase: Phrase, garment: Garment) -> Phrase | None:
        """A phrase of a garment or accessory without what is excluded of it; None when it is excluded itself."""
        plain = garment.model_copy(update={"text": "", "colour": None, "second": None, "pattern": None, "cut": None})
        plain = plain.model_copy(update={"fabric": None})
        if without.excludes(self.negatives, kind, garment.item) or without.barred(self.negatives, plain):
            return None
        if without.barred(self.negatives, garment):
            return (
                None
                if kind == "accessory"
                else replace(phrase, garment=plain.model_copy(update={"text": garment.text}))
            )
        bare = without.without_qualities(self.negatives, garment)
        if bare is garment:
            return phrase
        return replace(phrase, garment=bare) if bare.item or bare.colour or bare.pattern or bare.fabric else None

    def _choose(self, kind: str) -> None:
        """The first strong phrase of a kind, else the first weak one."""
        found = [p for _, p in self._of(kind)]
        if found:
            self.chosen[kind] = next((p for p in found if not p.weak), found[0]).id

    def _combine_setting(self) -> None:
        """A forest with snow is the snow forest."""
        said = {f"{p.kind}:{p.id}" for _, p in self.phrases}
        for rule in rules()["combine"]:
            if without.excludes(self.negatives, "setting", rule["gives"]):
                continue
            if self.chosen.get("setting") == rule["setting"] and said.intersection(rule["with"]):
                self.phrases = [
                    (quoted, replace(p, id=rule["gives"], reported=False))
                    if p.kind == "setting" and (p.id == rule["setting"] or f"setting:{p.id}" in rule["with"])
                    and not p.reported
                    else (quoted, p)
                    for quoted, p in self.phrases
                ]  # fmt: skip
                self.chosen["setting"] = rule["gives"]

    def _seat(self) -> None:
        """Who sits on nothing in particular sits on what such a place has."""
        seat = rules()["seat"].get(self.chosen.get("setting", ""), "sitting on a chair")
        named = any(p.kind == "pose" and p.id.startswith("sitting") for _, p in self.phrases)
        self.phrases = [
            (quoted, replace(p, kind="pose", id=seat) if p.kind == "seated" else p)
            for quoted, p in self.phrases
            if p.kind != "seated" or not named
        ]

    def _seasons(self) -> None:
        """A season says something about the setting or the weather when nothing else does."""
        for quoted, phrase in self._of("season"):
            kind, _, value = rules()["season"].get(phrase.id, "").partition(":")
            if not kind or (kind not in self.chosen and without.excludes(self.negatives, kind, value)):
                continue
            if kind not in self.chosen:
                self.chosen[kind] = value
            self.seen.append((phrase.first, Understood(phrase=quoted, kind=kind, value=self.chosen[kind])))

    def _rivals(self) -> None:
        """Note what won, and what had to stand back."""
        for kind in _SINGLE:
            winner = self.chosen.get(kind, "")
            silent = {winner, *rules()["covers"].get(f"{kind}:{winner}", ())}
            for quoted, phrase in self._of(kind):
                if kind == "backdrop" and not winner:
                    continue
                if phrase.id == winner:
                    self.seen.append((phrase.first, Understood(phrase=quoted, kind=kind, value=winner)))
                elif phrase.id not in silent and not phrase.weak:
                    self.notes.append((phrase.first, f"also: {quoted}"))

    def _outfit(self) -> tuple[Garment, ...]:
        """Garments in order; a profession gives way to clothes that are named, but not to shoes."""
        found = [(quoted, p) for quoted, p in self._of("garment") if p.garment]
        if any(not p.weak and p.id not in LOWER for _, p in found):
            found = [(quoted, p) for quoted, p in found if not p.weak]
        garments: dict[str, Garment] = {}
        for quoted, phrase in found:
            garment = phrase.garment
            if garment is None:
                continue
            known = garments.get(garment.item or garment.text)
            garments[garment.item or garment.text] = _merged(known, garment) if known else garment
            if known and known.colour and garment.colour and known.colour != garment.colour:
                self.notes.append((phrase.first, f"also: {quoted}"))
                continue
            if garment.item or garment.colour:
                value = _garment_value(garment)
                self.seen.append((phrase.first, Understood(phrase=quoted, kind="outfit", value=value)))
        return tuple(garments.values())

    def _accessories(self) -> tuple[tuple[str, ...], tuple[Garment, ...]]:
        details: dict[str, Garment] = {}
        for quoted, phrase in self._of("accessory"):
            if phrase.garment is None:
                continue
            details.setdefault(phrase.id, phrase.garment)
            self.seen.append((phrase.first, Understood(phrase=quoted, kind="accessory", value=phrase.id)))
        return tuple(details), tuple(details.values())

    def _hair(self) -> HairWords | None:
        """Colour and length; what is named first stays."""
        colour = length = None
        for quoted, phrase in self._of("hair"):
            words = phrase.hair
            if words is None:
                continue
            other = bool(colour and words.colour and words.colour != colour)
            other = other or bool(length and words.length and words.length != length)
            if other:
                self.notes.append((phrase.first, f"also: {quoted}"))
            else:
                self.seen.append((phrase.first, Understood(phrase=quoted, kind="hair", value=phrase.id)))
            colour, length = colour or words.colour, length or words.length
        return HairWords(colour=colour, length=length) if colour or length else None

    def _head(self) -> tuple[HeadTurn, Gaze | None]:
        turn = _Turn()
        for quoted, phrase in self._of("head"):
            rule = rules()["head"][phrase.id]
            if turn.take(rule, phrase.number):
                number = "" if phrase.number is None else f"{phrase.number:g}"
                value = phrase.id.replace("#", number)
                self.seen.append((phrase.first, Understood(phrase=quoted, kind="head", value=value)))
            else:
                self.notes.append((phrase.first, f"also: {quoted}"))
            if "note" in rule:
                self.notes.append((phrase.first, rule["note"]))
        return turn.head(), turn.gaze(self.chosen.get("gaze"))

    def _implied(self) -> None:
        """What follows from what was said: a standing person is not a close-up; "not smiling" is an expression."""
        framing = rules()["pose_framing"].get(self.chosen.get("pose", ""))
        if framing and "framing" not in self.chosen and not without.excludes(self.negatives, "framing", framing):
            self.chosen["framing"] = framing
            quoted, phrase = next(f for f in self._of("pose") if f[1].id == self.chosen["pose"])
            self.seen.append((phrase.first, Understood(phrase=quoted, kind="framing", value=framing)))
        calm = without.unsmiling(self.negatives)
        if calm and "expression" not in self.chosen:
            self.chosen["expression"] = calm


def _items(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """(first, behind last) of the runs of tokens between commas."""
    firsts = [i for i, token in enumerate(tokens) if token.after_stop or i == 0]
    return list(zip(firsts, [*firsts[1:], len(tokens)], strict=False)) if tokens else []


@dataclass
class _Turn:
    """Angles of the head, collected; the first word on an axis stays, sides and sizes complete each other."""

    side: int = 0
    size: float = 0.0
    exact: float | None = None
    front: bool = False
    pitch: float | None = None
    roll: float | None = None
    eyes: tuple[float, float] | None = None

    def take(self, rule: dict[str, Any], number: float | None) -> bool:
        """Add what one phrase says; False when it contradicts what was said before."""
        yaw, side = rule.get("yaw"), 0
        if yaw:
            side = 1 if yaw > 0 else -1
        if number is not None:
            side = int(rule.get("sign", 0))
        if side and self.side and side != self.side:
            return False
        self.side = side or self.side
        self.size = max(self.size, abs(yaw or 0), rule.get("turn", 0))
        if number is not None and "sign" in rule:
            self.exact = self.exact if self.exact is not None else number
        if number is not None and "roll_sign" in rule:
            self.roll = self.roll if self.roll is not None else rule["roll_sign"] * number
        self.front = self.front or yaw == 0
        if "pitch" in rule:
            self.pitch = self.pitch if self.pitch else float(rule["pitch"])
        if "roll" in rule and self.roll is None:
            self.roll = float(rule["roll"])
        if "gaze" in rule and self.eyes is None:
            self.eyes = (rule["gaze"][0], rule["gaze"][1])
        return True

    def head(self) -> HeadTurn:
        """The angles in degrees."""
        size = self.exact if self.exact is not None else self.size
        yaw = (self.side or 1) * size if size or self.exact is not None else (0.0 if self.front else None)
        return HeadTurn(yaw=_within(yaw, "yaw"), pitch=_within(self.pitch, "pitch"), roll=_within(self.roll, "roll"))

    def gaze(self, said: str | None) -> Gaze | None:
        """Where the eyes look, relative to the head; into the camera they counter the turn."""
        eyes = tuple(rules()["gaze"][said]) if said else self.eyes
        if eyes is None:
            return None
        head, reach = self.head(), rules()["eye_reach"]
        x, y = eyes
        if (x, y) == (0, 0):
            x, y = -(head.yaw or 0) / reach["yaw"], -(head.pitch or 0) / reach["pitch"]
        elif said is None and x:
            x *= self.side or 1  # "looking away" goes where the head goes
        return Gaze(x=round(max(-1.0, min(1.0, x)), 3) + 0.0, y=round(max(-1.0, min(1.0, y)), 3) + 0.0)


def _within(angle: float | None, axis: str) -> float | None:
    return None if angle is None else max(-_MAX_TURN[axis], min(_MAX_TURN[axis], angle))


def _garment_value(garment: Garment) -> str:
    """Colour, pattern, fabric and cut, each once."""
    item = garment.item or "clothes"
    colour = f"{garment.colour} and {garment.second}" if garment.colour and garment.second else garment.colour
    parts = [p for p in (garment.cut, colour, garment.pattern, garment.fabric) if p and p not in item.split()]
    return " ".join([*parts, item])


def _merged(first: Garment, second: Garment) -> Garment:
    """Two mentions of the same cut: "a knight in silver armour"."""
    return Garment(
        text=first.text,
        item=first.item,
        colour=first.colour or second.colour,
        pattern=first.pattern or second.pattern,
        fabric=first.fabric or second.fabric,
        second=first.second if first.colour else second.second,
        cut=first.cut or second.cut,
    )
