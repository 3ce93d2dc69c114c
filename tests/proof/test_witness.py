"""A witness answers by the letter of c2sp.org/tlog-witness, and signs one history only.

The requests are written from the specification here, not by our code.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from others_notes import key_id, others_cosignature

from timeline.errors import InvalidInput
from timeline.proof import signed_note
from timeline.proof.signed_note import Note, SigningKey
from timeline.proof.tlog import Checkpoint
from timeline.proof.witness import (
    LONGEST_REQUEST,
    KnownLog,
    WitnessAnswer,
    WitnessRequest,
    add_checkpoint,
    check_is_of_witness,
    origin_hash,
)
from timeline.store import merkle

LOG = SigningKey("example.org/story", b"k" * 32)
NEXT = SigningKey("example.org/story", b"n" * 32)
STRANGER = SigningKey("example.org/story", b"s" * 32)
WITNESS_PRIVATE = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
WITNESS = SigningKey("kyiv.example/witness", b"w" * 32, 4)
NOW = datetime(2026, 4, 14, 18, 2, tzinfo=UTC)


class History(NamedTuple):
    """A history of up to 40 entries, which is one with the others up to an entry."""

    name: str
    common: int

    def leaves(self, size: int) -> list[bytes]:
        words = (self.name if number >= self.common else "" for number in range(size))
        return [merkle.leaf_hash(f"{word}{number}".encode()) for number, word in enumerate(words)]

    def checkpoint(self, size: int, *keys: SigningKey, more: str = "") -> str:
        """The signed note, as the specifications of checkpoints and notes have it."""
        root = base64.b64encode(merkle.root(self.leaves(size))).decode()
        text = f"{LOG.name}\n{size}\n{root}\n{more}"
        return f"{text}\n" + "".join(str(key.sign(text).signatures[0]) for key in keys or (LOG,))

    def proof(self, old: int, size: int) -> list[str]:
        if not 0 < old <= size:
            return []
        leaves = self.leaves(size)

        def read_hash(level: int, number: int) -> bytes:
            return merkle.root(leaves[number << level : number + 1 << level])

        hashes = merkle.consistency_proof(old, size, read_hash)
        return [base64.b64encode(value).decode() for value in hashes]

    def request(self, old: int, size: int, proof: Sequence[str] | None = None) -> bytes:
        lines = self.proof(old, size) if proof is None else proof
        return asked(old, lines, self.checkpoint(size))


def asked(old: object, proof: Sequence[str], checkpoint: str) -> bytes:
    return (
        "".join(f"{line}\n" for line in (f"old {old}", *proof, "")).encode() + checkpoint.encode()
    )


A, B = History("a", 4), History("b", 4)
HASH = base64.b64encode(bytes(32)).decode()
FRESH = KnownLog(LOG.name, (LOG.verifier,))


def answered(known: KnownLog, body: bytes) -> WitnessAnswer:
    return add_checkpoint({known.origin: known}.get, body, NOW, WITNESS)


def after(size: int, history: History = A, known: KnownLog = FRESH) -> KnownLog:
    answer = answered(known, history.request(known.size, size))
    assert answer.status == 200, answer.body
    assert answer.known
    return answer.known


@pytest.mark.parametrize(("old", "size"), [(0, 0), (0, 1), (0, 7), (5, 6), (5, 5), (8, 40)])
def test_what_goes_on_is_signed_as_the_specification_says(old: int, size: int) -> None:
    known = after(old) if old else FRESH
    answer = answered(known, A.request(old, size))
    assert (answer.status, answer.refused) == (200, None)
    dash, name, blob = answer.body.removesuffix("\n").split(" ")
    raw, public = base64.b64decode(blob), WITNESS.verifier.public_key
    assert (dash, name, raw[:4]) == ("—", WITNESS.name, key_id(WITNESS.name, 4, public))
    assert int.from_bytes(raw[4:12]) == NOW.timestamp()
    text = A.checkpoint(size).split("\n\n")[0] + "\n"
    signed = f"cosignature/v1\ntime {int(NOW.timestamp())}\n{text}"
    Ed25519PublicKey.from_public_bytes(public).verify(raw[12:], signed.encode())
    assert answer.known
    assert str(answer.known.newest) == A.checkpoint(size) + answer.body
    assert answer.known.size == size


GROWN = after(6)
TOO_OLD = asked(9, [HASH], A.checkpoint(8))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff" + A.request(6, 8),
        A.request(6, 8).replace(b"old 6", b"old 06"),
        A.request(6, 8).replace(b"old 6", b"old -6"),
        A.request(6, 8).replace(b"old 6", b"old  6"),
        A.request(6, 8).replace(b"\n", b"\r\n"),
        A.request(6, 8).replace(b"\n\n", b"\n", 1),
        A.request(6, 8).removesuffix(b"\n"),
        asked(6, [HASH[:-4]], A.checkpoint(8)),
        asked(6, [HASH[:-2] + "B="], A.checkpoint(8)),
        asked(6, [HASH] * 64, A.checkpoint(8)),
        asked(6, [], LOG.sign("no checkpoint\n").text),
        asked(6, [], str(LOG.sign("no checkpoint\n"))),
        TOO_OLD,
        TOO_OLD.replace(LOG.name.encode(), b"example.org/unknown"),
    ],
)
def test_another_form_is_a_bad_request(body: bytes) -> None:
    assert answered(GROWN, body)[:2] == (400, "text/plain; charset=utf-8")


def test_63_hashes_are_of_the_form() -> None:
    assert answered(GROWN, asked(6, [HASH] * 63, A.checkpoint(8))).status == 422


def test_a_long_body_is_refused_unread() -> None:
    body = A.request(6, 8)
    line = str(STRANGER.sign("x\n").signatures[0]).encode()
    longest = body + line * ((LONGEST_REQUEST - len(body)) // len(line))
    assert answered(GROWN, longest).status == 200
    assert answered(GROWN, longest.ljust(LONGEST_REQUEST + 1)).status == 413


@pytest.mark.parametrize("keys", [(), (LOG.verifier,)])
def test_a_log_that_is_not_known_or_not_trusted_any_more_is_not_found(keys: tuple[()]) -> None:
    origin = "example.org/another" if keys else LOG.name
    assert answered(KnownLog(origin, keys, GROWN.newest), A.request(6, 8)).status == 404


@pytest.mark.parametrize(
    "checkpoint",
    [
        A.checkpoint(8, STRANGER),
        A.checkpoint(8).replace("\n8\n", "\n7\n"),
        A.checkpoint(8) + A.checkpoint(9).split("\n\n")[1],
        A.checkpoint(8, STRANGER) + others_cosignature("x", "w", WITNESS_PRIVATE, 1),
    ],
)
def test_what_no_trusted_key_signed_is_forbidden(checkpoint: str) -> None:
    assert answered(GROWN, asked(6, A.proof(6, 8), checkpoint)).status == 403


def test_a_log_may_sign_with_an_old_and_a_new_key_and_unknown_signatures_are_dropped() -> None:
    checkpoint = A.checkpoint(8, STRANGER, NEXT, NEXT, LOG)
    for keys in ((LOG,), (NEXT,), (NEXT, LOG)):
        known = GROWN._replace(keys=[key.verifier for key in keys])
        answer = answered(known, asked(6, A.proof(6, 8), checkpoint))
        assert answer.status == 200
        assert answer.known
        assert str(answer.known.newest) == A.checkpoint(8, *keys) + answer.body


@pytest.mark.parametrize("old", [0, 4, 7, 8])
def test_another_old_size_is_a_conflict_that_says_the_right_one(old: int) -> None:
    assert answered(GROWN, A.request(old, 8)) == (409, "text/x.tlog.size", "6\n", None, None)


@pytest.mark.parametrize(
    ("known", "body", "problem"),
    [
        (GROWN, B.request(6, 8), "another old root"),
        (GROWN, A.request(6, 8, []), "the proof is empty"),
        (GROWN, A.request(6, 8, [*A.proof(6, 8), HASH]), "more hashes"),
        (GROWN, B.request(6, 6), "trees of one size"),
        (GROWN, A.request(6, 6, [HASH]), "trees of one size"),
        (FRESH, A.request(0, 8, [HASH]), "a proof from size 0"),
        (FRESH, asked(0, [], str(LOG.sign(f"{LOG.name}\n0\n{HASH}\n"))), "without entries"),
    ],
)
def test_what_does_not_go_on_is_unprocessable(known: KnownLog, body: bytes, problem: str) -> None:
    answer = answered(known, body)
    assert (answer.status, answer.known) == (422, None)
    assert problem in answer.body


@pytest.mark.parametrize(
    ("known", "body", "is_fork"),
    [
        (GROWN, B.request(6, 6), True),
        (GROWN, B.request(6, 8), False),
        (GROWN, A.request(6, 6, [HASH]), None),
        (FRESH, A.request(0, 8, [HASH]), None),
    ],
)
def test_a_checkpoint_of_another_history_is_kept_with_its_signature(
    known: KnownLog, body: bytes, is_fork: bool | None
) -> None:
    refused = answered(known, body).refused
    assert (refused and refused.is_fork) == is_fork
    if refused:
        assert refused.newest == GROWN.newest
        assert body.endswith(str(refused.refused).encode())


def test_extension_lines_are_signed_too() -> None:
    checkpoint = A.checkpoint(8, more="an extension\n")
    answer = answered(GROWN, asked(6, A.proof(6, 8), checkpoint))
    signed_note.parse(checkpoint + answer.body).verify([WITNESS.verifier, LOG.verifier])


def test_the_key_of_a_log_is_no_key_of_a_witness() -> None:
    check_is_of_witness(WITNESS)
    with pytest.raises(InvalidInput, match="is of a log, example"):
        check_is_of_witness(LOG)


def test_a_request_is_written_as_the_specification_has_it() -> None:
    body = A.request(6, 40)
    assert str(WitnessRequest.parse(body)).encode() == body
    assert str(WitnessRequest.parse(A.request(0, 1))).encode() == A.request(0, 1)


def test_the_name_of_what_was_signed_is_the_hash_of_the_origin() -> None:
    assert origin_hash("a") == ("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb")


_HISTORIES = st.sampled_from([A, B])
_PROOFS = st.sampled_from(["right", "other", "none", "wrong"])
_REQUESTS = st.tuples(
    _HISTORIES, st.none() | st.integers(0, 12), st.integers(0, 12), st.integers(0, 12), _PROOFS
)


@given(st.lists(_REQUESTS, max_size=12))
def test_no_sequence_of_requests_gets_two_histories_signed(
    requests: list[tuple[History, int | None, int, int, str]],
) -> None:
    known, signed = FRESH, list[Checkpoint]()
    for history, old, size, proof_size, kind in requests:
        at = known.size if old is None else old
        proof = {
            "right": history.proof(at, size),
            "other": (A if history == B else B).proof(at, size),
            "none": [],
            "wrong": history.proof(proof_size, size),
        }[kind]
        answer = answered(known, history.request(at, size, proof))
        if answer.status == 200:
            signed.append(Checkpoint.of(Note(history.checkpoint(size).split("\n\n")[0] + "\n", ())))
        if answer.known:
            known = answer.known
    assert [each.size for each in signed] == sorted(each.size for each in signed)
    assert any(
        all(merkle.root(history.leaves(each.size)) == each.root for each in signed)
        for history in (A, B)
    )


@given(st.binary(max_size=200), st.integers(0, 400))
def test_no_body_is_an_error(more: bytes, at: int) -> None:
    body = A.request(6, 8)
    assert answered(GROWN, body[:at] + more + body[at + len(more) :]).status in range(200, 423)
    assert answered(GROWN, more).status == 400
