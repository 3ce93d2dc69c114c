"""The page of a source: its text sentence by sentence, what rests on it, and what became of it.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import html
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import done
from site_in_process import Site, open_site

from timeline import Timeline
from timeline.model.content import Said

TEXT = (
    "A headline\n\n"
    "NATO’s <secretary> general met the president. Allies have pledged “more than €20 billion”.\n"
    "They saw a hospital. Much is at stake.\n"
)
URL = "https://example.org/a?b=1&c=2"


@pytest.fixture
def told(path: Path) -> Iterator[Timeline]:
    with Timeline.create(path, title="A story", origin="example.org/story") as timeline:
        timeline.capture(
            TEXT,
            {
                "source_id": "paper",
                "title": "A paper & more",
                "publisher": "AP",
                "published": "2025-04-15",
                "url": URL,
            },
        )
        first = {"source_id": "paper", "quote": "<secretary> general"}
        both = {"source_id": "paper", "quote": "€20 billion”. They saw a hospital"}
        for event_id, quotes in (("visit", [first, both]), ("pledge", [both])):
            timeline.record(
                {
                    "event_id": event_id,
                    "title": f"The {event_id}",
                    "occurred": "2025-04-15",
                    "citations": quotes,
                }
            )
        with timeline.append() as append:
            append.mark_source("paper", [(0, 10)], "A <headline>")
        yield timeline


@pytest.fixture
def site(told: Timeline) -> Iterator[Site]:
    with open_site(told.path) as opened:
        yield opened


def words(page: str) -> str:
    """What a page says, without its marks."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())


def test_every_sentence_says_in_words_what_became_of_it(site: Site) -> None:
    page = site.page("/sources/paper")
    text = words(page)
    assert "3 of 5 covered, 1 commentary, 1 missing" in text
    assert "A headline commentary: A <headline>" in text
    assert "met the president. covered by The visit" in text
    assert "billion”. covered by The pledge; The visit" in text
    assert "Much is at stake. missing" in text
    assert 'value="5"' in page


def test_the_pages_of_a_document_are_counted(site: Site, told: Timeline) -> None:
    told.capture("The dam broke.\fNobody was warned.", {"source_id": "report", "title": "R"})
    cited = [{"source_id": "report", "quote": "Nobody"}, {"source_id": "paper", "quote": "stake"}]
    told.record({"event_id": "dam", "title": "D", "occurred": "2025", "citations": cited})
    text = words(site.page("/sources/report"))
    assert "The dam broke. missing, page 1 Nobody was warned. covered, page 2 by D" in text
    assert "page" not in words(site.page("/sources/paper")).partition("Details")[0]
    page = site.page("/events/dam")
    assert 'Nobody</blockquote><p class="about">page 2</p>' in page
    assert "stake</blockquote></li>" in page


def test_what_is_quoted_is_marked_and_leads_to_its_events(site: Site) -> None:
    page = site.page("/sources/paper")
    marks = re.findall(r'<mark aria-describedby="state-(\d)"><a href="(.*?)">(.*?)</a>', page)
    assert [(number, link, html.unescape(text)) for number, link, text in marks] == [
        ("2", "/events/visit", "<secretary> general"),
        ("3", "#state-3", "€20 billion”."),
        ("4", "#state-4", "They saw a hospital"),
    ]


def test_a_bar_of_the_axis_leads_to_the_events_that_cite_it(site: Site) -> None:
    bars = [link for link in site.links("/sources/paper") if "since=" in link]
    assert [link for link in bars if "source=paper" not in link] == []
    assert sorted(site.titles(bars[0])) == ["The pledge", "The visit"]


def test_it_shows_who_published_it_and_links_only_http(site: Site, told: Timeline) -> None:
    page = site.page("/sources/paper")
    assert "A paper & more AP15 April 2025Original" in words(page)
    assert f'href="{html.escape(URL)}" rel="nofollow noopener"' in page
    with sqlite3.connect(told.path) as connection:
        connection.execute("UPDATE sources SET url = 'javascript:alert(1)'")
    connection.close()
    assert "javascript:" not in site.page("/sources/paper")


def test_the_json_has_the_same_and_more(site: Site, told: Timeline) -> None:
    found = json.loads(site.page("/sources/paper.json"))
    assert found["events"] == ["pledge", "visit"]
    assert (found["title"], found["state"], found["text_absent"]) == (
        *("A paper & more", "current"),
        None,
    )
    whys = [sentence.pop("why") for sentence in found["sentences"]]
    assert whys == ["A <headline>", None, None, None, None]
    assert found["sentences"] == json.loads(json.dumps(told.coverage("paper")))["sentences"]


def test_what_changes_what_is_seen_shows_as_its_number(site: Site, told: Timeline) -> None:
    told.capture("They paid\u202e 0001\u202c euro, they say.", {"source_id": "odd", "title": "O"})
    assert "They paid[U+202E] 0001[U+202C] euro" in words(site.page("/sources/odd"))
    (sentence,) = json.loads(site.page("/sources/odd.json"))["sentences"]
    assert "\u202e" in sentence["text"]


def test_the_json_lists_two_hundred_events_and_lost_quotes_and_counts_all(
    site: Site, told: Timeline
) -> None:
    citation = {"source_id": "paper", "quote": "€20 billion"}
    told.record(
        {"event_id": f"e-{n}", "title": "T", "occurred": "2026", "citations": [citation]}
        for n in range(300)
    )
    found = json.loads(site.page("/sources/paper.json"))
    assert (len(found["events"]), found["events_count"]) == (200, 302)
    assert (found["lost_quotes"], found["lost_quotes_count"]) == ([], 0)
    told.capture(TEXT.replace("€20", "€21"), {"source_id": "paper"})
    found = json.loads(site.page("/sources/paper.json"))
    assert (len(found["lost_quotes"]), found["lost_quotes_count"]) == (200, 302)


def test_a_source_that_is_not_there_is_a_page_that_says_so(site: Site) -> None:
    assert site.ask("/sources/nothing").status_code == 404
    assert 'no source "nothing"' in words(site.ask("/sources/nothing").text)
    assert site.ask("/sources/nothing.json").json() == {"error": 'no source "nothing"'}


def test_event_and_browse_pages_lead_to_the_source(site: Site) -> None:
    assert "/sources/paper" in site.links("/events/visit")
    assert "/sources/paper" in site.links("/")


def test_a_changed_text_loses_quotes_and_marks_and_the_page_says_so(
    site: Site, told: Timeline
) -> None:
    told.capture(TEXT.replace("€20", "€21"), {"source_id": "paper"})
    text = words(site.page("/sources/paper"))
    assert "1 of 5 covered, 0 commentary, 4 missing" in text
    assert "Quotes that are not in this text: The pledge: “€20 billion”. They saw" in text
    assert "updated: its text" in text
    lost = json.loads(site.page("/sources/paper.json"))["lost_quotes"]
    assert [each["event_id"] for each in lost] == ["pledge", "visit"]


def test_a_text_of_which_a_character_was_changed_behind_the_log_shows(
    site: Site, told: Timeline
) -> None:
    with sqlite3.connect(told.path) as connection:
        connection.execute("DROP TRIGGER source_texts_never_change")
        connection.execute("UPDATE source_texts SET body = replace(body, '€20', '€21')")
    connection.close()
    assert "Quotes that are not in this text" in words(site.page("/sources/paper"))


def test_deleting_a_citation_leaves_its_sentence_missing(site: Site, told: Timeline) -> None:
    told.update("visit", {"citations.0": None})
    assert "2 of 5 covered, 1 commentary, 2 missing" in words(site.page("/sources/paper"))


RISK = "at risk: all that it rests on was withdrawn: A paper & more (Made up)"


def test_a_withdrawn_source_is_said_on_every_page_and_feed_until_there_is_another(
    site: Site, told: Timeline
) -> None:
    pages = ("/", "/events/visit", "/sources/paper", "/events?at_risk=1", "/events?at_risk=yes")
    with told.append() as append:
        append.record_source({"source_id": "radio", "title": "Radio"})
        append.withdraw_source("paper", Said(reason="Made up"))
    for page in pages:
        assert RISK in words(site.page(page)).replace("At risk", "at risk"), page
    assert "This source was withdrawn: Made up" in words(site.page("/sources/paper"))
    assert "withdrawn: Made up" in words(site.page("/events/visit"))
    assert 'name="at_risk" value="1"' in site.page("/")
    then = "as_of=%234"
    for page in (f"/?{then}", f"/events/visit?{then}", f"/events?at_risk=1&{then}"):
        assert "withdrawn" not in words(site.page(page)), page
    for suffix in ("json", "ics", "atom", "geojson", "timelinejs.json"):
        feed = site.page(f"/events.{suffix}?at_risk=1").replace("\r\n ", "")
        assert feed.count("Made up") == 2, suffix
    assert json.loads(site.page("/events.json?at_risk=0"))["events"] == []
    told.update("visit", {"citations.-": {"source_id": "radio"}})
    assert site.titles("/events?at_risk=1") == ["The pledge"]
    assert "at risk" not in words(site.page("/events/visit")).lower()
    assert site.titles("/events?at_risk=0") == ["The visit"]
    told.correct("pledge", {"summary": "A sum"}, reason="It had none")
    assert "now at risk" in words(site.page("/changes"))
    with told.append() as append:
        append.reinstate_source("paper")
    for page in ("/", "/events/pledge", "/sources/paper", "/changes"):
        assert "at risk" not in words(site.page(page)).lower(), page


def test_a_corroborated_event_of_one_origin_says_so(site: Site, told: Timeline) -> None:
    told.capture(f"By our staff\n\n{TEXT}", {"source_id": "reprint", "title": "A reprint"})
    changes = {"citations.-": {"source_id": "reprint"}, "verification": "corroborated"}
    told.update("visit", changes)
    page = words(site.page("/events/visit"))
    assert "Corroborated, but its 2 sources have one text: that is one origin." in page
    page = words(site.page("/sources/paper"))
    assert "Another source has the same text, so they count as one origin: A reprint." in page


def test_a_text_that_is_not_here_is_said_not_to_be(site: Site, told: Timeline) -> None:
    with told.append() as append:
        append.record_source({"source_id": "radio", "title": "Radio"})
        fields = {"source_id": "copy", "title": "A copy", "text_sha256": f"sha256:{'0' * 64}"}
        append.record_source(fields)
    assert "The text was not captured: timeline capture keeps it." in words(
        site.page("/sources/radio")
    )
    assert "The text is not in this copy." in words(site.page("/sources/copy"))
    assert json.loads(site.page("/sources/copy.json"))["text_absent"] == "is not in this copy"
    done("-d", told.path, "erase", "#1", "--reason", "A court order")
    page = words(site.page("/sources/paper"))
    assert "The text was erased." in page
    assert "A court order" in page
    assert "hospital" not in page


def test_a_long_text_is_shown_in_part_and_said_to_be(site: Site, told: Timeline) -> None:
    told.capture("They met again. " * 260_000, {"source_id": "long", "title": "A long text"})
    page = site.page("/sources/long")
    assert "missing of its first 100,000 characters" in words(page)
    assert "The text has 4,160,000 characters: the rest of it is not shown." in words(page)
    assert len(page) < 3_000_000


def test_a_timeline_beside_another_has_its_own_sources(told: Timeline, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with Timeline.create(other, title="Another", origin="example.org/other"):
        pass
    with open_site(other, told.path, settings={"base_url": "/base/"}) as site:
        page = site.page("/timelines/timeline/sources/paper")
        assert 'href="/base/timelines/timeline/events/visit"' in page
        assert site.ask("/sources/paper").status_code == 404
