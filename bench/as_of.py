"""Measure how long it takes to read one event as of a moment, with a short and a long history.

One file has an event with 10 versions and an event with 10,000 versions. Each event is read as
of every kind of moment. The time to write the 10,000 versions is measured too, per 1,000.
Run: python bench/as_of.py
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from timeline import Timeline
from timeline.model.content import Said

SHORT, LONG = 10, 10_000
BATCH = 1_000
ROUNDS, CALLS = 7, 300
START = datetime(2025, 1, 1, tzinfo=UTC)


def clock() -> Iterator[datetime]:
    moment = START
    while True:
        moment += timedelta(minutes=1)
        yield moment


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ticks = clock()
        path = Path(folder) / "timeline.db"
        with Timeline.create(path, title="As of", now=lambda: next(ticks)) as timeline:
            seconds = write(timeline)
            print(f"{LONG:,} updates of one event, in appends of {BATCH:,}:")
            for number, each in enumerate(seconds):
                print(
                    f"  {number * BATCH + 1:>6,} to {(number + 1) * BATCH:>6,}"
                    f"  {each:6.2f} s  {each / BATCH * 1e6:6.0f} us each"
                )
            print(f"  in all {sum(seconds):.1f} s\n")
            look(timeline)


def write(timeline: Timeline) -> list[float]:
    """Record both events; return the seconds of each append of updates of the long event."""
    statement = {
        "occurred": "2025-01-01",
        "title": "A strike",
        "summary": "A few sentences of what is known. " * 5,
        "participants": [{"name": name} for name in ("NATO", "Mark Rutte", "Volodymyr Zelenskyy")],
        "quantities": [{"measure": "killed", "value": 0, "reported_by": "the mayor"}],
        "citations": [{"source": {"title": "A report", "source_id": "report"}, "quote": "a quote"}],
    }
    timeline.record([{"event_id": event_id, **statement} for event_id in ("short", "long")])
    seconds = []
    for first in range(1, LONG, BATCH):
        started = time.perf_counter()
        with timeline.append() as append:
            for number in range(first, min(first + BATCH, LONG)):
                day = (START + timedelta(days=number)).date().isoformat()
                append.update("long", {"quantities.0.value": number}, Said(reported_at=day))
                if number % (LONG // SHORT) == 0:
                    append.update("short", {"quantities.0.value": number}, Said(reported_at=day))
        seconds.append(time.perf_counter() - started)
    assert timeline.get("long")["version"] == LONG
    assert timeline.get("short")["version"] == SHORT
    return seconds


def look(timeline: Timeline) -> None:
    last = (START + timedelta(days=LONG)).date()
    # The moments are spread over the whole history. Both events get the same moments.
    days = [
        (START + timedelta(days=LONG * n // CALLS + 3)).date().isoformat() for n in range(CALLS)
    ]
    seqs = [f"#{3 + (LONG * n // CALLS)}" for n in range(CALLS)]
    times = [f"2025-01-01T00:{n % 12 + 3:02}:00Z" for n in range(CALLS)]
    kinds: dict[str, list[dict[str, Any]]] = {
        "now": [{} for _ in range(CALLS)],
        "as_of an entry": [{"as_of": seq} for seq in seqs],
        "as_of a time": [{"as_of": moment} for moment in times],
        "as_reported on a day": [{"as_reported": day} for day in days],
        "both": [
            {"as_of": seq, "as_reported": day}
            for seq, day in zip(seqs, reversed(days), strict=True)
        ],
        "a version": [{"version": n % SHORT + 1} for n in range(CALLS)],
    }
    print(f"get of one event, us a call, median of {ROUNDS} rounds of {CALLS} calls, to {last}:")
    print(f"  {'':22}{f'{SHORT:,} versions':>16}{f'{LONG:,} versions':>18}{'ratio':>8}")
    for kind, moments in kinds.items():
        medians = {
            event_id: median_of(timeline, event_id, moments) for event_id in ("short", "long")
        }
        print(
            f"  {kind:22}{medians['short'] * 1e6:16.0f}{medians['long'] * 1e6:18.0f}"
            f"{medians['long'] / medians['short']:8.2f}"
        )


def median_of(timeline: Timeline, event_id: str, moments: list[dict[str, Any]]) -> float:
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for moment in moments:
            timeline.get(event_id, **moment)
        rounds.append((time.perf_counter() - started) / len(moments))
    return statistics.median(rounds)


if __name__ == "__main__":
    main()
