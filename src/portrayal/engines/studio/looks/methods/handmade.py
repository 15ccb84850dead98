"""Methods of the handmade looks."""

from __future__ import annotations

from typing import Final

from portrayal.engines.studio.looks.canvas import Method
from portrayal.engines.studio.looks.methods import brush, collage, dreams, pen, spray, toys, trips

METHODS: Final[dict[str, Method]] = {
    **pen.METHODS,
    **brush.METHODS,
    **collage.METHODS,
    **dreams.METHODS,
    **spray.METHODS,
    **toys.METHODS,
    **trips.METHODS,
}
