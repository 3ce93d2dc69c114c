"""Functions that read the dates in cells, also those that a spreadsheet has rewritten.

Guarantees: a cell that can be read in several ways is refused, with all of its readings. The forms
that Excel, LibreOffice and pandas give to 15 April 2025 (15/04/2025, 15.04.2025, 2025-04-15
00:00:00) are read as that day. `typed_dates.read` reads everything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

from timeline.errors import InvalidValue
from timeline.model import edtf, typed_dates
from timeline.model.date_habits import NO_HABITS, DateHabits
from timeline.model.typed_dates import Spans, TypedDate

_MIDNIGHT = re.compile(r"(?<=[0-9]) 0?0:00(?::00(?:\.0+)?)?(?: AM)?$", re.I)
"""The midnight that a program adds to a day in digits; people write it behind a comma."""
_DAY_AT_MIDNIGHT = re.compile(
    r"(-?[0-9]{4}-[0-9]{2}-[0-9]{2})[T ]00:00:00(?:[.,]0+)?(?: ?(?:Z|UTC|[+-]00:?00))?"
)
"""A day as programs write it where a field must have a time, in UTC or without a zone."""
_SERIAL = re.compile(r"[1-9][0-9]{4}(?:\.[0-9]+)?", re.ASCII)


def read_date(
    cell: str, spans: Spans = "alone", language: str = "en", habits: DateHabits = NO_HABITS
) -> TypedDate:
    """Read the date of a cell. Raises InvalidValue, with all readings if there are several."""
    text = cell.strip()
    if _SERIAL.fullmatch(text):
        raise InvalidValue(text, _serial_problem(text))
    # A day that was formatted as date and time: nobody typed this midnight. (EDTF has a T.)
    return typed_dates.read(_MIDNIGHT.sub("", text), spans, language, habits)


def day_at_midnight(text: str) -> str:
    """Return the day of a midnight that a program added to it; any other text is unchanged.

    For the files of publishers. People, and our own exports, can mean this second.
    """
    found = _DAY_AT_MIDNIGHT.fullmatch(text.strip())
    return found[1] if found else text


def date_cells(cell: str, spans: Spans, before: Mapping[str, str], language: str) -> dict[str, str]:
    """Return the cells that say a date as an export would write them; its words if it is vague.

    The EDTF that the event has is unchanged, and so are its words and what they meant before. The
    words of a date that was vague go with it.
    """
    known = before.get("occurred")
    if known and edtf.parse(known).edtf in (cell.upper(), typed_dates.former(cell)):
        return {"occurred": known}
    found = read_date(cell, spans, language)
    fields = {**found.fields, "occurred": typed_dates.written(found.edtf)}
    return fields | dict.fromkeys(typed_dates.stale(fields, before), "")


def _serial_problem(text: str) -> str:
    """Return the refusal of a number of days, which is how Excel stores a date.

    It shows both dates: Excel counts from 1900 or, in its other system, from 1904.
    """
    days = timedelta(days=int(text.partition(".")[0]))
    readings = (date(1899, 12, 30) + days, date(1904, 1, 1) + days)
    shown = " or, counted from 1904, ".join(
        f"{edtf.phrase(each.isoformat())} ({each.isoformat()})" for each in readings
    )
    return f'"{text}" is how Excel stores {shown}: format the column as text and write the date'
