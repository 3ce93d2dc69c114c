"""One cell that cannot be read costs no row: it is left out, counted, and its text is kept."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import done, one_line, run

from timeline.errors import InvalidInput
from timeline.intake.dataset.healing import well_formed
from timeline.model.content import Statement

MAPPING = """
scheme = "floods"
id = "No"

[fields]
title = "What"
occurred = "Day"
event_type = "Kind"
tags = { column = "Words", split = ";" }
"place.name" = "Town"
"place.country" = "Land"
"place.lat" = "North"
"place.lon" = "East"
"participants.0.name" = "Who"
"participants.0.wikidata" = "Item"
"quantities.0.measure" = { value = "displaced" }
"quantities.0.unit" = { value = "person" }
"quantities.0.value" = "Displaced"
"quantities.0.dated" = "As of"
"quantities.1.measure" = { value = "injured" }
"quantities.1.value" = "Injured"
"citations.0.source.title" = "Paper"
"citations.0.source.url" = "Link"
"""
GOOD = {
    "No": "1", "What": "The river rose", "Day": "2024-03-02", "Kind": "AID", "Words": "river",
    "Town": "Mopti", "Land": "Mali", "North": "14.5", "East": "-4.2", "Who": "Red Crescent",
    "Item": "Q42", "Displaced": "1200", "As of": "2024-03-03", "Injured": "3",
    "Paper": "Le Journal", "Link": "https://example.org/flood",
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("map.toml").write_text(MAPPING)
    done("init", "--title", "Floods")
    return tmp_path


def write(*rows: dict[str, str]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [*GOOD])
    writer.writeheader()
    for number, row in enumerate(rows, 1):
        writer.writerow({**GOOD, "No": str(number), **row})
    Path("rows.csv").write_text(text.getvalue())


def put(*rows: dict[str, str], options: tuple[str, ...] = ()) -> dict[str, Any]:
    write(*rows)
    arguments = ("import", "mapped", "rows.csv", "--map", "map.toml", "--json", *options)
    found: dict[str, Any] = json.loads(done(*arguments))
    return found


def shown(number: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done("show", f"floods-{number}", "--json"))
    return found


@pytest.mark.parametrize(
    ("cells", "column", "lacks", "has"),
    [
        ({"North": "95.2"}, "North", {"place": {"lat", "lon"}}, {"place": {"name", "country"}}),
        ({"Land": "Atlantis"}, "Land", {"place": {"country"}}, {"place": {"name", "lat", "lon"}}),
        ({"Kind": "Deluge"}, "Kind", {"event_type": ...}, {"tags": ...}),
        ({"Words": "river;" + "x" * 61}, "Words", {}, {"tags": ...}),
        ({"Displaced": "many"}, "Displaced", {}, {"quantities": 1}),
        ({"Item": "42"}, "Item", {"participants": {"wikidata"}}, {"participants": {"name"}}),
        ({"Who": "x" * 501}, "Who", {"participants": ...}, {"place": ...}),
        ({"As of": "the other day"}, "As of", {"quantities": {"dated"}}, {"quantities": 2}),
        (
            {"Link": "https://example.org/a b", "Paper": "P"},
            "Link",
            {"source": {"url"}},
            {"source": {"title"}},
        ),
        (
            {"Link": "seen on television", "Paper": "P"},
            "Link",
            {"source": {"url"}},
            {"source": {"title"}},
        ),
        ({"Link": "see below", "Paper": ""}, "Link", {"citations": ...}, {"place": ...}),
    ],
)
def test_the_smallest_part_is_left_out(
    cells: dict[str, str], column: str, lacks: dict[str, Any], has: dict[str, Any]
) -> None:
    outcome = put({}, cells)
    assert (outcome["recorded"], outcome["rejected"]) == (2, 0)
    (left_out,) = outcome["left_out"]
    assert (left_out["column"], left_out["rows"], left_out["line"]) == (column, 1, 3)
    event = shown(2)
    for field, parts in lacks.items():
        assert_parts(event, field, parts, there=False)
    for field, parts in has.items():
        assert_parts(event, field, parts, there=True)
    assert event["extra"]["floods"][column] == cells[column]


def assert_parts(event: dict[str, Any], field: str, parts: Any, *, there: bool) -> None:
    value = event.get(field)
    if field == "source":
        source_id = event["citations"][0]["source_id"]
        with contextlib.closing(sqlite3.connect("timeline.db")) as connection:
            connection.row_factory = sqlite3.Row
            value = dict(
                connection.execute(
                    "SELECT url, title FROM sources WHERE source_id = ?", (source_id,)
                ).fetchone()
            )
    if parts is ...:
        assert bool(value) is there
    elif isinstance(parts, int):
        assert len(value) == parts
    else:
        value = value[0] if isinstance(value, list) else value
        assert all(bool(value.get(part)) is there for part in parts)


def test_what_is_left_out_is_counted_by_column_and_reason_with_an_example() -> None:
    write(*({"North": f"9{number}.2"} for number in range(5, 8)), {"Land": "Atlantis"}, {})
    text = done("import", "mapped", "rows.csv", "--map", "map.toml", columns=120)
    assert text.splitlines()[:4] == [
        "5 rows: 5 recorded.",
        "4 cells were left out of the events; extra keeps the text:",
        "- North, 3 rows, such as line 2: 95.2 is not a latitude: it lies between -90 and 90",
        '- Land, 1 row, line 5: "Atlantis" is not a country: did you mean "Albania" (ALB)?',
    ]


def test_a_row_is_rejected_only_without_title_or_date() -> None:
    outcome = put({"What": ""}, {"Day": "soon"}, {"What": "x" * 501}, {})
    assert (outcome["recorded"], outcome["rejected"]) == (1, 3)


def test_a_list_of_many_bad_words_costs_no_row() -> None:
    Path("map.toml").write_text(MAPPING + 'contexts = { column = "Words", split = ";" }\n')
    words = ";".join(f"word {number}" for number in range(40))
    outcome = put({"Words": f"military;{words}"}, {"Words": "military;diplomatic"})
    assert (outcome["recorded"], outcome["rejected"]) == (2, 0)
    assert {group["column"] for group in outcome["left_out"]} == {"Words"}
    assert shown(2)["contexts"] == ["military", "diplomatic"]


def test_strict_refuses_the_first_cell() -> None:
    write({}, {"North": "95.2"})
    result = run("import", "mapped", "rows.csv", "--map", "map.toml", "--strict")
    assert one_line(result).startswith("line 3: ")
    assert "95.2 is not a latitude" in result.stderr


def test_an_update_leaves_out_the_same_parts() -> None:
    put({}, {})
    outcome = put({"North": "95.2", "Town": "Sévaré"}, {})
    assert (outcome["updated"], outcome["rejected"]) == (1, 0)
    assert outcome["left_out"][0]["column"] == "North"
    event = shown(1)
    assert event["place"] == {"name": "Sévaré", "country": "MLI"}
    assert event["extra"]["floods"]["North"] == "95.2"
    assert put({"Town": "Sévaré"}, {})["updated"] == 1
    assert shown(1)["place"]["lat"] == "14.5"


def test_a_mapping_that_is_mended_adds_what_was_left_out() -> None:
    rows = [{"Kind": "Aid", "Land": "Atlantis"}, {"Kind": "Storm", "Injured": "few"}, {}]
    mapping = MAPPING.replace('"Kind"', '{ column = "Kind", words = { AID = "AID" } }')
    Path("map.toml").write_text(mapping)
    assert sum(group["rows"] for group in put(*rows)["left_out"]) == 4
    again = put(*rows)
    assert (again["unchanged"], sum(group["rows"] for group in again["left_out"])) == (3, 4)
    done("correct", "floods-2", "--set", "quantities.0.value=1300", "--reason", "we counted")
    mended = mapping.replace('AID = "AID"', 'AID = "AID", Aid = "AID", Storm = "AID"')
    Path("map.toml").write_text(mended)
    outcome = put(*rows)
    assert (outcome["updated"], outcome["unchanged"]) == (2, 1)
    assert sum(group["rows"] for group in outcome["left_out"]) == 2
    assert [shown(number)["event_type"] for number in (1, 2, 3)] == ["AID"] * 3
    assert shown(2)["quantities"][0]["value"] == "1300"
    assert put(*rows)["unchanged"] == 3
    land = mended.replace(
        '"Land"', '{ column = "Land", words = { Atlantis = "MLI", Mali = "MLI" } }'
    )
    Path("map.toml").write_text(land)
    assert put(*rows)["updated"] == 1
    assert shown(1)["place"]["country"] == "MLI"
    assert "could not be read: Kind, Land" in done("history", "floods-1")
    done("verify")


def test_one_address_under_several_titles_is_one_source() -> None:
    outcome = put({"Paper": "Daily Post"}, {"Paper": "The Daily Post"}, {"Paper": "Post"}, {})
    assert (outcome["recorded"], outcome["rejected"], outcome["left_out"]) == (4, 0, [])
    (note,) = outcome["notes"]
    assert note.startswith("line 3: https://example.org/flood is the address of source ")
    assert len({shown(number)["citations"][0]["source_id"] for number in range(1, 5)}) == 1
    assert put({"Paper": "Daily Post"}, {"Paper": "The Daily Post", "Injured": "4"})["updated"] == 1


def test_an_address_that_is_known_with_another_title_is_refused_elsewhere() -> None:
    put({"Paper": "Daily Post"})
    source = {"title": "Another", "url": "https://example.org/flood"}
    event = {"title": "Rain", "occurred": "2024", "citations": [{"source": source}]}
    result = run("append", "-", input=json.dumps(event))
    assert "is already recorded with another title" in one_line(result)


def test_long_names_of_columns_and_long_cells_are_kept_as_far_as_they_fit() -> None:
    long = "How many people had to leave their homes because of the flood? "
    rows = [
        {"id": "1", "day": "2024", f"{long}(men)": "4", f"{long}(women)": "5", "t": "y" * 10**5}
    ]
    rows[0]["t"] += "zzz"
    Path("rows.json").write_text(json.dumps(rows))
    Path("map.toml").write_text(
        'scheme = "form"\nid = "id"\n[fields]\ntitle = "id"\noccurred = "day"\n'
    )
    arguments = ("import", "mapped", "rows.json", "--map", "map.toml", "--json")
    outcome = json.loads(done(*arguments))
    assert outcome["recorded"] == 1
    assert [group["column"] for group in outcome["left_out"]] == ["t"]
    kept = json.loads(done("show", "form-1", "--json"))["extra"]["form"]
    assert sorted(len(cell) for cell in kept.values()) == [1, 1, 1, 4, 10**5]
    assert json.loads(done(*arguments))["unchanged"] == 1
    rows[0][f"{long}(men)"] = "6"
    Path("rows.json").write_text(json.dumps(rows))
    assert json.loads(done(*arguments))["updated"] == 1


def test_a_nul_costs_no_row() -> None:
    put({})
    text = Path("rows.csv").read_text().replace("Le Journal", "Le\0Journal")
    Path("rows.csv").write_text(text.replace("\n1,", "\n2,"))
    arguments = ("import", "mapped", "rows.csv", "--map", "map.toml", "--json")
    outcome = json.loads(done(*arguments))
    assert (outcome["recorded"], outcome["left_out"][0]["column"]) == (1, "Paper")
    assert shown(2)["extra"]["floods"]["Paper"] == "Le\ufffdJournal"


def test_an_event_that_is_tied_to_a_later_row_waits_for_it() -> None:
    Path("map.toml").write_text(
        'scheme = "t"\nid = "id"\n[fields]\ntitle = "id"\noccurred = "day"\n'
        '"relations.0.type" = { value = "part_of" }\n"relations.0.event_id" = "of"\n'
    )
    Path("rows.csv").write_text(
        "id,day,of\n1,2024,t-2\n2,2024,t-3\n3,2024,\n4,2024,t-4\n5,2024,t-6\n6,2024,t-5\n7,2024,x-9\n"
    )
    outcome = json.loads(done("import", "mapped", "rows.csv", "--map", "map.toml", "--json"))
    assert (outcome["recorded"], outcome["rejected"]) == (7, 0)
    ties = {
        number: [
            tie["event_id"]
            for tie in json.loads(done("show", f"t-{number}", "--json")).get("relations", ())
        ]
        for number in range(1, 8)
    }
    assert ties[1] == ["t-2"]
    assert ties[2] == ["t-3"]
    assert ties[7] == []
    assert sum(group["rows"] for group in outcome["left_out"]) == 3


BROKEN = st.sampled_from(("", None, "x" * 600, "a\nb", -1, 10**40, "2024-13", {}, [], "\x00", 3.5))


@given(
    st.dictionaries(
        st.sampled_from(
            ("event_type", "mode", "tags.0", "tags.1", "place.name", "place.country", "place.lat",
             "place.lon", "place.geo_precision", "participants.0.role", "participants.0.name",
             "quantities.0.value", "quantities.0.low", "quantities.0.dated", "quantities.0.unit",
             "citations.0.source.url", "citations.0.source.title", "citations.0.quote_start",
             "claims.0.speaker", "claims.0.stance", "relations.0.event_id", "summary", "modality",
             "reported_at", "media.0.url", "media.0.width")
        ),
        BROKEN,
    )
)  # fmt: skip
def test_every_event_with_a_title_and_a_date_can_be_healed(broken: dict[str, Any]) -> None:
    from timeline.model import field_paths

    fields: dict[str, Any] = {
        "title": "T", "occurred": "2024", "tags": ["a", "b"],
        "place": {"name": "P", "country": "MLI", "lat": "1", "lon": "2"},
        "participants": [{"name": "N", "role": "host"}],
        "quantities": [{"measure": "killed", "value": "1", "low": "0", "dated": "2024"}],
        "citations": [{"source": {"title": "S", "url": "https://example.org/"},
                       "quote": "q", "quote_start": 1, "quote_end": 2}],
        "claims": [{"speaker": "S", "statement": "x"}],
        "relations": [{"type": "part_of", "event_id": "abc"}],
        "media": [{"kind": "video", "url": "https://example.org/v", "width": 1, "height": 1}],
    }  # fmt: skip
    data = dict(fields)
    for path, value in broken.items():
        if value not in ("", None):
            data = field_paths.changed(data, {path: value})
    event, left, refusals = well_formed(Statement, data)
    assert (event.title, event.occurred) == ("T", "2024")
    assert len(refusals) <= len(broken) + 1
    assert left.keys() <= data.keys()


@pytest.mark.parametrize(
    "fields",
    [
        {"occurred": "2024"},
        {"title": "T", "occurred": "soon"},
        {"title": "T", "occurred": "2024", "place": {"nmae": "P"}},
        {"title": "T", "occurred": "2024", "tags": "one"},
        {"title": "T", "occurred": "2024", "plaec": "P"},
    ],
)
def test_what_is_needed_and_what_is_no_field_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        well_formed(Statement, fields)


def test_a_figure_whose_unit_nobody_says_is_left_out_with_what_to_write() -> None:
    rule = '"quantities.0" = { column = "Height", measure = "height" }'
    Path("map.toml").write_text(
        f'scheme = "floods"\nid = "No"\n[fields]\ntitle = "What"\noccurred = "Day"\n{rule}\n'
    )
    Path("file.csv").write_text("No,What,Day,Height\n1,The river rose,2024-03-02,3.5\n")
    said = " ".join(done("import", "mapped", "file.csv", "--map", "map.toml").split())
    assert 'line 2: 3.5: is a figure without a unit: a mapping can say unit = "EUR"' in said
    Path("map.toml").write_text(
        Path("map.toml").read_text().replace('"height" }', '"height", unit = "m" }')
    )
    assert "1 updated" in done("import", "mapped", "file.csv", "--map", "map.toml")
