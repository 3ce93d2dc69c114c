"""Read dates in what people type or keep in sheets: options, forms and cells.

Guarantees: what may be a span of years or a part of a year (2023-24) is refused with both readings.
What EDTF cannot say so vaguely (mid-April 2025) becomes an interval, and its words are kept. The
result is EDTF that every version of Timeline reads.

JSON, Python and the entries of a log never come here: for them `edtf.parse` reads 2023-24 as EDTF.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Literal, NamedTuple

from timeline.errors import InvalidValue
from timeline.model import edtf, edtf_words, figures
from timeline.model.date_habits import NO_HABITS, DateHabits, settled
from timeline.model.edtf_words import plain, year_of_edtf
from timeline.model.patterns import lazy_pattern

Spans = Literal["alone", "column", "taken"]
"""Tells how YYYY-NN is read where it may be a span of years.

"alone": the date stands by itself. "column": other cells of its column are spans of years, so
2011-12 is in doubt too. "taken": a person said that such cells are spans.
"""


VAGUE = ("occurred_text", "occurred_basis")
"""The fields, by name, that keep the words of a vague date."""


def stale(changed: Iterable[str], before: Mapping[str, object]) -> tuple[str, ...]:
    """Return the fields of an event that go with its old date, if `changed` has a new date only.

    The words that a date was resolved from say nothing about another date.
    """
    is_stale = before.get("occurred_basis") == "resolved"
    names = {*changed}
    return VAGUE if is_stale and "occurred" in names and names.isdisjoint(VAGUE) else ()


class TypedDate(NamedTuple):
    """A date that was read, and the words that it was read from if they say it more vaguely."""

    edtf: str
    words: str | None = None

    @property
    def fields(self) -> dict[str, str]:
        """Return the fields of an event that say this date."""
        if self.words is None:
            return {"occurred": self.edtf}
        words = {"occurred_text": self.words, "occurred_basis": "resolved"}
        return {"occurred": self.edtf, **words}


def read(
    text: str, spans: Spans = "alone", language: str = "en", habits: DateHabits = NO_HABITS
) -> TypedDate:
    """Read a date that a person typed, in English or in the language of the log.

    `habits` settle what the date alone leaves in doubt. Raises InvalidValue, with all readings if
    it has several.
    """
    typed = settled(text, habits)
    try:
        date = _in_language(typed, spans, language)
    except InvalidValue as error:
        if (
            habits.year is None
            or (whole := _with_year(typed, habits.year, spans, language)) is None
        ):
            raise InvalidValue(text, error.problem) from None
        date = whole
    return date if date.words is None else date._replace(words=" ".join(text.split()))


def readings(text: str, language: str = "en") -> list[str]:
    """Return what a date may mean that `read` refuses because it has several readings.

    Each is a text that `read` takes. The list is empty for any other text.
    """
    from timeline.model.edtf_variants import digits_with_readings

    date = plain(text)
    several: list[str] = []
    if (match := _YEAR_AND_NUMBER.fullmatch(date)) and _reading(match, "alone") == "both":
        first, last = _years(match)
        several = [edtf.phrase(f"{match[1]}-{match[2]}"), f"{first:04d}/{last:04d}"]
    elif found := digits_with_readings(date):
        several = [date.replace(found[0], each, 1) for each in found[1]]
    known = [each for each in several if _is_read(each, language)]
    return known if len(known) > 1 else []


def _is_read(text: str, language: str) -> bool:
    try:
        read(text, language=language)
    except InvalidValue:
        return False
    return True


def _with_year(text: str, year: int, spans: Spans, language: str) -> TypedDate | None:
    """Read a date that lacks only its year, with this one; None if it lacks more."""
    from timeline.model import edtf_problems

    def parse(words: str) -> TypedDate:
        return _in_language(words, spans, language)

    whole = edtf_problems.with_year(text, parse, (f"{year:04d}",))
    return None if whole is None else parse(whole)


def _in_language(text: str, spans: Spans, language: str) -> TypedDate:
    if figures.is_english(language):
        return _read(text, spans)
    from timeline.model import month_names

    month_names.check_clear(text, language)
    try:
        return _read(text, spans)
    except InvalidValue:
        if (translated := month_names.in_english(text, language)) is None:
            raise
    try:
        return _read(translated, spans)
    except InvalidValue as error:
        raise InvalidValue(text, error.problem) from None


def _read(text: str, spans: Spans) -> TypedDate:
    date = plain(text)
    if written := _as_written(date):
        return TypedDate(written)
    if span := _span_of_years(date, spans):
        return TypedDate(span)
    if (vague := _resolved(date)) is not None:
        return TypedDate(vague, " ".join(text.split()))
    return TypedDate(edtf_words.one_date(edtf.parse(_MIDNIGHT.sub(r"\1", text)).edtf))


def _as_written(text: str) -> str | None:
    """Return the EDTF in brackets of a time as pages print it, by the clock of the log before it.

    For example that of "15 April 2025, 03:00 (14 April 2025, 20:00 -04:00)". Returns None for any
    other text.
    """
    if (dates := _by_two_clocks(text)) is None:
        return None
    here, written = dates
    if "T" not in written.edtf or here.precision != written.precision:
        return None
    for one, other in (
        (here.occurred_from, written.occurred_from),
        (here.occurred_to, written.occurred_to),
    ):
        if (one is None) != (other is None):
            return None
        if one and other and not _is_near(edtf.numbers(one), edtf.numbers(other)):
            problem = f'"{text}" has two times that are more than a day apart: write one of them'
            raise InvalidValue(text, problem)
    return written.edtf


def _by_two_clocks(text: str) -> tuple[edtf.Occurred, edtf.Occurred] | None:
    """Return the date before brackets and the date in them; each may have brackets of its own."""
    brackets = re.finditer(r" \(", text) if text.endswith(")") else iter(())
    for bracket in islice(brackets, _MOST_BRACKETS):
        try:
            return edtf.parse(text[: bracket.start()]), edtf.parse(text[bracket.end() : -1])
        except InvalidValue:
            continue
    return None


def _is_near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Return whether two bounds are at most about a day apart, by their years, months and days."""
    days = [(year * 12 + month) * 31 + day for year, month, day in (one[:3], other[:3])]
    return abs(days[0] - days[1]) <= 4


_MOST_BRACKETS = 8
"""Brackets that are tried, at most; a page prints five, "10 AD (Y1E1) to 20 AD (Y2E1) (...)"."""
_MIDNIGHT = lazy_pattern(r"^(\s*[0-9]{4}-[0-9]{2}-[0-9]{2}) 0?0:00:00\s*$")
"""A day with a midnight that a program added to it."""


def written(date: str) -> str:
    """Write EDTF so that `read` reads it back: a part of a year (2025-33) in words."""
    return edtf.phrase(date) if _PART_OF_YEAR.search(date) else date


def former(text: str) -> str | None:
    """Return what "before" and "after" meant while they included the date that they name, in EDTF.

    Returns None for any other text.
    """
    if (match := _BESIDE.fullmatch(text.strip())) is None:
        return None
    try:
        return edtf.parse(f"{'by' if match[1].lower() == 'before' else 'since'} {match[2]}").edtf
    except InvalidValue:
        return None


_BESIDE = lazy_pattern(r"(before|after) (.+)", re.I)


def resolved(statement: object, language: str = "en") -> object:
    """Return a statement in JSON with its vague date as an interval, beside the words of it.

    A date with the names of the log's language is returned in EDTF. Anything else, and any other
    date, is returned as it is.
    """
    if not isinstance(statement, dict) or not isinstance(text := statement.get("occurred"), str):
        return statement
    try:
        date = _resolved(plain(text))
        if date is None and not figures.is_english(language):
            return {**statement, "occurred": _in_json(text, language)}
    except InvalidValue:
        return statement  # the model refuses it, and knows its line
    if date is None:
        return statement
    return {**TypedDate(date, " ".join(text.split())).fields, **statement, "occurred": date}


def _in_json(text: str, language: str) -> str:
    """Read a date in the language of the log as JSON has it: 2023-24 is EDTF."""
    from timeline.model import month_names

    month_names.check_clear(text, language)
    try:
        return edtf.parse(text).edtf
    except InvalidValue:
        return edtf.parse(month_names.in_english(text, language) or text).edtf


# --- Spans of years -----------------------------------------------------------------------

_PART_OF_YEAR = lazy_pattern(r"(?<![0-9])[0-9]{4}-(?:2[1-9]|3[0-9]|4[01])(?![0-9-])")
_YEAR_AND_NUMBER = lazy_pattern(r"(?<![0-9:.-])([0-9]{4}) ?- ?([0-9]{2})(?![0-9:]|-[0-9])")
_AROUND = lazy_pattern(r"((?:[a-z]+\.? ?){0,2}) ?YEARS ?([?~%]?)", re.I)


def is_span(text: str) -> bool:
    """Return whether a text can only be a span of years, or is refused because it may be one."""
    match = _YEAR_AND_NUMBER.fullmatch(plain(text))
    return match is not None and _reading(match, "alone") != "edtf"


def _reading(match: re.Match[str], spans: Spans) -> Literal["edtf", "span", "both"]:
    """Return how a year and two digits are read: as EDTF has it, as a span of years, or as both."""
    before, behind = int(match[1][2:]), int(match[2])
    if not (behind > before or (before == 99 and behind == 0)):
        return "edtf"
    if behind and behind <= 12:
        if spans == "alone" or behind != before + 1:
            return "edtf"
        return "span" if spans == "taken" else "both"
    return "both" if 21 <= behind <= 41 and spans != "taken" else "span"


def _span_of_years(text: str, spans: Spans) -> str | None:
    """Return the interval of a span of years such as 1914-18; None if the text has none.

    Raises InvalidValue if it may be a part of a year too, or stands within another date.
    """
    for match in _YEAR_AND_NUMBER.finditer(text):
        reading = _reading(match, spans)
        if reading == "edtf":
            continue
        first, last = _years(match)
        if reading == "both":
            raise InvalidValue(text, _both(match, first, last))
        around = _AROUND.fullmatch(f"{text[: match.start()]}YEARS{text[match.end() :]}")
        if around is None or (around[1] and not _is_qualifier(around[1])):
            problem = f'"{match[0]}" is a span of years within another date: write both years'
            raise InvalidValue(text, f"{problem} in full, such as {first:04d}/{last:04d}")
        sides = (edtf.parse(f"{around[1]} {year:04d}{around[2]}") for year in (first, last))
        return "/".join(side.edtf for side in sides)
    return None


def _years(match: re.Match[str]) -> tuple[int, int]:
    """Return the first and the last year of a span such as 1998-02."""
    first, last = int(match[1]), int(match[1]) // 100 * 100 + int(match[2])
    return first, last + 100 if last < first else last


def _is_qualifier(words: str) -> bool:
    try:
        return edtf.parse(f"{words} 2000").edtf in ("2000~", "2000?", "2000%")
    except InvalidValue:
        return False


def _both(match: re.Match[str], first: int, last: int) -> str:
    """Say in words both readings of a year and two digits."""
    code = f"{match[1]}-{match[2]}"
    try:
        part = edtf.phrase(code)
        advice = f'"{part}"'
    except InvalidValue:  # a third of a year, which has no words
        part = f"a third of {match[1]}"
        start = (int(match[2]) - 37) * 4 + 1
        advice = f"{match[1]}-{start:02d}/{match[1]}-{start + 3:02d}"
    return (
        f'"{match[0]}" can be read as {part} or {first} to {last}: '
        f"write {advice} or {first:04d}/{last:04d}"
    )


# --- Vague dates --------------------------------------------------------------------------


def _resolved(text: str) -> str | None:
    """Return the EDTF that a vague date stands for; None for any other text."""
    if vague := _VAGUE.fullmatch(text):
        return _third(text, vague[1].lower(), vague[2])
    if (part := _PART_OF_DAY.fullmatch(text)) and (day := _day_alone(part[1])):
        return day
    shown = _in_format_1(text)
    return None if shown is None else edtf.parse(shown).edtf


_VAGUE = lazy_pattern(r"(?:in )?(?:the )?(early|mid|middle|late)[ -]+(?:of )?(?:the )?(.+)", re.I)
_PART_OF_DAY = lazy_pattern(
    r"(.*[0-9].*?),? \(?(?:in the |at )?(?:early |mid-?|late )?"
    r"(?:morning|afternoon|evening|night|noon|midday|midnight|dawn|dusk)\)?",
    re.I,
)
_DAYS = {"early": (1, 10), "mid": (11, 20), "late": (21, 31)}
_MONTHS = {"early": (1, 4), "mid": (5, 8), "late": (9, 12)}
_YEARS = {"early": (0, 3), "mid": (4, 6), "late": (7, 9)}
_MONTH_OF_SEASON = {"early": 0, "mid": 1, "late": 2}


def _day_alone(text: str) -> str | None:
    """Return the EDTF of a text that is one day; None for any other text."""
    try:
        when = edtf.parse(text)
    except InvalidValue:
        return None
    return when.edtf if when.precision == "day" and "/" not in when.edtf else None


def _third(text: str, which: str, rest: str) -> str:
    """Return the first, middle or last third of a month, a season, a year or a decade, in EDTF."""
    which = "mid" if which == "middle" else which
    try:
        when = edtf.parse(rest)
    except InvalidValue as error:
        problem = error.problem.replace(rest, f"{text[: len(text) - len(rest)]}{rest}")
        raise InvalidValue(text, problem) from None
    year, month, *_ = edtf.numbers(when.occurred_from) if when.occurred_from else (10**6, 0)
    has_thirds = abs(year) <= 9998 and not re.search(r"[?~%]|-XX", when.edtf)
    match when.precision if has_thirds else None:
        case "month":
            _, _, end, *_ = edtf.numbers(str(when.occurred_to))
            first, last = _DAYS[which]
            days = (
                f"{year_of_edtf(year)}-{month:02d}-{day:02d}" for day in (first, min(last, end))
            )
            return "/".join(days)
        case "season":
            count = month - 1 + _MONTH_OF_SEASON[which]
            return f"{year_of_edtf(year + count // 12)}-{count % 12 + 1:02d}"
        case "year":
            return "/".join(f"{year_of_edtf(year)}-{each:02d}" for each in _MONTHS[which])
        case "decade":
            return "/".join(year_of_edtf(year + each) for each in _YEARS[which])
    raise InvalidValue(
        text,
        f'"{text}" is vague: early, mid and late go with a month, a season, a year or a decade: '
        "write the days or months it stands for, such as 2025-04-11/2025-04-20",
    )


# --- EDTF that format 1 has no room for ---------------------------------------------------


def in_fields(statement: dict[str, Any]) -> dict[str, Any]:
    """Return an event whose date is EDTF that format 1 has no room for with a date that it has.

    The date as it was written stands beside it. Any other event is returned as it is.
    """
    text = statement.get("occurred")
    if not isinstance(text, str) or not _MAY_SAY_MORE.search(text):
        return statement
    try:
        shown = _in_format_1(plain(text))
    except InvalidValue:
        return statement  # the field refuses it
    if shown is None:
        return statement
    return {**TypedDate(shown, plain(text)).fields, **statement, "occurred": shown}


_MAY_SAY_MORE = lazy_pattern("[xX?~%]")

_OPEN = lazy_pattern(r"(-?[0-9]{4})-(?:([01])X|([0-9]{2})-([0-3])X)([?~%]?)", re.I)
_SYMBOLS = "[?~%]?"
_QUALIFIED = lazy_pattern(
    rf"{_SYMBOLS}-?[0-9]{{4}}{_SYMBOLS}(?:-{_SYMBOLS}[0-9]{{2}}{_SYMBOLS}){{0,2}}"
)


def _in_format_1(text: str) -> str | None:
    """Return the EDTF of format 1 for EDTF that says more; None for any other text.

    Digits left open (1984-1X) become an interval, and qualifiers of parts go to the end.
    """
    sides = text.split("/")
    if len(sides) > 2:
        return None
    left, right = _side(sides[0]), _side(sides[-1])
    if left is None and right is None:
        return None
    first = left[0] if left else sides[0]
    last = right[1] if right else sides[-1]
    return first if first == last else f"{first}/{last}"


def _side(text: str) -> tuple[str, str] | None:
    """Return the first and the last date of what format 1 cannot say; None for any other text."""
    if match := _OPEN.fullmatch(text):
        return _ends(*match.groups())
    if not _QUALIFIED.fullmatch(text):
        return None
    try:
        edtf.parse(text)
    except InvalidValue:
        symbols = set(re.findall("[?~%]", text))
        plain = re.sub("[?~%]", "", text)
        date = plain + (symbols.pop() if len(symbols) == 1 else "%" if symbols else "")
        return date, date
    return None


def _ends(
    year: str, tens: str | None, month: str | None, tens_of_day: str | None, qualifier: str
) -> tuple[str, str] | None:
    """Return the first and the last date of one with its last digit left open."""
    if tens:
        first, last = (1, 9) if tens == "0" else (10, 12)
        return f"{year}-{first:02d}{qualifier}", f"{year}-{last:02d}{qualifier}"
    whole = edtf.parse(f"{year}-{month}")
    _, _, length, *_ = edtf.numbers(str(whole.occurred_to))
    first = max(int(tens_of_day or 0) * 10, 1)
    last = min(int(tens_of_day or 0) * 10 + 9, length)
    if whole.precision != "month" or first > last:
        return None
    return f"{year}-{month}-{first:02d}{qualifier}", f"{year}-{month}-{last:02d}{qualifier}"
