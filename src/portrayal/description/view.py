"""A picture prepared for looking: its people, and what of it is background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np

from portrayal.errors import NoSubjectError
from portrayal.imaging import F32, U8
from portrayal.perception.faces import read_faces
from portrayal.perception.regions import parse_regions
from portrayal.perception.segmentation import segment_person
from portrayal.perception.subject import subject_matte
from portrayal.perception.types import CLOTHING, FaceReading

_LONGER: Final = 1400
_MATTE: Final = 512
# Smaller faces than this share of the largest one's are passers-by or posters.
_RIVAL: Final = 0.4
_CROWD: Final = 4
# A subject without a face fills this share of the picture.
_SUBJECT: Final = (0.04, 0.75)


@dataclass(frozen=True)
class View:
    """A picture and who is in it.

    Attributes:
        picture: (h, w, 3) uint8, at most 1400 px on its longer side.
        people: their faces, the largest first.
        kind: "people", "figure" (something without a face before a calm background), or "scene".
        person: (h, w) float32 0..1, people or the figure.
        clothes: (h, w) bool, of the largest person.
    """

    picture: U8
    people: tuple[FaceReading, ...]
    kind: Literal["people", "figure", "scene"]
    person: F32
    clothes: np.ndarray


def look(image: U8) -> View:
    """Find people, or else a figure.

    Args:
        image: (h, w, 3) uint8.
    """
    height, width = image.shape[:2]
    k = min(1.0, _LONGER / max(height, width))
    if k < 1:
        size = (max(8, round(width * k)), max(8, round(height * k)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    found = read_faces(image, average=True)
    people = tuple(r for r in found if r.pose.scale > _RIVAL * found[0].pose.scale)
    nothing = np.zeros(image.shape[:2], bool)
    if people:
        alpha = _alpha(image, people[:_CROWD])
        return View(image, people, "people", alpha, _clothes(image, alpha, people))
    figure = _figure(image)
    if figure is not None:
        return View(image, (), "figure", figure, nothing)
    return View(image, (), "scene", np.zeros(image.shape[:2], np.float32), nothing)


def _alpha(image: U8, people: Sequence[FaceReading]) -> F32:
    height, width = image.shape[:2]
    k = min(1.0, _MATTE / max(height, width))
    size = (max(8, round(width * k)), max(8, round(height * k)))
    total = np.zeros(size[::-1], np.float32)
    for reading in people:
        total = np.maximum(total, segment_person(image, reading, size)).astype(np.float32)
    return np.asarray(cv2.resize(total, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _clothes(image: U8, alpha: F32, people: Sequence[FaceReading]) -> np.ndarray:
    """Of the largest person: between the others the border is half way."""
    labels = parse_regions(image, alpha, people[0]).labels == CLOTHING
    x = people[0].pose.origin[0]
    columns = np.arange(image.shape[1])
    for other in people[1:]:
        middle = (x + other.pose.origin[0]) / 2
        labels[:, columns > middle if other.pose.origin[0] > x else columns < middle] = False
    return np.asarray(labels, bool)


def _figure(image: U8) -> F32 | None:
    """A mascot, a drawing, an animal: what the picture's border does not explain, where the border is calm."""
    try:
        matte = subject_matte(image, "image")
    except NoSubjectError:
        return None
    share = float(matte.alpha.mean())
    if matte.whole or not _SUBJECT[0] < share < _SUBJECT[1]:
        return None
    rim = np.ones(image.shape[:2], bool)
    rim[4:-4, 4:-4] = False
    # In a scene everything reaches the border somewhere; a figure leaves it, or stands on it.
    if float((matte.alpha[rim] > 0.5).mean()) > 0.3:
        return None
    return matte.alpha
