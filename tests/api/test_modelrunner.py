"""ModelRunner's protocol: the queue, envelopes, states, streams, reserved keys, webhooks and keys."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient
from modelrunner_ai.webhooks import verify_webhook

from portrayal.api.dialects import modelrunner
from portrayal.service.service import Service
from portrayal.service.webhooks import Webhook
from tests.api.conftest import BASE, mask, picture, uri

APP = "/ideogram/character"


def _body(prompt: str = "in a park", **given: Any) -> dict[str, Any]:
    return {"prompt": prompt, "reference_image_urls": [uri(picture())], **given}


def _submitted(client: TestClient, prompt: str = "in a park", **given: Any) -> dict[str, Any]:
    answer = client.post(APP, json=_body(prompt, **given))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _ended(client: TestClient, request: dict[str, Any], **query: Any) -> Any:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        answer = client.get(request["status_url"], params=query)
        if answer.json()["status"] not in ("IN_QUEUE", "IN_PROGRESS"):
            return answer
        assert answer.status_code == 200
        time.sleep(0.02)
    raise AssertionError("it did not end")


@pytest.mark.parametrize("endpoint", ["", "/edit", "/remix"])
def test_from_submission_to_result(client: TestClient, endpoint: str) -> None:
    more = {"": {}, "/edit": {"image_url": uri(picture()), "mask_url": uri(mask())}}
    body = _body("WARN", seed=9, num_images=2, **more.get(endpoint, {"image_url": uri(picture())}))
    answer = client.post(APP + endpoint, json={**body, "metadata": {"job": "42"}})
    assert answer.status_code == 201
    request = answer.json()
    here = f"{BASE}{APP}/requests/{request['request_id']}"
    assert request == {
        "status": "IN_QUEUE",
        "request_id": answer.headers["x-modelrunner-request-id"],
        "response_url": here,
        "status_url": f"{here}/status",
        "cancel_url": f"{here}/cancel",
        "queue_position": 0,
        "logs": None,
    }
    ended = _ended(client, request, logs="true").json()
    assert ended["status"] == "COMPLETED"
    assert "started: " in ended["logs"]
    assert ended["metrics"]["inference_time"] > 0
    result = client.get(f"{APP}{endpoint}/requests/{request['request_id']}")
    envelope = result.json()
    assert result.status_code == 200
    assert envelope["id"] == request["request_id"]
    assert envelope["modelEndpoint"] == "ideogram/character" + endpoint
    assert (envelope["status"], envelope["billingStatus"], envelope["error"]) == ("COMPLETED", "charged", None)
    assert len(envelope["output"]) == 2
    for url in envelope["output"]:
        assert client.get(url).headers["content-type"] == "image/png"
    assert envelope["input"]["prompt"] == "WARN"
    assert envelope["input"]["reference_image_urls"] == ["data:image/png;base64,..."]
    assert envelope["input"]["seed"] == envelope["seed"] == 9
    assert envelope["metadata"] == {"job": "42"}
    assert "metadata" not in envelope["input"]
    assert envelope["identity"][0]["same_person"] is True
    assert envelope["warnings"] == ["made by a fake"]
    assert envelope["createdAt"].endswith("Z")
    assert envelope["createdAt"] <= envelope["updatedAt"]
    assert isinstance(envelope["inferenceTime"], int)
    assert isinstance(envelope["delayTime"], int)
    assert result.headers["x-portrayal-identity-score"] == "0.8600"
    assert client.get(f"/requests/{request['request_id']}").json()["output"][0].startswith(BASE)


def test_a_result_is_not_there_before_its_time(client: TestClient) -> None:
    request = _submitted(client, "SLOW")
    answer = client.get(request["response_url"])
    assert answer.status_code == 409
    assert answer.json()["details"] == {"code": "NOT_COMPLETED"}
    cancelled = client.get(request["cancel_url"])
    assert cancelled.status_code == 200
    _ended(client, request)


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_cancel(client: TestClient, method: str) -> None:
    request = _submitted(client, "SLOW")
    assert client.request(method, request["cancel_url"]).status_code == 200
    ended = _ended(client, request)
    assert (ended.status_code, ended.json()["status"]) == (400, "CANCELLED")
    result = client.get(request["response_url"])
    assert (result.status_code, result.json()["billingStatus"]) == (422, "failed")
    assert result.json()["error"] == "Request was cancelled"
    assert client.request(method, request["cancel_url"]).json()["status"] == "CANCELLED"


def test_failed_by_its_input_and_failed_by_the_server(client: TestClient) -> None:
    request = _submitted(client, "FAIL")
    ended = _ended(client, request)
    assert (ended.status_code, ended.json()["status"]) == (200, "COMPLETED")
    assert ended.json()["error"] == "prompt: the fake shall fail"
    result = client.get(request["response_url"])
    assert result.status_code == 422
    assert (result.json()["billingStatus"], result.json()["output"]) == ("failed", None)
    request = _submitted(client, "CRASH")
    ended = _ended(client, request)
    assert (ended.status_code, ended.json()["status"]) == (400, "FAILED")
    assert "secret" not in ended.text
    assert client.get(request["response_url"]).status_code == 400


def _events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]


def test_states_as_a_stream(client: TestClient) -> None:
    request = _submitted(client, "WAIT")
    answer = client.get(f"{request['status_url']}/stream")
    events = _events(answer.text)
    assert events[-1]["status"] == "COMPLETED"
    assert {"request_id", "response_url", "logs", "metrics"} <= set(events[-1])


def test_what_is_kept_of_an_odd_input_can_be_told(client: TestClient) -> None:
    urls = [uri(picture()), "http://x/\ud800" + "y" * 100_000]
    body = _body(image_size={"width": 512, "height": 512, "\ud800": float("nan")}, reference_image_urls=urls)
    answer = client.post(APP, content=json.dumps(body))
    assert answer.status_code == 201, answer.text
    _ended(client, answer.json())
    kept = client.get(answer.json()["response_url"]).json()["input"]
    assert kept["image_size"] == {"width": 512, "height": 512, "?": None}
    assert kept["reference_image_urls"] == "..."


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"metadata": []}, "metadata"),
        ({"metadata": {str(i): "x" for i in range(17)}}, "metadata"),
        ({"metadata": {"a": 5}}, "metadata"),
        ({"metadata": {"a": "x" * 513}}, "metadata"),
        ({"metadata": {"": "x"}}, "metadata"),
        ({"webhook": 5}, "webhook"),
        ({"webhook": "http://example.org/hook"}, "webhook"),
        ({"webhook": "https://127.0.0.1/hook"}, "webhook"),
        ({"webhook": "no address"}, "webhook"),
        ({"webhook": "https://example.org/" + "x" * 2048}, "webhook"),
        ({"webhook_events_filter": ["completed"]}, "webhook_events_filter"),
        ({"webhook": "https://example.org/", "webhook_events_filter": ["logs"]}, "webhook_events_filter"),
        ({"webhook": "https://example.org/", "webhook_events_filter": []}, "webhook_events_filter"),
    ],
)
def test_reserved_keys_are_checked(client: TestClient, given: dict[str, Any], field: str) -> None:
    answer = client.post(APP, json=_body(**given))
    assert answer.status_code == 400, answer.text
    assert answer.json()["details"]["validationErrors"][0]["path"] == [field]


def test_headers_of_a_request(client: TestClient, service: Service) -> None:
    headers = {"x-modelrunner-queue-priority": "low", "x-modelrunner-store-io": "0"}
    answer = client.post(APP, json=_body(sync_mode=True), headers=headers)
    job = service.job(answer.json()["request_id"])
    assert job.priority == 2
    assert [note.partition(":")[0] for note in job.wire["notes"]] == ["x-modelrunner-store-io", "sync_mode"]


def test_refused_by_policy(client: TestClient) -> None:
    answer = client.post(APP, json=_body("a naked celebrity, porn"))
    assert answer.status_code == 422
    assert answer.json()["details"] == {"code": "CONTENT_POLICY_VIOLATION", "category": "sexual"}


def test_webhooks_are_worded_and_signed_as_modelrunner_does(client: TestClient, service: Service) -> None:
    notifier = modelrunner.NOTIFIER
    assert notifier is not None
    request = _submitted(client)
    _ended(client, request)
    job = service.job(request["request_id"])

    def link(file_id: str, _: str) -> str:
        return f"https://here/{file_id}"

    usual = Webhook(url="https://example.org/hook", events=("completed",))
    both = Webhook(url="https://example.org/hook", events=("start", "completed"))
    assert notifier.messages(job, "processing", usual, link) == []
    assert [m.event for m in notifier.messages(job, "processing", both, link)] == ["start"]
    assert notifier.messages(job, "picture", both, link) == []
    (message,) = notifier.messages(job, "succeeded", usual, link)
    headers = notifier.headers(job, "msg_1", int(time.time()), message.body, service.secrets.of("main"))
    key = client.get("/webhooks/default/secret").json()["key"]
    told = verify_webhook(key, headers, message.body)
    assert (told["event"], told["status"], told["billingStatus"]) == ("completed", "COMPLETED", "charged")
    assert told["output"][0].startswith("https://here/")
    rotated = client.post("/webhooks/default/secret/rotate")
    assert (rotated.status_code, rotated.json()["details"]) == (403, {"code": "FORBIDDEN"})


def test_keys(client: TestClient, service: Service) -> None:
    row, key = service.keys.create("modelrunner")
    service.keys.needed = True
    try:
        for headers in ({}, {"authorization": "Key wrong"}):
            answer = client.post(APP, json=_body(), headers=headers)
            assert (answer.status_code, answer.json()["details"]) == (401, {"code": "UNAUTHORIZED"})
            assert client.get("/webhooks/default/secret", headers=headers).status_code == 401
        headers = {"authorization": f"Key {key}"}
        status = client.post(APP, json=_body(), headers=headers).json()["status_url"]
        assert client.get(status, headers=headers).status_code == 200
        service.keys.revoke(row.id)
        assert client.get(status, headers=headers).status_code == 401
    finally:
        service.keys.needed = False


def test_unknown_requests(client: TestClient) -> None:
    for path in (f"{APP}/requests/nobody", f"{APP}/requests/nobody/status", "/requests/nobody"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["details"]) == (404, {"code": "NOT_FOUND"})
        assert answer.json()["request_id"] == "nobody"
