"""Edit ("Magic Fill"): put the character under the mask of a picture, or fill or change what is there.

What the mask covers decides: a face, a head, a whole person, or a place where nobody is. Work is done around the mask;
outside of it no pixel changes.
"""

from __future__ import annotations

import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.base import Box, Job, Progress, Rendering, silent
from portrayal.engines.studio.background.cut import cut_out
from portrayal.engines.studio.clock import Clock
from portrayal.engines.studio.edit.change import change
from portrayal.engines.studio.edit.target import Target, face_mask, find_target
from portrayal.engines.studio.edit.words import mask_for
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.photo.insert import insert, replace_person
from portrayal.engines.studio.swap import check_target, swap_face, swap_head
from portrayal.engines.studio.types import Notes, Patch
from portrayal.imaging import F32, U8
from portrayal.perception import identity
from portrayal.perception.types import FaceReading
from portrayal.prompting.intent import EditIntent, read_edit

__all__ = ["BAR", "edit"]

BAR = 0.50
"""Largest distance to the reference after a swap: the scene's pose, expression and light stay, and cost some."""

# How much of the character's own shapes a swap takes, by attempt.
_FACE_IDENTITY = (0.9, 0.96, 1.0)
_HEAD_IDENTITY = (0.85, 0.93, 1.0)


def edit(job: Job, kept: Kept, progress: Progress = silent) -> Rendering:
    """Edit one picture; see `portrayal.engines.base.Engine`."""
    assert job.source is not None
    notes, clock = Notes(), Clock()
    intent = job.intent or read_edit(job.plan.prompt)
    progress("looking", 0.05)
    mask, target = job.mask, None
    if mask is not None:
        target = clock.time("look", lambda: find_target(job.source, mask))  # type: ignore[arg-type]
    progress("painting", 0.3)
    faces: tuple[Box | None, ...] = ()
    if not job.cast:
        patch, mask = clock.time("paint", lambda: change(job, intent, target, notes))
        for words in intent.plan.unknown if intent.colour is None and intent.action != "remove" else ():
            notes.warnings.append(f"not portrayed: {words}")
    else:
        if mask is None or target is None:
            meant = clock.time("look", lambda: mask_for(job.source, intent, _has_face(job.cast[0]), job.speed, notes))  # type: ignore[arg-type]
            mask, target = meant.mask, meant.target
            notes.warnings.append(f"no mask was given: {meant.what} is replaced")
        place, what = mask, target
        patch, box = clock.time("paint", lambda: _put(job, intent, place, what, kept, notes))
        faces = (box,)
    progress("developing", 0.9)
    image, cover = _pasted(job.source, patch)
    return Rendering(
        image=image,
        bar=BAR,
        faces=faces,
        warnings=tuple(dict.fromkeys(notes.warnings)),
        timings=clock.seconds,
        facts=dict(notes.facts),
        subject=cover if faces == (None,) else None,
        mask=mask,
        cover=cover,
    )


def _has_face(character: IdentityMap) -> bool:
    return character.reading is not None


def _put(job: Job, intent: EditIntent, mask: U8, target: Target, kept: Kept, notes: Notes) -> tuple[Patch, Box | None]:
    """The character under the mask; returns the patch and where its face is."""
    assert job.source is not None
    scene, character, face = job.source, job.cast[0], target.face
    if face is not None and target.kind in ("face", "head") and _has_face(character):
        return _swap(job, intent, mask, target, kept, notes)
    if face is None:
        return insert(
            scene,
            mask,
            character,
            kept,
            plan=intent.plan,
            seed=job.seed,
            speed=job.speed,
            notes=notes,
            attempt=job.attempt,
        )
    return replace_person(
        scene,
        mask,
        face,
        _matte(scene, face, job, notes),
        character,
        kept,
        plan=intent.plan,
        seed=job.seed,
        speed=job.speed,
        notes=notes,
        attempt=job.attempt,
    )


def _swap(job: Job, intent: EditIntent, mask: U8, target: Target, kept: Kept, notes: Notes) -> tuple[Patch, Box | None]:
    assert job.source is not None
    assert target.face is not None
    scene, character, face = job.source, job.cast[0], target.face
    head = target.kind == "head"
    check_target(face, (scene.shape[1], scene.shape[0]), head=head)
    levels = _HEAD_IDENTITY if head else _FACE_IDENTITY
    swap = swap_head if head else swap_face
    patch = swap(
        scene,
        mask,
        face,
        character,
        kept,
        seed=job.seed,
        speed=job.speed,
        identity=levels[min(job.attempt, len(levels) - 1)],
        notes=notes,
    )
    if character.embedding is not None:
        before = identity.distance(character.embedding, identity.embed(scene, face.points))
        notes.facts["distance_before"] = round(before, 4)
    _say_what_stays(intent, head, notes)
    return patch, _box(face)


def _say_what_stays(intent: EditIntent, head: bool, notes: Notes) -> None:
    """A swap keeps the scene's pose, expression, light, clothes and place: words that ask for others are not met."""
    plan = intent.plan
    for words, value in (("expression", plan.expression), ("setting", plan.setting), ("light", plan.light)):
        if value:
            notes.warnings.append(f"not portrayed: {words} {value!r}; a swap keeps that of the picture")
    for garment in plan.outfit:
        notes.warnings.append(f"not portrayed: {garment.text}; a swap keeps the clothes of the picture")
    for unknown in plan.unknown:
        notes.warnings.append(f"not portrayed: {unknown}")


def _matte(scene: U8, face: FaceReading, job: Job, notes: Notes) -> F32:
    return cut_out(scene, speed=job.speed, notes=notes, mask=face_mask(scene.shape[:2], face)).alpha


def _box(face: FaceReading) -> Box:
    low, high = face.points[:468, :2].min(0), face.points[:468, :2].max(0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _pasted(scene: U8, patch: Patch) -> tuple[U8, U8]:
    """The whole picture with the patch in it, and how much of each pixel is new."""
    height, width = patch.cover.shape
    part = np.s_[patch.y : patch.y + height, patch.x : patch.x + width]
    image, cover = scene.copy(), np.zeros(scene.shape[:2], np.uint8)
    image[part], cover[part] = patch.rgb, patch.cover
    return image, cover
