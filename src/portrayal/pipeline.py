"""The way of one picture: request -> characters -> plan -> engine -> identity lock -> finish."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from portrayal import credentials
from portrayal._version import __version__
from portrayal.character import study
from portrayal.character.identity_map import IdentityMap
from portrayal.character.mentions import without_mentions
from portrayal.engines.base import Engine, Job, Progress, Rendering, silent
from portrayal.engines.studio import looks
from portrayal.engines.studio.engine import StudioEngine
from portrayal.finish import label, seal
from portrayal.imaging import U8, Array, decode, encode
from portrayal.lock import hold, passes
from portrayal.magic_model import rewrite
from portrayal.masks import edit_mask
from portrayal.prompting import read
from portrayal.prompting.cast import read_cast
from portrayal.prompting.intent import read_edit
from portrayal.prompting.lettering import check_lettering
from portrayal.prompting.magic import Magic
from portrayal.prompting.plan import ScenePlan
from portrayal.prompting.text import take_lettering
from portrayal.request import CharacterReference, EngineName, Request
from portrayal.result import IdentityScore, Picture, Portrayal
from portrayal.settings import Settings
from portrayal.sizes import nearest
from portrayal.source import Source, encode_native, merge, open_source
from portrayal.styles.style import Style, resolve

_LOSSY = "a JPEG file is compressed once more: save as PNG or WebP to keep what was not changed equal to the bit"
_SHALLOW = "the picture has 16 bits per colour; only a PNG file keeps them"
_STYLE_SIDE = 1024  # pixels of a style reference's longer side
_TEXTURE = 6.0  # codes; below it there is only one colour under the transparency


@lru_cache(1)
def _studio() -> StudioEngine:
    return StudioEngine()


def choose_engine(name: EngineName) -> Engine:
    """The engine of that name; "auto" takes the best one that can run here."""
    return _studio()


@dataclass(frozen=True)
class _Order:
    """What all pictures of a request share."""

    request: Request
    job: Job
    names: tuple[str, ...]
    source: Source | None
    notes: tuple[str, ...]
    engine: Engine
    settings: Settings
    magic: Magic


def portray(
    request: Request,
    *,
    settings: Settings | None = None,
    progress: Progress = silent,
    finished: Mapping[int, Picture] | None = None,
    done: Callable[[int, Picture], None] | None = None,
    judge: Callable[[str], None] | None = None,
) -> Portrayal:
    """Make all pictures of a request.

    Args:
        request: what.
        settings: of this installation.
        progress: called with (stage, fraction).
        finished: pictures that an earlier run finished, by position; they are not made again.
        done: called with (position, picture) as soon as one is finished.
        judge: called with a prompt that a language model rewrote; when it raises a `PolicyError`, the built-in writer
            takes the model's place and a warning says so.

    Raises:
        PortrayalError: when the request cannot be done; the message names the field and the remedy.
    """
    settings = settings or Settings()
    request.check()
    credentials.prepare(settings)  # a bad key fails now, not after the work
    start = time.perf_counter()
    order = _prepare(request, settings, progress, judge)
    prepared = time.perf_counter()
    pictures = tuple(_pictures(order, progress, finished or {}, done))
    progress("done", 1.0)
    plan = order.job.plan
    return Portrayal(
        version=__version__,
        engine=order.engine.name,
        operation=request.operation,
        prompt=request.prompt,
        language=plan.language,
        pictures=pictures,
        understood=tuple((u.phrase, u.kind, u.value) for u in plan.understood),
        unknown=plan.unknown,
        magic_prompt=order.magic.prompt if order.magic.prompt != request.prompt else "",
        added=order.magic.added,
        warnings=_advice(order),
        timings={
            "study": round(prepared - start, 4),
            "total": round(time.perf_counter() - start, 4),
        },
    )


def know(reference: CharacterReference, settings: Settings) -> IdentityMap:
    """The identity map of a reference."""
    return study(reference.image, mask=reference.mask, use_cache=settings.cache, cache_dir=settings.cache_dir)


def _prepare(request: Request, settings: Settings, progress: Progress, judge: Callable[[str], None] | None) -> _Order:
    """Read every picture and word of a request; nothing is made yet."""
    source = mask = background = None
    if request.image is not None:
        source = open_source(request.image, "image")
    notes: tuple[str, ...] = () if source is None else source.notes
    if request.edit_mask is not None and source is not None:
        mask, mask_notes = edit_mask(request.edit_mask, source.size, request.mask_mode)
        notes += mask_notes
        if request.mask_mode == "alpha" and request.operation != "edit":  # there it says what stays
            mask = np.asarray(255 - mask, np.uint8)
    if request.background is not None:
        background = decode(request.background, "background")
    references = tuple(_looked_at(data) for data in request.style_references)
    style, style_notes = resolve(
        request.style_type, request.style_preset, request.style_codes, request.palette, references
    )
    notes += style_notes
    check_lettering(take_lettering(request.prompt)[1])
    # The first stage that is told: what may be wrong with the pictures was said before.
    progress("reading the picture" if source is not None else "reading the prompt", 0.0)
    if request.characters:
        progress("studying the reference", 0.0)
    magic = Magic(request.prompt)
    if request.magic_prompt != "off" and request.prompt.strip():
        seed, given = request.seeds()[0], _given(request, style)
        magic = rewrite(request.prompt, request.magic_prompt, seed, request.negative_prompt, settings, given, judge)
    notes += magic.warnings
    plan, members, order, words = _plans(request.model_copy(update={"prompt": magic.prompt}))
    check_lettering(plan.lettering)
    characters = tuple(request.characters[i] for i in order)
    cast = tuple(know(character, settings) for character in characters)
    names = tuple(_names(request)[i] for i in order)
    intent = read_edit(words, request.negative_prompt) if request.operation == "edit" else None
    if intent is not None:
        plan, members = intent.plan, (intent.plan,) * len(members)
    size = request.size
    if request.operation == "remix" and size is None and source is not None:
        size = nearest(*source.size)
    rgb, hole = (None, None) if source is None else _opened_hole(source, mask, request)
    job = Job(
        operation=request.operation,
        plan=plan,
        cast=cast,
        members=members,
        seed=0,
        speed=request.speed,
        size=size,
        intent=intent,
        source=rgb,
        mask=mask,
        hole=hole,
        background=background,
        strength=request.strength,
        factor=request.factor,
        style=style,
    )
    return _Order(request, job, names, source, notes, choose_engine(request.engine), settings, magic)


def _given(request: Request, style: Style) -> frozenset[str]:
    """What the magic prompt leaves to others: a remix has the place of its picture, a preset may choose its own."""
    if request.operation == "remix":
        return frozenset({"setting", "time", "weather", "light", "camera"})
    chosen = frozenset(looks.row(style.preset).open) if style.preset in looks.presets() else frozenset()
    return chosen | {"setting"} if "backdrop" in chosen else chosen


def _looked_at(data: bytes) -> U8:
    """A style reference, no larger than its colours and brushwork need."""
    picture = decode(data, "style_references")
    part = _STYLE_SIDE / max(picture.shape[:2])
    if part >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * part)), max(1, round(picture.shape[0] * part)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _opened_hole(source: Source, mask: U8 | None, request: Request) -> tuple[U8, U8 | None]:
    """The source with the colours that are still there under its transparency, and where that is under the mask.

    A picture whose own transparency is the mask may hold what was there before, or nothing (one colour).
    """
    if request.operation != "edit" or request.mask_mode != "alpha" or mask is None or source.alpha is None:
        return source.rgb, None
    clear = (source.alpha < 128) & (mask > 0)
    if not clear.any():
        return source.rgb, None
    rgb = source.rgb
    if source.kind == "rgba" and source.icc is None:
        hidden = source.native[..., :3]
        hidden = hidden if source.depth == 8 else hidden >> 8
        if hidden[clear].std(axis=0).max() > _TEXTURE:
            rgb = np.where(clear[..., None], hidden, rgb).astype(np.uint8)
    return rgb, (clear * np.uint8(255)).astype(np.uint8)


def _plans(request: Request) -> tuple[ScenePlan, tuple[ScenePlan, ...], tuple[int, ...], str]:
    """The shared plan, the plan of each character, who stands where from left to right, and the words without names."""
    given = tuple(character.name for character in request.characters)
    if len(given) > 1:
        cast = read_cast(request.prompt, given, request.negative_prompt)
        order = tuple(sorted(range(len(given)), key=lambda i: cast.members[i].order))
        shared = cast.shared.model_copy(update={"unknown": cast.unknown, "understood": cast.understood})
        return shared, tuple(cast.members[i].plan for i in order), order, request.prompt
    words = without_mentions(request.prompt, len(given), known=[name for name in given if name])
    plan = read(words, request.negative_prompt)
    return plan, (plan,) * len(given), tuple(range(len(given))), words


def _names(request: Request) -> tuple[str, ...]:
    several = len(request.characters) > 1
    return tuple(c.name or (f"character {i + 1}" if several else "") for i, c in enumerate(request.characters))


def _advice(order: _Order) -> tuple[str, ...]:
    several = len(order.names) > 1
    sealing = credentials.prepare(order.settings)
    advice = tuple(
        f"{name}: {words}" if several else words
        for name, character in zip(order.names, order.job.cast, strict=True)
        for words in character.advice
    )
    lossy = order.request.output_format == "jpeg" and order.job.operation == "edit"
    deep = order.source is not None and order.source.depth == 16 and order.job.operation == "edit"
    shallow = deep and order.request.output_format == "webp"
    return (*order.notes, *sealing, *advice, *((_LOSSY,) if lossy else ()), *((_SHALLOW,) if shallow else ()))


def _pictures(
    order: _Order,
    progress: Progress,
    finished: Mapping[int, Picture],
    done: Callable[[int, Picture], None] | None,
) -> Iterator[Picture]:
    seeds = order.request.seeds()
    for i, seed in enumerate(seeds):
        if i in finished:
            yield finished[i]
            continue

        def step(stage: str, fraction: float, i: int = i) -> None:
            label = stage if len(seeds) == 1 else f"picture {i + 1} of {len(seeds)}: {stage}"
            progress(label, 0.05 + 0.95 * (i + fraction) / len(seeds))

        picture = _picture(order, seed, step)
        if done is not None:
            done(i, picture)
        yield picture


def _picture(order: _Order, seed: int, progress: Progress) -> Picture:
    start = time.perf_counter()
    request, job, settings = order.request, order.job, order.settings
    files: dict[int, Future[bytes]] = {}
    masks: dict[int, Future[bytes | None]] = {}
    rendered: list[float] = []
    with ThreadPoolExecutor(1) as beside:

        def make(attempt: int) -> Rendering:
            rendering = order.engine.portray(replace(job, seed=seed, attempt=attempt), progress)
            # The file is compressed while the lock looks at the picture.
            files[id(rendering)] = beside.submit(_encoded, rendering, order)
            masks[id(rendering)] = beside.submit(_mask_file, rendering, request)
            rendered.append(time.perf_counter())
            return rendering

        rendering, scores, measured = hold(make, job.cast, order.names, request.speed)
        seen = time.perf_counter()
        score = min(scores, key=lambda s: s.score, default=None)
        cast = scores if len(scores) > 1 else ()
        file, mask = files[id(rendering)].result(), masks[id(rendering)].result()
    data = seal(label(file, request, seed, order.engine.name, score, settings.metadata, cast), request, settings)
    end = time.perf_counter()
    timings = dict(rendering.timings)
    timings.update(lock=round(seen - rendered[-1], 4), file=round(end - seen, 4), total=round(end - start, 4))
    height, width = rendering.image.shape[:2]
    return Picture(
        seed=seed,
        width=width,
        height=height,
        identity=score,
        cast=cast,
        data=data,
        format=request.output_format,
        warnings=(*rendering.warnings, *(_unlike(s) for s in scores if not passes(s))),
        timings=timings,
        # Shares of a palette are facts too, so that they are kept wherever facts are.
        facts={**rendering.facts, **measured, **{f"palette {name}": share for name, share in rendering.palette}},
        did=rendering.did,
        look=rendering.look,
        palette=rendering.palette,
        faces=rendering.faces if job.cast else (),
        mask_box=_mask_box(rendering, request),
        mask=mask,
    )


def _mask_file(rendering: Rendering, request: Request) -> bytes | None:
    """The mask of an edit as a PNG file."""
    if rendering.mask is None or request.operation != "edit":
        return None
    chosen = np.where(rendering.mask > 127, np.uint8(255), np.uint8(0))
    return bytes(cv2.imencode(".png", chosen, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1])


def _mask_box(rendering: Rendering, request: Request) -> tuple[int, int, int, int] | None:
    if rendering.mask is None or request.operation != "edit":
        return None
    x, y, width, height = cv2.boundingRect(rendering.mask)
    return x, y, x + width, y + height


def _encoded(rendering: Rendering, order: _Order) -> bytes:
    """The file without provenance. What an edit did not touch keeps the source's own pixels, to the bit."""
    request, source = order.request, order.source
    pixels: Array = rendering.image
    if source is not None and rendering.mask is not None:
        native = merge(source, rendering.image, mask=rendering.mask, cover=rendering.cover)
        return encode_native(source, native, request.output_format)
    if rendering.alpha is not None:
        pixels = np.dstack([rendering.image, rendering.alpha])
    return encode(pixels, request.output_format, lossless=rendering.alpha is not None)


def _unlike(score: IdentityScore) -> str:
    who = f"identity of {score.name}" if score.name else "identity"
    if score.kind == "appearance":
        return f"{who}: likeness {score.score:.2f} is under {score.bar:.2f}; try another seed or a larger place"
    if score.distance is None:
        return f"{who}: no face could be measured in the picture"
    if score.distance <= score.bar:
        return f"{who}: the face is nearer to another member of the cast"
    return f"{who}: distance {score.distance:.2f} is over the bar {score.bar:.2f}; try another seed or a calmer pose"
