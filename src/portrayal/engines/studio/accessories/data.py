"""The things that are offered: `things.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np

from portrayal import colours
from portrayal.engines.studio.cloth import fabrics
from portrayal.engines.studio.wardrobe.outfit import Cloth, Thing

_STREAM = 808  # of random numbers; others draw from the same seed


@dataclass(frozen=True)
class Kind:
    """One kind of thing.

    Attributes:
        id: as in the vocabulary.
        cloth: what it is made of when the words do not say.
        cuts: shapes that words may ask for.
        any: those of which the seed takes one; empty = it has one shape.
        of: cloth of single shapes, and colour of single materials, where it is another.
        shaped: the shape that a material goes with: a straw hat is wide.
        bar_extra: distance to the reference that the face may have more.
        rise: by shape, how far it reaches above the middle of the face, in heights of the face; 0 = not over hair.
    """

    id: str
    cloth: Cloth
    cuts: tuple[str, ...]
    any: tuple[str, ...]
    of: Mapping[str, Cloth]
    shaped: Mapping[str, str]
    bar_extra: float
    rise: Mapping[str, float]

    def cut(self, thing: Thing, seed: int) -> str:
        """The shape of a thing: what is asked for, where it is known, or what the seed takes."""
        if thing.cut in self.cuts:
            return str(thing.cut)
        if thing.fabric in self.cuts:  # "pearl earrings"
            return str(thing.fabric)
        if thing.fabric is not None and thing.fabric in self.shaped:
            return self.shaped[thing.fabric]
        if not self.any:
            return ""
        return str(np.random.default_rng([seed, _STREAM]).choice(list(self.any)))

    def made_of(self, thing: Thing, cut: str) -> Cloth:
        """Colour and material of a thing."""
        usual = self.of.get(thing.fabric or "") or self.of.get(cut, self.cloth)
        fabric = thing.fabric if thing.fabric in fabrics.names() else usual.fabric
        return Cloth(thing.colour or usual.colour, fabric, thing.pattern)


def reach(worn: Sequence[Thing], seed: int) -> float:
    """How far things on the head reach above the middle of the face, in heights of the face; 0 = not above hair."""
    found = [0.0]
    for thing in worn:
        kind = things().get(thing.item)
        if kind is not None:
            found.append(kind.rise.get(kind.cut(thing, seed), kind.rise[""]))
    return max(found)


@lru_cache(1)
def things() -> Mapping[str, Kind]:
    """All things that are offered, by id."""
    raw = tomllib.loads(resources.files(__package__).joinpath("things.toml").read_text("utf-8"))
    return MappingProxyType({name: _kind(name, entry) for name, entry in raw.items()})


def _kind(name: str, entry: Mapping[str, Any]) -> Kind:
    usual = _cloth(entry)
    return Kind(
        id=name,
        cloth=usual,
        cuts=tuple(entry["cuts"]),
        any=tuple(entry["any"]),
        of=MappingProxyType({cut: _cloth({**entry, **other}) for cut, other in entry.get("of", {}).items()}),
        shaped=MappingProxyType(dict(entry.get("shaped", {}))),
        bar_extra=float(entry["bar_extra"]),
        rise=MappingProxyType({"": float(entry.get("rise", 0.0)), **entry.get("rises", {})}),
    )


def _cloth(entry: Mapping[str, Any]) -> Cloth:
    colour = entry["colour"]
    return Cloth(colour if colour.startswith("#") else colours.hex_of(colour), entry["fabric"])
