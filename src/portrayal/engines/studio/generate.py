"""Generate: a new picture of one character, or of a cast, in the scene of the prompt.

place -> move the head -> shape -> photograph the scene -> relight -> composite -> finish. The person and the scene do
not know each other until the light, so both are made at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from portrayal import colours
from portrayal.character.identity_map import IdentityMap
from portrayal.engines.base import Box, Job, Progress, Rendering, silent
from portrayal.engines.studio import avoid, looks, scenes
from portrayal.engines.studio.accessories import data as accessories
from portrayal.engines.studio.accessories.adorn import adorn
from portrayal.engines.studio.clock import Clock
from portrayal.engines.studio.compose import Composition, compose
from portrayal.engines.studio.figure.asked import Asked, asked
from portrayal.engines.studio.figure.ground import shadowed
from portrayal.engines.studio.figure.person import drawn, planned
from portrayal.engines.studio.figure.poses import poses
from portrayal.engines.studio.ground import contact_shadow
from portrayal.engines.studio.head import move
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.light import backdrop, rigs
from portrayal.engines.studio.light.composite import composite
from portrayal.engines.studio.light.finish import GLARE, finish
from portrayal.engines.studio.light.finish import looks as photographic
from portrayal.engines.studio.light.relight import relight
from portrayal.engines.studio.light.shape import shape
from portrayal.engines.studio.looks.canvas import Known
from portrayal.engines.studio.place import landmarks, place
from portrayal.engines.studio.recolour import REWOVEN, main_cloth, recolour
from portrayal.engines.studio.styling import finished, in_style, opened, turned
from portrayal.engines.studio.tilt import roll_matrix, rolled
from portrayal.engines.studio.types import Cutout, Notes, Plate, Shot, Subject
from portrayal.engines.studio.wardrobe.choose import choose, hair, table, things, unworn
from portrayal.engines.studio.wardrobe.hair import styled
from portrayal.engines.studio.wardrobe.head import Bare
from portrayal.engines.studio.wardrobe.outfit import Outfit
from portrayal.engines.studio.wardrobe.place import stand
from portrayal.engines.studio.wardrobe.render import render
from portrayal.engines.studio.wardrobe.wear import wear
from portrayal.engines.studio.words.overlay import lettered
from portrayal.engines.studio.words.signs import face_boxes, signed
from portrayal.imaging import U8
from portrayal.parallel import together
from portrayal.perception.types import CLOTHING
from portrayal.prompting.plan import ScenePlan
from portrayal.request import Speed
from portrayal.sizes import Size

# A head that would fall short of the turn by so many degrees is turned in the mirror instead.
_MISSED = 3.0
# Share of the clothes in the character mask above which they are all kept.
_HELD = 0.6
# A prompt that names no setting gets a portrait studio; these rigs flatter everybody.
_PORTRAIT_RIGS = ("softbox", "beauty", "loop", "butterfly", "window", "Rembrandt")
_DRAWN_APERTURE = 0.3
_DRAWN_GLARE = 0.05
# Distance to the reference that the small face of a whole figure may have.
_FIGURE_BAR = 0.52
_PORTRAIT_PAPERS = ("grey", "charcoal", "beige", "ivory", "teal", "navy", "tan", "olive")


def generate(job: Job, kept: Kept, progress: Progress = silent) -> Rendering:
    """Make one new picture; see `portrayal.engines.base.Engine`."""
    if len(job.cast) > 1:
        from portrayal.engines.studio.cast import generate_cast

        return generate_cast(job, kept, progress)
    assert job.size is not None
    notes, clock = Notes(), Clock()
    plan, size, seed, attempt = job.members[0] if job.members else job.plan, job.size, job.seed, job.attempt
    plan = avoid.settled(opened(plan, job.style), seed)
    character = better_side(plan, job.cast[0], kept, notes)
    outfit = outfit_of(plan, character, seed, notes)
    framed = kept.bare(character).character if outfit else character
    framing = Notes()
    over = accessories.reach(things(plan), seed)
    composition = compose(plan, framed, size, job.speed, seed, attempt, framing, kept.wider, outfit is not None, over)
    plan, composition = fill_in(plan, composition, seed, attempt)
    whole = asked(plan, character, outfit, job.style, composition.framing, seed, notes)
    progress("photographing", 0.1)
    if whole is None:
        notes.warnings += framing.warnings if plan.framing_said else []
        if composition.completed:
            character = kept.wider(character)
        staged = _portrait(job, plan, character, composition, outfit, kept, notes, clock)
    else:
        staged = _figure(job, plan, character, whole, kept, notes, clock)
    subject, look = staged.subject, staged.look
    roll = roll_matrix(size, composition.camera_roll) if composition.camera_roll else None
    plate = clock.time("signs", lambda: signed(staged.plate, subject, plan, staged.shot, seed, notes, roll))
    progress("lighting", 0.6)
    image = _develop(plan, composition, subject, plate, job.speed, seed, clock, looks.is_drawn(look))
    if look is not None:
        progress("drawing", 0.8)
    result = in_style(image, plan, job.style, look, known(subject, composition, size), seed, job.speed, notes, clock)
    result = replace(result, image=_lettered(result.image, plan, staged, composition, size, seed, notes, clock))
    warn(plan, notes, outfit, whole, look, lettered=True)
    progress("developing", 0.9)
    box = face_box(subject)
    rendering = Rendering(
        image=result.image,
        # What a thing on the head hides of the face is not compared.
        bar=(max(composition.bar, _FIGURE_BAR) if whole else composition.bar) + notes.facts.get("bar_extra", 0.0),
        faces=(box,),
        warnings=tuple(dict.fromkeys(notes.warnings)),
        timings=clock.seconds,
        facts=_facts(plan, notes, subject),
        subject=None if box else (subject.alpha * 255 + 0.5).astype(np.uint8),
    )
    return finished(rendering, result, look)


@dataclass(frozen=True)
class _Staged:
    """The person and the scene, which do not know each other yet.

    Attributes:
        subject: not yet lit.
        plate: the scene as photographed by `shot`.
        look: that the picture will have; None = a photograph.
        sign: whether the person holds a sign.
    """

    subject: Subject
    plate: Plate
    shot: Shot
    look: str | None
    sign: bool = False


def _portrait(
    job: Job,
    plan: ScenePlan,
    character: IdentityMap,
    composition: Composition,
    outfit: Outfit | None,
    kept: Kept,
    notes: Notes,
    clock: Clock,
) -> _Staged:
    """Head and shoulders, or as much as the reference shows."""
    assert job.size is not None
    size = job.size
    look, note = looks.choose(plan, job.style, body=False)
    notes.warnings += [note] if note else []
    shot = _focused(composition.shot, look)
    subject, plate = together(
        lambda: person(plan, character, composition, size, job.speed, job.seed, kept, notes, clock, outfit),
        lambda: scene(plan, shot, notes, clock),
    )
    return _Staged(subject, plate, shot, look)


def _figure(
    job: Job, plan: ScenePlan, character: IdentityMap, whole: Asked, kept: Kept, notes: Notes, clock: Clock
) -> _Staged:
    """The whole body, modelled under the person's own head."""
    assert job.size is not None
    settled = planned(plan, character, whole.stance, job.size, job.speed, job.seed, kept, job.attempt)
    shot = _focused(settled.shot, whole.look)
    (subject, drop), plate = together(
        lambda: drawn(plan, character, settled, job.speed, job.seed, kept, notes, clock),
        lambda: scene(plan, shot, notes, clock),
    )
    subject = adorned(plan, subject, job.seed, job.speed, notes, clock)
    # The whole person stands on the studio's floor, far from its wall.
    plate = clock.time("ground", lambda: replace(shadowed(plate, drop, plate.lighting), wall=0.0))
    return _Staged(subject, plate, shot, whole.look, poses()[whole.stance.pose].prop == "sign")


def _lettered(
    image: U8,
    plan: ScenePlan,
    staged: _Staged,
    composition: Composition,
    size: Size,
    seed: int,
    notes: Notes,
    clock: Clock,
) -> U8:
    """The finished picture with the words that do not hang in its scene."""
    roll = roll_matrix(size, composition.camera_roll) if composition.camera_roll else None
    return clock.time(
        "lettering",
        lambda: lettered(
            image,
            plan,
            face_boxes(staged.subject),
            staged.subject.alpha,
            staged.look,
            seed,
            notes,
            shot=staged.shot,
            matrix=roll,
            held=staged.sign,
        ),
    )


def _focused(shot: Shot, look: str | None) -> Shot:
    """The shot for a drawn picture: no lens blurs what a pencil draws."""
    if not looks.is_drawn(look):
        return shot
    # Sparks of light between leaves become discs on film, and rings under a pen.
    return replace(shot, aperture=_DRAWN_APERTURE * shot.aperture, without=(*shot.without, "glints"))


def _facts(plan: ScenePlan, notes: Notes, subject: Subject) -> dict[str, float]:
    facts = dict(notes.facts)
    facts.update(face_height=round(float(subject.face_height), 1))
    if plan.head.yaw is not None:
        facts["requested_yaw"] = float(plan.head.yaw)
    return facts


def known(subject: Subject, composition: Composition, size: Size) -> Known:
    """What looks need to know of a placed subject."""
    faces = () if subject.points is None else (subject.points,)
    found = Known(faces, subject.alpha, subject.regions)
    if not composition.camera_roll:
        return found
    return turned(found, roll_matrix(size, composition.camera_roll).astype(np.float32), size)


def better_side(plan: ScenePlan, character: IdentityMap, kept: Kept, notes: Notes) -> IdentityMap:
    """The mirrored character, when the head shall turn to a side that the reference does not show."""
    if character.reading is None or plan.head.yaw is None:
        return character
    missed = _missed(character, plan.head.yaw, kept)
    if missed < _MISSED:
        return character
    other = kept.mirrored(character)
    if _missed(other, plan.head.yaw, kept) > 0.5 * missed:
        return character
    notes.warnings.append(
        "the reference shows the other side of the face: the person is mirrored, with parting, buttons and writing"
    )
    return other


def _missed(character: IdentityMap, yaw: float, kept: Kept) -> float:
    """Degrees by which the head would fall short of a yaw."""
    assert character.reading is not None
    low, high = kept.model(character).allowed.yaw
    wanted = yaw - character.reading.pose.yaw
    return max(low - wanted, wanted - high, 0.0)


def person(
    plan: ScenePlan,
    character: IdentityMap,
    composition: Composition,
    size: Size,
    speed: Speed,
    seed: int,
    kept: Kept,
    notes: Notes,
    clock: Clock,
    outfit: Outfit | None = None,
) -> Subject:
    """The character on the canvas: placed, dressed, moved, with shape; not yet lit."""
    if outfit is not None:
        return _worn(plan, kept.bare(character), composition, size, speed, seed, kept, notes, clock, outfit)
    scale, offset = composition.scale, composition.offset
    cutout = clock.time("place", lambda: place(character, scale, offset, *size, speed, seed))
    cutout = clock.time("clothes", lambda: dress(plan, cutout, character, scale, offset, notes))
    cutout = styled(cutout, character.mask, hair(plan), (scale, offset), notes, seed, bare=False)
    if character.reading is not None:
        model = clock.time("head model", lambda: kept.model(character))
        motion = composition.motion
        cutout = clock.time("head", lambda: move(cutout, model, scale, offset, motion, speed, notes))
    subject = clock.time("shape", lambda: shape(cutout, speed))
    return adorned(plan, subject, seed, speed, notes, clock)


def _worn(
    plan: ScenePlan,
    bare: Bare,
    composition: Composition,
    size: Size,
    speed: Speed,
    seed: int,
    kept: Kept,
    notes: Notes,
    clock: Clock,
    outfit: Outfit,
) -> Subject:
    """The person's own head over modelled clothes."""
    scale, offset = composition.scale, composition.offset
    character = bare.character
    assert character.reading is not None
    still = landmarks(character, scale, offset)
    assert still is not None
    frame = stand(still, character.reading.pose, size, bare.shoulders, seed)

    def own_head() -> Cutout:
        head = clock.time("place", lambda: place(character, scale, offset, *size, speed, seed))
        head = styled(head, character.mask, hair(plan), (scale, offset), notes, seed, bare=True)
        model = clock.time("head model", lambda: kept.model(character))
        return clock.time("head", lambda: move(head, model, scale, offset, composition.motion, speed, notes))

    # The clothes need only know where the head stands.
    head, surface = together(own_head, lambda: clock.time("clothes", lambda: render(outfit, frame, bare.skin, speed)))
    subject = clock.time("shape", lambda: wear(head, still, bare, surface, (scale, offset), speed, seed))
    return adorned(plan, subject, seed, speed, notes, clock)


def adorned(plan: ScenePlan, subject: Subject, seed: int, speed: Speed, notes: Notes, clock: Clock) -> Subject:
    """The subject with what the plan puts on the head."""
    worn = things(plan)
    if not worn:
        return subject
    return clock.time("accessories", lambda: adorn(subject, worn, seed, speed, notes))


def outfit_of(plan: ScenePlan, character: IdentityMap, seed: int, notes: Notes) -> Outfit | None:
    """What the person shall wear; None when the clothes of the reference stay: the character mask may hold them."""
    clothes = (character.regions == CLOTHING) & (character.alpha > 0.5)
    held = clothes & (character.mask >= 128)
    if character.reading is None or held.sum() > _HELD * max(1, clothes.sum()):
        return None
    return choose(plan, seed, notes)


def fill_in(plan: ScenePlan, composition: Composition, seed: int, attempt: int) -> tuple[ScenePlan, Composition]:
    """Choose what the prompt leaves open: the studio, its paper and its light."""
    rng = np.random.default_rng([seed, attempt, 202])
    rigs_, papers = avoid.free(plan, "light", _PORTRAIT_RIGS), avoid.free(plan, "backdrop", _PORTRAIT_PAPERS)
    rig, paper = str(rng.choice(rigs_)), str(rng.choice(papers))
    if plan.setting is None:
        plan = plan.model_copy(update={"setting": "studio", "backdrop": plan.backdrop or paper})
    if plan.light is None and (plan.setting == "studio" or plan.excludes("light", "natural")):
        plan = plan.model_copy(update={"light": rig})
    shot = replace(composition.shot, light=plan.light, backdrop=plan.backdrop)
    return plan, replace(composition, shot=shot)


def dress(
    plan: ScenePlan,
    cutout: Cutout,
    character: IdentityMap,
    scale: float,
    offset: tuple[float, float],
    notes: Notes,
) -> Cutout:
    """Own clothes in the colour, pattern and fabric that the prompt names; what the character mask holds stays."""
    said = next((g for g in plan.outfit if g.item is None and (g.colour or g.pattern or g.fabric)), None)
    said = said or next((g for g in plan.outfit if g.colour and not g.lower), None)
    worn = (character.regions == CLOTHING) & (character.mask < 128)
    cloth = (
        main_cloth(
            character.foreground.astype(np.float32) / np.float32(255), (character.alpha * worn).astype(np.float32)
        )
        if said or plan.negative
        else None
    )
    if said is None:
        colour = None if cloth is None else avoid.own_colour(plan, cloth.code)
    else:
        colour = colours.hex_of(said.colour) if said.colour else None
    pattern, second, fabric = None, None, None
    if said is not None and said.item is None:
        pattern, second = said.pattern, colours.hex_of(said.second) if said.second else None
        fabric = said.fabric if said.fabric in REWOVEN else None
    if colour is None and pattern is None and fabric is None:
        return cutout
    x, y = offset
    height, width = cutout.alpha.shape
    matrix = np.array([[scale, 0, x], [0, scale, y]], np.float32)
    kept = cv2.warpAffine(character.mask, matrix, (width, height), flags=cv2.INTER_LINEAR)
    free = ((cutout.regions == CLOTHING) & (kept < 128)).astype(np.float32)
    dyed = recolour(cutout, colour, free, cloth, pattern=pattern, second=second, fabric=fabric)
    if dyed is cutout and said is not None:
        wish = f"clothes in {said.colour}" if said.colour else said.text
        notes.warnings.append(f"not portrayed: {wish}; none is seen outside of the character mask")
    return dyed


def scene(plan: ScenePlan, shot: Shot, notes: Notes, clock: Clock) -> Plate:
    """The environment of the plan, photographed, without what the words exclude."""
    shot = avoid.shown(plan, shot)

    def run() -> Plate:
        if plan.setting == "studio":
            return backdrop.studio_plate(shot)
        plate = scenes.photograph(plan.setting or "studio", shot, notes)
        if plan.light and plan.light != "natural":
            plate = replace(plate, lighting=rigs.light_rig(plan.light, plate.lighting, shot.seed))
        return plate

    return clock.time("scene", run)


def _develop(
    plan: ScenePlan,
    composition: Composition,
    subject: Subject,
    plate: Plate,
    speed: Speed,
    seed: int,
    clock: Clock,
    drawn: bool = False,
) -> U8:
    """The lit person before the plate, as film shows it; what is `drawn` afterwards has no grain."""
    if subject.points is None:
        plate = replace(plate, radiance=contact_shadow(plate.radiance, subject.alpha))
    lit = clock.time("relight", lambda: relight(subject, plate.lighting, speed, plate.radiance))
    radiance = clock.time("composite", lambda: composite(lit, subject, plate, speed))
    if composition.camera_roll:
        radiance = rolled(radiance, composition.camera_roll)
    look = plan.look if plan.look and plan.look in photographic() else "photo"
    # Nobody draws what a lens scatters.
    grain, glare = (0.0, _DRAWN_GLARE) if drawn else (1.0, GLARE)
    return clock.time(
        "finish",
        lambda: finish(
            radiance,
            grade=plate.grade,
            look=look,
            exposure=plate.exposure,
            grain=grain,
            glare=glare,
            seed=seed,
            speed=speed,
        ),
    )


def face_box(subject: Subject) -> Box | None:
    """Where the face of a placed subject lies."""
    if subject.points is None:
        return None
    points = subject.points[:468, :2]
    x0, y0 = points.min(0)
    x1, y1 = points.max(0)
    return float(x0), float(y0), float(x1), float(y1)


def warn(
    plan: ScenePlan,
    notes: Notes,
    outfit: Outfit | None = None,
    whole: Asked | None = None,
    look: str | None = None,
    *,
    lettered: bool = False,
) -> None:
    """Say what was read but is not in the picture.

    Args:
        plan: what was read.
        notes: gets the warnings; those on `outfit`, things on the head and poses of one person are in it already.
        outfit: what the person wears.
        whole: the figure, when the whole body is shown.
        look: the drawn look of the picture; None = a photograph.
        lettered: whether its words were set, or a warning says which were not.
    """
    avoid.stays(plan, notes)
    notes.warnings += unworn(plan, outfit, figure=whole is not None)
    worn = outfit if whole is None else whole.stance.outfit
    for thing in plan.accessories:
        if thing in accessories.things() or (worn is not None and thing in table()["parts"]):
            continue  # `adorn` and `choose` say what they cannot put on
        notes.warnings.append(f"not portrayed: {thing}")
    if plan.look and plan.look not in photographic() and (look is None or looks.drawn_as(plan.look) is None):
        instead = "a photograph" if look is None else f"drawn as {look}"
        notes.warnings.append(f"not portrayed: look {plan.look!r}; the picture is {instead}")
    for words in () if lettered else plan.lettering:
        notes.warnings.append(f"not portrayed: the lettering {words!r}")


def unposed(plan: ScenePlan, notes: Notes) -> ScenePlan:
    """A plan without its pose, for pictures that cannot show one; a framing that only the pose asked for goes, too."""
    if not any(u.kind == "pose" for u in plan.understood):
        return plan
    if plan.pose not in (None, "standing"):
        notes.warnings.append(f"not portrayed: {plan.pose}; only a new picture of one person shows poses")
    framing = plan.framing if plan.framing_said else None
    return plan.model_copy(update={"pose": None, "framing": framing})
