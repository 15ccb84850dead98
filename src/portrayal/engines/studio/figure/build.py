"""Proportions of a body, as far as the reference shows them."""

from __future__ import annotations

from typing import Final

import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.figure.types import Build

# Shoulders in clothes over the height of the landmarks' face (16.5 cm): 2.0 slim .. 3.0 broad. Clothes hide much, so a
# body is never taken for more than rather slim or rather broad.
_MIDDLE: Final = 2.5
_SLOPE: Final = 0.8
_MOST: Final = 0.3
_SLIM: Final = Build(shoulders=0.95, hips=1.0, waist=0.92, bust=1.0, arm=0.90, hand=0.94, neck=5.3, leg=0.97)
_STRONG: Final = Build(shoulders=1.07, hips=0.96, waist=1.0, bust=0.0, arm=1.06, hand=1.05, neck=6.2, leg=1.02)


def blended(breadth: float) -> Build:
    """Between a slim body (0) and a broad one (1)."""
    t = min(max(breadth, 0.0), 1.0)

    def mix(a: float, b: float) -> float:
        return a + (b - a) * t

    a, b = _SLIM, _STRONG
    return Build(
        shoulders=mix(a.shoulders, b.shoulders),
        hips=mix(a.hips, b.hips),
        waist=mix(a.waist, b.waist),
        bust=max(mix(a.bust, b.bust - 0.8), 0.0),
        arm=mix(a.arm, b.arm),
        hand=mix(a.hand, b.hand),
        neck=mix(a.neck, b.neck),
        leg=mix(a.leg, b.leg),
    )


def build_of(character: IdentityMap) -> Build:
    """The build of the person of a reference.

    The width of the shoulders is measured on the matte against the height of the face. Where the reference ends above
    the shoulders or cuts them off, and for a subject without a face, the body is average.
    """
    if character.reading is None:
        return Build()
    points = character.reading.points[:468]
    face = float(np.ptp(points[:, 1]))
    chin, middle = float(points[152, 1]), float(points[:, 0].mean())
    height, width = character.alpha.shape
    rows = np.arange(round(chin + 0.55 * face), min(round(chin + 0.95 * face), height - 1))
    if face < 8 or len(rows) < 3:
        return blended(0.45)
    on = character.alpha[rows] > 0.5
    spans = []
    for row in on:
        columns = np.flatnonzero(row)
        if len(columns) and columns[0] > 1 and columns[-1] < width - 2 and columns[0] < middle < columns[-1]:
            spans.append((columns[-1] - columns[0] + 1) / face)
    if len(spans) < len(rows) // 2:
        return blended(0.45)
    off = (float(np.median(spans)) - _MIDDLE) * _SLOPE
    return blended(0.45 + min(max(off, -_MOST), _MOST))
