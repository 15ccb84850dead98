"""Face swap and head swap: another person in a picture, the light and the moment as they were."""

from portrayal.engines.studio.swap.face import swap_face
from portrayal.engines.studio.swap.head import swap_head
from portrayal.engines.studio.swap.limits import check_target

__all__ = ["check_target", "swap_face", "swap_head"]
