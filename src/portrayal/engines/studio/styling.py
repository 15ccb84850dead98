"""The style of a finished picture: the look drawn over it, then the colours of code, references and palette.

The photograph before it is kept: there the identity lock measures the person, for a face descriptor was learned from
photographs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from portrayal.engines.base import Rendering
from portrayal.engines.studio import looks
from portrayal.engines.studio.clock import Clock
from portrayal.engines.studio.looks.canvas import Known
from portrayal.engines.studio.types import Notes, Speed
from portrayal.engines.studio.words.overlay import lettered
from portrayal.imaging import F32, U8
from portrayal.prompting.plan import ScenePlan
from portrayal.styles import colouring
from portrayal.styles.style import Style


@dataclass(frozen=True)
class Styled:
    """A picture with its style.

    Attributes:
        image: (h, w, 3) uint8.
        plain: the photograph before it; None when there was nothing to do.
        palette: colours that were asked for, and the share of the picture that each has.
    """

    image: U8
    plain: U8 | None = None
    palette: tuple[tuple[str, float], ...] = ()


def opened(plan: ScenePlan, style: Style) -> ScenePlan:
    """A plan with what the style chooses where the words leave it open: a golden hour is lit as one."""
    preset = looks.preset_of(plan, style)
    wishes = dict(looks.row(preset).open) if preset is not None else {}
    if style.code is not None and style.code.photographic:
        wishes["look"] = style.code.look
    free = {
        field: value
        for field, value in wishes.items()
        if getattr(plan, field) is None and not plan.excludes(field, value)
    }
    if plan.setting is not None and plan.setting != "studio":
        free.pop("backdrop", None)
    return plan.model_copy(update=free) if free else plan


def scenery(plan: ScenePlan, look: str | None) -> str:
    """A note when the look brings a background of its own instead of the scene that the words name; else ""."""
    if look is None or not looks.row(look).own_scene:
        return ""
    said = [u.phrase for u in plan.understood if u.kind == "setting" and u.value == plan.setting]
    return f"{said[0]!r} is hardly seen: the style {look} has a background of its own" if said else ""


def in_style(
    image: U8,
    plan: ScenePlan,
    style: Style,
    look: str | None,
    known: Known,
    seed: int,
    speed: Speed,
    notes: Notes,
    clock: Clock,
) -> Styled:
    """Draw the look and bring in the colours.

    Args:
        image: (h, w, 3), the developed photograph.
        plan: what it shows.
        style: what is asked for.
        look: drawn look or preset that was chosen for it; None = a photograph.
        known: of the people in the picture.
        seed, speed: of the picture.
        notes: gets the warnings.
        clock: gets the times.
    """
    plain = image
    note = scenery(plan, look)
    notes.warnings += [note] if note else []
    if look is not None:
        line = 1.0 if style.code is None else 0.7 + 0.7 * style.code.line
        image = clock.time("look", lambda: looks.paint(image, look, known, seed, speed, line))
    if not style.coloured:
        return Styled(image, plain if look is not None else None)
    skin, detail = known.shields(image.shape[:2])
    found = clock.time("colours", lambda: colouring.coloured(image, style, skin=skin, detail=detail))
    notes.warnings += found.warnings
    return Styled(found.image, plain, found.palette)


def finished(rendering: Rendering, result: Styled, look: str | None) -> Rendering:
    """A rendering with its style."""
    return replace(rendering, image=result.image, plain=result.plain, look=look or "", palette=result.palette)


def worded(image: U8, plan: ScenePlan, known: Known, look: str | None, seed: int, notes: Notes, clock: Clock) -> U8:
    """A picture of several people, or a remix, with its words: none of them hangs in the scene."""
    faces = []
    for points in known.faces:
        low, high = points[:468, :2].min(0), points[:468, :2].max(0)
        faces.append((float(low[0]), float(low[1]), float(high[0]), float(high[1])))
    return clock.time("lettering", lambda: lettered(image, plan, faces, known.matte, look, seed, notes))


def with_style(
    rendering: Rendering,
    plan: ScenePlan,
    style: Style,
    known: Known,
    seed: int,
    speed: Speed,
    notes: Notes,
    clock: Clock,
) -> Rendering:
    """A finished picture in the look that the words and the style ask for; as `in_style`."""
    look, note = looks.choose(plan, style, body=False)
    if note:
        notes.warnings.append(note)
    result = in_style(rendering.image, plan, style, look, known, seed, speed, notes, clock)
    result = replace(result, image=worded(result.image, plan, known, look, seed, notes, clock))
    made = finished(rendering, result, look)
    warnings = tuple(dict.fromkeys((*rendering.warnings, *notes.warnings)))
    return replace(made, warnings=warnings, timings=clock.seconds)


def turned(known: Known, matrix: F32, size: tuple[int, int]) -> Known:
    """What is known, in a picture that was turned by a matrix (2, 3)."""
    matte = known.matte
    if matte is not None:
        matte = np.asarray(cv2.warpAffine(matte, matrix, size, flags=cv2.INTER_LINEAR), np.float32)
    regions = known.regions
    if regions is not None:
        regions = np.asarray(cv2.warpAffine(regions, matrix, size, flags=cv2.INTER_NEAREST), np.uint8)
    faces = []
    for points in known.faces:
        moved = points.copy()
        moved[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        faces.append(moved)
    return Known(tuple(faces), matte, regions)
