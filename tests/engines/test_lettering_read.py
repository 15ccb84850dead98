"""Words in pictures are read back by a program that reads print: Tesseract, from Debian's packages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from portrayal.engines.base import Box
from portrayal.imaging import U8
from tests.engines.words import Scene, scene

PARK, STUDIO, CAFE = "portrait of a woman in a park", "studio portrait, grey background", "a woman in a coffee shop"
TEXTS = [
    (PARK, 'a shop sign "BAKERY"'),
    (PARK, 'a wooden sign "Old Mill Inn"'),
    (PARK, 'a cardboard sign "SAVE THE BEES"'),
    (PARK, 'a street sign "Main Street 25"'),
    (PARK, 'poster "The city that never sleeps"'),
    (PARK, 'title "NIGHT RUN"'),
    (PARK, 'caption "Summer 2026"'),
    (PARK, 'she says "Señor, ¿qué hora es?"'),
    (STUDIO, 'a pink neon sign "Cocktails"'),
    (STUDIO, 'graffiti on the wall "HELLO WORLD"'),
    (STUDIO, 'title "Über den Wolken"'),
    (STUDIO, 'she thinks "Where did I leave my keys?"'),
    (STUDIO, 'label "Anna Müller, 34, Zürich"'),
    (STUDIO, 'she shouts "WATCH OUT!"'),
    (CAFE, 'a chalkboard "Soup of the day: 7.50"'),
    (CAFE, 'a neon sign "OPEN 24 HOURS"'),
    (CAFE, 'a banner "WELCOME HOME"'),
    (CAFE, 'she says "I told you so, and you never listened to me!"'),
    (CAFE, 'a sign "Crêpes & Café"'),
    (CAFE, 'caption "Łódź, 3 September 1987"'),
]
LEAST = 18


def tesseract() -> str:
    """The program with its data for Latin script; skipped where it is missing, except in CI."""
    program = shutil.which("tesseract")
    languages = ""
    if program:
        languages = subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(?m)^(script/)?Latin$", languages)
    if not program or not found:
        if os.environ.get("CI") == "true":
            pytest.fail("tesseract with its data for Latin script is missing")
        pytest.skip("no tesseract with its data for Latin script")
    return found[0]


def read_back(image: U8, box: Box, language: str, folder: Path) -> str:
    """What Tesseract reads in a picture about where the words are: black on white, as its manual asks for.

    It reads letters best that are some 40 pixels high, so large ones are also looked at from farther away, and what it
    is surest of counts. It is not told what the words are.
    """
    x0, y0, x1, y1 = box
    part = np.s_[max(0, int(y0) - 8) : int(y1) + 8, max(0, int(x0) - 8) : int(x1) + 8]
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[part], np.uint8)
    scales = (1.0,) if y1 - y0 < 60 else (1.0, 0.5) if x1 - x0 <= 500 else (0.5, 0.3)
    return max((_read(grey, scale, language, folder) for scale in scales), key=lambda found: found[0])[1]


def _read(grey: U8, scale: float, language: str, folder: Path) -> tuple[float, str]:
    """How sure Tesseract is (0..100, the mean of its words), and what it reads."""
    if scale < 1:
        grey = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    print_ = cv2.threshold(cv2.GaussianBlur(grey, (0, 0), 1.0), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]
    rim = np.concatenate([print_[0], print_[-1], print_[:, 0], print_[:, -1]])
    if rim.mean() < 128:
        print_ = np.asarray(255 - print_, np.uint8)
    print_ = np.asarray(cv2.copyMakeBorder(print_, 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=255), np.uint8)
    path = folder / "words.png"
    Image.fromarray(print_).save(path)
    ended = subprocess.run(
        ["tesseract", str(path), "-", "--psm", "6", "-l", f"{language}+eng", "tsv"],
        capture_output=True, text=True, check=True, env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    )  # fmt: skip
    rows = [line.split("\t") for line in ended.stdout.splitlines()[1:]]
    words = [(float(row[10]), row[11]) for row in rows if len(row) == 12 and row[11].strip()]
    sure = float(np.mean([confidence for confidence, _ in words])) if words else 0.0
    return sure, " ".join(word for _, word in words)


def test_a_program_reads_what_was_asked_for(sample: bytes, tmp_path: Path) -> None:
    language = tesseract()
    scenes: dict[str, Scene] = {}
    wrong = []
    for place, prompt in TEXTS:
        scenes.setdefault(place, scene(sample, place, (1024, 1024)) if place not in scenes else scenes[place])
        image, placed, notes, plan = scenes[place].with_words(prompt)
        assert len(placed) == 1, (prompt, notes.warnings)
        text, box = placed[0]
        assert (text,) == plan.lettering
        seen = read_back(image, box, language, tmp_path)
        if seen != " ".join(text.split()):
            wrong.append((text, seen))
    assert len(wrong) <= len(TEXTS) - LEAST, wrong
