"""This module opens a timeline for a command: to read, to append, or to do more with its file."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.cli import output
from timeline.cli.options import is_dry_run
from timeline.errors import Damaged, NotATimeline, Refused, Unreachable
from timeline.projection import tables
from timeline.reading.as_of import AsOf, parse_as_of
from timeline.store import log, scrub, storage
from timeline.store.node import node_of

if TYPE_CHECKING:
    from timeline.api import Timeline
    from timeline.cluster.node import ClusterNode


@contextlib.contextmanager
def opened(
    database: str, as_of: str | None = None, as_reported: str | None = None
) -> Iterator[tuple[sqlite3.Connection, AsOf]]:
    """Yield a connection that cannot write, and the point that --as-of and --as-reported name."""
    with contextlib.closing(storage.connect(database)) as connection:
        tables.check(connection, database)
        if connection.note:
            output.echo_note(connection.note)
        yield connection, parse_as_of(connection, as_of, as_reported)


def zone_of(database: str) -> str:
    """Return the time zone of the log in a file."""
    with contextlib.closing(storage.connect(database)) as connection:
        return log.time_zone(connection)


def opened_to_append(database: str) -> Timeline:
    """Open a timeline for a command that appends; what it looks up before is read after this.

    A node of a cluster first reads what other sites wrote.
    """
    from timeline.api import Timeline  # with it comes the writer

    with contextlib.ExitStack() as stack:
        timeline = stack.enter_context(Timeline.open(database))
        timeline.catch_up()
        stack.pop_all()
    return timeline


@contextlib.contextmanager
def writing(database: str) -> Iterator[sqlite3.Connection]:
    """Yield a connection that can write, after it finished an erasure that was pending."""
    with (
        storage.storage_errors(database),
        contextlib.closing(storage.connect(database, write=True)) as connection,
    ):
        if note := scrub.finish(connection, database):
            output.echo_note(note)
        yield connection


@contextlib.contextmanager
def to_change(database: str) -> Iterator[str]:
    """Yield the name of the file that a command changes: the timeline, or a copy for --dry-run.

    The copy is whole, so the command does all of its work, and its changes go with the copy.
    """
    if not is_dry_run():
        yield database
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / Path(database).name
        if Path(database).exists():
            _copy(database, copy)
        yield str(copy)
        output.echo("Nothing was written: a dry run, on a copy.", err=True)


def _copy(database: str, copy: Path) -> None:
    """Copy a file with what is in its write-ahead log; a damaged one as it is."""
    try:
        with (
            storage.storage_errors(database),
            contextlib.closing(storage.connect(database, older=True)) as connection,
        ):
            connection.execute("VACUUM INTO ?", (str(copy),))
    except (Damaged, NotATimeline):
        shutil.copyfile(database, copy)


@contextlib.contextmanager
def opened_node(database: str) -> Iterator[ClusterNode]:
    """Open a file as a node of a cluster. Raises Refused if it is none."""
    with (
        storage.storage_errors(database),
        contextlib.closing(storage.connect(database, write=True)) as connection,
    ):
        if node_of(connection) is None:
            raise Refused(
                f"{database} is no node of a cluster: timeline cluster join ADDRESS {database}"
            )
        from timeline.cluster.node import ClusterNode

        with ClusterNode(connection, database) as node:
            yield node


def share_notes(database: str) -> None:
    """Share the checkpoints and publications of a node with the others; do nothing elsewhere.

    If the cluster does not answer, a note says who shares them later.
    """
    with contextlib.closing(storage.connect(database)) as connection:
        if node_of(connection) is None:
            return
    with opened_node(database) as node:
        try:
            node.catch_up()
            node.share()
        except Unreachable as error:
            output.echo_note(f"{error}; timeline cluster follow shares this with the other nodes")
        for note in node.notes:
            output.echo_note(note)
