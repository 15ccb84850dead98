"""What a sign is made of: the albedo of a painted board, or the glow of neon tubes, seen from straight in front."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

import cv2
import numpy as np

from portrayal.imaging import F32
from portrayal.lettering.fonts import Role
from portrayal.lettering.typesetting import Block

_PANEL: Final = (0.012, 0.012, 0.014)
"""Albedo of the panel behind neon tubes."""
_WOOD: Final = np.array((0.13, 0.072, 0.036), np.float32)


@dataclass(frozen=True)
class Board:
    """A kind of board; see boards.toml."""

    name: str
    role: Role
    paper: tuple[float, float, float]
    ink: tuple[float, float, float]
    frame: str
    grain: str
    hung: str
    neon: bool = False


@dataclass(frozen=True)
class Face:
    """A board with its words, flat.

    Attributes:
        albedo: (h, w, 3) linear.
        cover: (h, w) 0..1, the board's shape.
        letters: (h, w) 0..1.
        emission: (h, w, 3) light of its own, or None.
    """

    albedo: F32
    cover: F32
    letters: F32
    emission: F32 | None


@lru_cache(1)
def table() -> dict[str, Any]:
    """The shipped boards."""
    return tomllib.loads((Path(__file__).parent / "boards.toml").read_text("utf-8"))


def board(prompt: str, kind: str, seed: int) -> Board:
    """The board that a prompt asks for.

    Args:
        prompt: its words choose among the kinds of boards.
        kind: "sign", "neon" or "wall".
        seed: chooses where the words do not.
    """
    raw, rng = table(), np.random.default_rng([seed, 611])
    if kind == "neon":
        colour = next((c for c in raw["neon"] if re.search(rf"(?i)\b{c}\W+neon", prompt)), None)
        colour = colour or str(rng.choice(raw["neon_any"]["colours"]))
        light = cast("tuple[float, float, float]", tuple(raw["neon"][colour]))
        return Board(colour, "neon", _PANEL, light, "none", "plain", "place", neon=True)
    text = prompt.lower()
    names = [name for name, entry in raw["board"].items() if any(word in text for word in entry.get("words", ()))]
    if kind == "wall":
        names = ["brush"]
    if not names:
        names = [str(rng.choice([name for name, entry in raw["board"].items() if entry.get("any")]))]
    entry = raw["board"][names[0]]
    return Board(
        name=names[0],
        role=entry["role"],
        paper=tuple(entry["paper"]),
        ink=tuple(entry["ink"]),
        frame=entry["frame"],
        grain=entry["grain"],
        hung=entry["hung"],
    )


def padding(kind: Board, em: float) -> tuple[float, float]:
    """Room between the letters and the edge of a board, (x, y) in pixels."""
    more = 0.22 if kind.frame == "wood" else 0.0
    return (0.72 + more) * em, (0.52 + more) * em


def made(kind: Board, block: Block, seed: int) -> Face:
    """A board with set words in its middle."""
    em = block.size
    pad = padding(kind, em)
    height, width = block.coverage.shape
    size = round(width + 2 * pad[0]), round(height + 2 * pad[1])
    letters = np.zeros((size[1], size[0]), np.float32)
    y, x = (size[1] - height) // 2, (size[0] - width) // 2
    letters[y : y + height, x : x + width] = block.coverage
    rng = np.random.default_rng([seed, 613])
    cover = _rounded(size, 0.0 if kind.frame == "wood" or kind.grain in ("card", "cloth") else 0.22 * em)
    if kind.neon:
        return _neon(kind, letters, cover, em)
    paper = _paper(kind, size, em, rng)
    ink = np.array(kind.ink, np.float32)
    wear = np.ones((), np.float32)
    if kind.grain == "chalk":
        wear = np.float32(0.86) + np.float32(0.14) * _noise(size, 0.02 * em + 1, rng)
    elif kind.grain in ("wood", "card"):
        wear = np.float32(0.94) + np.float32(0.06) * _noise(size, 0.05 * em + 1, rng)
    mix = (letters * wear)[..., None]
    albedo = paper * (1 - mix) + ink * mix
    if kind.frame == "line":
        line = _ring(size, 0.17 * em, 0.05 * em, 0.14 * em)[..., None]
        albedo = albedo * (1 - 0.9 * line) + ink * 0.9 * line
    elif kind.frame == "wood":
        albedo = _framed(albedo, 0.2 * em, em, rng)
    return Face(np.asarray(_bevel(albedo, em), np.float32), cover, letters, None)


def _neon(kind: Board, letters: F32, cover: F32, em: float) -> Face:
    """Tubes: white hot in their middle, coloured at the rim, with their glow on the panel."""
    colour = np.array(kind.ink, np.float32)
    depth = cv2.distanceTransform((letters > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    core = np.clip(depth / max(1.0, 0.085 * em) - 0.25, 0, 1)
    core = (core * core * (3 - 2 * core))[..., None]
    tube = (2.2 * colour + 0.06) * (1 - core) + (2.6 * colour + 1.7) * core
    part = max(1, round(0.06 * em))
    small = cv2.resize(
        letters, (max(2, letters.shape[1] // part), max(2, letters.shape[0] // part)), interpolation=cv2.INTER_AREA
    )
    wide = sum(w * cv2.GaussianBlur(small, (0, 0), s * em / part) for s, w in ((0.10, 0.20), (0.35, 0.17), (0.9, 0.11)))
    glow = cv2.resize(np.asarray(wide, np.float32), letters.shape[::-1], interpolation=cv2.INTER_LINEAR)
    emission = tube * letters[..., None] + colour * (glow * (1 - letters))[..., None] * 0.6
    height, width = letters.shape
    albedo = np.broadcast_to(np.array(kind.paper, np.float32), (height, width, 3)).copy()
    return Face(albedo, cover, letters, np.asarray(emission * cover[..., None], np.float32))


def _paper(kind: Board, size: tuple[int, int], em: float, rng: np.random.Generator) -> F32:
    width, height = size
    base = np.broadcast_to(np.array(kind.paper, np.float32), (height, width, 3))
    if kind.grain == "wood":
        return _planks(size, em, rng, np.array(kind.paper, np.float32))
    if kind.grain == "chalk":
        smear = 0.75 + 0.6 * _noise(size, 0.9 * em, rng, stretch=2.5)
        return np.asarray(base * smear[..., None], np.float32)
    if kind.grain == "card":
        fine = 0.93 + 0.14 * _noise(size, 0.03 * em + 0.7, rng) * _noise(size, 0.8 * em, rng)
        return np.asarray(base * fine[..., None], np.float32)
    if kind.grain == "cloth":
        fold = 0.86 + 0.22 * _noise(size, 1.1 * em, rng, stretch=0.35)
        return np.asarray(base * fold[..., None], np.float32)
    worn = 0.94 + 0.12 * _noise(size, 0.7 * em, rng)
    return np.asarray(base * worn[..., None], np.float32)


def _planks(size: tuple[int, int], em: float, rng: np.random.Generator, base: F32) -> F32:
    """Boards of wood side by side, with grain along them."""
    height = size[1]
    fibre = _noise(size, max(0.8, 0.035 * em), rng, stretch=26.0)
    broad = _noise(size, 0.2 * em, rng, stretch=9.0)
    tone = 0.72 + 0.34 * fibre + 0.22 * broad
    count = max(2, round(height / (1.3 * em)))
    y = np.arange(height, dtype=np.float32)
    plank = np.minimum((y * count / height).astype(int), count - 1)
    tone = tone * (rng.uniform(0.84, 1.1, count).astype(np.float32)[plank])[:, None]
    edge = np.abs(y * count / height - np.round(y * count / height)) * height / count
    gap = np.clip(1 - edge / max(1.0, 0.022 * em), 0, 1)
    gap[: round(0.3 * height / count)] = gap[height - round(0.3 * height / count) :] = 0
    return np.asarray(base * (tone * (1 - 0.7 * gap[:, None]))[..., None], np.float32)


def _noise(size: tuple[int, int], sigma: float, rng: np.random.Generator, stretch: float = 1.0) -> F32:
    """Smooth noise 0..1, (h, w); `stretch` times longer along x."""
    width, height = size
    step_x, step_y = max(1.0, sigma * max(1.0, stretch) / 1.6), max(1.0, sigma / min(1.0, stretch) / 1.6)
    if stretch < 1:
        step_x = max(1.0, sigma / 1.6)
    small = rng.random((int(height / step_y) + 4, int(width / step_x) + 4)).astype(np.float32)
    big = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(big, 0, 1), np.float32)


def _rounded(size: tuple[int, int], radius: float) -> F32:
    """A rectangle with round corners, anti-aliased, one pixel inside of its array."""
    return _shape(size, 1.0, radius)


def _shape(size: tuple[int, int], inset: float, radius: float) -> F32:
    width, height = size
    x = np.abs(np.arange(width, dtype=np.float32) + 0.5 - width / 2)[None]
    y = np.abs(np.arange(height, dtype=np.float32) + 0.5 - height / 2)[:, None]
    qx, qy = x - (width / 2 - inset - radius), y - (height / 2 - inset - radius)
    outside = np.sqrt(np.maximum(qx, 0) ** 2 + np.maximum(qy, 0) ** 2)
    distance = outside + np.minimum(np.maximum(qx, qy), 0) - radius
    return np.asarray(np.clip(0.5 - distance, 0, 1), np.float32)


def _ring(size: tuple[int, int], inset: float, line: float, radius: float) -> F32:
    return np.asarray(
        _shape(size, inset, radius) - _shape(size, inset + max(1.2, line), max(0.0, radius - line)), np.float32
    )


def _framed(albedo: F32, width: float, em: float, rng: np.random.Generator) -> F32:
    """A wooden frame with lit and shaded edges."""
    height, wide = albedo.shape[:2]
    w = max(3, round(width))
    out = albedo.copy()
    rows = _planks((wide, w), em, rng, _WOOD * np.float32(1.25))
    out[:w], out[height - w :] = rows * 1.15, rows[::-1] * 0.8
    columns = _planks((height, w), em, rng, _WOOD * np.float32(1.1)).transpose(1, 0, 2)
    out[:, :w], out[:, wide - w :] = columns, columns[:, ::-1] * 0.92
    # The frame stands out and shades the board below its upper edge.
    out[w : w + max(2, w // 2), w : wide - w] *= 0.6
    return out


def _bevel(albedo: F32, em: float) -> F32:
    """The edge of the board catches light above and loses it below."""
    edge = max(1, round(0.03 * em))
    out = albedo.copy()
    out[:edge] = out[:edge] * 1.25 + 0.03
    out[-edge:] *= 0.55
    return out
