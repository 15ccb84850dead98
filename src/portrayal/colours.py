"""The names of colours, shared by the words and the pixels. No numpy here."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from types import MappingProxyType

from portrayal import assets
from portrayal.errors import InvalidRequestError


@lru_cache(1)
def _table() -> MappingProxyType[str, str]:
    return MappingProxyType(tomllib.loads(assets.path("colours.toml").read_text("utf-8")))


def names() -> tuple[str, ...]:
    """All colour names, light neutrals first."""
    return tuple(_table())


def hex_of(name: str) -> str:
    """The sRGB colour ``"#rrggbb"`` of a name; case and surrounding spaces do not matter.

    Raises:
        InvalidRequestError: when there is no such colour.
    """
    found = _table().get(name.strip().lower())
    if found is None:
        raise InvalidRequestError(
            f"there is no colour {name!r}", field="colour", remedy=f"Use one of: {', '.join(names())}."
        )
    return found
