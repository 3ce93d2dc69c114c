"""Put the rows of one file into temporary tables, and find which are repeated, new or gone.

Guarantees: memory holds only some rows, whatever the length of the file. The log is read, never
written. A row that is rejected stays known by its id, so that its event is not taken for gone.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple, TypeVar

from timeline.errors import InvalidInput, TimelineError
from timeline.formats.imports import Cells, FileNote, Format, LeftOut, Row
from timeline.intake.dataset.left_out import RowPlace, kind_of
from timeline.intake.dataset.row_changes import compared, digest, filled
from timeline.model import clock
from timeline.store.codec import MAX_PAYLOAD, decode_content

E = TypeVar("E", bound=TimelineError)

_TABLES = """
CREATE TEMP TABLE staged (
    number      INTEGER PRIMARY KEY,
    line        INTEGER NOT NULL,
    external_id TEXT NOT NULL,
    event_id    TEXT NOT NULL,
    cells       TEXT NOT NULL,
    outcome     TEXT,
    new_id      TEXT
);
CREATE INDEX temp.staged_external_id ON staged (external_id);
CREATE INDEX temp.staged_event_id ON staged (event_id);
CREATE TEMP TABLE rejects (
    number INTEGER PRIMARY KEY, line INTEGER NOT NULL, field TEXT, reason TEXT, cells TEXT
);
"""
_AT_ONCE = 1_000
"""Rows that are put into the tables, or read from them, at once."""
_HELD = 16 * 2**20
"""Characters of rows after which fewer than `_AT_ONCE` are put or read at once."""

_MOST_KINDS = 1_000
"""Kinds of reasons that are counted."""
_LONGEST_ID = 200
"""Characters of an external id."""

_DIGITS_OF_AN_ID = 12
"""Digits to the base of 32 of an event's id: of a million rows, two share one in a run of 2
million."""

GONE = "no longer in the publisher's file"
"""The beginning of the reason of a retraction that a file made."""


LACKING = "without what could not be read: "
"""The beginning of the reason of an entry whose event lacks cells of its row."""


class StagedRow(NamedTuple):
    """Holds a row of the file, and says how its event stands if the log has one."""

    number: int
    """The number of the row, counted from 1; several rows may be in one line."""
    line: int
    external_id: str
    event_id: str
    state: str | None
    """The state of the event; None if the log has no such event."""
    title: str | None
    version: int | None
    is_known: bool
    """Whether the event has this external id."""
    new_id: str | None
    """The external id that the row has now, if it had the other one before."""
    lacks_cells: bool
    """Whether cells of the row could not be read when its event was recorded or updated."""
    cells: Cells
    kept: Cells | None
    """The cells of the row that the log has."""


class NewRow(NamedTuple):
    """Holds a row of the file whose event the log does not have."""

    number: int
    external_id: str
    event_id: str
    cells: Cells


class Reject(NamedTuple):
    """A rejected row has a line, a column, a reason and, if it could be read, its cells."""

    number: int
    line: int
    field: str
    reason: str
    cells: Cells | None = None


class Staging:
    """Holds the rows of a file in temporary tables of a connection that reads the log."""

    def __init__(self, connection: sqlite3.Connection, form: Format) -> None:
        self._connection = self.connection = connection
        self._form = self.form = form
        self._range = (f"{form.scheme}:", f"{form.scheme};")
        self.read = 0
        """The number of rows in the file."""
        self.without_id = 0
        """The number of rows without an id that could be read."""
        self.notes: list[str] = []
        """The notes on how the file was read."""
        self.unwritable: list[tuple[RowPlace, LeftOut]] = []
        """The cells with characters that no text can hold, each with the place of its row."""
        self.shares_lines = False
        """Whether a line has several rows, as in JSON without line breaks."""
        for statement in _TABLES.split(";"):
            connection.execute(statement)

    def fill(self, file: IO[bytes], progress: Callable[[int], object]) -> None:
        """Read the rows of a file. Raises InvalidInput for a file that is not of this format."""
        rows: list[tuple[int, int, str, str, str]] = []
        rejects: list[Reject] = []
        held = line = 0
        with contextlib.closing(self._form.read(file)) as found:
            for row in found:
                if isinstance(row, FileNote):
                    if row.text not in self.notes:
                        self.notes.append(row.text)
                    continue
                self.read += 1
                self.shares_lines |= row.line == line
                line = row.line
                progress(self.read)
                cells = None
                try:
                    if not isinstance(row, Row):
                        raise InvalidInput(row.field, row.reason)
                    cells, text = self._written(row)
                    held += len(text)
                    external_id = self._external_id(cells)
                except InvalidInput as error:
                    self.without_id += 1
                    rejects.append(Reject(self.read, row.line, error.field, error.problem, cells))
                else:
                    event_id = event_id_of(external_id, is_said=self._form.identity_is_said)
                    rows.append((self.read, row.line, external_id, event_id, text))
                if len(rows) + len(rejects) >= _AT_ONCE or held > _HELD:
                    self._put(rows, rejects)
                    held = 0
        self._put(rows, rejects)
        self._settle_repeated()

    def _written(self, row: Row) -> tuple[Cells, str]:
        """Return the cells of a row, with what no text can hold replaced, and as JSON."""
        cells = row.cells
        text = json.dumps(cells, ensure_ascii=False)
        if len(text) > MAX_PAYLOAD:
            problem = f"is longer than an entry can be: {MAX_PAYLOAD // 2**20} MiB"
            raise InvalidInput("", problem)
        if not text.isascii():
            _check_utf8(cells)
        if "\\u0000" in text:
            for column in [column for column, cell in cells.items() if "\x00" in cell]:
                cells = {**cells, column: cells[column].replace("\x00", "\ufffd")}
                problem = "holds a NUL character, which no text can; \ufffd stands for it"
                place = RowPlace(self.read, row.line)
                self.unwritable.append((place, LeftOut(column, problem, cells[column])))
            text = json.dumps(cells, ensure_ascii=False)
        return cells, text

    def _external_id(self, cells: Cells) -> str:
        own = "_".join(self._form.identify(cells).split())
        columns = [column for column in self._form.identifying if column in cells]
        longest = _LONGEST_ID - len(self._form.scheme) - 1
        if not 1 <= len(own) <= longest:
            column = max(columns, key=lambda column: len(cells[column]), default="")
            problem = f"is too long for an id: at most {longest} characters" if own else "is empty"
            raise InvalidInput(column, problem)
        return f"{self._form.scheme}:{own}"

    def _put(self, rows: list[tuple[int, int, str, str, str]], rejects: list[Reject]) -> None:
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO staged VALUES (?, ?, ?, ?, ?, NULL, NULL)", rows)
        self._connection.execute("COMMIT")
        self.reject(rejects)
        rows.clear()
        rejects.clear()

    def reject(self, rejects: Iterable[Reject]) -> None:
        """Put rows aside."""
        said = [
            (*each[:4], None if each.cells is None else json.dumps(each.cells)) for each in rejects
        ]
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO rejects VALUES (?, ?, ?, ?, ?)", said)
        self._connection.executemany(
            "UPDATE staged SET outcome = 'rejected' WHERE number = ?",
            ((number,) for number, *_ in said),
        )
        self._connection.execute("COMMIT")

    def _settle_repeated(self) -> None:
        """Keep the first row of each id if all rows with it say the same; else reject them all."""
        twice = self._connection.execute(
            "SELECT external_id FROM staged GROUP BY external_id HAVING count(*) > 1"
        ).fetchall()
        for (external_id,) in twice:
            rows = [
                (number, line, json.loads(cells))
                for number, line, cells in self._connection.execute(
                    "SELECT number, line, cells FROM staged WHERE external_id = ? ORDER BY number",
                    (external_id,),
                )
            ]
            differing = {
                column: None
                for _, _, cells in rows[1:]
                for column in compared(self._form, filled(rows[0][2]), filled(cells))[0]
            }
            if not differing:
                self.settle(("repeated", number) for number, _, _ in rows[1:])
                continue
            columns = listed([*differing])
            reason = (
                f"{external_id} {self.twice([row[:2] for row in rows])}, which differ in {columns}"
            )
            self.reject(
                Reject(number, line, self.id_columns(cells), reason, cells)
                for number, line, cells in rows
            )

    def id_columns(self, cells: Cells) -> str:
        """Return the columns that a row is told by, in the order of the row."""
        columns = [column for column in cells if column in self._form.identifying]
        return ", ".join(columns or sorted(self._form.identifying))

    # --- Places in the file ---------------------------------------------------------------

    def place(self, row: StagedRow | Reject | RowPlace) -> str:
        """Say where a row is: its line or, if others share the line, its number in the file."""
        return f"item {row.number:,}" if self.shares_lines else f"line {row.line}"

    def at_place(self, error: E, row: StagedRow | Reject | RowPlace) -> E:
        """Return the error with the place of a row."""
        return error.at(line=row.line, item=row.number if self.shares_lines else None)

    def twice(self, rows: Sequence[tuple[int, int]]) -> str:
        """Say in which lines, or as which items, an id stands twice; rows have number and line."""
        often = "twice" if len(rows) == 2 else f"{len(rows):,} times"
        what = "items" if self.shares_lines else "lines"
        places = [f"{row[0 if self.shares_lines else 1]:,}" for row in rows]
        return f"stands {often}: {what} {listed(places)}"

    def sharing(self, event_id: str) -> list[tuple[int, int]]:
        """List number and line of the rows that share an event id."""
        return self._connection.execute(
            "SELECT number, line FROM staged WHERE event_id = ? ORDER BY number", (event_id,)
        ).fetchall()

    def settle(self, outcomes: Iterable[tuple[str, int]]) -> None:
        """Note the outcome of rows, by their numbers."""
        self._connection.execute("BEGIN")
        self._connection.executemany("UPDATE staged SET outcome = ? WHERE number = ?", outcomes)
        self._connection.execute("COMMIT")

    # --- What the log has of them ---------------------------------------------------------

    def has_rows(self, after: int) -> bool:
        """Tell whether a row after number `after` has no outcome yet."""
        (found,) = self._connection.execute(
            "SELECT EXISTS (SELECT 1 FROM staged WHERE number > ? AND outcome IS NULL)", (after,)
        ).fetchone()
        return bool(found)

    def is_waiting(self, event_id: str) -> bool:
        """Tell whether a row of this event has no outcome yet."""
        (found,) = self._connection.execute(
            "SELECT EXISTS (SELECT 1 FROM staged WHERE event_id = ? AND outcome IS NULL)",
            (event_id,),
        ).fetchone()
        return bool(found)

    def rows(self, after: int) -> Iterator[StagedRow]:
        """Yield the rows after number `after` that have no outcome yet, in their order.

        They are read some at a time, as the log is then.
        """
        while rows := self.some_rows(after):
            yield from rows
            after = rows[-1].number

    def some_rows(self, after: int) -> list[StagedRow]:
        """Return the next rows after number `after`: at most a thousand, and fewer if long."""
        found: list[StagedRow] = []
        held = 0
        with contextlib.closing(
            self._connection.execute(_CHUNK, (LACKING, self._form.scheme, after, _AT_ONCE))
        ) as rows:
            for *plain, cells, kept in rows:
                found.append(StagedRow._make((*plain, json.loads(cells), _cells(kept))))
                held += len(cells) + len(kept or "")
                if held > _HELD:
                    break
        return found

    def new_rows(self, after: int) -> Iterator[NewRow]:
        """Yield the rows after number `after` that have no outcome and no event in the log yet."""
        while rows := self._connection.execute(_NEW, (after, _NEW_AT_ONCE)).fetchall():
            for number, external_id, event_id, cells in rows:
                yield NewRow(number, external_id, event_id, json.loads(cells))
            after = rows[-1][0]

    def newest(self, time_zone: str) -> tuple[str, str] | None:
        """Return when the publisher's newest entry was reported: its last instant, and as given.

        A correction that was made here since counts for nothing: its own day may be later.
        """
        days = self._connection.execute(
            "SELECT DISTINCT v.reported_at FROM event_external_ids AS x"
            " JOIN event_versions AS v USING (event_id)"
            " WHERE x.external_id >= ? AND x.external_id < ? AND v.reported_at IS NOT NULL"
            " AND (v.version = 1"
            " OR v.reason GLOB ? || '*' OR EXISTS (SELECT 1 FROM field_changes AS f"
            "  WHERE f.event_id = v.event_id AND f.version = v.version AND f.path GLOB ?))",
            (*self._range, GONE, f"/extra/{self._form.scheme}/*"),
        )
        return max(((clock.last_instant(day, time_zone), day) for (day,) in days), default=None)

    def count_gone(self) -> tuple[int, int]:
        """Return how many of the publisher's current events the file lacks, and how many exist."""
        gone, standing = self._connection.execute(
            "SELECT coalesce(sum(NOT is_there), 0), count(*) FROM (" + _STANDING + ")",  # noqa: S608
            self._range,
        ).fetchone()
        return gone, standing

    def gone(self, after: str = "") -> Iterator[tuple[str, str, Cells | None]]:
        """Yield event id, title and kept cells of the current events that the file lacks.

        They are in the order of their ids, from the id after `after` on.
        """
        while rows := self._connection.execute(
            f"SELECT event_id, title, json_extract(extra, ?) FROM ({_STANDING})"  # noqa: S608
            " WHERE NOT is_there AND event_id > ? ORDER BY event_id LIMIT ?",
            (f'$."{self._form.scheme}"', *self._range, after, _AT_ONCE),
        ).fetchall():
            for event_id, title, kept in rows:
                yield event_id, title, _cells(kept)
            after = rows[-1][0]

    def content(self, event_id: str) -> dict[str, Any]:
        """Return the content of an event now."""
        (payload,) = self._connection.execute(
            "SELECT l.payload FROM events AS e JOIN event_versions AS v USING (event_id, version)"
            " JOIN log AS l ON l.seq = v.content_seq WHERE e.event_id = ?",
            (event_id,),
        ).fetchone()
        return decode_content(payload) or {}

    def retraction(self, event_id: str) -> str:
        """Return the reason of the last retraction of an event."""
        (reason,) = self._connection.execute(
            "SELECT coalesce(reason, '') FROM event_versions WHERE event_id = ?"
            " AND kind = 'event.retracted' ORDER BY version DESC LIMIT 1",
            (event_id,),
        ).fetchone()
        return str(reason)

    # --- What became of them --------------------------------------------------------------

    def twins(self, gone: Mapping[bytes, str]) -> Iterator[tuple[str, str, str]]:
        """Yield new rows that say the same as a row that is gone: place, external id, gone event.

        `gone` has the ids of these events by the `digest` of their rows.
        """
        new = self._connection.execute(
            "SELECT number, line, external_id, cells FROM staged WHERE outcome = 'recorded'"
            " ORDER BY number"
        )
        for number, line, external_id, cells in new if gone else ():
            if event_id := gone.get(digest(self._form, json.loads(cells))):
                yield self.place(RowPlace(number, line)), external_id, event_id

    def rejects(self) -> Iterator[Reject]:
        """Yield the rows that were put aside, in their order."""
        rows = self._connection.execute(
            "SELECT number, line, field, reason, cells FROM rejects ORDER BY number"
        )
        for number, line, field, reason, cells in rows:
            yield Reject(number, line, field or "", reason, _cells(cells))

    def main_reason(self) -> tuple[Reject, int]:
        """Return the first reject of those with the commonest reason, and their number."""
        kinds: dict[tuple[str, str], list[Any]] = {}
        for reject in self.rejects():
            kind = reject.field, kind_of(reject.reason)
            if len(kinds) < _MOST_KINDS or kind in kinds:
                kinds.setdefault(kind, [reject, 0])[1] += 1
        reject, count = max(kinds.values(), key=lambda kind: int(kind[1]))
        return reject, count

    def count_rejects(self) -> int:
        """Return the number of rows that were put aside."""
        (count,) = self._connection.execute("SELECT count(*) FROM rejects").fetchone()
        return int(count)


_CHUNK = (
    "SELECT s.number, s.line, s.external_id, coalesce(x.event_id, s.event_id), e.state, e.title,"
    " e.version, x.event_id IS NOT NULL, s.new_id,"
    " EXISTS (SELECT 1 FROM event_versions AS v WHERE v.event_id = e.event_id"
    " AND v.reason GLOB ? || '*'), s.cells,"
    " json_extract(e.extra, '$.\"' || ? || '\"')"
    " FROM staged AS s LEFT JOIN event_external_ids AS x USING (external_id)"
    " LEFT JOIN events AS e ON e.event_id = coalesce(x.event_id, s.event_id)"
    " WHERE s.number > ? AND s.outcome IS NULL ORDER BY s.number LIMIT ?"
)
_NEW_AT_ONCE = 64
_NEW = (
    "SELECT number, external_id, event_id, cells FROM staged AS s"
    " WHERE number > ? AND outcome IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM event_external_ids AS x WHERE x.external_id = s.external_id)"
    " AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.event_id = s.event_id)"
    " ORDER BY number LIMIT ?"
)
_STANDING = (
    "SELECT e.event_id, e.title, e.extra, max(s.line IS NOT NULL) AS is_there"
    " FROM event_external_ids AS x JOIN events AS e USING (event_id)"
    " LEFT JOIN staged AS s USING (external_id)"
    " WHERE x.external_id >= ? AND x.external_id < ? AND e.state = 'current' GROUP BY e.event_id"
)


def event_id_of(external_id: str, *, is_said: bool = True) -> str:
    """Return the id of the event of a row; it is always the same, so that an erased event is found.

    External ids that differ in more than the case of letters give different event ids. `is_said`
    tells that the publisher says the id of the row. Else its words are those of a title, which
    may be corrected, and the id of the event has none of them.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", external_id.lower()).strip("-")
    if plain == external_id.lower().replace(":", "-", 1) and 3 <= len(plain) <= 64:
        return plain
    if not is_said:
        scheme = re.sub(r"[^a-z0-9]+", "-", external_id.partition(":")[0].lower()).strip("-")
        digest = base64.b32encode(hashlib.sha256(external_id.encode()).digest()).decode().lower()
        return f"{scheme}-{digest[:_DIGITS_OF_AN_ID]}"
    return f"{plain[:47]}-{hashlib.sha256(external_id.encode()).hexdigest()[:16]}"


def _check_utf8(cells: Cells) -> None:
    """Raise InvalidInput for a cell with half a character, as a byte that is not UTF-8 is read."""
    for column, cell in cells.items():
        try:
            cell.encode()
        except UnicodeEncodeError:
            raise InvalidInput(column, "is not UTF-8") from None


def _cells(text: str | None) -> Cells | None:
    return None if text is None else json.loads(text)


def listed(items: Sequence[str]) -> str:
    """Write the first items of a list as in a sentence: a, b and c."""
    shown = [*items[:5], *(["..."] if len(items) > 5 else [])]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
