"""Fabrics: what cloth, leather, fur and steel look like from near.

`weave` is all that garments need: where a pixel lies on the cloth goes in, colour, relief and gloss come out. Fabrics
are data (`fabrics.toml`), patterns are drawn by `patterns`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from portrayal.engines.studio.cloth import patterns
from portrayal.engines.studio.cloth.grain import dice
from portrayal.engines.studio.cloth.weaves import COLUMNS, KINDS, weave_rows
from portrayal.engines.studio.light.tone import luminance
from portrayal.engines.studio.wardrobe.outfit import Cloth
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32
from portrayal.parallel import bands


@dataclass(frozen=True)
class Woven:
    """A cloth at some points.

    Attributes:
        albedo: (h, w, 3) scene light of the colour, as in `Surface`.
        relief: (h, w) cm towards the eye, mean about 0: weave, stitches, grain.
        material: (4,), or (h, w, 4) where the gloss varies: roughness, F0, sheen, metal.
    """

    albedo: F32
    relief: F32
    material: F32


@dataclass(frozen=True)
class Fabric:
    """An entry of `fabrics.toml`: material (4,) and layers (n, 8) in the order of `weaves.COLUMNS`."""

    material: F32
    layers: F32

    @property
    def varied(self) -> bool:
        """Whether its gloss is not the same everywhere."""
        return bool(self.layers[:, COLUMNS.index("gloss")].any())


@lru_cache(1)
def _fabrics() -> dict[str, Fabric]:
    raw = tomllib.loads((Path(__file__).parent / "fabrics.toml").read_text("utf-8"))
    out = {}
    for name, entry in raw.items():
        rows = []
        for layer in entry["layers"]:
            unknown = set(layer) - set(COLUMNS)
            if unknown:
                raise ValueError(f"fabrics.toml: {name} has a layer with {sorted(unknown)}")
            full = {"v": layer["u"], "bend": 1.0} | layer | {"kind": KINDS.index(layer["kind"])}
            rows.append([float(full.get(column, 0.0)) for column in COLUMNS])
        out[name] = Fabric(
            np.array(entry["material"], np.float32), np.array(rows, np.float32).reshape(-1, len(COLUMNS))
        )
    return out


def names() -> tuple[str, ...]:
    """All fabrics."""
    return tuple(_fabrics())


def fabric(name: str) -> Fabric:
    """The entry of a fabric.

    Raises:
        InvalidRequestError: when there is none of that name.
    """
    found = _fabrics().get(name)
    if found is None:
        raise InvalidRequestError(
            f"there is no fabric {name!r}", field="fabric", remedy=f"Use one of: {', '.join(names())}."
        )
    return found


def dye(colour: str) -> F32:
    """Scene light (3,) of a dyed thing "#rrggbb": as `linear_of_hex`, but a white that leaves room for its folds.

    The camera's curve is so flat near white that cloth of exactly that colour would lose every fold; it is brought
    down to L* 89, six below paper white, where folds and weave show.
    """
    return patterns.dye(colour)


def weave(cloth: Cloth, u: F32, v: F32, detail: float, seed: int = 0) -> Woven:
    """Weave a cloth at some points.

    Args:
        cloth: colours, fabric, pattern.
        u, v: (h, w) cm along and down the cloth.
        detail: cm per pixel; what is finer than a few pixels fades into its mean.
        seed: another piece of the same cloth.

    Raises:
        InvalidRequestError: for an unknown fabric or pattern.
    """
    kind = fabric(cloth.fabric)
    x, y = np.ascontiguousarray(u, np.float32), np.ascontiguousarray(v, np.float32)
    albedo = patterns.dyed(cloth, x, y, detail, seed)
    relief = np.empty(x.shape, np.float32)
    rough = np.full(x.shape if kind.varied else (1, 1), kind.material[0], np.float32)
    # Undyed thread shows less on cloth that is dyed dark through and through.
    bright = float(luminance(dye(cloth.colour)))
    thread = np.float32(min(1.0, 0.15 + bright / 0.12))
    size, place, table = np.float32(detail), np.float32(seed % 97), dice()
    bands(
        lambda a, b: weave_rows(x, y, size, kind.layers, table, place, thread, albedo, relief, rough, a, b),
        len(x),
        32,
    )
    material = kind.material.copy()
    if kind.varied:
        material = np.empty((*x.shape, 4), np.float32)
        material[:] = kind.material
        material[..., 0] = rough
    return Woven(albedo, relief, material)
