"""Define the commands about the file of a timeline: init, schema, rebuild, migrate, doctor."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from timeline.api import Timeline
from timeline.cli import output
from timeline.cli.opening import to_change, writing
from timeline.cli.options import Command, dry_run_option, is_dry_run, json_option
from timeline.errors import ClockBehind, ClockLeapt, TimelineError
from timeline.formats import prose
from timeline.intake.proposals.inbox import Inbox
from timeline.model import base, clock, content, log_info
from timeline.projection import tables
from timeline.store import log, mirror, schema, scrub, storage
from timeline.store.codec import MAX_PAYLOAD
from timeline.store.follows import follows_of
from timeline.store.node import node_of
from timeline.writing import migrate
from timeline.writing.recording_time import check_clock


@click.command("init", cls=Command)
@click.option("--title", metavar="T", required=True, help="What the timeline is called.")
@click.option("--origin", help="Permanent name of the log, such as example.org/odesa.")
@click.option(
    "--vocabulary",
    type=click.Path(exists=True, dir_okay=False),
    help="A file of event types (code, label, definition), CSV or JSON; default PLOVER.",
)
@click.option(
    "--time-zone", metavar="ZONE", help="The zone in which days begin and end; default UTC."
)
@click.option("--language", metavar="TAG", help="Language of its content; default en.")
@click.option("--licence", help="Licence of its content, such as CC-BY-4.0.")
@click.option("--notice", help="A warning that every page shows.")
@click.option("--author", metavar="HANDLE", envvar="TIMELINE_AUTHOR", help="Who opens it.")
@click.pass_obj
def init_command(database: str, /, vocabulary: str | None, **fields: Any) -> None:
    """Open a new timeline."""
    with Timeline.create(database, vocabulary_file=vocabulary, **fields) as timeline:
        output.echo(f'Opened "{timeline.info["title"]}" in {database}')
        output.echo(output.dim(f"origin {timeline.info['origin']}"))


@click.command("schema", cls=Command)
@click.argument(
    "what",
    type=click.Choice(["event", "source", "actor", "log"]),
    default="event",
)
def schema_command(what: str) -> None:
    """Print the JSON Schema of the events that append accepts.

    Or that of a source, an actor or the log.
    """
    models: dict[str, type[base.Content]] = {
        "event": content.Statement,
        "source": content.Source,
        "actor": content.Actor,
        "log": log_info.LogInfo,
    }
    output.dump(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$comment": f"All of it together: at most {MAX_PAYLOAD} bytes of UTF-8.",
            **models[what].model_json_schema(mode="validation"),
        }
    )


@click.command("rebuild", cls=Command)
@dry_run_option
@click.pass_obj
def rebuild_command(database: str, /) -> None:
    """Drop every derived table and make it again from the log.

    The log is only read.
    """
    with (
        to_change(database) as file,
        writing(file) as connection,
        output.Progress("entries") as progress,
    ):
        count = tables.rebuild(connection, progress)
        progress.end()
        rebuilt = "Would rebuild" if is_dry_run() else "Rebuilt"
        output.echo(f"{rebuilt} the tables of {database} from {count:,} entries.")


@click.command("migrate", cls=Command)
@dry_run_option
@click.pass_obj
def migrate_command(database: str, /) -> None:
    """Migrate a file of an older version to this version.

    The file is copied first, and verified afterwards. If the log is damaged, the file is not
    touched.
    """
    with to_change(database) as file, output.Progress("entries") as progress:
        done = migrate.migrate(file, progress=progress)
        progress.end()
        if done is None:
            output.echo(f"{database} has this version already: there is nothing to do.")
            return
        migrated = "Would migrate" if is_dry_run() else "Migrated"
        version, entries = done.schema_version, done.entries
        output.echo(f"{migrated} {database} to schema {version}: {entries:,} entries, verified.")
        if not is_dry_run():
            output.echo(f"The file as it was before: {done.copy}")


@click.command("doctor", cls=Command)
@json_option
@click.pass_obj
def doctor_command(database: str, /, as_json: bool) -> None:
    """Check the file and this machine for problems.

    Each line is ok, a note, or a problem; with a problem the exit code is 1.
    """
    findings = [*_machine(), *_file(database)]
    if as_json:
        output.dump([dict(zip(("finding", "about", "says"), row, strict=True)) for row in findings])
    else:
        output.echo(output.table(findings))
    if any(finding == "problem" for finding, *_ in findings):
        sys.exit(1)


def _machine() -> list[list[str]]:
    """Return findings about this machine: rows of level, subject and text."""
    from importlib.metadata import version

    version_info = sqlite3.sqlite_version_info
    fixed = version_info >= (3, 51, 3)
    return [
        ["ok", "Python", sys.version.split()[0]],
        [
            "ok" if fixed else "note",
            "SQLite",
            sqlite3.sqlite_version
            + ("" if fixed else "; 3.51.3 and later fix a rare corruption bug: consider upgrading"),
        ],
        ["ok", "Datasette", version("datasette")],
    ]


def _file(database: str) -> list[list[str]]:
    """Return findings about the file; an error that stops the checks is the last one."""
    findings = []
    try:
        with (
            storage.storage_errors(database),
            contextlib.closing(storage.connect(database)) as connection,
        ):
            findings.append(["ok", "file", f"{database}, schema {schema.SCHEMA_VERSION}"])
            findings += [["note", "file", connection.note]] if connection.note else []
            findings.append(_integrity(connection))
            findings.append(_sequence(connection))
            findings += _disk(connection, database)
            if seqs := scrub.pending(connection):
                says = f"scrub pending of {scrub.named(seqs)}: the next command that writes does it"
                findings.append(["problem", "erasure", says])
            if kept := mirror.mirror_of(connection):
                since = prose.instant(kept.since, log.time_zone(connection))
                says = f"of {kept.origin}, kept in step by import jsonl since {since}"
                findings.append(["note", "mirror", f"{says}: write into the original"])
            if following := follows_of(connection):
                since = prose.instant(following.since, log.time_zone(connection))
                says = f"{following.origin}, at {following.url}, since {since}"
                findings.append(["note", "follows", f"{says}: not for writing"])
                if following.problem:
                    findings.append(["problem", "follows", following.problem])
            findings += _node(connection)
            findings += _inbox(connection, database)
            findings.append(_clock(connection, database))
            findings += _zone(connection)
            tables.check(connection, database)
            tables.check_rules(connection, database)
            findings.append(["ok", "tables", "of the version that this Timeline reads"])
    except TimelineError as error:
        findings.append(["problem", "file", str(error)])
    return findings


def _integrity(connection: sqlite3.Connection) -> list[str]:
    (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return ["ok" if result == "ok" else "problem", "pages", result]


def _sequence(connection: sqlite3.Connection) -> list[str]:
    count, newest = connection.execute("SELECT count(*), max(seq) FROM log").fetchone()
    dense = count == newest + 1
    return ["ok" if dense else "problem", "log", f"{count:,} entries, the newest is #{newest}"]


def _node(connection: sqlite3.Connection) -> Iterator[list[str]]:
    """Yield of which cluster the file is a node, and a note about an append in doubt."""
    if node := node_of(connection):
        says = f"{node.name}, a {node.role} of {node.cluster}, with its log up to message"
        yield ["ok", "node", f"{says} {node.message:,} of generation {node.generation}"]
        if node.doubt is not None:
            says = "nobody knows yet whether an append was stored: the next command that writes"
            yield ["note", "node", f"{says} finds it out"]


def _inbox(connection: sqlite3.Connection, database: str) -> Iterator[list[str]]:
    """Yield what waits in the inbox beside the file; one that cannot be read is a problem."""
    try:
        inbox = Inbox.to_read(database)
        if inbox is None:
            return
        with inbox:
            stock = inbox.stock(connection)
    except TimelineError as error:
        yield ["problem", "inbox", str(error)]
        return
    waiting = "nothing waits"
    if stock.since:
        since = prose.instant(stock.since, log.time_zone(connection))
        waiting = f"waiting: proposals {stock.proposals:,}, drafts {stock.drafts:,}, since {since}"
    yield ["ok", "inbox", f"{waiting}; {_bytes(stock.size)}"]


def _clock(connection: sqlite3.Connection, database: str) -> list[str]:
    """Find out whether an append would be refused because of the clock."""
    try:
        return ["ok", "clock", clock.utc(check_clock(connection, database))]
    except ClockBehind as behind:
        return ["problem", "clock", str(behind)]
    except ClockLeapt as leapt:
        return ["note", "clock", str(leapt)]


def _zone(connection: sqlite3.Connection) -> Iterator[list[str]]:
    """Yield a note if the package tzdata of this machine lacks the time zone of the log."""
    from importlib.metadata import version

    zone = str(log.info(connection).get("time_zone", "UTC"))
    if zone != log.time_zone(connection):
        says = f"tzdata {version('tzdata')} lacks {zone}, so days end in UTC: upgrade tzdata"
        yield ["note", "time zone", says]


def _disk(connection: sqlite3.Connection, database: str) -> Iterator[list[str]]:
    """Yield how large the file is, and a problem for each work that has too little free room.

    Measured on a file of 155 MB: VACUUM writes a copy into the temporary folder of SQLite, and one
    beside the file, into the write-ahead log; to publish makes two beside each other.
    """
    path = Path(database).absolute()
    size = sum(each.stat().st_size for each in (path, *storage.beside(path)) if each.exists())
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    free = shutil.disk_usage(path.parent).free
    yield ["ok", "disk", f"{_bytes(size)}, journal mode {mode}, {_bytes(free)} free"]
    files, taken = connection.execute(
        "SELECT count(*), total(length(body)) FROM media_bytes"
    ).fetchone()
    if files:
        yield [
            "ok",
            "media",
            f"{files:,} {'file' if files == 1 else 'files'} of {_bytes(taken)},"
            f" {taken / size:.0%} of the disk space; to erase one takes {_bytes(2 * size)} of free"
            f" room, to publish {_bytes(3 * size)}",
        ]
    for work, copies in (("erase an entry", 1), ("publish a copy beside it", 2)):
        needed = Counter({path.parent: copies * size})
        temporary = storage.temporary_folder()
        is_same = temporary.stat().st_dev == path.parent.stat().st_dev
        needed[path.parent if is_same else temporary] += size
        for folder, room in needed.items():
            free = shutil.disk_usage(folder).free
            if free < room:
                says = f"to {work} takes {_bytes(room)} in {folder}, which has {_bytes(free)} free"
                yield ["problem", "disk", says]


def _bytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
