"""`timeline capture` takes over what a document says of itself, and shows it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest
from made_pdf import pdf
from running import PROGRAM, done, environment, one_line, run

from timeline import Timeline

PAGE = """<!doctype html><html lang="en"><head><title>Dam gives way - Valley Wire</title>
<meta property="og:site_name" content="Valley Wire">
<meta property="article:published_time" content="2025-04-16T09:00:00-05:00">
<link rel="canonical" href="https://valley.example/dam">
<meta name="author" content="By Ann Orr and Bo Holt"></head><body><article><h1>Dam gives way</h1>
<p>The dam above the town gave way on Tuesday at 3:40 in the morning, an official said.</p>
<p>Seven people are dead, and the water stands in all of the houses of the third ward.</p>
</article></body></html>
"""
URL = "https://valley.example/dam"


@pytest.fixture
def page(path: Path) -> Path:
    file = path.with_name("page.html")
    file.write_text(PAGE)
    return file


def source(timeline: Timeline, source_id: str) -> dict[str, Any]:
    with contextlib.closing(sqlite3.connect(timeline.path)) as connection:
        connection.row_factory = sqlite3.Row
        (row,) = connection.execute("SELECT * FROM sources WHERE source_id = ?", (source_id,))
        return dict(row)


def test_what_a_page_says_of_itself_is_recorded_and_shown(timeline: Timeline, page: Path) -> None:
    shown = done("-d", timeline.path, "capture", page, "--id", "dam")
    assert (
        shown
        == """recorded  dam  entry 1, version 1
  3 sentences, 184 characters
From the page:
  title       Dam gives way (<title>)
  publisher   Valley Wire (og:site_name)
  written-by  Ann Orr; Bo Holt (author)
  url         https://valley.example/dam (<link rel="canonical">)
  published   2025-04-16T09:00:00-05:00 (article:published_time)
  language    en (<html lang>)
"""
    )
    row = source(timeline, "dam")
    assert (row["title"], row["publisher"], row["url"]) == ("Dam gives way", "Valley Wire", URL)
    assert (row["authors"], row["language"]) == ("Ann Orr; Bo Holt", "en")
    assert row["published"] == "2025-04-16T09:00:00-05:00"


def test_options_say_otherwise_or_leave_a_field_empty(timeline: Timeline, page: Path) -> None:
    options = ("--title", "My title", "--publisher", "", "--written-by", "", "--language", "uk")
    answer = json.loads(
        done("-d", timeline.path, "capture", page, "--id", "dam", *options, "--json")
    )
    assert [*answer["stated"]] == ["url", "published"]
    row = source(timeline, "dam")
    assert (row["title"], row["language"]) == ("My title", "uk")
    assert (row["publisher"], row["authors"]) == (None, None)


def test_an_option_empties_a_field_that_was_recorded(timeline: Timeline, page: Path) -> None:
    done("-d", timeline.path, "capture", page, "--id", "dam")
    done("-d", timeline.path, "capture", page, "--id", "dam", "--publisher", "")
    assert source(timeline, "dam")["publisher"] is None
    assert done("-d", timeline.path, "capture", page).startswith("unchanged  dam ")
    assert source(timeline, "dam")["publisher"] is None


def test_a_changed_page_fills_in_and_does_not_overwrite(timeline: Timeline, page: Path) -> None:
    done("-d", timeline.path, "capture", page, "--id", "dam", "--title", "Mine", "--language", "")
    page.write_text(PAGE.replace("Seven", "Eight"))
    result = run("-d", timeline.path, "capture", page, "--id", "dam")
    assert result.stdout.startswith("updated  dam  entry 2, version 2\n")
    assert result.stderr == (
        'Note: title: the document says "Dam gives way" now; the source keeps "Mine"\n'
    )
    row = source(timeline, "dam")
    assert (row["title"], row["language"]) == ("Mine", "en")


def test_odd_statements_are_left_out_with_a_note(timeline: Timeline, page: Path) -> None:
    page.write_text(PAGE.replace(f'"{URL}"', '"javascript:alert(1)"').replace("2025-04-16", "Day"))
    result = run("-d", timeline.path, "capture", page, "--id", "dam")
    assert result.exit_code == 0
    assert [line[:34] for line in result.stderr.split("Note: ")[1:]] == [
        'left out: "javascript:alert(1)" in',
        'left out: "DayT09:00:00-05:00" in ',
    ]
    assert "url" not in result.stdout


def test_a_page_that_says_nothing_of_itself_needs_a_title(timeline: Timeline, page: Path) -> None:
    body = PAGE[PAGE.index("<article>") :]
    page.write_text(f"<html><body>{body}")
    assert one_line(run("-d", timeline.path, "capture", page)) == "needs a title or a url"


def test_plain_text_says_nothing_of_itself(timeline: Timeline, path: Path) -> None:
    file = path.with_name("report.txt")
    file.write_text("The dam gave way. By Ann Orr, https://valley.example/dam")
    shown = done("-d", timeline.path, "capture", file, "--id", "dam")
    assert "From" not in shown
    assert source(timeline, "dam")["url"] is None


# --- Citing in the same go ----------------------------------------------------------------


FIRST = "an official said"
SECOND = "Seven people are dead"


@pytest.fixture
def event(timeline: Timeline) -> str:
    return timeline.record({"event_id": "break", "title": "Dam breaks", "occurred": "2025"}).id


def log_size(timeline: Timeline) -> int:
    return len(json.loads(done("-d", timeline.path, "log", "--json", "--limit", "100")))


def test_a_capture_cites_in_the_same_append(timeline: Timeline, page: Path, event: str) -> None:
    capture = ("-d", timeline.path, "capture", page, "--id", "dam", "--event", "bre")
    shown = done(*capture, "--quote", FIRST, "--quote", SECOND)
    assert shown.endswith(
        f'updated  break  2025  entry 3, version 2\n  cites  "{FIRST}"\n  cites  "{SECOND}"\n'
    )
    cited = timeline.get(event)["citations"]
    assert [each["quote"] for each in cited] == [FIRST, SECOND]
    assert {each["source_version"] for each in cited} == {1}
    size = log_size(timeline)
    again = done(*capture, "--quote", FIRST)
    assert again.startswith("unchanged  dam ")
    assert "updated" not in again
    assert log_size(timeline) == size
    shown = done(*capture, "--quote", FIRST, "--quote", "on Tuesday", "--dry-run")
    assert shown.endswith('would be updated  break  2025\n  cites  "on Tuesday"\n')
    assert "From the page" not in shown
    answer = json.loads(done(*capture, "--quote", "the third ward", "--json"))
    assert (answer["unchanged"], answer["cited_by"]["event_id"]) == (True, "break")
    assert len(timeline.get(event)["citations"]) == 3


def test_a_quote_that_is_not_in_the_text_refuses_all(
    timeline: Timeline, page: Path, event: str
) -> None:
    size = log_size(timeline)
    quotes = ("--quote", FIRST, "--quote", "Nine people are dead")
    refused = run("-d", timeline.path, "capture", page, "--id", "dam", "--event", event, *quotes)
    problem = one_line(refused)
    assert problem.startswith("quote: does not stand in the text of dam: the nearest is")
    assert SECOND in problem
    assert log_size(timeline) == size


def test_a_dry_run_shows_what_would_cite(timeline: Timeline, page: Path, event: str) -> None:
    size = log_size(timeline)
    options = ("--quote", FIRST, "--event", event, "--dry-run")
    shown = done("-d", timeline.path, "capture", page, "--id", "dam", *options)
    assert shown.startswith("would be recorded  dam\n")
    assert f'would be updated  break  2025\n  cites  "{FIRST}"\n' in shown
    assert log_size(timeline) == size


@pytest.mark.parametrize("options", [("--quote", "a b"), ("--event", "break")])
def test_a_quote_and_an_event_go_together(
    timeline: Timeline, page: Path, options: tuple[str, ...]
) -> None:
    refused = run("-d", timeline.path, "capture", page, *options)
    assert refused.exit_code == 2
    assert "--quote and --event go together" in refused.stderr


def test_an_event_that_is_not_there_refuses_all(timeline: Timeline, page: Path) -> None:
    options = ("--quote", FIRST, "--event", "breach")
    assert one_line(run("-d", timeline.path, "capture", page, *options)) == 'no event "breach"'
    assert log_size(timeline) == 0 or not timeline.list()


# --- Another source with the same address -------------------------------------------------


CHANGED = PAGE.replace("Seven", "Eight")


@pytest.fixture
def dam(timeline: Timeline, page: Path) -> Timeline:
    """A timeline that has the page, whose text has changed since."""
    done("-d", timeline.path, "capture", page, "--id", "dam")
    page.write_text(CHANGED)
    return timeline


@pytest.mark.parametrize(
    "url",
    [
        URL,
        f"{URL}/",
        f"{URL}#top",
        f"{URL}?utm_source=mail&utm_medium=x",
        URL.replace("https", "http"),
        URL.replace("//", "//www."),
        URL.replace("valley", "Valley"),
    ],
)
def test_a_second_source_with_an_address_is_a_question(dam: Timeline, page: Path, url: str) -> None:
    size = log_size(dam)
    for options in (("--id", "other"), ("--id", "other", "--url", url)):
        refused = one_line(run("-d", dam.path, "capture", page, *options))
        assert refused == (
            "dam has this address already: --id dam updates it, --another records another source"
        )
    assert log_size(dam) == size
    done("-d", dam.path, "capture", page, "--id", "other", "--url", url, "--another")
    assert source(dam, "other")["url"] == url


def test_the_address_that_a_page_states_is_a_question_too(dam: Timeline, page: Path) -> None:
    assert "--another" in one_line(run("-d", dam.path, "capture", page))
    answer = json.loads(done("-d", dam.path, "capture", page, "--another", "--json"))
    assert (answer["kind"], answer["source_id"] != "dam") == ("source.recorded", True)
    assert source(dam, answer["source_id"])["url"] == URL
    page.write_text(CHANGED.replace("Eight", "Nine"))
    refused = one_line(run("-d", dam.path, "capture", page))
    assert refused.startswith(f"{', '.join(sorted(['dam', answer['source_id']]))} have this")
    assert done("-d", dam.path, "capture", page, "--id", "dam").startswith("updated  dam ")


@pytest.mark.parametrize(
    "url", ["https://valley.example/dam/2", "https://wire.example/dam", f"{URL}?page=2"]
)
def test_another_address_is_no_question(dam: Timeline, page: Path, url: str) -> None:
    assert done("-d", dam.path, "capture", page, "--url", url).startswith("recorded")


@pytest.mark.parametrize("options", [(), ("--url", f"{URL}?utm_id=1"), ("--id", "other")])
def test_the_same_text_of_the_same_address_adds_nothing(
    dam: Timeline, page: Path, options: tuple[str, ...]
) -> None:
    page.write_text(PAGE)
    size = log_size(dam)
    assert done("-d", dam.path, "capture", page, *options).startswith("unchanged  dam ")
    assert log_size(dam) == size


def test_a_source_that_was_only_cited_gets_the_text_of_its_page(
    timeline: Timeline, page: Path
) -> None:
    cited = {"title": "A", "occurred": "2025", "citations": [{"source": {"url": f"{URL}/"}}]}
    timeline.record(cited)
    assert done("-d", timeline.path, "capture", page).startswith("updated ")


@pytest.mark.parametrize(("answer", "begins"), [("dam", "updated"), ("another", "recorded")])
def test_a_person_on_a_terminal_is_asked(
    dam: Timeline, page: Path, answer: str, begins: str
) -> None:
    command = [*PROGRAM[1:], "-d", str(dam.path), "capture", str(page)]
    running = pexpect.spawn(PROGRAM[0], command, env=environment(), encoding="utf-8", timeout=60)
    running.expect("A source has this address:\r\n  dam  Dam gives way\r\n")
    running.expect("Type its id, or another")
    running.sendline(answer)
    running.expect(begins)
    running.expect(pexpect.EOF)
    running.close()
    assert running.exitstatus == 0
    with contextlib.closing(sqlite3.connect(dam.path)) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM sources WHERE url = ?", (URL,)
        ).fetchone()
    assert count == (2 if answer == "another" else 1)


# --- PDF ----------------------------------------------------------------------------------


REPORT = pdf(
    ["The dam gave way at night."],
    ["Nobody had been warned.", "Seven people are dead."],
    info={"Title": "A report", "Author": "Ann Orr"},
)


@pytest.fixture
def report(path: Path) -> Path:
    file = path.with_name("report.pdf")
    file.write_bytes(REPORT)
    return file


def test_a_pdf_is_captured_with_its_pages(timeline: Timeline, report: Path, event: str) -> None:
    capture = ("-d", timeline.path, "capture", report, "--id", "report")
    shown = done(*capture, "--quote", "Seven people", "--event", event)
    assert shown == (
        "recorded  report  entry 2, version 1\n"
        "  3 sentences, 73 characters\n"
        "From the PDF:\n"
        "  title       A report (/Title)\n"
        "  written-by  Ann Orr (/Author)\n"
        "updated  break  2025  entry 3, version 2\n"
        '  cites  "Seven people"\n'
    )
    assert source(timeline, "report")["media_type"] == "application/pdf"
    assert 'A report, page 2, "Seven people"' in done("-d", timeline.path, "show", event)
    coverage = done("-d", timeline.path, "coverage", "report")
    assert "The dam gave way at night. (page 1)" in coverage
    assert "Seven people are dead. (page 2)\n     -> break" in coverage
    assert done(*capture).startswith("unchanged  report ")
    done(*capture, "--quote", "at night. Nobody had been warned", "--event", event)
    shown = done("-d", timeline.path, "show", event, columns=120)
    assert 'A report, page 1, "at night. Nobody had been warned"' in " ".join(shown.split())


def test_a_pdf_needs_its_extra(
    timeline: Timeline, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    assert one_line(run("-d", timeline.path, "capture", report)) == (
        "PDF is read by an extra: pip install 'timeline-store[pdf]'"
    )


def test_a_pdf_that_cannot_be_read_is_refused_with_its_name(
    timeline: Timeline, report: Path
) -> None:
    report.write_bytes(REPORT[:200])
    problem = one_line(run("-d", timeline.path, "capture", report, "--id", "report"))
    assert problem == f"{report}: is a PDF that cannot be read: is the file whole?"
