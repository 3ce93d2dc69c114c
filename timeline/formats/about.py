"""The data that goes with the events of an export: the log, the selection, the point in time."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from timeline.errors import InvalidValue
from timeline.formats import prose
from timeline.formats.labels import event_type_label
from timeline.formats.log_names import Names
from timeline.formats.selection_words import Condition, conditions
from timeline.formats.sheet.events import Lookup
from timeline.formats.sheet.lookup import lookup_to_write
from timeline.languages.translation import gettext
from timeline.model import edtf
from timeline.reading import captured_texts
from timeline.reading.as_of import NOW, AsOf, pinned
from timeline.store import log


class About(NamedTuple):
    """Everything that an exporter needs to know beside the events it writes."""

    info: Mapping[str, Any]
    """What the log says about itself, as `log.info` returns it."""
    lookup: Lookup = Lookup()
    """The event types of the log with their labels, and the sources that events cite."""
    as_of: AsOf = NOW
    """The point in time at which the log was read; NOW if the file names none."""
    filters: Mapping[str, str] = {}
    """The filters that were asked for, with as_of and as_reported, by name.

    They tell one feed from another.
    """
    address: Callable[[str], str] | None = None
    """Returns the address of an event's page from the event's id; None if there are no pages."""
    self_url: str | None = None
    """The address of this file; None if it has none."""
    next_url: str | None = None
    """The address of the file with the next events, if this file holds a part of the selection."""
    cited_text: Callable[[Mapping[str, Any]], str | None] | None = None
    """Returns the captured text that a citation's offsets count in, or None if there is none.

    `captured_texts.cited` makes such a function.
    """
    file_address: Callable[[str], str | None] | None = None
    """Returns the address of an attached file from its hash; None if the file is not here.

    Without pages, there is no such function.
    """
    names: Names | None = None
    """The names of sources and actors as of then; None if nothing needs them."""
    conditions: Sequence[Condition] = ()
    """What was asked for, in words; empty for all events."""
    state: str = ""
    """The state of the log in words: "30 November 2026, entry 63, 14:20 Kyiv time"."""
    events: int | None = None
    """The number of events of the selection, of which the file may hold a part."""
    permalink: str | None = None
    """The address of the page that shows this selection in this state for ever."""

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels of event types, by code."""
        types = self.lookup.event_types
        return {each.code: event_type_label(each.code, each.label) for each in types}


def about_selection(
    connection: sqlite3.Connection,
    point: AsOf,
    filters: Mapping[str, Any],
    moments: Mapping[str, str | None],
    text: str | None = None,
) -> About:
    """Return what a file says of the events that filters and the words of a search choose.

    `point` is where the two `moments`, as_of and as_reported, are in the log.
    """
    names = Names(connection, point)
    point = pinned(connection, point)
    return About(
        log.info(connection),
        lookup_to_write(connection),
        point,
        in_words({**filters, "q": text, **moments}),
        cited_text=captured_texts.cited(connection),
        names=names,
        conditions=conditions(filters, names, text),
        state=state_of(connection, point, moments),
    )


def state_of(connection: sqlite3.Connection, point: AsOf, moments: Mapping[str, str | None]) -> str:
    """Return the state of the log at a pinned point, which two moments asked for, in words."""
    entry = log.entry_at(connection, point.seq)
    zone = log.time_zone(connection)
    said = _newest(point.seq, entry.recorded_at, zone) if entry else gettext("no entry")
    as_of, reported = moments.get("as_of"), moments.get("as_reported")
    if as_of and not re.fullmatch("#?[0-9]+", as_of):
        then = gettext("{moment} (the newest entry then: {state})")
        said = then.format(moment=_moment(as_of), state=said)
    if reported:
        only = gettext("{state}, with only what had been reported up to {moment}")
        said = only.format(state=said, moment=_moment(reported))
    return said


def _newest(seq: int, recorded_at: str, time_zone: str) -> str:
    """Return a state of the log in words: "30 November 2026, entry 63, 14:20 Kyiv time".

    `seq` is its newest entry, which was recorded then.
    """
    return gettext("{day}, entry {entry}, {time} {clock}").format(
        day=prose.date(prose.local_day(recorded_at, time_zone)),
        entry=seq,
        time=prose.local_time(recorded_at, time_zone),
        clock=prose.clock_name(time_zone),
    )


def _moment(text: str) -> str:
    """Return a moment that was asked for in words; as it is if it is no date, such as #41."""
    try:
        return prose.date(edtf.parse(text).edtf)
    except InvalidValue:
        return text


def in_words(filters: Mapping[str, Any]) -> dict[str, str]:
    """Return filters for `About`: those that ask for something, several values with commas."""
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        for name, value in filters.items()
        if value is not None
    }


def heading(about: About) -> dict[str, Any]:
    """Return what a file says of itself as members of a JSON object; null if it is not known."""
    return {
        "title": about.info.get("title"),
        "origin": about.info.get("origin"),
        "language": about.info.get("language", "en"),
        "licence": about.info.get("licence"),
        "time_zone": about.info.get("time_zone", "UTC"),
        "as_of": about.as_of.seq if about.as_of.seq < NOW.seq else None,
        "as_reported": about.as_of.reported if about.as_of.reported < NOW.reported else None,
        "filters": dict(about.filters),
        "self": about.self_url,
        "next": about.next_url,
    }
