"""The matte of a person: alpha to the hair, and colours without the old background."""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.imaging import F32, U8, Bool
from portrayal.perception import mesh
from portrayal.perception.closed_form import Problem, pose_problem, solve
from portrayal.perception.colour_model import ColourModel
from portrayal.perception.filters import distance_inside, eroded, guided_at, main_part
from portrayal.perception.segmentation import Head, segment_person, with_exact_body, with_hair_length
from portrayal.perception.types import FaceReading

# Longer side, and width of the face, at which the matte is solved at most.
SIZE = 1024
FACE = 260.0
# Half width in face widths of what is solved along the body.
_BODY_BAND = 0.05


def person_matte(rgb: U8, reading: FaceReading) -> F32:
    """Alpha of the person with this face.

    Args:
        rgb: (h, w, 3) uint8.
        reading: the person's face.

    Returns:
        (h, w) float32 0..1.
    """
    low, trimap, problem = matting_problem(rgb, reading)
    return finish_alpha(solve(problem), low, trimap, rgb)


def matting_problem(rgb: U8, reading: FaceReading) -> tuple[F32, F32, Problem]:
    """The picture at working size (float32 0..1), its trimap (0, 0.5, 1) and the linear system to solve."""
    h, w = rgb.shape[:2]
    k = min(1.0, SIZE / max(h, w), FACE / reading.pose.scale)
    size = (max(8, round(w * k)), max(8, round(h * k)))
    eyes = reading.points[list(mesh.EYE_CORNERS), :2].mean(0) * k
    unit = reading.pose.scale * k
    head = Head(float(eyes[0]), float(eyes[1]), unit)
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    low = small.astype(np.float32) / np.float32(255)
    likely = segment_person(rgb, reading, size)
    head = with_hair_length(head, likely)
    likely = with_exact_body(likely, small, head)
    trimap, evidence = make_trimap(likely, head, low)
    inside = likely > 0.5
    depth = np.where(inside, distance_inside(inside), distance_inside(~inside)) / unit
    # A weak pull to the nets' side that grows with the distance from their outline; stronger where colours say nothing.
    doubt = 1 + 5 * np.clip(1 + np.where(inside, -evidence, evidence) / 3, 0, 1)
    weight = (0.05 * doubt * np.clip((depth - 0.03) / 0.12, 0, 1) ** 2).astype(np.float32)
    unknown = trimap == 0.5
    first = np.where(unknown, likely, trimap).astype(np.float32)
    return low, trimap, pose_problem(low, first, unknown, inside.astype(np.float32), weight)


def make_trimap(likely: F32, head: Head, rgb: F32) -> tuple[F32, F32]:
    """0 background, 1 person, 0.5 to be solved; and how much more the colours look like background, -9..9.

    Along the body only a thin band is solved. Around the hair the band is wide and then narrowed by colour: pixels that
    look like the background (hair) nearby, on the matching side of the net's border, become known.

    Args:
        likely: (h, w) probability of the person.
        head: where the head is.
        rgb: (h, w, 3) float32 0..1.
    """
    unit = head.unit
    core = main_part(likely > 0.5, (head.x, head.y))
    likely = np.where(distance_inside(~core) > 0.3 * unit, 0, likely).astype(np.float32)
    trimap = np.full(likely.shape, 0.5, np.float32)
    trimap[eroded((likely > 0.6) & core, _BODY_BAND * unit)] = 1
    trimap[eroded(likely < 0.4, _BODY_BAND * unit)] = 0
    evidence = _hair_band(trimap, likely, core, head, rgb)
    return _settled(trimap), evidence


def _hair_band(trimap: F32, likely: F32, core: Bool, head: Head, rgb: F32) -> F32:
    unit = head.unit
    hair = head.hair_zone(trimap.shape)
    ratio = np.zeros(trimap.shape, np.float32)
    inner = distance_inside((likely > 0.95) & core)
    outer = distance_inside(likely < 0.05)
    trimap[hair] = 0.5
    trimap[hair & (inner > 0.12 * unit)] = 1
    trimap[hair & (outer > 0.17 * unit)] = 0
    on = hair & (trimap == 1) & (inner < 0.37 * unit)
    off = hair & (trimap == 0) & (outer < 0.52 * unit)
    if on.sum() < 100 or off.sum() < 100:
        return ratio
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab), np.float32)
    band = hair & (trimap == 0.5)
    colours = np.ascontiguousarray(lab[band])
    ratio[band] = ColourModel(lab[on], 5, 20).cost(colours) - ColourModel(lab[off], 5, 20).cost(colours)
    ratio = np.asarray(cv2.blur(ratio, (3, 3)), np.float32)
    trimap[band & eroded(likely < 0.3, 0.03 * unit) & eroded((ratio > 3) | ~band, 0.015 * unit)] = 0
    trimap[band & eroded(likely > 0.7, 0.03 * unit) & eroded((ratio < -3) | ~band, 0.015 * unit)] = 1
    return np.clip(ratio, -9, 9)


def _settled(trimap: F32) -> F32:
    """Islands of the unknown that touch no person become background, those that touch no background person."""
    count, parts = cv2.connectedComponents((trimap == 0.5).astype(np.uint8))
    out = trimap.copy()
    touched = np.zeros((2, count), bool)
    for side in (0, 1):
        near = cv2.dilate((trimap == side).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        touched[side, np.unique(parts[near])] = True
    for side in (0, 1):
        alone = touched[side] & ~touched[1 - side]
        alone[0] = False
        out[alone[parts]] = side
    return out


def finish_alpha(alpha: F32, low: F32, trimap: F32, rgb: U8) -> F32:
    """Alpha at the picture's size: guided by the picture in the band, the grey veil of closed form removed."""
    h, w = rgb.shape[:2]
    if alpha.shape != (h, w):
        small = alpha
        alpha = np.asarray(cv2.resize(alpha, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
        band = cv2.dilate((trimap == 0.5).astype(np.float32), np.ones((3, 3), np.uint8))
        band = np.asarray(cv2.resize(band, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
        where = (band > 0) & (cv2.dilate(alpha, np.ones((5, 5))) > 0.01) & (cv2.erode(alpha, np.ones((5, 5))) < 0.99)
        # The linear model can overshoot.
        change = np.clip(guided_at(low, small, rgb, where) - alpha[where], -0.35, 0.35)
        alpha[where] += band[where] * change
    out: F32 = np.clip((alpha - 0.04) / 0.92, 0, 1).astype(np.float32)
    return out
