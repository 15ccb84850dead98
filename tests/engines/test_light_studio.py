"""Tone curve, rigs, backdrops, looks and colours: what needs no person to be measured."""

from __future__ import annotations

import itertools
import re

import cv2
import numpy as np
import pytest

from portrayal import colours
from portrayal.engines.studio.light import harmonics, rigs
from portrayal.engines.studio.light.backdrop import studio_plate
from portrayal.engines.studio.light.finish import finish, grades, looks
from portrayal.engines.studio.light.skin import lab
from portrayal.engines.studio.light.tone import linear_of_hex, luminance, tone, untone
from portrayal.engines.studio.types import Shot
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32, U8

# fmt: off
LIGHTS = [
    "natural", "softbox", "beauty", "fashion", "Rembrandt", "split", "butterfly", "loop", "ring light", "window",
    "golden hour", "hard sun", "overcast", "backlit", "rim", "neon", "duotone", "candle", "firelight", "moonlight",
    "spotlight", "high key", "low key",
]
LOOKS = [
    "photo", "cinematic", "film", "vintage", "black and white", "sepia", "high contrast", "pastel", "warm", "cool",
    "matte", "vivid",
]
# fmt: on
RATIOS = ((96, 96), (192, 64), (64, 192))


def shown_lab(picture: U8) -> F32:
    return np.asarray(lab(picture.reshape(-1, 3) / 255), np.float32)


def of_hex(colour: str) -> F32:
    return np.array([[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]], np.float32)


def test_the_curve_and_its_inverse() -> None:
    codes = np.random.default_rng(1).random((200, 300, 3)).astype(np.float32) * np.float32(0.93)
    assert np.abs(tone(untone(codes)) - codes).max() < 2e-4
    grey = np.linspace(0.001, 30, 4000, dtype=np.float32)[:, None].repeat(3, 1)
    shown = tone(grey)
    assert (np.diff(shown[:, 1]) >= -1e-6).all()
    assert np.ptp(shown, axis=1).max() < 2e-3
    assert tone(np.array([[0.18] * 3], np.float32))[0, 0] == pytest.approx(0.41, abs=0.02)
    assert 0.96 < tone(untone(np.ones((1, 3), np.float32)))[0].min() < 0.98
    red = tone(np.array([[8.0, 0.4, 0.3], [0.8, 0.04, 0.03]], np.float32))
    assert np.ptp(red[0]) < np.ptp(red[1]), "bright saturated light bleaches"


def test_harmonics_of_one_light() -> None:
    normals = np.random.default_rng(2).normal(size=(100, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    assert np.allclose(harmonics.irradiance(harmonics.constant((1, 0.5, 0.2)), normals), (1, 0.5, 0.2), atol=1e-5)
    lobe = harmonics.lobe(np.array([1, 0, 0]), np.ones(3), 4.0)
    assert harmonics.irradiance(lobe, np.array([[1, 0, 0], [-1, 0, 0]], np.float32))[:, 0] @ (1, -5) > 0


def test_all_lights_of_the_vocabulary_exist_and_differ() -> None:
    assert set(rigs.lights()) == set(LIGHTS)
    made = {light: rigs.light_rig(light, None, 5) for light in LIGHTS}

    def numbers(light: str) -> tuple[float, ...]:
        r = made[light]
        lamps = [v for k in r.keys for v in (*k.direction, *k.colour, k.wrap)]
        return (r.fill, r.level, r.contrast, r.skin_shift, *lamps[:7])

    for a, b in itertools.combinations(LIGHTS, 2):
        assert numbers(a) != numbers(b)
    for light in LIGHTS:
        again = rigs.light_rig(light, None, 5)
        assert all(np.array_equal(x.direction, y.direction) for x, y in zip(again.keys, made[light].keys, strict=True))
    with pytest.raises(InvalidRequestError, match="disco"):
        rigs.light_rig("disco")


@pytest.mark.parametrize("light", ["Rembrandt", "loop", "split", "window"])
def test_the_seed_chooses_the_side_as_a_photographer_would(light: str) -> None:
    sides = [rigs.light_rig(light, None, seed).keys[0].direction[0] for seed in range(24)]
    assert 5 < sum(x > 0 for x in sides) < 19
    assert all(np.sign(x) == rigs.side(light, seed) for seed, x in enumerate(sides))
    assert np.std(np.abs(sides)) > 0.002
    assert all(abs(rigs.light_rig("butterfly", None, seed).keys[0].direction[0]) < 0.15 for seed in range(8))


def test_a_rig_in_a_room_keeps_the_rooms_colour_as_fill() -> None:
    warm = rigs.light_rig("candle", None, 1)
    plain, inside = rigs.light_rig("Rembrandt", None, 1), rigs.light_rig("Rembrandt", warm, 1)

    def warmth(c: F32) -> float:
        return float(c[0, 0] / c[0, 2])

    assert warmth(inside.ambient) > 1.5 * warmth(plain.ambient)
    assert inside.keys[0].colour[0] / inside.keys[0].colour[2] > plain.keys[0].colour[0] / plain.keys[0].colour[2]
    assert np.array_equal(inside.keys[0].direction, plain.keys[0].direction)
    assert rigs.light_rig("natural", warm, 1) is warm
    assert rigs.light_rig(None, warm, 1) is warm


def test_colour_names() -> None:
    assert len(colours.names()) >= 45
    for name in colours.names():
        assert re.fullmatch(r"#[0-9a-f]{6}", colours.hex_of(name)), name
    assert colours.hex_of(" Navy ") == colours.hex_of("navy")
    with pytest.raises(InvalidRequestError, match="octarine"):
        colours.hex_of("octarine")
    grey = linear_of_hex("#808080")
    assert tone(grey[None])[0] == pytest.approx([0.502] * 3, abs=2e-3)


@pytest.mark.parametrize("light", ["softbox", "beauty", "natural"])
@pytest.mark.parametrize("name", colours.names())
def test_a_backdrop_has_the_colour_of_its_name(name: str, light: str) -> None:
    for seed in (1, 2):
        picture = finish(studio_plate(Shot(128, 128, backdrop=name, light=light, seed=seed)).radiance, seed=seed)
        middle = shown_lab(picture[38:75, 40:88]).mean(0)
        assert np.linalg.norm(middle - lab(of_hex(colours.hex_of(name)))[0]) < 12


@pytest.mark.parametrize("light", LIGHTS)
def test_a_backdrop_is_lit_like_a_studio_not_filled(light: str) -> None:
    for width, height in RATIOS:
        shot = Shot(width, height, backdrop="grey", light=light, seed=9, speed="turbo")
        plate = studio_plate(shot)
        assert plate.radiance.shape == (height, width, 3)
        assert plate.radiance.dtype == np.float32
        assert plate.radiance.min() >= 0
        assert plate.wall > 0
        smooth = cv2.GaussianBlur(luminance(plate.radiance), (0, 0), 6)
        assert smooth.max() > 1.06 * smooth.min(), "light falls off"
        steps = np.abs(np.diff(np.log(smooth + 1e-4), axis=0)).max()
        assert steps < 0.25, "no floor edge"


def test_backdrops_of_dark_rigs_are_darker_and_gels_colour_them() -> None:
    def middle(light: str) -> F32:
        radiance = studio_plate(Shot(96, 96, backdrop="grey", light=light, seed=9)).radiance
        return np.asarray(radiance[20:60, 24:72].reshape(-1, 3).mean(0), np.float32)

    for dark in ("Rembrandt", "low key", "rim", "split", "candle"):
        assert luminance(middle(dark)) < 0.6 * luminance(middle("softbox")), dark
    assert luminance(middle("high key")) > luminance(middle("softbox"))
    plate = studio_plate(Shot(96, 96, backdrop="grey", light="neon", seed=9)).radiance
    left, right = plate[:, :20].mean((0, 1)), plate[:, -20:].mean((0, 1))
    assert (left[0] / left[2] - 1) * (right[0] / right[2] - 1) < 0, "one side red, the other blue"
    candle = middle("candle")
    assert candle[0] > 1.5 * candle[2]


def test_a_backdrop_is_the_seeds_own() -> None:
    def plate(seed: int) -> F32:
        return studio_plate(Shot(96, 96, backdrop="teal", light="loop", seed=seed)).radiance

    assert np.array_equal(plate(3), plate(3))
    assert not np.allclose(plate(3), plate(4), rtol=0.01)
    with pytest.raises(InvalidRequestError):
        studio_plate(Shot(64, 64, backdrop="octarine"))


def chart() -> F32:
    """A chart of grey steps and colours, as scene light."""
    codes = np.zeros((64, 96, 3), np.float32)
    codes[:32] = np.linspace(0.02, 0.95, 96)[None, :, None]
    row = [of_hex(colours.hex_of(n))[0] for n in ("tan", "red", "green", "blue", "yellow", "beige")]
    codes[32:] = np.repeat(np.array(row, np.float32), 16, axis=0)[None]
    return untone(codes)


def test_all_looks_of_the_vocabulary_exist_differ_and_keep_the_order_of_greys() -> None:
    assert set(looks()) == set(LOOKS)
    shown = {look: finish(chart(), look=look, grain=0) for look in LOOKS}
    for a, b in itertools.combinations(LOOKS, 2):
        assert np.abs(shown[a].astype(int) - shown[b].astype(int)).mean() > 1.0, (a, b)
    for look, image in shown.items():
        ramp = image[4].astype(float) @ (0.2126, 0.7152, 0.0722)
        assert (np.diff(ramp) > -1.01).all(), look


def test_looks_do_what_their_names_say() -> None:
    def show(look: str) -> F32:
        return finish(chart(), look=look, grain=0, vignette=0).astype(np.float32)

    photo = show("photo")
    assert np.ptp(show("black and white"), axis=-1).max() <= 1
    sepia = show("sepia").reshape(-1, 3).mean(0)
    assert sepia[0] > sepia[1] + 8 > sepia[2] + 16
    for warm, cool in (("warm", "photo"), ("photo", "cool")):
        a, b = show(warm).reshape(-1, 3).mean(0), show(cool).reshape(-1, 3).mean(0)
        assert a[0] - a[2] > b[0] - b[2] + 3
    assert show("high contrast")[:32].std() > 1.08 * photo[:32].std()
    for flat in ("matte", "vintage", "pastel"):
        assert show(flat).min() > photo.min() + 6
    assert np.ptp(show("vivid"), axis=-1).mean() > 1.03 * np.ptp(photo, axis=-1).mean()
    assert show("pastel").mean() > photo.mean() + 4


@pytest.mark.parametrize("grade", list(grades()))
def test_grades_shift_skin_by_little(grade: str) -> None:
    skin = untone(np.full((8, 8, 3), (0.80, 0.60, 0.50), np.float32))
    plain, graded = (finish(skin, grade=g, grain=0, vignette=0) for g in ("none", grade))
    shift = shown_lab(graded).mean(0) - shown_lab(plain).mean(0)
    assert np.hypot(shift[1], shift[2]) < 6


def test_grain_is_seeded_fine_and_even_over_the_picture() -> None:
    flat = untone(np.full((256, 256, 3), 0.5, np.float32))
    first, again, other = (finish(flat, vignette=0, seed=s).astype(np.float32) for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert 0.8 < first.std() < 4
    assert first.mean() == pytest.approx(127.5, abs=1)
    quarters = [first[a : a + 128, b : b + 128].std() for a in (0, 128) for b in (0, 128)]
    assert max(quarters) < 1.15 * min(quarters)
    assert finish(flat, vignette=0, seed=1, look="vintage").astype(np.float32).std() > 1.4 * first.std()


def test_vignette_exposure_and_glare() -> None:
    flat = untone(np.full((96, 160, 3), 0.5, np.float32))
    shown = finish(flat, grain=0, vignette=0.4).astype(int)
    assert shown[0, 0, 1] < shown[48, 80, 1] - 8
    assert finish(flat, grain=0, exposure=1.0)[48, 80, 1] > finish(flat, grain=0)[48, 80, 1] + 25
    lamp = flat.copy() * np.float32(0.1)
    lamp[46:50, 78:82] = 35
    near = np.s_[40:44, 76:84]
    dark, veiled = (finish(lamp, grain=0, glare=g)[near].mean() for g in (0.0, 0.4))
    assert veiled > dark + 3
    paper = np.full((96, 160, 3), 2.5, np.float32)
    assert np.array_equal(finish(paper, grain=0, glare=0.4), finish(paper, grain=0, glare=0.0)), "paper is no lamp"


def test_unknown_names_are_told() -> None:
    flat = np.ones((8, 8, 3), np.float32)
    with pytest.raises(InvalidRequestError, match="comic"):
        finish(flat, look="comic")
    with pytest.raises(InvalidRequestError, match="teal"):
        finish(flat, grade="teal")
