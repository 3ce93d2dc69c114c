"""Figures whose words are in another language than English."""

from __future__ import annotations

import pytest

from timeline.errors import InvalidValue
from timeline.model import figures
from timeline.model.figures import Amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("mindestens 8", Amount("8", None, None, "at_least", None)),
        ("Rund 40 Personen", Amount("40", None, None, "about", "person")),
        ("понад 20 осіб", Amount("20", None, None, "more_than", "person")),
        ("au moins 3", Amount("3", None, None, "at_least", None)),
        ("до 15", Amount(None, None, "15", "exact", None)),
        ("co najmniej 12", Amount("12", None, None, "at_least", None)),
        ("1,5 млн EUR", Amount("1500000", None, None, "exact", "EUR")),
        ("EUR 2,5 Mrd.", Amount("2500000000", None, None, "exact", "EUR")),
        ("3 milliards EUR", Amount("3000000000", None, None, "exact", "EUR")),
        ("12 тис. EUR", Amount("12000", None, None, "exact", "EUR")),
    ],
)
def test_words_around_a_number_are_read_in_many_languages(text: str, amount: Amount) -> None:
    assert figures.read(text, is_english=False) == amount


@pytest.mark.parametrize("text", ["rund", "mindestens acht", "rund 1.500"])
def test_a_refusal_says_what_was_typed(text: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        figures.read(text, is_english=False)
    assert text in refused.value.problem


@pytest.mark.parametrize("text", ["20 soldaten", "3 miodownik"])
def test_a_word_that_only_begins_like_a_known_one_stays(text: str) -> None:
    assert figures.read(text, is_english=False).unit == text.partition(" ")[2]
