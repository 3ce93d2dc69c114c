"""Markdown (CommonMark) with footnotes, which has a chronology that people read and edit.

Guarantees: every text comes back as it is in the log when a program reads the Markdown; no text
becomes a heading, a list, a link, HTML or a footnote. Every link leads to http or https.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from urllib.parse import quote

from timeline.formats.about import About
from timeline.formats.chronology import Footnote, Paragraph, ParagraphStyle, chronology, links
from timeline.formats.markup import is_link
from timeline.reading.rows import EventDict

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#&~|^$@]")
_BEGINS = re.compile(
    r"\A(?:([-+=:%])|(\(?(?:[0-9]{1,9}|[A-Za-z]|[ivxlcdmIVXLCDM]+))([.)])(?=\s|$))"
)
"""What makes a list, a heading or a definition of a line that begins with it, in some Markdown."""
_LINE_BREAK = re.compile("\r\n|[\n\r]")
_BLANK = r"[^\S\x0b\x1c-\x1f\x85]"
_AS_NUMBER = re.compile(rf"[\t\n\f\r\u2028\u2029]|\A{_BLANK}+|{_BLANK}+\Z")
"""Characters that are written by their number, for a reader of Markdown drops or obeys them."""
_NO_ADDRESS = re.compile(r"[\x00-\x20<>\x7f-\x9f\\`]|\s")

_BEFORE = {"title": "# ", "day": "## ", "headline": "### ", "notice": "> ", "item": "* "}


def write(events: Iterable[EventDict], about: About) -> Generator[str, None, int]:
    """Yield one document, paragraph by paragraph. Leaves nothing out.

    The footnotes of an event follow it; programs set them at the end of the page.
    """
    written = 0
    waiting: dict[int, Footnote] = {}
    before = None
    for paragraph in chronology(events, about):
        if waiting and paragraph.style in ("day", "headline", "front"):
            yield _definitions(waiting)
            waiting = {}
        for note in paragraph.notes:
            if note.number > written:
                waiting[note.number], written = note, note.number
        is_close = before is None or paragraph.style == before == "item"
        yield _written(paragraph) if is_close else f"\n{_written(paragraph)}"
        before = paragraph.style
    if waiting:
        yield _definitions(waiting)
    return 0


def _written(paragraph: Paragraph) -> str:
    refs = "".join(f"[^{note.number}]" for note in paragraph.notes)
    link = f" {_address(paragraph.link)}" if paragraph.link else ""
    said = block_of(paragraph.style, paragraph.text, is_struck=paragraph.is_struck)
    return f"{said}{refs}{link}\n"


def block_of(style: ParagraphStyle, text: str, *, is_struck: bool = False) -> str:
    """Return a text as the block of Markdown that has this style."""
    if style in _BEFORE:
        said = _in_one_line(text)
    else:
        lines = [line for line in _LINE_BREAK.split(text) if line.strip()]
        said = "\\\n".join(map(_in_one_line, lines))
    return f"{_BEFORE.get(style, '')}{f'~~{said}~~' if is_struck else said}"


def _definitions(notes: dict[int, Footnote]) -> str:
    return "".join(f"\n[^{number}]: {'; '.join(_parts(note))}\n" for number, note in notes.items())


def _parts(note: Footnote) -> Iterator[str]:
    yield _in_one_line(note.text)
    for words, address in links(note):
        yield f"{words}{_address(address)}"


def _address(address: str) -> str:
    """Return an address as a link; one that may be none as text."""
    if not is_link(address):
        return _in_one_line(address)
    return f"<{_NO_ADDRESS.sub(lambda found: quote(found[0]), address)}>"


def _in_one_line(text: str) -> str:
    """Escape a text that stands at the beginning of a line; its line breaks become numbers."""
    escaped = _SPECIAL.sub(r"\\\g<0>", text)
    escaped = _BEGINS.sub(lambda found: _escaped(*found.groups()), escaped)
    return _AS_NUMBER.sub(lambda found: "".join(f"&#{ord(each)};" for each in found[0]), escaped)


def _escaped(sign: str | None, number: str | None, stop: str | None) -> str:
    return f"\\{sign}" if sign else f"{number}\\{stop}"
