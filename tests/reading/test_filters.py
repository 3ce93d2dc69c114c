"""Filters that exclude, that ask for all of several values, and that choose a range of figures."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operations import Operation, stories, told
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.errors import InvalidInput
from timeline.reading import facet_index
from timeline.reading.as_of import AsOf
from timeline.reading.filters import MATCHED
from timeline.reading.indexed_selection import IndexedSelection
from timeline.reading.past_tables import tables_as_of
from timeline.reading.selection import Selection
from timeline.store import storage


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Timeline]:
    path = tmp_path_factory.mktemp("talks") / "timeline.db"
    with Timeline.create(path, title="Talks", now=TickingClock()) as timeline:
        begin_with = {"title": "T", "occurred": "2025"}
        timeline.record(
            {"event_id": event_id, **begin_with, **fields}
            for event_id, fields in {
                "both": {
                    "participants": [{"name": "NATO"}, {"name": "EU"}],
                    "tags": ["war", "aid"],
                    "place": {"country": "UA"},
                    "quantities": [{"measure": "killed", "value": 20, "qualifier": "more_than"}],
                },
                "nato": {
                    "participants": [{"name": "NATO"}],
                    "tags": ["war"],
                    "place": {"country": "NL"},
                    "quantities": [{"measure": "pledged", "value": "1e9", "unit": "EUR"}],
                },
                "only-eu": {"participants": [{"name": "EU"}], "verification": "disputed"},
                "none": {"quantities": [{"measure": "killed", "low": 5, "high": 15}]},
            }.items()
        )
        timeline.record({"event_id": "gone", **begin_with})
        timeline.retract("gone", reason="Wrong")
        yield timeline


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"actor": ["NATO", "EU"]}, {"both", "nato", "only-eu"}),
        ({"actor": ["NATO", "EU"], "actor_match": "any"}, {"both", "nato", "only-eu"}),
        ({"actor": ["NATO", "EU"], "actor_match": "All"}, {"both"}),
        ({"actor": ("NATO",), "actor_match": "all"}, {"both", "nato"}),
        ({"actor_match": "all"}, {"both", "nato", "only-eu", "none"}),
        ({"tag": ["WAR", "aid"], "tag_match": "all"}, {"both"}),
        ({"not_actor": "NATO"}, {"only-eu", "none"}),
        ({"not_actor": ["NATO", "EU"]}, {"none"}),
        ({"not_actor": "nobody"}, {"both", "nato", "only-eu", "none"}),
        ({"actor": "NATO", "not_actor": "EU"}, {"nato"}),
        ({"not_country": "Ukraine"}, {"nato", "only-eu", "none"}),
        ({"not_event_type": "AID"}, {"both", "nato", "only-eu", "none"}),
        ({"not_verification": "disputed", "not_tag": "war"}, {"none"}),
        ({"not_state": "current"}, {"gone"}),
        ({"not_state": ["retracted", "erased"]}, {"both", "nato", "only-eu", "none"}),
        ({"state": "all", "not_state": "current"}, {"gone"}),
        ({"not_at_risk": "no"}, set()),
        ({"actor": []}, {"both", "nato", "only-eu", "none"}),
        ({"measure": "killed"}, {"both", "none"}),
        ({"measure": "Killed", "at_least": 16}, {"both"}),
        ({"measure": "killed", "at_least": 1_000}, {"both"}),
        ({"measure": "killed", "at_most": 20}, {"none"}),
        ({"measure": "killed", "at_most": 20.5}, {"both", "none"}),
        ({"measure": "killed", "at_least": "6", "at_most": "7"}, {"none"}),
        ({"measure": "killed", "at_most": 4}, set()),
        ({"measure": ["killed", "pledged"], "at_least": "1,000"}, {"both", "nato"}),
        ({"measure": "pledged", "unit": "EUR"}, {"nato"}),
        ({"measure": "pledged", "unit": "USD"}, set()),
        ({"measure": "killed", "unit": "Person", "at_least": 10, "tag": "war"}, {"both"}),
    ],
)
def test_values_are_excluded_asked_for_together_and_measured(
    talks: Timeline, filters: dict[str, Any], expected: set[str]
) -> None:
    assert {row["event_id"] for row in talks.list(**filters)} == expected
    assert {row["event_id"] for row in talks.list(**filters, as_of="2035-01-01")} == expected
    with contextlib.closing(storage.connect(talks.path)) as connection:
        index = facet_index.current(connection, None)
        assert index is not None
        assert {*IndexedSelection(connection, index, filters).newest()} == expected


@pytest.mark.parametrize(
    ("filters", "problem"),
    [
        ({"actor": "NATO", "actor_match": "none"}, 'actor_match: "none" is none of any, all'),
        ({"country_match": "all"}, "country_match: is not a filter"),
        ({"not_place": "Odesa"}, "not_place: is not a filter"),
        ({"not_country": "Ukrain"}, "not_country: .* did you mean"),
        ({"not_state": "all"}, "not_state: leaves no event: write the states to leave out"),
        ({"at_least": 5}, "at_least: needs a measure beside it, such as killed"),
        ({"unit": "EUR"}, "unit: needs a measure beside it"),
        ({"measure": "killed", "at_least": "many"}, 'at_least: "many" is not a number: write one'),
        ({"measure": "killed", "at_least": "1e5"}, "is not a number"),
        ({"measure": "killed", "at_most": "1" + "0" * 39}, "at_most: is too large: at most 1e38"),
        (
            {"measure": "killed", "at_least": 9, "at_most": 3},
            "at_most: is less than at_least: write the larger number here",
        ),
        ({"measure": "killed", "unit": "XXY"}, "unit: "),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused_by_name(
    talks: Timeline, filters: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidInput, match=problem):
        talks.list(**filters)


# --- Ranges of figures --------------------------------------------------------------------

_number = st.sampled_from((0, 1, 2, 3, "2.5", 1_000))
_figure = st.fixed_dictionaries(
    {"measure": st.sampled_from(("killed", "lost")), "unit": st.sampled_from(("person", "car"))},
    optional={
        "value": _number,
        "low": _number,
        "high": _number,
        "qualifier": st.sampled_from(("exact", "more_than", "at_least", "about")),
    },
).filter(lambda figure: not figure.keys().isdisjoint(("value", "low", "high")))
_bound = st.none() | st.sampled_from((0, 1, 2, 2.5, 3, 1_000))


def may_be(figure: dict[str, Any], at_least: float | None, at_most: float | None) -> bool:
    """Whether a figure may be in a range: some number in it is one that the figure allows."""
    said = [float(figure[key]) for key in ("value", "low", "high") if key in figure]
    tried = [-1e40, 1e40, *(number + step for number in said for step in (-0.25, 0, 0.25))]
    tried += [bound for bound in (at_least, at_most) if bound is not None]
    qualifier = figure.get("qualifier")
    has_no_end = "high" not in figure and (
        "value" not in figure or qualifier in ("more_than", "at_least")
    )
    has_no_start = "value" not in figure and "low" not in figure
    return any(
        (has_no_start or number >= min(said))
        and (has_no_end or number <= max(said))
        and (qualifier != "more_than" or "high" in figure or number != min(said))
        and (at_least is None or number >= at_least)
        and (at_most is None or number <= at_most)
        for number in tried
    )


@settings(max_examples=30)
@given(
    st.lists(st.lists(_figure, max_size=3), min_size=1, max_size=12),
    st.lists(st.tuples(_bound, _bound, st.sampled_from((None, "car"))), min_size=5, max_size=20),
)
def test_an_event_is_in_a_range_if_one_of_its_figures_may_be(
    stories_of: list[list[dict[str, Any]]], ranges: list[tuple[Any, Any, str | None]]
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Timeline.create(Path(folder) / "t.db", title="T") as timeline,
    ):
        timeline.record(
            {"event_id": f"e-{n}", "title": "T", "occurred": "2025", "quantities": figures}
            for n, figures in enumerate(stories_of)
        )
        with contextlib.closing(storage.connect(timeline.path)) as connection:
            index = facet_index.current(connection, None)
            assert index is not None
            for at_least, at_most, unit in ranges:
                if at_least is not None and at_most is not None and at_least > at_most:
                    continue
                asked = {"measure": "killed", "unit": unit, "at_least": at_least}
                asked["at_most"] = at_most
                wanted = {
                    f"e-{n}"
                    for n, figures in enumerate(stories_of)
                    if any(
                        each["measure"] == "killed"
                        and unit in (None, each["unit"])
                        and may_be(each, at_least, at_most)
                        for each in figures
                    )
                }
                assert {*Selection(connection, asked).newest()} == wanted
                assert {*IndexedSelection(connection, index, asked).newest()} == wanted


# --- Counts of what a further choice would leave ------------------------------------------

_VALUES = {
    "event_type": ("CONSULT", "ASSAULT"),
    "actor": ("zel", "rutte", "nato", "nobody"),
    "country": ("UKR", "NLD"),
    "tag": ("war", "peace", "łódź", "none"),
    "source": ("paper", "radio"),
    "verification": ("disputed", "reported"),
    "state": ("current", "retracted"),
}
_facet = st.sampled_from([*_VALUES])


def of_values(prefix: str) -> st.SearchStrategy[dict[str, list[str]]]:
    return st.lists(_facet, max_size=2, unique=True).flatmap(
        lambda names: st.fixed_dictionaries(
            {
                f"{prefix}{name}": st.lists(
                    st.sampled_from(_VALUES[name]), min_size=1, max_size=2, unique=True
                )
                for name in names
            }
        )
    )


def as_if_chosen(filters: dict[str, Any], name: str, value: str) -> dict[str, Any]:
    """The filters after a reader chose one more value of a facet, among the others."""
    also = filters.get(name, []) if filters.get(f"{name}_match") == "all" else []
    excluded = [each for each in filters.get(f"not_{name}", []) if each != value]
    return {**filters, name: [*also, value], f"not_{name}": excluded}


@settings(max_examples=40)
@given(
    stories,
    of_values(""),
    of_values("not_"),
    st.lists(st.sampled_from(MATCHED), unique=True),
    st.none() | st.just("odesa"),
    st.randoms(),
)
def test_a_count_is_the_number_of_events_that_the_choice_would_leave(
    story: list[list[Operation]],
    chosen: dict[str, list[str]],
    excluded: dict[str, list[str]],
    matched: list[str],
    text: str | None,
    chance: Random,
) -> None:
    filters: dict[str, Any] = {**chosen, **excluded}
    filters |= {f"{name}_match": "all" for name in matched}
    with told(story) as connection:
        index = facet_index.current(connection, None)
        assert index is not None
        for point in (AsOf(), AsOf(chance.randint(0, index.seq))):
            with (
                tables_as_of(connection, point) as tables,
                contextlib.closing(
                    IndexedSelection(connection, index, filters, text, point=point)
                ) as found,
            ):
                for name, values in _VALUES.items():
                    rows = found.choices(name, also=values).rows
                    assert {*values} <= {row["value"] for row in rows}
                    for row in rows:
                        if point != AsOf() and name == "actor" and not row["count"]:
                            continue
                        asked = as_if_chosen(filters, name, str(row["value"]))
                        assert row["count"] == Selection(tables, asked, text).count()
