"""Another expression on the same face: the reference's pixels moved by a field that landmarks span.

The field is solved on the mesh of landmarks, whose eyes and mouth are holes, so that lids and lips move on their own.
What the reference hides (a closed lid, the inside of a mouth) is painted from its own colours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from portrayal.engines.studio.head import eyes, mouth, skin
from portrayal.engines.studio.head import topology as tp
from portrayal.engines.studio.head.face import Moved
from portrayal.engines.studio.head.fields import blur, bounds, disc, fill, polygon
from portrayal.engines.studio.head.frame import FaceFrame, face_frame
from portrayal.engines.studio.head.handles import displacements
from portrayal.engines.studio.head.presets import Preset
from portrayal.engines.studio.head.raster import NOTHING, rasterise
from portrayal.imaging import F32
from portrayal.perception import mesh

_SKIRT = 1.32  # the ring around the face that stays, in sizes of its oval


@dataclass(frozen=True)
class Expressed:
    """A face with another expression.

    Attributes:
        box: (x0, y0, x1, y1) of the picture that changed.
        rgb: its new colours.
        points: (478, 3) new landmarks.
        field: (h, w, 2) what to add to a pixel of the box to find where it was before.
    """

    box: tuple[int, int, int, int]
    rgb: F32
    points: F32
    field: F32


# Of a smile between the two, the lips close by part.
_SMILES = (0.65, 0.85)


def _with_own_smile(preset: Preset, smile: float) -> Preset:
    """A preset that keeps the reference's own smile leaves its lips open, too."""
    if preset.at_least <= 0 or preset.close <= 0:
        return preset
    own = (smile - _SMILES[0]) / (_SMILES[1] - _SMILES[0])
    return replace(preset, close=preset.close * (1 - min(max(own, 0.0), 1.0)))


def express(rgb: F32, points: F32, smile: float, preset: Preset, strength: float, seed: int) -> Expressed | None:
    """Give a face another expression.

    Args:
        rgb: (h, w, 3) the picture.
        points: (478, 3) landmarks in its pixels.
        smile: how much the face smiles already, see `Expression.smile`.
        preset: the expression.
        strength: 0..1.
        seed: of lashes.

    Returns:
        None when the face is not in the picture.
    """
    frame = face_frame(points)
    preset = _with_own_smile(preset, smile)
    moves = displacements(frame, smile, preset, strength)
    oval = points[list(mesh.OVAL), :2]
    middle = oval.mean(0)
    old = np.vstack([points[:468, :2], middle + (oval - middle) * _SKIRT]).astype(np.float32)
    new: F32 = old + frame.to_picture(moves)
    box = bounds(np.vstack([old, new]), 2, (rgb.shape[1], rgb.shape[0]))
    if min(box[2] - box[0], box[3] - box[1]) < 32:
        return None
    corner = np.array(box[:2], np.float32)
    part = rgb[box[1] : box[3], box[0] : box[2]]
    field = _field(old - corner, new - corner, points, frame, part.shape[:2])
    gx, gy = np.meshgrid(np.arange(part.shape[1], dtype=np.float32), np.arange(part.shape[0], dtype=np.float32))
    x, y = gx + field[..., 0], gy + field[..., 1]
    moved = Moved(part, old - corner, new - corner, x, y, frame, strength, seed)
    out = np.asarray(cv2.remap(part, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)
    out = skin.shaded(out, moved, smile, preset)
    out = mouth.painted(out, moved, smile, preset)
    out = eyes.painted(out, moved, points - np.append(corner, 0), preset)
    return Expressed(box, np.clip(out, 0, 1), _landmarks(points, old, new, frame, preset, strength), field)


def _field(old: F32, new: F32, points: F32, frame: FaceFrame, shape: tuple[int, ...]) -> F32:
    """(h, w, 2) displacement from the new face back to the old one: smooth, but exact along lids and lips."""
    h, w = shape[:2]
    depth = -np.concatenate([points[:468, 2], points[list(mesh.OVAL), 2]])
    back, buffer = rasterise(new, depth, old - new, tp.skirted_triangles(), h, w)
    seen = (buffer > NOTHING).astype(np.float32)
    openings = np.zeros((h, w), np.float32)
    for upper, lower in (*tp.LIDS, (tp.INNER_UPPER, tp.INNER_LOWER)):
        openings = np.maximum(openings, polygon(new[upper + lower[::-1]], (h, w)))
    # The holes of the eyes and the mouth take the movement of their rims.
    inner = np.zeros((h, w), np.uint8)
    cv2.fillConvexPoly(inner, cv2.convexHull(new[list(mesh.OVAL)]).astype(np.int32), 1)
    if ((seen == 0) & (inner > 0)).any():
        filled = fill(back, np.maximum(seen, 1 - inner))
        back = np.where((inner > 0)[..., None], filled, back).astype(np.float32, copy=False)
        seen = np.maximum(seen, inner).astype(np.float32)
    sigma = 0.010 * frame.height
    weight = np.maximum(blur(seen, sigma), 1e-3)[..., None]
    even = blur(back * seen[..., None], sigma) / weight * blur(seen, sigma)[..., None]
    near = blur(cv2.dilate(openings, disc(0.025 * frame.height)), 0.015 * frame.height)[..., None]
    return (even + (back - even) * near).astype(np.float32)


def _landmarks(points: F32, old: F32, new: F32, frame: FaceFrame, preset: Preset, strength: float) -> F32:
    out = points.copy()
    out[:468, :2] += (new - old)[:468]
    for iris in tp.IRISES:
        out[iris, :2] += eyes.gaze_shift(points, iris, frame, preset, strength)
    return out
