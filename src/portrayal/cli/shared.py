"""What all commands share: options, progress, the printing of results."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from portrayal.engines.base import Progress
    from portrayal.result import IdentityScore, Portrayal


def place(text: str) -> Path:
    """An output as it was typed; an empty one (often an unset shell variable) is not the current folder."""
    from portrayal.errors import InvalidRequestError

    if not text.strip():
        raise InvalidRequestError("is empty", field="output", remedy="Name a picture file or a folder.")
    return Path(text)


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", parser=place, metavar="PATH", help="A .png, .jpg or .webp file, or a folder."),
]
Image = Annotated[Path, typer.Option("--image", "-i", help="The picture that is worked on.")]
Speed = Annotated[str, typer.Option(help="turbo, balanced or quality.")]
StyleType = Annotated[str, typer.Option(help="auto, general, realistic, design or fiction.")]
StylePreset = Annotated[str, typer.Option(metavar="NAME", help="One of the 62 names of `portrayal styles`.")]
StyleCode = Annotated[
    list[str] | None, typer.Option("--style-code", metavar="CODE", help="Eight hex digits: a look for ever.")
]
StyleReferences = Annotated[
    list[Path] | None,
    typer.Option("--style-reference", metavar="PICTURE", help="Take its colours and brushwork; up to ten times."),
]
Palette = Annotated[
    list[str] | None,
    typer.Option("--palette", metavar="NAME|#RRGGBB[:WEIGHT]", help="A palette's name, or a colour; up to 8 times."),
]
MagicPrompt = Annotated[str, typer.Option(help="May words be added to the prompt: on, auto or off.")]
Seed = Annotated[int | None, typer.Option(help="0 to 2147483647; default: from the request.")]
Count = Annotated[int, typer.Option("--num-images", "-n", help="1 to 8.")]
Negative = Annotated[str, typer.Option(help="What shall not be in the picture.")]
Force = Annotated[bool, typer.Option("--force", help="Allow the output to replace an input file.")]
MaskMode = Annotated[str, typer.Option(help="What is repainted: white, black, or alpha (transparent).")]


def styles(
    style_type: str,
    preset: str,
    codes: list[str] | None,
    references: list[Path] | None,
    palette: list[str] | None,
    magic_prompt: str,
) -> dict[str, Any]:
    """The style options of a command as a verb takes them; what was not given is left out."""
    given = {
        "style_type": style_type if style_type != "auto" else "",
        "style_preset": preset,
        "style_codes": tuple(codes or ()),
        "style_references": tuple(references or ()),
        "palette": tuple(part for text in palette or () for part in text.split(",")),
        "magic_prompt": magic_prompt if magic_prompt != "off" else "",
    }
    return {name: value for name, value in given.items() if value}


def say(line: str) -> None:
    """One line on stderr."""
    sys.stderr.write(" ".join(line.split()) + "\n")


def out(line: str = "") -> None:
    """One line on stdout."""
    sys.stdout.write(line + "\n")


def report(result: Portrayal, as_json: bool) -> None:
    """Print a result: a line per picture, notes on stderr; or one JSON object."""
    if as_json:
        out(json.dumps(result.summary(), ensure_ascii=False))
        return
    for picture in result.pictures:
        words = [f"{picture.path}", f"{picture.width}x{picture.height}", f"seed {picture.seed}"]
        words += [picture.did] if picture.did else []
        words += [_verdict(score) for score in picture.cast or (picture.identity,) if score]
        out("  ".join(words))
    for warning in dict.fromkeys((*result.warnings, *(w for p in result.pictures for w in p.warnings))):
        say(f"  note: {warning}")


def _verdict(identity: IdentityScore) -> str:
    shown = f"identity{' of ' + identity.name if identity.name else ''} {identity.score:.2f}"
    if identity.distance is not None:
        shown += f" (distance {identity.distance:.2f})"
    if identity.kind == "appearance":
        verdict = "same character by appearance" if identity.same_person else "NOT alike by appearance"
    else:
        verdict = "same person" if identity.same_person else "NOT recognised as the same person"
    return f"{shown}: {verdict}"


@contextmanager
def progress_bar(
    quiet: bool, *pictures: tuple[Path | None, str], edits: bool = False, warm: bool = True
) -> Iterator[Progress]:
    """A progress bar on stderr, when it is a terminal and nobody asked for JSON.

    The kernels are compiled at the first stage that is told: the options are known to be good then. The pictures are
    looked at before, so that a bad one is refused at once and in one line, also at the first run on a machine. Not so
    with `warm` False, when a server does the work.
    """
    from portrayal.engines.base import silent

    if quiet or not sys.stderr.isatty():
        yield _warming(silent, silent if quiet else _say_stage, pictures, edits) if warm else silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns: tuple[Any, ...] = (BarColumn(28), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def show(stage: str, fraction: float) -> None:
            bar.update(task, description=stage, completed=fraction)

        yield _warming(show, show, pictures, edits) if warm else show


def _warming(
    show: Progress, preparing: Progress, pictures: tuple[tuple[Path | None, str], ...], edits: bool
) -> Progress:
    """`show`, with the one-time compilation before the first stage; `preparing` is told how that goes."""
    ready = False

    def step(stage: str, fraction: float) -> None:
        nonlocal ready
        if not ready:
            ready = True
            _warm_up(preparing, pictures, edits)
        show(stage, fraction)

    return step


def _say_stage(stage: str, fraction: float) -> None:
    say(f"{stage} ({fraction:.0%})")


def _warm_up(progress: Progress, pictures: tuple[tuple[Path | None, str], ...], edits: bool) -> None:
    from portrayal.imaging import decode, decode_mask, read_bytes
    from portrayal.warmup import needed, prepare

    if not needed() and not (edits and needed(edits=True)):
        return
    for path, field in pictures:
        if path is not None:
            (decode_mask if field in ("mask", "edit_mask") else decode)(read_bytes(path, field), field)
    prepare(progress)
    if edits:
        prepare(progress, edits=True)
