"""A publisher's file becomes entries: what is new, changed, gone or back, and nothing else.

Guarantees: a row is found again by its external id, whatever was done to its event since. Of
a row that says what it said before nothing is written, however it is written; the same file
twice adds nothing. An event keeps the cells of its row as they were written, in `extra`, so
that nothing of a row is lost and a change is told from the publisher's own earlier words: what
somebody corrected in this log meanwhile is kept, and said. A bad row is put aside with its
reason. Rows go in some thousand at a time, each lot whole or not at all; a run that was broken
off is run again.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any, NamedTuple

from timeline import clock, log
from timeline.errors import InvalidInput, Refused, TimelineError, TooManyAbsent
from timeline.importers import Cells, Format
from timeline.importing.comparing import compared, filled
from timeline.importing.staging import GONE, Reject, StagedRow, Staging, digest
from timeline.model import Event, Said, Statement
from timeline.validation import validate
from timeline.writer import Append

__all__ = ["Import", "Outcome", "Reject", "Step", "run"]

_AT_ONCE = 5_000
"""Rows of one append: what a broken-off run loses, and what a reader sees at once."""

_MOST_NOTES = 50


class Step(NamedTuple):
    """One entry that a file makes."""

    verb: str
    """record, update, retract or reinstate."""
    event_id: str
    title: str
    columns: tuple[str, ...] = ()
    """Those that the publisher changed."""


@dataclass
class Outcome:
    """What a file made of the log."""

    counts: Counter[str] = field(default_factory=Counter)
    """Rows by what became of them, and the events that were retracted or reinstated."""
    churn: Counter[str] = field(default_factory=Counter)
    """Rows that are written in another way than before, by the kind of difference."""
    respelled: int = 0
    """Rows of which nothing else is new."""
    notes: list[str] = field(default_factory=list)
    """What a person should know; the first ones of many."""
    more_notes: int = 0

    def note(self, text: str) -> None:
        """Keep a note, or count it."""
        if len(self.notes) < _MOST_NOTES:
            self.notes.append(text)
        else:
            self.more_notes += 1


class Import(NamedTuple):
    """What is wanted of a run."""

    said: Said = Said()
    """`reported_at` is the day of the file."""
    complete: bool = False
    """Whether the file is all that its publisher has: what it lacks is gone."""
    strict: bool = False
    """All in one append, which the first bad row ends."""
    dry_run: bool = False
    """All in one append, which will be taken back."""
    allow_absent: bool = False
    """Even if a tenth of the publisher's events is gone."""


def run(
    connection: sqlite3.Connection,
    appending: Callable[[], AbstractContextManager[Append]],
    form: Format,
    file: IO[bytes],
    wanted: Import,
    *,
    tell: Callable[[Step], object] = lambda step: None,
    progress: Callable[[str, int, int | None], object] = lambda part, count, total: None,
) -> tuple[Staging, Outcome]:
    """Make the log say what the file says; `appending` opens an append, each time it is called.

    `connection` reads the log. `tell` is called with each step, `progress` with what is done,
    how much of it and of how much. Raises InvalidInput for a file that is not of this format
    or, `strict`, has a bad row; Refused for one that is older than what is known; TooManyAbsent.
    """
    staging = Staging(connection, form)
    staging.fill(file, lambda count: progress("read", count, None))
    outcome = Outcome()
    if wanted.said.reported_at:
        _check_day(connection, staging, wanted.said.reported_at)
    if wanted.strict and (reject := next(staging.rejects(), None)):
        raise InvalidInput(reject.field, reject.reason).at(line=reject.line)
    retracting = wanted.complete and not staging.without_id
    if wanted.complete:
        if staging.without_id:
            outcome.note(
                f"{staging.without_id:,} rows could not be told by an id, so nothing was"
                " retracted: any event that the file seems to lack may be one of them"
            )
        gone, standing = staging.count_gone()
        if retracting and gone * 10 > standing and not wanted.allow_absent:
            raise TooManyAbsent(gone, standing, "file")
    _Run(staging, form, wanted, outcome, tell, progress).all(appending, retracting=retracting)
    outcome.counts["rejected"] = staging.count_rejects()
    outcome.counts["repeated"] = _count(connection, "repeated")
    return staging, outcome


def _check_day(connection: sqlite3.Connection, staging: Staging, day: str) -> None:
    """Refuse a file that is older than what the log has of its publisher."""
    time_zone = log.info(connection).get("time_zone", "UTC")
    newest = staging.newest()
    if newest and clock.last_instant(day, time_zone) < newest[0]:
        raise Refused(
            f"the log has what this publisher said by {newest[1]}: a file of {day} is older;"
            " files go in from the oldest to the newest"
        )


def _count(connection: sqlite3.Connection, outcome: str) -> int:
    (count,) = connection.execute(
        "SELECT count(*) FROM staged WHERE outcome = ?", (outcome,)
    ).fetchone()
    return int(count)


class _Run:
    """The steps of one file."""

    def __init__(
        self,
        staging: Staging,
        form: Format,
        wanted: Import,
        outcome: Outcome,
        tell: Callable[[Step], object],
        progress: Callable[[str, int, int | None], object],
    ) -> None:
        self._staging = staging
        self._form = form
        self._wanted = wanted
        self._outcome = outcome
        self._tell = tell
        self._progress = progress
        day = wanted.said.reported_at
        of_day = f" of {day}" if day else ""
        self._gone = f"{GONE}{of_day}"
        self._back = f"in the publisher's file{of_day} again"
        self._done = 0

    def all(
        self, appending: Callable[[], AbstractContextManager[Append]], *, retracting: bool
    ) -> None:
        with ExitStack() as stack:
            is_one = self._wanted.strict or self._wanted.dry_run
            whole = stack.enter_context(appending()) if is_one else None

            @contextlib.contextmanager
            def append() -> Iterator[Append]:
                if whole:
                    yield whole
                else:
                    with appending() as one:
                        yield one

            for rows in self._staging.chunks(_AT_ONCE):
                with append() as one:
                    settled, rejects = self._rows(one, rows)
                self._staging.settle(settled)
                self._staging.reject(rejects)
            if retracting:
                self._retract(append)

    def _rows(
        self, append: Append, rows: list[StagedRow]
    ) -> tuple[list[tuple[str, int]], list[Reject]]:
        """The steps of some rows: what became of each, and those that were refused."""
        settled: list[tuple[str, int]] = []
        rejects: list[Reject] = []
        if (source := self._form.source) and not append.has("source", source["source_id"]):
            append.record_source(source, Said(author=self._wanted.said.author))
        for row in rows:
            try:
                settled.append((self._row(append, row), row.number))
            except TimelineError as error:
                if self._wanted.strict or not isinstance(error, InvalidInput | Refused):
                    raise error.at(line=row.line)  # noqa: B904 - it is the same error
                rejects.append(Reject(row.number, row.line, *_of(error), row.cells))
            self._done += 1
            self._progress("written", self._done, self._staging.read)
        return settled, rejects

    def _row(self, append: Append, row: StagedRow) -> str:
        """What became of one row."""
        if row.state is None:
            return self._record(append, row)
        if row.state == "erased":
            self._outcome.counts["erased"] += 1
            self._outcome.note(f"line {row.line}: {row.event_id} was erased, and stays so")
            return "erased"
        if not row.is_known:
            raise self._taken(row)
        expect = row.version
        if row.state == "retracted" and self._reinstated(append, row):
            expect = None
        if row.kept is None:
            self._outcome.note(
                f"line {row.line}: {row.event_id} was not made from this publisher's row: the row"
                " is kept in its extra, its fields stay as they are"
            )
            changes = {f"/extra/{self._form.scheme}": filled(row.cells)}
            append.update(row.event_id, changes, self._wanted.said, expect=expect)
            return self._updated(row, [])
        changed, churn = compared(self._form, row.kept, filled(row.cells))
        for kind in sorted(churn):
            self._outcome.churn[kind] += 1
        if not changed:
            self._outcome.respelled += bool(churn)
            self._outcome.counts["unchanged"] += 1
            return "unchanged"
        self._update(append, row, row.kept, changed, expect)
        return self._updated(row, changed)

    def _reinstated(self, append: Append, row: StagedRow) -> bool:
        """Take a retraction back that an earlier file made; any other stays."""
        reason = self._staging.retraction(row.event_id)
        if not reason.startswith(GONE):
            note = f'line {row.line}: {row.event_id} was retracted ("{reason}"), and stays so'
            self._outcome.note(note)
            return False
        back = self._wanted.said.model_copy(update={"reason": self._back})
        append.reinstate(row.event_id, back, expect=row.version)
        self._step("reinstate", row.event_id, row.title)
        self._outcome.counts["reinstated"] += 1
        return True

    def _taken(self, row: StagedRow) -> InvalidInput:
        problem = f"event {row.event_id} is there already, without {row.external_id}"
        return InvalidInput(min(self._form.identifying), problem)

    def _record(self, append: Append, row: StagedRow) -> str:
        if append.has("event", row.event_id):  # since a moment ago
            raise self._taken(row)
        fields = self._fields(row.cells)
        for number, relation in enumerate(fields.get("relations", ())):
            if not append.has("event", str(relation.get("event_id", ""))):
                problem = (
                    f'there is no event "{relation.get("event_id")}" in the log, or in a row before'
                )
                raise InvalidInput(f"relations.{number}.event_id", problem)
        extra = {self._form.scheme: filled(row.cells)}
        ids = {"event_id": row.event_id, "external_ids": [row.external_id]}
        statement = validate(Statement, {**fields, **ids, "extra": extra})
        append.record(statement, self._wanted.said)
        self._step("record", row.event_id, statement.title)
        self._outcome.counts["recorded"] += 1
        return "recorded"

    def _fields(self, cells: Cells) -> dict[str, Any]:
        """The fields of the event of a row; the day of a file goes before the row's own."""
        fields = self._form.event(cells)
        if self._wanted.said.reported_at:
            fields.pop("reported_at", None)
        return fields

    def _update(
        self, append: Append, row: StagedRow, kept: Cells, changed: list[str], expect: int | None
    ) -> None:
        """What the publisher changed becomes so here, unless it was changed here as well.

        What is only written in another way stays as it was written before.
        """
        fields = self._fields(row.cells)
        reported_at = fields.pop("reported_at", None)
        ids = {"event_id": row.event_id, "external_ids": [row.external_id]}
        theirs = append.worded(validate(Event, {**fields, **ids}))
        ours = self._staging.content(row.event_id)
        try:
            as_read = dict.fromkeys(row.cells, "") | kept  # what is empty is not kept
            before = {**self._fields(as_read), **ids}
            before.pop("reported_at", None)
            base = append.worded(validate(Event, before))
        except InvalidInput:  # another mapping read it then
            base = ours
        cells = filled(kept | {column: row.cells.get(column, "") for column in changed})
        changes: dict[str, Any] = {f"/extra/{self._form.scheme}": cells}
        for name in dict.fromkeys((*theirs, *base)):
            if theirs.get(name) in (base.get(name), ours.get(name)):
                continue
            if ours.get(name) == base.get(name):
                changes[name] = fields.get(name)
            else:
                self._outcome.note(
                    f"line {row.line}: {name} of {row.event_id} was changed here, and now by the"
                    " publisher: ours stays, theirs is in its extra"
                )
        said = self._wanted.said
        if reported_at and not said.reported_at:
            said = validate(Said, {**said.content(), "reported_at": reported_at})
        append.update(row.event_id, changes, said, expect=expect)

    def _updated(self, row: StagedRow, columns: list[str]) -> str:
        self._step("update", row.event_id, row.title, tuple(columns))
        self._outcome.counts["updated"] += 1
        return "updated"

    def _retract(self, appending: Callable[[], AbstractContextManager[Append]]) -> None:
        """Events whose rows are gone."""
        said = self._wanted.said.model_copy(update={"reason": self._gone})
        gone = self._staging.gone()
        was: dict[bytes, str] = {}
        while some := [*islice(gone, _AT_ONCE)]:
            with appending() as append:
                for event_id, title, cells in some:
                    append.retract(event_id, said)
                    self._step("retract", event_id, title)
                    self._outcome.counts["retracted"] += 1
                    if cells:
                        was[digest(self._form, cells)] = event_id
        for line, external_id, event_id in self._staging.twins(was):
            self._outcome.note(
                f"line {line}: {external_id} says what the row of {event_id} said, which is gone:"
                f" has its id changed? Then `timeline merge {event_id} --into` it"
            )

    def _step(
        self, verb: str, event_id: str, title: str | None, columns: tuple[str, ...] = ()
    ) -> None:
        self._tell(Step(verb, event_id, title or "", columns))


def _of(error: TimelineError) -> tuple[str, str]:
    """Field and reason of a refusal."""
    if isinstance(error, InvalidInput):
        return error.field, error.problem
    return "", str(error)
