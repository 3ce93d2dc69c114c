"""Read the date of a row: in one column, in columns of its parts, or by its start and its end.

Guarantees: a part that a row lacks is never invented; the date is coarser without it. A part that
cannot be read is left out, but not the year, and not a start. An end before its start is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import Any, Protocol

from timeline.errors import InvalidInput, InvalidValue
from timeline.formats import date_patterns
from timeline.formats.imports import Cells, LeftOut
from timeline.formats.mapped.cells import FILE_YEAR, Style, text_of
from timeline.formats.mapped.templates import Template
from timeline.formats.sheet.dates import day_at_midnight, read_date
from timeline.formats.spelling import NUMBER, Spelling, number
from timeline.model import edtf, figures, hints
from timeline.model.date_habits import DateHabits
from timeline.model.edtf_words import MONTHS, year_of_edtf
from timeline.model.typed_dates import TypedDate

PRECISIONS = ("day", "week", "month", "quarter", "year", "decade")
_UNKNOWN = "../.."
"""The date of which nothing is known; the words that stand for it are kept beside it."""
_YEAR = re.compile(r"-?[0-9]{3,4}(?:\.0+)?")
_WHOLE = re.compile(r"([0-9]{1,4})(?:\.0+)?")
_FLOAT = re.compile(r"(-?[0-9]+)\.0+")
"""A whole number, such as a year, as pandas writes it if a cell of its column is empty."""
_DAY = re.compile(r"-?[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PARTS = re.compile(r"(-?[0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?(?:T.*)?")
_ZEROS = re.compile(r"(-?[0-9]{4}(?:-(?!00)[0-9]{2})?)(?:-00){1,2}")
"""A date whose unknown parts are 0, as Wikidata and MySQL write it."""
_FRACTION = re.compile(r"(?<=:[0-9]{2})[.,][0-9]{1,9}(?=\s*(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2})?$)")
"""The fraction of a second behind a time: a date of the log has whole seconds."""
_COMPACT = re.compile(r"[12][0-9]{3}[01][0-9][0-3][0-9]")
_MARKS = ("-", "/", ".", " ")
"""The marks between the parts of a date in digits."""
_CLOCK = re.compile(r"([0-2]?[0-9])(?:[.h]?([0-5][0-9]))?h?")
"""A time of day that is written without a colon, such as 0915, 9.15, 9h15 or 9."""


class DateRule(Protocol):
    """Reads the date of a row in its cells."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that are read; the first one is the most important."""

    def spellings(self, style: Style) -> dict[str, Spelling]:
        """Return the spelling of each of these columns."""

    def read(self, style: Style, cells: Cells, left_out: list[LeftOut]) -> TypedDate | None:
        """Return the date, or None if there is none. Raises InvalidInput, naming the column."""


@dataclass(frozen=True)
class DateColumn:
    """A date that stands in one column, or in a text that is made of several columns."""

    column: str = ""
    text: Template | None = None
    """The text of the date, if no single column has it."""
    patterns: tuple[str, ...] = ()
    day_first: bool | None = None
    year: int | None = None
    follows_rows: bool = False
    """Whether a date without a year has that of the rows above it."""
    year_column: str | None = None
    """The column of the year of dates that have none."""
    time: str | None = None
    """The column of the time of day, if it is another one."""
    words: Mapping[str, Any] = field(default_factory=dict)
    """The date of some texts; "" stands for an empty cell."""
    other: Any = None
    """The date of all texts that are not in `words`."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        dated = self.text.columns if self.text else (self.column,)
        return (*dated, *(column for column in (self.time, self.year_column) if column))

    def spellings(self, style: Style) -> dict[str, Spelling]:
        def normal(text: str) -> str:
            try:
                found = self.converted(style, text.strip())
            except InvalidValue:
                return text.strip()
            return found.edtf if found else text.strip()

        return {} if self.text else {self.column: Spelling("date format", normal)}

    def read(self, style: Style, cells: Cells, left_out: list[LeftOut]) -> TypedDate | None:
        if self.text and (parts := self._parts(self.text, style, cells)):
            return parts.read(style, cells, left_out)
        if self.text:
            text = self.text.filled(lambda column: style.text(cells, column))
        else:
            text = text_of(cells, self.column)
        try:
            found = self.converted(style, text, self._year(style, cells))
        except InvalidValue as error:
            raise InvalidInput(self.columns[0], error.problem) from None
        if found and self.time:
            return _at(found, self.time, style, cells, left_out)
        return found

    def _year(self, style: Style, cells: Cells) -> int | None:
        """Return the year of a date that has none."""
        said = cells.get(FILE_YEAR, "") if self.follows_rows else ""
        if self.year_column:
            said = number(style.text(cells, self.year_column))
        return int(said) if re.fullmatch("[0-9]{4}", said) else self.year

    def converted(self, style: Style, text: str, year: int | None = None) -> TypedDate | None:
        """Read the text of a cell. Raises InvalidValue."""
        if text in self.words:
            said = str(self.words[text])
            if said == _UNKNOWN:
                return TypedDate(said, text or None)
            text = said
        elif text and self.other is not None:
            text = str(self.other)
        if not text or text in style.nothing:
            return None
        return _read(text, self.patterns, self.day_first, year or self.year, style.language)

    def _parts(self, text: Template, style: Style, cells: Cells) -> DateRule | None:
        """Return what a text such as "{y}-{m}-{d}" or "{start}/{end}" puts together, or None."""
        first, *marks, last = text.between
        is_even = not first and not last and len({*marks}) == 1 and marks[0] in _MARKS
        if not is_even or self.patterns:
            return None
        columns = text.columns
        texts = [style.text(cells, column) for column in columns]
        if _YEAR.fullmatch(texts[0]) and all(map(_is_part, texts[1:])):
            return DateParts(*columns)
        if marks == ["/"]:
            start, end = (replace(self, text=None, column=column) for column in columns)
            return DateSpan(start, end)
        if len(columns) == 3 and _YEAR.fullmatch(texts[2]) and not all(map(_whole, texts[:2])):
            is_day_first = marks[0] == "." if self.day_first is None else self.day_first
            if is_day_first or self.day_first is False:
                one, two, year = columns
                return DateParts(year, two, one) if is_day_first else DateParts(year, one, two)
        return None


@dataclass(frozen=True)
class DateParts:
    """A date in columns of its parts; 0 and an empty cell are an unknown part."""

    year: str | int
    month: str | None = None
    day: str | None = None
    hour: str | None = None
    minute: str | None = None
    time: str | None = None

    @cached_property
    def columns(self) -> tuple[str, ...]:
        named = (self.year, self.month, self.day, self.hour, self.minute, self.time)
        return tuple(column for column in named if isinstance(column, str))

    def spellings(self, style: Style) -> dict[str, Spelling]:
        return dict.fromkeys(self.columns, NUMBER)

    def read(self, style: Style, cells: Cells, left_out: list[LeftOut]) -> TypedDate | None:
        year = str(self.year) if isinstance(self.year, int) else style.text(cells, self.year)
        if not year or ((whole := _WHOLE.fullmatch(year)) and int(whole[1]) == 0):
            return None
        if not _YEAR.fullmatch(year):
            problem = f"{hints.quoted(year)} is no year: write it in full, such as 2025"
            raise InvalidInput(self.columns[0], problem)
        found = year_of_edtf(int(year.partition(".")[0]))
        for column, names in ((self.month, True), (self.day, False)):
            text = style.text(cells, column) if column else ""
            number_ = _month(text, style.language) if names else _whole(text)
            if number_ == 0:
                if names and self.day and _whole(day := style.text(cells, self.day)) != 0:
                    left_out.append(LeftOut(self.day, "is a day without a month", day))
                return TypedDate(found)
            try:
                if number_ is None or (names and number_ > 12):
                    what = "month" if names else "day"
                    raise InvalidValue(text, f"{hints.quoted(text)} is no {what}")
                found = edtf.parse(f"{found}-{number_:02d}").edtf
            except InvalidValue as error:
                left_out.append(LeftOut(str(column), error.problem, text))
                return TypedDate(found)
        if self.time:
            return _at(TypedDate(found), self.time, style, cells, left_out)
        return self._with_hour(found, style, cells, left_out)

    def _with_hour(
        self, found: str, style: Style, cells: Cells, left_out: list[LeftOut]
    ) -> TypedDate:
        for column, mark in ((self.hour, "T"), (self.minute, ":")):
            text = style.text(cells, column) if column else ""
            if not text:
                break
            try:
                if (whole := _whole(text)) is None:
                    raise InvalidValue(text, f"{hints.quoted(text)} is no number")
                found = edtf.parse(f"{found}{mark}{whole:02d}").edtf
            except InvalidValue as error:
                left_out.append(LeftOut(str(column), error.problem, text))
                break
        return TypedDate(found)


@dataclass(frozen=True)
class DateSpan:
    """A date that has a start and an end; without an end, or with an equal one, it is the start."""

    start: DateRule
    end: DateRule

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return (*self.start.columns, *self.end.columns)

    def spellings(self, style: Style) -> dict[str, Spelling]:
        return {**self.end.spellings(style), **self.start.spellings(style)}

    def read(self, style: Style, cells: Cells, left_out: list[LeftOut]) -> TypedDate | None:
        start = self.start.read(style, cells, left_out)
        try:
            end = self.end.read(style, cells, left_out)
        except InvalidInput as error:
            problem = f"{error.problem}; empty the cell if the end is not known"
            left_out.append(LeftOut(error.field, problem, style.text(cells, error.field)))
            end = None
        if end is None or (start and start.edtf == end.edtf):
            return start
        first = start.edtf.split("/")[0] if start else ""
        last = end.edtf.split("/")[-1]
        words = None
        if (start and start.words) or end.words:
            words = " to ".join(each.words or each.edtf for each in (start, end) if each)
        if first == last:
            return TypedDate(first, words)
        try:
            return TypedDate(edtf.parse(f"{first}/{last}").edtf, words)
        except InvalidValue:
            if not start:
                raise
            problem = f"{end.edtf} lies before the start, {start.edtf}"
            raise InvalidInput(self.end.columns[0], problem) from None


@dataclass(frozen=True)
class PreciseDate:
    """A date of which another column says how precise it is."""

    date: DateRule
    column: str
    codes: Mapping[str, str]
    """The precision that each code means."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return (*self.date.columns, self.column)

    def spellings(self, style: Style) -> dict[str, Spelling]:
        return {self.column: NUMBER, **self.date.spellings(style)}

    def read(self, style: Style, cells: Cells, left_out: list[LeftOut]) -> TypedDate | None:
        found = self.date.read(style, cells, left_out)
        code = style.text(cells, self.column)
        if found is None or not code:
            return found
        precision = self.codes.get(code) or self.codes.get(number(code))
        if precision is None:
            problem = f"{hints.quoted(code)} is not among the precisions of the map"
            left_out.append(LeftOut(self.column, problem, code))
            return found
        return found._replace(edtf=coarser(found.edtf, precision))


@lru_cache(maxsize=10_000)
def coarser(when: str, precision: str) -> str:
    """Return a date with no more than a precision; a week is the week around a day.

    Both ends of an interval become coarser, but not for a week.
    """
    if "/" in when:
        if precision in ("day", "week"):
            return when
        ends = [coarser(end, precision) if end else end for end in when.split("/")]
        return ends[0] if ends[0] == ends[1] else "/".join(ends)
    if (parts := _PARTS.fullmatch(when)) is None:
        return when
    year, month, day = parts.groups()
    match precision:
        case "day" if day:
            return f"{year}-{month}-{day}"
        case "week" if day and "0001" < year < "9999":
            middle = date(int(year), int(month), int(day))
            return f"{middle - timedelta(days=3)}/{middle + timedelta(days=3)}"
        case "month" if month:
            return f"{year}-{month}"
        case "quarter" if month and int(month) <= 12:
            return f"{year}-{33 + (int(month) - 1) // 3}"
        case "year":
            return year
        case "decade":
            return f"{year[:-1]}X"
    return when


@lru_cache(maxsize=10_000)
def _read(
    text: str,
    patterns: tuple[str, ...],
    day_first: bool | None,
    year: int | None,
    language: str,
) -> TypedDate:
    if "edtf" in patterns:
        return TypedDate(edtf.parse(text).edtf)
    refusal: InvalidValue | None = None
    if (whole := _FLOAT.fullmatch(text)) and (patterns or _YEAR.fullmatch(text)):
        text = whole[1]
    for each in _in_english(text, language) if patterns else ():
        for pattern in patterns:
            try:
                if pattern in date_patterns.EPOCHS:
                    found = date_patterns.counted(number(each), pattern)  # R writes 1.7e+09
                    found = found and day_at_midnight(found)
                else:
                    found = date_patterns.read(each, pattern, year)
                if found:
                    return TypedDate(found)
            except InvalidValue as error:
                refusal = refusal or error
    if refusal:
        raise refusal
    text = _of_a_program(text)
    if day_first is None:
        day_first = date_patterns.day_first(text, patterns)
    try:
        return read_date(text, language=language, habits=DateHabits(day_first, year))
    except InvalidValue as error:
        if (way_out := _way_out(text, language, day_first, year)) is None:
            raise
        problem = f"{error.problem.rpartition(': ')[0]}: the mapping can say {way_out}"
        raise InvalidValue(text, problem) from None


def _of_a_program(text: str) -> str:
    """Return a date without what programs write beside what they know: +, midnight, zeros."""
    text = _FRACTION.sub("", text) if "T" in text or " " in text else text
    text = day_at_midnight(text.removeprefix("+"))
    return known[1] if (known := _ZEROS.fullmatch(text)) and known[1] != "0000" else text


def _way_out(text: str, language: str, day_first: bool | None, year: int | None) -> str | None:
    """Return the setting by which dates such as a refused one can be read; None if none can."""
    if count := date_patterns.count_of(number(text)):
        return f'date = "{count}", if it counts from 1970'
    if _COMPACT.fullmatch(text):
        return 'date = "%Y%m%d"'
    if day_first is None:
        try:
            read_date(text, language=language, habits=DateHabits(True, year))
        except InvalidValue:
            return None
        return "day_first = true, or false"
    return None


def _in_english(text: str, language: str) -> tuple[str, ...]:
    """Return a text and, if it has names of another language, the text with English ones."""
    if figures.is_english(language):
        return (text,)
    from timeline.model import month_names

    translated = month_names.in_english(text, language)
    return (text,) if translated is None else (text, translated)


def _at(
    found: TypedDate, column: str, style: Style, cells: Cells, left_out: list[LeftOut]
) -> TypedDate:
    """Return a day with the time of day in a column; a time that cannot be read is left out."""
    text = style.text(cells, column)
    if not text:
        return found
    if not _DAY.fullmatch(found.edtf):
        if "T" not in found.edtf:
            left_out.append(LeftOut(column, "is a time without a day", text))
        elif _PARTS.fullmatch(found.edtf):
            day, _, time = found.edtf.partition("T")
            other = _at(TypedDate(day), column, style, cells, left_out).edtf.partition("T")[2]
            if other and other[:5] != time[:5]:
                problem = f"{hints.quoted(text)} is not {time[:5]}, the time in the date: keep one"
                left_out.append(LeftOut(column, problem, text))
        return found
    try:
        if clock := _CLOCK.fullmatch(text):
            minute = f":{clock[2]}" if clock[2] else ""
            return found._replace(edtf=edtf.parse(f"{found.edtf}T{clock[1]:0>2}{minute}").edtf)
        return read_date(f"{found.edtf} {text}", language=style.language)
    except InvalidValue:
        problem = f"{hints.quoted(text)} is no time of day: write one from 00:00 to 23:59"
        left_out.append(LeftOut(column, problem, text))
        return found


def _is_part(text: str) -> bool:
    """Tell whether a text can be a month or a day in digits, or is empty."""
    return not text or (_WHOLE.fullmatch(text) is not None and len(text.partition(".")[0]) <= 2)


def _whole(text: str) -> int | None:
    """Return the whole number of a part, 0 for an unknown part, or None if it is no number."""
    if not text:
        return 0
    whole = _WHOLE.fullmatch(text)
    return int(whole[1]) if whole else None


def _month(text: str, language: str) -> int | None:
    """Return the number of a month, 0 for an unknown one, or None if it is no month."""
    if (number_ := _whole(text)) is not None:
        return number_
    for each in _in_english(text, language):
        name = each.strip(". ").lower()
        name = "sep" if name == "sept" else name
        for place, month in enumerate(MONTHS, 1):
            if name in (month.lower(), month[:3].lower()):
                return place
    return None
