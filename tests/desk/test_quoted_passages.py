"""Quotes inside the sentences around them."""

from __future__ import annotations

from timeline.desk.quoted_passages import passages, quoted_texts
from timeline.intake.proposals.checked import BroughtQuote

TEXT = "One. Two here.\n\nThree. Four. Five is\u200b long. Six. Seven.\n\nEight."


def shown(*quotes: str) -> list[str]:
    """The passages, with brackets around what is quoted, and "..." where something is left out."""
    places = [(TEXT.index(quote), TEXT.index(quote) + len(quote)) for quote in quotes]
    return [
        ("... " if passage.is_apart else "")
        + "".join(f"[{each.text}]" if each.is_quote else each.text for each in passage.pieces)
        for passage in passages(TEXT, places)
    ]


def test_a_quote_stands_between_its_neighbours() -> None:
    assert shown("Four.") == ["... Three. [Four.] Five is[U+200B] long."]


def test_what_lies_between_two_quotes_is_left_out() -> None:
    assert shown("One.", "Seven") == ["[One.] Two here.", "... Six. [Seven].", "Eight."]


def test_a_quote_may_reach_over_sentences_and_share_words_with_another() -> None:
    assert shown("here.\n\nThree", "Three. Four") == [
        "One. Two [here.]",
        "[Three][.][ Four]. Five is[U+200B] long.",
    ]


def test_texts_come_once_with_the_day_they_were_published() -> None:
    quotes = [
        BroughtQuote("a", "A", "2025-04-15", "Two", 5, 8, 1, TEXT),
        BroughtQuote("b", "B", None, "One", 0, 3, 1, TEXT),
        BroughtQuote("a", "A", "2025-04-15", "Six", 49, 52, 1, TEXT),
    ]
    found = quoted_texts(quotes)
    assert [(text.source_id, text.published) for text in found] == [
        ("a", "Tuesday 15 April 2025"),
        ("b", ""),
    ]
