"""Read what a list of events shows of each: when, what, where, how sure, how many, what changed.

Guarantees: everything is as of the moment of the selection, but what a correction changed and the
reason of an erasure, which the log has for ever. Reads on the connection it is given; knows no
request and no template.
"""

from __future__ import annotations

import datetime
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from timeline.formats import prose, prose_changes
from timeline.formats.local_dates import day_and_time, day_of_year, weekday_name
from timeline.formats.log_names import Names
from timeline.languages import translation
from timeline.languages.translation import gettext, ngettext
from timeline.model import log_clock
from timeline.reading import deadline
from timeline.reading.entries import erasure_of
from timeline.reading.selection import Selection
from timeline.reading.sources import withdrawn_sources
from timeline.site.views.event_classes import class_of
from timeline.site.views.media import file_name
from timeline.store import log
from timeline.store.rows import RowDict, as_dicts

_CLOCK_TIMES = ("second", "minute", "hour")
"""The precisions of dates that have a time of day."""
_ISO_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_GREGORIAN = "1583"
"""The first whole year of the calendar in which days of the week are counted here."""


class Group(NamedTuple):
    """A group has the events of a page that began on one day, or have one rough date."""

    head: str
    """The day or the date in words."""
    weekday: str
    """The day of the week and the year, if the head is a day; the year is then not in the head."""
    is_also: bool
    """Whether the events began before the period that is asked for."""
    events: list[dict[str, Any]]


class Badge(NamedTuple):
    """A badge has the figures of one measure: the newest of the commonest unit, and the range."""

    measure: str
    amount: str
    spread: str
    """How many figures there are, and from where to where; "" if all say the same."""
    steps: str
    """The points of a line over the figures, 40 wide and 16 high; "" for fewer than three."""


def groups_of(
    connection: sqlite3.Connection, rows: Sequence[RowDict], chosen: Selection
) -> list[Group]:
    """Return the events of a page of a selection, grouped by the day on which they began.

    If a period is asked for, what began before it has groups of its own.
    """
    since, _ = chosen.bounds()
    groups: dict[tuple[str, str, bool], list[dict[str, Any]]] = {}
    for event in events_of(connection, rows, chosen):
        deadline.check()
        is_also = since is not None and (event["occurred_from"] or "") < since
        head = (event.pop("head"), event.pop("weekday"), is_also)
        groups.setdefault(head, []).append(event)
    return [Group(*head, events) for head, events in groups.items()]


def events_of(
    connection: sqlite3.Connection, rows: Sequence[RowDict], chosen: Selection
) -> Iterator[dict[str, Any]]:
    """Yield these events of a selection with all that a list shows of them."""
    tables = chosen.tables
    names = Names(tables)
    language = str(log.info(connection).get("language", "en"))
    figures = _badges(tables, [row["event_id"] for row in rows], language)
    corrections = last_corrections(
        connection, {row["event_id"]: row["version"] for row in rows if row["corrections_count"]}
    )
    pictures = _pictures(connection, tables, rows)
    matches = chosen.excerpts(rows)
    for row in rows:
        yield {
            **row,
            **_when(row),
            "type_label": names.event_type(row["event_type"]),
            "class": class_of(row["event_type"]),
            "where": prose.place_name(row["place"], row["country"]),
            "figures": figures.get(row["event_id"], []),
            "corrected": corrections.get(row["event_id"]),
            "picture": pictures.get(row["event_id"]),
            "match": matches.get(row["event_id"]),
            "risk": prose.at_risk(withdrawn_sources(tables, row["event_id"]))
            if row["at_risk"]
            else "",
            "erased": prose.erased(erasure_of(connection, row["seq"]), gettext("What it said"))
            if row["state"] == "erased"
            else "",
        }


# --- When ---------------------------------------------------------------------------------


def _when(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the day on which an event began as `head`, with the `weekday`, and the `rest`.

    The rest is its time of day or its end. A date that begins with no certain day is the head.
    `day` is the head with its year.
    """
    if row["occurred"] is None:
        return {"head": "", "weekday": "", "day": "", "rest": ""}
    is_time = row["occurred_precision"] in _CLOCK_TIMES and "/" not in row["occurred"]
    if is_time and _ISO_DAY.fullmatch(day := row["occurred_from"][:10]):
        return {**day_head(day), "day": prose.date(day), "rest": _time(row)}
    first, _, last = row["occurred"].partition("/")
    if not _ISO_DAY.fullmatch(first):
        words = prose.when(row)
        words = f"{words[:1].upper()}{words[1:]}"
        return {"head": words, "weekday": "", "day": words, "rest": ""}
    return {
        **day_head(first),
        "day": prose.date(first),
        "rest": _end(last, is_ongoing=row["modality"] == "ongoing"),
    }


def day_head(day: str) -> dict[str, str]:
    """Return the words for a day: its `head`, "18 April", and its `weekday`, "Friday, 2025"."""
    if not _ISO_DAY.fullmatch(day) or day < _GREGORIAN:
        return {"head": prose.date(day), "weekday": ""}
    date = datetime.date.fromisoformat(day)
    weekday = gettext("{weekday}, {year}").format(
        weekday=weekday_name(date.weekday()), year=day[:4]
    )
    return {"head": day_of_year(date.month, date.day), "weekday": weekday}


def _end(last: str, *, is_ongoing: bool) -> str:
    if last == "..":
        return gettext("ongoing") if is_ongoing else gettext("or later")
    return gettext("until {date}").format(date=prose.date(last)) if last else ""


def _time(row: Mapping[str, Any]) -> str:
    """Return the time of day of an event, in words.

    It is by the clock of the log. If the event was written by another one, that follows.
    """
    day, written = day_and_time(row["occurred"])
    here = log_clock.local(row["occurred"], row["occurred_from"], row["occurred_to"])
    if here is None:
        return written
    day_here, time_here = day_and_time(here)
    return f"{time_here} ({written if day == day_here else prose.date(row['occurred'])})"


# --- How many -----------------------------------------------------------------------------


def _badges(
    tables: sqlite3.Connection, event_ids: Sequence[str], language: str
) -> dict[str, list[Badge]]:
    """Return the badges of these events, by event id, in the order of their figures."""
    cursor = tables.execute(
        "SELECT * FROM event_quantities WHERE event_id IN (SELECT value FROM json_each(?))"
        " ORDER BY event_id, position",
        (json.dumps([*event_ids]),),
    )
    found: dict[str, list[Badge]] = {}
    for event_id, figures in groupby(as_dicts(cursor), key=itemgetter("event_id")):
        measures: dict[str, list[RowDict]] = {}
        for row in figures:
            measures.setdefault(row["measure"], []).append(row)
        found[event_id] = [_badge(rows, language) for rows in measures.values()]
    return found


def _badge(rows: Sequence[RowDict], language: str) -> Badge:
    """Return the badge of the figures of one measure, in the order in which an event has them."""
    unit, _ = Counter(row["unit"] for row in rows).most_common(1)[0]
    alike = [row for row in rows if row["unit"] == unit]
    newest = max(alike, key=lambda row: (row["dated"] or "", row["position"]))
    bounds = [number for row in rows for number in _numbers(row)]
    spread = ""
    if len({(*_numbers(row), row["qualifier"]) for row in rows}) > 1:
        low, high = (prose.number(str(each), language) for each in _ends(bounds))
        text = ngettext("{number} figure", "{number} figures", len(rows))
        if low != high:
            text = ngettext(
                "{number} figure, {low} to {high}", "{number} figures, {low} to {high}", len(rows)
            )
        spread = text.format(number=translation.number(len(rows)), low=low, high=high)
    amount = prose.amount(
        {**prose.figure_of_row(newest), "unit": "" if unit == "item" else unit}, language
    )
    steps = _steps([_numbers(row)[-1] for row in alike]) if spread and len(alike) > 2 else ""
    return Badge(rows[0]["measure"], amount, spread, steps)


def _numbers(row: RowDict) -> list[Decimal]:
    return [Decimal(str(row[key])) for key in ("low", "value", "high") if row[key] is not None]


def _ends(numbers: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    return min(numbers), max(numbers)


def _steps(values: Sequence[Decimal]) -> str:
    low, high = _ends(values)
    width, height = Decimal(40) / len(values), (high - low) or Decimal(1)
    points = []
    for number, value in enumerate(values):
        level = 15 - 14 * (value - low) / height
        points += [f"{number * width:.1f},{level:.1f}", f"{(number + 1) * width:.1f},{level:.1f}"]
    return " ".join(points)


# --- What changed, and pictures -----------------------------------------------------------

_CORRECTIONS = """
WITH newest AS (
  SELECT v.event_id, max(v.version) AS version, v.recorded_at
    FROM json_each(?) AS shown
    CROSS JOIN event_versions AS v
      ON v.event_id = shown.key AND v.version <= shown.value AND v.kind = 'event.corrected'
   GROUP BY v.event_id)
SELECT newest.event_id, newest.version, newest.recorded_at, f.path
  FROM newest LEFT JOIN field_changes AS f USING (event_id, version)
 ORDER BY newest.event_id, f.position
"""


def last_corrections(
    connection: sqlite3.Connection, shown: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    """Return the last correction of events up to these versions, by event id.

    Each has its version, its day, and what it changed in short.
    """
    found: dict[str, dict[str, Any]] = {}
    zone = log.time_zone(connection)
    rows = connection.execute(_CORRECTIONS, (json.dumps(shown),))
    for (event_id, version, recorded_at), members in groupby(rows, key=lambda row: row[:3]):
        found[event_id] = {
            "version": version,
            "day": prose.date(prose.local_day(recorded_at, zone)),
            "fields": prose_changes.fields_in_words(path for *_, path in members if path),
        }
    return found


def _pictures(
    connection: sqlite3.Connection, tables: sqlite3.Connection, rows: Sequence[RowDict]
) -> dict[str, dict[str, Any]]:
    """Return the first attached picture of each of these events, with the path of its address."""
    shown = tables.execute(
        "SELECT event_id, sha256, alt FROM event_media WHERE kind = 'image' AND sha256 IS NOT NULL"
        " AND event_id IN (SELECT value FROM json_each(?)) ORDER BY event_id, position DESC",
        (json.dumps([row["event_id"] for row in rows]),),
    )
    of_events = {event_id: (sha256, alt) for event_id, sha256, alt in shown}
    kept = connection.execute(
        "SELECT f.sha256, f.media_type, f.width, f.height FROM json_each(?) AS wanted"
        " CROSS JOIN media_files AS f ON f.sha256 = wanted.value"
        " CROSS JOIN media_bytes AS b ON b.sha256 = f.sha256",
        (json.dumps([sha256 for sha256, _ in of_events.values()]),),
    )
    files = {row["sha256"]: row for row in as_dicts(kept)}
    return {
        event_id: {**files[sha256], "alt": alt, "path": f"/media/{_name(files[sha256])}"}
        for event_id, (sha256, alt) in of_events.items()
        if sha256 in files
    }


def _name(file: RowDict) -> str:
    return file_name(file["sha256"], file["media_type"])
