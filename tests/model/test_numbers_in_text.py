"""The numbers that a text says, in digits and in words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from timeline.model.numbers_in_text import numbers_in


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("pledged more than EUR 20 billion", "20e9"),
        ("€19bn in aid", "19e9 19"),
        ("20 to 40 million euros", "20 20e6 40e6"),
        ("between $3 and $5bn", "3 3e9 5 5e9"),
        ("thirty-five people", "35"),
        ("a hundred thousand, or two hundred and twelve", "100000 212"),
        ("two dozen men; five and ten", "24 5 10"),
        ("1,200 of them, 1.200 elsewhere", "1200 1.2"),
        ("1,2 Mrd. Euro, 3,5 млрд", "1.2e9 3.5e9"),
        ("in 2025 300 men", "2025 300"),
        ("119 wounded by T-72s, on the 3rd", "119 72 3"),
        ("20m away", "20 20e6"),
        ("٣٥", "35"),
        ("millions of people, dozens of them, a B2", ""),
    ],
)
def test_each_number_is_found(text: str, numbers: str) -> None:
    assert numbers_in(text) == {Decimal(each) for each in numbers.split()}


def test_a_number_may_have_a_blank_that_keeps_its_digits_together() -> None:
    assert Decimal(20_000) in numbers_in("20\N{NO-BREAK SPACE}000 men")
