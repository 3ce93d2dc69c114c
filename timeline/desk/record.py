"""Record what a person decided: a draft, or a proposal as it is.

Guarantees: the entry has the id of the draft or the proposal, so that recording it twice, also
after a crash or after the event moved on, gives the first receipt. The author is the person, and
`proposed_by` the program; neither is ever taken from what a program wrote. The documents of a
proposal are captured in the same append: all is kept, or nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from timeline.desk import forms
from timeline.desk.operation import DeskOperation
from timeline.desk.visit import Desk
from timeline.errors import AlreadyRecorded, InvalidInput, Refused
from timeline.intake.proposals.checked import checked
from timeline.intake.proposals.checks import ProposalMark, marks
from timeline.intake.proposals.inbox import Draft, Waiting
from timeline.intake.proposals.proposal import BroughtText, Proposal
from timeline.model.content import Said, Source
from timeline.model.validation import validate
from timeline.reading import query
from timeline.texts.document import Document
from timeline.writing.new_citations import new_citations
from timeline.writing.receipt import Receipt
from timeline.writing.writer import Append

_LONGEST_PROPOSER = 100
"""Characters of `proposed_by` in an entry."""
_EDITED = " (edited)"
_NAMES_OF_PERSONS = frozenset(("author", "proposed_by"))
"""What a statement may say about itself, but a program may not."""
_OF_NEW_EVENT = ("quantities", "claims")
"""The lists of a proposed new event that can be added to another one, beside its citations."""


class NotTicked(Refused):
    """A proposal has `marks` that the person has not looked at."""

    def __init__(self, unticked: Sequence[ProposalMark]) -> None:
        count = f"{len(unticked)} marks" if len(unticked) > 1 else "1 mark"
        super().__init__(f"look at {count} first: {unticked[0].text}")
        self.marks = tuple(unticked)


# --- Operations ---------------------------------------------------------------------------


def operation_of(desk: Desk, proposal_id: str) -> DeskOperation:
    """Return the operation that a proposal describes, as it is. Raises NotFound."""
    return _operation(desk.log, desk.inbox.get(proposal_id, desk.log).proposal)


def _operation(log: sqlite3.Connection, proposal: Proposal) -> DeskOperation:
    changes = [*proposal.changes.items()]
    if proposal.cite and proposal.subject:
        changes += new_citations(query.get(log, proposal.subject), proposal.cite)
    return DeskOperation(
        proposal.kind,
        event_id=proposal.subject,
        expect=proposal.expect,
        record=proposal.record,
        changes=changes,
        into=proposal.into,
        sentences=proposal.sentences,
        reason=proposal.reason,
        documents=proposal.documents,
    )


def add_to(desk: Desk, proposal_id: str, event_id: str) -> DeskOperation:
    """Return the update that adds what a proposed new event says to another event.

    Its figures, claims and citations are added, but those that the event has. Raises NotFound, and
    Refused for a proposal that is no new event.
    """
    proposal = desk.inbox.get(proposal_id, desk.log).proposal
    if proposal.kind != "record":
        raise Refused("only a new event can be added to another one")
    event = query.get(desk.log, event_id)
    changes = [
        (f"{field}.-", item)
        for field in _OF_NEW_EVENT
        for item in proposal.record.get(field, ())
        if item not in event.get(field, ())
    ]
    return DeskOperation(
        "update",
        event_id=event_id,
        expect=event["version"],
        changes=[*changes, *new_citations(event, proposal.record.get("citations", ()))],
        reported_at=proposal.record.get("reported_at"),
        documents=proposal.documents,
    )


# --- Into the log -------------------------------------------------------------------------


def record_proposal(
    desk: Desk, proposal_id: str, *, author: str, ticked: Collection[str]
) -> Receipt:
    """Record a proposal as it is; one that is recorded already gives the first receipt.

    `ticked` has the keys of the marks that the person has looked at. Raises NotTicked for others,
    InvalidProposal for one that does not fit the log any more, such as a quote that is gone from
    its text, Refused for one that was rejected, and the errors of the writer.
    """
    waiting = desk.inbox.get(proposal_id, desk.log)
    if waiting.state != "recorded":
        _check_not_rejected(waiting)
        proposal = waiting.proposal
        found = checked(desk.log, proposal)
        everything = marks(desk.log, proposal, found, received_at=waiting.received_at)
        unticked = [mark for mark in everything if mark.key not in ticked]
        if unticked:
            raise NotTicked(unticked)
        operation = _operation(desk.log, proposal)
        # The person has seen the newest version, and that it is not the one that was changed.
        operation = operation._replace(expect=found.version if operation.expect else None)
    with desk.timeline.append() as append:
        if known := append.receipt(proposal_id):
            return known
        _check_not_rejected(desk.inbox.get(proposal_id, desk.log))
        return carry_out(
            append,
            operation,
            author=author,
            proposed_by=waiting.proposed_by[:_LONGEST_PROPOSER],
            entry_id=proposal_id,
        )


def record_draft(desk: Desk, draft_id: str, *, author: str) -> Receipt:
    """Record a draft, which stays in the inbox; the same draft again gives the first receipt.

    Raises what `forms.operation` raises, Conflict if the event moved on since the draft's version,
    Refused for the draft of a proposal that was rejected, and the errors of the writer.
    """
    draft = desk.inbox.draft(draft_id)
    operation = forms.operation(desk.log, draft)
    if operation.kind != "comment":
        operation = operation._replace(expect=draft.version)
    proposed_by = None
    if draft.of_proposal:
        waiting = desk.inbox.get(draft.of_proposal, desk.log)
        _check_not_rejected(waiting)
        operation = operation._replace(documents=operation.documents or waiting.proposal.documents)
        edited = _EDITED if _is_edited(desk.log, draft, operation, waiting) else ""
        proposed_by = waiting.proposed_by[: _LONGEST_PROPOSER - len(edited)] + edited
    with desk.timeline.append() as append:
        known = append.receipt(draft_id)
        try:
            return carry_out(
                append, operation, author=author, proposed_by=proposed_by, entry_id=draft_id
            )
        except AlreadyRecorded:
            if known:
                raise Refused(
                    f"this form was recorded already, as event {known.id}, with other words: "
                    "update that event"
                ) from None
            raise


def _check_not_rejected(waiting: Waiting) -> None:
    if waiting.state == "rejected":
        by = f" by {waiting.decided_by}" if waiting.decided_by else ""
        raise Refused(f"{waiting.proposal_id} was rejected{by}: reopen it first")


def _is_edited(
    log: sqlite3.Connection, draft: Draft, operation: DeskOperation, waiting: Waiting
) -> bool:
    """Tell whether a person changed anything of a proposal but ids, or added to it."""
    fields, version = forms.for_proposal(log, waiting)
    try:
        proposed = forms.operation(log, draft._replace(fields=fields, version=version))
    except forms.InvalidForm:
        return True
    return _said(proposed) != _said(operation)


def _said(operation: DeskOperation) -> object:
    """Return what an operation says, without ids and without what only the desk adds."""
    return _without_ids(operation._replace(expect=None, documents=())._asdict())


def _without_ids(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _without_ids(each)
            for name, each in value.items()
            if not str(name).endswith(("_id", "_ids"))
        }
    if isinstance(value, (list, tuple)):
        return [_without_ids(each) for each in value if not _is_id(each)]
    return value


def _is_id(value: object) -> bool:
    """Tell whether a value is a change, path and value, of an id."""
    match value:
        case (str(path), _):
            return path.endswith(("_id", "_ids"))
    return False


def carry_out(
    append: Append,
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


def _commented(append: Append, operation: DeskOperation, said: Said, entry_id: str) -> Receipt:
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
        self, append: Append, documents: Sequence[BroughtText], said: Said, *, is_new: bool
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


# --- Preview ------------------------------------------------------------------------------


@contextlib.contextmanager
def preview_of(
    desk: Desk,
    operation: DeskOperation,
    *,
    entry_id: str,
    author: str | None = None,
    proposed_by: str | None = None,
) -> Iterator[tuple[sqlite3.Connection, Receipt]]:
    """Carry out an operation in a dry run; the block reads the tables as they would be.

    The connection is the writer's, and other writers wait until the block ends; then everything
    is taken back. Raises what `carry_out` raises.
    """
    with desk.timeline.append(dry_run=True) as append:
        receipt = carry_out(
            append, operation, author=author, proposed_by=proposed_by, entry_id=entry_id
        )
        yield append.settled(), receipt
