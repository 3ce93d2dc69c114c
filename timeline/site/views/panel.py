"""Read what the panel of filters shows: the values of each facet, and what is chosen, in words.

Guarantees: every number is exact, and counts the events that a further choice of its value would
leave. A value that is chosen or excluded is always shown, even if no event has it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from timeline.formats import prose
from timeline.formats.local_dates import period_words
from timeline.languages.translation import gettext
from timeline.model import countries
from timeline.reading import areas, deadline, query
from timeline.reading.filters import MATCHED
from timeline.reading.selection import Selection
from timeline.site.views.address import FACETS, NOT, Address
from timeline.site.views.event_classes import EventClass, class_of

_SHOWN = 8
"""The number of values that a facet shows until a reader asks for all."""
_MOST = 1_000
"""The largest number of values that a facet shows; they take 270 kB of a page."""
_OPEN = ("type", "actor", "country")
"""The facets whose values are shown at first."""

_TITLES = {
    "type": "Kind of event",
    "actor": "Who",
    "country": "Country",
    "tag": "Tag",
    "source": "Source",
    "modality": "Whether it happened",
    "verification": "How sure",
    "state": "State",
    "at_risk": "At risk",
    "highlight": "Highlights",
    "precision": "How exact the date is",
}
"""The names of the facets on the page."""


class Choice(NamedTuple):
    """A value of a facet, and the number of events that choosing it would leave."""

    value: str
    label: str
    events: int
    is_chosen: bool
    is_excluded: bool
    mark: EventClass | None
    """The class of an event type, whose mark stands before its label."""


class Facet(NamedTuple):
    """A facet with its values; `hidden` is the number of values that are not shown."""

    name: str
    title: str
    choices: list[Choice]
    hidden: int
    is_open: bool
    is_matched: bool
    """Whether a reader may ask for any or all of the values."""
    find: str | None
    """The text that values are found by; None if the facet has few values."""

    @property
    def total(self) -> int:
        """Return the number of values, shown or not."""
        return len(self.choices) + self.hidden

    @property
    def offer(self) -> str:
        """Return the words that offer all values, or as many as a page shows."""
        return f"All {self.total:,}" if self.total <= _MOST else f"The first {_MOST:,}"


class Chip(NamedTuple):
    """A chip says in words one thing that is asked for, and links to the page without it."""

    name: str
    """The facet or the parameter that asks for it."""
    value: str
    words: str
    is_excluded: bool
    link: str


def panel(connection: sqlite3.Connection, chosen: Selection, address: Address) -> dict[str, Any]:
    """Return what the panel and the chips show of a selection, for their templates.

    The values of `address` must be as the tables store them (`as_stored`).
    """
    facets = [facet for name in FACETS if (facet := _facet(chosen, address, name)).choices]
    labels = _labels(chosen.tables, address, facets)
    measures = chosen.measures()
    return {
        "facets": facets,
        "chips": _chips(address, labels),
        "labels": labels,
        "source_languages": _source_languages(connection, facets),
        "measures": sorted({*(measure for measure, _ in measures), address.measure} - {""}),
        "units": sorted({*(unit for _, unit in measures), address.unit} - {""}),
        "other_pairs": [pair for pair in address.pairs() if pair[0] in _OTHERS],
    }


def chips_of(connection: sqlite3.Connection, chosen: Selection, address: Address) -> dict[str, Any]:
    """Return what the chips alone show; read only the facets that the address chooses from.

    The values of `address` must be as the tables store them (`as_stored`).
    """
    names = {facet.removesuffix(NOT) for facet, _ in address.chosen}
    facets = [_facet(chosen, address, name) for name in FACETS if name in names]
    return {
        "chips": _chips(address, _labels(chosen.tables, address, facets)),
        "source_languages": _source_languages(connection, facets),
    }


_OTHERS = ("q", "place", "area", "as_reported", "view", "box")
"""The parameters that the form of the panel keeps as they are."""

_SPELT = (
    *("type", "country", "tag", "modality", "verification", "state"),
    *("at_risk", "highlight", "precision"),
)
"""The facets whose values may be written in several ways, such as a code or a label."""


def as_stored(chosen: Selection, address: Address) -> Address:
    """Return the address with its values as the tables store them, such as "UKR" for "ua".

    They then match the values that the facets list.
    """
    stored = [
        (facet, _stored(chosen, facet.removesuffix(NOT), value)) for facet, value in address.chosen
    ]
    words = {
        name: str(chosen.parse_filter(name, getattr(address, name)))
        for name in ("measure", "unit")
        if getattr(address, name)
    }
    return address._replace(chosen=tuple(dict.fromkeys(stored)), **words)


def _stored(chosen: Selection, facet: str, value: str) -> str:
    """Return the value of a facet as the tables store it; the name of one actor as its id."""
    if facet in _SPELT:
        return str(chosen.parse_filter(FACETS[facet], value) or value)
    if facet == "actor":
        actor_ids = {*json.loads(str(chosen.parse_filter(facet, value)))}
        return str(actor_ids.pop()) if len(actor_ids) == 1 else value
    return value


def _facet(chosen: Selection, address: Address, name: str) -> Facet:
    deadline.check()
    yes = {value for facet, value in address.chosen if facet == name}
    no = {value for facet, value in address.chosen if facet == f"{name}{NOT}"}
    picked = sorted(yes | no)
    find = str(getattr(address, f"find_{name}", ""))
    is_long = address.all == name or bool(find)
    limit = _MOST if is_long else _SHOWN
    is_by_name = address.values == "name"
    rows, total = chosen.choices(
        FACETS[name], None if is_by_name else limit, picked, containing=find
    )
    if is_by_name:
        rows.sort(key=lambda row: str(row["label"]).casefold())
        rows = [row for place, row in enumerate(rows) if place < limit or row["value"] in picked]
    return Facet(
        name,
        _TITLES[name],
        [
            Choice(
                value := str(row["value"]),
                str(row["label"]).replace("_", " "),
                row["count"],
                value in yes,
                value in no,
                class_of(value) if name == "type" else None,
            )
            for row in rows
        ],
        total - len(rows),
        name in _OPEN or bool(picked) or is_long,
        name in MATCHED,
        find if find or total > _SHOWN else None,
    )


# --- In words -----------------------------------------------------------------------------


def _chips(address: Address, labels: dict[tuple[str, str], str]) -> list[Chip]:
    """Return a chip for each thing that the address asks for."""
    found = [
        Chip(name, value, labels.get((name, value), value), name != facet, link)
        for facet, value in address.chosen
        for name, link in [(facet.removesuffix(NOT), address.toggled(facet, value))]
    ]
    others = (
        ("period", _asked_period(address), ("since", "until")),
        ("place", address.place, ("place",)),
        ("area", address.area and f"on the map: {areas.parse(address.area).words}", ("area",)),
        ("measure", _asked_range(address), ("measure", "unit", "at_least", "at_most")),
        ("q", address.q and f"\u201c{address.q}\u201d", ("q",)),
    )
    for name, words, parameters in others:
        if words:
            link = address.query(**dict.fromkeys(parameters, ""))
            found.append(Chip(name, "", words, False, link))
    return found


def _asked_period(address: Address) -> str:
    """Return the period that is asked for, in words; an empty text if none is."""
    since, until = address.since, address.until
    if since and until:
        return period_words(since, until)
    if since:
        return gettext("from {date}").format(date=prose.date(since))
    return gettext("to {date}").format(date=prose.date(until)) if until else ""


def _asked_range(address: Address) -> str:
    """Return the range of figures that is asked for, in words: "killed: 10 to 50"."""
    if not address.measure:
        return ""
    least, most = address.at_least, address.at_most
    numbers = f"{least} to {most}" if least and most else ""
    numbers = numbers or (f"at least {least}" if least else f"at most {most}" if most else "any")
    return f"{address.measure}: {numbers} {address.unit}".rstrip()


def _labels(
    tables: sqlite3.Connection, address: Address, facets: Sequence[Facet]
) -> dict[tuple[str, str], str]:
    """Return labels by facet and value.

    Event types and chosen countries have one even if no event has them.
    """
    called = {("at_risk", "1"): "at risk", ("at_risk", "0"): "not at risk"}
    called |= {("highlight", "1"): "highlight", ("highlight", "0"): "not a highlight"}
    called |= {("type", code): label for code, label in query.labels(tables).items()}
    for facet, value in address.chosen:
        if facet.removesuffix(NOT) == "country":
            called["country", value] = countries.country_name(value)
    for each in facets:
        called |= {(each.name, choice.value): choice.label for choice in each.choices}
    return called


def _source_languages(
    connection: sqlite3.Connection, facets: Sequence[Facet]
) -> dict[str, dict[str, str]]:
    """Return the language of each source that the facets list, by id, if it is known."""
    ids = [choice.value for facet in facets if facet.name == "source" for choice in facet.choices]
    rows = connection.execute(
        "SELECT source_id, language FROM sources"
        " WHERE language IS NOT NULL AND source_id IN (SELECT value FROM json_each(?))",
        (json.dumps(ids),),
    )
    return {source_id: {"language": language} for source_id, language in rows}
