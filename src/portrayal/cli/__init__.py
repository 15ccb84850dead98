"""The command line: a thin door; every verb calls the same functions as the Python API.

Results go to stdout (with ``--json`` exactly one JSON object), everything else to stderr. Bad input is one line on
stderr and exit code 2.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from portrayal._version import __version__
from portrayal.cli import examine, pictures, serving, storyboards, styles, words
from portrayal.cli.characters import characters_app
from portrayal.cli.keys import keys_app
from portrayal.cli.library import library_app
from portrayal.cli.shared import out, say

app = typer.Typer(
    help="One reference picture and a prompt in; the same person in new pictures out, each with a score.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(pictures.commands)
app.add_typer(examine.commands)
app.add_typer(serving.commands)
app.add_typer(styles.commands)
app.add_typer(words.commands)
app.add_typer(words.templates_app, name="templates")
app.add_typer(storyboards.commands)
app.add_typer(characters_app, name="character")
app.add_typer(keys_app, name="keys")
app.add_typer(library_app, name="library")


_STOPPED = 130
"""Exit code after Ctrl-C: 128 + SIGINT."""


def main() -> None:
    """Entry point: turns the package's errors into one line and an exit code."""
    from portrayal import memory
    from portrayal.errors import PortrayalError

    memory.keep()
    try:
        code = app(standalone_mode=False)
        if code == _STOPPED:  # that is how typer reports Ctrl-C
            raise KeyboardInterrupt
        sys.exit(code if isinstance(code, int) else 0)
    except PortrayalError as error:
        say(f"portrayal: {error}")
        sys.exit(error.exit_code)
    except typer.TyperException as error:
        say(f"portrayal: {error.format_message().rstrip('.')}. `portrayal --help` lists commands and options.")
        sys.exit(2)
    except typer.Exit as error:
        sys.exit(error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        say("portrayal: stopped; nothing more was written.")
        sys.exit(_STOPPED)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version.", is_eager=True)] = False,
) -> None:
    if version:
        out(f"portrayal {__version__}")
        raise typer.Exit
