"""The lens and the panoramas under the scenes."""

from __future__ import annotations

import numpy as np
import pytest

from portrayal.engines.studio import lens, noise, panorama
from portrayal.engines.studio.scenes.camera import Camera
from portrayal.engines.studio.scenes.canvas import Canvas
from portrayal.engines.studio.types import Lamp, Shot

NAMES = (
    "apartment", "bridge", "city", "dawn", "esplanade", "forest", "hall", "lab", "lobby", "night", "park", "sky",
    "studio", "sunrise", "sunset", "venice", "warehouse", "workshop",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_panoramas_decode_to_finite_light(name: str) -> None:
    image = panorama.load(name)
    assert image.shape == (256, 512, 3)
    assert np.isfinite(image).all()
    assert image.min() >= 0
    assert image.max() > 3 * float(np.median(image))


def test_a_blurred_picture_keeps_its_light() -> None:
    image = np.random.default_rng(1).uniform(0, 1, (96, 96, 3)).astype(np.float32)
    out = lens.depth_blur(image, np.full((96, 96), 6.0, np.float32))
    assert out.mean() == pytest.approx(image.mean(), rel=0.02)
    assert out[20:-20, 20:-20].std() < 0.3 * image.std()


def test_what_is_in_focus_stays_sharp_beside_a_blurred_distance() -> None:
    image = np.zeros((96, 96, 3), np.float32)
    image[:, 48:] = 1.0
    radius = np.where(np.arange(96)[None] < 48, 0.0, 8.0) * np.ones((96, 1))
    out = lens.depth_blur(image, radius.astype(np.float32))
    assert out[:, :47].max() < 0.02


def test_a_lamp_becomes_a_disc_with_its_energy() -> None:
    shot = Shot(200, 200, focus=2.0, aperture=0.05)
    out = np.zeros((200, 200, 3), np.float32)
    lens.draw_lamps(out, [Lamp(100, 100, 1e5, (50.0, 25.0, 5.0), 1.0)], shot, shot.aperture)
    assert out.sum((0, 1)) == pytest.approx((50, 25, 5), rel=0.02)
    lit = (out[..., 0] > 0).sum()
    assert lit == pytest.approx(np.pi * 10**2, rel=0.15)


def test_discs_are_clipped_towards_the_corner() -> None:
    shot = Shot(200, 200, focus=2.0, aperture=0.05)
    middle, corner = np.zeros((200, 200, 3), np.float32), np.zeros((200, 200, 3), np.float32)
    lens.draw_lamps(middle, [Lamp(100, 100, 1e5, (50.0, 50.0, 50.0), 1.0)], shot, shot.aperture)
    lens.draw_lamps(corner, [Lamp(180, 180, 1e5, (50.0, 50.0, 50.0), 1.0)], shot, shot.aperture)
    assert (corner[..., 0] > 0).sum() < 0.9 * (middle[..., 0] > 0).sum()


def test_the_nearer_quad_hides_the_farther_whatever_the_order() -> None:
    camera = Camera(64, 64, 45, 0.5, 0.0)
    pictures = []
    for order in ((0, 1), (1, 0)):
        canvas = Canvas(camera, 64)
        for i in order:
            canvas.wall(-3, 3, 0, 3, (4.0, 8.0)[i], ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))[i], 1.0)
        canvas.draw()
        pictures.append(canvas.emission.copy())
    assert np.allclose(pictures[0], pictures[1], atol=1e-6)
    assert pictures[0][32, 32, 0] == 1
    assert pictures[0][32, 32, 1] < 1e-6


def test_a_wall_through_the_camera_plane_is_drawn_only_in_front() -> None:
    canvas = Canvas(Camera(64, 64, 60, 0.5, 0.0), 64)
    canvas.side(1.5, -5, 10, 0, 3, (1.0, 1.0, 1.0), 1.0)
    canvas.draw()
    assert canvas.emission[32, 60, 0] == 1
    assert canvas.emission[:, :32].max() == 0
    assert canvas.depth[32, 60] < 10


def test_noise_is_periodic_and_of_unit_spread() -> None:
    u, v = np.meshgrid(np.linspace(0, 1, 200, endpoint=False), np.linspace(0, 1, 200, endpoint=False))
    a = noise.fbm(u, v, 3, 1.2)
    assert a.std() == pytest.approx(1, abs=0.15)
    assert abs(a.mean()) < 0.1
    assert np.allclose(a, noise.fbm(u + 1, v - 2, 3, 1.2), atol=0.05)
    assert not np.allclose(a, noise.fbm(u, v, 4, 1.2), atol=0.5)
