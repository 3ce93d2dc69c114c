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

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import IO

from timeline.errors import InvalidInput, Refused, TooManyAbsent
from timeline.formats.imports import Format
from timeline.intake.dataset.staging import Staging
from timeline.intake.dataset.steps import DatasetOutcome, DatasetStep, Import, Steps
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
    """Make the log say what the file says; `appending` opens an append, each time it is called.

    `connection` reads the log. `tell` is called with each step, `progress` with what is done,
    how much of it and of how much. Raises InvalidInput for a file that is not of this format
    or, `strict`, has a bad row; Refused for one that is older than what is known; TooManyAbsent.
    """
    staging = Staging(connection, form)
    staging.fill(file, lambda count: progress("read", count, None))
    outcome = DatasetOutcome()
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
    Steps(staging, form, wanted, outcome, tell, progress).all(appending, retracting=retracting)
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
