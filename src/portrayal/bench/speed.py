"""How fast: medians per stage at 1024x1024, warm; a cold start; the peak of memory.

Machines are noisy, so the table shows medians, and nothing here is ever a pass/fail test.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from portrayal import assets
from portrayal._version import __version__
from portrayal.bench import speed_bodies, speed_edits, speed_looks
from portrayal.character import study
from portrayal.engines.base import Progress
from portrayal.parallel import cores
from portrayal.pipeline import portray
from portrayal.request import Request, Speed
from portrayal.settings import Settings

PROMPTS = (
    "portrait in a coffee shop, head turned 15 degrees right",
    "portrait on a neon street at night, head turned 20 degrees left",
    "smiling, on a beach at sunset, head turned 10 degrees left",
    "portrait in an office, head turned 12 degrees right",
    "eyes closed, in a snowy forest, head turned 15 degrees left",
    "Rembrandt lighting, burgundy backdrop, head turned 20 degrees right",
    "portrait in a forest, head turned 10 degrees right",
    "laughing, on a rooftop at golden hour, head turned 12 degrees left",
)
SPEEDS: tuple[Speed, ...] = ("turbo", "balanced", "quality")
TARGETS = {"study": 1.0, "turbo": 0.5, "balanced": 1.5, "quality": 4.0, "cold start": 4.0}
HOSTED = 18.5
"""Seconds that one host of the hosted model shows for one picture."""


def run(repeats: int, progress: Progress) -> dict[str, Any]:
    """Measure; returns medians in seconds, and the peak of memory in MB."""
    sample = assets.path("sample/astronaut.png").read_bytes()
    settings = Settings(cache=False)
    progress("study", 0.0)
    studies = [_seconds(lambda: study(sample, use_cache=False)) for _ in range(2 + 2 * repeats)][1:]
    kept = Settings(cache=True)
    stages: dict[str, dict[str, list[float]]] = {speed: {} for speed in SPEEDS}
    total = len(SPEEDS) * (repeats * len(PROMPTS) + 1)
    done = 0
    for speed in SPEEDS:
        for i in range(-1, repeats * len(PROMPTS)):
            prompt = PROMPTS[i % len(PROMPTS)]
            progress(f"{speed}: {prompt}", 0.75 * done / total)
            done += 1
            request = Request.make(prompt=prompt, reference=sample, speed=speed, seed=40 + i)
            picture = portray(request, settings=kept).pictures[0]
            if i < 0:
                continue  # the first one warms up
            per_try = picture.proof.tries
            timings = {**picture.timings, "total": picture.timings["total"] / per_try}
            for stage, seconds in timings.items():
                stages[speed].setdefault(stage, []).append(seconds)
    edits = speed_edits.measure(repeats, lambda stage, fraction: progress(stage, 0.75 + 0.1 * fraction))
    bodies = speed_bodies.measure(repeats, lambda stage, fraction: progress(stage, 0.85 + 0.1 * fraction))
    styles = speed_looks.measure(max(1, repeats - 1), lambda stage, fraction: progress(stage, 0.95 + 0.02 * fraction))
    progress("cold start", 0.97)
    cold, memory = _cold_start(sample)
    del settings
    return {
        "version": __version__,
        "machine": f"{platform.machine()}, {cores()} cores, Python {platform.python_version()}",
        "size": "1024x1024",
        "pictures": repeats * len(PROMPTS),
        "study": statistics.median(studies),
        "stages": {s: {k: statistics.median(v) for k, v in d.items()} for s, d in stages.items()},
        "edits": edits,
        "looks": styles,
        "bodies": bodies,
        "cold_start": cold,
        "peak_memory_mb": memory,
        "hosted": HOSTED,
    }


def _seconds(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


# A child's `ru_maxrss` on Linux begins with what its parent used, so the peak is read from its own status there.
_COLD = """
import json, resource, sys, time
from pathlib import Path
prompt = "a portrait in a coffee shop"
sys.argv = ["portrayal", "generate", "-r", sys.argv[1], "-p", prompt, "-o", sys.argv[2], "--json"]
from portrayal.cli import main
try:
    main()
except SystemExit as end:
    if end.code:
        raise
status = Path("/proc/self/status")
if status.exists():
    peak = next(float(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1048576)
sys.stderr.write(str(peak))
"""


def _cold_start(sample: bytes) -> tuple[float, float | None]:
    """A fresh process, reference not studied before, kernels compiled: seconds to a saved file, and MB at the peak."""
    if sys.platform == "win32":  # no `resource` there
        return float("nan"), None
    times, peaks = [], []
    with tempfile.TemporaryDirectory() as folder:
        reference = Path(folder) / "reference.png"
        reference.write_bytes(sample)
        environment = {**os.environ, "PORTRAYAL_CACHE": "false"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as after an installation: modules are compiled already
        for i in range(3):
            start = time.perf_counter()
            ended = subprocess.run(
                [sys.executable, "-c", _COLD, str(reference), str(Path(folder) / f"{i}.png")],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
            times.append(time.perf_counter() - start)
            json.loads(ended.stdout)
            peaks.append(float(ended.stderr.split()[-1]))
    return statistics.median(times), max(peaks)


def table(report: dict[str, Any]) -> str:
    """The report as a Markdown table."""
    stages = report["stages"]
    names = [n for n in stages["quality"] if n != "total"]
    lines = [
        f"Portrayal {report['version']}, {report['machine']}, {report['size']}, median of {report['pictures']} "
        "pictures each, seconds. `person` stages and `scene` run side by side, so the sum is more than the total.",
        "",
        "| stage | turbo | balanced | quality |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name in names:
        cells = " | ".join(f"{stages[s].get(name, 0.0):.3f}" for s in SPEEDS)
        lines.append(f"| {name} | {cells} |")
    lines.append("| **one picture** | " + " | ".join(f"**{stages[s]['total']:.2f}**" for s in SPEEDS) + " |")
    lines.append("| target | " + " | ".join(f"{TARGETS[s]:.1f}" for s in SPEEDS) + " |")
    lines += ["", speed_edits.table(report["edits"]).rstrip()]
    lines += ["", speed_bodies.table(report["bodies"]).rstrip()]
    lines += ["", speed_looks.table(report["looks"]).rstrip()]
    lines += [
        "",
        "| once per reference or process | seconds | target |",
        "| --- | ---: | ---: |",
        f"| study of the reference | {report['study']:.2f} | {TARGETS['study']:.1f} |",
        f"| cold start: new process to saved file | {report['cold_start']:.2f} | {TARGETS['cold start']:.1f} |",
        "",
    ]
    if report["peak_memory_mb"]:
        lines.append(f"Peak memory of that process: {report['peak_memory_mb']:.0f} MB.")
    lines.append(f"One host shows {report['hosted']} s for one picture of the hosted model.")
    return "\n".join(lines) + "\n"
