"""Garments as data: `garments/*.toml`.

A garment is a table of its id::

    ["t-shirt"]
    title = "T-shirt"
    main = {colour = "white", fabric = "jersey"}     # colour names of `data/colours.toml`, or "#rrggbb"
    parts = {inner = {colour = "white", fabric = "jersey"}}   # cloth of its other parts
    without = ["inner"]                              # parts that words may exclude
    necks = ["crew", "v"]                            # openings it can have, its own first
    high = false                                     # whether it may rise above y = -9 cm (hoods, high collars)
    build = [ {part = "skin"}, {part = "panel", offset = 0.55, ...}, ... ]

Each entry of `build` calls the function registered in `parts` with its other keys, in this order. Four keys are
common to all: `role` (the name of the cloth that it is made of, default "main"; left out when that role is
excluded), `only` (a role
or several: built only when the outfit has one of them), `unless` (roles: not built when it has one), `necks` (built
only with one of these openings). Extras (scarf, tie, necklace) are
tables `["extra.scarf"]` with a `build` of their own: worn over any garment when the outfit names their role and
the garment does not have it by itself.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from portrayal.engines.studio.wardrobe.outfit import Cloth, Outfit
from portrayal.errors import InvalidRequestError

_KEYS = {"title", "main", "parts", "without", "necks", "high", "build"}


@dataclass(frozen=True)
class Garment:
    """One kind of clothes.

    Attributes:
        id: as in the vocabulary.
        title: for people.
        main: default cloth.
        parts: default cloth of its other parts, by role.
        without: roles that words may exclude.
        necks: openings that it can have, its own first; empty = none to choose.
        high: whether it may rise above y = -9 cm of the bust.
        build: its parts, from the back to the front.
    """

    id: str
    title: str
    main: Cloth
    parts: Mapping[str, Cloth]
    without: frozenset[str]
    necks: tuple[str, ...]
    high: bool
    build: tuple[Mapping[str, Any], ...]

    def roles(self) -> frozenset[str]:
        """Every role that some part of it is made of."""
        return frozenset(role for p in self.build for key in ("role", "only") for role in _names(p, key))


def _names(entry: Mapping[str, Any], key: str) -> frozenset[str]:
    """One name or several under a key."""
    value = entry.get(key, ())
    return frozenset((value,) if isinstance(value, str) else value)


@lru_cache(1)
def _tables() -> tuple[Mapping[str, Garment], Mapping[str, tuple[Mapping[str, Any], ...]]]:
    garments: dict[str, Garment] = {}
    extras: dict[str, tuple[Mapping[str, Any], ...]] = {}
    folder = resources.files(__package__) / "garments"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".toml"):
            continue
        for name, entry in tomllib.loads(file.read_text("utf-8")).items():
            if name.startswith("extra."):
                extras[name.removeprefix("extra.")] = tuple(entry["build"])
                continue
            unknown = set(entry) - _KEYS
            if unknown or name in garments:
                raise ValueError(f"{file.name}: {name} is there twice or has unknown keys {sorted(unknown)}")
            garments[name] = Garment(
                id=name,
                title=entry["title"],
                main=_cloth(entry["main"]),
                parts=MappingProxyType({role: _cloth(value) for role, value in entry.get("parts", {}).items()}),
                without=frozenset(entry.get("without", ())),
                necks=tuple(entry.get("necks", ())),
                high=bool(entry.get("high", False)),
                build=tuple(entry["build"]),
            )
    return MappingProxyType(garments), MappingProxyType(extras)


@lru_cache(1)
def _colours() -> Mapping[str, str]:
    return tomllib.loads(resources.files("portrayal.data").joinpath("colours.toml").read_text("utf-8"))


def _cloth(entry: Mapping[str, str]) -> Cloth:
    def code(name: str | None) -> str | None:
        return name if name is None or name.startswith("#") else _colours()[name]

    return Cloth(code(entry["colour"]) or "", entry["fabric"], entry.get("pattern"), code(entry.get("second")))


def garments() -> Mapping[str, Garment]:
    """All garments by id."""
    return _tables()[0]


def extras() -> Mapping[str, tuple[Mapping[str, Any], ...]]:
    """What may be worn over any garment, by role: the parts that build it."""
    return _tables()[1]


def garment(name: str) -> Garment:
    """The garment of an id.

    Raises:
        InvalidRequestError: when there is none.
    """
    found = garments().get(name)
    if found is None:
        known = ", ".join(garments())
        raise InvalidRequestError(f"there is no garment {name!r}", field="outfit", remedy=f"Use one of: {known}.")
    return found


def completed(outfit: Outfit) -> Outfit:
    """The outfit with the garment's own cloth for every part that it does not name, and an opening it can have."""
    kind = garment(outfit.garment)
    parts = MappingProxyType({**kind.parts, **outfit.parts})
    neck = outfit.neck if outfit.neck in kind.necks else (kind.necks[0] if kind.necks else None)
    return replace(outfit, parts=parts, neck=neck)


def build(outfit: Outfit) -> list[Mapping[str, Any]]:
    """The parts to build, in order, of a completed outfit."""
    kind = garment(outfit.garment)
    named = {role for role in outfit.parts if role not in outfit.without}
    chosen = [
        p
        for p in kind.build
        if p.get("role", "main") not in outfit.without
        and ("only" not in p or named & _names(p, "only"))
        and not named & _names(p, "unless")
        and ("necks" not in p or outfit.neck in p["necks"])
    ]
    own = kind.roles()
    for role, more in extras().items():
        if role in named and role not in own:
            chosen += more
    return chosen
