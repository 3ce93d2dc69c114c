"""Pages on paper: what a browser prints, read back from the PDF."""

from __future__ import annotations

import contextlib
import io
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import browsers
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from pypdf import PdfReader
from serving import serving

from timeline import Timeline, demo
from timeline.store import storage

TITLE = "NATO and Odesa, spring 2025"
STATE = "State of 18 April 2025, entry 63, 16:05 Kyiv time"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.db"
    demo.build(path)
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsers.launched() as launched:
        yield launched


@pytest.fixture(scope="module")
def address(story: Path) -> Iterator[str]:
    with serving("timeline", "-d", story, "serve", cwd=story.parent) as found:
        yield found


def printed(browser: Browser, address: str, paper: str = "A4") -> list[str]:
    """The text of each sheet, with single blanks."""
    page = browser.new_page()
    page.goto(address)
    content = page.pdf(format=paper)
    page.close()
    read = [sheet.extract_text() for sheet in PdfReader(io.BytesIO(content)).pages]
    sheets = [unicodedata.normalize("NFKC", sheet) for sheet in read]  # without ligatures
    return [re.sub(r"\s+", " ", sheet) for sheet in sheets]


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_a_selection_is_printed_with_its_sources_and_its_state(
    paper: str, browser: Browser, address: str, story: Path
) -> None:
    sheets = printed(browser, f"{address}/events.html", paper)
    assert len(sheets) > 4
    for number, sheet in enumerate(sheets, 1):
        assert TITLE in sheet
        assert STATE in sheet
        assert f"{number} / {len(sheets)}" in sheet
    whole = " ".join(sheets)
    assert "Selection: all events (19 events)" in whole
    with Timeline.open(story) as timeline:
        rows = [*timeline.list()]
    with contextlib.closing(storage.connect(story)) as connection:
        sql = "SELECT DISTINCT url FROM sources JOIN citations USING (source_id) WHERE url <> ''"
        urls = [url for (url,) in connection.execute(sql)]
    for row in rows:
        (beginning,) = [sheet for sheet in sheets if record(row) in sheet]
        assert re.sub(r"\s+", " ", row["title"]) in beginning  # the event is on one sheet
    written = whole.replace(" ", "")
    assert [url for url in urls if url not in written] == []


def record(row: dict[str, object]) -> str:
    return f"{row['event_id']}, version {row['version']}, entry {row['seq']}"


@pytest.mark.parametrize(
    "path",
    ["/", "/events?country=UKR", "/events/sumy-strike", "/changes", "/actors", "/sources"],
)
def test_other_pages_are_printed_without_their_controls(
    path: str, browser: Browser, address: str
) -> None:
    sheets = printed(browser, f"{address}{path}")
    for number, sheet in enumerate(sheets, 1):
        assert TITLE in sheet
        assert STATE in sheet
        assert f"{number} / {len(sheets)}" in sheet
    whole = " ".join(sheets)
    for control in ("Search the timeline", "Filters", "Share", "Copy", "Clear all", "Skip to"):
        assert control not in whole, control
    assert f"{STATE}. {address}{path.partition('?')[0]}" in whole


def test_a_page_of_the_past_says_of_which_day_it_is(browser: Browser, address: str) -> None:
    sheets = printed(browser, f"{address}/events.html?as_of=2025-04-16")
    assert all("State of 16 April 2025 (the newest entry then: " in sheet for sheet in sheets)
    sheets = printed(browser, f"{address}/events?as_of=2025-04-16")
    assert all("State of 16 April 2025 (the newest entry then: " in sheet for sheet in sheets)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_page_to_print_fits_a_phone_and_is_accessible(
    language: str, browser: Browser, address: str
) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 800})
    page.goto(f"{address}/events.html?lang={language}")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert Axe().run(page).violations_count == 0
    page.close()
