"""Edit ("Magic Fill"): put the character under the mask of a picture, or fill or change what is there.

What the mask covers decides: a face, a head, a whole person, or a place where nobody is. Work is done around the mask;
outside of it no pixel changes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.base import Box, Job, Progress, Rendering, silent
from portrayal.engines.studio.clock import Clock
from portrayal.engines.studio.edit.change import NO_MASK, change
from portrayal.engines.studio.edit.target import Target, check_place, find_target, goes_on, who
from portrayal.engines.studio.edit.words import mask_for, matte_of
from portrayal.engines.studio.fill import fill
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.photo.insert import insert, replace_person
from portrayal.engines.studio.swap import check_target, swap_face, swap_head
from portrayal.engines.studio.types import Notes, Patch
from portrayal.errors import InvalidRequestError
from portrayal.imaging import U8
from portrayal.parallel import together
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
    _check_words(job, intent)
    progress("looking", 0.05)
    job = _without_hole(job, notes)
    mask, target = job.mask, None
    if mask is not None and job.cast:
        target = clock.time("look", lambda: find_target(job.source, mask))  # type: ignore[arg-type]
    progress("painting", 0.3)
    faces: tuple[Box | None, ...] = ()
    if not job.cast:
        patch, mask, did = clock.time("paint", lambda: change(job, intent, notes))
    else:
        if mask is None or target is None:
            meant = clock.time("look", lambda: mask_for(job.source, intent, _has_face(job.cast[0]), job.speed, notes))  # type: ignore[arg-type]
            mask, target = meant.mask, meant.target
            notes.warnings.append(f"{NO_MASK}{meant.what} is replaced")
        place, what = mask, target
        patch, box, did = clock.time("paint", lambda: _put(job, intent, place, what, kept, notes))
        faces = (box,)
    progress("developing", 0.9)
    assert job.source is not None
    image, cover = _pasted(job.source, patch)
    if job.hole is not None:
        cover = np.maximum(cover, job.hole)
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
        did=did,
    )


def _check_words(job: Job, intent: EditIntent) -> None:
    """Refuse words that turn an instruction round, or that contradict the reference.

    Raises:
        InvalidRequestError: the remedy says what to leave out.
    """
    if intent.negated:
        raise InvalidRequestError(
            "the words say what shall not be done", field="prompt", remedy="Say only what shall change."
        )
    if job.cast and intent.action == "remove":
        raise InvalidRequestError(
            "the words ask to remove something, and a reference says who shall be put in",
            field="prompt",
            remedy="Leave out the one or the other.",
        )
    if job.cast and job.mask is None and intent.target == "background":
        raise InvalidRequestError(
            "the words ask for another background, and a reference says who shall be put in",
            field="prompt",
            remedy="Do the one, then the other: leave out the reference for the background.",
        )


def _without_hole(job: Job, notes: Notes) -> Job:
    """A transparent place with nothing in it is filled first, so that whoever is put in stands somewhere."""
    if job.hole is None or not job.cast or job.source is None:
        return job
    if job.source[job.hole > 0].std(axis=0).max() > 1:
        return job
    notes.warnings.append("nothing is left under the transparency: it is taken as an empty place")
    filled, _ = _pasted(job.source, fill(job.source, job.hole, seed=job.seed, speed=job.speed, notes=notes))
    return replace(job, source=filled)


def _has_face(character: IdentityMap) -> bool:
    return character.reading is not None


def _put(
    job: Job, intent: EditIntent, mask: U8, target: Target, kept: Kept, notes: Notes
) -> tuple[Patch, Box | None, str]:
    """The character under the mask; returns the patch, where its face is, and what was done."""
    assert job.source is not None
    scene, character, face = job.source, job.cast[0], target.face
    options: Any = {
        "plan": intent.plan,
        "seed": job.seed,
        "speed": job.speed,
        "notes": notes,
        "attempt": job.attempt,
    }
    if face is None:
        check_place(mask, target)
        _say_place_stays(intent, notes)
        return *insert(scene, mask, character, kept, **options), "put in"
    if target.covered:
        everybody = (face, *target.others)
        notes.warnings.append(
            f"the mask covers {target.covered + 1} faces: {who(face, everybody)} is replaced; mask the next one in "
            "another edit"
        )
    if target.kind in ("face", "head") and _has_face(character):
        return _swap(job, intent, mask, target, kept, notes)
    person = matte_of(scene, [face], job.speed, notes)
    if goes_on(mask, person):
        if _has_face(character) and target.kind == "person":
            notes.warnings.append("the mask covers only a part of the body, so the head is replaced and the body kept")
            return _swap(job, intent, mask, replace(target, kind="head"), kept, notes)
        notes.warnings.append("the mask covers only a part of the person; the rest of them stays in the picture")
    _say_place_stays(intent, notes)
    return *replace_person(scene, mask, face, person, character, kept, **options), "person replaced"


def _swap(
    job: Job, intent: EditIntent, mask: U8, target: Target, kept: Kept, notes: Notes
) -> tuple[Patch, Box | None, str]:
    assert job.source is not None
    assert target.face is not None
    scene, character, face = job.source, job.cast[0], target.face
    head = target.kind == "head"
    check_target(face, (scene.shape[1], scene.shape[0]), head=head)
    levels = _HEAD_IDENTITY if head else _FACE_IDENTITY
    swap = swap_head if head else swap_face
    patch, before = together(
        lambda: swap(
            scene,
            mask,
            face,
            character,
            kept,
            seed=job.seed,
            speed=job.speed,
            identity=levels[min(job.attempt, len(levels) - 1)],
            notes=notes,
        ),
        lambda: identity.embed(scene, face.points),
    )
    if character.embedding is not None:
        notes.facts["distance_before"] = round(identity.distance(character.embedding, before), 4)
    _say_what_stays(intent, head, notes)
    return patch, _box(face), f"{target.kind} swapped"


def _say_place_stays(intent: EditIntent, notes: Notes) -> None:
    """Whoever is put in stands in the picture's own place and light."""
    plan = intent.plan
    if plan.setting or plan.backdrop or plan.light or plan.time or plan.weather:
        notes.warnings.append("the picture keeps its own place, weather and light; only the person is new")
    for unknown in plan.unknown:
        notes.warnings.append(f"not portrayed: {unknown}")


def _say_what_stays(intent: EditIntent, head: bool, notes: Notes) -> None:
    """A swap keeps the scene's pose, expression, light, clothes and place: words that ask for others are not met."""
    plan = intent.plan
    for words, value in (("expression", plan.expression), ("setting", plan.setting), ("light", plan.light)):
        if value:
            notes.warnings.append(f"not portrayed: {value}; a swap keeps the {words} of the picture")
    for garment in plan.outfit:
        notes.warnings.append(f"not portrayed: {garment.text}; a swap keeps the clothes of the picture")
    for unknown in plan.unknown:
        notes.warnings.append(f"not portrayed: {unknown}")


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
