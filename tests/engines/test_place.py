"""The person on the canvas: the same person, sharp, without the old background."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from portrayal.character import study
from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio import edges
from portrayal.engines.studio.enlarge import Frame, detail, enlarge, filters, sharpen
from portrayal.engines.studio.place import place, touches
from portrayal.engines.studio.types import Cutout, Speed
from portrayal.imaging import F32
from portrayal.perception import identity
from portrayal.perception.types import FACE, HAIR
from portrayal.settings import Settings

SIZE = 640


@pytest.fixture(scope="module")
def person(sample: bytes, settings: Settings) -> IdentityMap:
    return study(sample, cache_dir=settings.cache_dir)


def framed(person: IdentityMap, face: float, size: int = SIZE) -> tuple[float, tuple[float, float]]:
    """Scale and offset that put a face of that height in the middle."""
    assert person.reading is not None
    points = person.reading.points[:468, :2]
    low, high = points.min(0), points.max(0)
    scale = face / float(high[1] - low[1])
    x, y = size / 2 - scale * (low + high) / 2
    return scale, (float(x), float(y))


def placed(person: IdentityMap, face: float, speed: Speed = "balanced", seed: int = 1, size: int = SIZE) -> Cutout:
    scale, offset = framed(person, face, size)
    return place(person, scale, offset, size, size, speed, seed)


def luma(rgb: F32) -> F32:
    return np.asarray(rgb @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)


@pytest.mark.parametrize("speed", ["turbo", "balanced", "quality"])
@pytest.mark.parametrize("face", [240.0, 410.0])
def test_same_person(person: IdentityMap, face: float, speed: Speed) -> None:
    cutout = placed(person, face, speed)
    assert cutout.points is not None
    assert person.embedding is not None
    grey = cutout.rgb * cutout.alpha[..., None] + 0.6 * (1 - cutout.alpha[..., None])
    seen = identity.embed((grey * 255 + 0.5).astype(np.uint8), cutout.points)
    assert identity.distance(seen, person.embedding) < 0.12


@pytest.mark.parametrize("speed", ["turbo", "balanced", "quality"])
def test_made_small_again_it_is_the_reference(person: IdentityMap, speed: Speed) -> None:
    scale, offset = framed(person, 320)
    cutout = place(person, scale, offset, SIZE, SIZE, speed, 1)
    height, width = person.alpha.shape
    frame = Frame(scale, *offset, SIZE, SIZE)
    planes = [frame.shrink(np.ascontiguousarray(cutout.rgb[..., i]), width, height) for i in range(3)]
    error = np.abs(np.dstack(planes) * 255 - person.image)
    assert error[(person.regions == FACE) & (person.alpha > 0.99)].mean() < 2.0


def test_enlargement_beats_bicubic(person: IdentityMap) -> None:
    """A reduced portrait comes back no farther from the truth, and with more of its fine contrast."""
    truth: F32 = np.asarray(person.image[:480, :480] / 255, np.float32)
    small = cv2.resize(truth, (240, 240), interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(person.alpha[:480, :480], (240, 240), interpolation=cv2.INTER_AREA)
    regions = np.ascontiguousarray(person.regions[:480:2, :480:2])
    frame = Frame(2.0, 0.5, 0.5, 480, 480)
    assert person.reading is not None
    ours = enlarge(np.asarray(small, np.float32), np.asarray(alpha), regions, person.reading.points, frame, "balanced")
    bicubic = np.asarray(frame.warp(np.asarray(small)), np.float32)
    where = np.isin(person.regions[:480, :480], (FACE, HAIR)) & (person.alpha[:480, :480] > 0.95)

    def error(picture: F32) -> float:
        return float(((luma(picture) - luma(truth))[where] ** 2).mean())

    def fine(picture: F32) -> float:
        y = luma(picture)
        return float((y - cv2.GaussianBlur(y, (0, 0), 1.0))[where].std())

    assert error(ours) < error(bicubic)
    assert fine(ours) > 1.3 * fine(bicubic)
    assert fine(ours) < 1.05 * fine(truth)


def test_learnt_filters_sharpen_edges_and_keep_flats() -> None:
    y, x = np.mgrid[:160, :160].astype(np.float32)
    disc = np.clip(50.5 - np.hypot(x - 80, y - 80), 0, 1) * 0.6 + 0.2
    small = np.asarray(cv2.resize(disc, (80, 80), interpolation=cv2.INTER_AREA), np.float32)
    soft = np.asarray(cv2.resize(small, (160, 160), interpolation=cv2.INTER_CUBIC), np.float32)
    bank = filters.learn(small, np.ones_like(small), 2.0)
    sharp = filters.apply(bank, soft)
    assert np.allclose(bank.taps.sum(axis=1), 1, atol=1e-4)
    assert ((sharp - disc) ** 2).mean() < 0.8 * ((soft - disc) ** 2).mean()
    assert np.abs(sharp[:20, :20] - 0.2).max() < 1e-3


def test_back_projection_and_limits() -> None:
    rng = np.random.default_rng(0)
    small = cv2.GaussianBlur(rng.random((60, 60), np.float32), (0, 0), 1.0)
    frame = Frame(3.0, 1.0, 1.0, 180, 180)
    large = np.asarray(frame.warp(small), np.float32)
    before = np.abs(frame.shrink(large, 60, 60) - small)[5:-5, 5:-5].mean()
    better = sharpen.settle(large, np.asarray(small, np.float32), frame)
    after = np.abs(frame.shrink(better, 60, 60) - small)[5:-5, 5:-5].mean()
    assert after < 0.5 * before
    wild = np.asarray(large + rng.normal(0, 0.5, large.shape), np.float32)
    held = sharpen.hold(wild, sharpen.limits(np.asarray(small, np.float32), frame, 0.1))
    assert held.min() >= 0
    assert held.max() <= small.max() + 0.1 * np.ptp(small) + 0.01


def test_shrink_inverts_warp_without_shift() -> None:
    y, x = np.mgrid[:50, :60].astype(np.float32)
    ramp = np.asarray(0.2 + x * 0.008 + y * 0.003, np.float32)
    frame = Frame(2.7, -13.4, -8.1, 120, 100)
    back = frame.shrink(np.asarray(frame.warp(ramp), np.float32), 60, 50)
    assert np.abs(back - ramp)[6:36, 8:44].max() < 1e-3


def test_pores_have_no_low_frequencies() -> None:
    pore = detail.pores((256, 256), 1.6, 3)
    assert 0.7 < pore.std() < 1.3
    assert cv2.GaussianBlur(pore, (0, 0), 4).std() < 0.08 * pore.std()


def test_skin_texture_is_like_a_camera(person: IdentityMap) -> None:
    """Cheeks: finest band between 0.6 and 3 % of the light, as in portraits with faces of that size; less on lips."""
    cutout = placed(person, 300)
    log = np.log(luma(cutout.rgb) + 0.02)
    fine = log - cv2.GaussianBlur(log, (0, 0), 1.0)
    assert cutout.points is not None

    def strength(vertex: int, radius: int) -> float:
        x, y = cutout.points[vertex, :2].astype(int)  # type: ignore[index]
        return float(fine[y - radius : y + radius, x - radius : x + radius].std())

    assert 0.006 < np.mean([strength(v, 12) for v in (50, 280, 205, 425)]) < 0.03


def test_large_reference_passes_nearly_untouched() -> None:
    rng = np.random.default_rng(2)
    rgb = np.clip(cv2.GaussianBlur(rng.random((300, 300, 3), np.float32), (0, 0), 2.5) * 2 - 0.5, 0, 1)
    alpha, regions = np.ones((300, 300), np.float32), np.zeros((300, 300), np.uint8)
    same = enlarge(np.asarray(rgb), alpha, regions, None, Frame(1.0, 0, 0, 300, 300), "balanced")
    assert np.abs(same - rgb).mean() < 2 / 255
    half = enlarge(np.asarray(rgb), alpha, regions, None, Frame(0.5, -0.25, -0.25, 150, 150), "balanced")
    area = cv2.resize(rgb, (150, 150), interpolation=cv2.INTER_AREA)
    assert np.abs(half - area)[3:-3, 3:-3].mean() < 4 / 255


def test_same_seed_same_bytes_other_seed_same_person(person: IdentityMap) -> None:
    one, two, other = placed(person, 260, seed=7), placed(person, 260, seed=7), placed(person, 260, seed=8)
    assert one.rgb.tobytes() == two.rgb.tobytes()
    assert one.alpha.tobytes() == two.alpha.tobytes()
    assert one.rgb.tobytes() != other.rgb.tobytes()
    assert np.abs(one.rgb - other.rgb)[one.regions == FACE].mean() < 0.02


def test_shapes_points_and_labels(person: IdentityMap) -> None:
    scale, offset = framed(person, 200)
    cutout = place(person, scale, (offset[0] - 30, offset[1] + 11), 500, 700, "turbo", 0)
    assert cutout.rgb.shape == (700, 500, 3)
    assert cutout.alpha.shape == cutout.regions.shape == (700, 500)
    assert cutout.rgb.dtype == cutout.alpha.dtype == np.float32
    assert 0 <= cutout.rgb.min() <= cutout.rgb.max() <= 1
    assert person.reading is not None
    assert cutout.points is not None
    expected = person.reading.points[:, 0] * scale + offset[0] - 30
    assert np.allclose(cutout.points[:, 0], expected, atol=1e-2)
    x, y = cutout.points[1, :2].astype(int)  # tip of the nose
    assert cutout.regions[y, x] == FACE
    assert cutout.alpha[y, x] == 1
    assert cutout.touches == touches(person.alpha)


@pytest.mark.parametrize("offset", [(5000.0, 0.0), (-5000.0, -5000.0), (0.0, 900.0)])
def test_canvas_beside_the_person_is_empty(person: IdentityMap, offset: tuple[float, float]) -> None:
    cutout = place(person, 1.5, offset, 200, 160, "balanced", 0)
    assert cutout.alpha.max() < 0.01
    assert np.isfinite(cutout.rgb).all()


def test_cut_off_body_fades_out(person: IdentityMap) -> None:
    """No hard line where the reference ends inside the canvas."""
    cutout = place(person, 1.0, (40.0, -60.0), 560, 560, "turbo", 0)
    assert "bottom" in cutout.touches
    steps = np.abs(np.diff(cutout.alpha[:, 200:320], axis=0))[430:]
    assert steps.max() < 0.15
    assert cutout.alpha[460:].max() < 0.01


def test_nothing_of_a_green_background_is_left(person: IdentityMap) -> None:
    """Before a green wall the edge colours stay those of the person."""
    alpha = person.alpha[..., None]
    image = person.foreground * alpha + np.array([0, 220, 30]) * (1 - alpha)
    spill = np.where(alpha > 0.98, person.foreground, 0.5 * person.foreground + 0.5 * image)
    rgb = np.asarray(spill / 255, np.float32)
    clean = edges.decontaminate(rgb, person.alpha)
    band = (person.alpha > 0.1) & (person.alpha < 0.9)

    def green(picture: F32) -> float:
        return float((picture[..., 1] - picture[..., [0, 2]].mean(-1))[band].mean())

    own = green(np.asarray(person.foreground / 255, np.float32))
    assert green(rgb) > own + 0.1
    assert green(clean) < own + 0.03


def test_stray_hairs_only_at_the_hair(person: IdentityMap) -> None:
    scale, offset = framed(person, 260)
    bare = dataclasses.replace(person, crown_is_skin=True)
    with_hairs = place(person, scale, offset, SIZE, SIZE, "turbo", 3)
    without = place(bare, scale, offset, SIZE, SIZE, "turbo", 3)
    changed = with_hairs.alpha > without.alpha + 0.08
    assert with_hairs.points is not None
    chin = with_hairs.points[152, 1]
    outside = changed & (without.alpha < 0.05)
    assert 20 < outside.sum() < 0.02 * SIZE * SIZE
    assert not outside[int(chin) :].any()


def test_outline_is_crisp_on_the_canvas(person: IdentityMap) -> None:
    """The soft border of the enlarged matte is narrower than the enlargement alone makes it."""
    scale, offset = framed(person, 400)
    cutout = place(person, scale, offset, SIZE, SIZE, "balanced", 0)
    soft = np.clip(Frame(scale, *offset, SIZE, SIZE).warp(person.alpha), 0, 1)

    def border(alpha: F32) -> int:
        body = alpha[SIZE // 2 :]
        return int(((body > 0.1) & (body < 0.9)).sum())

    assert border(cutout.alpha) < 0.75 * border(np.asarray(soft, np.float32))


def test_trim_drops_floating_haze_and_keeps_wisps() -> None:
    alpha = np.zeros((200, 200), np.float32)
    alpha[100:, 60:140] = 1
    alpha[60:100, 60:140] = 0.4
    bald = edges.trim(alpha, np.zeros_like(alpha), 100.0)
    haired = edges.trim(alpha, np.asarray(alpha > 0, np.float32), 100.0)
    assert bald[90:95, 100].max() < 0.05
    assert haired[92, 100] == pytest.approx(0.4, abs=0.02)
    assert haired[62, 100] < 0.05
    assert (bald[100:] == alpha[100:]).all()


def test_subject_without_a_face() -> None:
    y, x = np.mgrid[:120, :120]
    alpha = np.clip(40.5 - np.hypot(x - 60, y - 60), 0, 1).astype(np.float32)
    image = np.full((120, 120, 3), (200, 60, 40), np.uint8)
    regions = np.where(alpha > 0.5, 4, 0).astype(np.uint8)
    none = np.zeros(1, np.float32)
    subject = IdentityMap(
        "x", "subject", image, alpha, image, regions, regions, None, None, none, (), crown_is_skin=False, advice=()
    )
    cutout = place(subject, 3.0, (0.0, 0.0), 360, 360, "balanced", 0)
    assert cutout.points is None
    assert cutout.touches == frozenset()
    assert cutout.alpha[180, 180] == 1
    assert np.abs(cutout.rgb[150:210, 150:210] * 255 - image[0, 0]).mean() < 3
