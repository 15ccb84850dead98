"""The parts that garments are built of, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from portrayal.engines.studio.wardrobe.outfit import Outfit
from portrayal.engines.studio.wardrobe.stage import Stage

Part = Callable[[Stage, Mapping[str, Any], Outfit], None]

PARTS: dict[str, Part] = {}


def part(name: str) -> Callable[[Part], Part]:
    """Decorator: the function builds the part of this name."""

    def enter(function: Part) -> Part:
        if name in PARTS:
            raise ValueError(f"two parts are called {name!r}")
        PARTS[name] = function
        return function

    return enter
