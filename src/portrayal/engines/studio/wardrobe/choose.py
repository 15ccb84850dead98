"""What somebody wears, chosen from the words: one garment, the cloth of its parts, things on the head, hair.

The words come as a `ScenePlan`; here every colour gets its number and everything that they leave open is chosen, by
the seed where there is a choice. Of several garments the outermost is worn and shows what it shows of the others;
where two exclude each other, the first that is named stays. `choose.toml` holds what goes over what.
"""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np

from portrayal import colours
from portrayal.engines.studio import avoid
from portrayal.engines.studio.cloth.patterns import natural
from portrayal.engines.studio.recolour import REWOVEN
from portrayal.engines.studio.types import Notes
from portrayal.engines.studio.wardrobe import data
from portrayal.engines.studio.wardrobe.outfit import Cloth, Hair, Outfit, Thing
from portrayal.prompting.nearest import called, nearest
from portrayal.prompting.plan import Garment, ScenePlan

_STREAM = 505  # of random numbers; others draw from the same seed
_LONG = 100  # letters of an unknown phrase that are quoted
_MOST = 30  # sentences about unknown words; a list of five hundred helps nobody
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
        notes: takes warnings on garments that are named and not worn.

    Returns:
        None when no garment is named: nothing is said of clothes, or only the colour, the pattern or the cloth of
        those that are worn anyway, or only what is worn below the waist (see `below` and `dyed`).
    """
    named = [g for g in plan.outfit if g.item in table()["garments"]]
    worn = [g for g in named if g.item in data.garments()]
    added = [g for g in plan.accessory_details if g.item in table()["parts"]]
    other = avoid.another(plan, seed) if not worn else None
    if other is not None:
        worn = [Garment(text="", item=other)]
    if not worn and not added:
        return None
    if not worn:
        carrier = table()["parts"][added[0].item]["with"]
        worn = [added.pop(0) if added[0].item == carrier else Garment(text="", item=carrier)]
    main = max(worn, key=_layer)  # the first of the outermost
    assert main.item is not None
    kind = data.garments()[main.item]
    unwanted = {u.value for u in plan.negative if u.kind in ("accessory", "outfit")}
    parts = _usual(plan, kind, seed)
    without = set(unwanted & {"tie", "bow tie", "scarf", "necklace", "gloves", "belt", "cape"})
    for garment in named:
        if garment not in worn:
            notes.warnings.append(f"not portrayed: {garment.text}; {_named(main)} is worn")
        elif garment is not main:
            _under(garment, main, kind, parts, without, seed, notes)
    for thing in added:
        _added(thing, main, kind, parts, without, seed, notes)
    parts |= below(plan, seed)
    offered = _open(plan, table()["garments"][main.item].get("colours"))
    outfit = Outfit(
        garment=main.item,
        main=_cloth(main, kind.main, offered, seed, main.item),
        parts=MappingProxyType({name: cloth for name, cloth in parts.items() if name not in without}),
        without=frozenset(without),
        neck=_neck(main, kind, notes),
        seed=seed,
    )
    return avoid.spared(plan, _tinted(plan, main, outfit, notes))


def dyed(plan: ScenePlan, outfit: Outfit, seed: int) -> Outfit:
    """An outfit of no particular garment as the words have it: their colour, pattern and cloth, and lower garments.

    For a whole body whose garment the words do not name: `outfit` is what it wears then.
    """
    said = next((g for g in plan.outfit if g.item is None and (g.colour or g.pattern or g.fabric)), None)
    main = _cloth(said, outfit.main, None, seed, "main") if said else outfit.main
    return avoid.spared(plan, replace(outfit, main=main, parts=MappingProxyType({**outfit.parts, **below(plan, seed)})))


def below(plan: ScenePlan, seed: int) -> dict[str, Cloth]:
    """What is named of trousers, skirt, shoes, gloves, belt and cape, by the part; only a whole body shows it.

    A kind of its own stands beside its part: boots are "shoes" and "boots", jeans are "trousers" and "jeans".
    """
    parts: dict[str, Cloth] = {}
    for garment in plan.outfit:
        usual = table()["lower"].get(garment.item)
        if usual is None or garment.item is None:
            continue
        cloth = _cloth(garment, _first(usual), usual["colours"], seed, garment.item)
        if garment.colour in usual.get("named", {}):
            cloth = replace(cloth, colour=usual["named"][garment.colour])
        parts.setdefault(usual["part"], cloth)
        parts.setdefault(garment.item, cloth)
    return parts


def things(plan: ScenePlan) -> tuple[Thing, ...]:
    """What is worn on the head, in the order of the words."""
    found = []
    for said in plan.accessory_details:
        if said.item not in _HEAD:
            continue
        material = table()["materials"].get(said.fabric, {})
        colour = said.colour or material.get("colour")
        thing = Thing(said.item, colours.hex_of(colour) if colour else None, said.fabric, said.pattern, said.cut)
        found.append(avoid.repainted(plan, thing))
    return tuple(found)


def hair(plan: ScenePlan) -> Hair | None:
    """What the words say of hair; None when they say nothing."""
    if plan.hair is None or (plan.hair.colour is None and plan.hair.length is None):
        return None
    name = plan.hair.colour
    return Hair(None if name is None else table()["hair"].get(name) or colours.hex_of(name), plan.hair.length)


def unworn(plan: ScenePlan, outfit: Outfit | None, *, figure: bool = False) -> list[str]:
    """Sentences on what was read and is not in the picture, besides those of `choose`.

    Args:
        plan: what the words say.
        outfit: what is worn in the picture; None when the clothes of the reference are kept.
        figure: whether a whole body is shown, in the pose of the plan.
    """
    said = [_unknown(phrase) for phrase in plan.unknown[:_MOST]]
    if len(plan.unknown) > _MOST:
        said.append(f"not portrayed: {len(plan.unknown) - _MOST} more words that stand for nothing here")
    for garment in plan.outfit:
        lower = table()["lower"].get(garment.item)
        if lower is not None:
            if not figure:
                said.append(f"not portrayed: {garment.text}; the picture does not reach there")
            elif "as" in lower:
                said.append(f"not portrayed: {garment.text}; {lower['as']} of that cloth are worn")
        elif outfit is None and not figure and (garment.item or garment.fabric not in (None, *REWOVEN)):
            own = f"; the clothes of the reference are kept, in {garment.colour}" if garment.colour else ""
            said.append(f"not portrayed: {garment.text}{own or '; the clothes of the reference are kept'}")
    return said


def _unknown(phrase: str) -> str:
    near = nearest(phrase)
    if len(phrase) > _LONG:
        phrase = phrase[:_LONG].rsplit(" ", 1)[0] + " ..."
    return f"not portrayed: {phrase}; the nearest is {near}" if near else f"not portrayed: {phrase}"


def _usual(plan: ScenePlan, kind: data.Garment, seed: int) -> dict[str, Cloth]:
    """The parts that a garment has by itself, in the colours that the seed chooses."""
    choices = table()["garments"][kind.id].get("parts", {})
    return {role: _cloth(None, usual, _open(plan, choices.get(role)), seed, role) for role, usual in kind.parts.items()}


def _under(
    garment: Garment,
    main: Garment,
    kind: data.Garment,
    parts: dict[str, Cloth],
    without: set[str],
    seed: int,
    notes: Notes,
) -> None:
    """A garment that is named besides the outermost one: what shows of it, or that it is not worn."""
    assert garment.item is not None
    if _layer(garment) >= _layer(main):
        notes.warnings.append(f"not portrayed: {garment.text}; {_named(main)} is worn, and only one outer garment")
        return
    roles = [role for role in table()["under"].get(garment.item, ()) if role in kind.parts or role in kind.roles()]
    if not roles or table()["garments"][main.item].get("closed"):
        notes.warnings.append(f"not portrayed: {garment.text}; {_named(main)} covers it")
        return
    usual = data.garments()[garment.item]
    parts[roles[0]] = _cloth(garment, usual.main, table()["garments"][garment.item].get("colours"), seed, garment.item)
    if garment.item not in table()["looks"].get(roles[0], ()):
        notes.warnings.append(f"not portrayed: {garment.text}; what shows under {_named(main)} is of its cloth")
    if garment.item != "shirt":
        without |= {"tie", "bow tie"} & set(kind.parts)
    elif roles[0] == "inner":
        without.discard("inner")


def _added(
    thing: Garment,
    main: Garment,
    kind: data.Garment,
    parts: dict[str, Cloth],
    without: set[str],
    seed: int,
    notes: Notes,
) -> None:
    """A tie, a scarf or a necklace, where the garment can have one."""
    assert thing.item is not None
    usual = table()["parts"][thing.item]
    role = usual.get("of", {}).get(thing.fabric, thing.item)
    tie = thing.item in ("tie", "bow tie")
    if role not in kind.roles() | set(kind.parts) and (tie or role not in data.extras()):
        notes.warnings.append(f"not portrayed: {thing.text}; {_named(main)} has no place for it")
        return
    parts[role] = _cloth(thing, kind.parts.get(role, _first(usual)), usual["colours"], seed, thing.item)
    without.discard(thing.item)
    if usual.get("not") in kind.parts:
        without.add(usual["not"])


def _neck(main: Garment, kind: data.Garment, notes: Notes) -> str | None:
    neck: str | None = table()["necks"].get(main.cut) if main.cut else None
    if neck is None:
        return None
    if neck not in kind.necks:
        notes.warnings.append(f"not portrayed: {main.cut}; {_named(main)} has its own neck")
        return None
    return neck


def _tinted(plan: ScenePlan, main: Garment, outfit: Outfit, notes: Notes) -> Outfit:
    """ "A suit, dressed in white" is a white suit; a colour that contradicts what is said of the suit is reported."""
    for said in plan.outfit:
        if said.item is not None or not (said.colour or said.pattern or said.fabric):
            continue
        if said.text in plan.unknown:
            continue
        if (said.colour and main.colour) or (said.pattern and main.pattern):
            if said.colour != main.colour:
                notes.warnings.append(f"not portrayed: {said.text}; {_named(main)} is {main.colour or main.pattern}")
            continue
        outfit = replace(outfit, main=_cloth(said, outfit.main, None, outfit.seed, "main"))
    return outfit


def _named(main: Garment) -> str:
    """What the words call the garment that is worn."""
    return f"the {called(main.item or '')}"


def _layer(garment: Garment) -> int:
    return int(table()["garments"][garment.item]["layer"])


def _open(plan: ScenePlan, choices: list[str] | None) -> list[str] | None:
    """The colours to choose from that the words do not exclude."""
    return choices and list(avoid.free(plan, "colour", choices))


def _first(usual: Mapping[str, Any]) -> Cloth:
    return Cloth(_hex(usual["colours"][0]), usual["fabric"])


def _hex(colour: str) -> str:
    return colour if colour.startswith("#") else colours.hex_of(colour)


def _cloth(said: Garment | None, usual: Cloth, choices: list[str] | None, seed: int, role: str) -> Cloth:
    """The usual cloth as the words change it; what is drawn for one part depends on nothing that is said of others."""
    cloth = usual
    if choices:
        rng = np.random.default_rng([seed, _STREAM, zlib.crc32(role.encode())])
        colour = _hex(str(rng.choice(choices)))
        cloth = cloth if colour == cloth.colour else replace(cloth, colour=colour, second=None)
    if said is None:
        return cloth
    material = table()["materials"].get(said.fabric, {})
    colour_name = said.colour or material.get("colour")
    if colour_name:
        cloth = replace(cloth, colour=colours.hex_of(colour_name), second=None)
    if said.fabric:
        cloth = replace(cloth, fabric=material.get("fabric", said.fabric))
    if said.pattern:
        own = None if colour_name else natural(said.pattern)
        cloth = replace(cloth, pattern=said.pattern, second=None, colour=own or cloth.colour)
    if said.second:
        # "Black and white" without a pattern: stripes show both colours.
        cloth = replace(cloth, second=colours.hex_of(said.second), pattern=cloth.pattern or "striped")
    return cloth
