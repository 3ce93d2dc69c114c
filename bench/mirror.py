"""Measure how fast a signed log is put into its site as tiles, bundles and entries.

The pages of the site are not made. Each state is signed, and put into one folder as `publish
--static` does it: at first, again, with 100 more entries, and with every file made and compared.
Run: python bench/mirror.py [EVENTS]
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from pathlib import Path

import story

from timeline import Timeline
from timeline.proof import checkpoints
from timeline.proof.signed_note import SigningKey
from timeline.publish.site_files import SiteFiles, Written
from timeline.publish.static_log import LogFiles, published_size
from timeline.store import log, storage
from timeline.store.scratch_folder import scratch_folder


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 87_000
    with tempfile.TemporaryDirectory() as folder:
        path, site = Path(folder) / "timeline.db", Path(folder) / "site"
        site.mkdir()
        story.build(path, count)
        print(f"{sign(path):,} entries")
        measure("made", path, site)
        measure("nothing new", path, site)
        with Timeline.open(path) as timeline:
            for number in range(100):
                timeline.update(f"e-{number:08d}", {"note": "seen again"})
        sign(path)
        measure("100 entries more", path, site)
        measure("all made and compared", path, site, make_all=True)


def sign(path: Path) -> int:
    """Sign the log as it is, and return its number of entries."""
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        origin = str(log.info(connection)["origin"])
        return checkpoints.sign(connection, SigningKey(origin, b"k" * 32)).size


def measure(what: str, path: Path, site: Path, *, make_all: bool = False) -> None:
    started = time.perf_counter()
    written = put(path, site, make_all=make_all)
    took = (time.perf_counter() - started) * 1000
    changed = sum(name != "checkpoint" for name in written.outdated)
    print(
        f"  {what:22} {took:9,.0f} ms   {written.files:,} files, {written.written:,} written,"
        f" {changed:,} replaced or removed beside the checkpoint"
    )


def put(path: Path, site: Path, *, make_all: bool) -> Written:
    with contextlib.closing(storage.connect(path)) as connection, scratch_folder(site) as new:
        files = SiteFiles(site, new, make_all=make_all)
        log_files = LogFiles(connection, files, published_size(connection, site))
        log_files.put_tiles()
        log_files.put_checkpoint()
        return files.finish()


if __name__ == "__main__":
    main()
