"""Keep attached files in the file of a log, and hold the media of events to them.

Guarantees: a file is kept once, however many events show it. What an event says about the bytes of
a file is what the bytes say. Bytes that were erased never come in again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, Any

from timeline.errors import InvalidInput, Refused
from timeline.model.media import Medium
from timeline.reading.attached_files import attached_row

if TYPE_CHECKING:
    from timeline.media.attached import AttachedFile

_FACTS = ("media_type", "width", "height")
"""The fields of a medium that are read from the bytes of an attached file."""
_MOST = 2**30
"""The bytes of all attached files above which another one has to be confirmed: each erasure and
each publication needs three times as much free room."""


def keep(
    connection: sqlite3.Connection, file: AttachedFile, attached_at: str, *, allow_large: bool
) -> bool:
    """Keep the bytes of a file; return False if they are here already.

    Raises Refused for a file that was erased and, unless `allow_large`, for one with which all
    files have more than 1 GiB.
    """
    if attached_row(connection, file.sha256)["erased"]:
        raise Refused("this file was erased from the log: it is not taken in again")
    row = connection.execute(
        "SELECT 1 FROM media_files WHERE sha256 = ?", (file.sha256,)
    ).fetchone()
    if row:
        return False
    (total,) = connection.execute("SELECT total(size) FROM media_files").fetchone()
    if total + len(file.body) > _MOST and not allow_large:
        raise Refused(
            f"with this file all attached files have more than {_MOST // 2**30} GiB, and an erasure"
            " needs three times as much free room: repeat with --yes"
        )
    connection.execute(
        "INSERT INTO media_files (sha256, media_type, size, width, height, attached_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            file.sha256,
            file.media_type,
            len(file.body),
            file.width,
            file.height,
            attached_at,
        ),
    )
    connection.execute(
        "INSERT INTO media_bytes (sha256, body) VALUES (?, ?)", (file.sha256, file.body)
    )
    return True


def checked(
    connection: sqlite3.Connection, media: Iterable[Medium], before: Container[str]
) -> tuple[Medium, ...]:
    """Return the media of an event with what the attached files say of themselves.

    A file in `before`, the hashes of the version before, need not be here: the event stays as it
    is in a copy without files. Raises InvalidInput.
    """
    found = []
    for number, medium in enumerate(media):
        if medium.sha256 and medium.sha256 not in before:
            facts = _facts(connection, medium.sha256, f"media.{number}.sha256")
            for field, value in facts.items():
                given = getattr(medium, field)
                if given not in (None, value):
                    problem = f"is {value} by the bytes of the file: leave it out"
                    raise InvalidInput(f"media.{number}.{field}", problem)
            medium = medium.model_copy(update=facts)
        found.append(medium)
    return tuple(dict.fromkeys(found))


def _facts(connection: sqlite3.Connection, sha256: str, field: str) -> dict[str, Any]:
    """Return the fields of a medium that its attached file gives. Raises InvalidInput."""
    if attached_row(connection, sha256)["erased"]:
        raise InvalidInput(field, "names a file that was erased from the log")
    row = connection.execute(
        f"SELECT {', '.join(_FACTS)} FROM media_files WHERE sha256 = ?",  # noqa: S608
        (sha256,),
    ).fetchone()
    if row is None:
        raise InvalidInput(field, "names a file that is not here: timeline attach adds it")
    return dict(zip(_FACTS, row, strict=True))


def erase_bytes(connection: sqlite3.Connection, sha256: str, erased_by: str) -> None:
    """Delete the bytes of a file, if they are here, for the entry with the id `erased_by`.

    What is known of the bytes goes with them: without them nobody can check it.
    """
    connection.execute(
        "UPDATE media_files SET erased_by = ?, media_type = NULL, size = NULL, width = NULL,"
        " height = NULL WHERE sha256 = ? AND erased_by IS NULL",
        (erased_by, sha256),
    )
