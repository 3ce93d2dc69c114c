"""Keep an article that is being captured as a draft, and say what capturing it would do.

Guarantees: the text that a draft has is the text that will be kept, letter for letter. What
capturing would do is found out by doing it in a dry run.

The fields of such a draft are JSON: `kind` is "capture"; `values` are pairs of name and text;
`document` is the text with what is known of its file; `typed` is a text that could not be read;
`article` is the source of which this is a newer text, and `meant` the answer to whether it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from timeline.desk.visit import Desk, Upload
from timeline.errors import InvalidInput, InvalidValue, NotFound, TimelineError
from timeline.intake.captured_before import SourceMeant, source_meant
from timeline.model import typed_dates
from timeline.model.content import Said, Source
from timeline.model.validation import problems, validate
from timeline.reading.sources import sources_by_id
from timeline.store import log as stored_log
from timeline.store.rows import RowDict, as_dicts
from timeline.texts.document import Document, read, sha256
from timeline.texts.page_facts import Stated
from timeline.writing.receipt import Receipt
from timeline.writing.stated_facts import chosen
from timeline.writing.writer import Append

CaptureFields = dict[str, Any]
FIELDS = ("url", "title", "publisher", "published", "language")
"""What a person may say about an article; the page itself may say more."""
ANOTHER = "another"
"""The answer that an article with a known address is another one."""
_LONGEST_HEADLINE = 150
"""Characters of a first line that may be a headline."""


class Unread(Exception):
    """A form without a text that can be kept has the `field` that it is about, and a sentence."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem


# --- Drafts of captures -------------------------------------------------------------------


def empty(source: Mapping[str, Any] | None = None) -> CaptureFields:
    """Return the fields of a new draft; with a source, of one that will be its newer text."""
    values = [(name, (source or {}).get(name) or "") for name in FIELDS]
    article = source["source_id"] if source else ""
    return {
        "kind": "capture",
        "values": [[name, value] for name, value in values],
        "document": None,
        "typed": "",
        "article": article,
        "meant": "",
    }


def values_of(fields: CaptureFields) -> dict[str, str]:
    """Return what a draft says about the article, by the names of the fields."""
    return dict(fields["values"])


def with_values(fields: CaptureFields, values: Mapping[str, str]) -> CaptureFields:
    """Return the fields of a draft in which these values are said."""
    said = {**values_of(fields), **values}
    return {**fields, "values": [[name, said[name].strip()] for name in FIELDS]}


def text_of(fields: CaptureFields) -> str:
    """Return the text of a draft: that which will be kept, or that which cannot be read."""
    document = fields["document"]
    return str(document["text"] if document else fields["typed"])


def document_of(fields: CaptureFields) -> Document | None:
    """Return the document of a draft; None if it has none that can be kept."""
    kept = fields["document"]
    if not kept:
        return None
    stated = (
        Stated(field, tuple(value) if isinstance(value, list) else value, where)
        for field, value, where in kept["stated"]
    )
    return Document(**{**kept, "stated": tuple(stated)})


def with_document(fields: CaptureFields, document: Document) -> CaptureFields:
    """Return the fields of a draft with a text, of which the empty fields are filled."""
    found = {**fields, "document": document._asdict(), "typed": ""}
    said = {name: value for name, value in values_of(fields).items() if value}
    filled = chosen(document.stated, said.keys()).fields
    if "title" not in filled and not fields["article"] and (headline := _headline(document.text)):
        filled = {**filled, "title": headline}
    return with_values(found, {**{name: filled[name] for name in FIELDS if name in filled}, **said})


def _headline(text: str) -> str:
    """Return the first line of a text if it may be its headline; else an empty text."""
    first, _, rest = text.strip().partition("\n")
    first = " ".join(first.split())
    is_one = rest.strip() and len(first) <= _LONGEST_HEADLINE and first[-1:] not in ".,;:"
    return first if is_one and not problems(Source, {"title": first})[1] else ""


def document_sent(
    fields: CaptureFields, upload: Upload | None, typed: str, pasted_html: str
) -> Document:
    """Return the document that a form has: a file, else what was pasted, else what was typed.

    A text that the draft has already keeps what is known of its file. Raises Unread.
    """
    if upload:
        is_html = upload.name.lower().endswith((".html", ".htm", ".xhtml"))
        try:
            return read(upload.content, is_html=is_html)
        except InvalidValue as error:
            raise Unread("file", f"{upload.name} {error.problem}") from None
        except TimelineError as error:
            raise Unread("file", str(error)) from None
    typed = _with_line_feeds(typed)
    kept = document_of(fields)
    if kept and _with_line_feeds(kept.text) == typed:
        return kept
    if not typed.strip():
        raise Unread("text", "Paste the text of the article, or choose its file")
    return _pasted(pasted_html) or _typed(typed)


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _pasted(html: str) -> Document | None:
    """Return the article in HTML that was pasted; None if there is none: the text is there too."""
    try:
        return read(html.encode(), is_html=True) if html.strip() else None
    except (TimelineError, UnicodeEncodeError):
        return None


def _typed(text: str) -> Document:
    try:
        return read(text.strip("\n").encode("utf-8", "surrogatepass"))
    except InvalidValue as error:
        raise Unread("text", f"The text {error.problem}") from None
    except TimelineError as error:
        raise Unread("text", str(error)) from None


# --- What capturing would do --------------------------------------------------------------


class CaptureOutcome(NamedTuple):
    """Says what capturing a draft did, or would do."""

    receipt: Receipt
    lost_quotes: Sequence[RowDict]
    """The citations whose quote is not in the new text."""


class CapturePlan(NamedTuple):
    """Holds what a draft asks `Append.capture` for."""

    given: Mapping[str, Any]
    emptied: Collection[str]
    is_another: bool
    others: Mapping[str, RowDict]
    """The sources with the same address, if the person has to say which one is meant."""


def plan(desk: Desk, fields: CaptureFields) -> tuple[CapturePlan | None, list[tuple[str, str]]]:
    """Return what a draft asks for, or None and its problems: id of a field and a sentence."""
    document = document_of(fields)
    if document is None:
        return None, [("text", "Paste the text of the article, or choose its file")]
    said = values_of(fields)
    given: dict[str, Any] = {name: said[name] for name in FIELDS if said[name]}
    wrong = [*_read_date(desk, given)]
    wrong += [(each.path, each.text) for each in problems(Source, {"title": "a", **given})[1]]
    if not (given.get("title") or given.get("url") or fields["article"]):
        wrong.append(("title", "Give a title or an address: by one of them the article is found"))
    if wrong:
        return None, wrong
    if fields["article"]:
        given["source_id"] = fields["article"]
    meant = source_meant(desk.log, given, chosen(document.stated, FIELDS), document)
    others, is_another = meant.others, False
    if others and fields["meant"] == ANOTHER:
        others, is_another = {}, True
    elif others and fields["meant"] in others:
        meant, others = SourceMeant(fields["meant"]), {}
    source_id = meant.source_id
    if source_id and source_id != given.get("source_id"):
        given = {**given, "source_id": source_id}
        given.pop("url", None)
    before = sources_by_id(desk.log, [source_id]).get(source_id, {}) if source_id else {}
    emptied = [name for name in FIELDS if before.get(name) and not said[name] and name != "url"]
    return CapturePlan(given, emptied, is_another, others), []


def _read_date(desk: Desk, given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Put the date that a person typed into EDTF; yield the problem with it, if there is one."""
    if "published" not in given:
        return
    language = str(stored_log.info(desk.log).get("language", "en"))
    try:
        given["published"] = typed_dates.read(given["published"], language=language).edtf
    except InvalidValue as error:
        del given["published"]
        yield "published", error.problem


def captured(
    append: Append, fields: CaptureFields, asked: CapturePlan, author: str | None
) -> CaptureOutcome:
    """Keep the text of a draft. Raises Refused for an erased text, and the errors of the writer."""
    document = document_of(fields)
    if document is None:
        raise InvalidInput("text", "is empty")
    stated = chosen(document.stated, FIELDS)
    receipt = append.capture(
        asked.given,
        document,
        validate(Said, {"author": author}),
        stated=stated.fields,
        emptied=asked.emptied,
        another=asked.is_another,
    )
    return CaptureOutcome(receipt, append.lost_quotes(receipt.id))


def same_text(desk: Desk, fields: CaptureFields) -> list[RowDict]:
    """Return the sources that have the text of a draft already."""
    found = desk.log.execute(
        "SELECT * FROM sources WHERE text_sha256 = ? ORDER BY seq",
        (sha256(text_of(fields).encode()),),
    )
    return [*as_dicts(found)]


def also_stated(fields: CaptureFields) -> list[tuple[str, str]]:
    """Return what else the page says of itself and the source will take over: label and value."""
    document = document_of(fields)
    found = chosen(document.stated, FIELDS).fields if document else {}
    labels = {"authors": "Written by", "licence": "Licence of its text"}
    return [
        (labels.get(name, name), value if isinstance(value, str) else "; ".join(value))
        for name, value in found.items()
    ]


def draft_fields(desk: Desk, draft_id: str) -> CaptureFields:
    """Return the fields of a draft of a capture. Raises NotFound."""
    draft = desk.inbox.draft(draft_id)
    if draft.fields.get("kind") != "capture":
        raise NotFound("draft", draft_id, "it is none of an article")
    return draft.fields
