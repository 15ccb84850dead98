"""The guard of fetched URLs: what it lets through, against servers that are really there; what it refuses, by table."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import gzip
import io
import ipaddress
import pickle
import ssl
import tomllib
import tracemalloc
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpcore2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from portrayal.errors import InvalidRequestError
from portrayal.service.addresses import RefusedURLError, is_public, parsed
from portrayal.service.fetching import FetchError, Guard, data_uri

T = TypeVar("T")
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
TABLES: dict[str, list[str]] = tomllib.loads((Path(__file__).parents[1] / "data" / "urls.toml").read_text("utf-8"))
PUBLIC = "93.184.215.14"


def _png(side: int = 64) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((side, side), 80).save(out, "PNG")
    return out.getvalue()


PNG = _png()


def run(work: Coroutine[Any, Any, T]) -> T:
    """In an event loop of its own, which also shows that a guard is bound to none."""
    return asyncio.run(work)


class Server:
    """Answers on 127.0.0.1 as it is told to, and keeps what was asked."""

    def __init__(self, answer: bytes | Handler, tls: ssl.SSLContext | None = None) -> None:
        self.answer, self.tls = answer, tls
        self.requests: list[bytes] = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = [int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
            self.requests.append(head + (await reader.readexactly(length[0]) if length else b""))
            if isinstance(self.answer, bytes):
                writer.write(self.answer)
                await writer.drain()
            else:
                await self.answer(reader, writer)
        writer.close()

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/picture.png"


def reply(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    named = {"content-length": str(len(body))} | {k.replace("_", "-"): v for k, v in headers.items()}
    lines = "".join(f"{k}: {v}\r\n" for k, v in named.items())
    return f"HTTP/1.1 {status}\r\n{lines}connection: close\r\n\r\n".encode() + body


def guard(*allowed: str, **options: Any) -> Guard:
    return Guard(allow_private=allowed, **({"max_bytes": 100_000, "timeout": 10.0} | options))


def names(table: dict[str, list[str]]) -> Callable[[str, int], Awaitable[list[str]]]:
    """A resolver that knows these names, and answers once more than one answer is given for a look-up in turn."""

    async def resolve(host: str, port: int) -> list[str]:
        if host not in table:
            raise OSError("no such name")
        return table[host]

    return resolve


async def fetched(answer: bytes | Handler, *allowed: str, path: str = "", **options: Any) -> bytes:
    async with Server(answer) as server:
        return await guard(*(allowed or ("127.0.0.1",)), **options).image(server.url + path, "image")


def failed(answer: bytes | Handler, *allowed: str, path: str = "", **options: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        run(fetched(answer, *allowed, path=path, **options))
    assert caught.value.field == "image"
    assert caught.value.remedy
    return caught.value


# What works


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.0.0.0/8", "0.0.0.0/0"])
def test_an_allowed_address_is_fetched(allowed: str) -> None:
    assert run(fetched(reply(PNG), allowed)) == PNG


def test_an_allowed_name_is_fetched_with_its_own_name_in_the_request() -> None:
    async def work() -> tuple[bytes, bytes, int]:
        async with Server(reply(PNG)) as server:
            known = guard("Pictures.Example.", resolve=names({"pictures.example": ["127.0.0.1"]}))
            got = await known.image(f"http://PICTURES.example.:{server.port}/a b.png?x=ä#part".replace(" ", "%20"), "i")
            return got, server.requests[0], server.port

    got, request, port = run(work())
    assert got == PNG
    assert request.startswith(b"GET /a%20b.png?x=%C3%A4 HTTP/1.1\r\n")
    assert f"host: pictures.example:{port}\r\n".encode() in request.lower()
    assert b"accept-encoding: identity\r\n" in request.lower()


def test_the_resolver_of_the_system_is_asked() -> None:
    async def work(*allowed: str) -> bytes:
        async with Server(reply(PNG)) as server:
            return await guard(*allowed).image(f"http://localhost:{server.port}/", "image")

    assert run(work("localhost")) == PNG
    with pytest.raises(FetchError) as caught:
        run(work())
    assert caught.value.kind == "refused"


def test_one_guard_serves_several_event_loops() -> None:
    one = guard("127.0.0.1")

    async def work() -> bytes:
        async with Server(reply(PNG)) as server:
            return await one.image(server.url, "image")

    assert run(work()) == run(work()) == PNG


def test_a_body_without_length_or_in_chunks_is_read_to_its_end() -> None:
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(PNG[i : i + 999]), PNG[i : i + 999]) for i in range(0, len(PNG), 999))
    head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n"
    assert run(fetched(head + b"\r\n" + PNG)) == PNG
    assert run(fetched(head + b"transfer-encoding: chunked\r\n\r\n" + chunked + b"0\r\n\r\n")) == PNG


@pytest.mark.parametrize(("coding", "packed"), [("gzip", gzip.compress(PNG)), ("deflate", zlib.compress(PNG))])
def test_a_body_that_is_compressed_unasked_is_unpacked(coding: str, packed: bytes) -> None:
    assert run(fetched(reply(packed, content_encoding=coding))) == PNG


def test_redirects_are_followed() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(b"", "302 Found", location="/two?a=1") if not seen else reply(PNG))
        seen.append(1)
        await writer.drain()

    seen: list[int] = []
    assert run(fetched(answer)) == PNG
    assert len(seen) == 2


def test_a_second_address_is_tried_when_the_first_does_not_answer() -> None:
    async def work() -> bytes:
        async with Server(reply(PNG)) as server:
            both = names({"two.example": ["::1", "127.0.0.1"]})  # the server listens on IPv4 only
            return await guard("two.example", resolve=both).image(f"http://two.example:{server.port}/", "image")

    assert run(work()) == PNG


# What is refused: addresses


def test_a_private_address_is_refused_and_never_connected() -> None:
    async def work() -> list[bytes]:
        async with Server(reply(PNG)) as server:
            with pytest.raises(FetchError) as caught:
                await guard().image(server.url, "image")
            assert caught.value.kind == "refused"
            return server.requests

    assert run(work()) == []


@pytest.mark.parametrize("address", TABLES["closed"])
def test_closed_addresses(address: str) -> None:
    """As an answer of the resolver, alone and behind a public one; and as the host itself."""
    assert not is_public(ipaddress.ip_address(address))
    for answers in ([address], [PUBLIC, address]):
        with pytest.raises(FetchError) as caught:
            run(guard(resolve=names({"a.example": answers})).check("http://a.example/", "webhook"))
        assert caught.value.kind == "refused"
    if "%" not in address:
        host = f"[{address}]" if ":" in address else address
        with pytest.raises(FetchError) as caught:
            run(guard().check(f"http://{host}:8080/", "webhook"))
        assert caught.value.kind == "refused"


@pytest.mark.parametrize("address", TABLES["open"])
def test_open_addresses(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))
    run(guard(resolve=names({"a.example": [address]})).check("https://a.example/", "webhook", https_only=True))
    run(guard().check(f"http://[{address}]/" if ":" in address else f"http://{address}/", "webhook"))


@given(st.ip_addresses())
def test_nothing_is_open_that_python_knows_to_be_closed(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if is_public(address) and address not in ipaddress.ip_network("64:ff9b::/96"):
        plain = getattr(address, "ipv4_mapped", None) or address
        assert plain.is_global
        assert not plain.is_multicast
        assert not plain.is_reserved


UNPRINTABLE = [
    "http://example.com/a b",
    "http://exa\tmple.com/",
    "http://example.com/\r\nX: y",
    "http://\ud800.example/",
    "",
    "http://a/" + 9000 * "x",
]


@pytest.mark.parametrize("url", TABLES["odd"] + UNPRINTABLE)
def test_odd_urls_are_refused(url: str) -> None:
    """Whatever the resolver would say of what is in them."""

    async def resolve(host: str, port: int) -> list[str]:
        return [PUBLIC]

    with pytest.raises(FetchError) as caught:
        run(guard(resolve=resolve).image(url, "image"))
    assert caught.value.kind == "refused"
    assert caught.value.field == "image"


def test_a_url_with_a_password_is_told_so() -> None:
    with pytest.raises(FetchError, match="a user name or a password"):
        run(guard().image("http://user:secret@example.com/", "image"))


def test_ordinary_urls_are_read_as_they_are_meant() -> None:
    place = parsed("  HTTPS://Bücher.Example:8443/a%20b/(c)?q=[1]&t=a+b/~x#part\n")
    assert (place.scheme, place.host, place.port) == ("https", "xn--bcher-kva.example", 8443)
    assert place.target == "/a%20b/(c)?q=%5B1%5D&t=a+b/~x"
    assert parsed("http://a.example?x=1").target == "/?x=1"
    assert parsed("http://a.example:80").authority == "a.example"
    assert parsed("http://[2A00:1450::8]:8080/").authority == "[2a00:1450::8]:8080"
    assert parsed("https://under_score.example/").host == "under_score.example"


@given(st.text(alphabet="htps:/@[]%.#?\\ 0127afx１。\x00ä-_", max_size=40))
def test_reading_a_url_never_fails_otherwise(text: str) -> None:
    for url in (text, f"http://{text}"):
        with contextlib.suppress(RefusedURLError):
            again = parsed(parsed(url).url)
            assert again.url == parsed(url).url


# What is refused: names


def test_a_name_that_leads_to_a_private_address_is_refused_without_naming_it() -> None:
    one = guard(resolve=names({"intranet.example": ["10.1.2.3"]}))
    with pytest.raises(FetchError) as caught:
        run(one.image("http://intranet.example/a.png", "image"))
    assert caught.value.kind == "refused"
    assert "10.1.2.3" not in str(caught.value)


def test_the_address_that_was_checked_is_the_one_that_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the resolver says a public address first and a private one ever after."""
    asked: list[str] = []
    connected: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return [PUBLIC] if len(asked) == 1 else ["127.0.0.1"]

    async def connect(self: object, host: str, port: int, *rest: object, **more: object) -> Any:
        connected.append(host)
        raise httpcore2.ConnectError

    monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", connect)
    one = guard(resolve=resolve)
    with pytest.raises(FetchError) as caught:
        run(one.image("http://rebind.example/a.png", "image"))
    assert caught.value.kind == "unreachable"
    assert (asked, connected) == (["rebind.example"], [PUBLIC])
    with pytest.raises(FetchError) as caught:
        run(one.post("http://rebind.example/hook", b"", {}))
    assert caught.value.kind == "refused"
    assert connected == [PUBLIC]


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(FetchError) as caught:
        run(guard(resolve=names({})).check("http://nowhere.example/", "webhook"))
    assert (caught.value.kind, caught.value.field) == ("unreachable", "webhook")


@pytest.mark.parametrize("entry", ["10.0.0.0/33", "a b", "http://nas.local", "nas.local/", "nas:8080", "", "u@nas"])
def test_a_setting_that_names_no_host_is_an_error(entry: str) -> None:
    with pytest.raises(InvalidRequestError, match="allow_private"):
        guard(entry)


# What is refused: answers


def test_a_redirect_to_a_private_address_is_refused() -> None:
    async def work() -> int:
        async with Server(reply(PNG)) as inner:
            hop = reply(b"", "302 Found", location=f"http://127.0.0.1:{inner.port}/")
            async with Server(hop) as outer:
                known = guard("outer.example", resolve=names({"outer.example": ["127.0.0.1"]}))
                with pytest.raises(FetchError) as caught:
                    await known.image(f"http://outer.example:{outer.port}/", "image")
                assert caught.value.kind == "refused"
                return len(inner.requests)

    assert run(work()) == 0


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1/", "//169.254.169.254/latest", "file:///etc/passwd", "http://[::1", "http://u:pass@a.example/"],
)
def test_redirects_to_forbidden_places(location: str) -> None:
    known = names({"outer.example": ["127.0.0.1"]})

    async def work() -> None:
        async with Server(reply(b"", "307 Temporary Redirect", location=location)) as server:
            await guard("outer.example", resolve=known).image(f"http://outer.example:{server.port}/", "image")

    with pytest.raises(FetchError) as caught:
        run(work())
    assert caught.value.kind == "refused"
    assert "pass" not in str(caught.value).replace("password", "")


def test_a_loop_of_redirects_ends() -> None:
    asked: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(1)
        writer.write(reply(b"", "301 Moved", location="/picture.png"))
        await writer.drain()

    assert failed(answer).kind == "redirects"
    assert len(asked) == 4


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!DOCTYPE html><html><head><title>Log in</title></head></html>" * 9, "a web page"),
        (b"\n <html>", "a web page"),
        (b"GIF89a" + bytes(99), "a GIF"),
        (b"BM" + bytes(99), "a BMP"),
        (b"\0\0\0\x20ftypavif" + bytes(99), "an AVIF"),
        (b"\0\0\0\x20ftypheic" + bytes(99), "a HEIC"),
        (b'<?xml version="1.0"?><svg/>', "an SVG or XML file"),
        (b'{"error": "no"}', "a JSON text"),
        (b"just words", "a text"),
        ("é".encode() * 31 + "x€".encode(), "a text"),
        (b"%PDF-1.7", "a PDF"),
        (b"\x80\x81\x82" * 30, "an unknown kind of file"),
        (b"", "an empty file"),
    ],
)
def test_what_is_no_picture_is_named(body: bytes, said: str) -> None:
    error = failed(reply(body, content_type="image/png"))
    assert error.kind == "not_an_image"
    assert said in str(error)


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "500 Oops", "304 Not Modified", "302 Found"])
def test_other_statuses(status: str) -> None:
    error = failed(reply(b"" if status.startswith("304") else PNG, status))
    assert error.kind == "status"
    assert status[:3] in str(error)


def test_a_file_that_announces_too_much_is_not_read() -> None:
    assert failed(b"HTTP/1.1 200 OK\r\ncontent-length: 100001\r\n\r\n").kind == "too_large"


def test_an_endless_file_is_given_up() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + PNG)
        while True:
            writer.write(bytes(10_000))
            await writer.drain()

    assert failed(endless).kind == "too_large"


def test_an_endless_page_is_given_up_at_its_beginning() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n<html>")
        while True:
            writer.write(b" " * 100)
            await writer.drain()

    assert failed(endless, max_bytes=10**12).kind == "not_an_image"


def test_a_compressed_bomb_is_given_up_while_it_unpacks() -> None:
    bomb = gzip.compress(PNG + bytes(50_000_000))
    assert len(bomb) < 100_000
    tracemalloc.start()
    assert failed(reply(bomb, content_encoding="gzip")).kind == "too_large"
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(("coding", "body"), [("br", b"\x1b"), ("gzip", b"not gzip at all"), ("gzip, br", PNG)])
def test_codings_that_cannot_be_undone(coding: str, body: bytes) -> None:
    assert failed(reply(body, content_encoding=coding)).kind == "not_an_image"


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the caller gives up


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 90000\r\n\r\n" + PNG[:64])
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("answer", [_silence, _drip])
def test_a_server_that_does_not_finish(answer: Handler) -> None:
    assert failed(answer, timeout=0.3).kind == "timeout"


def test_a_resolver_that_does_not_finish() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        await asyncio.sleep(3600)
        return []

    with pytest.raises(FetchError) as caught:
        run(guard(resolve=resolve, connect_timeout=0.1).check("http://a.example/", "webhook"))
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n" + PNG[:100], b"+OK\r\n\r\n"],
)
def test_a_server_that_breaks_off_or_speaks_something_else(answer: bytes) -> None:
    assert failed(answer).kind == "unreachable"


def test_nobody_listens() -> None:
    async def work() -> str:
        async with Server(reply(PNG)) as server:
            url = server.url
        await server._server.wait_closed()
        return url

    with pytest.raises(FetchError) as caught:
        run(guard("127.0.0.1").image(run(work()), "image"))
    assert caught.value.kind == "unreachable"


# What errors say


def test_errors_keep_passwords_paths_and_queries_to_themselves() -> None:
    error = failed(reply(b"", "404 Not Found"), path="/hidden-path?token=hunter2")
    texts = [str(error), repr(error)]
    for url in (
        "http://bob:hunter2@a.example/?token=hunter2",
        "http://[hunter2]/",
        "ftp://h:hunter2@a.example/hunter2",
    ):
        with pytest.raises(FetchError) as caught:
            run(guard().image(url, "image"))
        texts += [str(caught.value), repr(caught.value)]
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__
    assert not any("hunter2" in text or "hidden-path" in text for text in texts)


def test_errors_survive_pickling() -> None:
    error = FetchError("status", "it answered 404", field="image", remedy="Check it.")
    again = pickle.loads(pickle.dumps(error))
    assert (again.kind, str(again)) == ("status", "image: it answered 404. Check it.")


# TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate of pictures.example that vouches for itself, and a server context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pictures.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("pictures.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    pem = folder / "certificate.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = folder / "key.pem"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return pem, context


@pytest.mark.parametrize(
    ("host", "trusted", "kind"),
    [
        ("pictures.example", True, None),
        ("pictures.example", False, "unreachable"),
        ("other.example", True, "unreachable"),
        ("127.0.0.1", True, "unreachable"),
    ],
)
def test_tls_is_verified_for_the_name_of_the_url(
    authority: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch, host: str, trusted: bool, kind: str | None
) -> None:
    pem, context = authority
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    known = names({"pictures.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]})

    async def work() -> bytes:
        async with Server(reply(PNG), context) as server:
            allowed = guard("pictures.example", "other.example", "127.0.0.1", resolve=known)
            return await allowed.image(f"https://{host}:{server.port}/", "image")

    if kind is None:
        assert run(work()) == PNG
    else:
        with pytest.raises(FetchError) as caught:
            run(work())
        assert caught.value.kind == kind
        assert "certificate" in str(caught.value)
    assert asked == [None if host == "127.0.0.1" else host]


# Webhooks


async def posted(answer: bytes | Handler, *allowed: str, **options: Any) -> tuple[int, list[bytes]]:
    async with Server(answer) as server:
        headers = {"Content-Type": "application/json", "webhook-id": "evt_1"}
        status = await guard(*allowed).post(server.url, b'{"a":1}', headers, **options)
        return status, server.requests


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "302 Found", "500 Oops"])
def test_a_webhook_gets_its_body_and_headers_and_its_status_comes_back(status: str) -> None:
    body = b"" if status.startswith("204") else b"thanks"
    got, requests = run(posted(reply(body, status, location="http://127.0.0.1:1/"), "127.0.0.1"))
    assert got == int(status[:3])
    (request,) = requests
    assert request.startswith(b"POST /picture.png HTTP/1.1\r\n")
    assert request.endswith(b'\r\n\r\n{"a":1}')
    assert b"webhook-id: evt_1\r\n" in request
    assert b"Content-Length: 7\r\n" in request


async def _thanks_that_hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
    await _silence(reader, writer)


def test_an_answer_that_hangs_was_an_answer() -> None:
    assert run(posted(_thanks_that_hang, "127.0.0.1", timeout=0.3))[0] == 200


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    sent: list[int] = []

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while len(sent) < 5000:
            writer.write(bytes(10_000))
            await writer.drain()
            sent.append(1)

    assert run(posted(endless, "127.0.0.1"))[0] == 200
    assert len(sent) < 5000  # 64 kB and what the sockets buffer, not all of the 50 MB


def test_webhooks_pass_the_same_guard() -> None:
    for allowed, answer, kind in ((), reply(b""), "refused"), (("127.0.0.1",), _silence, "timeout"):
        with pytest.raises(FetchError) as caught:
            run(posted(answer, *allowed, timeout=0.2))
        assert caught.value.kind == kind


def test_a_webhook_may_have_to_be_https() -> None:
    with pytest.raises(FetchError) as caught:
        run(guard().check("http://8.8.8.8/", "webhook_url", https_only=True))
    assert (caught.value.kind, caught.value.field) == ("refused", "webhook_url")


# Data URIs


@pytest.mark.parametrize(
    "uri",
    [
        "data:image/png;base64," + b64encode(PNG).decode(),
        "DATA:text/html;charset=utf-8;BASE64," + b64encode(PNG).decode(),
        "data:;base64," + b64encode(PNG).decode().rstrip("="),
        "data:image/png;base64," + urlsafe_b64encode(PNG).decode().rstrip("="),
        "data:image/png;base64," + quote(b64encode(PNG).decode(), safe=""),
        " data:image/png;base64,\n" + "\r\n".join(b64encode(PNG).decode()[i : i + 76] for i in range(0, 9999, 76)),
        "data:image/png," + quote(PNG),
        "data:," + quote(PNG),
    ],
)
def test_data_uris(uri: str) -> None:
    assert data_uri(uri, "image", len(PNG)) == PNG


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("data:image/png;base64," + b64encode(PNG + b"\0").decode(), "too_large"),
        ("data:image/png," + quote(PNG + b"\0"), "too_large"),
        ("data:image/png;base64," + "A" * 10_000_000, "too_large"),
        ("data:image/png;base64", "not_an_image"),
        ("data:image/png;base64,", "not_an_image"),
        ("data:image/png;base64,iVBORw0K!Ggo", "not_an_image"),
        ("data:image/png;base64,iVBOR", "not_an_image"),
        ("data:image/png;base64,iVBO=Rw0KGgo=", "not_an_image"),
        ("data:image/png;base64,====", "not_an_image"),
        ("data:image/png;base64," + b64encode(b"<html>").decode(), "not_an_image"),
        ("data:image/png,hello", "not_an_image"),
        ("data:image/png;base64,ïVBORw0KGgo=", "not_an_image"),
        ("http://example.com/a.png", "not_an_image"),
        ("", "not_an_image"),
    ],
)
def test_bad_data_uris(uri: str, kind: str) -> None:
    with pytest.raises(FetchError) as caught:
        data_uri(uri, "mask", len(PNG))
    assert (caught.value.kind, caught.value.field) == (kind, "mask")
    assert len(str(caught.value)) < 200
