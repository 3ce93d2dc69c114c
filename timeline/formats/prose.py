"""The parts of an event as a person says them.

Guarantees: one wording on the terminal and on the site. Everything returned is plain text,
which has yet to be made harmless where it is shown. Nothing here writes or prints.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from timeline.errors import NotFound
from timeline.model import countries
from timeline.model.edtf import phrase
from timeline.reading import query
from timeline.reading.as_of import NOW, AsOf
from timeline.reading.entries import erasure_of
from timeline.reading.references import resolve_entry
from timeline.reading.sources import sources_by_id
from timeline.store.rows import RowDict

Content = Mapping[str, Any]

DEFAULTS = {
    "modality": "actual",
    "verification": "reported",
    "role": "actor",
    "stance": "asserts",
}
"""What is meant where a content is silent."""


def date(edtf: str | None) -> str:
    """A date as a person writes it."""
    return phrase(edtf) if edtf else ""


def place_name(name: str | None, country: str | None) -> str:
    """ "Odesa, Ukraine"; the one or the other may be missing."""
    names = [name, countries.country_name(country) if country else None]
    return ", ".join(dict.fromkeys(part for part in names if part))


def instant(text: str) -> str:
    """ "15 April 2025, 10:15 UTC" of a recording time."""
    return phrase(text[:16] + "Z") if text else ""


class Names:
    """How this log calls its event types, its sources and, as of then, its events."""

    def __init__(self, connection: sqlite3.Connection, as_of: AsOf = NOW) -> None:
        self._connection = connection
        self._as_of = as_of

    @functools.cached_property
    def labels(self) -> dict[str, str]:
        """The labels of event types, by code."""
        return query.labels(self._connection)

    def event_type(self, code: str) -> str:
        """ "Agreement" for AGREE."""
        return self.labels.get(code, code)

    def event(self, event_id: str) -> str:
        """ "Talks in Odesa (talks)", or the id alone of an event that was not there."""
        try:
            event = query.get(self._connection, event_id, as_of=self._as_of)
        except NotFound:
            return event_id
        return f"{title(event)} ({event_id})"

    def source(self, source_id: str) -> str:
        """The title of a source, or what else it is known by."""
        source = self._source(source_id)
        return str(source.get("title") or source.get("url") or source_id)

    def citation(self, citation: Content) -> str:
        """A source with its publisher and date, and the words that are quoted from it."""
        source = self._source(citation["source_id"])
        return _listed(
            self.source(citation["source_id"]),
            source.get("publisher"),
            date(source.get("published")),
            f'"{citation["quote"]}"' if "quote" in citation else None,
            "WITHDRAWN" if source.get("state") == "withdrawn" else None,
        )

    def _source(self, source_id: str) -> RowDict:
        return sources_by_id(self._connection, [source_id], self._as_of).get(source_id, {})


def _listed(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def title(event: Content) -> str:
    """The title; that of an erased event is gone."""
    return event.get("title") or "(erased)"


def erased(erasure: Content | None, what: str = "what it said") -> str:
    """ "what it said was erased from the log (entry 7, 15 April 2025, 10:15 UTC): A court order"
    of a row that `entries.erasure_of` gave.
    """
    if erasure is None:
        return f"{what} was erased from the log"
    reason = f": {erasure['reason']}" if erasure["reason"] else ", and then the reason too"
    when = instant(erasure["recorded_at"])
    return f"{what} was erased from the log (entry {erasure['seq']}, {when}){reason}"


def erased_sides(connection: sqlite3.Connection, compared: Content) -> list[str]:
    """Of the two versions that a comparison holds, those whose words are gone, and why."""
    sides = (compared["before"], compared["after"])
    versions = [side["version"] for side in sides if side and side["state"] == "erased"]
    return [
        erased(
            erasure_of(connection, resolve_entry(connection, f"{compared['event_id']}@{version}")),
            f"what version {version} said",
        )
        for version in dict.fromkeys(versions)
    ]


def facts(event: Content, labels: Mapping[str, str]) -> str:
    """ "15 April 2025 - Consultation - Odesa, Ukraine - corroborated": what is worth naming."""
    known = [
        date(event.get("occurred")),
        labels.get(event.get("event_type", ""), event.get("event_type", "")),
        place(event.get("place", {})),
        *(
            event[field]
            for field in ("modality", "verification")
            if event.get(field, DEFAULTS[field]) != DEFAULTS[field]
        ),
        event["state"].upper() if event["state"] != "current" else "",
    ]
    return " - ".join(fact for fact in known if fact)


def at_risk(withdrawn: Sequence[Content]) -> str:
    """ "at risk: all that it rests on was withdrawn: A report (made up)"; of no sources nothing."""
    named = [
        f"{source['title']} ({source['reason'] or 'the reason was erased'})"
        for source in withdrawn[:_FEW]
    ]
    if len(withdrawn) > _FEW:
        named.append(f"{len(withdrawn) - _FEW:,} more")
    return f"at risk: all that it rests on was withdrawn: {'; '.join(named)}" if named else ""


_FEW = 5


def place(place: Content) -> str:
    """ "Odesa, Ukraine"."""
    return place_name(place.get("name") or place.get("admin1"), place.get("country"))


def coordinates(place: Content) -> str:
    """ "46.48, 30.73", latitude first."""
    return _listed(place.get("lat"), place.get("lon"))


def participant(participant: Content) -> str:
    """ "Mark Rutte - Secretary General, NATO", without the role."""
    return " - ".join(filter(None, (participant["name"], capacity(participant))))


def capacity(participant: Content) -> str:
    """ "Secretary General, NATO": the office held then, and the name in the source."""
    as_named = participant.get("as_named")
    return _listed(
        participant.get("office"),
        participant.get("organisation"),
        f'named "{as_named}"' if as_named else None,
    )


def role(participant: Content) -> str:
    """ "host"."""
    return str(participant.get("role", DEFAULTS["role"]))


def stance(claim: Content) -> str:
    """ "disputes"."""
    return str(claim.get("stance", DEFAULTS["stance"]))


def figures(quantities: Sequence[Content]) -> list[list[str]]:
    """Rows of a table: the number to `--replace` it by, what, how many, who says so."""
    return [
        [str(number), figure["measure"], amount(figure), said(figure)]
        for number, figure in enumerate(quantities, 1)
    ]


def amount(figure: Content) -> str:
    """ "more than 20,000,000,000 EUR"; people are counted without a unit."""
    sign = {"more_than": "more than ", "at_least": "at least ", "about": "about "}.get(
        figure.get("qualifier", "exact"), ""
    )
    number = _number(figure["value"]) if "value" in figure else ""
    if "low" in figure or "high" in figure:
        span = f"{_number(figure.get('low', '?'))} to {_number(figure.get('high', '?'))}"
        number = f"{number} ({span})" if number else span
    unit = "" if figure["unit"] == "person" else f" {figure['unit']}"
    return f"{sign}{number}{unit}"


def _number(text: str) -> str:
    whole, point, rest = text.partition(".")
    digits = whole.lstrip("-")
    return f"{int(whole):,}{point}{rest}" if len(digits) > 4 and digits.isdecimal() else text


def said(figure: Content) -> str:
    """ "Mayor of Sumy, 13 April 2025": who gives a figure, and for which day."""
    return _listed(figure.get("reported_by"), date(figure.get("dated")))


def figure(figure: Content) -> str:
    """ "killed 34, Mayor of Sumy, 13 April 2025"."""
    return _listed(f"{figure['measure']} {amount(figure)}", said(figure))


def claim(claim: Content) -> str:
    """ "Moscow: no progress", without the stance."""
    return ": ".join(claim[field] for field in ("speaker", "statement") if field in claim)


def relation(names: Names, relation: Content) -> str:
    """ "part of Talks in Odesa (talks)"."""
    return f"{relation['type'].replace('_', ' ')} {names.event(relation['event_id'])}"
