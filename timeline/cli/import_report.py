"""Print what an import did, or would do, and write the rows that it put aside."""

from __future__ import annotations

import codecs
import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from timeline.cli import output
from timeline.errors import TimelineError
from timeline.intake.dataset.outcome import DatasetOutcome, DatasetStep
from timeline.intake.dataset.staging import Reject, Staging
from timeline.intake.dataset.totals import Totals
from timeline.model import countries
from timeline.store import atomic

_MOST_ROWS = 10
_MOST_REJECTS = 20
"""Rejected rows that a dry run prints."""
_DIFFERS = "differs: changed or left out in this log"


class Imported(NamedTuple):
    """Holds what an import did, as far as it is printed."""

    staging: Staging
    outcome: DatasetOutcome
    totals: Totals | None
    rejects_file: str | None
    rejects: list[Reject]
    """The rows that a dry run would put aside."""
    failure: TimelineError | None
    """The error of a file of which no row could be used."""


def failure(path: str, staging: Staging) -> TimelineError:
    """Return the error of a file of which no row could be used, with the commonest reason."""
    reject, count = staging.main_reason()
    field = f"{reject.field}: " if reject.field else ""
    name = "stdin" if path == "-" else path
    first = f"the first is {staging.place(reject)}"
    if count < staging.read:
        which = f"{count:,} of {_row_count(staging.read)}; {first}"
    else:
        which = staging.place(reject) if count == 1 else f"all {count:,} rows; {first}"
    return TimelineError(f"{name}: no row could be imported: {field}{reject.reason} ({which})")


def write_rejects(path: str, staging: Staging) -> str | None:
    """Write the rejected rows as CSV into this folder; return the name of the file, or None."""
    if not staging.count_rejects():
        return None
    name = f"{'import' if path == '-' else Path(path).name}.rejects.csv"
    try:
        with atomic.replacing(name) as file:
            writer = csv.writer(codecs.getwriter("utf-8")(file))
            writer.writerow(("line", "field", "reason", "item", "row"))
            for reject in staging.rejects():
                row = json.dumps(reject.cells) if reject.cells else ""
                place = (reject.line, reject.field, reject.reason, reject.number)
                writer.writerow((*place, row))
    except OSError as error:
        raise TimelineError(f"{name}: cannot be written: {error.strerror}") from None
    return name


def echo_notes(done: Imported) -> None:
    """Print the notes of an import on stderr."""
    outcome = done.outcome
    for note in outcome.notes:
        output.echo_note(note)
    if outcome.more_notes:
        output.echo_note(f"and {outcome.more_notes:,} more such notes")
    if done.rejects_file:
        output.echo_note(
            f"{_row_count(outcome.counts['rejected'])} not imported: {done.rejects_file} says why"
        )


_OUTCOMES = ("recorded", "updated", "unchanged", "repeated", "erased", "rejected")


def print_import(done: Imported, *, dry_run: bool) -> None:
    """Print what an import did to the rows and events, and its totals."""
    staging, outcome, found, *_ = done
    counts = [f"{outcome.counts[name]:,} {name}" for name in _OUTCOMES if outcome.counts[name]]
    events = [
        f"{outcome.counts[name]:,} {name}"
        for name in ("retracted", "reinstated")
        if outcome.counts[name]
    ]
    rows = f"{_row_count(staging.read)}: {', '.join(counts) or 'none'}."
    others = f" Events whose row is gone or back: {', '.join(events)}." if events else ""
    _print_rejects(done)
    end = " Nothing was recorded: a dry run." if dry_run else ""
    output.echo(output.hanging(f"{rows}{others}{end}", 0))
    if outcome.churn:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in outcome.churn.most_common())
        only = f"{_row_count(outcome.respelled)} with nothing else that is new"
        output.echo(output.hanging(f"Only written in another way: {kinds}; {only}.", 0))
    _print_left_out(staging, outcome)
    if found:
        _print_totals(found)


def _print_left_out(staging: Staging, outcome: DatasetOutcome) -> None:
    """Print which cells could not be read, and one example of each kind."""
    if not (count := outcome.left_out.cells):
        return
    cells = "1 cell was" if count == 1 else f"{count:,} cells were"
    output.echo(output.hanging(f"{cells} left out of the events; extra keeps the text:", 0))
    groups = outcome.left_out.groups()
    for group in groups[:_MOST_ROWS]:
        output.echo(output.hanging(f"- {group.sentence(staging.place)}", 0))
    if len(groups) > _MOST_ROWS:
        output.echo(f"- {len(groups) - _MOST_ROWS:,} more kinds: --json lists them")


def _print_rejects(done: Imported) -> None:
    """Print the first rows that a dry run would put aside."""
    for reject in done.rejects[:_MOST_REJECTS]:
        field = f"{reject.field}: " if reject.field else ""
        text = f"Would put {done.staging.place(reject)} aside: {field}{reject.reason}"
        output.echo(output.hanging(text, 0))
    if len(done.rejects) > _MOST_REJECTS:
        more = len(done.rejects) - _MOST_REJECTS
        output.echo(f"Would put {more:,} more aside: --json lists all of them.")


def _row_count(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _print_totals(found: Totals) -> None:
    if found.figures:
        output.echo()
        sums = [
            ("file", "log"),
            *((_number(figure.in_file), _number(figure.in_log)) for figure in found.figures),
        ]
        names = ["figure", *(f"{figure.measure}, {figure.field}" for figure in found.figures)]
        remarks = ["", *("" if figure.reconciles else _DIFFERS for figure in found.figures)]
        widths = [max(map(len, column)) for column in zip(*sums, strict=True)]
        rows = [
            (name, *(f"{cell:>{width}}" for cell, width in zip(pair, widths, strict=True)), remark)
            for name, pair, remark in zip(names, sums, remarks, strict=True)
        ]
        name_width = max(map(output.columns, names))
        lines = [
            f"{name}{' ' * (name_width - output.columns(name))}  {'  '.join(others)}".rstrip()
            for name, *others in rows
        ]
        fits = max(map(output.columns, lines)) <= output.width()
        output.echo("\n".join(lines) if fits else output.table(rows))
    for heading, crossed, named in (
        ("country", found.countries, countries.country_name),
        ("date", found.dates, str),
    ):
        if crossed:
            output.echo()
            rows = [(f"{heading} in the file", "in the log", "rows")]
            rows += [
                (said or "-", named(value) if value else "-", f"{count:,}")
                for (said, value), count in crossed.most_common(_MOST_ROWS)
            ]
            if len(crossed) > _MOST_ROWS:
                others = sorted(crossed.values(), reverse=True)[_MOST_ROWS:]
                rows += [(f"{len(others):,} more", "", f"{sum(others):,}")]
            rows += [("all", "", f"{crossed.total():,}")]
            output.echo(output.table(rows))


def _number(value: Decimal) -> str:
    exact = f"{value:,f}"
    return exact.rstrip("0").rstrip(".") if "." in exact else exact


def import_fields(done: Imported, steps: list[DatasetStep]) -> dict[str, Any]:
    """Return the same as JSON types, with the steps of a dry run."""
    staging, outcome, found, *_ = done
    fields: dict[str, Any] = {
        "rows": staging.read,
        **{name: outcome.counts[name] for name in (*_OUTCOMES, "retracted", "reinstated")},
        "respelled": outcome.respelled,
        "churn": dict(outcome.churn),
        "notes": outcome.notes,
        "more_notes": outcome.more_notes,
        "left_out": [vars(group) for group in outcome.left_out.groups()],
        "rejects_file": done.rejects_file,
        "rejects": [
            {
                "line": reject.line,
                "item": reject.number,
                "field": reject.field,
                "reason": reject.reason,
            }
            for reject in done.rejects
        ],
        "steps": [{**step._asdict(), "columns": [*step.columns]} for step in steps],
    }
    if found:
        fields["figures"] = [
            {
                "measure": figure.measure,
                "field": figure.field,
                "file": _number(figure.in_file).replace(",", ""),
                "log": _number(figure.in_log).replace(",", ""),
                "reconciles": figure.reconciles,
            }
            for figure in found.figures
        ]
        for name, crossed in (("countries", found.countries), ("dates", found.dates)):
            fields[name] = [
                {"file": said, "log": value, "rows": count}
                for (said, value), count in crossed.most_common()
            ]
    return fields
