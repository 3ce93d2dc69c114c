"""A reader of transparency logs that shares no code with the package that it tests.

It is written from c2sp.org/tlog-tiles, c2sp.org/tlog-checkpoint, c2sp.org/signed-note and RFC 6962,
and believes nothing but the key that it is given. It keeps a whole tree in memory, and trusts no
tile because it trusts another one: every hash of every tile is compared with the one that follows
from the leaves, and the root with the signed one.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import urlopen

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Fetch = Callable[[str], bytes]
"""Brings what is at a path below the prefix of a log; raises FileNotFoundError."""


class Untrue(Exception):
    """What a log shows does not belong to what its key signed."""


def require(holds: bool, what: str) -> None:
    if not holds:
        raise Untrue(what)


# --- Where a log is -----------------------------------------------------------------------


def folder(path: Path) -> Fetch:
    return lambda name: (path / name).read_bytes()


def memory(files: Mapping[str, bytes]) -> Fetch:
    def fetch(name: str) -> bytes:
        if name not in files:
            raise FileNotFoundError(name)
        return files[name]

    return fetch


def web(prefix: str) -> Fetch:
    def fetch(name: str) -> bytes:
        try:
            with urlopen(f"{prefix}{name}", timeout=30) as answer:  # noqa: S310 - our own server
                content: bytes = answer.read()
                return content
        except HTTPError as error:
            raise FileNotFoundError(name) from error

    return fetch


# --- Signed notes -------------------------------------------------------------------------


class Head(NamedTuple):
    """The signed head of a tree."""

    origin: str
    size: int
    root: bytes


def canonical(text: str) -> bytes:
    """The bytes of base64 in its one canonical form."""
    value = base64.b64decode(text, validate=True)
    require(base64.b64encode(value).decode() == text, "the base64 is not canonical")
    return value


def open_checkpoint(note: bytes, verifier_key: str) -> Head:
    """The head of the tree that a checkpoint shows, if this key signed it."""
    text, _, signatures = note.decode().rpartition("\n\n")
    name, _, key = verifier_key.partition("+")
    key_id, _, key = key.partition("+")
    key_bytes = base64.b64decode(key, validate=True)
    expected = hashlib.sha256(f"{name}\n".encode() + key_bytes).digest()[:4]
    require(key_bytes[0] == 1 and expected.hex() == key_id, "the verifier key has another hash")
    require(signatures.endswith("\n"), "a note ends with a newline")
    ours = [
        canonical(line.removeprefix(f"— {name} "))
        for line in signatures[:-1].split("\n")
        if line.startswith(f"— {name} ")
    ]
    ours = [signature[4:] for signature in ours if signature[:4] == expected]
    require(bool(ours), "the key did not sign")
    for signature in ours:
        try:
            Ed25519PublicKey.from_public_bytes(key_bytes[1:]).verify(
                signature, f"{text}\n".encode()
            )
        except InvalidSignature:
            raise Untrue("the signature does not hold") from None
    origin, size, root, *_ = text.split("\n")
    require(origin == name and str(int(size)) == size, "the checkpoint is of another log")
    return Head(origin, int(size), base64.b64decode(root, validate=True))


# --- Trees --------------------------------------------------------------------------------


def leaf_of(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def node_of(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def half_of(size: int) -> int:
    """The largest power of two that is smaller than the size."""
    half = 1
    while half * 2 < size:
        half *= 2
    return half


class Tree:
    """A tree that is kept whole: the hashes of all its complete subtrees, by their height."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.heights = [leaves]
        while len(below := self.heights[-1]) > 1:
            pairs = zip(below[::2], below[1::2], strict=False)
            self.heights.append([node_of(left, right) for left, right in pairs])

    @property
    def size(self) -> int:
        return len(self.heights[0])

    def root_of(self, start: int, end: int) -> bytes:
        """MTH(D[start:end]) of RFC 6962, section 2.1."""
        count = end - start
        if count == 0:
            return hashlib.sha256(b"").digest()
        if count & (count - 1) == 0:
            return self.heights[count.bit_length() - 1][start // count]
        middle = start + half_of(count)
        return node_of(self.root_of(start, middle), self.root_of(middle, end))

    def inclusion(self, index: int) -> list[bytes]:
        """PATH(index, D) of RFC 6962, section 2.1.1."""
        path, start, end = list[bytes](), 0, self.size
        while end - start > 1:
            middle = start + half_of(end - start)
            if index < middle:
                path.insert(0, self.root_of(middle, end))
                end = middle
            else:
                path.insert(0, self.root_of(start, middle))
                start = middle
        return path

    def consistency(self, old: int) -> list[bytes]:
        """PROOF(old, D) of RFC 6962, section 2.1.2."""
        proof, start, end = list[bytes](), 0, self.size
        while old != end:
            middle = start + half_of(end - start)
            if old <= middle:
                proof.insert(0, self.root_of(middle, end))
                end = middle
            else:
                proof.insert(0, self.root_of(start, middle))
                start = middle
        return proof if start == 0 else [self.root_of(start, end), *proof]


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Refuse a path that does not lead from a leaf to the root, by the definition of PATH."""

    def climb(index: int, size: int, path: Sequence[bytes]) -> bytes:
        if size == 1:
            require(not path, "the path is too long")
            return leaf
        require(bool(path), "the path is too short")
        half = half_of(size)
        if index < half:
            return node_of(climb(index, half, path[:-1]), path[-1])
        return node_of(path[-1], climb(index - half, size - half, path[:-1]))

    require(climb(index, size, path) == root, f"entry {index} is not in the tree of {size}")


def check_consistency(
    old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Refuse a proof that does not give both roots, by the definition of SUBPROOF."""

    def climb(
        old: int, size: int, proof: Sequence[bytes], *, is_known: bool
    ) -> tuple[bytes, bytes]:
        if old == size:
            require(len(proof) == (not is_known), "the proof has another length")
            same = old_root if is_known else proof[0]
            return same, same
        require(bool(proof), "the proof is too short")
        half, other = half_of(size), proof[-1]
        if old <= half:
            before, after = climb(old, half, proof[:-1], is_known=is_known)
            return before, node_of(after, other)
        before, after = climb(old - half, size - half, proof[:-1], is_known=False)
        return node_of(other, before), node_of(other, after)

    roots = climb(old, size, proof, is_known=True)
    require(roots == (old_root, root), f"the tree of {size} does not go on from that of {old}")


# --- Tiles --------------------------------------------------------------------------------


def read_log(fetch: Fetch, verifier_key: str, checkpoint: bytes | None = None) -> Tree:
    """The tree of the newest checkpoint, or of this one, once all that is published is checked."""
    head = open_checkpoint(checkpoint or fetch("checkpoint"), verifier_key)
    leaves = list[bytes]()
    for number in range(-(-head.size // 256)):
        width = min(256, head.size - 256 * number)
        leaves += map(leaf_of, _entries(fetch, number, width))
    tree = Tree(leaves)
    require(tree.root_of(0, tree.size) == head.root, "the entries do not lead to the signed root")
    _check_tiles(fetch, tree)
    return tree


def _entries(fetch: Fetch, number: int, width: int) -> list[bytes]:
    """The entries of a bundle, which are the envelopes of the lines of its file of entries."""
    rest, count = _fetch_tile(fetch, "entries", number, width)
    entries = list[bytes]()
    while len(entries) < count:
        length = int.from_bytes(rest[:2], "big")
        require(len(rest) >= 2 + length, f"bundle {number} ends too soon")
        entries.append(rest[2 : 2 + length])
        rest = rest[2 + length :]
    require(not rest, f"bundle {number} goes on after its last entry")
    lines = fetch(f"entries/{number_path(number)}.jsonl").splitlines()[:width]
    told = [json.loads(line)["envelope"].encode() for line in lines]
    require(told == entries[:width], f"file of entries {number} has others than its bundle")
    return told


def _check_tiles(fetch: Fetch, tree: Tree) -> None:
    """Refuse a tile with any hash that does not follow from the leaves."""
    for level, hashes in enumerate(tree.heights[::8]):
        for number in range(-(-len(hashes) // 256)):
            expected = hashes[256 * number : 256 * (number + 1)]
            tile, count = _fetch_tile(fetch, str(level), number, len(expected))
            told = [tile[at : at + 32] for at in range(0, len(tile), 32)]
            is_right = len(tile) == 32 * count and told[: len(expected)] == expected
            require(is_right, f"tile {number} of level {level} is another")


def _fetch_tile(fetch: Fetch, level: str, number: int, width: int) -> tuple[bytes, int]:
    """The bytes of a tile, and how many hashes or entries it has.

    Where a partial tile is published no more, the full tile stands in its place.
    """
    full = f"tile/{level}/{number_path(number)}"
    if width < 256:
        with contextlib.suppress(FileNotFoundError):
            return fetch(f"{full}.p/{width}"), width
    return fetch(full), 256


def number_path(number: int) -> str:
    last, number = f"{number % 1000:03d}", number // 1000
    while number:
        last, number = f"{number % 1000:03d}/{last}", number // 1000
    *first, last = last.split("/")
    return "".join(f"x{group}/" for group in first) + last
