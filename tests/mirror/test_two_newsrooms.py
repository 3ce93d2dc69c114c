"""Two newsrooms on one machine: one publishes files, the other follows and countersigns them.

It is one story, told in the order in which it happens.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import tlog_client
from folders import contents
from running import done, run
from site_in_process import open_site

from timeline.proof.fork import Fork
from timeline.proof.signed_note import VerifierKey, parse
from timeline.proof.witness import origin_hash

ORIGIN = "a.example/story"
ERASED = "Petrenko was seen there"


class Newsrooms(NamedTuple):
    """The files of two newsrooms, A and B."""

    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "a.db"

    @property
    def site(self) -> Path:
        """Where A publishes."""
        return self.folder / "a-site"

    @property
    def copy(self) -> Path:
        return self.folder / "b.db"

    @property
    def public(self) -> Path:
        """Where B publishes what it countersigned."""
        return self.folder / "b-site"

    def a(self, *arguments: object) -> str:
        return done("-d", self.log, *arguments)

    def publish(self, *more: object) -> Any:
        """Let A sign and publish its log."""
        self.a("checkpoint", "--key", self.folder / "a.key")
        return run("-d", self.log, "publish", self.site, "--static", "--no-cards", *more)

    def follow(self, *more: object) -> Any:
        cosign = ("--cosign", self.folder / "b.key", "--into", self.public)
        return run("-d", self.copy, "follow", self.site, *cosign, *more)


def test_one_newsroom_watches_another(tmp_path: Path) -> None:
    rooms = Newsrooms(tmp_path)
    rooms.public.mkdir()

    # A publishes, B follows and countersigns.
    rooms.a("init", "--title", "A strike", "--origin", ORIGIN)
    rooms.a("append", "--id", "talks", "--title", "Talks in Odesa", "--occurred", "2025")
    rooms.a("append", "--id", "secret", "--title", ERASED, "--occurred", "2025")
    key = rooms.a("keygen", tmp_path / "a.key").strip()
    witness = done("keygen", "--witness", "b.example/witness", tmp_path / "b.key").strip()
    assert rooms.publish().exit_code == 0
    assert tlog_client.read_log(tlog_client.folder(rooms.site), key).size == 3
    result = rooms.follow("--key", key)
    assert result.exit_code == 0, result.output
    countersigned = rooms.public / origin_hash(ORIGIN) / "checkpoint"
    parse(countersigned.read_text()).verify([*map(VerifierKey.parse, (key, witness))])

    # A collects the signature; a proof of A's holds by A's key alone, and by both.
    rooms.a("checkpoint", "--cosigned", countersigned, "--witness", witness)
    assert rooms.publish().exit_code == 0
    proof = tmp_path / "talks.tlog-proof"
    rooms.a("prove", "talks", "-o", proof)
    alone = done("verify", proof, "--key", key)
    assert "1 signature by a key that you did not give: not checked." in alone
    assert "Holds" in done("verify", proof, "--key", key, "--key", witness)

    # What A erases is gone at B, from the file and from the folder that B publishes.
    mirrored = tmp_path / "b-mirror"
    done("-d", rooms.copy, "publish", mirrored, "--static", "--no-cards")
    assert contents(mirrored / "tile") == contents(rooms.site / "tile")
    assert contents(mirrored / "entries") == contents(rooms.site / "entries")
    assert has(mirrored, ERASED)
    rooms.a("erase", "#2", "--reason", "a court", "--yes")
    assert rooms.publish().exit_code == 0
    assert "1 erased: #2" in rooms.follow().stdout
    done("-d", rooms.copy, "publish", mirrored, "--static", "--no-cards")
    assert contents(mirrored / "tile") == contents(rooms.site / "tile")
    assert not has(mirrored, ERASED)
    assert not has(rooms.site, ERASED)
    assert not any(ERASED.encode() in each.read_bytes() for each in tmp_path.glob("b.db*"))

    # A's host is put back to an older state: B says so.
    older = shutil.copytree(rooms.site, tmp_path / "older")
    backup = Path(shutil.copy(rooms.log, tmp_path / "backup.db"))
    rooms.a("append", "--id", "denial", "--title", "A denial", "--occurred", "2025")
    assert rooms.publish().exit_code == 0
    assert rooms.follow().exit_code == 0
    newer = rooms.site.rename(tmp_path / "newer")
    older.rename(rooms.site)
    result = rooms.follow()
    assert result.exit_code == 1
    assert "serves 4 entries, and 5 were seen on" in result.stderr
    shutil.rmtree(rooms.site)
    newer.rename(rooms.site)

    # A restores a backup and goes on from there: the guard holds, then it is got round.
    backup.rename(rooms.log)
    rooms.a("append", "--id", "other", "--title", "Another", "--occurred", "2025")
    refused = rooms.publish()
    assert refused.exit_code == 3
    assert "Nothing was written." in refused.stderr
    assert rooms.publish("--as-new").exit_code == 0
    before = done("-d", rooms.copy, "export", "jsonl")
    result = rooms.follow()
    assert result.exit_code == 3
    assert f"ALARM: {ORIGIN} has signed two histories." in result.stderr

    # The file convinces anybody, and the copy is as it was, and is served.
    evidence = tmp_path / "b.db.fork-5-5.txt"
    Fork.parse(evidence.read_text()).verify([VerifierKey.parse(key)])
    for command in ("compare", "verify"):
        checked = run(command, evidence, "--key", key)
        assert checked.exit_code == 3
        assert checked.stdout.startswith("Proven: ")
    assert done("-d", rooms.copy, "export", "jsonl") == before
    with open_site(rooms.copy) as site:
        assert "A denial" in site.page("/events/denial")
        assert site.ask("/events/other").status_code == 404


def has(folder: Path, words: str) -> bool:
    """Return whether any file of a folder has these words."""
    files = (each for each in folder.rglob("*") if each.is_file())
    return any(words.encode() in each.read_bytes() for each in files)
