"""Make parts of error messages: the word that somebody likely meant, and quoted texts.

Guarantees: a quoted text is printable, on one line and not long.
"""

from collections.abc import Iterable, Sequence
from itertools import takewhile

from timeline.model import invisible, names

_LONGEST_SLIP = 200
"""Characters of a word that is compared with known words; a longer one is no slip of them."""
_LONGEST_QUOTED = 60
"""Characters of a text that a message quotes; a longer text is cut."""


def nearest(word: str, words: Iterable[str], likeness: float = 0.6) -> str | None:
    """Find the one of `words` that somebody who wrote `word` most likely meant, or None.

    Of equally close words it is the one that begins with the same letters: people seldom
    mistype the first letters. Returns None if no word is close: `likeness`, from 0 to 1, is how
    alike the two must be.
    """
    words = list(words)
    if word in words:
        return word
    if len(word) > _LONGEST_SLIP:
        return None
    from difflib import SequenceMatcher, get_close_matches  # only slips need it

    target = names.fold(word)
    known = {names.fold(candidate): candidate for candidate in words}

    def closeness(candidate: str) -> tuple[float, int]:
        pairs = zip(candidate, target, strict=False)
        alike_at_first = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        return SequenceMatcher(None, candidate, target).ratio(), alike_at_first

    close = get_close_matches(target, known, len(known) or 1, likeness)
    return known[max(sorted(close), key=closeness)] if close else None


def quoted(text: str, *, escaped: bool = False) -> str:
    """Quote a text in a message: one printable line, cut after 60 characters.

    Characters that cannot be printed become blanks, or escapes as in Python if `escaped`. The first
    one that nobody sees is named, for the text may look like another one.
    """
    hidden = "" if escaped else invisible.hidden(text)
    if hidden:
        return f"{quoted(invisible.without(text))} with {invisible.named(hidden)}"
    if not escaped:
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    short = text if len(text) <= _LONGEST_QUOTED else text[:_LONGEST_QUOTED] + "..."
    return f'"{short}"' if short.isprintable() else ascii(short)


def first_of(items: Sequence[str], most: int) -> str:
    """List the first items in a message, and say how many more there are."""
    listed = ", ".join(items[:most])
    return f"{listed} and {len(items) - most} more" if len(items) > most else listed


def printable(text: str) -> str:
    """Return a whole text as one printable line, with escapes as in Python if it needs any."""
    return text if text.isprintable() else ascii(text)[1:-1]
