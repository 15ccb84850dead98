"""Matte, foreground colours, regions, cut-outs and likeness without a face: numbers in pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg

from portrayal import assets, imaging
from portrayal.errors import NoSubjectError
from portrayal.imaging import F32, U8
from portrayal.perception import appearance
from portrayal.perception.closed_form import pose_problem, solve
from portrayal.perception.colour_model import ColourModel
from portrayal.perception.faces import read_faces
from portrayal.perception.filters import Guided, main_part, without_holes
from portrayal.perception.foreground import foreground_colours
from portrayal.perception.matte import person_matte
from portrayal.perception.regions import parse_regions
from portrayal.perception.subject import matte_of_mask, subject_matte
from portrayal.perception.types import CLOTHING, FACE, HAIR, SKIN, FaceReading
from tests.unit import mascots


@pytest.fixture(scope="module")
def astronaut() -> U8:
    return imaging.decode(assets.path("sample/astronaut.png").read_bytes())


@pytest.fixture(scope="module")
def reading(astronaut: U8) -> FaceReading:
    return read_faces(astronaut, average=True)[0]


@pytest.fixture(scope="module")
def alpha(astronaut: U8, reading: FaceReading) -> F32:
    return person_matte(astronaut, reading)


def ramp(h: int = 60, w: int = 80) -> tuple[F32, F32, F32, F32]:
    """A red-brown foreground over a blue-grey background with a known soft edge."""
    x = np.arange(w, dtype=np.float32)[None] + 6 * np.sin(np.arange(h, dtype=np.float32) / 7)[:, None]
    alpha = np.clip((x - 30) / 20, 0, 1).astype(np.float32)
    rng = np.random.default_rng(3)
    light = 1 + 0.15 * cv2.GaussianBlur(rng.normal(size=(h, w)).astype(np.float32), (0, 0), 5)[..., None]
    front = (np.array([0.6, 0.35, 0.2], np.float32) * light).astype(np.float32)
    back = (np.array([0.3, 0.45, 0.7], np.float32) * light[::-1]).astype(np.float32)
    return front * alpha[..., None] + back * (1 - alpha[..., None]), alpha, front, back


def test_closed_form_recovers_a_soft_edge() -> None:
    picture, alpha, _, _ = ramp()
    unknown = (alpha > 0) & (alpha < 1)
    unknown = cv2.dilate(unknown.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    first = np.where(unknown, 0.5, alpha).astype(np.float32)
    found = solve(pose_problem(picture, first, unknown))
    assert np.abs(found - alpha)[unknown].mean() < 0.02
    assert np.array_equal(found[~unknown], alpha[~unknown])


def test_the_solver_solves_its_system() -> None:
    picture, alpha, _, _ = ramp()
    unknown = (alpha > 0) & (alpha < 1)
    prior, weight = np.full_like(alpha, 0.3), np.full_like(alpha, 0.002)
    problem = pose_problem(picture, np.where(unknown, 0.5, alpha).astype(np.float32), unknown, prior, weight)
    n = len(problem.unknown)
    there = problem.rows >= 0
    matrix = scipy.sparse.csc_matrix((problem.weights[there], (np.nonzero(there)[0], problem.rows[there])), (n, n))
    assert abs(matrix - matrix.T).max() < 1e-9
    exact = scipy.sparse.linalg.spsolve(matrix, problem.right)
    assert np.abs(solve(problem)[unknown] - np.clip(exact, 0, 1)).max() < 0.01


def test_nothing_unknown_changes_nothing() -> None:
    picture, alpha, _, _ = ramp()
    solid = (alpha > 0.5).astype(np.float32)
    assert np.array_equal(solve(pose_problem(picture, solid, np.zeros(alpha.shape, bool))), solid)


def test_foreground_colours_lose_the_background() -> None:
    picture, alpha, front, _ = ramp()
    rgb = (picture * 255).astype(np.uint8)
    found = foreground_colours(rgb, alpha).astype(np.float32) / 255
    soft = (alpha > 0.15) & (alpha < 0.9)
    before = np.abs(picture - front)[soft].mean()
    assert np.abs(found - front)[soft].mean() < 0.35 * before
    outside = found[alpha == 0]
    assert (outside[:, 0] > outside[:, 2]).mean() > 0.95  # the subject's colours go on, the blue does not come back
    assert np.array_equal(foreground_colours(rgb, np.ones_like(alpha)), rgb)


def test_foreground_colours_are_the_same_every_time(astronaut: U8, alpha: F32) -> None:
    assert np.array_equal(foreground_colours(astronaut, alpha), foreground_colours(astronaut, alpha))


def test_the_sample_is_cut_from_flag_and_shuttle(alpha: F32) -> None:
    assert alpha.dtype == np.float32
    assert 0 <= alpha.min() <= alpha.max() <= 1
    inside = {"face": (110, 226), "hair": (40, 220), "suit": (300, 150), "visor": (440, 400), "collar": (190, 225)}
    for name, (y, x) in inside.items():
        assert alpha[y - 5 : y + 5, x - 5 : x + 5].min() > 0.98, name
    outside = {
        "flag": np.s_[:230, :50],
        "flag beside the sleeve": np.s_[330:505, :8],
        "wall": np.s_[:120, 320:370],
        "shuttle": np.s_[:300, 375:],
        "right": np.s_[300:340, 400:],
    }
    for name, part in outside.items():
        assert alpha[part].mean() < 0.01, name
    hair = alpha[:150, 130:320]
    assert 150 < ((hair > 0.05) & (hair < 0.95)).sum() < 3000  # soft, but no veil


def test_no_colour_of_the_flag_stays(astronaut: U8, alpha: F32) -> None:
    """On black, a wall-coloured rim would shine: the estimated colours of the hair's edge are as dark as the hair."""
    colours = foreground_colours(astronaut, alpha).astype(np.float32)
    rim = np.zeros(alpha.shape, bool)
    rim[:150, 130:320] = True
    rim &= (alpha > 0.1) & (alpha < 0.8)
    wall = astronaut[10:60, 330:360].reshape(-1, 3).mean(0)
    hair = astronaut[30:80, 190:260].reshape(-1, 3).mean(0)
    before = astronaut[rim].mean(0)
    after = colours[rim].mean(0)
    assert np.linalg.norm(after - hair) < np.linalg.norm(before - hair)
    assert np.linalg.norm(after - wall) > 1.15 * np.linalg.norm(before - wall)


@pytest.mark.parametrize("ground", ["gradient", "floor"])
def test_matte_on_another_ground(astronaut: U8, alpha: F32, ground: mascots.Ground) -> None:
    colours = foreground_colours(astronaut, alpha)
    back = mascots.backdrop(ground, 512) * 255
    picture = (colours * alpha[..., None] + back * (1 - alpha[..., None])).clip(0, 255).astype(np.uint8)
    found = person_matte(picture, read_faces(picture, average=True)[0])
    head = np.s_[:180, 120:330]
    assert np.abs(found - alpha)[head].mean() < 0.01
    assert np.abs(found - alpha).mean() < 0.03


def test_a_large_photo_has_the_same_matte(astronaut: U8, alpha: F32) -> None:
    large = np.asarray(cv2.resize(astronaut, (1400, 1400), interpolation=cv2.INTER_CUBIC), np.uint8)
    found = person_matte(large, read_faces(large, average=False)[0])
    small = np.asarray(cv2.resize(found, (512, 512), interpolation=cv2.INTER_AREA), np.float32)
    assert np.abs(small - alpha)[:200].mean() < 0.01


def test_regions_of_the_sample(astronaut: U8, reading: FaceReading, alpha: F32) -> None:
    regions = parse_regions(astronaut, alpha, reading)
    assert not regions.crown_is_skin
    labels = regions.labels
    assert not labels[alpha < 0.4].any()
    spots = {
        FACE: [(110, 226), (140, 226), (95, 205), (120, 250)],
        HAIR: [(40, 220), (90, 165), (100, 290), (30, 250)],
        SKIN: [(178, 230), (180, 215)],
        CLOTHING: [(200, 225), (300, 150), (440, 400), (250, 280), (300, 240), (360, 245)],
    }
    for label, places in spots.items():
        for y, x in places:
            assert labels[y, x] == label, (label, y, x, labels[y, x])
    share = np.bincount(labels.ravel(), minlength=5) / labels.size
    assert share[SKIN] < 0.02  # the strap and the rim of the collar are no skin
    assert (labels[200:] == HAIR).sum() == 0


def test_main_part_and_holes() -> None:
    mask = np.zeros((40, 40), bool)
    mask[5:25, 5:25] = True
    mask[12:14, 12:14] = False
    mask[30:34, 30:34] = True
    assert main_part(mask, (10, 10))[31, 31] == False  # noqa: E712
    assert main_part(mask, (31, 31))[31, 31]
    assert not main_part(mask, (31, 31))[10, 10]
    assert without_holes(mask, 10)[12, 12]
    assert not without_holes(mask, 3)[12, 12]


def test_guided_filter_keeps_edges_and_calms_noise() -> None:
    guide = np.zeros((40, 60, 3), np.float32)
    guide[:, 30:] = 0.8
    clean = guide[..., 0] / 0.8
    noisy = clean + np.random.default_rng(0).normal(size=clean.shape).astype(np.float32) * 0.2
    smooth = Guided(guide, 4, 1e-3)(noisy.astype(np.float32))
    assert np.abs(smooth - clean).mean() < 0.3 * np.abs(noisy - clean).mean()


def test_colour_model_prefers_what_it_has_seen() -> None:
    rng = np.random.default_rng(1)
    reds = rng.normal([60, 40, 20], 4, (500, 3)).astype(np.float32)
    model = ColourModel(reds, 3)
    costs = model.cost(np.array([[60, 40, 20], [60, 10, 20], [20, -30, 0]], np.float32))
    assert costs[0] < costs[1] < costs[2]


@pytest.mark.parametrize("mascot", mascots.NAMES)
@pytest.mark.parametrize("ground", mascots.GROUNDS)
def test_mascots_are_cut_out(mascot: mascots.Mascot, ground: mascots.Ground) -> None:
    truth = mascots.layer(mascot, 384)[1]
    found = subject_matte(mascots.draw(mascot, 384, ground))
    assert not found.whole
    both, either = (found.alpha > 0.5) & (truth > 0.5), (found.alpha > 0.5) | (truth > 0.5)
    assert both.sum() / either.sum() > 0.98
    assert np.abs(found.alpha - truth).mean() < 0.006


def test_nothing_to_cut_out() -> None:
    noise = np.random.default_rng(0).integers(110, 140, (200, 200, 3)).astype(np.uint8)
    for picture in (np.full((200, 300, 3), 90, np.uint8), noise):
        with pytest.raises(NoSubjectError) as caught:
            subject_matte(picture)
        assert caught.value.field == "reference"
        assert caught.value.remedy


def test_a_rough_mask_gets_exact_edges() -> None:
    truth = mascots.layer("bird", 384)[1]
    rough = cv2.dilate((truth > 0.5).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    found = matte_of_mask(mascots.draw("bird", 384, "gradient"), rough, band=0.015)
    assert np.abs(found - truth).mean() < 0.3 * np.abs(rough - truth).mean()


LIGHTS = {
    "day": (1.0, 1.0, 1.0),
    "dark": (0.25, 0.25, 0.25),
    "golden": (1.1, 0.8, 0.5),
    "moon": (0.3, 0.4, 0.7),
    "candle": (0.8, 0.45, 0.2),
    "neon": (1.2, 0.6, 1.0),
}


@pytest.fixture(scope="module")
def descriptions() -> dict[str, F32]:
    return {m: appearance.describe(mascots.draw(m, 384), mascots.layer(m, 384)[1]) for m in mascots.NAMES}


@pytest.mark.parametrize("mascot", mascots.NAMES)
@pytest.mark.parametrize("light", LIGHTS)
def test_likeness_of_mascots(descriptions: dict[str, F32], mascot: mascots.Mascot, light: str) -> None:
    picture = mascots.draw(mascot, 256, "floor", LIGHTS[light])
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.2), np.uint8)
    seen = appearance.describe(picture, mascots.layer(mascot, 256)[1], seen_in_scene=True)
    assert np.linalg.norm(seen) == pytest.approx(1, abs=1e-3)
    for name, known in descriptions.items():
        likeness = appearance.similarity(known, seen)
        assert likeness > 0.8 if name == mascot else likeness < 0.6, (name, likeness)


def test_the_same_shape_in_other_colours_is_another_mascot(descriptions: dict[str, F32]) -> None:
    picture, shape = mascots.draw("bird", 384), mascots.layer("bird", 384)[1]
    swapped = np.ascontiguousarray(picture[..., [1, 2, 0]])
    assert appearance.similarity(descriptions["bird"], appearance.describe(swapped, shape)) < 0.8


def test_likeness_without_a_given_matte(descriptions: dict[str, F32]) -> None:
    seen = appearance.describe(mascots.draw("robot", 300, "gradient"))
    assert appearance.similarity(descriptions["robot"], seen) > 0.8


def test_hair_that_is_cut_off_is_still_hair(astronaut: U8) -> None:
    picture = np.ascontiguousarray(astronaut[60:300, 120:340])
    found = read_faces(picture, average=True)[0]
    regions = parse_regions(picture, person_matte(picture, found), found)
    assert not regions.crown_is_skin
    assert regions.labels[40, 45] == HAIR


def test_a_grey_photo_keeps_head_and_clothes_apart(astronaut: U8) -> None:
    grey = np.asarray(cv2.cvtColor(cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)
    found = read_faces(grey, average=True)[0]
    regions = parse_regions(grey, person_matte(grey, found), found)
    assert not regions.crown_is_skin
    assert (regions.labels[240:] == CLOTHING).sum() > 0.95 * (regions.labels[240:] > 0).sum()
    assert regions.labels[90, 165] == HAIR


@pytest.mark.parametrize("scale", [0.8, 1.7])
def test_the_flag_goes_at_every_size(astronaut: U8, scale: float) -> None:
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = np.asarray(cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=how), np.uint8)
    found = person_matte(picture, read_faces(picture, average=True)[0])
    small = np.asarray(cv2.resize(found, (512, 512), interpolation=cv2.INTER_AREA), np.float32)
    assert small[330:505, :8].mean() < 0.02
    assert small[350:490, 45:70].min() > 0.9  # and the sleeve stays
