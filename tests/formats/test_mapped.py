"""Mappings: what each of their settings reads in the cells of a row, and what they refuse."""

from __future__ import annotations

import io
import json
import tomllib
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import InvalidInput
from timeline.formats.imports import Format, LeftOut, Reading, Row
from timeline.formats.mapped.dates import PRECISIONS, coarser
from timeline.formats.mapped.importer import importer_of
from timeline.formats.mapped.mapping import checked
from timeline.formats.mapped.templates import Template
from timeline.model import edtf as edtf_dates

FIELDS = 'scheme = "s"\nid = "no"\n{}\n[fields]\ntitle = "what"\noccurred = "day"\n'


def form(fields: str = "", settings: str = "") -> Format:
    """A mapping of the columns no, what and day, and of more."""
    return importer_of(checked(tomllib.loads(FIELDS.format(settings) + fields)))


def reading(fields: str, settings: str = "", **cells: str) -> Reading:
    return form(fields, settings).reading({"no": "1", "what": "Flood", "day": "2025-04-13"} | cells)


def rest(read: Reading) -> dict[str, Any]:
    """The fields beside the title and the date."""
    return {name: value for name, value in read.fields.items() if name not in ("title", "occurred")}


def rows_of(read_by: Format, content: str) -> list[Row]:
    found = [*read_by.read(io.BytesIO(content.encode()))]
    assert all(isinstance(row, Row) for row in found)
    return [row for row in found if isinstance(row, Row)]


def test_a_cell_that_an_event_can_do_without_is_left_out_and_told() -> None:
    fields = """
        event_type = { column = "kind", words = { Battle = "ASSAULT" } }
        "quantities.0.measure" = { value = "killed" }
        "quantities.0.value" = "dead"
        "citations.0.source.title" = "paper"
        "citations.0.source.published" = "printed"
    """
    read = reading(fields, kind="Riot", dead="several", paper="Post", printed="soon")
    assert rest(read) == {"citations": [{"source": {"title": "Post"}}]}
    assert [(each.column, each.cell) for each in read.left_out] == [
        ("kind", "Riot"), ("dead", "several"), ("printed", "soon"),
    ]  # fmt: skip
    assert read.left_out[0] == LeftOut("kind", '"Riot" is not among the words of the map', "Riot")


@pytest.mark.parametrize("cells", [{"day": "soon"}, {"what": "Riot"}])
def test_a_row_without_a_title_or_a_date_that_can_be_read_is_refused(cells: dict[str, str]) -> None:
    fields = FIELDS.format("").replace('"what"', '{ column = "what", words = { Flood = "Flood" } }')
    row = {"no": "1", "what": "Flood", "day": "2025-04-13"} | cells
    with pytest.raises(InvalidInput) as refused:
        importer_of(checked(tomllib.loads(fields))).event(row)
    assert refused.value.field == next(iter(cells))


def test_a_column_that_is_left_out_is_in_no_row() -> None:
    content = "no,what,day,desk,note\n1,Flood,2025-04-13,night,call again\n"
    (row,) = rows_of(form(settings='leave_out = ["note", "other"]'), content)
    assert row.cells == {"no": "1", "what": "Flood", "day": "2025-04-13", "desk": "night"}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ('leave_out = "note"', "leave_out: must be a list"),
        ('leave_out = ["what"]', "leave_out: has what, which the mapping uses"),
        ('encoding = "cp9999"', "encoding: must be an encoding"),
        ("encoding = 3", "encoding: must be an encoding"),
        ("rows = 3", "rows: must be the name of a list"),
    ],
)
def test_a_setting_that_is_wrong_is_refused(settings: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        form(settings=settings)


def test_the_column_of_a_field_is_that_of_the_longest_path() -> None:
    fields = """
        place = { value = { name = "Sumy" } }
        "place.lat" = "latitude"
        tags = { column = "kinds", split = ";" }
        "citations.0.source.url" = "link"
    """
    mapped = form(fields)
    paths = ("place.lat", "place", "tags.1", "citations.0.source.url", "citations")
    columns = ["latitude", "place", "kinds", "link", "citations"]
    assert [mapped.column_of(path) for path in paths] == columns
    cited = form(fields + '[source]\ntitle = "The list"\n')
    assert cited.column_of("citations.1.source.url") == "link"


# --- Dates --------------------------------------------------------------------------------


def occurred(rule: str, settings: str = "", **cells: str) -> tuple[str | None, list[str]]:
    """The date that a rule reads, and the columns that it leaves out."""
    said = f'scheme = "s"\nid = "no"\n{settings}\n[fields]\ntitle = "no"\noccurred = {rule}\n'
    read = importer_of(checked(tomllib.loads(said))).reading({"no": "1"} | cells)
    return read.fields.get("occurred"), [each.column for each in read.left_out]


PARTS = '{ year = "y", month = "m", day = "d" }'


@pytest.mark.parametrize(
    ("y", "m", "d", "edtf", "left_out"),
    [
        ("1970", "7", "2", "1970-07-02", []),
        ("1970", "07", "", "1970-07", []),
        ("1970", "", "", "1970", []),
        ("1970", "0", "0", "1970", []),
        ("1970.0", "12.0", "10.0", "1970-12-10", []),
        ("1970", "July", "2", "1970-07-02", []),
        ("1970", "Sept", "NA", "1970-09", []),
        ("1970", "", "2", "1970", ["d"]),
        ("1970", "13", "2", "1970", ["m"]),
        ("1970", "2", "30", "1970-02", ["d"]),
        ("-500", "3", "15", "-0500-03-15", []),
        ("0", "3", "15", None, []),
        ("", "", "", None, []),
    ],
)
def test_a_date_by_its_parts_has_the_parts_that_are_known(
    y: str, m: str, d: str, edtf: str | None, left_out: list[str]
) -> None:
    assert occurred(PARTS, y=y, m=m, d=d) == (edtf, left_out)


def test_a_year_that_is_none_costs_the_row() -> None:
    with pytest.raises(InvalidInput, match='y: "25" is no year: write it in full'):
        occurred(PARTS, y="25", m="1", d="1")


@given(st.dates(date(1, 1, 1)), st.sampled_from([(), ("d",), ("m", "d")]))
def test_any_day_is_read_by_its_parts_in_columns_and_in_a_text(
    day: date, unknown: tuple[str, ...]
) -> None:
    cells = {"y": f"{day.year:04d}", "m": str(day.month), "d": str(day.day)}
    cells |= dict.fromkeys(unknown, "")
    said = day.isoformat()[: len(day.isoformat()) - 3 * len(unknown)]
    assert occurred(PARTS, **cells) == (said, [])
    for mark in "-/. ":
        assert occurred(f'{{ text = "{{y}}{mark}{{m}}{mark}{{d}}" }}', **cells) == (said, [])


@pytest.mark.parametrize(
    ("time", "edtf"),
    [
        ("14:30", "2025-04-13T14:30"), ("0915", "2025-04-13T09:15"), ("9h", "2025-04-13T09"),
        ("3:30 pm", "2025-04-13T15:30"), ("14:30:45", "2025-04-13T14:30:45"), ("", "2025-04-13"),
    ],
)  # fmt: skip
def test_a_time_of_day_can_stand_in_a_column_of_its_own(time: str, edtf: str) -> None:
    rules = ('{ column = "day", time = "t" }', PARTS.replace(" }", ', time = "t" }'))
    for rule in rules:
        cells = {"day": "2025-04-13", "y": "2025", "m": "4", "d": "13", "t": time}
        assert occurred(rule, **cells) == (edtf, [])


@pytest.mark.parametrize(
    "midnight",
    [
        "T00:00:00",
        "T00:00:00Z",
        "T00:00:00.000Z",
        "T00:00:00+00:00",
        " 00:00:00+00:00",
        " 00:00:00",
    ],
)
def test_a_midnight_that_a_program_adds_to_a_day_is_no_time(midnight: str) -> None:
    day = f"2025-04-13{midnight}"
    assert occurred('"day"', day=day) == ("2025-04-13", [])
    assert occurred('{ column = "day", time = "t" }', day=day, t="14:30") == (
        "2025-04-13T14:30",
        [],
    )
    assert occurred('{ start = "a", end = "b" }', a=day, b=day.replace("13", "15")) == (
        "2025-04-13/2025-04-15",
        [],
    )


@pytest.mark.parametrize(
    ("written", "edtf"),
    [
        ("2025.0", "2025"),
        ("2025-04-00", "2025-04"),
        ("2025-00-00", "2025"),
        ("2025-00", "2025"),
        ("+2025-00-00T00:00:00Z", "2025"),
        ("+2025-04-13T00:00:00Z", "2025-04-13"),
        ("2025-04-13T14:30:45.123456", "2025-04-13T14:30:45"),
        ("2025-04-13T14:30:45.123Z", "2025-04-13T14:30:45Z"),
        ("2025-04-13 14:30:45.1+03:00", "2025-04-13T14:30:45+03:00"),
    ],
)
def test_what_programs_write_beside_what_they_know_is_no_part_of_a_date(
    written: str, edtf: str
) -> None:
    assert occurred('"day"', day=written) == (edtf, [])


@pytest.mark.parametrize(
    "text", ["0000-00-00", "2025-13-00", "2025-00-13", "2025-04-13T14:30:45.x"]
)
def test_a_date_of_a_program_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        occurred('"day"', day=text)


@pytest.mark.parametrize(
    ("text", "way_out"),
    [("4/5/2025 14:30", "day_first = true, or false"), ("20250413", 'date = "%Y%m%d"')],
)
def test_a_date_that_a_setting_could_read_is_refused_with_it(text: str, way_out: str) -> None:
    with pytest.raises(InvalidInput, match=f'^day: "{text}" .*: the mapping can say {way_out}$'):
        occurred('"day"', day=text)


def test_a_midnight_that_the_mapping_means_stays_a_time() -> None:
    midnight = "2025-04-13T00:00:00Z"
    for rule in ("edtf", "%Y-%m-%dT%H:%M:%S%z"):
        found, _ = occurred(f'{{ column = "day", date = "{rule}" }}', day=midnight)
        assert found == midnight
    assert occurred('"day"', day="2025-04-13T00:00:01Z") == ("2025-04-13T00:00:01Z", [])
    assert occurred('"day"', day="2025-04-13T00:00:00+03:00")[0].endswith("+03:00")


def test_a_time_that_cannot_be_read_is_left_out_and_so_is_one_without_a_day() -> None:
    rule = '{ column = "day", time = "t" }'
    assert occurred(rule, day="2025-04-13", t="late shift") == ("2025-04-13", ["t"])
    assert occurred(rule, day="April 2025", t="14:30") == ("2025-04", ["t"])


SPAN = '{ start = "a", end = "b" }'


@pytest.mark.parametrize(
    ("a", "b", "edtf", "left_out"),
    [
        ("2025-04-15", "2025-04-17", "2025-04-15/2025-04-17", []),
        ("2025-04-15", "15 April 2025", "2025-04-15", []),
        ("2025-04-15", "", "2025-04-15", []),
        ("2025-04-15", "NULL", "2025-04-15", []),
        ("2025-04-15", "soon", "2025-04-15", ["b"]),
        ("", "2025-04-17", "/2025-04-17", []),
        ("1914", "1918", "1914/1918", []),
        ("2025-04", "2025-04-15", "2025-04/2025-04-15", []),
        ("", "", None, []),
    ],
)
def test_a_start_and_an_end_are_one_date(
    a: str, b: str, edtf: str | None, left_out: list[str]
) -> None:
    assert occurred(SPAN, a=a, b=b) == (edtf, left_out)
    if a:
        assert occurred('{ text = "{a}/{b}" }', a=a, b=b) == (edtf, left_out)


def test_an_end_before_its_start_costs_the_row() -> None:
    for rule in (SPAN, '{ text = "{a}/{b}" }'):
        with pytest.raises(InvalidInput, match="b: 2025-04-15 lies before the start, 2025-04-17"):
            occurred(rule, a="2025-04-17", b="2025-04-15")


def test_each_side_of_a_span_can_have_parts_or_patterns() -> None:
    rule = """{ start = { year = "y", month = "m" }, end = { column = "b", date = "%d.%m.%y" } }"""
    assert occurred(rule, y="1999", m="12", b="03.02.01") == ("1999-12/2001-02-03", [])
    shared = '{ start = "a", end = "b", date = "%b %Y" }'
    assert occurred(shared, a="Apr 2025", b="May 2025") == ("2025-04/2025-05", [])


PRECISE = (
    '{ column = "day", precision = "p",'
    ' precisions = { 1 = "day", 2 = "week", 3 = "month", 4 = "quarter", 5 = "year",'
    ' 6 = "decade" } }'
)


@pytest.mark.parametrize(
    ("code", "edtf"),
    [
        ("1", "2025-05-15"), ("2", "2025-05-12/2025-05-18"), ("3.0", "2025-05"), ("4", "2025-34"),
        ("5", "2025"), ("6", "202X"), ("", "2025-05-15"),
    ],
)  # fmt: skip
def test_a_column_says_how_precise_a_date_is(code: str, edtf: str) -> None:
    assert occurred(PRECISE, day="2025-05-15", p=code) == (edtf, [])
    assert edtf_dates.parse(edtf).edtf == edtf


def test_a_code_that_the_map_lacks_is_left_out_and_a_coarse_date_stays() -> None:
    assert occurred(PRECISE, day="2025-05-15", p="9") == ("2025-05-15", ["p"])
    assert occurred(PRECISE, day="May 2025", p="1") == ("2025-05", [])
    assert occurred(PRECISE, day="2025-05-30/2025-06-02", p="3") == ("2025-05/2025-06", [])
    assert occurred(PRECISE, day="2025-05-12/2025-05-20", p="3") == ("2025-05", [])
    assert occurred(PRECISE, day="2025-05-12/2025-05-20", p="2") == ("2025-05-12/2025-05-20", [])


@given(st.dates(date(2, 1, 1), date(9998, 12, 31)), st.sampled_from(PRECISIONS))
def test_a_coarser_date_holds_the_day_and_becomes_no_coarser_again(
    day: date, precision: str
) -> None:
    found = coarser(day.isoformat(), precision)
    bounds = edtf_dates.parse(found)
    assert str(bounds.occurred_from) <= day.isoformat() <= str(bounds.occurred_to)
    assert coarser(found, precision) == found
    assert coarser(day.isoformat(), "day") == day.isoformat()


PATTERNS = {"%Y": 4, "%Y-%m": 7, "%F": 10, "%FT%H": 13, "%Y-%m-%dT%H:%M": 16, "%FT%T": 19}


@given(st.datetimes(), st.sampled_from([*PATTERNS.items()]))
def test_any_time_is_read_by_a_pattern_as_far_as_the_pattern_goes(
    when: datetime, written: tuple[str, int]
) -> None:
    pattern, length = written
    said = when.isoformat(timespec="seconds")[:length]
    assert occurred(f'{{ column = "day", date = "{pattern}" }}', day=said) == (said, [])


@given(st.dates(date(1900, 1, 1), date(2000, 1, 1)), st.lists(st.integers(-180, 180), max_size=20))
def test_dates_that_lie_near_each_other_get_their_years_back(day: date, steps: list[int]) -> None:
    days = [day]
    for step in steps:
        days.append(days[-1] + timedelta(step))
    content = "no,what,day\n" + f"0,x,{day}\n"
    content += "".join(f"{n},x,{each.day} {each:%B}\n" for n, each in enumerate(days[1:], 1))
    fields = FIELDS.format("").replace('"day"', '{ column = "day", year = "order" }')
    ordered = importer_of(checked(tomllib.loads(fields)))
    found = [ordered.reading(row.cells).fields["occurred"] for row in rows_of(ordered, content)]
    assert found == [each.isoformat() for each in days]


def test_the_order_and_the_year_of_dates_can_be_said() -> None:
    assert occurred('{ column = "day", day_first = true }', day="4/12/25") == ("2025-12-04", [])
    assert occurred('{ column = "day", day_first = false }', day="4/12/25") == ("2025-04-12", [])
    rule = '{ column = "day", year = 2024, date = "%d %B" }'
    assert occurred(rule, day="13 April") == ("2024-04-13", [])
    assert occurred(rule, day="29 February") == ("2024-02-29", [])
    assert occurred('{ column = "day", year = 2024 }', day="May 6") == ("2024-05-06", [])


def test_months_are_read_in_the_language_that_the_mapping_names() -> None:
    said = 'language = "uk"'
    assert occurred('"day"', said, day="15 квітня 2025") == ("2025-04-15", [])
    rule = '{ column = "day", date = "%d %B %Y" }'
    assert occurred(rule, said, day="15 квітня 2025") == ("2025-04-15", [])


def test_a_date_without_a_year_has_that_of_the_rows_above() -> None:
    content = "no,what,day\n"
    days = ["30 Dec", "28 Dec 2024", "31 Dec", "2 Jan", "soon", "5 Mar", "2 Jan 2024", "30 Dec"]
    content += "".join(f"{number},x,{day}\n" for number, day in enumerate(days))
    fields = FIELDS.format("").replace(
        'occurred = "day"', 'occurred = { column = "day", year = "order" }'
    )
    ordered = importer_of(checked(tomllib.loads(fields)))
    found: list[str] = []
    for row in rows_of(ordered, content):
        try:
            found.append(ordered.reading(row.cells).fields["occurred"])
        except InvalidInput:
            found.append("refused")
    assert found == [
        *("refused", "2024-12-28", "2024-12-31", "2025-01-02", "refused", "2025-03-05"),
        *("2024-01-02", "2023-12-30"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "text", "edtf"),
    [
        ("%Y", "1836", "1836"),
        ("%Y", "1836.0", "1836"),
        ("%b %Y", "Apr 2025", "2025-04"),
        ("%d.%m.%y", "13.04.25", "2025-04-13"),
        ("%H:%M:%S %d.%m.%Y", "14:30:45 13.04.2025", "2025-04-13T14:30:45"),
        ("%Y-%m-%d %Hh", "2025-04-13 9h", "2025-04-13T09"),
        ("%d %b %Y %H:%M %z", "13 Apr 2025 14:30 +0300", "2025-04-13T14:30+03:00"),
        ("%F %T.%f", "2025-04-13 14:30:45.120", "2025-04-13T14:30:45"),
        ("%j/%Y", "103/2025", "2025-04-13"),
        ("%G-W%V-%u", "2025-W15-7", "2025-04-13"),
        ("%-d %B %Y", "3 April 2025", "2025-04-03"),
    ],
)
def test_a_pattern_reads_what_it_has_and_invents_nothing(
    pattern: str, text: str, edtf: str
) -> None:
    rule = f'{{ column = "day", date = ["%m/%d/%Y", "{pattern}"] }}'
    assert occurred(rule, day=text) == (edtf, [])


@pytest.mark.parametrize(
    ("count", "text", "edtf"),
    [
        ("epoch", "1744554645", "2025-04-13T14:30:45Z"),
        ("epoch", "1744554645.9", "2025-04-13T14:30:45Z"),
        ("epoch", "1.7445888e+09", "2025-04-14"),
        ("epoch", "-1", "1969-12-31T23:59:59Z"),
        ("epoch_ms", "1744554645120", "2025-04-13T14:30:45Z"),
        ("epoch_ms", "-631152000000", "1950-01-01"),
        ("epoch_ms", "-1", "1969-12-31T23:59:59Z"),
        ("epoch", "-62135596800", "0001-01-01"),
    ],
)
def test_a_count_of_seconds_since_1970_is_a_date_if_the_mapping_says_so(
    count: str, text: str, edtf: str
) -> None:
    rule = f'{{ column = "day", date = ["%d.%m.%Y", "{count}"] }}'
    assert occurred(rule, day=text) == (edtf, [])
    assert occurred(rule, day="13.04.2025") == ("2025-04-13", [])


@pytest.mark.parametrize(
    ("text", "count"), [("1744554645", "epoch"), ("-631152000000", "epoch_ms")]
)
def test_a_count_that_the_mapping_does_not_know_is_refused_with_what_to_say(
    text: str, count: str
) -> None:
    with pytest.raises(InvalidInput, match=f'can say date = "{count}", if'):
        occurred('"day"', day=text)
    with pytest.raises(InvalidInput, match="lies outside the years 1 to 9999"):
        occurred('{ column = "day", date = "epoch" }', day="99999999999999")


@pytest.mark.parametrize(
    ("text", "problem"), [("13 April", "has no year"), ("31.04.2025", "is no day of its month")]
)
def test_a_date_that_fits_a_pattern_and_is_none_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        occurred('{ column = "day", date = ["%d %B", "%d.%m.%Y"] }', day=text)


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ('{ column = "day", date = "%U %Y" }', '"%U %Y" has a week'),
        ('{ column = "day", date = "%G-W%V" }', "has a week"),
        ('{ column = "day", date = "%d %Y" }', "has a day without a month"),
        ('{ column = "day", date = "%H:%M" }', "has a time without a day"),
        ('{ column = "day", date = "%d %b %Y %I:%M" }', "needs AM or PM"),
        ('{ column = "day", date = "%Q" }', "is no pattern of strptime"),
        ('{ column = "day", date = "date" }', "has no part of a date"),
        (
            PRECISE.replace("{ column", "{ item = 0, column", 1),
            "item: goes with a date that stands",
        ),
        ('{ column = "day", year = 0 }', "year: must be a year such as 2025"),
        ('{ column = "day", day_first = "yes" }', "day_first: must be true or false"),
        ('{ column = "day", month = "m" }', "month: goes with year, and without column"),
        ('{ month = "m" }', "must have one of column"),
        ('{ year = "y", day = "d" }', "month: is required with day"),
        ('{ start = "a" }', "end: is required"),
        ('{ start = "a", end = { columm = "b" } }', "end.columm: is not a setting: did you mean"),
        ('{ column = "day", precision = "p" }', "precisions: must say what each code means"),
        (PRECISE.replace('"decade"', '"age"'), "precisions.6: must be one of day, week"),
    ],
)
def test_a_rule_of_a_date_that_is_wrong_is_refused(rule: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        occurred(rule)


def test_a_date_can_have_words_for_some_cells_and_for_empty_ones() -> None:
    rule = '{ column = "day", words = { tbc = "unknown", "" = "2025" } }'
    assert occurred(rule, day="tbc") == ("../..", [])
    assert occurred(rule, day="") == ("2025", [])
    assert occurred(rule, day="5 May 2025") == ("2025-05-05", [])


def test_the_year_of_a_date_can_stand_in_a_column_of_its_own() -> None:
    rule = '{ column = "day", year = "y" }'
    assert occurred(rule, day="7 May", y="1998.0") == ("1998-05-07", [])
    assert occurred(rule, day="7 May 1999", y="1998") == ("1999-05-07", [])
    with pytest.raises(InvalidInput, match="has no year"):
        occurred(rule, day="7 May", y="")


@pytest.mark.parametrize(
    ("patterns", "edtf"),
    [('"%d/%m/%Y %H:%M"', "2025-05-04"), ('"%m/%d/%Y"', "2025-04-05"), ('"%d.%m.%Y"', None)],
)
def test_a_pattern_also_says_the_order_of_days_that_are_written_otherwise(
    patterns: str, edtf: str | None
) -> None:
    rule = f'{{ column = "day", date = {patterns} }}'
    if edtf:
        assert occurred(rule, day="4/5/25") == (edtf, [])
    else:
        with pytest.raises(InvalidInput, match="can be read as"):
            occurred(rule, day="4/5/25")


# --- Nothing, texts and lists -------------------------------------------------------------


def test_marks_of_nothing_fill_no_field_and_stand_in_no_text() -> None:
    fields = """
        summary = { text = "{kind} ({town}): {note}" }
        "place.name" = "town"
        "place.country" = "country"
        tags = { column = "kinds", split = ";" }
        "participants.0.name" = "who"
        "quantities.0.measure" = { value = "killed" }
        "quantities.0.value" = "dead"
    """
    cells = {"kind": "March", "note": "-", "kinds": "NA;crowd", "who": "NULL", "dead": "NA"}
    read = reading(fields, **cells, town="N/A", country="NA")
    expected = {"summary": "March", "place": {"country": "NA"}, "tags": ["crowd"]}
    assert (rest(read), read.left_out) == (expected, ())
    said = reading(fields, 'nothing = ["NA", "none"]', **cells, town="none", country="NA")
    expected = {"summary": "March: -", "tags": ["crowd"], "participants": [{"name": "NULL"}]}
    assert rest(said) == expected


@pytest.mark.parametrize(
    ("text", "cells", "filled"),
    [
        ("{a}: {b}", {"b": "Sumy"}, "Sumy"),
        ("{a}: {b}", {"a": "Strike"}, "Strike"),
        ("{a} ({b})", {"a": "Strike"}, "Strike"),
        ("{a} in {b} ({c} dead)", {"a": "Strike", "b": "Sumy"}, "Strike in Sumy"),
        ("{a}, {b}, {c}", {"a": "1", "c": "3"}, "1, 3"),
        ("{a} in {b}", {"a": "Strike"}, "Strike"),
        ("Attack in {a} by {b}", {"b": "Army"}, "Attack in by Army"),
        ("{a} - {b}", {"a": "x - y:", "b": "(z)"}, "x - y: - (z)"),
        ("Attack on {a}", {}, ""),
    ],
)
def test_the_marks_beside_an_empty_cell_of_a_text_go_with_it(
    text: str, cells: dict[str, str], filled: str
) -> None:
    assert Template(text).filled(lambda column: cells.get(column, "")) == filled


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=2, max_size=5))
def test_a_text_of_filled_cells_is_as_it_is_written(cells: list[str]) -> None:
    text = ", ".join(f"{{{number}}}" for number in range(len(cells)))
    assert Template(text).filled(lambda column: cells[int(column)]) == ", ".join(cells)


@pytest.mark.parametrize(
    "rule",
    [
        'participants = { column = "who", split = ";" }',
        'participants = { column = "who", split = [";", "|"] }',
        'participants = { column = "who", split = "names" }',
        '"participants.0.name" = { column = "who", split = ";" }',
        '"participants.0" = { column = "who", split = ";" }',
    ],
)
def test_the_items_of_a_cell_are_participants(rule: str) -> None:
    read = reading(rule, who="Students (Mali); Labour Group (Mali);")
    assert rest(read) == {
        "participants": [{"name": "Students (Mali)"}, {"name": "Labour Group (Mali)"}]
    }


def test_a_line_break_in_a_cell_is_a_blank_but_in_texts_of_several_lines() -> None:
    fields = """
        summary = "note"
        "place.name" = "town"
        participants = { column = "who", split = ";" }
    """
    read = reading(fields, note="a\nb", town="Kessel\nPoint", who="Port\nAuthority; B", what="x\ty")
    assert read.fields["title"] == "x y"
    assert rest(read) == {
        "summary": "a\nb",
        "place": {"name": "Kessel Point"},
        "participants": [{"name": "Port Authority"}, {"name": "B"}],
    }


def test_several_columns_can_fill_one_list_with_roles() -> None:
    fields = """
        participants = [{ column = "from" }, { column = "to", split = ";", role = "recipient" }]
        "participants.0.name" = { value = "Registrar" }
        tags = [{ column = "kind" }, { column = "kinds", split = "," }]
    """
    cells = {"from": "Norland", "to": "A;B", "kind": "aid", "kinds": "Aid,loan,,grain"}
    assert rest(reading(fields, **cells)) == {
        "participants": [
            {"name": "Registrar"},
            {"name": "Norland"},
            {"name": "A", "role": "recipient"},
            {"name": "B", "role": "recipient"},
        ],
        "tags": ["aid", "Aid", "loan", "grain"],
    }
    assert form(fields).column_of("participants.3.name") == "to"
    named = 'participants = [{ column = "from" }, { value = "Registrar", role = "host" }]'
    assert rest(reading(named, **{"from": "NA"})) == {
        "participants": [{"name": "Registrar", "role": "host"}]
    }
    whole = (
        'participants = { value = [{ name = "Registrar" }] }\nplace = { value = { name = "Port" } }'
    )
    assert rest(reading(whole)) == {
        "participants": [{"name": "Registrar"}], "place": {"name": "Port"},
    }  # fmt: skip


def test_lists_that_stand_side_by_side_make_objects_together() -> None:
    fields = """
        "citations.0.source.url" = { column = "links", split = " " }
        "citations.0.source.title" = { column = "titles", split = "|" }
    """
    read = reading(fields, links="https://a.example https://b.example", titles="One|Two")
    sources = [
        {"url": "https://a.example", "title": "One"},
        {"url": "https://b.example", "title": "Two"},
    ]
    assert rest(read) == {"citations": [{"source": source} for source in sources]}
    uneven = reading(fields, links="https://a.example https://b.example", titles="One")
    assert [each.problem for each in uneven.left_out] == ["has 1 items where links has 2"]
    assert [each["source"] for each in uneven.fields["citations"]] == [
        {"url": "https://a.example"}, {"url": "https://b.example"},
    ]  # fmt: skip


def test_one_item_of_a_list_can_be_taken() -> None:
    fields = """
        tags = { column = "kinds", split = ";", item = 1 }
        "participants.0.name" = { column = "who", split = ";", item = 0 }
        "place.name" = { column = "where", split = "/", item = 2 }
    """
    read = reading(fields, kinds="a; b; c", who="Registrar;Clerk", where="Port / Hill")
    assert rest(read) == {"tags": ["b"], "participants": [{"name": "Registrar"}]}


def test_one_date_of_a_list_can_be_taken() -> None:
    days = {"days.0": "2025-04-13", "days.1": "2025-04"}
    for rule in ('{ column = "days", item = 1 }', '{ column = "days", item = 1, date = "%Y-%m" }'):
        assert occurred(rule, **days) == ("2025-04", [])
    assert occurred('{ column = "days", item = 0 }', days="13 April 2025") == ("2025-04-13", [])


def test_citations_are_addresses_or_titles() -> None:
    cells = {"Link": "https://a.example/1 https://b.example/2", "paper": "Evening Wire"}
    fields = 'citations = [{ column = "Link", split = "links" }, { column = "paper" }]'
    assert [each["source"] for each in reading(fields, **cells).fields["citations"]] == [
        {"url": "https://a.example/1"},
        {"url": "https://b.example/2"},
        {"title": "Evening Wire"},
    ]


def test_paths_need_no_quotes_and_texts_no_table() -> None:
    fields = """
        place.name = "town"
        place.country = { column = "country" }
        quantities.0.measure.value = "killed"
        quantities.0 .value = "dead"
        summary = "{kind} in {town}"
        participants.1 = { name = "who", role = { value = "host" } }
        participants.0.name = "who"
    """
    read = reading(fields, town="Port", country="Chad", dead="3", kind="Raid", who="Registrar")
    assert rest(read) == {
        "place": {"name": "Port", "country": "Chad"},
        "quantities": [{"measure": "killed", "value": "3"}],
        "summary": "Raid in Port",
        "participants": [{"name": "Registrar"}, {"name": "Registrar", "role": "host"}],
    }
    with pytest.raises(InvalidInput, match=r"place\.nmae: is no field .*: did you mean name"):
        form('place.name = "a"\nplace.nmae = "b"')


def test_a_code_is_a_word_also_as_pandas_writes_it() -> None:
    fields = 'event_type = { column = "kind", words = { 1 = "AID" } }'
    assert rest(reading(fields, kind="1.0")) == {"event_type": "AID"}


@pytest.mark.parametrize("cell", ['["school", "hospital"]', "['school', 'hospital']"])
def test_a_list_in_brackets_is_a_list(cell: str) -> None:
    fields = 'tags = "kinds"\nparticipants = "kinds"\nsummary = "kinds"\n'
    read = reading(fields, kinds=cell)
    assert read.fields["tags"] == ["school", "hospital"]
    assert [each["name"] for each in read.fields["participants"]] == ["school", "hospital"]
    assert read.fields["summary"] == cell


def test_a_list_of_json_is_found_by_its_name() -> None:
    fields = """
        tags = "kinds"
        citations = "sources.path"
        summary = "kinds"
        "place.name" = { column = "where", item = 0 }
        "about_place.name" = { column = "where", item = 1 }
    """
    content = {
        "no": 1, "what": "Raid", "day": "2025-04-13", "kinds": ["school", "clinic"],
        "sources": [{"path": "https://a.example"}, {"path": "https://b.example", "note": "b"}],
        "where": ["Port", "Hill"],
    }  # fmt: skip
    mapped = form(fields)
    (row,) = rows_of(mapped, json.dumps([content]))
    read = mapped.reading(row.cells)
    assert rest(read) == {
        "tags": ["school", "clinic"],
        "summary": "school, clinic",
        "citations": [
            {"source": {"url": "https://a.example"}}, {"source": {"url": "https://b.example"}},
        ],
        "place": {"name": "Port"},
        "about_place": {"name": "Hill"},
    }  # fmt: skip
    assert mapped.column_of("citations.1.source.url") == "sources.path"


# --- Figures, conditions and patterns -----------------------------------------------------


def test_figures_that_people_wrote_are_read_with_their_measure() -> None:
    fields = """
        "quantities.0" = { column = "Dead", measure = "killed" }
        "quantities.1" = { column = "Cost", measure = "pledged", unit = "EUR" }
    """
    read = reading(fields, Dead="at least 8", Cost="1.2 million")
    assert read.fields["quantities"] == [
        {"measure": "killed", "value": "8", "qualifier": "at_least"},
        {"measure": "pledged", "value": "1200000", "qualifier": "exact", "unit": "EUR"},
    ]
    both = reading(fields, Dead="9 (CNN) / 11 (local paper)", Cost="")
    assert ("quantities" in both.fields, both.left_out[0].column) == (False, "Dead")
    comma = fields.replace('"pledged"', '"pledged", decimal = ","')
    assert reading(comma, Dead="", Cost="1.234").fields["quantities"][0]["value"] == "1234"
    (half,) = reading(fields, 'decimal = ","', Dead="2,5", Cost="").left_out
    assert half.problem.startswith('"2,5" counts people')


def test_a_number_has_the_decimal_mark_of_its_rule() -> None:
    fields = '"place.name" = "what"\n"place.lat" = "lat"\n'
    fields += '"place.lon" = { column = "lon", decimal = "," }'
    read = reading(fields, lat="50.5", lon="30,25")
    assert read.fields["place"] == {"name": "Flood", "lat": "50.5", "lon": "30.25"}
    figure = '"quantities.0.measure" = { value = "cost" }\n"quantities.0.value" = "x"\n'
    (comma,) = reading(figure, x="12,5").left_out
    assert comma.problem == '"12,5" is not a number: if its "," stands before decimals, say decimal'
    (words,) = reading(figure, x="$1,200").left_out
    assert words.problem.startswith('"$1,200" is not a number: a rule with measure reads')


def test_a_point_can_stand_in_one_cell_and_a_wrong_one_is_left_out() -> None:
    fields = '"place.name" = "what"\n"place.lat" = "point"\n'
    assert reading(fields, point="50.45N 30.52E").fields["place"]["lon"] == "30.52"
    wrong = reading(fields, point="near the river")
    assert wrong.fields["place"] == {"name": "Flood"}
    assert [(each.column, each.cell) for each in wrong.left_out] == [("point", "near the river")]


def test_a_rule_counts_only_when_columns_say_so() -> None:
    fields = """
        event_type = { value = "ASSAULT", when = { kind = ["raid", "strike"], sure = "yes" } }
        "participants.0.name" = { value = "Registrar", when = { kind = "talks" } }
        "participants.0.role" = { value = "host" }
    """
    assert rest(reading(fields, kind="raid", sure="yes")) == {"event_type": "ASSAULT"}
    assert rest(reading(fields, kind="raid", sure="no")) == {}
    assert rest(reading(fields, kind="talks", sure="")) == {
        "participants": [{"name": "Registrar", "role": "host"}]
    }


def test_only_the_rows_that_are_wanted_are_read() -> None:
    content = (
        "no,what,day,state\n1,x,2025-04-13,confirmed\n2,y,2025-04-13,rumour\n3,z,2025-04-13,\n"
    )
    mapped = form(settings='leave_out = ["state"]\nonly = { state = ["confirmed", ""] }')
    assert [row.cells["no"] for row in rows_of(mapped, content)] == ["1", "3"]


def test_a_pattern_makes_columns_of_its_groups() -> None:
    said = FIELDS.format("") + '"place.name" = "where.town"\n"place.admin1" = "where.region"\n'
    said += """[patterns]\nwhere = '^(?P<town>[^(]+)\\((?P<region>.+)\\)$'\n"""
    mapped = importer_of(checked(tomllib.loads(said)))
    (row,) = rows_of(mapped, "no,what,day,where\n1,x,2025-04-13,Kessel Point (Louisiana)\n")
    place = {"name": "Kessel Point", "admin1": "Louisiana"}
    assert mapped.reading(row.cells).fields["place"] == place
    assert "where.town" not in row.cells
    assert "place" not in mapped.reading(row.cells | {"where": "(" * 100_000}).fields


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ('tags = { column = "a", split = "" }', "tags.split: must be what is between items"),
        ('summary = { column = "a", split = ";" }', "summary.split: goes with a list"),
        ('summary = ["a", "b"]', "summary: is no list"),
        ('"place.nmae" = "a"', "place.nmae: is no field .*: did you mean name"),
        ('claims = "a"', "claims: is no text"),
        ('quantities = "a"', "quantities: must have a column and its measure"),
        ('"quantities.0.value" = { column = "a", measure = "killed" }', "goes with quantities"),
        ('summary = { column = "a", role = "host" }', "role: goes with participants"),
        ('summary = { column = "a", when = "b" }', "when: must be a table"),
        ('summary = { column = "a", item = -1 }', "item: must be the number"),
        ('summary = { column = "a", decimal = ";" }', "decimal: must be"),
        ('summary = { text = "{a}", words = { a = "b" } }', "words: goes with column"),
        ('[patterns]\na = "(?P<x"', "patterns.a: is no regular expression"),
        ('[patterns]\na = "x"', "patterns.a: has no named group"),
    ],
)
def test_a_rule_that_is_wrong_is_refused(said: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        form(said)


# --- Columns ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    ["no,what,day,land,dead\n1,x,2025-04-13,Norland,3\n", "no,what,day,land,dead\n",
     '[{"no": 1, "what": "x", "day": "2025-04-13", "land": "Norland", "dead": 3}]'],
)  # fmt: skip
def test_all_columns_that_no_row_has_are_refused_with_the_nearest(content: str) -> None:
    fields = """
        "place.country" = "lnad"
        "quantities.0.measure" = { value = "killed" }
        "quantities.0.value" = "daed"
    """
    with pytest.raises(InvalidInput) as refused:
        rows_of(form(fields), content)
    for word in ("lnad", "daed", "land", "dead"):
        assert word in str(refused.value)


def test_a_list_that_nothing_splits_refuses_the_file_once() -> None:
    content = "no,what,day,kind\n1,x,2025-04-13,\n2,y,2025-04-13,aid\n3,z,2025-04-13,aid\n"
    with pytest.raises(InvalidInput, match=r"tags: wants a list: add split .* tags\.0"):
        rows_of(form('tags = "kind"'), content)
    assert len(rows_of(form('"tags.0" = "kind"'), content)) == 3


def test_an_id_of_several_columns_may_lack_some() -> None:
    mapped = importer_of(
        checked(tomllib.loads(FIELDS.format("").replace('"no"', '["no", "what"]', 1)))
    )
    assert mapped.identify({"no": "1", "what": ""}) == "1-"
    with pytest.raises(InvalidInput, match="no: is empty, and rows are told apart by it"):
        mapped.identify({"no": "NA", "what": " "})
