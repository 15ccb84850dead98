"""Commands that make pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from portrayal.cli.remote import Key, Server, door
from portrayal.cli.shared import (
    Count,
    Force,
    Image,
    Json,
    MagicPrompt,
    MaskMode,
    Negative,
    Output,
    Palette,
    Seed,
    Speed,
    StyleCode,
    StylePreset,
    StyleReferences,
    StyleType,
    out,
    progress_bar,
    report,
    styles,
)

commands = typer.Typer()

References = Annotated[
    list[str] | None,
    typer.Option(
        "--reference",
        "-r",
        metavar="PICTURE|@NAME",
        help="Picture of the character, or a saved one; several times for a cast. Only of people who agreed.",
    ),
]
ReferenceMask = Annotated[
    Path | None, typer.Option("--reference-mask", help="Mask of the reference, white = belongs to the character.")
]
EditMask = Annotated[Path | None, typer.Option("--mask", help="What may change; of the image's size.")]
SaveMask = Annotated[Path | None, typer.Option(help="Write the mask that was used, a black and white .png.")]
AnySize = Annotated[str | None, typer.Option(help="Width x height, e.g. 1024x1024, or square_hd.")]
AnyRatio = Annotated[str | None, typer.Option(help="E.g. 16:9; instead of --size.")]


def _paths(references: list[str] | None) -> list[tuple[Path | None, str]]:
    return [(Path(r), "reference") for r in references or () if not r.startswith("@")]


@commands.command()
def generate(
    prompt: Annotated[str, typer.Option("--prompt", "-p", help="What the picture shall show; @NAME = saved one.")],
    output: Output,
    reference: References = None,
    negative_prompt: Negative = "",
    size: AnySize = None,
    aspect_ratio: AnyRatio = None,
    style_type: StyleType = "auto",
    style_preset: StylePreset = "",
    style_code: StyleCode = None,
    style_reference: StyleReferences = None,
    palette: Palette = None,
    magic_prompt: MagicPrompt = "off",
    speed: Speed = "balanced",
    seed: Seed = None,
    num_images: Count = 1,
    mask: Annotated[
        Path | None, typer.Option("--mask", "--reference-mask", help="White = belongs to the character.")
    ] = None,
    engine: Annotated[str, typer.Option(help="auto or studio.")] = "auto",
    force: Force = False,
    as_json: Json = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """Make pictures of the character of a reference."""
    with progress_bar(as_json, *_paths(reference), (mask, "mask"), warm=not server) as progress:
        result = door(server, key).generate(
            reference or (),
            prompt,
            mask=mask,
            size=size,
            aspect_ratio=aspect_ratio,
            output=output,
            force=force,
            progress=progress,
            negative_prompt=negative_prompt,
            **styles(style_type, style_preset, style_code, style_reference, palette, magic_prompt),
            speed=speed,
            seed=seed,
            num_images=num_images,
            engine=engine,
        )
    report(result, as_json)


@commands.command()
def edit(
    image: Image,
    output: Output,
    mask: EditMask = None,
    mask_mode: MaskMode = "white",
    save_mask: SaveMask = None,
    reference: References = None,
    reference_mask: ReferenceMask = None,
    prompt: Annotated[str, typer.Option("--prompt", "-p", help="What shall be there, or what shall change.")] = "",
    negative_prompt: Negative = "",
    speed: Speed = "balanced",
    seed: Seed = None,
    num_images: Count = 1,
    force: Force = False,
    as_json: Json = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """Magic Fill: put the character under the mask: a face, a head, a whole person, an empty place; or fill it."""
    with progress_bar(as_json, (image, "image"), *_paths(reference), edits=True, warm=not server) as progress:
        result = door(server, key).edit(
            image,
            prompt,
            reference=reference or (),
            reference_mask=reference_mask,
            mask=mask,
            mask_mode=mask_mode,
            save_mask=save_mask,
            output=output,
            force=force,
            progress=progress,
            negative_prompt=negative_prompt,
            speed=speed,
            seed=seed,
            num_images=num_images,
        )
    report(result, as_json)


@commands.command()
def remix(
    image: Image,
    output: Output,
    reference: References = None,
    reference_mask: ReferenceMask = None,
    prompt: Annotated[str, typer.Option("--prompt", "-p", help="What shall be different.")] = "",
    strength: Annotated[
        float, typer.Option(help="0 = only colours, framing and light of the image; 1 = the very image.")
    ] = 0.5,
    negative_prompt: Negative = "",
    size: AnySize = None,
    aspect_ratio: AnyRatio = None,
    style_type: StyleType = "auto",
    style_preset: StylePreset = "",
    style_code: StyleCode = None,
    style_reference: StyleReferences = None,
    palette: Palette = None,
    magic_prompt: MagicPrompt = "off",
    speed: Speed = "balanced",
    seed: Seed = None,
    num_images: Count = 1,
    force: Force = False,
    as_json: Json = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """Borrow the look and the composition of any picture."""
    with progress_bar(as_json, (image, "image"), *_paths(reference), edits=True, warm=not server) as progress:
        result = door(server, key).remix(
            image,
            prompt,
            reference=reference or (),
            reference_mask=reference_mask,
            strength=strength,
            size=size,
            aspect_ratio=aspect_ratio,
            output=output,
            force=force,
            progress=progress,
            negative_prompt=negative_prompt,
            **styles(style_type, style_preset, style_code, style_reference, palette, magic_prompt),
            speed=speed,
            seed=seed,
            num_images=num_images,
        )
    report(result, as_json)


@commands.command()
def reframe(
    image: Image,
    output: Output,
    size: AnySize = None,
    aspect_ratio: AnyRatio = None,
    speed: Speed = "balanced",
    seed: Seed = None,
    force: Force = False,
    as_json: Json = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """Another size or ratio: what is missing is painted on."""
    with progress_bar(as_json, (image, "image"), edits=True, warm=not server) as progress:
        result = door(server, key).reframe(
            image,
            size=size,
            aspect_ratio=aspect_ratio,
            output=output,
            force=force,
            progress=progress,
            speed=speed,
            seed=seed,
        )
    report(result, as_json)


@commands.command("replace-background")
def replace_background(
    image: Image,
    output: Output,
    prompt: Annotated[str, typer.Option("--prompt", "-p", help="What shall be behind the people.")] = "",
    background: Annotated[Path | None, typer.Option(help="A picture to put behind them.")] = None,
    mask: Annotated[Path | None, typer.Option(help="What stays; default: everybody in the picture.")] = None,
    mask_mode: Annotated[str, typer.Option(help="What stays: white, black, or alpha (opaque).")] = "white",
    speed: Speed = "balanced",
    seed: Seed = None,
    num_images: Count = 1,
    force: Force = False,
    as_json: Json = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """The same people somewhere else, in the light of the place."""
    with progress_bar(as_json, (image, "image"), (background, "background"), edits=True, warm=not server) as progress:
        result = door(server, key).replace_background(
            image,
            prompt,
            background=background,
            mask=mask,
            mask_mode=mask_mode,
            output=output,
            force=force,
            progress=progress,
            speed=speed,
            seed=seed,
            num_images=num_images,
        )
    report(result, as_json)


@commands.command("remove-background")
def remove_background(
    image: Image,
    output: Output,
    mask: Annotated[Path | None, typer.Option(help="What stays; default: everybody in the picture.")] = None,
    mask_mode: Annotated[str, typer.Option(help="What stays: white, black, or alpha (opaque).")] = "white",
    speed: Speed = "balanced",
    force: Force = False,
    as_json: Json = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """Cut out the people, or the subject: a PNG or WebP file with transparency."""
    with progress_bar(as_json, (image, "image"), warm=not server) as progress:
        result = door(server, key).remove_background(
            image, mask=mask, mask_mode=mask_mode, output=output, force=force, progress=progress, speed=speed
        )
    report(result, as_json)


@commands.command()
def upscale(
    image: Image,
    output: Output,
    factor: Annotated[int, typer.Option(help="2 or 4.")] = 2,
    speed: Speed = "balanced",
    force: Force = False,
    as_json: Json = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """Enlarge a picture; edges and faces stay crisp, nothing is invented."""
    with progress_bar(as_json, (image, "image"), warm=not server) as progress:
        result = door(server, key).upscale(image, factor, output=output, force=force, progress=progress, speed=speed)
    report(result, as_json)


@commands.command()
def describe(
    image: Annotated[Path, typer.Argument(help="A picture.")],
    as_json: Json = False,
    server: Server = None,
    key: Key = None,
) -> None:
    """Say in words what a picture shows: a prompt that leads back to such a picture, and its style code."""
    with progress_bar(as_json, (image, "image"), warm=not server) as progress:
        progress("looking", 0.1)
        found = door(server, key).describe(image)
    if as_json:
        out(json.dumps(found.model_dump(mode="json"), ensure_ascii=False))
        return
    out(found.prompt)
    out(f"style code: {found.style_code}")


@commands.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A picture that this program may have made.")],
    as_json: Json = False,
) -> None:
    """Read back what a picture says of its origin: request, scores, content credentials."""
    import portrayal

    found = portrayal.verify(file)
    if as_json:
        out(json.dumps(found, ensure_ascii=False))
        return
    for line in found["lines"]:
        out(line)
