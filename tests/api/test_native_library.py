"""The library through the native API."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from portrayal.service.service import Service
from portrayal.settings import Settings
from tests.api.conftest import picture, uri

PORTRAYALS = "/api/v1/portrayals"


@pytest.fixture(scope="module")
def keys_needed() -> bool:
    return True


@pytest.fixture(scope="module")
def settings_here(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("server")
    return Settings(data_dir=folder / "data", cache_dir=folder / "cache", slots=1, shutdown_grace=1.0)


def bearer(service: Service, library: str, *scopes: str) -> dict[str, str]:
    made = service.keys.create(f"{library} {'+'.join(scopes)}"[:80], library=library, scopes=scopes)
    return {"authorization": f"Bearer {made[1]}"}


@pytest.fixture
def key(service: Service, request: pytest.FixtureRequest) -> dict[str, str]:
    """A key of a library of the test's own."""
    return bearer(service, request.node.name[:40], "create", "read", "delete")


def made(client: TestClient, key: dict[str, str], prompt: str, **more: Any) -> dict[str, Any]:
    body = {"prompt": prompt, "reference": uri(picture()), "wait": 30, **more}
    answer = client.post(f"{PORTRAYALS}/generate", json=body, headers=key)
    assert answer.status_code == 201, answer.text
    job: dict[str, Any] = answer.json()
    return job


def listed(client: TestClient, key: dict[str, str], **params: Any) -> list[str]:
    answer = client.get(PORTRAYALS, params=params, headers=key)
    assert answer.status_code == 200, answer.text
    return [job["id"] for job in answer.json()["portrayals"]]


def test_pages_are_followed_by_their_links(client: TestClient, key: dict[str, str]) -> None:
    ids = [made(client, key, f"a beach {i}")["id"] for i in range(3)][::-1]
    answer = client.get(PORTRAYALS, params={"limit": 2, "search": "bea"}, headers=key)
    body = answer.json()
    assert [job["id"] for job in body["portrayals"]] == ids[:2]
    assert body["previous"] is None
    assert body["portrayals"][0]["pictures"][0]["url"].startswith("http://testserver/files/")
    match = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers["link"])
    assert match is not None
    following = client.get(match[1], headers=key)
    assert [job["id"] for job in following.json()["portrayals"]] == ids[2:]
    assert following.json()["next"] is None
    match = re.fullmatch(r'<([^>]+)>; rel="prev"', following.headers["link"])
    assert match is not None
    assert "search=bea" in match[1]
    back = client.get(match[1], headers=key).json()
    assert [job["id"] for job in back["portrayals"]] == ids[:2]
    assert client.get(PORTRAYALS, params={"cursor": body["next"]}, headers=key).json()["portrayals"][0]["id"] == ids[2]


def test_every_filter(client: TestClient, key: dict[str, str]) -> None:
    first = made(client, key, "in a forest")
    second = made(client, key, "FAIL on a beach")
    answer = client.patch(f"{PORTRAYALS}/{first['id']}", json={"starred": True, "tags": ["b c", "a"]}, headers=key)
    assert (answer.json()["starred"], answer.json()["tags"]) == (True, ["a", "b c"])
    for params, found in (
        ({}, [second, first]),
        ({"search": "forest"}, [first]),
        ({"search": "b c"}, [first]),
        ({"starred": "true"}, [first]),
        ({"starred": "false"}, [second]),
        ({"tag": ["a", "b c"]}, [first]),
        ({"tag": "c"}, []),
        ({"operation": "generate"}, [second, first]),
        ({"operation": "edit"}, []),
        ({"state": "failed"}, [second]),
        ({"state": "succeeded"}, [first]),
        ({"since": "2020-01-01"}, [second, first]),
        ({"since": "2020-01-01T00:00:00Z", "until": "2021-01-01T00:00:00Z"}, []),
        ({"parent": first["id"]}, []),
    ):
        assert listed(client, key, **params) == [job["id"] for job in found], params


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"cursor": "nonsense"}, "cursor"),
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"search": "x" * 1001}, "search"),
        ({"state": "done"}, "state"),
        ({"operation": "paint"}, "operation"),
        ({"starred": "perhaps"}, "starred"),
        ({"since": "yesterday"}, "since"),
        ({"until": "never"}, "until"),
        ({"parent": "x"}, "parent"),
        ({"tag": "x" * 61}, "tag"),
        ({"serach": "a"}, "serach"),
    ],
    ids=str,
)
def test_a_wrong_question_names_its_field(
    client: TestClient, key: dict[str, str], params: dict[str, Any], field: str
) -> None:
    answer = client.get(PORTRAYALS, params=params, headers=key)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["field"].split(".")[0] == field


def test_a_character_that_is_not_saved_is_not_found(client: TestClient, key: dict[str, str]) -> None:
    answer = client.get(PORTRAYALS, params={"character": "@nobody"}, headers=key)
    assert answer.status_code == 404
    assert answer.json()["field"] == "character"


@pytest.mark.parametrize("body", [{"tags": [""]}, {"tags": ["x" * 61]}, {"tags": ["a\x00b"]}, {"star": True}], ids=str)
def test_a_wrong_change_is_refused(client: TestClient, key: dict[str, str], body: dict[str, Any]) -> None:
    job = made(client, key, "a person")
    assert client.patch(f"{PORTRAYALS}/{job['id']}", json=body, headers=key).status_code == 422
    assert client.get(f"{PORTRAYALS}/{job['id']}", headers=key).json()["tags"] == []


def test_deleted_is_gone(client: TestClient, key: dict[str, str], service: Service) -> None:
    job = made(client, key, "a quokka")
    url = job["pictures"][0]["url"]
    assert client.get(url).status_code == 200
    assert client.delete(f"{PORTRAYALS}/{job['id']}", headers=key).status_code == 204
    assert client.get(f"{PORTRAYALS}/{job['id']}", headers=key).status_code == 404
    assert client.get(url).status_code == 404
    assert listed(client, key, search="quokka") == []
    assert client.delete(f"{PORTRAYALS}/{job['id']}", headers=key).status_code == 404


def test_a_running_job_is_canceled_and_deleted_and_the_slot_is_free_again(
    client: TestClient, key: dict[str, str]
) -> None:
    job = made(client, key, "SLOW", wait=0)
    assert client.delete(f"{PORTRAYALS}/{job['id']}", headers=key).status_code == 204
    assert listed(client, key) == []
    assert made(client, key, "after it")["state"] == "succeeded"


def test_a_lineage(client: TestClient, key: dict[str, str]) -> None:
    first = made(client, key, "first")
    answer = client.post(
        f"{PORTRAYALS}/remix",
        json={"prompt": "second", "image": first["pictures"][0]["url"], "reference": uri(picture()), "wait": 30},
        headers=key,
    )
    second = answer.json()
    assert answer.status_code == 201, answer.text
    found = client.get(f"{PORTRAYALS}/{second['id']}/lineage", headers=key).json()
    assert [job["id"] for job in found["ancestors"]] == [first["id"]]
    assert found["descendants"] == []
    wanted = {"parent": first["id"], "picture": first["pictures"][0]["id"], "child": second["id"], "role": "image"}
    assert found["links"] == [wanted]
    assert listed(client, key, parent=first["id"]) == [second["id"]]


def test_tags_and_use_are_counted(client: TestClient, key: dict[str, str]) -> None:
    for tags in (["a"], ["a", "b"]):
        job = made(client, key, "a person", num_images=2)
        client.patch(f"{PORTRAYALS}/{job['id']}", json={"tags": tags}, headers=key)
    found = client.get("/api/v1/tags", headers=key).json()["tags"]
    assert found == [{"tag": "a", "portrayals": 2}, {"tag": "b", "portrayals": 1}]
    use = client.get("/api/v1/usage", params={"days": 2}, headers=key).json()
    assert use["pictures"] == 4
    assert [(u["operation"], u["jobs"], u["pictures"]) for u in use["usage"]] == [("generate", 2, 4)]
    assert client.get("/api/v1/usage", params={"days": 0}, headers=key).status_code == 422


def test_the_queue_is_shown_and_cleared(client: TestClient, key: dict[str, str], service: Service) -> None:
    running = made(client, key, "SLOW", wait=0)
    waiting = [made(client, key, f"WAIT {i}", wait=0)["id"] for i in range(2)]
    queue = client.get("/api/v1/queue", headers=key).json()
    assert queue["slots"] == 1
    assert {job["id"] for job in queue["jobs"]} == {running["id"], *waiting}
    places = {job["id"]: job["position"] for job in queue["jobs"]}
    assert places[waiting[1]] == places[waiting[0]] + 1
    other = bearer(service, "another", "create", "read")
    assert client.get("/api/v1/queue", headers=other).json()["jobs"] == []
    assert client.delete("/api/v1/queue", headers=other).json()["canceled"] == []
    assert set(waiting) <= set(client.delete("/api/v1/queue", headers=key).json()["canceled"])
    assert listed(client, key, state="canceled")[:2] == waiting[::-1]
    client.delete(f"{PORTRAYALS}/{running['id']}", headers=key)


ROUTES = [
    ("GET", PORTRAYALS, "read"),
    ("PATCH", PORTRAYALS + "/{id}", "create"),
    ("DELETE", PORTRAYALS + "/{id}", "delete"),
    ("GET", PORTRAYALS + "/{id}/lineage", "read"),
    ("GET", "/api/v1/tags", "read"),
    ("GET", "/api/v1/usage", "read"),
    ("GET", "/api/v1/queue", "read"),
    ("DELETE", "/api/v1/queue", "create"),
]


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES, ids=[f"{m} {p}" for m, p, _ in ROUTES])
def test_each_route_needs_its_scope_and_its_own_library(
    client: TestClient, service: Service, method: str, path: str, scope: str
) -> None:
    mine, theirs = (bearer(service, name, "create", "read", "delete") for name in ("mine", "theirs"))
    job = made(client, mine, "a person")
    path = path.replace("{id}", job["id"])
    others = [s for s in ("create", "read", "delete") if s != scope]
    body: dict[str, Any] = {"json": {"starred": True}} if method == "PATCH" else {}
    assert client.request(method, path, **body).status_code == 401
    lacking = bearer(service, "mine", *others)
    assert client.request(method, path, headers=lacking, **body).status_code == 403
    if job["id"] in path:
        assert client.request(method, path, headers=theirs, **body).status_code == 404
    assert client.request(method, path, headers=mine, **body).status_code in (200, 204)


def test_the_description_has_every_answer(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for method, path, _ in ROUTES:
        route = paths[path][method.lower()]
        if path.endswith("{id}") and method == "DELETE":
            assert "204" in route["responses"]
            continue
        schema = route["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema["$ref"].startswith("#/components/schemas/"), (method, path)
