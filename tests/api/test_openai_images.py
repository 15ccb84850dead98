"""OpenAI's Images format: every parameter and value, the exact answers, and what goes wrong."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from portrayal.service.orders import Order
from portrayal.service.service import Service
from portrayal.settings import Settings
from portrayal.sizes import RESOLUTIONS, nearest
from tests.api.bad_files import REFUSED, TAKEN
from tests.api.bad_urls import BAD, PRIVATE, bad_server
from tests.api.conftest import BASE, mask, picture, uri

GENERATE = "/v1/images/generations"
EDIT = "/v1/images/edits"
NO_TOKENS = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "total_tokens": 0,
}
PROOF = {"kind": "face", "distance": 0.31, "score": 0.86, "same_person": True, "bar": 0.45}


@pytest.fixture(scope="module")
def settings_here(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("openai")
    return Settings(
        data_dir=folder / "data",
        cache_dir=folder / "cache",
        slots=2,
        shutdown_grace=1,
        fetch_private="127.0.0.1",
        fetch_timeout=1,
    )


def alpha_mask(width: int = 256, height: int = 256) -> bytes:
    """A mask as OpenAI wants it: transparent in the middle, where the picture changes."""
    image = Image.new("RGBA", (width, height), "white")
    image.paste((0, 0, 0, 0), (width // 4, height // 4, 3 * width // 4, 3 * height // 4))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _body(**values: Any) -> dict[str, Any]:
    """A call of generations; `...` takes a parameter out."""
    found = {"prompt": "in a park", "character_reference_image": uri(picture()), "response_format": "url", **values}
    return {name: value for name, value in found.items() if value is not ...}


def _edit(client: TestClient, *files: tuple[str, bytes], **values: Any) -> Any:
    found = {"prompt": "a red hat", "response_format": "url", **values}
    data = {name: value for name, value in found.items() if value is not ...}
    parts = [(name, ("a.png", content, "image/png")) for name, content in files]
    return client.post(EDIT, data=data, files=parts or None)


def _order(service: Service, answer: Any) -> Order:
    assert answer.status_code == 200, answer.text
    return service.job(answer.json()["id"]).order


def _error(answer: Any, status: int = 400) -> dict[str, Any]:
    """The error of an answer, after a look at its form."""
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    error: dict[str, Any] = answer.json()["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    assert isinstance(error["message"], str)
    return error


# Answers.


def test_an_answer_in_full(client: TestClient) -> None:
    answer = client.post(GENERATE, json=_body(response_format=..., seed=7, user="u-1"))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found.pop("created"), int)
    data = base64.b64decode(found["data"][0].pop("b64_json"))
    assert Image.open(io.BytesIO(data)).size == (1024, 1024)
    assert found == {
        "id": answer.headers["x-request-id"],
        "data": [{"seed": 7, "identity": PROOF}],
        "background": "opaque",
        "output_format": "png",
        "quality": "medium",
        "size": "1024x1024",
        "usage": NO_TOKENS,
        "safety_identifier": "u-1",
    }
    assert answer.headers["x-portrayal-identity-score"] == "0.8600"


def test_pictures_by_address(client: TestClient) -> None:
    found = client.post(GENERATE, json=_body(n=2, output_format="webp")).json()
    assert [set(item) for item in found["data"]] == [{"url", "seed", "identity"}] * 2
    assert found["data"][1]["seed"] == found["data"][0]["seed"] + 1
    for item in found["data"]:
        assert item["url"].startswith(f"{BASE}/files/")
        assert client.get(item["url"]).headers["content-type"] == "image/webp"


def test_warnings_are_told(client: TestClient) -> None:
    found = client.post(GENERATE, json=_body(prompt="WARN", size="1536x1024", style="vivid")).json()
    assert found["warnings"] == [
        "style: vivid is not portrayed; see style_type",
        "size: 1536x1024 became 1248x832, the nearest one",
        "made by a fake",
    ]


def test_warnings_of_each_picture_are_told(client: TestClient) -> None:
    found = client.post(GENERATE, json=_body(prompt="FLAW")).json()
    assert found["warnings"] == ["painted by a fake"]
    several = client.post(GENERATE, json=_body(prompt="FLAW", n=2)).json()
    assert several["warnings"] == ["picture 1: painted by a fake", "picture 2: painted by a fake"]


# Parameters.

QUALITIES = [("auto", "balanced", "medium"), ("low", "turbo", "low"), ("medium", "balanced", "medium"),
             ("high", "quality", "high"), ("standard", "balanced", "medium"), ("hd", "quality", "high"),
             ("xhigh", "quality", "high"), ("max", "quality", "high"), (..., "balanced", "medium"),
             (None, "balanced", "medium"), ("HIGH", "quality", "high")]  # fmt: skip


@pytest.mark.parametrize(("quality", "speed", "shown"), QUALITIES)
def test_quality(client: TestClient, service: Service, quality: Any, speed: str, shown: str) -> None:
    answer = client.post(GENERATE, json=_body(quality=quality))
    assert _order(service, answer).speed == speed
    assert answer.json()["quality"] == shown


FIELDS: list[tuple[str, Any, str, Any]] = [
    *[("n", n, "num_images", n) for n in (1, 2, 8)],
    ("n", None, "num_images", 1),
    *[("output_format", v, "output_format", v) for v in ("png", "jpeg", "webp")],
    ("output_format", "jpg", "output_format", "jpeg"),
    *[("size", v, "size", w)
      for v, w in [("auto", (1024, 1024)), (None, (1024, 1024)), ("1024x1024", (1024, 1024)),
                   ("1536x1024", (1248, 832)), ("1024x1536", (832, 1248)), ("256x256", (1024, 1024)),
                   ("1792x1024", nearest(1792, 1024)), ("832x960", (832, 960)), (" 832 x 960 ", (832, 960))]],
    *[("style_type", v, "style_type", v) for v in ("auto", "general", "realistic", "design", "fiction")],
    *[("magic_prompt", v, "magic_prompt", v) for v in ("auto", "on", "off")],
    ("style_preset", "BAUHAUS", "style_preset", "BAUHAUS"),
    ("seed", 0, "seed", 0),
    ("seed", 2147483647, "seed", 2147483647),
    ("negative_prompt", "hat", "negative_prompt", "hat"),
    ("operation", "generate", "operation", "generate"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "field", "expected"), FIELDS)
def test_each_value_reaches_the_order(
    client: TestClient, service: Service, name: str, value: Any, field: str, expected: Any
) -> None:
    order = _order(service, client.post(GENERATE, json=_body(**{name: value})))
    assert order.operation == "generate"
    assert getattr(order, field) == expected


@pytest.mark.parametrize("size", RESOLUTIONS[::6])
def test_sizes_that_there_are_stay(client: TestClient, service: Service, size: tuple[int, int]) -> None:
    answer = client.post(GENERATE, json=_body(size=f"{size[0]}x{size[1]}"))
    assert _order(service, answer).size == size
    assert answer.json()["size"] == f"{size[0]}x{size[1]}"
    assert "warnings" not in answer.json()


NOTED: list[tuple[dict[str, Any], str]] = [
    *[({"style": v}, "style: ") for v in ("vivid", "natural")],
    *[({"complexity": v}, "complexity: ") for v in ("low", "medium", "high")],
    ({"moderation": "low"}, "moderation: "),
    ({"input_fidelity": "low"}, "input_fidelity: "),
    ({"output_compression": 50, "output_format": "jpeg"}, "output_compression: "),
    ({"output_compression": 0}, "output_compression: "),
    ({"strength": 0.8}, "strength: "),
]


@pytest.mark.parametrize(("values", "note"), NOTED)
def test_what_is_not_heeded_is_said(client: TestClient, values: dict[str, Any], note: str) -> None:
    answer = client.post(GENERATE, json=_body(**values))
    assert [warning for warning in answer.json()["warnings"] if warning.startswith(note)]


@pytest.mark.parametrize(
    "values",
    [
        *({"background": v} for v in ("auto", "opaque")),
        *({"moderation": "auto"}, {"input_fidelity": "high"}, {"output_compression": 100}),
        *({"model": v} for v in ("gpt-image-1", "dall-e-3", "anything")),
        *({"partial_images": v} for v in (0, 3)),
        {"stream": False},
        {"safety_identifier": "s"},
    ],
)
def test_what_needs_no_word(client: TestClient, values: dict[str, Any]) -> None:
    answer = client.post(GENERATE, json=_body(**values))
    assert answer.status_code == 200
    assert "warnings" not in answer.json()


# Who and where.


@pytest.mark.parametrize(
    "values",
    [
        {"character_reference_image": uri(picture(colour="navy"))},
        {"character_reference_image": [uri(picture(colour="navy"))]},
        {"character_reference_image": ..., "reference_image_urls": [uri(picture(colour="navy"))]},
        {"character_reference_image": ..., "reference_image_urls": uri(picture(colour="navy"))},
    ],
)
def test_ways_to_give_a_character(client: TestClient, service: Service, values: dict[str, Any]) -> None:
    order = _order(service, client.post(GENERATE, json=_body(**values)))
    assert len(order.characters) == 1
    given_picture = Image.open(io.BytesIO(service.blobs.get(order.characters[0].image))).convert("RGB")
    assert given_picture.getpixel((0, 0)) == (0, 0, 128)


def test_a_character_mask_and_its_mode(client: TestClient, service: Service) -> None:
    def chosen(**values: Any) -> bytes:
        order = _order(service, client.post(GENERATE, json=_body(**values)))
        return service.blobs.get(order.characters[0].mask or "")

    white = chosen(character_mask=uri(mask(inside=255, outside=0)))
    assert np.count_nonzero(np.asarray(Image.open(io.BytesIO(white)))) == 128 * 128
    assert chosen(character_mask=uri(mask(inside=0, outside=255)), character_mask_mode="black") == white


def test_pictures_without_a_mask_are_the_people(client: TestClient, service: Service) -> None:
    one = _order(service, _edit(client, ("image", picture())))
    assert (one.operation, len(one.characters), one.image, one.size) == ("generate", 1, None, (1024, 1024))
    two = _order(service, _edit(client, ("image[]", picture()), ("image[]", picture(colour="red")), size="1024x1536"))
    assert (two.operation, len(two.characters), two.size) == ("generate", 2, (832, 1248))


def _colours(service: Service, order: Order) -> tuple[Any, Any]:
    """First pixel of the scene and of the character."""
    found = [order.image, order.characters[0].image if order.characters else None]
    opened = [None if d is None else Image.open(io.BytesIO(service.blobs.get(d))).convert("RGB") for d in found]
    return tuple(None if image is None else image.getpixel((0, 0)) for image in opened)  # type: ignore[return-value]


SCENE, WHO = picture(colour="#808000"), picture(colour="#000080")
OLIVE, NAVY = (128, 128, 0), (0, 0, 128)


@pytest.mark.parametrize(
    ("files", "values"),
    [
        ([("image[]", SCENE), ("image[]", WHO), ("mask", alpha_mask())], {}),
        ([("image", SCENE), ("image", WHO), ("mask", alpha_mask())], {}),
        ([("image", SCENE), ("mask", alpha_mask())], {"character_reference_image": uri(WHO)}),
        ([("image", SCENE), ("mask", alpha_mask()), ("character_reference_image", WHO)], {}),
        ([("image", SCENE), ("mask", mask(inside=255, outside=0)), ("character_reference_image", WHO)],
         {"mask_mode": "white"}),
        ([("image", SCENE), ("mask", mask(inside=0, outside=255)), ("character_reference_image", WHO)],
         {"mask_mode": "black"}),
    ],
)  # fmt: skip
def test_an_edit_puts_the_character_into_the_scene(
    client: TestClient, service: Service, files: list[tuple[str, bytes]], values: dict[str, Any]
) -> None:
    answer = _edit(client, *files, **values)
    order = _order(service, answer)
    assert (order.operation, order.mask_mode, order.size) == ("edit", "white", None)
    assert _colours(service, order) == (OLIVE, NAVY)
    chosen = np.asarray(Image.open(io.BytesIO(service.blobs.get(order.edit_mask or ""))))
    assert (chosen[64:192, 64:192] == 255).all()
    assert np.count_nonzero(chosen) == 128 * 128
    assert answer.json()["size"] == "256x256"


def test_edits_without_a_mask_or_without_a_character(client: TestClient, service: Service) -> None:
    named = _order(service, _edit(client, ("image", SCENE), character_reference_image=uri(WHO)))
    asked = _order(service, _edit(client, ("image[]", SCENE), ("image[]", WHO), operation="edit"))
    for order in (named, asked):
        assert (order.operation, order.edit_mask) == ("edit", None)
        assert _colours(service, order) == (OLIVE, NAVY)
    nobody = _edit(client, ("image", SCENE), ("mask", alpha_mask()))
    assert _colours(service, _order(service, nobody)) == (OLIVE, None)
    assert nobody.json()["data"][0]["identity"] is None
    assert "x-portrayal-identity-score" not in nobody.headers


def test_an_edit_keeps_the_size_of_its_picture(client: TestClient) -> None:
    files = (("image", SCENE), ("mask", alpha_mask()))
    assert _edit(client, *files, size="1024x1024").json()["warnings"] == [
        "size: not applied; an edit keeps the size of its picture, 256x256"
    ]
    for size in ("auto", "256x256"):
        assert "warnings" not in _edit(client, *files, size=size).json()


@pytest.mark.parametrize(
    ("values", "strength", "size"),
    [
        ({}, 0.5, None),
        ({"strength": "0.8"}, 0.8, None),
        ({"strength": "0"}, 0.0, None),
        ({"strength": "1", "size": "1024x1536"}, 1.0, (832, 1248)),
    ],
)
def test_a_remix(client: TestClient, service: Service, values: dict[str, Any], strength: float, size: Any) -> None:
    order = _order(service, _edit(client, ("image[]", SCENE), ("image[]", WHO), operation="remix", **values))
    assert (order.operation, order.strength, order.size) == ("remix", strength, size)
    assert _colours(service, order) == (OLIVE, NAVY)
    named = _edit(client, ("image", SCENE), operation="remix", character_reference_image=uri(WHO), **values)
    assert _order(service, named) == order


def test_texts_of_a_form_become_numbers(client: TestClient, service: Service) -> None:
    order = _order(service, _edit(client, ("image", WHO), n="2", seed="7", quality="high", output_format="jpeg"))
    assert (order.num_images, order.seed, order.speed, order.output_format) == (2, 7, "quality", "jpeg")


# Events.


def _events(answer: Any) -> list[tuple[str, dict[str, Any]]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in answer.text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def test_streamed_pictures(client: TestClient) -> None:
    events = _events(client.post(GENERATE, json=_body(stream=True, n=2, partial_images=2, quality="low")))
    assert [name for name, _ in events] == ["image_generation.completed"] * 2
    for _, event in events:
        Image.open(io.BytesIO(base64.b64decode(event.pop("b64_json")))).load()
        assert isinstance(event.pop("created_at"), int)
        assert isinstance(event.pop("seed"), int)
        assert event.pop("id")
        assert event.pop("warnings") == ["partial_images: pictures are sent when they are finished, none before"]
        assert event == {
            "type": "image_generation.completed",
            "background": "opaque",
            "output_format": "png",
            "quality": "low",
            "size": "1024x1024",
            "usage": NO_TOKENS,
            "identity": PROOF,
        }
    events = _events(_edit(client, ("image", WHO), stream="true"))
    assert [(name, event["type"]) for name, event in events] == [("image_edit.completed", "image_edit.completed")]


def test_a_stream_ends_with_the_error(client: TestClient) -> None:
    ((name, event),) = _events(client.post(GENERATE, json=_body(stream=True, prompt="FAIL")))
    assert name == "error"
    assert event["error"]["param"] == "prompt"
    assert "the fake shall fail" in event["error"]["message"]


# What goes wrong.

BAD_INPUT: list[tuple[dict[str, Any], str | None, str]] = [
    ({"prompt": ...}, "prompt", "missing_required_parameter"),
    ({"prompt": ""}, "prompt", "missing_required_parameter"),
    ({"prompt": 5}, "prompt", "invalid_value"),
    ({"prompt": "x" * 100_000}, "prompt", "invalid_value"),
    ({"prompt": "a\ufffdb"}, "prompt", "invalid_value"),
    ({"character_reference_image": ...}, "character_reference_image", "missing_required_parameter"),
    ({"character_reference_image": []}, "character_reference_image", "missing_required_parameter"),
    ({"character_reference_image": 5}, "character_reference_image", "invalid_value"),
    ({"character_reference_image": {"url": "x"}}, "character_reference_image", "invalid_value"),
    ({"reference_image_urls": [uri(picture())] * 4}, "image", "invalid_value"),
    *(({"n": n}, "n", "invalid_value") for n in (0, 9, 10, -1, 1.5, "two")),
    *(({"size": v}, "size", "invalid_value") for v in ("huge", "0x0", "1024", 1024, "1x1", "99999999x1")),
    ({"quality": "best"}, "quality", "invalid_value"),
    ({"response_format": "png"}, "response_format", "invalid_value"),
    ({"output_format": "bmp"}, "output_format", "invalid_value"),
    *(({"output_format": v}, "output_format", "unsupported_value") for v in ("gif", "svg")),
    *(({"output_compression": v}, "output_compression", "invalid_value") for v in (-1, 101)),
    ({"background": "transparent"}, "background", "unsupported_value"),
    ({"background": "blue"}, "background", "invalid_value"),
    ({"moderation": "high"}, "moderation", "invalid_value"),
    ({"style": "loud"}, "style", "invalid_value"),
    ({"complexity": "no"}, "complexity", "invalid_value"),
    ({"partial_images": 4}, "partial_images", "invalid_value"),
    ({"stream": "perhaps"}, "stream", "invalid_value"),
    ({"model": 5}, "model", "invalid_value"),
    ({"user": 5}, "user", "invalid_value"),
    ({"seed": -1}, "seed", "invalid_value"),
    ({"seed": 2147483648}, "seed", "invalid_value"),
    ({"strength": 2}, "strength", "invalid_value"),
    ({"style_type": "anime"}, "style_type", "invalid_value"),
    ({"style_preset": "none such"}, "style_preset", "invalid_value"),
    ({"magic_prompt": "perhaps"}, "magic_prompt", "invalid_value"),
    ({"mask_mode": "red"}, "mask_mode", "invalid_value"),
    ({"character_mask_mode": "alpha"}, "character_mask_mode", "invalid_value"),
    ({"character_mask": uri(mask(64, 64))}, "character_mask", "invalid_mask"),
    ({"character_mask": uri(mask(inside=0, outside=0))}, "character_mask", "invalid_mask"),
    *(({"operation": v}, "operation", "invalid_value") for v in ("edit", "remix", "paint")),
    ({"image": uri(picture())}, "image", "invalid_value"),
    ({"mask": uri(mask())}, "mask", "invalid_value"),
    ({"promt": "x"}, "promt", "unknown_parameter"),
    ({"num_images": 2}, "num_images", "unknown_parameter"),
    *(({name: 2}, name, "unsupported_parameter") for name in ("svg", "frame_count", "frame_duration_ms", "markup")),
]


@pytest.mark.parametrize(("values", "param", "code"), BAD_INPUT)
def test_bad_parameters_are_refused_and_named(
    client: TestClient, values: dict[str, Any], param: str | None, code: str
) -> None:
    error = _error(client.post(GENERATE, json=_body(**values)))
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)


BAD_EDITS: list[tuple[list[tuple[str, bytes]], dict[str, Any], str, str]] = [
    ([], {}, "image", "missing_required_parameter"),
    ([("mask", alpha_mask())], {}, "image", "missing_required_parameter"),
    ([("image", SCENE)], {"prompt": ...}, "prompt", "missing_required_parameter"),
    ([("image", SCENE), ("mask", alpha_mask(128, 128))], {}, "mask", "invalid_mask"),
    ([("image", SCENE), ("mask", mask())], {}, "mask", "invalid_mask"),  # no transparency
    ([("image", SCENE), ("mask", mask(inside=0, outside=0))], {"mask_mode": "white"}, "mask", "invalid_mask"),
    ([("image", SCENE), ("mask", alpha_mask()), ("mask", alpha_mask())], {}, "mask", "invalid_value"),
    ([("image", SCENE), ("mask", alpha_mask())], {"operation": "generate"}, "mask", "invalid_value"),
    ([("image", SCENE), ("mask", alpha_mask())], {"operation": "remix"}, "mask", "invalid_value"),
    ([("image", SCENE)], {"operation": "remix"}, "character_reference_image", "missing_required_parameter"),
    ([("image", SCENE)] * 17, {}, "image", "invalid_value"),
    ([("image", SCENE)] * 5, {}, "image", "invalid_value"),
    ([("image", SCENE)] * 3, {"operation": "remix"}, "character_reference_image", "invalid_value"),
    ([("image", SCENE), ("character_mask", mask())], {"operation": "edit"}, "character_mask", "invalid_value"),
    ([("image", SCENE), ("prompt", b"x")], {"prompt": ...}, "prompt", "invalid_value"),
    ([("image", SCENE)], {"n": "0"}, "n", "invalid_value"),
    ([("image", SCENE)], {"n": "9"}, "n", "invalid_value"),
    ([("image", SCENE), ("markup", SCENE)], {}, "markup", "unsupported_parameter"),
    ([("image", SCENE)], {"svg[model]": "x"}, "svg[model]", "unsupported_parameter"),
]


@pytest.mark.parametrize(("files", "values", "param", "code"), BAD_EDITS)
def test_bad_edits_are_refused_and_named(
    client: TestClient, files: list[tuple[str, bytes]], values: dict[str, Any], param: str, code: str
) -> None:
    error = _error(_edit(client, *files, **values))
    assert (error["param"], error["code"]) == (param, code)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b'{"prompt": "\xff\xfe"}', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(client: TestClient, content: bytes) -> None:
    assert _error(client.post(GENERATE, content=content))["param"] is None
    assert _error(client.post(EDIT, content=content))["param"] is None


def test_a_form_with_bytes_that_are_no_text_is_refused(client: TestClient) -> None:
    content = b'--b\r\ncontent-disposition: form-data; name="prompt"\r\n\r\n\xff\xfe\r\n--b--\r\n'
    answer = client.post(EDIT, content=content, headers={"content-type": "multipart/form-data; boundary=b"})
    assert _error(answer)["param"] == "prompt"


@pytest.mark.parametrize("name", REFUSED)
def test_bad_files_are_refused(client: TestClient, name: str) -> None:
    data = REFUSED[name]()
    error = _error(_edit(client, ("image", data)))
    assert error["param"] == "image"
    assert error["code"] in ("invalid_image_file", "image_too_large")
    error = _error(client.post(GENERATE, json=_body(character_reference_image=uri(data))))
    assert error["param"] == "character_reference_image"


@pytest.mark.parametrize("name", TAKEN)
def test_odd_files_are_taken(client: TestClient, name: str) -> None:
    assert _edit(client, ("image", TAKEN[name]())).status_code == 200


def test_bad_addresses_are_refused(client: TestClient) -> None:
    with bad_server() as base:
        for url in (*(base + path for path in BAD), *PRIVATE):
            error = _error(client.post(GENERATE, json=_body(character_reference_image=url)))
            assert (error["param"], error["code"]) == ("character_reference_image", "invalid_image_url"), url
        good = client.post(GENERATE, json=_body(character_reference_image=f"{base}/picture.png"))
        assert good.status_code == 200


def test_what_the_rules_forbid_is_refused(client: TestClient) -> None:
    error = _error(client.post(GENERATE, json=_body(prompt="porn")))
    assert (error["code"], error["param"], error["category"]) == ("content_policy_violation", "prompt", "sexual")


def test_a_failure_says_why_and_hides_what_is_inside(client: TestClient) -> None:
    answer = client.post(GENERATE, json=_body(prompt="FAIL"))
    assert _error(answer)["message"] == "'prompt': the fake shall fail. Ask for something else."
    assert answer.headers["x-should-retry"] == "false"
    error = _error(client.post(GENERATE, json=_body(prompt="CRASH")), 500)
    assert error["type"] == "server_error"
    assert "secret" not in error["message"]


def test_variations_are_not_to_be_had(client: TestClient) -> None:
    error = _error(client.post("/v1/images/variations", files={"image": picture()}))
    assert error["code"] == "unsupported"
    assert "remix" in error["message"]


def test_models(client: TestClient) -> None:
    found = client.get("/v1/models").json()
    assert found["object"] == "list"
    assert [model["id"] for model in found["data"]] == ["portrayal", "ideogram-character"]
    for model in found["data"]:
        assert set(model) == {"id", "object", "created", "owned_by"}
        assert client.get(f"/v1/models/{model['id']}").json() == model
    assert _error(client.get("/v1/models/gpt-9"), 404)["code"] == "model_not_found"


def test_files_are_not_kept_for_this_format(client: TestClient) -> None:
    answer = client.post("/v1/files", files={"file": picture()}, data={"purpose": "vision"})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "file"


def test_the_same_idempotency_key_gives_the_same_pictures(client: TestClient) -> None:
    headers = {"idempotency-key": "once"}
    first, second = (client.post(GENERATE, json=_body(), headers=headers).json()["id"] for _ in range(2))
    assert first == second
    assert _error(client.post(GENERATE, json=_body(seed=9), headers=headers), 409)["code"] == "conflict"


def test_keys_are_asked_for_where_they_are_needed(client: TestClient, service: Service) -> None:
    row, key = service.keys.create("openai")
    reader, reading = service.keys.create("reader", scopes=("read",))
    service.keys.needed = True
    try:
        for headers in ({}, {"authorization": "Bearer sk-wrong"}):
            error = _error(client.post(GENERATE, json=_body(), headers=headers), 401)
            assert (error["code"], error["type"]) == ("invalid_api_key", "invalid_request_error")
        headers = {"authorization": f"Bearer {key}"}
        assert client.post(GENERATE, json=_body(), headers=headers).status_code == 200
        error = _error(client.post(GENERATE, json=_body(), headers={"authorization": f"Bearer {reading}"}), 403)
        assert error["code"] == "insufficient_permissions"
        service.keys.revoke(row.id)
        assert _error(client.post(GENERATE, json=_body(), headers=headers), 401)["code"] == "invalid_api_key"
    finally:
        service.keys.needed = False
        service.keys.revoke(reader.id)


def test_limits_of_a_key(client: TestClient, service: Service) -> None:
    _, key = service.keys.create("few", daily=1)
    headers = {"authorization": f"Bearer {key}"}
    answer = client.post(GENERATE, json=_body(n=2), headers=headers)
    assert (_error(answer, 429)["code"], answer.headers["retry-after"]) == ("insufficient_quota", "3600")
    _, key = service.keys.create("busy", max_in_flight=1)
    headers = {"authorization": f"Bearer {key}"}
    reference = uri(picture())
    slow = {"input": {"prompt": "SLOW", "character_reference_image": reference}}
    waiting = client.post("/v1/models/ideogram-ai/ideogram-character/predictions", json=slow, headers=headers).json()
    answer = client.post(GENERATE, json=_body(), headers=headers)
    assert (_error(answer, 429)["code"], answer.headers["retry-after"]) == ("rate_limit_exceeded", "2")
    client.post(waiting["urls"]["cancel"], headers=headers)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
_NAMES = sorted({name for values, *_ in BAD_INPUT for name in values} | {"input_fidelity", "safety_identifier"})
_SMALL = uri(picture(64, 64))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(values=st.dictionaries(st.sampled_from(_NAMES), _VALUES, min_size=1, max_size=3), form=st.booleans())
def test_nothing_that_is_sent_breaks_the_server(client: TestClient, values: dict[str, Any], form: bool) -> None:
    if form:
        texts = {name: json.dumps(value) for name, value in values.items() if name not in ("image", "mask")}
        answer = client.post(EDIT, data={"prompt": "x", **texts}, files={"image": picture(64, 64)})
    else:
        answer = client.post(GENERATE, content=json.dumps(_body(**{"character_reference_image": _SMALL, **values})))
    assert answer.status_code < 500, answer.text
    assert answer.status_code == 200 or set(answer.json()) == {"error"}
