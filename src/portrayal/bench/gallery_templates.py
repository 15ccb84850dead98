"""The sheet of the templates: every one that makes a new picture, filled with its own defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from portrayal.bench.gallery_parts import portrayed, sample, tile
from portrayal.bench.sheets import Tile, contact_sheet
from portrayal.imaging import U8
from portrayal.prompting.templates import Template, groups, templates

_SEED: Final = 800
_COLUMNS: Final = 6
# What stands in the slots that have no default.
_TEXTS: Final[Mapping[str, str]] = {
    "holding-a-sign": "HELLO WORLD",
    "magazine-cover": "PORTRAYAL",
    "travel-poster": "BON VOYAGE",
    "neon-sign": "OPEN LATE",
}


def filled(template: Template) -> str:
    """The prompt of a template with a text in every slot."""
    return template.filled("", {slot: _TEXTS.get(template.name, "HELLO") for slot in template.required})


def _pictured(template: Template, seed: int) -> Tile:
    width, height = (int(n) for n in (template.size or "1024x1024").split("x"))
    made = portrayed(
        prompt=filled(template),
        reference=sample(),
        seed=seed,
        size=(width, height),
        style_type=template.style_type,
        style_preset=template.style_preset,
        palette=template.palette,
    )
    return tile(made, template.name)


def _templates() -> U8:
    rows: list[tuple[str, list[Tile]]] = []
    shown = [template for template in templates() if template.operation == "generate"]
    for group in groups():
        tiles = [_pictured(t, _SEED + i) for i, t in enumerate(shown) if t.group == group]
        for at in range(0, len(tiles), _COLUMNS):
            rows.append((group if at == 0 else "", tiles[at : at + _COLUMNS]))
    return contact_sheet(rows, f"{len(shown)} templates, each filled with its defaults", 300)


SHEETS: Final[dict[str, Callable[[], U8]]] = {"templates": _templates}
