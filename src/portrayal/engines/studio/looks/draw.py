"""A finished picture drawn again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from portrayal.engines.studio.looks.canvas import Canvas, Known, codes
from portrayal.engines.studio.looks.choice import row
from portrayal.engines.studio.looks.context import Context
from portrayal.engines.studio.looks.methods import methods
from portrayal.engines.studio.types import Speed
from portrayal.imaging import F32, U8


def draw(
    image: U8,
    look: str,
    *,
    points: F32 | Sequence[F32] | None = None,
    matte: F32 | None = None,
    regions: U8 | None = None,
    seed: int = 0,
    speed: Speed = "balanced",
) -> U8:
    """Draw a finished picture again.

    Args:
        image: (h, w, 3), a developed photograph.
        look: one of `names()` or `presets()`.
        points: landmarks (478, 2 or 3) of the face in pixels, or one array a face; None = no face.
        matte: (h, w) 0..1, where the people are; None = not known.
        regions: (h, w), labels of `portrayal.perception.types`.
        seed: of strokes, paper and grain.
        speed: turbo works with smaller patches, quality with larger ones.

    Returns:
        (h, w, 3), a picture of the same size with everything where it was.

    Raises:
        InvalidRequestError: there is no such look.
    """
    if points is None:
        faces: Sequence[F32] = ()
    elif isinstance(points, np.ndarray):
        faces = (points,) if points.ndim == 2 else tuple(points)
    else:
        faces = points
    return paint(image, look, Known(tuple(faces), matte, regions), seed, speed)


def paint(image: U8, look: str, known: Known, seed: int = 0, speed: Speed = "balanced", pen: float = 1.0) -> U8:
    """Draw a finished picture again; as `draw`, with all that is known of it as one value.

    Args:
        image, look, seed, speed: as for `draw`.
        known: of the people.
        pen: width of contours, 1 = as the look has them.
    """
    steps = row(look).steps
    context = Context(np.ascontiguousarray(image), known.faces, known.matte, known.regions, seed, speed, pen)
    picture = context.photograph
    for step in steps:
        settings = dict(step)
        picture = methods()[settings.pop("do")](Canvas(context, picture), **settings)
    return codes(picture)
