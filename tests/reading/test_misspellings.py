"""A new name that looks like a misspelling of a known one is noted, and nothing is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from running import done, entries, run

from timeline import Timeline
from timeline.reading.twins.misspellings import letters_apart

SLIPS = [
    ("Volodymir Zelensky", "Volodymyr Zelenskyy"),
    ("Volodymyr Zelensky", "Volodymyr Zelenskyy"),
    ("Volodymyr Zelenskiy", "Volodymyr Zelenskyy"),
    ("Mark Rute", "Mark Rutte"),
    ("Mark Ruttte", "Mark Rutte"),
    ("Mark Rutet", "Mark Rutte"),
    ("mark rutte", "Mark Rutte"),
    ("Odessa", "Odesa"),
    ("odesa", "Odesa"),
    ("Lodz", "Łódź"),
    ("Zaporižžja", "Zaporizzja"),
    ("Al Assad", "al-Assad"),
    ("MarkRutte", "Mark Rutte"),
    ("ceasfire", "ceasefire"),
    ("cease-fire", "ceasefire"),
    ("missle strike", "missile strike"),
    ("blakc sea", "black sea"),
    ("negotations", "negotiations"),
    ("strikes", "strike"),
    ("Володимир Зеленский", "Володимир Зеленський"),
    ("Харкив", "Харків"),
    ("Ukrainee", "Ukraine"),
]
TWO_NAMES = [
    ("Iran", "Iraq"),
    ("Mali", "Malta"),
    ("Gambia", "Zambia"),
    ("Iceland", "Ireland"),
    ("Austria", "Australia"),
    ("Slovakia", "Slovenia"),
    ("Niger", "Nigeria"),
    ("North Korea", "South Korea"),
    ("Northern Command", "Southern Command"),
    ("East Timor", "West Timor"),
    ("Iran talks", "Iraq talks"),
    ("14 April", "15 April"),
    ("Phase 1", "Phase 2"),
    ("Phase II", "Phase III"),
    ("phase1", "phase2"),
    ("Resolution 2231", "Resolution 2232"),
    ("Leopard 2A4", "Leopard 2A6"),
    ("nato", "naro"),
    ("aid", "air"),
    ("eu", "e.u"),
    ("!!!", "???"),
    ("Kyiv", "Kiev"),
    ("Donetsk", "Donetsk Oblast"),
    ("Mark Rutte", "Anne Rutte"),
    ("Ministry of Defence", "Ministry of Finance"),
    ("Moscow", "Mexico"),
    ("Poland", "Portland"),
    ("support", "report"),
    ("training", "trading"),
]


@pytest.mark.parametrize(("name", "known"), SLIPS)
def test_a_slip_is_told(name: str, known: str) -> None:
    assert letters_apart(name, known) is not None


@pytest.mark.parametrize(("name", "known"), TWO_NAMES)
def test_two_names_are_two_names(name: str, known: str) -> None:
    assert letters_apart(name, known) is None
    assert letters_apart(known, name) is None


@pytest.fixture
def path(timeline: Timeline) -> Path:
    timeline.record(
        {
            "event_id": "talks",
            "title": "Talks",
            "occurred": "2025-04-15",
            "place": {"name": "Odesa"},
            "about_place": {"name": "Zaporizhzhia"},
            "participants": [{"name": "Volodymyr Zelenskyy"}, {"name": "Mark Rutte"}],
            "tags": ["ceasefire"],
        }
    )
    with timeline.append() as append:
        append.record_actor({"name": "Kaja Kallas", "aliases": ["High Representative", "Kallas"]})
    return timeline.path


EVENT = ("append", "--title", "T", "--occurred", "2025")


@pytest.mark.parametrize(
    ("option", "name", "note"),
    [
        ("--actor", "Volodymir Zelensky", 'new actor "Volodymir Zelensky"; there is "Volodymyr'),
        ("--actor", "High Represantative", 'there is "High Representative" already'),
        ("--place", "Odessa", 'new place "Odessa"; there is "Odesa" already'),
        ("--place", "odesa", 'new place "odesa"; there is "Odesa" already'),
        ("--place", "Zaporizhia", 'there is "Zaporizhzhia" already'),
        ("--tag", "ceasfire", 'new tag "ceasfire"; there is "ceasefire" already'),
    ],
)
def test_a_new_name_that_looks_like_a_known_one_is_noted_once(
    option: str, name: str, note: str, path: Path
) -> None:
    result = run("-d", path, *EVENT, option, name)
    assert result.exit_code == 0
    assert result.stdout.startswith("recorded")
    assert note in " ".join(result.stderr.split())
    assert result.stderr.count("Note: ") == 1
    again = run("-d", path, *EVENT, option, name)
    assert again.stderr == ""


def test_known_names_are_not_noted(path: Path) -> None:
    result = run(
        *("-d", path, *EVENT, "--actor", "volodymyr zelenskyy", "--actor", "KALLAS"),
        *("--place", "Zaporizhzhia", "--tag", "Ceasefire", "--actor", "Somebody Else"),
    )
    assert (result.exit_code, result.stderr) == (0, "")


def test_json_and_dry_runs_are_noted_on_stderr(path: Path) -> None:
    before = entries(path)
    result = run("-d", path, *EVENT, "--tag", "ceasfire", "--dry-run", "--json")
    assert json.loads(result.stdout)[0]["kind"] == "event.recorded"
    assert result.stderr.startswith("Note: new tag")
    assert entries(path) == before


def test_changes_are_noted_for_what_is_new_in_them(path: Path) -> None:
    change = ("-d", path, "update", "talks", "--set", "tags.-=ceasfire")
    assert "new tag" in run(*change).stderr
    change = ("-d", path, "correct", "talks", "--set", "title=Other", "--reason", "r")
    assert run(*change).stderr == ""


def test_a_file_notes_each_name_once_and_not_against_itself(path: Path) -> None:
    events = [
        {"title": "T", "occurred": "2025", "tags": ["ceasfire", "sanctions", "santcions"]}
    ] * 3
    result = run("-d", path, "append", "-", input=json.dumps(events))
    assert result.exit_code == 0
    assert result.stderr == 'Note: new tag "ceasfire"; there is "ceasefire" already\n'


def test_a_file_of_very_many_new_names_is_not_compared(path: Path) -> None:
    events = [
        {"title": "T", "occurred": "2025", "tags": [f"tag {n}", "ceasfire"]} for n in range(300)
    ]
    result = run("-d", path, "append", "-", input=json.dumps(events))
    assert (result.exit_code, result.stderr) == (0, "")


def test_who_has_an_id_is_not_mistaken(path: Path) -> None:
    event = {
        "title": "T",
        "occurred": "2025",
        "participants": [{"name": "Mark Ruttte", "actor_id": "another"}],
    }
    result = run("-d", path, "append", "-", input=json.dumps(event))
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_note_is_harmless_and_fits_the_terminal(path: Path) -> None:
    done("-d", path, *EVENT, "--place", "Far\x07 wonder" + " and far" * 20)
    result = run("-d", path, *EVENT, "--place", "Far\x07 wondder" + " and far" * 20)
    assert "Far\\x07 wondder" in result.stderr
    assert "\x07" not in result.stderr
    assert max(map(len, result.stderr.splitlines())) <= 80
