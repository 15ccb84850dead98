"""The data files of this package, with tuples for lists, so that frozen dataclasses can hold them."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any


@lru_cache(4)
def load(name: str) -> dict[str, Any]:
    """The table of a TOML file beside this module; callers must not change it."""
    raw = tomllib.loads((Path(__file__).parent / name).read_text("utf-8"))
    return {key: _frozen(value) for key, value in raw.items()}


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _frozen(v) for k, v in value.items()}
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value
