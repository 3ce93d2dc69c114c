"""TimelineJS both ways: every slide goes in, and comes out as it was but for what was edited."""

from __future__ import annotations

import csv
import datetime
import html
import io
import json
import sys
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import done, one_line, run
from workbooks import xlsx

from timeline import Timeline
from timeline.errors import InvalidInput
from timeline.formats.importers.json_rows import flat
from timeline.formats.imports import Cells, Row, Unreadable, importer
from timeline.formats.timelinejs import slides
from timeline.formats.timelinejs.html import address, harmless, plain
from timeline.formats.timelinejs.round_trip import slide_again
from timeline.model.content import Event
from timeline.model.validation import validate

SHEET = """\
Year,Month,Day,Time,End Year,End Month,End Day,End Time,Display Date,Headline,Text,Media,\
Media Credit,Media Caption,Media Thumbnail,Type,Group,Background
,,,,,,,,,The bridge of Sumy,"<p class=""lead"">A hundred years.</p>",,,,,title,,https://example.org/river.jpg
1924,5,3,,1926,,,,,A bridge is <i>built</i>,\
"<p>Of stone &amp; steel, says <a href=""https://example.org/a"">the paper</a>.</p>",\
https://example.org/bridge.jpg,The paper,"The <b>first</b> pier",//example.org/small.jpg,,Works,
1943,9,2,2:30 PM,,,,,,The bridge falls,"It falls after noon.
Nobody is hurt.",<blockquote>It was loud.</blockquote>,,,,,War,#220000
1943,10,,,1945,,,,,Years of the ferry,,,,,,era,,
"1,950",,,,,,,,about 1950,A new bridge,,/pictures/new.png,,,,,Works,white
-44,3,15,,,,,,,The ford,,,,,,,,
"""
STORY = {
    "title": {
        "text": {"headline": "The bridge of Sumy", "text": '<p class="lead">A hundred years.</p>'},
        "background": {"url": "https://example.org/river.jpg"},
    },
    "events": [
        {
            "start_date": {"year": "1924", "month": "5", "day": "3"},
            "end_date": {"year": "1926"},
            "text": {
                "headline": "A bridge is <i>built</i>",
                "text": "<p>Of stone &amp; steel, says"
                ' <a href="https://example.org/a">the paper</a>.</p>',
            },
            "media": {
                "url": "https://example.org/bridge.jpg",
                "credit": "The paper",
                "caption": "The <b>first</b> pier",
                "thumbnail": "//example.org/small.jpg",
            },
            "group": "Works",
        },
        {
            "start_date": {"year": 1943, "month": "09", "day": 2, "hour": 14, "minute": 30},
            "text": {
                "headline": "The bridge falls",
                "text": "It falls after noon.\nNobody is hurt.",
            },
            "media": {"url": "<blockquote>It was loud.</blockquote>"},
            "group": "War",
            "background": {"color": "#220000"},
        },
        {
            "start_date": {"year": "1950"},
            "display_date": "about 1950",
            "text": {"headline": "A new bridge"},
            "media": {"url": "/pictures/new.png"},
            "group": "Works",
            "background": {"color": "white"},
        },
        {
            "start_date": {"year": "-44", "month": "3", "day": "15"},
            "text": {"headline": "The ford"},
        },
    ],
    "eras": [
        {
            "start_date": {"year": "1943", "month": "10"},
            "end_date": {"year": "1945"},
            "text": {"headline": "Years of the ferry"},
        }
    ],
}
"""What TimelineJS 3.9 makes of that sheet."""

FORMS = pytest.mark.parametrize(
    ("name", "content"), [("bridge.csv", SHEET), ("bridge.json", json.dumps(STORY, indent=2))]
)


def as_read(value: Any, key: str = "") -> Any:
    """A timeline as TimelineJS reads it: "08", 8 and "8" are one, and what is empty is not there.

    What it takes for HTML is what a browser makes of it.
    """
    if isinstance(value, Mapping):
        inner = {name: as_read(item, name) for name, item in value.items()}
        return {name: item for name, item in inner.items() if item not in ("", {}, [], None)}
    if isinstance(value, list):
        return [as_read(item) for item in value]
    if key in (*slides.DATE_PARTS, "millisecond"):
        return int(value) if str(value).strip() else None
    if isinstance(value, str):
        return dom(value.strip()) if "<" in value or "&" in value else value.strip()
    return value


def dom(text: str) -> list[object]:
    """What a parser that is not ours finds in HTML."""
    found: list[object] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, sorted(attrs, key=str)))

        def handle_endtag(self, tag: str) -> None:
            found.append(f"/{tag}")

        def handle_data(self, data: str) -> None:
            found.append(data)

    parser = Parser()
    parser.feed(text)
    parser.close()
    return found


def rows_of(content: str | Mapping[str, Any]) -> list[Row | Unreadable]:
    written = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return [*importer("timelinejs").read(io.BytesIO(written.encode()))]


def cells_of(*events: Mapping[str, Any], **others: Any) -> list[Cells]:
    """The cells of these slides."""
    found = rows_of({"events": [*events], **others})
    assert all(isinstance(row, Row) for row in found)
    return [row.cells for row in found if isinstance(row, Row)]


def cells_of_sheet(**columns: str) -> Cells:
    """The cells of a sheet with these columns, and of one row."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerows([[name.replace("_", " ") for name in columns], [*columns.values()]])
    (row,) = rows_of(file.getvalue())
    assert isinstance(row, Row)
    return row.cells


def event_of(**slide: Any) -> dict[str, Any]:
    """What a slide says, by the fields that are given."""
    (cells,) = cells_of({"start_date": {"year": 1950}, "text": {"headline": "Talks"}, **slide})
    return importer("timelinejs").event(cells)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    done("init", "--title", "A story")
    return tmp_path


def put(name: str, content: str | Mapping[str, Any], *options: str) -> str:
    written = content if isinstance(content, str) else json.dumps(content)
    Path(name).write_text(written)
    return done("import", "timelinejs", name, *options)


def exported(*options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done("export", "timelinejs", *options))
    return found


def ids() -> dict[str, str]:
    """The id of each event by its title."""
    return {row["title"]: row["event_id"] for row in json.loads(done("list", "--json"))}


# --- In ------------------------------------------------------------------------------------


@FORMS
def test_every_slide_goes_in(folder: Path, name: str, content: str) -> None:
    assert put(name, content).startswith("6 rows: 6 recorded.")
    found = json.loads(done("export", "json"))["events"]
    by_title = {event["title"]: event for event in found}
    assert {title: event["occurred"] for title, event in by_title.items()} == {
        "The bridge of Sumy": "-0043-03-15/1950",
        "A bridge is built": "1924-05-03/1926",
        "The bridge falls": "1943-09-02T14:30",
        "Years of the ferry": "1943-10/1945",
        "A new bridge": "1950",
        "The ford": "-0043-03-15",
    }
    built = by_title["A bridge is built"]
    assert built["summary"] == "Of stone & steel, says the paper."
    assert built["tags"] == ["works"]
    assert [citation["source_id"] for citation in built["citations"]]
    assert by_title["The bridge falls"].get("citations") is None
    assert by_title["A new bridge"]["occurred_text"] == "about 1950"
    assert by_title["The bridge of Sumy"]["occurred_basis"] == "inferred"
    assert by_title["The bridge of Sumy"]["tags"] == ["title slide"]
    assert by_title["Years of the ferry"]["tags"] == ["era"]


@FORMS
def test_a_file_that_comes_again_changes_nothing(folder: Path, name: str, content: str) -> None:
    put(name, content)
    whole = ("--complete", "--reported-at", "2099-01-01")
    assert put(name, content, *whole).startswith("6 rows: 6 unchanged.")
    if name.endswith(".json"):
        shuffled = json.loads(content)
        for event in shuffled["events"]:
            event["start_date"] = {part: str(n) for part, n in event["start_date"].items()}
        assert put(name, shuffled, *whole).startswith("6 rows: 6 unchanged.")


def test_a_slide_has_one_id_in_json_and_in_a_sheet() -> None:
    identify = importer("timelinejs").identify
    of_a_sheet, of_json = (
        {identify(row.cells) for row in rows_of(content) if isinstance(row, Row)}
        for content in (SHEET, STORY)
    )
    assert of_a_sheet == of_json
    assert "a-bridge-is-built-1924-05-03" in of_json


def test_slides_of_one_name_and_date_are_told_apart() -> None:
    slide = {"start_date": {"year": "1950"}, "text": {"headline": "Talks"}}
    third = {**slide, "unique_id": "talks-1950-2"}
    identify = importer("timelinejs").identify
    found = [identify(cells) for cells in cells_of(slide, slide, third, slide)]
    assert found == ["talks-1950", "talks-1950-2", "talks-1950-2-2", "talks-1950-3"]


@pytest.mark.parametrize(
    ("start", "end", "occurred"),
    [
        ({"year": "1815"}, {}, "1815"),
        ({"year": 1815, "month": 12}, {}, "1815-12"),
        ({"year": " 1815 ", "month": "08", "day": "09"}, {}, "1815-08-09"),
        ({"year": "622", "month": "8"}, {"year": "622", "month": "9"}, "0622-08/0622-09"),
        ({"year": 2000, "month": 1, "day": 5, "hour": 6}, {}, "2000-01-05T06"),
        ({"year": 2000, "month": 1, "day": 5, "hour": "6", "minute": "05"}, {}, "2000-01-05T06:05"),
        (
            {"year": 2000, "month": 1, "day": 5, "hour": 6, "minute": 45, "second": 56},
            {"year": 2001},
            "2000-01-05T06:45:56/2001",
        ),
        # What programs fill in.
        ({"year": 2000, "month": 1, "day": 5, "hour": 0, "minute": 0}, {}, "2000-01-05"),
        (
            {"year": 2000, "month": 1, "day": 5, "hour": 6, "minute": 45, "second": 0},
            {},
            "2000-01-05T06:45",
        ),
        ({"year": "2000", "month": "", "day": "5"}, {"year": ""}, "2000"),
        ({"year": "1950"}, {"year": 1950}, "1950"),
        ({"year": "-44", "month": "3", "day": "15"}, {}, "-0043-03-15"),
        ({"year": -1}, {"year": 1}, "0000/0001"),
        ({"year": "-13800000000"}, {}, "Y-13799999999"),
        ({"year": "-538800000"}, {"year": "-3500"}, "Y-538799999/-3499"),
        ({"year": "12000", "month": "3"}, {}, "Y12000"),
    ],
)
def test_dates_are_as_precise_as_they_are_given(
    start: dict[str, Any], end: dict[str, Any], occurred: str
) -> None:
    assert event_of(start_date=start, end_date=end)["occurred"] == occurred


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ({}, {}, "start_date.year"),
        ({"year": "spring"}, {}, "start_date.year"),
        ({"year": "0"}, {}, "start_date.year"),
        ({"year": 2001, "month": 2, "day": 29}, {}, "start_date.year"),
        ({"year": 2001, "month": "May"}, {}, "start_date.month"),
        ({"year": 2001}, {"year": 2000}, "end_date.year"),
        ({"year": 2001}, {"year": 2002, "month": 13}, "end_date.year"),
    ],
)
def test_a_date_that_is_none_is_refused(
    start: dict[str, Any], end: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        event_of(start_date=start, end_date=end)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("columns", "column"),
    [
        ({"Year": "spring"}, "Year"),
        ({"Year": "2001", "Month": "May"}, "Month"),
        ({"Year": "2001", "Month": "2", "Day": "29"}, "Year"),
        ({"Year": "2001", "End_Year": "2000"}, "End Year"),
        ({"Year": "2001", "End_Year": "2002", "End_Month": "5", "End_Day": "1st"}, "End Day"),
        ({"Year": "2001", "Month": "1", "Day": "2", "Time": "noon"}, "Time"),
    ],
)
def test_what_is_wrong_in_a_sheet_is_named_by_its_column(
    columns: dict[str, str], column: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        importer("timelinejs").event(cells_of_sheet(**columns))
    assert refusal.value.field == column


@pytest.mark.parametrize(
    ("clock", "occurred"),
    [
        ("14:30", "T14:30"),
        ("2:30 PM", "T14:30"),
        ("12:05 a.m.", "T00:05"),
        ("12 pm", "T12"),
        ("0730", "T07:30"),
        ("7.30", "T07:30"),
        ("14:30:15.5", "T14:30:15"),
        ("00:00", ""),
    ],
)
def test_times_of_a_sheet_are_read_as_timelinejs_reads_them(clock: str, occurred: str) -> None:
    cells = cells_of_sheet(Year="1943", Month="9", Day="2", Time=clock, Headline="Talks")
    assert importer("timelinejs").event(cells)["occurred"] == f"1943-09-02{occurred}"


def test_the_numbers_of_a_date_may_be_written_as_pandas_writes_them() -> None:
    cells = cells_of_sheet(Year="1943.0", Month="9.0", Day="2.0", Headline="Talks")
    assert importer("timelinejs").event(cells)["occurred"] == "1943-09-02"
    with pytest.raises(InvalidInput, match="must be a whole number"):
        importer("timelinejs").event(cells_of_sheet(Year="1943.5", Headline="Talks"))


FIRST_TEMPLATE = """\
Start Date,End Date,Headline,Text,Media,Media Credit,Media Caption,Media Thumbnail,Type,Tag
,,The ferry,,,,,,start,
7/4/1931,8/1932,The first ferry,Of wood,https://example.org/ferry.jpg,The paper,At the quay,,,Boats
1944,,The ferry sinks,,,,,,,War
11/3/1944 2:05 PM,,Divers come,,,,,,,War
11/3/1944 06:30:15,-,A storm,,,,,,,
1950-06-02,1952,Years of the bridge,,,,,,era,
"""


def test_the_first_template_is_read_with_the_month_first(folder: Path) -> None:
    printed = put("ferry.csv", FIRST_TEMPLATE)
    assert printed.startswith("6 rows: 5 recorded, 1 rejected")
    found = json.loads(done("export", "json"))["events"]
    assert {event["title"]: event["occurred"] for event in found} == {
        "The ferry": "1931-07-04/1952",
        "The first ferry": "1931-07-04/1932-08",
        "The ferry sinks": "1944",
        "Divers come": "1944-11-03T14:05",
        "Years of the bridge": "1950-06-02/1952",
    }
    (first,) = (event for event in found if event["title"] == "The first ferry")
    assert first["tags"] == ["boats"]
    assert first["media"] == [
        {
            "kind": "image",
            "url": "https://example.org/ferry.jpg",
            "caption": "At the quay",
            "credit": "The paper",
        }
    ]
    with Path("ferry.csv.rejects.csv").open(newline="") as file:
        (reject,) = csv.DictReader(file)
    assert (reject["line"], reject["field"]) == ("6", "End Date")
    assert reject["reason"] == '"-" is no date: write 1924, 5/1924, or 5/3/1924 for 3 May'
    slide = next(each for each in exported()["events"] if "media" in each)
    assert as_read(slide) == {
        "start_date": {"year": 1931, "month": 7, "day": 4},
        "end_date": {"year": 1932, "month": 8},
        "text": {"headline": "The first ferry", "text": "Of wood"},
        "media": {
            "url": "https://example.org/ferry.jpg",
            "credit": "The paper",
            "caption": "At the quay",
        },
        "group": "Boats",
    }
    assert put("ferry.csv", FIRST_TEMPLATE).startswith("6 rows: 5 unchanged, 1 rejected")


@pytest.mark.parametrize(
    ("columns", "column", "problem"),
    [
        ({"Start_Date": "spring 1944"}, "Start Date", '"spring 1944" is no date: write 1924, 5/'),
        ({"Start_Date": "23/5/1924"}, "Start Date", '"23/5/1924" has no such month: the month'),
        ({"Start_Date": "5/3/24"}, "Start Date", '"5/3/24" has a year of two digits: write all'),
        ({"Start_Date": "5.3.1924"}, "Start Date", '"5.3.1924" is no date'),
        ({"Start_Date": "5/3/1924 noon"}, "Start Date", "must be a time such as 14:30"),
        ({"Start_Date": "2/30/1924"}, "Start Date", ""),
        ({"Start_Date": "0"}, "Start Date", "is 0, a year that never was"),
        ({"Start_Date": "1924", "End_Date": "1923"}, "End Date", ""),
        ({"Start_Date": "", "End_Date": "1923"}, "Start Date", "has no year: this slide has no"),
        ({"year": "1924", "month": "May"}, "Month", "must be a whole number"),
    ],
)
def test_what_is_wrong_in_a_date_of_the_first_template_is_said(
    columns: dict[str, str], column: str, problem: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        importer("timelinejs").event(cells_of_sheet(**columns, Headline="The ferry"))
    assert refusal.value.field == column
    assert refusal.value.problem.startswith(problem)


def test_columns_may_be_in_any_case() -> None:
    header, rest = SHEET.split("\n", 1)
    for variant in (header.lower(), header.upper(), header.lower().replace(" ", "_")):
        assert rows_of(f"{variant}\n{rest}") == rows_of(SHEET)
    twice = rows_of("Year,year,HEADLINE\n1950,1960,The ferry\n")
    assert isinstance(twice[0], Row)
    assert twice[0].cells["year"] == "1960"
    assert importer("timelinejs").event(twice[0].cells)["occurred"] == "1950"


def test_words_for_the_blind_become_those_of_the_medium_and_come_back(folder: Path) -> None:
    put("ferry.csv", "year,headline,media,alt text\n1931,Ferry,https://a.example/b.png,A boat\n")
    medium = {"url": "https://a.example/b.png", "alt": "A boat"}
    (found,) = json.loads(done("export", "json"))["events"]
    assert found["media"] == [{"kind": "image", **medium}]
    assert exported()["events"][0]["media"] == medium


def test_a_workbook_is_read_as_its_sheet_is(folder: Path) -> None:
    rows = [*csv.reader(io.StringIO(SHEET, newline=""))]
    told = [*importer("timelinejs").read(io.BytesIO(xlsx({"Sheet1": rows})))]
    read = [row for row in rows_of(SHEET) if isinstance(row, Row)]
    assert [row.cells for row in told if isinstance(row, Row)] == [row.cells for row in read]
    typed = [
        ["start date", "HEADLINE"],
        [datetime.date(1944, 11, 3), "A storm"],
        [1950, "Calm"],
    ]
    Path("typed.xlsx").write_bytes(xlsx({"Slides": typed, "Notes": [["a", "b"], ["c", "d"]]}))
    result = run("import", "timelinejs", "typed.xlsx")
    assert result.stdout.startswith("2 rows: 2 recorded.")
    assert 'read from the sheet "Slides"; "Notes" is not read' in result.stderr
    found = json.loads(done("export", "json"))["events"]
    assert [event["occurred"] for event in found] == ["1944-11-03", "1950"]


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("Yaer,Headline\n1950,The ferry\n", '; did you mean "Yaer"?'),
        ("Startdate,Headline\n1950,The ferry\n", '; did you mean "Startdate"?'),
        ("day,note\n", ""),
    ],
)
def test_a_sheet_of_neither_template_is_refused(folder: Path, content: str, hint: str) -> None:
    Path("file.csv").write_text(content)
    assert one_line(run("import", "timelinejs", "file.csv")) == (
        'Year: is not a column of this file, nor is "Start Date", and TimelineJS needs one' + hint
    )


@pytest.mark.parametrize("clock", ["noon", "25:00", "14:75", "1:2:3:4:5"])
def test_a_time_that_is_none_is_refused(clock: str) -> None:
    cells = cells_of_sheet(Year="1943", Month="9", Day="2", Time=clock, Headline="Talks")
    with pytest.raises(InvalidInput):
        importer("timelinejs").event(cells)


def test_a_slide_without_a_date_is_rejected_with_its_line_and_the_reason(folder: Path) -> None:
    printed = put("bridge.csv", SHEET + ",,,,,,,,,No date,,,,,,,,\n,,,,,,,,,,,,,,,,,\n")
    assert "6 recorded, 1 rejected" in printed.splitlines()[0]
    with Path("bridge.csv.rejects.csv").open(newline="") as file:
        (reject,) = csv.DictReader(file)
    assert (reject["line"], reject["field"]) == ("9", "Year")
    assert reject["reason"] == "has no year: this slide has no date"


def test_what_is_wrong_with_a_slide_of_json_stays_its_own() -> None:
    text = (
        '{"events": [\n{"start_date": {"year": 1950}, "text": {"headline": "Talks"}},\n'
        '7,\n{"group": "a",\n "group": "b"}\n],\n"title": null}'
    )
    talks, seven, twice = rows_of(text)
    assert isinstance(talks, Row)
    assert talks.line == 2
    assert seven == Unreadable(3, "", "is no object with fields")
    assert isinstance(twice, Unreadable)
    assert (twice.line, twice.reason) == (4, 'has the key "group" twice')


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty"),
        ("<!doctype html>", "web page"),
        ("title,count\na good day,5\n", "Year: is not a column"),
        ("[]", "events: must be the list"),
        ('{"timeline": {"date": []}}', "events: must be the list"),
        ('{"events": [}', "is not JSON"),
        ('{"events": []} {}', "more behind the end"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_timeline_is_refused(folder: Path, content: str, problem: str) -> None:
    Path("file").write_text(content)
    assert problem in one_line(run("import", "timelinejs", "file"))


def test_a_mapping_goes_with_another_format() -> None:
    with pytest.raises(InvalidInput, match="mapped"):
        importer("timelinejs", Path("map.toml"))


def test_a_spreadsheet_may_part_its_cells_otherwise() -> None:
    file = io.StringIO()
    csv.writer(file, delimiter=";").writerows(csv.reader(io.StringIO(SHEET, newline="")))
    assert [row[1] for row in rows_of(file.getvalue())] == [row[1] for row in rows_of(SHEET)]


def test_a_second_title_of_a_sheet_is_an_event_as_in_timelinejs() -> None:
    title = "1950,,,,,,,,,Another,,,,,,title,,\n"
    parts = [row.cells["file.part"] for row in rows_of(SHEET + title) if isinstance(row, Row)]
    assert parts == ["title", "event", "event", "era", "event", "event", "event"]


def test_a_title_alone_has_no_date() -> None:
    (cells,) = cells_of(title={"text": {"headline": "Nothing yet"}})
    with pytest.raises(InvalidInput, match="no slide has a date"):
        importer("timelinejs").event(cells)


@pytest.mark.parametrize(
    ("slide", "title"),
    [
        ({"text": {"headline": "Two<br/>lines &amp; <b>more</b>"}}, "Two lines & more"),
        ({"text": {"headline": "", "text": "<p>The text.</p>"}}, "The text."),
        (
            {"text": {}, "media": {"url": "https://a.org/b", "caption": "A <i>bridge</i>"}},
            "A bridge",
        ),
        ({"text": {}, "media": {"url": "https://a.org/b"}}, "https://a.org/b"),
        ({"text": {}}, "Slide"),
        ({"text": {"headline": "long " * 200}}, "long " * 99 + "long…"),
    ],
)
def test_a_slide_has_a_title_even_without_a_headline(slide: dict[str, Any], title: str) -> None:
    assert event_of(**slide)["title"] == title


def test_a_location_is_a_place_and_what_is_none_is_left_to_the_cells() -> None:
    location = {"name": "Sumy", "lat": 50.91, "lon": "34.8", "zoom": 12, "line": True}
    place = event_of(location=location)["place"]
    assert place == {"name": "Sumy", "lat": "50.91", "lon": "34.8"}
    assert event_of(location={**location, "lat": "91"})["place"] == {"name": "Sumy"}
    assert "place" not in event_of(location={"lat": "here", "lon": None})


@pytest.mark.parametrize("url", ["//example.org/a.jpg", "/a.jpg", "javascript:alert(1)", "<b>"])
def test_media_are_cited_only_by_an_address_on_the_web(url: str) -> None:
    assert "citations" not in event_of(media={"url": url})
    cited = event_of(media={"url": "https://example.org/a", "caption": "A"})["citations"]
    assert cited == [{"source": {"url": "https://example.org/a"}}]


# --- Out -----------------------------------------------------------------------------------


@FORMS
def test_what_went_in_comes_out(folder: Path, name: str, content: str) -> None:
    put(name, content)
    assert as_read(exported()) == as_read({**STORY, "scale": "human"})


@FORMS
def test_who_moves_in_edits_and_moves_out_has_the_file_but_for_the_edits(
    folder: Path, name: str, content: str
) -> None:
    put(name, content)
    known = ids()
    done(
        *("correct", known["A bridge is built"], "--reason", "The paper says so"),
        *("--set", "title=A bridge & a <toll> house are built"),
    )
    done("correct", known["A new bridge"], "--set", "occurred=May 1951", "--reason", "A slip")
    done("update", known["The bridge falls"], "--set", "summary=One was hurt.\nNobody died.")
    done("update", known["The ford"], "--set", "occurred_text=the Ides of March")
    done("retract", known["Years of the ferry"], "--reason", "No such years")
    done("append", "--title", "A third bridge", "--occurred", "2001-06", "--id", "third")
    events = json.loads(json.dumps(STORY["events"]))
    events[0]["text"]["headline"] = "A bridge &amp; a &lt;toll&gt; house are built"
    events[1]["text"]["text"] = "<p>One was hurt.<br/>Nobody died.</p>"
    events[2] |= {
        "start_date": {"year": 1951, "month": 5, "day": 1},
        "end_date": {"year": 1951, "month": 5, "day": 31},
        "display_date": "May 1951",
    }
    events[3]["display_date"] = "the Ides of March"
    third = {
        "unique_id": "third",
        "start_date": {"year": 2001, "month": 6, "day": 1},
        "end_date": {"year": 2001, "month": 6, "day": 30},
        "display_date": "June 2001",
        "text": {"headline": "A third bridge", "text": "<p>June 2001</p>"},
        "autolink": False,
    }
    expected = {"title": STORY["title"], "events": [*events, third], "scale": "human"}
    assert as_read(exported()) == as_read(expected)


def test_fields_that_only_json_has_come_out_again(folder: Path) -> None:
    slide = {
        "unique_id": "Talks 1",
        "start_date": {"year": "1950", "format": "yyyy", "hour": 0, "display_date": "then"},
        "text": {"headline": "true", "text": "false"},
        "media": {"url": "https://example.org/a'b.jpg", "alt": "AT&T <here>", "link": "/there"},
        "background": {"text_background": True, "opacity": 50},
        "autolink": False,
        "own": {"list": ["a", {"b": "c"}], "a.b": "d"},
        "own.list": "e",
    }
    put("file.json", {"events": [slide], "scale": "cosmological", "eras": []})
    again = exported()
    (found,) = again["events"]
    assert again["scale"] == "cosmological"
    assert "title" not in again
    slide["start_date"].pop("hour")
    found["start_date"].pop("hour")
    slide["media"]["url"] = "https://example.org/a%27b.jpg"
    slide["background"]["opacity"] = "50"
    slide["own"]["a"] = {"b": slide["own"].pop("a.b")}
    assert found == slide


def test_a_slide_without_a_date_in_the_file_stands_where_its_dates_are(folder: Path) -> None:
    """Two files in one log: a timeline has one title."""
    put("one.json", STORY)
    put("two.json", {"events": [STORY["events"][0]], "title": {"text": {"headline": "Second"}}})
    again = exported()
    assert again["title"]["text"]["headline"] == "The bridge of Sumy"
    second = again["events"][-1]
    assert second["text"] == {"headline": "Second"}
    assert (second["start_date"]["year"], second["end_date"]["year"]) == (1924, 1926)


def test_an_era_keeps_an_end(folder: Path) -> None:
    put("file.json", STORY)
    key = ids()["Years of the ferry"]
    done("correct", key, "--set", "occurred=1944-02-03", "--reason", "A day")
    (era,) = exported()["eras"]
    assert era["start_date"] == era["end_date"] == {"year": 1944, "month": 2, "day": 3}


def test_a_group_follows_its_tag(folder: Path) -> None:
    put("file.json", STORY)
    known = ids()
    done("update", known["A bridge is built"], "--set", "tags.0=masonry")
    done("update", known["A new bridge"], "--set", "tags.-=masonry")
    done("correct", known["The bridge falls"], "--set", "tags=", "--reason", "None")
    groups = {each["text"]["headline"]: each.get("group") for each in exported()["events"]}
    assert groups["A bridge is <i>built</i>"] == "masonry"
    assert groups["A new bridge"] == "Works"
    assert groups["The bridge falls"] is None


def test_a_slide_that_is_retracted_says_so(folder: Path) -> None:
    put("file.json", STORY)
    done("retract", ids()["The bridge falls"], "--reason", "Another bridge")
    (slide,) = exported("--state", "retracted")["events"]
    assert "RETRACTED" in slide["text"]["text"]
    assert "It falls after noon." in slide["text"]["text"]


def test_cells_that_cannot_have_come_from_a_slide_make_no_slide(folder: Path) -> None:
    with Timeline.open(Path("timeline.db")) as timeline:
        for number, cells in enumerate(({"own": "x"}, {"Year": "1950", "Time": "noon"})):
            event = {"title": "Talks", "occurred": "1950", "extra": {"timelinejs": cells}}
            timeline.record({**event, "event_id": f"e-{number}"})
    again = exported()
    assert [slide["unique_id"] for slide in again["events"]] == ["e-0", "e-1"]
    assert again["title"]["text"]["headline"] == "A story"


HOSTILE = {
    "start_date": {"year": "1950", "format": "<img src=x onerror=alert(1)>"},
    "display_date": "&lt;img src=x onerror=alert(1)&gt;",
    "group": "<b>&lt;svg onload=alert(1)&gt;</b>",
    "text": {
        "headline": "<script>alert(1)</script>Talks<img src=x onerror=alert(1)>",
        "text": '<a href="java\nscript:alert(1)" onclick=alert(1)>a</a><svg/onload=alert(1)>'
        '<iframe srcdoc="<script>alert(1)</script>"></iframe><style>*{}</style><![x>'
        '<form action=https://e.org><p style="background:url(https://e.org)">b',
    },
    "media": {
        "url": "javascript&colon;alert(1)//.pdf",
        "link": " JavaScript:alert(1)",
        "thumbnail": "data:text/html,<script>alert(1)</script>",
        "icon": "https://e.org/documentcloud.org/script.js",
        "caption_alternate": "<img src='https://e.org/a' onload=alert(1)>",
    },
    "background": {"url": "https://e.org/'><script>alert(1)</script>.pdf"},
}


def strings(value: Any, key: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for name, item in value.items() for pair in strings(item, name)]
    if isinstance(value, list):
        return [pair for item in value for pair in strings(item, key)]
    return [(key, value)] if isinstance(value, str) else []


def check_harmless(text: str) -> None:
    for part in dom(text):
        if isinstance(part, tuple):
            tag, attributes = part
            assert tag in SHOWN
            for name, value in attributes:
                assert name in {"href", "src", "alt", "class", "dir", "height", "lang", "target",
                                "title", "width"}  # fmt: skip
                if name in ("href", "src"):
                    check_address(value or "")


def check_address(url: str) -> None:
    for reading in (url, html.unescape(url)):
        scheme = reading.strip().partition(":")[0].lower()
        assert ":" not in reading or not scheme.isalpha() or scheme in ("http", "https", "mailto")
    assert not set(url) & set("\"'<>` \t\n\\")


SHOWN = set(
    "a abbr b blockquote br cite code dd del div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i"  # noqa: SIM905
    " iframe img ins kbd li ol p pre q s small span strong sub sup table tbody td tfoot th thead"
    " tr u ul".split()
)


def test_a_publisher_s_file_runs_nothing_when_it_comes_out(folder: Path) -> None:
    put("file.json", {"events": [HOSTILE], "title": {"text": HOSTILE["text"]}})
    text = done("export", "timelinejs")
    assert "<" not in text
    again = json.loads(text)
    for key, value in strings(again):
        if key in ("url", "link", "thumbnail"):
            check_address(value)
        else:
            check_harmless(value)
            if key in ("display_date", "group", "format"):
                check_harmless(html.unescape(value))
                assert "<" not in html.unescape(value)
    (slide,) = again["events"]
    assert slide["text"]["headline"] == 'Talks<img src="x">'
    assert slide["media"].keys() == {"url", "caption_alternate"}
    assert slide["media"]["url"] == ""
    assert slide["background"]["url"].startswith("https://e.org/%27%3E%3Cscript%3E")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("<blockquote>It's loud</blockquote>", "<blockquote>It&#x27;s loud</blockquote>"),
        ("<iframe src='//e.org/a'>x</iframe>", '<iframe src="//e.org/a"></iframe>'),
        ("<iframe src='/a'></iframe>", None),
        ("<svg>javascript:alert(1)</svg>", None),
        ("https://www.documentcloud.org/documents/1.html",) * 2,
        ("https://e.org/www.documentcloud.org/1.js", None),
        ("data:image/png;base64,AAAA", None),
        ("pictures/a b.png", "pictures/a%20b.png"),
    ],
)
def test_media_come_out_if_they_are_harmless(folder: Path, url: str, shown: str | None) -> None:
    slide = {"start_date": {"year": 1950}, "text": {"headline": "A"}, "media": {"url": url}}
    put("file.json", {"events": [slide]})
    assert exported()["events"][0].get("media", {}).get("url") == shown


def test_media_without_an_address_keep_an_empty_one(folder: Path) -> None:
    """TimelineJS fails as a whole where it finds none."""
    slide = {"start_date": {"year": 1950}, "media": {"url": "", "caption": "A bridge"}}
    put("file.json", {"events": [slide]})
    assert exported()["events"][0]["media"] == {"url": "", "caption": "A bridge"}


@given(st.text(alphabet=st.sampled_from("<>/!-[]&;:'\"= \n\tabijoprst123#\x00"), max_size=60))
def test_whatever_is_written_comes_out_harmless(text: str) -> None:
    once = harmless(text)
    check_harmless(once)
    check_address(address(text))
    assert harmless(once) == once


HIDDEN_SCRIPTS = [
    "<svg><style><!--</style><img src=x onerror=P()>-->",
    '<svg></p><style><a id="</style><img src=x onerror=P()>">',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x'
    ' onerror=P()&gt;">',
    "<math><annotation-xml encoding='text/html'><style><img src=x onerror=P()></style>",
    '<form><math><mtext></form><form><mglyph><svg><mtext><style><path id="</style><img src'
    ' onerror=P()>">',
    "<svg><a><set attributeName=href to=javascript:P()></set><text>x</text></a></svg>",
    '<noscript><p title="</noscript><img src=x onerror=P()>">',
    "<textarea><img src=x onerror=P()></textarea><xmp><img src=x onerror=P()></xmp>",
    "<template><img src=x onerror=P()></template><noembed><img src=x onerror=P()></noembed>",
    "<iframe src=//e.org><!--</iframe><img src=x onerror=P()>-->",
    "<iframe src=//e.org title='</iframe><img src=x onerror=P()>'><script>P()</script></iframe>",
    "<!--><img src=x onerror=P()>--><!--!><img src=x onerror=P()>",
    "<![CDATA[<img src=x onerror=P()>]]><?x <img src=x onerror=P()>?>",
    "<scr<script>ipt>P()</scr</script>ipt></p/x><img/src=x/onerror=P()>",
    "<a href='&#1;javascript:P()'>a</a><a href='java&#10;script:P()'>b</a>",
    "<a href='data:text/html,<script>P()</script>'>a</a><img src=data:text/html,x>",
    "<b style=animation-name:x onanimationstart=P()>x</b><details open ontoggle=P()>x</details>",
    "<base href='javascript:P()//'><a href=x>y</a><meta http-equiv=refresh content=0>",
    "<object data=javascript:P()></object><embed src=javascript:P()>",
]


@pytest.mark.parametrize("text", HIDDEN_SCRIPTS)
def test_a_script_that_a_parser_may_overlook_is_not_there(text: str) -> None:
    """Each works against some cleaner of HTML: what one parser takes for text, another runs."""
    once = harmless(text)
    check_harmless(once)
    check_harmless(harmless(html.unescape(once)))
    assert "<iframe" not in once or 'src="//e.org"' in once
    assert harmless(once) == once


MARKUP = st.recursive(
    st.text("ab é&<\"'", max_size=6).map(html.escape),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>",
        st.sampled_from(["b", "i", "em", "span", "div", "blockquote", 'a href="/x"', "small"]),
        st.lists(inner, max_size=3),
    ).map(lambda text: text.replace('</a href="/x">', "</a>")),
    max_leaves=8,
)


@given(MARKUP)
def test_plain_markup_shows_the_same(text: str) -> None:
    assert plain(harmless(text)) == plain(text)


@given(st.lists(st.sampled_from(["a", "b", "b c"]), max_size=4))
def test_plain_markup_without_nested_links_comes_out_as_it_is(words: list[str]) -> None:
    lines = "".join(f'<p class="x"><a href="/y"><b>{word}</b></a> &amp; é</p>' for word in words)
    assert dom(harmless(lines)) == dom(lines)


def test_tags_that_are_left_open_do_not_multiply() -> None:
    """HTML opens a tag again in every paragraph until somebody closes it."""
    opened = "".join(f"<b class={number}>" for number in range(1_000))
    text = f"<p>{opened}</p>{'<p>x &lt; y</p>' * 1_000}"
    assert harmless(text) == "<br>".join(["x &lt; y"] * 1_000)


def test_without_the_extra_html_of_a_slide_is_refused_with_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nh3", None)
    put("file.json", {"events": [{"start_date": {"year": 1950}, "text": {"headline": "A & b"}}]})
    assert exported()["events"][0]["text"]["headline"] == "A & b"
    put("file.json", {"events": [{"start_date": {"year": 1951}, "text": {"headline": "<b>A</b>"}}]})
    result = run("export", "timelinejs")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: HTML of slides is cleaned by an extra: pip install 'timeline-store[timelinejs]'\n"
    )
    result = run("publish", "site", "--static", "--url", "https://example.org/")
    assert result.exit_code == 1
    assert "pip install 'timeline-store[timelinejs]'" in one_line(result)


SLIDES = st.fixed_dictionaries(
    {"start_date": st.fixed_dictionaries({"year": st.integers(1, 9999).map(str)})},
    optional={
        "text": st.dictionaries(
            st.sampled_from(["headline", "text"]), st.text("ab é.", max_size=9)
        ),
        "media": st.dictionaries(st.sampled_from(["url", "credit"]), st.text("ab/", max_size=5)),
        "group": st.text("ab ", max_size=9),
        "display_date": st.text("ab 1", max_size=9),
        "autolink": st.booleans(),
        "own": st.recursive(
            st.text("ab", min_size=1, max_size=3),
            lambda inner: (
                st.lists(inner, min_size=1, max_size=3)
                | st.dictionaries(st.text("xyz", min_size=1, max_size=3), inner, min_size=1)
            ),
            max_leaves=6,
        ),
    },
)


NAMES = st.sampled_from(
    [
        *("start_date", "end_date", "year", "month", "day", "hour", "text", "headline", "media"),
        *("url", "location", "lat", "lon", "name", "group", "unique_id", "display_date"),
        *("background", "file.part", "file.dates", "Year", "Time", "Headline"),
    ]
)
VALUES = st.sampled_from(["", " ", "0", "12", "-44", "true", "event", "title", "a", "1950/1960"])
ANYTHING = st.dictionaries(
    NAMES,
    st.recursive(
        VALUES | st.integers(-1, 2000) | st.booleans() | st.none(),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=12,
    ),
)


@given(ANYTHING)
def test_whatever_a_slide_holds_it_is_read_or_refused_and_comes_out(slide: dict[str, Any]) -> None:
    cells = dict(flat(slide))
    try:
        said = validate(Event, slides.event(cells)).content()
        importer("timelinejs").identify({"file.part": "event", **cells})
    except InvalidInput:
        said = {"title": "Talks", "occurred": "1950"}
    event = {**said, "extra": {"timelinejs": cells}, "state": "retracted"}
    again = slide_again(event, {"start_date": {"year": 1950}}, {})
    assert again is None or "RETRACTED" in again["text"]["text"]


@given(SLIDES)
def test_cells_are_the_slide(slide: dict[str, Any]) -> None:
    assert as_read(slides.slide(dict(flat(slide)))) == as_read(slide)
