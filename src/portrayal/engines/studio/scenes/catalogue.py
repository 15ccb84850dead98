"""The settings that the studio engine can portray, out of `settings.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from portrayal.engines.studio.scenes.daylight import TIMES, WEATHERS

_FIELDS = ("builder", "place", "time", "times", "weathers", "grade", "exposure", "aperture", "yaw", "swing", "light")


@dataclass(frozen=True)
class Setting:
    """One place.

    Attributes:
        id: word of the vocabulary.
        builder: what draws it, a name of `BUILDERS`.
        place: ``"outdoor"``, ``"indoor"`` or ``"apart"`` (nothing of earth's day or weather reaches it).
        time: its own time of day, taken when the prompt says none.
        times, weathers: what it can show; empty for places apart.
        grade: colour grade of the finish.
        exposure: geometric mean of the plate at noon; 0 = of the time of day.
        aperture: times the shot's.
        yaw, swing: degrees: middle of the good view, and how far the camera may turn to either side.
        light: level, fill, shift and colours for the person (indoor).
        options: the rest, for the builder.
    """

    id: str
    builder: str
    place: str = "outdoor"
    time: str = "noon"
    times: tuple[str, ...] = TIMES
    weathers: tuple[str, ...] = WEATHERS
    grade: str = "none"
    exposure: float = 0.0
    aperture: float = 1.0
    yaw: float = 0.0
    swing: float = 20.0
    light: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@lru_cache(1)
def settings() -> Mapping[str, Setting]:
    """All settings by id; read once."""
    raw = tomllib.loads((Path(__file__).parent / "settings.toml").read_text("utf-8"))
    found = {}
    for name, entry in raw.items():
        known = {k: v for k, v in entry.items() if k in _FIELDS}
        apart = known.get("place") == "apart"
        known["times"] = tuple(known.get("times", () if apart else TIMES))
        known["weathers"] = tuple(known.get("weathers", () if apart else WEATHERS))
        options = {k: v for k, v in entry.items() if k not in _FIELDS}
        found[name] = Setting(id=name, options=options, **known)
    return MappingProxyType(found)
