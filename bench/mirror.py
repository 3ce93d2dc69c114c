"""Measure how fast a signed log is put into its site as tiles, and followed from there.

The pages of the site are not made. Each state is signed, and put into one folder as `publish
--static` does it: at first, again and again with 100 more entries, and with every file made and
compared. A copy follows the folder: from nothing, with 500 more entries, and with nothing new.
Beside the time, the seconds of the processor are printed, which other programs disturb less.
Run: python bench/mirror.py [EVENTS]
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

import story

from timeline import Timeline
from timeline.mirror.follow import follow
from timeline.mirror.prefix import open_prefix
from timeline.proof import checkpoints
from timeline.proof.policy import Policy
from timeline.proof.signed_note import SigningKey
from timeline.publish.site_files import SiteFiles, Written
from timeline.publish.static_log import LogFiles, published_size
from timeline.store import log, storage
from timeline.store.scratch_folder import scratch_folder

ROUNDS = 5


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 87_000
    with tempfile.TemporaryDirectory() as folder:
        path, site = Path(folder) / "timeline.db", Path(folder) / "site"
        site.mkdir()
        story.build(path, count)
        print(f"{sign(path):,} entries; medians of {ROUNDS}, of the first row once")
        show("made", [Publication(path, site)])
        copy = Path(folder) / "copy.db"
        show_followed("followed from nothing", path, site, copy)
        show("nothing new", [Publication(path, site) for _ in range(ROUNDS)])
        show("100 entries more", [grown(path, site, number) for number in range(ROUNDS)])
        every = [Publication(path, site, make_all=True) for _ in range(ROUNDS)]
        show("all made and compared", every)
        show_followed("followed, 500 more", path, site, copy)
        show_followed("followed, nothing new", path, site, copy)


class Publication:
    """A publication, with what it took."""

    def __init__(self, path: Path, site: Path, *, make_all: bool = False) -> None:
        time_before, processor_before = time.perf_counter(), time.process_time()
        self.written = put(path, site, make_all=make_all)
        self.processor = time.process_time() - processor_before
        self.time = time.perf_counter() - time_before


def show(what: str, made: list[Publication]) -> None:
    seconds = statistics.median(each.time for each in made)
    processor = statistics.median(each.processor for each in made)
    written = statistics.median(each.written.written for each in made)
    print(
        f"  {what:22} {seconds * 1000:7,.0f} ms, processor {processor * 1000:7,.0f} ms;"
        f" {written:6,.0f} of {made[-1].written.files:,} files written"
    )


def show_followed(what: str, path: Path, site: Path, copy: Path) -> None:
    policy = Policy.of_keys([key_of(path).verifier])
    time_before, processor_before = time.perf_counter(), time.process_time()
    with open_prefix(str(site)) as prefix:
        done = follow(copy, prefix, policy)
    processor = time.process_time() - processor_before
    seconds = time.perf_counter() - time_before
    assert done.problem is None
    print(
        f"  {what:22} {seconds * 1000:7,.0f} ms, processor {processor * 1000:7,.0f} ms;"
        f" {done.added:6,} of {done.held:,} entries taken"
    )


def grown(path: Path, site: Path, number: int) -> Publication:
    """Append 100 entries, sign, and publish; every tile that was full stays as it was."""
    with Timeline.open(path) as timeline:
        for event in range(100):
            timeline.update(f"e-{event:08d}", {"note": f"seen again {number}"})
    sign(path)
    made = Publication(path, site)
    replaced = [name for name in made.written.outdated if ".p/" not in name]
    assert replaced[-1] == "checkpoint", replaced
    assert all(name.startswith("entries/") for name in replaced[:-1]), replaced
    return made


def sign(path: Path) -> int:
    """Sign the log as it is, and return its number of entries."""
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        return checkpoints.sign(connection, key_of(path)).size


def key_of(path: Path) -> SigningKey:
    with contextlib.closing(storage.connect(path)) as connection:
        return SigningKey(str(log.info(connection)["origin"]), b"k" * 32)


def put(path: Path, site: Path, *, make_all: bool) -> Written:
    with contextlib.closing(storage.connect(path)) as connection, scratch_folder(site) as new:
        files = SiteFiles(site, new, make_all=make_all)
        log_files = LogFiles(connection, files, published_size(connection, site))
        log_files.put_tiles()
        log_files.put_checkpoint()
        return files.finish()


if __name__ == "__main__":
    main()
