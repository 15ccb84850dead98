"""A character put into a photograph: into an empty place, or where somebody else stood."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.base import Box
from portrayal.engines.studio.generate import better_side, dress, face_box
from portrayal.engines.studio.head import HeadMotion, move
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.light.composite import composite
from portrayal.engines.studio.light.relight import relight
from portrayal.engines.studio.light.shape import shape
from portrayal.engines.studio.light.tone import tone, untone
from portrayal.engines.studio.photo import camera as lens
from portrayal.engines.studio.photo.behind import emptied, outline_grown
from portrayal.engines.studio.photo.fit import (
    Figure,
    Placing,
    Wish,
    edge_near,
    expected,
    figure_of,
    fit,
    height_of,
    rounded,
)
from portrayal.engines.studio.photo.lighting import PhotoLight, light_of
from portrayal.engines.studio.photo.people import people_in
from portrayal.engines.studio.photo.shadow import ground_shadow
from portrayal.engines.studio.place import place
from portrayal.engines.studio.types import Notes, Patch, Plate, Subject
from portrayal.errors import MaskMismatchError
from portrayal.imaging import F32, U8
from portrayal.parallel import together
from portrayal.perception.types import FaceReading
from portrayal.prompting.plan import ScenePlan
from portrayal.request import Speed

_WHOLE_COST = 0.25  # of a place from which on completed shoulders are tried
_FEATHER = 0.035  # width of the soft inner edge of the mask, in face heights


@dataclass(frozen=True)
class _Part:
    """A box of the scene that is worked on.

    `box` x0, y0, x1, y1 in scene pixels; `weight` (h, w) 0..1, how much of each pixel may change; `room` (h, w) pixels
    to the end of the mask.
    """

    box: tuple[int, int, int, int]
    weight: F32
    room: F32

    @property
    def at(self) -> tuple[slice, slice]:
        x0, y0, x1, y1 = self.box
        return np.s_[y0:y1, x0:x1]


def insert(
    scene: U8,
    mask: U8,
    character: IdentityMap,
    kept: Kept,
    *,
    plan: ScenePlan,
    seed: int,
    speed: Speed,
    notes: Notes,
    attempt: int = 0,
) -> tuple[Patch, Box | None]:
    """Put a character into an empty place of a photograph.

    Args:
        scene: (h, w, 3) uint8.
        mask: (h, w) uint8, 255 = where the character may stand; all of it stays inside.
        character, kept: who.
        plan: head pose, expression, gaze and colour of the clothes count.
        seed: the same one gives the same bytes.
        speed: turbo, balanced or quality.
        notes: gets warnings.
        attempt: 0 at first; later ones keep nearer to the reference.

    Returns:
        The changed part, equal to the scene where the mask is 0, and the box of the face (None without a face).

    Raises:
        MaskMismatchError: the mask has another size, is empty, or is too small for anybody.
    """
    _check(scene, mask)
    x0, y0, x1, y1 = _box_of(mask)
    faces = [f for f in people_in(scene, max(16.0, 0.03 * (y1 - y0))) if not _covered(f, mask)]
    character = better_side(plan, character, kept, notes)
    wish = expected(faces, (x0 + x1) / 2) if character.reading is not None else Wish()
    character, figure, placing = _placed(character, kept, mask, wish)
    weight_of = _ending(scene, mask, figure, placing, notes)
    motion = _motion(plan, character, None, seed, attempt)
    part = _part(scene, mask, figure, placing, weight_of)
    where = _stand(figure, placing)
    light = partial(light_of, scene, faces=faces, ignore=None, where=where)
    subject, seen = together(lambda: _person(character, kept, placing, part, plan, motion, speed, seed, notes), light)
    rgb, alpha = _develop(scene[part.at], part, subject, seen, speed, seed)
    return _patch(scene, part, rgb, alpha, mask), _in_scene(face_box(subject), part)


def replace_person(
    scene: U8,
    mask: U8,
    target: FaceReading | None,
    person: F32 | None,
    character: IdentityMap,
    kept: Kept,
    *,
    plan: ScenePlan,
    seed: int,
    speed: Speed,
    notes: Notes,
    attempt: int = 0,
) -> tuple[Patch, Box | None]:
    """Put a character where another person stood: same place, size, head pose and framing.

    Args:
        scene: (h, w, 3) uint8.
        mask: (h, w) uint8, 255 = what may change; covers the person.
        target: the person's face; None when it shows none.
        person: (h, w) float32, the person's matte; None = all of the mask is the person.
        character, kept, plan, seed, speed, notes, attempt: as for `insert`; head angles that the plan leaves open are
            those of the person.

    Returns:
        As `insert`.

    Raises:
        MaskMismatchError: as `insert`; also when the mask covers the whole picture.
    """
    _check(scene, mask)
    old = (mask > 0).astype(np.float32) if person is None else np.minimum(person, mask.astype(np.float32) / 255)
    x0, y0, x1, y1 = _box_of(mask)
    around = people_in(scene, max(16.0, 0.03 * (y1 - y0)))
    faces = [f for f in around if target is None or not _same(f, target)]
    plan = _posed(plan, target)
    character = better_side(plan, character, kept, notes)
    wish = expected(faces, (x0 + x1) / 2) if target is None else _instead(target)
    if character.reading is None:
        wish = Wish()
    character, figure, placing = _placed(character, kept, mask, wish, old)
    _compare(figure, placing, wish, notes)
    weight_of = _ending(scene, mask, figure, placing, notes)
    motion = _motion(plan, character, target, seed, attempt)
    part = _part(scene, mask, figure, placing, weight_of, whole=True)
    gone = (old > 0.3).astype(np.uint8) * np.uint8(255)
    where = _stand(figure, placing)
    witnesses = [*faces, target] if target is not None else faces
    # Without a face in the picture, the old person's is guessed from how tall the mask is.
    unit = target.pose.scale * 1.2 if target is not None else 0.12 * (y1 - y0)
    hole = outline_grown(old[part.at], mask[part.at], unit)
    own = Notes()  # two threads write

    def behind() -> tuple[PhotoLight, U8]:
        light = light_of(scene, faces=witnesses, ignore=gone, where=where)
        return light, emptied(scene, part.box, hole, seed=seed, speed=speed, notes=own)

    subject, (seen, plate) = together(
        lambda: _person(character, kept, placing, part, plan, motion, speed, seed, notes), behind
    )
    notes.warnings.extend(own.warnings)
    rgb, alpha = _develop(plate, part, subject, seen, speed, seed)
    return _patch(scene, part, rgb, np.maximum(alpha, hole.astype(np.float32) / 255), mask), _in_scene(
        face_box(subject), part
    )


def _check(scene: U8, mask: U8) -> None:
    if mask.shape != scene.shape[:2]:
        raise MaskMismatchError(
            f"the mask is {mask.shape[1]}x{mask.shape[0]} px, its picture {scene.shape[1]}x{scene.shape[0]} px",
            field="mask",
            remedy="Draw the mask on the picture itself, or resize it.",
        )
    if not mask.any():
        raise MaskMismatchError("the mask chooses nothing", field="mask", remedy="Paint where the character goes.")
    x0, y0, x1, y1 = _box_of(mask)
    if min(x1 - x0, y1 - y0) < 24:
        raise MaskMismatchError(
            f"the mask is only {x1 - x0}x{y1 - y0} px", field="mask", remedy="Paint a place of 24 pixels or more."
        )


def _box_of(mask: U8) -> tuple[int, int, int, int]:
    x, y, width, height = cv2.boundingRect(mask)
    return x, y, x + width, y + height


def _covered(face: FaceReading, mask: U8) -> bool:
    """Whether a face lies under the mask."""
    x, y = (round(float(v)) for v in face.pose.origin[:2])
    return bool(mask[min(max(y, 0), mask.shape[0] - 1), min(max(x, 0), mask.shape[1] - 1)] > 127)


def _same(a: FaceReading, b: FaceReading) -> bool:
    return float(np.linalg.norm(a.pose.origin[:2] - b.pose.origin[:2])) < 0.5 * max(a.pose.scale, b.pose.scale)


def _posed(plan: ScenePlan, target: FaceReading | None) -> ScenePlan:
    """The plan with the angles of the old head where it leaves them open."""
    if target is None:
        return plan
    pose, head = target.pose, plan.head
    angles = {
        name: float(np.clip(getattr(pose, name), -limit, limit)) if getattr(head, name) is None else getattr(head, name)
        for name, limit in (("yaw", 60), ("pitch", 30), ("roll", 30))
    }
    return plan.model_copy(update={"head": head.model_copy(update=angles)})


def _instead(target: FaceReading) -> Wish:
    low, high = target.points[:468, :2].min(0), target.points[:468, :2].max(0)
    return Wish(height_of(target), float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2, 12.0)


def _placed(
    character: IdentityMap, kept: Kept, mask: U8, wish: Wish, old: F32 | None = None
) -> tuple[IdentityMap, Figure, Placing]:
    """Where and how large; with completed shoulders where cut ones would show."""
    figure = figure_of(character)
    placing = fit(figure, mask, wish, behind=old)
    if placing.cost > _WHOLE_COST and any(figure.sides) and (wide := kept.wider(character)) is not character:
        other = figure_of(wide)
        found = fit(other, mask, wish, behind=old)
        if found.cost < 0.75 * placing.cost:
            return wide, other, found
    return rounded(character, placing, mask), figure, placing


def _compare(figure: Figure, placing: Placing, wish: Wish, notes: Notes) -> None:
    """Warn when the character cannot stand as the person stood."""
    if wish.unit is None or wish.y is None:
        return
    unit = figure.unit * placing.scale
    lower = (figure.y * placing.scale + placing.y - wish.y) / unit
    if lower > 0.6 or unit > 1.3 * wish.unit:
        notes.warnings.append(
            "the reference shows less of the body than the picture shows of this person, so the character stands lower "
            "or nearer; mask only the head to keep the body"
        )


def _ending(scene: U8, mask: U8, figure: Figure, placing: Placing, notes: Notes) -> F32 | None:
    """Row (w,) at which the body ends behind something, None for no end; warns of a body that ends in the air."""
    if placing.seen_cut > 0.12:
        notes.warnings.append("the mask is narrow for this character: parts of the body end at its border")
    elif placing.head_cut > 0.02 and figure.face:
        notes.warnings.append("the mask cuts into the head of the character: paint it wider beside head and neck")
    tall = (figure.bottom - figure.top) * placing.scale
    if figure.cut and tall < 0.5 * (_box_of(mask)[3] - _box_of(mask)[1]):
        notes.warnings.append(
            "the mask is narrow for what the reference shows of the body, so the person is small; a wider mask gives a "
            "larger one"
        )
    if placing.floor is None:
        return None
    edge = edge_near(scene, mask, placing.floor)
    if edge is None:
        notes.warnings.append(
            "the reference shows no legs, so the body ends where the mask does; let the mask reach the lower border of "
            "the picture, or an edge behind which a person can stand"
        )
        return None
    return np.asarray(edge, np.float32)


def _motion(plan: ScenePlan, character: IdentityMap, target: FaceReading | None, seed: int, attempt: int) -> HeadMotion:
    """What the head does; angles that nobody asks for differ a little from seed to seed."""
    if character.reading is None:
        return HeadMotion(seed=seed)
    rng = np.random.default_rng([seed, attempt, 103])
    free = 0.0 if target is not None or attempt > 1 else 0.5 if attempt else 1.0
    small = {"yaw": float(rng.choice([-7.0, -4.0, 0.0, 4.0, 7.0])), "pitch": float(rng.uniform(-2, 2))}
    small["roll"] = float(rng.uniform(-2.5, 2.5))
    pose = character.reading.pose
    turn = {}
    for name, by_chance in small.items():
        asked = getattr(plan.head, name)
        turn[name] = free * by_chance if asked is None else float(asked) - float(getattr(pose, name))
        if target is not None and attempt:
            turn[name] *= 0.7 if attempt == 1 else 0.4
    return HeadMotion(
        **turn,
        expression=plan.expression,
        strength=(1.0, 0.85, 0.7)[min(attempt, 2)],
        gaze=(plan.gaze.x, plan.gaze.y) if plan.gaze else None,
        seed=seed,
    )


def _stand(figure: Figure, placing: Placing) -> tuple[int, int, int, int]:
    """The box of the placed body in the scene; at most five face heights tall."""
    s = placing.scale
    bottom = min(figure.bottom, figure.top + 5 * figure.unit)
    left, top = figure.left * s + placing.x, figure.top * s + placing.y
    return round(left), round(top), round(figure.right * s + placing.x), round(bottom * s + placing.y)


def _part(scene: U8, mask: U8, figure: Figure, placing: Placing, ends: F32 | None, whole: bool = False) -> _Part:
    """The box to work on: mask and person, or all of the mask; and how much of each pixel may change."""
    x0, y0, x1, y1 = _box_of(mask)
    unit = figure.unit * placing.scale
    if not whole:
        left, top = figure.left * placing.scale + placing.x, figure.top * placing.scale + placing.y
        right, bottom = figure.right * placing.scale + placing.x, figure.bottom * placing.scale + placing.y
        pad = unit if figure.cut else max(unit, 0.8 * (bottom - top))  # room for turns, and for a shadow
        x0, x1 = max(x0, int(left - pad)), min(x1, int(right + pad) + 1)
        y0, y1 = max(y0, int(top - unit)), min(y1, int(bottom + unit) + 1)
    inside = mask[max(0, y0 - 1) : y1 + 1, max(0, x0 - 1) : x1 + 1]
    away = cv2.distanceTransform((inside > 127).astype(np.uint8), cv2.DIST_L2, 3)
    away = away[y0 - max(0, y0 - 1) :, x0 - max(0, x0 - 1) :][: y1 - y0, : x1 - x0]
    feather = float(np.clip(_FEATHER * unit, 2.0, 14.0))
    t = np.clip((away - 0.5) / feather, 0, 1)
    weight = (t * t * (3 - 2 * t)).astype(np.float32) * (mask[y0:y1, x0:x1].astype(np.float32) / np.float32(255))
    if ends is not None:
        rows = np.arange(y0, y1, dtype=np.float32)[:, None]
        weight *= np.clip(ends[None, x0:x1] - rows, 0, 1).astype(np.float32)
    return _Part((x0, y0, x1, y1), np.ascontiguousarray(weight, np.float32), np.ascontiguousarray(away, np.float32))


def _person(
    character: IdentityMap,
    kept: Kept,
    placing: Placing,
    part: _Part,
    plan: ScenePlan,
    motion: HeadMotion,
    speed: Speed,
    seed: int,
    notes: Notes,
) -> Subject:
    """The character on the part, dressed and moved, not yet lit."""
    x0, y0, x1, y1 = part.box
    scale, offset = placing.scale, (placing.x - x0, placing.y - y0)
    cutout = place(character, scale, offset, x1 - x0, y1 - y0, speed, seed)
    cutout = dress(plan, cutout, character, scale, offset, notes)
    if character.reading is not None:
        cutout = move(cutout, kept.model(character), scale, offset, motion, speed, notes)
    return shape(cutout, speed)


def _develop(plate: U8, part: _Part, subject: Subject, seen: PhotoLight, speed: Speed, seed: int) -> tuple[F32, F32]:
    """The lit person before the plate: display codes (h, w, 3) 0..1, and the person's matte."""
    camera = seen.camera
    lit = relight(subject, seen.lighting, speed)
    own = lens.own_softness(subject.rgb, subject.points)
    lit, alpha = lens.softened(lit, subject.alpha, camera, own, subject.face_height)
    codes = tone(lit)
    noise = lens.own_grain(codes, alpha)
    if lens.grades(camera):
        lit = untone(lens.graded(codes, camera))
    base = plate.astype(np.float32) / np.float32(255)
    behind = untone(base)
    if subject.points is None:
        behind = ground_shadow(behind, alpha, seen.lighting, part.room)
    subject = replace(subject, alpha=np.ascontiguousarray(alpha, np.float32))
    joined = composite(lit, subject, Plate(behind, seen.lighting, haze=camera.haze), speed)
    new = lens.grained(tone(joined), alpha, camera, noise, seed)
    # The way through light compresses whites a little; where the plate shows they are put back.
    new += (base - tone(untone(base))) * (1 - alpha)[..., None]
    w = part.weight[..., None]
    mixed = base + (new - base) * w
    if camera.tones is not None:
        mixed = np.where(w > 0, lens.toned(mixed.astype(np.float32), camera), mixed)
    return np.asarray(np.clip(mixed, 0, 1), np.float32), alpha * part.weight


def _patch(scene: U8, part: _Part, codes: F32, cover: F32, mask: U8) -> Patch:
    x0, y0, _, _ = part.box
    old = scene[part.at]
    rgb = np.where((mask[part.at] > 0)[..., None], (codes * 255 + 0.5).astype(np.uint8), old)
    changed = (rgb != old).any(2)
    amount = np.clip(cover * 255 + 0.5, 1, 255).astype(np.uint8)
    return Patch(np.ascontiguousarray(rgb), x0, y0, np.where(changed, amount, 0).astype(np.uint8))


def _in_scene(box: Box | None, part: _Part) -> Box | None:
    if box is None:
        return None
    x0, y0 = part.box[:2]
    return box[0] + x0, box[1] + y0, box[2] + x0, box[3] + y0
