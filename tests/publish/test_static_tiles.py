"""A site has the tiles of its log: for every checkpoint, never behind what readers have seen."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import sys
from pathlib import Path
from random import Random

import pytest
import tlog_client
from faults import Notebook, fork, start_forking
from folders import contents
from running import done, dump, run

from timeline import Timeline
from timeline.errors import Refused
from timeline.proof import checkpoints
from timeline.proof.signed_note import SigningKey
from timeline.proof.tiles import partial_tiles_of
from timeline.publish.site_files import SiteFiles, Written
from timeline.publish.static_log import LogFiles, published_size
from timeline.store import storage
from timeline.store.scratch_folder import scratch_folder

KEY = SigningKey("example.org/story", b"k" * 32)
OURS = ("checkpoint", "entries", "tile")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "story.db"
    Timeline.create(path, title="Sumy", origin=KEY.name).close()
    return path


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    site.mkdir()
    return site


def record(path: Path, *names: str, count: int = 1) -> None:
    """Record an event of each name, and `count` - 1 more, as one entry each."""
    every = [*names, *(f"event-{os.urandom(6).hex()}" for _ in range(count - len(names)))]
    with Timeline.open(path) as timeline:
        timeline.record({"event_id": name, "title": name, "occurred": "2025"} for name in every)


def sign(path: Path) -> bytes:
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        return checkpoints.sign(connection, KEY).note.encode()


def put(path: Path, site: Path, *, make_all: bool = False) -> Written:
    """Publish a log without the pages, which take longer."""
    with contextlib.closing(storage.connect(path)) as connection, scratch_folder(site) as new:
        files = SiteFiles(site, new, make_all=make_all)
        log_files = LogFiles(connection, files, published_size(connection, site))
        log_files.put_tiles()
        log_files.put_checkpoint()
        return files.finish()


def check(site: Path, checkpoint: bytes | None = None) -> int:
    """Read all that belongs to a checkpoint as anybody's client does; return its size."""
    fetch = tlog_client.folder(site)
    return tlog_client.read_log(fetch, str(KEY.verifier), checkpoint).size


def inodes(site: Path) -> dict[str, int]:
    tiles = (each for each in (site / "tile").rglob("*") if each.is_file())
    return {str(each.relative_to(site)): each.stat().st_ino for each in tiles}


def log_files_of(site: Path) -> dict[str, bytes]:
    return {name: each for name, each in contents(site).items() if name.split("/")[0] in OURS}


# --- Which tiles there are --------------------------------------------------------------------


def test_a_partial_tile_is_there_for_every_signed_size_but_not_beside_its_full_tile() -> None:
    def names(*sizes: int) -> list[str]:
        return [str(tile) for tile in partial_tiles_of(sizes)]

    assert names(70_000) == [
        *("tile/entries/273.p/112", "tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1")
    ]
    assert names(3, 200, 255) == [
        *("tile/entries/000.p/3", "tile/entries/000.p/200", "tile/entries/000.p/255"),
        *("tile/0/000.p/3", "tile/0/000.p/200", "tile/0/000.p/255"),
    ]
    assert names(3, 255, 256) == ["tile/1/000.p/1"]
    assert names(65_535, 65_536) == ["tile/2/000.p/1"]
    assert names() == []


def test_the_policy_is_a_file_once_something_is_signed(path: Path, site: Path) -> None:
    put(path, site)
    assert not (site / "tlog-policy").exists()
    sign(path)
    put(path, site)
    assert (site / "tlog-policy").read_text() == done("-d", path, "witness", "list", "--policy")


def test_as_a_log_grows_every_old_checkpoint_finds_its_tiles(path: Path, site: Path) -> None:
    maker, signed = Random(25), list[bytes]()
    for count in (1, 1, 2, 249, 1, 1, 1, *(maker.randint(1, 600) for _ in range(6))):
        record(path, count=count)
        signed.append(sign(path))
        put(path, site)
        for note in signed[-4:]:
            assert f"\n{check(site, note)}\n".encode() in note
        partial = {each.parent for each in (site / "tile").rglob("*.p/*")}
        assert not any(folder.with_suffix("").exists() for folder in partial)
    assert [check(site, note) for note in signed] == sorted(check(site, note) for note in signed)
    anew = site.with_name("anew")
    anew.mkdir()
    put(path, anew)
    assert contents(anew) == contents(site)
    lines = [each.read_text() for each in sorted((site / "entries").iterdir())]
    assert "".join(lines) == done("-d", path, "export", "jsonl")


def test_what_is_not_signed_yet_is_in_no_file(path: Path, site: Path) -> None:
    record(path, count=3)
    note = sign(path)
    put(path, site)
    before = contents(site)
    record(path, count=300)
    put(path, site)
    assert contents(site) == before
    assert before["checkpoint"] == note


# --- What is made again -----------------------------------------------------------------------


def test_a_full_tile_is_made_again_if_it_was_cut_off_or_if_all_are(path: Path, site: Path) -> None:
    record(path, count=600)
    sign(path)
    put(path, site)
    before = contents(site)
    for name in ("tile/0/001", "tile/entries/000", "entries/001.jsonl"):
        (site / name).write_bytes(before[name][:-1])
    (site / "tile/0/000").unlink()
    assert put(path, site).written == 4
    assert contents(site) == before
    (site / "tile/0/000").write_bytes(b"?" + before["tile/0/000"][1:])
    assert put(path, site).written == 0
    assert put(path, site, make_all=True).written == 1
    assert contents(site) == before


@pytest.mark.parametrize("name", ["tile", "tile/0/000", "entries"])
def test_a_file_of_ones_own_is_not_taken_for_a_tile(path: Path, site: Path, name: str) -> None:
    record(path, count=300)
    sign(path)
    own = site / name
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text("mine")
    with pytest.raises(Refused, match="no earlier publish wrote it"):
        put(path, site)
    assert own.read_text() == "mine"
    assert [each for each in site.rglob("*") if each.is_file()] == [own]


# --- Never back -------------------------------------------------------------------------------


def test_a_log_from_a_backup_is_not_published_over_a_newer_one(path: Path, site: Path) -> None:
    backup = shutil.copy(path, path.with_name("backup.db"))
    record(path, "strike")
    sign(path)
    done("-d", path, "publish", site, "--static")
    before = contents(site)

    def refused() -> str:
        state = dump(path)
        result = run("-d", path, "publish", site, "--static")
        assert (result.exit_code, result.stdout) == (3, "")
        assert (dump(path), contents(site)) == (state, before)
        return result.stderr

    shutil.copy(backup, path)
    sign(path)
    assert refused() == (
        f"Error: {site}/checkpoint is of 2 entries, and this log has 1: was it put back from a "
        "backup? Nothing was written.\n"
    )
    record(path, "another", "third", count=2)
    sign(path)
    assert refused() == (
        f"Error: the first 2 entries published in {site} are not those of this log. Nothing was "
        "written.\n"
    )
    done("-d", path, "publish", site, "--static", "--as-new")
    assert check(site) == 3
    assert not (site / "events/strike").exists()


def test_a_log_that_is_signed_less_far_is_not_published(path: Path, site: Path) -> None:
    copy = path.with_name("copy.db")
    record(path, "strike")
    sign(path)
    put(path, site)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    with contextlib.closing(sqlite3.connect(copy)) as connection, connection:
        connection.executescript("DROP TRIGGER checkpoints_never_forget; DELETE FROM checkpoints")
    with pytest.raises(Refused) as caught:
        put(copy, site)
    assert "is of 2 entries, and this log has 0 signed: was it put" in str(caught.value)


def test_a_checkpoint_that_nobody_can_read_stops_it(path: Path, site: Path) -> None:
    (site / "checkpoint").write_text("mine")
    with pytest.raises(Refused, match="checkpoint is no checkpoint"):
        put(path, site)


@pytest.mark.parametrize("option", ["--all", "--as-new"])
def test_a_copy_has_no_such_options(path: Path, site: Path, option: str) -> None:
    result = run("-d", path, "publish", site, option)
    assert (result.exit_code, "are about --static" in result.stderr) == (2, True)


# --- Erasing, and what is said ----------------------------------------------------------------


def test_erased_words_leave_every_file_and_no_tile_changes(path: Path, site: Path) -> None:
    record(path, "strike")
    told = run("-d", path, "publish", site, "--static", "--no-cards")
    assert told.stderr == (
        "Note: nothing is signed, so nobody can mirror this: timeline checkpoint --key\n  FILE\n"
    )
    assert log_files_of(site) == {}
    with Timeline.open(path) as timeline:
        timeline.record({"event_id": "visit", "title": "Mulberry", "occurred": "2025"})
    old = sign(path)
    told = run("-d", path, "publish", site, "--static", "--no-cards")
    assert (told.stderr, "Erased" in told.stdout) == ("", False)
    assert any(b"Mulberry" in each for each in contents(site).values())
    done("-d", path, "erase", "#2", "--reason", "A court")
    before, tiles = contents(site), inodes(site)

    told = run("-d", path, "publish", site, "--static", "--no-cards")

    after = contents(site)
    assert not any(b"Mulberry" in name.encode() + each for name, each in after.items())
    assert inodes(site) == tiles
    assert after["checkpoint"] == old
    assert check(site) == 3
    assert told.stderr == "Note: 1 entry is not signed yet, and so not in the tiles\n"
    said = " ".join(told.stdout.split())
    assert "Erased words stood in these files: entries/000.jsonl, " in said
    assert " Purge them from every cache, and from the history of a git that holds this" in said
    named = re.findall(r"[\w./-]+", said.partition("these files: ")[2].partition(". Purge")[0])
    assert {*named[:20]} <= {*before}
    more = int(named[21]) if len(named) > 20 else 0
    assert sum(b"Mulberry" in each for each in before.values()) <= 20 + more


# --- A run that is killed ---------------------------------------------------------------------


def put_watched(path: Path, site: Path, notebook: Notebook, at: int) -> None:
    """Publish, write each change of a name down, and be killed before change number `at`.

    If that is below 0, the pages are published too, and nobody is killed.
    """

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event in ("os.rename", "os.remove") and str(site) in str(arguments):
            if len(notebook.read("changed")) == at:
                os.kill(os.getpid(), signal.SIGKILL)
            notebook.write(changed=str(arguments[event == "os.rename"]).removeprefix(f"{site}/"))

    sys.addaudithook(watch)
    if at < 0:
        done("-d", path, "publish", site, "--static", "--no-cards")
    else:
        put(path, site)
    notebook.write(ended=True)


def changes(path: Path, site: Path, at: int) -> tuple[list[str], bool]:
    """The names that such a run changed, and whether it came to its end."""
    notebook = Notebook(site.with_suffix(".notes"))
    fork(put_watched, path, site, notebook, at).join()
    return notebook.read("changed"), bool(notebook.read("ended"))


def test_a_run_that_is_killed_leaves_a_checkpoint_with_all_it_needs(path: Path, site: Path) -> None:
    start_forking()
    for count in (9, 200):
        record(path, count=count)
        sign(path)
    put(path, site)
    record(path, count=60)
    sign(path)
    whole = Path(shutil.copytree(site, site.with_name("whole")))
    put(path, whole)
    for at in range(100):
        copy = Path(shutil.copytree(site, site.with_name(f"site-{at}")))
        changed, has_ended = changes(path, copy, at)
        assert check(copy) == (270 if "checkpoint" in changed else 210)
        put(path, copy)
        assert contents(copy) == contents(whole)
        if has_ended:
            break
    assert at > 8


def test_the_checkpoint_takes_its_place_after_every_page(path: Path, site: Path) -> None:
    start_forking()
    record(path, count=9)
    sign(path)
    changed, has_ended = changes(path, site, -1)
    assert has_ended
    first = changed.index
    assert first("tile/0/000.p/10") < first("entries/000.jsonl") < first("index.html")
    assert first("index.html") < first("checkpoint")
    assert not {*changed[first("checkpoint") + 1 :]} & {*contents(site)}
