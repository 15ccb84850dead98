"""Costumes: what makes each of them itself, measured on its surface."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import pytest

from portrayal.engines.studio.cloth.surface import Surface
from portrayal.engines.studio.light.tone import linear_of_hex, luminance, tone
from portrayal.engines.studio.wardrobe import cut, data
from portrayal.engines.studio.wardrobe.frame import BustFrame
from portrayal.engines.studio.wardrobe.outfit import Cloth, Outfit
from portrayal.engines.studio.wardrobe.parts import costume_drape as drapes
from portrayal.engines.studio.wardrobe.render import render
from portrayal.engines.studio.wardrobe.stage import Stage
from portrayal.imaging import F32

COSTUMES = (
    "evening dress", "dress", "lab coat", "scrubs", "chef", "uniform", "high-visibility vest", "parka", "armour",
    "kimono", "sari", "superhero", "spacesuit", "toga",
)  # fmt: skip
SCALE = 8.0
FRAME = BustFrame(width=480, height=400, scale=SCALE, x=240, y=110)
SKIN = np.array([0.62, 0.40, 0.30], np.float32)


@lru_cache(64)
def made(
    garment: str,
    seed: int = 3,
    colour: str | None = None,
    neck: str | None = None,
    without: frozenset[str] = frozenset(),
) -> Surface:
    """The surface of a costume in its own cloth, or in another main colour."""
    main = data.garment(garment).main
    if colour:
        main = replace(main, colour=colour)
    return render(Outfit(garment, main, neck=neck, without=without, seed=seed), FRAME, SKIN)


def at(picture: F32, x: float, y: float, reach: float = 0.5) -> F32:
    """The mean of a picture around a point of the bust (cm)."""
    j, i, r = FRAME.x + x * SCALE, FRAME.y + y * SCALE, max(1.0, reach * SCALE)
    part = picture[int(i - r) : int(i + r) + 1, int(j - r) : int(j + r) + 1]
    return np.asarray(part.reshape(-1, *picture.shape[2:]).mean(0), np.float32)


def shown(surface: Surface, x: float, y: float, reach: float = 0.5) -> F32:
    """The display colour (3,) around a point in light of 1."""
    return np.asarray(tone(at(surface.albedo, x, y, reach)[None])[0], np.float32)


def chroma(colour: F32) -> float:
    return float(colour.max() - colour.min())


def box(picture: F32, x0: float, x1: float, y0: float, y1: float) -> F32:
    """The part of a picture between x0, x1 and y0, y1 (cm)."""
    rows = slice(int(FRAME.y + y0 * SCALE), int(FRAME.y + y1 * SCALE))
    return picture[rows, int(FRAME.x + x0 * SCALE) : int(FRAME.x + x1 * SCALE)]


def slant(surface: Surface, x0: float, x1: float, y0: float, y1: float) -> float:
    """-1..1: how much folds run from the upper right to the lower left (> 0), by the structure tensor of normals."""
    n = surface.normals.copy()
    n -= cv2.GaussianBlur(n, (0, 0), 2.2 * SCALE)
    n = box(n, x0, x1, y0, y1)
    across, down = n[..., 0], -n[..., 1]
    return float(2 * (across * down).mean() / ((across**2).mean() + (down**2).mean()))


@pytest.mark.parametrize("garment", COSTUMES)
def test_a_costume_is_sound(garment: str) -> None:
    """It covers the chest, its numbers are in range, and the same request gives the same bytes."""
    surface = made(garment)
    assert at(surface.cover, 0, 16) > 0.99
    assert at(surface.cover, 25, -6) < 0.01
    for array in (surface.albedo, surface.normals, surface.material, surface.cover, surface.skin):
        assert np.isfinite(array).all()
    there = surface.cover > 0.5
    assert np.abs(np.linalg.norm(surface.normals[there], axis=1) - 1).max() < 1e-3
    assert surface.albedo.min() >= -0.05
    assert surface.material.min() >= 0
    # Nothing lies beside the body, as far as the widest cape.
    assert box(surface.cover, -29.9, -27.5, -10, 4).max() < 0.01
    main = data.garment(garment).main
    again = render(Outfit(garment, main, seed=3), FRAME, SKIN)
    assert again.albedo.tobytes() == surface.albedo.tobytes()
    assert again.depth.tobytes() == surface.depth.tobytes()


@pytest.mark.parametrize("garment", COSTUMES)
def test_a_costume_takes_another_colour(garment: str) -> None:
    """The main colour shows on a good part of the chest."""
    green, red = made(garment, colour="#1e8c4a"), made(garment, colour="#b02a2a")
    chest = [box(s.albedo, -12, 12, 4, 30) for s in (green, red)]
    apart = np.linalg.norm(tone(chest[0]) - tone(chest[1]), axis=2)
    assert (apart > 0.2).mean() > 0.25
    where = apart > 0.2
    assert tone(chest[0])[where].mean(0).argmax() == 1
    assert tone(chest[1])[where].mean(0).argmax() == 0


@pytest.mark.parametrize("garment", COSTUMES)
def test_another_seed_falls_in_another_way(garment: str) -> None:
    one, other = made(garment), made(garment, seed=8)
    body = (one.cover > 0.9) & (other.cover > 0.9) & (one.skin < 0.1)
    angle = np.degrees(np.arccos(np.clip((one.normals * other.normals).sum(2), -1, 1)))
    assert np.percentile(angle[body], 80) > 1.5


@pytest.mark.parametrize(("garment", "neck"), [(g, n) for g in COSTUMES for n in data.garment(g).necks])
def test_every_opening_is_built(garment: str, neck: str) -> None:
    surface = made(garment, neck=neck)
    assert at(surface.cover, 0, 18) > 0.99
    assert at(surface.skin, 0, 18) < 0.05


def test_the_left_front_of_a_kimono_lies_over_the_right_one() -> None:
    """The wearer's left is the picture's right: its collar runs on over the other front, down to the picture's left."""
    depth = made("kimono").depth
    step = at(depth, -2.4, 15.0, 0.3) - at(depth, -4.8, 13.4, 0.3)
    mirrored = at(depth, 2.4, 15.0, 0.3) - at(depth, 4.8, 13.4, 0.3)
    assert step - mirrored > 0.3


def test_a_kimono_has_a_pale_under_collar_and_an_obi() -> None:
    surface = made("kimono", colour="#2a2f66")
    curve = luminance(tone(box(surface.albedo, -5, 5, 2, 7)))
    assert (curve > 0.75).mean() > 0.05
    obi, front = shown(surface, 0, 29, 2.0), shown(surface, 0, 18, 2.0)
    assert obi[0] - obi[2] > 0.15
    assert obi[0] > front[0] + 0.15
    assert at(surface.skin, 0, 3) > 0.9


def test_armour_is_of_metal_and_has_mail_on_the_arms() -> None:
    surface = made("armour")
    plate = box(surface.material, -8, 8, 10, 26).reshape(-1, 4)
    assert np.median(plate[:, 3]) > 0.8
    assert np.median(plate[:, 1]) > 0.4
    assert np.median(plate[:, 0]) < 0.35
    mail = luminance(box(surface.albedo, 18, 21, 22, 30))
    smooth = luminance(box(surface.albedo, 4, 7, 22, 30))
    assert mail.std() / mail.mean() > 1.8 * smooth.std() / smooth.mean()
    # The gorget stands up around the neck.
    assert at(surface.material, 0, -1)[3] > 0.7
    assert at(surface.skin, 0, -1) < 0.1 < 0.9 < at(surface.skin, 0, -6)


def test_a_vest_has_bright_bands_on_a_glowing_cloth() -> None:
    surface = made("high-visibility vest")
    cloth = shown(surface, 5, 14)
    assert cloth[1] > 0.75
    assert cloth[2] < 0.4
    assert chroma(cloth) > 0.4
    for x, y in ((11.2, 12), (-11.2, 12), (6, 19.5), (-6, 19.5)):
        band = shown(surface, x, y)
        assert chroma(band) < 0.1
        assert band.min() > 0.7
    assert at(surface.material, 11.2, 12)[1] > 0.15  # mirrors light back
    assert at(surface.albedo, 19, 12).mean() < 0.3  # the sleeve of the shirt below


def test_an_evening_dress_leaves_the_shoulders_bare() -> None:
    surface = made("evening dress")
    for x, y in ((18, 6), (-18, 6), (0, 3), (5, 1), (-5, 1)):
        assert at(surface.skin, x, y) > 0.95
    assert at(surface.skin, 0, 15) < 0.02
    assert at(surface.skin, 10.45, 3, 0.15) < 0.3  # a strap
    bare = made("evening dress", neck="off-shoulder")
    assert at(bare.skin, 10.45, 3, 0.15) > 0.95
    assert at(bare.skin, 0, 14) < 0.02


def test_folds_of_toga_and_sari_run_from_the_left_shoulder() -> None:
    """The wearer's left shoulder is on the picture's right: bands run from there down to the other side."""
    assert slant(made("toga"), -9, 6, 8, 20) > 0.3
    assert slant(made("sari"), -6, 10, 6, 24) > 0.3


def test_a_toga_shows_the_tunic_and_a_sari_the_midriff_side() -> None:
    toga = made("toga", colour="#2b5fa8")
    assert chroma(shown(toga, -10, 6)) < 0.2 < chroma(shown(toga, 8, 16))
    sari = made("sari")
    edge = box(sari.albedo, 0, 9, 0, 14)
    gold = linear_of_hex(data.garment("sari").parts["trim"].colour)
    assert (np.linalg.norm(tone(edge) - tone(gold[None]), axis=2) < 0.15).mean() > 0.03


def test_a_toga_without_its_trim_is_plain() -> None:
    red = [
        (np.ptp(tone(box(s.albedo, -10, 13, 4, 22)), axis=2) > 0.25).mean()
        for s in (made("toga"), made("toga", without=frozenset({"trim"})))
    ]
    assert red[0] > 0.01
    assert red[1] < 0.001


def test_a_lab_coat_is_open_over_a_shirt() -> None:
    surface = made("lab coat")
    shirt, coat = shown(surface, 0, 14), shown(surface, 12, 8)
    assert shirt[2] > shirt[0] + 0.15
    assert chroma(coat) < 0.1
    assert coat.min() > 0.75


def test_a_lab_coat_s_pocket_stands_out() -> None:
    """Its upper edge steps up; folds make steps as well, so several coats are measured, against their other side."""
    steps = []
    for seed in range(3, 9):
        depth = made("lab coat", seed).depth
        for x0, x1 in ((11.5, 14), (-14, -11.5)):
            a, b, c, d = (float(box(depth, x0, x1, y, y + 0.25).mean()) for y in (13.7, 14.3, 15.0, 15.6))
            steps.append((c - b) - 0.5 * ((b - a) + (d - c)))
    assert np.mean(steps[::2]) > np.mean(steps[1::2]) + 0.08


def test_a_uniform_has_gold_on_both_shoulders_and_ribbons() -> None:
    surface = made("uniform")
    for s in (-1, 1):
        assert box(surface.material[..., 3], min(s * 13, s * 18), max(s * 13, s * 18), -3, 2.5).max() > 0.4
    bar = tone(box(surface.albedo, 8.6, 14.6, 11, 12.6))
    other = tone(box(surface.albedo, -14.6, -8.6, 11, 12.6))
    assert bar.std((0, 1)).mean() > 5 * other.std((0, 1)).mean()
    assert shown(surface, 12, 24).max() < 0.35


def test_a_chefs_jacket_has_two_rows_of_dark_buttons() -> None:
    surface = made("chef")
    for x, y in ((8.0, 7.6), (7.6, 13.2), (-6.4, 7.6), (-7.2, 13.2)):
        assert shown(surface, x, y, 0.2).max() < 0.35 < shown(surface, x + 2.4, y).min()
    assert at(surface.cover, 4, -2) > 0.99
    assert at(surface.skin, 4, -1) < 0.1


def test_scrubs_are_open_in_a_v_and_carry_a_stethoscope() -> None:
    surface, bare = made("scrubs"), made("scrubs", without=frozenset({"stethoscope"}))
    assert at(surface.skin, 0, 6) > 0.9
    assert at(surface.skin, 0, 13) < 0.05
    tube = np.abs(surface.albedo - bare.albedo).max(2) > 0.05
    assert 0.004 < tube.mean() < 0.05
    assert at(surface.material, -4.4, 24.2)[3] > 0.8
    assert at(bare.material, -4.4, 24.2)[3] < 0.1


def test_a_dress_has_bare_arms_and_a_belt() -> None:
    surface = made("dress")
    assert at(surface.skin, 17, 26) > 0.95
    assert at(surface.skin, 20, 10) < 0.05
    assert shown(surface, 0, 28).max() < shown(surface, 0, 20).max() - 0.2
    assert shown(made("dress", without=frozenset({"belt"})), 0, 28, 0.3).max() > shown(surface, 0, 28).max() + 0.1


def test_the_hood_of_a_parka_is_trimmed_with_fur() -> None:
    surface = made("parka")
    bright = luminance(surface.albedo)
    fine = np.abs(bright - cv2.GaussianBlur(bright, (0, 0), 2.0)) / (bright + 0.02)
    for s in (-1, 1):
        fur = box(fine, min(s * 7.5, s * 9.5), max(s * 7.5, s * 9.5), 0, 3).mean()
        coat = box(fine, min(s * 17, s * 19), max(s * 17, s * 19), 12, 15).mean()
        assert fur > 2 * coat
        assert at(surface.depth, s * 8.6, 2) > at(surface.depth, s * 13.5, 2) + 0.5
    # Sleeves are apart from the body: the seam lies deep.
    row = box(surface.depth, 12, 20, 9, 10).mean(0)
    assert row[len(row) // 4 : len(row) // 2].min() < row[0]


def test_a_superhero_wears_an_emblem_and_a_cape() -> None:
    surface, plain = made("superhero"), made("superhero", without=frozenset({"cape"}))
    gold = shown(surface, 0, 7.6, 0.15)
    assert gold[0] > gold[2] + 0.25
    assert shown(surface, 10, 22)[2] > shown(surface, 10, 22)[0] + 0.2
    cape = box(surface.cover, 24, 28, 24, 30).mean()
    assert cape > 0.5
    assert box(plain.cover, 26.5, 28, 24, 30).mean() < 0.05
    assert np.median(box(surface.material[..., 0], 6, 12, 18, 28)) > 0.55  # cloth, no rubber


def test_a_spacesuit_has_a_neck_ring_of_metal_and_hoses() -> None:
    surface = made("spacesuit")
    assert at(surface.material, 3, 4.0, 0.3)[3] > 0.6
    for x in (-3, 3):
        assert at(surface.depth, x, 3.8, 0.3) > at(surface.depth, x, 9) + 1
    grey = [shown(surface, s * 14.3, 28, 0.4) for s in (-1, 1)]
    assert all(g.max() < 0.75 for g in grey)
    assert shown(surface, 20, 14).min() > 0.75


def test_cloth_laid_between_curves_knows_its_place() -> None:
    stage = Stage(FRAME, SKIN, 1)
    laid = drapes.lay(stage, [cut.bezier([(-10, 0), (-10, 20)]), cut.bezier([(10, 0), (10, 20)])])
    t, s = drapes.full(stage, laid.t), drapes.full(stage, laid.s)

    def here(picture: F32, x: float, y: float) -> float:
        i = int((y - stage.y[0, 0]) / stage.detail)
        return float(picture[i, int((x - stage.x[0, 0]) / stage.detail)])

    assert here(t, -5, 10) == pytest.approx(0.25, abs=0.02)
    assert here(t, 5, 10) == pytest.approx(0.75, abs=0.02)
    assert here(s, 0, 5) == pytest.approx(0.25, abs=0.02)
    assert here(s, 0, 15) == pytest.approx(0.75, abs=0.02)
    assert here(drapes.breadth(stage, laid), 0, 10) == pytest.approx(20, rel=0.05)
    assert here(t, 20, 10) == drapes.OFF


@pytest.mark.parametrize("count", [5, 9, 16])
def test_as_many_folds_hang_as_are_asked_for(count: int) -> None:
    row = drapes.hanging(4, count, 0.2)[10]
    inner = row[len(row) // 14 : -len(row) // 14]
    crests = (inner[1:-1] > inner[:-2]) & (inner[1:-1] >= inner[2:]) & (inner[1:-1] > 0.3)
    assert abs(int(crests.sum()) - count) <= 2
    assert (drapes.hanging(4, count, 0.2) == drapes.hanging(4, count, 0.2)).all()
    assert np.abs(drapes.hanging(4, count, 0.5) - drapes.hanging(5, count, 0.5)).mean() > 0.02


def test_an_unnamed_blouse_is_of_the_saris_cloth() -> None:
    own = shown(made("sari", colour="#1e6a8c"), -10, 8)
    assert own[2] > own[0] + 0.2
    named = render(Outfit("sari", data.garment("sari").main, {"inner": Cloth("#d8b13c", "silk")}, seed=3), FRAME, SKIN)
    assert shown(named, -10, 8)[0] > 0.6
