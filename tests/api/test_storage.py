"""Uploads as fal's and ModelRunner's clients make them."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from portrayal.service.service import Service
from tests.api.bad_files import REFUSED
from tests.api.conftest import BASE, picture


def _works(client: TestClient, url: str) -> None:
    """The address is a picture, and may be an input."""
    file = client.get(url)
    assert (file.status_code, file.headers["content-type"]) == (200, "image/png")
    body = {"prompt": "in a park", "reference_image_urls": [url]}
    assert client.post("/run/fal-ai/ideogram/character", json=body).status_code == 200


def _promised(client: TestClient, path: str = "initiate", **given: Any) -> dict[str, str]:
    body = {"file_name": "a picture.png", "content_type": "image/png", **given}
    answer = client.post(f"/storage/upload/{path}?storage_type=fal-cdn-v3", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()
    return found


def test_initiate_and_put(client: TestClient) -> None:
    promised = _promised(client)
    assert set(promised) == {"upload_url", "file_url"}
    assert client.get(promised["file_url"]).status_code == 404  # not there yet
    for data in (picture(), picture(colour="red")):  # the second time is a repetition: the first one stays
        assert client.put(promised["upload_url"], content=data).status_code == 200
    assert client.get(promised["file_url"]).content == picture()
    _works(client, promised["file_url"])


def test_a_token_and_all_bytes(client: TestClient, service: Service) -> None:
    _, key = service.keys.create("uploads")
    service.keys.needed = True
    try:
        key_header = {"authorization": f"Key {key}"}
        token = client.post("/storage/auth/token?storage_type=fal-cdn-v3", json={}, headers=key_header).json()
        assert set(token) == {"token", "token_type", "base_url", "expires_at"}
        assert token["base_url"] == BASE
        headers = {"authorization": f"{token['token_type']} {token['token']}", "x-fal-file-name": "a.png"}
        answer = client.post("/files/upload", content=picture(), headers=headers)
        assert set(answer.json()) == {"access_url"}
        assert client.post("/files/upload", content=picture(), headers=key_header).status_code == 200
        other = token["token"][:-1] + ("1" if token["token"].endswith("0") else "0")
        for wrong in ({}, {"authorization": f"Bearer {other}"}, {"authorization": "Key wrong"}):
            assert client.post("/files/upload", content=picture(), headers=wrong).status_code == 401
            assert client.post("/storage/upload/initiate", json={}, headers=wrong).status_code == 401
    finally:
        service.keys.needed = False
    _works(client, answer.json()["access_url"])


def _halves() -> tuple[bytes, bytes]:
    data = picture()
    return data[: len(data) // 2], data[len(data) // 2 :]


def test_parts_as_the_javascript_client_of_fal_sends_them(client: TestClient) -> None:
    promised = _promised(client, "initiate-multipart")
    parts = [client.put(f"{promised['upload_url']}/{i}", content=half).json() for i, half in enumerate(_halves(), 1)]
    assert [part["partNumber"] for part in parts] == [1, 2]
    assert client.post(f"{promised['upload_url']}/complete", json={"parts": parts[::-1]}).status_code == 200
    _works(client, promised["file_url"])


def test_parts_as_the_python_client_of_fal_sends_them(client: TestClient) -> None:
    begun = client.post("/files/upload/multipart", headers={"x-fal-file-name": "a.png"}).json()
    assert set(begun) == {"access_url", "uploadId"}
    here = f"{begun['access_url']}/multipart/{begun['uploadId']}"
    parts = [
        {"partNumber": i, "etag": client.put(f"{here}/{i}", content=half).headers["etag"]}
        for i, half in enumerate(_halves(), 1)
    ]
    assert client.post(f"{here}/complete", json={"parts": parts}).json() == {"access_url": begun["access_url"]}
    _works(client, begun["access_url"])


def test_parts_as_modelrunner_sends_them(client: TestClient) -> None:
    promised = _promised(client, "initiate-multipart")
    parts = []
    for number, half in enumerate(_halves(), 1):
        query: dict[str, str | int] = {"uploadKey": promised["uploadKey"], "uploadId": promised["uploadId"]}
        query["partNumber"] = number
        url = client.get("/storage/upload/multipart-url", params=query).json()["presignedUrl"]
        parts.append({"partNumber": number, "etag": client.put(url, content=half).headers["etag"]})
    body = {"uploadId": promised["uploadId"], "uploadKey": promised["uploadKey"], "parts": parts}
    assert client.post("/storage/upload/complete", json=body).json() == {"fileUrl": promised["fileUrl"]}
    _works(client, promised["fileUrl"])


def test_parts_of_another_upload_are_refused(client: TestClient) -> None:
    one, two = _promised(client, "initiate-multipart"), _promised(client, "initiate-multipart")
    part = client.put(f"{one['upload_url']}/1", content=picture()).json()
    for parts in (
        [part],
        [{"partNumber": 2, "etag": part["etag"]}],
        [{"partNumber": 1, "etag": "x"}],
        [{"partNumber": "1", "etag": part["etag"]}],
        [5],
        [],
        None,
    ):
        assert client.post(f"{two['upload_url']}/complete", json={"parts": parts}).status_code == 422
    assert client.put(f"{one['upload_url']}/0", content=b"x").status_code == 422


def test_parts_that_are_too_large_together_are_refused(client: TestClient) -> None:
    promised = _promised(client, "initiate-multipart")
    part = b"x" * (9 * 1024 * 1024)
    etags = [client.put(f"{promised['upload_url']}/{i}", content=part).json() for i in (1, 2, 3)]
    answer = client.post(f"{promised['upload_url']}/complete", json={"parts": etags})
    assert (answer.status_code, answer.json()["error_type"]) == (413, "bad_request")


@pytest.mark.parametrize("name", REFUSED)
def test_bad_files_are_refused_in_words_for_every_client(client: TestClient, name: str) -> None:
    for answer in (
        client.put(_promised(client)["upload_url"], content=REFUSED[name]()),
        client.post("/files/upload", content=REFUSED[name]()),
    ):
        assert answer.status_code in (413, 422)
        body = answer.json()
        assert body["detail"] == body["error"] == body["message"]
        assert body["detail"].startswith("file: ")


def test_addresses_that_were_changed_are_no_addresses(client: TestClient) -> None:
    promised = _promised(client)
    wrong = promised["upload_url"][:-1] + ("0" if promised["upload_url"][-1] != "0" else "1")
    for url in (wrong, f"{BASE}/storage/upload/x", f"{BASE}/storage/upload/e30.9999999999.{'0' * 64}"):
        assert client.put(url, content=picture()).status_code == 404
    client.put(promised["upload_url"], content=picture())
    expires, signature, name = promised["file_url"].split("/")[-3:]
    for path in (f"{int(expires) + 1}/{signature}/{name}", f"{expires}/{'0' * 64}/{name}"):
        assert client.get(f"/storage/files/{path}").status_code == 404
        body = {"prompt": "x", "reference_image_urls": [f"{BASE}/storage/files/{path}"]}
        assert client.post("/run/fal-ai/ideogram/character", json=body).status_code == 422


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"file_name": 5, "content_type": {}}'])
def test_what_is_said_of_a_file_is_a_hint_only(client: TestClient, body: bytes) -> None:
    assert client.post("/storage/upload/initiate", content=body).status_code in (200, 422)
