"""Measure what the settings look like, for `portrayal.description.places`.

Every setting is photographed many times, at other seeds, framings, times of day and weathers, with a silhouette where
the person would stand. The features of the backgrounds go through linear discriminant analysis (Fisher 1936; Rao 1948)
and its axes, with the classes' means, are what ships.

    python tools/describe_table.py render SAMPLES.npz [--each 36] [--first 0]
    python tools/describe_table.py learn SAMPLES.npz
    python tools/describe_table.py check UNSEEN.npz
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from portrayal import assets
from portrayal.description import places
from portrayal.description.features import features
from portrayal.engines.studio import scenes
from portrayal.engines.studio.compose import CAMERAS, FRAMINGS, shot_of
from portrayal.engines.studio.light.finish import finish
from portrayal.engines.studio.scenes.catalogue import settings
from portrayal.engines.studio.types import Notes
from portrayal.imaging import F32
from portrayal.prompting.plan import ScenePlan

_SIZES = ((384, 384), (384, 384), (336, 432), (432, 336), (496, 288))
_FRAMINGS = ("close-up", "head and shoulders", "head and shoulders", "bust", "bust", "medium")


def silhouette(size: tuple[int, int], share: float, centre: float, rng: np.random.Generator) -> F32:
    """Head, neck and shoulders (h, w) of somebody whose face takes a share of the frame's height."""
    width, height = size
    unit = share * min(height, 1.25 * width) * float(np.exp(rng.uniform(-0.1, 0.3)))
    x, y = width * (0.5 + float(rng.uniform(-0.12, 0.12))), height * (centre + float(rng.uniform(-0.04, 0.06)))
    out = np.zeros((height, width), np.uint8)
    hair = float(rng.uniform(1.0, 1.5))
    cv2.ellipse(
        out, (round(x), round(y - 0.1 * unit)), (round(0.5 * unit * hair), round(0.72 * unit)), 0, 0, 360, 255, -1
    )
    cv2.ellipse(out, (round(x), round(y + 2.4 * unit)), (round(1.25 * unit), round(1.6 * unit)), 0, 0, 360, 255, -1)
    cv2.rectangle(out, (round(x - 1.25 * unit), round(y + 2.2 * unit)), (round(x + 1.25 * unit), height), 255, -1)
    return out.astype(np.float32) / np.float32(255)


def sample(name: str, seed: int) -> tuple[F32, str, str]:
    """(features, time, weather) of one photograph of a setting."""
    rng = np.random.default_rng([seed, sum(map(ord, name)), 7])
    setting = settings()[name]
    time = str(rng.choice(setting.times)) if setting.times and rng.random() < 0.5 else None
    weather = str(rng.choice(setting.weathers)) if setting.weathers and rng.random() < 0.35 else None
    framing = str(rng.choice(_FRAMINGS))
    share, centre, fov = FRAMINGS[framing]
    size = _SIZES[int(rng.integers(len(_SIZES)))]
    plan = ScenePlan(prompt="", setting=name, time=time, weather=weather)
    shot = shot_of(plan, size, "balanced", fov, CAMERAS["eye level"][1], rng)
    plate = scenes.photograph(name, shot, Notes())
    picture = finish(plate.radiance, plate.grade, exposure=plate.exposure, seed=seed)
    found = features(picture, silhouette(size, share, centre, rng))
    return found, time or setting.time, weather or "clear"


def _all_of(job: tuple[str, int, int]) -> list[tuple[F32, str, str]]:
    cv2.setNumThreads(1)
    return [sample(job[0], seed) for seed in range(job[1], job[1] + job[2])]


def render(path: Path, each: int, first: int) -> None:
    """Photograph every setting and keep the features."""
    names = [name for name in settings() if name != "studio"]
    rows, labels, times, weathers = [], [], [], []
    with ProcessPoolExecutor(2) as pool:
        for name, found in zip(names, pool.map(_all_of, [(n, first, each) for n in names]), strict=True):
            rows += [f[0] for f in found]
            labels += [name] * each
            times += [f[1] for f in found]
            weathers += [f[2] for f in found]
            print(name, flush=True)
    np.savez(path, rows=np.stack(rows), labels=labels, times=times, weathers=weathers)


def _outdoors(labels: np.ndarray) -> np.ndarray:
    return np.array([settings()[name].place == "outdoor" for name in labels.tolist()])


def learn(path: Path) -> None:
    """Write the tables that ship."""
    data = np.load(path)
    rows, labels = data["rows"], data["labels"]
    out = _outdoors(labels)
    found = {
        "place": places.learnt(rows, labels, 45),
        "grey": places.learnt(places.grey(rows), labels, 40),
        "time": places.learnt(rows[out], data["times"][out], 7),
        "weather": places.learnt(rows[out], data["weathers"][out], 6),
    }
    arrays = {f"{kind}_{name}": value for kind, table in found.items() for name, value in table.items()}
    np.savez_compressed(assets.DATA / places.FILE, **arrays)


def check(path: Path) -> None:
    """How often the tables are right on samples that they have not seen."""
    data = np.load(path)
    out = _outdoors(data["labels"])
    for kind, labels in (
        ("place", data["labels"]), ("grey", data["labels"]), ("time", data["times"]), ("weather", data["weathers"])
    ):  # fmt: skip
        use = np.ones(len(labels), bool) if kind in ("place", "grey") else out
        table = places.tables()[kind]
        likely = [table.likely(row)[0] for row in data["rows"][use]]
        wanted = labels[use].tolist()
        first = [found[0][0] == w for found, w in zip(likely, wanted, strict=True)]
        third = [w in [name for name, _ in found[:3]] for found, w in zip(likely, wanted, strict=True)]
        sure = [ok for ok, found in zip(first, likely, strict=True) if found[0][1] > 0.7]
        print(f"{kind}: first {np.mean(first):.3f}, of the first three {np.mean(third):.3f}, ", end="")
        print(f"where sure {np.mean(sure):.3f} ({len(sure) / len(first):.0%}), n = {len(first)}")


def main() -> None:
    """See the text above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("render", "learn", "check"))
    parser.add_argument("samples", type=Path)
    parser.add_argument("--each", type=int, default=36)
    parser.add_argument("--first", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.what == "render":
        render(chosen.samples, chosen.each, chosen.first)
        return
    if chosen.what == "learn":
        learn(chosen.samples)
    else:
        check(chosen.samples)


if __name__ == "__main__":
    main()
