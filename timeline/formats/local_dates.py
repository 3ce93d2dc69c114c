"""Put dates and times into words of the language in which a page speaks, by CLDR.

Guarantees: every date that `timeline.model.edtf` accepts has words in every language, and two
different dates never have the same words. A marker in parentheses says how a date is not exact,
"квітень 2025 (приблизно)": so no grammar of any language is needed here. English has the words of
`timeline.model.edtf_words`.

Digits are always 0 to 9. Babel has the data of CLDR; it is imported for the first word that is not
English.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from timeline.languages.translation import current, gettext, pgettext
from timeline.model import edtf, edtf_words
from timeline.model.clock_bounds import Bound

if TYPE_CHECKING:
    from babel import Locale

_Pattern = tuple[tuple[str, str | tuple[str, int]], ...]
"""The parts of a CLDR pattern: literal texts, and letters with how often they stand there."""

_QUALIFIER = re.compile("[?~%]")
_TIME = re.compile(r"(.+)T([0-9:]+)(.*)")
_PLAIN_DAY = re.compile("([1-9][0-9]{3})-[0-9]{2}-[0-9]{2}")
_PLAIN_MONTH = re.compile("([1-9][0-9]{3})-(?:0[1-9]|1[0-2])")
_PLAIN_YEARS = range(1000, 10_000)
"""The years that stand without an era."""


def date_words(text: str, *, ongoing: bool = False) -> str:
    """Return the words of a date that `edtf.parse` accepts.

    What is `ongoing` goes on since then; anything else happened then or later.
    """
    if (language := current()) == "en":
        return edtf.phrase(text, ongoing=ongoing)
    return _words(edtf.parse(text).edtf, ongoing, language)


def period_words(first: str, last: str) -> str:
    """Return the words of a period between two dates: "1790 to 1799"; of one date if both agree."""
    one, other = date_words(first), date_words(last)
    if one == other:
        return one
    if (language := current()) == "en":
        return f"{one} to {other}"
    left, right = (edtf.parse(each).edtf for each in (first, last))
    return _within_year(left, right, language) or _joined(one, other, language)


def day_and_time(text: str) -> tuple[str, str]:
    """Return the words of a date with a time of day in two parts: its day, and its time."""
    if (language := current()) == "en":
        day, _, clock = edtf.phrase(text).rpartition(", ")
        return day, clock
    if time := _TIME.fullmatch(text):
        return _point(time[1], language), f"{_clock(time[2])}{_zone(time[3])}"
    return date_words(text), ""


def clock_words(time: str) -> str:
    """Return a time of day, such as "13:05" or "13:05:09"."""
    if (language := current()) == "en":
        return time
    hour, minute, *second = map(int, time.split(":"))
    pattern = _pattern(language, "Hms" if second else "Hm")
    return _filled(pattern, (1, 1, 1, hour, minute, *second), language)


def day_of_year(month: int, day: int, *, is_short: bool = False) -> str:
    """Return a day without its year: "15 April", or in short "15 Apr"."""
    if (language := current()) == "en":
        name = edtf_words.MONTHS[month - 1]
        return f"{day} {name[:3] if is_short else name}"
    return _filled(_pattern(language, "MMMd" if is_short else "MMMMd"), (1, month, day), language)


def month_name(month: int) -> str:
    """Return the short name of a month, by its number from 1 to 12: "Apr"."""
    if (language := current()) == "en":
        return edtf_words.MONTHS[month - 1][:3]
    return str(locale_of(language).months["stand-alone"]["abbreviated"][month])


def weekday_name(number: int) -> str:
    """Return the name of a day of the week: "Monday" for 0."""
    return str(locale_of(current()).days["stand-alone"]["wide"][number])


def city_of(time_zone: str) -> str:
    """Return the city by which a time zone is known: "Kyiv" for Europe/Kyiv."""
    city = time_zone.rpartition("/")[2].replace("_", " ")
    if (language := current()) == "en":
        return city
    from babel.dates import get_timezone_location

    return get_timezone_location(time_zone, locale=locale_of(language), return_city=True) or city


@cache
def locale_of(language: str) -> Locale:
    """Return the data of CLDR about a language."""
    from babel import Locale

    return Locale.parse(language)


@lru_cache(maxsize=8192)
def _words(text: str, ongoing: bool, language: str) -> str:
    """Return the words of canonical EDTF in a language, which is the current one."""
    if text == "../..":
        return gettext("date unknown")
    left, slash, right = text.partition("/")
    if not slash:
        return _point(text, language)
    if left == "..":
        return _marked(_point(right, language), pgettext("date", "or earlier"))
    if not left:
        return _marked(_point(right, language), pgettext("date", "end; start unknown"))
    if right == "..":
        marker = pgettext("date", "since then") if ongoing else pgettext("date", "or later")
        return _marked(_point(left, language), marker)
    if not right:
        return _marked(_point(left, language), pgettext("date", "start; end unknown"))
    short = _within_year(left, right, language) or _within_day(left, right, language)
    return short or _joined(_point(left, language), _point(right, language), language)


def _marked(words: str, marker: str) -> str:
    return f"{words} ({marker})"


def _joined(left: str, right: str, language: str) -> str:
    return str(locale_of(language).interval_formats[None]).format(left, right)


# --- One date -----------------------------------------------------------------------------


def _point(text: str, language: str) -> str:
    """Return the words of one date: of one side of an interval, or of no interval.

    Those of a rare form have the EDTF after them.
    """
    plain = _QUALIFIER.sub("", text)
    if plain != text:
        words = _marked(_point(plain, language), _certainty({*_QUALIFIER.findall(text)}))
        return words if plain == text[:-1] else _marked(words, text)
    if time := _TIME.fullmatch(text):
        return _joined_time(_point(time[1], language), _clock(time[2]), time[3], language)
    when = edtf.parse(text)
    first, last = (edtf.numbers(str(bound)) for bound in (when.occurred_from, when.occurred_to))
    year = _year(first[0], language)
    if re.search("[SE]", text):
        return _marked(_years(first, last, language), text)
    match when.precision:
        case "day":
            return _dated(first, "yMMMMd", language)
        case "month":
            words = _dated(first, "yMMMM", language)
            return _marked(words, pgettext("date", "day unknown")) if "X" in text else words
        case "quarter":
            return _dated(first, "yQQQQ", language)
        case "season":
            return _season(int(text[-2:]), year)
        case "half_year":
            is_first = first[1] == 1
            half = gettext("first half of {year}") if is_first else gettext("second half of {year}")
            return half.format(year=year)
        case "decade":
            return _marked(_years(first, last, language), gettext("decade"))
        case "century":
            return _marked(_years(first, last, language), gettext("century"))
    if text.endswith("-XX-XX"):
        return _marked(year, pgettext("date", "month and day unknown"))
    return _marked(year, pgettext("date", "month unknown")) if text.endswith("-XX") else year


def _certainty(symbols: set[str]) -> str:
    match [*symbols]:
        case ["?"]:
            return pgettext("date", "uncertain")
        case ["~"]:
            return pgettext("date", "approximate")
    return pgettext("date", "uncertain and approximate")


def _season(code: int, year: str) -> str:
    """Return a season by its EDTF code: 21 to 24, northern 25 to 28, southern 29 to 32."""
    seasons = (
        gettext("spring {year}"),
        gettext("summer {year}"),
        gettext("autumn {year}"),
        gettext("winter {year}"),
    )
    words = seasons[(code - 21) % 4].format(year=year)
    if code < 25:
        return words
    return _marked(
        words, gettext("northern hemisphere") if code < 29 else gettext("southern hemisphere")
    )


def _years(first: Bound, last: Bound, language: str) -> str:
    one, other = (_year(bound[0], language) for bound in (first, last))
    return one if one == other else _joined(one, other, language)


def _year(year: int, language: str) -> str:
    return _dated((year, 1, 1), "y", language)


def _dated(bound: Bound, skeleton: str, language: str) -> str:
    """Return a date by a pattern of CLDR, with an era where the year needs one.

    A month or a quarter has no words after its year: "квітень 2025", as beside a marker.
    """
    pattern = _pattern(language, skeleton)
    if skeleton != "yMMMMd":
        pattern = _up_to_year(pattern)
    words = _filled(pattern, bound, language)
    if bound[0] in _PLAIN_YEARS:
        return words
    return f"{words} {locale_of(language).eras['abbreviated'][int(bound[0] > 0)]}"


# --- Times, and intervals in short --------------------------------------------------------


def _clock(time: str) -> str:
    """Return a time of day as EDTF writes it; of an hour alone it is said that it is an hour."""
    if ":" in time:
        return clock_words(time)
    return _marked(clock_words(f"{time}:00"), pgettext("date", "within the hour"))


def _joined_time(day: str, clock: str, zone: str, language: str) -> str:
    form = str(locale_of(language).datetime_formats["medium"])
    return form.format(f"{clock}{_zone(zone)}", day)


def _zone(zone: str) -> str:
    return {"": "", "Z": " UTC"}.get(zone, f" {zone}")


def _within_day(left: str, right: str, language: str) -> str | None:
    """Return two times in short if they have one day and one zone: the day is said once."""
    begin, end = _TIME.fullmatch(left), _TIME.fullmatch(right)
    if not begin or not end or (begin[1], begin[3]) != (end[1], end[3]):
        return None
    clocks = _joined(_clock(begin[2]), _clock(end[2]), language)
    return _joined_time(_point(begin[1], language), clocks, begin[3], language)


def _within_year(left: str, right: str, language: str) -> str | None:
    """Return two days or two months in short if they have one year: it is said once."""
    for plain, skeleton in ((_PLAIN_DAY, "yMMMd"), (_PLAIN_MONTH, "yMMMM")):
        begin, end = plain.fullmatch(left), plain.fullmatch(right)
        if begin and end and begin[1] == end[1] and left != right:
            differs = "M" if left[:7] != right[:7] else "d"
            patterns = _interval(language, skeleton, differs)
            bounds = (edtf.numbers(str(edtf.parse(each).occurred_from)) for each in (left, right))
            return "".join(
                _filled(pattern, bound, language)
                for pattern, bound in zip(patterns, bounds, strict=True)
            )
    return None


# --- Patterns of CLDR ---------------------------------------------------------------------


@cache
def _pattern(language: str, skeleton: str) -> _Pattern:
    from babel.dates import tokenize_pattern

    return (*tokenize_pattern(locale_of(language).datetime_skeletons[skeleton].pattern),)


@cache
def _interval(language: str, skeleton: str, differs: str) -> tuple[_Pattern, _Pattern]:
    """Return the patterns of both sides of an interval, with the names of months in full."""
    from babel.dates import tokenize_pattern

    formats = locale_of(language).interval_formats
    sides = formats.get(skeleton.replace("MMM", "MMMM")) or formats[skeleton]
    first, last = (
        tuple(("field", ("M", 4)) if token == ("field", ("M", 3)) else token for token in side)
        for side in map(tokenize_pattern, sides[differs])
    )
    return first, last if skeleton == "yMMMd" else _up_to_year(last)


def _up_to_year(pattern: _Pattern) -> _Pattern:
    return pattern[: pattern.index(("field", ("y", 1))) + 1]


def _filled(pattern: _Pattern, bound: Bound, language: str) -> str:
    """Return a pattern with the numbers and names of a date or time in the place of its fields."""
    return "".join(
        token if isinstance(token, str) else _field(*token, bound, language) for _, token in pattern
    )


def _field(letter: str, count: int, bound: Bound, language: str) -> str:
    year, month, day, hour, minute, second = (*bound, 0, 0, 0)[:6]
    locale = locale_of(language)
    match letter:
        case "y":
            return str(year if year > 0 else 1 - year)
        case "Q":
            return str(locale.quarters["stand-alone"]["wide"][(month + 2) // 3])
        case "M" | "L":
            context = "format" if letter == "M" else "stand-alone"
            return str(locale.months[context]["wide" if count == 4 else "abbreviated"][month])
    return f"{ {'d': day, 'H': hour, 'm': minute, 's': second}[letter]:0{count}d}"
