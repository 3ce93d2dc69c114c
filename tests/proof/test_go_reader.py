"""Go's own functions for transparency logs, as Debian has them, read what we publish.

These tests need Go and golang.org/x/mod: apt-get install golang-go golang-golang-x-mod-dev. Without
them the tests are skipped; with TIMELINE_GO=required they fail.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import bare_log
import pytest
from forks import KEY, fork_of, leaves
from running import done
from serving import serving

from timeline import Timeline, demo
from timeline.proof import checkpoints
from timeline.proof.signed_note import SigningKey
from timeline.store import merkle, storage

SOURCES = Path("/usr/share/gocode")
"""Where Debian puts the sources of Go's libraries."""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a program of tests/support/, built once."""
    if not shutil.which("go") or not (SOURCES / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        why = "no Go here: apt-get install golang-go golang-golang-x-mod-dev"
        if os.environ.get("TIMELINE_GO") == "required":
            pytest.fail(why)
        pytest.skip(why)
    built = tmp_path_factory.mktemp("go")
    settings = {"GO111MODULE": "off", "GOPATH": str(SOURCES), "GOCACHE": str(built / "cache")}
    settings |= {"CGO_ENABLED": "0"}  # which would need a compiler of C

    def run(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        program = built / name
        if not program.exists():
            source = Path(__file__).parents[1] / "support" / f"{name}.go"
            building = ["go", "build", "-o", program, source]
            subprocess.run(building, check=True, env={**os.environ, **settings})
        command = [program, *map(str, arguments)]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    return run


# --- Logs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "size", [1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 70_000]
)
def test_go_finds_the_signed_tree(size: int, go: Run, tmp_path: Path) -> None:
    bare_log.publish(size, tmp_path)
    found = go("tlog_fsck", f"{tmp_path}/", bare_log.KEY.verifier)
    assert found.stdout.startswith(f"{size} entries and "), found.stderr


def test_go_refuses_one_other_bit_in_any_tile(go: Run, tmp_path: Path) -> None:
    """Also in tile/0/001, which its TileHashReader does not check here (CVE-2026-56865)."""
    bare_log.publish(600, tmp_path)
    tiles = [each for each in (tmp_path / "tile").rglob("*") if each.is_file()]
    assert len(tiles) == 7
    for tile in tiles:
        right = tile.read_bytes()
        tile.write_bytes(bytes([right[0] ^ 1]) + right[1:])
        found = go("tlog_fsck", f"{tmp_path}/", bare_log.KEY.verifier)
        assert (found.returncode, found.stdout) == (1, ""), tile
        tile.write_bytes(right)


def test_go_reads_the_demonstration_as_files_and_as_it_is_served(go: Run, tmp_path: Path) -> None:
    path, site = tmp_path / "demo.db", tmp_path / "site"
    demo.build(path)
    with Timeline.open(path) as timeline:
        key = SigningKey(timeline.info["origin"], b"d" * 32)
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        size = checkpoints.sign(connection, key).size
    done("-d", path, "publish", site, "--static", "--no-embed", "--no-cards")
    with serving("timeline", "-d", path, "serve", cwd=tmp_path) as address:
        for prefix in (site, address):
            found = go("tlog_fsck", f"{prefix}/", key.verifier)
            assert found.stdout.startswith(f"{size} entries and "), found.stderr


# --- Forks --------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), [(6, 9), (9, 9), (256, 257), (1, 300), (200, 1_000)])
def test_a_fork_file_convinces_go(first: int, second: int, go: Run, tmp_path: Path) -> None:
    fork = fork_of(leaves(first, 0, "a"), leaves(second, first // 2, "b"))
    file = tmp_path / "fork.txt"
    file.write_text(str(fork))
    found = go("tlog_fork", file, KEY.verifier)
    assert found.stdout == f"{first} and {second} entries: two histories\n", found.stderr
    file.write_text(str(fork._replace(root=merkle.leaf_hash(b"another"))))
    assert go("tlog_fork", file, KEY.verifier).returncode == 1


def test_a_history_that_goes_on_does_not_convince_go(go: Run, tmp_path: Path) -> None:
    file = tmp_path / "fork.txt"
    file.write_text(str(fork_of(leaves(6, 0, "a"), leaves(9, 0, "a"))))
    assert "goes on from the first" in go("tlog_fork", file, KEY.verifier).stderr
