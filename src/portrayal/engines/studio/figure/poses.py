"""The poses: targets for hands and feet, read from `poses.toml`, and the small differences of a seed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np

from portrayal.engines.studio.figure.types import Framing

Triple = tuple[float, float, float]

_SPREAD = {"yaw": 3.0, "spine": 1.6, "head": 2.2, "hand": 0.8, "foot": 0.8}
"""Largest difference of a seed: degrees, and cm for hands and feet."""


@dataclass(frozen=True)
class ArmPose:
    """What one arm does. x of `pole` points outwards on both sides; all else is in the axes of the anchor.

    Attributes:
        wrist: target in cm, in the axes of `anchor`.
        pole: where the elbow points to.
        fingers, palm: where the fingers and the palm point to; None = along the forearm, to the body.
        hand: shape, an id of `hands.toml`; "" = out of sight (in a pocket, under an arm).
        anchor: "room", "pelvis", "chest" or "chin": what the target is fixed to.
        press: direction in which the hand is laid onto the body, room axes; None = it keeps clear of the body only.
        under: it lies below the other arm, which is laid on it.
        free: the arm hangs or lies clear, so a hand may vary a little from seed to seed.
    """

    wrist: Triple
    pole: Triple
    fingers: Triple | None = None
    palm: Triple | None = None
    hand: str = "relaxed"
    anchor: str = "room"
    press: Triple | None = None
    under: bool = False
    free: bool = True


@dataclass(frozen=True)
class LegPose:
    """What one leg does: the ankle's target (y = height of the sole's heel over the floor), toes and knee.

    `pole`: where the knee points to, x outwards; `toe`: turn of the foot to the picture's right, degrees;
    `pitch`: toes down, degrees.
    """

    ankle: Triple
    pole: Triple = (0.12, 0.0, 1.0)
    toe: float = 10.0
    pitch: float = 0.0


@dataclass(frozen=True)
class Pose:
    """One pose, facing the camera.

    Attributes:
        yaw: degrees by which the finished figure is turned.
        height, shift: of the point between the hip joints, cm above the floor and to the right.
        pelvis, spine, chest: angles (yaw, pitch, roll), each after the one before.
        head: yaw, pitch (up +), roll of the head against a camera that faces the body.
        arms, legs: the picture's left first.
        seat: "chair", "stool", "bench" or "".
        prop: "sign", "cup", "bicycle" or "".
        air: the feet do not touch the floor.
        tuck: a loose hem is tucked in, because a raised thigh would push through.
        shows: the lowest framing that shows what the pose is about.
        framing: the framing it looks best in.
        checks: where joints must be, see `poses.toml`.
    """

    name: str
    yaw: float
    height: float
    shift: float
    pelvis: Triple
    spine: Triple
    chest: Triple
    head: Triple
    arms: tuple[ArmPose, ArmPose]
    legs: tuple[LegPose, LegPose]
    seat: str
    prop: str
    air: bool
    tuck: bool
    shows: Framing
    framing: Framing
    checks: tuple[tuple[Any, ...], ...]
    mirrored: bool = False


def _triple(values: Any) -> Triple:
    x, y, z = (float(v) for v in values)
    return x, y, z


def _arm(entry: dict[str, Any], sign: int) -> ArmPose:
    """An arm of the table; `both` entries are written for the right side of the picture and flipped for the left."""

    def side(values: Any) -> Triple:
        x, y, z = _triple(values)
        return (x * sign, y, z)

    pressed = side(entry["press"]) if "press" in entry else None
    return ArmPose(
        wrist=side(entry["wrist"]),
        pole=_triple(entry["pole"]),
        fingers=side(entry["fingers"]) if "fingers" in entry else None,
        palm=side(entry["palm"]) if "palm" in entry else None,
        hand=entry.get("hand", "relaxed"),
        anchor=entry.get("anchor", "room"),
        press=pressed,
        under=entry.get("under", False),
        free=entry.get("free", pressed is None),
    )


def _leg(entry: dict[str, Any], sign: int) -> LegPose:
    x, y, z = _triple(entry["ankle"])
    return LegPose(
        (x * sign, y, z),
        _triple(entry.get("pole", (0.12, 0, 1))),
        entry.get("toe", 10.0) * sign,
        entry.get("pitch", 0.0),
    )


def _sides(entry: dict[str, Any], key: str, default: dict[str, Any]) -> list[tuple[dict[str, Any], int]]:
    """The entries of both sides and the sign of their x: `arms` flips for the left, `left_arm` is written as it is."""
    both = entry.get(f"{key}s", default[f"{key}s"])
    return [
        (entry[f"{s}_{key}"], 1) if f"{s}_{key}" in entry else (both, sign) for s, sign in (("left", -1), ("right", 1))
    ]


@cache
def poses() -> MappingProxyType[str, Pose]:
    """All poses by id, in the order of the file."""
    text = resources.files("portrayal.engines.studio.figure").joinpath("poses.toml").read_text("utf-8")
    table = tomllib.loads(text)
    default = table.pop("default")
    found = {}
    for name, entry in table.items():
        arms = [_arm(e, sign) for e, sign in _sides(entry, "arm", default)]
        legs = [_leg(e, sign) for e, sign in _sides(entry, "leg", default)]
        found[name] = Pose(
            name=name,
            yaw=float(entry.get("yaw", 0.0)),
            height=float(entry.get("height", default["height"])),
            shift=float(entry.get("shift", 0.0)),
            pelvis=_triple(entry.get("pelvis", (0, 0, 0))),
            spine=_triple(entry.get("spine", (0, 0, 0))),
            chest=_triple(entry.get("chest", (0, 0, 0))),
            head=_triple(entry.get("head", (0, 0, 0))),
            arms=(arms[0], arms[1]),
            legs=(legs[0], legs[1]),
            seat=entry.get("seat", ""),
            prop=entry.get("prop", ""),
            air=entry.get("air", False),
            tuck=entry.get("tuck", False),
            shows=entry["shows"],
            framing=entry["framing"],
            checks=tuple(tuple(check) for check in entry.get("checks", ())),
        )
    return MappingProxyType(found)


def _flip(value: Triple) -> Triple:
    return -value[0], value[1], value[2]


def _flip_angles(value: Triple) -> Triple:
    return -value[0], value[1], -value[2]


def _other(word: Any) -> Any:
    """The name of the other side's joint; other words and numbers stay."""
    if not isinstance(word, str):
        return word
    swap = {"left": "right", "right": "left"}
    return " ".join(swap.get(part, part) for part in word.split(" "))


def mirrored(pose: Pose) -> Pose:
    """The pose seen in a mirror: the sides change places."""
    arms = [
        replace(
            arm,
            wrist=_flip(arm.wrist),
            fingers=None if arm.fingers is None else _flip(arm.fingers),
            palm=None if arm.palm is None else _flip(arm.palm),
            press=None if arm.press is None else _flip(arm.press),
        )
        for arm in pose.arms
    ]
    legs = [replace(leg, ankle=_flip(leg.ankle), toe=-leg.toe) for leg in pose.legs]
    return replace(
        pose,
        yaw=-pose.yaw,
        shift=-pose.shift,
        pelvis=_flip_angles(pose.pelvis),
        spine=_flip_angles(pose.spine),
        chest=_flip_angles(pose.chest),
        head=_flip_angles(pose.head),
        arms=(arms[1], arms[0]),
        legs=(legs[1], legs[0]),
        checks=tuple(tuple(_other(word) for word in check) for check in pose.checks),
        mirrored=not pose.mirrored,
    )


def vary(pose: Pose, seed: int) -> Pose:
    """The pose as one picture of a set has it: perhaps mirrored, a few degrees and millimetres off."""
    random = np.random.default_rng([seed, 51])
    if random.random() < 0.5:
        pose = mirrored(pose)

    def off(value: Triple, spread: float) -> Triple:
        dx, dy, dz = random.uniform(-spread, spread, 3)
        return value[0] + dx, value[1] + dy, value[2] + dz

    yaw = pose.yaw + float(random.uniform(-_SPREAD["yaw"], _SPREAD["yaw"]))
    arms = [
        replace(arm, wrist=off(arm.wrist, _SPREAD["hand"])) if arm.free and not pose.prop else arm for arm in pose.arms
    ]
    legs = []
    for leg in pose.legs:
        x, y, z = leg.ankle
        dx, dz = random.uniform(-_SPREAD["foot"], _SPREAD["foot"], 2)
        turn = float(random.uniform(-4, 4))
        moved = replace(leg, ankle=(x + dx, y, z + dz), toe=leg.toe + turn)
        legs.append(leg if pose.prop == "bicycle" else moved)
    spine = pose.spine if pose.prop == "bicycle" else off(pose.spine, _SPREAD["spine"])
    head = off(pose.head, _SPREAD["head"])
    return replace(pose, yaw=yaw, spine=spine, head=head, arms=(arms[0], arms[1]), legs=(legs[0], legs[1]))
