"""From a scene to the light that falls on the person: spherical harmonics, keys and rims in the light axes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from portrayal.engines.studio.light.harmonics import basis
from portrayal.engines.studio.panorama import luminance
from portrayal.engines.studio.scenes.camera import Camera
from portrayal.engines.studio.scenes.daylight import Daylight
from portrayal.engines.studio.types import KeyLight, Lighting, RimLight, vector
from portrayal.imaging import F32, Array

ROWS, COLUMNS = 32, 64
_COSINE = np.array([1.0] + [2 / 3] * 3 + [1 / 4] * 5, np.float32)


@lru_cache(1)
def sphere() -> tuple[F32, F32]:
    """Directions (32, 64, 3) and solid angles (32, 64) of an environment whose middle column the camera looks at."""
    polar = ((np.arange(ROWS) + 0.5) / ROWS * np.pi)[:, None]
    turn = ((np.arange(COLUMNS) + 0.5) / COLUMNS * 2 * np.pi - np.pi)[None]
    s = np.sin(polar)
    d = np.stack([s * np.sin(turn), np.cos(polar) + 0 * turn, -s * np.cos(turn)], -1).astype(np.float32)
    area = np.broadcast_to(s * (np.pi / ROWS) * (2 * np.pi / COLUMNS), (ROWS, COLUMNS)).astype(np.float32)
    return d, area


def irradiance(environment: F32) -> F32:
    """Nine coefficients (9, 3) of the irradiance over pi of an environment (32, 64, 3)."""
    d, area = sphere()
    return np.asarray(np.einsum("hwk,hwc,hw->kc", basis(d), environment, area) * _COSINE[:, None], np.float32)


def lobes(
    base: Array | Sequence[float], parts: Sequence[tuple[Sequence[float], Array | Sequence[float], float]]
) -> F32:
    """An environment of soft lights: `base` colour plus (direction, colour, sharpness) each."""
    d, _ = sphere()
    out = np.broadcast_to(np.asarray(base, np.float32), d.shape).copy()
    for towards, colour, sharp in parts:
        v = np.asarray(towards, np.float32)
        v = v / max(float(np.linalg.norm(v)), 1e-6)
        out += np.asarray(colour, np.float32) * np.exp(sharp * (d @ v - 1))[..., None]
    return out


def of_daylight(day: Daylight, camera: Camera, ground: Sequence[float]) -> Lighting:
    """The light of the open air; a sun behind the person draws its outline, the sky in front lights the face."""
    upper = cv2.resize(day.sky, (COLUMNS, ROWS // 2), interpolation=cv2.INTER_AREA)
    upper = np.roll(upper, -round(camera.yaw / (2 * np.pi) * COLUMNS), 1)
    floor = day.lit() * np.asarray(ground, np.float32)
    environment = np.concatenate([upper, np.broadcast_to(floor, upper.shape)]).astype(np.float32)
    sun = camera.to_light_axes(day.sun)
    keys: list[KeyLight] = []
    rims: list[RimLight] = []
    fill = day.fill
    strength = float(luminance(day.sunlight))
    face = np.asarray(day.ambient, np.float32)
    if strength > 0.08 and sun[2] > -0.1:
        towards = vector(sun[0], np.clip(sun[1], 0.22, 0.85), max(float(sun[2]), 0.25))
        keys.append(KeyLight(towards, day.sunlight, wrap=0.3, shadow=0.75, softness=0.2, specular=0.06))
    elif strength > 0.08:
        rims.append(RimLight(vector(sun[0], max(float(sun[1]), 0.3), -1), day.sunlight / strength * 1.7, 3.0, 0.22))
        # The warm side still lights the cheek that is turned to it; a bit of the ground's bounce from the front.
        warm = 0.5 * face + 0.5 * day.sunlight / strength
        keys.append(KeyLight(vector(np.sign(sun[0] or 1) * 0.75, 0.3, 0.75), warm, wrap=0.6, shadow=0.4, softness=0.5))
    else:
        side = (
            1.0
            if float(luminance(upper[:, COLUMNS // 2 :]).mean() - luminance(upper[:, : COLUMNS // 2]).mean()) > 0
            else -1.0
        )
        keys.append(KeyLight(vector(0.35 * side, 0.75, 0.6), face, wrap=0.75, shadow=0.35, softness=0.6))
    return Lighting(irradiance(environment), tuple(keys), tuple(rims), fill=fill, level=day.level, skin_shift=day.shift)


def of_panorama(image: F32, yaw: float, level: float, fill: float, shift: float) -> Lighting:
    """The light inside a panorama: its excess over a bound becomes the key, the rest spherical harmonics.

    Args:
        image: (256, 512, 3).
        yaw: azimuth that the camera looks at, radians.
    """
    rolled = np.roll(image, -round(yaw / (2 * np.pi) * image.shape[1]), 1)
    small = np.asarray(cv2.resize(rolled, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA), np.float32)
    d, area = sphere()
    light = luminance(small)
    bound = max(float(np.percentile(light, 92)), 1.2 * float(light.mean()))
    share = np.minimum(1, bound / np.maximum(light, 1e-4))[..., None]
    excess = small * (1 - share) * area[..., None]
    weight = luminance(excess)
    keys: tuple[KeyLight, ...] = ()
    rims: tuple[RimLight, ...] = ()
    if float(weight.sum()) > 1e-3:
        v = (d * weight[..., None]).sum((0, 1))
        narrow = float(np.linalg.norm(v)) / float(weight.sum())
        v = v / max(float(np.linalg.norm(v)), 1e-6)
        colour = np.asarray(excess.sum((0, 1)) / np.pi * narrow, np.float32)
        if v[2] < -0.15:
            pure = colour / max(float(luminance(colour)), 0.01)
            rims = (RimLight(vector(v[0], max(float(v[1]), 0.2), -1), pure * 1.4, 2.2),)
            soft = np.asarray(small.mean((0, 1)), np.float32)
            keys = (KeyLight(vector(np.sign(v[0]) * 0.6, 0.45, 0.7), soft, wrap=0.7, shadow=0.35, softness=0.6),)
            fill = max(fill, 0.6)
        else:
            towards = vector(v[0], np.clip(v[1], 0.2, 0.8), max(float(v[2]), 0.25))
            keys = (KeyLight(towards, colour, wrap=0.35 if narrow > 0.9 else 0.6, softness=0.35),)
    return Lighting(irradiance(small * share), keys, rims, fill=fill, level=level, skin_shift=shift)


def bright_side(radiance: F32) -> float:
    """-1..1: on which side of a plate the light is, weighted by where a portrait leaves it visible."""
    small = np.minimum(luminance(cv2.resize(radiance, (32, 32), interpolation=cv2.INTER_AREA)), 3.0)
    x = np.linspace(-1, 1, 32, dtype=np.float32)
    mean = float(small.mean())
    return float(np.clip((small * x).mean() / max(mean, 1e-4) * 4, -1, 1))
