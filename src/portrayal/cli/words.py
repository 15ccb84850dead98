"""Commands about words: magic-prompt, and ``portrayal templates list|show|run``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from portrayal.cli.pictures import AnyRatio, AnySize, References
from portrayal.cli.remote import Key, Server, door
from portrayal.cli.shared import (
    Count,
    Force,
    Json,
    MagicPrompt,
    Negative,
    Output,
    Seed,
    Speed,
    out,
    progress_bar,
    report,
    say,
    styles,
)

commands = typer.Typer()
templates_app = typer.Typer(
    help="Prompts of pictures that people often want.", no_args_is_help=True, rich_markup_mode=None
)

Slots = Annotated[
    list[str] | None,
    typer.Option("--slot", "-s", metavar="NAME=TEXT", help="What stands in a slot of the template; several times."),
]


@commands.command("magic-prompt")
def magic_prompt(
    text: Annotated[str, typer.Argument(help="A prompt, in any language that is understood.")],
    mode: Annotated[str, typer.Option(help="on, auto (only to short prompts) or off.")] = "on",
    seed: Annotated[int, typer.Option(help="Another seed adds other things.", min=0, max=2_147_483_647)] = 0,
    negative_prompt: Negative = "",
    as_json: Json = False,
) -> None:
    """Show a prompt as the magic prompt would have it, and what that adds. No picture is made."""
    from portrayal.errors import InvalidRequestError
    from portrayal.magic_model import rewrite
    from portrayal.prompting import read
    from portrayal.request import MAX_PROMPT

    if not text.strip() or max(len(text), len(negative_prompt)) > MAX_PROMPT:
        raise InvalidRequestError(
            "is empty or too long", field="prompt", remedy=f"Say in 1 to {MAX_PROMPT} characters what shall be seen."
        )
    for field, words in (("prompt", text), ("negative_prompt", negative_prompt)):
        if any("\ud800" <= sign <= "\udfff" for sign in words):
            raise InvalidRequestError("holds bytes that are no text", field=field, remedy="Give UTF-8 text.")
    magic = rewrite(text, mode, seed, negative_prompt)
    if as_json:
        plan = read(magic.prompt, negative_prompt)
        values = {
            "prompt": magic.prompt,
            "changed": magic.prompt != text,
            "added": magic.added,
            "by": magic.by,
            "understood": [(u.phrase, u.kind, u.value) for u in plan.understood],
            "unknown": plan.unknown,
            "warnings": magic.warnings,
        }
        out(json.dumps(values, ensure_ascii=False))
        return
    out(magic.prompt)
    for kind, phrase in magic.added:
        say(f"  added {kind}: {phrase}")
    for warning in magic.warnings:
        say(f"  note: {warning}")


@templates_app.command("list")
def list_templates(
    group: Annotated[str, typer.Option(help="Only this group.")] = "",
    as_json: Json = False,
) -> None:
    """All templates by group: name, title, slots."""
    from portrayal.errors import InvalidRequestError
    from portrayal.prompting.templates import groups, templates

    if group and group not in groups():
        raise InvalidRequestError(
            f"there is no group {group[:40]!r}", field="group", remedy=f"Use one of: {', '.join(groups())}."
        )
    shown = [t for t in templates() if group in ("", t.group)]
    if as_json:
        out(json.dumps({"templates": [t.model_dump(mode="json") for t in shown]}, ensure_ascii=False))
        return
    width = max(len(t.name) for t in shown)
    for name in dict.fromkeys(t.group for t in shown):
        out(f"{name}:")
        for template in shown:
            if template.group == name:
                slots = ", ".join((*(f"{s} (needed)" for s in template.required), *template.slots))
                out(f"  {template.name:<{width}}  {template.title}{f'  [{slots}]' if slots else ''}")


@templates_app.command()
def show(
    name: Annotated[str, typer.Argument(help="Of the template.")],
    as_json: Json = False,
) -> None:
    """One template: prompt, slots, size, style."""
    from portrayal.prompting.templates import find

    template = find(name)
    if as_json:
        out(json.dumps(template.model_dump(mode="json"), ensure_ascii=False))
        return
    out(f"{template.title} ({template.group}, {template.operation})")
    out(f"prompt: {template.text}")
    for slot in template.required:
        out(f"slot {slot}: needed")
    for slot, default in template.slots.items():
        out(f"slot {slot}: {default}")
    style = ", ".join((template.style_preset, *template.palette)) or template.style_type
    for key, value in (("size", template.size), ("style", style.strip(", ")), ("preview", template.preview)):
        if value and value != "auto":
            out(f"{key}: {value}")


@templates_app.command()
def run(
    name: Annotated[str, typer.Argument(help="Of the template.")],
    output: Output,
    reference: References = None,
    image: Annotated[Path | None, typer.Option("--image", "-i", help="For templates of backgrounds.")] = None,
    slot: Slots = None,
    negative_prompt: Negative = "",
    size: AnySize = None,
    aspect_ratio: AnyRatio = None,
    magic_prompt: MagicPrompt = "off",
    speed: Speed = "balanced",
    seed: Seed = None,
    num_images: Count = 1,
    force: Force = False,
    as_json: Json = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """Make the picture of a template."""
    from portrayal.prompting.templates import find

    template = find(name)
    called = [r for r in reference or () if r.startswith("@")]
    prompt = template.filled(" and ".join(called), _slots(slot))
    options = {"speed": speed, "seed": seed, "num_images": num_images, "output": output, "force": force}
    if template.operation == "replace-background":
        _only_image(image, reference)
        _unused(size=size, aspect_ratio=aspect_ratio, magic_prompt="" if magic_prompt == "off" else magic_prompt)
        options["negative_prompt"] = negative_prompt
        with progress_bar(as_json, (image, "image"), edits=True, warm=not server) as progress:
            result = door(server, key).replace_background(image, prompt, progress=progress, **options)
        report(result, as_json)
        return
    _only_reference(image, reference)
    pictures: list[tuple[Path | None, str]] = [(Path(r), "reference") for r in reference or () if r[:1] != "@"]
    with progress_bar(as_json, *pictures, warm=not server) as progress:
        result = door(server, key).generate(
            reference or (),
            prompt,
            negative_prompt=negative_prompt,
            size=size if size or aspect_ratio else template.size,
            aspect_ratio=aspect_ratio,
            progress=progress,
            **styles(template.style_type, template.style_preset, None, None, list(template.palette), magic_prompt),
            **options,
        )
    report(result, as_json)


def _slots(given: list[str] | None) -> dict[str, str]:
    """The slots of ``NAME=TEXT``."""
    from portrayal.errors import InvalidRequestError

    slots: dict[str, str] = {}
    for text in given or ():
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise InvalidRequestError(f"{text[:40]!r} is no slot", field="slot", remedy="Write NAME=TEXT.")
        if name.strip() in slots:
            raise InvalidRequestError(f"{name.strip()!r} is given twice", field="slot", remedy="Give it once.")
        slots[name.strip()] = value
    return slots


def _only_image(image: Path | None, reference: list[str] | None) -> None:
    from portrayal.errors import InvalidRequestError

    if image is None:
        raise InvalidRequestError(
            "this template puts something behind a picture", field="image", remedy="Give --image."
        )
    if reference:
        raise InvalidRequestError(
            "this template has no use for it", field="reference", remedy="Give the picture as --image."
        )


def _unused(**given: str | None) -> None:
    from portrayal.errors import InvalidRequestError

    for field, value in given.items():
        if value:
            raise InvalidRequestError(
                "a template of a background keeps the picture's size and takes the words as they are",
                field=field,
                remedy="Leave it out.",
            )


def _only_reference(image: Path | None, reference: list[str] | None) -> None:
    from portrayal.errors import InvalidRequestError

    if image is not None:
        raise InvalidRequestError("this template makes a new picture", field="image", remedy="Give --reference.")
    if not reference:
        raise InvalidRequestError(
            "is empty; this template shows somebody", field="reference", remedy="Give a picture, or @name."
        )
