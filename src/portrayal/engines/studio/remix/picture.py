"""A new picture after an inspiration: its framing, light and colours; towards the middle its background, too."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.base import Job, Progress, Rendering
from portrayal.engines.studio import generate as making
from portrayal.engines.studio.clock import Clock
from portrayal.engines.studio.compose import Composition
from portrayal.engines.studio.ground import contact_shadow
from portrayal.engines.studio.head import move
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.light import rigs
from portrayal.engines.studio.light.composite import composite
from portrayal.engines.studio.light.finish import finish, looks
from portrayal.engines.studio.light.relight import relight
from portrayal.engines.studio.light.shape import shape
from portrayal.engines.studio.light.skin import skin_weight
from portrayal.engines.studio.looks.canvas import Known
from portrayal.engines.studio.photo.camera import graded, grained
from portrayal.engines.studio.photo.lighting import PhotoLight, light_of
from portrayal.engines.studio.place import place
from portrayal.engines.studio.recolour import main_cloth, recolour
from portrayal.engines.studio.remix import figure, palette
from portrayal.engines.studio.remix.bands import Bands
from portrayal.engines.studio.remix.inspiration import Inspiration, mattes
from portrayal.engines.studio.remix.looked import looked
from portrayal.engines.studio.remix.plate import TEXTURED, defocused, empty, light_in
from portrayal.engines.studio.styling import with_style
from portrayal.engines.studio.types import Cutout, Notes, Plate, Subject
from portrayal.imaging import F32, U8
from portrayal.parallel import together
from portrayal.perception.types import CLOTHING
from portrayal.prompting.plan import ScenePlan

# Grain that every picture gets: without any, blurred skies show steps.
_LEAST_GRAIN = 0.004
# Share of their own colour that clothes and hair keep when the palette changes.
_OWN_COLOUR = 0.4
# Least saturation of the person in a picture that shows nobody's skin.
_LEAST_SATURATION = 0.85


@dataclass(frozen=True)
class _Seen:
    """What is read off the inspiration: light, and who goes and stays, (h, w) 0..1."""

    light: PhotoLight
    person: F32
    gone: F32


def new_picture(
    job: Job, plan: ScenePlan, inspiration: Inspiration, share: Bands, kept: Kept, notes: Notes, progress: Progress
) -> Rendering:
    """Make the picture; `plan` is the prompt's."""
    assert job.size is not None
    size, seed, clock = job.size, job.seed, Clock()
    fine = share.defocus < TEXTURED
    # A figure without a face needs the whole outline of the person whose place it takes.
    early = clock.time("matte", lambda: mattes(inspiration, fine)) if job.cast[0].reading is None else None
    character, composition = figure.framed(
        plan, job.cast[0], inspiration, None if early is None else early[0], share, size, job.speed, seed,
        job.attempt, kept, notes,
    )  # fmt: skip
    if composition.completed:
        character = kept.wider(character)
    progress("photographing", 0.1)
    cutout, (seen, own) = together(
        lambda: _figure(plan, character, composition, job, kept, notes, clock),
        lambda: (
            _read(inspiration, early, composition, character, share, clock),
            making.scene(plan, composition.shot, notes, clock) if share.own > 0 else None,
        ),
    )
    wanted = figure.cloth_colour(character, inspiration, seen.person, share.clothes)
    if wanted is not None and not any(garment.colour and not garment.lower for garment in plan.outfit):
        cutout = clock.time("clothes", lambda: _dyed(cutout, character, composition, wanted))
    subject, plate = together(
        lambda: clock.time("shape", lambda: shape(cutout, job.speed)),
        lambda: clock.time("background", lambda: _plate(plan, inspiration, seen, own, cutout.alpha, share, job)),
    )
    subject = making.adorned(plan, subject, seed, job.speed, notes, clock)
    progress("lighting", 0.6)
    image = _develop(plan, inspiration, seen, subject, plate, share, job, clock)
    progress("developing", 0.9)
    box = making.face_box(subject)
    made = Rendering(
        image=image,
        bar=composition.bar + notes.facts.get("bar_extra", 0.0),
        faces=(box,),
        warnings=tuple(dict.fromkeys(notes.warnings)),
        timings=clock.seconds,
        facts={**notes.facts, "face_height": round(float(subject.face_height), 1)},
        subject=None if box else (subject.alpha * 255 + 0.5).astype(np.uint8),
    )
    faces = () if subject.points is None else (subject.points,)
    people = Known(faces, subject.alpha, subject.regions)
    return with_style(made, plan, job.style, people, seed, job.speed, notes, clock)


def _figure(
    plan: ScenePlan,
    character: IdentityMap,
    composition: Composition,
    job: Job,
    kept: Kept,
    notes: Notes,
    clock: Clock,
) -> Cutout:
    """The character on the canvas: placed, dressed as the prompt says, the head moved."""
    assert job.size is not None
    scale, offset = composition.scale, composition.offset
    width, height = job.size
    cutout = clock.time("place", lambda: place(character, scale, offset, width, height, job.speed, job.seed))
    cutout = clock.time("clothes", lambda: making.dress(plan, cutout, character, scale, offset, notes))
    if character.reading is None:
        return cutout
    model, motion = kept.model(character), composition.motion
    return clock.time("head", lambda: move(cutout, model, scale, offset, motion, job.speed, notes))


def _read(
    inspiration: Inspiration,
    early: tuple[F32, F32] | None,
    composition: Composition,
    character: IdentityMap,
    share: Bands,
    clock: Clock,
) -> _Seen:
    height, width = inspiration.picture.shape[:2]
    person, everybody = early or clock.time("matte", lambda: mattes(inspiration, share.defocus < TEXTURED))
    x, y = composition.offset
    rows, columns = character.alpha.shape
    where = (
        max(0, round(x)),
        max(0, round(y)),
        min(width, round(x + composition.scale * columns)),
        min(height, round(y + composition.scale * rows)),
    )
    light = clock.time("light", lambda: light_of(inspiration.picture, faces=inspiration.people[:1], where=where))
    return _Seen(light, person, person if share.crowd else everybody)


def _dyed(cutout: Cutout, character: IdentityMap, composition: Composition, colour: str) -> Cutout:
    """The clothes in another colour; what the character mask holds stays."""
    scale, (x, y) = composition.scale, composition.offset
    height, width = cutout.alpha.shape
    matrix = np.array([[scale, 0, x], [0, scale, y]], np.float32)
    keep = cv2.warpAffine(character.mask, matrix, (width, height), flags=cv2.INTER_LINEAR)
    worn = (character.regions == CLOTHING) & (character.mask < 128)
    own = main_cloth(
        character.foreground.astype(np.float32) / np.float32(255), (character.alpha * worn).astype(np.float32)
    )
    return recolour(cutout, colour, ((cutout.regions == CLOTHING) & (keep < 128)).astype(np.float32), own)


def _plate(
    plan: ScenePlan,
    inspiration: Inspiration,
    seen: _Seen,
    own: Plate | None,
    shown: F32,
    share: Bands,
    job: Job,
) -> Plate:
    """What is behind the person, and the inspiration's light on it (or the prompt's rig in this light)."""
    lighting = seen.light.lighting
    if plan.light and plan.light != "natural":
        lighting = rigs.light_rig(plan.light, lighting, job.seed)
    if own is not None and share.own >= 1:
        return replace(own, lighting=lighting)
    picture = empty(inspiration.picture, seen.gone, shown, share.defocus, job.seed, job.speed)
    radiance = defocused(light_in(picture), share.defocus, job.speed)
    if own is None:
        return Plate(radiance, lighting, haze=seen.light.camera.haze)
    soft = defocused(own.radiance, share.own_defocus, job.speed)
    both = (radiance + (soft - radiance) * np.float32(share.own)).astype(np.float32)
    return replace(own, radiance=both, lighting=lighting, foreground=None)


def _develop(
    plan: ScenePlan,
    inspiration: Inspiration,
    seen: _Seen,
    subject: Subject,
    plate: Plate,
    share: Bands,
    job: Job,
    clock: Clock,
) -> U8:
    if subject.points is None:
        plate = replace(plate, radiance=contact_shadow(plate.radiance, subject.alpha))
    lit = clock.time("relight", lambda: relight(subject, plate.lighting, job.speed))
    radiance = clock.time("composite", lambda: composite(lit, subject, plate, job.speed))
    look = plan.look if plan.look and plan.look in looks() else "photo"
    late = share.palette > 0.02  # a palette would colour a black and white look again
    own = share.own
    grade, first = plate.grade if own > 0.5 else "none", "photo" if late else look
    codes = clock.time(
        "finish",
        lambda: finish(radiance, grade, first, plate.exposure, share.vignette, 0.0, 0.22 * own, job.seed, job.speed),
    )
    codes = clock.time("colours", lambda: _coloured(codes, inspiration, seen, subject, share, job))
    if share.defocus <= 0:
        codes = _with_rest(
            codes, inspiration.picture if look == "photo" else looked(inspiration.picture, plan), subject, seen
        )
    return looked(codes, plan) if late else codes


def _coloured(codes: U8, inspiration: Inspiration, seen: _Seen, subject: Subject, share: Bands, job: Job) -> U8:
    """The inspiration's palette, levels and grain."""
    camera = seen.light.camera
    if share.palette > 0.02:
        skin = (skin_weight(subject) * subject.alpha).astype(np.float32)
        samples = palette.samples(codes, skin) if skin.max(initial=0) > 0 else None
        colours = palette.colour_map(
            palette.samples(codes), palette.samples(inspiration.picture), share.palette, samples, job.seed
        )
        keep = (_OWN_COLOUR * subject.alpha * (1 - skin)).astype(np.float32)
        codes = palette.mapped(codes, colours, skin, keep)
    light = codes.astype(np.float32) * np.float32(1 / 255)
    if camera.gray:
        light = graded(light, replace(camera, black=0.0, white=1.0, saturation=1.0))
    else:
        if not inspiration.people:
            camera = replace(camera, saturation=max(camera.saturation, _LEAST_SATURATION))
        weight = subject.alpha[..., None] * np.float32(1 - share.own)
        light = light + (graded(light, camera) - light) * weight
    film = replace(camera, grain=max(camera.grain, _LEAST_GRAIN))
    sharp = float(np.clip(1 - share.defocus / 0.006, 0, 1)) * (1 - share.own)
    where = np.maximum(subject.alpha, np.float32(1 - sharp))
    light = grained(light, np.ascontiguousarray(where, np.float32), film, 0.0, job.seed)
    return (light * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _with_rest(codes: U8, picture: U8, subject: Subject, seen: _Seen) -> U8:
    """The inspiration itself, to the bit, away from who came and who went."""
    near = np.maximum(subject.alpha, seen.gone) > 0.02
    away = cv2.distanceTransform((~near).astype(np.uint8), cv2.DIST_L2, 5)
    tall = max(subject.face_height, 8.0)
    share = np.clip(away / tall - 0.15, 0, 0.5)[..., None] * np.float32(2)
    mixed = codes + (picture.astype(np.float32) - codes) * share
    return np.asarray(mixed + np.float32(0.5), np.uint8)
