"""The command that makes storyboards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from portrayal.cli.shared import Json, out, place, progress_bar, say

commands = typer.Typer()


@commands.command()
def storyboard(
    script: Annotated[Path, typer.Argument(metavar="FILE.toml", help="The script: cast, style, panels.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", parser=place, metavar="FOLDER", help="For pages, panels and the PDF.")
    ],
    panel: Annotated[
        list[int] | None, typer.Option("--panel", metavar="NUMBER", help="Make this one again; several times for more.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="For the panels that are made again; default: the next one.")] = None,
    as_json: Json = False,
) -> None:
    """Make a comic or storybook: panels of one cast in one style, with captions and balloons, as PNG and PDF."""
    from portrayal.storyboard import make, read_script

    story = read_script(script)
    with progress_bar(as_json) as progress:
        made = make(story, output, again=panel or (), seed=seed, progress=progress)
    if as_json:
        summary = {
            "pages": [str(path) for path in made.pages],
            "document": str(made.document),
            "panels": list(made.panels),
            "warnings": list(made.warnings),
        }
        out(json.dumps(summary, ensure_ascii=False))
        return
    for one in made.panels:
        scores = ", ".join(f"{name} {score['score']:.2f}" for name, score in one["identity"].items())
        out(f"panel {one['number']}: {'made' if one['made'] else 'kept'}, seed {one['seed']}, same person: {scores}")
        for words in one["warnings"]:
            say(f"panel {one['number']}: {words}")
    for words in made.warnings:
        say(words)
    for path in made.pages:
        out(str(path))
    out(str(made.document))
