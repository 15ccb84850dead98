"""Replicate's own clients, unchanged, against a started server: only the base address is another."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import httpx
import pytest
from PIL import Image
from replicate.client import Client
from replicate.exceptions import ModelError, ReplicateError
from replicate.helpers import FileOutput
from replicate.pagination import paginate
from replicate.prediction import Prediction
from replicate.webhook import Webhooks

from portrayal.api.dialects.replicate.schema import LATEST
from portrayal.service.database import Database
from portrayal.service.keys import Keys
from portrayal.settings import Settings
from tests.api.conftest import mask, picture, uri
from tests.certificates import self_signed
from tests.clients.conftest import node
from tests.servers import Server

MODEL = "ideogram-ai/ideogram-character"
TOKEN = "r8_any"


@pytest.fixture
def client(server: Server, monkeypatch: pytest.MonkeyPatch) -> Client:
    """As a caller has it: the base address is in the environment."""
    monkeypatch.setenv("REPLICATE_BASE_URL", server.base)
    monkeypatch.setenv("REPLICATE_API_TOKEN", TOKEN)
    monkeypatch.setenv("REPLICATE_POLL_INTERVAL", "0.05")
    return Client()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "ref.png"
    path.write_bytes(picture())
    return path


def _input(**values: Any) -> dict[str, Any]:
    return {"prompt": "in a park", "character_reference_image": uri(picture()), **values}


def _status(prediction: Prediction) -> str:
    return prediction.status


def _size(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


def test_run_gives_the_output(client: Client) -> None:
    output = client.run(MODEL, input=_input(aspect_ratio="16:9"))
    assert isinstance(output, str)
    assert _size(httpx.get(str(output)).content) == (1312, 736)


def test_run_with_a_version_uploads_files_and_edits(client: Client, photo: Path) -> None:
    # With a version, py 1.x reads the schema of the version too.
    with photo.open("rb") as file:
        output = client.run(
            f"{MODEL}:{LATEST}",
            input={
                "prompt": "a hat",
                "character_reference_image": file,
                "image": io.BytesIO(picture(320, 256)),
                "mask": io.BytesIO(mask(64, 64)),
            },
        )
    assert _size(httpx.get(str(output)).content) == (320, 256)
    inline = client.run(MODEL, input=_input(image=photo.open("rb"), mask=uri(mask())), file_encoding_strategy="base64")
    assert _size(httpx.get(str(inline)).content) == (256, 256)


def test_run_polls_when_it_shall_not_wait_and_when_the_hold_runs_out(client: Client) -> None:
    for wait in (False, 1):
        assert isinstance(client.run(MODEL, input=_input(prompt="WAIT WAIT"), wait=wait), str)


def test_a_prediction_is_created_waited_for_and_reloaded(client: Client) -> None:
    prediction = client.predictions.create(version=MODEL, input=_input(prompt="WAIT", seed=7))
    assert _status(prediction) in ("starting", "processing")
    prediction.wait()
    assert _status(prediction) == "succeeded"
    assert isinstance(prediction.output, str)
    assert prediction.progress is not None
    assert prediction.progress.percentage == 1.0
    assert prediction.metrics is not None
    assert prediction.metrics["identity_score"] == 0.86
    assert prediction.input is not None
    assert prediction.input["seed"] == 7
    same = client.predictions.get(prediction.id)
    assert same.completed_at == prediction.completed_at
    with pytest.raises(Exception, match="does not support streaming"):
        next(iter(prediction.stream()))


def test_a_prediction_is_canceled(client: Client) -> None:
    prediction = client.models.predictions.create(model=MODEL, input=_input(prompt="SLOW"), wait=1)
    assert _status(prediction) == "starting"
    prediction.cancel()
    assert _status(prediction) == "canceled"
    deployed = client.deployments.predictions.create("acme/faces", input=_input(prompt="SLOW"))
    deployed.cancel()
    deployed.wait()
    assert (deployed.status, deployed.output) == ("canceled", None)
    assert client.deployments.get("acme/faces").predictions.create(input=_input(), wait=True).status == "succeeded"


def test_predictions_are_listed(client: Client) -> None:
    mine = client.predictions.create(version=LATEST, input=_input(), wait=True)
    page = client.predictions.list()
    assert mine.id in [prediction.id for prediction in page]
    assert sum(len(page) for page in paginate(client.predictions.list)) >= len(page)


def test_files(client: Client, photo: Path) -> None:
    file = client.files.create(photo, metadata={"of": "me"})
    assert (file.name, file.content_type, file.size) == ("ref.png", "image/png", photo.stat().st_size)
    assert client.files.get(file.id).checksums == file.checksums
    assert file.id in [found.id for found in client.files.list()]
    assert isinstance(client.run(MODEL, input=_input(character_reference_image=file.urls["get"])), str)
    assert client.files.delete(file.id)
    with pytest.raises(ReplicateError) as error:
        client.files.get(file.id)
    assert error.value.status == 404


def test_models_and_the_account(client: Client) -> None:
    model = client.models.get(MODEL)
    assert model.id == MODEL
    assert model.latest_version is not None
    schema = model.latest_version.openapi_schema["components"]["schemas"]["Input"]
    assert "character_reference_image" in schema["properties"]
    assert model.versions.list()[0].id == LATEST
    assert model.versions.get(LATEST).openapi_schema == model.latest_version.openapi_schema
    assert [found.name for found in client.models.list()] == ["ideogram-character"]
    assert client.accounts.current().username == "main"
    assert isinstance(client.run(model, input=_input()), str)  # type: ignore[arg-type]  # its annotation is too narrow


def test_errors_have_the_types_of_the_client(client: Client) -> None:
    with pytest.raises(ReplicateError) as refused:
        client.run(MODEL, input=_input(aspect_ratio="7:5"))
    assert (refused.value.status, refused.value.title) == (422, "Input validation failed")
    assert "input.aspect_ratio" in str(refused.value.detail)
    with pytest.raises(ReplicateError) as unknown:
        client.run(f"{MODEL}:{'0' * 64}", input=_input())
    assert "The specified version does not exist" in str(unknown.value.detail)
    with pytest.raises(ReplicateError) as missing:
        client.run("other/model", input=_input())
    assert missing.value.status == 404
    with pytest.raises(ReplicateError) as nobody:
        client.predictions.get("nobody")
    assert nobody.value.status == 404
    with pytest.raises(ModelError, match="the fake shall fail") as failed:
        client.run(MODEL, input=_input(prompt="FAIL"))
    assert failed.value.prediction.status == "failed"


def test_the_asynchronous_client(client: Client, photo: Path) -> None:
    async def go() -> None:
        outputs = await asyncio.gather(
            client.async_run(MODEL, input=_input()),
            client.async_run(f"{MODEL}:{LATEST}", input=_input(character_reference_image=photo.open("rb"))),
        )
        assert all(isinstance(output, str) for output in outputs)
        prediction = await client.predictions.async_create(version=LATEST, input=_input(prompt="WAIT"))
        await prediction.async_wait()
        assert prediction.status == "succeeded"
        slow = await client.models.predictions.async_create(model=MODEL, input=_input(prompt="SLOW"))
        await slow.async_cancel()
        assert (await client.predictions.async_get(slow.id)).status in ("processing", "canceled")
        assert prediction.id in [found.id for found in await client.predictions.async_list()]
        with pytest.raises(ModelError):
            await client.async_run(MODEL, input=_input(prompt="FAIL"))

    asyncio.run(go())


@contextmanager
def _receiver() -> Iterator[tuple[str, Queue[tuple[dict[str, str], str]]]]:
    """An address to be called back at, and what came there: headers and bodies."""
    came: Queue[tuple[dict[str, str], str]] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            came.put((dict(self.headers), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{receiver.server_port}/hook", came
    finally:
        receiver.shutdown()


def test_webhooks_arrive_signed(client: Client) -> None:
    secret = client.webhooks.default.secret()
    events = ["start", "output", "completed"]
    with _receiver() as (url, came):
        prediction = client.predictions.create(
            version=LATEST, input=_input(), webhook=url, webhook_events_filter=events
        )
        found = [came.get(timeout=30) for _ in events]
    for headers, body in found:
        Webhooks.validate(headers=headers, body=body, secret=secret, tolerance=60)
    bodies = [json.loads(body) for _, body in found]
    assert {body["id"] for body in bodies} == {prediction.id}
    assert "succeeded" in {body["status"] for body in bodies}
    assert len({headers["webhook-id"] for headers, _ in found}) == len(events)
    last = Prediction(**next(body for body in bodies if body["status"] == "succeeded"))
    assert httpx.get(str(last.output)).headers["content-type"] == "image/png"


def test_keys_and_pictures_as_data(tmp_path: Path) -> None:
    with Server(tmp_path, access="keys", replicate_data_uris=True) as server:
        keys = Keys(Database(Settings(data_dir=tmp_path / "data")), needed=True)
        row, key = keys.create("replicate")
        client = Client(api_token=key, base_url=server.base)
        output = client.run(MODEL, input=_input())
        assert isinstance(output, FileOutput)
        assert _size(output.read()) == (1024, 1024)
        assert _size(b"".join(output)) == (1024, 1024)
        several: Any = client.run(MODEL, input=_input(num_outputs=2))
        assert [_size(one.read()) for one in several] == [(1024, 1024)] * 2
        assert node("replicate_file_output.mjs", server.base, str(_saved(tmp_path)), key) == "1024x1024\n"
        keys.revoke(row.id)
        for token in (key, "r8_wrong"):
            with pytest.raises(ReplicateError) as error:
                Client(api_token=token, base_url=server.base).run(MODEL, input=_input())
            assert (error.value.status, error.value.title) == (401, "Unauthenticated")


def test_file_outputs_over_https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = Server(tmp_path, access="open", tls_certificate=certificate, tls_key=key)
    server.base = server.base.replace("http:", "https:")
    with server:
        client = Client(api_token=TOKEN, base_url=server.base)
        output = client.run(MODEL, input=_input(character_reference_image=io.BytesIO(picture())))
        assert isinstance(output, FileOutput)
        assert output.url.startswith(f"{server.base}/files/")
        assert _size(output.read()) == (1024, 1024)


def test_the_javascript_client(server: Server, tmp_path: Path) -> None:
    with _receiver() as (url, came):
        said = node("replicate.mjs", server.base, str(_saved(tmp_path)), url)
        headers, body = came.get(timeout=30)
    assert said.strip().split("\n")[-1] == "all is well"
    sent = {name.lower(): value for name, value in headers.items()}
    given = json.dumps({"body": body, **{n: sent[f"webhook-{n}"] for n in ("id", "timestamp", "signature")}})
    assert node("replicate_webhook.mjs", server.base, given) == "true false\n"


def _saved(folder: Path) -> Path:
    """A folder with `ref.png`, `scene.png` and `mask.png`."""
    (folder / "ref.png").write_bytes(picture())
    (folder / "scene.png").write_bytes(picture(320, 256))
    (folder / "mask.png").write_bytes(mask(64, 64))
    return folder
