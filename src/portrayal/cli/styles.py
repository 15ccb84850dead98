"""Commands about styles: what there is, and what a style code stands for."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from portrayal.cli.shared import Json, out

commands = typer.Typer()


@commands.command()
def styles(as_json: Json = False) -> None:
    """List style types, presets and palettes."""
    from portrayal.engines.studio.looks import presets
    from portrayal.styles.catalogue import PALETTES, STYLE_TYPES, members

    rows = presets()
    if as_json:
        found = {
            "types": list(STYLE_TYPES),
            "presets": [{"name": name, "title": row.title, "note": row.note} for name, row in rows.items()],
            "palettes": {name: [list(member) for member in members((name,))] for name in PALETTES},
        }
        out(json.dumps(found, ensure_ascii=False))
        return
    out(f"Style types: {', '.join(STYLE_TYPES)}")
    out()
    for name, row in rows.items():
        out(f"{name:<22} {row.note}")
    out()
    for name in PALETTES:
        out(f"{name:<22} {' '.join(member.colour for member in members((name,)))}")


@commands.command()
def style(code: Annotated[str, typer.Argument(help="Eight hex digits.")], as_json: Json = False) -> None:
    """Show what a style code stands for; it means the same for ever."""
    from dataclasses import asdict

    from portrayal.styles.code import StyleCode

    found = StyleCode.parse(code)
    if as_json:
        out(json.dumps({"code": str(found), **asdict(found), "summary": found.summary}, ensure_ascii=False))
        return
    out(f"{found}  {found.summary}")
    for field, value in asdict(found).items():
        out(f"  {field:<11} {value}")
