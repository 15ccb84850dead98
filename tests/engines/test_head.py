"""The head turns, the face changes, and everything else stays: measured in the pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from portrayal import assets
from portrayal.character import study
from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.head import HeadModel, HeadMotion, analyse, move
from portrayal.engines.studio.place import place
from portrayal.engines.studio.types import Cutout, Notes
from portrayal.imaging import F32, U8
from portrayal.perception import identity, mesh
from portrayal.perception.faces import read_faces
from portrayal.perception.types import CLOTHING, FACE, FaceReading

SIZE, FACE_HEIGHT = 640, 220


@dataclass(frozen=True)
class Placed:
    """A person on a small canvas."""

    character: IdentityMap
    model: HeadModel
    cutout: Cutout
    scale: float
    offset: tuple[float, float]

    def moved(self, notes: Notes | None = None, **motion: Any) -> Cutout:
        what = HeadMotion(**motion)
        return move(self.cutout, self.model, self.scale, self.offset, what, "balanced", notes or Notes())

    @property
    def reading(self) -> FaceReading:
        assert self.character.reading is not None
        return self.character.reading

    def distance(self, cutout: Cutout) -> float:
        assert self.character.embedding is not None
        picture = shown(cutout)
        return identity.distance(identity.embed(picture, read(picture).points, mirror=False), self.character.embedding)


@lru_cache(8)
def studied(path: Path) -> IdentityMap:
    """One study per portrait for all tests of the head."""
    return study(path, use_cache=False)


def placed(character: IdentityMap, size: int = SIZE, face: int = FACE_HEIGHT, middle: float = 0.5) -> Placed:
    assert character.reading is not None
    points = character.reading.points[:468, :2]
    low, high = points.min(0), points.max(0)
    scale = float(face / (high[1] - low[1]))
    centre = (low + high) / 2 * scale
    offset = (float(size * middle - centre[0]), float(size * 0.42 - centre[1]))
    cutout = place(character, scale, offset, size, size, "turbo", 1)
    return Placed(character, analyse(character), cutout, scale, offset)


def shown(cutout: Cutout) -> U8:
    alpha = cutout.alpha[..., None]
    grey = np.float32(0.62)
    return (np.clip(cutout.rgb * alpha + (1 - alpha) * grey, 0, 1) * 255 + 0.5).astype(np.uint8)


def read(picture: U8) -> FaceReading:
    readings = read_faces(picture, average=True)
    assert readings, "no face in the picture"
    return readings[0]


@pytest.fixture(scope="module")
def astronaut() -> Placed:
    return placed(studied(assets.path("sample/astronaut.png")))


@pytest.fixture(scope="module")
def men(portraits: list[Path]) -> list[Placed]:
    return [placed(studied(p)) for p in portraits]


def test_no_motion_is_the_same_object(astronaut: Placed) -> None:
    assert astronaut.moved() is astronaut.cutout


@pytest.mark.parametrize("yaw", [-25.0, -12.0, 12.0, 25.0])
def test_yaw_is_what_was_asked_for(astronaut: Placed, yaw: float) -> None:
    own = astronaut.reading.pose.yaw
    turned = astronaut.moved(yaw=yaw - own)
    assert read(shown(turned)).pose.yaw == pytest.approx(yaw, abs=6)
    assert astronaut.distance(turned) < 0.40


@pytest.mark.parametrize(("angle", "least", "most"), [("pitch", 6, 19), ("roll", 10, 14)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_pitch_and_roll(astronaut: Placed, angle: str, least: float, most: float, sign: int) -> None:
    turned = astronaut.moved(None, **{angle: 12.0 * sign})
    change = getattr(read(shown(turned)).pose, angle) - getattr(astronaut.reading.pose, angle)
    assert least < sign * change < most
    assert astronaut.distance(turned) < 0.40


def test_men_turn_too(men: list[Placed]) -> None:
    for man in men:
        low, high = man.model.allowed.yaw
        for wanted in (max(low, -14.0), min(high, 14.0)):
            turned = man.moved(yaw=wanted)
            change = read(shown(turned)).pose.yaw - man.reading.pose.yaw
            assert change == pytest.approx(wanted, abs=6)
            assert man.distance(turned) < 0.40


def test_clothes_stay_to_the_bit(astronaut: Placed) -> None:
    before = astronaut.cutout
    for motion in ({"yaw": 20.0}, {"roll": -12.0}, {"expression": "shouting"}):
        after = astronaut.moved(None, **motion)
        low = int(before.points[mesh.CHIN, 1] + 0.45 * FACE_HEIGHT)  # type: ignore[index]
        assert np.array_equal(after.rgb[low:], before.rgb[low:])
        assert np.array_equal(after.alpha[low:], before.alpha[low:])


def test_collar_has_no_hole(astronaut: Placed) -> None:
    assert astronaut.cutout.points is not None
    chin = astronaut.cutout.points[mesh.CHIN]
    x, y = int(chin[0]), int(chin[1])
    for motion in ({"yaw": 25.0}, {"yaw": -25.0}, {"roll": 18.0}, {"pitch": 14.0}):
        alpha = astronaut.moved(None, **motion).alpha
        around = alpha[y : y + FACE_HEIGHT // 2, x - FACE_HEIGHT // 4 : x + FACE_HEIGHT // 4]
        assert around.min() > 0.97


def test_edge_is_as_soft_as_the_references(astronaut: Placed) -> None:
    """A mesh's hard edge would halve the half-transparent pixels of the hair."""

    def soft(alpha: F32) -> int:
        hair = alpha[: int(0.42 * SIZE)]
        return int(((hair > 0.05) & (hair < 0.95)).sum())

    before = soft(astronaut.cutout.alpha)
    for yaw in (-18.0, 18.0):
        assert 0.5 * before < soft(astronaut.moved(yaw=yaw).alpha) < 2.0 * before


def test_new_points_lie_on_the_new_face(astronaut: Placed) -> None:
    for motion in ({"yaw": 18.0, "roll": 8.0}, {"yaw": -15.0, "expression": "laugh"}, {"expression": "neutral"}):
        after = astronaut.moved(None, **motion)
        assert after.points is not None
        found = read(shown(after)).points
        error = np.linalg.norm(found[:468, :2] - after.points[:468, :2], axis=1).mean()
        assert error < 0.02 * FACE_HEIGHT


def test_regions_follow_the_head(astronaut: Placed) -> None:
    after = astronaut.moved(yaw=20.0)
    assert after.points is not None
    nose = after.points[4].astype(int)
    assert after.regions[nose[1], nose[0]] == FACE
    assert (after.regions[-20:] == CLOTHING).mean() == pytest.approx(
        (astronaut.cutout.regions[-20:] == CLOTHING).mean(), abs=0.01
    )


def test_too_far_is_limited_with_a_warning(astronaut: Placed) -> None:
    notes = Notes()
    far = astronaut.moved(notes, yaw=70.0)
    assert any("yaw" in w for w in notes.warnings)
    limit = astronaut.moved(yaw=astronaut.model.allowed.yaw[1])
    assert np.array_equal(far.rgb, limit.rgb)


def test_turned_reference_may_turn_less_far_away(men: list[Placed]) -> None:
    man = max(men, key=lambda m: abs(m.reading.pose.yaw))
    away = man.model.allowed.yaw[1 if man.reading.pose.yaw > 0 else 0]
    assert abs(away) < 22


def test_a_cropped_head_turns_less_and_stays_inside(astronaut: Placed) -> None:
    """Hair that the reference's border cuts off must not grow beyond that border."""
    own = astronaut.character
    top = int(astronaut.reading.points[mesh.FOREHEAD, 1]) - 12
    cut = placed(study(np.ascontiguousarray(own.image[top:]), use_cache=False), 480, 200)
    assert cut.model.allowed.yaw[1] < 0.7 * astronaut.model.allowed.yaw[1]
    after = cut.moved(roll=10.0)
    above = int(cut.offset[1]) - 2
    assert above > 20
    assert np.array_equal(after.alpha[:above], cut.cutout.alpha[:above])
    row = after.alpha[above + 6]
    assert (row > 0.9).sum() > 0.5 * (cut.cutout.alpha[above + 6] > 0.9).sum()  # no gap below it either


def test_unknown_expression_is_said(astronaut: Placed) -> None:
    notes = Notes()
    assert astronaut.moved(notes, expression="levitating") is astronaut.cutout
    assert any("levitating" in w for w in notes.warnings)


@pytest.mark.parametrize("middle", [0.05, 0.95])
def test_a_head_cut_by_the_canvas(astronaut: Placed, middle: float) -> None:
    cut = placed(astronaut.character, 320, 200, middle)
    after = cut.moved(yaw=15.0, expression="smile")
    assert after.rgb.shape == cut.cutout.rgb.shape
    assert np.isfinite(after.rgb).all()
    assert 0 <= float(after.rgb.min()) <= float(after.rgb.max()) <= 1
    assert (after.alpha > 0.5).mean() == pytest.approx((cut.cutout.alpha > 0.5).mean(), abs=0.06)


def test_same_motion_same_bytes(astronaut: Placed, monkeypatch: pytest.MonkeyPatch) -> None:
    motion = {"yaw": 14.0, "expression": "eyes closed", "seed": 5}
    first = astronaut.moved(None, **motion)
    monkeypatch.setattr("portrayal.parallel.cores", lambda: 1)
    second = astronaut.moved(None, **motion)
    assert np.array_equal(first.rgb, second.rgb)
    assert np.array_equal(first.alpha, second.alpha)


def test_person_without_face_is_an_error(astronaut: Placed) -> None:
    with pytest.raises(ValueError, match="without a face"):
        analyse(replace(astronaut.character, reading=None))


def test_clothes_beside_the_neck_keep_their_own_colours(astronaut: Placed) -> None:
    before, after = astronaut.cutout, astronaut.moved(yaw=-15.0)
    share = FACE_HEIGHT / astronaut.model.face
    distance = cv2.warpAffine(
        astronaut.model.outline.distance,
        np.array(
            [
                [share, 0, astronaut.offset[0] + astronaut.scale * astronaut.model.origin[0]],
                [0, share, astronaut.offset[1] + astronaut.scale * astronaut.model.origin[1]],
            ]
        ),
        (SIZE, SIZE),
        borderValue=-1e3,
    )
    off = (distance < -0.04 * astronaut.model.face) & (before.regions == CLOTHING) & (after.regions == CLOTHING)
    assert off.sum() > 10000
    assert np.abs(after.rgb - before.rgb)[off].max() < 1e-3
