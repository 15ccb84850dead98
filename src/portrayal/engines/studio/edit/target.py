"""What a mask covers: a face, a head, a whole person, or a place where nobody is; and the mask of what words mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import cv2
import numpy as np

from portrayal.errors import InvalidRequestError, MaskMismatchError
from portrayal.imaging import F32, U8
from portrayal.perception import mesh
from portrayal.perception.faces import read_faces
from portrayal.perception.types import FaceReading
from portrayal.prompting.intent import EditIntent, Place

Kind = Literal["face", "head", "person", "place"]
Corners = tuple[int, int, int, int]

# A face belongs to the mask from this share of its oval on; up to the other one it is only touched.
_COVERED: Final = 0.55
_TOUCHED: Final = 0.12
# From this share of a mask on it is meant for the hair or the body on which it lies.
_UPON: Final = 0.6
# Narrowest place for a person, in lengths of the mask's box: strokes and spots are none.
_SOLID: Final = 0.08
_LEAST: Final = 24  # pixels of the shorter side of a place
# The picture around the mask's box in which faces are looked for, in lengths of the box, and its longest side there.
_AROUND: Final = 0.6
_LONGEST: Final = 1600
# Share of a person outside of the mask from which on the body is kept.
_BEYOND: Final = 0.25
_CROWN: Final = 0.30  # height of the hair over the forehead, in face heights
_CHEST: Final = 0.85  # below the chin, in face heights


@dataclass(frozen=True)
class Target:
    """What a mask covers.

    Attributes:
        kind: what is to be replaced.
        face: the face under the mask, in pixels of the whole picture; None for a place.
        others: all other faces that were seen near the mask.
        covered: how many of these the mask covers as well.
    """

    kind: Kind
    face: FaceReading | None
    others: tuple[FaceReading, ...] = ()
    covered: int = 0


def box_of(mask: U8) -> Corners:
    """x0, y0, x1, y1 of what a mask chooses (end exclusive)."""
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def find_target(scene: U8, mask: U8) -> Target:
    """Look only around the mask, so that a small edit of a large picture is fast."""
    height, width = mask.shape
    x0, y0, x1, y1 = box_of(mask)
    pad = int(_AROUND * max(x1 - x0, y1 - y0)) + 48
    box = max(0, x0 - pad), max(0, y0 - pad), min(width, x1 + pad), min(height, y1 + pad)
    faces = faces_in(scene, box, least=0.05 * max(x1 - x0, y1 - y0))
    shares = [oval_share(mask, face.points) for face in faces]
    best = max(range(len(faces)), key=lambda i: shares[i] * faces[i].pose.scale, default=None)
    if best is None or shares[best] < _COVERED:
        return Target("place", None, tuple(faces))
    face = faces[best]
    others = tuple(other for other in faces if other is not face)
    return Target(_kind(mask, face.points), face, others, sum(share >= _COVERED for share in shares) - 1)


def check_place(mask: U8, target: Target) -> None:
    """Refuse a mask that is no place for somebody: a piece of a person who is there, or mere strokes and spots.

    Args:
        mask: (h, w) uint8, 255 = chosen.
        target: what it covers, of the kind "place".

    Raises:
        MaskMismatchError: says what would work.
    """
    x0, y0, x1, y1 = box_of(mask)
    if min(x1 - x0, y1 - y0) < _LEAST:
        raise MaskMismatchError(
            f"the mask is only {x1 - x0}x{y1 - y0} px",
            field="edit_mask",
            remedy=f"Paint a place of {_LEAST} pixels or more.",
        )
    part = mask[y0:y1, x0:x1]
    total = float(cv2.countNonZero(part))
    for face in target.others:
        share = oval_share(mask, face.points)
        if share >= _TOUCHED:
            raise MaskMismatchError(
                f"the mask covers only {share:.0%} of a face",
                field="edit_mask",
                remedy="Paint over all of the face, or leave it out.",
            )
        points = (face.points[:, :2] - np.array([x0, y0], np.float32)).astype(np.float32)
        head = _head_zone(part.shape, points)
        if cv2.countNonZero(part & head) > _UPON * total:
            raise MaskMismatchError(
                "the mask covers the hair of a person without the face",
                field="edit_mask",
                remedy="Paint over face and hair to replace the head.",
            )
        if cv2.countNonZero(part & (head | _trunk_zone(part.shape, points))) > _UPON * total:
            raise MaskMismatchError(
                "the mask covers the body of a person without the face",
                field="edit_mask",
                remedy="Paint over the face as well to replace the person; to recolour clothes, give no reference.",
            )
    scale = min(1.0, 512 / max(part.shape))
    small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST) if scale < 1 else part
    width = 2 * float(cv2.distanceTransform(np.pad(small, 1), cv2.DIST_L2, 3).max())
    if width < _SOLID * max(small.shape):
        raise MaskMismatchError(
            "the mask is only strokes or spots; nobody can stand there",
            field="edit_mask",
            remedy="Paint one whole area.",
        )


def _head_zone(shape: tuple[int, ...], points: F32) -> U8:
    """Where a head with short hair is, about; (h, w) uint8 of 0 and 255."""
    height, down = _frame(points)
    x, y = oval(points).mean(0) - down * np.float32(0.14 * height)
    angle = float(np.degrees(np.arctan2(down[1], down[0])) - 90)
    zone = np.zeros(shape, np.uint8)
    axes = (round(0.86 * height), round(1.0 * height))
    cv2.ellipse(zone, (round(float(x)), round(float(y))), axes, angle, 0, 360, 255, -1)
    return zone


def _trunk_zone(shape: tuple[int, ...], points: F32) -> U8:
    """Where neck and trunk are, about; (h, w) uint8 of 0 and 255."""
    height, down = _frame(points)
    across = np.array([-down[1], down[0]], np.float32)
    ends = ((-1.2, 0.0), (1.2, 0.0), (1.2, 3.0), (-1.2, 3.0))
    corners = [points[mesh.CHIN, :2] + (across * s + down * k) * np.float32(height) for s, k in ends]
    zone = np.zeros(shape, np.uint8)
    cv2.fillPoly(zone, [np.round(corners).astype(np.int32)], 255)
    return zone


def goes_on(mask: U8, person: F32) -> bool:
    """Whether much of a person lies outside of the mask, so that another body under it would end in the air."""
    return float(person[mask < 128].sum()) > _BEYOND * float(person.sum())


def faces_in(scene: U8, box: Corners, least: float = 0.0) -> list[FaceReading]:
    """Faces inside a box of the picture, in pixels of the whole picture; small ones are looked for as well."""
    x0, y0, x1, y1 = box
    part = scene[y0:y1, x0:x1]
    scale = min(1.0, _LONGEST / max(part.shape[:2]))
    if scale < 1:
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    part = np.ascontiguousarray(part)
    smallest = max(20.0, least * scale)
    found = read_faces(part, average=True, least=smallest) or read_faces(part, average=True, tiles=True, least=smallest)
    return [moved(face, 1 / scale, (x0, y0)) for face in found]


def moved(face: FaceReading, scale: float, offset: tuple[float, float]) -> FaceReading:
    """The reading in the pixels of another picture: scaled, then moved."""
    shift = np.array([*offset, 0.0], np.float32)
    x0, y0, x1, y1 = face.face.box
    box = (x0 * scale + offset[0], y0 * scale + offset[1], x1 * scale + offset[0], y1 * scale + offset[1])
    keypoints = (face.face.keypoints * np.float32(scale) + shift[:2]).astype(np.float32)
    return replace(
        face,
        face=replace(face.face, box=box, keypoints=keypoints),
        points=(face.points * np.float32(scale) + shift).astype(np.float32),
        pose=replace(
            face.pose,
            scale=face.pose.scale * scale,
            origin=(face.pose.origin * np.float32(scale) + shift).astype(np.float32),
        ),
    )


def oval(points: F32) -> F32:
    """(n, 2) outline of a face."""
    return np.ascontiguousarray(points[list(mesh.OVAL), :2], np.float32)


def oval_share(mask: U8, points: F32) -> float:
    """Which share of a face a mask covers, 0..1."""
    return _share(mask, oval(points))


def _share(mask: U8, outline: F32) -> float:
    height, width = mask.shape
    low, high = np.floor(outline.min(0)).astype(int), np.ceil(outline.max(0)).astype(int) + 1
    x0, y0, x1, y1 = max(0, low[0]), max(0, low[1]), min(width, high[0]), min(height, high[1])
    if x1 <= x0 or y1 <= y0:
        return 0.0
    inside = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillPoly(inside, [np.round(outline - (x0, y0)).astype(np.int32)], 1)
    return float((mask[y0:y1, x0:x1][inside > 0] > 127).mean()) if inside.any() else 0.0


def _kind(mask: U8, points: F32) -> Kind:
    """Face, head or person: does the mask reach over the hair, and down to the chest?"""
    face, down = _frame(points)
    forehead, chin = points[mesh.FOREHEAD, :2], points[mesh.CHIN, :2]
    across = np.array([-down[1], down[0]], np.float32) * face
    crown = [forehead - down * face * k + across * s for k in (0.14, _CROWN) for s in (-0.18, 0.0, 0.18)]
    chest = [chin + down * face * k + across * s for k in (0.55, _CHEST) for s in (-0.3, 0.0, 0.3)]
    head = _hit(mask, crown)
    body = _hit(mask, chest)
    if body >= 0.6 and head >= 0.5:
        return "person"
    return "head" if head >= 0.6 else "face"


def _hit(mask: U8, places: Sequence[F32]) -> float:
    """Share of places under the mask; those outside of the picture do not count."""
    height, width = mask.shape
    inside = [(int(x), int(y)) for x, y in places if 0 <= x < width and 0 <= y < height]
    return float(np.mean([mask[y, x] > 127 for x, y in inside])) if inside else 1.0


def _frame(points: F32) -> tuple[float, F32]:
    """Height of a face in pixels, and the unit vector from its forehead to its chin."""
    axis = points[mesh.CHIN, :2] - points[mesh.FOREHEAD, :2]
    length = float(np.linalg.norm(axis))
    return length, (axis / np.float32(length)).astype(np.float32)


def choose_face(faces: Sequence[FaceReading], place: Place | None) -> FaceReading:
    """The face that words mean; the largest when they do not say.

    Raises:
        InvalidRequestError: nobody is in the picture.
    """
    if not faces:
        raise InvalidRequestError(
            "no face is found in the picture, and no mask is given",
            field="image",
            remedy="Give a mask of what shall change.",
        )
    by_x = _from_left(faces)
    at = {"left": 0, "right": -1, "middle": len(by_x) // 2, "second": 1, "third": 2}.get(place or "")
    if at is not None:
        if at >= len(by_x):
            raise InvalidRequestError(
                f"only {len(by_x)} face{'s are' if len(by_x) > 1 else ' is'} found in the picture",
                field="prompt",
                remedy="Say who is meant in other words, or give a mask.",
            )
        return by_x[at]
    if place == "smallest":
        return min(faces, key=lambda f: f.pose.scale)
    return max(faces, key=lambda f: f.pose.scale)


def who(face: FaceReading, faces: Sequence[FaceReading]) -> str:
    """A person in words: "the person", or "person 2 of 3 from the left"."""
    if len(faces) < 2:
        return "the person"
    at = next(i for i, other in enumerate(_from_left(faces)) if other is face)
    return f"person {at + 1} of {len(faces)} from the left"


def _from_left(faces: Sequence[FaceReading]) -> list[FaceReading]:
    return sorted(faces, key=lambda f: float(f.pose.origin[0]))


def face_mask(shape: tuple[int, int], face: FaceReading) -> U8:
    """Mask of a face up to the hairline, a little larger than its oval."""
    outline = oval(face.points)
    centre = outline.mean(0)
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(centre + (outline - centre) * 1.12).astype(np.int32)], 255)
    return mask


def head_mask(shape: tuple[int, int], face: FaceReading, person: F32 | None) -> U8:
    """Mask of head and hair; with a matte of the person, long hair is in it as well."""
    mask = _head_zone(shape, face.points)
    if person is not None:
        height, down = _frame(face.points)
        centre = oval(face.points).mean(0) - down * np.float32(0.14 * height)
        angle = float(np.degrees(np.arctan2(down[1], down[0])) - 90)
        near = np.zeros(shape, np.uint8)
        cv2.ellipse(
            near,
            (round(float(centre[0])), round(float(centre[1]))),
            (round(1.25 * height), round(1.35 * height)),
            angle,
            0,
            360,
            255,
            -1,
        )
        chin = face.points[mesh.CHIN, 1] + 0.12 * height
        near[max(0, int(chin)) :] = 0
        mask |= ((person > 0.1) * near).astype(np.uint8)
    return mask


def person_mask(person: F32, grow: int) -> U8:
    """Mask of a whole person from a matte, wider by `grow` pixels."""
    solid = (person > 0.04).astype(np.uint8) * np.uint8(255)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1, 2 * grow + 1))
    return np.asarray(cv2.dilate(solid, kernel), np.uint8)


def target_word(intent: EditIntent) -> Kind | None:
    """The kind of thing that the words name, if they do."""
    kinds: dict[str | None, Kind] = {"face": "face", "head": "head", "person": "person"}
    return kinds.get(intent.target)
