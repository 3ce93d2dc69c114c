"""Check a proof: python check_proof.py FILE "KEY" ["KEY OF A WITNESS" ...]

Needs Python 3.11 and the package cryptography, nothing of Timeline. Written after c2sp.org's
tlog-proof, tlog-checkpoint, signed-note and tlog-cosignature, and RFC 6962.
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


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    must(0 <= index < size and (size > 1) == bool(path), "a path of another length")
    if size == 1:
        return leaf
    left = 1 << (size - 1).bit_length() - 1  # the leaves of the left half: RFC 6962, section 2.1
    if index < left:
        return sha256(b"\1" + root_of(leaf, index, left, path[:-1]) + path[-1])
    return sha256(b"\1" + path[-1] + root_of(leaf, index - left, size - left, path[:-1]))


sys.excepthook = lambda kind, error, trace: print("Does not hold:", repr(error), file=sys.stderr)
file, *keys = sys.argv[1:]
proof, note, signatures = Path(file).read_bytes().decode().split("\n\n")
header, extra, index, *path = proof.split("\n")
origin, size, root, *_ = note.split("\n")
form = ["c2sp.org/tlog-proof@v1", "extra ", f"index {int(index[6:])}"]
must([header, extra[:6], index] == form and signatures[-1] == "\n", "no tlog-proof")

known = {}
for key in keys:
    name, key_hash, encoded = key.split("+", 2)
    public = unbase64(encoded)
    must(sha256(f"{name}\n".encode() + public)[:4].hex() == key_hash, "a key with a slip in it")
    known[name, key_hash] = public
signers, strangers = set(), []
for line in signatures[:-1].split("\n"):
    dash, name, encoded = line.split(" ")
    signature, signed = unbase64(encoded), f"{note}\n".encode()
    signer, signature = (name, signature[:4].hex()), signature[4:]
    must(dash == "—" and signature, "no signature")
    if signer not in known:  # signed-note: pass it over
        strangers.append(name)
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
must(signers and signers == {*known}, "one of the keys did not sign it")
must(origin == keys[0].split("+")[0], "of another log than the first key")

wire = unbase64(extra[6:]).decode()
entry = json.loads(wire)
must(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) == wire, "JSON in another form")
must([*entry] == ["envelope", "salt", "payload"], "no entry")
envelope, salt, payload = entry.values()
hashes = [unbase64(line) for line in path]
must(all(len(value) == 32 for value in hashes), "a hash that is none")
leaf = sha256(b"\0" + envelope.encode())
must(root_of(leaf, int(index[6:]), int(size), hashes) == unbase64(root), "not in this log")

if payload is None:
    must(salt is None, "a salt of nothing")  # erased: it only holds that the entry was there
else:
    must(re.fullmatch("[0-9a-f]{32}", salt), "no salt")
    digest = sha256(bytes.fromhex(salt) + payload.encode()).hex()
    must(json.loads(envelope)["payload_hash"] == f"sha256:{digest}", "not what was logged")
print(f"Holds: {index} of {origin}, under its checkpoint of {size} entries.")
for name in strangers:
    print(f"Also signed by {ascii(name)[1:-1]}: not checked.")
said = [json.loads(envelope), payload and json.loads(payload)]
for letter in json.dumps(said, ensure_ascii=False, indent=2) + "\n":
    sys.stdout.write(letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1])
