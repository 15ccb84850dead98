"""Replicate's format: every field and value of the input, the exact answers, and what goes wrong."""

from __future__ import annotations

import io
import json
import re
import time
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from portrayal.api.dialects.replicate.schema import LATEST, VERSIONS
from portrayal.service.orders import Order
from portrayal.service.service import Service
from portrayal.settings import Settings
from portrayal.sizes import RATIOS, RESOLUTIONS
from tests.api.bad_files import REFUSED, TAKEN
from tests.api.bad_urls import BAD, PRIVATE, bad_server
from tests.api.conftest import BASE, mask, picture, uri

MODEL = "ideogram-ai/ideogram-character"
CREATE = f"/v1/models/{MODEL}/predictions"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(scope="module")
def settings_here(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("replicate")
    return Settings(
        data_dir=folder / "data",
        cache_dir=folder / "cache",
        slots=2,
        shutdown_grace=1,
        fetch_private="127.0.0.1",
        fetch_timeout=1,
    )


@pytest.fixture(scope="module")
def reference(client: TestClient) -> str:
    """The address of an uploaded picture."""
    answer = client.post("/v1/files", files={"content": ("ref.png", picture(), "image/png")})
    return str(answer.json()["urls"]["get"])


@pytest.fixture
def body(reference: str) -> dict[str, Any]:
    return {"input": {"prompt": "in a park", "character_reference_image": reference}}


@pytest.fixture
def edit(body: dict[str, Any]) -> dict[str, Any]:
    body["input"] |= {"image": uri(picture(colour="olive")), "mask": uri(mask())}
    return body


def _put(body: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The body with other values in its input; `...` takes one out."""
    found = {**body["input"], **values}
    return {**body, "input": {name: value for name, value in found.items() if value is not ...}}


def _order(client: TestClient, service: Service, body: dict[str, Any]) -> Order:
    answer = client.post(CREATE, json=body)
    assert answer.status_code == 201, answer.text
    return service.job(answer.json()["id"]).order


def _done(client: TestClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(CREATE, json=body, headers={"prefer": "wait"})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _wrong(answer: Any) -> list[tuple[str, str]]:
    """(type, field) of everything that an answer calls wrong, after a look at its form."""
    found = answer.json()
    assert answer.status_code == 422, answer.text
    assert found["title"] == "Input validation failed"
    assert found["status"] == 422
    lines = [f"- {w['field']}: {w['description']}\n" if w["field"] else f"- {w['description']}\n"
             for w in found["invalid_fields"]]  # fmt: skip
    assert found["detail"] == "".join(lines)
    return [(w["type"], w["field"]) for w in found["invalid_fields"]]


# Answers.


def test_a_finished_prediction_in_full(client: TestClient, body: dict[str, Any], reference: str) -> None:
    answer = client.post(CREATE, json=_put(body, seed=7), headers={"prefer": "wait=60"})
    assert answer.status_code == 201
    found = answer.json()
    job = found["id"]
    assert re.fullmatch(r"[0-9a-z]{26}", job)
    for name in ("created_at", "started_at", "completed_at"):
        assert TIME.fullmatch(found.pop(name))
    metrics = found.pop("metrics")
    assert 0 <= metrics["predict_time"] <= metrics["total_time"]
    assert metrics["identity_score"] == 0.86
    output = found.pop("output")
    assert found == {
        "id": job,
        "model": MODEL,
        "version": "hidden",
        "input": {"prompt": "in a park", "character_reference_image": reference, "seed": 7},
        "data_removed": False,
        "error": None,
        "logs": f"100%|{'█' * 20}| 1/1 [done]\npicture 1: identity score 0.86, the same person\n",
        "status": "succeeded",
        "source": "api",
        "urls": {"get": f"{BASE}/v1/predictions/{job}", "cancel": f"{BASE}/v1/predictions/{job}/cancel"},
        "identity": {"kind": "face", "distance": 0.31, "score": 0.86, "same_person": True, "bar": 0.45},
    }
    assert answer.headers["x-portrayal-identity-score"] == "0.8600"
    assert client.get(output).headers["content-type"] == "image/png"
    assert client.get(found["urls"]["get"]).json()["output"].split("?")[0] == output.split("?")[0]


def test_a_new_prediction_has_what_clients_need(client: TestClient, body: dict[str, Any]) -> None:
    answer = client.post(CREATE, json=body)
    assert answer.status_code == 201
    found = answer.json()
    needed = {"id", "model", "version", "input", "output", "data_removed", "error", "status", "created_at", "urls"}
    assert needed <= set(found)
    assert found["status"] in ("starting", "processing", "succeeded")
    assert set(found["urls"]) == {"get", "cancel"}
    assert "x-portrayal-identity-score" not in answer.headers or found["status"] == "succeeded"


def test_pictures_that_came_as_data_are_shown_by_address(client: TestClient, edit: dict[str, Any]) -> None:
    shown = _done(client, edit)["input"]
    assert shown["prompt"] == "in a park"
    for name in ("image", "mask"):
        assert shown[name].startswith(f"{BASE}/files/")
        assert client.get(shown[name]).status_code == 200


def test_fields_that_the_model_does_not_know_are_dropped_and_said(client: TestClient, body: dict[str, Any]) -> None:
    found = _done(client, _put(body, guidance_scale=7))
    assert "guidance_scale" not in found["input"]
    assert found["warnings"] == ["input: this model knows no guidance_scale; not looked at"]
    assert "warning: input: this model knows no guidance_scale; not looked at\n" in found["logs"]


def test_warnings_of_the_engine_are_told(client: TestClient, body: dict[str, Any]) -> None:
    found = _done(client, _put(body, prompt="WARN", magic_prompt_option="On"))
    assert found["warnings"][0] == "made by a fake"
    assert not any("magic_prompt" in warning for warning in found["warnings"]), "a new picture's prompt is rewritten"


def test_warnings_of_each_picture_are_told(client: TestClient, body: dict[str, Any]) -> None:
    found = _done(client, _put(body, prompt="FLAW"))
    assert found["warnings"] == ["painted by a fake"]
    assert "warning: painted by a fake\n" in found["logs"]
    several = _done(client, _put(body, prompt="FLAW", num_outputs=2))
    assert "picture 1: painted by a fake" in several["warnings"]
    assert "picture 2: painted by a fake" in several["warnings"]


def test_one_output_is_an_address_and_several_are_a_list(client: TestClient, body: dict[str, Any]) -> None:
    assert isinstance(_done(client, body)["output"], str)
    several = _done(client, _put(body, num_outputs=3))
    assert len(several["output"]) == len(set(several["output"])) == 3
    assert len(several["identity"]) == 3


# The input.

FIELDS: list[tuple[str, Any, str, Any]] = [
    *[("rendering_speed", v, "speed", w)
      for v, w in [("Default", "balanced"), ("Turbo", "turbo"), ("Quality", "quality"), ("TURBO", "turbo"),
                   ("balanced", "balanced"), (None, "balanced"), (..., "balanced")]],
    *[("magic_prompt_option", v, "magic_prompt", w)
      for v, w in [("Auto", "auto"), ("On", "on"), ("Off", "off"), ("ON", "on"), (True, "on"), (..., "auto")]],
    *[("style_type", v, "style_type", w)
      for v, w in [("Auto", "auto"), ("Fiction", "fiction"), ("Realistic", "realistic"), ("REALISTIC", "realistic"),
                   (..., "auto")]],
    *[("aspect_ratio", name.replace("x", ":"), "size", size) for name, size in RATIOS.items()],
    ("aspect_ratio", "16x9", "size", RATIOS["16x9"]),
    ("aspect_ratio", ..., "size", (1024, 1024)),
    *[("resolution", f"{width}x{height}", "size", (width, height)) for width, height in RESOLUTIONS],
    ("resolution", "None", "size", (1024, 1024)),
    *[("seed", v, "seed", w)
      for v, w in [(0, 0), (2147483647, 2147483647), ("7", 7), (5.0, 5), (None, None), (..., None)]],
    *[("num_outputs", v, "num_images", w) for v, w in [(1, 1), (8, 8), ("2", 2), (..., 1)]],
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "field", "expected"), FIELDS)
def test_each_value_reaches_the_order(
    client: TestClient, service: Service, body: dict[str, Any], name: str, value: Any, field: str, expected: Any
) -> None:
    order = _order(client, service, _put(body, **{name: value}))
    assert order.operation == "generate"
    assert getattr(order, field) == expected


def test_resolution_wins_over_aspect_ratio(client: TestClient, service: Service, body: dict[str, Any]) -> None:
    assert _order(client, service, _put(body, resolution="832x960", aspect_ratio="16:9")).size == (832, 960)


def test_an_image_with_a_mask_is_an_edit_and_sizes_are_not_looked_at(
    client: TestClient, service: Service, edit: dict[str, Any]
) -> None:
    order = _order(client, service, _put(edit, resolution="832x960", aspect_ratio="16:9"))
    assert (order.operation, order.size, order.mask_mode) == ("edit", None, "white")
    assert len(order.characters) == 1
    output = client.get(_done(client, edit)["output"])
    assert Image.open(io.BytesIO(output.content)).size == (256, 256)


def _chosen(client: TestClient, service: Service, body: dict[str, Any]) -> np.ndarray[Any, Any]:
    order = _order(client, service, body)
    return np.asarray(Image.open(io.BytesIO(service.blobs.get(order.edit_mask or ""))))


@pytest.mark.parametrize(
    ("given_mask", "mode"),
    [
        (mask(inside=0, outside=255), ...),
        (mask(inside=0, outside=255), "black"),
        (mask(inside=255, outside=0), "white"),
        (mask(64, 64, inside=0, outside=255), ...),  # another size: it is resized to the image
        (mask(512, 512, inside=0, outside=255), ...),
    ],
)
def test_black_is_painted_anew(
    client: TestClient, service: Service, edit: dict[str, Any], given_mask: bytes, mode: Any
) -> None:
    chosen = _chosen(client, service, _put(edit, mask=uri(given_mask), mask_mode=mode))
    assert chosen.shape == (256, 256)
    assert (chosen[64:192, 64:192] == 255).all()
    assert np.count_nonzero(chosen) == 128 * 128


def test_transparency_may_choose_too(client: TestClient, service: Service, edit: dict[str, Any]) -> None:
    image = Image.new("RGBA", (256, 256), "white")
    image.paste((0, 0, 0, 0), (64, 64, 192, 192))
    out = io.BytesIO()
    image.save(out, "PNG")
    chosen = _chosen(client, service, _put(edit, mask=uri(out.getvalue()), mask_mode="alpha"))
    assert np.count_nonzero(chosen) == 128 * 128


@pytest.mark.parametrize("version", [*VERSIONS, MODEL, *(f"{MODEL}:{version}" for version in VERSIONS)])
@pytest.mark.parametrize("prefix", ["/v1", "/v1/v1"])
def test_every_way_to_name_the_version(client: TestClient, body: dict[str, Any], version: str, prefix: str) -> None:
    answer = client.post(f"{prefix}/predictions", json={**body, "version": version})
    assert answer.status_code == 201, answer.text
    assert answer.json()["version"] == "hidden"


@pytest.mark.parametrize("version", ["a" * 64, "stability-ai/sdxl", f"other/model:{LATEST}", f"{MODEL}:1", "", ":", 5])
def test_unknown_versions(client: TestClient, body: dict[str, Any], version: Any) -> None:
    answer = client.post("/v1/predictions", json={**body, "version": version})
    assert _wrong(answer) == [("invalid", "version")]
    assert "The specified version does not exist" in answer.json()["detail"]


def test_the_version_is_required_where_the_path_names_no_model(client: TestClient, body: dict[str, Any]) -> None:
    assert _wrong(client.post("/v1/predictions", json=body)) == [("required", "")]
    assert _wrong(client.post(CREATE, json={**body, "version": LATEST})) == [("additional_property_not_allowed", "")]


@pytest.mark.parametrize("prefix", ["/v1", "/v1/v1"])
def test_deployments_stand_for_the_model(client: TestClient, body: dict[str, Any], prefix: str) -> None:
    answer = client.post(f"{prefix}/deployments/acme/faces/predictions", json=body)
    assert answer.status_code == 201
    assert answer.json()["deployment"] == "acme/faces"
    release = client.get(f"{prefix}/deployments/acme/faces").json()["current_release"]
    assert (release["model"], release["version"]) == (MODEL, LATEST)


# Waiting, ending.


def test_when_the_hold_runs_out_the_prediction_is_said_to_be_starting(client: TestClient, body: dict[str, Any]) -> None:
    answer = client.post(CREATE, json=_put(body, prompt="SLOW"), headers={"prefer": "wait=1"})
    assert answer.status_code == 202
    found = answer.json()
    assert (found["status"], found["output"]) == ("starting", None)
    assert client.get(found["urls"]["get"]).json()["status"] == "processing"
    canceled = client.post(found["urls"]["cancel"])
    assert canceled.status_code == 200
    assert canceled.json()["status"] == "canceled"
    assert canceled.json()["output"] is None
    assert TIME.fullmatch(canceled.json()["completed_at"])
    assert client.post(found["urls"]["cancel"]).json()["status"] == "canceled"


def test_a_running_prediction_tells_how_far_it_is(client: TestClient, service: Service, body: dict[str, Any]) -> None:
    found = client.post(CREATE, json=_put(body, prompt="SLOW")).json()
    while not (now := client.get(found["urls"]["get"]).json())["logs"].startswith(" 50%"):
        assert now["status"] in ("starting", "processing")
        time.sleep(0.02)
    assert re.fullmatch(r" 50%\|█{10} {10}\| 0/1 \[light\]\n", now["logs"])
    client.post(found["urls"]["cancel"])


def test_a_finished_prediction_is_not_canceled(client: TestClient, body: dict[str, Any]) -> None:
    assert client.post(_done(client, body)["urls"]["cancel"]).json()["status"] == "succeeded"


@pytest.mark.parametrize("prefer", ["wait", "wait=1", "wait=60", "Wait = 5", "respond-async, wait=5", "wait=99"])
def test_preferences_that_wait(client: TestClient, body: dict[str, Any], prefer: str) -> None:
    assert client.post(CREATE, json=body, headers={"prefer": prefer}).json()["status"] == "succeeded"


@pytest.mark.parametrize("prefer", ["wait=0", "wait=-1", "wait=100", "wait=1.5", "wait=", "wait=soon"])
def test_preferences_that_are_wrong(client: TestClient, body: dict[str, Any], prefer: str) -> None:
    assert _wrong(client.post(CREATE, json=body, headers={"prefer": prefer})) == [("invalid", "Prefer")]


@pytest.mark.parametrize(("after", "seconds"), [("5", 5), ("90s", 90), ("5m", 300), ("1h", 3600), ("1h30m45s", 5445)])
def test_cancel_after_gives_a_deadline(client: TestClient, body: dict[str, Any], after: str, seconds: int) -> None:
    before = time.time()
    answer = client.post(CREATE, json=body, headers={"cancel-after": after}).json()
    assert TIME.fullmatch(answer["deadline"])
    deadline = time.mktime(time.strptime(answer["deadline"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    assert before + seconds - 2 <= deadline <= time.time() + seconds + 2


@pytest.mark.parametrize("after", ["4", "4s", "0m", "soon", "-5m", "5d", "m", "1m1h"])
def test_cancel_after_that_is_wrong(client: TestClient, body: dict[str, Any], after: str) -> None:
    assert _wrong(client.post(CREATE, json=body, headers={"cancel-after": after})) == [("invalid", "Cancel-After")]


def test_the_deadline_ends_the_prediction(
    client: TestClient, service: Service, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portrayal.api.dialects.replicate.predictions._SHORTEST", 1)
    headers = {"cancel-after": "1", "prefer": "wait=10"}
    assert client.post(CREATE, json=_put(body, prompt="SLOW"), headers=headers).json()["status"] == "canceled"
    # Whoever should have ended it was restarted: the next look does.
    monkeypatch.setattr("portrayal.api.dialects.replicate.predictions._end_later", lambda *_: None)
    found = client.post(CREATE, json=_put(body, prompt="SLOW"), headers={"cancel-after": "1"}).json()
    time.sleep(1.1)
    client.get(found["urls"]["get"])
    assert client.portal is not None
    assert client.portal.call(service.wait, found["id"], 10.0).state == "canceled"


def test_a_failed_prediction_says_why_and_hides_what_is_inside(client: TestClient, body: dict[str, Any]) -> None:
    found = _done(client, _put(body, prompt="FAIL"))
    assert (found["status"], found["output"]) == ("failed", None)
    assert found["error"] == "prompt: the fake shall fail. Ask for something else."
    found = _done(client, _put(body, prompt="CRASH"))
    assert found["status"] == "failed"
    assert "secret" not in found["error"]


def test_the_same_idempotency_key_gives_the_same_prediction(client: TestClient, body: dict[str, Any]) -> None:
    headers = {"idempotency-key": "once"}
    first, second = (client.post(CREATE, json=body, headers=headers).json()["id"] for _ in range(2))
    assert first == second
    answer = client.post(CREATE, json=_put(body, seed=9), headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (409, 409)


# Bad input.

BAD_INPUT: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"prompt": ...}, [("required", "input")]),
    ({"prompt": ""}, [("required", "input")]),
    ({"prompt": "  "}, [("required", "input")]),
    ({"prompt": None}, [("required", "input")]),
    ({"prompt": 5}, [("invalid_type", "input.prompt")]),
    ({"prompt": "x" * 100_000}, [("invalid_type", "input.prompt")]),
    ({"prompt": "a\ufffdb"}, [("invalid_type", "input.prompt")]),
    ({"prompt": "a\x00b"}, [("invalid_type", "input.prompt")]),
    ({"character_reference_image": ...}, [("required", "input")]),
    ({"character_reference_image": ""}, [("required", "input")]),
    ({"character_reference_image": 5}, [("invalid_type", "input.character_reference_image")]),
    ({"character_reference_image": ["x"]}, [("invalid_type", "input.character_reference_image")]),
    ({"aspect_ratio": "7:5"}, [("enum", "input.aspect_ratio")]),
    ({"resolution": "1000x1000"}, [("enum", "input.resolution")]),
    ({"resolution": "00x00"}, [("enum", "input.resolution")]),
    ({"rendering_speed": "Warp"}, [("enum", "input.rendering_speed")]),
    ({"magic_prompt_option": "Perhaps"}, [("enum", "input.magic_prompt_option")]),
    ({"style_type": "Design"}, [("enum", "input.style_type")]),
    ({"style_type": 3}, [("enum", "input.style_type")]),
    ({"seed": -1}, [("number_gte", "input.seed")]),
    ({"seed": 2147483648}, [("number_lte", "input.seed")]),
    ({"seed": 1.5}, [("invalid_type", "input.seed")]),
    ({"seed": "many"}, [("invalid_type", "input.seed")]),
    ({"num_outputs": 0}, [("number_gte", "input.num_outputs")]),
    ({"num_outputs": 9}, [("number_lte", "input.num_outputs")]),
    ({"image": uri(picture())}, [("required", "input")]),
    ({"mask": uri(mask())}, [("required", "input")]),
    ({"image": uri(picture()), "mask": uri(mask(inside=255))}, [("invalid", "input.mask")]),
    ({"image": uri(picture()), "mask": uri(mask(outside=0))}, [("invalid", "input.mask")]),
    ({"image": uri(picture()), "mask": uri(mask()), "mask_mode": "red"}, [("enum", "input.mask_mode")]),
    (
        {"prompt": ..., "character_reference_image": ..., "seed": -1, "aspect_ratio": "x"},
        [("required", "input"), ("required", "input"), ("enum", "input.aspect_ratio"), ("number_gte", "input.seed")],
    ),
]


@pytest.mark.parametrize(("values", "expected"), BAD_INPUT)
def test_bad_input_is_refused_and_every_wrong_field_is_named(
    client: TestClient, body: dict[str, Any], values: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert _wrong(client.post(CREATE, json=_put(body, **values))) == expected


def test_enumerations_list_what_is_allowed(client: TestClient, body: dict[str, Any]) -> None:
    answer = client.post(CREATE, json=_put(body, rendering_speed="Warp", aspect_ratio="x"))
    assert "Default, Turbo, Quality" in answer.json()["detail"]
    assert "16:10" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"input": ...}, [("required", "")]),
        ({"input": None}, [("required", "")]),
        ({"input": "x"}, [("invalid_type", "input")]),
        ({"num_images": 1}, [("additional_property_not_allowed", "")]),
        ({"webhook": 5}, [("invalid_type", "webhook")]),
        ({"webhook": "nonsense"}, [("invalid", "webhook")]),
        ({"webhook": "http://10.0.0.1/hook"}, [("invalid", "webhook")]),
        ({"webhook_events_filter": "start"}, [("invalid_type", "webhook_events_filter")]),
        ({"webhook_events_filter": ["end"]}, [("enum", "webhook_events_filter")]),
        ({"webhook_events_filter": [{}]}, [("enum", "webhook_events_filter")]),
    ],
)
def test_a_body_that_is_no_order_is_refused(
    client: TestClient, body: dict[str, Any], values: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    sent = {name: value for name, value in {**body, **values}.items() if value is not ...}
    assert _wrong(client.post(CREATE, json=sent)) == expected


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b'{"input": {"prompt": "\xff\xfe"}}', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(client: TestClient, content: bytes) -> None:
    answer = client.post(CREATE, content=content)
    assert answer.status_code == 400
    assert set(answer.json()) == {"title", "detail", "status"}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_files_are_refused(client: TestClient, body: dict[str, Any], name: str) -> None:
    data = REFUSED[name]()
    answer = client.post(CREATE, json=_put(body, character_reference_image=uri(data)))
    if answer.status_code == 413:
        assert name == "bomb"
        assert set(answer.json()) == {"title", "detail", "status"}
        assert "character_reference_image" in answer.json()["detail"]
    else:
        assert _wrong(answer) == [("invalid", "input.character_reference_image")]
    upload = client.post("/v1/files", files={"content": ("a.png", data, "image/png")})
    assert upload.status_code in (413, 422)
    assert upload.json()["detail"].removeprefix("- ").startswith("content: ")


@pytest.mark.parametrize("name", TAKEN)
def test_odd_files_are_taken(client: TestClient, body: dict[str, Any], name: str) -> None:
    assert client.post(CREATE, json=_put(body, character_reference_image=uri(TAKEN[name]()))).status_code == 201


def test_bad_addresses_are_refused(client: TestClient, body: dict[str, Any]) -> None:
    with bad_server() as base:
        for url in (*(base + path for path in BAD), *PRIVATE):
            answer = client.post(CREATE, json=_put(body, character_reference_image=url))
            assert _wrong(answer) == [("invalid", "input.character_reference_image")], url
        found = client.post(CREATE, json=_put(body, character_reference_image=f"{base}/picture.png")).json()
        assert found["input"]["character_reference_image"] == f"{base}/picture.png"


def test_what_the_rules_forbid_is_refused(client: TestClient, body: dict[str, Any]) -> None:
    answer = client.post(CREATE, json=_put(body, prompt="porn"))
    assert answer.status_code == 422
    found = answer.json()
    assert (found["title"], found["status"], found["category"]) == ("Flagged as sensitive", 422, "sexual")
    assert found["detail"].endswith("(E005)")


def test_unknown_paths_and_ids(client: TestClient, service: Service, body: dict[str, Any]) -> None:
    expected = {"title": "Not found", "detail": "The requested resource could not be found.", "status": 404}
    native = client.post(
        "/v1/images/generations", json={"prompt": "x", "character_reference_image": uri(picture())}
    ).json()
    for path in (
        "/v1/predictions/nobody",
        "/v1/predictions/a%00b",
        "/v1/files/a%00b",
        f"/v1/predictions/{native['id']}",  # another door's
        "/v1/files/nobody",
        "/v1/models/other/model",
        "/v1/models/other/model/versions",
        f"/v1/models/{MODEL}/versions/1",
    ):
        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (404, expected), path
    assert client.post("/v1/predictions/nobody/cancel").json() == expected
    assert client.post("/v1/models/other/model/predictions", json=body).json() == expected


def test_keys_are_asked_for_where_they_are_needed(client: TestClient, service: Service, body: dict[str, Any]) -> None:
    row, key = service.keys.create("replicate")
    reader, reading = service.keys.create("reader", scopes=("read",))
    service.keys.needed = True
    try:
        for word in ("Bearer", "Token"):
            assert client.post(CREATE, json=body, headers={"authorization": f"{word} {key}"}).status_code == 201
        answer = client.post(CREATE, json=body)
        detail = "You did not pass an authentication token"
        assert (answer.status_code, answer.json()) == (
            401,
            {"title": "Unauthenticated", "detail": detail, "status": 401},
        )
        answer = client.post(CREATE, json=body, headers={"authorization": f"Bearer {reading}"})
        assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")
        service.keys.revoke(row.id)
        for wrong in (key, "r8_wrong"):
            answer = client.post(CREATE, json=body, headers={"authorization": f"Bearer {wrong}"})
            assert answer.status_code == 401
            assert answer.json()["detail"] == "You did not pass a valid authentication token"
        # Both hosts' clients must understand the list of models, and its error.
        both = client.get("/v1/models")
        assert both.status_code == 401
        assert both.json()["title"] == "Unauthenticated"
        assert both.json()["error"]["code"] == "invalid_api_key"
    finally:
        service.keys.needed = False
        service.keys.revoke(reader.id)


def test_limits_of_a_key(client: TestClient, service: Service, body: dict[str, Any]) -> None:
    row, key = service.keys.create("busy", max_in_flight=1)
    headers = {"authorization": f"Bearer {key}"}
    first = client.post(CREATE, json=_put(body, prompt="SLOW"), headers=headers).json()
    answer = client.post(CREATE, json=body, headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert (answer.json()["status"], answer.json()["retry_after"]) == (429, 2)
    client.post(first["urls"]["cancel"], headers=headers)
    service.keys.revoke(row.id)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
_NAMES = [name for name, *_ in FIELDS] + ["prompt", "character_reference_image", "image", "mask", "mask_mode", "other"]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    values=st.dictionaries(st.sampled_from(sorted(set(_NAMES))), _VALUES, max_size=4),
    outer=st.dictionaries(
        st.sampled_from(["webhook", "webhook_events_filter", "stream", "version", "input"]), _VALUES, max_size=1
    ),
)
def test_nothing_that_is_sent_breaks_the_server(
    client: TestClient, reference: str, values: dict[str, Any], outer: dict[str, Any]
) -> None:
    values = {"prompt": "x", "character_reference_image": reference, **values}
    answer = client.post(CREATE, content=json.dumps({"input": values, **outer}))
    assert answer.status_code < 500, answer.text
    assert answer.status_code == 201 or {"title", "detail", "status"} <= set(answer.json())
