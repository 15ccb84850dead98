"""The shape of a head: an inflated silhouette that carries the landmarks' face.

Heights are in pixels towards the camera, 0 on the silhouette.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spl

from portrayal.engines.studio.head import topology
from portrayal.engines.studio.head.fields import blur, disc, resize, sample, smoothstep
from portrayal.engines.studio.head.raster import NOTHING, rasterise
from portrayal.imaging import F32, Bool
from portrayal.perception import mesh

_GRID = 40.0  # pixels per face height at which the Poisson equation is solved
_EAR_SLOPE = 1.0
_NECK_BEHIND = 0.22  # of the neck behind the chin, in face heights


@dataclass(frozen=True)
class Shape:
    """Heights of the head.

    Attributes:
        inflated: (h, w) of the smooth skull alone.
        front: (h, w) of what is seen.
        landmarks: (468,) of the face's vertices.
        jaw: (w,) row of the jaw line in each column.
        follow: (h, w) 1 on the head, falling to 0 down the neck.
    """

    inflated: F32
    front: F32
    landmarks: F32
    jaw: F32
    follow: F32


def inflate(mask: F32, face: float, chin: tuple[float, float]) -> F32:
    """Heights of a rounded body with this silhouette (Poisson inflation, Mori & Igarashi 2007): (h, w) float32.

    An ellipse gives an exact ellipsoid; any haircut gives a rounded one.

    Args:
        mask: (h, w) 0..1.
        face: height of the face in its pixels.
        chin: (x, y); the neck below is continued to the border, so that it does not thin out at the collar.
    """
    h, w = mask.shape
    k = _GRID / face
    size = (max(8, round(w * k)), max(8, round(h * k)))
    inside = resize(mask, size) > 0.5
    _continue_neck(inside, chin[0] * k, chin[1] * k)
    height = _poisson(inside)
    above = inside & (np.arange(size[1])[:, None] < chin[1] * k)
    top = float(np.quantile(height[above], 0.97)) if above.any() else 1.0
    share = cv2.resize(np.minimum(height / max(top, 1e-6), 1.15), (w, h), interpolation=cv2.INTER_CUBIC)
    out: F32 = (np.sqrt(np.clip(blur(share, 0.009 * face), 0, None)) * (0.60 * face)).astype(np.float32)
    return out


def _continue_neck(inside: Bool, x: float, y: float) -> None:
    row = min(inside.shape[0] - 1, int(y + 0.06 * _GRID))
    columns = np.flatnonzero(inside[row])
    if len(columns):
        first = max(int(columns.min()), int(x - 0.42 * _GRID))
        inside[row:, first : min(int(columns.max()), int(x + 0.42 * _GRID)) + 1] = True


def _poisson(inside: Bool) -> F32:
    """Solve laplacian(h) = -1 inside, h = 0 outside, no slope at the array's border."""
    n = int(inside.sum())
    index = np.full(inside.shape, -1, np.int64)
    index[inside] = np.arange(n)
    padded = np.pad(index, 1, constant_values=-2)
    diagonal = np.zeros(n)
    rows, columns = [], []
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        other = padded[1 + dy : padded.shape[0] - 1 + dy, 1 + dx : padded.shape[1] - 1 + dx][inside]
        diagonal += other != -2
        near = np.flatnonzero(other >= 0)
        rows.append(near)
        columns.append(other[near])
    i, j = np.concatenate(rows), np.concatenate(columns)
    system = sp.coo_matrix((-np.ones(len(i)), (i, j)), shape=(n, n)) + sp.diags(diagonal + 1e-9)
    out = np.zeros(inside.shape, np.float32)
    if n:
        out[inside] = spl.spsolve(system.tocsc(), np.ones(n), permc_spec="MMD_AT_PLUS_A")
    return out


def build(head: F32, ears: F32, points: F32, face: float) -> Shape:
    """The shape of the head layer.

    Args:
        head: (h, w) alpha of the head layer.
        ears: (h, w) 0..1 visible ears.
        points: (478, 3) landmarks in its pixels.
        face: height of the face.
    """
    h, w = head.shape
    chin = points[mesh.CHIN]
    inflated = inflate(head, face, (float(chin[0]), float(chin[1])))
    out = -points[:468, 2]
    side = list(topology.SIDES)
    shift = 0.75 * sample(inflated, points[side, 0], points[side, 1]).mean() - out[side].mean()
    landmarks = (out + shift).astype(np.float32)
    values = np.stack([landmarks, landmarks], 1)
    drawn, buffer = rasterise(points[:468, :2], landmarks, values, topology.triangles(), h, w)
    front = inflated + _face_relief(inflated, drawn[..., 0], (buffer > NOTHING).astype(np.float32), face)
    front = _flat_ears(front, head, ears, face)
    jaw = _jaw_line(points, w, face)
    below = np.arange(h, dtype=np.float32)[:, None] - jaw[None]
    front = front - _NECK_BEHIND * face * smoothstep(0.01 * face, 0.11 * face, below)
    follow = blur(1 - smoothstep(0.02 * face, 0.40 * face, below), 0.02 * face)
    return Shape(inflated, front.astype(np.float32), landmarks, jaw, follow)


def _flat_ears(front: F32, head: F32, ears: F32, face: float) -> F32:
    """An ear is a flap that stands out, not a part of the ball: it rises slowly from its rim.

    A turn then widens the temple before it, which is smooth, instead of drawing the ear out.
    """
    inside = cv2.distanceTransform((head > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    flap = np.minimum(front, _EAR_SLOPE * inside + 0.02 * face)
    out: F32 = front + (flap - front) * ears
    return out


def _face_relief(inflated: F32, drawn: F32, seen: F32, face: float) -> F32:
    """What the face adds to the inflated shape: its own height inside, fading out around it."""
    h, w = seen.shape
    quarter = (w // 4, h // 4)
    size = (w, h)

    def wide(image: F32) -> F32:
        return resize(blur(resize(image, quarter), 0.025 * face), size)

    rest = (drawn - inflated) * seen
    around = wide(rest) / np.maximum(wide(seen), 1e-3)
    closed = cv2.morphologyEx(seen, cv2.MORPH_CLOSE, disc(0.06 * face)).astype(np.float32)
    weight = np.maximum(smoothstep(0, 0.5, wide(closed)), closed) * smoothstep(0, 0.21 * face, inflated)
    relief: F32 = blur(np.where(seen > 0, rest, around), 0.012 * face) * blur(weight, 0.02 * face)
    return relief


def _jaw_line(points: F32, width: int, face: float) -> F32:
    line = points[list(topology.JAW_LINE), :2]
    order = np.argsort(line[:, 0])
    rows = np.interp(np.arange(width), line[order, 0], line[order, 1])
    rows = np.maximum(rows, points[mesh.CHIN, 1] - 0.35 * face).astype(np.float32)
    out: F32 = np.asarray(cv2.GaussianBlur(rows[None], (0, 0), 0.05 * face), np.float32)[0]
    return out
