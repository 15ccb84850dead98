"""Kie.ai has no client library: plain `requests`, as its users call it, against a started server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import queue
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from PIL import Image

from portrayal.service.database import Database
from portrayal.service.keys import Keys
from portrayal.settings import Settings
from tests.api.conftest import mask, picture, uri
from tests.servers import Server

Callback = tuple[dict[str, str], bytes]


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer any"
        yield session


@pytest.fixture
def listener() -> Iterator[tuple[str, queue.Queue[Callback]]]:
    """An address, and what arrives there; the first delivery is answered with 500."""
    arrived: queue.Queue[Callback] = queue.Queue()
    refused: list[bool] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            arrived.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200 if refused else 500)
            refused.append(True)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/callback", arrived
    server.shutdown()
    server.server_close()


def _create(session: requests.Session, server: Server, model: str, *, status: int = 200, **given: Any) -> Any:
    callback = given.pop("callBackUrl", None)
    body = {"model": model, **({"callBackUrl": callback} if callback else {}), "input": given}
    answer = session.post(f"{server.base}/api/v1/jobs/createTask", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, status), answer.text
    return answer.json() if status != 200 else answer.json()["data"]["taskId"]


def _polled(session: requests.Session, server: Server, task: str) -> Any:
    """The record of a task that has ended, as Kie's documentation waits for it."""
    for _ in range(600):
        answer = session.get(f"{server.base}/api/v1/jobs/recordInfo", params={"taskId": task})
        record = answer.json()["data"]
        assert record["state"] in ("waiting", "queuing", "generating", "success", "fail")
        if record["state"] in ("success", "fail"):
            return record
        time.sleep(0.05)
    raise AssertionError(f"{task} did not end")


def _pictures(record: dict[str, Any]) -> list[Image.Image]:
    assert record["state"] == "success", record
    urls = json.loads(record["resultJson"])["resultUrls"]
    return [Image.open(io.BytesIO(requests.get(url).content)) for url in urls]  # without a key


def test_generate_edit_and_remix_with_uploaded_pictures(session: requests.Session, server: Server) -> None:
    who = session.post(
        f"{server.base}/api/file-stream-upload",
        files={"file": ("who.png", picture())},
        data={"uploadPath": "images/people", "fileName": "ada.png"},
    ).json()
    assert (who["success"], who["code"], who["data"]["filePath"]) == (True, 200, "images/people/ada.png")
    who_url = who["data"]["downloadUrl"]
    assert requests.get(who_url).content[:4] == b"\x89PNG"
    scene = session.post(
        f"{server.base}/api/file-base64-upload",
        json={"base64Data": base64.b64encode(picture(320, 256, "olive")).decode(), "uploadPath": "images"},
    ).json()["data"]["downloadUrl"]
    painted = session.post(
        f"{server.base}/api/file-url-upload",
        json={"fileUrl": who_url, "uploadPath": "images", "fileName": "again.png"},
    ).json()
    assert painted["data"]["fileSize"] == who["data"]["fileSize"]

    task = _create(
        session, server, "ideogram/character", prompt="in a park", reference_image_urls=[who_url],
        image_size="landscape_16_9", num_images="2", rendering_speed="TURBO", style="REALISTIC", seed=5,
        expand_prompt=False, negative_prompt="hats",
    )  # fmt: skip
    record = _polled(session, server, task)
    assert [found.size for found in _pictures(record)] == [(1312, 736)] * 2
    assert json.loads(record["resultJson"])["identity"][1]["same_person"] is True
    assert json.loads(record["param"])["input"]["image_size"] == "landscape_16_9"

    task = _create(
        session, server, "ideogram/character-edit", prompt="in a park", reference_image_urls=[who_url],
        image_url=scene, mask_url=uri(mask(320, 256)),
    )  # fmt: skip
    assert [found.size for found in _pictures(_polled(session, server, task))] == [(320, 256)]

    task = _create(
        session, server, "ideogram/character-remix", prompt="in a park", reference_image_urls=[who_url],
        image_url=scene, strength=0.7, image_size="square", reference_mask_urls="",
    )  # fmt: skip
    assert [found.size for found in _pictures(_polled(session, server, task))] == [(512, 512)]


def test_a_callback_is_signed_tried_again_and_is_the_record(
    session: requests.Session, server: Server, listener: tuple[str, queue.Queue[Callback]]
) -> None:
    url, arrived = listener
    # The key is shown where Replicate shows its own: one server has one.
    key = session.get(f"{server.base}/v1/webhooks/default/secret").json()["key"]
    task = _create(
        session, server, "ideogram/character", prompt="x", reference_image_urls=[uri(picture())], callBackUrl=url
    )
    first, second = arrived.get(timeout=30), arrived.get(timeout=30)
    assert first[1] == second[1]
    for headers, body in (first, second):
        message = f"{json.loads(body)['data']['task_id']}.{headers['x-webhook-timestamp']}".encode()
        mac = base64.b64encode(hmac.new(key.encode(), message, hashlib.sha256).digest()).decode()
        assert headers["x-webhook-signature"] == mac
        assert headers["content-type"] == "application/json"
    told = json.loads(second[1])
    assert (told["code"], told["msg"]) == (200, "Playground task completed successfully.")
    assert told["data"]["taskId"] == task
    asked = _polled(session, server, task)
    assert {k: v for k, v in told["data"].items() if k != "resultJson"} == {
        k: v for k, v in asked.items() if k != "resultJson"
    }
    assert len(_pictures(told["data"])) == 1


def test_a_callback_tells_of_failure_too(
    session: requests.Session, server: Server, listener: tuple[str, queue.Queue[Callback]]
) -> None:
    url, arrived = listener
    task = _create(
        session, server, "ideogram/character", prompt="FAIL", reference_image_urls=[uri(picture())], callBackUrl=url
    )
    told = json.loads(arrived.get(timeout=30)[1])
    assert (told["code"], told["msg"]) == (501, "Playground task failed.")
    assert (told["data"]["taskId"], told["data"]["state"], told["data"]["failCode"]) == (task, "fail", "422")
    assert told["data"]["failMsg"] == "prompt: the fake shall fail. Ask for something else."


def test_credit_and_a_fresh_address(session: requests.Session, server: Server) -> None:
    assert session.get(f"{server.base}/api/v1/chat/credit").json() == {"code": 200, "msg": "success", "data": 999_999}
    task = _create(session, server, "ideogram/character", prompt="x", reference_image_urls=[uri(picture())])
    url = json.loads(_polled(session, server, task)["resultJson"])["resultUrls"][0]
    fresh = session.post(f"{server.base}/api/v1/common/download-url", json={"url": url}).json()["data"]
    assert requests.get(fresh).content == requests.get(url).content


def test_errors_are_told_in_code_and_status(session: requests.Session, server: Server) -> None:
    answer = _create(session, server, "ideogram/character", status=422, prompt="x")
    assert answer["msg"].startswith("reference_image_urls: is required")
    answer = _create(session, server, "ideogram/another", status=422, prompt="x")
    assert "ideogram/character-edit" in answer["msg"]
    answer = session.get(f"{server.base}/api/v1/jobs/recordInfo", params={"taskId": "task_ideogram_1765179922911"})
    assert (answer.status_code, answer.json()) == (422, {"code": 422, "msg": "recordInfo is null", "data": None})


def test_keys(server: Server) -> None:
    database = Database(Settings(data_dir=server.folder / "data"))
    keys = Keys(database, needed=False)
    row, key = keys.create("kie")
    headers = {"Authorization": f"Bearer {key}"}
    assert requests.get(f"{server.base}/api/v1/chat/credit", headers=headers).json()["code"] == 200
    keys.revoke(row.id)
    database.close()
    answer = requests.get(f"{server.base}/api/v1/chat/credit", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, 401)
