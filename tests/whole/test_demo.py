"""The demonstration: what it tells, what was believed when, and what it leaves alone."""

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import CHECKOUT
from tables import searched

from timeline import demo
from timeline.errors import NotATimeline, StoreError
from timeline.formats.labels import coverage_words
from timeline.model import clock, resources
from timeline.projection import tables
from timeline.reading import captured_texts, corroboration, query
from timeline.store import log, storage
from timeline.writing import writer

SCRIPT = CHECKOUT / "db" / "demo" / "nato-odesa.json"
NOTICE = "Demonstration: recording times are staged"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "timeline.db"
    demo.build(path)
    return path


@pytest.fixture
def db(built: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(storage.connect(built)) as connection:
        yield connection


def as_of(db: sqlite3.Connection, event_id: str, moment: str) -> dict[str, Any] | None:
    """An event as it was believed at the end of a day, or at a time: content and state."""
    at = str(clock.moment(moment, log.info(db)["time_zone"]))
    row = db.execute(
        "SELECT content, state, kind, reason FROM event_version_contents"
        " WHERE event_id = ? AND recorded_at <= ? ORDER BY version DESC LIMIT 1",
        (event_id, at),
    ).fetchone()
    return {**json.loads(row[0]), "state": row[1], "kind": row[2], "why": row[3]} if row else None


def believed(db: sqlite3.Connection, event_id: str, moment: str) -> dict[str, Any]:
    event = as_of(db, event_id, moment)
    assert event is not None
    return event


def figures(db: sqlite3.Connection, moment: str) -> list[tuple[str, str, str]]:
    """The tolls of the strike on Sumy, as they stood beside each other."""
    return [
        (q["measure"], f"{q.get('qualifier', 'exact')} {q['value']}", q["unit"])
        for q in believed(db, "sumy-strike", moment)["quantities"]
        if q["measure"] in ("killed", "injured")
    ]


def rutte(event: dict[str, Any]) -> dict[str, Any]:
    (found,) = (p for p in event["participants"] if p["name"] == "Mark Rutte")
    return dict(found)


def rows_of(db: sqlite3.Connection) -> dict[str, list[str]]:
    """Every table of ours, without salts and what is hashed with them."""
    found = {
        name: sorted(map(repr, db.execute(f"SELECT * FROM {name}")))
        for name, kind in tables.tables().items()
        if kind == "TABLE" and name != "event_search"
    }
    found["event_search"] = sorted(map(repr, searched(db)))
    columns = "seq, id, kind, subject, version, recorded_at, reported_at, payload"
    found["log"] = list(map(repr, db.execute(f"SELECT {columns} FROM log ORDER BY seq")))
    return found


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


# --- the whole --------------------------------------------------------------------------------


def test_it_has_nineteen_events_all_of_them_current(db: sqlite3.Connection) -> None:
    assert db.execute("SELECT count(*) FROM events").fetchone() == (19,)
    assert db.execute("SELECT count(*) FROM current_events").fetchone() == (19,)


def test_it_says_what_it_is_and_has_highlights_and_pictures(db: sqlite3.Connection) -> None:
    assert {"description", "publisher", "contact", "homepage"} <= log.info(db).keys()
    (highlights,) = db.execute("SELECT count(*) FROM events WHERE highlight").fetchone()
    assert 4 <= highlights <= 6
    pictures = db.execute("SELECT alt, credit, caption, sha256 FROM event_media").fetchall()
    assert len(pictures) == 3
    assert all(all(each) for each in pictures)
    sizes = [size for (size,) in db.execute("SELECT size FROM media_files")]
    assert len(sizes) == 3
    assert max(sizes) < 100_000


def test_it_has_at_least_thirty_entries_about_events(db: sqlite3.Connection) -> None:
    (count,) = db.execute("SELECT count(*) FROM log WHERE subject GLOB 'event/*'").fetchone()
    assert count >= 30


def test_build_returns_the_number_of_entries(tmp_path: Path) -> None:
    path = tmp_path / "timeline.db"
    entries = demo.build(path)
    with contextlib.closing(storage.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM log").fetchone() == (entries,)


def test_the_log_says_that_its_times_are_staged(db: sqlite3.Connection) -> None:
    info = log.info(db)
    assert info["notice"] == NOTICE
    assert demo.is_demo(info)
    assert not demo.is_demo({"origin": "example.org/another"})


def test_every_append_is_recorded_at_its_staged_time(db: sqlite3.Connection) -> None:
    script = json.loads(SCRIPT.read_text(encoding="utf-8"))
    staged = [script["opened_at"], *(append["at"] for append in script["appends"])]
    recorded = [at for (at,) in db.execute("SELECT DISTINCT recorded_at FROM log ORDER BY seq")]
    assert recorded == [clock.utc(clock.parse(at)) for at in staged]


def test_recording_times_increase_within_march_and_april_2025(db: sqlite3.Connection) -> None:
    recorded = [at for (at,) in db.execute("SELECT DISTINCT recorded_at FROM log ORDER BY seq")]
    assert recorded == sorted(recorded)
    assert recorded[0] >= "2025-03-11"
    assert recorded[-1] < "2025-05"


def test_nothing_is_reported_after_it_was_recorded(db: sqlite3.Connection) -> None:
    zone = log.info(db)["time_zone"]
    for seq, recorded, reported in db.execute(
        "SELECT seq, recorded_at, reported_at FROM log WHERE reported_at IS NOT NULL"
    ):
        assert reported <= clock.day_in(clock.parse(recorded), zone), seq


def test_every_source_has_a_title_and_is_cited(db: sqlite3.Connection) -> None:
    cited = {source_id for (source_id,) in db.execute("SELECT source_id FROM citations")}
    sources = dict(db.execute("SELECT source_id, title FROM sources").fetchall())
    assert all(sources.values())
    assert sources.keys() == cited


def test_every_version_of_an_event_has_a_citation_a_type_and_a_summary(
    db: sqlite3.Connection,
) -> None:
    for event_id, version, content in db.execute(
        "SELECT event_id, version, content FROM event_version_contents"
    ):
        event = json.loads(content)
        assert event["citations"], (event_id, version)
        assert event["event_type"], (event_id, version)
        assert event["summary"], (event_id, version)


def test_figures_and_claims_rest_on_sources_that_the_event_cites(db: sqlite3.Connection) -> None:
    for event_id, version, content in db.execute(
        "SELECT event_id, version, content FROM event_version_contents"
    ):
        event = json.loads(content)
        cited = {citation["source_id"] for citation in event["citations"]}
        for item in (*event.get("quantities", ()), *event.get("claims", ())):
            assert item["source_ids"], (event_id, version)
            assert cited.issuperset(item["source_ids"]), (event_id, version)


def test_only_the_briefing_is_quoted_and_every_event_quotes_it(db: sqlite3.Connection) -> None:
    """The story is told in words of its own."""
    quoted = db.execute("SELECT source_id, event_id FROM citations WHERE quote IS NOT NULL")
    rows = quoted.fetchall()
    assert {source_id for source_id, _ in rows} == {"odesa-briefing"}
    assert len({event_id for _, event_id in rows}) == len(rows) == 19


def test_every_sentence_of_the_briefing_is_covered_or_commentary(db: sqlite3.Connection) -> None:
    found = captured_texts.coverage(db, "odesa-briefing")
    assert coverage_words(found.sentences) == "13 of 16 covered, 3 commentary, none missing"
    assert all(each.why for each in found.sentences if each.state == "commentary")
    assert found.lost_quotes == []
    assert found.text == SCRIPT.with_name("briefing.txt").read_text(encoding="utf-8")


def test_nothing_rests_on_one_origin_that_is_called_corroborated(db: sqlite3.Connection) -> None:
    for (event_id,) in db.execute("SELECT event_id FROM events").fetchall():
        assert corroboration.uncorroborated_event(db, query.get(db, event_id)) == ""


def test_every_change_says_why_and_who(db: sqlite3.Connection) -> None:
    for seq, kind, author, reason in db.execute(
        "SELECT seq, kind, author, reason FROM event_versions"
    ):
        assert author, seq
        assert reason or kind == "event.recorded", seq


def test_what_is_known_vaguely_stays_vague(db: sqlite3.Connection) -> None:
    occurred = dict(db.execute("SELECT event_id, occurred FROM events").fetchall())
    assert occurred["nato-allies-pledge"] == "2025-33"
    assert occurred["us-call-on-europe"] == "../2025-04-15"
    assert occurred["coalition-of-the-willing"] == "2025-02-17/.."
    assert occurred["saudi-ceasefire-talks"] == "2025-03-11/2025-03-25"


# --- what was believed when -------------------------------------------------------------------


def test_the_toll_of_the_strike_rises_beside_a_rival_claim(db: sqlite3.Connection) -> None:
    first = ("killed", "more_than 20", "person")
    officials = ("killed", "exact 34", "person")
    rival = ("killed", "more_than 60", "service member")
    prosecutor = ("killed", "exact 35", "person")
    newspaper = ("killed", "exact 36", "person")
    injured = ("injured", "exact 119", "person")

    assert as_of(db, "sumy-strike", "2025-04-12") is None
    assert figures(db, "2025-04-13") == [first]
    assert figures(db, "2025-04-14T12:00:00Z") == [first, officials, rival]
    assert figures(db, "2025-04-14") == [first, officials, rival, prosecutor]
    assert figures(db, "2025-04-16") == [*(first, officials, rival, prosecutor, newspaper, injured)]


def test_the_strike_is_disputed_once_the_other_side_has_spoken(db: sqlite3.Connection) -> None:
    assert "verification" not in believed(db, "sumy-strike", "2025-04-13")
    strike = believed(db, "sumy-strike", "2025-04-14")
    assert strike["verification"] == "disputed"
    assert [claim.get("stance", "asserts") for claim in strike["claims"]] == ["asserts", "disputes"]


def test_rising_tolls_count_from_their_days_on_the_reported_clock(db: sqlite3.Connection) -> None:
    reported = db.execute(
        "SELECT substr(reported_from, 1, 10) FROM event_versions"
        " WHERE event_id = 'sumy-strike' ORDER BY version LIMIT 4"
    ).fetchall()
    assert reported == [("2025-04-13",), ("2025-04-14",), ("2025-04-14",), ("2025-04-15",)]


@pytest.mark.parametrize("event_id", ["rutte-odesa-visit", "rutte-zelenskyy-meeting"])
def test_the_office_is_corrected_and_the_article_keeps_its_words(
    db: sqlite3.Connection, event_id: str
) -> None:
    before, after = (believed(db, event_id, day) for day in ("2025-04-15", "2025-04-16"))
    assert rutte(before)["office"] == "Prime Minister of the Netherlands"
    assert rutte(before)["country"] == "NLD"
    assert after["kind"] == "event.corrected"
    assert "1 October 2024" in after["why"]
    assert rutte(after)["office"] == "Secretary General of NATO"
    assert rutte(after)["organisation"] == "NATO"
    assert "country" not in rutte(after)
    assert (
        rutte(before)["as_named"] == rutte(after)["as_named"] == "Dutch Prime Minister Mark Rutte"
    )


def test_the_day_of_the_visit_is_known_only_after_the_correction(db: sqlite3.Connection) -> None:
    assert believed(db, "rutte-odesa-visit", "2025-04-15")["occurred"] == "../2025-04-15"
    assert believed(db, "rutte-odesa-visit", "2025-04-16")["occurred"] == "2025-04-15"


def test_the_meeting_in_turkey_is_dated_and_placed_by_a_correction(db: sqlite3.Connection) -> None:
    before, after = (
        believed(db, "ankara-black-sea-meeting", day) for day in ("2025-04-15", "2025-04-16")
    )
    assert (before["occurred"], after["occurred"]) == ("../2025-04-15", "2025-04-15/2025-04-16")
    assert "name" not in before["place"]
    assert "Ankara" in after["place"]["name"]


def test_one_agreement_on_the_black_sea_becomes_two_statements(db: sqlite3.Connection) -> None:
    before, after = (
        believed(db, "black-sea-statements", day) for day in ("2025-03-25", "2025-03-26")
    )
    assert before["title"] != after["title"]
    assert "an agreement between Russia and Ukraine" in before["summary"]
    assert "Two separate statements" in after["summary"]
    assert after["kind"] == "event.updated"
    assert after["place"]["name"] == "Riyadh"
    assert after["about_place"]["name"] == "Black Sea"


def test_the_planned_consultations_come_about(db: sqlite3.Connection) -> None:
    assert believed(db, "minerals-consultations", "2025-04-17")["modality"] == "planned"
    (now,) = db.execute(
        "SELECT modality FROM events WHERE event_id = 'minerals-consultations'"
    ).fetchone()
    assert now == "actual"


def test_one_event_is_retracted_and_later_reinstated(db: sqlite3.Connection) -> None:
    kinds = Counter(kind for (kind,) in db.execute("SELECT kind FROM log"))
    assert kinds["event.retracted"] == kinds["event.reinstated"] == 1
    states = [
        believed(db, "maritime-contingent-talks", moment)["state"]
        for moment in ("2025-04-15T18:00:00Z", "2025-04-15", "2025-04-16")
    ]
    assert states == ["current", "retracted", "current"]


# --- the file ---------------------------------------------------------------------------------


def test_two_builds_differ_in_nothing_but_salts_and_hashes(tmp_path: Path, built: Path) -> None:
    demo.build(tmp_path / "again.db")
    with (
        contextlib.closing(storage.connect(built)) as first,
        contextlib.closing(storage.connect(tmp_path / "again.db")) as second,
    ):
        assert rows_of(first) == rows_of(second)


def test_a_rebuild_of_the_tables_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "timeline.db"
    demo.build(path)
    with contextlib.closing(storage.connect(path, write=True)) as db:
        live = rows_of(db)
        tables.rebuild(db)
        assert rows_of(db) == live


def test_an_earlier_demonstration_is_replaced_with_what_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "timeline.db"
    entries = demo.build(path)
    with contextlib.closing(storage.connect(path, write=True)) as db:
        with writer.appending(db, str(path)) as append:
            append.record({"title": "Added by a visitor", "occurred": "2025-04-20"})
        # Left open, so that the write-ahead log stays.
        assert (tmp_path / "timeline.db-wal").stat().st_size > 0
        assert demo.build(path) == entries
        assert names(tmp_path) == ["timeline.db"]
    with contextlib.closing(storage.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM log").fetchone() == (entries,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_file_that_is_no_timeline_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("to keep", encoding="utf-8")
    with pytest.raises(NotATimeline) as refusal:
        demo.build(path)
    assert len(str(refusal.value).splitlines()) == 1
    assert path.read_text(encoding="utf-8") == "to keep"
    assert names(tmp_path) == ["notes.txt"]


def test_a_timeline_of_ones_own_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.db"
    writer.create_log(path, {"title": "Mine"})
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is a timeline, but not the demonstration") as refusal:
        demo.build(path)
    assert len(str(refusal.value).splitlines()) == 1
    assert path.read_bytes() == before


def test_a_folder_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        demo.build(tmp_path)
    assert tmp_path.is_dir()


def test_a_build_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no folder"):
        demo.build(tmp_path / "nowhere" / "timeline.db")


@pytest.mark.parametrize(
    ("found", "put", "problem"),
    [
        (
            '"measure": "injured"',
            '"measured": "injured"',
            r"append \d+ of 2025-04-15T19:15:00Z: step 3: quantities\.6\.measured: is not a field",
        ),
        (
            '"author": "news-desk"',
            '"auther": "news-desk"',
            "append 1 of 2025-03-11T20:05:00Z: step 1: auther: is not a field",
        ),
        (
            '"retract": "maritime',
            '"remove": "maritime',
            r"append \d+ of 2025-04-15T20:45:00Z: step 1: remove: is not a field",
        ),
    ],
)
def test_a_mistake_in_the_data_is_named_by_append_and_step(
    tmp_path: Path, found: str, put: str, problem: str
) -> None:
    ignored = shutil.ignore_patterns("*.db*", "__pycache__")
    for folder in ("timeline", "db"):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder, ignore=ignored)
    script = tmp_path / "db" / "demo" / SCRIPT.name
    text = script.read_text(encoding="utf-8")
    assert found in text
    script.write_text(text.replace(found, put, 1), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-c", "from timeline import demo; demo.build('demo.db')"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(f"{SCRIPT.name}, {problem}", run.stderr)
    assert not list(tmp_path.glob("demo*"))


def test_the_data_lies_where_the_package_looks_for_it() -> None:
    assert resources.db_folder().joinpath("demo", SCRIPT.name).is_file()
