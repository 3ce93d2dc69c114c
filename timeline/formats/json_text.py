"""Functions that write JSON as a stream of lines which is safe to show anywhere.

Guarantees: each item of a list has a line of its own, so that files can be compared line by
line. Parsing returns the same values. Characters that a terminal, an editor or a web page would
obey (control and bidi characters, and the "<" of a tag) are written as JSON escapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

_HARMFUL = re.compile("[<\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def text(value: object) -> str:
    """Return the JSON of a value, on one line."""
    found = json.dumps(value, ensure_ascii=False)
    return _HARMFUL.sub(lambda match: f"\\u{ord(match[0]):04x}", found)


def listed(items: Iterable[str]) -> Iterator[str]:
    """Yield the items of a JSON array without its brackets, each on a line of its own.

    `items` are JSON texts.
    """
    before = None
    for item in items:
        if before is not None:
            yield f"{before},\n"
        before = item
    if before is not None:
        yield f"{before}\n"
