"""Measure how fast a publisher's file is imported, for the first time and again, and the memory.

The first import is compared with `timeline append --nl` of the same events, into another file.
Run: python bench/imports.py [ROWS]        default: 100,000
"""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timeline.formats.importers.gdelt import COLUMNS
from timeline.store import storage

PROGRAM = (sys.executable, "-m", "timeline")


def write(path: Path, count: int, changed: int = 0) -> None:
    """Write a GDELT file with gzip; the first `changed` rows have another number of mentions."""
    maker = random.Random(1)  # noqa: S311 - the same file every time
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-8") as file:
        for number in range(count):
            cells = dict.fromkeys(COLUMNS, "")
            cells |= {
                "GLOBALEVENTID": str(1_000_000_000 + number),
                "SQLDATE": f"2025{maker.randint(1, 12):02d}{maker.randint(1, 28):02d}",
                "Actor1Code": "UKRGOV",
                "Actor1Name": f"ACTOR {int(3_000 ** maker.random())}",
                "Actor1CountryCode": "UKR",
                "Actor1Type1Code": "GOV",
                "Actor2Code": "NLD",
                "Actor2Name": f"ACTOR {int(3_000 ** maker.random())}",
                "EventCode": maker.choice(("043", "190", "112", "036", "145")),
                "QuadClass": "1",
                "GoldsteinScale": "2.8",
                "NumMentions": str(maker.randint(1, 40) + (number < changed)),
                "NumSources": "3",
                "AvgTone": f"{maker.uniform(-10, 10):.12f}",
                "ActionGeo_Type": "4",
                "ActionGeo_FullName": f"Town {int(5_000 ** maker.random())}, Odesa, Ukraine",
                "ActionGeo_CountryCode": "UP",
                "ActionGeo_Lat": f"{maker.uniform(44, 52):.4f}",
                "ActionGeo_Long": f"{maker.uniform(22, 40):.4f}",
                "DATEADDED": "20250415180000",
                "SOURCEURL": f"https://example.org/{int(50_000 ** maker.random())}",
            }
            file.write("\t".join(cells.values()) + "\n")


def write_statements(path: Path, database: Path) -> None:
    """Write the events of a timeline as statements, one on each line."""
    with contextlib.closing(storage.connect(database)) as connection, path.open("w") as file:
        urls = dict(connection.execute("SELECT source_id, url FROM sources"))
        for event_id, reported_at, payload in connection.execute(
            "SELECT e.event_id, e.reported_at, l.payload FROM events AS e JOIN log AS l USING (seq)"
        ):
            statement = {**json.loads(payload), "event_id": event_id, "reported_at": reported_at}
            statement["citations"] = [
                {"source": {"url": urls[citation["source_id"]]}}
                for citation in statement["citations"]
            ]
            file.write(json.dumps(statement) + "\n")


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database, other = Path(folder) / "timeline.db", Path(folder) / "other.db"
        first, second = Path(folder) / "first.gz", Path(folder) / "second.gz"
        lines = Path(folder) / "events.ndjson"
        write(first, count)
        write(second, count, changed=count // 100)
        for path in (database, other):
            run(path, "init", "--title", "T")
        print(f"{count:,} rows of GDELT\n\n{'':24}{'seconds':>9}{'rows/s':>10}")

        def imported(name: str, path: Path, day: str) -> float:
            options = ("--complete", "--reported-at", day)
            return timed(name, count, database, "import", "gdelt", path, *options)

        new = imported("new", first, "2025-06-01")
        write_statements(lines, database)
        appended = timed("the same by append", count, other, "append", "--nl", lines)
        imported("the same again", first, "2025-06-01")
        imported("1 in 100 changed", second, "2025-06-02")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"\nimport / append: {appended / new:.2f} of its speed (target: at least 0.80)")
        print(f"peak memory of a process: {peak:,.0f} MB")


def timed(name: str, count: int, database: Path, *arguments: object) -> float:
    """Run a command that takes `count` rows; print its speed, and return its seconds."""
    start = time.perf_counter()
    run(database, *arguments)
    seconds = time.perf_counter() - start
    print(f"{name:24}{seconds:>9,.1f}{count / seconds:>10,.0f}", flush=True)
    return seconds


def run(database: Path, *arguments: object) -> None:
    subprocess.run(
        [*PROGRAM, "-d", database, *map(str, arguments)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=database.parent,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
