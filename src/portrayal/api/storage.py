"""Uploads as fal's and ModelRunner's clients make them: one storage under both doors.

Their clients ask for an address first and send the bytes to it without a key, so the address itself is the permission:
it names library and file, ends after a while, and is signed. Nothing is kept between the calls of an upload in parts:
a part is stored under its digest, and its ETag is that digest, signed for the upload.

What is taken here is what is taken everywhere: JPEG, PNG and WebP within the limits of the settings.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import IntegrityError

from portrayal.api.bodies import read_json
from portrayal.api.doors import TheCaller, TheService, base_of, may, presented_key, speaking
from portrayal.api.files import file as signed_file
from portrayal.api.problems import status_of
from portrayal.errors import (
    ImageTooLargeError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    PortrayalError,
    UnauthenticatedError,
)
from portrayal.service.files import EXTENSIONS, File
from portrayal.service.ids import new_id
from portrayal.service.service import Service

_HOUR: Final = 3600
_MEBI: Final = 1024 * 1024
_PARTS: Final = 10_000
_ETAG: Final = re.compile(r'"?([0-9a-f]{64})-([0-9a-f]{64})"?')
_TOKEN: Final = re.compile(r"([A-Za-z0-9_-]{1,900})\.(\d{1,12})\.([0-9a-f]{64})")
_AGAIN: Final = "Begin the upload again."


def encode(error: PortrayalError | Exception, request: Request) -> Response:
    """An error that both hosts' clients can read: fal's take `detail`, ModelRunner's `error`, browsers `message`."""
    status, _ = status_of(error)
    known = isinstance(error, PortrayalError)
    text = str(error) if known else "The server failed; its log says more."
    kind = "internal_error" if status >= 500 else "bad_request"
    headers = {"x-fal-error-type": kind}
    if isinstance(error, LimitError):
        headers["retry-after"] = str(error.retry_after)
    body = {"detail": text, "error": text, "message": text, "error_type": kind}
    return JSONResponse(body, status, headers)


router = APIRouter(route_class=speaking(encode), tags=["storage"])


@dataclass(frozen=True)
class Upload:
    """A file that was promised an address: its id, whose it is, its ending and the name that it was given."""

    file_id: str
    library: str
    media_type: str
    name: str

    def token(self, service: Service) -> str:
        """The permission to send it, for an hour."""
        return _sealed(service, "upload", [self.file_id, self.library, self.media_type, self.name], _HOUR)

    @classmethod
    def of(cls, service: Service, token: str) -> Upload:
        """What a token permits.

        Raises:
            NotFoundError: it is not ours, or has ended.
        """
        return cls(*_opened(service, "upload", token))

    def address(self, service: Service, base: str) -> str:
        """Where the file is, once it has arrived."""
        return service.files.storage_address(self.file_id, self.media_type, base)


def _sealed(service: Service, what: str, values: list[str], seconds: int) -> str:
    body = base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()
    expires = int(time.time()) + seconds
    return f"{body}.{expires}.{service.secrets.url_signature(f'/storage/{what}/{body}', expires)}"


def _opened(service: Service, what: str, token: str) -> list[str]:
    match = _TOKEN.fullmatch(token)
    if match is None or not service.secrets.url_valid(
        f"/storage/{what}/{match[1]}", int(match[2]), match[3], time.time()
    ):
        raise NotFoundError("this upload address has ended or is not ours", field="file", remedy=_AGAIN)
    values: list[str] = json.loads(base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4)))
    return values


def _upload(library: str, name: Any, media_type: Any) -> Upload:
    """A new upload of a file with this name and type; both are hints only."""
    kind = str(media_type).split(";")[0].strip().lower()
    shown = "".join(c for c in str(name or "") if c.isprintable())[:60]
    return Upload(new_id(), library, kind if kind in EXTENSIONS else "image/png", shown)


async def _received(request: Request, most: int) -> bytes:
    """The body.

    Raises:
        ImageTooLargeError: it is larger. All of it is read nevertheless, within reason: clients read no answer before
            they have sent everything.
    """
    data, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= most:
            data += chunk
        elif size > 8 * most:
            break
    if size > most:
        raise ImageTooLargeError(
            f"the file has more than {most / _MEBI:.4g} MB", field="file", remedy="Save it smaller; 2048 px are plenty."
        )
    return bytes(data)


async def _taken(service: Service, upload: Upload, data: bytes) -> File:
    """The stored file; sent again, the first one stays."""

    def take() -> File:
        with contextlib.suppress(NotFoundError):
            return service.files.get(upload.file_id, upload.library)
        try:
            return service.files.take(data, "file", upload.library, name=upload.name, file_id=upload.file_id)
        except IntegrityError:  # sent twice at the same time
            return service.files.get(upload.file_id, upload.library)

    return await asyncio.to_thread(take)


# One address for one file: fal's older and its JavaScript client, ModelRunner.


@router.post("/storage/upload/initiate")
async def initiate(request: Request, service: TheService, caller: TheCaller) -> dict[str, str]:
    """Promise an address: the bytes go to `upload_url` with PUT, and then the picture is at `file_url`."""
    may(caller, "create")
    body = await read_json(request, service.settings.max_upload_bytes)
    upload = _upload(caller.library, body.get("file_name"), body.get("content_type"))
    base = base_of(request)
    return {
        "upload_url": f"{base}/storage/upload/{upload.token(service)}",
        "file_url": upload.address(service, base),
    }


@router.put("/storage/upload/{token}")
async def put(token: str, request: Request, service: TheService) -> dict[str, str]:
    """The bytes of a promised file; the address is the permission."""
    upload = Upload.of(service, token)
    await _taken(service, upload, await _received(request, service.settings.max_upload_bytes))
    return {"file_url": upload.address(service, base_of(request))}


@router.head("/storage/files/{expires}/{signature}/{name}", include_in_schema=False)
@router.get("/storage/files/{expires}/{signature}/{name}", response_class=Response)
async def stored(expires: str, signature: str, name: str, service: TheService) -> Response:
    """The bytes of an uploaded picture."""
    return await signed_file(name, service, expires, signature)


# fal's Python client: a token first, then all bytes to `/files/upload`.


@router.post("/storage/auth/token")
async def token(request: Request, service: TheService, caller: TheCaller) -> dict[str, str]:
    """A token for uploads, for an hour."""
    may(caller, "create")
    expires = datetime.fromtimestamp(time.time() + _HOUR - 60, UTC)
    return {
        "token": _sealed(service, "library", [caller.library], _HOUR),
        "token_type": "Bearer",
        "base_url": base_of(request),
        "expires_at": expires.isoformat(timespec="seconds"),
    }


async def _library(request: Request, service: Service) -> str:
    """Whose upload it is: of the token's owner, or of a key's."""
    presented = presented_key(request)
    if presented is not None and _TOKEN.fullmatch(presented):
        try:
            return _opened(service, "library", presented)[0]
        except NotFoundError:
            raise UnauthenticatedError("the token has ended", remedy="Ask for a new one.") from None
    caller = await asyncio.to_thread(service.keys.caller, presented)
    may(caller, "create")
    return caller.library


@router.post("/files/upload")
async def upload_whole(request: Request, service: TheService) -> dict[str, str]:
    """All bytes of one file; answers with its address."""
    library = await _library(request, service)
    upload = _upload(library, request.headers.get("x-fal-file-name"), request.headers.get("content-type"))
    file = await _taken(service, upload, await _received(request, service.settings.max_upload_bytes))
    return {"access_url": service.files.storage_address(file.id, file.media_type, base_of(request))}


# Files in parts.


def _etag(service: Service, upload: Upload, number: int, digest: str) -> str:
    return f"{digest}-{service.secrets.url_signature(f'/storage/part/{upload.file_id}/{number}/{digest}', 0)}"


async def _part(service: Service, request: Request, token: str, number: int) -> Response:
    upload = Upload.of(service, token)
    if not 1 <= number <= _PARTS:
        raise InvalidRequestError("is no part's number", field="partNumber", remedy=f"Count from 1 to {_PARTS}.")
    data = await _received(request, service.settings.max_upload_bytes)
    etag = _etag(service, upload, number, await asyncio.to_thread(service.blobs.put, data))
    return JSONResponse({"partNumber": number, "etag": etag}, headers={"etag": etag})


async def _completed(service: Service, token: str, parts: Any) -> Upload:
    """Put the parts together.

    Raises:
        InvalidRequestError: a part was not sent with this upload.
        ImageTooLargeError: together they are too large.
    """
    upload = Upload.of(service, token)
    if not isinstance(parts, list) or not 1 <= len(parts) <= _PARTS:
        raise InvalidRequestError("are missing", field="parts", remedy='Give [{"partNumber": 1, "etag": ...}, ...].')
    digests: dict[int, str] = {}
    for part in parts:
        number = part.get("partNumber") if isinstance(part, dict) else None
        match = _ETAG.fullmatch(str(part.get("etag"))) if isinstance(part, dict) else None
        if type(number) is not int or match is None or _etag(service, upload, number, match[1]) != match[0].strip('"'):
            raise InvalidRequestError("one was not sent with this upload", field="parts", remedy=_AGAIN)
        digests[number] = match[1]
    most = service.settings.max_upload_bytes

    def join() -> bytes:
        whole = bytearray()
        for number in sorted(digests):
            whole += service.blobs.get(digests[number])
            if len(whole) > most:
                raise ImageTooLargeError(
                    f"the file has more than {most / _MEBI:.4g} MB", field="file", remedy="Save it smaller."
                )
        return bytes(whole)

    await _taken(service, upload, await asyncio.to_thread(join))
    return upload


@router.post("/storage/upload/initiate-multipart")
async def initiate_parts(request: Request, service: TheService, caller: TheCaller) -> dict[str, str]:
    """Promise an address for a file in parts, in the words of both hosts."""
    may(caller, "create")
    body = await read_json(request, service.settings.max_upload_bytes)
    upload = _upload(caller.library, body.get("file_name"), body.get("content_type"))
    base, token = base_of(request), upload.token(service)
    address = upload.address(service, base)
    return {
        "upload_url": f"{base}/storage/upload/{token}",
        "file_url": address,
        "fileUrl": address,
        "uploadId": token,
        "uploadKey": upload.file_id,
    }


@router.put("/storage/upload/{token}/{number}")
async def put_part(token: str, number: int, request: Request, service: TheService) -> Response:
    """A part of a file; its number counts from 1."""
    return await _part(service, request, token, number)


@router.post("/storage/upload/{token}/complete")
async def complete(token: str, request: Request, service: TheService) -> dict[str, str]:
    """All parts were sent: `{"parts": [{"partNumber", "etag"}]}`."""
    body = await read_json(request, service.settings.max_upload_bytes)
    upload = await _completed(service, token, body.get("parts"))
    return {"file_url": upload.address(service, base_of(request))}


@router.get("/storage/upload/multipart-url")
async def part_address(
    request: Request,
    service: TheService,
    caller: TheCaller,
    uploadId: str,
    partNumber: int,
) -> dict[str, str]:
    """Where a part goes (ModelRunner)."""
    may(caller, "create")
    Upload.of(service, uploadId)
    return {"presignedUrl": f"{base_of(request)}/storage/upload/{uploadId}/{partNumber}"}


@router.post("/storage/upload/complete")
async def complete_by_name(request: Request, service: TheService, caller: TheCaller) -> dict[str, str]:
    """All parts were sent: `{"uploadId", "uploadKey", "parts"}` (ModelRunner)."""
    may(caller, "create")
    body = await read_json(request, service.settings.max_upload_bytes)
    upload = await _completed(service, str(body.get("uploadId")), body.get("parts"))
    return {"fileUrl": upload.address(service, base_of(request))}


@router.post("/files/upload/multipart")
async def begin_parts(request: Request, service: TheService) -> dict[str, str]:
    """Begin a file in parts (fal's Python client); their addresses begin with the file's own."""
    library = await _library(request, service)
    upload = _upload(library, request.headers.get("x-fal-file-name"), request.headers.get("content-type"))
    return {"access_url": upload.address(service, base_of(request)), "uploadId": upload.token(service)}


@router.put("/storage/files/{expires}/{signature}/{name}/multipart/{token}/{number}")
async def put_part_below(token: str, number: int, request: Request, service: TheService) -> Response:
    """A part of a file; its number counts from 1."""
    return await _part(service, request, token, number)


@router.post("/storage/files/{expires}/{signature}/{name}/multipart/{token}/complete")
async def complete_below(token: str, request: Request, service: TheService) -> dict[str, str]:
    """All parts were sent."""
    body = await read_json(request, service.settings.max_upload_bytes)
    upload = await _completed(service, token, body.get("parts"))
    return {"access_url": upload.address(service, base_of(request))}
