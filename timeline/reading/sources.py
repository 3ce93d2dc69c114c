"""Reading sources: this finds their rows, and which of them were withdrawn as of any moment.

Guarantees: nothing here writes. A source is as it is known today; whether it is withdrawn is
as of the moment that is asked about.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from timeline.reading.as_of import NOW, AsOf
from timeline.reading.selection import folded
from timeline.store.rows import RowDict, as_dicts


def sources_by_id(
    connection: sqlite3.Connection, source_ids: Iterable[str], as_of: AsOf = NOW
) -> dict[str, RowDict]:
    """Return the rows of table `sources` with these ids, by id.

    They hold what is known of each source today, but whether it was withdrawn as of then.
    """
    ids = [*dict.fromkeys(source_ids)]
    select = "SELECT * FROM sources WHERE source_id = ?"
    found = (row for source_id in ids for row in as_dicts(connection.execute(select, (source_id,))))
    by_id = {row["source_id"]: row for row in found}
    if not as_of.is_now:
        then = withdrawals(connection, as_of, ids)
        for source_id, row in by_id.items():
            row["state"] = "withdrawn" if source_id in then else "current"
            row["withdrawn_reason"] = then.get(source_id, {}).get("reason")
    return by_id


def sources_at(connection: sqlite3.Connection, url: str) -> list[RowDict]:
    """Return the rows of the sources whose address names the same page as `url`, by id."""
    page = _page(url)
    rows = connection.execute(
        "SELECT * FROM sources WHERE instr(lower(url), ?) ORDER BY source_id", (page[0],)
    )
    return [row for row in as_dicts(rows) if _page(row["url"]) == page]


def sources_named(connection: sqlite3.Connection, text: str = "") -> list[RowDict]:
    """Return the rows of the sources that have all words of a text, the newest first.

    The words stand in title, publisher, authors, address or id, in any case and with any accents.
    Each row has `has_text`: whether the captured text is here.
    """
    words = folded(text).split()
    rows = connection.execute(
        "SELECT s.*, t.text_sha256 IS NOT NULL AS has_text FROM sources AS s"
        " LEFT JOIN source_texts AS t USING (text_sha256) ORDER BY source_key DESC"
    )
    fields = ("title", "publisher", "authors", "url", "source_id")
    found = (
        (row, folded(" ".join(row[field] or "" for field in fields))) for row in as_dicts(rows)
    )
    return [row for row, named in found if all(word in named for word in words)]


_TRACKING = re.compile(r"utm_\w+|fbclid|gclid")
"""Names of parameters that tell from where a reader comes, and nothing of the page."""


def _page(url: str) -> tuple[str, str, str]:
    """Return host, path and query of an address, without what makes no other page of it.

    That are http or https, "www.", a slash at the end, the fragment, and `_TRACKING` parameters.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return url.lower(), "", ""
    query = [each for each in parts.query.split("&") if not _TRACKING.match(each)]
    return host, parts.path.rstrip("/"), "&".join(query)


_WITHDRAWN = (
    "SELECT t.source_id, s.name AS title, t.reason"
    " FROM source_states AS t CROSS JOIN source_names AS s ON s.source_id = t.source_id"
    " WHERE t.state = 'withdrawn' AND t.seq = (SELECT max(u.seq) FROM source_states AS u"
    "   WHERE u.source_id = t.source_id AND u.seq <= ? AND u.reported_from <= ?)"
)


def withdrawals(
    connection: sqlite3.Connection, as_of: AsOf = NOW, source_ids: Sequence[str] | None = None
) -> dict[str, RowDict]:
    """Return the sources that were withdrawn as of then, by id: all, or those of these ids.

    Each has source_id, the title (or address, or id) of today, and the reason.
    """
    sql, values = _WITHDRAWN, [*as_of]
    if source_ids is not None:
        sql += " AND t.source_id IN (SELECT value FROM json_each(?))"
        values.append(json.dumps(source_ids))
    return {row["source_id"]: row for row in as_dicts(connection.execute(sql, values))}


def withdrawn_sources(connection: sqlite3.Connection, event_id: str) -> list[RowDict]:
    """Return the sources of an event that are withdrawn in these tables, in order of citation.

    For an event at risk they are what `query.get` has in `at_risk`.
    """
    return [
        *as_dicts(
            connection.execute(
                "SELECT source_id, n.name AS title, withdrawn_reason AS reason FROM sources"
                " JOIN source_names AS n USING (source_id) JOIN citations USING (source_id)"
                " WHERE event_id = ? AND state = 'withdrawn'"
                " GROUP BY source_id ORDER BY min(position)",
                (event_id,),
            )
        )
    ]
