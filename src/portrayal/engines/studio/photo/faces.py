"""What the light does to the faces of a photograph: the best witnesses that a picture has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from portrayal.engines.studio.head.topology import closed_triangles
from portrayal.engines.studio.light.tone import luminance, untone
from portrayal.imaging import F32, U8, Array
from portrayal.perception import mesh
from portrayal.perception.types import FaceReading

_SMALLEST = 20.0  # face width in pixels under which shading says nothing
_SIDE = 96  # width in pixels at which a face is looked at
# Scene light of average skin in good exposure, by which the light's colour is told; skins differ, so it counts half.
_SKIN = (0.68, 0.29, 0.19)
_HUE_TRUST = 0.45


@dataclass(frozen=True)
class FaceLight:
    """Light as faces show it.

    Attributes:
        side: -1..1, lit from the picture's left or right.
        up: height of the light, -0.3..0.9.
        hard: 0..1, how sharply the lit side ends.
        level: exposure of the faces, 1 = a well exposed portrait.
        colour: (3,) of the light, luminance one.
        sure: 0..1.
        count: number of faces.
    """

    side: float
    up: float
    hard: float
    level: float
    colour: F32
    sure: float
    count: int


def read_light(photo: U8, faces: Sequence[FaceReading], where: tuple[int, int, int, int] | None) -> FaceLight | None:
    """The light on the faces of a photograph; None when none is large enough.

    First-order spherical harmonics are fitted to the log luminance of the skin over the mean face's normals.
    """
    found = []
    for face in faces:
        if face.pose.scale < _SMALLEST:
            continue
        weight = min(face.pose.scale / 120, 1.5)
        if where is not None:
            middle = (where[0] + where[2]) / 2
            away = abs(float(face.pose.origin[0]) - middle) / max(photo.shape[:2])
            weight *= float(np.exp(-2.0 * away))
        found.append((weight, _one(photo, face)))
    if not found:
        return None
    total = sum(w for w, _ in found)

    def mean(values: Sequence[float]) -> float:
        return float(sum(w * v for (w, _), v in zip(found, values, strict=True)) / total)

    colour = np.sum([w * one[4] for w, one in found], axis=0) / total
    return FaceLight(
        side=mean([one[0] for _, one in found]),
        up=mean([one[1] for _, one in found]),
        hard=mean([one[2] for _, one in found]),
        level=mean([one[3] for _, one in found]),
        colour=np.asarray(colour / float(luminance(colour.astype(np.float32))), np.float32),
        sure=float(np.clip(total / 0.8, 0.3, 1.0)),
        count=len(found),
    )


@lru_cache(1)
def _normals() -> tuple[F32, F32]:
    """Normals (468, 3) of the mean face in its own frame, and weights (468,): 1 on bare skin, 0 on eyes and lips."""
    points = mesh.canonical_face().astype(np.float64)
    a, b, c = (points[closed_triangles()[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    flat *= -np.sign(flat[:, 2:] + 1e-12)  # all look at the camera, which is at negative z
    out = np.zeros_like(points)
    for k in range(3):
        np.add.at(out, closed_triangles()[:, k], flat)
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)
    weight = np.ones(468, np.float32)
    for group in (mesh.LIPS, mesh.MOUTH, mesh.EYE_LEFT[:48], mesh.EYE_RIGHT[:48], mesh.BROW_LEFT, mesh.BROW_RIGHT):
        weight[list(group)] = 0
    weight[list(mesh.OVAL)] = 0  # hair and beard begin there
    return out.astype(np.float32), weight


def _one(photo: U8, face: FaceReading) -> tuple[float, float, float, float, F32]:
    """(side, up, hard, level, colour) of one face."""
    colours = _skin(photo, face)
    own, weight = _normals()
    # Light axes: y up, z towards the camera.
    n = (own @ face.pose.rotation.T) * np.array([1, -1, -1], np.float32)
    light = luminance(colours)
    log = np.log(np.maximum(light, 0) + 0.01)
    use = weight * (n[:, 2] > 0.15)
    terms = np.column_stack([np.ones(468, np.float32), n]).astype(np.float64)
    ridge = np.diag([0.0, 0.01, 0.05, 0.05]) * max(float(use.sum()), 1.0)
    robust: Array = use.astype(np.float64)
    fitted = np.zeros(4)
    for _ in range(6):
        fitted = np.linalg.solve(
            terms.T @ (terms * robust[:, None]) + ridge + 1e-9 * np.eye(4), terms.T @ (robust * log)
        )
        rest = log - terms @ fitted
        spread = 1.48 * float(np.median(np.abs(rest[use > 0]))) + 1e-3
        robust = use * np.where(rest > 0, 1, 0.7) / np.maximum(1, np.abs(rest) / (1.3 * spread))
    skin = np.median(colours[use > 0], axis=0)
    grey = max(float(luminance(skin.astype(np.float32))), 0.004)
    ratio = np.clip(skin / grey, 0.1, 3) / (np.array(_SKIN) / luminance(np.array(_SKIN, np.float32)))
    hue = np.clip(ratio, 0.3, 2.2) ** _HUE_TRUST
    # Skins differ by a factor of eight in what they reflect; the power keeps dark skin from being taken for dusk.
    level = (grey / float(luminance(np.array(_SKIN, np.float32)))) ** 0.6
    side = float(np.tanh(1.05 * fitted[1]))
    up = float(np.clip(0.35 + 0.35 * fitted[2], -0.2, 0.85))
    return side, up, float(np.clip((abs(fitted[1]) - 0.35) / 0.6, 0, 1)), level, hue.astype(np.float32)


def _skin(photo: U8, face: FaceReading) -> F32:
    """Scene light (468, 3) at the vertices, smoothed over 4 % of the face."""
    points = face.points[:468, :2]
    low, high = points.min(0), points.max(0)
    pad = 0.1 * (high - low)
    x0, y0 = np.maximum(np.floor(low - pad).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(high + pad).astype(int) + 1, photo.shape[1::-1])
    if x1 - x0 < 4 or y1 - y0 < 4:
        return np.full((468, 3), 0.2, np.float32)
    k = min(1.0, _SIDE / (x1 - x0))
    size = (max(4, round((x1 - x0) * k)), max(4, round((y1 - y0) * k)))
    part = cv2.resize(photo[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    soft = cv2.GaussianBlur(np.maximum(untone(part), 0), (0, 0), max(0.6, 0.03 * size[0]))
    at = np.clip((points - (x0, y0)) * (size[0] / (x1 - x0), size[1] / (y1 - y0)) - 0.5, 0, (size[0] - 1, size[1] - 1))
    # All vertices in one row: remap reads them bilinearly.
    found = cv2.remap(soft, at[None, :, 0].astype(np.float32), at[None, :, 1].astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(found[0], np.float32)
