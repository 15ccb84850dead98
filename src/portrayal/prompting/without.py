"""What the negative prompt takes out of a picture: the things that it names, and what shows the same things.

A plan's `negative` holds what was named, in the words of the vocabulary. `excludes` answers for one value of the plan
whether it may be chosen; the engines ask it before every choice of their own. What the prompt itself names and the
negative prompt excludes is left out too, with a note (`reader.Scene`), except how the picture is taken (`STAYS`).
`without.toml` holds what goes with what.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from portrayal.prompting import text as texts
from portrayal.prompting.vocabulary import LANGUAGES, ids, load, toml

if TYPE_CHECKING:
    from portrayal.prompting.plan import Garment, ScenePlan, Understood

STAYS: Final = frozenset(("framing", "camera", "head", "gaze"))
"""Kinds in which the prompt wins over the negative prompt: they are no things that could be left out."""

# Kinds of single words that only mean something beside others; alone in a negative prompt they are meant as such.
_ALONE: Final = ("colour", "pattern", "fabric", "cut", "season")
# Kinds by whose ids a negative prompt may name a thing that no sentence would: "warm", "window", "wide".
_BY_ID: Final = ("look", "light", "framing", "camera", "pose", "expression", "time", "weather", "setting")
_WORN: Final = ("outfit", "accessory")


def table() -> dict[str, Any]:
    """The file `without.toml`."""
    return toml(Path(__file__).parent / "without.toml")


def excludes(negative: Sequence[Understood], kind: str, value: str | None) -> bool:
    """Whether what a negative prompt names keeps a value out of the picture.

    Args:
        negative: `ScenePlan.negative`.
        kind: as in `Understood`; besides "outfit" (a garment), "colour", "pattern", "fabric", "season", "thing".
        value: an id, or a colour's name.
    """
    if value is None:
        return False
    out = _out(tuple(negative))
    if kind == "backdrop":
        return ("backdrop", value) in out or ("colour", value) in out
    return (kind, value) in out


def barred(negative: Sequence[Understood], garment: Garment) -> bool:
    """Whether a negative prompt excludes a garment or accessory as it is described: "red shirt", "hat"."""
    item = garment.item
    if item is None:
        return False
    has = {garment.colour, garment.second, garment.pattern, garment.fabric, garment.cut} - {None}
    for one in negative:
        if one.kind not in _WORN or not (found := _parted(one.value, one.kind)):
            continue
        name, more = found
        if item not in _and_with(one.kind, name):
            continue
        if all(word in has or has & set(table()["shades"].get(word, ())) for word in more):
            return True
    return False


def without_qualities(negative: Sequence[Understood], garment: Garment) -> Garment:
    """A garment without excluded colours, patterns, fabrics and cuts; itself when there are none."""
    kinds = {"colour": "colour", "second": "colour", "pattern": "pattern", "fabric": "fabric", "cut": "cut"}
    gone = {field: None for field, kind in kinds.items() if excludes(negative, kind, getattr(garment, field))}
    if gone.get("colour", "") is None and garment.second and "second" not in gone:
        gone["second"] = None
    return garment.model_copy(update=gone) if gone else garment


def hidden(plan: ScenePlan) -> tuple[str, ...]:
    """Things that scenes shall not show: keys of `things`, and "snow", "fog", "neon", "clouds"."""
    weathers = {"snow": "snow", "fog": "fog", "cloudy": "clouds", "rain": "puddles"}
    found = [u.value for u in plan.negative if u.kind == "thing"]
    found += [thing for weather, thing in weathers.items() if excludes(plan.negative, "weather", weather)]
    found += ["neon"] if excludes(plan.negative, "light", "neon") else []
    return tuple(sorted(set(found)))


def own(plan: ScenePlan) -> tuple[str, ...]:
    """Negated words for what belongs to the person of the reference and cannot be taken away."""
    words = frozenset(table()["own"]["words"])
    return tuple(u.phrase for u in plan.negative if u.kind == "other" and _folded(u.phrase) in words)


def left(negative: Sequence[Understood], setting: str) -> str | None:
    """What is left of an excluded setting ("snow forest" without snow: "forest"), or None."""
    rest: str | None = table()["left"].get(setting)
    while rest is not None and excludes(negative, "setting", rest):
        rest = table()["left"].get(rest)
    return rest


def unsmiling(negative: Sequence[Understood]) -> str | None:
    """The expression of somebody whose smile is excluded and of whom nothing else is said; None = as it is."""
    if not excludes(negative, "expression", "broad smile") and not excludes(negative, "expression", "laugh"):
        return None
    return next((face for face in table()["faces"]["calm"] if not excludes(negative, "expression", face)), None)


def meanings(quoted: str, language: str) -> list[tuple[str, str]]:
    """(kind, id) of words that a sentence would not give a meaning, but a list of what is unwanted does: "red",
    "striped", "winter", "warm", "cars"."""
    words = tuple(token.word for token in texts.tokens(texts.even(quoted)))
    if not words or len(words) > 4:
        return []
    found: list[tuple[str, str]] = []
    for name in dict.fromkeys((language if language in LANGUAGES else "en", "en")):
        match = load(name).longest(texts.tokens(texts.even(quoted)), 0)
        if match.end == len(words):
            found += [(s.kind, s.id) for s in match.senses if s.kind in _ALONE and s.id]
    plain = " ".join(words)
    found += [("thing", _things()[plain])] if plain in _things() else []
    found += [(kind, id_) for kind in _BY_ID for id_ in ids(kind) if _folded(id_) == plain]
    return list(dict.fromkeys(found))


def thing(words: str) -> str | None:
    """The thing of scenes that words name: "sofas" for "couch"; None when they name none."""
    return _things().get(_folded(words))


def _folded(text: str) -> str:
    return " ".join(token.word for token in texts.tokens(texts.even(text)))


@lru_cache(1)
def _things() -> dict[str, str]:
    return {_folded(word): thing for thing, words in table()["things"].items() for word in words}


@lru_cache(maxsize=512)
def _out(negative: tuple[Understood, ...]) -> frozenset[tuple[str, str]]:
    """Everything that is excluded, by kind and id."""
    found: set[tuple[str, str]] = set()
    for one in negative:
        kind, value = one.kind, one.value
        if kind in _WORN:
            named = _parted(value, kind)
            if named is None or named[1]:
                continue  # "red shirt" excludes neither shirts nor red
            value = named[0]
        found.add((kind, value))
        if kind in ("colour", "backdrop"):
            found.update((kind, shade) for shade in table()["shades"].get(value, ()))
        for entry in table()["with"].get(f"{kind}:{value}", ()):
            other, _, id_ = entry.partition(":")
            found.add((other, id_))
    return frozenset(found)


def _and_with(kind: str, name: str) -> set[str]:
    return {name, *(entry.partition(":")[2] for entry in table()["with"].get(f"{kind}:{name}", ()))}


@lru_cache(maxsize=512)
def _parted(value: str, kind: str) -> tuple[str, tuple[str, ...]] | None:
    """The garment or accessory of a value such as "navy striped suit", and what is said of it; None without one."""
    names: Iterable[str] = ids("accessory") if kind == "accessory" else (*ids("garment"), *ids("lower"))
    name = max((n for n in names if value == n or value.endswith(f" {n}")), key=len, default=None)
    if name is None:
        return None
    rest = value[: -len(name)].strip()
    return name, _qualities(rest) if rest else ()


def _qualities(words: str) -> tuple[str, ...]:
    known = sorted({id_ for kind in ("colour", "pattern", "fabric", "cut") for id_ in ids(kind)}, key=len, reverse=True)
    found = []
    for quality in known:
        if f" {quality} " in f" {words} ":
            found.append(quality)
            words = f" {words} ".replace(f" {quality} ", "  ").strip()
    return tuple(found)
