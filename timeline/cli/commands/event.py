"""Define the commands that read one event: show, history."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

import click

from timeline.cli import output
from timeline.cli.event_sections import print_sections, sections
from timeline.cli.opening import opened
from timeline.cli.options import Command, as_of_options, json_option
from timeline.errors import NotFound
from timeline.formats import prose, prose_changes
from timeline.formats.log_names import Names
from timeline.reading import corroboration, query
from timeline.reading.as_of import AsOf
from timeline.reading.entries import erasure_of
from timeline.reading.references import resolve_event


@click.command("show", cls=Command)
@click.argument("event")
@as_of_options
@json_option
@click.pass_obj
def show_command(
    database: str, /, event: str, as_of: str | None, as_reported: str | None, as_json: bool
) -> None:
    """Show EVENT as it is now, or as it was.

    EVENT is an id or any unique beginning of one, ID@3 for version 3, or #41 for entry 41.
    """
    with opened(database, as_of, as_reported) as (connection, point):
        event_id, version = resolve_event(connection, event)
        found = query.get(connection, event_id, version=version, as_of=point)
        if as_json:
            output.dump(found)
        else:
            _print_event(connection, found, point, is_newest=point.is_now and version is None)


def _print_event(
    connection: sqlite3.Connection, event: Mapping[str, Any], point: AsOf, *, is_newest: bool
) -> None:
    names = Names(connection, point)
    output.echo(output.bold(output.wrapped(prose.title(event))))
    output.echo(output.wrapped(prose.facts(event, names.labels)))
    for remark in (
        _why(connection, names, event),
        prose.at_risk(event.get("at_risk", ())),
        corroboration.uncorroborated_event(connection, event, point),
    ):
        if remark:
            output.echo(output.wrapped(remark))
    standing = [
        f"{event['event_id']}, version {event['version']}, entry {event['seq']}",
        f"reported {prose.date(event['reported_at'])}, "
        f"recorded {prose.instant(event['recorded_at'], names.time_zone)}",
    ]
    for line in standing:
        output.echo(output.dim(output.wrapped(line)))
    for field, heading in (("summary", ""), ("note", "Note: ")):
        if field in event:
            output.echo()
            output.echo(output.wrapped(heading + event[field]))
    ties = [*_ties(connection, names, event, is_newest=is_newest)]
    print_sections(sections(names, event, ties))


def _why(connection: sqlite3.Connection, names: Names, event: Mapping[str, Any]) -> str:
    """Return why an event is not current; "" if it is."""
    match event["state"]:
        case "merged":
            return f"merged into {names.event(event['merged_into'])}"
        case "erased":
            return prose.erased(erasure_of(connection, event["seq"]))
        case "retracted":
            versions = query.history(connection, event["event_id"])[: event["version"]]
            row = [row for row in versions if row["kind"] == "event.retracted"][-1]
            gone = erasure_of(connection, row["seq"])
            return f"retracted: {row['reason'] or prose.erased(gone, 'the reason')}"
    return ""


def _ties(
    connection: sqlite3.Connection, names: Names, event: Mapping[str, Any], *, is_newest: bool
) -> Iterator[list[str]]:
    """Yield the relations of this version, then today's relations of other events to it."""
    for relation in event.get("relations", ()):
        yield [relation["type"].replace("_", " "), names.related_event(relation)]
    if is_newest:
        for tie in query.related(connection, event["event_id"]):
            if tie["direction"] == "from":
                yield [f"<- {tie['relation'].replace('_', ' ')}", names.event(tie["event_id"])]


@click.command("history", cls=Command)
@click.argument("event")
@as_of_options
@json_option
@click.pass_obj
def history_command(
    database: str, /, event: str, as_of: str | None, as_reported: str | None, as_json: bool
) -> None:
    """Show every version of EVENT: what changed, when, and why.

    EVENT is an id or any unique beginning of one; ID@3 and #41 mean up to that version.
    """
    with opened(database, as_of, as_reported) as (connection, point):
        event_id, last = resolve_event(connection, event)
        versions = query.history(connection, event_id, as_of=point)[:last]
        if last and last > len(versions):
            raise NotFound("event", event, f"its newest version is {len(versions)}")
        if as_json:
            output.dump(versions)
            return
        names = Names(connection, point)
        title = prose.title(query.get(connection, event_id, version=len(versions)))
        output.echo(output.bold(output.wrapped(title)))
        output.echo(output.dim(output.wrapped(event_id)))
        figures: list[Any] = []
        for version in versions:
            stood = query.get(connection, event_id, version=version["version"])
            gone = erasure_of(connection, version["seq"])
            _print_version(names, version, stood, gone)
            before, figures = figures, stood.get("quantities", [])
            if figures != before and (len(figures) > 1 or not version["changes"]):
                output.echo(output.hanging("figures then", 2))
                output.echo(output.table(prose.figures(figures, names.language), 4))


def _print_version(
    names: Names,
    version: Mapping[str, Any],
    stood: Mapping[str, Any],
    gone: Mapping[str, Any] | None,
) -> None:
    """Print what a version changed, and why; `stood` is the event after it."""
    verb = version["kind"].partition(".")[2]
    into = f" into {names.event(version['merged_into'])}" if verb == "merged" else ""
    head = output.bold(f"version {version['version']}: {verb}{into}")
    said = [
        f"reported {prose.date(version['reported_at'])}",
        f"recorded {prose.instant(version['recorded_at'], names.time_zone)}",
        f"by {version['author']}" if version["author"] else "",
    ]
    output.echo()
    output.echo(output.flow([head, output.dim(f"entry {version['seq']}")]))
    output.echo(output.wrapped(", ".join(word for word in said if word), 2, "  "))
    if version["reason"]:
        output.echo(output.hanging(f"reason: {version['reason']}", 2))
    if gone:
        output.echo(output.hanging(prose.erased(gone), 2))
    for change in prose_changes.in_words(names, version["changes"], stood):
        output.echo(output.change(*change[:3]))
