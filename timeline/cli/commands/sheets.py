"""Define the commands about spreadsheets: template, sync."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from timeline.cli import output
from timeline.cli.appending import appending, naming
from timeline.cli.opening import opened, opened_to_append
from timeline.cli.options import (
    Command,
    ahead_option,
    encoding_option,
    fork_option,
    ignore_column_option,
    json_option,
    spans_option,
    yes_to_all_option,
)
from timeline.cli.sheet_questions import may_retract, may_write_ids, settle_columns
from timeline.errors import InvalidInput, MissingIds, TimelineError, TooManyAbsent
from timeline.formats.sheet import cells
from timeline.formats.sheet.reading import Sheet
from timeline.intake.sheet_files import can_take_ids, opened_sheet
from timeline.intake.sheet_sync import Outcome, Step, sync
from timeline.model import hints, text_files
from timeline.model.content import Said
from timeline.model.validation import validate
from timeline.store import atomic


@click.command("template", cls=Command)
def template_command() -> None:
    """Print an empty sheet for append, sync and export.

    A semicolon separates several actors, tags, figures or sources in one cell. You may add
    columns that are named like a field path, such as note, verification or place.admin1.
    """
    click.echo(next(cells.write(())), nl=False)


@click.command("sync", cls=Command)
@click.argument("source", metavar="FILE|URL")
@click.option(
    "--author", metavar="HANDLE", envvar="TIMELINE_AUTHOR", help="Who says so; published."
)
@click.option("--dry-run", is_flag=True, help="Print what would be done; record nothing.")
@yes_to_all_option
@ahead_option
@fork_option
@spans_option
@ignore_column_option
@encoding_option
@click.option(
    "--write-ids",
    is_flag=True,
    help="Give rows without an id the proposed one, and write it into FILE.",
)
@click.option(
    "--map",
    "mapping",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A file that says which column is which field (TOML), as for `import mapped`.",
)
@json_option
@click.pass_obj
def sync_command(
    database: str,
    /,
    source: str,
    author: str | None,
    dry_run: bool,
    yes: bool,
    spans: bool,
    ignored: tuple[str, ...],
    encoding: str | None,
    write_ids: bool,
    mapping: Path | None,
    as_json: bool,
) -> None:
    """Update the timeline from a spreadsheet.

    The sheet is the whole timeline, as CSV, TSV or a workbook (XLSX, ODS). Rows are matched by id:
    new rows are recorded, changed rows update their event (or correct it, if `reason` is filled
    in), and events without a row are retracted. The same sheet again adds nothing. - is stdin.

    With --map the sheet has columns of its own. It is the whole of its rows only: other events
    stay as they are.
    """
    if mapping:
        if spans or ignored or write_ids:
            raise click.UsageError("--spans, --ignore-column and --write-ids go without --map")
        _sync_mapped(source, mapping, encoding, author, dry_run=dry_run, yes=yes, as_json=as_json)
        return
    said = validate(Said, {"author": author})
    content = _content(source)
    if write_ids and not _is_csv_file(source, content):
        raise click.UsageError(
            "--write-ids goes with a CSV file: without it, the proposed ids are shown, and you can"
            " write them into the sheet"
        )
    with naming(source):
        sheet = opened_sheet(content, encoding=encoding)
        settle_columns(sheet, ignored)
    allowed = {"allow_absent": yes or dry_run, "takes_ids": write_ids}
    while True:
        try:
            with (
                opened_to_append(database) as timeline,
                opened(database) as (connection, _),
                appending(timeline, dry_run=dry_run) as append,
                naming(source),
            ):
                outcome = sync(connection, append, sheet, said, are_spans=spans, **allowed)
                if outcome.ids and not dry_run:
                    _write_ids(source, content, sheet, outcome, encoding)
            break
        except TooManyAbsent as error:
            if not may_retract(error):
                raise
            allowed["allow_absent"] = True
        except MissingIds as error:
            if not (_is_csv_file(source, content) and may_write_ids(error, source)):
                raise
            allowed["takes_ids"] = True
    outcome.notes.extend(sheet.notes)
    if as_json:
        output.dump(_fields(outcome))
    else:
        _print(outcome, dry_run=dry_run)
    for note in outcome.notes:
        output.echo_note(note)
    if outcome.lacks_many and not yes:
        many = TooManyAbsent(outcome.absent, outcome.current)
        output.echo_note(f"{many.extent}: without --dry-run, that needs --yes")


def _content(source: str) -> bytes:
    """Return the bytes of a sheet in a file, on stdin or on the web."""
    if source.startswith(("http://", "https://")):
        from timeline.intake.shared_sheets import fetch_sheet

        return fetch_sheet(source)
    try:
        with click.open_file(source, "rb") as file:
            return text_files.whole(file)
    except InvalidInput as error:
        raise TimelineError(f"{source}: {error}") from None
    except OSError as error:
        raise TimelineError(f"{source}: cannot be read: {error.strerror}") from None


def _sync_mapped(
    source: str,
    mapping: Path,
    encoding: str | None,
    author: str | None,
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Update the timeline from a sheet with columns of its own, which a mapping file explains.

    It is imported as the complete file of today, whole or not at all: the ids of its rows are
    those of its mapping, so no event of another sheet is missed in it.
    """
    from timeline.cli.commands.importing import import_command

    click.get_current_context().invoke(
        import_command,
        format="mapped",
        path=source,
        complete=True,
        reported_at=datetime.now(UTC).date().isoformat(),
        mapping=mapping,
        encoding=encoding,
        strict=True,
        dry_run=dry_run,
        yes=yes,
        author=author,
        as_json=as_json,
    )


def _is_csv_file(source: str, content: bytes) -> bool:
    """Tell whether a sheet is a CSV file on this machine, into which ids can be written."""
    return can_take_ids(content) and Path(source).is_file()


def _write_ids(
    source: str, content: bytes, sheet: Sheet, outcome: Outcome, encoding: str | None
) -> None:
    """Write the ids that rows got into their file. Raises TimelineError if that cannot be done."""
    written = sheet.with_ids(outcome.ids)
    if encoding:
        written = written.decode().encode(encoding)
        if content.decode(encoding).encode(encoding) != content:
            raise TimelineError(f"{source} cannot be written in {encoding}: write the ids by hand")
    try:
        if Path(source).read_bytes() != content:
            raise TimelineError(f"{source} was changed meanwhile: nothing was written; try again")
        with atomic.replacing(source) as file:
            file.write(written)
    except OSError as error:
        raise TimelineError(f"{source}: cannot be written: {error.strerror}") from None
    count = len(outcome.ids)
    outcome.notes.append(f"{count:,} {'id' if count == 1 else 'ids'} written into {source}")


def _fields(outcome: Outcome) -> dict[str, Any]:
    return {
        "steps": [
            {
                "verb": step.verb,
                "title": step.title,
                "reason": step.reason,
                "cells": [
                    {"column": column, "old_value": old, "new_value": new}
                    for column, old, new in step.cells
                ],
                **output.receipt_fields(step.receipt),
            }
            for step in outcome.steps
        ],
        "unchanged": outcome.unchanged,
        "notes": outcome.notes,
        "absent": outcome.absent,
        "current": outcome.current,
    }


# --- In sentences -------------------------------------------------------------------------

_PAST = {
    "record": "recorded",
    "update": "updated",
    "update source": "updated source",
    "correct": "corrected",
    "retract": "retracted",
    "reinstate": "reinstated",
}


def _print(outcome: Outcome, *, dry_run: bool) -> None:
    for step in outcome.steps:
        verb = f"Would {step.verb}" if dry_run else _PAST[step.verb].capitalize()
        output.echo(output.hanging(_sentence(verb, step), 0))
    counts = [
        f"{count:,} {past}"
        for verb, past in _PAST.items()
        if (count := sum(step.verb == verb for step in outcome.steps))
    ]
    counts += [f"{outcome.unchanged:,} unchanged"] if outcome.unchanged else []
    end = " Nothing was recorded: a dry run." if dry_run else ""
    output.echo(output.hanging(f"{', '.join(counts) or 'No rows'}.{end}", 0))


def _sentence(verb: str, step: Step) -> str:
    """Say in a sentence what a step does, or would do, such as:

    Would correct "Strike on Sumy" (sumy-strike): killed from 34 to 35. Reason: ...
    """
    what = f'{verb} "{step.title}" ({step.receipt.id})'
    match step.verb:
        case "record":
            return f"{what}, {output.occurred(step.receipt)}."
        case "retract" | "reinstate":
            return f"{what}, {step.reason}."
        case _:
            changes = "; ".join(_change(*cell) for cell in step.cells)
            reason = f" Reason: {step.reason.rstrip('.')}." if step.reason else ""
            return f"{what}: {changes}.{reason}"


def _change(column: str, old: str, new: str) -> str:
    if not old:
        return f"{column} {hints.quoted(new)} added"
    if not new:
        return f"{column} {hints.quoted(old)} removed"
    return f"{column} from {hints.quoted(old)} to {hints.quoted(new)}"
