"""Result files: signed addresses that need no key."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response

from portrayal.api.doors import TheService, speaking
from portrayal.api.problems import problem
from portrayal.errors import NotFoundError

router = APIRouter(route_class=speaking(problem), tags=["files"])


@router.head("/files/{name}", include_in_schema=False)
@router.get("/files/{name}", response_class=Response, responses={200: {"content": {"image/*": {}}}})
async def file(name: str, service: TheService, expires: str = "", signature: str = "") -> Response:
    """The bytes of a picture, under the address that an answer gave."""
    proved = service.files.proved(f"/files/{name}", expires, signature)
    if proved is None:
        raise NotFoundError("this address has ended or is not ours", field="file", remedy="Ask for the result again.")
    found = await asyncio.to_thread(service.files.get, proved)
    data = await asyncio.to_thread(service.files.read, found)
    headers = {
        "cache-control": "private, max-age=31536000, immutable",
        "content-disposition": f'inline; filename="{found.filename}"',
        "x-content-type-options": "nosniff",
        "access-control-allow-origin": "*",
    }
    return Response(data, media_type=found.media_type, headers=headers)
