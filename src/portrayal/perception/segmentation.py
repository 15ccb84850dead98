"""Roughly where the person is: two networks that make different mistakes, combined.

MediaPipe's selfie segmentation sees the whole picture (and its mirror image) and, when the face is small, the head and
shoulders again. The segmentation of its body pose net (Bazarevsky et al. 2020) knows whose body it is: it drops other
people, flags and tables.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from portrayal.imaging import F32, U8, Bool
from portrayal.perception.crops import Roi
from portrayal.perception.filters import distance_inside, main_part
from portrayal.perception.nets import forward, sigmoid
from portrayal.perception.types import FaceReading

_INPUT = 256
_SELFIE_LIMIT = 4.0  # logits; a sure answer of the selfie net outweighs the body net
_BODY_LIMIT = 3.0
_BODY_WEIGHT = 0.7
_CUT_SIZE = 448  # longer side of the picture that is cut
_CUT_INWARD = 0.26  # face widths by which the outline may move
_CUT_OUTWARD = 0.12
# Face widths from the outline within which colours are learnt: those far away only blur the models.
_PERSON_REACH = 0.7
_GROUND_REACH = 0.5


def segment_person(rgb: U8, reading: FaceReading, size: tuple[int, int]) -> F32:
    """Probability 0..1 of the person.

    Args:
        rgb: (h, w, 3) uint8.
        reading: the person's face.
        size: (width, height) of the answer.

    Returns:
        (height, width) float32.
    """
    logit = _with_head(rgb, reading, _selfie(rgb, size))
    # The surer the selfie net, the less the body net counts: it does not know things that are held.
    logit += _BODY_WEIGHT * (1 - np.abs(logit) / _SELFIE_LIMIT) * _body(rgb, reading, size)
    return sigmoid(logit)


def _selfie(rgb: U8, size: tuple[int, int]) -> F32:
    small = np.asarray(cv2.resize(rgb, (_INPUT, _INPUT), interpolation=cv2.INTER_AREA), np.uint8)
    plain = _selfie_once(small)
    mirrored = _selfie_once(np.ascontiguousarray(small[:, ::-1]))[:, ::-1]
    return np.asarray(cv2.resize((plain + mirrored) / 2, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _selfie_once(small: U8) -> F32:
    p = forward("selfie_segmentation", small, ("activation_10",))[0].reshape(_INPUT, _INPUT)
    p = np.clip(p, 1e-4, 1 - 1e-4)
    logit: F32 = np.clip(np.log(p / (1 - p)), -_SELFIE_LIMIT, _SELFIE_LIMIT)
    return logit


def _with_head(rgb: U8, reading: FaceReading, logit: F32) -> F32:
    """A closer look at head and shoulders, feathered into the answer for the whole picture."""
    h, w = rgb.shape[:2]
    unit = reading.pose.scale * 1.1
    cx, cy = float(reading.pose.origin[0]), float(reading.pose.origin[1]) + 0.65 * unit
    half = 2.1 * unit
    x0, y0, x1, y1 = (int(v) for v in (max(0, cx - half), max(0, cy - half), min(w, cx + half), min(h, cy + half)))
    if (x1 - x0) * (y1 - y0) >= 0.6 * w * h or x1 - x0 < 16 or y1 - y0 < 16:
        return logit
    rows, columns = logit.shape
    fx, fy = columns / w, rows / h
    a, b, c, d = round(x0 * fx), round(y0 * fy), round(x1 * fx), round(y1 * fy)
    part = _selfie(np.ascontiguousarray(rgb[y0:y1, x0:x1]), (c - a, d - b))
    # Weight falls to 0 at the sides of the crop, but not where they are sides of the picture.
    feather = 0.25 * half * fx
    x, y = np.arange(a, c, dtype=np.float32), np.arange(b, d, dtype=np.float32)
    across = np.minimum(
        np.full_like(x, np.inf) if a == 0 else x - a, np.full_like(x, np.inf) if c == columns else c - 1 - x
    )
    down = np.minimum(np.full_like(y, np.inf) if b == 0 else y - b, np.full_like(y, np.inf) if d == rows else d - 1 - y)
    weight = np.clip(np.minimum(across[None], down[:, None]) / feather, 0, 1).astype(np.float32)
    out = logit.copy()
    out[b:d, a:c] += weight * (part - out[b:d, a:c])
    return out


def _body(rgb: U8, reading: FaceReading, size: tuple[int, int]) -> F32:
    """Logit of the body pose net in a square around head and trunk; 0 (no opinion) towards its border and beyond."""
    h, w = rgb.shape[:2]
    unit = reading.pose.scale * 1.1
    ramp = np.minimum(np.arange(_INPUT), np.arange(_INPUT)[::-1]).astype(np.float32)
    fade = np.clip(np.minimum(ramp[None], ramp[:, None]) / 32, 0, 1)
    total = np.zeros((size[1], size[0]), np.float32)
    for flip in (False, True):
        roi = Roi(float(reading.pose.origin[0]), float(reading.pose.origin[1]) + 1.6 * unit, 8 * unit, flip=flip)
        raw = forward("pose_landmark_full", roi.crop(rgb, _INPUT), ("Identity_2",))[0].reshape(_INPUT, _INPUT)
        logit = np.clip(raw, -_BODY_LIMIT, _BODY_LIMIT) * fade
        matrix = roi.to_image(_INPUT) * np.array([[size[0] / w], [size[1] / h]])
        shift = matrix[:, 2] + matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
        matrix = np.hstack([matrix[:, :2], shift[:, None]])
        total += np.asarray(cv2.warpAffine(logit, matrix, size, flags=cv2.INTER_LINEAR), np.float32)
    return np.asarray(total / 2, np.float32)


class Head(NamedTuple):
    """Where the head is in a working picture: eyes' middle (x, y) and face width in pixels.

    `hair` is how far down hair may reach, in face widths below the eyes: 0.9 = to the shoulders.
    """

    x: float
    y: float
    unit: float
    hair: float = 0.9

    def scaled(self, k: float) -> Head:
        """The same in a picture that is `k` times as large."""
        return Head(self.x * k, self.y * k, self.unit * k, self.hair)

    def frame(self, shape: tuple[int, ...]) -> tuple[F32, F32]:
        """Coordinates u (1, w) and v (h, 1) of the pixels in face widths, from between the eyes."""
        u = (np.arange(shape[1], dtype=np.float32) - np.float32(self.x)) / np.float32(self.unit)
        v = (np.arange(shape[0], dtype=np.float32) - np.float32(self.y)) / np.float32(self.unit)
        return u[None], v[:, None]

    def hair_zone(self, shape: tuple[int, ...]) -> Bool:
        """(h, w) bool: around the head, where hair can be."""
        u, v = self.frame(shape)
        zone: Bool = (v < self.hair) & (np.hypot(u, v - 0.2) < 1.7)
        return zone


def with_hair_length(head: Head, likely: F32) -> Head:
    """Note whether the person goes on beside the jaw, as long hair does."""
    u, v = head.frame(likely.shape)
    beside = (v > 0.35) & (v < 0.6) & (np.abs(u) > 0.52) & (np.abs(u) < 0.75)
    short = not beside.any() or float((likely[beside] > 0.5).mean()) < 0.15
    return head._replace(hair=0.35 if short else 0.9)


def with_exact_body(likely: F32, rgb: U8, head: Head) -> F32:
    """Move the outline of the body to the edges of the picture, by a graph cut (Rother et al. 2004).

    The nets err by up to a fifth of a face width where things of similar brightness touch the body. Colours are learnt
    from what is sure on both sides, then the cheapest outline within a band is found. The hair is left to the matte.

    Args:
        likely: (h, w) float32 probability of the person.
        rgb: (h, w, 3) uint8 of the same size.
        head: where the head is.

    Returns:
        (h, w) float32; below the head nearly 0 or 1.
    """
    h, w = likely.shape
    k = min(1.0, _CUT_SIZE / max(h, w))
    size = (max(8, round(w * k)), max(8, round(h * k)))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    # Face and neck are left to the nets, too: their colours would blur the models of the body.
    head = head._replace(hair=0.9)
    small_head = head.scaled(k)
    x, y, unit = small_head.x, small_head.y, small_head.unit
    rough = np.asarray(cv2.resize(likely, size, interpolation=cv2.INTER_AREA), np.float32)
    inside = main_part(rough > 0.5, (x, y))
    depth, outside = distance_inside(inside), distance_inside(~inside)
    state = np.where(inside, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    state[(depth > _CUT_INWARD * unit) & (rough > 0.95)] = cv2.GC_FGD
    state[outside > _CUT_OUTWARD * unit] = cv2.GC_BGD
    hair = small_head.hair_zone((size[1], size[0]))
    state[hair] = np.where(inside, cv2.GC_FGD, cv2.GC_BGD)[hair]
    sure = (state == cv2.GC_FGD) & (depth < _PERSON_REACH * unit) | (state == cv2.GC_BGD) & (
        outside < _GROUND_REACH * unit
    )
    if min((state[sure] == side).sum() for side in (cv2.GC_FGD, cv2.GC_BGD)) < 50:
        return likely
    bgr = np.ascontiguousarray(small[..., ::-1])
    cv2.setRNGSeed(1)
    models = np.zeros((2, 1, 65))
    pixels, labels = np.ascontiguousarray(bgr[sure][:, None]), np.ascontiguousarray(state[sure][:, None])
    _, off, on = cv2.grabCut(pixels, labels, (0, 0, 0, 0), models[0], models[1], 0, cv2.GC_INIT_WITH_MASK)
    state = np.asarray(cv2.grabCut(bgr, state, (0, 0, 0, 0), off, on, 1, cv2.GC_EVAL_FREEZE_MODEL)[0], np.uint8)
    body = main_part((state & 1) == 1, (x, y)).astype(np.float32)  # GC_FGD and GC_PR_FGD are odd
    body = np.asarray(cv2.resize(cv2.blur(body, (3, 3)), (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.where(head.hair_zone((h, w)), likely, body).astype(np.float32)
