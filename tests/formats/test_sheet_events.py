"""A row and an event, both ways: what is said in cells, and what is kept though no cell says it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import InvalidCell, InvalidInput
from timeline.formats.sheet import events
from timeline.formats.sheet.cells import COLUMNS, SheetRow
from timeline.formats.sheet.events import Lookup
from timeline.model import field_paths
from timeline.model.typed_dates import VAGUE
from timeline.model.vocabulary import plover

LOOKUP = Lookup(
    plover().event_types,
    {
        "nato": {"url": "https://example.org/nato", "title": "A visit; a pledge"},
        "radio": {"url": None, "title": "Morning report"},
        "desk": {"url": None, "title": None},
    },
    {"https://example.org/nato": "A visit; a pledge"},
)
EVENT: dict[str, Any] = {
    "event_id": "odesa-visit",
    "title": "Visit to Odesa",
    "event_type": "CONSULT",
    "occurred": "2025-04-15",
    "place": {
        "name": "Odesa",
        "country": "UKR",
        "lat": "46.48",
        "lon": "30.73",
        "admin1": "Oblast",
    },
    "participants": [
        {"name": "Mark Rutte", "role": "speaker", "office": "Secretary General"},
        {"name": "A; B \\ C"},
    ],
    "tags": ["nato", "visit"],
    "contexts": ["military", "diplomatic"],
    "quantities": [
        {"measure": "killed", "value": "20", "qualifier": "more_than", "unit": "person"},
        {"measure": "pledged", "value": "20000000000", "unit": "EUR"},
        {
            "measure": "killed",
            "value": "35",
            "low": "20",
            "unit": "service member",
            "reported_by": "Mayor",
            "dated": "2025-04-14",
        },
        {"measure": "injured", "low": "10", "high": "12", "unit": "person"},
    ],
    "claims": [{"speaker": "Ministry", "stance": "denies"}],
    "citations": [
        {"source_id": "nato", "quote": "We stand by you"},
        {"source_id": "radio"},
        {"source_id": "nato", "quote": "twenty billion"},
        {"source_id": "desk"},
    ],
    "modality": "actual",
    "verification": "reported",
    "external_ids": ["gdelt:1"],
    "extra": {"csv": {"c": "x"}},
    "reported_at": "2025-04-15",
}
CELLS = events.cells(EVENT, LOOKUP)


def _row(**cells: str) -> SheetRow:
    return SheetRow(2, 2, {"id": "odesa-visit", **cells})


def _changed(row: SheetRow) -> dict[str, Any]:
    """The event after what a row of some columns says about it."""
    before = events.cells(EVENT, LOOKUP, row.cells)
    row = events.normal(row, LOOKUP, before)
    return field_paths.changed(EVENT, events.changes(row, before, EVENT, LOOKUP))


def _difference(event: dict[str, Any]) -> dict[str, Any]:
    return {field: event.get(field) for field in EVENT if event.get(field) != EVENT[field]}


def test_an_event_in_cells() -> None:
    assert CELLS == {
        "id": "odesa-visit",
        "title": "Visit to Odesa",
        "occurred": "2025-04-15",
        "type": "Consultation",
        "place": "Odesa",
        "country": "Ukraine",
        "lat": "46.48",
        "lon": "30.73",
        "actors": r"Mark Rutte; A\; B \\ C",
        "tags": "nato; visit",
        "killed": ">20; 35 (20 to ?) service member",
        "injured": "10 to 12",
        "source_url": "https://example.org/nato; ; desk",
        "source_title": r"A visit\; a pledge; Morning report;",
        "reported_at": "2025-04-15",
        "summary": "",
        "reason": "",
    }


def test_columns_that_are_named_like_a_path_hold_what_stands_there() -> None:
    columns = (
        "place.admin1", "contexts", "external_ids", "participants.0.office", "modality", "note",
        "claims", "extra.csv.c", "quantities.9.value", "about_place.name",
    )  # fmt: skip
    assert events.cells(EVENT, LOOKUP, columns) == {
        "place.admin1": "Oblast",
        "contexts": "military; diplomatic",
        "external_ids": "gdelt:1",
        "participants.0.office": "Secretary General",
        "modality": "actual",
        "note": "",
        "claims": '[{"speaker": "Ministry", "stance": "denies"}]',
        "extra.csv.c": "x",
        "quantities.9.value": "",
        "about_place.name": "",
    }


_FIGURES: list[dict[str, Any]] = [
    {"measure": "pledged", "value": "5000", "unit": "EUR"},
    {"measure": "killed", "value": "20", "unit": "person", "reported_by": "Mayor"},
    {"measure": "injured", "low": "10", "high": "12", "unit": "person"},
    {"measure": "killed", "value": "35", "qualifier": "at_least", "unit": "person"},
    {"measure": "damaged", "value": "3", "unit": "house", "source_ids": ["nato", "desk"]},
]


@given(st.permutations(_FIGURES), st.integers(1, 5))
def test_figures_in_columns_of_their_own_come_back_as_they_were(
    figures: list[dict[str, Any]], count: int
) -> None:
    event = {**EVENT, "quantities": figures[:count]}
    fields = ("measure", "value", "low", "high", "unit", "qualifier", "reported_by", "source_ids")
    columns = (*COLUMNS, *(f"quantities.{n}.{f}" for n in range(count) for f in fields))
    row = SheetRow(2, 2, events.cells(event, LOOKUP, columns))
    assert events.differing(row, events.cells(event, LOOKUP, columns)) == []
    made = events.statement(row._replace(cells={**row.cells, "source_url": "", "source_title": ""}))
    assert made.content()["quantities"] == event["quantities"]


def test_a_figure_of_which_nothing_says_what_was_counted_is_refused() -> None:
    row = _row(title="T", occurred="2025", killed="20", **{"quantities.1.value": "5000"})
    with pytest.raises(InvalidInput, match=r"needs the column quantities\.1\.measure"):
        events.statement(row)
    row = _row(title="T", occurred="2025", killed="20", **{"quantities.0.reported_by": "Mayor"})
    with pytest.raises(InvalidInput, match=r"needs the column quantities\.0\.measure"):
        events.statement(row)
    row = _row(title="T", occurred="2025", killed="20", **{"quantities.0.value": "20"})
    (figure,) = events.statement(row).content()["quantities"]
    assert figure == {"measure": "killed", "value": "20", "unit": "person"}


CODED = {
    "event_type": "CONSULT",
    "event_type_label": "Consultation",
    "country_code": "UKR",
    "country_name": "Ukraine",
}


def test_codes_that_repeat_a_column_change_nothing() -> None:
    own = {"type": "Consultation", "country": "Ukraine"}
    assert events.cells(EVENT, LOOKUP, (*own, *CODED)) == {**own, **CODED}
    assert _difference(_changed(_row(**own, **CODED))) == {}
    changed = _changed(_row(**CODED, type="assault", country="TUR"))
    assert changed["event_type"] == "Assault"
    assert changed["place"]["country"] == "Turkey"
    assert "event_type" not in _changed(_row(type="", event_type="CONSULT"))
    new = _row(title="T", occurred="2025", type="consultation", country="ukr", **CODED)
    said = events.statement(events.normal(new, LOOKUP)).content()
    assert (said["event_type"], said["place"]) == ("Consultation", {"country": "UKR"})


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"type": "Consultation", "event_type": "AID"}, 'says "AID", but type says "Consultation"'),
        ({"type": "", "event_type_label": "Aid"}, 'says "Aid", but type says ""'),
        ({"country": "UKR", "country_code": "TUR"}, 'says "TUR", but country says "Ukraine"'),
        ({"country": "UKR", "country_name": "Nowhere"}, 'says "Nowhere", but country'),
    ],
)
def test_a_code_of_a_new_event_that_says_something_else_is_refused(
    cells: dict[str, str], problem: str
) -> None:
    row = _row(**cells)
    with pytest.raises(InvalidCell) as caught:
        events.normal(row, LOOKUP)
    assert caught.value.field == [*cells][1]
    assert problem in caught.value.problem
    assert [*events.unlike_repeats(row._replace(cells={**cells, "country": "Ukraine"}), LOOKUP)]


def test_the_cells_of_an_event_change_nothing_about_it() -> None:
    columns = (*COLUMNS, "contexts", "claims", "place.admin1", "participants")
    columns = tuple(column for column in columns if column != "participants")
    row = SheetRow(2, 2, events.cells(EVENT, LOOKUP, columns))
    assert events.differing(row, events.cells(EVENT, LOOKUP, columns)) == []
    assert _changed(row) == EVENT


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("type", "consult"),
        ("type", "CONSULTATION"),
        ("country", "UA"),
        ("occurred", "15 April 2025"),
        ("occurred", "15/04/2025"),
        ("tags", "NATO;visit;;nato"),
        ("actors", r" Mark Rutte;A\; B \\ C ;"),
        ("killed", "> 20;35 (20-?)  service member"),
        ("killed", ">20.0; 35 (2e1 to ?) service member"),
        ("injured", "10-12"),
        ("injured", "10 \N{EN DASH} 12"),
        ("contexts", "military ;diplomatic"),
        ("reported_at", "15 April 2025"),
    ],
)
def test_another_spelling_of_the_same_changes_nothing(column: str, cell: str) -> None:
    before = events.cells(EVENT, LOOKUP, (column,))
    row = events.normal(_row(**{column: cell}), LOOKUP, before)
    assert _changed(row) == EVENT
    if column != "contexts":  # the model knows that one
        assert events.differing(row, before) == []


def test_a_figure_that_changes_keeps_who_gives_it() -> None:
    event = _changed(_row(killed=">20; ~36"))
    figures = [{**EVENT["quantities"][2], "value": "36", "qualifier": "about", "unit": "person"}]
    del figures[0]["low"]
    expected = [*EVENT["quantities"][:2], *figures, EVENT["quantities"][3]]
    assert _difference(event) == {"quantities": expected}


def test_a_figure_before_the_others_leaves_them_as_they_are() -> None:
    event = _changed(_row(killed="19; >20; 35 (20 to ?) service member; 40"))
    added = [{"measure": "killed", "value": value, "unit": "person"} for value in ("19", "40")]
    old = EVENT["quantities"]
    assert event["quantities"] == [added[0], *old, added[1]]
    cells = events.cells(event, LOOKUP, ("killed",))
    assert cells["killed"] == "19; >20; 35 (20 to ?) service member; 40"


def test_a_figure_that_is_taken_out_leaves_the_others() -> None:
    event = _changed(_row(killed="35 (20 to ?) service member", injured=""))
    assert event["quantities"] == EVENT["quantities"][1:3]


def test_who_is_named_as_before_keeps_office_and_role() -> None:
    event = _changed(_row(actors="Ukraine; Mark Rutte"))
    assert event["participants"] == [{"name": "Ukraine"}, EVENT["participants"][0]]


def test_a_source_that_is_cited_as_before_keeps_its_quotes() -> None:
    row = _row(source_url="https://example.org/new; https://example.org/nato", source_title="New")
    assert _changed(row)["citations"] == [
        EVENT["citations"][0],
        EVENT["citations"][2],
        {"source": {"url": "https://example.org/new", "title": "New"}},
    ]


def test_a_sheet_without_titles_of_sources_loses_none() -> None:
    row = _row(source_url="https://example.org/nato; radio; desk")
    assert _changed(row) == EVENT
    row = _row(source_url="https://example.org/nato; radio")
    assert _changed(row)["citations"] == EVENT["citations"][:3]


def test_an_empty_cell_takes_out_and_a_missing_column_does_not() -> None:
    row = _row(place="", country="", lat="", lon="", tags="", type="")
    event = _changed(row)
    assert event["place"] == {"admin1": "Oblast"}
    assert (event["tags"], event.get("event_type")) == ([], None)
    assert event["participants"] == EVENT["participants"]


def test_a_row_states_an_event() -> None:
    row = events.normal(
        _row(
            title="Strike",
            occurred="13/04/2025",
            type="assault",
            country="ua",
            lat="50.9",
            lon="34.8",
            actors="Russia; Ukraine",
            tags="Strike; War",
            killed="35; >60 soldier",
            source_url="https://example.org/a; https://example.org/nato",
            source_title="A",
            reported_at="14/04/2025",
            reason="seen",
            **{"place.admin1": "Sumy", "contexts": "military", "claims": '[{"speaker": "M"}]'},
        ),
        LOOKUP,
    )
    statement = events.statement(row)
    assert (statement.event_id, statement.reported_at) == ("odesa-visit", "2025-04-14")
    assert statement.reason == "seen"
    assert statement.content() == {
        "title": "Strike",
        "event_type": "Assault",
        "contexts": ["military"],
        "tags": ["strike", "war"],
        "occurred": "2025-04-13",
        "place": {"country": "UKR", "admin1": "Sumy", "lat": "50.9", "lon": "34.8"},
        "participants": [{"name": "Russia"}, {"name": "Ukraine"}],
        "quantities": [
            {"measure": "killed", "value": "35", "unit": "person"},
            {"measure": "killed", "value": "60", "qualifier": "more_than", "unit": "soldier"},
        ],
        "claims": [{"speaker": "M"}],
        "citations": [
            {"source": {"title": "A", "url": "https://example.org/a"}},
            {"source": {"title": "A visit; a pledge", "url": "https://example.org/nato"}},
        ],
    }


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"country": "Ukrane"}, 'cell B2, country: "Ukrane" is not a country: did you mean "Ukr'),
        ({"occurred": "04/05/2025"}, "cell B2, occurred: \"04/05/2025\" can be read as"),
        ({"reported_at": "04.05.2025"}, "cell B2, reported_at: \"04.05.2025\" can be read as"),
        ({"reported_at": "2025"}, "cell B2, reported_at: "),
        ({"type": "Assalt"}, "did you mean ASSAULT (Assault)?"),
        ({"killed": "many"}, 'cell B2, killed: "many" is not a figure: write one such as 35'),
        ({"killed": "12-Oct"}, 'cell B2, killed: "12-Oct" is not a figure'),
        ({"injured": "1.234"}, 'cell B2, injured: "1.234" can mean 1234 or 1.234'),
        ({"killed": "5 ABC"}, '"ABC" is not an ISO 4217 currency'),
        ({"lat": "91", "lon": "0"}, "cell B2, lat: "),
        ({"lat": "1"}, "needs lat and lon together"),
        ({"title": "x" * 501}, "cell B2, title: is too long: at most 500 characters"),
        ({"tags": "x" * 300}, "cell B2, tags: "),
        ({"actors": "x" * 600}, "cell B2, actors: "),
        ({"source_url": "ftp://example.org"}, "cell B2, source_url: "),
        ({"source_url": "example.org/a"}, "cell B2, source_url: "),
        ({"source_url": "https://a.org", "source_title": "A; B"}, "write \\; for a semicolon"),
        ({"id": "No!"}, "cell A2, id: must be 3 to 64 characters"),
        ({"modality": "perhaps"}, "cell B2, modality: must be one of"),
        ({"claims": "[{"}, "cell B2, claims: is not JSON"),
        ({"claims": '[{"stance": "denies"}]'}, "cell B2, claims: is required"),
        ({"actors": "N", "participants.0.role": "x"}, "C2, participants.0.role: must be one of"),
        ({"title": ""}, "cell B2, title: is required"),
    ],
)  # fmt: skip
def test_a_bad_cell_is_named(cells: dict[str, str], problem: str) -> None:
    row = _row(**cells)
    row.cells.setdefault("title", "A title")
    row.cells.setdefault("occurred", "2025")
    with pytest.raises(InvalidInput) as refusal:
        events.statement(events.normal(row, LOOKUP))
    assert problem in str(refusal.value)
    assert str(refusal.value).startswith("line 2: ")


def test_a_field_that_no_cell_holds_is_named_itself() -> None:
    with pytest.raises(InvalidInput) as refusal:
        events.statement(SheetRow(7, 5, {"id": "abc", "occurred": "2025"}))
    assert str(refusal.value) == "line 7: title: is required"


def test_a_part_of_a_year_is_written_in_words_and_both_forms_are_read_back_unchanged() -> None:
    quarter = {**EVENT, "occurred": "2025-33"}
    before = events.cells(quarter, LOOKUP, ("id", "occurred"))
    assert before["occurred"] == "first quarter of 2025"
    for cell in ("first quarter of 2025", "2025-33", "Q1 2025"):
        row = events.normal(_row(occurred=cell), LOOKUP, before)
        assert events.differing(row, before) == []
    with pytest.raises(InvalidInput, match="first quarter of 2025 or 2025 to 2033"):
        events.normal(_row(occurred="2025-33"), LOOKUP)


def test_the_date_of_a_figure_is_read_as_the_date_of_an_event_is() -> None:
    event = {**EVENT, "quantities": [{**EVENT["quantities"][2], "dated": "2025-33"}]}
    column = "quantities.0.dated"
    before = events.cells(event, LOOKUP, ("id", column))
    assert before[column] == "first quarter of 2025"
    for cell in ("first quarter of 2025", "2025-33", "Q1 2025"):
        row = events.normal(_row(**{column: cell}), LOOKUP, before)
        assert events.differing(row, before) == []
    row = events.normal(_row(**{column: "13.04.2025"}), LOOKUP, before)
    changed = field_paths.changed(event, events.changes(row, before, event, LOOKUP))
    assert changed["quantities"][0]["dated"] == "2025-04-13"
    with pytest.raises(InvalidCell, match="winter 2023 or 2023 to 2024"):
        events.normal(_row(**{column: "2023-24"}), LOOKUP, before)


def test_a_vague_date_keeps_its_words_until_another_date_takes_its_place() -> None:
    columns = ("occurred", *VAGUE)
    before = events.cells(EVENT, LOOKUP, columns)
    row = events.normal(_row(occurred="mid-April 2025"), LOOKUP, before)
    vague = field_paths.changed(EVENT, events.changes(row, before, EVENT, LOOKUP))
    assert {name: vague[name] for name in columns} == {
        "occurred": "2025-04-11/2025-04-20",
        "occurred_text": "mid-April 2025",
        "occurred_basis": "resolved",
    }
    before = events.cells(vague, LOOKUP, columns)
    for cell in ("mid-April 2025", "2025-04-11/2025-04-20"):
        assert events.differing(events.normal(_row(occurred=cell), LOOKUP, before), before) == []
    row = events.normal(_row(occurred="15 April 2025"), LOOKUP, before)
    assert field_paths.changed(vague, events.changes(row, before, vague, LOOKUP)) == EVENT


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        ("46.48", "30.73"),
        ("46.48N 30.73E", ""),
        ("", "46.48, 30.73"),
        ("30.73 E", "46.48 N"),
        ("46,48", "30,73"),
        ("46° 28.8'", "30° 43.8'"),
    ],
)
def test_the_cells_of_coordinates_are_read_as_people_paste_them(lat: str, lon: str) -> None:
    before = events.cells(EVENT, LOOKUP, ("id", "lat", "lon"))
    row = events.normal(_row(lat=lat, lon=lon), LOOKUP, before)
    assert events.differing(row, before) == []
    if not (lat and lon):
        alone = events.normal(SheetRow(2, 2, {"title": "A", "lat": lat or lon}), LOOKUP)
        assert (alone.cells["lat"], alone.cells["lon"]) == ("46.48", "30.73")


def test_coordinates_that_cannot_be_read_are_refused_at_their_cell() -> None:
    with pytest.raises(InvalidCell, match=r"cell C5, lon: .* is a latitude, not a longitude"):
        events.normal(SheetRow(7, 5, {"id": "abc", "lat": "46.48N", "lon": "30.73N"}), LOOKUP)
    with pytest.raises(InvalidCell, match=r"cell B5, lat: .*the two seem swapped"):
        events.normal(SheetRow(7, 5, {"id": "abc", "lat": "139.69", "lon": "35.68"}), LOOKUP)
    with pytest.raises(InvalidCell, match=r"cell A5, about_place.lat: .* is not a latitude"):
        events.normal(SheetRow(7, 5, {"about_place.lat": "here"}), LOOKUP)
