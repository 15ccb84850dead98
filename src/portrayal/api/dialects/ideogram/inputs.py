"""What v1 and v2 read alike: words, numbers, sizes and styles."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from portrayal.api.dialects import common
from portrayal.api.dialects.ideogram.fields import Fields
from portrayal.errors import InvalidRequestError
from portrayal.request import MAX_SEED, Speed
from portrayal.sizes import Size

MAX_STYLE_REFERENCES: Final = 10
_COLOURS: Final = 8
_LEAST_WEIGHT: Final = 0.05

SPEEDS_V1: Final[dict[str, Speed]] = {"flash": "turbo", **common.SPEEDS}
SPEEDS_V2: Final[dict[str, Speed]] = {"turbo": "turbo", "default": "balanced", "quality": "quality"}


def any_seed() -> int:
    """A seed by chance: without one, each call of Ideogram gives other pictures."""
    return secrets.randbelow(MAX_SEED + 1)


def seed(fields: Fields) -> int:
    """The seed, or one by chance.

    Raises:
        InvalidRequestError: it is out of range.
    """
    given = common.seed(fields.value("seed"))
    return any_seed() if given is None else given


def basics(fields: Fields, *, prompt: bool = True) -> dict[str, Any]:
    """Prompt, number of pictures and seed.

    Raises:
        InvalidRequestError: one of them is not allowed.
    """
    found: dict[str, Any] = {
        "num_images": common.integer(fields.value("num_images"), "num_images", 1, 8, 1),
        "seed": seed(fields),
    }
    if prompt:
        found["prompt"] = common.text(fields.value("prompt"), "prompt", needed=True)
    return found


def negative(fields: Fields) -> dict[str, Any]:
    """What shall not be in the picture.

    Raises:
        InvalidRequestError: it is no text, or too long.
    """
    return {"negative_prompt": common.text(fields.value("negative_prompt"), "negative_prompt")}


def magic(fields: Fields) -> dict[str, Any]:
    """Whether the prompt may be rewritten.

    Raises:
        InvalidRequestError: it is not one of the three.
    """
    shown = ("AUTO", "ON", "OFF")
    return {"magic_prompt": common.choice(fields.value("magic_prompt"), common.MAGIC, "magic_prompt", "auto", shown)}


def is_auto(fields: Fields) -> bool:
    """Whether the aspect ratio is "auto"."""
    return str(fields.value("aspect_ratio")).strip().lower() == "auto"


def size(fields: Fields, default: Size | None, *, auto: bool = False) -> Size | None:
    """The size that a resolution or an aspect ratio means.

    Args:
        default: when neither is given.
        auto: "auto" is a ratio, and means the default.

    Raises:
        InvalidRequestError: both are given, or one is not allowed.
    """
    ratio, resolution = fields.value("aspect_ratio"), fields.value("resolution")
    if common.given(ratio) and common.given(resolution):
        raise InvalidRequestError(
            "it cannot be combined with resolution", field="aspect_ratio", remedy="Give one of them."
        )
    if auto and is_auto(fields):
        return default
    return common.resolution(resolution, "resolution") or common.ratio(ratio, "aspect_ratio") or default


def weight(fields: Fields) -> dict[str, Any]:
    """How much of the picture a remix keeps: 1 to 100 as 0.01 to 1, 50 when it is left out.

    Raises:
        InvalidRequestError: it is out of range.
    """
    return {"strength": common.integer(fields.value("image_weight"), "image_weight", 1, 100, 50) / 100}


def palette(fields: Fields) -> tuple[str, ...]:
    """A preset's name, or 1 to 8 colours, the heaviest first.

    Raises:
        InvalidRequestError: it is no palette, or has too many colours or a weight that is not within 0.05 to 1.
    """
    given = fields.object("color_palette")
    found = common.palette(given)
    if len(found) > _COLOURS:
        raise InvalidRequestError(
            f"has {len(found)} colours", field="color_palette", remedy=f"Give 1 to {_COLOURS} colours."
        )
    for member in (given.get("members") or ()) if isinstance(given, Mapping) else ():
        common.number(member.get("color_weight"), "color_palette.color_weight", _LEAST_WEIGHT, 1.0, 0.5)
    return found


def not_here(fields: Fields, names: tuple[str, ...], why: str) -> None:
    """Refuse fields that this call does not take.

    Raises:
        InvalidRequestError: one of them is given.
    """
    for name in names:
        if fields.given(name):
            raise InvalidRequestError(why, field=name, remedy="Leave it out.")


def codes(fields: Fields, *, styled: bool, references: bool) -> tuple[str, ...]:
    """Style codes.

    Args:
        styled: a style type is given beside them; references: style references are.

    Raises:
        InvalidRequestError: they are no codes, or cannot be combined with what is given.
    """
    found = common.style_codes(fields.values("style_codes"))
    if found and (styled or references):
        other = "style references" if references else "style_type"
        raise InvalidRequestError(
            f"they cannot be combined with {other}", field="style_codes", remedy="Give one of them."
        )
    return found


def noted(fields: Fields) -> list[str]:
    """Warnings about what this door has no use for. Read every other field first."""
    notes = []
    if common.truth(fields.value("enable_copyright_detection"), "enable_copyright_detection", False):
        notes.append("enable_copyright_detection: logos and likenesses are not looked for")
    return [*notes, *fields.unknown()]
