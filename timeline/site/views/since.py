"""Read what is new for a reader who looked at a list some entries ago.

Guarantees: the numbers are exact, and count the events that the filters of the page choose. Reads
on the connection it is given; knows no request and no template.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from timeline.errors import InvalidInput
from timeline.languages.translation import ngettext, number
from timeline.reading.as_of import NOW
from timeline.reading.facet_index import FacetIndex
from timeline.site.views.address import Address
from timeline.site.views.browse import selected


def since(
    connection: sqlite3.Connection,
    address: Address,
    index: FacetIndex | None,
    entry: int | None,
    newest: int,
) -> dict[str, Any]:
    """Return how many events are new or changed since an entry, in numbers and in words.

    `newest` is the number of the newest entry. A change of an event counts whatever its state is
    now, so that a retraction counts. Raises InvalidInput without an entry, and TimelineError for an
    address whose values cannot be read.
    """
    if entry is None:
        raise InvalidInput("entry", "is missing: write the number of an entry, such as 41")
    entry = min(entry, newest)
    with selected(connection, NOW, index, address) as chosen:
        new = chosen.since(entry).new
    with selected(connection, NOW, index, address.of_any_state()) as chosen:
        changed = chosen.since(entry).changed
    return {"entry": newest, "new": new, "changed": changed, "words": [*_words(new, changed)]}


def _words(new: int, changed: int) -> Iterator[str]:
    if new:
        said = ngettext("{number} new since you looked", "{number} new since you looked", new)
        yield said.format(number=number(new))
    if changed and new:
        yield ngettext("{number} changed", "{number} changed", changed).format(
            number=number(changed)
        )
    elif changed:
        said = ngettext(
            "{number} changed since you looked", "{number} changed since you looked", changed
        )
        yield said.format(number=number(changed))
