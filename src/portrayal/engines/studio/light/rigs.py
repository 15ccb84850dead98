"""Light rigs of portrait photography, as data, placed by the seed and blended into an environment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from portrayal.engines.studio.light.harmonics import CONSTANT, constant, lobe
from portrayal.engines.studio.light.tables import load
from portrayal.engines.studio.light.tone import luminance
from portrayal.engines.studio.types import KeyLight, Lighting, RimLight, vector
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32

_JITTER = 8.0
_DEFAULT = "natural"


@dataclass(frozen=True)
class Backing:
    """How a rig lights a studio backdrop; see rigs.toml."""

    level: float = 1.0
    pool: float = 0.5
    pool_at: tuple[float, float] = (0.0, 0.0)
    pool_size: float = 0.6
    side: float = 0.1
    wall: float = 8.0
    tint: float = 0.1
    gels: tuple[tuple[float, ...], ...] = ()
    lamps: int = 0


def lights() -> tuple[str, ...]:
    """Ids of all rigs."""
    return tuple(load("rigs.toml"))


def _entry(light_id: str | None) -> dict[str, Any]:
    entry: dict[str, Any] | None = load("rigs.toml").get(light_id or _DEFAULT)
    if entry is None:
        raise InvalidRequestError(
            f"there is no light {light_id!r}", field="light", remedy=f"Use one of: {', '.join(lights())}."
        )
    return entry


def side(light_id: str | None, seed: int) -> float:
    """On which side the key stands: -1 = the picture's left, 1 = right."""
    if not _entry(light_id).get("mirror", True):
        return -1.0
    return -1.0 if np.random.default_rng([seed, 31]).random() < 0.5 else 1.0


def backing(light_id: str | None, seed: int) -> Backing:
    """How the rig lights the backdrop, on the side that the seed chooses."""
    turn = -side(light_id, seed)
    found = Backing(**_entry(light_id).get("backdrop", {}))
    gels = tuple((turn * g[0], *g[1:]) for g in found.gels)
    return replace(found, pool_at=(turn * found.pool_at[0], found.pool_at[1]), side=turn * found.side, gels=gels)


def light_rig(light_id: str | None, base: Lighting | None = None, seed: int = 0) -> Lighting:
    """The light of a rig.

    Args:
        light_id: an id of `lights()`; None = natural.
        base: the light of the environment. Its colour stays as the fill and tints the lamps a little, so that a
            Rembrandt portrait in a coffee shop stays in the coffee shop. "natural" returns it unchanged.
        seed: chooses the side and moves the lamps a little.

    Raises:
        InvalidRequestError: unknown light.
    """
    entry = _entry(light_id)
    if base is not None and (light_id or _DEFAULT) == _DEFAULT:
        return base
    rng = np.random.default_rng([seed, 32])
    turn = -side(light_id, seed)
    jitter = float(entry.get("jitter", _JITTER))
    keys = tuple(_key(k, turn, jitter, rng) for k in entry.get("key", ()))
    rims = tuple(_rim(r, turn, jitter, rng) for r in entry.get("rim", ()))
    ambient = constant(entry.get("around", (0.5, 0.5, 0.5)))
    if "sky" in entry:
        ambient = ambient + lobe(vector(0, 1, 0.1), np.array(entry["sky"], np.float32), 1.2)
    if "ground" in entry:
        ambient = ambient + lobe(vector(0, -1, 0.1), np.array(entry["ground"], np.float32), 1.2)
    rig = Lighting(
        ambient=ambient,
        keys=keys,
        rims=rims,
        fill=float(entry["fill"]),
        level=float(entry["level"]),
        skin_shift=float(entry["skin_shift"]),
        contrast=float(entry.get("contrast", 1.5)),
    )
    return rig if base is None else _blend(rig, base)


def _towards(azimuth: float, elevation: float) -> F32:
    a, e = np.radians(azimuth), np.radians(elevation)
    return vector(np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e))


def _key(raw: dict[str, Any], turn: float, jitter: float, rng: np.random.Generator) -> KeyLight:
    azimuth = turn * float(raw["azimuth"]) + float(rng.uniform(-1, 1)) * jitter
    elevation = float(raw["elevation"]) + float(rng.uniform(-0.6, 0.6)) * jitter
    own = {k: float(raw[k]) for k in ("wrap", "shadow", "softness", "specular") if k in raw}
    return KeyLight(_towards(azimuth, elevation), np.array(raw["colour"], np.float32), **own)


def _rim(raw: dict[str, Any], turn: float, jitter: float, rng: np.random.Generator) -> RimLight:
    azimuth = turn * float(raw["azimuth"]) + float(rng.uniform(-1, 1)) * jitter
    own = {k: float(raw[k]) for k in ("gain", "bias") if k in raw}
    return RimLight(_towards(azimuth, float(raw["elevation"])), np.array(raw["colour"], np.float32), **own)


def _hue(coefficients: F32) -> F32:
    """Colour (3,) of ambient light with luminance one."""
    mean = np.maximum(coefficients[0] * CONSTANT, 1e-4)
    return np.asarray(mean / max(float(luminance(mean)), 1e-4), np.float32)


def _blend(rig: Lighting, base: Lighting) -> Lighting:
    """The rig set up in an environment: lamps of the rig, fill of the room."""
    room = _hue(base.ambient)
    tint = (0.75 + 0.25 * room).astype(np.float32)
    scale = float(luminance(rig.ambient[0])) / max(float(luminance(base.ambient[0])), 1e-4)
    ambient = 0.75 * base.ambient * scale + 0.25 * rig.ambient
    return replace(
        rig,
        ambient=ambient.astype(np.float32),
        keys=tuple(replace(k, colour=(k.colour * tint).astype(np.float32)) for k in rig.keys),
        rims=rig.rims + tuple(replace(r, gain=0.5 * r.gain) for r in base.rims),
        fill=0.8 * rig.fill + 0.2 * min(base.fill, 0.6),
        level=float(rig.level**0.75 * max(base.level, 0.2) ** 0.25),
        skin_shift=max(rig.skin_shift, min(base.skin_shift, 16.0)),
    )
