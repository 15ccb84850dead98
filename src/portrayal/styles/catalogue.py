"""Styles by name, as callers ask for them. No numpy here; what a name looks like is the engines' business."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Sequence
from importlib import resources
from typing import Final

from portrayal.errors import InvalidRequestError

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


def palette(given: Sequence[str], field: str) -> tuple[str, ...]:
    """One palette's name, or "#RRGGBB" colours, in lower case.

    Raises:
        InvalidRequestError: neither.
    """
    colours = tuple(text.strip().lower() for text in given)
    if len(colours) == 1 and colours[0] in PALETTES:
        return colours
    if colours and all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in colours):
        return colours
    names = ", ".join(PALETTES)
    raise InvalidRequestError("is no palette", field=field, remedy=f"Give #RRGGBB colours, or one of {names}.")
