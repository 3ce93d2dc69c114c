"""Dates in cells: what spreadsheets make of them, and what is refused with every reading."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import InvalidValue
from timeline.formats.sheet.dates import read_date
from timeline.model.edtf import parse


@pytest.mark.parametrize(
    ("cell", "edtf"),
    [
        ("2025-04-15", "2025-04-15"),
        ("15 April 2025", "2025-04-15"),
        ("first quarter of 2025", "2025-33"),
        ("2025-04-15T10:15", "2025-04-15T10:15"),
        ("15/04/2025", "2025-04-15"),
        ("4/15/2025", "2025-04-15"),
        ("15.04.2025", "2025-04-15"),
        ("15-04-2025", "2025-04-15"),
        ("2025/4/5", "2025-04-05"),
        ("2025-4-5", "2025-04-05"),
        ("04/04/2025", "2025-04-04"),
        ("2025-04-15 00:00:00", "2025-04-15"),
        ("2025-04-15 00:00:00.000", "2025-04-15"),
        ("4/15/2025 0:00", "2025-04-15"),
        ("15 April 2025, 00:00", "2025-04-15T00:00"),
        ("15 April 2025, in the 00:00 hour", "2025-04-15T00"),
        ("2025-04-15 10:15:00", "2025-04-15T10:15:00"),
        ("2025-04-15T00:00:00", "2025-04-15T00:00:00"),
        ("15-Apr-2025", "2025-04-15"),
        ("15-Apr-25", "2025-04-15"),
        ("4/14/25", "2025-04-14"),
        ("Apr-2025", "2025-04"),
        (" Apr 2025 ", "2025-04"),
    ],
)
def test_a_cell_with_one_reading_is_that_date(cell: str, edtf: str) -> None:
    assert read_date(cell).edtf == edtf


@pytest.mark.parametrize(
    ("cell", "readings"),
    [
        ("04/05/2025", ["4 May 2025 (2025-05-04)", "5 April 2025 (2025-04-05)"]),
        ("04.05.2025", ["4 May 2025 (2025-05-04)", "5 April 2025 (2025-04-05)"]),
        ("04/05/2025 0:00", ["4 May 2025 (2025-05-04)", "5 April 2025 (2025-04-05)"]),
        ("15/04/25", ["15 April 2025 (2025-04-15)", "25 April 2015 (2015-04-25)"]),
        ("Apr-25", ["April 2025 (2025-04)", "25 Apr without a year"]),
        ("25-Apr", ["April 2025 (2025-04)", "25 Apr without a year"]),
        ("45762", ["15 April 2025 (2025-04-15)", "16 April 2029 (2029-04-16)"]),
        ("45762.5", ["15 April 2025 (2025-04-15)", "16 April 2029 (2029-04-16)"]),
    ],
)
def test_a_cell_with_several_readings_is_refused_with_all_of_them(
    cell: str, readings: list[str]
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        read_date(cell)
    assert [reading for reading in readings if reading not in str(refusal.value)] == []


@pytest.mark.parametrize(
    "cell", ["31/31/2025", "soon", "15/04", "1/2/3", "31-Apr-25", "Aprilish-25", ""]
)
def test_what_is_no_date_is_refused(cell: str) -> None:
    with pytest.raises(InvalidValue):
        read_date(cell)


@given(st.dates(date(1000, 1, 1)))
def test_a_day_is_never_taken_for_another_one(day: date) -> None:
    for form in ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d-%b-%Y", "%Y-%m-%d 00:00:00"):
        text = day.strftime(form).replace("/0", "/")
        try:
            assert read_date(text).edtf == day.isoformat()
        except InvalidValue as refusal:
            assert day.isoformat() in str(refusal)  # noqa: PT017 - either is right


@given(st.dates(date(1, 1, 1)))
def test_a_date_that_an_export_prints_is_read_as_it_is(day: date) -> None:
    for edtf in (day.isoformat(), f"{day.isoformat()}T00:00:00", f"../{day.isoformat()}"):
        assert read_date(edtf).edtf == parse(edtf).edtf
