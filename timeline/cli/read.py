"""The commands that read: show, history, list, search, facets, log."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

from timeline import projection, query, schema, selection
from timeline.cli import output
from timeline.cli.options import as_of_options, filter_options, json_option
from timeline.errors import NotFound
from timeline.query import AsOf

_limit_option = click.option(
    "--limit", metavar="N", type=click.IntRange(1), help="At most so many."
)


@contextlib.contextmanager
def opened(
    database: str, as_of: str | None = None, as_reported: str | None = None
) -> Iterator[tuple[sqlite3.Connection, AsOf]]:
    """A connection that cannot write, and the point that the two options name."""
    with contextlib.closing(schema.connect(database)) as connection:
        projection.check(connection, database)
        yield connection, query.parse_as_of(connection, as_of, as_reported)


# --- One event ----------------------------------------------------------------------------


@click.command("show")
@click.argument("event")
@as_of_options
@json_option
@click.pass_obj
def show_command(
    database: str, /, event: str, as_of: str | None, as_reported: str | None, as_json: bool
) -> None:
    """An EVENT as it stands, or as it stood.

    EVENT is an id or any unique beginning of one, ID@3 for version 3, or #41 for entry 41.
    """
    with opened(database, as_of, as_reported) as (connection, point):
        event_id, version = query.resolve_event(connection, event)
        found = query.get(connection, event_id, version=version, as_of=point)
        if as_json:
            output.dump(found)
        else:
            _print_event(connection, found, point, is_newest=point.is_now and version is None)


def _print_event(
    connection: sqlite3.Connection, event: Mapping[str, Any], point: AsOf, *, is_newest: bool
) -> None:
    labels = query.labels(connection)
    facts = [
        output.date(event.get("occurred")),
        labels.get(event.get("event_type", ""), event.get("event_type", "")),
        _place(event.get("place", {})),
        *(
            event[field]
            for field, usual in (("modality", "actual"), ("verification", "reported"))
            if event.get(field, usual) != usual
        ),
        event["state"].upper() if event["state"] != "current" else None,
    ]
    output.echo(output.bold(output.wrapped(event.get("title") or "(erased)")))
    output.echo(output.wrapped(" - ".join(fact for fact in facts if fact)))
    if "merged_into" in event:
        output.echo(output.wrapped(f"merged into {event['merged_into']}"))
    standing = [
        f"{event['event_id']}, version {event['version']}, entry {event['seq']}",
        f"reported {output.date(event['reported_at'])}, "
        f"recorded {output.instant(event['recorded_at'])}",
    ]
    for line in standing:
        output.echo(output.dim(output.wrapped(line)))
    for field, heading in (("summary", ""), ("note", "Note: ")):
        if field in event:
            output.echo()
            output.echo(output.wrapped(heading + event[field]))
    sections = {
        "Who": [_participant(participant) for participant in event.get("participants", ())],
        "Figures": [
            [str(number), figure["measure"], *_figure(figure)]
            for number, figure in enumerate(event.get("quantities", ()), 1)
        ],
        "Claims": [_claim(claim) for claim in event.get("claims", ())],
        "Related": [*_ties(connection, event, point, is_newest=is_newest)],
        "Sources": _citations(connection, event),
        "Tags": [[", ".join(event["tags"])]] if "tags" in event else [],
        "Also": [*_details(event)],
    }
    for heading, rows in sections.items():
        if rows:
            output.echo()
            output.echo(output.bold(heading))
            output.echo(output.table(rows, 2))


def _place(place: Mapping[str, Any]) -> str:
    return output.place(place.get("name") or place.get("admin1"), place.get("country"))


def _ties(
    connection: sqlite3.Connection, event: Mapping[str, Any], point: AsOf, *, is_newest: bool
) -> Iterator[list[str]]:
    """What this version says of other events, and today what others say of it."""
    for relation in event.get("relations", ()):
        other = relation["event_id"]
        try:
            title = query.get(connection, other, as_of=point).get("title", "(erased)")
        except NotFound:
            title = ""
        yield [relation["type"].replace("_", " "), f"{title} ({other})" if title else other]
    if is_newest:
        for tie in query.related(connection, event["event_id"]):
            if tie["direction"] == "from":
                title = tie["title"] or "(erased)"
                yield [f"<- {tie['relation'].replace('_', ' ')}", f"{title} ({tie['event_id']})"]


def _details(event: Mapping[str, Any]) -> Iterator[list[str]]:
    """The rest of what is said, each with its name."""
    place = event.get("place", {})
    if "lat" in place:
        yield ["coordinates", f"{place['lat']}, {place['lon']}"]
    if "about_place" in event:
        yield ["about", _place(event["about_place"])]
    if "occurred_text" in event:
        yield ["date as given", f'"{event["occurred_text"]}"']
    if "mode" in event:
        yield ["mode", event["mode"]]
    if "contexts" in event:
        yield ["contexts", ", ".join(event["contexts"])]
    if "external_ids" in event:
        yield ["other ids", ", ".join(event["external_ids"])]
    for namespace, texts in event.get("extra", {}).items():
        for key, text in texts.items():
            yield [f"{namespace}: {key}", text]


def _participant(participant: Mapping[str, Any]) -> list[str]:
    details = [
        participant.get("office"),
        participant.get("organisation"),
        f'named "{participant["as_named"]}"' if "as_named" in participant else None,
    ]
    words = ", ".join(detail for detail in details if detail)
    return [
        participant.get("role", "actor"),
        participant["name"] + (f" - {words}" if words else ""),
    ]


def _figure(figure: Mapping[str, Any]) -> list[str]:
    sign = {"more_than": "more than ", "at_least": "at least ", "about": "about "}.get(
        figure.get("qualifier", "exact"), ""
    )
    number = _number(figure["value"]) if "value" in figure else ""
    if "low" in figure or "high" in figure:
        span = f"{_number(figure.get('low', '?'))} to {_number(figure.get('high', '?'))}"
        number = f"{number} ({span})" if number else span
    unit = "" if figure["unit"] == "person" else f" {figure['unit']}"
    said = [figure.get("reported_by"), output.date(figure.get("dated"))]
    return [f"{sign}{number}{unit}", ", ".join(word for word in said if word)]


def _number(text: str) -> str:
    whole, point, rest = text.partition(".")
    digits = whole.lstrip("-")
    return f"{int(whole):,}{point}{rest}" if len(digits) > 4 and digits.isdecimal() else text


def _claim(claim: Mapping[str, Any]) -> list[str]:
    statement = f": {claim['statement']}" if "statement" in claim else ""
    return [claim.get("stance", "asserts"), claim["speaker"] + statement]


def _citations(connection: sqlite3.Connection, event: Mapping[str, Any]) -> list[list[str]]:
    citations = event.get("citations", ())
    sources = query.sources(connection, (citation["source_id"] for citation in citations))
    rows = []
    for number, citation in enumerate(citations, 1):
        source = sources.get(citation["source_id"], {})
        words = [
            source.get("title") or source.get("url") or citation["source_id"],
            source.get("publisher"),
            output.date(source.get("published")),
            f'"{citation["quote"]}"' if "quote" in citation else None,
            "WITHDRAWN" if source.get("state") == "withdrawn" else None,
        ]
        rows.append([str(number), ", ".join(word for word in words if word)])
    return rows


@click.command("history")
@click.argument("event")
@as_of_options
@json_option
@click.pass_obj
def history_command(
    database: str, /, event: str, as_of: str | None, as_reported: str | None, as_json: bool
) -> None:
    """Every version of EVENT: what changed, when, and why.

    EVENT is an id or any unique beginning of one; ID@3 and #41 mean up to that version.
    """
    with opened(database, as_of, as_reported) as (connection, point):
        event_id, last = query.resolve_event(connection, event)
        versions = query.history(connection, event_id, as_of=point)[:last]
        if last and last > len(versions):
            raise NotFound("event", event, f"its newest version is {len(versions)}")
        if as_json:
            output.dump(versions)
            return
        for version in versions:
            verb = version["kind"].partition(".")[2]
            said = [
                f"reported {output.date(version['reported_at'])}",
                f"recorded {output.instant(version['recorded_at'])}",
                f"by {version['author']}" if version["author"] else "",
            ]
            into = f" into {version['merged_into']}" if verb == "merged" else ""
            head = output.bold(f"version {version['version']}: {verb}{into}")
            output.echo(output.flow([head, output.dim(f"entry {version['seq']}")]))
            output.echo(output.wrapped(", ".join(word for word in said if word), 2, "  "))
            if version["reason"]:
                output.echo(output.hanging(f"reason: {version['reason']}", 2))
            for change in version["changes"]:
                output.echo(output.hanging(f"- {output.change(change)}", 2))


# --- Many events --------------------------------------------------------------------------


@click.command("list")
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
    """The events in the order in which they happened."""
    with (
        opened(database, as_of, as_reported) as (connection, point),
        selection.tables_as_of(connection, point) as tables,
    ):
        _print_rows(tables, selection.list_events(tables, filters, limit=limit), as_json)


@click.command("search")
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
    """Events that hold all words of TEXT, best first.

    A phrase stands in quotes of its own: timeline search '"talks in Odesa"'.
    """
    with (
        opened(database, as_of, as_reported) as (connection, point),
        selection.tables_as_of(connection, point) as tables,
    ):
        rows = selection.search(tables, " ".join(text), filters, limit=limit)
        _print_rows(tables, rows, as_json)


def _print_rows(
    tables: sqlite3.Connection, rows: Iterable[Mapping[str, Any]], as_json: bool
) -> None:
    if as_json:
        output.dump([output.found_marks(row, "**", "**") for row in rows])
        return
    labels = query.labels(tables)
    found = False
    for row in rows:
        found = True
        facts = [
            output.date(row["occurred"]),
            labels.get(row["event_type"], row["event_type"]),
            output.place(row["place"], row["country"]),
            row["modality"] if row["modality"] != "actual" else None,
            row["verification"] if row["verification"] != "reported" else None,
            "corrected" if row["corrections_count"] else None,
            row["state"].upper() if row["state"] != "current" else None,
        ]
        output.echo(output.bold(output.wrapped(row["title"] or "(erased)")))
        output.echo(output.wrapped(" - ".join(fact for fact in facts if fact), 2))
        match = output.found_marks(row, "*", "*").get("match")
        if match and match.replace("*", "") != row["title"]:
            output.echo(output.wrapped(match, 2))
        output.echo(output.dim(output.wrapped(f"{row['event_id']}, version {row['version']}", 2)))
    if not found:
        _say_none()


def _say_none() -> None:
    output.echo("No events.", err=True)


@click.command("facets")
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
    """Exact counts by type, actor, country, period and more.

    Of all events, of those that hold all words of TEXT, or of what the options choose.
    """
    with (
        opened(database, as_of, as_reported) as (connection, point),
        selection.tables_as_of(connection, point) as tables,
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


@click.command("log")
@click.option("--as-of", metavar="WHEN", help="Up to a time, a day (its end), or an entry.")
@_limit_option
@json_option
@click.pass_obj
def log_command(database: str, /, as_of: str | None, limit: int | None, as_json: bool) -> None:
    """The entries, newest first."""
    with opened(database, as_of, None) as (connection, point):
        entries = query.log_entries(connection, as_of=point, limit=limit)
        if as_json:
            output.dump([*entries])
            return
        for entry in entries:
            payload = entry["payload"] or {}
            said = [
                payload.get("title") or payload.get("name"),
                f"by {payload['author']}" if "author" in payload else None,
                payload.get("reason"),
                "payload erased" if entry["payload"] is None else None,
            ]
            head = [
                output.bold(f"#{entry['seq']}"),
                output.instant(entry["recorded_at"]),
                entry["kind"],
                f"{output.printable(entry['subject'])}, version {entry['version']}",
            ]
            output.echo(output.flow(head))
            words = "; ".join(word for word in said if word)
            if words:
                output.echo(output.wrapped(words, 4))
