"""Ideogram v1: every field and value, what reaches the job, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from unittest.mock import patch

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from portrayal.errors import PolicyError
from portrayal.service.envelope import Job
from portrayal.service.orders import Order
from portrayal.service.service import Service
from portrayal.sizes import RATIOS, RESOLUTIONS
from portrayal.styles.catalogue import PALETTES, STYLE_PRESETS
from tests.api.conftest import mask, picture, uri

V3 = "/v1/ideogram-v3"
GENERATE, INPAINT, EDIT, REMIX = f"{V3}/generate", f"{V3}/inpaint", f"{V3}/edit", f"{V3}/remix"
REFRAME, BACKGROUND = f"{V3}/reframe", f"{V3}/replace-background"
File = tuple[str, tuple[str, bytes, str]]


def png(name: str, data: bytes | None = None) -> File:
    """A file part."""
    return name, ("picture.png", picture() if data is None else data, "image/png")


REFERENCE = png("character_reference_images")
FILES: dict[str, list[File]] = {
    GENERATE: [REFERENCE],
    INPAINT: [REFERENCE, png("image"), png("mask", mask())],
    EDIT: [REFERENCE, png("image"), png("mask", mask())],
    REMIX: [REFERENCE, png("image")],
    REFRAME: [png("image")],
    BACKGROUND: [png("image")],
}
NEEDED: dict[str, dict[str, str]] = {REFRAME: {"resolution": "1536x512"}}


def call(client: TestClient, path: str, files: list[File] | None = None, **fields: Any) -> Response:
    """A good call of `path` with some fields changed; a list is sent as repeated parts, None is left out."""
    data: dict[str, Any] = {"prompt": "a portrait in a park"} if path != REFRAME else {}
    data |= NEEDED.get(path, {}) | fields
    data = {name: value for name, value in data.items() if value is not None}
    return client.post(path, data=data, files=FILES[path] if files is None else files)


def job_of(service: Service, answer: Response) -> Job:
    """The job that an answer is about."""
    assert answer.status_code == 200, answer.text
    return service.job(answer.headers["x-portrayal-id"])


def ordered(service: Service, ask: Callable[[], Response]) -> Order:
    """The order that a call puts in; no picture is made, as if the policy had refused it."""
    orders: list[Order] = []

    async def submit(order: Order, *_: Any) -> Job:
        orders.append(order)
        raise PolicyError("no", category="test")

    with patch.object(service, "submit", submit):
        answer = ask()
    assert answer.status_code == 422, answer.text
    return orders[0]


ALL = (GENERATE, INPAINT, EDIT, REMIX, REFRAME, BACKGROUND)
STYLED = (GENERATE, INPAINT, EDIT, REMIX)
COMMON: list[tuple[str, Any, str, Any]] = [
    ("seed", "0", "seed", 0),
    ("seed", "2147483647", "seed", 2_147_483_647),
    ("num_images", "1", "num_images", 1),
    ("rendering_speed", "FLASH", "speed", "turbo"),
    ("rendering_speed", "TURBO", "speed", "turbo"),
    ("rendering_speed", "DEFAULT", "speed", "balanced"),
    ("rendering_speed", "BALANCED", "speed", "balanced"),
    ("rendering_speed", "QUALITY", "speed", "quality"),
    ("rendering_speed", "quality", "speed", "quality"),
    ("rendering_speed", None, "speed", "balanced"),
    ("style_preset", "OIL_PAINTING", "style_preset", "OIL_PAINTING"),
    ("style_codes", ["0A1b2C3d", "ffffffff"], "style_codes", ("0a1b2c3d", "ffffffff")),
    ("color_palette", '{"name": "EMBER"}', "palette", ("ember",)),
]
MAGIC: list[tuple[str, Any, str, Any]] = [
    ("magic_prompt", "AUTO", "magic_prompt", "auto"),
    ("magic_prompt", "ON", "magic_prompt", "on"),
    ("magic_prompt", "OFF", "magic_prompt", "off"),
    ("magic_prompt", "true", "magic_prompt", "on"),
    ("magic_prompt", None, "magic_prompt", "auto"),
]
TYPES: list[tuple[str, Any, str, Any]] = [
    ("style_type", "AUTO", "style_type", "auto"),
    ("style_type", "GENERAL", "style_type", "auto"),
    ("style_type", "REALISTIC", "style_type", "realistic"),
    ("style_type", "FICTION", "style_type", "fiction"),
    ("style_type", "fiction", "style_type", "fiction"),
    ("style_type", None, "style_type", "auto"),
]
CASES = [
    *[(path, *case) for path in ALL for case in COMMON if case[1] != "FLASH" or path in (REFRAME, BACKGROUND)],
    *[(path, *case) for path in (*STYLED, BACKGROUND) for case in MAGIC if case[1] != "true"],
    *[(path, *case) for path in STYLED for case in TYPES],
    *[(path, "negative_prompt", "a hat", "negative_prompt", "a hat") for path in (GENERATE, REMIX)],
    (REMIX, "image_weight", "1", "strength", 0.01),
    (REMIX, "image_weight", "80", "strength", 0.8),
    (REMIX, "image_weight", "100", "strength", 1.0),
    (REMIX, "image_weight", None, "strength", 0.5),
    (GENERATE, "aspect_ratio", "16:9", "size", (1312, 736)),
    (GENERATE, "aspect_ratio", None, "size", (1024, 1024)),
    (REMIX, "aspect_ratio", "9x16", "size", (736, 1312)),
    (REMIX, "aspect_ratio", None, "size", (1024, 1024)),
    (REMIX, "resolution", "1344x704", "size", (1344, 704)),
    (REFRAME, "resolution", "512x1536", "size", (512, 1536)),
    (GENERATE, "magic_prompt", "true", "magic_prompt", "on"),
]


@pytest.mark.parametrize(("path", "field", "given", "attribute", "value"), CASES)
def test_a_field_reaches_the_job(
    client: TestClient, service: Service, path: str, field: str, given: Any, attribute: str, value: Any
) -> None:
    order = ordered(service, lambda: call(client, path, **{field: given}))
    assert getattr(order, attribute) == value
    assert order.operation == {GENERATE: "generate", REMIX: "remix", REFRAME: "reframe"}.get(path, order.operation)


def test_every_ratio_and_resolution(client: TestClient, service: Service) -> None:
    for name, size in RATIOS.items():
        assert ordered(service, lambda: call(client, GENERATE, aspect_ratio=name)).size == size  # noqa: B023
    for i, size in enumerate(RESOLUTIONS):
        path, text = (GENERATE, REMIX, REFRAME)[i % 3], "{}x{}".format(*size)
        assert ordered(service, lambda: call(client, path, resolution=text)).size == size  # noqa: B023
    answer = call(client, GENERATE, aspect_ratio="9x16")
    assert answer.json()["data"][0]["resolution"] == "736x1312"


def test_presets_and_palettes_are_taken_and_an_edit_keeps_its_look(client: TestClient, service: Service) -> None:
    for i, name in enumerate(STYLE_PRESETS):
        colours = PALETTES[i % len(PALETTES)]
        fields: dict[str, Any] = {"style_preset": name, "color_palette": json.dumps({"name": colours.upper()})}
        order = ordered(service, lambda: call(client, ALL[i % len(ALL)], **fields))  # noqa: B023
        assert (order.style_preset, order.palette) == (name, (colours,))
    asked: dict[str, Any] = {"style_preset": "AURA", "color_palette": '{"name": "EMBER"}'}
    assert "warnings" not in call(client, GENERATE, **asked).json()
    notes = call(client, INPAINT, **asked).json()["warnings"]
    assert {note.partition(":")[0] for note in notes} == {"style_preset", "color_palette"}


def test_colours_of_a_palette_the_heaviest_first(client: TestClient, service: Service) -> None:
    members = [{"color_hex": "#112233", "color_weight": 0.05}, {"color_hex": "AABBCC", "color_weight": 1}]
    text = json.dumps({"members": members})
    part = ("color_palette", ("palette.json", text.encode(), "application/json"))
    for answer in (call(client, GENERATE, color_palette=text), call(client, GENERATE, [REFERENCE, part])):
        assert job_of(service, answer).order.palette == ("#aabbcc:1", "#112233:0.05")


def test_the_answer_of_every_image_call(client: TestClient, service: Service) -> None:
    for path in ALL:
        answer = call(client, path, num_images="2", seed="7")
        job = job_of(service, answer)
        body = answer.json()
        assert set(body) == {"created", "data"}, path
        assert datetime.fromisoformat(body["created"]).utcoffset() is not None
        assert body["created"].endswith("Z")
        assert answer.headers["content-type"] == "application/json"
        assert [item["seed"] for item in body["data"]] == [7, 8]
        for item, made in zip(body["data"], job.pictures, strict=True):
            people = {"identity"} if path in STYLED else set()
            style = {"style_type"} if path in STYLED else set()
            assert set(item) == {"url", "prompt", "resolution", "is_image_safe", "seed"} | people | style, path
            assert item["is_image_safe"] is True
            assert item["prompt"] == ("" if path == REFRAME else "a portrait in a park")
            assert item["resolution"] == f"{made.width}x{made.height}"
            file = client.get(item["url"])
            assert (file.status_code, file.headers["content-type"]) == (200, "image/png")
            if path in STYLED:
                assert item["style_type"] == "AUTO"
                assert item["identity"]["same_person"] is True
                assert answer.headers["x-portrayal-identity-score"] == "0.8600"


def test_the_masks_reach_the_job_in_the_internal_form(client: TestClient, service: Service) -> None:
    # The same middle square: black on white, white on black, and its override.
    orders = [
        job_of(service, call(client, INPAINT)).order,
        job_of(
            service,
            call(
                client,
                INPAINT,
                [REFERENCE, png("image"), png("mask", mask(inside=255, outside=0))],
                mask_mode="white",
            ),
        ).order,
    ]
    assert orders[0].edit_mask == orders[1].edit_mask
    white = service.blobs.get(orders[0].edit_mask or "")
    drawn = [REFERENCE, png("character_reference_images_mask", mask(inside=255, outside=0))]
    assert service.blobs.get(job_of(service, call(client, GENERATE, drawn)).order.characters[0].mask or "") == white
    drawn = [REFERENCE, png("character_reference_images_mask", mask())]
    answer = call(client, GENERATE, drawn, character_mask_mode="black")
    assert service.blobs.get(job_of(service, answer).order.characters[0].mask or "") == white
    assert [source.role for source in job_of(service, answer).sources] == ["reference", "reference-mask"]


def test_style_references_reach_the_order_and_only_new_pictures_take_them(client: TestClient, service: Service) -> None:
    more = [png("style_reference_images", picture(colour=colour)) for colour in ("red", "green")]
    for path in ALL:
        answer = call(client, path, [*FILES[path], *more])
        assert len(job_of(service, answer).order.style_references) == 2, path
        new = job_of(service, answer).operation in ("generate", "remix")
        assert any("style references" in note for note in answer.json().get("warnings", ())) is not new, path


def test_an_edit_by_words_needs_no_character(client: TestClient, service: Service) -> None:
    files = FILES[INPAINT][1:]
    for style, known in ((None, "general"), ("DESIGN", "design"), ("GENERAL", "general"), ("AUTO", "auto")):
        answer = call(client, INPAINT, files, style_type=style, rendering_speed="FLASH")
        order = job_of(service, answer).order
        assert (order.operation, order.characters, order.speed, order.style_type) == ("edit", (), "turbo", known)
        assert answer.json()["data"][0]["style_type"] == known.upper()
        assert "identity" not in answer.json()["data"][0]


def test_without_a_seed_every_call_takes_another(client: TestClient) -> None:
    seeds = {call(client, GENERATE, resolution="512x1536").json()["data"][0]["seed"] for _ in range(4)}
    assert len(seeds) == 4


def test_a_json_body_and_addresses_in_the_place_of_files(client: TestClient, service: Service) -> None:
    body = {"prompt": "a portrait", "character_reference_images": [uri(picture())], "num_images": 2, "seed": 3}
    body |= {"color_palette": {"name": "JUNGLE"}, "magic_prompt": False, "style_codes": ["00000000"]}
    answer = client.post(GENERATE, json=body)
    order = job_of(service, answer).order
    assert (order.num_images, order.seed, order.palette, order.magic_prompt) == (2, 3, ("jungle",), "off")
    # A result of ours is a source by its address.
    url = answer.json()["data"][0]["url"]
    again = client.post(REMIX, data={"prompt": "at night", "image": url}, files=[REFERENCE])
    assert job_of(service, again).sources[0].picture == service.job(answer.headers["x-portrayal-id"]).pictures[0].id
    form = {"prompt": "été à Paris", "character_reference_images": uri(picture())}
    assert job_of(service, client.post(GENERATE, data=form)).order.prompt == "été à Paris"


def test_a_saved_character_by_its_name(client: TestClient, service: Service, sample: bytes) -> None:
    service.characters.add("Ada", sample, "main")
    answer = client.post(GENERATE, json={"prompt": "@Ada in a park"})
    order = job_of(service, answer).order
    assert [who.name for who in order.characters] == ["Ada"]
    unknown = client.post(GENERATE, json={"prompt": "@Nobody in a park"})
    assert unknown.status_code == 400
    assert set(unknown.json()) == {"error"}


def test_what_is_not_used_is_said(client: TestClient, service: Service) -> None:
    answer = call(client, INPAINT, negative_prompt="a hat", foo="1", enable_copyright_detection="true")
    notes = answer.json()["warnings"]
    assert [note.partition(":")[0] for note in notes] == ["enable_copyright_detection", "negative_prompt", "foo"]
    assert call(client, GENERATE, prompt="WARN in a park").json()["warnings"] == ["made by a fake"]


def test_remove_background(client: TestClient, service: Service) -> None:
    answer = client.post("/v1/remove-background", files=[png("image")])
    assert job_of(service, answer).operation == "remove-background"
    assert set(answer.json()) == {"created", "data"}
    assert {"url", "is_image_safe"} <= set(answer.json()["data"][0])


def test_upscale(client: TestClient, service: Service) -> None:
    wish = {"prompt": "sharp", "resemblance": 60, "detail": 40, "magic_prompt_option": "ON", "num_images": 2, "seed": 9}
    answer = client.post("/upscale", data={"image_request": json.dumps(wish)}, files=[png("image_file")])
    order = job_of(service, answer).order
    assert (order.operation, order.factor, order.num_images, order.seed) == ("upscale", 2, 2, 9)
    item = answer.json()["data"][0]
    assert set(item) == {
        "url",
        "prompt",
        "resolution",
        "upscaled_resolution",
        "is_image_safe",
        "seed",
        "style_type",
    }
    assert item["resolution"] == "256x256"
    assert [note.partition(":")[0] for note in answer.json()["warnings"]] == [
        f"image_request.{name}" for name in ("prompt", "resemblance", "detail", "magic_prompt_option")
    ]
    assert client.post("/upscale", data={"image_request": "{}"}, files=[png("image_file")]).status_code == 200


def test_describe(client: TestClient) -> None:
    for data in ({}, {"describe_model_version": "V_2"}, {"describe_model_version": "V_3"}):
        answer = client.post("/describe", data=data, files=[png("image_file")])
        assert answer.status_code == 200
        body = answer.json()
        assert set(body) == {"descriptions"}
        assert "turquoise" in body["descriptions"][0]["text"]
