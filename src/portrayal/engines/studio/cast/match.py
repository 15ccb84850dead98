"""One camera for all: members whose references differ in sharpness and noise are brought nearer to each other.

Sharpness is measured at lids, brows and lips, where every face has lines: how strong the finest structure is beside
what is four times as coarse. On good portraits of different people, at one size, that ratio differs by a third, so it
says what lens and enlargement did and not whose face it is. The finest bands of each member are then made stronger or
weaker, within limits that no face is changed by. A noisy member is cored; the others get grain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.enlarge.denoise import LUMA, noise_level
from portrayal.engines.studio.types import Subject
from portrayal.imaging import F32
from portrayal.perception import mesh

_FINE: Final = 0.7  # sigma in pixels of the finest band; each next one reaches to twice that
_GAIN: Final = (0.45, 1.25)  # limits of what is done to the fine bands
_SHARPER: Final = 1.25  # times sharper than the softest face that the others may stay
_LEAST: Final = 0.06  # change of a band that nobody sees
_NOISY: Final = 0.012  # deviation of noise that a good photograph stays under
_ALIKE: Final = 1.5  # noise that differs less is the same film
_LINES: Final = (mesh.LID_LEFT, mesh.LID_RIGHT, mesh.BROW_LEFT, mesh.BROW_RIGHT, mesh.LIPS)


@dataclass(frozen=True)
class _Look:
    """How a face was taken: strength of the finest structure beside the coarser, and deviation of its noise."""

    sharp: float
    noise: float


def match(subjects: Sequence[Subject], seed: int) -> list[Subject]:
    """Members as one lens and one film would have seen them; those without a face stay as they are.

    Args:
        subjects: any members of one picture, at its scale.
        seed: of the grain.
    """
    looks = [_look(subject) for subject in subjects]
    known = [look for look in looks if look is not None]
    if len(known) < 2:
        return list(subjects)
    least = min(look.sharp for look in known)
    sharp = float(np.exp(np.mean([np.log(look.sharp) for look in known])))
    sharp = min(sharp, _SHARPER * least)
    noise = min(max(look.noise for look in known), _NOISY)
    return [
        subject if look is None else _matched(subject, look, _Look(sharp, noise), seed + 7 * i)
        for i, (subject, look) in enumerate(zip(subjects, looks, strict=True))
    ]


def _look(subject: Subject) -> _Look | None:
    if subject.points is None:
        return None
    points = subject.points[:468, :2]
    rows, columns = subject.alpha.shape
    x0, y0 = (int(max(v, 0)) for v in points.min(0))
    x1, y1 = (int(v) + 1 for v in points.max(0))
    part = np.s_[y0 : min(y1, rows), x0 : min(x1, columns)]
    luma = _luma(subject.rgb[part])
    if min(luma.shape) < 24:
        return None
    lines = np.zeros(luma.shape, np.uint8)
    for contour in _LINES:
        hull = cv2.convexHull((points[list(contour)] - (x0, y0)).astype(np.float32))
        cv2.fillConvexPoly(lines, np.round(hull).astype(np.int32), 1)
    grown = max(1, round(0.015 * subject.face_height))
    around = cv2.dilate(lines, np.ones((3, 3), np.uint8), iterations=grown)
    noise = noise_level(luma, np.asarray(subject.face[part] * (1 - around), np.float32))
    blurred = [cv2.GaussianBlur(luma, (0, 0), _FINE * k) for k in (2, 4, 8)]
    chosen = around > 0
    # Mean magnitudes: a catch-light is a sharp dot even in an unsharp eye. Noise is fine, too, but no sharpness.
    fine = float(np.abs(luma - blurred[0])[chosen].mean())
    fine = max(fine * fine - 0.5 * noise * noise, 0.05 * fine * fine) ** 0.5
    coarse = float(np.abs(blurred[1] - blurred[2])[chosen].mean())
    return _Look(max(fine, 1e-4) / max(coarse, 1e-4), noise)


def _matched(subject: Subject, look: _Look, wish: _Look, seed: int) -> Subject:
    gain = float(np.clip(wish.sharp / look.sharp, *_GAIN))
    noisy = look.noise > _NOISY
    grain = (wish.noise**2 - look.noise**2) ** 0.5 if look.noise * _ALIKE < wish.noise else 0.0
    if abs(gain - 1) < _LEAST and not noisy and not grain:
        return subject
    middle = cv2.GaussianBlur(subject.rgb, (0, 0), _FINE)
    fine, next_ = subject.rgb - middle, middle - cv2.GaussianBlur(subject.rgb, (0, 0), 2 * _FINE)
    # A blur takes more of the finer band; sharpening must not.
    change = np.float32(min(gain * gain, gain) - 1) * fine + np.float32(gain - 1) * next_
    if noisy:
        # Wiener's weight: what stands out of the noise stays. Enlarged noise lies in the next band, too.
        for band, share in ((fine, 1.3), (next_, 1.0)):
            limit = np.float32((share * look.noise) ** 2)
            change = change - band * (limit / (band * band + limit))
    if grain:
        rng = np.random.default_rng([seed, 404])
        sheet = rng.standard_normal(subject.alpha.shape, np.float32)
        change = change + np.float32(grain) * sheet[..., None]
    return replace(subject, rgb=np.ascontiguousarray(np.clip(subject.rgb + change, 0, 1), np.float32))


def _luma(rgb: F32) -> F32:
    return np.asarray(cv2.transform(np.ascontiguousarray(rgb), LUMA[None]), np.float32).reshape(rgb.shape[:2])
