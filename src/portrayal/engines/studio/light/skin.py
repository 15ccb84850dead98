"""Where the skin is, how it is exposed, and how far its colour may go.

Skin is what a picture of a person is judged by: it gets the exposure target and the bound on its colour. Eyes and teeth
are told apart, because light tints them less.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from portrayal.engines.studio.light.shape import features
from portrayal.engines.studio.light.tone import luminance, tone
from portrayal.engines.studio.types import Subject
from portrayal.imaging import F32, Array
from portrayal.perception import mesh
from portrayal.perception.types import FACE, HAIR, SKIN

_MOST_SAMPLES = 3000
# Lightest skin that is exposed as such, L*; the reference's own value is kept below it.
_LIGHTEST = 71.0
_LIFT = 14.0
_LIFT_RED = 9.0
_GREEN = 1.7


@dataclass(frozen=True)
class Samples:
    """Pixels that stand for the face: flat indices (n,) and whether they are skin of a person."""

    index: Array
    human: bool


def region_weight(subject: Subject, labels: tuple[int, ...]) -> F32:
    """Soft weight (H, W) of some labels of the region map."""
    table = np.zeros(256, np.uint8)
    table[list(labels)] = 255
    soft = cv2.GaussianBlur(table[subject.regions], (0, 0), max(0.8, 0.008 * subject.face_height))
    return np.asarray(soft * np.float32(1 / 255), np.float32)


def skin_weight(subject: Subject) -> F32:
    """Soft weight (H, W) of bare skin: face, neck, ears and hands without eyes, brows and lips."""
    skin = region_weight(subject, (FACE, SKIN))
    return np.asarray(skin * (1 - 0.85 * features(subject.points, skin.shape, subject.face_height)), np.float32)


def hair_weight(subject: Subject) -> F32:
    """Soft weight (H, W) of the hair of a person; zero for a subject without a face."""
    return region_weight(subject, (HAIR,))


def eyes_and_teeth(subject: Subject) -> F32:
    """Weight (H, W) of what stays nearly white under coloured light."""
    out = np.zeros(subject.alpha.shape, np.uint8)
    if subject.points is None:
        return out.astype(np.float32)
    for contour in (mesh.LID_LEFT, mesh.LID_RIGHT, mesh.MOUTH):
        corners = np.round(subject.points[list(contour), :2] * 16).astype(np.int32)
        cv2.fillPoly(out, [corners], 255, cv2.LINE_AA, 4)
    return np.asarray(
        cv2.GaussianBlur(out, (0, 0), max(0.7, 0.004 * subject.face_height)) / np.float32(255), np.float32
    )


def sample(subject: Subject, skin: F32) -> Samples:
    """Choose the pixels on which exposure and colour are measured, at most 3000."""
    chosen = np.flatnonzero((subject.face > 0.6) & (skin > 0.5) & (subject.alpha > 0.9))
    human = len(chosen) >= 40
    if not human:
        chosen = np.flatnonzero(subject.alpha > 0.9)
    if not len(chosen):
        chosen = np.array([int(subject.alpha.argmax())])
    return Samples(chosen[:: max(1, len(chosen) // _MOST_SAMPLES)], human)


def lab(display: Array) -> F32:
    """CIE L*a*b* (n, 3) of display codes (n, 3)."""
    row = np.ascontiguousarray(display, np.float32)[None]
    return np.asarray(cv2.cvtColor(row, cv2.COLOR_RGB2Lab)[0], np.float32)


def exposure(subject: Subject, samples: Samples, albedo: F32) -> tuple[float, float]:
    """The gain that exposes the skin well, and the lightness L* that it comes to.

    Dark skin stays dark: the target is the reference's own lightness, capped for very light skin, and lifted only
    when the whole reference is under-exposed.

    Args:
        albedo: (n, 3) scene light of the samples with the reference's shading divided out.
    """
    codes = subject.rgb.reshape(-1, 3)
    lightness, red, yellow = (float(v) for v in lab(codes[samples.index]).mean(0))
    own = lightness
    step = max(1, subject.alpha.size // 40000)
    solid = subject.alpha.reshape(-1)[::step] > 0.9
    brightest = luminance(codes[::step][solid])
    p98 = float(np.percentile(brightest, 98)) if len(brightest) else 1.0
    t = float(np.clip((p98 - 0.35) / 0.40, 0, 1))
    if samples.human:
        # Dark skin is more yellow than red; skin that is dark and red is light skin in too little light.
        own += _LIFT_RED * float(np.clip((red - yellow - 1) / 4, 0, 1)) * float(np.clip((60 - lightness) / 12, 0, 1))
    target = min(own + _LIFT * (1 - t * t * (3 - 2 * t)), max(_LIGHTEST, 0) if samples.human else own)
    low, high = 0.1, 2.6
    for _ in range(10):
        middle = (low + high) / 2
        value = float(lab(tone(albedo * np.float32(middle)))[:, 0].mean())
        low, high = (middle, high) if value < target else (low, middle)
    return (low + high) / 2, target


def kept_chroma(albedo: F32, light: F32, reference: F32, bound: float) -> tuple[float, float]:
    """How much of the light's colour may stay so that the mean skin shifts by at most `bound` in Lab a/b.

    Args:
        albedo, light: (n, 3) of the samples.
        reference: (n, 3) display codes of the samples in the photograph.

    Returns:
        The factor 0..1 on the light's distance from grey, and the shift that it leaves.
    """
    own = lab(reference).mean(0)
    grey = luminance(light)[:, None]
    # Even white light shifts the tone-mapped colour a little; that part no tint can undo.
    low, high = 0.0, 1.0
    shift = _shift(albedo, light, own)
    if shift <= bound:
        return 1.0, shift
    for _ in range(7):
        middle = (low + high) / 2
        shift = _shift(albedo, grey + (light - grey) * np.float32(middle), own)
        low, high = (middle, high) if shift <= bound else (low, middle)
    return low, _shift(albedo, grey + (light - grey) * np.float32(low), own)


def _shift(albedo: F32, light: F32, own: F32) -> float:
    mean = lab(tone(albedo * np.maximum(light, 0))).mean(0)
    red, yellow = float(mean[1] - own[1]), float(mean[2] - own[2])
    # Green skin looks ill long before red or yellow skin does.
    return float(np.hypot(red * (_GREEN if red < 0 else 1.0), yellow))
