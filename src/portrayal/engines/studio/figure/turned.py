"""A body seen from another side: turned about its axis, or with its sides exchanged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from portrayal.engines.studio.figure import rows as columns
from portrayal.engines.studio.figure.types import Body, Head, Place
from portrayal.imaging import F32


def turned(body: Body, degrees: float) -> Body:
    """The body turned by degrees to the picture's right."""
    if abs(degrees) < 0.05:
        return body
    matrix = columns.turn(degrees).astype(np.float32)
    moved = _moved(body, matrix)
    return replace(
        moved,
        chest=_placed(body.chest, matrix),
        pelvis=_placed(body.pelvis, matrix),
        head=replace(moved.head, yaw=body.head.yaw + degrees),
        yaw=body.yaw + degrees,
    )


def mirrored(body: Body) -> Body:
    """The body with its sides exchanged; what is drawn on its clothes is not mirrored."""
    flip = np.diag([-1, 1, 1]).astype(np.float32)
    moved = _moved(body, flip)
    swapped = {_other(name): at for name, at in moved.joints.items()}
    return replace(
        moved,
        joints=swapped,
        chest=_placed(Place(body.chest.at, np.asarray(body.chest.axes @ flip, np.float32)), flip),
        pelvis=_placed(Place(body.pelvis.at, np.asarray(body.pelvis.axes @ flip, np.float32)), flip),
        head=replace(moved.head, yaw=-body.head.yaw, roll=-body.head.roll),
        yaw=-body.yaw,
    )


def _other(name: str) -> str:
    if name.endswith(" left"):
        return name.removesuffix("left") + "right"
    return name.removesuffix("right") + "left" if name.endswith(" right") else name


def _placed(place: Place, matrix: F32) -> Place:
    return Place(np.asarray(matrix @ place.at, np.float32), np.asarray(matrix @ place.axes, np.float32))


def _moved(body: Body, matrix: F32) -> Body:
    rows, frames = body.rows.copy(), body.frames.copy()
    for first in (columns.ORIGIN, columns.U, columns.V, columns.W, columns.CENTRE):
        rows[:, first : first + 3] = rows[:, first : first + 3] @ matrix.T
    for first in (0, 3, 6, 9):
        frames[:, first : first + 3] = frames[:, first : first + 3] @ matrix.T
    head = body.head
    return replace(
        body,
        rows=np.ascontiguousarray(rows, np.float32),
        frames=np.ascontiguousarray(frames, np.float32),
        joints={name: (matrix @ at).astype(np.float32) for name, at in body.joints.items()},
        head=Head(matrix @ head.centre, matrix @ head.chin, head.yaw, head.pitch, head.roll),
        things={name: (matrix @ at).astype(np.float32) for name, at in body.things.items()},
    )
