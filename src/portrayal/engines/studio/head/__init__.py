"""The head of a person in another pose, with another expression (studio engine)."""

from portrayal.engines.studio.head.model import HeadModel, analyse
from portrayal.engines.studio.head.motion import HeadMotion
from portrayal.engines.studio.head.move import move

__all__ = ["HeadModel", "HeadMotion", "analyse", "move"]
