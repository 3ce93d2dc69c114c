"""Sheets and the log: in, out, and compared by id, from a file and over HTTP."""

from __future__ import annotations

import contextlib
import csv
import functools
import http.server
import json
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import done, dump, entries, one_line, process, run
from strategies import events
from terminal import conversation
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.formats.sheet.cells import COLUMNS, write
from timeline.formats.sheet.events import cells
from timeline.formats.sheet.lookup import lookup_of
from timeline.formats.sheet.reading import Sheet
from timeline.intake.sheet_sync import sync
from timeline.model.content import Said
from timeline.reading import query
from timeline.store import storage

Rows = list[dict[str, str]]


def _made_up_rows(count: int) -> Rows:
    """A sheet as a researcher keeps it: some columns always filled, some now and then."""
    kinds = ("Assault", "Consultation", "Agreement", "Accusation", "Aid")
    places = (
        ("Odesa", "Ukraine", "46.48", "30.73"),
        ("Ankara", "Turkey", "", ""),
        ("", "", "", ""),
    )
    dates = (
        "2025-04-{day:02d}",
        "2025-04",
        "first quarter of 2025",
        "2025-04-{day:02d}/2025-05-01",
        "2025-04~",
    )
    rows = []
    for number in range(count):
        place, country, lat, lon = places[number % 3]
        row = dict.fromkeys(COLUMNS, "")
        row |= {
            "id": f"event-{number:03d}",
            "title": f"Event {number}: talks, «квартал»{' 🚀' * (number % 2)}",
            "occurred": dates[number % 5].format(day=number % 28 + 1),
            "type": kinds[number % 5],
            "place": place,
            "country": country,
            "lat": lat,
            "lon": lon,
            "actors": ("Ukraine; Mark Rutte", "Russia", "")[number % 3],
            "tags": ("talks", "talks; port", "")[number % 3],
            "killed": ("", "35", ">20; 34 (30 to 40)", "~10")[number % 4],
            "injured": ("", "119")[number % 2],
            "source_url": f"https://example.org/{number}" if number % 2 else "",
            "source_title": f"Report; part {number}".replace(";", "\\;") if number % 2 else "",
            "reported_at": f"2025-05-{number % 28 + 1:02d}",
            "summary": ('Two lines\nand a "quote", a comma; a semicolon', "")[number % 2],
        }
        rows.append(row)
    return rows


def _write(path: Path, rows: Rows, **settings: Any) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]], **settings)
        writer.writeheader()
        writer.writerows(rows)
    return path


def _exported(path: Path, *arguments: str) -> Rows:
    text = done("-d", path, "export", "csv", *arguments)
    return [*csv.DictReader(text.splitlines(keepends=True))]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of ten events that came from a sheet."""
    path = tmp_path / "story.db"
    done("-d", path, "init", "--title", "A story")
    done("-d", path, "append", "--csv", _write(tmp_path / "ten.csv", _made_up_rows(10)))
    return path


@pytest.fixture
def ten(log: Path, tmp_path: Path) -> Rows:
    """The sheet of `log`."""
    return _made_up_rows(10)


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The files of a folder over HTTP, on loopback."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def _as_file(path: Path) -> Iterator[str]:
    yield str(path)


@contextlib.contextmanager
def _over_http(path: Path) -> Iterator[str]:
    with _served(path.parent) as address:
        yield f"{address}/{path.name}"


# --- In and out ---------------------------------------------------------------------------


@pytest.mark.parametrize("given_as", [_as_file, _over_http])
def test_a_sheet_of_300_goes_in_comes_out_equal_and_12_edits_make_12_entries(
    tmp_path: Path, given_as: Callable[[Path], contextlib.AbstractContextManager[str]]
) -> None:
    rows = _made_up_rows(300)
    path = tmp_path / "story.db"
    done("-d", path, "init", "--title", "A story")
    receipts = done("-d", path, "append", "--csv", _write(tmp_path / "in.csv", rows))
    assert len(receipts.splitlines()) >= 300
    out = tmp_path / "out.csv"
    done("-d", path, "export", "csv", "-o", out)
    assert out.read_bytes() == (tmp_path / "in.csv").read_bytes()

    edited = [dict(row) for row in rows]
    edited[3]["killed"] = "36"
    edited[5]["title"] = "Another title"
    edited[8] |= {"place": "Kharkiv", "reason": "the place was wrong"}
    edited[10]["occurred"] = "15 April 2025"
    edited[20]["type"] = "protest"
    edited[31]["actors"] = "Russia; Belarus"
    edited[40]["tags"] = ""
    edited[51]["source_title"] = "A better title"
    edited[60]["summary"] = ""
    edited[71] |= {"killed": "12", "reported_at": "2025-06-01"}
    edited.append({**edited[0], "id": "one-more", "title": "One more"})
    del edited[99]
    before = entries(path)
    with given_as(_write(tmp_path / "edited.csv", edited)) as source:
        done("-d", path, "sync", source)
        added = entries(path)[len(before) :]
        assert [entry[2] for entry in added] == [
            "source.updated",
            *["event.updated"] * 2,
            "event.corrected",
            *["event.updated"] * 6,
            "event.recorded",
            "event.retracted",
        ]
        assert entries(path)[: len(before)] == before
        assert done("-d", path, "sync", source) == "300 unchanged.\n"
    assert len(entries(path)) == len(before) + 12
    edited[8]["reason"] = ""  # belongs to the change, not to the event
    edited[10]["occurred"] = "2025-04-15"
    edited[20]["type"] = "Protest"
    today = datetime.now(UTC).date().isoformat()
    for number in (3, 5, 8, 10, 20, 31, 40, 60):  # nobody dated these changes anew
        edited[number]["reported_at"] = today
    assert _exported(path) == edited


def test_a_row_that_nobody_dates_anew_is_reported_on_the_day_of_each_run(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    done("-d", path, "init", "--title", "A story")
    row = {"id": "strike", "title": "Strike", "occurred": "2025-04-13", "reported_at": "2025-04-15"}
    for killed in ("34", "35", "36"):
        sheet = _write(
            tmp_path / "s.csv", [{**dict.fromkeys(COLUMNS, ""), **row, "killed": killed}]
        )
        said = run("-d", path, "sync", "--yes", sheet)
        assert (said.exit_code, said.stderr) == (0, "")
        again = run("-d", path, "sync", "--yes", sheet)
        assert (again.stdout, again.stderr) == ("1 unchanged.\n", "")
    with Timeline.open(path) as timeline:
        today = datetime.now(UTC).date().isoformat()
        reported = [version["reported_at"] for version in timeline.history("strike")]
    assert reported == ["2025-04-15", today, today]


@settings(max_examples=60)
@given(st.lists(events(known_events=(), known_sources=()), min_size=1, max_size=3))
def test_what_is_exported_changes_nothing_when_it_comes_back(stated: list[dict[str, Any]]) -> None:
    columns = (
        *COLUMNS, "note", "modality", "contexts", "external_ids", "about_place.name",
        "claims", "relations", "participants.0.office", "quantities.1.low",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "story.db"
        with Timeline.create(path, title="A story") as timeline:
            for number, event in enumerate(stated):
                external = [f"n{number}-{key}" for key in event.get("external_ids", ())]
                event = {**event, "event_id": f"e-{number}", "external_ids": external}
                timeline.record(event)
            before = entries(path)
            with contextlib.closing(storage.connect(path)) as reader:
                lookup = lookup_of(reader)
                lines = [
                    cells(query.get(reader, f"e-{number}"), lookup, columns)
                    for number in range(len(stated))
                ]
                written = "".join(write(lines, columns)).encode()
                with timeline.append() as append:
                    rows = [*Sheet(written)]
                    outcome = sync(reader, append, rows, Said(), allow_absent=False)
        assert (outcome.steps, outcome.unchanged) == ([], len(stated))
        assert entries(path) == before


def test_append_takes_sheets_and_finds_known_rows_unchanged(log: Path, tmp_path: Path) -> None:
    before = entries(log)
    again = json.loads(done("-d", log, "append", "--csv", tmp_path / "ten.csv", "--json"))
    assert {receipt["unchanged"] for receipt in again} == {True}
    assert entries(log) == before
    tabs = "title\toccurred\tkilled\nStrike, again\t13/04/2025\t35\n"
    done("-d", log, "append", "--tsv", "-", input=tabs)
    assert _exported(log)[-1]["title"] == "Strike, again"
    assert _exported(log)[-1]["occurred"] == "2025-04-13"


def test_a_season_or_a_span_of_years_is_refused_in_a_sheet_and_taken_with_spans(log: Path) -> None:
    before = entries(log)
    sheet = "title,occurred\nHarvest,2012-13\nBudget,2011-12\n"
    refusal = run("-d", log, "append", "--csv", "-", input=sheet)
    assert refusal.exit_code == 1
    assert refusal.stderr == (
        'Error: line 3: cell B3, occurred: "2011-12" can be read as December 2011 or 2011 to 2012: '
        'write "December 2011" or 2011/2012\n'
    )
    for cell in ("2023-24", "2024-25", "1939-40"):
        refusal = run("-d", log, "append", "--csv", "-", input=f"title,occurred\nT,{cell}\n")
        assert f'"{cell}" can be read as' in refusal.stderr
    assert entries(log) == before
    sheet += "Season,2023-24\n"
    done("-d", log, "append", "--csv", "-", "--spans", input=sheet)
    dates = [row["occurred"] for row in _exported(log)]
    assert {"2012/2013", "2011/2012", "2023/2024"} <= {*dates}


def test_a_sheet_that_was_exported_before_quarters_were_words_changes_nothing(
    log: Path, ten: Rows, tmp_path: Path
) -> None:
    assert "first quarter of 2025" in [row["occurred"] for row in _exported(log)]
    before = entries(log)
    old = [
        {**row, "occurred": row["occurred"].replace("first quarter of 2025", "2025-33")}
        for row in ten
    ]
    assert "2025-33" in [row["occurred"] for row in old]
    assert "10 unchanged" in done("-d", log, "sync", _write(tmp_path / "old.csv", old))
    assert entries(log) == before


def test_what_before_meant_once_stays_in_a_sheet_and_is_said_once(
    log: Path, ten: Rows, tmp_path: Path
) -> None:
    ten[0]["occurred"], ten[1]["occurred"] = "by 1960", "since 15 April 2025"
    done("-d", log, "sync", _write(tmp_path / "old.csv", ten))
    before = entries(log)
    ten[0]["occurred"], ten[1]["occurred"] = "before 1960", "after 15 April 2025"
    again = run("-d", log, "sync", _write(tmp_path / "same.csv", ten))
    assert "10 unchanged" in again.stdout
    assert " ".join(again.stderr.split()).count('"before 1960" now leaves 1960 out; 2 rows') == 1
    assert entries(log) == before
    ten[0]["occurred"] = "before 1970"
    said = done("-d", log, "sync", _write(tmp_path / "new.csv", ten))
    assert "../1960" in said
    assert "../1969" in said


def test_the_column_counts_and_a_note_names_the_code_that_says_something_else(
    log: Path, tmp_path: Path
) -> None:
    asked = ("--column", "event_type", "--column", "country_name")
    rows = _exported(log, *asked)
    assert "10 unchanged" in done("-d", log, "sync", _coded(tmp_path, rows))
    code, old = rows[2]["event_type"], rows[2]["type"]
    rows[2]["type"] = new = "Aid" if old != "Aid" else "Threat"
    for counted in ("1 updated, 9 unchanged", "10 unchanged"):
        result = run("-d", log, "sync", _coded(tmp_path, rows))
        assert (result.exit_code, counted in result.stdout) == (0, True), result.output
        expected = f'event_type says "{code}", but type says "{new}": the last counts'
        assert expected in " ".join(result.stderr.split())
    assert _exported(log, *asked)[2]["type"] == new
    refusal = run("-d", log, "append", "--csv", _coded(tmp_path, rows))
    assert "mend one of them, or leave this cell empty" in " ".join(refusal.stderr.split())


def _coded(folder: Path, rows: list[dict[str, str]]) -> Path:
    file = folder / "coded.csv"
    file.write_text("".join(write(rows, [*rows[0]])), encoding="utf-8")
    return file


def test_a_vague_date_in_a_sheet_is_an_interval_with_its_words(
    log: Path, ten: Rows, tmp_path: Path
) -> None:
    ten[0]["occurred"] = "mid-April 2025"
    said = done("-d", log, "sync", _write(tmp_path / "vague.csv", ten))
    assert "2025-04-11/2025-04-20" in said
    event = json.loads(done("-d", log, "show", "event-000", "--json"))
    assert (event["occurred_text"], event["occurred_basis"]) == ("mid-April 2025", "resolved")
    before = entries(log)
    assert "10 unchanged" in done("-d", log, "sync", tmp_path / "vague.csv")
    assert entries(log) == before
    ten[0]["occurred"] = "12 April 2025"
    done("-d", log, "sync", _write(tmp_path / "clear.csv", ten))
    event = json.loads(done("-d", log, "show", "event-000", "--json"))
    assert event["occurred"] == "2025-04-12"
    assert "occurred_text" not in event


def test_coordinates_of_0_0_are_taken_with_a_note(log: Path) -> None:
    sheet = "id,title,occurred,place,country,lat,lon\nsea-1,Shelling,2025-04-15,Sumy,Ukraine,0,0\n"
    result = run("-d", log, "append", "--csv", "-", input=sheet)
    assert result.exit_code == 0
    note = " ".join(result.stderr.split())
    assert note.startswith("Note: sea-1: place is at 0, 0, which lies in the sea off Africa")


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("2023-24", "winter 2023 or 2023 to 2024"),
        ("2024-25", "spring 2024 (northern) or 2024 to 2025"),
        ("1939-40", "first half of 1939 or 1939 to 1940"),
    ],
)
def test_a_range_of_years_in_a_sheet_is_refused_with_both_readings(
    cell: str, problem: str, log: Path
) -> None:
    refusal = run("-d", log, "append", "--csv", "-", input=f"title,occurred\nSeason,{cell}\n")
    assert refusal.exit_code == 1
    assert f'"{cell}" can be read as {problem}: write' in refusal.stderr


@pytest.mark.parametrize(
    ("cell", "problem"),
    [("1.234", 'can mean 1234 or 1.234: write "1234"'), ("12,5", "counts people")],
)
def test_a_point_between_thousands_in_a_sheet_with_decimal_commas_is_refused(
    cell: str, problem: str, log: Path
) -> None:
    sheet = f"title;occurred;lat;lon;killed\nEarthquake;15.04.2025;50,45;30,52;{cell}\n"
    refusal = run("-d", log, "append", "--csv", "-", input=sheet)
    assert refusal.exit_code == 1
    assert f'cell E2, killed: "{cell}" {problem}' in refusal.stderr


def test_append_of_a_sheet_with_one_bad_row_says_which_cell_and_adds_nothing(log: Path) -> None:
    before = dump(log)
    bad = 'id,title,occurred\nx-1,"One\ntwo",2025\nx-2,Two,04/05/2025\n'
    refusal = run("-d", log, "append", "--csv", "-", input=bad.replace("One\ntwo", "One"))
    assert refusal.exit_code == 1
    assert refusal.stderr.startswith('Error: line 3: cell C3, occurred: "04/05/2025" can be read')
    assert refusal.stderr.count("\n") == 1
    assert dump(log) == before


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            ("append", "--title", "T", "--occurred", "2025", "--csv"),
            "--nl, --csv and --tsv go with a FILE",
        ),
        (("append", "--csv", "--nl", "-"), "give one of --nl, --csv and --tsv"),
        (("export", "xls"), "'xls' is not one of 'csv', 'json'"),
        (("sync",), "Missing argument"),
    ],
)
def test_wrong_usage(log: Path, arguments: tuple[str, ...], problem: str) -> None:
    result = run("-d", log, *arguments, input="")
    assert (result.exit_code, problem in result.stderr) == (2, True), result.stderr


def test_the_template_is_a_sheet_without_rows(log: Path) -> None:
    header = done("template")
    assert header.strip() == ",".join(COLUMNS)
    assert done("-d", log, "append", "--csv", "-", input=header) == ""


def test_an_export_takes_filters_columns_and_moments(log: Path, tmp_path: Path) -> None:
    done("-d", log, "update", "event-001", "--set", "note=Seen twice", "--set", "title=New")
    done("-d", log, "retract", "event-002", "--reason", "a rumour")
    rows = _exported(log, "--column", "note", "--column", "modality")
    assert len(rows) == 9
    assert (rows[1]["title"], rows[1]["note"], rows[1]["modality"]) == (
        "New",
        "Seen twice",
        "actual",
    )
    assert [row["id"] for row in _exported(log, "--tag", "port")] == [
        "event-001", "event-004", "event-007",
    ]  # fmt: skip
    newest = max(entry[0] for entry in entries(log))
    then = _exported(log, "--as-of", f"#{newest - 2}")
    assert (len(then), then[1]["title"]) == (10, _made_up_rows(2)[1]["title"])
    assert len(_exported(log, "--state", "all")) == 10
    assert run("-d", log, "export", "csv", "--column", "nte").stderr == (
        "Error: nte: is not a column: did you mean note?\n"
    )


def test_an_export_is_whole_or_absent(log: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    done("-d", log, "export", "csv", "-o", target, "--bom")
    assert target.read_bytes().startswith(b"\xef\xbb\xbfid,title")
    assert done("-d", log, "sync", target) == "10 unchanged.\n"
    refusal = run("-d", log, "export", "csv", "-o", tmp_path / "no" / "out.csv")
    assert refusal.exit_code == 1
    assert refusal.stderr.endswith("cannot be written: No such file or directory\n")
    full = process("-d", log, "export", "csv", "-o", "/dev/full", cwd=tmp_path)
    assert (full.returncode, "Traceback" in full.stderr) == (1, False)


def test_an_export_is_utf_8_whatever_the_terminal_speaks(log: Path, tmp_path: Path) -> None:
    from running import environment

    latin = environment(PYTHONIOENCODING="latin-1")
    out = process("-d", log, "export", "csv", cwd=tmp_path, env=latin)
    assert "«квартал» 🚀" in out.stdout


# --- Compared -----------------------------------------------------------------------------


def test_a_dry_run_reads_as_prose_and_writes_nothing(log: Path, ten: Rows, tmp_path: Path) -> None:
    ten[1] |= {"killed": "36", "reason": "the prosecutor counts one more"}
    ten[2] |= {"place": "Sumy", "tags": "talks"}
    ten[3]["actors"] = ""
    del ten[9]
    ten.append({**dict.fromkeys(COLUMNS, ""), "id": "new", "title": "New", "occurred": "2025"})
    before = dump(log)
    said = done("-d", log, "sync", "--dry-run", _write(tmp_path / "edited.csv", ten))
    assert (
        said
        == """\
Would correct "Event 1: talks, «квартал» 🚀" (event-001): killed from "35" to
  "36". Reason: the prosecutor counts one more.
Would update "Event 2: talks, «квартал»" (event-002): place "Sumy" added; tags
  "talks" added.
Would update "Event 3: talks, «квартал» 🚀" (event-003): actors "Ukraine; Mark
  Rutte" removed.
Would record "New" (new), 2025.
Would retract "Event 9: talks, «квартал» 🚀" (event-009), no longer in the
  sheet.
1 recorded, 2 updated, 1 corrected, 1 retracted, 6 unchanged. Nothing was
  recorded: a dry run.
"""
    )
    assert dump(log) == before
    done("-d", log, "sync", tmp_path / "edited.csv")
    with Timeline.open(log) as timeline:
        (*_, corrected) = timeline.history("event-001")
        assert (corrected["kind"], corrected["reason"]) == (
            "event.corrected",
            "the prosecutor counts one more",
        )
        assert timeline.get("event-009")["state"] == "retracted"


def test_what_no_cell_says_is_kept_when_a_cell_changes(
    log: Path, ten: Rows, tmp_path: Path
) -> None:
    done("-d", log, "update", "event-001", "--figure", "pledged=5 EUR", "--set", "note=Kept")
    ten[1]["killed"] = "36"
    done("-d", log, "sync", _write(tmp_path / "edited.csv", ten))
    event = json.loads(done("-d", log, "show", "event-001", "--json"))
    assert event["note"] == "Kept"
    assert [figure.get("value") for figure in event["quantities"]] == ["36", "119", "5"]


def test_a_sheet_of_some_columns_leaves_the_others_alone(log: Path, tmp_path: Path) -> None:
    with Timeline.open(log) as timeline:
        before = [timeline.get(row["id"]) for row in _made_up_rows(10)]
    rows = [
        {"id": row["id"], "note": "x" if row["id"] == "event-004" else ""}
        for row in _made_up_rows(10)
    ]
    assert "1 updated, 9 unchanged." in done("-d", log, "sync", _write(tmp_path / "s.csv", rows))
    with Timeline.open(log) as timeline:
        after = [timeline.get(row["id"]) for row in _made_up_rows(10)]
    assert after[4]["note"] == "x"
    assert [event["title"] for event in after] == [event["title"] for event in before]


def test_a_tenth_and_five_absent_are_asked_about(log: Path, ten: Rows, tmp_path: Path) -> None:
    before = dump(log)
    lacking = _write(tmp_path / "edited.csv", ten[:5])
    refusal = run("-d", log, "sync", lacking)
    assert refusal.exit_code == 1
    assert refusal.stderr == (
        "Error: 5 of 10 events are not in the sheet, more than a tenth: nothing was written; "
        "read what --dry-run says, then repeat with --yes\n"
    )
    looked = run("-d", log, "sync", "--dry-run", lacking)
    assert looked.exit_code == 0
    assert "5 of 10 events are not in the sheet" in " ".join(looked.stderr.split())
    code, shown = conversation("-d", log, "sync", lacking, answers="n\n", cwd=tmp_path)
    assert code == 1
    assert "in the sheet, more than a tenth: Event 5: talks" in shown
    assert "Event 9: talks, «квартал» 🚀 Retract them? [y/N]" in shown
    assert dump(log) == before
    code, shown = conversation("-d", log, "sync", lacking, answers="y\n", cwd=tmp_path)
    assert (code, "5 retracted, 5 unchanged." in shown) == (0, True), shown
    assert done("-d", log, "sync", lacking) == "5 unchanged.\n"


@pytest.mark.parametrize(("left", "is_asked"), [(6, False), (5, True), (0, True)])
def test_fewer_than_five_absent_are_only_named(
    log: Path, ten: Rows, tmp_path: Path, left: int, is_asked: bool
) -> None:
    sheet = _write(tmp_path / "s.csv", [*ten[:left], {**ten[0], "id": "new-one"}])
    result = run("-d", log, "sync", sheet)
    assert result.exit_code == is_asked
    assert result.stdout.count("no longer in the sheet") == (0 if is_asked else 4)


def test_all_events_absent_are_asked_about_however_few(path: Path, tmp_path: Path) -> None:
    with Timeline.create(path, title="T") as timeline:
        timeline.record({"event_id": "quay", "title": "Fire", "occurred": "2025"})
    sheet = tmp_path / "s.csv"
    sheet.write_text("id,title,occurred\n")
    assert one_line(run("-d", path, "sync", sheet)).startswith("1 of 1 events are not in the sheet")


def test_ten_titles_of_absent_events_are_shown(path: Path, tmp_path: Path) -> None:
    with Timeline.create(path, title="T") as timeline:
        timeline.record([{"title": f"Fire {n}", "occurred": "2025"} for n in range(10, 23)])
    sheet = tmp_path / "s.csv"
    sheet.write_text("id,title,occurred\n")
    _, shown = conversation("-d", path, "sync", sheet, answers="n\n", cwd=tmp_path)
    assert "Fire 18 Fire 19 and 3 more Retract them?" in shown


def test_a_row_that_comes_back_is_reinstated(log: Path, ten: Rows, tmp_path: Path) -> None:
    done("-d", log, "sync", _write(tmp_path / "less.csv", ten[:9]))
    ten[9]["killed"] = "77"
    all_of_them = _write(tmp_path / "all.csv", ten)
    assert "1 updated, 1 reinstated, 9 unchanged." in done("-d", log, "sync", all_of_them)
    assert done("-d", log, "sync", all_of_them) == "10 unchanged.\n"


def test_what_somebody_retracted_by_hand_stays_so(log: Path, ten: Rows, tmp_path: Path) -> None:
    done("-d", log, "retract", "event-003", "--reason", "a rumour")
    before = entries(log)
    result = run("-d", log, "sync", _write(tmp_path / "ten.csv", ten), columns=200)
    assert result.stdout == "10 unchanged.\n"
    line = _line_of("event-003", tmp_path / "ten.csv")
    assert " ".join(result.stderr.split()) == (
        f'Note: line {line}: event-003 was retracted ("a rumour"), and stays so: take it out of '
        "the sheet, or `timeline reinstate event-003`"
    )
    assert entries(log) == before


def _line_of(event_id: str, path: Path) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(event_id))


def test_what_is_merged_is_not_missed(log: Path, ten: Rows, tmp_path: Path) -> None:
    done("-d", log, "merge", "event-003", "--into", "event-001")
    del ten[3]
    assert done("-d", log, "sync", _write(tmp_path / "s.csv", ten)) == "9 unchanged.\n"


def test_a_reported_at_alone_makes_no_entry_and_says_so(
    log: Path, ten: Rows, tmp_path: Path
) -> None:
    ten[0]["reported_at"] = "2025-09-09"
    ten[1]["reported_at"] = ""
    before = entries(log)
    result = run("-d", log, "sync", _write(tmp_path / "s.csv", ten), columns=200)
    assert (result.stdout, entries(log)) == ("10 unchanged.\n", before)
    assert result.stderr == (
        "Note: line 2: reported_at of event-000 goes with a change of another cell; "
        "it stays 2025-05-01\n"
    )


def test_two_sources_of_one_address_keep_their_titles(path: Path, tmp_path: Path) -> None:
    url = "https://example.org/a"
    with Timeline.create(path, title="T") as timeline:
        for key, source in (("bare", {"url": url}), ("named", {"url": url, "title": "A title"})):
            cited = {"source": {"source_id": key, **source}}
            timeline.record(
                {"event_id": key, "title": key, "occurred": "2025", "citations": [cited]}
            )
    sheet = tmp_path / "sheet.csv"
    done("-d", path, "export", "csv", "-o", sheet)
    before = dump(path)
    assert done("-d", path, "sync", sheet) == "2 unchanged.\n"
    sheet.write_text("id,title,occurred\nbare,bare,2025\nnamed,named,2025\n")
    assert done("-d", path, "sync", sheet) == "2 unchanged.\n"
    assert dump(path) == before


def test_a_title_of_a_source_is_changed_once_for_all(log: Path, ten: Rows, tmp_path: Path) -> None:
    ten[4] |= {"source_url": "https://example.org/3", "source_title": "Renamed"}
    ten[3]["source_title"] = "Renamed"
    sheet_file = _write(tmp_path / "s.csv", ten)
    assert "1 updated, 1 updated source, 9 unchanged." in done("-d", log, "sync", sheet_file)
    assert done("-d", log, "sync", sheet_file) == "10 unchanged.\n"
    ten[3]["source_title"] = "Renamed again"
    before = entries(log)
    result = run("-d", log, "sync", _write(tmp_path / "s.csv", ten), columns=120)
    assert (result.exit_code, result.stdout) == (0, "10 unchanged.\n")
    line = _line_of("event-003", tmp_path / "s.csv")
    assert " ".join(result.stderr.split()) == (
        f'Note: line {line}: source_title "Renamed again" left out: the source at'
        ' https://example.org/3 is called "Renamed"'
    )
    assert entries(log) == before


def test_one_address_with_two_titles_in_a_sheet_is_one_source(path: Path, tmp_path: Path) -> None:
    done("-d", path, "init", "--title", "A story")
    sheet = tmp_path / "s.csv"
    sheet.write_text(
        "id,title,occurred,source_url,source_title\n"
        "pier-1,First,2025-04-15,https://example.org/r,Report of the port\n"
        "pier-2,Second,2025-04-16,https://example.org/r,Port report\n"
    )
    note = 'line 3: source_title "Port report" left out: the source at https://example.org/r is'
    for command, said in (
        (["append", "--csv"], "recorded"),
        (["sync"], "2 unchanged"),
        (["append", "--csv"], "unchanged"),
    ):
        result = run("-d", path, *command, sheet)
        assert (result.exit_code, said in result.stdout) == (0, True), result.output
        assert f'{note} called "Report of the port"' in " ".join(result.stderr.split())
    with Timeline.open(path) as timeline:
        cited = [timeline.get(f"pier-{n}")["citations"][0]["source_id"] for n in (1, 2)]
    assert cited[0] == cited[1]
    sheet.write_text(
        "id,title,occurred,source_url,source_title\n"
        "pier-3,Third,2025-04-17,https://example.org/r,Another\n"
    )
    result = run("-d", path, "append", "--csv", sheet)
    assert (result.exit_code, '"Another" left out' in result.stderr) == (0, True), result.output


@pytest.mark.parametrize(
    ("column", "cell", "problem"),
    [
        ("country", "Ukrane", 'cell F8, country: "Ukrane" is not a country'),
        (
            "id",
            "",
            "cell A8, id: is empty: write event-006, the event with this title and date (",
        ),
        ("id", "event-001", 'cell A8, id: "event-001" stands twice: lines 4 and 11'),
        ("id", "Event 6", "cell A8, id: must be 3 to 64 characters"),
        ("occurred", "04/05/2025", 'cell C8, occurred: "04/05/2025" can be read as'),
        ("killed", "lots", 'cell K8, killed: "lots" is not a figure'),
        ("title", "", "cell B8, title: is required"),
    ],
)
def test_one_bad_row_is_named_by_its_cell_and_nothing_is_written(
    log: Path, ten: Rows, tmp_path: Path, column: str, cell: str, problem: str
) -> None:
    ten[0]["killed"] = "1000"
    ten[6][column] = cell
    before = dump(log)
    refusal = run("-d", log, "sync", "--yes", _write(tmp_path / "s.csv", ten))
    assert (refusal.exit_code, problem in refusal.stderr) == (1, True), refusal.stderr
    assert refusal.stderr.count("\n") == 1
    assert dump(log) == before


def test_an_event_whose_words_were_erased_is_not_brought_back(
    path: Path, clock: TickingClock, timeline: Timeline, tmp_path: Path
) -> None:
    timeline.record(
        [{"event_id": f"event-{n}", "title": "X", "occurred": "2025"} for n in range(2)]
    )
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE events SET state = 'erased' WHERE event_id = 'event-1'")
    rows = [{"id": f"event-{n}", "title": "X", "occurred": "2025"} for n in range(2)]
    before = entries(path)
    result = run("-d", path, "sync", _write(tmp_path / "s.csv", rows))
    assert result.stderr == "Note: line 3: event-1 was erased, and stays so\n"
    assert entries(path) == before


def test_json_says_the_same(log: Path, ten: Rows, tmp_path: Path) -> None:
    ten[1]["killed"] = "36"
    found = json.loads(done("-d", log, "sync", "--json", _write(tmp_path / "s.csv", ten)))
    (step,) = found.pop("steps")
    assert found == {"unchanged": 9, "notes": [], "absent": 0, "current": 10}
    assert (step["verb"], step["event_id"], step["version"]) == ("update", "event-001", 2)
    assert step["cells"] == [{"column": "killed", "old_value": "35", "new_value": "36"}]


# --- Ids ----------------------------------------------------------------------------------

WITHOUT_IDS = (
    b"title;occurred;id;Owner\r\n"
    b"Fire at the quay;12 April 2025;;me\r\n"
    b'"Ice; on the river";2025-04-14\r\n'
    + "Event 3: talks, «квартал» 🚀;2025-04-04/2025-05-01;;\r\n".encode()
)
PROPOSED = {
    2: "fire-at-the-quay",
    3: "ice-on-the-river",
    4: "event-003, the event with this title and date",
}


@pytest.fixture
def sheet_without_ids(log: Path, ten: Rows, tmp_path: Path) -> Path:
    """A sheet of two new rows and one that the log has, none with an id."""
    sheet = tmp_path / "no-ids.csv"
    sheet.write_bytes(WITHOUT_IDS)
    return sheet


def test_rows_without_an_id_are_refused_with_ids_that_would_do(
    log: Path, sheet_without_ids: Path
) -> None:
    before = dump(log)
    refusal = run("-d", log, "sync", "--yes", sheet_without_ids)
    assert refusal.exit_code == 1
    assert refusal.stderr.splitlines() == [
        "Error: 3 rows have no id, by which an event is found again: write those below into the"
        " sheet (in a CSV file, --write-ids does it)",
        *(
            f"Error: line {line}: cell C{line}, id: is empty: write {proposed}"
            for line, proposed in PROPOSED.items()
        ),
    ]
    assert (dump(log), sheet_without_ids.read_bytes()) == (before, WITHOUT_IDS)


def test_ids_are_written_into_the_file_when_asked(log: Path, sheet_without_ids: Path) -> None:
    asked = ("-d", log, "sync", "--yes", "--write-ids", sheet_without_ids)
    before = dump(log)
    said = run(*asked, "--dry-run")
    assert said.exit_code == 0
    assert 'Would record "Fire at the quay" (fire-at-the-quay), 12 April 2025.' in said.stdout
    assert (dump(log), sheet_without_ids.read_bytes()) == (before, WITHOUT_IDS)
    said = run(*asked, columns=300)
    assert (said.exit_code, said.stdout.splitlines()[-1]) == (
        0,
        "2 recorded, 9 retracted, 1 unchanged.",
    )
    assert f"3 ids written into {sheet_without_ids}" in said.stderr
    written = sheet_without_ids.read_bytes()
    assert written.splitlines()[:3] == [
        b"title;occurred;id;Owner",
        b"Fire at the quay;12 April 2025;fire-at-the-quay;me",
        b'"Ice; on the river";2025-04-14;ice-on-the-river',
    ]
    assert written.endswith(b";event-003;\r\n")
    assert run("-d", log, "sync", sheet_without_ids).stdout == "3 unchanged.\n"
    again = run(*asked)
    assert (again.exit_code, again.stdout) == (0, "3 unchanged.\n")
    assert sheet_without_ids.read_bytes() == written


def test_a_person_on_a_terminal_is_asked_once_whether_ids_are_written(
    log: Path, sheet_without_ids: Path, tmp_path: Path
) -> None:
    asked = ("-d", log, "sync", "--yes", "no-ids.csv")
    code, shown = conversation(*asked, answers="n\n", cwd=tmp_path)
    assert (code, sheet_without_ids.read_bytes()) == (1, WITHOUT_IDS)
    assert "line 2: fire-at-the-quay line 3: ice-on-the-river line 4: event-003, the" in shown
    assert "Write them into no-ids.csv? [Y/n]" in shown
    code, shown = conversation(*asked, answers="\n", cwd=tmp_path)
    assert (code, shown.count("[Y/n]"), "2 recorded" in shown) == (0, 1, True), shown
    assert b";fire-at-the-quay;me" in sheet_without_ids.read_bytes()


def test_a_sheet_that_is_refused_gets_no_ids(log: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "s.csv"
    sheet.write_text("title,occurred\nFire,2025\nIce,soon\n")
    refusal = run("-d", log, "sync", "--yes", "--write-ids", sheet)
    assert one_line(refusal).startswith("line 3: cell B3, occurred: ")
    assert sheet.read_text() == "title,occurred\nFire,2025\nIce,soon\n"
    refusal = run("-d", log, "sync", "--yes", sheet)
    assert [line.split(": ")[2] for line in refusal.stderr.splitlines()] == [
        "write those below into the sheet (in a CSV file, --write-ids does it)",
        "id",
        "cell B3, occurred",
        "id",
    ]


def test_ids_cannot_be_written_into_stdin_or_the_web(log: Path, tmp_path: Path) -> None:
    sheet = b"title,occurred\nFire,2025\n"
    result = run("-d", log, "sync", "--write-ids", "-", input=sheet)
    assert (result.exit_code, "--write-ids goes with a CSV file" in result.stderr) == (2, True)
    refusal = one_line(run("-d", log, "sync", "--yes", "-", input=sheet))
    assert refusal == "line 2: id: is empty: write fire (in a CSV file, --write-ids does it)"


# --- All at once --------------------------------------------------------------------------


def test_no_problem_of_a_sheet_hides_another(log: Path, tmp_path: Path) -> None:
    done("-d", log, "append", "--title", "Old", "--occurred", "2025", "--id", "old-one")
    done("-d", log, "update", "event-002", "--set", "external_ids.0=acled:7")
    sheet = tmp_path / "s.csv"
    sheet.write_text(
        "id,titel,occurred,country,external_ids,source_url,source_title\n"
        "one-1,,soon,Nowhereland,,,\n"
        "one-1,Two,2025,,,,\n"
        "two-2,Two,2025,Narnia,,,\n"
        f"thr-3,{'x' * 600},2025,,,https://example.org/1,{'y' * 600}\n"
        "fou-4,Four,2025,,acled:7,,\n"
        "old-one,,2025,Narnia,,,\n"
        "fiv-5,Five,2025,,,https://example.org/x,a; b\n"
        "six-6,Six,2025,,,,,more\n"
    )
    lines = run("-d", log, "sync", sheet).stderr.splitlines()
    assert [line.removeprefix("Error: ").split(": ")[:2] for line in lines] == [
        ["line 1", "cell B1, titel"],
        ["line 2", "cell C2, occurred"],
        ["line 2", "cell D2, country"],
        ["line 2", "cell B2, title"],
        ["line 3", "cell A3, id"],
        ["line 4", "cell D4, country"],
        ["line 5", "cell G5, source_title"],
        ["line 5", "cell B5, title"],
        ["line 6", "cell E6, external_ids"],
        ["line 7", "cell D7, country"],
        ["line 7", "cell B7, title"],
        ["line 8", "cell G8, source_title"],
        ["line 9", "has more cells than the header"],
    ]


def test_no_problem_of_a_sheet_for_append_hides_another(log: Path, tmp_path: Path) -> None:
    done("-d", log, "update", "event-002", "--set", "external_ids.0=acled:7")
    sheet = tmp_path / "s.csv"
    sheet.write_text(
        "id,title,occurred,country,external_ids,relations\n"
        "one-1,One,2025,,,\n"
        "event-001,Another title,2025,,,\n"
        "two-2,,soon,Narnia,,\n"
        "one-1,Two,2025,,,\n"
        "thr-3,Three,2025,,acled:7,\n"
        "fou-4,Four,2025,Narnia,,,more\n"
    )
    before = dump(log)
    lines = run("-d", log, "append", "--csv", sheet).stderr.splitlines()
    assert [line.removeprefix("Error: ").split(": ")[:2] for line in lines] == [
        ["line 3", "event event-001 is already recorded with another title, occurred, event_type,"
         " tags, place, participants ..."],
        ["line 4", "cell C4, occurred"],
        ["line 4", "cell D4, country"],
        ["line 4", "cell B4, title"],
        ["line 5", "cell A5, id"],
        ["line 6", "cell E6, external_ids"],
        ["line 7", "cell D7, country"],
        ["line 7", "has more cells than the header"],
    ]  # fmt: skip
    assert dump(log) == before
    rows = [{"id": f"new-{n}", "Date": "2025", "Headline": "Fire"} for n in range(9)]
    lines = run("-d", log, "append", "--csv", _write(sheet, rows)).stderr.splitlines()
    assert lines == [
        f"Error: {column}: is no column of the sheet, and a new event needs it: name a column so,"
        " or read the sheet with `timeline import sheet`"
        for column in ("title", "occurred")
    ]


def test_a_column_that_a_new_event_needs_is_missed_once(
    log: Path, ten: Rows, tmp_path: Path
) -> None:
    rows = [{"id": f"new-{n}", "Date": "2025", "title": "Fire"} for n in range(9)]
    refusal = run("-d", log, "sync", "--yes", _write(tmp_path / "s.csv", rows))
    said = one_line(refusal)
    assert said.startswith("occurred: is no column of the sheet, and a new event needs it: name")


# --- Columns ------------------------------------------------------------------------------


def test_a_column_that_is_none_of_ours_is_left_out_with_a_note(
    log: Path, ten: Rows, tmp_path: Path
) -> None:
    rows = [{"": str(n), "Status": "ok", **row, "Owner": ""} for n, row in enumerate(ten)]
    sheet = _write(tmp_path / "s.csv", rows)
    result = run("-d", log, "sync", sheet)
    assert result.stdout == "10 unchanged.\n"
    note = "columns A (without a name), Status left out: `timeline template` prints those that"
    assert " ".join(result.stderr.split()) == f"Note: {note} are known"
    assert json.loads(run("-d", log, "sync", "--json", sheet).stdout)["notes"] != []
    result = run("-d", log, "append", "--csv", sheet)
    assert (result.exit_code, note in " ".join(result.stderr.split())) == (0, True)


def test_a_slip_in_a_name_is_refused_or_asked_about(log: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "s.csv"
    sheet.write_text("id,tittle,ocurred,titles\nquay,Fire,2025,x\nport,Ice,2025,x\n")
    before = entries(log)
    for command in (["sync", "--yes"], ["append", "--csv"]):
        refusal = run("-d", log, *command, sheet)
        assert refusal.exit_code == 1
        assert refusal.stderr.splitlines() == [
            "Error: line 1: cell B1, tittle: is not a column: did you mean title? rename it, or"
            " pass --ignore-column tittle",
            "Error: line 1: cell C1, ocurred: is not a column: did you mean occurred? rename it,"
            " or pass --ignore-column ocurred",
        ]
    assert entries(log) == before
    code, shown = conversation(
        "-d", log, "append", "--csv", "--dry-run", sheet, answers="\n\n", cwd=tmp_path
    )
    assert code == 0, shown
    assert 'Is the column "tittle" title? Otherwise it is left out. [Y/n]' in shown
    assert "column titles left out" in shown
    code, shown = conversation("-d", log, "append", "--csv", sheet, answers="y\nn\n", cwd=tmp_path)
    assert (code, "occurred: is no column of the sheet" in shown) == (1, True), shown
    sheet.write_text(sheet.read_text().replace("ocurred", "occurred").replace("tittle", "titlle"))
    code, shown = conversation("-d", log, "append", "--csv", sheet, answers="y\n", cwd=tmp_path)
    assert code == 0, shown
    assert json.loads(done("-d", log, "show", "port", "--json"))["title"] == "Ice"
    ignored = ("--ignore-column", "Titlle", "--ignore-column", "titles")
    result = run("-d", log, "sync", "--dry-run", sheet, *ignored)
    assert (result.exit_code, "columns titlle, titles left out" in result.stderr) == (0, True)
    assert (
        run("append", "--ignore-column", "x", "--title", "T", "--occurred", "2025").exit_code == 2
    )


# --- Over HTTP ----------------------------------------------------------------------------


def test_what_cannot_be_fetched_or_read_is_one_line(log: Path, tmp_path: Path) -> None:
    (tmp_path / "page.csv").write_text("<!DOCTYPE html><title>Sign in</title>")
    with _served(tmp_path) as address:
        problems = {
            f"{address}/none.csv": "answered 404 File not found",
            f"{address}/page.csv": "is a web page, not a sheet: publish the sheet as CSV",
        }
        for url, problem in problems.items():
            refusal = run("-d", log, "sync", url)
            assert (refusal.exit_code, problem in refusal.stderr) == (1, True), refusal.stderr
    for source, problem in {
        f"{address}/none.csv": "cannot be fetched: ",
        "http://": "cannot be fetched: ",
        str(tmp_path / "no.csv"): "cannot be read: No such file or directory",
        str(tmp_path): "cannot be read: Is a directory",
    }.items():
        refusal = run("-d", log, "sync", source)
        assert (refusal.exit_code, problem in refusal.stderr) == (1, True), refusal.stderr
        assert refusal.stderr.count("\n") == 1


def test_a_sheet_may_come_through_a_pipe(log: Path, tmp_path: Path) -> None:
    text = (tmp_path / "ten.csv").read_bytes()
    assert done("-d", log, "sync", "-", input=text) == "10 unchanged.\n"


def test_a_row_with_a_wrong_cell_is_not_said_to_differ_from_its_event(path: Path) -> None:
    with Timeline.create(path, title="T") as timeline:
        timeline.record({"event_id": "fire-1", "title": "Fire", "occurred": "2025",
                         "place": {"name": "Brim", "country": "Kenya"}})  # fmt: skip
    sheet = path.with_suffix(".csv")
    sheet.write_text("id,title,occurred,place,country\nfire-1,Fire,2025,Brim,Kenia\n")
    refused = run("-d", path, "append", "--csv", sheet)
    assert one_line(refused).startswith('line 2: cell E2, country: "Kenia" is not a country')
