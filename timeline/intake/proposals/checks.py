"""Say what the quotes of a proposal do not say: a person looks at each before it is recorded.

Guarantees: marks are computed anew from the log as it is now, and never stored. What an event says
already is not marked again: of a change, only what is new in it. Characters that deceive are shown
as their numbers.
"""

from __future__ import annotations

import functools
import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from timeline.formats import prose
from timeline.intake.proposals.checked import BroughtQuote, CheckedProposal
from timeline.intake.proposals.nearby import SAME_SENTENCE, nearby, quoting
from timeline.intake.proposals.proposal import Proposal
from timeline.model import invisible
from timeline.model.numbers_in_text import numbers_in
from timeline.projection.actors import known_as
from timeline.reading import captured_texts
from timeline.reading.sources import sources_by_id
from timeline.reading.twins import misspellings
from timeline.store import log as entries
from timeline.store.codec import decode_content
from timeline.store.rows import RowDict

_Content = Mapping[str, Any]

_LONGEST_SHOWN = 80
"""Characters of a quote that a mark shows."""
_MOST_NAMED = 3
"""Events that a mark names; it counts the others."""


class ProposalMark(NamedTuple):
    """One sentence that a person ticks: "I have looked at it"."""

    key: str
    """The name of the mark within its proposal, made of what it says: a changed mark is new."""
    text: str
    field: str
    """The path of the field that it is about, such as quantities.0; "" for the whole."""


_Finding = tuple[str, str]
"""The path of a field, and the sentence about it."""


def marks(
    log: sqlite3.Connection,
    proposal: Proposal,
    found: CheckedProposal,
    *,
    received_at: str | None = None,
) -> list[ProposalMark]:
    """Return all marks of a proposal, those about its fields in the order of the fields.

    Those about the whole come first. `received_at` is the moment at which the proposal came in:
    with it, a text that changed since is marked.
    """
    subject = _Subject(log, proposal, found, received_at)
    sentences = dict.fromkeys(
        (field, invisible.marked(text)) for check in _CHECKS for field, text in check(subject)
    )
    in_order = sorted(sentences, key=lambda each: _place(each[0]))
    return [ProposalMark(_key(field, text), text, field) for field, text in in_order]


_FIELDS = (
    *("", "occurred", "place", "about_place", "participants", "quantities", "claims"),
    *("tags", "citations"),
)
"""The fields that marks are about, in their order."""


def _place(path: str) -> tuple[int, int]:
    field, _, position = path.partition(".")
    return _FIELDS.index(field), int(position or 0)


def _key(field: str, text: str) -> str:
    return f"m-{hashlib.sha256(f'{field}: {text}'.encode()).hexdigest()[:16]}"


class _Subject:
    """A proposal has a content, quotes, and what the log says about its sources and names."""

    def __init__(
        self,
        log: sqlite3.Connection,
        proposal: Proposal,
        found: CheckedProposal,
        received_at: str | None,
    ) -> None:
        self.log = log
        self.proposal = proposal
        self.content: _Content = found.content
        self.before: _Content = found.before
        self.version = found.version
        self.quotes: Sequence[BroughtQuote] = found.quotes
        self.received_at = received_at

    def new_items(self, field: str) -> Iterator[tuple[str, _Content]]:
        """Yield the items of a list that the event did not have before, each with its path."""
        known = self.before.get(field, ())
        for position, item in enumerate(self.content.get(field, ())):
            if item not in known:
                yield f"{field}.{position}", item

    @property
    def source_ids(self) -> list[str]:
        """Return the ids of the sources that the proposal is about, those it brings included."""
        commented = [self.proposal.subject] if self.proposal.kind == "comment" else []
        named = (*commented, *(quote.source_id for quote in self.quotes))
        return [*dict.fromkeys(each for each in named if each)]

    @functools.cached_property
    def sources(self) -> dict[str, RowDict]:
        """Return the rows of those sources that the log has, by id."""
        return sources_by_id(self.log, self.source_ids)

    @functools.cached_property
    def words(self) -> str:
        """Return the words of the cited texts, and of what is known of who published them."""
        published = (
            row[column]
            for row in self.sources.values()
            for column in ("title", "publisher", "authors")
        )
        texts = dict.fromkeys(quote.text for quote in self.quotes)
        named = (*(quote.title for quote in self.quotes), *published)
        return " ".join((*map(_words_of_text, texts), *map(_words_of_text, filter(None, named))))


@functools.lru_cache(maxsize=16)
def _words_of_text(text: str) -> str:
    """Return the words of a text with blanks around each, folded as names are."""
    lines = (misspellings.words_of_name(line) for line in text.splitlines())
    return f" {' '.join(word for line in lines for word in line)} "


# --- The whole ----------------------------------------------------------------------------


def _moved_on(subject: _Subject) -> Iterator[_Finding]:
    expect = subject.proposal.expect
    if expect is not None and subject.version > expect:
        yield (
            "",
            f"The event has moved on: this was proposed for version {expect}, and it is at version"
            f" {subject.version}. Look at what changed since.",
        )


def _sources(subject: _Subject) -> Iterator[_Finding]:
    for source_id, row in subject.sources.items():
        name = _named(row["title"] or row["url"] or source_id)
        if row["state"] == "withdrawn":
            reason = f" ({row['withdrawn_reason']})" if row["withdrawn_reason"] else ""
            yield "", f"The source {name} is withdrawn{reason}. Look whether this can rest on it."
        if _has_other_text(subject, source_id, row["text_sha256"]):
            yield (
                "",
                f"The text of {name} has changed since this was proposed."
                " Look whether the newer text still says so.",
            )


def _has_other_text(subject: _Subject, source_id: str, text_sha256: str | None) -> bool:
    """Tell whether the newest text of a source is not the one that the proposal was made from."""
    newest = captured_texts.newest(subject.log, source_id)
    quoted = {quote.text for quote in subject.quotes if quote.source_id == source_id}
    if newest is not None and quoted - {newest}:
        return True
    if subject.received_at is None:
        return False
    row = subject.log.execute(
        "SELECT payload FROM log WHERE subject = ? AND recorded_at <= ?"
        " AND kind IN ('source.recorded', 'source.updated') ORDER BY version DESC LIMIT 1",
        (f"source/{source_id}", subject.received_at),
    ).fetchone()
    then = (decode_content(row[0]) or {}).get("text_sha256") if row and row[0] else None
    return then is not None and then != text_sha256


def _near(subject: _Subject) -> Iterator[_Finding]:
    """Name the events nearby; those that only quote the same sentence are named at the quote."""
    if subject.proposal.kind != "record":
        return
    found = nearby(subject.log, subject.content, subject.quotes)
    named = [
        f"{_named(near.title)} ({near.when}; {near.why})"
        for near in found
        if near.why != SAME_SENTENCE
    ]
    if named:
        this = "This may be an event" if len(named) == 1 else "This may be one of these events"
        yield "", f"{this} that the timeline has: {'; '.join(named)}. Look whether it is another."


# --- Fields -------------------------------------------------------------------------------


def _date(subject: _Subject) -> Iterator[_Finding]:
    fields = ("occurred", "occurred_text", "occurred_basis")
    content = subject.content
    if all(content.get(field) == subject.before.get(field) for field in fields):
        return
    basis, words = content.get("occurred_basis"), content.get("occurred_text")
    if basis not in ("resolved", "inferred"):
        return
    how = f"{basis} from the words {_named(words)}" if words else f"{basis}, without words for it"
    published = "; ".join(
        f"{_named(quote.title)}, {_published(quote)}"
        for quote in {quote.source_id: quote for quote in subject.quotes}.values()
    )
    yield (
        "occurred",
        f"The date is {prose.date_with_weekday(content['occurred'])}, {how}."
        f"{f' Published: {published}.' if published else ''}"
        " Look whether this is the day that is meant.",
    )


def _published(quote: BroughtQuote) -> str:
    return prose.date_with_weekday(quote.published) or "nobody knows when"


def _names(subject: _Subject) -> Iterator[_Finding]:
    """Mark names that are not in the texts. A name "as the source has it" does not make it one."""
    if not subject.quotes:
        return
    for field, name, actor_id, as_named in _new_names(subject):
        called = _also_called(subject.log, name, actor_id)
        if any(_stands(each, subject.words) for each in called):
            continue
        if as_named and _stands(as_named, subject.words):
            look = f"They say {_named(as_named)}: look whether that is the same."
        else:
            look = "Look whether the quote means them."
        under = ", nor under another known name" if len(called) > 1 else ""
        yield field, f"{_named(name)} stands nowhere in the cited texts{under}. {look}"


def _new_names(subject: _Subject) -> Iterator[tuple[str, str, str | None, str | None]]:
    """Yield the path, the name, the id of the actor and the name as given, of each new name."""
    for field in ("place", "about_place"):
        name = subject.content.get(field, {}).get("name")
        if name and name != subject.before.get(field, {}).get("name"):
            yield field, name, None, None
    for field, who in subject.new_items("participants"):
        yield field, who["name"], who.get("actor_id"), who.get("as_named")
    for field, figure in subject.new_items("quantities"):
        if "reported_by" in figure:
            yield field, figure["reported_by"], None, None
    for field, claim in subject.new_items("claims"):
        yield field, claim["speaker"], None, None


def _also_called(log: sqlite3.Connection, name: str, actor_id: str | None) -> list[str]:
    """Return a name, then the other names of the actor who has it."""
    known = known_as(log, actor_id, name)
    rows = log.execute(
        "SELECT name, aliases FROM actors WHERE actor_id = ?1 OR merged_into = ?1",
        (known[0] if known else None,),
    )
    others = (each for row in rows for each in (row[0], *(row[1] or "").split("; ")) if each)
    return [*dict.fromkeys((name, *others))]


def _stands(name: str, words: str) -> bool:
    own = " ".join(misspellings.words_of_name(name))
    return bool(own) and f" {own} " in words


def _figures(subject: _Subject) -> Iterator[_Finding]:
    said = {number for quote in subject.quotes for number in numbers_in(quote.quote)}
    language = str(entries.info(subject.log).get("language", "en"))
    for field, figure in subject.new_items("quantities"):
        numbers = [figure[each] for each in ("value", "low", "high") if each in figure]
        missing = [each for each in dict.fromkeys(numbers) if abs(Decimal(each)) not in said]
        if missing:
            what = _named(prose.figure(figure, language))
            several = " and ".join(prose.number(each, language) for each in missing)
            verb = "stands" if len(missing) == 1 else "stand"
            yield (
                field,
                f"In the figure {what}, {several} {verb} in no quote. Look where it is from.",
            )


def _slips(subject: _Subject) -> Iterator[_Finding]:
    """Mark names that the log does not have, and that look like one that it has."""
    what = {"place": "place", "about_place": "place", "tags": "tag", "participants": "actor"}
    named = [
        (path, what[path.partition(".")[0]], name)
        for path, name, actor_id, _ in _new_names(subject)
        if path.partition(".")[0] in what and actor_id is None
    ]
    tags = subject.before.get("tags", ())
    named += [("tags", "tag", tag) for tag in subject.content.get("tags", ()) if tag not in tags]
    new = misspellings.unknown(subject.log, ((kind, name) for _, kind, name in named))
    for slip in misspellings.slips(subject.log, new):
        for path, kind, name in named:
            if (kind, name) == (slip.what, slip.name):
                yield (
                    path,
                    f"{_named(name)} is a new {kind}, and looks like {_named(slip.known)}, which"
                    " the timeline has. Look whether they are the same.",
                )


def _quotes(subject: _Subject) -> Iterator[_Finding]:
    for quote in subject.quotes:
        shown, title = _named(_short(quote.quote)), _named(quote.title)
        if quote.places > 1:
            yield (
                "citations",
                f"The quote {shown} stands {quote.places} times in {title}."
                " Look whether this place is meant.",
            )
        own = subject.proposal.subject
        if events := [each for each in quoting(subject.log, quote) if each != own]:
            names = [_named(_title(subject.log, each)) for each in events[:_MOST_NAMED]]
            more = f" and {len(events) - _MOST_NAMED} more" if len(events) > _MOST_NAMED else ""
            yield (
                "citations",
                f"The sentence of the quote {shown} is quoted already by {', '.join(names)}{more}."
                " Look whether this is something else.",
            )
        if hidden := sorted({each for each in quote.quote if invisible.hidden(each)}):
            several = ", ".join(map(invisible.named, hidden))
            yield (
                "citations",
                f"The quote {shown} has characters that nobody sees: {several}."
                " Look at its words in the article.",
            )


def _title(log: sqlite3.Connection, event_id: str) -> str:
    row = log.execute("SELECT title FROM events WHERE event_id = ?", (event_id,)).fetchone()
    return str(row[0])


def _short(quote: str) -> str:
    line = re.sub(r"\s+", " ", quote).strip()
    return line if len(line) <= _LONGEST_SHOWN else f"{line[:_LONGEST_SHOWN].rstrip()}..."


def _named(text: str) -> str:
    return f"\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}"


_CHECKS: Sequence[Callable[[_Subject], Iterator[_Finding]]] = (
    _moved_on,
    _sources,
    _near,
    _date,
    _names,
    _slips,
    _figures,
    _quotes,
)
