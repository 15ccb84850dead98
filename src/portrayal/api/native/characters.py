"""Characters: saved once, used in every prompt as `@name`."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Query, Request, UploadFile
from fastapi import File as Part
from fastapi.responses import Response
from pydantic import Field

from portrayal.api.doors import TheCaller, TheService, link_of, may, speaking
from portrayal.api.native.bodies import Given, In, Text
from portrayal.api.native.files import BYTES
from portrayal.api.native.models import PREFIX, FileOut, Out, problems, shown_file
from portrayal.api.native.orders import reader_of
from portrayal.api.problems import problem
from portrayal.character.card import THUMBNAIL
from portrayal.errors import ArchiveError, InvalidRequestError, NotFoundError
from portrayal.service.character_store import Character
from portrayal.service.characters import PAGE
from portrayal.service.files import File

router = APIRouter(route_class=speaking(problem), tags=["characters"])

MAX_ARCHIVE = 256_000_000
Name = Annotated[str, Path(min_length=1, max_length=80, description="Of a character, with or without `@`; or its id.")]
NameIn = Annotated[Text, Field(min_length=1, max_length=41, description="1 to 40 letters, digits, - or _.")]
Notes = Annotated[Text, Field(max_length=10_000)]
Tags = Annotated[tuple[Annotated[Text, Field(min_length=1, max_length=40)], ...], Field(max_length=50)]


class MaskVersionOut(Out):
    """One version of the character mask: white belongs to the character."""

    version: int
    note: str
    created: datetime
    url: str


class CharacterOut(Out):
    """A saved character."""

    id: str
    name: str
    kind: Annotated[Literal["person", "subject"], Field(description="`subject`: a mascot, drawing or animal.")]
    notes: str
    tags: tuple[str, ...]
    star: bool
    created: datetime
    updated_at: datetime
    image: Annotated[FileOut, Field(description="The picture of the character.")]
    thumbnail_url: str
    masks: tuple[MaskVersionOut, ...]
    mask_used: Annotated[int, Field(description="The version in use; 0: automatic (face and hair).")]
    advice: Annotated[tuple[str, ...], Field(description="What would make the picture a better reference.")]


class CharactersOut(Out):
    """One page of characters, by name."""

    characters: tuple[CharacterOut, ...]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null at the end.")] = None


class CharacterIn(In):
    """A character to save."""

    name: NameIn
    image: Annotated[Given, Field(description="A picture of the character. Only of people who agreed.")]
    mask: Annotated[Given | None, Field(description="White belongs to the character; default: face and hair.")] = None
    notes: Notes = ""
    tags: Tags = ()
    replace: Annotated[bool, Field(description="Put it in the place of a character of that name.")] = False


class CharacterChange(In):
    """What is changed; what is left out stays."""

    name: NameIn | None = None
    notes: Notes | None = None
    tags: Tags | None = None
    star: bool | None = None


class CharacterMaskIn(In):
    """A new version of the mask, or the version to use."""

    mask: Annotated[Given | None, Field(description="A new version, used from now on.")] = None
    note: Annotated[Notes, Field(description="What the new version is for.")] = ""
    use: Annotated[int | None, Field(ge=0, le=99, description="Use this version; 0: the automatic one.")] = None


def _shown(character: Character, files: dict[str, File], request: Request) -> CharacterOut:
    known, link = character.card, link_of(request)

    def address(name: str) -> str:
        file = files.get(name)
        return "" if file is None else link(file.id, file.media_type)

    if known.reference.file not in files:
        raise NotFoundError("the picture of this character is lost", field="name", remedy="Save it again.")
    masks = tuple(
        MaskVersionOut(version=m.version, note=m.note, created=m.created, url=address(m.file)) for m in known.masks
    )
    same = {
        name: getattr(known, name) for name in ("id", "name", "kind", "notes", "tags", "star", "created", "mask_used")
    }
    return CharacterOut(
        **same,
        updated_at=datetime.fromtimestamp(character.updated_at, UTC),
        image=shown_file(files[known.reference.file], request).model_copy(update={"name": ""}),
        thumbnail_url=address(THUMBNAIL),
        masks=masks,
        advice=character.advice,
    )


async def _one(character: Character, request: Request, service: TheService) -> CharacterOut:
    files = await asyncio.to_thread(service.characters.files, [character])
    return _shown(character, files[character.card.id], request)


_MADE: dict[int | str, dict[str, Any]] = {
    **problems(403, 409, 413),
    201: {
        "description": "Saved.",
        "headers": {"Location": {"description": "Of the character.", "schema": {"type": "string"}}},
    },
}


@router.post("/characters", status_code=201, responses=_MADE)
async def create(
    body: CharacterIn, request: Request, response: Response, service: TheService, caller: TheCaller
) -> CharacterOut:
    """Save a character: the picture is studied, a thumbnail made."""
    may(caller, "create")
    reader = reader_of(service, caller, request)
    image = await reader.picture(body.image, "image")
    data = await asyncio.to_thread(service.files.read, image)
    mask = None
    if body.mask is not None:
        mask = await asyncio.to_thread(service.files.read, await reader.picture(body.mask, "mask"))
    made = await asyncio.to_thread(
        service.characters.add,
        body.name,
        data,
        caller.library,
        mask=mask,
        notes=body.notes,
        tags=body.tags,
        replace=body.replace,
    )
    return await _saved(made, request, response, service)


async def _saved(made: Character, request: Request, response: Response, service: TheService) -> CharacterOut:
    response.headers["location"] = f"{PREFIX}/characters/{quote(made.card.name)}"
    return await _one(made, request, service)


@router.get("/characters", responses=problems(403))
async def characters(
    request: Request,
    service: TheService,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = 50,
    cursor: Annotated[str, Query(max_length=400, description="`next` of the page before.")] = "",
    q: Annotated[str, Query(max_length=41, description="A part of the name.")] = "",
) -> CharactersOut:
    """All characters by name, page by page."""
    may(caller, "read")
    found, after = await asyncio.to_thread(
        service.characters.page, caller.library, limit=limit, cursor=cursor, contains=q
    )
    files = await asyncio.to_thread(service.characters.files, found)
    whole = [c for c in found if c.card.reference.file in files[c.card.id]]
    shown = tuple(_shown(c, files[c.card.id], request) for c in whole)
    return CharactersOut(characters=shown, next=after or None)


@router.post("/characters/import", status_code=201, responses=_MADE)
async def import_(
    file: Annotated[UploadFile, Part(description="A zip file of an export.")],
    request: Request,
    response: Response,
    service: TheService,
    caller: TheCaller,
    name: Annotated[str | None, Form(max_length=41, description="Another name.")] = None,
    replace: Annotated[bool, Form(description="Put it in the place of a character of that name.")] = False,
) -> CharacterOut:
    """Save the character of a zip file of `portrayal character export` or of this API."""
    may(caller, "create")
    data = await file.read(MAX_ARCHIVE + 1)
    if len(data) > MAX_ARCHIVE:
        raise ArchiveError(f"has more than {MAX_ARCHIVE} bytes", field="file", remedy="Export it anew.")
    made = await asyncio.to_thread(service.characters.import_, data, caller.library, name=name or None, replace=replace)
    return await _saved(made, request, response, service)


@router.get("/characters/{name}", responses=problems(403, 404))
async def character(name: Name, request: Request, service: TheService, caller: TheCaller) -> CharacterOut:
    """One character."""
    may(caller, "read")
    return await _one(await asyncio.to_thread(service.characters.get, name, caller.library), request, service)


@router.patch("/characters/{name}", responses=problems(403, 404, 409))
async def change(
    name: Name, body: CharacterChange, request: Request, service: TheService, caller: TheCaller
) -> CharacterOut:
    """Change name, notes, tags or star."""
    may(caller, "create")
    changed = await asyncio.to_thread(
        service.characters.change,
        name,
        caller.library,
        new_name=body.name,
        notes=body.notes,
        tags=body.tags,
        star=body.star,
    )
    return await _one(changed, request, service)


@router.delete("/characters/{name}", status_code=204, responses=problems(403, 404))
async def remove(name: Name, service: TheService, caller: TheCaller) -> None:
    """Delete a character, all that was learnt from it, and its pictures where nothing else uses them.

    Finished portrayals stay; they can no longer be made again.
    """
    may(caller, "delete")
    await asyncio.to_thread(service.characters.remove, name, caller.library)


@router.post("/characters/{name}/masks", responses=problems(403, 404, 413))
async def masks(
    name: Name, body: CharacterMaskIn, request: Request, service: TheService, caller: TheCaller
) -> CharacterOut:
    """Add a version of the mask, or choose the one that is used."""
    may(caller, "create")
    if (body.mask is None) == (body.use is None):
        what = "neither a mask nor a version is given" if body.mask is None else "a mask and a version are both given"
        raise InvalidRequestError(what, field="mask", remedy="Give one of them.")
    await asyncio.to_thread(service.characters.get, name, caller.library)
    if body.mask is None:
        done = await asyncio.to_thread(service.characters.use_mask, name, body.use or 0, caller.library)
    else:
        mask = await reader_of(service, caller, request).picture(body.mask, "mask")
        data = await asyncio.to_thread(service.files.read, mask)
        done = await asyncio.to_thread(service.characters.add_mask, name, data, caller.library, note=body.note)
    return await _one(done, request, service)


_THUMBNAIL = {**problems(403, 404), 200: {"description": "256x256 pixels.", "content": {"image/webp": {}}}}
_ZIP = {**problems(403, 404), 200: {"description": "The archive.", "content": {"application/zip": {}}}}


@router.get("/characters/{name}/thumbnail", response_class=Response, responses=_THUMBNAIL)
async def thumbnail(name: Name, service: TheService, caller: TheCaller) -> Response:
    """A small picture, to know the character by."""
    may(caller, "read")
    found = await asyncio.to_thread(service.characters.get, name, caller.library)
    return Response(await asyncio.to_thread(service.blobs.get, found.thumbnail), media_type="image/webp")


@router.get("/characters/{name}/image", response_class=Response, responses={**problems(403, 404), **BYTES})
async def image(name: Name, service: TheService, caller: TheCaller) -> Response:
    """The picture of the character."""
    may(caller, "read")
    file = await asyncio.to_thread(service.characters.reference, name, caller.library)
    return Response(await asyncio.to_thread(service.files.read, file), media_type=file.media_type)


@router.get("/characters/{name}/export", response_class=Response, responses=_ZIP)
async def export(
    name: Name,
    service: TheService,
    caller: TheCaller,
    with_identity: Annotated[bool, Query(description="Also the face descriptor: personal data.")] = False,
) -> Response:
    """The character as one zip file, as `portrayal character export` writes it."""
    may(caller, "read")
    called, data = await asyncio.to_thread(service.characters.export, name, caller.library, with_identity=with_identity)
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", called)
    disposition = f"attachment; filename=\"{plain}.zip\"; filename*=UTF-8''{quote(called)}.zip"
    return Response(data, media_type="application/zip", headers={"content-disposition": disposition})
