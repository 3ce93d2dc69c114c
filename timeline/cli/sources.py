"""The commands about sources: capture."""

from __future__ import annotations

from typing import Any

import click

from timeline import article, vocabulary
from timeline.cli import output
from timeline.cli.appending import appending
from timeline.cli.options import json_option, said_options
from timeline.errors import InvalidInput, InvalidValue
from timeline.facade import Timeline
from timeline.model import Said
from timeline.sentences import sentences
from timeline.validation import validate


@click.command("capture")
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--title", metavar="TEXT", help="Its headline or title.")
@click.option("--publisher", metavar="NAME", help="Who published it.")
@click.option("--url", metavar="URL", help="Where it is; how the source is found again.")
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
@click.option("--html", "is_html", is_flag=True, help="It is HTML, whatever it looks like.")
@said_options
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@json_option
@click.pass_obj
def capture_command(
    database: str,
    /,
    file: str,
    is_html: bool,
    reported_at: str | None,
    author: str | None,
    dry_run: bool,
    as_json: bool,
    **fields: Any,
) -> None:
    """Keep the text of a source, so that quotes can be held to it.

    FILE is text in UTF-8, kept as it is, or HTML, of which the article is kept; - is stdin.
    The same text again adds nothing; a changed one updates the source, and names the
    citations whose quote no longer stands in it.
    """
    said = validate(Said, {"reported_at": reported_at, "author": author})
    document = _read(file, is_html=is_html)
    with Timeline.open(database) as timeline, appending(timeline, dry_run=dry_run) as append:
        receipt = append.capture(fields, document, said)
        lost = append.lost_quotes(receipt.id)
    characters, count = len(document.text), len(sentences(document.text))
    if as_json:
        output.dump(
            {
                **output.receipt_fields(receipt),
                "text_sha256": article.sha256(document.text.encode()),
                "characters": characters,
                "sentences": count,
                "lost_quotes": lost,
            }
        )
    else:
        output.echo_receipt(receipt, dry_run=dry_run)
        output.echo(output.dim(f"  {_counted(count, 'sentence')}, {characters:,} characters"))
    for each in lost:
        output.echo_note(
            f"{each['event_id']}: what it quotes does not stand in {each['source_id']}:"
            f" {vocabulary.shown(each['quote'])}"
        )


def _read(name: str, *, is_html: bool) -> article.Document:
    """The document in a file, or on stdin. Raises InvalidInput, which names the file."""
    is_html = is_html or name.lower().endswith((".html", ".htm", ".xhtml"))
    shown = "stdin" if name == "-" else name
    try:
        with click.open_file(name, "rb") as file:
            return article.read(file.read(article.LONGEST_HTML + 1), is_html=is_html)
    except InvalidValue as error:
        raise InvalidInput(shown, error.problem) from None
    except OSError as error:
        raise InvalidInput(shown, f"cannot be read: {error.strerror}") from None


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
