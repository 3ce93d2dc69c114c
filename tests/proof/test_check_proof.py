"""check_proof.py, the page of plain Python that checks a proof without this package: what it
takes and what it refuses, beside what `timeline verify` says of the same files.
"""

from __future__ import annotations

import base64
import contextlib
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from examples import blocks
from forks import fork_of, leaves
from operations import erase
from others_notes import (
    others_cosignature,
    others_subtree_cosignature,
    subtree_key,
    witness_key,
)
from running import CHECKOUT, environment

from timeline import Timeline
from timeline.errors import ProofError
from timeline.proof import checkpoints
from timeline.proof.fork import Fork
from timeline.proof.signed_note import SigningKey, VerifierKey
from timeline.proof.tlog import Proof
from timeline.store import storage

PAGE = (CHECKOUT / "docs" / "proof.md").read_text(encoding="utf-8")
(PROGRAM,) = (block.body for block in blocks(PAGE, "python") if block.name == "check_proof.py")
COMPILED = compile(PROGRAM, "check_proof.py", "exec")
KEY = SigningKey("example.org/story", b"k" * 32)
OTHER = SigningKey("example.org/story", b"o" * 32)
WITNESS = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
VKEY, WITNESS_VKEY = str(KEY.verifier), str(witness_key("witness.example", WITNESS))
SIZE = 7
HOSTILE = 'Talks in Łódź "quoted"\\ \x1b[31m\u202e'


@pytest.fixture
def story(tmp_path: Path) -> Path:
    """A log of seven entries, signed."""
    path = tmp_path / "story.db"
    with Timeline.create(path, title="A story", origin=KEY.name) as timeline:
        for number in range(1, SIZE):
            event = {"event_id": f"event-{number}", "title": f"Event {number}", "occurred": "2025"}
            timeline.record({**event, "note": HOSTILE})
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        checkpoints.sign(connection, KEY)
    return path


def prove(path: Path, seq: int) -> str:
    with contextlib.closing(storage.connect(path)) as connection:
        return str(checkpoints.prove(connection, seq))


def cosigned(path: Path) -> str:
    """A proof from a checkpoint that a witness signed too."""
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        last = checkpoints.newest(connection)
        assert last is not None
        text = last.note.partition("\n\n")[0] + "\n"
        line = others_cosignature(text, "witness.example", WITNESS, 1_744_900_000)
        checkpoints.cosign(connection, last.note + line, [VerifierKey.parse(WITNESS_VKEY)])
    return prove(path, 3)


class Checked(NamedTuple):
    """What the program printed, and why it refused."""

    printed: str
    problem: Exception | None
    code: object = 0


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Checked]:
    """The program, run in this process on the bytes of a proof."""
    file = tmp_path / "proof"
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)

    def checked(proof: str | bytes, *keys: str) -> Checked:
        file.write_bytes(proof if isinstance(proof, bytes) else proof.encode())
        monkeypatch.setattr(sys, "argv", ["check_proof.py", str(file), *keys])
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            try:
                exec(COMPILED, {"__name__": "__main__"})
            except (ValueError, InvalidSignature, AttributeError, KeyError, TypeError) as problem:
                return Checked(printed.getvalue(), problem)
            except SystemExit as end:
                return Checked(printed.getvalue(), None, end.code)
        return Checked(printed.getvalue(), None)

    return checked


def process(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program as its readers run it, with no way to import this package."""
    (folder / "check_proof.py").write_text(PROGRAM, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-I", "check_proof.py", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_readme_shows_the_very_file_that_the_site_offers() -> None:
    shown = CHECKOUT / "timeline" / "site" / "static" / "check_proof.py"
    assert shown.read_text(encoding="utf-8") == PROGRAM
    assert "import timeline" not in PROGRAM
    assert "from timeline" not in PROGRAM
    assert max(map(len, PROGRAM.split("\n"))) <= 100


def test_a_reader_without_the_package_sees_what_the_entry_says(story: Path) -> None:
    proof = story.parent / "a.tlog-proof"
    proof.write_text(prove(story, 3), encoding="utf-8")
    done = process(story.parent, proof.name, VKEY)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "Holds: index 3 of example.org/story, under its checkpoint of 7 entries.\n"
    )
    assert '"title": "Event 3"' in done.stdout
    assert "Talks in Łódź" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    spoiled = proof.read_text(encoding="utf-8").replace("index 3", "index 4")
    proof.write_text(spoiled, encoding="utf-8")
    for arguments in ((proof.name, VKEY), (proof.name,), ("no-such-file", VKEY), ()):
        done = process(story.parent, *arguments)
        assert done.returncode != 0
        assert done.stdout == ""
        assert done.stderr.startswith("Does not hold: ")
        assert done.stderr.count("\n") == 1


def test_every_entry_of_logs_of_many_sizes_holds(
    tmp_path: Path, check: Callable[..., Checked]
) -> None:
    path = tmp_path / "growing.db"
    with Timeline.create(path, title="A story", origin=KEY.name) as timeline:
        for size in range(1, 18):
            with contextlib.closing(storage.connect(path, write=True)) as connection:
                checkpoints.sign(connection, KEY)
            for seq in range(size):
                checked = check(prove(path, seq), VKEY)
                assert checked.problem is None
                assert checked.printed.startswith(f"Holds: index {seq} of example.org/story")
            timeline.record({"title": f"Event {size}", "occurred": "2025"})


def test_no_byte_of_a_proof_is_free(story: Path, check: Callable[..., Checked]) -> None:
    """Every byte with one bit of it changed, left out, and doubled."""
    proof = prove(story, 3).encode()
    assert check(proof, VKEY).problem is None
    for place, byte in enumerate(proof):
        before, after = proof[:place], proof[place + 1 :]
        for spoiled in (
            before + bytes([byte ^ 1 << place % 8]) + after,
            before + after,
            proof[:place] + proof[place : place + 1] + proof[place:],
        ):
            if spoiled != proof:
                assert check(spoiled, VKEY).problem is not None, (place, spoiled)
    for spoiled in (proof + b"\n", b"\n" + proof, proof * 2, proof.replace(b"\n", b"\r\n"), b""):
        assert check(spoiled, VKEY).problem is not None


def test_nor_is_one_of_a_proof_that_a_witness_signed(
    story: Path, check: Callable[..., Checked]
) -> None:
    proof = cosigned(story).encode()
    assert check(proof, VKEY, WITNESS_VKEY).problem is None
    for keys in ((WITNESS_VKEY,), (WITNESS_VKEY, VKEY), (), (VKEY, str(OTHER.verifier))):
        assert check(proof, *keys).problem is not None
    for place in range(proof.index(b"\n\n"), len(proof)):
        spoiled = proof[:place] + bytes([proof[place] ^ 1 << place % 8]) + proof[place + 1 :]
        assert check(spoiled, VKEY, WITNESS_VKEY).problem is not None, place
    assert check(b"".join(proof.splitlines(keepends=True)[:-1]), VKEY, WITNESS_VKEY).problem


def test_a_signature_by_a_key_that_was_not_given_is_passed_over_and_named(
    story: Path, check: Callable[..., Checked]
) -> None:
    proof = cosigned(story)
    checked = check(proof, VKEY)
    assert checked.problem is None
    assert "1 signature by a key that you did not give: not checked." in checked.printed
    assert "not checked" not in check(proof, VKEY, WITNESS_VKEY).printed


def test_it_reads_extension_lines_and_the_cosignature_with_ml_dsa(
    story: Path, check: Callable[..., Checked]
) -> None:
    proof = Proof.parse(prove(story, 3))
    text = proof.note.text + "an extension\n"
    private = MLDSA44PrivateKey.from_seed_bytes(b"w" * 32)
    line = others_subtree_cosignature(text, "witness.example/w2", private, 1_744_900_000)
    extended = str(proof._replace(note=KEY.sign(text))) + line
    vkey = str(subtree_key("witness.example/w2", private))
    assert check(extended, VKEY, vkey).problem is None
    assert (
        "1 signature by a key that you did not give: not checked." in check(extended, VKEY).printed
    )
    spoiled = extended.removesuffix(line) + others_subtree_cosignature(
        text.replace("story", "storm"), "witness.example/w2", private, 1_744_900_000
    )
    assert check(spoiled, VKEY, vkey).problem is not None


# --- Forks --------------------------------------------------------------------------------


def test_a_fork_of_any_two_sizes_is_proven(check: Callable[..., Checked]) -> None:
    for size in range(1, 10):
        for larger in range(size, 19):
            since = (size * larger) % size
            fork = fork_of(leaves(size, since, "a"), leaves(larger, since, "b"))
            checked = check(str(fork), VKEY, WITNESS_VKEY)
            assert checked.problem is None
            assert checked.code == 3
            assert checked.printed.startswith(
                "Proven: the key of example.org/story signed two histories, "
                f"of {size} and of {larger} entries.\n"
            )


def test_no_byte_of_a_fork_file_is_free(check: Callable[..., Checked]) -> None:
    fork = str(fork_of(leaves(6, 4, "a"), leaves(9, 4, "b"))).encode()
    for place, byte in enumerate(fork):
        before, after = fork[:place], fork[place + 1 :]
        for spoiled in (before + bytes([byte ^ 1 << place % 8]) + after, before + after):
            assert check(spoiled, VKEY).problem is not None, (place, spoiled)
    for spoiled in (fork + b"\n", fork.replace(b"\n", b"\r\n"), fork[: fork.rindex(b"\n\n")]):
        assert check(spoiled, VKEY).problem is not None


@pytest.mark.parametrize(
    ("fork", "keys"),
    [
        (fork_of(leaves(6, 9, "a"), leaves(9, 9, "b")), (VKEY,)),
        (fork_of(leaves(6, 4, "a"), leaves(9, 4, "b")), (str(OTHER.verifier),)),
        (fork_of(leaves(6, 4, "a"), leaves(9, 4, "b")), (WITNESS_VKEY, VKEY)),
        (fork_of(leaves(6, 4, "a"), leaves(9, 4, "b")), ()),
        (fork_of(leaves(6, 4, "a"), leaves(9, 4, "b"), key=OTHER), (VKEY,)),
        (fork_of(leaves(6, 4, "a"), leaves(9, 4, "b"))._replace(proof=()), (VKEY,)),
    ],
)
def test_what_goes_on_or_is_signed_otherwise_proves_nothing(
    fork: Fork, keys: tuple[str, ...], check: Callable[..., Checked]
) -> None:
    checked = check(str(fork), *keys)
    assert checked.problem is not None
    assert checked.printed == ""


def test_a_fork_file_ends_with_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "fork").write_text(str(fork_of(leaves(6, 4, "a"), leaves(9, 4, "b"))))
    assert process(tmp_path, "fork", VKEY).returncode == 3
    done = process(tmp_path, "fork", str(OTHER.verifier))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Does not hold: ")


# --- What could be slipped in ---------------------------------------------------------------


def _wire(old: str, new: str) -> Callable[[str], str]:
    """Spoil the entry in a proof, and encode it as it should be."""

    def spoil(proof: str) -> str:
        lines = proof.split("\n")
        wire = base64.b64decode(lines[1].removeprefix("extra ")).decode()
        assert old in wire
        lines[1] = "extra " + base64.b64encode(wire.replace(old, new, 1).encode()).decode()
        return "\n".join(lines)

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        _wire("Event 3", "Event 4"),
        _wire('"payload"', ' "payload"'),
        _wire('{"envelope"', '{"more":1,"envelope"'),
        _wire('{"envelope"', '{"salt":null,"envelope"'),
        _wire('"salt":"', '"salt":"00'),
        _wire('"salt":"', '"salt":" '),
        _wire("Łódź", "\\u0141ódź"),
        _wire('\\"v\\":1', '\\"v\\":2'),
        lambda proof: proof.replace("index 3", "index 03"),
        lambda proof: proof.replace("index 3", "index ٣"),
        lambda proof: proof.replace("index 3", "index -4"),
        lambda proof: proof.replace("index 3", "index 7"),
        lambda proof: proof.replace("\n7\n", "\n8\n"),
        lambda proof: proof.replace("=\n\n", "=\nAAAA\n\n", 1),
        lambda proof: proof.replace("=\n", "\n", 1),
    ],
)
def test_what_one_could_slip_in_is_refused(
    spoil: Callable[[str], str], story: Path, check: Callable[..., Checked]
) -> None:
    proof = prove(story, 3)
    spoiled = spoil(proof)
    assert spoiled != proof
    assert check(spoiled, VKEY).problem is not None
    with pytest.raises(ProofError):
        Proof.parse(spoiled).verify([KEY.verifier])


@pytest.mark.parametrize(
    "key",
    [
        *(str(OTHER.verifier), VKEY.replace("story", "other"), VKEY[:-1], VKEY + "=", "x", ""),
        VKEY.replace(KEY.verifier.key_id.hex(), "00000000"),
    ],
)
def test_another_key_is_refused(key: str, story: Path, check: Callable[..., Checked]) -> None:
    assert check(prove(story, 3), key).problem is not None


def test_of_an_erased_entry_it_shows_that_it_was_there(
    story: Path, check: Callable[..., Checked]
) -> None:
    old = prove(story, 3)
    erase(story, 3)
    new = prove(story, 3)
    assert new != old
    assert check(old, VKEY).problem is None
    checked = check(new, VKEY)
    assert checked.problem is None
    assert "Event 3" not in checked.printed
    assert '"kind": "event.recorded"' in checked.printed
    assert checked.printed.endswith("  null\n]\n")
    assert check(_wire('"salt":null', '"salt":"00"')(new), VKEY).problem is not None
