"""Away from the earth: stars, nebulae, planets, and the surface of the moon."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from portrayal.engines.studio.noise import fbm, profile
from portrayal.engines.studio.scenes import lighting
from portrayal.engines.studio.scenes.camera import Camera
from portrayal.engines.studio.scenes.land import cover, mix, rgb, step
from portrayal.engines.studio.scenes.stage import Scene, Stage
from portrayal.engines.studio.types import KeyLight, Lamp, Lighting, RimLight, vector
from portrayal.imaging import F32, Array

_GIANTS = (("b89468", "e8d8b8", "8a5a3c"), ("6a8cb0", "c4d8e6", "38587e"), ("c0a070", "f0e0c0", "a07848"))
_CRATERS = 1024
# Metres that the patch of cratered dust covers.
_PATCH = 44.0


def _stars(stage: Stage, count: int, lowest: float = 1.0) -> list[Lamp]:
    """Stars as points; brightness follows the counts of the real sky, colours those of black bodies."""
    shot, random = stage.shot, stage.random
    out = []
    k = (shot.height / 1024) ** 2
    count = int(count * min(shot.width / shot.height, 2.0))
    x, y = random.uniform(0, shot.width, count), random.uniform(0, shot.height * lowest, count)
    size = np.minimum(random.pareto(1.25, count) * 0.02 + 0.008, 3.0) * 16 * k
    hue = random.random((count, 1)) ** 0.6
    colours = mix(np.array((1.0, 0.80, 0.60)), np.array((0.74, 0.85, 1.0)), hue) * size[:, None]
    # A brighter star looks larger, as it does on film.
    wide = (0.45 + 0.22 * np.minimum(size / k / 8, 3.0)) * shot.height / 1024
    for i in range(count):
        r, g, b = (float(c) for c in colours[i])
        out.append(Lamp(float(x[i]), float(y[i]), 1e5, (r, g, b), float(wide[i])))
    return out


def _light(shift: float, side: float, rim: str, ambient: tuple[float, float, float]) -> Lighting:
    environment = lighting.lobes(ambient, [((-side, -0.3, 0.2), rgb(rim) * 0.9, 1.5)])
    key = KeyLight(vector(0.8 * side, 0.45, 0.55), vector(1, 0.98, 0.95), wrap=0.15, softness=0.12, specular=0.06)
    rims = (RimLight(vector(-side, -0.1, -1), rgb(rim) * 1.4, 2.0),)
    return Lighting(
        lighting.irradiance(environment), (key,), rims, fill=0.26, level=0.82, skin_shift=shift, contrast=1.6
    )


def _earth(u: F32, v: F32, towards: F32, seed: int) -> tuple[F32, F32]:
    """Colour of seas, land and clouds, (h, w, 3), and how much of it is cloud (h, w, 1); u, v: angles over the disc."""
    warp = 0.07 * fbm(u * 0.30, v * 0.30, seed + 4, 1.7)
    land = step(0.25, 0.42, fbm(u * 0.20, v * 0.20, seed + 11, 1.7) + 0.16 * fbm(u * 0.9, v * 0.9, seed + 5, 1.2))
    dry = step(-0.6, 1.8, fbm(u * 0.5, v * 0.5, seed + 3, 1.7) + 0.5 * fbm(u * 1.3, v * 1.3, 3, 1.2))[..., None]
    soil = mix(rgb("2f4a1e"), rgb("9a7c48"), dry) * 0.75
    sea = mix(rgb("07203f"), rgb("12416a"), step(-0.3, 0.4, fbm(u * 0.25, v * 0.25, seed + 11, 1.7))[..., None])
    ground = mix(sea, soil, land[..., None])
    # Fronts: long bands, bent by the warp, and torn by finer noise.
    front = fbm(u * 0.20 + warp, v * 0.40 - warp, seed + 12, 1.7)
    fine = fbm(u * 0.7 + 0.6 * warp, v * 0.9 - 0.6 * warp, seed + 13, 1.2)
    cloud = 0.92 * step(0.15, 1.35, front + 0.5 * fine)[..., None]
    glint = np.clip(towards, 0, 1)[..., None] ** 24 * (1 - land[..., None]) * (1 - cloud)
    colour = mix(ground, np.array((0.80, 0.82, 0.85)), cloud) + rgb("fff0d8") * 0.5 * glint
    return np.asarray(colour, np.float32), np.asarray(cloud, np.float32)


def _giant(u: F32, v: F32, seed: int) -> F32:
    """Colour (h, w, 3) of a giant of gas: soft belts with eddies at their borders."""
    dark, bright, rust = (rgb(code) for code in _GIANTS[seed % len(_GIANTS)])
    eddy = 0.05 * fbm(u * 0.22, v * 0.6, seed + 2, 1.7) + 0.006 * fbm(u * 0.8, v * 2.0, seed + 3, 1.2)
    at = v + eddy
    same = np.full_like(at, 0.37)
    belts = fbm(at * 0.4, same, seed + 5, 1.7) + 0.12 * fbm(at * 0.9, same, seed + 6, 1.2)
    c = mix(dark, bright, step(-1.0, 1.2, belts)[..., None])
    return mix(c, rust, 0.5 * step(0.5, 1.7, fbm(at * 0.3, same, seed + 8, 1.7))[..., None])


def _rock(u: F32, v: F32, seed: int) -> F32:
    """Colour of a small bare moon."""
    seas = step(0.0, 1.2, fbm(u * 0.25, v * 0.25, seed + 7, 1.7))[..., None]
    rough = np.exp(0.25 * fbm(u * 0.9, v * 0.9, seed + 9, 0.8))[..., None]
    return np.asarray(mix(rgb("a8a29a"), rgb("66625e"), seas) * rough, np.float32)


def _planet(
    image: F32, stage: Stage, centre: tuple[float, float], radius: float, sun: F32, kind: str
) -> tuple[F32, F32]:
    """Draw a body; centre and radius in picture heights. Returns the picture and how much the body hides, 0..1.

    `kind` is ``"earth"``, ``"giant"`` or ``"rock"``; `sun` a unit vector in light axes.
    """
    camera, seed = stage.camera, stage.shot.seed % 9973
    hides = np.zeros(image.shape[:2], np.float32)
    window = _window(camera, centre, 1.15 * radius)
    x, y = camera.frame[0][window], camera.frame[1][window]
    if not x.size:
        return image, hides
    # One drawn pixel, in radii.
    pixel = 1.0 / (radius * camera.height)
    dx, dy = (x - centre[0]) / radius, (y - centre[1]) / radius
    rr = np.sqrt(dx * dx + dy * dy)
    up = np.sqrt(np.clip(1 - rr * rr, 0, 1))
    lit = dx * sun[0] - dy * sun[1] + up * sun[2]
    # Angles from the disc's middle instead of latitude and longitude: no poles, no seam, crowded towards the limb.
    spread = np.arcsin(np.clip(rr, 0, 1)) / np.maximum(rr, 1e-4)
    tilt = 0.35 * (1 if seed % 2 else -1)
    u = ((dx * np.cos(tilt) + dy * np.sin(tilt)) * spread).astype(np.float32)
    v = ((dy * np.cos(tilt) - dx * np.sin(tilt)) * spread).astype(np.float32)
    air = {"earth": rgb("5a9cff"), "giant": rgb("ffe0b8") * 0.35, "rock": rgb("000000")}[kind]
    if kind == "earth":
        # Where the mirror direction of the eye meets the sun.
        colour, _ = _earth(u, v, np.asarray(2 * up * lit - sun[2], np.float32), seed)
    else:
        colour = _giant(u, v, seed) if kind == "giant" else _rock(u, v, seed)
    soft = 0.16 if kind != "rock" else 0.05
    light = np.clip((lit + 0.4 * soft) / (1 + 0.4 * soft), 0, 1) * step(-soft, 1.5 * soft, lit)
    dusk = step(0.35, 0.0, lit)[..., None]
    body = colour * light[..., None] * mix(np.ones(3), np.array((1.1, 0.82, 0.66)), dusk * (kind != "rock")) * 1.3
    limb = (1 - up) ** 3 * np.clip(lit + 0.15, 0, 1)
    body = mix(body, air * 1.3, (0.75 * limb * (kind == "earth"))[..., None]) + air * (0.12 * light)[..., None]
    disc = step(1 + pixel, 1 - pixel, rr)
    halo = np.exp(-np.clip(rr - 1, 0, 2) * 55) * (1 - disc) * np.clip(lit * 0.9 + 0.25, 0, 1)
    out = image.copy()
    out[window] = mix(image[window], body, disc[..., None]) + air * (0.8 * halo)[..., None]
    hides[window] = disc
    return out, hides


def _window(camera: Camera, centre: tuple[float, float], reach: float) -> tuple[slice, slice]:
    """Rows and columns within `reach` of a point, picture heights; perhaps none."""
    h, w = camera.height, camera.width
    rows = [int(np.clip((centre[1] + q) * h + camera.horizon * h, 0, h)) for q in (-reach, reach)]
    columns = [int(np.clip((centre[0] + q) * h + w / 2, 0, w)) for q in (-reach, reach)]
    return slice(*rows), slice(*columns)


def _nebula(stage: Stage) -> F32:
    """Glowing gas along a slanted band, with dark lanes, (h, w, 3)."""
    camera, seed = stage.camera, stage.shot.seed % 9973
    x, y = camera.frame
    u, v = (x + 0.4 * camera.yaw + stage.phase).astype(np.float32), np.asarray(y + 0.5, np.float32)
    warp = 0.25 * fbm(u * 0.35, v * 0.35, seed + 2, 1.7)
    n1 = fbm(u * 0.4 + 0.2 * warp, v * 0.4 + 0.2 * warp, seed + 3, 1.7)
    n2 = fbm(u * 0.5, v * 0.5 - 0.2 * warp, seed + 4, 1.7)
    threads = 1 - np.abs(fbm(u * 0.7 + 0.3 * warp, v * 0.7, seed + 5, 1.7))
    band = np.exp(-(((x * 0.75 + y * 0.66 + 0.10 * n2 - 0.05) / 0.26) ** 2))
    image = np.broadcast_to(rgb("05060c") * 0.5, (*band.shape, 3)).astype(np.float32)
    image = image + rgb("3a5cc8") * (0.08 * band * np.exp(0.8 * n1))[..., None]
    image = image + rgb("d0407a") * (0.08 * band * step(0.2, 2.0, n2) * np.exp(threads))[..., None]
    image = image + rgb("ffb070") * (0.05 * band**2 * np.clip(threads, 0, 2))[..., None]
    lanes = 0.7 * step(0.3, 1.6, fbm(u * 0.6, v * 0.6, seed + 8, 1.7)) * band
    return np.asarray(image * (1 - lanes)[..., None], np.float32)


def space(stage: Stage) -> Scene:
    """Stars, a nebula, a planet and its moon."""
    camera, shot = stage.camera, stage.shot
    side = -1.0 if shot.seed % 2 else 1.0
    sun = np.array((-0.62 * side, 0.50, 0.60), np.float32)
    sun /= np.linalg.norm(sun)
    half = 0.5 * camera.width / camera.height
    kind = "giant" if shot.seed % 5 in (1, 4) else "earth"
    random = stage.random
    away = side * float(np.clip(half * 0.80, 0.30, 0.62))
    image, disc = _planet(
        _nebula(stage), stage, (away, random.uniform(0.02, 0.2)), random.uniform(0.34, 0.42), sun, kind
    )
    # High on the other side, where no head is.
    moon = -side * min(half * 0.66, 0.55), -random.uniform(0.24, 0.34)
    image, small = _planet(image, stage, moon, random.uniform(0.035, 0.06), sun, "rock")
    hidden = np.maximum(disc, small)
    k = camera.height / shot.height
    stars = [s for s in _stars(stage, 2400) if not _hidden(hidden, s, k)]
    depth = np.full(disc.shape, 1e5, np.float32)
    rim = "5aa0ff" if kind == "earth" else "e8c8a0"
    return Scene(image, depth, _light(11, -side, rim, (0.22, 0.26, 0.36)), stars, air=False)


def _hidden(disc: F32, star: Lamp, k: float) -> bool:
    y, x = min(int(star.y * k), disc.shape[0] - 1), min(int(star.x * k), disc.shape[1] - 1)
    return bool(disc[max(y, 0), max(x, 0)] > 0.02)


@lru_cache(1)
def _dust() -> tuple[F32, F32, F32]:
    """A periodic patch of cratered dust, (1024, 1024): slopes along x and z, and brightness.

    Craters follow the moon's own counts (small ones far more often); stones are tiny sharp bumps.
    """
    n = _CRATERS
    random = np.random.default_rng(4)
    x, y = np.meshgrid(np.arange(n, dtype=np.float32) / n, np.arange(n, dtype=np.float32) / n)
    out = 7.0 * fbm(x, y, 6, 1.7) + 0.55 * fbm(x * 2, y * 2, 7, 1.2)
    rays = np.zeros((n, n), np.float32)
    for r in np.minimum(3.2 * random.pareto(1.35, 520) + 3.2, 90):
        # Old craters are worn down.
        fresh = random.uniform(0.15, 1.0) ** 1.5
        _stamp(out, random.uniform(0, n, 2), r, r * fresh, 2.2, _crater)
        if fresh > 0.75:
            _stamp(rays, random.uniform(0, n, 2), r * 2, 1.0, 2.0, _splash)
    for r in np.minimum(1.1 * random.pareto(2.2, 900) + 1.1, 6):
        _stamp(out, random.uniform(0, n, 2), r, 1.3 * r, 1.4, _stone)
    ring = cv2.copyMakeBorder(out, 4, 4, 4, 4, cv2.BORDER_WRAP)
    slopes = [cv2.Sobel(ring, cv2.CV_32F, a, 1 - a, ksize=3)[4:-4, 4:-4] / 8 for a in (1, 0)]
    bright = 1 + 0.10 * fbm(x, y, 9, 1.7) + 0.22 * np.minimum(rays, 1)
    done = tuple(np.ascontiguousarray(a, np.float32) for a in (*slopes, bright))
    for a in done:
        a.setflags(write=False)
    return done[0], done[1], done[2]


def _crater(d: Array) -> Array:
    rim = 0.16 * np.exp(-(((d - 1) / np.where(d < 1, 0.16, 0.38)) ** 2))
    return np.asarray(np.where(d < 1, (d * d - 1) * 0.34, 0) + rim)


def _splash(d: Array) -> Array:
    return np.asarray(np.exp(-d * d * 1.5))


def _stone(d: Array) -> Array:
    return np.asarray(np.clip(1 - d * d, 0, 1) ** 0.6)


def _stamp(out: F32, at: Array, r: float, gain: float, reach: float, shape) -> None:  # type: ignore[no-untyped-def]
    """Add a round shape to a periodic picture, in place."""
    n, m = out.shape[0], int(r * reach) + 1
    rows, columns = np.arange(int(at[1]) - m, int(at[1]) + m), np.arange(int(at[0]) - m, int(at[0]) + m)
    d = np.hypot((columns - at[0])[None], (rows - at[1])[:, None]) / r
    out[np.ix_(rows % n, columns % n)] += (gain * shape(d)).astype(np.float32)


def _regolith(stage: Stage, sun: F32) -> F32:
    """Lit dust (h, w, 3) on the ground plane; defined below the horizon."""
    camera = stage.camera
    x, z, far = camera.ground()
    gx_map, gz_map, bright_map = _dust()
    lit = np.zeros(far.shape, np.float32)
    bright = np.ones(far.shape, np.float32)
    total = 0.0
    # The patch twice: metres-wide craters, and the same craters ten times as large out to the hills.
    for size, gain, offset in ((_PATCH, 1.0, 0.0), (11.7 * _PATCH, 0.8, 0.37)):
        u = ((x / size + stage.phase + offset) % 1.0 * _CRATERS).astype(np.float32)
        v = ((z / size + 0.3 * stage.phase) % 1.0 * _CRATERS).astype(np.float32)
        # A pixel's footprint on the ground, in texels: where it is long, the slopes average out.
        foot = np.maximum(far, 1) ** 2 / (camera.focal * camera.eye) * _CRATERS / size
        fade = np.clip(5.0 / np.maximum(foot, 1e-3), 0, 1) * gain
        gx, gz, b = (
            cv2.remap(m, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP) for m in (gx_map, gz_map, bright_map)
        )
        lit += fade * (-gx * sun[0] + gz * sun[2])
        bright += fade * (b - 1)
        total += gain
    slope = np.clip(sun[1] * (1 + np.tanh(1.9 * lit)), 0.035, 1.2)
    # Dust has no gloss and reflects towards the light: softer than Lambert's law.
    out = rgb("c4c0b8") * 0.62 * (slope**0.8 * bright)[..., None]
    return np.asarray(out, np.float32)


def _hills(stage: Stage, image: F32, sun: F32) -> tuple[F32, F32]:
    """Two lines of rounded mountains, lit from the side; returns the picture and its depth."""
    camera, seed = stage.camera, stage.shot.seed % 9973
    depth = np.full(image.shape[:2], 1e5, np.float32)
    az = np.broadcast_to(camera.azimuth, depth.shape)
    for i, (base, high, away) in enumerate(((0.040, 0.026, 5000.0), (0.010, 0.014, 1800.0))):
        line = np.asarray(base + high * profile(camera.azimuth * (0.55 + 0.4 * i), seed + 3 * i, 1.7), np.float32)
        m = cover(camera, line)
        under = np.clip(line - camera.elevation, 0, 1)
        h = fbm(az * 0.9, camera.elevation * 1.6 - 0.5 * line, seed + 5 * i, 1.7) * 0.022
        h = h + 0.6 * np.minimum(under, 0.03)
        fall = cv2.Sobel(h, cv2.CV_32F, 1, 0, ksize=3) * camera.focal / 8
        lean = np.gradient(line[0])[None].astype(np.float32) * camera.focal * np.exp(-under * 40)
        lit = np.clip(0.40 - np.sign(sun[0]) * (0.45 * fall + 1.2 * cv2.GaussianBlur(lean, (0, 0), 3.0)), 0.03, 1.1)
        image = mix(image, rgb("c4c0b8") * 0.42 * lit[..., None], m[..., None])
        depth = np.where(m > 0.5, np.float32(away), depth)
    return image, depth


def moon(stage: Stage) -> Scene:
    """Grey dust with craters, stones and hills under a black sky, and the earth over the horizon."""
    camera = stage.camera
    side = -1.0 if stage.shot.seed % 2 else 1.0
    sun = np.array((-0.80 * side, 0.46, 0.30), np.float32)
    sun /= np.linalg.norm(sun)
    _, _, far = camera.ground()
    here = np.isfinite(far) & (camera.elevation < -0.003)
    black = np.zeros((*far.shape, 3), np.float32) + rgb("030408") * 0.3
    half = 0.5 * camera.width / camera.height
    where = side * float(np.clip(half * 0.66, 0.2, 0.48)), -0.29
    body, disc = _planet(black, stage, where, 0.075, np.array((-0.55 * side, 0.35, 0.76), np.float32), "earth")
    body, depth = _hills(stage, body, sun)
    out = np.where(here[..., None], _regolith(stage, sun), body).astype(np.float32)
    hiding = np.maximum(disc, (depth < 9e4) | here).astype(np.float32)
    k = camera.height / stage.shot.height
    stars = [s for s in _stars(stage, 420, camera.horizon) if not _hidden(hiding, s, k)]
    depth = np.where(here, np.minimum(far, 1500), depth).astype(np.float32)
    return Scene(out, depth, _light(8, -side, "c8d4e8", (0.30, 0.30, 0.31)), stars, air=False)
