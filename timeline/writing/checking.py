"""Find out what the writer would make of a statement, on a connection that cannot write.

Guarantees: a statement is held to the same rules, by the same code, as in an append; nothing is
kept. Texts that come with a statement count as captured, and their sources as recorded.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from timeline.errors import InvalidInput, InvalidValue, Refused
from timeline.model import clock
from timeline.model.content import Said, Source
from timeline.model.validation import validate
from timeline.projection.folded_content import FoldedContent
from timeline.texts.document import Document, check, sha256
from timeline.writing.entries import NO_WORDS
from timeline.writing.receipt import Receipt, new_receipt
from timeline.writing.recording_time import RecordingTime
from timeline.writing.statements import Statements


class Trial(Statements):
    """A trial takes one statement, with the texts that come with it, and keeps nothing.

    The connection may be one that cannot write.
    """

    def __init__(self, connection: sqlite3.Connection, now: datetime | None = None) -> None:
        moment = now or clock.now()
        super().__init__(connection, RecordingTime(moment, moment))
        self.texts: dict[str, str] = {}
        """The texts that came with the statement, by the ids of their sources."""
        self.sources: dict[str, Mapping[str, Any]] = {}
        """The content of the sources that came with it, by their ids."""
        self.content: Mapping[str, Any] = {}
        """The content of the statement as it would be stored."""

    def finish(self) -> None:
        """Raise InvalidInput for a relation to an event that the log lacks; write nothing."""
        for error in self._expected_events.values():
            raise error

    def capture(
        self,
        source: Source | Mapping[str, Any],
        document: Document,
        said: Said = NO_WORDS,
        *,
        stated: Mapping[str, Any] = MappingProxyType({}),
        emptied: Collection[str] = (),
        another: bool = False,
    ) -> Receipt:
        """Take the text of a source as captured. Raises InvalidInput and Refused as `capture`."""
        given = source if isinstance(source, Source) else validate(Source, source)
        try:
            check(document.text)
        except InvalidValue as error:
            raise InvalidInput("text", error.problem) from None
        text_sha256 = sha256(document.text.encode())
        if self._is_erased(text_sha256):
            raise Refused("this text was erased from the log: it is not taken in again")
        source_id = self.captured_as(given, document) or given.source_id or self._new_id()
        content = {**given.content(), "text_sha256": text_sha256}
        self.texts[source_id] = document.text
        self._buffer.suppose(f"source/{source_id}")
        self._resolver.suppose_text(source_id, document.text)
        return self._add("source.recorded", f"source/{source_id}", content, said)

    def _is_erased(self, text_sha256: str) -> bool:
        row = self._connection.execute(
            "SELECT 1 FROM source_texts WHERE text_sha256 = ? AND body IS NULL AND erased_by"
            " IS NOT NULL",
            (text_sha256,),
        )
        return row.fetchone() is not None

    def _add_payload(
        self,
        kind: str,
        subject: str,
        content: dict[str, Any],
        payload: str,
        said: Said,
        entry_id: str,
        notes: tuple[str, ...] = (),
        rows: FoldedContent | None = None,
    ) -> Receipt:
        """Keep the content in mind, and return the receipt of an entry that is not added."""
        what, _, key = subject.partition("/")
        if what == "source":
            self.sources[key] = content
        self.content = content
        entry = self._encoded(kind, subject, content, payload, said, entry_id)
        return new_receipt(entry, content, notes)
