"""Handmade presets: each draws another picture of the same person, always the same, small and large alike."""

from __future__ import annotations

import itertools
import tomllib
from functools import lru_cache
from importlib import resources

import cv2
import numpy as np
import pytest

from portrayal import assets, parallel
from portrayal.engines.studio import looks
from portrayal.engines.studio.looks.choice import presets
from portrayal.engines.studio.looks.methods import methods
from portrayal.imaging import F32, U8, decode
from portrayal.perception import mesh
from portrayal.perception.faces import read_face_near
from portrayal.perception.types import CLOTHING, FACE, HAIR

_TEXT = resources.files("portrayal.engines.studio.looks").joinpath("presets", "handmade.toml").read_text("utf-8")
NAMES = tuple(tomllib.loads(_TEXT))
SIDE = 384
# They recolour or cover nearly everything, so that little of the scene's light is left.
GRAPHIC = {"COLORING_BOOK_I", "COLORING_BOOK_II"}


@lru_cache(1)
def example() -> tuple[U8, F32, F32, U8]:
    """The sample portrait over a scene of sky, hills and a house; its landmarks, matte and regions."""
    image = decode(assets.path("sample/astronaut.png").read_bytes(), "reference")[:, :512]
    found = read_face_near(image)
    assert found is not None
    points = found.points * (SIDE / 512)
    image = np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    middle, tall = points[:468, :2].mean(0), float(np.ptp(points[:468, 1]))
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    oval = np.hypot((x - middle[0]) / 0.62, (y - middle[1]) / 0.80) < tall * 0.75
    head = np.hypot((x - middle[0]) / 0.80, (y - middle[1] + 0.12 * tall) / 1.0) < tall * 0.80
    trunk = (y > middle[1] + 0.7 * tall) & (np.abs(x - middle[0]) < 1.45 * tall)
    regions = np.zeros((SIDE, SIDE), np.uint8)
    regions[trunk] = CLOTHING
    regions[head] = HAIR
    regions[oval] = FACE
    matte = cv2.GaussianBlur((regions > 0).astype(np.float32), (0, 0), 0.9)
    scene = np.zeros((SIDE, SIDE, 3), np.float32)
    scene[:] = (0.45, 0.65, 0.92)
    scene[y > 210 + 30 * np.sin(x / 40)] = (0.30, 0.52, 0.22)
    scene[(x > 290) & (y > 150) & (y < 330)] = (0.62, 0.32, 0.22)
    whole = image * matte[..., None] + scene * 255 * (1 - matte[..., None])
    return np.asarray(whole, np.uint8), np.asarray(points, np.float32), np.asarray(matte, np.float32), regions


@lru_cache(128)
def made(name: str, seed: int = 3) -> U8:
    image, points, matte, regions = example()
    return looks.draw(image, name, points=points, matte=matte, regions=regions, seed=seed)


def lab(image: U8) -> F32:
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def difference(a: U8, b: U8) -> float:
    """Mean distance in Lab."""
    return float(np.linalg.norm(lab(a) - lab(b), axis=2).mean())


def feature(image: U8) -> F32:
    """What one sees at first: a small picture in Lab, its spread of colours, how much fine detail it has.

    Another seed of a preset that places the same things lies 2 to 6 away, pictures that one confuses under 12.
    """
    picture = lab(image)
    small = cv2.resize(picture, (12, 12), interpolation=cv2.INTER_AREA).ravel() / 12
    fine = np.abs(picture - cv2.GaussianBlur(picture, (0, 0), 3)).mean((0, 1))
    return np.concatenate([small, picture.std((0, 1)), 2 * fine]).astype(np.float32)


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_complete_and_changes_the_picture(name: str) -> None:
    found = presets()[name]
    assert found.drawn
    assert found.title
    assert len(found.note) > 20
    assert all(step["do"] in methods() for step in found.steps)
    image = example()[0]
    assert made(name).shape == image.shape
    assert difference(made(name), image) > 6


@pytest.mark.parametrize("name", NAMES)
def test_eyes_brows_and_mouth_stay_readable(name: str) -> None:
    _, points, _, _ = example()
    light = lab(made(name))[..., 0]
    tall = float(np.ptp(points[:468, 1]))

    def around(rows: list[int], radius: float) -> F32:
        x, y = points[rows, :2].mean(0)
        r = max(1, round(radius * tall))
        return light[round(float(y)) - r : round(float(y)) + r + 1, round(float(x)) - r : round(float(x)) + r + 1]

    cheek = np.mean([np.median(around([row], 0.03)) for row in (50, 280)])
    for iris in (mesh.IRIS_LEFT, mesh.IRIS_RIGHT):
        assert float(around([iris.start], 0.02).min()) < cheek - 14, "an eye is lost"
    for brow in (mesh.BROW_LEFT, mesh.BROW_RIGHT):
        assert float(around(list(brow), 0.035).min()) < cheek - 5, "a brow is lost"
    assert float(np.ptp(around(list(mesh.LIPS), 0.09))) > 15, "the mouth is lost"


@pytest.mark.parametrize("name", NAMES)
def test_the_same_picture_again_and_on_one_core(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = made(name)
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    image, points, matte, regions = example()
    assert np.array_equal(first, looks.draw(image, name, points=points, matte=matte, regions=regions, seed=3))


@pytest.mark.parametrize("name", ["COLLAGE", "BRIGHT_ART", "ABSTRACT_ORGANIC", "WEIRD", "WATERCOLOR"])
def test_another_seed_is_another_hand(name: str) -> None:
    assert difference(made(name), made(name, 4)) > 1.0


@pytest.mark.parametrize("name", NAMES)
def test_without_a_face_and_matte_it_is_still_drawn(name: str) -> None:
    image = np.asarray(cv2.resize(example()[0], (256, 160), interpolation=cv2.INTER_AREA), np.uint8)
    picture = looks.draw(image, name, seed=3)
    assert picture.shape == image.shape
    assert difference(picture, image) > 4
    assert float(lab(picture)[..., 0].std()) > 4, "nothing is left of it"


@pytest.mark.parametrize("name", NAMES)
def test_a_larger_picture_looks_alike(name: str) -> None:
    image, points, matte, regions = example()
    large = (2 * SIDE, 2 * SIDE)
    twice = looks.draw(
        np.asarray(cv2.resize(image, large, interpolation=cv2.INTER_CUBIC), np.uint8),
        name,
        points=points * 2,
        matte=np.asarray(cv2.resize(matte, large), np.float32),
        regions=np.asarray(cv2.resize(regions, large, interpolation=cv2.INTER_NEAREST), np.uint8),
        seed=3,
    )
    back = np.asarray(cv2.resize(twice, (48, 48), interpolation=cv2.INTER_AREA), np.uint8)
    small = np.asarray(cv2.resize(made(name), (48, 48), interpolation=cv2.INTER_AREA), np.uint8)
    before = np.asarray(cv2.resize(image, (48, 48), interpolation=cv2.INTER_AREA), np.uint8)
    assert difference(back, small) < 0.55 * difference(small, before) + 3


@pytest.mark.parametrize("name", sorted(set(NAMES) - GRAPHIC))
def test_the_head_stays_where_it_was(name: str) -> None:
    _, points, _, _ = example()
    again = read_face_near(made(name), points)
    assert again is not None
    tall = float(np.ptp(points[:468, 1]))
    assert np.abs(again.points[:468, :2] - points[:468, :2]).mean() < 0.06 * tall


def test_presets_differ_pairwise() -> None:
    features = {name: feature(made(name)) for name in NAMES}
    for a, b in itertools.combinations(NAMES, 2):
        assert float(np.linalg.norm(features[a] - features[b])) > 15, (a, b)
