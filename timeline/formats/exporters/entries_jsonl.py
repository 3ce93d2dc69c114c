"""JSON Lines in wire form, which hold one entry a line, byte for byte (`codec.to_wire`).

Guarantees: a file of all entries of a log is a copy of the log, which `intake.restore` reads back.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable

from timeline.formats.about import About
from timeline.store.codec import Entry, to_wire


def write(entries: Iterable[Entry], _: About) -> Generator[str, None, int]:
    """Yield one line for each entry, in the order given, and nothing else. Leaves nothing out."""
    for entry in entries:
        yield f"{to_wire(entry)}\n"
    return 0
