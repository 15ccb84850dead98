"""Drawn looks: each changes the picture, keeps the person and the eyes, with and without a face, always the same."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import pytest

from portrayal import assets, parallel
from portrayal.engines.studio import looks
from portrayal.engines.studio.looks import choice, drawn
from portrayal.engines.studio.looks.choice import row
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.kernels import along, kuwahara, to_lab, to_rgb
from portrayal.engines.studio.styling import opened
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32, U8, decode
from portrayal.perception import identity, mesh
from portrayal.perception.faces import read_face_near
from portrayal.perception.types import HAIR
from portrayal.prompting.reader import read
from portrayal.prompting.vocabulary import ids
from portrayal.request import StyleType
from portrayal.styles.code import StyleCode
from portrayal.styles.style import Style

NAMES = looks.names()
# One face as in a portrait, one as in a whole figure (80 pixels of a 1024 px picture).
KINDS = ("portrait", "figure")


@dataclass(frozen=True)
class Example:
    image: U8
    points: F32
    matte: F32
    embedding: F32


@lru_cache(2)
def example(kind: str) -> Example:
    """The sample portrait, or the same small in a plain room, with what the engine knows of it."""
    image = decode(assets.path("sample/astronaut.png").read_bytes(), "reference")[:, :512]
    found = read_face_near(image)
    assert found is not None
    points = found.points
    if kind == "figure":
        side = round(len(image) * 40 / float(np.ptp(points[:468, 1])))
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        room = cv2.GaussianBlur(cv2.resize(image, (512, 512)), (0, 0), 25)
        x, y = (512 - side) // 2, 60
        room[y : y + side, x : x + side] = small
        points = (points * (side / len(image)) + np.array([x, y, 0])).astype(np.float32)
        image = np.asarray(room, np.uint8)
    middle = points[:468, :2].mean(0)
    ys, xs = np.mgrid[0:512, 0:512].astype(np.float32)
    tall = float(np.ptp(points[:468, 1]))
    inside = (np.hypot((xs - middle[0]) / 0.75, ys - middle[1]) < 0.95 * tall) | (
        (ys > middle[1] + 0.8 * tall) & (np.abs(xs - middle[0]) < 1.6 * tall)
    )
    matte = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.0)
    return Example(image, points, matte, identity.embed(image, points))


@lru_cache(64)
def made(look: str, kind: str) -> U8:
    e = example(kind)
    return looks.draw(e.image, look, points=e.points, matte=e.matte, seed=3)


def difference(a: U8, b: U8) -> float:
    """Mean distance in Lab."""
    first, second = (cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for p in (a, b))
    return float(np.linalg.norm(first - second, axis=2).mean())


def light_at(image: U8, x: float, y: float, radius: int) -> float:
    """Mean lightness (Lab) of a small square."""
    part = image[round(y) - radius : round(y) + radius + 1, round(x) - radius : round(x) + radius + 1]
    return float(cv2.cvtColor(part.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0].mean())


@pytest.mark.parametrize(("look", "kind"), list(itertools.product(NAMES, KINDS)))
def test_a_look_changes_the_picture_and_keeps_the_person(look: str, kind: str) -> None:
    e, picture = example(kind), made(look, kind)
    assert picture.shape == e.image.shape
    assert picture.dtype == np.uint8
    assert difference(picture, e.image) > 4
    again = read_face_near(picture, e.points)
    assert again is not None, "the face is no longer found"
    tall = float(np.ptp(e.points[:468, 1]))
    assert np.abs(again.points[:468, :2] - e.points[:468, :2]).mean() < 0.05 * tall, "the face moved"
    distance = identity.distance(e.embedding, identity.embed(picture, again.points))
    assert distance < looks.bar(look, tall, 512)


@pytest.mark.parametrize(("look", "kind"), list(itertools.product(NAMES, KINDS)))
def test_eyes_stay_dark_where_they_were(look: str, kind: str) -> None:
    e, picture = example(kind), made(look, kind)
    tall = float(np.ptp(e.points[:468, 1]))
    radius = max(0, round(0.012 * tall))
    cheek = np.mean([light_at(picture, e.points[i, 0], e.points[i, 1], radius + 1) for i in (50, 280)])
    for iris in (mesh.IRIS_LEFT, mesh.IRIS_RIGHT):
        x, y = e.points[iris.start, :2]
        pupil = light_at(picture, x, y, radius)
        assert pupil < cheek - 12, f"a pupil of lightness {pupil:.0f} in a face of {cheek:.0f}"


@pytest.mark.parametrize("look", NAMES)
def test_without_a_face_and_matte_the_composition_stays(look: str) -> None:
    image = np.asarray(cv2.resize(example("portrait").image, (320, 192), interpolation=cv2.INTER_AREA), np.uint8)
    picture = looks.draw(image, look, seed=3)
    assert picture.shape == image.shape
    assert difference(picture, image) > 4
    grey = [cv2.GaussianBlur(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), (0, 0), 6)[16:-16, 16:-16] for p in (image, picture)]
    assert np.corrcoef(grey[0].ravel(), grey[1].ravel())[0, 1] > 0.75


@pytest.mark.parametrize("look", NAMES)
def test_the_same_picture_on_one_core_and_on_many(look: str, monkeypatch: pytest.MonkeyPatch) -> None:
    e = example("portrait")
    first = made(look, "portrait")
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    again = looks.draw(e.image, look, points=e.points, matte=e.matte, seed=3)
    assert np.array_equal(first, again)


@pytest.mark.parametrize("look", ["oil painting", "watercolor", "pencil sketch"])
def test_another_seed_is_another_hand(look: str) -> None:
    e = example("portrait")
    other = looks.draw(e.image, look, points=e.points, matte=e.matte, seed=4)
    assert difference(other, made(look, "portrait")) > 0.5


def test_looks_differ_from_each_other() -> None:
    for a, b in itertools.combinations(NAMES, 2):
        assert difference(made(a, "portrait"), made(b, "portrait")) > 4, (a, b)


def test_every_look_is_one_of_the_vocabulary_and_can_be_said() -> None:
    known = ids("look")
    for name in NAMES:
        assert {name, *row(name).also} <= set(known)
        bar, small = row(name).bar, row(name).small_bar
        assert bar is not None
        assert small is not None
        assert 0.3 < bar <= small < 0.7
        words = "ink drawing" if name == "ink" else name
        assert read(f"portrait, {words}").look == name
    with pytest.raises(InvalidRequestError):
        looks.draw(example("portrait").image, "cubism from mars")


@pytest.mark.parametrize(
    ("prompt", "style", "body", "look"),
    [
        ("full body on a beach", "auto", True, "figure"),
        ("portrait on a beach", "auto", False, None),
        ("full body photo on a beach", "auto", True, None),
        ("a photorealistic full body", "auto", True, None),
        ("realistic, standing in a park", "auto", True, None),
        ("Ganzkörperfoto am Strand", "auto", True, None),
        ("foto de cuerpo entero en la playa", "auto", True, None),
        ("全身写真", "auto", True, None),
        ("surrealistic full body", "auto", True, "figure"),
        ("a photogenic woman, full body", "auto", True, "figure"),
        ("full body, not a photo", "auto", True, "figure"),
        ("full body on a beach", "realistic", True, None),
        ("full body on a beach", "general", True, None),
        ("portrait on a beach", "fiction", False, "comic"),
        ("portrait on a beach", "design", False, "travel poster"),
        ("watercolor portrait", "auto", False, "watercolor"),
        ("watercolor of her standing, like a photo", "realistic", True, "watercolor"),
        ("full body, anime style", "auto", True, "anime"),
        ("cinematic full body", "auto", True, "figure"),
    ],
)
def test_which_look_a_picture_gets(prompt: str, style: StyleType, body: bool, look: str | None) -> None:
    wanted = looks.default_for_figure() if look == "figure" else look
    assert looks.choose(read(prompt), Style(style), body)[0] == wanted


@pytest.mark.parametrize(
    ("prompt", "preset"),
    [
        ("an art deco portrait", "ART_DECO"),
        ("portrait in Bauhaus style", "BAUHAUS"),
        ("a bauhaus poster of her", "BAUHAUS"),
        ("a blueprint of him", "BLUEPRINT"),
        ("c4d render, portrait", "C4D_CARTOON"),
        ("a paper collage portrait", "COLLAGE"),
        ("a coloring book page", "COLORING_BOOK_I"),
        ("a colouring page of her", "COLORING_BOOK_I"),
        ("a cubist portrait", "CUBISM"),
        ("doodle art", "DOODLE"),
        ("flat vector portrait", "FLAT_VECTOR"),
        ("corporate memphis", "FLAT_VECTOR"),
        ("halftone print", "HALFTONE_PRINT"),
        ("psychedelic poster of her", "HIPPIE_ERA"),
        ("rubber hose style", "OLD_CARTOONS"),
        ("an engraving of her", "RETRO_ETCHING"),
        ("a retro poster, mountains", "VINTAGE_POSTER"),
        ("ukiyo-e print", "WOODBLOCK_PRINT"),
        ("a hokusai print of her", "WOODBLOCK_PRINT"),
    ],
)
def test_a_prompt_can_name_a_preset(prompt: str, preset: str) -> None:
    assert looks.choose(read(prompt), Style(), False) == (preset, "")
    assert looks.choose(read(prompt), Style(preset="POP_ART"), False)[0] == "POP_ART"
    assert looks.choose(read("a portrait", prompt), Style(), False)[0] is None


@pytest.mark.parametrize(
    "prompt",
    [
        "photo of a woman holding a blueprint of the house",
        "portrait in front of an art deco building",
        "a woman wearing an art deco dress",
        "man in front of a bauhaus house",
        "wearing a Bauhaus band t-shirt",
        "a portrait, an engraving on her necklace",
        "a kid holding a coloring book",
        "a man in a room, psychedelic art behind him",
        "a photo of a man in front of a wall with a collage",
    ],
)
def test_a_thing_chooses_no_preset(prompt: str) -> None:
    assert looks.choose(read(prompt), Style(), False)[0] not in looks.presets()


def test_a_named_preset_brings_its_place_along() -> None:
    said, asked = read("a bauhaus portrait of her"), Style(preset="BAUHAUS")
    assert opened(said, Style()) == opened(said, asked) != said
    kept = opened(read("a bauhaus portrait of her in a park at night"), Style())
    assert (kept.setting, kept.time) == ("park", "night")
    assert opened(said, Style(code=StyleCode.parse("0286cb0c"))).setting is None


def test_every_preset_that_can_be_named_is_one() -> None:
    named = choice._tables()[2]
    assert set(named) <= set(looks.presets())
    assert looks.choose(read("art deco travel poster"), Style(), False)[0] == "travel poster"
    assert looks.choose(read("travel poster, art deco"), Style(), False)[0] == "travel poster"
    assert looks.choose(read("a linocut portrait"), Style(), False)[0] == "woodcut"


def test_what_is_not_drawn_as_asked_is_said() -> None:
    for other in itertools.chain.from_iterable(row(name).also for name in NAMES):
        assert other in looks.choose(read(f"{other} portrait"), Style(), False)[1]
    assert looks.default_for_figure() in looks.choose(read("full body"), Style(), True)[1]
    assert looks.choose(read("comic portrait"), Style(), False)[1] == ""


def test_colours_come_back_from_oklab() -> None:
    random = np.random.default_rng(1)
    image = random.integers(0, 256, (64, 64, 3), np.uint8)
    assert np.abs(to_rgb(to_lab(image)) * 255 - image).max() < 0.6


def test_level_edges_are_as_flat_as_upright_ones() -> None:
    bands = np.zeros((96, 96, 3), np.uint8)
    for i, code in enumerate((40, 200, 90, 230, 20, 160)):
        bands[16 * i : 16 * i + 16] = code
    upright = np.ascontiguousarray(bands.transpose(1, 0, 2))
    level, turned = (Context(image, (), None, None, 1, "balanced", 1.0).flat for image in (bands, upright))
    assert np.abs(level - turned.transpose(1, 0, 2)).max() < 0.02


@pytest.mark.parametrize("name", ["pop art", "ART_DECO", "CUBISM", "VINTAGE_GEO", "WOODBLOCK_PRINT"])
def test_a_face_beside_the_picture_or_under_hair_is_no_error(name: str) -> None:
    seen = example("portrait")
    beside = seen.points + np.float32(4 * max(seen.image.shape))
    hair = np.full(seen.matte.shape, HAIR, np.uint8)
    for points, regions in ((beside, None), (seen.points, hair)):
        made_so = looks.draw(seen.image, name, points=points, matte=seen.matte, regions=regions, seed=2)
        assert made_so.shape == seen.image.shape


def test_kuwahara_flattens_grain_and_keeps_an_edge() -> None:
    random = np.random.default_rng(1)
    picture = np.full((96, 96, 3), 0.3, np.float32)
    picture[:, 48:] = 0.7
    noisy = picture + random.normal(0, 0.02, picture.shape).astype(np.float32)
    angle = np.full((96, 96), np.pi / 2, np.float32)
    flat = kuwahara(noisy, angle, np.full((96, 96), 0.9, np.float32), 5)
    assert flat[20:76, 10:38].std() < 0.5 * noisy[20:76, 10:38].std()
    assert flat[:, 50].mean() - flat[:, 45].mean() > 0.36


def test_smoothing_along_a_flow_keeps_what_lies_across() -> None:
    lines = np.zeros((64, 64), np.float32)
    lines[::4] = 1
    ones, zeros = np.ones((64, 64), np.float32), np.zeros((64, 64), np.float32)
    assert np.allclose(along(lines, ones, zeros, 4), lines, atol=1e-5)
    assert along(lines, zeros, ones, 4)[20:40].std() < 0.1 * lines.std()


def test_shades_are_steps() -> None:
    ramp = np.linspace(0, 1, 1001, dtype=np.float32)
    stepped = drawn.cel(ramp, 5, 4.0)
    slopes = np.abs(np.diff(stepped)) * 1000
    assert np.median(slopes) < 0.3
    assert slopes.max() > 2
    assert np.abs(stepped - ramp).max() < 0.15
