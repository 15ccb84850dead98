"""The page `/docs` shows every call and needs nothing from elsewhere."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import picture


def test_the_page_loads_only_its_own_files(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)["']|url: ["']([^"']+)["']""", page.text)
    addresses = [one or other for one, other in loaded]
    assert len(addresses) == 4
    for address in addresses:
        assert address.startswith("/"), address
        assert client.get(address).status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert '"validatorUrl": null' in page.text


def test_a_browser_lands_at_the_page(client: TestClient) -> None:
    assert client.get("/").url.path == "/docs"


@pytest.mark.parametrize("name", ["other.js", "__init__.py", "..%2fmain.py"])
def test_nothing_else_of_the_package_is_served(client: TestClient, name: str) -> None:
    assert client.get(f"/docs/{name}").status_code == 404


def test_every_call_says_what_it_does(client: TestClient) -> None:
    for path, calls in client.get("/openapi.json").json()["paths"].items():
        for method, call in calls.items():
            assert call["tags"], (path, method)
            assert call["summary"] == call["description"].split("\n")[0].rstrip("."), (path, method)


def test_times_are_texts_everywhere(client: TestClient) -> None:
    uploaded = client.post("/api/v1/files", files={"files": ("a.png", picture())}).json()["files"][0]
    key = client.post("/api/v1/keys", json={"name": "robot"}).json()
    for text in (uploaded["created_at"], uploaded["expires_at"], key["created_at"]):
        assert datetime.fromisoformat(text).tzinfo is not None
    assert key["revoked_at"] is None
