"""One really started server with a fake maker for each module of client tests."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Server

JS = Path(__file__).parent / "js"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that accepts every call on loopback."""
    with Server(tmp_path_factory.mktemp("server"), slots=2, fetch_private="127.0.0.1", access="open") as server:
        yield server


def node(script: str, *arguments: str, **environment: str) -> str:
    """Run a script of `tests/clients/js` with the JavaScript clients; what it printed.

    Raises:
        AssertionError: it failed; the text is what it said.
    """
    import os

    program = shutil.which("node")
    if program is None or not (JS / "node_modules").is_dir():
        pytest.skip("needs Node.js and `npm ci` in tests/clients/js")
    done = subprocess.run(
        [program, str(JS / script), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout
