"""The inspiration: cut to the shape of the result, and who is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from portrayal.character.masks import without_others
from portrayal.engines.studio.types import Notes
from portrayal.imaging import F32, U8
from portrayal.perception.faces import read_faces
from portrayal.perception.matte import person_matte
from portrayal.perception.segmentation import segment_person
from portrayal.perception.types import FaceReading
from portrayal.sizes import Size

_VIEW: Final = 1400  # longer side at which faces are looked for
# Faces under this share of the main one's size are no people of the picture (posters, passers-by far away).
_RIVAL: Final = 0.3
_CROWD: Final = 4  # people who are cut out one by one
_ROUGH: Final = 512  # longer side of a rough matte
_SOFT: Final = 2.0  # enlargement from which a picture is visibly soft
# Room around a face that a crop must keep, in its heights: beside, above, below.
_ROOM: Final = (0.35, 0.55, 0.30)


@dataclass(frozen=True)
class Inspiration:
    """The inspiration on the canvas of the result.

    Attributes:
        picture: (h, w, 3) uint8.
        people: faces in its pixels, the one that is replaced first; empty when nobody is seen.
        padded: (h, w) bool, where the inspiration had no pixels.
    """

    picture: U8
    people: tuple[FaceReading, ...]
    padded: np.ndarray

    @property
    def target(self) -> FaceReading | None:
        """The person who is replaced."""
        return self.people[0] if self.people else None


def look_at(source: U8, size: Size, notes: Notes) -> Inspiration:
    """Crop and scale an inspiration to (width, height), around its main person.

    Args:
        source: (h, w, 3) uint8.
        size: of the result.
        notes: gets warnings about what is cut off, several people, and coarse pixels.
    """
    height, width = source.shape[:2]
    k = min(1.0, _VIEW / max(height, width))
    view = source
    if k < 1:
        view = np.asarray(
            cv2.resize(source, (round(width * k), round(height * k)), interpolation=cv2.INTER_AREA), np.uint8
        )
    found = read_faces(view, average=True, least=max(20.0, 0.02 * max(view.shape[:2])))
    people = _ordered([scaled(r, 1 / k, (0.0, 0.0)) for r in found], (width, height))
    x0, y0, wide, tall = _crop((width, height), size, people)
    scale = size[0] / wide
    picture, padded = _resampled(source, x0, y0, scale, size)
    inside = [
        r
        for r in (scaled(r, scale, (-x0 * scale, -y0 * scale)) for r in people)
        if 0 <= r.pose.origin[0] < size[0] and 0 <= r.pose.origin[1] < size[1]
    ]
    if scale > _SOFT:
        notes.warnings.append(
            f"the inspiration is enlarged {scale:.1f} times and looks soft; a larger one or a smaller size is better"
        )
    share = max(1 - wide / width, 1 - tall / height, 0.0)
    if share > 0.1:
        notes.warnings.append(f"{share:.0%} of the inspiration lie outside of the new shape and were cut off")
    return Inspiration(picture, tuple(inside), padded)


def _ordered(found: Sequence[FaceReading], size: Size) -> list[FaceReading]:
    """People, the largest and most central first."""
    if not found:
        return []
    least = _RIVAL * max(r.pose.scale for r in found)

    def weight(r: FaceReading) -> float:
        u = (float(r.pose.origin[0]) / size[0] - 0.5, float(r.pose.origin[1]) / size[1] - 0.45)
        return float(r.pose.scale * np.exp(-2.0 * (u[0] ** 2 + u[1] ** 2)))

    return sorted((r for r in found if r.pose.scale > least), key=weight, reverse=True)


def _crop(have: Size, want: Size, people: Sequence[FaceReading]) -> tuple[float, float, float, float]:
    """x, y, width, height of the part that is shown; larger than the picture where a face would be cut otherwise."""
    width, height = have
    ratio = want[0] / want[1]
    wide, tall = min(width, height * ratio), min(height, width / ratio)
    if not people:
        return (width - wide) / 2, (height - tall) / 2, wide, tall
    points = people[0].points[:468, :2]
    low, high = points.min(0), points.max(0)
    unit = float(high[1] - low[1])
    left, right = float(low[0]) - _ROOM[0] * unit, float(high[0]) + _ROOM[0] * unit
    top, bottom = float(low[1]) - _ROOM[1] * unit, float(high[1]) + _ROOM[2] * unit
    left, right, top, bottom = max(left, 0.0), min(right, width), max(top, 0.0), min(bottom, height)
    grow = max(1.0, (right - left) / wide, (bottom - top) / tall)
    wide, tall = wide * grow, tall * grow
    x = _placed((left + right) / 2 - wide / 2, left, right, wide, width)
    # The face stays as far down as it was.
    y = _placed((top + bottom) / 2 * (1 - tall / height), top, bottom, tall, height)
    return x, y, wide, tall


def _placed(start: float, low: float, high: float, length: float, whole: float) -> float:
    """Start of an interval of a length inside 0..whole that holds low..high; centred when it is longer than all."""
    if length >= whole:
        return (whole - length) / 2
    start = min(max(start, 0.0), whole - length)
    return min(max(start, high - length, 0.0), low)


def _resampled(source: U8, x0: float, y0: float, scale: float, size: Size) -> tuple[U8, np.ndarray]:
    """The part of the picture at the result's size, and where it had to be continued beyond the picture's borders."""
    height, width = source.shape[:2]
    a, b = max(0.0, x0), max(0.0, y0)
    c, d = min(width, x0 + size[0] / scale), min(height, y0 + size[1] / scale)
    columns, rows = (max(1, round((v - u) * scale)) for u, v in ((a, c), (b, d)))
    left, top = round((a - x0) * scale), round((b - y0) * scale)
    columns, rows = min(columns, size[0] - left), min(rows, size[1] - top)
    part = source[int(b) : max(int(np.ceil(d)), int(b) + 1), int(a) : max(int(np.ceil(c)), int(a) + 1)]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LANCZOS4
    part = np.asarray(cv2.resize(part, (columns, rows), interpolation=how), np.uint8)
    if (columns, rows) == size:
        return np.ascontiguousarray(part), np.zeros((rows, columns), bool)
    right, bottom = size[0] - left - columns, size[1] - top - rows
    out = cv2.copyMakeBorder(part, top, bottom, left, right, cv2.BORDER_REFLECT_101)
    padded = np.ones((size[1], size[0]), bool)
    padded[top : top + rows, left : left + columns] = False
    return _softer_outside(np.asarray(out, np.uint8), padded), padded


def _softer_outside(picture: U8, padded: np.ndarray) -> U8:
    """Continued parts become softer with the distance, so that nothing is seen twice."""
    away = cv2.distanceTransform(padded.astype(np.uint8), cv2.DIST_L2, 5)
    side = float(np.sqrt(padded.size))
    out = picture.astype(np.float32)
    for reach, sigma in ((0.01, 0.008), (0.035, 0.025), (0.08, 0.06)):
        k = max(1, int(sigma * side / 3))
        small = cv2.resize(out, (max(2, out.shape[1] // k), max(2, out.shape[0] // k)), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), sigma * side / k)
        soft = cv2.resize(small, (out.shape[1], out.shape[0]), interpolation=cv2.INTER_LINEAR)
        t = np.clip(away / (reach * side), 0, 1)[..., None]
        out = out + (soft - out) * t
    return np.asarray(np.clip(out + 0.5, 0, 255), np.uint8)


def scaled(reading: FaceReading, scale: float, offset: tuple[float, float]) -> FaceReading:
    """A reading in another picture: pixels there are scale * pixels + offset."""
    shift = np.array([*offset, 0.0], np.float32)
    x0, y0, x1, y1 = reading.face.box
    box = (x0 * scale + offset[0], y0 * scale + offset[1], x1 * scale + offset[0], y1 * scale + offset[1])
    k = np.float32(scale)
    return replace(
        reading,
        face=replace(reading.face, box=box, keypoints=(reading.face.keypoints * k + shift[:2]).astype(np.float32)),
        points=(reading.points * k + shift).astype(np.float32),
        pose=replace(
            reading.pose,
            scale=reading.pose.scale * scale,
            origin=(reading.pose.origin * k + shift).astype(np.float32),
        ),
    )


def mattes(inspiration: Inspiration, fine: bool) -> tuple[F32, F32]:
    """(the person who is replaced, everybody), each (h, w) float32 0..1; zeros when nobody is seen.

    Args:
        inspiration: the picture and its people.
        fine: with single hairs; else what the nets see, ten times as fast: enough for a place that is blurred.
    """
    picture, people = inspiration.picture, list(inspiration.people[:_CROWD])
    nobody = np.zeros(picture.shape[:2], np.float32)
    if not people:
        return nobody, nobody

    def of(reading: FaceReading) -> F32:
        alpha = person_matte(picture, reading) if fine else _rough(picture, reading)
        return without_others(alpha, [reading, *(r for r in people if r is not reading)])

    own = of(people[0])
    everybody = own
    for reading in people[1:]:
        everybody = np.maximum(everybody, of(reading))
    return own, everybody


def _rough(picture: U8, reading: FaceReading) -> F32:
    height, width = picture.shape[:2]
    k = min(1.0, _ROUGH / max(height, width))
    small = segment_person(picture, reading, (max(8, round(width * k)), max(8, round(height * k))))
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
