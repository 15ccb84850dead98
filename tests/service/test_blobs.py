"""Blobs in a folder and in an object store."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from wsgiref.handlers import format_date_time
from xml.sax.saxutils import escape

import pytest

from portrayal.errors import InvalidRequestError, MissingDataError
from portrayal.service.blobs import Blobs
from portrayal.settings import Settings


class FakeS3(BaseHTTPRequestHandler):
    """So much of S3 as a store of blobs needs; what it holds is in `kept`: key -> bytes and time."""

    kept: dict[str, tuple[bytes, float]]

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/bucket").lstrip("/")

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["content-length"]))
        self.kept[self._key()] = (data, time.time())
        self._answer(200, etag=f'"{hashlib.md5(data).hexdigest()}"')

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            prefix = query.get("prefix", [""])[0]
            items = "".join(
                f"<Contents><Key>{escape(key)}</Key><LastModified>"
                f"{time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime(at))}</LastModified>"
                f"<ETag>&quot;0&quot;</ETag><Size>{len(data)}</Size></Contents>"
                for key, (data, at) in sorted(self.kept.items())
                if key.startswith(prefix)
            )
            body = f'<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>{items}</ListBucketResult>'
            self._answer(200, body.encode(), content_type="application/xml")
            return
        if self._key() not in self.kept:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        data, at = self.kept[self._key()]
        self._answer(200, data, etag='"0"', last_modified=format_date_time(at))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.kept.pop(self._key(), None)
        self._answer(204)

    def do_POST(self) -> None:
        """Delete several."""
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        keys = [part.split("</Key>")[0] for part in body.split("<Key>")[1:]]
        for key in keys:
            self.kept.pop(key, None)
        gone = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self._answer(200, f"<DeleteResult>{gone}</DeleteResult>".encode(), content_type="application/xml")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, tuple[bytes, float]]]:
    """What a fake S3 holds; the AWS_... variables lead to it."""
    kept: dict[str, tuple[bytes, float]] = {}
    handler = type("Handler", (FakeS3,), {"kept": kept})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    for name, value in {
        "AWS_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(params=["folder", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "folder":
        return Blobs(Settings(data_dir=tmp_path))
    request.getfixturevalue("bucket")
    return Blobs(Settings(data_dir=tmp_path, blobs_url="s3://bucket/some/prefix"))


def test_what_is_put_is_got_listed_and_deleted(blobs: Blobs) -> None:
    data = b"picture" * 1000
    digest = blobs.put(data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert blobs.get(digest) == data
    assert blobs.has(digest)
    assert [(b.digest, b.size) for b in blobs.listed()] == [(digest, 7000)]
    written = blobs.written(digest)
    assert written is not None
    assert abs(written - time.time()) < 60
    blobs.delete(digest)
    assert not blobs.has(digest)
    assert blobs.written(digest) is None
    with pytest.raises(MissingDataError, match="missing"):
        blobs.get(digest)


def test_an_empty_store_is_empty(blobs: Blobs) -> None:
    assert list(blobs.listed()) == []
    assert blobs.dangling(0) == []


def test_many_put_the_same_at_once(blobs: Blobs) -> None:
    data = os.urandom(300_000)
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(lambda _: blobs.put(data), range(24)))
    assert len(digests) == 1
    assert blobs.get(digests.pop()) == data
    assert len(list(blobs.listed())) == 1


def test_s3_uses_bucket_and_prefix(bucket: dict[str, tuple[bytes, float]], tmp_path: Path) -> None:
    digest = Blobs(Settings(data_dir=tmp_path, blobs_url="s3://bucket/some/prefix")).put(b"x")
    assert list(bucket) == [f"some/prefix/{digest[:2]}/{digest}"]
    assert not (tmp_path / "blobs").exists()


def test_changed_bytes_are_not_given_out(tmp_path: Path) -> None:
    blobs = Blobs(Settings(data_dir=tmp_path))
    digest = blobs.put(b"a picture")
    (tmp_path / "blobs" / digest[:2] / digest).write_bytes(b"a pictura")
    with pytest.raises(MissingDataError, match="changed"):
        blobs.get(digest)


def test_only_the_owner_can_look(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        digest = Blobs(Settings(data_dir=tmp_path)).put(b"x")
    finally:
        os.umask(old)
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "blobs", tmp_path / "blobs" / digest[:2])]
    assert modes == [0o700, 0o700]
    assert stat.S_IMODE((tmp_path / "blobs" / digest[:2] / digest).stat().st_mode) == 0o600


def test_another_folder(tmp_path: Path) -> None:
    for where in (str(tmp_path / "a"), f"file://{tmp_path / 'b'}"):
        digest = Blobs(Settings(data_dir=tmp_path, blobs_url=where)).put(b"x")
        assert (Path(where.removeprefix("file://")) / digest[:2] / digest).exists()


def test_old_bytes_that_are_put_again_are_young_again(tmp_path: Path) -> None:
    blobs = Blobs(Settings(data_dir=tmp_path))
    digest = blobs.put(b"x")
    path = tmp_path / "blobs" / digest[:2] / digest
    inode = path.stat().st_ino
    blobs.put(b"x")
    assert path.stat().st_ino == inode, "writing twice is writing once"
    os.utime(path, (1e9, 1e9))
    blobs.put(b"x")
    assert time.time() - path.stat().st_mtime < 60


@pytest.mark.parametrize("where", ["ftp://host/x", "s3://", "nonsense://"])
def test_an_address_of_no_store_is_refused(tmp_path: Path, where: str) -> None:
    with pytest.raises(InvalidRequestError, match="PORTRAYAL_BLOBS_URL"):
        Blobs(Settings(data_dir=tmp_path, blobs_url=where))
