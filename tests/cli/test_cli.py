"""The commands that people type: what they do, what they print, and what as JSON."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import click
import pytest
from running import done, dump, entries, one_line, process, run, widest
from tables import derived
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.cli import cli
from timeline.store import storage

DAILY = ("append", "show", "list", "search", "update", "correct", "history", "serve")
OTHERS = (
    "init",
    "about",
    "retract",
    "reinstate",
    "merge",
    "diff",
    "changes",
    "facets",
    "actor",
    "log",
    "desk",
    "propose",
    "review",
    "draft",
    "mcp",
    "capture",
    "coverage",
    "annotate",
    "withdraw",
    "template",
    "sync",
    "import sheet",
    "import",
    "export",
    "verify",
    "checkpoint",
    "keygen",
    "prove",
    "follow",
    "compare",
    "witness",
    "attach",
    "erase",
    "schema",
    "rebuild",
    "watch",
    "publish",
    "migrate",
    "restore",
    "cluster",
    "demo",
    "doctor",
)
ACTOR = ("actor add", "actor alias", "actor list", "actor merge", "actor suggest")
CLUSTER = tuple(
    f"cluster {name}"
    for name in ("init", "join", "follow", "status", "doctor", "rewrite", "leave", "forget")
)
WITNESS = tuple(
    f"witness {name}"
    for name in ("add", "remove", "list", "ask", "trust", "untrust", "serve", "evidence")
)
EVENT_FIELDS_THEN_STANDING = ["state", "version", "seq", "recorded_at", "reported_at"]


@pytest.fixture
def story(timeline: Timeline, clock: TickingClock) -> Path:
    """Ten entries of four days in April 2025; the path of the file.

    0 the log, 1 the strike (32 killed), 2 its correction (34), 3 a source, 4 the talks,
    5 the vigil, 6 and 7 a rumour and its retraction, 8 and 9 a visit, merged into the talks.
    """
    clock.set("2025-04-13T18:00")
    timeline.record(
        {
            "event_id": "sumy-strike",
            "title": "Strike on Sumy",
            "event_type": "ASSAULT",
            "occurred": "2025-04-13T10:15",
            "place": {"name": "Sumy", "country": "UKR"},
            "quantities": [{"measure": "killed", "value": 32, "reported_by": "Mayor"}],
        },
        author="desk",
    )
    clock.set("2025-04-15T09:00")
    timeline.correct(
        "sumy-strike",
        {"quantities.0.value": 34},
        reason="the mayor corrected it",
        author="anna",
        reported_at="2025-04-14",
    )
    clock.set("2025-04-15T18:00")
    timeline.record(
        {
            "event_id": "talks",
            "title": "Talks in Odesa",
            "summary": "They talked in a hospital about support.",
            "event_type": "CONSULT",
            "occurred": "2025-04-15",
            "place": {"name": "Odesa", "country": "UKR", "lat": "46.48", "lon": "30.73"},
            "participants": [
                {"name": "Mark Rutte", "office": "Secretary General", "organisation": "NATO"},
                {"name": "Volodymyr Zelenskyy", "role": "host"},
            ],
            "tags": ["nato"],
            "quantities": [
                {
                    "measure": "pledged",
                    "value": "20000000000",
                    "qualifier": "more_than",
                    "unit": "EUR",
                    "reported_by": "Mark Rutte",
                    "dated": "2025-33",
                }
            ],
            "claims": [{"speaker": "Moscow", "stance": "disputes", "statement": "no progress"}],
            "relations": [{"type": "follows", "event_id": "sumy-strike"}],
            "citations": [
                {
                    "source": {"title": "A visit", "url": "https://example.org/visit"},
                    "quote": "more than 20 billion euros",
                }
            ],
            "mode": "visit",
            "contexts": ["military", "diplomatic"],
            "external_ids": ["gdelt:1024"],
            "verification": "corroborated",
        },
        author="desk",
    )
    clock.set("2025-04-16T09:00")
    timeline.record(
        {"event_id": "sumy-vigil", "title": "Vigil in Sumy", "occurred": "around 14 April 2025"}
    )
    timeline.record(
        {"event_id": "rumour", "title": "A rumour", "occurred": "2025-04", "modality": "planned"}
    )
    timeline.retract("rumour", reason="nobody stands by it")
    timeline.record({"event_id": "visit", "title": "Visit to Odesa", "occurred": "2025-04-15"})
    timeline.merge("visit", "talks")
    return timeline.path


def lines_of(text: str) -> list[str]:
    return text.splitlines()


# --- Help ---------------------------------------------------------------------------------


def test_help_leads_with_the_eight_daily_commands() -> None:
    shown = done("--help")
    names = [
        line.strip().partition("  ")[0]
        for line in lines_of(shown.partition("\nDaily:\n")[2])
        if line.startswith("  ")
    ]
    assert names == [*DAILY, *OTHERS]


def command(words: str) -> click.Command:
    """The command that is called by one word or two."""
    found: click.Command = cli
    for word in [words] if words in OTHERS else words.split():
        assert isinstance(found, click.Group)
        step = found.get_command(click.Context(found), word)
        assert step
        found = step
    return found


@pytest.mark.parametrize("command", ["", *DAILY, *OTHERS, *ACTOR, *CLUSTER, *WITNESS])
def test_help_fits_into_80_columns_and_cuts_nothing_off(command: str) -> None:
    shown = done(*command.split(), "--help")
    assert shown.startswith(f"Usage: timeline {command}".rstrip())
    assert "..." not in shown.replace("title=...", "").replace("]...", "").replace(
        "TEXT...", ""
    ).replace("ENTRY...", "").replace("NAME...", "")
    assert widest(shown) <= 80


def test_every_option_says_what_it_does() -> None:
    silent = [
        f"{name} {parameter.name}"
        for name in (*DAILY, *OTHERS, *ACTOR, *CLUSTER, *WITNESS)
        for parameter in command(name).params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert silent == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["--nothing"],
        ["show"],
        ["show", "a", "b"],
        ["append"],
        ["append", "--title", "Only a title"],
        ["append", "--title", "T", "--occurred", "2025", "--said-by", "Nobody's figure"],
        ["append", "--title", "T", "--occurred", "2025", "--nl"],
        ["append", "--nothing"],
        ["update", "x"],
        ["correct", "x", "--set", "title=T"],
        ["retract", "x"],
        ["merge", "x"],
        ["init"],
        ["list", "--limit", "0"],
        ["list", "--state", "gone"],
        ["list", "--year", "MMXXV"],
        ["update", "x", "--set", "title=T", "--expect", "0"],
        ["schema", "everything"],
        ["search"],
        ["actor", "add"],
        ["actor", "alias", "x"],
        ["actor", "merge", "x"],
        ["actor", "rename", "x"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(arguments: list[str], tmp_path: Path) -> None:
    result = run("-d", tmp_path / "none.db", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "\nError: " in result.stderr
    assert not [*tmp_path.iterdir()]


def test_a_file_and_options_together_are_wrong_usage(story: Path, tmp_path: Path) -> None:
    file = tmp_path / "events.json"
    file.write_text('{"title": "T", "occurred": "2025"}')
    result = run("-d", story, "append", file, "--title", "T")
    assert result.exit_code == 2
    assert len(entries(story)) == 10


def test_a_slip_in_the_name_of_a_command_is_answered_with_the_nearest_one() -> None:
    result = run("apend", "--title", "Talks in Odesa")
    assert result.exit_code == 2
    assert result.stderr.endswith('\nError: no command "apend": did you mean append?\n')
    assert "did you mean" not in run("nonsense").stderr


def test_what_click_quotes_of_wrong_usage_is_shown_as_escapes() -> None:
    for arguments in (["\x1b[31m"], ["show", "a", "b\x1b[31m"], ["append", "\x1b[31m.json"]):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "\\x1b[31m" in result.stderr
        assert "\x1b" not in result.stderr


def test_the_version_is_one_line() -> None:
    shown = done("--version")
    assert shown.startswith("timeline")
    assert shown.count("\n") == 1


# --- The database -------------------------------------------------------------------------


def test_the_default_database_is_timeline_db_here(tmp_path: Path) -> None:
    made = process("init", "--title", "T", cwd=tmp_path)
    assert made.stdout.splitlines()[0] == 'Opened "T" in timeline.db'
    assert (tmp_path / "timeline.db").is_file()


def test_the_default_database_is_in_db_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    made = process("init", "--title", "T", cwd=tmp_path)
    assert made.stdout.splitlines()[0] == 'Opened "T" in db/timeline.db'
    assert [path.name for path in tmp_path.iterdir()] == ["db"]


def test_timeline_db_in_the_environment_wins_over_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    done("init", "--title", "T", env={"TIMELINE_DB": str(tmp_path / "mine.db")})
    assert (tmp_path / "mine.db").is_file()
    assert not [*(tmp_path / "db").iterdir()]


def test_the_option_wins_over_the_environment(tmp_path: Path) -> None:
    env = {"TIMELINE_DB": str(tmp_path / "b.db")}
    done("-d", tmp_path / "a.db", "init", "--title", "T", env=env)
    assert [path.name for path in tmp_path.glob("*.db")] == ["a.db"]


def test_timeline_author_in_the_environment_signs_what_is_added(path: Path) -> None:
    env = {"TIMELINE_AUTHOR": "desk"}
    done("-d", path, "init", "--title", "T", env=env)
    done("-d", path, "append", "--title", "E", "--occurred", "2025", "--id", "one", env=env)
    done("-d", path, "update", "one", "--set", "title=F", env=env)
    done("-d", path, "retract", "one", "--reason", "r", "--author", "anna", env=env)
    authors = [
        entry["payload"]["author"] for entry in json.loads(done("-d", path, "log", "--json"))
    ]
    assert authors == ["anna", "desk", "desk", "desk"]


def test_the_login_name_is_never_taken_for_an_author(path: Path) -> None:
    done("-d", path, "init", "--title", "T", env={"USER": "anna", "LOGNAME": "anna"})
    (opened,) = json.loads(done("-d", path, "log", "--json"))
    assert "author" not in opened["payload"]


# --- init ---------------------------------------------------------------------------------


def test_init_opens_a_log_with_what_it_is_told(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = done(
        *("-d", path.name, "init", "--title", "Odesa", "--origin", "example.org/odesa"),
        *("--time-zone", "Europe/Kyiv", "--language", "uk", "--licence", "CC0-1.0"),
        *("--notice", "A test", "--author", "desk"),
    )
    assert shown == 'Opened "Odesa" in timeline.db\norigin example.org/odesa\n'
    with Timeline.open(path) as timeline:
        info = timeline.info
    assert info.pop("vocabulary")["event_types"][0]["code"] == "AGREE"
    assert info == {
        "origin": "example.org/odesa",
        "title": "Odesa",
        "licence": "CC0-1.0",
        "language": "uk",
        "time_zone": "Europe/Kyiv",
        "notice": "A test",
    }


def test_init_takes_a_vocabulary_of_ones_own(path: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.csv"
    words.write_text("code,label,definition\nFLOOD,Flood,Water where it should not be\n")
    done("-d", path, "init", "--title", "T", "--vocabulary", words)
    done("-d", path, "append", "--title", "E", "--occurred", "2025", "--type", "flood")
    refused = run("-d", path, "append", "--title", "E", "--occurred", "2025", "--type", "CONSULT")
    assert refused.exit_code == 1
    assert "FLOOD" in refused.stderr


# --- append -------------------------------------------------------------------------------


def test_append_takes_an_event_from_options(story: Path) -> None:
    shown = done(
        *("-d", story, "append", "--id", "flood", "--title", "Flood", "--occurred", "May 2025"),
        *("--summary", "Water.", "--type", "Assault", "--place", "Kherson", "--country", "Ukraine"),
        *("--actor", "Anna", "--actor", "Boris", "--tag", "Water", "--tag", "flood"),
        *("--said-by", "Mayor", "--dated", "15 April 2025"),
        *("--source", "https://example.org/flood", "--reported-at", "2025-05-02"),
        *("--figure", "killed=35", "--figure", "injured=>120", "--figure", "pledged=~2e9 EUR"),
        *("--figure", "delivered=>=5 pump"),
        *("--author", "desk"),
    )
    assert shown.splitlines() == [
        "recorded  flood  May 2025 (2025-05)  entry 11, version 1",
        "  killed: 35, said by Mayor, 15 April 2025",
        "  injured: more than 120, said by Mayor, 15 April 2025",
        "  pledged: about 2,000,000,000 EUR, said by Mayor, 15 April 2025",
        "  delivered: at least 5 pumps, said by Mayor, 15 April 2025",
    ]
    event = json.loads(done("-d", story, "show", "flood", "--json"))
    source_id = event["citations"][0]["source_id"]
    said = {"reported_by": "Mayor", "dated": "2025-04-15", "source_ids": [source_id]}
    for field in ("recorded_at", "occurred_from", "occurred_to", "occurred_precision"):
        del event[field]
    assert event == {
        "event_id": "flood",
        "title": "Flood",
        "summary": "Water.",
        "event_type": "ASSAULT",
        "tags": ["water", "flood"],
        "occurred": "2025-05",
        "place": {"name": "Kherson", "country": "UKR"},
        "participants": [{"name": "Anna"}, {"name": "Boris"}],
        "quantities": [
            {"measure": "killed", "value": "35", "unit": "person", **said},
            {
                "measure": "injured",
                "value": "120",
                "qualifier": "more_than",
                "unit": "person",
                **said,
            },
            {
                "measure": "pledged",
                "value": "2000000000",
                "qualifier": "about",
                "unit": "EUR",
                **said,
            },
            {"measure": "delivered", "value": "5", "qualifier": "at_least", "unit": "pump", **said},
        ],
        "citations": [{"source_id": source_id}],
        "modality": "actual",
        "verification": "reported",
        "state": "current",
        "version": 1,
        "seq": 11,
        "reported_at": "2025-05-02",
    }


def test_append_makes_up_an_id_and_shows_it(story: Path) -> None:
    shown = done("-d", story, "append", "--title", "Flood", "--occurred", "2025-05-01").split()
    assert shown[0] == "recorded"
    assert json.loads(done("-d", story, "show", shown[1], "--json"))["title"] == "Flood"


ONE = {"event_id": "one", "title": "One", "occurred": "2025-05-01"}
TWO = {"event_id": "two", "title": "Two", "occurred": "before May 2025"}
RECEIPTS = [
    "recorded  one  1 May 2025 (2025-05-01)  entry 10, version 1",
    'recorded  two  by April 2025 (../2025-04, "before May 2025")',
    "    entry 11, version 1",
]


def test_options_read_spans_and_vague_dates_and_say_them_back(story: Path) -> None:
    def append(occurred: str, *more: str) -> Any:
        return run("-d", story, "append", "--title", "T", "--occurred", occurred, *more)

    refusal = append("2023-24")
    assert refusal.exit_code == 1
    assert refusal.stderr == (
        'Error: occurred: "2023-24" can be read as winter 2023 or 2023 to 2024: '
        'write "winter 2023" or 2023/2024\n'
    )
    assert "1914 to 1918 (1914/1918)" in append("1914-18").stdout
    assert "11 to 20 April 2025 (2025-04-11/2025-04-20)" in append("mid-April 2025").stdout
    said = append("17 April 2025, 3:30 pm CEST", "--id", "noon").stdout
    assert "17 April 2025, 15:30 +02:00 (2025-04-17T15:30+02:00)" in said
    done("-d", story, "update", "noon", "--set", "occurred=early 2025")
    event = json.loads(done("-d", story, "show", "noon", "--json"))
    assert (event["occurred"], event["occurred_text"]) == ("2025-01/2025-04", "early 2025")
    assert append("2025", "--figure", "killed=1", "--dated", "2023-24").stderr.startswith(
        'Error: dated: "2023-24" can be read as'
    )


def test_what_before_meant_once_is_unchanged_and_said_once(story: Path) -> None:
    two = ({"event_id": "old-1", "title": "T", "occurred": "../1960"},)
    two += ({"event_id": "old-2", "title": "T", "occurred": "2025-04-15/.."},)
    done("-d", story, "append", "-", input=json.dumps(two))
    before = entries(story)
    again = [
        {**two[0], "occurred": "before 1960"},
        {**two[1], "occurred": "after 15 April 2025"},
    ]
    sheet = "id,title,occurred\n" + "".join(
        f"{each['event_id']},T,{each['occurred']}\n" for each in again
    )
    note = 'Note: "before 1960" now leaves 1960 out; 2 rows keep what they say: '
    for arguments, text in ((["-"], json.dumps(again)), (["--csv", "-"], sheet)):
        result = run("-d", story, "append", *arguments, input=text)
        assert result.exit_code == 0, result.stderr
        assert result.stdout.count("unchanged") == 2
        assert " ".join(result.stderr.split()).startswith(note)
    options = ("--id", "old-1", "--title", "T", "--occurred", "before 1960")
    assert "unchanged" in done("-d", story, "append", *options)
    assert entries(story) == before


def test_what_before_meant_once_is_unchanged_where_another_id_finds_it(story: Path) -> None:
    one = {"title": "T", "occurred": "../1960", "external_ids": ["a:1"]}
    done("-d", story, "append", "-", input=json.dumps(one))
    before = entries(story)
    again = {**one, "occurred": "before 1960"}
    sheet = "title,occurred,external_ids\nT,before 1960,a:1\n"
    for arguments, text in ((["-"], json.dumps(again)), (["--csv", "-"], sheet)):
        result = run("-d", story, "append", *arguments, input=text)
        assert (result.exit_code, result.stdout[:9]) == (0, "unchanged"), result.stderr
        assert '"before 1960" now leaves 1960 out; 1 row keeps' in " ".join(result.stderr.split())
    assert entries(story) == before


@pytest.mark.parametrize(
    ("arguments", "text", "places"),
    [
        (["--csv"], "id,title,occurred\none,A,2025\ntwo,B,2025\none,{},2025\n", "lines 2 and 4"),
        (
            ["--nl"],
            '{{"event_id": "one", "title": "A", "occurred": "2025"}}\n\n'
            '{{"event_id": "one", "title": "{}", "occurred": "2025"}}',
            "lines 1 and 3",
        ),
        (
            [],
            '[{{"event_id": "one", "title": "A", "occurred": "2025"}}, '
            '{{"event_id": "one", "title": "{}", "occurred": "2025"}}]',
            "events 1 and 2 of the input",
        ),
    ],
)
def test_an_event_that_stands_twice_in_an_input_is_named_with_both_places(
    arguments: list[str], text: str, places: str, story: Path
) -> None:
    refusal = run("-d", story, "append", *arguments, "-", input=text.format("C"))
    assert f"stands twice: {places}, with another title" in one_line(refusal)
    result = run("-d", story, "append", *arguments, "-", input=text.format("A"))
    assert result.exit_code == 0
    assert f"Note: event one stands twice: {places}" in result.stderr
    again = run("-d", story, "append", *arguments, "-", input=text.format("A"))
    assert again.stderr == ""
    refusal = run("-d", story, "append", *arguments, "-", input=text.format("C"))
    assert "with another title" in one_line(refusal)


def test_an_error_names_the_option_or_the_file_that_is_wrong(story: Path, tmp_path: Path) -> None:
    options = ("--title", "T", "--occurred", "2025")
    for option, value in (("id", "a" * 80), ("country", "Atlantis"), ("actor", "a\nb")):
        refusal = run("-d", story, "append", *options, f"--{option}", value)
        assert one_line(refusal).startswith(f"{option}: ")
    empty = tmp_path / "empty.csv"
    empty.touch()
    for command in (["append"], ["append", "--csv"], ["sync"], ["import", "ucdp"]):
        assert one_line(run("-d", story, *command, empty)).startswith(f"{empty} is empty")


def test_a_receipt_says_the_words_that_an_open_date_was_read_from(story: Path) -> None:
    options = ("--title", "T", "--occurred", "after 1960")
    assert '1961 or later (1961/.., "after 1960")' in done("-d", story, "append", *options)
    goes_on = {"title": "T", "occurred": "since 1960", "modality": "ongoing"}
    shown = done("-d", story, "append", "-", input=json.dumps(goes_on))
    assert "since 1960 (1960/..)" in shown
    ids = json.loads(done("-d", story, "list", "--json"))
    event_id = next(each["event_id"] for each in ids if each["occurred"] == "1961/..")
    shown = done("-d", story, "update", event_id, "--set", "occurred=before 1962", columns=120)
    assert 'by 1961 (../1961, "before 1962")' in shown
    assert '"' not in done("-d", story, "update", event_id, "--set", "title=U")
    sheet = "title,occurred,modality\nT,after 1961,ongoing\nU,2025-04-15,\nV,../1950,\n"
    first, second, third = lines_of(
        done("-d", story, "append", "--csv", "-", input=sheet, columns=120)
    )
    assert 'since 1962 (1962/.., "after 1961")' in first
    assert '"' not in second + third


def test_another_date_takes_the_words_of_a_vague_one_with_it(story: Path) -> None:
    done("-d", story, "append", "--id", "day", "--title", "T", "--occurred", "mid-April 2025")
    done("-d", story, "update", "day", "--set", "occurred=16 April 2025")
    event = json.loads(done("-d", story, "show", "day", "--json"))
    assert event["occurred"] == "2025-04-16"
    assert not {"occurred_text", "occurred_basis"} & event.keys()
    done("-d", story, "update", "day", "--set", "occurred=early 2025")
    words = ("--set", "occurred_text=one day", "--set", "occurred=17 April 2025")
    done("-d", story, "update", "day", *words)
    event = json.loads(done("-d", story, "show", "day", "--json"))
    assert (event["occurred_text"], event["occurred_basis"]) == ("one day", "resolved")


def test_a_month_in_the_language_of_the_log_is_read_wherever_it_is_typed(tmp_path: Path) -> None:
    story = tmp_path / "ua.db"
    done("-d", story, "init", "--title", "T", "--language", "uk")
    options = ("--id", "one", "--title", "T", "--occurred", "15 квітня 2025 року")
    options += ("--figure", "killed=3", "--dated", "16 квіт. 2025")
    done("-d", story, "append", *options)
    sheet = "id,title,occurred,reported_at\ntwo,T,17 квітня 2025,18 квітня 2025\n"
    done("-d", story, "append", "--csv", "-", input=sheet)
    said = {"event_id": "three", "title": "T", "occurred": "19 квітня 2025"}
    done("-d", story, "append", "-", input=json.dumps(said))
    done("-d", story, "update", "three", "--set", "occurred=before 20 квітня 2025")
    with Timeline.open(story) as timeline:
        one, two, three = (timeline.get(each) for each in ("one", "two", "three"))
    assert (one["occurred"], one["quantities"][0]["dated"]) == ("2025-04-15", "2025-04-16")
    assert (two["occurred"], two["reported_at"]) == ("2025-04-17", "2025-04-18")
    assert three["occurred"] == "../2025-04-19"


def test_a_file_of_json_has_edtf_and_vague_words(story: Path) -> None:
    said = [{"title": "A", "occurred": "2023-24"}, {"title": "B", "occurred": "1984-1X"}]
    shown = done("-d", story, "append", "-", input=json.dumps(said))
    assert "winter 2023 (2023-24)" in shown
    assert "October to December 1984 (1984-10/1984-12)" in shown


def place_of(story: Path, event: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(done("-d", story, "show", event, "--json"))["place"]
    return shown


def test_coordinates_are_taken_as_people_paste_them(story: Path) -> None:
    kyiv = {"lat": "50.45", "lon": "30.516667"}
    at = "30°31\u2032E 50°27\u2032N"
    done("-d", story, "append", "--title", "A", "--occurred", "2025", "--at", at, "--id", "in-a")
    assert place_of(story, "in-a") == kyiv
    said = [
        {
            "event_id": "in-b",
            "title": "B",
            "occurred": "2025",
            "place": {"lat": "50 27 0 N 30 31 0 E"},
        },
        {"event_id": "in-c", "title": "C", "occurred": "2025", "place": kyiv},
    ]
    done("-d", story, "append", "-", input=json.dumps(said))
    assert place_of(story, "in-b") == place_of(story, "in-c") == kyiv
    done("-d", story, "update", "in-b", "--at", "\u221233.45, \u221270.66")
    assert place_of(story, "in-b") == {"lat": "-33.45", "lon": "-70.66"}
    done("-d", story, "update", "in-b", "--set", "place.lat=50.45N 30°31'E")
    done("-d", story, "correct", "in-c", "--set", "/place/lon=30.5E", "--reason", "nearer")
    assert (place_of(story, "in-b"), place_of(story, "in-c")["lon"]) == (kyiv, "30.5")


def test_coordinates_that_cannot_be_meant_are_refused_with_their_place(story: Path) -> None:
    two = [ONE, {**TWO, "place": {"lat": 139.69, "lon": 35.68}}]
    lines = "\n".join(map(json.dumps, two))
    said = one_line(run("-d", story, "append", "--nl", "-", input=lines))
    assert said == (
        "line 2: place.lat: 139.69 is not a latitude: it lies between -90 and 90; the two seem "
        "swapped: latitude 35.68, longitude 139.69"
    )
    options = ("--title", "A", "--occurred", "2025", "--at", "50 45")
    refusal = run("-d", story, "append", *options)
    assert refusal.exit_code == 2
    assert "can be read as 50 degrees 45 minutes" in refusal.stderr
    said = one_line(run("-d", story, "update", "talks", "--set", "place.lat=Odesa"))
    assert said == 'place.lat: "Odesa" is not a latitude: write a number such as 50.45'


def test_append_takes_an_array_from_a_file(story: Path, tmp_path: Path) -> None:
    file = tmp_path / "events.json"
    file.write_text(json.dumps([ONE, TWO], indent=2))
    assert lines_of(done("-d", story, "append", file)) == RECEIPTS


def test_append_takes_one_object_from_stdin(story: Path) -> None:
    assert lines_of(done("-d", story, "append", "-", input=json.dumps(ONE))) == RECEIPTS[:1]


def test_append_takes_an_object_a_line(story: Path) -> None:
    text = f"{json.dumps(ONE)}\n\n{json.dumps(TWO)}"
    assert lines_of(done("-d", story, "append", "--nl", "-", input=text)) == RECEIPTS


def test_append_takes_a_byte_order_mark_and_windows_line_ends(story: Path) -> None:
    text = f"\ufeff{json.dumps(ONE)}\r\n{json.dumps(TWO)}\r\n".encode()
    assert lines_of(done("-d", story, "append", "--nl", "-", input=text)) == RECEIPTS


def test_all_events_of_one_append_are_recorded_at_one_time(story: Path) -> None:
    receipts = json.loads(done("-d", story, "append", "-", "--json", input=json.dumps([ONE, TWO])))
    assert len({receipt["recorded_at"] for receipt in receipts}) == 1


def test_the_receipts_of_append_are_json_too(story: Path) -> None:
    (receipt,) = json.loads(done("-d", story, "append", "-", "--json", input=json.dumps(TWO)))
    assert receipt.pop("recorded_at") > "2025"
    assert receipt.pop("entry_id")
    assert receipt == {
        "event_id": "two",
        "kind": "event.recorded",
        "seq": 10,
        "version": 1,
        "occurred": "../2025-04",
        "unchanged": False,
        "notes": [],
    }


def test_appending_the_same_twice_says_unchanged_and_ends_well(story: Path) -> None:
    arguments = ("-d", story, "append", "--id", "one", "--title", "One", "--occurred", "1 May 2025")
    done(*arguments)
    before = dump(story)
    assert done(*arguments) == "unchanged  one  1 May 2025 (2025-05-01)  entry 10, version 1\n"
    (receipt,) = json.loads(done(*arguments, "--json"))
    assert receipt["unchanged"] is True
    assert dump(story) == before


def test_a_dry_run_checks_everything_and_writes_nothing(story: Path) -> None:
    before = dump(story)
    shown = done("-d", story, "append", "--dry-run", "-", input=json.dumps([ONE, TWO]))
    assert lines_of(shown) == [
        "would be recorded  one  1 May 2025 (2025-05-01)",
        'would be recorded  two  by April 2025 (../2025-04, "before May 2025")',
    ]
    bad = run("-d", story, "append", "--dry-run", "-", input='{"title": "T", "occurred": "never"}')
    assert bad.exit_code == 1
    assert dump(story) == before


def test_an_append_of_no_events_says_so(story: Path) -> None:
    for arguments, text in ((["-"], "[]"), (["--nl", "-"], "\n")):
        result = run("-d", story, "append", *arguments, input=text)
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No events.\n")


def test_events_of_one_append_may_refer_to_each_other_in_any_order(story: Path) -> None:
    first = {**ONE, "relations": [{"type": "follows", "event_id": "two"}]}
    done("-d", story, "append", "-", input=json.dumps([first, TWO]))
    assert "follows  Two (two)" in done("-d", story, "show", "one")


# --- show ---------------------------------------------------------------------------------

TALKS = """\
Talks in Odesa
15 April 2025 - Consultation - Odesa, Ukraine - corroborated
corroborated, but it rests on one source alone
talks, version 1, entry 4
reported 15 April 2025, recorded 15 April 2025, 18:00 UTC

They talked in a hospital about support.

Who
  actor  Mark Rutte - Secretary General, NATO
  host   Volodymyr Zelenskyy

Figures
  1  pledged  more than 20,000,000,000 EUR  Mark Rutte, first quarter of 2025

Claims
  disputes  Moscow: no progress

Related
  follows  Strike on Sumy (sumy-strike)

Sources
  1  A visit, "more than 20 billion euros"

Tags
  nato

Also
  coordinates  46.48, 30.73
  mode         visit
  contexts     military, diplomatic
  other ids    gdelt:1024
"""


def test_show_prints_all_that_is_said_of_an_event(story: Path) -> None:
    assert done("-d", story, "show", "talks") == TALKS


def test_show_as_json_is_one_object_that_ends_with_how_the_event_stands(story: Path) -> None:
    event = json.loads(done("-d", story, "show", "talks", "--json"))
    assert [*event][-5:] == EVENT_FIELDS_THEN_STANDING
    assert [event[field] for field in EVENT_FIELDS_THEN_STANDING] == [
        "current",
        1,
        4,
        "2025-04-15T18:00:01.000000Z",
        "2025-04-15",
    ]
    assert event["event_id"] == "talks"
    assert event["quantities"][0]["value"] == "20000000000"
    assert event["place"]["lat"] == "46.48"
    assert event["participants"][1] == {"name": "Volodymyr Zelenskyy", "role": "host"}


def test_show_says_what_others_say_of_an_event(story: Path) -> None:
    assert "<- follows  Talks in Odesa (talks)" in done("-d", story, "show", "sumy-strike")


def test_an_event_of_the_past_does_not_know_of_later_ones(story: Path) -> None:
    then = done("-d", story, "show", "sumy-strike", "--as-of", "#1")
    assert "Talks" not in then
    assert "Talks" not in done("-d", story, "show", "sumy-strike@1")


def test_show_says_that_an_event_is_retracted_or_merged(story: Path) -> None:
    assert done("-d", story, "show", "rumour").startswith(
        "A rumour\nApril 2025 - planned - RETRACTED\nretracted: nobody stands by it\n"
    )
    assert done("-d", story, "show", "visit").startswith(
        "Visit to Odesa\n15 April 2025 - MERGED\nmerged into Talks in Odesa (talks)\n"
    )


@pytest.mark.parametrize("event", ["sumy-strike@1", "#1", "sumy-s@1"])
def test_a_version_is_named_by_id_or_beginning_or_entry(event: str, story: Path) -> None:
    found = json.loads(done("-d", story, "show", event, "--json"))
    assert (found["version"], found["quantities"][0]["value"]) == (1, "32")


def test_a_beginning_that_several_ids_share_is_refused_with_all_of_them(story: Path) -> None:
    result = run("-d", story, "show", "sumy")
    assert result.exit_code == 1
    assert result.stderr == (
        'Error: "sumy" is the beginning of several events: sumy-strike, sumy-vigil\n'
    )


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ("talsk", "did you mean talks?"),
        ("talks@2", 'no event "talks@2"'),
        ("talks@two", "ID@3"),
        ("#99", 'no entry "#99"'),
        ("#3", "that entry is about source/"),
        ("", 'no event ""'),
        ("a\nb\x1b[1m", 'no event "a\\nb\\x1b[1m"'),
    ],
)
def test_an_event_that_is_not_there_is_refused(event: str, says: str, story: Path) -> None:
    for command in ("show", "history"):
        result = run("-d", story, command, event)
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: no ")
        assert result.stderr.count("\n") == 1
        assert command == "history" or says in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["show"],
        ["list", "--actor"],
        ["search"],
        ["list", "--country"],
        ["append", "--occurred", "2025", "--title"],
    ],
    ids=" ".join,
)
def test_an_argument_that_is_not_utf8_is_refused_in_one_line(
    arguments: list[str], story: Path
) -> None:
    words = b"a\xff".decode(errors="surrogateescape")
    result = process("-d", story, *arguments, words, cwd=story.parent)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "version"),
    [
        ([], 2),
        (["--as-of", "#1"], 1),
        (["--as-of", "1"], 1),
        (["--as-of", "2025-04-14"], 1),
        (["--as-of", "2025-04-15T08:59:59"], 1),
        (["--as-of", "2025-04-15"], 2),
        (["--as-reported", "13 April 2025"], 1),
        (["--as-reported", "2025-04-14"], 2),
        (["--as-of", "#2", "--as-reported", "2025-04-13"], 1),
        (["--as-of", "#1", "--as-reported", "2025-04-14"], 1),
    ],
)
def test_show_takes_both_clocks(options: list[str], version: int, story: Path) -> None:
    found = json.loads(done("-d", story, "show", "sumy-strike", "--json", *options))
    assert found["version"] == version


@pytest.mark.parametrize("options", [["--as-of", "#2"], ["--as-reported", "2025-04-14"]])
@pytest.mark.parametrize("command", ["show", "history"])
def test_an_event_that_was_not_there_as_of_then_ends_with_1(
    command: str, options: list[str], story: Path
) -> None:
    result = run("-d", story, command, "talks", *options, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == 'Error: no event "talks": it was not there as of then\n'


# --- history ------------------------------------------------------------------------------


def test_history_prints_every_version_with_what_changed_and_why(story: Path) -> None:
    assert done("-d", story, "history", "sumy-strike") == (
        "Strike on Sumy\n"
        "sumy-strike\n"
        "\n"
        "version 1: recorded  entry 1\n"
        "  reported 13 April 2025, recorded 13 April 2025, 18:00 UTC, by desk\n"
        "  figures then\n"
        "    1  killed  32  Mayor\n"
        "\n"
        "version 2: corrected  entry 2\n"
        "  reported 14 April 2025, recorded 15 April 2025, 09:00 UTC, by anna\n"
        "  reason: the mayor corrected it\n"
        "  - killed: 32 -> 34, Mayor\n"
    )


def test_history_says_what_was_added_and_removed(story: Path) -> None:
    done(
        "-d", story, "update", "talks", "--set", "note=N", "--set", "summary=", "--set", "tags.-=x"
    )
    shown = done("-d", story, "history", "talks")
    assert shown.endswith(
        "  - summary removed: They talked in a hospital about support.\n"
        "  - note added: N\n"
        "  - tag added: x\n"
    )


def test_history_says_into_what_an_event_was_merged(story: Path) -> None:
    shown = done("-d", story, "history", "visit")
    assert "\nversion 2: merged into Talks in Odesa (talks)  entry 9\n" in shown


def test_history_as_json_is_a_list_of_versions_with_changes(story: Path) -> None:
    first, second = json.loads(done("-d", story, "history", "sumy-strike", "--json"))
    assert (first["version"], first["kind"], first["changes"]) == (1, "event.recorded", [])
    assert second["superseded_at"] is None
    assert first["superseded_at"] == second["recorded_at"] == "2025-04-15T09:00:01.000000Z"
    assert (second["author"], second["reason"]) == ("anna", "the mayor corrected it")
    (change,) = second["changes"]
    assert change == {"path": "/quantities/0/value", "old_value": "32", "new_value": "34"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["sumy-strike", "--as-of", "#1"],
        ["sumy-strike", "--as-reported", "2025-04-13"],
        ["sumy-strike@1"],
        ["#1"],
    ],
)
def test_history_ends_where_it_is_told_to(arguments: list[str], story: Path) -> None:
    (version,) = json.loads(done("-d", story, "history", *arguments, "--json"))
    assert version["version"] == 1


# --- list, search, facets -----------------------------------------------------------------


def test_list_prints_the_events_in_the_order_in_which_they_happened(story: Path) -> None:
    assert done("-d", story, "list") == (
        "Strike on Sumy\n"
        "  13 April 2025, 10:15 - Assault - Sumy, Ukraine - corrected\n"
        "  sumy-strike, version 2\n"
        "Vigil in Sumy\n"
        "  around 14 April 2025\n"
        "  sumy-vigil, version 1\n"
        "Talks in Odesa\n"
        "  15 April 2025 - Consultation - Odesa, Ukraine - corroborated\n"
        "  talks, version 1\n"
    )


def ids(*arguments: object) -> list[str]:
    return [row["event_id"] for row in json.loads(done(*arguments, "--json"))]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["sumy-strike", "sumy-vigil", "talks"]),
        (["--limit", "1"], ["sumy-strike"]),
        (["--type", "Consultation"], ["talks"]),
        (["--type", "consult"], ["talks"]),
        (["--actor", "mark rutte"], ["talks"]),
        (["--country", "Ukraine"], ["sumy-strike", "talks"]),
        (["--place", "odesa"], ["talks"]),
        (["--tag", "NATO"], ["talks"]),
        (["--source", "https://example.org/visit"], ["talks"]),
        (["--since", "15 April 2025"], ["talks"]),
        (["--until", "2025-04-13"], ["sumy-strike"]),
        (["--since", "2025-04-14", "--until", "2025-04-14"], ["sumy-vigil"]),
        (["--year", "2024"], []),
        (["--month", "April 2025"], ["sumy-strike", "sumy-vigil", "talks"]),
        (["--precision", "minute"], ["sumy-strike"]),
        (["--verification", "corroborated"], ["talks"]),
        (["--modality", "planned"], []),
        (["--modality", "planned", "--state", "retracted"], ["rumour"]),
        (["--state", "merged"], ["visit"]),
        (["--state", "all", "--since", "2025-04-15"], ["rumour", "talks", "visit"]),
        (["--as-of", "#1"], ["sumy-strike"]),
        (["--as-of", "2025-04-15"], ["sumy-strike", "talks"]),
        (["--as-reported", "2025-04-14"], ["sumy-strike"]),
        (["--as-of", "#0"], []),
        (["--type", "Assault", "--type", "consult"], ["sumy-strike", "talks"]),
        (["--not", "type=Consultation"], ["sumy-strike", "sumy-vigil"]),
        (["--not", "country=UA", "--not", "tag=none"], ["sumy-vigil"]),
        (["--not", "state=current", "--not", "state=merged"], ["rumour"]),
        (["--tag", "nato", "--tag", "none", "--all-of", "tag"], []),
        (["--tag", "nato", "--tag", "none"], ["talks"]),
        (["--measure", "killed"], ["sumy-strike"]),
        (["--measure", "killed", "--at-least", "34", "--at-most", "34"], ["sumy-strike"]),
        (["--measure", "killed", "--at-least", "35"], []),
        (["--as-of", "#1", "--measure", "killed", "--at-most", "33"], ["sumy-strike"]),
    ],
    ids=lambda value: " ".join(value) or "nothing",
)
def test_list_takes_filters_and_both_clocks(
    options: list[str], expected: list[str], story: Path
) -> None:
    assert ids("-d", story, "list", *options) == expected


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--not", "nato"], "write tag=war, or another of type, actor,"),
        (["--not", "place=Odesa"], "write tag=war, or another of type, actor,"),
        (["--not", "country=Ukrain"], "not_country: "),
        (["--at-least", "5"], "at_least: needs a measure beside it, such as killed"),
        (["--measure", "killed", "--at-least", "many"], 'at_least: "many" is not a number'),
        (["--all-of", "country"], "'country' is not one of 'actor', 'tag', 'source'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_filter_that_cannot_be_meant_is_refused_in_one_line(
    options: list[str], problem: str, story: Path
) -> None:
    result = run("-d", story, "list", *options)
    assert result.exit_code in (1, 2)
    assert result.stdout == ""
    assert problem in result.stderr
    assert "Traceback" not in result.stderr


def test_an_export_says_which_filters_were_given(story: Path) -> None:
    written = done(
        *("-d", story, "export", "json", "--tag", "nato", "--tag", "none", "--not", "country=NL"),
        *("--verification", "corroborated", "--all-of", "actor"),
    )
    exported = json.loads(written)
    assert [event["event_id"] for event in exported["events"]] == ["talks"]
    assert exported["filters"] == {
        "tag": "nato, none",
        "verification": "corroborated",
        "not_country": "NL",
        "actor_match": "all",
    }


def test_list_as_json_has_the_columns_of_the_table(story: Path) -> None:
    (row, *_) = json.loads(done("-d", story, "list", "--json"))
    with Timeline.open(story) as timeline:
        assert row == timeline.list(limit=1)[0]


def test_a_list_of_the_past_shows_what_was_said_then(story: Path) -> None:
    shown = done("-d", story, "list", "--as-of", "#1")
    assert shown.splitlines()[1:] == [
        "  13 April 2025, 10:15 - Assault - Sumy, Ukraine",
        "  sumy-strike, version 1",
    ]


def test_a_list_of_nothing_says_so_beside_the_output(story: Path) -> None:
    for arguments in (["list", "--year", "1999"], ["search", "nothing"], ["facets", "nothing"]):
        result = run("-d", story, *arguments)
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No events.\n")


def test_search_marks_what_it_found(story: Path) -> None:
    assert done("-d", story, "search", "hospital") == (
        "Talks in Odesa\n"
        "  15 April 2025 - Consultation - Odesa, Ukraine - corroborated\n"
        "  They talked in a *hospital* about support.\n"
        "  talks, version 1\n"
    )
    (row,) = json.loads(done("-d", story, "search", "hospital", "--json"))
    assert row["match"] == "They talked in a **hospital** about support."


def test_search_does_not_repeat_the_title_it_found(story: Path) -> None:
    shown = done("-d", story, "search", "vigil")
    assert shown.splitlines() == [
        "Vigil in Sumy",
        "  around 14 April 2025",
        "  sumy-vigil, version 1",
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["hospital", "talk"], ["talks"]),
        (["HOSPITAL"], ["talks"]),
        (["hospital", "nowhere"], []),
        (['"a hospital"'], ["talks"]),
        (['"hospital a"'], []),
        (["sumy", "--type", "assault"], ["sumy-strike"]),
        (["odesa", "--state", "all", "--limit", "9"], ["talks", "visit"]),
        (["sumy", "--as-of", "#1"], ["sumy-strike"]),
        (["sumy", "--as-reported", "2025-04-13"], ["sumy-strike"]),
        (["NEAR(", "x"], []),
        (["title:", "x", "OR"], []),
    ],
    ids=lambda value: " ".join(value) or "nothing",
)
def test_search_finds_all_words(arguments: list[str], expected: list[str], story: Path) -> None:
    assert sorted(ids("-d", story, "search", *arguments)) == expected


def test_facets_print_values_with_their_counts(story: Path) -> None:
    shown = done("-d", story, "facets")
    assert shown.startswith("type\n     1  Assault\n     1  Consultation\nactor\n")
    assert "\ncountry\n     2  Ukraine\n" in shown
    assert "\nmonth\n     3  2025-04\n" in shown


def test_facets_as_json_are_values_labels_and_counts(story: Path) -> None:
    counted = json.loads(done("-d", story, "facets", "--json"))
    assert counted["country"] == [{"value": "UKR", "label": "Ukraine", "count": 2}]
    assert counted["year"] == [{"value": 2025, "label": 2025, "count": 3}]


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ([], 2),
        (["hospital"], 1),
        (["--type", "ASSAULT"], 1),
        (["--as-of", "#1"], 1),
        (["--as-reported", "2025-04-14"], 1),
        (["--since", "2025-04-15"], 1),
    ],
)
def test_facets_count_a_selection(arguments: list[str], count: int, story: Path) -> None:
    counted = json.loads(done("-d", story, "facets", "--json", *arguments))
    assert sum(value["count"] for value in counted["country"]) == count


def test_facets_show_ten_values_unless_told_otherwise(story: Path) -> None:
    tags = [f"tag-{number:02}" for number in range(13)]
    done("-d", story, "append", "-", input=json.dumps({**ONE, "tags": tags}))
    shown = done("-d", story, "facets", "--since", "2025-05-01")
    assert "     1  tag-09\n        and 3 more\n" in shown
    assert "more" not in done("-d", story, "facets", "--limit", "20")


# --- log ----------------------------------------------------------------------------------


def test_log_prints_the_entries_newest_first(story: Path) -> None:
    shown = done("-d", story, "log")
    assert shown.startswith(
        "#9  16 April 2025, 09:00 UTC  event.merged  event/visit, version 2\n"
        "#8  16 April 2025, 09:00 UTC  event.recorded  event/visit, version 1\n"
        "    Visit to Odesa\n"
        "#7  16 April 2025, 09:00 UTC  event.retracted  event/rumour, version 2\n"
        "    nobody stands by it\n"
    )
    assert "    Strike on Sumy; by anna; the mayor corrected it\n" in shown
    assert shown.splitlines()[-2].startswith("#0  ")


def test_log_as_json_holds_payloads_and_leaves(story: Path) -> None:
    newest, *rest = json.loads(done("-d", story, "log", "--json", "--limit", "3"))
    assert len(rest) == 2
    assert (newest["seq"], newest["payload"]) == (9, {"into": "talks"})
    assert newest["leaf"] == entries(story)[9][-1].hex()


def test_log_goes_back_to_any_moment(story: Path) -> None:
    for moment in ("#1", "2025-04-14", "2025-04-15T08:00"):
        assert [entry["seq"] for entry in log(story, "--as-of", moment)] == [1, 0]


def log(story: Path, *options: str) -> Any:
    return json.loads(done("-d", story, "log", "--json", *options))


# --- update, correct, retract, reinstate, merge -------------------------------------------


def test_update_changes_fields_by_path(story: Path) -> None:
    shown = done(
        *("-d", story, "update", "talks", "--set", "title=Talks end", "--set", "place.country=RO"),
        *("--set", "/quantities/0/value=21e9", "--set", "tags.-=Hospital", "--set", "tags.-=visit"),
        *("--set", "note=A = B"),
        *("--set", "summary=", "--set", 'claims=[{"speaker": "Anna"}]', "--reason", "it went on"),
        *("--reported-at", "2025-04-17", "--author", "anna"),
    )
    assert shown == (
        "updated  talks  15 April 2025 (2025-04-15)  entry 10, version 2\n"
        "  pledged: more than 21,000,000,000 EUR, said by Mark Rutte, first quarter of\n    2025\n"
    )
    event = json.loads(done("-d", story, "show", "talks", "--json"))
    assert event["title"] == "Talks end"
    assert event["place"]["country"] == "ROU"
    assert event["quantities"][0]["value"] == "21000000000"
    assert event["tags"] == ["nato", "hospital", "visit"]
    assert event["note"] == "A = B"
    assert "summary" not in event
    assert event["claims"] == [{"speaker": "Anna"}]
    assert event["reported_at"] == "2025-04-17"
    (newest,) = log(story, "--limit", "1")
    assert newest["kind"] == "event.updated"
    assert (newest["payload"]["author"], newest["payload"]["reason"]) == ("anna", "it went on")


def test_update_puts_a_figure_beside_the_others_with_who_says_so(story: Path) -> None:
    url = "https://example.org/second"
    done(
        *(
            "-d",
            story,
            "update",
            "sumy-strike",
            "--figure",
            "killed=>35",
            "--said-by",
            "Prosecutor",
        ),
        *("--dated", "14 April 2025", "--source", url),
    )
    event = json.loads(done("-d", story, "show", "sumy-strike", "--json"))
    (source_id,) = event["quantities"][1]["source_ids"]
    assert [figure["value"] for figure in event["quantities"]] == ["34", "35"]
    assert event["quantities"][1] == {
        "measure": "killed",
        "value": "35",
        "qualifier": "more_than",
        "unit": "person",
        "dated": "2025-04-14",
        "reported_by": "Prosecutor",
        "source_ids": [source_id],
    }
    assert event["citations"][-1] == {"source_id": source_id}
    # The same source again is neither recorded nor cited twice.
    done("-d", story, "update", "sumy-strike", "--figure", "injured=9", "--source", url)
    again = json.loads(done("-d", story, "show", "sumy-strike", "--json"))
    assert again["citations"] == event["citations"]
    assert again["quantities"][2]["source_ids"] == [source_id]


def test_correct_replaces_the_figure_that_show_lists_by_that_number(story: Path) -> None:
    done("-d", story, "update", "sumy-strike", "--figure", "injured=9")
    done(
        *("-d", story, "correct", "sumy-strike", "--figure", "killed=36", "--replace", "1"),
        *("--reason", "counted again"),
    )
    event = json.loads(done("-d", story, "show", "sumy-strike", "--json"))
    assert [(f["measure"], f["value"]) for f in event["quantities"]] == [
        ("killed", "36"),
        ("injured", "9"),
    ]
    result = run("-d", story, "update", "sumy-strike", "--figure", "killed=37", "--replace", "3")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: replace: there is no figure 3: the event has 2\n",
    )


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--said-by", "Mayor"],
        ["--set", "title=T", "--dated", "2025"],
        ["--set", "title=T", "--replace", "1"],
        ["--figure", "killed=1", "--figure", "killed=2", "--replace", "1"],
    ],
    ids=lambda value: " ".join(value) or "nothing",
)
def test_options_of_figures_that_do_not_go_together_are_wrong_usage(
    options: list[str], story: Path
) -> None:
    assert run("-d", story, "update", "talks", *options).exit_code == 2


def test_each_figure_has_the_speaker_the_day_and_the_sources_that_follow_it(story: Path) -> None:
    first, second, third = (f"https://example.org/{name}" for name in ("one", "two", "three"))
    shown = done(
        *("-d", story, "update", "talks", "--dated", "14 April 2025", "--source", first),
        *("--figure", "killed=20 to 40", "--said-by", "CNN", "--source", second),
        *("--figure", "injured=at least 8", "--said-by", "Mayor", "--dated", "15 April 2025"),
        *("--figure", "pledged=EUR 20bn", "--source", third),
    )
    assert shown.splitlines()[1:] == [
        "  killed: 20 to 40, said by CNN, 14 April 2025",
        "  injured: at least 8, said by Mayor, 15 April 2025",
        "  pledged: 20,000,000,000 EUR, 14 April 2025",
    ]
    event = json.loads(done("-d", story, "show", "talks", "--json"))
    cited = [citation["source_id"] for citation in event["citations"]][-3:]
    assert [figure["source_ids"] for figure in event["quantities"][-3:]] == [
        [cited[0], cited[1]],
        [cited[0]],
        [cited[0], cited[2]],
    ]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--said-by", "A", "--said-by", "B"], "--said-by is given twice for killed=1"),
        (["--dated", "2024", "--dated", "2025"], "--dated is given twice for killed=1"),
        (["--reason", "one", "--reason", "two"], "--reason is given 2 times: once is enough"),
        (["--author", "anna", "--author", "ben"], "--author is given 2 times: once is enough"),
    ],
)
def test_an_option_that_is_given_twice_is_wrong_usage(
    options: list[str], problem: str, story: Path
) -> None:
    result = run("-d", story, "update", "talks", "--figure", "killed=1", *options)
    assert (result.exit_code, problem in result.stderr) == (2, True), result.stderr
    before = run("-d", story, "update", "talks", *options, "--figure", "killed=1")
    assert before.exit_code == 2


def test_a_source_is_cited_with_the_words_that_it_says(story: Path, tmp_path: Path) -> None:
    def cited(event: str) -> list[tuple[str, str | None]]:
        shown = json.loads(done("-d", story, "show", event, "--json"))
        return [(each["source_id"], each.get("quote")) for each in shown["citations"]]

    text = tmp_path / "council.txt"
    text.write_text("The council met on Monday. Thirty houses were lost, the mayor said.")
    done("-d", story, "capture", text, "--id", "council-report", "--url", "https://example.org/c")
    options = ("append", "--title", "Fire", "--occurred", "2025", "--id", "fire-1")
    done("-d", story, *options, "--quote", "Thirty houses were lost", "--cite", "council-rep")
    assert cited("fire-1") == [("council-report", "Thirty houses were lost")]
    two = ("--cite", "https://example.org/c", "--quote", "the mayor said", "--quote", "on Monday")
    done("-d", story, "update", "fire-1", *two, "--cite", "https://example.org/new")
    assert cited("fire-1")[1:3] == [
        ("council-report", "the mayor said"),
        ("council-report", "on Monday"),
    ]
    assert len(cited("fire-1")) == 4
    said = one_line(run("-d", story, "update", "fire-1", *two))
    assert said == "event fire-1 already says so: nothing would change"
    done("-d", story, "append", *options[1:5], "--id", "fire-2", "--cite", "council-report")
    why = ("--reason", "who says so")
    done("-d", story, "correct", "fire-2", "--cite", "council", "--quote", "on Monday", *why)
    assert cited("fire-2") == [("council-report", "on Monday")]
    wrong = ("--cite", "council-report", "--quote", "Forty houses")
    for command in (("update", "fire-2"), options[:5]):
        said = one_line(run("-d", story, *command, *wrong))
        assert said.startswith("quote: ")
    said = one_line(run("-d", story, "update", "fire-2", "--cite", "nobody"))
    assert said.startswith('no source "nobody"')
    usage = run("-d", story, "update", "fire-2", "--quote", "on Monday")
    assert (usage.exit_code, "--quote goes after the --cite" in usage.stderr) == (2, True)


def test_a_source_alone_is_a_change(story: Path) -> None:
    done("-d", story, "update", "talks", "--source", "https://example.org/other")
    assert len(json.loads(done("-d", story, "show", "talks", "--json"))["citations"]) == 2


def test_correct_says_why(story: Path) -> None:
    shown = done(
        "-d", story, "correct", "talks", "--set", "occurred=2025-04-16", "--reason", "typo"
    )
    assert shown == "corrected  talks  16 April 2025 (2025-04-16)  entry 10, version 2\n"
    assert log(story, "--limit", "1")[0]["payload"]["reason"] == "typo"


def test_the_receipt_of_a_change_is_json_too(story: Path) -> None:
    receipt = json.loads(
        done("-d", story, "correct", "talks", "--set", "title=T", "--reason", "r", "--json")
    )
    assert (receipt["event_id"], receipt["kind"]) == ("talks", "event.corrected")
    assert (receipt["seq"], receipt["version"], receipt["unchanged"]) == (10, 2, False)


def test_retract_and_reinstate_change_the_state_alone(story: Path) -> None:
    assert done("-d", story, "retract", "talks", "--reason", "no") == (
        "retracted  talks  entry 10, version 2\n"
    )
    assert ids("-d", story, "list") == ["sumy-strike", "sumy-vigil"]
    assert done("-d", story, "reinstate", "talks") == "reinstated  talks  entry 11, version 3\n"
    event = json.loads(done("-d", story, "show", "talks", "--json"))
    assert (event["state"], event["title"]) == ("current", "Talks in Odesa")


def test_merge_names_the_event_that_stays(story: Path) -> None:
    assert done("-d", story, "merge", "sumy-v", "--into", "sumy-s") == (
        "merged  sumy-vigil  into sumy-strike  entry 10, version 2\n"
    )
    assert json.loads(done("-d", story, "show", "sumy-vigil", "--json"))["merged_into"] == (
        "sumy-strike"
    )


def test_reinstate_takes_back_a_merge(story: Path) -> None:
    done("-d", story, "reinstate", "visit")
    assert "merged_into" not in json.loads(done("-d", story, "show", "visit", "--json"))


@pytest.mark.parametrize("event", ["sumy-strike@2", "#2"])
def test_a_change_may_name_the_version_it_is_for(event: str, story: Path) -> None:
    assert "version 3" in done("-d", story, "update", event, "--set", "title=T")
    stale = run("-d", story, "update", event, "--set", "title=U")
    assert stale.exit_code == 1
    assert "is at version 3, not 2" in stale.stderr


# --- schema, rebuild, doctor --------------------------------------------------------------


@pytest.mark.parametrize("what", ["", "event", "source", "actor", "log"])
def test_schema_is_a_json_schema(what: str) -> None:
    schema = json.loads(done("schema", *what.split()))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    required = {"": ["title", "occurred"], "source": None, "actor": ["name"]}
    assert schema.get("required") == required.get(what, schema.get("required"))
    assert schema["additionalProperties"] is False


def test_rebuild_makes_the_same_tables(story: Path) -> None:
    before = derived(story)
    assert done("-d", story, "rebuild") == f"Rebuilt the tables of {story} from 10 entries.\n"
    assert derived(story) == before


def test_doctor_finds_nothing_wrong_with_a_good_file(story: Path) -> None:
    shown = done("-d", story, "doctor")
    assert "log        10 entries, the newest is #9" in shown
    findings = json.loads(done("-d", story, "doctor", "--json"))
    assert {finding["finding"] for finding in findings} <= {"ok", "note"}
    assert {"Python", "SQLite", "Datasette", "file", "pages", "log", "disk", "clock", "tables"} == {
        finding["about"] for finding in findings
    }


@pytest.mark.parametrize(
    ("part", "works"),
    [(0.9, {"erase", "publish"}), (0.4, {"publish"}), (0.2, set())],
)
def test_doctor_says_how_much_room_it_takes_to_erase_and_to_publish(
    story: Path, monkeypatch: pytest.MonkeyPatch, part: float, works: set[str]
) -> None:
    """The file is made larger by a hole, which takes no room; SQLite does not look at it."""
    monkeypatch.setenv("SQLITE_TMPDIR", str(story.parent))
    free, size = shutil.disk_usage(story.parent).free, story.stat().st_size
    os.truncate(story, int(free * part))
    result = run("-d", story, "doctor", "--json")
    os.truncate(story, size)
    rows = [row for row in json.loads(result.stdout) if row["about"] == "disk"]
    problems = [row["says"] for row in rows if row["finding"] == "problem"]
    assert {says.split()[1] for says in problems} == works
    assert result.exit_code == (1 if works else 0)
    for says in problems:
        said = re.fullmatch(r"to .+ takes ([\d,.]+) GB in (.+), which has ([\d,.]+) GB free", says)
        assert said, says
        times = 2 if "erase" in says else 3
        assert float(said[1].replace(",", "")) == pytest.approx(times * free * part / 1e9, rel=0.05)
        assert said[2] == str(story.parent)


def test_doctor_looks_where_sqlite_puts_what_is_temporary(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that cannot be used is passed over, as SQLite does."""
    monkeypatch.setenv("SQLITE_TMPDIR", str(story.parent / "none"))
    monkeypatch.setenv("TMPDIR", str(story.parent))
    assert storage.temporary_folder() == story.parent
    monkeypatch.delenv("TMPDIR")
    assert storage.temporary_folder() in (Path("/var/tmp"), Path("/usr/tmp"), Path("/tmp"))


def test_doctor_ends_with_1_where_there_is_a_problem(tmp_path: Path) -> None:
    result = run("-d", tmp_path / "none.db", "doctor")
    assert result.exit_code == 1
    assert "problem" in result.stdout
    assert "timelineinitmakesone" in "".join(result.stdout.split())
