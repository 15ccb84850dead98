"""What somebody wears, chosen from the words: one garment, the cloth of its parts, things on the head, hair.

The words come as a `ScenePlan`; here every colour gets its number and everything that they leave open is chosen, by
the seed where there is a choice. `choose.toml` holds the usual cloth of each garment and what goes over what.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np

from portrayal import colours
from portrayal.engines.studio.types import Notes
from portrayal.engines.studio.wardrobe.outfit import Cloth, Hair, Outfit, Thing
from portrayal.prompting.plan import Garment, ScenePlan

_STREAM = 505  # of random numbers; others draw from the same seed
_HEAD = (
    "glasses", "sunglasses", "hat", "cap", "beanie", "helmet", "crown", "headphones", "earrings",
)  # fmt: skip


@lru_cache(1)
def table() -> Mapping[str, Any]:
    """The file `choose.toml`."""
    text = resources.files(__package__).joinpath("choose.toml").read_text("utf-8")
    return MappingProxyType(tomllib.loads(text))


def choose(plan: ScenePlan, seed: int, notes: Notes) -> Outfit | None:
    """The outfit of a plan.

    Args:
        plan: what the words say.
        seed: decides what they leave open, and the fall of the folds.
        notes: takes warnings on what is not worn.

    Returns:
        None when no garment is named: nothing is said of clothes, or only of the colour of those that are worn anyway.
    """
    worn = [g for g in plan.outfit if g.item in table()["garments"]]
    added = [g for g in plan.accessory_details if g.item in table()["parts"]]
    if not worn and not added:
        return None
    rng = np.random.default_rng([seed, _STREAM])
    if not worn:
        worn = [Garment(text="", item=table()["parts"][added[0].item]["with"])]
    main = max(worn, key=_layer)  # the first of the outermost
    assert main.item is not None
    known = table()["garments"][main.item]
    parts = {name: _cloth(None, usual, rng) for name, usual in known.get("parts", {}).items()}
    for garment in worn:
        assert garment.item is not None
        if garment is main:
            continue
        if known["inner"] and _layer(garment) < _layer(main):
            parts[known["inner"]] = _cloth(garment, table()["garments"][garment.item], rng)
        else:
            notes.warnings.append(f"not portrayed: {garment.text}; the {main.item} is worn")
    for thing in added:
        assert thing.item is not None
        parts[thing.item] = _cloth(thing, table()["parts"][thing.item], rng)
    without = frozenset(u.value for u in plan.negative if u.kind == "accessory" and u.value in table()["parts"])
    return Outfit(
        garment=main.item,
        main=_cloth(main, known, rng),
        parts=MappingProxyType({name: cloth for name, cloth in parts.items() if name not in without}),
        without=without,
        neck=main.cut,
        seed=seed,
    )


def things(plan: ScenePlan) -> tuple[Thing, ...]:
    """What is worn on the head, in the order of the words."""
    return tuple(
        Thing(g.item, colours.hex_of(g.colour) if g.colour else None, g.fabric, g.pattern)
        for g in plan.accessory_details
        if g.item in _HEAD
    )


def hair(plan: ScenePlan) -> Hair | None:
    """What the words say of hair; None when they say nothing."""
    if plan.hair is None or (plan.hair.colour is None and plan.hair.length is None):
        return None
    return Hair(colours.hex_of(plan.hair.colour) if plan.hair.colour else None, plan.hair.length)


def _layer(garment: Garment) -> int:
    return int(table()["garments"][garment.item]["layer"])


def _cloth(said: Garment | None, usual: Mapping[str, Any], rng: np.random.Generator) -> Cloth:
    """What is said of a piece, completed by what is usual; the same numbers are drawn whatever is said."""
    drawn = str(rng.choice(usual["colours"]))
    colour = (said and said.colour) or drawn
    return Cloth(
        colour=colours.hex_of(colour),
        fabric=(said and said.fabric) or str(usual["fabric"]),
        pattern=(said and said.pattern) or usual.get("pattern"),
        second=colours.hex_of(said.second) if said and said.second else None,
    )


def unworn(plan: ScenePlan, outfit: Outfit | None, *, figure: bool = False) -> list[str]:
    """Sentences on what was read and is not in the picture.

    Args:
        plan: what the words say.
        outfit: what is worn in the picture; None when the clothes of the reference are kept.
        figure: whether a whole body is shown, in the pose of the plan.
    """
    said = [f"not portrayed: {phrase}" for phrase in plan.unknown]
    for garment in plan.outfit if outfit is None else ():
        if garment.item or garment.pattern or garment.fabric:
            own = f"; the clothes of the reference are kept, in {garment.colour}" if garment.colour else ""
            said.append(f"not portrayed: {garment.text}{own or '; the clothes of the reference are kept'}")
    if plan.pose and not figure:
        said.append(f"not portrayed: {plan.pose} (the body of the reference is kept)")
    return said
