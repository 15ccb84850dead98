"""The sheets under docs/gallery, each made from the sample portrait (NASA, public domain) by one command."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from portrayal.bench import gallery_edits, gallery_styles, gallery_templates, gallery_wardrobe, six_rounds
from portrayal.bench.gallery_parts import grid, sample, told
from portrayal.bench.sheets import Tile
from portrayal.engines.base import Progress, silent
from portrayal.engines.studio.head.presets import presets
from portrayal.engines.studio.light.rigs import lights
from portrayal.engines.studio.scenes import settings
from portrayal.errors import InvalidRequestError
from portrayal.imaging import U8, decode, write_file
from portrayal.pipeline import portray
from portrayal.request import Request

_LARGEST: Final = (2000, 4000)
_QUALITY: Final = 86


def _rounds() -> U8:
    with tempfile.TemporaryDirectory() as folder:
        report = six_rounds.run(sample(), Path(folder), "balanced", silent)
        return decode(Path(report["contact_sheet"]).read_bytes())


def _eight() -> U8:
    request = Request.make(prompt="a portrait in a coffee shop", reference=sample(), seed=70, num_images=8)
    tiles = [Tile(decode(p.data), f"seed {p.seed}") for p in portray(request).pictures]
    return grid(tiles, 4, 'One request, eight pictures: "a portrait in a coffee shop"', 420)


SHEETS: Final[dict[str, Callable[[], U8]]] = {
    "six-rounds": _rounds,
    "eight": _eight,
    "settings": lambda: grid(
        [told(name, 300 + i) for i, name in enumerate(settings())], 8, f"{len(settings())} settings", 230
    ),
    "expressions": lambda: grid(
        [told(f"close-up, {name}, grey backdrop", 30) for name in presets()], 5, f"{len(presets())} expressions", 340
    ),
    "lights": lambda: grid(
        [told(f"{name} light, grey backdrop", 50) for name in lights()], 6, f"{len(lights())} lights", 280
    ),
    **gallery_wardrobe.SHEETS,
    **gallery_edits.SHEETS,
    **gallery_styles.SHEETS,
    **gallery_templates.SHEETS,
}


def make(names: Sequence[str], folder: Path, progress: Progress) -> list[Path]:
    """Make the named sheets, or all of them, as small JPEG files.

    Raises:
        InvalidRequestError: there is no sheet of that name.
    """
    unknown = [name for name in names if name not in SHEETS]
    if unknown:
        raise InvalidRequestError(
            f"there is no sheet {unknown[0]!r}", field="sheet", remedy=f"Use one of: {', '.join(SHEETS)}."
        )
    made = []
    wanted = list(names) or list(SHEETS)
    for i, name in enumerate(wanted):
        progress(f"sheet {name}", i / len(wanted))
        with tempfile.TemporaryFile() as file:
            image = Image.fromarray(np.ascontiguousarray(SHEETS[name]()))
            image.thumbnail(_LARGEST, Image.Resampling.LANCZOS)
            image.save(file, "JPEG", quality=_QUALITY, optimize=True)
            file.seek(0)
            path = folder / f"{name}.jpg"
            write_file(path, file.read())
        made.append(path)
    progress("done", 1.0)
    return made
