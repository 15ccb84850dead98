"""A concert stage, and the sea from below."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.noise import fbm, profile
from portrayal.engines.studio.scenes import lighting
from portrayal.engines.studio.scenes.canvas import hexadecimal
from portrayal.engines.studio.scenes.land import cover, mix, rgb, step
from portrayal.engines.studio.scenes.stage import Scene, Stage
from portrayal.engines.studio.types import KeyLight, Lamp, Lighting, RimLight, vector
from portrayal.imaging import F32, Array

_BEAMS = ("ff2a8a", "2a6bff", "8a2aff", "ff7a1e", "20d0ff")


def stage(stage: Stage) -> Scene:
    """Beams in the haze, a rig of lamps, a wall of lights and a dark floor."""
    camera, random, shot = stage.camera, stage.random, stage.shot
    x, y = camera.frame
    half = 0.5 * camera.width / camera.height
    haze = np.exp(0.45 * fbm(x * 0.6 + 0.2 * camera.yaw, y * 0.7, shot.seed + 3, 1.7)) * 0.8
    image = np.zeros((*x.shape, 3), np.float32) + rgb("0a0612") * 0.4 + rgb("5a2a90") * 0.035 * haze[..., None]
    k = (shot.height / 1024) ** 2
    lamps: list[Lamp] = []
    first = int(random.integers(5))
    for i in range(int(10 + 8 * half)):
        x0 = -half * 1.05 + (i + random.uniform(-0.2, 0.2)) / (9 + 8 * half) * half * 2.1
        y0 = -0.40 + 0.03 * (i % 2)
        turn = np.radians(random.uniform(-32, 32) - x0 * 30)
        colour = 0.93 * rgb(_BEAMS[(i * 3 + i // 4 + first) % 5]) + 0.07
        along = (x - x0) * np.sin(turn) + (y - y0) * np.cos(turn)
        across = (x - x0) * np.cos(turn) - (y - y0) * np.sin(turn)
        wide = 0.006 + 0.10 * np.clip(along, 0, 2)
        beam = (
            np.exp(-((across / wide) ** 2) * 1.6) * (along > 0) * (0.012 / (wide + 0.004)) * np.exp(-0.9 * along) * haze
        )
        image += (2.2 * beam)[..., None] * colour
        lamps.append(_lamp(x0, y0, 11.0, (colour * 0.75 + 0.25) * 700 * k, 3.0, stage))
    for j in range(int(7 * half * 2) + 1):
        cx = -half + 0.14 * j
        for qx in range(3):
            for qy in range(7):
                wave = max(0.0, float(np.sin((cx + 0.04 * qx) * 9 + 1.9 * qy + shot.seed)))
                e = rgb(_BEAMS[(j + 1) % 5]) * (5 + 200 * wave**4) * k
                lamps.append(_lamp(cx + 0.04 * qx, -0.14 + 0.045 * qy, 12.0, e, 1.2, stage))
    edge = 0.24
    floor = y > edge
    line = (camera.horizon + edge) * camera.height
    rows = np.broadcast_to(np.arange(camera.height, dtype=np.float32)[:, None], x.shape)
    gx = np.broadcast_to(np.arange(camera.width, dtype=np.float32)[None], x.shape)
    soft = cv2.blur(image, (max(camera.width // 100, 1), max(camera.height // 16, 1)))
    seen = cv2.remap(
        soft,
        np.ascontiguousarray(gx),
        np.ascontiguousarray(2 * line - rows),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    image = np.where(floor[..., None], seen * 0.5 + rgb("100c14") * 0.3, image)
    image = image + rgb("6a30c0") * (0.10 * np.exp(-(((y - edge) / 0.05) ** 2)))[..., None]
    pink, blue = rgb("ff4a98"), rgb("3a80ff")
    environment = lighting.lobes((0.2, 0.15, 0.25), [((-1, 0.2, 0), pink, 2), ((1, 0.2, 0), blue, 2)])
    side = 1.0 if lighting.bright_side(np.asarray(image, np.float32)) >= 0 else -1.0
    keys = (
        KeyLight(vector(0.3 * side, 0.75, 0.65), vector(1, 0.9, 0.82), wrap=0.25, softness=0.2),
        KeyLight(vector(-0.9 * side, 0.2, 0.3), blue, wrap=0.4),
    )
    rims = (RimLight(vector(-1, 0.5, -1), pink * 2.2, 2.8), RimLight(vector(1, 0.5, -1), blue * 2.4, 2.8))
    light = Lighting(lighting.irradiance(environment), keys, rims, fill=0.25, level=0.64, skin_shift=24)
    return Scene(np.asarray(image, np.float32), np.full(x.shape, 12.0, np.float32), light, lamps, air=False)


def _lamp(x: float, y: float, depth: float, energy: F32, size: float, stage: Stage) -> Lamp:
    shot = stage.shot
    return Lamp(
        shot.width / 2 + x * shot.height, (shot.horizon + y) * shot.height, depth,
        (float(energy[0]), float(energy[1]), float(energy[2])), size * shot.height / 1024,
    )  # fmt: skip


def underwater(stage: Stage) -> Scene:
    """Blue depth with sun rays, the surface above, rocks with caustics, fish and floating specks."""
    camera, random, shot, seed = stage.camera, stage.random, stage.shot, stage.shot.seed
    x, y = camera.frame
    sx = (-0.12 if seed % 2 else 0.14) - 0.5 * float(np.sin(camera.yaw))
    sy = -0.72
    glow = np.exp(-np.hypot(x - sx, y - sy) * 1.9)[..., None]
    image: Array = mix(rgb("021c34") * 0.5, rgb("2fb4cc") * 1.4, np.clip(glow * 1.7, 0, 1))
    image = image + rgb("c8fff4") * (np.clip(glow * 1.9 - 0.75, 0, 2) ** 2) * 1.2
    turn = np.arctan2(x - sx, y - sy)
    rays = 0.5 * fbm(turn * 0.9, np.full_like(turn, 0.3), seed + 4, 1.2) + 0.35 * fbm(
        turn * 2.2, np.full_like(turn, 0.7), seed + 5, 1.2
    )
    rays = np.clip(rays, 0, 3) * np.exp(-np.clip(y + 0.5, 0, 1.5) * 1.5)
    image = image + rgb("7fe6e8") * (0.36 * rays)[..., None]
    above = step(-0.26, -0.46, y)
    waves = fbm(x * 0.5 / np.maximum(y + 0.62, 0.06), 0.15 / np.maximum(y + 0.62, 0.06), seed + 6, 1.2)
    image = image + rgb("d8fff8") * (above * np.clip(waves, 0, 2) * 0.55)[..., None]
    depth = np.full(x.shape, 60.0, np.float32)
    # The colour of the water itself where one looks level, under the sun and aside.
    water = mix(
        rgb("021c34") * 0.5, rgb("2fb4cc") * 1.4, np.clip(np.exp(-np.hypot(x - sx, 0.80) * 1.9) * 1.7, 0, 1)[..., None]
    )
    az = np.broadcast_to(camera.azimuth, x.shape)
    for i, (base, height, z, veil) in enumerate(
        ((-0.05, 0.06, 26.0, 0.93), (-0.12, 0.06, 14.0, 0.80), (-0.21, 0.05, 7.0, 0.58))
    ):
        line = np.asarray(base + height * profile(camera.azimuth * 0.5, seed + 10 + i, 1.7), np.float32)
        # Water scatters: the far reef's edge dissolves, and its foot is lost in the blue.
        under = line - camera.elevation
        m = (cover(camera, line) * step(-0.004, 0.012 + 0.05 * veil, under))[..., None]
        rough = fbm(az * 30 / z, camera.elevation * 30 / z, seed + 7, 1.2)[..., None]
        net = (
            np.clip(1 - np.abs(fbm(az * 12 / z + 0.1, camera.elevation * 26 / z, seed + 8, 1.7)) * 2.2, 0, 1)[..., None]
            ** 2
        )
        rock = (rgb("6a8a78") * (0.5 + 0.2 * rough) + rgb("c0fff0") * net * 0.2) * 0.5
        image = mix(image, mix(rock, water, veil), m)
        depth = np.where(m[..., 0] > 0.5, np.float32(z), depth)
    image = _fish(np.asarray(image, np.float32), stage, random)
    lamps = []
    k = camera.focal * shot.height / camera.height
    for _ in range(200):
        z = float(np.exp(random.uniform(np.log(2.0), np.log(10))))
        r = 0.003 * k / z
        e = rgb("c8fff4") * random.uniform(0.1, 0.5) * r * r * 9
        lamps.append(
            Lamp(
                float(random.uniform(0, shot.width)),
                float(random.uniform(0, shot.height)),
                z,
                (float(e[0]), float(e[1]), float(e[2])),
                float(r),
            )
        )
    if stage.day.dark or stage.day.time == "sunset":
        image = np.asarray(
            image * float(np.clip(stage.day.exposure / 0.46, 0.12, 1)) * np.array((0.8, 0.95, 1.1)), np.float32
        )
    environment = lighting.lobes(
        (0.2, 0.5, 0.6), [((0, 1, 0.1), rgb("7fe6e8") * 1.2, 1.5), ((0, -1, 0.1), rgb("0a5a78") * 0.4, 1.5)]
    )
    key = KeyLight(vector(np.sign(sx) * 0.3, 0.85, 0.45), vector(0.68, 1.0, 1.0), wrap=0.5, softness=0.5)
    rims = (RimLight(vector(0, 1, -0.3), rgb("a0fff0") * 1.2, 1.4),)
    light = Lighting(lighting.irradiance(environment), (key,), rims, fill=0.45, level=0.6, skin_shift=22)
    return Scene(np.asarray(image, np.float32), depth, light, lamps, air=False)


def _fish(image: F32, stage: Stage, random: np.random.Generator) -> F32:
    """A loose shoal, paler the farther each one is."""
    camera, (h, w) = stage.camera, image.shape[:2]
    veil = rgb("0a5a78") * 0.7
    for _ in range(30):
        z = random.uniform(6, 18)
        x = camera.width / 2 + camera.focal * random.uniform(-0.45, 0.45)
        y = camera.horizon * camera.height - camera.focal * random.uniform(-0.10, 0.22)
        long = 0.17 * camera.focal / z
        to = random.choice((-1, 1))
        colour = np.array(hexadecimal("e8b040" if random.random() < 0.6 else "c8d8e0", 0.32), np.float32)
        reach = 1.6 * long + 2
        x0, x1 = (int(np.clip(x + q, 0, w)) for q in (-reach, reach))
        y0, y1 = (int(np.clip(y + q, 0, h)) for q in (-reach, reach))
        if x1 <= x0 or y1 <= y0:
            continue
        m = np.zeros((y1 - y0, x1 - x0), np.uint8)
        x, y = x - x0, y - y0
        centre, radii = (int(x * 8), int(y * 8)), (int(long * 8), int(max(long * 0.36, 0.6) * 8))
        cv2.ellipse(m, centre, radii, 0, 0, 360, 255, -1, cv2.LINE_AA, 3)
        tail = [(x + to * long * 0.8, y), (x + to * long * 1.5, y - long * 0.4), (x + to * long * 1.5, y + long * 0.4)]
        cv2.fillPoly(m, [np.round(np.array(tail) * 8).astype(np.int32)], 255, cv2.LINE_AA, 3)
        weight = m[..., None].astype(np.float32) / 255
        image[y0:y1, x0:x1] = mix(image[y0:y1, x0:x1], mix(colour, veil, min(0.92, z / 18)), weight)
    return image
