"""Instants, days and time zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from timeline.errors import InvalidValue
from timeline.model import clock

KYIV = "Europe/Kyiv"
ZONES = ("UTC", KYIV, "America/New_York", "Asia/Kathmandu", "Asia/Beirut", "Pacific/Apia")


def refusal(call: Any, *arguments: object) -> str:
    with pytest.raises(InvalidValue) as caught:
        call(*arguments)
    assert str(caught.value) == caught.value.problem
    assert caught.value.problem.isprintable()
    return caught.value.problem


instants = st.datetimes(timezones=st.just(UTC))


@given(instants, instants)
@example(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))
@example(datetime(999, 1, 1, tzinfo=UTC), datetime(1000, 1, 1, tzinfo=UTC))
def test_the_text_of_instants_sorts_as_time_does(one: datetime, two: datetime) -> None:
    assert (clock.utc(one) < clock.utc(two)) == (one < two)
    assert len(clock.utc(one)) == 27


@given(instants)
def test_an_instant_that_is_written_and_read_is_the_same(instant: datetime) -> None:
    assert clock.parse(clock.utc(instant)) == instant


def test_an_instant_is_utc_with_microseconds_wherever_it_was_taken() -> None:
    summer = timezone(timedelta(hours=3))
    taken = datetime(2026, 11, 22, 18, 8, 55, 123456, tzinfo=summer)
    assert clock.utc(taken) == "2026-11-22T15:08:55.123456Z"
    assert clock.utc(datetime(2026, 11, 22, tzinfo=UTC)) == "2026-11-22T00:00:00.000000Z"


def test_now_is_in_utc() -> None:
    assert clock.now().tzinfo is UTC
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)


# --- Zones and days ---------------------------------------------------------------------------


def test_the_day_of_an_instant_depends_on_the_zone() -> None:
    late = datetime(2025, 4, 14, 22, 30, tzinfo=UTC)
    assert clock.day_in(late, "UTC") == "2025-04-14"
    assert clock.day_in(late, KYIV) == "2025-04-15"
    assert clock.day_in(late, "America/New_York") == "2025-04-14"


@pytest.mark.parametrize(
    ("text", "zone", "last"),
    [
        # A day ends when it ends in the zone, in summer (UTC+3) and in winter (UTC+2).
        ("2025-04-15", "UTC", "2025-04-15T23:59:59.999999Z"),
        ("2025-04-15", KYIV, "2025-04-15T20:59:59.999999Z"),
        ("2025-01-15", KYIV, "2025-01-15T21:59:59.999999Z"),
        ("2025-04-15", "America/New_York", "2025-04-16T03:59:59.999999Z"),
        ("2025-04-15", "Asia/Kathmandu", "2025-04-15T18:14:59.999999Z"),
        # The days on which Kyiv's clocks change: 30 March and 26 October 2025.
        ("2025-03-29", KYIV, "2025-03-29T21:59:59.999999Z"),
        ("2025-03-30", KYIV, "2025-03-30T20:59:59.999999Z"),
        ("2025-10-25", KYIV, "2025-10-25T20:59:59.999999Z"),
        ("2025-10-26", KYIV, "2025-10-26T21:59:59.999999Z"),
        # 03:30 came twice on 26 October: the last of the two.
        ("2025-10-26T03:30", KYIV, "2025-10-26T01:30:59.999999Z"),
        ("2025-10-26T02:30", KYIV, "2025-10-25T23:30:59.999999Z"),
        # Beirut's clocks went from midnight back to 23:00: that day ended an hour later.
        ("2025-10-25", "Asia/Beirut", "2025-10-25T21:59:59.999999Z"),
        # An hour, a minute and a second end with their last microsecond.
        ("2025-04-15T10", KYIV, "2025-04-15T07:59:59.999999Z"),
        ("2025-04-15T10:15", KYIV, "2025-04-15T07:15:59.999999Z"),
        ("2025-04-15T10:15:30", KYIV, "2025-04-15T07:15:30.999999Z"),
        # An offset goes before the zone.
        ("2025-04-15T10:15:30Z", KYIV, "2025-04-15T10:15:30.999999Z"),
        ("2025-04-15T10:15Z", KYIV, "2025-04-15T10:15:59.999999Z"),
        ("2025-04-15T10:15+02:00", KYIV, "2025-04-15T08:15:59.999999Z"),
        ("2025-04-15T10:15+02", KYIV, "2025-04-15T08:15:59.999999Z"),
        ("2025-04-15T10+02", KYIV, "2025-04-15T08:59:59.999999Z"),
        ("2025-04-15T10:15:30-04:30", KYIV, "2025-04-15T14:45:30.999999Z"),
        ("2025-04-15T10:15:30-11", KYIV, "2025-04-15T21:15:30.999999Z"),
        ("15 April 2025", KYIV, "2025-04-15T20:59:59.999999Z"),
        ("0002-01-01", "UTC", "0002-01-01T23:59:59.999999Z"),
        ("9998-12-31", "America/New_York", "9999-01-01T04:59:59.999999Z"),
    ],
)
def test_the_last_instant_of_a_day_or_time(text: str, zone: str, last: str) -> None:
    assert clock.last_instant(text, zone) == last
    assert clock.moment(text, zone) == last


@given(st.dates(datetime(1900, 1, 1).date(), datetime(2100, 1, 1).date()), st.sampled_from(ZONES))  # noqa: DTZ001
@settings(deadline=None)
def test_the_last_instant_of_a_day_is_in_it_and_the_next_is_not(day: Any, zone: str) -> None:
    last = clock.parse(clock.last_instant(day.isoformat(), zone))
    if day.isoformat() == "2011-12-30" and zone == "Pacific/Apia":
        return  # a day that Samoa left out
    assert clock.day_in(last, zone) == day.isoformat()
    assert clock.day_in(last + timedelta(microseconds=1), zone) > day.isoformat()


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.sampled_from(ZONES))  # noqa: DTZ001
@settings(deadline=None)
def test_a_second_ends_before_its_day(local: datetime, zone: str) -> None:
    text = local.isoformat(timespec="seconds")
    assert clock.last_instant(text, zone) <= clock.last_instant(text[:10], zone)


# --- The reported clock -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2025-04-15", "2025-04-15"),
        (" 15 April 2025 ", "2025-04-15"),
        ("2025-04-15t10:15z", "2025-04-15T10:15Z"),
        ("2025-04-15T10:15:30+03:00", "2025-04-15T10:15:30+03:00"),
    ],
)
def test_a_report_is_stored_as_a_day_or_a_time_in_edtf(text: str, stored: str) -> None:
    assert clock.reported(text) == stored
    assert clock.reported(stored) == stored


@pytest.mark.parametrize(
    "text",
    [
        "2025-04",
        "2025",
        "2025-33",
        "2025-04-15~",
        "2025-04-15?",
        "2025-04-15%",
        "2025-~04-15",
        "?2025-04-15",
        "2025-04-?15",
        "2025-04-15/2025-04-16",
        "../2025-04-15",
        "-0044-03-15",
        "Y20000",
    ],
)
def test_anything_vaguer_than_a_day_is_no_report(text: str) -> None:
    for call in (clock.reported, lambda text: clock.last_instant(text, "UTC")):
        problem = refusal(call, text)
        assert problem.endswith("is not a day or a time: write one such as 2025-04-15")


@pytest.mark.parametrize("text", ["0001-12-31", "9999-01-01", "9999-01-01T10:00"])
def test_a_report_at_the_end_of_all_calendars_is_refused(text: str) -> None:
    for zone in ("UTC", "Pacific/Apia"):
        problem = refusal(clock.last_instant, text, zone)
        assert problem == refusal(clock.reported, text)
        assert problem.endswith("lies outside the years 2 to 9998")


# --- Moments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("#41", 41),
        ("41", 41),
        (" #0 ", 0),
        (41, 41),
        ("2025", 2025),
        ("2025-04-15T10:15:30.123456Z", "2025-04-15T10:15:30.123456Z"),
        ("2025-04-15T10:15:30.5", "2025-04-15T07:15:30.500000Z"),
        ("2025-04-15 10:15:30.25+02:00", "2025-04-15T08:15:30.250000Z"),
        ("2025-04-15 10:15:30", "2025-04-15T07:15:30.999999Z"),
        ("2025-04-15 10:15:30Z", "2025-04-15T10:15:30.999999Z"),
        (datetime(2025, 4, 15, 10, 15, 30, 5, tzinfo=UTC), "2025-04-15T10:15:30.000005Z"),
        (datetime(2025, 4, 15, 10, 15), "2025-04-15T07:15:00.000000Z"),  # noqa: DTZ001
        (
            datetime(2025, 4, 15, 10, 15, tzinfo=ZoneInfo("Asia/Kathmandu")),
            "2025-04-15T04:30:00.000000Z",
        ),
    ],
)
def test_a_moment_is_an_entry_or_an_instant(value: object, moment: clock.Moment) -> None:
    found = clock.moment(value, KYIV)
    assert found == moment
    assert type(found) is type(moment)


@given(st.datetimes(datetime(2, 1, 2), datetime(9998, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
@settings(deadline=None)
def test_the_text_of_an_instant_is_that_moment_in_every_zone(instant: datetime) -> None:
    text = clock.utc(instant)
    assert clock.moment(text, KYIV) == clock.moment(text.rstrip("Z"), "UTC") == text
    assert clock.moment(instant, KYIV) == text


@pytest.mark.parametrize(
    "value",
    [
        "",
        "#",
        "#-1",
        "-1",
        "##41",
        "4.5",
        "#" + "9" * 16,
        "\u0664\u0661",
        "yesterday",
        "2025-04",
        "2025-04-15~",
        "2025-02-29",
        "2025-04-15T25:00",
        "2025-04-15T24:00:00",
        "2025-04-15T10:15:30.1234567",
        "2025-02-30T10:15:30.5Z",
        "2025-04-15T25:15:30.5Z",
        "2025-04-15T10:15:30.5+25:00",
        "2025-04-15T10:15:30.5+02:60",
        "0001-01-01T00:00:00.5+14:00",
        "9999-12-31T23:59:59.9-10:00",
        "line\nbreak",
        True,
        False,
        None,
        4.0,
        [41],
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=5))),
    ],
)
def test_anything_else_is_no_moment(value: object) -> None:
    refusal(clock.moment, value, KYIV)


def test_the_refusal_of_a_moment_says_what_can_be_given() -> None:
    problem = refusal(clock.moment, "2025-04", KYIV)
    assert problem.startswith('"2025-04" is not a day or a time: write one such as 2025-04-15')
    assert problem.endswith("an entry such as #41")
