"""Fold entries into the tables, one by one.

Guarantees: the rows depend only on the entries and their order, whether entries come one at a
time, in a batch or from the whole log. It works inside its caller's transaction, so a reader
never sees the log without its tables.

Knows the log only as entries to fold. It decides nothing, and refuses only entries of a format
that it does not know.
"""

from __future__ import annotations

import operator
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from timeline.model import clock
from timeline.projection import facet_segments, fold
from timeline.projection.actors import Actors
from timeline.projection.differences import differences
from timeline.projection.folded_content import FoldedContent, folded_content
from timeline.projection.late_indexes import LateIndexes
from timeline.store.codec import Entry, Payload, check_version, decode_content, payload_of

_BATCH = 1_000
"""The number of versions whose rows are held back, to be inserted table by table."""
_FOLDED_WITHOUT_INDEXES = ("event.recorded", "source.recorded")
_LONG = facet_segments.SIZE // 4
"""The number of versions after which a fold gathers the values for the segment that comes: what
it does not gather is read from the log, which takes about three times as long."""

_STANDING_COLUMNS = (
    "state",
    "merged_into",
    "version",
    "corrections_count",
    "seq",
    "recorded_at",
    "first_recorded_at",
    "reported_at",
    "event_key",
)
_standing_row = operator.itemgetter(*_STANDING_COLUMNS)
_EVENT_COLUMNS = (
    *("event_id", *fold.CONTENT_COLUMNS),
    *("actors", "sources_count", "at_risk", *_STANDING_COLUMNS),
)
_SOURCE_FIELDS = (
    *("title", "publisher", "published", "url", "authors", "archive_url", "accessed", "language"),
    *("licence", "reliability", "media_type", "text_sha256"),
)


_FIELDS = {"event_actors": "participants", **fold.CHILD_FIELDS}
"""For each table, the only field of a content that it shows."""

_UPDATE_SOURCE = (
    f"UPDATE sources SET {', '.join(f'{field} = ?' for field in _SOURCE_FIELDS)}"  # noqa: S608
    " WHERE source_id = ?"
)


def _insert(table: str, columns: Iterable[str], verb: str = "INSERT") -> str:
    names = list(columns)
    marks = ", ".join("?" * len(names))
    return f"{verb} INTO {table} ({', '.join(names)}) VALUES ({marks})"


_SEARCH_COLUMNS = ("rowid", "title", "summary", "quotes", "actors", "places")
INSERT_SEARCH = _insert("event_search", _SEARCH_COLUMNS)

_FORGOTTEN = "words of event_search that go"

# Tables are flushed in this order.
_INSERTS = {
    "events": _insert("events", _EVENT_COLUMNS, "INSERT OR REPLACE"),
    "event_actors": "INSERT INTO event_actors VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "event_tags": "INSERT INTO event_tags VALUES (?, ?)",
    "event_quantities": "INSERT INTO event_quantities VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "event_claims": "INSERT INTO event_claims VALUES (?, ?, ?, ?, ?, ?)",
    "event_relations": "INSERT INTO event_relations VALUES (?, ?, ?, ?, ?)",
    "event_media": "INSERT INTO event_media VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "citations": "INSERT INTO citations VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "event_external_ids": "INSERT INTO event_external_ids VALUES (?, ?)",
    # With 'delete' and the words that were inserted, this takes them out of the index.
    _FORGOTTEN: _insert("event_search", ("event_search", *_SEARCH_COLUMNS)),
    "event_search": INSERT_SEARCH,
    "event_versions": (
        "INSERT INTO event_versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ),
    "field_changes": "INSERT INTO field_changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
}


class _Before(NamedTuple):
    """Says how the previous entry left an event."""

    state: str
    reported_at: str | None
    reported_from: str
    merged_into: str | None
    content_seq: int
    seq: int
    corrections_count: int
    first_recorded_at: str
    event_key: int
    actors: str | None


class _Standing(NamedTuple):
    """Says how an event stands after an entry, and from when its report counts."""

    state: str
    merged_into: str | None
    reported_at: str | None
    reported_from: str


_NEW = _Standing("current", None, None, "")
"""The state of an event before its first entry."""


class Projector:
    """Folds entries into the tables, inside the transaction of its connection.

    Rows of events are held back for up to 1,000 versions; call `flush` before anything reads them.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        time_zone: str,
        known: sqlite3.Connection | None = None,
        withdrawn: Iterable[str] | None = None,
    ) -> None:
        """Begin with no rows held back.

        `time_zone` is that of the newest entry about the log, also for earlier entries. Actors
        are looked up on `known`, if it is given.
        `withdrawn` are the ids of the withdrawn sources, if these tables do not tell.
        """
        self._connection = connection
        self._rows: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._events: set[str] = set()
        """The ids of the events that have rows in self._rows."""
        self._named: set[str] = set()
        """The ids of the actors that have rows in self._rows."""
        self._actors = Actors(connection, known)
        self._time_zone = time_zone
        if withdrawn is None:
            rows = connection.execute("SELECT source_id FROM sources WHERE state = 'withdrawn'")
            withdrawn = (source_id for (source_id,) in rows)
        self._withdrawn = {*withdrawn}
        self._gathering: facet_segments.Gathering | None = None
        """The values of the newest versions, after so many that a segment is likely to end."""
        self.indexes = LateIndexes(connection)
        """The indexes of the tables, for a caller who folds many new events."""
        self._folded = 0
        """The number of versions whose rows have been inserted."""

    def apply(
        self, entry: Entry, payload: Payload | None = None, rows: FoldedContent | None = None
    ) -> None:
        """Fold one entry; entries come in the order of their `seq`. Raises TooNew.

        A caller that has just made the payload hands it over, so that it is not decoded again.
        With the `rows` of its content, that content may be missing in the payload.
        """
        check_version(entry.seq, entry.envelope)
        if self.indexes.are_missing and entry.kind not in _FOLDED_WITHOUT_INDEXES:
            self.indexes.make()
        payload = payload or payload_of(entry)
        if self._folded >= _LONG and self._gathering is None:
            self._gathering = facet_segments.Gathering(self._connection, entry.seq)
        match entry.kind.partition(".")[0]:
            case "event":
                self._event(entry, payload, rows)
            case "source":
                self._source(entry, payload)
            case "actor":
                self._actor(entry, payload)
            case "log" if payload.content is not None:
                self._log(payload.content)
            # An entry.erased changes nothing here: a rebuild drops what it erased from the tables.
            # A media.erased does not either: tables do not say which files are here.
        if facet_segments.is_last(entry.seq):
            self.flush()
            segment = entry.seq // facet_segments.SIZE
            facet_segments.write(self._connection, segment, self._time_zone, self._gathering)
            self._gathering = None

    def flush(self) -> None:
        """Insert all rows that were held back."""
        self._folded += len(self._rows["event_versions"])
        for table, insert in _INSERTS.items():
            if rows := self._rows.get(table):
                if table in (_FORGOTTEN, "event_search"):
                    rows.sort()  # FTS5 writes all it holds back where a rowid is below the last
                self._connection.executemany(insert, rows)
        self._rows.clear()
        self._events.clear()
        self._named.clear()

    # --- The log itself -------------------------------------------------------------------

    def _log(self, info: dict[str, Any]) -> None:
        self._connection.execute("DELETE FROM event_types")
        self._connection.executemany(
            "INSERT INTO event_types VALUES (?, ?, ?)",
            (
                (term["code"], term["label"], term.get("definition"))
                for term in info.get("vocabulary", {}).get("event_types", ())
            ),
        )

    # --- Events ---------------------------------------------------------------------------

    def _event(self, entry: Entry, payload: Payload, rows: FoldedContent | None) -> None:
        event_id = entry.subject_id
        before = self._before(event_id) if entry.version > 1 else None
        own_content = fold.gives_content(entry.kind)
        content_seq = entry.seq if own_content or not before else before.content_seq
        content = payload.content if own_content else self._content(content_seq)
        after = self._standing_after(entry, payload, before)
        is_erased = content is None and rows is None
        shown_state = "erased" if is_erased else after.state
        if before:
            self._supersede(entry)
            if own_content:
                old = self._content(before.content_seq)
                self._field_changes(entry, old, content, payload.reason)
                self._forget_content(event_id, before, old)
        self._rows["event_versions"].append(
            (
                event_id,
                entry.version,
                entry.seq,
                entry.kind,
                shown_state,
                entry.recorded_at,
                None,
                after.reported_at,
                after.reported_from,
                payload.author,
                payload.reason,
                payload.proposed_by,
                after.merged_into,
                content_seq,
                None,
            )
        )
        event_key = before.event_key if before else entry.seq
        if self._gathering:
            version = facet_segments.FoldedVersion(
                entry.seq,
                entry.kind,
                shown_state,
                after.reported_from,
                before.seq if before else None,
                event_key,
            )
            self._gather(self._gathering, version, content, rows)
        standing = {
            "state": shown_state,
            "merged_into": after.merged_into,
            "version": entry.version,
            "corrections_count": (before.corrections_count if before else 0)
            + (entry.kind == "event.corrected"),
            "seq": entry.seq,
            "recorded_at": entry.recorded_at,
            "first_recorded_at": before.first_recorded_at if before else entry.recorded_at,
            "reported_at": after.reported_at,
            "event_key": event_key,
        }
        if own_content:
            rows = rows or folded_content(content, self._time_zone)
            self._put_rows({"event_id": event_id, **standing}, rows)
        else:
            self._connection.execute(
                "UPDATE events SET state = :state, merged_into = :merged_into, version = :version,"
                " seq = :seq, recorded_at = :recorded_at, reported_at = :reported_at"
                " WHERE event_id = :event_id",
                {"event_id": event_id, **standing},
            )
            self._events.add(event_id)
        if len(self._rows["event_versions"]) >= _BATCH:
            self.flush()

    def _gather(
        self,
        gathering: facet_segments.Gathering,
        version: facet_segments.FoldedVersion,
        content: dict[str, Any] | None,
        rows: FoldedContent | None,
    ) -> None:
        """Keep the values of a version for the segment that comes."""
        if rows and rows.facets is not None:
            cited = {source_id for _, source_id, *_ in rows.citations}
            gathering.add_values(version, rows.facets, cited)
        else:
            gathering.add(version, content, self._time_zone)

    def _standing_after(self, entry: Entry, payload: Payload, before: _Before | None) -> _Standing:
        """Return the state of an event after an entry, if its content was not erased."""
        was = before or _NEW
        state = fold.state_after(entry.kind, was.state)
        merged_into = was.merged_into if state == "merged" else None
        if entry.kind == "event.merged":
            merged_into = (payload.content or {}).get("into")
        reported_from = was.reported_from
        if entry.reported_at:
            last_instant = clock.last_instant(entry.reported_at, self._time_zone)
            reported_from = max(reported_from, last_instant)
        return _Standing(state, merged_into, entry.reported_at or was.reported_at, reported_from)

    def _before(self, event_id: str) -> _Before:
        if event_id in self._events:
            self.flush()
        before = _Before._make(
            self._connection.execute(
                "SELECT v.state, v.reported_at, v.reported_from, v.merged_into, v.content_seq,"
                " e.seq, e.corrections_count, e.first_recorded_at, e.event_key, e.actors"
                " FROM events AS e"
                " JOIN event_versions AS v ON v.event_id = e.event_id AND v.version = e.version"
                " WHERE e.event_id = ?",
                (event_id,),
            ).fetchone()
        )
        if before.state != "erased":
            return before
        # Find the state that the event had before its content was erased.
        kinds = self._connection.execute(
            "SELECT kind FROM event_versions WHERE event_id = ? ORDER BY version", (event_id,)
        )
        return before._replace(state=fold.state_of(kind for (kind,) in kinds))

    def _content(self, seq: int) -> dict[str, Any] | None:
        """Return the content of an entry; None if it was erased."""
        (payload,) = self._connection.execute(
            "SELECT payload FROM log WHERE seq = ?", (seq,)
        ).fetchone()
        return decode_content(payload)

    def _supersede(self, entry: Entry) -> None:
        self._connection.execute(
            "UPDATE event_versions SET superseded_at = ?, superseded_seq = ?"
            " WHERE event_id = ? AND version = ?",
            (entry.recorded_at, entry.seq, entry.subject_id, entry.version - 1),
        )

    def _field_changes(
        self,
        entry: Entry,
        old: dict[str, Any] | None,
        new: dict[str, Any] | None,
        reason: str | None,
    ) -> None:
        if old is None or new is None:
            return
        self._rows["field_changes"].extend(
            (
                entry.subject_id,
                entry.version,
                position,
                change.path,
                change.old_value,
                change.new_value,
                entry.kind,
                reason,
                entry.seq,
            )
            for position, change in enumerate(differences(old, new), 1)
        )

    def _forget_content(self, event_id: str, before: _Before, old: dict[str, Any] | None) -> None:
        """Delete the rows that followed from the old content; all rows, if that was erased."""
        actor_ids = self._actors.of_event(event_id)
        for table, field in _FIELDS.items():
            if old is None or field in old:
                self._connection.execute(f"DELETE FROM {table} WHERE event_id = ?", (event_id,))  # noqa: S608
        if old is not None:  # The words of an erased content are not known any more.
            words = fold.search_row(old, before.actors)
            self._rows[_FORGOTTEN].append(("delete", before.event_key, *words))
        self._actors.forget_unnamed(actor_ids - self._named)

    def put(self, standing: dict[str, Any], content: dict[str, Any] | None) -> None:
        """Hold back the rows of one event: its state, and all that follows from its content."""
        self._put_rows(standing, folded_content(content, self._time_zone))

    def _put_rows(self, standing: dict[str, Any], rows: FoldedContent) -> None:
        event_id = standing["event_id"]
        self._events.add(event_id)
        actors = fold.joined_names(self._put_participants(event_id, rows.participants))
        for table, children in rows.children:
            self._rows[table].extend([(event_id, *row) for row in children])
        if rows.citations:
            self._rows["citations"].extend([(event_id, *row) for row in rows.citations])
        if rows.external_ids:
            own = [(external_id, event_id) for external_id in rows.external_ids]
            self._rows["event_external_ids"].extend(own)
        if searched := rows.search_row(actors):
            self._rows["event_search"].append((standing["event_key"], *searched))
        cited = {source_id for _, source_id, *_ in rows.citations}
        self._rows["events"].append(
            (
                event_id,
                *rows.content,
                actors,
                len(cited),
                int(bool(cited) and cited <= self._withdrawn),
                *_standing_row(standing),
            )
        )

    # --- Actors ---------------------------------------------------------------------------

    def _put_participants(
        self, event_id: str, participants: Iterable[tuple[Any, ...]]
    ) -> list[str]:
        """Hold back the rows of the participants, and return the names of their actors."""
        names = []
        for position, (given_id, said_name, *fields) in enumerate(participants, 1):
            actor_id, name = self._actors.actor_for(given_id, said_name)
            names.append(name)
            self._named.add(actor_id)
            self._rows["event_actors"].append((event_id, position, actor_id, said_name, *fields))
        return names

    def _actor(self, entry: Entry, payload: Payload) -> None:
        self.flush()
        touched = self._actors.fold(entry, payload.content or {})
        for event_id in self._actors.events_of(touched):
            self._reproject(event_id)
        self.flush()
        self._actors.forget_unnamed(touched)

    def _reproject(self, event_id: str) -> None:
        """Project the content of an event again; its state does not change."""
        before = self._before(event_id)
        columns = ("event_id", *_STANDING_COLUMNS)
        standing = dict(
            zip(
                columns,
                self._connection.execute(
                    f"SELECT {', '.join(columns)} FROM events WHERE event_id = ?",  # noqa: S608
                    (event_id,),
                ).fetchone(),
                strict=True,
            )
        )
        content = self._content(before.content_seq)
        self._forget_content(event_id, before, content)
        self.put(standing, content)

    # --- Sources --------------------------------------------------------------------------

    def _source(self, entry: Entry, payload: Payload) -> None:
        source_id, content = entry.subject_id, payload.content or {}
        self._connection.execute(
            "INSERT INTO sources (source_id, state, version, seq, recorded_at, source_key)"
            " VALUES (?1, 'current', ?2, ?3, ?4, ?3) ON CONFLICT (source_id) DO UPDATE SET"
            " version = excluded.version, seq = excluded.seq, recorded_at = excluded.recorded_at",
            (source_id, entry.version, entry.seq, entry.recorded_at),
        )
        if fold.gives_content(entry.kind):
            fields = {**content, "authors": "; ".join(content.get("authors", ())) or None}
            self._connection.execute(
                _UPDATE_SOURCE, (*(fields.get(field) for field in _SOURCE_FIELDS), source_id)
            )
        elif entry.kind != "source.annotated":
            self._change_source_state(entry, payload.reason)

    def _change_source_state(self, entry: Entry, reason: str | None) -> None:
        self.flush()
        source_id, state = entry.subject_id, fold.state_after(entry.kind, "current")
        reported_from = entry.recorded_at
        if entry.reported_at:
            reported_from = clock.last_instant(entry.reported_at, self._time_zone)
        self._connection.execute(
            "INSERT INTO source_states VALUES (?1, ?2, ?3, ?4, max(?5, coalesce((SELECT"
            " max(reported_from) FROM source_states WHERE source_id = ?1), '')), ?6)",
            (source_id, entry.seq, state, entry.recorded_at, reported_from, reason),
        )
        if state == "withdrawn":
            self._withdrawn.add(source_id)
        else:
            self._withdrawn.discard(source_id)
        self._connection.execute(
            "UPDATE sources SET state = ?, withdrawn_reason = ? WHERE source_id = ?",
            (state, reason if state == "withdrawn" else None, source_id),
        )
        self._connection.execute(
            "UPDATE events SET at_risk = NOT EXISTS"
            " (SELECT 1 FROM citations AS c JOIN sources AS s USING (source_id)"
            "   WHERE c.event_id = events.event_id AND s.state <> 'withdrawn')"
            " WHERE event_id IN (SELECT event_id FROM citations WHERE source_id = ?)",
            (source_id,),
        )
