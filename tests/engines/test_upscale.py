"""Enlargement: true to the picture, better than plain resampling, the same person."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from portrayal import imaging
from portrayal.engines.studio import upscale as module
from portrayal.engines.studio.types import Notes, Speed
from portrayal.engines.studio.upscale import NO_DETAIL, upscale
from portrayal.errors import ImageReadError, ImageTooLargeError, ImageTooSmallError, InvalidRequestError
from portrayal.imaging import U8
from portrayal.perception import identity
from portrayal.perception.faces import read_faces
from tests.unit.mascots import draw

SPEEDS: tuple[Speed, ...] = ("turbo", "balanced", "quality")
FACTORS = (2, 4)


@pytest.fixture(scope="module")
def photo(sample: bytes) -> U8:
    return imaging.decode(sample)


def smaller(image: U8, factor: int) -> U8:
    height, width = image.shape[0] // factor, image.shape[1] // factor
    cut = image[: height * factor, : width * factor]
    return np.asarray(cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def error(a: U8, b: U8) -> float:
    """Peak signal to noise ratio in dB."""
    return float(10 * np.log10(255**2 / np.mean((a.astype(np.float64) - b) ** 2)))


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("factor", FACTORS)
def test_made_small_again_it_is_the_picture(photo: U8, factor: int, speed: Speed) -> None:
    part = np.ascontiguousarray(photo[40:300, 100:400])
    large = upscale(part, factor, speed=speed, notes=Notes())
    assert large.shape == (260 * factor, 300 * factor, 3)
    difference = np.abs(smaller(large, factor).astype(int) - part)
    assert difference.mean() < 0.5
    assert np.percentile(difference, 99.9) <= 6


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("factor", FACTORS)
def test_it_is_nearer_to_the_truth_than_lanczos(photo: U8, factor: int, speed: Speed) -> None:
    small = smaller(photo, factor)
    plain = np.asarray(Image.fromarray(small).resize((512, 512), Image.Resampling.LANCZOS))
    assert error(upscale(small, factor, speed=speed, notes=Notes()), photo) > error(plain, photo) + 0.2


def test_real_portraits_are_nearer_to_the_truth_too(portraits: list[object]) -> None:
    for path in portraits:
        image = np.asarray(Image.open(str(path)).convert("RGB"))
        image = image[: image.shape[0] // 4 * 4, : image.shape[1] // 4 * 4]
        small = smaller(image, 4)
        plain = np.asarray(Image.fromarray(small).resize(image.shape[1::-1], Image.Resampling.LANCZOS))
        assert error(upscale(small, 4, speed="balanced", notes=Notes()), image) > error(plain, image) + 0.2


@pytest.mark.parametrize("factor", FACTORS)
def test_it_is_the_same_person(photo: U8, factor: int) -> None:
    large = upscale(photo, factor, speed="balanced", notes=Notes())
    before, after = (read_faces(image, average=True)[0] for image in (photo, large))
    known = identity.embed(photo, before.points, mirror=True)
    assert identity.distance(known, identity.embed(large, after.points)) < 0.15


@pytest.mark.parametrize("factor", FACTORS)
def test_no_edge_rings(factor: int) -> None:
    steps = np.full((96, 96, 3), 60, np.uint8)
    steps[:, 48:] = 190
    large = upscale(steps, factor, speed="balanced", notes=Notes()).astype(int)
    # Back-projection and the lens's own sharpening may overshoot by a few codes, never by a visible line.
    assert large.min() >= 60 - 12
    assert large.max() <= 190 + 12


@pytest.mark.parametrize("speed", SPEEDS)
def test_grey_stays_grey_and_flat_stays_flat(photo: U8, speed: Speed) -> None:
    grey = np.repeat(photo[100:228, 150:278].mean(2).astype(np.uint8)[..., None], 3, 2)
    large = upscale(grey, 2, speed=speed, notes=Notes()).astype(int)
    assert np.ptp(large, axis=2).max() <= 1
    flat = upscale(np.full((64, 80, 3), (200, 30, 90), np.uint8), 4, speed=speed, notes=Notes())
    assert np.abs(flat.astype(int) - (200, 30, 90)).max() <= 1


def test_tiles_leave_no_seam(photo: U8, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = upscale(photo, 2, speed="balanced", notes=Notes())
    monkeypatch.setattr(module, "_TILE", 90)
    tiled = upscale(photo, 2, speed="balanced", notes=Notes())
    assert np.abs(whole.astype(int) - tiled).max() <= 2


def test_the_same_call_gives_the_same_bytes(photo: U8) -> None:
    part = np.ascontiguousarray(photo[:200, 100:350])
    first, second = (upscale(part, 4, speed="balanced", notes=Notes()) for _ in range(2))
    assert np.array_equal(first, second)


def test_the_grain_is_as_weak_as_the_pictures_own(photo: U8) -> None:
    wall = np.full((128, 128, 3), 128, np.uint8)
    clean = upscale(wall, 4, speed="balanced", notes=Notes())
    noise = np.random.default_rng(1).normal(0, 3, (128, 128, 1))
    grainy = upscale(np.clip(wall + noise, 0, 255).astype(np.uint8), 4, speed="balanced", notes=Notes())
    assert clean.std() < 0.5
    assert 1.5 < grainy.std() < 4


def test_drawings_and_the_smallest_pictures_work() -> None:
    mascot = draw("robot", 128)
    large = upscale(mascot, 4, speed="balanced", notes=Notes())
    truth = draw("robot", 512)
    plain = np.asarray(Image.fromarray(mascot).resize((512, 512), Image.Resampling.LANCZOS))
    assert error(large, truth) > error(plain, truth)
    assert upscale(draw("bird", 64), 2, speed="balanced", notes=Notes()).shape == (128, 128, 3)


def test_four_times_says_what_it_does_not_invent(photo: U8) -> None:
    two, four = Notes(), Notes()
    upscale(photo[:64, :64], 2, speed="turbo", notes=two)
    upscale(photo[:64, :64], 4, speed="turbo", notes=four)
    assert two.warnings == []
    assert four.warnings == [NO_DETAIL]


def test_what_cannot_be_enlarged_says_why() -> None:
    small = np.zeros((64, 64, 3), np.uint8)
    for factor in (0, 1, 3, 8):
        with pytest.raises(InvalidRequestError, match="factor"):
            upscale(small, factor, speed="balanced", notes=Notes())
    with pytest.raises(ImageTooSmallError, match="64"):
        upscale(small[:40], 2, speed="balanced", notes=Notes())
    with pytest.raises(ImageReadError, match="RGB"):
        upscale(small[..., 0], 2, speed="balanced", notes=Notes())
    large = np.zeros((4000, 6000, 3), np.uint8)
    with pytest.raises(ImageTooLargeError, match="80 megapixels"):
        upscale(large, 2, speed="balanced", notes=Notes())
    with pytest.raises(ImageTooLargeError, match="Use factor 2"):
        upscale(large[:3000, :3000], 4, speed="balanced", notes=Notes())
