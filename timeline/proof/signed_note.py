"""Signed notes (c2sp.org/signed-note): keys, signing, verifying. Knows no log.

Guarantees: a note is read in one form only: `str` writes every note that `parse` accepts again,
byte for byte, base64 included. Three types of signature are known: Ed25519 (0x01), and the two of
witnesses (c2sp.org/tlog-cosignature), which sign the time as well: Ed25519 (0x04) and ML-DSA-44
(0x06). A note with several signatures holds if every key that the caller gave signed it. A
signature by another key proves nothing to this caller: it is passed over, and
`Note.unchecked` names it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from timeline.errors import InvalidValue, ProofError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

_ED25519, _COSIGNATURE, _SUBTREE = 0x01, 0x04, 0x06
_KEY_BYTES = {_ED25519: 32, _COSIGNATURE: 32, _SUBTREE: 1312}
"""The length of a public key of each type of signature, in bytes."""
_PRIVATE = "PRIVATE+KEY+"
_YEAR_10000 = 253_402_300_800
"""The beginning of the year 10000, in seconds since 1970."""
_MAX_NOTE = 1_000_000
"""Characters of a note, at most; with sixteen signatures it has some 2,000, with ML-DSA 52,000."""


class VerifierKey(NamedTuple):
    """A verifier key has a public key and its owner's name; ``str`` gives ``name+hash+base64``."""

    name: str
    signature_type: int
    public_key: bytes
    """The 32 bytes of an Ed25519 public key (RFC 8032), or the 1,312 of ML-DSA-44 (FIPS 204)."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name+hash+base64``. Raises InvalidValue."""
        problem = (
            "is no verifier key: timeline keygen prints one, such as example.org/log+1a2b3c4d+Ab..."
        )
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            key = decode_base64(encoded)
        except ProofError:
            raise InvalidValue(text, problem) from None
        if not key or len(key) - 1 != _KEY_BYTES.get(key[0]) or not _is_name(name):
            raise InvalidValue(text, problem)
        made = cls(name, key[0], key[1:])
        if made.key_id.hex() != key_id:
            raise InvalidValue(text, f"is no verifier key: its hash should be {made.key_id.hex()}")
        return made

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.signature_type]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @property
    def is_of_witness(self) -> bool:
        """Return whether signatures of this key say when they were made."""
        return self.signature_type != _ED25519

    @property
    def key_id(self) -> bytes:
        """Return SHA-256(name || 0x0A || signature type || public key)[:4]."""
        return _key_id(self.name, self.signature_type, self.public_key)

    def verify(self, text: str, signature: bytes) -> None:
        """Raise ProofError unless this key signed the text."""
        signed = text.encode()
        try:
            if self.signature_type == _SUBTREE:
                signed = _subtree_message(self.name, signature[:8], text)
                self._ml_dsa_key().verify(signature[8:], signed)
                return
            if self.signature_type == _COSIGNATURE:
                signed = _cosigned_message(signature[:8], text)
                signature = signature[8:]
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, signed)
        except InvalidSignature:
            raise ProofError(f"the signature of {self.name} does not hold") from None

    def check_usable(self) -> None:
        """Raise ProofError if signatures of this key cannot be checked here."""
        if self.signature_type == _SUBTREE:
            self._ml_dsa_key()

    def _ml_dsa_key(self) -> MLDSA44PublicKey:
        try:  # not in every version, nor in every build, of cryptography
            from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

            return MLDSA44PublicKey.from_public_bytes(self.public_key)
        except (ImportError, UnsupportedAlgorithm):
            raise ProofError(
                f"the signature of {self.name} cannot be checked here: it is ML-DSA-44, which "
                "needs the package cryptography 47 or later; leave its key out to pass it over"
            ) from None


class SigningKey(NamedTuple):
    """A signing key has a private key and its owner's name, in the form of Go's note package.

    It is the key of a log, or of a witness. ``str`` gives ``PRIVATE+KEY+name+hash+base64``.
    """

    name: str
    seed: bytes
    """The 32 bytes of an Ed25519 private key (RFC 8032)."""
    signature_type: int = _ED25519

    @classmethod
    def generate(cls, name: str, *, for_witness: bool = False) -> Self:
        """Make a new key. Raises InvalidValue for a name with blanks or a plus sign."""
        if not _is_name(name):
            raise InvalidValue(name, "no key can have this name: no blanks, no plus sign")
        seed = Ed25519PrivateKey.generate().private_bytes_raw()
        return cls(name, seed, _COSIGNATURE if for_witness else _ED25519)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str`` wrote. Raises InvalidValue, which never shows the text."""
        problem = "holds no signing key: timeline keygen makes one"
        name, _, rest = text.strip().removeprefix(_PRIVATE).partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            key = decode_base64(encoded)
        except ProofError:
            raise InvalidValue("", problem) from None
        known = (_ED25519, _COSIGNATURE)
        if not text.startswith(_PRIVATE) or len(key) != 33 or key[0] not in known:
            raise InvalidValue("", problem)
        made = cls(name, key[1:], key[0])
        if not _is_name(name) or made.verifier.key_id.hex() != key_id:
            raise InvalidValue("", problem)
        return made

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.signature_type]) + self.seed).decode()
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{encoded}"

    def __repr__(self) -> str:
        return f"SigningKey({self.name!r})"

    @property
    def verifier(self) -> VerifierKey:
        """Return the public half of the key."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return VerifierKey(self.name, self.signature_type, public.public_bytes_raw())

    @property
    def is_of_witness(self) -> bool:
        """Return whether it is the key of a witness, which signs a time as well."""
        return self.signature_type == _COSIGNATURE

    def sign(self, text: str, seconds: int = 0) -> Note:
        """Sign a text that ends in a newline: return a note with this signature only.

        The key of a witness signs the time too, in whole `seconds` since 1970.
        """
        time = seconds.to_bytes(8) if self.is_of_witness else b""
        signed = _cosigned_message(time, text) if self.is_of_witness else text.encode()
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(signed)
        return Note(text, (Signature(self.name, self.verifier.key_id, time + signature),))


class Signature(NamedTuple):
    """A signature is one line under a note: ``— name base64(key id || signature)``."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"— {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"

    @property
    def key(self) -> str:
        """Return the key that signed, as far as the line names it: ``name+hash``."""
        return f"{self.name}+{self.key_id.hex()}"

    @property
    def seconds(self) -> int:
        """Return the time that a witness signed, in seconds since 1970, if it is a witness's."""
        return int.from_bytes(self.signature[:8])


class Note(NamedTuple):
    """A note has a text, including its last newline, and the signatures under it."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(map(str, self.signatures))

    def with_more(self, signatures: Iterable[Signature]) -> Note:
        """Return this note with those of these signatures that it lacks, below its own."""
        return self._replace(signatures=tuple(dict.fromkeys([*self.signatures, *signatures])))

    def unchecked(self, keys: Collection[VerifierKey]) -> tuple[Signature, ...]:
        """Return the signatures that `verify` passes over: those by none of these keys."""
        known = {(key.name, key.key_id) for key in keys}
        return tuple(s for s in self.signatures if (s.name, s.key_id) not in known)

    def signers(self, keys: Collection[VerifierKey]) -> list[VerifierKey]:
        """Return those of these keys by which a signature is here, unchecked."""
        here = {(line.name, line.key_id) for line in self.signatures}
        return [key for key in keys if (key.name, key.key_id) in here]

    def seconds_of(self, witness: VerifierKey) -> int | None:
        """Return the earliest time that a witness signed, unchecked, in seconds since 1970.

        Return None if it did not sign, or at no time that can be written as a date.
        """
        signer = (witness.name, witness.key_id)
        mine = [s.seconds for s in self.signatures if (s.name, s.key_id) == signer]
        return min((seconds for seconds in mine if 0 < seconds < _YEAR_10000), default=None)

    def verify(self, keys: Collection[VerifierKey]) -> None:
        """Raise ProofError unless every one of these keys signed; pass other signatures over.

        A key may have signed several times: each of its signatures must hold.
        """
        for key in keys:
            mine = [s for s in self.signatures if (s.name, s.key_id) == (key.name, key.key_id)]
            if not mine:
                raise ProofError(f"is not signed by {key.name}+{key.key_id.hex()}")
            for line in mine:
                key.verify(self.text, line.signature)


def parse(text: str) -> Note:
    """Read a signed note. Raises ProofError for any other text, or another form of a note."""
    if len(text) > _MAX_NOTE:
        raise ProofError("is too long for a signed note")
    body, blank, lines = text.rpartition("\n\n")
    if not blank or not body or not lines.endswith("\n"):
        raise ProofError("is no signed note: a text, an empty line, then lines that sign it")
    if re.search(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]", text):
        raise ProofError("is no signed note: it holds a control character")
    return Note(body + "\n", tuple(map(_parse_signature, lines[:-1].split("\n"))))


def _parse_signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "—" or not _is_name(name):
        raise ProofError('is no signed note: a line that signs is "— name base64"')
    signature = decode_base64(encoded)
    if len(signature) <= 4:
        raise ProofError("is no signed note: a signature is empty")
    return Signature(name, signature[:4], signature[4:])


def _cosigned_message(seconds: bytes, text: str) -> bytes:
    """Return what a witness signs with Ed25519: the time (8 bytes), then the whole text."""
    return f"cosignature/v1\ntime {int.from_bytes(seconds)}\n{text}".encode()


def _subtree_message(name: str, seconds: bytes, text: str) -> bytes:
    """Return what a witness signs with ML-DSA-44: ``cosigned_message`` of tlog-cosignature.

    It has the name of the witness, the time (8 bytes), and origin, size and root of a checkpoint,
    without its extension lines. Raises ProofError if the text is no checkpoint.
    """
    origin, _, rest = text.partition("\n")
    size, _, rest = rest.partition("\n")
    try:
        tree = bytes(8) + int(size).to_bytes(8) + decode_base64(rest.partition("\n")[0])
        names = [bytes([len(part.encode())]) + part.encode() for part in (name, origin)]
    except (ValueError, OverflowError):
        raise ProofError(f"is no checkpoint, and {name} signs only checkpoints") from None
    return b"subtree/v1\n\0" + names[0] + seconds + names[1] + tree


def decode_base64(text: str) -> bytes:
    """Decode base64 (RFC 4648, section 4) in its canonical form. Raises ProofError for another."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ProofError(f'"{text[:40]}" is not base64') from None
    if base64.b64encode(value).decode() != text:
        raise ProofError(f'"{text[:40]}" is not canonical base64')
    return value


def _is_name(name: str) -> bool:
    return bool(re.fullmatch(r"[^\s+\x00-\x1f]+", name))


def _key_id(name: str, signature_type: int, public_key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([signature_type]) + public_key).digest()[:4]
