"""Words of the interface in the language of a reader."""

from __future__ import annotations

import pytest

from timeline.languages import translation


def test_a_word_is_said_in_the_language_of_the_block() -> None:
    with translation.speaking("uk"):
        assert translation.gettext("Skip to the content") == "Перейти до змісту"
        with translation.speaking("en"):
            assert translation.gettext("Skip to the content") == "Skip to the content"
        assert translation.current() == "uk"
    assert translation.current() == "en"


def test_a_word_that_a_catalogue_lacks_is_said_in_english() -> None:
    with translation.speaking("uk"):
        assert translation.gettext("a word of no catalogue") == "a word of no catalogue"
        assert translation.ngettext("one ship", "many ships", 2) == "many ships"
        assert translation.pgettext("a verb", "ship") == "ship"


@pytest.mark.parametrize(
    ("tag", "language"),
    [("uk-UA", "uk"), ("AR", "ar"), ("de-Latn-AT", "de"), ("ka", "en"), ("", "en")],
)
def test_a_log_has_the_closest_language_of_the_interface(tag: str, language: str) -> None:
    assert translation.closest(tag) == language


@pytest.mark.parametrize(
    ("language", "written"),
    [("en", "12,345"), ("de", "12.345"), ("fr", "12\u202f345"), ("uk", "12\u00a0345")],
)
def test_a_number_is_written_as_the_language_does(language: str, written: str) -> None:
    with translation.speaking(language):
        assert translation.number(12_345) == written
