"""What a figure does to the floor it stands on: the shadow of each lamp, and the dark where a foot meets the ground."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numba import njit

from portrayal.engines.studio.figure.camera import View
from portrayal.engines.studio.figure.occlusion import Grid, march, read
from portrayal.engines.studio.light.harmonics import basis
from portrayal.engines.studio.light.tone import luminance
from portrayal.engines.studio.types import KeyLight, Lighting, Plate
from portrayal.imaging import F32
from portrayal.kernels import KERNEL
from portrayal.parallel import bands

_PART: Final = 2  # shadows are soft: every second pixel is enough
_HEIGHTS: Final = np.array([[1.5, 0.55], [3.5, 0.50], [8.0, 0.42], [16.0, 0.40]], np.float32)
# Shadows end where a scene may have a wall: from here to there behind the figure, cm.
_FADE: Final = (100.0, 330.0)


@dataclass(frozen=True)
class Drop:
    """What darkens the ground.

    Attributes:
        grid: the body's field.
        view: the camera.
        air: the figure does not touch the floor.
        strength: 0 = there is no floor (space, under water), 1 = all of it.
    """

    grid: Grid
    view: View
    air: bool = False
    strength: float = 1.0


def shadowed(plate: Plate, drop: Drop, lighting: Lighting) -> Plate:
    """The plate with the figure's shadows on its floor and the contact under its feet.

    The floor's own light is split as the person's is: what comes from the lamps is lost in their shadow, what comes
    from the sky is lost where the body stands near.

    Args:
        plate: photographed with the camera of the figure's `Shot`.
        drop: from `person.figure`.
        lighting: the plate's.
    """
    if drop.strength <= 0:
        return plate
    ratio = darkening(drop, lighting)
    height, width = plate.radiance.shape[:2]
    full = cv2.resize(ratio, (width, height), interpolation=cv2.INTER_LINEAR)
    k = (1 - drop.strength) + drop.strength * full
    return replace(plate, radiance=np.asarray(plate.radiance * k[..., None], np.float32))


def darkening(drop: Drop, lighting: Lighting) -> F32:
    """What is left of the floor's light, (h, w) 0..1, at a half of the canvas."""
    view = drop.view
    size = (-(-view.height // _PART), -(-view.width // _PART))
    open_ = np.ones(size, np.float32)
    camera = np.array([view.focal, view.x, view.horizon, view.eye, view.distance], np.float32)
    fade = np.array(_FADE, np.float32)
    values, origin = drop.grid.values, drop.grid.origin
    bands(lambda a, b: _floor_open(values, origin, camera, fade, _HEIGHTS, open_, a, b), size[0], least=16)
    up = np.array([[0, 1, 0]], np.float32)
    sky = max(float(luminance(np.maximum(basis(up) @ lighting.ambient, 0))[0]), 1e-4)
    front = max(float(luminance(np.maximum(basis(np.array([[0, 0, 1]], np.float32)) @ lighting.ambient, 0))[0]), 1e-4)
    keys = [k for k in lighting.keys if k.shadow > 0 and _unit(k)[1] > -0.1]
    lamp = [_on_floor(k) for k in keys]
    facing = sum(float(luminance(np.asarray(k.colour, np.float32))) * max(_unit(k)[2], 0.25) for k in lighting.keys)
    ambient = lighting.fill * sky / front
    scale = (1 - lighting.fill) / max(facing, 1e-4)
    total = ambient + scale * sum(lamp)
    left = ambient * open_
    for key, light in zip(keys, lamp, strict=True):
        d = _unit(key)
        d[1] = max(float(d[1]), 0.12)
        d = np.ascontiguousarray(d / np.linalg.norm(d), np.float32)
        seen = np.ones(size, np.float32)
        soft = np.float32(max(0.06, 0.45 * key.softness))
        _each(values, origin, camera, fade, d, soft, seen)
        left = left + scale * light * (1 - key.shadow * (1 - seen)) * (0.4 + 0.6 * open_)
    ratio = cv2.GaussianBlur((left / max(total, 1e-5)).astype(np.float32), (0, 0), 1.0)
    return np.asarray(np.clip(ratio, 0.06, 1) ** 1.3, np.float32)


def _each(values: F32, origin: F32, camera: F32, fade: F32, d: F32, soft: np.float32, seen: F32) -> None:
    bands(lambda a, b: _floor_shadow(values, origin, camera, fade, d, soft, seen, a, b), len(seen), least=16)


def _unit(key: KeyLight) -> F32:
    d = np.asarray(key.direction, np.float32)
    return np.asarray(d / max(float(np.linalg.norm(d)), 1e-6), np.float32)


def _on_floor(key: KeyLight) -> float:
    return float(luminance(np.asarray(key.colour, np.float32))) * max(float(_unit(key)[1]), 0.12)


@njit(**KERNEL)
def _floor_open(
    values: Any, origin: Any, camera: Any, fade: Any, heights: Any, out: Any, first: int, last: int
) -> None:
    one = np.float32(1.0)
    for i in range(first, last):
        down = (np.float32(i) + np.float32(0.5)) * np.float32(2.0) - camera[2]
        if down <= np.float32(2.0):
            continue
        t = camera[3] * camera[0] / down
        z = camera[4] - t
        if z < origin[2] - fade[1] or z > camera[4] - np.float32(5.0):
            continue
        for j in range(out.shape[1]):
            x = ((np.float32(j) + np.float32(0.5)) * np.float32(2.0) - camera[1]) / camera[0] * t
            o = one
            for s in range(heights.shape[0]):
                h = heights[s, 0]
                d = read(values, origin, x, h * np.float32(0.8), z)
                o *= one - heights[s, 1] * min(max(one - d / h, np.float32(0.0)), one)
            out[i, j] = o


@njit(**KERNEL)
def _floor_shadow(
    values: Any, origin: Any, camera: Any, fade: Any, d: Any, soft: Any, out: Any, first: int, last: int
) -> None:
    zero, one = np.float32(0.0), np.float32(1.0)
    for i in range(first, last):
        down = (np.float32(i) + np.float32(0.5)) * np.float32(2.0) - camera[2]
        if down <= np.float32(2.0):
            continue
        t = camera[3] * camera[0] / down
        z = camera[4] - t
        if z < origin[2] - fade[1] or z > camera[4] - np.float32(5.0):
            continue
        f = min(max((z - origin[2] + fade[1]) / (fade[1] - fade[0]), zero), one)
        f = f * f * (np.float32(3.0) - np.float32(2.0) * f)
        for j in range(out.shape[1]):
            x = ((np.float32(j) + np.float32(0.5)) * np.float32(2.0) - camera[1]) / camera[0] * t
            if abs(x) > np.float32(320.0):
                continue
            seen = march(values, origin, x, np.float32(0.6), z, d, soft, np.float32(0.8))
            out[i, j] = one - f * (one - seen)
