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
    """What Tesseract reads in a picture about where the words are: black on white, as its manual asks for."""
    x0, y0, x1, y1 = box
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[max(0, int(y0) - 8) : int(y1) + 8, max(0, int(x0) - 8) : int(x1) + 8]
    if x1 - x0 > 500:  # it reads letters best that are some 40 pixels high
        grey = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    print_ = cv2.threshold(cv2.GaussianBlur(grey, (0, 0), 1.0), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]
    rim = np.concatenate([print_[0], print_[-1], print_[:, 0], print_[:, -1]])
    if rim.mean() < 128:
        print_ = 255 - print_
    print_ = cv2.copyMakeBorder(print_, 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=255)
    path = folder / "words.png"
    Image.fromarray(print_).save(path)
    ended = subprocess.run(
        ["tesseract", str(path), "-", "--psm", "6", "-l", f"{language}+eng"],
        capture_output=True, text=True, check=True, env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    )  # fmt: skip
    return " ".join(ended.stdout.split())


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
