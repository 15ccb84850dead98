"""ModelRunner's own Python client, unchanged, against a started server; and its stream of all requests."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import httpx
import modelrunner_ai
import pytest
from modelrunner_ai import client as module
from PIL import Image

from tests.api.conftest import mask, picture, uri
from tests.servers import Server

APP = "ideogram/character"


@pytest.fixture
def addressed(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setattr(module, "RUN_URL_FORMAT", f"{server.base}/")
    monkeypatch.setattr(module, "QUEUE_URL_FORMAT", f"{server.base}/")
    monkeypatch.setattr(module, "REST_URL", server.base)
    monkeypatch.setattr(module, "WEBHOOK_SECRET_URL", f"{server.base}/webhooks/default/secret")
    return server


@pytest.fixture
def client(addressed: Server) -> modelrunner_ai.SyncClient:
    return modelrunner_ai.SyncClient(key="any")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "ref.png"
    path.write_bytes(picture())
    return path


def _input(prompt: str = "in a park", **given: Any) -> dict[str, Any]:
    return {"prompt": prompt, "reference_image_urls": [uri(picture())], **given}


def _is_picture(envelope: dict[str, Any]) -> None:
    assert (envelope["status"], envelope["billingStatus"]) == ("COMPLETED", "charged")
    (url,) = envelope["output"]
    Image.open(io.BytesIO(httpx.get(url).content)).load()
    assert envelope["identity"][0]["same_person"] is True


def test_run_generates_edits_and_remixes(client: modelrunner_ai.SyncClient) -> None:
    _is_picture(client.run(APP, _input(), metadata={"job": "1"}))
    _is_picture(client.run(f"{APP}/edit", _input(image_url=uri(picture()), mask_url=uri(mask()))))
    _is_picture(client.run(APP, _input(image_url=uri(picture())), path="remix"))


def test_submit_waits_tells_and_gives(client: modelrunner_ai.SyncClient) -> None:
    handle = client.submit(APP, _input("WAIT"), priority="low", metadata={"a": "b"}, store_io=False)
    states = list(handle.iter_events(with_logs=True))
    assert isinstance(states[-1], modelrunner_ai.Completed)
    assert states[-1].metrics["inference_time"] > 0.3
    result = handle.get()
    _is_picture(result)
    assert result["metadata"] == {"a": "b"}
    assert isinstance(client.status(APP, handle.request_id), modelrunner_ai.Completed)
    _is_picture(client.result(APP, handle.request_id))


def test_subscribe(client: modelrunner_ai.SyncClient) -> None:
    ids: list[str] = []
    seen: list[Any] = []
    _is_picture(client.subscribe(APP, _input("WAIT"), on_enqueue=ids.append, on_queue_update=seen.append))
    assert len(ids) == 1
    assert isinstance(seen[-1], modelrunner_ai.Completed)


def test_files_in_the_input_are_uploaded(
    client: modelrunner_ai.SyncClient, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for given in (photo, picture(), Image.open(photo)):
        _is_picture(client.run(APP, {"prompt": "in a park", "reference_image_urls": [given]}))
    monkeypatch.setattr(module, "MULTIPART_THRESHOLD", 100)
    monkeypatch.setattr(module, "MULTIPART_CHUNK_SIZE", 200)
    for url in (client.upload(picture(), "image/png"), client.upload_file(photo)):
        assert httpx.get(url).headers["content-type"] == "image/png"
        _is_picture(client.run(APP, {"prompt": "in a park", "reference_image_urls": [url]}))


def test_cancel(client: modelrunner_ai.SyncClient) -> None:
    handle = client.submit(APP, _input("SLOW"))
    handle.cancel()
    with pytest.raises(module.ModelrunnerClientHTTPError) as error:
        handle.get()
    assert error.value.status_code == 400
    assert json.loads(error.value.message)["status"] == "CANCELLED"


def test_errors(client: modelrunner_ai.SyncClient) -> None:
    with pytest.raises(module.ModelrunnerClientHTTPError) as error:
        client.run(APP, {"prompt": "in a park"})
    assert error.value.status_code == 400
    assert json.loads(error.value.message)["error"][0]["path"] == ["reference_image_urls"]
    with pytest.raises(module.ModelrunnerClientHTTPError) as error:
        client.run(APP, _input("FAIL"))
    assert error.value.status_code == 422
    with pytest.raises(module.ModelrunnerClientHTTPError) as error:
        client.upload(b"no picture", "image/png")
    assert "this is a text" in error.value.message


def test_the_secret_of_webhooks(client: modelrunner_ai.SyncClient) -> None:
    assert client.get_webhook_secret().startswith("whsec_")
    with pytest.raises(module.ModelrunnerClientHTTPError) as error:
        client.rotate_webhook_secret()
    assert error.value.status_code == 403


def test_asynchronous(addressed: Server, photo: Path) -> None:
    async def use() -> None:
        client = modelrunner_ai.AsyncClient(key="any")
        _is_picture(await client.run(APP, _input()))
        handle = await client.submit(APP, _input("WAIT"))
        assert [state async for state in handle.iter_events()]
        _is_picture(await handle.get())
        url = await client.upload_file(photo)
        _is_picture(await client.subscribe(APP, {"prompt": "x", "reference_image_urls": [url]}))
        slow = await client.submit(APP, _input("SLOW"))
        await slow.cancel()
        with pytest.raises(module.ModelrunnerClientHTTPError):
            await slow.get()

    asyncio.run(use())


def test_the_stream_of_all_requests(client: modelrunner_ai.SyncClient, addressed: Server) -> None:
    first = client.submit(APP, _input("SLOW"))
    with httpx.stream("GET", f"{addressed.base}/requests/stream", timeout=30) as answer:
        events = (json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line.startswith("data: "))
        snapshot = next(events)
        assert snapshot["type"] == "snapshot"
        assert first.request_id in [request["id"] for request in snapshot["requests"]]
        first.cancel()
        for event in events:
            assert event["type"] == "update"
            if event["request"]["status"] == "CANCELLED":
                break
    assert event["request"]["id"] == first.request_id
