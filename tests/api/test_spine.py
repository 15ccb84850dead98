"""From an order to its picture, through the native door."""

from __future__ import annotations

from fastapi.testclient import TestClient

from tests.api.conftest import picture, uri


def test_a_picture_is_made_and_its_address_works(client: TestClient) -> None:
    answer = client.post(
        "/api/v1/portrayals/generate", json={"prompt": "in a park", "reference": uri(picture()), "wait": 20}
    )
    assert answer.status_code == 201, answer.text
    job = answer.json()
    assert job["state"] == "succeeded"
    assert job["pictures"][0]["identity"]["same_person"] is True
    file = client.get(job["pictures"][0]["url"])
    assert file.status_code == 200
    assert file.headers["content-type"] == "image/png"
    assert client.get(job["pictures"][0]["url"][:-1]).status_code == 404
