"""Which look a picture gets: a photograph, or one of the drawn looks. No numpy here."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any, Final

from portrayal.errors import InvalidRequestError
from portrayal.prompting.plan import ScenePlan
from portrayal.styles.catalogue import STYLE_PRESETS
from portrayal.styles.style import Style

# Height of a face, in pixels of a 1024 px picture, under which `small_bar` counts.
_SMALL: Final = 130.0


@dataclass(frozen=True)
class Look:
    """A look; see looks.toml and presets/.

    Attributes:
        steps: of methods and their settings, in order.
        bar, small_bar: distance to the reference after it; None = a face descriptor cannot follow this look.
        also: looks of the vocabulary that are not drawn themselves, this is the nearest.
        title, note: of a preset, for people.
        drawn: whether it is drawn, not a photograph.
        own_scene: whether what is behind the people is the preset's own, and the prompt's scene is hardly seen.
        open: what a preset chooses where the prompt leaves it open: field of the plan -> value.
    """

    steps: tuple[dict[str, Any], ...] = ()
    bar: float | None = None
    small_bar: float | None = None
    also: tuple[str, ...] = ()
    title: str = ""
    note: str = ""
    drawn: bool = True
    own_scene: bool = False
    open: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Choice:
    figure: str
    fiction: str
    design: str
    photographs: tuple[str, ...]
    words: str
    denials: str
    things_before: str
    things_after: str


@lru_cache(1)
def _tables() -> tuple[_Choice, dict[str, Look], dict[str, str]]:
    raw = tomllib.loads(resources.files(__package__).joinpath("looks.toml").read_text("utf-8"))
    looks = {name: _look(values) for name, values in raw["look"].items()}
    choice = _Choice(**{**raw["choice"], "photographs": tuple(raw["choice"]["photographs"])})
    return choice, looks, raw["phrases"]


def _look(values: dict[str, Any]) -> Look:
    return Look(**{**values, "steps": tuple(values["steps"]), "also": tuple(values.get("also", ()))})


@lru_cache(1)
def _presets() -> dict[str, Look]:
    found: dict[str, Look] = {}
    for part in ("photographic", "printed", "handmade"):
        text = resources.files(__package__).joinpath("presets", f"{part}.toml").read_text("utf-8")
        found.update({name: _look(values) for name, values in tomllib.loads(text).items()})
    return {name: found[name] for name in STYLE_PRESETS if name in found}


def presets() -> dict[str, Look]:
    """The style presets by name, in the order of the catalogue."""
    return dict(_presets())


def names() -> tuple[str, ...]:
    """The looks that can be drawn, by their ids in the vocabulary."""
    return tuple(_tables()[1])


def drawn_as(look: str | None) -> str | None:
    """The drawn look that stands for a look of the vocabulary: itself, or the nearest; None for all others."""
    looks = _tables()[1]
    return look if look in looks else next((name for name, found in looks.items() if look in found.also), None)


def row(look: str) -> Look:
    """A drawn look, or a preset.

    Raises:
        InvalidRequestError: there is no such one.
    """
    looks = _tables()[1]
    if look in _presets():
        return _presets()[look]
    if look not in looks:
        raise InvalidRequestError(f"there is no look {look!r}", field="look", remedy=f"Use: {', '.join(looks)}.")
    return looks[look]


def bar(look: str, face_height: float | None = None, size: float = 1024.0) -> float:
    """Distance to the reference that a face drawn so is expected to have at most; infinite where nobody can tell.

    Args:
        look: one of `names()`.
        face_height: of the landmarks, in pixels; None = as in a portrait.
        size: geometric mean of width and height of the picture, pixels.
    """
    found = row(look)
    small = face_height is not None and face_height * 1024 / size < _SMALL and found.small_bar is not None
    distance = found.small_bar if small else found.bar
    return float("inf") if distance is None else distance


def default_for_figure() -> str:
    """The look of a whole figure when nothing is said: it convinces most and keeps the person."""
    return _tables()[0].figure


def choose(plan: ScenePlan, style: Style, body: bool) -> tuple[str | None, str]:
    """The look of a new picture.

    A preset comes first, then the look of a style code, the prompt's own words (which may name a preset), and the style
    type. What shows the body is drawn when none of them asks for a photograph: a portrait is convincing as one, a whole
    figure not everywhere.

    Args:
        plan: of the picture.
        style: of the request.
        body: whether more than head and shoulders is shown.

    Returns:
        A look of `names()` or `presets()`, or None for a plain photograph; and a note for the warnings, "" when there
        is nothing to say.
    """
    choice = _tables()[0]
    preset = preset_of(plan, style)
    if preset is not None:
        return preset, ""
    if style.code is not None and not style.code.photographic:
        drawn = drawn_as(style.code.look)
        if drawn is not None:
            note = f"style code: the look {style.code.look!r} is not drawn yet; the picture is drawn as {drawn}"
            return drawn, "" if drawn == style.code.look else note
    drawn = drawn_as(plan.look)
    if drawn is not None:
        note = f"not portrayed: look {plan.look!r}; the picture is drawn as {drawn}"
        return drawn, "" if drawn == plan.look else note
    if style.type in ("fiction", "design"):
        return _allowed(plan, choice.fiction if style.type == "fiction" else choice.design)
    if plan.excludes("look", "photo") and style.type == "auto" and style.code is None:
        return _allowed(plan, choice.figure)
    if not body or style.type in ("realistic", "general") or style.code or _photographic(plan, choice):
        return None, ""
    figure, note = _allowed(plan, choice.figure)
    return figure, note or f"the whole figure is drawn ({figure}); style_type realistic makes a photograph"


def _allowed(plan: ScenePlan, look: str) -> tuple[str | None, str]:
    """A drawn look, or another one when the words exclude it; a photograph when they exclude them all."""
    left = [name for name in (look, *names()) if not plan.excludes("look", name)]
    return (left[0], "") if left else (None, "the words exclude every drawn look: the picture is a photograph")


def is_drawn(look: str | None) -> bool:
    """Whether a look is drawn or painted; False for a photograph and for presets that stay one."""
    return look is not None and row(look).drawn


def preset_of(plan: ScenePlan, style: Style) -> str | None:
    """The preset of a picture: that of the request, or one that the prompt names where no code says how to draw."""
    if style.preset in _presets():
        return style.preset
    return None if style.code is not None and not style.code.photographic else _named(plan)


def _named(plan: ScenePlan) -> str | None:
    """The preset that the plan's look is called by in the prompt, such as the Bauhaus; None where none is, or where the
    words speak of a thing: an engraving on a necklace is not how the picture is made."""
    phrase = next((u.phrase.lower() for u in plan.understood if u.kind == "look" and u.value == plan.look), None)
    if phrase is None:
        return None
    choice, _, phrases = _tables()
    before, _, after = plan.prompt.lower().partition(phrase)
    if re.search(choice.things_before, before) or re.search(choice.things_after, after):
        return None
    return next((preset for preset, words in phrases.items() if re.search(words, phrase)), None)


def _photographic(plan: ScenePlan, choice: _Choice) -> bool:
    """Whether the prompt asks for a photograph."""
    if plan.look in choice.photographs:
        return True
    text = plan.prompt.lower()
    found = re.finditer(choice.words, text)
    return any(not re.search(choice.denials, text[max(0, match.start() - 24) : match.start()]) for match in found)
