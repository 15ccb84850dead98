"""Streets between houses: lamps, shops, neon signs, cars' lights, wet asphalt; market stalls; a roof over the town."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.noise import fbm
from portrayal.engines.studio.scenes import cards, lighting, textures
from portrayal.engines.studio.scenes.canvas import Canvas, hexadecimal
from portrayal.engines.studio.scenes.stage import Scene, Stage
from portrayal.engines.studio.types import KeyLight, Lighting, RimLight, vector
from portrayal.imaging import F32, Array

_WALLS = ("5a4a40", "6a6460", "4a4e55", "7a5a48", "4f4a48", "8a7a68")
_SHOPS = ("ffcf8a", "fff1d0", "ffb070", "cfe8ff", "ffdca8")
_NEON = ("ff1e6e", "18c8ff", "b43cff", "ffb01e", "2effa0", "ff4a2a")
_WARM = ("ffb04a", "ffe0b0", "ffd8a0", "fff0e0")


def build(stage: Stage) -> Scene:
    """A street. Options: width, floors, neon, wet, stalls, lamps, cars, strings."""
    canvas, random, day = stage.canvas(), stage.random, stage.day
    dark = day.dark
    canvas.backdrop(_night_sky(stage) if day.time == "night" else day.look(stage.camera), 1e5)
    half = float(stage.option("width", 6.5))
    _houses(canvas, stage, random, half)
    if stage.option("stalls", False):
        _stalls(canvas, stage, random, half)
    _lights(canvas, stage, random, half)
    _asphalt(canvas, stage)
    canvas.draw()
    sky = day.ambient * (0.55 if not dark else 0.05 * (1 + 2 * (day.time == "blue hour")))
    if day.sunny:
        sky = sky + day.sunlight * 0.12
    image = canvas.shade((float(sky[0]), float(sky[1]), float(sky[2])), 0.5)
    if stage.option("wet", 0.0) or day.weather in ("rain", "storm"):
        image = _wet(image, canvas, float(stage.option("wet", 0.8) or 0.8), stage.shot.seed)
    if dark:
        t = (1 - np.exp(-np.minimum(canvas.depth, 400) / 150))[..., None]
        t = np.where(canvas.depth[..., None] > 9e4, 0, t)
        glow = np.array(hexadecimal("4a3050" if stage.option("neon", 0) else "4a3a34", 0.22), np.float32)
        image = np.asarray(image * (1 - t) + glow * t, np.float32)
    light = _light(stage, image) if dark else lighting.of_daylight(day, stage.camera, (0.2, 0.19, 0.18))
    exposure = stage.setting.exposure if dark else 0.30
    # At night the lamps, not the hour, make the exposure.
    exposure = exposure * 0.46 / day.exposure if dark else exposure
    return Scene(image, canvas.depth, light, canvas.visible_lamps(), exposure, balance=0.15)


def _night_sky(stage: Stage) -> F32:
    up = np.clip(stage.camera.elevation / 0.5, 0, 1)[..., None]
    low = np.array(hexadecimal("3a2638" if stage.option("neon", 0) else "2a2430", 0.5), np.float32)
    return np.asarray(low * (1 - up) + np.array(hexadecimal("060a18", 0.5), np.float32) * up, np.float32)


def _houses(canvas: Canvas, stage: Stage, random: np.random.Generator, half: float) -> None:
    dark, neon = stage.day.dark, float(stage.option("neon", 0.0))
    low, high = stage.option("floors", (4, 10))
    for side in (-1, 1):
        z = 2.2
        while z < 105:
            long, tall = random.uniform(6, 13), random.uniform(low, high) * 3.0
            seed = int(random.integers(40))
            front, glow = textures.facade(_WALLS[seed % 6], 5, max(int(tall / 3), 3), 0.45 if dark else 0.06, seed)
            x = side * half * random.uniform(1.0, 1.04)
            canvas.side(x, z, z + long, 0, tall, front)
            if dark:
                mask = (glow.max(-1, keepdims=True) > 0.01).astype(np.float32)
                canvas.side(x * 0.998, z, z + long, 0, tall, np.concatenate([glow, mask], -1), 1.3)
            if random.random() < float(stage.option("shops", 0.85)):
                code = _SHOPS[int(random.integers(5))]
                gain = (1.1 if dark else 0.45) * random.uniform(0.5, 1.4)
                canvas.side(x * 0.995, z + 0.5, z + long - 0.5, 0.5, 2.9, textures.shop(seed % 12, code), gain)
                if dark and z < 30:
                    canvas.glow((x * 0.7, 1.8, z + long / 2), hexadecimal(code), 2.0, 0.22)
            if neon and dark:
                for _ in range(int(3 * neon)):
                    _sign(canvas, random, x, side, z + random.uniform(0.4, long - 1))
            z += long + (random.uniform(0, 2) if random.random() < 0.25 else 0)
    # What closes the street far away.
    far, lit = textures.facade("5a5854", 10, 9, 0.4 if dark else 0.05, 3)
    canvas.wall(-half * 2, half * 2, 0, 26, 118, far)
    if dark:
        canvas.wall(-half * 2, half * 2, 0, 26, 117.8, lit + 0.01, 0.8)


def _sign(canvas: Canvas, random: np.random.Generator, x: float, side: int, z: float) -> None:
    colour = np.array(hexadecimal(_NEON[int(random.integers(6))]), np.float32)
    colour = 0.85 * colour + 0.15
    wide, tall, y = random.uniform(0.5, 1.4), random.uniform(0.5, 2.4), random.uniform(2.4, 6.0)
    t = np.ones((48, 24, 3), np.float32) * colour * 0.16
    for row in range(5, 44, 7):
        t[row : row + 4, 5 : int(random.integers(9, 20))] = colour * 1.2 + 0.4
    t[:2] = t[-2:] = colour * 1.8
    t[:, :2] = t[:, -2:] = colour * 1.8
    edge = x - side * random.uniform(0.2, 0.9)
    a, b = sorted((edge, edge - side * wide))
    canvas.wall(a, b, y, y + tall, z, t, random.uniform(1.2, 3.2))
    if z < 25:
        canvas.glow(((a + b) / 2, y, z - 0.5), (float(colour[0]), float(colour[1]), float(colour[2])), 2.0, 0.14)


def _lights(canvas: Canvas, stage: Stage, random: np.random.Generator, half: float) -> None:
    dark, neon = stage.day.dark, float(stage.option("neon", 0.0))
    if not dark and not stage.option("wet", 0.0):
        return
    power = 1.0 if dark else 0.35
    near, gap = float(stage.option("first", 7.0)), float(stage.option("gap", 8.0))
    for z in np.arange(near, 95, gap):
        for side in (-1, 1):
            canvas.lamp((side * half * 0.72, 4.6, z), hexadecimal("ffb86a"), 40 * power, 0.15)
            canvas.wall(side * half * 0.72 - 0.04, side * half * 0.72 + 0.04, 0, 4.7, z, (0.02, 0.02, 0.02))
            if z < 40 and dark:
                canvas.glow((side * half * 0.7, 4.2, z), hexadecimal("ffb86a"), 3.2, 0.34)
    if stage.option("cars", True):
        for z in (15.0, 21.0, 29.0, 41.0, 54.0, 70.0):
            for x, y, c, strength in (
                (random.uniform(-2.3, -1.0), 0.65, "fff2da", 70),
                (random.uniform(1.0, 2.5), 0.75, "ff1a0c", 40),
            ):
                for q in (-0.6, 0.6):
                    canvas.lamp((x + q, y, z), hexadecimal(c), strength * power, 0.09)
    palette = _NEON if neon else _WARM
    for _ in range(int(stage.option("sparks", 70))):
        z = random.uniform(8, 85)
        p = (random.choice((-1, 1)) * random.uniform(0.72, 1.0) * half, random.uniform(1.4, 7.5), z)
        colour = 0.8 * np.array(hexadecimal(palette[int(random.integers(len(palette)))])) + 0.2 * (neon > 0)
        canvas.lamp(p, (float(colour[0]), float(colour[1]), float(colour[2])), random.uniform(8, 40) * power, 0.07)
    for j in range(int(stage.option("strings", 0))):
        z = 4.0 + 3.2 * j
        for t in np.linspace(-1, 1, 15):
            y = 3.6 - 0.5 * (1 - t * t) + 0.04 * random.uniform(-1, 1)
            canvas.lamp((t * half, y, z + 0.6 * t * (-1) ** j), hexadecimal("ffc078"), 26 * power, 0.04)


def _stalls(canvas: Canvas, stage: Stage, random: np.random.Generator, half: float) -> None:
    goods = ("d8401c", "e0b020", "6a9a2a", "e8e0d0", "8a3a5a", "c87a2a", "4a7a3a", "f0c8a0")
    for side in (-1, 1):
        for i, z in enumerate(np.arange(3.4, 26, 2.9)):
            x0 = side * half * 0.52
            a, b = sorted((x0, x0 + side * 1.7))
            roof = cards.gown(int(random.integers(9)))
            canvas.wall(a - 0.15, b + 0.15, 2.15, 2.75, z, roof)
            canvas.slab(a - 0.15, b + 0.15, z, z + 1.6, 2.75, roof)
            canvas.box((a, b), (0.0, 0.85), (z + 0.2, z + 1.4), textures.planks("7a5a3a", 6))
            for row in range(2):
                things = cards.clutter(int(random.integers(60)), goods, 15)
                canvas.wall(a, b, 0.82 + 0.16 * row, 1.2 + 0.16 * row, z + 0.22 + 0.4 * row, things)
            canvas.wall(a, a + 0.06, 0.8, 2.7, z + 0.1, (0.10, 0.07, 0.05))
            canvas.wall(b - 0.06, b, 0.8, 2.7, z + 0.1, (0.10, 0.07, 0.05))
            canvas.wall(a, b, 1.1, 2.3, z + 1.5, textures.curtain(("6a4a3a", "4a5a4a", "7a6a50")[i % 3], 5))
            for q in (0.25, 0.75):
                p = (a + (b - a) * q, 2.05, z + 0.15)
                canvas.lamp(p, hexadecimal("ffc480"), 34 if stage.day.dark else 16, 0.06)
            canvas.glow(((a + b) / 2, 1.9, z + 0.6), hexadecimal("ffb870"), 1.1, 0.8 if stage.day.dark else 0.35)


def _asphalt(canvas: Canvas, stage: Stage) -> None:
    camera = canvas.camera
    x, z, depth = camera.ground()
    here = np.isfinite(depth) & (depth < 400)
    n = fbm(x * 0.12, z * 0.06, stage.shot.seed, 1.2)
    road = np.array(hexadecimal(stage.option("road", "2e2f32")), np.float32) * (1 + 0.25 * n)[..., None]
    kerb = np.array(hexadecimal(stage.option("pavement", "5c5852")), np.float32) * (1 + 0.15 * n)[..., None]
    half = float(stage.option("width", 6.5))
    c = np.where((np.abs(x) > half * 0.64)[..., None], kerb, road)
    if stage.option("cars", True):
        line = (np.abs(x) < 0.08) & ((z % 5) < 2.4)
        c = np.where(line[..., None], np.array(hexadecimal("c8c4b0"), np.float32), c)
    canvas.albedo[here] = c[here]
    canvas.emission[here] = 0
    canvas.depth[here] = depth[here]
    canvas.normals[here] = (0, 1, 0)


def _wet(image: F32, canvas: Canvas, amount: float, seed: int) -> F32:
    """Reflect what stands on the ground, more in puddles; lamps leave long streaks."""
    camera = canvas.camera
    h, w = image.shape[:2]
    line = camera.horizon * h
    bright = image.copy()
    k = h / canvas.full_height
    for lamp in canvas.lamps:
        x, y = round(lamp.x * k), round(lamp.y * k)
        if 0 <= x < w and 0 <= y < h:
            bright[y, x] += np.asarray(lamp.energy, np.float32) * np.float32(k * k)
    tall = max(int(h * 0.07), 3)
    soft = cv2.blur(cv2.blur(np.minimum(bright, 60), (max(w // 160, 1), tall)), (max(w // 200, 1), tall))
    gx, gy = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    n = fbm(gx / h * 2, (gy - line) / h * 9, seed, 1.2)
    mirrored = cv2.remap(
        soft, gx + n * 0.004 * h, 2 * line - gy + n * 0.004 * h, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    _, _, ground = camera.ground()
    floor = np.isfinite(ground) & (np.abs(ground - canvas.depth) < 0.04 * np.minimum(ground, 1e4))
    puddle = np.clip(
        0.5 + 0.6 * fbm(gx / h * 0.8, 13.0 / np.maximum(gy - line, 0.004 * h) * 0.002 * h, seed + 2, 1.7), 0, 1
    )
    share = (floor * amount * (0.3 + 0.7 * puddle) * (0.45 + 0.55 * np.exp(-(gy - line) / (0.25 * h))))[..., None]
    return np.asarray(image * (1 - 0.5 * share) + mirrored * share, np.float32)


def _light(stage: Stage, image: F32) -> Lighting:
    """A dark street: neon from both sides, or lamps from above."""
    side = 1.0 if lighting.bright_side(image) >= 0 else -1.0
    warm = np.array(hexadecimal("ffc080"), np.float32)
    keys: tuple[KeyLight, ...]
    rims: tuple[RimLight, ...]
    if stage.option("neon", 0.0):
        pink, blue = np.array(hexadecimal("ff5aa0"), np.float32), np.array(hexadecimal("4ab8ff"), np.float32)
        a, b = (pink, blue) if stage.shot.seed % 2 else (blue, pink)
        environment = lighting.lobes((0.25, 0.22, 0.28), [((-side, 0.2, 0.2), b, 2), ((side, 0.2, 0.2), a, 2)])
        keys = (
            KeyLight(vector(0.85 * side, 0.25, 0.55), a + 0.14, wrap=0.35, softness=0.3),
            KeyLight(vector(-0.8 * side, 0.2, 0.5), 0.6 * b + 0.1, wrap=0.4, softness=0.3),
            KeyLight(vector(0.1 * side, 0.6, 0.75), warm * 0.6, wrap=0.5, softness=0.5),
        )
        rims = (RimLight(vector(side, 0.1, -1), a * 1.6, 1.7), RimLight(vector(-side, 0.1, -1), b * 1.6, 1.7))
        level, shift = 0.54, 26.0
    else:
        environment = lighting.lobes((0.24, 0.24, 0.30), [((0, 1, 0.2), warm, 2)])
        keys = (
            KeyLight(vector(0.55 * side, 0.6, 0.6), warm, wrap=0.4, softness=0.35),
            KeyLight(vector(-0.7 * side, 0.15, 0.6), np.array(hexadecimal("b8ccff", 0.4), np.float32), wrap=0.5),
        )
        rims = (RimLight(vector(-side, 0.35, -1), warm * 1.3, 1.5),)
        level, shift = 0.56, 18.0
    return Lighting(lighting.irradiance(environment), keys, rims, fill=0.32, level=level, skin_shift=shift)


def _skyline(canvas: Canvas, stage: Stage, random: np.random.Generator) -> None:
    """Towers in five rows, paler with distance; those outside the picture are left out."""
    day, camera = stage.day, stage.camera
    light = day.ambient * 0.62 + day.sunlight * (0.22 if day.sun[2] > 0 else 0.5)
    pale = np.asarray(0.6 * day.horizon + 0.4 * day.ambient, np.float32)
    half = 0.5 * camera.width / camera.focal
    spread = min(float(np.tan(min(np.arctan(half) + abs(camera.yaw), 1.2))) + 0.06, 2.6)
    for z, count, tall in ((1900, 50, 190), (1000, 40, 150), (520, 30, 95), (260, 22, 52), (130, 14, 24)):
        air = (0.72 if not day.dark else 0.35) * (1 - np.exp(-z / 1500))
        for _ in range(int(count * spread / 0.75)):
            wide = random.uniform(0.035, 0.075) * z * (1.6 if z < 300 else 1)
            x, high = random.uniform(-spread, spread) * z, tall * random.uniform(0.2, 1) ** 1.5
            seed = int(random.integers(30))
            place = camera.project((x + wide / 2, 0, z))
            if not -0.2 < place[0] / camera.width < 1.2:
                continue
            make = textures.far_facade if z > 200 else textures.facade
            lit_share = 0.5 if day.dark else 0.04
            front, lit = make(_WALLS[seed % 6], 4 + seed % 5, 9 + seed % 9, lit_share, seed, "48525e")
            slope: Array = np.linspace(0.75, 1.2, front.shape[1], dtype=np.float32)[None, :, None]
            body = front * light * (slope if day.sun[0] > 0 else slope[:, ::-1]) + lit * (1.0 if day.dark else 0.4)
            body = body * np.float32(1 - air) + pale * np.float32(air * (0.75 if not day.dark else 0.35))
            canvas.wall(x, x + wide, -60, high - 14, z, body, 1.0)


def _terrace(canvas: Canvas, random: np.random.Generator, dark: bool) -> None:
    """The roof: parapet, boards, pots, strings of lamps."""
    canvas.wall(-9, 9, 0, 0.95, 6.8, textures.bricks("8a6a58", 6, 2), 0, (5.0, 1.0))
    canvas.slab(-9, 9, 6.7, 7.1, 0.98, textures.plaster("b0a698", 2))
    canvas.slab(-9, 9, 0.3, 6.8, 0, textures.planks("8a7258", 10), 0, (4.0, 2.0))
    for i, x in enumerate((-3.4, -2.5, 2.7, 3.5)):
        canvas.card(x, 0, 5.9 + 0.2 * (i % 2), 1.0, 1.5, cards.plant(i, "4a6a34", "8a8a84"))
    canvas.box((1.2, 2.3), (0.0, 0.7), (5.0, 5.7), textures.planks("7a5a3a", 4))
    power = 30 if dark else 18
    for j, (za, zb, y) in enumerate(((3.4, 6.6, 2.9), (4.6, 6.6, 2.75), (6.5, 6.6, 2.6))):
        for t in np.linspace(0, 1, 15):
            x = (-4.6 + 9.2 * t) * (1 if j % 2 == 0 else -1)
            z = za + (zb - za) * t
            canvas.lamp((x, y - 0.45 * np.sin(np.pi * t), z), hexadecimal("ffc070"), power * 0.8, 0.035)
            canvas.glow((x, y - 0.4, z), hexadecimal("ffc070"), 0.9, 0.05 if dark else 0.02)


def rooftop(stage: Stage) -> Scene:
    """A roof terrace over a town: parapet, strings of lamps, towers to the horizon."""
    canvas, random, day = stage.canvas(), stage.random, stage.day
    canvas.backdrop(day.look(stage.camera), 1e5)
    _skyline(canvas, stage, random)
    _terrace(canvas, random, day.dark)
    canvas.draw()
    lit_floor = day.ambient * (0.6 if not day.dark else 0.25) + day.sunlight * max(float(day.sun[1]), 0.1) * 0.8
    image = canvas.shade((float(lit_floor[0]), float(lit_floor[1]), float(lit_floor[2])), 0.4)
    if day.dark:
        for _ in range(90):
            away = random.uniform(120, 900)
            p = (random.uniform(-0.6, 0.6) * away, random.uniform(-20, 6) * away / 200, away)
            canvas.lamp(p, hexadecimal(_WARM[int(random.integers(4))]), random.uniform(3, 14), 0.002 * away)
    light_of = lighting.of_daylight(day, stage.camera, (0.25, 0.22, 0.19))
    balance = 0.12 if day.time in ("golden hour", "sunset") else 0.1
    boost = 1.8 if day.time == "night" else 1.0
    return Scene(image, canvas.depth, light_of, canvas.visible_lamps(), 0.40 * boost, balance=balance)
