"""The light on a person, as the nearest family of rigs; only where it is unmistakable."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from portrayal.description.view import View
from portrayal.engines.studio.photo.faces import read_light


@dataclass(frozen=True)
class Light:
    """`rig`: id of a light of the vocabulary, or None when it could be any."""

    rig: str | None = None
    facts: dict[str, float | str] = field(default_factory=dict)


def read(view: View) -> Light:
    """Read the light off the largest face."""
    seen = read_light(view.picture, view.people[:1], None)
    if seen is None:
        return Light()
    red, _, blue = (float(v) for v in seen.colour)
    warmth = float(np.log(max(red, 1e-3) / max(blue, 1e-3)))
    facts: dict[str, float | str] = {
        "light_side": round(seen.side, 2),
        "light_up": round(seen.up, 2),
        "light_hard": round(seen.hard, 2),
        "light_level": round(seen.level, 2),
        "light_warmth": round(warmth, 2),
    }
    return Light(None, facts)
