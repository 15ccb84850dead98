"""Where the signs of a picture hang: their size, their place beside the people, their turn in the room.

The same answer before the picture is developed and after it was drawn: both need to know where the letters are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from portrayal.engines.base import Box
from portrayal.engines.studio.types import Shot
from portrayal.engines.studio.words.boards import Board, board, padding
from portrayal.engines.studio.words.room import Room
from portrayal.imaging import F32, F64, Array
from portrayal.lettering import typeset
from portrayal.lettering.typesetting import Block
from portrayal.prompting.plan import ScenePlan

HUNG: Final = frozenset(("sign", "neon", "wall"))
SMALLEST: Final = 0.035
"""Height of a capital letter over that of the picture, at least."""
_LARGEST: Final = 0.088
_STEP: Final = 0.93
_WIDEST, _TALLEST = 0.5, 0.36  # of a board, over the picture
_TRIAL: Final = 40.0
_TURN: Final = (11.0, 19.0)
"""Degrees that a board is turned about its vertical axis."""
_NEAR: Final = 0.62
"""Times the lens's focal length: boards are seen from near, so that their turn shows."""


@dataclass(frozen=True)
class Spot:
    """One hung sign.

    Attributes:
        index: of its text in the plan.
        board: its kind.
        block: its words, set at the size in which they are drawn.
        size: (width, height) of the board in pixels, flat.
        turn: degrees about the vertical axis, positive = its left edge is nearer.
        matrix: (3, 3) from flat board pixels to the picture's.
        corners: (4, 2) in the picture: upper left, upper right, lower right, lower left.
        box: around them.
    """

    index: int
    board: Board
    block: Block
    size: tuple[float, float]
    turn: float
    matrix: F64
    corners: F32
    box: Box


def hang(
    plan: ScenePlan,
    size: tuple[int, int],
    faces: Sequence[Box],
    matte: F32 | None,
    shot: Shot,
    seed: int,
    matrix: Array | None = None,
) -> tuple[Spot, ...]:
    """Places for the signs of a plan; texts for which there is no room are not among them.

    Args:
        plan: `lettering` and `lettering_as` count.
        size: (width, height) of the picture.
        faces: boxes of the faces; 8 % around each stay free, too.
        matte: (H, W) 0..1 of the people, whom no sign covers or is covered by.
        shot: its horizon and field of view make the perspective.
        seed: of what the words leave open.
        matrix: (2, 3) of a camera that is turned about its axis afterwards; what it cuts off is no place for a sign.
    """
    room = Room(size, faces, matte, margin=0.03)
    if matrix is not None:
        room.take_outside(matrix)
    found: list[Spot] = []
    for index, (text, kind) in enumerate(zip(plan.lettering, plan.lettering_as, strict=False)):
        if kind not in HUNG:
            continue
        spot = _hung(index, text, board(plan.prompt, kind, seed + index), room, shot, seed + index)
        if spot is not None:
            room.take(spot.box)
            found.append(spot)
    return tuple(found)


def _hung(index: int, text: str, kind: Board, room: Room, shot: Shot, seed: int) -> Spot | None:
    """The largest letters for which there is room."""
    width, height = room.size
    layouts = _layouts(text, kind)
    if not layouts:
        return None
    rng = np.random.default_rng([seed, 607])
    turn = float(rng.uniform(*_TURN))
    above = float(rng.choice((-1.0, 1.0)))

    def cost(x: F32, y: F32) -> F32:
        """Beside a face at the height of the eyes or above; away from the middle."""
        faces = room.faces or ((0.4 * width, 0.3 * height, 0.6 * width, 0.5 * height),)
        middle = sum((face[0] + face[2]) / 2 for face in faces) / len(faces)
        level = min(face[1] for face in faces) + 0.25 * (faces[0][3] - faces[0][1])
        level = float(np.clip(level, 0.14 * height, 0.5 * height))
        aside = np.abs(x - middle) / width
        return np.asarray(1.1 * np.abs(y - level) / height + 0.5 * np.abs(aside - 0.33), np.float32)

    letter = _LARGEST * height
    while letter >= SMALLEST * height:
        best: tuple[float, Box, Block, float] | None = None
        for block in layouts:
            em = letter * block.size / block.letter
            flat = _flat(block, kind, em)
            if flat[0] > _WIDEST * width or flat[1] > _TALLEST * height:
                continue
            trial = _placed(index, kind, block, flat, (0.3 * width, 0.3 * height), turn, room.size, shot).box
            seen = room.best((1.02 * (trial[2] - trial[0]), 1.02 * (trial[3] - trial[1])), cost, np.inf)
            if seen is not None and (best is None or seen[0] + 0.03 * len(block.lines) < best[0]):
                best = (seen[0] + 0.03 * len(block.lines), seen[1], block, em)
        if best is not None:
            box, block, em = best[1], best[2], best[3]
            centre = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            side = above if abs(centre[0] - width / 2) < 0.04 * width else (1.0 if centre[0] < width / 2 else -1.0)
            set_ = typeset("\n".join(block.lines), role=kind.role, size=em, lead=1.12)
            flat = _flat(set_, kind, em)
            spot = _placed(index, kind, set_, flat, centre, side * turn, room.size, shot)
            # The near half is seen larger: the middle of what is seen is not the middle of the board.
            off = [(spot.box[i] + spot.box[i + 2]) / 2 - centre[i] for i in (0, 1)]
            centre = centre[0] - off[0], centre[1] - off[1]
            return _placed(index, kind, set_, flat, centre, side * turn, room.size, shot)
        letter *= _STEP
    return None


def _layouts(text: str, kind: Board) -> list[Block]:
    """The text on one to four lines, at a trial size; without those that no font has."""
    one = typeset(text, role=kind.role, size=_TRIAL, lead=1.12)
    if not one.coverage.any():
        return []
    found = {one.lines: one}
    for count in (2, 3, 4):
        width = one.coverage.shape[1] / count * 1.12
        block = typeset(text, role=kind.role, size=_TRIAL, width=width, lead=1.12)
        if len(block.lines) <= 5:
            found.setdefault(block.lines, block)
    return list(found.values())


def _flat(block: Block, kind: Board, em: float) -> tuple[float, float]:
    """Width and height of the board of a block at another size."""
    pad, scale = padding(kind, em), em / block.size
    return block.coverage.shape[1] * scale + 2 * pad[0], block.coverage.shape[0] * scale + 2 * pad[1]


def _placed(
    index: int,
    kind: Board,
    block: Block,
    flat: tuple[float, float],
    centre: tuple[float, float],
    turn: float,
    size: tuple[int, int],
    shot: Shot,
) -> Spot:
    """A board at a place, seen by the camera of the shot: a pinhole at the height of the horizon."""
    width, height = size
    focal = _NEAR * height / 2 / np.tan(np.radians(shot.fov / 2))
    c, s = float(np.cos(np.radians(turn))), float(np.sin(np.radians(turn)))
    middle, level = width / 2, shot.horizon * height
    far = focal - s * flat[0] / 2
    right, down = centre[0] - middle - c * flat[0] / 2, centre[1] - level - flat[1] / 2
    matrix = np.array(
        [
            [middle * s + focal * c, 0.0, middle * far + focal * right],
            [level * s, focal, level * far + focal * down],
            [s, 0.0, far],
        ]
    )
    flat_corners = np.array([[0, 0, 1], [flat[0], 0, 1], [flat[0], flat[1], 1], [0, flat[1], 1]], np.float64)
    seen = flat_corners @ matrix.T
    corners = (seen[:, :2] / seen[:, 2:]).astype(np.float32)
    low, high = corners.min(axis=0), corners.max(axis=0)
    return Spot(
        index=index,
        board=kind,
        block=block,
        size=flat,
        turn=turn,
        matrix=matrix,
        corners=corners,
        box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
    )
