"""What is known of a head before anything moves, in reference pixels at low resolution."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.head import depth, layers, shell
from portrayal.engines.studio.head.contour import Contour, contour
from portrayal.engines.studio.head.fields import blur, disc
from portrayal.engines.studio.head.motion import Limits, limits
from portrayal.engines.studio.head.shell import Shell
from portrayal.imaging import F32, Array
from portrayal.perception import mesh
from portrayal.perception.types import HeadPose

_FACE = 112.0  # height of the face in the model's pixels
_WIDE, _HIGH, _DOWN = 3.2, 3.3, 0.17  # size of the model and shift of its centre, in face heights


@dataclass(frozen=True)
class HeadModel:
    """Layers, shape and limits of one character's head; see `analyse`.

    All fields are (h, w) in model pixels: reference = origin + model / scale.

    Attributes:
        scale: model pixels per reference pixel.
        origin: (x, y) of the model's pixel (0, 0) in reference pixels.
        size: (width, height) of the reference in its pixels.
        face: height of the face in model pixels.
        head: share of the head layer in the matte.
        body: share of the body layer in the matte.
        behind: coverage of what the body shows when the head moves away.
        clothes: where the body layer's own colours are known.
        hair: 1 on hair and hat, 0 on face and neck.
        outline: of the head layer.
        inflated, front: heights (model pixels) of the skull and of the surface, for the reveal and for tests.
        landmarks: (468,) heights of the face's vertices.
        points: (478, 3) landmarks in model pixels.
        follow: share of the head's movement.
        shell: the surface as triangles.
        pivot: (x, y) about which the head turns.
        pose: of the reference.
        ears: how much of the left and right ear shows.
        smile: how much the reference smiles.
        allowed: how far the head may turn.
    """

    scale: float
    origin: tuple[float, float]
    size: tuple[int, int]
    face: float
    head: F32
    body: F32
    behind: F32
    clothes: F32
    hair: F32
    outline: Contour
    inflated: F32
    front: F32
    landmarks: F32
    points: F32
    follow: F32
    shell: Shell
    pivot: tuple[float, float]
    pose: HeadPose
    ears: tuple[float, float]
    smile: float
    allowed: Limits


def analyse(character: IdentityMap) -> HeadModel:
    """Everything about a head that depends neither on the canvas nor on the motion.

    Args:
        character: a person, i.e. with a `reading`.

    Raises:
        ValueError: when the character has no face.
    """
    if character.reading is None:
        raise ValueError("a subject without a face has no head to move")
    reading = character.reading
    low, high = reading.points[:468, :2].min(0), reading.points[:468, :2].max(0)
    scale = _FACE / float(high[1] - low[1])
    centre = (low + high) / 2 * scale + np.array([0, _DOWN * _FACE])
    w, h = round(_WIDE * _FACE / 4) * 4, round(_HIGH * _FACE / 4) * 4
    shift = np.array([w, h]) / 2 - centre
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    alpha = _cropped(character.alpha, matrix, (w, h), scale)
    regions = cv2.warpAffine(
        character.regions, matrix, (w, h), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.uint8)
    points = reading.points * np.float32(scale)
    points[:, :2] += shift.astype(np.float32)
    rgb = _cropped(character.foreground, matrix, (w, h), scale) * np.float32(1 / 255)
    head = layers.split(rgb, alpha, regions, points, _FACE)
    body, behind, clothes = layers.underlay(alpha, head, points, _FACE)
    own = alpha * head
    shape = depth.build(own, layers.ear_mask(regions, alpha, points, _FACE), points, _FACE)
    outline = contour(own > 0.5)
    ears = layers.ears(regions, alpha, points, _FACE)
    rims = layers.rims(rgb, regions, outline.distance, points, _FACE)
    pose = reading.pose
    sides = float(points[[mesh.CHEEK_LEFT, mesh.CHEEK_RIGHT], 0].mean())
    return HeadModel(
        scale=scale,
        origin=(float(-shift[0] / scale), float(-shift[1] / scale)),
        size=(character.alpha.shape[1], character.alpha.shape[0]),
        face=_FACE,
        head=head,
        body=body,
        behind=behind,
        clothes=clothes,
        hair=_hair(points, shape.jaw, (h, w)),
        outline=outline,
        inflated=shape.inflated,
        front=shape.front,
        landmarks=shape.landmarks,
        points=points,
        follow=shape.follow,
        shell=shell.build(own, outline, shape, points, _FACE),
        pivot=((sides + float(points[list(mesh.OVAL), 0].mean())) / 2, float(points[mesh.CHIN, 1]) - 0.12 * _FACE),
        pose=pose,
        ears=ears,
        smile=reading.expression.smile,
        allowed=_allowed(character, pose, ears, rims, own, (scale, float(shift[0]), float(shift[1]))),
    )


def _allowed(
    character: IdentityMap,
    pose: HeadPose,
    ears: tuple[float, float],
    rims: tuple[float, float],
    own: F32,
    place: tuple[float, float, float],
) -> Limits:
    """Limits of the head; `place` = scale and shift from reference to model, `own` = alpha of its head layer."""
    scale, x, y = place
    h, w = own.shape
    lines = []
    if 0 <= y < h - 2:
        lines.append(own[int(y) + 2])
    if 0 <= x < w - 2:
        lines.append(own[:, int(x) + 2])
    right = x + scale * character.alpha.shape[1]
    if 2 <= right < w:
        lines.append(own[:, int(right) - 2])
    cut = any(float((line > 0.5).sum()) > 0.2 * _FACE for line in lines)
    return limits(pose.yaw, pose.pitch, ears, rims, cut)


def _cropped(image: Array, matrix: Array, size: tuple[int, int], scale: float) -> F32:
    """The model's part of a picture; beyond the picture's border it goes on as it is there."""
    if scale < 0.5:  # shrink first, against aliasing
        h, w = image.shape[:2]
        small = (max(1, round(w * scale)), max(1, round(h * scale)))
        image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.float32)
        matrix = matrix.copy()
        matrix[0, 0] *= w / small[0]
        matrix[1, 1] *= h / small[1]
    out = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)


def _hair(points: F32, jaw: F32, shape: tuple[int, int]) -> F32:
    """Where the surface is neither face nor neck."""
    hull = np.zeros(shape, np.uint8)
    part = points[list(mesh.OVAL[4:33]), :2].astype(np.float32)
    cv2.fillConvexPoly(hull, cv2.convexHull(part).astype(np.int32), 1)
    hull = np.asarray(cv2.dilate(hull, disc(0.025 * _FACE)), np.uint8)
    above = np.arange(shape[0], dtype=np.float32)[:, None] < jaw[None] - 0.02 * _FACE
    return blur((1 - hull) * above.astype(np.float32), 0.02 * _FACE)
