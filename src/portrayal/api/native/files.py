"""Files: upload once, use many times; masks of what is in them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, UploadFile
from fastapi import File as Part
from fastapi.responses import Response
from pydantic import Field

from portrayal.api.doors import TheCaller, TheService, may, speaking
from portrayal.api.native.bodies import Given, In
from portrayal.api.native.models import FileOut, Out, problems, shown_file
from portrayal.api.native.orders import reader_of
from portrayal.api.problems import problem
from portrayal.errors import ConflictError, ImageTooLargeError, InvalidRequestError
from portrayal.service import unused
from portrayal.service.looking import MAX_FEATHER, MAX_GROW, What
from portrayal.service.service import Service

router = APIRouter(route_class=speaking(problem), tags=["files"])

MAX_FILES = 16
Id = Annotated[str, Path(pattern="^[0-9a-z]{26}$", description="Of a file.")]
BYTES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/png", "image/jpeg", "image/webp")
        },
    }
}


class FilesOut(Out):
    """What was uploaded, in its order."""

    files: tuple[FileOut, ...]


class MaskIn(In):
    """What of a picture is chosen."""

    what: What
    grow: Annotated[int, Field(ge=-MAX_GROW, le=MAX_GROW, description="Pixels; smaller than 0 shrinks it.")] = 0
    feather: Annotated[int, Field(ge=0, le=MAX_FEATHER, description="Width of a soft border, pixels.")] = 0


class DescribeIn(In):
    """The picture that is described."""

    image: Given


class DescribeOut(Out):
    """A picture in words."""

    prompt: Annotated[str, Field(description="Words that lead to such a picture.")]
    style_code: Annotated[str, Field(description="The nearest style code, 8 hexadecimal digits.")]
    facts: Annotated[dict[str, float | str], Field(description="What was measured, and how sure it is.")]
    own: Annotated[bool, Field(description="Portrayal made it and it still holds its request.")] = False


async def uploaded(part: UploadFile, field: str, most: int) -> bytes:
    """The bytes of an uploaded part.

    Raises:
        ImageTooLargeError: it has more than `most` bytes.
    """
    data = await part.read(most + 1)
    if len(data) > most:
        raise ImageTooLargeError(f"the file has more than {most} bytes", field=field, remedy="Save it smaller.")
    return data


@router.post("/files", status_code=201, responses=problems(403, 413))
async def upload(
    files: Annotated[list[UploadFile], Part(description="JPEG, PNG or WebP; several parts of this name.")],
    request: Request,
    service: TheService,
    caller: TheCaller,
) -> FilesOut:
    """Upload pictures. Their metadata is cut out; what nothing uses is deleted after some days."""
    may(caller, "create")
    if len(files) > MAX_FILES:
        raise InvalidRequestError(f"{len(files)} files are given", field="files", remedy=f"At most {MAX_FILES}.")
    taken = []
    for part in files:
        data = await uploaded(part, "files", service.settings.max_upload_bytes)
        name = "".join(c for c in part.filename or "" if c.isprintable())
        taken.append(await service.take(data, "files", caller, name=name))
    return FilesOut(files=tuple(shown_file(file, request) for file in taken))


@router.get("/files/{id}", responses=problems(403, 404))
async def file(id: Id, request: Request, service: TheService, caller: TheCaller) -> FileOut:
    """What is known of a file, and its address."""
    may(caller, "read")
    return shown_file(await asyncio.to_thread(service.files.get, id, caller.library), request)


@router.get("/files/{id}/content", response_class=Response, responses={**problems(403, 404), **BYTES})
async def content(id: Id, service: TheService, caller: TheCaller) -> Response:
    """The bytes of a file."""
    may(caller, "read")
    found = await asyncio.to_thread(service.files.get, id, caller.library)
    headers = {"content-disposition": f'inline; filename="{found.filename}"', "x-content-type-options": "nosniff"}
    return Response(await asyncio.to_thread(service.files.read, found), media_type=found.media_type, headers=headers)


@router.delete("/files/{id}", status_code=204, responses=problems(403, 404, 409))
async def delete(id: Id, service: TheService, caller: TheCaller) -> None:
    """Delete an upload. Pictures of portrayals and of characters go with those."""
    may(caller, "delete")
    await asyncio.to_thread(_delete, service, id, caller.library)


def _delete(service: Service, file_id: str, library: str) -> None:
    found = service.files.get(file_id, library)
    if found.purpose != "upload":
        owner = "portrayal" if found.purpose == "result" else "character or edit"
        raise ConflictError(f"this file belongs to a {owner}", field="id", remedy="Delete that.")
    service.files.forget(found.id)
    unused.drop(service.database, service.blobs, (found.sha256,), history=True)


@router.post("/files/{id}/mask", status_code=201, responses=problems(403, 404))
async def mask(id: Id, body: MaskIn, request: Request, service: TheService, caller: TheCaller) -> FileOut:
    """A mask of what is in a picture, as a new file of the same size; white is chosen."""
    may(caller, "create")
    found = await asyncio.to_thread(service.files.get, id, caller.library)
    made = await asyncio.to_thread(service.looking.mask, found, body.what, grow=body.grow, feather=body.feather)
    return shown_file(made, request)


@router.post("/describe", responses=problems(403, 413), tags=["portrayals"])
async def describe(body: DescribeIn, request: Request, service: TheService, caller: TheCaller) -> DescribeOut:
    """A picture in words: a prompt that leads back to such a picture, and its style code."""
    may(caller, "create")
    found = await reader_of(service, caller, request).picture(body.image, "image")
    described = await asyncio.to_thread(service.looking.describe, found)
    return DescribeOut(**dict(described))
