"""Replicate's format besides the predictions themselves: files, lists, the model, webhooks, pictures as data."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import time
from typing import Any

import pytest
import replicate
from fastapi.testclient import TestClient
from PIL import Image
from replicate.webhook import Webhooks, WebhookSigningSecret

from portrayal.api.dialects.replicate import NOTIFIER
from portrayal.api.dialects.replicate.schema import LATEST, VERSIONS
from portrayal.service.ids import new_id
from portrayal.service.service import Service
from portrayal.service.tables import PortrayalRow, StoredFile
from portrayal.service.webhooks import Webhook
from portrayal.settings import Settings
from portrayal.sizes import RATIOS, RESOLUTIONS
from tests.api.conftest import BASE, mask, picture, uri

MODEL = "ideogram-ai/ideogram-character"
CREATE = f"/v1/models/{MODEL}/predictions"


@pytest.fixture(scope="module")
def settings_here(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("replicate")
    return Settings(
        data_dir=folder / "data",
        cache_dir=folder / "cache",
        slots=2,
        shutdown_grace=1,
        replicate_data_uris=True,
        fetch_private="127.0.0.1",
    )


def _upload(client: TestClient, content: bytes, name: str = "ref.png", **form: Any) -> Any:
    return client.post("/v1/files", files={"content": (name, content, "application/octet-stream")}, **form)


# Files.


def test_an_uploaded_file_in_full(client: TestClient) -> None:
    data = picture(colour="navy")
    answer = _upload(client, data, data={"metadata": '{"of": "me"}'})
    assert answer.status_code == 201
    found = answer.json()
    digest = hashlib.sha256(data).hexdigest()
    created, expires = found.pop("created_at"), found.pop("expires_at")
    assert created < expires
    assert found == {
        "id": found["id"],
        "name": "ref.png",
        "content_type": "image/png",
        "size": len(data),
        "etag": f'"{digest}"',
        "checksums": {"sha256": digest},
        "metadata": {"of": "me"},
        "urls": {"get": f"{BASE}/v1/files/{found['id']}"},
    }
    again = client.get(found["urls"]["get"]).json()
    assert {**again, "metadata": found["metadata"]} == {**found, "created_at": created, "expires_at": expires}
    replicate.file.File(**again)


@pytest.mark.parametrize("prefix", ["/v1", "/v1/v1"])
def test_files_are_used_listed_and_deleted(client: TestClient, service: Service, prefix: str) -> None:
    data = picture(colour="maroon")
    answer = client.post(f"{prefix}/files", files={"content": ("buffer_17", data)})
    url, file_id = answer.json()["urls"]["get"], answer.json()["id"]
    found = client.post(f"{prefix}/models/{MODEL}/predictions", json={"input": _input(url)}).json()
    assert found["input"]["character_reference_image"] == url
    assert service.blobs.get(service.job(found["id"]).order.characters[0].image) == data
    assert client.get(f"{prefix}/files/{file_id}").json()["expires_at"] == "9999-12-31T00:00:00.000Z"
    listed = client.get(f"{prefix}/files").json()
    assert listed["results"][0]["id"] == file_id
    assert (listed["next"], listed["previous"]) == (None, None)
    assert client.delete(f"{prefix}/files/{file_id}").status_code == 204
    assert client.delete(f"{prefix}/files/{file_id}").status_code == 404
    assert client.get(f"{prefix}/files/{file_id}").status_code == 404
    assert file_id not in [file["id"] for file in client.get(f"{prefix}/files").json()["results"]]
    answer = client.post(CREATE, json={"input": _input(url)})
    assert answer.json()["invalid_fields"][0]["field"] == "input.character_reference_image"


@pytest.mark.parametrize(("metadata", "status"), [("{}", 201), ("", 201), ("[]", 422), ("{", 422), ("x" * 20_000, 422)])
def test_metadata_of_files(client: TestClient, metadata: str, status: int) -> None:
    assert _upload(client, picture(), data={"metadata": metadata}).status_code == status
    typed: Any = {"content": ("a.png", picture()), "metadata": ("blob", metadata.encode(), "application/json")}
    assert client.post("/v1/files", files=typed).status_code == status


def test_an_upload_needs_its_part(client: TestClient) -> None:
    forms: list[dict[str, Any]] = [{"data": {"content": "x"}}, {"files": {"other": picture()}}]
    for form in forms:
        answer = client.post("/v1/files", **form)
        assert answer.status_code == 422
        assert answer.json()["invalid_fields"][0]["field"] == "content"
    assert client.post("/v1/files", content=b"x").json()["title"] == "Bad request"


def test_results_are_no_uploads(client: TestClient) -> None:
    found = client.post(CREATE, json={"input": _input(uri(picture()))}, headers={"prefer": "wait"}).json()
    listed = client.get("/v1/predictions").json()["results"][0]
    assert listed["id"] == found["id"]
    result = listed["output"].split("/files/")[1][:26]
    assert client.delete(f"/v1/files/{result}").status_code == 404
    assert result not in [file["id"] for file in client.get("/v1/files").json()["results"]]


def test_signed_downloads(client: TestClient) -> None:
    data = picture(colour="teal")
    file_id = _upload(client, data).json()["id"]
    owner = client.get("/v1/account").json()["username"]
    secret = base64.b64decode(client.get("/v1/webhooks/default/secret").json()["key"].removeprefix("whsec_"))

    def fetch(until: int, signed_for: str = file_id, **other: str) -> Any:
        content = f"{owner} {signed_for} {until}".encode()
        signature = base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()
        query = {"owner": owner, "expiry": str(until), "signature": signature, **other}
        return client.get(f"/v1/files/{file_id}/download", params=query)

    later = int(time.time()) + 60
    assert fetch(later).content == data
    assert fetch(later, owner="other").status_code == 403
    assert fetch(int(time.time()) - 1).status_code == 403
    assert fetch(later, signed_for=new_id()).status_code == 403
    assert fetch(later, expiry="soon").status_code == 403
    assert fetch(later, signature="§").status_code == 403


# Lists.


def _input(reference: str, **values: Any) -> dict[str, Any]:
    return {"prompt": "in a park", "character_reference_image": reference, **values}


def test_predictions_page_by_page(client: TestClient, service: Service) -> None:
    found = client.post(CREATE, json={"input": _input(uri(picture()))}, headers={"prefer": "wait"}).json()
    with service.database.session() as session:
        row = session.get(PortrayalRow, found["id"])
        assert row is not None
        columns = {column.name for column in PortrayalRow.__table__.columns}
        values = {name: getattr(row, name) for name in columns}
        # Their ids sort after all others, so that they fill the first pages.
        ids = [f"9{i:025d}" for i in range(250)]
        for i, job_id in enumerate(ids):
            session.add(PortrayalRow(**{**values, "id": job_id, "created_at": 4e9 + i}))
    try:
        pages, url = [], "/v1/predictions?created_after=2090-01-01T00:00:00Z"
        while url:
            pages.append(client.get(url).json())
            url = pages[-1]["next"]
        assert [len(page["results"]) for page in pages] == [100, 100, 50]
        assert [p["id"] for page in pages for p in page["results"]] == ids[::-1]
        assert pages[0]["previous"] is None
        back = client.get(pages[2]["previous"]).json()
        assert [p["id"] for p in back["results"]] == [p["id"] for p in pages[1]["results"]]
        first = client.get(back["previous"]).json()
        assert [p["id"] for p in first["results"]] == [p["id"] for p in pages[0]["results"]]
        assert first["previous"] is None
        before = client.get("/v1/predictions", params={"created_before": "2090-01-01"}).json()
        assert found["id"] in [p["id"] for p in before["results"]]
        assert not {p["id"] for p in before["results"]} & set(ids)
    finally:
        with service.database.session() as session:
            for job_id in ids:
                session.delete(session.get(PortrayalRow, job_id))


def test_a_library_lists_its_own(client: TestClient, service: Service) -> None:
    row, key = service.keys.create("apart", library="apart")
    headers = {"authorization": f"Bearer {key}"}
    mine = client.post(CREATE, json={"input": _input(uri(picture()))}, headers=headers).json()
    file = _upload(client, picture(), headers=headers).json()
    assert [p["id"] for p in client.get("/v1/predictions", headers=headers).json()["results"]] == [mine["id"]]
    assert file["id"] in [f["id"] for f in client.get("/v1/files", headers=headers).json()["results"]]
    assert client.get("/v1/account", headers=headers).json()["username"] == "apart"
    assert mine["id"] not in [p["id"] for p in client.get("/v1/predictions").json()["results"]]
    for path in (f"/v1/predictions/{mine['id']}", f"/v1/files/{file['id']}"):
        assert client.get(path).status_code == 404
        assert client.get(path, headers=headers).status_code == 200
    service.keys.revoke(row.id)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "§"}, "cursor"),
        ({"created_after": "soon"}, "created_after"),
        ({"created_before": "2026-13-01"}, "created_before"),
        ({"source": "api"}, "source"),
    ],
)
def test_bad_queries(client: TestClient, query: dict[str, str], field: str) -> None:
    answer = client.get("/v1/predictions", params=query)
    assert answer.status_code == 422
    assert answer.json()["invalid_fields"][0]["field"] == field


def test_nothing_here_comes_from_the_web(client: TestClient) -> None:
    assert client.get("/v1/predictions?source=web").json() == {"next": None, "previous": None, "results": []}


# The model.


@pytest.mark.parametrize("prefix", ["/v1", "/v1/v1"])
def test_the_model_and_its_versions(client: TestClient, prefix: str) -> None:
    model = client.get(f"{prefix}/models/{MODEL}").json()
    assert (model["owner"], model["name"], model["visibility"]) == (*MODEL.split("/"), "public")
    assert model["latest_version"]["id"] == LATEST
    versions = client.get(f"{prefix}/models/{MODEL}/versions").json()
    assert [version["id"] for version in versions["results"]] == list(VERSIONS)
    for version in versions["results"]:
        assert client.get(f"{prefix}/models/{MODEL}/versions/{version['id']}").json() == version
    page = client.get(f"{prefix}/models").json()
    assert [m["name"] for m in page["results"]] == ["ideogram-character"]
    assert ("data" in page) == (prefix == "/v1")  # OpenAI's clients read the same list


def test_the_schema_of_the_input(client: TestClient) -> None:
    found = client.get(f"/v1/models/{MODEL}/versions/{LATEST}").json()["openapi_schema"]["components"]["schemas"]
    assert found["Output"] == {"type": "string", "title": "Output", "format": "uri"}
    given = found["Input"]
    assert given["required"] == ["prompt", "character_reference_image"]
    assert list(given["properties"]) == [
        *("prompt", "character_reference_image", "aspect_ratio", "resolution", "image", "mask"),
        *("magic_prompt_option", "rendering_speed", "style_type", "seed"),
    ]
    assert [p["x-order"] for p in given["properties"].values()] == list(range(10))
    assert set(found["aspect_ratio"]["enum"]) == {name.replace("x", ":") for name in RATIOS}
    assert found["resolution"]["enum"] == ["None", *(f"{width}x{height}" for width, height in RESOLUTIONS)]
    assert found["rendering_speed"]["enum"] == ["Default", "Turbo", "Quality"]
    assert found["magic_prompt_option"]["enum"] == ["Auto", "On", "Off"]
    assert found["style_type"]["enum"] == ["Auto", "Fiction", "Realistic"]
    for name in found.keys() - {"Input", "Output"}:
        used = given["properties"][name]
        assert used["allOf"] == [{"$ref": f"#/components/schemas/{name}"}]
        assert used["default"] in found[name]["enum"]


@pytest.mark.parametrize(("version", "missing"), VERSIONS.items())
def test_older_versions_had_fewer_fields(client: TestClient, version: str, missing: tuple[str, ...]) -> None:
    found = client.get(f"/v1/models/{MODEL}/versions/{version}").json()["openapi_schema"]
    assert not set(missing) & set(found["components"]["schemas"]["Input"]["properties"])


def test_the_account_and_the_secret(client: TestClient) -> None:
    account = client.get("/v1/account").json()
    assert set(account) == {"type", "username", "name", "github_url"}
    assert client.get("/v1/webhooks/default/secret").json()["key"].startswith("whsec_")


# Webhooks.


def _messages(service: Service, what: str, *events: str, job_id: str) -> list[tuple[str, dict[str, Any]]]:
    found = NOTIFIER.messages(
        service.job(job_id),
        what,
        Webhook(url="http://x/", events=events),
        lambda file_id, kind: f"{BASE}/files/{file_id}",
    )
    return [(message.event, json.loads(message.body)) for message in found]


@pytest.mark.parametrize(
    ("events", "processing", "pictured", "ended"),
    [
        ((), [], ["output-1"], ["completed"]),
        (("start", "output", "logs", "completed"), ["start", "logs-0"], ["output-1", "logs-1"], ["completed"]),
        (("start",), ["start"], [], []),
        (("completed",), [], [], ["completed"]),
        (("logs",), ["logs-0"], ["logs-1"], []),
    ],
)
def test_the_events_that_are_sent(
    client: TestClient,
    service: Service,
    events: tuple[str, ...],
    processing: list[str],
    pictured: list[str],
    ended: list[str],
) -> None:
    job_id = client.post(CREATE, json={"input": _input(uri(picture()))}, headers={"prefer": "wait"}).json()["id"]
    for what, expected in [("processing", processing), ("picture", pictured), ("succeeded", ended), ("failed", ended)]:
        found = _messages(service, what, *events, job_id=job_id)
        assert [event for event, _ in found] == expected
        for _, body in found:
            assert body["id"] == job_id
            assert body["urls"]["get"] == f"{BASE}/v1/predictions/{job_id}"
            assert body["output"].startswith(f"{BASE}/files/")  # an address, whatever the setting says


def test_webhooks_are_signed_as_the_clients_check(client: TestClient, service: Service) -> None:
    job_id = client.post(CREATE, json={"input": _input(uri(picture()))}, headers={"prefer": "wait"}).json()["id"]
    body = NOTIFIER.messages(service.job(job_id), "succeeded", Webhook(url="http://x/"), lambda *_: "y")[0].body
    headers = NOTIFIER.headers(service.job(job_id), "msg_1", int(time.time()), body, service.secrets.of("main"))
    secret = WebhookSigningSecret(**client.get("/v1/webhooks/default/secret").json())
    Webhooks.validate(headers=headers, body=body.decode(), secret=secret, tolerance=60)
    with pytest.raises(ValueError, match="signature is invalid"):
        Webhooks.validate(headers=headers, body=body.decode() + " ", secret=secret)


@pytest.mark.parametrize(
    ("given", "events"),
    [
        ({"webhook": "http://127.0.0.1:64999/hook"}, ["output", "completed"]),
        ({"webhook": "http://127.0.0.1:64999/hook", "webhook_events_filter": ["start", "start"]}, ["start"]),
        ({"webhook": "http://127.0.0.1:64999/hook", "webhook_events_filter": []}, ["output", "completed"]),
        ({"webhook_completed": "http://127.0.0.1:64999/hook"}, ["completed"]),
    ],
)
def test_the_filter_of_events(client: TestClient, given: dict[str, Any], events: list[str]) -> None:
    given = {"input": _input(uri(picture()), prompt="SLOW"), **given}
    found = client.post(CREATE, json=given).json()
    assert (found["webhook"], found["webhook_events_filter"]) == ("http://127.0.0.1:64999/hook", events)
    client.post(found["urls"]["cancel"])


# Pictures as data.


def test_outputs_as_data(client: TestClient) -> None:
    given = _input(uri(picture()), image=uri(picture()), mask=uri(mask()))
    found = client.post(CREATE, json={"input": given}, headers={"prefer": "wait"}).json()
    head, _, data = found["output"].partition(",")
    assert head == "data:image/png;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (256, 256)
    assert client.get(found["urls"]["get"]).json()["output"] == found["output"]
    several = client.post(CREATE, json={"input": _input(uri(picture()), num_outputs=2)}, headers={"prefer": "wait"})
    assert all(output.startswith("data:image/png;base64,") for output in several.json()["output"])
    listed = client.get("/v1/predictions").json()["results"][0]
    assert listed["output"][0].startswith(f"{BASE}/files/")  # a page of a hundred stays small


def test_expired_uploads_are_gone(client: TestClient, service: Service) -> None:
    file_id = _upload(client, picture()).json()["id"]
    with service.database.session() as session:
        row = session.get(StoredFile, file_id)
        assert row is not None
        row.expires_at = time.time() - 1
    assert client.get(f"/v1/files/{file_id}").status_code == 404
    assert file_id not in [file["id"] for file in client.get("/v1/files").json()["results"]]
