"""Define the commands that compare: diff for one event, changes for all events."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import click

from timeline.cli import output
from timeline.cli.opening import opened
from timeline.cli.options import Command, json_option
from timeline.formats import prose, prose_changes
from timeline.formats.log_names import Names, erased_sides
from timeline.reading import comparison, query
from timeline.reading.as_of import parse_as_of
from timeline.reading.references import resolve_event


@click.command("diff", cls=Command)
@click.argument("event")
@click.argument("old", metavar="[A]", required=False)
@click.argument("new", metavar="[B]", required=False)
@json_option
@click.pass_obj
def diff_command(
    database: str, /, event: str, old: str | None, new: str | None, as_json: bool
) -> None:
    """Compare two versions of EVENT.

    A and B are versions (2), or moments: a day (its end), a time, or an entry (#41). The
    default for B is the newest version, for A the version before B.
    """
    with opened(database) as (connection, _):
        event_id, version = resolve_event(connection, event)
        newest = version or query.get(connection, event_id)["version"]
        after = _version(connection, event_id, new) if new else newest
        before = _version(connection, event_id, old) if old else after - 1 or None
        found = comparison.compare(connection, event_id, before, after)
        if as_json:
            output.dump(found)
        else:
            _print(connection, Names(connection), found)


def _version(connection: sqlite3.Connection, event_id: str, text: str) -> int:
    """Return the version that a number or a moment means. Raises NotFound, InvalidInput."""
    if text.isascii() and text.isdigit():
        return int(text)
    point = parse_as_of(connection, text)
    return int(query.get(connection, event_id, as_of=point)["version"])


@click.command("changes", cls=Command)
@click.option(
    "--from",
    "start",
    metavar="A",
    required=True,
    help="A day (its end), a time, or an entry such as #41.",
)
@click.option("--to", "end", metavar="B", help="A moment as for --from; default: now.")
@click.option("--reported", is_flag=True, help="Go by when it was reported, not recorded.")
@json_option
@click.pass_obj
def changes_command(
    database: str, /, start: str, end: str | None, reported: bool, as_json: bool
) -> None:
    """Show what changed from A to B, event by event, with reasons."""
    with opened(database) as (connection, _):
        rows = comparison.changes(connection, start, end, reported=reported)
        if as_json:
            output.dump_each(rows)
            return
        names, found = Names(connection), False
        for row in rows:
            if found:
                output.echo()
            found = True
            _print(connection, names, row)
        if not found:
            click.echo("No changes.", err=True)


def _print(connection: sqlite3.Connection, names: Names, found: Mapping[str, Any]) -> None:
    before, after = found["before"], found["after"]
    stands = (after and query.get(connection, found["event_id"], version=after["version"])) or {}
    output.echo(output.bold(output.wrapped(prose.title(found))))
    sides = f"{_side(before)} -> {_side(after)}" if before else f"added as {_side(after)}"
    if not before and stands:
        output.echo(output.wrapped(prose.facts(stands, names.labels), 2))
    output.echo(output.wrapped(f"{found['event_id']}: {sides}", 2))
    erased = erased_sides(connection, found)
    for side in erased:
        output.echo(output.hanging(f"- {side}", 2))
    if before and after and not erased:
        for change in prose_changes.in_words(names, found["changes"], stands):
            output.echo(output.change(*change[:3]))
    for entry in found["entries"]:
        if entry["reason"]:
            verb = entry["kind"].partition(".")[2]
            output.echo(output.hanging(f"version {entry['version']} {verb}: {entry['reason']}", 2))


def _side(side: Mapping[str, Any] | None) -> str:
    if side is None:
        return "not in the timeline"
    state = f", {side['state']}" if side["state"] != "current" else ""
    return f"version {side['version']}{state}"
