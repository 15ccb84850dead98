"""Sky, sun and exposure by time of day and weather.

The skies are photographs: the upper parts of the HDR panoramas, graded by time (`daylight.toml`), stretched so that
their own horizon's houses stay below ours, and turned so that the sun stands where the time wants it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from portrayal.engines.studio import panorama
from portrayal.engines.studio.noise import fbm
from portrayal.engines.studio.panorama import luminance
from portrayal.engines.studio.scenes.camera import Camera
from portrayal.imaging import F32, Array

TIMES = ("dawn", "morning", "noon", "afternoon", "golden hour", "sunset", "blue hour", "night")
WEATHERS = ("clear", "cloudy", "overcast", "fog", "rain", "snow", "storm")
_ROWS, _COLUMNS = 96, 512
# How bright a room looks at a time of day, over its picture at noon.
ROOM_LEVELS = {
    "dawn": 0.72,
    "morning": 1.0,
    "noon": 1.0,
    "afternoon": 0.97,
    "golden hour": 0.86,
    "sunset": 0.74,
    "blue hour": 0.62,
    "night": 0.54,
}


@dataclass(frozen=True)
class Daylight:
    """The light of the open air.

    Attributes:
        time, weather: ids.
        sky: (96, 512, 3) radiance of the upper half sphere, zenith first, azimuth -180..180; its mean luminance is 1.
        sun: (3,) world direction towards the sun.
        sunlight: (3,) irradiance of the sun over that of the sky, on a plane that faces it.
        ambient: (3,) mean colour of the sky, luminance about 1.
        horizon: (3,) mean colour just over the horizon, where the camera looks.
        exposure: geometric mean of a plate.
        level, fill, shift: for the person, see `Lighting`.
        haze: metres.
        grey: loss of colour, 0..1.
    """

    time: str
    weather: str
    sky: F32
    sun: F32
    sunlight: F32
    ambient: F32
    horizon: F32
    exposure: float
    level: float
    fill: float
    shift: float
    haze: float
    grey: float

    @cached_property
    def _logarithm(self) -> F32:
        return np.asarray(np.log(np.pad(self.sky, ((0, 0), (2, 3), (0, 0)), "wrap") + 1e-3), np.float32)

    @property
    def dark(self) -> bool:
        """Lamps are lit."""
        return self.time in ("night", "blue hour") or (self.weather == "storm" and self.time != "noon")

    @property
    def sunny(self) -> bool:
        """Things cast shadows."""
        return float(luminance(self.sunlight)) > 0.3

    def look(self, camera: Camera, lift: float = 0.0) -> F32:
        """The sky behind everything: radiance (h, w, 3); below the horizon it is held.

        With a `lift` (radians) the view looks up and the sky goes on below the horizon, as over a sea of cloud.
        """
        height = np.abs(camera.elevation + lift) if lift else np.clip(camera.elevation, 0, np.pi / 2)
        az = np.broadcast_to(camera.azimuth, camera.elevation.shape)
        rows = (1 - height / (np.pi / 2)) * (_ROWS - 1)
        columns = (az / (2 * np.pi) + 0.5) % 1.0 * _COLUMNS + 2
        out = np.exp(
            cv2.remap(
                self._logarithm, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_CUBIC,
                borderMode=cv2.BORDER_REPLICATE,
            )
        )  # fmt: skip
        return np.asarray(out, np.float32)

    def lit(self, up: float = 1.0) -> F32:
        """Light (3,) that a surface gets: `up` 1 = level ground, 0 = a wall that faces the camera."""
        facing = max(float(self.sun[1]), 0.12) * up + (1 - up) * max(0.3, -float(self.sun[2]))
        # The camera balances a part of the sky's colour away.
        sky = 0.65 * self.ambient + 0.35 * float(luminance(self.ambient))
        return np.asarray(sky * (0.6 + 0.4 * up) + self.sunlight * facing, np.float32)


@lru_cache(1)
def _table() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "daylight.toml").read_text("utf-8"))


def direction(azimuth: float, elevation: float) -> F32:
    """World direction of angles in degrees; azimuth 0 is straight ahead (z), 90 to the right."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.array((np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)), np.float32)


def _upper(name: str, clear: float, arc: tuple[float, float] | None) -> F32:
    """The sky of a panorama over `clear` degrees, stretched down to the horizon, (96, 512, 3).

    With an `arc`, its first azimuth comes to the middle and the rest is folded around it.
    """
    e = np.linspace(90, 0, _ROWS, dtype=np.float32) / 90
    elevation = np.radians(clear + (90 - clear) * e)
    azimuth = ((np.arange(_COLUMNS, dtype=np.float32) + 0.5) / _COLUMNS * 2 - 1) * np.pi
    if arc is not None:
        start, width = np.radians(arc[0]), np.radians(arc[1])
        beyond = np.maximum(np.abs(azimuth) - width, 0)
        # It never comes back to the sun: one is enough.
        back = 0.45 * width - np.abs(beyond % (0.9 * width) - 0.45 * width)
        azimuth = start + np.minimum(np.abs(azimuth), width) - back
    az, el = np.meshgrid(azimuth, elevation)
    return panorama.sample(name, az, el, without_lamps=name != "night")


def _sun_column(sky: F32) -> int:
    light = cv2.GaussianBlur(luminance(sky), (0, 0), 6)
    return int(np.argmax(light.max(0)))


def _clouds(seed: int) -> F32:
    """Closed cloud (96, 512, 3), luminance about 1: a lid of soft rolls that flattens towards the horizon."""
    e = np.radians(np.linspace(90, 0, _ROWS, dtype=np.float32))[:, None]
    a = (np.arange(_COLUMNS, dtype=np.float32) / _COLUMNS * 2 * np.pi)[None]
    far = 0.11 / (np.sin(e) + 0.10)
    n = fbm(np.sin(a) * far, np.cos(a) * far, seed, 1.7) + 0.35 * fbm(
        np.sin(a) * far * 3, np.cos(a) * far * 3, seed, 1.2
    )
    light = np.exp(0.20 * n * np.clip(0.25 + e / 0.4, 0, 1)) * (1.0 + 0.12 * np.cos(2 * e))
    low, high = np.array((0.98, 1.0, 1.03), np.float32), np.array((0.92, 1.0, 1.12), np.float32)
    tint = low + (high - low) * np.clip(e / 0.9, 0, 1)[..., None]
    return np.asarray(light[..., None] * tint, np.float32)


@lru_cache(24)
def daylight(time: str, weather: str) -> Daylight:
    """The light of a time and a weather; cached, about 0.6 MB each."""
    t, w = _table()["time"][time], _table()["weather"][weather]
    sky: Array = _upper(t["sky"], t["clear"], t.get("arc"))
    # The sun itself falls on things as `sunlight`; in the picture of the sky only its glow stays.
    light = luminance(sky)[..., None]
    cap = float(light.mean()) * 7
    sky = sky * np.minimum(1, cap / np.maximum(light, 1e-4)) ** 0.8
    middle = _COLUMNS // 2 if "arc" in t else _sun_column(sky)
    turn = round(t["azimuth"] / 360 * _COLUMNS + _COLUMNS / 2) - middle
    sky = np.roll(sky, turn, 1)
    e = np.linspace(1, 0, _ROWS, dtype=np.float32)[:, None, None]
    grade = np.array(t["low"], np.float32) + (np.array(t["high"], np.float32) - np.array(t["low"], np.float32)) * (
        1 - np.exp(-e * 4)
    )
    sky = sky / max(float(luminance(sky).mean()), 1e-4) * grade
    if w["overcast"]:
        cloud = _clouds(3)
        if weather == "storm":
            cloud = cloud**2.0 * np.array((0.93, 0.99, 1.06), np.float32)
        tint = sky.mean((0, 1))
        tint = tint / float(luminance(tint))
        cloud = cloud * (0.35 * tint + 0.65) if time not in ("night", "blue hour") else cloud * tint
        cover = w["overcast"]
        if weather == "cloudy":
            a = np.linspace(0, 2 * np.pi, _COLUMNS, dtype=np.float32)[None]
            far = 0.12 / (np.sin(e[..., 0] * np.pi / 2) + 0.08)
            n = fbm(np.sin(a) * far, np.cos(a) * far, 5, 1.7)
            cover = np.clip(0.55 + 0.55 * n * np.clip(e[..., 0] / 0.25, 0, 1), 0, 1)[..., None]
        sky = sky * (1 - cover) + cloud * float(luminance(sky).mean()) * cover
    sky = sky / max(float(luminance(sky).mean()), 1e-4)
    ambient = sky.reshape(-1, 3).mean(0)
    ahead = sky[-14:-2, _COLUMNS // 2 - 50 : _COLUMNS // 2 + 50].reshape(-1, 3).mean(0)
    sky = np.asarray(sky, np.float32)
    sky.setflags(write=False)
    return Daylight(
        time, weather, sky, direction(t["azimuth"], max(t["elevation"], 1)),
        np.array(t["sun"], np.float32) * w["sun"], ambient.astype(np.float32), ahead.astype(np.float32),
        t["exposure"] * w["gain"], t["level"] * (0.95 if w["sun"] < 0.3 else 1.0),
        t["fill"] + (0.72 - t["fill"]) * (1 - w["sun"]), min(t["shift"], 12) if w["sun"] < 0.3 else t["shift"],
        float(w["haze"]), float(w["grey"]),
    )  # fmt: skip


def saturate(image: Array, amount: float) -> F32:
    """Scale the colour of linear RGB around its luminance."""
    light = luminance(image)[..., None]
    return np.asarray(np.maximum(light + (image - light) * amount, 0), np.float32)
