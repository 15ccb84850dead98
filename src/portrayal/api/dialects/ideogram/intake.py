"""Pictures and people of a call: taken in, checked, and remembered by their roles."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Literal

from fastapi import Request

from portrayal.api.dialects.common import choice
from portrayal.api.dialects.ideogram.fields import Fields
from portrayal.api.doors import bases_of
from portrayal.errors import InvalidRequestError, NotFoundError
from portrayal.request import MaskMode
from portrayal.service.envelope import Role
from portrayal.service.fetching import data_uri
from portrayal.service.files import File
from portrayal.service.keys import Caller
from portrayal.service.orders import Who
from portrayal.service.service import Service
from portrayal.service.trial import Trial

MASK_MODES: dict[str, MaskMode] = {"black": "black", "white": "white", "alpha": "alpha"}
_POLARITIES: dict[str, Literal["white", "black"]] = {"white": "white", "black": "black"}
MASK_MODE = "mask_mode"
CHARACTER_MASK_MODE = "character_mask_mode"


def is_id(name: str) -> bool:
    """Whether it may be an id of ours; anything else need not reach the database."""
    return re.fullmatch(r"[0-9a-z]{26}", name) is not None


class Intake:
    """Takes in the pictures of one call.

    Args:
        keep: False for a price quote: everything is checked, nothing is stored.

    Attributes:
        roles: what was taken in, for the lineage.
    """

    def __init__(self, request: Request, service: Service, caller: Caller, *, keep: bool = True) -> None:
        self._service, self._caller, self._bases = service, caller, bases_of(request)
        self._trial = None if keep else Trial(service.settings)
        self.roles: list[tuple[Role, File]] = []

    async def picture(self, given: bytes | str, field: str, role: Role) -> File:
        """A picture: a file, or the address of one of ours, a public URL or a data URI.

        Raises:
            PortrayalError: it cannot be had, or is no picture that is taken; `field` is named.
        """
        file = await self._taken(given, field)
        self.roles.append((role, file))
        return file

    async def asset(self, identifier: Any, field: str, role: Role) -> File:
        """A file of ours, by ``{"asset_type": ..., "asset_id": ID}``; the type does not matter.

        Raises:
            InvalidRequestError: it is no such object.
            NotFoundError: there is no such file.
        """
        name = identifier.get("asset_id") if isinstance(identifier, Mapping) else None
        if not isinstance(name, str):
            raise InvalidRequestError(
                "is no asset identifier", field=field, remedy='Give {"asset_type": "UPLOAD", "asset_id": ...}.'
            )
        missing = NotFoundError("there is no such file", field=field, remedy="Give the id of a file of this server.")
        if not is_id(name):
            raise missing
        try:
            file = await asyncio.to_thread(self._service.files.get, name, self._caller.library)
        except NotFoundError:
            raise missing from None
        if self._trial is not None:
            data = await asyncio.to_thread(self._service.files.read, file)
            file = await asyncio.to_thread(self._trial.take, data, field, file.library)
        self.roles.append((role, file))
        return file

    async def edit_mask(self, mask: File, image: File, fields: Fields, field: str) -> File:
        """The mask of an edit in the internal form; black is repainted unless `mask_mode` says otherwise.

        Raises:
            MaskMismatchError, InvalidRequestError: see `Masks.of_edit`.
        """
        mode = choice(fields.value(MASK_MODE), MASK_MODES, MASK_MODE, "black")
        work = self._service.masks.of_edit if self._trial is None else self._trial.edit_mask
        done = await asyncio.to_thread(work, mask, image, mode, field)
        self.roles.append(("mask", done))
        return done

    async def who(self, reference: File, mask: bytes | str | None, fields: Fields, field: str) -> Who:
        """A character; white in its mask belongs to it unless `character_mask_mode` says otherwise.

        Raises:
            MaskMismatchError, InvalidRequestError: see `Masks.of_reference`.
        """
        polarity = choice(fields.value(CHARACTER_MASK_MODE), _POLARITIES, CHARACTER_MASK_MODE, "white")
        if mask is None:
            return Who(image=reference.sha256)
        given = await self._taken(mask, field)
        if self._trial is None:
            of = self._service.masks.of_reference
            done = await asyncio.to_thread(of, given, reference, field, polarity=polarity)
        else:
            done = await asyncio.to_thread(self._trial.reference_mask, given, reference, polarity, field)
        self.roles.append(("reference-mask", done))
        return Who(image=reference.sha256, mask=done.sha256)

    async def mask(self, given: bytes | str, field: str) -> File:
        """A mask as it came; `edit_mask` makes it useful.

        Raises:
            PortrayalError: as for `picture`.
        """
        return await self._taken(given, field)

    async def asset_mask(self, identifier: Any, field: str) -> File:
        """As `mask`, by its asset identifier.

        Raises:
            InvalidRequestError, NotFoundError: as for `asset`.
        """
        file = await self.asset(identifier, field, "mask")
        self.roles.pop()
        return file

    async def _taken(self, given: bytes | str, field: str) -> File:
        if self._trial is None:
            return await self._service.take(given, field, self._caller, bases=self._bases)
        data = given if isinstance(given, bytes) else await self._fetched(given.strip(), field)
        return await asyncio.to_thread(self._trial.take, data, field, self._caller.library)

    async def _fetched(self, text: str, field: str) -> bytes:
        if text[:5].lower() == "data:":
            return await asyncio.to_thread(data_uri, text, field, self._service.settings.max_upload_bytes)
        try:
            own = await asyncio.to_thread(self._service.files.own, text, self._bases, self._caller.library)
        except NotFoundError as error:
            raise InvalidRequestError(error.message, field=field, remedy=error.remedy) from None
        if own is not None:
            return await asyncio.to_thread(self._service.files.read, own)
        return await self._service.guard.image(text, field)
