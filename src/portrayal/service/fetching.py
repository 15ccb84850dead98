"""The one guard of every URL that a caller supplies: pictures to fetch, webhooks to call.

A URL is read once and strictly; its name is looked up once, every answer is judged, and one of these very addresses is
connected, so that a name cannot change its mind in between (DNS rebinding). Redirects are followed by hand, each
through the same door. No proxy of the environment is used: it would do its own look-up. The rules follow the OWASP
"Server-Side Request Forgery Prevention" cheat sheet.
"""

from __future__ import annotations

import asyncio
import binascii
import contextlib
import ipaddress
import re
import socket
import ssl
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import cached_property
from typing import Final, Literal, TypeAlias
from urllib.parse import unquote_to_bytes, urljoin

import httpcore2

from portrayal._version import __version__
from portrayal.errors import InvalidRequestError, PortrayalError
from portrayal.service import sniffing
from portrayal.service.addresses import Address, Network, Place, RefusedURLError, is_public, normal, parsed

Kind: TypeAlias = Literal["refused", "unreachable", "timeout", "too_large", "status", "redirects", "not_an_image"]
Resolve: TypeAlias = Callable[[str, int], Awaitable[Iterable[str]]]

_REDIRECTS: Final = (301, 302, 303, 307, 308)
_MAX_ANSWER: Final = 64 * 1024  # bytes that are read of the answer to a webhook
_TRIES: Final = 4  # addresses of one name
_AGENT: Final = f"portrayal/{__version__}"
_CODED: Final = ("gzip", "x-gzip", "deflate")
_DATA_URI: Final = re.compile(r"data:(?P<head>[^,]*),(?P<body>.*)", re.IGNORECASE | re.DOTALL)
_GIVE_FILE: Final = "Give the URL of a JPEG, PNG or WebP file, or send the file itself."
_GIVE_PUBLIC: Final = "Give a public http or https URL, or have the operator allow this one."


class FetchError(PortrayalError):
    """A URL was not fetched or called. The text names its host at most: no path, no query, no password.

    Attributes:
        kind: "refused": the URL is not followed for anybody; "unreachable": no such name, no connection, no valid TLS
            or HTTP; "timeout"; "too_large"; "status": the server answered with an error; "redirects": too many;
            "not_an_image".
    """

    def __init__(self, kind: Kind, message: str, *, field: str = "", remedy: str = "") -> None:
        super().__init__(message, field=field, remedy=remedy)
        self.kind: Kind = kind
        self.args = (kind, message)  # so that it survives pickling


class Guard:
    """Fetches and posts to URLs of strangers. It may be shared by threads and event loops.

    Args:
        allow_private: host names, addresses and networks (CIDR) that may be reached although they are not public.
        max_bytes: size of a fetched picture.
        timeout: seconds for one picture in all, redirects included.
        connect_timeout: seconds for one connection.
        max_redirects: how many are followed.
        resolve: looks up a name: (host, port) to addresses; the system's resolver by default.

    Raises:
        InvalidRequestError: an entry of `allow_private` is none of the three.
    """

    def __init__(
        self,
        *,
        allow_private: tuple[str, ...] = (),
        max_bytes: int,
        timeout: float = 20.0,
        connect_timeout: float = 5.0,
        max_redirects: int = 3,
        resolve: Resolve | None = None,
    ) -> None:
        self._names, self._networks = _allowed(allow_private)
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._max_redirects = max_redirects
        self._resolve = resolve or _system_resolve

    async def image(self, url: str, field: str) -> bytes:
        """Fetch a picture.

        The bytes start like a JPEG, PNG or WebP file and are within the limit; whether they are a whole picture, the
        caller finds out by `pictures.accepted`.

        Args:
            url: where it is.
            field: name of the request field, for the errors.

        Raises:
            FetchError: of any kind.
        """
        with _in_words(field):
            async with asyncio.timeout(self._timeout):
                place = parsed(url)
                for _ in range(self._max_redirects + 1):
                    answer = await self._get(place, field)
                    if isinstance(answer, bytes):
                        return answer
                    place = parsed(answer)
        raise FetchError(
            "redirects", f"the URL redirects more than {self._max_redirects} times", field=field, remedy=_GIVE_FILE
        )

    async def check(self, url: str, field: str, *, https_only: bool = False) -> None:
        """Judge a URL as `image` and `post` would, without a request.

        Args:
            url: e.g. that of a webhook.
            field: name of the request field, for the errors.
            https_only: refuse plain http.

        Raises:
            FetchError: "refused", "unreachable" when the name cannot be looked up, or "timeout".
        """
        with _in_words(field):
            place = parsed(url)
            if https_only and place.scheme != "https":
                raise RefusedURLError("only https URLs are called")
            async with asyncio.timeout(self._connect_timeout):
                await self._addresses(place.host, place.port)

    async def post(self, url: str, body: bytes, headers: dict[str, str], *, timeout: float = 15.0) -> int:
        """POST something to a webhook; redirects are not followed.

        Args:
            url: the webhook.
            body: what is sent, as it was signed.
            headers: of the request; Host, Content-Length and User-Agent are added.
            timeout: seconds in all.

        Returns:
            the HTTP status of the answer, of which at most 64 kB are read.

        Raises:
            FetchError: "refused", "unreachable" or "timeout": no answer came.
        """
        status: int | None = None
        with _in_words(""):
            try:
                async with asyncio.timeout(timeout):
                    place = parsed(url)
                    async with self._connection(place) as connection:
                        sent = [(b"Host", place.authority.encode()), (b"User-Agent", _AGENT.encode())]
                        sent += [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
                        async with connection.stream("POST", _target(place), headers=sent, content=body) as answer:
                            status = answer.status
                            await _drained(answer, _MAX_ANSWER)
            except (TimeoutError, httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError):
                if status is None:  # else it was delivered, and what the answer says more is of no interest
                    raise
        assert status is not None
        return status

    async def _get(self, place: Place, field: str) -> bytes | str:
        """The picture, or where the server sends us for it."""
        sent = [
            (b"Host", place.authority.encode()),
            (b"User-Agent", _AGENT.encode()),
            (b"Accept", b"image/png, image/jpeg, image/webp;q=0.9, */*;q=0.1"),
            (b"Accept-Encoding", b"identity"),
        ]
        async with (
            self._connection(place) as connection,
            connection.stream("GET", _target(place), headers=sent) as answer,
        ):
            headers = {name.lower(): value for name, value in answer.headers}
            if answer.status in _REDIRECTS and (location := headers.get(b"location")):
                return _joined(place.url, location)
            if not 200 <= answer.status < 300:
                raise FetchError(
                    "status",
                    f"{place.host} answered with status {answer.status}",
                    field=field,
                    remedy="Check that the URL can be opened without a login.",
                )
            return await self._picture(answer, headers, field)

    async def _picture(self, answer: httpcore2.Response, headers: dict[bytes, bytes], field: str) -> bytes:
        """The body within the limit, given up at once when it does not start like a picture."""
        length = headers.get(b"content-length", b"")
        if length.isdigit() and len(length) < 20 and int(length) > self._max_bytes:
            raise self._too_large(field)
        coding = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
        if coding not in ("", "identity", *_CODED):
            raise FetchError("not_an_image", "the answer is compressed, unasked", field=field, remedy=_GIVE_FILE)
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 32) if coding in _CODED else None
        body, received = bytearray(), 0
        async for chunk in answer.aiter_stream():
            received += len(chunk)
            if unpack is not None:
                chunk = unpack.decompress(chunk, self._max_bytes + 1 - len(body))
            begun = len(body) >= sniffing.ENOUGH
            body += chunk
            if max(received, len(body)) > self._max_bytes:
                raise self._too_large(field)
            if not begun and len(body) >= sniffing.ENOUGH:
                _check_image(bytes(body[: sniffing.ENOUGH]), field)
        _check_image(bytes(body[: sniffing.ENOUGH]), field)
        return bytes(body)

    def _too_large(self, field: str) -> FetchError:
        megabytes = self._max_bytes / (1024 * 1024)
        return FetchError(
            "too_large", f"the file has more than {megabytes:.4g} MB", field=field, remedy="Give a smaller one."
        )

    def _connection(self, place: Place) -> httpcore2.AsyncHTTPConnection:
        return httpcore2.AsyncHTTPConnection(
            origin=_target(place).origin,
            ssl_context=self._tls if place.scheme == "https" else None,
            network_backend=_Pinned(self._addresses, self._connect_timeout),
        )

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpcore2.default_ssl_context()  # verifies certificate and name; knows SSL_CERT_FILE

    async def _addresses(self, host: str, port: int) -> list[Address]:
        """The addresses of a host, all of which may be connected.

        Raises:
            RefusedURLError: one of them may not.
            FetchError: "unreachable": it has none.
        """
        try:
            answers = [str(ipaddress.ip_address(host))]
        except ValueError:
            try:
                answers = list(await self._resolve(host, port))
            except (OSError, UnicodeError):  # no such name
                answers = []
        found = [normal(ipaddress.ip_address(answer)) for answer in dict.fromkeys(answers)]
        if not found:
            raise FetchError("unreachable", f"there is no host {host}", remedy="Check the URL.")
        if host not in self._names:
            for address in found:
                if not is_public(address) and not any(address in network for network in self._networks):
                    raise RefusedURLError("the URL leads to an address that is not public")
        return found


class _Pinned(httpcore2.AsyncNetworkBackend):
    """Looks a host up, judges what was found, and connects to nothing else."""

    def __init__(self, addresses: Callable[[str, int], Awaitable[list[Address]]], timeout: float) -> None:
        self._addresses = addresses
        self._timeout = timeout
        self._sockets = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address of `host` that answers."""
        failed: Exception = httpcore2.ConnectError()
        for address in (await self._addresses(host, port))[:_TRIES]:
            try:
                return await self._sockets.connect_tcp(str(address), port, self._timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed


def _allowed(entries: tuple[str, ...]) -> tuple[frozenset[str], tuple[Network, ...]]:
    """Names and networks of a setting that lists both."""
    names, networks = set(), []
    for entry in entries:
        try:
            networks.append(ipaddress.ip_network(entry.strip().strip("[]"), strict=False))
        except ValueError:
            names.add(_name(entry.strip()))
    return frozenset(names), tuple(networks)


def _name(entry: str) -> str:
    with contextlib.suppress(RefusedURLError):
        place = parsed(f"http://{entry}")
        if place.target == "/" and place.port == 80 and not entry.endswith(("/", ":80")):
            return place.host
    raise InvalidRequestError(
        f"{entry!r} is no host name, address or network", field="allow_private", remedy="Write e.g. 192.168.1.0/24."
    )


async def _system_resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _target(place: Place) -> httpcore2.URL:
    return httpcore2.URL(scheme=place.scheme, host=place.host, port=place.port, target=place.target)


def _joined(base: str, location: bytes) -> str:
    try:
        return urljoin(base, location.decode("utf-8", "replace"))
    except ValueError:  # e.g. a bracket that is never closed
        raise RefusedURLError("the URL redirects to no valid URL") from None


async def _drained(answer: httpcore2.Response, most: int) -> None:
    received = 0
    async for chunk in answer.aiter_stream():
        received += len(chunk)
        if received >= most:
            return


@contextlib.contextmanager
def _in_words(field: str) -> Iterator[None]:
    """What goes wrong inside as a `FetchError` about `field`."""
    try:
        yield
    except FetchError as error:
        error.field = field
        raise
    except RefusedURLError as error:
        raise FetchError("refused", str(error), field=field, remedy=_GIVE_PUBLIC) from None
    except (TimeoutError, httpcore2.TimeoutException):
        raise FetchError("timeout", "the server did not answer in time", field=field, remedy="Try again.") from None
    except httpcore2.NetworkError as error:
        if isinstance(error.__cause__, ssl.SSLError):
            reason, remedy = "the server's TLS certificate is not valid", "Have it renewed, or send the file itself."
        else:
            reason, remedy = "the server cannot be reached", "Check the URL."
        raise FetchError("unreachable", reason, field=field, remedy=remedy) from None
    except httpcore2.ProtocolError:
        raise FetchError(
            "unreachable", "the server does not speak proper HTTP or broke off", field=field, remedy="Try again."
        ) from None
    except zlib.error:
        raise FetchError(
            "not_an_image", "the answer is compressed and damaged", field=field, remedy=_GIVE_FILE
        ) from None


def _check_image(head: bytes, field: str) -> None:
    if sniffing.image_format(head) is not None:
        return
    found = sniffing.named(head)
    message = f"the URL leads to {found}, not to a JPEG, PNG or WebP picture"
    raise FetchError("not_an_image", message, field=field, remedy=_GIVE_FILE)


def data_uri(text: str, field: str, max_bytes: int) -> bytes:
    """The picture in a data URI (RFC 2397), base64 or percent-encoded; its media type is not looked at.

    Base64 may be in the URL-safe alphabet, without padding and broken into lines.

    Args:
        text: "data:" and so on.
        field: name of the request field, for the errors.
        max_bytes: size of the decoded picture.

    Raises:
        FetchError: "not_an_image" or "too_large".
    """
    whole = _DATA_URI.fullmatch(text.strip())
    if whole is None or not text.isascii():
        raise _bad_data(field, "this is no data URI")
    body = whole["body"]
    if len(body) > 4 * max_bytes + 1024:  # each of 4/3 base64 letters may be percent-encoded
        raise _data_too_large(field, max_bytes)
    data = unquote_to_bytes(body)
    if whole["head"].lower().rstrip().endswith(";base64"):
        data = _from_base64(data, field)
    if len(data) > max_bytes:
        raise _data_too_large(field, max_bytes)
    found = sniffing.named(data[: sniffing.ENOUGH])
    if found not in sniffing.ACCEPTED:
        raise _bad_data(field, f"the data URI holds {found}, not a JPEG, PNG or WebP picture")
    return data


def _from_base64(text: bytes, field: str) -> bytes:
    letters = b"".join(text.split()).translate(bytes.maketrans(b"-_", b"+/"))
    letters = letters[:-2] + letters[-2:].rstrip(b"=")
    try:
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4), strict_mode=True)
    except binascii.Error:
        raise _bad_data(field, "the data URI is not valid base64") from None


def _bad_data(field: str, message: str) -> FetchError:
    remedy = "Give data:image/png;base64,... of a JPEG, PNG or WebP file."
    return FetchError("not_an_image", message, field=field, remedy=remedy)


def _data_too_large(field: str, max_bytes: int) -> FetchError:
    megabytes = max_bytes / (1024 * 1024)
    return FetchError(
        "too_large", f"the picture has more than {megabytes:.4g} MB", field=field, remedy="Give a smaller one."
    )
