"""What a step of a look works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np

from portrayal.engines.studio.looks.context import Context
from portrayal.imaging import F32, U8
from portrayal.perception.types import HAIR

_HAIR: Final = np.float32(0.6)  # how far hair keeps its colour, where skin is 1


@dataclass(frozen=True)
class Known:
    """What is known of the people in a picture.

    Attributes:
        faces: landmarks (478, 2 or 3) of each face, in pixels.
        matte: (h, w) 0..1, where people are; None = not known.
        regions: (h, w) uint8 labels of `portrayal.perception.types`; None = not known.
    """

    faces: tuple[F32, ...] = ()
    matte: F32 | None = None
    regions: U8 | None = None

    def shields(self, shape: tuple[int, int]) -> tuple[F32 | None, F32 | None]:
        """(h, w) 0..1 what keeps its colour (skin, half of hair), and where faces stay fine; None = nobody is there."""
        if not self.faces and self.regions is None:
            return None, None
        blank = np.zeros((*shape, 3), np.uint8)
        context = Context(blank, self.faces, self.matte, self.regions, 0, "balanced")
        own = context.skin
        if self.regions is not None:
            hair = (self.regions == HAIR).astype(np.float32) * context.subject
            own = np.maximum(own, _HAIR * cv2.GaussianBlur(hair, (0, 0), 2.0 * context.unit))
        return np.asarray(own, np.float32), np.maximum(context.detail, np.float32(0.45) * context.face)


@dataclass(frozen=True)
class Canvas:
    """A picture on its way through the steps of a look.

    Attributes:
        context: the developed photograph and all that is known of it; the same for every step.
        picture: (h, w, 3) sRGB codes 0..1 as the steps before left it; at first the photograph.
    """

    context: Context
    picture: F32

    def redrawn(self) -> Context:
        """The context of the picture as it is now, for a method that draws from a photograph."""
        context = self.context
        matte = context.subject if context.cut else None
        return Context(
            codes(self.picture), context.faces, matte, context.regions, context.seed, context.speed, context.pen
        )


Method: TypeAlias = Callable[..., F32]
"""(canvas, **settings) -> (h, w, 3) sRGB codes 0..1; settings come from the TOML of the look."""


def codes(picture: F32) -> U8:
    """sRGB codes 0..1 as bytes."""
    return np.asarray(np.clip(picture, 0, 1) * np.float32(255) + np.float32(0.5), np.uint8)
