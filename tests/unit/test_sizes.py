"""Sizes, ratios and presets, by table."""

from __future__ import annotations

import pytest

from portrayal import sizes
from portrayal.errors import InvalidRequestError


def test_the_family_has_69_resolutions_and_15_ratios() -> None:
    assert len(set(sizes.RESOLUTIONS)) == 69
    assert len(sizes.RATIOS) == 15


@pytest.mark.parametrize(("name", "size"), sizes.RATIOS.items())
def test_each_ratio_reads_in_every_spelling_and_is_a_resolution(name: str, size: sizes.Size) -> None:
    a, b = name.split("x")
    for text in (name, f"{a}:{b}", f"{a}/{b}", f" {a} : {b} "):
        assert sizes.parse_ratio(text) == size
    assert size in sizes.RESOLUTIONS
    assert size[0] / size[1] == pytest.approx(int(a) / int(b), rel=0.03)


@pytest.mark.parametrize("size", sorted(sizes.ALLOWED))
def test_each_size_reads_and_is_its_own_nearest(size: sizes.Size) -> None:
    assert sizes.parse_size(f"{size[0]}x{size[1]}") == size
    if size in sizes.RESOLUTIONS:
        assert sizes.nearest(*size) == size


@pytest.mark.parametrize(("name", "size"), sizes.PRESETS.items())
def test_each_preset_reads(name: str, size: sizes.Size) -> None:
    assert sizes.parse_size(name.upper()) == size


@pytest.mark.parametrize("text", ["1000x1000", "0x0", "big", "1024", "1024x", "-5x5", "9999999x1", ""])
def test_an_unknown_size_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        sizes.parse_size(text)
    assert caught.value.field == "size"
    assert caught.value.remedy


def test_the_nearest_size_keeps_the_shape() -> None:
    assert sizes.nearest(1920, 1080) == (1312, 736)
    assert sizes.nearest(2000, 2000) == (1024, 1024)
