"""Make the sheets under docs/gallery from the sample portrait (NASA, public domain).

usage: python tools/gallery.py [SHEET ...]      sheets: six-rounds, eight, settings, expressions, lights
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from portrayal import assets
from portrayal.bench import six_rounds
from portrayal.bench.sheets import Tile, contact_sheet
from portrayal.engines.studio.head.presets import presets
from portrayal.engines.studio.light.rigs import lights
from portrayal.engines.studio.scenes import settings
from portrayal.imaging import U8, decode
from portrayal.pipeline import portray
from portrayal.request import Request

GALLERY = Path(__file__).parents[1] / "docs" / "gallery"
SAMPLE = assets.path("sample/astronaut.png").read_bytes()


def picture(prompt: str, seed: int) -> Tile:
    """One picture as a tile; the caption is the prompt."""
    made = portray(Request.make(prompt=prompt, reference=SAMPLE, seed=seed)).pictures[0]
    return Tile(decode(made.data), prompt, f"same person {made.proof.score:.2f}", made.proof.same_person)


def grid(tiles: list[Tile], columns: int, title: str, side: int) -> U8:
    """Tiles in rows without names."""
    rows = [("", tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return contact_sheet(rows, title, side)


def rounds() -> U8:
    """The six rounds."""
    with tempfile.TemporaryDirectory() as folder:
        report = six_rounds.run(SAMPLE, Path(folder), "balanced", lambda stage, fraction: None)
        print(f"{report['passed']} of {report['checks']} checks passed")
        return decode(Path(report["contact_sheet"]).read_bytes())


def eight() -> U8:
    """Eight pictures of one request."""
    request = Request.make(prompt="a portrait in a coffee shop", reference=SAMPLE, seed=70, num_images=8)
    tiles = [Tile(decode(p.data), f"seed {p.seed}") for p in portray(request).pictures]
    return grid(tiles, 4, 'One request, eight pictures: "a portrait in a coffee shop"', 420)


SHEETS: dict[str, Callable[[], U8]] = {
    "six-rounds": rounds,
    "eight": eight,
    "settings": lambda: grid(
        [picture(name, 300 + i) for i, name in enumerate(settings())], 8, f"{len(settings())} settings", 230
    ),
    "expressions": lambda: grid(
        [picture(f"close-up, {name}, grey backdrop", 30) for name in presets()], 5, f"{len(presets())} expressions", 340
    ),
    "lights": lambda: grid(
        [picture(f"{name} light, grey backdrop", 50) for name in lights()], 6, f"{len(lights())} lights", 280
    ),
}


def main() -> None:
    """Make the named sheets, or all."""
    GALLERY.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or SHEETS:
        image = Image.fromarray(np.ascontiguousarray(SHEETS[name]()))
        image.thumbnail((2000, 4000), Image.Resampling.LANCZOS)
        image.save(GALLERY / f"{name}.jpg", quality=86, optimize=True)
        print(f"docs/gallery/{name}.jpg {image.size}")


if __name__ == "__main__":
    main()
