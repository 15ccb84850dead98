"""The new background as a plate: the scene of a prompt seen by the camera of the picture, or another picture."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from portrayal.engines.studio import avoid
from portrayal.engines.studio.background.cut import CutPicture
from portrayal.engines.studio.clock import Clock
from portrayal.engines.studio.compose import CAMERAS, FRAMINGS
from portrayal.engines.studio.generate import scene
from portrayal.engines.studio.light.tone import luminance, untone
from portrayal.engines.studio.photo.camera import Camera
from portrayal.engines.studio.photo.lighting import light_of
from portrayal.engines.studio.types import Lighting, Notes, Plate, Shot, Speed
from portrayal.imaging import F32, U8
from portrayal.perception import mesh
from portrayal.perception.faces import read_faces
from portrayal.prompting.plan import ScenePlan

_TONED: Final = 0.12  # largest tint of a toned print, display code
_DETAILED: Final = 0.08  # least structure of a photograph whose film can be read
_PLAIN: Final = 0.02  # structure under which a picture is paper
_PAPER_WALL: Final = 8.0  # face heights behind the person
_PAPER_SHARE: Final = 0.25  # of its colour that it throws on the person
_PAPER_SHIFT: Final = 7.0  # Lab a/b
_LEAST_LEVEL: Final = 0.82
_BRIGHTEST_AIR: Final = 1.5
_LIFTED: Final = 0.08  # display code, most that a faded picture may lift the blacks
_SURFACE: Final = 0.45  # share of the colour of a wall that is taken for the colour of the light
CROWDED: Final = "the background picture shows people of its own, and they stay in it"
LONGER_SIDE: Final = 2048  # of a plate: it is out of focus, and larger pictures get it enlarged
# For a prompt without a setting: a portrait studio with light that is kind to everybody.
_RIGS: Final = ("softbox", "beauty", "loop", "window")
_PAPERS: Final = ("grey", "beige", "ivory", "teal", "navy", "olive")
_FACE: Final = 0.19  # metres, chin to hairline
_APERTURE: Final = 0.018
_USUAL_SHARE: Final = 0.22  # of the frame, the face that this aperture is meant for
_STANDING: Final = 1.62  # metres over the ground of standing eyes


def plate_for(image: U8, cut: CutPicture, plan: ScenePlan, *, seed: int, speed: Speed, notes: Notes) -> Plate:
    """Photograph the scene of a prompt with the camera that a picture was taken with.

    The angle of view, the distance of the focus and the depth of field follow from the size of the faces, the horizon
    from the height of the eyes (the camera stood at eye level unless the prompt says otherwise).

    Args:
        image: (h, w, 3) uint8, the picture.
        cut: its people.
        plan: setting, time, weather, light; without a setting it becomes a studio.
        seed: of the view and of everything random in the scene.
        speed: as for the scenes.
        notes: gets what the setting cannot show.

    Returns:
        The plate, at the picture's ratio, at most 2048 px on its longer side.
    """
    rng = np.random.default_rng([seed, 515])
    rig = str(rng.choice(avoid.free(plan, "light", _RIGS)))
    paper = str(rng.choice(avoid.free(plan, "backdrop", _PAPERS)))
    if plan.setting is None:
        plan = plan.model_copy(update={"setting": "studio", "backdrop": plan.backdrop or paper})
    if plan.setting == "studio" and plan.light is None:
        plan = plan.model_copy(update={"light": rig})
    return scene(plan, shot_of(image, cut, plan, rng, speed), notes, Clock())


def shot_of(image: U8, cut: CutPicture, plan: ScenePlan, rng: np.random.Generator, speed: Speed) -> Shot:
    """The camera of a picture, for a scene."""
    height, width = image.shape[:2]
    k = min(1.0, LONGER_SIDE / max(height, width))
    face, eyes = _face(cut)
    share = face / min(height, 1.25 * width)
    known = sorted((math.log(part), fov) for part, _, fov in FRAMINGS.values())
    fov = float(np.interp(math.log(max(share, 1e-3)), [s for s, _ in known], [f for _, f in known]))
    focal = 0.5 * height / math.tan(math.radians(fov) / 2)
    return Shot(
        width=round(width * k),
        height=round(height * k),
        fov=fov,
        horizon=_horizon(cut, plan, eyes / height),
        yaw=float(rng.uniform(-22, 22)),
        focus=float(np.clip(_FACE * focal / face, 1.2, 8.0)),
        aperture=_APERTURE * float(np.clip(math.sqrt(share / _USUAL_SHARE), 0.5, 1.3)),
        time=plan.time,
        weather=plan.weather,
        light=plan.light,
        backdrop=plan.backdrop,
        seed=int(rng.integers(0, 2**31 - 1)),
        speed=speed,
    )


def _face(cut: CutPicture) -> tuple[float, float]:
    """Height of the nearest face and row of the eyes, in pixels; for a subject those that its size would go with."""
    if cut.readings:
        eyes = [float(r.points[list(mesh.EYE_CORNERS), 1].mean()) for r in cut.readings]
        weights = [r.pose.scale for r in cut.readings]
        return max(float(np.ptp(cut.readings[0].points[:468, 1])), 8.0), float(np.average(eyes, weights=weights))
    rows, columns = (np.flatnonzero((cut.alpha > 0.5).any(axis)) for axis in (1, 0))
    if not len(rows):
        return 0.2 * cut.alpha.shape[0], 0.45 * cut.alpha.shape[0]
    tall, wide = float(np.ptp(rows)) + 1, float(np.ptp(columns)) + 1
    return max(8.0, 0.35 * max(tall, 0.8 * wide)), float(rows[0]) + 0.25 * tall


def _horizon(cut: CutPicture, plan: ScenePlan, eyes: float) -> float:
    """Height of the horizon as a fraction of the picture from the top."""
    if plan.camera is not None and plan.camera in ("low angle", "high angle"):
        return CAMERAS[plan.camera][1]
    if stands(cut.alpha):  # the ground must meet the feet
        return float(np.clip(eyes + 0.02, 0.12, 0.6))
    return float(np.clip(0.46 + 0.6 * (eyes - 0.42), 0.25, 0.62))


def stands(alpha: F32) -> bool:
    """Whether a body ends within the picture, on some ground, instead of being cut off by its lower border."""
    rows = np.flatnonzero((alpha > 0.5).any(1))
    return bool(len(rows)) and int(rows[-1]) < alpha.shape[0] - max(4, alpha.shape[0] // 200)


def picture_plate(picture: U8, alpha: F32, notes: Notes) -> tuple[Plate, Camera, U8]:
    """Another picture as a plate for a person.

    Args:
        picture: (h', w', 3) uint8; its middle is cropped to the ratio, it is never stretched.
        alpha: (h, w) float32 matte of who will stand in it.
        notes: gets a warning when the picture has people of its own.

    Returns:
        The plate, what the picture's camera did, and the picture at the size of alpha.
    """
    height, width = alpha.shape
    fitted = cropped(picture, width, height)
    rows, columns = (np.flatnonzero((alpha > 0.5).any(axis)) for axis in (1, 0))
    where = None
    if len(rows):
        where = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    faces = read_faces(fitted, average=False)  # they show best how the light falls
    if faces:
        notes.warnings.append(CROWDED)
    found = light_of(fitted, faces=faces, where=where)
    camera = found.camera
    radiance = untone(fitted.astype(np.float32) / np.float32(255))
    if structure(fitted) < _PLAIN:  # paper says nothing of air, of a film's blacks, or of how dark it is
        film = Camera(grain=camera.grain, grain_size=camera.grain_size, grain_colour=camera.grain_colour)
        return Plate(radiance, _before_paper(found.lighting, radiance), wall=_PAPER_WALL), film, fitted
    lighting = _calm(found.lighting)
    if camera.gray and not without_colour(fitted, camera):
        camera = replace(camera, gray=False, tones=None)
        lighting = _tinted(lighting, radiance, _SURFACE)
    r, g, b, amount = camera.haze
    dim = min(1.0, _BRIGHTEST_AIR / max(r, g, b, 1e-3))  # blown out fog is no lamp
    haze = (dim * r, dim * g, dim * b, amount)
    return Plate(radiance, lighting, haze=haze), replace(camera, black=min(camera.black, _LIFTED)), fitted


def structure(picture: U8) -> float:
    """Share 0..1 of a picture at thumbnail size that holds edges; under 0.02 it is paper, a gradient, or all blur."""
    small = _thumbnail(picture)
    down, across = cv2.Sobel(small, cv2.CV_32F, 0, 1, scale=0.125), cv2.Sobel(small, cv2.CV_32F, 1, 0, scale=0.125)
    return float((cv2.magnitude(across, down) > 4).mean())


def _thumbnail(picture: U8) -> F32:
    k = 192 / max(picture.shape[:2])
    size = (max(8, round(picture.shape[1] * k)), max(8, round(picture.shape[0] * k)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(small.mean(2), np.float32)


def without_colour(picture: U8, camera: Camera) -> bool:
    """Whether a picture is a photograph in black and white, or toned; plain paper of one colour is none."""
    if not camera.gray or camera.tones is None:
        return False
    tint = float(np.abs(camera.tones - camera.tones.mean(1, keepdims=True)).max())
    low, high = np.percentile(_thumbnail(picture), (5, 95))
    return bool(tint < _TONED and high - low > 60 and structure(picture) > _DETAILED)


def _tinted(lighting: Lighting, radiance: F32, share: float) -> Lighting:
    """Light with a share of the mean colour of what it falls in from."""
    mean = np.maximum(radiance.reshape(-1, 3)[::7].mean(0), 1e-3)
    hue = np.clip(mean / max(float(luminance(mean)), 1e-3), 0.2, 2.6)
    tint = 1 + np.float32(share) * (hue - 1)
    tint = (tint / float(luminance(tint))).astype(np.float32)
    keys = tuple(replace(key, colour=(key.colour * tint).astype(np.float32)) for key in lighting.keys)
    rims = tuple(replace(rim, colour=(rim.colour * tint).astype(np.float32)) for rim in lighting.rims)
    ambient = (lighting.ambient * tint).astype(np.float32)
    return replace(lighting, ambient=ambient, keys=keys, rims=rims, skin_shift=max(lighting.skin_shift, 9.0))


def _before_paper(lighting: Lighting, radiance: F32) -> Lighting:
    """Studio light before plain paper: its direction from the paper's gradient, a hint of its colour, a full face."""
    keys = tuple(replace(key, colour=_grey(key.colour)) for key in lighting.keys)
    white = replace(
        lighting,
        ambient=_grey(lighting.ambient),
        keys=keys,
        rims=(),
        level=max(lighting.level, _LEAST_LEVEL),
        skin_shift=_PAPER_SHIFT,
        contrast=min(lighting.contrast, 1.5),
    )
    return replace(_tinted(white, radiance, _PAPER_SHARE), skin_shift=_PAPER_SHIFT)


def _grey(colours: F32) -> F32:
    return np.ascontiguousarray(np.broadcast_to(luminance(colours)[..., None], colours.shape), np.float32)


def _calm(lighting: Lighting) -> Lighting:
    """Light of a photograph is a guess; one that is bounded keeps the face when the guess is wrong."""
    return replace(lighting, contrast=min(lighting.contrast, 1.6), level=max(lighting.level, 0.42))


def cropped(picture: U8, width: int, height: int) -> U8:
    """The middle of a picture at another ratio and size."""
    rows, columns = picture.shape[:2]
    k = max(width / columns, height / rows)
    w, h = min(columns, max(1, round(width / k))), min(rows, max(1, round(height / k)))
    x, y = (columns - w) // 2, (rows - h) // 2
    part = picture[y : y + h, x : x + w]
    if part.shape[:2] == (height, width):
        return np.ascontiguousarray(part)
    how = cv2.INTER_AREA if k < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (width, height), interpolation=how), np.uint8)


def resized(plate: Plate, width: int, height: int) -> Plate:
    """A plate at another size; its middle is cropped to the ratio."""
    rows, columns = plate.radiance.shape[:2]
    if (rows, columns) == (height, width):
        return plate
    k = max(width / columns, height / rows)
    w, h = min(columns, max(1, round(width / k))), min(rows, max(1, round(height / k)))
    x, y = (columns - w) // 2, (rows - h) // 2

    def moved(layer: F32) -> F32:
        part = layer[y : y + h, x : x + w]
        how = cv2.INTER_AREA if k < 1 else cv2.INTER_LINEAR
        return np.ascontiguousarray(cv2.resize(part, (width, height), interpolation=how), np.float32)

    front = None if plate.foreground is None else moved(plate.foreground)
    return replace(plate, radiance=moved(plate.radiance), foreground=front)
