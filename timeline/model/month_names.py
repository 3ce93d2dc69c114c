"""Read the months and weekdays that a date names in the log's language: "15 квітня 2025".

Guarantees: the names are those of CLDR, in full and abbreviated, alone and beside a day; the other
words of a date in that language ("de", "del") are passed over. CLDR is loaded only when
`in_english` is called: for a date that cannot be read in English, in a log that is not in English.
"""

import re
import unicodedata
from functools import cache
from typing import NamedTuple

from timeline.errors import InvalidValue
from timeline.model.edtf_words import MONTHS

UNCLEAR = {"bas": "may", "dua": "may", "st": "jan", "teo": "mar"}
"""The word by which a language names one month, and English another one, by language."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTH = "|".join(MONTHS)
_YEAR_FIRST = re.compile(
    rf"(?P<year>[0-9]{{4}})[.,]? (?:(?P<month>{_MONTH}) (?P<day>[0-9]{{1,2}})\.?(?=[ ,]|$)"
    rf"|(?P<day_2>[0-9]{{1,2}})\.? (?P<month_2>{_MONTH}))"
)
_CHINESE = re.compile(
    r"([0-9]{4})\s*[年년]\s*([0-9]{1,2})\s*[月월](?:\s*([0-9]{1,2})\s*[日号號일])?"
)
_MORE = {
    "ca": ("de", "d'"),
    "es": ("del",),
    "pl": ("roku", "r"),
    "ru": ("года", "год"),
    "uk": ("року", "рік"),
}
"""Words of a date that the patterns of CLDR lack, by language."""
_THIRDS: dict[str, dict[str, tuple[str, ...]]] = {
    "de": {"early": ("anfang",), "mid": ("mitte",), "late": ("ende",)},
    "es": {
        "early": ("a principios de", "principios de", "comienzos de"),
        "mid": ("a mediados de", "mediados de"),
        "late": ("a finales de", "finales de", "fines de"),
    },
    "fr": {"early": ("début",), "mid": ("mi", "mi-"), "late": ("fin",)},
    "it": {"early": ("inizio",), "mid": ("metà",), "late": ("fine",)},
    "nl": {"early": ("begin",), "mid": ("medio", "half"), "late": ("eind", "einde")},
    "pl": {
        "early": ("na początku", "początek"),
        "mid": ("w połowie", "połowa"),
        "late": ("pod koniec", "koniec"),
    },
    "pt": {
        "early": ("início de", "inícios de"),
        "mid": ("meados de",),
        "late": ("fim de", "fins de", "finais de", "final de"),
    },
    "ru": {
        "early": ("в начале", "начало"),
        "mid": ("в середине", "середина"),
        "late": ("в конце", "конец"),
    },
    "uk": {
        "early": ("на початку", "початок"),
        "mid": ("у середині", "в середині", "середина"),
        "late": ("наприкінці", "в кінці", "кінець"),
    },
}
"""Words for the thirds of a month or a year, by their English words, by language."""
_LITERAL = re.compile(r"'([^\W\d_]+)'|([^\W\d_a-zA-Z]+)(?!M)")
_PREFIX = re.compile(r"([^\W\d_a-zA-Z]+)(?=M)")
_SKELETONS = ("yMMMM", "yMMM", "MMMMd")
"""Patterns of CLDR for a month of a year, and for a day without its year."""
_MARKS = str.maketrans("\u2019\u060c", "',")
_WEEKDAY_LAST = re.compile(rf"(.*[0-9])[ ,.]+({'|'.join(_WEEKDAYS)})")
_DIGIT = re.compile(r"\d")
_ORDINAL = re.compile(r"(?<![0-9])([0-9]{1,2})(?:er|º|°|ª|\.º)(?=\s)", re.I)


class _Language(NamedTuple):
    """Holds the words that dates have in one language."""

    english: dict[str, str]
    """The English name of each month and weekday, by its name in the language."""
    months: dict[str, int]
    """The number of each month, by its name in the language."""
    names: re.Pattern[str]
    """The pattern of a name."""
    others: re.Pattern[str]
    """The pattern of the words that stand between the parts of a date."""


def check_clear(text: str, language: str) -> None:
    """Raise InvalidValue if a text names a month that is another one in English."""
    base = language.partition("-")[0].lower()
    word = UNCLEAR.get(base)
    if word and re.search(rf"\b{word}\b", text, re.I) and (known := _language(language)):
        english = next(name for name in MONTHS if name.lower().startswith(word))
        other = MONTHS[known.months[word] - 1]
        problem = f'"{word}" is {english} in English and {other} in the language of this log'
        raise InvalidValue(text, f"{problem}: write the name in full, or its number")


def in_english(text: str, language: str) -> str | None:
    """Return a date with English names for those of a language; None if it has none of them."""
    if (known := _language(language)) is None:
        return None
    folded = _folded(text)
    plain = _CHINESE.sub(_iso, _DIGIT.sub(lambda digit: str(unicodedata.digit(digit[0])), folded))
    plain = _third_in_english(plain, language)
    found = known.names.sub(lambda match: known.english[match[1]], plain)
    found = known.others.sub(" ", _ORDINAL.sub(r"\1", found))
    if found == folded:
        return None
    found = _YEAR_FIRST.sub(_day_first, " ".join(found.split())).strip(" .,")
    return _WEEKDAY_LAST.sub(r"\2 \1", found)


def _third_in_english(text: str, language: str) -> str:
    """Return a date that begins with a third of a month or a year with the English word for it."""
    for english, words in _THIRDS.get(language.partition("-")[0].lower(), {}).items():
        for word in words:
            if re.match(rf"{re.escape(word)}(?:[ -]|(?<=-))", text):
                return f"{english} {text[len(word) :].strip(' -')}"
    return text


def _day_first(match: re.Match[str]) -> str:
    day, month = match["day"] or match["day_2"], match["month"] or match["month_2"]
    return f"{day} {month} {match['year']}"


def _iso(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    return f"{year}-{month:0>2}" + (f"-{day:0>2}" if day else "")


def _folded(text: str) -> str:
    """Return a text in which the same letters, marks and blanks are spelled alike."""
    text = unicodedata.normalize("NFC", text).casefold().translate(_MARKS)
    return " ".join(text.split())


@cache
def _language(tag: str) -> _Language | None:
    """Load the names of a language, with those of its country if it has its own.

    Returns None for a language that CLDR does not know.
    """
    from babel import Locale, UnknownLocaleError
    from babel.dates import get_day_names, get_month_names

    locale = None
    parts = tag.split("-")
    while parts and locale is None:
        try:
            locale = Locale.parse("_".join(parts))
        except (UnknownLocaleError, ValueError):
            parts.pop()
    if locale is None:
        return None
    english: dict[str, str] = {}
    months: dict[str, int] = {}
    for context in ("format", "stand-alone"):
        for number, name in get_day_names("wide", context, locale).items():
            english[_folded(name).rstrip(".")] = _WEEKDAYS[number]
        for width in ("wide", "abbreviated"):
            for number, name in get_month_names(width, context, locale).items():
                months[_folded(name).rstrip(".")] = number
    english |= {name: MONTHS[number - 1] for name, number in months.items()}
    names = "|".join(map(re.escape, sorted(english, key=len, reverse=True)))
    patterns = [str(form.pattern) for form in locale.date_formats.values()]
    patterns += [str(locale.datetime_skeletons[each].pattern) for each in _SKELETONS]
    written = " ".join(patterns)
    others = {_folded("".join(found)) for found in _LITERAL.findall(written)}
    others |= {*_MORE.get(locale.language, ())}
    prefixes = "|".join(sorted({*_PREFIX.findall(written)}))
    words = "|".join(map(re.escape, sorted(others, key=len, reverse=True)))
    return _Language(
        english,
        months,
        re.compile(rf"(?<![^\W_])(?:{prefixes})?({names})\.?(?![^\W_])"),
        re.compile(rf"(?<![^\W_])(?:{words})\.?(?![^\W_])" if words else "(?!)"),
    )
