"""Segmind's format: every field and value, the exact answers, and what goes wrong."""

from __future__ import annotations

import base64
import io
import json
import time
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from portrayal.api.dialects import segmind
from portrayal.pipeline import portray
from portrayal.service.keys import Caller
from portrayal.service.orders import Order
from portrayal.service.service import Service
from portrayal.settings import Settings
from portrayal.sizes import RATIOS, RESOLUTIONS
from tests.api.bad_files import REFUSED, TAKEN
from tests.api.bad_urls import BAD, PRIVATE, bad_server
from tests.api.conftest import BASE, mask, picture, uri

V1 = "/v1/ideogram-character"
V2 = "/v2/ideogram-character"


@pytest.fixture(scope="module")
def settings_here(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("segmind")
    return Settings(
        data_dir=folder / "data",
        cache_dir=folder / "cache",
        slots=2,
        shutdown_grace=1,
        fetch_private="127.0.0.1",
        fetch_timeout=1,
    )


def _body(**given: Any) -> dict[str, Any]:
    values = {"prompt": "in a park", "character_reference_image": uri(picture()), **given}
    return {name: value for name, value in values.items() if value is not ...}


def _edit(**given: Any) -> dict[str, Any]:
    return _body(**{"image": uri(picture(colour="olive")), "mask": uri(mask()), **given})


def _job(client: TestClient, body: dict[str, Any]) -> str:
    answer = client.post(V2, json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["request_id"])


def _order(client: TestClient, service: Service, body: dict[str, Any]) -> Order:
    return service.job(_job(client, body)).order


def _ended(client: TestClient, job: str) -> Any:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        body = client.get(f"/v2/requests/{job}/status").json()
        if body["status"] in ("COMPLETED", "FAILED"):
            return body
        time.sleep(0.02)
    raise AssertionError(f"{job} did not end")


def _size_of(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


# v1: the picture itself.


def test_the_answer_is_the_picture_and_its_score_is_in_the_headers(client: TestClient) -> None:
    answer = client.post(V1, json=_body(seed=7))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content[:3] == b"\xff\xd8\xff"
    assert _size_of(answer.content) == (1024, 1024)
    assert answer.headers["x-remaining-credits"] == "999999"
    assert answer.headers["x-portrayal-identity-score"] == "0.8600"
    assert answer.headers["x-portrayal-same-person"] == "true"
    assert "x-portrayal-warnings" not in answer.headers
    assert answer.content == client.post(V1, json=_body(seed=7)).content


@pytest.mark.parametrize(
    ("name", "kind"), [("jpeg", "jpeg"), ("jpg", "jpeg"), ("JPEG", "jpeg"), ("png", "png"), ("webp", "webp")]
)
def test_other_formats_on_demand(client: TestClient, name: str, kind: str) -> None:
    answer = client.post(V1, json=_body(output_format=name))
    assert answer.headers["content-type"] == f"image/{kind}"
    assert Image.open(io.BytesIO(answer.content)).format == kind.upper()


FIELDS: list[tuple[dict[str, Any], str, Any]] = [
    ({}, "operation", "generate"),
    ({}, "output_format", "jpeg"),
    ({}, "size", (1024, 1024)),
    *[({"style_type": v}, "style_type", v.lower()) for v in ("Auto", "Fiction", "Realistic", "realistic")],
    ({}, "style_type", "auto"),
    *[({"rendering_speed": v}, "speed", w) for v, w in
      [("Default", "balanced"), ("Turbo", "turbo"), ("Quality", "quality"), ("turbo", "turbo")]],
    ({}, "speed", "balanced"),
    *[({"magic_prompt_option": v}, "magic_prompt", v.lower()) for v in ("Auto", "On", "Off")],
    ({}, "magic_prompt", "auto"),
    *[({"seed": v}, "seed", w) for v, w in [(0, 0), (2147483647, 2147483647), ("1", 1), (3.0, 3)]],
    *[({"seed": v}, "seed", None) for v in (None, "", "null", "None", ...)],
    *[({"aspect_ratio": name.replace("x", ":")}, "size", size) for name, size in RATIOS.items()],
    ({"aspect_ratio": "16x9"}, "size", RATIOS["16x9"]),
    *[({"resolution": v}, "size", (1024, 1024)) for v in ("None", "null", "", None)],
    *[({"resolution": v}, "size", (1024, 1024)) for v in ("512x512", "640x640", "832x832", "1024 x 1024")],
    ({"resolution": "512x1536", "aspect_ratio": "16:9"}, "size", (512, 1536)),
    ({"resolution": "None", "aspect_ratio": "16:9"}, "size", RATIOS["16x9"]),
    ({"image": "null", "mask": ""}, "operation", "generate"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "field", "expected"), FIELDS)
def test_each_field_reaches_the_order(
    client: TestClient, service: Service, given: dict[str, Any], field: str, expected: Any
) -> None:
    assert getattr(_order(client, service, _body(**given)), field) == expected


def test_each_resolution_is_taken_as_it_is(client: TestClient) -> None:
    for size in RESOLUTIONS:
        values, notes = segmind._values(_body(resolution=f"{size[0]}x{size[1]}"))
        assert values["size"] == size
        assert notes == []


def test_an_edit_repaints_what_is_black_and_fits_the_mask(client: TestClient, service: Service) -> None:
    def repainted(**given: Any) -> Any:
        order = _order(client, service, _edit(**given))
        assert order.operation == "edit"
        assert order.size is None
        assert order.mask_mode == "white"
        return np.asarray(Image.open(io.BytesIO(service.blobs.get(order.edit_mask or ""))))

    usual = repainted()
    assert usual.shape == (256, 256)
    assert usual[128, 128] == 255
    assert usual[0, 0] == 0
    assert (repainted(mask=uri(mask(512, 512))) == usual).all()
    assert (repainted(mask=uri(mask(inside=255, outside=0)), mask_mode="white") == usual).all()
    assert (repainted(mask_mode="white") == 255 - usual).all()
    clear = Image.new("RGBA", (256, 256), (255, 255, 255, 255))
    clear.paste((0, 0, 0, 0), (64, 64, 192, 192))
    out = io.BytesIO()
    clear.save(out, "PNG")
    assert (repainted(mask=uri(out.getvalue()), mask_mode="alpha") == usual).all()


def test_an_edit_has_its_picture_s_size_and_says_what_it_ignored(client: TestClient) -> None:
    answer = client.post(V1, json=_edit(resolution="512x1536", aspect_ratio="16:9", mask=uri(mask(512, 512))))
    assert _size_of(answer.content) == (256, 256)
    warnings = json.loads(answer.headers["x-portrayal-warnings"])
    assert [w.split(":")[0] for w in warnings] == ["resolution", "aspect_ratio", "mask"]


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"prompt": "WARN"}, "made by a fake"),
        ({"resolution": "640x640"}, "640x640"),
        ({"resolution": "832x832", "aspect_ratio": "16:9"}, "aspect_ratio"),
        ({"num_images": 2}, "num_images"),
        ({"größe\n☃": 2}, "größe?☃"),
    ],
)
def test_what_is_not_portrayed_is_said(client: TestClient, given: dict[str, Any], word: str) -> None:
    header = client.post(V1, json=_body(**given)).headers["x-portrayal-warnings"]
    assert header.isascii()
    assert word in " ".join(json.loads(header))


def test_a_header_stays_short_and_the_queue_s_answer_has_all(client: TestClient) -> None:
    many = {f"{'☃' * 38}{i}": 1 for i in range(20, 40)}
    answer = client.post(V2, json=_body(**many))
    assert len(answer.headers["x-portrayal-warnings"]) <= 4000
    job = answer.json()["request_id"]
    _ended(client, job)
    assert len(client.get(f"/v2/requests/{job}").json()["warnings"]) == 10


# Ways to give pictures.


def test_a_form_with_files_or_words_is_the_same_order(client: TestClient, service: Service) -> None:
    data = picture()
    plain = _order(client, service, _edit(seed=5))
    files = {"character_reference_image": ("a.png", data), "image": ("b.png", picture(colour="olive"))}
    words = {"prompt": "in a park", "seed": "5", "style_type": "null", "resolution": "None"}
    sent = client.post(V2, data=words, files={**files, "mask": ("m.png", mask())})
    assert sent.status_code == 200, sent.text
    assert service.job(sent.json()["request_id"]).order == plain
    sent = client.post(V2, data=words, files={"character_reference_image": ("a.png", data), "image": ("", b"")})
    assert sent.status_code == 200, sent.text
    assert service.job(sent.json()["request_id"]).order.operation == "generate"
    sent = client.post(V2, data={**words, "character_reference_image": uri(data), "image": "null", "mask": "null"})
    assert sent.status_code == 200, sent.text
    assert sent.headers["x-remaining-credits"] == "999999"


def test_base64_data_uris_and_own_addresses_mean_the_same_picture(client: TestClient, service: Service) -> None:
    data = picture()
    expected = _order(client, service, _body()).characters
    bare = base64.b64encode(data).decode()
    broken = "\n".join(bare[i : i + 76] for i in range(0, len(bare), 76))
    urls = client.post("/upload-asset", json={"data_urls": [uri(data)]}).json()["file_urls"]
    for one in (bare, broken, *urls):
        assert _order(client, service, _body(character_reference_image=one)).characters == expected
    with bad_server() as base:
        assert _order(client, service, _body(character_reference_image=f"{base}/picture.png")).characters


def test_a_saved_character_needs_no_picture(client: TestClient, service: Service) -> None:
    answer = client.post(V1, json={"prompt": "@nobody_here in a park"})
    assert answer.status_code == 400
    assert "nobody_here" in answer.json()["error"]


# v2: the queue.


def test_the_queue_from_order_to_result(client: TestClient) -> None:
    answer = client.post(V2, json=_body(prompt="WAIT", seed=3))
    body = answer.json()
    job = body["request_id"]
    assert body == {
        "request_id": job,
        "status": "QUEUED",
        "status_url": f"{BASE}/v2/requests/{job}/status",
        "response_url": f"{BASE}/v2/requests/{job}",
    }
    assert _ended(client, job) == {"request_id": job, "status": "COMPLETED"}
    done = client.get(f"/v2/requests/{job}")
    found = done.json()
    assert set(found) == {
        "request_id", "status", "output", "image", "seed", "identity", "warnings", "metrics"
    }  # fmt: skip
    assert found["output"] == found["image"]
    assert found["seed"] == 3
    assert found["metrics"]["inference_time"] >= 0.4
    assert found["identity"]["same_person"] is True
    assert done.headers["x-portrayal-identity-score"] == "0.8600"
    got = client.get(found["output"])
    assert got.headers["content-type"] == "image/jpeg"
    assert _size_of(got.content) == (1024, 1024)


def test_a_result_that_is_asked_for_early_has_its_state_only(client: TestClient, service: Service) -> None:
    job = _job(client, _body(prompt="SLOW"))
    early = client.get(f"/v2/requests/{job}")
    assert early.status_code == 200
    assert early.json()["status"] in ("QUEUED", "PROCESSING")
    assert set(early.json()) == {"request_id", "status"}
    service.cancel(job, Caller())


def test_a_failed_request_has_422_and_says_why(client: TestClient) -> None:
    job = _job(client, _body(prompt="FAIL"))
    assert _ended(client, job)["status"] == "FAILED"
    for path in (f"/v2/requests/{job}/status", f"/v2/requests/{job}"):
        answer = client.get(path)
        assert answer.status_code == 422
        assert answer.json()["status"] == "FAILED"
        assert answer.json()["error"] == "prompt: the fake shall fail. Ask for something else."
    direct = client.post(V1, json=_body(prompt="FAIL"))
    assert (direct.status_code, direct.json()) == (
        400,
        {"error": "prompt: the fake shall fail. Ask for something else."},
    )
    crashed = client.post(V1, json=_body(prompt="CRASH"))
    assert crashed.status_code == 500
    assert "secret" not in crashed.text


def test_a_canceled_request_is_a_failed_one(client: TestClient, service: Service) -> None:
    job = _job(client, _body(prompt="SLOW"))
    service.cancel(job, Caller())
    assert _ended(client, job) == {"request_id": job, "status": "FAILED", "error": "the request was canceled"}


def test_a_call_that_waits_too_long_says_where_the_picture_will_be(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segmind, "WAIT", 0.05)
    answer = client.post(V1, json=_body(prompt="SLOW"))
    assert answer.status_code == 504
    path = answer.json()["error"].rpartition(" ")[2]
    assert path == f"/v2/requests/{answer.headers['x-portrayal-id']}"
    assert client.get(path).json()["status"] in ("QUEUED", "PROCESSING")
    service.cancel(answer.headers["x-portrayal-id"], Caller())


def test_the_same_idempotency_key_gives_the_same_request(client: TestClient) -> None:
    first, second = (
        client.post(V2, json=_body(), headers={"idempotency-key": "one"}).json()["request_id"] for _ in range(2)
    )
    assert first == second
    answer = client.post(V2, json=_body(prompt="other"), headers={"idempotency-key": "one"})
    assert answer.status_code == 409
    assert set(answer.json()) == {"error"}


def test_uploads(client: TestClient) -> None:
    answer = client.post("/upload-asset", json={"data_urls": [uri(picture()), uri(picture(colour="red"))]})
    assert answer.status_code == 200
    assert set(answer.json()) == {"file_urls", "message"}
    assert [client.get(url).status_code for url in answer.json()["file_urls"]] == [200, 200]
    wrong: list[Any] = [None, [], [5], ["data:text/plain,x"], [uri(picture())] * 17]
    for bad in wrong:
        answer = client.post("/upload-asset", json={"data_urls": bad})
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("data_urls: ")


# What goes wrong.

BAD_INPUT: list[tuple[dict[str, Any], str]] = [
    (_body(prompt=...), "prompt"),
    (_body(prompt="  "), "prompt"),
    (_body(prompt="null"), "prompt"),
    (_body(prompt="x" * 100_000), "prompt"),
    (_body(prompt="a\ufffdb"), "prompt"),
    (_body(prompt=["x"]), "prompt"),
    (_body(character_reference_image=...), "character_reference_image"),
    (_body(character_reference_image="null"), "character_reference_image"),
    (_body(character_reference_image=[uri(picture())]), "character_reference_image"),
    (_body(character_reference_image="A" * 400), "character_reference_image"),
    (_body(rendering_speed="Balance"), "rendering_speed"),
    (_body(style_type="Design"), "style_type"),
    (_body(magic_prompt_option="Maybe"), "magic_prompt_option"),
    (_body(aspect_ratio="7:5"), "aspect_ratio"),
    (_body(resolution="big"), "resolution"),
    (_body(resolution="00x00"), "resolution"),
    (_body(seed=-1), "seed"),
    (_body(seed=2147483648), "seed"),
    (_body(seed="one"), "seed"),
    (_body(seed=1.5), "seed"),
    (_body(output_format="gif"), "output_format"),
    (_body(mask_mode="black"), "mask"),
    (_edit(mask_mode="grey"), "mask_mode"),
    (_edit(mask=...), "mask"),
    (_edit(image=...), "image"),
    (_edit(mask=uri(mask(inside=255))), "mask"),
    (_edit(mask=uri(mask(outside=0))), "mask"),
    (_edit(mask=uri(picture())), "mask"),
]


@pytest.mark.parametrize(("body", "field"), BAD_INPUT)
@pytest.mark.parametrize("path", [V1, V2])
def test_bad_input_is_refused_and_the_field_is_named(
    client: TestClient, path: str, body: dict[str, Any], field: str
) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}
    assert answer.json()["error"].startswith(f"{field}: "), answer.text


@pytest.mark.parametrize("name", REFUSED)
def test_bad_files_are_refused(client: TestClient, name: str) -> None:
    files = {"character_reference_image": ("picture.png", REFUSED[name](), "image/png")}
    answer = client.post(V1, data={"prompt": "in a park"}, files=files)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("character_reference_image: "), answer.text


@pytest.mark.parametrize("name", TAKEN)
def test_odd_files_are_taken(client: TestClient, name: str) -> None:
    files = {"character_reference_image": ("picture.png", TAKEN[name](), "image/png")}
    assert client.post(V1, data={"prompt": "in a park"}, files=files).status_code == 200


def test_bad_addresses_are_refused(client: TestClient) -> None:
    with bad_server() as base:
        for url in (*(base + path for path in BAD), *PRIVATE):
            answer = client.post(V1, json=_body(character_reference_image=url))
            assert answer.status_code == 400, (url, answer.text)
            assert answer.json()["error"].startswith("character_reference_image: ")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"prompt":"\xff"}', b'{"x":' * 500 + b"1" + b"}" * 500]
)
def test_a_body_that_is_no_order_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post(V1, content=body)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("body: ")


def test_a_form_that_is_no_text_is_refused(client: TestClient) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n\xff\xfe\r\n--x--\r\n'
    answer = client.post(V1, content=body, headers={"content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("prompt: ")
    answer = client.post(V1, content=b"nothing", headers={"content-type": "multipart/form-data"})
    assert answer.status_code == 400


def test_the_page_s_codes(client: TestClient) -> None:
    for path in ("/v2/requests/nobody", "/v2/requests/nobody/status"):
        answer = client.get(path)
        assert (answer.status_code, set(answer.json())) == (404, {"error"})
    for path in (V1, V2):
        answer = client.get(path)
        assert (answer.status_code, set(answer.json()), answer.headers["allow"]) == (405, {"error"}, "POST")


def test_another_door_s_jobs_are_not_shown(client: TestClient) -> None:
    body = {"model": "ideogram/character", "input": {"prompt": "x", "reference_image_urls": [uri(picture())]}}
    task = client.post("/api/v1/jobs/createTask", json=body).json()["data"]["taskId"].rpartition("_")[2]
    assert client.get(f"/v2/requests/{task}").status_code == 404


def test_a_degrading_picture_is_refused_before_work_is_spent(client: TestClient) -> None:
    for path in (V1, V2):
        answer = client.post(path, json=_body(prompt="nude portrait"))
        assert (answer.status_code, set(answer.json())) == (422, {"error"})


def test_keys_scopes_and_limits(client: TestClient, service: Service) -> None:
    row, key = service.keys.create("segmind", daily=1)
    reader, reading = service.keys.create("reader", scopes=("read",))
    busy, one = service.keys.create("busy", max_in_flight=1)
    service.keys.needed = True
    try:
        for headers in ({}, {"x-api-key": "wrong"}):
            answer = client.post(V1, json=_body(), headers=headers)
            assert (answer.status_code, set(answer.json())) == (401, {"error"})
        assert client.post(V1, json=_body(), headers={"x-api-key": reading}).status_code == 403
        assert client.post(V1, json=_body(), headers={"x-api-key": key}).status_code == 200
        answer = client.post(V1, json=_body(), headers={"x-api-key": key})
        assert (answer.status_code, set(answer.json())) == (406, {"error"})
        slow = client.post(V2, json=_body(prompt="SLOW"), headers={"x-api-key": one}).json()["request_id"]
        answer = client.post(V2, json=_body(), headers={"x-api-key": one})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
        service.work.end(slow, "canceled")
        service.jobs.cancel(slow)
        for known in (row, reader, busy):
            service.keys.revoke(known.id)
        assert client.post(V1, json=_body(), headers={"x-api-key": key}).status_code == 401
    finally:
        service.keys.needed = False


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(values=st.dictionaries(st.sampled_from(sorted(segmind._FIELDS)) | st.text(max_size=5), _VALUES, min_size=1))
def test_nothing_that_is_sent_breaks_the_server(client: TestClient, values: dict[str, Any]) -> None:
    answer = client.post(V2, content=json.dumps({**_body(), **values}))
    assert answer.status_code < 500, answer.text
    assert set(answer.json()) in ({"error"}, {"request_id", "status", "status_url", "response_url"})


# The engine itself.


def test_a_jpeg_edit_says_that_it_is_not_exact(
    client: TestClient, service: Service, sample: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.work, "_maker", portray)
    size = _size_of(sample)
    painted = Image.new("L", size, 255)
    painted.paste(0, (0, 0, size[0], size[1] // 2))  # head and shoulders
    out = io.BytesIO()
    painted.save(out, "PNG")
    body = _edit(image=uri(sample), character_reference_image=uri(sample), mask=uri(out.getvalue()))
    answer = client.post(V1, json={**body, "rendering_speed": "Turbo"})
    assert answer.status_code == 200, answer.text
    assert _size_of(answer.content) == size
    assert any("JPEG" in warning for warning in json.loads(answer.headers["x-portrayal-warnings"]))
