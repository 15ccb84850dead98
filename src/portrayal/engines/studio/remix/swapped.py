"""Near full strength: the inspiration itself, with the character's head on its person."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from portrayal import colours
from portrayal.engines.base import Job, Progress, Rendering
from portrayal.engines.studio.clock import Clock
from portrayal.engines.studio.edit.target import head_mask
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.light.tone import tone
from portrayal.engines.studio.looks.canvas import Known
from portrayal.engines.studio.recolour import main_cloth, recolour
from portrayal.engines.studio.remix.bands import Bands
from portrayal.engines.studio.remix.inspiration import Inspiration, mattes
from portrayal.engines.studio.remix.looked import looked
from portrayal.engines.studio.remix.plate import defocused, empty, light_in
from portrayal.engines.studio.styling import with_style
from portrayal.engines.studio.swap import swap_head
from portrayal.engines.studio.types import Cutout, Notes, Patch
from portrayal.imaging import F32, U8
from portrayal.perception import mesh
from portrayal.perception.regions import parse_regions
from portrayal.perception.types import CLOTHING, FACE, SKIN, FaceReading
from portrayal.prompting.plan import ScenePlan

BAR: Final = 0.50
# How much of the character's own shapes the head keeps where the swap begins, and at full strength.
_IDENTITY: Final = (0.95, 0.80)


def swapped(
    job: Job, plan: ScenePlan, inspiration: Inspiration, share: Bands, kept: Kept, notes: Notes, progress: Progress
) -> Rendering:
    """Make the picture; the inspiration must show a face that `check_target` accepts."""
    target = inspiration.target
    assert target is not None
    clock = Clock()
    picture, character = inspiration.picture, job.cast[0]
    progress("cutting out", 0.1)
    shallow = share.defocus > 0.0003
    worn = any(garment.colour and not garment.lower for garment in plan.outfit)
    person, everybody = clock.time("matte", lambda: mattes(inspiration, fine=shallow or worn))
    mask = head_mask(picture.shape[:2], target, person)
    high = min(_IDENTITY[0] + 0.05 * job.attempt, 1.0)
    low = min(_IDENTITY[1] + 0.1 * job.attempt, 1.0)
    identity = low + (high - low) * float(np.clip(share.defocus / 0.0055, 0, 1))
    progress("swapping the head", 0.3)
    patch = clock.time(
        "swap",
        lambda: swap_head(
            picture, mask, target, character, kept, seed=job.seed, speed=job.speed, identity=identity, notes=notes
        ),
    )
    image = pasted(picture, patch)
    colour = next((garment.colour for garment in plan.outfit if garment.colour and not garment.lower), None)
    if colour is not None:
        image = clock.time("clothes", lambda: _dyed(image, target, person, colour, notes))
    if shallow:
        image = clock.time("background", lambda: _shallow(image, everybody, patch, share, job))
    image = looked(image, plan)
    low_, high_ = target.points[:468, :2].min(0), target.points[:468, :2].max(0)
    box = (float(low_[0]), float(low_[1]), float(high_[0]), float(high_[1]))
    made = Rendering(
        image=image,
        bar=BAR,
        faces=(box,),
        warnings=tuple(dict.fromkeys(notes.warnings)),
        timings=clock.seconds,
        facts=dict(notes.facts),
    )
    people = Known((target.points,), person)
    return with_style(made, plan, job.style, people, job.seed, job.speed, notes, clock)


def pasted(picture: U8, patch: Patch) -> U8:
    """The picture with a changed part."""
    out = picture.copy()
    rows, columns = patch.rgb.shape[:2]
    out[patch.y : patch.y + rows, patch.x : patch.x + columns] = patch.rgb
    return out


def _dyed(image: U8, target: FaceReading, person: F32, colour: str, notes: Notes) -> U8:
    """The clothes of the inspiration's person in the colour that the prompt names."""
    regions = parse_regions(image, person, target).labels
    own = image.astype(np.float32) / np.float32(255)
    lab = cv2.cvtColor(own, cv2.COLOR_RGB2Lab)
    cloth = main_cloth(own, ((regions == CLOTHING) * person).astype(np.float32))
    if cloth is not None:  # the labels of hands reach over the sleeves beside them
        skin = np.median(lab[regions == FACE], axis=0) if (regions == FACE).any() else np.array([65.0, 15.0, 18.0])
        nearer = np.linalg.norm(lab - [cloth.lightness, cloth.a, cloth.b], axis=2) < np.linalg.norm(lab - skin, axis=2)
        below = np.arange(len(lab))[:, None] > target.points[mesh.CHIN, 1]
        regions = np.where((regions == SKIN) & nearer & below, CLOTHING, regions).astype(np.uint8)
    cutout = Cutout(own, person, regions, target.points)
    dyed = recolour(cutout, colours.hex_of(colour), cloth=cloth)
    if dyed is cutout:
        notes.warnings.append(f"not portrayed: clothes in {colour}; the inspiration shows none")
        return image
    mixed = own + (dyed.rgb - own) * person[..., None]
    return np.asarray(np.clip(mixed, 0, 1) * np.float32(255) + np.float32(0.5), np.uint8)


def _shallow(image: U8, people: F32, patch: Patch, share: Bands, job: Job) -> U8:
    """The picture with a shallower depth of field: all but the people a little out of focus."""
    sharp = people.copy()
    rows, columns = patch.cover.shape
    part = np.s_[patch.y : patch.y + rows, patch.x : patch.x + columns]
    sharp[part] = np.maximum(sharp[part], patch.cover.astype(np.float32) / np.float32(255))
    behind = empty(image, sharp, np.ones_like(sharp), 1.0, job.seed, job.speed)
    soft = tone(defocused(light_in(behind), share.defocus, job.speed))
    own = image.astype(np.float32) / np.float32(255)
    # Half covered pixels hold the sharp background already, so the blur fades in outside of them.
    weight = np.clip(sharp * 1.5, 0, 1)[..., None]
    return np.asarray((soft + (own - soft) * weight) * np.float32(255) + np.float32(0.5), np.uint8)
