"""Mappings: what each of their settings reads in the cells of a row, and what they refuse."""

from __future__ import annotations

import io
import tomllib
from typing import Any

import pytest

from timeline.errors import InvalidInput
from timeline.formats.imports import Format, LeftOut, Reading, Row
from timeline.formats.mapped.importer import importer_of
from timeline.formats.mapped.mapping import checked

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
