"""Edits without a character: recolour what is under the mask, put another scene behind, or fill the place."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal import colours
from portrayal.engines.base import Job
from portrayal.engines.studio.background import plate_for, replace_background
from portrayal.engines.studio.background.cut import cut_out
from portrayal.engines.studio.edit.target import box_of
from portrayal.engines.studio.edit.words import mask_of_clothes, mask_of_people
from portrayal.engines.studio.fill import fill
from portrayal.engines.studio.recolour import recolour
from portrayal.engines.studio.types import Cutout, Notes, Patch
from portrayal.errors import InvalidRequestError
from portrayal.imaging import U8
from portrayal.perception.types import CLOTHING
from portrayal.prompting.intent import EditIntent

NO_MASK: Final = "no mask was given: "
_ASK: Final = "Give a mask, a reference, or words such as 'remove the person on the left' or 'navy jacket'."
_MUCH: Final = 0.15  # of a picture; larger holes are seldom filled well
_KEPT: Final = {
    "expression": "what is there is kept",
    "setting": "the place is kept",
    "outfit": "the clothes are kept",
}


def change(job: Job, intent: EditIntent, notes: Notes) -> tuple[Patch, U8, str]:
    """What the words ask for, without putting anybody in.

    Returns:
        The patch, the mask that was used, and what was done.

    Raises:
        InvalidRequestError: the words do not say what shall change where.
    """
    assert job.source is not None
    plan = intent.plan
    if intent.action == "remove":
        _say_unmet(intent, notes, "setting", "outfit")
        return *_remove(job, intent, notes), "removed"
    named = plan.setting or plan.backdrop
    if named and not plan.outfit and intent.action != "recolour":
        _say_unmet(intent, notes, "setting")
        return *_background(job, intent, notes), "background replaced"
    if intent.colour is not None and (job.mask is not None or plan.outfit):
        _say_unmet(intent, notes, "outfit")
        return *_recolour(job, intent, intent.colour, notes), "recoloured"
    if job.mask is None:
        raise InvalidRequestError("the words do not say what shall change where", field="edit_mask", remedy=_ASK)
    if plan.prompt.strip():
        notes.warnings.append(
            f"not portrayed: {plan.prompt.strip()!r}; things cannot be drawn from words, so the place is filled from "
            "its surroundings"
        )
    return *_remove(job, intent, notes), "filled"


def _say_unmet(intent: EditIntent, notes: Notes, *met: str) -> None:
    """Words that ask for more than what is done."""
    plan = intent.plan
    wishes = {"expression": plan.expression, "setting": plan.setting, "outfit": ", ".join(g.text for g in plan.outfit)}
    for kind, value in wishes.items():
        if value and kind not in met:
            notes.warnings.append(f"not portrayed: {value}; {_KEPT[kind]}")
    for words in plan.unknown:
        notes.warnings.append(f"not portrayed: {words}")


def _remove(job: Job, intent: EditIntent, notes: Notes) -> tuple[Patch, U8]:
    assert job.source is not None
    mask = job.mask
    if mask is None:
        _check_removal(intent)
        meant = mask_of_people(job.source, intent, job.speed, notes)
        notes.warnings.append(f"{NO_MASK}{meant.what} {'are' if meant.several else 'is'} removed")
        mask = meant.mask
        if not (mask == 0).any():
            raise InvalidRequestError(
                "nothing of the picture would be left", field="prompt", remedy="Give a mask of what shall change."
            )
    share = cv2.countNonZero(mask) / mask.size
    if share > _MUCH:
        notes.warnings.append(f"{share:.0%} of the picture are painted from the rest; so much may look made up")
    return fill(job.source, mask, seed=job.seed, speed=job.speed, notes=notes), mask


def _check_removal(intent: EditIntent) -> None:
    """Only people are found without a mask: whoever wants something else removed gets no person removed.

    Raises:
        InvalidRequestError: the words name something else.
    """
    plan = intent.plan
    if intent.target == "background":
        raise InvalidRequestError(
            "an edit does not remove backgrounds",
            field="prompt",
            remedy="Use remove-background, or name the place that shall be there instead.",
        )
    other = plan.unknown or plan.outfit or plan.accessories or plan.setting
    if intent.target == "person" or (intent.place is not None and intent.target is None and not other):
        return
    raise InvalidRequestError(
        "without a mask only people are found in a picture",
        field="edit_mask",
        remedy="Give a mask of what shall be removed, or say which person, e.g. 'remove the person on the left'.",
    )


def _background(job: Job, intent: EditIntent, notes: Notes) -> tuple[Patch, U8]:
    """Another scene behind the people; only under the mask, when there is one."""
    assert job.source is not None
    scene = job.source
    cut = cut_out(scene, speed=job.speed, notes=notes)
    plate = plate_for(scene, cut, intent.plan, seed=job.seed, speed=job.speed, notes=notes)
    new = replace_background(scene, plate, plan=intent.plan, seed=job.seed, speed=job.speed, notes=notes, cut=cut)
    mask = job.mask
    if mask is None:
        # What is surely the person stays as it is: an edit of the background leaves the face to the bit.
        mask = np.where(cut.alpha < 0.995, np.uint8(255), np.uint8(0))
        notes.warnings.append(f"{NO_MASK}all that is behind the people is changed")
    return _blended(scene, new, mask, feather=0.0), mask


def _recolour(job: Job, intent: EditIntent, colour: str, notes: Notes) -> tuple[Patch, U8]:
    """The main cloth, paint or surface under the mask in another colour; its light and texture stay."""
    assert job.source is not None
    mask = job.mask
    if mask is None:
        meant = mask_of_clothes(job.source, intent, job.speed, notes)
        notes.warnings.append(f"{NO_MASK}{meant.what} are recoloured")
        mask = meant.mask
    for garment in intent.plan.outfit:
        if garment.pattern or garment.fabric:
            notes.warnings.append(f"not portrayed: {garment.text}; what is there is kept, in {colour}")
    x0, y0, x1, y1 = box_of(mask)
    part = np.ascontiguousarray(job.source[y0:y1, x0:x1])
    chosen = (mask[y0:y1, x0:x1] > 127).astype(np.float32)
    thing = Cutout(
        rgb=part.astype(np.float32) / np.float32(255),
        alpha=np.ones(chosen.shape, np.float32),
        regions=np.where(chosen > 0, CLOTHING, 0).astype(np.uint8),
        points=None,
    )
    dyed = recolour(thing, colours.hex_of(colour), chosen)
    if dyed is thing:
        raise InvalidRequestError(
            "there is too little under the mask to recolour", field="edit_mask", remedy="Mask a larger area."
        )
    new = job.source.copy()
    new[y0:y1, x0:x1] = (np.clip(dyed.rgb, 0, 1) * 255 + 0.5).astype(np.uint8)
    return _blended(job.source, new, mask, feather=1.2), mask


def _blended(scene: U8, new: U8, mask: U8, feather: float) -> Patch:
    """The new picture under the mask, with an edge that is soft inwards; the scene to the bit elsewhere."""
    x0, y0, x1, y1 = box_of(mask)
    chosen = (mask[y0:y1, x0:x1] > 127).astype(np.uint8)
    share = chosen.astype(np.float32)
    if feather:
        framed = np.pad(chosen, 1, constant_values=1)
        inside = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1]
        share = np.clip(inside / np.float32(2 * feather), 0, 1).astype(np.float32) * share
    old = scene[y0:y1, x0:x1]
    mixed = old + (new[y0:y1, x0:x1].astype(np.float32) - old) * share[..., None]
    rgb = np.where(chosen[..., None] > 0, (mixed + 0.5).astype(np.uint8), old)
    return Patch(rgb, x0, y0, (share * 255 + 0.5).astype(np.uint8))
