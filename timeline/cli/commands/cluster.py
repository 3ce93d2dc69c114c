"""Define the commands about a log that several sites write: cluster init, join, follow and more."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from timeline.cli import output
from timeline.cli.opening import opened_node
from timeline.cli.options import Command, CommandGroup, json_option, yes_option
from timeline.errors import Unreachable
from timeline.model.plurals import counted

if TYPE_CHECKING:
    from timeline.cluster.node import ClusterNode
    from timeline.store.node import Node

_node_option = click.option(
    "--node", "name", metavar="NODE", help="Name of this node; default the name of this machine."
)
_monitor_option = click.option(
    "--monitor",
    "monitors",
    metavar="URL",
    multiple=True,
    help="The monitor of a server, such as http://h1:8222. Repeat it for each server.",
)


@click.group("cluster", cls=CommandGroup)
def cluster_command() -> None:
    """Write one timeline at several sites.

    Several servers keep it, and each site has all of it in a file of its own.

    ADDRESS is nats://HOST,HOST,HOST/NAME: the servers of a NATS cluster, and the name of the log
    there. Read docs/cluster.md first: it says whether you need a cluster.
    """


@cluster_command.command("init", cls=Command)
@click.argument("address")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@_node_option
@_monitor_option
def init_command(address: str, file: str, name: str | None, monitors: tuple[str, ...]) -> None:
    """Put the log of FILE on a cluster. FILE becomes its first node.

    No byte of an entry changes. If the command is broken off, repeat it. With --monitor, servers
    that may lose what they acknowledged are refused.
    """
    from timeline.cluster import membership, servers
    from timeline.cluster.address import ClusterAddress

    cluster = ClusterAddress.parse(address)
    servers.check_durable(monitors)
    with output.Progress("entries") as progress:
        done = membership.init(cluster, file, name or _machine(), progress=progress)
    _echo_node(file, done)
    output.echo(output.dim(f"the next node: timeline cluster join {cluster} FILE"))


@cluster_command.command("join", cls=Command)
@click.argument("address")
@click.argument("file", type=click.Path(dir_okay=False))
@_node_option
@click.option("--read-only", is_flag=True, help="Never write on this node.")
@click.option("--with-texts", is_flag=True, help="Fetch the texts of sources to a reader, too.")
def join_command(
    address: str, file: str, name: str | None, read_only: bool, with_texts: bool
) -> None:
    """Make FILE a node of a cluster, and bring it up to date.

    If there is no FILE, it is made. If FILE is a copy of the log, such as a backup or a
    publication, only the rest is read.
    """
    from timeline.cluster import membership
    from timeline.cluster.address import ClusterAddress

    cluster = ClusterAddress.parse(address)
    membership.join(cluster, file, name or _machine(), reads_only=read_only, with_texts=with_texts)
    with opened_node(file) as node, output.Progress("entries"):
        node.catch_up()
        node.share()
        row = node.row
        _echo_notes(node)
    _echo_node(file, row)


@cluster_command.command("follow", cls=Command)
@click.option("--once", is_flag=True, help="Read what is new, and end.")
@click.option(
    "--metrics",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write figures for Prometheus into FILE, every 10 seconds.",
)
@click.pass_obj
def follow_command(database: str, /, once: bool, metrics: Path | None) -> None:
    """Read what other sites write, until the command is stopped.

    It stops between two transactions at SIGTERM or Ctrl-C. If the cluster does not answer, it
    says so once, and goes on trying.
    """
    from timeline.cluster.metrics import MetricsFile

    figures = MetricsFile(metrics) if metrics else None
    noted = 0

    def each(node: ClusterNode) -> None:
        nonlocal noted
        noted += len(node.notes)
        _echo_notes(node)
        if figures:
            figures.write(node, noted)

    with opened_node(database) as node:
        if once:
            added = node.catch_up()
            node.share()
            each(node)
            new = counted(added, "new entry", "new entries")
            output.echo(f"{new}; the log has {node.row.size:,}.")
            return
        lost = False

        def looked(problem: Unreachable | None) -> None:
            nonlocal lost
            if problem and not lost:
                output.echo_note(f"{problem}; trying again")
            elif lost and not problem:
                output.echo_note("the cluster answers again")
            lost = problem is not None
            each(node)

        with _stopped_by_signals(node):
            node.follow(looked)


@cluster_command.command("status", cls=Command)
@json_option
@click.pass_obj
def status_command(database: str, /, as_json: bool) -> None:
    """List the nodes: how far each one is, and what it lacks.

    The exit code is 1 if a node is behind, is away, or has another log.
    """
    from timeline.cluster.health import ClusterHealth

    with opened_node(database) as node:
        _print(ClusterHealth(node).status(), as_json=as_json)


@cluster_command.command("doctor", cls=Command)
@_monitor_option
@json_option
@click.pass_obj
def doctor_command(database: str, /, monitors: tuple[str, ...], as_json: bool) -> None:
    """Check the servers and the nodes for problems.

    Each line is ok, a note, or a problem; with a problem the exit code is 1. Without --monitor,
    the servers are not asked about themselves.
    """
    from timeline.cluster.health import ClusterHealth

    with opened_node(database) as node:
        _print(ClusterHealth(node).doctor(monitors), as_json=as_json)


@cluster_command.command("rewrite", cls=Command)
@click.option("--lost", is_flag=True, help="The cluster's log is gone or damaged: use this file's.")
@yes_option
@click.pass_obj
def rewrite_command(database: str, /, lost: bool) -> None:
    """Write the log to the cluster again, without erased words.

    All nodes move to the new stream; then the old one is deleted. Sites can write meanwhile, but
    for a moment. If the command is broken off, repeat it. With --lost, what only other nodes have
    is given up: --yes confirms it.
    """
    from timeline.cluster import rewriting

    allowed = bool(click.get_current_context().meta.get("timeline.yes"))
    with opened_node(database) as node, output.Progress("entries") as progress:
        sentence = rewriting.rewrite(node, lost=lost, allow_loss=allowed, progress=progress)
        _echo_notes(node)
    output.echo(output.wrapped(sentence))


@cluster_command.command("leave", cls=Command)
@click.pass_obj
def leave_command(database: str, /) -> None:
    """Leave the cluster: the file becomes a log of its own."""
    from timeline.cluster import membership

    with opened_node(database) as node:
        cluster = node.row.cluster
        membership.leave(node)
    output.echo(output.wrapped(f"{database} has left {cluster}: from now on it is its own log."))


@cluster_command.command("forget", cls=Command)
@click.argument("name", metavar="NODE")
@click.pass_obj
def forget_command(database: str, /, name: str) -> None:
    """Give up a node that will not come back.

    Nothing waits for it any more.
    """
    from timeline.cluster import membership

    with opened_node(database) as node:
        membership.forget(node, name)
    output.echo(output.wrapped(f"Node {name} is forgotten. If its file follows again, it returns."))


def _print(findings: list[list[str]], *, as_json: bool) -> None:
    if as_json:
        output.dump([dict(zip(("finding", "about", "says"), row, strict=True)) for row in findings])
    else:
        output.echo(output.table(findings))
    if any(finding == "problem" for finding, *_ in findings):
        sys.exit(1)


def _machine() -> str:
    """Return the name of this machine as the name of a node."""
    short = socket.gethostname().partition(".")[0].lower()
    return "".join(each if each.isascii() and each.isalnum() else "-" for each in short)[:31]


@contextlib.contextmanager
def _stopped_by_signals(node: ClusterNode) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C stop a node that follows, while the block runs."""
    before = {
        number: signal.signal(number, lambda *_: node.stop())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _echo_node(file: str, row: Node) -> None:
    entries = counted(row.size, "entry", "entries")
    output.echo(output.wrapped(f"{file} is node {row.name} of {row.cluster}: {entries}."))


def _echo_notes(node: ClusterNode) -> None:
    for note in node.notes:
        output.echo_note(note)
    node.notes.clear()
