"""Remix: from the vibe of an inspiration to the very picture, with the character in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from portrayal import assets
from portrayal.character import study
from portrayal.character.identity_map import IdentityMap
from portrayal.engines.base import Job, Rendering, silent
from portrayal.engines.studio.generate import generate
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.light.finish import finish
from portrayal.engines.studio.remix import palette, remix
from portrayal.engines.studio.remix.bands import SWAP, bands
from portrayal.engines.studio.remix.inspiration import look_at
from portrayal.engines.studio.scenes import photograph
from portrayal.engines.studio.types import Notes, Shot
from portrayal.imaging import F32, U8, decode
from portrayal.lock import measure
from portrayal.perception.faces import read_faces
from portrayal.prompting import read
from tests.unit import mascots

KEPT = Kept()
SIZE = (512, 512)
STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@lru_cache(1)
def _sample() -> bytes:
    return assets.path("sample/astronaut.png").read_bytes()


@lru_cache(8)
def _known(data: bytes) -> IdentityMap:
    return study(data)


@lru_cache(16)
def _with_person(prompt: str, seed: int, size: tuple[int, int] = SIZE) -> U8:
    """A picture of our own with the sample in it."""
    job = Job(operation="generate", plan=read(prompt), cast=(_known(_sample()),), seed=seed, size=size, speed="turbo")
    return generate(job, KEPT).image


@lru_cache(8)
def _plain(setting: str, seed: int = 3) -> U8:
    """A picture of our own without anybody."""
    plate = photograph(setting, Shot(640, 384, seed=seed, aperture=0.004), Notes())
    return finish(plate.radiance, plate.grade, seed=seed)


def _abstract() -> U8:
    y, x = np.mgrid[:400, :400] / 400
    waves = [0.5 + 0.5 * np.sin(9 * x + 4 * y), 0.4 + 0.4 * np.sin(7 * y + 3 * x), 0.6 + 0.4 * np.cos(8 * x * y)]
    return (np.stack(waves, -1) * 255).astype(np.uint8)


def _remix(
    source: U8, strength: float, prompt: str = "portrait", who: bytes | U8 | None = None, **values: object
) -> Rendering:
    character = study(who, use_cache=False) if isinstance(who, np.ndarray) else _known(who or _sample())
    plan = read(prompt)
    job = Job(
        operation="remix", plan=plan, members=(plan,), cast=(character,), seed=7, size=SIZE, source=source,
        strength=strength,
    )  # fmt: skip
    return remix(replace(job, **values), KEPT, silent)  # type: ignore[arg-type]


def _ssim(one: U8, other: U8) -> float:
    """Structural similarity (Wang et al. 2004) of luma, mean over the picture."""
    a, b = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float32) for p in (one, other))

    def soft(x: F32) -> F32:
        return np.asarray(cv2.GaussianBlur(x, (0, 0), 1.5), np.float32)

    ma, mb = soft(a), soft(b)
    va, vb, both = soft(a * a) - ma * ma, soft(b * b) - mb * mb, soft(a * b) - ma * mb
    c, d = 2.55**2, 7.65**2
    return float((((2 * ma * mb + c) * (2 * both + d)) / ((ma * ma + mb * mb + c) * (va + vb + d))).mean())


def apart(one: U8, other: U8) -> float:
    """Distance of two pictures: mean CIE Lab difference at 64x64 plus 20 times (1 - SSIM) at 256x256."""
    lab = [
        cv2.cvtColor(cv2.resize(p, (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
        for p in (one, other)
    ]
    middle = [np.asarray(cv2.resize(p, (256, 256), interpolation=cv2.INTER_AREA), np.uint8) for p in (one, other)]
    return float(np.linalg.norm(lab[0] - lab[1], axis=2).mean()) + 20 * (1 - _ssim(*middle))


def _falls(source: U8, who: bytes | U8 | None = None, prompt: str = "portrait") -> list[Rendering]:
    shown = look_at(source, SIZE, Notes()).picture
    made = [_remix(source, s, prompt, who) for s in STEPS]
    found = [apart(r.image, shown) for r in made]
    assert all(a > b for a, b in itertools.pairwise(found)), [round(v, 2) for v in found]
    return made


def _verified(made: list[Rendering], who: bytes) -> None:
    character = _known(who)
    for strength, rendering in zip(STEPS, made, strict=True):
        scores, _ = measure(rendering, (character,))
        distance = scores[0].distance
        assert distance is not None
        assert distance <= (0.40 if strength < SWAP else 0.50), (strength, distance)


@pytest.mark.parametrize("name", ["a-1", "a-2", "b-1"])
def test_nearer_with_strength_and_still_the_same_person(portraits: list[Path], name: str) -> None:
    source = decode(next(p for p in portraits if name in p.name).read_bytes())
    _verified(_falls(source), _sample())


@pytest.mark.parametrize(
    ("prompt", "seed"), [("in a coffee shop", 3), ("black and white, by a window", 5), ("neon street at night", 6)]
)
def test_nearer_with_strength_over_the_sample(portraits: list[Path], prompt: str, seed: int) -> None:
    who = next(p for p in portraits if "b-1" in p.name).read_bytes()
    _verified(_falls(_with_person(prompt, seed), who), who)


def test_nearer_with_strength_when_the_prompt_has_a_place_of_its_own() -> None:
    _verified(_falls(_with_person("on a beach at sunset", 8), prompt="in a library"), _sample())


@pytest.mark.parametrize("source", [_plain, _abstract], ids=["landscape", "abstract"])
def test_nearer_with_strength_without_a_person(source: Callable[..., U8]) -> None:
    picture = source("beach") if source is _plain else source()
    made = _falls(picture)
    _verified(made, _sample())
    assert any("shows nobody" in w for w in made[-1].warnings)
    assert not any("shows nobody" in w for w in made[0].warnings)


def test_a_mascot_takes_the_place_of_the_person() -> None:
    source = _with_person("in a coffee shop", 3)
    made = _falls(source, mascots.draw("robot", 384))
    scores, _ = measure(made[-1], (study(mascots.draw("robot", 384), use_cache=False),))
    assert scores[0].same_person
    assert made[-1].subject is not None
    face = read_faces(source, average=False)[0]
    low, high = face.points[:468, :2].min(0).astype(int), face.points[:468, :2].max(0).astype(int)
    # Nobody looks out from behind it.
    assert not any(
        (low[0] < r.pose.origin[0] < high[0]) and (low[1] < r.pose.origin[1] < high[1])
        for r in read_faces(made[-1].image, average=False)
    )


def test_the_face_lies_where_the_inspirations_does() -> None:
    source = _with_person("head and shoulders in a kitchen", 11)
    wanted = read_faces(source, average=True)[0]
    for strength in (0.0, 0.5):
        box = _remix(source, strength).faces[0]
        assert box is not None
        size, centre = wanted.pose.scale, wanted.points[:468, :2]
        middle = (centre.min(0) + centre.max(0)) / 2
        assert abs((box[0] + box[2]) / 2 - middle[0]) < 0.35 * size
        assert abs((box[1] + box[3]) / 2 - middle[1]) < 0.35 * size
        assert 0.8 < (box[3] - box[1]) / np.ptp(centre[:, 1]) < 1.3


def test_nobody_of_the_inspiration_is_left_behind_at_low_strengths() -> None:
    source = _with_person("in an office", 4)
    two = np.hstack([source[:, 128:384], _with_person("in an office", 9)[:, 128:384]])
    for strength in (0.0, 0.3):
        rendering = _remix(two, strength)
        assert len(read_faces(rendering.image, average=False)) == 1
        assert any("2 people" in w for w in rendering.warnings)


def test_gray_stays_gray() -> None:
    gray = cv2.cvtColor(_with_person("in an office", 4), cv2.COLOR_RGB2GRAY)
    source = np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), np.uint8)
    for strength in (0.0, 0.5, 1.0):
        image = _remix(source, strength).image.astype(int)
        assert np.abs(image - image.mean(2, keepdims=True)).max() <= 4


def test_the_very_picture_beside_the_head_at_full_strength() -> None:
    source = _with_person("in a coffee shop", 3)
    image = _remix(source, 1.0).image
    assert float((image == source).all(2).mean()) > 0.5


def test_the_background_is_sharper_with_strength() -> None:
    source = _plain("forest")

    def fine(picture: U8) -> float:
        gray = cv2.cvtColor(picture[: SIZE[1] // 5], cv2.COLOR_RGB2GRAY).astype(np.float32)
        return float((cv2.GaussianBlur(gray, (0, 0), 1.0) - cv2.GaussianBlur(gray, (0, 0), 3.0)).std())

    found = [fine(_remix(source, s).image) for s in (0.0, 0.4, 0.6, 1.0)]
    assert all(a < b for a, b in itertools.pairwise(found)), found


def test_light_follows_the_inspiration() -> None:
    dark = np.zeros((384, 384, 3), np.uint8)
    ramp = np.linspace(0, 1, 384) ** 2
    left, right = dark.copy(), dark.copy()
    left[:] = (255 * ramp[::-1])[None, :, None]
    right[:] = (255 * ramp)[None, :, None]

    def lean(source: U8) -> float:
        rendering = _remix(source, 0.0)
        x0, y0, x1, y1 = (int(v) for v in rendering.faces[0] or (0, 0, 1, 1))
        face = cv2.cvtColor(rendering.image[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY).astype(np.float32)
        half = face.shape[1] // 2
        return float(face[:, half:].mean() - face[:, :half].mean())

    assert lean(right) > lean(left) + 5


def test_words_count_at_every_strength() -> None:
    source = _with_person("in a coffee shop", 3)
    for strength in (0.0, 0.5, 1.0):
        image = _remix(source, strength, "black and white").image.astype(int)
        assert np.abs(image - image.mean(2, keepdims=True)).max() <= 6, strength
    high = _remix(source, 1.0, "on a beach at sunset, wearing a tuxedo").warnings
    assert any("'beach'" in w for w in high)
    assert any("tuxedo" in w for w in high)


def test_the_prompts_own_place_at_low_strength() -> None:
    source = _with_person("in a coffee shop", 3)
    plain, library = _remix(source, 0.0).image, _remix(source, 0.0, "in a library").image
    assert apart(plain, library) > 10


@pytest.mark.parametrize("size", [(640, 384), (384, 640)])
def test_a_crop_never_cuts_the_face(size: tuple[int, int]) -> None:
    source = _with_person("close-up", 5, (512, 512) if size[0] > size[1] else (768, 448))
    face = look_at(source, size, Notes()).people[0]
    low, high = face.points[:468, :2].min(0), face.points[:468, :2].max(0)
    assert (low >= 0).all()
    assert (high <= size).all()


def test_small_inspirations_work_and_say_so() -> None:
    tiny = np.asarray(cv2.resize(_with_person("close-up", 5), (64, 64), interpolation=cv2.INTER_AREA), np.uint8)
    rendering = _remix(tiny, 0.0)
    assert any("enlarged" in w for w in rendering.warnings)
    assert rendering.image.shape == (512, 512, 3)


@pytest.mark.parametrize("strength", [0.1, 0.5, 1.0])
def test_same_job_same_bytes(strength: float) -> None:
    source = _with_person("in a coffee shop", 3)
    first, second = (_remix(source, strength, speed="turbo").image for _ in range(2))
    assert np.array_equal(first, second)


def test_bands_move_one_way() -> None:
    rows = [bands(s, scene=True) for s in np.linspace(0, 1, 21)]
    for a, b in itertools.pairwise(rows):
        assert a.own >= b.own
        assert a.defocus > b.defocus
        assert a.pose <= b.pose
        assert a.clothes <= b.clothes
    # No two sharp pictures over one another: where both are seen, both are out of focus.
    mixed = [r for r in rows if 0.02 < r.own < 0.98]
    assert mixed
    assert all(r.own_defocus > 0.003 and r.defocus > 0.03 for r in mixed)


class TestPalette:
    def test_colours_come_over_and_order_stays(self) -> None:
        own, wanted = _plain("forest"), _plain("beach")
        colours = palette.colour_map(palette.samples(own), palette.samples(wanted))
        new = palette.mapped(own, colours)

        def mean(p: U8) -> F32:
            return np.asarray(palette.oklab(p.reshape(-1, 3) / 255).mean(0), np.float32)

        before = np.linalg.norm(mean(own) - mean(wanted))
        assert np.linalg.norm(mean(new) - mean(wanted)) < 0.4 * before
        gray = np.stack([cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).ravel().astype(float) for p in (own, new)])
        assert np.corrcoef(gray)[0, 1] > 0.9

    def test_no_strength_changes_nothing(self) -> None:
        own = _plain("forest")
        colours = palette.colour_map(palette.samples(own), palette.samples(_plain("beach")), strength=0.0)
        assert np.abs(palette.mapped(own, colours).astype(int) - own).max() <= 2

    def test_grain_is_not_amplified(self) -> None:
        rng = np.random.default_rng(0)
        flat = np.clip(128 + rng.normal(0, 3, (128, 128, 3)), 0, 255).astype(np.uint8)
        colours = palette.colour_map(palette.samples(flat), palette.samples(_abstract()))
        assert palette.mapped(flat, colours).astype(float).std((0, 1)).max() < 3 * 3

    def test_flat_pictures_lend_no_flatness(self) -> None:
        own = _plain("forest")
        wanted = np.full((64, 64, 3), (180, 90, 60), np.uint8)
        new = palette.mapped(own, palette.colour_map(palette.samples(own), palette.samples(wanted)))
        assert cv2.cvtColor(new, cv2.COLOR_RGB2GRAY).std() > 0.5 * cv2.cvtColor(own, cv2.COLOR_RGB2GRAY).std()

    def test_skin_keeps_more_of_its_hue(self) -> None:
        picture = np.full((32, 32, 3), (200, 150, 125), np.uint8)
        picture[:, 16:] = (60, 60, 70)
        blue = np.full((32, 32, 3), (40, 60, 180), np.uint8)
        blue[::2] = (90, 120, 220)
        skin = palette.samples(picture[:, :16])
        colours = palette.colour_map(palette.samples(picture), palette.samples(blue), skin=skin)
        weight = np.ones((32, 32), np.float32)
        plain, calm = palette.mapped(picture, colours), palette.mapped(picture, colours, weight)

        def shift(p: U8) -> float:
            return float(np.linalg.norm((palette.oklab(p[4, 4] / 255) - palette.oklab(picture[4, 4] / 255))[1:]))

        assert shift(calm) < 0.7 * shift(plain)

    def test_oklab_returns(self) -> None:
        codes = np.random.default_rng(1).uniform(0, 1, (500, 3))
        assert np.abs(palette.of_oklab(palette.oklab(codes)) - codes).max() < 1e-6
