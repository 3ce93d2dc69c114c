"""Check a proof, or a fork file: python check_proof.py FILE "KEY" ["KEY OF A WITNESS" ...]

Needs Python 3.11 and the package cryptography, nothing of Timeline. Written after c2sp.org's
tlog-proof, tlog-checkpoint, signed-note and tlog-cosignature, and RFC 6962. Exit code 0: the proof
holds; 3: the file proves that the key of the log signed two histories; 1: neither, and why.
"""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def must(holds: object, problem: str) -> None:
    if not holds:
        raise ValueError(problem)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def unbase64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    must(base64.b64encode(data).decode() == text, "base64 that could be written otherwise")
    return data


def hashes(lines: list[str]) -> list[bytes]:
    found = [unbase64(line) for line in lines]
    must(all(len(value) == 32 for value in found), "a hash that is none")
    return found


def left_of(size: int) -> int:  # the leaves of the left half: RFC 6962, section 2.1
    return 1 << (size - 1).bit_length() - 1


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    must(0 <= index < size and (size > 1) == bool(path), "a path of another length")
    if size == 1:
        return leaf
    left = left_of(size)
    if index < left:
        return sha256(b"\1" + root_of(leaf, index, left, path[:-1]) + path[-1])
    return sha256(b"\1" + path[-1] + root_of(leaf, index - left, size - left, path[:-1]))


def roots_of(old: int, new: int, path: list[bytes], root: bytes) -> tuple[bytes, bytes]:
    """Return the roots of two trees, the first one of which has `root` if it is a whole subtree."""
    if old == new:
        must(len(path) == (not root), "a path of another length")
        return (root or path[0], root or path[0])
    must(path, "a path of another length")
    left = left_of(new)
    if old <= left:
        one, other = roots_of(old, left, path[:-1], root)
        return one, sha256(b"\1" + other + path[-1])
    both = roots_of(old - left, new - left, path[:-1], b"")
    return sha256(b"\1" + path[-1] + both[0]), sha256(b"\1" + path[-1] + both[1])


def read_keys(keys: list[str]) -> dict[tuple[str, str], bytes]:
    known = {}
    for key in keys:
        name, key_hash, encoded = key.split("+", 2)
        public = unbase64(encoded)
        must(sha256(f"{name}\n".encode() + public)[:4].hex() == key_hash, "a key with a slip in it")
        known[name, key_hash] = public
    must(known, "no key was given")
    return known


def checked(note: str, signatures: str, known: dict[tuple[str, str], bytes]) -> int:
    """Check that each key signed a note, and return the number of signatures by other keys."""
    signers, strangers = set(), 0
    origin, size, root, *_ = note.split("\n")
    for line in signatures.split("\n"):
        dash, name, encoded = line.split(" ")
        signature, signed = unbase64(encoded), f"{note}\n".encode()
        signer, signature = (name, signature[:4].hex()), signature[4:]
        must(dash == "—" and signature, "no signature")
        if signer not in known:  # signed-note: pass it over
            strangers += 1
            continue
        signers.add(signer)
        kind, public = known[signer][0], known[signer][1:]
        must(kind in (1, 4, 6), f"{name} has a key of an unknown type")
        if kind != 1:  # a witness signs the time as well
            time, signature = signature[:8], signature[8:]
        if kind == 4:
            signed = b"cosignature/v1\ntime %d\n" % int.from_bytes(time) + signed
        if kind == 6:  # ML-DSA-44, which needs cryptography 47
            from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

            names = [bytes([len(text.encode())]) + text.encode() for text in (name, origin)]
            tree = bytes(8) + int(size).to_bytes(8) + unbase64(root)
            signed = b"subtree/v1\n\0" + names[0] + time + names[1] + tree
            MLDSA44PublicKey.from_public_bytes(public).verify(signature, signed)
        else:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    must(signers == {*known}, "one of the keys did not sign it")
    return strangers


def check_fork(head: str, first: str, lines: str, second: str, more: str) -> None:
    """Check two checkpoints of one log, and that the second one does not go on from the first."""
    _, root, *proof = head.split("\n")
    must(root[:5] == "root " and more[-1] == "\n", "no fork file")
    for note, signatures in ((first, lines), (second, more[:-1])):
        checked(note, signatures, log_key)
    (origin, size, old, *_), (other, larger, new, *_) = first.split("\n"), second.split("\n")
    must(origin == other == keys[0].split("+")[0], "of another log than the key")
    must(0 < int(size) <= int(larger), "the second checkpoint is the smaller one")
    theirs, *path = hashes([root[5:], *proof])
    found = roots_of(int(size), int(larger), path, theirs)
    must(found == (theirs, unbase64(new)), "the hashes do not lead to the second checkpoint")
    must(theirs != unbase64(old), "the second checkpoint goes on from the first")
    print(f"Proven: the key of {origin} signed two histories, of {size} and of {larger} entries.")
    print(f"The first {size} entries of one are not those of the other.")
    sys.exit(3)


def check_entry(head: str, note: str, signatures: str) -> None:
    """Check that an entry is in a signed log, and print it."""
    header, extra, index, *path = head.split("\n")
    origin, size, root, *_ = note.split("\n")
    form = ["c2sp.org/tlog-proof@v1", "extra ", f"index {int(index[6:])}"]
    must([header, extra[:6], index] == form and signatures[-1] == "\n", "no tlog-proof")
    strangers = checked(note, signatures[:-1], known)
    must((origin, keys[0].split("+")[1]) in log_key, "of another log than the first key")

    wire = unbase64(extra[6:]).decode()
    entry = json.loads(wire)
    must(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) == wire, "other JSON")
    must([*entry] == ["envelope", "salt", "payload"], "no entry")
    envelope, salt, payload = entry.values()
    leaf = sha256(b"\0" + envelope.encode())
    found = root_of(leaf, int(index[6:]), int(size), hashes(path))
    must(found == unbase64(root), "not in this log")
    if payload is None:
        must(salt is None, "a salt of nothing")  # erased: it only holds that the entry was there
    else:
        must(re.fullmatch("[0-9a-f]{32}", salt), "no salt")
        digest = sha256(bytes.fromhex(salt) + payload.encode()).hex()
        must(json.loads(envelope)["payload_hash"] == f"sha256:{digest}", "not what was logged")
    print(f"Holds: {index} of {origin}, under its checkpoint of {size} entries.")
    if strangers:
        by = "signature by a key" if strangers == 1 else "signatures by keys"
        print(f"{strangers} {by} that you did not give: not checked.")
    said = [json.loads(envelope), payload and json.loads(payload)]
    for letter in json.dumps(said, ensure_ascii=False, indent=2) + "\n":
        sys.stdout.write(letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1])


sys.excepthook = lambda kind, error, trace: print("Does not hold:", repr(error), file=sys.stderr)
file, *keys = sys.argv[1:]
parts = Path(file).read_bytes().decode().split("\n\n")
known, log_key = read_keys(keys), read_keys(keys[:1])
must([key[0] for key in log_key.values()] == [1], "the first key is not that of a log")
if parts[0].startswith("timeline/fork@v1\n"):
    check_fork(*parts)
else:
    check_entry(*parts)
