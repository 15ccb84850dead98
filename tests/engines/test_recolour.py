"""The person's own clothes in another colour."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from portrayal.character import study
from portrayal.engines.studio.cloth import patterns
from portrayal.engines.studio.place import place
from portrayal.engines.studio.recolour import parse_hex, recolour
from portrayal.engines.studio.types import Cutout
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32
from portrayal.perception.types import CLOTHING, FACE, HAIR, SKIN
from portrayal.settings import Settings

COLOURS = {
    "navy": "#1f2a52",
    "white": "#ffffff",
    "black": "#101010",
    "emerald": "#0b7a50",
    "burgundy": "#701c30",
    "yellow": "#f5d020",
}


def lab(rgb: F32) -> F32:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab), np.float32)


@pytest.fixture(scope="module")
def astronaut(sample: bytes, settings: Settings) -> Cutout:
    return place(study(sample, cache_dir=settings.cache_dir), 1.0, (0.0, 0.0), 512, 512, "turbo", 0)


def suit(cutout: Cutout) -> np.typing.NDArray[np.bool_]:
    """The orange cloth, by its hue."""
    c = lab(cutout.rgb)
    chroma = np.hypot(c[..., 1], c[..., 2])
    hue = np.degrees(np.arctan2(c[..., 2], c[..., 1]))
    cloth = (cutout.regions == CLOTHING) & (cutout.alpha > 0.95)
    return np.asarray((chroma > 50) & (hue > 30) & (hue < 62) & cloth)


@pytest.mark.parametrize("name", COLOURS)
def test_lit_cloth_has_the_colour(astronaut: Cutout, name: str) -> None:
    worn = recolour(astronaut, COLOURS[name])
    cloth = suit(astronaut)
    assert cloth.sum() > 5000
    after = lab(worn.rgb)[cloth]
    lit = after[after[:, 0] >= np.median(after[:, 0])]
    wanted = lab(parse_hex(COLOURS[name])[None, None])[0, 0]
    assert np.linalg.norm(lit.mean(0) - wanted) < 15


@pytest.mark.parametrize("name", COLOURS)
def test_person_is_unchanged_to_the_bit(astronaut: Cutout, name: str) -> None:
    worn = recolour(astronaut, COLOURS[name])
    person = np.isin(astronaut.regions, (FACE, HAIR, SKIN))
    assert worn.rgb[person].tobytes() == astronaut.rgb[person].tobytes()
    assert worn.alpha is astronaut.alpha
    assert worn.regions is astronaut.regions


@pytest.mark.parametrize("name", COLOURS)
def test_folds_stay(astronaut: Cutout, name: str) -> None:
    """What is dark on the suit is dark on the new one: correlation of the local lightness."""
    cloth = cv2.erode(suit(astronaut).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    worn = recolour(astronaut, COLOURS[name])

    def folds(rgb: F32) -> F32:
        lightness, weight = lab(rgb)[..., 0], cloth.astype(np.float32)
        around = cv2.GaussianBlur(lightness * weight, (0, 0), 12) / (cv2.GaussianBlur(weight, (0, 0), 12) + 1e-3)
        return np.asarray((lightness - around)[cloth], np.float32)

    before, after = folds(astronaut.rgb), folds(worn.rgb)
    assert np.corrcoef(before, after)[0, 1] > 0.6
    assert after.std() > (0.8 if name == "black" else 1.5)


def test_white_straps_and_black_collar_stay(astronaut: Cutout) -> None:
    worn = recolour(astronaut, COLOURS["emerald"])
    c = lab(astronaut.rgb)
    chroma = np.hypot(c[..., 1], c[..., 2])
    inside = (astronaut.regions == CLOTHING) & (astronaut.alpha > 0.98)
    moved = np.abs(lab(worn.rgb) - c).max(-1)
    white = inside & (c[..., 0] > 80) & (chroma < 12)
    collar = np.zeros_like(inside)
    collar[215:250, 205:255] = True
    assert white.sum() > 300
    assert np.mean(moved[white] > 8) < 0.06
    assert np.mean(moved[collar & inside] > 8) < 0.03


def test_no_rim_of_the_old_colour(astronaut: Cutout) -> None:
    """On the matte's border, too, nothing orange is left beside the cloth."""
    worn = recolour(astronaut, COLOURS["navy"])
    cloth = cv2.dilate(suit(astronaut).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    away = cv2.dilate(np.isin(astronaut.regions, (FACE, HAIR, SKIN)).astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    border = cloth & away & (astronaut.alpha > 0.05) & (astronaut.alpha < 0.95)
    before, after = lab(astronaut.rgb)[border], lab(worn.rgb)[border]
    assert border.sum() > 200
    assert np.mean(np.hypot(before[:, 1], before[:, 2]) > 40) > 0.5
    assert np.mean((after[:, 1] > 20) & (after[:, 2] > 20)) < 0.05


def drawn(cloth: tuple[int, int, int], shirt: tuple[int, int, int]) -> Cutout:
    """A drawn torso: cloth with folds, a shirt in the middle, a head above."""
    y, x = np.mgrid[:240, :240].astype(np.float32)
    fold = 1 + 0.25 * np.sin(x / 7 + y / 23)
    rgb = np.array(cloth, np.float32) / 255 * fold[..., None]
    rgb[:, 105:135] = np.array(shirt, np.float32) / 255
    rgb[:80] = (0.8, 0.6, 0.5)
    regions = np.full((240, 240), CLOTHING, np.uint8)
    regions[:80] = FACE
    alpha = np.ones((240, 240), np.float32)
    return Cutout(np.asarray(np.clip(rgb, 0, 1), np.float32), alpha, regions, None)


@pytest.mark.parametrize(
    ("cloth", "shirt"),
    [
        ((20, 20, 24), (235, 235, 240)),
        ((235, 235, 238), (25, 25, 28)),
        ((120, 120, 122), (240, 240, 240)),
        ((24, 32, 70), (235, 238, 245)),
        ((60, 90, 200), (230, 230, 230)),
        ((130, 20, 30), (20, 20, 22)),
        ((230, 200, 60), (60, 60, 200)),
    ],
)
@pytest.mark.parametrize("name", ["white", "navy", "yellow", "black"])
def test_any_cloth_takes_any_colour(cloth: tuple[int, int, int], shirt: tuple[int, int, int], name: str) -> None:
    before = drawn(cloth, shirt)
    after = recolour(before, COLOURS[name])
    garment = lab(after.rgb)[100:, :95].reshape(-1, 3)
    lit = garment[garment[:, 0] >= np.median(garment[:, 0])].mean(0)
    wanted = lab(parse_hex(COLOURS[name])[None, None])[0, 0]
    assert np.linalg.norm(lit - wanted) < 15
    assert np.abs(after.rgb - before.rgb)[100:, 110:130].max() < 0.02


def test_mask_limits_the_change(astronaut: Cutout) -> None:
    mask = np.zeros(astronaut.alpha.shape, np.float32)
    mask[:, :256] = 1
    worn = recolour(astronaut, COLOURS["navy"], mask * (astronaut.regions == CLOTHING))
    assert np.abs(worn.rgb - astronaut.rgb)[:, 270:].max() == 0
    assert np.abs(worn.rgb - astronaut.rgb)[300:, :240].max() > 0.3


def test_nothing_to_dye_gives_the_same_cutout(astronaut: Cutout) -> None:
    assert recolour(astronaut, "#123456", np.zeros(astronaut.alpha.shape, np.float32)) is astronaut


@pytest.mark.parametrize("colour", ["", "navy", "#12345", "#12345g", "123456", "#1234567", "#123456\n"])
def test_bad_colour_names_field_and_remedy(astronaut: Cutout, colour: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        recolour(astronaut, colour)
    assert caught.value.field == "colour"
    assert "#rrggbb" in caught.value.remedy


def test_cloth_that_fades_out_is_dyed_to_the_end() -> None:
    """Where the matte fades at a cut side, no band of the old colour stays."""
    before = drawn((30, 60, 160), (230, 230, 230))
    fade = np.clip(np.arange(240, dtype=np.float32) / 60, 0, 1)[None] * np.ones((240, 1), np.float32)
    after = recolour(Cutout(before.rgb, np.asarray(fade, np.float32), before.regions, None), COLOURS["yellow"])
    blue = lab(after.rgb)[100:, 2:90, 2]
    assert (blue > 20).mean() > 0.99


def test_dark_stripes_of_a_tie_are_not_the_dark_suit() -> None:
    torso = drawn((22, 22, 26), (235, 235, 240))
    rgb = torso.rgb.copy()
    rgb[150:158, 112:128] = 24 / 255
    after = recolour(Cutout(rgb, torso.alpha, torso.regions, None), COLOURS["white"])
    assert np.abs(after.rgb - rgb)[152:156, 114:126].max() < 0.02
    assert np.abs(after.rgb - rgb)[150:158, 20:90].min() > 0.3


GROUND = {"striped": "#f4f3f0", "animal": "#c19a6b", "camouflage": "#6a6b33", "floral": "#f0e9d6"}


@pytest.mark.parametrize("pattern", patterns.names())
def test_pattern_is_printed_on_the_own_cloth(astronaut: Cutout, pattern: str) -> None:
    colour = GROUND.get(pattern, "#1b2644")
    plain = recolour(astronaut, colour)
    printed = recolour(astronaut, colour, pattern=pattern, second="#c3202b")
    cloth = suit(astronaut)
    change = np.linalg.norm(lab(printed.rgb)[cloth] - lab(plain.rgb)[cloth], axis=1)
    assert change.mean() > (4 if pattern in ("herringbone", "pinstripe") else 12)
    assert float(printed.rgb.min()) >= 0
    assert float(printed.rgb.max()) <= 1
    person = np.isin(astronaut.regions, (FACE, HAIR, SKIN))
    np.testing.assert_array_equal(printed.rgb[person], astronaut.rgb[person])


def test_badges_and_straps_keep_their_colour_under_a_print(astronaut: Cutout) -> None:
    """What a plain dye leaves alone, a print leaves alone."""
    plain, printed = recolour(astronaut, "#1b2644"), recolour(astronaut, "#1b2644", pattern="polka dot")
    kept = (plain.rgb == astronaut.rgb).all(-1) & (astronaut.regions == CLOTHING)
    assert kept.sum() > 3000
    np.testing.assert_array_equal(printed.rgb[kept], astronaut.rgb[kept])


def test_print_keeps_the_folds(astronaut: Cutout) -> None:
    """Light and dark of the cloth stay where they were: over spans wider than the pattern both pictures agree."""
    cloth = suit(astronaut)
    weight = cloth.astype(np.float32)
    near = cv2.GaussianBlur(weight, (0, 0), 8)
    grey = [
        cv2.GaussianBlur(lab(c.rgb)[..., 0] * weight, (0, 0), 8) / np.maximum(near, 1e-3)
        for c in (recolour(astronaut, "#c3202b"), recolour(astronaut, "#c3202b", pattern="plaid", second="#701c30"))
    ]
    inside = near > 0.9
    assert np.corrcoef(grey[0][inside], grey[1][inside])[0, 1] > 0.6


def test_own_colour_is_kept_for_a_pattern_alone(astronaut: Cutout) -> None:
    printed = recolour(astronaut, None, pattern="polka dot", second="#ffffff")
    cloth = suit(astronaut)
    change = np.linalg.norm(lab(printed.rgb)[cloth] - lab(astronaut.rgb)[cloth], axis=1)
    assert np.percentile(change, 25) < 22
    assert np.percentile(change, 92) > 30


def test_cloth_turns_into_denim_but_not_into_steel(astronaut: Cutout) -> None:
    plain, denim = recolour(astronaut, "#3a5480"), recolour(astronaut, "#3a5480", fabric="denim")
    cloth = suit(astronaut)
    assert not np.array_equal(denim.rgb[cloth], plain.rgb[cloth])
    assert np.linalg.norm(lab(denim.rgb)[cloth].mean(0) - lab(plain.rgb)[cloth].mean(0)) < 8
    for fabric, pattern in (("steel", None), ("cotton", "hieroglyphs")):
        with pytest.raises(InvalidRequestError):
            recolour(astronaut, "#3a5480", fabric=fabric, pattern=pattern)


def test_print_is_the_same_again(astronaut: Cutout) -> None:
    one, other = (recolour(astronaut, "#1b2644", pattern="floral").rgb for _ in range(2))
    np.testing.assert_array_equal(one, other)
