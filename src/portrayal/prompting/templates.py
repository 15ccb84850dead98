"""Templates: prompts of pictures that people often want, as data (``data/templates.toml``)."""

from __future__ import annotations

import difflib
import functools
import re
import tomllib
from collections.abc import Mapping
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

from portrayal import assets
from portrayal.errors import InvalidRequestError

SLOT = "{character}"
_SLOT: Final = re.compile(r"\{(\w+)\}")
_LONGEST: Final = 200


class Template(BaseModel):
    """One template.

    Attributes:
        name: for programs; title: for people; group: what it is for, one of `groups()`.
        prompt: with `SLOT` where a character's ``@name`` goes, and other slots such as ``{colour}``.
        framing: words that are added to the prompt, "" where it names the framing itself or leaves it open.
        size: WIDTHxHEIGHT; None where the operation keeps the picture's own.
        slots: what stands in the other slots when nothing is given.
        required: slots without a default.
        style_type, style_preset, palette: as in a request; "" and () = none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    group: str
    operation: Literal["generate", "replace-background"]
    prompt: str
    framing: str = ""
    size: str | None = None
    slots: Mapping[str, str] = Field(default_factory=dict)
    required: tuple[str, ...] = ()
    style_type: Literal["auto", "general", "realistic", "design", "fiction"] = "auto"
    style_preset: str = ""
    palette: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def preview(self) -> str:
        """Path of the sheet that shows it, under docs."""
        return "gallery/templates.jpg" if self.operation == "generate" else ""

    @property
    def text(self) -> str:
        """The prompt with its framing, slots still open."""
        return f"{self.prompt}, {self.framing}" if self.framing else self.prompt

    def filled(self, name: str = "", slots: Mapping[str, str] | None = None) -> str:
        """The prompt with everything in its slots.

        Args:
            name: of a character, ``"@ada"``; without one its slot is left out.
            slots: what is put into the other slots; their defaults where it says nothing.

        Raises:
            InvalidRequestError: a slot that the template does not have, or a required one without text.
        """
        given = dict(slots or {})
        known = (*self.slots, *self.required)
        for slot, value in given.items():
            if slot not in known:
                has = f"{self.name} has {', '.join(known)}" if known else f"{self.name} has none"
                raise InvalidRequestError(f"there is no slot {slot[:40]!r}", field="slot", remedy=f"{has}.")
            _check(slot, value)
        for slot in self.required:
            if not given.get(slot, "").strip():
                raise InvalidRequestError(f"{slot!r} is missing", field="slot", remedy=f"Say it: --slot {slot}=TEXT.")
        values = {**self.slots, **given, "character": name}
        text = _SLOT.sub(lambda match: values[match[1]].strip(), self.text)
        return re.sub(r"^[\s,]+", "", text)


def _check(slot: str, value: str) -> None:
    if not value.strip():
        raise InvalidRequestError(f"{slot!r} is empty", field="slot", remedy="Leave it out for its default.")
    if len(value) > _LONGEST:
        raise InvalidRequestError(
            f"{slot!r} is longer than {_LONGEST} characters", field="slot", remedy="Say it in fewer words."
        )
    if any(sign in value for sign in '"“”„«»{}\n\r'):
        raise InvalidRequestError(
            f"{slot!r} holds quotation marks, braces or line breaks", field="slot", remedy="Give plain words."
        )


@functools.cache
def templates() -> tuple[Template, ...]:
    """All templates, in the order of the file."""
    data = tomllib.loads(assets.path("templates.toml").read_text("utf-8"))
    return tuple(Template.model_validate(entry) for entry in data["template"])


def groups() -> tuple[str, ...]:
    """The groups, in the order of the file."""
    return tuple(dict.fromkeys(template.group for template in templates()))


def find(name: str) -> Template:
    """The template of a name; case and blanks do not matter.

    Raises:
        InvalidRequestError: there is none; the nearest are told.
    """
    wanted = re.sub(r"[\s_]+", "-", name.strip().lower())
    names = [template.name for template in templates()]
    if wanted in names:
        return templates()[names.index(wanted)]
    near = difflib.get_close_matches(wanted, names, 3, 0.5) or [n for n in names if wanted and wanted in n][:3]
    remedy = f"Did you mean {' or '.join(near)}?" if near else "`portrayal templates list` names them."
    raise InvalidRequestError(f"there is no template {name[:40]!r}", field="template", remedy=remedy)
