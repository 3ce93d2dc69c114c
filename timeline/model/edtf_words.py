"""Translate dates from EDTF to plain English and from plain English to EDTF.

The tables `_POINTS` and `_RANGES` are read in both directions: the first phrase of a row is
printed, every phrase of it is understood. So ``to_edtf(to_words(x)) == x`` for canonical x.
A rare date is printed with its EDTF in brackets: "around 11 June 2004 (2004-06~-11)".

This module translates and checks nothing: 30 February becomes 2025-02-30, which
`timeline.model.edtf` refuses. It may not know today's date, so it reads no "yesterday".
"""

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from string import Formatter
from typing import NamedTuple

from timeline.model.patterns import lazy_pattern

HINT = 'write one like 2025-04-15, 2025-04, "15 April 2025", "before May 2025" or 2025-02/2025-04'

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_DASHES = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\uff0d", "-")
)
"""Every dash that people type or paste, as the hyphen that it stands for."""


def plain(text: str) -> str:
    """Return a text with a hyphen for every dash and one blank for white space."""
    return " ".join(text.translate(_DASHES).split())


def one_date(edtf: str) -> str:
    """Return the date that an interval of two equal dates is; other EDTF as it is."""
    left, _, right = edtf.partition("/")
    return left if left == right != ".." else edtf


def year_of_edtf(year: int) -> str:
    """Write an astronomical year, from -9999 to 9999, as EDTF has it: "0044", "-0044"."""
    return f"-{-year:04d}" if year < 0 else f"{year:04d}"


def to_edtf(words: str) -> str | None:
    """Translate plain words to EDTF, unchecked; return None if they cannot be read.

    "before" and "after" leave out the date they name, and stay words: "before 2025-04-15".
    """
    text = _LEADING.sub("", normal(words))
    if text in _UNKNOWN_WORDS:
        return _UNKNOWN
    return _read_side(text) or _read_open(text) or _read_range(text)


@lru_cache(maxsize=8192)
def to_words(edtf: str, *, ongoing: bool = False) -> str:
    """Say canonical EDTF, as `edtf.parse` returns it, in words that `to_edtf` reads back.

    What is `ongoing` goes on "since 1960"; anything else happened in "1960 or later".
    """
    if edtf == _UNKNOWN:
        return _UNKNOWN_WORDS[0]
    left, slash, right = edtf.partition("/")
    if not slash:
        return _say(edtf)
    if left in _SAY_START:
        return _SAY_START[left].format(_say_inside(right))
    if right == ".." and not ongoing:
        return f"{_say(left)} or later"
    if right in _SAY_END:
        return _SAY_END[right].format(_say_inside(left))
    short = _say_row(edtf, _RANGES) if left != right else None
    return short or f"{_say(left)} to {_say(right)}"


def year_words(year: int) -> str:
    """Name an astronomical year (0 is 1 BC): "44 BC", "987 AD", "2025", "12000 AD"."""
    if year <= 0:
        return f"{1 - year} BC"
    return str(year) if 1000 <= year <= 9999 else f"{year} AD"


def unspecified_years(edtf: str) -> tuple[int, int]:
    """Return the first and the last year of a decade or century such as 202X or -01XX.

    Year 0 belongs to 000X and 00XX, so -000X and -00XX end with the year -1.
    """
    first, last = sorted(int(edtf.replace("X", digit)) for digit in "09")
    return first, min(last, -1) if edtf.startswith("-") else last


# --- the tables ---------------------------------------------------------------------------


class _Field(NamedTuple):
    """A part of a date, and how it is translated.

    `edtf` and `words` are the patterns that match it in EDTF and in words; `say` translates
    its EDTF to words, `write` its words to EDTF.
    """

    edtf: str
    words: str
    say: Callable[[str], str] = str
    write: Callable[[str], str] = str


def _choice(names: Mapping[int, tuple[str, ...]]) -> _Field:
    """Make the field of a two-digit code that has names; the first name is printed."""
    codes = {name.lower(): f"{code:02d}" for code, spellings in names.items() for name in spellings}
    return _Field(
        edtf="|".join(f"{code:02d}" for code in names),
        words="|".join(map(re.escape, codes)),
        say=lambda code: names[int(code)][0],
        write=lambda name: codes[name],
    )


def _write_year(words: str) -> str:
    if words.isdigit():
        return words
    number = int(re.sub("[^0-9]", "", words))
    year = 1 - number if "b" in words else number
    if abs(year) > 9999:
        return f"Y{year}"
    return year_of_edtf(year)


def _write_zone(words: str) -> str:
    offset = re.sub("[^0-9:+-]", "", words)
    return offset or ("Z" if words else "")


_SEASONS = (("spring",), ("summer",), ("autumn", "fall"), ("winter",))
_ORDINALS = (("first", "1st"), ("second", "2nd"), ("third", "3rd"), ("fourth", "4th"))

_FIELDS = {
    "year": _Field(
        r"-?[0-9]{4}|Y-?[0-9]{5,12}",
        r"[0-9]{4}|[1-9][0-9]{0,12} (?:bce?|ad|ce)|ad [1-9][0-9]{0,12}",
        lambda year: year_words(int(year.removeprefix("Y"))),
        _write_year,
    ),
    "month": _choice(
        {
            number: (name, name[:3], f"{name[:3]}.", *(("Sept", "Sept.") if number == 9 else ()))
            for number, name in enumerate(MONTHS, 1)
        }
    ),
    "day": _Field(
        r"[0-3][0-9]",
        r"[0-3]?[0-9](?:st|nd|rd|th)?",
        lambda day: day.lstrip("0"),
        lambda day: day.rstrip("stndrh").zfill(2),
    ),
    "ymd": _Field(r"-?[0-9]{4}-[0-9]{2}-[0-9]{2}", r"-?[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "hour": _Field(r"[0-9]{2}", r"[0-9]{1,2}", write=lambda hour: hour.zfill(2)),
    "clock": _Field(
        r"[0-9]{2}:[0-9]{2}(?::[0-9]{2})?",
        r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?",
        write=lambda clock: clock if clock[2] == ":" else f"0{clock}",
    ),
    # In words "-02:00" needs a blank or UTC before it: "10:15-11:30" is read as two times.
    "zone": _Field(
        r"(?:Z|[+-][0-9]{2}(?::[0-9]{2})?)?",
        r"(?: ?(?:utc|gmt|z)|(?: | ?utc|(?=\+))[+-][0-9]{2}(?::[0-9]{2})?)?",
        lambda zone: {"": "", "Z": " UTC"}.get(zone, f" {zone}"),
        _write_zone,
    ),
    "season": _choice(dict(enumerate(_SEASONS, 21))),
    "northern": _choice(dict(enumerate(_SEASONS, 25))),
    "southern": _choice(dict(enumerate(_SEASONS, 29))),
    "quarter": _choice(dict(enumerate(_ORDINALS, 33))),
    "q": _choice({33 + i: (f"Q{i + 1}",) for i in range(4)}),
    "half": _choice(dict(enumerate(_ORDINALS[:2], 40))),
    "h": _choice({40 + i: (f"H{i + 1}",) for i in range(2)}),
    "tens": _Field(r"[1-9][0-9][1-9]", r"[1-9][0-9][1-9]"),
    "hundreds": _Field(r"[1-9][0-9]", r"[1-9][0-9]"),
}


class _Row(NamedTuple):
    """A template of EDTF has phrases: the first phrase is printed, all of them are read.

    A part of the date is written {name} or {name_2}, with a name of `_FIELDS`. A row whose EDTF
    an earlier row matches too is never printed, only read.
    """

    edtf: str
    phrases: tuple[str, ...]


_POINTS = (
    _Row(
        "{year}-{month}-{day}",
        ("{day} {month} {year}", "{month} {day}, {year}", "{year} {month} {day}"),
    ),
    _Row("{year}-{month}", ("{month} {year}", "{year} {month}")),
    _Row("{year}", ("{year}",)),
    _Row(
        "{year}-{month}-{day}T{clock}{zone}",
        (
            "{day} {month} {year}, {clock}{zone}",
            "{month} {day}, {year}, {clock}{zone}",
            "{clock}{zone} on {day} {month} {year}",
            "{clock}{zone} on {month} {day}, {year}",
            "{clock}{zone} {day} {month} {year}",
            "{clock}{zone} {month} {day}, {year}",
        ),
    ),
    _Row(
        "{year}-{month}-{day}T{hour}{zone}",
        ("{day} {month} {year}, in the {hour}:00 hour{zone}",),
    ),
    _Row("{ymd}T{clock}{zone}", ("{ymd} {clock}{zone}",)),
    _Row("{year}-{month}-XX", ("some day in {month} {year}",)),
    _Row("{year}-XX", ("some month in {year}",)),
    _Row("{year}-XX-XX", ("some day in {year}",)),
    _Row("{year}-{season}", ("{season} {year}",)),
    _Row("{year}-{northern}", ("{northern} {year} (northern)",)),
    _Row("{year}-{southern}", ("{southern} {year} (southern)",)),
    _Row("{year}-{quarter}", ("{quarter} quarter of {year}",)),
    _Row("{year}-{q}", ("{q} {year}", "{year} {q}", "{year}-{q}")),
    _Row("{year}-{half}", ("{half} half of {year}",)),
    _Row("{year}-{h}", ("{h} {year}", "{year} {h}", "{year}-{h}")),
    _Row("{tens}X", ("{tens}0s", "{tens}0s (decade)")),
    _Row("{hundreds}0X", ("{hundreds}00s (decade)",)),
    _Row("{hundreds}XX", ("{hundreds}00s (century)",)),
)

_RANGES = (
    _Row(
        "{year}-{month}-{day}/{year}-{month}-{day_2}",
        (
            "{day} to {day_2} {month} {year}",
            "{day}-{day_2} {month} {year}",
            "{month} {day} to {day_2}, {year}",
            "{month} {day}-{day_2}, {year}",
        ),
    ),
    _Row(
        "{year}-{month}-{day}/{year}-{month_2}-{day_2}",
        ("{day} {month} to {day_2} {month_2} {year}", "{month} {day} to {month_2} {day_2}, {year}"),
    ),
    _Row("{year}-{month}/{year}-{month_2}", ("{month} to {month_2} {year}",)),
    _Row("{year}-{season}/{year}-{season_2}", ("{season} to {season_2} {year}",)),
    _Row(
        "{year}-{quarter}/{year}-{quarter_2}",
        ("{quarter} to {quarter_2} quarter of {year}",),
    ),
    _Row("{year}-{q}/{year}-{q_2}", ("{q} to {q_2} {year}", "{q}-{q_2} {year}")),
    _Row(
        "{year}-{month}-{day}T{clock}{zone}/{year}-{month}-{day}T{clock_2}{zone}",
        (
            "{day} {month} {year}, {clock} to {clock_2}{zone}",
            "{day} {month} {year}, {clock}-{clock_2}{zone}",
            "{month} {day}, {year}, {clock} to {clock_2}{zone}",
        ),
    ),
    _Row(
        "{year}-{month}-{day}T{hour}{zone}/{year}-{month}-{day}T{hour_2}{zone}",
        ("{day} {month} {year}, in the {hour}:00 to {hour_2}:00 hours{zone}",),
    ),
)

_UNKNOWN = "../.."
_UNKNOWN_WORDS = ("date unknown", "unknown date", "unknown")

# Words for an interval with one open (..) or unknown (empty) side. Bounds are inclusive, as in
# EDTF: "by 2025" is ../2025.
_SAY_START = {"..": "by {}", "": "until {}, start unknown"}
_SAY_END = {"..": "since {}", "": "from {}, end unknown"}
_READ_OPEN = (
    (lazy_pattern(r"(?:until|till|by|up to) (.+)"), "../{}"),
    (lazy_pattern(r"(.+) or (?:earlier|before)"), "../{}"),
    (lazy_pattern(r"(?:since|from) (.+?)(?: on(?:wards?)?)?"), "{}/.."),
    (lazy_pattern(r"(.+) or (?:later|after)"), "{}/.."),
    (lazy_pattern(r"(before|after) (.+)"), "{} {}"),
    (lazy_pattern(r"until (.+) start unknown"), "/{}"),
    (lazy_pattern(r"from (.+) end unknown"), "{}/"),
)

_QUALIFIER = lazy_pattern(r"[?~%]")
_SAY_QUALIFIER = {"?": "possibly", "~": "around", "%": "possibly around"}
_QUALIFIERS = {words: symbol for symbol, words in _SAY_QUALIFIER.items()} | {
    "possibly about": "%",
    **dict.fromkeys(
        ("about", "approximately", "approx.", "roughly", "circa", "ca.", "ca", "c.", "c"), "~"
    ),
}
_READ_QUALIFIER = lazy_pattern(
    f"({'|'.join(map(re.escape, sorted(_QUALIFIERS, key=len, reverse=True)))}) (.+)"
)
_TAKES_ARTICLE = lazy_pattern(r"first|second|third|fourth|[0-9]{4}s|decade|century")

# EDTF among words, as in "before 2025-04-15"; and EDTF in brackets after a rare date.
_PLAIN_EDTF = lazy_pattern(r"[?~%]?(?:y-?[0-9]|-?[0-9]{2}[0-9x]{2})[-0-9xtzes:+?~%]*")
_BRACKETED = lazy_pattern(r".+ \(([-0-9xyes?~%]{4,40})\)")
_DIGITS = lazy_pattern(r"Y?(-?[0-9]{1,12})(?:E([0-9]{1,2}))?(?:S([0-9]{1,2}))?")
_DECADE_OR_CENTURY = lazy_pattern(r"-?[0-9]{2}[0-9X]X")

# --- both directions ----------------------------------------------------------------------

_FILLERS = lazy_pattern(r"\b(?:the|of|at) ")
_LEADING = lazy_pattern(r"^(?:on|in) ")


def normal(words: str) -> str:
    """Drop what carries no meaning: case, commas, extra blanks, and "the", "of" and "at"."""
    return _FILLERS.sub("", " ".join(words.lower().replace(",", " ").split()))


def _field(name: str) -> _Field:
    return _FIELDS[name.removesuffix("_2")]


@cache
def _edtf_pattern(row: _Row) -> re.Pattern[str]:
    return _pattern(row.edtf, lambda field: field.edtf)


@cache
def _word_patterns(rows: tuple[_Row, ...]) -> list[tuple[re.Pattern[str], _Row]]:
    return [
        (_pattern(normal(phrase), lambda field: field.words), row)
        for row in rows
        for phrase in row.phrases
    ]


def _pattern(template: str, side: Callable[[_Field], str]) -> re.Pattern[str]:
    """Compile the pattern of a template; `side` gives the pattern of one field.

    A field that comes twice must have the same text twice.
    """
    pattern = ""
    seen = set()
    for literal, name, _, _ in Formatter().parse(template):
        pattern += re.escape(literal)
        if name in seen:
            pattern += f"(?P={name})"
        elif name:
            seen.add(name)
            pattern += f"(?P<{name}>{side(_field(name))})"
    return re.compile(pattern)


# --- EDTF to words ------------------------------------------------------------------------


def _say_row(edtf: str, rows: tuple[_Row, ...]) -> str | None:
    for row in rows:
        if match := _edtf_pattern(row).fullmatch(edtf):
            fields = match.groupdict().items()
            return row.phrases[0].format(**{name: _field(name).say(text) for name, text in fields})
    return None


def _say(point: str) -> str:
    """Say one side of an interval, or a date that is not an interval."""
    if (words := _say_row(point, _POINTS)) is not None:
        return words
    if point[-1] in _SAY_QUALIFIER and not _QUALIFIER.search(point[:-1]):
        return f"{_SAY_QUALIFIER[point[-1]]} {_say_inside(point[:-1])}"
    return f"{_say_rare(point)} ({point})"


def _say_inside(point: str) -> str:
    """Say a point as it reads after a preposition: "the first quarter of 2025"."""
    words = _say(point)
    return f"the {words}" if _TAKES_ARTICLE.match(words) else words


def _say_rare(point: str) -> str:
    """Say a rare point, which no row of `_POINTS` has; its caller adds the EDTF in brackets."""
    if symbols := set(_QUALIFIER.findall(point)):
        qualifier = symbols.pop() if len(symbols) == 1 else "%"
        return f"{_SAY_QUALIFIER[qualifier]} {_say(_QUALIFIER.sub('', point))}"
    if _DECADE_OR_CENTURY.fullmatch(point):
        first, last = map(year_words, unspecified_years(point))
        return f"{'century' if point.endswith('XX') else 'decade'} from {first} to {last}"
    if match := _DIGITS.fullmatch(point):
        digits, power, known = match.groups()
        year = int(digits) * 10 ** int(power or 0)
        return year_words(year) if known is None else f"year {year} to {known} significant digits"
    return point


# --- words to EDTF ------------------------------------------------------------------------


def _read_row(text: str, rows: tuple[_Row, ...]) -> str | None:
    for pattern, row in _word_patterns(rows):
        if match := pattern.fullmatch(text):
            fields = match.groupdict().items()
            return row.edtf.format(**{name: _field(name).write(words) for name, words in fields})
    return None


def _read_side(text: str) -> str | None:
    """Read one side of an interval, or a date that is not an interval.

    Returns None if the words cannot be read.
    """
    if (edtf := _read_row(text, _POINTS)) is not None:
        return edtf
    if match := _BRACKETED.fullmatch(text):
        edtf = match[1].upper()
        if normal(_say(edtf)) == text:
            return edtf
    if (match := _READ_QUALIFIER.fullmatch(text)) and (edtf := _read_side(match[2])) is not None:
        return edtf + _QUALIFIERS[match[1]]
    return text.upper() if _PLAIN_EDTF.fullmatch(text) else None


def _read_open(text: str) -> str | None:
    """Read an interval with one open or unknown side; return None if the words are none."""
    for pattern, edtf in _READ_OPEN:
        if match := pattern.fullmatch(text):
            *beside, words = match.groups()
            if (side := _read_side(words)) is not None:
                return edtf.format(*beside, side)
    return None


def _read_range(text: str) -> str | None:
    """Read an interval with two sides; return None if the words are none.

    A side may itself hold the word "to", so every " to " is tried as the middle.
    """
    if text.startswith("between "):
        text = text.removeprefix("between ").replace(" and ", " to ")
    text = text.removeprefix("from ")
    if (edtf := _read_row(text, _RANGES)) is not None:
        return edtf
    for middle in re.finditer(" to ", text):
        left, right = _read_side(text[: middle.start()]), _read_side(text[middle.end() :])
        if left is not None and right is not None:
            return f"{left}/{right}"
    return None
