"""What is not served: each host's own words for it, and never a fault of ours."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/nothing", {"type", "title", "detail", "status", "field", "remedy", "error"}),
        ("/api/v1/nothing", {"type", "title", "detail", "status", "field", "remedy", "error"}),
        ("/v1/nothing", {"type", "title", "detail", "status", "field", "remedy", "error"}),
        ("/v1/predictions/1/nothing", {"title", "detail", "status"}),
        ("/v1/ideogram-v3/nothing", {"error"}),
        ("/v2/image/nothing", {"error"}),
        ("/v1/images/nothing", {"error"}),
        ("/queue/nothing", {"detail"}),
        ("/ideogram/nothing", {"error", "request_id", "details"}),
        ("/api/v1/jobs/nothing", {"code", "msg", "data"}),
        ("/v2/requests/1/nothing", {"error"}),
    ],
)
def test_an_unknown_path(client: TestClient, path: str, keys: set[str]) -> None:
    for method in ("GET", "POST"):
        answer = client.request(method, path)
        assert (answer.status_code, set(answer.json())) == (404, keys)


@pytest.mark.parametrize("path", ["/v1/predictions", "/api/v1/portrayals", "/v1/ideogram-v3/generate", "/files/a.png"])
def test_another_method_and_a_browser_that_asks_first(client: TestClient, path: str) -> None:
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    for method in ("OPTIONS", "PUT"):
        answer = client.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (405, 405)
        assert answer.headers["allow"]
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/requests/{}", "/fal-ai/ideogram/requests/{}", "/queue/fal-ai/ideogram/requests/{}"])
@pytest.mark.parametrize("made_up", ["%00", "%0d%0aSet-Cookie:%20a=b", "%E2%82%AC", "a" * 5000])
def test_an_id_that_a_caller_made_up_is_in_no_header(client: TestClient, path: str, made_up: str) -> None:
    answer = client.get(path.format(made_up))
    assert answer.status_code == 404
    assert all(value.isascii() and value.isprintable() and len(value) < 200 for value in answer.headers.values())


def test_an_address_that_is_none(client: TestClient) -> None:
    for path, body in (
        ("/api/v1/portrayals/generate", {"prompt": "x", "reference": "http://["}),
        ("/fal-ai/ideogram/character", {"prompt": "x", "reference_image_urls": ["http://["]}),
    ):
        assert client.post(path, json=body).status_code == 422


def test_json_of_millions_of_values_is_not_parsed(client: TestClient) -> None:
    body = b'{"prompt": [' + b"[]," * 200_000 + b"1]}"
    for path in ("/api/v1/portrayals/generate", "/v1/predictions", "/fal-ai/ideogram/character"):
        answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)
        assert "holds too many values" in answer.text
