"""From the bytes of a document to its text.

Guarantees: plain text is taken as it is, each character of it, byte order mark and line ends
too: its UTF-8 is the file. HTML becomes the text of its article, a paragraph between blank
lines; nothing is loaded from anywhere. What is no text is refused in one line.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from typing import NamedTuple

from timeline.errors import InvalidValue, TimelineError

LONGEST = 4 * 2**20
"""Bytes of UTF-8 in one captured text. Datasette reads values of up to 5,000,000."""

LONGEST_HTML = 16 * 2**20
"""Bytes of a page that is reduced to its text."""

_BEGINS_AS_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s+|<\?xml[^>]*>|<!--.*?-->)*<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)
_CHARSET = re.compile(rb"<meta\b[^>]*?\bcharset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_HEAD = 4_096
"""Bytes in which a page says that it is one, and in which charset."""


class Document(NamedTuple):
    """The text of a document, and what is known of the file that it comes from."""

    text: str
    media_type: str | None = None
    original_sha256: str | None = None
    """Of the file that the text was reduced from, if that is not the text itself."""


def sha256(content: bytes) -> str:
    """ "sha256:" and the hex."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def read(content: bytes, *, is_html: bool = False) -> Document:
    """The text of a file, which is UTF-8 or HTML. Raises InvalidValue, names no file."""
    if content.startswith(b"%PDF-"):
        raise InvalidValue("", "is a PDF: capture its text, as pdftotext and others write it")
    if is_html or _BEGINS_AS_HTML.match(content[:_HEAD]):
        if len(content) > LONGEST_HTML:
            raise _too_long(LONGEST_HTML)
        text = _article(_decoded(content))
        document = Document(text, "text/html", sha256(content))
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
    """A page in UTF-8, or else in the charset that it names."""
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


def _article(page: str) -> str:
    """The article of a page, paragraph by paragraph."""
    import logging

    try:
        import trafilatura
    except ImportError:
        problem = "HTML is read by an extra: pip install 'timeline-store[html]'"
        raise TimelineError(problem) from None
    # What it has to say of odd pages goes to nobody: there is an article, or there is none.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    text = trafilatura.extract(page, include_comments=False)
    if not text:
        raise InvalidValue("", "is HTML without an article in it")
    return "\n\n".join(filter(None, text.split("\n")))
