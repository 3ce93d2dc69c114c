"""Say a selection as a chronology: paragraphs with footnotes, for the formats that people read.

Guarantees: each event has its date, title, place, how sure it is, summary, figures with who says
so, and the entry of the log that says it; each source that it cites is a footnote. Footnotes are
numbered in the order in which they are first referred to. Everything here is plain text; the
format that writes it must escape it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from timeline.formats import prose
from timeline.formats.about import About
from timeline.formats.labels import label
from timeline.formats.log_names import Names
from timeline.formats.selection_words import sentence
from timeline.languages.translation import gettext, ngettext
from timeline.reading.rows import EventDict

ParagraphStyle = Literal[
    "title", "front", "notice", "day", "headline", "facts", "text", "item", "record"
]
"""What a paragraph is: of the head of the file, or of an event."""


class Footnote(NamedTuple):
    """A footnote names a source, and where it can be read."""

    number: int
    text: str
    addresses: tuple[str, ...]
    """The address of the source, and that of its copy in an archive."""


class Paragraph(NamedTuple):
    """A paragraph has one or more lines of text, and the footnotes that end it."""

    style: ParagraphStyle
    text: str
    notes: tuple[Footnote, ...] = ()
    is_struck: bool = False
    """Whether the text no longer holds, as the title of an event that was retracted."""
    link: str | None = None
    """The address that the text ends with, if it has one."""


def chronology(events: Iterable[EventDict], about: About) -> Iterator[Paragraph]:
    """Yield the paragraphs of a chronology of events, which must come in order of time."""
    if about.names is None:
        raise ValueError("a chronology needs the names of sources")
    yield from _front(about)
    day: str | None = None
    numbers = _Numbers(about.names)
    labels = about.labels
    given = 0
    for event in events:
        given += 1
        if (when := prose.when(event) or gettext("Without a date")) != day:
            yield Paragraph("day", f"{when[0].upper()}{when[1:]}")
            day = when
        yield from _event(event, about, labels, numbers)
    if about.events is not None and given < about.events:
        part = gettext("This file has {number} of {all} events.")
        yield Paragraph("front", part.format(number=f"{given:,}", all=f"{about.events:,}"))
        if about.next_url:
            yield Paragraph("front", gettext("The next ones:"), link=about.next_url)


def _front(about: About) -> Iterator[Paragraph]:
    info = about.info
    yield Paragraph("title", info.get("title", ""))
    yield Paragraph("front", gettext("State of {state}").format(state=about.state))
    selection = sentence(about.conditions) or gettext("all events")
    said = gettext("Selection: {selection}").format(selection=selection)
    if about.events is not None:
        count = ngettext("{number} event", "{number} events", about.events)
        said = f"{said} ({count.format(number=f'{about.events:,}')})"
    yield Paragraph("front", said)
    if "notice" in info:
        yield Paragraph("notice", info["notice"])
    if "publisher" in info:
        yield Paragraph("front", gettext("Kept by {name}").format(name=info["publisher"]))
    if "licence" in info:
        yield Paragraph("front", gettext("Licence: {licence}").format(licence=info["licence"]))
    named = {"title": info.get("title", ""), "origin": info.get("origin", "")}
    cite = gettext("Cite as: \u201c{title}\u201d, {origin}, state of {state}; {selection}.")
    cited = cite.format(**named, state=about.state, selection=selection)
    yield Paragraph("front", cited, link=about.permalink)


class _Numbers:
    """The footnotes of a chronology, which are numbered as they are made."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._last = 0

    def footnote(self, citation: Mapping[str, Any]) -> Footnote:
        """Return the next footnote, for a citation or for a source alone."""
        self._last += 1
        addresses = self._names.addresses(citation["source_id"])
        said = " ".join(self._names.citation(citation).splitlines())
        return Footnote(self._last, said, tuple(addresses))

    def erased(self, event: Mapping[str, Any]) -> str:
        """Return the sentence that tells when and why what an event said was erased."""
        return self._names.erased(event)


def _event(
    event: EventDict, about: About, labels: Mapping[str, str], numbers: _Numbers
) -> Iterator[Paragraph]:
    is_struck = event["state"] != "current"
    yield Paragraph("headline", prose.title(event), is_struck=is_struck)
    cited = [numbers.footnote(each) for each in event.get("citations", ())]
    told = [*_told(event, numbers)]
    facts = " - ".join(_facts(event, labels))
    yield Paragraph("facts", facts, () if told else tuple(cited))
    for number, text in enumerate(told, 1):
        yield Paragraph("text", text, tuple(cited) if number == len(told) else ())
    of_source = {
        citation["source_id"]: note
        for citation, note in zip(event.get("citations", ()), cited, strict=True)
    }
    yield from _figures(event, about, of_source, numbers)
    for claim in event.get("claims", ()):
        words = f"{prose.claim(claim)} ({prose.stance(claim)})"
        yield Paragraph("item", words, _notes(claim, of_source, numbers))
    if "note" in event:
        yield Paragraph("text", gettext("Note: {note}").format(note=event["note"]))
    address = about.address(event["event_id"]) if about.address else None
    record = gettext("{event}, version {version}, entry {entry}")
    said = record.format(event=event["event_id"], version=event["version"], entry=event["seq"])
    yield Paragraph("record", said, link=address)


def _facts(event: EventDict, labels: Mapping[str, str]) -> Iterator[str]:
    """Yield the state of an event unless it is current, its type, its place, and how sure it is."""
    if event["state"] != "current":
        yield label("state", event["state"]).upper()
    if code := event.get("event_type"):
        yield labels.get(code, code)
    if place := prose.place(event.get("place", {})):
        yield place
    if (modality := event.get("modality", "actual")) != "actual":
        yield label("modality", modality)
    if "title" in event:
        yield label("verification", event.get("verification", "reported"))


def _told(event: EventDict, numbers: _Numbers) -> Iterator[str]:
    """Yield warnings, who took part, and the paragraphs of the summary."""
    if event["state"] == "erased":
        yield numbers.erased(event)
    if risk := prose.at_risk(event.get("at_risk", ())):
        yield f"{risk[0].upper()}{risk[1:]}"
    if "merged_into" in event:
        yield gettext("Merged into {event}").format(event=event["merged_into"])
    if people := event.get("participants", ()):
        named = "; ".join(map(prose.participant, people))
        yield gettext("With {people}").format(people=named)
    yield from filter(str.strip, event.get("summary", "").split("\n\n"))


def _figures(
    event: EventDict, about: About, of_source: Mapping[str, Footnote], numbers: _Numbers
) -> Iterator[Paragraph]:
    for figure in event.get("quantities", ()):
        amount, said = prose.amount(figure, about.lookup.language), prose.said(figure)
        words = f"{figure['measure']}: {amount}{f' ({said})' if said else ''}"
        yield Paragraph("item", words, _notes(figure, of_source, numbers))


def _notes(
    part: Mapping[str, Any], of_source: Mapping[str, Footnote], numbers: _Numbers
) -> tuple[Footnote, ...]:
    """Return the footnotes of the sources of a figure or a claim: those of the event, or new."""
    return tuple(
        of_source.get(source_id) or numbers.footnote({"source_id": source_id})
        for source_id in part.get("source_ids", ())
    )


def links(note: Footnote) -> list[tuple[str, str]]:
    """Return the addresses of a footnote, each with the words that stand before it."""
    return [("archived: " if place else "", each) for place, each in enumerate(note.addresses)]
