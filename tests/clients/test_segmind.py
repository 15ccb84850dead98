"""The `segmind` package from PyPI, unchanged, against a started server."""

from __future__ import annotations

import io
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from PIL import Image
from segmind import SegmindClient
from segmind.exceptions import SegmindError
from segmind.files import Files
from segmind.v2 import InferenceFailed, InferenceTimeout

from portrayal.service.database import Database
from portrayal.service.envelope import FINAL
from portrayal.service.keys import Keys
from portrayal.service.tables import PortrayalRow
from portrayal.settings import Settings
from tests.api.conftest import mask, picture, uri
from tests.servers import Server

SLUG = "ideogram-character"


@pytest.fixture
def client(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[SegmindClient]:
    monkeypatch.setattr(Files, "STORAGE_BASE_URL", server.base)  # no setting of the package changes it
    client = SegmindClient(api_key="any", base_url=f"{server.base}/v1", timeout=60)
    yield client
    client._client.close()


def _given(**more: Any) -> dict[str, Any]:
    return {"prompt": "in a park", "character_reference_image": uri(picture()), **more}


def _edit(**more: Any) -> dict[str, Any]:
    return _given(image=uri(picture(320, 256, "olive")), mask=uri(mask(320, 256)), **more)


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def _fetched(url: str) -> Image.Image:
    with urllib.request.urlopen(url) as answer:
        return _opened(answer.read())


def test_run_sync_gives_the_picture(client: SegmindClient) -> None:
    answer = client.run_sync(SLUG, **_given(aspect_ratio="16:9", resolution=None, seed=4))
    found = _opened(answer.content)
    assert (found.format, found.size) == ("JPEG", (1312, 736))
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-remaining-credits"] == "999999"
    assert float(answer.headers["x-portrayal-identity-score"]) > 0.5


def test_run_sync_edits(client: SegmindClient) -> None:
    assert _opened(client.run_sync(SLUG, **_edit(output_format="png")).content).size == (320, 256)


def test_run_waits_in_the_queue(client: SegmindClient) -> None:
    made = client.run(SLUG, **_given(seed=9))
    assert made["status"] == "COMPLETED"
    assert made["seed"] == 9
    assert made["identity"]["same_person"] is True
    assert made["metrics"]["inference_time"] >= 0
    assert _fetched(made["output"]).size == (1024, 1024)
    assert made["image"] == made["output"]
    assert _fetched(client.run(SLUG, **_edit())["output"]).size == (320, 256)


def test_a_job_is_asked_for_its_status(client: SegmindClient) -> None:
    job = client.submit_async(SLUG, **_given(prompt="WAIT"))
    assert job.submit_response["status"] == "QUEUED"
    assert job.status()["status"] in ("QUEUED", "PROCESSING", "COMPLETED")
    assert job.wait(interval=0.1)["status"] == "COMPLETED"
    assert job.result()["output"].startswith("http")


def test_an_uploaded_file_is_an_input(client: SegmindClient, tmp_path: Path) -> None:
    paths = [tmp_path / "who.png", tmp_path / "scene.webp", tmp_path / "mask.png"]
    for path, data in zip(paths, (picture(), picture(320, 256, "olive", "WEBP"), mask(320, 256)), strict=True):
        path.write_bytes(data)
    answer = client.files.upload(paths)
    assert answer["message"]
    who, scene, painted = answer["file_urls"]
    made = client.run_sync(SLUG, prompt="in a park", character_reference_image=who, image=scene, mask=painted)
    assert _opened(made.content).size == (320, 256)
    assert client.files.upload(paths[0])["file_urls"]
    bad = tmp_path / "text.png"
    bad.write_text("no picture")
    with pytest.raises(SegmindError) as raised:
        client.files.upload(bad)
    assert raised.value.status == 400
    assert str(raised.value.detail).startswith("data_urls: ")


def test_errors_reach_the_caller(client: SegmindClient) -> None:
    for run in (client.run_sync, client.run):
        with pytest.raises(SegmindError) as raised:
            run(SLUG, prompt="in a park")
        assert raised.value.status == 400
        assert str(raised.value.detail).startswith("character_reference_image: is required")
    with pytest.raises(SegmindError) as raised:
        client.run_sync(SLUG, **_given(prompt="FAIL"))
    assert (raised.value.status, raised.value.detail) == (400, "prompt: the fake shall fail. Ask for something else.")
    with pytest.raises(SegmindError) as raised:
        client.run_sync("another-model", **_given())
    assert raised.value.status == 404


def test_a_failed_job_raises(client: SegmindClient) -> None:
    job = client.submit_async(SLUG, **_given(prompt="FAIL"))
    with pytest.raises(InferenceFailed) as raised:
        job.wait(interval=0.1)
    assert raised.value.detail == "prompt: the fake shall fail. Ask for something else."
    assert job.result()["status"] == "FAILED"


def test_timeouts(client: SegmindClient, server: Server) -> None:
    job = client.submit_async(SLUG, **_given(prompt="SLOW"))
    with pytest.raises(InferenceTimeout):
        job.wait(timeout=0, interval=0)
    # A caller that leaves a synchronous call takes its job with it.
    hasty = SegmindClient(api_key="any", base_url=f"{server.base}/v1", timeout=0.7)
    with pytest.raises(httpx.ReadTimeout):
        hasty.run_sync(SLUG, **_given(prompt="SLOW too"))
    hasty._client.close()
    assert _end_of(server, "SLOW too") == "canceled"


def _end_of(server: Server, prompt: str) -> str:
    """The state in which the job of a prompt ended, as the database says."""
    database = Database(Settings(data_dir=server.folder / "data"))
    try:
        for _ in range(1200):
            with database.session() as session:
                state = session.scalar(sa.select(PortrayalRow.state).where(PortrayalRow.prompt == prompt))
            if state in FINAL:
                return state
            time.sleep(0.05)
        raise AssertionError(f"it is {state} still")
    finally:
        database.close()


def test_a_revoked_key(server: Server) -> None:
    database = Database(Settings(data_dir=server.folder / "data"))
    keys = Keys(database, needed=False)
    row, key = keys.create("segmind")
    client = SegmindClient(api_key=key, base_url=f"{server.base}/v1")
    assert client.run_sync(SLUG, **_given(prompt="by key")).content
    keys.revoke(row.id)
    database.close()
    with pytest.raises(SegmindError) as raised:
        client.run_sync(SLUG, **_given())
    assert (raised.value.status, str(raised.value.detail).split(".")[0]) == (401, "this key was revoked")
    client._client.close()
