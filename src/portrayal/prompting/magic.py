"""Magic prompt: a short prompt made richer, with what it leaves open and what suits it.

The built-in writer reads the prompt to a plan and adds English phrases of the vocabulary behind the user's own words,
which stay as they are. A phrase is only added when the richer prompt is read as the plan before and more: nothing that
is said changes, and nothing comes in that the negative prompt excludes. `magic.toml` holds phrases and what suits what.
The language model that may do it instead is in `portrayal.magic_model`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from portrayal.errors import InvalidRequestError
from portrayal.prompting.plan import ScenePlan
from portrayal.prompting.reader import read
from portrayal.prompting.vocabulary import toml

Mode = Literal["auto", "on", "off"]
MAX_PROMPT: Final = 10_000
RICH: Final = 2000
"""Characters from which a prompt is taken as it is."""
MENTION: Final = re.compile(r"(?<!\w)@[\w-]+")

# What can be added, the most telling first. Of each kind a picture has one.
_KINDS: Final = ("setting", "time", "light", "expression", "weather", "gaze", "camera")
# What is of one person: in a cast it would fall to whoever is named last.
_PERSONAL: Final = frozenset(("expression", "gaze"))
_IN_AUTO: Final = 2
_IN_ON: Final = (2, 4)
# Chance that a kind is passed over when there are others, so that not every prompt gets the same kinds.
_SKIPPED: Final = {
    "setting": 0.0,
    "time": 0.35,
    "light": 0.15,
    "expression": 0.2,
    "weather": 0.6,
    "gaze": 0.6,
    "camera": 0.7,
}
_FIELDS: Final = tuple(name for name in ScenePlan.model_fields if name not in ("prompt", "language", "understood"))


@dataclass(frozen=True)
class Magic:
    """A prompt made richer.

    Attributes:
        prompt: what is to be used.
        added: (kind, phrase) of what was added, in order; empty when a language model rewrote it, or nothing was added.
        by: "built-in", the name of a language model, or "" when the prompt is as it was.
        warnings: why it is not what was asked for.
    """

    prompt: str
    added: tuple[tuple[str, str], ...] = ()
    by: str = ""
    warnings: tuple[str, ...] = ()


def table() -> dict[str, Any]:
    """The file `magic.toml`."""
    return toml(Path(__file__).parent / "magic.toml")


def check_mode(mode: str) -> Mode:
    """The mode itself.

    Raises:
        InvalidRequestError: it is none.
    """
    for known in ("auto", "on", "off"):
        if mode == known:
            return known
    raise InvalidRequestError(f"is not a mode: {mode[:20]!r}", field="magic_prompt", remedy="Use auto, on or off.")


def enrich(prompt: str, *, mode: Mode, seed: int, negative: str = "", given: Collection[str] = ()) -> Magic:
    """A prompt with what suits it and what it leaves open.

    Args:
        prompt: in any language that is understood; its words stay verbatim at the front.
        mode: "on" adds 2 to 4 things, where so many are open; "auto" at most 2, and only to prompts that leave the
            place, or both light and expression, open; "off" nothing.
        seed: chooses; the same one chooses the same.
        negative: what is not added.
        given: kinds that something else decides, such as the setting that a style preset chooses; nothing of them is
            added.

    Returns:
        The richer prompt; one of more than `RICH` characters as it is.
    """
    if mode == "off" or not prompt.strip():
        return Magic(prompt)
    if len(prompt) > RICH:
        return Magic(prompt, warnings=("magic prompt: the prompt is rich enough, nothing was added",))
    plan = read(prompt, negative)
    if mode == "auto" and not leaves_open(plan):
        return Magic(prompt)
    dice = random.Random(seed)  # noqa: S311 - a choice of words, no secret
    wanted = _IN_AUTO if mode == "auto" else dice.randint(*_IN_ON)
    passed = frozenset(given) | (_PERSONAL if len(MENTION.findall(prompt)) > 1 else frozenset())
    writer = _Writer(prompt, negative, plan, dice, passed)
    for kind in writer.kinds(wanted, mode):
        if len(writer.added) < wanted:
            writer.add(kind)
    # What was passed over, when the rest was not enough.
    for kind in _KINDS if mode == "on" else ():
        if len(writer.added) < _IN_ON[0]:
            writer.add(kind)
    return Magic(writer.text, tuple(writer.added), "built-in") if writer.added else Magic(prompt)


def leaves_open(plan: ScenePlan) -> bool:
    """Whether a prompt leaves much open: where it is, or both the light and the expression."""
    lit = plan.light or plan.time or plan.weather
    return plan.setting is None or (lit is None and plan.expression is None)


@dataclass
class _Writer:
    """A prompt on its way to a richer one."""

    prompt: str
    negative: str
    plan: ScenePlan
    dice: random.Random
    passed: frozenset[str]
    added: list[tuple[str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The prompt with what was added so far."""
        return joined(self.prompt, [phrase for _, phrase in self.added])

    def kinds(self, wanted: int, mode: Mode) -> Iterator[str]:
        """The kinds to try, in order."""
        passed = {kind: self.dice.random() < _SKIPPED[kind] for kind in _KINDS}
        kinds = [kind for kind in _KINDS if not passed[kind]]
        if mode == "auto":
            kinds = [kind for kind in kinds if kind in ("setting", "time", "light", "expression")]
        yield from kinds

    def add(self, kind: str) -> None:
        """Add a phrase of one kind, the first that the plan takes."""
        if getattr(self.plan, kind) is not None or kind in self.passed:
            return
        if kind == "gaze" and (self.plan.head.yaw is not None or self.plan.head.pitch is not None):
            return
        for said, id_ in self._ordered(kind):
            if self.plan.excludes(said, id_) or self._clashes(said, id_):
                continue
            phrase = table()["phrase"][said][id_]
            text = joined(self.prompt, [*(p for _, p in self.added), phrase])
            richer = read(text, self.negative)
            if _holds(self.plan, richer, said, id_):
                self.plan = richer
                self.added.append((said, phrase))
                return

    def _ordered(self, kind: str) -> list[tuple[str, str]]:
        """What suits, in the order in which it is tried: chosen by weight, the first of a list weighs most."""
        found = self._suiting(kind)
        ordered: list[tuple[str, str]] = []
        while found:
            weights = [1.0 / (i + 1.5) for i in range(len(found))]
            at = self.dice.choices(range(len(found)), weights)[0]
            ordered.append(found.pop(at))
        return ordered

    def _suiting(self, kind: str) -> list[tuple[str, str]]:
        plan = self.plan
        if kind == "setting":
            places = [(kind, place) for place in where(plan)]
            if ("setting", "studio") in places:  # a studio has a colour
                papers = [("backdrop", paper) for paper in _place("studio")["backdrop"]]
                paper = self.dice.choice(papers)
                places = [paper if place[1] == "studio" else place for place in places]
            return places
        if kind == "gaze":
            return [(kind, "camera")]
        options = _place(plan.setting).get(kind, ()) if plan.setting else _place("studio").get(kind, ())
        return [(kind, id_) for id_ in options]

    def _clashes(self, kind: str, id_: str) -> bool:
        said = [("accessory", thing) for thing in self.plan.accessories]
        said += [(k, v) for k in ("time", "weather", "light", "look") if (v := getattr(self.plan, k))]
        clash = table()["clash"]
        return any(f"{kind}:{id_}" in clash.get(f"{k}:{v}", ()) for k, v in said)


def where(plan: ScenePlan) -> Sequence[str]:
    """Places that suit a plan without one, the likeliest first."""
    said = [("outfit", g.item) for g in plan.outfit if g.item] + [("pose", plan.pose)]
    said += [("accessory", thing) for thing in plan.accessories]
    said += [(kind, getattr(plan, kind)) for kind in ("weather", "light", "expression", "time", "framing")]
    tables: dict[str, list[str]] = table()["where"]
    return next((tables[key] for kind, value in said if (key := f"{kind}:{value}") in tables), tables[""])


def joined(prompt: str, phrases: Sequence[str]) -> str:
    """The prompt with phrases behind it, parted by commas; a prompt that ends with a stop goes on after it."""
    if not phrases:
        return prompt
    bare = prompt.rstrip()
    comma = "" if bare and bare[-1] in ",;:.!?。、！？…，；" else ","
    return f"{bare}{comma} {', '.join(phrases)}" if bare == prompt or comma else f"{prompt}{', '.join(phrases)}"


@lru_cache
def _place(setting: str) -> dict[str, list[str]]:
    return next((place for place in table()["place"] if setting in place["settings"]), {"settings": []})


def _holds(before: ScenePlan, after: ScenePlan, kind: str, id_: str) -> bool:
    """Whether a plan is another one and more: what was said stays as it was, and the addition is there."""
    if kind == "gaze":
        if after.gaze is None:
            return False
    elif getattr(after, kind) != id_:
        return False
    for name in _FIELDS:
        old, new = getattr(before, name), getattr(after, name)
        if old != new and not (old is None and name in (*_KINDS, "backdrop")):
            return False
    return True
