"""The pages as their readers have them: Chromium, with a mouse, a keyboard, a phone, paper.

Every test fails on a message in the console, an error in a script, or a request to another
machine. Without a browser they are skipped; with TIMELINE_BROWSER=required they fail.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import two_scripts
from axe_playwright_python.sync_playwright import Axe
from browsers import Opener, launched, opener
from playwright.sync_api import (
    Browser,
    Locator,
    Page,
    expect,
)
from running import done, process
from serving import serving

from timeline import Event, Participant, Place, Timeline
from timeline.model.names import actor_id_of

EVENT = "/events/sumy-strike"
STRIKE = "Ballistic missile strike on Sumy"
PAGES = {
    "browse": "/",
    "a selection": "/events?type=CONSULT&type=AGREE&actor=ukraine&since=2025-03&q=ceasefire",
    "the map": "/events?view=map",
    "a part of the map": "/events?view=map&box=20,40,45,55",
    "a part of the map without events": "/events?view=map&box=-60,-40,-30,-20",
    "a selection of nothing": "/events?q=nothing+of+that+kind",
    "what is excluded": "/events?country!=UKR&type!=AID&measure=killed&values=name",
    "a day in the past": "/events?as_of=2025-04-14",
    "before the log opened": "/events?as_of=2025-01-01",
    "an event": EVENT,
    "a version": f"{EVENT}/2",
    "an actor": f"/actors/{actor_id_of('Mark Rutte')}",
    "an actor in the past": f"/actors/{actor_id_of('Ukraine')}?as_of=2025-04-14&order=oldest",
    "a source": "/sources/odesa-briefing",
    "all actors": "/actors",
    "some actors in the past": "/actors?as_of=2025-04-14&q=ukr&order=name",
    "all sources": "/sources",
    "all tags": "/tags",
    "all kinds of events": "/types?order=name",
    "all months": "/months",
    "a tag": "/tags/ceasefire",
    "all days with a checkpoint": "/known",
    "a day with a checkpoint": "/known/2025-04-18",
    "a month in the past": "/months/2025-04?as_of=2025-04-14",
    "changes": "/changes",
    "a comparison": "/changes?from=2025-04-13&to=2025-04-16",
    "verify": "/verify",
    "about": "/about",
    "a missing event": "/events/no-such-event",
    "a date that is none": "/events?since=the+other+day",
}
PROBLEMS = ("/events/no-such-event", "/events?since=the+other+day")
PHONE, DESK = 320, 1200


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Opener]:
    with opener(browser, PROBLEMS, DESK) as opened:
        yield opened


@pytest.fixture(scope="module")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.db"
    done("-d", path, "demo", "--no-serve")
    return path


@pytest.fixture(scope="module")
def demo(demo_file: Path) -> Iterator[str]:
    with serving("timeline", "-d", demo_file, "serve", cwd=demo_file.parent) as address:
        yield address


WIDE = "W" * 300
TITLES = (WIDE, "محادثات في أوديسا حول البحر الأسود " * 8, "敖德萨会谈" * 50)


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 events, and words that no layout expects."""
    path = tmp_path_factory.mktemp("long") / "long.db"
    with Timeline.create(path, title="T" * 120, notice="N" * 200) as timeline:
        timeline.record(
            [
                Event(
                    event_id=f"event-{number:03}",
                    title=TITLES[number] if number < len(TITLES) else f"Event {number}",
                    summary=WIDE if number == 0 else None,
                    occurred=f"2025-04-{number % 30 + 1:02}",
                    event_type="CONSULT",
                    tags=["t" * 60] if number < 3 else [],
                    participants=[Participant(name="P" * 200, office="O" * 100)]
                    if number < 3
                    else [],
                    place=Place(name="O" * 150, country="UKR") if number == 0 else None,
                )
                for number in range(120)
            ]
        )
        timeline.correct("event-000", {"summary": WIDE.lower()}, reason="R" * 300)
    return path


@pytest.fixture(scope="module")
def long(long_file: Path) -> Iterator[str]:
    with serving("timeline", "-d", long_file, "serve", cwd=long_file.parent) as address:
        yield address


def ids(page: Page) -> list[str]:
    """The events of the list, in its order."""
    paths = page.locator(".events .title").evaluate_all("links => links.map(a => a.pathname)")
    return [path.removeprefix("/events/") for path in paths]


def asked(page: Page) -> dict[str, list[str]]:
    """What the address of a page asks."""
    return parse_qs(urlsplit(page.url).query)


def sql(path: Path, query: str, *values: str) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute(query, values)}


def follow(link: Locator) -> None:
    """Click what leads to a page, and wait for the page."""
    with link.page.expect_navigation():
        link.click()


LISTED = """listed => {
    const titles = [...document.querySelectorAll(".events .title, .events a.title")];
    const ids = titles.map(each => each.getAttribute("href").split("?")[0].split("/").pop());
    return JSON.stringify(ids) === JSON.stringify(listed);
}"""
"""Whether a page lists events with these ids: a script may show them only after a while."""


def facet(page: Page, name: str, label: str) -> None:
    """Tick a value of a facet, or take its tick away, and wait for the events."""
    value = page.locator(f"#facet-{name}").get_by_label(label, exact=True)
    if page.locator("html.js").count():
        follow(value)
    else:
        value.click()
        follow(page.get_by_role("button", name="Show events"))


def known_on(page: Page, day: str) -> None:
    """Ask for the page as it was known at the end of a day."""
    panel = page.locator("#facet-past")
    if not panel.get_by_label("As known on").is_visible():
        panel.locator("summary").click()
    panel.get_by_label("As known on").fill(day)
    follow(panel.get_by_role("button", name="Show"))


POSSIBLE = """
    SELECT event_id FROM current_events
    WHERE coalesce(occurred_to, '9999') >= ? AND coalesce(occurred_from, '') <= ? || '~'
"""


# --- What a reader does -------------------------------------------------------------------


def test_every_page_opens_and_says_what_it_is(demo: str, open_page: Opener) -> None:
    page = open_page(demo)
    for path in PAGES.values():
        page.goto(demo + path)
        expect(page.locator("h1")).to_have_count(1)
        assert page.title().endswith("NATO and Odesa, spring 2025")
    page.goto(demo)
    follow(page.get_by_role("link", name="Data", exact=True))
    expect(page).to_have_url(f"{demo}/demo")
    page.goto(f"{demo}/demo/events")
    expect(page.get_by_text("19 rows").first).to_be_visible()


def test_a_facet_is_chosen_and_taken_out(demo: str, demo_file: Path, open_page: Opener) -> None:
    page = open_page(demo)
    assert len(ids(page)) == 19
    facet(page, "type", "Consultation")
    assert set(ids(page)) == sql(
        demo_file, "SELECT event_id FROM current_events WHERE event_type = 'CONSULT'"
    )
    expect(page.locator("#list")).to_have_text("8 of 19 events")
    facet(page, "type", "Consultation")
    assert len(ids(page)) == 19
    facet(page, "type", "Assault")
    follow(page.get_by_title("Remove this filter"))
    assert len(ids(page)) == 19


def test_two_values_of_a_facet_widen_and_one_of_another_narrows(
    demo: str, demo_file: Path, open_page: Opener
) -> None:
    page = open_page(demo)
    facet(page, "type", "Consultation")
    facet(page, "type", "Agreement")
    facet(page, "actor", "Ukraine")
    assert set(ids(page)) == sql(
        demo_file,
        "SELECT event_id FROM current_events JOIN event_actors USING (event_id)"
        " WHERE event_type IN ('CONSULT', 'AGREE') AND event_actors.name = 'Ukraine'",
    )
    expect(page.locator(".chosen a")).to_have_count(4)
    follow(page.get_by_role("link", name="Clear all"))
    assert len(ids(page)) == 19


def test_a_filter_that_finds_nothing_is_named_and_can_be_taken_out(
    demo: str, open_page: Opener
) -> None:
    page = open_page(f"{demo}/events?type=SANCTION&country=FRA")
    expect(page.locator(".empty")).to_contain_text("No events match these filters")
    chosen = page.locator(".chosen a")
    expect(chosen).to_have_text(["Sanction ×", "France ×", "Clear all"])  # noqa: RUF001
    follow(chosen.first)
    follow(chosen.first)
    assert len(ids(page)) == 19


def test_a_search_shows_what_it_found(demo: str, open_page: Opener) -> None:
    page = open_page(demo)
    page.get_by_label("Search").fill("ceasefire")
    with page.expect_navigation():
        page.get_by_label("Search").press("Enter")
    assert asked(page)["q"] == ["ceasefire"]
    assert 0 < len(ids(page)) < 19
    expect(page.locator("mark").first).to_have_text(re.compile("ceasefire", re.IGNORECASE))
    expect(page.get_by_label("Search")).to_have_value("ceasefire")


def test_a_stroke_across_the_bars_lists_all_that_could_have_happened_then(
    demo: str, demo_file: Path, open_page: Opener
) -> None:
    page = open_page(demo)
    plot = page.locator(".plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    first, last = (
        page.locator(".axis").get_attribute(f"data-{name}") for name in ("first", "last")
    )
    days = int(last or 0) + 1 - int(first or 0)
    day = box["width"] / days
    page.mouse.move(box["x"] + day * 34.5, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + day * 31.5, box["y"] + 20, steps=5)
    expect(page.locator(".plot .stroke")).to_have_count(1)
    with page.expect_navigation():
        page.mouse.up()
    since, until = "2025-04-10", "2025-04-13"
    assert asked(page) == {"since": [since], "until": [until]}
    expected = sql(demo_file, POSSIBLE, since, until)
    assert set(ids(page)) == expected
    assert 0 < len(expected) < 19
    expect(page.get_by_role("heading", name="10 April 2025 to 13 April 2025")).to_be_visible()
    expect(page.get_by_role("link", name="11 April 2025: 1 event")).to_have_count(1)


@pytest.mark.parametrize("hand", ["mouse", "keyboard"])
def test_the_window_on_all_of_time_is_moved_and_resized(
    hand: str, demo: str, open_page: Opener
) -> None:
    page = open_page(demo)
    start = page.get_by_role("slider", name="First day")
    expect(start).to_have_attribute("aria-valuetext", "2025-03-10")
    with page.expect_navigation():
        if hand == "mouse":
            start.scroll_into_view_if_needed()
            box = start.bounding_box()
            assert box
            page.mouse.move(box["x"] + 6, box["y"] + 10)
            page.mouse.down()
            page.mouse.move(box["x"] + 206, box["y"] + 10, steps=4)
            page.mouse.up()
        else:
            start.focus()
            for key in ("PageUp", "PageUp", "ArrowRight", "ArrowLeft", "ArrowRight"):
                page.keyboard.press(key)
    ((since,), (until,)) = asked(page)["since"], asked(page)["until"]
    assert until == "2025-04-21"
    assert since == "2025-03-25" if hand == "keyboard" else "2025-03-15" < since < "2025-04-10"
    expect(page.get_by_role("link", name="All of time")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("earlier: "))).to_be_visible()


def test_the_end_of_the_axis_leads_to_what_is_beyond(
    demo_file: Path, tmp_path: Path, open_page: Opener
) -> None:
    path = tmp_path / "old.db"
    shutil.copy(demo_file, path)
    with Timeline.open(path) as timeline:
        timeline.record({"event_id": "port-built", "title": "Port", "occurred": "around 1794"})
    with serving("timeline", "-d", path, "serve", cwd=tmp_path) as address:
        page = open_page(address)
        expect(page.get_by_role("link", name="15 April 2025: 5 events")).to_have_count(1)
        follow(page.get_by_role("link", name="1 earlier: around 1794"))
        assert "port-built" in ids(page)


def test_a_bar_has_a_card_for_a_mouse_a_key_and_a_finger(demo: str, open_page: Opener) -> None:
    page = open_page(demo)
    card = page.locator(".card")
    bar = page.get_by_role("link", name="13 April 2025: 1 event")
    bar.locator(".hit").hover()
    expect(card).to_have_text(re.compile(STRIKE))
    page.mouse.move(5, 5)
    expect(card).to_be_hidden()
    page.locator(".plot a[tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    expect(bar).to_be_focused()
    expect(card).to_have_text(re.compile(STRIKE))
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(page.locator("a.lane").first).to_be_focused()
    expect(card).to_have_text(re.compile("Coalition of the willing"))


def test_a_card_keeps_a_title_with_a_bar_in_one_line(tmp_path: Path, open_page: Opener) -> None:
    path = tmp_path / "titles.db"
    titles = ["Talks | Odesa", "Talks | Kyiv"]
    with Timeline.create(path, title="T") as timeline:
        timeline.record({"title": title, "occurred": "2025-04-15"} for title in titles)
    with serving("timeline", "-d", path, "serve", cwd=tmp_path) as address:
        page = open_page(address)
        page.locator(".plot a").locator(".hit").hover()
        assert sorted(page.locator(".card li").all_text_contents()) == sorted(titles)


def test_a_finger_taps_once_for_the_card_and_again_to_open(demo: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto(demo)
    bar = page.get_by_role("link", name="13 April 2025: 1 event")
    bar.scroll_into_view_if_needed()
    box = bar.locator(".hit").bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + box["width"] + 2, box["y"] + 10)  # beside it
    expect(page.locator(".card")).to_have_text(re.compile(STRIKE))
    with page.expect_navigation():
        page.touchscreen.tap(box["x"] + 2, box["y"] + 10)
    assert asked(page)["since"] == ["2025-04-13"]
    context.close()


def test_a_click_on_a_bar_is_a_period(demo: str, demo_file: Path, open_page: Opener) -> None:
    page = open_page(demo)
    follow(page.get_by_role("link", name="13 April 2025: 1 event").locator(".hit"))
    assert asked(page) == {"since": ["2025-04-13"], "until": ["2025-04-13"]}
    assert set(ids(page)) == sql(demo_file, POSSIBLE, "2025-04-13", "2025-04-13")
    assert "sumy-strike" in ids(page)
    expect(page.get_by_label("From")).to_have_value("2025-04-13")


def test_a_permalink_leads_to_a_version_and_its_diff_reads(demo: str, open_page: Opener) -> None:
    page = open_page(demo)
    follow(page.locator(".events").get_by_role("link", name=STRIKE, exact=True))
    expect(page.locator("h1")).to_have_text(STRIKE)
    expect(page.get_by_role("row", name="more than 60")).to_contain_text("Russian Ministry")
    expect(page.locator(".toll circle")).to_have_count(4)
    second = page.locator("#versions ~ .versions > li").filter(
        has=page.get_by_role("link", name="Version 2", exact=True)
    )
    second.locator("summary").click()
    expect(second.locator("del").first).to_have_text("reported")
    expect(second.locator("ins").first).to_have_text("disputed")
    follow(second.get_by_role("link"))
    expect(page).to_have_url(f"{demo}{EVENT}/2")
    expect(page.get_by_role("note").filter(has_text="version 2 of 5")).to_be_visible()
    expect(page.locator("tbody").first).not_to_contain_text("36")
    follow(page.get_by_role("link", name="The newest version"))
    expect(page.locator("tbody").first).to_contain_text("36")


def test_a_reader_walks_through_a_selection_from_event_to_event(
    demo: str, open_page: Opener
) -> None:
    page = open_page(f"{demo}/events?type=CONSULT&order=oldest")
    listed = ids(page)
    follow(page.locator(".events .title").first)
    for event_id in listed[1:3]:
        follow(page.locator(".steps .next"))
        assert urlsplit(page.url).path == f"/events/{event_id}"
    follow(page.locator(".steps .earlier"))
    assert urlsplit(page.url).path == f"/events/{listed[1]}"
    follow(page.get_by_role("link", name="Back to the list"))
    assert ids(page) == listed


def test_the_number_beside_a_figure_leads_to_its_source(demo: str, open_page: Opener) -> None:
    page = open_page(demo + EVENT)
    figure = page.get_by_role("row", name="more than 60")
    number = figure.locator(".ref").first
    number.click()
    source = page.locator(f"#source-{number.inner_text()}:target")
    expect(source).to_contain_text("The Moscow Times")
    expect(source).to_be_in_viewport()


def test_a_reader_downloads_a_proof_and_all_that_checks_it(
    demo: str, tmp_path: Path, open_page: Opener
) -> None:
    page = open_page(demo + EVENT)
    proof = downloaded(page, page.get_by_role("link", name="Download the proof"), tmp_path)
    assert proof.name == "sumy-strike-5.tlog-proof"
    follow(page.get_by_role("link", name="How to check it"))
    checker = downloaded(page, page.get_by_role("link", name="check_proof.py"), tmp_path)
    checkpoint = downloaded(page, page.get_by_role("link", name="Download it"), tmp_path)
    assert checkpoint.read_text() == page.locator("pre").first.text_content()
    key = page.get_by_role("row", name="Key").locator("td").inner_text()
    checked = subprocess.run(
        [sys.executable, checker.name, proof.name, key],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith("Holds: index 60 of example.org/nato-odesa-demo")
    assert STRIKE in checked.stdout


def downloaded(page: Page, link: Locator, folder: Path) -> Path:
    """The file that a click on a link leaves in a folder."""
    with page.expect_download() as download:
        link.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_an_actor_is_reached_from_an_event_and_from_the_filters(
    demo: str, demo_file: Path, open_page: Opener
) -> None:
    page = open_page(f"{demo}/events/rutte-odesa-visit")
    follow(page.get_by_role("link", name="About Mark Rutte"))
    expect(page.locator("h1")).to_have_text("Mark Rutte")
    expected = sql(demo_file, "SELECT event_id FROM event_actors WHERE name = 'Mark Rutte'")
    assert set(ids(page)) == expected
    expect(page.locator(".part").first).to_contain_text("Secretary General of NATO")
    expect(page.get_by_role("row", name="Secretary General")).to_contain_text("15 April 2025")
    follow(page.get_by_role("link", name="Volodymyr Zelenskyy"))
    expect(page.locator("h1")).to_have_text("Volodymyr Zelenskyy")
    follow(page.get_by_role("link", name="Filter, map and formats"))
    assert asked(page) == {"actor": [actor_id_of("Volodymyr Zelenskyy")]}
    follow(page.get_by_role("link", name="About Turkey"))
    expect(page.locator("h1")).to_have_text("Turkey")


def test_time_goes_back_and_forth(demo: str, demo_file: Path, open_page: Opener) -> None:
    page = open_page(demo)
    known_on(page, "2025-04-14")
    known = sql(demo_file, "SELECT event_id FROM events WHERE first_recorded_at < '2025-04-15'")
    assert set(ids(page)) == known
    expect(page.locator(".past")).to_contain_text(
        "You are seeing this timeline as it stood on 14 April 2025."
    )
    follow(page.locator(".events").get_by_role("link", name=STRIKE, exact=True))
    assert asked(page) == {"as_of": ["2025-04-14"]}
    expect(page.locator("tbody").first).not_to_contain_text("36")
    page.go_back()
    known_on(page, "2025-03-01")
    expect(page.locator(".past")).to_contain_text("has no earlier entries")
    follow(page.get_by_role("link", name="Show what had been reported by then"))
    assert asked(page) == {"as_reported": ["2025-03-01"]}
    follow(page.get_by_role("link", name="Back to now"))
    assert asked(page) == {}
    assert len(ids(page)) == 19


def test_back_finds_the_same_state(demo: str, open_page: Opener) -> None:
    page = open_page(demo)
    states = [(page.url, ids(page))]
    for name, label in (("type", "Consultation"), ("country", "Ukraine")):
        facet(page, name, label)
        states.append((page.url, ids(page)))
    follow(page.locator(".events .title").first)
    for url, listed in reversed(states):
        page.go_back()
        expect(page).to_have_url(url)
        page.wait_for_function(LISTED, arg=listed)


def test_the_changes_page_compares_two_days(demo: str, open_page: Opener) -> None:
    page = open_page(f"{demo}/changes")
    page.get_by_label("At the end of").fill("2025-04-13")
    page.get_by_label("and of").fill("2025-04-14")
    follow(page.get_by_role("button", name="Compare"))
    assert asked(page)["from"] == ["2025-04-13"]
    strike = page.locator("section[aria-labelledby=between] .versions > li").filter(has_text=STRIKE)
    expect(strike).to_contain_text("killed 34")
    expect(strike.locator("del").first).to_have_text("reported")
    follow(page.get_by_role("link", name="Retracted 1", exact=True))
    kinds = page.locator("section[aria-labelledby=stream] .verb")
    assert set(kinds.all_inner_texts()) == {"Retracted"}


def test_pages_follow_one_another_until_the_last(
    long: str, long_file: Path, open_page: Opener
) -> None:
    page = open_page(long)
    found = ids(page)
    assert len(found) == 50
    while page.get_by_role("link", name="Next 50").count():
        follow(page.get_by_role("link", name="Next 50"))
        found += ids(page)
    assert len(found) == len(set(found))
    assert set(found) == sql(long_file, "SELECT event_id FROM current_events")
    follow(page.get_by_role("link", name="First page"))
    assert ids(page) == found[:50]


def test_an_append_of_another_process_is_there_at_the_next_reload(
    long: str, long_file: Path, open_page: Opener
) -> None:
    page = open_page(f"{long}/events?q=overnight")
    assert ids(page) == []
    added = ("--title", "Talks overnight", "--occurred", "2025-04-30", "--id", "overnight")
    assert process("-d", long_file, "append", *added, cwd=long_file.parent).returncode == 0
    page.reload()
    assert ids(page) == ["overnight"]


# --- How they read it ---------------------------------------------------------------------


def test_it_works_without_javascript(demo: str, open_page: Opener) -> None:
    page = open_page(demo, javascript=False)
    facet(page, "type", "Consultation")
    assert len(ids(page)) == 8
    page.get_by_label("Search").fill("Odesa")
    follow(page.get_by_role("button", name="Search"))
    assert parse_qsl(urlsplit(page.url).query) == [("type", "CONSULT"), ("q", "Odesa")]
    page.goto(demo)
    expect(page.locator(".plot a[tabindex='0'], .grip")).to_have_count(0)
    follow(page.get_by_role("link", name="13 April 2025: 1 event").locator(".hit"))
    assert asked(page)["since"] == ["2025-04-13"]
    page.goto(demo)
    known_on(page, "2025-04-14")
    assert 0 < len(ids(page)) < 19


FOCUSED = """wanted => {
    const focused = document.activeElement;
    const hit = focused.querySelector(".hit");
    const style = getComputedStyle(focused);
    return {
        isEnd: focused === document.body,
        isSeen: (parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== "none")
            || Boolean(hit && getComputedStyle(hit).stroke !== "none"),
        html: focused.outerHTML,
        reached: wanted.filter(each => focused.matches(each)),
    };
}"""


def test_the_keyboard_reaches_everything_and_the_focus_is_seen(
    demo: str, open_page: Opener
) -> None:
    page = open_page(demo)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    wanted = {"#q", ".plot a", ".grip", ".title", "#since", ".filters summary"}
    for _ in range(300):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED, [*wanted])
        if focused["isEnd"]:
            break
        assert focused["isSeen"], focused["html"]
        wanted.difference_update(focused["reached"])
    assert wanted == set()


def test_the_sheet_of_filters_opens_and_narrows_without_javascript_and_by_keyboard(
    demo: str, open_page: Opener
) -> None:
    for javascript in (True, False):
        page = open_page(demo, width=PHONE, javascript=javascript)
        panel = page.locator("#filters")
        expect(panel).not_to_be_visible()
        page.get_by_role("button", name="Filters").focus()
        page.keyboard.press("Enter")
        expect(panel).to_be_visible()
        page.keyboard.press("Escape")
        expect(panel).not_to_be_visible()
        expect(page.get_by_role("button", name="Filters")).to_be_focused()
        page.keyboard.press("Enter")
        report = Axe().run(page) if javascript else None
        assert report is None or report.violations_count == 0, report and report.generate_report()
        page.get_by_label("Not Consultation").focus()
        page.keyboard.press("Space")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert asked(page) == {"type!": ["CONSULT"]}
        assert len(ids(page)) == 11
        expect(page.get_by_title("Remove this filter")).to_have_text("not Consultation ×")  # noqa: RUF001
        assert is_within(page)


def test_a_choice_changes_the_page_in_place_and_keeps_the_focus(
    demo: str, open_page: Opener
) -> None:
    page = open_page(f"{demo}/events?verification=corroborated")
    page.evaluate("document.querySelector('main').dataset.same = 'yes'")
    excluded = page.get_by_role("group", name="Who").get_by_label("Not Russia")
    excluded.focus()
    with page.expect_navigation():
        page.keyboard.press("Space")
    expect(excluded).to_be_focused()
    expect(excluded).to_be_checked()
    assert {*asked(page)} == {"actor!", "verification"}
    assert page.locator("main[data-same]").count() == 1
    shown = page.locator("#list").text_content()
    assert shown == f"{len(ids(page))} of 19 events"
    yes = page.get_by_role("group", name="Who").get_by_label("Russia", exact=True)
    with page.expect_navigation():
        yes.click()
    expect(excluded).not_to_be_checked()
    page.get_by_label("Find in Who").type("tur")
    expect(page.locator("#values-actor .label").first).to_have_text("Turkey")
    expect(page.get_by_label("Find in Who")).to_be_focused()
    page.get_by_label("Search the timeline").type("ceasefire")
    expect(page.locator(".chip")).to_have_count(3)
    assert {*asked(page)} == {"verification", "actor", "q"}
    listed = ids(page)
    with page.expect_navigation():
        page.get_by_role("link", name="Oldest first").click()
    assert ids(page) == listed[::-1]
    with page.expect_navigation():
        page.get_by_role("link", name="Clear all").click()
    assert len(ids(page)) == 19
    expect(page.get_by_label("Search the timeline")).to_have_value("")
    expect(page.locator("#list")).to_be_focused()
    assert page.locator("main[data-same]").count() == 1
    links = page.locator(".formats a").evaluate_all("all => all.map(each => each.search)")
    assert {*links} == {""}
    page.reload()
    assert len(ids(page)) == 19


@pytest.mark.parametrize("javascript", [True, False])
def test_an_event_is_found_by_a_filter_with_the_keyboard_alone(
    javascript: bool, demo: str, open_page: Opener
) -> None:
    def reach(selector: str, key: str = "Tab") -> None:
        for _ in range(300):
            page.keyboard.press(key)
            if page.evaluate("what => document.activeElement.matches(what)", selector):
                return
        pytest.fail(f"{selector} is not reached")

    page = open_page(demo, javascript=javascript)
    reach("#filters [name='type'][value='ASSAULT']")
    with page.expect_navigation():
        page.keyboard.press("Space")
        if not javascript:
            page.keyboard.press("Enter")
    reach(".events .title", "Shift+Tab" if javascript else "Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(STRIKE)


def test_a_page_whose_script_is_blocked_is_the_plain_page(demo: str, open_page: Opener) -> None:
    page = open_page(f"{demo}/verify")
    page.route("**/front.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(demo)
    facet(page, "type", "Consultation")
    assert len(ids(page)) == 8


def test_the_parts_of_a_page_are_those_of_the_whole_page(demo: str, open_page: Opener) -> None:
    page = open_page(demo, javascript=False)
    for path in ("/events?type=CONSULT", "/events?q=nothing", "/events?as_of=2025-04-14&tag=war"):
        page.goto(demo + path)
        parts = "all => all.map(each => [each.dataset.part, each.innerHTML])"
        whole = page.locator("[data-part]").evaluate_all(parts)
        page.goto(f"{demo}{path}&part=1")
        assert page.locator("h1, header").count() == 0
        assert sorted(page.locator("[data-part]").evaluate_all(parts)) == sorted(whole)


def test_the_keyboard_alone_narrows(demo: str, open_page: Opener) -> None:
    page = open_page(demo)
    stops = page.locator(".plot a[tabindex='0']")
    expect(stops).to_have_count(1)
    stops.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert asked(page)["since"] == ["2025-04-13"]
    page.locator("#facet-source summary").focus()
    page.keyboard.press("Enter")
    while not page.evaluate("document.activeElement.name === 'source'"):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert {"since", "until", "source"} == set(asked(page))


@pytest.mark.parametrize("name", PAGES)
def test_nothing_scrolls_sideways_on_a_phone(name: str, demo: str, open_page: Opener) -> None:
    assert is_within(open_page(demo + PAGES[name], width=PHONE))


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/events/event-000", "/events/event-001", "/changes", "/verify"),
        f"/actors/{actor_id_of('P' * 200)}",
    ],
)
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_nor_do_the_longest_words(path: str, width: int, long: str, open_page: Opener) -> None:
    assert is_within(open_page(f"{long}{path}", width=width))


def test_nor_do_filters_by_the_longest_words(long: str, open_page: Opener) -> None:
    page = open_page(f"{long}/events?tag={'t' * 60}&q={'w' * 300}", width=PHONE)
    assert is_within(page)


def is_within(page: Page) -> bool:
    """Whether a page is no wider than its window, with everything opened."""
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    return bool(page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"))


def test_a_phone_shows_a_highlight_and_begins_the_list_on_its_first_screen(
    demo: str, open_page: Opener
) -> None:
    page = open_page(demo, width=390)
    highlight, day = (
        page.locator(part).first.bounding_box() for part in (".highlights a", ".day h3")
    )
    assert highlight
    assert day
    assert highlight["y"] < 400
    assert day["y"] < 650


@pytest.mark.parametrize(("scheme", "width"), [("light", DESK), ("dark", 390)])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(
    name: str, scheme: str, width: int, demo: str, open_page: Opener
) -> None:
    page = open_page(demo + PAGES[name], width=width, scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("language", ["ar", "de", "es", "fr", "uk"])
@pytest.mark.parametrize("path", ["/", EVENT, "/changes", "/about"])
def test_axe_finds_nothing_in_another_language(
    path: str, language: str, demo: str, open_page: Opener
) -> None:
    page = open_page(f"{demo}{path}?lang={language}", width=PHONE, scheme="dark")
    assert is_within(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_page_in_arabic_is_mirrored_and_its_axis_is_not(demo: str, open_page: Opener) -> None:
    """Time runs from left to right in every language."""
    for language, is_mirrored in (("en", False), ("ar", True)):
        page = open_page(f"{demo}/events?as_of=2025-04-15&lang={language}")
        left = [
            page.locator(part).evaluate_all("found => found.map(e => e.getBoundingClientRect().x)")
            for part in (".top .name, .share", ".list, .filters", ".past-steps > a", ".bar")
        ]
        *mirrored, bars = left
        for places in mirrored:
            assert len(places) == 2
            assert (places[0] > places[1]) == is_mirrored, language
        assert bars == sorted(bars)
        assert page.locator(".past-steps > a").first.inner_text()[0] == (
            "▶" if is_mirrored else "◀"
        )


def test_a_word_explains_itself_to_the_pointer_the_keyboard_and_a_finger(
    demo: str, open_page: Opener
) -> None:
    page = open_page(f"{demo}/about")
    word = page.locator(".word").first
    button, sentence = word.locator("button"), word.locator("[role=tooltip]")
    expect(sentence).to_be_hidden()
    button.hover()
    expect(sentence).to_be_visible()
    page.mouse.move(0, 0)
    expect(sentence).to_be_hidden()
    button.focus()
    expect(sentence).to_be_visible()
    page.keyboard.press("Escape")
    expect(sentence).to_be_hidden()
    page.mouse.move(0, 0)
    button.click()
    expect(sentence).to_be_visible()
    assert sentence.get_attribute("id") == button.get_attribute("aria-describedby")


@pytest.fixture(scope="module", params=["he", "en"])
def leftward(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The site of a log of which every text is written from right to left."""
    path = tmp_path_factory.mktemp("leftward") / f"{request.param}.db"
    two_scripts.tell(path, request.param)
    with serving("timeline", "-d", path, "serve", cwd=path.parent) as address:
        yield address


@pytest.mark.parametrize("path", ["/", "/events/talks", "/sources/paper", "/changes", "/verify"])
def test_a_log_in_another_script_is_as_well_there(
    path: str, leftward: str, open_page: Opener
) -> None:
    page = open_page(leftward + path, width=PHONE, scheme="dark")
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert is_within(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_page_is_mirrored_but_time_goes_on_to_the_right(leftward: str, open_page: Opener) -> None:
    page = open_page(leftward)
    is_mirrored = page.evaluate("document.dir") == "rtl"
    places = [page.locator(part).bounding_box() for part in (".list", "aside", ".name", ".top nav")]
    text, filters, title, links = [place["x"] for place in places if place]
    assert (text > filters, title > links) == (is_mirrored, is_mirrored)
    shown = page.locator(".ticks line, .plot .hit")
    lefts = shown.evaluate_all("all => all.map(each => each.getBoundingClientRect().left)")
    ticks, bars = lefts[-page.locator(".ticks line").count() :], page.locator(".plot .hit").count()
    assert lefts[:bars] == sorted(lefts[:bars])
    assert ticks == sorted(ticks)


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_an_event_is_found_on_the_map_with_the_keyboard_alone(
    width: int, demo: str, open_page: Opener
) -> None:
    page = open_page(f"{demo}/events?view=map", width=width)
    shown = page.locator(".map.live")
    tab_to(page, shown)
    here = page.locator(".here:visible")
    expect(here).to_contain_text("14 events on this part of the map")
    page.keyboard.press("-")
    expect(here).to_contain_text("14 events")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    page.wait_for_url("**box=*")
    page.keyboard.press("0")
    expect(here).to_contain_text("14 events")
    assert "box" not in asked(page)
    while not (odesa := page.locator('.map.live a[aria-label^="Odesa"]')).count():
        cluster = page.locator(".map.live .cluster").first
        label = cluster.locator("title").text_content()
        tab_to(page, page.locator(f'.map.live a[aria-label="{label}"]'))
        page.keyboard.press("Enter")
        expect(page.locator(f'.map.live a[aria-label="{label}"]')).to_have_count(0)
    tab_to(page, odesa)
    page.keyboard.press("Enter")
    card = page.locator(".mapcard")
    expect(card).to_be_focused()
    expect(card.locator("li")).to_have_count(5)
    report = Axe().run(page)
    assert report.violations_count == 0, report.generate_report()
    page.keyboard.press("Escape")
    expect(odesa).to_be_focused()
    page.keyboard.press("Enter")
    expect(card).to_be_focused()
    tab_to(page, card.get_by_role("link").first)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Zelenskyy")


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(150):
        if wanted.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {wanted}")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_map_that_is_dragged_and_zoomed_has_the_events_of_its_part(
    width: int, demo: str, open_page: Opener
) -> None:
    page = open_page(f"{demo}/events?view=map&box=20,40,45,55", width=width)
    shown, here = page.locator(".map.live"), page.locator(".here:visible")
    expect(here).to_contain_text("elsewhere")
    size = shown.bounding_box()
    assert size
    across, down = size["width"], size["height"]
    shown.drag_to(
        shown,
        source_position={"x": across * 0.2, "y": down * 0.8},
        target_position={"x": across * 0.6, "y": down * 0.8},
    )
    page.wait_for_url(lambda url: "box=20%2C40" not in url and "box=20,40" not in url)
    page.get_by_role("link", name="Show all places").locator("visible=true").click()
    expect(here).to_contain_text("14 events on this part of the map")
    live = page.locator(".map.live a").evaluate_all("all => all.map(a => a.ariaLabel)")
    plain = open_page(f"{demo}/events?view=map", width=width, javascript=False)
    assert live == plain.locator(".map:visible a").evaluate_all("all => all.map(a => a.ariaLabel)")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_map_of_very_many_places_stays_within_the_page(
    width: int, tmp_path: Path, open_page: Opener
) -> None:
    path = tmp_path / "crowded.db"
    with Timeline.create(path, title="Crowded") as timeline:
        timeline.record(
            Event(
                title=f"Event {number}",
                occurred="2025",
                place=Place(name=f"Town {number}", lat=40 + number % 20 / 10, lon=number / 9),
            )
            for number in range(400)
        )
    with serving("timeline", "-d", path, "serve", cwd=tmp_path) as address:
        page = open_page(f"{address}/events?view=map", width=width)
        names = page.locator(".map:visible a").evaluate_all("all => all.map(a => a.ariaLabel)")
        found = [re.search(r"(\d+) events$", name) for name in names]
        assert sum(int(each[1]) if each else 1 for each in found) == 400
        assert is_within(page)
        report = Axe().run(page)
        assert report.violations_count == 0, report.generate_report()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_an_empty_timeline_says_what_to_do(width: int, tmp_path: Path, open_page: Opener) -> None:
    path = tmp_path / "empty.db"
    Timeline.create(path, title="My story").close()
    with serving("timeline", "-d", path, "serve", cwd=tmp_path) as address:
        page = open_page(address, width=width)
        expect(page.get_by_text("timeline append --title")).to_be_visible()
        for part in ("/", "/changes", "/verify"):
            page.goto(address + part)
            assert is_within(page)
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()


def test_paper_holds_the_events_and_no_controls(demo: str, open_page: Opener) -> None:
    page = open_page(f"{demo}/events?type=CONSULT")
    page.emulate_media(media="print")
    for hidden in page.locator("button:not(.word *), input, nav, .filters ul, .skip").all():
        expect(hidden).not_to_be_visible()
    expect(page.locator(".events .title").first).to_be_visible()
    expect(page.locator(".plot")).to_be_visible()
    expect(page.locator(".chosen a").first).to_be_visible()


# --- Embeds -------------------------------------------------------------------------------

ARTICLE = """<!DOCTYPE html><html lang="en"><title>An article</title>
<link rel="icon" href="data:,"><main><h1>An article</h1>
<iframe src="{0}" title="A timeline" width="100%" height="400" style="border:0"></iframe></main>
{1}</html>"""
"""The page of another site, with an embed and perhaps with our script."""
EMBEDDED = f"/embed{EVENT}"


@pytest.fixture
def article(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """What writes an article around an address, on a server of its own."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))

    def written(embed: str, script: str = "") -> str:
        (tmp_path / "article.html").write_text(ARTICLE.format(embed, script))
        return f"http://localhost:{server.server_port}/article.html"

    with server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield written
        server.shutdown()


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize(("scheme", "theme"), [("light", ""), ("dark", ""), ("light", "dark")])
@pytest.mark.parametrize("width", [PHONE, 800])
def test_a_page_of_another_site_shows_an_embed(
    width: int,
    scheme: str,
    theme: str,
    javascript: bool,
    demo: str,
    article: Callable[..., str],
    open_page: Opener,
) -> None:
    for path in ("/embed", "/embed?view=map", EMBEDDED):
        embed = f"{demo}{path}{'&' if '?' in path else '?'}theme={theme}"
        page = open_page(article(embed), width=width, scheme=scheme, javascript=javascript)
        frame = page.frame_locator("iframe")
        expect(frame.get_by_text("as of now")).to_be_visible()
        expect(frame.locator("h1")).to_be_visible()
        inside = page.frames[1]
        colour = inside.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (colour == "rgb(19, 21, 24)") == ("dark" in (scheme, theme))
        assert inside.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
        assert page.locator("iframe").evaluate("frame => frame.offsetHeight") == 400


@pytest.mark.parametrize("path", ["/", EVENT, "/changes", "/demo", "/verify", "/events?part=1"])
def test_a_page_that_is_no_embed_is_not_shown_in_a_frame(
    path: str, demo: str, article: Callable[..., str], browser: Browser
) -> None:
    page = browser.new_page()
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.goto(article(demo + path))
    assert not page.frames[1].url.startswith(demo)
    page.close()


def test_our_script_gives_an_embed_the_height_of_what_it_shows(
    demo: str, article: Callable[..., str], open_page: Opener
) -> None:
    script = f'<script src="{demo}/-/static-plugins/timeline-store/embed_host.js"></script>'
    for width in (PHONE, 800):
        page = open_page(article(f"{demo}{EMBEDDED}", script), width=width)
        page.wait_for_function("document.querySelector('iframe').offsetHeight !== 400")
        inside = page.frames[1]
        assert inside.evaluate(
            "document.scrollingElement.scrollHeight === innerHeight && innerHeight > 200"
        )


def test_a_link_in_an_embed_opens_the_living_page_in_a_tab_of_its_own(
    demo: str, article: Callable[..., str], open_page: Opener
) -> None:
    page = open_page(article(f"{demo}/embed?type=CONSULT&as_of=2025-04-14"))
    frame = page.frame_locator("iframe")
    with page.context.expect_page() as opened:
        frame.get_by_role("link", name="As it is now").focus()
        page.keyboard.press("Enter")
    expect(opened.value.locator("#list")).to_have_text("8 of 19 events")
    assert opened.value.evaluate("opener") is None
    assert page.url.endswith("article.html")


@pytest.mark.parametrize(("scheme", "width"), [("light", 800), ("dark", PHONE)])
@pytest.mark.parametrize(
    "path",
    [
        *("/embed", "/embed?view=map", "/embed?type=AID&as_of=2025-04-14", EMBEDDED),
        *(f"{EMBEDDED}/2", "/embed?q=nothing+at+all", "/embed?theme=light"),
    ],
)
def test_axe_finds_nothing_in_an_embed(
    path: str, scheme: str, width: int, demo: str, open_page: Opener
) -> None:
    page = open_page(demo + path, width=width, scheme=scheme)
    assert is_within(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.emulate_media(media="print")
    expect(page.locator("h1")).to_be_visible()


def test_a_reader_copies_what_shares_a_page_and_sees_the_embed(
    demo: str, browser: Browser, open_page: Opener
) -> None:
    page = open_page(demo + EVENT)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    asked_for: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url))
    page.locator(".share summary").focus()
    page.keyboard.press("Enter")
    code = page.get_by_label("Code for an article: changes with the timeline")
    code.locator("~ button").click()
    expect(code.locator("~ button")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == code.input_value()
    assert f'src="{demo}{EMBEDDED}"' in code.input_value()
    assert [each for each in asked_for if "/embed" in each] == []
    page.get_by_role("link", name="Preview").click()
    expect(page.frame_locator(".share iframe").locator("h1")).to_have_text(STRIKE)
    page.keyboard.press("Escape")
    expect(code).to_be_hidden()
    expect(page.locator(".share summary")).to_be_focused()


def test_what_is_shared_follows_the_filters(demo: str, open_page: Opener) -> None:
    page = open_page(demo)
    facet(page, "type", "Consultation")
    page.locator(".share summary").click()
    living = page.get_by_label("Address: as it is now, and changes")
    expect(living).to_have_value(f"{demo}/types/CONSULT")


def test_a_page_is_shared_without_javascript(demo: str, open_page: Opener) -> None:
    page = open_page(demo, javascript=False, width=PHONE)
    page.locator(".share summary").click()
    expect(page.get_by_label("Address: as it stands today, for ever")).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    assert page.get_by_role("link", name="Preview").get_attribute("target") == "_blank"
    assert is_within(page)


# --- Quotes -------------------------------------------------------------------------------


def test_the_place_of_a_quote_selects_its_words_in_a_browser(
    browser: Browser, timeline: Timeline
) -> None:
    text = (
        "\ufeff😀\r\nCafe\u0301 👩🏽\u200d🚒 “so be it”. قال الرئيس\u202e إن «المحادثات» جارية."
        " The\u00a0end 🇺🇦."
    )
    quotes = ["Cafe\u0301 👩🏽\u200d🚒 'so be it'", "الرئيس\u202e إن", "The end 🇺🇦"]
    timeline.capture(text, {"source_id": "paper"})
    citations = [{"source_id": "paper", "quote": quote} for quote in quotes]
    timeline.record({"event_id": "e-1", "title": "T", "occurred": "2025", "citations": citations})
    page = browser.new_page()
    for citation in timeline.get("e-1")["citations"]:
        place = [text, citation["quote_start"], citation["quote_end"]]
        selected = page.evaluate("([t, start, end]) => [...t].slice(start, end).join('')", place)
        assert selected == citation["quote"]
        assert selected in text
    page.close()


# --- The site as files --------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(demo_file: Path) -> Iterator[str]:
    """The address of a plain file server with the whole site as files."""
    folder = demo_file.parent / "files"
    # A process of its own, for the browser has this one's event loop.
    made = process("-d", demo_file, "publish", folder, "--static", cwd=folder.parent)
    assert made.returncode == 0, made.stderr

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    with server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    "path", ["/", EVENT, f"{EVENT}/2", PAGES["an actor"], PAGES["a source"], "/changes", "/verify"]
)
def test_the_site_as_files_is_whole_without_us(files: str, open_page: Opener, path: str) -> None:
    for width, scheme in ((PHONE, "light"), (DESK, "dark")):
        page = open_page(files + path, width=width, scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert (
            page.evaluate("getComputedStyle(document.querySelector('.skip')).position") != "static"
        )
    assert Axe().run(page).response["violations"] == []


@pytest.mark.parametrize("theme", ["", "?theme=dark"])
def test_an_embed_that_is_a_file_is_shown_by_a_page_of_another_site(
    theme: str, files: str, article: Callable[..., str], open_page: Opener
) -> None:
    script = f'<script src="{files}/-/static-plugins/timeline-store/embed_host.js"></script>'
    for path in ("/embed/", "/embed/highlights/", f"{EMBEDDED}/"):
        page = open_page(article(f"{files}{path}{theme}", script), width=PHONE)
        expect(page.frame_locator("iframe").get_by_text("as of now")).to_be_visible()
        page.wait_for_function("document.querySelector('iframe').offsetHeight !== 400")
        colour = "getComputedStyle(document.documentElement).backgroundColor"
        assert (page.frames[1].evaluate(colour) == "rgb(19, 21, 24)") == bool(theme)


def test_a_reader_walks_through_the_files_from_page_to_page(files: str, open_page: Opener) -> None:
    page = open_page(files)
    page.get_by_role("link", name=STRIKE).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(STRIKE)
    page.get_by_role("link", name="Version 2", exact=True).click()
    assert page.url == f"{files}{EVENT}/2/"
    page.get_by_role("link", name="JSON").click()
    assert page.url == f"{files}{EVENT}.json"
    page.go_back()
    page.get_by_role("link", name="Timeline", exact=True).click()
    assert page.url == f"{files}/"


def test_a_reader_is_told_what_is_new_and_finds_it_marked(
    tmp_path: Path, open_page: Opener
) -> None:
    path = tmp_path / "t.db"

    def record(*names: str) -> None:
        with Timeline.open(path) as timeline:
            timeline.record(
                Event(event_id=name, title=name, occurred="2025", tags=["war"]) for name in names
            )

    Timeline.create(path, title="T").close()
    record("one", "two")
    with serving("timeline", "-d", path, "serve", cwd=tmp_path) as site:
        page = open_page("about:blank")
        page.clock.install()
        page.goto(f"{site}/events?tag=war")
        line = page.locator("[data-since]")
        expect(line).to_be_empty()
        record("three", "four")
        with Timeline.open(path) as timeline:
            timeline.correct("one", {"title": "First"}, reason="A typo")
        page.clock.fast_forward(50_000)
        expect(line).to_be_empty()
        page.clock.fast_forward(15_000)
        expect(line).to_have_text("2 new since you looked, 1 changed Show")
        assert Axe().run(page).response["violations"] == []
        follow(line.get_by_role("link", name="Show"))
        assert asked(page) == {"tag": ["war"]}
        expect(page.locator("li .is-new")).to_have_text(["new", "changed", "new"])
        expect(line).to_have_text("2 new since you looked, 1 changed ")
        assert Axe().run(page).response["violations"] == []

        another = page.context.new_page()
        another.goto(f"{site}/")
        expect(another.locator("[data-since]")).to_be_empty()
        expect(another.locator(".is-new")).to_have_count(0)
        record("five")
        later = page.context.new_page()
        later.goto(f"{site}/changes")
        expect(later.locator("[data-since]")).to_have_text("1 new since you looked ")
