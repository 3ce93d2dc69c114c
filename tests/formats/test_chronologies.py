"""Chronologies for people: Markdown and Word, read back by parsers that are not ours."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from chronologies import Read, read_markdown, read_word
from hypothesis import example, given, settings
from hypothesis import strategies as st
from once_accepted import as_once_accepted
from running import done, one_line, process, run
from site_in_process import open_site
from strategies import events

from timeline import Timeline, demo
from timeline.formats.about import about_selection
from timeline.formats.exporters import markdown
from timeline.formats.exporters.word import run_of
from timeline.formats.markup import for_xml
from timeline.reading import query
from timeline.reading.as_of import NOW
from timeline.store import storage


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "timeline.db"
    demo.build(path)
    return path


def exported(path: Path, *options: object) -> Read:
    """A chronology, which says the same in Markdown and in Word."""
    read = read_markdown(done("-d", path, "export", "md", *options))
    word = read_word(word_of(path, *options))
    assert word.headings == read.headings
    assert word.notes == read.notes
    assert word.references == read.references
    assert [text.strip(" ") for text in word.paragraphs] == [
        text.strip(" ") for text in read.paragraphs
    ]
    return read


def word_of(path: Path, *options: object) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "out.docx"
        done("-d", path, "export", "docx", *options, "-o", file)
        return file.read_bytes()


def of_events(*stated: Mapping[str, Any], state: str = "all") -> Read:
    """The Markdown of a log of these events."""
    with tempfile.TemporaryDirectory() as folder, as_once_accepted():
        path = Path(folder) / "story.db"
        with Timeline.create(path, title="T", origin="example.org/t") as timeline:
            timeline.record({"occurred": "2025", **each, "external_ids": []} for each in stated)
        return read_markdown(done("-d", path, "export", "md", "--state", state))


def test_a_chronology_says_what_it_is_of_and_when(story: Path) -> None:
    read = exported(story, "--country", "ua", "--since", "April 2025", "--as-of", "2025-04-16")
    assert read.headings[0] == (1, "NATO and Odesa, spring 2025")
    state, selection, notice, kept, licence, cite = read.paragraphs[:6]
    assert state.startswith("State of 16 April 2025 (the newest entry then: 1")
    assert selection == "Selection: country: Ukraine; from April 2025 (6 events)"
    assert "staged" in notice
    assert (kept, licence) == ("Kept by The demonstration desk", "Licence: Apache-2.0")
    assert cite.startswith("Cite as: \u201cNATO and Odesa, spring 2025\u201d, example.org/")


def test_events_come_in_order_of_time_under_their_dates(story: Path) -> None:
    read = exported(story)
    with Timeline.open(story) as timeline:
        titles = [row["title"] for row in timeline.list() if row["occurred_from"]]
    written = [text for level, text in read.headings if level == 3]
    assert [text for text in written if text in titles] == titles
    assert len(written) == 19
    days = [text for level, text in read.headings if level == 2]
    assert "15 April 2025" in days
    assert len(days) == len({*days})


def test_each_source_is_a_footnote_with_its_address(story: Path) -> None:
    read = exported(story)
    assert sorted(read.notes) == [*range(1, len(read.notes) + 1)]
    assert {*read.references} == {*read.notes}
    by_first_use = [*dict.fromkeys(read.references)]
    assert by_first_use == sorted(read.notes)
    with contextlib.closing(storage.connect(story)) as connection:
        rows = connection.execute("SELECT url FROM sources UNION SELECT archive_url FROM sources")
        known = {address for (address,) in rows}
    assert {address for _, addresses in read.notes.values() for address in addresses} <= known


def test_a_footnote_has_page_quote_and_archive_and_a_figure_refers_to_it(
    tmp_path: Path,
) -> None:
    source = {
        "source_id": "report",
        "title": "A *report*",
        "publisher": "The Desk",
        "published": "2025-04-16",
        "url": "https://example.org/a_b(c)",
        "archive_url": "https://archive.example/x",
    }
    event = {
        "title": "Strike",
        "occurred": "2025-04-15",
        "summary": "One.\n\nTwo.\nThree.",
        "place": {"name": "Odesa", "country": "UKR"},
        "citations": [{"source": source, "quote": "At least\nthree"}],
        "quantities": [
            {"measure": "killed", "value": 3, "reported_by": "Mayor", "source_ids": ["report"]},
            {"measure": "killed", "value": 4, "source_ids": ["other"]},
        ],
    }
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T") as timeline:
        with timeline.append() as append:
            append.record_source({"source_id": "other", "title": "Another"})
        timeline.record(event)
    read = exported(path)
    text, addresses = read.notes[1]
    assert text == 'A *report*, The Desk, 16 April 2025, "At least three"; ; archived:'
    assert addresses == [source["url"], source["archive_url"]]
    assert read.notes[2] == ("Another", [])
    assert read.references == [1, 1, 2]
    assert read.paragraphs[-5:-1] == ["One.", "Two.\nThree.", "killed: 3 (Mayor)", "killed: 4"]
    assert "Odesa, Ukraine - reported" in read.paragraphs


def test_what_no_longer_holds_is_marked(story: Path, timeline: Timeline) -> None:
    receipts = timeline.record(
        {"event_id": name, "title": title, "occurred": "2025-04-15"}
        for name, title in (("gone", "Was said"), ("erased", "Secret"))
    )
    timeline.retract("gone", reason="Not so")
    timeline.erase([receipts[1].entry_id], reason="A court order")
    text = done("-d", timeline.path, "export", "md", "--state", "all")
    assert "### ~~Was said~~" in text
    assert "\nRETRACTED - reported\n" in text
    assert "### ~~(erased)~~" in text
    assert "A court order" in text
    assert "Secret" not in text
    assert "Was said" not in done("-d", timeline.path, "export", "md")


ODD = [
    *("*", "_a_", "# b", "a #", "[x](y)", "[^1]", "[^1]: z", "<b>", "a\\", "\\*", "1. x", "12) x"),
    *("a|b", "| a | b |\n|--|--|", "- x", "+", "---", "===", "```", "~~x~~", "&amp;", "&#10;"),
    *("`", "a\nb", "a\r\n\r\n# b", " x ", "\u2028", "\u202ea", "שלום *", "\t", "i. x", "(a) x"),
    *("![x](y)", "<https://a.b>", ": x", "> x", "a  \nb", "$x$", "{#id}", "@me", "a. b", "~"),
]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ODD) | st.text(st.characters(exclude_categories=("Cs",)), min_size=1))
def test_any_title_comes_back_unchanged(title: str) -> None:
    # This parser drops some controls at an end of a text; no log takes a NUL.
    title = title.replace("\x00", "").strip("\x0b\x1c\x1d\x1e\x1f\x85")
    paragraph = markdown.block_of("headline", title)
    read = read_markdown(f"# T\n\n{paragraph}\n\ntext\n")
    expected = [(1, "T"), (3, title)] if title else [(1, "T"), (3, "")]
    assert read.headings == expected
    lines = "\n".join(line for line in title.replace("\r\n", "\n").replace("\r", "\n").split("\n")
                      if line.strip())  # fmt: skip
    again = read_markdown(f"# T\n\n{markdown.block_of('text', title)}\n\n[^2]: z\n")
    assert again.headings == [(1, "T")]
    assert again.paragraphs == ([lines] if lines else [])
    item = read_markdown(f"* x\n{markdown.block_of('item', title)}\n")
    assert item.paragraphs == ["x", title] if title else ["x"]
    assert again.references == []


@settings(max_examples=40, deadline=None)
@given(st.lists(events(known_events=(), known_sources=()), min_size=1, max_size=2))
@example([{"title": title, "summary": title} for title in ODD if title.isprintable()])
def test_whatever_is_stated_is_text(stated: list[dict[str, Any]]) -> None:
    read = of_events(*stated)
    levels = [level for level, _ in read.headings]
    assert levels.count(1) == 1
    assert levels.count(3) == len(stated)
    assert {*read.references} == {*read.notes}
    count = sum(len(each.get("citations", ())) for each in stated)
    assert len(read.notes) >= count


def test_the_same_state_gives_the_same_bytes_and_one_event_is_held(story: Path) -> None:
    assert done("-d", story, "export", "md") == done("-d", story, "export", "md")
    assert word_of(story) == word_of(story)
    with contextlib.closing(storage.connect(story)) as connection:
        about = about_selection(connection, NOW, {}, {})
        event = query.get(connection, "sumy-strike")
        given_out = 0

        def many() -> Iterator[Any]:
            nonlocal given_out
            for number in range(1_000):
                given_out += 1
                yield {**event, "event_id": f"e-{number}"}

        headlines = 0
        for piece in markdown.write(many(), about):
            assert piece.endswith("\n")
            headlines += piece.startswith("\n### ")
            assert abs(given_out - headlines) <= 1


def test_the_site_has_the_first_events_and_says_where_the_next_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T", origin="example.org/t") as timeline:
        timeline.record({"title": f"E {n}", "occurred": f"2025-01-{n + 1:02d}"} for n in range(25))
    monkeypatch.setattr("timeline.site.views.feeds.JSON_SIZE", 10)
    with open_site(path) as site:
        address, seen, links = "/events.md?q=e", list[str](), list[str]()
        while address:
            text = site.page(address)
            read = read_markdown(text)
            seen += [title for level, title in read.headings if level == 3]
            assert "\u201ce\u201d (25 events)" in read.paragraphs[1]
            assert "<http://localhost/events?q=e&as_of=%2325>" in text
            following = text.rpartition("The next ones: <http://localhost")[2]
            links.append(following)
            address = following.partition(">")[0] if following != text else ""
    assert seen == [f"E {n}" for n in range(25)]
    assert len(links) == 3


def test_wrong_filters_are_one_line(story: Path) -> None:
    result = run("-d", story, "export", "md", "--country", "Nowhere")
    assert (result.exit_code, result.stdout) == (1, "")


def test_word_keeps_what_a_reader_of_word_needs(story: Path) -> None:
    import docx

    document = docx.Document(io.BytesIO(word_of(story)))
    said = document.core_properties
    assert (said.title, said.author) == ("NATO and Odesa, spring 2025", "The demonstration desk")
    assert said.comments == ""
    header = document.sections[0].header.paragraphs[0].text
    assert header.startswith("NATO and Odesa, spring 2025\nState of 18 April 2025, entry 63")
    struck = [run for each in document.paragraphs for run in each.runs if run.font.strike]
    assert struck == []
    fields = [each.text for each in document.element.iter(f"{WORD}instrText")]
    marks = {each.get(f"{WORD}name") for each in document.element.iter(f"{WORD}bookmarkStart")}
    assert fields
    assert {field.split()[1] for field in fields} <= marks


WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ODD) | st.text(st.characters(exclude_categories=("Cs",)), min_size=1))
def test_any_text_comes_back_from_word(text: str) -> None:
    import docx

    document = docx.Document()
    paragraph = document.add_paragraph()
    run_of(paragraph._p, for_xml(text))
    file = io.BytesIO()
    document.save(file)
    (read,) = [each.text for each in docx.Document(file).paragraphs]
    assert read == re.sub("\r\n?", "\n", for_xml(text))


def test_text_from_the_right_is_set_from_the_right(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="\u062e\u0637", language="ar") as timeline:
        timeline.record({"title": "\u0645\u062d\u0627\u062f\u062b\u0627\u062a", "occurred": "2025"})
    with zipfile.ZipFile(io.BytesIO(word_of(path))) as parts:
        text = parts.read("word/document.xml").decode()
        assert 'w:val="ar"' in parts.read("word/styles.xml").decode()
    assert re.search(r'<w:pStyle w:val="Heading2"/><w:bidi/>', text)
    assert text.count("<w:rtl/>") == text.count("<w:bidi/>") == 2


def test_word_is_no_text_for_a_terminal_and_needs_its_extra(
    story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pty.openpty()
    try:
        result = process("-d", story, "export", "docx", "-o", os.ttyname(theirs), cwd=tmp_path)
    finally:
        os.close(ours)
        os.close(theirs)
    assert one_line(result) == "this is no text for a terminal: write it to a file, with -o FILE"
    monkeypatch.setitem(sys.modules, "docx", None)
    refused = run("-d", story, "export", "docx", "-o", tmp_path / "out.docx")
    assert one_line(refused) == "Word is written by an extra: pip install 'timeline-store[docx]'"
    assert [*tmp_path.iterdir()] == []


def test_the_site_offers_word(story: Path) -> None:
    with open_site(story) as site:
        assert "/events.docx" in "".join(site.links("/events"))
        answer = site.ask("/events.docx?country=UKR")
        assert answer.headers["content-type"].endswith("wordprocessingml.document")
        word = read_word(answer.content)
        assert word.headings == read_markdown(site.page("/events.md?country=UKR")).headings
        assert site.ask("/events.docx?country=Nowhere").status_code == 400


def test_a_page_to_print_loads_and_runs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    hostile = "<script>alert(1)</script>\"'&amp;"
    source = {"title": hostile, "url": "https://example.org/?a=1&b='2"}
    with as_once_accepted(), Timeline.create(path, title=hostile) as timeline:
        timeline.record(
            {
                "title": hostile,
                "occurred": "2025",
                "summary": hostile,
                "citations": [{"source": source}],
            }
        )
    with open_site(path) as site:
        answer = site.ask("/events.html")
        assert answer.headers["content-disposition"].startswith("inline; ")
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
        assert "/events.html" in "".join(site.links("/events?q=script"))
    page = lxml.html.fromstring(answer.text)
    assert page.xpath("//script | //link | //img | //i") == []
    assert [each.text_content() for each in page.xpath("//h1 | //h3")] == [hostile] * 2
    assert page.xpath("//ol/li/a/@href") == [source["url"]]
    assert page.get("data-title") == hostile


def test_a_page_to_print_is_in_the_language_of_the_log(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T", language="ar") as timeline:
        timeline.record({"title": "\u062e", "occurred": "2025-04-15"})
    with open_site(path) as site:
        page = lxml.html.fromstring(site.page("/events.html"))
        english = lxml.html.fromstring(site.page("/events.html?lang=en"))
    assert (page.get("lang"), page.get("dir")) == ("ar", "rtl")
    assert (english.get("lang"), english.get("dir")) == ("en", "ltr")
    assert page.xpath("//h3/@lang") == ["ar"]
    assert "15 April 2025" in english.text_content()
    assert "15 April 2025" not in page.text_content()
    assert '<html lang="en" dir="ltr"' in done("-d", path, "export", "html")
