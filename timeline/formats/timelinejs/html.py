"""Functions that take the words, or the harmless part, from HTML that somebody else wrote.

Guarantees: `plain` returns only the words. `harmless` writes new HTML from escaped text, the tags
in `_TAGS`, frames, and attributes that run nothing. Whatever parses it finds no script, no event
handler, no style and no form. An `address` leads to http or https, or is relative to the page. A
picture or a frame may load from such an address.

Knows nothing of who shows the HTML.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from urllib.parse import quote

_BLOCKS = frozenset({
    "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "h1", "h2", "h3", "h4",
    "h5", "h6", "hr", "li", "ol", "p", "pre", "table", "td", "th", "tr", "ul",
})  # fmt: skip
_TAGS = _BLOCKS | {
    "a", "abbr", "b", "cite", "code", "del", "em", "i", "img", "ins", "kbd", "q", "s", "small",
    "span", "strong", "sub", "sup", "tbody", "tfoot", "thead", "u",
}  # fmt: skip
_ATTRIBUTES = frozenset(("alt", "class", "dir", "height", "lang", "target", "title", "width"))
_ADDRESSES = {"a": "href", "img": "src", "iframe": "src"}
_UNSEEN = frozenset(("script", "style"))
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
    """Return the same HTML without anything that could run; plain markup stays as it is written."""
    reader = _Harmless()
    reader.read(text)
    return "".join(reader.found)


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


class _Reader(HTMLParser):
    """A parser that finds texts and tags, and skips the content of scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._unseen = False

    def read(self, text: str) -> None:
        self.feed(text.replace("<![", "&lt;!["))  # the parser refuses this
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen = tag in _UNSEEN
        self.tag(tag, attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tag(tag, attrs, end="/")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = False
        self.end(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.text(data)

    def tag(self, tag: str, attrs: list[tuple[str, str | None]], end: str = "") -> None:
        raise NotImplementedError

    def end(self, tag: str) -> None:
        raise NotImplementedError

    def text(self, data: str) -> None:
        raise NotImplementedError


class _Words(_Reader):
    def tag(self, tag: str, attrs: list[tuple[str, str | None]], end: str = "") -> None:
        self.end(tag)

    def end(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.found.append("\v")

    def text(self, data: str) -> None:
        self.found.append(data.replace("\v", " "))


class _Harmless(_Reader):
    def tag(self, tag: str, attrs: list[tuple[str, str | None]], end: str = "") -> None:
        given = {name: value or "" for name, value in attrs}
        kept = {name: value for name, value in given.items() if name in _ATTRIBUTES}
        link = _ADDRESSES.get(tag, "")
        if leads := address(given.get(link, ""), also="mailto" if tag == "a" else "https"):
            kept = {link: leads, **kept}
        written = "".join(f' {name}="{html.escape(value)}"' for name, value in kept.items())
        if tag in _TAGS:
            self.found.append(f"<{tag}{written}{end}>")
        elif tag == "iframe" and leads.startswith(("http://", "https://", "//")):
            self.found.append(f"<iframe{written}></iframe>")  # the content of a frame is no markup

    def end(self, tag: str) -> None:
        if tag in _TAGS:
            self.found.append(f"</{tag}>")

    def text(self, data: str) -> None:
        self.found.append(html.escape(data, quote=False))
