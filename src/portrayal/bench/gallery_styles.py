"""Sheets of styles and of words: presets, palettes and references, lettering, the pages of a storyboard."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from portrayal.bench.gallery_parts import grid, portrayed, sample, tile
from portrayal.bench.sheets import Tile, contact_sheet
from portrayal.engines.studio import looks
from portrayal.imaging import U8, decode
from portrayal.storyboard import make
from portrayal.storyboard.script import script_of
from portrayal.styles.catalogue import PALETTES, members

_PLACE: Final = "portrait in a garden"
# Prompt and a few words under the picture.
_WORDS: Final = (
    ('neon sign "OPEN LATE", in a coffee shop', "neon sign"),
    ('a shop sign "Fleurs & Café", on a city street', "shop sign"),
    ('comic book cover titled "STAR PILOT", in space', "title of a comic"),
    ('she says "Hold on tight!", comic, on a spaceship', "speech balloon"),
    ('thinks "Where did I park?", comic, on mars', "thought"),
    ('magazine cover with the title "PORTRAYAL", grey backdrop', "magazine title"),
    ('travel poster with the words "VISIT THE ALPS", mountains', "poster line"),
    ('holding a sign "HELLO WORLD", in a sweater, in a garden', "held sign"),
    ('graffiti "MAKE ART" on the wall, alley', "writing on a wall"),
    ('caption "Reykjavík, 64° N", at a mountain lake', "caption"),
    ('sign "Привет, мир", in a park', "Cyrillic"),
    ('sign "مرحبا بالعالم", in a park', "Arabic"),
    ('sign "नमस्ते दुनिया", in a park', "Devanagari"),
    ('sign "Καλημέρα", in a park', "Greek"),
    ('sign "שלום עולם", in a park', "Hebrew"),
    ('sign "こんにちは世界", in a park', "Japanese"),
)
STORY: Final = Path("docs/examples/storyboard.toml")


def _styles() -> U8:
    tiles = [
        tile(portrayed(prompt=_PLACE, reference=sample(), seed=4, style_preset=name), row.title)
        for name, row in looks.presets().items()
    ]
    return grid(tiles, 8, f'{len(tiles)} style presets, one prompt and seed: "{_PLACE}"', 300)


def _palettes() -> U8:
    def of(name: str) -> Tile:
        made = portrayed(prompt=_PLACE, reference=sample(), seed=4, palette=(name,))
        wanted = dict(members((name,)))
        found = "  ".join(f"{share:.0%}/{wanted[colour]:.0%}" for colour, share in made.palette)
        return Tile(decode(made.data), name, f"found/asked: {found}")

    oil = portrayed(prompt="portrait on a beach, oil painting", reference=sample(), seed=9).data
    pencil = portrayed(prompt="portrait in a forest, pencil drawing", reference=sample(), seed=9).data
    after = [
        tile(portrayed(prompt="portrait in a coffee shop", reference=sample(), seed=4, style_references=(one,)), words)
        for one, words in ((oil, "after it"), (pencil, "after it"))
    ]
    codes = [
        tile(portrayed(prompt=_PLACE, reference=sample(), seed=4, style_codes=(code,)), f"style code {code}")
        for code in ("1A2B3C4D", "DEADBEEF", "0BADCAFE", "5EED1234")
    ]
    references = [
        Tile(decode(oil), "a style reference"),
        after[0],
        Tile(decode(pencil), "a style reference"),
        after[1],
    ]
    rows: list[tuple[str, list[Tile]]] = [("palettes", [of(name) for name in PALETTES[:4]])]
    rows += [("", [of(name) for name in PALETTES[4:]]), ("references", references), ("codes", codes)]
    return contact_sheet(rows, "Palettes with their measured shares, style references, style codes", 420)


def _lettering() -> U8:
    tiles = [
        tile(portrayed(prompt=prompt, reference=sample(), seed=12 + i), words)
        for i, (prompt, words) in enumerate(_WORDS)
    ]
    return grid(tiles, 4, "Words in quotation marks, set with real typefaces", 470)


def _storyboard() -> U8:
    """The pages side by side, two in a row; the character is the sample wherever this runs."""
    data = tomllib.loads(STORY.read_text("utf-8"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sample.png").write_bytes(sample())
        data["characters"] = dict.fromkeys(data["characters"], "sample.png")
        made = make(script_of(data, folder), folder / "story")
        pages = [Image.open(path).convert("RGB") for path in made.pages]
        width, height = pages[0].size
        sheet = Image.new("RGB", (2 * width + 30, -(-len(pages) // 2) * (height + 30)), (120, 120, 124))
        for i, page in enumerate(pages):
            sheet.paste(page, ((i % 2) * (width + 30), (i // 2) * (height + 30)))
        return np.asarray(sheet, np.uint8)


SHEETS: Final[dict[str, Callable[[], U8]]] = {
    "styles": _styles,
    "palettes": _palettes,
    "lettering": _lettering,
    "storyboard": _storyboard,
}
