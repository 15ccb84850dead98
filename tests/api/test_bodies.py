"""Bodies of requests: what is read, and where reading ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import Request

from portrayal.api.bodies import PICTURES, Upload, read_form, read_json
from portrayal.errors import ImageTooLargeError, InvalidRequestError

LARGEST = 1000
TYPE = {"content-type": "multipart/form-data; boundary=b"}


def _request(*chunks: bytes, headers: dict[str, str] | None = None) -> tuple[Request, list[bytes]]:
    """A request whose body comes in pieces, and those of them that were not asked for yet."""
    left = list(chunks)

    async def receive() -> dict[str, Any]:
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive), left


def _part(name: str, content: bytes, more: str = "") -> bytes:
    return f'--b\r\ncontent-disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + content + b"\r\n"


def test_json_in_pieces() -> None:
    request, _ = _request(b'{"prompt": "\xc3', b'\xa4"}')
    assert asyncio.run(read_json(request, LARGEST)) == {"prompt": "ä"}


@pytest.mark.parametrize("body", [b"", b"[1]", b"1", b"{", b'"\xff"', b"[" * 5000, b'{"n": ' + b"9" * 5000 + b"}"])
def test_what_is_no_json_object(body: bytes) -> None:
    with pytest.raises(InvalidRequestError) as error:
        asyncio.run(read_json(_request(body)[0], LARGEST))
    assert error.value.field == "body"


def test_form_parts_in_order() -> None:
    body = _part("image[]", b"1", '; filename="a.png"') + _part("image[]", b"2", '; filename="\xc3\xa4.png"')
    body += _part("prompt", "ä € 😀".encode()) + b"--b--\r\n"
    request, _ = _request(body[:40], body[40:], headers=TYPE)
    form = asyncio.run(read_form(request, LARGEST))
    assert form["prompt"] == ["ä € 😀"]
    assert [part.data for part in form["image"] if isinstance(part, Upload)] == [b"1", b"2"]
    assert "data" not in repr(form["image"][0])  # a picture never gets into a log by accident


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (TYPE, b"nonsense"),
        (TYPE, _part("prompt", b"\xff\xfe") + b"--b--\r\n"),
        ({"content-type": "multipart/form-data"}, b"--b--"),
        ({"content-type": "text/plain"}, b"prompt=x"),
        ({}, b"prompt=x"),
    ],
)
def test_what_is_no_form(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        asyncio.run(read_form(_request(body, headers=headers)[0], LARGEST))


def test_url_encoded_forms() -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert asyncio.run(read_form(_request(b"prompt=a+%C3%A4&n=2", headers=headers)[0], LARGEST)) == {
        "prompt": ["a ä"],
        "n": ["2"],
    }


@pytest.mark.parametrize("reader", [read_json, read_form])
def test_what_is_too_large_is_not_read_to_its_end(reader: Any) -> None:
    announced, left = _request(b"x", b"y", headers={**TYPE, "content-length": str(PICTURES * LARGEST + 1)})
    with pytest.raises(ImageTooLargeError):
        asyncio.run(reader(announced, LARGEST))
    assert len(left) == 2
    silent, left = _request(_part("image", b"")[:-2], *[b"x" * LARGEST] * (2 * PICTURES), headers=TYPE)
    with pytest.raises(ImageTooLargeError):
        asyncio.run(reader(silent, LARGEST))
    assert len(left) == PICTURES
