"""One member of a cast on its way into the picture."""

from __future__ import annotations

from dataclasses import dataclass

from portrayal.character.identity_map import IdentityMap
from portrayal.engines.studio.cast.arrange import Spot
from portrayal.engines.studio.compose import Composition
from portrayal.engines.studio.types import Notes
from portrayal.engines.studio.wardrobe.outfit import Outfit
from portrayal.prompting.plan import ScenePlan


@dataclass(frozen=True)
class Member:
    """A member with its place.

    Attributes:
        number: its place in the job's cast, 0 first.
        character: the reference, perhaps mirrored or with completed shoulders.
        plan: its own part of the prompt, with what all share.
        composition: scale, motion and bar; the offset is that on its own part of the canvas.
        spot: where it stands on the canvas, and how near.
        x, y, width, height: the part of the canvas that it fills, in pixels.
        notes: what was seen while it was made.
        outfit: what it wears; None = its own clothes.
    """

    number: int
    character: IdentityMap
    plan: ScenePlan
    composition: Composition
    spot: Spot
    x: int
    y: int
    width: int
    height: int
    notes: Notes
    outfit: Outfit | None = None

    @property
    def part(self) -> tuple[slice, slice]:
        """Its part of the canvas."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)
