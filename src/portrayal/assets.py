"""Where the files lie that ship with the package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from portrayal.errors import MissingDataError

DATA = Path(__file__).parent / "data"


def path(name: str) -> Path:
    """Path of a shipped file, e.g. ``path("models/face_landmark.tflite")``.

    Raises:
        MissingDataError: when the file is not there.
    """
    found = DATA / name
    if not found.is_file():
        raise MissingDataError(f"the shipped file {name} is missing", remedy="Install the package again.")
    return found


def dlib_descriptor() -> Path:
    """Path of dlib's face descriptor network (CC0), out of the package `face_recognition_models`.

    Only the path is looked up: that package's code would need `pkg_resources`, and its 68-point model is
    not for commercial use and is never opened.

    Raises:
        MissingDataError: when the package is not installed.
    """
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is not None and spec.submodule_search_locations:
        for folder in spec.submodule_search_locations:
            found = Path(folder) / "models" / "dlib_face_recognition_resnet_model_v1.dat"
            if found.is_file():
                return found
    raise MissingDataError("the face descriptor of dlib is missing", remedy="Run: pip install face_recognition_models")
