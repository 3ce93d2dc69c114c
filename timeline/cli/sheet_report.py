"""Show what was understood of a sheet: its columns, its dates, and what is wrong with its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from timeline.cli import output
from timeline.formats.guessing import dates
from timeline.formats.importers import ucdp
from timeline.intake.any_sheet.reading import OpenSheet
from timeline.intake.any_sheet.survey import CellProblem, Survey

_MOST_DATES = 10
"""The dates that are shown as they were settled, at most."""
_MOST_PROBLEMS = 40
"""The problems that are shown, at most; the sheet of problems has all of them."""
_MOST_NOTES = 10
"""The notes on cells that are shown, at most."""
_LONGEST = {"column": 17, "becomes": 10, "such as": 19}
"""Characters of the cells of the table of columns, at most, so that it fits 80 columns."""

_IN_WORDS = {
    "occurred": "date",
    "place.name": "place",
    "place.admin1": "region",
    "place.country": "country",
    "place.lat": "latitude",
    "place.lon": "longitude",
    "participants": "actors",
    "citations": "sources",
    "event_type": "type",
    "reported_at": "reported",
    "media": "image",
}
"""What fields are called in the table of columns, by path."""


_PUBLISHED = {
    "timelinejs": {"year", "headline", "text", "media", "media credit"},
    "ucdp": {*ucdp.NEEDED},
}
"""Columns by which a sheet of a format with an importer of its own is known, in lower case."""


def echo_sheet(sheet: OpenSheet, found: Survey, mapping: str | None, time_zone: str) -> None:
    """Print what was understood of a sheet, and everything that is wrong with it.

    `mapping` is the file by which the sheet is read; None if its columns were guessed. `time_zone`
    is the zone of the log.
    """
    size = f"{_count(found.rows, 'row')}, {_count(len(sheet.seen.columns), 'column')}"
    output.echo(f"{output.one_line(sheet.name)}: {size}.")
    if mapping:
        output.echo(output.hanging(f"Its columns are read by {mapping}.", 0))
    if not sheet.seen.is_whole and mapping is None:
        output.echo(f"The columns are guessed by the first {sheet.seen.rows:,} rows.")
    for note in found.notes:
        output.echo_note(note)
    for form, columns in _PUBLISHED.items() if mapping is None else ():
        if columns <= {name.lower() for name in sheet.seen.columns}:
            command = f"timeline import {form} {sheet.name}"
            output.echo_note(f"these are columns of {form}: `{command}` reads all of them")
    if mapping is None:
        output.echo()
        output.echo(output.table(_columns(sheet, found)))
        if isinstance(title := sheet.said["fields"]["title"], dict) and "text" in title:
            output.echo()
            output.echo(output.hanging(f"The title is made of columns: {title['text']}", 0))
    for name in sheet.new_columns:
        output.echo_note(
            f'the column "{name}" is new and left out: {mapping} can say what it fills'
        )
    _echo_dates(sheet, is_new=mapping is None)
    if mapping is None:
        heading = "Cells that hold several names, or an address without https://:"
        _echo_list(heading, [*found.cell_notes], _MOST_NOTES)
        _echo_times(found, time_zone)
    _echo_problems(found)


def _columns(sheet: OpenSheet, found: Survey) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("column", "becomes", "such as", "")]
    for each in sheet.columns:
        if each.becomes:
            becomes = _IN_WORDS.get(each.becomes, each.becomes)
            failing = found.failing[each.column]
            last = f"fails for {_count(failing, 'row')}" if failing else ""
        else:
            becomes, last = "-", f"left out: {each.why}"
        cells = (each.column, becomes, each.example)
        short = (_cut(cell, size) for cell, size in zip(cells, _LONGEST.values(), strict=True))
        rows.append((*short, last))
    return rows


def _echo_dates(sheet: OpenSheet, *, is_new: bool) -> None:
    if sheet.dates is None:
        return
    settled = sheet.dates.settled if is_new else sheet.newly_settled
    said = [dates.in_words(each) for each in settled]
    _echo_list("Dates that the sheet as a whole settles:", said, _MOST_DATES)
    if sheet.dates.unknown:
        has = "has" if sheet.dates.unknown == 1 else "have"
        output.echo()
        output.echo(
            f"{_count(sheet.dates.unknown, 'row')} {has} no date: it is recorded as unknown."
        )


def _echo_times(found: Survey, time_zone: str) -> None:
    """Say by which clock times without an offset are read, and that others may be meant alike."""
    count = found.offsets[""]
    if not count:
        return
    times, they, are = ("time", "it", "is") if count == 1 else ("times", "they", "are")
    verb = "names" if count == 1 else "name"
    read = f"{count:,} {times} of day {verb} no time zone: {they} {are} read as {time_zone},"
    others = [offset for offset in found.offsets if offset not in ("", "Z")]
    advice = "the zone of this log."
    if others:
        advice += (
            f" Other cells say {', '.join(sorted(others))}: if that is the zone of the story, set"
            " it first, such as `timeline about --time-zone America/New_York`."
        )
    output.echo()
    output.echo(output.hanging(f"{read} {advice}", 0))


def _echo_list(heading: str, lines: Sequence[str], most: int) -> None:
    if not lines:
        return
    output.echo()
    output.echo(heading)
    for line in lines[:most]:
        output.echo(output.hanging(output.one_line(line), 2))
    if len(lines) > most:
        output.echo(f"  and {len(lines) - most:,} more")


def _echo_problems(found: Survey) -> None:
    if not found.problems:
        return
    output.echo()
    output.echo(f"{_count(found.bad, 'row')} cannot be read as {_it(found.bad)}:")
    rows = [_problem(each) for each in found.problems[:_MOST_PROBLEMS]]
    output.echo(output.table(rows, 2))
    more = len(found.problems) + found.more_problems - len(rows)
    if more > 0:
        output.echo(f"  and {more:,} more")


def echo_refused(found: Survey) -> None:
    """Print why the log cannot take rows that could be read, each reason once."""
    reasons = [*dict.fromkeys(found.refused.values())]
    heading = (
        f"{_count(len(found.refused), 'row')} cannot be recorded as {_it(len(found.refused))}:"
    )
    _echo_list(heading, [f"  {reason}" for reason in reasons], _MOST_PROBLEMS)
    if any("stands twice" in reason for reason in reasons):
        advice = (
            "Rows that these columns do not tell apart must say the same: make one row of them"
            ' (several links go into one cell: "LINK; LINK"), or write in the title what differs.'
        )
        output.echo(output.hanging(advice, 0))


def _problem(each: CellProblem) -> tuple[str, str, str]:
    where = each.cell or f"row {each.row}"
    return where, _cut(each.column, _LONGEST["column"]), output.one_line(each.problem)


def _it(count: int) -> str:
    return "it is" if count == 1 else "they are"


def _cut(text: str, size: int) -> str:
    """Return a text as one line, cut to fit a number of columns of a terminal."""
    line = output.one_line(" ".join(text.split()))
    if output.columns(line) <= size:
        return line
    while output.columns(line) > size - 1:
        line = line[:-1]
    return f"{line.rstrip()}\N{HORIZONTAL ELLIPSIS}"


def _count(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def fields(sheet: OpenSheet, found: Survey) -> dict[str, Any]:
    """Return what was understood of a sheet, for JSON."""
    return {
        "rows": found.rows,
        "columns": [each._asdict() for each in sheet.columns],
        "new_columns": sheet.new_columns,
        "dates": [
            {"cell": each.cell, "occurred": each.edtf, "why": each.why}
            for each in (sheet.dates.settled if sheet.dates else ())
        ],
        "without_date": sheet.dates.unknown if sheet.dates else 0,
        "problems": [each._asdict() for each in found.problems],
        "refused": [*dict.fromkeys(found.refused.values())],
        "more_problems": found.more_problems,
        "bad_rows": found.bad,
        "notes": [*found.notes, *found.cell_notes],
    }
