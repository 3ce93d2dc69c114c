"""Notes that others signed, notes that others check, and notes with one thing wrong.

The other side is written here from c2sp.org/signed-note and c2sp.org/tlog-cosignature.
"""

from __future__ import annotations

import base64
import sys

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from others_notes import (
    key_id,
    others_check,
    others_cosignature,
    others_subtree_cosignature,
    subtree_key,
    witness_key,
)

from timeline.errors import InvalidValue, ProofError
from timeline.proof import signed_note
from timeline.proof.signed_note import SigningKey, VerifierKey

TEXT = "example.org/story\n12\nRoot\n"

# Signed by Go's golang.org/x/mod/sumdb/note, of whose documentation this is the example.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANNS_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngot"
    "pRZb6KE6RyyBwJnAM=\n"
)


def others_note(text: str, name: str, private: Ed25519PrivateKey) -> tuple[str, str]:
    """A note as another implementation makes it, and the verifier key."""
    public = private.public_key().public_bytes_raw()
    line = base64.b64encode(key_id(name, 1, public) + private.sign(text.encode())).decode()
    encoded = base64.b64encode(b"\x01" + public).decode()
    return f"{text}\n— {name} {line}\n", f"{name}+{key_id(name, 1, public).hex()}+{encoded}"


def test_a_note_signed_by_go_verifies_here() -> None:
    note = signed_note.parse(NEUMANNS_NOTE)
    note.verify([VerifierKey.parse(NEUMANN)])
    assert str(note) == NEUMANNS_NOTE
    assert str(VerifierKey.parse(NEUMANN)) == NEUMANN


@given(st.binary(min_size=32, max_size=32), st.text("abc./ \n", max_size=30))
def test_a_note_signed_here_verifies_elsewhere_and_the_other_way_round(
    seed: bytes, words: str
) -> None:
    text = f"{words}.\n"
    key = SigningKey("example.org/story", seed)
    note = str(key.sign(text))
    others_check(note, str(key.verifier))
    with pytest.raises(InvalidSignature):
        others_check(note.replace(".\n\n", "!\n\n"), str(key.verifier))
    theirs, verifier_key = others_note(text, "other.example", Ed25519PrivateKey.generate())
    signed_note.parse(theirs).verify([VerifierKey.parse(verifier_key)])


def test_keys_are_read_as_they_are_written() -> None:
    key = SigningKey.generate("example.org/story")
    assert SigningKey.parse(f"{key}\n") == key
    assert VerifierKey.parse(str(key.verifier)) == key.verifier
    assert str(key).startswith("PRIVATE+KEY+example.org/story+")
    assert SigningKey.generate("example.org/story") != key


def test_a_signing_key_is_not_shown_by_accident() -> None:
    key = SigningKey.generate("example.org/story")
    secret = base64.b64encode(b"\x01" + key.seed).decode()
    assert secret in str(key)
    assert secret not in repr(key)
    assert repr(key.seed) not in repr(key)
    for broken in (f"{key}x", str(key)[12:], str(key).replace("+", "-")):
        with pytest.raises(InvalidValue) as caught:
            SigningKey.parse(broken)
        assert secret[:20] not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\x01b"])
def test_no_key_has_a_name_that_a_note_cannot_hold(name: str) -> None:
    with pytest.raises(InvalidValue):
        SigningKey.generate(name)


@pytest.mark.parametrize("place", range(len(NEUMANN)))
def test_a_verifier_key_with_one_character_changed_is_none(place: int) -> None:
    for other in "+aB1":
        wrong = NEUMANN[:place] + other + NEUMANN[place + 1 :]
        if wrong != NEUMANN:
            with pytest.raises(InvalidValue):
                VerifierKey.parse(wrong)


@pytest.mark.parametrize("place", range(len(NEUMANNS_NOTE)))
def test_a_note_with_one_character_changed_does_not_hold(place: int) -> None:
    for other in "\n A=\u2014":
        wrong = NEUMANNS_NOTE[:place] + other + NEUMANNS_NOTE[place + 1 :]
        if wrong != NEUMANNS_NOTE:
            with pytest.raises(ProofError):
                signed_note.parse(wrong).verify([VerifierKey.parse(NEUMANN)])


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "\n",
        "text\n",
        "text\n\n",
        "\n\n— a YWJjZGU=\n",
        "text\n\n— a YWJjZGU=",
        "text\n\n- a YWJjZGU=\n",
        "text\n\n— a  YWJjZGU=\n",
        "text\n\n— a+b YWJjZGU=\n",
        "text\n\n— a YWJj\n",
        "text\n\n— a YWJjZGV=\n",
        "text\n\n— a YWJjZGU\n",
        "text\n\n— a YWJj ZGU=\n",
        "text\n\n— a YWJjZGU=\n\n",
        "text\n\n— a YWJjZGU=\ntext\n",
        "te\rxt\n\n— a YWJjZGU=\n",
        "te\x00xt\n\n— a YWJjZGU=\n",
        "te\ud800xt\n\n— a YWJjZGU=\n",
        "x" * 1_000_001,
    ],
)
def test_what_is_no_signed_note_is_refused(wrong: str) -> None:
    with pytest.raises(ProofError):
        signed_note.parse(wrong)


def test_signatures_of_strangers_are_passed_over_and_those_of_known_keys_must_hold() -> None:
    key, stranger = SigningKey.generate("example.org/story"), SigningKey.generate("stranger")
    impostor = SigningKey.generate("example.org/story")
    note = key.sign(TEXT)
    both = note._replace(signatures=stranger.sign(TEXT).signatures + note.signatures)
    both.verify([key.verifier])
    assert both.unchecked([key.verifier]) == stranger.sign(TEXT).signatures
    both.verify([key.verifier, stranger.verifier])
    assert both.unchecked([key.verifier, stranger.verifier]) == ()
    with pytest.raises(ProofError, match="not signed by stranger"):
        note.verify([stranger.verifier])
    with pytest.raises(ProofError, match=r"not signed by example\.org/story"):
        note.verify([impostor.verifier])
    forged = note.signatures[0]._replace(signature=stranger.sign(TEXT).signatures[0].signature)
    for signatures in ((forged,), (*note.signatures, forged), (forged, *note.signatures)):
        with pytest.raises(ProofError, match="does not hold"):
            note._replace(signatures=signatures).verify([key.verifier])


@given(st.integers(0, 2**63 - 1))
def test_the_cosignature_of_a_witness_verifies_with_its_time(seconds: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
    key = SigningKey("example.org/story", b"k" * 32)
    line = others_cosignature(TEXT, "witness.example/w1", private, seconds)
    note = signed_note.parse(str(key.sign(TEXT)) + line)
    witness = witness_key("witness.example/w1", private)
    assert VerifierKey.parse(str(witness)) == witness
    note.verify([key.verifier, witness])
    later = others_cosignature(TEXT, "witness.example/w1", private, seconds ^ 1)
    signature = signed_note.parse(TEXT + "\n" + later).signatures[0].signature
    mixed = note.signatures[1]._replace(signature=signature[:8] + note.signatures[1].signature[8:])
    with pytest.raises(ProofError):
        note._replace(signatures=(mixed,)).verify([witness])
    plain = VerifierKey("witness.example/w1", 1, witness.public_key)
    with pytest.raises(ProofError):
        note.verify([plain])


def test_the_ml_dsa_cosignature_of_a_witness_signs_its_name_its_time_and_the_tree() -> None:
    private = MLDSA44PrivateKey.from_seed_bytes(b"w" * 32)
    root = base64.b64encode(b"r" * 32).decode()
    text = f"example.org/story\n12\n{root}\nan extension\n"
    line = others_subtree_cosignature(text, "witness.example/w2", private, 1_700_000_000)
    witness = subtree_key("witness.example/w2", private)
    assert VerifierKey.parse(str(witness)) == witness
    note = signed_note.parse(f"{text}\n{line}")
    note.verify([witness])
    note._replace(text=text.replace("an extension", "another")).verify([witness])
    for changed in (text.replace("12", "13"), text.replace("story", "stori"), TEXT, "no tree\n"):
        with pytest.raises(ProofError):
            note._replace(text=changed).verify([witness])
    renamed = VerifierKey("witness.example/w3", 6, witness.public_key)
    with pytest.raises(ProofError):
        renamed.verify(text, note.signatures[0].signature)
    for place in (0, 7, 8, 2427):
        signature = bytearray(note.signatures[0].signature)
        signature[place] ^= 1
        with pytest.raises(ProofError):
            witness.verify(text, bytes(signature))


def test_a_cryptography_without_ml_dsa_says_so_and_passes_the_signature_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    private = MLDSA44PrivateKey.from_seed_bytes(b"w" * 32)
    key = SigningKey("example.org/story", b"k" * 32)
    text = f"example.org/story\n12\n{base64.b64encode(b'r' * 32).decode()}\n"
    line = others_subtree_cosignature(text, "witness.example/w2", private, 1_700_000_000)
    note = signed_note.parse(str(key.sign(text)) + line)
    module = "cryptography.hazmat.primitives.asymmetric.mldsa"
    monkeypatch.setitem(sys.modules, module, None)
    note.verify([key.verifier])
    assert [signature.name for signature in note.unchecked([key.verifier])] == [
        "witness.example/w2"
    ]
    with pytest.raises(ProofError, match="cannot be checked here"):
        note.verify([subtree_key("witness.example/w2", private)])


# --- Keys of witnesses ------------------------------------------------------------------------


def test_the_key_of_a_witness_signs_the_time_too() -> None:
    key = SigningKey.generate("kyiv.example/witness", for_witness=True)
    assert SigningKey.parse(str(key)) == key
    note = key.sign(TEXT, 1_767_225_600)
    assert note.signatures[0].seconds == 1_767_225_600
    note.verify([key.verifier])
    assert key.verifier.is_of_witness
    earlier = note.signatures[0]._replace(
        signature=(1_767_225_599).to_bytes(8) + note.signatures[0].signature[8:]
    )
    with pytest.raises(ProofError, match="does not hold"):
        note._replace(signatures=(earlier,)).verify([key.verifier])
