"""The nine drawn looks as methods: each draws the picture as it is now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from portrayal.engines.studio.looks import drawn, painted
from portrayal.engines.studio.looks.canvas import Canvas, Method
from portrayal.engines.studio.looks.context import Context
from portrayal.imaging import F32


def _draws(painter: Callable[[Context], F32]) -> Method:
    def method(canvas: Canvas) -> F32:
        # At first the context is of the very picture, and all that it has found so far is kept.
        first = canvas.picture is canvas.context.photograph
        return painter(canvas.context if first else canvas.redrawn())

    return method


METHODS: Final[dict[str, Method]] = {
    "comic": _draws(drawn.comic),
    "cartoon": _draws(drawn.cartoon),
    "ink": _draws(drawn.ink),
    "pencil": _draws(drawn.pencil),
    "line_art": _draws(drawn.line_art),
    "watercolor": _draws(painted.watercolor),
    "oil": _draws(painted.oil),
    "childrens_book": _draws(painted.childrens_book),
    "travel_poster": _draws(painted.travel_poster),
}
