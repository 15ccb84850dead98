"""An edit without a mask: the mask of what the words mean."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from portrayal.engines.studio.background.cut import cut_out
from portrayal.engines.studio.edit.target import (
    Target,
    choose_face,
    face_mask,
    faces_in,
    head_mask,
    person_mask,
    target_word,
)
from portrayal.engines.studio.types import Notes
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32, U8
from portrayal.perception.types import CLOTHING, FaceReading
from portrayal.prompting.intent import EditIntent
from portrayal.request import Speed


@dataclass(frozen=True)
class Meant:
    """A mask that was made from words.

    Attributes:
        mask: (h, w) uint8, 255 = repaint.
        target: what it covers.
        what: in words, for the notes.
    """

    mask: U8
    target: Target
    what: str


def mask_for(scene: U8, intent: EditIntent, has_face: bool, speed: Speed, notes: Notes) -> Meant:
    """The mask of an edit with a character: the face, the head or the person that the words mean.

    Args:
        has_face: whether the character has one; a mascot takes the place of a whole person.

    Raises:
        InvalidRequestError: nobody is in the picture.
    """
    face = _meant_face(scene, intent)
    kind = target_word(intent) or "face"
    if not has_face:
        kind = "person"
    shape = scene.shape[:2]
    if kind == "face":
        mask = face_mask(shape, face)
    else:
        alpha = _matte_of(scene, face, speed, notes)
        mask = head_mask(shape, face, alpha) if kind == "head" else person_mask(alpha, _margin(face))
    return Meant(mask, Target(kind, face), f"the {kind} of {_who(scene, face)}")


def mask_of_person(scene: U8, intent: EditIntent, speed: Speed, notes: Notes) -> Meant:
    """The mask of a whole person who is to be removed."""
    face = _meant_face(scene, intent)
    mask = person_mask(_matte_of(scene, face, speed, notes), _margin(face))
    return Meant(mask, Target("person", face), _who(scene, face))


def mask_of_clothes(scene: U8, intent: EditIntent, speed: Speed, notes: Notes) -> Meant:
    """The mask of a person's clothes."""
    face = _meant_face(scene, intent)
    cut = cut_out(scene, speed=speed, notes=notes, mask=face_mask(scene.shape[:2], face))
    mask = ((cut.regions == CLOTHING) & (cut.alpha > 0.1)).astype(np.uint8) * np.uint8(255)
    if not mask.any():
        raise InvalidRequestError(
            "no clothes are seen on this person", field="image", remedy="Give a mask of what shall change."
        )
    mask = np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.uint8)
    return Meant(mask, Target("place", None), f"the clothes of {_who(scene, face)}")


def _meant_face(scene: U8, intent: EditIntent) -> FaceReading:
    height, width = scene.shape[:2]
    return choose_face(faces_in(scene, (0, 0, width, height)), intent.place)


def _matte_of(scene: U8, face: FaceReading, speed: Speed, notes: Notes) -> F32:
    return cut_out(scene, speed=speed, notes=notes, mask=face_mask(scene.shape[:2], face)).alpha


def _margin(face: FaceReading) -> int:
    return max(2, round(0.05 * face.pose.scale))


def _who(scene: U8, face: FaceReading) -> str:
    x0, y0, x1, y1 = (round(float(v)) for v in face.face.box)
    return f"the person whose face lies at {x0},{y0} to {x1},{y1}"
