"""Tiles have one name each, and a tree that is read from tiles gives out checked hashes only."""

from __future__ import annotations

import base64
from collections.abc import Callable
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import ProofError
from timeline.proof import tiles
from timeline.proof.tile_tree import TileTree
from timeline.proof.tiles import ENTRIES, HASH_SIZE, WIDTH, Tile
from timeline.store import merkle

SIZES = st.one_of(st.integers(1, 600), st.sampled_from([65_535, 65_536, 65_537, 70_000]))


def leaf(number: int) -> bytes:
    return merkle.leaf_hash(b"entry %d" % number)


LEAVES = [leaf(number) for number in range(70_000)]
LEVELS = [LEAVES]
while len(LEVELS[-1]) > 1:
    below = LEVELS[-1]
    LEVELS.append([merkle.node_hash(*below[at : at + 2]) for at in range(0, len(below) - 1, 2)])


def root_at(size: int) -> bytes:
    return merkle.root_of([LEVELS[level][number] for level, number in merkle.peaks(size)])


def made(tile: Tile) -> bytes:
    """Return the bytes of a tile, by its definition."""
    return b"".join(LEVELS[8 * tile.level][tile.start : tile.start + tile.width])


# --- Names --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "path"),
    [(0, "000"), (5, "005"), (999, "999"), (1_000, "x001/000"), (1_234_067, "x001/x234/067")],
)
def test_a_number_is_written_in_groups_of_three_digits(number: int, path: str) -> None:
    assert tiles.number_path(number) == path
    assert tiles.parse_number(path) == number


@given(st.builds(Tile, st.integers(ENTRIES, 63), st.integers(0, 2**40), st.integers(1, WIDTH)))
def test_a_tile_has_one_name(tile: Tile) -> None:
    assert Tile.parse(str(tile)) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/000.p/0", "tile/0/000.p/256",
        "tile/0/000.p/01", "tile/00/000", "tile/64/000", "tile/-1/000", "tile/0/x000/001",
        "tile/0/000\n", "tile/0/000/", "tile/0/../000", "tile/entries/000.p/", "tile/8/0/000",
        "/tile/0/000", "tile/0/\u0660\u0660\u0660", f"tile/0/{'x999/' * 9}999",
    ],
)  # fmt: skip
def test_no_other_path_names_a_tile(path: str) -> None:
    assert Tile.parse(path) is None


# --- What a tree has ----------------------------------------------------------------------


@given(SIZES)
def test_the_tiles_of_a_tree_have_every_hash_that_it_has_on_their_levels_once(size: int) -> None:
    counts: dict[int, int] = {}
    for tile in (*tiles.full_tiles(size), *tiles.partial_tiles(size)):
        counts[tile.level] = counts.get(tile.level, 0) + tile.width
        assert tile.is_in(size)
        assert not tile._replace(width=WIDTH + 1).is_in(size) or tile.width == WIDTH
    expected = {level: size >> 8 * level for level in range(8) if size >> 8 * level}
    assert counts == {ENTRIES: size, **expected}


@given(SIZES, st.integers(0, 70_000))
def test_a_tree_that_grows_gets_the_full_tiles_that_it_lacked(size: int, before: int) -> None:
    before = min(before, size)
    earlier = set(tiles.full_tiles(before))
    assert set(tiles.full_tiles(size)) == earlier | set(tiles.full_tiles(size, before))
    assert earlier.isdisjoint(tiles.full_tiles(size, before))


# --- Bundles ------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_a_bundle_gives_the_leaves_of_its_entries(envelopes: list[bytes]) -> None:
    packed = tiles.pack_entries(envelopes)
    assert tiles.leaves_of(packed, len(envelopes)) == [*map(merkle.leaf_hash, envelopes)]


@pytest.mark.parametrize("packed", [b"", b"\0", b"\0\5four", b"\0\1ab", b"\0\1a\0"])
def test_a_bundle_of_another_length_is_refused(packed: bytes) -> None:
    with pytest.raises(ProofError, match="a bundle of 1 entries"):
        tiles.leaves_of(packed, 1)


def test_an_envelope_that_two_bytes_cannot_count_is_refused() -> None:
    assert len(tiles.pack_entries([b"e" * 65_535])) == 65_537
    with pytest.raises(ProofError, match="an envelope of 65536 bytes fits into no bundle"):
        tiles.pack_entries([b"e" * 65_536])


# --- Reading a tree -----------------------------------------------------------------------


@given(SIZES, st.data())
def test_a_tree_of_tiles_has_the_hashes_and_proofs_of_the_log(
    size: int, data: st.DataObject
) -> None:
    tree = TileTree(size, root_at(size), made)
    old = data.draw(st.integers(1, size))
    assert tree.root_at(old) == root_at(old)
    proof = merkle.consistency_proof(old, size, tree.read_hash)
    merkle.verify_consistency(old, size, proof, root_at(old), root_at(size))
    last = (size - 1) // WIDTH
    assert tree.leaves(last) == LEAVES[last * WIDTH : size]
    with pytest.raises(ProofError, match="has no hash"):
        tree.read_hash(0, size)


@given(SIZES, st.data())
def test_a_tree_with_one_other_bit_in_any_tile_is_refused(size: int, data: st.DataObject) -> None:
    every = [*tiles.full_tiles(size), *tiles.partial_tiles(size)]
    levels = sorted({tile.level for tile in every} - {ENTRIES})
    level = data.draw(st.sampled_from(levels))
    bad = data.draw(st.sampled_from([tile for tile in every if tile.level == level]))
    bit = data.draw(st.integers(0, bad.width * HASH_SIZE * 8 - 1))

    def flipped(tile: Tile) -> bytes:
        content = bytearray(made(tile))
        if tile == bad:
            content[bit // 8] ^= 1 << bit % 8
        return bytes(content)

    with pytest.raises(ProofError):
        TileTree(size, root_at(size), flipped).leaves(bad.start * WIDTH**level // WIDTH)


def test_a_full_tile_may_come_in_the_place_of_a_partial_one() -> None:
    tree = TileTree(300, root_at(300), lambda tile: made(tile if tile.level else tile.full))
    assert tree.leaves(1) == LEAVES[256:300]


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b""])
def test_a_tile_of_another_length_is_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ProofError, match=r"tile/0/001\.p/44 has .* where 1,408 are right"):
        TileTree(300, root_at(300), lambda tile: change(made(tile)))


def test_a_claimed_size_costs_no_more_tiles_than_the_tree_has_levels() -> None:
    asked = list[Tile]()

    def fetch(tile: Tile) -> bytes:
        asked.append(tile)
        return bytes(tile.width * HASH_SIZE)

    with pytest.raises(ProofError, match="do not lead to the signed root"):
        TileTree(10**18 - 1, bytes(32), fetch)
    assert len(asked) == 8


def test_the_first_leaves_of_the_published_example_are_those_of_rfc_6962() -> None:
    empty = base64.b64encode(merkle.root_of([])).decode()
    assert empty == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    assert TileTree(0, merkle.root_of([]), made).root_at(0) == merkle.root_of([])
    assert [*islice(tiles.partial_tiles(0), 1)] == []
