"""What a look costs over the plain picture: presets, palettes, references and codes, in turn with plain pictures."""

from __future__ import annotations

import statistics
import time
from functools import lru_cache
from typing import Any, Final

from portrayal.bench.gallery_parts import portrayed, sample
from portrayal.engines.base import Progress
from portrayal.engines.studio import looks
from portrayal.pipeline import portray
from portrayal.request import Request

_PROMPT: Final = "portrait in a garden"
LOOK_TARGET: Final = 1.0


@lru_cache(1)
def _painting() -> bytes:
    return portrayed(prompt="portrait on a beach, oil painting", reference=sample(), seed=9).data


def _styles() -> dict[str, dict[str, Any]]:
    presets = {name: {"style_preset": name} for name in looks.presets()}
    return {
        **presets,
        "a palette": {"palette": ("ember",)},
        "a style code": {"style_codes": ("1A2B3C4D",)},
        "a style reference": {"style_references": (_painting(),)},
    }


def measure(repeats: int, progress: Progress) -> dict[str, float]:
    """Median seconds of the look stages of each style; "plain" is the whole plain picture.

    A look is drawn over a finished photograph, so its own stages are what it costs. What it saves or adds elsewhere
    (grain, another light) is left out.
    """
    found: dict[str, list[float]] = {"plain": []}
    styles = _styles()
    for round_ in range(-1, repeats):  # the first round warms up
        for i, (name, style) in enumerate(styles.items()):
            progress("looks", (round_ + 1 + i / len(styles)) / (repeats + 1))
            picture = portray(
                Request.make(prompt=_PROMPT, reference=sample(), seed=60 + round_, size=(1024, 1024), **style)
            ).pictures[0]
            if round_ >= 0:
                spent = picture.timings.get("look", 0.0) + picture.timings.get("colours", 0.0)
                found.setdefault(name, []).append(spent)
        start = time.perf_counter()
        plain = portray(Request.make(prompt=_PROMPT, reference=sample(), seed=60 + round_, size=(1024, 1024)))
        if round_ >= 0:
            found["plain"].append(time.perf_counter() - start - plain.timings["study"])
    return {name: statistics.median(values) for name, values in found.items()}


def table(rows: dict[str, float]) -> str:
    """The figures as a Markdown table: the dearest looks, the median of all presets, and what else a style can be."""
    presets = sorted(((rows[name], name) for name in looks.presets() if name in rows), reverse=True)
    middle = statistics.median(seconds for seconds, _ in presets)
    lines = ["| over the plain picture, 1024x1024, balanced | seconds | target |", "| --- | ---: | ---: |"]
    lines += [f"| {name} | {seconds:.2f} | {LOOK_TARGET:.1f} |" for seconds, name in presets[:8]]
    lines.append(f"| median of {len(presets)} presets | {middle:.2f} | {LOOK_TARGET:.1f} |")
    lines += [
        f"| {name} | {rows[name]:.2f} | {LOOK_TARGET:.1f} |"
        for name in ("a palette", "a style code", "a style reference")
    ]
    return "\n".join(lines) + "\n"
