"""JSON Lines in wire form: the entries themselves, one a line, byte for byte (`codec.to_wire`).

Guarantees: a file of all entries of a log is a copy of it, which `restoring` takes back.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable

from timeline.formats.about import About
from timeline.store.codec import Entry, to_wire


def write(entries: Iterable[Entry], _: About) -> Generator[str, None, int]:
    """The entries as they come, and nothing else. Nothing is left out."""
    for entry in entries:
        yield f"{to_wire(entry)}\n"
    return 0
