"""Secrets of an installation, signatures as each host makes them, keys for callers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from portrayal.service import signing
from portrayal.service.signing import Secrets, SecretsError, hash_key, key_prefix, new_api_key

BODY = json.dumps({"status": "OK", "text": "Grüße, 世界"}, ensure_ascii=False).encode()
NOW = 1_790_000_000


@pytest.fixture
def own(tmp_path: Path) -> Secrets:
    return Secrets.load(tmp_path / "service")


def _public(own: Secrets) -> Ed25519PublicKey:
    """The key as a receiver gets it: out of the served JSON."""
    (key,) = json.loads(json.dumps(own.jwks()))["keys"]
    assert (key["kty"], key["crv"], key["use"]) == ("OKP", "Ed25519", "sig")
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "=="))


def test_the_same_secrets_come_back(tmp_path: Path) -> None:
    first = Secrets.load(tmp_path / "a" / "b")
    assert Secrets.load(tmp_path / "a" / "b") == first
    assert Secrets.load(tmp_path / "c") != first
    assert len({first.ed25519, first.url, first.webhook}) == 3
    assert {len(part) for part in (first.ed25519, first.url, first.webhook)} == {32}


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")
def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    Secrets.load(tmp_path / "service")
    (file,) = (tmp_path / "service").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_one_line_of_text_holds_all(own: Secrets) -> None:
    text = own.to_text()
    assert Secrets.from_text(text) == own
    assert Secrets.from_text(text + "\n") == own
    assert text.isascii()
    assert not re.search(r"\s", text)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:-1],
        lambda text: text[:60],
        lambda text: text.replace("-1.", "-2.", 1),
        lambda text: text + ".AAAA",
        lambda text: text[:30] + "*" + text[31:],
        lambda text: "pass\ufffdword",
    ],
)
def test_damaged_secrets_are_refused_and_not_quoted(own: Secrets, tmp_path: Path, damage: object) -> None:
    assert callable(damage)
    text = damage(own.to_text())
    with pytest.raises(SecretsError) as caught:
        Secrets.from_text(text)
    assert not text or text not in str(caught.value)
    (tmp_path / signing.FILE).write_text(text + "\n", encoding="utf-8")
    with pytest.raises(SecretsError, match="backup"):
        Secrets.load(tmp_path)


def test_secrets_show_nothing_of_themselves(own: Secrets) -> None:
    shown = repr(own) + str(own)
    for part in (own.ed25519, own.url, own.webhook):
        assert part.hex() not in shown
        assert repr(part) not in shown
    assert own.webhook_secret[6:] not in shown


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SecretsError, match=r"data_dir: .*PORTRAYAL_DATA_DIR"):
        Secrets.load(tmp_path / "file" / "folder")


@pytest.mark.parametrize("links", [True, False])
def test_processes_that_start_at_once_get_the_same(tmp_path: Path, links: bool) -> None:
    """Six processes wait for one file, then load; `links` off: a file system without hard links."""
    code = """
import os, sys, time, pathlib
from portrayal.service.signing import Secrets
folder, start, links = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3] == "True"
if not links:
    def refuse(*_): raise PermissionError(1, "no links here")
    os.link = refuse
print("ready", flush=True)
while not start.exists(): time.sleep(0.001)
print(Secrets.load(folder).to_text())
"""
    start = tmp_path / "start"
    command = [sys.executable, "-c", code, str(tmp_path / "service"), str(start), str(links)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    start.touch()
    texts = {process.communicate(timeout=30)[0].strip() for process in running}
    assert len(texts) == 1
    assert Secrets.load(tmp_path / "service") == Secrets.from_text(texts.pop())
    assert [file.name for file in (tmp_path / "service").iterdir()] == [signing.FILE]


def test_the_name_of_the_key_is_its_thumbprint() -> None:
    """The example of RFC 8037, appendix A."""
    seed = base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    own = Secrets(seed, b"u" * 32, b"w" * 32)
    (key,) = own.jwks()["keys"]
    assert key["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert key["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert own.key_id == key["kid"]


@pytest.mark.parametrize("host", ["ideogram", "fal"])
def test_webhooks_signed_with_the_key_pair(own: Secrets, host: str) -> None:
    make = own.ideogram_headers if host == "ideogram" else own.fal_headers
    headers = make("gen_1", "user-7", NOW, BODY)
    prefix = "X-Ideogram-Webhook-" if host == "ideogram" else "X-Fal-Webhook-"
    name = "Generation-Id" if host == "ideogram" else "Request-Id"
    assert (headers[prefix + name], headers[prefix + "User-Id"]) == ("gen_1", "user-7")
    assert set(headers) == {prefix + n for n in (name, "User-Id", "Timestamp", "Signature")} | (
        {prefix + "Key-Id"} if host == "ideogram" else set()
    )
    if host == "ideogram":
        assert headers[prefix + "Key-Id"] == own.jwks()["keys"][0]["kid"]
    signature = headers[prefix + "Signature"]
    assert re.fullmatch(r"[0-9a-f]{128}", signature)

    def check(body: bytes) -> None:
        """As the hosts tell their receivers to do it."""
        lines = ["gen_1", "user-7", headers[prefix + "Timestamp"], hashlib.sha256(body).hexdigest()]
        _public(own).verify(bytes.fromhex(signature), "\n".join(lines).encode("utf-8"))

    check(BODY)
    with pytest.raises(InvalidSignature):
        check(BODY + b" ")


def test_standard_webhooks(own: Secrets) -> None:
    headers = own.standard_webhook_headers("msg_1", NOW, BODY)
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", own.webhook_secret)
    assert own.webhook_secret.count("_") == 1
    key = base64.b64decode(own.webhook_secret.removeprefix("whsec_"), validate=True)
    version, _, value = headers["webhook-signature"].partition(",")
    signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), BODY))
    assert version == "v1"
    assert base64.b64decode(value) == hmac.new(key, signed, hashlib.sha256).digest()


def test_standard_webhooks_pass_the_client_of_replicate(own: Secrets) -> None:
    webhook = pytest.importorskip("replicate.webhook")
    secret = webhook.WebhookSigningSecret(key=own.webhook_secret)
    headers = own.standard_webhook_headers("msg_1", int(time.time()), BODY)
    webhook.Webhooks.validate(headers=headers, body=BODY.decode(), secret=secret, tolerance=300)
    with pytest.raises(webhook.InvalidSignatureError):
        webhook.Webhooks.validate(headers=headers, body=BODY.decode() + " ", secret=secret)
    other = webhook.WebhookSigningSecret(key=Secrets.new().webhook_secret)
    with pytest.raises(webhook.InvalidSignatureError):
        webhook.Webhooks.validate(headers=headers, body=BODY.decode(), secret=other)


def test_callbacks_of_kie(own: Secrets) -> None:
    headers = own.kie_headers("task_ideogram_1", NOW)
    assert headers["X-Webhook-Timestamp"] == str(NOW)
    mac = hmac.new(own.webhook_secret.encode(), f"task_ideogram_1.{NOW}".encode(), hashlib.sha256).digest()
    assert headers["X-Webhook-Signature"] == base64.b64encode(mac).decode()


def test_urls_are_good_until_they_expire(own: Secrets) -> None:
    signature = own.url_signature("/files/abc.png", NOW)
    assert re.fullmatch(r"[0-9a-f]{64}", signature)
    assert own.url_valid("/files/abc.png", NOW, signature, NOW - 0.5)
    assert own.url_valid("/files/abc.png", NOW, signature, NOW)
    assert not own.url_valid("/files/abc.png", NOW, signature, NOW + 0.5)


@pytest.mark.parametrize(
    ("path", "expires", "change"),
    [
        ("/files/abd.png", NOW, ""),
        ("/files/abc.png", NOW + 1, ""),
        ("/files/abc.png?x=1", NOW, ""),
        ("/files/abc.png", NOW, "upper"),
        ("/files/abc.png", NOW, "short"),
        ("/files/abc.png", NOW, "strange"),
        ("/files/abc.png", NOW, "empty"),
    ],
)
def test_other_urls_are_not(own: Secrets, path: str, expires: int, change: str) -> None:
    good = own.url_signature("/files/abc.png", NOW)
    given = {
        "": good, "upper": good.upper() + "A", "short": good[:-1], "strange": "é\ud800" + good[2:], "empty": "",
    }[change]  # fmt: skip
    assert not own.url_valid(path, expires, given, NOW - 1)
    assert not Secrets.new().url_valid("/files/abc.png", NOW, good, NOW - 1)


def test_no_path_stands_for_another_path_and_time(own: Secrets) -> None:
    assert own.url_signature("/a\n5", 1) != own.url_signature("/a", 1)
    assert own.url_signature("1\n/a", 5) != own.url_signature("/a", 51)


def test_keys_for_callers() -> None:
    keys = {new_api_key() for _ in range(200)}
    assert len(keys) == 200
    for key in keys:
        assert re.fullmatch(r"pk_[A-Za-z0-9]{43}", key)
        assert key.startswith(key_prefix(key))
        assert len(key_prefix(key)) == 9
    assert len({letter for key in keys for letter in key[3:]}) == 62
    assert hash_key("pk_x") == hashlib.sha256(b"pk_x").hexdigest()
    assert len({hash_key(key) for key in keys}) == 200
    assert len(hash_key("caf\u00e9\ud800")) == 64
