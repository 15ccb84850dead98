"""Replicate's files: pictures that are uploaded once and named by their address in inputs."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from portrayal.api.bodies import Upload, read_form
from portrayal.api.dialects.replicate import listing
from portrayal.api.dialects.replicate.answers import moment
from portrayal.api.dialects.replicate.errors import INVALID, encode
from portrayal.api.doors import TheCaller, TheService, base_of, may, speaking
from portrayal.errors import ForbiddenError, InvalidRequestError, NotFoundError
from portrayal.service.files import File, file_of
from portrayal.service.signing import Secrets
from portrayal.service.tables import StoredFile

router = APIRouter(route_class=speaking(encode))

_NEVER: Final = "9999-12-31T00:00:00.000Z"  # clients want a time; a file that a prediction uses does not expire
_MAX_METADATA: Final = 16_384


def shown(file: File, base: str, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    """A file as Replicate shows it."""
    expires = None if file.expires_at is None else datetime.fromtimestamp(file.expires_at, UTC)
    return {
        "id": file.id,
        "name": file.name or file.filename,
        "content_type": file.media_type,
        "size": file.size,
        "etag": f'"{file.sha256}"',
        "checksums": {"sha256": file.sha256},
        "metadata": metadata or {},
        "created_at": moment(datetime.fromtimestamp(file.created_at, UTC)),
        "expires_at": moment(expires) or _NEVER,
        "urls": {"get": f"{base}/v1/files/{file.id}"},
    }


@router.post("/files", status_code=201)
async def upload(request: Request, service: TheService, caller: TheCaller) -> Response:
    """Take a picture: multipart part `content`, and optionally `metadata`, a JSON object that is sent back."""
    may(caller, "create")
    form = await read_form(request, service.settings.max_upload_bytes)
    content = form.get("content", [""])[0]
    if not isinstance(content, Upload):
        return _without_content("file" in form)
    metadata = _metadata(form.get("metadata", [""])[0])
    file = await service.take(content.data, "content", caller, name=content.name)
    return JSONResponse(shown(file, base_of(request), metadata), 201)


def _without_content(others: bool) -> Response:
    """There is no part `content`. What looks like OpenAI's call (`file`, `purpose`) is told so in its own form too."""
    detail = "content is required"
    wrong = {"type": "required", "field": "content", "description": detail}
    body: dict[str, Any] = {"title": INVALID, "detail": f"- {detail}\n", "status": 422, "invalid_fields": [wrong]}
    if not others:
        return JSONResponse(body, 422)
    message = "This server keeps no files for the Images API. Send the picture itself to /v1/images/edits."
    error = {"message": message, "type": "invalid_request_error", "param": "file", "code": "unsupported"}
    return JSONResponse({**body, "status": 400, "error": error}, 400)


def _metadata(given: str | Upload) -> dict[str, Any]:
    text = given.data if isinstance(given, Upload) else given.encode()
    if not text:
        return {}
    try:
        value = json.loads(text) if len(text) <= _MAX_METADATA else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidRequestError("is no JSON object", field="metadata", remedy="Give at most 16 kB of JSON.")
    return value


@router.get("/files")
async def listed(request: Request, service: TheService, caller: TheCaller, cursor: str = "") -> dict[str, Any]:
    """The uploads, the newest first."""
    may(caller, "read")
    page = await asyncio.to_thread(listing.files, service, caller.library, cursor, time.time())
    base = base_of(request)
    return {
        "next": page.next and f"{base}/v1/files?cursor={page.next}",
        "previous": page.previous and f"{base}/v1/files?cursor={page.previous}",
        "results": [shown(file_of(row), base) for row in page.rows],
    }


@router.get("/files/{file_id}")
async def one(file_id: str, request: Request, service: TheService, caller: TheCaller) -> dict[str, Any]:
    """What is known of a file. Its address in an input means the picture itself."""
    may(caller, "read")
    return shown(await asyncio.to_thread(service.files.get, file_id, caller.library), base_of(request))


@router.delete("/files/{file_id}", status_code=204)
async def delete(file_id: str, service: TheService, caller: TheCaller) -> Response:
    """Forget an upload; predictions that were made from it keep what they need."""
    may(caller, "delete")

    def forget() -> None:
        service.files.get(file_id, caller.library)
        with service.database.session() as session:
            row = session.get(StoredFile, file_id)
            if row is None or row.library != caller.library or row.purpose != "upload":
                raise NotFoundError("there is no such upload", field="file")
            session.delete(row)

    await asyncio.to_thread(forget)
    return Response(status_code=204)


@router.get("/files/{file_id}/download")
async def download(
    file_id: str, service: TheService, owner: str = "", expiry: str = "", signature: str = ""
) -> Response:
    """The bytes of a file, for whoever has the signed address. Needs no key."""
    if not _signed(service.secrets.of(owner), owner, file_id, expiry, signature):
        raise ForbiddenError("the signature does not fit, or its time has come", remedy="Sign the address again.")
    file = await asyncio.to_thread(service.files.get, file_id, owner)
    headers = {"x-content-type-options": "nosniff", "etag": f'"{file.sha256}"'}
    return Response(await asyncio.to_thread(service.files.read, file), media_type=file.media_type, headers=headers)


def _signed(secrets: Secrets, owner: str, file_id: str, expiry: str, signature: str) -> bool:
    """Whether `signature` is the base64 HMAC-SHA256 of "owner id expiry", as Replicate wants it."""
    if not expiry.isdecimal() or len(expiry) > 12 or int(expiry) < time.time():
        return False
    content = f"{owner} {file_id} {expiry}".encode("utf-8", "replace")
    expected = base64.b64encode(hmac.digest(secrets.webhook, content, hashlib.sha256)).decode()
    given = signature.replace(" ", "+")  # a plus sign that was not escaped in the query
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
