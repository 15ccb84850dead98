"""What can be said of a person: framing, head, eyes, expression, clothes."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from portrayal import colours
from portrayal.description.view import View
from portrayal.engines.studio.compose import framing_of
from portrayal.imaging import F32
from portrayal.perception import mesh
from portrayal.perception.expression import SHUT
from portrayal.perception.types import Expression, FaceReading
from portrayal.styles.oklab import to_oklab

# Degrees under which nothing is said: within what a photographer's seed and the reading vary.
_YAW: Final = 10.0
_PITCH: Final = 8.0
_ROLL: Final = 6.0
_TURN_LIMIT: Final = 45.0
# Least share of the picture that clothes must cover to be named.
_CLOTHES: Final = 0.02
_SAME: Final = 0.055  # distance in Oklab up to which cloth has one colour
# Smile from, to: expression, and how sure. Between them nothing is said.
_SMILES: Final = (
    (-9.0, 0.29, "neutral", 0.6),
    (0.31, 0.455, "slight smile", 0.6),
    (0.475, 0.8, "smile", 0.6),
    (0.82, 9.0, "broad smile", 0.8),
)
_LIGHTNESS: Final = 0.6  # weight of lightness against hue when colours are named


def framing(view: View) -> str:
    """The framing by the height of the largest face."""
    points = view.people[0].points[:468, 1]
    height, width = view.picture.shape[:2]
    return framing_of(float(points.max() - points.min()) / min(height, 1.25 * width))


def head(reading: FaceReading) -> list[str]:
    """Phrases on the turn of the head; angles where they are notable."""
    pose = reading.pose
    said = []
    if abs(pose.yaw) >= _YAW:
        degrees = round(min(abs(pose.yaw), _TURN_LIMIT))
        said.append(f"head turned {degrees} degrees to the {'right' if pose.yaw > 0 else 'left'}")
    elif abs(pose.pitch) < _PITCH:
        said.append("facing the camera")
    if abs(pose.pitch) >= _PITCH:
        said.append("chin up" if pose.pitch > 0 else "chin down")
    if abs(pose.roll) >= _ROLL:
        said.append(
            f"head tilted {round(min(abs(pose.roll), 20))} degrees to the {'right' if pose.roll > 0 else 'left'}"
        )
    return said


def gaze(reading: FaceReading) -> tuple[float, float]:
    """Where the irises stand between the lids: x to the picture's right, y up, about -1..1, relative to the head."""
    found = []
    for contour, iris in ((mesh.EYE_LEFT, 468), (mesh.EYE_RIGHT, 473)):
        lid = reading.points[list(contour[:16]), :2]
        a, b = lid[0], lid[8]
        if a[0] > b[0]:
            a, b = b, a
        along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-6)
        across = np.array([along[1], -along[0]])
        half = float(np.linalg.norm(b - a)) / 2
        away = reading.points[iris, :2] - (a + b) / 2
        found.append((float(away @ along) / half, float(away @ across) / half))
    x, y = np.mean(found, axis=0)
    return float(x) / 0.42, float(y) / 0.3


def glance(reading: FaceReading) -> str | None:
    """A phrase for eyes that look aside; None when they look ahead, or are shut."""
    e = reading.expression
    if min(e.eye_left, e.eye_right) < 1.3 * SHUT or abs(reading.pose.yaw) > 15:
        return None
    x = gaze(reading)[0]
    if abs(x) > 0.6:
        return f"eyes to the {'right' if x > 0 else 'left'}"
    return None


def expression(e: Expression) -> tuple[str | None, float]:
    """(id of the nearest family of expressions, how sure); None where the measures lie between two of them.

    Bounds were measured on portrayals of three people. Serious, sad and angry faces read as neutral, calm and confident
    ones as a slight smile: without the same person at rest they cannot be told apart.
    """
    small, large = sorted((e.eye_left, e.eye_right))
    if small < SHUT and large < 1.25 * SHUT:
        return "eyes closed", 0.8
    if small < 0.175 and large > 1.75 * small:
        return "wink", 0.7
    if e.mouth_open > 0.26:
        if e.smile > 0.88:
            return "laugh", 0.7
        raised = (e.brow_left + e.brow_right) / 2 > 0.145
        return ("surprised", 0.5) if raised and e.mouth_open > 0.28 else (None, 0.0)
    for least, most, name, sure in _SMILES:
        if least < e.smile < most:
            return name, sure
    return None, 0.0


def clothes(view: View) -> tuple[str | None, float]:
    """(name of the colour that most of the clothes have, the share of them that has it)."""
    pixels = view.picture[view.clothes]
    if len(pixels) < _CLOTHES * view.clothes.size:
        return None, 0.0
    lab = to_oklab(pixels[:: max(1, len(pixels) // 4000)])
    centre, share = main_colour(lab)
    return (name_of(centre), share) if share > 0.35 else (None, share)


def main_colour(lab: F32) -> tuple[F32, float]:
    """The colour (3,) that most of the samples (n, 3) have, folds and shades included, and their share."""
    weights = np.array([0.35, 1, 1], np.float32)
    scaled = lab * weights
    seeds = scaled[:: max(1, len(lab) // 60)]
    near = np.linalg.norm(scaled[:, None] - seeds[None], axis=2) < _SAME
    best = seeds[int(near.sum(0).argmax())]
    inside = np.linalg.norm(scaled - best, axis=1) < _SAME
    for _ in range(3):
        best = scaled[inside].mean(0)
        inside = np.linalg.norm(scaled - best, axis=1) < _SAME
        if not inside.any():
            return np.asarray(lab.mean(0), np.float32), 0.0
    group = lab[inside]
    # Cloth is named by its lit parts, not by its folds.
    lit = group[group[:, 0] >= np.quantile(group[:, 0], 0.5)]
    return np.asarray(lit.mean(0), np.float32), float(inside.mean())


def name_of(lab: F32) -> str:
    """The colour name nearest to an Oklab colour (3,)."""
    away = (oklab_of_names() - lab) * np.array([_LIGHTNESS, 1, 1], np.float32)
    return colours.names()[int((away**2).sum(1).argmin())]


@lru_cache(1)
def oklab_of_names() -> F32:
    """The colours (n, 3) of `portrayal.colours.names`, in their order."""
    codes = [[int(colours.hex_of(name)[i : i + 2], 16) for i in (1, 3, 5)] for name in colours.names()]
    found = to_oklab(np.array(codes, np.uint8))
    found.setflags(write=False)
    return found
