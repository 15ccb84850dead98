"""A modelled surface as the camera sees it, not yet lit: a garment, bare skin that the reference does not show, a hat.

Lengths are centimetres. `relight` lights a surface with the very lights, shadows and exposure that it settles for the
photographed face, so that both look taken by one camera at one moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np

from portrayal.imaging import F32

NOWHERE: Final = -1000.0
"""Depth of a pixel that shows nothing."""

Shadow: TypeAlias = Callable[[F32], F32]
"""Direction towards a light (3,), light axes -> how much of it reaches each pixel, (H, W) 0..1."""

# Roughness, F0, sheen, metal: plain cotton and skin.
COTTON: Final = (0.90, 0.028, 0.10, 0.0)
SKIN: Final = (0.50, 0.028, 0.05, 0.0)


@dataclass(frozen=True)
class Surface:
    """All arrays have the size of the canvas.

    Attributes:
        albedo: (H, W, 3) scene light of the colour, see `light.tone.linear_of_hex`: in light of 1 the picture shows it.
            Of bare skin: the colour that the reference shows, without its shading; `relight` exposes it as the face.
        normals: (H, W, 3) unit vectors, light axes (x right, y up, z towards the camera).
        depth: (H, W) cm towards the camera from the plane of landmark depth 0; `NOWHERE` where nothing is.
        material: (H, W, 4) roughness 0.08..1, F0 0.02..1, sheen 0..0.6, metal 0..1.
        cover: (H, W) 0..1 how much of the pixel it covers.
        skin: (H, W) 0..1 where it is bare skin.
        scale: canvas pixels per cm.
        open: (H, W) 0..1 open sky, where the maker knows it better than the height field does; None = from the field.
        shadow: the same for cast shadows.
    """

    albedo: F32
    normals: F32
    depth: F32
    material: F32
    cover: F32
    skin: F32
    scale: float
    open: F32 | None = None
    shadow: Shadow | None = None

    def cropped(self, box: tuple[slice, slice]) -> Surface:
        """The part (rows, columns) of a surface."""
        shadow = self.shadow
        return replace(
            self,
            albedo=self.albedo[box],
            normals=self.normals[box],
            depth=self.depth[box],
            material=self.material[box],
            cover=self.cover[box],
            skin=self.skin[box],
            open=None if self.open is None else self.open[box],
            shadow=None if shadow is None else lambda towards: np.asarray(shadow(towards)[box], np.float32),
        )


def empty(width: int, height: int, scale: float) -> Surface:
    """A surface that covers nothing; its arrays may be painted into before anybody else sees it."""
    normals = np.zeros((height, width, 3), np.float32)
    normals[..., 2] = 1
    material = np.empty((height, width, 4), np.float32)
    material[:] = COTTON
    return Surface(
        albedo=np.zeros((height, width, 3), np.float32),
        normals=normals,
        depth=np.full((height, width), NOWHERE, np.float32),
        material=material,
        cover=np.zeros((height, width), np.float32),
        skin=np.zeros((height, width), np.float32),
        scale=scale,
    )
