"""Every pose puts its joints where its table says, within human limits, with hands that touch, in every garment."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from portrayal.character import study
from portrayal.engines.studio.figure import body as making
from portrayal.engines.studio.figure import contact, dress, hands, lettering, skeleton, types
from portrayal.engines.studio.figure.build import blended, build_of
from portrayal.engines.studio.figure.making import Making
from portrayal.engines.studio.figure.poses import Pose, mirrored, poses, vary
from portrayal.engines.studio.figure.rows import (
    CUT,
    GROUP,
    KIND,
    LENGTH,
    ORIGIN,
    SOLES,
    WIDTH,
    U,
    V,
    W,
    turn,
)
from portrayal.engines.studio.wardrobe.outfit import Cloth, Outfit
from portrayal.prompting.vocabulary import ids
from portrayal.settings import Settings

BUILDS = {"slim": blended(0.0), "average": types.Build(), "strong": blended(1.0)}
SAID = {"standing", "walking", "running", "jumping", "arms crossed", "hands in pockets", "hands on hips", "waving"}
SAID |= {"pointing", "thinking", "cycling", "flying"}
"""Words of the vocabulary that are poses themselves."""
CHECKS = [
    pytest.param(pose, build, mirror, id=f"{name}-{kind}{'-mirrored' * mirror}")
    for name, pose in poses().items()
    for kind, build in BUILDS.items()
    for mirror in (False, True)
]


def outfit(garment: str, **parts: Cloth) -> Outfit:
    return Outfit(garment=garment, main=Cloth("#2f6f6a", "cotton"), parts=parts)


def settled(pose: Pose, build: types.Build, garment: str = "t-shirt") -> tuple[Making, Any]:
    worn = dress.adapt(dress.wear(outfit(garment)), pose)
    first = Making(pose, skeleton.solve(pose, build), build, worn, 0)
    making.clothed(first)
    rows = np.array(first.rig.rows)
    return first, rows


def holds(joints: dict[str, Any], angles: dict[str, float], check: tuple[Any, ...]) -> bool:
    """Whether one entry of a pose's table is true."""
    name, relation, *rest = check
    at = joints[name]
    if relation == "bent":
        return bool(rest[0] <= angles[name] <= rest[1])
    if relation == "at":
        return bool(rest[0] <= at[1] <= rest[1])
    other = np.zeros(3) if rest[0] == "middle" else joints[rest[0]]
    away = float(rest[1])
    if relation == "near":
        return bool(np.linalg.norm(at - other) <= away)
    axis, sign = {
        "above": (1, 1), "below": (1, -1), "right of": (0, 1), "left of": (0, -1), "before": (2, 1), "behind": (2, -1)
    }[relation]  # fmt: skip
    return bool(sign * (at[axis] - other[axis]) >= away)


@pytest.mark.parametrize(("pose", "build", "mirror"), CHECKS)
def test_joints_are_where_the_table_says(pose: Pose, build: types.Build, mirror: bool) -> None:
    pose = mirrored(pose) if mirror else pose
    first, rows = settled(pose, build)
    bones = contact.settle(first, rows)
    assert pose.checks
    for check in pose.checks:
        assert holds(bones.joints(), bones.angles(), check), check


@pytest.mark.parametrize(("pose", "build", "mirror"), CHECKS)
def test_no_joint_leaves_its_human_range(pose: Pose, build: types.Build, mirror: bool) -> None:
    pose = mirrored(pose) if mirror else pose
    first, rows = settled(pose, build, "sweater")
    bones = contact.settle(first, rows)
    slack = 0.5
    for name, value in bones.angles().items():
        joint = name.rsplit(" ", 1)[0]
        low, high = {
            "elbow": skeleton.ELBOW,
            "knee": skeleton.KNEE,
            "shoulder back": (-180.0, skeleton.SHOULDER_BACK),
            "shoulder across": (-180.0, skeleton.SHOULDER_ACROSS),
            "hip": skeleton.HIP,
            "hip side": skeleton.HIP_SIDE,
            "wrist": (0.0, skeleton.WRIST),
        }[joint]
        assert low - slack <= value <= high + slack, (name, value)


@pytest.mark.parametrize(("pose", "build", "mirror"), CHECKS)
def test_feet_stand_on_the_floor(pose: Pose, build: types.Build, mirror: bool) -> None:
    bones = skeleton.solve(mirrored(pose) if mirror else pose, build)
    lowest = bones.lowest()
    assert lowest > -0.05
    if not pose.air and pose.prop != "bicycle":
        assert lowest < 0.5


@pytest.mark.parametrize("garment", ["t-shirt", "sweater", "suit"])
@pytest.mark.parametrize("name", [n for n, p in poses().items() if any(a.press for a in p.arms)])
def test_hands_lie_on_the_body(name: str, garment: str) -> None:
    """A hand that is laid on something touches it: nearer than a finger's half thickness, and not inside."""
    for build in BUILDS.values():
        pose = poses()[name]
        first, rows = settled(pose, build, garment)
        bones = contact.settle(first, rows)
        order = sorted((0, 1), key=lambda i: not pose.arms[i].under)
        for index in order:
            if pose.arms[index].press is None:
                continue
            around = rows
            if index == order[1]:
                around = np.vstack([rows, contact.arm_rows(first, bones.arms[order[0]])])
            gap = min(contact.gap(first, bones, index, around))
            assert -1.3 < gap < 0.4, (garment, index, gap)


def test_a_hand_without_a_target_keeps_clear_of_the_body() -> None:
    first, rows = settled(poses()["flying"], types.Build())
    before = contact.gap(first, first.bones, 0, rows)[0]
    after = contact.gap(first, contact.settle(first, rows), 0, rows)[0]
    assert before < -1
    assert after > -0.3


def test_an_impossible_target_bends_no_joint_beyond_its_range() -> None:
    root, near, far = np.zeros(3), np.array([0.0, -2.0, 1.0]), np.array([0.0, -300.0, 0.0])
    lengths = (skeleton.UPPER_ARM, skeleton.FOREARM)
    assert skeleton.two_bones(root, near, lengths, np.array([0.0, 0, -1]), 150).bend == pytest.approx(150, abs=0.5)
    straight = skeleton.two_bones(root, far, lengths, np.array([0.0, 0, -1]), 150)
    assert straight.bend < 15
    assert np.linalg.norm(straight.end) <= sum(lengths)


def test_shoulders_rise_with_the_arms() -> None:
    down, up = (skeleton.solve(poses()[n], types.Build()) for n in ("standing", "arms raised"))
    assert up.arms[1].root[1] > down.arms[1].root[1] + 3


def test_seeds_mirror_and_vary_a_pose() -> None:
    pose = poses()["waving"]
    found = [vary(pose, seed) for seed in range(12)]
    assert {p.mirrored for p in found} == {False, True}
    assert len({p.yaw for p in found}) == len(found)
    assert vary(pose, 3) == vary(pose, 3)
    for varied in found:
        bones = skeleton.solve(varied, types.Build())
        for check in varied.checks:
            assert holds(bones.joints(), bones.angles(), check), check


def test_a_mirrored_body_is_the_mirror_of_the_body() -> None:
    pose = poses()["contrapposto"]
    plain, other = (skeleton.solve(p, types.Build()).joints() for p in (pose, mirrored(pose)))
    swap = {"left": "right", "right": "left"}
    for name, at in plain.items():
        twin = " ".join(swap.get(word, word) for word in name.split())
        np.testing.assert_allclose(other[twin], at * (-1, 1, 1), atol=1e-6)


@pytest.mark.parametrize("garment", list(dress.table()["garment"]))
def test_a_garment_dresses_every_pose_it_is_offered_with(garment: str) -> None:
    for name, pose in poses().items():
        if not dress.fits(garment, name):
            near = dress.nearest_pose(garment, name)
            assert dress.fits(garment, near), (name, near)
            continue
        body = making.posed(pose, outfit(garment), types.Build(), 5)
        rows = body.rows
        assert rows.dtype == np.float32
        assert rows.shape[1] == 64
        assert np.isfinite(rows).all()
        assert len(rows) < 190
        assert (rows[:, LENGTH] > 0).all()
        assert (rows[rows[:, KIND] == 1, WIDTH : WIDTH + 6] > 0).all()
        axes = rows[:, U : U + 9].reshape(-1, 3, 3)
        np.testing.assert_allclose(np.linalg.norm(axes, axis=2), 1, atol=2e-3)
        assert np.abs((axes[:, 0] * axes[:, 1]).sum(1)).max() < 5e-3
        key = rows[:, GROUP] * 1000 + rows[:, 2]
        assert (np.diff(key) >= 0).all()
        assert body.cloth.min() >= -1
        assert body.cloth.max() < len(body.cloths)
        assert body.frame.max() < len(body.frames)
        main = body.cloths[0]
        assert main.colour == "#2f6f6a" or garment == "scarf"
        assert (body.cloth == 0).any()


def test_a_garment_is_known_for_every_word_of_the_vocabulary() -> None:
    words = {name for name in ids("garment") if name}
    assert words
    assert words <= set(dress.table()["garment"])


def test_parts_take_their_own_cloth() -> None:
    red = Cloth("#ff0000", "denim")
    body = making.posed(poses()["standing"], outfit("sweater", trousers=red, shoes=red), types.Build())
    legs = np.isin(body.part, [types.UPPER_LEG, types.LOWER_LEG, types.HIPS, types.SHOE])
    assert {body.cloths[i].colour for i in body.cloth[legs]} == {"#ff0000"}
    skirt = making.posed(poses()["standing"], outfit("sweater", skirt=red), types.Build())
    assert (skirt.part == types.SKIRT).any()
    assert not (skirt.part == types.LOWER_LEG).any() or (skirt.cloth[skirt.part == types.LOWER_LEG] == -1).all()
    gloved = making.posed(poses()["standing"], outfit("coat", gloves=red), types.Build())
    assert (gloved.part == types.GLOVE).any()
    assert not (gloved.part == types.PALM).any()


def test_things_are_there() -> None:
    for name, part in (
        ("sitting on a chair", types.WOOD),
        ("sitting on a stool", types.STEEL),
        ("cycling", types.RUBBER),
    ):
        assert (making.posed(poses()[name], outfit("t-shirt"), types.Build()).part == part).any()
    sign = making.posed(poses()["holding a sign"], outfit("t-shirt"), types.Build())
    assert sign.things["sign"][2] > sign.joints["chest"][2] + 10
    for name in ("holding a cup",):
        for pose in (poses()[name], mirrored(poses()[name])):
            body = making.posed(pose, outfit("t-shirt"), types.Build())
            hand = body.joints["hand left" if pose.mirrored else "hand right"]
            assert math.dist(body.things["cup"], hand) < 8


def test_soles_reach_the_floor_and_not_below() -> None:
    for name in ("standing", "sitting on a chair", "walking"):
        rows = making.posed(poses()[name], outfit("sweater"), types.Build()).rows
        soles = rows[(rows[:, GROUP] == SOLES) & (rows[:, CUT] == 0)]
        ends = np.concatenate(
            [
                soles[:, ORIGIN : ORIGIN + 3],
                soles[:, ORIGIN : ORIGIN + 3] + soles[:, U : U + 3] * soles[:, LENGTH : LENGTH + 1],
            ]
        )
        assert -1.0 < ends[:, 1].min() < 2.0


def test_every_hand_shape_is_used_and_built() -> None:
    used = {arm.hand for pose in poses().values() for arm in pose.arms}
    assert used == set(hands.shapes())
    assert V < W


def test_words_of_the_vocabulary_have_poses() -> None:
    assert set(poses()) >= SAID


def test_words_stand_on_the_front_of_the_board() -> None:
    """Ink is found where the board is, reads from the picture's left to its right, and only on the front."""
    for pose in (poses()["holding a sign"], mirrored(poses()["holding a sign"])):
        body = making.posed(pose, outfit("t-shirt"), types.Build())
        x, y = np.meshgrid(np.linspace(-40, 40, 321), np.linspace(140, 80, 241))
        right = turn(body.yaw)[:, 0]
        plane = body.things["sign"] + x[..., None] * right + (y - body.things["sign"][1])[..., None] * (0, 1, -0.06)
        ink = lettering.inked(body, plane.astype(np.float32), "IIIII O")
        assert 0.01 < ink.mean() < 0.3
        columns = np.flatnonzero(ink.max(0) > 0.5)
        assert abs(columns.mean() - 160) < 20
        assert x[0, columns[0]] > -29
        assert x[0, columns[-1]] < 29
        assert lettering.inked(body, plane.astype(np.float32) - np.array([0, 0, 2], np.float32), "HELLO").max() == 0
        last = ink[:, columns[-1] - 40 : columns[-1] + 1]
        first = ink[:, columns[0] : columns[0] + 41]
        assert last.sum() != pytest.approx(first.sum(), rel=0.02)
    empty = making.posed(poses()["standing"], outfit("t-shirt"), types.Build())
    assert lettering.inked(empty, np.zeros((4, 4, 3), np.float32), "HELLO").max() == 0


@pytest.mark.parametrize(
    "text", ["HELLO", "Please mind the gap between train and platform", "Grüße", "你好世界", "x" * 200]
)
def test_any_words_fit_the_board(text: str) -> None:
    page = lettering.board(text)
    rows, columns = np.flatnonzero(page.max(1)), np.flatnonzero(page.max(0))
    assert rows[0] > 15
    assert rows[-1] < page.shape[0] - 15
    if len(text) < 200:
        assert columns[0] > 15
        assert columns[-1] < page.shape[1] - 15


def test_a_body_is_measured_on_its_reference(sample: bytes, settings: Settings) -> None:
    """Broader shoulders in the picture make a broader body; nobody becomes a caricature."""
    person = study(sample, cache_dir=settings.cache_dir)
    found = build_of(person)
    assert person.reading is not None
    assert blended(0.1).shoulders < found.shoulders < blended(0.9).shoulders
    points = person.reading.points.copy()
    points[:, 1] = points[152, 1] + (points[:, 1] - points[152, 1]) * 0.85  # a smaller face: broader shoulders
    smaller = replace(person, reading=replace(person.reading, points=points))
    assert build_of(smaller).shoulders > found.shoulders
    assert build_of(replace(person, reading=None)) == types.Build()


def test_own_clothes_have_the_colour_of_the_reference(sample: bytes, settings: Settings) -> None:
    """The astronaut's suit is orange, though the helmet in her hands is black."""
    person = study(sample, cache_dir=settings.cache_dir)
    worn = dress.own_clothes(person, 3)
    red, green, blue = (int(worn.main.colour[i : i + 2], 16) for i in (1, 3, 5))
    assert red > green + 60
    assert green > blue
    assert worn.seed == 3
    assert dress.wear(worn).part("trousers") != 0
