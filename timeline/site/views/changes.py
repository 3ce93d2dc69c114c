"""Read what the changes page, its JSON and its feed show: which entries changed an event, and why.

Guarantees: every update, correction, retraction, reinstatement and merge is listed, newest first. A
comparison of two moments has exactly the events that had another version at the end than at the
start, in pages. Reads on the connection it is given; knows no request and no template.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from timeline.errors import InvalidInput
from timeline.formats import prose, prose_changes
from timeline.formats.about import About, in_words
from timeline.formats.exporters import atom
from timeline.formats.log_names import Names, erased_sides
from timeline.formats.markup import escaped
from timeline.languages import translation
from timeline.languages.translation import gettext, ngettext
from timeline.reading import comparison, deadline, query
from timeline.reading.as_of import NOW
from timeline.reading.entries import erasure_of
from timeline.reading.facet_index import FacetIndex
from timeline.site.arguments import whole_number
from timeline.site.views import change_feed
from timeline.site.views.address import Address
from timeline.site.views.browse import selected
from timeline.site.views.change_feed import KINDS
from timeline.store import log
from timeline.store.rows import RowDict, as_dicts

PAGE_SIZE = 50
"""The number of changes on a page."""


def stream(
    connection: sqlite3.Connection,
    *,
    kind: str = "",
    before: int | None = None,
    limit: int = PAGE_SIZE,
) -> Iterator[dict[str, Any]]:
    """Yield the entries that changed an event, newest first, each with its changes in words.

    `kind` is one of KINDS, and any other text stands for all of them; with `before`, only entries
    with a lower `seq` are listed.
    """
    names = Names(connection)
    kinds = [kind] if kind in KINDS else [*KINDS]
    marks = ", ".join("?" * len(kinds))
    cursor = connection.execute(
        "SELECT v.*, e.title, e.state AS state_now, e.at_risk"  # noqa: S608
        " FROM event_versions AS v JOIN events AS e"
        f" USING (event_id) WHERE v.seq < ? AND v.kind IN ({marks}) AND v.version > 1"
        " ORDER BY v.seq DESC LIMIT ?",
        (2**62 if before is None else before, *(f"event.{kind}" for kind in kinds), limit),
    )
    for row in list(as_dicts(cursor)):
        deadline.check()
        stood = query.get(connection, row["event_id"], version=row["version"])
        steps = as_dicts(
            connection.execute(
                "SELECT path, old_value, new_value FROM field_changes"
                " WHERE event_id = ? AND version = ? ORDER BY position",
                (row["event_id"], row["version"]),
            )
        )
        row["changes"] = [*steps]
        gone = erasure_of(connection, row["seq"])
        yield {
            **row,
            "title": prose.title(row),
            "verb": row["kind"].partition(".")[2],
            "recorded": prose.instant(row["recorded_at"]),
            "words": prose_changes.shortened(prose_changes.in_words(names, row["changes"], stood)),
            "erased": prose.erased(gone, gettext("What it said")) if gone else "",
        }


def _between(
    connection: sqlite3.Connection, given: Mapping[str, str], index: FacetIndex | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Return events that differ between two moments, and where the next page begins.

    The differences are in words. Raises InvalidInput, NotFound for what is no moment of this log.
    """
    names = Names(connection)
    found = comparison.changes_page(
        connection,
        given["from"],
        given.get("to"),
        reported=given.get("clock") == "reported",
        after=given.get("after"),
        size=PAGE_SIZE,
        index=index,
    )
    rows = [
        {
            **row,
            "words": prose_changes.shortened(_in_words(connection, names, row)),
            "erased": erased_sides(connection, row),
        }
        for row in found.rows
    ]
    return rows, found.after


def _in_words(
    connection: sqlite3.Connection, names: Names, row: RowDict
) -> Iterator[prose_changes.Change]:
    before, after = row["before"], row["after"]
    if before and after and "erased" not in (before["state"], after["state"]):
        stands = query.get(connection, row["event_id"], version=after["version"])
        yield from prose_changes.in_words(names, row["changes"], stands)


def changes_feed(
    connection: sqlite3.Connection, address_of: Callable[[str], str], self_url: str
) -> str:
    """Return the newest changes as an Atom feed (RFC 4287) with one entry for each log entry.

    `address_of` makes an absolute address of a path below /events/.
    """
    info = log.info(connection)
    about = About(info, filters={"feed": "changes"}, self_url=self_url)
    rows, _ = _first_page(stream(connection))
    parts = [atom.heading(about, rows[0]["recorded_at"] if rows else atom.NEVER)]
    for row in rows:
        urn = atom.permanent_id(info.get("origin", ""), "entry", str(row["seq"]))
        lines = [row["reason"] or "", row["erased"], *map(str, row["words"])]
        parts.append(_atom_entry(urn, row, lines, address_of))
    return "".join([*parts, "</feed>\n"])


def corrections_feed(
    connection: sqlite3.Connection,
    address: Address,
    index: FacetIndex | None,
    address_of: Callable[[str], str],
    self_url: str,
) -> str:
    """Return the newest corrections, retractions and take-backs as Atom, an entry for each act.

    They are those of the events that an address chooses, in whatever state. The id of an act is
    that of its first entry in the log, whatever is chosen. Raises InvalidInput for an address with
    a moment, and TimelineError for one whose values cannot be read.
    """
    for moment in ("as_of", "as_reported"):
        if getattr(address, moment):
            raise InvalidInput(moment, "a feed of corrections is always of now: leave this out")
    address = address.of_any_state()
    info = log.info(connection)
    with selected(connection, NOW, index, address) as chosen:
        acts = change_feed.corrections(connection, chosen)
    filters = {**in_words(address.filters), **({"q": address.q} if address.q else {})}
    about = About(info, filters={"feed": "corrections", **filters}, self_url=self_url)
    parts = [atom.heading(about, acts[0].change["recorded_at"] if acts else atom.NEVER)]
    for act in acts:
        row = act.change
        first = str(change_feed.first_entry_of(connection, act))
        urn = atom.permanent_id(info.get("origin", ""), "act", first)
        others = _others(act)
        lines = [row["reason"] or "", row["erased"], *map(str, row["words"]), *others]
        parts.append(_atom_entry(urn, row, lines, address_of))
    return "".join([*parts, "</feed>\n"])


def _others(act: change_feed.Act) -> list[str]:
    """Return a line that names the other events of an act, and one that counts the rest."""
    also, more = "; ".join(other["title"] for other in act.others), act.more
    lines = [gettext("The same for {events}").format(events=also)] if also else []
    if more:
        said = ngettext("and for {number} more event", "and for {number} more events", more)
        lines.append(said.format(number=translation.number(more)))
    return lines


def _atom_entry(
    urn: str, row: Mapping[str, Any], lines: Iterable[str], address_of: Callable[[str], str]
) -> str:
    """Return the entry of a feed for a change, with these lines as its text."""
    text = "".join(f"<p>{escaped(line)}</p>" for line in lines if line)
    path = f"{row['event_id']}/{row['version']}"
    return (
        "<entry>\n"
        f"<id>{urn}</id>\n"
        f"<title>{escaped(row['title'])}: {row['verb']}</title>\n"
        f"<updated>{row['recorded_at']}</updated>\n"
        f'<link href="{escaped(address_of(path))}"/>\n'
        f'<category term="{row["verb"]}"/>\n'
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">'
        f"{text}</div></content>\n</entry>\n"
    )


def changes_page(
    connection: sqlite3.Connection, given: Mapping[str, str], index: FacetIndex | None = None
) -> dict[str, Any]:
    """Return all that the page shows, from the index if there is one.

    `given` are its parameters: kind, all, before, from, to, clock and after. Raises InvalidInput,
    NotFound for a `from` or a `to` that is no moment of this log, and InvalidInput for a `before`
    or an `after` that names no place.
    """
    compared, after = _compared(connection, given, index)
    found = change_feed.feed(
        connection,
        kind=given.get("kind", ""),
        before=_before(given),
        with_curation="all" in given,
    )
    zone, newest = log.time_zone(connection), log.newest(connection)
    kind = {"kind": given["kind"]} if given.get("kind") in KINDS else {}
    every = {"all": "1"} if "all" in given else {}
    return {
        "given": given,
        "kinds": KINDS,
        "counts": change_feed.counts(connection) if index is None else {},
        "compared": compared,
        "more": after and f"?{urlencode({**_moments(given), 'after': after})}",
        "updated": newest and prose.local_instant(newest.recorded_at, zone),
        "clock": prose.clock_name(zone),
        **found,
        "following": found["next"] is not None
        and f"?{urlencode({'before': found['next'], **kind, **every})}",
        "with_all": f"?{urlencode({**kind, 'all': '1'})}",
    }


def _before(given: Mapping[str, str]) -> int | None:
    return whole_number("before", given.get("before", ""))


def _compared(
    connection: sqlite3.Connection, given: Mapping[str, str], index: FacetIndex | None
) -> tuple[list[dict[str, Any]] | None, str | None]:
    return _between(connection, given, index) if given.get("from") else (None, None)


def _first_page(
    rows: Iterator[dict[str, Any]], size: int = PAGE_SIZE
) -> tuple[list[dict[str, Any]], bool]:
    """Return the rows of a page, and whether they are all.

    A page has `size` rows. One of PAGE_SIZE rows or fewer may be shorter, with
    comparison.LONGEST_PAGE characters of changes.
    """
    page: list[dict[str, Any]] = []
    length = 0
    for row in rows:
        is_long = size <= PAGE_SIZE and length >= comparison.LONGEST_PAGE
        if len(page) == size or is_long:
            return page, False
        page.append(row)
        length += comparison.length_of(row["changes"])
    return page, True


def _moments(given: Mapping[str, str]) -> dict[str, str]:
    return {name: given[name] for name in ("from", "to", "clock") if name in given}


_KEYS = (
    "event_id",
    "title",
    "version",
    "seq",
    "kind",
    "state",
    "merged_into",
    "recorded_at",
    "reported_at",
    "author",
    "reason",
    "changes",
)


def changes_json(
    connection: sqlite3.Connection,
    given: Mapping[str, str],
    index: FacetIndex | None = None,
    *,
    size: int = PAGE_SIZE,
) -> dict[str, Any]:
    """Return as JSON the changes, `size` on a page, and the comparison of the page.

    `changes` has `before` as the parameter for its next page, and `compared` has `after`.
    """
    compared, after = _compared(connection, given, index)
    rows, is_last = _first_page(
        stream(
            connection,
            kind=given.get("kind", ""),
            before=_before(given),
            limit=size + 1,
        ),
        size,
    )
    return {
        "changes": [{key: row[key] for key in _KEYS} for row in rows],
        "before": None if is_last else rows[-1]["seq"],
        "compared": compared
        and [{k: row[k] for k in row if k not in ("words", "erased")} for row in compared],
        "after": after,
    }
