"""Define the command that puts a backup in the place of a timeline: restore."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from timeline.cli import output
from timeline.cli.opening import to_change, zone_of
from timeline.cli.options import Command, dry_run_option, is_dry_run
from timeline.formats import prose
from timeline.writing.restore_backup import Compared, RestoredBackup, restore_backup


@click.command("restore", cls=Command)
@click.argument("backup", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@dry_run_option
@click.pass_obj
def restore_command(database: str, /, backup: Path) -> None:
    """Put a backup in the place of the timeline.

    BACKUP is a copy of the file. It is verified first, and stays as it is. While another program
    has the timeline open, nothing is done. The old file is kept beside the new one, and the
    entries that only the old file has are listed.
    """
    with to_change(database) as file:
        with output.Progress("entries") as progress:
            done = restore_backup(
                file,
                backup,
                progress=lambda part, count: progress(count, f"of the {part}"),
            )
        restored = "Would restore" if is_dry_run() else "Restored"
        entries = f"{done.size:,} entries, verified."
        output.echo(output.wrapped(f"{restored} {database} from {backup}: {entries}"))
        if done.kept:
            if not is_dry_run():
                output.echo(f"The file as it was before: {done.kept}")
            _print(file, done, done.kept)
    if done.node:
        output.echo_note(
            f"the file is {done.node.name}, a node of {done.node.cluster}: timeline cluster follow"
            " brings what the cluster has and the backup lacks"
        )
    elif done.old_node:
        output.echo_note(
            f"the old file was a node of {done.old_node.cluster}, and the backup is none: the file"
            " is a log of its own now; timeline cluster join makes it a node again"
        )


def _print(database: str, done: RestoredBackup, kept: Path) -> None:
    """Print what the old file has and the backup lacks."""
    if done.compared is None:
        output.echo_note(
            "the old file cannot be read, so nobody knows which of its entries the backup lacks"
        )
        return
    found = done.compared
    if found.absent:
        _print_absent(database, found, kept, is_node=done.node is not None)
    else:
        output.echo("Every entry of the old file is in the backup.")
    if found.revived:
        seqs = ", ".join(f"#{seq}" for seq in found.revived)
        output.echo_note(f"erased in the old file, and readable again now: {seqs}; erase it again")
    if found.texts:
        output.echo_note(
            f"{found.texts:,} texts of sources are in the old file only: timeline capture adds them"
        )


def _print_absent(database: str, found: Compared, kept: Path, *, is_node: bool) -> None:
    what = "1 entry" if found.absent == 1 else f"{found.absent:,} entries"
    zone = zone_of(database)
    output.echo(output.wrapped(f"Only the old file has {what}:"))
    rows = [
        [f"#{seq}", kind, subject.partition("/")[2] or subject, prose.instant(recorded_at, zone)]
        for seq, kind, subject, recorded_at in found.first
    ]
    output.echo(output.table(rows, 2))
    if more := found.absent - len(rows):
        output.echo(f"  and {more:,} more")
    if found.goes_on:
        output.echo(output.wrapped("The backup has other entries instead: it is another log."))
        return
    if is_node or is_dry_run():
        return
    output.echo("To add them:")
    command = f"timeline -d {shlex.quote(str(kept))} export jsonl"
    output.echo(f"  {command} | timeline -d {shlex.quote(database)} import jsonl -")
