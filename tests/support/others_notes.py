"""Signed notes as the standard describes them, written without our code."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from timeline.proof.signed_note import VerifierKey


def key_id(name: str, signature_type: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + bytes([0x0A, signature_type]) + public).digest()[:4]


def others_cosignature(text: str, name: str, private: Ed25519PrivateKey, seconds: int) -> str:
    """The line of a witness: the time before the signature, and in what it signs."""
    public = private.public_key().public_bytes_raw()
    signature = private.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
    blob = key_id(name, 4, public) + seconds.to_bytes(8) + signature
    return f"— {name} {base64.b64encode(blob).decode()}\n"


def others_subtree_cosignature(
    text: str, name: str, private: MLDSA44PrivateKey, seconds: int
) -> str:
    """The line of a witness with ML-DSA-44: it signs its name and the tree, no extension line."""
    origin, size, root, *_ = text.split("\n")
    message = (
        b"subtree/v1\n\0"
        + bytes([len(name.encode())])
        + name.encode()
        + seconds.to_bytes(8)
        + bytes([len(origin.encode())])
        + origin.encode()
        + (0).to_bytes(8)
        + int(size).to_bytes(8)
        + base64.b64decode(root)
    )
    public = private.public_key().public_bytes_raw()
    blob = key_id(name, 6, public) + seconds.to_bytes(8) + private.sign(message)
    return f"— {name} {base64.b64encode(blob).decode()}\n"


def subtree_key(name: str, private: MLDSA44PrivateKey) -> VerifierKey:
    return VerifierKey(name, 6, private.public_key().public_bytes_raw())


def witness_key(name: str, private: Ed25519PrivateKey) -> VerifierKey:
    return VerifierKey(name, 4, private.public_key().public_bytes_raw())


def others_check(note: str, verifier_key: str) -> None:
    """Verify as the text of the standard has it."""
    name, hashed, encoded = verifier_key.split("+", 2)
    material = base64.b64decode(encoded)
    assert material[0] == 1
    assert key_id(name, 1, material[1:]).hex() == hashed
    end = note.rindex("\n\n") + 1
    text, lines = note[:end], note[end + 1 :].splitlines()
    for line in lines:
        dash, signer, blob = line.split(" ")
        raw = base64.b64decode(blob)
        if dash == "\u2014" and signer == name and raw[:4].hex() == hashed:
            Ed25519PublicKey.from_public_bytes(material[1:]).verify(raw[4:], text.encode())
            return
    raise AssertionError("nobody we know signed it")
