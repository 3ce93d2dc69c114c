"""Read dates as people write them: "Mon, 14 Apr 2025, 3:30 pm CEST", "14.04.2025", "1914-1918".

Guarantees: each of these has one reading, or is refused with all of its readings; nothing that was
typed is lost on the way. A weekday must be that of the date. `edtf.parse` asks this module about
what is neither EDTF nor a phrase of `edtf_words`. It may not know today's date.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date

from timeline.errors import InvalidValue
from timeline.model import edtf_words
from timeline.model.edtf_words import MONTHS


def to_edtf(text: str) -> str | None:
    """Return the EDTF, unchecked, of a date as people write it; None if it cannot be read.

    Raises InvalidValue for what can be read in several ways, or contradicts itself.
    """
    named, plain = _without_weekdays(text)
    for rewrite in _REWRITES:
        plain = rewrite(plain)
    edtf = edtf_words.to_edtf(plain)
    if edtf is not None and named:
        edtf = _checked_weekdays(text, named, edtf)
    return edtf


def digits_with_readings(text: str) -> tuple[str, list[str]] | None:
    """Return the first date in digits, or with its month in letters, that is not plain EDTF.

    Its readings follow it: ISO days or months, or words for what lacks a year.
    """
    if match := _NUMERIC.search(text):
        return match[0], [*dict.fromkeys(_numeric_readings(*match.group(1, 3, 4)))]
    if match := _LETTERED.search(text):
        return match[0], [*dict.fromkeys(_lettered_readings(**match.groupdict()))]
    return None


# --- Weekdays -----------------------------------------------------------------------------

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKDAY = re.compile(
    r"\b(mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?)\b\.?,? ?(?:the )?(?=.*[0-9])",
    re.I,
)
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])")


def _without_weekdays(text: str) -> tuple[list[int], str]:
    """Return the weekdays that a text names, counted from Monday as 0, and the text without them.

    A weekday without digits behind it is no part of a date, and stays.
    """
    names = [name[:3].lower() for name in _WEEKDAYS]
    return [names.index(found[:3].lower()) for found in _WEEKDAY.findall(text)], _WEEKDAY.sub(
        "", text
    )


def _checked_weekdays(text: str, named: list[int], edtf: str) -> str | None:
    """Return the EDTF if its days have these weekdays; None if it has fewer days than those.

    Raises InvalidValue, with the weekday of the date, if they differ.
    """
    days = _DAY.findall(edtf)
    if len(named) > len(days):
        return None
    for weekday, numbers in zip(named, days, strict=False):
        try:
            day = date(*map(int, numbers))
        except ValueError:
            return edtf  # `edtf.parse` says what is wrong with this day
        if day.weekday() != weekday:
            said = edtf_words.to_words(day.isoformat())
            raise InvalidValue(
                text,
                f'"{text}" contradicts itself: {said} is a {_WEEKDAYS[day.weekday()]}, not a '
                f"{_WEEKDAYS[weekday]}: write the day that is meant, without its weekday",
            )
    return edtf


# --- Dates in digits ----------------------------------------------------------------------

_BEFORE, _AFTER = r"(?<![0-9:./+-])", r"(?![0-9./-]|:[0-9])"
_NUMERIC = re.compile(
    rf"{_BEFORE}(?![0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{_AFTER})"
    rf"([0-9]{{1,4}})([./-])([0-9]{{1,2}})\2([0-9]{{4}}|[0-9]{{1,2}}){_AFTER}"
)
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in map(str.lower, MONTHS)) + "|sept"
_LETTERED = re.compile(
    rf"(?<![0-9:./-])(?:(?P<day>[0-9]{{1,2}})([-/.])(?P<month>{_MONTH})\.?\2"
    r"(?P<year>[0-9]{4}|[0-9]{2})"
    rf"|(?<![0-9] )(?<!\. )\b(?P<word>{_MONTH})\.?[-/](?P<number>[0-9]{{4}}|[0-9]{{2}})"
    rf"(?!,? (?:{_MONTH}))"
    rf"|(?P<alone>[0-9]{{1,2}})-(?P<of>{_MONTH})(?!\.?,? [0-9]{{4}}))(?![0-9/.-]|\w)",
    re.I,
)
_LAST_OF_THIS_CENTURY = 29
"""The year of two digits, in number, that is the last of the 2000s: Excel reads 29 and 30 so."""


def _numeric_readings(one: str, two: str, three: str) -> Iterator[str]:
    """Yield the days that three numbers can stand for, in all usual orders, as ISO dates."""
    orders: list[tuple[tuple[str, ...], str, str]]
    if len(one) == 4:
        orders = [((one,), two, three)]
    elif len(one) > 2 or len(three) not in (2, 4):
        return
    elif len(three) == 4:
        orders = [((three,), two, one), ((three,), one, two)]
    else:
        orders = [(_years(three), two, one), (_years(three), one, two)]
        orders += [(_years(one), two, three)] if len(one) == 2 else []
    for years, month, day in orders:
        for year in years:
            yield from _day(year, month, day)


def _lettered_readings(
    day: str | None,
    month: str | None,
    year: str | None,
    word: str | None,
    number: str | None,
    alone: str | None,
    of: str | None,
) -> Iterator[str]:
    """Yield the readings of "15-Apr-25", of "Apr-2025" or "Apr-25", and of "25-Apr".

    Excel shows April 2025 as Apr-25, and 25 April of some year as 25-Apr.
    """
    name = month or word or of or ""
    code = [each[:3].lower() for each in MONTHS].index(name[:3].lower()) + 1
    if day and year:
        for each in _years(year):
            yield from _day(each, str(code), day)
    elif count := number or alone:
        yield from (f"{each}-{code:02d}" for each in _years(count.zfill(2)))
        if len(count) <= 2:
            yield f"{int(count)} {name[:3].capitalize()} without a year"


def _years(text: str) -> tuple[str, ...]:
    """Return the years that a text can stand for: of 68 both 1968 and 2068, of 25 only 2025."""
    if len(text) == 4:
        return (text,)
    return (f"20{text}",) if int(text) <= _LAST_OF_THIS_CENTURY else (f"19{text}", f"20{text}")


def _day(year: str, month: str, day: str) -> Iterator[str]:
    try:
        yield date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return


def _with_days_in_order(text: str) -> str:
    """Put ISO dates in place of dates in digits that have one reading, and refuse those of several.

    What has no reading stays. A refusal says each reading of the whole text.
    """
    done = ""
    while found := digits_with_readings(text):
        token, readings = found
        start = text.index(token)
        if len(readings) > 1:
            raise InvalidValue(text, _several(done + text, done + text[:start], token, readings))
        done += text[:start] + (readings[0] if readings else token)
        text = text[start + len(token) :]
    return done + text


def _several(text: str, before: str, token: str, readings: list[str]) -> str:
    """Say in which ways a date can be read, each with all other parts of the text."""
    after = text[len(before) + len(token) :]
    shown = " or ".join(_reading_in_words(before, reading, after) for reading in readings)
    return f'"{text}" can be read as {shown}: write one of these'


def _reading_in_words(before: str, reading: str, after: str) -> str:
    if not reading[-1].isdecimal():
        return reading
    try:
        whole = to_edtf(f"{before}{reading}{after}") or reading
    except InvalidValue:
        whole = reading
    beside, blank, date = whole.rpartition(" ")
    return f"{beside}{blank}{edtf_words.to_words(date)} ({date})"


# --- Times --------------------------------------------------------------------------------

_ZONES = {
    "wet": "+00:00", "west": "+01:00", "cet": "+01:00", "cest": "+02:00", "eet": "+02:00",
    "eest": "+03:00", "msk": "+03:00", "trt": "+03:00", "eat": "+03:00", "cat": "+02:00",
    "wat": "+01:00", "sast": "+02:00", "pkt": "+05:00", "wib": "+07:00", "hkt": "+08:00",
    "sgt": "+08:00", "jst": "+09:00", "kst": "+09:00", "aest": "+10:00", "aedt": "+11:00",
    "nzst": "+12:00", "nzdt": "+13:00", "edt": "-04:00", "est": "-05:00", "cdt": "-05:00",
    "mst": "-07:00", "mdt": "-06:00", "pst": "-08:00", "pdt": "-07:00", "akst": "-09:00",
    "akdt": "-08:00", "hst": "-10:00",
}  # fmt: skip
"""Abbreviations of time zones that stand for one offset."""
_UNCLEAR_ZONES = {
    "cst": ("-06:00 (America)", "+08:00 (China)"),
    "ist": ("+05:30 (India)", "+02:00 (Israel)", "+01:00 (Ireland)"),
    "bst": ("+01:00 (Britain)", "+06:00 (Bangladesh)"),
    "ast": ("-04:00 (Atlantic)", "+03:00 (Arabia)"),
    "gst": ("+04:00 (Gulf)", "+10:00 (Guam)"),
}
_FRACTION = re.compile(r"(?<=[0-9]:[0-9]{2}:[0-9]{2})\.([0-9]+)")
_MIDNIGHT = re.compile(r"(?<=[0-9])(?:t|,? )0?0:00:00\.0+ ?(?:z|utc|gmt)?$", re.I)
_SHORT_OFFSET = re.compile(r"((?::[0-9]{2}|[tT][0-9]{2}) ?[+-][0-9]{2})([0-9]{2})$")
_ZONE = re.compile(
    rf"(?<=[0-9r]) ?\(?\b({'|'.join([*_ZONES, *_UNCLEAR_ZONES])})\b\)?(?= on |$| to | - )", re.I
)
_TWELVE = re.compile(r"(?<![0-9:.])(1[0-2]|0?[1-9])((?::[0-9]{2}){0,2}) ?([ap])\.?m\b\.?", re.I)


def _without_fraction(text: str) -> str:
    """Drop the fraction of a second where it is zero; raise InvalidValue where it is not.

    A midnight with a fraction of zero is the day itself: a machine wrote it, and nobody said it.
    """
    text = _MIDNIGHT.sub("", text)
    if (fraction := _FRACTION.search(text)) and fraction[1].strip("0"):
        whole = _FRACTION.sub("", text)
        raise InvalidValue(text, f'"{text}" has a fraction of a second: write {whole}')
    return _FRACTION.sub("", text)


def _with_offset(text: str) -> str:
    """Write the offset of a zone that is named by its letters: +02:00 for CEST and for +0200."""
    if (named := _ZONE.search(text)) and (offsets := _UNCLEAR_ZONES.get(named[1].lower())):
        name = named[1].upper()
        raise InvalidValue(
            text, f'"{name}" is the time zone of {" or ".join(offsets)}: write the offset instead'
        )
    text = _SHORT_OFFSET.sub(r"\1:\2", text)
    return _ZONE.sub(lambda match: f" {_ZONES[match[1].lower()]}", text).replace(" +00:00", " utc")


def _with_24_hours(text: str) -> str:
    """Write a time with am or pm on the clock of 24 hours; 12 am is 00:00.

    An hour without minutes stays an hour.
    """

    def rewritten(match: re.Match[str]) -> str:
        hour = int(match[1]) % 12 + (12 if match[3] in "pP" else 0)
        if match[2]:
            return f"{hour:02d}{match[2]} "
        return f"in {hour:02d}:00 hour "

    return " ".join(_TWELVE.sub(rewritten, text).split())


# --- Other habits -------------------------------------------------------------------------

_BARE_YEAR = re.compile(r"(^|[a-z]\.? )(?<!\bad )([1-9][0-9]{2})(?=$| to | on\b| or\b)", re.I)
_RANGE = re.compile(
    r" - |(?<=[0-9])\.\.(?=[0-9])"
    r"|(?<=[a-z])(?<!utc)(?<!gmt) ?- ?(?=[a-z0-9])(?![0-9]{2}:?[0-9]{2}\b)"
    r"|(?<=[0-9]) ?- ?(?=[a-z])(?![qh][1-4])",
    re.I,
)
_RANGE_OF_YEARS = re.compile(r"(?<![0-9-])([0-9]{3,4}) ?- ?(?=[0-9]{3,4}(?![0-9:-]))")
_RANGE_OF_DAYS = re.compile(r"([./][0-9]{2,4})-(?=[0-9]{1,2}[./])")
_VAGUE = re.compile(r"\b(?:early|mid|late)\b", re.I)


def _with_possibly(text: str) -> str:
    """Say "possibly" in place of a question mark behind a date in words."""
    match = re.fullmatch(r"(.*[a-z].*?(?= ?\?)|.+(?= )) ?\?", text, re.I)
    return f"possibly {match[1]}" if match else text


def _with_era(text: str) -> str:
    """Say that a year of three digits is one: 987 AD."""
    return _BARE_YEAR.sub(r"\1\2 ad", text)


def _with_to(text: str) -> str:
    """Write "to" in place of the hyphen between two dates."""
    if _VAGUE.search(text):
        return text
    return _RANGE.sub(" to ", _RANGE_OF_YEARS.sub(r"\1 to ", text))


def _with_to_between_days(text: str) -> str:
    """Write "to" in place of the hyphen between two dates in digits: 13.04.2025-15.04.2025."""
    return _RANGE_OF_DAYS.sub(r"\1 to ", text)


def _without_point(text: str) -> str:
    """Drop the point behind a day or a month: 15. April 2025."""
    return re.sub(rf"\b([0-9]{{1,2}})\. ?(?=(?:{_MONTH})\b)", r"\1 ", text, flags=re.I)


_REWRITES: tuple[Callable[[str], str], ...] = (
    _without_fraction,
    _without_point,
    _with_to_between_days,
    _with_days_in_order,
    _with_24_hours,
    _with_offset,
    _with_possibly,
    _with_to,
    _with_era,
)
