"""The way of one picture: request -> character -> plan -> engine -> identity lock -> finish."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache

from portrayal._version import __version__
from portrayal.character import study
from portrayal.character.identity_map import IdentityMap
from portrayal.engines.base import Engine, Progress, Rendering, silent
from portrayal.engines.studio.engine import StudioEngine
from portrayal.finish import label
from portrayal.imaging import compress_png
from portrayal.lock import hold, passes
from portrayal.prompting import read
from portrayal.prompting.plan import ScenePlan
from portrayal.request import EngineName, Request
from portrayal.result import Picture, Portrayal
from portrayal.settings import Settings


@lru_cache(1)
def _studio() -> StudioEngine:
    return StudioEngine()


def choose_engine(name: EngineName) -> Engine:
    """The engine of that name; "auto" takes the best one that can run here."""
    return _studio()


def portray(request: Request, *, settings: Settings | None = None, progress: Progress = silent) -> Portrayal:
    """Make all pictures of a request.

    Raises:
        PortrayalError: when the request cannot be done; the message names the field and the remedy.
    """
    settings = settings or Settings()
    start = time.perf_counter()
    progress("studying the reference", 0.0)
    character = know(request, settings)
    studied = time.perf_counter()
    plan = read(request.prompt, request.negative_prompt)
    engine = choose_engine(request.engine)
    pictures = tuple(_pictures(request, plan, character, engine, settings, progress))
    progress("done", 1.0)
    return Portrayal(
        version=__version__,
        engine=engine.name,
        prompt=request.prompt,
        language=plan.language,
        pictures=pictures,
        understood=tuple((u.phrase, u.kind, u.value) for u in plan.understood),
        unknown=plan.unknown,
        warnings=character.advice,
        timings={
            "study": round(studied - start, 4),
            "total": round(time.perf_counter() - start, 4),
        },
    )


def know(request: Request, settings: Settings) -> IdentityMap:
    """The identity map of a request's reference."""
    return study(
        request.reference,
        mask=request.mask,
        use_cache=settings.cache,
        cache_dir=settings.cache_dir,
    )


def _pictures(
    request: Request,
    plan: ScenePlan,
    character: IdentityMap,
    engine: Engine,
    settings: Settings,
    progress: Progress,
) -> Iterator[Picture]:
    seeds = request.seeds()
    for i, seed in enumerate(seeds):

        def step(stage: str, fraction: float, i: int = i) -> None:
            label = stage if len(seeds) == 1 else f"picture {i + 1} of {len(seeds)}: {stage}"
            progress(label, 0.05 + 0.95 * (i + fraction) / len(seeds))

        yield _picture(request, plan, character, engine, settings, seed, step)


def _picture(
    request: Request,
    plan: ScenePlan,
    character: IdentityMap,
    engine: Engine,
    settings: Settings,
    seed: int,
    progress: Progress,
) -> Picture:
    start = time.perf_counter()
    files: dict[int, Future[bytes]] = {}
    rendered: list[float] = []
    with ThreadPoolExecutor(1) as beside:

        def make(attempt: int) -> Rendering:
            rendering = engine.portray(plan, character, request.size, request.speed, seed, attempt, progress)
            # The file is compressed while the lock looks at the picture.
            files[id(rendering)] = beside.submit(compress_png, rendering.image)
            rendered.append(time.perf_counter())
            return rendering

        rendering, score, measured = hold(make, character, request.speed)
        png = label(files[id(rendering)].result(), request, seed, engine.name, score, settings.metadata)
    warnings = list(rendering.warnings)
    if not passes(score):
        warnings.append(_unlike(score.distance, score.bar))
    end = time.perf_counter()
    timings = dict(rendering.timings)
    timings.update(lock=round(end - rendered[-1], 4), total=round(end - start, 4))
    height, width = rendering.image.shape[:2]
    return Picture(
        seed=seed,
        width=width,
        height=height,
        identity=score,
        png=png,
        warnings=tuple(warnings),
        timings=timings,
        facts={**rendering.facts, **measured},
    )


def _unlike(distance: float | None, bar: float) -> str:
    if distance is None:
        return "identity: no face could be measured in the picture"
    return f"identity: distance {distance:.2f} is over the bar {bar:.2f}; another seed or a calmer pose may be nearer"
