"""The wardrobe: every garment of the data, on a bust of its own."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from portrayal.engines.studio.cloth import fabrics
from portrayal.engines.studio.cloth.surface import NOWHERE, Surface
from portrayal.engines.studio.light.tone import linear_of_hex, tone
from portrayal.engines.studio.wardrobe import data, pose
from portrayal.engines.studio.wardrobe.frame import BustFrame
from portrayal.engines.studio.wardrobe.outfit import Cloth, Outfit
from portrayal.engines.studio.wardrobe.parts import PARTS
from portrayal.engines.studio.wardrobe.render import render
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32

SKIN = np.array([0.62, 0.36, 0.26], np.float32)
NAMES = tuple(data.garments())
# Head and shoulders, down to y = 18 cm.
FRAME = BustFrame(width=288, height=256, scale=6.5, x=146.0, y=135.0, depth=2.0, yaw=0.15, roll=0.02)


def outfit(name: str, colour: str | None = None, **other: object) -> Outfit:
    main = data.garment(name).main
    main = Cloth(colour, main.fabric) if colour else main
    return replace(Outfit(name, main), **other)  # type: ignore[arg-type]


def heights(frame: BustFrame = FRAME) -> F32:
    """y of the bust for each canvas row, cm."""
    return (np.arange(frame.height, dtype=np.float32)[:, None] - frame.y) / frame.scale


def bare(surface: Surface) -> float:
    """Square centimetres of bare skin."""
    return float((surface.skin * surface.cover).sum()) / surface.scale**2


def lab(linear: F32) -> F32:
    codes = np.asarray(tone(linear.reshape(1, -1, 3)), np.float32)
    return np.asarray(cv2.cvtColor(codes, cv2.COLOR_RGB2LAB)[0], np.float32)


@pytest.mark.parametrize("name", NAMES)
def test_every_garment_covers_the_body_and_leaves_the_head_free(name: str) -> None:
    surface = render(outfit(name), FRAME, SKIN)
    kind = data.garment(name)
    assert surface.albedo.shape == (256, 288, 3)
    assert surface.normals.shape == (256, 288, 3)
    assert surface.depth.shape == surface.cover.shape == surface.skin.shape == (256, 288)
    for array in (surface.albedo, surface.normals, surface.depth, surface.material, surface.cover, surface.skin):
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    middle = surface.cover[-1, int(FRAME.x - 12 * FRAME.scale) : int(FRAME.x + 12 * FRAME.scale)]
    assert middle.min() > 0.99
    above = surface.cover * (1 - surface.skin) * (heights() < -9.3)
    assert kind.high or above.max() < 0.05
    shown = surface.cover > 0.01
    assert np.abs(np.linalg.norm(surface.normals, axis=2)[shown] - 1).max() < 1e-3
    assert surface.normals[..., 2][shown].min() > 0
    assert (surface.depth[surface.cover > 0.05] > -40).all()
    assert (surface.depth[surface.cover == 0] == NOWHERE).all()
    assert surface.albedo[shown].min() >= 0
    # Most of what is seen below the shoulders is clothes.
    clothes = (surface.cover * (1 - surface.skin))[heights()[:, 0] > 8]
    assert clothes.mean() > 0.35


@pytest.mark.parametrize("name", NAMES)
def test_a_garment_has_its_colour_and_another_seed_only_falls_in_another_way(name: str) -> None:
    first = render(outfit(name, "#22804a"), FRAME, SKIN)
    other = render(outfit(name, "#22804a", seed=7), FRAME, SKIN)
    grey = render(outfit(name, "#7d7f82"), FRAME, SKIN)
    bust = (heights() > 4) & (first.cover > 0.9) & (first.skin < 0.1)
    changed = np.abs(lab(first.albedo[bust]) - lab(grey.albedo[bust]))
    assert (np.linalg.norm(changed, axis=1) > 8).mean() > 0.2
    assert np.abs(first.normals - other.normals)[bust].mean() > 0.004
    both = bust & (other.cover > 0.9)
    assert np.linalg.norm(lab(first.albedo[both]).mean(0) - lab(other.albedo[both]).mean(0)) < 4


@pytest.mark.parametrize("name", ["suit", "hoodie"])
def test_the_same_outfit_gives_the_same_bytes(name: str) -> None:
    a, b = render(outfit(name, seed=3), FRAME, SKIN), render(outfit(name, seed=3), FRAME, SKIN)
    for key in ("albedo", "normals", "depth", "material", "cover", "skin"):
        assert getattr(a, key).tobytes() == getattr(b, key).tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_data_names_parts_and_fabrics_that_exist(name: str) -> None:
    kind = data.garment(name)
    for cloth in (kind.main, *kind.parts.values()):
        fabrics.fabric(cloth.fabric)
        assert len(cloth.colour) == 7
    for entry in kind.build:
        assert entry["part"] in PARTS


def test_a_tie_that_the_words_exclude_is_gone() -> None:
    tie = Cloth("#d02020", "silk")
    with_tie = render(outfit("suit", parts={"tie": tie}), FRAME, SKIN)
    without = render(outfit("suit", parts={"tie": tie}, without=frozenset({"tie"})), FRAME, SKIN)

    def red(surface: Surface) -> int:
        a = surface.albedo
        return int(((a[..., 0] > 4 * a[..., 1]) & (surface.cover > 0.5) & (surface.skin < 0.5)).sum())

    assert red(with_tie) > 500
    assert red(without) == 0


@pytest.mark.parametrize("name", [n for n in NAMES if {"crew", "v"} <= set(data.garment(n).necks)])
def test_a_v_neck_shows_more_skin_than_a_round_one(name: str) -> None:
    assert bare(render(outfit(name, neck="v"), FRAME, SKIN)) > bare(render(outfit(name, neck="crew"), FRAME, SKIN)) + 8


@pytest.mark.parametrize("role", sorted(data.extras()))
def test_extras_are_worn_over_any_garment(role: str) -> None:
    cloth = Cloth("#e010c0", "silk")
    plain = render(outfit("t-shirt"), FRAME, SKIN)
    more = render(outfit("t-shirt", parts={role: cloth}), FRAME, SKIN)
    colour = lab(linear_of_hex("#e010c0"))
    changed = np.abs(plain.albedo - more.albedo).max(2) > 0.02
    assert 40 < changed.sum() < 0.2 * changed.size
    assert np.linalg.norm(lab(more.albedo[changed]) - colour, axis=1).min() < 25


def test_the_frame_moves_widens_and_turns_the_bust() -> None:
    def outline(**change: float) -> tuple[float, float]:
        surface = render(outfit("sweater"), replace(FRAME, **change), SKIN)  # type: ignore[arg-type]
        columns = np.flatnonzero(surface.cover[int(FRAME.y + 3 * FRAME.scale)] > 0.5)
        return float(columns.min()), float(columns.max())

    low, high = outline(yaw=0.0, roll=0.0)
    assert abs((low + high) / 2 - FRAME.x) < 3
    moved = outline(yaw=0.0, roll=0.0, x=FRAME.x + 10)
    assert moved[0] - low == pytest.approx(10, abs=1.5)
    slim = outline(yaw=0.0, roll=0.0, shoulders=0.9)
    assert slim[1] - slim[0] < (high - low) * 0.95
    left, right = (render(outfit("sweater"), replace(FRAME, yaw=yaw, roll=0.0), SKIN) for yaw in (-0.3, 0.3))
    part = np.s_[170:250, 126:166]
    assert right.normals[part][..., 0].mean() > left.normals[part][..., 0].mean() + 0.4


def test_the_notch_is_seen_where_the_frame_says_turned_or_not() -> None:
    """The deepest point of a narrow V shows where the middle of the chest went."""
    for yaw in (-0.25, 0.0, 0.25):
        frame = replace(FRAME, yaw=yaw, roll=0.0)
        row = render(outfit("t-shirt", neck="v"), frame, SKIN).skin[int(frame.y + 1.0 * frame.scale)]
        middle = float((np.arange(len(row)) * row).sum() / row.sum())
        assert middle == pytest.approx(frame.x, abs=1.6 * frame.scale)


@pytest.mark.parametrize("neck", [4.9, 5.7, 6.6])
@pytest.mark.parametrize("shoulders", [0.88, 1.0, 1.12])
def test_fitting_to_the_person_can_be_undone(neck: float, shoulders: float) -> None:
    frame = replace(FRAME, neck=neck, shoulders=shoulders)
    x = np.linspace(-28, 28, 200).astype(np.float32)
    there = pose.fit(x, frame)
    assert (np.diff(there) > 0).all()
    assert np.abs(pose.fit(there, frame, back=True) - x).max() < 0.02


def test_a_canonical_frame_of_any_size_renders() -> None:
    frame = BustFrame(width=300, height=330, scale=5.0, x=150.0, y=60.0)
    surface = render(outfit("denim jacket"), frame, SKIN, "turbo")
    assert surface.cover[-1, 110:190].min() > 0.99
    assert abs(float(surface.cover[:, :150].sum() - surface.cover[:, 150:].sum())) < 0.01 * surface.cover.sum()


def test_unknown_names_are_errors() -> None:
    with pytest.raises(InvalidRequestError):
        render(Outfit("bathysphere", Cloth("#ffffff", "cotton")), FRAME, SKIN)
    with pytest.raises(InvalidRequestError):
        render(Outfit("suit", Cloth("#ffffff", "gossamer")), FRAME, SKIN)
