"""fal's own clients, unchanged, against a started server: only the addresses are others."""

from __future__ import annotations

import asyncio
import base64
import datetime
import hashlib
import io
import ipaddress
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import fal_client
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import NameOID
from fal_client import client as module
from PIL import Image

from tests.api.bad_files import REFUSED
from tests.api.conftest import mask, picture, uri
from tests.clients.conftest import node
from tests.servers import ROOT, Server

APP = "fal-ai/ideogram/character"


@pytest.fixture
def addressed(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """As the documentation says: run and queue have a prefix each."""
    monkeypatch.setenv("FAL_KEY", "any:key")
    monkeypatch.setattr(module, "RUN_URL_FORMAT", f"{server.base}/run/")
    monkeypatch.setattr(module, "QUEUE_URL_FORMAT", f"{server.base}/queue/")
    monkeypatch.setattr(module, "REST_URL", server.base)
    monkeypatch.setattr(module, "CDN_URL", server.base)
    return server


@pytest.fixture
def client(addressed: Server) -> fal_client.SyncClient:
    return fal_client.SyncClient(key="any:key")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "ref.png"
    path.write_bytes(picture())
    return path


def _input(prompt: str = "in a park", **given: Any) -> dict[str, Any]:
    return {"prompt": prompt, "reference_image_urls": [uri(picture())], **given}


def _is_picture(output: dict[str, Any]) -> None:
    (image,) = output["images"]
    answer = httpx.get(image["url"])  # without a key
    assert (answer.status_code, len(answer.content)) == (200, image["file_size"])
    assert Image.open(io.BytesIO(answer.content)).size == (image["width"], image["height"])
    assert image["identity"]["same_person"] is True


def test_run_generates_edits_and_remixes(client: fal_client.SyncClient) -> None:
    _is_picture(client.run(APP, _input(image_size="portrait_4_3", seed=3)))
    more = {"image_url": uri(picture()), "mask_url": uri(mask())}
    _is_picture(client.run(f"{APP}/edit", _input("a hat", **more)))
    _is_picture(client.run(APP, _input(image_url=uri(picture())), path="/remix"))


def test_the_functions_of_the_module(addressed: Server) -> None:
    _is_picture(fal_client.run(APP, arguments=_input()))
    handle = fal_client.submit(APP, arguments=_input())
    _is_picture(fal_client.result(APP, handle.request_id))
    assert isinstance(fal_client.status(APP, handle.request_id), fal_client.Completed)


def test_submit_waits_tells_and_gives(client: fal_client.SyncClient) -> None:
    handle = client.submit(f"{APP}/remix", _input("WAIT", image_url=uri(picture())), priority="low", hint="any")
    states = list(handle.iter_events(with_logs=True, interval=0.02))
    assert isinstance(states[-1], fal_client.Completed)
    assert {type(state).__name__ for state in states} >= {"InProgress", "Completed"}
    assert states[-1].metrics["inference_time"] > 0.3
    assert states[-1].logs
    _is_picture(handle.get())
    # By its id, which gives the short path.
    assert isinstance(client.status(f"{APP}/remix", handle.request_id), fal_client.Completed)
    _is_picture(client.result(f"{APP}/remix", handle.request_id))


def test_subscribe(client: fal_client.SyncClient) -> None:
    ids: list[str] = []
    seen: list[str] = []
    output = client.subscribe(
        f"{APP}/edit",
        _input("WAIT", image_url=uri(picture()), mask_url=uri(mask())),
        with_logs=True,
        on_enqueue=ids.append,
        on_queue_update=lambda state: seen.append(type(state).__name__),
        client_timeout=30,
    )
    _is_picture(output)
    assert len(ids) == 1
    assert seen[-1] == "Completed"


def test_cancel_and_what_a_canceled_request_gives(client: fal_client.SyncClient) -> None:
    handle = client.submit(APP, _input("SLOW"))
    handle.cancel()
    with pytest.raises(fal_client.FalClientHTTPError) as error:
        handle.get()
    assert (error.value.status_code, error.value.error_type) == (499, "client_cancelled")
    with pytest.raises(fal_client.FalClientHTTPError) as error:
        client.cancel(APP, handle.request_id)
    assert error.value.status_code == 400


def test_a_client_that_gives_up_cancels(client: fal_client.SyncClient) -> None:
    with pytest.raises(fal_client.FalClientTimeoutError) as error:
        client.subscribe(APP, _input("SLOW"), client_timeout=1.5)
    assert error.value.request_id is not None
    with pytest.raises(fal_client.FalClientHTTPError) as ended:
        client.result(APP, error.value.request_id)
    assert ended.value.status_code in (499, 504)


def test_a_run_ends_with_its_caller(server: Server) -> None:
    headers, body = {"idempotency-key": "left"}, _input("SLOW")
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.base}/run/{APP}", json=body, headers=headers, timeout=1.0)
    same = httpx.post(f"{server.base}/queue/{APP}", json=body, headers=headers).json()
    ended = httpx.get(f"{same['status_url']}/stream", timeout=15).text.splitlines()
    assert json.loads([line for line in ended if line][-1].removeprefix("data: "))["error_type"] == "client_cancelled"


def test_errors(client: fal_client.SyncClient) -> None:
    for call in (client.run, client.submit, client.subscribe):
        with pytest.raises(fal_client.FalClientHTTPError) as error:
            call(APP, {"prompt": "in a park"})
        assert error.value.status_code == 422
        detail: Any = error.value.message
        assert detail[0]["loc"] == ["body", "reference_image_urls"]
    failed = client.submit(APP, _input("FAIL"))
    with pytest.raises(fal_client.FalClientHTTPError) as error:
        failed.get()
    assert error.value.status_code == 422
    with pytest.raises(fal_client.FalClientHTTPError) as error:
        client.run(APP, _input("CRASH"))
    assert (error.value.status_code, error.value.error_type) == (500, "runner_server_error")


def test_uploads_of_every_kind(client: fal_client.SyncClient, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = [
        client.upload(picture(), "image/png", file_name="a.png"),
        client.upload(picture(), "image/png", repository="fal"),
        client.upload_file(photo),
        client.upload_image(Image.open(photo), format="png"),
    ]
    monkeypatch.setattr(module, "MULTIPART_THRESHOLD", 100)
    monkeypatch.setattr(module, "MULTIPART_CHUNK_SIZE", 200)
    urls += [client.upload(picture(), "image/png"), client.upload_file(photo)]
    for url in urls:
        assert httpx.get(url).headers["content-type"] == "image/png"
        _is_picture(client.run(APP, {"prompt": "in a park", "reference_image_urls": [url]}))


def test_data_uris(client: fal_client.SyncClient, photo: Path) -> None:
    encoded = (
        fal_client.encode(picture(), "image/png"),
        fal_client.encode_file(photo),
        fal_client.encode_image(Image.open(photo)),
    )
    for url in encoded:
        _is_picture(client.run(APP, {"prompt": "in a park", "reference_image_urls": [url]}))


def test_an_upload_that_is_no_picture(client: fal_client.SyncClient) -> None:
    with pytest.raises(fal_client.FalClientHTTPError, match="this is a text"):
        client.upload(REFUSED["text"](), "image/png")


def test_asynchronous(addressed: Server, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MULTIPART_CHUNK_SIZE", 200)

    async def use() -> None:
        client = fal_client.AsyncClient(key="any:key")
        _is_picture(await client.run(APP, _input()))
        handle = await client.submit(APP, _input("WAIT"))
        states = [state async for state in handle.iter_events(with_logs=True, interval=0.02)]
        assert isinstance(states[-1], fal_client.Completed)
        _is_picture(await handle.get())
        url = await client.upload_file(photo)
        monkeypatch.setattr(module, "MULTIPART_THRESHOLD", 100)
        parts = await client.upload(picture(), "image/png")
        _is_picture(await client.subscribe(APP, {"prompt": "x", "reference_image_urls": [url]}))
        _is_picture(await client.run(APP, {"prompt": "x", "reference_image_urls": [parts]}))
        slow = await client.submit(APP, _input("SLOW"))
        await slow.cancel()
        with pytest.raises(fal_client.FalClientHTTPError):
            await slow.get()

    asyncio.run(use())


def test_one_address_for_run_and_queue(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RUN_URL_FORMAT", f"{server.base}/")
    monkeypatch.setattr(module, "QUEUE_URL_FORMAT", f"{server.base}/")
    client = fal_client.SyncClient(key="any:key")
    _is_picture(client.run(APP, _input("WAIT")))
    _is_picture(client.subscribe(APP, _input("WAIT")))
    handle = client.submit(APP, _input("WAIT"))
    assert isinstance(handle.status(), fal_client.Completed)  # that is the price: it waited
    _is_picture(handle.get())
    slow = client.submit(APP, _input("SLOW"), priority="normal")  # what only a submission has
    slow.cancel()


@pytest.fixture
def hook() -> Iterator[tuple[str, Queue[tuple[dict[str, str], bytes]]]]:
    """A receiver of webhooks: its address, and what came."""
    came: Queue[tuple[dict[str, str], bytes]] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            came.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{receiver.server_port}/hook", came
    receiver.shutdown()


def test_a_webhook_comes_signed(
    client: fal_client.SyncClient, addressed: Server, hook: tuple[str, Queue[tuple[dict[str, str], bytes]]]
) -> None:
    url, came = hook
    handle = client.submit(APP, _input(), webhook_url=url)
    headers, body = came.get(timeout=30)
    told = json.loads(body)
    assert (told["request_id"], told["status"]) == (handle.request_id, "OK")
    _is_picture(told["payload"])
    (key,) = httpx.get(f"{addressed.base}/.well-known/jwks.json").json()["keys"]
    names = ("request-id", "user-id", "timestamp")
    lines = [headers[f"x-fal-webhook-{name}"] for name in names] + [hashlib.sha256(body).hexdigest()]
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    public.verify(bytes.fromhex(headers["x-fal-webhook-signature"]), "\n".join(lines).encode())


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


_BY_ENVIRONMENT = """
import sys, fal_client
arguments = {"prompt": "in a park", "reference_image_urls": [sys.argv[1]]}
app = "fal-ai/ideogram/character"
assert set(fal_client.run(app, arguments)) >= {"images", "seed"}
assert "request_id" not in fal_client.run(app, arguments)
assert fal_client.subscribe(app, arguments)["images"][0]["url"].startswith("https://127.0.0.1:")
handle = fal_client.submit(app, {**arguments, "prompt": "SLOW"})
handle.cancel()
assert isinstance(fal_client.status(app, handle.request_id), fal_client.Status)
print("good")
"""


def test_by_environment_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = _certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = Server(tmp_path / "server", slots=2, access="open", tls_certificate=certificate, tls_key=key)
    host = server.base.removeprefix("http://")
    server.base = f"https://{host}"
    with server:
        monkeypatch.setenv("FAL_KEY", "any:key")
        monkeypatch.setenv("FAL_RUN_HOST", f"{host}/run")
        monkeypatch.setenv("FAL_QUEUE_RUN_HOST", f"{host}/queue")
        done = subprocess.run(
            [sys.executable, "-c", _BY_ENVIRONMENT, uri(picture())],
            capture_output=True, text=True, timeout=60, cwd=ROOT, check=False,
        )  # fmt: skip
        assert done.stdout.strip() == "good", done.stderr


@pytest.mark.parametrize("way", ["rewrite", "one", "proxy"])
def test_javascript(server: Server, tmp_path: Path, way: str) -> None:
    for name, data in (("ref", picture()), ("scene", picture(colour="olive")), ("mask", mask())):
        (tmp_path / f"{name}.png").write_bytes(data)
    assert node("fal.mjs", server.base, str(tmp_path), way).strip() == "good"
