"""Checkpoints and proofs as files: read in one form only, every byte of them counted."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from others_notes import others_check, others_cosignature, witness_key

from timeline.errors import ProofError
from timeline.proof.signed_note import SigningKey
from timeline.proof.tlog import Checkpoint, Proof, parse_checkpoint
from timeline.store import codec, merkle

ORIGIN = "example.org/story"
KEY = SigningKey(ORIGIN, b"k" * 32)
WITNESS = Ed25519PrivateKey.from_private_bytes(b"w" * 32)


def an_entry(seq: int) -> codec.Entry:
    return codec.encode(
        seq=seq,
        id=f"entry-{seq}",
        kind="event.recorded",
        subject=f"event/event-{seq}",
        version=1,
        recorded_at="2025-04-15T10:00:00.000000Z",
        reported_at="2025-04-15",
        payload=codec.encode_payload("nb", None, {"title": f"Łódź {seq}", "occurred": "2025"}),
    )


ENTRIES = [an_entry(seq) for seq in range(7)]


def read_hash(level: int, number: int) -> bytes:
    leaves = ENTRIES[number << level : number + 1 << level]
    return merkle.root(entry.leaf for entry in leaves)


def proof_of(seq: int, size: int = 7) -> Proof:
    checkpoint = Checkpoint(ORIGIN, size, merkle.root(entry.leaf for entry in ENTRIES[:size]))
    hashes = merkle.inclusion_proof(seq, size, read_hash)
    return Proof(ENTRIES[seq], hashes, KEY.sign(str(checkpoint)))


def holds(text: str) -> bool:
    try:
        Proof.parse(text).verify([KEY.verifier])
    except ProofError:
        return False
    return True


def test_a_checkpoint_is_three_lines_under_a_signature() -> None:
    note = KEY.sign(str(Checkpoint(ORIGIN, 7, b"r" * 32)))
    lines = str(note).split("\n")
    assert lines[:4] == [ORIGIN, "7", base64.b64encode(b"r" * 32).decode(), ""]
    assert parse_checkpoint(str(note)) == (Checkpoint(ORIGIN, 7, b"r" * 32), note)
    others_check(str(note), str(KEY.verifier))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n7\n",
        "\n7\nROOT\n",
        "o\n07\nROOT\n",
        "o\n-7\nROOT\n",
        "o\n7 \nROOT\n",
        "o\n\uff17\nROOT\n",
        "o\n99999999999999999999\nROOT\n",
        "o\n7\nROO\n",
        "o\n7\nAAAA\n",
        "o\n7\nROOT\n\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    root = base64.b64encode(b"r" * 32).decode()
    with pytest.raises(ProofError):
        parse_checkpoint(str(KEY.sign(text.replace("ROOT", root))))


def test_the_extension_lines_of_a_checkpoint_are_kept() -> None:
    text = f"{Checkpoint(ORIGIN, 7, b'r' * 32)}an extension\nand another\n"
    signed = str(KEY.sign(text))
    checkpoint, note = parse_checkpoint(signed)
    assert checkpoint == (ORIGIN, 7, b"r" * 32)
    assert str(note) == signed
    note.verify([KEY.verifier])
    with pytest.raises(ProofError):
        note._replace(text=text.replace("another", "no other")).verify([KEY.verifier])


@pytest.mark.parametrize("size", range(1, 8))
def test_every_entry_of_every_log_is_proved(size: int) -> None:
    for seq in range(size):
        text = str(proof_of(seq, size))
        proof = Proof.parse(text)
        assert proof.verify([KEY.verifier]).size == size
        assert proof.entry == ENTRIES[seq]
        assert str(proof) == text


def test_a_proof_is_in_the_form_of_the_standard() -> None:
    lines = str(proof_of(2)).split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    word, extra = lines[1].split(" ")
    assert word == "extra"
    assert json.loads(base64.b64decode(extra)) == json.loads(codec.to_wire(ENTRIES[2]))
    assert lines[2] == "index 2"
    assert [len(base64.b64decode(line)) for line in lines[3:6]] == [32, 32, 32]
    assert lines[6] == ""
    assert lines[7:9] == [ORIGIN, "7"]


def test_every_byte_of_a_proof_counts() -> None:
    text = str(proof_of(2))
    raw = text.encode()
    for place in range(len(raw)):
        for other in {raw[place] ^ 1, raw[place] ^ 0x20, raw[place] ^ 0x80, 0x0A, 0x20, 0x3D}:
            if other != raw[place]:
                changed = raw[:place] + bytes([other]) + raw[place + 1 :]
                try:
                    spoiled = changed.decode()
                except UnicodeDecodeError:
                    continue
                assert not holds(spoiled), (place, other)
        assert not holds((raw[:place] + raw[place + 1 :]).decode(errors="replace")), place
        assert not holds((raw[:place] + b"\n" + raw[place:]).decode(errors="replace")), place
    for more in ("\n", " ", "x", "\n\n", "# a remark\n"):
        assert not holds(text + more)
        assert not holds(more + text)


@pytest.mark.parametrize("step", [-1, 1])
def test_any_number_changed_by_one_is_refused(step: int) -> None:
    text = str(proof_of(2))
    assert holds(text)
    assert not holds(text.replace("index 2", f"index {2 + step}"))
    assert not holds(text.replace(f"{ORIGIN}\n7\n", f"{ORIGIN}\n{7 + step}\n"))
    assert not holds(text.replace("proof@v1", f"proof@v{1 + step}"))
    wire = base64.b64encode(codec.to_wire(ENTRIES[2]).encode()).decode()
    for number in ('{"v":1', '"version":1', "event-2", "00.000000Z", "2025-04-15"):
        for escaped in (number, number.replace('"', '\\"')):
            changed = codec.to_wire(ENTRIES[2]).replace(
                escaped, escaped[:-1] + chr(ord(escaped[-1]) + step)
            )
            spoiled = base64.b64encode(changed.encode()).decode()
            assert spoiled == wire or not holds(text.replace(wire, spoiled))


def test_hashes_that_are_missing_added_or_swapped_are_refused() -> None:
    proof = proof_of(2)
    for hashes in (
        proof.hashes[:-1],
        proof.hashes[1:],
        [*proof.hashes, proof.hashes[0]],
        [proof.hashes[1], proof.hashes[0], *proof.hashes[2:]],
        [],
    ):
        assert not holds(str(proof._replace(hashes=hashes)))


def test_another_entry_payload_or_salt_is_refused() -> None:
    proof = proof_of(2)
    entry = proof.entry
    assert entry.payload is not None
    assert not holds(str(proof._replace(entry=ENTRIES[3]._replace(seq=2))))
    assert not holds(str(proof._replace(entry=entry._replace(payload=entry.payload + " "))))
    assert not holds(str(proof._replace(entry=entry._replace(salt=b"s" * 16))))
    assert not holds(str(proof._replace(entry=entry._replace(salt=None))))


def test_an_erased_entry_is_proved_without_its_payload() -> None:
    proof = proof_of(2)
    erased = proof._replace(entry=proof.entry._replace(payload=None, salt=None))
    assert Proof.parse(str(erased)).verify([KEY.verifier]).size == 7


def test_no_wire_form_but_our_own_is_read() -> None:
    proof = proof_of(2)
    wire = codec.to_wire(proof.entry)
    for other in (wire.replace('","', '", "'), wire.replace("ó", "\\u00f3"), wire + "\n"):
        assert other != wire
        text = str(proof).replace(
            base64.b64encode(wire.encode()).decode(), base64.b64encode(other.encode()).decode()
        )
        with pytest.raises(ProofError, match="not in the form"):
            Proof.parse(text)


def test_the_log_itself_must_have_signed() -> None:
    proof, stranger = proof_of(2), SigningKey("other.example", b"s" * 32)
    with pytest.raises(ProofError, match="not signed by its log"):
        proof._replace(note=stranger.sign(proof.note.text)).verify([stranger.verifier])


def test_every_key_that_was_given_must_have_signed_and_other_signatures_are_passed_over() -> None:
    proof = proof_of(2)
    line = others_cosignature(proof.note.text, "witness.example", WITNESS, 1_700_000_000)
    cosigned = Proof.parse(str(proof) + line)
    witness = witness_key("witness.example", WITNESS)
    assert cosigned.verify([KEY.verifier, witness]).size == 7
    assert cosigned.verify([KEY.verifier]).size == 7
    with pytest.raises(ProofError, match=r"is not signed by witness\.example"):
        proof.verify([KEY.verifier, witness])
    forged = others_cosignature(proof.note.text + ".", "witness.example", WITNESS, 1_700_000_000)
    assert Proof.parse(str(proof) + forged).verify([KEY.verifier]).size == 7
    with pytest.raises(ProofError, match="does not hold"):
        Proof.parse(str(proof) + line + forged).verify([KEY.verifier, witness])


def test_a_witness_may_sign_twice() -> None:
    proof, witness = proof_of(2), witness_key("witness.example", WITNESS)
    lines = [
        others_cosignature(proof.note.text, "witness.example", WITNESS, seconds)
        for seconds in (1_700_000_000, 1_700_000_001)
    ]
    twice = Proof.parse(str(proof) + "".join(lines))
    assert twice.verify([KEY.verifier, witness]).size == 7
