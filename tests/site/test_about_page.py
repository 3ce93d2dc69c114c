"""The page about a timeline: all that it says is of the log itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import html
from running import done
from site_in_process import open_site

from timeline import Timeline
from timeline.site.views.glossary import explained, words


def text_of(path: Path, address: str = "/about") -> str:
    with open_site(path) as site:
        tree = html.fromstring(site.page(address))
    main = tree.get_element_by_id("main")
    for tip in main.xpath(".//*[@role='tooltip']"):
        tip.drop_tree()
    return re.sub(" +([.,:])", r"\1", " ".join(" ".join(main.itertext()).split()))


def test_it_says_who_keeps_the_timeline_and_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="Harbour", licence="CC-BY-4.0") as timeline:
        timeline.about(publisher="The desk", contact="desk@example.org")
        with timeline.append() as append:
            append.record_source({"source_id": "paper", "title": "Paper", "publisher": "A press"})
        for number in range(3):
            timeline.record(
                {
                    "event_id": f"talks-{number}",
                    "title": "Talks",
                    "occurred": "2025-04-15" if number else "unknown",
                    "citations": [{"source_id": "paper"}],
                }
            )
        timeline.correct("talks-1", {"title": "No talks"}, reason="misheard")
    said = text_of(path)
    assert "Kept by The desk. Write to us." in said
    assert "It has 3 events. They cite 1 source. These come from 1 publisher." in said
    assert "1 event was corrected so far." in said
    assert "The date of 1 event is not known." in said
    assert "The text of 1 source is not kept here." in said
    assert "Licence: CC-BY-4.0." in said


def test_its_example_shows_the_clocks_of_the_first_and_the_newest_version(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="Harbour") as timeline:
        first = {"title": "Talks", "occurred": "2025-04-15", "event_id": "talks"}
        timeline.record(first, reported_at="2025-04-16")
        timeline.update("talks", {"title": "No talks"}, reported_at="2025-04-18")
    said = text_of(path)
    assert "For example, No talks: Occurred 15 April 2025" in said
    assert "Version 1 Reported 16 April 2025, recorded" in said
    assert "Version 2 Reported 18 April 2025, recorded" in said


def test_an_empty_log_has_such_a_page_too(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    Timeline.create(path, title="Harbour").close()
    said = text_of(path)
    assert "This timeline does not say who keeps it." in said
    assert "It has 0 events." in said
    assert "For example" not in said


def test_a_static_site_has_the_page_without_links_to_lists(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="Harbour") as timeline:
        timeline.record({"title": "Talks", "occurred": "2025-04-15"})
    done("-d", path, "publish", tmp_path / "site", "--static")
    page = html.fromstring((tmp_path / "site/about/index.html").read_text(encoding="utf-8"))
    assert page.xpath("//h1")[0].text_content() == "About this timeline"
    links = [str(a.get("href")) for a in page.get_element_by_id("main").iter("a")]
    assert links
    assert not any("?" in link for link in links)


@pytest.mark.parametrize("name", words())
def test_each_marked_word_is_explained_with_an_id_of_its_own(name: str) -> None:
    page = explained(f'<p><dfn class="{name}">x &amp; y</dfn> <dfn class="entry">e</dfn></p>')
    tree = html.fromstring(page)
    buttons = tree.xpath("//button")
    tips = {tip.get("id"): tip.text_content() for tip in tree.xpath("//*[@role='tooltip']")}
    assert [button.text_content() for button in buttons] == ["x & y", "e"]
    assert [tips[button.get("aria-describedby")] for button in buttons] == [
        words()[name][1],
        words()["entry"][1],
    ]
