"""Kie.ai's format: every field and value, the exact answers, and what goes wrong."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portrayal.service.keys import Caller
from portrayal.service.orders import Order
from portrayal.service.service import Service
from portrayal.settings import Settings
from portrayal.sizes import PRESETS
from tests.api.bad_files import REFUSED, TAKEN
from tests.api.bad_urls import BAD, PRIVATE, bad_server
from tests.api.conftest import mask, picture, uri

CREATE = "/api/v1/jobs/createTask"
INFO = "/api/v1/jobs/recordInfo"


@pytest.fixture(scope="module")
def settings_here(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("kie")
    return Settings(
        data_dir=folder / "data",
        cache_dir=folder / "cache",
        slots=2,
        shutdown_grace=1,
        fetch_private="127.0.0.1",
        fetch_timeout=1,
    )


def _body(model: str = "ideogram/character", **given: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"prompt": "in a park", "reference_image_urls": [uri(picture())]}
    if model != "ideogram/character":
        values["image_url"] = uri(picture(colour="olive"))
    if model == "ideogram/character-edit":
        values["mask_url"] = uri(mask())
    values |= given
    return {"model": model, "input": {name: value for name, value in values.items() if value is not ...}}


def _create(client: TestClient, body: Any) -> Any:
    answer = client.post(CREATE, json=body)
    assert answer.status_code == answer.json()["code"], answer.text
    return answer.json()


def _order(client: TestClient, service: Service, body: dict[str, Any]) -> Order:
    answer = _create(client, body)
    assert answer["code"] == 200, answer
    return service.job(answer["data"]["taskId"].removeprefix("task_ideogram_")).order


def _ended(client: TestClient, task: str) -> dict[str, Any]:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        data: dict[str, Any] = client.get(INFO, params={"taskId": task}).json()["data"]
        if data["state"] in ("success", "fail"):
            return data
        time.sleep(0.02)
    raise AssertionError(f"{task} did not end")


@pytest.mark.parametrize("model", ["ideogram/character", "ideogram/character-edit", "ideogram/character-remix"])
def test_a_task_from_its_order_to_its_picture(client: TestClient, model: str) -> None:
    body = _body(model, num_images="2", seed=7)
    answer = _create(client, body)
    assert answer == {"code": 200, "msg": "success", "data": {"taskId": answer["data"]["taskId"]}}
    assert answer["data"]["taskId"].startswith("task_ideogram_")
    record = _ended(client, answer["data"]["taskId"])
    assert record["state"] == "success"
    assert set(record) == {
        "taskId", "task_id", "model", "state", "param", "resultJson", "failCode", "failMsg", "costTime", "createTime",
        "updateTime", "completeTime", "progress",
    }  # fmt: skip
    assert record["model"] == model
    assert (record["failCode"], record["failMsg"]) == (None, None)
    param = json.loads(record["param"])
    assert param["model"] == model
    assert param["input"]["prompt"] == "in a park"
    result = json.loads(record["resultJson"])
    assert len(result["resultUrls"]) == 2
    assert result["identity"][0]["same_person"] is True
    assert record["createTime"] <= record["completeTime"]
    assert isinstance(record["costTime"], int)
    for url in result["resultUrls"]:
        assert client.get(url).headers["content-type"] == "image/png"


def test_states_go_from_waiting_to_success(client: TestClient) -> None:
    tasks = [_create(client, _body(prompt=f"SLOW {i}"))["data"]["taskId"] for i in range(3)]
    records = [client.get(INFO, params={"taskId": task}).json()["data"] for task in tasks]
    assert records[2]["state"] == "waiting"
    assert records[2]["resultJson"] == ""
    assert records[2]["completeTime"] is None
    service = client.app.state.service  # type: ignore[attr-defined]
    for task in tasks:
        service.jobs.cancel(task.removeprefix("task_ideogram_"))


@pytest.mark.parametrize(
    ("model", "given", "field", "expected"),
    [
        *[("ideogram/character", {"rendering_speed": v}, "speed", w)
          for v, w in [("TURBO", "turbo"), ("BALANCED", "balanced"), ("QUALITY", "quality"), ("turbo", "turbo")]],
        ("ideogram/character", {"rendering_speed": ...}, "speed", "balanced"),
        *[("ideogram/character", {"style": v}, "style_type", v.lower()) for v in ("AUTO", "REALISTIC", "FICTION")],
        ("ideogram/character-edit", {"style": "REALISTIC"}, "style_type", "realistic"),
        *[("ideogram/character", {"image_size": name}, "size", size) for name, size in PRESETS.items()],
        ("ideogram/character", {"image_size": ...}, "size", (1024, 1024)),
        ("ideogram/character-remix", {"image_size": ...}, "size", (1024, 1024)),
        ("ideogram/character-remix", {"image_size": "landscape_16_9"}, "size", PRESETS["landscape_16_9"]),
        *[("ideogram/character", {"num_images": v}, "num_images", int(v)) for v in ("1", "2", "3", "4", 1, 4)],
        ("ideogram/character", {"seed": 0}, "seed", 0),
        ("ideogram/character", {"seed": 2147483647}, "seed", 2147483647),
        ("ideogram/character", {"seed": ...}, "seed", None),
        ("ideogram/character", {"expand_prompt": True}, "magic_prompt", "on"),
        ("ideogram/character", {"expand_prompt": ...}, "magic_prompt", "auto"),
        ("ideogram/character", {"expand_prompt": "false"}, "magic_prompt", "off"),
        ("ideogram/character", {"expand_prompt": False}, "magic_prompt", "off"),
        ("ideogram/character", {"negative_prompt": "hat"}, "negative_prompt", "hat"),
        ("ideogram/character-remix", {"negative_prompt": "hat"}, "negative_prompt", "hat"),
        ("ideogram/character-edit", {"negative_prompt": "hat"}, "negative_prompt", ""),
        ("ideogram/character-remix", {"strength": ...}, "strength", 0.8),
        *[("ideogram/character-remix", {"strength": v}, "strength", float(v)) for v in (0, 0.05, 0.1, "0.5", 0.55, 1)],
    ],
)  # fmt: skip
def test_each_field_reaches_the_order(
    client: TestClient, service: Service, model: str, given: dict[str, Any], field: str, expected: Any
) -> None:
    assert getattr(_order(client, service, _body(model, **given)), field) == expected


def test_pictures_reach_the_order(client: TestClient, service: Service) -> None:
    style = uri(picture(colour="red"))
    order = _order(
        client,
        service,
        _body("ideogram/character-remix", image_urls=[style], reference_mask_urls=uri(mask(inside=255, outside=0))),
    )
    assert len(order.style_references) == 1
    assert order.characters[0].mask is not None
    assert order.image is not None
    empty = _order(client, service, _body("ideogram/character-remix", reference_mask_urls=""))
    assert empty.characters[0].mask is None


def test_black_is_repainted_unless_the_mask_mode_says_otherwise(client: TestClient, service: Service) -> None:
    def repainted(**given: Any) -> bytes:
        order = _order(client, service, _body("ideogram/character-edit", **given))
        assert order.mask_mode == "white"
        return service.blobs.get(order.edit_mask or "")

    assert repainted() == repainted(mask_url=uri(mask(inside=255, outside=0)), mask_mode="white")
    assert repainted() != repainted(mask_mode="white")


def test_the_first_of_several_references_is_used(client: TestClient, service: Service) -> None:
    one = _order(client, service, _body())
    two = _order(client, service, _body(reference_image_urls=[uri(picture()), uri(picture(colour="red"))]))
    assert one.characters == two.characters


def test_the_input_may_be_json_in_a_string_and_the_model_in_the_path(client: TestClient) -> None:
    body = _body()
    body["input"] = json.dumps(body["input"])
    assert client.post("/api/v1/ideogram-character/createTask", json=body).json()["code"] == 200


BAD_INPUT: list[tuple[str, dict[str, Any], str]] = [
    ("ideogram/character", {"prompt": ...}, "prompt"),
    ("ideogram/character", {"prompt": " "}, "prompt"),
    ("ideogram/character", {"prompt": "x" * 100_000}, "prompt"),
    ("ideogram/character", {"prompt": "a\ufffdb"}, "prompt"),
    ("ideogram/character", {"prompt": 5}, "prompt"),
    ("ideogram/character", {"reference_image_urls": ...}, "reference_image_urls"),
    ("ideogram/character", {"reference_image_urls": []}, "reference_image_urls"),
    ("ideogram/character", {"rendering_speed": "WARP"}, "rendering_speed"),
    ("ideogram/character", {"style": "ANIME"}, "style"),
    ("ideogram/character", {"image_size": "huge"}, "image_size"),
    ("ideogram/character", {"image_size": {"width": 512, "height": 512}}, "image_size"),
    ("ideogram/character", {"num_images": "0"}, "num_images"),
    ("ideogram/character", {"num_images": "5"}, "num_images"),
    ("ideogram/character", {"num_images": "9"}, "num_images"),
    ("ideogram/character", {"num_images": "two"}, "num_images"),
    ("ideogram/character", {"seed": -1}, "seed"),
    ("ideogram/character", {"seed": 2147483648}, "seed"),
    ("ideogram/character", {"seed": 1.5}, "seed"),
    ("ideogram/character", {"expand_prompt": "perhaps"}, "expand_prompt"),
    ("ideogram/character-edit", {"mask_url": ...}, "mask_url"),
    ("ideogram/character-edit", {"image_url": ...}, "image_url"),
    ("ideogram/character-edit", {"mask_url": uri(mask(128, 128))}, "mask_url"),
    ("ideogram/character-edit", {"mask_url": uri(mask(inside=255))}, "mask_url"),
    ("ideogram/character-remix", {"image_url": ...}, "image_url"),
    ("ideogram/character-remix", {"strength": 1.5}, "strength"),
    ("ideogram/character-remix", {"strength": -0.1}, "strength"),
    ("ideogram/character-remix", {"strength": "much"}, "strength"),
    ("ideogram/character", {"prompt": "x" * 5001}, "prompt"),
    ("ideogram/character", {"negative_prompt": "x" * 5001}, "negative_prompt"),
    ("ideogram/character-remix", {"negative_prompt": "x" * 501}, "negative_prompt"),
    ("ideogram/character-remix", {"image_urls": [uri(picture())] * 11}, "image_urls"),
    ("ideogram/character-remix", {"image_urls": [5]}, "image_urls"),
    ("ideogram/character", {"character_mask_mode": "grey"}, "character_mask_mode"),
    ("ideogram/character", {"reference_mask_urls": uri(mask(128, 128))}, "reference_mask_urls"),
    ("ideogram/character", {"reference_mask_urls": uri(mask(inside=0, outside=0))}, "reference_mask_urls"),
    ("ideogram/character-edit", {"mask_mode": "grey"}, "mask_mode"),
    ("ideogram/character-edit", {"mask_url": uri(mask(outside=0))}, "mask_url"),
]


@pytest.mark.parametrize(("model", "given", "field"), BAD_INPUT)
def test_bad_input_is_refused_and_the_field_is_named(
    client: TestClient, model: str, given: dict[str, Any], field: str
) -> None:
    answer = _create(client, _body(model, **given))
    assert answer["code"] == 422
    assert answer["data"] is None
    assert answer["msg"].startswith(f"{field}: "), answer


@pytest.mark.parametrize("name", REFUSED)
def test_bad_files_are_refused(client: TestClient, name: str) -> None:
    answer = _create(client, _body(reference_image_urls=[uri(REFUSED[name]())]))
    assert answer["code"] == 422
    assert answer["msg"].startswith("reference_image_urls: "), answer


@pytest.mark.parametrize("name", TAKEN)
def test_odd_files_are_taken(client: TestClient, name: str) -> None:
    assert _create(client, _body(reference_image_urls=[uri(TAKEN[name]())]))["code"] == 200


def test_bad_addresses_are_refused(client: TestClient) -> None:
    with bad_server() as base:
        for url in (*(base + path for path in BAD), *PRIVATE):
            answer = _create(client, _body(reference_image_urls=[url]))
            assert answer["code"] == 422, (url, answer)
            assert answer["msg"].startswith("reference_image_urls: ")
        assert _create(client, _body(reference_image_urls=[f"{base}/picture.png"]))["code"] == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b'{"model": 5}',
        b'{"model": []}',
        b'{"model":"ideogram/character"}',
        b'{"model":"ideogram/character","input":"{"}',
        b'{"x":' * 500 + b"1" + b"}" * 500,
    ],
)
def test_a_body_that_is_no_order_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post(CREATE, content=body)
    assert answer.status_code == 422
    assert set(answer.json()) == {"code", "msg", "data"}


def test_an_unknown_model_names_those_that_are_there(client: TestClient) -> None:
    assert "ideogram/character-remix" in _create(client, _body() | {"model": "ideogram/other"})["msg"]


def test_a_failed_task_says_why_and_hides_what_is_inside(client: TestClient) -> None:
    record = _ended(client, _create(client, _body(prompt="FAIL"))["data"]["taskId"])
    assert (record["state"], record["failCode"]) == ("fail", "422")
    assert record["failMsg"] == "prompt: the fake shall fail. Ask for something else."
    record = _ended(client, _create(client, _body(prompt="CRASH"))["data"]["taskId"])
    assert record["failCode"] == "500"
    assert "secret" not in json.dumps(record["failMsg"])


def test_unknown_tasks(client: TestClient) -> None:
    answer = client.get(INFO)
    assert answer.status_code == 400
    assert answer.json() == {"code": 400, "msg": "taskId parameter is required", "data": None}
    answer = client.get(INFO, params={"taskId": "task_ideogram_nobody"})
    assert answer.status_code == 422
    assert answer.json() == {"code": 422, "msg": "recordInfo is null", "data": None}
    other = {"prompt": "x", "character_reference_image": uri(picture())}
    job = client.post("/v2/ideogram-character", json=other).json()["request_id"]
    assert client.get(INFO, params={"taskId": f"task_ideogram_{job}"}).json()["code"] == 422


def test_credit_and_download_url(client: TestClient) -> None:
    assert client.get("/api/v1/chat/credit").json()["data"] == 999_999
    record = _ended(client, _create(client, _body())["data"]["taskId"])
    url = json.loads(record["resultJson"])["resultUrls"][0]
    fresh = client.post("/api/v1/common/download-url", json={"url": url}).json()["data"]
    assert client.get(fresh).status_code == 200
    assert client.post("/api/v1/common/download-url", json={"url": "http://x/y"}).json()["code"] == 422


def test_uploads_give_addresses_that_work_as_inputs(client: TestClient, service: Service) -> None:
    data = picture(colour="navy")
    answers = [
        client.post("/api/file-stream-upload", files={"file": ("a.png", data)}, data={"uploadPath": "images"}),
        client.post(
            "/api/file-base64-upload", json={"base64Data": base64.b64encode(data).decode(), "uploadPath": "images"}
        ),
        client.post(
            "/api/file-base64-upload", json={"base64Data": uri(data), "uploadPath": "/images/", "fileName": "b.png"}
        ),
    ]
    for answer in answers:
        found = answer.json()
        assert (found["success"], found["code"]) == (True, 200), found
        assert set(found["data"]) == {"fileName", "filePath", "downloadUrl", "fileSize", "mimeType", "uploadedAt"}
        assert found["data"]["filePath"] == f"images/{found['data']['fileName']}"
        order = _order(client, service, _body(reference_image_urls=[found["data"]["downloadUrl"]]))
        assert service.blobs.get(order.characters[0].image)
    with bad_server() as base:
        sent = {"fileUrl": f"{base}/picture.png", "uploadPath": "images"}
        assert client.post("/api/file-url-upload", json=sent).json()["success"] is True
        for sent, field in [
            ({"fileUrl": f"{base}/page.html", "uploadPath": "x"}, "fileUrl"),
            ({"uploadPath": "x"}, "fileUrl"),
            ({"fileUrl": f"{base}/picture.png"}, "uploadPath"),
        ]:
            assert client.post("/api/file-url-upload", json=sent).json()["msg"].startswith(f"{field}: ")
    assert client.post("/api/file-stream-upload", data={"uploadPath": "x"}).json()["code"] == 422
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"base64Data": "§", "uploadPath": "x"}, "base64Data"),
        ({"base64Data": uri(b"This is no picture."), "uploadPath": "x"}, "base64Data"),
        ({"uploadPath": "x"}, "base64Data"),
        ({"base64Data": uri(data)}, "uploadPath"),
        ({"base64Data": uri(data), "uploadPath": "x", "fileName": 5}, "fileName"),
    ]
    for body, field in wrong:
        answer = client.post("/api/file-base64-upload", json=body)
        assert answer.json()["code"] == 422
        assert answer.json()["msg"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("model", "given", "word"),
    [
        ("ideogram/character", {"steps": 5}, "steps"),
        ("ideogram/character", {"image_urls": [uri(picture())]}, "image_urls"),
        ("ideogram/character", {"reference_image_urls": [uri(picture())] * 2}, "only the first of 2"),
        ("ideogram/character-edit", {"negative_prompt": "hat"}, "negative_prompt"),
        ("ideogram/character-edit", {"image_size": "square"}, "image_size"),
        ("ideogram/character-edit", {"expand_prompt": True}, "magic_prompt"),
    ],
)
def test_what_is_not_portrayed_is_said(client: TestClient, model: str, given: dict[str, Any], word: str) -> None:
    given = {"expand_prompt": False, **given}
    record = _ended(client, _create(client, _body(model, **given))["data"]["taskId"])
    assert any(word in warning for warning in json.loads(record["resultJson"])["warnings"])


def test_a_record_shows_the_input_without_pictures_and_stays_small(client: TestClient) -> None:
    body = _body(extra="y" * 100)
    task = _create(client, {**body, "callBackUrl": "http://127.0.0.1:59999/hook"})["data"]["taskId"]
    param = json.loads(client.get(INFO, params={"taskId": task}).json()["data"]["param"])
    assert param["callBackUrl"] == "http://127.0.0.1:59999/hook"
    assert param["input"]["reference_image_urls"] == ["data:image/png;base64,..."]
    assert param["input"]["extra"] == "y" * 100
    task = _create(client, _body(**{f"extra{i}": "y" * 9000 for i in range(50)}))["data"]["taskId"]
    record = client.get(INFO, params={"taskId": task}).json()["data"]
    assert json.loads(record["param"])["input"] == {"prompt": "in a park"}


def test_a_callback_to_a_private_address_is_refused(client: TestClient) -> None:
    answer = _create(client, {**_body(), "callBackUrl": "http://169.254.169.254/latest"})
    assert answer["code"] == 422
    assert answer["msg"].startswith("callBackUrl: "), answer


def test_a_degrading_picture_is_refused_before_work_is_spent(client: TestClient) -> None:
    refused = _create(client, _body(prompt="nude portrait"))
    assert refused["code"] == 422
    assert refused["msg"].startswith("prompt: the prompt asks for ")
    assert ".." not in refused["msg"]


def test_a_task_that_the_operator_cancels_has_failed(client: TestClient, service: Service) -> None:
    task = _create(client, _body(prompt="SLOW"))["data"]["taskId"]
    service.cancel(task.removeprefix("task_ideogram_"), Caller())
    record = _ended(client, task)
    assert (record["state"], record["failCode"], record["failMsg"]) == ("fail", "499", "canceled")


def test_the_same_idempotency_key_gives_the_same_task(client: TestClient) -> None:
    def sent(**given: Any) -> Any:
        return client.post(CREATE, json=_body(**given), headers={"idempotency-key": "k"}).json()

    assert sent() == sent()
    assert sent(prompt="other")["code"] == 409


def test_limits_of_a_key(client: TestClient, service: Service) -> None:
    _, key = service.keys.create("few", daily=1)
    _, reading = service.keys.create("reader of Kie", scopes=("read",))
    headers = {"authorization": f"Bearer {key}"}
    assert client.post(CREATE, json=_body(), headers=headers).json()["code"] == 200
    answer = client.post(CREATE, json=_body(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (402, 402)
    assert answer.headers["retry-after"]
    answer = client.post(CREATE, json=_body(), headers={"authorization": f"Bearer {reading}"})
    assert answer.json()["code"] == 403


def test_keys_are_asked_for_where_they_are_needed(client: TestClient, service: Service) -> None:
    row, key = service.keys.create("kie")
    service.keys.needed = True
    try:
        for headers in ({}, {"authorization": "Bearer wrong"}):
            answer = client.post(CREATE, json=_body(), headers=headers)
            assert answer.status_code == 401
            assert answer.json()["code"] == 401
        headers = {"authorization": f"Bearer {key}"}
        assert client.post(CREATE, json=_body(), headers=headers).json()["code"] == 200
        service.keys.revoke(row.id)
        assert client.post(CREATE, json=_body(), headers=headers).json()["code"] == 401
    finally:
        service.keys.needed = False


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
_NAMES = [*_body("ideogram/character-edit")["input"], "rendering_speed", "style", "expand_prompt", "num_images"]
_NAMES += ["image_size", "seed", "negative_prompt", "strength", "image_urls", "reference_mask_urls"]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    model=st.sampled_from(["ideogram/character", "ideogram/character-edit", "ideogram/character-remix"]),
    values=st.dictionaries(st.sampled_from(_NAMES), _VALUES, min_size=1, max_size=4),
)
def test_nothing_that_is_sent_breaks_the_server(client: TestClient, model: str, values: dict[str, Any]) -> None:
    body = json.dumps(_body(model, **values))
    answer = client.post(CREATE, content=body)
    assert answer.status_code < 500, answer.text
    assert set(answer.json()) == {"code", "msg", "data"}
