"""Commands of the service: serve, worker, keys."""

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
    work: Annotated[bool, typer.Option(help="Make pictures in this process too.")] = True,
) -> None:
    """Start the server: native API, every host's format, one data folder."""
    from portrayal.api.server import serve as run
    from portrayal.settings import Settings

    given: dict[str, Any] = {"host": host, "port": port, "tls_certificate": tls_certificate, "tls_key": tls_key}
    run(Settings(**{name: value for name, value in given.items() if value is not None}), work=work)
