"""Read what the panel of filters shows: the values of each facet, and what is chosen, in words.

Guarantees: every number is exact, and counts the events that a further choice of its value would
leave. A value that is chosen or excluded is always shown, even if no event has it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from timeline.errors import InvalidValue
from timeline.formats import prose
from timeline.formats.labels import country_name, event_type_label, label
from timeline.formats.local_dates import period_words
from timeline.formats.log_names import Names
from timeline.languages import translation
from timeline.languages.translation import current, gettext, ngettext
from timeline.model import edtf
from timeline.reading import areas, deadline
from timeline.reading.filters import MATCHED, date_of
from timeline.reading.selection import Selection, folded
from timeline.site.views.address import FACETS, NOT, Address
from timeline.site.views.event_classes import EventClass, class_of

_SHOWN = 8
"""The number of values that a facet shows until a reader asks for all."""
_MOST = 1_000
"""The largest number of values that a facet shows; they take 270 kB of a page."""
OPEN = ("type", "actor", "country")
"""The facets whose values are shown at first."""


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
        if self.total <= _MOST:
            text, count = ngettext("All {number}", "All {number}", self.total), self.total
        else:
            text, count = ngettext("The first {number}", "The first {number}", _MOST), _MOST
        return text.format(number=translation.number(count))


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
    for name in ("since", "until"):
        if not (text := getattr(address, name)):
            continue
        try:
            edtf.parse(text)
        except InvalidValue:  # named in a language: pages in others shall read it too
            words[name] = date_of(chosen.tables, text).edtf
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
    is_translated = current() != "en" and name in ("type", "country")
    rows, total = chosen.choices(
        FACETS[name],
        None if is_by_name or is_translated else limit,
        picked,
        containing="" if is_translated else find,
    )
    choices = [
        Choice(
            value := str(row["value"]),
            label_of(name, value, str(row["label"])),
            row["count"],
            value in yes,
            value in no,
            class_of(value) if name == "type" else None,
        )
        for row in rows
    ]
    if is_translated and find:
        choices = [each for each in choices if folded(find) in folded(each.label)]
        total = len(choices)
    if is_by_name:
        choices.sort(key=lambda choice: choice.label.casefold())
    if is_by_name or is_translated:
        choices = [
            each for place, each in enumerate(choices) if place < limit or each.value in picked
        ]
    return Facet(
        name,
        title_of(name),
        choices,
        total - len(choices),
        name in OPEN or bool(picked) or is_long,
        name in MATCHED,
        find if find or total > _SHOWN else None,
    )


# --- In words -----------------------------------------------------------------------------


def title_of(facet: str) -> str:
    """Return the name of a facet on the page."""
    return {
        "type": gettext("Kind of event"),
        "actor": gettext("Who"),
        "country": gettext("Country"),
        "tag": gettext("Tag"),
        "source": gettext("Source"),
        "modality": gettext("Whether it happened"),
        "verification": gettext("How sure"),
        "state": gettext("State"),
        "at_risk": gettext("At risk"),
        "highlight": gettext("Highlights"),
        "precision": gettext("How exact the date is"),
    }[facet]


def label_of(facet: str, value: str, known: str) -> str:
    """Return the label of a value of a facet; `known` is the one that the tables have."""
    match facet, value:
        case "type", _:
            return event_type_label(value, known)
        case "country", _:
            return country_name(value)
        case (("modality" | "verification" | "state" | "precision"), _):
            return label(facet, value)
        case "at_risk", _:
            return gettext("at risk") if value == "1" else gettext("not at risk")
        case "highlight", _:
            return gettext("highlight") if value == "1" else gettext("not a highlight")
    return known.replace("_", " ")


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
        ("area", address.area and _asked_area(address), ("area",)),
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


def _asked_area(address: Address) -> str:
    """Return the area that is asked for, in words."""
    return gettext("on the map: {area}").format(area=areas.parse(address.area).words)


def _asked_range(address: Address) -> str:
    """Return the range of figures that is asked for, in words: "killed: 10 to 50"."""
    if not address.measure:
        return ""
    least, most = address.at_least, address.at_most
    if least and most:
        text = gettext("{measure}: {low} to {high} {unit}")
    elif least:
        text = gettext("{measure}: at least {low} {unit}")
    elif most:
        text = gettext("{measure}: at most {high} {unit}")
    else:
        text = gettext("{measure}: any {unit}")
    measure = label("measure", address.measure)
    unit = label("unit", address.unit)
    return text.format(measure=measure, low=least, high=most, unit=unit).strip()


def _labels(
    tables: sqlite3.Connection, address: Address, facets: Sequence[Facet]
) -> dict[tuple[str, str], str]:
    """Return labels by facet and value.

    Event types and chosen countries have one even if no event has them.
    """
    called = {("type", code): label for code, label in Names(tables).labels.items()}
    for facet, value in address.chosen:
        name = facet.removesuffix(NOT)
        if name in ("at_risk", "highlight", "country"):
            called[name, value] = label_of(name, value, value)
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
