"""A posed and dressed body: bones, then clothes, then hands that touch, as rows for the tracing."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from portrayal.engines.studio.figure import contact, limbs, props, skirts, trunk, types
from portrayal.engines.studio.figure.dress import adapt, nearest_pose, wear
from portrayal.engines.studio.figure.making import Making
from portrayal.engines.studio.figure.poses import Pose, poses, vary
from portrayal.engines.studio.figure.rows import PROP, Vector, turn
from portrayal.engines.studio.figure.skeleton import solve
from portrayal.engines.studio.figure.types import Body, Build, Head, Place
from portrayal.engines.studio.wardrobe.outfit import Outfit
from portrayal.imaging import F32


def build(pose: str, outfit: Outfit, proportions: Build | None = None, seed: int = 0) -> Body:
    """A body.

    Args:
        pose: an id of `poses.toml`; when the garment does not convince in it, the nearest pose is taken.
        outfit: what it wears.
        proportions: of the body; None = average.
        seed: which side of the pose, a few degrees, and the fall of the folds.

    Raises:
        KeyError: no such pose.
    """
    chosen = poses()[nearest_pose(outfit.garment, poses()[pose].name)]
    return posed(vary(chosen, seed), outfit, proportions or Build(), seed)


def posed(pose: Pose, outfit: Outfit, proportions: Build, seed: int = 0) -> Body:
    """A body in a pose as it is, without the differences of a seed."""
    made, marks = make(pose, outfit, proportions, seed)
    angle = pose.yaw
    bones = made.bones
    rows, cloth, part, frame, frames = made.rig.done(angle)
    r = turn(angle)

    def turned(value: Vector) -> F32:
        return np.asarray(r @ value, np.float32)

    look = pose.head
    return Body(
        rows=rows,
        cloth=cloth,
        part=part,
        frame=frame,
        frames=frames,
        cloths=made.worn.cloths,
        joints=MappingProxyType({name: turned(at) for name, at in bones.joints().items()}),
        head=Head(turned(bones.head), turned(bones.chin), angle + look[0], look[1], look[2]),
        chest=Place(turned(bones.notch), np.asarray(r @ bones.chest_axes, np.float32)),
        pelvis=Place(turned(bones.pelvis), np.asarray(r @ bones.pelvis_axes, np.float32)),
        yaw=angle,
        air=pose.air,
        seed=seed,
        things=MappingProxyType({name: turned(at) for name, at in marks.items()}),
    )


def make(pose: Pose, outfit: Outfit, proportions: Build, seed: int = 0) -> tuple[Making, dict[str, Vector]]:
    """The rows of a body before its yaw, and marks of the things it holds."""
    worn = adapt(wear(outfit), pose)
    first = Making(pose, solve(pose, proportions), proportions, worn, seed)
    clothed(first)
    bones = contact.settle(first, np.array(first.rig.rows))
    return finish(Making(pose, bones, proportions, worn, seed))


def finish(m: Making) -> tuple[Making, dict[str, Vector]]:
    """All rows of a body whose bones are settled."""
    clothed(m)
    for index in (0, 1):
        limbs.arm(m, index)
    skirts.cape(m)
    if m.worn.pack:
        m.use("main", types.GLOVE, "chest")
        m.rig.box(PROP, 30, m.bones.in_chest(0, 12, -17), m.bones.chest_axes.T, (16, 20, 6), 3.0)
    if m.pose.seat:
        props.seat(m)
    return m, props.hand_things(m)


def clothed(m: Making) -> None:
    """Everything but arms, hands and things."""
    trunk.bare(m)
    trunk.shell(m)
    trunk.collar(m)
    for index in (0, 1):
        limbs.leg(m, index)
    if m.worn.lower.kind == "skirt":
        skirts.skirt(m)
    else:
        trunk.hips(m)
    skirts.coat(m)
    trunk.front(m)
    trunk.sari_drape(m)
    trunk.belt(m)
