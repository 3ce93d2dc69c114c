"""Likely twins of a log: found among many, and never those that it tells apart."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from running import done, widest

from timeline import Timeline
from timeline.reading.twins.actors import actor_twins
from timeline.reading.twins.events import event_twins
from timeline.store import storage

Who = dict[str, Any]


def with_actors(timeline: Timeline, *events: list[str | Who]) -> None:
    """Record an event for each list of participants."""
    timeline.record(
        {
            "title": f"Event {number}",
            "occurred": f"{1900 + number}",
            "participants": [{"name": who} if isinstance(who, str) else who for who in several],
        }
        for number, several in enumerate(events)
    )


def actor_pairs(path: Path) -> list[tuple[str, str]]:
    """The names of the pairs: whom to merge, and into whom."""
    with contextlib.closing(storage.connect(path)) as connection:
        return [(twins.actor["name"], twins.into["name"]) for twins in actor_twins(connection)]


# --- Actors -------------------------------------------------------------------------------


def test_the_one_in_more_events_with_the_fuller_name_stays(path: Path, timeline: Timeline) -> None:
    with_actors(
        timeline,
        *[["NATO"]] * 2,
        ["North Atlantic Treaty Organization"],
        *(
            [name]
            for name in (
                "President Zelenskyy",
                "V. Zelenskyy",
                "Volodymyr Zelensky",
                "Volodymyr Zelenskyy",
                "Zelenskyy Volodymyr",
            )
        ),
    )
    assert sorted(actor_pairs(path)) == [
        ("North Atlantic Treaty Organization", "NATO"),
        ("President Zelenskyy", "Volodymyr Zelenskyy"),
        ("V. Zelenskyy", "Volodymyr Zelenskyy"),
        ("Volodymyr Zelensky", "Volodymyr Zelenskyy"),
        ("Zelenskyy Volodymyr", "Volodymyr Zelenskyy"),
    ]


def test_a_recorded_actor_stays_and_merged_ones_are_no_twins(
    path: Path, timeline: Timeline
) -> None:
    with_actors(timeline, *[["Mark Rutte"]] * 3, ["Mark Rute"])
    done("-d", path, "actor", "add", "Mark Rute")
    assert actor_pairs(path) == [("Mark Rutte", "Mark Rute")]
    done("-d", path, "actor", "merge", "Mark Rutte", "--into", "Mark Rute")
    assert actor_pairs(path) == []


def test_an_alias_is_compared_too(path: Path, timeline: Timeline) -> None:
    with_actors(timeline, ["Kaja Kallas"], ["High Represantative"])
    done("-d", path, "actor", "alias", "Kaja Kallas", "High Representative")
    assert actor_pairs(path) == [("High Represantative", "Kaja Kallas")]


@pytest.mark.parametrize(
    "two",
    [
        (["Mark Rutte", "Mark Rute"], []),
        (["Mark Rutte"], [{"name": "Mark Rute", "actor_id": "rute"}, "Mark Rutte"]),
        (["Zelenskyy", "Volodymyr Zelenskyy"], []),
        (["Zelenskyy"], ["Volodymyr Zelenskyy", "Oleh Zelenskyy"]),
        (
            [{"name": "John Smith", "actor_id": "smith-mp"}],
            [{"name": "John Smith", "actor_id": "smith-poet"}],
        ),
        ([{"name": "Anna Nowak", "country": "POL"}], [{"name": "Anna Novak", "country": "CZE"}]),
        ([{"name": "Anna Nowak", "wikidata": "Q1"}], [{"name": "Anna Novak", "wikidata": "Q2"}]),
    ],
    ids=str,
)
def test_who_is_told_apart_is_no_twin(
    path: Path, timeline: Timeline, two: tuple[list[Any], list[Any]]
) -> None:
    with_actors(timeline, *two)
    assert actor_pairs(path) == []


def test_names_of_the_same_words_in_one_event_are_told_last(path: Path, timeline: Timeline) -> None:
    with_actors(timeline, ["the Kremlin", "Kremlin"], ["Anna Nowak"], ["Ana Nowak"])
    assert actor_pairs(path)[1:] == [("the Kremlin", "Kremlin")]
    shown = done("-d", path, "actor", "suggest")
    assert 'the same but for "the"; 1 event in common' in shown


def test_one_wikidata_item_is_one_actor_whatever_the_names(path: Path, timeline: Timeline) -> None:
    with_actors(
        timeline,
        [{"name": "Volodymyr Zelenskyy", "wikidata": "Q3874799"}],
        [{"name": "President of Ukraine", "wikidata": "Q3874799"}],
    )
    assert len(actor_pairs(path)) == 1


# --- Events -------------------------------------------------------------------------------

STRIKE: dict[str, Any] = {
    "title": "Missile strike on Sumy",
    "occurred": "2025-04-13",
    "place": {"name": "Sumy", "country": "UKR"},
    "participants": [{"name": "Armed forces of Russia"}],
}


def event_pairs(path: Path, timeline: Timeline, *changes: dict[str, Any]) -> list[str]:
    """Why the strike and the same with changes may be one."""
    timeline.record(STRIKE)
    for change in changes:
        timeline.record({**STRIKE, **change})
    with contextlib.closing(storage.connect(path)) as connection:
        return [twins.why for twins in event_twins(connection)]


@pytest.mark.parametrize(
    "change",
    [
        {"summary": "Told by another source"},
        {"title": "The missile strike on SUMY"},
        {"title": "Missile strikes on Sumy"},
        {"title": "Ballistic missile strike on Sumy"},
        {"title": "Strike on Sumy: missile"},
        {"occurred": "2025-04-13T10:15"},
        {"occurred": "2025-04"},
        {"occurred": "2025"},
        {"occurred": "2025-04-10/2025-04-14"},
        {"place": None},
        {"participants": []},
        {"participants": [{"name": "Armed forces of Russia"}, {"name": "Ukraine"}]},
    ],
    ids=str,
)
def test_an_event_told_twice_is_a_likely_twin(
    path: Path, timeline: Timeline, change: dict[str, Any]
) -> None:
    assert len(event_pairs(path, timeline, change)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"occurred": "2024-04-13"},
        {"occurred": "2026"},
        {"occurred": "2025-04-14"},
        {"title": "Drone strike on Sumy"},
        {"title": "Missile strike 2 on Sumy"},
        {"title": "Strike"},
        {"place": {"name": "Kharkiv", "country": "UKR"}},
        {"place": {"name": "Sumy", "country": "RUS"}},
        {"participants": [{"name": "Ukraine"}]},
    ],
    ids=str,
)
def test_what_differs_in_the_year_or_another_thing_that_counts_is_no_twin(
    path: Path, timeline: Timeline, change: dict[str, Any]
) -> None:
    assert event_pairs(path, timeline, change) == []


@pytest.mark.parametrize(
    ("one", "other"), [("2024", "2025"), ("2024", "2025-06-14"), ("before 2020", "2021")]
)
def test_events_alike_in_all_but_the_year_are_no_twins(
    path: Path, timeline: Timeline, one: str, other: str
) -> None:
    assert (
        event_pairs(
            path,
            timeline,
            {"title": "NATO summit", "occurred": one},
            {"title": "NATO summit", "occurred": other},
        )
        == []
    )


def test_what_a_relation_or_a_list_tells_apart_is_no_twin(path: Path, timeline: Timeline) -> None:
    event_pairs(path, timeline, {"event_id": "again", "external_ids": ["ucdp:1"]})
    timeline.record({**STRIKE, "event_id": "more", "external_ids": ["ucdp:2"]})
    timeline.record(
        {
            **STRIKE,
            "event_id": "part",
            "relations": [
                {"type": "part_of", "event_id": row["event_id"]} for row in timeline.list()
            ],
        }
    )
    with contextlib.closing(storage.connect(path)) as connection:
        pairs = [
            {twins.event["event_id"], twins.into["event_id"]} for twins in event_twins(connection)
        ]
    assert len(pairs) == 2
    assert not any("part" in pair or pair == {"again", "more"} for pair in pairs)


def test_what_is_known_as_badly_is_compared_whatever_the_dates(
    path: Path, timeline: Timeline
) -> None:
    for occurred in ("before 2020", "195X", "Y-13800000000", "1900/1950"):
        for _ in range(2):
            timeline.record({"title": "Long ago", "occurred": occurred})
    with contextlib.closing(storage.connect(path)) as connection:
        assert len(event_twins(connection)) == 4


def test_retracted_and_merged_events_are_no_twins(path: Path, timeline: Timeline) -> None:
    assert len(event_pairs(path, timeline, {"event_id": "again"})) == 1
    (kept,) = (row["event_id"] for row in timeline.list() if row["event_id"] != "again")
    timeline.merge("again", kept)
    with contextlib.closing(storage.connect(path)) as connection:
        assert event_twins(connection) == []


# --- The command --------------------------------------------------------------------------


def test_every_command_that_is_suggested_can_be_run(path: Path, timeline: Timeline) -> None:
    with_actors(timeline, ["Mark Rutte"], ["Mark Ruttte"], ["M. Rutte"])
    timeline.record([{**STRIKE, "event_id": "one"}, {**STRIKE, "event_id": "two"}])
    shown = done("-d", path, "actor", "suggest")
    commands = [
        line.split()
        for line in shown.replace("\\\n", "").splitlines()
        if line.startswith("  timeline ")
    ]
    assert len(commands) == 3
    for _, *arguments in commands:
        done("-d", path, *arguments)
    assert json.loads(done("-d", path, "actor", "suggest", "--json")) == {
        "actors": [],
        "events": [],
    }
    listed = json.loads(done("-d", path, "actor", "list", "--json"))
    assert [row["events"] for row in listed] == [3, 1, 0, 0]


def test_one_name_in_several_scripts_is_suggested_with_the_reason(
    path: Path, timeline: Timeline
) -> None:
    with_actors(
        timeline,
        ["Volodymyr Zelenskyy"],
        ["Володимир Зеленський"],
        ["Βολοντίμιρ Ζελένσκι"],
        ["فولوديمير زيلينسكي"],
        ["Olena Zelenska"],
        ["Олена Зеленська"],
    )
    found = json.loads(done("-d", path, "actor", "suggest", "--json"))["actors"]
    listed = json.loads(done("-d", path, "actor", "list", "--json"))
    name_of = {row["actor_id"]: row["name"] for row in listed}
    pairs = [{name_of[each["actor_id"]], name_of[each["into"]]} for each in found]
    assert {"Olena Zelenska", "Олена Зеленська"} in pairs
    others = [pair for pair in pairs if "Olena Zelenska" not in pair]
    assert len(others) == 3
    assert set().union(*others) == {
        "Volodymyr Zelenskyy",
        "Володимир Зеленський",
        "Βολοντίμιρ Ζελένσκι",
        "فولوديمير زيلينسكي",
    }
    assert all("Latin letters" in each["why"] for each in found)


def test_suggestions_are_harmless_and_fit_the_terminal(path: Path, timeline: Timeline) -> None:
    with_actors(
        timeline, ["Red \x07 Cross of the Far North"], ["the Red \x07 Cross of the Far North"]
    )
    timeline.record([{**STRIKE, "title": "A\x1b[31m " + "word " * 30}] * 2)
    shown = done("-d", path, "actor", "suggest")
    assert "\x07" not in shown
    assert "\x1b" not in shown
    assert widest(shown) <= 80
