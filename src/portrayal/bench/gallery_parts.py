"""What the sheets of the gallery are put together from."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np

from portrayal import assets
from portrayal.bench.sheets import Tile, contact_sheet
from portrayal.bench.stand_in import stand_in
from portrayal.imaging import U8, decode, encode_png
from portrayal.pipeline import portray
from portrayal.request import Request
from portrayal.result import Picture

ORANGE: Final = (255, 120, 30)


@lru_cache(1)
def sample() -> bytes:
    """The sample portrait."""
    return assets.path("sample/astronaut.png").read_bytes()


def portrayed(**values: Any) -> Picture:
    """One picture of a request."""
    return portray(Request.make(**values)).pictures[0]


def told(prompt: str, seed: int) -> Tile:
    """A picture of the sample as a tile; the caption is the prompt."""
    return tile(portrayed(prompt=prompt, reference=sample(), seed=seed), prompt)


def tile(made: Picture, caption: str) -> Tile:
    """A result with its score."""
    detail, good = "", True
    if made.cast:
        detail = "  ".join(f"{s.name}: {s.score:.2f}" for s in made.cast)
        good = all(s.same_person for s in made.cast)
    elif made.identity is not None:
        detail, good = f"same person {made.identity.score:.2f}", made.identity.same_person
        before = made.facts.get("distance_before")
        if before is not None:
            detail = f"distance {before:.2f} before, {made.identity.distance:.2f} after"
    return Tile(decode(made.data), caption, detail, good)


def grid(tiles: list[Tile], columns: int, title: str, side: int, subtitle: str = "") -> U8:
    """Tiles in rows without names."""
    rows = [("", tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return contact_sheet(rows, title, side, subtitle=subtitle)


@lru_cache(32)
def scene_with(person: str, prompt: str, seed: int, size: tuple[int, int] = (1024, 1024)) -> bytes:
    """A picture of somebody else: a stand-in, made from the sample."""
    return portrayed(prompt=prompt, reference=stand_in(person), seed=seed, size=size).data


def outlined(image: U8, mask: U8) -> U8:
    """The picture with the mask's outline and a tint under it, as a mask editor shows it."""
    shown = image.astype(np.float32)
    chosen = mask > 127
    shown[chosen] = 0.72 * shown[chosen] + 0.28 * np.array(ORANGE, np.float32)
    out = np.asarray(shown + 0.5, np.uint8).copy()
    lines, _ = cv2.findContours(chosen.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(out, lines, -1, ORANGE, max(2, image.shape[0] // 300), cv2.LINE_AA)
    return out


def on_checks(rgba: U8) -> U8:
    """A transparent picture over a checkerboard."""
    height, width = rgba.shape[:2]
    y, x = np.mgrid[0:height, 0:width] // 24
    ground = np.where(((x + y) % 2)[..., None] > 0, 235.0, 200.0)
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return np.asarray(rgba[..., :3] * alpha + ground * (1 - alpha) + 0.5, np.uint8)


def mask_file(mask: U8) -> bytes:
    """A mask as PNG bytes."""
    return encode_png(np.repeat(mask[..., None], 3, -1))
