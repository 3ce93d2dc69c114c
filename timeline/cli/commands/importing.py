"""Define the command that imports the files of publishers, and logs: import."""

from __future__ import annotations

import base64
import contextlib
import functools
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

import click

from timeline.cli import output
from timeline.cli.appending import is_ahead_allowed, is_fork_meant, naming, settle_clock
from timeline.cli.import_report import (
    Imported,
    echo_notes,
    failure,
    import_fields,
    print_import,
    write_rejects,
)
from timeline.cli.opening import opened_to_append, writing
from timeline.cli.options import (
    Command,
    ahead_option,
    author_option,
    encoding_option,
    fork_option,
    json_option,
    yes_to_all_option,
)
from timeline.errors import TimelineError
from timeline.formats.importers.decoding import recoded
from timeline.formats.importers.packed import plain
from timeline.formats.imports import Format, importer, names
from timeline.intake.dataset.outcome import DatasetStep, Import
from timeline.intake.dataset.run import run
from timeline.intake.dataset.totals import totals
from timeline.intake.restore import restore
from timeline.model import hints
from timeline.model.content import Said
from timeline.model.validation import validate
from timeline.store import storage
from timeline.writing.receipt import new_zone_in_words

_JSONL = "jsonl"
_SHEETS = ("csv", "tsv", "xlsx", "xls", "ods", "excel", "spreadsheet")
"""Words for a sheet that people give as its format."""


@click.command("import", cls=Command)
@click.argument("format", metavar="FORMAT")
@click.argument("path", metavar="FILE", required=False)
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
@encoding_option
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
    path: str | None,
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
      sheet       any sheet that you keep: see `timeline import sheet --help`
      gdelt       GDELT events, a file of 15 minutes or of a day
      ucdp        UCDP GED, as CSV
      timelinejs  slides of TimelineJS 3, as JSON or as a sheet (CSV)
      mapped      any CSV or JSON, with a mapping file (--map)
      jsonl       a log that `export jsonl` wrote: makes a copy, or updates one

    Rows are matched by id: new rows are recorded, and events that the publisher changed are
    updated. With --complete, events whose row is gone are retracted, and events whose row is
    back are reinstated. The format of dates and numbers, blanks and the order of columns make
    no difference. A cell that cannot be read is left out of its event, and counted. Rows without
    a title or a date go into FILE.rejects.csv, in this folder, with their line, the field and the
    reason. FILE may be packed by gzip or ZIP; - is stdin. If a run is interrupted, run it again.
    The exit code is 1 if no row could be used.
    """
    _check_format(format, path)
    if path is None:
        raise click.UsageError(f"which file? timeline import {format} FILE")
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
    done = _import(database, path, encoding, form, wanted, tell)
    if as_json:
        output.dump(import_fields(done, steps))
    else:
        print_import(done, dry_run=dry_run)
    echo_notes(done)
    if done.failure:
        raise done.failure


def _check_format(format: str, path: str | None) -> None:
    """Raise UsageError for an unknown format."""
    formats = [_JSONL, *names()]
    if format == "sheet":
        raise click.UsageError("options come behind: timeline import sheet FILE --yes")
    formats = ["sheet", _JSONL, *names()]
    if format not in formats:
        if path is None or format.lower() in _SHEETS:
            raise click.UsageError(f"any sheet goes in by timeline import sheet {path or format}")
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
) -> Imported:
    """Import a file, and write its bad rows into another file; a dry run writes none."""
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
        is_dry = wanted.dry_run
        return Imported(
            staging,
            outcome,
            None if is_dry else totals(staging),
            None if is_dry else write_rejects(path, staging),
            [*staging.rejects()] if is_dry else [],
            None if outcome.usable else failure(path, staging),
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


def _file(path: str) -> IO[bytes]:
    if path.startswith(("http://", "https://")):
        from timeline.intake.shared_sheets import fetch_sheet

        return io.BytesIO(fetch_sheet(path))
    found: IO[bytes] = click.open_file(path, "rb")
    return found


@contextlib.contextmanager
def _opened(path: str, encoding: str | None = None) -> Iterator[IO[bytes]]:
    try:
        with _file(path) as file:
            yield recoded(plain(file), encoding) if encoding else plain(file)
    except BrokenPipeError:
        raise  # It is the output that nobody reads any more.
    except OSError as error:
        raise TimelineError(f"{path}: cannot be read: {error.strerror or error}") from None


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
