"""Verifying a whole file: this derives again all that can be derived from its bytes, and compares.

Guarantees: it reads one moment of the file and writes nothing to it. It shares only the codec,
the tree and the fold with the writer, so that it finds the writer's mistakes. It cannot see
whether the whole file was replaced by another consistent one; the report says so.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Collection, Mapping

from timeline.errors import Damaged
from timeline.proof.checks.checkpoints import check_checkpoints, sizes
from timeline.proof.checks.entries import check_entries
from timeline.proof.checks.file import (
    check_erasures,
    check_header,
    check_mirror,
    check_node,
    check_pages,
)
from timeline.proof.checks.media import check_media
from timeline.proof.checks.others import check_follows, check_witnesses
from timeline.proof.checks.report import OnProgress, Report
from timeline.proof.checks.schema import check_schema
from timeline.proof.checks.tables import check_tables
from timeline.proof.checks.texts import check_texts
from timeline.proof.policy import Policy
from timeline.proof.signed_note import VerifierKey
from timeline.store import storage

_READ_AS_IT_IS = (
    "Whether somebody changed the file meanwhile: it is on a read-only disk, and was read as it is,"
    " without locks."
)
_ONLY_HERE = (
    "Only this file says when its tables were made (applied_at), when a checkpoint was stored"
    " (stored_at), when a copy was published (published_at), when a text was captured, from which"
    " page (captured_at, original_sha256), when a file was attached (attached_at), since when it is"
    " a mirror (since), whom it follows (follows), when and where a checkpoint was seen (seen_at,"
    " place), which witnesses it asks (witnesses), and, in table node, of which cluster it is a"
    " node, how far, and with which append in doubt. Rows that somebody took out of checkpoints,"
    " publications, source_texts, media_files, scrub_pending, mirror, follows, sightings or"
    " witnesses leave no trace, and nor does a row that somebody added to mirror, publications or"
    " witnesses, or to source_texts about a text that was erased, nor a node that somebody made or"
    " ended with its guard."
    " If somebody took the key of a witness out of verifier_keys, its signature is not checked."
)


def verify(
    path: str | os.PathLike[str],
    *,
    checkpoints: Mapping[str, str] | None = None,
    keys: Collection[VerifierKey] = (),
    policy: Policy | None = None,
    progress: OnProgress = lambda part, count: None,
) -> Report:
    """Check the file, and that its log continues every checkpoint.

    `checkpoints` are signed notes that somebody kept elsewhere, by the names to use for them in
    findings. With `keys`, every checkpoint, stored or given, must be signed by one of them. With a
    `policy`, that holds for the keys of its logs, and the newest checkpoint must satisfy it.
    `progress` is called with a part ("log", "tables") and a count of entries.

    Raises StoreError for a file that is no timeline, TooNew or TooOld before anything is compared,
    and ProjectionOutdated if only the version of the tables differs, or the rules of the time zone
    that they were made with.
    """
    report, given = Report(), checkpoints or {}
    try:
        with (
            storage.storage_errors(path),
            contextlib.closing(storage.connect(path)) as connection,
        ):
            # Temporary tables need no journal, and 64 MB of cache; the file's own are only read.
            connection.execute("PRAGMA temp.journal_mode = OFF")
            connection.execute("PRAGMA temp.cache_size = -64000")
            connection.execute("BEGIN")
            if connection.is_immutable:
                report.unnoticed.append(_READ_AS_IT_IS)
            check_header(path, report)
            check_pages(connection, report)
            check_schema(connection, report)
            wanted = sizes(connection, given)
            roots = check_entries(connection, report, wanted, progress)
            trusted = policy or Policy.of_keys(keys)
            check_checkpoints(connection, report, given, trusted, roots)
            check_texts(connection, report)
            check_media(connection, report)
            check_erasures(connection, report)
            check_mirror(connection, report)
            check_follows(connection, report)
            check_witnesses(connection, report)
            check_node(connection, report)
            check_tables(connection, report, os.fspath(path), progress)
    except (Damaged, sqlite3.DatabaseError, UnicodeDecodeError) as error:
        report.add("file", path, "a database that can be read", error)
    except (AttributeError, TypeError, ValueError):
        if not report.findings:
            raise
        # A value has another type than its column; check_pages has reported that already.
    report.unnoticed.append(_ONLY_HERE)
    return report
