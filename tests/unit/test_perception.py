"""Faces, landmarks, pose, expression, identity: numbers in pictures."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from portrayal import assets, imaging
from portrayal.imaging import F32, U8
from portrayal.perception import identity, mesh
from portrayal.perception.expression import SHUT, read_expression
from portrayal.perception.faces import read_face_near, read_faces
from portrayal.perception.pose import head_pose, rotation
from portrayal.perception.types import FaceReading
from tests.unit import mascots

PORTRAITS = Path(__file__).parents[3] / "shared" / "portraits"


@pytest.fixture(scope="module")
def astronaut() -> U8:
    return imaging.decode(assets.path("sample/astronaut.png").read_bytes())


@pytest.fixture(scope="module")
def reading(astronaut: U8) -> FaceReading:
    found = read_faces(astronaut, average=True)
    assert len(found) == 1
    return found[0]


def eye_distance(reading: FaceReading) -> float:
    return float(np.linalg.norm(reading.points[33, :2] - reading.points[263, :2]))


def turned(rgb: U8, degrees: float) -> U8:
    """The picture turned clockwise about the face."""
    matrix = cv2.getRotationMatrix2D((226, 110), -degrees, 1.0)
    return np.asarray(cv2.warpAffine(rgb, matrix, rgb.shape[1::-1], borderMode=cv2.BORDER_REFLECT), np.uint8)


def test_the_face_of_the_sample(reading: FaceReading) -> None:
    x0, y0, x1, y1 = reading.face.box
    assert 160 < x0 < 200
    assert 255 < x1 < 290
    assert 50 < y0 < 90
    assert 155 < y1 < 190
    assert reading.points.shape == (478, 3)
    assert reading.points.dtype == np.float32
    # The irises lie between the corners of their eyes.
    assert reading.points[33, 0] < reading.points[468, 0] < reading.points[133, 0]
    assert reading.points[362, 0] < reading.points[473, 0] < reading.points[263, 0]


def test_a_small_face_in_a_large_picture(astronaut: U8, reading: FaceReading) -> None:
    small = np.asarray(cv2.resize(astronaut, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA), np.uint8)
    ground = (mascots.backdrop("gradient", 1400) * 255).clip(0, 255).astype(np.uint8)
    ground[900 : 900 + small.shape[0], 1000 : 1000 + small.shape[1]] = small
    found = read_faces(ground, average=False)
    assert len(found) == 1
    expected = reading.points[:468, :2] * 0.6 + [1000, 900]
    error = np.linalg.norm(found[0].points[:468, :2] - expected, axis=1).mean()
    assert error < 0.03 * 0.6 * eye_distance(reading)


def test_two_faces_largest_first(astronaut: U8) -> None:
    large = astronaut[:256, 100:356]
    small = np.asarray(cv2.resize(large[:, ::-1], (160, 160), interpolation=cv2.INTER_AREA), np.uint8)
    both = np.full((256, 460, 3), 128, np.uint8)
    both[:, :256] = large
    both[60:220, 290:450] = small
    found = read_faces(both, average=False, tiles=True)
    assert len(found) == 2
    assert found[0].pose.origin[0] < 256 < found[1].pose.origin[0]
    assert found[1].pose.scale == pytest.approx(found[0].pose.scale * 160 / 256, rel=0.06)


@pytest.mark.parametrize("mascot", mascots.NAMES)
def test_no_face_in_a_mascot(mascot: mascots.Mascot) -> None:
    assert read_faces(mascots.draw(mascot, 400, "gradient"), average=False) == []
    assert read_face_near(mascots.draw(mascot, 400)) is None


def test_the_quick_reading_agrees(astronaut: U8, reading: FaceReading) -> None:
    limit = 0.03 * eye_distance(reading)
    for near in (None, reading, reading.points, reading.face.box, (170.0, 60.0, 300.0, 190.0)):
        quick = read_face_near(astronaut, near)
        assert quick is not None
        assert np.linalg.norm(quick.points[:, :2] - reading.points[:, :2], axis=1).mean() < limit
    # A wrong hint does not lose the face.
    far = read_face_near(astronaut, (380.0, 330.0, 500.0, 450.0))
    assert far is not None
    assert np.linalg.norm(far.pose.origin - reading.pose.origin) < 0.1 * reading.pose.scale


def test_mirrored_picture_gives_mirrored_landmarks(astronaut: U8, reading: FaceReading) -> None:
    other = read_faces(np.ascontiguousarray(astronaut[:, ::-1]), average=True)[0]
    back = other.points[:468][mesh.mirror_map()]
    # Eyes are read by another net; the whole mesh is compared.
    error = np.hypot(511 - back[:, 0] - reading.points[:468, 0], back[:, 1] - reading.points[:468, 1]).mean()
    assert error < 0.02 * eye_distance(reading)
    assert other.pose.yaw == pytest.approx(-reading.pose.yaw, abs=1.5)
    assert other.pose.roll == pytest.approx(-reading.pose.roll, abs=1.0)
    assert other.expression.eye_left == pytest.approx(reading.expression.eye_right, abs=0.04)


def test_averaging_steadies_the_landmarks(astronaut: U8) -> None:
    def jitter(average: bool) -> float:
        shifts = (0, 1, 2, 3)
        reads = [
            read_faces(np.roll(astronaut, (-s, s), (0, 1)), average=average)[0].points[:468, :2] - [s, -s]
            for s in shifts
        ]
        return float(np.std(reads, axis=0).mean())

    assert jitter(True) < jitter(False)


def test_canonical_face_is_symmetric() -> None:
    face, mirror = mesh.canonical_face(), mesh.mirror_map()
    assert np.array_equal(mirror[mirror], np.arange(468))
    assert np.abs(face[mirror] * [-1, 1, 1] - face).max() < 0.002
    assert np.linalg.norm(face[mesh.CHEEK_LEFT] - face[mesh.CHEEK_RIGHT]) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("angles", [(0, 5, 0), (20, 5, 0), (-35, 10, 12), (10, -20, -25), (-5, 30, 3)])
def test_rotation_is_the_inverse_of_the_pose(angles: tuple[float, float, float]) -> None:
    points = 150 * mesh.canonical_face() @ rotation(*angles).T + [300, 200, 10]
    pose = head_pose(points.astype(np.float32))
    assert (pose.raw_yaw, pose.raw_pitch, pose.roll) == pytest.approx(angles, abs=0.01)
    assert pose.scale == pytest.approx(150, rel=1e-4)
    assert pose.origin == pytest.approx([300, 200, 10], abs=0.01)
    nose, middle = points[4], points[[33, 263]].mean(0)
    if abs(angles[0]) > 15:  # yaw > 0: the nose goes to the picture's right
        assert np.sign(nose[0] - middle[0]) == np.sign(angles[0])


@pytest.mark.parametrize("degrees", [-30, -12, 15, 35])
def test_roll_is_clockwise(astronaut: U8, reading: FaceReading, degrees: float) -> None:
    found = read_face_near(turned(astronaut, degrees))
    assert found is not None
    assert found.pose.roll - reading.pose.roll == pytest.approx(degrees, abs=2)
    assert found.pose.scale == pytest.approx(reading.pose.scale, rel=0.04)


def test_the_sample_smiles_with_open_eyes(reading: FaceReading) -> None:
    expression = reading.expression
    assert expression.smile > 0.8
    assert expression.mouth_open > 0.12
    assert expression.corner_lift > 0.03
    assert min(expression.eye_left, expression.eye_right) > 0.3


def test_closed_lids_read_as_shut(reading: FaceReading) -> None:
    points = reading.points.copy()
    for eye in (mesh.EYE_LEFT, mesh.EYE_RIGHT):
        points[list(eye[9:16]), :2] = points[list(eye[1:8]), :2]
    expression = read_expression(points, reading.pose)
    assert max(expression.eye_left, expression.eye_right) < SHUT


def changed(rgb: U8, how: str) -> U8:
    f: F32 = rgb.astype(np.float32)
    if how == "mirror":
        return np.ascontiguousarray(rgb[:, ::-1])
    if how == "dark":
        f = f * np.float32(0.5)
    if how == "warm":
        f = f * np.array([1.1, 0.95, 0.75], np.float32)
    if how == "half":
        f = np.asarray(cv2.resize(f, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(f.clip(0, 255), np.uint8)


@pytest.mark.parametrize(("how", "most"), [("mirror", 0.12), ("dark", 0.15), ("warm", 0.2), ("half", 0.25)])
def test_the_same_person_stays_the_same(astronaut: U8, reading: FaceReading, how: str, most: float) -> None:
    other = changed(astronaut, how)
    found = read_face_near(other)
    assert found is not None
    a, b = identity.embed(astronaut, reading.points), identity.embed(other, found.points)
    assert a.shape == (128,)
    assert identity.distance(a, b) < most
    assert identity.score(identity.distance(a, b)) > 0.95


def test_score_falls_with_distance() -> None:
    table = {0.10: 1.0, 0.35: 0.94, 0.52: 0.5, 0.61: 0.18, 0.80: 0.01}
    for distance, score in table.items():
        assert identity.score(distance) == pytest.approx(score, abs=0.01)


def test_several_threads_read_the_same(astronaut: U8) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: read_faces(astronaut, average=False)[0].points, range(6)))
    assert all(np.array_equal(answers[0], other) for other in answers[1:])


@pytest.mark.skipif(not PORTRAITS.is_dir(), reason="the measuring portraits are not here")
def test_two_photos_of_one_man_and_another_man() -> None:
    vectors, yaws = {}, {}
    for name in ("person-a-1", "person-a-2", "person-b-1"):
        rgb = imaging.decode((PORTRAITS / f"{name}.jpg").read_bytes())
        found = read_faces(rgb, average=True)[0]
        vectors[name], yaws[name] = identity.embed(rgb, found.points), found.pose.yaw
    assert identity.distance(vectors["person-a-1"], vectors["person-a-2"]) < 0.45
    assert identity.distance(vectors["person-a-1"], vectors["person-b-1"]) > 0.6
    assert yaws["person-a-2"] < -10 < yaws["person-a-1"] < 10 < yaws["person-b-1"]
