"""A sheet compared with the log, by id: what is new, changed, gone or back becomes entries.

Guarantees: the same sheet again adds nothing; what a sheet cannot say about an event is kept;
an event that somebody retracted by hand, or whose words were erased, is not brought back by a
sheet that still has it. All of a sheet goes in, or nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from timeline.errors import InvalidInput, NothingChanged, TimelineError, TooManyAbsent
from timeline.formats.sheet import events
from timeline.formats.sheet.cells import Row
from timeline.formats.sheet.events import Words
from timeline.formats.sheet.lookup import words_of
from timeline.model.content import Said
from timeline.model.validation import validate
from timeline.reading import query
from timeline.writing.receipt import Receipt
from timeline.writing.writer import Append

_ABSENT = "no longer in the sheet"
_BACK = "in the sheet again"


class Step(NamedTuple):
    """One entry that a sheet makes."""

    verb: Literal["record", "update", "correct", "retract", "reinstate", "update source"]
    title: str
    receipt: Receipt
    reason: str | None = None
    cells: tuple[tuple[str, str, str], ...] = ()
    """Column, old and new cell of what changed."""


class Outcome(NamedTuple):
    """What a sheet made of the log."""

    steps: list[Step]
    unchanged: int
    """Rows that say what the log says."""
    notes: list[str]
    """What a person should know of rows that made no entry."""
    absent: int
    """Current events that the sheet lacks."""
    current: int
    """Current events before."""

    @property
    def lacks_many(self) -> bool:
        """Whether more than a tenth of the current events is absent."""
        return self.absent * 10 > self.current


def sync(
    connection: sqlite3.Connection,
    append: Append,
    rows: list[Row],
    said: Said,
    *,
    allow_absent: bool,
) -> Outcome:
    """Make the log say what the rows say, inside an append.

    `connection` reads the log as it was before. Raises TooManyAbsent if more than a tenth of
    the current events is not in the sheet and that is not allowed, InvalidInput with the line
    and the cell for what cannot be read, and what the operations of `Append` raise.
    """
    _check_ids(rows)
    words = words_of(connection, rows)
    standing: dict[str, str] = dict(connection.execute("SELECT event_id, state FROM events"))
    wanted = {row.cells["id"] for row in rows}
    current = [event_id for event_id, state in standing.items() if state == "current"]
    absent = [event_id for event_id in current if event_id not in wanted]
    outcome = Outcome([], 0, [], len(absent), len(current))
    if outcome.lacks_many and not allow_absent:
        raise TooManyAbsent(len(absent), len(current))
    outcome.steps.extend(_source_steps(append, words, events.titles(rows), said))
    unchanged = 0
    for row in rows:
        try:
            steps, note = _row_steps(connection, append, row, words, standing, said)
        except InvalidInput as error:
            raise (events.located(error, row) if error.line is None else error) from None
        except TimelineError as error:
            raise error.at(line=row.line)  # noqa: B904 - it is the same error
        outcome.steps.extend(steps)
        outcome.notes.extend(note)
        unchanged += not steps
    gone = said.model_copy(update={"reason": _ABSENT})
    for event_id in absent:
        title = query.get(connection, event_id)["title"]
        outcome.steps.append(Step("retract", title, append.retract(event_id, gone), _ABSENT))
    return outcome._replace(unchanged=unchanged)


def _check_ids(rows: Iterable[Row]) -> None:
    """Every row has an id of its own: how it is found again."""
    lines: dict[str, int] = {}
    for row in rows:
        event_id = row.cells.get("id", "")
        if not event_id:
            problem = "is empty: give every row an id of its own, such as odesa-talks"
            raise row.invalid("id", problem)
        if (first := lines.setdefault(event_id, row.line)) != row.line:
            raise row.invalid("id", f'"{event_id}" stands in line {first} already')


def _source_steps(
    append: Append, words: Words, titles: Mapping[str, str], said: Said
) -> Iterator[Step]:
    """A source that the sheet calls by another title than the log has the sheet's now.

    Of several with one address it is the first, unless another has the title already.
    """
    sources: dict[str, list[Mapping[str, Any]]] = {}
    for source in words.sources.values():
        sources.setdefault(source["url"], []).append(source)
    author = Said(author=said.author)
    for address, title in titles.items():
        known = sources.get(address, [])
        if known and all(source["title"] != title for source in known):
            receipt = append.update_source(known[0]["source_id"], {"title": title}, author)
            changed = (("title", known[0]["title"] or "", title),)
            yield Step("update source", address, receipt, cells=changed)


def _row_steps(
    connection: sqlite3.Connection,
    append: Append,
    row: Row,
    words: Words,
    standing: Mapping[str, str],
    said: Said,
) -> tuple[list[Step], list[str]]:
    """The entries that one row makes, and what a person should know of it."""
    event_id = row.cells["id"]
    reason = row.cells.get("reason") or None
    if event_id not in standing:
        row = events.normal(row, words)
        stated = events.statement(row)
        return [Step("record", stated.title, append.record(stated, said), reason)], []
    if standing[event_id] == "erased":
        return [], [f"line {row.line}: {event_id} was erased, and stays so"]
    event = query.get(connection, event_id)
    steps = []
    if standing[event_id] == "retracted":
        why = _retraction(connection, event_id)
        if why != _ABSENT:
            note = f'line {row.line}: {event_id} was retracted ("{why}"), and stays so'
            return [], [f"{note}: take it out of the sheet, or `timeline reinstate {event_id}`"]
        back = said.model_copy(update={"reason": _BACK})
        steps.append(Step("reinstate", event["title"], append.reinstate(event_id, back), _BACK))
    before = events.cells(event, words, row.cells)
    row = events.normal(row, words, before)
    reported_at = row.cells.get("reported_at")
    is_reported_anew = bool(reported_at) and reported_at != before.get("reported_at")
    differing = events.differing(row, before)
    notes = []
    if differing:
        revised = validate(
            Said,
            {
                "author": said.author,
                "reason": reason,
                "reported_at": reported_at if is_reported_anew else None,
            },
        )
        verb: Literal["correct", "update"] = "correct" if reason else "update"
        revise = append.correct if reason else append.update
        paths_changed = events.changes(row, before, event, words)
        try:
            receipt = revise(event_id, paths_changed, revised)
        except NothingChanged:
            differing = []
        else:
            changed = tuple((name, before[name], row.cells[name]) for name in differing)
            title = row.cells.get("title") or event["title"]
            steps.append(Step(verb, title, receipt, reason, changed))
    if is_reported_anew and not differing:
        notes.append(
            f"line {row.line}: reported_at of {event_id} goes with a change of another cell; "
            f"it stays {before['reported_at']}"
        )
    return steps, notes


def _retraction(connection: sqlite3.Connection, event_id: str) -> str | None:
    """Why an event was retracted last."""
    (reason,) = connection.execute(
        "SELECT reason FROM event_versions WHERE event_id = ? AND kind = 'event.retracted'"
        " ORDER BY version DESC LIMIT 1",
        (event_id,),
    ).fetchone()
    return str(reason) if reason else None
