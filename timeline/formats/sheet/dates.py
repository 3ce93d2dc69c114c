"""Functions that read the dates in cells, also those that a spreadsheet has rewritten.

Guarantees: a cell that can be read in several ways is refused, with all of its readings. The forms
that Excel, LibreOffice and pandas give to 15 April 2025 (15/04/2025, 15.04.2025, 2025-04-15
00:00:00) are read as that day. `edtf.parse` reads everything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from timeline.errors import InvalidValue
from timeline.model import edtf
from timeline.model.edtf_words import MONTHS

_IN_DIGITS = re.compile(r"([0-9]{1,4})([./-])([0-9]{1,2})\2([0-9]{1,4})", re.ASCII)
_IN_LETTERS = re.compile(r"(?:([0-9]{1,2})[- ])?([a-z]{3,9})\.?(?:[- ]([0-9]{1,4}))?", re.I)
_MIDNIGHT = re.compile(r" 0?0:00(?::00(?:\.0+)?)?(?: AM)?", re.I)
_SERIAL = re.compile(r"[1-9][0-9]{4}(?:\.[0-9]+)?", re.ASCII)
_MONTHS = [month[:3].lower() for month in MONTHS]


def read_date(cell: str) -> str:
    """Return the EDTF of a cell. Raises InvalidValue, with all readings if there are several."""
    text = cell.strip()
    # A day that was formatted as date and time: nobody typed this midnight. (EDTF has a T.)
    day = _MIDNIGHT.sub("", text)
    if _SERIAL.fullmatch(text):
        raise InvalidValue(text, _serial_problem(text))
    if (match := _IN_DIGITS.fullmatch(day)) and (readings := {*_digits(*match.group(1, 3, 4))}):
        return _only(text, readings)
    if (match := _IN_LETTERS.fullmatch(day)) and (readings := {*_letters(*match.groups())}):
        return _only(text, readings)
    return edtf.parse(day).edtf


def _digits(one: str, two: str, three: str) -> Iterator[str]:
    """Yield the days that three numbers can stand for, in all usual orders, as ISO dates."""
    if len(one) == 4:
        orders = [(one, two, three)]
    elif len(three) == 4:
        orders = [(three, two, one), (three, one, two)]
    elif len(one) <= 2 and len(three) == 2:
        orders = [("20" + three, two, one), ("20" + three, one, two)]
        orders += [("20" + one, two, three)] if len(one) == 2 else []
    else:
        return
    for year, month, day in orders:
        yield from _day(int(year), int(month), int(day))


def _letters(before: str | None, word: str, after: str | None) -> Iterator[str]:
    """Yield the readings of "Apr-25", "25-Apr" or "15-Apr-25"; none for plain words."""
    if word[:3].lower() not in _MONTHS or len(word) > 3:
        return
    month = _MONTHS.index(word[:3].lower()) + 1
    if before and after:
        if len(after) == 4:
            yield from _day(int(after), month, int(before))
        elif len(after) == 2:
            yield from _day(2000 + int(after), month, int(before))
            if len(before) == 2:
                yield from _day(2000 + int(before), month, int(after))
    elif after and len(after) == 4:
        yield f"{after}-{month:02d}"
    elif (number := before or after) and len(number) <= 2:
        # Excel shows April 2025 as Apr-25, and 25 April of some year as 25-Apr.
        yield f"20{int(number):02d}-{month:02d}"
        yield f"{int(number)} {word.capitalize()} without a year"


def _day(year: int, month: int, day: int) -> Iterator[str]:
    try:
        yield date(year, month, day).isoformat()
    except ValueError:
        return


def _only(text: str, readings: set[str]) -> str:
    """Return the only reading; raise InvalidValue if there are several.

    A year of two digits is refused too, even if there is only one reading.
    """
    if len(readings) == 1 and re.search("[0-9]{4}", text):
        return edtf.parse(readings.pop()).edtf
    shown = " or ".join(_date_and_edtf(reading) for reading in sorted(readings))
    advice = "write one of these" if len(readings) > 1 else "write it so"
    raise InvalidValue(text, f'"{text}" can be read as {shown}: {advice}')


def _date_and_edtf(reading: str) -> str:
    is_date = reading[-1].isdecimal()
    return f"{edtf.phrase(reading)} ({reading})" if is_date else reading


def _serial_problem(text: str) -> str:
    """Return the refusal of a number of days, which is how Excel stores a date.

    It shows both dates: Excel counts from 1900 or, in its other system, from 1904.
    """
    days = timedelta(days=int(text.partition(".")[0]))
    readings = (date(1899, 12, 30) + days, date(1904, 1, 1) + days)
    shown = " or, counted from 1904, ".join(_date_and_edtf(each.isoformat()) for each in readings)
    return f'"{text}" is how Excel stores {shown}: format the column as text and write the date'
