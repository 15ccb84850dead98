"""Rooms: four walls and a ceiling out of `settings.toml`, filled with the building blocks of `furniture`."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from portrayal.engines.studio.noise import fbm
from portrayal.engines.studio.panorama import luminance
from portrayal.engines.studio.scenes import lighting, textures
from portrayal.engines.studio.scenes.canvas import hexadecimal
from portrayal.engines.studio.scenes.daylight import ROOM_LEVELS, saturate
from portrayal.engines.studio.scenes.furniture import ITEMS, Room
from portrayal.engines.studio.scenes.stage import Scene, Stage
from portrayal.engines.studio.types import KeyLight, Lighting, RimLight, vector
from portrayal.imaging import F32


def build(stage: Stage) -> Scene:
    """A room. Options: size, floor, wall, back, ceiling, ambient, gloss, items, and see `Setting.light`."""
    canvas = stage.canvas()
    half, high, deep = (float(v) for v in stage.option("size", (3.0, 3.0, 8.0)))
    room = Room(canvas, stage, half, high, deep, stage.random)
    _shell(room)
    for item in stage.option("items", ()):
        ITEMS[item["item"]](room, item)
    canvas.draw()
    daylight = float(stage.option("daylight", 0.4))
    ambient = np.array(hexadecimal(stage.option("ambient", "ffffff")), np.float32) * float(stage.option("base", 0.12))
    ambient = ambient * (1 - daylight) + daylight * ambient * room.outside
    image = canvas.shade((float(ambient[0]), float(ambient[1]), float(ambient[2])), 0.55)
    image = saturate(aged(image, room), float(stage.option("saturation", 0.78)))
    image = glossy(image, room, float(stage.option("gloss", 0.2)))
    if "haze" in stage.setting.options:
        code, distance = stage.option("haze", ("ffffff", 40.0))
        t = (1 - np.exp(-np.minimum(canvas.depth, 200) / distance))[..., None]
        image = np.asarray(image * (1 - t) + np.array(hexadecimal(code, 0.5), np.float32) * t, np.float32)
    image, share = of_the_hour(image, stage)
    exposure = stage.setting.exposure * share
    return Scene(
        image, canvas.depth, person_light(stage, image, room.outside), canvas.visible_lamps(), exposure, air=False
    )


def _shell(room: Room) -> None:
    c, s = room.canvas, room.stage
    half, high, deep, near = room.half, room.high, room.deep, 0.3
    r = float(s.option("tile", 2.0))
    floor = textures.named(s.option("floor", "planks:7a5436"))
    c.slab(-half, half, near, deep, 0, floor, 0, (half, (deep - near) / 2))
    wall = textures.named(s.option("wall", "plaster:d8d0c4"))
    for x in (-half, half):
        c.side(x, near, deep, 0, high, wall, 0, (max((deep - near) / r, 1), max(high / r, 1)))
    back = textures.named(s.option("back", s.option("wall", "plaster:d8d0c4")))
    c.wall(-half, half, 0, high, deep, back, 0, (max(2 * half / r, 1), max(high / r, 1)))
    c.slab(-half, half, near, deep, high, textures.named(s.option("ceiling", "plaster:e4e0d8")))


def aged(image: F32, room: Room) -> F32:
    """Darken the room's edges, where light comes to least, and make its surfaces uneven."""
    camera, z = room.canvas.camera, np.minimum(room.canvas.depth, 60.0)
    ray = camera.rays
    c, s = np.cos(camera.yaw), np.sin(camera.yaw)
    x, y = z * (ray[..., 0] * c + s), camera.eye + z * ray[..., 1]
    deep = z * (c - ray[..., 0] * s)
    edges = np.stack([room.half - np.abs(x), y, room.high - y, room.deep - deep])
    reach = 0.13 * room.high + 0.12
    near = np.sort(np.exp(-np.clip(edges, 0, 9) / reach), 0)
    # One wall is the surface itself; the next nearest makes the corner.
    corner = near[-2]
    patches = fbm(x * 0.11 + deep * 0.07, y * 0.13 + deep * 0.05, room.stage.shot.seed, 1.7)
    keep = (1 - 0.55 * corner) * np.exp(0.16 * patches)
    lit = room.canvas.albedo.max(-1) > 0.004
    return np.asarray(image * np.where(lit, keep, 1.0)[..., None], np.float32)


def glossy(image: F32, room: Room, strength: float) -> F32:
    """Mirror what stands on the floor, blurred downwards, as polished floors do."""
    if strength <= 0:
        return image
    camera = room.canvas.camera
    _, _, ground = camera.ground()
    floor = (np.abs(ground - room.canvas.depth) < 0.03 * ground) & np.isfinite(ground)
    y = np.arange(camera.height, dtype=np.float32)[:, None]
    mirror_y = np.broadcast_to(2 * camera.horizon * camera.height - y, floor.shape)
    x = np.broadcast_to(np.arange(camera.width, dtype=np.float32)[None], floor.shape)
    soft = cv2.blur(np.minimum(image, 6), (max(camera.width // 60, 1), max(camera.height // 18, 1)))
    seen = cv2.remap(
        soft, np.ascontiguousarray(x), np.ascontiguousarray(mirror_y, np.float32), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )  # fmt: skip
    fade = np.exp(-(y / camera.height - camera.horizon) / 0.3)
    return np.asarray(image + seen * (floor * strength * fade)[..., None], np.float32)


def of_the_hour(image: F32, stage: Stage) -> tuple[F32, float]:
    """Colour the room a little by the hour, and say how bright it is over noon."""
    day = stage.day
    share = ROOM_LEVELS[day.time] if not stage.own_time or stage.setting.time != "noon" else 1.0
    share = share / ROOM_LEVELS[stage.setting.time]
    if stage.own_time:
        return image, share
    weather = 0.88 if day.weather in ("storm", "rain", "fog", "overcast") else 1.0
    c = day.horizon / max(float(luminance(day.horizon)), 1e-3)
    pull = 0.30 if day.time in ("golden hour", "sunset", "dawn") else 0.10
    return np.asarray(image * (1 - pull + pull * c), np.float32), share * weather


def person_light(stage: Stage, plate: F32, outside: F32) -> Lighting:
    """The light on the person in a closed place, out of `Setting.light`; the key stands on the plate's bright side.

    Keys of `light`: key (direction), colour, ambient, rim (colour), sky (share of the key that is daylight),
    level, fill, shift, wrap.
    """
    light: dict[str, Any] = dict(stage.setting.light)
    key = list(light.get("key", (0.6, 0.5, 0.7)))
    bright = lighting.bright_side(plate)
    side = 1.0 if bright >= 0 else -1.0
    key[0] = abs(key[0]) * side
    share = float(light.get("sky", 0.0))
    colour = np.array(hexadecimal(light.get("colour", "fff4e8")), np.float32)
    own: F32 = colour * np.float32(1 - share) + np.float32(share) * outside
    own = np.asarray(own / max(float(luminance(own)), 1e-3), np.float32)
    ambient = np.array(hexadecimal(light.get("ambient", "d8d0c8")), np.float32)
    environment = lighting.lobes(ambient, [((key[0], 0.3, 0.4), own * 0.7, 1.5), ((0, 1, 0.2), colour * 0.5, 1.5)])
    rims = []
    if light.get("rim"):
        c = np.array(hexadecimal(light["rim"]), np.float32) * float(light.get("rim_gain", 1.3))
        rims = [RimLight(vector(-side * 0.9, 0.4, -1), c, 1.5), RimLight(vector(side * 0.9, 0.5, -1), c * 0.7, 1.3)]
    hour = of_the_hour(plate, stage)[1]
    level = min(float(light.get("level", 0.85)) * (0.45 + 0.55 * min(hour, 1.6)), 0.96)
    lamp = KeyLight(vector(*key), own, wrap=float(light.get("wrap", 0.45)), shadow=0.7, softness=0.45)
    return Lighting(
        lighting.irradiance(environment), (lamp,), tuple(rims), fill=float(light.get("fill", 0.45)), level=level,
        skin_shift=float(light.get("shift", 12)),
    )  # fmt: skip
