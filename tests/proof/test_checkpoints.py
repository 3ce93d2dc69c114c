"""Signing a log, and proofs out of it: through the commands, and what is stored."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from operations import stories, tell
from others_notes import (
    others_check,
    others_cosignature,
    others_subtree_cosignature,
    subtree_key,
    witness_key,
)
from running import done, one_line, run

from timeline import Timeline
from timeline.errors import InvalidInput, NotFound, ProofError
from timeline.proof import checkpoints
from timeline.proof.signed_note import SigningKey
from timeline.proof.tlog import Proof, parse_checkpoint
from timeline.store import log, merkle, storage

KEY = SigningKey("example.org/story", b"k" * 32)
WITNESS = Ed25519PrivateKey.from_private_bytes(b"w" * 32)


@contextlib.contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        yield connection


def record(timeline: Timeline, count: int, since: int = 0) -> None:
    timeline.record(
        {"event_id": f"event-{number}", "title": f"Event {number}", "occurred": "2025"}
        for number in range(since, since + count)
    )


def leaves(connection: sqlite3.Connection) -> list[bytes]:
    return [entry.leaf for entry in log.read(connection)]


# --- The tree in the file ---------------------------------------------------------------------


@given(stories)
def test_the_stored_hashes_are_those_of_the_log_however_it_was_appended(
    tmp_path_factory: pytest.TempPathFactory, told: list[list[object]]
) -> None:
    path = tmp_path_factory.mktemp("tree") / "timeline.db"
    with Timeline.create(path, title="T") as timeline:
        for operations in told:
            tell(timeline, operations)  # type: ignore[arg-type]
    with connected(path) as connection:
        hashes = leaves(connection)
        for size in range(len(hashes) + 1):
            assert log.root_at(connection, size) == merkle.root(hashes[:size])
        (stored,) = connection.execute("SELECT count(*) FROM tree_hashes").fetchone()
        assert stored == len(hashes) - len(hashes).bit_count()


def test_a_dry_run_and_a_refused_append_leave_no_hash(timeline: Timeline, path: Path) -> None:
    record(timeline, 4)
    with connected(path) as connection:
        before = connection.execute("SELECT * FROM tree_hashes").fetchall()
        with timeline.append(dry_run=True) as append:
            append.record({"title": "A", "occurred": "2025"})
        with pytest.raises(InvalidInput):
            timeline.record({"title": "A", "occurred": day} for day in ("2025", "nonsense"))
        assert connection.execute("SELECT * FROM tree_hashes").fetchall() == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tree_hashes SET hash = zeroblob(32)",
        "DELETE FROM tree_hashes",
        "INSERT INTO tree_hashes VALUES (99, zeroblob(32))",
        "INSERT INTO tree_hashes VALUES (0, zeroblob(32))",
        "INSERT OR REPLACE INTO tree_hashes VALUES (0, zeroblob(32))",
        "UPDATE checkpoints SET root = zeroblob(32)",
        "DELETE FROM checkpoints",
        "INSERT OR REPLACE INTO checkpoints SELECT size, root, note, '', '' FROM checkpoints",
    ],
)
def test_hashes_and_checkpoints_are_never_changed_replaced_or_deleted(
    timeline: Timeline, path: Path, statement: str
) -> None:
    record(timeline, 4)
    with connected(path) as connection:
        checkpoints.sign(connection, KEY)
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)


def test_a_proof_reads_few_rows_of_a_long_log(timeline: Timeline, path: Path) -> None:
    record(timeline, 1_000)
    with connected(path) as connection:
        checkpoints.sign(connection, KEY)
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        checkpoints.prove(connection, 500)
        assert len(statements) < 25


# --- Signing ----------------------------------------------------------------------------------


def test_keygen_makes_a_key_for_its_owner_alone(timeline: Timeline, path: Path) -> None:
    key_file = path.with_suffix(".key")
    printed = done("-d", path, "keygen", key_file).strip()
    assert printed.startswith("example.org/story+")
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert str(SigningKey.parse(key_file.read_text()).verifier) == printed
    assert "exists already" in one_line(run("-d", path, "keygen", key_file))
    assert "cannot be made" in one_line(run("-d", path, "keygen", path / "no" / "folder"))


def test_checkpoint_prints_and_stores_a_note_that_anybody_can_check(
    timeline: Timeline, path: Path
) -> None:
    record(timeline, 4)
    key_file = path.with_suffix(".key")
    verifier_key = done("-d", path, "keygen", key_file).strip()
    printed = done("-d", path, "checkpoint", "--key", key_file)
    others_check(printed, verifier_key)
    checkpoint, _ = parse_checkpoint(printed)
    with connected(path) as connection:
        assert checkpoint == ("example.org/story", 5, merkle.root(leaves(connection)))
        (stored,) = checkpoints.stored(connection)
    assert (stored.note, stored.verifier_keys) == (printed, verifier_key)
    secret = key_file.read_text().strip().split("+", 4)[4].encode()
    for file in path.parent.glob("timeline.db*"):
        assert secret not in file.read_bytes()


def test_signing_the_same_log_twice_stores_one_note(timeline: Timeline, path: Path) -> None:
    with connected(path) as connection:
        assert checkpoints.sign(connection, KEY) == checkpoints.sign(connection, KEY)
        assert len(checkpoints.stored(connection)) == 1
        record(timeline, 1)
        checkpoints.sign(connection, KEY)
        assert [stored.size for stored in checkpoints.stored(connection)] == [2, 1]


def test_a_key_that_others_can_read_or_of_another_log_is_refused(
    timeline: Timeline, path: Path
) -> None:
    key_file = path.with_suffix(".key")
    done("-d", path, "keygen", key_file)
    key_file.chmod(0o640)
    assert "chmod 600" in one_line(run("-d", path, "checkpoint", "--key", key_file))
    key_file.chmod(0o600)
    key_file.write_text(str(SigningKey.generate("example.org/other")))
    refused = one_line(run("-d", path, "checkpoint", "--key", key_file))
    assert "is of example.org/other; this log is example.org/story" in refused
    for wrong in (b"PRIVATE+KEY+nonsense", b"", b"\xff\xfe"):
        key_file.write_bytes(wrong)
        refused = one_line(run("-d", path, "checkpoint", "--key", key_file))
        assert "has no signing key" in refused
        assert "nonsense" not in refused


def test_a_log_that_was_put_back_or_rewritten_is_not_signed(timeline: Timeline, path: Path) -> None:
    backup = path.with_suffix(".bak")
    with connected(path) as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))
        record(timeline, 3)
        signed = checkpoints.sign(connection, KEY)
    with connected(backup) as connection:
        connection.execute("INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?)", signed)
        with pytest.raises(ProofError, match="1 entries, and 4 were signed"):
            checkpoints.sign(connection, KEY)
    with Timeline.open(backup) as other:
        record(other, 3, since=10)
    with connected(backup) as connection, pytest.raises(ProofError, match="not those that were"):
        checkpoints.sign(connection, KEY)


# --- Witnesses --------------------------------------------------------------------------------


def test_the_signature_of_a_witness_is_kept_and_travels_in_proofs(
    timeline: Timeline, path: Path
) -> None:
    record(timeline, 4)
    key_file, cosigned = path.with_suffix(".key"), path.with_suffix(".note")
    verifier_key = done("-d", path, "keygen", key_file).strip()
    note = done("-d", path, "checkpoint", "--key", key_file)
    _, parsed = parse_checkpoint(note)
    line = others_cosignature(parsed.text, "witness.example", WITNESS, 1_700_000_000)
    witness = witness_key("witness.example", WITNESS)
    cosigned.write_text(note + line)
    given = ("checkpoint", "--cosigned", cosigned, "--witness", witness)
    assert done("-d", path, *given) == note + line
    assert done("-d", path, *given) == note + line
    with connected(path) as connection:
        assert [stored.note for stored in checkpoints.stored(connection)] == [note + line, note]
        newest = checkpoints.newest(connection)
        assert newest is not None
        assert newest.verifier_keys == f"{verifier_key}\n{witness}"
    proof = path.with_suffix(".tlog-proof")
    done("-d", path, "prove", "event-2", "-o", proof)
    keys = ("--key", verifier_key, "--key", witness)
    assert "Holds: entry 3 of example.org/story" in done("verify", proof, *keys)
    alone = done("verify", proof, "--key", verifier_key)
    assert "1 signature by a key that you did not give: not checked." in alone
    assert "not checked" not in done("verify", proof, *keys)
    as_json = json.loads(done("verify", proof, "--key", verifier_key, "--json"))
    assert as_json["holds"]
    assert as_json["not_checked"] == [f"witness.example+{witness.key_id.hex()}"]
    done("-d", path, "verify", *keys)


def test_signatures_of_other_witnesses_are_kept_as_they_are(timeline: Timeline, path: Path) -> None:
    record(timeline, 4)
    witness = witness_key("witness.example", WITNESS)
    private = MLDSA44PrivateKey.from_seed_bytes(b"w" * 32)
    with connected(path) as connection:
        note = checkpoints.sign(connection, KEY).note
    _, parsed = parse_checkpoint(note)
    line = others_cosignature(parsed.text, "witness.example", WITNESS, 1_700_000_000)
    more = others_subtree_cosignature(parsed.text, "witness.example/w2", private, 1_700_000_000)
    cosigned = path.with_suffix(".note")
    cosigned.write_text(note + line + more)
    kept = run("-d", path, "checkpoint", "--cosigned", cosigned, "--witness", witness)
    assert (kept.exit_code, kept.stdout) == (0, note + line + more)
    assert "1 signature by a key that you did not give: not checked." in kept.stderr
    shown = done("-d", path, "verify", "--checkpoint", cosigned, "--key", KEY.verifier)
    assert shown.count("witness.example/w2") == 2
    both = ("--witness", witness, "--witness", subtree_key("witness.example/w2", private))
    assert done("-d", path, "checkpoint", "--cosigned", cosigned, *both) == note + line + more
    done("-d", path, "verify", "--key", KEY.verifier)


def test_a_signature_that_does_not_hold_is_not_kept(timeline: Timeline, path: Path) -> None:
    witness = witness_key("witness.example", WITNESS)
    with connected(path) as connection:
        note = checkpoints.sign(connection, KEY).note
        _, parsed = parse_checkpoint(note)
        line = others_cosignature(parsed.text, "witness.example", WITNESS, 1_700_000_000)
        with pytest.raises(ProofError, match=r"is not signed by witness\.example"):
            checkpoints.cosign(connection, note, [witness])
        wrong = others_cosignature(parsed.text + ".", "witness.example", WITNESS, 1_700_000_000)
        with pytest.raises(ProofError, match="does not hold"):
            checkpoints.cosign(connection, note + wrong, [witness])
        elsewhere = note.replace("example.org/story\n1\n", "example.org/story\n2\n")
        with pytest.raises(ProofError, match="no checkpoint of this log"):
            checkpoints.cosign(connection, elsewhere + line, [witness])
        assert len(checkpoints.stored(connection)) == 1


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--key", "K", "--cosigned", "K"),
        ("--cosigned", "K"),
        ("--key", "K", "--witness", str(KEY.verifier)),
        ("--cosigned", "K", "--witness", "nonsense"),
        ("--key", "missing"),
    ],
)
def test_options_of_checkpoint_that_do_not_go_together_are_wrong_usage(
    timeline: Timeline, path: Path, options: tuple[str, ...]
) -> None:
    key_file = path.with_suffix(".key")
    done("-d", path, "keygen", key_file)
    given = [str(key_file) if option == "K" else option for option in options]
    assert run("-d", path, "checkpoint", *given).exit_code == 2


# --- Proofs -----------------------------------------------------------------------------------


def test_an_entry_is_named_by_event_version_or_number(timeline: Timeline, path: Path) -> None:
    record(timeline, 2)
    timeline.update("event-0", {"title": "Another"})
    with connected(path) as connection:
        checkpoints.sign(connection, KEY)
    for named, seq in (("event-0", 3), ("event-0@1", 1), ("#2", 2), ("#0", 0), ("event-1", 2)):
        assert Proof.parse(done("-d", path, "prove", named)).entry.seq == seq
    for nobody in ("event-9", "#9", "event-0@7", "event", "#x"):
        one_line(run("-d", path, "prove", nobody))


def test_without_a_checkpoint_that_covers_it_there_is_no_proof(
    timeline: Timeline, path: Path
) -> None:
    record(timeline, 1)
    assert "run timeline checkpoint first" in one_line(run("-d", path, "prove", "event-0"))
    with connected(path) as connection:
        checkpoints.sign(connection, KEY)
        record(timeline, 1, since=1)
        assert "run timeline checkpoint first" in one_line(run("-d", path, "prove", "event-1"))
        done("-d", path, "prove", "event-0")
        with pytest.raises(NotFound):
            checkpoints.prove(connection, 99)


def test_verify_checks_a_proof_without_a_database(
    timeline: Timeline, path: Path, tmp_path: Path
) -> None:
    record(timeline, 3)
    with connected(path) as connection:
        checkpoints.sign(connection, KEY)
    proof = tmp_path / "a.tlog-proof"
    assert done("-d", path, "prove", "event-1", "-o", proof) == f"Proof of entry 2 in {proof}.\n"
    elsewhere = tmp_path / "nothing" / "here.db"
    shown = done("-d", elsewhere, "verify", proof, "--key", KEY.verifier)
    assert "Holds: entry 2 of example.org/story" in shown
    assert '"title": "Event 1"' in shown
    proof.write_text(proof.read_text().replace("index 2", "index 1"))
    spoiled = run("verify", proof, "--key", KEY.verifier)
    assert (spoiled.exit_code, spoiled.stderr.count("\n")) == (3, 1)
    assert spoiled.stderr.startswith("Does not hold: ")
    assert '"holds": false' in run("verify", proof, "--key", KEY.verifier, "--json").stdout
    proof.write_bytes(b"\xff\xfe")
    assert run("verify", proof, "--key", KEY.verifier).exit_code == 3
    assert run("verify", proof).exit_code == 2
    assert run("verify", proof, "--key", "nonsense").exit_code == 2
    assert run("verify", proof, "--key", KEY.verifier, "--checkpoint", proof).exit_code == 2


def test_of_one_size_the_checkpoint_of_the_newest_key_is_shown(
    timeline: Timeline, path: Path
) -> None:
    with connected(path) as connection:
        for day, seed in enumerate((b"z", b"a", b"m"), 1):
            key, at = SigningKey(KEY.name, seed * 32), datetime(2025, 4, day, tzinfo=UTC)
            made = checkpoints.sign(connection, key, now=iter([at]).__next__)
            assert checkpoints.newest(connection) == made
