"""What "before" and "after" a date leave out: the date that is named, at its own precision."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import InvalidValue
from timeline.model.edtf import parse


@pytest.mark.parametrize(
    ("text", "edtf"),
    [
        ("before 1960", "../1959"),
        ("after 1960", "1961/.."),
        ("before 1 AD", "../0000"),
        ("before 1 BC", "../-0001"),
        ("after 9999", "Y10000/.."),
        ("before 17000 AD", "../Y16999"),
        ("before January 2025", "../2024-12"),
        ("after December 2024", "2025-01/.."),
        ("before 1 March 2024", "../2024-02-29"),
        ("after 28 February 2025", "2025-03-01/.."),
        ("after 31 December 2024", "2025-01-01/.."),
        ("before 1 January 2025, 00:00", "../2024-12-31T23:59"),
        ("after 15 April 2025, 10:15:59 +02:00", "2025-04-15T10:16:00+02:00/.."),
        ("before 15 April 2025, in the 10:00 hour UTC", "../2025-04-15T09Z"),
        ("before the first quarter of 2025", "../2024-12-31"),
        ("after spring 2025", "2025-06-01/.."),
        ("after the second half of 2025", "2026-01-01/.."),
        ("before the 1960s", "../1959-12-31"),
        ("after the 1900s (century)", "2000-01-01/.."),
        ("before around 1960", "../1959~"),
        ("after possibly April 2025", "2025-05?/.."),
        ("before some day in April 2025", "../2025-03"),
        ("before 4/15/2025", "../2025-04-14"),
        ("before Monday, 14 April 2025", "../2025-04-13"),
        ("by 1960", "../1960"),
        ("until 1960", "../1960"),
        ("till 1960", "../1960"),
        ("up to 1960", "../1960"),
        ("since 1960", "1960/.."),
        ("from 1960", "1960/.."),
    ],
)
def test_before_and_after_leave_out_what_by_and_since_include(text: str, edtf: str) -> None:
    assert parse(text).edtf == edtf


@pytest.mark.parametrize(
    "text", ["before 1000000000000 BC", "after 999999999999 AD", "after the 9990s"]
)
def test_what_has_no_neighbour_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="has no neighbour: write an interval such as"):
        parse(text)


@given(st.dates(date(2, 1, 1), date(9998, 12, 31)))
def test_the_neighbours_of_a_day_are_those_of_the_calendar(day: date) -> None:
    one = timedelta(days=1)
    assert parse(f"before {day.isoformat()}").edtf == f"../{(day - one).isoformat()}"
    assert parse(f"after {day.isoformat()}").edtf == f"{(day + one).isoformat()}/.."
