"""Read what the head of the first page shows: what the timeline is, who keeps it, and what is new.

Guarantees: what the timeline says about itself is that of its newest entry, also on a page of the
past. Reads on the connection it is given; knows no request and no template.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from timeline.formats import prose
from timeline.formats.labels import label
from timeline.site.views.change_feed import CHANGED_THE_STORY
from timeline.store import log
from timeline.store.rows import RowDict, as_dicts

_LATEST = 3
"""Acts that the head of the page lists."""
_NEWEST = 120
"""Entries, at most, that are read to find these acts: 0.5 ms."""

_CHANGES = f"""
SELECT v.event_id, v.kind, v.recorded_at, v.author, v.reason, e.title
  FROM log AS l
  CROSS JOIN event_versions AS v
    ON v.event_id = substr(l.subject, 7) AND v.version = l.version AND v.seq = l.seq
  JOIN events AS e ON e.event_id = v.event_id AND e.state <> 'erased'
 WHERE l.seq > ?
   AND (v.kind NOT IN ('event.updated', 'event.corrected') OR {CHANGED_THE_STORY})
 ORDER BY l.seq DESC
"""  # noqa: S608
"""The newest versions of events, without those that changed only what a page shows of an event."""


def masthead(connection: sqlite3.Connection, info: Mapping[str, Any]) -> dict[str, Any]:
    """Return who keeps the timeline, when it was updated, and what is new.

    `updated` is the time of the newest entry, by the `clock` of the log; it is "" for an empty log.
    `latest` are the newest acts: each has the event that it changed last, and `what` was done. The
    number of `others` that it changed is None if they are too many to be counted.
    """
    zone = log.time_zone(connection)
    newest = log.newest(connection)
    return {
        "contact": _contact(str(info.get("contact", ""))),
        **updated(connection),
        "latest": _latest(connection, newest.seq, zone) if newest else [],
    }


def updated(connection: sqlite3.Connection) -> dict[str, str]:
    """Return when the timeline was `updated`, in words and as `updated_at`, and by which `clock`.

    All but the clock are "" for an empty log.
    """
    zone = log.time_zone(connection)
    newest = log.newest(connection)
    return {
        "updated": prose.local_instant(newest.recorded_at, zone) if newest else "",
        "updated_at": newest.recorded_at if newest else "",
        "clock": prose.clock_name(zone),
    }


def _contact(contact: str) -> dict[str, str] | None:
    """Return the words and the address of a link to the publisher; no address if it is no link."""
    if not contact:
        return None
    if re.fullmatch(r"[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]+", contact):
        return {"words": contact, "href": f"mailto:{contact}"}
    is_web = re.match(r"https?://[^\s<>\"]+$", contact)
    return {"words": contact, "href": contact if is_web else ""}


def _latest(connection: sqlite3.Connection, newest: int, zone: str) -> list[dict[str, Any]]:
    acts: dict[tuple[str, ...], list[RowDict]] = {}
    for row in as_dicts(connection.execute(_CHANGES, (newest - _NEWEST,))):
        act = (row["recorded_at"], row["kind"], row["author"], row["reason"])
        if len(acts) == _LATEST and row["recorded_at"] < [*acts][-1][0]:
            return [_shown(members, zone) for members in acts.values()]
        if act in acts or len(acts) < _LATEST:
            acts.setdefault(act, []).append(row)
    found = [_shown(members, zone) for members in acts.values()]
    if newest >= _NEWEST:
        oldest = [*acts][-1][0] if acts else ""  # what it changed may begin before what was read
        found = [
            {**act, "others": None if act["recorded_at"] == oldest else act["others"]}
            for act in found
        ]
    return found


def _shown(members: list[RowDict], zone: str) -> dict[str, Any]:
    first = members[0]
    return {
        "event_id": first["event_id"],
        "title": prose.title(first),
        "others": len({row["event_id"] for row in members}) - 1,
        "recorded_at": first["recorded_at"],
        "when": prose.local_instant(first["recorded_at"], zone),
        "what": first["reason"] or "",
        "verb": label("verb", str(first["kind"]).partition(".")[2]),
    }
