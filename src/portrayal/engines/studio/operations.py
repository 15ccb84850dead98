"""Operations on a picture without a reference: reframe, replace and remove its background, enlarge it.

Each says in `facts["kept_distance"]` how far the largest face moved from itself (0 = the same descriptor).
"""

from __future__ import annotations

from portrayal.engines.base import Job, Progress, Rendering, silent
from portrayal.engines.studio import background
from portrayal.engines.studio import upscale as enlargement
from portrayal.engines.studio.clock import Clock
from portrayal.engines.studio.edit.target import faces_in, moved
from portrayal.engines.studio.fill import reframe as reframing
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.types import Notes
from portrayal.imaging import F32, U8
from portrayal.perception import identity
from portrayal.perception.faces import read_face_near
from portrayal.perception.types import FaceReading
from portrayal.prompting.plan import ScenePlan


def reframe(job: Job, kept: Kept, progress: Progress = silent) -> Rendering:
    """Another size or ratio; what is missing is painted on."""
    assert job.source is not None
    assert job.size is not None
    scene, size = job.source, job.size
    notes, clock = Notes(), Clock()
    progress("looking", 0.05)
    faces = clock.time("look", lambda: _faces(scene))
    subject = clock.time("cut out", lambda: _subject(scene, faces, job))
    progress("painting", 0.3)
    image, box, scale = clock.time(
        "paint",
        lambda: reframing(scene, size, seed=job.seed, speed=job.speed, notes=notes, subject=subject, faces=faces),
    )
    notes.facts["scale"] = round(scale, 4)
    new = [moved(face, scale, (box[0], box[1])) for face in faces[:1]]
    _compare(scene, faces, image, new, notes)
    return _rendering(image, notes, clock)


def replace_background(job: Job, kept: Kept, progress: Progress = silent) -> Rendering:
    """The people of a picture somewhere else, in the light of the place."""
    assert job.source is not None
    scene = job.source
    notes, clock = Notes(), Clock()
    progress("cutting out", 0.05)
    cut = clock.time("cut out", lambda: background.cut_out(scene, speed=job.speed, notes=notes, mask=job.mask))
    progress("photographing", 0.4)
    new = job.background
    plate = (
        new
        if new is not None
        else clock.time(
            "scene",
            lambda: background.plate_for(scene, cut, job.plan, seed=job.seed, speed=job.speed, notes=notes),
        )
    )
    progress("lighting", 0.6)
    image = clock.time(
        "light",
        lambda: background.replace_background(
            scene, plate, plan=job.plan, seed=job.seed, speed=job.speed, notes=notes, cut=cut
        ),
    )
    _of_the_people(job.plan, notes)
    faces = list(cut.readings)
    _compare(scene, faces, image, faces[:1], notes)
    return _rendering(image, notes, clock)


def _of_the_people(plan: ScenePlan, notes: Notes) -> None:
    """Words on the people, who stay as they are."""
    notes.warnings += [f"not portrayed: {words}" for words in plan.unknown]
    worn = [g.text for g in (*plan.outfit, *plan.accessory_details) if g.text not in plan.unknown]
    said = [*worn, *([plan.pose] if plan.pose and plan.pose != "standing" else [])]
    notes.warnings += [f"not portrayed: {words}; only what is behind the people changes" for words in said]


def remove_background(job: Job, kept: Kept, progress: Progress = silent) -> Rendering:
    """The people of a picture alone, with transparency."""
    assert job.source is not None
    scene = job.source
    notes, clock = Notes(), Clock()
    progress("cutting out", 0.1)
    image, alpha = clock.time(
        "cut out", lambda: background.remove_background(scene, speed=job.speed, notes=notes, mask=job.mask)
    )
    return _rendering(image, notes, clock, alpha)


def upscale(job: Job, kept: Kept, progress: Progress = silent) -> Rendering:
    """The picture 2 or 4 times as large."""
    assert job.source is not None
    scene = job.source
    notes, clock = Notes(), Clock()
    progress("enlarging", 0.1)
    image = clock.time("enlarge", lambda: enlargement.upscale(scene, job.factor, speed=job.speed, notes=notes))
    faces = clock.time("look", lambda: _faces(scene))
    _compare(scene, faces, image, [moved(face, job.factor, (0, 0)) for face in faces[:1]], notes)
    return _rendering(image, notes, clock)


def _faces(scene: U8) -> list[FaceReading]:
    return faces_in(scene, (0, 0, scene.shape[1], scene.shape[0]))


def _subject(scene: U8, faces: list[FaceReading], job: Job) -> F32 | None:
    if not faces:
        return None
    return background.cut_out(scene, speed="turbo", notes=Notes()).alpha


def _compare(old: U8, before: list[FaceReading], new: U8, after: list[FaceReading], notes: Notes) -> None:
    """The descriptor of the largest face before and after."""
    if not before or not after:
        return
    found = read_face_near(new, after[0])
    if found is None:
        notes.warnings.append("identity: no face could be measured in the picture")
        return
    distance = identity.distance(identity.embed(old, before[0].points), identity.embed(new, found.points))
    notes.facts["kept_distance"] = round(distance, 4)


def _rendering(image: U8, notes: Notes, clock: Clock, alpha: U8 | None = None) -> Rendering:
    return Rendering(
        image=image,
        bar=0.0,
        warnings=tuple(dict.fromkeys(notes.warnings)),
        timings=clock.seconds,
        facts=dict(notes.facts),
        alpha=alpha,
    )
