"""JSON that is streamed, and harmless wherever it is looked at.

Guarantees: one member of a list a line, so that files can be compared; every value is itself
after parsing. What a terminal, an editor or a page round about would obey - control and bidi
characters, and the "<" of a tag - is written as JSON's own escape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

__all__ = ["listed", "text"]

_HARMFUL = re.compile("[<\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def text(value: object) -> str:
    """The JSON of a value, on one line."""
    found = json.dumps(value, ensure_ascii=False)
    return _HARMFUL.sub(lambda match: f"\\u{ord(match[0]):04x}", found)


def listed(items: Iterable[str]) -> Iterator[str]:
    """The items of a JSON array, without its brackets: each on a line of its own."""
    before = None
    for item in items:
        if before is not None:
            yield f"{before},\n"
        before = item
    if before is not None:
        yield f"{before}\n"
