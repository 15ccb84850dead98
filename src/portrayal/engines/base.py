"""What an engine is: it turns a job into pixels, and says what it could not do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from portrayal.character.identity_map import IdentityMap
from portrayal.imaging import U8
from portrayal.prompting.intent import EditIntent
from portrayal.prompting.plan import ScenePlan
from portrayal.request import Operation, Speed
from portrayal.sizes import Size
from portrayal.styles.style import Style

Box: TypeAlias = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels."""


class Progress(Protocol):
    """Called now and then with the name of the stage and how far the job is, 0..1."""

    def __call__(self, stage: str, fraction: float) -> None:
        """Take note."""


def silent(stage: str, fraction: float) -> None:
    """A progress that nobody watches."""


@dataclass(frozen=True)
class Job:
    """One picture to make.

    Attributes:
        operation: what is to be done.
        plan: the reading of the prompt; what all members of a cast share.
        cast: the characters, none to four.
        members: the plan of each character (equal to `plan` for a single one).
        places: where each character stands: "left", "centre", "right", or None = in the order of the cast.
        size: (width, height) of the result; None = as the source.
        source: (h, w, 3) uint8, the picture that is worked on.
        mask: (h, w) uint8 of the source, 255 = repaint.
        hole: (h, w) uint8 of the source, 255 where it is transparent under the mask; such pixels become opaque.
        background: (h, w, 3) uint8, a picture to put behind the people.
        intent: the reading of an edit's prompt.
        strength: 0..1, how much of the source a remix keeps.
        factor: of an enlargement, 2 or 4.
        style: what a new picture shall look like.
        attempt: 0 at first; the identity lock raises it when the picture was not like the reference, and the
            engine then takes another variation, nearer to the reference. Same job, same bytes.
    """

    operation: Operation
    plan: ScenePlan
    cast: tuple[IdentityMap, ...]
    seed: int
    speed: Speed = "balanced"
    size: Size | None = None
    members: tuple[ScenePlan, ...] = ()
    places: tuple[str | None, ...] = ()
    source: U8 | None = None
    mask: U8 | None = None
    hole: U8 | None = None
    background: U8 | None = None
    intent: EditIntent | None = None
    strength: float = 0.5
    factor: int = 2
    style: Style = field(default_factory=Style)
    attempt: int = 0


@dataclass(frozen=True)
class Rendering:
    """One picture as an engine hands it over.

    Attributes:
        image: (H, W, 3) uint8, the whole picture.
        bar: distance to the reference that a picture of this kind may have (turns and strong expressions cost some).
        faces: where the face of each member of the cast was put; None for a subject without a face.
        warnings, timings (seconds per stage), facts: see `portrayal.result.Picture`.
        subject: (H, W) uint8 where the subject was put, 255 = subject; only for a subject without a face.
        subjects: the same for each member of a cast, what is seen of it; None for a member with a face.
        bars: the bar of each member of a cast, where they differ.
        mask: (H, W) uint8, 255 where the source was allowed to change; None = a new picture.
        cover: (H, W) uint8, how much of each pixel of the source was painted anew; None = all under the mask.
        alpha: (H, W) uint8, transparency of the result; None = opaque.
        plain: (H, W, 3) uint8, the picture before its look: the person is measured there; None = it has no look.
        look: the name of the look or preset that it was drawn in; "" = none.
        palette: colours that were asked for, "#rrggbb", and the share of the picture that each has.
        did: what an edit did, in words; see `portrayal.result.Picture`.
    """

    image: U8
    bar: float
    faces: tuple[Box | None, ...] = ()
    warnings: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)
    subject: U8 | None = None
    subjects: tuple[U8 | None, ...] = ()
    bars: tuple[float, ...] = ()
    mask: U8 | None = None
    cover: U8 | None = None
    alpha: U8 | None = None
    plain: U8 | None = None
    look: str = ""
    palette: tuple[tuple[str, float], ...] = ()
    did: str = ""


class Engine(Protocol):
    """The protocol of all engines."""

    name: str

    def portray(self, job: Job, progress: Progress = silent) -> Rendering:
        """Make one picture.

        Raises:
            PortrayalError: when the job cannot be done; the message names the field and the remedy.
        """
        ...
