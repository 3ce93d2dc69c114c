"""Months in the language of a log: the names of CLDR, in full and abbreviated, beside English."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest
from babel import Locale
from babel.dates import format_date, get_month_names
from babel.localedata import locale_identifiers
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import InvalidValue
from timeline.model import month_names
from timeline.model.edtf_words import MONTHS
from timeline.model.typed_dates import TypedDate, read, resolved


@pytest.mark.parametrize(
    ("language", "text", "edtf"),
    [
        ("uk", "15 квітня 2025", "2025-04-15"),
        ("uk", "Квітень 2025", "2025-04"),
        ("uk", "15 квіт. 2025 р.", "2025-04-15"),
        ("uk", "15 КВІТНЯ 2025 року", "2025-04-15"),
        ("uk", "вівторок, 15 квітня 2025 р., 10:15", "2025-04-15T10:15"),
        ("uk", "before 15 квітня 2025", "../2025-04-14"),
        ("uk", "10–12 квітня 2025", "2025-04-10/2025-04-12"),
        ("uk", "30 березня - 2 квітня 2025", "2025-03-30/2025-04-02"),
        ("uk", "15-квіт-25", "2025-04-15"),
        ("uk", "15 April 2025", "2025-04-15"),
        ("ru", "3 мая 2025 г.", "2025-05-03"),
        ("ru", "май 2025", "2025-05"),
        ("ru", "15 сент. 2025", "2025-09-15"),
        ("ru", "апрель 2025?", "2025-04?"),
        ("pl", "15 kwietnia 2025 r.", "2025-04-15"),
        ("pl", "kwiecień 2025", "2025-04"),
        ("pl", "15 paź 2025", "2025-10-15"),
        ("de", "15. März 2025", "2025-03-15"),
        ("de-AT", "Jänner 2025", "2025-01"),
        ("de", "15. Dez. 2025", "2025-12-15"),
        ("es", "15 de abril de 2025", "2025-04-15"),
        ("es", "abril del 2025", "2025-04"),
        ("fr", "1er août 2025", "2025-08-01"),
        ("fr", "15 févr. 2025", "2025-02-15"),
        ("pt-BR", "1º de maio de 2025", "2025-05-01"),
        ("hu", "2025. április 15.", "2025-04-15"),
        ("lt", "2025 m. balandžio 15 d.", "2025-04-15"),
        ("lv", "2025. gada 15. aprīlis", "2025-04-15"),
        ("ca", "15 d’abril del 2025", "2025-04-15"),
        ("he", "15 באפריל 2025", "2025-04-15"),
        ("ar", "١٥ أبريل ٢٠٢٥", "2025-04-15"),
        ("vi", "tháng 12 năm 2025", "2025-12"),
        ("zh", "2025年4月15日", "2025-04-15"),
        ("ko", "2025년 4월", "2025-04"),
    ],
)
def test_a_month_in_the_language_of_the_log_is_that_month(
    language: str, text: str, edtf: str
) -> None:
    assert read(text, language=language) == TypedDate(edtf)
    assert resolved({"occurred": text}, language) == {"occurred": edtf}


LANGUAGES = """uk ru be bg pl cs sk sl hr sr
de nl da sv nb fi et lv lt es pt fr it ca ro el tr he ar
fa hi bn ur hu vi id ka hy az sq ga cy sw"""


@given(
    st.sampled_from(LANGUAGES.split()),
    st.dates(date(1900, 1, 1), date(2099, 12, 31)),
    st.sampled_from(("long", "full")),
)
def test_each_day_is_read_as_cldr_writes_it(language: str, day: date, form: str) -> None:
    text = format_date(day, form, language)
    if not any(character.isalpha() for character in text):
        return
    assert read(text, language=language).edtf == day.isoformat()


def test_the_words_of_a_vague_date_are_kept_as_they_were_typed() -> None:
    date = TypedDate("2025-04-11/2025-04-20", "mid-Квітень 2025")
    assert read("mid-Квітень  2025", language="uk") == date


@pytest.mark.parametrize(
    ("language", "text", "problem"),
    [
        ("en", "15 квітня 2025", "a date cannot have CYRILLIC"),
        ("pl", "15 квітня 2025", "a date cannot have CYRILLIC"),
        ("uk", "31 квітня 2025", "April 2025 has 30 days"),
        ("uk", "15 квітня", "no year"),
        ("uk", "2023-24", "winter 2023 or 2023 to 2024"),
        ("uk", "понеділок, 15 квітня 2025", "15 April 2025 is a Tuesday, not a Monday"),
        ("teo", "15 Mar 2025", '"mar" is March in English and May in the language of this log'),
        ("st", "15 jan 2025", '"jan" is January in English and June in the language of this log'),
        ("zxx", "15 foo 2025", "is not a date"),
    ],
)
def test_what_is_no_date_in_either_language_is_refused(
    language: str, text: str, problem: str
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        read(text, language=language)
    assert problem in refusal.value.problem
    assert refusal.value.value == text


def test_only_the_listed_names_mean_another_month_in_english() -> None:
    english = {name.lower(): number for number, name in enumerate(MONTHS, 1)}
    english |= {name[:3]: number for name, number in english.items()} | {"sept": 9}
    found: dict[str, set[str]] = {}
    for identifier in locale_identifiers():
        locale = Locale.parse(identifier)
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in get_month_names(width, context, locale).items():
                    word = name.lower().rstrip(".")
                    if english.get(word, number) != number:
                        found.setdefault(locale.language, set()).add(word)
    assert {language: {word} for language, word in month_names.UNCLEAR.items()} == found


def test_nothing_of_cldr_is_loaded_for_a_date_in_english() -> None:
    code = (
        "import sys; from timeline.model.typed_dates import read;"
        "read('mid-April 2025', language='en');"
        "assert 'timeline.model.month_names' not in sys.modules;"
        "read('15 April 2025', language='uk');"
        "assert 'babel' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("text", "language", "edtf"),
    [
        ("Mitte März 2025", "de", "2025-03-11/2025-03-20"),
        ("Ende 2024", "de-AT", "2024-09/2024-12"),
        ("наприкінці травня 2025 року", "uk", "2025-05-21/2025-05-31"),
        ("начало мая 2025 г.", "ru", "2025-05-01/2025-05-10"),
        ("mi-juillet 2025", "fr", "2025-07-11/2025-07-20"),
        ("a principios de mayo de 2025", "es", "2025-05-01/2025-05-10"),
        ("w połowie maja 2025", "pl", "2025-05-11/2025-05-20"),
    ],
)
def test_a_third_of_a_month_is_read_in_the_language_of_the_log(
    text: str, language: str, edtf: str
) -> None:
    found = read(text, language=language)
    assert (found.edtf, found.words) == (edtf, text)
