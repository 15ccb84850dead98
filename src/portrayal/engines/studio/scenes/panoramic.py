"""Settings that are photographs: a view into an HDR panorama, with another time, sky or weather if wanted."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from portrayal.engines.studio import panorama
from portrayal.engines.studio.noise import fbm
from portrayal.engines.studio.panorama import luminance
from portrayal.engines.studio.scenes import lighting
from portrayal.engines.studio.scenes.camera import Camera
from portrayal.engines.studio.scenes.canvas import hexadecimal
from portrayal.engines.studio.scenes.daylight import ROOM_LEVELS, Daylight, saturate
from portrayal.engines.studio.scenes.stage import Scene, Stage
from portrayal.engines.studio.types import Lamp
from portrayal.imaging import F32, Array


def view(name: str, camera: Camera, seed: int, glints: bool = True, lift: float = 0.0) -> F32:
    """Radiance (h, w, 3) of a panorama through a camera whose yaw is the panorama's azimuth.

    `lift`: radians by which the view looks up.
    """
    az = np.broadcast_to(camera.azimuth, camera.elevation.shape)
    image = panorama.sample(name, az, camera.elevation + lift, glints)
    scale = np.radians(camera.fov) / camera.height
    return panorama.add_detail(image, 2 * np.pi / 512 / scale, seed)


def lamps(name: str, camera: Camera, full: int, distance: float, gain: float) -> list[Lamp]:
    """The panorama's small lamps that the camera sees, in pixels of a canvas of `full` height."""
    k = full / camera.height
    per_pixel = (2 * np.pi / 512) ** 2 * (camera.focal * k) ** 2
    out = []
    for g in panorama.split_lamps(name)[1]:
        turn = (g.azimuth - camera.yaw + np.pi) % (2 * np.pi) - np.pi
        if abs(turn) > 1.2:
            continue
        x = camera.width / 2 + camera.focal * np.tan(turn)
        y = camera.horizon * camera.height - camera.focal * np.tan(g.elevation) / np.cos(turn)
        size = g.radius * 2 * np.pi / 512 * camera.focal * k * 0.8
        e = np.array(g.energy) * per_pixel * gain
        out.append(Lamp(x * k, y * k, distance, (float(e[0]), float(e[1]), float(e[2])), float(size)))
    return out


def depth(camera: Camera, distance: float, sky: Array | None = None) -> F32:
    """Depth of an unknown place: the ground to `distance`, then a wall; `sky` (h, w) is far."""
    _, _, ground = camera.ground()
    out = np.minimum(ground, distance)
    if sky is not None:
        out = np.where(sky > 0.5, 1e5, out)
    return np.asarray(out, np.float32)


def _relight(image: F32, name: str, stage: Stage) -> tuple[F32, F32]:
    """Another sky and its light for an outdoor panorama; the picture and how much of a pixel is sky."""
    day, camera = stage.day, stage.camera
    az = np.broadcast_to(camera.azimuth, camera.elevation.shape)
    mask = np.zeros((camera.height, camera.width, 1), np.float32)
    if stage.option("sky", True):
        mask = panorama.sample_sky(name, az, camera.elevation)[..., None]
    source = panorama.load(name)
    ground = source[source.shape[0] // 2 + 4 :]
    was = np.minimum(ground, 4 * np.median(luminance(ground))).reshape(-1, 3).mean(0)
    neutral = float(luminance(was))
    gain = day.lit(0.6) / np.asarray((0.55 * was + 0.45 * neutral) / neutral, np.float32)
    body = image / neutral * 0.2 * gain
    if not day.sunny:  # hard light loses its contrast under a cloud
        soft = cv2.GaussianBlur(luminance(body), (0, 0), camera.height * 0.02)[..., None]
        body = body * np.clip(0.2 * float(luminance(day.lit())) / np.maximum(soft, 1e-3), 0.3, 2.2) ** 0.35
    sky = day.look(turned(stage))
    return np.asarray(body * (1 - mask) + sky * mask, np.float32), mask[..., 0]


def turned(stage: Stage) -> Camera:
    """The camera in the frame of the day: panoramas have their own north."""
    c = stage.camera
    return Camera(c.width, c.height, c.fov, c.horizon, c.yaw - float(np.radians(stage.setting.yaw)), c.eye)


def _windows(image: F32, day: Daylight) -> F32:
    """Indoors at another time: what is bright and large is a window; the room takes its light."""
    light = luminance(image)
    bar = 2.2 * float(np.mean(np.minimum(light, 3 * float(light.mean()))))
    mask = cv2.GaussianBlur(np.clip((light - bar) / (0.5 * bar), 0, 1), (0, 0), 1.0)[..., None]
    outside = day.horizon / max(float(luminance(day.horizon)), 1e-3)
    strength = float(np.clip(day.exposure / 0.46, 0.04, 1.1))
    tone = image / np.maximum(light, 1e-4)[..., None]
    window = np.minimum(light, 8.0)[..., None] * (0.35 * tone + 0.65 * outside) * strength
    warm = np.array((1.1, 0.93, 0.72), np.float32)
    room = image * (outside * 0.35 * min(strength * 1.2, 1) + 0.65 * (min(strength, 1) + (1 - min(strength, 1)) * warm))
    return np.asarray(room * (1 - mask) + window * mask, np.float32)


def _lit_town(image: F32, stage: Stage, distance: float) -> tuple[F32, list[Lamp]]:
    """Lamps of a town at night along the horizon, and their light on what is around them."""
    camera, random = stage.camera, stage.random
    canvas = stage.canvas()
    level = 5.0 * float(luminance(image).mean()) * (3 if stage.day.time == "night" else 1)
    low, high = stage.option("lights_y", (0.5, 7.0))
    around = np.zeros((camera.height, camera.width), np.float32)
    k = camera.height / stage.shot.height
    for _ in range(int(stage.option("lights", 60))):
        z = random.uniform(0.25, 1.0) * distance
        x, y = random.uniform(-0.7, 0.7) * z, low + (high - low) * random.uniform(0, 1) ** 2
        c, s = np.cos(camera.yaw), np.sin(camera.yaw)
        warm = hexadecimal(("ffb866", "ffd8a0", "ffe8cc", "ff9a50")[int(random.integers(4))])
        canvas.lamp((x * c + z * s, y, -x * s + z * c), warm, level * random.uniform(1, 6), 0.0028 * z)
    for lamp in canvas.lamps:
        px, py = int(lamp.x * k), int(lamp.y * k)
        if 0 <= px < camera.width and 0 <= py < camera.height:
            around[py, px] += 1
    around = np.asarray(cv2.GaussianBlur(around, (0, 0), 0.05 * camera.height), np.float32)
    glow = around * (0.05 * camera.height) ** 2 * 2.0
    warm_light = np.array(hexadecimal("ffb060"), np.float32)
    out = image * (1 + 1.5 * glow[..., None] * warm_light)
    return np.asarray(out, np.float32), canvas.lamps


def snow_cover(image: F32, camera: Camera, amount: float, seed: int) -> F32:
    """Snow on what faces up: the ground, and the brighter parts above it."""
    y, x = np.mgrid[: camera.height, : camera.width].astype(np.float32) / camera.height
    patch = 0.75 + 0.25 * np.clip(fbm(x, y * 2.2, seed, 1.2) + 0.6, -1, 1)
    light = luminance(image)
    smooth = cv2.GaussianBlur(light, (0, 0), camera.height * 0.012)
    near = np.clip((0.03 - camera.elevation) / 0.06, 0, 1)
    high = np.clip((light / (smooth + 1e-4) - 0.95) * 1.4, 0, 1) * 0.5
    cover = (amount * np.maximum(near * patch, high))[..., None]
    level = float(np.percentile(light, 85))
    white = (
        np.array((0.90, 0.95, 1.03), np.float32)
        * level
        * (0.75 + 0.25 * np.clip(light / (smooth + 1e-4), 0.4, 1.6))[..., None]
    )
    return np.asarray(image * (1 - cover) + white * cover, np.float32)


def tint(image: F32, camera: Camera, stage: Stage) -> F32:
    """Grade of a variant: colour gains over and under the horizon, saturation, gamma."""
    out = image
    upper, lower = stage.option("upper", None), stage.option("lower", None)
    if upper or lower:
        w = np.clip(0.5 + camera.elevation / 0.08, 0, 1)[..., None]
        out = out * (np.array(lower or (1, 1, 1), np.float32) * (1 - w) + np.array(upper or (1, 1, 1), np.float32) * w)
    if "saturation" in stage.setting.options:
        out = saturate(out, float(stage.option("saturation", 1.0)))
    return np.asarray(out, np.float32)


def build(stage: Stage) -> Scene:
    """A panorama as a plate. Options: panorama, distance, upper, lower, saturation, snow."""
    name, camera, day = str(stage.option("panorama", "park")), stage.camera, stage.day
    distance = float(stage.option("distance", 30.0))
    outdoor = stage.setting.place == "outdoor"
    image = view(name, camera, stage.shot.seed, lift=float(np.radians(stage.option("lift", 0.0))))
    raw_mean = float(np.exp(np.log(luminance(image) + 1e-3).mean()))
    sky = None
    seen = lamps(name, camera, stage.shot.height, distance, 1.0)
    light = dict(stage.setting.light)
    source = panorama.load(name)
    shown = lighting.of_panorama(
        source, camera.yaw, light.get("level", 0.9), light.get("fill", 0.5), light.get("shift", 9.0)
    )
    if outdoor and not stage.own_time:
        lift = float(np.radians(stage.option("lift", 0.0)))
        if lift:
            image, sky = day.look(turned(stage), lift), np.ones(image.shape[:2], np.float32)
        else:
            image, sky = _relight(image, name, stage)
        shown = lighting.of_daylight(day, turned(stage), stage.option("ground", (0.2, 0.19, 0.17)))
        seen = []
    elif not outdoor and not stage.own_time:
        image = _windows(image, day)
    if (outdoor and stage.day.weather == "snow") or stage.option("snow", 0):
        image = snow_cover(image, camera, float(stage.option("snow", 0.85) or 0.85), stage.shot.seed)
    if outdoor and day.dark and stage.option("lights", 0):
        image, seen = _lit_town(image, stage, distance)
    image = tint(image, camera, stage)
    after = float(np.exp(np.log(luminance(image) + 1e-3).mean()))
    gain = after / max(raw_mean, 1e-5) if outdoor else 1.0
    if stage.own_time:
        seen = [replace(p, energy=(p.energy[0] * gain, p.energy[1] * gain, p.energy[2] * gain)) for p in seen]
    share = 1.0 if outdoor or stage.own_time else ROOM_LEVELS[day.time]
    if not outdoor:
        shown = replace(shown, level=shown.level * (0.45 + 0.55 * share))
    return Scene(image, depth(camera, distance, sky), shown, seen, stage.setting.exposure * share, air=outdoor)
