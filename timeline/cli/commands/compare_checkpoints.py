"""Define the command that compares two checkpoints of one log: compare."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from timeline.cli import output
from timeline.cli.fork_report import FORK, report_fork
from timeline.cli.given_keys import key_option
from timeline.cli.options import Command
from timeline.errors import ProofError, TimelineError
from timeline.mirror.history import fork_between
from timeline.mirror.prefix import open_prefix
from timeline.mirror.published_tree import published_tree
from timeline.mirror.served import LONGEST, Served, checked
from timeline.network.fetch import fetch
from timeline.proof.fork import HEADER
from timeline.proof.policy import Policy
from timeline.proof.signed_note import VerifierKey
from timeline.proof.tlog import Checkpoint, parse_checkpoint
from timeline.store import atomic, log, storage
from timeline.store.merkle import ReadHash


@click.command("compare", cls=Command)
@click.argument("first", metavar="A")
@click.argument("second", metavar="[B]", required=False)
@key_option("The verifier key of the log. May be repeated.", required=True)
@click.option(
    "--from", "source", metavar="SOURCE", help="Where the log of the larger one is published."
)
@click.option(
    "-o",
    "--output",
    "path",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the proof of a fork; default fork-A-B.txt, with the two sizes.",
)
@click.pass_obj
def compare_command(
    database: str,
    /,
    first: str,
    second: str | None,
    keys: tuple[VerifierKey, ...],
    source: str | None,
    path: Path | None,
) -> None:
    """Compare two checkpoints of a log, or check a fork file.

    A and B are files, addresses, or - for standard input: a checkpoint out of a mail, a print, or
    a partner's site. Whether the larger goes on from the smaller is read from the file of -d, or
    from the tiles at SOURCE. Exit code 3 means that two histories were signed.
    """
    if second is None:
        text = _text(first)
        if not text.startswith(HEADER):
            raise click.UsageError("Give two checkpoints, or one fork file.")
        report_fork(first, text, keys)
    given = ((_checkpoint(first, keys), "A"), (_checkpoint(second, keys), "B"))
    (one, smaller), (other, larger) = sorted(given, key=lambda each: each[0].checkpoint.size)
    small, large = one.checkpoint, other.checkpoint
    if small.origin != large.origin:
        raise TimelineError(f"these are of two logs, {small.origin} and {large.origin}")
    if small == large:
        output.echo("The same.")
        return
    with _reading(database, source, large) as read_hash:
        fork = fork_between(one.note, other.note, read_hash)
    if fork is None:
        sizes = f"{small.size:,} -> {large.size:,}"
        output.echo(f"{larger} goes on from {smaller}: {sizes} entries.")
        return
    fork.verify(keys)
    target = path or Path(f"fork-{small.size}-{large.size}.txt")
    atomic.put(target, str(fork).encode())
    output.echo(
        output.wrapped(
            f"ALARM: {small.origin} has signed two histories, of {small.size:,} and of "
            f"{large.size:,} entries. The proof, for anybody, is in {target}."
        )
    )
    sys.exit(FORK)


def _checkpoint(name: str, keys: tuple[VerifierKey, ...]) -> Served:
    try:
        return checked(*parse_checkpoint(_text(name)), Policy.of_keys(keys))
    except ProofError as error:
        raise TimelineError(f"{name}: {error}") from None


def _text(name: str) -> str:
    """Read a checkpoint or a fork file from a file, an address, or standard input."""
    try:
        if name.startswith(("http://", "https://")):
            return fetch(name, longest=LONGEST).decode()
        with click.open_file(name, "rb") as file:
            return str(file.read(3 * LONGEST).decode())
    except UnicodeDecodeError:
        raise TimelineError(f"{name}: is not UTF-8") from None
    except OSError as error:
        raise TimelineError(f"{name}: cannot be read: {error.strerror}") from None


@contextlib.contextmanager
def _reading(database: str, source: str | None, larger: Checkpoint) -> Iterator[ReadHash]:
    """Yield what reads the tree of the larger checkpoint, wherever there is one."""
    if source:
        with open_prefix(source) as prefix:
            yield published_tree(prefix, larger).read_hash
        return
    if Path(database).exists():
        with contextlib.closing(storage.connect(database)) as connection:
            if _has(connection, larger):
                yield log.read_hash(connection)
                return
    yield _nothing


def _nothing(level: int, number: int) -> bytes:
    """Stand in for a tree that is not here; two checkpoints of one size need none."""
    raise TimelineError(
        "nothing here has the tree of the larger one: give --from SOURCE, where the log is "
        "published, or -d FILE, a copy of it"
    )


def _has(connection: sqlite3.Connection, wanted: Checkpoint) -> bool:
    is_long_enough = log.size(connection) >= wanted.size
    return is_long_enough and log.root_at(connection, wanted.size) == wanted.root
