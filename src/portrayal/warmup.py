"""The one-time compilation of the kernels, with progress.

Numba compiles each kernel at its first use and keeps the machine code on disk. So that nobody stares at a silent
terminal at the first picture, those that most pictures need are compiled first; later starts find a note in the cache
folder and skip it. ``kernels.toml`` lists them with the types of their arguments (`bench.kernel_list` writes it, and a
test compares it with what pictures use); what it lacks is compiled at its first use.

One process compiles on one core only, so that others help: whoever is free takes the next set of kernels, by making a
file with its number. Sets are sorted by their cost, so that all end at about the same time.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib
import platform
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from portrayal._version import __version__
from portrayal.engines.base import Progress
from portrayal.parallel import cores
from portrayal.settings import Settings

Part = Literal["pictures", "edits"]

# Every process takes some 250 MB and a second to start.
_MOST = 4


@dataclass(frozen=True)
class KernelSet:
    """Kernels that one process compiles, for they share functions.

    Attributes:
        seconds: what it took on a machine of 2024; only the proportion matters.
        kernels: ``module.name`` below `portrayal`, and for each compiled variant the types of its arguments, as the
            file writes them.
    """

    seconds: float
    kernels: dict[str, tuple[str, ...]]


def needed(settings: Settings | None = None, *, edits: bool = False) -> bool:
    """Whether this installation has not compiled its kernels yet; with `edits`, also those of edit and remix."""
    return not _note(settings or Settings(), edits).exists()


def prepare(progress: Progress, settings: Settings | None = None, *, edits: bool = False) -> bool:
    """Compile the kernels unless this installation has done so; returns whether it compiled."""
    note = _note(settings or Settings(), edits)
    if note.exists():
        return False
    (compile_edits if edits else compile_all)(progress)
    with contextlib.suppress(OSError):  # without a cache folder the kernels are merely compiled again
        note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        note.write_text("kernels are compiled\n")
    return True


def compile_all(progress: Progress) -> None:
    """Compile the kernels of pictures, so that they are on disk."""
    _compile("pictures", "preparing the studio, once on this machine", progress)


def compile_edits(progress: Progress) -> None:
    """Compile what edit and remix need beyond that."""
    _compile("edits", "preparing edits, once on this machine", progress)


def listed(part: Part) -> tuple[KernelSet, ...]:
    """The sets of ``kernels.toml``, the most expensive first."""
    table = tomllib.loads(Path(__file__).with_name("kernels.toml").read_text("utf-8"))
    sets = (
        KernelSet(float(row["seconds"]), {name: tuple(variants) for name, variants in row["kernels"].items()})
        for row in table[part]
    )
    return tuple(sorted(sets, key=lambda s: -s.seconds))


def help_out(part: Part, folder: str) -> None:
    """What a process beside does: compile sets until all are taken; `folder` holds a file for each that is."""
    with _no_collector():
        _work(listed(part), Path(folder), lambda: None)


def _compile(part: Part, label: str, progress: Progress) -> None:
    progress(label, 0.0)
    sets = listed(part)
    total = sum(s.seconds for s in sets)
    with tempfile.TemporaryDirectory(prefix="portrayal-") as name, _no_collector():
        folder = Path(name)
        others = _beside(part, folder)

        def told() -> None:
            taken = sum(s.seconds for number, s in enumerate(sets) if (folder / str(number)).exists())
            progress(label, 0.95 * taken / total)

        try:
            _work(sets, folder, told)
            failed = sum(other.wait() != 0 for other in others)  # all of them are waited for
        finally:
            for other in others:
                if other.poll() is None:  # an interrupt
                    other.kill()
                    other.wait()
        if failed:  # what they took is still missing; what is on disk is merely read
            for each in sets:
                _compile_set(each)
    progress(label, 1.0)


def _beside(part: Part, folder: Path) -> list[subprocess.Popen[bytes]]:
    """Processes that help; none where there are none to be had."""
    if not sys.executable or getattr(sys, "frozen", False):
        return []
    code = "import sys; from portrayal.warmup import help_out; help_out(sys.argv[1], sys.argv[2])"
    command = [sys.executable, "-c", code, part, str(folder)]
    found: list[subprocess.Popen[bytes]] = []
    with contextlib.suppress(OSError):  # then this process compiles alone
        for _ in range(min(cores(), _MOST) - 1):
            found.append(
                subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            )
    return found


def _work(sets: tuple[KernelSet, ...], folder: Path, told: Callable[[], None]) -> None:
    for number, each in enumerate(sets):
        try:
            (folder / str(number)).touch(exist_ok=False)
        except FileExistsError:
            continue
        told()
        _compile_set(each)


def _compile_set(each: KernelSet) -> None:
    from numba.core.errors import NumbaError

    for name, variants in each.kernels.items():
        module, _, kernel = name.rpartition(".")
        dispatcher = getattr(importlib.import_module(f"portrayal.{module}"), kernel)
        for variant in variants:
            with contextlib.suppress(NumbaError):  # a list that is out of date costs time at first use, no more
                dispatcher.compile(tuple(_type(code) for code in variant.split()))


def _type(code: str) -> Any:
    """A type of numba: ``f4`` float32, ``i8`` int64, ``b1`` bool, ``f4[2]`` an array of two dimensions, contiguous,
    ``f4[2]r`` one that is read-only."""
    import numpy as np
    from numba import types
    from numba.np.numpy_support import from_dtype

    scalar, _, rest = code.partition("[")
    kind = from_dtype(np.dtype(scalar))
    if not rest:
        return kind
    return types.Array(kind, int(rest[0]), "C", readonly=rest.endswith("r"))


@contextlib.contextmanager
def _no_collector() -> Iterator[None]:
    """The compiler makes millions of objects in a few seconds, nearly all of which end with their count: looking for
    cycles among them is a tenth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _note(settings: Settings, edits: bool) -> Path:
    """A file whose name changes with everything that makes compiled kernels stale."""
    from importlib.metadata import version

    source = Path(__file__).parent
    newest = max((p.stat().st_mtime_ns for p in source.rglob("*.py")), default=0)
    parts = (
        __version__,
        version("numba"),
        platform.python_version(),
        platform.machine(),
        str(source),
        str(newest),
    )
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    return settings.cache_dir / f"{'edits' if edits else 'kernels'}-{key}.txt"
