"""What a file says of its origin: the record, the credentials, and what becomes of them."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import re
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import SecretStr

from portrayal import credentials, finish, imaging, packets
from portrayal.credentials import keys, library
from portrayal.errors import CredentialsError, ImageReadError
from portrayal.origin import verify
from portrayal.request import Request
from portrayal.result import IdentityScore
from portrayal.settings import Settings

FORMATS = ("png", "jpeg", "webp")
SCORE = IdentityScore(kind="face", distance=0.21, score=0.91, same_person=True, bar=0.4)
COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/composite"


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    """Settings with a key of their own."""
    return Settings(data_dir=tmp_path / "data")


def _pixels(seed: int = 1) -> imaging.U8:
    y, x = np.mgrid[:96, :128]
    grain = np.random.default_rng(seed).integers(0, 9, (96, 128, 3))
    return (np.dstack([x, y, x + y]) + grain).clip(0, 255).astype(np.uint8)


REFERENCE = imaging.encode(_pixels(2))
SOURCE = imaging.encode(_pixels(3), "jpeg")


def _request(operation: str = "generate", **values: Any) -> Request:
    if operation == "generate":
        values.setdefault("prompt", "夜の東京 <&> ]]> \ufffe\u0001 end")
        values.setdefault("reference", REFERENCE)
    else:
        values.setdefault("image", SOURCE)
    return Request.make(operation=operation, **values)


def _file(kind: Any, settings: Settings, request: Request | None = None) -> bytes:
    request = request or _request()
    labelled = finish.label(imaging.encode(_pixels(), kind), request, 7, "studio", SCORE, settings.metadata)
    return finish.seal(labelled, request, settings)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_signed_file_says_everything_and_shows_the_same_pixels(kind: Any, own: Settings) -> None:
    data = _file(kind, own)
    found = verify(data, own)
    assert found["format"] == kind
    assert found["verdict"] == "made here"
    assert found["record"]["request"] == json.loads(json.dumps(_request().described()))
    assert found["record"]["seed"] == 7
    assert found["record"]["identity"]["distance"] == 0.21
    signed = found["credentials"]
    assert (signed["state"], signed["signer"], signed["bytes_hold"]) == ("valid", "this installation", True)
    assert signed["generator"].startswith("Portrayal ")
    assert signed["source_type"] == "composite"
    assert signed["actions"] == ("c2pa.created", "c2pa.placed")
    assert signed["ingredients"] == ({"title": "reference picture", "relation": "componentOf"},)
    assert signed["problems"] == ()
    assert np.array_equal(imaging.decode(data), imaging.decode(imaging.encode(_pixels(), kind)))
    assert json.dumps(found)


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_request_gives_the_same_bytes(kind: Any, own: Settings) -> None:
    files = {_file(kind, own) for _ in range(8)}
    assert len(files) == 1
    assert _file(kind, own, _request(prompt="another")) not in files


@pytest.mark.parametrize("kind", FORMATS)
def test_a_changed_picture_is_found_out(kind: Any, own: Settings) -> None:
    data = bytearray(_file(kind, own))
    at = {"png": data.find(b"IDAT") + 900, "jpeg": len(data) - 900, "webp": data.find(b"VP8 ") + 900}[kind]
    data[at] ^= 1
    found = verify(bytes(data), own)
    assert found["verdict"] == "tampered"
    assert found["credentials"]["bytes_hold"] is False
    assert "changed after it was signed" in found["lines"][0]


@pytest.mark.parametrize("kind", FORMATS)
def test_every_kind_of_change_to_the_credentials_is_found_out(kind: Any, own: Settings) -> None:
    data = _file(kind, own)
    for word in (b"c2pa.placed", b"Portrayal, self-signed", b"Portrayalgversion", b"composite"):
        at = data.rfind(word) + 1
        changed = data[: at - 1] + bytes([data[at - 1] ^ 1]) + data[at:]
        assert verify(changed, own)["verdict"] in ("tampered", "damaged")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_changed_record_is_found_out(kind: Any, own: Settings) -> None:
    data = _file(kind, own)
    changed = data.replace(b'"seed": 7', b'"seed": 8')
    assert changed != data
    if kind == "png":  # with a checksum that is right
        start, end = next((a, b) for _, a, b in _chunks(changed) if changed[a + 8 : b].startswith(b"portrayal\0"))
        import zlib

        changed = changed[: end - 4] + zlib.crc32(changed[start + 4 : end - 4]).to_bytes(4, "big") + changed[end:]
    found = verify(changed, own)
    assert found["record"]["seed"] == 8
    assert found["verdict"] == "tampered"


def _chunks(data: bytes) -> list[tuple[bytes, int, int]]:
    from portrayal.png import chunks

    return list(chunks(data))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_was_saved_again_says_nothing(kind: Any, own: Settings) -> None:
    out = io.BytesIO()
    Image.open(io.BytesIO(_file(kind, own))).convert("RGB").save(out, kind.upper())
    found = verify(out.getvalue(), own)
    assert (found["verdict"], found["record"], found["credentials"]["state"]) == ("unknown", None, "none")
    assert "says nothing of its origin" in found["lines"][0]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_was_cut_off(kind: Any, own: Settings) -> None:
    data = _file(kind, own)
    found = verify(data[: len(data) * 2 // 3], own)
    assert found["verdict"] in ("damaged", "tampered")
    assert found["pixels"] == "damaged"


@pytest.mark.parametrize("kind", FORMATS)
def test_a_key_of_somebody_else(kind: Any, own: Settings, tmp_path: Path) -> None:
    data = _file(kind, own)
    for there in (False, True):
        other = Settings(data_dir=tmp_path / f"other-{there}")
        if there:
            credentials.prepare(other)
        found = verify(data, other)
        assert found["verdict"] == "made by another"
        assert found["credentials"]["state"] == "valid"
        assert keys.path(other).exists() == there  # none is made for reading


@pytest.mark.parametrize("kind", FORMATS)
def test_credentials_off(kind: Any, own: Settings) -> None:
    off = own.model_copy(update={"credentials": False})
    assert credentials.prepare(off) == ()
    found = verify(_file(kind, off), off)
    assert found["verdict"] == "unsigned"
    assert "anybody could have written it" in found["lines"][0]
    assert not off.data_dir.exists()
    bare = off.model_copy(update={"metadata": False})
    assert _file(kind, bare) == imaging.encode(_pixels(), kind)
    assert verify(_file(kind, bare), bare)["verdict"] == "unknown"


@pytest.mark.parametrize("kind", FORMATS)
def test_metadata_off_keeps_the_credentials(kind: Any, own: Settings) -> None:
    quiet = own.model_copy(update={"metadata": False})
    data = _file(kind, quiet)
    found = verify(data, quiet)
    assert (found["verdict"], found["record"]) == ("made here", None)
    assert hashlib.sha256(REFERENCE).hexdigest().encode() not in data


@pytest.mark.parametrize("kind", FORMATS)
def test_without_the_library(kind: Any, own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = _file(kind, own)
    monkeypatch.setitem(sys.modules, "c2pa", None)
    assert library.load() is None
    assert "not signed" in credentials.prepare(own)[0]
    unsigned = _file(kind, own)
    assert finish.provenance(unsigned)
    assert len(unsigned) < len(signed)
    found = verify(signed, own)
    assert found["credentials"]["state"] == "unreadable"
    assert any("pip install c2pa-python" in line for line in found["lines"])


OPERATIONS: list[tuple[Request, list[str], list[tuple[str, str]], str]] = [
    (
        _request("edit", reference=REFERENCE),
        ["opened", "placed", "edited"],
        [("source picture", "parentOf"), ("reference picture", "componentOf")],
        "composite",
    ),
    (
        _request("remix", reference=REFERENCE),
        ["created", "placed", "placed"],
        [("inspiration", "componentOf"), ("reference picture", "componentOf")],
        "composite",
    ),
    (
        _request("remix", reference=REFERENCE, strength=0.0),
        ["created", "placed"],
        [("inspiration", "inputTo"), ("reference picture", "componentOf")],
        "composite",
    ),
    (_request("reframe", size=(1024, 1024)), ["opened", "edited"], [("source picture", "parentOf")], "composite"),
    (
        _request("replace-background", background=REFERENCE),
        ["opened", "placed", "edited"],
        [("source picture", "parentOf"), ("background picture", "componentOf")],
        "composite",
    ),
    (
        _request("remove-background"),
        ["opened", "edited"],
        [("source picture", "parentOf")],
        "algorithmicallyEnhanced",
    ),
    (_request("upscale"), ["opened", "resized"], [("source picture", "parentOf")], "algorithmicallyEnhanced"),
]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("index", range(len(OPERATIONS)))
def test_each_operation_is_told_truly(index: int, kind: Any, own: Settings) -> None:
    request, actions, ingredients, source_type = OPERATIONS[index]
    data = _file(kind, own, request)
    assert data == _file(kind, own, request)
    signed = verify(data, own)["credentials"]
    assert signed["state"] == "valid", signed["problems"]
    assert [a.removeprefix("c2pa.") for a in signed["actions"]] == actions
    assert sorted((i["title"], i["relation"]) for i in signed["ingredients"]) == sorted(ingredients)
    assert signed["source_type"] == source_type


@pytest.mark.parametrize("kind", FORMATS)
def test_the_history_of_a_signed_source_is_kept(kind: Any, own: Settings) -> None:
    request = _request("edit", image=_file(kind, own), reference=REFERENCE)
    data = _file(kind, own, request)
    for _ in range(3):  # until the manifests are longer than a segment of a JPEG file
        request = _request("edit", image=data, reference=_file("jpeg", own))
        data = _file(kind, own, request)
    assert data == _file(kind, own, request)
    found = verify(data, own)
    assert found["verdict"] == "made here", found["credentials"]["problems"]
    assert len(data) - len(_file(kind, own.model_copy(update={"credentials": False}), request)) > 66_000


@pytest.mark.parametrize("kind", FORMATS)
def test_a_tampered_source_does_not_spoil_the_edit(kind: Any, own: Settings) -> None:
    source = bytearray(_file(kind, own))
    source[source.rfind(b"c2pa.placed")] ^= 1
    data = _file(kind, own, _request("edit", image=bytes(source), reference=REFERENCE))
    assert verify(data, own)["credentials"]["state"] == "valid"


def test_the_longest_prompt_fits_into_a_jpeg(own: Settings) -> None:
    request = _request(prompt="\U0001f600" * 10_000, negative_prompt="<\U0001f600" * 5_000)
    for kind in FORMATS:
        found = verify(_file(kind, own, request), own)
        assert found["record"]["request"]["prompt"] == request.prompt
        assert found["record"]["request"]["negative_prompt"] == request.negative_prompt
        assert found["verdict"] == "made here"


@pytest.mark.parametrize("kind", FORMATS)
def test_other_programs_see_program_and_source_type(kind: Any, own: Settings) -> None:
    with Image.open(io.BytesIO(_file(kind, own))) as image:
        xmp = image.info["xmp"]
    shown = xmp.decode() if isinstance(xmp, bytes) else xmp
    assert packets.value(shown, "Iptc4xmpExt:DigitalSourceType") == COMPOSITE
    assert (packets.value(shown, "xmp:CreatorTool") or "").startswith("Portrayal ")
    from xml.dom import minidom

    assert minidom.parseString(shown.strip("\ufeff\0 ").encode()).documentElement is not None


def test_the_key_is_private_and_stays(own: Settings) -> None:
    credentials.prepare(own)
    path = keys.path(own)
    before = path.read_bytes()
    credentials.prepare(own)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_many_first_uses_at_once_make_one_key(own: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: keys.load(own).chain, range(8)))
    assert len(set(made)) == 1
    assert [p.name for p in keys.path(own).parent.iterdir()] == [keys.path(own).name]


def _given(folder: Path, curve: str, passphrase: str | None = None) -> Settings:
    """A key on a curve, with a certificate of an authority between, whose own certificate is not in the file."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def make() -> Any:
        return (
            ed25519.Ed25519PrivateKey.generate()
            if curve == "Ed25519"
            else ec.generate_private_key(getattr(ec, curve)())
        )

    root, middle, leaf = make(), make(), make()
    digest = None if curve == "Ed25519" else hashes.SHA256()
    now = datetime.datetime.now(datetime.UTC)

    def name(common: str) -> x509.Name:
        parts = ((NameOID.ORGANIZATION_NAME, "A newspaper"), (NameOID.COMMON_NAME, common))
        return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])

    def certificate(subject: str, issuer: str, key: Any, by: Any, ca: bool) -> bytes:
        uses = dict.fromkeys(keys._OTHER_USES, False)
        builder = (
            x509.CertificateBuilder(name(issuer), name(subject), key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=90))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(x509.KeyUsage(digital_signature=not ca, key_cert_sign=ca, **uses), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        )
        if not ca:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
            builder = builder.add_extension(usage, critical=False)
        return builder.sign(by, digest).public_bytes(serialization.Encoding.PEM)

    folder.mkdir(parents=True, exist_ok=True)
    lock: Any = serialization.NoEncryption()
    if passphrase:
        lock = serialization.BestAvailableEncryption(passphrase.encode())
    pem = leaf.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    (folder / "key.pem").write_bytes(pem)
    chain = certificate("Desk", "Middle", leaf, middle, False) + certificate("Middle", "Root", middle, root, True)
    (folder / "chain.pem").write_bytes(chain)
    return Settings(
        data_dir=folder / "data",
        signing_key=folder / "key.pem",
        signing_certificate=folder / "chain.pem",
        signing_passphrase=SecretStr(passphrase) if passphrase else None,
    )


@pytest.mark.parametrize("curve", ["Ed25519", "SECP256R1", "SECP384R1"])
def test_a_key_of_ones_own(curve: str, tmp_path: Path) -> None:
    given = _given(tmp_path, curve, "open sesame")
    credentials.prepare(given)
    for kind in FORMATS:
        data = _file(kind, given)
        assert data == _file(kind, given)
        found = verify(data, given)
        assert found["verdict"] == "made here", found["credentials"]
        assert (found["credentials"]["common_name"], found["credentials"]["issuer"]) == ("Desk", "A newspaper")
    assert not given.data_dir.exists()


@pytest.mark.parametrize(
    "case", ["wrong passphrase", "no passphrase", "no key", "not pem", "another's", "half", "rsa", "P-521"]
)
def test_a_key_that_cannot_be_used(case: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given = _given(tmp_path, "SECP521R1" if case == "P-521" else "SECP256R1", "open sesame")
    changes: dict[str, Any] = {
        "wrong passphrase": {"signing_passphrase": SecretStr("open barley")},
        "no passphrase": {"signing_passphrase": None},
        "no key": {"signing_key": tmp_path / "missing.pem"},
        "half": {"signing_certificate": None},
    }
    if case == "not pem":
        (tmp_path / "key.pem").write_bytes(b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    elif case == "another's":
        _given(tmp_path / "other", "SECP256R1")
        changes[case] = {"signing_certificate": tmp_path / "other" / "chain.pem"}
    elif case == "rsa":
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        pem = rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (tmp_path / "key.pem").write_bytes(pem)
    given = given.model_copy(update=changes.get(case, {}))
    with caplog.at_level(logging.DEBUG), pytest.raises(CredentialsError) as caught:
        credentials.prepare(given)
    assert caught.value.field in ("signing_key", "signing_certificate")
    assert caught.value.remedy
    said = f"{caught.value}{caught.value.__cause__}{caplog.text}{given!r}"
    assert "sesame" not in said
    assert "barley" not in said
    assert "c2VjcmV0" not in said


def test_a_folder_for_keys_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CredentialsError, match="PORTRAYAL_CREDENTIALS=false"):
        credentials.prepare(Settings(data_dir=tmp_path / "file" / "data"))


def test_no_private_name_gets_into_a_file(own: Settings) -> None:
    for kind in FORMATS:
        data = _file(kind, own)
        assert str(own.data_dir).encode() not in data
        assert b"PRIVATE" not in data
        # In text only: two letters stand in compressed or signed bytes by chance.
        readable = b"\n".join(re.findall(rb"[\x20-\x7e]{8,}", data))
        name = re.escape(os.uname().nodename.encode())
        assert re.search(rb"(?<![A-Za-z0-9])" + name + rb"(?![A-Za-z0-9])", readable) is None


@pytest.mark.parametrize("data", [b"", b"hello", b"RIFF____WEBPVP8 ", b"\xff\xd8\xff\xe1\x00"])
def test_what_is_no_picture_is_refused(data: bytes, own: Settings) -> None:
    with pytest.raises(ImageReadError):
        verify(data, own)


def test_other_pictures_say_nothing(own: Settings, sample: bytes) -> None:
    assert verify(sample, own)["verdict"] == "unknown"
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "TIFF")
    assert verify(out.getvalue(), own)["verdict"] == "unknown"
