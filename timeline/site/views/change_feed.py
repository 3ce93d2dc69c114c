"""Read the changes of a timeline as a feed: by day, each act once, with its reason.

Guarantees: every change is told, on this page or on one that follows it. What one act did to
several events is told once, and names them, unless a page ends within it. Versions that changed
only what a page shows of an event, a picture or a highlight, are left out and counted, unless they
are asked for. Reads on the connection it is given; knows no request and no template.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Any, NamedTuple

from timeline.formats import prose, prose_changes
from timeline.formats.log_names import Names
from timeline.languages.translation import gettext
from timeline.reading import comparison, deadline, query
from timeline.reading.entries import erasure_of
from timeline.reading.selection import Selection
from timeline.site.views.event_list import day_head
from timeline.store import log
from timeline.store.rows import RowDict, as_dicts

KINDS = ("corrected", "updated", "retracted", "reinstated", "merged")
"""The kinds of changes that the page can be narrowed to."""
CORRECTIONS = ("corrected", "retracted", "reinstated")
"""The kinds of changes that say that something was wrong."""
_ACTS = 50
"""The number of acts on a page."""
_READ = 1_000
"""The number of changes that are read for a page: an act may be of many events."""
_NAMED = 20
"""The number of other events of an act that a page names."""

CHANGED_THE_STORY = """
  EXISTS (SELECT 1 FROM field_changes AS f
           WHERE f.event_id = v.event_id AND f.version = v.version
             AND f.path NOT GLOB '/highlight*' AND f.path NOT GLOB '/media*')
"""
"""SQL that tells whether a version (v) changed more than what a page shows of an event."""
_CURATION = f"""
  (v.kind = 'event.updated'
   AND EXISTS (SELECT 1 FROM field_changes AS f
                WHERE f.event_id = v.event_id AND f.version = v.version)
   AND NOT {CHANGED_THE_STORY})
"""  # noqa: S608
"""SQL that tells whether a version (v) changed only what a page shows of an event."""


class Act(NamedTuple):
    """An act is one or more changes of a kind, made at once by one author, for one reason.

    `change` is the last one, with its changes in words; `others` are the other events, the first of
    them, and `more` is the number of those left out.
    """

    change: RowDict
    others: list[RowDict]
    more: int


class DayOfChanges(NamedTuple):
    """A day of changes has its words, by the clock of the log, and its acts, the newest first."""

    head: str
    weekday: str
    acts: list[Act]


def feed(
    connection: sqlite3.Connection,
    *,
    kind: str = "",
    before: int | None = None,
    with_curation: bool = False,
) -> dict[str, Any]:
    """Return a page of acts by day, newest first; `next` is where the page after it begins.

    `kind` is one of KINDS, and any other text stands for all of them; with `before`, only entries
    with a lower `seq` are listed. `left_out` is the number of changes of curation on this page.
    """
    acts: list[list[RowDict]] = []
    at_once: dict[tuple[Any, ...], list[RowDict]] = {}
    left_out, last, is_whole = 0, None, True
    kinds = (kind,) if kind in KINDS else KINDS
    for row in _changes(connection, kinds, before):
        if row["is_curation"] and not with_curation:
            left_out, last = left_out + 1, row["seq"]
            continue
        key = _act_of(row)
        if key not in at_once:
            if len(acts) == _ACTS:
                is_whole = False
                break
            if not acts or acts[-1][0]["recorded_at"] != row["recorded_at"]:
                at_once = {}
            acts.append(at_once.setdefault(key, []))
        at_once[key].append(row)
        last = row["seq"]
    else:
        is_whole = last is None or not _has_more(connection, kinds, last)
    shown, length = list[Act](), 0
    for number, rows in enumerate(acts):
        if length >= comparison.LONGEST_PAGE:
            is_whole, last = False, max(each[0]["seq"] for each in acts[number:]) + 1
            break
        shown.append(_act(connection, rows))
        length += comparison.length_of(shown[-1].change["changes"])
    return {
        "days": [*_by_day(shown)],
        "left_out": left_out,
        "next": None if is_whole else last,
    }


def corrections(connection: sqlite3.Connection, chosen: Selection) -> list[Act]:
    """Return the newest acts that corrected, retracted or took back events of a selection.

    An act has only its chosen events.
    """
    kinds, values = _chosen(CORRECTIONS)
    rows = as_dicts(connection.execute(_NEWEST.format(kinds), (2**62, *values)))
    acts: dict[tuple[Any, ...], list[RowDict]] = {}
    while len(acts) <= _ACTS and (some := [*islice(rows, _READ)]):
        deadline.check()
        wanted = chosen.among({row["event_id"] for row in some})
        for row in some:
            if row["event_id"] in wanted:
                acts.setdefault(_act_of(row), []).append(row)
    shown, length = list[Act](), 0
    for several in [*acts.values()][:_ACTS]:
        if length >= comparison.LONGEST_PAGE:
            break
        shown.append(_act(connection, several))
        length += comparison.length_of(shown[-1].change["changes"])
    return shown


def first_entry_of(connection: sqlite3.Connection, act: Act) -> int:
    """Return the number of the first entry of an act, also of one about events not chosen."""
    change = act.change
    (seq,) = connection.execute(
        "SELECT min(v.seq) FROM log AS l CROSS JOIN event_versions AS v"
        " ON v.event_id = substr(l.subject, 7) AND v.version = l.version AND v.seq = l.seq"
        " WHERE l.recorded_at = ? AND v.kind = ? AND v.author IS ? AND v.reason IS ?",
        (change["recorded_at"], change["kind"], change["author"], change["reason"]),
    ).fetchone()
    return int(seq)


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the number of changes of each kind, without those of curation."""
    found = connection.execute(
        "SELECT substr(v.kind, 7), count(*) FROM event_versions AS v"  # noqa: S608
        f" WHERE v.version > 1 AND NOT {_CURATION} GROUP BY 1"
    )
    counted = dict(found.fetchall())
    return {kind: counted.get(kind, 0) for kind in KINDS}


def _act_of(row: RowDict) -> tuple[Any, ...]:
    """Return what the changes of one act have in common."""
    return row["recorded_at"], row["kind"], row["author"], row["reason"]


def _chosen(kinds: Sequence[str]) -> tuple[str, list[str]]:
    marks = ", ".join("?" * len(kinds))
    return f"v.kind IN ({marks}) AND v.version > 1", [f"event.{each}" for each in kinds]


_NEWEST = """
SELECT v.event_id, v.version, v.seq, v.kind, v.recorded_at, v.author, v.reason
  FROM event_versions AS v WHERE v.seq < ? AND {} ORDER BY v.seq DESC
"""
"""SQL for the newest changes of some kinds, without their contents."""


def _changes(
    connection: sqlite3.Connection, kinds: Sequence[str], before: int | None
) -> Iterator[RowDict]:
    """Yield the newest _READ changes, each with `is_curation`."""
    chosen, values = _chosen(kinds)
    return as_dicts(
        connection.execute(
            f"SELECT v.*, {_CURATION} AS is_curation"  # noqa: S608
            f" FROM ({_NEWEST.format(chosen)} LIMIT ?) AS v ORDER BY v.seq DESC",
            (2**62 if before is None else before, *values, _READ),
        )
    )


def _has_more(connection: sqlite3.Connection, kinds: Sequence[str], before: int) -> bool:
    chosen, values = _chosen(kinds)
    row = connection.execute(
        f"SELECT 1 FROM event_versions AS v WHERE v.seq < ? AND {chosen} LIMIT 1",  # noqa: S608
        (before, *values),
    ).fetchone()
    return row is not None


def _act(connection: sqlite3.Connection, rows: list[RowDict]) -> Act:
    deadline.check()
    first, *others = rows
    named = [row for row in others if row["event_id"] != first["event_id"]]
    titles = _titles(connection, [row["event_id"] for row in [first, *named[:_NAMED]]])
    change = {**first, **titles[first["event_id"]]}
    return Act(
        {**change, **_told(connection, change)},
        [{**row, **titles[row["event_id"]]} for row in named[:_NAMED]],
        len(named[_NAMED:]),
    )


def _titles(connection: sqlite3.Connection, event_ids: list[str]) -> dict[str, RowDict]:
    rows = connection.execute(
        "SELECT event_id, title, at_risk FROM events"
        " WHERE event_id IN (SELECT value FROM json_each(?))",
        (json.dumps(event_ids),),
    )
    return {row["event_id"]: {**row, "title": prose.title(row)} for row in as_dicts(rows)}


def _told(connection: sqlite3.Connection, change: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a version changed, as it is stored and in words, and when."""
    event_id, version = change["event_id"], change["version"]
    changes = [
        *as_dicts(
            connection.execute(
                "SELECT path, old_value, new_value FROM field_changes"
                " WHERE event_id = ? AND version = ? ORDER BY position",
                (event_id, version),
            )
        )
    ]
    stood = query.get(connection, event_id, version=version)
    names = Names(connection)
    gone = erasure_of(connection, change["seq"])
    zone = log.time_zone(connection)
    return {
        "changes": changes,
        "verb": change["kind"].partition(".")[2],
        "day": prose.local_day(change["recorded_at"], zone),
        "time": prose.local_time(change["recorded_at"], zone),
        "fields": prose_changes.fields_in_words(each["path"] for each in changes),
        "words": prose_changes.shortened(prose_changes.in_words(names, changes, stood)),
        "erased": prose.erased(gone, gettext("What it said")) if gone else "",
    }


def _by_day(acts: list[Act]) -> Iterator[DayOfChanges]:
    for day, several in groupby(acts, key=lambda act: act.change["day"]):
        yield DayOfChanges(**day_head(day), acts=[*several])
