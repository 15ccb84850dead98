"""Reading of request bodies, with limits: JSON objects and forms."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from portrayal.errors import ImageTooLargeError, InvalidRequestError

PICTURES: Final = 6
"""Pictures of the largest size that one body may hold, roughly; base64 counts a third more."""
_SHORT: Final = 256 * 1024  # bytes of JSON that are parsed at once, without a thread
_DEEPEST: Final = 32  # values within values: Python's own ways through JSON recurse, no body needs more than a few
_MOST: Final = 100_000  # values of JSON: megabytes of empty lists would become gigabytes of objects
_SEND_UTF8: Final = "Send UTF-8."


@dataclass(frozen=True)
class Upload:
    """A file of a form: its bytes, and the name that it was sent with."""

    data: bytes = field(repr=False)
    name: str = ""


Form = dict[str, list[str | Upload]]
"""Every part by its name, in order. `name[]` is `name`, as lists are sent."""


async def read_json(request: Request, largest: int) -> dict[str, Any]:
    """The body, which is one JSON object.

    Args:
        largest: size of one picture in bytes (`settings.max_upload_bytes`).

    Raises:
        InvalidRequestError: it is no JSON object, or not in UTF-8; `field` is "body".
        ImageTooLargeError: it is larger than `PICTURES` such pictures.
    """
    data = b"".join([chunk async for chunk in _limited(request, PICTURES * largest)])
    return json_object(data, "body") if len(data) <= _SHORT else await asyncio.to_thread(json_object, data, "body")


def json_object(data: bytes | str, field: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        InvalidRequestError: it is none, is not in UTF-8, holds too many values, or too deep within each other.
    """
    refuse_crowded(data.encode("utf-8", "replace") if isinstance(data, str) else data, field)
    try:
        value = json.loads(data)
    except UnicodeDecodeError:
        raise InvalidRequestError("holds bytes that are no text", field=field, remedy=_SEND_UTF8) from None
    except (ValueError, RecursionError):
        raise InvalidRequestError("is no JSON", field=field, remedy="Send a JSON object.") from None
    if not isinstance(value, dict):
        raise InvalidRequestError("is no JSON object", field=field, remedy='Send {"prompt": ...} and so on.')
    layer: list[Any] = [value]
    for _ in range(_DEEPEST):
        inner = [item for outer in layer for item in (outer.values() if isinstance(outer, dict) else outer)]
        layer = [item for item in inner if isinstance(item, dict | list)]
    if layer:
        raise InvalidRequestError(
            f"holds values more than {_DEEPEST} deep", field=field, remedy="Send what the documentation shows."
        )
    return value


def refuse_crowded(data: bytes, field: str) -> None:
    """Refuse JSON that could hold more values than any request needs, before it is parsed. Pictures do not count.

    Raises:
        InvalidRequestError: it does.
    """
    if len(data) > _MOST and data.count(b",") + data.count(b"[") + data.count(b"{") > _MOST:
        raise InvalidRequestError("holds too many values", field=field, remedy="Send what the documentation shows.")


async def read_form(request: Request, largest: int) -> Form:
    """The parts of a multipart or URL-encoded form.

    Args:
        largest: size of one picture in bytes (`settings.max_upload_bytes`).

    Raises:
        InvalidRequestError: it is no form, or a text is not in UTF-8.
        ImageTooLargeError: it is larger than `PICTURES` such pictures.
    """
    most = PICTURES * largest
    kind = request.headers.get("content-type", "")
    stream = _limited(request, most)
    # Text is read as Latin-1, which keeps every byte, and decoded by ourselves: the parser would guess at bad UTF-8.
    head = Headers({"content-type": f"{kind}; charset=latin-1"})
    try:
        if kind.lower().startswith("multipart/form-data"):
            found = await MultiPartParser(head, stream, max_files=64, max_fields=256, max_part_size=most).parse()
        elif kind.lower().startswith("application/x-www-form-urlencoded"):
            return _pairs(b"".join([chunk async for chunk in stream]))
        else:
            raise InvalidRequestError("is no form", field="body", remedy="Send multipart/form-data.")
    except (MultiPartException, ValueError) as error:
        raise InvalidRequestError(
            "is no form that can be read", field="body", remedy="Send multipart/form-data."
        ) from error
    try:
        form: Form = {}
        for raw, value in found.multi_items():
            name = _text(raw, "body").removesuffix("[]")
            part = await _upload(value) if isinstance(value, UploadFile) else _text(value, name)
            form.setdefault(name, []).append(part)
    finally:
        await found.close()
    return form


def _pairs(data: bytes) -> Form:
    """A URL-encoded form, strictly in UTF-8.

    Raises:
        ValueError: too many fields.
        InvalidRequestError: bytes that are no text.
    """
    form: Form = {}
    try:
        found = parse_qsl(data.decode(), keep_blank_values=True, errors="strict", max_num_fields=256)
    except UnicodeDecodeError:
        raise InvalidRequestError("holds bytes that are no text", field="body", remedy=_SEND_UTF8) from None
    for name, value in found:
        form.setdefault(name.removesuffix("[]"), []).append(value)
    return form


async def _upload(file: UploadFile) -> Upload:
    name = (file.filename or "").encode("latin-1", "replace").decode("utf-8", "replace")
    return Upload(await file.read(), "".join(c for c in name if c.isprintable())[:200])


def _text(value: str, field: str) -> str:
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise InvalidRequestError("holds bytes that are no text", field=field, remedy=_SEND_UTF8) from None


async def _limited(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """The body in pieces.

    Raises:
        ImageTooLargeError: it is announced, or becomes, larger than `most` bytes.
    """
    announced = request.headers.get("content-length", "")
    received = int(announced) if announced.isdecimal() and len(announced) < 20 else 0
    if received <= most:
        received = 0
        async for chunk in request.stream():
            received += len(chunk)
            if received > most:
                break
            yield chunk
    if received > most:
        raise ImageTooLargeError(
            f"the request has more than {most / (1024 * 1024):.4g} MB", field="body", remedy="Send smaller pictures."
        )
