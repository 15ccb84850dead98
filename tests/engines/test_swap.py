"""Face and head swap: who it is afterwards, what stays, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from portrayal import assets
from portrayal.character.identity_map import IdentityMap
from portrayal.character.learning import study
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.swap import check_target, swap_face, swap_head
from portrayal.engines.studio.swap.shape import mouth_gap, openness
from portrayal.engines.studio.types import Notes, Patch
from portrayal.errors import InvalidRequestError
from portrayal.imaging import U8
from portrayal.perception import identity, mesh
from portrayal.perception.faces import read_face_near
from portrayal.perception.types import FaceReading
from portrayal.settings import Settings

KEPT = Kept()


def face_mask(shape: tuple[int, ...], reading: FaceReading, grown: float = 1.12) -> U8:
    mask = np.zeros(shape[:2], np.uint8)
    ring = reading.points[list(mesh.OVAL), :2]
    middle = ring.mean(0)
    cv2.fillPoly(mask, [np.round(middle + (ring - middle) * grown).astype(np.int32)], 255)
    return mask


def head_mask(shape: tuple[int, ...], reading: FaceReading) -> U8:
    mask = np.zeros(shape[:2], np.uint8)
    tall = float(np.ptp(reading.points[:468, 1]))
    x, y = reading.points[:468, :2].mean(0)
    cv2.ellipse(mask, (int(x), int(y - 0.12 * tall)), (int(1.05 * tall), int(tall)), 0, 0, 360, 255, -1)
    return mask


def applied(scene: U8, patch: Patch) -> U8:
    out = scene.copy()
    h, w = patch.rgb.shape[:2]
    out[patch.y : patch.y + h, patch.x : patch.x + w] = patch.rgb
    return out


def swapped(
    kind: str, scene: U8, reading: FaceReading, character: IdentityMap, strength: float | None = None, seed: int = 1
) -> U8:
    mask = (face_mask if kind == "face" else head_mask)(scene.shape, reading)
    swap = swap_face if kind == "face" else swap_head
    extra = {} if strength is None else {"identity": strength}
    patch = swap(scene, mask, reading, character, KEPT, seed=seed, speed="balanced", notes=Notes(), **extra)
    out = applied(scene, patch)
    assert np.array_equal(out[mask == 0], scene[mask == 0])
    return out


def measured(picture: U8, near: FaceReading, character: IdentityMap) -> float:
    reading = read_face_near(picture, near)
    assert reading is not None
    assert character.embedding is not None
    return identity.distance(character.embedding, identity.embed(picture, reading.points))


@pytest.fixture(scope="module")
def astronaut(settings: Settings) -> IdentityMap:
    return study(assets.path("sample/astronaut.png"), cache_dir=settings.cache_dir)


@pytest.fixture(scope="module")
def people(portraits: list[Path], settings: Settings, astronaut: IdentityMap) -> dict[str, IdentityMap]:
    found = {path.stem: study(path, cache_dir=settings.cache_dir) for path in portraits}
    return {"sample": astronaut, **found}


def reading_of(character: IdentityMap) -> FaceReading:
    assert character.reading is not None
    return character.reading


PAIRS = [
    ("sample", "person-a-1"),
    ("sample", "person-a-2"),
    ("sample", "person-b-1"),
    ("person-a-1", "sample"),
    ("person-a-2", "sample"),
    ("person-b-1", "sample"),
    ("person-b-1", "person-a-1"),
    ("person-b-1", "person-a-2"),
    ("person-a-1", "person-b-1"),
    ("person-a-2", "person-b-1"),
]


@pytest.mark.parametrize("kind", ["face", "head"])
@pytest.mark.parametrize(("who", "where"), PAIRS)
def test_another_person_in_the_scene(people: dict[str, IdentityMap], kind: str, who: str, where: str) -> None:
    character, other = people[who], people[where]
    reading = reading_of(other)
    before = measured(other.image, reading, character)
    after = measured(swapped(kind, other.image, reading, character), reading, character)
    assert after <= 0.50
    assert after <= before - 0.2


@pytest.mark.parametrize("kind", ["face", "head"])
def test_more_identity_is_nearer(people: dict[str, IdentityMap], kind: str) -> None:
    character, other = people["sample"], people["person-a-1"]
    reading = reading_of(other)
    found = [measured(swapped(kind, other.image, reading, character, s), reading, character) for s in (0.3, 0.65, 1.0)]
    assert found[0] > found[1] > found[2]


def mirrored_scene(character: IdentityMap) -> tuple[U8, FaceReading]:
    """The sample in a mirror: a scene whose person differs from it in every pixel."""
    scene = np.ascontiguousarray(character.image[:, ::-1])
    reading = read_face_near(scene)
    assert reading is not None
    return scene, reading


@pytest.mark.parametrize("kind", ["face", "head"])
def test_outside_of_the_mask_nothing_changes(astronaut: IdentityMap, kind: str) -> None:
    scene, reading = mirrored_scene(astronaut)
    mask = (face_mask if kind == "face" else head_mask)(scene.shape, reading)
    mask[:, : int(reading.points[4, 0])] = 0  # a mask may cut the face in half
    swap = swap_face if kind == "face" else swap_head
    patch = swap(scene, mask, reading, astronaut, KEPT, seed=1, speed="balanced", notes=Notes())
    out = applied(scene, patch)
    assert np.array_equal(out[mask == 0], scene[mask == 0])
    assert (out != scene).any()
    h, w = patch.cover.shape
    part = scene[patch.y : patch.y + h, patch.x : patch.x + w]
    assert np.array_equal(patch.rgb[patch.cover == 0], part[patch.cover == 0])
    assert not patch.cover[mask[patch.y : patch.y + h, patch.x : patch.x + w] == 0].any()


@pytest.mark.parametrize("kind", ["face", "head"])
def test_same_call_same_bytes(astronaut: IdentityMap, kind: str) -> None:
    scene, reading = mirrored_scene(astronaut)
    assert np.array_equal(
        swapped(kind, scene, reading, astronaut, seed=5), swapped(kind, scene, reading, astronaut, seed=5)
    )


@pytest.mark.parametrize("kind", ["face", "head"])
def test_grey_stays_grey_and_sepia_sepia(astronaut: IdentityMap, kind: str) -> None:
    scene, reading = mirrored_scene(astronaut)
    light = cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY)
    grey = np.asarray(cv2.merge([light, light, light]), np.uint8)
    out = swapped(kind, grey, reading, astronaut)
    mask = face_mask(scene.shape, reading, 0.8) > 0
    assert (out[mask] != grey[mask]).any()
    assert int(np.ptp(out[mask].astype(int), axis=1).max()) <= 3
    sepia = np.clip(grey.astype(np.float32) * [1.0, 0.86, 0.68] + [12, 4, 0], 0, 255).astype(np.uint8)
    out = swapped(kind, sepia, reading, astronaut)
    red, blue = (out[mask][:, k].astype(float).mean() for k in (0, 2))
    was_red, was_blue = (sepia[mask][:, k].astype(float).mean() for k in (0, 2))
    assert abs((red - blue) - (was_red - was_blue)) < 6


def test_what_is_in_front_stays_in_front(astronaut: IdentityMap) -> None:
    scene, reading = mirrored_scene(astronaut)
    tall = float(np.ptp(reading.points[:468, 1]))
    scene = scene.copy()
    x, y = (reading.points[234, :2] + reading.points[172, :2]) / 2  # a blue glove on the cheek
    glove = np.zeros(scene.shape[:2], np.uint8)
    cv2.ellipse(glove, (int(x), int(y)), (int(0.16 * tall), int(0.10 * tall)), 20, 0, 360, 255, -1)
    scene[glove > 0] = (40, 70, 160)
    out = swapped("face", scene, reading, astronaut)
    inner = cv2.erode(glove, np.ones((5, 5), np.uint8)) > 0
    assert np.abs(out[inner].astype(int) - scene[inner]).mean() < 3
    nose = np.s_[int(reading.points[4, 1]) - 4 : int(reading.points[4, 1]) + 5, int(reading.points[4, 0]) - 4 :][:1]
    assert (out[nose] != scene[nose]).any()


def test_the_moment_of_the_scene_stays(people: dict[str, IdentityMap]) -> None:
    """Whoever it is: shut lips stay shut, and the head keeps its angle."""
    character, other = people["person-a-1"], people["person-b-1"]
    reading = reading_of(other)
    assert mouth_gap(reading_of(character).points) > 0.2
    seen = read_face_near(swapped("face", other.image, reading, character), reading)
    assert seen is not None
    assert mouth_gap(seen.points) < 0.08
    assert abs(seen.pose.yaw - reading.pose.yaw) < 8
    assert abs(seen.pose.roll - reading.pose.roll) < 4
    assert min(openness(seen.points, 0), openness(seen.points, 1)) > 0.12


@pytest.mark.parametrize("size", [40, 72, 160])
def test_small_and_large_faces(people: dict[str, IdentityMap], size: int) -> None:
    character, other = people["sample"], people["person-a-1"]
    k = size / reading_of(other).pose.scale
    scene = np.asarray(cv2.resize(other.image, None, fx=k, fy=k, interpolation=cv2.INTER_AREA), np.uint8)
    reading = read_face_near(scene)
    assert reading is not None
    check_target(reading, (scene.shape[1], scene.shape[0]), head=False)
    assert measured(swapped("face", scene, reading, character), reading, character) <= 0.55


def test_faces_that_cannot_be_swapped(astronaut: IdentityMap) -> None:
    reading = reading_of(astronaut)
    size = (512, 512)
    check_target(reading, size, head=False)
    check_target(reading, size, head=True)
    small = replace(reading, pose=replace(reading.pose, scale=20.0))
    with pytest.raises(InvalidRequestError, match="Upscale") as caught:
        check_target(small, size, head=False)
    assert caught.value.field == "image"
    turned = replace(reading, pose=replace(reading.pose, yaw=70.0))
    for head in (False, True):
        with pytest.raises(InvalidRequestError, match="whole person"):
            check_target(turned, size, head=head)
    outside = replace(reading, pose=replace(reading.pose, origin=np.array([-30, 10, 0], np.float32)))
    with pytest.raises(InvalidRequestError, match="outside"):
        check_target(outside, size, head=False)
