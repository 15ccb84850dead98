"""The one-time compilation of the kernels, with progress.

Numba compiles each kernel at its first use and keeps the machine code on disk. So that nobody stares at a silent
terminal at the first picture, a small one is made first; later starts find a note in the cache folder and skip it.
Numba compiles on one core only, so a second process compiles the kernels of clothes and bodies meanwhile.
"""

from __future__ import annotations

import contextlib
import hashlib
import platform
import subprocess
import sys
from pathlib import Path

from portrayal._version import __version__
from portrayal.engines.base import Progress
from portrayal.settings import Settings

# The first job of `compile_all` that wears modelled clothes.
_ALONE = 4


def needed(settings: Settings | None = None, *, edits: bool = False) -> bool:
    """Whether this installation has not compiled its kernels yet; with `edits`, also those of edit and remix."""
    return not _note(settings or Settings(), edits).exists()


def prepare(progress: Progress, settings: Settings | None = None, *, edits: bool = False) -> bool:
    """Compile the kernels unless this installation has done so; returns whether it compiled."""
    note = _note(settings or Settings(), edits)
    if note.exists():
        return False
    (compile_edits if edits else compile_all)(progress)
    with contextlib.suppress(OSError):  # without a cache folder the kernels are merely compiled again
        note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        note.write_text("kernels are compiled\n")
    return True


def compile_all(progress: Progress) -> None:
    """Make small pictures of the sample at every speed, so that each kernel is compiled and on disk."""
    from portrayal import assets
    from portrayal.pipeline import portray
    from portrayal.request import Request, Speed

    label = "preparing the studio, once on this machine"
    progress(label, 0.0)
    sample = assets.path("sample/astronaut.png").read_bytes()
    jobs: tuple[tuple[Speed, str], ...] = (
        ("turbo", "smiling, looking left, coffee shop"),
        ("balanced", "eyes closed, looking right, on a beach, navy outfit"),
        ("quality", "surprised, studio, grey backdrop, snow"),
        ("turbo", "wearing glasses, studio, oil painting"),
        ("turbo", "pencil drawing, full body, walking on a street, wearing a suit"),
    )
    other = _modelled_beside()
    for i, (speed, prompt) in enumerate(jobs):
        if other is not None and i == _ALONE:
            other.wait()  # the rest needs what it compiles
        request = Request.make(prompt=prompt, reference=sample, size=(512, 512), speed=speed, num_images=1, seed=1)

        def step(stage: str, fraction: float, i: int = i) -> None:
            progress(label, (i + fraction) / len(jobs))

        portray(request, settings=Settings(cache=False, credentials=False), progress=step)


def _modelled_beside() -> subprocess.Popen[bytes] | None:
    """A process that compiles the kernels of clothes and bodies; None where there is none to be had."""
    if not sys.executable or getattr(sys, "frozen", False):
        return None
    command = [sys.executable, "-c", "from portrayal.warmup import compile_modelled; compile_modelled()"]
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:  # they are then compiled by this process
        return None


def compile_modelled() -> None:
    """Cut a garment, weave what needs a kernel of its own, pose and trace a body: without a head, light or scene."""
    import numpy as np

    from portrayal.engines.studio.cloth.fabrics import weave
    from portrayal.engines.studio.figure.body import build
    from portrayal.engines.studio.figure.camera import view_of
    from portrayal.engines.studio.figure.occlusion import bake
    from portrayal.engines.studio.figure.surface import surfaced
    from portrayal.engines.studio.figure.trace import trace
    from portrayal.engines.studio.figure.types import Stance
    from portrayal.engines.studio.wardrobe.frame import BustFrame
    from portrayal.engines.studio.wardrobe.outfit import Cloth, Outfit
    from portrayal.engines.studio.wardrobe.render import render

    wool, skin = Cloth("#1f2a44", "wool"), np.array([0.5, 0.35, 0.28], np.float32)
    stance = Stance("standing", "full", Outfit("suit", wool))
    body = build(stance.pose, stance.outfit, stance.build, 1)
    view = view_of(body, stance, (256, 256))
    seen, grid = trace(body.rows, view), bake(body.rows, body.head.centre)
    surface = surfaced(body, seen, grid, view, skin, None)
    if surface.shadow is not None:
        surface.shadow(np.array([0.5, 0.6, 0.6], np.float32))
    for garment in ("suit", "toga"):
        render(Outfit(garment, wool), BustFrame(width=256, height=256, scale=6.0, x=128.0, y=90.0), skin, "turbo")
    u, v = (np.ascontiguousarray(a, np.float32) for a in np.mgrid[:64, :64] * 0.1)
    for pattern in ("striped", "floral"):
        weave(Cloth("#8a2030", "cotton", pattern), u, v, 0.1, 1)


def compile_edits(progress: Progress) -> None:
    """Remix a small picture, so that the kernels of edit and remix are compiled and on disk."""
    from portrayal import assets
    from portrayal.pipeline import portray
    from portrayal.request import Request

    label = "preparing edits, once on this machine"
    progress(label, 0.0)
    sample = assets.path("sample/astronaut.png").read_bytes()
    for i, strength in enumerate((0.3, 0.7)):
        request = Request.make(
            operation="remix", image=sample, reference=sample, size=(512, 512), strength=strength, seed=1
        )

        def step(stage: str, fraction: float, i: int = i) -> None:
            progress(label, (i + fraction) / 2)

        portray(request, settings=Settings(cache=False, credentials=False), progress=step)


def _note(settings: Settings, edits: bool) -> Path:
    """A file whose name changes with everything that makes compiled kernels stale."""
    from importlib.metadata import version

    source = Path(__file__).parent
    newest = max((p.stat().st_mtime_ns for p in source.rglob("*.py")), default=0)
    parts = (
        __version__,
        version("numba"),
        platform.python_version(),
        platform.machine(),
        str(source),
        str(newest),
    )
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    return settings.cache_dir / f"{'edits' if edits else 'kernels'}-{key}.txt"
