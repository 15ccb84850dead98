"""The reference with the scene's expression, as far as its pixels must be painted for it.

The mesh carries lips and lids to new places by itself. What it cannot do is hide: a lid over an open eye, lips over
teeth, a smile's folds on a calm face. That is painted on the reference first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from portrayal.engines.studio.head.express import express
from portrayal.engines.studio.head.fields import step
from portrayal.engines.studio.head.presets import Preset
from portrayal.engines.studio.swap.shape import mouth_gap, openness
from portrayal.imaging import F32
from portrayal.perception.types import Expression

# Lips nearer together than this (of the mouth's width) are closed.
CLOSED: Final = 0.045
_SHUT, _OPEN = 0.14, 0.19


@dataclass(frozen=True)
class Ready:
    """The reference at the scene's scale: picture 0..1, landmarks, and where it is neither face nor neck (0..1)."""

    rgb: F32
    points: F32
    other: F32


def adapted(ready: Ready, own: Expression, scene: F32, wanted: Expression, seed: int) -> Ready:
    """Close eyes and mouth, and calm a smile, where the scene's face does so.

    Args:
        ready: the reference.
        own: its expression.
        scene: (478, 3) landmarks of the scene's face.
        wanted: its expression.
        seed: of lashes.
    """
    preset = _preset(ready.points, own, scene, wanted)
    if preset is None:
        return ready
    new = express(ready.rgb, ready.points, own.smile, preset, 1.0, seed)
    if new is None:
        return ready
    x0, y0, x1, y1 = new.box
    out = ready.rgb.copy()
    out[y0:y1, x0:x1] = new.rgb
    return replace(ready, rgb=out, points=new.points)


def _preset(points: F32, own: Expression, scene: F32, wanted: Expression) -> Preset | None:
    blinks = []
    for side in (0, 1):
        there, here = openness(scene, side), openness(points, side)
        # A shut eye still reads as a gap of about a tenth: that is its lashes.
        part = max(0.0, 1 - there / max(here, 1e-3))
        shut = 1 - step(_SHUT, _OPEN, there)
        blinks.append(part + (1 - part) * shut if shut > 0 and here > _SHUT else 0.0)
    calmer = own.smile - max(wanted.smile, 0.0)
    closes = mouth_gap(scene) < CLOSED < mouth_gap(points)
    if not closes and max(blinks) == 0 and calmer < 0.35:
        return None
    fold = -step(0.3, 0.9, calmer)
    if not closes:
        return Preset(blink_left=blinks[0], blink_right=blinks[1], fold=fold)
    smile = float(np.clip(wanted.smile, 0.0, 1.2))
    return Preset(
        close=1.0,
        width=1 + 0.15 * smile,
        lift=0.08 * smile,
        blink_left=blinks[0],
        blink_right=blinks[1],
        fold=fold,
    )
