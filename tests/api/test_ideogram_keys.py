"""Keys and limits at Ideogram's doors."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from portrayal.service.keys import Caller
from portrayal.service.service import Service
from portrayal.settings import Settings
from tests.api import test_ideogram as v1
from tests.api import test_ideogram_v2 as v2


@pytest.fixture(scope="module")
def settings_here(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Three requests in flight, not ten: quicker to fill."""
    folder = tmp_path_factory.mktemp("server")
    return Settings(data_dir=folder / "data", cache_dir=folder / "cache", slots=2, shutdown_grace=1.0, max_in_flight=3)


@pytest.fixture(scope="module")
def keys_needed() -> bool:
    """They are."""
    return True


CALLS: dict[str, list[Any]] = {
    **v1.FILES,
    **v2.FILES,
    "/upscale": [v1.png("image_file")],
    "/describe": [v1.png("image_file")],
    "/v1/remove-background": [v1.png("image")],
    v2.DESCRIBE: [v1.png("image")],
}


def call(client: TestClient, path: str, key: str | None, **fields: str) -> Response:
    data = {"prompt": "a portrait in a park", "resolution": "1536x512"} | fields
    if path.endswith("character") and "inpaint" in path:
        data.pop("resolution")
    return client.post(path, data=data, files=CALLS[path], headers={"Api-Key": key} if key else {})


@pytest.mark.parametrize("path", CALLS)
def test_no_key_a_wrong_key_and_a_revoked_one(client: TestClient, service: Service, path: str) -> None:
    row, revoked = service.keys.create(f"gone {path}"[-80:])
    service.keys.revoke(row.id)
    expected = 403 if path in (v1.REMIX, "/upscale") else 401  # as v1 documents it
    for key in (None, "pk_wrong", revoked):
        answer = call(client, path, key)
        assert answer.status_code == expected
        assert set(answer.json()) == {"error"}
        assert "pk_wrong" not in answer.text


def test_a_poll_needs_a_key_of_the_same_library(client: TestClient, service: Service) -> None:
    _, key = service.keys.create("mine")
    _, other = service.keys.create("theirs", library="theirs")
    made = call(client, v2.GENERATE, key).json()["generation_id"]
    statuses = [
        client.get(f"/v2/generations/{made}", headers={"Api-Key": k} if k else {}).status_code
        for k in (key, other, None)
    ]
    assert statuses == [200, 404, 401]


def test_a_key_that_may_only_look(client: TestClient, service: Service) -> None:
    _, key = service.keys.create("reader", scopes=("read",))
    for path in CALLS:
        answer = call(client, path, key)
        assert (answer.status_code, set(answer.json())) == (403, {"error"}), path


def test_more_requests_in_flight_than_are_allowed(client: TestClient, service: Service) -> None:
    row, key = service.keys.create("busy")
    slow = [call(client, v2.GENERATE, key, prompt="SLOW", **{"async": "true"}).json() for _ in range(3)]
    try:
        for path in (v2.GENERATE, v1.GENERATE, v1.REMIX):
            answer = call(client, path, key)
            assert answer.status_code == 429
            assert answer.json() == {
                "error": answer.json()["error"],
                "reject_reason": "inflight_limit",
                "max_inflight_requests": 3,
                "task_completion_speed": "fast",
            }
            assert int(answer.headers["retry-after"]) > 0
        _, another = service.keys.create("idle")
        assert call(client, v2.GENERATE, another, **{"async": "true"}).status_code == 200
    finally:
        for job in slow:
            service.cancel(job["generation_id"], Caller(row.id))
    for job in slow:
        asyncio.run(service.wait(job["generation_id"], 20))
    assert call(client, v1.GENERATE, key).status_code == 200


def test_the_days_pictures_of_a_key_are_used_up(client: TestClient, service: Service) -> None:
    _, key = service.keys.create("small", daily=1)
    assert call(client, v2.GENERATE, key).status_code == 200
    for path, status in ((v2.GENERATE, 402), (v1.GENERATE, 429)):
        answer = call(client, path, key)
        assert answer.status_code == status
        assert answer.json() == {"error": answer.json()["error"], "reject_reason": "daily_limit"}
