"""Make entries of a publisher's file: of what is new, changed, gone or back, and nothing else.

Guarantees: a row is found by its external id, whatever was done to its event since. A row that says
the same as before makes no entry, even if it is written otherwise; the same file twice adds
nothing. An event keeps the cells of its row as they were written, in `extra`, so that nothing of a
row is lost and a change is found by the publisher's own earlier words. What somebody corrected in
this log in the meantime is kept, with a note. A bad row is put aside with its reason. Rows are
accepted as many at a time as half a second allows, each such part whole or not at all, so that
others can write in between; after an interruption, run it again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import IO

from timeline.errors import InvalidInput, Refused, TooManyAbsent
from timeline.formats.imports import Format
from timeline.intake.dataset.outcome import DatasetOutcome, DatasetStep, Import
from timeline.intake.dataset.renamed import keep_renamed
from timeline.intake.dataset.staging import Staging
from timeline.intake.dataset.steps import Steps
from timeline.model import clock
from timeline.store import log
from timeline.writing.writer import Append


def run(
    connection: sqlite3.Connection,
    appending: Callable[[], AbstractContextManager[Append]],
    form: Format,
    file: IO[bytes],
    wanted: Import,
    *,
    tell: Callable[[DatasetStep], object] = lambda step: None,
    progress: Callable[[str, int, int | None], object] = lambda part, count, total: None,
) -> tuple[Staging, DatasetOutcome]:
    """Make the log say what the file says; `appending` opens an append each time it is called.

    `connection` reads the log. `tell` is called with each step, `progress` with the name of the
    work, the part that is done, and the whole. Raises InvalidInput for a file that is not of this
    format or, if `strict`, has a bad row; Refused for a file older than the log's last one;
    TooManyAbsent.
    """
    staging = Staging(connection, form)
    staging.fill(file, lambda count: progress("read", count, None))
    if not staging.read:
        raise InvalidInput("", "has no rows: nothing was imported, and nothing retracted")
    outcome = DatasetOutcome()
    for note in staging.notes:
        outcome.note(note)
    if wanted.said.reported_at:
        _check_day(connection, staging, wanted.said.reported_at)
    if wanted.strict and (reject := next(staging.rejects(), None)):
        raise staging.at_place(InvalidInput(reject.field, reject.reason), reject)
    for place, cell in staging.unwritable:
        if wanted.strict:
            raise staging.at_place(InvalidInput(cell.column, cell.problem), place)
        outcome.left_out.add(place, cell)
    if not form.identity_is_said:
        keep_renamed(staging)
    retracting = wanted.complete and not staging.without_id
    if wanted.complete:
        if staging.without_id:
            count = staging.without_id
            rows = "1 row has" if count == 1 else f"{count:,} rows have"
            outcome.note(
                f"{rows} no id, so nothing was retracted: any event that the file seems to lack"
                " may be in such a row"
            )
        gone, standing = staging.count_gone()
        if retracting and gone * 10 > standing and not wanted.allow_absent:
            raise TooManyAbsent(gone, standing, "file")
    Steps(staging, form, wanted, outcome, tell, progress).all(appending, retracting=retracting)
    outcome.counts["rejected"] = staging.count_rejects()
    outcome.counts["repeated"] = _count(connection, "repeated")
    return staging, outcome


def _check_day(connection: sqlite3.Connection, staging: Staging, day: str) -> None:
    """Raise Refused for a file that is older than what the log has from its publisher."""
    time_zone = log.time_zone(connection)
    newest = staging.newest(time_zone)
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
