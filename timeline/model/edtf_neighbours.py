"""Find the date just before or just after another one: "before 1960" ends with 1959.

Guarantees: the neighbour is as precise as the date, a year for a year and a minute for a minute; of
a season, a quarter, a half, a decade or a century it is a day. The qualifier of the date stays, and
a time keeps its offset. The calendar is proleptic Gregorian for every year.
"""

import calendar
import re

_OFFSET = re.compile(r"(?:Z|[+-][0-9]{2}(?::[0-9]{2})?)$")
_UNITS = ("year", "month", "day", "hour", "minute", "second")


def neighbour(edtf: str, precision: str, bound: tuple[int, ...], beside: str) -> str | None:
    """Return the date "before" or "after" another one, in EDTF; None if EDTF has no such date.

    `bound` has the numbers of the bound that is nearer: the first one for "before".
    """
    if precision in ("interval", "open"):
        return None
    count = _UNITS.index(precision) + 1 if precision in _UNITS else 3
    numbers = _moved(bound[:count], -1 if beside == "before" else 1)
    if abs(numbers[0]) > (9999 if count > 1 else 10**12 - 1):
        return None
    symbols = {*re.findall("[?~%]", edtf)}
    qualifier = symbols.pop() if len(symbols) == 1 else "%" if symbols else ""
    offset = _OFFSET.search(edtf.partition("T")[2]) if count > 3 else None
    return _written(numbers) + (offset[0] if offset else "") + qualifier


def _moved(numbers: tuple[int, ...], step: int) -> tuple[int, ...]:
    """Return a date or a time moved by one of its last unit, which may move the units before it."""
    *rest, last = numbers
    if not rest:
        return (last + step,)
    lowest = 1 if len(numbers) <= 3 else 0
    if lowest <= last + step <= _highest(numbers):
        return (*rest, last + step)
    before = _moved(tuple(rest), step)
    return (*before, lowest if step > 0 else _highest((*before, 0)))


def _highest(numbers: tuple[int, ...]) -> int:
    """Return the highest number that the last unit of a date or time can have."""
    if len(numbers) == 3:
        return calendar.monthrange(numbers[0], numbers[1])[1]
    return {2: 12, 4: 23}.get(len(numbers), 59)


def _written(numbers: tuple[int, ...]) -> str:
    year, *rest = numbers
    if abs(year) > 9999:
        return f"Y{year}"
    text = f"-{-year:04d}" if year < 0 else f"{year:04d}"
    for mark, number in zip("--T::", rest, strict=False):
        text += f"{mark}{number:02d}"
    return text
