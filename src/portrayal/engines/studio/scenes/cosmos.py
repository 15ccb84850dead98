"""Away from the earth: stars, nebulae, planets, and the surface of the moon."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from portrayal.engines.studio.noise import fbm, profile
from portrayal.engines.studio.scenes import lighting
from portrayal.engines.studio.scenes.land import mix, rgb, step
from portrayal.engines.studio.scenes.stage import Scene, Stage
from portrayal.engines.studio.types import KeyLight, Lamp, Lighting, RimLight, vector
from portrayal.imaging import F32, Array


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
        out.append(
            Lamp(float(x[i]), float(y[i]), 1e5, (float(c[0]), float(c[1]), float(c[2])), 0.6 * shot.height / 1024)
        )
    return out


def _light(shift: float, side: float, rim: str, ambient: tuple[float, float, float]) -> Lighting:
    environment = lighting.lobes(ambient, [((-side, -0.3, 0.2), rgb(rim) * 0.9, 1.5)])
    key = KeyLight(vector(0.8 * side, 0.45, 0.55), vector(1, 0.98, 0.95), wrap=0.15, softness=0.12, specular=0.06)
    rims = (RimLight(vector(-side, -0.1, -1), rgb(rim) * 1.4, 2.0),)
    return Lighting(
        lighting.irradiance(environment), (key,), rims, fill=0.26, level=0.82, skin_shift=shift, contrast=1.6
    )


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
    ground = mix(
        rgb("16365c"), mix(rgb("4a5a34"), rgb("8a744c"), step(-0.5, 1, fbm(lon * 3, lat * 3, 3, 1.7))[..., None]), land
    )
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
    n1, n2 = (
        fbm(u * 0.4 + 0.2 * warp, v * 0.4 + 0.2 * warp, seed + 3, 1.7),
        fbm(u * 0.5, v * 0.5 - 0.2 * warp, seed + 4, 1.7),
    )
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
    image, disc = _planet(
        np.asarray(image, np.float32), stage, (side * min(half * 0.78, 0.5), 0.22), 0.42, sun / np.linalg.norm(sun)
    )
    k = camera.height / stage.shot.height
    stars = [s for s in _stars(stage, 2200) if not _hidden(disc, s, k)]
    depth = np.full(disc.shape, 1e5, np.float32)
    return Scene(image, depth, _light(11, -side, "5aa0ff", (0.22, 0.26, 0.36)), stars, air=False)


def _hidden(disc: F32, star: Lamp, k: float) -> bool:
    y, x = min(int(star.y * k), disc.shape[0] - 1), min(int(star.x * k), disc.shape[1] - 1)
    return bool(disc[max(y, 0), max(x, 0)] > 0.02)


@lru_cache(1)
def _craters() -> F32:
    """Height of a periodic patch of cratered dust, (512, 512), in pixels of itself."""
    n = 512
    random = np.random.default_rng(4)
    out = 5.0 * fbm(*np.meshgrid(np.arange(n) / n, np.arange(n) / n), 6, 1.7) + 1.2 * fbm(
        *np.meshgrid(np.arange(n) / n * 2, np.arange(n) / n * 2), 7, 1.2
    )
    for r in np.minimum(3.0 * random.pareto(1.5, 240) + 3.0, 60):
        cx, cy = random.uniform(0, n, 2)
        m = int(r * 2)
        rows, columns = np.arange(int(cy) - m, int(cy) + m), np.arange(int(cx) - m, int(cx) + m)
        d = np.hypot((columns - cx)[None], (rows - cy)[:, None]) / r
        bowl = np.where(d < 1, d * d - 1, 0) * 0.36 + 0.30 * np.exp(-(((d - 1) / 0.28) ** 2))
        out[np.ix_(rows % n, columns % n)] += r * bowl
    out = np.asarray(out, np.float32)
    out.setflags(write=False)
    return out


def moon(stage: Stage) -> Scene:
    """Grey dust with craters and rounded hills under a black sky, and the earth over the horizon."""
    camera, seed = stage.camera, stage.shot.seed
    side = -1.0 if seed % 2 else 1.0
    sun = np.array((-0.85 * side, 0.34, 0.25), np.float32)
    x, z, far = camera.ground()
    here = np.isfinite(far) & (camera.elevation < -0.003)
    height = _craters()
    tile = 26.0
    u, v = ((x / tile + 0.13 * seed) % 1.0 * 512).astype(np.float32), ((z / tile) % 1.0 * 512).astype(np.float32)
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3) / 8
    slope_z = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3) / 8
    gx = cv2.remap(slope_x, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    gz = cv2.remap(slope_z, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    fade = np.clip(30 / np.maximum(far, 1), 0.25, 1)
    lit = np.clip(sun[1] + 1.25 * fade * (-gx * sun[0] + gz * sun[2]), 0.015, 1.4)
    dust = np.array((1.0, 0.985, 0.955), np.float32) * 0.30
    ground = dust * (lit * (1 + 0.10 * fbm(x * 0.8, z * 0.8, seed + 2, 0.8)))[..., None]
    black = np.zeros((*lit.shape, 3), np.float32) + rgb("030408") * 0.3
    half = 0.5 * camera.width / camera.height
    body, disc = _planet(black, stage, (side * min(half * 0.6, 0.33), -0.27), 0.085, sun / np.linalg.norm(sun))
    depth = np.full(lit.shape, 1e5, np.float32)
    for base, high, away in ((0.035, 0.018, 4000.0), (0.012, 0.012, 1500.0)):
        line = base + high * profile(camera.azimuth * 0.8, seed + int(away) % 7, 1.7)
        m = np.clip((line - camera.elevation) * camera.focal + 0.5, 0, 1)
        under = np.clip(line - camera.elevation, 0, 1)
        az = np.broadcast_to(camera.azimuth, under.shape)
        relief = cv2.Sobel(fbm(az * 1.2, under * 3, seed, 1.7), cv2.CV_32F, 1, 0, ksize=3) * camera.focal / 300
        c = dust * np.clip(0.42 - 0.9 * relief * side, 0.03, 1.1)[..., None]
        body = mix(body, c, m[..., None])
        depth = np.where(m > 0.5, np.float32(away), depth)
    out = np.where(here[..., None], ground, body).astype(np.float32)
    cover = np.maximum(disc, (depth < 9e4) | here).astype(np.float32)
    k = camera.height / stage.shot.height
    stars = [s for s in _stars(stage, 500, camera.horizon) if not _hidden(cover, s, k)]
    depth = np.where(here, np.minimum(far, 1500), depth).astype(np.float32)
    return Scene(out, depth, _light(8, -side, "c8d4e8", (0.30, 0.30, 0.31)), stars, air=False)
