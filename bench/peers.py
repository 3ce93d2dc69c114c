"""Compare our page with other timelines in a browser, and our file with a table in Datasette.

In one browser, in turn: our page, and the pages of TimelineJS and vis-timeline, which npm installs
into a temporary folder. All servers are warm and compress. Each round opens each page in a new
window, searches for a word (another in each round), which half of the events have, and then
filters the answer by a type. TimelineJS can do neither, so it is drawn again with the events of
the answer. In the pages of others, each event is where its date begins.

Then, in turn: `timeline append --nl` and `/events`, and `sqlite-utils insert` with full-text
search and Datasette's page of the table with four facets, without time limits and suggestions.
Each number is a median.

    python bench/peers.py [--rounds N] [--keep FOLDER] [EVENTS ...]    default: 100 to 100000
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import append
import peer_pages
import story
from playwright.sync_api import Browser, Page
from windows import DESK, Window

sys.path.append(str(Path(__file__).parent.parent / "tests" / "support"))
from browsers import launched
from serving import serving

SIZES = [100, 1_000, 10_000, 100_000]
LARGEST_OF_PEERS = 10_000
SMALLEST_OF_TABLES = 10_000
TYPE = "CONSULT"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("events", nargs="*", type=int, default=SIZES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="the timelines, to be used again")
    options = parser.parse_args()
    words = [f"word{12 + number}" for number in range(options.rounds)]
    with (
        tempfile.TemporaryDirectory() as folder,
        peer_pages.served(Path(folder)) as peers,
        launched("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1") as browser,
    ):
        print(f"{'events':>9}  {'page':24}" + "".join(f"{name:>12}" for name in FIGURES))
        for count in options.events:
            pages(
                browser,
                story.built(options.keep or Path(folder), count),
                words,
                Path(folder),
                peers,
            )
    print(f"\n{'':48}{'ours':>12}{'Datasette':>12}{'ratio':>7}")
    for count in (count for count in options.events if count >= SMALLEST_OF_TABLES):
        with tempfile.TemporaryDirectory() as folder:
            tables(Path(folder), count, words)


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


# --- Pages in a browser -------------------------------------------------------------------

FIGURES = {
    **dict.fromkeys(("first event", "free", "search", "filter"), "{:,.0f} ms"),
    "sent": "{:,.0f} kB",
    "heap": "{:,.1f} MB",
    "DOM nodes": "{:,.0f}",
}
REST = 1_000
"""A page is at rest if it had no task over 50 ms for so many milliseconds."""
LONGEST = 600_000
WATCH = """
Object.assign(seen, {asked: 0, first: 0});
const isInSight = element => {
  const box = element.getBoundingClientRect();
  return box.height && box.top < innerHeight && box.bottom > 0 && box.left < innerWidth
    && box.right > 0 && element.checkVisibility({opacityProperty: true, visibilityProperty: true});
};
const look = wanted => {
  const events = [...document.querySelectorAll("%(events)s")];
  if (events.some(isInSight) && (wanted === null || (%(count)s) === wanted))
    setTimeout(() => { seen.first = performance.now(); });
  else
    requestAnimationFrame(() => look(wanted));
};
window.ask = ([question, wanted]) => {
  Object.assign(seen, {asked: performance.now(), first: 0});
  (%(answer)s)(question);
  requestAnimationFrame(() => look(wanted));
};
look(null);
"""
"""Keeps in `seen.first` when the first event is in sight, and all events of an answer are there."""


class Side(NamedTuple):
    """A page, with the selector of its events, and JavaScript that counts them and that asks."""

    name: str
    path: str
    events: str
    count: str = "events.length"
    answer: str = "answer"


OURS = Side(
    "ours",
    "/",
    ".list .headline",
    "Number(document.querySelector('#list strong').textContent.replaceAll(',', ''))",
    """question => document.dispatchEvent(new CustomEvent("timeline:go",
      {detail: "/?" + new URLSearchParams(question), cancelable: true}))""",
)
PEERS = (
    Side("TimelineJS", "/timelinejs.html", ".tl-slide .tl-headline"),
    Side("vis-timeline", "/vis.html", ".vis-box"),
    Side(
        "vis-timeline, clusters",
        "/clusters.html",
        ".vis-box, .vis-cluster",
        "events.reduce((n, e) => n + (e.matches('.vis-cluster') ? Number(e.textContent) : 1), 0)",
    ),
)


def pages(browser: Browser, file: Path, words: list[str], folder: Path, peers: str) -> None:
    """Print what our page of a timeline takes, and those of peers if they can show as many."""
    with (
        contextlib.closing(sqlite3.connect(file)) as connection,
        serving("timeline", "-d", file, "serve", cwd=file.parent) as site,
    ):
        sides = {OURS: site + OURS.path}
        if int(file.stem) <= LARGEST_OF_PEERS:
            events = folder / f"{file.stem}.json"
            events.write_text(json.dumps(dated(connection)))
            sides |= {side: f"{peers}{side.path}?{events.name}" for side in PEERS}
        visited(browser, OURS, sides[OURS], {})  # the server has it in memory now
        times: dict[str, list[dict[str, float]]] = {side.name: [] for side in sides}
        for word in words:
            questions = {"search": {"q": word}, "filter": {"q": word, "type": TYPE}}
            asked = {name: (each, found(connection, **each)) for name, each in questions.items()}
            for side, address in sides.items():
                times[side.name].append(visited(browser, side, address, asked))
    for name, rounds in times.items():
        row = medians(rounds)
        figures = "".join(f"{form.format(row[key]):>12}" for key, form in FIGURES.items())
        print(f"{int(file.stem):>9,}  {name:24}{figures}", flush=True)


def dated(connection: sqlite3.Connection) -> list[dict[str, str]]:
    """Return the events as peers take them, each at the beginning of its date."""
    sql = "SELECT event_type, title, summary, occurred_from FROM events ORDER BY occurred_from"
    names = ("event_type", "headline", "text", "start")
    return [dict(zip(names, row, strict=True)) for row in connection.execute(sql)]


def found(connection: sqlite3.Connection, type: str = "%", q: str = "") -> int:
    """Return how many events have a type, and a word that begins so."""
    sql = (
        "SELECT count(*) FROM events WHERE event_type LIKE ?"
        " AND ' ' || title || ' ' || summary LIKE '% ' || ? || '%'"
    )
    return int(connection.execute(sql, (type, q)).fetchone()[0])


def visited(
    browser: Browser, side: Side, address: str, asked: dict[str, tuple[dict[str, str], int]]
) -> dict[str, float]:
    """Open a page in a new window and ask it; return what that took."""
    window = Window(browser, DESK, WATCH % side._asdict())
    window.page.goto(address, wait_until="commit")
    seen = at_rest(window.page)
    window.session.send("Performance.enable")
    window.session.send("HeapProfiler.collectGarbage")
    metrics = window.session.send("Performance.getMetrics")["metrics"]
    value = {metric["name"]: metric["value"] for metric in metrics}
    figures = {
        "first event": seen["first"],
        "free": max(seen["first"], seen["busy"]),
        "sent": window.sent.total() / 1000,
        "heap": value["JSHeapUsedSize"] / 1e6,
        "DOM nodes": value["Nodes"],
    }
    for name, question in asked.items():
        window.page.evaluate("question => ask(question)", question)
        seen = at_rest(window.page)
        figures[name] = seen["first"] - seen["asked"]
    window.context.close()
    return figures


def at_rest(page: Page) -> dict[str, float]:
    """Return what the page has seen, when an event is in sight and nothing is being done."""
    before = None
    for _ in range(LONGEST // REST):
        seen: dict[str, float] = page.evaluate("seen")
        if seen["first"] and seen == before:
            return seen
        before = seen
        page.wait_for_timeout(REST)
    raise SystemExit(f"{page.url} does not show what it is asked for: {before}")


# --- A table in Datasette -----------------------------------------------------------------

FACETS = [
    *(("_facet", column) for column in ("event_type", "place_country", "verification")),
    ("_facet_array", "tags"),
]
SETTINGS = {"facet_time_limit_ms": 600_000, "sql_time_limit_ms": 600_000, "suggest_facets": "off"}
WITHOUT_PLUGINS = ("env", "DATASETTE_LOAD_PLUGINS=")


def tables(folder: Path, count: int, words: list[str]) -> None:
    """Print what it takes to load a file of events, and to answer with facets."""
    lines, ours, theirs = (folder / name for name in ("events.ndjson", "ours.db", "theirs.db"))
    with lines.open("w") as file:
        file.writelines(json.dumps(event) + "\n" for event in story.events(count))
    loads = [(appended(ours, lines), inserted(theirs, lines)) for _ in words]
    of = f"{count:,} events"
    line(f"load {of}", loads, "s")
    append.line(f"file of {of}", *(path.stat().st_size / 1e6 for path in (ours, theirs)), "MB")
    for _, column in FACETS[:3]:
        done("sqlite_utils", "create-index", theirs, "events", column)
    settings = [part for name, value in SETTINGS.items() for part in ("--setting", name, value)]
    command = ("datasette", "serve", theirs, *settings)
    with (
        serving("timeline", "-d", ours, "serve", cwd=folder) as site,
        serving(*command, cwd=folder, before=WITHOUT_PLUGINS) as datasette,
    ):
        table = f"{datasette}/theirs/events?{urlencode(FACETS)}"
        fetched(f"{site}/events")  # both servers have read what they keep in memory
        fetched(table)
        whole, searches = [], []
        for word in words:
            whole.append((fetched(f"{site}/events"), fetched(table)))
            search = f"{table}&_searchmode=raw&_search={word}*"
            searches.append((fetched(f"{site}/events?q={word}"), fetched(search)))
    line(f"page of {of} with facets", whole, "s")
    line(f"search of {of} with facets", searches, "s")


def line(what: str, rounds: list[tuple[float, float]], unit: str) -> None:
    append.line(what, *map(statistics.median, zip(*rounds, strict=True)), unit)


def appended(path: Path, lines: Path) -> float:
    """Return the seconds of a command that appends a file to a new timeline."""
    path.unlink(missing_ok=True)
    done("timeline", "-d", path, "init", "--title", "A made-up story")
    return done("timeline", "-d", path, "append", "--nl", lines)


def inserted(path: Path, lines: Path) -> float:
    """Return the seconds of two commands that make a table of a file, and index its words."""
    path.unlink(missing_ok=True)
    options = ("--nl", "--flatten", "--pk", "event_id")
    seconds = done("sqlite_utils", "insert", path, "events", lines, *options)
    return seconds + done("sqlite_utils", "enable-fts", path, "events", "title", "summary")


def done(*command: object) -> float:
    """Return the seconds that `python -m COMMAND` takes as a whole process."""
    with append.timed() as seconds:
        subprocess.run([sys.executable, "-m", *map(str, command)], check=True, capture_output=True)
    return seconds[0]


def fetched(address: str) -> float:
    with append.timed() as seconds, urllib.request.urlopen(address) as page:  # noqa: S310
        page.read()
    return seconds[0]


if __name__ == "__main__":
    main()
