"""Dates in the words of every language of the interface."""

from itertools import product

import pytest
from edtf_strategies import canonical
from hypothesis import given
from hypothesis import strategies as st

from timeline.formats.local_dates import (
    city_of,
    clock_words,
    date_words,
    day_of_year,
    month_name,
    weekday_name,
)
from timeline.languages.translation import LANGUAGES, speaking
from timeline.model.edtf import phrase

WORDS = """
uk | 2025-04-15 | 15 квітня 2025 р.
uk | 2025-04 | квітень 2025
uk | 2025 | 2025
fr | 2025-04-15 | 15 avril 2025
de | 2025-04-15 | 15. April 2025
es | 2025-04-15 | 15 de abril de 2025
es | 2025-04 | abril de 2025
ar | 2025-04-15 | 15 أبريل 2025
uk | 2025-33 | 1-й квартал 2025
de | -0043-03-15 | 15. März 44 v. Chr.
fr | 0987 | 987 ap. J.-C.
uk | Y17000 | 17000 н. е.
uk | 2025-04-15T10:15Z | 15 квітня 2025 р., 10:15 UTC
es | 2025-04-15T07:05:09-03:00 | 15 de abril de 2025, 7:05:09 -03:00
uk | 2025-04-10/2025-04-12 | 10–12 квітня 2025 р.
es | 2025-04-10/2025-05-12 | 10 de abril – 12 de mayo de 2025
uk | 2025-04/2025-06 | квітень — червень 2025
de | 2025-04-15T10:15Z/2025-04-15T11:30Z | 15. April 2025, 10:15 – 11:30 UTC
uk | 2024-12-31/2025-01-01 | 31 грудня 2024 р. – 1 січня 2025 р.
de | 1960/1965 | 1960 – 1965
"""


@pytest.mark.parametrize("line", WORDS.strip().splitlines())
def test_dates_follow_the_patterns_of_cldr(line: str) -> None:
    language, edtf, words = line.split(" | ")
    with speaking(language):
        said = date_words(edtf)
    assert said.translate({0xA0: " ", 0x2009: " ", 0x202F: " "}) == words


@given(edtf=canonical, ongoing=st.booleans())
def test_every_date_has_words_in_every_language(edtf: str, ongoing: bool) -> None:
    for language in LANGUAGES:
        with speaking(language):
            assert date_words(edtf, ongoing=ongoing).strip()
    assert date_words(edtf, ongoing=ongoing) == phrase(edtf, ongoing=ongoing)


@given(one=canonical, other=canonical)
def test_two_dates_never_have_the_same_words(one: str, other: str) -> None:
    for language in LANGUAGES:
        with speaking(language):
            assert (date_words(one) == date_words(other)) == (one == other)


def test_dates_that_differ_in_one_sign_have_different_words() -> None:
    days = ["2025", "2025-04", "2025-04-15", "2025-21", "2025-25", "2025-29", "2025-33", "2025-40"]
    rough = ["202X", "20XX", "2025-XX", "2025-XX-XX", "2025-04-XX", "2025S3", "Y20250", "Y2025E1"]
    points = [*days, *rough, "0202", "-0202", "000X", "-000X", "00XX", "-00XX"]
    qualified = [f"{point}{sign}" for point, sign in product(points[:-2], ["", "?", "~", "%"])]
    forms = ["{}", "../{}", "{}/..", "/{}", "{}/", "{0}/{0}"]
    every = [form.format(point) for form, point in product(forms, qualified)]
    for language in LANGUAGES:
        with speaking(language):
            said = [date_words(edtf) for edtf in every]
        assert len({*said}) == len({*every})


def test_what_is_ongoing_has_other_words() -> None:
    for language in LANGUAGES:
        with speaking(language):
            assert date_words("2025/..", ongoing=True) != date_words("2025/..")


def test_parts_of_dates_are_said_as_the_language_has_them() -> None:
    with speaking("uk"):
        assert day_of_year(4, 15) == "15 квітня"
        assert month_name(4) == "квіт."
        assert weekday_name(0) == "понеділок"
        assert clock_words("07:05") == "07:05"
        assert city_of("Europe/Kyiv") == "Київ"
    with speaking("es"):
        assert clock_words("07:05") == "7:05"
    assert (day_of_year(4, 15), month_name(4), weekday_name(0)) == (
        "15 April",
        "Apr",
        "Monday",
    )
    assert (day_of_year(4, 15, is_short=True), city_of("Europe/Kyiv")) == ("15 Apr", "Kyiv")
