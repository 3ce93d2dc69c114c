"""Whoever has the key of a log reads it from the files of its site, and refuses changed files."""

from __future__ import annotations

import contextlib
from pathlib import Path
from random import Random

import pytest
from running import done
from site_in_process import open_site
from tlog_client import Untrue, folder, memory, read_log

from timeline import Timeline, demo
from timeline.proof import checkpoints
from timeline.proof.signed_note import SigningKey
from timeline.publish.site_files import SiteFiles
from timeline.publish.static_log import LogFiles
from timeline.store import storage

KEY = SigningKey("example.org/story", b"k" * 32)
CHANCE = Random(25)


def sign(path: Path, key: SigningKey) -> checkpoints.StoredCheckpoint:
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        return checkpoints.sign(connection, key)


def of_the_log(site: Path) -> dict[str, bytes]:
    """The files of a site that are no pages."""
    found = [*(site / "tile").rglob("*"), *(site / "entries").rglob("*"), site / "checkpoint"]
    return {str(path.relative_to(site)): path.read_bytes() for path in found if path.is_file()}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mirrored") / "demo.db"
    demo.build(path)
    return path


@pytest.fixture(scope="module")
def key(story: Path) -> SigningKey:
    with Timeline.open(story) as timeline:
        return SigningKey(timeline.info["origin"], b"d" * 32)


@pytest.fixture(scope="module")
def site(story: Path, key: SigningKey) -> Path:
    sign(story, key)
    folder = story.parent / "site"
    without = ("--no-embed", "--no-cards")
    done("-d", story, "publish", folder, "--static", "--url", "https://a.example/b/", *without)
    return folder


def test_the_files_of_the_demonstration_are_a_log_of_others(site: Path, key: SigningKey) -> None:
    assert read_log(folder(site), str(key.verifier)).size > 60
    assert len(of_the_log(site)) == 4


def test_a_server_sends_the_same_bytes(site: Path, story: Path) -> None:
    with open_site(story, settings={"base_url": "/b/"}) as opened:
        for name, content in of_the_log(site).items():
            assert opened.ask(f"/{name}").content == content


def _some_byte(name: str, content: bytes) -> int:
    """The place of a byte that a reader who has the key of the log can check."""
    if name.endswith(".jsonl"):
        return content.index(b"recorded_at")  # not in the words, which are for who reads entries
    signed = content.index(b"\n\n") if name == "checkpoint" else len(content)
    return CHANCE.randrange(signed)  # not in the line of another key


def test_one_other_bit_in_any_file_is_refused(site: Path, key: SigningKey) -> None:
    files = of_the_log(site)
    for name, content in files.items():
        changed = bytearray(content)
        changed[_some_byte(name, content)] ^= 1
        with pytest.raises((Untrue, ValueError)):
            read_log(memory({**files, name: bytes(changed)}), str(key.verifier))


def test_a_published_copy_serves_the_same_log(
    story: Path, site: Path, key: SigningKey, tmp_path: Path
) -> None:
    done("-d", story, "publish", tmp_path / "copy")
    with open_site(immutables=[tmp_path / "copy" / "demo.db"]) as opened:

        def fetch(path: str) -> bytes:
            content: bytes = opened.ask(f"/{path}").content
            return content

        assert read_log(fetch, str(key.verifier)).size > 60


def test_every_checkpoint_finds_its_tree_in_the_newest_files(tmp_path: Path) -> None:
    """Also where its partial tiles are published no more, because the full ones are."""
    path, site, notes = tmp_path / "story.db", tmp_path / "site", list[bytes]()
    site.mkdir()
    size, before = 1, 0
    with Timeline.create(path, title="A story", origin=KEY.name) as timeline:
        while size < 700:
            stored = sign(path, KEY)
            notes.append(stored.note.encode())
            with contextlib.closing(storage.connect(path)) as connection:
                files = SiteFiles(site, tmp_path / f"new-{size}")
                log_files = LogFiles(connection, files, before)
                log_files.put_tiles()
                log_files.put_checkpoint()
                files.finish()
            before = size
            for note in notes:
                read_log(folder(site), str(KEY.verifier), note)
            size += CHANCE.choice((1, 2, 60, 100))
            timeline.record(
                {"title": f"Day {each}", "occurred": "2025"} for each in range(before, size)
            )
