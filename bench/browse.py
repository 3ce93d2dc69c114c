"""Facets, pages, looks into the past and searches of a large timeline, against what else there is.

Both sides in one process, in turn, medians of five: facets alone against Datasette's own for
the same columns, its time limits off (of actors and sources, which it has none for, against
the SQL that counts them); pages against the page of the smallest timeline; the page as known
in the middle of the log against that of now; a search with facets against FTS5 alone. Then the
memory of a server. Run: python bench/browse.py [--keep FOLDER] [EVENTS ...]
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
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import story
from datasette.app import Datasette
from datasette.facets import ArrayFacet, ColumnFacet
from datasette.utils.asgi import Request

from timeline import schema
from timeline.facets import FacetIndex, IndexedSelection, current
from timeline.site.serve import metadata_for

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 5
COLUMNS = {
    "event_type": "event_type",
    "country": "country",
    "modality": "modality",
    "verification": "verification",
    "precision": "occurred_precision",
    "state": "state",
}
LINKED = {"actor": ("event_actors", "actor_id"), "source": ("citations", "source_id")}
FACETS = (*COLUMNS, "tag", *LINKED)
ACTOR = "SELECT event_id FROM event_actors WHERE actor_id = (SELECT actor_id FROM actors"
SELECTIONS: dict[str, tuple[dict[str, Any], str | None, str]] = {
    "everything": ({"state": "all"}, None, "1"),
    "one type": ({"state": "all", "event_type": "CONSULT"}, None, "event_type = 'CONSULT'"),
    "type, country and actor": (
        {"state": "all", "event_type": "AGREE", "country": "AFG", "actor": "Actor 1"},
        None,
        "event_type = 'AGREE' AND country = 'AFG'"
        f" AND event_id IN ({ACTOR} WHERE name = 'Actor 1'))",
    ),
    "a frequent word": (
        {"state": "all"},
        "word12",
        "event_key IN (SELECT rowid FROM event_search WHERE event_search MATCH 'word12')",
    ),
    "a quarter": (
        {"state": "all", "since": "2020-04", "until": "2020-06"},
        None,
        "occurred_to || '~' >= '2020-04-01' AND occurred_from <= '2020-06-30~'",
    ),
}
PAGES = {
    "everything": {},
    "one type": {"type": "CONSULT"},
    "type, country and actor": {"type": "AGREE", "country": "AFG", "actor": "Actor 1"},
    "a frequent word": {"q": "word12"},
    "a quarter": {"since": "2020-04", "until": "2020-06"},
}
SEARCHES = ("word0", "word12", "word500", "word15000")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("events", nargs="*", type=int, default=SIZES)
    parser.add_argument("--keep", type=Path, help="the timelines, to be used again")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = [built(asked.keep or Path(folder), count) for count in asked.events]
        asyncio.run(measure(files))


def built(folder: Path, count: int) -> Path:
    path = folder / f"{count}.db"
    if not path.exists():
        story.build(path, count)
    return path


async def measure(files: list[Path]) -> None:
    smallest: dict[str, float] = {}
    for path in files:
        with contextlib.closing(schema.connect(path)) as connection:
            started = time.perf_counter()
            index = current(connection, None)
            seconds = time.perf_counter() - started
            assert index
            print(f"\n{int(path.stem):,} events; the index is read in {seconds * 1000:,.0f} ms\n")
            datasette = await served(path)
            await facets(datasette, path, connection, index)
            pages = await shown(datasette, index, smallest)
            smallest = smallest or pages
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
    """The median seconds of each side."""
    seconds: list[list[float]] = [[] for _ in sides]
    for _ in range(ROUNDS):
        for side, times in zip(sides, seconds, strict=True):
            started = time.perf_counter()
            await side()
            times.append(time.perf_counter() - started)
    return [statistics.median(times) for times in seconds]


def line(name: str, what: str, ours: float, theirs: float) -> None:
    times = f"{ours * 1000:9,.1f} ms{theirs * 1000:11,.1f} ms"
    print(f"{name:26}{what:14}{times}{theirs / ours:9,.1f} times", flush=True)


async def facets(
    datasette: Datasette, path: Path, connection: sqlite3.Connection, index: FacetIndex
) -> None:
    print(f"{'facets alone':40}{'index':>12}{'Datasette':>14}")
    for name, (filters, text, where) in SELECTIONS.items():
        for facet in FACETS:

            async def ours(
                facet: str = facet, filters: Any = filters, text: str | None = text
            ) -> object:
                return IndexedSelection(connection, index, filters, text).choices(facet)

            async def theirs(facet: str = facet, where: str = where) -> object:
                return await datasettes(datasette, path.stem, facet, where)

            line(name, facet, *await in_turn(ours, theirs))


async def datasettes(datasette: Datasette, database: str, facet: str, where: str) -> object:
    """A facet as Datasette computes it for its table page."""
    sql = f"select * from events where {where}"  # noqa: S608
    if facet in LINKED:
        table, column = LINKED[facet]
        return await datasette.execute(
            database,
            f"WITH selected AS ({sql}) SELECT {column}, count(DISTINCT event_id) FROM {table}"  # noqa: S608
            " WHERE event_id IN (SELECT event_id FROM selected) GROUP BY 1"
            " ORDER BY 2 DESC LIMIT 31",
        )
    argument, column = ("_facet_array", "tags") if facet == "tag" else ("_facet", COLUMNS[facet])
    kind = ArrayFacet if facet == "tag" else ColumnFacet
    request = Request.fake(f"/{database}/events?{argument}={column}")
    counted = kind(datasette, request, database, sql, "events", {}, {}, None)
    results, timed_out = await counted.facet_results()
    assert results
    assert not timed_out
    return results


async def shown(
    datasette: Datasette, index: FacetIndex, smallest: dict[str, float]
) -> dict[str, float]:
    """The medians of pages, now and as known in the middle of the log."""
    print(f"\n{'pages':26}{'now':>12}{'to the first':>14}{'then':>12}{'to now':>9}")
    medians = {}
    for name, arguments in PAGES.items():
        now = f"/events?{urlencode(arguments)}"
        then = f"/events?{urlencode({**arguments, 'as_of': f'#{index.seq // 2}'})}"
        ours, past = await in_turn(
            lambda now=now: asked(datasette, now),  # type: ignore[misc]
            lambda then=then: asked(datasette, then),  # type: ignore[misc]
        )
        medians[name] = ours
        print(
            f"{name:26}{ours * 1000:9,.1f} ms{ours / smallest.get(name, ours):14.2f}"
            f"{past * 1000:9,.1f} ms{past / ours:9.2f}",
            flush=True,
        )
    return medians


async def asked(datasette: Datasette, path: str) -> None:
    answer = await datasette.client.get(path)
    assert answer.status_code == 200, (path, answer.text[:500])


def searches(connection: sqlite3.Connection, index: FacetIndex) -> None:
    print(f"\n{'a search':40}{'with facets':>12}{'FTS5 alone':>14}")
    for word in SEARCHES:

        def alone(word: str = word) -> int:
            found = connection.execute(
                "SELECT rowid FROM event_search WHERE event_search MATCH ?", (f'"{word}" *',)
            )
            return len(found.fetchall())

        def with_facets(word: str = word) -> None:
            chosen = IndexedSelection(connection, index, {"state": "all"}, word)
            for facet in FACETS:
                chosen.choices(facet)

        times: list[list[float]] = [[], []]
        for _ in range(ROUNDS):
            for run, into in zip((with_facets, alone), times, strict=True):
                started = time.perf_counter()
                run()
                into.append(time.perf_counter() - started)
        line(word, f"{alone():,} found", *map(statistics.median, times))


def resident(path: Path) -> None:
    """The memory of a server that has answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "timeline", "-d", str(path), "serve", "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as server:
        try:
            for query in ("", "?as_of=%235000", "?q=word12", "?type=CONSULT&country=AFG"):
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
