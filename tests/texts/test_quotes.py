"""A quote and its text: found word for word, in code points, in Python as in SQL."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.texts.quotes import CapturedText, alike, is_too_short, selectors

TEXT = (
    "\ufeffNATO’s secretary general said:\r\n“More than €20 billion,\u00a0this year.”\r\n\r\n"
    "Cafe\u0301 owners 👩🏽\u200d🚒 agreed. قال الرئيس إن «المحادثات» جارية."
    " It’s the 'end'.  The end."
)


def found(quote: str, text: str = TEXT) -> str | None:
    place = CapturedText(text).find(quote)
    return text[place.start : place.end] if place else None


@pytest.mark.parametrize(
    ("quote", "words"),
    [
        ("NATO’s secretary general", "NATO’s secretary general"),
        ("NATO's  secretary\ngeneral", "NATO’s secretary general"),
        ('said: "More than €20 billion', "said:\r\n“More than €20 billion"),
        (" «More than €20 billion, this year.»\n", "“More than €20 billion,\u00a0this year.”"),
        ('year." Cafe\u0301', "year.”\r\n\r\nCafe\u0301"),
        ("👩🏽\u200d🚒 agreed", "👩🏽\u200d🚒 agreed"),
        ('إن "المحادثات" جارية', "إن «المحادثات» جارية"),
        ("'end'. The end.", "'end'.  The end."),
        (TEXT, TEXT.strip("\ufeff")),
    ],
)
def test_a_quote_is_found_as_it_stands_in_the_text(quote: str, words: str) -> None:
    assert found(quote) == words


@pytest.mark.parametrize(
    "quote",
    ["more than", "More than 20 billion", "€20billion", "Café owners", "agreed?", "", " \n"],
    ids=["case", "a sign", "no blank", "another Unicode form", "another stop", "empty", "blank"],
)
def test_what_differs_in_more_than_blanks_and_quotation_marks_is_not_found(quote: str) -> None:
    assert found(quote) is None


@pytest.mark.parametrize("part", ["Cafe", "owners 👩", "owners 👩🏽", "🚒 agreed", "\u0301 owners"])
def test_a_quote_never_parts_a_character(part: str) -> None:
    assert part in TEXT
    assert found(part) is None


def test_of_several_places_the_first_is_found_but_exact_words_go_before_it() -> None:
    text = CapturedText("He said 'no' and “no”. He said “no” again, and 'no'.")
    assert text.find("said “no”") == (26, 35, 2)
    assert text.find('said "no"') == (3, 12, 2)
    assert text.find("no") == (9, 11, 4)


def test_places_do_not_overlap() -> None:
    assert CapturedText("aaaa").find("aa") == (0, 2, 2)


def test_the_nearest_passage_is_that_which_shares_most_with_the_quote() -> None:
    text = CapturedText(
        "He came by train. Allies pledged more than €20 billion in the first three months"
        " of the year, he said.\r\nThe talks go on in Ankara. 会谈今天在安卡拉继续进行。"
    )
    assert text.nearest("pledged over 20 billion euros") == "pledged more than €20 billion in the"
    assert text.nearest("Talks went on in Ankara") == "The talks go on in Ankara."
    assert text.nearest("会谈今天在敖德萨继续") == "会谈今天在安卡拉继续进行。"
    assert text.nearest("nothing of the kind whatsoever, fish") is None
    assert text.nearest("??") is None


def test_the_nearest_passage_of_a_long_quote_is_shown_in_part() -> None:
    sentence = "The ministers of the alliance met in the capital to speak of what is to come. "
    nearest = CapturedText(sentence * 9).nearest(sentence * 8 + "And more.")
    assert nearest
    assert sentence.strip() in nearest
    assert len(nearest) < 250


@pytest.mark.parametrize("quote", ["a", "“a”", "5.", "...", " - ", "é", "e\u0301"])
def test_one_letter_is_too_short(quote: str) -> None:
    assert is_too_short(quote)


@pytest.mark.parametrize("quote", ["no", "5.2", "会谈", "نعم"])
def test_a_short_word_is_not(quote: str) -> None:
    assert not is_too_short(quote)


def test_quotes_are_alike_that_differ_in_blanks_and_quotation_marks_alone() -> None:
    assert alike(' It’s  "so"\r\n', "It's «so»")
    assert not alike("It's so", "Its so")


# --- Selectors ----------------------------------------------------------------------------


def test_selectors_are_those_of_the_web_annotation_model() -> None:
    text = "x" * 50 + "the words" + "y" * 50
    assert selectors("the words", 50, 59, text) == [
        {
            "type": "TextQuoteSelector",
            "exact": "the words",
            "prefix": "x" * 32,
            "suffix": "y" * 32,
        },
        {"type": "TextPositionSelector", "start": 50, "end": 59},
    ]
    assert selectors("the words", 0, 9, "the words")[0]["prefix"] == ""


def test_what_is_not_known_of_a_quote_is_not_made_up() -> None:
    exact = {"type": "TextQuoteSelector", "exact": "q q"}
    assert selectors("q q") == [exact]
    assert selectors("q q", 5, 8) == [
        exact,
        {"type": "TextPositionSelector", "start": 5, "end": 8},
    ]


# --- Any text -----------------------------------------------------------------------------

_WORDS = st.lists(
    st.sampled_from(
        (
            "a",
            "ab",
            "é",
            "e\u0301",
            "👩🏽\u200d🚒",
            "👍🏽",
            "🇺🇦",
            "مُحَمَّد",
            "שָׁלוֹם",
            "नमस्ते",
            "𝔘",
            "(x)",
        )
    )
    | st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=3),
    min_size=1,
    max_size=12,
)
_BETWEEN = st.sampled_from((" ", "\r\n", "\n\n", "\u00a0", " \u200b ", "\ufeff", "\t"))
_QUOTED = st.sampled_from(("“{}”", '"{}"', "«{}»", "‘{}’", "＂{}＂"))


@st.composite
def _texts(draw: st.DrawFn) -> tuple[str, str, int]:
    """A text, a quote from it in other blanks and quotation marks, and where it was taken."""
    words = draw(_WORDS)
    first = draw(st.integers(0, len(words) - 1))
    last = draw(st.integers(first, len(words) - 1))

    def written(words: list[str]) -> str:
        return "".join(f"{draw(_QUOTED).format(word)}{draw(_BETWEEN)}" for word in words)

    before, quoted, behind = (
        written(words[a:b]) for a, b in ((0, first), (first, last + 1), (last + 1, None))
    )
    return before + quoted + behind, written(words[first : last + 1]), len(before)


@given(_texts())
def test_words_are_found_whatever_the_blanks_and_quotation_marks(
    case: tuple[str, str, int],
) -> None:
    text, quote, taken_at = case
    place = CapturedText(text).find(quote)
    assert place
    assert place.start <= taken_at or text[slice(*place[:2])] == quote.strip()
    assert alike(text[place.start : place.end], quote)


@given(_texts())
def test_sqlite_selects_the_same_words(case: tuple[str, str, int]) -> None:
    text, quote, _ = case
    place = CapturedText(text).find(quote)
    assert place
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        (words,) = connection.execute(
            "SELECT substr(?1, ?2 + 1, ?3 - ?2)", (text, place.start, place.end)
        ).fetchone()
    assert words == text[place.start : place.end]


@given(st.text(), st.text())
def test_a_text_says_of_anything_what_is_nearest_or_nothing(text: str, quote: str) -> None:
    nearest = CapturedText(text).nearest(quote)
    assert nearest is None or "\n" not in nearest
