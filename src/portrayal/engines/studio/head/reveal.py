"""What a turn brings to light: surface that the reference shows from the side, or not at all."""

from __future__ import annotations

from portrayal.engines.studio.head.model import HeadModel
from portrayal.engines.studio.head.outline import Edge
from portrayal.engines.studio.head.view import View
from portrayal.imaging import F32, F64, Bool


def mended(rgb: F32, source: F32, edge: Edge, covered: Bool, model: HeadModel, view: View, turn: F64) -> F32:
    """TODO"""
    return rgb
