"""What Ideogram's doors refuse, each in Ideogram's own form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portrayal.errors import PolicyError
from portrayal.service.service import Service
from portrayal.settings import Settings
from tests.api import test_ideogram as v1
from tests.api import test_ideogram_v2 as v2
from tests.api.bad_files import REFUSED, TAKEN
from tests.api.bad_urls import BAD, PRIVATE, bad_server
from tests.api.conftest import mask, picture, uri
from tests.api.test_ideogram import File, job_of, png

CALLS = {**v1.FILES, **v2.FILES}
PROMPTED = [path for path in CALLS if path not in (v1.REFRAME, v2.REFRAME, v2.CUT, v2.UPSCALE)]
PEOPLE = [v1.GENERATE, v1.INPAINT, v1.EDIT, v1.REMIX, *v2.PEOPLE]
EDITS = [v1.INPAINT, v1.EDIT, v2.INPAINT, v2.WORDS]
SIZED = [v1.GENERATE, v1.REMIX, v2.GENERATE, v2.REMIX]


@pytest.fixture(scope="module")
def settings_here(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Pictures may be fetched from loopback, for a second."""
    folder = tmp_path_factory.mktemp("server")
    return Settings(
        data_dir=folder / "data",
        cache_dir=folder / "cache",
        slots=2,
        shutdown_grace=1.0,
        fetch_private="127.0.0.1",
        fetch_timeout=1.0,
    )


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    """A web server of ill will."""
    with bad_server() as address:
        yield address


def call(client: TestClient, path: str, files: list[File] | None = None, **fields: Any) -> Response:
    """A good call of any path with some fields changed."""
    if path.startswith("/v2"):
        return v2.call(client, path, files, **fields)
    return v1.call(client, path, files, **fields)


def refused(answer: Response, field: str, status: int = 400) -> str:
    """The sentence of an answer that refuses, which begins with the field."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"}
    assert body["error"].startswith(f"{field}: "), body["error"]
    return str(body["error"])


def without(path: str, *names: str) -> list[File]:
    """The files of a call, but some."""
    return [part for part in CALLS[path] if part[0] not in names]


def changed(path: str, **files: bytes) -> list[File]:
    """The files of a call with others in their places."""
    return [png(name, files.get(name, part[1])) for name, part in CALLS[path]]


V1 = [path for path in CALLS if path.startswith("/v1")]
V2 = [path for path in CALLS if path.startswith("/v2")]
SPEEDY = [path for path in CALLS if path not in (v2.CUT, v2.UPSCALE)]
FIELDS: list[tuple[list[str], str, Any]] = [
    (SPEEDY, "num_images", "0"),
    (SPEEDY, "num_images", "9"),
    (SPEEDY, "num_images", "two"),
    (SPEEDY, "num_images", ["1", "2"]),
    ([p for p in CALLS if p != v2.CUT], "seed", "-1"),
    ([p for p in CALLS if p != v2.CUT], "seed", "2147483648"),
    ([p for p in CALLS if p != v2.CUT], "seed", "1.5"),
    (SPEEDY, "rendering_speed", "FAST"),
    (V2[:3], "rendering_speed", "flash"),
    (PEOPLE, "rendering_speed", "FLASH"),
    (PEOPLE, "magic_prompt", "MAYBE"),
    (PEOPLE, "style_type", "ANIME"),
    (PEOPLE, "style_type", "DESIGN"),
    (list(v2.PEOPLE), "style_type", "general"),
    (V1, "style_preset", "NOTHING"),
    (list(v2.PEOPLE), "style_preset", "AURA"),
    (list(v2.PEOPLE), "color_palette", '{"name": "EMBER"}'),
    ([v2.GENERATE, v2.REMIX], "style_codes", "0a1b2c3d"),
    (V1, "style_codes", "0a1b2c3"),
    (V1, "style_codes", "xyzxyzxy"),
    (V1, "color_palette", "no json"),
    (V1, "color_palette", "[1]"),
    (V1, "color_palette", '{"members": []}'),
    (V1, "color_palette.name", '{"name": "GREY"}'),
    (V1, "color_palette", '{"members": [{"color_hex": "red"}]}'),
    (V1, "color_palette", json.dumps({"members": [{"color_hex": "#000000"}] * 9})),
    (V1, "color_palette.color_weight", '{"members": [{"color_hex": "#000000", "color_weight": 0.01}]}'),
    (V1, "custom_model_uri", "model/x/version/1"),
    (SIZED, "aspect_ratio", "7x5"),
    (SIZED, "resolution", "1000x1000"),
    (SIZED, "resolution", "big"),
    ([v1.REFRAME, v2.REFRAME], "resolution", "1x1"),
    ([v1.REMIX, v2.REMIX], "image_weight", "0"),
    ([v1.REMIX, v2.REMIX], "image_weight", "101"),
    (EDITS, "mask_mode", "grey"),
    (PEOPLE, "character_mask_mode", "alpha"),
    (V2, "async", "soon"),
    (V2, "private", "maybe"),
    (PEOPLE, "enable_copyright_detection", "maybe"),
    ([v2.UPSCALE], "upscale_factor", "x8"),
    (PROMPTED, "prompt", "x" * 100_000),
    (PROMPTED, "prompt", " "),
    (PROMPTED, "prompt", None),
    ([v2.BACKGROUND], "prompt", "x" * 4001),
    (SIZED, "negative_prompt", "x" * 10_001),
]


@pytest.mark.parametrize(
    ("path", "field", "value"), [(path, field, value) for paths, field, value in FIELDS for path in paths]
)
def test_a_value_that_is_not_allowed(client: TestClient, path: str, field: str, value: Any) -> None:
    refused(call(client, path, **{field.partition(".")[0]: value}), field)


@pytest.mark.parametrize("path", CALLS)
def test_a_picture_that_is_missing(client: TestClient, path: str) -> None:
    for name, _ in CALLS[path]:
        if name == "character_reference_images" and path in (v1.INPAINT, v1.EDIT):
            continue  # an edit by words
        refused(call(client, path, without(path, name)), name)


def test_an_image_without_a_mask_and_the_reverse(client: TestClient) -> None:
    for path in EDITS:
        refused(call(client, path, without(path, "mask")), "mask")
        refused(call(client, path, without(path, "image")), "image")


@pytest.mark.parametrize("path", PEOPLE)
def test_one_character_only(client: TestClient, path: str) -> None:
    refused(call(client, path, [*CALLS[path], png("character_reference_images")]), "character_reference_images")
    name = "character_reference_mask" if path.startswith("/v2") else "character_reference_images_mask"
    drawn = png(name, mask(inside=255, outside=0))
    refused(call(client, path, [*CALLS[path], drawn, drawn]), name)
    refused(call(client, path, [*CALLS[path], png(name, mask(128, 128))]), name)
    refused(call(client, path, [*CALLS[path], png(name, mask(outside=0))]), name)  # nothing is white
    rest = without(path, "character_reference_images")
    field = name if path not in (v1.GENERATE, v1.REMIX, *v2.PEOPLE) else "character_reference_images"
    refused(call(client, path, [*rest, drawn]), field)


@pytest.mark.parametrize("path", EDITS)
def test_masks_that_do_not_fit(client: TestClient, path: str) -> None:
    for wrong, words in (
        (mask(128, 128), "128x128 px"),
        (mask(inside=255), "chooses nothing"),
        (mask(outside=0), "chooses everything"),
        (picture(), "a picture in colours"),
        (picture(mode="RGBA"), "chooses nothing|a picture in colours"),
    ):
        sentence = refused(call(client, path, changed(path, mask=wrong)), "mask")
        assert any(word in sentence for word in words.split("|")), sentence


@pytest.mark.parametrize("path", SIZED)
def test_both_a_ratio_and_a_resolution(client: TestClient, path: str) -> None:
    refused(call(client, path, aspect_ratio="1x1", resolution="1024x1024"), "aspect_ratio")
    refused(call(client, path, aspect_ratio="auto", resolution="1024x1024"), "aspect_ratio")


def test_style_codes_with_what_they_exclude(client: TestClient) -> None:
    style = png("style_reference_images")
    for path in (*V1, v2.INPAINT, v2.WORDS, v2.REFRAME):
        refused(call(client, path, [*CALLS[path], style], style_codes="0a1b2c3d"), "style_codes")
    for path in (v1.GENERATE, v1.INPAINT, v1.REMIX):
        refused(call(client, path, style_codes="0a1b2c3d", style_type="AUTO"), "style_codes")
    refused(call(client, v2.INPAINT, style_codes="0a1b2c3d", style_type="realistic"), "style_codes")
    refused(call(client, v1.GENERATE, [v1.REFERENCE, *[style] * 11]), "style_reference_images")
    refused(call(client, v2.GENERATE, style_reference_collection_id="c"), "style_reference_collection_id", 404)


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("path", [v1.GENERATE, v2.GENERATE])
def test_files_that_are_no_pictures(client: TestClient, path: str, name: str) -> None:
    field = "character_reference_images"
    refused(call(client, path, [png(field, REFUSED[name]())]), field)


@pytest.mark.parametrize("name", REFUSED)
def test_no_picture_to_describe(client: TestClient, name: str) -> None:
    refused(client.post("/describe", files=[png("image_file", REFUSED[name]())]), "image_file")
    refused(client.post(v2.DESCRIBE, files=[png("image", REFUSED[name]())]), "image")


@pytest.mark.parametrize("name", TAKEN)
def test_odd_pictures_that_are_taken(client: TestClient, service: Service, name: str) -> None:
    for path in (v1.GENERATE, v2.GENERATE):
        job_of(service, call(client, path, [png("character_reference_images", TAKEN[name]())]))


def test_addresses_that_are_not_followed(client: TestClient, web: str, service: Service) -> None:
    field = "character_reference_images"
    for address in [*(web + path for path in BAD), *PRIVATE]:
        body = {"prompt": "a portrait", field: [address]}
        sentence = refused(client.post(v1.GENERATE, json=body), field)
        assert "latest" not in sentence, "no path of an address is told"
        refused(client.post(f"{v2.GENERATE}?dry_run=true", json=body), field)
    job_of(service, client.post(v1.GENERATE, json={"prompt": "a portrait", field: f"{web}/picture.png"}))


def test_webhooks_that_are_not_called(client: TestClient) -> None:
    for url in (
        "http://127.0.0.1/hook",
        "https://10.0.0.1/hook",
        "https://169.254.169.254/x",
        "ftp://example.com",
        "nonsense",
        "https://example.com/" + "x" * 2048,
        7,
    ):
        body = {"prompt": "a portrait", "character_reference_images": uri(picture()), "webhook_url": url}
        refused(client.post(v2.GENERATE, json=body), "webhook_url")
        refused(client.post(f"{v2.GENERATE}?dry_run=true", json=body), "webhook_url")


def test_bodies_that_cannot_be_read(client: TestClient) -> None:
    for path in (v1.GENERATE, v2.GENERATE):
        for body, kind in (
            (b"{", "application/json"),
            (b"[1]", "application/json"),
            (b"\xff", "application/json"),
            (b"[" * 100_000, "application/json"),
            (b"hello", "text/plain"),
            (b"", ""),
            (b"no parts", "multipart/form-data; boundary=b"),
            (b"no parts", "multipart/form-data"),
        ):
            answer = client.post(path, content=body, headers={"content-type": kind})
            assert answer.status_code == 400, (body[:10], kind)
            assert set(answer.json()) == {"error"}


def test_prompts_that_are_no_text(client: TestClient) -> None:
    part = b'--b\r\ncontent-disposition: form-data; name="prompt"\r\n\r\nin a caf\xe9\r\n--b--\r\n'
    for path in (v1.GENERATE, v2.GENERATE):
        answer = client.post(path, content=part, headers={"content-type": "multipart/form-data; boundary=b"})
        refused(answer, "prompt")
        body = b'{"prompt": "\\ud800", "character_reference_images": "data:,"}'
        refused(client.post(path, content=body, headers={"content-type": "application/json"}), "prompt")
        form = {"content-type": "application/x-www-form-urlencoded"}
        refused(client.post(path, content=b"prompt=in+a+caf%E9", headers=form), "body")


def test_a_wish_to_upscale_that_is_wrong(client: TestClient) -> None:
    def asked(wish: Any) -> Response:
        text = wish if isinstance(wish, str) else json.dumps(wish)
        return client.post("/upscale", data={"image_request": text}, files=[png("image_file")])

    refused(asked("nonsense"), "image_request")
    refused(asked([1, 2]), "image_request")
    refused(asked(7), "image_request")
    refused(asked({"num_images": 9}), "num_images")
    refused(asked({"seed": -1}), "seed")
    refused(asked({"resemblance": 0}), "image_request.resemblance")
    refused(asked({"detail": 101}), "image_request.detail")
    refused(asked({"magic_prompt_option": "x"}), "image_request.magic_prompt_option")
    refused(client.post("/upscale", data={"image_request": "{}"}), "image_file")


def test_what_cannot_be_described(client: TestClient) -> None:
    refused(client.post("/describe", data={"x": "1"}), "image_file")
    refused(
        client.post("/describe", data={"describe_model_version": "V_9"}, files=[png("image_file")]),
        "describe_model_version",
    )
    refused(client.post("/describe", files=[png("image_file", picture(8, 8))]), "image_file")
    refused(client.post(v2.DESCRIBE, json={}), "image")


def test_a_picture_too_long_for_another_background(client: TestClient) -> None:
    refused(call(client, v2.BACKGROUND, [png("image", picture(400, 100))]), "image")


@pytest.mark.parametrize("path", [path for path in PROMPTED if path != v2.BACKGROUND])
def test_the_policy_refuses_as_the_host_does(client: TestClient, path: str) -> None:
    refused(call(client, path, prompt="the person completely nude"), "prompt", 422)


def test_the_policy_refuses_asynchronous_calls_at_once(client: TestClient) -> None:
    refused(call(client, v2.GENERATE, prompt="the person completely nude", **v2.ASYNC), "prompt", 422)
    # A quote is no review.
    assert v2.call(client, v2.GENERATE, query="?dry_run=1", prompt="the person completely nude").status_code == 200


def test_jobs_that_fail(client: TestClient) -> None:
    for path in (v1.GENERATE, v2.GENERATE):
        assert refused(call(client, path, prompt="FAIL in a park"), "prompt")
        crashed = call(client, path, prompt="CRASH in a park")
        assert crashed.status_code == 500
        assert set(crashed.json()) == {"error"}
        assert "secret" not in crashed.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = """
prompt negative_prompt seed num_images aspect_ratio resolution rendering_speed magic_prompt style_type
style_preset style_codes style_reference_images color_palette image image_weight mask mask_mode async private
webhook_url character_reference_images character_reference_images_mask character_reference_mask
character_reference_asset_identifiers character_reference_collection_id image_asset_identifier image_file
style_reference_asset_identifiers upscale_factor image_request character_mask_mode custom_model_uri
"""
EVERYWHERE = [*CALLS, "/describe", "/upscale", "/v1/remove-background", v2.DESCRIBE]


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(EVERYWHERE), body=st.dictionaries(st.sampled_from(NAMES.split()), JSON, max_size=6))
def test_whatever_is_sent_it_is_the_callers_fault(
    client: TestClient, service: Service, path: str, body: dict[str, Any]
) -> None:
    async def submit(*_: Any) -> None:  # no picture is made of what is good
        raise PolicyError("no", category="test")

    good = {"prompt": "a portrait", "num_images": 1, "character_reference_images": [uri(picture(64, 64))]}
    for sent in (body, good | body):
        with patch.object(service, "submit", submit):
            answer = client.post(path, content=json.dumps(sent).encode(), headers={"content-type": "application/json"})
        assert answer.status_code in (400, 404, 422), (path, sent, answer.text)
        assert set(answer.json()) == {"error"}
        assert isinstance(answer.json()["error"], str)
