"""What the strength of a remix means: how much of the inspiration each part of the new picture takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

# From here on the picture itself is kept and the character's head is put into it.
SWAP: Final = 0.75
# Strength -> radius of the background's blur, as a share of the geometric mean of the picture's sides. The first is a
# painted backdrop in the inspiration's colours, then things are guessed, then known; the last is a portrait lens.
_DEFOCUS: Final = (
    (0.0, 0.120),
    (0.2, 0.068),
    (0.4, 0.034),
    (0.5, 0.022),
    (0.6, 0.013),
    (0.7, 0.0075),
    (0.75, 0.0055),
    (0.9, 0.0028),
    (1.0, 0.0),
)


@dataclass(frozen=True)
class Bands:
    """Shares 0..1 of the inspiration.

    Attributes:
        own: how much of the background is the prompt's scene.
        own_defocus: extra blur of that scene, so that two sharp pictures never lie over one another.
        defocus: blur of the inspiration's background; both as shares of the geometric mean of the sides.
        pose: how far the head turns as the inspiration's does.
        clothes: how far the clothes take the colour of the inspiration's.
        palette: strength of the colour transfer.
        vignette: our own lens's fall-off towards the corners.
        crowd: whether other people of the inspiration stay, in the background.
        swap: whether the head goes onto the inspiration's own body.
    """

    own: float
    own_defocus: float
    defocus: float
    pose: float
    clothes: float
    palette: float
    vignette: float
    crowd: bool
    swap: bool


def bands(strength: float, scene: bool) -> Bands:
    """The shares at a strength of 0..1; `scene`: whether the prompt names a place of its own."""
    own = 1 - _step(0.04, 0.40, strength) if scene else 0.0
    x, y = zip(*_DEFOCUS, strict=True)
    return Bands(
        own=own,
        own_defocus=0.03 * _step(0.0, 0.35, strength),
        defocus=float(np.interp(strength, x, y)),
        pose=_step(0.0, 0.55, strength),
        clothes=_step(0.42, 0.6, strength),
        palette=0.75 * own,
        vignette=max(0.2 * own, 0.3 * (1 - strength / 0.7)) if strength < 0.7 else 0.0,
        crowd=strength >= 0.45,
        swap=strength >= SWAP,
    )


def _step(low: float, high: float, x: float) -> float:
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)
