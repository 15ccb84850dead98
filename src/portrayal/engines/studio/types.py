"""What passes between the parts of the studio engine.

Light axes, everywhere: x to the picture's right, y up, z towards the camera; directions point from the
person to the light. Radiance is scene linear RGB.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from portrayal.engines.studio.cloth.surface import Surface
from portrayal.imaging import F32, U8

Speed = Literal["turbo", "balanced", "quality"]


@dataclass(frozen=True)
class Cutout:
    """A person cut from the reference, perhaps moved, not yet lit.

    Attributes:
        rgb: (h, w, 3) float32 0..1 display code; colours free of the old background, defined everywhere.
        alpha: (h, w) float32 0..1.
        regions: (h, w) uint8, labels of `portrayal.perception.regions` (background, face, hair, skin, clothing).
        points: (478, 3) float32 pixels of this cut-out (irises last), or None for a subject without a face.
        touches: sides of the source picture at which the body is cut off: any of "left", "right", "bottom", "top".
    """

    rgb: F32
    alpha: F32
    regions: U8
    points: F32 | None
    touches: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Subject:
    """A cut-out placed on the canvas: same arrays as `Cutout`, at canvas size, with shape for the light.

    Attributes:
        normals: (H, W, 3) float32 unit vectors.
        height: (g, g') float32 height field at reduced size, in its own pixels, towards the camera.
        face: (H, W) float32 0..1, weight of the face's own surface.
        face_height: height of the face (landmarks) in canvas pixels.
        under: what is modelled behind the photograph's own pixels: clothes, neck, a whole body; None = nothing is.
        own: (H, W) float32 0..1, the matte of the photograph's own pixels, in front of `under`; None = `alpha`.
            `alpha` is then the matte of both together: own + (1 - own) * under.cover, and of `over`.
        over: what is modelled in front of the photograph: glasses, a hat.
    """

    rgb: F32
    alpha: F32
    regions: U8
    points: F32 | None
    normals: F32
    height: F32
    face: F32
    face_height: float
    under: Surface | None = None
    own: F32 | None = None
    over: Surface | None = None


@dataclass(frozen=True)
class KeyLight:
    """A directional light.

    Attributes:
        direction: (3,) towards the light, need not be normalised.
        colour: (3,) linear RGB irradiance; only ratios between lights and to the fill matter.
        wrap: 0 = hard terminator, 0.6 = large soft source.
        shadow: 0..1 strength of cast shadows.
        softness: penumbra width per unit of distance.
        specular: strength of the skin's highlight.
    """

    direction: F32
    colour: F32
    wrap: float = 0.35
    shadow: float = 0.8
    softness: float = 0.25
    specular: float = 0.05


@dataclass(frozen=True)
class RimLight:
    """A light from behind that draws the silhouette on the side it stands on."""

    direction: F32
    colour: F32
    gain: float = 2.0
    bias: float = 0.15


@dataclass(frozen=True)
class Lighting:
    """All light that falls on the person.

    Attributes:
        ambient: (9, 3) float32 irradiance, order-2 spherical harmonics over the light axes.
        fill: share of the ambient light in the face's mean luminance, 0..1.
        level: luminance of the face relative to a well exposed portrait (1 = day, 0.4 = candle).
        skin_shift: largest allowed shift of the mean skin colour in Lab a/b before the grade.
        contrast: exponent of the light ratio (1.5 normal, 1.9 low key).
    """

    ambient: F32
    keys: tuple[KeyLight, ...] = ()
    rims: tuple[RimLight, ...] = ()
    fill: float = 0.5
    level: float = 0.95
    skin_shift: float = 10.0
    contrast: float = 1.5


@dataclass(frozen=True)
class Lamp:
    """A visible point of light in the plate, drawn as an aperture disc after the depth blur.

    x, y in canvas pixels, depth in metres, energy linear RGB (sum over its pixels), size = own radius in pixels.
    """

    x: float
    y: float
    depth: float
    energy: tuple[float, float, float]
    size: float


@dataclass(frozen=True)
class Plate:
    """A photographed environment, already blurred by the lens unless `sharp`.

    Attributes:
        radiance: (H, W, 3) float32 scene linear.
        lighting: what the environment does to the person.
        grade: name of a colour grade of `light.finish`.
        foreground: particles nearer than the person (snow, rain, bubbles): (H, W, 4) premultiplied linear RGBA.
        exposure: extra stops for the finish.
        haze: (r, g, b, amount 0..1) of air between the camera and the person, e.g. fog or water.
        wall: distance in face heights of a studio backdrop behind the person; 0 = a scene, no wall.
    """

    radiance: F32
    lighting: Lighting
    grade: str = "none"
    foreground: F32 | None = None
    exposure: float = 0.0
    haze: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    wall: float = 0.0


@dataclass(frozen=True)
class Shot:
    """The camera of one picture, what a scene needs to draw its plate.

    Attributes:
        width, height: canvas in pixels.
        fov: vertical field of view in degrees.
        horizon: height of the eye line, as a fraction of the canvas from the top.
        yaw: degrees that the camera is turned around the scene; each picture of a set has another one.
        focus: distance of the person in metres.
        aperture: radius of the circle of confusion at infinity, as a fraction of the canvas height.
        eye: height of the camera over the floor in metres.
        seed: everything random in the scene comes from it.
        without: things that the scene shall not show, keys of `scenes/without.toml`.
    """

    width: int
    height: int
    fov: float = 40.0
    horizon: float = 0.46
    yaw: float = 0.0
    focus: float = 1.7
    aperture: float = 0.018
    time: str | None = None
    weather: str | None = None
    light: str | None = None
    backdrop: str | None = None
    seed: int = 0
    speed: Speed = "balanced"
    eye: float = 1.5
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Patch:
    """A changed part of a picture.

    Attributes:
        rgb: (h, w, 3) uint8, its pixels.
        x, y: where its upper left corner lies in the picture.
        cover: (h, w) uint8, how much of each pixel is new: 255 = painted anew, 0 = equal to the picture.
    """

    rgb: U8
    x: int
    y: int
    cover: U8


def vector(*values: float) -> F32:
    """A float32 vector."""
    return np.array(values, np.float32)


@dataclass
class Notes:
    """Warnings and measured facts that the parts leave for the result."""

    warnings: list[str] = field(default_factory=list)
    facts: dict[str, float] = field(default_factory=dict)
