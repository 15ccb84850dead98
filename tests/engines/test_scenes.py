"""Plates: every setting in every time and weather, measured in the picture."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from portrayal.engines.studio.light import harmonics
from portrayal.engines.studio.panorama import luminance
from portrayal.engines.studio.scenes import photograph, settings
from portrayal.engines.studio.scenes.daylight import TIMES, WEATHERS
from portrayal.engines.studio.types import Lighting, Notes, Plate, Shot, Speed
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32

SIDE = 64
SETTINGS = [name for name in settings() if name != "studio"]
OUTDOOR = [name for name in SETTINGS if settings()[name].place == "outdoor"]
ROOMS = [name for name in SETTINGS if settings()[name].place == "indoor" and settings()[name].times]
VOCABULARY = (
    "studio", "coffee shop", "restaurant", "bar", "office", "library", "classroom", "kitchen", "living room",
    "bedroom", "fireplace", "lobby", "hotel", "hall", "museum", "ballroom", "theatre", "stage",
    "train station", "church", "laboratory", "hospital", "workshop", "warehouse", "gym", "castle",
    "castle corridor", "city street", "neon street", "night street", "rainy street", "alley", "rooftop",
    "bridge", "venice", "harbour", "market", "park", "autumn park", "garden", "cherry blossom", "forest",
    "jungle", "snow forest", "meadow", "countryside", "mountains", "snow mountains", "lake", "beach",
    "tropical beach", "desert", "mars", "moon", "space", "spaceship", "underwater", "sky",
)  # fmt: skip


@lru_cache(None)
def plate(
    name: str,
    time: str | None = None,
    weather: str | None = None,
    *,
    size: tuple[int, int] = (SIDE, SIDE),
    yaw: float = 0.0,
    seed: int = 1,
    speed: Speed = "turbo",
) -> Plate:
    shot = Shot(*size, fov=42, time=time, weather=weather, yaw=yaw, seed=seed, speed=speed)
    return photograph(name, shot, Notes())


def mean(p: Plate) -> float:
    return float(np.minimum(luminance(p.radiance), 4).mean())


def median(p: Plate) -> float:
    """Not moved by lamps."""
    return float(np.median(luminance(p.radiance)))


def warmth(p: Plate) -> float:
    """Red over blue of the whole plate."""
    r, _, b = np.minimum(p.radiance, 4).reshape(-1, 3).mean(0)
    return float(r / max(b, 1e-6))


def contrast(image: F32) -> float:
    """Spread of the logarithm of luminance between the 8th and the 92nd percentile."""
    low, high = np.percentile(np.log(luminance(image) + 1e-3), (8, 92))
    return float(high - low)


def irradiance(light: Lighting, towards: tuple[float, float, float]) -> float:
    return float(luminance(harmonics.irradiance(light.ambient, np.array(towards, np.float32))))


def test_every_setting_of_the_vocabulary_is_there() -> None:
    assert set(settings()) == set(VOCABULARY)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_plate_is_exposed_and_finite_in_every_time_and_weather(name: str) -> None:
    setting = settings()[name]
    times: list[tuple[str | None, str | None]] = [(t, None) for t in setting.times] or [(None, None)]
    weathers: list[tuple[str | None, str | None]] = [(None, w) for w in setting.weathers]
    for time, weather in times + weathers:
        p = plate(name, time, weather)
        assert p.radiance.shape == (SIDE, SIDE, 3)
        assert p.radiance.dtype == np.float32
        assert np.isfinite(p.radiance).all()
        assert p.radiance.min() >= 0
        assert 0.004 < mean(p) < 2.6, time
        if name != "sky" or not weather:  # nothing but sky in fog or snow is one even tone
            assert contrast(p.radiance) > (0.08 if weather else 0.25), (time, weather)
        assert p.lighting.ambient.shape == (9, 3)
        assert np.isfinite(p.lighting.ambient).all()
        assert irradiance(p.lighting, (0, 0, 1)) > 0
        assert 0.15 < p.lighting.level <= 1.0
        assert 0.05 <= p.lighting.fill <= 0.95
        assert p.lighting.keys
        falls = setting.place == "outdoor" and weather in ("rain", "snow", "storm")
        assert (p.foreground is not None) == falls
        if p.foreground is not None:
            assert p.foreground.shape == (SIDE, SIDE, 4)
            assert 0 < float(p.foreground[..., 3].mean()) < 0.35


@pytest.mark.parametrize("name", ["space", "moon", "underwater", "park"])
@pytest.mark.parametrize("seed", [3, 2**31 - 2])
def test_the_largest_seeds_keep_detail_across_the_picture(name: str, seed: int) -> None:
    # Seeds of this size, added to float32 coordinates, once left nothing but horizontal stripes.
    image = luminance(plate(name, size=(128, 128), seed=seed, speed="balanced").radiance)
    image = np.log(image[40:] + 1e-3)
    assert float(np.abs(np.diff(image, axis=1)).mean()) > 0.3 * float(np.abs(np.diff(image, axis=0)).mean())


@pytest.mark.parametrize("size", [(96, 96), (160, 90), (90, 160)])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_castle_stands_whole_beside_the_person(size: tuple[int, int], seed: int) -> None:
    # It hides the low sky on its own side only, whatever the camera's turn.
    for yaw in (-20.0, 20.0):
        image = luminance(plate("castle", "noon", size=size, yaw=yaw, seed=seed, speed="quality").radiance)
        h, w = image.shape
        row = image[int(0.36 * h)]
        own = row[w // 2 :] if seed % 2 else row[: w // 2]
        other = row[: w // 2] if seed % 2 else row[w // 2 :]
        assert own.min() < 0.85 * np.median(other)
        assert int(np.argmin(own)) not in (0, len(own) - 1)


def test_settings_differ_from_one_another() -> None:
    small = {}
    for name in SETTINGS:
        x = np.log(plate(name).radiance.reshape(16, 4, 16, 4, 3).mean((1, 3)) + 0.02)
        small[name] = (x - x.mean()).ravel()
    names, all_ = list(small), np.stack(list(small.values()))
    for i, a in enumerate(names[1:], 1):
        apart = np.abs(all_[:i] - all_[i]).mean(1)
        assert apart.min() > 0.08, (a, names[int(apart.argmin())])


@pytest.mark.parametrize("name", OUTDOOR + ROOMS)
def test_night_is_darker_than_noon(name: str) -> None:
    noon, night = plate(name, "noon"), plate(name, "night")
    assert median(night) < 0.8 * median(noon)
    assert night.lighting.level < noon.lighting.level


@pytest.mark.parametrize("name", OUTDOOR)
def test_sunset_is_warmer_than_noon_and_blue_hour_is_cooler(name: str) -> None:
    noon = warmth(plate(name, "noon"))
    assert warmth(plate(name, "sunset")) > 1.15 * noon
    if settings()[name].builder not in ("street",):  # there the lamps are lit
        assert warmth(plate(name, "blue hour")) < noon


@pytest.mark.parametrize("name", OUTDOOR)
def test_fog_flattens(name: str) -> None:
    assert contrast(plate(name, "noon", "fog").radiance) < 0.85 * contrast(plate(name, "noon", "clear").radiance)


@pytest.mark.parametrize("name", ROOMS)
def test_rooms_keep_their_air_in_fog(name: str) -> None:
    clear, fog = plate(name, "noon", "clear"), plate(name, "noon", "fog")
    assert contrast(fog.radiance) > 0.7 * contrast(clear.radiance)
    assert fog.foreground is None


@pytest.mark.parametrize("name", [n for n in SETTINGS if settings()[n].builder in ("room", "street", "stage")])
def test_the_key_stands_on_the_bright_side(name: str) -> None:
    p = plate(name, "night" if settings()[name].builder == "street" else None, seed=2)
    columns = np.minimum(luminance(p.radiance), 3).mean(0)
    left, right = float(columns[: SIDE // 2].mean()), float(columns[SIDE // 2 :].mean())
    if abs(right - left) > 0.12 * (right + left):
        assert np.sign(p.lighting.keys[0].direction[0]) == np.sign(right - left)


@pytest.mark.parametrize("yaw", [-60.0, -20.0, 20.0, 60.0])
def test_the_sun_turns_with_the_camera(yaw: float) -> None:
    # At the golden hour it stands 38 degrees to the right of the camera's first direction.
    p = plate("desert", "golden hour", yaw=yaw)
    towards = (p.lighting.rims or p.lighting.keys)[0].direction
    assert np.sign(towards[0]) == np.sign(38 - yaw)
    columns = luminance(p.radiance)[:20].mean(0)
    assert (columns[-20:].mean() > columns[:20].mean()) == (yaw < 38)


@pytest.mark.parametrize("name", SETTINGS[::3])
def test_same_seed_same_bytes_other_view_other_picture(name: str) -> None:
    first = plate(name)
    assert first.radiance.tobytes() == plate.__wrapped__(name).radiance.tobytes()
    assert float(np.abs(first.radiance - plate(name, seed=2).radiance).mean()) > 0.004 * mean(first)


@pytest.mark.parametrize("size", [(64, 192), (192, 64)])
@pytest.mark.parametrize("name", ["bar", "neon street", "mountains", "park", "beach", "space", "venice", "underwater"])
def test_canvases_of_any_shape(name: str, size: tuple[int, int]) -> None:
    p = plate(name, size=size)
    assert p.radiance.shape == (size[1], size[0], 3)
    assert np.isfinite(p.radiance).all()


@pytest.mark.parametrize("name", ["bar", "forest", "mountains"])
def test_speeds_show_the_same_picture(name: str) -> None:
    coarse, fine = (plate(name, size=(256, 256), speed=s).radiance for s in ("turbo", "quality"))
    a, b = (np.log(x.reshape(16, 16, 16, 16, 3).mean((1, 3)) + 0.02) for x in (coarse, fine))
    assert float(np.abs(a - b).mean()) < 0.2


def test_a_time_that_cannot_show_is_said() -> None:
    notes = Notes()
    photograph("space", Shot(96, 96, time="sunset", weather="rain", speed="turbo"), notes)
    assert len(notes.warnings) == 2
    assert "sunset" in notes.warnings[0]


def test_an_unknown_setting_names_its_field() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        photograph("atlantis", Shot(96, 96), Notes())
    assert caught.value.field == "setting"


def test_times_and_weathers_are_those_of_the_vocabulary() -> None:
    assert TIMES == ("dawn", "morning", "noon", "afternoon", "golden hour", "sunset", "blue hour", "night")
    assert WEATHERS == ("clear", "cloudy", "overcast", "fog", "rain", "snow", "storm")
