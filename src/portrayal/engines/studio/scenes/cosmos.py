"""Away from the earth: stars, nebulae, planets, and the surface of the moon."""

from __future__ import annotations

import numpy as np

from portrayal.engines.studio.noise import fbm
from portrayal.engines.studio.panorama import luminance
from portrayal.engines.studio.scenes import lighting, panoramic
from portrayal.engines.studio.scenes.camera import Camera
from portrayal.engines.studio.scenes.land import mix, rgb, step
from portrayal.engines.studio.scenes.stage import Scene, Stage
from portrayal.engines.studio.types import KeyLight, Lamp, Lighting, RimLight, vector
from portrayal.imaging import F32, Array

_SUN = (-0.75, 0.5, 0.42)


def _stars(stage: Stage, count: int, lowest: float = 1.0) -> list[Lamp]:
    shot, random = stage.shot, stage.random
    out = []
    k = (shot.height / 1024) ** 2
    count = int(count * min(shot.width / shot.height, 2.0))
    x, y = random.uniform(0, shot.width, count), random.uniform(0, shot.height * lowest, count)
    size = np.minimum(random.pareto(1.15, count) * 0.02 + 0.012, 5) * 16 * k
    hue = random.random(count)
    for i in range(count):
        c = mix(np.array((1.0, 0.78, 0.55)), np.array((0.72, 0.84, 1.0)), float(hue[i])) * size[i]
        out.append(Lamp(float(x[i]), float(y[i]), 1e5, (float(c[0]), float(c[1]), float(c[2])), 0.6 * shot.height / 1024))
    return out


def _light(shift: float, side: float, rim: str, ambient: tuple[float, float, float]) -> Lighting:
    environment = lighting.lobes(ambient, [((-side, -0.3, 0.2), rgb(rim) * 0.9, 1.5)])
    key = KeyLight(vector(0.8 * side, 0.45, 0.55), vector(1, 0.98, 0.95), wrap=0.15, softness=0.12, specular=0.06)
    rims = (RimLight(vector(-side, -0.1, -1), rgb(rim) * 1.4, 2.0),)
    return Lighting(lighting.irradiance(environment), (key,), rims, fill=0.26, level=0.82, skin_shift=shift, contrast=1.6)


def _planet(image: F32, stage: Stage, centre: tuple[float, float], radius: float, sun: Array) -> tuple[F32, F32]:
    """Draw an earth-like planet; centre and radius in picture heights. Returns the picture and its disc."""
    x, y = stage.camera.frame
    seed = stage.shot.seed
    dx, dy = (x - centre[0]) / radius, (y - centre[1]) / radius
    rr = dx * dx + dy * dy
    up = np.sqrt(np.clip(1 - rr, 0, 1))
    normal = np.stack([dx, -dy, up], -1)
    light = np.clip(normal @ np.asarray(sun, np.float32), 0, 1)
    lon, lat = np.arctan2(dx, up + 0.15) * 0.22 + 0.13 * seed, np.arcsin(np.clip(dy, -1, 1)) * 0.26
    land = step(0.1, 0.5, fbm(lon, lat, seed + 11, 1.7))[..., None]
    swirl = 0.05 * fbm(lon * 2, lat * 2, 4, 1.7)
    cloud = fbm(lon * 1.3 + swirl, lat * 2.0 + swirl, seed + 12, 1.7) + 0.4 * fbm(lon * 4 + swirl, lat * 5, 13, 1.2)
    ground = mix(rgb("0c2f66"), mix(rgb("4a5a34"), rgb("8a744c"), step(-0.5, 1, fbm(lon * 3, lat * 3, 3, 1.7))[..., None]), land)
    surface = mix(ground, np.array((0.8, 0.83, 0.86)), 0.9 * step(0.0, 1.4, cloud)[..., None])
    body = surface * light[..., None] * 1.5 + rgb("4a90ff") * (light * (1 - up) ** 2.5)[..., None] * 2.2
    disc = step(1.006, 0.994, rr)[..., None]
    halo = np.exp(-np.clip(np.sqrt(rr) - 1, 0, 2) * 42) * (rr >= 1)
    halo = halo * np.clip((dx * sun[0] - dy * sun[1]) * 0.8 + 0.3, 0, 1)
    out = mix(image, body, disc) + rgb("4a9cff") * (0.9 * halo)[..., None]
    return np.asarray(out, np.float32), disc[..., 0]


def space(stage: Stage) -> Scene:
    """Stars, a nebula and a planet."""
    camera, seed = stage.camera, stage.shot.seed
    x, y = camera.frame
    u, v = x + 0.4 * camera.yaw + 0.37 * seed, y + 0.5
    warp = 0.25 * fbm(u * 0.35, v * 0.35, seed + 2, 1.7)
    n1, n2 = fbm(u * 0.4 + 0.2 * warp, v * 0.4 + 0.2 * warp, seed + 3, 1.7), fbm(u * 0.5, v * 0.5 - 0.2 * warp, seed + 4, 1.7)
    threads = 1 - np.abs(fbm(u * 0.7 + 0.3 * warp, v * 0.7, seed + 5, 1.7))
    band = np.exp(-(((x * 0.75 + y * 0.66 + 0.10 * n2 - 0.05) / 0.24) ** 2))
    image = np.broadcast_to(rgb("05060c") * 0.5, (*band.shape, 3)).astype(np.float32)
    image = image + rgb("3a5cc8") * (0.10 * band * np.exp(0.8 * n1))[..., None]
    image = image + rgb("d0407a") * (0.11 * band * step(0.2, 2.0, n2) * np.exp(threads))[..., None]
    image = image + rgb("ffb070") * (0.06 * band**2 * np.clip(threads, 0, 2))[..., None]
    image = image * (1 - 0.65 * step(0.3, 1.6, fbm(u * 0.6, v * 0.6, seed + 8, 1.7)) * band)[..., None]
    side = -1.0 if seed % 2 else 1.0
    sun = np.array((-0.75 * side, 0.55, 0.3), np.float32)
    half = 0.5 * camera.width / camera.height
    image, disc = _planet(np.asarray(image, np.float32), stage, (side * min(half * 0.78, 0.5), 0.22), 0.42, sun / np.linalg.norm(sun))
    k = camera.height / stage.shot.height
    stars = [s for s in _stars(stage, 2200) if not _hidden(disc, s, k)]
    depth = np.full(disc.shape, 1e5, np.float32)
    return Scene(image, depth, _light(11, -side, "5aa0ff", (0.22, 0.26, 0.36)), stars, air=False)


def _hidden(disc: F32, star: Lamp, k: float) -> bool:
    y, x = min(int(star.y * k), disc.shape[0] - 1), min(int(star.x * k), disc.shape[1] - 1)
    return bool(disc[max(y, 0), max(x, 0)] > 0.02)


def moon(stage: Stage) -> Scene:
    """The moon: grey dust and rocks of a real desert under a black sky, with the earth over the horizon."""
    camera, seed = stage.camera, stage.shot.seed
    there = Camera(camera.width, camera.height, camera.fov, camera.horizon, camera.yaw, camera.eye)
    image = panoramic.view("dawn", there, seed)
    from portrayal.engines.studio import panorama

    az = np.broadcast_to(there.azimuth, there.elevation.shape)
    mask = np.repeat(panorama.sky_mask("dawn")[..., None], 3, -1)
    sky = np.clip(panorama.sample(mask, az, there.elevation)[..., :1] * 1.3, 0, 1)
    grey = luminance(image)[..., None]
    grey = grey / max(float(np.median(grey[sky < 0.5])) if (sky < 0.5).any() else 1.0, 1e-4)
    ground = 0.26 * np.clip(grey, 0, 4) ** 1.25 * np.array((1.0, 0.985, 0.96), np.float32)
    _, _, far = camera.ground()
    craters = 1 + 0.25 * fbm(az * 1.2, 2.0 / np.maximum(far, 1)[...], seed + 3, 1.2) * (camera.elevation < -0.01)
    body = np.asarray(ground * craters[..., None], np.float32)
    side = -1.0 if seed % 2 else 1.0
    sun = np.array((-0.8 * side, 0.45, 0.35), np.float32)
    black = np.zeros_like(body) + rgb("030408") * 0.3
    half = 0.5 * camera.width / camera.height
    dark, disc = _planet(black, stage, (side * min(half * 0.62, 0.34), -0.26), 0.105, sun / np.linalg.norm(sun))
    out = np.asarray(body * (1 - sky) + dark * sky, np.float32)
    cover = np.maximum(disc, 1 - sky[..., 0])
    k = camera.height / stage.shot.height
    stars = [s for s in _stars(stage, 500, camera.horizon) if not _hidden(np.asarray(cover, np.float32), s, k)]
    depth = np.where(sky[..., 0] > 0.5, 1e5, np.minimum(far, 60)).astype(np.float32)
    return Scene(out, depth, _light(8, -side, "c8d4e8", (0.30, 0.30, 0.31)), stars, air=False)
