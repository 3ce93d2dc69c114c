"""The guard, in a real Datasette: every route and every way to write, against real files.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from datasette.app import Datasette
from datasette.database import Database
from datasette.utils import tilde_encode
from datasette.utils.asgi import Forbidden
from hostile_story import create, tell
from open_datasette import IS_STABLE, Answer, Site, serving
from site_in_process import FILES

import timeline
from timeline.model.resources import packaged_metadata
from timeline.site import guard

BODIES: dict[str, dict[str, Any]] = {
    "alter": {"operations": [{"op": "add_column", "args": {"name": "forged", "type": "text"}}]},
    "create": {"table": "forged", "columns": [{"name": "id", "type": "integer"}], "pk": "id"},
    "drop": {"confirm": True},
    "execute-write": {"sql": "DELETE FROM events", "params": {}},
    "insert": {"row": {"event_id": "forged", "title": "Forged"}},
    "set-column-type": {"column": "title", "column_type": {"type": "url"}},
    "store": {"query": {"name": "forged", "sql": "DELETE FROM events"}},
    "update": {"update": {"title": "Forged again"}},
    "upsert": {"rows": [{"event_id": "strike", "title": "Forged"}]},
}
"""What the write API of Datasette 1.0 takes, by the end of the address."""


def ordinary(path: Path) -> Path:
    """A database that is no timeline, with a table of the same name."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE events (event_id TEXT PRIMARY KEY, title TEXT)")
        connection.execute("INSERT INTO events VALUES ('strike', 'Strike')")
    return path


def titles(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [title for (title,) in connection.execute("SELECT title FROM events")]


def state(path: Path) -> tuple[str, list[str]]:
    """The bytes of a file, and what a reader of SQL finds in it."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        # Without the search index: iterdump asks for a writable schema to dump a virtual table.
        names = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
            )
        ]
        rows = [
            f"{name} {row!r}"
            for name in sorted(names)
            for row in connection.execute(f"SELECT * FROM {name}")
        ]
        rows += [repr(row) for row in connection.execute("SELECT * FROM sqlite_schema")]
    return hashlib.sha256(path.read_bytes()).hexdigest(), rows


PLACES = {
    "database": ["timeline"],
    "table": ["events", "forge"],
    "query": ["forge", "claims_and_denials"],
    "pks": ["strike"],
    "path": ["timeline.css", "nothing.js"],
    "rest": ["", "/events"],
    "event_id": ["strike"],
    "actor_id": ["zelenskyy"],
    "version": ["1"],
    "source_id": ["paper"],
    "tag_id": ["war"],
    "tag": ["war"],
    "type": ["CONSULT"],
    "country": ["UKR"],
    "month": ["2025-04"],
    "kind": ["actors", "tags"],
    "known": ["2025-05-01"],
    "is_by_name": ["az"],
    "file": [*FILES],
    "name": ["0a12.png"],
    "part": ["entries-1", "actors-1"],
}


_PART = r"\[[^\]]*\]|[^()\[\]]"
"""A set of characters, or one character, of a pattern."""


def addresses(pattern: str) -> list[str]:
    """Addresses that a route takes, with and without each of its formats."""
    formats = re.search(r"\(\\?\.\(\?P<format>(.*?)\)\)\?", pattern)
    plain = pattern.replace(formats[0], "{format}") if formats else pattern
    plain = re.sub(rf"\(\?P<(\w+)>(?:{_PART}|\((?:{_PART})*\))*\)", r"{\1}", plain)
    plain = plain.removesuffix("$").replace("\\.", ".")
    names = re.findall(r"\{(\w+)\}", plain)
    choices = {
        **PLACES,
        "format": ["", *(f".{name}" for name in ("json", "csv"))],
    }
    found = [
        plain.format(**dict(zip(names, values, strict=True)))
        for values in itertools.product(*(choices[name] for name in names))
    ]
    return [address for address in found if re.match(pattern, address)]


def every_address(datasette: Datasette) -> list[str]:
    found: dict[str, None] = {}
    for route, _ in datasette._routes():
        pattern = getattr(route, "pattern", route)
        taken = addresses(pattern)
        assert taken, f"no address for the route {pattern}"
        found.update(dict.fromkeys(taken))
    return list(found)


FORGE = {"forge": {"sql": "DELETE FROM events", "write": True}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guarded")
    tell(folder / "timeline.db")
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    databases = packaged_metadata()["databases"]
    databases["timeline"]["queries"] |= FORGE
    file = folder / "timeline.db"
    settings = {"suggest_facets": False}
    with serving(file, config={"databases": databases}, settings=settings) as opened:
        yield opened


# --- Nobody writes ------------------------------------------------------------------------


def test_no_route_and_no_method_changes_a_timeline_or_tells_where_it_lies(
    site: Site, folder: Path
) -> None:
    before = state(folder / "timeline.db")
    package = str(Path(timeline.__file__).parents[1])
    places = [str(folder), package, sys.prefix, sys.base_prefix + "/lib", str(Path.home()) + "/"]
    statuses: dict[str, set[int]] = {}
    for address in every_address(site.datasette):
        is_guarded = bool(re.match(r"/timeline\b", address))
        answers = [site.ask(address, as_root=as_root) for as_root in (False, True)]
        if address != "/-/logout":
            answers += [site.ask(address, method) for method in ("HEAD", "OPTIONS")]
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            body = BODIES.get(address.rpartition("/")[2], {})
            written = [site.ask(address, method, body, as_root=True)]
            written.append(site.ask(address, method, "event_id=forged"))
            if is_guarded:
                assert {answer[0] for answer in written} == {403}, address
                assert {answer.text for answer in written} == {"This timeline is read-only"}
            answers += written
        statuses[address] = {answer.status for answer in answers}
        for answer in answers:
            told = answer.text + repr(answer.headers)
            for place in places:
                assert place not in told, f"{address} tells {place}"
    assert state(folder / "timeline.db") == before
    assert 200 in statuses["/timeline/events.json"]
    assert 200 in statuses["/-/databases.json"]
    if not IS_STABLE:
        writing = ("", "/events", "/events/strike")
        names = ("execute-write", "create", "insert", "upsert", "alter", "drop", "update", "delete")
        driven = {f"/timeline{place}/-/{name}" for place in writing for name in names}
        assert len(driven & set(statuses)) >= len(names)


def test_the_same_requests_do_change_another_database(tmp_path: Path) -> None:
    other = ordinary(tmp_path / "other.db")
    tell(tmp_path / "timeline.db")
    config = {"databases": {"other": {"queries": FORGE}}}
    with serving(tmp_path / "timeline.db", other, config=config) as site:
        assert titles(other) == ["Strike"]
        if not IS_STABLE:
            for name, table, title in (
                ("upsert", "/events", "Forged"),
                ("insert", "/events", "Forged"),
                ("update", "/events/strike", "Forged again"),
                ("alter", "/events", None),
                ("create", "", None),
            ):
                before = state(other)
                address = f"/other{table}/-/{name}"
                answer = site.ask(address, "POST", BODIES[name], as_root=True)
                assert answer.status in (200, 201), f"{address}: {answer.text}"
                assert state(other) != before
                assert title is None or title in titles(other)
        site.ask("/other/forge", "POST", "")
        assert titles(other) == []


def test_no_way_of_python_opens_a_connection_that_writes(site: Site, folder: Path) -> None:
    before = state(folder / "timeline.db")
    database = site.datasette.get_database("timeline")
    with pytest.raises(Forbidden, match=r"^This timeline is read-only$"):
        database.connect(write=True)
    attempts = [
        lambda: database.execute_write("DELETE FROM events"),
        lambda: database.execute_write_script("DELETE FROM events; DROP TABLE log"),
        lambda: database.execute_write_many("DELETE FROM events WHERE title = ?", [["x"]]),
        lambda: database.execute_write_fn(lambda connection: connection.execute("DROP TABLE log")),
    ]
    if not IS_STABLE:
        attempts.append(
            lambda: database.execute_isolated_fn(lambda connection: connection.execute("VACUUM"))
        )
    for attempt in attempts:
        with pytest.raises(Forbidden, match=r"^This timeline is read-only$"):
            site.run(attempt())
    for statement in ("DELETE FROM events", "PRAGMA query_only = 0", "DELETE FROM events"):
        with contextlib.suppress(sqlite3.OperationalError):
            site.run(database.execute_fn(lambda connection, sql=statement: connection.execute(sql)))
    assert state(folder / "timeline.db") == before


def test_a_timeline_is_guarded_without_threads_and_when_it_is_added_later(
    folder: Path, tmp_path: Path
) -> None:
    file = folder / "timeline.db"
    before = state(file)
    with serving(ordinary(tmp_path / "other.db"), settings={"num_sql_threads": 0}) as site:
        site.datasette.add_database(Database(site.datasette, path=str(file)), name="later")
        site.datasette.add_database(Database(site.datasette, memory_name="scratch"))
        with pytest.raises(Forbidden):
            site.run(site.datasette.get_database("later").execute_write("DELETE FROM events"))
        assert site.ask("/later/events", "POST", {}).status == 403
        for name in ("other", "scratch"):
            database = site.datasette.get_database(name)
            site.run(database.execute_write("CREATE TABLE added (id)"))
            assert "added" in site.run(database.table_names())
    assert state(file) == before


@pytest.mark.parametrize("form", ["{path}", "file:{uri}", "file:{uri}?mode=rw", "by parameter"])
def test_another_database_cannot_attach_a_timeline_to_write_to_it(
    form: str, folder: Path, tmp_path: Path
) -> None:
    file = folder / "timeline.db"
    before = state(file)
    name = form.format(path=file, uri=quote(str(file)))
    attach, values = (
        ("ATTACH ? AS t", [str(file)]) if " " in form else (f"ATTACH '{name}' AS t", [])
    )
    with serving(file, ordinary(tmp_path / "other.db")) as site:
        other = site.datasette.get_database("other")

        def attach_and_write(connection: sqlite3.Connection) -> None:
            connection.execute("COMMIT") if connection.in_transaction else None
            connection.execute(attach, values)
            connection.execute("DROP TABLE t.events")

        with pytest.raises(sqlite3.DatabaseError, match=r"not authorized|authorization denied"):
            site.run(other.execute_write_fn(attach_and_write))
    assert state(file) == before


def test_cross_database_queries_still_read_a_timeline(folder: Path, tmp_path: Path) -> None:
    with serving(
        folder / "timeline.db", ordinary(tmp_path / "other.db"), memory=True, crossdb=True
    ) as site:
        sql = "SELECT count(*) AS n FROM timeline.log JOIN other.events"
        memory = site.datasette.get_database("_memory")
        assert site.run(memory.execute(sql)).first()["n"] > 10
        sql = "SELECT file FROM pragma_database_list"
        assert {row["file"] for row in site.run(memory.execute(sql)).rows} == {None}


def test_no_page_of_a_timeline_offers_root_what_it_would_refuse(site: Site, tmp_path: Path) -> None:
    pages = ["/timeline", "/timeline/events", "/timeline/events/strike"]
    offers = re.compile(r"execute-write|Insert|/-/alter|/-/drop|/-/create|Edit row|Delete row")
    for page in pages:
        assert not offers.findall(site.ask(page, as_root=True).text), page
    if IS_STABLE:
        return  # It offers no writing anywhere.
    with serving(ordinary(tmp_path / "other.db")) as other:
        assert offers.findall(other.ask("/other/events", as_root=True).text)


# --- Limits and paths ---------------------------------------------------------------------


def sql_page(database: str, sql: str) -> str:
    page = f"/{database}.json" if IS_STABLE else f"/{database}/-/query.json"
    return f"{page}?{urlencode({'sql': sql, '_shape': 'array'})}"


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("select length(replace(hex(zeroblob(4e8)), '0', 'x'))", "string or blob too big"),
        ("select " + "(" * 600 + "1" + ")" * 600, "parser stack overflow|too large"),
        ("select " + "+".join("1" * 600), "Expression tree is too large"),
        ("select '" + "x" * 600 + "' like '" + "%x" * 600 + "'", "pattern too complex"),
        (" union ".join(["select 1"] * 101), "too many terms in compound SELECT"),
    ],
)
def test_what_would_take_all_memory_or_time_is_refused_at_once(
    sql: str, problem: str, site: Site
) -> None:
    answer = site.ask(sql_page("timeline", sql))
    assert answer.status == 400
    assert re.search(problem, answer.text)


def test_the_longest_entry_that_a_log_takes_is_served(tmp_path: Path) -> None:
    file = create(tmp_path / "timeline.db")
    with timeline.Timeline.open(file) as opened:
        claims = [{"speaker": "Mayor", "statement": "x" * 100_000}] * 41
        opened.record({"event_id": "long", "title": "Long", "occurred": "2025", "claims": claims})
    with serving(file) as site:
        answer = site.ask("/timeline/log/1.json?_shape=array")
        assert answer.status == 200
        assert len(answer.content) > 4_100_000


def test_file_paths_are_hidden_from_sql_and_from_the_list_of_databases(
    site: Site, folder: Path
) -> None:
    for sql in (
        "select * from pragma_database_list",
        "with d (a, b, c) as (select * from pragma_database_list()) select upper(c) from d",
    ):
        answer = site.ask(sql_page("timeline", sql))
        assert answer.status == 200
        assert str(folder).lower() not in answer.text.lower()
    listed = json.loads(site.ask("/-/databases.json").text)
    rows = listed if isinstance(listed, list) else listed["databases"]
    assert {row["name"]: row["path"] for row in rows}["timeline"] == "timeline.db"


def test_a_datasette_without_a_timeline_is_as_it_was(tmp_path: Path) -> None:
    with serving(ordinary(tmp_path / "other.db")) as site:
        assert str(tmp_path) in site.ask("/-/databases.json").text
        assert (
            str(tmp_path) in site.ask(sql_page("other", "select * from pragma_database_list")).text
        )
        assert "content-security-policy" not in site.ask("/other/events").headers


# --- Headers and links --------------------------------------------------------------------


def policy(answer: Answer) -> dict[str, str]:
    """The directives of a Content-Security-Policy."""
    directives = (part.strip() for part in answer.headers["content-security-policy"].split(";"))
    return dict(directive.partition(" ")[::2] for directive in directives)


def test_pages_of_a_timeline_load_nothing_of_other_hosts(site: Site) -> None:
    ours = ("/", "/timeline/nothing")
    for path in (*ours, "/timeline", "/timeline/events", "/-/databases"):
        answer = site.ask(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer")
        assert policy(answer)["default-src"] == "'self'"
        scripts = "'self'" if path in ours else "'self' 'unsafe-inline'"
        assert policy(answer).get("script-src", policy(answer)["default-src"]) == scripts
        assert policy(answer)["frame-ancestors"] == "'none'"


def test_a_page_that_says_its_own_policy_keeps_it() -> None:
    strict = (b"Content-Security-Policy", guard.PAGE_POLICY.encode())
    frames = (b"content-security-policy", b"frame-ancestors 'none'")
    kept = [header for header in guard._with_headers([strict]) if b"olicy" in header[0]]
    assert kept == [strict, (b"referrer-policy", b"same-origin")]
    assert len([1 for name, _ in guard._with_headers([frames]) if b"security" in name]) == 2
    assert "unsafe-inline" not in guard.PAGE_POLICY


def test_pages_of_another_database_are_left_alone(folder: Path, tmp_path: Path) -> None:
    other = ordinary(tmp_path / "My other (2).db")
    settings = {"base_url": "/prefix/"}
    with serving(folder / "timeline.db", other, settings=settings) as site:
        answer = site.ask(f"/{tilde_encode(other.stem)}/events")
        assert answer.status == 200
        assert "content-security-policy" not in answer.headers
        assert "content-security-policy" in site.ask("/timeline/events").headers
        assert site.ask("/timeline/events/-/insert", "POST", {}).status == 403


def test_only_http_and_https_become_links(tmp_path: Path) -> None:
    file = create(tmp_path / "timeline.db")
    bad = ["javascript:alert(1)", "data:text/html,x", "ftp://example.org", "//example.org", "x:y"]
    with timeline.Timeline.open(file) as opened:
        opened.record(
            timeline.Event(event_id=f"e-{n}", title=text, occurred="2025", note="https://a.example")
            for n, text in enumerate(bad)
        )
    with serving(file) as site:
        for path in ("/timeline/events", "/timeline/events/e-0", "/timeline/log", "/timeline"):
            links = re.findall(r'(?:href|src|action)="([^"]*)"', site.ask(path).text)
            assert links
            assert all(re.match(r"(https?:/)?/(?!/)|#|\?|$", link) for link in links), links
        assert 'href="https://a.example"' in site.ask("/timeline/events").text
