"""Every tree from 0 to 100 leaves, every proof of each, and every proof with one thing wrong."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import ProofError
from timeline.store import merkle

SIZES = range(101)
LEAVES = [merkle.leaf_hash(f"leaf {number}".encode()) for number in SIZES]

# The inputs and roots with which certificate transparency logs have been tested since 2013.
KNOWN_LEAVES = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
KNOWN_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def recursive_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 writes it down."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return merkle.node_hash(recursive_root(leaves[:k]), recursive_root(leaves[k:]))


class Stored:
    """Inner hashes as a log keeps them: one list, in the order in which they come."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves
        self.inner: list[bytes] = []
        self.reads = 0
        ends: list[bytes] = []
        for size, leaf in enumerate(leaves):
            self.inner += merkle.grow(ends, size, leaf)
            assert len(self.inner) == size + 1 - (size + 1).bit_count()
        assert ends == [self.read(*peak) for peak in merkle.peaks(len(leaves))]

    def read(self, level: int, number: int) -> bytes:
        self.reads += 1
        if not level:
            return self.leaves[number]
        return self.inner[merkle.position(level, number)]


STORED = Stored(LEAVES)
ROOTS = [recursive_root(LEAVES[:size]) for size in SIZES]


def flipped(value: bytes, bit: int) -> bytes:
    return (int.from_bytes(value) ^ 1 << bit).to_bytes(len(value))


@pytest.mark.parametrize("size", range(1, 9))
def test_the_well_known_roots_hold(size: int) -> None:
    leaves = [merkle.leaf_hash(bytes.fromhex(entry)) for entry in KNOWN_LEAVES[:size]]
    assert merkle.root(leaves).hex() == KNOWN_ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert merkle.root([]) == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", SIZES)
def test_the_root_is_that_of_the_rfc(size: int) -> None:
    assert merkle.root(LEAVES[:size]) == ROOTS[size]


def every_bit_or_some(size: int) -> int:
    """The step from bit to bit: one in a small tree, else more, each hash from another start."""
    return 1 if size < 12 else 51


@pytest.mark.parametrize("size", range(1, 101))
def test_every_leaf_is_proved_and_nothing_else(size: int) -> None:
    check_inclusion(size, every_bit_or_some(size))


@pytest.mark.parametrize("size", range(1, 101))
def test_every_older_tree_is_proved_and_nothing_else(size: int) -> None:
    check_consistency(size, every_bit_or_some(size))


@pytest.mark.torture
@pytest.mark.parametrize("size", range(12, 101))
def test_no_bit_of_any_proof_can_be_flipped(size: int) -> None:
    check_inclusion(size, 1)
    check_consistency(size, 1)


def check_inclusion(size: int, step: int) -> None:
    for index in range(size):
        proof = merkle.inclusion_proof(index, size, STORED.read)

        def holds(
            leaf: bytes = LEAVES[index],
            at: int = index,
            root: bytes = ROOTS[size],
            hashes: tuple[bytes, ...] = tuple(proof),
        ) -> bool:
            return verdict(lambda: merkle.verify_inclusion(leaf, at, size, hashes, root))

        assert holds()
        assert not holds(at=index - 1)
        assert not holds(at=index + 1)
        for bit in range(0, 256, step):
            assert not holds(leaf=flipped(LEAVES[index], bit))
            assert not holds(root=flipped(ROOTS[size], bit))
        for wrong in spoiled(proof, step):
            assert not holds(hashes=wrong)


def check_consistency(new_size: int, step: int) -> None:
    for old_size in range(1, new_size + 1):
        proof = merkle.consistency_proof(old_size, new_size, STORED.read)

        def holds(
            size: int = old_size,
            old: bytes = ROOTS[old_size],
            new: bytes = ROOTS[new_size],
            hashes: tuple[bytes, ...] = tuple(proof),
        ) -> bool:
            return verdict(lambda: merkle.verify_consistency(size, new_size, hashes, old, new))

        assert holds()
        assert not holds(size=old_size - 1)
        assert not holds(size=old_size + 1)
        for bit in range(0, 256, step):
            assert not holds(old=flipped(ROOTS[old_size], bit))
            assert not holds(new=flipped(ROOTS[new_size], bit))
        for wrong in spoiled(proof, step):
            assert not holds(hashes=wrong)


def verdict(check: object) -> bool:
    try:
        check()  # type: ignore[operator]
    except ProofError:
        return False
    return True


def spoiled(proof: list[bytes], every: int) -> list[tuple[bytes, ...]]:
    """A proof with a bit flipped, a hash missing, added, cut short, or two swapped.

    Every `every`-th bit of each hash, beginning at another one for each.
    """
    wrong = []
    for place, value in enumerate(proof):
        before, after = proof[:place], proof[place + 1 :]
        wrong += [
            [*before, flipped(value, bit), *after] for bit in range(place % every, 256, every)
        ]
        wrong += [[*before, *after], [*before, value, value, *after], [*before, value[:31], *after]]
        if after and after[0] != value:
            wrong += [[*before, after[0], value, *after[1:]]]
    wrong += [[*proof, LEAVES[0]], [LEAVES[0], *proof], [*proof, b""]]
    return [tuple(hashes) for hashes in wrong]


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 5), (5, 5)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        merkle.inclusion_proof(index, size, STORED.read)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(LEAVES[0], index, size, [], ROOTS[size])


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (-1, 5), (6, 5)])
def test_there_is_no_proof_that_a_tree_grew_out_of_nothing(old: int, new: int) -> None:
    with pytest.raises(ProofError):
        merkle.consistency_proof(old, new, STORED.read)
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, new, [], ROOTS[0], ROOTS[new])


@given(st.integers(1, 10_000), st.data())
def test_a_proof_reads_few_hashes(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    reads = 0

    def read(level: int, number: int) -> bytes:
        nonlocal reads
        reads += 1
        assert number + 1 << level <= size, "a hash that is not there yet"
        return LEAVES[0]

    merkle.inclusion_proof(index, size, read)
    merkle.consistency_proof(index + 1, size, read)
    assert reads <= 4 * size.bit_length()
