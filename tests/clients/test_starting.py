"""A server that cannot start says why in one line, and what to do."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from portrayal.api.server import serve
from portrayal.errors import InvalidRequestError
from portrayal.settings import Settings
from tests.certificates import self_signed
from tests.servers import ROOT, Server, free_port


def _refused(folder: Path, **settings: Any) -> str:
    with pytest.raises(InvalidRequestError) as error:
        serve(Settings(data_dir=folder / "data", cache_dir=folder / "cache", **settings))
    return str(error.value)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert _refused(tmp_path, port=port).startswith(f"host, port: cannot listen on 127.0.0.1 port {port}: ")
    assert not (tmp_path / "data").exists()


def test_a_key_without_its_certificate(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    assert _refused(tmp_path, port=0, tls_key=key).startswith("tls_key: is a key without a certificate")
    assert _refused(tmp_path, port=0, tls_certificate=certificate).startswith("tls_certificate: ")
    assert _refused(tmp_path, port=0, tls_certificate=key, tls_key=certificate).startswith("tls_certificate: ")


def _says(server: Server) -> str:
    """What a second server with the settings of this one writes to stderr before it ends."""
    env = {**os.environ, **server.env, "PORTRAYAL_PORT": str(free_port())}
    done = subprocess.run(server.command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_a_data_folder_that_another_server_uses(server: Server) -> None:
    assert _says(server).startswith("portrayal: another server uses ")


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    url = f"postgresql://me:hidden@127.0.0.1:{free_port()}/none"
    said = _says(Server(tmp_path, database_url=url))
    assert said.startswith("portrayal: PORTRAYAL_DATABASE_URL: the database does not answer")
    assert "hidden" not in said


def test_an_address_that_is_no_postgresql(tmp_path: Path) -> None:
    from portrayal.service.database import Database

    with pytest.raises(InvalidRequestError, match="PORTRAYAL_DATABASE_URL: is no address"):
        Database(Settings(data_dir=tmp_path, database_url=SecretStr("mysql://a:b@c/d")))
