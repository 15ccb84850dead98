"""A character in a photograph: what can be measured in the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from portrayal.character import study
from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio import scenes
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.light.finish import finish
from portrayal.engines.studio.light.harmonics import constant
from portrayal.engines.studio.light.relight import relight
from portrayal.engines.studio.light.shape import shape
from portrayal.engines.studio.light.tone import tone
from portrayal.engines.studio.photo.camera import read_camera
from portrayal.engines.studio.photo.insert import insert, replace_person
from portrayal.engines.studio.photo.lighting import light_of
from portrayal.engines.studio.place import place
from portrayal.engines.studio.types import KeyLight, Lighting, Notes, Patch, Shot, vector
from portrayal.errors import MaskMismatchError
from portrayal.imaging import F32, U8, encode_png
from portrayal.perception import identity
from portrayal.perception.faces import read_face_near, read_faces
from portrayal.perception.types import FaceReading
from portrayal.prompting.plan import HeadTurn, ScenePlan
from tests.unit.mascots import MASCOTS

PLAN = ScenePlan(prompt="")
WIDE, HIGH = 640, 480
SCENES = {
    "night": ("night street", None, None),
    "fire": ("fireplace", None, None),
    "cafe": ("coffee shop", None, None),
    "office": ("office", None, None),
    "beach": ("beach", "noon", None),
    "sunset": ("beach", "golden hour", None),
    "fog": ("forest", None, "fog"),
    "snow": ("snow forest", None, None),
}


@pytest.fixture(scope="module")
def kept() -> Kept:
    return Kept()


@pytest.fixture(scope="module")
def person(sample: bytes) -> IdentityMap:
    return study(sample)


@pytest.fixture(scope="module")
def robot() -> IdentityMap:
    return study(encode_png(MASCOTS[0]()))


@pytest.fixture(scope="module")
def plates() -> dict[str, U8]:
    """Our own scenes without people, small."""
    out = {}
    for name, (setting, time, weather) in SCENES.items():
        shot = Shot(WIDE, HIGH, time=time, weather=weather, seed=5, aperture=0.01)
        plate = scenes.photograph(setting, shot, Notes())
        out[name] = finish(plate.radiance, grade=plate.grade, seed=3)
    return out


def box_mask(image: U8, x0: float, y0: float, x1: float, y1: float) -> U8:
    h, w = image.shape[:2]
    mask = np.zeros((h, w), np.uint8)
    mask[round(y0 * h) : round(y1 * h), round(x0 * w) : round(x1 * w)] = 255
    return mask


def pasted(image: U8, patch: Patch) -> U8:
    out = image.copy()
    h, w = patch.rgb.shape[:2]
    out[patch.y : patch.y + h, patch.x : patch.x + w] = patch.rgb
    return out


def put(
    image: U8, mask: U8, character: IdentityMap, kept: Kept, seed: int = 1, plan: ScenePlan = PLAN
) -> tuple[U8, Patch, tuple[float, float, float, float] | None, Notes]:
    notes = Notes()
    patch, box = insert(image, mask, character, kept, plan=plan, seed=seed, speed="balanced", notes=notes)
    return pasted(image, patch), patch, box, notes


def likeness(image: U8, box: tuple[float, float, float, float] | None, character: IdentityMap) -> float:
    assert box is not None
    assert character.embedding is not None
    reading = read_face_near(image, box)
    assert reading is not None
    return identity.distance(identity.embed(image, reading.points), character.embedding)


def skin(image: U8, box: tuple[float, float, float, float] | None) -> F32:
    """Mean Lab of the middle of a face."""
    assert box is not None
    x0, y0, x1, y1 = box
    w, h = x1 - x0, y1 - y0
    part = image[round(y0 + 0.35 * h) : round(y0 + 0.65 * h), round(x0 + 0.2 * w) : round(x1 - 0.2 * w)]
    lab = cv2.cvtColor(part.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    return np.asarray(lab.reshape(-1, 3).mean(0), np.float32)


@pytest.fixture(scope="module")
def inserted(plates: dict[str, U8], person: IdentityMap, kept: Kept) -> dict[str, tuple[U8, U8, Any]]:
    """Each scene with the sample person in it: picture, mask, face box."""
    out = {}
    for name, image in plates.items():
        mask = box_mask(image, 0.2, 0.1, 0.8, 1)
        done, _, box, _ = put(image, mask, person, kept)
        assert box is not None
        out[name] = (done, mask, box)
    return out


@pytest.mark.parametrize("name", SCENES)
def test_identity_and_exactness(
    name: str, plates: dict[str, U8], inserted: dict[str, tuple[U8, U8, Any]], person: IdentityMap
) -> None:
    done, mask, box = inserted[name]
    assert likeness(done, box, person) <= 0.45
    np.testing.assert_array_equal(done[mask == 0], plates[name][mask == 0])
    assert (done != plates[name]).any(2).mean() > 0.1


def test_brightness_follows_the_scene(inserted: dict[str, tuple[U8, U8, Any]]) -> None:
    light = {name: float(skin(done, box)[0]) for name, (done, _, box) in inserted.items()}
    for dark in ("night", "fire"):
        for bright in ("office", "beach", "snow"):
            assert light[dark] < light[bright] - 8, light
    assert light["cafe"] < light["beach"], light


def test_colour_follows_the_scene(inserted: dict[str, tuple[U8, U8, Any]]) -> None:
    warmth = {name: float(skin(done, box)[2]) for name, (done, _, box) in inserted.items()}
    assert warmth["fire"] > warmth["office"] + 5, warmth
    assert warmth["sunset"] > warmth["snow"] + 3, warmth
    assert warmth["cafe"] > warmth["office"], warmth


@pytest.mark.parametrize("side", [-1, 1])
def test_the_lit_side_of_the_face_is_the_scene_s(side: int, person: IdentityMap, kept: Kept) -> None:
    """A room with a window on one side."""
    rows, columns = np.mgrid[:HIGH, :WIDE].astype(np.float32)
    room = 60 + 50 * np.exp(-(((columns / WIDE - (0.5 + 0.5 * side)) / 0.45) ** 2))
    image = np.repeat(room[..., None], 3, 2) * np.array([1.0, 0.95, 0.88], np.float32)
    x = 30 if side < 0 else WIDE - 150
    image[60:300, x : x + 120] = 250
    image = np.clip(image + np.random.default_rng(0).normal(0, 1.5, image.shape) + rows[..., None] * 0, 0, 255)
    scene = image.astype(np.uint8)
    assert np.sign(light_of(scene).side) == side
    done, _, box, _ = put(scene, box_mask(scene, 0.25, 0.1, 0.75, 1), person, kept)
    other = np.ascontiguousarray(scene[:, ::-1])
    turned, _, box2, _ = put(other, box_mask(other, 0.25, 0.1, 0.75, 1), person, kept)
    # The same person under the mirrored light: the reference's own shading cancels out.
    assert side * (cheeks(done, box) - cheeks(turned, box2)) > 4


def cheeks(image: U8, box: tuple[float, float, float, float] | None) -> float:
    """Luma of the right cheek minus that of the left one."""
    reading = read_face_near(image, box)
    assert reading is not None
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    soft = cv2.GaussianBlur(luma, (0, 0), 2)

    def mean(vertices: tuple[int, ...]) -> float:
        return float(np.mean([soft[round(float(y)), round(float(x))] for x, y in reading.points[list(vertices), :2]]))

    return mean((280, 425, 346, 411)) - mean((50, 205, 117, 187))


def test_a_sun_behind_the_person_draws_the_outline(plates: dict[str, U8]) -> None:
    rows, columns = np.mgrid[:HIGH, :WIDE].astype(np.float32)
    away = np.hypot(columns - 0.5 * WIDE, rows - 0.35 * HIGH)
    glow = np.exp(-((away / 90) ** 2))[..., None] * np.array([255, 200, 130], np.float32) * 1.6
    sunny = np.clip(plates["sunset"].astype(np.float32) * 0.7 + glow, 0, 255).astype(np.uint8)
    where = (240, 120, 400, HIGH)
    with_sun, without = light_of(sunny, where=where), light_of(plates["sunset"], where=where)
    assert with_sun.backlight > without.backlight + 0.3
    assert sum(r.gain for r in with_sun.lighting.rims) > sum(r.gain for r in without.lighting.rims) + 0.5


@pytest.mark.parametrize("azimuth", [-60, 60])
def test_light_read_from_a_face(azimuth: int, person: IdentityMap) -> None:
    assert person.reading is not None
    points = person.reading.points[:468, :2]
    scale = 200 / float(np.ptp(points[:, 1]))
    x, y = points.mean(0) * scale
    cutout = place(person, scale, (240 - float(x), 240 - float(y)), 480, 480, "balanced", 0)
    subject = shape(cutout)

    def picture(level: float) -> U8:
        a = np.radians(azimuth)
        key = KeyLight(vector(np.sin(a), 0.5, np.cos(a)), np.ones(3, np.float32))
        lighting = Lighting(constant((0.5, 0.5, 0.5)), (key,), fill=0.45, level=level)
        alpha = cutout.alpha[..., None]
        return np.asarray(tone(relight(subject, lighting) * alpha + 0.2 * (1 - alpha)) * 255, np.uint8)

    found = []
    for level in (0.95, 0.5):
        image = picture(level)
        reading = read_face_near(image, cutout.points)
        assert reading is not None
        found.append(light_of(image, faces=[reading]))
    assert all(np.sign(light.side) == np.sign(azimuth) and abs(light.side) > 0.25 for light in found)
    assert found[1].lighting.level < found[0].lighting.level - 0.1


def noise_of(image: U8, mask: U8) -> float:
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    answer = np.abs(cv2.filter2D(luma, -1, kernel))
    return float(np.percentile(cv2.blur(answer, (9, 9))[mask > 0], 25))


def test_grain_goes_on_over_the_person(plates: dict[str, U8], person: IdentityMap, kept: Kept) -> None:
    random = np.random.default_rng(4)
    noise = cv2.GaussianBlur(random.normal(size=(HIGH, WIDE, 1)).astype(np.float32), (0, 0), 0.6)[..., None]
    noise *= 9 / noise.std()
    scene = np.clip(plates["beach"].astype(np.float32) + noise, 0, 255).astype(np.uint8)
    camera = read_camera(scene)
    assert 6 / 255 < camera.grain < 12 / 255
    mask = box_mask(scene, 0.2, 0.1, 0.8, 1)
    done, patch, _, _ = put(scene, mask, person, kept)
    clean, _, _, _ = put(plates["beach"], mask, person, kept)
    body = np.zeros_like(mask)
    h, w = patch.cover.shape
    body[patch.y : patch.y + h, patch.x : patch.x + w] = cv2.erode(
        (patch.cover > 250).astype(np.uint8), np.ones((15, 15), np.uint8)
    )
    outside = (mask == 0).astype(np.uint8)
    assert 0.55 < noise_of(done, body) / noise_of(scene, outside) < 1.8
    assert noise_of(done, body) > 2 * noise_of(clean, body)


def test_grey_stays_grey_and_sepia_sepia(plates: dict[str, U8], person: IdentityMap, kept: Kept) -> None:
    grey = cv2.cvtColor(plates["cafe"], cv2.COLOR_RGB2GRAY)
    mask = box_mask(plates["cafe"], 0.2, 0.1, 0.8, 1)
    done, _, box, _ = put(np.repeat(grey[..., None], 3, 2), mask, person, kept)
    assert int(np.ptp(done.astype(int), axis=2).max()) == 0
    assert likeness(done, box, person) <= 0.45
    sepia = np.stack([np.clip(grey * k + c, 0, 255) for k, c in ((1.0, 12), (0.9, 6), (0.72, 0))], -1).astype(np.uint8)
    done, _, _, _ = put(sepia, mask, person, kept)
    level = cv2.cvtColor(done, cv2.COLOR_RGB2GRAY).astype(int)
    scale = np.array([sepia[grey == g].mean(0) if (grey == g).any() else (np.nan,) * 3 for g in range(256)])
    luma = scale @ np.array([0.299, 0.587, 0.114])
    good = ~np.isnan(luma)
    expected = np.stack([np.interp(level, luma[good], scale[good][:, c]) for c in range(3)], -1)
    known = (mask > 0) & (level >= luma[good].min()) & (level <= luma[good].max())  # tones that the scene shows
    assert known.sum() > 0.9 * (mask > 0).sum()
    assert float(np.abs(done - expected)[known].max()) < 7
    assert (done[..., 0].astype(int) - done[..., 2] >= 6)[mask > 0].all()


def test_the_same_call_gives_the_same_bytes(plates: dict[str, U8], person: IdentityMap, kept: Kept) -> None:
    mask = box_mask(plates["cafe"], 0.3, 0.2, 0.9, 1)
    first, again = (put(plates["cafe"], mask, person, kept, seed=8)[0] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (put(plates["cafe"], mask, person, kept, seed=9)[0] != first).any()


@pytest.mark.parametrize("other", ["cafe", "office"])
def test_scale_beside_another_person(other: str, plates: dict[str, U8], person: IdentityMap, kept: Kept) -> None:
    scene = plates[other]
    beside, _, left, _ = put(scene, box_mask(scene, 0.0, 0.25, 0.5, 1), person, kept)
    both, _, right, _ = put(beside, box_mask(scene, 0.5, 0.02, 1, 1), person, kept)
    assert left is not None
    assert right is not None
    assert 0.85 < (right[3] - right[1]) / (left[3] - left[1]) < 1.18
    assert len(read_faces(both, average=False, tiles=True)) == 2


def test_what_the_plan_says_is_done(plates: dict[str, U8], person: IdentityMap, kept: Kept) -> None:
    mask = box_mask(plates["office"], 0.2, 0.1, 0.8, 1)
    yaws = []
    for yaw in (-15.0, 15.0):
        plan = ScenePlan(prompt="", head=HeadTurn(yaw=yaw))
        done, _, box, _ = put(plates["office"], mask, person, kept, plan=plan)
        reading = read_face_near(done, box)
        assert reading is not None
        yaws.append(reading.pose.yaw)
    assert yaws[1] - yaws[0] > 18


def test_a_mascot_stands_on_the_ground_with_a_shadow(plates: dict[str, U8], robot: IdentityMap, kept: Kept) -> None:
    scene = plates["beach"]
    mask = box_mask(scene, 0.3, 0.3, 0.7, 0.97)
    done, patch, box, notes = put(scene, mask, robot, kept)
    assert box is None
    assert not notes.warnings
    rows = np.flatnonzero((patch.cover > 200).any(1)) + patch.y
    low, high = 0.3 * HIGH, 0.97 * HIGH
    assert low <= rows[0] < low + 0.2 * (high - low)
    assert high - 0.2 * (high - low) < rows[-1] <= high
    # The ground beside the feet, between figure and mask border, is darker than before.
    under = done[rows[-1] - 6 : rows[-1] + 6].astype(int) - scene[rows[-1] - 6 : rows[-1] + 6]
    assert float(under.sum(2).min()) < -20
    assert (under.sum(2) < -6).mean() > 0.03


def test_a_body_that_ends_in_the_air_is_warned_of(plates: dict[str, U8], person: IdentityMap, kept: Kept) -> None:
    smooth = np.full((HIGH, WIDE, 3), 128, np.uint8)
    smooth += np.random.default_rng(1).integers(0, 3, smooth.shape, np.uint8)
    _, _, _, notes = put(smooth, box_mask(smooth, 0.3, 0.1, 0.7, 0.8), person, kept)
    assert any("no legs" in w for w in notes.warnings)
    _, _, _, notes = put(smooth, box_mask(smooth, 0.3, 0.1, 0.7, 1.0), person, kept)
    assert not any("no legs" in w for w in notes.warnings)
    table = smooth.copy()
    table[round(0.75 * HIGH) :] = (90, 60, 40)
    done, _, _, notes = put(table, box_mask(table, 0.3, 0.1, 0.7, 0.8), person, kept)
    assert not any("no legs" in w for w in notes.warnings)
    np.testing.assert_array_equal(done[round(0.75 * HIGH) + 3 :], table[round(0.75 * HIGH) + 3 :])
    changed = (done != table).any(2)[round(0.75 * HIGH) - 8]
    assert changed.mean() > 0.15  # the body goes down to the table


def test_a_soft_edge_within_the_mask(plates: dict[str, U8], person: IdentityMap, kept: Kept) -> None:
    """A mask that cuts the person: no step at its border."""
    scene = plates["beach"]
    mask = box_mask(scene, 0.45, 0.05, 0.6, 1)
    done, _, _, notes = put(scene, mask, person, kept)
    columns = np.flatnonzero(mask.any(0))
    for x in (columns[0], columns[-1]):
        assert float(np.abs(done[:, x].astype(int) - scene[:, x]).max()) < 60
    assert any("narrow" in w for w in notes.warnings)


def matte_of(image: U8) -> tuple[FaceReading, F32]:
    from portrayal.perception.matte import person_matte

    reading = read_faces(image, average=False)[0]
    return reading, person_matte(image, reading)


def test_replace_a_person(plates: dict[str, U8], person: IdentityMap, kept: Kept, portraits: list[Path]) -> None:
    others = [study(path.read_bytes()) for path in (portraits[0], portraits[-1])]
    for other, name in zip(others, ("cafe", "beach"), strict=True):
        scene, _, before, _ = put(plates[name], box_mask(plates[name], 0.15, 0.1, 0.85, 1), other, kept)
        assert before is not None
        reading, matte = matte_of(scene)
        mask = (cv2.dilate((matte > 0.05).astype(np.uint8), np.ones((21, 21), np.uint8)) * 255).astype(np.uint8)
        call = {"plan": PLAN, "seed": 1, "speed": "balanced"}
        notes = Notes()
        patch, box = replace_person(scene, mask, reading, matte, person, kept, notes=notes, **call)  # type: ignore[arg-type]
        again, _ = replace_person(scene, mask, reading, matte, person, kept, notes=Notes(), **call)  # type: ignore[arg-type]
        np.testing.assert_array_equal(patch.rgb, again.rgb)
        done = pasted(scene, patch)
        np.testing.assert_array_equal(done[mask == 0], scene[mask == 0])
        assert likeness(done, box, person) <= 0.45
        assert likeness(done, box, person) < likeness(scene, before, person) - 0.2
        assert box is not None
        assert 0.8 < (box[3] - box[1]) / (before[3] - before[1]) < 1.3
        assert abs((box[0] + box[2]) - (before[0] + before[2])) / 2 < 0.5 * (before[3] - before[1])
        assert len(read_faces(done, average=False, tiles=True)) == 1


def test_a_large_picture_is_only_looked_at_small(plates: dict[str, U8], person: IdentityMap, kept: Kept) -> None:
    large = cv2.resize(plates["office"], (3000, 2250), interpolation=cv2.INTER_LINEAR)
    mask = np.zeros(large.shape[:2], np.uint8)
    mask[1400:, 400:1200] = 255
    _, patch, box, _ = put(np.asarray(large, np.uint8), mask, person, kept)
    assert box is not None
    assert patch.x >= 400
    assert patch.y >= 1400
    assert patch.x + patch.rgb.shape[1] <= 1200


@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_pictures_have_a_light(value: int) -> None:
    light = light_of(np.full((80, 120, 3), value, np.uint8))
    assert np.isfinite(light.lighting.ambient).all()
    assert 0.25 <= light.lighting.level <= 1.1
    assert -1 <= light.side <= 1


def test_bad_masks(plates: dict[str, U8], person: IdentityMap, kept: Kept) -> None:
    scene = plates["cafe"]
    tiny = np.zeros(scene.shape[:2], np.uint8)
    tiny[5:15, 5:15] = 255
    for mask in (np.zeros(scene.shape[:2], np.uint8), np.full((10, 10), 255, np.uint8), tiny):
        with pytest.raises(MaskMismatchError):
            put(scene, mask, person, kept)
