"""What an event says, as XHTML that holds nothing but paragraphs, breaks, quotes and links.

Guarantees: well-formed, also as XML 1.0; every text is escaped, and what XML cannot hold is
U+FFFD. A link leads to http or https.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

from timeline.formats import prose
from timeline.formats.about import Event
from timeline.formats.sheet.events import Words

__all__ = [
    "body", "escaped", "is_link", "paragraph", "paragraphs", "sources", "standing", "unmarked",
]  # fmt: skip

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


def escaped(text: str) -> str:
    """The text for XML and HTML, also between quotation marks."""
    return html.escape(_NOT_XML.sub("\ufffd", _LINE_BREAK.sub("\n", text)))


def unmarked(text: str) -> str:
    """A text for the fields that TimelineJS parses as HTML, then sets as HTML again."""
    return html.escape(escaped(text))


def is_link(url: object) -> bool:
    """Whether this may be a link: anything but http and https may be a script."""
    return isinstance(url, str) and url.startswith(("http://", "https://"))


def paragraphs(event: Event, labels: Mapping[str, str]) -> Iterator[str]:
    """When, where and how it stands, what happened, and the figures that are given."""
    yield from standing(event, labels)
    if "summary" in event:
        yield event["summary"]
    for quantity in event.get("quantities", ()):
        number, said = prose.amount(quantity), prose.said(quantity)
        yield f"{quantity['measure']}: {number}{f' ({said})' if said else ''}"
    if "note" in event:
        yield f"Note: {event['note']}"


def standing(event: Event, labels: Mapping[str, str]) -> Iterator[str]:
    """When, where and how it stands, and where its story goes on."""
    yield prose.facts(event, labels)
    if risk := prose.at_risk(event.get("at_risk", ())):
        yield f"{risk[0].upper()}{risk[1:]}"
    if "merged_into" in event:
        yield f"Merged into {event['merged_into']}"


def sources(event: Event, words: Words) -> list[tuple[str, str]]:
    """Title and address of each source that is cited; no address where there is none."""
    found = {}
    for citation in event.get("citations", ()):
        source = words.sources.get(citation["source_id"], {})
        url = source["url"] if is_link(source.get("url")) else ""
        found[citation["source_id"]] = (source.get("title") or url or citation["source_id"], url)
    return [*found.values()]


def body(event: Event, words: Words, labels: Mapping[str, str]) -> str:
    """An event without its title: paragraphs, quotes, sources."""
    parts = [paragraph(text) for text in paragraphs(event, labels)]
    parts += [
        f"<blockquote>{paragraph(citation['quote'])}</blockquote>"
        for citation in event.get("citations", ())
        if "quote" in citation
    ]
    cited = [
        f'<a href="{escaped(url)}">{escaped(title)}</a>' if url else escaped(title)
        for title, url in sources(event, words)
    ]
    if cited:
        parts.append(f"<p>Sources:<br/>{'<br/>'.join(cited)}</p>")
    return "".join(parts)


def paragraph(text: str) -> str:
    """A text as XHTML; its line breaks stay."""
    return f"<p>{escaped(text).replace(chr(10), '<br/>')}</p>"
