"""Read what the page about a timeline shows: who keeps it, how, and how complete it is.

Guarantees: everything is of the log itself, so the page cannot promise what the log does not hold.
Reads on the connection it is given; knows no request and no template.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Any

from timeline.errors import NoText
from timeline.formats import prose
from timeline.proof import checkpoints
from timeline.reading.as_of import NOW
from timeline.reading.captured_texts import coverage
from timeline.reading.facet_index import FacetIndex
from timeline.site.views.address import Address
from timeline.site.views.browse import selected
from timeline.site.views.glossary import words
from timeline.site.views.masthead import masthead
from timeline.store import log
from timeline.store.rows import as_dicts

_TEXTS = 20
"""The number of captured texts, the newest ones, whose sentences are counted: 20 take 30 ms."""
_LONGEST = 20_000
"""Characters of a text whose sentences are counted."""
_NEWEST = 200
"""The number of events, the newest ones, among which the example is looked for."""

_SOURCES = """
SELECT count(*) AS count, count(text_sha256) AS captured, count(DISTINCT publisher) AS publishers,
       coalesce(sum(state = 'withdrawn'), 0) AS withdrawn
  FROM sources
"""

_UNDATED = """
SELECT count(*) FROM events
 WHERE occurred_from IS NULL AND occurred_to IS NULL AND state = 'current'
"""

_EXAMPLE = """
SELECT e.* FROM (SELECT * FROM current_events ORDER BY seq DESC LIMIT ?) AS e
  JOIN event_versions AS first ON first.event_id = e.event_id AND first.version = 1
 WHERE e.reported_at IS NOT NULL AND first.reported_at IS NOT NULL
   AND coalesce(e.occurred_from, e.occurred_to) IS NOT NULL
 ORDER BY e.corrections_count > 0 DESC, e.reported_at > first.reported_at DESC, e.seq DESC
 LIMIT 1
"""

_VERSIONS = """
SELECT version, reported_at, recorded_at FROM event_versions
 WHERE event_id = ? AND version IN (1, ?) ORDER BY version
"""


def about_page(connection: sqlite3.Connection, index: FacetIndex | None) -> dict[str, Any]:
    """Return what the page shows.

    `sources` counts the sources, `unknown` the events without a date, `sentences` those of the
    newest captured texts by their state. `example` is an event with its three clocks
    in words; None if no event has all of them.
    """
    info = log.info(connection)
    (sources,) = as_dicts(connection.execute(_SOURCES))
    with selected(connection, NOW, index, Address()) as chosen:
        counts = {
            "count": chosen.count(),
            "corrected": chosen.corrected(),
            "verification": chosen.choices("verification").rows,
            "at_risk": sum(row["count"] for row in chosen.choices("at_risk").rows),
        }
    return {
        **counts,
        **masthead(connection, info),
        "sources": sources,
        "unknown": connection.execute(_UNDATED).fetchone()[0],
        "sentences": _sentences(connection),
        "texts": min(sources["captured"], _TEXTS),
        "example": _example(connection),
        "words": words(),
        "checkpoint": checkpoints.newest(connection),
        "began": _began(connection),
    }


def _began(connection: sqlite3.Connection) -> str:
    first = log.entry_at(connection, 0)
    return prose.local_instant(first.recorded_at, log.time_zone(connection)) if first else ""


def _sentences(connection: sqlite3.Connection) -> Counter[str]:
    found: Counter[str] = Counter()
    for (source_id,) in connection.execute(
        "SELECT source_id FROM sources WHERE text_sha256 IS NOT NULL ORDER BY seq DESC LIMIT ?",
        (_TEXTS,),
    ).fetchall():
        try:
            read = coverage(connection, source_id, _LONGEST)
        except NoText:
            continue
        found.update(sentence.state for sentence in read.sentences)
    return found


def _example(connection: sqlite3.Connection) -> dict[str, Any] | None:
    found = next(as_dicts(connection.execute(_EXAMPLE, (_NEWEST,))), None)
    if found is None:
        return None
    versions = connection.execute(_VERSIONS, (found["event_id"], found["version"]))
    zone = log.time_zone(connection)
    return {
        "event_id": found["event_id"],
        "title": prose.title(found),
        "occurred": prose.when(found),
        "versions": [
            (version, prose.date(reported), prose.instant(recorded, zone))
            for version, reported, recorded in versions
        ],
    }
