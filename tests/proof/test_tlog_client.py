"""A reader of others finds in our tiles the tree that was signed, and refuses every other tile."""

from __future__ import annotations

from random import Random

import pytest
import tlog_client
from bare_log import KEY, LARGEST, levels, published
from tlog_client import Tree, Untrue

from timeline.errors import ProofError
from timeline.proof.signed_note import SigningKey
from timeline.proof.tiles import WIDTH, Tile, number_path
from timeline.store import merkle

SIZES = (1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, LARGEST)
CHANCE = Random(25)
SOME_SIZES = [int(LARGEST ** CHANCE.random()) for _ in range(60)]
"""Sizes with any number of digits."""


def read(files: dict[str, bytes]) -> Tree:
    return tlog_client.read_log(tlog_client.memory(files), str(KEY.verifier))


@pytest.mark.parametrize("size", [*SIZES, *SOME_SIZES])
def test_a_log_of_any_size_is_read_and_proves_what_it_holds(size: int) -> None:
    tree = read(published(size))
    assert tree.size == size
    root = tree.root_of(0, size)
    for index in {0, size // 2, size // 3, size - 1}:
        ours = merkle.inclusion_proof(index, size, lambda *at: levels()[at[0]][at[1]])
        assert tree.inclusion(index) == ours
        tlog_client.check_inclusion(tree.heights[0][index], index, size, ours, root)
    for old in {1, size // 2, size // 3, size} - {0}:
        ours = merkle.consistency_proof(old, size, lambda *at: levels()[at[0]][at[1]])
        assert tree.consistency(old) == ours
        tlog_client.check_consistency(old, tree.root_of(0, old), size, root, ours)


@pytest.mark.parametrize("size", [1, 256, 600, 65_537])
def test_one_other_bit_in_any_tile_or_bundle_is_refused(size: int) -> None:
    files = published(size)
    kinds: dict[int, list[Tile]] = {}
    for path in files:
        if tile := Tile.parse(path):
            kinds.setdefault(tile.level, []).append(tile)
    assert len(kinds) == 2 + (size >= WIDTH) + (size >= WIDTH**2)
    for of_level in kinds.values():
        for tile in {CHANCE.choice(of_level), of_level[-1]}:
            changed = bytearray(files[str(tile)])
            changed[CHANCE.randrange(len(changed))] ^= 1 << CHANCE.randrange(8)
            with pytest.raises(Untrue):
                read({**files, str(tile): bytes(changed)})


def test_what_is_longer_shorter_or_gone_is_refused() -> None:
    files = published(300)
    for path, content in files.items():
        if path.startswith("tile/"):
            for changed in (content[:-1], content + content[:34]):
                with pytest.raises(Untrue):
                    read({**files, path: changed})
        with pytest.raises(FileNotFoundError):
            read({name: files[name] for name in files if name != path})


def test_other_words_beside_a_bundle_or_another_key_are_refused() -> None:
    files = published(300)
    other = files["entries/001.jsonl"].replace(b"entry 256", b"entry 652")
    with pytest.raises(Untrue, match="file of entries 1 has others than its bundle"):
        read({**files, "entries/001.jsonl": other})
    stranger = SigningKey(KEY.name, b"s" * 32)
    with pytest.raises(Untrue, match="the key did not sign"):
        tlog_client.read_log(tlog_client.memory(files), str(stranger.verifier))


def test_a_full_tile_may_stand_in_the_place_of_a_partial_one() -> None:
    files = {**published(513), **published(300)}
    for partial in ("tile/0/001.p/44", "tile/entries/001.p/44"):
        del files[partial]
    assert read(files).size == 300


def test_both_refuse_the_same_proofs() -> None:
    tree = read(published(300))
    root, old_root = tree.root_of(0, 300), tree.root_of(0, 130)
    path, proof = tree.inclusion(130), tree.consistency(130)
    for wrong in (path[:-1], [*path, bytes(32)], path[1:], [*reversed(path)]):
        with pytest.raises(Untrue):
            tlog_client.check_inclusion(tree.heights[0][130], 130, 300, wrong, root)
        with pytest.raises(ProofError):
            merkle.verify_inclusion(tree.heights[0][130], 130, 300, wrong, root)
    for wrong in (proof[:-1], [*proof, bytes(32)], proof[1:], [*reversed(proof)]):
        with pytest.raises(Untrue):
            tlog_client.check_consistency(130, old_root, 300, root, wrong)
        with pytest.raises(ProofError):
            merkle.verify_consistency(130, 300, wrong, old_root, root)


def test_both_write_the_same_numbers() -> None:
    for number in (0, 999, 1_000, *(int(10 ** (9 * CHANCE.random())) for _ in range(99))):
        assert tlog_client.number_path(number) == number_path(number)
