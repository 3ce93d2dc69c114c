"""What is refused: in one line that says where and what would be right, and without a trace."""

from __future__ import annotations

import array
import contextlib
import fcntl
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from running import PROGRAM, done, dump, entries, environment, one_line, process, run

from timeline import Timeline
from timeline.errors import InvalidSheet, StorageFull
from timeline.formats.sheet.events import Lookup, normal
from timeline.formats.sheet.reading import Sheet
from timeline.store import schema, storage
from timeline.store.codec import encode
from timeline.writing import writer

Refuses = Callable[..., str]

GOOD = {"title": "Good", "occurred": "2025-05-01"}
READING = (
    ["show", "talks"],
    ["history", "talks"],
    ["list"],
    ["search", "talks"],
    ["facets"],
    ["log"],
)
WRITING = (
    ["append", "--title", "T", "--occurred", "2025"],
    ["update", "talks", "--set", "title=T"],
    ["correct", "talks", "--set", "title=T", "--reason", "r"],
    ["retract", "talks", "--reason", "r"],
    ["reinstate", "rumour"],
    ["merge", "talks", "--into", "rumour"],
)


@pytest.fixture
def story(timeline: Timeline) -> Iterator[Path]:
    """A timeline of two events: talks, and a rumour that was retracted."""
    timeline.record(
        {
            "event_id": "talks",
            "title": "Talks in Odesa",
            "occurred": "2025-04-15",
            "quantities": [{"measure": "killed", "value": 3}],
            "external_ids": ["gdelt:1"],
        }
    )
    timeline.record({"event_id": "rumour", "title": "A rumour", "occurred": "2025"})
    timeline.retract("rumour", reason="nobody stands by it")
    timeline.close()
    return timeline.path


@pytest.fixture
def refuses(story: Path) -> Refuses:
    """Run a command that must be refused; the line that it says."""

    def refuse(*arguments: object, **settings: Any) -> str:
        before = dump(story)
        result = run("-d", story, *arguments, **settings)
        assert dump(story) == before
        return one_line(result)

    return refuse


@pytest.fixture
def refuses_event(refuses: Refuses) -> Refuses:
    """Append an event, or the text of one, that must be refused; the line that it says."""

    def refuse(event: object) -> str:
        text = event if isinstance(event, str | bytes) else json.dumps(event)
        return refuses("append", "-", input=text)

    return refuse


# --- JSON ---------------------------------------------------------------------------------


def test_malformed_json_is_refused_with_the_place(refuses_event: Refuses) -> None:
    said = refuses_event('{"title": "T",\n "occurred": "2025",}')
    assert said.startswith("line 2: is not JSON: ")
    assert said.endswith(" at character 21")


def test_two_objects_without_an_array_are_refused_with_a_hint(refuses_event: Refuses) -> None:
    assert "--nl" in refuses_event(f"{json.dumps(GOOD)}\n{json.dumps(GOOD)}\n")


def test_a_duplicate_key_is_refused(refuses_event: Refuses) -> None:
    said = refuses_event('{"title": "T", "title": "U", "occurred": "2025"}')
    assert said == 'line 1: has the key "title" twice'


def test_a_duplicate_key_deep_inside_is_refused(refuses_event: Refuses) -> None:
    said = refuses_event(
        '[{"title": "T", "occurred": "2025"},\n {"title": "T", "place": {"lat": 1, "lat": 2}}]'
    )
    assert said == 'line 2: has the key "lat" twice'


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_json_does_not_know_as_a_number_is_refused(
    number: str, refuses_event: Refuses
) -> None:
    said = refuses_event(f'{{"title": "T", "occurred": "2025", "place": {{"lat": {number}}}}}')
    assert said == f"line 1: has {number}, which is not a JSON number"


@pytest.mark.parametrize("number", ["1e400", "9" * 40, "0." + "3" * 50])
def test_a_number_that_nobody_can_hold_is_refused(number: str, refuses_event: Refuses) -> None:
    quantity = f'[{{"measure": "killed", "value": {number}}}]'
    said = refuses_event(f'{{"title": "T", "occurred": "2025", "quantities": {quantity}}}')
    assert said.startswith("line 1: ")
    assert "38" in said


def test_an_escaped_nul_is_refused(refuses_event: Refuses) -> None:
    assert refuses_event(r'{"title": "a\u0000b", "occurred": "2025"}') == (
        "line 1: holds a NUL character"
    )


def test_a_raw_nul_is_refused(refuses_event: Refuses) -> None:
    said = refuses_event('{"title": "a\0b", "occurred": "2025"}')
    assert said.startswith("line 1: is not JSON: Invalid control character")


def test_a_nul_in_an_option_never_gets_here(story: Path) -> None:
    with pytest.raises(ValueError, match="null byte"):
        process("-d", story, "append", "--title", "a\0b", "--occurred", "2025", cwd=story.parent)


def test_a_lone_surrogate_is_refused(refuses_event: Refuses) -> None:
    assert refuses_event(r'{"title": "a\ud800", "occurred": "2025"}') == (
        "line 1: holds half a character (a lone surrogate)"
    )


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000 + "]" * 10_000,
        '{"title": "T", "occurred": "2025", "extra": ' + '{"a":' * 10_000 + "1" + "}" * 10_001,
    ],
    ids=["arrays", "objects"],
)
def test_a_depth_of_10000_is_refused(text: str, refuses: Refuses) -> None:
    assert refuses("append", "-", input=text) == "line 1: is nested too deeply"
    assert refuses("append", "--nl", "-", input=f"\n{text}") == "line 2: is nested too deeply"


def test_invalid_utf8_is_refused_with_its_line(refuses: Refuses) -> None:
    text = b'[{"title": "T",\n "occurred": "\xff"}]'
    assert refuses("append", "-", input=text) == "line 2: is not UTF-8: byte 0xff"
    text = b'\n\n{"title": "\xff"}\n'
    assert refuses("append", "--nl", "-", input=text) == "line 3: is not UTF-8: byte 0xff"


def test_utf16_is_refused(refuses_event: Refuses) -> None:
    assert refuses_event(json.dumps(GOOD).encode("utf-16")).startswith("line 1: is not UTF-8")


@pytest.mark.parametrize("text", ["", " \n\t\n", "\ufeff"])
def test_an_empty_file_is_refused(text: str, refuses: Refuses, tmp_path: Path) -> None:
    file = tmp_path / "empty.json"
    file.write_text(text, encoding="utf-8")
    assert refuses("append", file) == (
        f"{file} is empty: write an event as a JSON object, or an array of them"
    )


@pytest.mark.parametrize("text", ["7", '"T"', "null", "[7]", "[[]]", "[null]"])
def test_json_that_is_no_object_is_refused(text: str, refuses_event: Refuses) -> None:
    assert refuses_event(text) == "line 1: must be an object with fields"


# --- Fields -------------------------------------------------------------------------------


def test_a_wrong_type_is_refused(refuses_event: Refuses) -> None:
    assert refuses_event({**GOOD, "title": 7}) == "line 1: title: must be text"
    assert refuses_event({**GOOD, "tags": "nato"}) == "line 1: tags: must be a list"
    assert refuses_event({**GOOD, "place": "Odesa"}) == (
        "line 1: place: must be an object with fields"
    )
    assert refuses_event({**GOOD, "occurred": 2025}).startswith("line 1: occurred: must be a date")


def test_an_unknown_field_is_refused_with_the_nearest(refuses_event: Refuses) -> None:
    assert refuses_event({**GOOD, "sumary": "S"}) == (
        "line 1: sumary: is not a field: did you mean summary?"
    )
    assert refuses_event({**GOOD, "place": {"nam": "Odesa"}}).startswith(
        "line 1: place.nam: is not a field: did you mean name?"
    )


def test_a_slip_in_a_required_field_is_told_as_one(refuses_event: Refuses) -> None:
    said = refuses_event({"titel": "T", "occurred": "2025"})
    assert said.startswith("line 1: titel: is not a field: did you mean title?")


def test_a_missing_field_is_named(refuses_event: Refuses) -> None:
    assert refuses_event({"title": "T"}) == "line 1: occurred: is required"


def test_an_impossible_date_is_refused(refuses_event: Refuses) -> None:
    assert refuses_event({**GOOD, "occurred": "2025-02-30"}) == (
        'line 1: occurred: "2025-02-30" is not a date: February 2025 has 28 days'
    )


def test_an_ambiguous_date_is_refused_with_both_readings(refuses_event: Refuses) -> None:
    assert refuses_event({**GOOD, "occurred": "04/05/2025"}) == (
        'line 1: occurred: "04/05/2025" can be read as 4 May 2025 (2025-05-04) '
        "or 5 April 2025 (2025-04-05): write one of these"
    )


def test_a_reversed_interval_is_refused(refuses_event: Refuses) -> None:
    assert refuses_event({**GOOD, "occurred": "2025-05-01/2025-04-01"}) == (
        'line 1: occurred: "2025-05-01/2025-04-01" ends before it begins'
    )


def test_a_latitude_of_91_is_refused(refuses_event: Refuses) -> None:
    assert refuses_event({**GOOD, "place": {"lat": 91, "lon": 0}}) == (
        "line 1: place.lat: 91 is not a latitude: it lies between -90 and 90"
    )


def test_an_unknown_event_type_is_refused_with_the_nearest(refuses_event: Refuses) -> None:
    assert refuses_event({**GOOD, "event_type": "Consultatoin"}) == (
        'line 1: event_type: "Consultatoin" is not an event type of this log: '
        "did you mean CONSULT (Consultation)?"
    )


def test_an_unknown_country_is_refused_with_the_nearest(refuses_event: Refuses) -> None:
    assert refuses_event({**GOOD, "place": {"country": "Ukrane"}}) == (
        'line 1: place.country: "Ukrane" is not a country: did you mean "Ukraine" (UKR)?'
    )


def test_an_unknown_currency_is_refused_with_the_nearest(refuses_event: Refuses) -> None:
    quantity = {"measure": "pledged", "value": 1, "unit": "EUP"}
    assert refuses_event({**GOOD, "quantities": [quantity]}) == (
        'line 1: quantities.0.unit: "EUP" is not an ISO 4217 currency: did you mean EUR?'
    )


def test_an_empty_title_is_refused(refuses: Refuses, refuses_event: Refuses) -> None:
    for title in ("", "  ", None):
        assert refuses_event({**GOOD, "title": title}).startswith("line 1: title: ")
    assert refuses("append", "--title", "", "--occurred", "2025") == "title: is required"


@pytest.mark.parametrize("line_break", ["\n", "\r", "\u2028", "\x85"])
def test_a_title_of_two_lines_is_refused(line_break: str, refuses: Refuses) -> None:
    said = refuses("append", "--title", f"One{line_break}two", "--occurred", "2025")
    assert said == "title: must be one line"


def test_a_figure_that_is_none_is_refused(refuses: Refuses) -> None:
    for figure in ("35 killed", "killed=", "=35"):
        said = refuses("append", "--title", "T", "--occurred", "2025", "--figure", figure)
        assert said == f'figure: "{figure}" is not a figure: write one such as killed=35'
    said = refuses("append", "--title", "T", "--occurred", "2025", "--figure", "killed=some")
    assert said.startswith('figure: "some" is not a figure: write one such as 35')


def test_a_reference_to_nothing_is_refused(refuses_event: Refuses) -> None:
    relation = {"type": "follows", "event_id": "nothing"}
    assert 'relations.0.event_id: there is no event "nothing"' in refuses_event(
        {**GOOD, "relations": [relation]}
    )
    assert 'citations.0.source_id: there is no source "nothing"' in refuses_event(
        {**GOOD, "citations": [{"source_id": "nothing"}]}
    )


# --- Whole statements ---------------------------------------------------------------------


def test_a_known_id_with_other_content_is_refused_with_what_to_do(refuses_event: Refuses) -> None:
    said = refuses_event({"event_id": "talks", "title": "Other", "occurred": "2025-04-15"})
    assert said.startswith("line 1: event talks is already recorded with another title, quantities")
    assert "timeline update" in said
    assert "timeline correct" in said


def test_an_external_id_of_another_event_is_refused(refuses_event: Refuses) -> None:
    said = refuses_event({**GOOD, "event_id": "other", "external_ids": ["gdelt:1"]})
    assert said == "line 1: external_ids: gdelt:1 belongs to event talks"


def test_half_a_batch_is_refused_whole_as_an_array(refuses_event: Refuses) -> None:
    bad = {**GOOD, "place": {"lat": 91, "lon": 0}}
    said = refuses_event(json.dumps([GOOD, bad]))
    assert said == "event 2: place.lat: 91 is not a latitude: it lies between -90 and 90"


def test_half_a_batch_names_the_line_where_the_item_begins(refuses_event: Refuses) -> None:
    text = (
        '[{"title": "T", "occurred": "2025"},\n\n'
        ' {"title": "U",\n  "occurred": "2025",\n  "place": {"lat": 91, "lon": 0}},\n'
        ' {"title": "V", "occurred": "2025"}]'
    )
    said = refuses_event(text)
    assert said == "line 3: place.lat: 91 is not a latitude: it lies between -90 and 90"


def test_half_a_batch_is_refused_whole_with_an_object_a_line(refuses: Refuses) -> None:
    text = f"{json.dumps(GOOD)}\n\n{json.dumps({**GOOD, 'occurred': 'never'})}\n"
    said = refuses("append", "--nl", "-", input=text)
    assert said.startswith('line 3: occurred: "never" is not a date: write one like 2025-04-15')


def test_a_batch_that_breaks_off_is_refused_whole(refuses: Refuses) -> None:
    text = f'[{json.dumps(GOOD)},\n {{"title": "T"'
    assert refuses("append", "-", input=text).startswith("line 2: is not JSON")
    text = f'{json.dumps(GOOD)}\n{{"title": "T", "occ'
    assert refuses("append", "--nl", "-", input=text).startswith("line 2: is not JSON")


@pytest.mark.parametrize("number", [1, 2, 9, 16, 17, 18])
def test_of_several_errors_the_first_in_the_file_is_told(refuses: Refuses, number: int) -> None:
    """Whichever is found first: one by reading, one by checking, one by asking the log."""
    good = [f'{{"title": "Event {each}", "occurred": "2025"}}' for each in range(number)]
    wrong = {
        "event_type": '{"title": "Third", "occurred": "2025", "event_type": "nonsense"}',
        "occurred": '{"title": "Second", "occurred": "never"}',
        "is not JSON": "nonsense",
    }
    for first in wrong:
        text = "\n".join([*good, wrong[first], *wrong.values(), ""])
        said = refuses("append", "--nl", "-", input=text)
        assert said.startswith(f"line {number + 1}: {first}"), said


def test_a_missing_file_is_wrong_usage(story: Path, tmp_path: Path) -> None:
    result = run("-d", story, "append", tmp_path / "none.json")
    assert result.exit_code == 2
    assert "No such file" in result.stderr


def test_a_directory_instead_of_a_file_is_wrong_usage(story: Path, tmp_path: Path) -> None:
    result = run("-d", story, "append", tmp_path)
    assert result.exit_code == 2
    assert "Is a directory" in result.stderr


# --- Changes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("title", 'set: "title" is not PATH=VALUE'),
        ("=T", 'set: "=T" is not PATH=VALUE'),
        ("nothing=T", "nothing: is not a field"),
        ("a..b=T", '"a..b" is not a path: write one such as place.name'),
        ("title.name=T", "title.name: leads nowhere"),
        ("quantities.7.value=1", 'quantities.7.value: there is no item "7"'),
        ("quantities.first.value=1", 'quantities.first.value: there is no item "first"'),
        ("quantities.0.value=many", 'quantities.0.value: "many" is not a number'),
        ("quantities.-.value=1", "quantities.1.measure: is required"),
        ("tags=[1", "tags: is not JSON"),
        ("tags=nato", "tags: must be a list"),
        ("title=", "title: is required"),
        ("occurred=04/05/2025", 'occurred: "04/05/2025" can be read as 4 May 2025'),
        ("state=retracted", "state: is not a field"),
    ],
)
def test_a_wrong_change_is_refused(assignment: str, says: str, refuses: Refuses) -> None:
    assert says in refuses("update", "talks", "--set", assignment)
    assert says in refuses("correct", "talks", "--set", assignment, "--reason", "r")


def test_a_change_that_changes_nothing_is_refused(refuses: Refuses) -> None:
    said = refuses("update", "talks", "--set", "title=Talks in Odesa")
    assert said == "event talks already says so: nothing would change"
    assert "already" in refuses("retract", "rumour", "--reason", "again")
    assert "already" in refuses("reinstate", "talks")


def test_a_stale_version_is_refused(refuses: Refuses) -> None:
    for arguments in (["talks", "--expect", "2"], ["talks@2"]):
        said = refuses("update", *arguments, "--set", "title=T")
        assert said == "event talks is at version 1, not 2: look at it again, then repeat"


def test_an_empty_reason_is_none(refuses: Refuses) -> None:
    said = refuses("retract", "talks", "--reason", " ")
    assert said.startswith("reason: ")


def test_a_merge_into_itself_is_refused(refuses: Refuses) -> None:
    assert "circle" in refuses("merge", "talks", "--into", "talks")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["list", "--as-of", "yesterday"], "as_of: "),
        (["list", "--as-of", "#77"], 'no entry "#77": the newest is #3'),
        (["list", "--as-reported", "2025-13"], "as_reported: "),
        (["list", "--type", "Consultatoin"], "did you mean CONSULT (Consultation)?"),
        (["list", "--country", "Ukrane"], 'did you mean "Ukraine" (UKR)?'),
        (["list", "--since", "04/05/2025"], "since: "),
        (["list", "--month", "2025"], "month: "),
        (["search", "***"], "text: must hold a word to look for"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_question_is_refused(arguments: list[str], says: str, refuses: Refuses) -> None:
    assert says in refuses(*arguments)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--title", ""], "title: is required"),
        (["--title", "T", "--origin", "a b"], "origin: must be a name without blanks"),
        (["--title", "T", "--time-zone", "Mars/Base"], 'time_zone: "Mars/Base" is not a time zone'),
        (["--title", "T", "--language", "English please"], "language: must be a language tag"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_log_that_cannot_be_opened_leaves_nothing_behind(
    options: list[str], says: str, path: Path
) -> None:
    assert says in one_line(run("-d", path, "init", *options))
    assert not [*path.parent.iterdir()]


# --- Files that are not a timeline --------------------------------------------------------


def each_command(path: Path, *, reading: bool = True, writing: bool = True) -> Iterator[str]:
    """What each command says that is refused, all of them in one process."""
    for arguments in (*(READING if reading else ()), *(WRITING if writing else ())):
        yield one_line(run("-d", path, *arguments))


def test_a_missing_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    for said in [*each_command(path), one_line(run("-d", path, "rebuild"))]:
        assert said == f"{path}: does not exist; timeline init makes one"
    assert not [*tmp_path.iterdir()]


def test_a_folder_instead_of_a_database_is_refused(tmp_path: Path) -> None:
    for said in [*each_command(tmp_path), one_line(run("-d", tmp_path, "rebuild"))]:
        assert said == f"{tmp_path}: is not a file"


@pytest.mark.parametrize(
    "content",
    [b"id,title\n1,Talks\n", b"", b"SQLite format 3\x00", b"\x00" * 4096],
    ids=["text", "empty", "header", "zeros"],
)
def test_a_file_that_is_no_timeline_is_refused_and_left_alone(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "file.db"
    path.write_bytes(content)
    for said in [*each_command(path), one_line(run("-d", path, "rebuild"))]:
        assert said.startswith(f"{path}: is ")
    assert path.read_bytes() == content


def test_another_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE events (event_id TEXT PRIMARY KEY)")
        connection.execute("CREATE TABLE log (seq INTEGER PRIMARY KEY)")
        connection.commit()
    content = path.read_bytes()
    for said in [*each_command(path), one_line(run("-d", path, "rebuild"))]:
        assert said == f"{path}: is a database, but not a timeline"
    assert path.read_bytes() == content


def test_a_damaged_file_is_refused(story: Path) -> None:
    whole = story.read_bytes()
    story.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    for said in each_command(story):
        assert said.startswith(f"{story}: is ")


def test_init_leaves_a_file_that_is_there_alone(story: Path) -> None:
    before = dump(story)
    said = one_line(run("-d", story, "init", "--title", "T"))
    assert said == f"{story}: exists already; it was not touched"
    assert dump(story) == before


def test_init_needs_a_folder_that_is_there(tmp_path: Path) -> None:
    said = one_line(run("-d", tmp_path / "none" / "timeline.db", "init", "--title", "T"))
    assert said.endswith(f"there is no folder {tmp_path / 'none'}")


# --- Versions -----------------------------------------------------------------------------


def add_entry(path: Path, v: int) -> None:
    """Append an entry of format `v` by plain SQL, which the triggers allow."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        seq, recorded_at = connection.execute(
            "SELECT max(seq) + 1, max(recorded_at) FROM log"
        ).fetchone()
        entry = encode(
            seq=seq,
            id=f"by-hand-{seq}",
            kind="event.recorded",
            subject=f"event/by-hand-{seq}",
            version=1,
            recorded_at=recorded_at,
            reported_at="2025-04-15",
            payload='{"title":"By hand","occurred":"2025-04-15"}',
        )
        envelope = entry.envelope.replace('{"v":1,', f'{{"v":{v},')
        connection.execute(
            "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            entry._replace(envelope=envelope),
        )
        connection.commit()


def test_an_entry_of_a_newer_timeline_stops_every_command(story: Path) -> None:
    add_entry(story, 3)
    before = entries(story)
    for said in [*each_command(story), one_line(run("-d", story, "rebuild"))]:
        assert "format 3" in said
        assert "up to 2" in said
    assert entries(story) == before


def test_a_rebuild_stops_at_an_entry_of_a_newer_timeline_wherever_it_is(story: Path) -> None:
    add_entry(story, 3)
    add_entry(story, 1)
    before = dump(story)
    assert "format 3" in one_line(run("-d", story, "rebuild"))
    assert dump(story) == before


def test_a_newer_schema_is_refused(story: Path) -> None:
    set_pragma(story, "user_version", schema.SCHEMA_VERSION + 1)
    for said in [*each_command(story), one_line(run("-d", story, "rebuild"))]:
        newer, ours = schema.SCHEMA_VERSION + 1, schema.SCHEMA_VERSION
        assert said == (
            f"{story}: has schema {newer}; this Timeline knows up to {ours}: upgrade it"
        )


def set_pragma(path: Path, name: str, value: int) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA {name} = {value}")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE projection_state SET projection_version = projection_version + 1",
        "UPDATE projection_state SET projection_version = 0",
        "DELETE FROM projection_state",
        "DROP TABLE projection_state",
    ],
)
def test_outdated_tables_are_refused_until_they_are_rebuilt(change: str, story: Path) -> None:
    with contextlib.closing(sqlite3.connect(story)) as connection:
        connection.execute(change)
        connection.commit()
    before = dump(story)
    for said in each_command(story):
        assert said == f"{story}: its tables are of another version: run timeline rebuild"
    assert dump(story) == before
    doctor = run("-d", story, "doctor")
    assert doctor.exit_code == 1
    assert "runtimelinerebuild" in "".join(doctor.stdout.split())
    done("-d", story, "rebuild")
    assert "Talks in Odesa" in done("-d", story, "list")
    done("-d", story, "append", "--title", "T", "--occurred", "2025")


# --- Permissions --------------------------------------------------------------------------

AS_NOBODY = """
import difflib
import os
import sqlite_utils
from pydantic.plugin import _loader
from timeline.cli import main
from timeline.cli.commands import file, lists, record, revise, serving
from timeline.model import countries
from timeline.model.vocabulary import plover
plover()
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
main()
"""


def as_nobody(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run as a user who owns nothing, for root may write everywhere.

    All is imported before, because that user may not be allowed to read this Python.
    """
    return subprocess.run(
        [sys.executable, "-c", AS_NOBODY, *map(str, arguments)],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.fixture
def public(story: Path) -> Iterator[Path]:
    """The timeline in a folder that everybody may enter, as tmp_path is not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        with contextlib.closing(sqlite3.connect(story)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        yield Path(shutil.copy(story, folder / "timeline.db"))
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@pytest.mark.parametrize("arguments", WRITING, ids=lambda arguments: arguments[0])
def test_a_read_only_file_is_refused_in_a_folder_that_is_writable(
    arguments: list[str], public: Path
) -> None:
    public.parent.chmod(0o777)
    public.chmod(0o444)
    before = public.read_bytes()
    said = one_line(as_nobody("-d", public, *arguments, cwd=public.parent))
    assert said == f"{public}: is read-only for this user; nothing was written"
    assert public.read_bytes() == before


@pytest.mark.parametrize("arguments", WRITING[:2], ids=lambda arguments: arguments[0])
def test_a_read_only_folder_is_refused(arguments: list[str], public: Path) -> None:
    public.chmod(0o666)
    public.parent.chmod(0o555)
    before = public.read_bytes()
    said = one_line(as_nobody("-d", public, *arguments, cwd=public.parent))
    assert said.startswith(f"{public}: ")
    assert public.read_bytes() == before


def test_reading_needs_no_right_to_write_or_says_so_in_one_line(public: Path) -> None:
    public.chmod(0o444)
    public.parent.chmod(0o555)
    result = as_nobody("-d", public, "list", cwd=public.parent)
    if result.returncode:
        assert one_line(result).startswith(f"{public}: ")
    else:
        assert "Talks in Odesa" in result.stdout


def test_init_in_a_read_only_folder_is_refused(public: Path) -> None:
    public.parent.chmod(0o555)
    said = one_line(
        as_nobody("-d", public.parent / "new.db", "init", "--title", "T", cwd=public.parent)
    )
    assert said == f"{public.parent / 'new.db'}: its folder is read-only for this user"
    assert not (public.parent / "new.db").exists()


def test_a_file_that_may_not_be_read_is_refused(public: Path) -> None:
    public.chmod(0o600 if os.getuid() == 0 else 0)
    said = one_line(as_nobody("-d", public, "list", cwd=public.parent))
    assert said.startswith(f"{public}: ")


# --- A full disk --------------------------------------------------------------------------


def many(count: int, size: int = 1_000) -> str:
    """Events, one a line."""
    return "".join(
        json.dumps({"title": f"Event {number}", "occurred": "2025", "summary": "x" * size}) + "\n"
        for number in range(count)
    )


@pytest.mark.parametrize("spare", [0, 4_096, 200_000])
def test_a_full_disk_is_refused_and_leaves_the_log_as_it_was(
    spare: int, story: Path, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(many(2_000))
    before = entries(story)
    limit = max(item.stat().st_size for item in tmp_path.glob("timeline.db*")) + spare

    def fill_the_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    result = process("-d", story, "append", "--nl", file, cwd=tmp_path, preexec_fn=fill_the_disk)
    assert "full" in one_line(result)
    assert entries(story) == before
    done("-d", story, "append", "--title", "T", "--occurred", "2025")


def test_a_full_database_is_refused_and_the_connection_can_go_on(story: Path) -> None:
    before = dump(story)
    with contextlib.closing(storage.connect(story, write=True)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 5}")
        with pytest.raises(StorageFull, match="the disk is full; nothing was written"):
            append_lines(connection, story, many(5_000))
        assert dump(story) == before
        connection.execute(f"PRAGMA max_page_count = {pages + 500}")
        append_lines(connection, story, many(1))
    assert len(entries(story)) == 5


def append_lines(connection: sqlite3.Connection, path: Path, lines: str) -> None:
    with writer.appending(connection, str(path)) as append:
        for line in lines.splitlines():
            append.record(json.loads(line))


# --- Signals ------------------------------------------------------------------------------


def is_writing(path: Path) -> bool:
    """Whether another process holds the write lock."""
    with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        connection.execute("ROLLBACK")
        return False


def interrupted(story: Path, stop: signal.Signals) -> subprocess.CompletedProcess[str]:
    """A long batch that gets a signal while it writes."""
    file = story.parent / "events.jsonl"
    file.write_text(many(30_000, 10))
    with subprocess.Popen(
        [*PROGRAM, "-d", str(story), "append", "--nl", str(file)],
        cwd=story.parent,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as running:
        while not is_writing(story):
            assert running.poll() is None
            time.sleep(0.02)
        time.sleep(0.3)
        assert running.poll() is None
        running.send_signal(stop)
        out, err = running.communicate(timeout=30)
    return subprocess.CompletedProcess(running.args, running.returncode, out, err)


def test_ctrl_c_in_the_middle_of_a_batch_leaves_nothing(story: Path) -> None:
    before = dump(story)
    assert one_line(interrupted(story, signal.SIGINT)) == "interrupted; nothing was written"
    assert dump(story) == before


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL])
def test_the_end_of_a_process_leaves_nothing_half_written(
    stop: signal.Signals, story: Path
) -> None:
    before = dump(story)
    result = interrupted(story, stop)
    assert (result.returncode, result.stdout, result.stderr) == (-stop, "", "")
    assert dump(story) == before
    done("-d", story, "append", "--title", "T", "--occurred", "2025")
    assert len(entries(story)) == 5


def test_ctrl_c_while_a_pipe_is_slow_leaves_nothing_and_blocks_nobody(story: Path) -> None:
    before = dump(story)
    with subprocess.Popen(
        [*PROGRAM, "-d", str(story), "append", "--nl", "-"],
        cwd=story.parent,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as running:
        assert running.stdin is not None
        running.stdin.write(many(5))
        running.stdin.flush()
        wait_until_read(running.stdin.fileno(), running)
        assert not is_writing(story)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    result = subprocess.CompletedProcess(running.args, running.returncode, out, err)
    assert one_line(result).startswith("interrupted")
    assert dump(story) == before


def test_ctrl_c_is_heard_while_another_process_writes(story: Path) -> None:
    before = dump(story)
    with contextlib.closing(sqlite3.connect(story, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with subprocess.Popen(
            [*PROGRAM, "-d", str(story), "append", "-", "--nl"],
            cwd=story.parent,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as running:
            assert running.stdin is not None
            running.stdin.write(many(1))
            running.stdin.flush()
            wait_until_read(running.stdin.fileno(), running)
            running.stdin.close()
            time.sleep(1)  # it waits for the lock by now
            running.send_signal(signal.SIGINT)
            assert running.wait(timeout=10) == 1  # far below the 60 seconds of its patience
            assert running.stderr is not None
            assert running.stderr.read() == "Error: interrupted; nothing was written\n"
    assert dump(story) == before


def wait_until_read(pipe: int, running: subprocess.Popen[str]) -> None:
    """Until the process has taken all that is in its pipe."""
    waiting = array.array("i", [1])
    while waiting[0]:
        assert running.poll() is None
        time.sleep(0.02)
        fcntl.ioctl(pipe, termios.FIONREAD, waiting)


def test_ctrl_c_after_the_commit_does_not_claim_that_nothing_was_written(story: Path) -> None:
    lines = many(3_000, 10)
    with subprocess.Popen(
        [*PROGRAM, "-d", str(story), "append", "--nl", "-"],
        cwd=story.parent,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(lines)
        running.stdin.close()
        assert running.stdout.readline().startswith("recorded")  # the rest fills the pipe
        running.send_signal(signal.SIGINT)
        running.stdout.read()
        running.wait(timeout=30)
        assert running.stderr is not None
        assert (running.returncode, running.stderr.read()) == (1, "Error: interrupted\n")
    assert len(entries(story)) == 3_004


def test_ctrl_c_of_a_reader_is_one_line(timeline: Timeline) -> None:
    timeline.record({"title": f"Event {number}", "occurred": "2025"} for number in range(3_000))
    with subprocess.Popen(
        [*PROGRAM, "-d", str(timeline.path), "list"],
        cwd=timeline.path.parent,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline()  # it writes, and waits for us to read on
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=30)
    assert (running.returncode, err) == (1, "Error: interrupted\n")


def test_a_real_process_refuses_in_the_same_line(story: Path) -> None:
    result = process("-d", story, "append", "-", cwd=story.parent, input='{"title": 7}')
    assert one_line(result).startswith("line 1: title: must be text")


MANY_FAULTS = """id,title,occurred,country,killed
quay,Talks at the quay,2023-24,,
port,Strike on the port,1 Aprilll 2025,Narnia,2.5
ship,Ship leaves,2025,Poland,,twelve aboard
pier,Talks at the pier,2025-04-02,Atlantis,3
"""
FOUND_IN_MANY_FAULTS = [
    ("line 2", "C2", "winter 2023"),
    ("line 3", "C3", "is not a date"),
    ("line 3", "D3", "Narnia"),
    ("line 3", "E3", "whole number"),
    ("line 4", "", "more cells than the header"),
    ("line 5", "D5", "Atlantis"),
]


@pytest.mark.parametrize("command", [["append", "--csv"], ["sync", "--yes"]])
def test_all_problems_of_a_sheet_are_said_at_once(story: Path, command: list[str]) -> None:
    sheet = story.with_name("sheet.csv")
    sheet.write_text(MANY_FAULTS)
    before = dump(story)
    result = run("-d", story, *command, sheet)
    assert result.exit_code == 1
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == len(FOUND_IN_MANY_FAULTS)
    for line, (place, cell, problem) in zip(lines, FOUND_IN_MANY_FAULTS, strict=True):
        assert line.startswith(f"Error: {place}: {f'cell {cell}, ' if cell else ''}")
        assert problem in line
    assert dump(story) == before


def test_problems_of_ids_are_said_with_those_of_other_cells(story: Path) -> None:
    sheet = story.with_name("sheet.csv")
    sheet.write_text("id,title,occurred\n,A,2025\nquay,B,soon\nquay,C,2025\n")
    lines = run("-d", story, "sync", "--yes", sheet).stderr.splitlines()
    assert [line.split(", ")[0] for line in lines] == [
        "Error: line 2: cell A2",
        "Error: line 3: cell C3",
        "Error: line 4: cell A4",
    ]


def test_only_the_first_twenty_problems_are_printed(story: Path) -> None:
    sheet = story.with_name("sheet.csv")
    sheet.write_text("title,occurred\n" + "Talks,soon\n" * 1_234)
    lines = run("-d", story, "append", "--csv", sheet).stderr.splitlines()
    assert len(lines) == 21
    assert lines[19].startswith("Error: line 21: cell B21, occurred: ")
    assert lines[20] == "Error: 1,214 more problems like these"


def test_a_program_gets_all_problems_of_a_sheet() -> None:
    header, *rows = Sheet(MANY_FAULTS.encode().replace(b",twelve", b" twelve"))
    with pytest.raises(InvalidSheet) as caught:
        normal(rows[0], Lookup())
    assert [(each.line, each.field) for each in caught.value.problems] == [
        (3, "occurred"),
        (3, "country"),
        (3, "killed"),
    ]
    assert str(caught.value).startswith("3 problems, of which the first is: line 3: cell C3, ")
    assert header.line == 2
