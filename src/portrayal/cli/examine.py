"""Commands that look: study, six-rounds, bench, doctor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from portrayal.cli.shared import Json, out, place, progress_bar

commands = typer.Typer()
bench_app = typer.Typer(help="Measure speed on this machine.", no_args_is_help=True, rich_markup_mode=None)
commands.add_typer(bench_app, name="bench")


@commands.command()
def study(
    reference: Annotated[Path, typer.Argument(help="Picture of the character.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", parser=place, metavar="PATH", help="Where the drawing goes, .png.")
    ] = Path("study.png"),
    mask: Annotated[Path | None, typer.Option(help="White = belongs to the character.")] = None,
    as_json: Json = False,
) -> None:
    """Show what is learnt from a reference: landmarks, matte, regions, mask, pose, advice."""
    import portrayal
    from portrayal import output as files
    from portrayal.bench.study_sheet import draw, facts
    from portrayal.imaging import encode_png, write_file

    files.prepare(output, 1)
    if output.suffix.lower() != ".png":
        output = output / "study.png"
    with progress_bar(as_json, (reference, "reference"), (mask, "mask")) as progress:
        progress("studying the reference", 0.1)
        character = portrayal.study(reference, mask=mask)
        progress("drawing", 0.8)
        write_file(output, encode_png(draw(character)))
    values = {"path": str(output), **facts(character)}
    if as_json:
        out(json.dumps(values, ensure_ascii=False))
        return
    for key, value in values.items():
        out(f"{key}: {', '.join(map(str, value)) if isinstance(value, (list, tuple)) else value}")


@commands.command("six-rounds")
def six_rounds(
    reference: Annotated[Path | None, typer.Argument(help="Picture of the character.")] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", parser=place, metavar="PATH", help="Folder for the pictures.")
    ] = Path("six-rounds"),
    sample: Annotated[bool, typer.Option("--sample", help="Use the sample portrait of the package.")] = False,
    speed: Annotated[str, typer.Option(help="turbo, balanced or quality.")] = "balanced",
    as_json: Json = False,
) -> None:
    """Judge the program as people do: base, pose, expression, outfit, environment, cinematic."""
    from portrayal import assets
    from portrayal.bench.six_rounds import run
    from portrayal.errors import InvalidRequestError
    from portrayal.imaging import read_bytes

    if sample:
        reference = assets.path("sample/astronaut.png")
    if reference is None:
        raise InvalidRequestError("no picture is given", field="reference", remedy="Name one, or use --sample.")
    with progress_bar(as_json, (reference, "reference")) as progress:
        found = run(read_bytes(reference, "reference"), output, speed, progress)
    if as_json:
        out(json.dumps(found, ensure_ascii=False))
        return
    for row in found["pictures"]:
        checks = ", ".join(f"{c['name']} {'ok' if c['ok'] else 'NOT OK'} ({c['shown']})" for c in row["checks"])
        out(f"{row['round']:<12} {row['name']:<22} distance {row['distance']:.2f}  {checks}")
    out(f"{found['passed']} of {found['checks']} checks passed")
    out(f"contact sheet: {found['contact_sheet']}")


@bench_app.command("speed")
def bench_speed(
    repeats: Annotated[int, typer.Option(help="Rounds over all scenes.", min=1)] = 2,
    markdown: Annotated[Path | None, typer.Option(help="Also write the table there.")] = None,
    as_json: Json = False,
) -> None:
    """Time every stage at 1024x1024, warm, and a cold start."""
    from portrayal.bench.speed import run, table
    from portrayal.imaging import write_file

    with progress_bar(as_json) as progress:
        found = run(repeats, progress)
    text = table(found)
    if markdown:
        write_file(markdown, text.encode())
    out(json.dumps(found) if as_json else text)


@bench_app.command("load")
def bench_load(
    clients: Annotated[int, typer.Option(help="Clients that call at the same time.", min=1, max=1000)] = 64,
    seconds: Annotated[float, typer.Option(help="How long they begin new calls.", min=1)] = 30.0,
) -> None:
    """Load a started server with the real engine: errors, overhead of a call, memory."""
    from portrayal.bench.load import run, table

    with progress_bar(False) as progress:
        outcome = run(clients, seconds, progress)
    out(table(outcome, clients))


@commands.command()
def doctor(as_json: Json = False) -> None:
    """Check the installation: models, libraries, cores, folders."""
    from portrayal.bench.doctor import examine

    found = examine()
    if as_json:
        out(json.dumps(found))
    else:
        for row in found["checks"]:
            out(f"{'ok ' if row['ok'] else 'BAD'}  {row['name']}: {row['found']}")
    if not found["ok"]:
        raise typer.Exit(3)


@commands.command()
def gallery(
    sheet: Annotated[list[str] | None, typer.Argument(help="Names of sheets; default: all.")] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", parser=place, metavar="FOLDER", help="Where the sheets go.")
    ] = Path("gallery"),
    as_json: Json = False,
) -> None:
    """Make sheets of everything that the program can do, from the sample portrait."""
    from portrayal.bench.gallery import make

    with progress_bar(as_json) as progress:
        made = make(sheet or (), output, progress)
    if as_json:
        out(json.dumps([str(path) for path in made]))
        return
    for path in made:
        out(str(path))
