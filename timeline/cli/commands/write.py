"""The commands that add entries: append, update, correct, retract, reinstate, merge."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

import click

from timeline.api import Timeline
from timeline.cli import output
from timeline.cli.appending import Receipts, appending, figure, source_id
from timeline.cli.options import (
    all_of,
    edit_option,
    expect_option,
    figure_options,
    json_option,
    said_options,
)
from timeline.errors import InvalidInput, TimelineError
from timeline.model import strict_json
from timeline.model.content import Said, Statement
from timeline.model.validation import validate
from timeline.writing.writer import Append, Receipt


@click.command("append")
@click.argument("file", required=False, type=click.File("rb"))
@click.option("--nl", is_flag=True, help="One JSON object a line.")
@click.option("--csv", is_flag=True, help="A sheet with the columns of `timeline template`.")
@click.option("--tsv", is_flag=True, help="The same, separated by tabs.")
@edit_option
@click.option("--title", metavar="TEXT", help="What happened, in one line.")
@click.option("--occurred", metavar="DATE", help='Such as "15 April 2025" or an EDTF date.')
@click.option("--summary", metavar="TEXT", help="A few sentences.")
@click.option("--type", "event_type", metavar="TYPE", help="Code or label, such as Consultation.")
@click.option("--place", metavar="NAME", help="Where it happened.")
@click.option("--country", metavar="COUNTRY", help="Code or English name.")
@click.option("--actor", "actors", metavar="NAME", multiple=True, help="May be repeated.")
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="May be repeated.")
@figure_options
@click.option("--id", "event_id", metavar="ID", help="Its id; made up if not given.")
@said_options
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@json_option
@click.pass_obj
def append_command(
    database: str,
    /,
    file: IO[bytes] | None,
    nl: bool,
    csv: bool,
    tsv: bool,
    edit: bool,
    reported_at: str | None,
    author: str | None,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Record events from a FILE, options or a form, all or none.

    FILE is a JSON object or an array of them, each with the fields of `timeline schema`, or a
    sheet; - is stdin. An event that is recorded already with the same content is left as it is.
    """
    given = {name: value for name, value in options.items() if value not in (None, ())}
    if edit and file:
        raise click.UsageError("--edit goes with options, not with a FILE")
    if file and given:
        raise click.UsageError("give either a FILE or options that describe one event")
    if file is None and not edit and not {"title", "occurred"} <= given.keys():
        raise click.UsageError(
            "give a FILE, or - for stdin, or --edit, or at least --title and --occurred"
        )
    if nl + csv + tsv > 1:
        raise click.UsageError("give one of --nl, --csv and --tsv")
    if (nl or csv or tsv) and file is None:
        raise click.UsageError("--nl, --csv and --tsv go with a FILE")
    _check_figure_options(given)
    words = {"reported_at": reported_at, "author": author}
    if edit:
        from timeline.cli.edit import append_by_form

        _echo(append_by_form(database, given, words, dry_run=dry_run), as_json, dry_run=dry_run)
        return
    said = validate(Said, words)
    read = _read(file, nl=nl) if file and not (csv or tsv) else None
    content = file.read() if file and not read else b""
    receipts = Receipts()
    with (
        Timeline.open(database) as timeline,
        output.Progress("events") as progress,
        appending(timeline, dry_run=dry_run) as append,
    ):
        if file and not read:
            read = _sheet(database, content, "\t" if tsv else None)
        statements = read or iter([(None, _described(given, _source_ids(append, given, said)))])
        lines: deque[int | None] = deque([None])
        """Those of the statement before, and of those that were taken ahead."""
        try:
            for receipt in append.record_each(_noting(statements, lines), said):
                receipts.append(receipt)
                progress(receipts.count)
                lines.popleft()
        except TimelineError as error:
            before, line = (*lines, None)[:2]
            if line is not None and line == before:
                raise error.at(item=receipts.count + 1)  # noqa: B904 - it is the same error
            raise error.at(line=line)  # noqa: B904
    if as_json:
        output.dump_each(map(output.receipt_fields, receipts))
    else:
        if not receipts.count:
            output.echo("No events.", err=True)
        for receipt in receipts:
            output.echo_receipt(receipt, dry_run=dry_run)


def _noting(
    statements: Iterable[tuple[int | None, Any]], lines: deque[int | None]
) -> Iterator[Any]:
    """The statements, their lines put aside."""
    for line, statement in statements:
        lines.append(line)
        yield statement


def _read(file: IO[bytes], *, nl: bool) -> Iterator[tuple[int, Any]]:
    """The statements of a file, each with its line.

    A pipe is read to its end first: it may be slow, and the write lock should not wait.
    """
    if nl and not file.seekable():
        import shutil
        import tempfile

        spooled = tempfile.SpooledTemporaryFile(max_size=2**24)  # noqa: SIM115
        shutil.copyfileobj(file, spooled)
        spooled.seek(0)
        file = spooled
    return _lines(file) if nl else _items(_text(file.read()))


def _sheet(database: str, content: bytes, delimiter: str | None) -> Iterator[tuple[int, Statement]]:
    """The statements of the rows of a sheet, each with its line."""
    from timeline.cli.opening import opened
    from timeline.formats.sheet import cells, events, lookup

    with opened(database) as (connection, _):
        words = lookup.words_of(connection, cells.read(content, delimiter))
    for row in cells.read(content, delimiter):
        yield row.line, events.statement(events.normal(row, words))


def _items(text: str) -> Iterator[tuple[int, Any]]:
    if not text.strip():
        raise InvalidInput("", "is empty: write an event as a JSON object, or an array of them")
    try:
        yield from strict_json.parse_json_items(text)
    except InvalidInput as error:
        raise error.at(line=1)  # noqa: B904 - it is the same error


def _lines(file: IO[bytes]) -> Iterator[tuple[int, Any]]:
    for line, content in enumerate(file, 1):
        try:
            text = _text(content, line).strip(" \t\r\n")
            if text:
                yield line, strict_json.parse_json(text)
        except TimelineError as error:
            raise error.at(line=line)  # noqa: B904 - it is the same error


def _text(content: bytes, first_line: int = 1) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = first_line + content.count(b"\n", 0, error.start)
        problem = f"is not UTF-8: byte {content[error.start]:#04x}"
        raise InvalidInput("", problem).at(line=line) from None


def _described(options: dict[str, Any], source_ids: list[str]) -> dict[str, Any]:
    """The statement that the options of append describe."""
    place = {"name": options.get("place"), "country": options.get("country")}
    return {
        "event_id": options.get("event_id"),
        "title": options["title"],
        "summary": options.get("summary"),
        "event_type": options.get("event_type"),
        "tags": list(options.get("tags", ())),
        "occurred": options["occurred"],
        "place": place if any(place.values()) else None,
        "participants": [{"name": name} for name in options.get("actors", ())],
        "quantities": _figures(options, source_ids),
        "citations": [{"source_id": source_id} for source_id in source_ids],
    }


def _check_figure_options(options: dict[str, Any]) -> None:
    if not options.get("figures") and any(options.get(name) for name in ("said_by", "dated")):
        raise click.UsageError("--said-by and --dated go with a --figure")


def _source_ids(append: Append, options: dict[str, Any], said: Said) -> list[str]:
    """The ids of the sources that are named; one named by an address may be new."""
    return [source_id(append, source, said) for source in options.get("sources", ())]


def _figures(options: dict[str, Any], source_ids: list[str]) -> list[dict[str, Any]]:
    """The quantities that --figure, --said-by, --dated and --source describe."""
    return [
        {
            **figure(text),
            "reported_by": options.get("said_by"),
            "dated": options.get("dated"),
            "source_ids": source_ids,
        }
        for text in options.get("figures", ())
    ]


# --- Changes ------------------------------------------------------------------------------


def _change(
    database: str,
    operation: str,
    event: str,
    arguments: tuple[Any, ...],
    words: dict[str, Any],
    expect: int | None,
    as_json: bool,
    into: str = "",
) -> None:
    """Do one operation of `Append` on the event that `event` means, and print the receipt."""
    said = validate(Said, words)
    with Timeline.open(database) as timeline:
        event_id, version = timeline.resolve(event)
        with appending(timeline) as append:
            receipt: Receipt = getattr(append, operation)(
                event_id, *arguments, said, expect=expect or version
            )
    _echo(receipt, as_json, into)


def _echo(receipt: Receipt, as_json: bool, into: str = "", *, dry_run: bool = False) -> None:
    if as_json:
        output.dump(output.receipt_fields(receipt))
    else:
        output.echo_receipt(receipt, dry_run=dry_run, into=into)


def _changes(assignments: tuple[str, ...]) -> list[tuple[str, Any]]:
    """The changes by path that --set describes."""
    changes = []
    for assignment in assignments:
        path, equals, value = assignment.partition("=")
        if not equals or not path.strip():
            raise InvalidInput("set", f'"{assignment}" is not PATH=VALUE, such as place.name=Odesa')
        is_json = value.lstrip().startswith(("[", "{"))
        try:
            changes.append((path.strip(), strict_json.parse_json(value) if is_json else value))
        except InvalidInput as error:
            raise InvalidInput(path.strip(), error.problem) from None
    return changes


_set_option = click.option(
    "--set",
    "assignments",
    metavar="PATH=VALUE",
    multiple=True,
    help="Such as title=..., place.country=UA, /quantities/0/value=35, or tags.-=talks to "
    "add one; an empty value takes the field out. May be repeated.",
)


_replace_option = click.option(
    "--replace",
    metavar="N",
    type=click.IntRange(1),
    help="Put the --figure in place of the Nth that `show` lists, instead of beside them.",
)


def _revise(
    database: str,
    operation: str,
    event: str,
    *,
    assignments: tuple[str, ...],
    replace: int | None,
    edit: bool,
    expect: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Update or correct the event that `event` means by paths, figures and sources."""
    figures = {name: options.pop(name) for name in ("figures", "said_by", "dated", "sources")}
    if edit:
        if assignments or replace or any(figures.values()):
            raise click.UsageError("say what changes in the form of --edit, or by options")
        from timeline.cli.edit import revise_by_form

        _echo(revise_by_form(database, operation, event, options, expect), as_json)
        return
    if operation == "correct" and options["reason"] is None:
        raise click.UsageError("say why it was wrong: --reason TEXT")
    _check_figure_options(figures)
    changes = _changes(assignments)
    if not (changes or figures["figures"] or figures["sources"]):
        raise click.UsageError("say what changes: --set PATH=VALUE, --figure, --source or --edit")
    if replace and len(figures["figures"]) != 1:
        raise click.UsageError("--replace goes with one --figure")
    said = validate(Said, options)
    with Timeline.open(database) as timeline:
        event_id, version = timeline.resolve(event)
        with appending(timeline) as append:
            source_ids = _source_ids(append, figures, said)
            changes += _additions(
                timeline.get(event_id), _figures(figures, source_ids), source_ids, replace
            )
            receipt: Receipt = getattr(append, operation)(
                event_id, changes, said, expect=expect or version
            )
    _echo(receipt, as_json)


def _additions(
    event: dict[str, Any],
    figures: list[dict[str, Any]],
    source_ids: list[str],
    replace: int | None,
) -> list[tuple[str, Any]]:
    """The changes by path that put figures beside or in place of others, and cite sources."""
    count = len(event.get("quantities", ()))
    if replace and replace > count:
        raise InvalidInput("replace", f"there is no figure {replace}: the event has {count}")
    where = f"quantities.{replace - 1}" if replace else "quantities.-"
    cited = {citation["source_id"] for citation in event.get("citations", ())}
    return [
        *((where, figure) for figure in figures),
        *(("citations.-", {"source_id": key}) for key in source_ids if key not in cited),
    ]


def _revision(reason_option: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The argument and the options of update and correct."""
    return all_of(
        click.argument("event"),
        _set_option,
        figure_options,
        _replace_option,
        edit_option,
        reason_option,
        expect_option,
        said_options,
        json_option,
        click.pass_obj,
    )


@click.command("update")
@_revision(click.option("--reason", metavar="TEXT", help="Why, in a few words."))
def update_command(database: str, /, event: str, **options: Any) -> None:
    """The story moved on: change fields of EVENT, add figures.

    EVENT is an id or any unique beginning of one; ID@3 means that it must be at version 3.
    """
    _revise(database, "update", event, **options)


@click.command("correct")
@_revision(click.option("--reason", metavar="TEXT", help="Why it was wrong; required."))
def correct_command(database: str, /, event: str, **options: Any) -> None:
    """We were wrong: change fields or figures of EVENT, say why.

    EVENT is an id or any unique beginning of one; ID@3 means that it must be at version 3.
    """
    _revise(database, "correct", event, **options)


@click.command("retract")
@click.argument("event")
@click.option("--reason", metavar="TEXT", required=True, help="Why it should not stand.")
@expect_option
@said_options
@json_option
@click.pass_obj
def retract_command(
    database: str, /, event: str, expect: int | None, as_json: bool, **words: str | None
) -> None:
    """EVENT should not stand here, and why.

    It stays readable, marked as retracted.
    """
    _change(database, "retract", event, (), words, expect, as_json)


@click.command("reinstate")
@click.argument("event")
@click.option("--reason", metavar="TEXT", help="Why, in a few words.")
@expect_option
@said_options
@json_option
@click.pass_obj
def reinstate_command(
    database: str, /, event: str, expect: int | None, as_json: bool, **words: str | None
) -> None:
    """Take back a retraction or a merge of EVENT."""
    _change(database, "reinstate", event, (), words, expect, as_json)


@click.command("merge")
@click.argument("event")
@click.option("--into", metavar="EVENT", required=True, help="The event that stays.")
@click.option("--reason", metavar="TEXT", help="Why, in a few words.")
@expect_option
@said_options
@json_option
@click.pass_obj
def merge_command(
    database: str, /, event: str, into: str, expect: int | None, as_json: bool, **words: str | None
) -> None:
    """EVENT is the same as another one, which stays."""
    with Timeline.open(database) as timeline:
        into_id, _ = timeline.resolve(into)
    _change(database, "merge", event, (into_id,), words, expect, as_json, into_id)
