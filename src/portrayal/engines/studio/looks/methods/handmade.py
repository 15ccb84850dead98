"""Methods of the handmade looks."""

from __future__ import annotations

from typing import Final

from portrayal.engines.studio.looks.canvas import Method

METHODS: Final[dict[str, Method]] = {}
