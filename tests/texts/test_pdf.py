"""The text of a PDF is read page by page, and a file that cannot be read is refused."""

from __future__ import annotations

import contextlib
import io
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_pdf import pdf

from timeline.errors import InvalidValue
from timeline.texts import document
from timeline.texts.coverage import coverage_of
from timeline.texts.document import read
from timeline.texts.pages import page_breaks, page_of
from timeline.texts.sentences import sentences
from timeline.writing.stated_facts import chosen

PROSE = (
    "The levee at Kessel Point gave way at 3:40 a.m. on Tuesday, flooding most of the third ward. "
    "Gov. Amy Holt put the toll at eight, and the water still stands in the lower streets. "
    "Nobody knew when the government would send help to those who had lost everything."
)
REPORT = pdf(
    ["Levee report", "", *textwrap.wrap(PROSE, 60)],
    ["The second page has a table:", "Ward 1", "Ward 3"],
    ["They asked for money in January and", "were told no."],
    info={
        "Title": "Levee report",
        "Author": "By Ann Orr; Bo Holt",
        "CreationDate": "D:20250416090000-05'00'",
    },
    lang="en_US",
)


def test_pages_are_parted_and_their_lines_are_joined() -> None:
    found = read(REPORT)
    assert found.text.split("\f") == [
        f"Levee report\n{PROSE}",
        "The second page has a table:\nWard 1\nWard 3",
        "They asked for money in January and were told no.",
    ]
    assert found.media_type == "application/pdf"
    assert found.original_sha256 == document.sha256(REPORT)
    assert read(REPORT) == found


def test_a_word_that_was_cut_is_whole_again() -> None:
    lines = [
        "The well-known govern-",
        "ment sent a well-",
        "known man, and a south-",
        "East wind blew.",
    ]
    assert read(pdf(lines)).text == (
        "The well-known government sent a well-known man, and a south-East wind blew."
    )


def test_what_a_pdf_says_of_itself_is_found() -> None:
    said = chosen(read(REPORT).stated)
    assert said.fields == {
        "title": "Levee report",
        "authors": ["Ann Orr", "Bo Holt"],
        "published": "2025-04-16T09:00:00-05:00",
        "language": "en-US",
    }
    assert said.where["published"] == "/CreationDate"
    assert said.notes == []
    for title in ("Microsoft Word - a.doc", "report_final.docx", "Untitled-1"):
        odd = chosen(read(pdf(["Words."], info={"Title": title, "CreationDate": "soon"})).stated)
        assert odd.fields == {}
        assert len(odd.notes) == 1


@pytest.mark.parametrize(
    ("date", "edtf"),
    [
        ("D:20250416", "2025-04-16"),
        ("D:202504", "2025-04"),
        ("D:2025", "2025"),
        ("D:20250416090000Z", "2025-04-16T09:00:00Z"),
        ("D:20250416090000Z00'00'", "2025-04-16T09:00:00Z"),
        ("D:20250416090000+02'00", "2025-04-16T09:00:00+02:00"),
        ("20250416090000", "2025-04-16T09:00:00"),
        ("2025-04-16", "2025-04-16"),
    ],
)
def test_a_date_of_a_pdf_is_written_in_edtf(date: str, edtf: str) -> None:
    said = chosen(read(pdf(["Words."], info={"CreationDate": date})).stated)
    assert said.fields == {"published": edtf}


def test_pages_without_text_are_counted() -> None:
    said = chosen(read(pdf(["Words."], [], [" "])).stated)
    assert said.notes == ["left out: 2 of 3 pages, which have no text"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "is a PDF that cannot be read: is the file whole?"),
        (REPORT[: len(REPORT) // 2].replace(b"obj", b"odd"), "is a PDF that cannot be read"),
        (pdf([], [" "]), "is a PDF without text, as scanners make it"),
        (pdf(), "is a PDF without text"),
        (b"%PDF-1.7\n" + b" " * 40_000_000, "is longer than 32 MiB: capture the pages that"),
        (pdf(*[["."]] * 2_001), "has more than 2,000 pages: capture the pages that are cited"),
    ],
    ids=["cut off", "damaged", "scanned", "no pages", "too long", "too many pages"],
)
def test_what_cannot_be_read_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        read(content)
    assert str(refusal.value).startswith(problem)


def test_a_page_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timeline.texts.pdf._LONGEST", -1.0)
    with pytest.raises(InvalidValue, match="seconds to read: capture the pages that are cited"):
        read(REPORT)


def test_a_locked_pdf_is_refused_and_one_that_only_forbids_copies_is_read() -> None:
    from pypdf import PdfReader, PdfWriter

    def locked(password: str) -> bytes:
        writer = PdfWriter(clone_from=PdfReader(io.BytesIO(REPORT)))
        writer.encrypt(password, algorithm="AES-256")
        file = io.BytesIO()
        writer.write(file)
        return file.getvalue()

    assert read(locked("")).text == read(REPORT).text
    with pytest.raises(InvalidValue, match="is a PDF with a password: save a copy without one"):
        read(locked("secret"))


@given(st.integers(0, len(REPORT)), st.binary(max_size=20), st.integers(0, 40))
def test_a_damaged_pdf_is_read_or_refused(place: int, bytes_put_in: bytes, gone: int) -> None:
    content = b"%PDF-" + (REPORT[:place] + bytes_put_in + REPORT[place + gone :])[5:]
    with contextlib.suppress(InvalidValue):
        assert read(content).text


def test_a_place_is_on_a_page() -> None:
    text = "One.\fTwo.\n\fThree.\f\n"
    breaks = page_breaks(text)
    assert [page_of(text.index(word), breaks) for word in ("One", "Two", "Three")] == [1, 2, 3]
    assert page_of(2, page_breaks("One.\f")) is None
    assert [each.page for each in coverage_of(text, [], [])] == [1, 2, 3]
    assert [each.page for each in coverage_of("One. Two.", [], [])] == [None, None]


def test_a_sentence_may_go_on_on_the_next_page() -> None:
    text = "They asked for\fmoney. They left."
    assert [text[slice(*span)] for span in sentences(text)] == [
        "They asked for\fmoney.",
        "They left.",
    ]
