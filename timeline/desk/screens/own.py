"""Show what this desk recorded, the keys, and the settings."""

from __future__ import annotations

from typing import Any

from timeline.desk.visit import DeskReply, Redirect, ScreenRoute, Shown, Visit
from timeline.formats import prose
from timeline.model.content import Said
from timeline.model.validation import validate
from timeline.store import log
from timeline.store.rows import RowDict, as_dicts

_MOST_SHOWN = 200
"""Entries of this desk that the history shows."""


def history(visit: Visit) -> DeskReply:
    """Show what was recorded at this desk, newest first."""
    zone = log.time_zone(visit.desk.log)
    rows = as_dicts(
        visit.desk.log.execute(
            "SELECT l.id AS entry_id, l.kind, substr(l.subject, 1 + instr(l.subject, '/')) AS key,"
            " l.version, l.recorded_at, v.author, v.proposed_by, v.reason, e.title"
            " FROM log AS l LEFT JOIN event_versions AS v ON v.seq = l.seq"
            " LEFT JOIN events AS e ON l.subject = 'event/' || e.event_id"
            " WHERE l.id GLOB 'd-*' OR l.id GLOB 'p-*' ORDER BY l.seq DESC LIMIT ?",
            (_MOST_SHOWN,),
        )
    )
    return Shown("history", {"entries": [_entry(row, zone) for row in rows]})


def _entry(row: RowDict, zone: str) -> dict[str, Any]:
    what, _, done = row["kind"].partition(".")
    return {
        **row,
        "path": f"/events/{row['key']}" if what == "event" else f"/articles/{row['key']}",
        "title": row["title"] or row["key"],
        "done": done,
        "when": prose.local_instant(row["recorded_at"], zone),
    }


def help_page(visit: Visit) -> DeskReply:
    """Show what the desk is, and its keys."""
    return Shown("help", {})


def settings(visit: Visit) -> DeskReply:
    """Show who the person is, and whether single keys are shortcuts."""
    return Shown("settings", {"handle": visit.author or ""})


def change_settings(visit: Visit) -> DeskReply:
    """Keep who the person is, for the next start too, and whether single keys are shortcuts."""
    said = validate(Said, {"author": visit.field("author")})
    visit.desk.inbox.set_about("author", said.author)
    visit.desk.inbox.set_about("shortcuts", None if visit.field("shortcuts") == "on" else "off")
    visit.desk.has_shortcuts = visit.field("shortcuts") == "on"
    visit.session.author = said.author
    visit.session.notices.append("The settings are kept.")
    return Redirect("/settings")


ROUTES: tuple[ScreenRoute, ...] = (
    ScreenRoute("/history", get=history),
    ScreenRoute("/help", get=help_page),
    ScreenRoute("/settings", get=settings, post=change_settings),
)
