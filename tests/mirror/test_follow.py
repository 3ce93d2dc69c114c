"""A copy that follows a log has what is signed, and tells what is wrong with what is served."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from published import KEY, put, sign_and_put
from running import done, environment, run

from timeline import Timeline
from timeline.errors import IsFollower
from timeline.mirror import follow as following
from timeline.mirror.prefix import open_prefix
from timeline.proof import verify
from timeline.proof.fork import Fork
from timeline.proof.policy import Policy
from timeline.proof.signed_note import SigningKey, parse
from timeline.proof.tiles import entries_path
from timeline.proof.witness import origin_hash
from timeline.store import codec, log, storage

VKEY = str(KEY.verifier)
FIRST = 301
"""The entries of the log when it is followed first."""


def events(start: int, end: int) -> list[dict[str, Any]]:
    return [
        {"event_id": f"day-{n}", "title": f"Day {n}", "occurred": "2025"} for n in range(start, end)
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log, as it is published, and a copy that follows it."""
    folder = tmp_path_factory.mktemp("followed")
    path = folder / "origin.db"
    with Timeline.create(path, title="A strike of dockers", origin=KEY.name) as timeline:
        timeline.record(events(0, 300))
    sign_and_put(path, folder / "files")
    done("-d", folder / "copy.db", "follow", folder / "files", "--key", VKEY)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """The same, for one test."""
    return Path(shutil.copytree(made, tmp_path / "story"))


def follow(folder: Path, *more: object) -> Any:
    return run("-d", folder / "copy.db", "follow", folder / "files", *more)


def grow(folder: Path, start: int = 300, end: int = 320) -> None:
    """Let the log grow, and publish it."""
    with Timeline.open(folder / "origin.db") as timeline:
        timeline.record(events(start, end))
    sign_and_put(folder / "origin.db", folder / "files")


def squeezed(text: str) -> str:
    """Return a text without blanks: a terminal breaks long names anywhere."""
    return "".join(text.split())


def lines(path: Path) -> list[str]:
    with contextlib.closing(storage.connect(path)) as connection:
        return [*map(codec.to_wire, log.read(connection))]


def problem(result: Any, code: int) -> str:
    """Return the one line about what is wrong, of a command that ended with this code."""
    assert result.exit_code == code, result.output
    (line,) = result.stderr.splitlines()
    return str(line)


# --- Following ----------------------------------------------------------------------------


def test_a_first_run_makes_a_copy_that_holds(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "partner.db"
    said = done("-d", copy, "follow", made / "files", "--key", VKEY)
    assert squeezed(said) == squeezed(f"Following {KEY.name} in {copy}: 301 entries.")
    assert lines(copy) == lines(made / "origin.db")
    report = verify.verify(copy, keys=[KEY.verifier])
    assert (report.findings, report.signed) == ([], FIRST)


def test_a_later_run_takes_what_is_new_without_being_told_again(folder: Path) -> None:
    grow(folder)
    said = follow(folder).stdout
    assert said == ("Grew from 301 to 321 entries; goes on from all that was seen before.\n")
    assert lines(folder / "copy.db") == lines(folder / "origin.db")
    said = done("-d", folder / "copy.db", "follow")
    assert said == "Nothing new: 321 entries, signed and seen again.\n"


def test_json_has_what_a_program_needs(folder: Path) -> None:
    grow(folder)
    found = json.loads(follow(folder, "--json").stdout)
    assert found.pop("since")
    assert found == {
        "state": "new",
        "origin": KEY.name,
        "seen": 321,
        "held": 321,
        "added": 20,
        "erased": [],
        "problem": None,
        "evidence": None,
        "witnesses": [],
    }


def test_what_was_erased_there_is_erased_here_to_the_last_byte(folder: Path) -> None:
    with Timeline.open(folder / "origin.db") as timeline:
        timeline.record({"event_id": "name", "title": "Petrenko was there", "occurred": "2025"})
    sign_and_put(folder / "origin.db", folder / "files")
    follow(folder)
    assert b"Petrenko" in (folder / "copy.db").read_bytes()
    with Timeline.open(folder / "origin.db") as timeline:
        entry = timeline.get("name")["seq"]
    done("-d", folder / "origin.db", "erase", f"#{entry}", "--reason", "a court", "--yes")
    sign_and_put(folder / "origin.db", folder / "files")
    said = squeezed(follow(folder).stdout)
    assert said.endswith(squeezed(f"all that was seen before. 1 erased: #{entry}."))
    assert not any(b"Petrenko" in each.read_bytes() for each in folder.glob("copy.db*"))
    assert verify.verify(folder / "copy.db").findings == []


def test_a_copy_that_was_broken_off_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grow(folder, 300, 620)
    monkeypatch.setattr("timeline.mirror.taking.TAKEN_AT_ONCE", 1)
    missing = folder / "files" / entries_path(2)
    kept = missing.read_bytes()
    missing.unlink()
    with Timeline.open(folder / "origin.db") as timeline:
        timeline.record(events(620, 630))  # a batch of its own, which is not published
    assert "entries/002.jsonl is not there" in problem(follow(folder), 1)
    missing.write_bytes(kept)
    assert "Grew from 301 to 621 entries" in follow(folder).stdout


def test_a_file_that_is_kept_in_step_by_exports_may_follow(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "mirror.db"
    export = done("-d", made / "origin.db", "export", "jsonl")
    done("-d", copy, "import", "jsonl", "-", input=export)
    assert "Following" in done("-d", copy, "follow", made / "files", "--key", VKEY)
    with Timeline.open(copy) as timeline, pytest.raises(IsFollower):
        timeline.record(events(400, 401))


# --- Whom to believe ----------------------------------------------------------------------


def test_without_a_key_the_line_to_type_is_said(made: Path, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    shutil.copytree(made / "files", tmp_path / "files", dirs_exist_ok=True)
    (tmp_path / "files" / "tlog-policy").write_text(f"log {VKEY}\nquorum none\n")
    result = run("-d", tmp_path / "copy.db", "follow", tmp_path / "files")
    assert result.exit_code == 2
    assert f"--key {VKEY}" in result.stderr.replace("\n", "")
    assert not (tmp_path / "copy.db").exists()


def test_a_key_never_changes_by_itself(folder: Path) -> None:
    other = str(SigningKey(KEY.name, b"o" * 32).verifier)
    result = follow(folder, "--key", other)
    assert result.exit_code == 2
    assert "add --replace" in result.stderr
    said = problem(follow(folder, "--key", other, "--replace"), 3)
    assert "is not signed by the key that was pinned on" in said


def test_a_key_that_was_replaced_is_believed_if_the_log_goes_on(folder: Path) -> None:
    new = SigningKey(KEY.name, b"n" * 32)
    with Timeline.open(folder / "origin.db") as timeline:
        timeline.record(events(300, 301))
    sign_and_put(folder / "origin.db", folder / "files", new)
    assert problem(follow(folder), 3).startswith("ALARM: ")
    assert "Grew" in follow(folder, "--key", str(new.verifier), "--replace").stdout


def test_a_quorum_of_witnesses_is_wanted(folder: Path) -> None:
    names = ("kyiv", "lviv", "odesa")
    keys = [SigningKey(f"{n}.example/witness", n.encode().ljust(32), 0x04) for n in names]
    policy = [f"log {VKEY}"]
    policy += [f"witness {name} {key.verifier}" for name, key in zip(names, keys, strict=True)]
    policy += [f"group most 2 {' '.join(names)}", "quorum most", ""]
    (folder / "policy").write_text("\n".join(policy))
    checkpoint = folder / "files" / "checkpoint"
    note = parse(checkpoint.read_text())
    signed = [key.sign(note.text, 1_767_225_600).signatures[0] for key in keys]
    checkpoint.write_text(str(note._replace(signatures=(*note.signatures, signed[0]))))
    said = problem(follow(folder, "--policy", folder / "policy"), 1)
    assert said.endswith("not enough witnesses have signed 301 entries: lviv, odesa did not")
    checkpoint.write_text(str(note._replace(signatures=(*note.signatures, *signed[:2]))))
    result = follow(folder, "--policy", folder / "policy")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1] == (
        "Witnesses: 2 of 3 (2 are wanted); odesa has not signed this one."
    )
    found = json.loads(follow(folder, "--json").stdout)
    assert found["witnesses"] == [
        {"name": "kyiv", "signed_at": "2026-01-01T00:00:00.000000Z"},
        {"name": "lviv", "signed_at": "2026-01-01T00:00:00.000000Z"},
        {"name": "odesa", "signed_at": None},
    ]


def test_what_was_checked_is_countersigned_into_a_folder(folder: Path) -> None:
    witness = SigningKey("kyiv.example/witness", b"w" * 32, 0x04)
    (folder / "key").write_text(f"{witness}\n")
    (folder / "key").chmod(0o600)
    (folder / "site").mkdir()
    cosign = ("--cosign", folder / "key", "--into", folder / "site")
    assert follow(folder, *cosign).stdout.endswith("Signed 301 entries as kyiv.example/witness.\n")
    assert follow(folder, *cosign).stdout.endswith("Signed before.\n")
    signed = parse((folder / "site" / origin_hash(KEY.name) / "checkpoint").read_text())
    signed.verify([KEY.verifier, witness.verifier])
    grow(folder)
    assert follow(folder, *cosign).stdout.endswith("Signed 321 entries as kyiv.example/witness.\n")
    other_history(folder, 330)
    assert "ALARM" in follow(folder, *cosign).stderr
    result = run("-d", folder / "x.db", "follow", folder / "files", "--key", VKEY, *cosign)
    assert result.exit_code == 3
    assert "ALARM" in result.stderr


# --- The copy is not for writing -------------------------------------------------------------


def test_nobody_writes_into_a_copy(folder: Path) -> None:
    copy = folder / "copy.db"
    refused = f"Error: {copy} follows {KEY.name}: write into a log of your own"
    for command in (
        ("append", "--title", "Ours", "--occurred", "2025"),
        ("append", "--title", "Ours", "--occurred", "2025", "--fork"),
        ("erase", "#1", "--reason", "why not", "--yes"),
        ("retract", "day-1", "--reason", "no"),
        ("about", "--title", "Ours"),
    ):
        result = run("-d", copy, *command)
        assert result.exit_code == 1, result.output
        assert squeezed(result.stderr).startswith(squeezed(refused)), result.stderr
    export = done("-d", folder / "origin.db", "export", "jsonl")
    assert "follows" in run("-d", copy, "import", "jsonl", "-", input=export).stderr
    assert lines(copy) == lines(folder / "origin.db")


def test_a_copy_that_stops_is_a_log_of_its_own(folder: Path) -> None:
    copy = folder / "copy.db"
    assert done("-d", copy, "follow", "--stop") == (
        f"{copy} follows {KEY.name} no more, and is a log of its own.\n"
    )
    done("-d", copy, "append", "--title", "Ours", "--occurred", "2025")
    result = run("-d", copy, "follow", folder / "files", "--key", VKEY)
    assert "itself, not a copy: follow into a new file" in problem(result, 1)


def test_a_published_copy_follows_nobody(folder: Path, tmp_path: Path) -> None:
    done("-d", folder / "copy.db", "publish", tmp_path / "out", "--url", "https://a.example/")
    with contextlib.closing(storage.connect(tmp_path / "out" / "copy.db")) as connection:
        assert connection.execute("SELECT count(*) FROM follows").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM sightings").fetchone() == (0,)


# --- Alarms and delays --------------------------------------------------------------------


def other_history(folder: Path, size: int) -> None:
    """Publish another history of the log, signed with its key, up to `size` entries."""
    export = done("-d", folder / "origin.db", "export", "jsonl").splitlines(keepends=True)
    put_back = folder / "put-back.db"
    done("-d", put_back, "import", "jsonl", "-", input="".join(export[:1]))
    done("-d", put_back, "append", "--fork", "--title", "Another day", "--occurred", "2024")
    with Timeline.open(put_back) as timeline:
        timeline.record(events(900, 900 + size - 2))
    shutil.rmtree(folder / "files")
    sign_and_put(put_back, folder / "files")


@pytest.mark.parametrize("size", [280, FIRST, 350])
def test_a_fork_is_an_alarm_with_a_proof_for_anybody(folder: Path, size: int) -> None:
    before = lines(folder / "copy.db")
    other_history(folder, size)
    result = follow(folder)
    assert result.exit_code == 3, result.output
    said = result.stderr
    assert said.startswith(f"ALARM: {KEY.name} has signed two histories.\n")
    assert f"{folder / 'copy.db'} stays as it was." in said
    assert "seen here on" in said
    assert "served by" in said
    small, large = sorted((size, FIRST))
    evidence = folder / f"copy.db.fork-{small}-{large}.txt"
    first, second = Fork.parse(evidence.read_text()).verify([KEY.verifier])
    assert (first.size, second.size) == (small, large)
    assert lines(folder / "copy.db") == before
    assert verify.verify(folder / "copy.db").findings == []
    again = follow(folder, "--json")
    assert again.exit_code == 3
    assert json.loads(again.stdout)["state"] == "fork"
    assert json.loads(again.stdout)["evidence"] == str(evidence)
    compared = run("compare", evidence, "--key", VKEY)
    assert compared.exit_code == 3
    assert compared.stdout.startswith("Proven: the key of")


def test_an_older_state_is_told_and_is_an_alarm_after_a_day(folder: Path) -> None:
    old = shutil.copytree(folder / "files", folder / "old")
    grow(folder)
    follow(folder)
    said = problem(run("-d", folder / "copy.db", "follow", old), 1)
    assert "serves 301 entries, and 321 were seen on" in said
    assert said.endswith(": a cache, or put back")
    tomorrow = datetime.now(UTC) + timedelta(hours=25)
    with open_prefix(str(old)) as prefix:
        policy = Policy.of_keys([KEY.verifier])
        found = following.follow(folder / "copy.db", prefix, policy, now=lambda: tomorrow)
    assert (found.state, found.is_alarm) == ("older", True)
    assert problem(run("-d", folder / "copy.db", "follow", old), 1)
    assert "Nothing new" in follow(folder).stdout


def test_words_that_are_withheld_are_named(folder: Path) -> None:
    grow(folder)
    file = folder / "files" / entries_path(1)
    rows = file.read_text().splitlines(keepends=True)
    wire = json.loads(rows[310 - 256])
    rows[310 - 256] = (
        json.dumps({**wire, "salt": None, "payload": None}, separators=(",", ":")) + "\n"
    )
    file.write_text("".join(rows))
    said = problem(follow(folder), 1)
    assert said.endswith(
        "entry 310 (event/day-309, version 1) is in the signed tree; its words are not published, "
        "and no entry erases them"
    )
    found = json.loads(follow(folder, "--json").stdout)
    assert (found["state"], found["seen"], found["held"]) == ("withheld", 321, 301)
    put(folder / "origin.db", folder / "files")
    assert "Grew from 301 to 321" in follow(folder).stdout


def test_a_wrong_tile_of_what_was_seen_before_is_the_fault_of_the_host(folder: Path) -> None:
    grow(folder, 300, 620)
    _flipped(folder / "files" / "tile" / "0" / "001")
    found = follow(folder, "--json")
    assert found.exit_code == 1
    said = json.loads(found.stdout)
    assert (said["state"], said["held"]) == ("damaged", FIRST)
    assert said["problem"] == "tile/0/001 has other hashes than the signed tree"


def test_entries_of_somebody_else_in_the_copy_are_no_fork(folder: Path) -> None:
    copy = folder / "copy.db"
    done("-d", copy, "follow", "--stop")
    done("-d", copy, "append", "--title", "Ours", "--occurred", "2025")
    grow(folder)
    with contextlib.closing(storage.connect(copy, write=True)) as connection:
        connection.execute(
            "INSERT INTO mirror VALUES (?, '2025-01-01T00:00:00.000000Z')", (KEY.name,)
        )
    said = problem(run("-d", copy, "follow", folder / "files", "--key", VKEY), 1)
    assert f"has entries from #301 on that are not of {KEY.name}" in said
    assert said.endswith("somebody wrote into the copy. Follow into a new file")


def test_a_host_that_is_behind_a_witness_is_told(folder: Path) -> None:
    witness = SigningKey("kyiv.example/witness", b"w" * 32, 0x04)
    shown = folder / "kyiv" / origin_hash(KEY.name)
    shown.mkdir(parents=True)
    (folder / "policy").write_text(
        f"log {VKEY}\nwitness kyiv {witness.verifier} {folder / 'kyiv'}\nquorum none\n"
    )
    old = shutil.copytree(folder / "files", folder / "old")
    grow(folder)
    shutil.copy(folder / "files" / "checkpoint", shown)
    said = problem(run("-d", folder / "copy.db", "follow", old, "--policy", folder / "policy"), 1)
    assert "kyiv has signed 321 entries, and 301 are served" in said
    other_history(folder, 290)
    shutil.copy(folder / "files" / "checkpoint", shown)
    result = run("-d", folder / "new.db", "follow", old, "--policy", folder / "policy")
    assert result.exit_code == 3
    assert f"ALARM: {KEY.name} has signed two histories." in result.stderr


# --- Killed -------------------------------------------------------------------------------

_KILLED = """
import os, signal, sys
from timeline.mirror import taking
from timeline.cli import cli
taking.TAKEN_AT_ONCE = 1
left = [int(sys.argv.pop(1))]
step = taking.Taking.step
def killed(self, at_commit):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, at_commit)
taking.Taking.step = killed
cli.main(sys.argv[1:])
"""


def test_a_run_that_is_killed_between_any_two_commits_goes_on(tmp_path: Path) -> None:
    origin, files = tmp_path / "origin.db", tmp_path / "files"
    with Timeline.create(origin, title="A strike", origin=KEY.name) as timeline:
        for number in range(3):
            timeline.record(events(number, number + 1))
    sign_and_put(origin, files)
    for kill_at in itertools.count(1):
        copy = tmp_path / f"copy-{kill_at}.db"
        command = [sys.executable, "-c", _KILLED, str(kill_at), "-d", str(copy), "follow"]
        ended = subprocess.run([*command, str(files), "--key", VKEY], env=environment())
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL
        if copy.exists():
            assert verify.verify(copy).findings == []
        done("-d", copy, "follow", files, "--key", VKEY)
        assert lines(copy) == lines(origin)
    assert kill_at > 4


# --- Hostile folders ----------------------------------------------------------------------


def _read_by_followers(folder: Path) -> list[str]:
    """Return the files that a follower reads: all but the bundles, whose envelopes it has twice."""
    files = (each for each in (folder / "files").rglob("*") if each.is_file())
    names = sorted(each.relative_to(folder / "files").as_posix() for each in files)
    return [name for name in names if not name.startswith("tile/entries")]


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _linked(path: Path) -> None:
    target = next(each for each in path.parents if each.name == "files").parent / "outside"
    target.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(target)


HARMS: dict[str, Callable[[Path], object]] = {
    "removed": Path.unlink,
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"x" * 40),
    "flipped": _flipped,
    "empty": lambda path: path.write_bytes(b""),
    "huge": lambda path: path.write_bytes(b"x" * 2_000_000),
    "no text": lambda path: path.write_bytes(b"\xff" * 100),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "linked": _linked,
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_harmed_folder_gives_one_line_and_harms_nothing(
    made: Path, tmp_path: Path, harm: str
) -> None:
    for name in _read_by_followers(made):
        shutil.copytree(made / "files", tmp_path / "files")
        HARMS[harm](tmp_path / "files" / name)
        result = run("-d", tmp_path / "new.db", "follow", tmp_path / "files", "--key", VKEY)
        is_later = (harm, name) == ("longer", "entries/001.jsonl")  # as that of a later state is
        assert result.exit_code in ((0,) if is_later else (1, 3)), (name, result.output)
        assert result.stderr.count("\n") == (0 if is_later else 1), (name, result.stderr)
        if (tmp_path / "new.db").exists():
            assert verify.verify(tmp_path / "new.db").findings == []
        for left in tmp_path.glob("new.db*"):
            left.unlink()
        shutil.rmtree(tmp_path / "files")
        (tmp_path / "outside").unlink(missing_ok=True)
    assert [*tmp_path.iterdir()] == []
