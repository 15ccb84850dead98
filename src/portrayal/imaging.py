"""Pictures as arrays: decode with limits, colour, encode.

Conventions of the whole package: RGB order, shape (height, width, 3); ``uint8`` or ``float32`` 0..1 are sRGB
display codes, unless a name says `linear` or `radiance`. Points are (x, y) or (x, y, z) in pixels, x to the
right, y down, z in the unit of x and negative towards the camera. "Left" and "right" are the picture's.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

U8: TypeAlias = npt.NDArray[np.uint8]
F32: TypeAlias = npt.NDArray[np.float32]
F64: TypeAlias = npt.NDArray[np.float64]
Bool: TypeAlias = npt.NDArray[np.bool_]
Array: TypeAlias = npt.NDArray[Any]
