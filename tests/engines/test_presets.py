"""The 62 style presets: all there, pairwise unlike, eyes and mouth readable, the person known, the same every time."""

from __future__ import annotations

import itertools
from functools import lru_cache

import cv2
import numpy as np
import pytest

from portrayal import assets
from portrayal.engines.studio import looks
from portrayal.engines.studio.looks.methods import methods
from portrayal.engines.studio.styling import opened, scenery
from portrayal.imaging import F32, U8, decode
from portrayal.perception.faces import read_face_near
from portrayal.prompting.reader import read
from portrayal.prompting.vocabulary import ids
from portrayal.styles.catalogue import STYLE_PRESETS
from portrayal.styles.oklab import to_oklab
from portrayal.styles.style import Style

SIZE = 384
# Least distance of `_feature` between two presets. Measured: the nearest pair 0.26, the median of all pairs 0.93.
APART = 0.24


@lru_cache(1)
def _example() -> tuple[U8, F32, F32]:
    """The sample before a blurred garden of our own: its picture, landmarks, matte."""
    image = decode(assets.path("sample/astronaut.png").read_bytes(), "reference")[:, :512]
    image = np.asarray(cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)
    found = read_face_near(image)
    assert found is not None
    points = found.points
    middle = points[:468, :2].mean(0)
    tall = float(np.ptp(points[:468, 1]))
    ys, xs = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    inside = (np.hypot((xs - middle[0]) / 0.75, ys - middle[1]) < 0.95 * tall) | (
        (ys > middle[1] + 0.8 * tall) & (np.abs(xs - middle[0]) < 1.6 * tall)
    )
    matte = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.0)
    rng = np.random.default_rng(5)
    leaves = cv2.GaussianBlur(rng.standard_normal((SIZE, SIZE)).astype(np.float32), (0, 0), 7)
    leaves = leaves / leaves.std() * 0.18
    sky = np.linspace(1, 0, SIZE, dtype=np.float32)[:, None] ** 0.7
    garden = np.stack(
        [0.35 + 0.2 * sky + leaves * 0.5, 0.50 + 0.18 * sky + leaves, 0.30 + 0.55 * sky + leaves * 0.3], -1
    )
    picture = image * matte[..., None] + 255 * np.clip(garden, 0, 1) * (1 - matte[..., None])
    return np.round(picture).astype(np.uint8), points, np.asarray(matte, np.float32)


@lru_cache(None)
def _drawn(preset: str, seed: int = 3) -> U8:
    image, points, matte = _example()
    return looks.draw(image, preset, points=points, matte=matte, seed=seed)


def _feature(picture: U8) -> F32:
    """What one sees at first sight: tones and colours, where they are, edges and their directions, fine texture."""
    lab = to_oklab(picture)
    light = lab[..., 0]
    small = cv2.resize(lab, (12, 12), interpolation=cv2.INTER_AREA).reshape(-1, 3) * np.array([1.0, 3.0, 3.0])
    spread = [float(np.std(lab[..., k])) * g for k, g in ((0, 1.5), (1, 5.0), (2, 5.0))]
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    tones = np.histogram(light, 8, (0, 1))[0] / light.size
    colours = np.histogram(chroma, 6, (0, 0.3))[0] / light.size
    parts = [1.3 * small.ravel() / 12, spread, 1.2 * tones, 1.2 * colours]
    for sigma, gain in ((0.8, 2.0), (2.5, 4.0)):
        soft = cv2.GaussianBlur(light, (0, 0), sigma)
        gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(soft, cv2.CV_32F, 0, 1) / 8
        size, angle = np.hypot(gx, gy), np.mod(np.arctan2(gy, gx), np.pi)
        bins = np.histogram(angle, 6, (0, np.pi), weights=size)[0] / size.size
        parts += [gain * 6 * bins, [gain * 3 * float(np.quantile(size, 0.95))]]
    fine = light - cv2.GaussianBlur(light, (0, 0), 1.2)
    parts.append([6.0 * float(fine.std())])
    return np.concatenate([np.ravel(part) for part in parts]).astype(np.float32)


def test_every_preset_of_the_catalogue_is_drawn_and_no_other() -> None:
    assert tuple(looks.presets()) == STYLE_PRESETS
    assert len(STYLE_PRESETS) == 62


@pytest.mark.parametrize("preset", STYLE_PRESETS)
def test_a_preset_has_its_words_and_steps(preset: str) -> None:
    row = looks.row(preset)
    assert row.title
    assert 10 < len(row.note) < 120
    assert row.steps
    assert all(step["do"] in methods() for step in row.steps)
    for kind, value in row.open.items():
        assert value in ids(kind) or kind == "backdrop", (kind, value)
    assert row.bar is None or 0.2 < row.bar < 0.85


def test_no_two_presets_look_alike() -> None:
    features = {preset: _feature(_drawn(preset)) for preset in STYLE_PRESETS}
    close = {
        (a, b): round(float(np.linalg.norm(features[a] - features[b])), 3)
        for a, b in itertools.combinations(STYLE_PRESETS, 2)
        if np.linalg.norm(features[a] - features[b]) < APART
    }
    assert not close


@pytest.mark.parametrize("preset", STYLE_PRESETS)
def test_a_preset_keeps_the_face_and_the_bytes(preset: str) -> None:
    image, points, matte = _example()
    picture = _drawn(preset)
    assert picture.shape == image.shape
    assert np.array_equal(picture, looks.draw(image, preset, points=points, matte=matte, seed=3))
    change = np.linalg.norm(to_oklab(picture) - to_oklab(image), axis=2).mean()
    assert change > 0.02
    # Eyes, brows and mouth are readable: they stand out from the cheeks as they did, in tone.
    light = to_oklab(picture)[..., 0]
    cheeks = [_tone(light, points[i, :2], 5) for i in (50, 280)]
    eyes = [_range(light, points[list(ring), :2]) for ring in ((33, 133, 159, 145), (263, 362, 386, 374))]
    mouth = _range(light, points[[61, 291, 0, 17], :2])
    assert min(eyes) > 0.10, f"eyes against cheeks of {cheeks}"
    assert mouth > 0.07


def _tone(light: F32, at: F32, radius: int) -> float:
    x, y = round(float(at[0])), round(float(at[1]))
    return float(light[y - radius : y + radius + 1, x - radius : x + radius + 1].mean())


def _range(light: F32, points: F32) -> float:
    """How far tones reach inside of a feature, but for the last percents."""
    (x0, y0), (x1, y1) = points.min(0) - 2, points.max(0) + 2
    part = light[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1]
    return float(np.quantile(part, 0.95) - np.quantile(part, 0.05))


@pytest.mark.parametrize("preset", STYLE_PRESETS)
def test_a_preset_says_whether_the_scene_is_seen(preset: str) -> None:
    image, points, matte = _example()
    free = matte < 0.02
    other = np.where(free[..., None], image[::-1, ::-1], image).astype(np.uint8)
    drawn = looks.draw(other, preset, points=points, matte=matte, seed=3)
    change = np.linalg.norm(to_oklab(drawn) - to_oklab(_drawn(preset)), axis=2)[free].mean()
    before = np.linalg.norm(to_oklab(other) - to_oklab(image), axis=2)[free].mean()
    share = change / before
    assert share < 0.3 if looks.row(preset).own_scene else share > 0.04, share


def test_a_style_with_its_own_background_says_so() -> None:
    assert "coffee shop" in scenery(read("in a coffee shop"), "EDITORIAL")
    assert scenery(read("a portrait"), "EDITORIAL") == ""
    assert scenery(read("in a coffee shop"), "OIL_PAINTING") == ""
    assert scenery(read("in a coffee shop"), None) == ""


def test_a_preset_fills_only_what_the_words_leave_open() -> None:
    style = Style(preset="GOLDEN_HOUR")
    wished = looks.row("GOLDEN_HOUR").open
    assert "time" in wished
    assert opened(read("in a park"), style).time == wished["time"]
    assert opened(read("in a park at night"), style).time == "night"
    assert opened(read("in a park", wished["time"]), style).time is None
