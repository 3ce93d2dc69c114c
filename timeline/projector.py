"""The projector: folds entries into tables, one by one.

Guarantees: what it leaves depends on the entries and their order alone, whether they come
one at a time, in a batch or from the whole log. It works inside its caller's transaction, so
a reader never sees the log without its tables.

Knows the log only as entries to fold; decides nothing, refuses nothing but entries of a
format that it does not know.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from timeline import clock, facet_segments, fold, log
from timeline.actors import Actors
from timeline.codec import Entry, check_version, content_of, decode_content, decode_payload

__all__ = ["Projector"]

_BATCH = 1_000
"""Entries whose rows are held back, to be inserted table by table."""

_EVENT_COLUMNS = (
    "event_id",
    *fold.CONTENT_COLUMNS,
    "actors",
    "at_risk",
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
_SOURCE_FIELDS = (
    "title",
    "publisher",
    "published",
    "url",
    "authors",
    "archive_url",
    "accessed",
    "language",
    "licence",
    "reliability",
    "media_type",
    "text_sha256",
)


def _insert(table: str, columns: Iterable[str], verb: str = "INSERT") -> str:
    names = list(columns)
    marks = ", ".join("?" * len(names))
    return f"{verb} INTO {table} ({', '.join(names)}) VALUES ({marks})"


# In the order in which they are flushed.
_INSERTS = {
    "events": _insert("events", _EVENT_COLUMNS, "INSERT OR REPLACE"),
    "event_actors": "INSERT INTO event_actors VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "event_tags": "INSERT INTO event_tags VALUES (?, ?)",
    "event_quantities": "INSERT INTO event_quantities VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "event_claims": "INSERT INTO event_claims VALUES (?, ?, ?, ?, ?, ?)",
    "event_relations": "INSERT INTO event_relations VALUES (?, ?, ?)",
    "citations": "INSERT INTO citations VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "event_external_ids": "INSERT INTO event_external_ids VALUES (?, ?)",
    "event_search": _insert(
        "event_search", ("rowid", "title", "summary", "quotes", "actors", "places", "folded")
    ),
    "event_versions": (
        "INSERT INTO event_versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ),
    "field_changes": "INSERT INTO field_changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
}


class _Before(NamedTuple):
    """An event as its last entry left it."""

    state: str
    reported_at: str | None
    reported_from: str
    merged_into: str | None
    content_seq: int
    corrections_count: int
    first_recorded_at: str
    event_key: int


class Projector:
    """Folds entries into the tables, inside the transaction of its connection.

    Rows are held back for up to 1,000 entries; `flush` before anything reads them.
    """

    def __init__(
        self, connection: sqlite3.Connection, known: sqlite3.Connection | None = None
    ) -> None:
        """`known` is where actors and sources are known, if not in these tables."""
        self._connection = connection
        self._rows: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        self._held = 0
        self._actors = Actors(connection, known)
        self._time_zone: str | None = None
        self._withdrawn = {
            source_id
            for (source_id,) in (known or connection).execute(
                "SELECT source_id FROM sources WHERE state = 'withdrawn'"
            )
        }

    def apply(self, entry: Entry) -> None:
        """Fold one entry; entries come in the order of their `seq`. Raises TooNew."""
        check_version(entry.seq, entry.envelope)
        match entry.kind.partition(".")[0]:
            case "event":
                self._event(entry)
            case "source":
                self._source(entry)
            case "actor":
                self._actor(entry)
            case "log":
                self._log(entry)
            # "entry": an erasure empties an earlier payload, and only a rebuild forgets it.
        if (entry.seq + 1) % facet_segments.SIZE == 0:
            self.flush()
            facet_segments.write(self._connection, entry.seq // facet_segments.SIZE)

    def flush(self) -> None:
        """Insert all rows that were held back."""
        for table, insert in _INSERTS.items():
            if rows := self._rows.get(table):
                self._connection.executemany(insert, rows)
        self._rows.clear()
        self._held = 0

    # --- The log itself -------------------------------------------------------------------

    def _log(self, entry: Entry) -> None:
        info = _payload(entry)
        self._time_zone = info.get("time_zone", "UTC")
        self._connection.execute("DELETE FROM event_types")
        self._connection.executemany(
            "INSERT INTO event_types VALUES (?, ?, ?)",
            (
                (term["code"], term["label"], term.get("definition"))
                for term in info.get("vocabulary", {}).get("event_types", ())
            ),
        )

    # --- Events ---------------------------------------------------------------------------

    def _event(self, entry: Entry) -> None:
        event_id, payload = entry.subject_id, _payload(entry)
        before = self._before(event_id) if entry.version > 1 else None
        state = fold.state_after(entry.kind, before.state if before else "current")
        own_content = fold.gives_content(entry.kind)
        content_seq = entry.seq if own_content or not before else before.content_seq
        content: dict[str, Any] | None
        if not own_content:
            content = self._content(content_seq)
        else:
            content = None if entry.payload is None else content_of(payload)
        merged_into = before.merged_into if before else None
        if entry.kind == "event.merged":
            merged_into = payload.get("into")
        elif state != "merged":
            merged_into = None
        reported_at = entry.reported_at or (before.reported_at if before else None)
        reported_from = before.reported_from if before else ""
        if entry.reported_at:
            reported_from = max(reported_from, self._last_instant(entry.reported_at))
        shown_state = state if content is not None else "erased"
        if before:
            self._supersede(entry)
            if own_content:
                self._field_changes(entry, before, content, payload.get("reason"))
                self._forget_content(event_id, before.event_key)
        self._rows["event_versions"].append(
            (
                event_id,
                entry.version,
                entry.seq,
                entry.kind,
                shown_state,
                entry.recorded_at,
                None,
                reported_at,
                reported_from,
                payload.get("author"),
                payload.get("reason"),
                merged_into,
                content_seq,
                None,
            )
        )
        standing = {
            "event_id": event_id,
            "state": shown_state,
            "merged_into": merged_into,
            "version": entry.version,
            "corrections_count": (before.corrections_count if before else 0)
            + (entry.kind == "event.corrected"),
            "seq": entry.seq,
            "recorded_at": entry.recorded_at,
            "first_recorded_at": before.first_recorded_at if before else entry.recorded_at,
            "reported_at": reported_at,
            "event_key": before.event_key if before else entry.seq,
        }
        if own_content:
            self.put(standing, content)
        else:
            self._connection.execute(
                "UPDATE events SET state = :state, merged_into = :merged_into, version = :version,"
                " seq = :seq, recorded_at = :recorded_at, reported_at = :reported_at"
                " WHERE event_id = :event_id",
                standing,
            )
        self._held += 1
        if self._held >= _BATCH:
            self.flush()

    def _last_instant(self, reported_at: str) -> str:
        if self._time_zone is None:
            self._time_zone = log.info(self._connection).get("time_zone", "UTC")
        return clock.last_instant(reported_at, self._time_zone)

    def _before(self, event_id: str) -> _Before:
        self.flush()
        before = _Before._make(
            self._connection.execute(
                "SELECT v.state, v.reported_at, v.reported_from, v.merged_into, v.content_seq,"
                " e.corrections_count, e.first_recorded_at, e.event_key FROM events AS e"
                " JOIN event_versions AS v ON v.event_id = e.event_id AND v.version = e.version"
                " WHERE e.event_id = ?",
                (event_id,),
            ).fetchone()
        )
        if before.state != "erased":
            return before
        # What the event was before its words were taken out.
        kinds = self._connection.execute(
            "SELECT kind FROM event_versions WHERE event_id = ? ORDER BY version", (event_id,)
        )
        return before._replace(state=fold.state_of(kind for (kind,) in kinds))

    def _content(self, seq: int) -> dict[str, Any] | None:
        """What an entry says; None when its payload was erased."""
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
        self, entry: Entry, before: _Before, new: dict[str, Any] | None, reason: str | None
    ) -> None:
        old = self._content(before.content_seq)
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
            for position, change in enumerate(fold.differences(old, new), 1)
        )

    def _forget_content(self, event_id: str, event_key: int) -> None:
        actor_ids = self._actors.of_event(event_id)
        for table in ("event_actors", *fold.CHILD_TABLES):
            self._connection.execute(f"DELETE FROM {table} WHERE event_id = ?", (event_id,))  # noqa: S608
        self._connection.execute("DELETE FROM event_search WHERE rowid = ?", (event_key,))
        self._actors.forget_unnamed(actor_ids)

    def put(self, standing: dict[str, Any], content: dict[str, Any] | None) -> None:
        """Hold back the rows of one event: how it stands, and what follows from its content."""
        event_id = standing["event_id"]
        names: list[str] = []
        if content is not None:
            names = self._put_participants(event_id, content)
            for table, rows_of in fold.CHILD_TABLES.items():
                self._rows[table].extend(rows_of(event_id, content))
            self._rows["event_search"].append(
                (standing["event_key"], *fold.search_row(content, names))
            )
        cited = {c["source_id"] for c in (content or {}).get("citations", ())}
        row = {
            **standing,
            **fold.content_row(content),
            "actors": "; ".join(dict.fromkeys(names)) or None,
            "at_risk": int(bool(cited) and cited <= self._withdrawn),
        }
        self._rows["events"].append(tuple(row[column] for column in _EVENT_COLUMNS))

    # --- Actors ---------------------------------------------------------------------------

    def _put_participants(self, event_id: str, content: dict[str, Any]) -> list[str]:
        """Hold back the participants' rows; the names under which their actors are known."""
        names = []
        for position, participant in enumerate(content.get("participants", ()), 1):
            actor_id, name = self._actors.actor_for(participant)
            names.append(name)
            self._rows["event_actors"].append(
                (
                    event_id,
                    position,
                    actor_id,
                    participant["name"],
                    participant.get("role", "actor"),
                    participant.get("as_named"),
                    participant.get("office"),
                    participant.get("country"),
                    participant.get("organisation"),
                    participant.get("sector"),
                    participant.get("wikidata"),
                )
            )
        return names

    def _actor(self, entry: Entry) -> None:
        self.flush()
        touched = self._actors.fold(entry, _payload(entry))
        for event_id in self._actors.events_of(touched):
            self._reproject(event_id)
        self.flush()
        self._actors.forget_unnamed(touched)

    def _reproject(self, event_id: str) -> None:
        """Put the content of an event again, its standing unchanged."""
        before = self._before(event_id)
        columns = [c for c in _EVENT_COLUMNS if c not in fold.CONTENT_COLUMNS]
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
        self._forget_content(event_id, before.event_key)
        self.put(standing, content)

    # --- Sources --------------------------------------------------------------------------

    def _source(self, entry: Entry) -> None:
        source_id, payload = entry.subject_id, _payload(entry)
        if entry.version == 1:
            self._connection.execute(
                "INSERT INTO sources (source_id, state, version, seq, recorded_at, source_key)"
                " VALUES (?, 'current', ?, ?, ?, ?)",
                (source_id, entry.version, entry.seq, entry.recorded_at, entry.seq),
            )
        self._connection.execute(
            "UPDATE sources SET version = ?, seq = ?, recorded_at = ? WHERE source_id = ?",
            (entry.version, entry.seq, entry.recorded_at, source_id),
        )
        if fold.gives_content(entry.kind):
            assignments = ", ".join(f"{field} = ?" for field in _SOURCE_FIELDS)
            fields = {**payload, "authors": "; ".join(payload.get("authors", ())) or None}
            self._connection.execute(
                f"UPDATE sources SET {assignments} WHERE source_id = ?",  # noqa: S608
                (*(fields.get(field) for field in _SOURCE_FIELDS), source_id),
            )
        elif entry.kind != "source.annotated":
            self._change_source_state(source_id, entry.kind, payload.get("reason"))

    def _change_source_state(self, source_id: str, kind: str, reason: str | None) -> None:
        self.flush()
        state = fold.state_after(kind, "current")
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


def _payload(entry: Entry) -> dict[str, Any]:
    return decode_payload(entry.payload) if entry.payload is not None else {}
