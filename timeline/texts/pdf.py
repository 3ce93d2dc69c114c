"""Read the text of a PDF, page by page, and what the file says of itself.

Guarantees: pages are parted by form feeds, so the page of a quote is known (`pages`). Lines that
were only broken for want of room are joined to paragraphs. Every file that cannot be read is
refused with InvalidValue, and reading takes bounded work: of pages, characters and seconds. pypdf
bounds what a page unpacks to.
"""

from __future__ import annotations

import io
import logging
import re
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from timeline.errors import InvalidValue, TimelineError
from timeline.texts import page_facts
from timeline.texts.page_facts import Stated
from timeline.texts.pages import PAGE_BREAK

if TYPE_CHECKING:
    from pypdf import PdfReader

LONGEST_PDF = 32 * 2**20
"""Bytes of a PDF whose text can be read; longer ones are refused."""
_MOST_PAGES = 2_000
"""Pages of a PDF; the reports of parliaments have some hundreds."""
_MOST_CHARACTERS = 4 * 2**20
"""Characters of a text, of which more could not be kept."""
_LONGEST = 60.0
"""Seconds for reading all pages. Measured: 6 ms for a page of 3,100 characters."""

_NO_TITLE = re.compile(
    r"untitled|microsoft \w+ - |slide \d|\S+\.(?:docx?|indd|odt|pdf|pptx?|pub|qxd|rtf|tex|xlsx?)$",
    re.IGNORECASE,
)
"""Finds a title that a program made up of the name of a file."""
_CUT_WORD = re.compile(r"\b(\w{1,60})-\n(\w{1,60})")
_HYPHENED = re.compile(r"\b\w{1,60}-\w{1,60}")


def read(content: bytes) -> tuple[str, tuple[Stated, ...]]:
    """Return the text of a PDF and what it says of itself.

    Raises InvalidValue, which does not name the file, and TimelineError if the extra `pdf` is not
    installed.
    """
    try:
        import pypdf
    except ImportError:
        problem = "PDF is read by an extra: pip install 'timeline-store[pdf]'"
        raise TimelineError(problem) from None
    if len(content) > LONGEST_PDF:
        problem = f"is longer than {LONGEST_PDF // 2**20} MiB: capture the pages that are cited"
        raise InvalidValue("", problem)
    # Hide what it logs about odd files: there is a text, or there is none.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise InvalidValue("", "is a PDF with a password: save a copy without one")
        pages = [*_pages(reader)]
        said = [each for each in _stated(reader) if each.value]
    except InvalidValue:
        raise
    except Exception:  # noqa: BLE001 - a damaged file makes it raise errors of any kind
        raise InvalidValue("", "is a PDF that cannot be read: is the file whole?") from None
    text = PAGE_BREAK.join(pages)
    if not any(map(str.isalnum, text)):
        problem = "is a PDF without text, as scanners make it: recognize its words first (OCR)"
        raise InvalidValue("", problem)
    if empty := sum(not any(map(str.isalnum, page)) for page in pages):
        said.append(Stated("unread", f"{empty} of {len(pages)} pages, which have no text", "PDF"))
    return text, tuple(said)


def _pages(reader: PdfReader) -> Iterator[str]:
    """Yield the text of each page. Raises InvalidValue if there are too many, or too slow ones."""
    if len(reader.pages) > _MOST_PAGES:
        problem = f"has more than {_MOST_PAGES:,} pages: capture the pages that are cited"
        raise InvalidValue("", problem)
    until = time.monotonic() + _LONGEST

    def check_time(*_: object) -> None:
        if time.monotonic() > until:
            problem = f"takes longer than {_LONGEST:.0f} seconds to read"
            raise InvalidValue("", f"{problem}: capture the pages that are cited")

    length = 0
    for page in reader.pages:
        text = page.extract_text(visitor_operand_before=check_time)
        check_time()
        text = _paragraphs(text.replace("\x00", "").replace(PAGE_BREAK, "\n"))
        length += len(text)
        if length > _MOST_CHARACTERS:
            raise InvalidValue("", "has more text than 4 MiB: capture the part that is cited")
        yield text


def _paragraphs(text: str) -> str:
    """Return the text of a page, with lines joined that were broken for want of room.

    Such a line is nearly as long as the longest lines of its page. A word that was cut loses its
    hyphen, unless the page has it with a hyphen elsewhere.
    """
    text = "\n".join(line.strip() for line in text.encode(errors="replace").decode().splitlines())
    hyphened = {*_HYPHENED.findall(text)}

    def whole(found: re.Match[str]) -> str:
        is_cut = found[2][0].islower() and f"{found[1]}-{found[2]}" not in hyphened
        return f"{found[1]}{'' if is_cut else '-'}{found[2]}"

    lines = _CUT_WORD.sub(whole, text.replace("\xad\n", "")).split("\n")
    room = _room(lines)
    joined: list[str] = []
    is_full = False
    for line in lines:
        if is_full and line:
            joined[-1] += f" {line}"
        else:
            joined.append(line)
        is_full = len(line) >= room
    return "\n".join(joined).strip("\n")


def _room(lines: Sequence[str]) -> float:
    """Return the length from which a line is full: three quarters of a long one."""
    lengths = sorted(len(line) for line in lines if line)
    return max(lengths[len(lengths) * 9 // 10] * 0.75, 30) if lengths else 0


def _stated(reader: PdfReader) -> Iterator[Stated]:
    """Yield what the file says of itself: title, author, day on which it was made, language."""
    said: Any = reader.metadata or {}
    for field, name in (
        ("title", "/Title"),
        ("authors", "/Author"),
        ("published", "/CreationDate"),
    ):
        text = page_facts.clean(str(said.get(name, "")))
        if field == "authors":
            yield Stated(field, page_facts.names([text]), name)
        elif field == "published":
            yield Stated(field, _date(text), name)
        elif not _NO_TITLE.match(text):
            yield Stated(field, text, name)
    root: Any = reader.root_object
    yield Stated("language", page_facts.language(str(root.get("/Lang", ""))), "/Lang")


_DATE = re.compile(
    r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(?:(\d\d)(\d\d)(\d\d)?)?(?:Z(?:00)?'?(?:00)?|([+-]\d\d)'?(\d\d)?)?'?",
    re.ASCII,
)


def _date(text: str) -> str:
    """Return a date such as D:20250416090000-05'00' in EDTF; another text as it is."""
    match = _DATE.fullmatch(text)
    if not match:
        return page_facts.date(text)
    year, month, day, hour, minute, second, zone, rest = match.groups()
    parts = "-".join(filter(None, (year, month, day)))
    if not (day and hour and minute):
        return parts
    offset = f"{zone}:{rest or '00'}" if zone else "Z" if "Z" in text else ""
    return f"{parts}T{hour}:{minute}:{second or '00'}{offset}"
