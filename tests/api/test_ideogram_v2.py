"""Ideogram v2: every field and value, quotes, asynchronous calls, polling and webhooks."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from portrayal.api.dialects import NOTIFIERS
from portrayal.service.service import Service
from portrayal.service.webhooks import Webhook
from portrayal.settings import Settings
from portrayal.sizes import RATIOS, RESOLUTIONS
from tests.api.conftest import mask, picture, uri
from tests.api.test_ideogram import File, job_of, ordered, png

IMAGE = "/v2/image"
GENERATE, INPAINT, REMIX = (f"{IMAGE}/{task}/ideogram-3-character" for task in ("generate", "inpaint", "remix"))
WORDS, REFRAME = f"{IMAGE}/inpaint/ideogram-3", f"{IMAGE}/reframe/ideogram-3"
BACKGROUND, CUT = f"{IMAGE}/replace-background/ideogram-3", f"{IMAGE}/remove-background/ideogram-1"
UPSCALE, DESCRIBE = f"{IMAGE}/upscale/auto", f"{IMAGE}/describe/ideogram-3"
REFERENCE = png("character_reference_images")
FILES: dict[str, list[File]] = {
    GENERATE: [REFERENCE],
    INPAINT: [REFERENCE, png("image"), png("mask", mask())],
    REMIX: [REFERENCE, png("image")],
    WORDS: [png("image"), png("mask", mask())],
    REFRAME: [png("image")],
    BACKGROUND: [png("image")],
    CUT: [png("image")],
    UPSCALE: [png("image")],
}
ASYNC: dict[str, Any] = {"async": "true"}
PROMPT = "a portrait in a park"
NEEDED: dict[str, dict[str, str]] = {
    **{path: {"prompt": PROMPT} for path in (GENERATE, INPAINT, REMIX, WORDS, BACKGROUND)},
    REFRAME: {"resolution": "1536x512"},
}
BILLING = {
    GENERATE: "ideogram_v3_character_generation",
    INPAINT: "ideogram_v3_character_inpaint",
    REMIX: "ideogram_v3_character_generation",
}


def call(client: TestClient, path: str, files: list[File] | None = None, query: str = "", **fields: Any) -> Response:
    """A good call of `path` with some fields changed; a list is sent as repeated parts, None is left out."""
    data = {name: value for name, value in (NEEDED.get(path, {}) | fields).items() if value is not None}
    return client.post(path + query, data=data, files=FILES[path] if files is None else files)


@pytest.fixture(scope="module")
def settings_here(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Webhooks may go to loopback."""
    folder = tmp_path_factory.mktemp("server")
    return Settings(
        data_dir=folder / "data", cache_dir=folder / "cache", slots=2, shutdown_grace=1.0, fetch_private="127.0.0.1"
    )


PEOPLE = (GENERATE, INPAINT, REMIX)
COMMON: list[tuple[str, Any, str, Any]] = [
    ("seed", "0", "seed", 0),
    ("seed", "2147483647", "seed", 2_147_483_647),
    ("num_images", "2", "num_images", 2),
    ("rendering_speed", "turbo", "speed", "turbo"),
    ("rendering_speed", "default", "speed", "balanced"),
    ("rendering_speed", "QUALITY", "speed", "quality"),
    ("rendering_speed", None, "speed", "balanced"),
    ("magic_prompt", "auto", "magic_prompt", "auto"),
    ("magic_prompt", "on", "magic_prompt", "on"),
    ("magic_prompt", "off", "magic_prompt", "off"),
    ("style_type", "auto", "style_type", "auto"),
    ("style_type", "realistic", "style_type", "realistic"),
    ("style_type", "fiction", "style_type", "fiction"),
    ("style_type", None, "style_type", "auto"),
]
CASES = [
    *[(path, *case) for path in PEOPLE for case in COMMON],
    *[(path, "negative_prompt", "a hat", "negative_prompt", "a hat") for path in (GENERATE, REMIX)],
    (INPAINT, "style_codes", ["0A1b2C3d", "ffffffff"], "style_codes", ("0a1b2c3d", "ffffffff")),
    (GENERATE, "aspect_ratio", None, "size", (1024, 1024)),
    (GENERATE, "aspect_ratio", "auto", "size", (1024, 1024)),
    (GENERATE, "aspect_ratio", "16x9", "size", (1312, 736)),
    (GENERATE, "resolution", "512x1536", "size", (512, 1536)),
    (REMIX, "aspect_ratio", None, "size", None),
    (REMIX, "aspect_ratio", "2x3", "size", (832, 1248)),
    (REMIX, "resolution", "1344x704", "size", (1344, 704)),
    (REMIX, "image_weight", "1", "strength", 0.01),
    (REMIX, "image_weight", "100", "strength", 1.0),
    (REMIX, "image_weight", None, "strength", 0.5),
    (WORDS, "style_preset", "oil_painting", "style_preset", "OIL_PAINTING"),
    (WORDS, "style_type", "design", "style_type", "design"),
    (WORDS, "style_codes", "0a1b2c3d", "style_codes", ("0a1b2c3d",)),
    (REFRAME, "resolution", "512x1536", "size", (512, 1536)),
    (REFRAME, "style_preset", "aura", "style_preset", "AURA"),
    (REFRAME, "color_palette", '{"name": "ember"}', "palette", ("ember",)),
    (REFRAME, "rendering_speed", "quality", "speed", "quality"),
    (BACKGROUND, "rendering_speed", "turbo", "speed", "turbo"),
    (BACKGROUND, "num_images", "2", "num_images", 2),
    (UPSCALE, "upscale_factor", None, "factor", 2),
    (UPSCALE, "upscale_factor", "x2", "factor", 2),
    (UPSCALE, "upscale_factor", "x4", "factor", 4),
]


@pytest.mark.parametrize(("path", "field", "given", "attribute", "value"), CASES)
def test_a_field_reaches_the_job(
    client: TestClient, service: Service, path: str, field: str, given: Any, attribute: str, value: Any
) -> None:
    order = ordered(service, lambda: call(client, path, **{field: given}))
    assert getattr(order, attribute) == value


def test_every_ratio_and_resolution(client: TestClient) -> None:
    """Through price quotes, which check everything and make nothing."""
    for name in RATIOS:
        assert call(client, GENERATE, query="?dry_run=true", aspect_ratio=name).status_code == 200, name
    for width, height in RESOLUTIONS:
        answer = call(client, GENERATE, query="?dry_run=true", resolution=f"{width}x{height}")
        assert answer.status_code == 200, (width, height)
    assert call(client, REMIX, query="?dry_run=true", aspect_ratio="auto").status_code == 400


@pytest.mark.parametrize("path", [path for path in FILES if path != BACKGROUND])
def test_the_synchronous_answer(client: TestClient, service: Service, path: str) -> None:
    answer = call(client, path, seed="7")
    job = job_of(service, answer)
    body = answer.json()
    assert set(body) - {"warnings"} == {"generation_id", "generation_kind", "seed", "data"}
    assert "warnings" in body if path == CUT else "warnings" not in body  # it has no seed
    assert body["generation_id"] == job.id
    assert (body["seed"] == 7) is (path != CUT)
    (item,) = body["data"]
    expected = {"url", "prompt", "resolution", "is_image_safe", "seed"}
    expected |= {"identity"} if path in PEOPLE else set()
    expected |= {"width", "height"} if path in (INPAINT, WORDS, CUT, UPSCALE) else set()
    assert set(item) == expected
    assert item["is_image_safe"] is True
    assert client.get(item["url"]).headers["content-type"] == "image/png"


@pytest.mark.parametrize("path", FILES)
def test_the_asynchronous_answer_and_the_poll(client: TestClient, service: Service, path: str) -> None:
    answer = call(client, path, **ASYNC)
    body = answer.json()
    assert set(body) - {"warnings"} == {"generation_id", "generation_kind", "seed"}
    done = asyncio.run(service.wait(body["generation_id"], 20))
    assert done.state == "succeeded"
    assert done.seed == body["seed"]
    poll = client.get(f"/v2/generations/{body['generation_id']}")
    assert poll.status_code == 200
    found = poll.json()
    assert set(found) - {"warnings"} == {"generation_id", "status", "created", "response_type", "data"}
    assert (found["status"], found["response_type"]) == ("completed", "url")
    (item,) = found["data"]
    assert item["object_type"] == "image.generation"
    assert item["asset_id"] == done.pictures[0].id
    assert client.get(item["url"]).status_code == 200


def test_polling_a_pending_a_failed_and_a_canceled_generation(client: TestClient, service: Service) -> None:
    def begun(prompt: str) -> str:
        answer = client.post(GENERATE, data={"prompt": prompt, "async": "1"}, files=[REFERENCE])
        return str(answer.json()["generation_id"])

    slow = begun("SLOW in a park")
    found = client.get(f"/v2/generations/{slow}").json()
    assert set(found) == {"generation_id", "status", "created"}
    assert found["status"] == "pending"
    from portrayal.service.keys import Caller

    service.cancel(slow, Caller())
    asyncio.run(service.wait(slow, 20))
    found = client.get(f"/v2/generations/{slow}").json()
    assert (found["status"], found["failure_reason"]) == ("failed", "canceled")
    for prompt, reason in (("FAIL in a park", "invalid_request"), ("CRASH in a park", "internal")):
        failed = begun(prompt)
        asyncio.run(service.wait(failed, 20))
        found = client.get(f"/v2/generations/{failed}").json()
        assert set(found) == {"generation_id", "status", "created", "failure_reason", "error"}
        assert (found["status"], found["failure_reason"]) == ("failed", reason)
        assert "secret" not in found["error"]


def test_generations_of_other_doors_and_libraries_are_unknown(client: TestClient) -> None:
    made = client.post("/api/v1/portrayals/generate", json={"prompt": PROMPT, "reference": uri(picture()), "wait": 20})
    for name in (made.json()["id"], "nothing", "%00", "0" * 26, "0" * 5000):
        answer = client.get(f"/v2/generations/{name}")
        assert answer.status_code == 404
        assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("path", [GENERATE, INPAINT, REMIX])
def test_a_quote_costs_and_keeps_nothing(client: TestClient, service: Service, path: str) -> None:
    before = _stored(service)
    answer = call(client, path, query="?dry_run=true", num_images="3", character_mask_mode="black")
    assert answer.status_code == 200
    assert answer.json() == {
        "object": "price_quote",
        "billing_identifier": BILLING[path],
        "quantity": 3,
        "usd_micros": 0,
        "credit_millis": 0,
        "qualifier": "exact",
    }
    files = [part for part in FILES[path] if part[0] != "character_reference_images"]
    assert call(client, path, files, query="?dry_run=true").status_code == 400
    drawn = png("character_reference_mask", mask(128, 128))
    assert call(client, path, [*FILES[path], drawn], query="?dry_run=true").status_code == 400
    assert _stored(service) == before
    assert call(client, path, query="?dry_run=maybe").status_code == 400


def _stored(service: Service) -> tuple[int, int]:
    import sqlalchemy as sa

    from portrayal.service.tables import PortrayalRow, StoredFile

    with service.database.session() as session:
        counts = [session.scalar(sa.select(sa.func.count()).select_from(t)) for t in (PortrayalRow, StoredFile)]
    return counts[0] or 0, counts[1] or 0


def test_characters_by_file_by_asset_and_by_name(client: TestClient, service: Service, sample: bytes) -> None:
    ada = service.characters.add("Ada", sample, "main", mask=None)
    made = call(client, GENERATE).json()
    polled = client.get(f"/v2/generations/{made['generation_id']}").json()
    asset = {"asset_type": "RESPONSE", "asset_id": polled["data"][0]["asset_id"]}
    shown = {"prompt": PROMPT, "character_reference_asset_identifiers": [asset]}
    by_asset = job_of(service, client.post(GENERATE, json=shown))
    assert by_asset.sources[0].picture == asset["asset_id"]
    part = ("character_reference_asset_identifiers", (None, json.dumps([asset]), "application/json"))
    by_part = job_of(service, client.post(GENERATE, files=[("prompt", (None, PROMPT)), part]))
    assert by_part.order.characters == by_asset.order.characters
    for name in ("Ada", "@ada", ada.card.id):
        body = {"prompt": PROMPT, "character_reference_collection_id": name}
        order = job_of(service, client.post(GENERATE, json=body)).order
        assert [who.name for who in order.characters] == ["Ada"]
        # A collection comes before an asset, an asset before a file.
        both = shown | body
        assert job_of(service, client.post(GENERATE, json=both)).order.characters == order.characters
    mentioned = job_of(service, client.post(GENERATE, json={"prompt": "@Ada in a park"})).order
    assert mentioned.characters == order.characters


def test_a_version_of_a_saved_characters_mask(client: TestClient, service: Service, sample: bytes) -> None:
    import io

    from PIL import Image

    size = Image.open(io.BytesIO(sample)).size
    service.characters.add("Bo", sample, "main", mask=mask(*size, inside=255, outside=0))
    masks = {}
    for version in (None, "0", "1"):
        body = {"prompt": PROMPT, "character_reference_collection_id": "Bo"}
        body |= {} if version is None else {"character_reference_collection_version_id": version}
        masks[version] = job_of(service, client.post(GENERATE, json=body)).order.characters[0].mask
    assert masks["0"] is None
    assert masks[None] == masks["1"] is not None
    body["character_reference_collection_version_id"] = "7"
    assert client.post(GENERATE, json=body).status_code == 404


def test_sources_and_masks_by_asset(client: TestClient, service: Service) -> None:
    files = service.files
    image, drawn = files.take(picture(), "image", "main"), files.take(mask(), "mask", "main")
    foreign = files.take(picture(colour="red"), "image", "theirs")

    def of(file: Any) -> dict[str, str]:
        return {"asset_type": "UPLOAD", "asset_id": file.id}

    body = {"prompt": PROMPT, "image_asset_identifier": of(image), "mask_asset_identifier": of(drawn)}
    order = job_of(service, client.post(WORDS, json=body)).order
    assert order.image == image.sha256
    assert order.edit_mask == job_of(service, call(client, WORDS)).order.edit_mask
    assert client.post(f"{WORDS}?dry_run=1", json=body).json()["object"] == "price_quote"
    remix = {"prompt": PROMPT, "image_asset_identifier": of(image), "character_reference_images": [uri(picture())]}
    assert job_of(service, client.post(REMIX, json=remix)).order.image == image.sha256
    for wrong, status in ((of(foreign), 404), ({"asset_id": "x"}, 404), ({"asset_id": 7}, 400), ("x", 400), ([], 400)):
        answer = client.post(REMIX, json=remix | {"image_asset_identifier": wrong})
        assert (answer.status_code, set(answer.json())) == (status, {"error"}), wrong
    assert client.post(REMIX, json=remix | {"image": uri(picture())}).status_code == 400
    assert client.post(WORDS, json=body | {"mask": uri(mask())}).status_code == 400


def test_the_character_mask(client: TestClient, service: Service) -> None:
    white = service.blobs.get(job_of(service, call(client, INPAINT)).order.edit_mask or "")
    drawn = [REFERENCE, png("character_reference_mask", mask(inside=255, outside=0))]
    order = job_of(service, call(client, GENERATE, drawn)).order
    assert service.blobs.get(order.characters[0].mask or "") == white
    black = [REFERENCE, png("character_reference_mask", mask())]
    order = job_of(service, call(client, GENERATE, black, character_mask_mode="black")).order
    assert service.blobs.get(order.characters[0].mask or "") == white


def test_style_references(client: TestClient, service: Service) -> None:
    asset = service.files.take(picture(colour="blue"), "style", "main")
    identifier = json.dumps({"asset_type": "UPLOAD", "asset_id": asset.id})
    answer = call(
        client,
        GENERATE,
        [REFERENCE, png("style_reference_images", picture(colour="red"))],
        style_reference_asset_identifiers=identifier,
    )
    assert asset.sha256 in job_of(service, answer).order.style_references
    assert len(job_of(service, answer).order.style_references) == 2
    assert "warnings" not in answer.json()


def test_what_is_not_used_is_said(client: TestClient) -> None:
    answer = call(
        client,
        GENERATE,
        private="false",
        target_collection_id="c",
        enable_copyright_detection="true",
        aspect_ratio="auto",
        foo="1",
    )
    assert [note.partition(":")[0] for note in answer.json()["warnings"]] == [
        "aspect_ratio",
        "private",
        "target_collection_id",
        "enable_copyright_detection",
        "foo",
    ]
    assert "warnings" not in call(client, GENERATE, private="true", enable_copyright_detection="false").json()


def test_describe(client: TestClient, service: Service) -> None:
    asset = service.files.take(picture(), "image", "main")
    for answer in (
        client.post(DESCRIBE, files=[png("image")]),
        client.post(DESCRIBE, json={"image_asset_identifier": {"asset_type": "UPLOAD", "asset_id": asset.id}}),
    ):
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert set(body) == {"description_id", "created", "descriptions"}
        assert "turquoise" in body["descriptions"][0]["text"]


def test_the_message_of_a_webhook(client: TestClient, service: Service) -> None:
    notifier, webhook = NOTIFIERS["ideogram"], Webhook(url="https://example.com/hook", https_only=True)
    job = job_of(service, call(client, GENERATE, seed="5"))
    assert notifier.messages(job, "processing", webhook, lambda name, kind: name) == []
    assert notifier.messages(job, "picture", webhook, lambda name, kind: name) == []
    (message,) = notifier.messages(job, "succeeded", webhook, lambda name, kind: f"https://us/{name}")
    body = json.loads(message.body)
    assert set(body) == {"generation_id", "created", "data"}
    assert body["generation_id"] == job.id
    assert set(body["data"][0]) == {"url", "prompt", "resolution", "seed", "is_image_safe", "identity"}
    headers = notifier.headers(job, "m", 1_700_000_000, message.body, service.secrets)
    assert headers["X-Ideogram-Webhook-Generation-Id"] == job.id
    failed = job.model_copy(update={"state": "canceled", "pictures": ()})
    (message,) = notifier.messages(failed, "canceled", webhook, lambda name, kind: name)
    body = json.loads(message.body)
    assert (body["status"], body["failure_reason"], body["data"]) == ("failed", "canceled", [])


def test_a_webhook_makes_the_call_asynchronous(client: TestClient, service: Service) -> None:
    answer = call(client, GENERATE, webhook_url="https://127.0.0.1:9443/hook")  # nobody listens there
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"generation_id", "generation_kind", "seed"}
    kept = service.job(answer.json()["generation_id"]).wire["_webhook"]
    assert kept == {"url": "https://127.0.0.1:9443/hook", "events": [], "https_only": True}
