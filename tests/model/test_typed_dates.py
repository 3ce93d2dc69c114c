"""Dates in what people type: spans of years, vague dates, EDTF that format 1 cannot store."""

from __future__ import annotations

import pytest
from edtf_strategies import canonical
from hypothesis import given, settings

from timeline.errors import InvalidValue
from timeline.model import edtf
from timeline.model.content import Event
from timeline.model.typed_dates import Spans, TypedDate, is_span, read, resolved, written


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("1914-18", "1914/1918"),
        ("1914\u201318", "1914/1918"),
        ("1914 - 18", "1914/1918"),
        ("1857-61", "1857/1861"),
        ("1999-00", "1999/2000"),
        ("2012-13", "2012/2013"),
        ("c. 1914-18", "1914~/1918~"),
        ("1914-18?", "1914?/1918?"),
        ("2011-12", "2011-12"),
        ("2025-04", "2025-04"),
        ("1999-24", "1999-24"),
        ("2025-24", "2025-24"),
        ("2041-33", "2041-33"),
        ("2025-04-15", "2025-04-15"),
        ("2025-04-15T10:15-05:00", "2025-04-15T10:15-05:00"),
        ("2025-04-15/2025-04-15", "2025-04-15"),
        ("2025/2025", "2025"),
        ("../..", "../.."),
    ],
)
def test_a_year_and_two_digits_are_a_span_where_they_can_be_nothing_else(
    text: str, date: str
) -> None:
    assert read(text) == TypedDate(date)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "2023-24",
            '"2023-24" can be read as winter 2023 or 2023 to 2024: '
            'write "winter 2023" or 2023/2024',
        ),
        (
            "1939-40",
            '"1939-40" can be read as first half of 1939 or 1939 to 1940: '
            'write "first half of 1939" or 1939/1940',
        ),
        (
            "1831-35",
            '"1831-35" can be read as third quarter of 1831 or 1831 to 1835: '
            'write "third quarter of 1831" or 1831/1835',
        ),
        (
            "1931-38",
            '"1931-38" can be read as a third of 1931 or 1931 to 1938: '
            "write 1931-05/1931-08 or 1931/1938",
        ),
        (
            "2020-21/2023-24",
            '"2020-21" can be read as spring 2020 or 2020 to 2021: '
            'write "spring 2020" or 2020/2021',
        ),
        (
            "by 2023\u201324",
            '"2023-24" can be read as winter 2023 or 2023 to 2024: '
            'write "winter 2023" or 2023/2024',
        ),
        (
            "by 1914-18",
            '"1914-18" is a span of years within another date: write both years in full, '
            "such as 1914/1918",
        ),
        ("2025-13", '"2025-13" is not a date: there is no month 13'),
        ("2025-00", '"2025-00" is not a date: for an unknown month write 2025-XX'),
    ],
)
def test_a_span_that_may_be_a_part_of_a_year_is_refused_with_both_readings(
    text: str, problem: str
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        read(text)
    assert refusal.value.problem == problem


@pytest.mark.parametrize(
    ("text", "spans", "date"),
    [
        ("2011-12", "taken", "2011/2012"),
        ("2023-24", "taken", "2023/2024"),
        ("2011-10", "taken", "2011-10"),
        ("2009-12", "column", "2009-12"),
    ],
)
def test_a_person_may_say_that_years_and_two_digits_are_spans(
    text: str, spans: Spans, date: str
) -> None:
    assert read(text, spans) == TypedDate(date)


def test_among_spans_of_years_a_month_is_in_doubt() -> None:
    with pytest.raises(InvalidValue, match="December 2011 or 2011 to 2012"):
        read("2011-12", "column")
    assert is_span("2012-13")
    assert is_span("2023-24")
    assert not is_span("2011-12")
    assert not is_span("2025-33 or so")


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("early April 2025", "2025-04-01/2025-04-10"),
        ("mid-April 2025", "2025-04-11/2025-04-20"),
        ("late February 2025", "2025-02-21/2025-02-28"),
        ("in mid April 2025", "2025-04-11/2025-04-20"),
        ("middle of April 2025", "2025-04-11/2025-04-20"),
        ("early 2025", "2025-01/2025-04"),
        ("mid-2025", "2025-05/2025-08"),
        ("Late 2025", "2025-09/2025-12"),
        ("early spring 2025", "2025-03"),
        ("late winter 2025", "2026-02"),
        ("early 1920s", "1920/1923"),
        ("the mid-1920s", "1924/1926"),
        ("late 1920s", "1927/1929"),
        ("mid-44 BC", "-0043-05/-0043-08"),
        ("1984-1X", "1984-10/1984-12"),
        ("1984-0x", "1984-01/1984-09"),
        ("1984-11-2X", "1984-11-20/1984-11-29"),
        ("1984-11-0X", "1984-11-01/1984-11-09"),
        ("1984-11-3X", "1984-11-30"),
        ("1985-02-2X", "1985-02-20/1985-02-28"),
        ("1984-1X~", "1984-10~/1984-12~"),
        ("1984-1X/1985", "1984-10/1985"),
        ("1984/1985-0X", "1984/1985-09"),
        ("2025~-21", "2025-21~"),
        ("?2041-33", "2041-33?"),
        ("?2004-06~", "2004-06%"),
        ("2004?-06~/2005", "2004-06%/2005"),
    ],
)
def test_a_vague_date_becomes_one_of_format_1_and_its_words_are_kept(text: str, date: str) -> None:
    assert read(text) == TypedDate(date, text)
    assert read(text).fields["occurred_basis"] == "resolved"


@pytest.mark.parametrize(
    "text", ["mid-April", "late 15 April 2025", "early 20XX", "mid-2025?", "1984-02-3X", "198X-1X"]
)
def test_what_has_no_thirds_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        read(text)


@pytest.mark.parametrize(
    "text", ["2025-04-15 00:00:00", "2025-04-15T00:00:00.000Z", "2025-04-15/2025-04-15"]
)
def test_a_midnight_that_nobody_typed_is_the_day_and_equal_ends_are_one_date(text: str) -> None:
    assert read(text) == TypedDate("2025-04-15")
    assert read("2025-04-15 00:00") == TypedDate("2025-04-15T00:00")


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("15 April 2025, 03:00 (14 April 2025, 20:00 -04:00)", "2025-04-14T20:00-04:00"),
        (
            "10 AD (Y1E1) to 1 January 1900, in the 03:00 hour"
            " (10 AD (Y1E1) to 1 January 1900, in the 00:00 hour UTC)",
            "Y1E1/1900-01-01T00Z",
        ),
        ("by 1 January 2025, 01:00 (by 31 December 2024, 23:00 UTC)", "../2024-12-31T23:00Z"),
    ],
)
def test_a_time_by_the_clock_of_the_log_and_as_written_is_the_time_as_written(
    text: str, date: str
) -> None:
    assert read(text) == TypedDate(date)


def test_two_times_that_cannot_be_the_same_are_refused() -> None:
    with pytest.raises(InvalidValue, match="two times that are more than a day apart"):
        read("15 May 2025, 03:00 (14 April 2025, 20:00 -04:00)")


def test_a_vague_date_without_a_year_is_told_to_add_it() -> None:
    with pytest.raises(InvalidValue) as refusal:
        read("early spring")
    problem = '"early spring" has no year: write it too, as in "early spring 2025"'
    assert refusal.value.problem == problem


def test_an_event_takes_edtf_that_format_1_has_no_room_for() -> None:
    event = Event(title="T", occurred="1984-1X")
    assert (event.occurred, event.occurred_text) == ("1984-10/1984-12", "1984-1X")
    assert event.occurred_basis == "resolved"
    own = Event(title="T", occurred="2004?-06-11~", occurred_text="that June")
    assert (own.occurred, own.occurred_text) == ("2004-06-11%", "that June")
    with pytest.raises(ValueError, match="is vague"):
        Event(title="T", occurred="mid-April 2025")


def test_json_reads_a_vague_date_and_leaves_every_other_as_it_is() -> None:
    vague = {"title": "Levee", "occurred": "mid-April 2025"}
    assert resolved(vague) == {
        "title": "Levee",
        "occurred": "2025-04-11/2025-04-20",
        "occurred_text": "mid-April 2025",
        "occurred_basis": "resolved",
    }
    assert resolved({**vague, "occurred_text": "spring tide"}) == {
        "title": "Levee",
        "occurred": "2025-04-11/2025-04-20",
        "occurred_text": "spring tide",
        "occurred_basis": "resolved",
    }
    for other in ({"occurred": "2023-24"}, {"occurred": "soon"}, {"occurred": 5}, {}, [], None):
        assert resolved(other) == other


@settings(max_examples=500, deadline=None)
@given(canonical)
def test_a_date_that_is_written_for_people_is_read_back(date: str) -> None:
    left, _, right = date.partition("/")
    assume_equal = left if left == right and left != ".." else date
    assert read(written(date)).edtf == assume_equal
    assert read(edtf.phrase(date)).edtf == assume_equal


@pytest.mark.parametrize(
    ("date", "text"),
    [
        ("2025-33", "first quarter of 2025"),
        ("2023-24~", "around winter 2023"),
        ("2025-33/2025-34", "first to second quarter of 2025"),
        ("2025-04-21", "2025-04-21"),
        ("2025-04-24/2025-05-01", "2025-04-24/2025-05-01"),
        ("2025-04-21T10:15-05:30", "2025-04-21T10:15-05:30"),
        ("2025-04", "2025-04"),
        ("", ""),
    ],
)
def test_only_parts_of_a_year_are_written_in_words(date: str, text: str) -> None:
    assert written(date) == text
