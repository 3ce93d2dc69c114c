"""Define what a form or a proposal asks of the writer, and carry it out.

Guarantees: the documents of a proposal are captured in the append of its statement. The author is
the person, and `proposed_by` the program; neither is ever taken from what a program wrote.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from timeline.errors import InvalidInput, InvalidValue, Refused
from timeline.intake.proposals.proposal import BroughtText, Proposal
from timeline.model import edtf
from timeline.model.content import Said, Source
from timeline.model.validation import validate
from timeline.reading import query
from timeline.reading.sources import sources_by_id
from timeline.texts.document import Document
from timeline.writing.new_citations import new_citations
from timeline.writing.receipt import Receipt
from timeline.writing.statements import Statements

_NAMES_OF_PERSONS = frozenset(("author", "proposed_by"))
"""What a statement may say about itself, but a program may not."""


class DeskOperation(NamedTuple):
    """One operation of the writer, as a form or a proposal describes it."""

    kind: Literal["record", "update", "correct", "retract", "reinstate", "merge", "comment"]
    event_id: str | None = None
    """The event that is changed; the source of a comment; None for a new event."""
    expect: int | None = None
    record: Mapping[str, Any] = {}
    """The new event."""
    changes: Sequence[tuple[str, Any]] = ()
    """New values by path."""
    into: str | None = None
    sentences: Sequence[int] = ()
    reason: str | None = None
    reported_at: str | None = None
    documents: Sequence[BroughtText] = ()
    """Texts that are captured first, in the same append."""


def operation_of(log: sqlite3.Connection, proposal: Proposal) -> DeskOperation:
    """Return the operation that a proposal describes, as it is. Raises NotFound."""
    changes = [*proposal.changes.items()]
    if "occurred" in proposal.changes and "occurred_text" not in proposal.changes:
        changes.append(("occurred_text", None))  # the words of the old date say nothing of this one
    if proposal.cite and proposal.subject:
        changes += new_citations(query.get(log, proposal.subject), proposal.cite)
    cited = proposal.cite or proposal.record.get("citations", ())
    return DeskOperation(
        proposal.kind,
        event_id=proposal.subject,
        expect=proposal.expect,
        reported_at=day_of_report(log, cited),
        record=proposal.record,
        changes=changes,
        into=proposal.into,
        sentences=proposal.sentences,
        reason=proposal.reason,
        documents=proposal.documents,
    )


def day_of_report(log: sqlite3.Connection, citations: Any) -> str | None:
    """Return the day on which a cited source was published, the first whose day is known, or None.

    A source that comes with its citation is looked at as it is given. `citations` may be malformed.
    """
    for citation in citations if isinstance(citations, list | tuple) else ():
        if not isinstance(citation, Mapping):
            continue
        source_id = citation.get("source_id")
        source = citation.get("source")
        if isinstance(source_id, str):
            source = sources_by_id(log, [source_id]).get(source_id)
        published = source.get("published") if isinstance(source, Mapping) else None
        with contextlib.suppress(InvalidValue):
            if isinstance(published, str) and edtf.parse(published).precision == "day":
                return published.rstrip("?~%") if "/" not in published else None
    return None


def carry_out(
    append: Statements,
    operation: DeskOperation,
    *,
    author: str | None,
    proposed_by: str | None,
    entry_id: str,
) -> Receipt:
    """Carry out one operation in an append that is open, with its documents before it.

    If the log has the entry already, the first receipt is returned, and nothing is captured. Raises
    the errors of the writer, and Refused for a new event that is there already under another entry.
    """
    said = validate(
        Said,
        {
            "author": author,
            "proposed_by": proposed_by,
            "reason": operation.reason,
            "reported_at": operation.reported_at,
        },
    )
    texts = _Brought(append, operation.documents, said, is_new=not append.receipt(entry_id))
    event_id = operation.event_id or ""
    changes = [(path, texts.cited(value)) for path, value in operation.changes]
    guards: dict[str, Any] = {"expect": operation.expect, "entry_id": entry_id}
    match operation.kind:
        case "record":
            receipt = append.record(_own(texts.cited(operation.record)), said, entry_id=entry_id)
        case "update":
            receipt = append.update(event_id, changes, said, **guards)
        case "correct":
            receipt = append.correct(event_id, changes, said, **guards)
        case "retract":
            receipt = append.retract(event_id, said, **guards)
        case "reinstate":
            receipt = append.reinstate(event_id, said, **guards)
        case "merge":
            receipt = append.merge(event_id, operation.into or "", said, **guards)
        case "comment":
            receipt = _commented(append, operation, said, entry_id)
    if receipt.entry_id != entry_id:
        raise Refused(f"event {receipt.id} says all of this already: reject it as a double")
    return replace(receipt, notes=(*texts.notes, *receipt.notes))


def _own(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new event without the words that only a person may say about it."""
    return {field: value for field, value in record.items() if field not in _NAMES_OF_PERSONS}


def _commented(append: Statements, operation: DeskOperation, said: Said, entry_id: str) -> Receipt:
    """Mark sentences of a source as commentary; the reason is that of the marks."""
    source_id = operation.event_id or ""
    if not operation.reason:
        raise InvalidInput("reason", "is required: say in a few words why")
    if not append.has("source", source_id):
        raise InvalidInput("comment", f'there is no source "{source_id}" in this log')
    sentences = append.coverage(source_id).sentences
    for number in operation.sentences:
        if not 1 <= number <= len(sentences):
            problem = f"{number} is none of the sentences 1 to {len(sentences):,}"
            raise InvalidInput("sentences", problem)
    chosen = (sentences[number - 1] for number in operation.sentences)
    spans = [(sentence.start, sentence.end) for sentence in chosen]
    words = said.model_copy(update={"reason": None})
    return append.mark_source(source_id, spans, operation.reason, words, entry_id=entry_id)


class _Brought:
    """The texts that an operation brings are sources of the log, by which its citations go."""

    def __init__(
        self, append: Statements, documents: Sequence[BroughtText], said: Said, *, is_new: bool
    ) -> None:
        """Keep the documents; if the entry is not `is_new`, only find the sources of them."""
        self.notes: list[str] = []
        self._sources: list[tuple[Source, str]] = []
        words = Said(author=said.author)
        for document in documents:
            text = Document(document.text)
            if is_new:
                receipt = append.capture(document.source, text, words)
                source_id: str | None = receipt.id
                self.notes += receipt.notes
            else:
                source_id = append.captured_as(document.source, text)
            if source_id:
                self._sources.append((document.source, source_id))

    def cited(self, value: Any) -> Any:
        """Return a value in which each source that was captured is cited by its id."""
        if isinstance(value, Mapping):
            inline = value.get("source")
            source_id = self._captured(inline) if isinstance(inline, Mapping) else None
            if source_id:
                rest = {name: each for name, each in value.items() if name != "source"}
                return {**rest, "source_id": source_id}
            return {name: self.cited(each) for name, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.cited(each) for each in value]
        return value

    def _captured(self, inline: Mapping[str, Any]) -> str | None:
        """Return the id of the captured source with the same id, else the same url or title."""
        if not self._sources:
            return None
        named = validate(Source, inline)
        for name in ("source_id", "url", "title"):
            for source, source_id in self._sources:
                if getattr(named, name) and getattr(named, name) == getattr(source, name):
                    return source_id
        return None
