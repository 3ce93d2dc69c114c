"""Dates as people write them: each is read in its one way, or refused with all of its readings."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import InvalidValue
from timeline.model.edtf import parse


@pytest.mark.parametrize(
    ("text", "edtf"),
    [
        # weekdays
        ("Monday, 14 April 2025", "2025-04-14"),
        ("Wed 16 April 2025", "2025-04-16"),
        ("Tues. April 15, 2025", "2025-04-15"),
        ("Mon 14 - Wed 16 April 2025", "2025-04-14/2025-04-16"),
        ("Friday 4/18/2025", "2025-04-18"),
        # days and months
        ("April 21st, 2025", "2025-04-21"),
        ("19-Apr-25", "2025-04-19"),
        ("19-Apr-2025", "2025-04-19"),
        ("Apr-2025", "2025-04"),
        ("4/14/25", "2025-04-14"),
        ("4/14/2025", "2025-04-14"),
        ("04/04/2025", "2025-04-04"),
        ("13.04.2025", "2025-04-13"),
        ("15. April 2025", "2025-04-15"),
        ("2025/04/20", "2025-04-20"),
        ("2025-4-5", "2025-04-05"),
        ("22 APR 2025", "2025-04-22"),
        ("Apr 2025?", "2025-04?"),
        ("2025-04-15 ?", "2025-04-15?"),
        ("2025 April 15", "2025-04-15"),
        ("2025 Apr", "2025-04"),
        ("approx. 10 April 2025", "2025-04-10~"),
        # the first millennium
        ("c. 890", "0890~"),
        ("1 June 987", "0987-06-01"),
        ("June 987", "0987-06"),
        ("987", "0987"),
        ("890-920", "0890/0920"),
        # times
        ("15 April 2025, 3:30 pm", "2025-04-15T15:30"),
        ("15 April 2025 3:30 p.m.", "2025-04-15T15:30"),
        ("4/15/2025 10:15:07 PM", "2025-04-15T22:15:07"),
        ("3:30 pm 15 April 2025", "2025-04-15T15:30"),
        ("10:15 +02:00 April 15, 2025", "2025-04-15T10:15+02:00"),
        ("12:30 am on 15 April 2025", "2025-04-15T00:30"),
        ("12:30 PM on 15 April 2025", "2025-04-15T12:30"),
        ("15 April 2025, 3 pm", "2025-04-15T15"),
        ("April 14, 2025 10:30 PM CDT", "2025-04-14T22:30-05:00"),
        ("2025-04-15 03:40 CDT", "2025-04-15T03:40-05:00"),
        ("15 April 2025, 10:15 (CEST)", "2025-04-15T10:15+02:00"),
        ("10:15 CET on 15 April 2025", "2025-04-15T10:15+01:00"),
        ("2025-04-15T10:15+0200", "2025-04-15T10:15+02:00"),
        ("2025-04-15T10:15:30-0530", "2025-04-15T10:15:30-05:30"),
        ("4/15/2025 10:15", "2025-04-15T10:15"),
        ("2025-04-15T10:15:30.000Z", "2025-04-15T10:15:30Z"),
        ("2025-04-15T00:00:00.000Z", "2025-04-15"),
        ("2025-04-15 00:00:00.000", "2025-04-15"),
        ("2025-04-15T00:00:00.000+03:00", "2025-04-15T00:00:00+03:00"),
        # intervals
        ("10-12 April 2025", "2025-04-10/2025-04-12"),
        ("10\u201312 April 2025", "2025-04-10/2025-04-12"),
        ("10 \u2014 12 April 2025", "2025-04-10/2025-04-12"),
        ("April 10 - 12, 2025", "2025-04-10/2025-04-12"),
        ("30 March - 2 April 2025", "2025-03-30/2025-04-02"),
        ("30 March-2 April 2025", "2025-03-30/2025-04-02"),
        ("April-May 2025", "2025-04/2025-05"),
        ("1914-1918", "1914/1918"),
        ("1914 \u2013 1918", "1914/1918"),
        ("Sept 1857 - Dec 1861", "1857-09/1861-12"),
        ("13.04.2025-15.04.2025", "2025-04-13/2025-04-15"),
        ("4/14/2025 to 4/16/2025", "2025-04-14/2025-04-16"),
        ("2025-04-10 - 2025-04-12", "2025-04-10/2025-04-12"),
        ("2025-02-17..2025-03-11", "2025-02-17/2025-03-11"),
        ("\u22120043", "-0043"),
    ],
)
def test_a_date_with_one_reading_is_that_date(text: str, edtf: str) -> None:
    assert parse(text).edtf == edtf


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "Tuesday, 14 April 2025",
            '"Tuesday, 14 April 2025" contradicts itself: 14 April 2025 is a Monday, not a '
            "Tuesday: write the day that is meant, without its weekday",
        ),
        (
            "04/05/2025 10:15",
            '"04/05/2025 10:15" can be read as 4 May 2025, 10:15 (2025-05-04T10:15) or '
            "5 April 2025, 10:15 (2025-04-05T10:15): write one of these",
        ),
        (
            "17/04/25 19:00 GMT",
            '"17/04/25 19:00 GMT" can be read as 17 April 2025, 19:00 UTC (2025-04-17T19:00Z) or '
            "25 April 2017, 19:00 UTC (2017-04-25T19:00Z): write one of these",
        ),
        (
            "4/14/68",
            '"4/14/68" can be read as 14 April 1968 (1968-04-14) or 14 April 2068 (2068-04-14): '
            "write one of these",
        ),
        (
            "Apr-25",
            '"Apr-25" can be read as April 2025 (2025-04) or 25 Apr without a year: '
            "write one of these",
        ),
        (
            "2025-04-15T10:15:30.5Z",
            '"2025-04-15T10:15:30.5Z" has a fraction of a second: write 2025-04-15T10:15:30Z',
        ),
        (
            "15 April 2025 10:15 IST",
            '"IST" is the time zone of +05:30 (India) or +02:00 (Israel) or +01:00 (Ireland): '
            "write the offset instead",
        ),
    ],
)
def test_what_has_several_readings_is_refused_with_all_of_them(text: str, problem: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        parse(text)
    assert refusal.value.problem == problem


@given(st.dates(date(1000, 1, 1)))
def test_a_day_with_its_weekday_is_that_day_and_with_another_one_is_refused(day: date) -> None:
    said = f"{day.day} {day:%B} {day.year}"
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    assert parse(f"{names[day.weekday()]} {said}").edtf == day.isoformat()
    with pytest.raises(InvalidValue, match="contradicts itself"):
        parse(f"{names[day.weekday() - 1]} {said}")
