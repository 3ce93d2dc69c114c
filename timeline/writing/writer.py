"""Accept statements by the rules of the log, and write them as entries; no other way leads in.

One class, `Append`, is cut into six files by inheritance: `entries` has the parts that all
operations share, `event_entries`, `many_events` and `source_entries` have the operations on events
and on sources and actors, `statements` joins them, and this module adds the operations on the log
itself.

Guarantees: an append is added whole, or not at all. Its entries share one `recorded_at`, later than
every one before. Ids and versions are used once. A reference leads to something that exists. An
update that changes nothing is refused. The same statement sent twice is added once. Log and
projection change in one transaction under the write lock.

Readers never come here: `timeline.reading` has the answers.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from timeline.errors import InvalidInput, InvalidValue, IsMirror, NotFound, NothingChanged, Refused
from timeline.model import clock, field_paths, time_zones
from timeline.model.content import Said
from timeline.model.terms import known_terms
from timeline.model.validation import validate
from timeline.projection import tables
from timeline.store import codec, files, follows, log, mirror, node, scrub, storage
from timeline.store.codec import Entry
from timeline.writing import media
from timeline.writing.entries import NO_WORDS, microseconds
from timeline.writing.one_form import in_one_form
from timeline.writing.receipt import Receipt, new_zone_in_words, receipt_of
from timeline.writing.recording_time import RecordingTime, dated_change, recording_time
from timeline.writing.resolver import Resolver
from timeline.writing.statements import Statements

if TYPE_CHECKING:
    from timeline.model.log_info import LogInfo


def create_log(
    path: str | os.PathLike[str],
    fields: Mapping[str, Any],
    said: Said = NO_WORDS,
    *,
    now: Callable[[], datetime] = clock.now,
) -> Receipt:
    """Make the file of a new log, with `log.opened` as entry 0.

    `fields` are those of `LogInfo`; without an origin the log is named after its first
    entry, without a vocabulary it has PLOVER's. Raises InvalidInput for a field that is
    wrong, StoreError if the name is taken.
    """
    from timeline.model.vocabulary import plover

    moment = now()
    info = _checked(
        {
            "origin": f"timeline-{codec.encode_id(microseconds(moment))}",
            "vocabulary": plover(),
            **{field: value for field, value in fields.items() if value},
        }
    )
    check_time_zone(info)
    with storage.new_file(path) as connection, storage.immediate(connection):
        tables.create(connection, info.time_zone)
        append = Append(connection, RecordingTime(moment, moment))
        receipt = append.open_log(info, said)
        append.finish()
        return receipt


@contextlib.contextmanager
def appending(
    connection: sqlite3.Connection,
    path: str,
    *,
    now: Callable[[], datetime] = clock.now,
    trust_clock: bool = False,
    ahead: str | None = None,
    fork: bool = False,
    dry_run: bool = False,
    around: Callable[[Append], AbstractContextManager[object]] = contextlib.nullcontext,
) -> Iterator[Append]:
    """Run the block as one append under the write lock: all of it is kept, or nothing.

    `recording_time` says what `trust_clock` and `ahead` are for. With `dry_run` everything is
    checked and done, and then taken back. Otherwise an erasure that is pending is finished first,
    or a note of the append says why not. With `fork`, a mirror becomes a log of its own.

    `around` is entered in the transaction, before the block, and left when everything is written
    and only the commit is missing; what it raises then takes the append back. It sees a dry run,
    and a block that fails, end with an exception.

    Raises StoreError for a file that cannot be written, ClockBehind and ClockLeapt, IsMirror for
    entries that would make a mirror another log, IsFollower for a file that follows somebody else's
    log, Refused for a node of a cluster, unless `around` opened it for writing, and the errors of
    the operations of `Append`.
    """
    with (
        contextlib.suppress(_TakeBack),
        storage.storage_errors(path, patience=storage.patience_of(connection)),
        dated_change(connection, path) as changed_at,
    ):
        note = None if dry_run else scrub.finish(connection, path)
        with storage.immediate(connection):
            newest = tables.check(connection, path)
            follows.check_own(connection, path)
            time = recording_time(newest, changed_at, now(), trust_clock=trust_clock, ahead=ahead)
            append = Append(connection, time)
            append.notes += [note] if note else []
            size = newest.seq + 1 if newest else 0
            with around(append):
                if (own := node.node_of(connection)) and not own.writing:
                    raise Refused(f"this file is a node of {own.cluster}, and grows with it alone")
                yield append
                append.finish()
                if append.has_new_zone and not dry_run:
                    tables.make_anew(connection)
                if (kept := mirror.mirror_of(connection)) and log.size(connection) > size:
                    if not fork:
                        raise IsMirror(*kept)
                    mirror.unmark(connection)
                if dry_run:
                    raise _TakeBack
            append.at_commit()


class _TakeBack(Exception):
    """Ends a dry run."""


class Append(Statements):
    """Offers the operations of one append, each for one statement; `appending` makes it."""

    def open_log(self, info: LogInfo, said: Said) -> Receipt:
        """Add the first entry of a new log, which says what the log is. Called by `create_log`.

        Raises Refused for a log that has entries already.
        """
        if self._buffer.size:
            raise Refused("the log is open already")
        return self._add("log.opened", "log", in_one_form(info.content()), said)

    def update_log(self, changes: field_paths.Changes, said: Said = NO_WORDS) -> Receipt:
        """Change what the log says about itself; its origin can never change."""
        info = _checked(field_paths.changed(self._info, changes))
        content = in_one_form(info.content(), self._info)
        if content == self._info:
            raise NothingChanged("the log")
        if content["origin"] != self._info["origin"]:
            raise InvalidInput("origin", "cannot change: proofs and addresses are named after it")
        check_time_zone(info)
        terms = known_terms(content.get("vocabulary", {}))
        self._buffer.check_terms_in_use(terms)
        self._info = content
        self._resolver = Resolver(self._connection, self._buffer, terms, self._new_id)
        receipt = self._add("log.updated", "log", content, said)
        if not self.has_new_zone:
            return receipt
        return replace(receipt, notes=(*receipt.notes, new_zone_in_words(self._time_zone)))

    def erase(self, entry_id: str, said: Said) -> Receipt:
        """Erase the content of an entry; `said.reason` says why. Called only by `erasure`.

        Raises NotFound, and Refused for the entry that says what the log is.
        """
        self._buffer.flush()
        entry = log.entry_by_id(self._connection, entry_id)
        if entry is None:
            raise NotFound("entry", entry_id)
        if entry == log.newest(self._connection, "log"):
            raise Refused(
                f"entry #{entry.seq} says what the log is: say it anew first, such as with "
                "timeline about --contact desk@example.org, then erase the entry"
            )
        subject = f"entry/{entry_id}"
        if entry.payload is None:
            erasing = log.newest(self._connection, subject)
            return receipt_of(erasing or entry)
        receipt = self._add("entry.erased", subject, {}, said)
        self._buffer.flush()
        empty_entry(self._connection, entry, receipt.entry_id)
        return receipt

    def erase_file(self, sha256: str, said: Said) -> Receipt:
        """Erase the bytes of an attached file, for every event that shows it; the entries stay.

        `said.reason` says why. Called only by `erasure`. Raises NotFound for a file that no entry
        names.
        """
        self._buffer.flush()
        subject = files.name_of(sha256)
        if erasing := log.newest(self._connection, subject):
            return receipt_of(erasing)
        if next(files.naming(self._connection, sha256), None) is None:
            raise NotFound("file", subject)
        receipt = self._add("media.erased", subject, {}, said)
        self._buffer.flush()
        media.erase_bytes(self._connection, sha256, receipt.entry_id)
        return receipt


def empty_entry(connection: sqlite3.Connection, entry: Entry, erased_by: str) -> None:
    """Empty an entry that the entry with the id `erased_by` erases.

    The text of a source is erased with the last entry that names it, and so is an attached file.
    """
    connection.execute("UPDATE log SET payload = NULL, salt = NULL WHERE seq = ?", (entry.seq,))
    content = codec.decode_content(entry.payload)
    for sha256 in files.file_hashes(content) if entry.subject.startswith("event/") else ():
        if next(files.naming(connection, sha256), None) is None:
            media.erase_bytes(connection, sha256, erased_by)
    if text := (content or {}).get("text_sha256"):
        connection.execute(
            "UPDATE source_texts SET body = NULL, erased_by = ?"
            " WHERE text_sha256 = ? AND body IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM log WHERE kind IN ('source.recorded', 'source.updated')"
            "   AND instr(payload, source_texts.text_sha256))",
            (erased_by, text),
        )


def _checked(info: Mapping[str, Any]) -> LogInfo:
    """Return what a log is to say about itself. Raises InvalidInput for a field that is wrong."""
    from timeline.model.log_info import LogInfo  # no append of events needs it

    return validate(LogInfo, info)


def check_time_zone(info: LogInfo) -> None:
    """Raise InvalidInput for a time zone that does not exist."""
    try:
        time_zones.zone(info.time_zone)
    except InvalidValue as error:
        raise InvalidInput("time_zone", error.problem) from None
