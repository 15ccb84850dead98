"""Several characters in one new picture: two to four, people and mascots, side by side.

Each member is made as for a picture of its own (placed, dressed, moved, given shape), but on the part of the canvas
that it fills, in the same light, and all at the same time; then they are joined from the farthest to the nearest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.base import Box, Job, Progress, Rendering
from portrayal.engines.studio import avoid, looks
from portrayal.engines.studio.cast.arrange import Arrangement, arrange, order_of, room
from portrayal.engines.studio.cast.figure import figure_of
from portrayal.engines.studio.cast.join import join
from portrayal.engines.studio.cast.match import match
from portrayal.engines.studio.cast.member import Member
from portrayal.engines.studio.clock import Clock
from portrayal.engines.studio.compose import CAMERAS, FRAMINGS, Composition, framing_of, motion_of, roll_of, shot_of
from portrayal.engines.studio.generate import (
    better_side,
    face_box,
    fill_in,
    outfit_of,
    person,
    scene,
    unposed,
    warn,
)
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.light.finish import finish
from portrayal.engines.studio.light.finish import looks as photographic
from portrayal.engines.studio.light.relight import relight
from portrayal.engines.studio.looks.canvas import Known
from portrayal.engines.studio.styling import finished, in_style, opened, turned, worded
from portrayal.engines.studio.tilt import roll_matrix, rolled
from portrayal.engines.studio.types import Notes, Subject
from portrayal.engines.studio.wardrobe.room import outlined, roomy
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32, U8, Array
from portrayal.parallel import together
from portrayal.prompting.plan import ScenePlan
from portrayal.sizes import Size

__all__ = ["generate_cast"]

S = TypeVar("S")
T = TypeVar("T")
_MOST: Final = 4
_TIGHT: Final = 0.6  # cost over which shoulders are completed, when that gives a better frame
_PADDING: Final = 0.5  # head heights around a body: where a head turns to, and how far its shade reaches
_REACH: Final = 2.5  # first guess of the frame's lower border below the faces, in head heights
_WIDEST: Final = 2.9  # width of a mascot beside people, in head heights
_TOWARDS: Final = 9.0  # degrees that heads turn towards each other at most
_FARTHEST: Final = 10.0  # degrees that a head leaves its reference for that
_SHARE: Final = 0.4  # the same, of what the head may turn at all


def generate_cast(job: Job, kept: Kept, progress: Progress) -> Rendering:
    """Make one picture of several characters; see `portrayal.engines.base.Engine`.

    Raises:
        InvalidRequestError: more than four characters.
    """
    if not 2 <= len(job.cast) <= _MOST:
        raise InvalidRequestError(
            f"{len(job.cast)} characters in one picture", field="reference", remedy=f"Give two to {_MOST}."
        )
    assert job.size is not None
    notes, clock = Notes(), Clock()
    opens = [avoid.settled(opened(plan, job.style), job.seed) for plan in (job.plan, *job.members)]
    job = replace(job, plan=opens[0], members=tuple(opens[1:]))
    plan, members, camera = clock.time("arrange", lambda: _members(job, job.size or (0, 0), kept, notes))
    drawn, note = looks.choose(plan, job.style, body=False)
    if note:
        notes.warnings.append(note)
    progress("photographing", 0.1)
    subjects, plate = together(
        lambda: _each(members, lambda member: _subject(member, job, kept, clock)),
        lambda: scene(plan, camera.shot, notes, clock),
    )
    subjects = clock.time("match", lambda: match(subjects, job.seed))
    progress("lighting", 0.6)
    lit = clock.time("relight", lambda: _each(subjects, lambda subject: relight(subject, plate.lighting, job.speed)))
    radiance, seen = clock.time("composite", lambda: join(members, subjects, lit, plate, job.speed))
    if camera.camera_roll:
        radiance = rolled(radiance, camera.camera_roll)
    progress("developing", 0.9)
    look = plan.look if plan.look in photographic() else "photo"
    grain = 0.0 if looks.is_drawn(drawn) else 1.0
    image = clock.time(
        "finish",
        lambda: finish(
            radiance,
            grade=plate.grade,
            look=look or "photo",
            exposure=plate.exposure,
            grain=grain,
            seed=job.seed,
            speed=job.speed,
        ),
    )
    everybody = known_of(members, subjects, seen, camera.camera_roll, (image.shape[1], image.shape[0]))
    result = in_style(image, plan, job.style, drawn, everybody, job.seed, job.speed, notes, clock)
    result = replace(result, image=worded(result.image, plan, everybody, drawn, job.seed, notes, clock))
    made = _rendering(job, plan, members, subjects, seen, camera.camera_roll, result.image, drawn, notes, clock)
    return finished(made, result, drawn)


def known_of(
    members: Sequence[Member], subjects: Sequence[Subject], seen: Sequence[F32], roll: float, size: Size
) -> Known:
    """What looks need to know of everybody in the picture.

    Args:
        members, subjects: in one order.
        seen: of each, the part (h, w) of its own canvas that nobody in front covers.
        roll: of the camera, degrees.
        size: of the picture.
    """
    width, height = size
    matte, regions = np.zeros((height, width), np.float32), np.zeros((height, width), np.uint8)
    faces = []
    for member, subject, alpha in zip(members, subjects, seen, strict=True):
        matte[member.part] = np.maximum(matte[member.part], alpha)
        mine = alpha > 0.5
        regions[member.part][mine] = subject.regions[mine]
        if subject.points is not None:
            points = subject.points.copy()
            points[:, :2] += np.array([member.x, member.y], np.float32)
            faces.append(points)
    found = Known(tuple(faces), matte, regions)
    return turned(found, roll_matrix(size, roll).astype(np.float32), size) if roll else found


def _each(items: Sequence[S], make: Callable[[S], T]) -> list[T]:
    """Call a function for each item at the same time; the results in order."""
    if len(items) == 1:
        return [make(items[0])]
    first, rest = together(lambda: make(items[0]), lambda: _each(items[1:], make))
    return [first, *rest]


def _subject(member: Member, job: Job, kept: Kept, clock: Clock) -> Subject:
    """One member on its part of the canvas, not yet lit."""
    size, seed = (member.width, member.height), job.seed + 101 * member.number
    return person(
        member.plan,
        member.character,
        member.composition,
        size,
        job.speed,
        seed,
        kept,
        member.notes,
        clock,
        member.outfit,
    )


def _members(job: Job, size: Size, kept: Kept, notes: Notes) -> tuple[ScenePlan, list[Member], Composition]:
    """Choose camera and places: the filled-in shared plan, the members from left to right, and the camera."""
    rng = np.random.default_rng([job.seed, job.attempt, 101])
    own = [Notes() for _ in job.cast]
    plans = [unposed(p, n) for p, n in zip(job.members or (job.plan,) * len(job.cast), own, strict=True)]
    job = replace(job, plan=unposed(job.plan, Notes() if job.members else notes))
    cast = [better_side(p, c, kept, n) for p, c, n in zip(plans, job.cast, own, strict=True)]
    outfits = [outfit_of(p, c, job.seed + 101 * i, n) for i, (p, c, n) in enumerate(zip(plans, cast, own, strict=True))]
    order = order_of(job.places or (None,) * len(cast))
    tilt = CAMERAS[job.plan.camera or "eye level"]
    roll = roll_of(job.plan.camera or "eye level", rng)
    shrink = 1 / float(np.linalg.norm(roll_matrix(size, roll)[:, 0])) if roll else 1.0
    cast = [roomy(one) if outfit else one for one, outfit in zip(cast, outfits, strict=True)]
    seen = [outlined(kept.bare(one)) if outfit else one for one, outfit in zip(cast, outfits, strict=True)]
    arrangement, seen = _arranged(job, seen, order, size, shrink, kept)
    cast = [one if outfit else other for one, other, outfit in zip(cast, seen, outfits, strict=True)]
    share = arrangement.unit / (min(size[1], 1.25 * size[0]) * shrink)
    _tell_framing(job.plan.framing, share, notes)
    framing = framing_of(share)
    shot = shot_of(job.plan, size, job.speed, FRAMINGS[framing][2], tilt[1], rng)
    allowed = _each(cast, lambda one: kept.model(one).allowed.yaw if one.reading is not None else (0.0, 0.0))
    members: list[Member] = []
    for place, (number, spot) in enumerate(zip(order, arrangement.spots, strict=True)):
        character = cast[number]
        across = 2 * place / (len(order) - 1) - 1
        plan = _turned(plans[number], character, allowed[number], across, rng, job.attempt)
        motion, bar = motion_of(plan, character, tilt[0], rng, job.seed + 101 * number, job.attempt)
        x, y, width, height = _part(seen[number], spot.scale, spot.offset, spot.unit, size)
        at = (spot.offset[0] - x, spot.offset[1] - y)
        composition = Composition(spot.scale, at, framing, shot, motion, 0.0, bar)
        members.append(
            Member(number, character, plan, composition, spot, x, y, width, height, own[number], outfits[number])
        )
    shared = replace(members[0].composition, camera_roll=roll)
    plan, shared = fill_in(job.plan, shared, job.seed, job.attempt)
    return plan, members, shared


def _arranged(
    job: Job, cast: Sequence[IdentityMap], order: Sequence[int], size: Size, shrink: float, kept: Kept
) -> tuple[Arrangement, list[IdentityMap]]:
    """Places from left to right, and the cast, with completed shoulders where the frame needs them."""
    widest = min(_WIDEST, 1.6 * room(size, len(cast)) / len(cast))
    people = [character.reading is not None for character in cast]

    def of(characters: Sequence[IdentityMap]) -> Arrangement:
        figures = [figure_of(characters[i], _REACH if any(people) else None, widest) for i in order]
        found = arrange(figures, size, job.plan.framing, job.seed, job.attempt, shrink)
        if all(people) or not any(people):
            return found
        # How large a mascot is beside people depends on where the frame ends, and the frame on all of them.
        figures = [figure_of(characters[i], float(np.clip(found.reach, 1.5, 3.5)), widest) for i in order]
        return arrange(figures, size, job.plan.framing, job.seed, job.attempt, shrink)

    plain = of(cast)
    if plain.cost <= _TIGHT:
        return plain, list(cast)
    wide = [kept.wider(character) for character in cast]
    if all(a is b for a, b in zip(wide, cast, strict=True)):
        return plain, list(cast)
    completed = of(wide)
    return (completed, wide) if completed.cost < 0.6 * plain.cost else (plain, list(cast))


def _tell_framing(wanted: str | None, share: float, notes: Notes) -> None:
    """Say it when the group could not be framed as the prompt asks."""
    if wanted is None:
        return
    got = framing_of(share)
    if got != wanted and not 0.75 < share / FRAMINGS[wanted][0] < 1.3:
        notes.warnings.append(f"framing {wanted!r}: this group in this size of picture is {got!r}")


def _turned(
    plan: ScenePlan,
    character: IdentityMap,
    allowed: tuple[float, float],
    across: float,
    rng: np.random.Generator,
    attempt: int,
) -> ScenePlan:
    """A plan in which the head turns a little towards the others; `across` is -1 at the left end, 1 at the right."""
    wish, apart = float(rng.uniform(0.0, _TOWARDS)), float(rng.uniform(-3.0, 3.0))
    if plan.head.yaw is not None or character.reading is None:
        return plan
    own = character.reading.pose.yaw
    calm = 0.5 if attempt else 1.0
    # A head that turns badly (strong light from the side, a half profile) turns less.
    low, high = max(-_FARTHEST, _SHARE * allowed[0]) * calm, min(_FARTHEST, _SHARE * allowed[1]) * calm
    turn = float(np.clip(-across * wish + apart - own, low, high))
    return plan.model_copy(update={"head": plan.head.model_copy(update={"yaw": own + turn})})


def _part(
    character: IdentityMap, scale: float, offset: tuple[float, float], unit: float, size: Size
) -> tuple[int, int, int, int]:
    """The part of the canvas (x, y, width, height) that a member fills, with room around it."""
    columns = np.flatnonzero((character.alpha > 0.02).any(0))
    rows = np.flatnonzero((character.alpha > 0.02).any(1))
    air = _PADDING * unit
    x0 = max(0, int(columns[0] * scale + offset[0] - air))
    y0 = max(0, int(rows[0] * scale + offset[1] - air))
    x1 = min(size[0], int(columns[-1] * scale + offset[0] + air) + 1)
    y1 = min(size[1], int(rows[-1] * scale + offset[1] + air) + 1)
    return x0, y0, x1 - x0, y1 - y0


def _rendering(
    job: Job,
    plan: ScenePlan,
    members: Sequence[Member],
    subjects: Sequence[Subject],
    seen: Sequence[F32],
    roll: float,
    image: U8,
    drawn: str | None,
    notes: Notes,
    clock: Clock,
) -> Rendering:
    """Hand the picture over, everything in the order of the cast."""
    shared = next((member.outfit for member in members if member.outfit), None)
    warn(plan, notes, shared, look=drawn, lettered=True)
    warnings, facts = list(notes.warnings), dict(notes.facts)
    height, width = image.shape[:2]
    matrix = roll_matrix((width, height), roll) if roll else None
    faces: dict[int, Box | None] = {}
    masks: dict[int, U8 | None] = {}
    bars: dict[int, float] = {}
    for member, subject, alpha in zip(members, subjects, seen, strict=True):
        who, number = f"character {member.number + 1}", member.number
        warn(member.plan, member.notes, member.outfit, look=drawn, lettered=True)
        warnings += [f"{who}: {words}" for words in member.notes.warnings if words not in notes.warnings]
        facts.update({f"{who}: {key}": value for key, value in member.notes.facts.items()})
        facts[f"{who}: face_height"] = round(float(subject.face_height), 1)
        bars[number] = member.composition.bar + member.notes.facts.get("bar_extra", 0.0)
        faces[number], masks[number] = _face(face_box(subject), member, matrix), None
        if faces[number] is None:
            whole = np.zeros((height, width), np.float32)
            whole[member.part] = alpha
            if matrix is not None:
                whole = cv2.warpAffine(whole, matrix, (width, height)).astype(np.float32, copy=False)
            masks[number] = (np.clip(whole, 0, 1) * 255 + 0.5).astype(np.uint8)
    every = range(len(members))
    return Rendering(
        image=image,
        bar=max(bars.values()),
        faces=tuple(faces[i] for i in every),
        warnings=tuple(dict.fromkeys(warnings)),
        timings=clock.seconds,
        facts=facts,
        subjects=tuple(masks[i] for i in every),
        bars=tuple(bars[i] for i in every),
    )


def _face(box: Box | None, member: Member, matrix: Array | None) -> Box | None:
    """The box of a face on the whole canvas."""
    if box is None:
        return None
    x0, y0, x1, y1 = box[0] + member.x, box[1] + member.y, box[2] + member.x, box[3] + member.y
    if matrix is None:
        return x0, y0, x1, y1
    corners = np.array([[x0, y0, 1], [x1, y0, 1], [x1, y1, 1], [x0, y1, 1]]) @ matrix.T
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    return float(left), float(top), float(right), float(bottom)
