"""Actors by the commands: whom names mean, what a merge changes, and what it leaves alone."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from once_accepted import as_once_accepted
from running import done, entries, one_line, run, widest
from tables import derived

from timeline import Timeline
from timeline.model.names import actor_id_of
from timeline.projection.tables import rebuild
from timeline.store import storage

ZELENSKYY, RUTTE = actor_id_of("Volodymyr Zelenskyy"), actor_id_of("Mark Rutte")


@pytest.fixture
def story(path: Path, timeline: Timeline) -> Iterator[Path]:
    """Four events; whatever a test does, the log holds and a rebuild changes nothing."""
    timeline.record(
        {"event_id": event_id, "title": event_id.title(), "occurred": "2025", "participants": who}
        for event_id, who in (
            (
                "talks",
                [
                    {"name": "Volodymyr Zelenskyy", "role": "host", "office": "President"},
                    {"name": "Mark Rutte"},
                ],
            ),
            ("call", [{"name": "Zelensky", "as_named": "the Ukrainian leader"}]),
            ("visit", [{"name": "zelensky"}, {"name": "NATO"}]),
            ("speech", [{"name": "V. Zelenskyy"}]),
        )
    )
    yield path
    holds(path)


def holds(path: Path) -> None:
    """Nothing is found by verify, and folding the log again gives the same tables."""
    assert json.loads(done("-d", path, "verify", "--json"))["holds"]
    live = derived(path)
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        rebuild(connection)
    assert derived(path) == live


def actors(path: Path) -> dict[str, Any]:
    """What `actor list` says of each, by id."""
    rows = json.loads(done("-d", path, "actor", "list", "--json"))
    return {row["actor_id"]: row for row in rows}


def counted(path: Path) -> dict[str, int]:
    """How many events each name has."""
    return {row["name"]: row["events"] for row in actors(path).values() if row["events"]}


def kinds(path: Path) -> list[str]:
    """What the log has about actors, in its order."""
    rows = json.loads(done("-d", path, "log", "--json"))
    return [f"{row['kind']} {row['subject']}" for row in rows[::-1] if "actor" in row["kind"]]


# --- Participants, ids and aliases --------------------------------------------------------


def test_participants_make_no_entries_and_are_listed(story: Path) -> None:
    assert kinds(story) == []
    assert counted(story) == {
        "Zelensky": 2,
        "Volodymyr Zelenskyy": 1,
        "Mark Rutte": 1,
        "NATO": 1,
        "V. Zelenskyy": 1,
    }
    assert {row["seq"] for row in actors(story).values()} == {None}


def test_an_alias_folds_participants_onto_one_and_leaves_the_entries(story: Path) -> None:
    before = entries(story)
    events = {row[0]: row for row in derived(story)["event_versions"]}
    shown = done("-d", story, "actor", "alias", "Volodymyr Zelenskyy", "Zelensky", "V. Zelenskyy")
    assert shown == f"recorded  {ZELENSKYY}  entry 5, version 1\n"
    assert kinds(story) == [f"actor.recorded actor/{ZELENSKYY}"]
    assert counted(story) == {"Volodymyr Zelenskyy": 4, "Mark Rutte": 1, "NATO": 1}
    assert entries(story)[:-1] == before
    assert {row[0]: row for row in derived(story)["event_versions"]} == events
    call = json.loads(done("-d", story, "show", "call", "--json"))
    assert call["participants"] == [{"name": "Zelensky", "as_named": "the Ukrainian leader"}]


def test_a_second_alias_updates_and_one_that_is_there_changes_nothing(story: Path) -> None:
    done("-d", story, "actor", "alias", "Mark Rutte", "Rutte")
    shown = done("-d", story, "actor", "alias", RUTTE[:8], "Secretary General", "RUTTE")
    assert shown == f"updated  {RUTTE}  entry 6, version 2\n"
    assert actors(story)[RUTTE]["aliases"] == ["Rutte", "Secretary General"]
    assert "nothing would change" in one_line(
        run("-d", story, "actor", "alias", "rutte", "Mark  RUTTE", "rutte")
    )


def test_an_alias_that_another_had_first_is_noted(story: Path) -> None:
    done("-d", story, "actor", "add", "Olena Zelenska", "--alias", "Zelensky")
    result = run("-d", story, "actor", "alias", "Volodymyr Zelenskyy", "Zelensky")
    assert result.exit_code == 0
    assert 'participants named "Zelensky" without an id stay Olena Zelenska' in " ".join(
        result.stderr.split()
    )
    assert counted(story)["Olena Zelenska"] == 2


def test_add_keeps_the_id_that_participants_have(story: Path) -> None:
    add = ("-d", story, "actor", "add", "Mark Rutte", "--country", "nl", "--wikidata", "Q57792")
    assert done(*add, "--author", "desk").startswith(f"recorded  {RUTTE}  entry 5")
    assert done(*add).startswith(f"unchanged  {RUTTE}  entry 5")
    row = actors(story)[RUTTE]
    assert (row["country"], row["wikidata"], row["events"], row["seq"]) == ("NLD", "Q57792", 1, 5)
    (entry,) = json.loads(done("-d", story, "log", "--limit", "1", "--json"))
    assert entry["payload"]["author"] == "desk"
    assert "another country, wikidata: use timeline actor alias" in one_line(
        run("-d", story, "actor", "add", "Mark Rutte")
    )


def test_an_id_of_ones_own_takes_the_participants_of_the_names(story: Path) -> None:
    names = ("--alias", "Zelensky", "--alias", "V. Zelenskyy")
    done("-d", story, "actor", "add", "Volodymyr Zelenskyy", "--id", "zelenskyy", *names)
    assert actors(story)["zelenskyy"]["events"] == 4
    assert ZELENSKYY not in actors(story)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["add", "Somebody", "--country", "Ukrane"], 'did you mean "Ukraine" (UKR)?'),
        (["add", "Somebody", "--wikidata", "57792"], "wikidata: "),
        (["add", "Somebody", "--id", "Some body"], "actor_id: "),
        (["add", " "], "name: "),
        (["alias", "Mark Rute", "x"], 'no actor "Mark Rute": did you mean "Mark Rutte"?'),
        (["alias", "Mark Rutte", "x\ny"], "aliases"),
        (["merge", "Mark Rutte", "--into", "nobody-at-all"], 'no actor "nobody-at-all"'),
        (["merge", "v", "--into", "NATO"], '"v" is the beginning of several actors: '),
        (["merge", "", "--into", "NATO"], 'no actor ""'),
        (["merge", "NATO", "--into", "nato"], "a merge cannot go in a circle"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_refused_in_one_line(
    story: Path, arguments: list[str], problem: str
) -> None:
    before = entries(story)
    assert problem in one_line(run("-d", story, "actor", *arguments))
    assert entries(story) == before


# --- Merges -------------------------------------------------------------------------------


def test_two_that_are_known_by_participants_alone_are_recorded_and_merged_at_once(
    story: Path,
) -> None:
    before = entries(story)
    shown = done(
        *("-d", story, "actor", "merge", "Zelensky", "--into", "Volodymyr Zelenskyy"),
        *("--reason", "one man", "--author", "desk"),
    )
    zelensky = actor_id_of("Zelensky")
    assert [line.split()[:2] for line in shown.splitlines()] == [
        ["recorded", ZELENSKYY],
        ["recorded", zelensky],
        ["merged", zelensky],
    ]
    assert {row[5] for row in entries(story)[len(before) :]} == {entries(story)[-1][5]}
    assert counted(story)["Volodymyr Zelenskyy"] == 3
    assert actors(story)[zelensky]["merged_into"] == ZELENSKYY
    payloads = [row["payload"] for row in json.loads(done("-d", story, "log", "--json"))[:3]]
    assert payloads[0] == {"author": "desk", "reason": "one man", "into": ZELENSKYY}
    assert payloads[1] == {"author": "desk", "name": "Zelensky"}
    listed = json.loads(done("-d", story, "list", "--actor", "Zelensky", "--json"))
    assert {row["event_id"] for row in listed} == {"talks", "call", "visit"}


def test_a_circle_is_refused_and_a_merged_actor_may_be_merged_elsewhere(story: Path) -> None:
    done("-d", story, "actor", "merge", "Zelensky", "--into", "V. Zelenskyy")
    before = entries(story)
    circle = run("-d", story, "actor", "merge", "V. Zelenskyy", "--into", actor_id_of("Zelensky"))
    assert "a merge cannot go in a circle" in one_line(circle)
    assert entries(story) == before
    done("-d", story, "actor", "merge", "V. Zelenskyy", "--into", "Volodymyr Zelenskyy")
    assert counted(story)["Volodymyr Zelenskyy"] == 4
    again = ("actor", "merge", "V. Zelenskyy", "--into", "Volodymyr Zelenskyy")
    assert "nothing would change" in one_line(run("-d", story, *again))
    done("-d", story, "actor", "merge", actor_id_of("Zelensky"), "--into", "NATO")
    assert counted(story) == {"Volodymyr Zelenskyy": 2, "Mark Rutte": 1, "NATO": 2}


def test_a_new_name_is_added_and_the_old_one_merged_into_it(story: Path) -> None:
    done("-d", story, "actor", "add", "North Atlantic Treaty Organization", "--id", "nato-hq")
    done("-d", story, "actor", "merge", "NATO", "--into", "nato-hq")
    (row,) = json.loads(done("-d", story, "list", "--actor", "nato", "--json"))
    assert row["actors"] == "Zelensky; North Atlantic Treaty Organization"
    assert row["version"] == 1
    visit = json.loads(done("-d", story, "show", "visit", "--json"))
    assert [each["name"] for each in visit["participants"]] == ["zelensky", "NATO"]


# --- Namesakes ----------------------------------------------------------------------------


@pytest.fixture
def namesakes(story: Path, timeline: Timeline) -> Path:
    """Three of one name: two have ids, of the third nothing is known."""
    timeline.record(
        {
            "event_id": f"smith-{number}",
            "title": f"Smith {number}",
            "occurred": "2025",
            "participants": [{"name": "John Smith", **more}],
        }
        for number, more in enumerate(({}, {"actor_id": "smith-mp"}, {"actor_id": "smith-poet"}))
    )
    return story


PLAIN = actor_id_of("John Smith")


def smiths(path: Path) -> dict[str, str]:
    """Who takes part in each of the three events."""
    rows = derived(path)["event_actors"]
    return {row[0]: row[2] for row in rows if row[0].startswith("smith-")}


def test_namesakes_stay_apart_whatever_is_recorded_about_one(namesakes: Path) -> None:
    apart = {"smith-0": PLAIN, "smith-1": "smith-mp", "smith-2": "smith-poet"}
    assert smiths(namesakes) == apart
    done("-d", namesakes, "actor", "alias", "smith-mp", "Smith MP")
    assert smiths(namesakes) == apart
    done("-d", namesakes, "actor", "add", "John Smith", "--id", "smith-poet", "--country", "gb")
    assert smiths(namesakes) == apart
    done("-d", namesakes, "actor", "merge", "smith-poet", "--into", "Mark Rutte")
    assert smiths(namesakes) == {**apart, "smith-2": RUTTE}
    assert kinds(namesakes)[:2] == [
        f"actor.recorded actor/{PLAIN}",
        "actor.recorded actor/smith-mp",
    ]


def test_a_namesake_that_is_merged_leaves_the_others_alone(namesakes: Path) -> None:
    done("-d", namesakes, "actor", "merge", "smith-mp", "--into", PLAIN)
    assert smiths(namesakes) == {"smith-0": PLAIN, "smith-1": PLAIN, "smith-2": "smith-poet"}


def test_a_name_of_several_is_no_answer(namesakes: Path) -> None:
    asked = run("-d", namesakes, "actor", "alias", "John Smith", "Johnny")
    assert one_line(asked).startswith('"John Smith" is the name of several actors: ')
    added = one_line(run("-d", namesakes, "actor", "add", "John Smith"))
    assert added.endswith(": give --id")
    done("-d", namesakes, "actor", "add", "John Smith", "--id", "smith-tenor")
    assert smiths(namesakes)["smith-0"] == "smith-tenor"


# --- Lists --------------------------------------------------------------------------------


def test_a_list_shows_names_events_and_merges(story: Path) -> None:
    done("-d", story, "actor", "add", "Mark Rutte", "--alias", "Rutte", "--country", "NLD")
    done("-d", story, "actor", "merge", "Zelensky", "--into", "Volodymyr Zelenskyy")
    shown = done("-d", story, "actor", "list")
    assert shown.startswith(f"Volodymyr Zelenskyy\n  3 events\n  {ZELENSKYY}\n")
    assert f"Mark Rutte\n  1 event - Netherlands\n  also Rutte\n  {RUTTE}\n" in shown
    assert f"Zelensky\n  merged into {ZELENSKYY}\n" in shown
    for columns in (40, 80):
        assert widest(done("-d", story, "actor", "list", columns=columns)) <= columns


def test_an_empty_log_has_no_actors(path: Path, timeline: Timeline) -> None:
    result = run("-d", path, "actor", "list")
    assert (result.stdout, result.stderr) == ("", "No actors.\n")
    assert done("-d", path, "actor", "list", "--json") == "[]\n"
    result = run("-d", path, "actor", "suggest")
    assert (result.stdout, result.stderr) == ("", "No likely twins.\n")


def test_names_are_made_harmless(path: Path, timeline: Timeline) -> None:
    with as_once_accepted():
        done("-d", path, "actor", "add", "Red \x1b[31m Cross", "--alias", "R\u202eC")
    shown = done("-d", path, "actor", "list")
    assert "\x1b" not in shown
    assert "\\x1b[31m" in shown
    assert "\u202e" not in shown
