"""Define the command that removes the content of entries from the file for good: erase."""

from __future__ import annotations

import contextlib
import sqlite3
import textwrap
from collections.abc import Sequence
from typing import Any

import click

from timeline.cli import output
from timeline.cli.appending import settle_clock
from timeline.cli.opening import opened_to_append
from timeline.cli.options import (
    Command,
    dry_run_option,
    fork_option,
    is_dry_run,
    json_option,
    yes_option,
)
from timeline.errors import Ambiguous, NotFound, Refused, StoreError
from timeline.intake.proposals.inbox import Inbox
from timeline.projection import tables
from timeline.reading import query
from timeline.reading.references import resolve_entry, resolve_event
from timeline.store import log, storage
from timeline.store.files import FILE, name_of, named_files
from timeline.store.node import node_of
from timeline.writing.erasure import Erasure

_FEW = 8
"""The most places that are listed for one text."""


@click.command("erase", cls=Command)
@click.argument("entries", metavar="ENTRY...", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why. It is published: do not repeat the words.")
@click.option("--author", metavar="HANDLE", envvar="TIMELINE_AUTHOR", help="Who erases; published.")
@yes_option
@fork_option
@dry_run_option
@json_option
@click.pass_obj
def erase_command(
    database: str,
    /,
    entries: tuple[str, ...],
    reason: str,
    author: str | None,
    as_json: bool,
) -> None:
    """Erase the content of entries for good.

    For a court order, or a person's rights. ENTRY is #41, or EVENT@3 for the entry that made
    version 3 of an event. The entry itself stays, with its time and its event, and every proof
    still holds. Other versions of an event repeat its words: erase each of them. media/0a12 takes
    out the bytes of an attached file, from all events that show it, and no words. If another
    program is still reading old pages, the exit code is 1; the next command that writes then
    finishes the erasure.
    """
    with opened_to_append(database) as timeline:
        settle_clock(timeline)
        with contextlib.closing(storage.connect(database)) as connection:
            tables.check(connection, database)
            ids = [_entry_id(connection, text) for text in entries]
            node = node_of(connection)
            if is_dry_run():
                _print_intent(connection, entries, ids, as_json)
                return
        with output.Progress("entries") as progress:
            done = timeline.erase(ids, reason=reason, author=author, progress=progress)
    waiting = _in_inbox(database, done.texts)
    for text, places in waiting.items():
        done.elsewhere.setdefault(text, []).extend(places)
    if as_json:
        output.dump(_fields(done))
    else:
        _print(entries, done)
    if waiting:
        output.echo_note(
            "the inbox still has some of these words: decide what waits there, then run"
            " timeline review --purge 0"
        )
    if node:
        output.echo_note(
            "the servers of the cluster keep the words until timeline cluster rewrite, and each"
            " other node until it follows: timeline cluster status names the nodes that are away"
        )


def _print_intent(
    connection: sqlite3.Connection, entries: Sequence[str], ids: Sequence[str], as_json: bool
) -> None:
    """Print what would be erased; the words are looked up elsewhere only when they are erased."""
    found = [log.entry_by_id(connection, each) for each in ids]
    if as_json:
        output.dump(
            {
                "would_erase": [
                    {"entry_id": each, "seq": entry and entry.seq}
                    for each, entry in zip(ids, found, strict=True)
                ]
            }
        )
        return
    for text, entry in zip(entries, found, strict=True):
        what = f"entry {entry.seq}, {entry.kind} {entry.subject}" if entry else ""
        output.echo(output.flow(["would be erased", output.bold(text), output.one_line(what)]))


def _in_inbox(database: str, texts: Sequence[str]) -> dict[str, list[str]]:
    """Return where the inbox still has the texts; an inbox that cannot be read is a note."""
    try:
        inbox = Inbox.to_read(database)
        if inbox is None:
            return {}
        with inbox:
            found = {text: inbox.holding(text) for text in texts}
    except StoreError as error:
        output.echo_note(f"the inbox may still have the words: {error}")
        return {}
    return {text: places for text, places in found.items() if places}


def _fields(done: Erasure) -> dict[str, Any]:
    """Return what was erased as JSON."""
    return {
        "erased": [
            {
                "erased_entry_id": receipt.id,
                "entry_id": receipt.entry_id,
                "seq": receipt.seq,
                "recorded_at": receipt.recorded_at,
                "unchanged": receipt.unchanged,
            }
            for receipt in done.receipts
        ],
        "elsewhere": [{"text": text, "places": places} for text, places in done.elsewhere.items()],
        "files": [{"file": name, "named_by": places} for name, places in done.files.items()],
    }


def _print(entries: Sequence[str], done: Erasure) -> None:
    for text, receipt in zip(entries, done.receipts, strict=True):
        what = "erased already" if receipt.unchanged else "erased"
        output.echo(output.flow([what, output.bold(text), f"by entry {receipt.seq}"]))
    if done.elsewhere:
        output.echo(output.wrapped("The same words are still in these places:"))
        rows = [
            [textwrap.shorten(text, 40, placeholder=" ..."), _few(places)]
            for text, places in done.elsewhere.items()
        ]
        output.echo(output.table(rows, 2))
    for name, places in done.files.items():
        if places:
            output.echo(output.wrapped(f"{name[:14]} is named by {_few(places)}"))
    output.echo(
        output.wrapped(
            "Copies that were made before - backups, publications, exports - still contain it."
        )
    )


def _few(places: list[str]) -> str:
    more = len(places) - _FEW
    return ", ".join(places[:_FEW]) + (f" and {more:,} more" if more > 0 else "")


def _entry_id(connection: sqlite3.Connection, text: str) -> str:
    """Return the id of the entry that a text means.

    The text is #41, EVENT@3, the id of an event with one version, or the id of an entry.
    """
    if text.startswith(FILE):
        return _file(connection, text)
    if not text.startswith("#") and "@" not in text:
        if (known := log.entry_by_id(connection, text)) and known.subject != f"event/{text}":
            return known.id
        event_id, _ = resolve_event(connection, text)
        versions = [f"#{row['seq']}" for row in query.history(connection, event_id)]
        if len(versions) > 1:
            raise Refused(
                f"event {event_id} has {len(versions)} versions, and each may repeat the words: "
                f"name entries, of {' '.join(versions)}"
            )
    entry = log.entry_at(connection, resolve_entry(connection, text))
    if entry is None:
        raise NotFound("entry", text)
    return entry.id


def _file(connection: sqlite3.Connection, text: str) -> str:
    """Return the whole name of the attached file whose name begins with a text."""
    names = sorted(map(name_of, named_files(connection)))
    found = [name for name in names if name.startswith(text)]
    if not found:
        raise NotFound("file", text)
    if len(found) > 1:
        raise Ambiguous("file", text, found)
    return found[0]
