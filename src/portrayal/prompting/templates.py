"""Templates: prompts of pictures that people often want, as data (``data/templates.toml``)."""

from __future__ import annotations

import functools
import re
import tomllib
from typing import Literal

from pydantic import BaseModel, ConfigDict

from portrayal import assets

SLOT = "{character}"


class Template(BaseModel):
    """One template.

    Attributes:
        name: for programs; title: for people.
        prompt: with `SLOT` where a character's ``@name`` goes.
        size: WIDTHxHEIGHT; None where the operation keeps the picture's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    operation: Literal["generate", "replace-background"]
    prompt: str
    size: str | None = None
    tags: tuple[str, ...] = ()

    def filled(self, name: str = "") -> str:
        """The prompt with a character's name (``"@ada"``) in the slot; without one the slot is left out."""
        return re.sub(r"^[\s,]+", "", self.prompt.replace(SLOT, name))


@functools.cache
def templates() -> tuple[Template, ...]:
    """All templates, in the order of the file."""
    data = tomllib.loads(assets.path("templates.toml").read_text("utf-8"))
    return tuple(Template.model_validate(entry) for entry in data["template"])
