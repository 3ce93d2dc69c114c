"""Witnesses sign a checkpoint when it is made, or say why not, or stop the publisher.

They are servers on loopback, written from the specification (tests/support/witnessing.py).
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from running import done, run
from serving import serving as serving_command
from witnessing import OtherWitness, Said, serving

from timeline import Timeline
from timeline.mirror import witnesses
from timeline.proof import checkpoints, verify
from timeline.proof.signed_note import SigningKey, parse
from timeline.store import storage

LOG = SigningKey("example.org/story", b"k" * 32)
OLD = SigningKey("example.org/story", b"o" * 32)
SIZE = "text/x.tlog.size"
COPY = f"/w/{hashlib.sha256(LOG.name.encode()).hexdigest()}/checkpoint"


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.db"
    with Timeline.create(path, title="A story", origin=LOG.name):
        pass
    for name, key in (("log.key", LOG), ("old.key", OLD)):
        (tmp_path / name).write_text(f"{key}\n")
        (tmp_path / name).chmod(0o600)
    grow(path, 4)
    return path


@pytest.fixture
def kyiv() -> Iterator[OtherWitness]:
    with serving(OtherWitness("kyiv.example/witness", b"w")) as witness:
        yield witness


@pytest.fixture
def lviv() -> Iterator[OtherWitness]:
    with serving(OtherWitness("lviv.example/w", b"l")) as witness:
        yield witness


def grow(path: Path, count: int) -> None:
    with Timeline.open(path) as timeline:
        timeline.record([{"title": "Talks", "occurred": "2025"} for _ in range(count)])


def add(path: Path, *added: OtherWitness, pull: bool = False) -> None:
    for each in added:
        done("-d", path, "witness", "add", each.name, each.key, each.url, *["--pull"] * pull)


def sign(path: Path, *more: object) -> Result:
    return run("-d", path, "checkpoint", "--key", path.with_name("log.key"), *more)


def ask(path: Path, *more: object) -> Result:
    return run("-d", path, "witness", "ask", *more)


def newest(path: Path) -> checkpoints.StoredCheckpoint | None:
    with contextlib.closing(storage.connect(path)) as connection:
        return checkpoints.newest(connection)


# --- They sign ----------------------------------------------------------------------------


def test_a_witness_signs_what_goes_on_from_what_it_saw(story: Path, kyiv: OtherWitness) -> None:
    add(story, kyiv)
    for size in (5, 8, 9, 16):
        grow(story, size - (kyiv.size or 5))
        signed = sign(story, "--quorum", 1)
        assert (signed.exit_code, signed.stderr) == (0, "Signed by kyiv.example/witness.\n")
        parse(signed.stdout).verify([LOG.verifier, kyiv.key])
        assert kyiv.size == size
    assert [body.partition("\n")[0] for body in kyiv.asked] == ["old 0", "old 5", "old 8", "old 9"]
    stored = newest(story)
    assert stored is not None
    assert stored.keys == [LOG.verifier, kyiv.key]
    assert (
        parse(kyiv.asked[-1].partition("\n\n")[2]).signatures == parse(stored.note).signatures[:1]
    )
    report = verify.verify(story, keys=[LOG.verifier])
    assert (report.findings, report.signed) == ([], 16)


def test_only_those_are_asked_again_who_have_not_signed(
    story: Path, kyiv: OtherWitness, lviv: OtherWitness
) -> None:
    add(story, kyiv, lviv)
    lviv.script = [Said(503), Said(503)]
    signed = sign(story, "--quorum", 2)
    assert signed.exit_code == 1
    assert signed.stderr == (
        "Signed by kyiv.example/witness.\n"
        "Not signed by lviv.example/w: it answered 503 Service Unavailable\n"
        "Error: 1 witness has signed, and 2 are wanted; the checkpoint is stored: timeline witness"
        " ask asks the others again\n"
    )
    assert parse(signed.stdout).verify([LOG.verifier, kyiv.key]) is None
    assert ask(story, "--quorum", 2).exit_code == 1
    again = sign(story, "--quorum", 2)
    assert (again.exit_code, again.stderr) == (
        0,
        "Signed by kyiv.example/witness.\nSigned by lviv.example/w.\n",
    )
    parse(again.stdout).verify([LOG.verifier, kyiv.key, lviv.key])
    assert (len(kyiv.asked), len(lviv.asked)) == (1, 3)
    assert sign(story).stdout == again.stdout
    assert (ask(story).exit_code, ask(story).stdout) == (0, "")
    assert (len(kyiv.asked), len(lviv.asked)) == (1, 3)
    assert verify.verify(story).findings == []


def test_they_are_asked_side_by_side(story: Path, kyiv: OtherWitness, lviv: OtherWitness) -> None:
    add(story, kyiv, lviv)
    both = threading.Barrier(2, timeout=9)

    def meet() -> Said:
        both.wait()
        return Said(500)

    kyiv.script = lviv.script = [meet, meet]
    assert sign(story).stderr.count("it answered 500 Internal Server Error") == 2


def test_a_log_that_changes_its_key_signs_with_both(story: Path, kyiv: OtherWitness) -> None:
    add(story, kyiv)
    signed = sign(story, "--key", story.with_name("old.key"))
    assert signed.exit_code == 0
    parse(signed.stdout).verify([LOG.verifier, OLD.verifier, kyiv.key])
    assert len(parse(kyiv.asked[0].partition("\n\n")[2]).signatures) == 2
    policy = done("-d", story, "witness", "list", "--policy").splitlines()
    assert [f"log {LOG.verifier}", f"log {OLD.verifier}"] == policy[2:4]
    for key in (LOG, OLD):
        assert verify.verify(story, keys=[key.verifier]).findings == []


def test_a_dry_run_asks_nobody(story: Path, kyiv: OtherWitness) -> None:
    add(story, kyiv)
    assert sign(story, "--dry-run", "--quorum", 1).exit_code == 0
    assert (kyiv.asked, newest(story)) == ([], None)


def test_our_own_witness_signs_and_stops_what_does_not_go_on(story: Path) -> None:
    folder = story.parent
    key = done("keygen", "--witness", "own.example/w", folder / "w.key").strip()
    state = ("--state", folder / "witness.db")
    done("witness", "trust", LOG.verifier, *state)
    earlier = Path(shutil.copy(story, folder / "earlier.db"))
    command = ("witness", "serve", "--key", folder / "w.key", *state)
    with serving_command("timeline", *command, cwd=folder) as address:
        for path in (story, earlier):
            done("-d", path, "witness", "add", "own", key, address)
        for count in (1, 255, 3):
            grow(story, count)
            assert sign(story).stderr == "Signed by own.\n"
        behind = sign(earlier)
        grow(earlier, 300)
        other = sign(earlier)
    assert (behind.exit_code, other.exit_code, newest(earlier)) == (3, 3, None)
    assert "own has signed 264 entries of this log, and there are 5" in behind.stderr
    assert "own has signed another history of this log" in other.stderr


# --- They do not --------------------------------------------------------------------------


def test_a_witness_that_names_a_smaller_size_is_asked_again_with_it(
    story: Path, kyiv: OtherWitness
) -> None:
    add(story, kyiv)
    sign(story)
    grow(story, 3)
    kyiv.size, kyiv.root = 0, ""
    assert sign(story).stderr == "Signed by kyiv.example/witness.\n"
    assert [body.partition("\n")[0] for body in kyiv.asked] == ["old 0", "old 5", "old 0"]


def test_a_witness_that_never_makes_up_its_mind_is_asked_four_times(
    story: Path, kyiv: OtherWitness
) -> None:
    add(story, kyiv)
    kyiv.script = [Said(409, b"%d\n" % size, SIZE) for size in range(1, 5)]
    assert sign(story).stderr == (
        "Not signed by kyiv.example/witness: it names one size after another\n"
    )
    assert len(kyiv.asked) == 4


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ([Said(409, b"1204\n", SIZE)], "1,204 entries of this log, and there are 5"),
        ([Said(422)], "another history of this log"),
        ([Said(409, b"3\n", SIZE), Said(422)], "another history of this log"),
        ([Said(409, b"5\n", SIZE), Said(409)], "another history of this log"),
        ([Said(409, b"5\n", SIZE), Said(409, b"5\n", SIZE)], "another history of this log"),
    ],
)
def test_a_witness_that_has_signed_something_else_stops_the_publisher(
    story: Path, kyiv: OtherWitness, lviv: OtherWitness, script: list[Said], what: str
) -> None:
    add(story, kyiv, lviv)
    kyiv.script = [*script]
    stopped = sign(story)
    assert (stopped.exit_code, stopped.stdout) == (3, "")
    assert stopped.stderr == (
        f"Error: kyiv.example/witness has signed {what}: was it put back from a backup?"
        " Do not publish.\n"
    )
    assert newest(story) is None


def test_a_size_that_was_signed_meanwhile_is_no_reason_to_stop(
    story: Path, kyiv: OtherWitness
) -> None:
    add(story, kyiv)

    def meanwhile() -> Said:
        grow(story, 2)
        return Said(409, b"7\n", SIZE)

    kyiv.script = [meanwhile]
    signed = sign(story)
    assert (signed.exit_code, signed.stderr) == (
        0,
        "Not signed by kyiv.example/witness: it answered 409 Conflict\n",
    )
    assert sign(story).stderr == "Signed by kyiv.example/witness.\n"


@pytest.mark.parametrize("status", [403, 404])
def test_a_witness_that_does_not_know_the_log_has_to_be_told(
    story: Path, kyiv: OtherWitness, status: int
) -> None:
    add(story, kyiv)
    kyiv.script = [Said(status)]
    signed = sign(story)
    assert signed.exit_code == 0
    assert signed.stderr.endswith(f"; ask its operator to add: {LOG.verifier}\n")
    assert signed.stdout.count("\n— ") == 1


def _line(change: Callable[[OtherWitness, str], str]) -> Callable[[OtherWitness, str], Said]:
    return lambda witness, text: Said(200, change(witness, text).encode())


def _late(witness: OtherWitness, text: str) -> str:
    witness.seconds = int(time.time()) + 660
    return witness.sign(text)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda *_: Said(500), "it answered 500 Internal Server Error"),
        (lambda *_: Said(409, b"2\n"), "it answered 409 Conflict"),
        (lambda *_: Said(409, b"02\n", SIZE), "it answered 409 Conflict"),
        (
            lambda *_: Said(307, location="http://127.0.0.1:1/"),
            "it answered 307 Temporary Redirect, and redirects are not followed",
        ),
        (lambda *_: Said(200, b"x" * 2**17), "http://U/add-checkpoint: is longer than 64 KiB"),
        (lambda *_: Said(200, b"\xff"), "its answer is not UTF-8"),
        (lambda *_: Said(200), "its answer is no signed note: a text, an empty line, "),
        (_line(lambda *_: "hello\n"), 'its answer is no signed note: a line that signs is "'),
        (
            _line(lambda witness, text: OtherWitness(witness.name, b"x").sign(text)),
            "its answer is not signed by kyiv.example/witness+",
        ),
        (
            _line(lambda witness, text: witness.sign(text.replace("\n5\n", "\n6\n"))),
            "its answer is not kept: the signature of kyiv.example/witness does not hold",
        ),
        (
            _line(lambda witness, text: "more\n\n" + witness.sign(text + "\nmore\n")),
            "its answer is more than signatures",
        ),
        (_line(_late), "its answer is signed with a time over 10 minutes ahead of the clock here"),
    ],
)
def test_what_a_witness_may_answer_and_is_not_kept(
    story: Path,
    kyiv: OtherWitness,
    answer: Callable[[OtherWitness, str], Said],
    why: str,
) -> None:
    add(story, kyiv)
    text = parse(sign(story, "--dry-run").stdout).text
    kyiv.script = [answer(kyiv, text)]
    signed = sign(story)
    assert signed.exit_code == 0
    why = why.replace("http://U", kyiv.url)
    assert signed.stderr.startswith(f"Not signed by kyiv.example/witness: {why}")
    assert signed.stderr.count("\n") == 1
    stored = newest(story)
    assert stored is not None
    assert stored.keys == [LOG.verifier]
    assert signed.stdout == stored.note == str(LOG.sign(text))


def test_a_witness_that_is_silent_or_gone_is_no_reason_to_wait(
    story: Path, kyiv: OtherWitness, lviv: OtherWitness, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(story, kyiv, lviv)
    monkeypatch.setattr(witnesses, "_SECONDS", 0.2)
    silent = threading.Event()

    def wait() -> Said:
        silent.wait()
        return Said(500)

    kyiv.script = [wait]
    done("-d", story, "witness", "remove", lviv.name)
    lviv.url = "http://127.0.0.1:1"
    add(story, lviv)
    signed = sign(story)
    silent.set()
    first, second = signed.stderr.splitlines()
    assert "/add-checkpoint: cannot be reached: it took over 0.2 seconds" in first
    assert "http://127.0.0.1:1/add-checkpoint: cannot be reached: " in second
    assert signed.exit_code == 0


# --- Those without a server ---------------------------------------------------------------


def test_what_a_witness_without_a_server_signed_is_fetched(story: Path, kyiv: OtherWitness) -> None:
    add(story, kyiv, pull=True)
    first = sign(story)
    assert first.stderr == (
        "Not signed by kyiv.example/witness yet: timeline witness ask fetches what it signs.\n"
    )
    assert kyiv.asked == []
    missing = ask(story, "--quorum", 1)
    assert missing.exit_code == 1
    assert f"{kyiv.url.removesuffix('/w')}{COPY}: answered 404 Not Found" in missing.stderr
    grow(story, 2)
    sign(story)
    text = parse(first.stdout).text
    kyiv.files[COPY] = first.stdout + kyiv.sign(text)
    older = ask(story)
    assert older.stderr == (
        "Not signed by kyiv.example/witness yet: it has signed an older checkpoint.\n"
    )
    assert done("-d", story, "witness", "list").split()[1:4] == ["signed", "5", "entries"]
    text = parse(sign(story).stdout).text
    kyiv.files[COPY] = f"{text}\n{kyiv.sign(text)}"
    signed = ask(story, "--quorum", 1)
    assert (signed.exit_code, signed.stderr) == (0, "Signed by kyiv.example/witness.\n")
    assert set(kyiv.asked) == {COPY}
    assert verify.verify(story, keys=[LOG.verifier]).findings == []


def test_a_copy_is_kept_once_though_the_witness_signs_it_again(
    story: Path, kyiv: OtherWitness
) -> None:
    add(story, kyiv, pull=True)
    text = parse(sign(story).stdout).text
    grow(story, 1)
    sign(story)
    kyiv.files[COPY] = f"{text}\n{kyiv.sign(text)}"
    ask(story)
    before = _count(story)
    kyiv.seconds += 60
    kyiv.files[COPY] = f"{text}\n{kyiv.sign(text)}"
    ask(story)
    assert _count(story) == before


def _count(path: Path) -> int:
    with contextlib.closing(storage.connect(path)) as connection:
        return len(checkpoints.stored(connection))


def test_a_copy_that_the_log_does_not_go_on_from_stops_the_publisher(
    story: Path, kyiv: OtherWitness
) -> None:
    add(story, kyiv, pull=True)
    sign(story)
    text = "example.org/story\n{}\n" + "A" * 43 + "=\n"
    for size, what in ((9, "9 entries of this log, and there are 5"), (3, "another history of")):
        other = LOG.sign(text.format(size))
        kyiv.files[COPY] = f"{other}{kyiv.sign(other.text)}"
        stopped = ask(story)
        assert (stopped.exit_code, stopped.stdout) == (3, "")
        assert f"kyiv.example/witness has signed {what}" in stopped.stderr
    forged = text.format(9)
    kyiv.files[COPY] = f"{forged}\n{kyiv.sign(forged)}"
    assert ask(story).stderr == (
        "Not signed by kyiv.example/witness: its copy, of 9 entries, is not stored here\n"
    )


def test_nobody_is_asked_about_a_log_that_is_not_signed(story: Path, kyiv: OtherWitness) -> None:
    add(story, kyiv)
    refused = ask(story)
    assert (refused.exit_code, refused.stderr) == (
        1,
        "Error: nothing is signed yet: timeline checkpoint --key FILE signs the log\n",
    )
    assert kyiv.asked == []
