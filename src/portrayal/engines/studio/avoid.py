"""What the engine chooses by itself keeps clear of what the negative prompt names.

Every choice that a prompt leaves open passes here: places, hours, weathers, lights, papers, framings, poses, looks, and
the colours, patterns and fabrics of clothes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import cv2
import numpy as np

from portrayal import colours
from portrayal.engines.studio.scenes.catalogue import settings
from portrayal.engines.studio.types import Notes, Shot
from portrayal.engines.studio.wardrobe import data
from portrayal.engines.studio.wardrobe.outfit import Cloth, Outfit, Thing
from portrayal.imaging import F32
from portrayal.prompting.plan import LOWER, Gaze, ScenePlan
from portrayal.prompting.without import hidden, own

# Where somebody is who shall not be in a studio.
_PLACES: Final = ("living room", "park", "coffee shop", "city street", "library", "garden", "beach", "hall")
_FRAMINGS: Final = ("head and shoulders", "bust", "close-up", "medium")
_CAMERAS: Final = ("low angle", "high angle")
_WEATHERS: Final = ("cloudy", "overcast", "fog", "clear")
_TURNED: Final = (
    "turned", "turned left", "turned right", "three-quarter view", "three-quarter view left",
    "three-quarter view right", "profile", "profile left", "profile right",
)  # fmt: skip
_TILTED: Final = ("tilted", "tilted left", "tilted right")
_PITCHED: Final = ("chin up", "chin down", "looking up", "looking down")
_AWAY: Final = ("away", "left", "right", "up", "down")
_COLOURS: Final = (
    "navy", "grey", "white", "forest green", "burgundy", "tan", "black", "teal", "cream",
)  # fmt: skip
_FABRICS: Final = ("cotton", "wool", "linen", "silk")
_PARTS: Final = ("tie", "bow tie", "scarf", "necklace")
_TOPS: Final = ("shirt", "sweater", "t-shirt", "polo", "turtleneck", "blazer")
# Distance in Lab within which a colour counts as the one that is named.
_NEAR: Final = 20.0
# Two colours of at least this chroma whose hues differ by less, in degrees, are called the same.
_STRONG, _HUE = 35.0, 22.0


def free(plan: ScenePlan, kind: str, options: Sequence[str]) -> tuple[str, ...]:
    """The options that the words do not exclude; all of them when that leaves none."""
    left = tuple(option for option in options if not plan.excludes(kind, option))
    return left or tuple(options)


def chosen(plan: ScenePlan, kind: str, option: str, others: Sequence[str]) -> str:
    """The option, or the first of the others in its place when it is excluded."""
    return free(plan, kind, (option, *others))[0]


def settled(plan: ScenePlan, seed: int) -> ScenePlan:
    """A plan whose open places do not lead to what it excludes: setting, framing, camera, head, eyes, expression.

    Without a negative prompt it is the same plan.
    """
    if not plan.negative:
        return plan
    rng = np.random.default_rng([seed, 909])
    pick, side = rng.random(), float(rng.choice([-1.0, 1.0]))
    change: dict[str, Any] = {}
    if plan.setting is None and plan.excludes("setting", "studio"):
        places = free(plan, "setting", _PLACES)
        change["setting"] = places[int(pick * len(places))]
    if plan.framing is None and any(plan.excludes("framing", framing) for framing in _FRAMINGS[:3]):
        framings = free(plan, "framing", _FRAMINGS)[:2]
        change["framing"] = framings[int(pick * len(framings))]
    if plan.camera is None and plan.excludes("camera", "eye level"):
        cameras = free(plan, "camera", _CAMERAS)
        change["camera"] = cameras[int(pick * len(cameras))]
    if plan.expression is None and plan.excludes("expression", "neutral"):
        change["expression"] = chosen(plan, "expression", "slight smile", ("calm", "confident", "thoughtful"))
    change |= _head(plan, side)
    return plan.model_copy(update=change) if change else plan


def _head(plan: ScenePlan, side: float) -> dict[str, Any]:
    """The head and the eyes where the words only say what they shall not do."""
    turn: dict[str, float] = {}
    if plan.head.yaw is None:
        if plan.excludes("head", "facing"):
            turn["yaw"] = 18.0 * side
        elif any(plan.excludes("head", word) for word in _TURNED):
            turn["yaw"] = 0.0
    if plan.head.roll is None and any(plan.excludes("head", word) for word in _TILTED):
        turn["roll"] = 0.0
    if plan.head.pitch is None and any(plan.excludes("head", word) for word in _PITCHED):
        turn["pitch"] = 0.0
    change: dict[str, Any] = {"head": plan.head.model_copy(update=turn)} if turn else {}
    if plan.gaze is None and plan.excludes("gaze", "camera"):
        change["gaze"] = Gaze(x=0.6 * side)
    elif plan.gaze is None and any(plan.excludes("gaze", word) for word in _AWAY):
        change["gaze"] = Gaze()
    return change


def shown(plan: ScenePlan, shot: Shot) -> Shot:
    """The shot at an hour and in a weather that the words do not exclude, without the things that they exclude."""
    if not plan.negative:
        return shot
    setting = settings().get(plan.setting or "studio")
    time, weather = shot.time, shot.weather
    if setting is not None and setting.place != "apart":
        if time is None and plan.excludes("time", setting.time):
            time = chosen(plan, "time", setting.time, _by_hour(setting.time, setting.times))
        if weather is None and setting.place == "outdoor" and plan.excludes("weather", "clear"):
            weather = chosen(plan, "weather", "clear", [w for w in _WEATHERS if w in setting.weathers])
    return replace(shot, time=time, weather=weather, without=hidden(plan))


def _by_hour(own: str, times: Sequence[str]) -> list[str]:
    """Times of day, the nearest to a setting's own first."""
    order = list(times)
    at = order.index(own) if own in order else 0
    return sorted(order, key=lambda time: abs(order.index(time) - at))


def spared(plan: ScenePlan, outfit: Outfit) -> Outfit:
    """An outfit without the colours, patterns and fabrics that the words exclude, of what they leave open."""
    if not plan.negative:
        return outfit
    parts = {name: _cloth(plan, name, cloth) for name, cloth in outfit.parts.items()}
    main = _cloth(plan, outfit.garment, outfit.main)
    usual = data.garments().get(outfit.garment)
    for name, cloth in usual.parts.items() if usual else ():
        other = _cloth(plan, name, cloth)
        if name not in parts and other is not cloth:
            parts[name] = other
    without = outfit.without | {item for item in (*LOWER, *_PARTS) if plan.excludes("outfit", item)}
    without |= {item for item in _PARTS if plan.excludes("accessory", item)}
    return replace(outfit, main=main, parts=MappingProxyType(parts), without=without, avoid=_excluded(plan))


def repainted(plan: ScenePlan, thing: Thing) -> Thing:
    """A thing on the head in another colour, when its usual one is excluded and the words name none."""
    from portrayal.engines.studio.accessories.data import things  # which knows what is worn

    if not plan.negative or thing.colour is not None or thing.item not in things():
        return thing
    usual = things()[thing.item].made_of(thing, "").colour
    return replace(thing, colour=own_colour(plan, usual))


def worn_as(cloth: Cloth, avoid: frozenset[str]) -> Cloth:
    """A cloth of the figure in another colour when its own is to be avoided."""
    if not avoid or not _is(cloth.colour, avoid):
        return cloth
    return replace(cloth, colour=_other(cloth.colour, avoid), second=None)


def another(plan: ScenePlan, seed: int) -> str | None:
    """What is worn when the words only say what is not: a garment that is not excluded; None when they name none."""
    named = [g for g in data.garments() if plan.excludes("outfit", g)]
    if not named or any(g.item for g in plan.outfit):
        return None
    tops = [top for top in free(plan, "outfit", _TOPS) if not plan.excludes("outfit", top)]
    return str(np.random.default_rng([seed, 910]).choice(tops)) if tops else None


def own_colour(plan: ScenePlan, colour: str) -> str | None:
    """The colour for clothes of the reference whose own, "#rrggbb", is excluded; None when it is not."""
    avoid = _excluded(plan)
    return _other(colour, avoid) if avoid and _is(colour, avoid) else None


def stays(plan: ScenePlan, notes: Notes) -> None:
    """Say what of the person cannot be taken away."""
    for words in own(plan):
        notes.warnings.append(f"not taken away: {words}; it belongs to the person of the reference")


def _cloth(plan: ScenePlan, name: str, cloth: Cloth) -> Cloth:
    avoid = _excluded(plan) | _of(plan, name)
    if avoid and _is(cloth.colour, avoid):
        cloth = replace(cloth, colour=_other(cloth.colour, avoid), second=None)
    if avoid and cloth.second and _is(cloth.second, avoid):
        cloth = replace(cloth, second=None, pattern=None)
    if cloth.pattern and plan.excludes("pattern", cloth.pattern):
        cloth = replace(cloth, pattern=None, second=None)
    if plan.excludes("fabric", cloth.fabric):
        cloth = replace(cloth, fabric=chosen(plan, "fabric", cloth.fabric, _FABRICS))
    return cloth


@lru_cache(maxsize=64)
def _excluded(plan: ScenePlan) -> frozenset[str]:
    """The names of the colours that are excluded everywhere."""
    return frozenset(name for name in colours.names() if plan.excludes("colour", name))


def _of(plan: ScenePlan, name: str) -> frozenset[str]:
    """The colours that are excluded of one garment or part: "red shirt"."""
    values = [u.value.removesuffix(f" {name}") for u in plan.negative if u.value.endswith(f" {name}")]
    return frozenset(colour for colour in colours.names() if colour in values)


def _is(colour: str, names: frozenset[str]) -> bool:
    """Whether people would call a colour one of these names."""
    lab, table = _lab((colour,))[0], _table()
    distance = {name: float(np.linalg.norm(value - lab)) for name, value in table.items()}
    if min(distance, key=lambda n: distance[n]) in names or any(distance[name] < _NEAR for name in names):
        return True
    return any(_same_hue(lab, table[name]) for name in names)


def _same_hue(one: F32, other: F32) -> bool:
    """Whether two strong colours differ in lightness and strength only."""
    if min(np.hypot(*one[1:]), np.hypot(*other[1:])) < _STRONG:
        return False
    turn = abs(np.degrees(np.arctan2(one[2], one[1]) - np.arctan2(other[2], other[1])))
    return bool(min(turn, 360 - turn) < _HUE)


def _other(colour: str, names: frozenset[str]) -> str:
    """A colour of about the same lightness that is none of these names."""
    light = float(_lab((colour,))[0][0])
    options = [c for c in map(colours.hex_of, _COLOURS) if not _is(c, names)] or ["#77777a"]
    return min(options, key=lambda c: abs(float(_lab((c,))[0][0]) - light))


@lru_cache(1)
def _table() -> Mapping[str, F32]:
    names = colours.names()
    return MappingProxyType(dict(zip(names, _lab(tuple(map(colours.hex_of, names))), strict=True)))


def _lab(codes: Sequence[str]) -> F32:
    rgb = np.array([[int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for code in codes], np.float32)
    return np.asarray(cv2.cvtColor(rgb[None], cv2.COLOR_RGB2LAB)[0], np.float32)
