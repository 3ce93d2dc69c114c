"""Say a date that a person typed back in other words, so that a slip is seen before it is kept."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from timeline.errors import InvalidValue
from timeline.formats import prose
from timeline.model import edtf, log_clock, typed_dates


class DateReading(NamedTuple):
    """One reading of a date that has several: the text to type, and the day that it means."""

    text: str
    words: str


class DateEcho(NamedTuple):
    """An echo of a date says how it was read, or why it was not."""

    words: str = ""
    """The date in words, with its weekday: "Tuesday 15 April 2025"."""
    edtf: str = ""
    earliest: str = ""
    latest: str = ""
    problem: str = ""
    readings: tuple[DateReading, ...] = ()


def echo(text: str, *, language: str, time_zone: str) -> DateEcho:
    """Return the echo of a date; it is empty for an empty text.

    `language` and `time_zone` are those of the log.
    """
    if not text.strip():
        return DateEcho()
    try:
        typed = typed_dates.read(text, language=language)
        when = log_clock.occurred_in(typed.edtf, time_zone)
    except InvalidValue as error:
        several = typed_dates.readings(text, language)
        found = tuple(DateReading(each, _words(edtf.parse(each))) for each in several)
        return DateEcho(problem=error.problem, readings=found)
    earliest, latest = _readable(when.occurred_from), _readable(when.occurred_to)
    return DateEcho(_words(when), when.edtf, earliest, latest)


def _words(when: edtf.Occurred) -> str:
    words = prose.date(when.edtf)
    is_day = when.precision == "day" and "/" not in when.edtf and when.edtf[:1].isdecimal()
    if not is_day:
        return words
    return f"{date.fromisoformat(when.edtf[:10]):%A} {words}"


def _readable(bound: str | None) -> str:
    """Return a bound in words; one that has no words as it is."""
    try:
        return prose.date(bound)
    except InvalidValue:
        return bound or ""
