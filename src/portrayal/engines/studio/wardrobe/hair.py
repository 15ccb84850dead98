"""Hair over clothes: ends that run out in strands, another colour, a shorter cut."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio.head.fields import blur, smoothstep
from portrayal.engines.studio.recolour import parse_hex
from portrayal.engines.studio.types import Cutout, Notes
from portrayal.engines.studio.wardrobe.outfit import Hair
from portrayal.imaging import F32, U8
from portrayal.perception import mesh
from portrayal.perception.types import BACKGROUND, FACE, HAIR

# Hair that ends so far (cm) below the chin is long: its end in the matte is rarely its real end.
_LONG: Final = 1.0
_ENDS: Final = 6.5  # cm over which long hair runs out


def tapered(head: Cutout, own: F32, scale: float, seed: int) -> F32:
    """Factor (H, W) 0..1 that lets long hair run out in strands instead of a cut.

    Args:
        head: on the canvas.
        own: (H, W) its matte.
        scale: canvas pixels per cm.
        seed: of the strands.
    """
    assert head.points is not None
    chin = float(head.points[mesh.CHIN, 1])
    first = int(np.clip(chin - _ENDS * scale, 0, len(own)))
    out = np.ones_like(own)
    hair = (head.regions[first:] == HAIR) & (own[first:] > 0.3)
    least = int(chin + _LONG * scale) - first
    if not hair[max(0, least) :].any():
        return out
    columns = np.flatnonzero(hair.any(0))
    x0, x1 = max(0, int(columns[0] - scale)), min(own.shape[1], int(columns[-1] + scale + 1))
    hair = hair[:, x0:x1]
    rows = np.arange(len(hair), dtype=np.float32)[:, None]
    end = _ends(hair, scale)
    end = np.where(end < least, np.float32(10 * len(own)), end)
    left = (end[None] - rows) / np.float32(_ENDS * scale)
    strands = _strands(hair.shape, scale, seed)
    # Strands end one after the other, and the last ones are the thinnest.
    keep = smoothstep(-0.04, 0.10, left - 0.92 * strands)
    is_hair = blur(hair.astype(np.float32), 0.08 * scale)
    out[first:, x0:x1] = 1 - smoothstep(0.02, 0.3, is_hair) * (1 - keep)
    return out


def _ends(hair: F32, scale: float) -> F32:
    """Row at which the locks of each column end, (w,): that of the longest nearby."""
    height = len(hair)
    last = np.where(hair.any(0), height - hair[::-1].argmax(0), 0).astype(np.float32)
    reach = 2 * max(1, round(1.6 * scale)) + 1
    longest = cv2.dilate(last[None], np.ones((1, reach), np.uint8))
    return np.asarray(cv2.GaussianBlur(longest, (0, 0), 0.8 * scale)[0], np.float32)


def _strands(shape: tuple[int, ...], scale: float, seed: int) -> F32:
    """Noise (h, w) 0..1, long downwards and narrow across."""
    rng = np.random.default_rng([seed, 621])
    out = np.zeros(shape[:2], np.float32)
    h, w = shape[:2]
    for width, share in ((0.5, 0.45), (0.13, 0.55)):
        # One value per strand and 3 cm of its way.
        grid = rng.standard_normal(
            (max(2, round(h / (3.0 * scale))) + 1, max(2, round(w / (width * scale)))), np.float32
        )
        out += np.float32(share) * cv2.resize(grid, (w, h), interpolation=cv2.INTER_CUBIC)
    return np.asarray(0.5 + 0.5 * np.tanh(1.3 * out), np.float32)


def styled(
    cutout: Cutout,
    mask: U8,
    said: Hair | None,
    placed: tuple[float, tuple[float, float]],
    notes: Notes,
    seed: int,
    bare: bool,
) -> Cutout:
    """Hair as the words say, outside of the character mask: what the mask holds belongs to the person.

    Args:
        cutout: the person on the canvas, before the head is moved.
        mask: (h, w) the character mask, of the reference.
        said: colour and length; None = as it is.
        placed: scale and offset of the reference on the canvas.
        notes: gets what cannot be done.
        seed: of the strands at a cut.
        bare: whether clothes are modelled behind the hair, so that it can be cut.
    """
    if said is not None and cutout.points is None:
        notes.warnings.append("not portrayed: hair in the words' way; there is no face that it belongs to")
        return cutout
    if said is not None and said.length == "long":
        notes.warnings.append("not portrayed: long hair; the reference shows no more of it")
        said = replace(said, length=None) if said.colour else None
    if said is None or cutout.points is None:
        return cutout
    scale, (x, y) = placed
    h, w = cutout.alpha.shape
    matrix = np.array([[scale, 0, x], [0, scale, y]], np.float32)
    held = cv2.warpAffine(mask, matrix, (w, h), flags=cv2.INTER_LINEAR).astype(np.float32) / np.float32(255)
    hair = cutout.regions == HAIR
    if not hair.any() or float((hair * (held < 0.5)).sum()) < 0.2 * float(hair.sum()):
        words = "hair of another colour" if said.colour else f"{said.length} hair"
        held_by = "it belongs to the character mask; take it out of the mask to change it"
        notes.warnings.append(f"not portrayed: {words}; {held_by if hair.any() else 'none is seen'}")
        return cutout
    if said.length == "short" and not bare:
        notes.warnings.append("not portrayed: short hair; what it hides is not known: name clothes to wear")
    elif said.length == "short":
        cutout = shortened(cutout, np.asarray(1 - held, np.float32), seed)
    if said.colour is not None:
        cutout = dyed(cutout, said.colour, np.asarray(1 - held, np.float32))
    return cutout


def dyed(cutout: Cutout, colour: str, free: F32) -> Cutout:
    """Hair of another colour; its strands, shine and shade stay.

    Args:
        cutout: the person.
        colour: "#rrggbb".
        free: (h, w) 0..1, where it may change.
    """
    weight = _share(cutout) * free
    sure = (weight > 0.8) & (cutout.alpha > 0.9)
    if sure.sum() < 50:
        return cutout
    at = weight > 0.01
    lab = np.asarray(cv2.cvtColor(cutout.rgb[at][None], cv2.COLOR_RGB2Lab)[0], np.float32)
    own = np.asarray(cv2.cvtColor(cutout.rgb[sure][None], cv2.COLOR_RGB2Lab)[0], np.float32).mean(0)
    wanted = np.asarray(cv2.cvtColor(parse_hex(colour)[None, None], cv2.COLOR_RGB2Lab)[0, 0], np.float32)
    # Light hair shows less of its shade than dark hair, and black hair little of anything.
    contrast = float(np.clip((wanted[0] + 12) / (own[0] + 12), 0.55, 1.2))
    light = np.clip(wanted[0] + (lab[:, 0] - own[0]) * contrast, 0, 100)
    tint = np.clip(light / max(float(wanted[0]), 1.0), 0, 2)[:, None] ** 0.6
    chroma = wanted[1:] * tint + 0.25 * (lab[:, 1:] - own[1:])
    new = cv2.cvtColor(np.column_stack([light, chroma])[None].astype(np.float32), cv2.COLOR_Lab2RGB)[0]
    rgb = cutout.rgb.copy()
    rgb[at] += (np.clip(new, 0, 1) - rgb[at]) * weight[at][:, None]
    return replace(cutout, rgb=rgb)


def shortened(cutout: Cutout, free: F32, seed: int) -> Cutout:
    """Hair cut at the jaw; its ends are uneven.

    Args:
        cutout: a head with nothing behind its hair.
        free: (h, w) 0..1, where it may be cut.
        seed: of the strands.
    """
    assert cutout.points is not None
    scale = float(np.linalg.norm(cutout.points[mesh.FOREHEAD] - cutout.points[mesh.CHIN])) / 18
    jaw = float(cutout.points[[58, 288], 1].mean())
    rows = np.arange(len(cutout.alpha), dtype=np.float32)[:, None]
    left = (jaw + 2.5 * scale - rows) / np.float32(3.0 * scale)
    keep = smoothstep(-0.05, 0.12, left - 0.9 * _strands(cutout.alpha.shape, scale, seed))
    gone = (1 - keep) * smoothstep(0.02, 0.3, _share(cutout)) * free
    alpha = np.ascontiguousarray(cutout.alpha * (1 - gone), np.float32)
    regions = np.where((cutout.regions == HAIR) & (alpha < 0.5), BACKGROUND, cutout.regions).astype(np.uint8)
    return replace(cutout, alpha=alpha, regions=regions)


def _share(cutout: Cutout) -> F32:
    """Share (h, w) of hair; beyond the matte's middle that of the nearest."""
    assert cutout.points is not None
    tall = float(np.ptp(cutout.points[:468, 1]))
    sigma = max(0.8, 0.008 * tall)
    hair = blur((cutout.regions == HAIR).astype(np.float32), sigma)
    other = blur((~np.isin(cutout.regions, (HAIR, BACKGROUND))).astype(np.float32), sigma)
    share = smoothstep(0.25, 0.75, (hair + 1e-3) / (hair + other + 1e-3))
    return np.maximum(share, _fringe(cutout, tall))


def _fringe(cutout: Cutout, tall: float) -> F32:
    """Share (h, w) of hair in what is labelled face just below it: a fringe over the forehead."""
    assert cutout.points is not None
    hair, face = cutout.regions == HAIR, cutout.regions == FACE
    brows = float(cutout.points[list(mesh.BROW_LEFT + mesh.BROW_RIGHT), 1].min()) - 0.03 * tall
    above = (np.arange(len(face)) < brows)[:, None]
    near = blur(hair.astype(np.float32), 0.06 * tall) > 0.08
    wanted = face & above & near
    skin = face & ~near & (cutout.alpha > 0.9)
    out = np.zeros(face.shape, np.float32)
    if wanted.sum() < 20 or skin.sum() < 50 or hair.sum() < 50:
        return out
    means = [np.median(cutout.rgb[where], 0) for where in (hair & near, skin)]
    far = [np.linalg.norm(cutout.rgb[wanted] - mean, axis=1) for mean in means]
    out[wanted] = smoothstep(0.42, 0.62, far[1] / (far[0] + far[1] + 1e-4))
    return blur(out, 0.003 * tall)
