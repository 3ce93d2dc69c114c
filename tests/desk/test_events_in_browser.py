"""Events in Chromium: a person records one, corrects it, merges and retracts; everybody can."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from browsers import Opener, check_access, is_within, launched, open_all, opener
from desks import ServedDesk, desk_of
from playwright.sync_api import Browser, Page
from small_files import png

from timeline import Timeline, demo
from timeline.desk import forms
from timeline.intake.proposals.inbox import Inbox
from timeline.store import storage

_QUOTE = {"source_id": "odesa-briefing", "quote": "killed many people"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDesk]:
    path = tmp_path_factory.mktemp("desk") / "story.db"
    demo.build(path)
    with desk_of(path, "--author", "anna") as found:
        yield found


@pytest.fixture
def open_page(browser: Browser, desk: ServedDesk) -> Iterator[Opener]:
    with opener(browser) as opened:
        yield desk.opener(opened)


def _draft(desk: ServedDesk, **typed: str) -> str:
    """The address of the form of a new event with a quote, and these texts."""
    with (
        Inbox.of(desk.path) as inbox,
        contextlib.closing(storage.connect(desk.path)) as log,
    ):
        fields = forms.for_new_event(log, [_QUOTE])
        kept = [pair for pair in fields["values"] if pair[0] not in typed]
        fields["values"] = [*kept, *([name, text] for name, text in typed.items())]
        return desk.at(f"/drafts/{inbox.new_draft(fields).draft_id}")


def _press(page: Page, label: str) -> None:
    page.get_by_role("button", name=label, exact=True).first.click()


def test_the_preview_shows_the_pictures_of_an_event(desk: ServedDesk, open_page: Opener) -> None:
    with Timeline.open(desk.path) as timeline:
        timeline.attach("sumy-strike", png(), {"alt": "A red wall"})
    page = open_page(desk.at("/events/sumy-strike"))
    _press(page, "Update: the story moved on")
    open_all(page)
    page.locator('[name="note"]').fill("Seen again")
    _press(page, "See it as readers will")
    picture = page.frame_locator("iframe").get_by_alt_text("A red wall")
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("each => each.decode().then(() => each.naturalWidth)") == 6
    for name in ("0" * 64 + ".png", "none.pdf"):
        assert page.request.get(desk.at(f"/media/{name}")).status == 404


@pytest.mark.parametrize("javascript", [True, False])
def test_an_event_is_seen_recorded_corrected_and_retracted(
    desk: ServedDesk, open_page: Opener, javascript: bool
) -> None:
    title = f"A ship burns {javascript}"
    page = open_page(_draft(desk, title=title, occurred="15 May 2025"), javascript=javascript)
    _press(page, "See it as readers will")
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", level=1, name=title).wait_for()
    family = frame.locator("h1").evaluate("h1 => getComputedStyle(h1).fontFamily")
    assert "Source Serif" in family
    _press(page, "Record")
    assert "/events/" in page.locator("code").first.inner_text()
    page.get_by_role("link", name="See the event at the desk").click()
    _press(page, "Correct: we were wrong")
    page.locator('[name="title"]').fill(f"{title} again")
    page.locator('[name="reason"]').fill("It burned before")
    _press(page, "See it as readers will")
    assert f"{title} again" in page.locator("main").inner_text()
    _press(page, "Record")
    page.get_by_text("Recorded by mistake?").click()
    _press(page, "Retract it")
    assert page.locator('[name="reason"]').input_value() == "Recorded by mistake"
    _press(page, "See it as readers will")
    page.frame_locator("iframe").get_by_text("This event was retracted").wait_for()
    _press(page, "Record")
    page.get_by_role("link", name="See the event at the desk").click()
    assert page.locator("ol > li").count() == 3
    assert page.get_by_role("button", name="Reinstate").count()


def test_two_events_are_merged_side_by_side(desk: ServedDesk, open_page: Opener) -> None:
    page = open_page(desk.at("/events/rutte-support-statement?into=sumy-strike"), javascript=False)
    assert page.locator(".side-by-side section").count() == 2
    _press(page, "Merge them")
    page.locator('[name="reason"]').fill("One event")
    _press(page, "See it as readers will")
    page.frame_locator("iframe").get_by_text("merged into another one").wait_for()
    _press(page, "Record")
    assert page.locator("h1").inner_text().startswith("Merged")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_screens_of_events_are_for_everyone(
    desk: ServedDesk, open_page: Opener, scheme: str
) -> None:
    typed = {"title": f"A port {scheme}", "occurred": "2025-06-01", "place.name": "Odessa"}
    page = open_page(f"{_draft(desk, **typed)}/preview", width=320, scheme=scheme)
    page.frame_locator("iframe").locator("h1").wait_for()
    assert is_within(page)
    check_access(page)
    _press(page, "Record")
    page.wait_for_url("**/recorded/*")
    assert is_within(page)
    check_access(page)
    for path in ("/events", "/events?q=Odesa", "/events/sumy-strike?into=rutte-odesa-visit"):
        page.goto(desk.at(path))
        assert page.locator("h1").count() == 1
        assert is_within(page)
        check_access(page)
