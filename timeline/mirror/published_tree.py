"""Read the tree of a checkpoint from the tiles that a prefix publishes.

Guarantees: those of `tile_tree`; what is missing is told apart from what is wrong.
"""

from __future__ import annotations

from functools import partial

from timeline.errors import NotFetched, ProofError
from timeline.mirror.prefix import Prefix, read
from timeline.mirror.trouble import Trouble
from timeline.proof.tile_tree import TileTree
from timeline.proof.tiles import HASH_SIZE, WIDTH, Tile
from timeline.proof.tlog import Checkpoint


def published_tree(prefix: Prefix, checkpoint: Checkpoint) -> TileTree:
    """Return the checked tree of a checkpoint; its tiles are fetched as they are read.

    Raises Trouble for tiles that are not there, here and when it is read, and for an edge of
    another tree; ProofError, when it is read, for another tile of another tree; NotFetched if
    something did not come.
    """
    try:
        return TileTree(checkpoint.size, checkpoint.root, partial(_fetch, prefix))
    except ProofError as error:
        raise Trouble("damaged", str(error)) from None


def _fetch(prefix: Prefix, tile: Tile) -> bytes:
    """Fetch a tile, or the full one in the place of a partial one."""
    for each in dict.fromkeys((tile, tile.full)):
        try:
            return read(prefix, str(each), WIDTH * HASH_SIZE)
        except NotFetched as error:
            if error.status != 404:
                raise
    raise Trouble("withheld", f"{tile} is not there")
