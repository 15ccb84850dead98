"""Sheets of the wardrobe: garments, what is worn on the head, poses of the whole figure, drawn and photographed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from portrayal.bench.gallery_parts import grid, portrayed, sample, tile
from portrayal.bench.sheets import Tile
from portrayal.engines.studio import looks
from portrayal.engines.studio.accessories.data import things
from portrayal.engines.studio.figure.poses import poses
from portrayal.engines.studio.wardrobe.data import garments
from portrayal.imaging import U8

# What each garment is asked for with, where its plain name is not the best picture of it.
_WORN: Final[Mapping[str, str]] = {
    "suit": "navy pinstripe suit with a red tie, in an office",
    "tuxedo": "tuxedo, in a ballroom",
    "blazer": "camel blazer, ivory backdrop",
    "shirt": "light blue shirt, in an office",
    "t-shirt": "navy and white striped T-shirt, on a beach",
    "polo": "forest green polo shirt, in a park",
    "turtleneck": "cream turtleneck, teal backdrop",
    "sweater": "burgundy knitted sweater, in a coffee shop",
    "hoodie": "grey hoodie, on a city street",
    "denim jacket": "denim jacket over a white T-shirt, on a bridge",
    "leather jacket": "black leather jacket, on a neon street at night",
    "trench coat": "beige trench coat, rainy street",
    "coat": "camel wool coat, in a snowy park",
    "parka": "olive parka, in a snowy forest",
    "scarf": "red wool scarf, at a mountain lake",
    "evening dress": "emerald silk evening dress, burgundy backdrop",
    "dress": "blue floral dress, in a garden",
    "lab coat": "lab coat, in a laboratory",
    "scrubs": "teal scrubs, in a hospital",
    "chef": "chef's jacket, in a kitchen",
    "uniform": "navy uniform, on a bridge",
    "high-visibility vest": "high-visibility vest, in a warehouse",
    "armour": "knight's armour, at a castle",
    "kimono": "indigo floral kimono, in a garden",
    "sari": "magenta silk sari, at a palace",
    "superhero": "superhero suit, on a rooftop at sunset",
    "spacesuit": "white spacesuit, in space",
    "toga": "toga, in ancient ruins",
}
_THINGS: Final[Mapping[str, str]] = {
    "glasses": "round glasses and a burgundy sweater, in a library",
    "sunglasses": "sunglasses and a navy and white striped T-shirt, on a beach",
    "hat": "brown fedora hat and a beige trench coat, on a city street",
    "cap": "navy baseball cap and a grey hoodie, in a park",
    "beanie": "mustard beanie and an olive parka, in a snowy forest",
    "helmet": "white helmet and a leather jacket, on a street",
    "crown": "gold crown and armour, at a castle",
    "headphones": "black headphones and a teal T-shirt, grey backdrop",
    "earrings": "pearl earrings and an emerald evening dress, burgundy backdrop",
    "necklace": "gold necklace and a black V-neck sweater, ivory backdrop",
    "tie": "white shirt with a striped navy tie, in an office",
    "bow tie": "white shirt with a red bow tie, in a lobby",
    "scarf": "red scarf and a charcoal coat, at a mountain lake",
}


# Each pose with clothes and a place that suit it.
_POSED: Final[Mapping[str, str]] = {
    "standing": "full body, standing in a navy suit, in a lobby",
    "contrapposto": "contrapposto, in a yellow summer dress, in a garden",
    "hands in pockets": "hands in pockets, in a grey suit, on a city street",
    "hands behind back": "hands behind her back, in a uniform, on a bridge",
    "hands on hips": "hands on hips, superhero, on a rooftop at sunset",
    "arms crossed": "arms crossed, in a grey suit, in an office",
    "waving": "waving, in a red sweater, on a beach",
    "pointing": "pointing, in a lab coat, in a laboratory",
    "thinking": "thinking, in a burgundy turtleneck, in a library",
    "sitting on a chair": "sitting on a chair, in a hoodie, in a library",
    "sitting on a stool": "sitting on a stool, in a denim jacket, in a bar",
    "sitting on a bench": "sitting on a bench, in a green coat, in a park",
    "walking": "walking, in a navy suit, on a city street",
    "running": "running, in a red T-shirt, in a forest",
    "jumping": "jumping, in a yellow T-shirt, on a beach",
    "holding a sign": 'holding a sign that says "HELLO", in a sweater, in a garden',
    "holding a cup": "holding a cup of coffee, in a cream sweater, in a coffee shop",
    "cycling": "cycling, in a red sweater, in a park",
    "flying": "flying superhero, over the city at sunset",
    "arms raised": "arms raised, in a teal sweater, at a mountain lake",
}


def _named(name: str, prompt: str, seed: int) -> Tile:
    """A picture of the sample whose caption is shorter than its prompt."""
    return tile(portrayed(prompt=prompt, reference=sample(), seed=seed), name)


def _garments() -> U8:
    order = [*_WORN, *(name for name in garments() if name not in _WORN)]
    tiles = [_named(name, f"bust portrait wearing a {_WORN.get(name, name)}", 500 + i) for i, name in enumerate(order)]
    return grid(tiles, 7, f"{len(tiles)} garments", 300)


def _accessories() -> U8:
    order = [*_THINGS, *(name for name in things() if name not in _THINGS)]
    tiles = [_named(name, f"wearing {_THINGS.get(name, name)}", 600 + i) for i, name in enumerate(order)]
    return grid(tiles, 5, f"{len(tiles)} accessories", 380)


def _poses() -> U8:
    tiles = [_named(name, _POSED.get(name, name), 700 + i) for i, name in enumerate(poses())]
    return grid(tiles, 5, f"{len(tiles)} poses, drawn as prompts for the whole body are", 400)


def _looks() -> U8:
    words = [(name, "ink drawing" if name == "ink" else name) for name in looks.names()]
    tiles: list[Tile] = []
    for i in range(0, len(words), _LOOKS):  # whole figures, and the same looks as portraits below
        part = words[i : i + _LOOKS]
        tiles += [_named(name, f"walking in a garden in a red sweater, {say}", 760) for name, say in part]
        tiles += [_named(name, f"portrait in a garden, {say}", 761) for name, say in part]
    return grid(tiles, _LOOKS, f"{len(words)} drawn looks", 280)


_LOOKS: Final = 8


SHEETS: Final[dict[str, Callable[[], U8]]] = {
    "garments": _garments,
    "accessories": _accessories,
    "poses": _poses,
    "looks": _looks,
}
