"""Find events whose date was read from "before" or "after" when these words included their date.

Guarantees: a row or a statement that says what it said then is the same; nothing is rewritten.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from timeline.model import typed_dates


class FormerDates:
    """Collects the words of dates that the log has as they were read before."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        """Ask `connect` for a connection only where a date may have been read otherwise."""
        self._connect = connect
        self._kept: list[str] = []

    def keep(self, words: str, known: str | None) -> bool:
        """Return whether an event with the date `known` says what the words meant; remember it."""
        is_kept = known is not None and typed_dates.former(words) == known
        if is_kept:
            self._kept.append(" ".join(words.split()))
        return is_kept

    def date_of(self, statement: Mapping[str, Any]) -> str | None:
        """Return the date in the log of the event that a statement repeats in the former words.

        Returns None for any other statement.
        """
        words = statement.get("occurred")
        if not isinstance(words, str) or typed_dates.former(words) is None:
            return None
        event_id, external = statement.get("event_id"), statement.get("external_ids") or ()
        for known in self._dates(event_id, external if isinstance(external, list | tuple) else ()):
            if self.keep(words, known):
                return known
        return None

    def _dates(self, event_id: object, external_ids: Iterable[object]) -> Iterable[str]:
        texts = [each for each in external_ids if isinstance(each, str)]
        for each in texts:
            yield from self._found(
                "SELECT e.occurred FROM event_external_ids AS x JOIN events AS e USING (event_id)"
                " WHERE x.external_id = ?",
                each,
            )
        if isinstance(event_id, str):
            yield from self._found("SELECT occurred FROM events WHERE event_id = ?", event_id)

    def _found(self, sql: str, value: str) -> list[str]:
        return [date for (date,) in self._connect().execute(sql, (value,)) if date]

    @property
    def notes(self) -> list[str]:
        """Return the note for a person, once for all rows; none if there is nothing to say."""
        if not self._kept:
            return []
        words = self._kept[0]
        count = len(self._kept)
        rows = "1 row keeps what it says" if count == 1 else f"{count} rows keep what they say"
        return [
            f'"{words}" now leaves {words.partition(" ")[2]} out; {rows}: `timeline correct` '
            "changes them"
        ]
