"""Measure how fast a publisher's file is imported, for the first time and again, and the memory.

Run: python bench/imports.py [ROWS]        default: 100,000
"""

from __future__ import annotations

import gzip
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timeline.formats.importers.gdelt import COLUMNS

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


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "timeline.db"
        first, second = Path(folder) / "first.gz", Path(folder) / "second.gz"
        write(first, count)
        write(second, count, changed=count // 100)
        run(database, "init", "--title", "T")
        print(f"{count:,} rows of GDELT\n\n{'':24}{'seconds':>9}{'rows/s':>10}")
        for name, path, day in (
            ("new", first, "2025-06-01"),
            ("the same again", first, "2025-06-01"),
            ("1 in 100 changed", second, "2025-06-02"),
        ):
            start = time.perf_counter()
            run(
                *(database, "import", "gdelt", path),
                *("--complete", "--reported-at", day),
            )
            seconds = time.perf_counter() - start
            print(f"{name:24}{seconds:>9,.1f}{count / seconds:>10,.0f}")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"\npeak memory of the process: {peak:,.0f} MB")


def run(database: Path, *arguments: object) -> None:
    subprocess.run(
        [*PROGRAM, "-d", database, *map(str, arguments)],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=database.parent,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
