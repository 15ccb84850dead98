"""Upper teeth for a mouth that was closed in the reference."""

from __future__ import annotations

import numpy as np

from portrayal.engines.studio.head import topology as tp
from portrayal.engines.studio.head.face import Moved
from portrayal.engines.studio.head.fields import blur, smoothstep
from portrayal.imaging import F32

# From the middle outwards: where each tooth ends, and how far it reaches below the lip's line (units of the face).
# Widths of real incisors, canines and premolars, foreshortened along the dental arch.
_ENDS = (0.0, 0.088, 0.155, 0.218, 0.266, 0.302, 0.330)
_LENGTHS = (0.086, 0.076, 0.083, 0.072, 0.064, 0.056)


def synthetic(cavity: F32, face: Moved, across: F32, down: F32, half: float, shown: float) -> F32:
    """Draw the upper row of teeth over the darkness of a mouth.

    Args:
        cavity: (h, w, 3) what is behind.
        across, down: (h, w) coordinates from the middle of the upper lip's edge, in units of the face.
        half: half the opening's width.
        shown: 0..1 of their length that the lip leaves free: all of it in a smile, a third in an O.
    """
    far = np.abs(across)
    tooth = np.clip(np.digitize(far, _ENDS) - 1, 0, len(_LENGTHS) - 1)
    ends = np.array(_ENDS, np.float32)
    width = (ends[1:] - ends[:-1])[tooth]
    inside = (far - ends[tooth]) / width * 2 - 1  # -1..1 across one tooth
    length = np.array(_LENGTHS, np.float32)[tooth] * np.float32(shown)
    lip = _lip_line(face, across)
    # Teeth hang on the skull, not on the lip: the visible row follows the lip's arch only in part.
    edge = 0.45 * lip + 0.80 * length - 0.014 * np.abs(inside) ** 4 - 0.10 * far**2
    edge = np.maximum(edge, lip + 0.006)
    share = (1 - smoothstep(-0.005, 0.005, down - edge)) * (1 - smoothstep(0.78, 1.0, far / half))
    seam = smoothstep(0.86, 1.0, np.abs(inside)) * smoothstep(-0.6, 1.0, (down - edge) / 0.05 + 1)
    tone = (1 - 0.22 * seam - 0.40 * np.clip(far / 0.33, 0, 1) ** 1.6) * (1 - 0.05 * inside**2)
    tone = tone * (0.62 + 0.38 * smoothstep(0, 0.05, down - lip))
    light = float(face.skin.mean())
    tint = face.skin / np.array([0.80, 0.60, 0.50], np.float32)
    tint = (tint / tint.mean()) ** 0.5
    ivory = np.array([0.84, 0.80, 0.73], np.float32) * tint * min(1.0, 0.10 + 1.25 * light)
    out = cavity + (ivory * tone[..., None] - cavity) * share[..., None]
    return blur(out.astype(np.float32), 0.0022 * face.face)


def _lip_line(face: Moved, across: F32) -> F32:
    """How far the edge of the upper lip lies below its middle, at each place across."""
    rel = (face.new[tp.INNER_UPPER] - face.new[13]) / np.float32(face.unit)
    x, y = rel @ face.frame.right, rel @ face.frame.down
    order = np.argsort(x)
    out: F32 = np.interp(across.ravel(), x[order], y[order]).reshape(across.shape).astype(np.float32)
    return out
