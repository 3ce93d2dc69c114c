"""Define the command that imports the files of publishers, and logs: import."""

from __future__ import annotations

import base64
import codecs
import contextlib
import csv
import functools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import click

from timeline.cli import output
from timeline.cli.appending import is_ahead_allowed, is_fork_meant, naming, settle_clock
from timeline.cli.opening import opened_to_append, writing
from timeline.cli.options import (
    Command,
    ahead_option,
    author_option,
    fork_option,
    json_option,
    yes_to_all_option,
)
from timeline.errors import TimelineError
from timeline.formats.importers.decoding import recoded
from timeline.formats.importers.packed import plain
from timeline.formats.imports import Format, importer, names
from timeline.intake.dataset.outcome import DatasetOutcome, DatasetStep, Import
from timeline.intake.dataset.run import run
from timeline.intake.dataset.staging import Staging
from timeline.intake.dataset.totals import Totals, totals
from timeline.intake.restore import restore
from timeline.model import countries, hints
from timeline.model.content import Said
from timeline.model.validation import validate
from timeline.store import atomic, storage
from timeline.writing.receipt import new_zone_in_words

_JSONL = "jsonl"
_MOST_ROWS = 10


@click.command("import", cls=Command)
@click.argument("format", metavar="FORMAT")
@click.argument("path", metavar="FILE")
@click.option(
    "--complete",
    is_flag=True,
    help="The file is complete: events that it lacks are retracted.",
)
@click.option("--reported-at", metavar="DAY", help="The day of the file.")
@click.option(
    "--map",
    "mapping",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="For mapped: a file that says which column is which field (TOML).",
)
@click.option("--encoding", metavar="NAME", help="The encoding of FILE if not UTF-8: cp1252.")
@click.option("--strict", is_flag=True, help="Import nothing if one row is bad.")
@click.option("--dry-run", is_flag=True, help="Print what would be done; record nothing.")
@yes_to_all_option
@ahead_option
@fork_option
@author_option
@json_option
@click.pass_obj
def import_command(
    database: str,
    /,
    format: str,
    path: str,
    complete: bool,
    reported_at: str | None,
    mapping: Path | None,
    encoding: str | None,
    strict: bool,
    dry_run: bool,
    yes: bool,
    author: str | None,
    as_json: bool,
) -> None:
    """Update the timeline from a publisher's file.

    \b
      gdelt       GDELT 2.0 events, a file of 15 minutes
      ucdp        UCDP GED, as CSV
      timelinejs  slides of TimelineJS 3, as JSON or as a sheet (CSV)
      mapped      any CSV or JSON, with a mapping file (--map)
      jsonl       a log that `export jsonl` wrote: makes a copy, or updates one

    Rows are matched by id: new rows are recorded, and events that the publisher changed are
    updated. With --complete, events whose row is gone are retracted, and events whose row is
    back are reinstated. The format of dates and numbers, blanks and the order of columns make
    no difference. Bad rows go into FILE.rejects.csv, in this folder, with their line, the field
    and the reason. FILE may be compressed by gzip; - is stdin. If a run is interrupted, run it
    again.
    """
    _check_format(format)
    if format == _JSONL:
        options = {
            "--complete": complete, "--reported-at": reported_at, "--map": mapping,
            "--encoding": encoding, "--strict": strict, "--dry-run": dry_run, "--yes": yes,
            "--fork": is_fork_meant(),
        }  # fmt: skip
        _check_bare(options)
        _restore(database, path, allow_ahead=is_ahead_allowed(), as_json=as_json)
        return
    if complete and not reported_at:
        raise click.UsageError("--complete needs --reported-at: the day of the file")
    form = importer(format, mapping)
    said = validate(Said, {"author": author, "reported_at": reported_at})
    wanted = Import(said, complete, strict, dry_run, allow_absent=yes or dry_run)
    steps: list[DatasetStep] = []
    tell = _told(as_json, dry_run, steps)
    staging, outcome, found, rejects = _import(database, path, encoding, form, wanted, tell)
    if as_json:
        output.dump(_fields(staging, outcome, found, steps, rejects))
    else:
        _print(staging, outcome, found, dry_run=dry_run)
    _echo_notes(outcome, rejects)


def _check_format(format: str) -> None:
    """Raise UsageError for an unknown format."""
    formats = [_JSONL, *names()]
    if format not in formats:
        near = hints.nearest(format, formats)
        hint = f"did you mean {near}?" if near else f"known are {', '.join(formats)}"
        raise click.UsageError(f'"{format}" is not a format: {hint}')


def _check_bare(options: Mapping[str, object]) -> None:
    """Raise UsageError if one of these options was given: the format jsonl takes none."""
    for option, given in options.items():
        if given:
            raise click.UsageError(f"{option} does not go with jsonl, which copies a log as it is")


def _import(
    database: str,
    path: str,
    encoding: str | None,
    form: Format,
    wanted: Import,
    tell: Callable[[DatasetStep], object],
) -> tuple[Staging, DatasetOutcome, Totals | None, str | None]:
    """Import a file, and write its bad rows into another file; return the name of that last."""
    if not wanted.dry_run:
        with writing(database):
            pass  # an erasure that was pending is finished now
    with (
        opened_to_append(database) as timeline,
        contextlib.closing(storage.connect(database)) as connection,
        _opened(path, encoding) as file,
        output.Progress("rows", is_brief=True) as progress,
    ):
        settle_clock(timeline)
        appending = functools.partial(timeline.append, dry_run=wanted.dry_run)

        def show(part: str, count: int, total: int | None) -> None:
            progress(count, part, total)

        try:
            with naming(path):
                staging, outcome = run(
                    connection, appending, form, file, wanted, tell=tell, progress=show
                )
        except KeyboardInterrupt:
            is_in_one = wanted.strict or wanted.dry_run
            end = "; nothing was written" if is_in_one else ": run it again to go on"
            raise TimelineError(f"interrupted{end}") from None
        progress.end()
        rejects = _write_rejects(path, staging)
        return staging, outcome, None if wanted.dry_run else totals(staging), rejects


def _echo_notes(outcome: DatasetOutcome, rejects: str | None) -> None:
    for note in outcome.notes:
        output.echo_note(note)
    if outcome.more_notes:
        output.echo_note(f"and {outcome.more_notes:,} more such notes")
    if rejects:
        output.echo_note(
            f"{_row_count(outcome.counts['rejected'])} not imported: {rejects} says why"
        )


def _told(
    as_json: bool, dry_run: bool, steps: list[DatasetStep]
) -> Callable[[DatasetStep], object]:
    """Return what to do with each step: a dry run prints it, or keeps it for JSON."""
    if as_json:
        return steps.append if dry_run else lambda step: None
    if dry_run:
        return lambda step: output.echo(output.hanging(_sentence(step), 0))
    return lambda step: None


def _sentence(step: DatasetStep) -> str:
    changed = f": {', '.join(step.columns)}" if step.columns else ""
    return f'Would {step.verb} "{step.title}" ({step.event_id}){changed}.'


@contextlib.contextmanager
def _opened(path: str, encoding: str | None = None) -> Iterator[IO[bytes]]:
    try:
        with click.open_file(path, "rb") as file:
            yield recoded(plain(file), encoding) if encoding else plain(file)
    except OSError as error:
        raise TimelineError(f"{path}: cannot be read: {error.strerror or error}") from None


def _write_rejects(path: str, staging: Staging) -> str | None:
    """Write the rejected rows as CSV into this folder; return the name of the file, or None."""
    if not staging.count_rejects():
        return None
    name = f"{'import' if path == '-' else Path(path).name}.rejects.csv"
    try:
        with atomic.replacing(name) as file:
            writer = csv.writer(codecs.getwriter("utf-8")(file))
            writer.writerow(("line", "field", "reason", "row"))
            for reject in staging.rejects():
                row = json.dumps(reject.cells) if reject.cells else ""
                writer.writerow((reject.line, reject.field, reject.reason, row))
    except OSError as error:
        raise TimelineError(f"{name}: cannot be written: {error.strerror}") from None
    return name


def _restore(database: str, path: str, *, allow_ahead: bool, as_json: bool) -> None:
    """Restore a log from its export: make a copy, or let a mirror follow."""
    with _opened(path) as file, output.Progress("rows", is_brief=True) as progress:
        try:
            done = restore(
                database,
                file,
                allow_ahead=allow_ahead,
                progress=lambda count: progress(count, "read"),
            )
        except KeyboardInterrupt:
            raise TimelineError("interrupted: run it again to go on") from None
    root = base64.b64encode(done.root).decode()
    if as_json:
        fields = {"size": done.size, "added": done.added, "root": root}
        fields |= {"texts_absent": done.texts_absent, "new_time_zone": done.new_time_zone}
        output.dump(fields)
    else:
        output.echo(f"{done.added:,} of {done.size:,} entries added to {database}.")
        output.echo(f"root {root}")
    if done.new_time_zone:
        output.echo_note(new_zone_in_words(done.new_time_zone))
    if done.texts_absent:
        count = done.texts_absent
        were = "1 source is" if count == 1 else f"{count:,} sources are"
        output.echo_note(f"the texts of {were} not in an export: timeline capture brings them")


# --- The result ---------------------------------------------------------------------------

_OUTCOMES = ("recorded", "updated", "unchanged", "repeated", "erased", "rejected")


def _print(
    staging: Staging, outcome: DatasetOutcome, found: Totals | None, *, dry_run: bool
) -> None:
    counts = [f"{outcome.counts[name]:,} {name}" for name in _OUTCOMES if outcome.counts[name]]
    events = [
        f"{outcome.counts[name]:,} {name}"
        for name in ("retracted", "reinstated")
        if outcome.counts[name]
    ]
    rows = f"{_row_count(staging.read)}: {', '.join(counts) or 'none'}."
    others = f" Events whose row is gone or back: {', '.join(events)}." if events else ""
    end = " Nothing was recorded: a dry run." if dry_run else ""
    output.echo(output.hanging(f"{rows}{others}{end}", 0))
    if outcome.churn:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in outcome.churn.most_common())
        only = f"{_row_count(outcome.respelled)} with nothing else that is new"
        output.echo(output.hanging(f"Only written in another way: {kinds}; {only}.", 0))
    _print_left_out(outcome)
    if found:
        _print_totals(found)


def _print_left_out(outcome: DatasetOutcome) -> None:
    """Print which cells could not be read, and one example of each kind."""
    if not (count := outcome.left_out.cells):
        return
    cells = "1 cell was" if count == 1 else f"{count:,} cells were"
    output.echo(output.hanging(f"{cells} left out of the events; extra keeps the text:", 0))
    groups = outcome.left_out.groups()
    for group in groups[:_MOST_ROWS]:
        output.echo(output.hanging(f"- {group}", 0))
    if len(groups) > _MOST_ROWS:
        output.echo(f"- {len(groups) - _MOST_ROWS:,} more kinds: --json lists them")


def _row_count(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _print_totals(found: Totals) -> None:
    if found.figures:
        output.echo()
        figures = [("figure", "file", "log", "")]
        figures += [
            (
                f"{figure.measure}, {figure.field}",
                _number(figure.in_file),
                _number(figure.in_log),
                "" if figure.reconciles else "differs: changed in this log",
            )
            for figure in found.figures
        ]
        output.echo(output.table(figures))
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


def _number(value: Any) -> str:
    return f"{value:,f}"


def _fields(
    staging: Staging,
    outcome: DatasetOutcome,
    found: Totals | None,
    steps: list[DatasetStep],
    rejects: str | None,
) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "rows": staging.read,
        **{name: outcome.counts[name] for name in (*_OUTCOMES, "retracted", "reinstated")},
        "respelled": outcome.respelled,
        "churn": dict(outcome.churn),
        "notes": outcome.notes,
        "more_notes": outcome.more_notes,
        "left_out": [vars(group) for group in outcome.left_out.groups()],
        "rejects_file": rejects,
        "steps": [{**step._asdict(), "columns": [*step.columns]} for step in steps],
    }
    if found:
        fields["figures"] = [
            {
                "measure": figure.measure,
                "field": figure.field,
                "file": f"{figure.in_file:f}",
                "log": f"{figure.in_log:f}",
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
