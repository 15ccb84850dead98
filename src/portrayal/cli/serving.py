"""Commands of the service: serve and worker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

commands = typer.Typer()


@commands.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; default 8000.")] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option(dir_okay=False, exists=True, help="Certificates (PEM): the server speaks https.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(dir_okay=False, exists=True, help="Private key of the certificate (PEM).")
    ] = None,
    work: Annotated[
        bool, typer.Option("--work/--no-work", help="Make pictures in this process too, or leave them to workers.")
    ] = True,
) -> None:
    """Start the server: native API, every host's format, one data folder."""
    from portrayal.api.server import serve as run
    from portrayal.settings import Settings

    given: dict[str, Any] = {"host": host, "port": port, "tls_certificate": tls_certificate, "tls_key": tls_key}
    run(Settings(**{name: value for name, value in given.items() if value is not None}), work=work)


@commands.command()
def worker(
    slots: Annotated[
        int | None, typer.Option(min=1, max=64, help="Pictures at the same time; default half of the cores.")
    ] = None,
) -> None:
    """Make pictures for servers on other machines: the same PostgreSQL, the same store of pictures.

    Set PORTRAYAL_DATABASE_URL and PORTRAYAL_BLOBS_URL as for the server.
    """
    from portrayal.api.server import work
    from portrayal.settings import Settings

    work(Settings() if slots is None else Settings(slots=slots))
