"""The Python API: one function per operation. Nothing heavy is loaded before the first call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from portrayal.character.identity_map import IdentityMap
    from portrayal.description import Description
    from portrayal.engines.base import Progress
    from portrayal.errors import PortrayalError
    from portrayal.request import CharacterReference
    from portrayal.result import Portrayal
    from portrayal.sizes import Size

File: TypeAlias = str | Path | bytes
"""A picture: its path, or its bytes."""
References: TypeAlias = File | Sequence[File]
"""Who shall be in the picture: a file, its bytes, ``"@name"`` of a saved character, or several of these."""


def generate(
    reference: References,
    prompt: str,
    *,
    mask: File | None = None,
    size: str | tuple[int, int] | None = None,
    aspect_ratio: str | None = None,
    output: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Portrayal:
    """Make pictures of the person in `reference`, as `prompt` says.

    Args:
        reference: a file, its bytes or ``"@name"``; several for a cast. Use only pictures of people who agreed.
            May be empty when the prompt mentions saved characters.
        prompt: what the picture shall show.
        mask: white = belongs to the character; of the reference's own size.
        size: ``"1024x1024"``, a preset name, or (width, height); `aspect_ratio` (``"16:9"``) instead of it.
        output: a file, or a folder for several pictures; None keeps them in memory.
        force: allow the output to replace one of the inputs.
        progress: called with (stage, fraction).
        options: any other field of `portrayal.request.Request`: negative_prompt, style_type, style_preset, style_codes,
            style_references (files or bytes), palette, magic_prompt, speed, num_images, seed, engine.

    Raises:
        portrayal.errors.PortrayalError: a clear line with field and remedy; nothing is written then.
    """
    options["size"] = _size(size, aspect_ratio) or (1024, 1024)
    return _make("generate", output, force, progress, reference=reference, mask=mask, prompt=prompt, **options)


def edit(
    image: File,
    prompt: str = "",
    *,
    reference: References = (),
    reference_mask: File | None = None,
    mask: File | None = None,
    save_mask: str | Path | None = None,
    output: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Portrayal:
    """Magic Fill: put the character of `reference` under the mask of `image`, or fill or change what is there.

    Args:
        image: the picture that is changed. Pixels outside of the mask stay equal to the bit.
        prompt: what shall be there, or how it shall change ("navy jacket", "remove").
        reference: who; empty = nobody is put in.
        reference_mask: mask of the reference, white = belongs to the character.
        mask: what may change; None = the person nearest to the prompt is found; in the mask mode "alpha" it is what is
            transparent in `image` then.
        save_mask: a PNG file for the mask that was used, black and white.
        options: as for `generate`; also mask_mode: "white" (white is repainted), "black" or "alpha".
    """
    if mask is None and options.get("mask_mode") == "alpha":
        mask = image
    options.update(image=image, edit_mask=mask)
    return _make(
        "edit",
        output,
        force,
        progress,
        reference=reference,
        mask=reference_mask,
        save_mask=save_mask,
        prompt=prompt,
        **options,
    )


def remix(
    image: File,
    prompt: str = "",
    *,
    reference: References = (),
    reference_mask: File | None = None,
    strength: float = 0.5,
    size: str | tuple[int, int] | None = None,
    aspect_ratio: str | None = None,
    output: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Portrayal:
    """A new picture of the character after an inspiration.

    Args:
        image: the inspiration.
        strength: 0 = only its palette, framing and light; 1 = this very picture with the character in it.
        size: None = the allowed size nearest to the inspiration's shape.
        options: as for `generate`, with the styles.
    """
    options.update(image=image, strength=strength, size=_size(size, aspect_ratio))
    return _make("remix", output, force, progress, reference=reference, mask=reference_mask, prompt=prompt, **options)


def reframe(
    image: File,
    *,
    size: str | tuple[int, int] | None = None,
    aspect_ratio: str | None = None,
    output: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Portrayal:
    """The picture in another size or ratio; what is missing is painted on from its borders."""
    options.update(image=image, size=_size(size, aspect_ratio))
    return _make("reframe", output, force, progress, **options)


def replace_background(
    image: File,
    prompt: str = "",
    *,
    background: File | None = None,
    mask: File | None = None,
    output: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Portrayal:
    """The same people somewhere else, in the light of the place.

    Args:
        prompt: what shall be behind them; or `background`, a picture of it.
        mask: what stays; None = everybody in the picture.
    """
    options.update(image=image, background=background, edit_mask=mask)
    return _make("replace-background", output, force, progress, prompt=prompt, **options)


def remove_background(
    image: File,
    *,
    mask: File | None = None,
    output: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Portrayal:
    """Cut out the people, or the subject: a PNG or WebP file with transparency."""
    options.update(image=image, edit_mask=mask)
    return _make("remove-background", output, force, progress, **options)


def upscale(
    image: File,
    factor: int = 2,
    *,
    output: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Portrayal:
    """Enlarge a picture 2 or 4 times; edges and faces stay crisp, nothing is invented."""
    options.update(image=image, factor=factor)
    return _make("upscale", output, force, progress, **options)


def describe(image: File) -> Description:
    """A prompt that leads back to such a picture, and the style code nearest to it."""
    from portrayal import description

    return description.describe(_bytes(image, "image"))


def verify(file: File) -> dict[str, Any]:
    """What a picture says of its origin: request, scores, content credentials; and whether that still holds."""
    from portrayal import origin

    return origin.verify(_bytes(file, "file"))


def study(reference: File, *, mask: File | None = None) -> IdentityMap:
    """Learn who is in a picture; see `portrayal.character.identity_map.IdentityMap`.

    Raises:
        portrayal.errors.PortrayalError: when it cannot be read, or nobody is in it.
    """
    from portrayal.pipeline import know
    from portrayal.settings import Settings

    return know(_character(reference, mask), Settings())


def _make(
    operation: str,
    output: str | Path | None,
    force: bool,
    progress: Progress | None,
    *,
    reference: References = (),
    mask: File | None = None,
    save_mask: str | Path | None = None,
    **options: Any,
) -> Portrayal:
    from portrayal.errors import PortrayalError

    try:
        return _made(operation, output, force, progress, reference, mask, save_mask, options)
    except PortrayalError as error:
        error.field = _argument(operation, error.field)
        raise


def _made(
    operation: str,
    output: str | Path | None,
    force: bool,
    progress: Progress | None,
    reference: References,
    mask: File | None,
    save_mask: str | Path | None,
    options: dict[str, Any],
) -> Portrayal:
    from portrayal import output as files
    from portrayal.engines.base import silent
    from portrayal.imaging import write_file
    from portrayal.pipeline import portray
    from portrayal.request import Request

    given = (options.get("image"), options.get("edit_mask"), options.get("background"), mask, *_listed(reference))
    inputs = [Path(f) for f in given if isinstance(f, Path) or (isinstance(f, str) and not f.startswith("@"))]
    target = None
    if output is not None:
        target = files.prepare(Path(output), options.get("num_images", 1), force=force, inputs=inputs)
        options.setdefault("output_format", files.FORMATS.get(target.suffix.lower(), "png"))
    mask_file = None if save_mask is None else _mask_file(Path(save_mask), target, force, inputs)
    if mask is not None and not _listed(reference):
        raise _unused_mask()
    for field in ("image", "edit_mask", "background"):
        if options.get(field) is not None:
            options[field] = _bytes(options[field], field)
    styles = options.get("style_references") or ()
    styles = [styles] if isinstance(styles, str | Path | bytes) else list(styles)
    inputs += [Path(style) for style in styles if not isinstance(style, bytes)]
    options["style_references"] = tuple(_bytes(style, "style_references") for style in styles)
    for field in ("style_codes", "palette"):
        given_style = options.get(field) or ()
        options[field] = (given_style,) if isinstance(given_style, str) else tuple(given_style)
    options["characters"] = _characters(reference, mask, options.get("prompt", ""))
    request = Request.make(operation=operation, **options)
    result = portray(request, progress=progress or silent)
    if target is not None:
        result = files.save(result, target, force=force, inputs=inputs)
    if mask_file is not None and (used := result.pictures[0].mask) is not None:
        write_file(mask_file, used)
    return result


def _argument(operation: str, field: str) -> str:
    """The argument of a verb that a field of the request comes from."""
    names = {"characters": "reference", "output_format": "output", "edit_mask": "mask"}
    if operation in ("edit", "remix"):
        names["mask"] = "reference_mask"
    return names.get(field, field)


def _mask_file(path: Path, output: Path | None, force: bool, inputs: list[Path]) -> Path:
    from portrayal import output as files
    from portrayal.errors import InvalidRequestError

    if path.suffix.lower() != ".png":
        raise InvalidRequestError("masks are written as PNG", field="save_mask", remedy="Name a .png file.")
    if output is not None and path.absolute() == output.absolute():
        raise InvalidRequestError("is the output itself", field="save_mask", remedy="Name another file.")
    return files.prepare(path, 1, force=force, inputs=inputs)


def _unused_mask() -> PortrayalError:
    from portrayal.errors import InvalidRequestError

    return InvalidRequestError("there is no reference that it is the mask of", field="mask", remedy="Give a reference.")


def _listed(reference: References) -> list[File]:
    return [reference] if isinstance(reference, str | Path | bytes) else list(reference)


def _characters(reference: References, mask: File | None, prompt: str) -> tuple[CharacterReference, ...]:
    """The characters that are given, then those that only the prompt mentions."""
    from portrayal.character import saved
    from portrayal.character.mentions import mentions
    from portrayal.settings import Settings

    given = [_character(item, mask if i == 0 else None) for i, item in enumerate(_listed(reference))]
    if "@" in prompt:
        settings = Settings()
        names = mentions(prompt, saved.known_names(settings))
        present = {character.name.casefold() for character in given}
        given += [_saved(name) for name in names if name.casefold() not in present]
    return tuple(given)


def _character(reference: File, mask: File | None) -> CharacterReference:
    from portrayal.request import CharacterReference

    if isinstance(reference, str) and reference.startswith("@"):
        character = _saved(reference.removeprefix("@"))
        return character if mask is None else character.model_copy(update={"mask": _bytes(mask, "mask")})
    data = _bytes(reference, "reference")
    return CharacterReference.make(data, None if mask is None else _bytes(mask, "mask"))


def _saved(name: str) -> CharacterReference:
    from portrayal.character import saved
    from portrayal.request import CharacterReference
    from portrayal.settings import Settings

    found = saved.resolve(name, Settings())
    return CharacterReference.make(found.reference, found.mask, found.name)


def _size(size: str | tuple[int, int] | None, aspect_ratio: str | None) -> Size | None:
    from portrayal.errors import InvalidRequestError
    from portrayal.sizes import check_size, parse_ratio, parse_size

    if size is not None and aspect_ratio is not None:
        raise InvalidRequestError("both a size and an aspect ratio are given", field="size", remedy="Give one of them.")
    if aspect_ratio is not None:
        return parse_ratio(aspect_ratio)
    if size is None:
        return None
    return parse_size(size) if isinstance(size, str) else check_size(*size)


def _bytes(source: File, field: str) -> bytes:
    from portrayal.imaging import read_bytes

    return source if isinstance(source, bytes) else read_bytes(Path(source), field)
