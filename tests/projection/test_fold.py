"""What an entry makes of an event: rows, and differences."""

from __future__ import annotations

import copy
import itertools
import json
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strategies import events

from timeline.model import field_paths
from timeline.model.content import Event
from timeline.model.field_types import ID_PATTERN
from timeline.model.names import actor_id_of
from timeline.model.names import fold as fold_name
from timeline.model.validation import validate
from timeline.projection import fold
from timeline.projection.differences import FieldChange, differences
from timeline.projection.fold import CHILD_TABLES, CONTENT_COLUMNS
from timeline.store import codec

contents = events().map(lambda fields: validate(Event, fields).content())
"""Contents; their citations may be inline, which the differences do not mind."""

LISTS_OF_OBJECTS = ("participants", "quantities", "claims", "relations", "citations", "media")


def plain(value: Any) -> Any:
    """A content as changes can tell it: numbers are texts, what is empty is not there."""
    if isinstance(value, dict):
        items = {key: plain(item) for key, item in value.items()}
        return {key: item for key, item in items.items() if item not in (None, {}, [])}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return json.dumps(value) if isinstance(value, int) else value


def value_of(path: str, text: str) -> Any:
    """The value of a change: JSON for an item that is an object, else the text itself."""
    first, _, rest = path[1:].partition("/")
    return json.loads(text) if first in LISTS_OF_OBJECTS and "/" not in rest else text


def applied(old: dict[str, Any], changes: list[FieldChange]) -> dict[str, Any]:
    """The content that a list of changes leads to, by what `differences` says of its pointers."""
    result = copy.deepcopy(old)

    def holder(path: str) -> tuple[Any, Any]:
        here, way = result, field_paths.steps(path)
        for step, following in itertools.pairwise(way):
            empty: Any = [] if following.isdecimal() else {}
            here = here[int(step)] if isinstance(here, list) else here.setdefault(step, empty)
        return here, int(way[-1]) if isinstance(here, list) else way[-1]

    # The outer lists first: what is inside an item is counted where the item stands in the end.
    for depth in sorted({change.path.count("/") for change in changes}):
        level = [change for change in changes if change.path.count("/") == depth]
        for path, _, new_value in reversed(level):
            here, key = holder(path) if new_value is None else (None, None)
            if here is not None:
                del here[key]
        for path, old_value, new_value in level:
            if new_value is not None:
                here, key = holder(path)
                if isinstance(here, list) and old_value is None:
                    here.insert(key, None)
                here[key] = value_of(path, new_value)
    return result


# --- Differences ------------------------------------------------------------------------------


@given(contents)
@settings(deadline=None)
def test_equal_contents_have_no_differences(content: dict[str, Any]) -> None:
    assert differences(content, copy.deepcopy(content)) == []
    assert differences(content, dict(reversed(content.items()))) == []


@given(contents, contents)
@settings(deadline=None)
def test_the_differences_lead_from_the_one_content_to_the_other(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    changes = differences(old, new)
    assert bool(changes) == (old != new)
    assert plain(applied(old, changes)) == plain(new)


items = st.lists(st.sampled_from("abcdef"), unique=True)
claims = st.lists(
    st.fixed_dictionaries(
        {"speaker": st.sampled_from("abc")},
        optional={"stance": st.just("denies"), "source_ids": items.filter(bool)},
    ),
    max_size=5,
)


@given(claims, claims)
@example([{"speaker": "a"}, {"speaker": "b"}], [{"speaker": "c"}, {"speaker": "a"}])
def test_the_differences_of_lists_in_lists_are_complete(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    changes = differences({"claims": old}, {"claims": new})
    assert bool(changes) == (old != new)
    assert plain(applied({"claims": old}, changes)) == plain({"claims": new})


@given(items, items)
@example(["a", "b"], ["b", "a"])
@example(["a", "b", "c"], ["c", "a", "b"])
def test_the_differences_of_lists_are_complete_wherever_their_items_moved(
    old: list[str], new: list[str]
) -> None:
    for one, other in (
        ({"tags": old}, {"tags": new}),
        (
            {"claims": [{"speaker": name} for name in old]},
            {"claims": [{"speaker": name} for name in new]},
        ),
    ):
        changes = differences(one, other)
        assert bool(changes) == (old != new)
        assert plain(applied(one, changes)) == plain(other)


@given(contents, contents)
@settings(deadline=None)
def test_no_change_says_that_a_thing_became_itself(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    for change in differences(old, new):
        assert change.old_value != change.new_value
        assert change.path.startswith("/")


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({"title": "A"}, {"title": "B"}, [("/title", "A", "B")]),
        ({"title": "A"}, {"title": "A", "note": "n"}, [("/note", None, "n")]),
        ({"title": "A", "note": "n"}, {"title": "A"}, [("/note", "n", None)]),
        (
            {"place": {"name": "Odesa"}},
            {"place": {"name": "Odesa", "geo_precision": 1}},
            [("/place/geo_precision", None, "1")],
        ),
        ({}, {"place": {"name": "Odesa"}}, [("/place/name", None, "Odesa")]),
        ({"place": {"name": "Odesa"}}, {}, [("/place/name", "Odesa", None)]),
        ({}, {"tags": ["a", "b"]}, [("/tags/0", None, "a"), ("/tags/1", None, "b")]),
        # An item in front: the others only moved, and are not listed.
        ({"tags": ["b", "c"]}, {"tags": ["a", "b", "c"]}, [("/tags/0", None, "a")]),
        ({"tags": ["a", "b", "c"]}, {"tags": ["b", "c"]}, [("/tags/0", "a", None)]),
        # A field of an item that stays; its place counts in the new list.
        (
            {"quantities": [{"measure": "killed", "value": "34"}]},
            {"quantities": [{"measure": "killed", "value": "35"}]},
            [("/quantities/0/value", "34", "35")],
        ),
        (
            {"claims": [{"speaker": "A"}]},
            {"claims": [{"speaker": "B"}, {"speaker": "A"}]},
            [("/claims/0", None, '{"speaker": "B"}')],
        ),
        # Two figures change places: one goes, one comes.
        (
            {"tags": ["a", "b"]},
            {"tags": ["b", "a"]},
            [("/tags/0", None, "b"), ("/tags/1", "b", None)],
        ),
        (
            {"extra": {"a/b": {"c~d": "1"}}},
            {"extra": {"a/b": {"c~d": "2"}}},
            [("/extra/a~1b/c~0d", "1", "2")],
        ),
    ],
)
def test_differences_are_field_by_field(
    old: dict[str, Any], new: dict[str, Any], changes: list[tuple[str, str | None, str | None]]
) -> None:
    assert differences(old, new) == changes


def test_a_thousand_items_of_which_one_is_new_are_compared_in_no_time() -> None:
    claims = [{"speaker": f"Speaker {number}"} for number in range(1000)]
    changes = differences(
        {"claims": claims}, {"claims": [*claims[:500], {"speaker": "New"}, *claims[500:]]}
    )
    assert changes == [("/claims/500", None, '{"speaker": "New"}')]


# --- Rows -------------------------------------------------------------------------------------


def test_the_columns_of_a_content_are_those_that_are_promised() -> None:
    assert tuple(fold.content_row(None, "UTC")) == CONTENT_COLUMNS
    content = {"title": "T", "occurred": "2025"}
    assert tuple(fold.content_row(content, "UTC")) == CONTENT_COLUMNS


def test_an_erased_content_leaves_nothing() -> None:
    assert set(fold.content_row(None, "UTC").values()) == {None}


def test_defaults_that_the_bytes_leave_out_stand_in_the_row() -> None:
    row = fold.content_row({"title": "T", "occurred": "2025-04-15"}, "UTC")
    assert row["modality"] == "actual"
    assert row["verification"] == "reported"


@pytest.mark.parametrize(
    ("occurred", "first", "last", "precision", "year", "month"),
    [
        ("2025-04-15", "2025-04-15", "2025-04-15", "day", 2025, "2025-04"),
        ("2025-04", "2025-04-01", "2025-04-30", "month", 2025, "2025-04"),
        ("2025-33", "2025-01-01", "2025-03-31", "quarter", 2025, None),
        ("2025-24", "2025-12-01", "2026-02-28", "season", None, None),
        ("2025-04~", "2025-04-01", "2025-04-30", "month", 2025, "2025-04"),
        ("../2025-04-15", None, "2025-04-15", "open", None, None),
        ("2025-04-15/..", "2025-04-15", None, "open", None, None),
        ("2025-03/2025-04", "2025-03-01", "2025-04-30", "interval", 2025, None),
        ("-0043", "-999999999957-01-01", "-999999999957-12-31", "year", -43, None),
    ],
)
def test_a_vague_date_keeps_its_bounds_and_no_more_than_is_known(
    occurred: str,
    first: str | None,
    last: str | None,
    precision: str,
    year: int | None,
    month: str | None,
) -> None:
    row = fold.content_row({"title": "T", "occurred": occurred}, "UTC")
    found = [row[f"occurred_{part}"] for part in ("from", "to", "precision")]
    assert found == [first, last, precision]
    assert (row["occurred"], row["year"], row["month"]) == (occurred, year, month)


def test_places_are_columns_and_coordinates_numbers() -> None:
    row = fold.content_row(
        {
            "title": "T",
            "occurred": "2025",
            "place": {"name": "Odesa", "country": "UKR", "lat": "46.4825", "lon": "0"},
            "about_place": {"admin1": "Crimea", "geo_precision": 4},
        },
        "UTC",
    )
    assert (row["place"], row["country"], row["lat"], row["lon"]) == ("Odesa", "UKR", 46.4825, 0.0)
    assert isinstance(row["lon"], float)
    assert (row["admin1"], row["geo_precision"]) == (None, None)
    assert (row["about_admin1"], row["about_geo_precision"]) == ("Crimea", 4)
    assert (row["about_place"], row["about_country"], row["about_lat"]) == (None, None, None)


def test_lists_and_objects_are_json_in_raw_utf_8_and_null_when_empty() -> None:
    content = {"title": "T", "occurred": "2025", "tags": ["море", "b"], "extra": {"a": {"b": "c"}}}
    row = fold.content_row(content, "UTC")
    assert row["tags"] == '["море", "b"]'
    assert row["extra"] == '{"a": {"b": "c"}}'
    assert row["contexts"] is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("35", 35),
        ("-35", -35),
        ("0", 0),
        ("0.5", 0.5),
        ("123456789012345678", 123456789012345678),
        ("1" + "0" * 38, 1e38),
        ("-12345678901234567890", -12345678901234567890.0),
        ("0." + "0" * 37 + "1", 1e-38),
        (None, None),
    ],
)
def test_a_decimal_is_an_integer_for_sql_where_sqlite_can_hold_it(
    text: str | None, number: float | None
) -> None:
    found = fold._number(text)
    assert found == number
    assert type(found) is type(number)
    figure = {"measure": "aid", "unit": "EUR", **({"value": text} if text else {})}
    (row,) = CHILD_TABLES["event_quantities"]("e", {"quantities": [figure]})
    assert row[:8] == ("e", 1, "aid", "exact", number, None, None, "EUR")


def test_every_item_of_a_content_is_a_row_with_its_place_from_one() -> None:
    content = {
        "tags": ["a", "b"],
        "quantities": [
            {"measure": "killed", "low": "34", "high": "36.5", "unit": "person"},
            {
                "measure": "pledged",
                "qualifier": "about",
                "value": "1",
                "unit": "EUR",
                "dated": "2025",
                "reported_by": "NATO",
                "source_ids": ["nato"],
            },
        ],
        "claims": [{"speaker": "A"}, {"speaker": "B", "stance": "denies", "statement": "No."}],
        "relations": [
            {"type": "about", "event_id": "other"},
            {"type": "about", "event_id": "other", "origin": "example.org/x"},
        ],
        "media": [
            {"kind": "video", "url": "https://example.org/v"},
            {
                "kind": "image",
                "sha256": "sha256:0a",
                "url": "https://example.org/p.jpg",
                "media_type": "image/jpeg",
                "width": 640,
                "height": 480,
                "alt": "A quay",
                "caption": "The quay",
                "credit": "Mara K.",
                "licence": "CC-BY-4.0",
                "source_id": "nato",
            },
        ],
        "citations": [
            {"source_id": "nato"},
            {
                "source_id": "nato",
                "source_version": 2,
                "quote": "q",
                "quote_start": 0,
                "quote_end": 1,
                "credibility": 2,
            },
        ],
        "external_ids": ["gdelt:1"],
    }
    rows = {table: list(rows_of("e", content)) for table, rows_of in CHILD_TABLES.items()}
    assert rows == {
        "event_tags": [("e", "a"), ("e", "b")],
        "event_quantities": [
            ("e", 1, "killed", "exact", None, 34, 36.5, "person", None, None, None),
            ("e", 2, "pledged", "about", 1, None, None, "EUR", "2025", "NATO", '["nato"]'),
        ],
        "event_claims": [
            ("e", 1, "A", "asserts", None, None),
            ("e", 2, "B", "denies", "No.", None),
        ],
        "event_relations": [
            ("e", "about", "other", "", "other"),
            ("e", "about", "other", "example.org/x", None),
        ],
        "event_media": [
            ("e", 1, "video", None, "https://example.org/v", *[None] * 8),
            (
                *("e", 2, "image", "sha256:0a", "https://example.org/p.jpg", "image/jpeg"),
                *(640, 480, "A quay", "The quay", "Mara K.", "CC-BY-4.0", "nato"),
            ),
        ],
        "citations": [
            ("e", 1, "nato", None, None, None, None, None),
            ("e", 2, "nato", 2, "q", 0, 1, 2),
        ],
        "event_external_ids": [("gdelt:1", "e")],
    }


def test_search_finds_title_summary_quotes_and_all_names_once() -> None:
    content = {
        "title": "T",
        "summary": "S",
        "place": {"name": "Odesa", "admin1": "Odesa Oblast"},
        "about_place": {"name": "Odesa"},
        "participants": [{"name": "Rutte", "as_named": "Mark R."}, {"name": "Mark Rutte"}],
        "citations": [{"source_id": "a", "quote": "one"}, {"source_id": "b"}],
    }
    row = fold.search_row(content, "Mark Rutte; NATO")
    assert row == ("t", "s", "one", "mark rutte\nnato\nrutte\nmark r.", "odesa\nodesa oblast")
    assert fold.search_row({"title": "T"}, None) == ("t", None, None, None, None)


def test_names_of_actors_are_joined_each_once() -> None:
    assert fold.joined_names(["NATO", "Mark Rutte", "NATO"]) == "NATO; Mark Rutte"
    assert fold.joined_names([]) is None


# --- States and contents ----------------------------------------------------------------------


def test_the_last_state_entry_gives_the_state_and_content_entries_leave_it() -> None:
    states = {
        "event.recorded": "current",
        "event.retracted": "retracted",
        "event.reinstated": "current",
        "event.merged": "merged",
        "source.recorded": "current",
        "source.withdrawn": "withdrawn",
        "source.reinstated": "current",
    }
    for kind in (kind for kinds in codec.KINDS.values() for kind in kinds):
        assert fold.state_after(kind, "as before") == states.get(kind, "as before")


def test_recorded_updated_and_corrected_give_content_and_no_other_kind() -> None:
    kinds = [kind for what in ("event", "source") for kind in codec.KINDS[what]]
    giving = [kind for kind in kinds if fold.gives_content(kind)]
    assert giving == [
        "event.recorded",
        "event.updated",
        "event.corrected",
        "source.recorded",
        "source.updated",
    ]


def test_a_content_is_a_payload_without_author_and_reason() -> None:
    payload = codec.encode_payload("mk", "why", {"title": "T", "occurred": "2025"})
    content = codec.content_of(codec.decode_payload(payload))
    assert content == {"title": "T", "occurred": "2025"}


# --- Actors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "actor_id"),
    [
        ("Mark Rutte", "mark-rutte-89b605c5"),
        ("Володимир Зеленський", "actor-d8c503e4"),
        ("Łódź (Poland)", "odz-poland-71f6f986"),
        ("!!!", "actor-e84c538e"),
    ],
)
def test_the_id_of_a_name_is_the_same_for_ever(name: str, actor_id: str) -> None:
    """It is in URLs: these literals must not change."""
    assert actor_id_of(name) == actor_id


@pytest.mark.parametrize(
    "others",
    [
        ("Mark Rutte", "mark rutte", "  MARK  RUTTE ", "Márk Rutte"),
        ("Řehoř", "rehor", "R\u030cehor\u030c"),
        ("Straße", "STRASSE"),
        ("ﬁnland", "Finland"),
    ],
)
def test_names_that_fold_alike_have_one_id(others: tuple[str, ...]) -> None:
    assert len({actor_id_of(name) for name in others}) == 1


def test_names_that_look_alike_in_ascii_have_different_ids() -> None:
    names = ("Зеленський", "Порошенко", "a-b", "a b", "a" * 41, "a" * 42)
    assert len({actor_id_of(name) for name in names}) == len(names)


@given(st.text(min_size=1, max_size=500))
@example("The Joint Coordination Centre for " + "Humanitarian Aid " * 27)
def test_the_id_of_any_name_is_an_ascii_id_and_that_of_its_folded_form(name: str) -> None:
    actor_id = actor_id_of(name)
    assert re.fullmatch(ID_PATTERN, actor_id)
    assert actor_id.isascii()
    assert actor_id_of(fold_name(name)) == actor_id


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775808", 2.0**63),
        ("0.5", 0.5),
    ],
)
def test_a_figure_is_an_integer_for_sql_as_far_as_sqlite_has_them(text: str, value: float) -> None:
    content = {"quantities": [{"measure": "m", "value": text, "unit": "u"}]}
    (row,) = fold.CHILD_TABLES["event_quantities"]("talks", content)
    assert (row[4], type(row[4])) == (value, type(value))
