"""What there is to choose from: styles, templates, sizes, limits; and what a prompt is understood as."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from portrayal._version import __version__
from portrayal.api.doors import TheCaller, TheService, may, speaking
from portrayal.api.native.bodies import MAX_WAIT, In, Prompt
from portrayal.api.native.files import MAX_FILES
from portrayal.api.native.models import Out, problems
from portrayal.api.problems import problem
from portrayal.character.mentions import mentions, without_mentions
from portrayal.prompting.templates import Template, templates
from portrayal.request import MAX_CAST, MAX_PROMPT, MAX_SEED
from portrayal.service.orders import Order, Who
from portrayal.settings import Settings
from portrayal.sizes import PRESETS, RATIOS, RESOLUTIONS
from portrayal.styles.catalogue import PALETTES, STYLE_PRESETS, STYLE_TYPES

router = APIRouter(route_class=speaking(problem), tags=["catalogue"])

_TITLES = {"I": "I", "II": "II", "C4D": "C4D", "80S": "80s", "90S": "90s"}


class Named(Out):
    """Something that can be asked for by name."""

    name: str
    title: str
    portrayed: Annotated[bool, Field(description="Whether the engines show it today; else it is a warning.")]


class StyleCodesOut(Out):
    """How style codes are dealt with."""

    pattern: str
    portrayed: bool
    note: str


class StylesOut(Out):
    """Every style by name."""

    types: tuple[Named, ...]
    presets: tuple[Named, ...]
    palettes: tuple[Named, ...]
    style_codes: StyleCodesOut
    style_references: Named


class TemplatesOut(Out):
    """Prompts of pictures that people often want; `{character}` is where `@name` goes."""

    templates: tuple[Template, ...]


class SizeOut(Out):
    """A size by its name."""

    name: str
    width: int
    height: int


class SizesOut(Out):
    """Every size that is made."""

    ratios: tuple[SizeOut, ...]
    presets: tuple[SizeOut, ...]
    resolutions: tuple[SizeOut, ...]


class MagicPromptIn(In):
    """A prompt to look at."""

    prompt: Annotated[Prompt, Field(min_length=1)]
    negative_prompt: Prompt = ""
    seed: Annotated[int, Field(ge=0, le=MAX_SEED, description="Chooses what is added.")] = 0


class UnderstoodOut(Out):
    """One phrase and what it was taken for."""

    phrase: str
    kind: str
    value: str


class MagicPromptOut(Out):
    """The prompt as it will be used, and what of it is understood."""

    prompt: str
    changed: Annotated[bool, Field(description="Whether it was rewritten.")]
    language: str
    characters: Annotated[tuple[str, ...], Field(description="Names that it mentions.")]
    understood: tuple[UnderstoodOut, ...]
    unknown: Annotated[tuple[str, ...], Field(description="What is not portrayed.")]
    notes: tuple[str, ...]


class LimitsOut(Out):
    """What this server takes."""

    version: str
    max_upload_bytes: int
    max_upload_pixels: int
    max_files: int
    max_prompt: int
    max_images: int
    max_characters: int
    max_wait: float
    max_in_flight: int
    link_seconds: int
    upload_days: int
    keep_days: Annotated[int, Field(description="Days that unstarred results are kept; 0: for ever.")]


class MeOut(Out):
    """Who calls."""

    key_id: Annotated[str, Field(description="Empty when no key is needed and none was given.")]
    name: str
    library: str
    scopes: tuple[str, ...]
    max_in_flight: int | None
    daily: Annotated[int | None, Field(description="Pictures in 24 hours; null: no limit.")]
    keys_needed: bool


@router.get("/styles", responses=problems())
async def styles(caller: TheCaller) -> StylesOut:
    """Style types, the 62 presets, palettes, codes; each with whether it is portrayed today."""
    return StylesOut(
        types=tuple(_named(name, style_type=name) for name in STYLE_TYPES),
        presets=tuple(_named(name, style_preset=name) for name in STYLE_PRESETS),
        palettes=tuple(_named(name, palette=(name,)) for name in PALETTES),
        style_codes=StyleCodesOut(
            pattern="^[0-9a-fA-F]{8}$",
            portrayed=_portrayed(style_codes=("00000000",)),
            note="POST /api/v1/describe gives the code that is nearest to a picture.",
        ),
        style_references=_named("style_references", style_references=("0" * 64,)),
    )


def _portrayed(**values: Any) -> bool:
    """Whether an order with these values says that nothing of it is left out."""
    return not Order(prompt="-", characters=(Who(image="0" * 64),), **values).unheeded()


def _named(name: str, **values: Any) -> Named:
    words = [_TITLES.get(word, word.lower()) for word in name.split("_")]
    title = " ".join(words)
    return Named(name=name, title=title[:1].upper() + title[1:], portrayed=_portrayed(**values))


@router.get("/templates", responses=problems())
async def list_templates(caller: TheCaller) -> TemplatesOut:
    """Prompts of pictures that people often want."""
    return TemplatesOut(templates=templates())


@router.get("/sizes", responses=problems())
async def sizes(caller: TheCaller) -> SizesOut:
    """15 aspect ratios, 69 resolutions, and the usual presets."""
    return SizesOut(
        ratios=tuple(SizeOut(name=n.replace("x", ":"), width=w, height=h) for n, (w, h) in RATIOS.items()),
        presets=tuple(SizeOut(name=n, width=w, height=h) for n, (w, h) in PRESETS.items()),
        resolutions=tuple(SizeOut(name=f"{w}x{h}", width=w, height=h) for w, h in RESOLUTIONS),
    )


@router.post("/magic-prompt", responses=problems(403))
async def magic_prompt(body: MagicPromptIn, service: TheService, caller: TheCaller) -> MagicPromptOut:
    """What a prompt is understood as, and what magic prompt "on" makes of it; nothing is drawn."""
    may(caller, "create")
    return await asyncio.to_thread(_read, body, service.settings)


def _read(body: MagicPromptIn, settings: Settings) -> MagicPromptOut:
    from portrayal.magic_model import rewrite
    from portrayal.prompting import read  # the vocabularies are read at the first use

    called = mentions(body.prompt)
    magic = rewrite(body.prompt, "on", body.seed, body.negative_prompt, settings)
    plan = read(without_mentions(magic.prompt, max(1, len(called))), body.negative_prompt)
    return MagicPromptOut(
        prompt=magic.prompt,
        changed=magic.prompt != body.prompt,
        language=plan.language,
        characters=called,
        understood=tuple(UnderstoodOut(phrase=u.phrase, kind=u.kind, value=u.value) for u in plan.understood),
        unknown=plan.unknown,
        notes=magic.warnings,
    )


@router.get("/limits", responses=problems())
async def limits(service: TheService, caller: TheCaller) -> LimitsOut:
    """What this server takes: sizes of uploads, numbers, times."""
    settings = service.settings
    return LimitsOut(
        version=__version__,
        max_upload_bytes=settings.max_upload_bytes,
        max_upload_pixels=settings.max_upload_pixels,
        max_files=MAX_FILES,
        max_prompt=MAX_PROMPT,
        max_images=8,
        max_characters=MAX_CAST,
        max_wait=MAX_WAIT,
        max_in_flight=caller.max_in_flight or settings.max_queued,
        link_seconds=settings.link_seconds,
        upload_days=settings.upload_days,
        keep_days=settings.keep_days,
    )


@router.get("/me", responses=problems())
async def me(service: TheService, caller: TheCaller) -> MeOut:
    """Who calls, and what the key may do."""
    return MeOut(
        key_id=caller.key_id,
        name=caller.name,
        library=caller.library,
        scopes=tuple(sorted(caller.scopes)),
        max_in_flight=caller.max_in_flight,
        daily=caller.daily,
        keys_needed=service.keys.needed,
    )
