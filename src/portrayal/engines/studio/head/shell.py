"""The head layer as a closed shell of triangles: what is seen, and the back that a turn reveals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from portrayal.engines.studio.head.contour import Contour
from portrayal.engines.studio.head.depth import Shape
from portrayal.engines.studio.head.fields import sample, smoothstep
from portrayal.imaging import F32, Array
from portrayal.perception import mesh

_STEP = 0.022  # spacing of the vertices in face heights
NO_TWIN = -1e6
_RIM = 0.012  # colours are read this far inside the silhouette (face heights), where the matte is sure


@dataclass(frozen=True)
class Shell:
    """Vertices of the front, and of the back at the same places; both share the rim.

    Attributes:
        at: (n, 2) places in pixels.
        source: (n, 2) where their colour is read.
        front, back: (n,) heights towards the camera.
        follow: (n,) share of the head's movement.
        twin: (n, 2) places of the mirror image on the other half of the head; `NO_TWIN` where the reference shows that
            half no better.
        triangles: (t, 3) int32.
    """

    at: F32
    source: F32
    front: F32
    back: F32
    follow: F32
    twin: F32
    triangles: Array


def build(head: F32, outline: Contour, shape: Shape, points: F32, face: float) -> Shell:
    """Cover a head layer (h, w) with a grid whose outer vertices lie on its outline."""
    h, w = head.shape
    spacing = max(1, round(_STEP * face))
    gy, gx = np.meshgrid(np.arange(0, h, spacing), np.arange(0, w, spacing), indexing="ij")
    use = head[gy, gx] > 0.5
    cell = use[:-1, :-1] | use[1:, :-1] | use[:-1, 1:] | use[1:, 1:]
    number = np.arange(gy.size).reshape(gy.shape)
    a, b, c, d = _corners(number, cell)
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])
    x, y = gx.ravel().astype(np.float32), gy.ravel().astype(np.float32)
    rim = ~use.ravel()
    bad = _snap(x, y, rim, outline, 3.0 * spacing)
    faces = faces[~bad[faces].any(1)]
    kept, renumbered = np.unique(faces, return_inverse=True)
    faces = renumbered.reshape(-1, 3)
    x, y, rim = x[kept], y[kept], rim[kept]
    at = np.stack([x, y], 1)
    inward = np.maximum(_RIM * face - sample(outline.distance, x, y), 0)
    normal = np.stack([sample(outline.nx, x, y), sample(outline.ny, x, y)], 1)
    front = sample(shape.front, x, y)
    # Behind the ears the skull is round; towards the nape the back comes nearer.
    ear = float(points[[mesh.CHEEK_LEFT, mesh.CHEEK_RIGHT], 1].mean())
    depth = 0.78 - 0.40 * smoothstep(ear - 0.05 * face, float(points[mesh.CHIN, 1]) - 0.05 * face, y)
    back = -sample(shape.inflated, x, y) * depth
    back[rim] = front[rim]
    return Shell(
        at=at,
        source=(at - normal * inward[:, None]).astype(np.float32),
        front=front,
        back=back.astype(np.float32),
        follow=sample(shape.follow, x, y),
        twin=_twins(at, front, outline, shape, points, face),
        triangles=faces.astype(np.int32),
    )


def _corners(number: Array, cell: Array) -> tuple[Array, Array, Array, Array]:
    return number[:-1, :-1][cell], number[:-1, 1:][cell], number[1:, :-1][cell], number[1:, 1:][cell]


def _snap(x: F32, y: F32, rim: Array, outline: Contour, far: float) -> Array:
    """Move the outer vertices onto the outline (Newton on the signed distance); returns those that do not get there."""
    rx, ry = x[rim], y[rim]
    for _ in range(3):
        d = sample(outline.distance, rx, ry) - 0.5
        rx, ry = rx + sample(outline.nx, rx, ry) * d, ry + sample(outline.ny, rx, ry) * d
    near = np.abs(rx - x[rim]) + np.abs(ry - y[rim]) < far
    x[rim] = np.where(near, rx, x[rim])
    y[rim] = np.where(near, ry, y[rim])
    bad = np.zeros(len(x), bool)
    bad[rim] = ~near
    return bad


def _twins(at: F32, height: F32, outline: Contour, shape: Shape, points: F32, face: float) -> F32:
    """Reflect the surface in the head's own middle plane, which lies aslant in a turned reference."""
    vertices = np.column_stack([points[:468, :2], shape.landmarks]).astype(np.float64)
    pairs = vertices - vertices[mesh.mirror_map()]
    pairs *= np.sign(mesh.canonical_face()[:, :1])
    normal = pairs[list(mesh.RIGID)].sum(0)
    normal /= np.linalg.norm(normal)
    middle = vertices[list(mesh.RIGID)].mean(0)
    here = np.column_stack([at, height])
    there = here - 2 * ((here - middle) @ normal)[:, None] * normal
    x, y = there[:, 0], there[:, 1]
    deeper = sample(outline.distance, x, y) - np.maximum(sample(outline.distance, at[:, 0], at[:, 1]), 0)
    seen = (deeper > 0.05 * face) & (np.abs(sample(shape.front, x, y) - there[:, 2]) < 0.25 * face)
    return np.where(seen[:, None], there[:, :2], NO_TWIN).astype(np.float32)
