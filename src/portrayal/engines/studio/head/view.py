"""Where a head lies on the canvas, and how it looks after a turn."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from portrayal.engines.studio.head.fields import sample, smoothstep
from portrayal.engines.studio.head.model import HeadModel
from portrayal.engines.studio.head.motion import HeadMotion
from portrayal.imaging import F32, F64, Array
from portrayal.perception.pose import rotation

_CAMERA = 5.5  # distance of the camera in face heights

# Rendered over requested angle: the pose is corrected for the landmark net's pull towards the front, which pictures of
# this flat relief do not suffer. Measured with the landmarks of turned pictures of four people.
_YAW_GAIN, _PITCH_GAIN = 1 / 1.5, 1 / 1.3


@dataclass(frozen=True)
class View:
    """The box of the canvas in which the head moves; "local" pixels are those of the box.

    Attributes:
        box: (x0, y0, x1, y1) on the canvas.
        factor: local pixels per model pixel.
        shift: (x, y) of the model's pixel (0, 0).
    """

    box: tuple[int, int, int, int]
    factor: float
    shift: tuple[float, float]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]

    def to_local(self, points: Array) -> F32:
        """Model pixels (n, 2) -> local pixels."""
        out: F32 = (points * self.factor + np.array(self.shift)).astype(np.float32)
        return out

    def to_model(self, points: Array) -> F32:
        """Local pixels (n, 2) -> model pixels."""
        out: F32 = ((points - np.array(self.shift)) / self.factor).astype(np.float32)
        return out

    def cropped(self, box: tuple[int, int, int, int]) -> View:
        """A smaller view: `box` (x0, y0, x1, y1) in local pixels."""
        x, y = self.box[:2]
        whole = (box[0] + x, box[1] + y, box[2] + x, box[3] + y)
        return View(whole, self.factor, (self.shift[0] - box[0], self.shift[1] - box[1]))

    def coarse(self, step: int) -> View:
        """The same view with every `step`-th pixel."""
        w, h = -(-self.size[0] // step), -(-self.size[1] // step)
        return View((0, 0, w, h), self.factor / step, (self.shift[0] / step, self.shift[1] / step))

    def reference(self, model: HeadModel) -> tuple[slice, slice]:
        """Rows and columns of the box that lie on the reference's own area."""
        low = self.to_local((np.zeros(2) - model.origin) * model.scale)
        high = self.to_local((np.array(model.size) - model.origin) * model.scale)
        x0, y0 = np.maximum(np.ceil(low - 0.5), 0).astype(int)
        x1, y1 = np.maximum(np.ceil(high - 0.5), 0).astype(int)
        return slice(int(y0), int(y1)), slice(int(x0), int(x1))

    def field(self, image: F32, flag: int = cv2.INTER_LINEAR) -> F32:
        """A field of the model at local resolution."""
        f, (x, y) = self.factor, self.shift
        matrix = np.array([[f, 0, x], [0, f, y]])
        out = cv2.warpAffine(image, matrix, self.size, flags=flag, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(out, np.float32)


@dataclass(frozen=True)
class Carried:
    """What an expression has moved: (h, w, 2) way back in local pixels, and the corner (x, y) of that field."""

    field: F32
    corner: tuple[int, int]

    def before(self, model: HeadModel, view: View, at: Array) -> F32:
        """(n, 2) where the surface at points of the new face was (model pixels), up and down only.

        What moves sideways slides over the surface and changes its height. The way fades towards the outline: next to
        a collar the neck must move as it always does, or it tears off.
        """
        local = view.to_local(at) - np.array(self.corner, np.float32)
        h, w = self.field.shape[:2]
        inside = (local[:, 0] >= 0) & (local[:, 1] >= 0) & (local[:, 0] < w) & (local[:, 1] < h)
        deep = smoothstep(0.03 * model.face, 0.15 * model.face, sample(model.outline.distance, at[:, 0], at[:, 1]))
        way = sample(self.field[..., 1], local[:, 0], local[:, 1]) / np.float32(view.factor)
        return np.stack([at[:, 0], at[:, 1] + way * deep * inside], 1).astype(np.float32)


def view_of(model: HeadModel, scale: float, offset: tuple[float, float], canvas: tuple[int, int]) -> View | None:
    """The part of a canvas (width, height) in which the head can be; None when it is not in the picture."""
    factor = scale / model.scale
    x = scale * model.origin[0] + offset[0]
    y = scale * model.origin[1] + offset[1]
    # The shell with room to move; below the neck nothing does.
    low, high = model.shell.at.min(0), model.shell.at.max(0)
    rows = np.flatnonzero(model.follow.max(1) > 0)
    low, high = low - 0.55 * model.face, high + 0.55 * model.face
    bottom = min(float(high[1]), float(rows[-1]) + 0.1 * model.face)
    x0, x1 = np.floor(x + factor * low[0]), np.ceil(x + factor * high[0])
    y0, y1 = np.floor(y + factor * low[1]), np.ceil(y + factor * bottom)
    box = (
        int(np.clip(x0, 0, canvas[0])),
        int(np.clip(y0, 0, canvas[1])),
        int(np.clip(x1, 0, canvas[0])),
        int(np.clip(y1, 0, canvas[1])),
    )
    if box[2] - box[0] < 16 or box[3] - box[1] < 16:
        return None
    return View(box, factor, (x - box[0], y - box[1]))


def turning(model: HeadModel, motion: HeadMotion) -> F64:
    """(3, 3) rotation in the picture's axes (z away from the camera) from the reference's pose to the new one."""
    pose = model.pose
    new = rotation(pose.yaw + _YAW_GAIN * motion.yaw, pose.pitch + _PITCH_GAIN * motion.pitch, pose.roll + motion.roll)
    out: F64 = new @ rotation(pose.yaw, pose.pitch, pose.roll).T
    return out


def project(model: HeadModel, turn: F64, at: Array, height: Array, follow: Array) -> tuple[F32, F32]:
    """Where points of the surface go.

    Args:
        at, height: (n, 2), (n,) of the reference's picture, in model pixels, height towards the camera.
        follow: (n,) share of the movement.

    Returns:
        (n, 2) places and (n,) heights, in model pixels.
    """
    far = _CAMERA * model.face
    open_up = (far - height) / far  # undo the perspective, turn, and take the picture again
    p = np.stack([(at[:, 0] - model.pivot[0]) * open_up, (at[:, 1] - model.pivot[1]) * open_up, -height])
    q = p + (turn @ p - p) * follow
    closer = far / (far + q[2])
    new = np.stack([model.pivot[0] + q[0] * closer, model.pivot[1] + q[1] * closer], 1)
    return new.astype(np.float32), (-q[2]).astype(np.float32)
