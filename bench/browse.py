"""Measure facets, pages, pages of the past, searches and server memory of a large timeline.

Both sides of a comparison run in one process, in turn; each number is a median of five, in
processor time. It compares

* facets, on the browse page and on the table `events`, with Datasette's own facets of the same
  columns, without time limits (actors and sources, for which Datasette has no facet, with the
  SQL that counts them);
* each page with the same page of the smallest timeline;
* the page as known in the middle of the log, and the page as reported on the day in the middle
  of the story, with the page of now;
* a search with facets with a search of FTS5 only.

A search is measured twice: the first time, and again when its result is still in memory.
Run: python bench/browse.py [--keep FOLDER] [EVENTS ...]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import story
from datasette.app import Datasette
from datasette.facets import ArrayFacet, ColumnFacet, DateFacet
from datasette.utils.asgi import Request

from timeline.model import names
from timeline.reading.facet_index import FacetIndex, current
from timeline.reading.indexed_selection import IndexedSelection
from timeline.site import index_cache
from timeline.site.datasette_facets import LinkFacet, PeriodFacet, ValueFacet
from timeline.site.datasette_filters import VALUES
from timeline.site.serve import metadata_for
from timeline.store import storage

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 5
MOST = 30
"""The number of values of a facet: Datasette shows as many."""
ACTOR = names.actor_id_of("Actor 1")
EVERY = {"state": "all"}
SEARCH = {"search": "word12"}
LINKED = {"actor": ("event_actors", "actor_id"), "source": ("citations", "source_id")}
FACETS = {
    **{link.word: (ValueFacet, ColumnFacet, column) for column, link in VALUES.items()},
    "tag": (LinkFacet, ArrayFacet, "tags"),
    "actor": (LinkFacet, None, "actors"),
    "source": (LinkFacet, None, "sources"),
    "period": (PeriodFacet, DateFacet, "occurred"),
}
"""For each facet: our class on the table `events`, Datasette's class, and the column."""


class Case(NamedTuple):
    """A selection, written for the index, as the query string of a table page, and as SQL."""

    filters: dict[str, Any]
    text: str | None
    query: str
    where: str


CASES = {
    "everything": Case(EVERY, None, "", "1"),
    "one type": Case(
        {**EVERY, "event_type": "CONSULT"}, None, "event_type=CONSULT", "event_type = 'CONSULT'"
    ),
    "type, country and actor": Case(
        {**EVERY, "event_type": "AGREE", "country": "AFG", "actor": "Actor 1"},
        None,
        f"event_type=AGREE&country=AFG&_actor={ACTOR}",
        "event_type = 'AGREE' AND country = 'AFG' AND event_id IN"  # noqa: S608
        f" (SELECT event_id FROM event_actors WHERE actor_id = '{ACTOR}')",
    ),
    "a frequent word": Case(
        EVERY,
        '"word12"',  # without quotation marks, it would find every word that begins so
        "_search=word12",
        "event_key IN (SELECT rowid FROM event_search"
        " WHERE event_search MATCH escape_fts(:search))",
    ),
    "a quarter": Case(
        {**EVERY, "since": "2020-04", "until": "2020-06"},
        None,
        "_period=2020-34",
        "(occurred_to IS NULL OR occurred_to || '~' >= '2020-04-01')"
        " AND (occurred_from IS NULL OR occurred_from <= '2020-06-30~')",
    ),
}
PAGES = {
    "everything": {},
    "one type": {"type": "CONSULT"},
    "type, country and actor": {"type": "AGREE", "country": "AFG", "actor": "Actor 1"},
    "a frequent word": {"q": "word12"},
    "a quarter": {"since": "2020-04", "until": "2020-06"},
    "all but one type and actor": {"type!": "CONSULT", "actor!": "Actor 1"},
    "two actors together": {"actor": ("Actor 1", "Actor 2"), "actor_match": "all"},
    "10 to 20 killed": {"measure": "killed", "at_least": "10", "at_most": "20"},
}
SEARCHES = ("word0", "word12", "word500", "word15000")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("events", nargs="*", type=int, default=SIZES)
    parser.add_argument("--keep", type=Path, help="the timelines, to be used again")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = [story.built(asked.keep or Path(folder), count) for count in asked.events]
        asyncio.run(measure(files))


async def measure(files: list[Path]) -> None:
    smallest = None
    for path in files:
        with contextlib.closing(storage.connect(path)) as connection:
            started = time.process_time()
            index = current(connection, None)
            seconds = time.process_time() - started
            assert index
            print(f"\n{int(path.stem):,} events; the index is read in {seconds * 1000:,.0f} ms\n")
            datasette = await served(path)
            await facets(datasette, path, connection, index)
            smallest = smallest or datasette
            await shown(datasette, index, smallest)
            searches(connection, index)
        resident(path)


async def served(path: Path) -> Datasette:
    datasette = Datasette(
        [str(path)],
        metadata=metadata_for(path),
        settings={
            "sql_time_limit_ms": 600_000,
            "facet_time_limit_ms": 600_000,
            "suggest_facets": False,
            "default_page_size": 50,
        },
    )
    await datasette.invoke_startup()
    return datasette


async def in_turn(*sides: Callable[[], Awaitable[object]]) -> list[float]:
    """Return the median processor time of each side, in seconds, of all threads."""
    seconds: list[list[float]] = [[] for _ in sides]
    for _ in range(ROUNDS):
        for side, times in zip(sides, seconds, strict=True):
            started = time.process_time()
            await side()
            times.append(time.process_time() - started)
    return [statistics.median(times) for times in seconds]


async def facets(
    datasette: Datasette, path: Path, connection: sqlite3.Connection, index: FacetIndex
) -> None:
    print(
        f"{'facets alone':40}{'/events':>9}{'table':>12}{'Datasette':>14}{'ratio':>10}{'again':>10}"
    )
    for name, case in CASES.items():
        for facet, (own, theirs, column) in FACETS.items():

            async def on_browse(facet: str = facet, case: Case = case) -> object:
                index.kept.pop("found", None)
                return await on_browse_again(facet, case)

            async def on_browse_again(facet: str = facet, case: Case = case) -> object:
                chosen = IndexedSelection(connection, index, case.filters, case.text)
                return chosen.spans().months() if facet == "period" else chosen.choices(facet, MOST)

            async def on_table(own: Any = own, column: str = column, case: Case = case) -> object:
                forget(datasette, "found")
                return await on_table_again(own, column, case)

            async def on_table_again(
                own: Any = own, column: str = column, case: Case = case
            ) -> object:
                return await computed(datasette, path.stem, own, column, case)

            async def datasettes(
                theirs: Any = theirs, column: str = column, case: Case = case, facet: str = facet
            ) -> object:
                if theirs is None:
                    return await linked(datasette, path.stem, facet, case)
                return await computed(datasette, path.stem, theirs, column, case)

            browse, table, other, *again = await in_turn(
                *(on_browse, on_table, datasettes),
                *((on_browse_again, on_table_again) if case.text else ()),
            )
            print(
                f"{name:26}{facet:14}{browse * 1000:9,.1f} ms{table * 1000:9,.1f} ms"
                f"{other * 1000:11,.1f} ms{other / max(browse, table):9,.1f}"
                + (f"{other / max(again):10,.1f}" if again else ""),
                flush=True,
            )


async def computed(
    datasette: Datasette, database: str, kind: Any, column: str, case: Case
) -> object:
    """Compute a facet of the table page with one of the classes that Datasette uses."""
    name = {"column": "_facet"}.get(kind.type, f"_facet_{kind.type}")
    request = Request.fake(f"/{database}/events?{case.query}&{name}={column}")
    sql = f"select * from events where {case.where}"  # noqa: S608
    forget(datasette, "page")
    facet = kind(datasette, request, database, sql, "events", SEARCH, {}, None)
    results, timed_out = await facet.facet_results()
    assert results
    assert not timed_out
    return results


def forget(datasette: Datasette, what: str) -> None:
    """Drop a result that the index keeps: the events of a page, or those of a search."""
    for index in index_cache._indexes.get(datasette, {}).values():
        index.kept.pop(what, None)


async def linked(datasette: Datasette, database: str, facet: str, case: Case) -> object:
    """Count a facet in SQL for which Datasette has no facet."""
    table, column = LINKED[facet]
    return await datasette.execute(
        database,
        f"WITH selected AS (select * from events where {case.where})"  # noqa: S608
        f" SELECT {column}, count(DISTINCT event_id) FROM {table}"
        " WHERE event_id IN (SELECT event_id FROM selected) GROUP BY 1"
        " ORDER BY 2 DESC LIMIT 31",
        SEARCH,
    )


async def shown(datasette: Datasette, index: FacetIndex, smallest: Datasette) -> None:
    """Time pages of now, pages of `smallest`, and pages as known and as reported in the middle."""
    print(
        f"\n{'pages':26}{'smallest':>12}{'now':>12}{'ratio':>9}{'known':>12}{'to now':>9}"
        f"{'reported':>12}{'to now':>9}"
    )
    middle = (story.FIRST + timedelta(days=story.DAYS // 2)).isoformat()
    for name, arguments in PAGES.items():
        now = f"/events?{urlencode(arguments, doseq=True)}"
        known = f"/events?{urlencode({**arguments, 'as_of': f'#{index.seq // 2}'}, doseq=True)}"
        reported = f"/events?{urlencode({**arguments, 'as_reported': middle}, doseq=True)}"
        for again in ("", ", again") if "q" in arguments else ("",):

            def side(
                which: Datasette, path: str, again: str = again
            ) -> Callable[[], Awaitable[None]]:
                return lambda: asked(which, path, is_first=not again)

            small, ours, *past = await in_turn(
                *(side(smallest, now), side(datasette, now)),
                *(side(datasette, known), side(datasette, reported)),
            )
            print(
                f"{name + again:26}{small * 1000:9,.1f} ms{ours * 1000:9,.1f} ms{ours / small:9.2f}"
                + "".join(f"{then * 1000:9,.1f} ms{then / ours:9.2f}" for then in past),
                flush=True,
            )


async def asked(datasette: Datasette, path: str, *, is_first: bool) -> None:
    if is_first:
        forget(datasette, "found")
    answer = await datasette.client.get(path)
    assert answer.status_code == 200, (path, answer.text[:500])


def searches(connection: sqlite3.Connection, index: FacetIndex) -> None:
    print(f"\n{'a search':28}{'facets':>12}{'again':>12}{'FTS5 alone':>13}{'ratio':>9}{'again':>9}")
    for word in SEARCHES:

        def alone(word: str = word) -> int:
            found = connection.execute(
                "SELECT rowid FROM event_search WHERE event_search MATCH ?", (f'"{word}" *',)
            )
            return len(found.fetchall())

        def with_facets(word: str = word) -> None:
            index.kept.pop("found", None)
            again(word)

        def again(word: str = word) -> None:
            chosen = IndexedSelection(connection, index, {"state": "all"}, word)
            chosen.spans().months()
            for facet in FACETS.keys() - {"period"}:
                chosen.choices(facet, MOST)

        times: list[list[float]] = [[], [], []]
        for _ in range(ROUNDS):
            for run, into in zip((with_facets, again, alone), times, strict=True):
                started = time.process_time()
                run()
                into.append(time.process_time() - started)
        ours, repeated, fts = map(statistics.median, times)
        print(
            f"{word:10}{alone():>12,} found{ours * 1000:9,.1f} ms{repeated * 1000:9,.1f} ms"
            f"{fts * 1000:10,.1f} ms{ours / fts:9,.2f}{repeated / fts:9,.2f}",
            flush=True,
        )


def resident(path: Path) -> None:
    """Print the memory of a server that has answered some requests."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "timeline", "-d", str(path), "serve", "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as server:
        try:
            several = "?type=CONSULT&country=AFG&actor=Actor+1"
            for query in (
                "",
                "?as_of=%235000",
                "?as_reported=2020-01-01",
                "?q=word12",
                "?q=word15000",
                several,
            ):
                fetch(f"http://127.0.0.1:{port}/events{query}")
            status = Path(f"/proc/{server.pid}/status").read_text()
        finally:
            server.terminate()
    now, most = (re.search(rf"{name}:\s+(\d+)", status)[1] for name in ("VmRSS", "VmHWM"))  # type: ignore[index]
    print(f"\nmemory of a server: {int(now) // 1024} MB, at most {int(most) // 1024} MB")


def fetch(address: str) -> None:
    for _ in range(300):
        with contextlib.suppress(ConnectionError, urllib.error.URLError):
            urllib.request.urlopen(address).read()  # noqa: S310
            return
        time.sleep(0.1)


if __name__ == "__main__":
    main()
