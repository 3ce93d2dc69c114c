"""A toll that rises, is corrected, retracted and reinstated: what it was at any moment.

Each table holds every answer to `show strike --as-of ROW --as-reported COLUMN`, and of the page
of events with the same moments. A number is how
many were killed, (35) an event that was retracted then, - one that was not there yet. Days are
those of April 2025, #2 is entry 2; "now" is the command without that option.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import done, run
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.reading import facet_index
from timeline.reading.as_of import parse_as_of
from timeline.reading.facet_index import FacetIndex
from timeline.reading.indexed_selection import IndexedSelection
from timeline.store import storage

Tell = Callable[[Timeline, TickingClock], None]


def recorded_on(clock: TickingClock, day: int) -> None:
    clock.set(f"2025-04-{day}T18:00:00")


def begin(timeline: Timeline, killed: int, reported_at: str) -> None:
    timeline.record(
        {
            "event_id": "strike",
            "title": "Strike on Sumy",
            "occurred": "2025-04-13",
            "quantities": [{"measure": "killed", "value": killed}],
        },
        reported_at=reported_at,
    )


def in_order(timeline: Timeline, clock: TickingClock) -> None:
    """Each report is recorded on the day when it appears."""
    recorded_on(clock, 13)
    begin(timeline, 20, reported_at="2025-04-13")
    recorded_on(clock, 14)
    timeline.update("strike", {"quantities.0.value": 34}, reported_at="2025-04-14")
    recorded_on(clock, 15)
    timeline.correct(
        "strike", {"quantities.0.value": 35}, reason="counted again", reported_at="2025-04-15"
    )
    recorded_on(clock, 16)
    timeline.retract("strike", reason="said to be a hoax", reported_at="2025-04-16")
    recorded_on(clock, 17)
    timeline.reinstate("strike", reported_at="2025-04-17")


IN_ORDER = """
|       | 12 #0 | 13 #1 | 14 #2 | 15 #3 | 16 #4 | 17 #5 | 18  | now |
| 12 #0 | -     | -     | -     | -     | -     | -     | -   | -   |
| 13 #1 | -     | 20    | 20    | 20    | 20    | 20    | 20  | 20  |
| 14 #2 | -     | 20    | 34    | 34    | 34    | 34    | 34  | 34  |
| 15 #3 | -     | 20    | 34    | 35    | 35    | 35    | 35  | 35  |
| 16 #4 | -     | 20    | 34    | 35    | (35)  | (35)  | (35)| (35)|
| 17 #5 | -     | 20    | 34    | 35    | (35)  | 35    | 35  | 35  |
| 18    | -     | 20    | 34    | 35    | (35)  | 35    | 35  | 35  |
| now   | -     | 20    | 34    | 35    | (35)  | 35    | 35  | 35  |
"""


def all_on_one_day(timeline: Timeline, clock: TickingClock) -> None:
    """The same reports, all taken in on the 20th."""
    recorded_on(clock, 20)
    begin(timeline, 20, reported_at="2025-04-13")
    timeline.update("strike", {"quantities.0.value": 34}, reported_at="2025-04-14")
    timeline.correct("strike", {"quantities.0.value": 35}, reason="r", reported_at="2025-04-15")
    timeline.retract("strike", reason="r", reported_at="2025-04-16")
    timeline.reinstate("strike", reported_at="2025-04-17")


ALL_ON_ONE_DAY = """
|       | 12 | 13 #1 | 14 #2 | 15 #3 | 16 #4 | 17 #5 | 20  | now |
| 19 #0 | -  | -     | -     | -     | -     | -     | -   | -   |
| #1    | -  | 20    | 20    | 20    | 20    | 20    | 20  | 20  |
| #2    | -  | 20    | 34    | 34    | 34    | 34    | 34  | 34  |
| #3    | -  | 20    | 34    | 35    | 35    | 35    | 35  | 35  |
| #4    | -  | 20    | 34    | 35    | (35)  | (35)  | (35)| (35)|
| 20 #5 | -  | 20    | 34    | 35    | (35)  | 35    | 35  | 35  |
| now   | -  | 20    | 34    | 35    | (35)  | 35    | 35  | 35  |
"""


def first_report_last(timeline: Timeline, clock: TickingClock) -> None:
    """The report of the 13th is found on the 18th; its figure enters beside the other."""
    recorded_on(clock, 14)
    begin(timeline, 34, reported_at="2025-04-14")
    recorded_on(clock, 15)
    timeline.correct("strike", {"quantities.0.value": 35}, reason="r", reported_at="2025-04-15")
    recorded_on(clock, 16)
    timeline.retract("strike", reason="r", reported_at="2025-04-16")
    recorded_on(clock, 17)
    timeline.reinstate("strike", reported_at="2025-04-17")
    recorded_on(clock, 18)
    early = {"measure": "killed", "value": 20, "dated": "2025-04-13"}
    timeline.update("strike", {"quantities.-": early}, reported_at="2025-04-13")


# Nobody knew of it before the 17th, so the 13th stays empty, and the 14th to 16th stay as they
# were: the late report counts from the newest one before it, entry 4.
FIRST_REPORT_LAST = """
|       | 12 | 13 | 14 #1 | 15 #2 | 16 #3 | 17 #4 #5 | 18    | now   |
| 13 #0 | -  | -  | -     | -     | -     | -        | -     | -     |
| 14 #1 | -  | -  | 34    | 34    | 34    | 34       | 34    | 34    |
| 15 #2 | -  | -  | 34    | 35    | 35    | 35       | 35    | 35    |
| 16 #3 | -  | -  | 34    | 35    | (35)  | (35)     | (35)  | (35)  |
| 17 #4 | -  | -  | 34    | 35    | (35)  | 35       | 35    | 35    |
| 18 #5 | -  | -  | 34    | 35    | (35)  | 35 20    | 35 20 | 35 20 |
| now   | -  | -  | 34    | 35    | (35)  | 35 20    | 35 20 | 35 20 |
"""


def shuffled(timeline: Timeline, clock: TickingClock) -> None:
    """The correction of the 15th is recorded before what was reported on the 14th."""
    recorded_on(clock, 13)
    begin(timeline, 20, reported_at="2025-04-13")
    recorded_on(clock, 15)
    timeline.correct("strike", {"quantities.0.value": 35}, reason="r", reported_at="2025-04-15")
    recorded_on(clock, 16)
    timeline.update("strike", {"quantities.0.value": 34}, reported_at="2025-04-14")
    timeline.retract("strike", reason="r", reported_at="2025-04-13")
    recorded_on(clock, 17)
    timeline.reinstate("strike", reported_at="2025-04-17")


# Entries 3 and 4 count from the 15th, as entry 2 does; of those three the last one holds.
SHUFFLED = """
|       | 12 #0 | 13 #1 | 14 | 15 #2 #3 #4 | 16   | 17 #5 | now  |
| 12 #0 | -     | -     | -  | -           | -    | -     | -    |
| 13 #1 | -     | 20    | 20 | 20          | 20   | 20    | 20   |
| 14    | -     | 20    | 20 | 20          | 20   | 20    | 20   |
| 15 #2 | -     | 20    | 20 | 35          | 35   | 35    | 35   |
| #3    | -     | 20    | 20 | 34          | 34   | 34    | 34   |
| 16 #4 | -     | 20    | 20 | (34)        | (34) | (34)  | (34) |
| 17 #5 | -     | 20    | 20 | (34)        | (34) | 34    | 34   |
| now   | -     | 20    | 20 | (34)        | (34) | 34    | 34   |
"""


stories = pytest.mark.parametrize(
    ("tell", "table"),
    [
        (in_order, IN_ORDER),
        (all_on_one_day, ALL_ON_ONE_DAY),
        (first_report_last, FIRST_REPORT_LAST),
        (shuffled, SHUFFLED),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)


@stories
def test_show_answers_for_every_day_and_every_entry_on_both_clocks(
    tell: Tell, table: str, path: Path, clock: TickingClock
) -> None:
    clock.set("2025-04-12T18:00:00" if tell is not all_on_one_day else "2025-04-19T18:00:00")
    with Timeline.create(path, title="Sumy", now=clock) as timeline:
        tell(timeline, clock)
    wrong = {
        options: (told, expected)
        for options, expected in cells(table)
        if (told := shown(path, *options)) != expected
    }
    assert not wrong


@stories
def test_the_index_answers_for_every_day_and_every_entry_on_both_clocks(
    tell: Tell, table: str, path: Path, clock: TickingClock
) -> None:
    clock.set("2025-04-12T18:00:00" if tell is not all_on_one_day else "2025-04-19T18:00:00")
    with Timeline.create(path, title="Sumy", now=clock) as timeline:
        tell(timeline, clock)
    with contextlib.closing(storage.connect(path)) as connection:
        index = facet_index.current(connection, None)
        assert index is not None
        wrong = {
            options: (told, expected)
            for options, expected in cells(table)
            if (told := listed(connection, index, *options)) != expected
        }
    assert not wrong


def cells(table: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The options of every answer in a table, and the answer."""
    (_, *columns), *rows = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.split("\n") if line
    )
    for row, *answers in rows:
        for column, answer in zip(columns, answers, strict=True):
            for recorded in row.split():
                for reported in column.split():
                    when = [*moment("--as-of", recorded), *moment("--as-reported", reported)]
                    yield tuple(when), answer


def moment(option: str, name: str) -> list[str]:
    if name == "now":
        return []
    return [option, name if name.startswith("#") else f"2025-04-{name}"]


def shown(path: Path, *options: str) -> str:
    """The figures that `show` gives, in brackets if it calls the event retracted."""
    result = run("-d", path, "show", "strike", "--json", *options)
    if result.exit_code == 1:
        assert result.stderr == 'Error: no event "strike": it was not there as of then\n'
        return "-"
    event = json.loads(result.stdout)
    figures = " ".join(figure["value"] for figure in event["quantities"])
    words = done("-d", path, "show", "strike", *options)
    assert ("RETRACTED" in words) == (event["state"] == "retracted")
    return figures if event["state"] == "current" else f"({figures})"


def listed(connection: sqlite3.Connection, index: FacetIndex, *options: str) -> str:
    """What `shown` says, from the page of events that the index finds."""
    moments = {
        name.removeprefix("--").replace("-", "_"): value
        for name, value in zip(options[::2], options[1::2], strict=True)
    }
    point = parse_as_of(connection, **moments)
    every = IndexedSelection(connection, index, {"state": "all"}, point=point)
    with contextlib.closing(every) as chosen:
        rows = chosen.page().rows
        assert chosen.count() == len(rows)
        if not rows:
            return "-"
        killed = chosen.tables.execute("SELECT value FROM event_quantities ORDER BY position")
        figures = " ".join(str(value) for (value,) in killed)
    (row,) = rows
    is_current = IndexedSelection(connection, index, point=point).count() == 1
    assert is_current == (row["state"] == "current")
    return figures if is_current else f"({figures})"
