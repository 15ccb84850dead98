"""The list of kernels that are compiled at the first start: complete, without extras, compiled by several processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from portrayal import warmup


def _all_listed() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for part in ("pictures", "edits"):
        for each in warmup.listed(part):
            for name, variants in each.kernels.items():
                found.setdefault(name, set()).update(variants)
    return found


def test_the_list_is_what_pictures_use() -> None:
    """If this fails: ``python -m portrayal.bench.kernel_list`` writes the list anew."""
    code = (
        "import json; from portrayal.bench.kernel_list import pictures, used;"
        "pictures('pictures'); pictures('edits'); print(json.dumps(used()))"
    )
    run = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True, text=True)
    used = {name: set(variants) for name, variants in json.loads(run.stdout.splitlines()[-1]).items()}
    assert used == _all_listed()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sets that are not compiled, only noted: the test is about who takes what."""
    names = [f"kernel {k}" for k in range(5)]
    done: list[str] = []
    sets = tuple(warmup.KernelSet(5.0 - k, {name: ()}) for k, name in enumerate(names))
    monkeypatch.setattr(warmup, "listed", lambda part: sets)
    monkeypatch.setattr(warmup, "_compile_set", lambda each: done.extend(each.kernels))
    return done


def test_no_set_is_compiled_twice(few: list[str], tmp_path: Path) -> None:
    (tmp_path / "0").touch()  # another process has taken these
    (tmp_path / "3").touch()
    warmup.help_out("pictures", str(tmp_path))
    assert few == ["kernel 1", "kernel 2", "kernel 4"]
    assert {p.name for p in tmp_path.iterdir()} == set("01234")


def test_what_a_process_that_fails_had_taken_is_compiled_here(few: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    failing = [sys.executable, "-c", "raise SystemExit(3)"]

    def beside(part: str, folder: Path) -> list[subprocess.Popen[bytes]]:
        (folder / "0").touch()
        return [subprocess.Popen(failing)]

    monkeypatch.setattr(warmup, "_beside", beside)
    told: list[float] = []
    warmup.compile_all(lambda label, fraction: told.append(fraction))
    assert few[:4] == ["kernel 1", "kernel 2", "kernel 3", "kernel 4"]
    assert set(few) == {f"kernel {k}" for k in range(5)}
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told[-1] == 1.0


def test_types_of_arguments() -> None:
    kinds = [warmup._type(code) for code in ("f4", "b1", "u1[3]", "f4[2]r")]
    assert str(kinds[0]) == "float32"
    assert str(kinds[1]) == "bool"
    assert (kinds[2].ndim, kinds[2].layout, kinds[2].mutable) == (3, "C", True)
    assert (kinds[3].ndim, kinds[3].mutable) == (2, False)
