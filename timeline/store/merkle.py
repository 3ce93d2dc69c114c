"""Grow, prove and verify RFC 6962 Merkle trees, by pure functions of bytes.

A tree is known by its leaf hashes. Complete subtrees never change as it grows, so their hashes
are made once and kept. `read_hash(level, number)` returns the hash of the subtree over the leaves
from ``number * 2**level`` up to ``(number + 1) * 2**level``; at level 0 it is the leaf itself.
Every hash is 32 bytes of SHA-256. Sizes and indexes count leaves, indexes from 0.

Knows no entry and no database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from timeline.errors import ProofError

ReadHash = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256(0x00 || entry) (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 || left || right) (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root of the tree over these leaves; with no leaf it is SHA-256 of nothing."""
    ends: list[bytes] = []
    for size, leaf in enumerate(leaf_hashes):
        for _ in grow(ends, size, leaf):
            pass
    return root_of(ends)


# --- Growing ------------------------------------------------------------------------------


def grow(ends: list[bytes], size: int, leaf: bytes) -> Iterator[bytes]:
    """Add leaf number `size`, and yield the inner hashes that it completes, lowest first.

    `ends` are the roots of the complete subtrees of the tree so far, largest first, as `peaks`
    names them. Once everything is yielded, they are those of the new tree. n leaves complete n
    inner hashes less the number of 1 bits in n, so in all fewer than one per leaf.
    """
    while size & 1:
        leaf = node_hash(ends.pop(), leaf)
        yield leaf
        size >>= 1
    ends.append(leaf)


def peaks(size: int) -> list[tuple[int, int]]:
    """Return (level, number) of the complete subtrees that make up a tree, largest first."""
    levels = (level for level in reversed(range(size.bit_length())) if size >> level & 1)
    return [(level, (size >> level) - 1) for level in levels]


def root_of(ends: Sequence[bytes]) -> bytes:
    """Return the root of a tree from the roots of its `peaks`."""
    if not ends:
        return hashlib.sha256(b"").digest()
    result = ends[-1]
    for left in reversed(ends[:-1]):
        result = node_hash(left, result)
    return result


def position(level: int, number: int) -> int:
    """Return the position of an inner hash, of level 1 or higher, in the order of completion.

    The first n leaves complete ``n - n.bit_count()`` inner hashes.
    """
    last = (number + 1 << level) - 1
    return last - last.bit_count() + level - 1


# --- Proving ------------------------------------------------------------------------------


def inclusion_proof(index: int, size: int, read_hash: ReadHash) -> list[bytes]:
    """Return PATH(index, D[size]) of RFC 6962, section 2.1.1.

    It leads from the sibling of the leaf to the child of the root. Reads O(log size) hashes.
    Raises ProofError unless 0 <= index < size.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} has no leaf {index}")
    return _path(index, 0, size, read_hash)


def _path(index: int, start: int, end: int, read_hash: ReadHash) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, read_hash), _subtree(middle, end, read_hash)]
    return [*_path(index, middle, end, read_hash), _subtree(start, middle, read_hash)]


def consistency_proof(old_size: int, new_size: int, read_hash: ReadHash) -> list[bytes]:
    """Return PROOF(old_size, D[new_size]) of RFC 6962, section 2.1.2.

    Reads O(log new_size) hashes. Raises ProofError unless 0 < old_size <= new_size.
    """
    if not 0 < old_size <= new_size:
        raise ProofError(f"no tree of {new_size} grew out of one of {old_size}")
    return _subproof(old_size, 0, new_size, read_hash, is_known=True)


def _subproof(
    old_end: int, start: int, end: int, read_hash: ReadHash, *, is_known: bool
) -> list[bytes]:
    """Return SUBPROOF of RFC 6962 for the leaves from `start`.

    `is_known` is true as long as the verifier has the old root of these leaves.
    """
    if old_end == end:
        return [] if is_known else [_subtree(start, end, read_hash)]
    middle = start + _split(end - start)
    if old_end <= middle:
        left = _subproof(old_end, start, middle, read_hash, is_known=is_known)
        return [*left, _subtree(middle, end, read_hash)]
    right = _subproof(old_end, middle, end, read_hash, is_known=False)
    return [*right, _subtree(start, middle, read_hash)]


def _split(size: int) -> int:
    """Return k of RFC 6962: the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _subtree(start: int, end: int, read_hash: ReadHash) -> bytes:
    """Return MTH of RFC 6962 for the leaves from `start` to `end`.

    They are a subtree of the whole tree, which is complete or at its right edge.
    """
    ends = (read_hash(level, (start >> level) + number) for level, number in peaks(end - start))
    return root_of([*ends])


# --- Verifying ----------------------------------------------------------------------------


def verify_inclusion(
    leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf is at `index` in the tree with this root (RFC 9162, 2.1.3.2).

    `size` must come from the same place as `root`. Raises ProofError for anything that is wrong.
    """
    _check_hashes(leaf_hash, root, *proof)
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} has no leaf {index}")
    node, last, result = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofError("the proof has more hashes than the tree has levels")
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while not node & 1:  # there is no sibling at this edge up to there
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofError("the proof has fewer hashes than the tree has levels")
    if result != root:
        raise ProofError("the proof leads to another root")


def verify_consistency(
    old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that the new tree begins with all of the old one (RFC 9162, section 2.1.4.2).

    Sizes must come from the same place as the roots. Raises ProofError for anything that is wrong.
    """
    _check_hashes(old_root, new_root, *proof)
    if not 0 < old_size <= new_size:
        raise ProofError(f"no tree of {new_size} grew out of one of {old_size}")
    if old_size == new_size:
        if proof or old_root != new_root:
            raise ProofError("trees of one size are the same or are not: no proof helps")
        return
    hashes = list(proof)
    if not old_size & old_size - 1:  # this tree is complete, and the verifier has its root
        hashes.insert(0, old_root)
    if not hashes:
        raise ProofError("the proof is empty")
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofError("the proof has more hashes than the tree has levels")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofError("the proof has fewer hashes than the tree has levels")
    if old != old_root:
        raise ProofError("the proof leads to another old root")
    if new != new_root:
        raise ProofError("the proof leads to another new root")


def _check_hashes(*hashes: bytes) -> None:
    for value in hashes:
        if len(value) != hashlib.sha256().digest_size:
            raise ProofError(f"a hash of {len(value)} bytes, where 32 are right")
