"""What an order hands to the engines, and what it says that they leave out."""

from __future__ import annotations

from typing import Any

import pytest

from portrayal.errors import InvalidRequestError
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


@pytest.mark.parametrize("operation", ["generate", "edit"])
@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("palette", {"palette": ("#ff0000",) * 9}),
        ("style_codes", {"style_codes": ("1A2B3C4D",) * 11}),
        ("style_references", {"style_references": ("0" * 64,) * 11}),
        ("style_preset", {"style_preset": "A" * 50}),
        ("prompt", {"prompt": " ".join(f'"word {i}"' for i in range(30))}),
    ],
)
def test_too_much_is_refused_with_its_field(operation: str, field: str, values: dict[str, Any]) -> None:
    order = {"operation": operation, "prompt": "a", "characters": WHO, **values}
    if operation == "edit":
        order["image"] = "1" * 64
    with pytest.raises(InvalidRequestError) as caught:
        Order.make(**order)
    assert caught.value.field == field
    assert caught.value.remedy
