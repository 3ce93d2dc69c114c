"""Define the command that shows or changes what the log says about itself: about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from timeline.api import Timeline
from timeline.cli import output
from timeline.cli.appending import appending
from timeline.cli.opening import opened_to_append
from timeline.cli.options import Command, author_option, json_option, writing_options
from timeline.model.content import Said
from timeline.model.validation import validate

_FIELDS = (
    "title",
    "description",
    "publisher",
    "contact",
    "homepage",
    "origin",
    "licence",
    "language",
    "time_zone",
    "notice",
)
"""The fields that are shown, in this order."""


@click.command("about", cls=Command)
@click.option("--title", metavar="T", help="What the timeline is called.")
@click.option("--description", metavar="TEXT", help="What it is about, in a few sentences.")
@click.option("--publisher", metavar="NAME", help="Who keeps it.")
@click.option(
    "--contact",
    metavar="LINE",
    help="How to reach the publisher: best the address of a role, not of a person.",
)
@click.option("--homepage", metavar="URL", help="The page of the publisher.")
@click.option("--licence", help="Licence of its content, such as CC-BY-4.0.")
@click.option("--language", metavar="TAG", help="Language of its content, such as en.")
@click.option(
    "--time-zone",
    metavar="ZONE",
    help="The zone in which days begin and end, for all entries; the tables are made again.",
)
@click.option("--notice", help="A warning that every page shows.")
@click.option("--reason", metavar="TEXT", help="Why; published.")
@author_option
@writing_options
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@json_option
@click.pass_obj
def about_command(
    database: str,
    /,
    reason: str | None,
    author: str | None,
    dry_run: bool,
    as_json: bool,
    **fields: str | None,
) -> None:
    """Show or change what the log says about itself.

    Options change fields, and an empty value takes a field out: --notice "". The origin, which
    proofs and addresses are named after, never changes.
    """
    changes = {field: value for field, value in fields.items() if value is not None}
    said = validate(Said, {"reason": reason, "author": author})
    with (opened_to_append if changes else Timeline.open)(database) as timeline:
        before = _fields(timeline.info)
        if not changes:
            _print(before, as_json=as_json)
            return
        with appending(timeline, dry_run=dry_run) as append:
            receipt = append.update_log(changes, said)
            after = _fields(append.info)
    if as_json:
        names = ("kind", "entry_id", "seq", "version", "recorded_at", "notes")
        fields_of_receipt = output.receipt_fields(receipt)
        output.dump({**after, "receipt": {name: fields_of_receipt[name] for name in names}})
        return
    output.echo_receipt(receipt, dry_run=dry_run)
    for field, value in after.items():
        if value != before[field]:
            label = field.replace("_", " ")
            output.echo(output.change(label, before[field] or "none", value or "none"))
    for note in receipt.notes:
        output.echo_note(note)


def _fields(info: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the fields of a log, with the defaults of those that it leaves out."""
    return {field: info.get(field) for field in _FIELDS} | {
        "language": info.get("language", "en"),
        "time_zone": info.get("time_zone", "UTC"),
    }


def _print(fields: dict[str, str | None], *, as_json: bool) -> None:
    if as_json:
        output.dump(fields)
        return
    rows = [[field.replace("_", " "), value] for field, value in fields.items() if value]
    output.echo(output.table(rows))
