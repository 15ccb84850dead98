"""What stands before the doors: bodies without end, and pages of other sites."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from portrayal.api.app import create_app
from portrayal.api.dialects import NOTIFIERS
from portrayal.api.guarding import LOOPBACK
from portrayal.api.server import keys_needed, names
from portrayal.service.service import Service
from portrayal.settings import Settings
from tests.fake import maker


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("guarded")

    def make() -> Service:
        return Service(Settings(data_dir=folder, cache_dir=folder, shutdown_grace=0), maker=maker, notifiers=NOTIFIERS)

    app = create_app(make, hosts=LOOPBACK | {"pictures.example"}, max_body=20_000)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "form", "key"),
    [
        ("/api/v1/portrayals/generate", "json", "detail"),
        ("/api/v1/jobs/createTask", "json", "msg"),
        ("/v1/predictions", "json", "detail"),
        ("/v1/images/generations", "json", "error"),
        ("/v1/images/edits", "files", "error"),
        ("/v1/ideogram-v3/generate", "files", "error"),
        ("/v1/ideogram-character", "json", "error"),
        ("/fal-ai/ideogram/character", "json", "detail"),
        ("/ideogram/character", "json", "error"),
    ],
)
@pytest.mark.parametrize("told", [True, False])
def test_a_call_that_is_too_large_is_refused_in_the_doors_own_form(
    small: TestClient, path: str, form: str, key: str, told: bool
) -> None:
    large = b"x" * 30_000
    content, kind = b'{"prompt": "' + large + b'"}', "application/json"
    if form == "files":
        kind = "multipart/form-data; boundary=b"
        head = b'--b\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
        content = head + large + b"\r\n--b--\r\n"
    pieces = iter([content[:10_000], content[10_000:25_000], content[25_000:]])
    answer = small.post(path, content=content if told else pieces, headers={"content-type": kind})
    assert 400 <= answer.status_code < 500, answer.text
    assert key in answer.json()
    assert "larger than" in answer.text


def test_a_name_that_is_not_ours_is_refused(small: TestClient) -> None:
    for host in ("127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000", "pictures.example"):
        assert small.get("/healthz", headers={"host": host}).status_code == 200, host
    for host in ("evil.example", "127.0.0.1.evil.example", "", "evil.example:8000", "[::1"):
        assert small.get("/healthz", headers={"host": host}).status_code == 403, host


def test_a_page_of_another_site_is_refused(small: TestClient) -> None:
    for origin in ("http://127.0.0.1:8000", "http://localhost:3000", "https://pictures.example"):
        assert small.get("/healthz", headers={"origin": origin}).status_code == 200, origin
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example", "file://"):
        assert small.get("/healthz", headers={"origin": origin}).status_code == 403, origin


@pytest.mark.parametrize(
    ("values", "needed"),
    [
        ({}, False),
        ({"host": "localhost"}, False),
        ({"host": "::1"}, False),
        ({"host": "127.8.9.1"}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "::"}, True),
        ({"host": "192.168.0.9"}, True),
        ({"host": "pictures.example"}, True),
        ({"host": "0.0.0.0", "access": "open"}, False),
        ({"access": "keys"}, True),
    ],
)
def test_keys_are_needed_wherever_others_can_call(values: dict[str, str], needed: bool, tmp_path: Path) -> None:
    assert keys_needed(Settings(data_dir=tmp_path, **values)) is needed  # type: ignore[arg-type]


def test_an_open_server_on_loopback_is_shielded_and_one_that_was_opened_to_others_is_not(tmp_path: Path) -> None:
    assert names(Settings(data_dir=tmp_path)) == LOOPBACK
    found = names(Settings(data_dir=tmp_path, public_url="https://pictures.example/x"))
    assert found is not None
    assert "pictures.example" in found
    assert names(Settings(data_dir=tmp_path, host="0.0.0.0", access="open")) is None
