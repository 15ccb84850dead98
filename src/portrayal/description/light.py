"""The light on a person, as the nearest family of rigs; only where it is unmistakable."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from portrayal.description.view import View
from portrayal.engines.studio.photo.faces import FaceLight, read_light


@dataclass(frozen=True)
class Light:
    """`rig`: id of a light of the vocabulary, or None when it could be any."""

    rig: str | None = None
    facts: dict[str, float | str] = field(default_factory=dict)


def read(view: View, level: float | None) -> Light:
    """Read the light off the largest face.

    Args:
        view: the picture.
        level: Oklab lightness of the plain backdrop; None in a place, whose light follows from the place itself.
    """
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
    if level is None:
        return Light(None, facts)
    rig = _coloured(warmth, abs(seen.side), seen.level, level) or _white(seen, level)
    if rig:
        facts["light"] = rig
    return Light(rig, facts)


# The bounds below lie between what was measured on portrayals of two people, light and dark skin, under every rig.


def _coloured(warmth: float, side: float, exposure: float, level: float) -> str | None:
    """Fire, low sun, moon and neon, by the colour that the skin takes."""
    if level < 0.4 and warmth > 0.30:
        return "candle" if side < 0.4 else "firelight"
    if warmth > 0.19 and side > 0.65 and level >= 0.4:
        return "golden hour"
    if warmth < -0.15 and side > 0.65 and exposure < 0.8 and level < 0.35:
        return "moonlight"
    return "neon" if warmth < -0.22 and side < 0.4 else None


def _white(seen: FaceLight, level: float) -> str | None:
    """Lamps without a colour: by their side and height, how hard they are, and how dark it is behind."""
    side = abs(seen.side)
    if level < 0.27 and side > 0.85:
        return "low key"
    if level < 0.27 and seen.up > 0.52:
        return "spotlight"
    if level < 0.32 and side < 0.35 and seen.level < 0.75:
        return "rim"
    if seen.hard >= 0.68:
        if seen.up >= 0.5:
            return "Rembrandt" if level < 0.5 else "hard sun"
        return "split" if side > 0.93 else "window"
    if level < 0.42:
        return None  # dark paper under soft light: too many rigs do that
    if level > 0.6 and side < 0.4 and seen.level > 1.2:
        return "high key"
    if side < 0.28:
        return "beauty"
    return "softbox" if 0.45 < side < 0.62 else None
