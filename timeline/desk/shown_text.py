"""Show pieces of a kept text: each knows its place, and what nobody sees is shown as its number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from timeline.model import invisible
from timeline.texts.coverage import MarkedSpan


class ShownPiece(NamedTuple):
    """A piece of a text between `start` and `end`, in code points."""

    text: str
    start: int
    end: int
    is_quoted: bool = False
    unseen: str = ""
    """The number and the name of a character that nobody sees; its text is its number."""


def shown_pieces(
    text: str, start: int = 0, end: int | None = None, quoted: Sequence[MarkedSpan] = ()
) -> Iterator[ShownPiece]:
    """Yield the pieces of a span of a text, cut where a quote begins or ends in it.

    A carriage return is shown as a blank: browsers make one line break of it and the next.
    """
    end = len(text) if end is None else end
    cuts = {start, end}
    for place in quoted:
        cuts |= {max(place.start, start), min(place.end, end)}
    for first, last in pairwise(sorted(cuts)):
        is_quoted = any(place.start <= first and last <= place.end for place in quoted)
        at = first
        for piece, is_unseen in invisible.pieces(text[first:last]):
            here = at, at + len(piece)
            at = here[1]
            if is_unseen:
                yield ShownPiece(
                    f"[{invisible.code(piece)}]", *here, is_quoted, invisible.named(piece)
                )
            else:
                yield ShownPiece(piece.replace("\r", " "), *here, is_quoted)


def count_unseen(text: str) -> int:
    """Return how many characters of a text nobody sees."""
    return sum(is_unseen for _, is_unseen in invisible.pieces(text))
