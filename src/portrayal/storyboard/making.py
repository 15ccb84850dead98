"""Making a storyboard: every panel once, then the pages; a panel can be made again without touching the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image

from portrayal.engines.base import Progress, silent
from portrayal.errors import InvalidRequestError, OutputError
from portrayal.imaging import U8, decode, read_bytes, write_file
from portrayal.pipeline import portray
from portrayal.request import CharacterReference, Request
from portrayal.result import Picture
from portrayal.sizes import nearest
from portrayal.storyboard.layout import Spot, spots
from portrayal.storyboard.page import Drawn, draw_page
from portrayal.storyboard.script import Script, dressed

MANIFEST: Final = "storyboard.json"


@dataclass(frozen=True)
class Made:
    """A finished storyboard.

    Attributes:
        pages: the PNG files, in order; document: the PDF.
        panels: of each panel its file, seed, identity scores, warnings, and whether it was made now.
        warnings: about the pages.
    """

    pages: tuple[Path, ...]
    document: Path
    panels: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...]


def make(
    script: Script,
    folder: Path,
    *,
    again: Iterable[int] = (),
    seed: int | None = None,
    progress: Progress = silent,
    portrayer: Callable[..., Any] = portray,
) -> Made:
    """Make the panels that are not there yet, or whose words have changed, and all pages.

    Args:
        script: what.
        folder: for pages, panels and the manifest.
        again: numbers of panels (1 first) that are made again in any case.
        seed: for these, instead of the script's own.
        progress: called with (stage, fraction).
        portrayer: makes pictures; for tests.

    Raises:
        PortrayalError: nothing was written when the script is at fault; finished panels stay when a picture fails.
    """
    chosen = _numbers(again, len(script.panel))
    if seed is not None and not chosen:
        raise InvalidRequestError("is for panels that are made again", field="seed", remedy="Name one with --panel.")
    cast = {name: _reference(script, name) for name in script.characters}
    styles = tuple(read_bytes(script.folder / text, "style_references") for text in script.style_references)
    places = spots(len(script.panel), script.page, script.layout, bool(script.title))
    requests = [_request(script, i, cast, styles, places[i]) for i in range(len(script.panel))]
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file", field="output", remedy="Name a folder.")
    known = _manifest(folder)
    panels: list[dict[str, Any]] = []
    for i, request in enumerate(requests):
        before = known.get(i + 1)
        # A panel that was made again with another seed keeps that one until its words change.
        if before is not None and i + 1 not in chosen and before["words"] == _digest(request, words_only=True):
            request = request.model_copy(update={"seed": before["seed"]})
        elif i + 1 in chosen and seed is not None:
            request = request.model_copy(update={"seed": seed})

        def step(stage: str, fraction: float, i: int = i) -> None:
            progress(f"panel {i + 1} of {len(requests)}: {stage}", (i + fraction) / (len(requests) + 1))

        fresh = before is None or before["request"] != _digest(request) or i + 1 in chosen
        if before is not None and not fresh and _whole(folder, before):
            panels.append({**before, "made": False})
            continue
        result = portrayer(request, progress=step)
        panels.append(_keep(folder, i, script, request, result.pictures[0], result.warnings))
        _write_manifest(folder, script, [*panels, *(known[k] for k in sorted(known) if k > len(panels))])
    progress("setting the pages", len(requests) / (len(requests) + 1))
    pages, warnings = _pages(script, folder, panels, places)
    document = folder / "storyboard.pdf"
    _write_pdf(document, [page for _, page in pages], script.title)
    _write_manifest(folder, script, panels)
    progress("done", 1.0)
    return Made(tuple(path for path, _ in pages), document, tuple(panels), warnings)


def _numbers(again: Iterable[int], count: int) -> frozenset[int]:
    found = frozenset(again)
    for number in sorted(found):
        if not 1 <= number <= count:
            raise InvalidRequestError(f"there is no panel {number}", field="panel", remedy=f"Give 1 to {count}.")
    return found


def _reference(script: Script, name: str) -> CharacterReference:
    """A member of the cast; its name is that of the script.

    Raises:
        PortrayalError: a saved character is not known, or a file cannot be read.
    """
    from portrayal.character import saved
    from portrayal.settings import Settings

    character = script.characters[name]
    mask = read_bytes(script.folder / character.mask, f"characters.{name}.mask") if character.mask else None
    if character.reference.startswith("@"):
        found = saved.resolve(character.reference.removeprefix("@"), Settings())
        return CharacterReference.make(found.reference, mask or found.mask, name)
    data = read_bytes(script.folder / character.reference, f"characters.{name}.reference")
    decode(data, f"characters.{name}.reference")  # a bad picture fails now, before anything is made
    return CharacterReference.make(data, mask, name)


def _request(
    script: Script, number: int, cast: dict[str, CharacterReference], styles: tuple[bytes, ...], spot: Spot
) -> Request:
    panel = script.panel[number]
    preset = script.style_preset if panel.style_preset is None else panel.style_preset
    try:
        return Request.make(
            prompt=dressed(script, number),
            characters=tuple(cast[name] for name in script.cast(number)),
            negative_prompt=script.negative_prompt if panel.negative_prompt is None else panel.negative_prompt,
            size=nearest(spot.width, spot.height),
            seed=script.seed_of(number),
            speed=script.speed,
            style_type=script.style_type,
            style_preset=preset,
            style_codes=script.style_codes,
            style_references=styles,
            palette=script.palette,
        )
    except InvalidRequestError as error:
        error.field = f"panel.{number + 1}.{error.field}"
        raise


def _digest(request: Request, *, words_only: bool = False) -> str:
    """What a panel is made from; `words_only` leaves the seed out."""
    described = request.described()
    if words_only:
        described.pop("seed", None)
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _manifest(folder: Path) -> dict[int, dict[str, Any]]:
    """What is known of the panels of an earlier run, by number."""
    try:
        data = json.loads((folder / MANIFEST).read_text("utf-8"))
        return {int(panel["number"]): panel for panel in data["panels"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write_manifest(folder: Path, script: Script, panels: list[dict[str, Any]]) -> None:
    kept = [{key: value for key, value in panel.items() if key != "made"} for panel in panels]
    data = {"title": script.title, "panels": kept}
    write_file(folder / MANIFEST, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())


def _whole(folder: Path, panel: dict[str, Any]) -> bool:
    """Whether the panel's file is still the one that was made."""
    try:
        return hashlib.sha256((folder / panel["file"]).read_bytes()).hexdigest() == str(panel["sha256"])
    except OSError:
        return False


def _keep(
    folder: Path, number: int, script: Script, request: Request, picture: Picture, warnings: tuple[str, ...]
) -> dict[str, Any]:
    """Write a panel's picture; what is known of it."""
    file = f"panels/{number + 1:03}.png"
    write_file(folder / file, picture.data)
    scores = picture.cast or ((picture.identity,) if picture.identity else ())
    names = [character.name for character in request.characters]
    by_name = {score.name or names[0]: score for score in scores}
    faces = dict(zip(_order(picture, names), picture.faces, strict=False))
    return {
        "number": number + 1,
        "file": file,
        "sha256": hashlib.sha256(picture.data).hexdigest(),
        "request": _digest(request),
        "words": _digest(request, words_only=True),
        "seed": picture.seed,
        "prompt": request.prompt,
        "look": picture.look,
        "identity": {name: score.model_dump(mode="json") for name, score in by_name.items()},
        "faces": {name: [round(v, 1) for v in box] for name, box in faces.items() if box is not None},
        "warnings": [*warnings, *picture.warnings],
        "made": True,
    }


def _order(picture: Picture, names: list[str]) -> list[str]:
    """The names in the order of the picture's faces."""
    return [score.name for score in picture.cast] or names


def _pages(
    script: Script, folder: Path, panels: list[dict[str, Any]], places: tuple[Spot, ...]
) -> tuple[list[tuple[Path, U8]], tuple[str, ...]]:
    count = places[-1].page + 1
    out: list[tuple[Path, U8]] = []
    warnings: list[str] = []
    for page in range(count):
        here = [i for i, spot in enumerate(places) if spot.page == page]
        drawn = [
            Drawn(
                script.panel[i],
                decode((folder / panels[i]["file"]).read_bytes(), "panel"),
                {name: tuple(box) for name, box in panels[i]["faces"].items()},
                places[i],
            )
            for i in here
        ]
        sheet, notes = draw_page(drawn, script.page, script.title if page == 0 else "", page, count)
        warnings += [f"page {page + 1}: {note}" for note in notes]
        path = folder / f"page-{page + 1:02}.png"
        write_file(path, bytes(cv2.imencode(".png", np.ascontiguousarray(sheet[..., ::-1]))[1]))
        out.append((path, sheet))
    for old in folder.glob("page-*.png"):
        if old not in {path for path, _ in out}:
            old.unlink()
    return out, tuple(warnings)


def _write_pdf(path: Path, pages: list[U8], title: str) -> None:
    """All pages as one PDF; A4 where they are portrait or landscape."""
    import io

    images = [Image.fromarray(page) for page in pages]
    buffer = io.BytesIO()
    # No dates: the same storyboard gives the same bytes.
    images[0].save(
        buffer,
        "PDF",
        save_all=True,
        append_images=images[1:],
        resolution=150.0,
        quality=92,
        title=title or "Storyboard",
        creationDate=None,
        modDate=None,
    )
    write_file(path, buffer.getvalue())
