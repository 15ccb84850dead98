"""Beaches: sky, sea with waves and foam, wet sand, palms."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.noise import fbm
from portrayal.engines.studio.panorama import luminance
from portrayal.engines.studio.scenes import cards, lighting
from portrayal.engines.studio.scenes.land import mix, pale, rgb, step
from portrayal.engines.studio.scenes.stage import Scene, Stage
from portrayal.imaging import F32


def build(stage: Stage) -> Scene:
    """A beach. Options: shallow, deep, sand (colours), palms, island."""
    camera, day = stage.camera, stage.day
    sky = day.look(camera)
    x, z, ground = camera.ground()
    ground = np.minimum(ground, 1e5)
    here = camera.elevation < 0
    water, shore = _sea(stage, sky, x, ground)
    lit = day.lit()
    seed = stage.shot.seed
    marks = -0.10 * step(0.9, 1.6, fbm(x * 0.22, z * 0.2, seed + 14, 0.8)) * step(14, 6, ground)
    marks = marks + 0.07 * fbm(x * 0.6, z * 0.6, 9, 0.8) + 0.08 * fbm(x * 0.08, z * 0.1, 10, 1.7)
    sand = rgb(stage.option("sand", "cdb692")) * (1 + marks)[..., None] * lit * 0.66
    wet = step(2.8, 0.2, shore - ground)[..., None] * (shore > ground)[..., None]
    sand = sand * (1 - 0.5 * wet) + np.minimum(sky[0].mean(0), 3) * 0.16 * wet
    sea = step(-0.12, 0.12, ground - shore)[..., None]
    c = mix(sand, water, sea)
    far = step(90, 1500, ground)[..., None] * 0.7
    c = mix(c, pale(day), far)
    image = np.where(here[..., None], c, sky).astype(np.float32)
    depth = np.where(here, np.minimum(ground, 5e3), 1e5).astype(np.float32)
    image, depth = _land(image, depth, stage)
    canvas = stage.canvas()
    canvas.backdrop(image, depth)
    random = stage.random
    for i in range(int(stage.option("palms", 0))):
        side = -1 if i % 2 else 1
        away = random.uniform(6.5, 15)
        tall = random.uniform(5.0, 7.5)
        lean = side * away * random.uniform(0.22, 0.42)
        tree = cards.palm(i + seed % 5).copy()
        tree[..., :3] *= lit * 0.55
        canvas.card(lean, -0.2, away, tall, tall, tree, 1.0)
    if stage.option("palms", 0):
        for side in (-1, 1):
            bush = cards.crown("3f6a2a", seed % 7 + side, 0.5, "9ab84a").copy()
            bush[..., :3] *= lit * 0.6
            canvas.card(side * random.uniform(4.5, 6), -0.6, 13, 5, 2.6, bush, 1.0)
    canvas.draw()
    _glitter(canvas, stage, random)
    image = canvas.emission
    light = lighting.of_daylight(day, camera, (0.5, 0.44, 0.34))
    warm = {"golden hour": 0.4, "sunset": 0.22}.get(day.time, 0.0)
    return Scene(image, canvas.depth, light, canvas.visible_lamps(), 0.50, balance=warm)


def _sea(stage: Stage, sky: F32, x: F32, ground: F32) -> tuple[F32, F32]:
    """Water with reflected sky and foam, and the distance of the shore line (h, w)."""
    camera, day, seed = stage.camera, stage.day, stage.shot.seed
    h = camera.height
    n = 0.6 * fbm(x * 0.05, ground * 0.11, seed + 3, 1.2) + 0.4 * fbm(x * 0.3, ground * 0.6, seed + 4, 1.2)
    slope = np.clip(48 / (ground + 25), 0.05, 1)
    row = np.arange(h, dtype=np.float32)[:, None]
    line = camera.horizon * h
    mirror = line - (row - line) * 0.8 - np.abs(n) * 0.06 * h * slope - 3
    gx = np.broadcast_to(np.arange(camera.width, dtype=np.float32)[None], n.shape)
    seen = cv2.remap(sky, gx + n * 0.008 * h, np.clip(mirror, 0, h - 1).astype(np.float32), cv2.INTER_LINEAR)
    facing = np.clip(camera.eye / np.hypot(camera.eye, ground) + 0.25 * (n + 0.9) * slope, 0, 1)
    fresnel = (0.02 + 0.98 * (1 - facing) ** 4)[..., None]
    shallow, deep = rgb(stage.option("shallow", "3a9a98")), rgb(stage.option("deep", "12485a"))
    lit = day.lit()
    body = mix(deep, shallow, step(120, 12, ground)[..., None]) * (0.35 * float(luminance(lit)) + 0.15 * lit)
    water = body * (1 + 0.18 * n)[..., None] * (1 - fresnel) + np.minimum(seen, 6) * fresnel
    shore = 8.6 + 1.3 * fbm(x * 0.012 + 0.3, ground * 0.02, seed + 2, 1.7)
    foam = np.zeros_like(ground)
    for q, wide in ((0.0, 0.8), (3.2, 0.55), (8.5, 0.7), (20.0, 0.9)):
        crest = np.exp(-(((ground - shore - q - fbm(x * 0.02, x * 0.01 + q, 6, 1.7)) / (wide * (1 + q * 0.04))) ** 2))
        torn = step(-0.6, 0.7, fbm(x * 0.12, ground * 0.16 + q, 8, 1.2))
        foam = np.maximum(foam, crest * torn * (1 if q < 9 else 0.6))
    return mix(water, lit * 0.75, foam[..., None]), np.asarray(shore, np.float32)


def _land(image: F32, depth: F32, stage: Stage) -> tuple[F32, F32]:
    """A far headland or island on one side of the horizon."""
    from portrayal.engines.studio.noise import profile

    camera, day = stage.camera, stage.day
    az = camera.azimuth
    bump = np.exp(-(((az - (0.42 if stage.shot.seed % 2 else -0.40)) / 0.22) ** 2))
    line = np.asarray(bump * (0.035 + 0.012 * profile(az * 2.2, stage.shot.seed, 1.2)) - 0.001, np.float32)
    m = np.clip((line - camera.elevation) * camera.focal + 0.5, 0, 1) * (camera.elevation > -0.001)
    c = mix(rgb(stage.option("island", "3f4e3a")) * day.lit(0.3) * 0.6, pale(day), 0.62)
    return mix(image, c, m[..., None]), np.where(m > 0.5, np.float32(2500), depth)


def _glitter(canvas, stage: Stage, random: np.random.Generator) -> None:  # type: ignore[no-untyped-def]
    """Sun on the waves: points of light that the lens makes discs of."""
    day, camera = stage.day, stage.camera
    if not day.sunny:
        return
    az = float(np.arctan2(day.sun[0], day.sun[2])) - camera.yaw
    ahead = day.sun[2] > 0
    for _ in range(60 if ahead else 16):
        z = random.uniform(11, 70)
        at = z * np.tan(np.clip(az, -0.7, 0.7)) + random.normal(0, 0.12 * z) if ahead else random.uniform(-0.5, 0.5) * z
        c, s = np.cos(camera.yaw), np.sin(camera.yaw)
        p = (at * c + z * s, 0.05, -at * s + z * c)
        power = random.uniform(0.3, 1.2) * (26 if ahead else 9)
        light = day.sunlight
        canvas.lamp(p, (float(light[0]), float(light[1]), float(light[2])), power, 0.0016 * z)
