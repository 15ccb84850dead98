"""The six rounds by which people judge such a program: base, pose, expression, outfit, environment, cinematic.

Each picture is saved, read back from its file and measured as a stranger would measure it: the descriptor, the head
pose and the expression of the face that is found in the file, the colours of what lies around the person.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from portrayal import colours
from portrayal.bench import body_checks
from portrayal.bench.sheets import Tile, contact_sheet
from portrayal.character import study
from portrayal.character.identity_map import IdentityMap
from portrayal.engines.base import Progress
from portrayal.errors import InvalidRequestError
from portrayal.imaging import F32, U8, decode, encode_png, write_file
from portrayal.output import prepare
from portrayal.perception import identity
from portrayal.perception.types import CLOTHING
from portrayal.pipeline import portray
from portrayal.request import Request
from portrayal.settings import Settings

CALM, STRONG = 0.40, 0.52


@dataclass(frozen=True)
class Round:
    """One picture that is asked for, and what must be true of it."""

    name: str
    title: str
    prompt: str
    bar: float = CALM
    yaw: float | None = None
    expression: str | None = None
    clothes: bool = False
    body: str | None = None


ROUNDS: tuple[Round, ...] = (
    Round("base", "studio portrait", "professional studio portrait, looking straight into the camera, softbox"),
    Round("base", "headshot", "LinkedIn headshot, soft office background"),
    Round("base", "Rembrandt", "portrait, Rembrandt lighting, burgundy backdrop"),
    Round("base", "black and white", "black and white portrait by a window"),
    Round("head pose", "turned 25 left", "portrait in a library, head turned 25 degrees left", STRONG, yaw=-25),
    Round("head pose", "turned 15 left", "portrait in a park, head turned 15 degrees left", yaw=-15),
    Round("head pose", "turned 15 right", "portrait on a bridge, head turned 15 degrees right", yaw=15),
    Round("head pose", "turned 25 right", "portrait in a hall, head turned 25 degrees right", STRONG, yaw=25),
    Round("body pose", "arms crossed", "arms crossed, in a navy suit, in an office", STRONG, body="arms crossed"),
    Round("body pose", "hands on hips", "superhero with hands on hips, on a rooftop", STRONG, body="hands on hips"),
    Round("body pose", "waving", "waving, in a red sweater, on a beach", STRONG, body="waving"),
    Round("body pose", "sitting", "sitting on a chair, in a library", STRONG, body="sitting on a chair"),
    Round("expression", "smile", "smiling, ivory backdrop", expression="smile"),
    Round("expression", "laugh", "laughing, in a garden", STRONG, expression="laugh"),
    Round("expression", "eyes closed", "eyes closed, on a beach at sunset", STRONG, expression="eyes closed"),
    Round("expression", "surprised", "surprised, yellow backdrop", STRONG, expression="surprised"),
    Round("outfit", "", "", clothes=True),
    Round("outfit", "", "", clothes=True),
    Round("outfit", "", "", clothes=True),
    Round("outfit", "", "", clothes=True),
    Round("environment", "coffee shop", "a portrait in a coffee shop"),
    Round("environment", "snow forest", "portrait in a snowy forest, snow falling"),
    Round("environment", "mountain lake", "portrait at a mountain lake at golden hour"),
    Round("environment", "venice", "portrait in Venice"),
    Round("cinematic", "neon street", "cinematic portrait on a neon street at night"),
    Round("cinematic", "rainy street", "cinematic, rainy street at blue hour, city lights"),
    Round("cinematic", "rooftop", "cinematic, city rooftop at golden hour, backlit"),
    Round("cinematic", "candle light", "cinematic, candlelit castle corridor"),
)


# Outfits (title, prompt, main colour); those too near to what the person wears anyway are passed over.
OUTFITS: tuple[tuple[str, str, str], ...] = (
    ("navy suit", "portrait in an office, wearing a navy pinstripe suit with a red tie", "navy"),
    ("black leather", "portrait on a city street, in a black leather jacket over a white T-shirt", "black"),
    ("cream turtleneck", "portrait in a coffee shop, wearing a cream turtleneck", "cream"),
    ("green hoodie", "portrait in a park, wearing a forest green hoodie", "forest green"),
    ("burgundy sweater", "portrait in a library, wearing a burgundy sweater", "burgundy"),
    ("royal blue kimono", "portrait in a garden, wearing a royal blue kimono", "royal blue"),
)
_NEAR = 30.0  # Lab distance
_CHANGED = 20.0


@dataclass(frozen=True)
class Check:
    """One thing that was measured: whether it holds, and the figures."""

    name: str
    ok: bool
    shown: str


def run(reference: bytes, output: Path, speed: str, progress: Progress) -> dict[str, Any]:
    """Make and measure all pictures; write them, a contact sheet and a report into `output`.

    Returns:
        The report, the same as in ``six-rounds.json``.
    """
    if output.suffix:
        raise InvalidRequestError("the output must be a folder", field="output", remedy="Leave out the suffix.")
    prepare(output, 2)
    settings = Settings()
    progress("studying the reference", 0.0)
    character = study(reference, use_cache=settings.cache, cache_dir=settings.cache_dir)
    if character.kind != "person":
        raise InvalidRequestError(
            "the six rounds need a person with a face", field="reference", remedy="Use `portrayal generate`."
        )
    rows, tiles = [], []
    for i, wanted in enumerate(rounds_for(character)):
        progress(f"{wanted.name}: {wanted.title}", i / len(ROUNDS))
        request = Request.make(prompt=wanted.prompt, reference=reference, speed=speed, seed=1000 + i, size=(1024, 1024))
        picture = portray(request, settings=settings).pictures[0]
        path = output / f"{i + 1:02d}-{wanted.name}-{wanted.title}.png".replace(" ", "-")
        picture = picture.save(path)
        image = decode(path.read_bytes())
        distance, checks = measure(image, wanted, character)
        rows.append(_row(wanted, picture.summary(), distance, checks))
        tiles.append((wanted.name, _tile(image, wanted, distance, checks)))
    sheet = output / "contact-sheet.png"
    write_file(sheet, encode_png(_sheet(tiles, character)))
    flat = [c for row in rows for c in row["checks"]]
    report = {
        "contact_sheet": str(sheet),
        "speed": speed,
        "checks": len(flat),
        "passed": sum(c["ok"] for c in flat),
        "pictures": rows,
    }
    write_file(output / "six-rounds.json", json.dumps(report, indent=1, ensure_ascii=False).encode())
    progress("done", 1.0)
    return report


def rounds_for(character: IdentityMap) -> list[Round]:
    """All rounds, the outfits in colours that the person does not wear already."""
    own = _cloth(character)
    far = [
        outfit
        for outfit in OUTFITS
        if own is None or np.linalg.norm(own - _lab_of_hex(colours.hex_of(outfit[2]))) > _NEAR
    ]
    outfits = iter(far or OUTFITS)
    out = []
    for wanted in ROUNDS:
        if wanted.clothes and (outfit := next(outfits, None)):
            out.append(replace(wanted, title=outfit[0], prompt=outfit[1]))
        elif not wanted.clothes:
            out.append(wanted)
    return out


def measure(image: U8, wanted: Round, character: IdentityMap) -> tuple[float, list[Check]]:
    """Distance to the reference and all checks of one picture, from its pixels alone."""
    seen = study(image, use_cache=False)
    if seen.reading is None or seen.embedding is None or character.embedding is None:
        return 2.0, [Check("identity", False, "no face found")]
    distance = identity.distance(character.embedding, seen.embedding)
    checks = [
        Check("identity", distance <= wanted.bar, f"{distance:.2f} <= {wanted.bar:.2f}"),
        _background(seen, character),
    ]
    if wanted.yaw is not None:
        got = seen.reading.pose.yaw
        checks.append(Check("yaw", abs(got - wanted.yaw) <= 6, f"{wanted.yaw:+.0f} asked, {got:+.1f} measured"))
    if wanted.expression:
        checks.append(_expression(wanted.expression, seen, character))
    if wanted.clothes:
        change = _region_change(seen, character)
        checks.append(Check("clothes", change > _CHANGED, f"Lab change {change:.0f} > {_CHANGED:.0f}"))
    if wanted.body:
        holds, shown = body_checks.check(wanted.body, image, seen.reading)
        checks.append(Check("body", holds, shown))
    return float(distance), checks


def _expression(name: str, seen: IdentityMap, character: IdentityMap) -> Check:
    assert seen.reading is not None
    now = seen.reading.expression
    eye = (now.eye_left + now.eye_right) / 2
    tests: dict[str, Callable[[], tuple[bool, str]]] = {
        "smile": lambda: (now.smile > 0.45, f"smile {now.smile:.2f} > 0.45"),
        "laugh": lambda: (
            now.mouth_open > 0.22 and now.smile > 0.4,
            f"mouth {now.mouth_open:.2f} > 0.22, smile {now.smile:.2f} > 0.4",
        ),
        "eyes closed": lambda: (eye < 0.14, f"eyes {eye:.2f} < 0.14"),
        "surprised": lambda: (
            now.mouth_open > 0.25 and _brow(seen) > _brow(character) + 0.005,
            f"mouth {now.mouth_open:.2f} > 0.25, brows {_brow(seen) - _brow(character):+.3f}",
        ),
    }
    ok, shown = tests[name]()
    return Check("expression", bool(ok), shown)


def _brow(character: IdentityMap) -> float:
    assert character.reading is not None
    e = character.reading.expression
    return (e.brow_left + e.brow_right) / 2


def _lab(image: U8) -> F32:
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)


def _background(seen: IdentityMap, character: IdentityMap) -> Check:
    """Mean Lab difference to the old picture, aligned at the face, where neither shows the person."""
    assert seen.reading is not None
    assert character.reading is not None
    a, b = character.reading, seen.reading
    scale = b.pose.scale / a.pose.scale
    shift = b.pose.origin[:2] - a.pose.origin[:2] * scale
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
    size = (seen.image.shape[1], seen.image.shape[0])
    old = np.asarray(cv2.warpAffine(character.image, matrix, size, flags=cv2.INTER_LINEAR), np.uint8)
    covered = cv2.warpAffine(character.alpha, matrix, size, flags=cv2.INTER_LINEAR, borderValue=1.0)
    outside = (covered < 0.05) & (seen.alpha < 0.05)
    if outside.sum() < 0.005 * outside.size:
        return Check("background", True, "not visible beside the person")
    change = float(np.linalg.norm(_lab(old) - _lab(seen.image), axis=2)[outside].mean())
    return Check("background", change > 15, f"Lab change {change:.0f} > 15")


def _region_change(seen: IdentityMap, character: IdentityMap) -> float:
    """Distance of the clothes' colours in Lab; 0 where one of the pictures shows none."""
    before, after = _cloth(character), _cloth(seen)
    return float(np.linalg.norm(after - before)) if before is not None and after is not None else 0.0


def _cloth(character: IdentityMap) -> F32 | None:
    """Median colour of the clothes in Lab; None where none is seen.

    The labels of a study go by colour and take a beige sweater for skin, so what lies well below the chin counts.
    """
    solid = character.alpha > 0.9
    chosen = (character.regions == CLOTHING) & solid
    if character.reading is not None:
        points = character.reading.points[:468, 1]
        low = solid.copy()
        low[: int(np.clip(points.max() + 0.55 * np.ptp(points), 0, len(low)))] = False
        chosen = low if low.mean() > 0.02 else chosen
    lab = _lab(character.image)[chosen]
    return np.asarray(np.median(lab, 0), np.float32) if len(lab) else None


def _lab_of_hex(colour: str) -> F32:
    rgb = np.array([[[int(colour[i : i + 2], 16) for i in (1, 3, 5)]]], np.uint8)
    return np.asarray(_lab(rgb)[0, 0], np.float32)


def _row(wanted: Round, summary: dict[str, Any], distance: float, checks: list[Check]) -> dict[str, Any]:
    return {
        "round": wanted.name,
        "name": wanted.title,
        "prompt": wanted.prompt,
        "distance": round(distance, 4),
        "score": round(identity.score(distance), 4),
        "checks": [{"name": c.name, "ok": bool(c.ok), "shown": c.shown} for c in checks],
        "picture": summary,
    }


def _tile(image: U8, wanted: Round, distance: float, checks: list[Check]) -> Tile:
    bad = [c for c in checks if not c.ok]
    extra = next((c.shown for c in checks if c.name in ("yaw", "expression", "clothes", "body")), "")
    detail = f"same person {identity.score(distance):.2f}"
    detail = f"NOT OK: {bad[0].name} {bad[0].shown}" if bad else ", ".join(filter(None, (detail, extra)))
    return Tile(image, wanted.title, detail, good=not bad)


def _sheet(tiles: list[tuple[str, Tile]], character: IdentityMap) -> U8:
    rows: dict[str, list[Tile]] = {}
    for name, tile in tiles:
        rows.setdefault(name, []).append(tile)
    return contact_sheet(list(rows.items()), "One reference, six rounds", reference=character.image)
