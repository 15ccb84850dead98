"""What the body hands to the tracing, the surface and the camera. Figure axes as in `rows`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from portrayal.engines.studio.wardrobe.outfit import Cloth, Outfit
from portrayal.imaging import F32

I32: TypeAlias = npt.NDArray[np.int32]

Framing: TypeAlias = Literal["medium", "three-quarter", "full", "wide"]

# PART of a row: what the surface paints there.
BARE: Final = 0
"""Skin: torso, neck, arm, leg."""
PALM: Final = 1
FINGER: Final = 2
FINGER_TIP: Final = 3
"""A finger's last phalanx; its nail lies where W < 0."""
CHEST: Final = 4
"""Cloth of the torso: gets the tailoring of the wardrobe in chest axes."""
SLEEVE: Final = 5
UPPER_LEG: Final = 6
LOWER_LEG: Final = 7
"""Trousers."""
HIPS: Final = 8
"""Trousers at the pelvis: fly, pockets."""
SKIRT: Final = 9
SHOE: Final = 10
SOLE: Final = 11
BELT: Final = 12
CUFF: Final = 13
"""A shirt's cuff or collar under a jacket, a ribbed cuff, a glove's cuff."""
GLOVE: Final = 14
CAPE: Final = 15
WOOD: Final = 16
PLAIN: Final = 17
"""A thing of the colour of its cloth: sign, cup, bicycle."""
STEEL: Final = 18
RUBBER: Final = 19
PLATE: Final = 20
"""Armour."""
HOOD: Final = 21
"""Cloth at the neck beyond the chest: hood, roll neck."""


@dataclass(frozen=True)
class Build:
    """Proportions, as factors of an average body of 168 cm.

    Attributes:
        shoulders, hips, waist, arm, hand, leg: factors.
        bust: 0 flat .. 2.5.
        neck: radius in cm.
    """

    shoulders: float = 1.0
    hips: float = 1.0
    waist: float = 0.96
    bust: float = 0.0
    arm: float = 1.0
    hand: float = 1.0
    neck: float = 5.7
    leg: float = 1.0


@dataclass(frozen=True)
class Place:
    """A part with axes of its own: point = at + axes @ own.

    The columns of axes are its x (right), y (up), z (front).
    """

    at: F32
    axes: F32


@dataclass(frozen=True)
class Head:
    """Where the photographed head sits.

    Attributes:
        centre, chin: (3,) cm.
        yaw, pitch, roll: degrees in which it looks, as the camera sees it (body's yaw included), not yet limited.
    """

    centre: F32
    chin: F32
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0


@dataclass(frozen=True)
class Body:
    """A posed and dressed body, turned to its final yaw.

    Attributes:
        rows: (n, 64) float32, sorted by group and chain, see `rows`.
        cloth: (n,) index into `cloths`; -1 = skin.
        part: (n,) a PART.
        frame: (n,) index into `frames`: the limb in whose coordinates its cloth is woven.
        frames: (f, 13) origin, u (along), v, w, length.
        cloths: what the parts are made of.
        joints: (3,) cm by name: root, lumbar, chest, notch, neck, head, and with " left" or " right" (of the picture,
            facing the camera) shoulder, elbow, wrist, hand, hip, knee, ankle, toe.
        head: where the photograph goes.
        chest: axes at the jugular notch, of the bust frame's garments (but y UP).
        pelvis: axes between the hip joints.
        yaw: of the body, degrees.
        air: it does not stand on the floor.
        seed: of folds and drape.
        things: rows of props (seat, sign) also count for the frame.
    """

    rows: F32
    cloth: I32
    part: I32
    frame: I32
    frames: F32
    cloths: tuple[Cloth, ...]
    joints: Mapping[str, F32]
    head: Head
    chest: Place
    pelvis: Place
    yaw: float = 0.0
    air: bool = False
    seed: int = 0
    things: Mapping[str, F32] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Stance:
    """What one picture asks of the figure.

    Attributes:
        pose: an id of `poses.toml`.
        framing: medium, three-quarter, full or wide.
        outfit: what it wears.
        build: its proportions.
        camera: eye level, low angle, high angle, dutch angle (level here: the picture is turned later).
        turn: degrees added to the pose's own yaw; +-8 vary a set.
        mirror: the pose with its sides exchanged; None = the side to which this head turns better.
        across: place of the body in the frame, -0.5..0.5 of the width from the middle.
    """

    pose: str
    framing: Framing
    outfit: Outfit
    build: Build = Build()
    camera: str = "eye level"
    turn: float = 0.0
    mirror: bool | None = None
    across: float = 0.0
