"""A sheet that nobody described: `timeline import sheet`."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import sqlite3
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pexpect
import pytest
from answering import answer, answering
from running import PROGRAM, done, environment, one_line, process, run
from workbooks import ods, xlsx

from timeline import Timeline
from timeline.formats.guessing.contents import MOST_ROWS
from timeline.intake.any_sheet.first_look import look, scheme_of

# pexpect forks and executes at once: the threads of pytest-xdist do not matter to the child.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

FLOOD = """\
Date,Headline,Where,Who,Link,Notes,Dead
3 Sep,Dam keeper reports a crack,"Hollow Dam, Vale",Ann Reed,https://example.org/c,ask her again,
9/5/25,Sandbags arrive,Hollow Dam,"Vale Council, Fire Service North",,,
9/14/25,River over its banks,Lower Vale,River Office; Ann Reed,www.example.org/river,no https,
14/9/25 18:30,Order to leave,Lower Vale,Vale Council,https://example.org/order,,
2025-09-15 02:10,The dam breaks,Hollow Dam,,https://example.org/break,time from the log,at least 3
15 Sep (evening),Toll is disputed,Lower Vale,Coroner,https://example.org/a https://example.org/b,,4/6
Harvest Day,Vigil,Lower Vale,,,20 September 2025,
tbc,Inquiry opens,,,,,
,Photograph of the crack,,,https://example.org/photo,undated,
"""


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty timeline in a folder of its own, which is the current one."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "timeline.db"
    Timeline.create(path, title="Flood").close()
    return path


def sheet(text: str, name: str = "flood.csv") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def events(path: Path) -> dict[str, dict[str, Any]]:
    """All events by title."""
    with Timeline.open(path) as timeline:
        return {str(row["title"]): timeline.get(str(row["event_id"])) for row in timeline.list()}


def entries(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        return int(connection.execute("SELECT count(*) FROM log").fetchone()[0])


def files() -> list[str]:
    return sorted(each.name for each in Path().iterdir() if not each.name.startswith("timeline.db"))


# --- One sheet ----------------------------------------------------------------------------


def test_seven_of_nine_rows_go_in_at_once(story: Path) -> None:
    said = done("-d", story, "import", "sheet", sheet(FLOOD), "--yes", "--skip-bad")
    assert "9 rows: 7 recorded, 2 put aside." in said
    found = events(story)
    assert len(found) == 7
    assert found["Dam keeper reports a crack"]["occurred"] == "2025-09-03"
    assert found["Sandbags arrive"]["occurred"] == "2025-09-05"
    assert found["Order to leave"]["occurred"] == "2025-09-14T18:30"
    assert found["Inquiry opens"]["occurred"] == "../.."
    assert found["Inquiry opens"]["occurred_text"] == "tbc"
    assert found["Photograph of the crack"]["occurred"] == "../.."
    names = [each["name"] for each in found["Sandbags arrive"]["participants"]]
    assert names == ["Vale Council", "Fire Service North"]
    (figure,) = found["The dam breaks"]["quantities"]
    assert (figure["value"], figure["qualifier"]) == ("3", "at_least")
    with Timeline.open(story) as timeline:
        addresses = (
            {row["url"] for row in timeline.sources()} if hasattr(timeline, "sources") else set()
        )
    assert not addresses or "https://www.example.org/river" in addresses


def test_what_is_about_the_work_stays_out_of_the_log_and_is_named(story: Path) -> None:
    said = done("-d", story, "import", "sheet", sheet(FLOOD), "--yes", "--skip-bad")
    assert re.search(r"Notes +- +ask her again +left out: about the work on the sheet", said)
    with sqlite3.connect(story) as connection:
        payloads = " ".join(row[0] for row in connection.execute("SELECT payload FROM log"))
    assert "ask her again" not in payloads
    assert "time from the log" not in payloads


def test_every_reading_that_is_not_plain_is_told(story: Path) -> None:
    said = done("-d", story, "import", "sheet", sheet(FLOOD), "--yes", "--skip-bad")
    assert "3 Sep: 3 September 2025, the year by the order of the rows" in said
    assert "9/5/25: 5 September 2025, the month first, by the rows above and below" in said
    assert "2 rows have no date: it is recorded as unknown." in said
    assert "Vale Council, Fire Service North: Vale Council and Fire Service North" in said
    assert "www.example.org/river: https://www.example.org/river" in said


def test_times_without_a_zone_are_named_with_the_zone_of_the_log(story: Path) -> None:
    times = "Date,Headline\n2025-09-15 02:10 CDT,The dam breaks\n2025-09-15 02:40,First call\n"
    said = " ".join(done("-d", story, "import", "sheet", sheet(times), "--dry-run").split())
    assert "1 time of day names no time zone: it is read as UTC, the zone of this log." in said
    assert "Other cells say -05:00: if that is the zone of the story, set it first" in said
    plain = sheet("Date,Headline\n2025-09-15 02:10Z,The dam breaks\n", "plain.csv")
    assert "time zone" not in done("-d", story, "import", "sheet", plain, "--dry-run")


def test_a_column_with_a_currency_in_its_name_holds_amounts(story: Path) -> None:
    losses = 'Date,Headline,Est. harm (EUR)\n3 Sep 2025,Harbour closed,"1,2 Mio."\n'
    done("-d", story, "import", "sheet", sheet(losses), "--yes")
    (figure,) = events(story)["Harbour closed"]["quantities"]
    assert (figure["value"], figure["unit"]) == ("1200000", "EUR")


def test_a_dry_run_gives_each_of_two_rows_with_one_title_its_own_date(story: Path) -> None:
    text = "Date,Headline,Where\n2025-09-03,Vigil,Lower Vale\n2025-10-07,Vigil,Upper Vale\n"
    said = done("-d", story, "import", "sheet", sheet(text), "--dry-run")
    assert 'Would record "Vigil", 3 September 2025.' in said
    assert 'Would record "Vigil", 7 October 2025.' in said


def test_a_sheet_with_thousands_of_columns_is_read(story: Path) -> None:
    names = ["Date", "Headline", *(f"answer {number}" for number in range(5_000))]
    cells = ["2025-09-03", "Vigil", *("x" for _ in range(5_000))]
    text = f"{','.join(names)}\n{','.join(cells)}\n"
    assert "1 row: 1 recorded." in done("-d", story, "import", "sheet", sheet(text), "--yes")


def test_counts_are_never_taken_for_people(story: Path) -> None:
    text = "Date,Headline,How many people came?\n2025-09-03,Vigil,3\n2025-09-04,March,about 10\n"
    said = done("-d", story, "import", "sheet", sheet(text), "--dry-run")
    assert "actors" not in said
    assert "left out" in said


def test_totals_and_notes_below_a_short_table_leave_its_date_column_known(story: Path) -> None:
    text = (
        "Date,Headline,Dead\n2025-09-03,Vigil,1\n2025-09-04,March,2\n"
        "Total,,3\nSum,,3\nFigures by the police,,\n"
    )
    said = done("-d", story, "import", "sheet", sheet(text), "--yes", "--skip-bad")
    assert "5 rows: 2 recorded, 3 put aside." in said


def test_a_dry_run_names_what_settles_dates_in_doubt(story: Path) -> None:
    text = "Date,Headline\n4/5/2025,Vigil\n5/5/2025,March\n"
    said = run("-d", story, "import", "sheet", sheet(text), "--dry-run").stderr
    assert "--day-first or --month-first settles 1 date in doubt" in said
    short = sheet("Start,Ende,Was\n12.1.,15.1.,Vigil\n", "short.csv")
    said = run("-d", story, "import", "sheet", short, "--dry-run").stderr
    assert "--year YEAR gives the year of 2 dates without one" in said


def test_links_as_formulas_and_html_give_their_addresses(story: Path) -> None:
    text = (
        "Date,Headline,Link\n"
        '2025-09-03,Vigil,"=HYPERLINK(""https://example.org/vigil"",""The Vale Post"")"\n'
        '2025-09-04,March,"=hyperlink(""https://example.org/march"")"\n'
        '2025-09-05,Fair,"<a class=""x"" href=""https://example.org/fair"">The Post</a>"\n'
    )
    assert "3 rows: 3 recorded." in done(
        "-d", story, "import", "sheet", sheet(text), "--yes", "--skip-bad"
    )
    with sqlite3.connect(story) as connection:
        found = {row[0] for row in connection.execute("SELECT url FROM sources")}
    assert found == {f"https://example.org/{name}" for name in ("vigil", "march", "fair")}


def test_quotation_marks_that_are_wrong_are_named_with_what_to_write(story: Path) -> None:
    text = 'Date,Headline\n2025-09-03,"The "old" bridge"\n2025-09-04,"Vigil\n2025-09-05,March\n'
    said = one_line(run("-d", story, "import", "sheet", sheet(text), "--dry-run"))
    assert "line 2: cannot be read as CSV" in said
    assert "double one inside a cell" in said
    good = sheet('Date,Headline\n2025-09-03,Fair\n2025-09-04,"Vigil\n2025-09-05,March\n', "b.csv")
    told = " ".join(done("-d", story, "import", "sheet", good, "--dry-run").split())
    assert "cannot be read as CSV, and took 2 lines" in told


def test_a_time_that_is_none_is_told_with_what_to_write(story: Path) -> None:
    text = "Date,Time,Headline\n2025-09-03,24:00,Vigil\n2025-09-04,14:30,March\n"
    said = done("-d", story, "import", "sheet", sheet(text), "--dry-run", columns=120)
    assert '"24:00" is no time of day: write one from 00:00 to 23:59' in said


def test_rows_that_are_not_told_apart_are_named_with_what_to_write(story: Path) -> None:
    text = (
        "Date,Headline,Link\n2025-09-03,Vigil,https://example.org/a\n"
        "2025-09-03,Vigil,https://example.org/b\n2025-09-04,March,\n"
    )
    said = done("-d", story, "import", "sheet", sheet(text), "--dry-run")
    told = " ".join(said.split())
    assert "2 rows cannot be recorded as they are:" in told
    assert "stands twice: lines 2 and 3, which differ in Link" in told
    assert "make one row of them" in told
    assert "3 rows: 1 recorded, 2 put aside." in told
    found = json.loads(
        done("-d", story, "import", "sheet", "flood.csv", "--dry-run", "--yes", "--json")
    )
    assert len(found["refused"]) == 1
    assert "stands twice" in found["refused"][0]


def test_rows_that_say_the_same_twice_are_counted(story: Path) -> None:
    text = "Date,Headline\n2025-09-03,Vigil\n2025-09-04,March\n2025-09-03,Vigil\n"
    said = done("-d", story, "import", "sheet", sheet(text), "--yes")
    assert "3 rows: 2 recorded, 1 repeated." in said
    again = done("-d", story, "import", "sheet", "flood.csv", "--yes")
    assert "3 rows: 2 unchanged, 1 repeated." in again


def test_the_error_of_a_formula_is_never_recorded(story: Path) -> None:
    text = (
        "Date,Headline,Link,Remarks\n2025-09-03,Vigil,#REF!,\n2025-09-04,#NAME?,,\n"
        "2025-09-05,March,https://example.org/a,#VALUE!\n2025-09-06,#1 in the polls,#N/A,\n"
    )
    said = done("-d", story, "import", "sheet", sheet(text), "--yes", "--skip-bad", columns=120)
    assert re.search(r'C2 +Link +"#REF!" is the error of a formula: mend the formula', said)
    assert re.search(r'B3 +Headline +"#NAME\?" is the error of a formula', said)
    assert {*events(story)} == {"March", "#1 in the polls"}


def test_deaths_with_marks_of_footnotes_are_told_and_not_left_out(story: Path) -> None:
    text = (
        "Date,Headline,Dead\n2025-09-03,Vigil,35[1]\n2025-09-04,March,35*\n2025-09-05,Fair,4\n"
        "2025-09-06,Talks,12 [b]\n"
    )
    said = done("-d", story, "import", "sheet", sheet(text), "--dry-run", columns=120)
    assert re.search(r'C2 +Dead +"35\[1\]" is not a figure: write one such as 35', said)
    assert "4 rows: 1 recorded, 3 put aside." in said


def test_points_in_a_column_of_places_are_points_and_not_names(story: Path) -> None:
    text = 'Date,Headline,Location\n2025-09-03,Vigil,"50.45, 30.52"\n2025-09-04,March,"50.1,30.2"\n'
    done("-d", story, "import", "sheet", sheet(text), "--yes")
    place = events(story)["Vigil"]["place"]
    assert (float(place["lat"]), float(place["lon"])) == (50.45, 30.52)
    assert "name" not in place


def test_two_times_of_one_row_are_told(story: Path) -> None:
    text = (
        "Date,Time,Headline\n2025-09-03 10:30,23:00,Vigil\n2025-09-04,23:00,March\n"
        "2025-09-05,9:15,Fair\n2025-09-06 10:30,10:30,Talks\n2025-09-07,,Rest\n"
    )
    said = done("-d", story, "import", "sheet", sheet(text), "--dry-run", columns=120)
    assert re.search(r'B2 +Time +"23:00" is not 10:30, the time in the date: keep one', said)
    assert "5 rows: 4 recorded, 1 put aside." in said


def test_an_end_that_is_no_date_is_told_with_what_to_write(story: Path) -> None:
    text = (
        "Start,End,Headline\n2025-09-03,2025-09-04,Vigil\n2025-09-04,ongoing,March\n"
        "2025-09-05,?,Fair\n2025-09-06,2025-09-07,Talks\n"
    )
    said = done("-d", story, "import", "sheet", sheet(text), "--dry-run", columns=160)
    assert said.count("empty the cell if the end is not known") == 2


def test_headings_of_groups_do_not_hide_the_header_below_a_title(story: Path) -> None:
    text = (
        "The flood,,\nDate,Headline,Where\nAUTUMN,,\n2025-09-03,Vigil,Vale\nWINTER,,\n"
        "2025-12-04,March,Vale\nSPRING,,\n,,\nTOTAL,,\nSource: own,,\n"
    )
    said = done("-d", story, "import", "sheet", sheet(text), "--yes", "--skip-bad")
    assert "7 rows: 2 recorded, 5 put aside." in said


def test_a_reader_of_the_output_may_go(story: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    arguments = ("-d", story, "import", "sheet", sheet(FLOOD), "--dry-run")
    ended = process(*arguments, cwd=Path.cwd(), stdout=write)
    os.close(write)
    assert "cannot be read" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_all_problems_are_told_at_once_each_with_what_to_write(story: Path) -> None:
    said = done("-d", story, "import", "sheet", sheet(FLOOD), "--yes", "--skip-bad", columns=120)
    told = " ".join(said.split())
    assert '2 rows cannot be read as they are: G7 Dead "4/6"' in told
    assert 'for two figures side by side write "4; 6", or a row for each' in told
    assert 'A8 Date "Harvest Day" is not a date' in told
    assert 'Notes says "20 September 2025"' in told


def test_nothing_goes_in_without_a_yes(story: Path) -> None:
    before = entries(story)
    result = run("-d", story, "import", "sheet", sheet(FLOOD))
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: nothing was recorded: --yes takes these columns, and the year of 2025 for 2 rows"
        " without one; --skip-bad records the 7 rows that can be read\n"
    )
    assert "Headline" in result.stdout
    assert entries(story) == before
    assert files() == ["flood.csv"]


def test_a_dry_run_reads_as_prose_and_writes_nothing(story: Path) -> None:
    before = entries(story)
    said = done("-d", story, "import", "sheet", sheet(FLOOD), "--dry-run")
    assert 'Would record "The dam breaks", 15 September 2025, 02:10.' in said
    assert 'Would record "Inquiry opens", date unknown' in said
    assert said.endswith("9 rows: 7 recorded, 2 put aside. Nothing was recorded: a dry run.\n")
    assert entries(story) == before
    assert files() == ["flood.csv"]


def test_bad_rows_come_back_as_a_sheet_that_can_be_mended(story: Path) -> None:
    done("-d", story, "import", "sheet", sheet(FLOOD), "--yes", "--skip-bad")
    back = Path("flood.csv.problems.csv")
    text = back.read_text(encoding="utf-8-sig")
    rows = [*csv.DictReader(text.splitlines())]
    assert [row["Headline"] for row in rows] == ["Toll is disputed", "Vigil"]
    assert rows[0]["Notes"] == ""
    assert rows[1]["Notes"] == "20 September 2025"
    assert rows[1]["problem"].startswith('Date: "Harvest Day" is not a date')
    back.write_text(
        text.replace("4/6,", "4; 6,").replace("Harvest Day", "20 Sep"), encoding="utf-8"
    )
    assert "2 rows: 2 recorded." in done("-d", story, "import", "sheet", back)
    found = events(story)
    assert [each["value"] for each in found["Toll is disputed"]["quantities"]] == ["4", "6"]
    assert found["Vigil"]["occurred"] == "2025-09-20"


def test_the_same_sheet_next_week_adds_what_is_new_or_changed(story: Path) -> None:
    path = sheet(FLOOD)
    done("-d", story, "import", "sheet", path, "--yes", "--skip-bad")
    before = entries(story)
    said = done("-d", story, "import", "sheet", path, "--skip-bad")
    assert "9 rows: 7 unchanged, 2 put aside." in said
    assert entries(story) == before
    longer = FLOOD.replace("Sandbags arrive,Hollow Dam", "Sandbags arrive,Upper Vale")
    longer += "21 Sep,Water recedes,Lower Vale,,,,\n22/9/25,Inquiry sits,Vale,,,,\n"
    sheet(longer)
    said = done("-d", story, "import", "sheet", path, "--skip-bad")
    assert "11 rows: 2 recorded, 1 updated, 7 unchanged" in said.replace(
        "6 unchanged", "7 unchanged"
    )
    found = events(story)
    assert found["Sandbags arrive"]["place"]["name"] == "Upper Vale"
    assert found["Sandbags arrive"]["occurred"] == "2025-09-05"
    assert found["Water recedes"]["occurred"] == "2025-09-21"
    assert found["Inquiry sits"]["occurred"] == "2025-09-22"


def test_a_row_that_is_no_row_is_named_by_its_place(story: Path) -> None:
    path = sheet("Date,Title\n2025-04-01,One\n2025-04-02,Two,more\n")
    done("-d", story, "import", "sheet", path, "--yes", "--skip-bad")
    (row,) = csv.DictReader(
        Path("flood.csv.problems.csv").read_text(encoding="utf-8-sig").splitlines()
    )
    assert row["problem"] == (
        "row 3 of the sheet has 3 cells where the header has 2: mend it there"
    )


def test_a_column_that_is_new_is_named_and_left_out(story: Path) -> None:
    path = sheet(FLOOD)
    done("-d", story, "import", "sheet", path, "--yes", "--skip-bad")
    lines = FLOOD.splitlines()
    sheet("\n".join([f"{lines[0]},Informant", *(f"{line},Joe" for line in lines[1:])]))
    result = run("-d", story, "import", "sheet", path, "--skip-bad")
    assert result.exit_code == 0
    assert 'the column "Informant" is new and left out' in " ".join(result.stderr.split())
    with sqlite3.connect(story) as connection:
        assert not connection.execute("SELECT 1 FROM log WHERE payload LIKE '%Joe%'").fetchall()


def test_a_mapped_column_that_is_gone_is_refused(story: Path) -> None:
    path = sheet(FLOOD)
    done("-d", story, "import", "sheet", path, "--yes", "--skip-bad")
    sheet(FLOOD.replace("Headline", "Heading"))
    result = run("-d", story, "import", "sheet", path, "--skip-bad")
    assert result.exit_code == 1
    assert "Headline" in result.stderr
    assert "did you mean Heading?" in result.stderr


def test_the_kept_mapping_is_a_mapping_like_any_other(story: Path) -> None:
    path = sheet(FLOOD)
    done("-d", story, "import", "sheet", path, "--yes", "--skip-bad")
    kept = Path("flood.csv.map.toml")
    said = tomllib.loads(kept.read_text(encoding="utf-8"))
    assert said["scheme"] == "flood"
    assert said["leave_out"] == ["Notes"]
    again = done("-d", story, "import", "mapped", path, "--map", kept)
    assert "7 unchanged" in again


def test_a_mapping_can_be_mended(story: Path) -> None:
    path = sheet(FLOOD)
    done("-d", story, "import", "sheet", path, "--yes", "--skip-bad")
    kept = Path("flood.csv.map.toml")
    text = kept.read_text(encoding="utf-8").replace('"place.name"', '"about_place.name"')
    mine = Path("mine.toml")
    mine.write_text(text, encoding="utf-8")
    other = Path("other.db")
    Timeline.create(other, title="Other").close()
    done("-d", other, "import", "sheet", path, "--map", mine, "--skip-bad")
    assert events(other)["The dam breaks"]["about_place"]["name"] == "Hollow Dam"


def test_what_was_changed_by_hand_in_the_mapping_stays(story: Path) -> None:
    path = sheet(FLOOD)
    done("-d", story, "import", "sheet", path, "--yes", "--skip-bad")
    kept = Path("flood.csv.map.toml")
    kept.write_text("# my words\n" + kept.read_text(encoding="utf-8"), encoding="utf-8")
    sheet(FLOOD + "16 September 2025,A,,,,,\n9/10/25,B,,,,,\n12 October 2025,C,,,,,\n")
    done("-d", story, "import", "sheet", path, "--skip-bad")
    text = kept.read_text(encoding="utf-8")
    assert text.startswith("# my words\n")
    assert "9/10/25" not in text or tomllib.loads(text)


def test_json_has_the_columns_the_dates_and_the_problems(story: Path) -> None:
    said = json.loads(
        done("-d", story, "import", "sheet", sheet(FLOOD), "--yes", "--skip-bad", "--json")
    )
    assert said["rows"] == 9
    assert said["recorded"] == 7
    assert said["bad_rows"] == 2
    assert [each["cell"] for each in said["problems"]] == ["G7", "A8"]
    assert {each["column"]: each["becomes"] for each in said["columns"]}["Where"] == "place.name"
    assert said["mapping_file"] == "flood.csv.map.toml"
    assert said["problems_file"] == "flood.csv.problems.csv"


# --- Day and month, and the year ----------------------------------------------------------

IN_DOUBT = "Date,Title\n1/4/2025,One\n3/4/2025,Two\n"


def test_dates_that_nothing_settles_are_problems_until_an_option_settles_them(story: Path) -> None:
    path = sheet(IN_DOUBT)
    result = run("-d", story, "import", "sheet", path, "--yes", columns=120)
    assert result.exit_code == 1
    assert "1 April 2025" in result.stdout
    assert "4 January 2025" in result.stdout
    assert "--day-first" in result.stderr
    done("-d", story, "import", "sheet", path, "--yes", "--month-first")
    assert events(story)["Two"]["occurred"] == "2025-03-04"
    again = done("-d", story, "import", "sheet", path)
    assert "2 rows: 2 unchanged." in again


def test_options_stand_behind_the_two_words(story: Path) -> None:
    result = run("-d", story, "import", "--dry-run", "sheet", "x.csv")
    assert result.exit_code == 2
    assert "options come behind: timeline import sheet FILE" in result.stderr


def test_the_name_of_a_column_can_say_the_order(story: Path) -> None:
    text = IN_DOUBT.replace("Date,", '"Date (DD/MM/YYYY)",')
    done("-d", story, "import", "sheet", sheet(text), "--yes")
    assert events(story)["Two"]["occurred"] == "2025-04-03"


def test_the_day_of_the_report_is_read_in_the_order_of_the_dates(story: Path) -> None:
    text = "Date,Title,Published\n3/21/2025,One,3/22/2025\n4/5/2025,Two,4/6/2025\n"
    done("-d", story, "import", "sheet", sheet(text), "--yes")
    found = events(story)
    assert found["Two"]["occurred"] == "2025-04-05"
    assert found["Two"]["reported_at"] == "2025-04-06"


def test_both_orders_exclude_each_other(story: Path) -> None:
    result = run("-d", story, "import", "sheet", "x.csv", "--day-first", "--month-first")
    assert result.exit_code == 2


def test_a_year_that_no_row_says_is_asked_for(story: Path) -> None:
    path = sheet("Date,Title\n12 Apr,One\n3 May,Two\n")
    result = run("-d", story, "import", "sheet", path, "--yes")
    assert result.exit_code == 1
    assert "--year" in result.stderr
    done("-d", story, "import", "sheet", path, "--yes", "--year", "2023")
    assert events(story)["Two"]["occurred"] == "2023-05-03"


# --- Sheets of other people ---------------------------------------------------------------

UKRAINIAN = """\
№;Дата;Подія;Місто;Країна;Широта;Довгота;Учасники;Джерело;Загинуло;Збитки (UAH);Статус
1;03.02.2025;Обстріл порту;Одеса;Україна;46,4825;30,7233;ДСНС; https://example.ua/port ;2;\
1 250 000,50;перевірити
2;14 лютого 2025;Засідання ради;Ізмаїл;Україна;45,3511;28,8367;Міська рада / Іван Коваль;\
https://example.ua/rada;;;готово
"""


def test_a_ukrainian_sheet(story: Path) -> None:
    done("-d", story, "import", "sheet", sheet(UKRAINIAN, "події.csv"), "--yes")
    found = events(story)
    port = found["Обстріл порту"]
    assert port["occurred"] == "2025-02-03"
    assert port["place"] == {
        "name": "Одеса", "country": "UKR", "lat": "46.4825", "lon": "30.7233",
    }  # fmt: skip
    assert {each["measure"]: each["value"] for each in port["quantities"]} == {
        "killed": "2",
        "збитки": "1250000.5",
    }
    assert found["Засідання ради"]["occurred"] == "2025-02-14"
    names = [each["name"] for each in found["Засідання ради"]["participants"]]
    assert names == ["Міська рада", "Іван Коваль"]


GERMAN = """\
Datum\tOrt\tEreignis\tBeschreibung\tQuelle\tVerletzte\tBearbeiter
12. März 2025\tMusterstadt\tBrand im Lager\tIn der Nacht.\thttps://example.de/brand\t3\tKL
15.03.2025\tMusterstadt\tRat tagt\tSondersitzung.\tStadtanzeiger, S. 3\t\tMW
"""


def test_a_german_sheet_with_tabs(story: Path) -> None:
    done("-d", story, "import", "sheet", sheet(GERMAN, "lage.tsv"), "--yes")
    found = events(story)
    assert found["Brand im Lager"]["occurred"] == "2025-03-12"
    assert found["Rat tagt"]["occurred"] == "2025-03-15"
    assert found["Rat tagt"]["citations"]


AIRTABLE = """\
Name,Start Date,End Date,Location,Involved Parties,Source URL,Event Type,Internal Notes,Created Time
Strike at the mill,3/5/2025,3/9/2025,Port Hale,"Mill Workers Union, Hale Steel Works",\
https://example.org/strike,Protest,call Ann,3/10/2025 9:14am
Talks resume,3/21/2025,,Port Hale,Hale Steel Works,https://example.org/talks,Consultation,,
"""


def test_an_export_of_airtable(story: Path) -> None:
    done("-d", story, "import", "sheet", sheet(AIRTABLE), "--yes")
    found = events(story)
    assert found["Strike at the mill"]["occurred"] == "2025-03-05/2025-03-09"
    assert found["Talks resume"]["occurred"] == "2025-03-21"
    assert found["Talks resume"]["event_type"] == "CONSULT"


BY_PARTS = """\
event_id,year,month,day,country,city,summary,nkill,nwound,source1,source2
A1,1970,7,2,Italy,Milan,A bomb goes off in a bank,3,12,https://example.org/a,https://example.org/b
A2,1970,7,0,Italy,Turin,Threats are made,0,0,https://example.org/c,
A3,1970,0,0,France,Lyon,An attack without a date,,,,
"""


def test_a_sheet_with_year_month_and_day(story: Path) -> None:
    done("-d", story, "import", "sheet", sheet(BY_PARTS), "--yes")
    found = {each["occurred"]: each for each in events(story).values()}
    assert [*sorted(found)] == ["1970", "1970-07", "1970-07-02"]
    assert len(found["1970-07-02"]["citations"]) == 2


def test_a_workbook_of_a_newsroom_with_a_title_over_its_columns(story: Path) -> None:
    rows: list[list[Any]] = [
        ["Flood desk: what we know", None, None, None],
        ["When", "What happened", "Town", "Dead"],
        [datetime(2025, 9, 3), "Crack\nreported", "Hollow", None],  # noqa: DTZ001
        [datetime(2025, 9, 15, 2, 10), "The dam breaks", "Hollow", 3],  # noqa: DTZ001
        ["soon", "Vigil", "Lower Vale", None],
    ]
    path = Path("desk.xlsx")
    path.write_bytes(xlsx({"Log": rows}))
    said = done("-d", story, "import", "sheet", path, "--yes", "--skip-bad")
    assert "3 rows: 2 recorded, 1 put aside." in said
    assert re.search('A5 +When +"soon" is not a date', said)
    found = events(story)
    assert found["The dam breaks"]["occurred"] == "2025-09-15T02:10:00"
    assert found["The dam breaks"]["quantities"][0]["value"] == "3"
    back = Path("desk.xlsx.problems.csv")
    mended = back.read_text(encoding="utf-8-sig").replace("soon,", "20 September 2025,")
    back.write_text(mended, encoding="utf-8")
    assert "1 row: 1 recorded." in done("-d", story, "import", "sheet", back)
    rows.append([datetime(2025, 9, 21), "Water recedes", "Lower Vale", None])  # noqa: DTZ001
    path.write_bytes(xlsx({"Log": rows}))
    said = done("-d", story, "import", "sheet", path, "--skip-bad")
    assert "4 rows: 1 recorded, 2 unchanged, 1 put aside." in said


def test_a_year_and_a_time_in_columns_of_their_own(story: Path) -> None:
    text = "Year,Date,Time,What\n2024,12 Apr,,First\n2025,3 May,14:30,Second\n2025,,,Third\n"
    done("-d", story, "import", "sheet", sheet(text), "--yes")
    found = events(story)
    assert found["First"]["occurred"] == "2024-04-12"
    assert found["Second"]["occurred"] == "2025-05-03T14:30"


def test_a_sheet_on_the_web(story: Path) -> None:
    with answering({"/log.csv": answer(AIRTABLE.encode())}) as server:
        said = done("-d", story, "import", "sheet", f"{server.address}/log.csv", "--yes")
    assert "2 rows: 2 recorded." in said
    assert "log.csv.map.toml" in files()


def test_images_and_titles_that_are_made_of_two_columns(story: Path) -> None:
    text = (
        "Date,Type,Place,Photo,Alt text\n2025-04-01,Fire,Sumy,https://example.org/p.jpg,A fire\n"
        "2025-04-02,Flood,Rivne,,\n"
    )
    said = done("-d", story, "import", "sheet", sheet(text), "--yes")
    assert "The title is made of columns: {Type}: {Place}" in said
    found = events(story)
    assert found["Fire: Sumy"]["media"][0]["alt"] == "A fire"
    assert "media" not in found["Flood: Rivne"]


def test_a_sheet_of_libreoffice(story: Path) -> None:
    rows = [["Datum", "Ereignis", "Tote"], ["date:2025-03-12", "Brand", "float:2"]]
    path = Path("lage.ods")
    path.write_bytes(ods(rows))
    done("-d", story, "import", "sheet", path, "--yes")
    assert events(story)["Brand"]["quantities"][0]["value"] == "2"


def test_cells_of_several_lines_do_not_shift_the_addresses(story: Path) -> None:
    text = 'Date,Title\n2025-04-01,"One\nline more"\nsoon,Two\n'
    said = done("-d", story, "import", "sheet", sheet(text), "--yes", "--skip-bad")
    assert re.search('A3 +Date +"soon" is not a date', said)


def test_a_sheet_in_another_encoding(story: Path) -> None:
    path = Path("alt.csv")
    path.write_bytes(GERMAN.encode("cp1252"))
    assert "--encoding cp1252" in one_line(run("-d", story, "import", "sheet", path, "--yes"))
    done("-d", story, "import", "sheet", path, "--yes", "--encoding", "cp1252")
    assert events(story)["Brand im Lager"]["occurred"] == "2025-03-12"
    assert "2 rows: 2 unchanged." in done("-d", story, "import", "sheet", path)


def test_a_packed_sheet_and_one_from_stdin(story: Path) -> None:
    packed = Path("packed.csv.gz")
    packed.write_bytes(gzip.compress(AIRTABLE.encode()))
    assert "2 recorded" in done("-d", story, "import", "sheet", packed, "--yes")
    said = done("-d", story, "import", "sheet", "-", "--yes", input=GERMAN)
    assert "2 recorded" in said
    assert "sheet.map.toml" in files()


def test_a_file_without_rows_is_refused(story: Path) -> None:
    result = run("-d", story, "import", "sheet", sheet("Date,Title\n"), "--yes")
    assert one_line(result) == "flood.csv has no rows under its header"


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("Kessel Point (final).xlsx", "kessel-point-final"),
        ("2025 log.csv", "sheet-2025-log"),
        ("ucdp.csv", "sheet-ucdp"),
        ("події.csv", "sheet"),
        ("log.csv.problems.csv", "log"),
        ("https://example.org/a/log.csv", "log"),
    ],
)
def test_the_rows_of_a_sheet_are_called_after_its_name(name: str, scheme: str) -> None:
    assert scheme_of(name) == scheme


def test_the_guess_looks_at_the_first_rows_only(story: Path) -> None:
    rows = "".join(f"2025-04-01,Event {number},{number}\n" for number in range(MOST_ROWS))
    path = sheet(f"Date,Title,Dead\n{rows}2025-04-02,The last,many\n")
    with path.open("rb") as file:
        seen = look(file, {})
    assert (seen.rows, seen.is_whole) == (MOST_ROWS, False)
    assert seen.columns["Title"].filled == MOST_ROWS


# --- On a terminal ------------------------------------------------------------------------


def terminal(path: Path, *arguments: str) -> pexpect.spawn:
    settings: Mapping[str, str] = environment(TERM="dumb")
    program, *rest = (*PROGRAM, "-d", str(path), *arguments)
    return pexpect.spawn(
        program,
        rest,
        env={name: value for name, value in settings.items() if name != "COLUMNS"},
        cwd=path.parent,
        dimensions=(50, 80),
        encoding="utf-8",
        timeout=30,
    )


def test_two_questions_on_a_terminal(story: Path) -> None:
    sheet(FLOOD)
    running = terminal(story, "import", "sheet", "flood.csv")
    running.expect(r"Take these columns, and the year of 2025 for 2 rows without one\? \[Y/n\]")
    shown = str(running.before)
    assert max(map(len, shown.replace("\r", "").split("\n"))) <= 80
    assert "Harvest Day" in shown
    running.sendline("")
    running.expect(r"Record the 7 rows that can be read\? \[Y/n\]")
    running.sendline("y")
    running.expect("7 recorded, 2 put aside")
    running.expect(pexpect.EOF)
    running.close()
    assert running.exitstatus == 0
    assert len(events(story)) == 7


def test_the_year_is_asked_for_if_no_row_says_it(story: Path) -> None:
    sheet("Date,Who was there?,Title\n12 Apr,Ann Reed,One\n3 May,,Two\n")
    running = terminal(story, "import", "sheet", "flood.csv")
    running.expect('No row says the year of "12 Apr": which year is it\\?')
    running.sendline("2023")
    running.expect(r"Take these columns\? \[Y/n\]")
    running.sendline("")
    running.expect("2 recorded")
    running.expect(pexpect.EOF)
    found = events(story)
    assert found["Two"]["occurred"] == "2023-05-03"
    assert found["One"]["participants"][0]["name"] == "Ann Reed"


def test_a_guess_that_is_refused_is_kept_to_be_changed(story: Path) -> None:
    sheet(FLOOD)
    running = terminal(story, "import", "sheet", "flood.csv")
    running.expect("Take these columns")
    running.sendline("n")
    running.expect("change flood.csv.map.toml")
    running.expect(pexpect.EOF)
    running.close()
    assert running.exitstatus == 1
    assert not events(story)
    assert Path("flood.csv.map.toml").is_file()


def test_the_order_of_day_and_month_is_asked_once(story: Path) -> None:
    sheet(IN_DOUBT)
    running = terminal(story, "import", "sheet", "flood.csv")
    running.expect(r'"1/4/2025": is it 1 April 2025, and not 4 January\s+2025\? \[y/N\]')
    running.sendline("y")
    running.expect("Take these columns")
    running.sendline("")
    running.expect("2 recorded")
    running.expect(pexpect.EOF)
    assert events(story)["Two"]["occurred"] == "2025-04-03"


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("flood.csv",), "timeline import sheet flood.csv"),
        (("csv", "flood.csv"), "timeline import sheet flood.csv"),
        (("Excel", "flood.xlsx"), "timeline import sheet flood.xlsx"),
        (("shet", "flood.csv"), "did you mean sheet?"),
        (("gdelt",), "timeline import gdelt FILE"),
    ],
)
def test_who_forgets_the_word_sheet_is_told_it(
    story: Path, arguments: tuple[str, ...], advice: str
) -> None:
    ended = run("-d", story, "import", *arguments)
    assert ended.exit_code == 2
    assert ended.stderr.rstrip().endswith(advice)


def test_codes_and_counts_are_no_titles_and_no_places(story: Path) -> None:
    codes = (
        "event_clarity,where_prec,type_of_violence,what,date\n"
        "1,2,3.0,Shelling of a market,2025-04-15\n2,1,1.0,Clash at a bridge,2025-04-16\n"
    )
    done("-d", story, "import", "sheet", sheet(codes), "--yes")
    found = events(story)
    assert {*found} == {"Shelling of a market", "Clash at a bridge"}
    assert all("place" not in each and "tags" not in each for each in found.values())


def test_the_files_of_publishers_are_named_with_their_command(story: Path) -> None:
    daily = "\t".join(["719024875", "20171202", *["1"] * 59]) + "\n"
    refused = run("-d", story, "import", "sheet", sheet(daily * 3, "day.csv"))
    assert one_line(refused).endswith("timeline import gdelt FILE")
    slides = "Year,Month,Headline,Text,Media,Media Credit\n1924,5,A bridge,Of stone,,\n"
    ended = run("-d", story, "import", "sheet", sheet(slides, "tl.csv"), "--dry-run")
    assert "timeline import timelinejs tl.csv" in " ".join(ended.stderr.split())
    columns = "id,side_a,side_b,country,date_start,date_end,best,low,high,title\n"
    row = "1,Army,Rebels,Syria,2013-01-03,2013-01-03,2,2,2,A clash at the gate\n"
    ended = run("-d", story, "import", "sheet", sheet(columns + row, "ged.csv"), "--dry-run")
    assert "timeline import ucdp ged.csv" in " ".join(ended.stderr.split())


def test_an_outlet_that_is_an_address_is_a_source(story: Path) -> None:
    text = "Date,Headline,Media,Media Credit\n2025-04-15,Talks,https://example.org/a,Wire\n"
    done("-d", story, "import", "sheet", sheet(text), "--yes")
    (cited,) = events(story)["Talks"]["citations"]
    with Timeline.open(story) as timeline:
        assert timeline.resolve_source("https://example.org/a") == cited["source_id"]


def test_an_outlet_without_an_address_fills_nothing(story: Path) -> None:
    text = "Date,Headline,Publisher\n2025-04-15,Talks,Daily Wire\n"
    said = done("-d", story, "import", "sheet", sheet(text), "--yes")
    assert "not taken by itself" in " ".join(said.split())
    assert "citations" not in events(story)["Talks"]


def test_a_source_without_an_address_is_called_by_its_publisher(story: Path) -> None:
    text = (
        "Date,Headline,Link,Publisher\n2025-04-15,Talks,https://example.org/a,Wire\n"
        "2025-04-16,More talks,,Daily\n"
    )
    done("-d", story, "import", "sheet", sheet(text), "--yes")
    (cited,) = events(story)["More talks"]["citations"]
    with sqlite3.connect(story) as connection:
        row = connection.execute(
            "SELECT title, publisher FROM sources WHERE source_id = ?", (cited["source_id"],)
        )
        assert row.fetchone() == ("Daily", "Daily")


def test_the_address_of_an_event_does_not_repeat_a_title_that_may_be_corrected(
    story: Path,
) -> None:
    text = "Date,Headline,Where\n2025-04-15,The dam brakes,Vale\n2025-04-16,Search begins,Vale\n"
    done("-d", story, "import", "sheet", sheet(text), "--yes")
    made = events(story)["The dam brakes"]["event_id"]
    assert re.fullmatch("flood-[a-z2-7]{12}", made)
    done("-d", story, "import", "sheet", sheet(text.replace("brakes", "breaks")))
    assert events(story)["The dam breaks"]["event_id"] == made
