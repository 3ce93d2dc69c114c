"""Define the command that keeps the text of a source: capture."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from timeline.api import Timeline
from timeline.cli import output
from timeline.cli.appending import appending, language_of, typed_date
from timeline.cli.opening import opened_to_append
from timeline.cli.options import Command, json_option, said_options, writing_options
from timeline.errors import InvalidInput, InvalidValue, Refused
from timeline.intake.captured_before import source_meant
from timeline.model import hints
from timeline.model.content import Said
from timeline.model.validation import validate
from timeline.store import storage
from timeline.store.rows import RowDict
from timeline.texts.document import Document, read, sha256
from timeline.texts.pdf import LONGEST_PDF
from timeline.texts.quotes import alike
from timeline.texts.sentences import sentences
from timeline.writing.receipt import Receipt
from timeline.writing.stated_facts import Chosen, chosen
from timeline.writing.writer import Append

_DATES = frozenset(("published", "accessed"))
_OPTIONS = {"authors": "written-by"}
"""The name of the option for a field, where it has another name."""


@click.command("capture", cls=Command)
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--title", metavar="TEXT", help="Its headline or title.")
@click.option("--publisher", metavar="NAME", help="Who published it.")
@click.option("--url", metavar="URL", help="Its address, by which the source is found again.")
@click.option("--published", metavar="DATE", help="When it was published.")
@click.option("--id", "source_id", metavar="ID", help="Its id; made up if not given.")
@click.option(
    "--written-by", "authors", metavar="NAME", multiple=True, help="Who wrote it. May be repeated."
)
@click.option("--archive-url", metavar="URL", help="An archived copy.")
@click.option("--accessed", metavar="DATE", help="When it was read.")
@click.option("--language", metavar="TAG", help="Such as en or uk.")
@click.option("--licence", metavar="TEXT", help="Licence of its text.")
@click.option(
    "--reliability",
    type=click.Choice("ABCDEF"),
    help="Admiralty code: A reliable to E unreliable; F cannot be judged.",
)
@click.option(
    "--another", is_flag=True, help="Record another source, though one has the same address."
)
@click.option("--html", "is_html", is_flag=True, help="Read it as HTML, whatever its name.")
@click.option("--keep-hidden", is_flag=True, help="HTML: also keep what its readers do not see.")
@click.option(
    "--quote",
    "quotes",
    metavar="WORDS",
    multiple=True,
    help="Words of its text that --event shall cite. May be repeated.",
)
@click.option("--event", metavar="ID", help="The event that cites the source for each --quote.")
@said_options
@writing_options
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@json_option
@click.pass_obj
def capture_command(
    database: str,
    /,
    file: str,
    another: bool,
    is_html: bool,
    keep_hidden: bool,
    quotes: tuple[str, ...],
    event: str | None,
    reported_at: str | None,
    author: str | None,
    dry_run: bool,
    as_json: bool,
    **fields: Any,
) -> None:
    """Keep the text of a source, so that quotes can be checked.

    FILE is text in UTF-8, kept as it is, HTML, of which the article is kept, or PDF, of which
    the text is kept page by page; - is stdin. What a page says of itself is taken over: title,
    publisher, url, authors, published, language, licence. An option says otherwise;
    --publisher "" leaves the publisher empty.
    The same text again adds nothing. A changed text updates the source, and the citations
    whose quote is no longer in it are listed. If another source has the same address, you are
    asked, or told what to add. --quote and --event cite the source in the same go.
    """
    if bool(quotes) != (event is not None):
        raise click.UsageError("--quote and --event go together")
    said = validate(Said, {"reported_at": reported_at, "author": author})
    given = {name: value for name, value in fields.items() if any(value or ())}
    emptied = {name for name, value in fields.items() if value in ("", ("",))}
    document = _read_document(file, is_html=is_html, keep_hidden=keep_hidden)
    stated = chosen(document.stated, given.keys() | emptied)
    with opened_to_append(database) as timeline:
        language = language_of(timeline)
        for name in _DATES & given.keys():
            given[name] = typed_date(name, given[name], language).edtf
        if not another:
            source_id, another = _source_meant(timeline, given, stated, document)
            if source_id != given.get("source_id"):
                given = {**given, "source_id": source_id, "url": None}
        with appending(timeline, dry_run=dry_run) as append:
            receipt = append.capture(
                given,
                document,
                said,
                stated=stated.fields,
                emptied=emptied,
                another=another,
            )
            new = _uncited(timeline, event, receipt.id, quotes) if event else []
            citing = _cite(timeline, append, event, receipt.id, new, said) if event else None
            lost = append.lost_quotes(receipt.id)
    characters, count = len(document.text), len(sentences(document.text))
    if as_json:
        output.dump(
            {
                **output.receipt_fields(receipt),
                "text_sha256": sha256(document.text.encode()),
                "characters": characters,
                "sentences": count,
                "hidden_passages": document.hidden_passages,
                "stated": stated.fields,
                "cited_by": citing and output.receipt_fields(citing),
                "lost_quotes": lost,
            }
        )
    else:
        output.echo_receipt(receipt, dry_run=dry_run)
        output.echo(output.dim(f"  {_counted(count, 'sentence')}, {characters:,} characters"))
        if stated.fields and not receipt.unchanged:
            what = "PDF" if document.media_type == "application/pdf" else "page"
            output.echo(f"From the {what}:")
            output.echo(output.table([*_shown(stated)], 2))
        if citing:
            output.echo_receipt(citing, dry_run=dry_run)
            output.echo(output.table([["cites", hints.quoted(each)] for each in new], 2))
    for note in (*stated.notes, *receipt.notes):
        output.echo_note(note)
    if document.hidden_passages:
        passages = _counted(document.hidden_passages, "hidden passage")
        output.echo_note(f"left out: {passages}, which readers do not see")
    for each in lost:
        output.echo_note(_lost(each))


def _source_meant(
    timeline: Timeline, given: Mapping[str, Any], stated: Chosen, document: Document
) -> tuple[str | None, bool]:
    """Return the id of the source that gets the text, and whether it is another one.

    If another source has the same address, a person may be asked. Raises Refused if nobody is at
    a terminal.
    """
    with contextlib.closing(storage.connect(timeline.path)) as connection:
        meant = source_meant(connection, given, stated, document)
    if not meant.others:
        return meant.source_id, False
    answer = _asked(meant.others)
    return (meant.source_id, True) if answer is None else (answer, False)


def _asked(rows: Mapping[str, RowDict]) -> str | None:
    """Ask a person which of the sources with an address is updated; None for another one."""
    ids = ", ".join(rows)
    has = "has" if len(rows) == 1 else "have"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused(
            f"{ids} {has} this address already: --id {next(iter(rows))} updates it, --another"
            " records another source"
        )
    output.echo(f"{'A source has' if len(rows) == 1 else 'Sources have'} this address:", err=True)
    shown = [[each, row["title"] or row["url"]] for each, row in rows.items()]
    output.echo(output.table(shown, 2), err=True)
    answer: str = click.prompt(
        "Update it, or record another source? Type its id, or another",
        type=click.Choice([*rows, "another"]),
        err=True,
    )
    return None if answer == "another" else answer


def _uncited(timeline: Timeline, event: str, source_id: str, quotes: Sequence[str]) -> list[str]:
    """Return the quotes that an event does not cite from a source yet."""
    known = [
        cited.get("quote", "")
        for cited in timeline.get(timeline.resolve(event)[0]).get("citations", ())
        if cited.get("source_id") == source_id
    ]
    return [quote for quote in quotes if not any(alike(quote, each) for each in known)]


def _cite(
    timeline: Timeline,
    append: Append,
    event: str,
    source_id: str,
    quotes: Sequence[str],
    said: Said,
) -> Receipt | None:
    """Let an event cite a source for each quote; return None if there is none.

    Raises InvalidInput, with the nearest sentence, for a quote that is not in the text.
    """
    if not quotes:
        return None
    event_id, version = timeline.resolve(event)
    citations = [("citations.-", {"source_id": source_id, "quote": quote}) for quote in quotes]
    try:
        return append.update(event_id, citations, said, expect=version)
    except InvalidInput as error:
        if re.fullmatch(r"citations\.\d+\.quote", error.field):
            raise InvalidInput("quote", error.problem) from None
        raise


def _shown(stated: Chosen) -> Iterator[list[str]]:
    """Yield what the page says of itself: option, value, and where the page says it."""
    for field, value in stated.fields.items():
        text = value if isinstance(value, str) else "; ".join(value)
        yield [_OPTIONS.get(field, field), f"{text} ({stated.where[field]})"]


def _lost(citation: dict[str, Any]) -> str:
    return (
        f"{citation['event_id']}: its quote is not in {citation['source_id']}:"
        f" {hints.quoted(citation['quote'])}"
    )


def _read_document(name: str, *, is_html: bool, keep_hidden: bool) -> Document:
    """Read the document in a file, or on stdin. Raises InvalidInput, which names the file."""
    is_html = is_html or name.lower().endswith((".html", ".htm", ".xhtml"))
    shown = "stdin" if name == "-" else name
    try:
        with click.open_file(name, "rb") as file:
            content = file.read(LONGEST_PDF + 1)
            return read(content, is_html=is_html, keep_hidden=keep_hidden)
    except InvalidValue as error:
        raise InvalidInput(shown, error.problem) from None
    except OSError as error:
        raise InvalidInput(shown, f"cannot be read: {error.strerror}") from None


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
