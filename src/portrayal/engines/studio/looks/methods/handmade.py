"""Methods of the handmade looks."""

from __future__ import annotations

from typing import Final

from portrayal.engines.studio.looks.canvas import Method
from portrayal.engines.studio.looks.methods import (
    brush,
    cels,
    collage,
    dreams,
    flowing,
    pen,
    raw,
    spray,
    toys,
    trips,
)

METHODS: Final[dict[str, Method]] = {
    **flowing.METHODS,
    **brush.METHODS,
    **cels.METHODS,
    **collage.METHODS,
    **dreams.METHODS,
    **pen.METHODS,
    **raw.METHODS,
    **spray.METHODS,
    **toys.METHODS,
    **trips.METHODS,
}
