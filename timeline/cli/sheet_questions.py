"""Ask a person on a terminal what a sheet means, where it can be meant in two ways.

Guarantees: without a terminal nothing is asked, so that a sheet is refused in its place.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import click

from timeline.cli import output
from timeline.errors import MissingIds, TooManyAbsent
from timeline.formats.sheet.reading import Sheet
from timeline.model import hints

_MOST_SHOWN = 10
"""The most events or rows of a question that are listed: they fit on a screen."""


def can_ask() -> bool:
    """Tell whether a person sees a question and can answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def settle_columns(sheet: Sheet, ignored: Iterable[str]) -> None:
    """Leave out the columns to ignore, and ask a person on a terminal about likely slips."""
    sheet.meant = {**sheet.meant, **dict.fromkeys(ignored)}
    if not can_ask():
        return
    for name, column in sheet.slips().items():
        question = f"Is the column {hints.quoted(name)} {column}? Otherwise it is left out."
        is_it = click.confirm(output.hanging(question, 0), default=True, err=True)
        sheet.meant = {**sheet.meant, name: column if is_it else None}


def may_retract(error: TooManyAbsent) -> bool:
    """Return whether a person says that the events which a sheet lacks shall be retracted."""
    if not can_ask():
        return False
    echo_list(f"{error.extent}:", error.titles)
    return click.confirm("Retract them?", err=True)


def may_write_ids(error: MissingIds, file: str) -> bool:
    """Return whether a person says that the proposed ids shall be written into their file."""
    if not can_ask():
        return False
    rows = "1 row has" if len(error.proposed) == 1 else f"{len(error.proposed):,} rows have"
    echo_list(
        f"{rows} no id, by which an event is found again. Proposed:",
        [f"line {line}: {proposal}" for line, proposal in error.proposed.items()],
    )
    them = "it" if len(error.proposed) == 1 else "them"
    return click.confirm(f"Write {them} into {file}?", default=True, err=True)


def echo_list(heading: str, items: Sequence[str]) -> None:
    """Print a heading and the first items of a list, and how many more there are."""
    more = len(items) - _MOST_SHOWN
    lines = [*items[:_MOST_SHOWN], *([f"and {more:,} more"] if more > 0 else [])]
    output.echo(output.hanging(heading, 0), err=True)
    for line in lines:
        output.echo(output.wrapped(output.one_line(line), 2), err=True)
