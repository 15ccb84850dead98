"""fal's protocols: run, the queue, its states, stream, result and cancel, webhooks, keys and the proxy."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi.testclient import TestClient

from portrayal.api.dialects import fal
from portrayal.errors import NotFoundError
from portrayal.service.service import Service
from portrayal.service.webhooks import Webhook
from tests.api.conftest import BASE, mask, picture, uri

APP = "/fal-ai/ideogram"
RUN, QUEUE = f"/run{APP}/character", f"/queue{APP}/character"


def _body(prompt: str = "in a park", **given: Any) -> dict[str, Any]:
    return {"prompt": prompt, "reference_image_urls": [uri(picture())], **given}


def _submitted(client: TestClient, prompt: str = "in a park", **given: Any) -> dict[str, Any]:
    answer = client.post(QUEUE, json=_body(prompt, **given))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _ended(client: TestClient, request: dict[str, Any], **query: Any) -> dict[str, Any]:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        answer = client.get(request["status_url"], params=query)
        if answer.status_code == 200:
            found: dict[str, Any] = answer.json()
            return found
        assert answer.status_code == 202, answer.text
        time.sleep(0.02)
    raise AssertionError("it did not end")


def test_run_answers_with_the_output(client: TestClient) -> None:
    answer = client.post(RUN, json=_body("WARN", num_images=2, seed=5))
    assert answer.status_code == 200
    output = answer.json()
    assert set(output) == {"images", "seed", "warnings"}
    assert output["seed"] == 5
    assert output["warnings"] == ["made by a fake"]
    assert len(output["images"]) == 2
    for image in output["images"]:
        assert set(image) == {"url", "content_type", "file_name", "file_size", "width", "height", "identity"}
        file = client.get(image["url"])
        assert (file.headers["content-type"], len(file.content)) == (image["content_type"], image["file_size"])
        assert image["file_name"].endswith(".png")
        assert (image["width"], image["height"]) == (1024, 1024)
        assert image["identity"]["same_person"] is True
    assert answer.headers["x-fal-request-id"] == answer.headers["x-portrayal-id"]
    assert answer.headers["x-fal-billable-units"] == "2"
    assert answer.headers["x-portrayal-identity-score"] == "0.8600"


@pytest.mark.parametrize("endpoint", ["", "/edit", "/remix"])
@pytest.mark.parametrize("form", ["", "/character", "/character/edit"])
def test_the_queue_from_submission_to_result(client: TestClient, endpoint: str, form: str) -> None:
    more = {"": {}, "/edit": {"image_url": uri(picture()), "mask_url": uri(mask())}}
    body = _body(**more.get(endpoint, {"image_url": uri(picture())}))
    answer = client.post(QUEUE + endpoint, json=body)
    request = answer.json()
    here = f"{BASE}/queue{APP}/requests/{request['request_id']}"
    assert request == {
        "status": "IN_QUEUE",
        "request_id": answer.headers["x-fal-request-id"],
        "response_url": here,
        "status_url": f"{here}/status",
        "cancel_url": f"{here}/cancel",
        "queue_position": 0,
    }
    ended = _ended(client, request)
    assert set(ended) == {*request, "logs", "metrics"} - {"queue_position"}
    assert (ended["status"], ended["logs"]) == ("COMPLETED", None)
    assert ended["metrics"]["inference_time"] > 0
    short = f"{APP}{form}/requests/{request['request_id']}"
    result = client.get(short)
    assert result.json()["images"][0]["content_type"] == "image/png"
    assert result.headers["x-fal-request-id"] == request["request_id"]
    assert client.get(f"{short}/status").json()["response_url"] == here.replace("/queue", "")


def test_states_while_it_waits_and_while_it_is_made(client: TestClient, service: Service) -> None:
    requests = [_submitted(client, f"SLOW {i}") for i in range(4)]
    end = time.monotonic() + 20
    while time.monotonic() < end:
        states = [client.get(request["status_url"], params={"logs": "1"}) for request in requests]
        if [s.json()["status"] for s in states] == ["IN_PROGRESS", "IN_PROGRESS", "IN_QUEUE", "IN_QUEUE"]:
            break
        time.sleep(0.02)
    assert [s.status_code for s in states] == [202] * 4
    first, _, third, fourth = (s.json() for s in states)
    assert (third["queue_position"], fourth["queue_position"]) == (0, 1)
    assert "queue_position" not in first
    line = first["logs"][0]
    assert set(line) == {"timestamp", "level", "source", "message"}
    assert (line["level"], line["source"]) == ("INFO", "USER")
    early = client.get(requests[0]["response_url"])
    assert early.status_code == 400
    assert early.json() == {"detail": "Request is still in progress", "error_type": "bad_request"}
    for request in requests:
        assert client.put(request["cancel_url"]).status_code == 202
        _ended(client, request)


def test_a_failed_request_is_completed_and_its_result_is_the_error(client: TestClient) -> None:
    request = _submitted(client, "FAIL")
    ended = _ended(client, request, logs=1)
    assert (ended["status"], ended["error_type"]) == ("COMPLETED", "value_error")
    assert ended["error"].startswith("the fake shall fail")
    assert "ERROR" in [line["level"] for line in ended["logs"]]
    result = client.get(request["response_url"])
    assert result.status_code == 422
    (detail,) = result.json()["detail"]
    assert detail["loc"] == ["body", "prompt"]
    assert result.headers["x-fal-retryable"] == "false"
    assert result.headers["x-fal-billable-units"] == "0"
    ran = client.post(RUN, json=_body("FAIL"))
    assert (ran.status_code, ran.json()) == (422, result.json())


def test_a_broken_engine_is_told_without_what_is_inside(client: TestClient) -> None:
    answer = client.post(RUN, json=_body("CRASH"))
    assert answer.status_code == 500
    assert answer.json() == {"detail": "the engine failed (RuntimeError)", "error_type": "runner_server_error"}
    assert answer.headers["x-fal-error-type"] == "runner_server_error"


def test_cancel(client: TestClient) -> None:
    request = _submitted(client, "SLOW")
    answer = client.put(request["cancel_url"])
    assert (answer.status_code, answer.json()) == (202, {"status": "CANCELLATION_REQUESTED"})
    ended = _ended(client, request)
    assert ended["error_type"] == "client_cancelled"
    result = client.get(request["response_url"])
    assert result.status_code == 499
    assert result.json() == {"detail": "The request was cancelled", "error_type": "client_cancelled"}
    again = client.put(request["cancel_url"])
    assert (again.status_code, again.json()) == (400, {"status": "ALREADY_COMPLETED"})
    unknown = client.put(f"{APP}/requests/nobody/cancel")
    assert (unknown.status_code, unknown.json()) == (404, {"status": "NOT_FOUND"})


def _events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]


def test_states_as_a_stream(client: TestClient) -> None:
    request = _submitted(client, "WAIT")
    answer = client.get(f"{request['status_url']}/stream", params={"logs": "1"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = _events(answer.text)
    order = ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
    states = [event["status"] for event in events]
    assert states[-1] == "COMPLETED"
    assert states == sorted(states, key=order.index)
    lines = [line["message"] for event in events for line in event["logs"]]
    assert len(lines) == len(set(lines))  # the JavaScript client joins them
    assert lines[0].startswith("started: generate")


@pytest.mark.parametrize(
    ("path", "headers", "query", "answers"),
    [
        (f"{APP}/character", {"x-fal-queue-priority": "normal"}, {}, "queue"),
        (f"{APP}/character", {}, {"fal_webhook": "http://10.0.0.1/hook"}, "refused"),
        (f"{APP}/character", {"host": "queue.fal.run"}, {}, "queue"),
        (f"{APP}/character", {"host": "fal.run"}, {}, "run"),
        (f"{APP}/character", {"user-agent": "@fal-ai/client/1.10.1"}, {}, "run"),
        (f"{APP}/character", {"user-agent": "fal-client/1.0.3 (python)"}, {}, "both"),
        (RUN, {"x-fal-queue-priority": "normal"}, {}, "run"),
        (QUEUE, {"user-agent": "@fal-ai/client/1.10.1"}, {}, "queue"),
    ],
)
def test_run_or_queue(
    client: TestClient, path: str, headers: dict[str, str], query: dict[str, str], answers: str
) -> None:
    found = client.post(path, json=_body(), headers=headers, params=query)
    if answers == "refused":
        assert found.status_code == 422
        assert found.json()["detail"][0]["loc"] == ["body", "webhook"]
        return
    keys = set(found.json())
    assert ({"request_id", "status_url", "response_url", "cancel_url"} <= keys) is (answers in ("queue", "both"))
    assert ({"images", "seed"} <= keys) is (answers in ("run", "both"))


def test_what_cannot_start_in_time_is_given_up(client: TestClient, service: Service) -> None:
    busy = [_submitted(client, f"SLOW {i}") for i in range(2)]
    for request in busy:
        while client.get(request["status_url"]).json()["status"] == "IN_QUEUE":
            time.sleep(0.02)
    answer = client.post(RUN, json=_body(), headers={"x-fal-request-timeout": "0.2"})
    assert answer.status_code == 504
    assert answer.json()["error_type"] == "startup_timeout"
    assert answer.headers["x-fal-request-timeout-type"] == "user"
    queued = client.post(QUEUE, json=_body(), headers={"x-fal-request-timeout": "0.2"}).json()
    ended = _ended(client, queued)
    assert ended["error_type"] == "startup_timeout"
    assert client.get(queued["response_url"]).status_code == 504
    for request in busy:
        client.put(request["cancel_url"])
        _ended(client, request)


@pytest.mark.parametrize("value", ["soon", "-1", "nan"])
def test_a_timeout_that_is_none(client: TestClient, value: str) -> None:
    answer = client.post(RUN, json=_body(), headers={"x-fal-request-timeout": value})
    assert answer.status_code == 400
    assert answer.json()["error_type"] == "bad_request"
    assert answer.headers["x-fal-error-type"] == "bad_request"


def test_priority_reaches_the_job(client: TestClient, service: Service) -> None:
    for value, priority in (("normal", 1), ("low", 2)):
        answer = client.post(QUEUE, json=_body(), headers={"x-fal-queue-priority": value})
        assert service.job(answer.json()["request_id"]).priority == priority


def test_the_same_idempotency_key_gives_the_same_request(client: TestClient) -> None:
    headers = {"idempotency-key": "once"}
    ids = {client.post(QUEUE, json=_body(seed=3), headers=headers).json()["request_id"] for _ in range(2)}
    assert len(ids) == 1
    other = client.post(QUEUE, json=_body(seed=4), headers=headers)
    assert (other.status_code, other.json()["detail"][0]["type"]) == (422, "conflict")


def test_sync_mode_gives_the_pictures_and_keeps_nothing(client: TestClient, service: Service) -> None:
    answer = client.post(RUN, json=_body(sync_mode=True))
    assert answer.json()["images"][0]["url"].startswith("data:image/png;base64,")
    with pytest.raises(NotFoundError):
        service.job(answer.headers["x-fal-request-id"])
    request = _submitted(client, sync_mode=True)
    _ended(client, request)
    assert client.get(request["response_url"]).json()["images"][0]["url"].startswith("data:")
    gone = client.get(request["response_url"])
    assert gone.status_code == 404
    assert isinstance(gone.json()["detail"], str)


@pytest.mark.parametrize(
    ("given", "type_", "context"),
    [
        ({"prompt": None}, "missing", {"remedy": "Say what the picture shall show."}),
        ({"rendering_speed": "WARP"}, "literal_error", {"expected": "TURBO, BALANCED, QUALITY"}),
        ({"num_images": 0}, "greater_than_equal", {"ge": 1.0}),
        ({"num_images": 9}, "less_than_equal", {"le": 8.0}),
        ({"num_images": "x"}, "int_parsing", None),
        ({"strength": "x"}, None, None),
        ({"prompt": 5}, "string_type", None),
        ({"prompt": "x" * 10_001}, "string_too_long", None),
        ({"prompt": "a naked celebrity, porn"}, "content_policy_violation", {"category": "sexual"}),
        ({"reference_image_urls": ["data:image/png;base64,AAAA"]}, "image_load_error", None),
        ({"reference_image_urls": ["http://10.0.0.1/x.png"]}, "file_download_error", None),
    ],
)
def test_machines_read_the_type(
    client: TestClient, given: dict[str, Any], type_: str | None, context: dict[str, Any] | None
) -> None:
    answer = client.post(QUEUE, json=_body(**given) if "prompt" not in given else {**_body(), **given})
    if type_ is None:  # not a field of this endpoint
        assert answer.status_code == 200
        return
    assert answer.status_code == 422
    (detail,) = answer.json()["detail"]
    assert (detail["type"], detail.get("ctx")) == (type_, context)
    assert detail["url"] == f"https://docs.fal.ai/errors#{type_}"
    assert len(answer.headers["x-fal-request-id"]) == 26


def test_a_refused_value_is_shown_when_it_is_short(client: TestClient) -> None:
    answer = client.post(QUEUE, json=_body(num_images=99))
    assert answer.json()["detail"][0]["input"] == 99
    assert "input" not in client.post(QUEUE, json=_body(num_images="9" * 300)).json()["detail"][0]


def test_limits_are_flat_errors(client: TestClient, service: Service) -> None:
    _, key = service.keys.create("small", max_in_flight=1)
    headers = {"authorization": f"Key {key}"}
    first = client.post(QUEUE, json=_body("SLOW"), headers=headers).json()
    answer = client.post(QUEUE, json=_body(), headers=headers)
    assert (answer.status_code, answer.json()["error_type"]) == (429, "inflight_limit")
    assert answer.headers["retry-after"]
    client.put(first["cancel_url"], headers=headers)


def test_keys(client: TestClient, service: Service) -> None:
    row, key = service.keys.create("fal")
    _, other = service.keys.create("elsewhere", library="other")
    _, reader = service.keys.create("reader", scopes=("read",))
    service.keys.needed = True
    try:
        for header, detail in (
            ({}, "Authentication is required to access this application"),
            ({"authorization": "Key wrong:key"}, "No user found for Key ID and Secret"),
            ({"authorization": "Key"}, "Invalid Key Authorization header format. Expected '<key_id>:<key_secret>'."),
        ):
            answer = client.post(QUEUE, json=_body(), headers=header)
            assert (answer.status_code, answer.json()) == (401, {"detail": detail})
        for scheme in ("Key", "Bearer"):
            answer = client.post(QUEUE, json=_body(), headers={"authorization": f"{scheme} {key}"})
            assert answer.status_code == 200
        status = answer.json()["status_url"]
        assert client.get(status, headers={"authorization": f"Key {other}"}).status_code == 404
        assert client.post(QUEUE, json=_body(), headers={"authorization": f"Key {reader}"}).status_code == 403
        service.keys.revoke(row.id)
        answer = client.get(status, headers={"authorization": f"Key {key}"})
        assert (answer.status_code, answer.json()["detail"]) == (401, "No user found for Key ID and Secret")
    finally:
        service.keys.needed = False


def test_requests_of_other_doors_are_not_there(client: TestClient) -> None:
    other = client.post("/ideogram/character", json=_body()).json()["request_id"]
    for path in (f"{APP}/requests/{other}", f"{APP}/requests/{other}/status", f"{APP}/requests/nobody"):
        answer = client.get(path)
        assert (answer.status_code, set(answer.json())) == (404, {"detail"})
    for method in ("GET", "POST"):
        assert client.request(method, "/fal-ai/flux/dev").json()["detail"].startswith("this server has no such")


def test_webhooks_are_worded_and_signed_as_fal_does(client: TestClient, service: Service) -> None:
    notifier = fal.NOTIFIER
    assert notifier is not None
    webhook = Webhook(url="https://example.org/hook")
    good, bad = _submitted(client), _submitted(client, "FAIL")
    for request in (good, bad):
        _ended(client, request)

    def link(file_id: str, _: str) -> str:
        return f"https://here/{file_id}"

    job = service.job(good["request_id"])
    assert notifier.messages(job, "processing", webhook, link) == []
    (message,) = notifier.messages(job, "succeeded", webhook, link)
    body = json.loads(message.body)
    assert body["request_id"] == body["gateway_request_id"] == job.id
    assert body["status"] == "OK"
    assert body["payload"]["images"][0]["url"].startswith("https://here/")
    failed = service.job(bad["request_id"])
    told = json.loads(notifier.messages(failed, "failed", webhook, link)[0].body)
    assert (told["status"], told["error"]) == ("ERROR", "Invalid status code: 422")
    assert told["payload"]["detail"][0]["loc"] == ["body", "prompt"]

    headers = notifier.headers(job, "any", 1_700_000_000, message.body, service.secrets)
    digest = hashlib.sha256(message.body).hexdigest()
    lines = [headers[f"X-Fal-Webhook-{name}"] for name in ("Request-Id", "User-Id", "Timestamp")]
    assert lines == [job.id, "local", "1700000000"]
    signed = "\n".join([*lines, digest]).encode()
    (key,) = client.get("/.well-known/jwks.json").json()["keys"]
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    public.verify(bytes.fromhex(headers["X-Fal-Webhook-Signature"]), signed)


PROXY = "/api/fal/proxy"


def test_the_proxy_serves_each_of_fals_hosts(client: TestClient) -> None:
    def call(method: str, target: str, **given: Any) -> Any:
        return client.request(method, PROXY, headers={"x-fal-target-url": target}, **given)

    run = call("POST", "https://fal.run/fal-ai/ideogram/character", json=_body())
    assert run.json()["images"]
    request = call("POST", "https://queue.fal.run/fal-ai/ideogram/character", json=_body("WAIT")).json()
    here = f"https://queue.fal.run/fal-ai/ideogram/requests/{request['request_id']}"
    stream = call("GET", f"{here}/status/stream?logs=1")
    assert _events(stream.text)[-1]["status"] == "COMPLETED"
    assert _events(stream.text)[-1]["logs"]  # the query came along
    assert call("GET", here).json()["images"]
    assert call("PUT", f"{here}/cancel").json() == {"status": "ALREADY_COMPLETED"}
    promised = call("POST", "https://rest.fal.ai/storage/upload/initiate?storage_type=gcs", json={"file_name": "a.png"})
    assert set(promised.json()) == {"upload_url", "file_url"}
    uploaded = call("POST", "https://v3.fal.media/files/upload", content=picture())
    assert client.get(uploaded.json()["access_url"]).status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "",
        "https://example.org/fal-ai/ideogram/character",
        "https://queue.fal.run.example.org/fal-ai/ideogram/character",
        "https://user@queue.fal.run/fal-ai/ideogram/character",
        "https://queue.fal.run/api/v1/keys",
        "https://queue.fal.run/fal-ai/../api/v1/keys",
        "https://queue.fal.run/fal-ai/%2e%2e/api/v1/keys",
        "https://rest.fal.ai/api/v1/keys",
        "https://v3.fal.media/api/v1/keys",
        "file:///etc/passwd",
        "http://[",
    ],
)
def test_the_proxy_goes_nowhere_else(client: TestClient, target: str) -> None:
    answer = client.get(PROXY, headers={"x-fal-target-url": target})
    assert (answer.status_code, answer.json()["error_type"]) == (400, "bad_request")


def test_the_proxy_asks_for_keys_as_the_doors_do(client: TestClient, service: Service) -> None:
    service.keys.needed = True
    try:
        headers = {"x-fal-target-url": "https://queue.fal.run/fal-ai/ideogram/character"}
        assert client.post(PROXY, json=_body(), headers=headers).status_code == 401
    finally:
        service.keys.needed = False
