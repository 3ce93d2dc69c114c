"""Dates of which a sheet, and not the cell alone, tells the order or the year."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import InvalidValue
from timeline.model import typed_dates
from timeline.model.date_habits import DateHabits, orders


def read(text: str, day_first: bool | None = None, year: int | None = None) -> str:
    return typed_dates.read(text, habits=DateHabits(day_first, year)).edtf


@given(st.dates(date(2000, 1, 1), date(2029, 12, 31)), st.booleans(), st.sampled_from("./-"))
def test_a_day_in_digits_is_read_in_the_order_of_its_sheet(
    day: date, day_first: bool, mark: str
) -> None:
    first, second = (day.day, day.month) if day_first else (day.month, day.day)
    for year in (f"{day:%Y}", f"{day:%y}"):
        assert read(f"{first}{mark}{second}{mark}{year}", day_first) == day.isoformat()


@given(st.dates(date(1800, 1, 1), date(2100, 12, 31)))
def test_a_day_without_a_year_gets_that_of_its_sheet(day: date) -> None:
    for written in (f"{day.day} {day:%B}", f"{day:%B} {day.day}", f"{day.day}-{day:%b}"):
        assert read(written, year=day.year) == day.isoformat()


@pytest.mark.parametrize(
    ("text", "edtf"),
    [
        ("16/4/25", "2025-04-16"),
        ("4/16/25", "2025-04-16"),
        ("5/6/25 19:00 GMT", "2025-06-05T19:00Z"),
        ("5/6/2025-7/6/2025", "2025-06-05/2025-06-07"),
        ("7 May, 3:55am", "2024-05-07T03:55"),
        ("May 6-7", "2024-05-06/2024-05-07"),
        ("7 May 1999", "1999-05-07"),
        ("May", "2024-05"),
        ("May?", "2024-05?"),
        ("6.5.", "2024-05-06"),
        ("6/5 19:00", "2024-05-06T19:00"),
        ("5/16", "2024-05-16"),
    ],
)
def test_habits_decide_only_what_is_in_doubt(text: str, edtf: str) -> None:
    assert read(text, day_first=True, year=2024) == edtf


@pytest.mark.parametrize("text", ["5/6/68", "31 Feb", "soon", "Apr-25"])
def test_what_habits_do_not_settle_is_refused_as_it_was_typed(text: str) -> None:
    with pytest.raises(InvalidValue, match=text):
        read(text, day_first=True, year=2024)


def test_a_day_of_a_year_that_has_it_not_is_refused() -> None:
    assert read("29 Feb", year=2024) == "2024-02-29"
    with pytest.raises(InvalidValue):
        read("29 Feb", year=2025)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("4/12/25", {True, False}), ("4/14/25", {False}), ("14.4.2025", {True}),
        ("4/4/25", set()), ("2025-04-12", set()), ("14 April", set()), ("99/99/25", set()),
    ],
)  # fmt: skip
def test_a_date_tells_which_orders_it_can_have(text: str, found: set[bool]) -> None:
    assert orders(text) == found


@pytest.mark.parametrize(
    "text", ["15 April 2025 (evening)", "15 April 2025, morning", "2025-04-15 in the afternoon"]
)
def test_a_part_of_a_day_is_the_day_in_its_words(text: str) -> None:
    found = typed_dates.read(text)
    assert found == ("2025-04-15", text)


def test_a_point_says_that_the_day_comes_first_and_a_slash_does_not() -> None:
    assert read("6.5.", year=2024) == "2024-05-06"
    with pytest.raises(InvalidValue, match="6/5"):
        read("6/5", year=2024)
