"""The character in the place of the inspiration's person: framing, pose of the head, colour of the clothes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.compose import FRAMINGS, Composition, compose, fit
from portrayal.engines.studio.generate import better_side
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.recolour import main_cloth
from portrayal.engines.studio.remix.bands import Bands
from portrayal.engines.studio.remix.inspiration import Inspiration
from portrayal.engines.studio.remix.palette import of_oklab, oklab
from portrayal.engines.studio.types import Notes, Speed
from portrayal.imaging import F32
from portrayal.perception import mesh
from portrayal.perception.types import CLOTHING, FaceReading
from portrayal.prompting.plan import HeadTurn, ScenePlan
from portrayal.sizes import Size

# A face so much larger than the inspiration's is worth a warning.
_TIGHTER: Final = 1.3
_STRONGEST: Final = 20.0  # degrees of yaw that the calm bar allows
_ALIKE: Final = 22.0  # CIE Lab distance of clothes that are left as they are
_HEADROOM: Final = 0.015  # of the height, over the hair
_MIRROR_FROM: Final = 0.8  # share of the pose from which a head may be turned in the mirror


def framed(
    plan: ScenePlan,
    character: IdentityMap,
    inspiration: Inspiration,
    everybody: F32 | None,
    share: Bands,
    size: Size,
    speed: Speed,
    seed: int,
    attempt: int,
    kept: Kept,
    notes: Notes,
) -> tuple[IdentityMap, Composition]:
    """Where the character stands, and what its head does; the character may come back mirrored.

    Without a person in the inspiration the composition is our own.

    Args:
        everybody: (h, w) matte of the inspiration's person, only needed for a character without a face.
    """
    target = inspiration.target
    if target is None:
        character = better_side(plan, character, kept, notes)
        composition = compose(plan, character, size, speed, seed, attempt, notes, kept.wider)
        return character, composition if share.own > 0.5 else _aside(composition, character, inspiration, kept)
    given = plan
    if character.reading is not None:
        plan = _posed(plan, character, target, share.pose)
        if given.head.yaw is not None:
            character = better_side(plan, character, kept, notes)
        elif share.pose > _MIRROR_FROM:
            said = Notes()
            other = better_side(plan, character, kept, said)
            unit, x, y = _wish(character, target, everybody)
            frames = [fit(who, unit, x, y, size, kept.wider) for who in (character, other)]
            # Cut shoulders change sides as well: not at the price of another framing.
            if frames[1].scale < 1.1 * frames[0].scale:
                character = other
                notes.warnings += said.warnings
        plan = _possible(plan, given, character, kept)
    composition = compose(plan, character, size, speed, seed, attempt, Notes(), kept.wider)
    if plan.framing is not None and share.own > 0.5:
        return character, composition
    unit, x, y = _wish(character, target, everybody)
    frame = fit(character, unit, x, y, size, kept.wider)
    who = kept.wider(character) if frame.completed else character
    crown = float(np.flatnonzero((who.alpha > 0.5).any(1))[0]) * frame.scale + frame.offset[1]
    low = float(target.points[:468, 1].min())
    if crown < _HEADROOM * size[1] and low > 0.1 * size[1]:  # taller hair than in the inspiration
        frame = fit(character, unit, x, y + _HEADROOM * size[1] - crown, size, kept.wider)
    if frame.scale > _TIGHTER * unit / _own_unit(character):
        notes.warnings.append("framing: the reference shows less of the body than the inspiration, so it is tighter")
    if plan.framing and plan.framing != frame.framing:
        notes.warnings.append(f"framing {plan.framing!r}: the framing of the inspiration is kept at this strength")
    shot = replace(composition.shot, fov=FRAMINGS[frame.framing][2])
    return character, replace(
        composition,
        scale=frame.scale,
        offset=frame.offset,
        framing=frame.framing,
        completed=frame.completed,
        shot=shot,
    )


def _aside(composition: Composition, character: IdentityMap, inspiration: Inspiration, kept: Kept) -> Composition:
    """The composition on the calmer side of a picture that shows something else."""
    gray = cv2.cvtColor(cv2.resize(inspiration.picture, (96, 96), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    relief = cv2.magnitude(cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1))
    left, right = float(relief[:, :48].mean()) + 1.0, float(relief[:, 48:].mean()) + 1.0
    height, width = inspiration.picture.shape[:2]
    ratio = width / height
    shift = (0.06 if ratio < 0.9 else 0.11 if ratio < 1.2 else 0.17) * min(1.0, 4 * abs(np.log(right / left)))
    who = kept.wider(character) if composition.completed else character
    scale, (_, y) = composition.scale, composition.offset
    low, high = _extent(who)
    centre = (low + high) / 2
    unit = scale * _own_unit(who)
    wish = width * (0.5 + (shift if left > right else -shift))
    frame = fit(character, unit, wish, scale * float(centre[1]) + y, (width, height), kept.wider)
    return replace(
        composition,
        scale=frame.scale,
        offset=frame.offset,
        framing=frame.framing,
        completed=frame.completed,
    )


def _extent(character: IdentityMap) -> tuple[F32, F32]:
    """Lowest and highest x and y of the face; without one, such that their mean is where `fit` holds the subject."""
    if character.reading is not None:
        points = character.reading.points[:468, :2]
        return points.min(0), points.max(0)
    rows = np.flatnonzero((character.alpha > 0.5).any(1))
    columns = np.flatnonzero((character.alpha > 0.5).any(0))
    middle = rows[0] + 0.4 * (rows[-1] + 1 - rows[0])
    return (
        np.array([columns[0], middle], np.float32),
        np.array([columns[-1] + 1, middle], np.float32),
    )


def _posed(plan: ScenePlan, character: IdentityMap, target: FaceReading, share: float) -> ScenePlan:
    """The plan with the inspiration's head where the prompt says nothing; tilt counts at every strength."""
    assert character.reading is not None
    own, other, head = character.reading.pose, target.pose, plan.head
    # Beyond the calm bar the identity would pay for the pose.
    yaw = own.yaw + share * (other.yaw - own.yaw)
    yaw = float(np.clip(yaw, own.yaw - _STRONGEST, own.yaw + _STRONGEST))
    pitch = own.pitch + share * (other.pitch - own.pitch)
    turned = HeadTurn(
        yaw=float(np.clip(yaw, -45, 45)) if head.yaw is None else head.yaw,
        pitch=float(np.clip(pitch, -30, 30)) if head.pitch is None else head.pitch,
        roll=float(np.clip(other.roll, -40, 40)) if head.roll is None else head.roll,
    )
    return plan.model_copy(update={"head": turned})


def _possible(plan: ScenePlan, given: ScenePlan, character: IdentityMap, kept: Kept) -> ScenePlan:
    """What the inspiration asks for within what this head can do; what the prompt asks for stays, with its warning."""
    assert character.reading is not None
    allowed, pose = kept.model(character).allowed, character.reading.pose
    values: dict[str, float | None] = {}
    for name in ("yaw", "pitch", "roll"):
        value = getattr(plan.head, name)
        if getattr(given.head, name) is None:
            low, high = getattr(allowed, name)
            value = float(np.clip(value, getattr(pose, name) + low, getattr(pose, name) + high))
        values[name] = value
    return plan.model_copy(update={"head": HeadTurn(**values)})


def _wish(character: IdentityMap, target: FaceReading, everybody: F32 | None) -> tuple[float, float, float]:
    """Unit, x and y for `fit`: the new face lies on the old one, a figure without a face on the old person."""
    low, high = target.points[:468, :2].min(0), target.points[:468, :2].max(0)
    x, y = (float(v) for v in (low + high) / 2)
    tall = float(high[1] - low[1])
    if character.reading is not None:
        # Height and width of faces differ: the mean of both scales looks like the same distance.
        scale = (target.pose.scale / character.reading.pose.scale * tall / _own_unit(character)) ** 0.5
        return float(scale * _own_unit(character)), x, y
    top, bottom = y - 1.1 * tall, y + 4.0 * tall
    if everybody is not None and (rows := np.flatnonzero((everybody > 0.5).any(1))).size:
        top, bottom = float(rows[0]), float(rows[-1] + 1)
        if bottom > len(everybody) - 4:
            bottom = 0.98 * len(everybody)
    return (bottom - top) * 0.215 / 0.62, x, top + 0.40 * (bottom - top)


def _own_unit(character: IdentityMap) -> float:
    if character.reading is None:
        rows = np.flatnonzero((character.alpha > 0.5).any(1))
        columns = np.flatnonzero((character.alpha > 0.5).any(0))
        return float(max(np.ptp(rows) + 1, 0.8 * (np.ptp(columns) + 1)) * 0.215 / 0.62)
    return float(np.ptp(character.reading.points[:468, 1]))


def cloth_colour(character: IdentityMap, inspiration: Inspiration, person: F32, share: float) -> str | None:
    """ "#rrggbb" on the way from the character's clothes to the inspiration's; None when one of them shows none."""
    target = inspiration.target
    if target is None or share < 0.05 or character.reading is None:
        return None
    worn = ((character.regions == CLOTHING) & (character.mask < 128)).astype(np.float32) * character.alpha
    own = main_cloth(character.foreground.astype(np.float32) / np.float32(255), np.asarray(worn, np.float32))
    other = main_cloth(inspiration.picture.astype(np.float32) / np.float32(255), below_chin(target, person))
    if own is None or other is None:
        return None
    if np.hypot(own.lightness - other.lightness, np.hypot(own.a - other.a, own.b - other.b)) < _ALIKE:
        return None
    a, b = (
        oklab(cv2.cvtColor(np.array([[[c.lightness, c.a, c.b]]], np.float32), cv2.COLOR_Lab2RGB)[0, 0])
        for c in (own, other)
    )
    red, green, blue = (round(float(v) * 255) for v in np.clip(of_oklab(a + (b - a) * share), 0, 1))
    return f"#{red:02x}{green:02x}{blue:02x}"


def below_chin(target: FaceReading, person: F32) -> F32:
    """Weight (h, w) of what the person wears: well below the chin, inside the matte."""
    rows = np.arange(person.shape[0], dtype=np.float32)[:, None]
    chin = float(target.points[mesh.CHIN, 1])
    tall = float(np.ptp(target.points[:468, 1]))
    return np.asarray((person > 0.95) * np.clip((rows - chin - 0.45 * tall) / (0.15 * tall), 0, 1), np.float32)
