"""Making a storyboard: every panel once, then the pages; a panel can be made again without touching the others."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import cv2
import numpy as np
from PIL import Image
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from portrayal import output
from portrayal.engines.base import Progress, silent
from portrayal.errors import InvalidRequestError, OutputError, PortrayalError
from portrayal.imaging import U8, decode, decode_mask, read_bytes, write_file
from portrayal.pipeline import know, portray
from portrayal.prompting.lettering import check_lettering
from portrayal.prompting.text import take_lettering
from portrayal.request import MAX_SEED, CharacterReference, Request
from portrayal.result import IdentityScore, Picture
from portrayal.settings import Settings
from portrayal.sizes import nearest
from portrayal.storyboard.layout import Spot, spots
from portrayal.storyboard.page import Drawn, draw_page
from portrayal.storyboard.script import Script, dressed

MANIFEST: Final = "storyboard.json"
_PAGE: Final = re.compile(r"page-[0-9]{2,}\.png")


class _Known(BaseModel):
    """What the manifest of an earlier run says of a panel; see `_keep`.

    Attributes:
        planned: the seed that the script gave it, which `seed` may differ from when it was made again.
    """

    number: Annotated[int, Field(ge=1)]
    file: Annotated[str, Field(pattern=r"^panels/[0-9]{3}\.png$")]
    sha256: str
    request: str
    words: str
    planned: int | None = None
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)]
    prompt: str
    look: str
    identity: dict[str, IdentityScore]
    faces: dict[str, tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat]]
    warnings: tuple[str, ...]


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
    """Make the panels that are not there yet, or whose words have changed, and all pages. It is long: the whole way.

    Args:
        script: what.
        folder: for pages, panels and the manifest.
        again: numbers of panels (1 first) that are made again in any case.
        seed: for these; None = the seed after the one that the panel has.
        progress: called with (stage, fraction).
        portrayer: makes pictures; for tests.

    Raises:
        PortrayalError: nothing was written when the script is at fault; finished panels stay when a picture fails.
    """
    chosen = _numbers(again, len(script.panel), seed)
    cast = {name: _reference(script, name) for name in script.characters}
    styles = _styles(script)
    places = spots(len(script.panel), script.page, script.layout, bool(script.title))
    requests = [_request(script, i, cast, styles, places[i]) for i in range(len(script.panel))]
    _writable(script, folder, places)
    known, old_pages = _manifest(folder)
    if portrayer is portray:
        for name, character in cast.items():
            _studied(name, character)
    panels: list[dict[str, Any]] = []
    for i, request in enumerate(requests):
        before = known.get(i + 1)
        planned = request.seed
        if i + 1 not in chosen:
            request = _as_before(request, before)
        else:
            # Who asks again wants another picture: without a seed, the one after the last is taken.
            last = before["seed"] if before is not None else request.seed
            request = request.model_copy(
                update={"seed": seed if seed is not None else ((last or 0) + 1) % (MAX_SEED + 1)}
            )

        def step(stage: str, fraction: float, i: int = i) -> None:
            progress(f"panel {i + 1} of {len(requests)}: {stage}", (i + fraction) / (len(requests) + 1))

        fresh = before is None or before["request"] != _digest(request) or i + 1 in chosen
        if before is not None and not fresh and _whole(folder, before):
            panels.append({**before, "made": False})
            continue
        try:
            result = portrayer(request, progress=step)
        except InvalidRequestError as error:
            error.field = f"panel.{i + 1}.{error.field}"
            raise
        made = _keep(folder, i, request, result.pictures[0], result.warnings)
        panels.append({**made, "planned": planned})
        _write_manifest(folder, script, [*panels, *(known[k] for k in sorted(known) if k > len(panels))], old_pages)
    progress("setting the pages", len(requests) / (len(requests) + 1))
    pages, warnings = _pages(script, folder, panels, places)
    names = [path.name for path, _ in pages]
    for old in set(old_pages) - set(names):  # only what an earlier run made: the rest is somebody's own
        (folder / old).unlink(missing_ok=True)
    document = folder / "storyboard.pdf"
    _write_pdf(document, [page for _, page in pages], script.title)
    _write_manifest(folder, script, panels, names)
    progress("done", 1.0)
    return Made(tuple(path for path, _ in pages), document, tuple(panels), warnings)


def _as_before(request: Request, before: dict[str, Any] | None) -> Request:
    """A panel that was made again with another seed keeps that one until its words change, or the script's seed."""
    if before is None or before["words"] != _digest(request, words_only=True):
        return request
    if before["planned"] not in (None, request.seed):
        return request
    return request.model_copy(update={"seed": before["seed"]})


def _numbers(again: Iterable[int], count: int, seed: int | None) -> frozenset[int]:
    """The panels that are made again.

    Raises:
        InvalidRequestError: there is no such panel, or the seed is none, or for none of them.
    """
    found = frozenset(again)
    if seed is not None and not found:
        raise InvalidRequestError("is for panels that are made again", field="seed", remedy="Name one with --panel.")
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise InvalidRequestError("is out of range", field="seed", remedy=f"Give a whole number from 0 to {MAX_SEED}.")
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

    character = script.characters[name]
    mask = read_bytes(script.folder / character.mask, f"characters.{name}.mask") if character.mask else None
    if mask is not None:
        decode_mask(mask, f"characters.{name}.mask")
    if character.reference.startswith("@"):
        try:
            found = saved.resolve(character.reference.removeprefix("@"), Settings())
        except PortrayalError as error:
            error.field = f"characters.{name}.reference"
            raise
        return CharacterReference.make(found.reference, mask or found.mask, name)
    data = read_bytes(script.folder / character.reference, f"characters.{name}.reference")
    decode(data, f"characters.{name}.reference")  # a bad picture fails now, before anything is made
    return CharacterReference.make(data, mask, name)


def _styles(script: Script) -> tuple[bytes, ...]:
    """The style references; a bad picture fails now."""
    found = []
    for i, text in enumerate(script.style_references):
        data = read_bytes(script.folder / text, f"style_references.{i + 1}")
        decode(data, f"style_references.{i + 1}")
        found.append(data)
    return tuple(found)


def _studied(name: str, character: CharacterReference) -> None:
    """Learn who somebody is before the first panel is made; it is kept, so that the panels need not.

    Raises:
        PortrayalError: nobody is in the picture, or the mask does not fit.
    """
    try:
        know(character, Settings())
    except PortrayalError as error:
        error.field = f"characters.{name}.{error.field or 'reference'}"
        raise


def _writable(script: Script, folder: Path, places: tuple[Spot, ...]) -> None:
    """Check that the folder can be written, and that nothing in it that will be written is an input.

    Raises:
        OutputError: it cannot, or a picture of the script would be replaced.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file", field="output", remedy="Name a folder.")
    inputs = [script.folder / text for text in script.style_references]
    for character in script.characters.values():
        inputs += [script.folder / t for t in (character.reference, character.mask) if t and not t.startswith("@")]
    names = [f"panels/{i + 1:03}.png" for i in range(len(places))]
    names += [f"page-{page + 1:02}.png" for page in range(places[-1].page + 1)]
    for name in names:
        output.prepare(folder / name, 1, inputs=inputs)


def _request(
    script: Script, number: int, cast: dict[str, CharacterReference], styles: tuple[bytes, ...], spot: Spot
) -> Request:
    panel = script.panel[number]
    preset = script.style_preset if panel.style_preset is None else panel.style_preset
    try:
        check_lettering(take_lettering(panel.prompt)[1])
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


def _manifest(folder: Path) -> tuple[dict[int, dict[str, Any]], tuple[str, ...]]:
    """What is known of the panels of an earlier run, by number, and its pages; what is damaged is not known."""
    try:
        data = json.loads((folder / MANIFEST).read_text("utf-8"))
        listed, pages = list(data["panels"]), list(data.get("pages", ()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}, ()
    known = {}
    for entry in listed:
        try:
            panel = _Known.model_validate(entry)
        except ValidationError:
            continue
        known[panel.number] = panel.model_dump(mode="json")
    return known, tuple(name for name in pages if isinstance(name, str) and _PAGE.fullmatch(name))


def _write_manifest(folder: Path, script: Script, panels: list[dict[str, Any]], pages: Iterable[str]) -> None:
    kept = [{key: value for key, value in panel.items() if key != "made"} for panel in panels]
    data = {"title": script.title, "pages": list(pages), "panels": kept}
    write_file(folder / MANIFEST, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())


def _whole(folder: Path, panel: dict[str, Any]) -> bool:
    """Whether the panel's file is still the one that was made."""
    try:
        return hashlib.sha256((folder / panel["file"]).read_bytes()).hexdigest() == str(panel["sha256"])
    except OSError:
        return False


def _keep(folder: Path, number: int, request: Request, picture: Picture, warnings: tuple[str, ...]) -> dict[str, Any]:
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
