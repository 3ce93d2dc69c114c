"""Bring the texts of sources, and attached files, from node to node: they are in no entry.

Guarantees: a text or file is in the cluster before the message that names it. What comes from there
is held to its hash, and a file to its type. What was erased is not taken in again. A text that
cannot be had stops nothing: only quotes of it are refused, until it is here.

A generation of the log has an object store for its texts, which readers fetch only if they are to
have them, and another one for its files, which every node fetches.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from timeline.errors import InvalidInput, Refused, StoreError, Unreachable
from timeline.media.attached import AttachedFile, attached_file
from timeline.model import clock
from timeline.proof.checks.entries import is_instant
from timeline.store import files, node, storage
from timeline.store.codec import decode_content
from timeline.writing import media

if TYPE_CHECKING:
    from timeline.cluster.address import ClusterAddress
    from timeline.cluster.jetstream import Jetstream

CAPTURED_AT = "captured_at"
ORIGINAL = "original_sha256"

_AT_ONCE = 16 << 20
"""The bytes of texts and files after which they are committed."""
_ASKED_ONE_BY_ONE = 16
"""The most objects that are asked for one by one; for more, all names are listed first."""
_HASH = re.compile("sha256:[0-9a-f]{64}")

_TEXTS = "SELECT text_sha256 FROM source_texts WHERE body IS NOT NULL"
_FILES = "SELECT sha256 FROM media_bytes"
_MISSING_TEXTS = """
SELECT text_sha256 FROM sources
 WHERE text_sha256 IS NOT NULL AND text_sha256 NOT IN (SELECT text_sha256 FROM source_texts)
UNION
SELECT json_extract(payload, '$.text_sha256') AS named FROM log
 WHERE seq >= ?1 AND kind IN ('source.recorded', 'source.updated') AND payload IS NOT NULL
   AND named IS NOT NULL AND named NOT IN (SELECT text_sha256 FROM source_texts)
"""
_MISSING_FILES = """
SELECT DISTINCT sha256 FROM event_media
 WHERE sha256 IS NOT NULL AND sha256 NOT IN (SELECT sha256 FROM media_files)
   AND NOT EXISTS (SELECT 1 FROM log WHERE subject = 'media/' || substr(sha256, 8))
"""
_NEVER = 2**62
"""A number that no entry has."""
_ERASED = """
SELECT t.text_sha256 FROM log AS e JOIN source_texts AS t ON t.erased_by = e.id
 WHERE e.seq >= ?1 AND e.kind = 'entry.erased'
"""
_ERASED_FILES = """
SELECT f.sha256 FROM log AS e JOIN media_files AS f ON f.erased_by = e.id
 WHERE e.seq >= ?1 AND e.kind GLOB '*.erased'
UNION
SELECT 'sha256:' || substr(subject, 7) FROM log WHERE seq >= ?1 AND kind = 'media.erased'
"""


class _Text(NamedTuple):
    """A text of a source comes with what table `source_texts` says of it."""

    sha256: str
    body: str
    captured_at: str
    original: str | None


def create(jetstream: Jetstream, address: ClusterAddress, generation: int) -> None:
    """Make the object stores of a generation."""
    jetstream.create_objects(address.texts(generation))
    jetstream.create_objects(address.media(generation))


def delete(jetstream: Jetstream, address: ClusterAddress, generation: int) -> None:
    """Delete the object stores of a generation, to the last byte on each server."""
    jetstream.delete_objects(address.texts(generation))
    jetstream.delete_objects(address.media(generation))


def put(
    jetstream: Jetstream,
    address: ClusterAddress,
    connection: sqlite3.Connection,
    texts: Iterable[str],
    attached: Iterable[str],
    *,
    generation: int | None = None,
) -> None:
    """Put texts and files, by their hashes, into the stores; one that is there already is left.

    Without a `generation`, the stores are those of the generation that this node follows.
    """
    generation = generation or _row(connection).generation
    for sha256 in texts:
        body, captured_at, original = connection.execute(
            "SELECT body, captured_at, original_sha256 FROM source_texts WHERE text_sha256 = ?",
            (sha256,),
        ).fetchone()
        headers = {CAPTURED_AT: captured_at} | ({ORIGINAL: original} if original else {})
        jetstream.put_object(address.texts(generation), _name(sha256), body.encode(), headers)
    for sha256 in attached:
        (content,) = connection.execute(
            "SELECT body FROM media_bytes WHERE sha256 = ?", (sha256,)
        ).fetchone()
        jetstream.put_object(address.media(generation), _name(sha256), content, {})


def put_all(
    jetstream: Jetstream, address: ClusterAddress, connection: sqlite3.Connection, generation: int
) -> None:
    """Make the stores of a generation, and put everything into them that is in this file."""
    create(jetstream, address, generation)
    texts, attached = (
        [sha256 for (sha256,) in connection.execute(query) if _name(sha256) not in there]
        for query, there in (
            (_TEXTS, jetstream.object_names(address.texts(generation))),
            (_FILES, jetstream.object_names(address.media(generation))),
        )
    )
    put(jetstream, address, connection, texts, attached, generation=generation)


def fetch(
    jetstream: Jetstream, address: ClusterAddress, connection: sqlite3.Connection, since: int
) -> int:
    """Fetch what entries name and this file lacks; return the number of what cannot be had.

    The entries from the number `since` on are new. What they erase is deleted from the stores.
    """
    take_out(jetstream, address, connection, since)
    row = _row(connection)
    lacking = 0
    for bucket, of_sources, missing in (
        (address.texts(row.generation), True, missing_texts(connection, since)),
        (address.media(row.generation), False, missing_files(connection, since)),
    ):
        waiting: list[_Text | AttachedFile] = []
        for sha256 in _there(jetstream, bucket, missing):
            found = _fetched(jetstream, bucket, sha256, is_text=of_sources)
            waiting += [found] if found else []
            if sum(len(each.body) for each in waiting) > _AT_ONCE:
                lacking -= _keep(connection, waiting, since)
                waiting = []
        lacking += len(missing) - _keep(connection, waiting, since)
    return lacking


def take_out(
    jetstream: Jetstream, address: ClusterAddress, connection: sqlite3.Connection, since: int
) -> None:
    """Delete from the stores the texts and files that the entries from number `since` on erase.

    The bytes stay on the servers until `timeline cluster rewrite`. A node that only reads leaves
    this to the others.
    """
    row = _row(connection)
    if row.role != "writer":
        return
    for bucket, query in (
        (address.texts(row.generation), _ERASED),
        (address.media(row.generation), _ERASED_FILES),
    ):
        for (sha256,) in connection.execute(query, (since,)).fetchall():
            jetstream.delete_object(bucket, _name(sha256))


def missing_texts(connection: sqlite3.Connection, since: int = _NEVER) -> list[str]:
    """Return the hashes of the texts that sources name and this file lacks, if it is to have them.

    The texts that entries from number `since` on name are among them, also if the sources name
    others by now. A text that was erased is not among them.
    """
    if not _row(connection).with_texts:
        return []
    return [
        sha256
        for (sha256,) in connection.execute(_MISSING_TEXTS, (since,))
        if isinstance(sha256, str) and _HASH.fullmatch(sha256)
    ]


def missing_files(connection: sqlite3.Connection, since: int = _NEVER) -> list[str]:
    """Return the hashes of the files that events show and this file lacks.

    The files that entries from number `since` on name are among them, also if no event shows them
    by now. A file that was erased is not among them.
    """
    named = {sha256: None for (sha256,) in connection.execute(_MISSING_FILES)}
    for (payload,) in connection.execute(
        "SELECT payload FROM log WHERE seq >= ? AND instr(payload, '\"media\":[')", (since,)
    ).fetchall():
        for sha256 in sorted(files.file_hashes(decode_content(payload))):
            if not _is_known(connection, sha256):
                named[sha256] = None
    return [*named]


def count_missing(connection: sqlite3.Connection) -> int:
    """Return the number of texts and files that entries name and this file lacks."""
    return len(missing_texts(connection)) + len(missing_files(connection))


def _is_known(connection: sqlite3.Connection, sha256: str) -> bool:
    """Return whether a file is here, or was erased."""
    row = connection.execute(
        "SELECT 1 FROM media_files WHERE sha256 = ?1"
        " UNION ALL SELECT 1 FROM log WHERE subject = 'media/' || substr(?1, 8)",
        (sha256,),
    )
    return row.fetchone() is not None


def _row(connection: sqlite3.Connection) -> node.Node:
    row = node.node_of(connection)
    if row is None:
        raise Refused("this file is no node of a cluster: timeline cluster join makes it one")
    return row


def _name(sha256: str) -> str:
    """Return the name of an object: the hex of its hash."""
    return sha256.removeprefix("sha256:")


def _there(jetstream: Jetstream, bucket: str, missing: Sequence[str]) -> Iterator[str]:
    """Yield those of the missing texts or files that the store may have."""
    if not missing or jetstream.stream(f"OBJ_{bucket}") is None:
        return
    names = jetstream.object_names(bucket) if len(missing) > _ASKED_ONE_BY_ONE else None
    for sha256 in missing:
        if names is None or _name(sha256) in names:
            yield sha256


def _fetched(
    jetstream: Jetstream, bucket: str, sha256: str, *, is_text: bool
) -> _Text | AttachedFile | None:
    """Fetch a text or a file; return None if the store has none, or one that does not fit."""
    try:
        found = jetstream.object(bucket, _name(sha256))
    except Unreachable:
        raise
    except StoreError:  # its bytes were changed on a server
        return None
    if found is None or f"sha256:{hashlib.sha256(found[0]).hexdigest()}" != sha256:
        return None
    body, headers = found
    with contextlib.suppress(InvalidInput, ValueError):
        if not is_text:
            file = attached_file(body)
            return file if file.sha256 == sha256 else None
        captured_at, original = headers.get(CAPTURED_AT, ""), headers.get(ORIGINAL)
        if is_instant(captured_at.encode()) and _HASH.fullmatch(original or sha256):
            return _Text(sha256, body.decode(), captured_at, original)
    return None


def _keep(connection: sqlite3.Connection, found: Sequence[_Text | AttachedFile], since: int) -> int:
    """Keep what was fetched, in one transaction; return how much of it is here now.

    An entry may have erased some of it meanwhile: that is not kept.
    """
    if not found:
        return 0
    kept = 0
    with storage.immediate(connection):
        wanted = {*missing_texts(connection, since), *missing_files(connection, since)}
        for each in found:
            if each.sha256 not in wanted:
                continue
            if isinstance(each, AttachedFile):
                media.keep(connection, each, clock.utc(clock.now()), allow_large=True)
            else:
                connection.execute(
                    "INSERT INTO source_texts (text_sha256, body, captured_at, original_sha256)"
                    " VALUES (?, ?, ?, ?)",
                    each,
                )
            kept += 1
    return kept
