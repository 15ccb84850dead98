"""What is skin, what stands in front of it, and how far the new face reaches."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.head.fields import blur, disc, polygon, resize, smoothstep, weighted_blur
from portrayal.imaging import F32, U8, Bool
from portrayal.perception import mesh

_PARTS: Final = (mesh.LID_LEFT, mesh.LID_RIGHT, mesh.BROW_LEFT, mesh.BROW_RIGHT, mesh.LIPS)
_SOCKETS: Final = (mesh.LID_LEFT + mesh.BROW_LEFT, mesh.LID_RIGHT + mesh.BROW_RIGHT)
_CHEEKS: Final = (50, 280, 118, 347, 101, 330, 205, 425, 151, 9)


def height(points: F32) -> float:
    """Height of a face in pixels."""
    return float(np.linalg.norm(points[mesh.FOREHEAD, :2] - points[mesh.CHIN, :2]))


def oval(points: F32, shape: tuple[int, int], grown: float = 1.0) -> F32:
    """(h, w) 0..1 inside the face's outline."""
    ring = points[list(mesh.OVAL), :2]
    middle = ring.mean(0)
    return polygon(middle + (ring - middle) * grown, shape)


def features(points: F32, shape: tuple[int, int], grown: float, which: tuple[tuple[int, ...], ...] = _PARTS) -> F32:
    """(h, w) 0..1 on eyes, brows and lips, grown about their middles."""
    out = np.zeros(shape, np.float32)
    for part in which:
        ring = cv2.convexHull(points[list(part), :2].astype(np.float32))[:, 0]
        middle = ring.mean(0)
        out = np.maximum(out, polygon(middle + (ring - middle) * grown, shape))
    return out


def _usual(lab: F32, points: F32) -> F32:
    """(3,) colour of the cheeks and the forehead."""
    h, w = lab.shape[:2]
    at = points[list(_CHEEKS), :2].astype(int)
    colour: F32 = np.median(lab[np.clip(at[:, 1], 0, h - 1), np.clip(at[:, 0], 0, w - 1)], 0)
    return colour


def fringe(lab: F32, points: F32) -> F32:
    """Hair over a face's own forehead, 0..1: darker or of another colour than its cheeks, above its brows.

    Args:
        lab: (h, w, 3) CIE Lab.
        points: (478, 3) landmarks in its pixels.
    """
    tall = height(points)
    smooth = blur(lab, 0.008 * tall)
    usual = _usual(smooth, points)
    dark = (usual[0] - smooth[..., 0]) / 11.0
    other = np.hypot(smooth[..., 1] - usual[1], smooth[..., 2] - usual[2]) / 9.0
    hair = smoothstep(0.9, 1.6, np.maximum(dark, other))
    up = _above_brows(points, lab.shape[:2]) / tall
    hair = hair * smoothstep(0.025, 0.06, up)
    # All above hair is hair.
    return _raised(hair, points, up)


def _above_brows(points: F32, shape: tuple[int, ...]) -> F32:
    """(h, w) how far a pixel lies above the line of the brows, along the face's own axis."""
    h, w = shape[:2]
    up = points[mesh.FOREHEAD, :2] - points[mesh.CHIN, :2]
    up = up / max(float(np.linalg.norm(up)), 1e-6)
    right = np.array([-up[1], up[0]], np.float32)
    brows = points[[70, 63, 105, 66, 107, 336, 296, 334, 293, 300], :2]
    along, line = brows @ right, brows @ up
    order = np.argsort(along)
    gy, gx = np.mgrid[0:h, 0:w].astype(np.float32)
    across = gx * right[0] + gy * right[1]
    top = np.interp(across.ravel(), along[order], line[order]).reshape(h, w)
    out: F32 = (gx * up[0] + gy * up[1] - top).astype(np.float32)
    return out


def _raised(hair: F32, points: F32, up: F32) -> F32:
    """Carry hair upwards along the face's axis."""
    axis = points[mesh.FOREHEAD, :2] - points[mesh.CHIN, :2]
    turn = float(np.degrees(np.arctan2(axis[0], -axis[1])))
    h, w = hair.shape
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), turn, 1.0)
    size = (w, h)
    level = cv2.warpAffine(hair, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    level = np.maximum.accumulate(level[::-1], 0)[::-1]
    back = cv2.warpAffine(np.ascontiguousarray(level), cv2.invertAffineTransform(matrix), size, flags=cv2.INTER_LINEAR)
    return np.maximum(hair, np.asarray(back, np.float32) * (up > 0)).astype(np.float32)


def grown(mask: F32, radius: float, soft: float) -> F32:
    """A soft mask made larger; far reaches are taken at reduced size."""
    step = max(1, int(radius // 4))
    h, w = mask.shape
    if step == 1 or min(h, w) < 8 * step:
        return blur(cv2.dilate(mask, disc(radius)), soft)
    small = cv2.dilate(resize(mask, (-(-w // step), -(-h // step))), disc(radius / step))
    return blur(resize(small, (w, h)), soft)


def occluders(lab: F32, points: F32) -> F32:
    """What stands in front of a face, 0..1: unlike its skin, and joined to its outline or across its nose.

    Hands, microphones, strands, glasses and their temples.
    """
    shape = (lab.shape[0], lab.shape[1])
    tall = height(points)
    inner = oval(points, shape, 0.70) * (1 - features(points, shape, 1.5))
    if float(inner.sum()) < 60:
        return np.zeros(shape, np.float32)
    core = lab[inner > 0.5]
    usual = np.median(core, 0)
    spread = np.maximum(1.4826 * np.median(np.abs(core - usual), 0), [6.0, 2.6, 2.6])
    like = inner * (np.abs(lab[..., 0] - usual[0]) < 3 * spread[0])
    base = np.dstack(weighted_blur([lab[..., k] for k in range(3)], like.astype(np.float32), 0.16 * tall))
    near = smoothstep(0.002, 0.05, blur(like.astype(np.float32), 0.16 * tall))[..., None]
    base = usual + (base - usual) * near * np.float32(0.7)
    off = (lab - base) / (spread * np.array([1.9, 1.8, 1.8])).astype(np.float32)
    strange = smoothstep(2.2, 3.4, np.sqrt((blur(off, 0.006 * tall) ** 2).sum(2)))
    face = oval(points, shape)
    chosen = ((strange > 0.5) & (face > 0.2) & (features(points, shape, 1.25) < 0.3)).astype(np.uint8)
    kept = _joined(chosen, face, points, tall)
    # It may go on over an eye or the lips: a little way, or as far as its colour is no face's.
    own = lab[..., 1:] - base[..., 1:]
    # Black is no foreign colour: brows and pupils are black too.
    foreign = (np.hypot(own[..., 0], own[..., 1]) > 20) & (own[..., 0] < -4) & (face > 0.2)
    foreign &= np.hypot(lab[..., 1], lab[..., 2]) > 14
    reach = cv2.dilate(kept.astype(np.uint8), disc(0.018 * tall)) > 0
    part = kept | ((strange > 0.5) & (face > 0.2) & (reach | (foreign & _touching(foreign | kept, kept))))
    out: F32 = np.clip(1.5 * _soft(part.astype(np.float32), tall), 0, 1).astype(np.float32)
    return out


def _soft(mask: F32, tall: float) -> F32:
    """A mask a little larger, with a narrow soft edge: thin frames must not get transparent."""
    return blur(cv2.dilate(mask, disc(0.004 * tall)), 0.005 * tall)


def _touching(mask: Bool, seed: Bool) -> Bool:
    """The components of a mask that hold pixels of a seed."""
    _, parts = cv2.connectedComponents(mask.astype(np.uint8))
    labels = np.unique(parts[seed])
    return np.isin(parts, labels[labels > 0])


def _joined(chosen: U8, face: F32, points: F32, tall: float) -> Bool:
    """Components that touch the outline or cross the bridge of the nose."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(chosen)
    depth = cv2.distanceTransform((face > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    rim = (face > 0.2) & (depth < 0.035 * tall)
    bridge = polygon(points[[193, 417, 351, 122], :2], (face.shape[0], face.shape[1])) > 0.5
    labels = np.union1d(np.unique(parts[rim & (chosen > 0)]), np.unique(parts[bridge & (chosen > 0)]))
    # Specks are shadows and moles; what lies mostly around an eye is its brow.
    area = stats[labels, cv2.CC_STAT_AREA]
    around = features(points, (face.shape[0], face.shape[1]), 1.45, _SOCKETS) > 0.5
    own = np.bincount(parts[around], minlength=len(stats))[labels] / np.maximum(area, 1)
    labels = labels[(labels > 0) & (area > 0.001 * tall * tall) & (own < 0.5)]
    return np.isin(parts, labels)


def feather(mask: F32, width: float) -> F32:
    """0 at the border of a mask, 1 from `width` pixels inside."""
    depth = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    return smoothstep(0.0, max(width, 1.0), np.asarray(depth, np.float32))


def within(mask: U8, width: float) -> F32:
    """0 outside the edit mask, exactly; soft inside over `width` pixels. The picture's border is no edge."""
    if mask.all():
        return np.ones(mask.shape, np.float32)
    padded = cv2.copyMakeBorder((mask > 0).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    soft = smoothstep(0.0, max(width, 1.0), np.asarray(depth, np.float32))
    return np.where(mask > 0, np.maximum(soft, np.float32(0.0)), np.float32(0)).astype(np.float32)
