"""What the weather does to a finished scene: air between things, falling rain and snow, dulled colours."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.noise import fbm
from portrayal.engines.studio.panorama import luminance
from portrayal.engines.studio.scenes.daylight import Daylight, saturate
from portrayal.engines.studio.scenes.stage import Scene, Stage
from portrayal.engines.studio.types import Lamp, Shot
from portrayal.imaging import F32

_DENSEST = {"fog": 0.96, "rain": 0.72, "snow": 0.82, "storm": 0.75, "overcast": 0.6, "cloudy": 0.5, "clear": 0.4}


def air_colour(day: Daylight) -> F32:
    """Colour of thick air: the horizon's, paler."""
    c = 0.5 * day.horizon + 0.5 * day.ambient
    grey = float(luminance(c))
    return np.asarray(grey * 0.7 + c * 0.3 if day.weather == "fog" else grey * 0.4 + c * 0.6, np.float32)


def apply(scene: Scene, stage: Stage) -> Scene:
    """Fill the air of an open scene and dull its colours; does nothing in clear weather or to closed places."""
    day = stage.day
    if day.weather == "clear" or not scene.air:
        return scene
    z = np.minimum(scene.depth, 5000.0)
    h, w = z.shape
    y, x = np.mgrid[:h, :w].astype(np.float32) / h
    drift = 1 + 0.22 * fbm(x * 0.6 + stage.camera.yaw, y * 0.35, stage.shot.seed, 1.7)
    t = (1 - np.exp(-z / day.haze * drift))[..., None] * _DENSEST[day.weather]
    if day.weather == "fog":  # what is near is veiled too
        t = 0.28 + 0.72 * t
    out = scene.radiance * (1 - t) + air_colour(day) * t
    scene.radiance = saturate(out, 1 - day.grey)
    thick = [float(np.exp(-min(lamp.depth, 400.0) / day.haze * 0.7)) for lamp in scene.lamps]
    scene.lamps = [
        Lamp(p.x, p.y, p.depth, (p.energy[0] * k, p.energy[1] * k, p.energy[2] * k), p.size * (1 + 0.6 * (1 - k)))
        for p, k in zip(scene.lamps, thick, strict=True)
        if k > 0.02
    ]
    return scene


def flakes(stage: Stage, brightness: float) -> list[Lamp]:
    """Falling snow behind the person, as lamps of the brightness of the air."""
    shot = stage.shot
    random = np.random.default_rng((shot.seed, 77))
    focal = 0.5 * shot.height / np.tan(np.radians(shot.fov) / 2)
    count = int(420 * min(shot.width / shot.height, 2.0))
    out = []
    for z in np.exp(random.uniform(np.log(2.0), np.log(13), count)):
        radius = 0.0042 * focal / z
        e = 1.6 * brightness * np.pi * radius**2
        x, y = random.uniform(0, shot.width), random.uniform(0, shot.height)
        out.append(Lamp(float(x), float(y), float(z), (0.92 * e, 0.95 * e, e), float(radius)))
    return out


def falling(shot: Shot, weather: str, brightness: float) -> F32 | None:
    """Drops or flakes nearer than the person: premultiplied (H, W, 4), or None."""
    if weather not in ("rain", "snow", "storm"):
        return None
    random = np.random.default_rng((shot.seed, 78))
    H, W = shot.height, shot.width
    cover = np.zeros((H, W), np.float32)
    area = min(W / H, 2.0)
    if weather == "snow":
        for z in random.uniform(0.7, 1.5, int(20 * area)):
            cx, cy = int(random.uniform(0, W) * 8), int(random.uniform(0, H) * 8)
            r = shot.aperture * H * abs(1 - shot.focus / z) + 0.004 * H
            cv2.circle(cover, (cx, cy), int(r * 8), float(min(0.34, 8 / r)), -1, cv2.LINE_AA, 3)
        cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), 0.004 * H), np.float32)
        colour = np.array((0.92, 0.95, 1.0), np.float32) * brightness * 1.4
    else:
        lean = 0.10 if weather == "rain" else 0.28
        for _ in range(int((260 if weather == "rain" else 420) * area)):
            x, y = random.uniform(-0.1 * W, 1.1 * W), random.uniform(-0.05 * H, H)
            long = random.uniform(0.025, 0.07) * H
            end = (int((x - long * lean) * 8), int((y + long) * 8))
            cv2.line(cover, (int(x * 8), int(y * 8)), end, float(random.uniform(0.05, 0.34)), 1, cv2.LINE_AA, 3)
        cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), max(0.0008 * H, 0.6)), np.float32)
        colour = np.array((0.9, 0.96, 1.0), np.float32) * brightness * 1.15
    return np.concatenate([cover[..., None] * colour, cover[..., None]], -1).astype(np.float32)
