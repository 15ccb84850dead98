"""One plate: choose the view, build the scene, let time, weather, exposure and the lens work on it."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from typing import Any

import cv2
import numpy as np

from portrayal.engines.studio import lens
from portrayal.engines.studio.panorama import LUMINANCE, luminance
from portrayal.engines.studio.scenes import weather as air
from portrayal.engines.studio.scenes.camera import Camera
from portrayal.engines.studio.scenes.catalogue import Setting, settings
from portrayal.engines.studio.scenes.daylight import Daylight, daylight
from portrayal.engines.studio.scenes.stage import Scene, Stage
from portrayal.engines.studio.types import Lamp, Lighting, Notes, Plate, Shot
from portrayal.errors import InvalidRequestError

# Radius in drawn pixels of the circle of confusion at infinity: a blurred plate needs no more resolution than this.
_DRAWN_RADIUS = {"turbo": 5.0, "balanced": 8.5, "quality": 18.0}
_LARGEST = {"turbo": 0.5, "balanced": 0.75, "quality": 1.0}
_HIGHLIGHT = 40.0
# Options that builders draw with although a setting does not name them.
_DEFAULTS = ("cars", "sparks", "lamps", "snow", "mist", "bench")
# Highest luminance of the disc of a lamp.
_DISC = 2.4
_BUILDERS = {
    "panorama": "panoramic:build",
    "room": "rooms:build",
    "street": "streets:build",
    "land": "land:build",
    "dunes": "land:dunes",
    "rooftop": "streets:rooftop",
    "grove": "groves:build",
    "water": "water:build",
    "space": "cosmos:space",
    "moon": "cosmos:moon",
    "stage": "shows:stage",
    "underwater": "shows:underwater",
}


def photograph(setting_id: str, shot: Shot, notes: Notes) -> Plate:
    """Take the picture of a setting without the person.

    Args:
        setting_id: a key of `settings()`.
        shot: camera, time, weather, seed.
        notes: gets a warning for a time or weather that the setting cannot have.

    Returns:
        The plate, blurred by the lens, with its lamps, and its light on the person.

    Raises:
        InvalidRequestError: unknown setting.
    """
    setting = settings().get(setting_id)
    if setting is None:
        raise InvalidRequestError(
            f"there is no setting {setting_id!r}", field="setting", remedy="Use one of the list of settings."
        )
    if setting.builder == "studio":
        plate: Plate = importlib.import_module("portrayal.engines.studio.light.backdrop").studio_plate(shot)
        return plate
    stage = _stage(cleared(setting, shot.without), shot, notes)
    scene = _builder(setting.builder)(stage)
    scene = air.apply(scene, stage)
    return _develop(scene, stage)


@lru_cache(1)
def removable() -> dict[str, dict[str, Any]]:
    """Things that scenes can do without, and how: the file `without.toml`."""
    return tomllib.loads(resources.files(__package__).joinpath("without.toml").read_text("utf-8"))


def cleared(setting: Setting, things: tuple[str, ...]) -> Setting:
    """A setting without things: builder options changed, pieces of furniture left out."""
    if not things:
        return setting
    options = dict(setting.options)
    for thing in things:
        how = removable().get(thing, {})
        options |= {k: v for k, v in how.get("options", {}).items() if k in options or k in _DEFAULTS}
        if "items" in options:
            options["items"] = [
                item
                for item in options["items"]
                if item["item"] not in how.get("items", ()) and item.get("kind", "") not in how.get("shelves", ())
            ]
    return replace(setting, options=options)


def _builder(name: str) -> Callable[[Stage], Scene]:
    module, function = _BUILDERS[name].split(":")
    loaded = importlib.import_module(f"portrayal.engines.studio.scenes.{module}")
    build: Callable[[Stage], Scene] = getattr(loaded, function)
    return build


def _stage(setting: Setting, shot: Shot, notes: Notes) -> Stage:
    time = _allowed("time", shot.time, setting.times, setting, notes)
    weather = _allowed("weather", shot.weather, setting.weathers, setting, notes)
    aperture = shot.aperture * setting.aperture
    blur = max(aperture * shot.height, 0.1)
    scale = float(np.clip(_DRAWN_RADIUS[shot.speed] / blur, 0.22, _LARGEST[shot.speed]))
    if shot.height * scale < 160:
        scale = min(160 / shot.height, 1.0)
    random = np.random.default_rng((shot.seed, 5))
    yaw = setting.yaw + _fold(shot.yaw + random.uniform(-1, 1) * min(0.35 * setting.swing, 8), setting.swing)
    own = (time is None or time == setting.time) and weather in (None, "clear")
    day = daylight(time or setting.time, weather or "clear")
    return Stage(setting, replace(shot, aperture=aperture), Camera.of(shot, scale, yaw, shot.eye), day, own)


def _allowed(kind: str, value: str | None, allowed: tuple[str, ...], setting: Setting, notes: Notes) -> str | None:
    if value is None or value in allowed:
        return value
    notes.warnings.append(f"{kind} {value!r} does not show in the setting {setting.id!r}")
    return None


def _fold(angle: float, limit: float) -> float:
    """Bring any angle between -limit and limit by reflection, so that each angle has its view."""
    if limit <= 0:
        return 0.0
    return float(abs((angle + 3 * limit) % (4 * limit) - 2 * limit) - limit)


def _gain(scene: Scene, setting: Setting, day: Daylight) -> float:
    """Exposure of the plate: its geometric mean comes to what place and time want."""
    outdoor = setting.place == "outdoor"
    wanted = (scene.exposure or 0.46) * day.exposure / 0.46 if outdoor else scene.exposure
    if wanted <= 0:
        return 1.0
    light = np.clip(luminance(scene.radiance), 1e-4, 6 * max(float(np.median(luminance(scene.radiance))), 1e-3))
    return float(wanted / np.exp(np.log(light + 1e-3 * wanted).mean()))


def _develop(scene: Scene, stage: Stage) -> Plate:
    shot, setting, day = stage.shot, stage.setting, stage.day
    gain = _gain(scene, setting, day)
    image = scene.radiance * gain
    if scene.balance > 0:
        mean = np.minimum(image, 4).reshape(-1, 3).mean(0)
        k = (float(luminance(mean)) / np.maximum(mean, 1e-4)) ** scene.balance
        image = image * (k / float(luminance(k)))
    image = np.ascontiguousarray(np.minimum(image, _HIGHLIGHT), np.float32)
    radius = lens.confusion(scene.depth, shot.focus, shot.aperture, stage.camera.height)
    blurred = lens.depth_blur(image, radius)
    full = np.maximum(cv2.resize(blurred, (shot.width, shot.height), interpolation=cv2.INTER_CUBIC), 0)
    full = np.ascontiguousarray(full, np.float32)
    brightness = float(np.percentile(luminance(image), 70))
    lamps = [_scaled(p, gain) for p in scene.lamps]
    open_air = scene.air and setting.place == "outdoor"
    if open_air and day.weather == "snow":
        lamps += air.flakes(stage, brightness)
    lens.draw_lamps(full, [_tamed(p, shot) for p in lamps if p.depth >= shot.focus], shot, shot.aperture)
    foreground = air.falling(shot, day.weather, brightness) if open_air else None
    haze = (0.0, 0.0, 0.0, 0.0)
    if open_air and day.weather == "fog":
        c = air.air_colour(day) * gain
        haze = (float(c[0]), float(c[1]), float(c[2]), 0.07)
    return Plate(full, _dimmed(scene.lighting, day, open_air), setting.grade, foreground, 0.0, haze)


def _dimmed(light: Lighting, day: Daylight, open_air: bool) -> Lighting:
    """Thick weather takes the outline lights away."""
    if open_air and day.weather in ("fog", "rain", "snow", "storm", "overcast"):
        return replace(
            light, rims=() if day.weather != "rain" else tuple(replace(r, gain=r.gain * 0.5) for r in light.rims)
        )
    return light


def _tamed(lamp: Lamp, shot: Shot) -> Lamp:
    """Keep the colour of a lamp's disc: film and sensors roll off before a lamp is a white hole."""
    radius = float(np.hypot(shot.aperture * shot.height * (1 - shot.focus / lamp.depth), lamp.size))
    light = float(np.dot(lamp.energy, LUMINANCE)) / (np.pi * max(radius, 0.75) ** 2)
    return _scaled(lamp, _DISC * float(np.tanh(light / _DISC)) / max(light, 1e-6))


def _scaled(lamp: Lamp, gain: float) -> Lamp:
    e = lamp.energy
    return replace(lamp, energy=(e[0] * gain, e[1] * gain, e[2] * gain))
