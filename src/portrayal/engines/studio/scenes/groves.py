"""Trees, lawns and flowers: parks in all seasons, gardens, a jungle, a forest under snow.

Cut-outs of crowns, trunks and bushes stand at many depths over a ground of noise; light through the leaves
comes as points that the lens turns into discs, which is what makes such a background look photographed.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from portrayal.engines.studio.noise import fbm, profile
from portrayal.engines.studio.panorama import luminance
from portrayal.engines.studio.scenes import cards, lighting, textures
from portrayal.engines.studio.scenes.canvas import Canvas, hexadecimal
from portrayal.engines.studio.scenes.land import mix, pale, rgb, step
from portrayal.engines.studio.scenes.stage import Scene, Stage
from portrayal.imaging import F32


def build(stage: Stage) -> Scene:
    """A grove.

    Options: kind (leaf, fir, palm), crowns, sun, trunk, ground, ground2, path, petals, flowers, hedge, bench, ...
    """
    canvas, random, day, camera = stage.canvas(), stage.random, stage.day, stage.camera
    # Under trees the sky counts less than the sun that comes through.
    grey = 0.5 * day.ambient + 0.5 * float(luminance(day.ambient))
    lit = np.asarray(grey * 0.7 + day.sunlight * 0.45, np.float32)
    image, depth = _far(stage, day.look(camera), lit)
    canvas.backdrop(image, depth)
    _ground(canvas, stage, lit)
    _trees(canvas, stage, random, lit)
    _beds(canvas, stage, random, lit)
    _undergrowth(canvas, stage, random, lit)
    canvas.draw()
    out = canvas.emission
    air = float(stage.option("mist", 420.0))
    t = (1 - np.exp(-np.minimum(canvas.depth, 300) / air))[..., None] * 0.8
    t = np.where(canvas.depth[..., None] > 9e4, 0, t)
    out = mix(out, pale(day) * np.array(stage.option("air", (1.05, 1.0, 0.93)), np.float32), t)
    if stage.option("shafts", 0.0) and not day.dark:
        out = out + _shafts(stage) * (float(stage.option("shafts", 0.0)) * (1.0 if day.sunny else 0.35)) * lit
    _gaps(canvas, stage, random)
    if day.dark and stage.option("lamps", True):
        _park_lamps(canvas, stage)
        out = out + _pools(canvas) * canvas_albedo(out, lit)
    colour = rgb(stage.option("ground", "4a6a2c"))
    light = lighting.of_daylight(day, camera, [float(v) for v in colour * 1.2])
    warm = {"golden hour": 0.25, "sunset": 0.2}.get(day.time, 0.05)
    boost = 1.5 if day.time == "night" else 1.0
    exposure = (stage.setting.exposure or 0.28) * boost
    return Scene(np.asarray(out, np.float32), canvas.depth, light, canvas.visible_lamps(), exposure, balance=warm)


def canvas_albedo(image: F32, lit: F32) -> F32:
    """Reflectance that a lit picture had."""
    return np.asarray(image / np.maximum(lit, 1e-3), np.float32)


def _far(stage: Stage, sky: F32, lit: F32) -> tuple[F32, F32]:
    """Two lines of woods on the horizon."""
    camera, seed = stage.camera, stage.shot.seed
    image, depth = sky, np.full(sky.shape[:2], 1e5, np.float32)
    az = np.broadcast_to(camera.azimuth, depth.shape)
    crowns = stage.option("crowns", ("3c5a2c",))
    for i, (base, rough, z) in enumerate(((0.075, 0.03, 140.0), (0.045, 0.035, 75.0))):
        line = base * float(stage.option("wood", 1.0)) + rough * profile(camera.azimuth * (0.8 + i), seed + i, 1.2)
        leaves = fbm(az * 5, camera.elevation * 7, seed + 4 + i, 0.8)
        m = np.clip((line + 0.004 * leaves - camera.elevation) * camera.focal * 0.6 + 0.5, 0, 1)[..., None]
        c = rgb(crowns[i % len(crowns)]) * (0.62 + 0.30 * leaves)[..., None] * lit
        c = mix(c, pale(stage.day), 1 - np.exp(-z / 260.0))
        image = mix(image, np.maximum(c, 0.004), m)
        depth = np.where(m[..., 0] > 0.5, np.float32(z), depth)
    return image, depth


def _ground(canvas: Canvas, stage: Stage, lit: F32) -> None:
    camera, seed = canvas.camera, stage.shot.seed
    x, z, ground = camera.ground()
    here = np.isfinite(ground)
    g = np.minimum(ground, 1e4)
    a, b = rgb(stage.option("ground", "4a6a2c")), rgb(stage.option("ground2", "6a7a3a"))
    n = step(-0.8, 1.0, fbm(x * 0.04, z * 0.05, seed + 6, 1.7))[..., None]
    c = mix(a, b, n) * (1 + 0.32 * fbm(x * 0.3, z * 0.5, seed + 5, 0.8) * np.clip(12 / g, 0.15, 1))[..., None]
    # Sun flecks and shadows of the crowns.
    fleck = step(0.1, 0.9, fbm(x * 0.09, z * 0.07, seed + 9, 1.2))[..., None]
    hard = (0.5 if stage.day.sunny else 0.12) * (0.3 if stage.option("snow", 0) else 1)
    c = c * (1 - hard + 1.5 * hard * fleck)
    petals = stage.option("petals", "")
    if petals:
        dots = step(0.35, 1.1, fbm(x * 1.1, z * 1.1, seed + 15, 0.8))[..., None]
        c = mix(c, rgb(petals), 0.75 * dots)
    path = stage.option("path", "")
    if path:
        middle = 0.9 * np.sin(z * 0.16 + 6.283 * stage.phase) + 0.5
        edge = 1.35 + 0.15 * fbm(x * 0.3, z * 0.3, 17, 1.2)
        on = step(0.25, -0.1, np.abs(x - middle) - edge)[..., None]
        c = mix(c, rgb(path) * (1 + 0.12 * fbm(x * 1.5, z * 1.5, 18, 0.8))[..., None] * (0.75 + 0.35 * fleck), on)
    if stage.day.weather == "snow":
        c = mix(c, rgb("e4eaf2"), 0.85)
    canvas.emission[here] = (c * lit)[here]
    canvas.depth[here] = np.minimum(canvas.depth, g)[here]


def _lit_card(card: F32, lit: F32, gain: float = 1.0) -> F32:
    out = card.copy()
    out[..., :3] *= lit * gain
    return out


def _trees(canvas: Canvas, stage: Stage, random: np.random.Generator, lit: F32) -> None:
    kind = stage.option("kind", "leaf")
    crowns, glow = stage.option("crowns", ("3c5a2c",)), stage.option("sun", "b0b850")
    bark = stage.option("trunk", "4a3a2c")
    frosted = 0.9 if stage.day.weather == "snow" else float(stage.option("snow", 0.0))
    spread = float(stage.option("spread", 1.0))
    stock: dict[tuple[object, ...], F32] = {}

    def stocked(key: tuple[object, ...], card: F32, gain: float = 1.0) -> F32:
        if key not in stock:
            stock[key] = _lit_card(card, lit, gain)
        return stock[key]

    for z in np.array(stage.option("depths", (55, 42, 32, 25, 19, 14.5, 11))):
        for side in (-1, 1):
            for _ in range(int(stage.option("density", 2))):
                x = side * random.uniform(1.6 + 0.08 * z, 1.6 + 0.62 * z) * spread
                tall = random.uniform(*stage.option("tall", (6.0, 9.5)))
                v = int(random.integers(3))
                if kind == "fir":
                    card = stocked(("fir", v), cards.fir(crowns[v % len(crowns)], v, frosted))
                    canvas.card(x, -0.1, z, tall * 0.55, tall, card, 1.0)
                    continue
                if kind == "palm" and random.random() < 0.45:
                    canvas.card(
                        x, -0.2, z, tall, tall, stocked(("palm", v), cards.palm(v, crowns[v % len(crowns)])), 1.0
                    )
                    continue
                wide = tall * random.uniform(0.7, 0.95)
                canvas.card(
                    x, -0.1, z + 0.2, tall * 0.34, tall * 0.72, stocked(("trunk", v), cards.trunk(bark, v), 0.8), 1.0
                )
                for _ in range(3):
                    code = crowns[int(random.integers(len(crowns)))]
                    w = wide * random.uniform(0.55, 0.85)
                    dx, y = random.uniform(-0.3, 0.3) * wide, tall * random.uniform(0.32, 0.62)
                    card = stocked(("crown", code, v), cards.crown(code, v, 0.0, glow))
                    canvas.card(x + dx, y, z - 0.1 * random.random(), w, w * 0.8, card, 1.0)
    for j in range(int(stage.option("overhang", 0))):  # branches that reach into the picture from above
        z = random.uniform(4.5, 8.0)
        code = crowns[int(random.integers(len(crowns)))]
        card = stocked(("over", code, j % 3), cards.crown(code, 11 + j % 3, -0.15, glow, 1.6))
        w = random.uniform(1.6, 2.8)
        canvas.card(random.uniform(-0.5, 0.5) * z, 1.5 + z * random.uniform(0.16, 0.34), z, w, w * 0.75, card, 1.0)


def _beds(canvas: Canvas, stage: Stage, random: np.random.Generator, lit: F32) -> None:
    """Hedges, bushes, flower beds, a bench."""
    hedge = stage.option("hedge", "")
    if hedge:
        for z, high in ((16.0, 2.3), (9.5, 1.1)):
            for x in np.arange(-0.62 * z, 0.62 * z, 1.5):
                if abs(x) < 1.3 and z < 12:
                    continue
                card = _lit_card(cards.crown(hedge, int(x * 3) % 3, 0.6, stage.option("sun", "b0b850"), 0.6), lit)
                canvas.card(x + random.uniform(-0.2, 0.2), -0.3, z, 2.4, high * random.uniform(0.9, 1.3), card, 1.0)
    for z in stage.option("bushes", ()):
        for _ in range(5):
            x = random.choice((-1, 1)) * random.uniform(0.2, 0.6) * z
            code = stage.option("crowns", ("3c5a2c",))[0]
            card = _lit_card(cards.crown(code, int(random.integers(3)), 0.4, stage.option("sun", "b0b850")), lit)
            canvas.card(x, -0.3, z, random.uniform(1.6, 3.2), random.uniform(0.9, 1.9), card, 1.0)
    flowers = stage.option("flowers", ())
    if flowers:
        blooms: dict[tuple[str, int], F32] = {}
        for z in np.linspace(13, 4.2, 8):
            for _ in range(int(16 + 40 / z)):
                x = random.uniform(-0.62, 0.62) * z
                if abs(x) < 0.8:
                    continue
                patch = int(abs(np.sin(x * 0.8 + z)) * 7.9)
                code = flowers[(patch if random.random() < 0.75 else int(random.integers(8))) % len(flowers)]
                v = int(random.integers(3))
                if (code, v) not in blooms:
                    blooms[code, v] = _lit_card(_flower(code, v), lit, 1.1)
                card = blooms[code, v]
                w = random.uniform(0.35, 0.6)
                canvas.card(x, -0.02, z + random.uniform(-0.4, 0.4), w, random.uniform(0.5, 0.95), card, 1.0)
    if stage.option("bench", False):
        wood = textures.planks("6a4a30", 5, 1, False) * lit
        x = 2.3 if stage.shot.seed % 2 else -3.6
        canvas.wall(x, x + 1.5, 0.55, 0.95, 8.6, wood, 1.0)
        canvas.wall(x, x + 1.5, 0.38, 0.46, 8.3, wood * 1.2, 1.0)
        for q in (0.1, 1.3):
            canvas.wall(x + q, x + q + 0.08, 0, 0.5, 8.3, tuple(float(v) for v in lit * 0.05), 1.0)  # type: ignore[arg-type]


def _undergrowth(canvas: Canvas, stage: Stage, random: np.random.Generator, lit: F32) -> None:
    """What makes a wood a jungle: rosettes of large leaves at both sides of the way, and hanging vines."""
    greens = stage.option("crowns", ("2a5a22",))
    # Near plants stand in the shade and frame; far ones catch the light.
    for z in stage.option("leaves", ()):
        for _ in range(4):
            x = float(random.choice((-1, 1))) * random.uniform(0.20, 0.50) * z
            long = random.uniform(0.9, 1.5) * (0.7 + 0.05 * z)
            for a in np.linspace(-1.15, 1.15, 6) + random.uniform(-0.2, 0.2, 6):
                card = cards.leaf(int(random.integers(4)), greens[int(random.integers(len(greens)))])
                card = _lit_card(card, lit, float((0.45 + 0.05 * z) * random.uniform(0.6, 1.5)))
                _leaning(canvas, card, (x, random.uniform(-0.1, 0.4), z + random.uniform(-0.3, 0.3)), long, float(a))
    for _ in range(int(stage.option("vines", 0))):
        z = random.uniform(5.0, 16.0)
        x, top, low = random.uniform(-0.5, 0.5) * z, 1.5 + 0.5 * z, 1.5 + random.uniform(-0.02, 0.22) * z
        canvas.card(x, low, z, 0.5, top - low, _lit_card(_vine(int(random.integers(4))), lit, 0.6), 1.0)


def _leaning(canvas: Canvas, card: F32, foot: tuple[float, float, float], long: float, angle: float) -> None:
    """A card of half its length's width that leans to the side by `angle` radians, upright to the camera."""
    c, s = float(np.cos(canvas.camera.yaw)), float(np.sin(canvas.camera.yaw))
    up, right = (float(np.sin(angle)), float(np.cos(angle))), (float(np.cos(angle)), -float(np.sin(angle)))
    wide = 0.5 * long
    ox, oy = up[0] * long - right[0] * wide / 2, up[1] * long - right[1] * wide / 2
    corner = (foot[0] + ox * c, foot[1] + oy, foot[2] - ox * s)
    canvas.quad(
        corner, (right[0] * wide * c, right[1] * wide, -right[0] * wide * s),
        (-up[0] * long * c, -up[1] * long, up[0] * long * s), card, 1.0,
    )  # fmt: skip


@lru_cache(4)
def _vine(seed: int) -> F32:
    """A hanging vine with leaves, (256, 32, 4)."""
    random = np.random.default_rng(seed)
    m = np.zeros((256, 32), np.uint8)
    y = np.arange(0, 256, 4)
    x = 16 + 4 * np.sin(y / random.uniform(22, 40) + seed)
    cv2.polylines(m, [np.stack([x, y], 1).astype(np.int32)], False, 255, 2, cv2.LINE_AA)
    for i in random.integers(2, 62, 34):
        centre = (int(x[i] + random.choice((-6, 6))), int(y[i]))
        cv2.ellipse(m, centre, (5, 3), float(random.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA)
    tone = random.uniform(0.6, 1.4, (256, 1, 1))
    return np.concatenate([rgb("35591f") * tone * np.ones((256, 32, 1)), m[..., None] / 255], -1).astype(np.float32)


def _shafts(stage: Stage) -> F32:
    """Beams that fall through the leaves, (h, w, 3), strongest above."""
    x, y = stage.camera.frame
    side = 1.0 if stage.day.sun[0] > 0 else -1.0
    # All beams come from one far point over the frame.
    turn = np.arctan2(x - 0.45 * side, y + 1.3)
    beams = fbm(turn * 0.6, np.full_like(turn, 0.3), stage.shot.seed % 9973, 1.2)
    beams = np.clip(beams - 0.25, 0, 2) * np.exp(-np.clip(y + 0.5, 0, 2) * 1.6)
    return np.asarray(rgb("fff0b0") * beams[..., None], np.float32)


@lru_cache(32)
def _flower(code: str, seed: int) -> F32:
    """A flowering plant, (72, 48, 4)."""
    random = np.random.default_rng(seed)
    m, bloom = np.zeros((72, 48), np.uint8), np.zeros((72, 48), np.uint8)
    for _ in range(9):
        x = int(random.integers(8, 40))
        cv2.line(m, (24, 71), (x, int(random.integers(22, 50))), 255, 2, cv2.LINE_AA)
        cv2.ellipse(m, (x, int(random.integers(38, 64))), (6, 2), float(random.uniform(-60, 60)), 0, 360, 255, -1)
    for _ in range(6):
        cv2.circle(
            bloom,
            (int(random.integers(8, 40)), int(random.integers(7, 36))),
            int(random.integers(4, 8)),
            255,
            -1,
            cv2.LINE_AA,
        )
    n = fbm(np.mgrid[:72, :48][1] / 60.0, np.mgrid[:72, :48][0] / 60.0, seed, 0.8)[..., None]
    c = np.where(bloom[..., None] > 100, rgb(code) * (1 + 0.25 * n), rgb("3f6a26") * (1 + 0.3 * n))
    return np.concatenate([c, np.maximum(m, bloom)[..., None] / 255], -1).astype(np.float32)


def _gaps(canvas: Canvas, stage: Stage, random: np.random.Generator) -> None:
    """Sky between leaves and sun on leaves: points that become discs of the aperture."""
    day = stage.day
    count = int(stage.option("glints", 260) * (1.0 if day.sunny else 0.45))
    if day.dark or "glints" in stage.shot.without:
        return
    sparkle = np.array(hexadecimal(stage.option("sun", "d8e090")), np.float32)
    white = day.ambient + 0.6 * day.sunlight
    leaf = sparkle * float(luminance(white))
    low, high = stage.option("glint_y", (1.6, 8.5))
    for _ in range(count):
        z = random.uniform(9, 45)
        p = (random.uniform(-0.62, 0.62) * z, random.uniform(low, high) * (0.55 + z / 60), z)
        bright = random.uniform(0, 1)
        colour = mix(leaf, white, 0.7 * bright)
        power = 0.35 + 5.5 * bright**6
        size = 0.0034 * z * random.uniform(0.5, 1.5)
        canvas.lamp(p, (float(colour[0]), float(colour[1]), float(colour[2])), power, size)


def _park_lamps(canvas: Canvas, stage: Stage) -> None:
    for z in (7.5, 13.0, 19.0, 26.0, 34.0):
        for side in (-1, 1):
            canvas.lamp((side * (2.2 + 0.04 * z), 3.0, z), hexadecimal("ffd090"), 26, 0.12)
            canvas.glow((side * (2.2 + 0.04 * z), 2.9, z), hexadecimal("ffb060"), 2.6, 0.25)


def _pools(canvas: Canvas) -> F32:
    """Light of the park's lamps on what is near them."""
    canvas_albedo_saved, emission_saved = canvas.albedo.copy(), canvas.emission.copy()
    canvas.albedo[:] = 1
    canvas.emission[:] = 0
    out = canvas.shade((0.0, 0.0, 0.0), 0.0)
    canvas.albedo[:], canvas.emission[:] = canvas_albedo_saved, emission_saved
    return out
