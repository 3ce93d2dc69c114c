"""Put what a log names by a code or an id into words, in the current language.

Guarantees: everything returned is plain text; whoever shows it must escape it. Nothing here writes.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable

from timeline.errors import NotFound
from timeline.formats import prose
from timeline.formats.labels import event_type_label, label
from timeline.formats.prose import Fields
from timeline.languages.translation import gettext
from timeline.reading import query
from timeline.reading.as_of import NOW, AsOf
from timeline.reading.entries import erasure_of
from timeline.reading.references import resolve_entry
from timeline.reading.sources import sources_by_id
from timeline.store import log
from timeline.store.rows import RowDict
from timeline.texts.pages import PAGE_BREAK


class Names:
    """A reader of the names that a log gives to event types, events and sources.

    Events, and whether a source was withdrawn, are read as of `as_of`. Labels of event types and
    titles of sources are those of today.
    """

    def __init__(self, connection: sqlite3.Connection, as_of: AsOf = NOW) -> None:
        self._connection = connection
        self._as_of = as_of

    @functools.cached_property
    def labels(self) -> dict[str, str]:
        """Return the labels of event types, by code."""
        labels = query.labels(self._connection)
        return {code: event_type_label(code, label) for code, label in labels.items()}

    @functools.cached_property
    def language(self) -> str:
        """Return the language of the log."""
        return str(log.info(self._connection).get("language", "en"))

    @functools.cached_property
    def time_zone(self) -> str:
        """Return the time zone of the log."""
        return log.time_zone(self._connection)

    def event_type(self, code: str) -> str:
        """Return the label of an event type, "Agreement" for AGREE; without a label the code."""
        return self.labels.get(code, code)

    def event(self, event_id: str) -> str:
        """Return title and id of an event, "Talks in Odesa (talks)".

        Returns only the id if the log had no such event as of then.
        """
        try:
            event = query.get(self._connection, event_id, as_of=self._as_of)
        except NotFound:
            return event_id
        return f"{prose.title(event)} ({event_id})"

    def actor(self, actor: str) -> str:
        """Return the name of the actor with an id; another text as it is."""
        query = "SELECT name FROM actors WHERE actor_id = ?"
        row = self._connection.execute(query, (actor,)).fetchone()
        return str(row[0]) if row else actor

    def erased(self, event: Fields) -> str:
        """Return the sentence that tells when and why what an event said was erased."""
        return prose.erased(erasure_of(self._connection, event["seq"]), "What it said")

    def source(self, source_id: str) -> str:
        """Return the title of a source; without one its URL, else its id."""
        source = self._source(source_id)
        return str(source.get("title") or source.get("url") or source_id)

    def named(self, source_id: str) -> dict[str, str | None]:
        """Return the title of a source, as `source` does, and its language if that is known."""
        language = self._source(source_id).get("language")
        return {"title": self.source(source_id), "language": language}

    def citation(self, citation: Fields) -> str:
        """Return a citation in words: title, publisher and date of its source, page and quote.

        A withdrawn source is marked "WITHDRAWN".
        """
        source = self._source(citation["source_id"])
        page = self._page(citation)
        return prose.listed(
            self.source(citation["source_id"]),
            source.get("publisher"),
            prose.date(source.get("published")),
            gettext("page {number}").format(number=page) if page else None,
            f'"{citation["quote"].replace(PAGE_BREAK, " ")}"' if "quote" in citation else None,
            gettext("WITHDRAWN") if source.get("state") == "withdrawn" else None,
        )

    def addresses(self, source_id: str) -> list[str]:
        """Return the address of a source and that of its copy in an archive, those it has."""
        source = self._source(source_id)
        return [source[name] for name in ("url", "archive_url") if source.get(name)]

    def relation(self, relation: Fields) -> str:
        """Return a relation to another event, such as "part of Talks in Odesa (talks)"."""
        return gettext("{relation} {event}").format(
            relation=label("relation", relation["type"]), event=self.related_event(relation)
        )

    def related_event(self, relation: Fields) -> str:
        """Return the other event of a relation: "Talks (talks)", or "talks of example.org/x"."""
        if "origin" in relation:
            return gettext("{event} of {log}").format(
                event=relation["event_id"], log=relation["origin"]
            )
        return self.event(relation["event_id"])

    @functools.cached_property
    def _page(self) -> Callable[[Fields], int | None]:
        from timeline.reading.captured_texts import cited_pages  # not loaded for lists

        return cited_pages(self._connection)

    def _source(self, source_id: str) -> RowDict:
        return sources_by_id(self._connection, [source_id], self._as_of).get(source_id, {})


def erased_sides(connection: sqlite3.Connection, compared: Fields) -> list[str]:
    """Return one sentence for each compared version that was erased: when, and why.

    `compared` is what `comparison.compare` returned.
    """
    sides = (compared["before"], compared["after"])
    versions = [side["version"] for side in sides if side and side["state"] == "erased"]
    return [
        prose.erased(
            erasure_of(connection, resolve_entry(connection, f"{compared['event_id']}@{version}")),
            gettext("what version {number} said").format(number=version),
        )
        for version in dict.fromkeys(versions)
    ]
