"""`timeline verify` with a policy of signatures, and of files that show a fork."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from forks import KEY, fork_of, leaves
from running import done, one_line, run

from timeline import Timeline
from timeline.errors import ProofError
from timeline.proof import checkpoints
from timeline.proof.policy import Policy
from timeline.proof.signed_note import SigningKey, parse
from timeline.proof.tlog import Proof
from timeline.store import storage

OTHER = SigningKey(KEY.name, b"o" * 32)
KYIV, LVIV, ODESA = (
    SigningKey(f"{name}.example/w", name[0].encode() * 32, 4) for name in ("kyiv", "lviv", "odesa")
)
POLICY = f"""\
log {KEY.verifier}
log {OTHER.verifier}
witness kyiv {KYIV.verifier}
witness lviv {LVIV.verifier}
group both 2 kyiv lviv
quorum """


def policy(folder: Path, quorum: str) -> Path:
    file = folder / f"{quorum}.policy"
    file.write_text(f"{POLICY}{quorum}\n")
    return file


@pytest.fixture
def story(tmp_path: Path) -> Path:
    """A log whose newest checkpoint two witnesses have signed, one of them in no policy."""
    path = tmp_path / "story.db"
    with Timeline.create(path, title="A story", origin=KEY.name) as timeline:
        timeline.record({"event_id": "talks", "title": "Talks", "occurred": "2025"})
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        text = parse(checkpoints.sign(connection, KEY).note).text
        signed = [KYIV.sign(text, 1_750_000_000), ODESA.sign(text, 1_750_000_000)]
        for note, key in zip(signed, (KYIV, ODESA), strict=True):
            checkpoints.cosign(connection, str(note), [key.verifier])
    return path


@pytest.fixture
def proof(story: Path) -> Path:
    done("-d", story, "prove", "talks", "-o", story.with_name("proof"))
    return story.with_name("proof")


# --- Policies -----------------------------------------------------------------------------


def test_a_proof_is_held_to_a_policy(proof: Path, tmp_path: Path) -> None:
    shown = done("verify", proof, "--policy", policy(tmp_path, "kyiv"))
    assert shown.startswith("Holds: entry 1 of example.org/story")
    assert "1 signature by a key that you did not give: not checked." in shown
    assert "witnesses  1 of 2 have signed, 1 are wanted" in shown
    as_json = json.loads(done("verify", proof, "--policy", policy(tmp_path, "kyiv"), "--json"))
    assert as_json["signed_by"] == [str(KEY.verifier), str(KYIV.verifier)]
    assert as_json["not_checked"] == [f"{ODESA.name}+{ODESA.verifier.key_id.hex()}"]
    refused = run("verify", proof, "--policy", policy(tmp_path, "both"))
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert refused.stderr == (
        f"Does not hold: {proof} is signed by 1 of 2 witnesses, which is not the quorum of the"
        " policy, both\n"
    )
    done("verify", proof, "--policy", policy(tmp_path, "none"))


def test_a_file_is_held_to_a_policy(story: Path, tmp_path: Path) -> None:
    done("-d", story, "verify", "--policy", policy(tmp_path, "kyiv"))
    refused = run("-d", story, "verify", "--policy", policy(tmp_path, "both"))
    assert refused.exit_code == 3
    assert "is signed by 1 of 2 witnesses, which is not the quorum" in " ".join(
        refused.stdout.split()
    )
    unsigned = tmp_path / "unsigned.db"
    done("-d", unsigned, "init", "--title", "T", "--origin", KEY.name)
    done("-d", unsigned, "verify", "--policy", policy(tmp_path, "none"))
    assert run("-d", unsigned, "verify", "--policy", policy(tmp_path, "kyiv")).exit_code == 3


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda note: note._replace(signatures=note.signatures[1:]), "is not signed by example"),
        (
            lambda note: note._replace(text=note.text.replace("story\n2", "story\n3")),
            "the signature of example.org/story does not hold",
        ),
        (
            lambda note: note.with_more(KYIV.sign(note.text + "x\n", 1).signatures),
            r"the signature of kyiv\.example/w does not hold",
        ),
    ],
)
def test_a_signature_that_fails_is_no_vote(proof: Path, spoil: object, problem: str) -> None:
    made = Proof.parse(proof.read_text(encoding="utf-8"))
    assert callable(spoil)
    spoiled = made._replace(note=spoil(made.note))
    with pytest.raises(ProofError, match=problem):
        spoiled.verify_policy(Policy.parse(f"{POLICY}kyiv"))


def test_a_witness_with_the_name_of_the_log_is_not_the_log(proof: Path) -> None:
    made = Proof.parse(proof.read_text(encoding="utf-8"))
    witness = SigningKey(KEY.name, b"x" * 32, 4)
    note = witness.sign(made.note.text, 1_750_000_000)
    with pytest.raises(ProofError, match=r"is not signed by its log, example\.org/story: give its"):
        made._replace(note=note).verify([witness.verifier])


def test_a_key_and_a_policy_are_not_given_together(proof: Path, tmp_path: Path) -> None:
    both = ("--key", KEY.verifier, "--policy", policy(tmp_path, "none"))
    assert run("verify", proof, *both).exit_code == 2
    wrong = tmp_path / "wrong.policy"
    wrong.write_text(f"log {KEY.verifier}\nquorum kyiv\n")
    refusal = one_line(run("verify", proof, "--policy", wrong))
    assert refusal == "line 2: policy: there is no witness or group kyiv before this line"


# --- Forks --------------------------------------------------------------------------------

FORK = fork_of(leaves(1204, 1100, "a"), leaves(1210, 1100, "b"))


def test_a_fork_file_is_proven_with_the_key_of_the_log_alone(tmp_path: Path) -> None:
    file = tmp_path / "story.db.fork-1204-1210.txt"
    file.write_text(str(FORK))
    proven = run("verify", file, "--key", KEY.verifier)
    assert (proven.exit_code, proven.stderr) == (3, "")
    first, *both, last = proven.stdout.splitlines()
    assert first == "Proven: the key of example.org/story signed two histories."
    assert [line.split("  ")[1] for line in both] == ["1,204 entries", "1,210 entries"]
    assert last == "The first 1,204 entries of the second are others."
    done_in_json = run("verify", file, "--policy", policy(tmp_path, "both"), "--json")
    assert done_in_json.exit_code == 3
    said = json.loads(done_in_json.stdout)
    assert (said["proven"], said["origin"]) == (True, KEY.name)
    assert [each["size"] for each in said["checkpoints"]] == [1204, 1210]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (str(FORK._replace(proof=())), "proves nothing: the proof"),
        (str(fork_of(leaves(4, 9, "a"), leaves(5, 9, "b"))), "proves no fork: the second checkp"),
        (str(fork_of(leaves(4, 1, ""), leaves(5, 1, "b"), key=OTHER)), "proves nothing: no key of"),
        (str(FORK).replace("fork@v1", "fork@v1 "), "is no fork file: its first line is"),
    ],
)
def test_a_file_that_proves_nothing_says_why(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "fork.txt"
    file.write_text(text)
    assert one_line(run("verify", file, "--key", KEY.verifier)).startswith(f"{file} {why}")
    as_json = run("verify", file, "--key", KEY.verifier, "--json")
    assert as_json.exit_code == 1
    said = json.loads(as_json.stdout)
    assert said["proven"] is False
    assert said["problem"].startswith(why)
