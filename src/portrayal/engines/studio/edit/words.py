"""An edit without a mask: the mask of what the words mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.background.cut import cut_out, matte
from portrayal.engines.studio.edit.target import (
    Target,
    choose_face,
    face_mask,
    faces_in,
    head_mask,
    person_mask,
    target_word,
    who,
)
from portrayal.engines.studio.types import Notes
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32, U8
from portrayal.perception.types import CLOTHING, FaceReading
from portrayal.prompting.intent import EditIntent
from portrayal.request import Speed

_ROOM: Final = 0.45  # around a person who is replaced, in face widths: hair and shoulders of others are wider


@dataclass(frozen=True)
class Meant:
    """A mask that was made from words.

    Attributes:
        mask: (h, w) uint8, 255 = repaint.
        target: what it covers.
        what: in words, for the notes.
        several: whether these are several people.
    """

    mask: U8
    target: Target
    what: str
    several: bool = False


def mask_for(scene: U8, intent: EditIntent, has_face: bool, speed: Speed, notes: Notes) -> Meant:
    """The mask of an edit with a character: the face, the head or the person that the words mean.

    Args:
        has_face: whether the character has one; a mascot takes the place of a whole person.

    Raises:
        InvalidRequestError: nobody is in the picture.
    """
    faces = _faces(scene)
    face = choose_face(faces, intent.place)
    if intent.place in ("all", "others") and len(faces) > 1:
        raise InvalidRequestError(
            "one person is replaced at a time",
            field="prompt",
            remedy="Say which one, e.g. 'the person on the left', and edit the result once more for the next one.",
        )
    kind = target_word(intent) or "face"
    if not has_face:
        kind = "person"
    shape = scene.shape[:2]
    if kind == "face":
        mask = face_mask(shape, face)
    else:
        alpha = matte_of(scene, [face], speed, notes)
        mask = head_mask(shape, face, alpha) if kind == "head" else _room(scene, alpha, face, faces, speed, notes)
    others = tuple(other for other in faces if other is not face)
    what = who(face, faces) if kind == "person" else f"the {kind} of {who(face, faces)}"
    return Meant(mask, Target(kind, face, others), what)


def _room(scene: U8, person: F32, face: FaceReading, faces: Sequence[FaceReading], speed: Speed, notes: Notes) -> U8:
    """A person with room around for another outline; other people stay out of it."""
    mask = person_mask(person, max(4, round(_ROOM * face.pose.scale)))
    if len(faces) > 1:
        others = matte_of(scene, [other for other in faces if other is not face], speed, notes)
        mask[others > np.maximum(person, 0.5)] = 0
    return mask


def mask_of_people(scene: U8, intent: EditIntent, speed: Speed, notes: Notes) -> Meant:
    """The mask of the people who are to be removed.

    Raises:
        InvalidRequestError: nobody, or not who is meant, is in the picture.
    """
    people, what = _people(scene, intent)
    mask = person_mask(matte_of(scene, people, speed, notes), max(map(_margin, people)))
    return Meant(mask, Target("person", people[0]), what, len(people) > 1)


def mask_of_clothes(scene: U8, intent: EditIntent, speed: Speed, notes: Notes) -> Meant:
    """The mask of the clothes of one person, or of all.

    Raises:
        InvalidRequestError: nobody is in the picture, or no clothes are seen.
    """
    people, what = _people(scene, intent)
    cut = cut_out(scene, speed=speed, notes=notes, mask=_face_masks(scene, people))
    mask = ((cut.regions == CLOTHING) & (cut.alpha > 0.1)).astype(np.uint8) * np.uint8(255)
    if not mask.any():
        raise InvalidRequestError(
            f"no clothes of {what} are seen", field="image", remedy="Give a mask of what shall change."
        )
    mask = np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.uint8)
    return Meant(mask, Target("place", None), f"the clothes of {what}")


def matte_of(scene: U8, people: Sequence[FaceReading], speed: Speed, notes: Notes) -> F32:
    """(h, w) float32 0..1, where these people are."""
    return matte(scene, speed=speed, notes=notes, mask=_face_masks(scene, people))[0]


def _faces(scene: U8) -> list[FaceReading]:
    return faces_in(scene, (0, 0, scene.shape[1], scene.shape[0]))


def _people(scene: U8, intent: EditIntent) -> tuple[list[FaceReading], str]:
    """Those whom words mean, and who they are in words."""
    faces = _faces(scene)
    one = choose_face(faces, intent.place)
    if intent.place == "all" and len(faces) > 1:
        return faces, f"all {len(faces)} people whose faces are found"
    if intent.place == "others":
        rest = [face for face in faces if face is not one]
        if not rest:
            raise InvalidRequestError(
                "only one face is found in the picture", field="prompt", remedy="Give a mask of what shall change."
            )
        return rest, who(rest[0], faces) if len(rest) == 1 else f"{len(rest)} people, all but the largest one,"
    return [one], who(one, faces)


def _face_masks(scene: U8, people: Sequence[FaceReading]) -> U8:
    mask = np.zeros(scene.shape[:2], np.uint8)
    for face in people:
        mask |= face_mask(scene.shape[:2], face)
    return mask


def _margin(face: FaceReading) -> int:
    return max(2, round(0.05 * face.pose.scale))
