"""What an engine is: it turns a plan and a character into pixels, and says what it could not do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from portrayal.character.identity_map import IdentityMap
from portrayal.imaging import U8
from portrayal.prompting.plan import ScenePlan
from portrayal.request import Speed
from portrayal.sizes import Size


class Progress(Protocol):
    """Called now and then with the name of the stage and how far the job is, 0..1."""

    def __call__(self, stage: str, fraction: float) -> None:
        """Take note."""


def silent(stage: str, fraction: float) -> None:
    """A progress that nobody watches."""


@dataclass(frozen=True)
class Rendering:
    """One picture as an engine hands it over.

    Attributes:
        image: (H, W, 3) uint8.
        bar: distance to the reference that a picture of this kind may have (turns and strong expressions cost some).
        face: where the face was put, (x0, y0, x1, y1) in pixels; None for a subject without a face.
        warnings, timings (seconds per stage), facts: see `portrayal.result.Picture`.
        subject: (H, W) uint8 where the subject was put, 255 = subject; only for a subject without a face.
    """

    image: U8
    bar: float
    face: tuple[float, float, float, float] | None
    warnings: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)
    subject: U8 | None = None


class Engine(Protocol):
    """The protocol of all engines."""

    name: str

    def portray(
        self,
        plan: ScenePlan,
        character: IdentityMap,
        size: Size,
        speed: Speed,
        seed: int,
        attempt: int = 0,
        progress: Progress = silent,
    ) -> Rendering:
        """Make one picture of `size` (width, height).

        Args:
            attempt: 0 at first; the identity lock raises it when the picture was not like the reference, and the
                engine then takes another variation, with less extreme changes. Same arguments, same bytes.
        """
        ...
