"""OpenAI's own clients, unchanged, against a started server: only the base address is another."""

from __future__ import annotations

import asyncio
import base64
import io
import time
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
import sqlalchemy as sa
from openai import AsyncOpenAI, OpenAI
from openai.types.images_response import ImagesResponse
from PIL import Image

from portrayal.service.database import Database
from portrayal.service.keys import Keys
from portrayal.service.tables import PortrayalRow
from portrayal.settings import Settings
from tests.api.conftest import mask, picture, uri
from tests.api.test_openai_images import alpha_mask
from tests.clients.conftest import node
from tests.servers import Server

REFERENCE = {"character_reference_image": uri(picture())}


@pytest.fixture
def client(server: Server, monkeypatch: pytest.MonkeyPatch) -> OpenAI:
    """As a caller has it: the base address is in the environment."""
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.base}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-any")
    return OpenAI()


def _file(data: bytes, name: str = "a.png") -> io.BytesIO:
    file = io.BytesIO(data)
    file.name = name
    return file


def _sizes(answer: ImagesResponse) -> list[tuple[int, int]]:
    assert answer.data is not None
    return [Image.open(io.BytesIO(base64.b64decode(item.b64_json or ""))).size for item in answer.data]


def test_a_picture_of_a_character(client: OpenAI) -> None:
    answer = client.images.generate(
        model="portrayal", prompt="in a park", n=2, size="1024x1024", quality="low", extra_body=REFERENCE
    )
    assert _sizes(answer) == [(1024, 1024)] * 2
    assert (answer.size, answer.quality, answer.output_format) == ("1024x1024", "low", "png")
    assert answer.usage is not None
    assert answer.usage.total_tokens == 0
    assert answer.data is not None
    extra: Any = answer.data[0].model_extra
    assert extra["identity"]["same_person"] is True
    urls = client.images.generate(
        prompt="x", response_format="url", extra_body={"reference_image_urls": [uri(picture())]}
    )
    assert urls.data is not None
    assert httpx2.get(urls.data[0].url or "").headers["content-type"] == "image/png"
    raw = client.images.with_raw_response.generate(prompt="x", extra_body=REFERENCE)
    assert raw.headers["x-portrayal-identity-score"] == "0.8600"
    assert raw.request_id


def test_the_character_as_the_image(client: OpenAI) -> None:
    assert _sizes(client.images.edit(image=_file(picture()), prompt="in a park", size="1536x1024")) == [(1248, 832)]
    assert _sizes(client.images.edit(image=[_file(picture())], prompt="in a park", n=2)) == [(1024, 1024)] * 2


def test_an_edit(client: OpenAI) -> None:
    scene = picture(320, 256)
    two = client.images.edit(image=[_file(scene), _file(picture())], mask=_file(alpha_mask(320, 256)), prompt="a hat")
    assert _sizes(two) == [(320, 256)]
    named = client.images.edit(
        image=_file(scene),
        mask=_file(mask(320, 256)),
        prompt="a hat",
        extra_body={**REFERENCE, "mask_mode": "black", "seed": 7},
    )
    assert _sizes(named) == [(320, 256)]
    nobody = client.images.edit(image=_file(scene), mask=_file(alpha_mask(320, 256)), prompt="a red car")
    assert nobody.data is not None
    assert nobody.data[0].model_extra == {"seed": nobody.data[0].model_extra["seed"], "identity": None}  # type: ignore[index]


def test_a_remix(client: OpenAI) -> None:
    answer = client.images.edit(
        image=[_file(picture(320, 256)), _file(picture())],
        prompt="as a painting",
        size="1024x1024",
        extra_body={"operation": "remix", "strength": 0.8},
    )
    assert _sizes(answer) == [(1024, 1024)]


def test_streams(client: OpenAI) -> None:
    events = list(client.images.generate(prompt="x", stream=True, partial_images=1, n=2, extra_body=REFERENCE))
    assert [event.type for event in events] == ["image_generation.completed"] * 2
    assert Image.open(io.BytesIO(base64.b64decode(events[0].b64_json))).size == (1024, 1024)
    edits = list(client.images.edit(image=_file(picture()), prompt="x", stream=True))
    assert [event.type for event in edits] == ["image_edit.completed"]
    with pytest.raises(openai.APIError, match="the fake shall fail"):
        list(client.images.generate(prompt="FAIL", stream=True, extra_body=REFERENCE))


def test_models(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names == ["portrayal", "ideogram-character"]
    assert client.models.retrieve("portrayal").owned_by == "portrayal"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-9")


def test_errors_have_the_types_of_the_client(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(prompt="x", n=9, extra_body=REFERENCE)
    assert (refused.value.param, refused.value.code, refused.value.type) == (
        "n",
        "invalid_value",
        "invalid_request_error",
    )
    with pytest.raises(openai.BadRequestError) as nobody:
        client.images.generate(prompt="x")
    assert nobody.value.param == "character_reference_image"
    with pytest.raises(openai.BadRequestError) as small:
        client.images.edit(image=_file(picture()), mask=_file(alpha_mask(64, 64)), prompt="x")
    assert small.value.param == "mask"
    with pytest.raises(openai.BadRequestError) as failed:
        client.images.generate(prompt="FAIL", extra_body=REFERENCE)
    assert "the fake shall fail" in failed.value.message
    with pytest.raises(openai.InternalServerError):
        client.images.generate(prompt="CRASH", extra_body=REFERENCE)
    with pytest.raises(openai.BadRequestError) as forbidden:
        client.images.generate(prompt="porn", extra_body=REFERENCE)
    assert forbidden.value.code == "content_policy_violation"
    with pytest.raises(openai.BadRequestError), pytest.deprecated_call():
        client.images.create_variation(image=_file(picture()))


def test_the_asynchronous_client(client: OpenAI, server: Server) -> None:
    async def go() -> None:
        async with AsyncOpenAI() as other:
            answers = await asyncio.gather(
                other.images.generate(prompt="x", extra_body=REFERENCE),
                other.images.edit(image=[_file(picture(320, 256)), _file(picture())], mask=_file(alpha_mask(320, 256)),
                                  prompt="x"),
            )  # fmt: skip
            assert [_sizes(answer) for answer in answers] == [[(1024, 1024)], [(320, 256)]]
            stream = await other.images.generate(prompt="x", stream=True, extra_body=REFERENCE)
            assert [event.type async for event in stream] == ["image_generation.completed"]
            with pytest.raises(openai.BadRequestError):
                await other.images.generate(prompt="", extra_body=REFERENCE)

    asyncio.run(go())


def test_a_caller_who_goes_away_ends_the_work(client: OpenAI, server: Server) -> None:
    impatient = client.with_options(timeout=1.0, max_retries=0)
    with pytest.raises(openai.APITimeoutError):
        impatient.images.generate(prompt="SLOW", extra_body=REFERENCE)
    with impatient.images.generate(prompt="SLOW", stream=True, extra_body=REFERENCE, timeout=30.0) as stream:
        stream.close()
    database = Database(Settings(data_dir=server.folder / "data"))
    states: list[str] = []
    while len(states) < 2 or not set(states) <= {"succeeded", "failed", "canceled"}:
        time.sleep(0.05)
        with database.session() as session:
            found = session.scalars(sa.select(PortrayalRow.state).where(PortrayalRow.prompt == "SLOW"))
            states = list(found)
    database.close()
    assert states == ["canceled", "canceled"]


def test_keys_are_asked_for(tmp_path: Path) -> None:
    with Server(tmp_path, access="keys") as server:
        keys = Keys(Database(Settings(data_dir=tmp_path / "data")), needed=True)
        row, key = keys.create("few", daily=1)
        client = OpenAI(api_key=key, base_url=f"{server.base}/v1", max_retries=0)
        assert _sizes(client.images.generate(prompt="x", extra_body=REFERENCE)) == [(1024, 1024)]
        with pytest.raises(openai.RateLimitError) as used_up:
            client.images.generate(prompt="x", extra_body=REFERENCE)
        assert used_up.value.code == "insufficient_quota"
        keys.revoke(row.id)
        for other in (key, "sk-wrong"):
            with pytest.raises(openai.AuthenticationError) as error:
                OpenAI(api_key=other, base_url=f"{server.base}/v1").models.list()
            assert error.value.code == "invalid_api_key"


def test_the_javascript_client(server: Server, tmp_path: Path) -> None:
    (tmp_path / "ref.png").write_bytes(picture())
    (tmp_path / "scene.png").write_bytes(picture(320, 256))
    (tmp_path / "mask.png").write_bytes(alpha_mask(320, 256))
    environment = {"OPENAI_BASE_URL": f"{server.base}/v1", "OPENAI_API_KEY": "sk-any"}
    assert node("openai_images.mjs", str(tmp_path), **environment).strip().split("\n")[-1] == "all is well"
