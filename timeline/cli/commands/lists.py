"""Define the commands that read many events or entries: list, search, facets, log."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

import click

from timeline.cli import output
from timeline.cli.event_list import print_events
from timeline.cli.opening import opened
from timeline.cli.options import Command, as_of_options, filter_options, json_option
from timeline.formats import prose
from timeline.projection.tables import time_zone
from timeline.reading import selection
from timeline.reading.entries import erasure_of, log_entries
from timeline.reading.past_tables import tables_as_of
from timeline.store import log

_limit_option = click.option("--limit", metavar="N", type=click.IntRange(1), help="Show at most N.")


# --- Many events --------------------------------------------------------------------------


@click.command("list", cls=Command)
@filter_options
@as_of_options
@_limit_option
@json_option
@click.pass_obj
def list_command(
    database: str,
    /,
    as_of: str | None,
    as_reported: str | None,
    limit: int | None,
    as_json: bool,
    **filters: Any,
) -> None:
    """List events in the order in which they happened.

    Those without a date come last. A terminal of 100 columns or more gets a table.
    """
    with (
        opened(database, as_of, as_reported) as (connection, point),
        tables_as_of(connection, point) as tables,
    ):
        rows = selection.list_events(tables, filters, limit=limit)
        _print_rows(connection, tables, rows, as_json)


@click.command("search", cls=Command)
@click.argument("text", nargs=-1, required=True)
@filter_options
@as_of_options
@_limit_option
@json_option
@click.pass_obj
def search_command(
    database: str,
    /,
    text: tuple[str, ...],
    as_of: str | None,
    as_reported: str | None,
    limit: int | None,
    as_json: bool,
    **filters: Any,
) -> None:
    """Find events that contain all words of TEXT, best first.

    Put a phrase in quotes of its own: timeline search '"talks in Odesa"'.
    """
    with (
        opened(database, as_of, as_reported) as (connection, point),
        tables_as_of(connection, point) as tables,
    ):
        rows = selection.search(tables, " ".join(text), filters, limit=limit)
        _print_rows(connection, tables, rows, as_json)


def _print_rows(
    connection: sqlite3.Connection,
    tables: sqlite3.Connection,
    rows: Iterable[Mapping[str, Any]],
    as_json: bool,
) -> None:
    """Print rows of `tables`, which may be those of the past; `connection` reads the log."""
    if as_json:
        output.dump_each(output.found_marks(row, "**", "**") for row in rows)
        return
    language = str(log.info(connection).get("language", "en"))
    if not print_events(tables, rows, language):
        _say_none()


def _say_none() -> None:
    output.echo("No events.", err=True)


@click.command("facets", cls=Command)
@click.argument("text", nargs=-1)
@filter_options
@as_of_options
@_limit_option
@json_option
@click.pass_obj
def facets_command(
    database: str,
    /,
    text: tuple[str, ...],
    as_of: str | None,
    as_reported: str | None,
    limit: int | None,
    as_json: bool,
    **filters: Any,
) -> None:
    """Count events exactly by type, actor, country, period and more.

    Counts all events, or only those that contain all words of TEXT and match the options.
    """
    with (
        opened(database, as_of, as_reported) as (connection, point),
        tables_as_of(connection, point) as tables,
    ):
        counted = selection.facets(tables, filters, text=" ".join(text) or None)
        if as_json:
            output.dump({facet: values[:limit] for facet, values in counted.items()})
            return
        if not any(counted.values()):
            _say_none()
        for facet, values in counted.items():
            if not values:
                continue
            output.echo(output.bold(facet.removeprefix("event_")))
            shown = values[: limit or 10]
            output.echo(output.table([[f"{v['count']:>6,}", str(v["label"])] for v in shown]))
            if len(values) > len(shown):
                output.echo(output.dim(f"        and {len(values) - len(shown):,} more"))


# --- The log ------------------------------------------------------------------------------


@click.command("log", cls=Command)
@click.option("--as-of", metavar="WHEN", help="Up to a time, a day (its end), or an entry.")
@_limit_option
@json_option
@click.pass_obj
def log_command(database: str, /, as_of: str | None, limit: int | None, as_json: bool) -> None:
    """List the entries of the log, newest first."""
    with opened(database, as_of, None) as (connection, point):
        entries = log_entries(connection, as_of=point, limit=limit)
        if as_json:
            output.dump_each(entries)
            return
        zone = time_zone(connection)
        for entry in entries:
            payload = entry["payload"] or {}
            said = [
                payload.get("title") or payload.get("name"),
                f"by {payload['author']}" if "author" in payload else None,
                payload.get("reason"),
                prose.erased(erasure_of(connection, entry["seq"]))
                if entry["payload"] is None
                else None,
            ]
            head = [
                output.bold(f"#{entry['seq']}"),
                prose.instant(entry["recorded_at"], zone),
                entry["kind"],
                f"{output.printable(entry['subject'])}, version {entry['version']}",
            ]
            output.echo(output.flow(head))
            if what := "; ".join(word for word in said if word):
                output.echo(output.wrapped(what, 4))
