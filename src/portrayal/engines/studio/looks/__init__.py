"""Drawn and painted looks: a finished picture drawn again with ink, brush or crayon, the face kept finest."""

from __future__ import annotations

from portrayal.engines.studio.looks.choice import (
    bar,
    choose,
    default_for_figure,
    drawn_as,
    is_drawn,
    names,
    preset_of,
    presets,
    row,
)
from portrayal.engines.studio.looks.draw import draw, paint

__all__ = [
    "bar",
    "choose",
    "default_for_figure",
    "draw",
    "drawn_as",
    "is_drawn",
    "names",
    "paint",
    "preset_of",
    "presets",
    "row",
]
