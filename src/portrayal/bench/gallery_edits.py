"""Sheets of edit, remix, reframe, background and cast.

The other people in them are stand-ins: the sample portrait itself, made into another face (`stand_in`).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image

from portrayal.bench.gallery_parts import (
    grid,
    mask_file,
    on_checks,
    outlined,
    portrayed,
    sample,
    scene_with,
    tile,
)
from portrayal.bench.sheets import Tile, contact_sheet
from portrayal.bench.stand_in import stand_in
from portrayal.engines.studio import scenes
from portrayal.engines.studio.edit.target import choose_face, face_mask, faces_in, head_mask
from portrayal.engines.studio.light.finish import finish
from portrayal.engines.studio.types import Notes, Shot
from portrayal.imaging import U8, decode, encode_png
from portrayal.request import CharacterReference

_OTHERS: Final = "The other people are stand-ins, made from the sample portrait itself; nobody else's face is used."
_STRENGTHS: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def empty_scene(setting: str, seed: int, size: tuple[int, int] = (1024, 1024), time: str | None = None) -> U8:
    """A place without anybody, from the studio's own scenes."""
    shot = Shot(*size, time=time, seed=seed, aperture=0.010)
    plate = scenes.photograph(setting, shot, Notes())
    return finish(plate.radiance, grade=plate.grade, look="photo", exposure=plate.exposure, seed=seed, speed="balanced")


def _before_after(scene: bytes, mask: U8, name: str, **request: object) -> tuple[str, list[Tile]]:
    image = decode(scene)
    made = portrayed(operation="edit", image=scene, edit_mask=mask_file(mask), **request)
    caption = str(request.get("prompt") or name)
    return name, [Tile(outlined(image, mask), "the picture and its mask"), tile(made, caption)]


def _edit() -> U8:
    rows: list[tuple[str, list[Tile]]] = []
    for person, prompt, kind, seed in (
        ("red", "portrait in a library, looking left", "face", 11),
        ("fair", "portrait on a beach at golden hour, laughing", "face", 12),
        ("dark", "portrait in an office", "head", 13),
        ("red", "portrait on a neon street at night", "head", 14),
    ):
        scene = scene_with(person, prompt, seed)
        image = decode(scene)
        shape = image.shape[:2]
        face = choose_face(faces_in(image, (0, 0, shape[1], shape[0])), None)
        mask = face_mask(shape, face) if kind == "face" else head_mask(shape, face, None)
        rows.append(_before_after(scene, mask, kind, reference=sample(), seed=1))
    places: tuple[tuple[str, str | None, tuple[int, int, int, int], str], ...] = (
        ("coffee shop", None, (170, 150, 880, 1024), "in a coffee shop"),
        ("beach", "sunset", (180, 120, 860, 1024), "on a beach"),
    )
    for setting, time, (x0, y0, x1, y1), words in places:
        scene = encode_png(empty_scene(setting, 21, time=time))
        mask = np.zeros((1024, 1024), np.uint8)
        mask[y0:y1, x0:x1] = 255
        rows.append(_before_after(scene, mask, "empty place", reference=sample(), seed=1, prompt=f"she stands {words}"))
    rows += [_recoloured(), _removed()]
    pairs = [tiles for _, tiles in rows]
    lines = [(rows[i][0], pairs[i] + pairs[i + 1]) for i in range(0, len(pairs), 2)]
    return contact_sheet(
        lines,
        "Edit: the character under the mask, nothing else changes",
        440,
        subtitle="Outside of the mask every pixel stays equal to the bit. " + _OTHERS,
    )


def _recoloured() -> tuple[str, list[Tile]]:
    scene = scene_with("dark", "portrait in an office", 13)
    words = "make the clothes burgundy"
    made = portrayed(operation="edit", image=scene, prompt=words, seed=1)
    return "changes", [Tile(decode(scene), "the picture, no mask"), tile(made, words)]


def _removed() -> tuple[str, list[Tile]]:
    scene = empty_scene("coffee shop", 21)
    mask = np.zeros((1024, 1024), np.uint8)
    for x0, y0, x1, y1 in ((350, 80, 520, 330), (690, 180, 900, 330)):
        mask[y0:y1, x0:x1] = 255
    return _before_after(encode_png(scene), mask, "", prompt="remove the lamps", seed=1)


def _remix() -> U8:
    rows = []
    for person, prompt, seed in (
        ("red", "portrait in a library, looking left", 11),
        ("fair", "portrait on a beach at golden hour", 15),
        ("dark", "portrait on a neon street at night", 16),
    ):
        inspiration = scene_with(person, prompt, seed)
        tiles = [Tile(decode(inspiration), "the inspiration")]
        for strength in _STRENGTHS:
            made = portrayed(operation="remix", image=inspiration, reference=sample(), strength=strength, seed=3)
            tiles.append(tile(made, f"strength {strength:.1f}"))
        rows.append(("", tiles))
    return contact_sheet(rows, "Remix: from its colours and light to the very picture", 300, subtitle=_OTHERS)


def _reframe() -> U8:
    rows = []
    wide = (("16:9", (1312, 736)), ("4:3", (1152, 864)))
    tall = (("4:5", (896, 1120)), ("9:16", (736, 1312)))
    for prompt, seed, sizes in (
        ("portrait in a snowy forest", 31, (*wide, ("3:2", (1248, 832)), ("5:4", (1120, 896)))),
        ("portrait on a beach at sunset", 32, (*wide, *tall)),
        ("portrait, teal backdrop", 33, (*wide, *tall)),
    ):
        picture = portrayed(prompt=prompt, reference=sample(), seed=seed).data
        tiles = [Tile(decode(picture), "1:1, as it was")]
        for name, size in sizes:
            made = portrayed(operation="reframe", image=picture, size=size, seed=1)
            tiles.append(Tile(decode(made.data), name))
        rows.append(("", tiles))
    return contact_sheet(rows, "Reframe: what is missing is painted on", 380)


def _background() -> U8:
    rows = []
    for prompt, seed in (("portrait in an office", 41), ("portrait, looking right, ivory backdrop", 42)):
        picture = portrayed(prompt=prompt, reference=sample(), seed=seed).data
        cut = portrayed(operation="remove-background", image=picture)
        tiles = [Tile(decode(picture), "as it was"), Tile(on_checks(_rgba(cut.data)), "removed")]
        for words in (
            "a beach at sunset",
            "a snowy forest",
            "a neon street at night",
            "navy backdrop",
        ):
            made = portrayed(operation="replace-background", image=picture, prompt=words, seed=5)
            tiles.append(Tile(decode(made.data), words))
        rows.append(("", tiles))
    return contact_sheet(rows, "Background: removed, or replaced with its light", 330)


def _rgba(data: bytes) -> U8:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"), np.uint8)


def _cast() -> U8:
    ada, red, fair = (
        CharacterReference(image=data, name=name)
        for name, data in (("ada", sample()), ("red", stand_in("red")), ("fair", stand_in("fair")))
    )
    tiles = []
    for characters, prompt, size in (
        ((ada, red), "two people in a coffee shop", (1024, 1024)),
        ((red, ada), "two people on a beach at golden hour, smiling", (1152, 864)),
        ((ada, fair), "two people, charcoal backdrop, softbox", (1024, 1024)),
        ((ada, red, fair), "three people in a library", (1312, 736)),
        ((fair, ada, red), "three people on a neon street at night", (1312, 736)),
        ((red, ada), "two people in a snowy forest", (896, 1120)),
    ):
        made = portrayed(prompt=prompt, characters=characters, size=size, seed=6)
        tiles.append(tile(made, prompt))
    return grid(tiles, 3, "Casts: everybody keeps their own face", 560, _OTHERS)


SHEETS: Final[dict[str, Callable[[], U8]]] = {
    "edit": _edit,
    "remix": _remix,
    "reframe": _reframe,
    "background": _background,
    "cast": _cast,
}
