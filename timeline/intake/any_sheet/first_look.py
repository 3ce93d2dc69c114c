"""Look at the first rows of a sheet, and make the mapping by which all of its rows are read.

Guarantees: at most `contents.MOST_ROWS` rows are looked at, however long the sheet is. A mapping
that was kept is used as it is; only dates that nobody settled yet are settled by the rows around.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from itertools import islice
from pathlib import PurePath
from typing import IO, Any, NamedTuple

from timeline.errors import InvalidInput
from timeline.formats.guessing import dates
from timeline.formats.guessing.contents import MOST_ROWS, Column, columns_of
from timeline.formats.guessing.dates import SettledDates
from timeline.formats.guessing.guess import Guess, guess
from timeline.formats.importers.packed import plain
from timeline.formats.importers.rows import FileForm, rows
from timeline.formats.imports import FileNote, Row, Unreadable, names
from timeline.model.log_info import Term
from timeline.model.names import fold

PROBLEM = "problem"
"""The column that says what is wrong with a row of a sheet that came back; it is never read."""
_LONGEST_SCHEME = 40
"""Characters of the scheme of external ids, at most."""


class FirstLook(NamedTuple):
    """Holds what the first rows of a sheet show."""

    columns: Mapping[str, Column]
    rows: int
    """The number of rows that were looked at."""
    is_whole: bool
    """Whether the sheet has no more rows."""


class DateHabit(NamedTuple):
    """Holds what a person said of the dates of a sheet."""

    day_first: bool | None = None
    year: int | None = None


def look(file: IO[bytes], mapping: Mapping[str, Any], language: str = "en") -> FirstLook:
    """Look at the first rows of a file, which is read from its beginning.

    `mapping` has the settings that are known, and `language` is that of the log. Raises
    InvalidInput for a file without rows.
    """
    with _opened_rows(file, mapping) as found:
        taken: list[Row] = []
        unreadable: Unreadable | None = None
        for row in found:
            if isinstance(row, Row):
                taken.append(row)
                if len(taken) > MOST_ROWS:
                    break
            elif isinstance(row, Unreadable):
                unreadable = unreadable or row
    if not taken and unreadable:
        raise InvalidInput(unreadable.field, unreadable.reason).at(line=unreadable.line)
    if not taken:
        raise InvalidInput("", "has no rows under its header")
    seen = columns_of(taken[:MOST_ROWS], language)
    seen.pop(PROBLEM, None)
    return FirstLook(seen, min(len(taken), MOST_ROWS), len(taken) <= MOST_ROWS)


def from_start(file: IO[bytes]) -> IO[bytes]:
    """Return a file of the same bytes from its beginning, unpacked if they are packed by gzip."""
    file.seek(0)
    return plain(file)


@contextlib.contextmanager
def _opened_rows(
    file: IO[bytes], mapping: Mapping[str, Any]
) -> Iterator[Iterator[Row | Unreadable | FileNote]]:
    form = FileForm(mapping.get("delimiter"), mapping.get("encoding"), mapping.get("rows"))
    with contextlib.closing(rows(from_start(file), form)) as found:
        yield found


def guessed(seen: FirstLook, name: str, event_types: Iterable[Term], encoding: str | None) -> Guess:
    """Guess the mapping of a sheet of this name. Raises InvalidInput as `guess` does."""
    found = guess(seen.columns, scheme_of(name), event_types)
    if encoding is not None:
        found.mapping = {
            "scheme": found.mapping.pop("scheme"),
            "encoding": encoding,
        } | found.mapping
    return found


def scheme_of(name: str) -> str:
    """Return the scheme of the external ids of the rows of a file, made of its name."""
    stem = re.split(r"\.(?:csv|tsv|txt|xlsx|ods|json|gz|zip|problems)\b", PurePath(name).name)[0]
    plain = re.sub(r"[^a-z0-9]+", "-", fold(stem).encode("ascii", "ignore").decode()).strip("-")
    is_own = re.match("[a-z]", plain) and plain not in names()
    named = plain if is_own else f"sheet-{plain}".strip("-")
    return named[:_LONGEST_SCHEME].strip("-")


# --- Dates --------------------------------------------------------------------------------


def settled_dates(
    file: IO[bytes], mapping: Mapping[str, Any], said: DateHabit
) -> SettledDates | None:
    """Settle the dates in the first rows by the habits that a person said, or the mapping has.

    Returns None if the date is given by its parts, or by patterns.
    """
    rule = _rule(mapping)
    columns = [rule[key] for key in ("column", "start", "end") if isinstance(rule.get(key), str)]
    if not columns or "date" in rule:
        return None
    with _opened_rows(file, mapping) as found:
        first = islice((row for row in found if isinstance(row, Row)), MOST_ROWS)
        cells = [row.cells.get(name, "") for row in first for name in columns]
    if "end" in rule:  # an end that is not given says nothing
        cells = [cell for cell in cells if cell.strip()] or cells[:1]
    year = rule.get("year")
    language = str(mapping.get("language", "en"))
    if isinstance(year, str):  # another column has the year, or the rows say it while they are read
        cells = [cell for cell in cells if not dates.lacks_year(cell, language)]
    kept = rule.get("day_first", order_in(columns[0]))
    return dates.settled(
        cells,
        day_first=kept if said.day_first is None else said.day_first,
        year=said.year or (year if isinstance(year, int) else None),
        known=rule.get("words"),
        language=language,
        why="as you said" if said.day_first is not None else f"as {columns[0]} says",
    )


def order_in(column: str) -> bool | None:
    """Tell whether the day comes first by the name of a column: "Date (DD/MM/YYYY)"."""
    folded = fold(column)
    if re.search(r"\bd{1,2}[./-]m{1,2}\b|\btt[./-]mm\b|\bjj[./-]mm\b", folded):
        return True
    return False if re.search(r"\bm{1,2}[./-]d{1,2}\b", folded) else None


def with_dates(mapping: Mapping[str, Any], settled: SettledDates) -> dict[str, Any]:
    """Return a mapping with what the dates of its sheet settle: the order, the year, the words."""
    found = deepcopy(dict(mapping))
    rule = dict(_rule(mapping))
    if settled.day_first is not None:
        rule["day_first"] = settled.day_first
    if settled.year is not None:
        rule["year"] = settled.year
    if settled.words:
        rule["words"] = settled.words
    if rule != _rule(mapping):
        found["fields"] = {**found["fields"], "occurred": rule}
    reported = found["fields"].get("reported_at")
    if isinstance(reported, str) and settled.day_first is not None:
        found["fields"]["reported_at"] = {"column": reported, "day_first": settled.day_first}
    return found


def _rule(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the rule for the date as a table."""
    rule = mapping.get("fields", {}).get("occurred", {})
    return {"column": rule} if isinstance(rule, str) else rule if isinstance(rule, dict) else {}
