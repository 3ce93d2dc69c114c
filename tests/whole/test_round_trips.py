"""Every event of the demonstration, as it stood at every moment: out in each format, held to the
format's rules by others' parsers and schemas, and in again where the format carries it."""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from checked_formats import (
    Rows,
    check_atom,
    check_calendar,
    check_geojson,
    check_json,
    check_timelinejs,
    written,
)
from running import done

from timeline import Timeline, demo
from timeline.formats.about import About
from timeline.formats.sheet.lookup import lookup_of
from timeline.intake.restore import restore
from timeline.proof.verify import verify
from timeline.reading import entries, query
from timeline.reading.as_of import NOW, AsOf, parse_as_of
from timeline.store import codec, log, storage

DERIVED = frozenset(
    (
        *("occurred_from", "occurred_to", "occurred_precision", "at_risk", "merged_into"),
        *("state", "version", "seq", "recorded_at"),
        *("event_type_label", "country_code", "country_name"),
    )
)
"""What docs/formats.md says that an event in JSON has beside the fields of `timeline schema`."""

REPORTED = ("2025-03-11", "2025-04-14", "2025-04-15", "2025-04-16")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "timeline.db"
    demo.build(path)
    return path


@pytest.fixture(scope="module")
def connection(story: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(storage.connect(story)) as opened:
        yield opened


@pytest.fixture(scope="module")
def moments(connection: sqlite3.Connection) -> list[AsOf]:
    """Now, the end of every batch, some days of the reported clock, and both together."""
    ends = connection.execute("SELECT max(seq) FROM log GROUP BY recorded_at ORDER BY 1")
    recorded = [AsOf(seq) for (seq,) in ends]
    reported = [parse_as_of(connection, None, day) for day in REPORTED]
    both = [point._replace(seq=end.seq) for point in reported for end in recorded[::4]]
    found = [NOW, *recorded, *reported, *both]
    assert len(found) > 40
    return found


def there(connection: sqlite3.Connection, point: AsOf) -> tuple[Rows, About]:
    """All events that there were, newest recorded first, and what goes with them."""
    rows: Rows = []
    for (event_id,) in connection.execute("SELECT event_id FROM events").fetchall():
        with contextlib.suppress(query.NotFound):
            rows.append(query.get(connection, event_id, as_of=point))
    rows.sort(key=lambda row: row["seq"], reverse=True)
    return rows, About(log.info(connection), lookup_of(connection), point, self_url="https://a.b/c")


def statement(event: dict[str, Any]) -> dict[str, Any]:
    """An event of a JSON export as `append` takes it."""
    found = {field: value for field, value in event.items() if field not in DERIVED}
    for citation in found.get("citations", ()):
        citation.pop("selector", None)
    return found


def copy_of_sources(story: Path, path: Path) -> Timeline:
    """Another log that knows the same sources, without their texts, and the same attached files.

    An export names sources by their ids, and files by their hashes.
    """
    with contextlib.closing(storage.connect(story)) as connection:
        newest = {
            entry.subject_id: codec.decode_content(entry.payload)
            for entry in log.read(connection)
            if entry.kind in ("source.recorded", "source.updated")
        }
        info = log.info(connection)
        files = connection.execute("SELECT body FROM media_bytes").fetchall()
    timeline = Timeline.create(path, title="Another", time_zone=info["time_zone"])
    with timeline.append() as append:
        for source_id, content in newest.items():
            append.record_source({"source_id": source_id, **(content or {})})
        for (body,) in files:
            append.kept_file(body)
    return timeline


# --- By the rules of others ---------------------------------------------------------------


def test_every_event_at_every_moment_is_in_each_format_by_its_rules(
    connection: sqlite3.Connection, moments: list[AsOf]
) -> None:
    seen = set()
    for point in moments:
        rows, about = there(connection, point)
        seen |= {(row["event_id"], row["version"]) for row in rows}
        check_json(written("json", rows, about)[0], rows)
        check_geojson(written("geojson", rows, about)[0], rows)
        check_calendar(rows, about)
        check_atom(written("atom", rows, about)[0], rows)
        check_timelinejs(written("timelinejs", rows, about)[0], rows)
    events = {event_id for event_id, _ in seen}
    ((shown,),) = connection.execute(
        "SELECT count(DISTINCT event_id || recorded_at) FROM event_versions"
    )
    assert (len(events), len(seen)) == (19, shown)


def test_every_event_at_every_moment_is_valid_by_the_schema_that_we_publish(
    connection: sqlite3.Connection, moments: list[AsOf]
) -> None:
    published = json.loads(done("schema", "event"))
    jsonschema.Draft202012Validator.check_schema(published)
    validator = jsonschema.Draft202012Validator(published)
    checked = 0
    for point in moments:
        rows, about = there(connection, point)
        for event in json.loads(written("json", rows, about)[0])["events"]:
            validator.validate(statement(event))
            checked += 1
    assert checked > 400
    wrong = {"title": "T", "occurred": "2025", "colour": "red"}
    assert not validator.is_valid(wrong)


# --- In again -----------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["now", "#20", "#33", "#45"])
def test_json_that_is_appended_to_another_log_says_the_same_there(
    moment: str, story: Path, tmp_path: Path
) -> None:
    asked = () if moment == "now" else ("--as-of", moment)
    exported = json.loads(done("-d", story, "export", "json", "--state", "all", *asked))["events"]
    statements = [statement(event) for event in exported]
    file = tmp_path / "events.json"
    file.write_text(json.dumps(statements), encoding="utf-8")
    path = tmp_path / "other.db"
    with copy_of_sources(story, path):
        done("-d", path, "append", file)
    again = json.loads(done("-d", path, "export", "json"))["events"]
    assert [statement(event) for event in again] == statements
    assert len(statements) > 7
    for field in ("occurred_from", "occurred_to", "occurred_precision"):
        assert [event[field] for event in again] == [event[field] for event in exported]
    assert done("-d", path, "append", file).count("unchanged") == len(statements)


@pytest.mark.parametrize("moment", ["now", "#20", "#33", "#45"])
def test_a_sheet_that_is_appended_to_another_log_is_exported_there_as_it_was(
    moment: str, story: Path, tmp_path: Path
) -> None:
    sheet, again, path = (tmp_path / name for name in ("one.csv", "two.csv", "other.db"))
    asked = () if moment == "now" else ("--as-of", moment)
    columns = [part for name in ("note", "modality", "mode") for part in ("--column", name)]
    done("-d", story, "export", "csv", *columns, *asked, "-o", sheet)
    Timeline.create(path, title="Another").close()
    done("-d", path, "append", "--csv", sheet)
    done("-d", path, "export", "csv", *columns, "-o", again)
    assert again.read_bytes() == sheet.read_bytes()
    assert sheet.read_bytes().count(b"\r\n") > 7


def test_the_log_at_every_moment_is_taken_in_with_the_root_that_it_had(
    story: Path, connection: sqlite3.Connection, moments: list[AsOf], tmp_path: Path
) -> None:
    """Each time into a new file, and all of them one after the other into a mirror."""
    ends = [point for point in moments if point.reported == NOW.reported]
    mirror = tmp_path / "mirror.db"
    for number, point in enumerate((*ends[1:], ends[0])):
        exported = [*entries.read(connection, as_of=point)]
        lines = "".join(f"{codec.to_wire(entry)}\n" for entry in exported).encode()
        root = log.root_at(connection, len(exported))
        path = tmp_path / f"{number}.db"
        assert restore(path, io.BytesIO(lines)).root == root
        assert restore(mirror, io.BytesIO(lines)).root == root
        for copy in (path, mirror):
            assert verify(copy).findings == []
        with Timeline.open(path) as mine, Timeline.open(story) as theirs:
            as_of = exported[-1].seq
            for event in mine.list(state="all"):
                assert mine.get(event["event_id"]) == theirs.get(event["event_id"], as_of=as_of)
    assert verify(mirror).root == verify(story).root
