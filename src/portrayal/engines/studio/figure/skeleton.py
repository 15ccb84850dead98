"""The bones: joints in cm, two-bone limbs solved towards their targets, human limits.

Axes: x to the picture's right, y up with the floor at 0, z to the camera. "left" and "right" are the picture's sides.
A pose is written facing the camera; its yaw turns the finished figure. Rotations are degrees (yaw to the picture's
right, pitch top forward, roll top to the picture's left). Lengths belong to a person of 168 cm; a build scales the
finished figure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from portrayal.engines.studio.figure.poses import ArmPose, LegPose, Pose
from portrayal.engines.studio.figure.rows import Vector, turn, unit, vector
from portrayal.engines.studio.figure.types import Build
from portrayal.imaging import F64

UPPER_ARM: Final = 27.5
FOREARM: Final = 24.0
THIGH: Final = 41.5
SHIN: Final = 39.5
ANKLE: Final = 7.0
"""Height of the ankle joint above the sole."""
HEEL: Final = -4.9
TOE: Final = 16.4
"""Ends of the sole along the foot, from the ankle."""

# Human ranges in degrees (American Academy of Orthopaedic Surgeons, rounded down).
ELBOW: Final = (0.0, 150.0)
KNEE: Final = (0.0, 140.0)
WRIST: Final = 75.0
SHOULDER_BACK: Final = 50.0
SHOULDER_ACROSS: Final = 48.0
"""How far the upper arm crosses the body in front."""
HIP: Final = (-25.0, 120.0)
"""Extension and flexion of the thigh."""
HIP_SIDE: Final = (-25.0, 45.0)
NECK: Final = (65.0, 40.0, 30.0)

_STRETCH: Final = 0.995  # a limb is never quite straight


def square_to(value: Vector, axis: Vector) -> Vector:
    """The part of a vector that is square to a unit axis, at length 1; any square direction when nothing is left."""
    rest = value - axis * float(value @ axis)
    if float(np.linalg.norm(rest)) < 1e-6:
        rest = np.cross(axis, vector(0.3, 0.2, 1.0))
    return unit(rest)


def angle(first: Vector, second: Vector) -> float:
    """Angle between two directions, degrees."""
    return math.degrees(math.acos(min(max(float(unit(first) @ unit(second)), -1.0), 1.0)))


@dataclass(frozen=True)
class Limb:
    """Two bones: root (shoulder, hip), middle (elbow, knee), end (wrist,
    ankle); `pole` = where the middle points to."""

    root: Vector
    middle: Vector
    end: Vector
    pole: Vector

    @property
    def bend(self) -> float:
        """Flexion of the middle joint, degrees; 0 = straight."""
        return 180.0 - angle(self.root - self.middle, self.end - self.middle)


@dataclass(frozen=True)
class HandPlace:
    """Where a hand lies: unit directions of its fingers, of its palm and across it (towards the thumb)."""

    fingers: Vector
    palm: Vector
    across: Vector
    shape: str


@dataclass(frozen=True)
class Foot:
    """Unit directions of a foot: towards the toes, and up from the sole."""

    forward: Vector
    up: Vector


@dataclass(frozen=True)
class Skeleton:
    """A posed skeleton, facing the camera (before its yaw).

    Attributes:
        pelvis: centre between the hip joints.
        lumbar, thorax: joints of the spine; `thorax` is the origin of the chest's axes.
        notch: jugular notch.
        skull: top of the neck; head: centre of the head; chin.
        pelvis_axes, waist_axes, chest_axes, head_axes: (3, 3) rotations.
        arms, legs, hands, feet: picture's left first.
        yaw: degrees by which the finished figure is turned.
        head: yaw, pitch, roll of the face in the picture, degrees, before `yaw`; pitch > 0 = raised chin.
    """

    pelvis: Vector
    lumbar: Vector
    thorax: Vector
    notch: Vector
    skull: Vector
    head: Vector
    chin: Vector
    pelvis_axes: F64
    waist_axes: F64
    chest_axes: F64
    head_axes: F64
    arms: tuple[Limb, Limb]
    legs: tuple[Limb, Limb]
    hands: tuple[HandPlace, HandPlace]
    feet: tuple[Foot, Foot]
    yaw: float
    head_angles: tuple[float, float, float]

    def in_pelvis(self, x: float, y: float, z: float) -> Vector:
        """A point given in the pelvis' axes."""
        return self.pelvis + np.asarray(self.pelvis_axes @ vector(x, y, z))

    def in_waist(self, x: float, y: float, z: float) -> Vector:
        """A point given in the axes of the lower spine."""
        return self.lumbar + np.asarray(self.waist_axes @ vector(x, y, z))

    def in_chest(self, x: float, y: float, z: float) -> Vector:
        """A point given in the chest's axes."""
        return self.thorax + np.asarray(self.chest_axes @ vector(x, y, z))

    def joints(self) -> dict[str, Vector]:
        """Joints by the names that `types.Body` and `poses.toml` use."""
        found = {"root": self.pelvis, "lumbar": self.lumbar, "chest": self.thorax, "notch": self.notch}
        found |= {"neck": self.skull, "head": self.head, "chin": self.chin}
        for index, side in enumerate(("left", "right")):
            arm, leg, hand, foot = self.arms[index], self.legs[index], self.hands[index], self.feet[index]
            found |= {f"shoulder {side}": arm.root, f"elbow {side}": arm.middle, f"wrist {side}": arm.end}
            found |= {f"hand {side}": arm.end + hand.fingers * 9.0}
            found |= {f"hip {side}": leg.root, f"knee {side}": leg.middle, f"ankle {side}": leg.end}
            found |= {f"toe {side}": leg.end - foot.up * ANKLE + foot.forward * TOE}
        return found

    def angles(self) -> dict[str, float]:
        """Joint angles in degrees by name, for the limits."""
        found: dict[str, float] = {}
        for index, side in enumerate(("left", "right")):
            sign = index * 2 - 1
            arm, leg = self.arms[index], self.legs[index]
            upper = unit(np.asarray(self.chest_axes.T @ (arm.middle - arm.root)))
            thigh = unit(np.asarray(self.pelvis_axes.T @ (leg.middle - leg.root)))
            found[f"elbow {side}"] = arm.bend
            found[f"knee {side}"] = leg.bend
            found[f"shoulder back {side}"] = math.degrees(math.asin(min(max(-float(upper[2]), -1.0), 1.0)))
            found[f"shoulder across {side}"] = math.degrees(math.asin(min(max(-sign * float(upper[0]), -1.0), 1.0)))
            found[f"hip {side}"] = math.degrees(math.atan2(float(thigh[2]), -float(thigh[1])))
            found[f"hip side {side}"] = math.degrees(math.asin(min(max(sign * float(thigh[0]), -1.0), 1.0)))
            found[f"wrist {side}"] = angle(self.hands[index].fingers, arm.end - arm.middle)
        return found

    def lowest(self) -> float:
        """Height of the lowest point of both soles above the floor."""
        return min(sole(leg.end, foot) for leg, foot in zip(self.legs, self.feet, strict=True))


def sole(ankle: Vector, foot: Foot) -> float:
    """Height of the lowest point of one sole."""
    return min(float((ankle - foot.up * ANKLE + foot.forward * along)[1]) for along in (HEEL, TOE))


def two_bones(root: Vector, target: Vector, lengths: tuple[float, float], pole: Vector, most: float) -> Limb:
    """Reach a target with two bones.

    Args:
        root, target: the fixed end and where the free end shall be; a target out of reach is approached as far as the
            limits let it.
        lengths: of the two bones.
        pole: side to which the middle joint points; only its part square to root - target counts.
        most: largest flexion of the middle joint, degrees.
    """
    upper, lower = lengths
    way = target - root
    distance = float(np.linalg.norm(way))
    along = way / (distance + 1e-9)
    inner = math.radians(180.0 - most)
    nearest = math.sqrt(upper * upper + lower * lower - 2 * upper * lower * math.cos(inner))
    distance = min(max(distance, nearest), (upper + lower) * _STRETCH)
    foot = (upper * upper - lower * lower + distance * distance) / (2 * distance)
    side = square_to(pole, along)
    middle = root + along * foot + side * math.sqrt(max(upper * upper - foot * foot, 0.0))
    return Limb(root, middle, root + along * distance, unit(pole))


def solve(pose: Pose, build: Build, wrists: Mapping[int, Vector] | None = None) -> Skeleton:
    """The skeleton of a pose.

    Args:
        pose: targets of hands and feet, angles of the spine.
        build: widths of shoulders and hips.
        wrists: targets that replace the pose's, in room axes, by arm (0 left, 1 right); from the contact solver.
    """
    trunk = _trunk(pose, build, pose.height)
    need = max(_overreach(trunk, leg, build, sign) for leg, sign in zip(pose.legs, (-1, 1), strict=True))
    if need > 0 and not pose.air:
        trunk = _trunk(pose, build, pose.height - need)
    legs, feet = [], []
    for sign, target in zip((-1, 1), pose.legs, strict=True):
        leg, foot = _leg(trunk, target, build, sign)
        legs.append(leg)
        feet.append(foot)
    arms, hands = [], []
    for index, arm_pose in enumerate(pose.arms):
        wanted = None if wrists is None else wrists.get(index)
        arm, hand = _arm(trunk, arm_pose, build, index * 2 - 1, wanted)
        arms.append(arm)
        hands.append(hand)
    return Skeleton(
        **trunk,
        arms=(arms[0], arms[1]),
        legs=(legs[0], legs[1]),
        hands=(hands[0], hands[1]),
        feet=(feet[0], feet[1]),
        yaw=pose.yaw,
        head_angles=pose.head,
    )


def wrist_target(bones: Skeleton, arm: ArmPose) -> Vector:
    """Where a pose wants a wrist, in room axes."""
    return place(
        {
            "pelvis": bones.pelvis,
            "pelvis_axes": bones.pelvis_axes,
            "thorax": bones.thorax,
            "chest_axes": bones.chest_axes,
            "chin": bones.chin,
            "head_axes": bones.head_axes,
        },
        arm,
    )


def place(trunk: Mapping[str, F64], arm: ArmPose) -> Vector:
    """A wrist's target in room axes: it may be fixed to the pelvis, the chest or the chin."""
    at = vector(*arm.wrist)
    if arm.anchor == "pelvis":
        return trunk["pelvis"] + np.asarray(trunk["pelvis_axes"] @ at)
    if arm.anchor == "chest":
        return trunk["thorax"] + np.asarray(trunk["chest_axes"] @ at)
    if arm.anchor == "chin":
        return trunk["chin"] + np.asarray(trunk["head_axes"] @ at)
    return at


def _trunk(pose: Pose, build: Build, height: float) -> dict[str, Vector]:
    """Spine, neck and head."""
    pelvis = vector(pose.shift, height, 0.0)
    pelvis_axes = turn(*pose.pelvis)
    waist_axes = pelvis_axes @ turn(*pose.spine)
    chest_axes = waist_axes @ turn(*pose.chest)
    lumbar = pelvis + pelvis_axes @ vector(0, 10, -1)
    thorax = lumbar + waist_axes @ vector(0, 13, 0)
    yaw, pitch, roll = (min(max(value, -limit), limit) for value, limit in zip(pose.head, NECK, strict=True))
    # The eyes stay level: the neck follows the chest by half, the head stands as the pose says it.
    head_axes = turn(yaw, -pitch, roll)
    follow = 0.55 * chest_axes + 0.45 * np.eye(3)
    skull = thorax + chest_axes @ vector(0, 25.5, -2.6) + follow @ vector(0, 13.4, 3.4)
    skull = skull + turn(0, -0.5 * pitch, 0.6 * roll) @ vector(0, 9.5, 0) - vector(0, 9.5, 0)
    head = skull + vector(0, 9.5, 3.2)
    return {
        "pelvis": pelvis,
        "lumbar": lumbar,
        "thorax": thorax,
        "notch": thorax + chest_axes @ vector(0, 28, 4.4),
        "skull": skull,
        "head": head,
        "chin": head + vector(0, -14.2, 0) + head_axes @ vector(0, 0, 7.0),
        "pelvis_axes": pelvis_axes,
        "waist_axes": waist_axes,
        "chest_axes": chest_axes,
        "head_axes": head_axes,
    }


def _overreach(trunk: Mapping[str, Vector], leg: LegPose, build: Build, sign: int) -> float:
    """By how much the pelvis must sink so that a standing foot reaches the floor."""
    hip = trunk["pelvis"] + np.asarray(trunk["pelvis_axes"] @ vector(sign * 8.6 * build.hips, 0, 0))
    x, y, z = leg.ankle
    side = math.hypot(float(hip[0]) - x, float(hip[2]) - z)
    reach = math.sqrt(max(((THIGH + SHIN) * _STRETCH) ** 2 - side * side, 0.0))
    return float(hip[1]) - (y + ANKLE) - reach


def _leg(trunk: Mapping[str, Vector], target: LegPose, build: Build, sign: int) -> tuple[Limb, Foot]:
    hip = trunk["pelvis"] + np.asarray(trunk["pelvis_axes"] @ vector(sign * 8.6 * build.hips, 0, 0))
    axes = turn(target.toe, target.pitch, 0)
    foot = Foot(np.asarray(axes @ vector(0, 0, 1)), np.asarray(axes @ vector(0, 1, 0)))
    x, y, z = target.ankle
    ankle = vector(x, y + ANKLE, z)
    lift = max(-sole(ankle, foot), 0.0)  # a tilted foot stands on its toe or its heel, not in the floor
    pole = vector(sign * target.pole[0], target.pole[1], target.pole[2])
    leg = two_bones(hip, ankle + vector(0, lift, 0), (THIGH, SHIN), pole, KNEE[1])
    axes = trunk["pelvis_axes"]
    thigh = unit(np.asarray(axes.T @ (leg.middle - hip)))
    flexion = math.atan2(float(thigh[2]), -float(thigh[1]))
    side = math.asin(min(max(sign * float(thigh[0]), -1.0), 1.0))
    limited = min(max(flexion, math.radians(HIP[0])), math.radians(HIP[1]))
    limited_side = min(max(side, math.radians(HIP_SIDE[0])), math.radians(HIP_SIDE[1]))
    if (limited, limited_side) == (flexion, side):
        return leg, foot
    out = math.cos(limited_side)
    way = vector(sign * math.sin(limited_side), -math.cos(limited) * out, math.sin(limited) * out)
    return _redirect(leg, np.asarray(axes @ way), (THIGH, SHIN), KNEE[1]), foot


def _arm(
    trunk: Mapping[str, Vector], target: ArmPose, build: Build, sign: int, wanted: Vector | None
) -> tuple[Limb, HandPlace]:
    axes = trunk["chest_axes"]
    wrist = place(trunk, target) if wanted is None else wanted
    pole = vector(sign * target.pole[0], target.pole[1], target.pole[2])
    rest = vector(sign * 15.9 * build.shoulders, 22.6, -2.2)
    local = rest
    for _ in range(2):  # the shoulder blade follows the arm: about a third of the rise, and forward with a reach
        shoulder = trunk["thorax"] + np.asarray(axes @ local)
        arm = two_bones(shoulder, wrist, (UPPER_ARM, FOREARM), pole, ELBOW[1])
        upper = unit(np.asarray(axes.T @ (arm.middle - shoulder)))
        raised = angle(upper, vector(0, -1, 0))
        lift = math.radians(min(max(raised - 35.0, 0.0) * 0.30, 34.0))
        reach = max(float(upper[2]), 0.0) * 2.6 + min(float(upper[2]), 0.0) * 1.2
        long = abs(float(rest[0]))
        local = vector(
            sign * long * (math.cos(lift) - 0.035 * reach * (-sign * float(upper[0]) > 0.1)), 22.6, -2.2 + reach
        )
        local[1] += long * math.sin(lift) * 0.72
        local[0] -= sign * long * math.sin(lift) * 0.12
    shoulder = trunk["thorax"] + np.asarray(axes @ local)
    arm = two_bones(shoulder, wrist, (UPPER_ARM, FOREARM), pole, ELBOW[1])
    upper = unit(np.asarray(axes.T @ (arm.middle - shoulder)))
    limited = upper.copy()
    limited[2] = max(limited[2], -math.sin(math.radians(SHOULDER_BACK)))
    if sign * limited[0] < -math.sin(math.radians(SHOULDER_ACROSS)):
        limited[0] = -sign * math.sin(math.radians(SHOULDER_ACROSS))
    if not np.array_equal(limited, upper):
        arm = _redirect(arm, np.asarray(axes @ _rounded(limited, upper)), (UPPER_ARM, FOREARM), ELBOW[1])
    return arm, _hand(arm, target, sign)


def _rounded(limited: Vector, free: Vector) -> Vector:
    """A direction with the limited components kept and the others stretched to unit length."""
    kept = limited != free
    room = max(1.0 - float((limited[kept] ** 2).sum()), 0.0)
    rest = float((limited[~kept] ** 2).sum())
    out = limited.copy()
    out[~kept] *= math.sqrt(room / max(rest, 1e-9))
    return out


def _redirect(limb: Limb, way: Vector, lengths: tuple[float, float], most: float) -> Limb:
    """The limb with its first bone along `way`; the second points to the old end as far as its joint lets it."""
    middle = limb.root + unit(way) * lengths[0]
    lower = unit(limb.end - middle)
    bend = angle(way, lower)
    if bend > most:
        side = square_to(lower, unit(way))
        lower = unit(way) * math.cos(math.radians(most)) + side * math.sin(math.radians(most))
    return Limb(limb.root, middle, middle + lower * lengths[1], limb.pole)


def _hand(arm: Limb, target: ArmPose, sign: int) -> HandPlace:
    forearm = unit(arm.end - arm.middle)
    fingers = forearm if target.fingers is None else unit(vector(*target.fingers))
    over = angle(fingers, forearm)
    if over > WRIST:
        side = square_to(fingers, forearm)
        fingers = forearm * math.cos(math.radians(WRIST)) + side * math.sin(math.radians(WRIST))
    wish = vector(-sign, 0, 0) if target.palm is None else vector(*target.palm)
    palm = square_to(wish, fingers)
    return HandPlace(fingers, palm, -sign * np.cross(fingers, palm), target.hand)
