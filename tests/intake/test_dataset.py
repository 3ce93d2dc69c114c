"""A publisher's files, one after another: exactly what changed is in the log, and nothing else."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import itertools
import json
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from publisher import MAPPING, State, changed_row, made_up_row, written
from running import done, one_line, run

from timeline import Timeline
from timeline.formats.imports import importer
from timeline.intake.dataset.run import run as dataset
from timeline.intake.dataset.staging import Staging, event_id_of
from timeline.model.content import Said
from timeline.store import storage
from timeline.writing.writer import Append

FILES = 10
PLAIN: State = {
    "a-1": {
        "Ref": "a-1", "Kind": "Strike", "Town": "Sumy", "Country": "Ukraine", "Day": "2025-04-13",
        "Dead": "34", "Notes": "Two missiles.", "Topics": "", "Confidence": "0.5", "Desk": "",
    },
    "a-2": {
        "Ref": "a-2", "Kind": "Talks", "Town": "Odesa", "Country": "Ukraine", "Day": "2025-04-15",
        "Dead": "", "Notes": "", "Topics": "port", "Confidence": "1", "Desk": "night desk",
    },
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "map.toml").write_text(MAPPING)
    (tmp_path / "id.toml").write_text(
        'scheme = "a"\nid = "id"\n[fields]\ntitle = "id"\noccurred = "id"\n'
    )
    done("init", "--title", "A story")
    return tmp_path


def put(state: State | bytes, *options: str, name: str = "file.csv", **settings: Any) -> Any:
    """What `import mapped --json` says of a file."""
    content = state if isinstance(state, bytes) else written(state)
    Path(name).write_bytes(content)
    output = done(
        *("import", "mapped", name, "--map", settings.get("mapping", "map.toml"), "--json"),
        *options,
    )
    return json.loads(output)


def whole(day: str) -> tuple[str, ...]:
    return ("--complete", "--reported-at", day, "--yes")


def entries(after: int = 0) -> list[tuple[str, str]]:
    """Kind and subject of the entries from this one on."""
    with contextlib.closing(sqlite3.connect("timeline.db")) as connection:
        return connection.execute(
            "SELECT kind, subject FROM log WHERE seq >= ? ORDER BY seq", (after,)
        ).fetchall()


def count() -> int:
    return len(entries())


def rejected() -> list[dict[str, str]]:
    with Path("file.csv.rejects.csv").open(newline="") as file:
        return [*csv.DictReader(file)]


def with_row(state: State, ref: str, **cells: str) -> State:
    return {**state, ref: {**state.get(ref, PLAIN["a-1"]), "Ref": ref, **cells}}


def shown(event_id: str, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done("show", event_id, "--json", *options))
    return found


def story(seed: int) -> list[tuple[State, dict[str, set[str]], set[str], set[str], set[str]]]:
    """Ten states of a file, and what each one has changed, new, gone and back."""
    maker = random.Random(seed)
    state = {f"r-{number}": made_up_row(maker, f"r-{number}") for number in range(30)}
    numbers = itertools.count(30)
    away: State = {}
    steps = [(dict(state), {}, set(state), set(), set())]
    for _ in range(FILES - 1):
        back = set(maker.sample(sorted(away), min(len(away), 2)))
        gone = set(maker.sample(sorted(state), 3))
        edited = maker.sample(sorted(state.keys() - gone), 4)
        new = {f"r-{next(numbers)}" for _ in range(2)}
        changed: dict[str, set[str]] = {}
        for ref in edited:
            state[ref], changed[ref] = changed_row(maker, state[ref])
        for ref in sorted(back):
            state[ref] = away.pop(ref)
        for ref in sorted(new):
            state[ref] = made_up_row(maker, ref)
        for ref in gone:
            away[ref] = state.pop(ref)
        steps.append((dict(state), changed, new, gone, back))
    return steps


@pytest.mark.parametrize("seed", [1, 2])
def test_ten_files_with_churn_make_exactly_the_changes_of_their_content(
    folder: Path, seed: int
) -> None:
    steps = story(seed)
    maker = random.Random(seed + 100)
    ends = []
    for number, (state, changed, new, gone, back) in enumerate(steps, 1):
        before = count()
        content = written(state, maker, as_json=number % 3 == 0)
        outcome = put(content, *whole(f"2025-06-{number:02d}"))
        kinds: dict[str, set[str]] = {}
        for kind, subject in entries(before):
            kinds.setdefault(kind, set()).add(subject)
        of = {
            "event.recorded": new,
            "event.updated": set(changed),
            "event.retracted": gone,
            "event.reinstated": back,
        }
        expected = {
            kind: {f"event/{event_id_of(f'casualties:{ref}')}" for ref in refs}
            for kind, refs in of.items()
            if refs
        }
        kinds.pop("source.recorded", None)  # the dataset, with the first file
        assert kinds == expected
        assert outcome["recorded"] == len(new)
        assert outcome["updated"] == len(changed)
        assert outcome["retracted"] == len(gone)
        assert outcome["unchanged"] == len(state) - len(new) - len(changed)
        assert outcome["rejected"] == 0
        assert count() - before == sum(map(len, of.values())) + (number == 1)
        assert columns_changed(before) == {
            event_id_of(f"casualties:{ref}"): columns for ref, columns in changed.items()
        }
        again = put(content, *whole(f"2025-06-{number:02d}"))
        assert again["unchanged"] == len(state)
        assert count() - before == sum(map(len, of.values())) + (number == 1)
        ends.append(count() - 1)
    for one, other in itertools.combinations(range(FILES), 2):
        assert_difference(steps[one][0], steps[other][0], f"#{ends[one]}", f"#{ends[other]}")
        days = (f"2025-06-{one + 1:02d}", f"2025-06-{other + 1:02d}")
        assert_difference(steps[one][0], steps[other][0], *days, "--reported")
    for number, (state, *_) in enumerate(steps, 1):
        assert_reproduced(folder, state, "--as-reported", f"2025-06-{number:02d}")
        assert_reproduced(folder, state, "--as-of", f"#{ends[number - 1]}")
    done("verify")


def columns_changed(after: int) -> dict[str, set[str]]:
    """By event the columns of the publisher that entries behind this one changed."""
    found: dict[str, set[str]] = {}
    with contextlib.closing(sqlite3.connect("timeline.db")) as connection:
        rows = connection.execute(
            "SELECT event_id, path FROM field_changes WHERE seq >= ? AND path GLOB '/extra/*'",
            (after,),
        )
        for event_id, path in rows:
            found.setdefault(event_id, set()).add(path.removeprefix("/extra/casualties/"))
    return found


def assert_difference(old: State, new: State, start: str, end: str, *options: str) -> None:
    """`changes` names the rows that differ between two files, with what they said, and no other."""
    found = json.loads(done("changes", "--from", start, "--to", end, "--json", *options))
    differing = {}
    for row in found:
        stood = [
            side is not None and side["state"] == "current"
            for side in (row["before"], row["after"])
        ]
        if stood[0] != stood[1] or (all(stood) and row["changes"]):
            differing[row["event_id"]] = stood
    expected = {
        event_id_of(f"casualties:{ref}"): [ref in old, ref in new]
        for ref in old.keys() | new.keys()
        if old.get(ref) != new.get(ref)
    }
    assert differing == expected


def assert_reproduced(folder: Path, state: State, *moment: str) -> None:
    """A file as it was is in the log: its cells, and the events that it makes alone."""
    events = json.loads(done("export", "json", *moment))["events"]
    cells = {
        event["extra"]["casualties"]["Ref"].strip(): event["extra"]["casualties"]
        for event in events
    }
    assert {ref: normal(row) for ref, row in cells.items()} == {
        ref: normal(row) for ref, row in state.items()
    }
    alone = folder / f"alone{moment[-1].strip('#')}{moment[0]}"
    alone.mkdir()
    (alone / "file.csv").write_bytes(written(state))
    database = ("-d", alone / "timeline.db")
    done(*database, "init", "--title", "Alone")
    done(*database, "import", "mapped", alone / "file.csv", "--map", "map.toml")
    others = json.loads(done(*database, "export", "json"))["events"]
    said = ("title", "occurred", "event_type", "place", "quantities", "tags")
    assert sorted(
        ([event["event_id"], *map(event.get, said)] for event in events), key=str
    ) == sorted(([event["event_id"], *map(event.get, said)] for event in others), key=str)


def normal(row: dict[str, str]) -> dict[str, str]:
    from timeline.formats.imports import importer

    spellings = importer("mapped", Path("map.toml")).spellings
    return {
        column: " ".join(
            spellings[column].normal(cell).split() if column in spellings else cell.split()
        )
        for column, cell in row.items()
        if cell.strip()
    }


# --- Churn --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda text: text.replace("2025-04-13", "13 April 2025"), "date format"),
        (lambda text: text.replace(",34,", ",34.0,"), "number format"),
        (lambda text: text.replace("Two missiles.", " Two  missiles."), "white space"),
        (
            lambda text: "\n".join(_last_first(line) for line in text.splitlines()),
            "order of fields",
        ),
    ],
)
def test_another_way_to_say_the_same_is_counted_and_makes_no_entry(
    folder: Path, change: Any, kind: str
) -> None:
    put(PLAIN, *whole("2025-06-01"))
    before = count()
    outcome = put(change(written(PLAIN).decode()).encode(), *whole("2025-06-02"))
    assert count() == before
    assert outcome["churn"] == {kind: 2 if kind == "order of fields" else 1}
    assert outcome["unchanged"] == 2


def _last_first(line: str) -> str:
    first, *others = line.split(",")
    return ",".join([*others, first]) if line else line


def test_the_order_of_keys_in_json_is_churn(folder: Path) -> None:
    put(json.dumps([*PLAIN.values()]).encode(), *whole("2025-06-01"), name="file.json")
    before = count()
    turned = [dict(reversed(row.items())) for row in PLAIN.values()]
    outcome = put(json.dumps(turned).encode(), *whole("2025-06-02"), name="file.json")
    assert count() == before
    assert outcome["churn"] == {"order of fields": 2}


def test_an_empty_cell_and_none_are_the_same(folder: Path) -> None:
    put(PLAIN)
    before = count()
    rows = [{column: cell for column, cell in row.items() if cell} for row in PLAIN.values()]
    assert put(json.dumps(rows).encode())["unchanged"] == 2
    assert count() == before


# --- What the log knows better ------------------------------------------------------------


def test_what_was_corrected_here_stays_when_the_publisher_changes_something_else(
    folder: Path,
) -> None:
    put(PLAIN, *whole("2025-06-01"))
    done("correct", "casualties-a-1", "--set", "place.name=Sumy, centre", "--reason", "we looked")
    put(with_row(PLAIN, "a-1", Dead="35"), *whole("2025-06-02"))
    event = shown("casualties-a-1")
    assert event["place"]["name"] == "Sumy, centre"
    assert event["quantities"][0]["value"] == "35"


def test_what_both_changed_stays_ours_and_is_said(folder: Path) -> None:
    put(PLAIN, *whole("2025-06-01"))
    done("correct", "casualties-a-1", "--set", "quantities.0.value=36", "--reason", "we counted")
    outcome = put(with_row(PLAIN, "a-1", Dead="35"), *whole("2025-06-02"))
    assert outcome["notes"] == [
        "line 2: quantities of casualties-a-1 was changed here, and now by the publisher: ours"
        " stays, theirs is in its extra"
    ]
    event = shown("casualties-a-1")
    assert event["quantities"][0]["value"] == "36"
    assert event["extra"]["casualties"]["Dead"] == "35"
    assert not outcome["figures"][0]["reconciles"]
    assert put(with_row(PLAIN, "a-1", Dead="35"), *whole("2025-06-02"))["unchanged"] == 2


def test_an_event_of_ones_own_with_the_publishers_id_keeps_its_fields(folder: Path) -> None:
    Path("own.json").write_text(
        json.dumps(
            {
                "event_id": "sumy-strike",
                "title": "The strike on Sumy",
                "occurred": "2025-04-13",
                "external_ids": ["casualties:a-1"],
            }
        )
    )
    done("append", "own.json")
    outcome = put(PLAIN)
    assert (outcome["recorded"], outcome["updated"]) == (1, 1)
    assert "was not made from this publisher's row" in outcome["notes"][0]
    event = shown("sumy-strike")
    assert event["title"] == "The strike on Sumy"
    assert event["extra"]["casualties"]["Dead"] == "34"
    assert put(PLAIN)["unchanged"] == 2


def test_an_erased_event_is_known_again_and_skipped(folder: Path) -> None:
    put(PLAIN, *whole("2025-06-01"))
    done("erase", "#2", "--reason", "a court order")
    before = count()
    outcome = put(PLAIN, *whole("2025-06-02"))
    assert outcome["erased"] == 1
    assert outcome["notes"] == ["line 2: casualties-a-1 was erased, and stays so"]
    assert count() == before
    assert shown("casualties-a-1")["state"] == "erased"


def test_what_was_retracted_by_hand_is_not_brought_back(folder: Path) -> None:
    put(PLAIN, *whole("2025-06-01"))
    done("retract", "casualties-a-1", "--reason", "a hoax")
    outcome = put(with_row(PLAIN, "a-1", Dead="35"), *whole("2025-06-02"))
    assert outcome["notes"] == ['line 2: casualties-a-1 was retracted ("a hoax"), and stays so']
    event = shown("casualties-a-1")
    assert event["state"] == "retracted"
    assert event["quantities"][0]["value"] == "35"


def test_a_merged_event_is_not_retracted_when_its_row_goes(folder: Path) -> None:
    put(PLAIN, *whole("2025-06-01"))
    done("merge", "casualties-a-1", "--into", "casualties-a-2")
    before = count()
    put({"a-2": PLAIN["a-2"]}, *whole("2025-06-02"))
    assert count() == before


def test_a_row_that_comes_back_is_reinstated_with_what_it_says_by_then(folder: Path) -> None:
    put(PLAIN, *whole("2025-06-01"))
    put({"a-2": PLAIN["a-2"]}, *whole("2025-06-02"))
    retracted = shown("casualties-a-1")
    assert retracted["state"] == "retracted"
    assert done("history", "casualties-a-1").count(
        "no longer in the publisher's file of 2025-06-02"
    )
    outcome = put(with_row(PLAIN, "a-1", Dead="36"), *whole("2025-06-03"))
    assert (outcome["reinstated"], outcome["updated"]) == (1, 1)
    event = shown("casualties-a-1")
    assert (event["state"], event["quantities"][0]["value"]) == ("current", "36")
    assert shown("casualties-a-1", "--as-reported", "2025-06-02")["state"] == "retracted"


def test_a_row_that_comes_back_and_cannot_be_read_stays_away(folder: Path) -> None:
    put(PLAIN, *whole("2025-06-01"))
    put({"a-2": PLAIN["a-2"]}, *whole("2025-06-02"))
    before = count()
    outcome = put(with_row(PLAIN, "a-1", Day="soon"), *whole("2025-06-03"))
    assert (outcome["reinstated"], outcome["rejected"]) == (0, 1)
    assert count() == before


# --- Refused, and put aside ---------------------------------------------------------------


def test_a_file_that_is_older_than_the_newest_is_refused(folder: Path) -> None:
    put(PLAIN, *whole("2025-06-05"))
    before = count()
    result = run(*("import", "mapped", "file.csv", "--map", "map.toml"), *whole("2025-06-04"))
    assert one_line(result) == (
        "the log has what this publisher said by 2025-06-05: a file of 2025-06-04 is older; files"
        " go in from the oldest to the newest"
    )
    assert count() == before


def test_what_somebody_corrected_later_makes_no_file_older(folder: Path) -> None:
    put(PLAIN, *whole("2025-06-01"))
    done(
        *("correct", "casualties-a-1", "--set", "summary=Three missiles."),
        *("--reason", "we looked", "--reported-at", "2025-06-09"),
    )
    put(with_row(PLAIN, "a-2", Town="Lviv"), *whole("2025-06-02"))
    assert shown("casualties-a-2")["place"]["name"] == "Lviv"


def test_ids_that_stand_twice_are_reported_and_not_guessed(folder: Path) -> None:
    text = written(PLAIN).decode()
    twice = text + text.splitlines()[1].replace(",34,", ",40,") + "\n" + text.splitlines()[2] + "\n"
    outcome = put(twice.encode(), *whole("2025-06-01"))
    assert (outcome["recorded"], outcome["rejected"], outcome["repeated"]) == (1, 2, 1)
    rows = rejected()
    reason = "casualties:a-1 stands twice: lines 2 and 4, which differ in Dead"
    assert [(row["line"], row["field"], row["reason"]) for row in rows] == [
        ("2", "Ref", reason),
        ("4", "Ref", reason),
    ]


def test_a_row_with_an_id_that_stands_twice_is_not_taken_for_gone(folder: Path) -> None:
    put(PLAIN, *whole("2025-06-01"))
    text = written(PLAIN).decode()
    twice = text + text.splitlines()[1].replace(",34,", ",40,") + "\n"
    assert put(twice.encode(), *whole("2025-06-02"))["retracted"] == 0
    assert shown("casualties-a-1")["state"] == "current"


def test_an_id_that_changes_is_reported_with_what_to_do(folder: Path) -> None:
    put(PLAIN, *whole("2025-06-01"))
    renamed = {"b-1": {**PLAIN["a-1"], "Ref": "b-1"}, "a-2": PLAIN["a-2"]}
    outcome = put(renamed, *whole("2025-06-02"))
    assert (outcome["recorded"], outcome["retracted"]) == (1, 1)
    assert outcome["notes"] == [
        "line 2: casualties:b-1 says what the row of casualties-a-1 said, which is gone: has its"
        " id changed? Then `timeline merge casualties-a-1 --into` it"
    ]


def test_a_bad_row_is_put_aside_by_line_field_and_reason(folder: Path) -> None:
    bad = with_row(with_row(PLAIN, "a-3", Day="soon"), "a-4", Day="31 April 2025")
    outcome = put(bad)
    assert (outcome["recorded"], outcome["rejected"]) == (2, 2)
    assert outcome["rejects_file"] == "file.csv.rejects.csv"
    rows = rejected()
    assert [(row["line"], row["field"]) for row in rows] == [("4", "Day"), ("5", "Day")]
    assert rows[0]["reason"].startswith('"soon" is not a date')
    assert "31 April 2025" in rows[1]["reason"]
    assert json.loads(rows[0]["row"])["Ref"] == "a-3"


def test_strict_takes_all_of_a_file_or_nothing(folder: Path) -> None:
    before = count()
    Path("file.csv").write_bytes(written(with_row(PLAIN, "a-3", Kind="Flood")))
    result = run("import", "mapped", "file.csv", "--map", "map.toml", "--strict")
    assert one_line(result) == 'line 4: Kind: "Flood" is not among the words of the map'
    assert count() == before
    assert put(PLAIN, "--strict")["recorded"] == 2


def test_nothing_is_retracted_while_a_row_cannot_be_told_by_its_id(folder: Path) -> None:
    put(PLAIN, *whole("2025-06-01"))
    text = written({"a-2": PLAIN["a-2"]}).decode() + "half a row\n"
    outcome = put(text.encode(), *whole("2025-06-02"))
    assert outcome["retracted"] == 0
    assert outcome["notes"][0].startswith("1 row has no id, so nothing was retracted")
    assert shown("casualties-a-1")["state"] == "current"


def test_a_file_that_lacks_many_events_needs_a_yes(folder: Path) -> None:
    put(PLAIN, *whole("2025-06-01"))
    before = count()
    Path("file.csv").write_bytes(written({"a-2": PLAIN["a-2"]}))
    result = run(
        *("import", "mapped", "file.csv", "--map", "map.toml"),
        *("--complete", "--reported-at", "2025-06-02"),
    )
    assert one_line(result).startswith("1 of 2 events are not in the file, more than a tenth")
    assert count() == before


def test_complete_needs_the_day_of_the_file(folder: Path) -> None:
    Path("file.csv").write_bytes(written(PLAIN))
    result = run("import", "mapped", "file.csv", "--map", "map.toml", "--complete")
    assert result.exit_code == 2
    assert "--complete needs --reported-at" in result.stderr


# --- Before, during and after a run -------------------------------------------------------


def test_a_dry_run_prints_the_plan_and_writes_nothing(folder: Path) -> None:
    put(PLAIN, *whole("2025-06-01"))
    before = count()
    state = with_row(with_row(PLAIN, "a-1", Dead="35", Desk="day desk"), "a-3", Town="Lviv")
    del state["a-2"]
    Path("file.csv").write_bytes(written(state))
    text = done(
        *("import", "mapped", "file.csv", "--map", "map.toml"), *whole("2025-06-02"), "--dry-run"
    )
    assert text.splitlines() == [
        'Would update "Strike in Sumy" (casualties-a-1): Dead, Desk.',
        'Would record "Strike in Lviv" (casualties-a-3).',
        'Would retract "Talks in Odesa" (casualties-a-2).',
        "2 rows: 1 recorded, 1 updated. Events whose row is gone or back: 1 retracted.",
        "  Nothing was recorded: a dry run.",
    ]
    assert count() == before


def test_a_run_that_was_broken_off_goes_on_when_it_is_run_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from timeline.intake.dataset import steps

    monkeypatch.setattr(steps, "_MOST", 10)
    maker = random.Random(7)
    state = {f"r-{number}": made_up_row(maker, f"r-{number}") for number in range(35)}
    Path("file.csv").write_bytes(written(state))
    record = steps.Append.record
    calls = itertools.count()

    def interrupted(*arguments: Any, **settings: Any) -> Any:
        if next(calls) == 25:
            raise KeyboardInterrupt
        return record(*arguments, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(steps.Append, "record", interrupted)
        result = run("import", "mapped", "file.csv", "--map", "map.toml")
    assert one_line(result) == "interrupted: run it again to go on"
    with Timeline.open("timeline.db") as timeline:
        assert len(timeline.list()) == 20
    outcome = put(state)
    assert (outcome["recorded"], outcome["unchanged"]) == (15, 20)
    done("verify")


def test_an_append_takes_no_further_row_when_its_time_is_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from timeline.intake.dataset import steps

    monkeypatch.setattr(steps, "_LONGEST", 0)
    state = {f"a-{number}": {**PLAIN["a-1"], "Ref": f"a-{number}"} for number in range(1, 6)}
    before = count()
    assert put(state, *whole("2025-04-20"))["recorded"] == 5
    assert put({"a-1": state["a-1"]}, *whole("2025-04-21"))["retracted"] == 4
    assert len(moments(before)) == 9
    other = {"b-1": {**PLAIN["a-2"], "Ref": "b-1"}}
    assert put(other, *whole("2025-04-22"), "--strict")["retracted"] == 1
    assert put(state, *whole("2025-04-23"), "--strict")["reinstated"] == 5
    assert len(moments(before)) == 11
    done("verify")


def moments(after: int) -> list[str]:
    with contextlib.closing(sqlite3.connect("timeline.db")) as connection:
        found = connection.execute(
            "SELECT DISTINCT recorded_at FROM log WHERE seq >= ? ORDER BY recorded_at", (after,)
        )
        return [moment for (moment,) in found]


def test_what_others_do_until_an_append_begins_is_seen_by_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They change every event, and retract one of those that are gone, before each append."""
    from timeline.intake.dataset import steps

    monkeypatch.setattr(steps, "_MOST", 2)
    state = {f"a-{number}": {**PLAIN["a-1"], "Ref": f"a-{number}"} for number in range(1, 8)}
    put(state, *whole("2025-04-20"))
    gone = [f"casualties-a-{number}" for number in (5, 6, 7)]
    for ref in ("a-5", "a-6", "a-7"):
        del state[ref]
    content = written({ref: {**row, "Dead": "35"} for ref, row in state.items()})
    appends = itertools.count(1)
    with (
        Timeline.open("timeline.db") as timeline,
        Timeline.open("timeline.db") as other,
        contextlib.closing(storage.connect("timeline.db")) as connection,
    ):

        @contextlib.contextmanager
        def appending() -> Iterator[Append]:
            number = next(appends)
            current = [row["event_id"] for row in other.list()]
            other.update({event_id: {"note": f"Seen {number} times"} for event_id in current})
            if number > 2:
                other.retract(gone.pop(), reason="Told twice")
            with timeline.append() as append:
                yield append

        said = Said(reported_at="2025-04-21")
        staging, outcome = dataset(
            connection,
            appending,
            importer("mapped", Path("map.toml")),
            io.BytesIO(content),
            steps.Import(said, complete=True, allow_absent=True),
        )
        assert not [*staging.rejects()]
        assert outcome.counts["updated"] == 4
        assert outcome.counts["retracted"] == 2
        assert [row["note"] for row in other.list()] == ["Seen 3 times"] * 4
    done("verify")


def test_a_packed_file_and_a_stream_are_read_as_the_file_itself(folder: Path) -> None:
    packed = gzip.compress(written(PLAIN))
    assert put(packed, name="file.csv.gz")["recorded"] == 2
    result = run("import", "mapped", "-", "--map", "map.toml", input=packed)
    assert result.stdout.startswith("2 rows: 2 unchanged.")


def test_a_packed_file_that_is_cut_off_is_refused_before_anything_is_written(folder: Path) -> None:
    before = count()
    Path("file.csv.gz").write_bytes(gzip.compress(written(PLAIN))[:-20])
    result = run("import", "mapped", "file.csv.gz", "--map", "map.toml")
    assert "cannot be unpacked" in one_line(result)
    assert count() == before


def test_the_totals_of_the_file_and_of_the_log_stand_side_by_side(folder: Path) -> None:
    Path("file.csv").write_bytes(written(with_row(PLAIN, "a-3", Dead="1,001", Country="Poland")))
    text = done("import", "mapped", "file.csv", "--map", "map.toml")
    assert text.splitlines() == [
        "3 rows: 3 recorded.",
        "",
        "figure          file    log",
        "killed, value  1,035  1,035",
        "",
        "country in the file  in the log  rows",
        "Ukraine              Ukraine     2",
        "Poland               Poland      1",
        "all                              3",
        "",
        "date in the file  in the log  rows",
        "a date            day         3",
        "all                           3",
    ]


def test_an_unknown_format_is_wrong_usage(folder: Path) -> None:
    result = run("import", "gdlet", "file.csv")
    assert result.exit_code == 2
    assert "did you mean gdelt?" in result.stderr


def test_ids_that_differ_make_event_ids_that_differ() -> None:
    ids = ["acled:ukr-1", "acled:UKR_1", "acled:ukr/1", f"acled:{'x' * 90}", "acled:-", "a:b"]
    made = [event_id_of(each) for each in ids]
    assert len({*made}) == len(ids)
    assert event_id_of("acled:UKR-1") == "acled-ukr-1"
    assert all(3 <= len(each) <= 64 for each in made)
    assert event_id_of("acled:" + "x" * 58) == "acled-" + "x" * 58


def test_ids_that_differ_in_case_alone_are_reported_and_not_mixed_up(folder: Path) -> None:
    both = with_row(PLAIN, "A-1", Town="Lviv")
    outcome = put(both)
    assert (outcome["recorded"], outcome["rejected"]) == (2, 1)
    (reject,) = rejected()
    assert reject["reason"] == (
        "event casualties-a-1 stands twice: lines 2 and 4, with ids that differ only in capital"
        " letters"
    )


# --- A log of our own ---------------------------------------------------------------------


def test_an_export_of_the_log_is_taken_in_as_the_same_log(folder: Path) -> None:
    put(PLAIN, *whole("2025-06-01"))
    done("export", "jsonl", "-o", "log.jsonl")
    text = done("-d", "copy.db", "import", "jsonl", "log.jsonl")
    assert text.startswith("4 of 4 entries added to copy.db.\nroot ")
    assert done("-d", "copy.db", "export", "jsonl") == Path("log.jsonl").read_text()
    put(with_row(PLAIN, "a-1", Dead="35"), *whole("2025-06-02"))
    more = done("export", "jsonl")
    text = done("-d", "copy.db", "import", "jsonl", "-", input=more)
    assert text.startswith("1 of 5 entries added")
    assert done("-d", "copy.db", "verify").splitlines()[2] == done("verify").splitlines()[2]


def test_a_log_is_taken_as_it_is(folder: Path) -> None:
    result = run("-d", "copy.db", "import", "jsonl", "log.jsonl", "--dry-run")
    assert result.exit_code == 2
    assert "--dry-run does not go with jsonl" in result.stderr
    Path("log.jsonl").write_text("{}\n")
    result = run("-d", "copy.db", "import", "jsonl", "log.jsonl")
    assert one_line(result).startswith("line 1: ")
    assert not Path("copy.db").exists()


def test_long_rows_are_held_a_few_at_a_time(folder: Path) -> None:
    """Each row is one that an entry can hold; together they are more than memory should."""
    rows = 16
    lines = (json.dumps({"id": str(n), "text": "x" * 3 * 2**20}) + "\n" for n in range(rows))
    Path("file.jsonl").write_text("".join(lines))
    with contextlib.closing(sqlite3.connect("timeline.db")) as connection:
        connection.isolation_level = None
        staging = Staging(connection, importer("mapped", Path("id.toml")))
        with Path("file.jsonl").open("rb") as file:
            staging.fill(file, lambda count: None)
        sizes, after = [], 0
        while some := staging.some_rows(after):
            sizes.append(len(some))
            after = some[-1].number
        assert [row.number for row in staging.rows(0)] == [*range(1, rows + 1)]
    assert sum(sizes) == rows
    assert max(sizes) < 8


def test_a_row_that_no_entry_can_hold_is_rejected_without_its_cells(folder: Path) -> None:
    lines = [json.dumps({"id": str(n), "text": "x" * n * 2**21}) + "\n" for n in range(3)]
    Path("file.jsonl").write_text("".join(lines))
    with contextlib.closing(sqlite3.connect("timeline.db")) as connection:
        connection.isolation_level = None
        staging = Staging(connection, importer("mapped", Path("id.toml")))
        with Path("file.jsonl").open("rb") as file:
            staging.fill(file, lambda count: None)
        (reject,) = staging.rejects()
    assert (reject.line, reject.cells) == (3, None)
    assert reject.reason == "is longer than an entry can be: 4 MiB"
