"""Functions that take the words, or the harmless part, from HTML that somebody else wrote.

Guarantees: `plain` returns only the words. `harmless` returns what nh3 leaves of HTML: the tags in
`_TAGS`, and attributes that run nothing. Whatever parses it finds no script, no event
handler, no style and no form. An `address` leads to http or https, or is relative to the page. A
picture or a frame may load from such an address.

Knows nothing of who shows the HTML.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from urllib.parse import quote

from timeline.errors import TimelineError

_BLOCKS = {
    "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "h1", "h2", "h3", "h4",
    "h5", "h6", "hr", "li", "ol", "p", "pre", "table", "td", "th", "tr", "ul",
}  # fmt: skip
_TAGS = _BLOCKS | {
    "a", "abbr", "b", "cite", "code", "del", "em", "i", "iframe", "img", "ins", "kbd", "q", "s",
    "small", "span", "strong", "sub", "sup", "tbody", "tfoot", "thead", "u",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"alt", "class", "dir", "height", "lang", "target", "title", "width"},
    "a": {"href"},
    "iframe": {"src"},
    "img": {"src"},
}
_FRAME = re.compile(r'(<iframe(?: [a-z]+="[^"]*")*>).*?</iframe>', re.DOTALL)
"""A frame in HTML that nh3 wrote: every quotation mark within a value is escaped there."""
_MOST_TAGS = 1_000
"""Tags in one field of a slide. Tags that are left open multiply as HTML says: measured, 2,000 tags
in 20 kB became 19 MB in 1.2 s, and 1,000 become 2 MB in 0.1 s."""
_LEADS = re.compile(r' src="(?:https?:)?//')
_UNSEEN = {"script", "style"}
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_UNFIT = re.compile(r"[\x00-\x20\x7f\"'<>\\`]")
_BLANKS = "".join(map(chr, range(33)))


def plain(text: str) -> str:
    """Return the words of HTML, with a line break where a block begins or ends.

    Several blanks become one; lines without words are left out.
    """
    reader = _Words()
    reader.read(text)
    lines = (" ".join(line.split()) for line in "".join(reader.found).split("\v"))
    return "\n".join(line for line in lines if line)


def harmless(text: str) -> str:
    """Return the same HTML without anything that could run, with every tag closed.

    A frame has no content, because a browser shows none, and it leads to http or https. HTML of
    more than `_MOST_TAGS` tags becomes its words. Raises TimelineError if the extra `timelinejs`
    is not installed.
    """
    try:
        import nh3
    except ImportError:
        problem = "HTML of slides is cleaned by an extra: pip install 'timeline-store[timelinejs]'"
        raise TimelineError(problem) from None
    if text.count("<") > _MOST_TAGS:
        return html.escape(plain(text), quote=False).replace("\n", "<br>")
    cleaned = nh3.clean(
        text,
        tags=_TAGS,
        clean_content_tags=_UNSEEN,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )
    return _FRAME.sub(
        lambda frame: f"{frame[1]}</iframe>" if _LEADS.search(frame[1]) else "", cleaned
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name not in ("href", "src"):
        return value
    return address(value, also="mailto" if tag == "a" else "https") or None


def address(text: str, *, also: str = "https") -> str:
    """Return an address, percent-encoded so that it can be written between quotation marks.

    Returns "" if its scheme is not http, https or `also`. The scheme is read as a browser reads
    it: without line breaks and tabs. It is read with character references resolved too, because
    some programs paste the address into HTML.
    """
    whole = re.sub("[\t\n\r]", "", text).strip(_BLANKS)
    for reading in (whole, html.unescape(whole)):
        scheme = _SCHEME.match(re.sub("[\t\n\r]", "", reading).strip(_BLANKS))
        if scheme and scheme[1].lower() not in ("http", "https", also):
            return ""
    return _UNFIT.sub(lambda match: quote(match[0]), whole)


class _Words(HTMLParser):
    """A parser that finds the texts outside of scripts and styles, and the ends of blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._unseen = False

    def read(self, text: str) -> None:
        self.feed(text.replace("<![", "&lt;!["))  # the parser refuses this
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen = tag in _UNSEEN
        self._end(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._end(tag)

    def handle_endtag(self, tag: str) -> None:
        self._unseen = False
        self._end(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.found.append(data.replace("\v", " "))

    def _end(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.found.append("\v")
