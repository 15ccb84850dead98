"""How fast the operations on a picture are: medians at 1024x1024, warm; and a face edit inside a large picture."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np

from portrayal.bench.gallery_parts import mask_file, sample, scene_with
from portrayal.bench.stand_in import stand_in
from portrayal.engines.base import Progress
from portrayal.engines.studio.edit.target import choose_face, face_mask, faces_in, head_mask
from portrayal.imaging import U8, decode, encode_png
from portrayal.pipeline import portray
from portrayal.request import CharacterReference, Request

TARGETS: Final[dict[str, float]] = {
    "face edit": 0.6,
    "head edit": 1.5,
    "fill of 4 %": 0.5,
    "remix": 2.0,
}
LARGE: Final = (6000, 4000)
_LARGE_NAME: Final = "face edit in 6000x4000"


def measure(repeats: int, progress: Progress) -> dict[str, dict[str, float]]:
    """Seconds per operation: ``paint`` is the engine with the identity lock, ``total`` also reads and writes files."""
    jobs = _jobs()
    found: dict[str, dict[str, list[float]]] = {name: {} for name in jobs}
    for round_ in range(-1, repeats):  # the first round warms up
        for i, (name, make) in enumerate(jobs.items()):
            progress(name, ((round_ + 1) * len(jobs) + i) / ((repeats + 1) * len(jobs)))
            request = make(round_)
            start = time.perf_counter()
            result = portray(request)
            total = time.perf_counter() - start
            if round_ < 0:
                continue
            timings = result.pictures[0].timings
            files = timings.get("file", 0.0) + result.timings["study"]
            tries = max((s.tries for s in (result.pictures[0].identity,) if s), default=1)
            found[name].setdefault("paint", []).append((total - files) / tries)
            found[name].setdefault("total", []).append(total)
    return {name: {key: statistics.median(values) for key, values in row.items()} for name, row in found.items()}


def _jobs() -> dict[str, Callable[[int], Request]]:
    scene = scene_with("red", "portrait in a library, looking left", 11)
    image = decode(scene)
    shape = image.shape[:2]
    face = choose_face(faces_in(image, (0, 0, shape[1], shape[0])), None)
    face_file, head_file = mask_file(face_mask(shape, face)), mask_file(head_mask(shape, face, None))
    side = round(0.2 * 1024)  # 4 % of the area
    hole = np.zeros(shape, np.uint8)
    hole[80 : 80 + side, 60 : 60 + side] = 255
    hole_file = mask_file(hole)
    large, large_mask = _large(image, face_mask(shape, face))
    ada, red = CharacterReference(image=sample(), name="ada"), CharacterReference(image=stand_in("red"), name="red")

    def edit(picture: bytes, mask: bytes, *, reference: bytes | None) -> Callable[[int], Request]:
        return lambda i: Request.make(operation="edit", image=picture, edit_mask=mask, reference=reference, seed=50 + i)

    def other(operation: str, **values: Any) -> Callable[[int], Request]:
        return lambda i: Request.make(operation=operation, seed=50 + i, **values)

    return {
        "face edit": edit(scene, face_file, reference=sample()),
        _LARGE_NAME: edit(large, large_mask, reference=sample()),
        "head edit": edit(scene, head_file, reference=sample()),
        "fill of 4 %": edit(scene, hole_file, reference=None),
        "remix": other("remix", image=scene, reference=sample(), strength=0.5),
        "remix, strength 1": other("remix", image=scene, reference=sample(), strength=1.0),
        "reframe to 16:9": other("reframe", image=scene, size=(1312, 736)),
        "replace background": other("replace-background", image=scene, prompt="a beach at sunset"),
        "remove background": other("remove-background", image=scene),
        "upscale 2x": other("upscale", image=scene, factor=2),
        "cast of two": other(
            "generate", prompt="two people in a coffee shop", characters=(ada, red), size=(1024, 1024)
        ),
    }


def _large(image: U8, mask: U8) -> tuple[bytes, bytes]:
    """The same picture, with the same face in pixels, inside a large one; PNG bytes of it and of its mask."""
    width, height = LARGE
    canvas = np.asarray(cv2.resize(image, LARGE, interpolation=cv2.INTER_CUBIC), np.uint8)
    x, y = (width - image.shape[1]) // 2, (height - image.shape[0]) // 2
    part = np.s_[y : y + image.shape[0], x : x + image.shape[1]]
    canvas[part] = image
    chosen = np.zeros((height, width), np.uint8)
    chosen[part] = mask
    return encode_png(canvas), mask_file(chosen)


def table(rows: dict[str, dict[str, float]]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| operation, 1024x1024, balanced | seconds | with files | target |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, row in rows.items():
        target = f"{TARGETS[name]:.1f}" if name in TARGETS else ""
        if name == _LARGE_NAME:
            target = f"{2 * rows['face edit']['paint']:.1f} (2x)"
        lines.append(f"| {name} | {row['paint']:.2f} | {row['total']:.2f} | {target} |")
    return "\n".join(lines) + "\n"
