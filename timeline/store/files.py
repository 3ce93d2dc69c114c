"""Read which attached files the entries of a log name.

Knows of contents only where they name a file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from timeline.store.codec import decode_content

FILE = "media/"
"""What stands before the hash of a file in its name, its address and the subject of its erasure."""


_NAMES_FILES = "kind IN ('event.recorded', 'event.updated', 'event.corrected')"
"""The condition on entries that may name files."""


def name_of(sha256: str) -> str:
    """Return the name of a file: media/0a12 for sha256:0a12."""
    return sha256.replace("sha256:", FILE, 1)


def hash_of(name: str) -> str:
    """Return the hash of a file: sha256:0a12 for media/0a12."""
    return name.replace(FILE, "sha256:", 1)


def file_hashes(content: Mapping[str, Any] | None) -> set[str]:
    """Return the hashes of the attached files that the content of an event names."""
    return {each["sha256"] for each in (content or {}).get("media", ()) if "sha256" in each}


def naming(connection: sqlite3.Connection, sha256: str) -> Iterator[tuple[int, str]]:
    """Yield the seq of each entry that names a file, and the id of its event."""
    for seq, event_id, payload in connection.execute(
        "SELECT seq, substr(subject, 7), payload FROM log"  # noqa: S608
        f" WHERE {_NAMES_FILES} AND instr(payload, ?) ORDER BY seq",
        (sha256,),
    ):
        if sha256 in file_hashes(decode_content(payload)):
            yield seq, event_id


def named_files(connection: sqlite3.Connection) -> set[str]:
    """Return the hashes of all files that events name, or that are attached."""
    attached = connection.execute("SELECT sha256 FROM media_files")
    return named_in_log(connection) | {sha256 for (sha256,) in attached}


def named_in_log(connection: sqlite3.Connection) -> set[str]:
    """Return the hashes of all files that the entries of events name."""
    found: set[str] = set()
    for (payload,) in connection.execute(
        f"SELECT payload FROM log WHERE {_NAMES_FILES} AND instr(payload, '\"media\":[')"  # noqa: S608
    ):
        found |= file_hashes(decode_content(payload))
    return found
