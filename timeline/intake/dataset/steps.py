"""Make the entries of one file: those of each row, and those of the events that it lacks.

Guarantees: a row is accepted whole, or put aside with its reason. A correction that somebody made
in this log is not undone because the publisher changed something else.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, TypeVar

from timeline.errors import InvalidInput, Refused, TimelineError
from timeline.formats.imports import Cells, Format, Reading
from timeline.intake.dataset.bad_cells import BadCells
from timeline.intake.dataset.healing import RefusedPart, accepted
from timeline.intake.dataset.outcome import DatasetOutcome, DatasetStep, Import
from timeline.intake.dataset.prepared_rows import PreparedRows, ids_of
from timeline.intake.dataset.row_changes import compared, digest, filled, kept_name
from timeline.intake.dataset.staging import GONE, Reject, StagedRow, Staging
from timeline.model.content import Said, Statement
from timeline.model.validation import validate
from timeline.store import helper_process
from timeline.writing.one_form import comparable
from timeline.writing.writer import Append

T = TypeVar("T")

_MOST = 5_000
"""The most rows in one append: an interruption loses at most these, and a reader sees them at
once."""
_LONGEST = 0.25
"""The seconds after which an append takes no further row: nobody else can write meanwhile. Measured
over 20,000 rows into a cluster, beside two sites that write twice a second: at 0.25 each of their
appends took up to 0.8 s, at 0.5 up to 2.2 s, and the import 13.7 and 13.4 s."""

_ALONE = 500
"""The number of new rows that one process records as quickly as two."""

_NOTHING = Reading({})


class Steps:
    """Makes the entries of one file."""

    def __init__(
        self,
        staging: Staging,
        form: Format,
        wanted: Import,
        outcome: DatasetOutcome,
        tell: Callable[[DatasetStep], object],
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
        self._cells = BadCells(staging, form, wanted, outcome)
        self._prepared: PreparedRows | None = None
        self._waiting = 0
        self._may_wait = True

    def all(
        self, appending: Callable[[], AbstractContextManager[Append]], *, retracting: bool
    ) -> None:
        with ExitStack() as stack:
            stack.callback(self._end_preparing)
            is_one = self._wanted.strict or self._wanted.dry_run
            whole = stack.enter_context(appending()) if is_one else None

            @contextlib.contextmanager
            def append() -> Iterator[Append]:
                if whole:
                    yield whole
                else:
                    with appending() as one:
                        yield one

            before = 0
            while True:
                self._waiting, after = 0, 0
                while self._staging.has_rows(after):
                    with append() as one:
                        settled, rejects, after = self._record_some(one, after)
                    self._staging.settle(settled)
                    self._staging.reject(rejects)
                if not self._waiting:
                    break
                self._may_wait = self._waiting != before
                before = self._waiting
            if retracting and self._outcome.usable:
                self._retract(append)

    def _end_preparing(self) -> None:
        if self._prepared:
            self._prepared.close()

    def _record_some(
        self, append: Append, after: int
    ) -> tuple[list[tuple[str, int]], list[Reject], int]:
        """Make the entries of the rows after number `after` that one append takes.

        The rows are read now: until the append began, others may have changed their events.
        Returns the outcome of each row, the refused rows, and the number of the last row.
        """
        settled: list[tuple[str, int]] = []
        rejects: list[Reject] = []
        if (source := self._form.source) and not append.has("source", source["source_id"]):
            append.record_source(source, Said(author=self._wanted.said.author))
        for row in _some(self._staging.rows(after)):
            after = row.number
            try:
                settled.append((self._row(append, row), row.number))
            except _Waits:
                self._waiting += 1
                continue
            except TimelineError as error:
                if self._wanted.strict or not isinstance(error, InvalidInput | Refused):
                    raise self._staging.at_place(error, row)  # noqa: B904 - it is the same error
                rejects.append(Reject(row.number, row.line, *_of(error), row.cells))
            self._done += 1
            self._progress("written", self._done, self._staging.read)
        return settled, rejects, after

    def _row(self, append: Append, row: StagedRow) -> str:
        """Make the entries of one row, and return its outcome."""
        if row.state is None:
            return self._record(append, row)
        if row.state == "erased":
            self._outcome.counts["erased"] += 1
            self._outcome.note(
                f"{self._staging.place(row)}: {row.event_id} was erased, and stays so"
            )
            return "erased"
        if not row.is_known:
            raise self._taken(row)
        if row.kept is None:
            self._note(
                row,
                f"{row.event_id} was not made from this publisher's row: the row is kept in its"
                " extra, its fields stay as they are",
            )
            changed: list[str] = []
            changes: dict[str, Any] = {f"/extra/{self._form.scheme}": filled(row.cells)}
            said = self._wanted.said
        else:
            changed, churn = compared(self._form, row.kept, filled(row.cells))
            for kind in sorted(churn):
                self._outcome.churn[kind] += 1
            changes, said = {}, self._wanted.said
            if changed or row.lacks_cells:
                with contextlib.suppress(*(() if changed else (InvalidInput,))):
                    changes, said = self._changes(append, row, row.kept, changed)
            if not changed:
                self._outcome.respelled += bool(churn)
        if row.new_id:
            ids = self._staging.content(row.event_id).get("external_ids", [])
            changes["external_ids"] = [*ids, row.new_id]
            self._note(
                row,
                f"{row.event_id} has another {' and '.join(changed) or 'id'}: the rest of the row"
                " is the same, so it stays the same event",
            )
        expect = row.version
        if row.state == "retracted" and self._reinstated(append, row):
            expect = None
        if not changes:
            self._outcome.counts["unchanged"] += 1
            return "unchanged"
        self._update(append, row, changes, said, expect)
        self._step("update", row.event_id, row.title, tuple(changed), row.external_id)
        self._outcome.counts["updated"] += 1
        return "updated"

    def _update(
        self,
        append: Append,
        row: StagedRow,
        changes: dict[str, Any],
        said: Said,
        expect: int | None,
    ) -> None:
        """Change an event; a field that is refused stays as it was if the event can do so."""

        def update(changes: dict[str, Any], _: object = ()) -> None:
            append.update(row.event_id, changes, said, expect=expect)

        if self._wanted.strict:
            update(changes)
            return
        *_, refusals = accepted(changes, update)
        self._cells.leave_out(row, _NOTHING, refusals)

    def _reinstated(self, append: Append, row: StagedRow) -> bool:
        """Take back a retraction that an earlier file made; return whether it was one."""
        reason = self._staging.retraction(row.event_id)
        if not reason.startswith(GONE):
            self._note(row, f'{row.event_id} was retracted ("{reason}"), and stays so')
            return False
        back = self._wanted.said.model_copy(update={"reason": self._back})
        append.reinstate(row.event_id, back, expect=row.version)
        self._step("reinstate", row.event_id, row.title, external_id=row.external_id)
        self._outcome.counts["reinstated"] += 1
        return True

    def _taken(self, row: StagedRow) -> InvalidInput:
        rows = self._staging.sharing(row.event_id)
        if len(rows) > 1:
            problem = (
                f"event {row.event_id} {self._staging.twice(rows)}, with ids that differ only in"
                " capital letters"
            )
        else:
            problem = f"event {row.event_id} is there already, without {row.external_id}"
        return InvalidInput(self._staging.id_columns(row.cells), problem)

    def _record(self, append: Append, row: StagedRow) -> str:
        if append.has("event", row.event_id):  # somebody else may have recorded it a moment ago
            raise self._taken(row)
        if self._is_recorded_prepared(append, row):
            return "recorded"
        ids = ids_of(row, self._form)
        reading = self._cells.reading(row.cells)

        def record(fields: dict[str, Any], left_out: Sequence[RefusedPart]) -> str:
            self._check_relations(append, fields)
            statement = validate(Statement, {**fields, **ids})
            append.record(statement, self._cells.said(row.cells, reading, left_out))
            return statement.title

        title, _, refusals = self._cells.healed(append, row, reading.fields, ids, record)
        self._cells.leave_out(row, reading, refusals)
        self._recorded(row, title)
        return "recorded"

    def _recorded(self, row: StagedRow, title: str) -> None:
        self._step("record", row.event_id, title, external_id=row.external_id)
        self._outcome.counts["recorded"] += 1

    def _is_recorded_prepared(self, append: Append, row: StagedRow) -> bool:
        """Record a row if it was prepared; return whether it was."""
        if self._prepared is None:
            if self._outcome.counts["recorded"] < _ALONE or not helper_process.is_possible():
                return False
            self._prepared = PreparedRows(
                self._staging, self._form, self._cells, self._wanted, append, row.number - 1
            )
        ready = self._prepared.of(append, row)
        if ready is None or append.record_prepared(ready.event) is None:
            return False
        self._cells.leave_out(row, ready.reading, ())
        self._recorded(row, ready.event.title)
        return True

    def _check_relations(self, append: Append, fields: dict[str, Any]) -> None:
        for number, relation in enumerate(fields.get("relations", ())):
            event_id = str(relation.get("event_id", "")) if isinstance(relation, dict) else ""
            if event_id and not append.has("event", event_id):
                if self._may_wait and self._staging.is_waiting(event_id):
                    raise _Waits
                problem = f'there is no event "{event_id}" in the log or in this file'
                raise InvalidInput(f"relations.{number}.event_id", problem)

    def _changes(
        self, append: Append, row: StagedRow, kept: Cells, changed: list[str]
    ) -> tuple[dict[str, Any], Said]:
        """Return changes that take over what the publisher changed, unless it was changed here too.

        Fields that are only written otherwise stay as they were. What the event lacks because it
        could not be read before is added if it can be read now.
        """
        ids = {"event_id": row.event_id, "external_ids": [row.external_id]}

        def worded(fields: dict[str, Any], _: object = ()) -> dict[str, Any]:
            return append.worded(validate(Statement, {**fields, **ids}))

        reading = self._cells.reading(row.cells)
        theirs, fields, refusals = self._cells.healed(append, row, reading.fields, ids, worded)
        reported_at = fields.pop("reported_at", None)
        ours = comparable(self._staging.content(row.event_id))
        try:
            # Empty cells are not kept.
            as_read = {column: kept.get(kept_name(column), "") for column in row.cells}
            before = self._cells.reading(as_read | kept).fields
            before.pop("reported_at", None)
            base, *_ = self._cells.healed(append, row, before, ids, worded)
        except InvalidInput:  # the row was read by another mapping then
            base = ours
        self._cells.leave_out(row, reading, refusals)
        now = filled(row.cells)
        cells = filled(kept | {column: now.get(column, "") for column in changed})
        changes: dict[str, Any] = {f"/extra/{self._form.scheme}": cells} if changed else {}
        if row.lacks_cells:
            added = (name for name in theirs if _adds_to(ours.get(name), theirs[name]))
            changes |= {name: fields[name] for name in added if name in fields}
        for name in dict.fromkeys((*theirs, *base)):
            if name in changes or theirs.get(name) in (base.get(name), ours.get(name)):
                continue
            if ours.get(name) == base.get(name):
                changes[name] = fields.get(name)
            else:
                self._note(
                    row,
                    f"{name} of {row.event_id} was changed here, and now by the publisher: ours"
                    " stays, theirs is in its extra",
                )
        said = self._cells.said(row.cells, reading, refusals)
        if reported_at and not said.reported_at:
            said = validate(Said, {**said.content(), "reported_at": reported_at})
        return changes, said

    def _retract(self, appending: Callable[[], AbstractContextManager[Append]]) -> None:
        """Retract the events whose rows are gone."""
        said = self._wanted.said.model_copy(update={"reason": self._gone})
        was: dict[bytes, str] = {}
        after = ""
        while next(self._staging.gone(after), None):
            with appending() as append:
                for event_id, title, cells in _some(self._staging.gone(after)):
                    after = event_id
                    append.retract(event_id, said)
                    self._step("retract", event_id, title)
                    self._outcome.counts["retracted"] += 1
                    if cells:
                        was[digest(self._form, cells)] = event_id
        for place, external_id, event_id in self._staging.twins(was):
            self._outcome.note(
                f"{place}: {external_id} says what the row of {event_id} said, which is gone:"
                f" has its id changed? Then `timeline merge {event_id} --into` it"
            )

    def _note(self, row: StagedRow, text: str) -> None:
        self._outcome.note(f"{self._staging.place(row)}: {text}")

    def _step(
        self,
        verb: str,
        event_id: str,
        title: str | None,
        columns: tuple[str, ...] = (),
        external_id: str = "",
    ) -> None:
        self._tell(DatasetStep(verb, event_id, title or "", columns, external_id))


def _adds_to(ours: Any, theirs: Any) -> bool:
    """Tell whether a value says all that ours does, and more."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours != theirs and ours.items() <= theirs.items()
    if isinstance(ours, list) and isinstance(theirs, list):
        return ours != theirs and all(item in theirs for item in ours)
    return ours is None


class _Waits(Exception):
    """Puts a row off until the event of another row, to which it is tied, is recorded."""


def _some(found: Iterator[T]) -> Iterator[T]:
    """Yield what one append takes: at least one, and no more when there are many or it is late."""
    begun = time.monotonic()
    for number, each in enumerate(found, 1):
        yield each
        if number >= _MOST or time.monotonic() - begun > _LONGEST:
            return


def _of(error: TimelineError) -> tuple[str, str]:
    """Return field and reason of a refusal."""
    if isinstance(error, InvalidInput):
        return error.field, error.problem
    return "", str(error)
