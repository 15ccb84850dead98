"""Whose is what: every route asks for a key and its scope, and another library's things do not exist."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import io
import json
import os
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from PIL import Image, ImageDraw

from portrayal.api.app import create_app
from portrayal.service.keys import SCOPES
from portrayal.service.retention import collect
from portrayal.service.service import Service
from tests.api.conftest import mask, picture, uri

ID = "0" + "1" * 25
REFUSED = (401, 403)
PUBLIC = {
    "/",
    "/openapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
    "/.well-known/jwks.json",
    "/v1/.well-known/jwks.json",
}
"""What everybody may see."""
SIGNED = re.compile(
    r"/files/\{name\}|/storage/upload/\{token\}.*|/storage/files/.*|/v1/(v1/)?files/\{file_id\}/download"
)
"""Addresses that are the permission themselves: a wrong one is 404 or 403."""
HOLLOW = re.compile(r"/api/fal/proxy|/(queue/|run/)?fal-ai/\{rest:path\}")
"""Paths with nothing behind them, or that hand over to another path of ours."""
ANY_KEY = re.compile(r"/api/v1/(styles|templates|sizes|limits|me)|/v1/(v1/)?account|/v1/images/variations")
"""What needs a key, but no scope."""
READS = {("POST", "/api/v1/common/download-url")}
CREATES = re.compile(r".*/webhooks/default/secret|/storage/upload/multipart-url")
"""Reading that is part of creating."""


@pytest.fixture(scope="module")
def keys_needed() -> bool:
    """They are."""
    return True


def _routes() -> list[tuple[str, str]]:
    """Method and path of every route; of paths that lead to the same function, the shortest."""
    found: dict[tuple[Any, str], str] = {}
    for route in iter_route_contexts(create_app(lambda: None).routes):  # type: ignore[arg-type, return-value]
        for method in route.methods or ():
            key = (route.endpoint, method)
            found[key] = min(found.get(key, route.path or ""), route.path or "", key=lambda path: (len(path), path))
    return sorted((method, path) for (_, method), path in found.items())


ROUTES = _routes()


def scope_of(method: str, path: str) -> str:
    """The scope that a call needs; every GET looks, unless it changes something."""
    if path.startswith("/api/v1/keys"):
        return "admin"
    if (method, path) in READS:
        return "read"
    if method == "DELETE" and path != "/api/v1/queue":
        return "delete"
    return "read" if method in ("GET", "HEAD") and not CREATES.fullmatch(path) and "cancel" not in path else "create"


def called(client: TestClient, method: str, path: str, key: str | None) -> int:
    """The status of an otherwise good call."""
    names = {"{owner}": "ideogram-ai", "{number}": "1", "{position}": "0"}
    if "/models/" in path:
        names["{name}"] = "ideogram-character"
    url = re.sub(r"\{[^}]*\}", lambda found: names.get(found[0], ID), path)
    extra: dict[str, Any] = {}
    if path == "/api/v1/files":
        extra = {"files": {"files": ("a.png", picture())}}
    elif path == "/api/v1/characters/import":
        extra = {"files": {"file": ("a.zip", b"PK")}}
    elif path == "/storage/upload/multipart-url":
        extra = {"params": {"uploadId": "x", "partNumber": 1}}
    elif method in ("POST", "PUT", "PATCH"):
        extra = {"json": BODIES.get(path, {})}
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return client.request(method, url, headers=headers, **extra).status_code


ENDLESS = ("/api/v1/events", "/requests/stream")
BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/portrayals/generate": {"prompt": "x", "reference": ID},
    "/api/v1/portrayals/edit": {"prompt": "x", "image": ID, "mask": ID},
    "/api/v1/portrayals/remix": {"prompt": "x", "image": ID},
    "/api/v1/portrayals/reframe": {"image": ID, "size": "512x512"},
    "/api/v1/portrayals/replace-background": {"prompt": "x", "image": ID},
    "/api/v1/portrayals/remove-background": {"image": ID},
    "/api/v1/portrayals/upscale": {"image": ID},
    "/api/v1/files/{id}/mask": {"what": "face"},
    "/api/v1/describe": {"image": ID},
    "/api/v1/characters": {"name": "ada", "image": ID},
    "/api/v1/magic-prompt": {"prompt": "x"},
    "/api/v1/keys": {"name": "x"},
}


@pytest.fixture(scope="module")
def keys(service: Service) -> dict[str, str]:
    """Keys with one scope, with all but one, and a revoked one."""
    found = {scope: service.keys.create(scope, library="table", scopes=(scope,))[1] for scope in SCOPES}
    for scope in SCOPES:
        rest = tuple(other for other in SCOPES if other != scope)
        found[f"all but {scope}"] = service.keys.create(f"not {scope}", library="table", scopes=rest)[1]
    row, found["revoked"] = service.keys.create("revoked", scopes=SCOPES)
    service.keys.revoke(row.id)
    return found


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[" ".join(route) for route in ROUTES])
def test_every_route_asks_for_a_key_with_its_scope(
    client: TestClient, keys: dict[str, str], method: str, path: str
) -> None:
    without = called(client, method, path, None)
    if path in PUBLIC or path.startswith("/docs"):
        assert without in (200, 404)
        return
    if HOLLOW.fullmatch(path) or SIGNED.fullmatch(path) or without == 405:  # 405: Segmind's way to refuse a method
        assert without in (400, 403, 404, 405)
        return
    assert without in REFUSED
    assert called(client, method, path, keys["revoked"]) in REFUSED
    if ANY_KEY.fullmatch(path):
        return
    needed = scope_of(method, path)
    assert called(client, method, path, keys[f"all but {needed}"]) == 403
    if path not in ENDLESS and not path.endswith("/rotate"):  # which nobody may
        assert called(client, method, path, keys[needed]) not in REFUSED


# Two libraries.


@pytest.fixture(scope="module")
def anna(service: Service) -> dict[str, str]:
    """Headers of a key of the library a."""
    return {"Authorization": f"Bearer {service.keys.create('anna', library='a')[1]}"}


@pytest.fixture(scope="module")
def bob(service: Service) -> dict[str, str]:
    """Headers of a key of the library b."""
    return {"Authorization": f"Bearer {service.keys.create('bob', library='b')[1]}"}


def uploaded(client: TestClient, who: dict[str, str], data: bytes) -> dict[str, Any]:
    answer = client.post("/api/v1/files", headers=who, files={"files": ("a.png", data)})
    assert answer.status_code == 201, answer.text
    file: dict[str, Any] = answer.json()["files"][0]
    return file


def made(client: TestClient, who: dict[str, str], **body: Any) -> dict[str, Any]:
    """A native portrayal, waited for."""
    body = {"prompt": "a person in a park", "wait": 20, **body}
    answer = client.post("/api/v1/portrayals/generate", headers=who, json=body)
    assert answer.status_code == 201, answer.text
    job: dict[str, Any] = answer.json()
    return job


def ball(colour: str = "red") -> bytes:
    """A character without a face: quickly studied."""
    image = Image.new("RGB", (160, 160), "white")
    ImageDraw.Draw(image).ellipse((30, 30, 130, 130), colour)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_jobs_of_every_door_are_their_librarys(client: TestClient, anna: dict[str, str], bob: dict[str, str]) -> None:
    url = uri(picture())
    fields = {"prompt": "a person", "reference_image_urls": [url]}
    kie = {"model": "ideogram/character", "input": fields}
    orders: dict[str, tuple[Callable[[dict[str, Any]], str], tuple[str, ...], dict[str, Any]]] = {
        "/v1/predictions": (
            lambda a: a["id"],
            ("GET /v1/predictions/{}", "POST /v1/predictions/{}/cancel"),
            {"version": "ideogram-ai/ideogram-character", "input": {"prompt": "x", "character_reference_image": url}},
        ),
        "/queue/fal-ai/ideogram/character": (
            lambda a: a["request_id"],
            tuple(
                f"{how} /queue/fal-ai/ideogram/character/requests/{{}}{end}"
                for how, end in (("GET", ""), ("GET", "/status"), ("GET", "/status/stream"), ("PUT", "/cancel"))
            ),
            fields,
        ),
        "/ideogram/character": (
            lambda a: a["request_id"],
            (
                "GET /requests/{}",
                *(
                    f"{how} /ideogram/character/requests/{{}}{end}"
                    for how, end in (("GET", ""), ("GET", "/status"), ("GET", "/status/stream"), ("PUT", "/cancel"))
                ),
            ),
            fields,
        ),
        "/api/v1/jobs/createTask": (lambda a: a["data"]["taskId"], ("GET /api/v1/jobs/recordInfo?taskId={}",), kie),
        "/v2/ideogram-character": (
            lambda a: a["request_id"],
            ("GET /v2/requests/{}", "GET /v2/requests/{}/status"),
            {"prompt": "x", "character_reference_image": url},
        ),
    }
    for path, (name, looks, body) in orders.items():
        ordered = client.post(path, headers=anna, json=body)
        assert ordered.status_code < 300, ordered.text
        job = name(ordered.json())
        for look in looks:
            method, _, where = look.partition(" ")
            assert client.request(method, where.format(job), headers=bob).status_code in (404, 422), look
        native = job.rpartition("_")[2]
        for door in ("/v2/generations/{}", "/api/v1/portrayals/{}", "/v1/predictions/{}", "/requests/{}"):
            assert client.get(door.format(native), headers=bob).status_code == 404
        assert client.get(f"/api/v1/portrayals/{native}", headers=anna).json()["state"] != "canceled"


def test_a_portrayal_is_its_librarys(client: TestClient, anna: dict[str, str], bob: dict[str, str]) -> None:
    job = made(client, anna, reference=uri(picture()))
    here = f"/api/v1/portrayals/{job['id']}"
    calls: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
        ("GET", "", None),
        ("GET", "/pictures/0", None),
        ("GET", "/lineage", None),
        ("GET", "/events", None),
        ("POST", "/cancel", None),
        ("POST", "/again", {}),
        ("PATCH", "", {"starred": True, "tags": ["mine"]}),
        ("DELETE", "", None),
    )
    for method, end, body in calls:
        assert client.request(method, here + end, headers=bob, json=body).status_code == 404, end
    seen = client.get(here, headers=anna).json()
    assert (seen["state"], seen["starred"], seen["tags"]) == ("succeeded", False, [])
    client.patch(here, headers=anna, json={"tags": ["secret-tag"]})
    uploaded(client, anna, picture(colour="pink"))
    lists = ("portrayals", f"portrayals?parent={job['id']}", "portrayals?search=park", "tags", "usage", "characters")
    for path in (*(f"/api/v1/{name}" for name in lists), "/v1/predictions", "/v1/files"):
        answer = client.get(path, headers=bob)
        assert answer.status_code == 200
        assert all(value in ([], None, 0) for value in answer.json().values()), path
    assert client.get("/api/v1/queue", headers=bob).json()["jobs"] == []


def test_nobody_uses_anothers_file(
    client: TestClient, service: Service, anna: dict[str, str], bob: dict[str, str]
) -> None:
    file = uploaded(client, anna, picture(colour="navy"))
    here, file_id = "http://testserver", file["id"]
    bare, _, query = file["url"].partition("?")
    wrong = query[:-1] + ("0" if query[-1] != "0" else "1")
    expires, signature = (part.partition("=")[2] for part in wrong.split("&"))
    forms = {
        file_id: True,
        f"{here}/api/v1/files/{file_id}": True,
        f"{here}/api/v1/files/{file_id}/content": True,
        f"{here}/v1/files/{file_id}": True,
        f"{here}/v1/files/{file_id}/download": True,
        bare: False,
        f"{bare}?{wrong}": False,
        f"{here}/storage/files/{expires}/{signature}/{file_id}.png": False,
    }
    before = service.library.page("b").jobs
    for form, own in forms.items():
        body = {"prompt": "x", "reference": form}
        refused = client.post("/api/v1/portrayals/generate", headers=bob, json=body)
        assert (refused.status_code, refused.json()["field"]) == (422, "reference"), form
        if own:
            assert client.post("/api/v1/portrayals/generate", headers=anna, json=body).status_code == 201, form
    for field in ("character_reference_images", "style_reference_images"):
        asset = json.dumps({"asset_type": "UPLOAD", "asset_id": file_id})
        data = {"prompt": "x", field: asset}
        refused = client.post("/v2/image/generate/ideogram-3-character", headers=bob, data=data)
        assert refused.status_code in (400, 404), field
    assert service.library.page("b").jobs == before
    for method, path in (("GET", "/api/v1/files/{}"), ("GET", "/api/v1/files/{}/content"), ("GET", "/v1/files/{}")):
        assert client.request(method, path.format(file_id), headers=bob).status_code == 404
    for path in ("/api/v1/files/{}", "/v1/files/{}"):
        assert client.delete(path.format(file_id), headers=bob).status_code == 404
    assert client.post(f"/api/v1/files/{file_id}/mask", headers=bob, json={"what": "face"}).status_code == 404
    fresh = client.post("/api/v1/common/download-url", headers=bob, json={"url": f"{here}/v1/files/{file_id}"})
    assert fresh.json()["code"] != 200


def test_a_signed_address_may_be_passed_on_but_joins_no_families(
    client: TestClient, service: Service, anna: dict[str, str], bob: dict[str, str]
) -> None:
    job = made(client, anna, reference=uri(picture()))
    body = {
        "prompt": "x",
        "image": job["pictures"][0]["url"],
        "mask": uri(mask(1024, 1024, inside=255, outside=0)),
        "reference": uri(picture()),
        "wait": 20,
    }
    answer = client.post("/api/v1/portrayals/edit", headers=bob, json=body)
    assert answer.json()["state"] == "succeeded"
    assert client.get(f"/api/v1/portrayals/{answer.json()['id']}/lineage", headers=bob).json()["ancestors"] == []
    assert client.get(f"/api/v1/portrayals/{job['id']}/lineage", headers=anna).json()["descendants"] == []


def test_uploads_of_another_library_expire_as_they_would(
    client: TestClient, service: Service, anna: dict[str, str], bob: dict[str, str]
) -> None:
    data = picture(colour="olive")
    theirs, mine = uploaded(client, anna, data), uploaded(client, bob, data)
    ends = service.files.get(theirs["id"]).expires_at
    made(client, bob, reference=mine["id"])
    assert service.files.get(mine["id"]).expires_at is None
    assert service.files.get(theirs["id"]).expires_at == ends is not None


def test_a_librarys_secret_signs_nothing_of_another(
    client: TestClient, anna: dict[str, str], bob: dict[str, str]
) -> None:
    file = uploaded(client, anna, picture())
    expiry = str(int(time.time()) + 600)
    statuses = []
    for who in (bob, anna):
        secret = client.get("/v1/webhooks/default/secret", headers=who).json()["key"]
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = base64.b64encode(hmac.digest(key, f"a {file['id']} {expiry}".encode(), hashlib.sha256)).decode()
        asked = {"owner": "a", "expiry": expiry, "signature": signed}
        statuses.append(client.get(f"/v1/files/{file['id']}/download", params=asked).status_code)
    assert statuses == [403, 200]


def test_idempotency_keys_are_a_librarys_own(client: TestClient, anna: dict[str, str], bob: dict[str, str]) -> None:
    body = {"prompt": "x", "reference": uri(picture())}

    def order(who: dict[str, str]) -> str:
        answer = client.post("/api/v1/portrayals/generate", headers={**who, "Idempotency-Key": "same"}, json=body)
        assert answer.status_code == 201
        return str(answer.json()["id"])

    with ThreadPoolExecutor(20) as threads:
        hers = set(threads.map(order, [anna] * 20))
    assert len(hers) == 1
    assert order(bob) not in hers
    for key in ("x" * 256, "two words"):
        headers = {**anna, "Idempotency-Key": key}
        answer = client.post(
            "/v1/predictions",
            headers=headers,
            json={
                "version": "ideogram-ai/ideogram-character",
                "input": {"prompt": "x", "character_reference_image": uri(picture())},
            },
        )
        assert answer.status_code == 422


def test_characters_are_a_librarys_own(
    client: TestClient, service: Service, anna: dict[str, str], bob: dict[str, str]
) -> None:
    body = {"name": "Ball", "image": uri(ball())}

    def save(_: int) -> int:
        return client.post("/api/v1/characters", headers=anna, json=body).status_code

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(save, range(2))) == [201, 409]
    here = "/api/v1/characters/ball"
    known = client.get(here, headers=anna).json()
    for method, end, sent in (
        ("GET", "", None),
        ("GET", "/thumbnail", None),
        ("GET", "/image", None),
        ("GET", "/export", None),
        ("PATCH", "", {"notes": "b"}),
        ("POST", "/masks", {"use": 0}),
        ("DELETE", "", None),
    ):
        assert client.request(method, here + end, headers=bob, json=sent).status_code == 404, end
    assert client.get(f"/api/v1/characters/{known['id']}", headers=bob).status_code == 404
    for sent in ({"prompt": "@ball in a park"}, {"prompt": "x", "reference": "@bal"}):
        answer = client.post("/api/v1/portrayals/generate", headers=bob, json=sent)
        assert answer.status_code == 422
        assert "Ball" not in answer.text
    assert client.get("/api/v1/portrayals?character=ball", headers=bob).status_code == 404
    assert client.get(here, headers=anna).json() == known


def test_what_a_waiting_job_needs_is_kept(client: TestClient, service: Service, anna: dict[str, str]) -> None:
    """Its character is deleted, its upload too, and the garbage is collected; then it is made."""
    assert client.post(
        "/api/v1/characters", headers=anna, json={"name": "Gone", "image": uri(ball("green"))}
    ).is_success
    file = uploaded(client, anna, picture(colour="gold"))
    slow = [made(client, anna, prompt="SLOW", reference=file["id"], wait=0)["id"] for _ in range(2)]
    waiting = made(client, anna, prompt="@gone and a friend", characters=[{"image": file["id"]}], wait=0)["id"]
    try:
        assert client.delete("/api/v1/characters/gone", headers=anna).status_code == 204
        assert client.delete(f"/api/v1/files/{file['id']}", headers=anna).status_code == 204
        assert service.blobs.folder is not None
        for blob in service.blobs.folder.glob("*/*"):
            os.utime(blob, (1e9, 1e9))
        collect(service.database, service.blobs)
        running = client.get(f"/api/v1/portrayals/{slow[0]}", headers=anna).json()
        assert running["state"] == "processing"
        assert client.delete(f"/api/v1/portrayals/{slow[0]}", headers=anna).status_code == 204
        assert client.get(f"/api/v1/portrayals/{slow[0]}", headers=anna).status_code == 404
    finally:
        client.post(f"/api/v1/portrayals/{slow[1]}/cancel", headers=anna)
    assert asyncio.run(service.wait(waiting, 30)).state == "succeeded"


# Signed addresses.


def test_a_signed_address_is_good_as_it_stands_only(client: TestClient, service: Service, anna: dict[str, str]) -> None:
    file = uploaded(client, anna, picture())
    path = file["url"].removeprefix("http://testserver")
    good = client.get(path)
    assert (good.status_code, good.headers["content-type"]) == (200, "image/png")
    assert good.headers["x-content-type-options"] == "nosniff"
    head = client.head(path)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(good.content)))
    name, _, query = path.partition("?")
    expires, _, signature = query.partition("&")
    number = int(expires.partition("=")[2])
    for other in (
        name,
        f"{name}?{expires}",
        f"{name}?{signature}",
        f"{name}?expires={number + 60}&{signature}",
        f"{name}?{expires}&signature=é",
        f"{name}?{expires}&{signature[:-1]}",
        f"{name}?expires=-1&{signature}",
        f"{name.removesuffix('.png')}?{query}",
        f"{name.replace('.png', '.html')}?{query}",
        f"{name.replace('.png', '.svg')}?{query}",
        f"/files/..%2f{name.removeprefix('/files/')}?{query}",
        f"/files/%00?{query}",
    ):
        assert client.get(other).status_code == 404, other
    old = int(time.time()) - 1
    assert client.get(f"{name}?expires={old}&signature={service.secrets.url_signature(name, old)}").status_code == 404


def test_the_body_of_somebody_unknown_is_not_read(client: TestClient, anna: dict[str, str]) -> None:
    """At the native routes FastAPI would read and parse it before it asks for the key."""
    read: list[str] = []
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        read.append("body")
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def call(path: str, kind: bytes, key: str) -> None:
        headers = [(b"content-type", kind), (b"authorization", key.encode())]
        scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": path, "raw_path": path.encode()}
        scope |= {"query_string": b"", "headers": headers, "scheme": "http", "server": ("testserver", 80)}
        await client.app(scope, receive, send)

    assert client.portal is not None
    calls = (
        ("/api/v1/portrayals/generate", b"application/json"),
        ("/api/v1/files", b"multipart/form-data; boundary=b"),
    )
    for path, kind in calls:
        client.portal.call(call, path, kind, "Bearer unknown")
    assert (statuses, read) == ([401, 401], [])
    client.portal.call(call, *calls[0], anna["Authorization"])
    assert (statuses[2], read) == (422, ["body"])
