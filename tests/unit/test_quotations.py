"""Quotation marks of many languages: what is between them is lettering, word for word."""

from __future__ import annotations

import pytest

from portrayal.prompting import read
from portrayal.quotations import quotations

MARKED = [
    ('a sign "HALLO wereld"', "HALLO wereld"),
    ("szyld „Świeże pączki”", "Świeże pączki"),
    ("ein Schild „Frühstück“", "Frühstück"),
    ('szyld „Świeże pączki"', "Świeże pączki"),
    ("вывеска «Чай и кофе»", "Чай и кофе"),
    ("une enseigne « Café »", "Café"),
    ("ein Schild »Brot«", "Brot"),
    ("ein Schild ‚Guten Tag‘", "Guten Tag"),
    ("bord met ”hallo daar”", "hallo daar"),
    ("“Taze simit” tabelası", "Taze simit"),
    ("a sign ‘fresh bread’ at the door", "fresh bread"),
    ("met de tekst 'welkom thuis'", "welkom thuis"),
    ("z napisem 'dzień dobry'", "dzień dobry"),
    ("с надписью 'добрый день'", "добрый день"),
    ("üzerinde 'merhaba' yazan tabela", "merhaba"),
    ("con la scritta 'pane'", "pane"),
    ("牌子上写着“你好”", "你好"),
    ("「ラーメン」の看板", "ラーメン"),
    ("『猫』の看板", "猫"),
    ("〝祭〟の看板", "祭"),
    ("‘안녕’이라고 쓰인 간판", "안녕"),
    ("'안녕'이라고 쓰인 간판", "안녕"),
    ("لافتة «أهلا»", "أهلا"),
    ("'नमस्ते' लिखा बोर्ड", "नमस्ते"),
]


@pytest.mark.parametrize(("text", "inner"), MARKED)
def test_quoted_words_are_found_word_for_word(text: str, inner: str) -> None:
    assert [q.text.strip() for q in quotations(text)] == [inner]
    assert read(text).lettering == (inner,)


@pytest.mark.parametrize(
    "text",
    [
        "a woman's hat and a man's coat",
        "'s ochtends in het park, 's avonds aan zee",
        "Ankara'da bir kafede, İzmir'in sahilinde",
        "l'été à l'hôtel, l'homme d'affaires",
        "a rock ‘n’ roll singer",
        'a 6" heel and a 12" record',
        "zdjęcia z lat 60', styl z lat 70'",
    ],
)
def test_apostrophes_and_inches_are_no_quotation_marks(text: str) -> None:
    assert list(quotations(text)) == []


@pytest.mark.parametrize("mark", ['"', "„", "«", "»", "‘", "‚", "'", "“", "「", "〝"])
def test_marks_that_are_never_closed_cost_little_and_quote_nothing(mark: str) -> None:
    assert list(quotations(f"{mark}word " + "x " * 2000)) == []
