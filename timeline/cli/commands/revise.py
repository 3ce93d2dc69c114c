"""Define the commands that change an event: update, correct, retract, reinstate, merge."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from typing import Any

import click

from timeline.cli import output
from timeline.cli.appending import (
    appending,
    citations,
    described_figures,
    language_of,
    print_receipt,
    quote_named,
    recorded_sources,
    typed_date,
    with_coordinates,
)
from timeline.cli.opening import opened_to_append
from timeline.cli.options import (
    CiteWords,
    Command,
    all_of,
    at_option,
    cite_options,
    dry_run_option,
    edit_option,
    expect_option,
    figure_options,
    is_dry_run,
    json_option,
    said_options,
    writing_options,
)
from timeline.errors import InvalidInput
from timeline.model import field_paths, strict_json
from timeline.model.content import Said
from timeline.model.typed_dates import stale
from timeline.model.validation import validate
from timeline.reading.rows import EventDict
from timeline.writing.new_citations import new_citations
from timeline.writing.receipt import Receipt


def _change(
    database: str,
    operation: str,
    event: str,
    words: dict[str, Any],
    expect: int | None,
    as_json: bool,
    into: str | None = None,
) -> None:
    """Append one operation on the event that `event` means, and print the receipt.

    `into` means the event that stays when two are merged.
    """
    said = validate(Said, words)
    with opened_to_append(database) as timeline:
        into_ids = [timeline.resolve(into)[0]] if into is not None else []
        event_id, version = timeline.resolve(event)
        with appending(timeline) as append:
            receipt: Receipt = getattr(append, operation)(
                event_id, *into_ids, said, expect=expect or version
            )
    print_receipt(receipt, as_json, *into_ids)


def _changes(assignments: tuple[str, ...], language: str) -> list[tuple[str, Any]]:
    """Return the changes by path that --set describes; `language` is that of the log."""
    changes: list[tuple[str, Any]] = []
    for assignment in assignments:
        path, equals, value = _parts(assignment)
        if not equals or not path:
            raise InvalidInput("set", f'"{assignment}" is not PATH=VALUE, such as place.name=Odesa')
        if path in _OCCURRED and value.strip():
            changes += typed_date(path, value, language).fields.items()
            continue
        if field_paths.steps(path)[-1] == "dated" and value.strip():
            changes.append((path, typed_date(path, value, language).edtf))
            continue
        is_json = value.lstrip().startswith(("[", "{"))
        try:
            changes.append((path, strict_json.parse_json(value) if is_json else value))
        except InvalidInput as error:
            raise InvalidInput(path, error.problem) from None
    return changes


_set_option = click.option(
    "--set",
    "assignments",
    metavar="PATH=VALUE",
    multiple=True,
    help="Such as title=..., place.country=UA, /quantities/0/value=35, or tags.-=talks to "
    "add one; an empty value removes the field. May be repeated.",
)


_replace_option = click.option(
    "--replace",
    metavar="N",
    type=click.IntRange(1),
    help="Put the --figure in place of figure N of `timeline show`, instead of adding it.",
)


def _revise(
    database: str,
    operation: str,
    event: str,
    *,
    assignments: tuple[str, ...],
    replace: int | None,
    edit: bool,
    point: dict[str, str] | None,
    cites: tuple[CiteWords, ...],
    expect: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Update or correct the event that `event` means by paths, figures and sources."""
    figures = {name: options.pop(name) for name in ("figures", "sources")}
    if edit:
        if assignments or replace or point or cites or any(figures.values()):
            raise click.UsageError("say what changes in the form of --edit, or by options")
        from timeline.cli.edit import revise_by_form

        print_receipt(revise_by_form(database, operation, event, options, expect), as_json)
        return
    if operation == "correct" and options["reason"] is None:
        raise click.UsageError("say why it was wrong: --reason TEXT")
    if not (assignments or point or cites or figures["figures"] or figures["sources"]):
        raise click.UsageError(
            "say what changes: --set PATH=VALUE, --figure, --source, --cite or --edit"
        )
    if replace and len(figures["figures"]) != 1:
        raise click.UsageError("--replace goes with one --figure")
    said = validate(Said, options)
    with opened_to_append(database) as timeline:
        event_id, version = timeline.resolve(event)
        with appending(timeline) as append, quote_named():
            changes = with_coordinates(_changes(assignments, language_of(timeline)))
            changes += ((f"place.{axis}", text) for axis, text in (point or {}).items())
            source_ids = recorded_sources(append, figures, said)
            before = timeline.get(event_id)
            changes += ((path, None) for path in stale([path for path, _ in changes], before))
            changes += _additions(
                before,
                described_figures(timeline, figures, source_ids),
                dict.fromkeys(source_ids.values()),
                citations(timeline, append, cites, said),
                replace,
            )
            receipt: Receipt = getattr(append, operation)(
                event_id, changes, said, expect=expect or version
            )
    typed = [value.strip() for path, _, value in map(_parts, assignments) if path in _OCCURRED]
    print_receipt(dataclasses.replace(receipt, typed=typed[-1] if typed else None), as_json)
    if is_dry_run() and not as_json:
        _print_changes(before, changes)


def _print_changes(before: EventDict, changes: Iterable[tuple[str, Any]]) -> None:
    """Print what a dry run would change, field by field."""
    for path, value in changes:
        known = field_paths.value_at(before, path)
        old, new = (_in_words(each) for each in (known, value))
        if old != new:
            output.echo(output.change(path, old or None, new or "(removed)"))


def _in_words(value: Any) -> str:
    """Return a value of a change as text; an object without its empty fields."""
    if isinstance(value, dict):
        value = {name: each for name, each in value.items() if each not in (None, [], ())}
    is_text = value is None or isinstance(value, str)
    return str(value or "") if is_text else json.dumps(value, ensure_ascii=False, default=str)


_OCCURRED = ("occurred", "/occurred")


def _parts(assignment: str) -> tuple[str, str, str]:
    """Return path, equals sign and value of a PATH=VALUE of --set."""
    path, equals, value = assignment.partition("=")
    return path.strip(), equals, value


def _additions(
    event: EventDict,
    figures: list[dict[str, Any]],
    source_ids: Iterable[str],
    cited: Iterable[dict[str, str]],
    replace: int | None,
) -> list[tuple[str, Any]]:
    """Return the changes by path that add or replace figures, and cite sources."""
    count = len(event.get("quantities", ()))
    if replace and replace > count:
        raise InvalidInput("replace", f"there is no figure {replace}: the event has {count}")
    where = f"quantities.{replace - 1}" if replace else "quantities.-"
    return [
        *((where, figure) for figure in figures),
        *new_citations(event, [*({"source_id": key} for key in source_ids), *cited]),
    ]


def _revision(reason_option: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a decorator that adds the argument and the options of update and correct."""
    return all_of(
        click.argument("event"),
        _set_option,
        at_option,
        figure_options,
        cite_options,
        _replace_option,
        edit_option,
        reason_option,
        expect_option,
        said_options,
        writing_options,
        dry_run_option,
        json_option,
        click.pass_obj,
    )


@click.command("update", cls=Command)
@_revision(click.option("--reason", metavar="TEXT", help="Why, in a few words."))
def update_command(database: str, /, event: str, **options: Any) -> None:
    """Change fields of EVENT, or add figures: the story moved on.

    EVENT is an id or any unique beginning of one; ID@3 means that it must be at version 3.
    """
    _revise(database, "update", event, **options)


@click.command("correct", cls=Command)
@_revision(click.option("--reason", metavar="TEXT", help="Why it was wrong; required."))
def correct_command(database: str, /, event: str, **options: Any) -> None:
    """Correct fields or figures of EVENT that were wrong, and say why.

    EVENT is an id or any unique beginning of one; ID@3 means that it must be at version 3.
    """
    _revise(database, "correct", event, **options)


@click.command("retract", cls=Command)
@click.argument("event")
@click.option("--reason", metavar="TEXT", required=True, help="Why it is withdrawn.")
@expect_option
@said_options
@writing_options
@dry_run_option
@json_option
@click.pass_obj
def retract_command(
    database: str, /, event: str, expect: int | None, as_json: bool, **words: str | None
) -> None:
    """Withdraw EVENT from the timeline, with a reason.

    It stays readable, marked as retracted.
    """
    _change(database, "retract", event, words, expect, as_json)


@click.command("reinstate", cls=Command)
@click.argument("event")
@click.option("--reason", metavar="TEXT", help="Why, in a few words.")
@expect_option
@said_options
@writing_options
@dry_run_option
@json_option
@click.pass_obj
def reinstate_command(
    database: str, /, event: str, expect: int | None, as_json: bool, **words: str | None
) -> None:
    """Take back a retraction or a merge of EVENT."""
    _change(database, "reinstate", event, words, expect, as_json)


@click.command("merge", cls=Command)
@click.argument("event")
@click.option("--into", metavar="EVENT", required=True, help="The event that stays.")
@click.option("--reason", metavar="TEXT", help="Why, in a few words.")
@expect_option
@said_options
@writing_options
@dry_run_option
@json_option
@click.pass_obj
def merge_command(
    database: str, /, event: str, into: str, expect: int | None, as_json: bool, **words: str | None
) -> None:
    """Merge EVENT into another one."""
    _change(database, "merge", event, words, expect, as_json, into)
