"""The SQL of readers: it stops in time, takes no memory of the server, and tells the truth.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import resource
import select
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from datasette.utils import escape_fts
from hostile_story import create, tell
from hypothesis import given
from hypothesis import strategies as st
from open_datasette import IS_STABLE, Site, serving
from running import CHECKOUT

import timeline
from timeline.model.resources import packaged_metadata
from timeline.site import isolated_sql, sql_process

STOPPED = "[Tt]ime limit exceeded|interrupted|took too long"
TOO_LARGE = "the result is larger than 16 MB"
NO_MEMORY = "the query needs too much memory"
TOO_LONG = "string or blob too big"
MILLION = "replace(hex(zeroblob(1000000)), '00', 'a')"
CONTROL = "replace(hex(zeroblob(1000000)), '00', char(1))"
MARKS = "replace(hex(zeroblob(900)), '00', '\"')"
COUNT = "with recursive n (i) as (select 1 union all select i + 1 from n limit 100000000) "


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("isolated")
    tell(folder / "timeline.db")
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    """A site with so much time that only other limits stop a query."""
    with opened(folder, milliseconds=60_000) as site:
        yield site


@pytest.fixture(scope="module")
def hurried(folder: Path) -> Iterator[Site]:
    """A site that stops every query soon."""
    with opened(folder, milliseconds=300) as site:
        yield site


def opened(folder: Path, *, milliseconds: int) -> contextlib.AbstractContextManager[Site]:
    settings = {"suggest_facets": False, "sql_time_limit_ms": milliseconds}
    databases = {"databases": packaged_metadata()["databases"]}
    return serving(folder / "timeline.db", config=databases, settings=settings)


def address(sql: str, form: str = ".json", **more: str) -> str:
    page = f"/timeline{form}" if IS_STABLE else f"/timeline/-/query{form}"
    return f"{page}?{urlencode({'sql': sql, **more})}"


def rows(site: Site, sql: str, **values: str) -> list[list[Any]]:
    answer = site.ask(address(sql, _shape="arrays", **values))
    assert answer.status == 200, answer.text
    found: list[list[Any]] = json.loads(answer.text)["rows"]
    return found


def nested(steps: int) -> str:
    """SQL that doubles with every step, before it runs."""
    tables = [f"t{n} as (select 1 from t{n - 1}, t{n - 1})" for n in range(1, steps)]
    return f"with t0 as (select 1), {', '.join(tables)} select count(*) from t{steps - 1}"


ATTACKS = {
    "instr": (f"select instr({MILLION}, substr({MILLION}, 500001) || 'b')", STOPPED),
    "replace": (f"select length(replace({MILLION}, substr({MILLION}, 5e5) || 'b', ''))", STOPPED),
    "trim": (
        f"select length(trim({MILLION}, replace(substr({MILLION}, 1, 3e5), 'a', 'b') || 'a'))",
        STOPPED,
    ),
    "like": (f"{COUNT} select sum({MILLION} like '%{'a' * 400}b') from n", STOPPED),
    "glob": (f"{COUNT} select sum({MILLION} glob '*{'a?' * 200}b') from n", STOPPED),
    "a long pattern": ("select 'x' like '" + "%x" * 600 + "'", "pattern too complex"),
    "group_concat": (
        f"{COUNT} select length(group_concat({MILLION})) from n",
        TOO_LONG,
    ),
    "printf": (f"{COUNT} select sum(length(printf('%*d', 4900000, i))) from n", STOPPED),
    "format": (f"{COUNT} select sum(length(format('%.4000000c', 'x'))) from n", STOPPED),
    "hex": ("select length(hex(zeroblob(4000000)))", TOO_LONG),
    "quote": (f"{COUNT} select sum(length(quote(zeroblob(2000000)))) from n", STOPPED),
    "zeroblob": ("select zeroblob(900000000)", TOO_LONG),
    "randomblob": (f"{COUNT} select sum(length(randomblob(4000000))) from n", STOPPED),
    "char": (f"{COUNT} select length(group_concat(char({'65,' * 100}65))) from n", STOPPED),
    "upper": (f"{COUNT} select sum(length(upper({MILLION}))) from n", STOPPED),
    "||": ("select length(a || a) from (select randomblob(3000000) as a)", TOO_LONG),
    "date": (
        f"{COUNT} select sum(date(i, {'+1 day,' * 80}'utc')) from n".replace(
            "+1 day,", "'+1 day',"
        ),
        STOPPED,
    ),
    "json": (
        f"{COUNT} select json_group_array(json_array(i, {MILLION})) from n",
        TOO_LONG,
    ),
    "json of a long text": (
        "select count(*) from json_tree('[' || replace(hex(zeroblob(900000)), '00', '[],') || '1]')"
        " as a, json_tree('[' || replace(hex(zeroblob(900000)), '00', '[],') || '1]') as b",
        STOPPED,
    ),
    "snippet": (
        f"{COUNT} select sum(length(snippet(event_search, -1, {MILLION}, '', '', 60)))"
        " from n, event_search where event_search match 'odesa'",
        STOPPED,
    ),
    "many tables": (
        "select count(*) from " + ", ".join(f"events as e{n}" for n in range(9)),
        STOPPED,
    ),
    "recursion": (f"{COUNT} select max(i) from n", STOPPED),
    "sorting": (f"{COUNT} select randomblob(900000) as b from n order by b", STOPPED),
    "nested tables": (nested(30), NO_MEMORY),
    "many values": (
        "select " + ", ".join(f"hex(zeroblob({1_000_000 + n})) > ''" for n in range(300)),
        NO_MEMORY,
    ),
    "many columns": (
        "select " + ", ".join(f"hex(zeroblob({1_000_000 + n}))" for n in range(300)),
        TOO_LARGE,
    ),
    "long rows": (f"{COUNT} select {MILLION} from n limit 100", TOO_LARGE),
    "long names": (f'{COUNT} select i as "{"x" * 18_000}" from n limit 2000', TOO_LARGE),
    "many cells": (f"{COUNT} select {', '.join('1' * 900)} from n limit 2000", TOO_LARGE),
    "quotation marks": (
        f"{COUNT} select {MARKS}, {MARKS}, {MARKS}, {MARKS} from n limit 2000",
        TOO_LARGE,
    ),
    "links": (
        f"{COUNT} select 'http://a/' || {MARKS}, ' http://a/' || {MARKS} from n limit 2000",
        TOO_LARGE,
    ),
    "blobs": (f"{COUNT} select {', '.join(['x' + chr(39) * 2] * 90)} from n limit 2000", TOO_LARGE),
    "blobs with a long link": (
        f"{COUNT} select x'' from n where '{'x' * 9_000}' > '' limit 2000",
        TOO_LARGE,
    ),
    "escapes": (f"select {CONTROL}, {CONTROL}, {CONTROL}", TOO_LARGE),
}
"""SQL that took the server's time or memory, or would, and what a reader is told about it."""


@pytest.mark.parametrize("name", ATTACKS)
def test_sql_that_takes_too_much_is_stopped_and_the_next_query_runs(
    name: str, site: Site, hurried: Site
) -> None:
    sql, problem = ATTACKS[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = hurried.ask(address(sql))
    assert answer.status == 400
    # Which limit is reached first depends on the machine.
    assert re.search(f"{problem}|{STOPPED}|{NO_MEMORY}", answer.text), answer.text[-1_000:]
    # Kilobytes: no result that came here had more than 16 MB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
    assert rows(site, "select count(*) from log")[0][0] > 10


@pytest.mark.parametrize(
    "form", [".csv", ".csv?_stream=on", ".json?_shape=array", ".json?_shape=objects", "?_size=max"]
)
def test_the_size_of_a_result_is_limited_in_every_form(form: str, site: Site) -> None:
    ending, _, option = form.partition("?")
    more = [option.split("=")] if option else []
    page = address(f"{COUNT} select {MILLION} from n limit 100", ending, **dict(more))
    answer = site.ask(page)
    # Datasette 0.65 sends an empty line as the CSV of every query that fails.
    assert TOO_LARGE in answer.text or (IS_STABLE and answer.content == b"\r\n")


def test_the_size_of_the_rows_of_a_table_is_limited_too(tmp_path: Path) -> None:
    file = create(tmp_path / "timeline.db")
    with timeline.Timeline.open(file) as opened:
        claims = [{"speaker": "Mayor", "statement": "x" * 100_000}] * 40
        for n in range(4):
            event = {"event_id": f"long-{n}", "title": "Long", "occurred": "2025"}
            opened.record({**event, "claims": claims})
    with serving(file, settings={"suggest_facets": False}) as site:
        for page in ("/timeline/log.json", "/timeline/log.csv?_stream=on", "/timeline/log?_size=9"):
            assert TOO_LARGE in site.ask(page).text, page
        assert site.ask("/timeline/log/1.json").status == 200
        assert site.ask("/timeline/log.json?_size=2").status == 200


def test_a_long_address_is_refused_in_one_line(site: Site) -> None:
    for page in (address("select '" + "x" * 20_000 + "'"), f"/timeline/events?a={'x' * 20_000}"):
        answer = site.ask(page)
        assert answer.status == 400
        assert answer.text == "the address is too long: give at most 20,000 bytes\n"


def test_a_result_is_what_sqlite_returns(site: Site, folder: Path) -> None:
    queries = [
        "select * from events order by event_id",
        'select 1 as a, 2 as b, 3 as "A "" quoted", 4 as \'Юг\'',
        "select 9223372036854775807, 0.1, null, '', 'Київ', char(0), x'00ff' is not null",
        "select 1 where 0",
        "select event_id, rank from event_search join events"
        " on event_key = event_search.rowid where event_search match 'odesa' order by 1",
    ]
    with contextlib.closing(sqlite3.connect(folder / "timeline.db")) as connection:
        for sql in queries:
            cursor = connection.execute(sql)
            columns = [column for column, *_ in cursor.description]
            answer = json.loads(site.ask(address(sql, _shape="arrays")).text)
            assert answer["rows"] == [list(row) for row in cursor.fetchall()]
            if IS_STABLE:
                assert answer["columns"] == columns


def test_parameters_reach_queries(site: Site) -> None:
    assert rows(site, "select :a || '-' || :b_2", a="1", b_2="Юг") == [["1-Юг"]]
    speaker = json.loads(site.ask("/timeline/claims_and_denials.json?speaker=nobody").text)
    assert speaker["rows"] == []
    found = json.loads(site.ask("/timeline/events.json?_search=odesa+-x&_shape=array").text)
    assert all("event_id" in row for row in found)


@given(st.lists(st.sampled_from(["a", "b", "ab", '"a b"', '"b a"']), unique=True, min_size=1))
def test_plain_words_of_a_search_are_quoted_as_datasette_does(words: list[str]) -> None:
    question = " ".join(words)
    assert sql_process.escape_fts(question) == escape_fts(question)


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_no_search_is_a_wrong_query(question: str) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE words USING fts5 (word)")
        found = connection.execute(
            "SELECT * FROM words WHERE words MATCH ?", (sql_process.escape_fts(question),)
        )
        assert found.fetchall() == []


def test_text_that_is_not_utf8_is_shown(site: Site) -> None:
    assert rows(site, "select cast(x'41ff' as text)") == [["A\ufffd"]]


def test_a_process_that_was_ended_is_replaced(site: Site) -> None:
    assert rows(site, "select 1") == [[1]]
    for process in isolated_sql._idle:
        process.kill()
        process.wait()
    assert rows(site, "select 2") == [[2]]


def test_a_refused_query_prints_no_traceback(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    assert site.ask(address("select nothing")).status == 400
    assert "Traceback" not in "".join(capfd.readouterr())


def test_only_the_pages_of_datasette_ask_a_process(site: Site) -> None:
    database = site.datasette.get_database("timeline")
    thread = threading.get_ident()

    def ident(_connection: sqlite3.Connection) -> bool:
        return isinstance(_connection, sqlite3.Connection) and threading.get_ident() != thread

    assert site.run(database.execute_fn(ident))
    assert len(site.run(database.execute("select zeroblob(2000000) from log limit 9")).rows) == 9


def test_too_many_queries_at_once_are_refused_and_our_pages_are_not(hurried: Site) -> None:
    slow = address(f"{COUNT} select max(i) from n")
    for page in ("/", "/events"):  # the first time, a page also reads its templates
        hurried.ask(page)

    async def ask_all() -> list[Any]:
        asked = [hurried.datasette.client.get(page) for page in [slow] * 30 + ["/", "/events"]]
        return await asyncio.gather(*asked)

    *answers, home, events = hurried.run(ask_all())
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {400: 20, 503: 10}
    for answer in answers:
        if answer.status_code == 503:
            assert answer.headers["retry-after"] == "5"
            assert answer.text == "Too many queries at once: ask again in 5 seconds\n"
    assert (home.status_code, events.status_code) == (200, 200)


def test_the_plugin_can_be_imported_where_there_are_no_processes() -> None:
    code = "import sys; sys.modules['resource'] = None; import timeline.site.guard"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=CHECKOUT)


KILLED = """
import os, signal, sys
from timeline.site import isolated_sql as sql
process = sql._taken()
asked = sql.Request("file::memory:", sys.argv[1], [], -1, 0.1, 0)
sql.sql_process.send(process.stdin, asked)
print(process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("sql", ["select 1", ATTACKS["instr"][0]])
def test_a_process_ends_after_its_server_was_killed(sql: str) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, sql], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
    )
    assert killed.returncode == -signal.SIGKILL
    with contextlib.suppress(ProcessLookupError):
        process = os.pidfd_open(int(killed.stdout))
        try:
            assert select.select([process], [], [], 30)[0]
        finally:
            os.close(process)
