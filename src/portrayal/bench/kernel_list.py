"""Which kernels pictures need: writes ``kernels.toml``, from which `portrayal.warmup` compiles them.

``python -m portrayal.bench.kernel_list``, after a kernel was added, removed or got other arguments. Pictures are made
in a process that has compiled nothing yet; what numba compiles there, for which types and how long it takes, is written
down. Kernels that call the same function are compiled by one process, for it would be compiled anew in each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from portrayal import assets, warmup
from portrayal.request import Request, Speed

PICTURES: Final[tuple[tuple[Speed, str], ...]] = (
    ("turbo", "smiling, looking left, coffee shop"),
    ("balanced", "eyes closed, looking right, on a beach, navy outfit"),
    ("balanced", "wearing glasses and a striped suit, studio, oil painting"),
    ("turbo", "wearing a floral toga"),
    ("turbo", "pencil drawing, full body, walking on a street, wearing a suit"),
)
STRENGTHS: Final = (0.3, 0.7)
_HEAD: Final = """\
# The kernels that are compiled before the first picture, and the types of their arguments: f4 float32, i8 int64,
# f4[2] an array of two dimensions, f4[2]r a read-only one. Kernels of one set share functions. Written by
# `python -m portrayal.bench.kernel_list`; tests/unit/test_warmup.py compares it with what pictures use.
"""


def pictures(part: warmup.Part) -> None:
    """Make small pictures of the sample that use every kernel of the part."""
    from portrayal.pipeline import portray
    from portrayal.settings import Settings

    sample, settings = assets.path("sample/astronaut.png").read_bytes(), Settings(cache=False, credentials=False)
    common: dict[str, Any] = {"reference": sample, "size": (512, 512), "seed": 1}
    if part == "pictures":
        for speed, prompt in PICTURES:
            portray(Request.make(prompt=prompt, speed=speed, num_images=1, **common), settings=settings)
    else:
        for strength in STRENGTHS:
            portray(Request.make(operation="remix", image=sample, strength=strength, **common), settings=settings)


def used() -> dict[str, list[str]]:
    """The kernels that this process has used, and the types they were called with."""
    from numba.core.dispatcher import Dispatcher

    found: dict[str, list[str]] = {}
    called: set[str] = set()
    for name, module in sorted(sys.modules.items()):
        if not name.startswith("portrayal."):
            continue
        for value in list(vars(module).values()):
            if isinstance(value, Dispatcher) and value.py_func.__module__ == name and _kept(value):
                called |= _calls(value) - {_name(value)}
                variants = sorted(" ".join(map(_code, variant)) for variant in value.signatures)
                if variants:
                    found[_name(value)] = variants
    # What kernels call is compiled with them.
    return {name: variants for name, variants in found.items() if name not in called}


def _kept(kernel: Any) -> bool:
    return type(kernel._cache).__name__ != "NullCache"


def _code(kind: Any) -> str:
    from numba import types
    from numba.np.numpy_support import as_dtype

    if not isinstance(kind, types.Array):
        return as_dtype(kind).str[1:]
    if kind.layout != "C":
        raise TypeError(f"kernels take contiguous arrays, not {kind}")
    return f"{as_dtype(kind.dtype).str[1:]}[{kind.ndim}]{'' if kind.mutable else 'r'}"


def _measured() -> None:
    """In the process that has compiled nothing: print the sets of both parts as JSON."""
    from numba.core import event

    seconds: dict[str, float] = {}
    running: list[tuple[str, float]] = []

    class Listener(event.Listener):
        def on_start(self, occasion: Any) -> None:
            running.append((_name(occasion.data["dispatcher"]), time.thread_time()))

        def on_end(self, occasion: Any) -> None:
            name, start = running.pop()
            if not running:  # what it calls is compiled within
                seconds[name] = seconds.get(name, 0.0) + time.thread_time() - start

    event.register("numba:compile", Listener())  # type: ignore[no-untyped-call]
    out: dict[str, list[Any]] = {}
    before: dict[str, list[str]] = {}
    for part in ("pictures", "edits"):
        pictures(part)
        now = used()
        fresh = {k: [v for v in variants if v not in before.get(k, [])] for k, variants in now.items()}
        out[part] = [
            [round(sum(seconds.get(n, 0.0) for n in members), 1), {n: fresh[n] for n in members}]
            for members in _sets([k for k, variants in fresh.items() if variants])
        ]
        before = now
    sys.stdout.write(json.dumps(out))


def _sets(names: list[str]) -> list[list[str]]:
    """Kernels in sets, so that those which call the same function are in one."""
    sets: list[tuple[list[str], set[str]]] = []
    for name in names:
        module, _, kernel = name.rpartition(".")
        members, calls = [name], _calls(getattr(sys.modules[f"portrayal.{module}"], kernel))
        for other in [s for s in sets if s[1] & calls]:
            sets.remove(other)
            members, calls = other[0] + members, other[1] | calls
        sets.append((members, calls))
    return [sorted(members) for members, _ in sets]


def _calls(kernel: Any) -> set[str]:
    """The kernel and the compiled functions that it calls, directly or not."""
    from numba.core.dispatcher import Dispatcher

    found = {_name(kernel)}
    for name in kernel.py_func.__code__.co_names:
        value = kernel.py_func.__globals__.get(name)
        if isinstance(value, Dispatcher) and value.targetoptions.get("inline", "never") == "never":
            found |= _calls(value)
    return found


def _name(kernel: Any) -> str:
    return f"{kernel.py_func.__module__}.{kernel.py_func.__name__}".removeprefix("portrayal.")


def write(path: Path) -> None:
    """Measure in a fresh process and write the list."""
    with tempfile.TemporaryDirectory() as cache:
        code = "from portrayal.bench.kernel_list import _measured; _measured()"
        run = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"NUMBA_CACHE_DIR": cache},
            stdout=subprocess.PIPE,
            check=True,
        )
    lines = [_HEAD]
    for part, sets in json.loads(run.stdout.splitlines()[-1]).items():
        for seconds, kernels in sorted(sets, key=lambda s: (-s[0], *s[1])):
            lines.append(f"[[{part}]]\nseconds = {seconds}\n[{part}.kernels]")
            lines += [f'"{name}" = {json.dumps(variants)}' for name, variants in kernels.items()]
            lines.append("")
    path.write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    write(Path(warmup.__file__).with_name("kernels.toml"))
