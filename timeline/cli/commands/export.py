"""Define the command that writes events as a file: export."""

from __future__ import annotations

import functools
import sqlite3
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from timeline.cli import output
from timeline.cli.opening import opened
from timeline.cli.options import Command, as_of_options, filter_options
from timeline.errors import TimelineError
from timeline.formats.about import about_selection
from timeline.formats.exporters import sheet_csv
from timeline.formats.exports import FORMATS, ExportFormat
from timeline.formats.file_names import file_name
from timeline.formats.sheet import cells
from timeline.reading import entries, query
from timeline.reading.as_of import AsOf
from timeline.reading.past_tables import tables_as_of
from timeline.reading.selection import Selection
from timeline.store import atomic


@click.command("export", cls=Command)
@click.argument("format", type=click.Choice([*FORMATS]))
@click.option(
    "-o",
    "--output",
    "path",
    metavar="FILE",
    default="-",
    help="Write there, not to stdout. In a folder, the file gets a name that says selection and"
    " state, which is printed.",
)
@click.option(
    "--column",
    "columns",
    metavar="PATH",
    multiple=True,
    help="csv: one more column: event_type (its code), country_code, or named like a field path:"
    " note, place.admin1. May be repeated.",
)
@click.option(
    "--bom", is_flag=True, help="csv: begin with a byte order mark; Excel needs it to see UTF-8."
)
@filter_options
@as_of_options
@click.pass_obj
def export_command(
    database: str,
    /,
    format: str,
    path: str,
    columns: tuple[str, ...],
    bom: bool,
    as_of: str | None,
    as_reported: str | None,
    **filters: Any,
) -> None:
    """Write the events to a file, in one of these formats.

    Chronologies are in the order of time, all others in the order of the log.

    \b
      csv         a sheet: for append --csv into another log, or sync into this
      json        every field of each event
      geojson     a map
      ics         a calendar; a vague date covers all of its days
      atom        a feed, newest recorded first
      timelinejs  slides for TimelineJS
      figures     a table with a row for each figure
      md          a chronology to read, with a footnote for each source (Markdown)
      docx        the same for Word
      html        the same as a page to print
      jsonl       the log itself, entry by entry: a copy that can be imported;
                  with filters, only the entries of these events and their sources
    """
    if format != "csv" and (columns or bom):
        raise click.UsageError("--column and --bom go with csv")
    for column in columns:
        cells.check_column(column)
    chosen = FORMATS[format]
    write = _write_sheet(columns) if columns else chosen.write
    is_part = as_reported is not None or any(value is not None for value in filters.values())
    moments = {"as_of": as_of, "as_reported": as_reported}
    with opened(database, as_of, as_reported) as (connection, point):
        connection.execute("BEGIN")  # read one state of the log, even if others append meanwhile
        ids: list[str] = []
        if is_part or not chosen.of_entries:
            ids = _ids(connection, point, filters, chosen)
        items: Iterable[Any]
        if chosen.of_entries:
            items = entries.read(connection, ids if is_part else None, as_of=point)
        else:
            items = query.each(connection, ids, as_of=point)
        about = about_selection(connection, point, filters, moments)
        is_named = path != "-" and Path(path).is_dir()
        if is_named:
            path = str(Path(path) / file_name(about, chosen))
        pieces = _Pieces(write(items, about._replace(events=len(ids))))
        _write(path, iter(pieces), bom=bom)
    if is_named:
        output.echo(path)
    if pieces.left_out:
        were, they = ("event is", "it") if pieces.left_out == 1 else ("events are", "they")
        output.echo_note(
            f"{pieces.left_out:,} {were} left out: {format} cannot say when {they} happened"
        )
    if chosen.of_entries and is_part:
        output.echo_note("this file is a part of the log: import jsonl accepts only a whole log")


class _Pieces:
    """The pieces of a file, which count the events that are left out."""

    left_out = 0
    """The number of events that the format cannot express; known after the last piece."""

    def __init__(self, pieces: Generator[str, None, int] | Generator[bytes, None, int]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[str | bytes]:
        self.left_out = yield from self._pieces


def _write_sheet(columns: Iterable[str]) -> Callable[..., Generator[str, None, int]]:
    """Return a writer of sheets that have these columns, too."""
    wanted = tuple(dict.fromkeys((*cells.COLUMNS, *columns)))
    return functools.partial(sheet_csv.write, columns=wanted)


def _ids(
    connection: sqlite3.Connection, point: AsOf, filters: dict[str, Any], chosen: ExportFormat
) -> list[str]:
    """Return the ids of the chosen events, in the order in which the format lists them."""
    with tables_as_of(connection, point) as tables:
        found = Selection(tables, filters)
        if chosen.oldest_first:
            return [*_in_order_of_time(found)]
        return found.newest() if chosen.newest_first else [*found.in_order_of_the_log()]


def _in_order_of_time(found: Selection) -> Iterator[str]:
    after: str | None = ""
    while after is not None:
        some, after = found.page_of_ids(after=after or None, oldest_first=True, size=1_000)
        yield from some


def _write(path: str, pieces: Iterator[str | bytes], *, bom: bool) -> None:
    """Write the pieces: as they are into a file or a pipe, escaped on a terminal.

    Raises TimelineError for a file that cannot be written, and for bytes on a terminal.
    """
    if path == "-" and sys.stdout.isatty():
        for piece in pieces:
            output.echo(_escaped(piece).removesuffix("\n"))
        return
    try:
        with click.open_file("-", "wb") if path == "-" else atomic.replacing(path) as file:
            is_terminal = file.isatty()  # such as /dev/tty
            if bom and not is_terminal:
                file.write(b"\xef\xbb\xbf")
            for piece in pieces:
                text = _escaped(piece) if is_terminal else piece
                file.write(text.encode() if isinstance(text, str) else text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise TimelineError(f"{path}: cannot be written: {error.strerror}") from None


def _escaped(piece: str | bytes) -> str:
    """Escape everything that a terminal would obey, also what looks like our styles.

    Raises TimelineError for what is no text.
    """
    if isinstance(piece, bytes):
        raise TimelineError("this is no text for a terminal: write it to a file, with -o FILE")
    return output.printable(piece.replace("\r\n", "\n"))
