"""Know what a site publishes of a log, and refuse to go back behind it.

A log that was put back from a backup has fewer entries than its readers have seen. If it were
published or signed, readers would be taken back, or would be shown two signed histories.

Knows of a site only its file `checkpoint`, and does not check who signed it: whoever did, it is
what readers see.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from timeline.errors import NotFetched, ProofError, Refused, StoreError, WouldGoBack
from timeline.proof import tlog
from timeline.proof.tlog import Checkpoint
from timeline.store import log

CHECKPOINT = "checkpoint"
"""The file of a site that has the newest checkpoint of its log."""
_LONGEST = 2**20
"""Bytes of such a file, at most."""
_NOT_FOUND = 404


def published_checkpoint(place: str) -> Checkpoint | None:
    """Return the newest checkpoint of a site, in a folder or at an address; None if it has none.

    Raises NotFetched if the site does not answer, StoreError for a file that cannot be read, and
    Refused for one that is no checkpoint.
    """
    content = _fetched(place) if _is_address(place) else _content(place)
    if content is None:
        return None
    try:
        return tlog.parse_checkpoint(content.decode())[0]
    except (ProofError, UnicodeDecodeError):
        file = _file_of(place)
        raise Refused(f"{file} is no checkpoint, so nobody can tell what is published") from None


def check_goes_on(connection: sqlite3.Connection, seen: Checkpoint, place: str, so: str) -> None:
    """Raise WouldGoBack unless the log goes on from a checkpoint that is published in a place.

    `so` is the end of the message, which says what was not done.
    """
    size = log.size(connection)
    if seen.size > size:
        raise is_behind(seen, place, f"{size:,}", so)
    if log.root_at(connection, seen.size) != seen.root:
        raise WouldGoBack(
            f"the first {seen.size:,} entries published in {place} are not those of this log. {so}"
        )


def is_behind(seen: Checkpoint, place: str, held: str, so: str) -> WouldGoBack:
    """Return the refusal of a log that has, or has signed, fewer entries than are published."""
    return WouldGoBack(
        f"{_file_of(place)} is of {seen.size:,} entries, and this log has {held}: was it put back "
        f"from a backup? {so}"
    )


def _file_of(place: str) -> str:
    return f"{place.rstrip('/')}/{CHECKPOINT}"


def _is_address(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def _fetched(url: str) -> bytes | None:
    from timeline.network.fetch import fetch  # it takes time to load

    try:
        return fetch(_file_of(url), longest=_LONGEST)
    except NotFetched as error:
        if error.status == _NOT_FOUND:
            return None
        raise


def _content(folder: str) -> bytes | None:
    path = Path(folder) / CHECKPOINT
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST)
    except OSError as error:
        raise StoreError(str(path), f"cannot be read: {error.strerror}") from None
