"""Freed memory is kept: counted in pages that the system had to hand out again."""

from __future__ import annotations

import subprocess
import sys

import pytest

from portrayal import memory

_COUNT = """
import resource, sys
import numpy as np
from portrayal import memory
if sys.argv[1] == "keep" and not memory.keep():
    sys.exit(3)
def work():
    arrays = [np.ones(3_000_000, np.float32) for _ in range(6)]
    del arrays
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

_THREADS = """
import threading
import numpy as np
from portrayal import memory
memory.keep()
def work():
    for _ in range(4):
        arrays = [np.ones(3_000_000, np.float32) for _ in range(20)]
        del arrays
threads = [threading.Thread(target=work) for _ in range(6)]
[t.start() for t in threads]
[t.join() for t in threads]
status = open("/proc/self/status").read().splitlines()
print(next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS")))
"""


def _pages(mode: str) -> int:
    found = subprocess.run([sys.executable, "-c", _COUNT, mode], capture_output=True, text=True, check=False)
    if found.returncode == 3:
        pytest.skip("this C library cannot be told")
    assert found.returncode == 0, found.stderr
    return int(found.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_freed_arrays_are_used_again() -> None:
    assert _pages("keep") < 0.25 * _pages("as it is")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_threads_do_not_keep_it_each() -> None:
    _pages("keep")  # skips where it cannot be told
    found = subprocess.run([sys.executable, "-c", _THREADS], capture_output=True, text=True, check=True)
    assert int(found.stdout) < 2 * 256 + 150  # six threads made 1440 MB in all


def test_another_system_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert memory.keep() is False
