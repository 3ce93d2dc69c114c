"""Functions that write an event as XHTML of paragraphs, line breaks, quotes and links.

Guarantees: the XHTML is well-formed, also as XML 1.0. Every text is escaped; a character that
XML cannot hold becomes U+FFFD. Every link leads to http or https.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

from timeline.formats import prose
from timeline.formats.sheet.events import Lookup
from timeline.reading.rows import EventDict

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


def escaped(text: str) -> str:
    """Escape a text for XML and HTML, in an element or in a quoted attribute.

    Every kind of line break becomes a line feed.
    """
    return html.escape(for_xml(_LINE_BREAK.sub("\n", text)))


def for_xml(text: str) -> str:
    """Return a text with U+FFFD in place of each character that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)


def unmarked(text: str) -> str:
    """Escape a text twice, for the fields that TimelineJS parses as HTML and sets as HTML again."""
    return html.escape(escaped(text))


def is_link(url: object) -> bool:
    """Tell whether a URL may be a link: only http and https, for others may run a script."""
    return isinstance(url, str) and url.startswith(("http://", "https://"))


def paragraphs(event: EventDict, labels: Mapping[str, str], language: str) -> Iterator[str]:
    """Yield the paragraphs of an event as plain text: facts, warnings, summary, figures, note.

    `language` is that of the log.
    """
    yield from standing(event, labels)
    if "summary" in event:
        yield event["summary"]
    for quantity in event.get("quantities", ()):
        number, said = prose.amount(quantity, language), prose.said(quantity)
        yield f"{quantity['measure']}: {number}{f' ({said})' if said else ''}"
    if "note" in event:
        yield f"Note: {event['note']}"


def standing(event: EventDict, labels: Mapping[str, str]) -> Iterator[str]:
    """Yield the facts of an event, a warning if it is at risk, and what it was merged into."""
    yield prose.facts(event, labels)
    if risk := prose.at_risk(event.get("at_risk", ())):
        yield f"{risk[0].upper()}{risk[1:]}"
    if "merged_into" in event:
        yield f"Merged into {event['merged_into']}"


def sources(event: EventDict, lookup: Lookup) -> list[tuple[str, str]]:
    """Return title and address of each source that an event cites, each source once.

    The address is "" if the source has none that may be a link. Without a title, the address or
    the id of the source stands for it.
    """
    found = {}
    for citation in event.get("citations", ()):
        source = lookup.sources.get(citation["source_id"], {})
        url = source["url"] if is_link(source.get("url")) else ""
        found[citation["source_id"]] = (source.get("title") or url or citation["source_id"], url)
    return [*found.values()]


def body(event: EventDict, lookup: Lookup, labels: Mapping[str, str]) -> str:
    """Return an event without its title as XHTML: paragraphs, quotes, sources."""
    parts = [paragraph(text) for text in paragraphs(event, labels, lookup.language)]
    parts += [
        f"<blockquote>{paragraph(citation['quote'])}</blockquote>"
        for citation in event.get("citations", ())
        if "quote" in citation
    ]
    cited = [
        f'<a href="{escaped(url)}">{escaped(title)}</a>' if url else escaped(title)
        for title, url in sources(event, lookup)
    ]
    if cited:
        parts.append(f"<p>Sources:<br/>{'<br/>'.join(cited)}</p>")
    return "".join(parts)


def paragraph(text: str) -> str:
    """Return a text as an XHTML paragraph; its line breaks become `<br/>`."""
    return f"<p>{escaped(text).replace(chr(10), '<br/>')}</p>"
