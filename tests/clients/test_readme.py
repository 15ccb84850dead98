"""The README's snippets run as they stand; only the server's address and the pictures are put in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from portrayal.imaging import decode
from tests.api.conftest import picture, uri
from tests.servers import ROOT, Server

_TEXT = (ROOT / "README.md").read_text()
_SNIPPETS = {
    block.split("\n", 1)[0].lstrip("# ").split("  ")[0]: block
    for block in re.findall(r"```python\n(.*?)```", _TEXT, re.DOTALL)
    if "127.0.0.1:8000" in block
}
_HOSTS = ("Ideogram", "Replicate", "fal", "Kie.ai", "Segmind", "ModelRunner", "OpenAI Images", "Our own")


def test_every_host_has_its_snippet() -> None:
    for host in _HOSTS:
        assert any(name.startswith(host) for name in _SNIPPETS), host


@pytest.mark.parametrize("name", _SNIPPETS)
def test_a_snippet_runs(server: Server, name: str, tmp_path: Path) -> None:
    code = _SNIPPETS[name].replace("http://127.0.0.1:8000", server.base).replace("https://...", uri(picture()))
    (tmp_path / "me.jpg").write_bytes(picture(kind="JPEG"))
    given = dict(re.findall(r"([A-Z_]+)=(\S+)", code.split("\n", 1)[0]))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shown = done.stdout.strip()
    if "print" in code:
        assert shown.startswith(("http", "waiting", "generating", "success", "0.", "['http", '["http')), shown
    for file in tmp_path.glob("out.*"):
        decode(file.read_bytes())
