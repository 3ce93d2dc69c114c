"""Check a proposal against the log: by the rules of the writer, and by those for machines.

Guarantees: everything that is wrong with a proposal is found at once, as far as one problem does
not hide another. Nothing is kept; the connection cannot write.
"""

from __future__ import annotations

import copy
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from timeline.errors import AlreadyRecorded, InvalidInput, InvalidProposal, NotFound, TimelineError
from timeline.intake.proposals.operation import carry_out, operation_of
from timeline.intake.proposals.proposal import Proposal
from timeline.model import invisible
from timeline.model.content import Statement
from timeline.model.hints import quoted
from timeline.model.validation import problems
from timeline.reading import captured_texts, query
from timeline.reading.sources import sources_by_id
from timeline.texts.quotes import CapturedText
from timeline.writing.checking import Trial

_TRIED_AS = "p-0"
"""The id of the entry that is tried; no proposal has it."""
_MOST_PROBLEMS = 50
_MORE = re.compile(r" \(and [0-9]+ more\)$")
"""The end of a message that counts the other problems, which are named here one by one."""
_FREE_TEXTS = frozenset(("summary", "note", "statement", "quote", "extra"))
"""Fields of several lines, or of the words of others: their characters are marked, not refused."""
_STAND_INS = {"title": "-", "occurred": "2000"}
"""Values for required fields that were refused, so that the others can be tried."""
_FOR_PERSONS = {
    "author": "is the person who records it: leave it out",
    "proposed_by": "is said by the inbox: leave it out",
}
_OUT_OF_TEXT = ("stated", "resolved")
"""The bases of a date whose words stand in a text."""


class BroughtQuote(NamedTuple):
    """A quote that a proposal brings, at its place in the kept text of its source."""

    source_id: str
    """The id of the source; that of a source which comes with the proposal may be made up."""
    title: str
    """The title of the source, else its address, else its id."""
    published: str | None
    quote: str
    """The text's own words."""
    start: int
    end: int
    places: int
    """The number of places at which the quote stands in the text."""
    text: str
    """The whole kept text, or the text that comes with the proposal."""


class CheckedProposal(NamedTuple):
    """A proposal that was checked has the event that the writer would make of it."""

    content: Mapping[str, Any]
    """The event as it would be; empty for a comment, for a merge and a retraction as it is."""
    before: Mapping[str, Any]
    """The event as it is in its newest version; empty for a new one."""
    version: int
    """The newest version of the event, 0 for a new one; it may be beyond `expect`."""
    quotes: Sequence[BroughtQuote]
    notes: Sequence[str]


def checked(log: sqlite3.Connection, proposal: Proposal) -> CheckedProposal:
    """Return what the writer would make of a proposal. Raises InvalidProposal with all problems.

    An `expect` that is behind the newest version is no problem: it is a mark.
    """
    return _Check(log, proposal).result()


def quotes_of(
    log: sqlite3.Connection, trial: Trial, known: Sequence[Mapping[str, Any]]
) -> list[BroughtQuote]:
    """Return the quotes that a statement brings and that stand in a kept text.

    `known` are the citations that the event has already.
    """
    text_of = captured_texts.cited(log)
    new = [
        citation
        for citation in trial.content.get("citations", ())
        if "quote" in citation and citation not in known
    ]
    sources = sources_by_id(log, (citation["source_id"] for citation in new))
    found = []
    for citation in new:
        source_id, quote = citation["source_id"], citation["quote"]
        text = trial.texts.get(source_id) or text_of(citation)
        place = CapturedText(text).find(quote) if text else None
        if text is None or place is None:
            continue
        source = trial.sources.get(source_id) or sources.get(source_id, {})
        title = source.get("title") or source.get("url") or source_id
        span = citation.get("quote_start", place.start), citation.get("quote_end", place.end)
        published = source.get("published")
        found.append(BroughtQuote(source_id, title, published, quote, *span, place.places, text))
    return found


class _Check:
    """The check of one proposal gathers its problems."""

    def __init__(self, log: sqlite3.Connection, proposal: Proposal) -> None:
        self._log = log
        self._proposal = proposal
        self._problems: list[InvalidInput] = []
        self._event = self._subject()
        self._before: Mapping[str, Any] = _content(self._event)

    def result(self) -> CheckedProposal:
        """Return what was found. Raises InvalidProposal."""
        proposal = self._proposal
        self._problems += _hidden(proposal.record or proposal.changes)
        if proposal.kind == "comment":
            self._problems += self._of_comment()
            if self._problems:
                raise InvalidProposal(self._problems)
        tried = self._tried()
        quotes = quotes_of(self._log, tried.trial, self._cited_before()) if tried else []
        if proposal.kind in ("record", "update", "correct"):
            self._problems += self._of_machine(quotes, is_tried=tried is not None)
        if self._problems or tried is None:
            raise InvalidProposal(self._problems)
        is_event = proposal.kind in ("record", "update", "correct")
        return CheckedProposal(
            tried.trial.content if is_event else self._before,
            self._before,
            self._event["version"] if self._event else 0,
            quotes,
            tried.notes,
        )

    # --- Before it is tried ---------------------------------------------------------------

    def _subject(self) -> Mapping[str, Any]:
        """Return the event that is changed, as it is; empty for a new one and for a comment."""
        proposal = self._proposal
        if proposal.kind in ("record", "comment"):
            return {}
        try:
            event = query.get(self._log, proposal.subject or "")
        except NotFound:
            problem = f'there is no event "{proposal.subject}" in this log'
            raise InvalidProposal([InvalidInput(proposal.kind, problem)]) from None
        if (proposal.expect or 0) > event["version"]:
            problem = f"is beyond version {event['version']}, the newest of {proposal.subject}"
            self._problems.append(InvalidInput("expect", problem))
        return event

    def _of_comment(self) -> Iterator[InvalidInput]:
        source_id = self._proposal.subject or ""
        if source_id not in sources_by_id(self._log, [source_id]):
            yield InvalidInput("comment", f'there is no source "{source_id}" in this log')
            return
        if captured_texts.newest(self._log, source_id) is None:
            yield InvalidInput("comment", f"the text of {source_id} is not in this file")
            return
        sentences = captured_texts.coverage(self._log, source_id).sentences
        for position, number in enumerate(self._proposal.sentences):
            field = f"sentences.{position}"
            if not 1 <= number <= len(sentences):
                problem = f"{number} is none of the sentences 1 to {len(sentences):,}"
                yield InvalidInput(field, problem)
            elif events := sentences[number - 1].events:
                yield InvalidInput(field, f"{number} is quoted by event {events[0]}")

    # --- By the writer --------------------------------------------------------------------

    def _tried(self) -> _Tried | None:
        """Return what the writer makes of the proposal, without the parts that it refuses."""
        trimmed = _Trimmed(self._proposal)
        wrong = _of_shape(self._proposal.record) if self._proposal.kind == "record" else []
        self._problems += wrong
        for each in reversed(wrong):
            trimmed.without(each.field, 0)
        for _ in range(_MOST_PROBLEMS):
            try:
                return self._try(trimmed.proposal)
            except InvalidInput as error:
                self._problems.append(trimmed.as_given(error, len(self._cited_before())))
                if not trimmed.without(error.field, len(self._cited_before())):
                    return None
            except AlreadyRecorded as error:
                self._problems.append(InvalidInput("", str(error)))
                return None
            except TimelineError as error:
                self._problems.append(InvalidInput("", str(error)))
                return None
        return None

    def _try(self, proposal: Proposal) -> _Tried:
        trial = Trial(self._log)
        operation = operation_of(self._log, proposal)._replace(expect=None)
        receipt = carry_out(trial, operation, author=None, proposed_by=None, entry_id=_TRIED_AS)
        trial.finish()
        return _Tried(trial, receipt.notes)

    def _cited_before(self) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self._before.get("citations", ())
        return found

    # --- By the rules for machines --------------------------------------------------------

    def _of_machine(
        self, quotes: Sequence[BroughtQuote], *, is_tried: bool
    ) -> Iterator[InvalidInput]:
        """Yield what a program may not say, or has to say, though a person may do otherwise."""
        proposal = self._proposal
        given = proposal.record or {
            path.lstrip("/").replace("/", "."): value for path, value in proposal.changes.items()
        }
        known = {problem.field for problem in self._problems}
        for field, problem in _FOR_PERSONS.items():
            if field in given and field not in known:
                yield InvalidInput(field, problem)
        if given.get("verification", "reported") != "reported":
            problem = 'must be "reported": a person decides how well it is established'
            yield InvalidInput("verification", problem)
        is_cited = any("quote" in problem.field for problem in self._problems)
        if is_tried and not quotes and not is_cited:
            field = "citations" if proposal.kind == "record" else "cite"
            problem = (
                "must quote a text that is kept here: write"
                ' [{"source_id": "...", "quote": "words of the text"}]'
            )
            yield InvalidInput(field, problem)
        if "occurred" in given:
            yield from self._of_date(given, quotes)

    def _of_date(
        self, given: Mapping[str, Any], quotes: Sequence[BroughtQuote]
    ) -> Iterator[InvalidInput]:
        basis = given.get("occurred_basis")
        if basis is None:
            problem = (
                'is required with occurred: write "stated" if the text names the date,'
                ' "resolved" if its words lead to it, such as "on Tuesday", else "inferred"'
            )
            yield InvalidInput("occurred_basis", problem)
        elif basis in _OUT_OF_TEXT:
            words = given.get("occurred_text")
            if not isinstance(words, str) or not words:
                problem = f'is required with occurred_basis "{basis}": copy the words of the date'
                yield InvalidInput("occurred_text", problem)
            elif quotes and not any(CapturedText(each.text).find(words) for each in quotes):
                problem = f"{quoted(words)} does not stand in a cited text: copy its own words"
                yield InvalidInput("occurred_text", problem)


class _Tried(NamedTuple):
    """A proposal was tried in a trial of the writer, which accepted it with some notes."""

    trial: Trial
    notes: Sequence[str]


class _Trimmed:
    """A proposal without the parts that were refused already, so that others can be tried."""

    def __init__(self, proposal: Proposal) -> None:
        self.proposal = proposal._replace(
            record=copy.deepcopy(proposal.record),
            changes=dict(proposal.changes),
            cite=[*proposal.cite],
        )
        self._given: dict[str, list[int]] = {"cite": [*range(len(proposal.cite))]}
        """The positions in the proposal of the items that are left of its lists."""

    def as_given(self, error: InvalidInput, cited: int) -> InvalidInput:
        """Return an error with the path that the part has in the proposal.

        `cited` is the number of citations that the event had before.
        """
        name, number, rest = _in_list(error.field)
        error = InvalidInput(error.field, _MORE.sub("", error.problem))
        if number is None:
            return error
        if name == "citations" and self.proposal.kind != "record":
            if number < cited:
                return error
            name, number = "cite", number - cited
        known = self._given.get(name, [])
        number = known[number] if number < len(known) else number
        return InvalidInput(".".join(filter(None, (name, str(number), rest))), error.problem)

    def without(self, field: str, cited: int) -> bool:
        """Take out the part that a field names; return whether there was one."""
        name, number, _ = _in_list(field)
        if self.proposal.kind != "record":
            return self._without_change(name, number, cited)
        if name in _STAND_INS:
            self.proposal.record[name] = _STAND_INS[name]
            return True
        if name not in self.proposal.record:
            return False
        items = self.proposal.record[name]
        if number is None or not isinstance(items, list):
            del self.proposal.record[name]
        elif number < len(items):
            self._given.setdefault(name, [*range(len(items))]).pop(number)
            del items[number]
        return True

    def _without_change(self, name: str, number: int | None, cited: int) -> bool:
        cite = list(self.proposal.cite)
        if name == "citations" and number is not None and 0 <= number - cited < len(cite):
            del cite[number - cited]
            self._given["cite"].pop(number - cited)
            self.proposal = self.proposal._replace(cite=cite)
            return bool(cite or self.proposal.changes)
        paths = [path for path in self.proposal.changes if _first_step(path) == name]
        for path in paths:
            del self.proposal.changes[path]
        return bool(paths) and bool(cite or self.proposal.changes)


def _in_list(field: str) -> tuple[str, int | None, str]:
    """Split the path of a field: "quantities.0.value" is ("quantities", 0, "value")."""
    name, _, rest = field.partition(".")
    number, _, below = rest.partition(".")
    return (name, int(number), below) if number.isdecimal() else (name, None, rest)


def _first_step(path: str) -> str:
    return path.lstrip("/").replace("/", ".").partition(".")[0]


def _content(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return {field: event[field] for field in Statement.model_fields if field in event}


def _of_shape(record: Mapping[str, Any]) -> list[InvalidInput]:
    """Return what is wrong with the fields of a new event, by the model."""
    _, wrong = problems(Statement, {k: v for k, v in record.items() if k not in _FOR_PERSONS})
    return [InvalidInput(each.path, each.text) for each in wrong]


# --- Characters that nobody sees ------------------------------------------------------------


def _hidden(value: Any, path: str = "") -> Iterator[InvalidInput]:
    """Yield a problem for each line with a character that nobody sees."""
    if isinstance(value, str):
        if found := _hidden_character(value):
            problem = f"has {invisible.named(found)}, which nobody sees: take it out"
            yield InvalidInput(path, problem)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if name not in _FREE_TEXTS:
                yield from _hidden(part, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _hidden(item, f"{path}.{number}")


def _hidden_character(text: str) -> str:
    """Return the first character of a line that nobody sees; "" if there is none.

    A joiner between letters of a script that needs it, and within an emoji, is none.
    """
    return invisible.deceiving(text) or invisible.hidden(text) or invisible.idle_joiner(text)
