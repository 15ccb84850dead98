"""The expressions, from presets.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True)
class Preset:
    """Parameters of an expression; presets.toml says what they mean. Targets that are None leave the reference's."""

    width: float | None = None
    lift: float | None = None
    lift_left: float = 0.0
    lift_right: float = 0.0
    side: float = 0.0
    gap: float | None = None
    at_least: float = 0.0
    close: float = 0.0
    jaw: float = 0.0
    round: float = 0.0
    upper: float = 0.0
    lower: float = 0.0
    pucker: float = 0.0
    brow: float = 0.0
    brow_in: float = 0.0
    brow_mid: float | None = None
    brow_out: float = 0.0
    brow_left: float = 0.0
    brow_right: float = 0.0
    brow_knit: float = 0.0
    blink: float = 0.0
    blink_left: float = 0.0
    blink_right: float = 0.0
    wide: float = 0.0
    squint: float = 0.0
    fold: float = 0.0
    frown: float = 0.0
    gaze_x: float = 0.0
    gaze_y: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0

    def looking(self, gaze: tuple[float, float] | None) -> Preset:
        """The same expression with the eyes elsewhere (safe range: lids hide the rest)."""
        if gaze is None:
            return self
        return replace(self, gaze_x=max(-1.0, min(1.0, gaze[0])), gaze_y=max(-1.0, min(1.0, gaze[1])))


@lru_cache(1)
def presets() -> dict[str, Preset]:
    """All expressions by id.

    Raises:
        ValueError: when the file names an unknown parameter.
    """
    table = tomllib.loads((Path(__file__).parent / "presets.toml").read_text(encoding="utf-8"))
    known = {f.name for f in fields(Preset)}
    for name, values in table.items():
        if unknown := set(values) - known:
            raise ValueError(f"presets.toml: {name!r} has unknown parameters {sorted(unknown)}")
    return {name: Preset(**{k: float(v) for k, v in values.items()}) for name, values in table.items()}
