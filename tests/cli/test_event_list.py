"""The list of events on a narrow and on a wide terminal, its order, its colours and its times."""

from __future__ import annotations

import json
from pathlib import Path

import pexpect
import pytest
from once_accepted import as_once_accepted
from running import PROGRAM, done, environment, widest
from terminal import HOSTILE_TITLE, forbidden

from timeline import Timeline

# pexpect forks and executes at once: the threads of pytest-xdist do not matter to the child.
pytestmark = pytest.mark.filterwarnings("ignore:.*forkpty:DeprecationWarning")


@pytest.fixture
def told(timeline: Timeline) -> Path:
    """A few events in several states, one of them without a date."""
    timeline.record(
        [
            {
                "event_id": "ferry",
                "title": "A ferry runs aground off the island",
                "occurred": "2025-04-13T10:15",
                "place": {"name": "Snake Island", "country": "UKR"},
                "quantities": [
                    {"measure": "killed", "value": 3, "dated": "2025-04-13"},
                    {"measure": "killed", "value": 4, "dated": "2025-04-14"},
                    {"measure": "pledged", "value": 20000, "unit": "EUR"},
                ],
                "verification": "disputed",
            },
            {"event_id": "vague", "title": "A promise", "occurred": "../.."},
            {"event_id": "until", "title": "A siege", "occurred": "../2024"},
            {"event_id": "rumour", "title": "A rumour", "occurred": "2025-04-15"},
        ]
    )
    with as_once_accepted():
        timeline.record({"event_id": "hostile", "title": HOSTILE_TITLE, "occurred": "2026"})
    timeline.correct("ferry", {"summary": "It was a ferry."}, reason="not a barge")
    timeline.retract("rumour", reason="nobody said so")
    return timeline.path


def on_terminal(path: Path, columns: int, *arguments: str, **changes: str) -> str:
    variables = environment(PAGER="cat", TERM="xterm", **changes)
    del variables["COLUMNS"]
    return pexpect.run(
        " ".join([*PROGRAM, "-d", str(path), *arguments]),
        env=variables,
        dimensions=(24, columns),
    ).decode().replace("\r\n", "\n")  # fmt: skip


def test_a_wide_terminal_gets_a_table_with_a_line_for_each_event(told: Path) -> None:
    shown = done("-d", told, "list", "--state", "all", columns=140).splitlines()
    assert shown[0].split() == ["date", "title", "place", "figures", "id"]
    (ferry,) = (line for line in shown if "ferry" in line)
    assert ferry.split("  ")[0] == "13 April 2025, 10:15"
    assert "Snake Island, Ukraine" in ferry
    assert ferry.endswith("  ferry")
    assert "killed 4 (2 figures); " in ferry
    assert [line.strip() for line in shown if "corrected" in line] == [
        shown[shown.index(ferry) + 1].strip()
    ]
    assert shown[shown.index(ferry) + 1].split("  ")[-1].strip() == "pledged 20,000 EUR"
    assert widest("\n".join(shown)) <= 140


@pytest.mark.parametrize("columns", [100, 140, 250])
def test_no_line_of_the_table_is_wider_than_the_terminal(told: Path, columns: int) -> None:
    shown = done("-d", told, "list", "--state", "all", columns=columns)
    assert widest(shown) <= columns
    assert not forbidden(shown)
    assert not [line for line in shown.splitlines() if line != line.rstrip()]


def test_a_narrow_terminal_gets_a_list(told: Path) -> None:
    shown = on_terminal(told, 80, "list")
    assert "\x1b[1mA siege\x1b[0m\n  by 2024" in shown
    assert "figures" not in shown
    assert "figures" in on_terminal(told, 140, "list")


def test_events_without_any_date_are_listed_last(told: Path) -> None:
    ids = [row["event_id"] for row in json.loads(done("-d", told, "list", "--json"))]
    assert ids == ["until", "ferry", "hostile", "vague"]
    three = json.loads(done("-d", told, "list", "--json", "--limit", "3"))
    assert [row["event_id"] for row in three] == ids[:3]


@pytest.mark.parametrize("columns", [80, 140])
def test_states_have_colours_on_a_terminal_only(told: Path, columns: int) -> None:
    shown = on_terminal(told, columns, "list", "--state", "all")
    assert "\x1b[0;31mRETRACTED\x1b[0m" in shown
    assert "\x1b[0;33mdisputed\x1b[0m" in shown
    assert "\x1b[0;36mcorrected\x1b[0m" in shown
    assert "\x1b[31mred" not in shown
    plain = on_terminal(told, columns, "list", "--state", "all", NO_COLOR="1")
    assert "\x1b" not in plain
    assert "\x1b" not in done("-d", told, "list", "--state", "all", columns=columns)


def test_a_search_shows_what_it_found_in_the_table(told: Path) -> None:
    assert "It *was* a ferry." in done("-d", told, "search", "was", columns=140)


def test_the_table_of_the_past_shows_what_was_said_then(told: Path) -> None:
    shown = done("-d", told, "list", "--as-of", "#1", columns=140)
    assert "killed 4 (2 figures)" in shown
    assert "corrected" not in shown
    assert done("-d", told, "list", "--as-reported", "2000-01-01", columns=140) == ""


def test_times_are_told_by_the_clock_of_the_log(tmp_path: Path) -> None:
    path = tmp_path / "kyiv.db"
    done("-d", path, "init", "--title", "K", "--time-zone", "Europe/Kyiv")
    done("-d", path, "append", "--title", "A", "--occurred", "2025-04-14T22:30Z", "--id", "one")
    assert "15 April 2025, 01:30 (14 April 2025, 22:30 UTC)" in done("-d", path, "list")
    for command in (["log"], ["show", "one"], ["history", "one"]):
        shown = " ".join(done("-d", path, *command, columns=120).split())
        assert " Kyiv time" in shown
        assert "UTC" not in shown.replace("22:30 UTC", "")
