"""Reading prompts: words in, a `ScenePlan` out."""

from portrayal.prompting.describe import describe, sentences
from portrayal.prompting.plan import ScenePlan
from portrayal.prompting.reader import read
from portrayal.prompting.vocabulary import ids

__all__ = ["ScenePlan", "describe", "ids", "read", "sentences"]
