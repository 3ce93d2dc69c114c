"""Define the command that records events: append."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

import click

from timeline.api import Timeline
from timeline.cli import output
from timeline.cli.appending import (
    KeptReceipts,
    appending,
    citations,
    described_figures,
    language_of,
    naming,
    print_receipt,
    quote_named,
    recorded_sources,
    typed_date,
)
from timeline.cli.input_excerpts import excerpted
from timeline.cli.input_kinds import check_kind
from timeline.cli.input_places import InputPlaces
from timeline.cli.opening import opened, opened_to_append
from timeline.cli.options import (
    Command,
    at_option,
    cite_options,
    edit_option,
    encoding_option,
    figure_options,
    ignore_column_option,
    json_option,
    said_options,
    spans_option,
    writing_options,
)
from timeline.errors import AlreadyRecorded, InvalidInput, TimelineError
from timeline.model import strict_json, text_files
from timeline.model.content import Said
from timeline.model.typed_dates import resolved
from timeline.model.validation import validate
from timeline.reading.former_dates import FormerDates
from timeline.writing.entries import NO_WORDS
from timeline.writing.event_statement import InputPlace

if TYPE_CHECKING:
    from timeline.formats.sheet.reading import Sheet


@click.command("append", cls=Command)
@click.argument("file", required=False, type=click.File("rb"))
@click.option("--nl", is_flag=True, help="One JSON object per line.")
@click.option("--csv", is_flag=True, help="A sheet with the columns of `timeline template`.")
@click.option("--tsv", is_flag=True, help="As --csv, but separated by tabs.")
@spans_option
@ignore_column_option
@encoding_option
@edit_option
@click.option("--title", metavar="TEXT", help="What happened, in one line.")
@click.option("--occurred", metavar="DATE", help='Such as "15 April 2025" or an EDTF date.')
@click.option("--summary", metavar="TEXT", help="A few sentences.")
@click.option("--type", "event_type", metavar="TYPE", help="Code or label, such as Consultation.")
@click.option("--place", metavar="NAME", help="Where it happened.")
@click.option("--country", metavar="COUNTRY", help="Code or English name.")
@at_option
@click.option("--actor", "actors", metavar="NAME", multiple=True, help="May be repeated.")
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="May be repeated.")
@figure_options
@cite_options
@click.option("--id", "event_id", metavar="ID", help="Its id; made up if not given.")
@said_options
@writing_options
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
    spans: bool,
    ignored: tuple[str, ...],
    encoding: str | None,
    edit: bool,
    reported_at: str | None,
    author: str | None,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Record events from a FILE, options or a form, all or none.

    FILE is a JSON object or an array of them, each with the fields of `timeline schema`, or a
    sheet; - is stdin. An event that is recorded already with the same content stays as it is.
    """
    given = {name: value for name, value in options.items() if value not in (None, ())}
    if edit and file:
        raise click.UsageError("--edit goes with options, not with a FILE")
    if edit and "cites" in given:
        raise click.UsageError("--cite and --quote go without --edit: the form has both")
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
    if (spans or ignored or encoding) and not (csv or tsv):
        option = "--spans" if spans else "--ignore-column" if ignored else "--encoding"
        raise click.UsageError(f"{option} goes with --csv or --tsv")
    words = {"reported_at": reported_at, "author": author}
    if edit:
        from timeline.cli.edit import append_by_form

        print_receipt(
            append_by_form(database, given, words, dry_run=dry_run), as_json, dry_run=dry_run
        )
        return
    said = validate(Said, words) if any(words.values()) else NO_WORDS
    if file:
        check_kind(file, is_sheet=csv or tsv, is_lines=nl)
    with naming(getattr(file, "name", "-")) if file else contextlib.nullcontext():
        read = _statements(file, nl=nl) if file and not (csv or tsv) else None
        sheet = (
            _sheet(file, "\t" if tsv else None, encoding, ignored) if file and not read else None
        )
    receipts = KeptReceipts()
    places = InputPlaces()
    delimiter = "\t" if tsv else None
    with (
        excerpted(file, is_sheet=csv or tsv, delimiter=delimiter, as_json=as_json),
        opened_to_append(database) as timeline,
        output.Progress("events") as progress,
        appending(timeline, dry_run=dry_run) as append,
        contextlib.ExitStack() as stack,
    ):
        connect = functools.cache(lambda: stack.enter_context(opened(database))[0])
        former = FormerDates(connect)
        rows = None
        if sheet:
            from timeline.cli.sheet_statements import SheetStatements

            rows = SheetStatements(connect(), former, sheet, are_spans=spans)
            read = iter(rows)
        elif read is None:
            source_ids = recorded_sources(append, given, said)
            date = given["occurred"]
            given["occurred"] = former.date_of(given) or date
            described = _described(timeline, given, source_ids)
            described["citations"] += citations(timeline, append, given.get("cites", ()), said)
            read = iter([(None, date, described)])
        else:
            read = _resolved(read, language_of(timeline))
        with naming(getattr(file, "name", "-")) if file else _options_named():
            try:
                for receipt in append.record_placed(_placed(read, former, places), said):
                    receipts.append(places.told(receipt))
                    progress(receipts.count)
            except TimelineError as error:
                if rows:
                    raise rows.refusal(append, said, receipts.count, error) from None
                if isinstance(error, AlreadyRecorded):
                    raise places.refused(error, receipts) from None
                raise
    if as_json:
        output.dump_each(map(output.receipt_fields, receipts))
    else:
        if not receipts.count:
            output.echo("No events.", err=True)
        for receipt in receipts:
            output.echo_receipt(receipt, dry_run=dry_run)
    for note in (*former.notes, *(rows.notes if rows else ()), *places.notes(receipts)):
        output.echo_note(note)


_FIELDS = {
    "event_id": "id",
    "event_type": "type",
    "participants": "actor",
    "tags": "tag",
    "quantities": "figure",
    "citations": "source",
    "place.name": "place",
    "place.country": "country",
    "place.lat": "at",
    "place.lon": "at",
}
"""The options of append that set a field of an event, by the beginning of its path."""


@contextlib.contextmanager
def _options_named() -> Iterator[None]:
    """Raise an InvalidInput about a field as one about the option that set the field."""
    try:
        with quote_named():
            yield
    except InvalidInput as error:
        for field, option in _FIELDS.items():
            if error.field == field or error.field.startswith(f"{field}."):
                raise InvalidInput(option, error.problem) from None
        raise


_ONE_A_LINE = ": write one event as a JSON object on each line, and use --nl"

TypedStatements = Iterator[tuple[int | None, str, Any]]
"""Statements, each after its line and the words of its date."""


def _placed(
    statements: TypedStatements, former: FormerDates, places: InputPlaces
) -> Iterator[tuple[InputPlace, Any]]:
    """Yield each statement after its place: its line or, if not the first there, its number.

    The date is the one in the log, if that is what its words meant `former`ly. Lines and words are
    added to `places`.
    """
    before = None
    for item, (line, words, given) in enumerate(statements, 1):
        statement = given
        if isinstance(given, dict) and (known := former.date_of(given)):
            statement = {**given, "occurred": known}
        places.add(line, words)
        is_first = line is None or line != before
        place = InputPlace(line=line) if is_first else InputPlace(item=item)
        try:
            statement = _with_points(statement)
        except InvalidInput as error:
            raise error.at(line=place.line, item=place.item)  # noqa: B904 - it is the same error
        yield place, statement
        before = line


def _with_points(statement: Any) -> Any:
    """Return a statement in JSON with its coordinates as decimal numbers. Raises InvalidInput."""
    if not isinstance(statement, dict) or not any(
        isinstance(place := statement.get(name), dict) and ("lat" in place or "lon" in place)
        for name in ("place", "about_place")
    ):
        return statement
    from timeline.model import coordinates

    return coordinates.in_statement(statement)


def _statements(file: IO[bytes], *, nl: bool) -> TypedStatements:
    """Return the statements of a file.

    A pipe is read to its end first: it may be slow, and the write lock must not wait for it.
    """
    if nl and not file.seekable():
        import tempfile

        spooled = tempfile.SpooledTemporaryFile(max_size=2**24)  # noqa: SIM115
        spooled.writelines(text_files.lines(file))
        spooled.seek(0)
        file = spooled
    found = (
        _json_lines(file) if nl else _items(text_files.decoded(text_files.whole(file, _ONE_A_LINE)))
    )
    return (
        (line, str(each.get("occurred", "")) if isinstance(each, dict) else "", each)
        for line, each in found
    )


def _resolved(statements: TypedStatements, language: str) -> TypedStatements:
    """Yield statements of JSON with their vague dates, and those in a language, as EDTF."""
    for line, words, statement in statements:
        yield line, words, resolved(statement, language)


def _sheet(
    file: IO[bytes], delimiter: str | None, encoding: str | None, ignored: tuple[str, ...]
) -> Sheet:
    from timeline.cli.sheet_questions import settle_columns
    from timeline.intake.sheet_files import opened_sheet

    content = text_files.whole(file, ": split the sheet")
    sheet = opened_sheet(content, delimiter, encoding=encoding)
    settle_columns(sheet, ignored)
    return sheet


def _items(text: str) -> Iterator[tuple[int, Any]]:
    if not text.strip():
        raise InvalidInput("", "is empty: write an event as a JSON object, or an array of them")
    try:
        yield from strict_json.parse_json_items(text)
    except InvalidInput as error:
        raise error.at(line=1)  # noqa: B904 - it is the same error


def _json_lines(file: IO[bytes]) -> Iterator[tuple[int, Any]]:
    for line, content in enumerate(text_files.lines(file), 1):
        try:
            text = text_files.decoded(content, first_line=line).strip(" \t\r\n")
            if text:
                yield line, strict_json.parse_json(text)
        except TimelineError as error:
            raise error.at(line=line)  # noqa: B904 - it is the same error


def _described(
    timeline: Timeline, options: dict[str, Any], source_ids: dict[str, str]
) -> dict[str, Any]:
    """Return the statement that the options of append describe."""
    place = {
        "name": options.get("place"),
        "country": options.get("country"),
        **options.get("point", {}),
    }
    return {
        "event_id": options.get("event_id"),
        "title": options["title"],
        "summary": options.get("summary"),
        "event_type": options.get("event_type"),
        "tags": list(options.get("tags", ())),
        **typed_date("occurred", options["occurred"], language_of(timeline)).fields,
        "place": place if any(place.values()) else None,
        "participants": [{"name": name} for name in options.get("actors", ())],
        "quantities": described_figures(timeline, options, source_ids),
        "citations": [{"source_id": source_id} for source_id in dict.fromkeys(source_ids.values())],
    }
