"""Running a command of the command line inside a test."""

from __future__ import annotations

import sys

import pytest

from portrayal.cli import main


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``portrayal ARGUMENTS``."""
    monkeypatch.setattr(sys, "argv", ["portrayal", *arguments])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    found = capsys.readouterr()
    return (code if isinstance(code, int) else 0), found.out, found.err
