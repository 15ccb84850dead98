"""What an order hands to the engines, and what it says that they leave out."""

from __future__ import annotations

import pytest

from portrayal.service.orders import Order, Who

WHO = (Who(image="0" * 64),)


@pytest.mark.parametrize("style", ["auto", "general", "realistic", "design", "fiction"])
def test_the_style_type_of_a_new_picture_is_handed_on(style: str) -> None:
    order = Order.make(prompt="a", characters=WHO, style_type=style)
    assert order.request(lambda digest: b"-").style_type == style
    assert order.unheeded() == ()


@pytest.mark.parametrize("style", ["design", "fiction"])
def test_a_picture_that_is_worked_on_keeps_its_look(style: str) -> None:
    order = Order.make(operation="edit", prompt="a", image="1" * 64, style_type=style)
    assert order.request(lambda digest: b"-").style_type == "auto"
    assert order.unheeded() == ("style_type: styles are for new pictures; edit keeps the picture's look",)
