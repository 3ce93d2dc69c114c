"""Know the pages of one tag, one event type, one country and one month: their paths and heads.

Guarantees: such a page has the events that the filters choose with that value, and its address is
the canonical one of exactly this selection. Reads on the connection it is given; knows no request
and no template.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from timeline.errors import NotFound
from timeline.formats import prose
from timeline.languages.translation import gettext
from timeline.model.names import actor_id_of
from timeline.reading import query
from timeline.site.views.address import Address

TAG_ID = "[a-z0-9][a-z0-9-]*"
"""The pattern of what stands for a tag in a path."""

_TYPE_ID = "[A-Za-z0-9_-]+"
_MONTH = "[0-9]{4}-(?:0[1-9]|1[0-2])"
OF_NAME = re.compile("-[0-9a-f]{8}$")
"""Matches an id that `actor_id_of` may have made of a text."""

PATTERNS = (
    f"/tags/(?P<tag>{TAG_ID})",
    f"/types/(?P<type>{_TYPE_ID})",
    "/countries/(?P<country>[A-Z]{3})",
    f"/months/(?P<month>{_MONTH})",
)
"""The patterns of the paths; the part that names the value has the name of its facet."""

VALUE = re.compile("|".join(PATTERNS))
"""Matches the path of the page of a value."""

_VALUES = {
    "tag": ("event_tags", "tag"),
    "type": ("events", "event_type"),
    "country": ("events", "country"),
    "month": ("events", "month"),
}
"""The table and the column that have the values of events today. An index leads to each value."""


class ValueHead(NamedTuple):
    """The head of a page names its value, and leads to the list of all values of the facet."""

    title: str
    value: str
    """The words in the title that are not ours."""
    every: str
    """The path of the list of all values."""
    every_words: str
    facts: str = ""
    """What else is to know of the value."""
    beside: Sequence[tuple[str, str]] = ()
    """The pages of the values before and after it: path and words."""


# --- Values and paths ---------------------------------------------------------------------


def paths(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the path of the page of every value that an event has today, whatever its state."""
    for facet in _VALUES:
        found = (path_of(facet, value) for value in values(connection, facet))
        yield from dict.fromkeys(path for path in found if path)


def values(connection: sqlite3.Connection, facet: str) -> list[str]:
    """Return every value of a facet that an event has today, in order.

    Only as many rows are read as there are values.
    """
    table, column = _VALUES[facet]
    cursor = connection.execute(
        f"WITH RECURSIVE found (value) AS (SELECT min({column}) FROM {table} UNION ALL"  # noqa: S608
        f" SELECT (SELECT min({column}) FROM {table} WHERE {column} > value)"
        " FROM found WHERE value IS NOT NULL) SELECT value FROM found WHERE value IS NOT NULL"
    )
    return [value for (value,) in cursor]


def paths_of_today(
    connection: sqlite3.Connection, said: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Return the paths of those pairs of facet and value that an event has today."""
    found = {}
    for facet, value in said:
        table, column = _VALUES[facet]
        sql = f"SELECT 1 FROM {table} WHERE {column} = ? LIMIT 1"  # noqa: S608
        if connection.execute(sql, (value,)).fetchone():
            found[facet, value] = path_of(facet, value)
    return found


def path_of(facet: str, value: str) -> str:
    """Return the path of the page of a value; "" for a month of a year that has not four digits."""
    match facet:
        case "tag":
            return f"/tags/{_id(value, TAG_ID)}"
        case "type":
            return f"/types/{_id(value, _TYPE_ID)}"
        case "country":
            return f"/countries/{value}"
    return f"/months/{value}" if re.fullmatch(_MONTH, value) else ""


def _id(value: str, pattern: str) -> str:
    return value if re.fullmatch(pattern, value) else actor_id_of(value)


def pairs_at(connection: sqlite3.Connection, part: Callable[[str], str]) -> list[tuple[str, str]]:
    """Return the parameters that choose the value in a path; none if the path names no value.

    `part` returns a part of the path by its name. Raises NotFound for an unknown value.
    """
    if tag_id := part("tag"):
        return [("tag", tag) for tag in tags_of(connection, tag_id)]
    if type_id := part("type"):
        return [("type", code) for code in _spelt(connection, "type", type_id, _TYPE_ID)]
    if alpha3 := part("country"):
        if not connection.execute("SELECT 1 FROM countries WHERE alpha3 = ?", (alpha3,)).fetchone():
            raise NotFound("country", alpha3)
        return [("country", alpha3)]
    month = part("month")
    return [("since", month), ("until", month)] if month else []


def check(connection: sqlite3.Connection, path: str) -> None:
    """Raise NotFound if a path is that of the page of an unknown value."""
    if found := VALUE.fullmatch(path):
        pairs_at(connection, lambda name: found[name] or "")


def tags_of(connection: sqlite3.Connection, tag_id: str) -> list[str]:
    """Return the tags, spelt alike, that an id in a path stands for. Raises NotFound."""
    return _spelt(connection, "tag", tag_id, TAG_ID)


def _spelt(connection: sqlite3.Connection, facet: str, its_id: str, pattern: str) -> list[str]:
    """Return the values, spelt alike, that an id in a path stands for. Raises NotFound."""
    table, column = _VALUES[facet]
    found = [
        value
        for (value,) in connection.execute(
            f"SELECT {column} FROM {table} WHERE {column} = ? LIMIT 1",  # noqa: S608
            (its_id,),
        )
    ]
    if OF_NAME.search(its_id):
        found = [each for each in values(connection, facet) if _id(each, pattern) == its_id]
    if not found and facet == "type":
        found = [code for code in query.labels(connection) if _id(code, pattern) == its_id]
    if not found:
        raise NotFound({"tag": "tag", "type": "event type"}[facet], its_id)
    return found


def path_of_selection(connection: sqlite3.Connection, address: Address) -> str:
    """Return the path of the page that has exactly the events of an address; "" if there is none.

    The moment and the page of the list make no difference. The values of the address must be as
    the tables store them.
    """
    looks = re.compile("as_of|as_reported|after|all|values|find_.*")
    pairs = [pair for pair in address.pairs() if not looks.fullmatch(pair[0])]
    names = [name for name, _ in pairs]
    if names == ["since", "until"]:
        return path_of("month", address.since) if address.since == address.until else ""
    if not pairs or names[0] not in ("tag", "type", "country"):
        return ""
    path = path_of(names[0], pairs[0][1])
    its_id = path.rpartition("/")[2]
    try:
        chosen = pairs_at(connection, lambda name: its_id if name == names[0] else "")
    except NotFound:  # a value of the past
        return ""
    return path if sorted(chosen) == sorted(pairs) else ""


# --- Heads --------------------------------------------------------------------------------


def head_of(facet: str, value: str, labels: Mapping[tuple[str, str], str]) -> ValueHead:
    """Return the head of the page of a value, with the labels that the page has of values."""
    if facet == "since":
        return ValueHead(prose.date(value), "", "/months", gettext("All months"))
    label = labels.get((facet, value), value)
    words, every, every_words = {
        "tag": (gettext("Tag: {value}"), "/tags", gettext("All tags")),
        "type": (gettext("Kind of event: {value}"), "/types", gettext("All kinds of events")),
        "country": (gettext("Country: {value}"), "/countries", gettext("All countries")),
    }[facet]
    return ValueHead(words.format(value=label), label, every, every_words)
