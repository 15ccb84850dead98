"""Put the photographed head on the modelled clothes.

Order from the back: neck and clothes, then face, ears and hair. Hair so falls over the collar, and the collar goes up
to the jaw. The neck is modelled, its skin photographed where the reference shows it clean: one shape, so that the jaw
throws one shadow.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.cloth.surface import Surface
from portrayal.engines.studio.head.fields import blur, polygon, smoothstep
from portrayal.engines.studio.light.shape import shape
from portrayal.engines.studio.types import Cutout, Speed, Subject
from portrayal.engines.studio.wardrobe import hair as hairs
from portrayal.engines.studio.wardrobe import neck as necks
from portrayal.engines.studio.wardrobe.head import JAW, Bare
from portrayal.imaging import F32, U8
from portrayal.perception import mesh
from portrayal.perception.types import BACKGROUND, CLOTHING, FACE, HAIR, SKIN

_FADE: Final = 0.5  # cm over which photographed skin of the neck goes over into modelled skin
_REVEALED: Final = 3.0  # cm from the face within which a turned head shows skin that the reference did not
_BEYOND: Final = 2.2  # cm by which the photographed neck may be wider than the modelled one
_JAW: Final = 0.15  # cm below the jaw over which the head goes over into the neck


def wear(
    head: Cutout,
    still: F32,
    bare: Bare,
    surface: Surface,
    placed: tuple[float, tuple[float, float]],
    speed: Speed,
    seed: int,
) -> Subject:
    """A subject of a photographed head and modelled clothes.

    Args:
        head: `bare.character` on the canvas, its head moved.
        still: (478, 3) landmarks on the canvas before the head was moved.
        bare: the undressed person.
        surface: clothes and bare skin below the head, of the canvas' size.
        placed: scale and offset of the reference on the canvas.
        speed: turbo, balanced or quality.
        seed: of the skin's grain.
    """
    assert head.points is not None
    below, far = _below_jaw(head)
    near = smoothstep(_JAW * surface.scale, 0.1 * _JAW * surface.scale, far)
    share = _skin_share(head, surface.scale)
    skin = below * share
    # Skin goes over into skin, cloth has an edge.
    own = head.alpha * np.maximum(1 - skin, near * (1 - surface.cover * (1 - surface.skin)))
    own = np.ascontiguousarray(own * hairs.tapered(head, own, surface.scale, seed), np.float32)
    # Behind the face the neck goes on, so that nothing shines through where one goes over into the other.
    # Close to the jaw what a turn reveals is made of skin; it is shown where the modelled neck does not reach.
    clean = _clean_neck(head, still, bare, surface, placed)
    close = smoothstep(_REVEALED * surface.scale, 0.4 * _REVEALED * surface.scale, far)
    skinny = head.alpha * share * (np.arange(len(far)) > _lobes(head.points))[:, None]
    neck = np.asarray(clean * skinny, np.float32)
    wide = np.asarray(np.maximum(clean, close) * skinny * _beside(surface), np.float32)
    surface = necks.matched(necks.widened(surface, wide), head, neck, below, bare.skin, seed)
    both = _together(head, own, surface)
    subject = shape(both, speed)
    # Skin below the jaw has the shape of the modelled neck.
    at = (skin > 0.004) & (own > 0.004) & (surface.cover > 0.02)
    normals = subject.normals
    mixed = surface.normals[at] + (normals[at] - surface.normals[at]) * (1 - skin[at])[:, None]
    normals[at] = mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-4)
    # The colours of cloth served the shape only: mixed into the photograph's edge they would be a pale line there.
    rgb = np.where((own > 0.004)[..., None], head.rgb, subject.rgb)
    return replace(subject, rgb=rgb, under=surface, own=own)


def _clean_neck(
    head: Cutout, still: F32, bare: Bare, surface: Surface, placed: tuple[float, tuple[float, float]]
) -> F32:
    """Where the head on the canvas shows its own clean neck, (H, W) 0..1; the neck goes with the jaw, less and less."""
    assert head.points is not None
    scale, (x, y) = placed
    h, w = head.alpha.shape
    rows = np.arange(h, dtype=np.float32)
    chin = float(head.points[mesh.CHIN, 1])
    shift = (head.points[list(JAW)] - still[list(JAW)])[:, :2].mean(0)
    follow = smoothstep(chin + 9 * surface.scale, chin - 2 * surface.scale, rows)[:, None]
    columns = np.arange(w, dtype=np.float32)[None]
    at_x = np.broadcast_to((columns - x - shift[0] * follow) / scale, (h, w))
    at_y = np.broadcast_to((rows[:, None] - y - shift[1] * follow) / scale, (h, w))
    maps = (np.ascontiguousarray(at_x, np.float32), np.ascontiguousarray(at_y, np.float32))
    moved = cv2.remap(bare.foul, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=1.0)
    return smoothstep(0.5, 0.05, blur(moved, _FADE * surface.scale))


def _skin_share(head: Cutout, scale: float) -> F32:
    """Share (H, W) of skin in what the head shows; beyond the matte's middle that of the nearest."""
    sigma = 0.12 * scale
    skin = blur(np.isin(head.regions, (FACE, SKIN)).astype(np.float32), sigma)
    other = blur(np.isin(head.regions, (HAIR, CLOTHING)).astype(np.float32), sigma)
    return smoothstep(0.2, 0.8, (skin + 1e-4) / (skin + other + 1e-4))


def _below_jaw(head: Cutout) -> tuple[F32, F32]:
    """What lies below the face and the ears (H, W) 0..1, and the distance (H, W) in pixels to the face's outline."""
    assert head.points is not None
    points = head.points[:468, :2]
    face = polygon(cv2.convexHull(np.ascontiguousarray(points, np.float32))[:, 0], head.alpha.shape)
    tall = float(np.ptp(points[:, 1]))
    lobes = _lobes(head.points)
    rows = np.arange(len(face), dtype=np.float32)[:, None]
    below = (1 - face) * smoothstep(lobes, lobes + 0.16 * tall, rows)
    far = cv2.distanceTransform((face < 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(below, np.float32), np.asarray(far, np.float32)


def _beside(surface: Surface) -> F32:
    """1 on the surface (H, W), falling to 0 within `_BEYOND` cm of it."""
    outside = (surface.cover < 0.5).astype(np.uint8)
    away = np.asarray(cv2.distanceTransform(outside, cv2.DIST_L2, 3), np.float32)
    return smoothstep(_BEYOND * surface.scale, 0.3 * _BEYOND * surface.scale, away)


def _lobes(points: F32) -> float:
    """Row above which skin beside the face is an ear's, below it the neck's."""
    return float(points[list(mesh.LIPS), 1].mean()) - 0.14 * float(np.ptp(points[:468, 1]))


def _together(head: Cutout, own: F32, surface: Surface) -> Cutout:
    """Head and clothes as one cut-out, for the shape and for who looks at the regions."""
    cover = surface.cover
    alpha = np.asarray(own + (1 - own) * cover, np.float32)
    lower = (cover > 0.02) & (own < 0.98)
    # Nearly display codes: nobody sees them, but the shape looks for creases in them.
    codes = np.sqrt(np.clip(surface.albedo[lower], 0, 1))
    rgb = head.rgb.copy()
    rgb[lower] = codes + (rgb[lower] - codes) * own[lower][:, None]
    return replace(head, rgb=rgb, alpha=alpha, regions=_regions(head, own, surface))


def _regions(head: Cutout, own: F32, surface: Surface) -> U8:
    labels = np.where(surface.skin > 0.5, SKIN, CLOTHING)
    labels = np.where(surface.cover > 0.5, labels, BACKGROUND)
    return np.where(own > 0.5, head.regions, labels).astype(np.uint8)
