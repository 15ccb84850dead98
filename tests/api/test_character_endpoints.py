"""The input that fal and ModelRunner have in common, through both doors: every field and value, and bad input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portrayal.api.app import create_app
from portrayal.api.dialects import NOTIFIERS
from portrayal.request import MAX_SEED
from portrayal.service.orders import Order
from portrayal.service.service import Service
from portrayal.settings import Settings
from portrayal.sizes import PRESETS
from tests.api.bad_files import REFUSED, TAKEN
from tests.api.bad_urls import BAD, PRIVATE, bad_server
from tests.api.conftest import BASE, mask, picture, uri
from tests.fake import maker

GENERATE, EDIT, REMIX = "", "/edit", "/remix"


@dataclass(frozen=True)
class Door:
    """One of the two hosts: where its endpoints are, and how it says that an input is wrong."""

    path: str
    submitted: int
    refused: int

    def field(self, answer: Any) -> str:
        """The field that a refusal names."""
        body = answer.json()
        if self.refused == 422:
            (detail,) = body["detail"]
            assert {"loc", "msg", "type", "url"} <= set(detail)
            assert detail["loc"][0] == "body"
            assert answer.headers["x-fal-retryable"] == "false"
            return ".".join(detail["loc"][1:])
        (issue,) = body["error"]
        assert body["details"] == {"code": "VALIDATION_ERROR", "validationErrors": [issue]}
        assert body["request_id"] == answer.headers["x-modelrunner-request-id"]
        return ".".join(issue["path"])


FAL = Door("/queue/fal-ai/ideogram/character", 200, 422)
MODELRUNNER = Door("/ideogram/character", 201, 400)


@pytest.fixture(scope="module")
def settings_here(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("character")
    return Settings(
        data_dir=folder / "data",
        cache_dir=folder / "cache",
        slots=2,
        shutdown_grace=1,
        fetch_private="127.0.0.1",
        fetch_timeout=1,
        max_queued=10_000,
    )


@pytest.fixture(scope="module")
def client(settings_here: Settings) -> Iterator[TestClient]:
    """An application that takes orders and makes nothing: orders are what is looked at here."""

    def make() -> Service:
        return Service(settings_here, work=False, maker=maker, notifiers=NOTIFIERS)

    with TestClient(create_app(make), base_url=BASE) as client:
        yield client


@pytest.fixture(params=[FAL, MODELRUNNER], ids=["fal", "modelrunner"])
def door(request: pytest.FixtureRequest) -> Door:
    found = request.param
    assert isinstance(found, Door)
    return found


def _body(endpoint: str = GENERATE, **given: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"prompt": "in a park", "reference_image_urls": [uri(picture())]}
    if endpoint != GENERATE:
        values["image_url"] = uri(picture(colour="olive"))
    if endpoint == EDIT:
        values["mask_url"] = uri(mask())
    values |= given
    return {name: value for name, value in values.items() if value is not ...}


def _order(client: TestClient, service: Service, door: Door, endpoint: str = GENERATE, **given: Any) -> Order:
    answer = client.post(door.path + endpoint, json=_body(endpoint, **given))
    assert answer.status_code == door.submitted, answer.text
    return service.job(answer.json()["request_id"]).order


def _notes(service: Service, answer: Any) -> list[str]:
    notes = service.job(answer.json()["request_id"]).wire["notes"]
    assert isinstance(notes, list)
    return notes


PALETTE = {"members": [{"rgb": {"r": 1, "g": 2, "b": 3}}, {"rgb": {"r": 255, "g": 0, "b": 16}, "color_weight": 0.9}]}


@pytest.mark.parametrize(
    ("endpoint", "given", "field", "expected"),
    [
        (GENERATE, {}, "operation", "generate"),
        (EDIT, {}, "operation", "edit"),
        (REMIX, {}, "operation", "remix"),
        (GENERATE, {"prompt": "Ünïcode 猫"}, "prompt", "Ünïcode 猫"),
        *[
            (endpoint, {"rendering_speed": value}, "speed", speed)
            for endpoint in (GENERATE, EDIT, REMIX)
            for value, speed in (("TURBO", "turbo"), ("BALANCED", "balanced"), ("QUALITY", "quality"))
        ],
        (GENERATE, {"rendering_speed": "turbo"}, "speed", "turbo"),
        (GENERATE, {"rendering_speed": "Default"}, "speed", "balanced"),
        (GENERATE, {}, "speed", "balanced"),
        *[
            (endpoint, {"style": value}, "style_type", value.lower())
            for endpoint in (GENERATE, EDIT, REMIX)
            for value in ("AUTO", "REALISTIC", "FICTION")
        ],
        (GENERATE, {}, "style_type", "auto"),
        *[(e, {"image_size": name}, "size", size) for e in (GENERATE, REMIX) for name, size in PRESETS.items()],
        (GENERATE, {}, "size", (1024, 1024)),
        (REMIX, {}, "size", (1024, 1024)),
        (EDIT, {"image_size": "square"}, "size", None),
        (GENERATE, {"image_size": {"width": 1280, "height": 800}}, "size", (1280, 800)),
        (GENERATE, {"image_size": {"width": 512}}, "size", (512, 512)),
        (GENERATE, {"image_size": {"width": 3000, "height": 1000}}, "size", (1536, 512)),
        *[(GENERATE, {"num_images": n}, "num_images", n) for n in range(1, 9)],
        (GENERATE, {"num_images": "2"}, "num_images", 2),
        (EDIT, {"num_images": 2}, "num_images", 2),
        (REMIX, {"num_images": 2}, "num_images", 2),
        (GENERATE, {}, "num_images", 1),
        *[(GENERATE, {"seed": seed}, "seed", seed) for seed in (0, 7, MAX_SEED)],
        (GENERATE, {}, "seed", None),
        (GENERATE, {"seed": None}, "seed", None),
        (GENERATE, {}, "magic_prompt", "auto"),
        (GENERATE, {"expand_prompt": True}, "magic_prompt", "on"),
        (GENERATE, {"expand_prompt": False}, "magic_prompt", "off"),
        *[(endpoint, {"negative_prompt": "hat"}, "negative_prompt", "hat") for endpoint in (GENERATE, EDIT, REMIX)],
        (GENERATE, {}, "negative_prompt", ""),
        (REMIX, {}, "strength", 0.8),
        *[(REMIX, {"strength": s}, "strength", e) for s, e in ((0, 0), (0.35, 0.35), (1, 1), (1.5, 1), (-1, 0))],
        *[
            (GENERATE, {"color_palette": {"name": name}}, "palette", (name.lower(),))
            for name in ("EMBER", "FRESH", "JUNGLE", "MAGIC", "MELON", "MOSAIC", "PASTEL", "ULTRAMARINE")
        ],
        (GENERATE, {"color_palette": PALETTE}, "palette", ("#ff0010:0.9", "#010203:0.5")),
        (GENERATE, {"style_codes": ["A1B2C3D4", "00000000"]}, "style_codes", ("a1b2c3d4", "00000000")),
        (GENERATE, {"style_codes": ["a1b2c3d4"], "style": "AUTO"}, "style_codes", ("a1b2c3d4",)),
    ],
)
def test_each_field_reaches_the_order(
    client: TestClient, service: Service, door: Door, endpoint: str, given: dict[str, Any], field: str, expected: Any
) -> None:
    assert getattr(_order(client, service, door, endpoint, **given), field) == expected


def test_pictures_reach_the_order(client: TestClient, service: Service, door: Door) -> None:
    styles = [uri(picture(colour=colour)) for colour in ("red", "blue")]
    white = uri(mask(inside=255, outside=0))
    order = _order(client, service, door, REMIX, image_urls=styles, reference_mask_urls=[white])
    assert len(order.style_references) == 2
    assert order.image is not None
    (who,) = order.characters
    assert who.mask is not None
    black = _order(
        client, service, door, REMIX, reference_mask_urls=[uri(mask())], character_mask_mode="black"
    ).characters[0]
    assert black.mask == who.mask


def test_black_is_repainted_unless_the_mask_mode_says_otherwise(
    client: TestClient, service: Service, door: Door
) -> None:
    def repainted(**given: Any) -> bytes:
        order = _order(client, service, door, EDIT, **given)
        assert order.mask_mode == "white"
        return service.blobs.get(order.edit_mask or "")

    assert repainted() == repainted(mask_url=uri(mask(inside=255, outside=0)), mask_mode="white")
    assert repainted() != repainted(mask_mode="white")
    answer = client.post(door.path + EDIT, json=_body(EDIT, mask_mode="alpha"))
    assert door.field(answer) == "mask_url"  # that mask has no transparency


def test_what_has_no_effect_is_said(client: TestClient, service: Service, door: Door) -> None:
    def notes(endpoint: str = GENERATE, **given: Any) -> list[str]:
        answer = client.post(door.path + endpoint, json=_body(endpoint, **given))
        assert answer.status_code == door.submitted, answer.text
        return _notes(service, answer)

    two = [uri(picture()), uri(picture(colour="red"))]
    assert notes() == []
    assert notes(reference_image_urls=two) == ["reference_image_urls: only the first of 2 was used"]
    assert notes(image_size={"width": 3000, "height": 1000})[0].startswith("image_size: 3000x1000 is not made")
    assert notes(REMIX, strength=1.5) == ["strength: 1.5 was taken as 1"]
    assert notes(guidance=7) == ["guidance: this endpoint has no such field; it was ignored"]
    assert notes(image_url=uri(picture()))[0].startswith("image_url: ")


BAD_INPUT: list[tuple[str, dict[str, Any], str]] = [
    (GENERATE, {"prompt": ...}, "prompt"),
    (GENERATE, {"prompt": " "}, "prompt"),
    (GENERATE, {"prompt": "x" * 100_000}, "prompt"),
    (GENERATE, {"prompt": "a\ufffdb"}, "prompt"),
    (GENERATE, {"prompt": 5}, "prompt"),
    (GENERATE, {"prompt": "@nobody in a park", "reference_image_urls": ...}, "prompt"),
    (GENERATE, {"negative_prompt": ["x"]}, "negative_prompt"),
    (GENERATE, {"reference_image_urls": ...}, "reference_image_urls"),
    (GENERATE, {"reference_image_urls": []}, "reference_image_urls"),
    (GENERATE, {"reference_image_urls": [5]}, "reference_image_urls"),
    (GENERATE, {"reference_mask_urls": [uri(mask(128, 128))]}, "reference_mask_urls"),
    (GENERATE, {"reference_image_urls": [], "reference_mask_urls": [uri(mask())]}, "reference_image_urls"),
    (GENERATE, {"rendering_speed": "WARP"}, "rendering_speed"),
    (GENERATE, {"style": "ANIME"}, "style"),
    (GENERATE, {"image_size": "huge"}, "image_size"),
    (GENERATE, {"image_size": {"width": 0, "height": 512}}, "image_size.width"),
    (GENERATE, {"image_size": {"width": 512, "height": 20000}}, "image_size.height"),
    (GENERATE, {"num_images": 0}, "num_images"),
    (GENERATE, {"num_images": 9}, "num_images"),
    (GENERATE, {"num_images": "two"}, "num_images"),
    (GENERATE, {"seed": -1}, "seed"),
    (GENERATE, {"seed": MAX_SEED + 1}, "seed"),
    (GENERATE, {"seed": 1.5}, "seed"),
    (GENERATE, {"expand_prompt": "perhaps"}, "expand_prompt"),
    (GENERATE, {"style_codes": ["a1b2c3d4"], "image_urls": [uri(picture())]}, "style_codes"),
    (GENERATE, {"style_codes": ["a1b2c3d4"], "style": "REALISTIC"}, "style_codes"),
    (GENERATE, {"style_codes": ["xyz"]}, "style_codes"),
    (GENERATE, {"style_codes": ["a1b2c3d4"] * 11}, "style_codes"),
    (GENERATE, {"image_urls": [uri(picture())] * 11}, "image_urls"),
    (GENERATE, {"color_palette": {"name": "GREY"}}, "color_palette.name"),
    (GENERATE, {"color_palette": {"members": []}}, "color_palette"),
    (GENERATE, {"character_mask_mode": "alpha"}, "character_mask_mode"),
    (EDIT, {"mask_url": ...}, "mask_url"),
    (EDIT, {"image_url": ...}, "image_url"),
    (EDIT, {"mask_url": uri(mask(128, 128))}, "mask_url"),
    (EDIT, {"mask_url": uri(mask(inside=255))}, "mask_url"),
    (EDIT, {"mask_mode": "grey"}, "mask_mode"),
    (REMIX, {"image_url": ...}, "image_url"),
    (REMIX, {"strength": "much"}, "strength"),
]


@pytest.mark.parametrize(("endpoint", "given", "field"), BAD_INPUT)
def test_bad_input_is_refused_and_the_field_is_named(
    client: TestClient, door: Door, endpoint: str, given: dict[str, Any], field: str
) -> None:
    answer = client.post(door.path + endpoint, json=_body(endpoint, **given))
    assert answer.status_code == door.refused, answer.text
    assert door.field(answer) == field


@pytest.mark.parametrize("name", REFUSED)
def test_bad_files_are_refused(client: TestClient, door: Door, name: str) -> None:
    answer = client.post(door.path, json=_body(reference_image_urls=[uri(REFUSED[name]())]))
    assert answer.status_code == door.refused, answer.text
    assert door.field(answer) == "reference_image_urls"


@pytest.mark.parametrize("name", TAKEN)
def test_odd_files_are_taken(client: TestClient, door: Door, name: str) -> None:
    answer = client.post(door.path, json=_body(reference_image_urls=[uri(TAKEN[name]())]))
    assert answer.status_code == door.submitted, answer.text


def test_bad_addresses_are_refused(client: TestClient, door: Door) -> None:
    with bad_server() as base:
        for url in (*(base + path for path in BAD), *PRIVATE):
            answer = client.post(door.path, json=_body(reference_image_urls=[url]))
            assert answer.status_code == door.refused, (url, answer.text)
            assert door.field(answer) == "reference_image_urls"
        answer = client.post(door.path, json=_body(reference_image_urls=[f"{base}/picture.png"]))
        assert answer.status_code == door.submitted


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"prompt": "\xff"}', b"[" * 5000])
def test_a_body_that_is_no_input_is_refused(client: TestClient, door: Door, body: bytes) -> None:
    answer = client.post(door.path, content=body)
    assert answer.status_code == door.refused
    assert door.field(answer) == ""


def test_a_lone_surrogate_is_no_text(client: TestClient, door: Door) -> None:
    body = json.dumps(_body(prompt="a\ud800b"))
    assert door.field(client.post(door.path, content=body)) == "prompt"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
_NAMES = [*_body(EDIT), "rendering_speed", "style", "expand_prompt", "num_images", "image_size", "seed", "strength"]
_NAMES += ["negative_prompt", "image_urls", "reference_mask_urls", "style_codes", "color_palette", "sync_mode"]
_NAMES += ["mask_mode", "character_mask_mode", "metadata", "webhook", "webhook_events_filter", "other"]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    chosen=st.sampled_from([FAL, MODELRUNNER]),
    endpoint=st.sampled_from([GENERATE, EDIT, REMIX]),
    values=st.dictionaries(st.sampled_from(_NAMES), _VALUES, min_size=1, max_size=4),
)
def test_nothing_that_is_sent_breaks_the_server(
    client: TestClient, chosen: Door, endpoint: str, values: dict[str, Any]
) -> None:
    answer = client.post(chosen.path + endpoint, content=json.dumps(_body(endpoint, **values)))
    assert answer.status_code in (chosen.submitted, chosen.refused), answer.text
    if answer.status_code == chosen.refused:
        chosen.field(answer)
