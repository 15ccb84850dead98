"""``--server``: the same commands, done by a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from portrayal.client import Client

Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        envvar="PORTRAYAL_SERVER",
        metavar="URL",
        help="Let a Portrayal server do it, e.g. http://host:8000.",
    ),
]
Key = Annotated[
    str | None,
    typer.Option("--key", envvar="PORTRAYAL_KEY", metavar="KEY", help="API key of the server, where it needs one."),
]


def door(server: str | None, key: str | None) -> Any:
    """What has the functions of the operations: the package itself, or a server's client."""
    import portrayal

    return client(server, key) if server else portrayal


def client(server: str, key: str | None) -> Client:
    """The client of a server."""
    from portrayal.client import Client

    return Client(server, key or None)
