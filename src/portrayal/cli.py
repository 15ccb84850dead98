"""The command line: a thin door; every verb calls the same functions as the Python API.

Results go to stdout (with ``--json`` exactly one JSON object), everything else to stderr. Bad input is one line on
stderr and exit code 2.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from portrayal._version import __version__

if TYPE_CHECKING:
    from portrayal.engines.base import Progress
    from portrayal.result import Portrayal

app = typer.Typer(
    help="One reference picture and a prompt in; the same person in new pictures out, each with a score.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
bench_app = typer.Typer(help="Measure speed on this machine.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(bench_app, name="bench")


_STOPPED = 130
"""Exit code after Ctrl-C: 128 + SIGINT."""


def _place(text: str) -> Path:
    """An output as it was typed; an empty one (often an unset shell variable) is not the current folder."""
    from portrayal.errors import InvalidRequestError

    if not text.strip():
        raise InvalidRequestError("is empty", field="output", remedy="Name a .png file or a folder.")
    return Path(text)


Reference = Annotated[
    Path, typer.Option("--reference", "-r", help="Picture of the character; only of people who agreed.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def main() -> None:
    """Entry point: turns the package's errors into one line and an exit code."""
    from portrayal.errors import PortrayalError

    try:
        code = app(standalone_mode=False)
        if code == _STOPPED:  # that is how typer reports Ctrl-C
            raise KeyboardInterrupt
        sys.exit(code if isinstance(code, int) else 0)
    except PortrayalError as error:
        _say(f"portrayal: {error}")
        sys.exit(error.exit_code)
    except typer.TyperException as error:
        _say(f"portrayal: {error.format_message()}. `portrayal --help` lists commands and options.")
        sys.exit(2)
    except typer.Exit as error:
        sys.exit(error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _say("portrayal: stopped; nothing more was written.")
        sys.exit(_STOPPED)


def _say(line: str) -> None:
    sys.stderr.write(" ".join(line.split()) + "\n")


def _print(line: str = "") -> None:
    sys.stdout.write(line + "\n")


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version.", is_eager=True)] = False,
) -> None:
    if version:
        _print(f"portrayal {__version__}")
        raise typer.Exit


@app.command()
def generate(
    reference: Reference,
    prompt: Annotated[str, typer.Option("--prompt", "-p", help="What the picture shall show.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", parser=_place, metavar="PATH", help="A .png file, or a folder.")
    ],
    negative_prompt: Annotated[str, typer.Option(help="What shall not be in the picture.")] = "",
    size: Annotated[str | None, typer.Option(help="Width x height, e.g. 1024x1024, or square_hd.")] = None,
    aspect_ratio: Annotated[str | None, typer.Option(help="E.g. 16:9; instead of --size.")] = None,
    speed: Annotated[str, typer.Option(help="turbo, balanced or quality.")] = "balanced",
    seed: Annotated[int | None, typer.Option(help="0 to 2147483647; default: from the request.")] = None,
    num_images: Annotated[int, typer.Option("--num-images", "-n", help="1 to 8.")] = 1,
    mask: Annotated[Path | None, typer.Option(help="White = belongs to the character.")] = None,
    engine: Annotated[str, typer.Option(help="auto or studio.")] = "auto",
    as_json: Json = False,
) -> None:
    """Make pictures of the character of a reference."""
    import portrayal
    from portrayal.errors import InvalidRequestError

    if size is not None and aspect_ratio is not None:
        raise InvalidRequestError("both a size and an aspect ratio are given", field="size", remedy="Give one of them.")
    with _progress(as_json, (reference, "reference"), (mask, "mask")) as progress:
        result = portrayal.generate(
            reference,
            prompt,
            mask=mask,
            size=(1024, 1024) if size is None else size,
            aspect_ratio=aspect_ratio,
            output=output,
            progress=progress,
            negative_prompt=negative_prompt,
            speed=speed,
            seed=seed,
            num_images=num_images,
            engine=engine,
        )
    _report(result, as_json)


def _report(result: Portrayal, as_json: bool) -> None:
    if as_json:
        _print(json.dumps(result.summary(), ensure_ascii=False))
        return
    for picture in result.pictures:
        identity = picture.identity
        shown = f"{identity.score:.2f}"
        if identity.distance is not None:
            shown += f" (distance {identity.distance:.2f})"
        verdict = "same person" if identity.same_person else "NOT recognised as the same person"
        if identity.kind == "appearance":
            verdict = "same character by appearance" if identity.same_person else "NOT alike by appearance"
        _print(f"{picture.path}  seed {picture.seed}  identity {shown}: {verdict}")
    for warning in dict.fromkeys((*result.warnings, *(w for p in result.pictures for w in p.warnings))):
        _say(f"  note: {warning}")


@app.command()
def study(
    reference: Annotated[Path, typer.Argument(help="Picture of the character.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", parser=_place, metavar="PATH", help="Where the drawing goes, .png.")
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
    with _progress(as_json, (reference, "reference"), (mask, "mask")) as progress:
        progress("studying the reference", 0.1)
        character = portrayal.study(reference, mask=mask)
        progress("drawing", 0.8)
        write_file(output, encode_png(draw(character)))
    values = {"path": str(output), **facts(character)}
    if as_json:
        _print(json.dumps(values, ensure_ascii=False))
        return
    for key, value in values.items():
        _print(f"{key}: {', '.join(map(str, value)) if isinstance(value, (list, tuple)) else value}")


@app.command("six-rounds")
def six_rounds(
    reference: Annotated[Path | None, typer.Argument(help="Picture of the character.")] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", parser=_place, metavar="PATH", help="Folder for the pictures.")
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
    with _progress(as_json, (reference, "reference")) as progress:
        report = run(read_bytes(reference, "reference"), output, speed, progress)
    if as_json:
        _print(json.dumps(report, ensure_ascii=False))
        return
    for row in report["pictures"]:
        checks = ", ".join(f"{c['name']} {'ok' if c['ok'] else 'NOT OK'} ({c['shown']})" for c in row["checks"])
        _print(f"{row['round']:<12} {row['name']:<22} distance {row['distance']:.2f}  {checks}")
    _print(f"{report['passed']} of {report['checks']} checks passed")
    _print(f"contact sheet: {report['contact_sheet']}")


@bench_app.command("speed")
def bench_speed(
    repeats: Annotated[int, typer.Option(help="Rounds over all scenes.", min=1)] = 2,
    markdown: Annotated[Path | None, typer.Option(help="Also write the table there.")] = None,
    as_json: Json = False,
) -> None:
    """Time every stage at 1024x1024, warm, and a cold start."""
    from portrayal.bench.speed import run, table
    from portrayal.imaging import write_file

    with _progress(as_json) as progress:
        report = run(repeats, progress)
    text = table(report)
    if markdown:
        write_file(markdown, text.encode())
    _print(json.dumps(report) if as_json else text)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check the installation: models, libraries, cores, folders."""
    from portrayal.bench.doctor import examine

    found = examine()
    if as_json:
        _print(json.dumps(found))
    else:
        for row in found["checks"]:
            _print(f"{'ok ' if row['ok'] else 'BAD'}  {row['name']}: {row['found']}")
    if not found["ok"]:
        raise typer.Exit(3)


@contextmanager
def _progress(quiet: bool, *pictures: tuple[Path | None, str]) -> Iterator[Progress]:
    """A progress bar on stderr, when it is a terminal and nobody asked for JSON.

    The kernels are compiled at the first stage that is told: the options are known to be good then. The pictures are
    looked at before, so that a bad one is refused at once and in one line, also at the first run on a machine.
    """
    from portrayal.engines.base import silent

    if quiet or not sys.stderr.isatty():
        yield _warming(silent, silent if quiet else _say_stage, pictures)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns: tuple[Any, ...] = (BarColumn(28), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)

        def show(stage: str, fraction: float) -> None:
            bar.update(task, description=stage, completed=fraction)

        yield _warming(show, show, pictures)


def _warming(show: Progress, preparing: Progress, pictures: tuple[tuple[Path | None, str], ...]) -> Progress:
    """`show`, with the one-time compilation before the first stage; `preparing` is told how that goes."""
    ready = False

    def step(stage: str, fraction: float) -> None:
        nonlocal ready
        if not ready:
            ready = True
            _warm_up(preparing, pictures)
        show(stage, fraction)

    return step


def _say_stage(stage: str, fraction: float) -> None:
    _say(f"{stage} ({fraction:.0%})")


def _warm_up(progress: Progress, pictures: tuple[tuple[Path | None, str], ...]) -> None:
    from portrayal.imaging import decode, decode_mask, read_bytes
    from portrayal.warmup import needed, prepare

    if not needed():
        return
    for path, field in pictures:
        if path is not None:
            (decode_mask if field == "mask" else decode)(read_bytes(path, field), field)
    prepare(progress)
