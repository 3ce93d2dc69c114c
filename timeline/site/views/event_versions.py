"""Read the versions of an event for its page: what each one changed, in words.

Guarantees: the versions come in pages, newest first, that leave none out, and each page has room
for the changes of its versions. Reads on the connection it is given.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from timeline.formats import prose, prose_changes
from timeline.formats.log_names import Names
from timeline.languages import translation
from timeline.languages.translation import gettext, ngettext
from timeline.reading import comparison, deadline, query
from timeline.reading.entries import erasure_of

VERSIONS = 50
"""The number of versions on a page."""


def versions_shown(
    connection: sqlite3.Connection,
    names: Names,
    event_id: str,
    newest: int,
    time_zone: str,
    *,
    before: int | None,
    size: int,
) -> dict[str, Any]:
    """Return a page of versions, from the one before `before` back, and where the next one begins.

    `did` says how often the event was changed: "Corrected once, updated twice".
    """
    last = newest if before is None else min(before - 1, newest)
    first = max(last - size + 1, 1)
    if size <= VERSIONS:  # The file of a static site has all.
        first = _first(connection, event_id, first, last)
    begun = _recorded(connection, event_id, 1)
    return {
        "versions": _versions(connection, names, event_id, first, last, time_zone),
        "earlier": first if first > 1 else None,
        "did": _did(connection, event_id),
        "begun": prose.local_instant(begun, time_zone),
        "first_recorded_at": begun,
    }


def _recorded(connection: sqlite3.Connection, event_id: str, version: int) -> str:
    (recorded_at,) = connection.execute(
        "SELECT recorded_at FROM event_versions WHERE event_id = ? AND version = ?",
        (event_id, version),
    ).fetchone()
    return str(recorded_at)


def _did(connection: sqlite3.Connection, event_id: str) -> str:
    counts = dict(
        connection.execute(
            "SELECT kind, count(*) FROM event_versions WHERE event_id = ? AND version > 1"
            " GROUP BY kind",
            (event_id,),
        ).fetchall()
    )
    words = {
        "corrected": gettext("corrected"),
        "updated": gettext("updated"),
        "retracted": gettext("retracted"),
        "reinstated": gettext("taken back after a retraction"),
        "merged": gettext("merged"),
    }
    said = [
        gettext("{done} {times}").format(done=words[kind], times=_times(counts[f"event.{kind}"]))
        for kind in words
        if f"event.{kind}" in counts
    ]
    text = prose.listed(*said)
    return f"{text[:1].upper()}{text[1:]}"


def _times(count: int) -> str:
    if count <= 2:
        return gettext("once") if count == 1 else gettext("twice")
    text = ngettext("{number} time", "{number} times", count)
    return text.format(number=translation.number(count))


def _first(connection: sqlite3.Connection, event_id: str, first: int, last: int) -> int:
    """Return the first of these versions whose changes a page has room for, with all later ones."""
    lengths = connection.execute(
        "SELECT version, sum(length(coalesce(old_value, '') || coalesce(new_value, '')))"
        " FROM field_changes WHERE event_id = ? AND version BETWEEN ? AND ?"
        " GROUP BY version ORDER BY version DESC",
        (event_id, first, last),
    )
    total = 0
    for version, length in lengths:
        total += length
        if total >= comparison.LONGEST_PAGE:
            return int(version)
    return first


def _versions(
    connection: sqlite3.Connection,
    names: Names,
    event_id: str,
    first: int,
    last: int,
    time_zone: str,
) -> list[dict[str, Any]]:
    """Return these versions, newest first, each with its changes in words."""
    found = []
    for row in query.history(connection, event_id, first=first, last=last):
        deadline.check()
        stood = query.get(connection, event_id, version=row["version"])
        gone = erasure_of(connection, row["seq"])
        found.append(
            {
                **row,
                "verb": row["kind"].partition(".")[2],
                "reported": prose.date(row["reported_at"]),
                "recorded": prose.local_instant(row["recorded_at"], time_zone),
                "words": prose_changes.shortened(
                    prose_changes.in_words(names, row["changes"], stood)
                ),
                "erased": prose.erased(gone, gettext("What it said")) if gone else "",
            }
        )
    return found[::-1]
