"""The facets by actor, source, tag and period, in a real Datasette, against plain SQL.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import contextlib
import csv
import html
import io
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hostile_story import HOSTILE, create, tell
from hypothesis import given, settings
from hypothesis import strategies as st
from open_datasette import IS_STABLE, Site, serving
from operations import Operation, begin, stories
from operations import tell as tell_story
from ticking_clock import TickingClock

from timeline import Timeline, demo
from timeline.model import edtf
from timeline.reading import deadline
from timeline.site import index_cache
from timeline.site.datasette_filters import EVENT_TABLES, LINKS, VALUES
from timeline.site.periods import PeriodCount, most_likely

Pairs = list[tuple[str, str]]

ALL_ON = [
    *(("_facet_value", name) for name in VALUES),
    *(("_facet_m2m", name) for name in LINKS),
    ("_facet_period", "occurred"),
]


@pytest.fixture(scope="module", autouse=True)
def from_the_index() -> Iterator[None]:
    """Selections that the facet index knows are counted by it, in timelines of any size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_cache, "SMALLEST", 0)
        yield


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Path]]:
    file = tmp_path_factory.mktemp("demo") / "timeline.db"
    demo.build(file)
    with serving(file) as site:
        yield site, file


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Path]]:
    file = tell(tmp_path_factory.mktemp("story") / "timeline.db")
    with serving(file) as site:
        yield site, file


def page(site: Site, address: str, pairs: Pairs, *, status: int = 200) -> Any:
    """The JSON of a table page: its rows as dicts, count, description and facets."""
    more = [("_extra", name) for name in ("count", "facet_results", "human_description_en")]
    more += [("_shape", "objects"), ("_nosuggest", "1")]
    answer = site.ask(f"{address}.json?{urlencode([*pairs, *more])}")
    assert answer.status == status, answer.text
    told = json.loads(answer.text)
    told["count"] = told.get("count", told.get("filtered_table_rows_count"))
    facets = told.get("facet_results", {})
    told["facets"] = facets if IS_STABLE else facets.get("results", {})
    return told


def values(told: Any, facet: str) -> dict[str, int]:
    return {value["value"]: value["count"] for value in told["facets"][facet]["results"]}


def event_ids(site: Site, table: str, pairs: Pairs) -> set[str]:
    rows = page(site, f"/timeline/{table}", [*pairs, ("_size", "max")])["rows"]
    return {row["event_id"] for row in rows}


def query(file: Path, sql: str, *parameters: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return connection.execute(sql, parameters).fetchall()


# --- Counts -------------------------------------------------------------------------------

COUNTED = {
    "actors": "SELECT x.actor_id, count(DISTINCT e.event_id) FROM {events} AS e"
    " JOIN event_actors AS x USING (event_id) WHERE {where} GROUP BY 1",
    "sources": "SELECT x.source_id, count(DISTINCT e.event_id) FROM {events} AS e"
    " JOIN citations AS x USING (event_id) WHERE {where} GROUP BY 1",
    **{
        column: f"SELECT e.{column}, count(*) FROM {{events}} AS e WHERE {{where}}"
        f" AND e.{column} IS NOT NULL GROUP BY 1"
        for column in VALUES
    },
    "tags": "SELECT x.tag, count(*) FROM {events} AS e"
    " JOIN event_tags AS x USING (event_id) WHERE {where} GROUP BY 1",
}

SELECTIONS: list[tuple[Pairs, str]] = [
    ([], "1"),
    ([("modality", "actual")], "e.modality = 'actual'"),
    ([("_search", "odesa")], "e.event_key IN (SELECT rowid FROM event_search('odesa'))"),
    ([("state__not", "current")], "e.state <> 'current'"),
    ([("_period", "2025-04")], "(e.occurred_to >= '2025-04' OR e.occurred_to IS NULL)"
     " AND (e.occurred_from < '2025-05' OR e.occurred_from IS NULL)"),
    ([("event_type", "CONSULT"), ("state__exact", "current")],
     "e.event_type = 'CONSULT' AND e.state = 'current'"),
    ([("title__contains", "a")], "e.title LIKE '%a%'"),
]  # fmt: skip


def check_counts(site: Site, file: Path) -> None:
    """Every facet of every selection has what plain SQL counts."""
    for table in EVENT_TABLES:
        for pairs, where in SELECTIONS:
            told = page(
                site,
                f"/timeline/{table}",
                [*pairs, *ALL_ON, ("_size", "0"), ("_facet_size", "max")],
            )
            for facet, sql in COUNTED.items():
                counted = dict(query(file, sql.format(events=table, where=where)))
                assert values(told, facet) == counted, (table, pairs, facet)
            rows = query(
                file,
                f"SELECT substr(occurred_from, 1, 7), substr(occurred_to, 1, 7)"
                f" FROM {table} AS e WHERE {where}",
            )
            if any(text and not text[0].isdigit() for row in rows for text in row):
                continue  # Years that this plain SQL cannot compare.
            if ("_period", "2025-04") in pairs:
                assert values(told, "occurred") == {"2025-04": len(rows)}
                continue
            for year, events in values(told, "occurred").items():
                assert events == sum(
                    (first or "") <= f"{year}~" and (last or "~") >= year for first, last in rows
                )
            named = {text[:4] for row in rows for text in row if text}
            assert named <= values(told, "occurred").keys()


@pytest.mark.parametrize("smallest", [0, 5_000])
def test_counts_are_those_of_plain_sql(
    smallest: int,
    demonstration: tuple[Site, Path],
    story: tuple[Site, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(index_cache, "SMALLEST", smallest)
    check_counts(*demonstration)
    check_counts(*story)
    assert values(page(demonstration[0], "/timeline/events", ALL_ON), "actors")


@settings(max_examples=12)
@given(told=stories)
def test_counts_of_any_log_are_those_of_plain_sql(
    tmp_path_factory: pytest.TempPathFactory, told: list[list[Operation]]
) -> None:
    file = tmp_path_factory.mktemp("any") / "timeline.db"
    with Timeline.create(file, title="Any story", now=TickingClock()) as timeline:
        begin(timeline)
        for operations in told:
            tell_story(timeline, operations)
    with serving(file) as site:
        check_counts(site, file)


@pytest.mark.parametrize("table", EVENT_TABLES)
@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [("_period", "2025")],
        [("_period", "2025-04")],
        [("_period", "first quarter of 2025"), ("modality", "actual")],
        [("_tag", "ceasefire"), ("_search", "black sea")],
        [("modality", "actual"), ("_col", "title")],
    ],
)
def test_a_click_on_a_value_shows_as_many_rows_as_it_says(
    table: str, pairs: Pairs, demonstration: tuple[Site, Path]
) -> None:
    site, _ = demonstration
    told = page(site, f"/timeline/{table}", [*pairs, *ALL_ON])
    clicked = 0
    for facet in (*VALUES, *LINKS, "occurred"):
        for value in told["facets"][facet]["results"]:
            clicks = parse_qsl(urlsplit(value["toggle_url"]).query)
            # The other facets need not be counted again.
            alone = [pair for pair in clicks if pair not in ALL_ON or pair[1] == facet]
            after = page(site, f"/timeline/{table}", alone)
            if not value["selected"]:
                assert after["count"] == value["count"], (facet, value)
                clicked += 1
                (chosen,) = (
                    other
                    for other in after["facets"][facet]["results"]
                    if other["value"] == value["value"]
                )
                assert chosen["selected"]
            else:
                assert after["count"] >= told["count"]
    assert clicked > 5


# --- Actors, sources, tags ----------------------------------------------------------------


def test_values_are_ids_and_labels_are_names_the_most_frequent_first(
    demonstration: tuple[Site, Path],
) -> None:
    site, file = demonstration
    facet = page(site, "/timeline/events", [("_facet_m2m", "actors")])["facets"]["actors"]
    labels = dict(query(file, "SELECT actor_id, name FROM actors"))
    assert all(labels[value["value"]] == value["label"] for value in facet["results"])
    order = [(-value["count"], value["label"]) for value in facet["results"]]
    assert order == sorted(order)
    assert not facet["truncated"]
    few = page(site, "/timeline/events", [("_facet_m2m", "actors"), ("_facet_size", "3")])
    assert few["facets"]["actors"]["results"] == [
        value | {"toggle_url": few["facets"]["actors"]["results"][number]["toggle_url"]}
        for number, value in enumerate(facet["results"][:3])
    ]
    assert few["facets"]["actors"]["truncated"]


def test_several_values_select_what_has_them_all(demonstration: tuple[Site, Path]) -> None:
    site, file = demonstration
    actors = {name: key for key, name in query(file, "SELECT actor_id, name FROM actors")}
    rutte, zelenskyy = actors["Mark Rutte"], actors["Volodymyr Zelenskyy"]
    with_both = {
        event_id
        for (event_id,) in query(
            file,
            "SELECT event_id FROM event_actors WHERE actor_id IN (?, ?) GROUP BY 1"
            " HAVING count(DISTINCT actor_id) = 2",
            rutte,
            zelenskyy,
        )
    }
    pairs = [("_actor", rutte), ("_actor", zelenskyy)]
    assert event_ids(site, "events", pairs) == with_both != set()
    assert page(site, "/timeline/events", pairs)["human_description_en"].startswith(
        "where actor is Mark Rutte and actor is Volodymyr Zelenskyy"
    )
    assert event_ids(site, "events", [*pairs, ("_tag", "no such tag")]) == set()


def test_a_selection_is_paged_and_exported_whole(demonstration: tuple[Site, Path]) -> None:
    site, file = demonstration
    ((actor, events),) = query(
        file,
        "SELECT actor_id, count(DISTINCT event_id) FROM event_actors GROUP BY 1 ORDER BY 2 DESC"
        " LIMIT 1",
    )
    for table in EVENT_TABLES:
        pairs = [("_actor", actor), ("_period", "2025"), ("_size", "5")]
        seen: list[str] = []
        address: Pairs | None = pairs
        while address:
            told = page(site, f"/timeline/{table}", address)
            seen += [row["event_id"] for row in told["rows"]]
            following = told.get("next_url")
            address = parse_qsl(urlsplit(following).query) if following else None
        assert len(seen) == len(set(seen)) == events
        for stream in ([], [("_stream", "1")] if table == "events" else []):
            answer = site.ask(f"/timeline/{table}.csv?{urlencode([*pairs, *stream])}")
            exported = [row["event_id"] for row in csv.DictReader(io.StringIO(answer.text))]
            assert exported == (seen if stream else seen[:5])


def test_a_click_leads_to_the_first_page(demonstration: tuple[Site, Path]) -> None:
    site, _ = demonstration
    pairs = [*ALL_ON, ("_size", "2")]
    following = page(site, "/timeline/events", pairs)["next_url"]
    told = page(site, "/timeline/events", parse_qsl(urlsplit(following).query))
    for facet in told["facets"].values():
        for value in facet["results"] if facet["type"] in ("m2m", "period") else ():
            assert "_next" not in dict(parse_qsl(urlsplit(value["toggle_url"]).query))


def test_hostile_names_are_escaped(story: tuple[Site, Path]) -> None:
    site, file = story
    ((actor,),) = query(file, "SELECT actor_id FROM actors WHERE name = ?", HOSTILE)
    text = site.ask(f"/timeline/events?{urlencode({'_actor': actor, '_tag': HOSTILE[:50]})}").text
    assert "<script>alert(" not in text
    assert f"where actor is {HOSTILE}" in html.unescape(text)
    assert f">{html.escape(HOSTILE[:10])}" in text


# --- Periods ------------------------------------------------------------------------------


def test_periods_go_from_years_to_the_months_of_one_and_back(
    story: tuple[Site, Path],
) -> None:
    site, _ = story

    def periods(pairs: Pairs) -> list[tuple[str, str, int, bool]]:
        told = page(site, "/timeline/events", [*pairs, ("_facet_period", "occurred")])
        return [
            (value["value"], value["label"], value["count"], value["selected"])
            for value in told["facets"]["occurred"]["results"]
        ]

    assert periods([]) == [("-0400", "401 BC", 2, False), ("2025", "2025", 10, False)]
    assert periods([("_period", "2025")]) == [
        ("2025", "2025", 10, True),
        ("2025-04", "April 2025", 7, False),
        ("2025-05", "May 2025", 3, False),
    ]
    assert periods([("_period", "2025-05")]) == [("2025-05", "May 2025", 3, True)]
    assert periods([("_period", "by 15 April 2025")])[0][:2] == (
        "by 15 April 2025",
        "by 15 April 2025",
    )


@given(
    spans=st.lists(
        st.builds(
            lambda first, last, open_first, open_last, events: PeriodCount(
                None if open_first else min(first, last),
                None if open_last else max(first, last),
                events,
            ),
            st.integers(-9, 9),
            st.integers(-9, 9),
            st.booleans(),
            st.booleans(),
            st.integers(1, 5),
        )
    ),
    size=st.integers(0, 30),
    within=st.none() | st.tuples(st.integers(-12, 0), st.integers(0, 12)),
)
def test_periods_are_those_that_events_name_with_all_that_could_be_in_them(
    spans: list[PeriodCount], size: int, within: tuple[int, int] | None
) -> None:
    first, last = within or (-20, 20)
    named = {
        period
        for span in spans
        for bounds in [[bound for bound in span[:2] if bound is not None]]
        if bounds
        for period in range(bounds[0], bounds[-1] + 1)
        if first <= period <= last
    }
    counts = {
        period: sum(
            span.events
            for span in spans
            if (span.first is None or span.first <= period)
            and (span.last is None or period <= span.last)
        )
        for period in named
    }
    likely = sorted(counts, key=lambda period: (counts[period], period), reverse=True)[:size]
    expected = [(period, counts[period]) for period in sorted(likely)]
    assert most_likely(spans, size, within) == (expected, len(named) > size)


def test_a_span_of_all_time_is_counted_at_once() -> None:
    spans = [PeriodCount(-13_800_000_000, 2025, 1), PeriodCount(2024, None, 3)]
    assert most_likely(spans, 3) == ([(2023, 1), (2024, 4), (2025, 4)], True)


@pytest.mark.parametrize(
    "occurred",
    ["-0400", "Y-13800000000", "Y17000", "0000", "0950", "9999", "-9999-12", "2025-12-31T10"],
)
def test_every_year_can_be_chosen(occurred: str, tmp_path: Path) -> None:
    file = create(tmp_path / "timeline.db")
    with Timeline.open(file) as timeline:
        timeline.record({"title": "Some day", "occurred": occurred})
    with serving(file) as site:
        told = page(site, "/timeline/events", [("_facet_period", "occurred")])
        (year,) = told["facets"]["occurred"]["results"]
        assert edtf.parse(year["value"]).year == edtf.parse(occurred).year
        assert page(site, "/timeline/events", [("_period", year["value"])])["count"] == 1


# --- What is refused, and where nothing is offered ----------------------------------------


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        ([("_facet_m2m", "nobody")], "_facet_m2m: nobody is none of actors, sources, tags"),
        ([("_facet_m2m", '{"a": 1}')], '_facet_m2m: {"a": 1} is none of actors, sources, tags'),
        ([("_facet_period", "recorded")], "_facet_period: recorded is none of occurred"),
        ([("_period", "04/05/2025")], '_period: "04/05/2025" can be read as 4 May 2025'),
        ([("_period", "2025-02-30")], "_period: "),
    ],
)
@pytest.mark.parametrize("table", EVENT_TABLES)
def test_what_cannot_be_read_is_a_bad_request(
    table: str, pairs: Pairs, problem: str, demonstration: tuple[Site, Path]
) -> None:
    told = page(demonstration[0], f"/timeline/{table}", pairs, status=400)
    assert problem in told["error"]
    assert demonstration[0].ask(f"/timeline/{table}?{urlencode(pairs)}").status == 400


@pytest.mark.parametrize(
    "pairs", [[("_actor", "")], [("_actor", "nobody")], [("_tag", "\x00'\"")], [("_source", "ß")]]
)
def test_unknown_values_find_nothing_and_empty_ones_say_nothing(
    pairs: Pairs, demonstration: tuple[Site, Path]
) -> None:
    count = page(demonstration[0], "/timeline/events", [*pairs, *ALL_ON])["count"]
    assert (count > 0) == (pairs[0][1] == "")


def test_other_tables_and_other_databases_have_none_of_it(
    demonstration: tuple[Site, Path], tmp_path: Path
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as connection, connection:
        connection.execute("CREATE TABLE events (event_id TEXT PRIMARY KEY, occurred_from TEXT)")
        connection.execute("CREATE TABLE event_actors (event_id TEXT, actor_id TEXT)")
        connection.execute("INSERT INTO events VALUES ('a', '2025'), ('b', '2026')")
        connection.execute("INSERT INTO event_actors VALUES ('a', 'x'), ('b', 'y')")
    pairs = [*ALL_ON, ("_facet_m2m", "nobody"), ("_actor", "x"), ("_period", "2030")]
    with serving(demonstration[1], tmp_path / "other.db") as site:
        for address in ("/other/events", "/timeline/actors", "/timeline/event_actors"):
            told = page(site, address, pairs)
            types = {facet["type"] for facet in told["facets"].values()}
            assert types <= {"column"}
            assert told["count"] == page(site, address, [])["count"] > 0
            text = site.ask(address).text
            assert "_facet_m2m" not in text
            assert "_facet_period" not in text


def test_they_are_suggested_where_metadata_does_not_name_them(tmp_path: Path) -> None:
    file = tell(tmp_path / "Other story (2).db")
    with serving(file) as site:
        address = str(site.datasette.urls.table(file.stem, "events"))
        text = html.unescape(site.ask(address).text)
        suggested = re.findall(r"[?&](_facet_(?:m2m|period)=\w+)", text)
        assert suggested == [
            "_facet_m2m=actors",
            "_facet_m2m=sources",
            "_facet_m2m=tags",
            "_facet_period=occurred",
        ]
        text = html.unescape(site.ask(f"{address}?_tag=talks&_facet_m2m=actors").text)
        assert "_facet_m2m=sources" not in text  # One event, one source.


def test_two_timelines_under_a_prefix_keep_apart(
    demonstration: tuple[Site, Path], story: tuple[Site, Path], tmp_path: Path
) -> None:
    second = tmp_path / "second.db"
    second.write_bytes(story[1].read_bytes())
    with serving(demonstration[1], second, settings={"base_url": "/prefix/"}) as site:
        for name, tag in (("timeline", "ceasefire"), ("second", "talks")):
            told = page(site, f"/{name}/events", ALL_ON)
            assert tag in values(told, "tags")
            for facet in told["facets"].values():
                for value in facet["results"] if facet["type"] in ("m2m", "period") else ():
                    assert urlsplit(value["toggle_url"]).path == f"/prefix/{name}/events.json"
            (toggle,) = (
                value["toggle_url"]
                for value in told["facets"]["tags"]["results"]
                if value["value"] == tag
            )
            address = urlsplit(toggle)
            after = page(
                site,
                address.path.removeprefix("/prefix").removesuffix(".json"),
                parse_qsl(address.query),
            )
            assert after["count"] == values(told, "tags")[tag]


def test_a_table_that_a_reader_may_not_see_is_not_counted(story: tuple[Site, Path]) -> None:
    closed = {"databases": {"timeline": {"tables": {"citations": {"allow": False}}}}}
    with serving(story[1], config=closed) as site:
        told = page(site, "/timeline/events", ALL_ON)
        assert "sources" not in told["facets"]
        assert values(told, "actors")
        assert site.ask("/timeline/events?_source=agency").status == 403


def test_facets_that_the_index_takes_too_long_to_count_are_said_to_have_timed_out(
    demonstration: tuple[Site, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    site, _ = demonstration
    monkeypatch.setattr(deadline, "_STEPS", 1)
    monkeypatch.setattr(deadline._Deadline, "is_over", lambda self: True)
    answer = site.ask(f"/timeline/events?{urlencode([*ALL_ON, ('_search', 'odesa')])}")
    assert answer.status == 200
    names = re.findall(r"These facets timed out: (.*?)</p>", answer.text)[0].split(", ")
    assert {*names} == {*VALUES, *LINKS, "occurred"}
