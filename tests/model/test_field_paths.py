"""Paths into a content, and changes by path."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import InvalidInput
from timeline.model import field_paths


def content() -> dict[str, Any]:
    return {
        "title": "Talks",
        "place": {"name": "Odesa", "country": "UKR"},
        "tags": ["a", "b", "c"],
        "quantities": [{"measure": "killed", "value": "35"}, {"measure": "injured", "value": "2"}],
        "extra": {"a.b": {"c/d": "1", "e~f": "2"}},
    }


def refusal(*changes: tuple[str, object]) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        field_paths.changed(content(), dict(changes))
    assert str(caught.value).isprintable()
    return caught.value


# --- Steps ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("title", ["title"]),
        ("quantities.0.value", ["quantities", "0", "value"]),
        ("/quantities/0/value", ["quantities", "0", "value"]),
        ("/extra/a.b/c~1d", ["extra", "a.b", "c/d"]),
        ("/extra/a.b/e~0f", ["extra", "a.b", "e~f"]),
        ("/~01", ["~1"]),
        ("tags.-", ["tags", "-"]),
    ],
)
def test_a_path_is_a_pointer_of_rfc_6901_or_the_same_with_dots(path: str, steps: list[str]) -> None:
    assert field_paths.steps(path) == steps


@pytest.mark.parametrize("path", ["", ".", "/", "a.", ".a", "a..b", "/a/", "//a"])
def test_a_path_with_an_empty_step_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput, match="is not a path: write one such as place"):
        field_paths.steps(path)


@given(st.lists(st.text(min_size=1), min_size=1))
def test_an_escaped_pointer_gives_its_steps_back(steps: list[str]) -> None:
    pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
    assert field_paths.steps(pointer) == steps


# --- Changes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": "T"}, {"title": "T"}),
        ({"place.name": "Kyiv"}, {"place": {"name": "Kyiv", "country": "UKR"}}),
        ({"/place/name": "Kyiv"}, {"place": {"name": "Kyiv", "country": "UKR"}}),
        ({"tags.1": "x"}, {"tags": ["a", "x", "c"]}),
        ({"tags.-": "d"}, {"tags": ["a", "b", "c", "d"]}),
        ({"tags.3": "d"}, {"tags": ["a", "b", "c", "d"]}),
        ({"tags.3": "d", "tags.4": "e"}, {"tags": ["a", "b", "c", "d", "e"]}),
        ({"tags": ["x"]}, {"tags": ["x"]}),
        ({"/extra/a.b/c~1d": "9"}, {"extra": {"a.b": {"c/d": "9", "e~f": "2"}}}),
        # What is missing on the way is made.
        ({"about_place.country": "RUS"}, {"about_place": {"country": "RUS"}}),
        ({"claims.0.speaker": "NATO"}, {"claims": [{"speaker": "NATO"}]}),
        ({"claims.-.speaker": "NATO"}, {"claims": [{"speaker": "NATO"}]}),
        (
            {"claims.0.speaker": "NATO", "claims.0.stance": "denies"},
            {"claims": [{"speaker": "NATO", "stance": "denies"}]},
        ),
        ({"relations.-": {"type": "about"}}, {"relations": [{"type": "about"}]}),
    ],
)
def test_a_change_replaces_what_is_at_its_path_and_nothing_else(
    changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert field_paths.changed(content(), changes) == {**content(), **expected}


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize(
    ("path", "field", "left"),
    [
        ("place.name", "place", {"country": "UKR"}),
        ("tags.0", "tags", ["b", "c"]),
        ("tags.2", "tags", ["a", "b"]),
        ("tags.3", "tags", ["a", "b", "c"]),
        ("tags.-", "tags", ["a", "b", "c"]),
        ("quantities.0", "quantities", [{"measure": "injured", "value": "2"}]),
        ("quantities.1.value", "quantities", [content()["quantities"][0], {"measure": "injured"}]),
    ],
)
def test_nothing_takes_out_what_is_at_the_path(
    nothing: str | None, path: str, field: str, left: object
) -> None:
    assert field_paths.changed(content(), {path: nothing}) == {**content(), field: left}


def test_nothing_takes_out_a_whole_field_and_may_find_it_gone() -> None:
    assert "tags" not in field_paths.changed(content(), {"tags": None})
    assert field_paths.changed(content(), {"note": None}) == content()
    assert field_paths.changed({}, {"place.name": ""}) == {"place": {}}


def test_zero_and_false_are_not_nothing() -> None:
    assert field_paths.changed({}, {"quantities.0.value": 0}) == {"quantities": [{"value": 0}]}
    assert field_paths.changed({}, {"a": False}) == {"a": False}


def test_items_are_counted_as_they_stand_before_all_changes() -> None:
    """Two removals in one update: the first does not move what the second means."""
    assert field_paths.changed(content(), {"tags.0": None, "tags.1": None})["tags"] == ["c"]
    changes = {"quantities.0": None, "quantities.1.value": "3", "tags.0": "", "tags.-": "d"}
    changed = field_paths.changed(content(), changes)
    assert changed["quantities"] == [{"measure": "injured", "value": "3"}]
    assert changed["tags"] == ["b", "c", "d"]


@given(st.sets(st.integers(0, 5)), st.permutations(range(6)))
def test_removals_in_any_order_leave_the_other_items(gone: set[int], order: list[int]) -> None:
    changes = {f"items.{index}": None for index in order if index in gone}
    changed = field_paths.changed({"items": list("abcdef")}, changes)
    assert changed["items"] == [x for i, x in enumerate("abcdef") if i not in gone]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("tags.4", 'there is no item "4": the items are 0 to 2; - adds one'),
        ("tags.x", 'there is no item "x"'),
        ("tags.-1", 'there is no item "-1"'),
        ("tags.01", 'there is no item "01"'),
        ("tags.\u0663", "there is no item"),
        ("tags.9999999999", "there is no item"),
        ("claims.1.speaker", "the items are none yet"),
        ("title.x", "leads nowhere: what stands before it has no fields"),
        ("quantities.0.value.x", "leads nowhere"),
    ],
)
def test_a_step_that_leads_nowhere_is_refused_with_its_path(path: str, problem: str) -> None:
    error = refusal((path, "v"))
    assert error.field == path
    assert problem in error.problem


def test_nothing_can_be_put_into_an_item_that_is_taken_out() -> None:
    error = refusal(("quantities.0", None), ("quantities.0.value", "3"))
    assert error.field == "quantities.0.value"


def test_what_is_given_is_never_altered() -> None:
    given, place = content(), {"name": "Kyiv"}
    changes = {"place": place, "place.country": "UKR", "tags.0": None, "quantities.0.value": "9"}
    before = copy.deepcopy(changes)
    changed = field_paths.changed(given, changes)
    assert given == content()
    assert changes == before
    changed["place"]["name"] = "Lviv"
    assert place == {"name": "Kyiv"}


def test_pairs_may_name_one_path_more_than_once() -> None:
    changes = [("tags.-", "a"), ("tags.-", "b")]
    assert field_paths.changed({"tags": ["z"]}, changes) == {"tags": ["z", "a", "b"]}
