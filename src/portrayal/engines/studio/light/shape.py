"""The shape of the person: a height field and normals, so that light from any side can fall on the photograph.

The silhouette is inflated (Poisson equation with the matte as its domain; the square root makes a sphere of a disc),
the face gets the relief of its landmarks, and the neck is laid behind the jaw. Fine normals follow the photograph's own
folds and creases ("dark is deep", Langer and Zucker 1994) in a narrow band of scales, where that is nearly true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numba import njit
from scipy.spatial import Delaunay

from portrayal.engines.studio.light.occlusion import wide_blur
from portrayal.engines.studio.light.tone import luminance
from portrayal.engines.studio.types import Cutout, Speed, Subject
from portrayal.imaging import F32, U8, Array, Bool
from portrayal.parallel import bands
from portrayal.perception import mesh
from portrayal.perception.types import CLOTHING, HAIR

# Longer side of the height field, and the face height in it that is enough.
_GRID: Final = {"turbo": (192, 64.0), "balanced": (256, 88.0), "quality": (512, 160.0)}
# Depth of the fine relief in face heights per unit of log luminance, by region.
_RELIEF: Final = {"skin": 0.016, HAIR: 0.013, CLOTHING: 0.017}
_STEEPEST: Final = 0.45


@dataclass(frozen=True)
class _Face:
    """The landmarks on the grid: relief (g, g') towards the camera, its hull, the face's height in grid pixels."""

    relief: F32
    hull: U8
    height: float
    middle: float


def shape(cutout: Cutout, speed: Speed = "balanced") -> Subject:
    """Give a cut-out its shape.

    Args:
        cutout: the placed person or subject; without points it becomes an inflated silhouette.
        speed: resolution of the height field (192, 256 or 512 on its longer side); turbo has no fine relief.

    Returns:
        The subject: normals (H, W, 3) unit vectors over the light axes, height field, weight of the face.
    """
    height, width = cutout.alpha.shape
    tall = face_height(cutout)
    most, enough = _GRID[speed]
    longer = max(height, width)
    scale = float(np.clip(enough / tall, 96 / longer, most / longer))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    matte = cv2.resize(cutout.alpha, size, interpolation=cv2.INTER_AREA)
    unit = tall * scale
    field = _inflate(matte > 0.5, unit)
    face = np.zeros((height, width), np.float32)
    if cutout.points is not None:
        relief = _relief(cutout.points, scale, size)
        field, weight = _with_face(field, relief)
        face = np.clip(cv2.resize(weight, (width, height), interpolation=cv2.INTER_LINEAR), 0, 1).astype(np.float32)
    smooth = cv2.GaussianBlur(field, (0, 0), max(0.8, unit * 0.012))
    slope = np.dstack(
        [cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=0.125)]
    )
    slope = cv2.resize(slope, (width, height), interpolation=cv2.INTER_CUBIC)
    normals = _normals(slope, _fine_relief(cutout, tall) if speed != "turbo" else None)
    return Subject(
        rgb=cutout.rgb,
        alpha=cutout.alpha,
        regions=cutout.regions,
        points=cutout.points,
        normals=normals,
        height=np.ascontiguousarray(field, np.float32),
        face=face,
        face_height=tall,
    )


def face_height(cutout: Cutout) -> float:
    """Height of the face in pixels; for a subject without one, the face that its area would go with."""
    if cutout.points is not None:
        return max(float(np.ptp(cutout.points[:468, 1])), 8.0)
    return max(0.4 * float(np.sqrt((cutout.alpha > 0.5).sum())), 8.0)


def _inflate(inside: Bool, unit: float) -> F32:
    """Height of the inflated silhouette; `unit` is the face height, beyond 0.9 of which nothing rises."""
    rows, columns = inside.shape
    kernel = np.array([[0, 0.25, 0], [0.25, 0, 0.25], [0, 0.25, 0]], np.float32)
    matte = inside.astype(np.float32)
    h: F32 | None = None
    for part in (16, 8, 4, 2):
        part = part * max(1, round(max(rows, columns) / 256))
        size = (max(4, columns // part), max(4, rows // part))
        mask = (cv2.resize(matte, size, interpolation=cv2.INTER_AREA) > 0.5).astype(np.float32)
        h = np.zeros_like(mask) if h is None else np.asarray(cv2.resize(h, size) * 4, np.float32)
        for _ in range(150 if max(size) < 40 else 60):
            # The picture's border is no outline of the body: it goes on there.
            h = (cv2.filter2D(h, -1, kernel, borderType=cv2.BORDER_REPLICATE) + 0.25) * mask
    assert h is not None
    grown = (columns / h.shape[1]) * (rows / h.shape[0])
    full = cv2.resize(cv2.GaussianBlur(h, (0, 0), 0.8), (columns, rows), interpolation=cv2.INTER_CUBIC)
    ball = np.sqrt(4 * np.maximum(full * grown, 0))
    return np.asarray(unit * 0.9 * np.tanh(ball / (unit * 0.9)) * 0.85, np.float32)


def _relief(points: F32, scale: float, size: tuple[int, int]) -> _Face:
    """Interpolate the landmarks' depth over the hull of the face."""
    flat = points[:468, :2] * scale
    depth = -points[:468, 2] * scale
    hull = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(flat.astype(np.float32)).astype(np.int32), 1)
    relief = _interpolated(flat, depth, hull)
    tall = float(np.ptp(flat[:, 1]))
    inside = hull.astype(np.float32)
    sigma = max(tall * 0.018, 0.6)
    spread = np.maximum(cv2.GaussianBlur(inside, (0, 0), sigma), 1e-3)
    relief = np.asarray(cv2.GaussianBlur(relief * inside, (0, 0), sigma) / spread, np.float32)
    return _Face(relief, hull, tall, float(flat[:, 1].mean()))


def _interpolated(points: F32, values: F32, inside: U8) -> F32:
    """Values at points (n, 2) joined by flat triangles where `inside` (h, w) is not 0; the least one beyond them.

    The triangles are drawn, not looked up: SciPy's interpolator solves a system per triangle with LAPACK, whose
    threads wait for one another for seconds when other programs keep the cores busy.
    """
    triangles = Delaunay(points).simplices
    (x0, y0), (x1, y1), (x2, y2) = points[triangles].astype(np.float64).transpose(1, 2, 0)
    z = values[triangles].astype(np.float64)
    u, v = z[:, 1] - z[:, 0], z[:, 2] - z[:, 0]
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    area = np.where(np.abs(area) < 1e-9, np.inf, area)
    across, down = (u * (y2 - y0) - v * (y1 - y0)) / area, (v * (x1 - x0) - u * (x2 - x0)) / area
    owner = np.full(inside.shape, -1, np.int32)
    for i, corners in enumerate(np.round(points[triangles] * 16).astype(np.int32)):
        cv2.fillConvexPoly(owner, corners, i, cv2.LINE_8, 4)
    out = np.zeros(inside.shape, np.float32)
    out[inside > 0] = values.min()
    ys, xs = np.nonzero((inside > 0) & (owner >= 0))
    k = owner[ys, xs]
    # A pixel on an edge may lie a little outside of its triangle.
    out[ys, xs] = np.clip(z[k, 0] + across[k] * (xs - x0[k]) + down[k] * (ys - y0[k]), z.min(1)[k], z.max(1)[k])
    return out


def _with_face(body: F32, face: _Face) -> tuple[F32, F32]:
    """Join the face's relief and the body: (height field, weight of the face)."""
    tall, hull = face.height, face.hull
    inside = hull.astype(np.float32)
    weight = _step(0.5, 0.98, wide_blur(inside, tall * 0.07)) * inside
    rows = np.arange(len(hull), dtype=np.float32)[:, None]
    relief = face.relief + _offset(body, face, rows)
    wide = wide_blur(inside, tall * 0.16)
    away, carried = _carried(relief, hull, tall)
    # The neck lies behind the jaw; without this the chin gets a black patch under light from the side.
    neck = _step(0.95, 0.25, away / tall) * _step(-0.05, 0.2, (rows - face.middle) / tall)
    behind = np.minimum(body, carried - 1.25 * np.minimum(away, tall * 0.20) - tall * 0.04)
    body = cv2.GaussianBlur(body * (1 - neck) + behind * neck, (0, 0), max(1.2, 0.02 * tall))
    field = body * (1 - weight) + relief * weight
    # Skull and hair go on where the forehead ends.
    seam = _step(0.0, 0.3, wide * (1 - wide) * 4) * _step(0.1, -0.15, (rows - face.middle) / tall)
    field = field * (1 - seam) + wide_blur(field, tall * 0.07) * seam
    return field.astype(np.float32), weight.astype(np.float32)


def _carried(relief: F32, hull: U8, tall: float) -> tuple[F32, F32]:
    """Distance to the hull, and the relief at the hull's nearest point, smoothed, both (g, g')."""
    away, labels = cv2.distanceTransformWithLabels(1 - hull, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    values = np.zeros(int(labels.max()) + 1, np.float32)
    values[labels[hull > 0]] = relief[hull > 0]
    carried = wide_blur(values[labels], max(1.0, 0.05 * tall))
    return np.asarray(away, np.float32), np.asarray(carried, np.float32)


def _offset(body: F32, face: _Face, rows: F32) -> F32:
    """How far the face must come forward (g, g') to meet forehead and temples; smooth over the whole face."""
    hull, tall = face.hull, face.height
    inner = hull - cv2.erode(hull, np.ones((3, 3), np.uint8), iterations=max(1, round(0.03 * tall)))
    ring = ((inner > 0) & (rows < face.middle)).astype(np.float32)
    if not ring.any():
        return np.zeros_like(body)
    # A little of the middle value everywhere keeps the far chin from following one temple.
    middle = float(np.median((body - face.relief)[ring > 0]))
    sigma = 0.30 * tall
    near = wide_blur(ring, sigma)
    moved = wide_blur((body - face.relief) * ring, sigma)
    base = 0.25 * float(near.max())
    return np.asarray((moved + base * middle) / (near + base), np.float32)


def _fine_relief(cutout: Cutout, tall: float) -> F32:
    """Slopes (H, W, 2) of folds, strands and creases out of the photograph's own shading."""
    log = np.asarray(cv2.log(luminance(cutout.rgb) + np.float32(0.06)), np.float32)
    fine, coarse = max(0.7, 0.005 * tall), max(2.0, 0.035 * tall)
    band = np.clip(cv2.GaussianBlur(log, (0, 0), fine) - wide_blur(log, coarse), -0.5, 0.5)
    depth = np.zeros(256, np.float32)
    depth[:] = _RELIEF["skin"]
    depth[HAIR], depth[CLOTHING] = _RELIEF[HAIR], _RELIEF[CLOTHING]
    weight = cv2.GaussianBlur(depth[cutout.regions] * tall, (0, 0), max(1.0, 0.01 * tall))
    height = band * weight * (1 - features(cutout.points, cutout.alpha.shape, tall))
    return np.dstack(
        [cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=0.125)]
    )


def features(points: F32 | None, size: tuple[int, ...], tall: float) -> F32:
    """Weight (H, W) of eyes, brows and lips: painted darker or lighter than skin, but not deeper."""
    out = np.zeros(size[:2], np.uint8)
    if points is None:
        return out.astype(np.float32)
    for contour in (mesh.LID_LEFT, mesh.LID_RIGHT, mesh.BROW_LEFT, mesh.BROW_RIGHT, mesh.LIPS):
        hull = cv2.convexHull(points[list(contour), :2].astype(np.float32))
        cv2.fillConvexPoly(out, np.round(hull * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    grown = cv2.dilate(out, np.ones((3, 3), np.uint8), iterations=max(1, round(0.008 * tall)))
    return np.asarray(cv2.GaussianBlur(grown, (0, 0), max(0.8, 0.012 * tall)) / np.float32(255), np.float32)


def _normals(slope: Array, fine: Array | None) -> F32:
    out = np.empty((*slope.shape[:2], 3), np.float32)
    source = np.ascontiguousarray(slope, np.float32)
    detail = np.zeros((1, 1, 2), np.float32) if fine is None else np.ascontiguousarray(fine, np.float32)
    bands(lambda a, b: _normal_rows(source, detail, np.float32(_STEEPEST), out, a, b), len(out))
    return out


@njit(nogil=True, cache=True, fastmath=True)
def _normal_rows(slope: Any, fine: Any, steepest: Any, out: Any, first: int, last: int) -> None:
    with_fine = fine.shape[0] > 1
    for y in range(first, last):
        for x in range(slope.shape[1]):
            gx, gy = slope[y, x, 0], slope[y, x, 1]
            if with_fine:
                gx += min(max(fine[y, x, 0], -steepest), steepest)
                gy += min(max(fine[y, x, 1], -steepest), steepest)
            k = np.float32(1.0) / np.sqrt(gx * gx + gy * gy + np.float32(1.0))
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = -gx * k, gy * k, k


def _step(low: float, high: float, x: Array) -> F32:
    """Smooth step between two limits, in either order."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
