"""Which figures pass as photographs: `passes.toml`, judged by eye at 1024 pixels."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final, get_args

from portrayal.engines.studio.figure.dress import wear
from portrayal.engines.studio.figure.types import Framing, Stance
from portrayal.engines.studio.types import Notes
from portrayal.engines.studio.wardrobe.outfit import Outfit

_ORDER: Final[tuple[Framing, ...]] = get_args(Framing)
# A sleeve of 2 ends at the wrist, of 1 at the elbow.
_LONG: Final = 1.5


@cache
def table() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Cover of the outfit -> framing -> poses that pass."""
    text = resources.files("portrayal.engines.studio.figure").joinpath("passes.toml").read_text("utf-8")
    raw = tomllib.loads(text)
    return MappingProxyType({cover: {f: tuple(p) for f, p in entry.items()} for cover, entry in raw.items()})


def cover_of(outfit: Outfit) -> str:
    """ "covered" = arms and legs under cloth, "costume" = a garment that never passes, "bare" = all else."""
    if outfit.garment in table()["costume"]["garments"]:
        return "costume"
    worn = wear(outfit)
    legs = worn.lower.kind not in ("skirt", "shorts", "bare")
    return "covered" if worn.top.sleeve > _LONG and legs else "bare"


def passes(pose: str, framing: Framing, outfit: Outfit) -> bool:
    """Whether a figure passes as a photograph."""
    cover = cover_of(outfit)
    return cover != "costume" and pose in table()[cover].get(framing, ())


def photographic(stance: Stance, notes: Notes) -> Stance:
    """The stance in the closest framing from the wished one outwards in which it passes as a photograph.

    Args:
        stance: as wished.
        notes: gets a warning for what is changed, or does not pass in any framing.
    """
    first = _ORDER.index(stance.framing)
    for framing in _ORDER[first:]:
        if passes(stance.pose, framing, stance.outfit):
            if framing != stance.framing:
                notes.warnings.append(
                    f"framing {stance.framing!r}: a photograph of {stance.pose} is only convincing from farther away, "
                    f"so the picture is {framing!r}"
                )
            return replace(stance, framing=framing)
    notes.warnings.append(f"a photograph of {stance.pose} looks modelled; a drawn look suits it better")
    return stance
