"""Styles by name, as callers ask for them. No numpy here; what a name looks like is the engines' business."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Sequence
from importlib import resources
from typing import Final, NamedTuple

from portrayal.errors import InvalidRequestError
from portrayal.request import MAX_COLOURS

_DATA: Final = tomllib.loads((resources.files("portrayal") / "data" / "styles.toml").read_text("utf-8"))
STYLE_TYPES: Final[tuple[str, ...]] = tuple(_DATA["types"])
PALETTES: Final[tuple[str, ...]] = tuple(_DATA["palettes"])
STYLE_PRESETS: Final[tuple[str, ...]] = tuple(_DATA["presets"])
"""62 names, upper case."""


def preset(name: str, field: str) -> str:
    """A preset's name in its own spelling; case, blanks and hyphens do not matter.

    Raises:
        InvalidRequestError: there is none of that name; the nearest ones are told.
    """
    wanted = re.sub(r"[\s_-]+", "_", name.strip().upper())
    if wanted in STYLE_PRESETS:
        return wanted
    near = difflib.get_close_matches(wanted, STYLE_PRESETS, 3, 0.5)
    meant = f"Did you mean {' or '.join(near)}?" if near else f"There are {len(STYLE_PRESETS)}: {STYLE_PRESETS[0]}, ..."
    raise InvalidRequestError("is no style preset", field=field, remedy=meant)


class Member(NamedTuple):
    """One colour of a palette: "#rrggbb", and its share of the picture, 0..1."""

    colour: str
    weight: float


def palette(given: Sequence[str], field: str) -> tuple[str, ...]:
    """One palette's name, or 1 to 8 colours "#RRGGBB" or "#RRGGBB:weight" (0.05 to 1), in lower case.

    Raises:
        InvalidRequestError: neither.
    """
    texts = tuple(text.strip().lower() for text in given)
    if len(texts) == 1 and texts[0] in PALETTES:
        return texts
    if not 1 <= len(texts) <= MAX_COLOURS:
        raise InvalidRequestError(
            f"has {len(texts)} colours", field=field, remedy=f"Give 1 to {MAX_COLOURS} colours, or a palette's name."
        )
    for text in texts:
        colour, _, weight = text.partition(":")
        if not re.fullmatch(r"#[0-9a-f]{6}", colour):
            names = ", ".join(PALETTES)
            raise InvalidRequestError(
                f"{text[:24]!r} is no palette", field=field, remedy=f"Give #RRGGBB colours, or one of {names}."
            )
        if ":" in text and not (re.fullmatch(r"[0-9]*\.?[0-9]+", weight) and 0.05 <= float(weight) <= 1):
            raise InvalidRequestError(
                f"the weight {weight[:12]!r} is not within 0.05 and 1", field=field, remedy="Write e.g. #2f6b4f:0.5."
            )
    return texts


def members(given: Sequence[str], field: str = "palette") -> tuple[Member, ...]:
    """The colours of a palette with shares that sum to 1; colours without a weight share what is left alike.

    Raises:
        InvalidRequestError: it is no palette.
    """
    texts = palette(given, field)
    if len(texts) == 1 and texts[0] in PALETTES:
        return tuple(Member(colour, weight) for colour, weight in _DATA["palette"][texts[0]])
    said = [text.partition(":") for text in texts]
    weights = [float(weight) for _, _, weight in said if weight]
    bare = sum(1 for *_, weight in said if not weight)
    rest = max(1 - sum(weights), 0.05 * bare) / bare if bare else 0.0
    shares = [float(weight) if weight else rest for *_, weight in said]
    together: dict[str, float] = {}  # a colour that is named twice is one colour
    for (colour, *_), share in zip(said, shares, strict=True):
        together[colour] = together.get(colour, 0.0) + share
    return tuple(Member(colour, share / sum(shares)) for colour, share in together.items())
