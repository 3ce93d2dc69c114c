"""The tables: live equals rebuilt, what each column holds, and what a rebuild leaves alone."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from operations import Operation, begin, erase, stories, tell
from tables import Contents, derived, everything, searched
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.errors import ProjectionOutdated, TooNew
from timeline.model.content import Said
from timeline.model.names import actor_id_of
from timeline.model.resources import db_folder
from timeline.projection import facet_segments, tables
from timeline.reading import selection
from timeline.reading.as_of import AsOf
from timeline.reading.past_tables import tables_as_of
from timeline.store import storage

WHY = Said(reason="The source took it back")


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(storage.connect(path)) as connection:
        yield connection


@contextlib.contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        yield connection


def rebuild(path: Path) -> int:
    with writing(path) as connection:
        return tables.rebuild(connection)


def rows(timeline: Timeline, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with reading(timeline.path) as connection:
        return connection.execute(sql, values).fetchall()


def value(timeline: Timeline, sql: str, *values: object) -> Any:
    ((found,),) = rows(timeline, sql, *values)
    return found


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with its first entry, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "timeline.db"
    with Timeline.create(path, title="A story", now=TickingClock()):
        pass
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


# --- Live equals rebuilt ------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def segments_of_eight_entries() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facet_segments, "SIZE", 8)
        patch.setattr(facet_segments, "JOINED", 2)
        yield


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=stories)
def test_any_story_leaves_the_same_values_live_as_after_a_rebuild(
    empty: Path, tmp_path: Path, story: list[list[Operation]]
) -> None:
    path = tmp_path / "story.db"
    for name in tmp_path.glob("story.db*"):
        name.unlink()
    shutil.copy(empty, path)
    with Timeline.open(path, now=TickingClock()) as timeline:
        begin(timeline)
        for append_of in story:
            tell(timeline, append_of)
    live = everything(path)
    check_tables(path)
    assert rebuild(path) == len(live["log"])
    assert everything(path) == live
    check_search_index(path)


def check_tables(path: Path) -> None:
    """What holds between the tables, whatever was told."""
    with reading(path) as connection:
        empty_answers = {
            "a participant has an actor that was not merged": (
                "SELECT * FROM event_actors LEFT JOIN actors AS a USING (actor_id)"
                " WHERE a.actor_id IS NULL OR a.merged_into IS NOT NULL"
            ),
            "an actor is recorded, or somebody names it": (
                "SELECT * FROM actors AS a WHERE seq IS NULL"
                " AND NOT EXISTS (SELECT 1 FROM event_actors AS x WHERE x.actor_id = a.actor_id)"
            ),
            "an event is at risk if it has sources and all are withdrawn": (
                "SELECT * FROM events AS e WHERE at_risk <> (sources_count > 0 AND NOT EXISTS"
                " (SELECT 1 FROM citations JOIN sources AS s USING (source_id)"
                "   WHERE event_id = e.event_id AND s.state = 'current'))"
            ),
            "an external id has one event": (
                "SELECT external_id FROM event_external_ids GROUP BY 1 HAVING count(*) > 1"
            ),
            "an event stands as its newest version": (
                "SELECT * FROM events AS e JOIN event_versions AS v USING (event_id)"
                " WHERE (v.superseded_at IS NULL) <> (v.version = e.version)"
                " OR (v.version = e.version AND (v.state, v.seq, v.recorded_at, v.reported_at)"
                "     IS NOT (e.state, e.seq, e.recorded_at, e.reported_at))"
            ),
            "the integer key is the number of the first entry": (
                "SELECT * FROM events JOIN event_versions AS v USING (event_id)"
                " WHERE v.version = 1 AND event_key <> v.seq"
            ),
            "a report counts never before the one before it": (
                "SELECT * FROM event_versions AS v JOIN event_versions AS w USING (event_id)"
                " WHERE w.version = v.version + 1 AND w.reported_from < v.reported_from"
            ),
            "a search row belongs to an event": (
                "SELECT rowid FROM event_search EXCEPT SELECT event_key FROM events"
            ),
        }
        for rule, sql in empty_answers.items():
            assert connection.execute(sql).fetchall() == [], rule
        names = {
            event_id: "; ".join(dict.fromkeys(name for _, _, name in group)) or None
            for event_id, group in _grouped(
                connection.execute(
                    "SELECT event_id, position, a.name FROM event_actors"
                    " JOIN actors AS a USING (actor_id) ORDER BY event_id, position"
                )
            )
        }
        assert names == dict(
            connection.execute("SELECT event_id, actors FROM events WHERE actors IS NOT NULL")
        )
        # Folding the present again, from nothing but its contents, gives the present.
        newest = AsOf(seq=len(connection.execute("SELECT seq FROM log").fetchall()))
        with tables_as_of(connection, newest) as again:
            assert sorted(searched(again), key=repr) == sorted(searched(connection), key=repr)
            for table in ("events", "event_actors", "citations", "event_claims"):
                sql = f"SELECT * FROM {table}"
                assert sorted(again.execute(sql), key=repr) == sorted(
                    connection.execute(sql), key=repr
                ), table


def _grouped(found: Iterator[tuple[Any, ...]]) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    groups: dict[str, list[tuple[Any, ...]]] = {}
    for row in found:
        groups.setdefault(row[0], []).append(row)
    return iter(groups.items())


def check_search_index(path: Path) -> None:
    with writing(path) as connection:
        connection.execute("INSERT INTO event_search (event_search) VALUES ('integrity-check')")


def test_a_batch_of_thousands_leaves_the_same_values_live_as_after_a_rebuild(
    timeline: Timeline, path: Path
) -> None:
    """More than are held back at once, with an update in between that needs them."""
    with timeline.append() as append:
        for number in range(2_500):
            append.record(
                {
                    "event_id": f"event-{number:04}",
                    "title": f"Event {number}",
                    "occurred": "2025",
                    "participants": [{"name": f"Actor {number % 7}"}],
                    "external_ids": [f"test:{number}"],
                }
            )
            if number % 1_100 == 1_099:
                append.update(f"event-{number:04}", {"note": "seen again"})
    live = everything(path)
    assert len(live["events"]) == len(live["event_external_ids"]) == 2_500
    assert rebuild(path) == 2_503
    assert everything(path) == live


def test_a_rebuild_says_how_far_it_is(timeline: Timeline, path: Path) -> None:
    timeline.record({"title": "Talks", "occurred": "2025"})
    seen: list[int] = []
    with writing(path) as connection:
        assert tables.rebuild(connection, seen.append) == 2
    assert seen == [1, 2]


# --- What is there ------------------------------------------------------------------------

COLUMNS = {
    "log": "seq id kind subject version recorded_at reported_at envelope payload salt leaf",
    "events": (
        "event_id title summary note event_type mode contexts tags occurred occurred_text"
        " occurred_basis occurred_from occurred_to occurred_precision place country admin1 lat lon"
        " geo_precision about_place about_country about_admin1 about_lat about_lon"
        " about_geo_precision modality verification extra state version seq recorded_at"
        " first_recorded_at year month actors sources_count corrections_count at_risk"
    ),
    "current_events": "event_id title state",
    "event_actors": (
        "event_id actor_id name role as_named office country organisation sector wikidata"
    ),
    "event_tags": "event_id tag",
    "event_quantities": (
        "event_id measure value low high qualifier unit dated reported_by source_ids"
    ),
    "event_claims": "event_id speaker stance statement source_ids",
    "event_relations": "event_id relation related_event_id",
    "citations": "event_id source_id source_version quote quote_start quote_end credibility",
    "event_external_ids": "event_id external_id",
    "actors": "actor_id name aliases country wikidata",
    "sources": (
        "source_id title publisher authors url archive_url published accessed language licence"
        " reliability media_type text_sha256"
    ),
    "source_texts": "text_sha256 body",
    "event_versions": (
        "event_id version seq kind recorded_at superseded_at reported_from reason author"
    ),
    "field_changes": "event_id version seq kind path old_value new_value reason",
    "checkpoints": "size root note verifier_keys",
    "tree_hashes": "position hash",
    "publications": "published_at size root",
}


def columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    return [
        name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    ]


def test_every_table_and_column_that_is_promised_is_there(timeline: Timeline) -> None:
    with reading(timeline.path) as connection:
        for table, columns in COLUMNS.items():
            missing = set(columns.split()) - set(columns_of(connection, table))
            assert not missing, table
        assert connection.execute(
            "SELECT name FROM pragma_table_info('events') WHERE pk"
        ).fetchall() == [("event_id",)]


# https://sqlite.org/lang_keywords.html
KEYWORDS = """
    ABORT ACTION ADD AFTER ALL ALTER ALWAYS ANALYZE AND AS ASC ATTACH AUTOINCREMENT BEFORE BEGIN
    BETWEEN BY CASCADE CASE CAST CHECK COLLATE COLUMN COMMIT CONFLICT CONSTRAINT CREATE CROSS
    CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DATABASE DEFAULT DEFERRABLE DEFERRED
    DELETE DESC DETACH DISTINCT DO DROP EACH ELSE END ESCAPE EXCEPT EXCLUDE EXCLUSIVE EXISTS
    EXPLAIN FAIL FILTER FIRST FOLLOWING FOR FOREIGN FROM FULL GENERATED GLOB GROUP GROUPS HAVING
    IF IGNORE IMMEDIATE IN INDEX INDEXED INITIALLY INNER INSERT INSTEAD INTERSECT INTO IS ISNULL
    JOIN KEY LAST LEFT LIKE LIMIT MATCH MATERIALIZED NATURAL NO NOT NOTHING NOTNULL NULL NULLS OF
    OFFSET ON OR ORDER OTHERS OUTER OVER PARTITION PLAN PRAGMA PRECEDING PRIMARY QUERY RAISE RANGE
    RECURSIVE REFERENCES REGEXP REINDEX RELEASE RENAME REPLACE RESTRICT RETURNING RIGHT ROLLBACK
    ROW ROWS SAVEPOINT SELECT SET TABLE TEMP TEMPORARY THEN TIES TO TRANSACTION TRIGGER UNBOUNDED
    UNION UNIQUE UPDATE USING VACUUM VALUES VIEW VIRTUAL WHEN WHERE WINDOW WITH WITHOUT
"""


def test_no_table_or_column_is_an_sql_keyword(timeline: Timeline) -> None:
    keywords = set(KEYWORDS.split())
    with reading(timeline.path) as connection:
        here = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"
            )
        ]
        assert set(COLUMNS) <= set(here)
        assert set(tables.tables()) <= set(here)
        for table in here:
            words = {word.upper() for word in (table, *columns_of(connection, table))}
            # FTS5 has a hidden column of the table's name, and `rank`; neither is a keyword.
            assert not words & keywords, table
            assert all(re.fullmatch("[A-Z_][A-Z0-9_]*", word) for word in words), table


REGENERATE = (
    "db/schema.sql is not what a new file has:"
    " regenerate it with python tests/support/schema_sql.py"
)


def test_the_printed_schema_is_that_of_a_new_file() -> None:
    from schema_sql import printed_schema

    printed = (db_folder() / "schema.sql").read_text(encoding="utf-8")
    assert printed == printed_schema(), REGENERATE


def test_current_events_are_those_that_stand(timeline: Timeline) -> None:
    timeline.record(
        {"event_id": f"event-{letter}", "title": letter, "occurred": "2025"} for letter in "abc"
    )
    timeline.retract("event-a", reason="Never held")
    timeline.merge("event-b", "event-c")
    assert rows(timeline, "SELECT event_id, state FROM current_events") == [("event-c", "current")]
    assert rows(timeline, "SELECT event_id, state FROM events ORDER BY 1") == [
        ("event-a", "retracted"),
        ("event-b", "merged"),
        ("event-c", "current"),
    ]


def test_the_contents_of_versions_are_read_from_the_log(timeline: Timeline) -> None:
    timeline.record({"event_id": "talks", "title": "One", "occurred": "2025"})
    timeline.retract("talks", reason="Never held")
    timeline.correct("talks", {"title": "Two"}, reason="Seen again")
    assert rows(
        timeline, "SELECT version, state, content ->> 'title', reason FROM event_version_contents"
    ) == [
        (1, "current", "One", None),
        (2, "retracted", "One", "Never held"),
        (3, "retracted", "Two", "Seen again"),
    ]


def test_every_field_of_an_event_has_its_column(timeline: Timeline) -> None:
    with timeline.append() as append:
        append.record_source({"source_id": "paper", "title": "A paper"})
        append.record(
            {
                "event_id": "talks",
                "title": "Talks",
                "summary": "Long",
                "note": "Noted",
                "event_type": "Consultation",
                "mode": "visit",
                "contexts": ["military", "diplomatic"],
                "tags": ["Peace", "łódź"],
                "occurred": "15 April 2025",
                "occurred_text": "on Tuesday",
                "occurred_basis": "resolved",
                "place": {
                    "name": "Odesa",
                    "country": "Ukraine",
                    "admin1": "Odesa oblast",
                    "lat": "46.48",
                    "lon": 30.72,
                    "geo_precision": 1,
                },
                "about_place": {"name": "Black Sea", "lat": 43, "lon": 34, "geo_precision": 7},
                "participants": [
                    {
                        "name": "Mark Rutte",
                        "role": "speaker",
                        "as_named": "the Secretary General",
                        "office": "Secretary General",
                        "country": "NL",
                        "organisation": "NATO",
                        "sector": "IGO",
                        "wikidata": "Q57792",
                    },
                    {"name": "NATO"},
                ],
                "quantities": [
                    {
                        "measure": "Pledged",
                        "value": 20,
                        "low": "19.5",
                        "high": 21,
                        "qualifier": "more_than",
                        "unit": "EUR",
                        "dated": "2025-04",
                        "reported_by": "NATO",
                        "source_ids": ["paper"],
                    }
                ],
                "claims": [
                    {
                        "speaker": "Mark Rutte",
                        "stance": "denies",
                        "statement": "Nothing was agreed",
                        "source_ids": ["paper"],
                    }
                ],
                "relations": [{"type": "part_of", "event_id": "visit"}],
                "citations": [
                    {
                        "source_id": "paper",
                        "source_version": 1,
                        "quote": "talks were held",
                        "quote_start": 3,
                        "quote_end": 18,
                        "credibility": 2,
                    }
                ],
                "modality": "planned",
                "verification": "disputed",
                "highlight": True,
                "media": [{"kind": "video", "url": "https://example.org/v"}],
                "external_ids": ["gdelt:1"],
                "extra": {"ns": {"key": "wörd"}},
            },
            Said(reported_at="2025-04-16"),
        )
        append.record({"event_id": "visit", "title": "Visit", "occurred": "2025"})
    ((event_id, *_),) = rows(timeline, "SELECT * FROM events WHERE event_id = 'talks'")
    with reading(timeline.path) as connection:
        event = next(selection.list_events(connection, {"modality": "planned"}))
    assert event_id == "talks"
    recorded_at = event["recorded_at"]
    assert event == {
        "event_id": "talks",
        "title": "Talks",
        "summary": "Long",
        "note": "Noted",
        "event_type": "CONSULT",
        "mode": "visit",
        "contexts": '["military", "diplomatic"]',
        "tags": '["peace", "łódź"]',
        "occurred": "2025-04-15",
        "occurred_text": "on Tuesday",
        "occurred_basis": "resolved",
        "occurred_from": "2025-04-15",
        "occurred_to": "2025-04-15",
        "occurred_precision": "day",
        "year": 2025,
        "month": "2025-04",
        "place": "Odesa",
        "country": "UKR",
        "admin1": "Odesa oblast",
        "lat": 46.48,
        "lon": 30.72,
        "geo_precision": 1,
        "about_place": "Black Sea",
        "about_country": None,
        "about_admin1": None,
        "about_lat": 43.0,
        "about_lon": 34.0,
        "about_geo_precision": 7,
        "actors": "Mark Rutte; NATO",
        "modality": "planned",
        "verification": "disputed",
        "highlight": 1,
        "extra": '{"ns": {"key": "wörd"}}',
        "state": "current",
        "merged_into": None,
        "version": 1,
        "sources_count": 1,
        "corrections_count": 0,
        "at_risk": 0,
        "seq": 2,
        "event_key": 2,
        "recorded_at": recorded_at,
        "first_recorded_at": recorded_at,
        "reported_at": "2025-04-16",
    }
    rutte, nato = actor_id_of("Mark Rutte"), actor_id_of("NATO")
    assert rows(timeline, "SELECT * FROM event_actors") == [
        (
            "talks",
            1,
            rutte,
            "Mark Rutte",
            "speaker",
            "the Secretary General",
            "Secretary General",
            "NLD",
            "NATO",
            "IGO",
            "Q57792",
        ),
        ("talks", 2, nato, "NATO", "actor", None, None, None, None, None, None),
    ]
    assert rows(timeline, "SELECT * FROM event_quantities") == [
        ("talks", 1, "pledged", "more_than", 20, 19.5, 21, "EUR", "2025-04", "NATO", '["paper"]')
    ]
    assert rows(timeline, "SELECT * FROM event_claims") == [
        ("talks", 1, "Mark Rutte", "denies", "Nothing was agreed", '["paper"]')
    ]
    assert rows(timeline, "SELECT * FROM event_relations") == [
        ("talks", "part_of", "visit", "", "visit")
    ]
    assert rows(timeline, "SELECT * FROM citations") == [
        ("talks", 1, "paper", 1, "talks were held", 3, 18, 2)
    ]
    assert rows(timeline, "SELECT * FROM event_external_ids") == [("gdelt:1", "talks")]
    assert rows(timeline, "SELECT * FROM event_tags ORDER BY 2") == [
        ("talks", "peace"),
        ("talks", "łódź"),
    ]
    # What one participation says of an actor is not yet true of it everywhere.
    assert rows(timeline, "SELECT country, wikidata FROM actors WHERE actor_id = ?", rutte) == [
        (None, None)
    ]


def test_versions_say_when_they_held_and_changes_what_changed(
    timeline: Timeline, clock: TickingClock
) -> None:
    timeline.record(
        {
            "event_id": "strike",
            "title": "Strike",
            "occurred": "2025-04-13",
            "quantities": [{"measure": "killed", "value": 20}],
        },
        author="nb",
        reported_at="2025-04-13",
    )
    clock.set("2025-04-14T18:00:00")
    timeline.update(
        "strike", {"quantities.0.value": 34, "tags.-": "sumy"}, reported_at="2025-04-14"
    )
    clock.set("2025-04-15T18:00:00")
    timeline.correct(
        "strike",
        {"/quantities/0/value": 35},
        reason="Counted again",
        author="od",
        reported_at="same",
    )
    timeline.retract("strike", reason="A hoax", reported_at="same")
    assert rows(
        timeline,
        "SELECT version, seq, kind, state, recorded_at, superseded_at, reported_at, reported_from,"
        " reason, author FROM event_versions",
    ) == [
        (
            1,
            1,
            "event.recorded",
            "current",
            "2025-04-13T12:00:02.000000Z",
            "2025-04-14T18:00:01.000000Z",
            "2025-04-13",
            "2025-04-13T23:59:59.999999Z",
            None,
            "nb",
        ),
        (
            2,
            2,
            "event.updated",
            "current",
            "2025-04-14T18:00:01.000000Z",
            "2025-04-15T18:00:01.000000Z",
            "2025-04-14",
            "2025-04-14T23:59:59.999999Z",
            None,
            None,
        ),
        (
            3,
            3,
            "event.corrected",
            "current",
            "2025-04-15T18:00:01.000000Z",
            "2025-04-15T18:00:02.000000Z",
            "2025-04-14",
            "2025-04-14T23:59:59.999999Z",
            "Counted again",
            "od",
        ),
        (
            4,
            4,
            "event.retracted",
            "retracted",
            "2025-04-15T18:00:02.000000Z",
            None,
            "2025-04-14",
            "2025-04-14T23:59:59.999999Z",
            "A hoax",
            None,
        ),
    ]
    assert rows(
        timeline, "SELECT version, path, old_value, new_value, kind, reason, seq FROM field_changes"
    ) == [
        (2, "/quantities/0/value", "20", "34", "event.updated", None, 2),
        (2, "/tags/0", None, "sumy", "event.updated", None, 2),
        (3, "/quantities/0/value", "34", "35", "event.corrected", "Counted again", 3),
    ]
    assert value(timeline, "SELECT corrections_count FROM events") == 1
    assert value(timeline, "SELECT first_recorded_at FROM events") == "2025-04-13T12:00:02.000000Z"


@pytest.mark.parametrize(
    ("occurred", "year", "month"),
    [
        ("2025-04-15", 2025, "2025-04"),
        ("2025-04-15T10:15", 2025, "2025-04"),
        ("2025-04-01/2025-04-30", 2025, "2025-04"),
        ("2025-04~", 2025, "2025-04"),
        ("2025-04-30/2025-05-01", 2025, None),
        ("2025-33", 2025, None),
        ("2024-12-31/2025-01-01", None, None),
        ("../2025-04-15", None, None),
        ("2025-04-15/..", None, None),
        ("202X", None, None),
        ("-0043", -43, None),
    ],
)
def test_year_and_month_are_given_only_when_both_bounds_fall_in_them(
    timeline: Timeline, occurred: str, year: int | None, month: str | None
) -> None:
    timeline.record({"title": "Something", "occurred": occurred})
    assert rows(timeline, "SELECT year, month FROM events") == [(year, month)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (35, 35),
        ("35.0", 35),
        (-7, -7),
        (0.5, 0.5),
        ("0.1", 0.1),
        (2**53, 2**53),
        (10**18 - 1, 10**18 - 1),
        (2**63, float(2**63)),
        (10**30, 1e30),
    ],
)
def test_a_figure_is_an_integer_where_sqlite_has_one_else_a_real(
    timeline: Timeline, given: object, expected: int | float
) -> None:
    timeline.record(
        {
            "event_id": "strike",
            "title": "Strike",
            "occurred": "2025",
            "quantities": [{"measure": "killed", "value": given}],
        }
    )
    stored = value(timeline, "SELECT value FROM event_quantities")
    assert stored == expected
    assert type(stored) is type(expected)
    kind = "integer" if isinstance(expected, int) else "real"
    assert value(timeline, "SELECT typeof(value) FROM event_quantities") == kind


# --- Actors -------------------------------------------------------------------------------


def record_with(timeline: Timeline, event_id: str, *participants: dict[str, Any] | str) -> None:
    timeline.record(
        {
            "event_id": event_id,
            "title": "An event",
            "occurred": "2025",
            "participants": [p if isinstance(p, dict) else {"name": p} for p in participants],
        }
    )


def counted(timeline: Timeline) -> dict[str, int]:
    """The facet of actors: how many events each name has."""
    return {row["label"]: row["count"] for row in timeline.facets()["actor"]}


def test_names_that_differ_in_case_and_diacritics_are_one_actor(timeline: Timeline) -> None:
    record_with(timeline, "first", "Viktor Orbán")
    record_with(timeline, "second", "VIKTOR  ORBAN", "viktor orbán")
    assert counted(timeline) == {"Viktor Orbán": 2}


def test_an_alias_folds_two_names_onto_one_actor(timeline: Timeline) -> None:
    record_with(timeline, "first", "Zelensky")
    record_with(timeline, "second", "Volodymyr Zelenskyy")
    record_with(timeline, "both", "Zelensky", "Volodymyr Zelenskyy")
    assert counted(timeline) == {"Zelensky": 2, "Volodymyr Zelenskyy": 2}
    with timeline.append() as append:
        append.record_actor(
            {"actor_id": "zel", "name": "Volodymyr Zelenskyy", "aliases": ["Zelensky"]}
        )
    assert counted(timeline) == {"Volodymyr Zelenskyy": 3}
    record_with(timeline, "later", "ZELENSKY")
    assert counted(timeline) == {"Volodymyr Zelenskyy": 4}
    assert rows(timeline, "SELECT actor_id, aliases FROM actors") == [("zel", "Zelensky")]
    assert value(timeline, "SELECT actors FROM events WHERE event_id = 'both'") == (
        "Volodymyr Zelenskyy"
    )
    with timeline.append() as append:
        append.update_actor("zel", {"aliases": None})
    assert counted(timeline) == {"Zelensky": 3, "Volodymyr Zelenskyy": 2}


def test_a_name_that_two_actors_have_is_that_of_the_one_recorded_first(
    timeline: Timeline,
) -> None:
    record_with(timeline, "before", "The President")
    with timeline.append() as append:
        for actor_id in ("zz-first", "aa-second"):
            append.record_actor(
                {"actor_id": actor_id, "name": actor_id, "aliases": ["The President"]}
            )
    record_with(timeline, "after", "The President")
    assert counted(timeline) == {"zz-first": 2}
    with timeline.append() as append:
        append.update_actor("zz-first", {"aliases": None})
    assert counted(timeline) == {"aa-second": 2}


def test_namesakes_with_ids_of_their_own_stay_apart(timeline: Timeline) -> None:
    record_with(timeline, "first", {"name": "John Smith", "actor_id": "smith-mp"})
    record_with(timeline, "second", {"name": "John Smith", "actor_id": "smith-poet"})
    record_with(timeline, "third", "John Smith")
    facet = timeline.facets()["actor"]
    assert [(row["label"], row["count"]) for row in facet] == [("John Smith", 1)] * 3
    assert {row["value"] for row in facet} == {
        "smith-mp",
        "smith-poet",
        actor_id_of("John Smith"),
    }


def test_a_rename_changes_the_names_shown_and_never_the_entries(timeline: Timeline) -> None:
    record_with(timeline, "visit", {"name": "Turkey", "as_named": "Ankara"})
    before = rows(timeline, "SELECT seq, envelope, payload FROM log")
    with timeline.append() as append:
        append.record_actor({"actor_id": "tur", "name": "Turkey"})
        append.update_actor("tur", {"name": "Türkiye", "aliases": ["Turkey"]})
    assert rows(timeline, "SELECT seq, envelope, payload FROM log WHERE seq < 2") == before
    assert counted(timeline) == {"Türkiye": 1}
    assert rows(timeline, "SELECT actors, seq, version FROM events") == [("Türkiye", 1, 1)]
    assert rows(timeline, "SELECT name, as_named FROM event_actors") == [("Turkey", "Ankara")]
    assert timeline.get("visit")["participants"] == [{"name": "Turkey", "as_named": "Ankara"}]
    for name in ("Türkiye", "Turkey", "Ankara"):
        assert [row["event_id"] for row in timeline.search(name)] == ["visit"], name


def test_merged_actors_count_as_the_one_that_stays(timeline: Timeline) -> None:
    for event_id, name in (("one", "Alpha"), ("two", "Beta"), ("three", "Gamma")):
        record_with(timeline, f"event-{event_id}", name)
    with timeline.append() as append:
        for name in ("Alpha", "Beta", "Gamma"):
            append.record_actor({"actor_id": name.lower(), "name": name})
        append.merge_actor("alpha", "beta")
    assert counted(timeline) == {"Beta": 2, "Gamma": 1}
    with timeline.append() as append:
        append.merge_actor("beta", "gamma")
    assert counted(timeline) == {"Gamma": 3}
    with timeline.append() as append:  # what was merged by way of beta goes where it is sent
        append.record_actor({"actor_id": "delta", "name": "Delta"})
        append.merge_actor("alpha", "delta")
    assert counted(timeline) == {"Gamma": 2, "Delta": 1}


def test_an_alias_that_a_merged_actor_loses_is_an_actor_again(timeline: Timeline) -> None:
    record_with(timeline, "event-one", "Old name")
    with timeline.append() as append:
        append.record_actor({"actor_id": "alpha", "name": "Alpha", "aliases": ["Old name"]})
        append.record_actor({"actor_id": "beta", "name": "Beta"})
        append.merge_actor("alpha", "beta")
    assert counted(timeline) == {"Beta": 1}
    with timeline.append() as append:
        append.update_actor("alpha", {"aliases": None})
    assert counted(timeline) == {"Old name": 1}


def test_an_actor_that_nobody_names_any_more_is_gone_unless_it_was_recorded(
    timeline: Timeline,
) -> None:
    record_with(timeline, "visit", "Passer-by", "NATO")
    with timeline.append() as append:
        append.record_actor({"actor_id": "nato", "name": "NATO"})
    timeline.update("visit", {"participants": None})
    assert rows(timeline, "SELECT actor_id FROM actors") == [("nato",)]


# --- Sources ------------------------------------------------------------------------------


def test_an_event_is_at_risk_when_all_its_sources_are_withdrawn(timeline: Timeline) -> None:
    def at_risk() -> dict[str, int]:
        return dict(rows(timeline, "SELECT event_id, at_risk FROM events"))

    with timeline.append() as append:
        for source_id in ("paper", "radio"):
            append.record_source({"source_id": source_id, "title": source_id})
        for event_id, cited in (
            ("both", ("paper", "radio", "paper")),
            ("paper-only", ("paper",)),
            ("none", ()),
        ):
            append.record(
                {
                    "event_id": event_id,
                    "title": event_id,
                    "occurred": "2025",
                    "citations": [{"source_id": source_id} for source_id in cited],
                }
            )
    assert at_risk() == {"both": 0, "paper-only": 0, "none": 0}
    assert rows(timeline, "SELECT sources_count FROM events ORDER BY event_id") == [
        (2,),
        (0,),
        (1,),
    ]
    with timeline.append() as append:
        append.withdraw_source("paper", WHY)
    assert at_risk() == {"both": 0, "paper-only": 1, "none": 0}
    with timeline.append() as append:
        append.withdraw_source("radio", WHY)
        append.record(
            {
                "event_id": "new",
                "title": "Cites what is withdrawn",
                "occurred": "2025",
                "citations": [{"source_id": "radio"}],
            }
        )
        append.update("none", {"citations.-": {"source_id": "paper"}})
    assert at_risk() == {"both": 1, "paper-only": 1, "none": 1, "new": 1}
    assert rows(timeline, "SELECT DISTINCT state, withdrawn_reason FROM sources") == [
        ("withdrawn", "The source took it back")
    ]
    with timeline.append() as append:
        append.reinstate_source("paper")
        append.update("new", {"citations.0.source_id": "paper"})
    assert at_risk() == {"both": 0, "paper-only": 0, "none": 0, "new": 0}
    live = everything(timeline.path)
    rebuild(timeline.path)
    assert everything(timeline.path) == live


# --- Search -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "sought", "found"),
    [
        ("Viktor Orbán came", "orban", True),
        ("Viktor Orban came", "Orbán", True),
        ("Košice", "KOSICE", True),
        ("Ấn Độ", "an", True),  # two marks on one letter
        ("Одеса", "одеса", True),
        ("Łódź", "lodz", True),
        ("Łódź", "łodz", True),
        ("Lodz", "Łódź", True),
        ("Ørsted", "orsted", True),
        ("Straße", "strasse", True),
    ],
)
def test_search_folds_case_marks_and_strokes(
    timeline: Timeline, written: str, sought: str, found: bool
) -> None:
    timeline.record({"title": written, "occurred": "2025"})
    assert bool(timeline.search(f'"{sought}"')) is found


def test_words_are_found_in_every_text_that_names_the_event(timeline: Timeline) -> None:
    timeline.record(
        {
            "event_id": "visit",
            "title": "TitleWord",
            "summary": "SummaryWord",
            "occurred": "2025",
            "place": {"name": "PlaceWord", "admin1": "RegionWord"},
            "about_place": {"name": "AboutWord"},
            "participants": [{"name": "NameWord", "as_named": "CalledWord"}],
            "citations": [{"source": {"title": "HeadlineWord"}, "quote": "QuoteWord"}],
            "note": "NoteWord",
        }
    )
    sought = ["Title", "Summary", "Place", "Region", "About", "Name", "Called", "Quote"]
    for word in sought:
        assert len(timeline.search(f"{word}Word")) == 1, word
    for word in ("Headline", "Note"):
        assert timeline.search(f"{word}Word") == [], word
    timeline.update("visit", {"title": "NewTitle"})
    assert timeline.search("TitleWord") == []
    assert len(timeline.search("NewTitle")) == 1


# --- Erasure ------------------------------------------------------------------------------


ERASED = "Somebodywho"


def test_an_erased_payload_leaves_no_text_in_any_table(timeline: Timeline, path: Path) -> None:
    record_with(timeline, "visit", {"name": ERASED, "as_named": f"{ERASED} the Second"})
    timeline.update(
        "visit",
        {
            "title": f"{ERASED} came",
            "citations.-": {"source": {"title": f"About {ERASED}", "source_id": "paper"}},
            "tags.-": ERASED,
            "external_ids.-": f"test:{ERASED}",
            "quantities.-": {"measure": "killed", "value": 1, "reported_by": ERASED},
        },
    )
    assert sum(ERASED in repr(found) for found in derived(path).values()) > 5
    assert rows(timeline, "SELECT seq, kind FROM log")[1:] == [
        (1, "event.recorded"),
        (2, "source.recorded"),
        (3, "event.updated"),
    ]
    erase(path, 1, 2, 3)
    assert rebuild(path) == 7
    assert ERASED.lower() not in repr(everything(path)).lower()
    with reading(path) as connection:
        terms = connection.execute("SELECT * FROM event_search_data").fetchall()
    assert ERASED.lower().encode() not in b"".join(block for _, block in terms)
    event = timeline.get("visit")
    assert event == {
        "event_id": "visit",
        "state": "erased",
        "version": 2,
        "seq": 3,
        "recorded_at": event["recorded_at"],
        "reported_at": "2025-04-13",
    }
    assert timeline.list() == []
    assert [row["state"] for row in timeline.list(state="erased")] == ["erased"]
    assert [row["state"] for row in timeline.history("visit")] == ["erased", "erased"]
    assert timeline.search(ERASED, state="all") == []


def test_nothing_falls_back_to_older_text_when_the_newest_is_erased(
    timeline: Timeline, path: Path
) -> None:
    record_with(timeline, "visit", "NATO")
    timeline.update("visit", {"title": ERASED})
    erase(path, 2)
    rebuild(path)
    assert timeline.get("visit")["state"] == "erased"
    assert "title" not in timeline.get("visit")
    assert rows(timeline, "SELECT title, actors, occurred FROM events") == [(None, None, None)]
    assert rows(timeline, "SELECT * FROM event_actors") == []
    assert timeline.get("visit", version=1)["state"] == "current"
    assert rows(timeline, "SELECT * FROM field_changes") == []


@pytest.mark.parametrize("state", ["current", "retracted", "merged"])
def test_a_new_content_brings_an_erased_event_back_in_its_state(
    timeline: Timeline, path: Path, state: str
) -> None:
    record_with(timeline, "visit", ERASED)
    record_with(timeline, "other", "NATO")
    if state == "retracted":
        timeline.retract("visit", reason="Never held")
    if state == "merged":
        timeline.merge("visit", "other")
    erase(path, 1)
    rebuild(path)
    assert timeline.get("visit")["state"] == "erased"
    timeline.update("visit", {"title": "Somebody came", "occurred": "2025"})
    found = timeline.get("visit")
    assert (found["state"], found["title"]) == (state, "Somebody came")
    assert found.get("merged_into") == ("other" if state == "merged" else None)
    live = everything(path)
    rebuild(path)
    assert everything(path) == live
    assert ERASED not in repr(live)


def test_an_erased_event_can_be_retracted_once_and_reinstated(
    timeline: Timeline, path: Path
) -> None:
    from timeline.errors import NothingChanged

    record_with(timeline, "visit", ERASED)
    erase(path, 1)
    rebuild(path)
    with pytest.raises(NothingChanged):
        timeline.reinstate("visit")
    timeline.retract("visit", reason="Never held")
    assert timeline.get("visit")["state"] == "erased"
    with pytest.raises(NothingChanged):
        timeline.retract("visit", reason="Never held")
    timeline.update("visit", {"title": "Somebody came", "occurred": "2025"})
    assert timeline.get("visit")["state"] == "retracted"


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=stories, share=st.floats(0, 1), later=stories)
def test_a_story_with_erasures_goes_on_as_a_rebuild_tells_it(
    empty: Path,
    tmp_path: Path,
    story: list[list[Operation]],
    share: float,
    later: list[list[Operation]],
) -> None:
    path = tmp_path / "story.db"
    for name in tmp_path.glob("story.db*"):
        name.unlink()
    shutil.copy(empty, path)
    with Timeline.open(path, now=TickingClock()) as timeline:
        begin(timeline)
        for append_of in story:
            tell(timeline, append_of)
    with reading(path) as connection:
        seqs = [
            seq
            for (seq,) in connection.execute("SELECT seq FROM log WHERE kind GLOB '[eas]*'")
            if seq % 10 < share * 10
        ]
    erase(path, *seqs)
    rebuild(path)
    with Timeline.open(path, now=TickingClock()) as timeline:
        for append_of in later:
            tell(timeline, append_of)
    live = everything(path)
    rebuild(path)
    assert everything(path) == live


# --- A rebuild leaves alone ---------------------------------------------------------------


def test_tables_that_are_not_ours_survive_a_rebuild(timeline: Timeline, path: Path) -> None:
    record_with(timeline, "visit", "NATO")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes_of_mine (event_id TEXT, words TEXT)")
        connection.execute("INSERT INTO notes_of_mine VALUES ('visit', 'call them')")
        connection.execute(
            "CREATE VIEW mine AS SELECT * FROM events JOIN notes_of_mine USING (event_id)"
        )
        connection.execute(
            "INSERT INTO source_texts VALUES ('sha256:x', 'A text', 'today', NULL, NULL)"
        )
        connection.execute(
            "INSERT INTO checkpoints VALUES (1, zeroblob(32), 'note', 'key', 'today')"
        )
        connection.execute("INSERT INTO publications VALUES ('today', 1, zeroblob(32), NULL)")
        connection.commit()
    before = everything(path)
    rebuild(path)
    assert everything(path) == before
    assert [len(before[name]) for name in ("source_texts", "checkpoints", "publications")] == [
        1
    ] * 3
    assert rows(timeline, "SELECT words, title FROM mine") == [("call them", "An event")]


def test_a_rebuild_that_fails_in_the_middle_leaves_the_old_tables(
    timeline: Timeline, path: Path
) -> None:
    record_with(timeline, "visit", "NATO")
    before = everything(path)

    def fail(count: int) -> None:
        if count == 2:
            raise KeyboardInterrupt

    with writing(path) as connection:
        with pytest.raises(KeyboardInterrupt):
            tables.rebuild(connection, fail)
        assert not connection.in_transaction
    assert everything(path) == before


def test_readers_see_the_old_tables_until_a_rebuild_is_done(timeline: Timeline, path: Path) -> None:
    record_with(timeline, "visit", "NATO")
    seen: list[Contents] = []
    before = everything(path)
    with writing(path) as connection:
        tables.rebuild(connection, lambda count: seen.append(everything(path)))
    assert seen == [before, before]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE projection_state SET projection_version = projection_version + 1",
        "DELETE FROM projection_state",
        "DROP TABLE projection_state",
    ],
)
def test_tables_of_another_version_are_refused_until_they_are_rebuilt(
    path: Path, timeline: Timeline, damage: str
) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(damage)
        connection.commit()
    with pytest.raises(ProjectionOutdated, match="run timeline rebuild"):
        Timeline.open(path)
    rebuild(path)
    Timeline.open(path).close()


def test_tables_with_entries_of_a_newer_format_are_refused(path: Path, timeline: Timeline) -> None:
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        connection.execute("UPDATE projection_state SET entry_version = 3")
        with pytest.raises(TooNew, match=r"format 3; this Timeline reads up to 2"):
            tables.check(connection, str(path))
