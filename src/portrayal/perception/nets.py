"""The small networks that ship with the package, run by OpenCV's DNN module.

All four are MediaPipe's TFLite models (Apache-2.0). Outputs agree with LiteRT to 2e-4 on the same input.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final, Literal

import cv2
import numpy as np

from portrayal import assets
from portrayal.errors import MissingDataError
from portrayal.imaging import F32, U8

NetName = Literal[
    "face_detection_short_range",
    "face_landmark",
    "iris_landmark",
    "selfie_segmentation",
    "pose_landmark_full",
]

# A net keeps its activations, so two threads must not share one; they are small and load in milliseconds.
_LOADED: Final = threading.local()


def _net(name: NetName) -> cv2.dnn.Net:
    nets: dict[str, cv2.dnn.Net] = _LOADED.__dict__.setdefault("nets", {})
    if name not in nets:
        file = assets.path(f"models/{name}.tflite")
        try:
            # The default engine of OpenCV 5 keeps one output only; the classic one keeps all.
            nets[name] = cv2.dnn.readNetFromTFLite(str(file), cv2.dnn.ENGINE_CLASSIC)
        except cv2.error:
            raise MissingDataError(
                f"the shipped file {file.name} is damaged", remedy="Install the package again."
            ) from None
    return nets[name]


def forward(name: NetName, rgb: U8, outputs: Sequence[str], low: float = 0.0, high: float = 1.0) -> list[F32]:
    """Run a net on one picture of the size it expects; safe to call from several threads.

    Args:
        name: which net.
        rgb: (n, n, 3) uint8.
        outputs: names of the wanted outputs.
        low, high: what 0 and 255 become at the input.

    Returns:
        One new float32 array per name.
    """
    net = _net(name)
    scale = (high - low) / 255.0
    net.setInput(cv2.dnn.blobFromImage(rgb, scale, ddepth=cv2.CV_32F) + np.float32(low))
    return [np.array(out, np.float32) for out in net.forward(list(outputs))]


def sigmoid(x: F32) -> F32:
    """Logistic function that does not overflow."""
    out: F32 = (1.0 / (1.0 + np.exp(-np.clip(x.astype(np.float64), -100, 100)))).astype(np.float32)
    return out
