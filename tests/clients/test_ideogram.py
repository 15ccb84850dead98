"""Ideogram has no client library: plain `requests`, as its documentation shows, against a started server."""

from __future__ import annotations

import datetime
import hashlib
import io
import ipaddress
import json
import queue
import sqlite3
import ssl
import threading
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import NameOID
from PIL import Image

from tests.api.conftest import mask, picture
from tests.servers import Server

KEY = {"Api-Key": "anything"}
CHARACTER = "/v2/image/{}/ideogram-3-character"
Received = tuple[dict[str, str], bytes]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return files


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Iterator[Server]:
    """A server that trusts the listener's certificate."""
    server = Server(tmp_path_factory.mktemp("server"), slots=2, fetch_private="127.0.0.1", access="open")
    server.env["SSL_CERT_FILE"] = str(certificate[0])
    with server:
        yield server


@pytest.fixture
def listener(certificate: tuple[Path, Path]) -> Iterator[tuple[str, queue.Queue[Received]]]:
    """An https listener: its address, and what it received. The first call is answered with 503."""
    received: queue.Queue[Received] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            first = received.empty() and not hasattr(received, "failed")
            received.failed = True  # type: ignore[attr-defined]
            if not first:
                received.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(503 if first else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    http.socket = context.wrap_socket(http.socket, server_side=True)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield f"https://127.0.0.1:{http.server_port}/hook", received
    finally:
        http.shutdown()
        http.server_close()


def post(server: Server, path: str, files: dict[str, bytes] | None = None, **fields: Any) -> requests.Response:
    """A multipart call, as the documentation's samples make it."""
    parts = {name: (f"{name}.png", data, "image/png") for name, data in (files or {}).items()}
    return requests.post(server.base + path, headers=KEY, data=fields, files=parts or None, timeout=60)


def size_of(url: str) -> tuple[int, int]:
    """The size of the picture at an address, which needs no key."""
    answer = requests.get(url, timeout=20)
    assert answer.status_code == 200
    return Image.open(io.BytesIO(answer.content)).size


def finished(server: Server, generation_id: str) -> dict[str, Any]:
    """A generation as soon as it is no longer pending, by polling."""
    while True:
        found = requests.get(f"{server.base}/v2/generations/{generation_id}", headers=KEY, timeout=20)
        assert found.status_code == 200
        body: dict[str, Any] = found.json()
        if body["status"] != "pending":
            return body
        time.sleep(0.05)


def test_generate(server: Server) -> None:
    answer = post(
        server,
        "/v1/ideogram-v3/generate",
        {"character_reference_images": picture()},
        prompt="A portrait in a coffee shop",
        rendering_speed="TURBO",
        style_type="REALISTIC",
        aspect_ratio="16x9",
        num_images=2,
        seed=12345,
    )
    assert answer.status_code == 200
    items = answer.json()["data"]
    assert [item["seed"] for item in items] == [12345, 12346]
    assert {size_of(item["url"]) for item in items} == {(1312, 736)}
    assert items[0]["identity"]["same_person"] is True
    assert float(answer.headers["x-portrayal-identity-score"]) > 0.5


def test_edit_remix_reframe_and_replace_background(server: Server) -> None:
    image, person = picture(320, 256), {"character_reference_images": picture()}
    prompt = {"prompt": "the person smiles"}
    for path in ("inpaint", "edit"):
        done = post(server, f"/v1/ideogram-v3/{path}", {"image": image, "mask": mask(320, 256), **person}, **prompt)
        assert size_of(done.json()["data"][0]["url"]) == (320, 256)
    done = post(server, "/v1/ideogram-v3/inpaint", {"image": image, "mask": mask(320, 256)}, **prompt)
    assert "identity" not in done.json()["data"][0]
    done = post(server, "/v1/ideogram-v3/remix", {"image": image, **person}, image_weight=70, **prompt)
    assert size_of(done.json()["data"][0]["url"]) == (1024, 1024)
    done = post(server, "/v1/ideogram-v3/reframe", {"image": image}, resolution="1536x512")
    assert size_of(done.json()["data"][0]["url"]) == (1536, 512)
    done = post(server, "/v1/ideogram-v3/replace-background", {"image": image}, prompt="a beach")
    assert size_of(done.json()["data"][0]["url"]) == (320, 256)


def test_a_result_is_the_next_calls_source(server: Server) -> None:
    person = {"character_reference_images": picture()}
    first = post(server, CHARACTER.format("generate"), person, prompt="in a park").json()
    again = post(server, CHARACTER.format("remix"), person, prompt="at night", image=first["data"][0]["url"])
    assert again.status_code == 200
    asset = {"asset_type": "RESPONSE", "asset_id": finished(server, first["generation_id"])["data"][0]["asset_id"]}
    body: Any = {"prompt": "in winter", "character_reference_asset_identifiers": [asset]}
    done = requests.post(server.base + CHARACTER.format("generate"), headers=KEY, json=body, timeout=60)
    assert done.json()["data"][0]["identity"]["same_person"] is True


def test_describe(server: Server) -> None:
    answer = post(server, "/describe", {"image_file": picture()})
    assert "turquoise" in answer.json()["descriptions"][0]["text"]


def test_asynchronous_calls_and_polling(server: Server) -> None:
    person = {"character_reference_images": picture()}
    answer = post(server, CHARACTER.format("generate"), person, **{"prompt": "WAIT in a park", "async": "true"})
    body = answer.json()
    assert "data" not in body
    done = finished(server, body["generation_id"])
    assert done["status"] == "completed"
    assert done["data"][0]["seed"] == body["seed"]
    assert size_of(done["data"][0]["url"]) == (1024, 1024)
    failing = post(server, CHARACTER.format("generate"), person, **{"prompt": "FAIL", "async": "true"})
    assert finished(server, failing.json()["generation_id"])["failure_reason"] == "invalid_request"


def test_a_signed_webhook_that_is_tried_again(server: Server, listener: tuple[str, queue.Queue[Received]]) -> None:
    url, received = listener
    person = {"character_reference_images": picture()}
    answer = post(server, CHARACTER.format("generate"), person, prompt="in a park", seed=9, webhook_url=url)
    name = answer.json()["generation_id"]
    headers, body = received.get(timeout=60)
    told = json.loads(body)
    assert set(told) == {"generation_id", "created", "data"}
    assert (told["generation_id"], told["data"][0]["seed"]) == (name, 9)
    assert size_of(told["data"][0]["url"]) == (1024, 1024)
    head = "x-ideogram-webhook-"
    assert headers[head + "generation-id"] == name
    keys = requests.get(f"{server.base}/v1/.well-known/jwks.json", timeout=20).json()["keys"]
    (key,) = [key for key in keys if key["kid"] == headers[head + "key-id"]]
    public = Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(key["x"] + "=="))
    lines = [headers[head + part] for part in ("generation-id", "user-id", "timestamp")]
    message = "\n".join([*lines, hashlib.sha256(body).hexdigest()]).encode()
    public.verify(bytes.fromhex(headers[head + "signature"]), message)  # raises when it is wrong
    assert received.empty()


def test_a_webhook_without_tls_is_refused(server: Server) -> None:
    person = {"character_reference_images": picture()}
    answer = post(server, CHARACTER.format("generate"), person, prompt="x", webhook_url="http://127.0.0.1:9/hook")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("webhook_url: ")


def test_a_price_quote(server: Server) -> None:
    path = CHARACTER.format("generate") + "?dry_run=true"
    answer = post(server, path, {"character_reference_images": picture()}, prompt="in a park", num_images=4)
    assert (answer.json()["object"], answer.json()["quantity"]) == ("price_quote", 4)


def test_errors(server: Server) -> None:
    person = {"character_reference_images": picture()}
    for answer, status in (
        (post(server, "/v1/ideogram-v3/generate", person), 400),
        (post(server, "/v1/ideogram-v3/generate", {"character_reference_images": b"no picture"}, prompt="x"), 400),
        (post(server, "/v1/ideogram-v3/generate", person, prompt="x", rendering_speed="FLASH"), 400),
        (post(server, "/v1/ideogram-v3/generate", person, prompt="the person completely nude"), 422),
        (post(server, "/v1/ideogram-v3/generate", person, prompt="CRASH"), 500),
        (requests.get(f"{server.base}/v2/generations/none", headers=KEY, timeout=20), 404),
    ):
        assert answer.status_code == status
        assert list(answer.json()) == ["error"]
        assert answer.headers["content-type"] == "application/json"


def test_a_caller_who_goes_away_takes_the_job_along(tmp_path: Path) -> None:
    with Server(tmp_path, slots=1, access="open", max_in_flight=1) as server:
        person = {"character_reference_images": ("a.png", picture(), "image/png")}
        url = f"{server.base}/v1/ideogram-v3/generate"
        with pytest.raises(requests.ReadTimeout):
            requests.post(url, data={"prompt": "SLOW"}, files=person, timeout=(10, 2))
        for _ in range(600):
            if (state := _last_state(server)) in ("succeeded", "failed", "canceled"):
                break
            time.sleep(0.1)
        assert state == "canceled"  # left alone, it would have succeeded after 20 s
        answer = requests.post(url, data={"prompt": "in a park"}, files=person, timeout=60)
        assert answer.status_code == 200


def _last_state(server: Server) -> str:
    """Of the newest job, as the database has it; "" before there is one."""
    with sqlite3.connect(f"file:{server.folder}/data/library.sqlite?mode=ro", uri=True) as connection:
        row = connection.execute("SELECT state FROM portrayals ORDER BY id DESC LIMIT 1").fetchone()
    return str(row[0]) if row else ""
