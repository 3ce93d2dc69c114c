"""Tell on which page of a document a place in its text is.

Guarantees: pages are parted by form feeds, as PDF readers write them, and counted from 1. A text
of one page has no page numbers.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

PAGE_BREAK = "\f"


def page_breaks(text: str) -> list[int]:
    """Return the positions at which one page ends and another one with words begins."""
    end = len(text.rstrip())
    return [found.start() for found in re.finditer(PAGE_BREAK, text) if found.start() < end]


def page_of(position: int, breaks: Sequence[int]) -> int | None:
    """Return the number of the page on which a position is; None for a text of one page."""
    return bisect_left(breaks, position) + 1 if breaks else None
