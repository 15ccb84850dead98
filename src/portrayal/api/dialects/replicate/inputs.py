"""The model's input as an order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from fastapi import Request

from portrayal.api.dialects import common
from portrayal.api.dialects.replicate.errors import InvalidInputError, Wrong
from portrayal.api.dialects.replicate.schema import (
    MAGIC_NAMES,
    NAMES,
    RATIO_NAMES,
    RESOLUTION_NAMES,
    SPEED_NAMES,
    STYLES,
)
from portrayal.api.doors import bases_of
from portrayal.character.mentions import mentions
from portrayal.errors import InvalidRequestError
from portrayal.request import MAX_SEED, MaskMode
from portrayal.service.envelope import Role
from portrayal.service.files import File
from portrayal.service.keys import Caller
from portrayal.service.orders import Order, Who
from portrayal.service.service import Service

T = TypeVar("T")

_PICTURES: Final[dict[str, Role]] = {"character_reference_image": "reference", "image": "image", "mask": "mask"}
_MODES: Final[dict[str, MaskMode]] = {"black": "black", "white": "white", "alpha": "alpha"}
_MAX_URL: Final = 4096  # of an address that is kept to be shown again; a longer one is shown as our own
_MAX_PICTURES: Final = 8


class Taken:
    """An input that was taken.

    Attributes:
        order: what shall be made; roles: the pictures that were given, for the lineage.
        shown: the input as it was given; files: its pictures that came as data, by field: id and media type.
        notes: what was not heeded.
    """

    def __init__(
        self,
        order: Order,
        roles: list[tuple[Role, File]],
        shown: dict[str, Any],
        files: dict[str, list[str]],
        notes: list[str],
    ) -> None:
        self.order, self.roles, self.shown, self.files, self.notes = order, roles, shown, files, notes


class _Reader:
    """Reads fields and gathers what is wrong with them."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.wrong: list[Wrong] = []

    def __call__(self, name: str, kind: str, read: Callable[[Any], T], default: T) -> T:
        try:
            return read(self.given.get(name))
        except InvalidRequestError as error:
            self.wrong.append(Wrong(kind, f"input.{name}", f"{error.message}. {error.remedy}"))
            return default

    def required(self, name: str, when: str = "") -> None:
        self.wrong.append(Wrong("required", "input", f"{name} is required{when}"))

    def enum(self, name: str, table: dict[str, T], default: T, shown: tuple[str, ...]) -> T:
        return self(name, "enum", lambda value: common.choice(value, table, name, default, shown), default)

    def whole(self, name: str, least: int, most: int, default: int | None) -> int | None:
        value = self.given.get(name)
        kind = "invalid_type"
        if isinstance(value, int | float) and not isinstance(value, bool):
            kind = "number_gte" if value < least else "number_lte" if value > most else kind
        return self(name, kind, lambda found: common.integer(found, name, least, most, default), default)

    def picture(self, name: str) -> str:
        """The address or data URI of a picture; "" when there is none."""
        value = self.given.get(name)
        if not common.given(value):
            return ""
        if isinstance(value, str):
            return value
        self.wrong.append(Wrong("invalid_type", f"input.{name}", "Invalid type. Expected: string (a URI)"))
        return ""


def _values(read: _Reader) -> dict[str, Any]:
    """The values of an order that are no pictures.

    Raises:
        InvalidInputError: with all that is wrong.
    """
    prompt = read("prompt", "invalid_type", lambda value: common.text(value, "prompt"), "")
    if not prompt.strip() and not any(w.field == "input.prompt" for w in read.wrong):
        read.required("prompt")
    given = {name: read.picture(name) for name in _PICTURES}
    wrong = {w.field for w in read.wrong}
    nobody = not given["character_reference_image"] and "input.character_reference_image" not in wrong
    if nobody and not mentions(prompt):  # a saved character that the prompt mentions (`@name`) needs no picture
        read.required("character_reference_image")
    if given["image"] and not given["mask"] and "input.mask" not in wrong:
        read.required("mask", " when image is given")
    if given["mask"] and not given["image"] and "input.image" not in wrong:
        read.required("image", " when mask is given")
    ratio = read("aspect_ratio", "enum", lambda value: _one_of(value, "aspect_ratio", common.ratio), None)
    size = read("resolution", "enum", lambda value: _one_of(value, "resolution", common.resolution), None) or ratio
    values = {
        "prompt": prompt,
        "speed": read.enum("rendering_speed", common.SPEEDS, "balanced", SPEED_NAMES),
        "magic_prompt": read.enum("magic_prompt_option", common.MAGIC, "auto", MAGIC_NAMES),
        "style_type": read.enum("style_type", {name.lower(): name.lower() for name in STYLES}, "auto", STYLES),
        "seed": read.whole("seed", 0, MAX_SEED, None),
        "num_images": read.whole("num_outputs", 1, _MAX_PICTURES, 1),
        "mask_mode": read.enum("mask_mode", _MODES, "black", tuple(_MODES)),
        **given,
    }
    if read.wrong:
        raise InvalidInputError(read.wrong)
    return values if given["image"] else {**values, "size": size}


def _one_of(value: Any, name: str, reader: Callable[[Any, str], T]) -> T:
    try:
        return reader(value, name)
    except InvalidRequestError as error:
        names = RATIO_NAMES if name == "aspect_ratio" else RESOLUTION_NAMES
        raise InvalidRequestError(
            error.message, field=name, remedy=f"must be one of the following: {', '.join(names)}"
        ) from None


async def take(given: Any, request: Request, service: Service, caller: Caller) -> Taken:
    """Read an input and fetch its pictures.

    Raises:
        InvalidInputError: fields are wrong or missing; all are named.
        FetchError, ImageReadError, ImageTooLargeError, MaskMismatchError: a picture is not taken.
    """
    if not isinstance(given, dict):
        what = "required" if given is None else "invalid_type"
        text = "input is required" if given is None else "Invalid type. Expected: object"
        raise InvalidInputError([Wrong(what, "" if given is None else "input", text)])
    values = _values(_Reader(given))
    roles: list[tuple[Role, File]] = []
    kept: dict[str, list[str]] = {}
    for name, role in _PICTURES.items():
        address = values.pop(name)
        if address:
            file = await service.take(address, name, caller, bases=bases_of(request))
            roles.append((role, file))
            if len(address) > _MAX_URL or address.lstrip()[:5].lower() == "data:":
                kept[name] = [file.id, file.media_type]
    found = dict(roles)
    mode = values.pop("mask_mode")
    if "mask" in found:
        mask = await asyncio.to_thread(service.masks.of_edit, found["mask"], found["image"], mode, "mask", fit=True)
        values |= {"operation": "edit", "image": found["image"].sha256, "edit_mask": mask.sha256}
    characters = (Who(image=found["reference"].sha256),) if "reference" in found else ()
    order = Order.make(characters=characters, **values)
    shown = {name: given[name] for name in given if name in NAMES and name not in kept}
    return Taken(order, roles, shown, kept, _notes(given))


def _notes(given: dict[str, Any]) -> list[str]:
    """What Replicate drops without a word: fields that the model does not know."""
    unknown = ["".join(c if c.isprintable() else "?" for c in name[:40]) for name in given if name not in NAMES]
    return [f"input: this model knows no {', '.join(unknown[:8])}; not looked at"] if unknown else []
