"""What a search shows of an event: the words around what was found.

Guarantees: it takes no longer than reading the text, however often a word stands in it.
(snippet() of SQLite takes the square of that: hours, if somebody wants it to.)
"""

from __future__ import annotations

import re
import sqlite3

__all__ = ["EXCERPT", "offer_excerpts"]

_COLUMNS = 6
EXCERPT = "timeline_excerpt({})".format(
    ", ".join(f"highlight(event_search, {column}, char(2), char(3))" for column in range(_COLUMNS))
)
"""The excerpt of a row of `event_search`, as SQL; what was found stands between U+0002, U+0003."""

_FOUND = re.compile("\x02([^\x02\x03]+)\x03")
_WORDS_BEFORE, _WORDS_BEHIND = 6, 10
_NEAR = 120
"""Characters on either side, at most: a word may be long."""


def offer_excerpts(connection: sqlite3.Connection) -> None:
    """Let EXCERPT be asked on this connection."""
    connection.create_function("timeline_excerpt", _COLUMNS, _best, deterministic=True)


def _best(*texts: str | None) -> str:
    """Of several texts the words around the first mark, from the text that shows most."""
    pieces = [_around(text) for text in texts if text and "\x02" in text]
    return max(pieces, key=lambda piece: len({*_FOUND.findall(piece.lower())}), default="")


def _around(text: str) -> str:
    at = text.index("\x02")
    before = " ".join(text[max(at - _NEAR, 0) : at].split(" ")[-_WORDS_BEFORE:])
    behind = " ".join(text[at : at + _NEAR].split(" ")[:_WORDS_BEHIND])
    start = "... " if len(before) < at else ""
    end = " ..." if at + len(behind) < len(text) else ""
    unclosed = "\x03" if behind.rfind("\x02") > behind.rfind("\x03") else ""
    return f"{start}{before}{behind}{unclosed}{end}"
