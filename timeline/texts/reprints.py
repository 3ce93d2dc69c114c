"""Functions that tell whether two texts are the same report, which another publisher reprinted.

Guarantees: line breaks, punctuation and upper case make no difference. Pure: knows no source and
no database.
"""

from __future__ import annotations

from timeline.texts.sentences import after_place, sentences


def same_words(one: frozenset[str], other: frozenset[str]) -> bool:
    """Tell whether one of two texts is a reprint of the other, by their fingerprints.

    It is if nine in ten sentences of the shorter text are in the other: a publisher may put a
    headline before a text, and a line of its own after it.
    """
    least = min(len(one), len(other))
    return least > 0 and len(one & other) * 10 >= least * 9


def fingerprint(text: str) -> frozenset[str]:
    """Return the sentences of a text, reduced to letters and digits, which a reprint keeps.

    The place in the dateline of an agency is left out.
    """
    bodies = (text[after_place(text, start, end) : end] for start, end in sentences(text))
    letters = ("".join(filter(str.isalnum, body)) for body in bodies)
    return frozenset(each.casefold() for each in letters if each)
