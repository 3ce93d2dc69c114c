"""What the log holds at this point of an append: versions, contents, states, external ids.

Guarantees: it sees what the append itself has added so far. It asks, and changes nothing but
what the projector holds back.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from timeline import fold, log
from timeline.codec import Entry, decode_content
from timeline.errors import Conflict, InvalidInput, NotFound, NothingChanged, Refused
from timeline.fields import ID_PATTERN
from timeline.model import Vocabulary
from timeline.projector import Projector

__all__ = ["Holdings", "Standing", "spoken"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A subject as its newest entry left it; `content` is None when it was erased."""

    version: int
    state: str
    content: dict[str, Any] | None


class Holdings:
    """The log and its tables, as an append finds them and as it leaves them."""

    def __init__(self, connection: sqlite3.Connection, projector: Projector) -> None:
        self._connection = connection
        self._projector = projector
        self._external_ids: dict[str, str] = {}

    def version(self, subject: str) -> int:
        """The newest version of a subject; 0 if there is none."""
        (version,) = self._connection.execute(
            "SELECT coalesce(max(version), 0) FROM log WHERE subject = ?", (subject,)
        ).fetchone()
        return int(version)

    def standing(self, subject: str, expect: int | None = None) -> Standing:
        """A subject as it stands. Raises NotFound, or Conflict at another version."""
        what, _, key = subject.partition("/")
        version = self.version(subject) if re.fullmatch(ID_PATTERN, key) else 0
        if not version:
            raise NotFound(what, key)
        if expect is not None and expect != version:
            raise Conflict(spoken(subject), expect, version)
        self.settle()
        state = "current"
        if what != "actor":
            (state,) = self._connection.execute(
                f"SELECT state FROM {what}s WHERE {what}_id = ?",  # noqa: S608
                (key,),
            ).fetchone()
        if state == "erased":
            state = self._last_state(subject)
        newest = self.newest_content(subject)
        return Standing(version, state, decode_content(newest.payload) if newest else None)

    def _last_state(self, subject: str) -> str:
        """What the entries of a subject made of it, whether its words are erased or not."""
        kinds = self._connection.execute(
            "SELECT kind FROM log WHERE subject = ? ORDER BY version", (subject,)
        )
        return fold.state_of(kind for (kind,) in kinds)

    def newest_content(self, subject: str) -> Entry | None:
        """The newest entry of a subject that gives content."""
        return self.contents(subject, "DESC")

    def contents(self, subject: str, order: str, before: int = 2**53) -> Entry | None:
        """The first entry of a subject, in this order of versions, that gives content."""
        row = self._connection.execute(
            "SELECT seq FROM log WHERE subject = ? AND version < ?"  # noqa: S608
            " AND (kind GLOB '*.recorded' OR kind GLOB '*.updated' OR kind GLOB '*.corrected')"
            f" ORDER BY version {order} LIMIT 1",
            (subject, before),
        ).fetchone()
        return log.entry_at(self._connection, row[0]) if row else None

    def content_before(self, entry: Entry) -> dict[str, Any]:
        """What the subject of an entry said before it."""
        before = self.contents(entry.subject, "DESC", entry.version)
        return (decode_content(before.payload) if before else None) or {}

    def settle(self) -> None:
        """Put what was held back into the tables, so that they can be asked."""
        self._projector.flush()
        self._external_ids.clear()

    def owner_of(self, external_ids: Iterable[str]) -> str | None:
        """The event that has one of these external ids."""
        for external_id in external_ids:
            if external_id in self._external_ids:
                return self._external_ids[external_id]
            row = self._connection.execute(
                "SELECT event_id FROM event_external_ids WHERE external_id = ?", (external_id,)
            ).fetchone()
            if row:
                return str(row[0])
        return None

    def check_merge(self, subject: str, into: str) -> None:
        """Both are there, and no chain of merges leads from the one to the other and back."""
        self.standing(into)
        what, _, key = subject.partition("/")
        first = step = into.partition("/")[2]
        while step != key:
            following = self._merged_into(what, step)
            if not following:
                break
            step = following
        else:
            raise Refused(f"{spoken(into)} leads back to {key}: a merge cannot go in a circle")
        if self._merged_into(what, key) == first:
            raise NothingChanged(spoken(subject))

    def _merged_into(self, what: str, key: str) -> str | None:
        row = self._connection.execute(
            f"SELECT merged_into FROM {what}s WHERE {what}_id = ?",  # noqa: S608
            (key,),
        ).fetchone()
        return row[0] if row else None

    def check_words_in_use(self, words: Vocabulary) -> None:
        """A vocabulary may not lose a word that an event has now."""
        self.settle()
        for terms, what, used in (
            (words.event_types, "event type", "SELECT DISTINCT event_type FROM events"),
            (words.modes, "mode", "SELECT DISTINCT mode FROM events"),
            (
                words.contexts,
                "context",
                "SELECT DISTINCT value FROM events, json_each(events.contexts)",
            ),
        ):
            codes = {None, *(term.code for term in terms)}
            for (code,) in self._connection.execute(used) if terms else ():
                if code not in codes:
                    raise InvalidInput("vocabulary", f'lacks the {what} "{code}", which is in use')

    def claim(self, external_ids: Iterable[str], event_id: str) -> None:
        """Say that an event of this append has these external ids."""
        self._external_ids.update(dict.fromkeys(external_ids, event_id))


def spoken(subject: str) -> str:
    """ "event odesa-visit" of the subject event/odesa-visit."""
    return subject.replace("/", " ", 1)
