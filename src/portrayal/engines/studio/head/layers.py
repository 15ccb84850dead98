"""Head and body as two layers: only the head moves, and clothes go on behind it.

That is what keeps a collar whole while the head turns over it.
"""

from __future__ import annotations

import cv2
import numpy as np

from portrayal.engines.studio.head.fields import blur, disc, smoothstep
from portrayal.imaging import F32, U8, Array, Bool
from portrayal.perception import mesh
from portrayal.perception.types import FACE, HAIR, SKIN


def split(rgb: F32, alpha: F32, regions: U8, points: F32, face: float) -> F32:
    """Share of the head layer (skin and hair of head and neck) in each pixel.

    Args:
        rgb, alpha, regions: (h, w) of the surroundings of the head, colours 0..1.
        points: (478, 3) landmarks in its pixels.
        face: height of the face.

    Returns:
        (h, w) float32 0..1.
    """
    h, w = alpha.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    chin = points[mesh.CHIN]
    middle = float(points[list(mesh.OVAL), 0].mean())
    aside = np.abs(x - middle)
    below = y - chin[1]
    # Region labels have hard corners; blurring each and comparing gives a smooth border.
    hull = _hull(points, (h, w)) > 0
    false_skin = (regions == SKIN) & (below > -0.4 * face) & ~_skin_coloured(rgb, hull)
    own = blur((np.isin(regions, (FACE, HAIR, SKIN)) & ~false_skin).astype(np.float32), 0.012 * face)
    head = own > 0.5
    # Hats and glasses move along; a collar beside the jaw does not.
    head |= (below < -0.60 * face) & (aside < 1.0 * face)
    head &= ~((below > -0.05 * face) & (aside > 1.25 * face)) & (below < 0.75 * face)
    # Bare shoulders, arms and hands stay with the body.
    head &= ~((regions == SKIN) & (below > -0.3 * face) & (aside > 0.62 * face))
    head |= hull
    head &= alpha > 0.3
    mask = cv2.morphologyEx(head.astype(np.uint8), cv2.MORPH_CLOSE, disc(0.02 * face))
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(0.01 * face))
    # Strips of collar beside the neck.
    low = int(np.clip(chin[1] - 0.45 * face, 0, h))
    mask[low:] = cv2.morphologyEx(mask[low:], cv2.MORPH_OPEN, disc(0.035 * face))
    mask[hull] = 1
    kept = _component(mask, float(points[4, 0]), float(points[4, 1]))
    out: F32 = smoothstep(0.25, 0.75, blur(_outwards(kept, alpha > 0.3), 0.012 * face))
    return out


def _outwards(head: F32, solid: Bool) -> F32:
    """Single hairs before the background belong to what is nearest to them."""
    if not solid.any():
        return head
    nearest = cv2.DIST_LABEL_PIXEL
    _, labels = cv2.distanceTransformWithLabels((~solid).astype(np.uint8), cv2.DIST_L2, 3, labelType=nearest)
    table = np.zeros(int(labels.max()) + 1, np.float32)
    table[labels[solid]] = head[solid]
    return np.where(solid, head, table[labels]).astype(np.float32)


def _skin_coloured(rgb: F32, face: Bool) -> Bool:
    """Where colour ratios, which shade hardly changes, are the face's: neither a pale nor a black collar is skin."""
    red, green, blue = (np.log(rgb[..., i] + np.float32(0.05)) for i in range(3))
    features = np.stack([red - green, blue - green, green], -1)
    low, middle, high = np.quantile(features[face], [0.16, 0.5, 0.84], axis=0)
    spread = np.maximum((high - low) / 2, [0.05, 0.05, 0.40])
    out: Bool = (((features - middle) / spread) ** 2).sum(-1) < 14.0
    return out


def underlay(alpha: F32, head: F32, points: F32, face: float) -> tuple[F32, F32, F32]:
    """The body layer with what the head hides.

    The clothes' mask is closed behind the neck (a collar's ring is completed), only below the mouth.

    Returns:
        (h, w) share of the matte that is the body's; (h, w) coverage of what goes on behind the head; (h, w) where the
        body's own colours are known.
    """
    h, w = alpha.shape
    still = alpha * (1 - head)
    solid = cv2.morphologyEx((still > 0.5).astype(np.uint8), cv2.MORPH_OPEN, disc(0.025 * face))
    body = _largest(np.asarray(solid, np.uint8))
    edge = round(1.3 * face)
    small, k = _halved(body)
    padded = cv2.copyMakeBorder(small, edge // k, edge // k, edge // k, edge // k, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc(0.62 * face / k))
    closed = closed[edge // k : edge // k + small.shape[0], edge // k : edge // k + small.shape[1]]
    ring = blur(cv2.resize(closed.astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR), 0.02 * face)
    grown = blur(cv2.dilate(body, disc(0.03 * face)).astype(np.float32), 0.012 * face)
    y = np.arange(h, dtype=np.float32)[:, None]
    chin = float(points[mesh.CHIN, 1])
    low = smoothstep(chin - 0.30 * face, chin - 0.10 * face, y)
    behind = ring * smoothstep(0.3, 0.9, head) * (alpha > 0.5) * low
    sure = ((1 - head) * alpha > 0.95) & (grown > 0.5)
    known = cv2.erode(sure.astype(np.uint8), disc(0.012 * face)).astype(np.float32)
    return smoothstep(0.0, 0.5, grown), behind.astype(np.float32), known


def _halved(mask: U8) -> tuple[U8, int]:
    """Closing with a disc as wide as a face is taken at a third of the size."""
    k = 3
    h, w = mask.shape
    small = cv2.resize(mask.astype(np.float32), (-(-w // k), -(-h // k)), interpolation=cv2.INTER_AREA)
    return (small > 0.5).astype(np.uint8), k


def _hull(points: F32, shape: tuple[int, int]) -> U8:
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(points[:468, :2].astype(np.float32)).astype(np.int32), 1)
    return mask


def _component(mask: Array, x: float, y: float) -> F32:
    """The connected part at a point."""
    _, labels = cv2.connectedComponents(mask)
    row, column = int(np.clip(y, 0, mask.shape[0] - 1)), int(np.clip(x, 0, mask.shape[1] - 1))
    out: F32 = (labels == labels[row, column]).astype(np.float32)
    return out


def _largest(mask: U8) -> U8:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return mask
    out: U8 = (labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    return out


def ear_mask(regions: U8, alpha: F32, points: F32, face: float) -> F32:
    """(h, w) 0..1 soft mask of visible ears, the skin beside the face between brow and mouth."""
    h, w = alpha.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    skin = np.isin(regions, (SKIN, FACE)) & (alpha > 0.6)
    rows = (y > points[[33, 263], 1].mean() - 0.12 * face) & (y < points[2, 1] + 0.16 * face)
    out = np.zeros((h, w), bool)
    for side, vertices in ((-1.0, [127, 234, 93, 132]), (1.0, [356, 454, 323, 361])):
        edge = np.interp(y[:, 0], points[vertices, 1], points[vertices, 0]).astype(np.float32)
        beside = side * (x - edge[:, None])
        out |= skin & rows & (beside > 0.005 * face) & (beside < 0.26 * face)
    return blur(out.astype(np.float32), 0.012 * face)


def ears(regions: U8, alpha: F32, points: F32, face: float) -> tuple[float, float]:
    """How much of each ear shows (left, right of the picture): 0 covered .. about 1 whole."""
    h, w = alpha.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    skin: Bool = np.isin(regions, (SKIN, FACE)) & (alpha > 0.6)
    rows = (y > points[[33, 263], 1].mean() - 0.06 * face) & (y < points[2, 1] + 0.10 * face)
    out = []
    for side, vertices in ((-1.0, [127, 234, 93]), (1.0, [356, 454, 323])):
        edge = np.interp(y[:, 0], points[vertices, 1], points[vertices, 0]).astype(np.float32)
        beside = side * (x - edge[:, None])
        area = float((skin & rows & (beside > 0.01 * face) & (beside < 0.22 * face)).sum())
        out.append(min(1.0, area / (0.016 * face * face)))
    return out[0], out[1]


def rims(rgb: F32, regions: U8, depth: F32, points: F32, face: float) -> tuple[float, float]:
    """How much a light from behind outlines the face at its left and right: 0 not .. 1 strongly.

    Args:
        depth: (h, w) distance inside the head's outline.
    """
    h, w = depth.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    light = rgb.mean(-1)
    usual = float(np.median(light[_hull(points, (h, w)) > 0]))
    rows = (y > points[[33, 263], 1].mean()) & (y < points[mesh.CHIN, 1] - 0.1 * face)
    band = rows & np.isin(regions, (FACE, SKIN)) & (depth > 0.01 * face) & (depth < 0.05 * face)
    out = []
    for side in (-1, 1):
        seen = light[band & (side * (x - points[4, 0]) > 0)]
        ratio = float(np.median(seen)) / max(usual, 1e-3) if len(seen) > 20 else 1.0
        out.append(min(max((ratio - 1.25) / 0.45, 0.0), 1.0))
    return out[0], out[1]
