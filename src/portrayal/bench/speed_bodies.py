"""What clothes and a whole body cost: dressed and undressed pictures in turn, so that both meet the same machine."""

from __future__ import annotations

import statistics
import time
from typing import Any, Final

from portrayal.bench.gallery_parts import sample
from portrayal.engines.base import Progress
from portrayal.pipeline import portray
from portrayal.request import Request

# Two prompts that differ in the clothes alone, and the most that the difference may cost in seconds.
_PAIRS: Final[dict[str, tuple[str, str]]] = {
    "suit and tie": ("portrait in an office", "portrait in an office, wearing a navy suit with a red tie"),
    "turtleneck": ("portrait, teal backdrop", "portrait, teal backdrop, wearing a cream turtleneck"),
    "leather jacket": ("portrait on a neon street", "portrait on a neon street, wearing a leather jacket"),
    "armour": ("portrait at a castle", "portrait at a castle, wearing armour"),
    "kimono": ("portrait in a garden", "portrait in a garden, wearing a floral kimono"),
}
_FIGURES: Final[dict[str, str]] = {
    "standing, full": "full body, standing, grey backdrop, photo",
    "walking in a suit, full": "full body, walking in a navy suit on a street, photo",
    "arms crossed, medium": "medium shot, arms crossed, wearing a suit in an office, photo",
    "sitting, drawn": "sitting on a chair in a library",
}
DRESSED_TARGET: Final = 1.0
FIGURE_TARGET: Final = 3.0


def measure(repeats: int, progress: Progress) -> dict[str, dict[str, float]]:
    """Median seconds per picture (files and study left out): ``plain`` and ``dressed`` of a pair, ``figure``."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in (*_PAIRS, *_FIGURES)}
    for round_ in range(-1, repeats):  # the first round warms up
        progress("clothes and figures", (round_ + 1) / (repeats + 1))
        for name, pair in _PAIRS.items():
            for key, prompt in zip(("plain", "dressed"), pair, strict=True):
                _add(found[name], key, prompt, round_)
        for name, prompt in _FIGURES.items():
            _add(found[name], "figure", prompt, round_)
    return {name: {key: statistics.median(values) for key, values in row.items()} for name, row in found.items()}


def _add(row: dict[str, list[float]], key: str, prompt: str, round_: int) -> None:
    request = Request.make(prompt=prompt, reference=sample(), seed=60 + round_, size=(1024, 1024))
    start = time.perf_counter()
    result = portray(request)
    total = time.perf_counter() - start
    if round_ < 0:
        return
    picture = result.pictures[0]
    spent = total - picture.timings.get("file", 0.0) - result.timings["study"]
    row.setdefault(key, []).append(spent / (picture.identity.tries if picture.identity else 1))


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| clothes and figures, 1024x1024, balanced | undressed | seconds | more | target |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, row in rows.items():
        if "figure" in row:
            lines.append(f"| {name} | | {row['figure']:.2f} | | {FIGURE_TARGET:.1f} |")
        else:
            more = row["dressed"] - row["plain"]
            lines.append(
                f"| {name} | {row['plain']:.2f} | {row['dressed']:.2f} | {more:+.2f} | {DRESSED_TARGET:+.1f} |"
            )
    return "\n".join(lines) + "\n"
