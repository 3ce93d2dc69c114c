"""Functions that read the text of a document from its bytes.

Guarantees: plain text is taken exactly as it is, with its byte order mark and line ends, so that
its UTF-8 equals the file. HTML becomes the text of its article, with a blank line between
paragraphs, and PDF the text of its pages; nothing is loaded from anywhere. A file that is not text
is refused in one line.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from timeline.errors import InvalidValue, TimelineError
from timeline.texts.hidden_passages import remove_hidden

if TYPE_CHECKING:
    from timeline.texts.page_facts import Stated

LONGEST = 4 * 2**20
"""Bytes of UTF-8 in one captured text. Datasette reads values of up to 5,000,000 bytes."""

LONGEST_HTML = 16 * 2**20
"""Bytes of an HTML page that can be reduced to its text; longer pages are refused."""

_BEGINS_AS_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s+|<\?xml[^>]*>|<!--.*?-->)*<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)
_CHARSET = re.compile(rb"<meta\b[^>]*?\bcharset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_HEAD = 4_096
"""Bytes at the beginning of a file in which we look for a mark of HTML and for a charset."""


class Document(NamedTuple):
    """The text of a document, with type and hash of the file if the text was reduced from it."""

    text: str
    media_type: str | None = None
    original_sha256: str | None = None
    """The hash of the file that the text was reduced from; None if the file is the text itself."""
    hidden_passages: int = 0
    """The number of passages of the page that were left out because its readers do not see them."""
    stated: tuple[Stated, ...] = ()
    """The title, authors, dates and such that the document states, the most trusted first."""


def sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes, written as "sha256:" and the hex digits."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def read(content: bytes, *, is_html: bool = False, keep_hidden: bool = False) -> Document:
    """Return the text of a file of UTF-8, PDF or HTML; with `is_html` the file is taken as HTML.

    Of HTML, what a browser would hide is left out, unless `keep_hidden` (see `hidden_passages`).
    Raises InvalidValue, which does not name the file, and TimelineError if HTML or PDF cannot
    be read because the extra `html` or `pdf` is not installed.
    """
    if content.startswith(b"%PDF-"):
        from timeline.texts import pdf

        text, said = pdf.read(content)
        document = Document(text, "application/pdf", sha256(content), stated=said)
    elif is_html or _BEGINS_AS_HTML.match(content[:_HEAD]):
        if len(content) > LONGEST_HTML:
            raise _too_long(LONGEST_HTML)
        text, left_out, said = _article(_decoded(content), keep_hidden=keep_hidden)
        document = Document(text, "text/html", sha256(content), left_out, said)
    else:
        if len(content) > LONGEST:
            raise _too_long(LONGEST)
        document = Document(_utf8(content))
    check(document.text)
    return document


def check(text: str) -> None:
    """Raise InvalidValue for a text that cannot be kept."""
    if (nul := text.find("\x00")) >= 0:
        raise InvalidValue("", f"is not text: there is a NUL at character {nul}")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        problem = f"holds half a character (a lone surrogate) at character {error.start}"
        raise InvalidValue("", problem) from None
    if size > LONGEST:
        raise _too_long(LONGEST)
    if not any(map(str.isalnum, text)):
        raise InvalidValue("", "holds no words" if text else "is empty")


def _too_long(limit: int) -> InvalidValue:
    return InvalidValue("", f"is longer than {limit // 2**20} MiB: capture the part that is cited")


def _utf8(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"is not text in UTF-8: byte {content[error.start]:#04x} at offset {error.start}"
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            problem = "is text in UTF-16: save it as UTF-8"
        raise InvalidValue("", problem) from None


# --- HTML ---------------------------------------------------------------------------------


def _decoded(page: bytes) -> str:
    """Decode a page from UTF-8, else from the charset that it names. Raises InvalidValue."""
    try:
        return page.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        named = _CHARSET.search(page[:_HEAD])
        try:
            return page.decode(named[1].decode() if named else "ascii")
        except (UnicodeDecodeError, LookupError):
            problem = (
                f"is HTML, but not in UTF-8 (byte {page[error.start]:#04x} at offset "
                f"{error.start}), nor in a charset that it names"
            )
            raise InvalidValue("", problem) from None


def _article(page: str, *, keep_hidden: bool) -> tuple[str, int, tuple[Stated, ...]]:
    """Extract the article of a page as paragraphs with blank lines between them.

    Returns also how many hidden passages were left out, and what the page says of itself.
    """
    import logging

    from timeline.texts import page_facts

    try:
        import trafilatura
    except ImportError:
        problem = "HTML is read by an extra: pip install 'timeline-store[html]'"
        raise TimelineError(problem) from None
    # Hide what it logs about odd pages: there is an article, or there is none.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    tree = trafilatura.load_html(page)
    said = () if tree is None else page_facts.stated(tree)
    left_out = 0 if tree is None or keep_hidden else remove_hidden(tree)
    text = None if tree is None else trafilatura.extract(tree, include_comments=False)
    if not text:
        hint = " but what it hides: --keep-hidden keeps that" if left_out else ""
        raise InvalidValue("", f"is HTML without an article in it{hint}")
    return "\n\n".join(filter(None, text.split("\n"))), left_out, said
