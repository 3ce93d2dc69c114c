"""Read an attached file for its address, piece by piece."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from timeline.errors import Erased, NotFound
from timeline.formats import prose
from timeline.languages.translation import gettext
from timeline.media.attached import ENDINGS
from timeline.reading.attached_files import attached_row

_PIECE = 2**18
"""Bytes that are read at once."""


def file_name(sha256: str, media_type: str) -> str:
    """Return the last part of the address of a file, such as "0a12...f.jpg"."""
    return sha256.removeprefix("sha256:") + ENDINGS[media_type]


def media_shown(
    connection: sqlite3.Connection, media: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the media of an event as a page shows them.

    An attached file has the `path` of its address. If the file is not here or was erased, `gone`
    says so. Others have only a `url`.
    """
    found = []
    for medium in media:
        shown = {**medium, "what": prose.medium_kind(medium), "path": None, "gone": None}
        if sha256 := medium.get("sha256"):
            row = attached_row(connection, sha256)
            if row["erased"]:
                text = gettext("removed on {day}: {reason}")
                text = text if row["reason"] else gettext("removed on {day}")
                day = prose.date(row["erased"][:10])
                shown["gone"] = text.format(day=day, reason=row["reason"])
            elif row["rowid"] is None:
                shown["gone"] = gettext("not in this copy")
            else:
                shown["path"] = f"/media/{file_name(sha256, row['media_type'])}"
        found.append(shown)
    return found


def event_with(connection: sqlite3.Connection, name: str) -> str:
    """Return the id of the first event that shows the file with this `file_name`, or "file"."""
    row = connection.execute(
        "SELECT event_id FROM event_media WHERE sha256 = 'sha256:' || ? ORDER BY event_id LIMIT 1",
        (name.partition(".")[0],),
    ).fetchone()
    return str(row[0]) if row else "file"


def media_type_of(name: str) -> str:
    """Return the type of the file with this `file_name`. Raises NotFound for another ending."""
    for media_type, ending in ENDINGS.items():
        if name.endswith(ending):
            return media_type
    raise NotFound("file", name)


@contextlib.contextmanager
def file_pieces(connection: sqlite3.Connection, name: str) -> Iterator[Iterator[bytes]]:
    """Give the bytes of the file with this `file_name`, in pieces.

    Raises NotFound for a file that is not here, and Erased for one that was erased.
    """
    hexadecimal, _, ending = name.partition(".")
    sha256 = f"sha256:{hexadecimal}"
    row = attached_row(connection, sha256)
    if row["erased"]:
        raise Erased(f"file {name}", row["reason"])
    if row["rowid"] is None or ENDINGS.get(row["media_type"]) != f".{ending}":
        raise NotFound("file", name)
    with connection.blobopen("media_bytes", "body", row["rowid"], readonly=True) as blob:
        yield iter(lambda: blob.read(_PIECE), b"")
