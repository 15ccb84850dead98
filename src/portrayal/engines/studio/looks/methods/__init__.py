"""The methods that looks are made of, by the names that the TOML tables use."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Final

from portrayal.engines.studio.looks.canvas import Method

# Each module has METHODS: name -> method. The first makes a picture of a photograph; the others change one.
_MODULES: Final = ("basic", "photographic", "printed", "handmade")


@lru_cache(1)
def methods() -> dict[str, Method]:
    """All methods by name."""
    found: dict[str, Method] = {}
    for module in _MODULES:
        mine: dict[str, Method] = import_module(f"{__package__}.{module}").METHODS
        assert not found.keys() & mine.keys(), f"two methods of a name: {found.keys() & mine.keys()}"
        found.update(mine)
    return found
