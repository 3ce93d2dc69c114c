"""metadata.json and the plugin, in a real Datasette in this process, on real files.

Runs the same under Datasette 0.65 and the 1.0 alphas; the package must be installed, so
that Datasette finds the plugin by its entry point.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from datasette.app import Datasette
from datasette.plugins import get_plugins
from datasette.utils import tilde_encode
from hostile_story import HOSTILE, NOTICE, appending, create, tell

from timeline.errors import NotATimeline
from timeline.model.resources import packaged_metadata
from timeline.site.serve import metadata_for
from timeline.store import schema, storage

DESCRIBED = packaged_metadata()["databases"]["timeline"]["tables"]
QUERIES = packaged_metadata()["databases"]["timeline"]["queries"]
HIDDEN = {
    "facet_segments",
    "follows",
    "_sqlite_migrations",
    "actor_names",
    "checkpoints",
    "countries",
    "event_search",
    "event_search_config",
    "event_search_data",
    "event_search_docsize",
    "event_search_idx",
    "media_bytes",
    "mirror",
    "node",
    "projection_state",
    "publications",
    "scrub_pending",
    "sightings",
    "source_texts",
    "tree_hashes",
    "witnesses",
}


@dataclass(frozen=True)
class Site:
    """A Datasette in this process, for reading its pages one after another."""

    file: Path
    datasette: Datasette
    runner: asyncio.Runner

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page."""
        response = self.runner.run(self.datasette.client.get(path, follow_redirects=True))
        return response.status_code, response.text

    def page(self, path: str) -> str:
        status, text = self.get(path)
        assert status == 200, f"{path}: {text}"
        return text

    def ask(self, query: str, **parameters: str) -> list[dict[str, Any]]:
        """The rows of a query of metadata.json."""
        arguments = urlencode({"_shape": "array", **parameters})
        rows: list[dict[str, Any]] = json.loads(self.page(f"/timeline/{query}.json?{arguments}"))
        return rows


@contextlib.contextmanager
def open_site(file: Path, *others: Path, metadata: dict[str, Any] | None = None) -> Iterator[Site]:
    """A Datasette with these files; without metadata it has ours."""
    with asyncio.Runner() as runner:
        datasette = Datasette(
            [str(path) for path in (file, *others)],
            metadata=packaged_metadata() if metadata is None else metadata,
        )
        runner.run(datasette.invoke_startup())
        yield Site(file, datasette, runner)
        if hasattr(datasette, "close"):
            datasette.close()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tell(tmp_path_factory.mktemp("story") / "timeline.db")) as site:
        yield site


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(create(tmp_path_factory.mktemp("empty") / "timeline.db")) as site:
        yield site


def test_a_file_of_an_older_version_is_left_to_datasette(tmp_path: Path) -> None:
    path = create(tmp_path / "timeline.db")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.SCHEMA_VERSION - 1}")
    with open_site(path) as site:
        assert site.get("/events")[0] == 404
        assert site.get("/timeline/log.json")[0] == 200


def columns(file: Path) -> dict[str, list[str]]:
    """The tables and views of a file, without the shadow tables of FTS5, and their columns."""
    with contextlib.closing(storage.connect(file)) as connection:
        names = connection.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow'"
            " AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
        ).fetchall()
        return {
            name: [
                column
                for (column,) in connection.execute(
                    "SELECT name FROM pragma_table_info(?) ORDER BY cid", (name,)
                )
            ]
            for (name,) in names
        }


def paths(file: Path) -> list[str]:
    """Every kind of page, and every page of its kind but further rows."""
    pages = ["/", "/timeline", "/timeline?sql=select+1", "/timeline/events?_search=script"]
    with contextlib.closing(storage.connect(file)) as connection:
        for table in columns(file):
            pages.append(f"/timeline/{table}")
            key = [
                name
                for (name,) in connection.execute(
                    "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", (table,)
                )
            ]
            first_row = f"SELECT {', '.join(key)} FROM {table} LIMIT 1"
            if key and (row := connection.execute(first_row).fetchone()):
                values = ",".join(tilde_encode(str(value)) for value in row)
                pages.append(f"/timeline/{table}/{values}")
    return pages + [f"/timeline/{query}" for query in QUERIES]


def as_json(path: str) -> str:
    """The address of the same page as JSON."""
    address, mark, query = path.partition("?")
    return f"{address}.json{mark}{query}"


# --- metadata.json ------------------------------------------------------------------------


def test_every_table_view_and_column_is_described_and_nothing_else_is(empty: Site) -> None:
    described = {name: list(table["columns"]) for name, table in DESCRIBED.items()}
    assert described == columns(empty.file)
    for table in DESCRIBED.values():
        assert table["title"]
        assert table["description"].endswith(".")
        assert all(text.endswith((".", "...")) for text in table["columns"].values())


def test_what_metadata_names_exists(empty: Site) -> None:
    known = columns(empty.file)
    for name, table in DESCRIBED.items():
        for option in ("sort", "sort_desc", "label_column", "fts_pk"):
            assert table.get(option, known[name][0]) in known[name]
        assert table.get("fts_table", "event_search") in known
        columns_counted = {facet for facet in table.get("facets", ()) if isinstance(facet, str)}
        assert columns_counted <= set(known[name])


def test_facets_are_plain_strings_by_type_because_datasette_1_fails_on_others() -> None:
    for table in DESCRIBED.values():
        for facet in table.get("facets", ()):
            names = [facet] if isinstance(facet, str) else facet.values()
            assert all(isinstance(name, str) for name in names)


def test_the_shadow_tables_and_what_readers_do_not_need_are_hidden(story: Site) -> None:
    tables = json.loads(story.page("/timeline.json"))["tables"]
    assert {table["name"] for table in tables if table["hidden"]} == HIDDEN


@pytest.mark.parametrize("log", ["story", "empty"])
def test_every_page_answers(log: str, request: pytest.FixtureRequest) -> None:
    site = request.getfixturevalue(log)
    for path in paths(site.file):
        for address in (path, as_json(path)):
            assert "Traceback" not in site.page(address)


def test_events_have_their_facets(story: Site) -> None:
    for table in ("events", "current_events"):
        text = story.page(f"/timeline/{table}")
        facets = set(re.findall(r'<div class="facet-info [^>]*data-column="(\w+)"', text))
        named = [
            facet if isinstance(facet, str) else next(iter(facet.values()))
            for facet in DESCRIBED[table]["facets"]
        ]
        assert facets == set(named)
    assert {"value": "state"} in DESCRIBED["events"]["facets"]
    assert {"value": "state"} not in DESCRIBED["current_events"]["facets"]


def test_the_newest_event_comes_first_and_an_open_beginning_last(story: Site) -> None:
    rows = json.loads(story.page("/timeline/events.json?_shape=array"))
    assert rows[0]["event_id"] == "strike"
    assert rows[-2]["event_id"] == "ancient"
    assert rows[-1]["event_id"] == "vague"


@pytest.mark.parametrize(
    ("table", "label"),
    [
        ("events", "Consultation"),
        ("events", "Poland"),
        ("event_actors", "Volodymyr Zelenskyy"),
        ("event_tags", "Talks in Kraków"),
        ("citations", "Strike on Odesa: at least 20 dead"),
    ],
)
def test_pages_show_labels_for_codes(story: Site, table: str, label: str) -> None:
    assert f">{label}</a>" in story.page(f"/timeline/{table}")


@pytest.mark.parametrize("table", ["events", "current_events"])
@pytest.mark.parametrize(
    ("words", "event_id"),
    [
        ("Kraków", "talks"),
        ("krakow", "talks"),
        ("ZELENSKYY TALKS", "talks"),
        ("zelensky talks", "talks"),
        ("two missiles", "strike"),
    ],
)
def test_search_finds_words_of_an_event_whatever_their_case_and_diacritics(
    story: Site, table: str, words: str, event_id: str
) -> None:
    path = f"/timeline/{table}.json?{urlencode({'_search': words, '_shape': 'array'})}"
    assert [row["event_id"] for row in json.loads(story.page(path))] == [event_id]


def test_a_hostile_title_is_escaped_on_every_page(story: Site) -> None:
    shown = 0
    for path in [*paths(story.file), "/timeline/events/hostile"]:
        text = story.page(path)
        assert "<script>alert(" not in text, path
        assert "<b>&" not in text, path
        shown += "&lt;script&gt;alert(" in text
    assert shown > 20


# --- The queries --------------------------------------------------------------------------


def test_as_known_on_counts_a_day_up_to_its_end(story: Site) -> None:
    occurred = {
        day: {row["event_id"]: row["occurred"] for row in story.ask("as_known_on", day=day)}
        for day in ("2025-05-01", "2025-05-02", "2025-05-03", "2025-05-04", "2025-05-05", "")
    }
    assert not occurred["2025-05-01"]
    assert len(occurred["2025-05-02"]) == 11
    assert occurred["2025-05-02"]["talks"] == "2025-05-01"
    assert occurred["2025-05-03"]["talks"] == "2025-04-30"
    assert occurred["2025-05-04"] == occurred["2025-05-03"]
    assert occurred["2025-05-04"].keys() - occurred["2025-05-05"].keys() == {"rumour", "twin"}
    assert occurred[""] == occurred["2025-05-05"]


def test_as_known_on_says_what_became_of_an_event_since(story: Site) -> None:
    rows = {row["event_id"]: row for row in story.ask("as_known_on", day="2025-05-02")}
    assert rows["talks"] == {
        "event_id": "talks",
        "title": "Talks in Kraków",
        "occurred": "2025-05-01",
        "event_type": "Consultation",
        "place": "Kraków",
        "country": "Poland",
        "version": 1,
        "recorded_at": "2025-05-02T10:00:00.000000Z",
        "version_now": 2,
        "state_now": "current",
    }
    assert rows["rumour"]["state_now"] == "retracted"
    assert rows["twin"]["state_now"] == "merged"


def test_as_known_on_has_nothing_for_what_is_no_day(story: Site) -> None:
    assert story.ask("as_known_on", day="last week") == []


def test_corrections_in_period_tells_old_new_and_why(story: Site) -> None:
    rows = story.ask("corrections_in_period", from_day="2025-05-03", to_day="2025-05-03")
    assert [(row["event_id"], row["path"]) for row in rows] == [
        ("hostile", "/title"),
        ("talks", "/occurred"),
    ]
    told = {key: rows[1][key] for key in ("kind", "old_value", "new_value", "reason", "author")}
    assert told == {
        "kind": "event.corrected",
        "old_value": "2025-05-01",
        "new_value": "2025-04-30",
        "reason": "misread",
        "author": "desk",
    }


def test_corrections_in_period_has_what_was_taken_back_too(story: Site) -> None:
    rows = story.ask("corrections_in_period", from_day="2025-05-04")
    assert [(row["event_id"], row["kind"], row["new_value"], row["reason"]) for row in rows] == [
        ("twin", "event.merged", "strike", None),
        ("rumour", "event.retracted", None, "nobody stands by it"),
    ]
    assert len(story.ask("corrections_in_period")) == 4
    assert len(story.ask("corrections_in_period", to_day="2025-05-04")) == 2


def test_competing_figures_stand_side_by_side_with_who_said_so(story: Site) -> None:
    rows = story.ask("competing_figures", measure="Killed")
    seen = [
        [row[key] for key in ("event_id", "qualifier", "value", "low", "high", "reported_by")]
        for row in rows
    ]
    assert seen == [
        ["strike", "at_least", 25, None, None, "Mayor"],
        ["strike", "exact", None, 30, 36, "Region"],
        ["strike", "exact", 9, None, None, "Army"],
        ["hostile", "exact", 1, None, None, HOSTILE],
        ["hostile", "exact", 2, None, None, None],
    ]
    sources = "Strike on Odesa: at least 20 dead; https://council.example/2"
    assert [row["sources"] for row in rows[:3]] == [sources, None, None]
    assert {row["measure"] for row in story.ask("competing_figures")} == {"killed", "pledged"}


def test_pledges_count_the_lowest_and_the_highest_of_competing_figures(story: Site) -> None:
    rows = story.ask("pledges_by_actor_and_currency")
    assert [tuple(row.values()) for row in rows] == [
        ("Norway", "EUR", "pledged", 2, 1200, 1202),
        ("Norway", "USD", "pledged", 1, 40, 41),
    ]
    assert story.ask("pledges_by_actor_and_currency", actor="nor", currency="usd") == rows[1:]
    assert story.ask("pledges_by_actor_and_currency", actor="Ukraine") == []


def test_figures_over_time_follow_a_toll_from_version_to_version(story: Site) -> None:
    rows = story.ask("figures_over_time", event_id="strike", measure="killed")
    assert [(row["version"], row["value"], row["low"], row["reported_by"]) for row in rows] == [
        (1, 20, None, "Mayor"),
        (1, None, 30, "Region"),
        (1, 9, None, "Army"),
        (2, 25, None, "Mayor"),
        (2, None, 30, "Region"),
        (2, 9, None, "Army"),
    ]
    assert {row["event_id"] for row in story.ask("figures_over_time")} == {"strike"}


def test_claims_and_denials_have_both_sides(story: Site) -> None:
    rows = story.ask("claims_and_denials", speaker="ministry")
    assert [(row["speaker"], row["stance"]) for row in rows] == [
        ("Ministry", "denies"),
        ("Zelensky", "asserts"),
    ]
    assert {row["event_id"] for row in story.ask("claims_and_denials")} == {"strike", "hostile"}


def test_every_query_has_a_form_with_its_parameters_and_says_what_they_mean(story: Site) -> None:
    for name, query in QUERIES.items():
        text = story.page(f"/timeline/{name}")
        assert query["title"] in html.unescape(text)
        for parameter in query["params"]:
            assert f'name="{parameter}"' in text
            assert f"{parameter}" in query["description"]


# --- The plugin ---------------------------------------------------------------------------


def notices(text: str) -> list[str]:
    found = re.findall(r'<p class="(?:timeline-)?notice" role="note"[^>]*>(.*?)</p>', text)
    return [html.unescape(notice) for notice in found]


def test_datasette_finds_the_plugin_by_its_entry_point() -> None:
    assert "timeline-store" in {plugin["name"] for plugin in get_plugins()}


def test_the_notice_stands_on_every_page_whatever_the_file_is_called(
    story: Site, tmp_path: Path
) -> None:
    renamed = tmp_path / "My story (2).db"
    renamed.write_bytes(story.file.read_bytes())
    with open_site(renamed, metadata=metadata_for(renamed)) as site:
        for path in paths(story.file):
            text = site.page(path.replace("/timeline", f"/{tilde_encode(renamed.stem)}"))
            assert notices(text) == [NOTICE], path
            assert path == "/" or text.index('role="note"') < text.index("<h1"), path


def test_other_databases_are_left_alone(story: Site, empty: Site, tmp_path: Path) -> None:
    foreign, hollow, damaged = (tmp_path / f"{name}.db" for name in ("foreign", "hollow", "bad"))
    with contextlib.closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE log (subject TEXT, version INTEGER, payload TEXT)")
        connection.execute("INSERT INTO log VALUES ('log', 1, '{\"notice\": \"Not ours\"}')")
        connection.commit()
    with contextlib.closing(sqlite3.connect(hollow)) as connection:
        connection.execute(f"PRAGMA application_id = {storage.APPLICATION_ID}")
    with contextlib.closing(sqlite3.connect(damaged)) as connection:
        connection.execute(f"PRAGMA application_id = {storage.APPLICATION_ID}")
        connection.execute("CREATE TABLE log (subject TEXT, version INTEGER, payload TEXT)")
        connection.execute("INSERT INTO log VALUES ('log', 1, '{')")
        connection.commit()
    quiet = tmp_path / "quiet.db"
    quiet.write_bytes(empty.file.read_bytes())
    with open_site(story.file, foreign, hollow, damaged, quiet) as site:
        assert notices(site.page("/")) == [NOTICE]
        assert notices(site.page("/timeline")) == [NOTICE]
        for path in ("/foreign", "/foreign/log", "/hollow", "/bad", "/bad/log"):
            text = site.page(path)
            assert "timeline-notice" not in text
            assert "timeline.css" not in text
        for path in ("/quiet", "/quiet/events"):
            text = site.page(path)
            assert "timeline-notice" not in text
            assert "timeline.css" in text


def test_a_changed_notice_shows_at_the_next_request(tmp_path: Path) -> None:
    file = create(tmp_path / "timeline.db", notice="The first")

    with open_site(file) as site:
        assert notices(site.page("/timeline")) == ["The first"]
        with appending(file, "2025-05-02T00:00") as append:
            append.update_log({"notice": "The second"})
        assert notices(site.page("/timeline")) == ["The second"]


def test_the_stylesheet_is_there_and_asks_nothing_of_other_hosts(story: Site) -> None:
    address = re.search(
        r'href="(/-/static-plugins/[^"]+timeline\.css)[?"]', story.page("/timeline")
    )
    assert address
    style = story.page(address[1])
    assert ".columns" in style
    assert not re.search(r"url\(|@import|//", style)


# --- metadata_for -------------------------------------------------------------------------


def test_metadata_for_a_file_has_its_name_and_the_title_and_licence_of_its_log(
    story: Site,
) -> None:
    renamed = story.file.with_name("odesa.db")
    renamed.write_bytes(story.file.read_bytes())
    metadata = metadata_for(renamed)
    assert list(metadata["databases"]) == ["odesa"]
    assert metadata["databases"]["odesa"]["tables"] == DESCRIBED
    for described in (metadata, metadata["databases"]["odesa"]):
        assert (described["title"], described["license"]) == ("The Odesa talks", "CC-BY-4.0")


def test_metadata_for_a_log_without_licence_claims_none(empty: Site) -> None:
    metadata = metadata_for(empty.file)
    assert "license" not in metadata
    assert "license" not in metadata["databases"]["timeline"]


def test_metadata_for_a_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotATimeline):
        metadata_for(tmp_path / "missing.db")
