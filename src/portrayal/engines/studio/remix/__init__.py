"""Remix: borrow the vibe and the composition of any picture."""

from __future__ import annotations

from portrayal.engines.base import Job, Progress, Rendering, silent
from portrayal.engines.studio import generate as making
from portrayal.engines.studio import looks
from portrayal.engines.studio.kept import Kept
from portrayal.engines.studio.remix.bands import bands
from portrayal.engines.studio.remix.inspiration import Inspiration, look_at
from portrayal.engines.studio.remix.picture import new_picture
from portrayal.engines.studio.remix.swapped import swapped
from portrayal.engines.studio.remix.words import say_what_stays, say_who
from portrayal.engines.studio.styling import opened
from portrayal.engines.studio.swap import check_target
from portrayal.engines.studio.types import Notes
from portrayal.errors import InvalidRequestError

__all__ = ["remix"]


def remix(job: Job, kept: Kept, progress: Progress = silent) -> Rendering:
    """A new picture of the character after an inspiration; see `portrayal.engines.base.Engine`.

    By `job.strength`: 0 takes framing, light and colours only; towards the middle the inspiration's background comes
    in, first out of focus, then sharp, and the head turns as in it; from 0.75 on it is the inspiration itself with the
    character's head on its person. Backgrounds are blurred into each other only where both are out of focus.
    """
    assert job.size is not None
    assert job.source is not None
    notes = Notes()
    plan = job.members[0] if job.members else job.plan
    progress("looking at the inspiration", 0.02)
    inspiration = look_at(job.source, job.size, notes)
    plan = making.unposed(opened(plan, job.style), notes)
    if plan.backdrop is not None and plan.setting is None:
        plan = plan.model_copy(update={"setting": "studio"})
    scene = plan.setting not in (None, "studio") or plan.backdrop is not None
    share = bands(job.strength, scene)
    swap = share.swap and job.cast[0].reading is not None and _can_swap(inspiration, notes)
    say_who(inspiration, share, notes)
    say_what_stays(plan, share, swap, notes)
    if swap:
        return swapped(job, plan, inspiration, share, kept, notes, progress)
    making.warn(plan, notes, look=looks.choose(plan, job.style, body=False)[0], lettered=True)
    return new_picture(job, plan, inspiration, share, kept, notes, progress)


def _can_swap(inspiration: Inspiration, notes: Notes) -> bool:
    """Whether the person of the inspiration can be given another head; a warning says why not."""
    target = inspiration.target
    if target is None:
        return False
    height, width = inspiration.picture.shape[:2]
    try:
        check_target(target, (width, height), head=True)
    except InvalidRequestError as error:
        notes.warnings.append(f"{error.message}: the whole person is replaced instead of the head")
        return False
    return True
