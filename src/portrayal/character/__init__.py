"""Who is in the picture: the identity map, character masks, the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portrayal.character.learning import study

__all__ = ["study"]


def __getattr__(name: str) -> Any:
    """`study` comes with OpenCV and numba, so that it is only imported when it is asked for."""
    if name == "study":
        from portrayal.character.learning import study

        return study
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
