"""Compare a sheet with the log by id, and make entries of what is new, changed, gone or back.

Guarantees: the same sheet again adds nothing. Fields that a sheet has no column for are kept. An
event that somebody retracted by hand, or whose content was erased, is not brought back by a sheet
that still contains it. The whole sheet is accepted, or nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Literal, NamedTuple

from timeline.errors import InvalidInput, InvalidSheet, MissingIds, NothingChanged, TooManyAbsent
from timeline.formats.sheet import events, source_titles
from timeline.formats.sheet.cells import SheetRow
from timeline.formats.sheet.events import Lookup
from timeline.formats.sheet.ids import ProposedId, TitleAndDate, key_of, proposals
from timeline.formats.sheet.lookup import lookup_of
from timeline.formats.sheet.problems import Problems, check_columns
from timeline.model.content import Said
from timeline.model.typed_dates import VAGUE, written
from timeline.model.validation import validate
from timeline.reading import query
from timeline.reading.former_dates import FormerDates
from timeline.writing.receipt import Receipt
from timeline.writing.writer import Append

_ABSENT = "no longer in the sheet"
_BACK = "in the sheet again"
_FEW = 5
"""The number of absent events from which a person is asked; fewer are only named."""


class Step(NamedTuple):
    """Describes one entry that a sheet makes."""

    verb: Literal["record", "update", "correct", "retract", "reinstate", "update source"]
    title: str
    receipt: Receipt
    reason: str | None = None
    cells: tuple[tuple[str, str, str], ...] = ()
    """Column, old and new cell of each change."""


class Outcome(NamedTuple):
    """Says what a sheet changed in the log."""

    steps: list[Step]
    unchanged: int
    """The number of rows that say the same as the log."""
    notes: list[str]
    """Notes for a person on rows that made no entry."""
    absent: int
    """The number of current events that the sheet lacks."""
    current: int
    """The number of current events before."""
    ids: Mapping[int, str]
    """The ids that rows without one got, by the line of the row."""

    @property
    def lacks_many(self) -> bool:
        """Return whether all events are absent, or five or more that are a tenth or more."""
        if self.absent < _FEW:
            return 0 < self.absent == self.current
        return self.absent * 10 >= self.current


def sync(
    connection: sqlite3.Connection,
    append: Append,
    sheet: Iterable[SheetRow],
    said: Said,
    *,
    allow_absent: bool,
    are_spans: bool = False,
    takes_ids: bool = False,
) -> Outcome:
    """Make the log say what the rows of a sheet say, inside an append.

    `connection` reads the log as it was before; `are_spans` tells that 2023-24 is a span of years.
    `takes_ids` tells that rows without an id get the proposed ones.

    Raises MissingIds if rows have no id and nothing else is wrong, TooManyAbsent if the sheet
    `lacks_many` of the current events and that is not allowed, InvalidInput with the line and the
    cell for what cannot be read, InvalidSheet for several problems, and the errors of the
    operations of `Append`.
    """
    problems = Problems()
    rows: list[SheetRow] = []
    with problems.gathered():
        rows.extend(sheet)
    lookup = lookup_of(connection, rows, are_spans=are_spans)
    standing: dict[str, str] = dict(connection.execute("SELECT event_id, state FROM events"))
    proposed = [*_proposals(connection, rows, lookup, standing)]
    rows = _with_ids(rows, proposed)
    wanted = {row.cells["id"] for row in rows}
    current = [event_id for event_id, state in standing.items() if state == "current"]
    absent = [event_id for event_id in current if event_id not in wanted]
    outcome = Outcome([], 0, [], len(absent), len(current), {})
    outcome.notes.extend(source_titles.notes(lookup))
    outcome.steps.extend(_source_steps(append, lookup, said, problems))
    former = FormerDates(lambda: connection)
    unchanged = 0
    for row in _checked(rows, standing, lookup, problems):
        made = problems.made(row, partial(_made, connection, append, lookup, said, standing))
        if made:
            outcome.steps.extend(made.steps)
            outcome.notes.extend(made.notes)
            former.keep(row.cells.get("occurred", ""), made.known_date)
            unchanged += not made.steps
    ids = {each.row.line: each.event_id for each in proposed}
    if proposed and not takes_ids:
        missing = _missing(proposed)
        if not problems:
            raise MissingIds(missing, {each.row.line: str(each) for each in proposed})
        with problems.gathered():
            raise InvalidSheet(missing)
    problems.check()
    if outcome.lacks_many and not allow_absent:
        titles = [query.get(connection, event_id)["title"] for event_id in absent]
        raise TooManyAbsent(len(absent), len(current), titles=titles)
    outcome.notes.extend(former.notes)
    gone = said.model_copy(update={"reason": _ABSENT})
    for event_id in absent:
        title = query.get(connection, event_id)["title"]
        outcome.steps.append(Step("retract", title, append.retract(event_id, gone), _ABSENT))
    return outcome._replace(unchanged=unchanged, ids=ids)


def _proposals(
    connection: sqlite3.Connection,
    rows: Sequence[SheetRow],
    lookup: Lookup,
    standing: Mapping[str, str],
) -> Iterable[ProposedId]:
    """Propose an id for each row that has none."""
    without = [row for row in rows if not row.cells.get("id")]
    if not without:
        return ()
    taken = standing.keys() | {row.cells.get("id", "") for row in rows}
    in_sheet = {row.cells.get("id") for row in rows}
    known: dict[TitleAndDate, list[str]] = {}
    for event_id, title, date in connection.execute(
        "SELECT event_id, title, occurred FROM events WHERE state IN ('current', 'retracted')"
        " ORDER BY event_key"
    ):
        if event_id not in in_sheet:
            known.setdefault(key_of(title, written(date)), []).append(event_id)
    return proposals([(row, _date_of(row, lookup)) for row in without], taken, known)


def _date_of(row: SheetRow, lookup: Lookup) -> str:
    """Return the date of a row as an export writes it, or "" if it cannot be read."""
    only = row._replace(cells={"occurred": row.cells.get("occurred", "")})
    with suppress(InvalidInput, InvalidSheet):
        return events.normal(only, lookup).cells["occurred"]
    return ""


def _with_ids(rows: Sequence[SheetRow], proposed: Iterable[ProposedId]) -> list[SheetRow]:
    ids = {each.row.line: each.event_id for each in proposed}
    return [
        row._replace(cells={**row.cells, "id": ids[row.line]}) if row.line in ids else row
        for row in rows
    ]


def _missing(proposed: Sequence[ProposedId]) -> list[InvalidInput]:
    """Return the errors about rows without an id; if they are several, the first is about all."""
    if len(proposed) == 1:
        (only,) = proposed
        problem = f"is empty: write {only} (in a CSV file, --write-ids does it)"
        return [only.row.invalid("id", problem)]
    problem = (
        f"{len(proposed):,} rows have no id, by which an event is found again: write those below"
        " into the sheet (in a CSV file, --write-ids does it)"
    )
    rows = [each.row.invalid("id", f"is empty: write {each}") for each in proposed]
    return [InvalidInput("", problem), *rows]


def _checked(
    rows: Iterable[SheetRow], standing: Mapping[str, str], lookup: Lookup, problems: Problems
) -> Iterator[SheetRow]:
    """Yield the rows that can be compared with the log; for others, gather what is wrong."""
    lines: dict[str, int] = {}
    for row in rows:
        event_id = row.cells["id"]
        is_checked = False
        with problems.gathered():
            if (first := lines.setdefault(event_id, row.line)) != row.line:
                raise row.invalid("id", f'"{event_id}" stands twice: lines {first} and {row.line}')
            if event_id not in standing:
                check_columns(row)
            is_checked = True
        if is_checked:
            yield row
        else:
            problems.made(row, partial(events.normal, lookup=lookup))


def _source_steps(append: Append, lookup: Lookup, said: Said, problems: Problems) -> Iterator[Step]:
    """Give a source the only title that the sheet has for it, if the log has another one.

    Among several sources with one address it is the first, unless another has the title already.
    """
    sources: dict[str, list[Mapping[str, Any]]] = {}
    for source in lookup.sources.values():
        sources.setdefault(source["url"], []).append(source)
    author = Said(author=said.author)
    for address, titles in lookup.said.items():
        known = sources.get(address, [])
        title, row = next(iter(titles.items()))
        if len(titles) > 1 or not known or any(source["title"] == title for source in known):
            continue
        with problems.gathered():
            try:
                receipt = append.update_source(known[0]["source_id"], {"title": title}, author)
            except InvalidInput as error:
                raise row.invalid("source_title", error.problem) from None
            changed = (("title", known[0]["title"] or "", title),)
            yield Step("update source", address, receipt, cells=changed)


def _made(
    connection: sqlite3.Connection,
    append: Append,
    lookup: Lookup,
    said: Said,
    standing: Mapping[str, str],
    row: SheetRow,
) -> _RowSteps:
    """Append the entries of a row. Raises errors with its line."""
    made = _RowSteps(connection, append, row, lookup, said)
    try:
        made.make(standing.get(row.cells["id"]))
    except InvalidInput as error:
        raise (events.located(error, row) if error.line is None else error) from None
    return made


class _RowSteps:
    """Makes the entries of one row."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        append: Append,
        row: SheetRow,
        lookup: Lookup,
        said: Said,
    ) -> None:
        self.steps: list[Step] = []
        """The entries that were made."""
        self.notes: list[str] = []
        """Notes for a person, each with the line of the row."""
        self.known_date: str | None = None
        """The date of the event before, in EDTF, if the row may keep it."""
        self._connection = connection
        self._append = append
        self._row = row
        self._lookup = lookup
        self._said = said
        self._event_id = row.cells["id"]
        self._reason = row.cells.get("reason") or None

    def make(self, state: str | None) -> None:
        """Append the entries; `state` is that of the event, None if the log has no such event."""
        if state is None:
            self._record()
        elif state == "erased":
            self._note(f"{self._event_id} was erased, and stays so")
        else:
            self._event = query.get(self._connection, self._event_id)
            if state != "retracted" or self._reinstate():
                self._revise()

    def _note(self, text: str) -> None:
        self.notes.append(f"line {self._row.line}: {text}")

    def _record(self) -> None:
        stated = events.statement(events.normal(self._row, self._lookup))
        receipt = self._append.record(stated, self._said)
        self.steps.append(Step("record", stated.title, receipt, self._reason))

    def _reinstate(self) -> bool:
        """Take back a retraction that a sheet made, and return whether it was one."""
        why = _retraction(self._connection, self._event_id)
        if why != _ABSENT:
            self._note(
                f'{self._event_id} was retracted ("{why}"), and stays so: take it out of the'
                f" sheet, or `timeline reinstate {self._event_id}`"
            )
            return False
        back = self._said.model_copy(update={"reason": _BACK})
        receipt = self._append.reinstate(self._event_id, back)
        self.steps.append(Step("reinstate", self._event["title"], receipt, _BACK))
        return True

    def _reported_dates(self) -> set[str]:
        """Return the dates that the versions of the event were reported on.

        A cell with one of these is a date that nobody changed when the row was changed.
        """
        dates = self._connection.execute(
            "SELECT reported_at FROM event_versions WHERE event_id = ? AND reported_at IS NOT NULL",
            (self._event_id,),
        )
        return {str(date) for (date,) in dates}

    def _revise(self) -> None:
        """Update the event where a cell differs, or correct it if the row gives a reason."""
        columns = dict.fromkeys((*self._row.cells, *VAGUE, *events.POINTS))
        before = events.cells(self._event, self._lookup, columns)
        row = events.normal(self._row, self._lookup, before)
        self.known_date = self._event.get("occurred")
        reported_at = row.cells.get("reported_at")
        is_reported_anew = bool(reported_at) and reported_at not in self._reported_dates()
        for column, problem in events.unlike_repeats(row, self._lookup):
            self._note(f"{column} {problem}: the last counts")
        differing = events.differing(row, before)
        if differing:
            said = {
                "author": self._said.author,
                "reason": self._reason,
                "reported_at": reported_at if is_reported_anew else None,
            }
            revise = self._append.correct if self._reason else self._append.update
            changes = events.changes(row, before, self._event, self._lookup)
            try:
                receipt = revise(self._event_id, changes, validate(Said, said))
            except NothingChanged:
                differing = []
            else:
                changed = tuple((name, before[name], row.cells[name]) for name in differing)
                title = row.cells.get("title") or self._event["title"]
                verb: Literal["correct", "update"] = "correct" if self._reason else "update"
                self.steps.append(Step(verb, title, receipt, self._reason, changed))
        if is_reported_anew and not differing:
            self._note(
                f"reported_at of {self._event_id} goes with a change of another cell; "
                f"it stays {before['reported_at']}"
            )


def _retraction(connection: sqlite3.Connection, event_id: str) -> str | None:
    """Return the reason of the last retraction of an event."""
    (reason,) = connection.execute(
        "SELECT reason FROM event_versions WHERE event_id = ? AND kind = 'event.retracted'"
        " ORDER BY version DESC LIMIT 1",
        (event_id,),
    ).fetchone()
    return str(reason) if reason else None
