"""Words as shapes: typefaces, shaping, typesetting, speech balloons, readable colours.

Knows nothing of prompts, people or scenes: those that place words in pictures call it.

HarfBuzz is loaded with the first words that are set: most pictures have none, and every start would wait for it.
"""

from portrayal.lettering.balloons import Balloon, balloon
from portrayal.lettering.typesetting import Block, fit, typeset

__all__ = ["Balloon", "Block", "balloon", "fit", "typeset"]
