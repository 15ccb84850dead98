"""Where a URL that a stranger supplies may lead: its strict reading, and which addresses are public.

There is one reading only: what `parsed` returns is what is looked up, connected and sent, so no second parser can see
another host in the same text. The networks are those of the IANA special-purpose address registries (RFC 6890, state
of 2025), and not Python's `is_global`, which differs from version to version and counts multicast in.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import quote

import idna

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL: Final = 8192

_CLOSED_4: Final = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by customers of a provider (CGNAT); metadata of Alibaba Cloud
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a public address that is the host's own service inside of Azure
        "169.254.0.0/16",  # link-local; metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; metadata of Oracle Cloud
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# Of IPv6 only the global unicast space is open, which leaves out ::1, fe80::/10, fc00::/7, fec0::/10, ff00::/8,
# IPv4-compatible addresses and all that is not assigned yet.
_OPEN_6: Final = ipaddress.IPv6Network("2000::/3")
_CLOSED_6: Final = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which leads to the IPv4 address inside
        "3fff::/20",  # documentation
    )
)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_ISATAP: Final = (0x0000_5EFE, 0x0200_5EFE)  # RFC 5214: in bits 32 to 64 of an address whose last 32 are IPv4

_URL: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*):(?P<rest>.*)", re.IGNORECASE)
_REST: Final = re.compile(r"//(?P<authority>[^/?#]*)(?P<target>[^#]*)(#.*)?")
_AUTHORITY: Final = re.compile(r"(\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[^:\[\]]+))(:(?P<port>[0-9]{0,5}))?", re.IGNORECASE)
_NAME: Final = re.compile(
    r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f\\]")
_PORTS: Final = {"http": 80, "https": 443}
_TARGET_SAFE: Final = "%/?:@!$&'()*+,;=~"  # RFC 3986: what may stand in a path and a query, and what is encoded already


class RefusedURLError(Exception):
    """A URL that is not followed, whoever asks; the first argument says why, without a word of the URL's own."""


@dataclass(frozen=True)
class Place:
    """Where a URL leads.

    Attributes:
        scheme: "http" or "https".
        host: a name in ASCII and lower case, without a dot at its end, or an address in its shortest form.
        port: 1..65535.
        target: path and query, as they are sent.
        address: the host when it is an address.
    """

    scheme: str
    host: str
    port: int
    target: str
    address: Address | None

    @property
    def authority(self) -> str:
        """Host and port as the Host header names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole text; it may hold secrets in its query."""
        return f"{self.scheme}://{self.authority}{self.target}"


def parsed(text: str) -> Place:
    """Read an http(s) URL.

    Raises:
        RefusedURLError: another scheme, a name or password, a port below 1024 other than 80 and 443, an address in an
            unusual spelling, or no valid URL at all.
    """
    text = text.strip(" \t\r\n")
    if len(text) > MAX_URL:
        raise RefusedURLError(f"the URL is longer than {MAX_URL} characters")
    if _FORBIDDEN.search(text):
        raise RefusedURLError("the URL holds a space, a backslash or a control character")
    outer = _URL.fullmatch(text)
    if outer is None:
        raise RefusedURLError("this is not a whole URL")
    scheme = outer["scheme"].lower()
    if scheme not in _PORTS:
        raise RefusedURLError("only http and https URLs are fetched")
    rest = _REST.fullmatch(outer["rest"])
    if rest is None:
        raise RefusedURLError("this is not a whole URL")
    if "@" in rest["authority"]:
        raise RefusedURLError("the URL holds a user name or a password")
    inner = _AUTHORITY.fullmatch(rest["authority"])
    if inner is None:
        raise RefusedURLError("the URL names no valid host")
    host, address = _host(inner["six"], inner["name"])
    port = int(inner["port"] or _PORTS[scheme])
    if port > 65535 or (port < 1024 and port not in _PORTS.values()):
        raise RefusedURLError(f"port {port} is not allowed")
    target = quote(rest["target"], safe=_TARGET_SAFE, errors="replace")
    return Place(scheme, host, port, target if target.startswith("/") else f"/{target}", address)


def _host(six: str | None, name: str | None) -> tuple[str, Address | None]:
    if six is not None:
        try:
            return (address := ipaddress.IPv6Address(six)).compressed, address
        except ValueError:
            raise RefusedURLError("the URL names no valid host") from None
    try:
        # The mapping folds wide digits and other dots, before anything is decided.
        ascii_name = name if name and name.isascii() else idna.encode(name or "", uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        raise RefusedURLError("the URL names no valid host") from None
    ascii_name = ascii_name.lower().removesuffix(".")
    if not _NAME.fullmatch(ascii_name):
        raise RefusedURLError("the URL names no valid host")
    # What ends in a number is an IPv4 address (WHATWG URL, 3.5), in one of the many spellings of inet_aton.
    if _NUMBER.fullmatch(ascii_name.rpartition(".")[2]):
        try:
            return ascii_name, ipaddress.IPv4Address(ascii_name)
        except ValueError:
            raise RefusedURLError("the URL names an address in an unusual spelling") from None
    return ascii_name, None


def normal(address: Address) -> Address:
    """An address as it is judged: an IPv4 address that is written as IPv6 (RFC 4291, 2.5.5.2) is that IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or ipaddress.IPv6Address(int(address))  # without a scope
    return address


def is_public(address: Address) -> bool:
    """Whether an address leads to the public internet and nowhere else."""
    address = normal(address)
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _CLOSED_4)
    number = int(address)
    inside = ipaddress.IPv4Address(number & 0xFFFF_FFFF)
    if address in _NAT64:
        return is_public(inside)
    if address not in _OPEN_6 or any(address in network for network in _CLOSED_6):
        return False
    return (number >> 32) & 0xFFFF_FFFF not in _ISATAP or is_public(inside)
