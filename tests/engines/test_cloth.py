"""Fabrics and patterns, and the light on what is modelled, measured in the lit pixels."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib.resources import files
from typing import Final

import cv2
import numpy as np
import pytest

from portrayal import colours
from portrayal.engines.studio.cloth import fabrics, merge, patterns
from portrayal.engines.studio.cloth.surface import SKIN, Surface, empty
from portrayal.engines.studio.light import rigs
from portrayal.engines.studio.light.harmonics import constant
from portrayal.engines.studio.light.relight import relight
from portrayal.engines.studio.light.shape import shape
from portrayal.engines.studio.light.skin import lab
from portrayal.engines.studio.light.tone import linear_of_hex, luminance, tone, untone
from portrayal.engines.studio.types import Cutout, KeyLight, Lighting, Speed, Subject, vector
from portrayal.engines.studio.wardrobe.outfit import Cloth
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32
from portrayal.perception.types import FACE

SIZE: Final = 160
SCALE: Final = 8.0  # pixels per cm
SPEEDS: Final[tuple[Speed, ...]] = ("turbo", "balanced")
FACE_COLOUR: Final = (0.78, 0.60, 0.50)
# Cloth of one colour all over; the others are known by light and dark (rings, discs, holes) or by what they mirror.
PLAIN: Final = tuple(f for f in fabrics.names() if f not in ("metal", "steel", "mail", "sequin", "lace", "fur"))


def vocabulary(table: str) -> list[str]:
    text = (files("portrayal.prompting") / "vocabulary" / "patterns.toml").read_text("utf-8")
    return list(tomllib.loads(text)[table])


def places(cm: float, pixel: float) -> tuple[F32, F32]:
    """A square of cloth of some cm at a pixel size."""
    n = round(cm / pixel)
    v, u = ((np.mgrid[:n, :n] + 0.5) * pixel).astype(np.float32)
    return u, v


def ball(cloth: Cloth) -> Surface:
    """A ball of 16 cm dressed in a cloth."""
    y, x = (((np.mgrid[:SIZE, :SIZE] + 0.5) - SIZE / 2) / SCALE).astype(np.float32)
    radius = 0.8 * SIZE / SCALE / 2
    away = np.hypot(x, y)
    cover = np.clip((radius - away) * SCALE, 0, 1).astype(np.float32)
    z = np.sqrt(np.maximum(radius**2 - away**2, 0.05)).astype(np.float32)
    u, v = (np.asarray(radius * np.arcsin(np.clip(a / radius, -0.99, 0.99)), np.float32) for a in (x, y))
    woven = fabrics.weave(cloth, u, v, 1 / SCALE)
    depth = z + woven.relief
    slope = [cv2.Sobel(depth, cv2.CV_32F, dx, dy, scale=0.125 * SCALE) for dx, dy in ((1, 0), (0, 1))]
    normals = np.dstack([-slope[0], slope[1], np.ones_like(z)])
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    return replace(
        empty(SIZE, SIZE, SCALE),
        albedo=woven.albedo,
        normals=np.ascontiguousarray(normals, np.float32),
        depth=np.where(cover > 0, depth, np.float32(-1000)).astype(np.float32),
        material=np.ascontiguousarray(np.broadcast_to(woven.material, (SIZE, SIZE, 4)), np.float32),
        cover=cover,
    )


def wearing(surface: Surface | None) -> Subject:
    """A flat disc of skin in a corner, on which the light is measured, and a surface beside it."""
    size = (SIZE, SIZE) if surface is None else surface.cover.shape
    own = np.zeros(size, np.float32)
    cv2.circle(own, (14, 14), 10, (1.0,), -1)
    rgb = np.full((*size, 3), FACE_COLOUR, np.float32)
    bare = shape(Cutout(rgb, own, np.full(size, FACE, np.uint8), None))
    normals = np.zeros((*size, 3), np.float32)
    normals[..., 2] = 1
    bare = replace(bare, normals=normals, height=np.zeros_like(bare.height), face_height=18.5 * SCALE)
    if surface is None:
        return bare
    alpha = np.asarray(own + (1 - own) * surface.cover, np.float32)
    return replace(bare, alpha=alpha, own=own, under=surface)


def photographed(surface: Surface, lighting: Lighting) -> F32:
    return tone(relight(wearing(surface), lighting, "balanced"))


def daylight() -> Lighting:
    sky = constant((0.8, 0.95, 1.15))
    sun = KeyLight(vector(-0.4, 0.6, 0.7), vector(1.0, 0.95, 0.85), wrap=0.1, shadow=0.9, softness=0.1)
    return Lighting(ambient=sky, keys=(sun,), fill=0.4)


LIGHTS: Final = {"portrait": rigs.light_rig("softbox"), "daylight": daylight()}


def named(colour: str) -> F32:
    code = [[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]]
    return np.asarray(lab(np.array(code, np.float32))[0], np.float32)


def lit_part(picture: F32, surface: Surface) -> F32:
    """Mean Lab of the lit half of a surface."""
    pixels = lab(picture[(surface.cover > 0.95) & (np.indices(surface.cover.shape).sum(0) > 60)])
    return np.asarray(pixels[pixels[:, 0] >= np.median(pixels[:, 0])].mean(0), np.float32)


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("name", colours.names())
def test_lit_cloth_shows_its_colour(name: str, light: str) -> None:
    surface = ball(Cloth(colours.hex_of(name), "cotton"))
    picture = photographed(surface, LIGHTS[light])
    assert np.linalg.norm(lit_part(picture, surface) - named(colours.hex_of(name))) < 15


@pytest.mark.parametrize("fabric", PLAIN)
@pytest.mark.parametrize("name", ["navy", "red", "cream", "black"])
def test_every_fabric_shows_its_colour(fabric: str, name: str) -> None:
    surface = ball(Cloth(colours.hex_of(name), fabric))
    picture = photographed(surface, LIGHTS["portrait"])
    assert np.linalg.norm(lit_part(picture, surface) - named(colours.hex_of(name))) < 15


def test_fabrics_and_patterns_are_those_of_the_words() -> None:
    assert set(vocabulary("fabric")) <= set(fabrics.names())
    assert set(vocabulary("pattern")) == set(patterns.names())


@pytest.mark.parametrize("fabric", fabrics.names())
def test_every_fabric_has_a_face(fabric: str) -> None:
    """It is neither flat nor loud, and no two are the same."""
    u, v = places(12, 0.05)
    woven = fabrics.weave(Cloth("#6b4428", fabric), u, v, 0.05)
    assert woven.albedo.shape == (*u.shape, 3)
    assert woven.relief.shape == u.shape
    grey = luminance(woven.albedo)
    spread = float(grey.std() / grey.mean())
    assert 0.004 < spread < 0.6
    assert 1e-4 < float(woven.relief.std()) < 0.25
    assert abs(float(woven.relief.mean())) < 0.04
    material = np.broadcast_to(woven.material, (*u.shape, 4))
    assert material[..., 0].min() >= 0.08
    assert material[..., 0].max() <= 1
    assert material[..., 1].min() >= 0.02
    assert material[..., 2].max() <= 0.6


@pytest.mark.parametrize("fabric", fabrics.names())
def test_cloth_seen_from_afar_keeps_its_colour(fabric: str) -> None:
    near = fabrics.weave(Cloth("#7b46b4", fabric), *places(24, 0.02), 0.02).albedo.mean((0, 1))
    far = fabrics.weave(Cloth("#7b46b4", fabric), *places(24, 0.4), 0.4).albedo.mean((0, 1))
    np.testing.assert_allclose(far, near, rtol=0.07, atol=0.004)


@pytest.mark.parametrize("pattern", patterns.names())
def test_pattern_seen_from_afar_keeps_its_colour(pattern: str) -> None:
    cloth = Cloth("#c3202b", "cotton", pattern, "#f4f3f0")
    near = fabrics.weave(cloth, *places(26, 0.02), 0.02).albedo.mean((0, 1))
    far = fabrics.weave(cloth, *places(26, 0.4), 0.4).albedo.mean((0, 1))
    np.testing.assert_allclose(far, near, rtol=0.09, atol=0.02)


@pytest.mark.parametrize("fabric", fabrics.names())
def test_fine_detail_fades_before_it_aliases(fabric: str) -> None:
    """Cloth of a figure far away is calmer than near cloth: no moire of weave and stitches."""
    near = fabrics.weave(Cloth("#828486", fabric), *places(24, 0.03), 0.03)
    far = fabrics.weave(Cloth("#828486", fabric), *places(120, 0.8), 0.8)
    assert float(far.relief.std()) <= float(near.relief.std()) * 1.1
    assert float(luminance(far.albedo).std()) <= float(luminance(near.albedo).std()) * 1.1


@pytest.mark.parametrize("pattern", patterns.names())
def test_pattern_shows_both_colours(pattern: str) -> None:
    first, second = "#1b2644", "#f3cf2c"
    u, v = places(26, 0.05)
    seen = lab(tone(fabrics.weave(Cloth(first, "cotton", pattern, second), u, v, 0.05).albedo).reshape(-1, 3))
    for colour in (first, second):
        near = np.linalg.norm(seen - named(colour), axis=1) < (38 if pattern in ("herringbone", "pinstripe") else 22)
        assert near.mean() > 0.03, colour


@pytest.mark.parametrize("colour", ["white", "black", "red", "navy", "beige"])
@pytest.mark.parametrize("pattern", patterns.names())
def test_pattern_finds_a_second_colour(pattern: str, colour: str) -> None:
    first = colours.hex_of(colour)
    u, v = places(26, 0.05)
    plain = lab(tone(fabrics.weave(Cloth(first, "cotton"), u, v, 0.05).albedo).reshape(-1, 3))
    printed = lab(tone(fabrics.weave(Cloth(first, "cotton", pattern), u, v, 0.05).albedo).reshape(-1, 3))
    assert float(np.linalg.norm(printed - plain, axis=1).mean()) > (0.5 if pattern == "pinstripe" else 3.5)


def test_seed_is_another_piece_of_the_same_cloth() -> None:
    u, v = places(8, 0.05)
    cloth = Cloth("#2e8b3d", "wool", "floral")
    one, again, other = (fabrics.weave(cloth, u, v, 0.05, seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.albedo, again.albedo)
    np.testing.assert_array_equal(one.relief, again.relief)
    assert not np.array_equal(one.albedo, other.albedo)


def test_any_shape_is_woven() -> None:
    for size in ((1, 1), (1, 40), (40, 1), (3, 200)):
        u = np.linspace(0, 5, size[0] * size[1], dtype=np.float32).reshape(size)
        woven = fabrics.weave(Cloth("#2e8b3d", "leather", "plaid"), u, u, 0.05)
        assert woven.albedo.shape == (*size, 3)
        assert np.isfinite(woven.albedo).all()


@pytest.mark.parametrize(
    "cloth", [Cloth("#102030", "spiderweb"), Cloth("#102030", "cotton", "hieroglyphs"), Cloth("navy", "cotton")]
)
def test_unknown_cloth_is_refused(cloth: Cloth) -> None:
    with pytest.raises(InvalidRequestError):
        fabrics.weave(cloth, *places(1, 0.1), 0.1)


def brightest(fabric: str, colour: str = "#43291b") -> float:
    """How far the highlight stands above the lit cloth, in luminance of the display."""
    surface = ball(Cloth(colour, fabric))
    picture = luminance(photographed(surface, rigs.light_rig("softbox")))
    inside = picture[surface.cover > 0.95]
    return float(np.percentile(inside, 99.5) - np.percentile(inside, 60))


def test_leather_and_satin_shine_and_wool_does_not() -> None:
    wool = brightest("wool")
    for shiny in ("leather", "satin", "silk", "rubber", "patent"):
        assert brightest(shiny) > wool + 0.06, shiny


def test_steel_mirrors_the_place() -> None:
    surface = ball(Cloth("#a9adb3", "steel"))
    plate = np.full((64, 64, 3), 0.2, np.float32)
    plate[:, :32] = (2.0, 0.1, 0.1)
    subject = wearing(surface)
    lit = relight(subject, LIGHTS["portrait"], "balanced", plate)
    room = relight(subject, LIGHTS["portrait"], "balanced")
    there = surface.cover > 0.95
    redder = (lit[there][:, 0] / lit[there][:, 2]) / (room[there][:, 0] / room[there][:, 2])
    assert float(redder.max()) > 1.5
    wool = wearing(ball(Cloth("#a9adb3", "wool")))
    np.testing.assert_array_equal(
        relight(wool, LIGHTS["portrait"], "balanced", plate), relight(wool, LIGHTS["portrait"], "balanced")
    )


def test_velvet_is_bright_at_its_edge() -> None:
    """A pile lit from everywhere is darker in front than where it turns away; cotton is not."""
    light = Lighting(ambient=constant((1, 1, 1)))
    ratio = {}
    for fabric in ("velvet", "cotton"):
        surface = ball(Cloth("#5a161c", fabric))
        picture = relight(wearing(replace(surface, open=np.ones_like(surface.cover))), light, "turbo")
        away = np.hypot(*(np.indices(surface.cover.shape) - SIZE / 2 + 0.5)) / (0.4 * SIZE)
        grey = luminance(picture)
        ratio[fabric] = float(grey[(away > 0.85) & (away < 0.95)].mean() / grey[away < 0.3].mean())
    assert ratio["velvet"] > 1.5 * ratio["cotton"]


def test_white_keeps_its_folds_and_black_is_no_hole() -> None:
    n = SIZE
    x = ((np.arange(n) - n / 2) / SCALE).astype(np.float32)
    z = np.broadcast_to(0.5 * np.sin(x * 2.0), (n, n)).astype(np.float32)
    normals = np.zeros((n, n, 3), np.float32)
    normals[..., 0] = -np.cos(x * 2.0)
    normals[..., 2] = 1
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    for name, darkest in (("white", 60), ("black", 0.8)):
        sheet = ball(Cloth(colours.hex_of(name), "cotton"))
        sheet = replace(sheet, depth=z, normals=normals, cover=np.ones((n, n), np.float32))
        lightness = lab(photographed(sheet, LIGHTS["portrait"])[40:].reshape(-1, 3))[:, 0]
        low, high = np.percentile(lightness, [5, 95])
        assert low > darkest, name
        assert high - low > 6, name
        assert high < 96, name


def test_bare_skin_goes_with_the_face() -> None:
    """Modelled skin of the face's colour, facing as it does, shows what the photographed skin shows."""
    surface = ball(Cloth("#828486", "cotton"))
    skin = np.ones((SIZE, SIZE, 3), np.float32) * untone(np.array([FACE_COLOUR], np.float32))
    normals = np.zeros((SIZE, SIZE, 3), np.float32)
    normals[..., 2] = 1
    material = np.empty((SIZE, SIZE, 4), np.float32)
    material[:] = SKIN
    flat = np.ones((SIZE, SIZE), np.float32)
    surface = replace(
        surface, albedo=skin, normals=normals, material=material, cover=flat, skin=flat, depth=0 * flat, open=flat,
        shadow=lambda towards: flat,
    )  # fmt: skip
    for name in ("softbox", "Rembrandt", "neon", "candlelight"):
        if name not in rigs.lights():
            continue
        picture = photographed(surface, rigs.light_rig(name))
        face, neck = (lab(picture[box].reshape(-1, 3)).mean(0) for box in (np.s_[10:18, 10:18], np.s_[60:70, 60:70]))
        assert np.linalg.norm(face - neck) < 3, name


def test_lapel_throws_a_shadow_away_from_the_lamp() -> None:
    surface = ball(Cloth("#828486", "cotton"))
    step = np.zeros((SIZE, SIZE), np.float32)
    step[:, 70:90] = 1.2
    normals = np.zeros((SIZE, SIZE, 3), np.float32)
    normals[..., 2] = 1
    surface = replace(surface, depth=step, normals=normals, cover=np.ones((SIZE, SIZE), np.float32))
    key = KeyLight(vector(-0.7, 0.1, 0.6), vector(1, 1, 1), wrap=0.1, shadow=1.0, softness=0.1)
    picture = relight(wearing(surface), Lighting(ambient=constant((1, 1, 1)), keys=(key,), fill=0.3), "balanced")
    row = luminance(picture)[90:110].mean(0)
    assert row[93:97].mean() < 0.75 * row[63:67].mean()
    assert row[93:97].mean() < 0.75 * row[130:140].mean()


def test_photograph_lies_over_what_is_under_it() -> None:
    """Where the own matte is full the picture is the photograph's, elsewhere the cloth's, and a hat covers both."""
    surface = ball(Cloth("#2e8b3d", "cotton"))
    alone = relight(wearing(None), LIGHTS["portrait"], "turbo")
    dressed = relight(wearing(surface), LIGHTS["portrait"], "turbo")
    np.testing.assert_allclose(dressed[10:18, 10:18], alone[10:18, 10:18], rtol=0.02)
    assert dressed[80, 80, 1] > 1.5 * dressed[80, 80, 0]
    hat = replace(ball(Cloth("#c3202b", "wool")), cover=np.ones((SIZE, SIZE), np.float32))
    covered = relight(
        replace(wearing(surface), over=hat, alpha=np.ones((SIZE, SIZE), np.float32)), LIGHTS["portrait"], "turbo"
    )
    assert covered[80, 80, 0] > 3 * covered[80, 80, 1]
    assert covered[14, 14, 0] > 3 * covered[14, 14, 1]


def test_surface_that_covers_nothing_changes_nothing() -> None:
    for light in LIGHTS.values():
        for speed in SPEEDS:
            alone = relight(wearing(None), light, speed)
            nothing = relight(wearing(empty(SIZE, SIZE, SCALE)), light, speed)
            np.testing.assert_allclose(nothing, alone, rtol=2e-5, atol=1e-6)


def test_same_light_same_bytes() -> None:
    surface = ball(Cloth("#2e8b3d", "silk", "paisley"))
    one, other = (photographed(surface, LIGHTS["daylight"]) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_field_is_raised_to_the_cloth() -> None:
    """In the field's own units, from the plane of landmark depth 0; the photograph lies on the cloth."""
    points = np.zeros((478, 3), np.float32)
    points[:, 0], points[:, 1] = np.linspace(20, 60, 478), np.linspace(20, 60, 478)
    points[:, 2] = -8.0
    subject = replace(wearing(ball(Cloth("#2e8b3d", "cotton"))), points=points)
    grid = subject.height.shape[0] / SIZE
    subject = replace(subject, height=np.full_like(subject.height, 20.0))
    zero = 20.0 - 8.0 * grid
    assert merge.zero(subject) == pytest.approx(zero, abs=0.01)
    assert subject.under is not None
    field = merge.raised(subject, subject.under)
    middle = field[field.shape[0] // 2, field.shape[1] // 2]
    assert middle == pytest.approx(zero + 8.0 * SCALE * grid, rel=0.02)  # the ball's radius is 8 cm
    corner = field[round(14 * grid), round(14 * grid)]
    assert corner == pytest.approx(20.0, abs=0.01)


def test_dye_leaves_room_above_white() -> None:
    np.testing.assert_array_equal(fabrics.dye("#2453b0"), linear_of_hex("#2453b0"))
    assert float(luminance(fabrics.dye("#f4f3f0"))) < 0.5 * float(luminance(linear_of_hex("#f4f3f0")))
