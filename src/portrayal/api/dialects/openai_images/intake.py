"""From a call's parameters and pictures to an order: which picture is the scene, and which are the people."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request

from portrayal.api.bodies import Form, Upload
from portrayal.api.dialects import common
from portrayal.api.dialects.openai_images import fields
from portrayal.api.dialects.openai_images.fields import Values
from portrayal.api.doors import bases_of
from portrayal.character.mentions import mentions
from portrayal.errors import InvalidRequestError
from portrayal.request import MAX_CAST
from portrayal.service.envelope import Role
from portrayal.service.files import File
from portrayal.service.keys import Caller
from portrayal.service.orders import Order, Who
from portrayal.service.service import Service

_MAX_IMAGES: Final = 16
_SQUARE: Final = (1024, 1024)
Given = Mapping[str, Any]


def of_form(form: Form) -> dict[str, Any]:
    """The parameters of a form: files and lists of pictures as lists, everything else by its last value.

    Raises:
        InvalidRequestError: an unknown part, or a file where a text belongs.
    """
    fields.known(form)
    given: dict[str, Any] = {}
    for name, parts in form.items():
        if name in fields.PICTURES:
            given[name] = parts
        elif isinstance(parts[-1], Upload):
            raise InvalidRequestError("is a file, not a text", field=name[:60], remedy="Send it as a plain field.")
        else:
            given[name] = parts[-1]
    return given


class Intake:
    """Takes the pictures of one call and makes its order.

    Attributes:
        roles: the pictures that were taken, for the lineage; notes: what is not heeded.
    """

    def __init__(self, request: Request, service: Service, caller: Caller) -> None:
        self._request, self._service, self._caller = request, service, caller
        self.roles: list[tuple[Role, File]] = []
        self.notes: list[str] = []

    async def generation(self, given: Given, values: Values) -> Order:
        """The order of a call that came without pictures to work on.

        Raises:
            InvalidRequestError, FetchError, ImageReadError, ImageTooLargeError: something is wrong or missing.
        """
        if values.operation in ("edit", "remix"):
            raise InvalidRequestError(
                f"{values.operation} needs a picture to work on", field="operation", remedy="Call /v1/images/edits."
            )
        for name in ("image", "mask"):
            if common.given(given.get(name)):
                raise InvalidRequestError(
                    "is not taken here", field=name, remedy="Send it to /v1/images/edits as a file."
                )
        return await self._generate([], given, values)

    async def edit(self, given: Given, values: Values) -> Order:
        """The order of a call with pictures: an edit, a remix, or a new picture of the people in them.

        Raises:
            InvalidRequestError, FetchError, ImageReadError, ImageTooLargeError, MaskMismatchError: something is wrong
                or missing.
        """
        images = fields.pictures(given, "image")
        masks = fields.pictures(given, "mask")
        if not images:
            raise common.missing("image", "Give one picture as `image`, or several as `image[]`.")
        if len(images) > _MAX_IMAGES:
            raise InvalidRequestError(f"more than {_MAX_IMAGES} are given", field="image", remedy="Give fewer.")
        # One who names the character apart means `image` as the scene; a mask belongs to a scene too.
        operation = values.operation or ("edit" if masks or fields.references(given) else "generate")
        if operation == "generate":
            if masks:
                raise InvalidRequestError(
                    "generate has no use for it", field="mask", remedy="Leave it out, or use operation=edit."
                )
            return await self._generate(images, given, values)
        if operation == "remix" and masks:
            raise InvalidRequestError(
                "remix has no use for it", field="mask", remedy="Leave it out, or use operation=edit."
            )
        if len(masks) > 1:
            raise InvalidRequestError("more than one is given", field="mask", remedy="Give one mask.")
        scene = await self._take(images[0], "image", "image")
        who = await self._people(images[1:], given, values)
        order = {**values.order, "image": scene.sha256, "characters": who, "operation": operation}
        if operation == "remix":
            if not who and not mentions(order["prompt"]):
                raise common.missing(
                    "character_reference_image", "Give the character as the second image, or by this name."
                )
            return Order.make(
                **order, size=self._size(values), **({} if values.strength is None else {"strength": values.strength})
            )
        self._unused(values.strength is not None, "strength", "only a remix has one")
        kept = f"{scene.width}x{scene.height}"
        self._unused(values.size not in ("", kept), "size", f"an edit keeps the size of its picture, {kept}")
        if masks:
            mask = await self._take(masks[0], "mask", "mask")
            inner = await asyncio.to_thread(self._service.masks.of_edit, mask, scene, values.mask_mode, "mask")
            order["edit_mask"] = inner.sha256
        return Order.make(**order)

    async def _generate(self, images: list[str | Upload], given: Given, values: Values) -> Order:
        self._unused(values.strength is not None, "strength", "only a remix has one")
        who = await self._people(images, given, values)
        if not who and not mentions(values.order["prompt"]):
            raise common.missing(
                "character_reference_image",
                "Give the character's picture by this name, or as `image` of /v1/images/edits, or say @name in the "
                "prompt.",
            )
        return Order.make(**values.order, characters=who, size=self._size(values) or _SQUARE)

    def _size(self, values: Values) -> tuple[int, int] | None:
        """The nearest size that pictures have."""
        size = common.resolution(values.size, "size", snap=True)
        if size is not None and values.size != f"{size[0]}x{size[1]}":
            self.notes.append(f"size: {values.size} became {size[0]}x{size[1]}, the nearest one")
        return size

    def _unused(self, given: bool, name: str, why: str) -> None:
        if given:
            self.notes.append(f"{name}: not applied; {why}")

    async def _people(self, images: list[str | Upload], given: Given, values: Values) -> tuple[Who, ...]:
        """The characters: those among the images, then those that are named apart. A mask belongs to the first one."""
        people = [("image", picture) for picture in images]
        people += [("character_reference_image", picture) for picture in fields.references(given)]
        if len(people) > MAX_CAST:
            raise InvalidRequestError(
                f"more than {MAX_CAST} characters are given", field="image", remedy=f"Give at most {MAX_CAST}."
            )
        masks = fields.pictures(given, "character_mask")
        if masks and not people:
            raise InvalidRequestError(
                "there is no character that it could belong to",
                field="character_mask",
                remedy="Give character_reference_image too.",
            )
        found = []
        for i, (field, person) in enumerate(people):
            file = await self._take(person, field, "reference")
            mask = None
            if masks and i == 0:
                given_mask = await self._take(masks[0], "character_mask", "reference-mask")
                of_reference = self._service.masks.of_reference
                mask = await asyncio.to_thread(
                    of_reference, given_mask, file, "character_mask", polarity=values.character_mask_mode
                )
            found.append(Who(image=file.sha256, mask=None if mask is None else mask.sha256))
        return tuple(found)

    async def _take(self, picture: str | Upload, field: str, role: Role) -> File:
        data, name = (picture.data, picture.name) if isinstance(picture, Upload) else (picture, "")
        file = await self._service.take(data, field, self._caller, bases=bases_of(self._request), name=name)
        self.roles.append((role, file))
        return file
