"""Keys, for those whose key has the scope `admin`."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from portrayal.api.doors import TheCaller, TheService, may, speaking
from portrayal.api.native.bodies import In, Text
from portrayal.api.native.models import Out, problems
from portrayal.api.problems import problem
from portrayal.service.keys import LIBRARY, Scope
from portrayal.service.tables import ApiKey

router = APIRouter(route_class=speaking(problem), tags=["keys"])

Count = Annotated[int | None, Field(ge=1, le=1_000_000_000)]


class KeyIn(In):
    """A key to make."""

    name: Annotated[Text, Field(min_length=1, max_length=80)]
    library: Annotated[
        Text, Field(min_length=1, max_length=40, description="Keys of one library share characters and pictures.")
    ] = LIBRARY
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=8)] = ("create", "read", "delete")
    max_in_flight: Annotated[Count, Field(description="Unfinished portrayals; null: the server's limit.")] = None
    daily: Annotated[Count, Field(description="Pictures in 24 hours; null: no limit.")] = None


class KeyOut(Out):
    """A key, without itself."""

    id: str
    name: str
    prefix: Annotated[str, Field(description="Its first characters, to know it by.")]
    library: str
    scopes: tuple[str, ...]
    max_in_flight: int | None
    daily: int | None
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class NewKeyOut(KeyOut):
    """A new key; `key` is shown this once."""

    key: str


class KeysOut(Out):
    """All keys, the oldest first; revoked ones too."""

    keys: tuple[KeyOut, ...]


def _shown(row: ApiKey) -> KeyOut:
    return KeyOut(**{name: getattr(row, name) for name in KeyOut.model_fields})


@router.get("/keys", responses=problems(403))
async def keys(service: TheService, caller: TheCaller) -> KeysOut:
    """All keys."""
    may(caller, "admin")
    return KeysOut(keys=tuple(_shown(row) for row in await asyncio.to_thread(service.keys.listed)))


@router.post("/keys", status_code=201, responses=problems(403))
async def create(body: KeyIn, service: TheService, caller: TheCaller) -> NewKeyOut:
    """Make a key. Only its hash is stored: `key` is shown this once."""
    may(caller, "admin")
    row, key = await asyncio.to_thread(
        service.keys.create,
        body.name,
        library=body.library,
        scopes=body.scopes,
        max_in_flight=body.max_in_flight,
        daily=body.daily,
    )
    return NewKeyOut(**dict(_shown(row)), key=key)


@router.delete("/keys/{id}", responses=problems(403, 404))
async def revoke(id: Annotated[str, Path(pattern="^[0-9a-z]{26}$")], service: TheService, caller: TheCaller) -> KeyOut:
    """End a key, now and for ever."""
    may(caller, "admin")
    return _shown(await asyncio.to_thread(service.keys.revoke, id))
