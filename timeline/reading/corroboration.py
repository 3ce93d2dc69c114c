"""Corroboration: this counts the independent origins that the sources of an event have.

Guarantees: nothing here writes. Sources with one text are one origin, whoever published it.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from timeline.languages.translation import gettext, ngettext
from timeline.reading.as_of import NOW, AsOf
from timeline.reading.captured_texts import body
from timeline.reading.sources import sources_by_id
from timeline.store.rows import RowDict, as_dicts
from timeline.texts.reprints import fingerprint, same_words

_COMPARED = 100_000
"""Characters at the beginning of a text that are compared with another one."""


def origins(
    connection: sqlite3.Connection,
    source_ids: Iterable[str],
    enough: int,
    as_of: AsOf = NOW,
) -> list[list[str]]:
    """Group sources by origin; the search ends when `enough` origins are found.

    Sources have one origin if their captured texts are the same, or reprints of the text of the
    first of them (`reprints.same_words`), whoever published them. A source without a text is an
    origin of its own; a source that was withdrawn by then is left out.
    """
    prints = functools.cache(functools.partial(_fingerprint, connection))
    found: list[tuple[str | None, list[str]]] = []
    for source_id in dict.fromkeys(source_ids):
        source = sources_by_id(connection, [source_id], as_of).get(source_id)
        if source is None or source["state"] == "withdrawn":
            continue
        text = source["text_sha256"]
        for first, members in found:
            if first and text and (first == text or same_words(prints(first), prints(text))):
                members.append(source_id)
                break
        else:
            found.append((text, [source_id]))
        if len(found) == enough:
            break
    return [members for _, members in found]


def uncorroborated(
    connection: sqlite3.Connection, source_ids: Iterable[str], as_of: AsOf = NOW
) -> str:
    """Explain why an event is not corroborated by these sources; "" if they have two origins."""
    found = origins(connection, source_ids, 2, as_of)
    if len(found) > 1:
        return ""
    if not found:
        return gettext("corroborated, but it cites no source that stands")
    if len(found[0]) > 1:
        text = ngettext(
            "corroborated, but its {number} source has one text: that is one origin",
            "corroborated, but its {number} sources have one text: that is one origin",
            len(found[0]),
        )
        return text.format(number=len(found[0]))
    return gettext("corroborated, but it rests on one source alone")


def uncorroborated_event(
    connection: sqlite3.Connection, event: Mapping[str, Any], as_of: AsOf = NOW
) -> str:
    """Explain why an event that is called corroborated is not, as `uncorroborated` does; else "".

    `event` is as `query.get` returns it as of then.
    """
    if event.get("verification") != "corroborated":
        return ""
    source_ids = (citation["source_id"] for citation in event.get("citations", ()))
    return uncorroborated(connection, source_ids, as_of)


def _fingerprint(connection: sqlite3.Connection, text_sha256: str | None) -> frozenset[str]:
    """Return the fingerprint of a text; of an absent text an empty one, which is like no other."""
    return fingerprint((body(connection, text_sha256) or "")[:_COMPARED])


def same_text(connection: sqlite3.Connection, source_id: str) -> list[RowDict]:
    """Return the rows of other sources with the same text as this one, 20 at most.

    A reprint counts too, if an event cites both sources.
    """
    candidates = as_dicts(
        connection.execute(
            "SELECT o.* FROM sources AS s JOIN sources AS o ON o.source_id <> s.source_id"
            " WHERE s.source_id = ?1 AND (o.text_sha256 = s.text_sha256"
            "  OR (s.text_sha256 IS NOT NULL AND o.text_sha256 IS NOT NULL AND o.source_id IN"
            "   (SELECT b.source_id FROM citations AS a JOIN citations AS b USING (event_id)"
            "     WHERE a.source_id = ?1)))"
            " ORDER BY o.text_sha256 = s.text_sha256 DESC, o.source_key LIMIT 20",
            (source_id,),
        )
    )
    own = sources_by_id(connection, [source_id])[source_id]["text_sha256"]
    print_of_own = _fingerprint(connection, own)
    return [
        row
        for row in candidates
        if own == row["text_sha256"]
        or same_words(print_of_own, _fingerprint(connection, row["text_sha256"]))
    ]
