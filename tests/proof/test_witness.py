"""A witness answers by the letter of c2sp.org/tlog-witness, and signs one history only.

The requests are written from the specification here, not by our code.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from histories import LOG, WITNESS, A, B, History, asked, is_one_history
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

NEXT = SigningKey("example.org/story", b"n" * 32)
STRANGER = SigningKey("example.org/story", b"s" * 32)
WITNESS_PRIVATE = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
NOW = datetime(2026, 4, 14, 18, 2, tzinfo=UTC)


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
    known, signed = FRESH, list[Note]()
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
            signed.append(signed_note.parse(history.checkpoint(size) + answer.body))
        if answer.known:
            known = answer.known
    sizes = [Checkpoint.of(note).size for note in signed]
    assert sizes == sorted(sizes)
    assert is_one_history(signed)


@given(st.binary(max_size=200), st.integers(0, 400))
def test_no_body_is_an_error(more: bytes, at: int) -> None:
    body = A.request(6, 8)
    assert answered(GROWN, body[:at] + more + body[at + len(more) :]).status in range(200, 423)
    assert answered(GROWN, more).status == 400
