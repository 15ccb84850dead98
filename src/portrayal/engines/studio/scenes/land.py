"""Open country in layers: ridges in the haze, snow, lakes, dunes, a castle on its hill."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.noise import fbm, profile
from portrayal.engines.studio.panorama import luminance
from portrayal.engines.studio.scenes import lighting
from portrayal.engines.studio.scenes.camera import Camera
from portrayal.engines.studio.scenes.canvas import hexadecimal
from portrayal.engines.studio.scenes.daylight import Daylight
from portrayal.engines.studio.scenes.stage import Scene, Stage
from portrayal.imaging import F32, U8, Array


def rgb(code: str) -> F32:
    """Linear colour as an array."""
    return np.array(hexadecimal(code), np.float32)


def mix(a: Array, b: Array, t: Array | float) -> F32:
    """Linear interpolation."""
    return np.asarray(a * (1 - t) + b * t, np.float32)


def step(a: float, b: float, x: Array) -> F32:
    """Smooth step from 0 at a to 1 at b."""
    t = np.clip((x - a) / (b - a), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def pale(day: Daylight) -> F32:
    """Colour of distant air."""
    return np.asarray(0.62 * day.horizon + 0.25 * day.ambient, np.float32)


def ridge(camera: Camera, base: float, height: float, seed: int, spacing: float) -> tuple[F32, F32]:
    """A line of peaks: its elevation (1, w) in radians, and the flank that one sees, -1 left .. 1 right of a summit.

    `base` is the mean elevation, `height` that of a peak over it, `spacing` the mean angle between summits.
    """
    random = np.random.default_rng(seed)
    places = np.arange(-4.2, 4.2, spacing)
    places = places + random.uniform(-0.42, 0.42, len(places)) * spacing
    tops = random.uniform(0.15, 1.0, len(places)) ** 0.8
    az = camera.azimuth + 0.06 * spacing * profile(camera.azimuth / spacing * 0.12, seed + 1, 1.2)
    away = az[0][None] - places[:, None]
    steep = random.uniform(1.0, 1.7, len(places))[:, None] / spacing
    tent = tops[:, None] - steep * np.abs(away)
    best = np.argmax(tent, 0)[None]
    line = np.maximum(np.take_along_axis(tent, best, 0), -0.9)
    flank = np.tanh(np.take_along_axis(away, best, 0) / (0.10 * spacing))
    rough = 0.07 * profile(camera.azimuth / spacing * 0.22, seed + 5, 1.2)
    return np.asarray(base + height * (line + rough), np.float32), np.asarray(flank, np.float32)


def cover(camera: Camera, line: F32) -> F32:
    """Coverage (h, w) of everything below an elevation line."""
    return np.asarray(np.clip((line - camera.elevation) * camera.focal + 0.5, 0, 1), np.float32)


def _slopes(camera: Camera, below: F32, seed: int, scale: float, side: float) -> F32:
    """Light and shade of eroded flanks, about 0..1.2."""
    az = np.broadcast_to(camera.azimuth, below.shape)
    u, v = az * scale, camera.elevation * scale * 0.8
    h = 1 - np.abs(fbm(u, v, seed, 1.7)) + 0.35 * (1 - np.abs(fbm(u * 2.7, v * 2.7, seed + 5, 1.2)))
    k = camera.focal / 400
    gx = cv2.Sobel(h, cv2.CV_32F, 1, 0, ksize=3) * k
    gy = cv2.Sobel(h, cv2.CV_32F, 0, 1, ksize=3) * k
    return np.asarray(np.clip(0.5 + 2.6 * side * gx - 1.4 * gy, 0.03, 1.3), np.float32)


def build(stage: Stage) -> Scene:
    """Mountains. Options: snow 0..1, lake, castle, rock, forest, meadow, peaks (height)."""
    camera, day, seed = stage.camera, stage.day, stage.shot.seed % 17
    image = day.look(camera)
    depth = np.full(image.shape[:2], 1e5, np.float32)
    side = -1.0 if day.sun[0] > 0 else 1.0
    air, snow, peaks = pale(day), float(stage.option("snow", 0.5)), float(stage.option("peaks", 1.0))
    sun = day.sunlight * (0.5 if day.sun[2] > 0 else 0.95)
    layers = (
        (0.12, 0.085, 12000, 0.17),
        (0.065, 0.05, 6500, 0.13),
        (0.03, 0.022, 3200, 0.10),
        (0.012, 0.008, 1100, 0.05),
    )
    for i, (base, height, z, scale) in enumerate(layers):
        line, flank = ridge(camera, base * peaks, height * peaks, seed * 7 + i, scale)
        m = cover(camera, line)
        under = np.clip(line - camera.elevation, 0, 1)
        fade = np.exp(-under / (0.9 * height * peaks))
        shade = _slopes(camera, under, seed + 20 + i, 1.2 + i, side) * 0.8 + 0.45 * side * flank * fade
        shade = np.clip(shade, 0.03, 1.35)[..., None]
        rock = rgb(stage.option("rock", "6b6258")) if i < 2 else mix(rgb("4c5638"), rgb("33421f"), i - 2.0)
        white: Array = np.zeros(1)
        if snow > 0 and i < 2 + (snow > 0.7):
            ragged = 0.02 * fbm(np.broadcast_to(camera.azimuth, under.shape) * 3, camera.elevation * 5, 5, 1.2)
            white = step(0.02 + 0.11 * snow, 0.01, under + ragged + 0.03 * (1 - shade[..., 0]))[..., None]
        c: Array = mix(rock, rgb("eef3fa"), white) * (sun * shade + day.ambient * (0.35 + 0.4 * shade)) * 0.7
        if i == 3:
            trees = step(
                -0.3, 0.5, fbm(np.broadcast_to(camera.azimuth, under.shape) * 9, camera.elevation * 14, seed + 3, 0.8)
            )
            c = c * (0.5 + 0.8 * trees)[..., None]
        t = 0.50 * (1 - np.exp(-z / 12000))
        mist = np.clip(t + (1 - t) * 0.35 * step(0.02, 0.12, under) * (i < 3), 0, 0.93)[..., None]
        c = mix(c, air, mist)
        image = mix(image, c, m[..., None])
        depth = np.where(m > 0.5, np.float32(z), depth)
        if i == 2 and stage.option("castle", False):
            image, depth = _castle(image, depth, stage, air)
    image, depth = _foreground(image, depth, stage)
    light = lighting.of_daylight(day, camera, (0.8, 0.84, 0.9) if snow > 0.8 else (0.14, 0.16, 0.09))
    warm = {"golden hour": 0.2, "sunset": 0.15, "dawn": 0.1}.get(day.time, 0.05)
    return Scene(image, depth, light, [], stage.setting.exposure or 0.40, balance=warm)


def _foreground(image: F32, depth: F32, stage: Stage) -> tuple[F32, F32]:
    """A lake that mirrors, its bank, grass or snow."""
    camera, day = stage.camera, stage.day
    x, z, ground = camera.ground()
    here = np.isfinite(ground) & (camera.elevation < -0.004)
    h = camera.height
    lit = day.lit()
    grass = mix(rgb("5f7038"), rgb("8a7c46"), step(-0.5, 1, fbm(x * 0.03, z * 0.03, 12, 1.7))[..., None])
    n = fbm(x * 0.35, z * 0.7, 13, 0.8) * np.clip(9 / np.maximum(ground, 1), 0.08, 1)
    c = grass * (1 + 0.4 * n)[..., None] * lit * 0.62
    flowers = stage.option("flowers", "")
    if flowers:
        dots = step(1.2, 1.7, fbm(x * 0.9, z * 1.6, 21, 0.8))[..., None]
        c = mix(c, rgb(flowers) * lit * 0.8, dots * np.clip(14 / np.maximum(ground, 1), 0, 1)[..., None])
    if float(stage.option("snow", 0.5)) > 0.8 or day.weather == "snow":
        drift = 1 + 0.16 * fbm(x * 0.07, z * 0.12, 14, 1.7) + 0.05 * fbm(x * 0.5, z, 15, 0.8)
        c = rgb("eef2f8") * lit * 0.72 * drift[..., None]
    if stage.option("lake", False):
        row = np.arange(h, dtype=np.float32)[:, None]
        wave = fbm(x * 0.03, z * 0.06, 3, 1.2) * 0.006 * h * np.clip(40 / np.maximum(ground, 1), 0.1, 1)
        mirror = np.clip(2 * camera.horizon * h - row - np.abs(wave) * 2, 0, h - 1).astype(np.float32)
        gx = np.broadcast_to(np.arange(camera.width, dtype=np.float32)[None], mirror.shape)
        seen = cv2.remap(cv2.blur(image, (1, max(h // 90, 1))), gx + wave * 0.5, mirror, cv2.INTER_LINEAR)
        deep = rgb("16363e") * float(luminance(lit)) * 0.4
        water = mix(deep, seen, 0.82)
        bank = step(7.5, 6.0, ground + 2.2 * fbm(x * 0.05, z * 0.05, 9, 1.7))[..., None]
        pebbles = mix(rgb("7a7268") * (1 + 0.5 * fbm(x * 2.2, z * 2.2, 8, 0.8))[..., None] * lit * 0.6, c, 0.25)
        c = mix(water, pebbles, bank)
    far = (1 - np.exp(-np.minimum(ground, 1e5) / 5000))[..., None]
    c = mix(c, pale(day), far * 0.8)
    return np.where(here[..., None], c, image).astype(np.float32), np.where(
        here, np.minimum(ground, 1200), depth
    ).astype(np.float32)


# Of each tower: offset, width and height, in units of the castle.
_TOWERS = (
    (0, 0.026, 0.16), (-0.045, 0.018, 0.11), (0.042, 0.020, 0.125), (-0.078, 0.022, 0.075),
    (0.08, 0.023, 0.085), (-0.02, 0.013, 0.18), (0.022, 0.012, 0.14),
)  # fmt: skip


def _silhouette(h: int, w: int, middle: float, base: float, s: float) -> tuple[U8, U8, U8]:
    """Masks of walls, roofs and hill."""
    body, hill = np.zeros((h, w), np.uint8), np.zeros((h, w), np.uint8)
    t = np.linspace(-1.6, 1.6, 33)
    top = base + s * (0.11 * np.abs(t) ** 1.4 + 0.006 * np.sin(t * 17) - 0.01)
    _fill(hill, [*zip(middle + t * s * 0.2, top, strict=True), (middle + 0.4 * s, h), (middle - 0.4 * s, h)])
    _fill(
        body,
        [
            (middle - 0.085 * s, base - 0.05 * s),
            (middle + 0.085 * s, base - 0.05 * s),
            (middle + 0.09 * s, base + 0.04 * s),
            (middle - 0.09 * s, base + 0.04 * s),
        ],
    )
    for q in np.arange(-0.085, 0.085, 0.012):
        _fill(
            body,
            [
                (middle + q * s, base - 0.058 * s),
                (middle + (q + 0.007) * s, base - 0.058 * s),
                (middle + (q + 0.007) * s, base),
                (middle + q * s, base),
            ],
        )
    roofs = np.zeros_like(body)
    for dx, wide, tall in _TOWERS:
        a, b, y = middle + (dx - wide / 2) * s, middle + (dx + wide / 2) * s, base - tall * s
        _fill(body, [(a, y), (b, y), (b, base + 0.02 * s), (a, base + 0.02 * s)])
        _fill(roofs, [(a - 0.005 * s, y), (middle + dx * s, y - wide * 2.3 * s), (b + 0.005 * s, y)])
    return body, roofs, hill


def _castle(image: F32, depth: F32, stage: Stage, air: F32) -> tuple[F32, F32]:
    """A castle with round towers on a wooded hill, right or left of the person in every view."""
    camera, day, k = stage.camera, stage.day, stage.camera.focal
    h, w = camera.height, camera.width
    side = 1 if stage.shot.seed % 2 else -1
    s = k * 1.15 * float(np.clip(w / h, 0.5, 1.15))
    # Beside the head, and with its outer tower still in the picture.
    middle = w / 2 + side * float(np.clip(0.36 * w, 0.2 * h, w / 2 - 0.115 * s))
    base = camera.horizon * h - 0.05 * k
    body, roofs, hill = _silhouette(h, w, middle, base, s)
    stone = np.maximum(body, roofs).astype(np.float32)[..., None] / 255
    shade = _round_towers(h, w, middle, base, s, -1.0 if day.sun[0] < 0 else 1.0)[..., None]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    rough = np.exp(0.20 * fbm(x / s * 3.0, y / s * 5.0, 31, 0.8))[..., None]
    light = day.ambient * 0.55 + day.sunlight * 0.5 * shade
    wall = mix(rgb("9a8a76") * rough, rgb("3c4254"), (roofs > body)[..., None].astype(np.float32)) * light
    wood = rgb("33401f") * np.exp(0.5 * fbm(x / s * 4, y / s * 4, 32, 0.8))[..., None] * light
    mist = np.clip(0.10 + 0.6 * step(base, base + 0.2 * s, y[:, :1]), 0, 0.95)[..., None]
    hill_m = cv2.GaussianBlur(hill, (0, 0), 0.7).astype(np.float32)[..., None] / 255
    image = mix(image, mix(wood, air, mist), hill_m)
    haze = np.clip(0.10 + 0.35 * step(base - 0.05 * s, base + 0.05 * s, y[:, :1]), 0, 1)[..., None]
    image = mix(image, mix(wall, air, haze), stone)
    _windows(image, middle, base, s, day, air)
    return image, np.where(np.maximum(stone[..., 0], hill_m[..., 0]) > 0.5, np.float32(900), depth)


def _round_towers(h: int, w: int, middle: float, base: float, s: float, sunny: float) -> F32:
    """Light on the walls and towers, 0.15..1.3: cylinders lit from one side (-1 left, 1 right)."""
    x = np.arange(w, dtype=np.float32)[None]
    shade = np.full((h, w), 0.55, np.float32)
    for dx, wide, tall in sorted(_TOWERS, key=lambda tower: -tower[2]):
        mask = np.zeros((h, w), np.uint8)
        a, b, y = middle + (dx - 0.7 * wide) * s, middle + (dx + 0.7 * wide) * s, base - tall * s
        _fill(mask, [(a, y), (middle + dx * s, y - wide * 2.3 * s), (b, y), (b, base + 0.02 * s), (a, base + 0.02 * s)])
        across = np.clip((x - middle - dx * s) / (0.5 * wide * s), -1, 1)
        shade = np.where(mask > 127, 0.62 + 0.62 * sunny * across, shade)
    return np.clip(shade, 0.12, 1.3).astype(np.float32)


def _windows(image: F32, middle: float, base: float, s: float, day: Daylight, air: F32) -> None:
    """Slits in the towers, in place: lit from the evening on, dark by day."""
    h, w = image.shape[:2]
    lit = day.dark or day.time in ("golden hour", "sunset", "blue hour", "dawn")
    colour = rgb("ffb050") * (5.0 if day.dark else 1.0) if lit else rgb("2a2624") * 0.6
    colour = colour * float(luminance(air)) * (1.5 if lit else 1.0)
    wide, high = max(round(0.0035 * s), 1), max(round(0.009 * s), 2)
    for dx, breadth, tall in _TOWERS:
        for q in (0.42, 0.80)[(dx * 1000 % 3 < 1) :]:
            x, y = round(middle + (dx + 0.12 * breadth) * s), round(base - tall * q * s)
            if 0 <= x < w - wide and 0 <= y < h - high:
                image[y : y + high, x : x + wide] = colour


def _fill(mask: Array, points: list[tuple[float, float]]) -> None:
    cv2.fillPoly(mask, [np.round(np.array(points) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)


def dunes(stage: Stage) -> Scene:
    """A desert of sand dunes with lit and shaded flanks. Options: sand (colour)."""
    camera, day, seed = stage.camera, stage.day, stage.shot.seed % 13
    image = day.look(camera)
    depth = np.full(image.shape[:2], 1e5, np.float32)
    side = -1.0 if day.sun[0] > 0 else 1.0
    sand, air = rgb(stage.option("sand", "c99868")), pale(day)
    az = np.broadcast_to(camera.azimuth, image.shape[:2])
    layers = ((0.022, 0.014, 3000), (0.006, 0.016, 900), (-0.022, 0.022, 260), (-0.075, 0.03, 70), (-0.18, 0.045, 18))
    for i, (base, height, z) in enumerate(layers):
        rough = profile(camera.azimuth * (0.5 - 0.06 * i), seed * 9 + i, 1.7)
        line = np.asarray(base + height * (1 - 1.5 * np.abs(rough)), np.float32)
        m = cover(camera, line)
        under = np.clip(line - camera.elevation, 0, 1)
        fall = cv2.GaussianBlur(
            np.gradient(line[0])[None].astype(np.float32) * camera.focal, (0, 0), 0.006 * camera.height + 1
        )
        # The flank's shade leans with the crest: read it sideways the deeper one looks.
        where = (np.arange(camera.width, dtype=np.float32)[None] + under * camera.focal * 1.3 * side) % camera.width
        flank = cv2.remap(np.tanh(fall * 3.5 * side).astype(np.float32), where, np.zeros_like(where), cv2.INTER_LINEAR)
        lit = np.clip(0.5 + 0.5 * flank * np.exp(-under * 14), 0.10, 1.1)[..., None]
        u, v = az * (2 + 26.0 / (i + 1)), under * (30 + 10 * i)
        ripples = 0.045 * np.sin(v * 55 + 3 * fbm(u * 0.1, v * 0.1, 5, 1.7)) * (i > 1)
        grain = 1 + ripples + 0.05 * fbm(u * 0.4, v * 0.4, 6, 1.2)
        c = sand * (day.sunlight * 0.62 * lit + day.ambient * 0.62) * grain[..., None]
        c = mix(c, air, 0.85 * (1 - np.exp(-z / 2600)))
        image = mix(image, c, m[..., None])
        depth = np.where(m > 0.5, np.float32(z), depth)
    _, _, ground = camera.ground()
    depth = np.minimum(depth, np.where(camera.elevation < -0.05, np.maximum(ground, 3), 1e5)).astype(np.float32)
    light = lighting.of_daylight(day, camera, (0.45, 0.33, 0.2))
    return Scene(image, depth, light, [], stage.setting.exposure or 0.42, balance=0.25)
