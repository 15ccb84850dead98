"""Contact sheets: pictures in rows on a dark ground, with captions."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from portrayal.imaging import U8

_GROUND = (22, 23, 26)
_INK = (236, 236, 232)
_FAINT = (150, 152, 158)
_GOOD = (126, 201, 145)
_BAD = (232, 120, 104)


@dataclass(frozen=True)
class Tile:
    """One picture of a sheet; `good` colours the second line."""

    image: U8
    caption: str
    detail: str = ""
    good: bool = True


def contact_sheet(
    rows: Sequence[tuple[str, Sequence[Tile]]],
    title: str,
    side: int = 384,
    reference: U8 | None = None,
    subtitle: str = "",
) -> U8:
    """Draw titled rows of tiles; every picture is fitted into a square of `side` pixels.

    Args:
        rows: (name, tiles) from top to bottom.
        title: above all.
        side: of a tile in pixels.
        reference: shown small below the name of the first row.
        subtitle: below the title, broken into lines.

    Returns:
        (h, w, 3) uint8.
    """
    gap, text = 14, 46
    named = any(name for name, _ in rows)
    label = 210 if reference is not None else 160 if named else gap
    columns = max(len(tiles) for _, tiles in rows)
    width = label + columns * (side + gap) + gap
    lines = textwrap.wrap(subtitle, max(20, width // 9))
    head = 64 + 24 * len(lines)
    height = head + len(rows) * (side + text + gap) + gap
    sheet = Image.new("RGB", (width, height), _GROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((gap + 6, 20), title, font=_font(26), fill=_INK)
    draw.multiline_text((gap + 6, 58), "\n".join(lines), font=_font(16), fill=_FAINT, spacing=6)
    for r, (name, tiles) in enumerate(rows):
        y = head + r * (side + text + gap)
        draw.text((gap + 6, y), name, font=_font(22), fill=_INK)
        if r == 0 and reference is not None:
            small = Image.fromarray(np.ascontiguousarray(reference))
            small.thumbnail((label - 2 * gap - 6, side - 70), Image.Resampling.LANCZOS)
            sheet.paste(small, (gap + 6, y + 44))
            draw.text((gap + 6, y + 50 + small.height), "the reference", font=_font(15), fill=_FAINT)
        for c, tile in enumerate(tiles):
            x = label + c * (side + gap)
            picture = Image.fromarray(np.ascontiguousarray(tile.image))
            picture.thumbnail((side, side), Image.Resampling.LANCZOS)
            sheet.paste(picture, (x + (side - picture.width) // 2, y + (side - picture.height) // 2))
            draw.text((x + 2, y + side + 6), tile.caption, font=_font(15), fill=_INK)
            colour = _FAINT if not tile.detail else _GOOD if tile.good else _BAD
            draw.text((x + 2, y + side + 25), tile.detail, font=_font(14), fill=colour)
    return np.asarray(sheet, np.uint8)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
