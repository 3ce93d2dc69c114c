"""What occurred, by the clock in the time zone of the log: format2 rules of bounds, one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from edtf_strategies import canonical
from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.model import edtf
from timeline.model.clock_bounds import at_second, second_of
from timeline.model.log_clock import local, occurred_in
from timeline.model.time_zones import zone

KYIV = "Europe/Kyiv"
ZONES = [
    *("UTC", KYIV, "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Africa/Monrovia"),
    *("Australia/Lord_Howe", "America/St_Johns"),
]

GOLDEN = """
2025-04-15T01:00+03:00 | UTC | 2025-04-14T22:00:00 | 2025-04-14T22:00:59
2025-04-14T20:00-04:00 | UTC | 2025-04-15T00:00:00 | 2025-04-15T00:00:59
2025-04-14T20:00-04:00 | Europe/Kyiv | 2025-04-15T03:00:00 | 2025-04-15T03:00:59
2025-04-15T10:15:30Z | Europe/Kyiv | 2025-04-15T13:15:30 | 2025-04-15T13:15:30
2025-04-15T10Z | Asia/Kathmandu | 2025-04-15T15:45:00 | 2025-04-15T16:44:59
2025-04-15T10:15 | Europe/Kyiv | 2025-04-15T10:15:00 | 2025-04-15T10:15:59
2025-04-15 | Europe/Kyiv | 2025-04-15 | 2025-04-15
2025-04~ | America/New_York | 2025-04-01 | 2025-04-30
../2025-04-14T23:00Z | Europe/Kyiv | - | 2025-04-15T02:00:59
2025-04-14T23:00Z/.. | Europe/Kyiv | 2025-04-15T02:00:00 | -
2025-10-26T03:30+03/2025-10-26T04:10+03 | Europe/Kyiv | 2025-10-26T03:10:59 | 2025-10-26T03:30:00
2025-04-15T23:00Z/2025-04-15 | Europe/Kyiv | 2025-04-15T00:00:00 | 2025-04-16T02:00:00
2025-04-15/2025-04-15T01:00+03:00 | UTC | 2025-04-14T22:00:59 | 2025-04-15T23:59:59
2025-04-15T10:15Z/2025-04-15 | UTC | 2025-04-15T10:15:00 | 2025-04-15T23:59:59
2025-03-30T03:30 | Europe/Kyiv | 2025-03-30T03:30:00 | 2025-03-30T03:30:59
1905-01-22T10:00Z | Europe/Kyiv | 1905-01-22T13:00:00 | 1905-01-22T13:00:59
1937-07-01T12:00Z | Europe/Amsterdam | 1937-07-01T13:00:00 | 1937-07-01T13:00:59
1960-01-01T12:00Z | Africa/Monrovia | 1960-01-01T11:16:00 | 1960-01-01T11:16:59
0001-01-01T00:30+02:00 | UTC | 0000-12-31T22:30:00 | 0000-12-31T22:30:59
9999-12-31T23:30-02:00 | UTC | Y000000010000-01-01T01:30:00 | Y000000010000-01-01T01:30:59
9999-07-01T12:00Z | America/New_York | 9999-07-01T08:00:00 | 9999-07-01T08:00:59
-0500-01-01T00:30+02:00 | UTC | -999999999499-12-31T22:30:00 | -999999999499-12-31T22:30:59
2025-08-14T20:00/2025-08-15T00:00 | UTC | 2025-08-14T20:00:00 | 2025-08-14T23:59:59
2025-08-14T18:00Z/2025-08-14T21:00Z | Europe/Kyiv | 2025-08-14T21:00:00 | 2025-08-14T23:59:59
2025-08-14T10:00Z/2025-08-14T11:00Z | Europe/Kyiv | 2025-08-14T13:00:00 | 2025-08-14T14:00:00
2025-08-14T22:00Z/2025-08-15T00:00Z | Europe/Kyiv | 2025-08-15T01:00:00 | 2025-08-15T03:00:00
2025-08-14T10Z/2025-08-14T12Z | UTC | 2025-08-14T10:00:00 | 2025-08-14T12:59:59
"""
CASES = [tuple(line.split(" | ")) for line in GOLDEN.strip().splitlines()]


@pytest.mark.parametrize(("text", "time_zone", "first", "last"), CASES)
def test_bounds_are_by_the_clock_of_the_log(
    text: str, time_zone: str, first: str, last: str
) -> None:
    when = occurred_in(text, time_zone)
    assert (when.occurred_from or "-", when.occurred_to or "-") == (first, last)
    assert when.edtf == text


def test_year_and_month_are_by_that_clock_too() -> None:
    assert occurred_in("2024-12-31T23:00Z", KYIV)[-2:] == (2025, "2025-01")
    assert occurred_in("2024-12-31T23:00Z", "UTC")[-2:] == (2024, "2024-12")


@given(canonical, st.sampled_from(ZONES))
@settings(deadline=None)
def test_the_first_bound_never_lies_after_the_last(text: str, time_zone: str) -> None:
    when, written = occurred_in(text, time_zone), edtf.parse(text)
    assert when.edtf == written.edtf
    assert when.precision == written.precision
    assert (when.occurred_from is None) == (written.occurred_from is None)
    assert (when.occurred_to is None) == (written.occurred_to is None)
    if when.occurred_from and when.occurred_to:
        assert when.occurred_from <= when.occurred_to
        first, last = edtf.numbers(when.occurred_from), edtf.numbers(when.occurred_to)
        assert first <= (*last, 23, 59, 59)[:6]
    if "T" not in written.edtf:
        assert when == written


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(9990, 1, 1)),  # noqa: DTZ001
    st.integers(-13 * 60, 14 * 60),
    st.sampled_from(ZONES),
)
@settings(deadline=None)
def test_an_instant_is_where_datetime_has_it(
    instant: datetime, minutes: int, time_zone: str
) -> None:
    written = instant.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    here = written.astimezone(zone(time_zone))
    if here.utcoffset() == timedelta(minutes=here.utcoffset() // timedelta(minutes=1)):  # type: ignore[operator]
        text = written.isoformat()
        assert occurred_in(text, time_zone).occurred_from == here.replace(tzinfo=None).isoformat()


@given(st.integers(-(10**12), 10**12))
def test_seconds_count_both_ways(count: int) -> None:
    assert second_of(*at_second(count)) == count
    if 0 < at_second(count)[0] < 9999:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
            seconds=count - second_of(1970, 1, 1, 0, 0, 0)
        )
        assert at_second(count) == tuple(moment.timetuple()[:6])


@pytest.mark.parametrize(
    ("text", "time_zone", "here"),
    [
        ("2025-04-14T20:00-04:00", KYIV, "2025-04-15T03:00"),
        ("2025-04-14T20:00:05-04:00", KYIV, "2025-04-15T03:00:05"),
        ("2025-04-14T20-04:00", KYIV, "2025-04-15T03"),
        (
            "2025-04-14T20:00-04:00/2025-04-14T22:00-04:00",
            KYIV,
            "2025-04-15T03:00/2025-04-15T05:00",
        ),
        ("2025-08-14T18:00Z/2025-08-14T21:00Z", KYIV, "2025-08-14T21:00/2025-08-15T00:00"),
        ("2025-04-14/2025-04-14T20:00-04:00", KYIV, "2025-04-14/2025-04-15T03:00"),
        ("../2025-04-14T20:00-04:00", KYIV, "../2025-04-15T03:00"),
        ("-0500-01-01T10:00Z", KYIV, "-0500-01-01T13:00"),
        ("0001-01-01T00:30+14:00", KYIV, "0000-12-31T13:30"),
        # Written by the clock of the log already, or without a clock that can say it.
        ("2025-04-15T01:00+03:00", KYIV, None),
        ("2025-04-15T01:00", KYIV, None),
        ("2025-04-15", KYIV, None),
        ("2025-04-15T01+05:30", "UTC", None),
        ("9999-12-31T23:30-02:00", "UTC", None),
        ("2025-10-26T03:30+03:00/2025-10-26T04:10+03:00", KYIV, None),
    ],
)
def test_a_date_is_written_by_the_clock_of_the_log_where_that_differs(
    text: str, time_zone: str, here: str | None
) -> None:
    when = occurred_in(text, time_zone)
    assert local(text, when.occurred_from, when.occurred_to) == here


@given(canonical, st.sampled_from(ZONES))
@settings(deadline=None)
def test_what_is_written_by_the_clock_of_the_log_has_the_same_bounds(
    text: str, time_zone: str
) -> None:
    when = occurred_in(text, time_zone)
    here = local(when.edtf, when.occurred_from, when.occurred_to)
    if here is not None:
        assert edtf.parse(here)[1:3] == when[1:3]
