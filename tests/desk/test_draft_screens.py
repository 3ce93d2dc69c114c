"""The form of a draft in Chromium, with and without JavaScript: what is typed is never lost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsers import Opener, check_access, is_within, launched, opener
from desks import ServedDesk, desk_of
from playwright.sync_api import Browser, Page

from timeline import Timeline
from timeline.desk import forms
from timeline.desk.screens import drafts
from timeline.desk.visit import Desk, Redirect, Session, Shown, Visit
from timeline.intake.proposals.inbox import Inbox
from timeline.intake.proposals.proposal import parse
from timeline.model.content import Said
from timeline.store import storage

_ANNA = Said(author="anna")
_TYPED = {
    "title": "Strike on the port of Odesa",
    "occurred": "15 April 2025",
    "occurred_text": "on Tuesday",
    "place.name": "Odesa",
    "place.country": "Ukraine",
    "place.point": "46.48, 30.73",
    "people.0.name": "Oleh Kiper",
    "people.0.office": "Governor",
    "figures.0.measure": "injured",
    "figures.0.figure": "at least 8",
    "figures.0.said_by": "Oleh Kiper",
    "claims.0.speaker": "Moscow",
    "claims.0.statement": "It was a ship.\nWith arms.",
    "tags.0.name": "port",
    "summary": "First line.\nSecond line.",
    "author": "anna",
}


def _new_draft(desk: ServedDesk, event_id: str | None = None) -> str:
    """The address of a form."""
    version = None
    with (
        Inbox.of(desk.path) as inbox,
        contextlib.closing(storage.connect(desk.path)) as log,
    ):
        fields = forms.for_new_event(log)
        if event_id:
            fields, version = forms.for_event(log, event_id, "update")
        draft = inbox.new_draft(fields, event_id=event_id, version=version)
    return desk.at(f"/drafts/{draft.draft_id}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDesk]:
    path = tmp_path_factory.mktemp("desk") / "story.db"
    with (
        Timeline.create(path, title="A story", origin="example.org/story") as timeline,
        timeline.append() as append,
    ):
        append.record_source({"source_id": "report", "title": "A report"}, _ANNA)
        for number in range(9):
            figure = {"measure": "killed", "value": "35", "reported_by": "Mayor of Sumy"}
            append.record(
                {
                    "event_id": f"strike-{number}",
                    "title": "Strike on Sumy",
                    "occurred": "2025-04-13",
                    "participants": [{"name": "Mayor of Sumy"}],
                    "quantities": [figure],
                    "tags": ["war"],
                    "citations": [{"source_id": "report", "quote": "a strike"}],
                },
                _ANNA,
            )
    with desk_of(path) as found:
        yield found


@pytest.fixture
def open_page(browser: Browser, desk: ServedDesk) -> Iterator[Opener]:
    with opener(browser, _REFUSED) as opened:
        yield desk.opener(opened)


_REFUSED = ["/favicon.ico"]
"""Paths that may be answered with 4xx: the console of Chromium tells each."""


def _new(desk: ServedDesk, event_id: str | None = None) -> str:
    address = _new_draft(desk, event_id)
    path = f"/{address.split('/', 3)[3]}"
    _REFUSED.extend((path, f"{path}/preview"))
    return address


def _press(page: Page, label: str) -> None:
    page.get_by_role("button", name=label, exact=True).first.click()


def _field(page: Page, name: str) -> str:
    return page.locator(f'[name="{name}"]').input_value()


def _fill(page: Page, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        page.locator(f'[name="{name}"]').fill(text)


@pytest.mark.parametrize("javascript", [True, False])
def test_everything_that_is_typed_is_kept(
    desk: ServedDesk, open_page: Opener, javascript: bool
) -> None:
    address = _new(desk)
    page = open_page(address, javascript=javascript)
    for block in ("Who says what about it", "Summary and note"):
        page.get_by_text(block).click()
    _press(page, "Add a claim")
    page.get_by_text("Summary and note").click()
    _fill(page, _TYPED)
    page.locator('[name="people.0.role"]').select_option("host")
    _press(page, "Save this draft")
    for _ in range(2):
        assert {name: _field(page, name) for name in _TYPED} == _TYPED
        assert _field(page, "people.0.role") == "host"
        assert "Tuesday 15 April 2025" in page.locator("#occurred-echo").inner_text()
        page.reload()
    _fill(page, {"title": "Strike on the port"})
    page.goto(desk.at("/static/draft.css"))
    page.go_back()
    assert _field(page, "title") == "Strike on the port"


def test_a_button_moves_the_focus_to_what_is_new(desk: ServedDesk, open_page: Opener) -> None:
    page = open_page(_new(desk, "strike-0"), javascript=False)
    for button, focus in (
        ("Add a figure", "figures.1.measure"),
        ("Replace figure 1", "figures.0.measure"),
        ("Keep as it was figure 1", "change-figure-0"),
        ("Remove figure 1", "keep-figure-0"),
    ):
        page.get_by_role("button", name=button, exact=True).click()
        assert page.locator(":focus").get_attribute("id") == focus
    assert page.locator("del").inner_text() == "killed 35, Mayor of Sumy"


def test_problems_are_listed_and_lead_to_their_fields(desk: ServedDesk, open_page: Opener) -> None:
    page = open_page(_new(desk), javascript=False)
    _fill(page, {"title": "Talks", "occurred": "04/05/2025", "figures.0.figure": "many"})
    _press(page, "See it as readers will")
    problems = page.locator(".problems a")
    assert [each.get_attribute("href") for each in problems.all()] == [
        "#author",
        "#occurred",
        "#figures.0.measure",
    ]
    problems.nth(2).click()
    field = page.locator('[id="figures.0.measure"]')
    assert field.get_attribute("aria-invalid") == "true"
    told = page.locator(f'[id="{(field.get_attribute("aria-describedby") or "").split()[-1]}"]')
    assert told.inner_text().startswith("Figure: is missing")
    page.get_by_role("button", name="Sunday 4 May 2025").click()
    assert _field(page, "occurred") == "2025-05-04"
    assert _field(page, "figures.0.figure") == "many"


def test_a_form_of_an_event_that_moved_on_keeps_what_was_typed(
    desk: ServedDesk, open_page: Opener
) -> None:
    page = open_page(_new(desk, "strike-1"), javascript=False)
    _fill(page, {"title": "Two missiles strike Sumy", "author": "anna"})
    with Timeline.open(desk.path) as timeline, timeline.append() as append:
        said = Said(author="ben", reason="A recount")
        changes = [("title", "Strike on a bus"), ("summary", "It was a bus.")]
        append.correct("strike-1", changes, said)
    _press(page, "See it as readers will")
    told = page.locator("#meanwhile li").inner_text()
    assert told.startswith("Version 2, corrected by ben: A recount. ")
    assert _field(page, "title") == "Two missiles strike Sumy"
    assert _field(page, "summary") == "It was a bus."
    _press(page, "See it as readers will")
    assert page.url.endswith("/preview")


def test_two_tabs_of_one_draft_keep_what_both_typed(desk: ServedDesk, open_page: Opener) -> None:
    address = _new(desk)
    one, other = (open_page(address, javascript=False) for _ in range(2))
    _press(one, "Add a figure")
    _fill(one, {"figures.1.measure": "injured"})
    _press(one, "Save this draft")
    _fill(other, {"title": "Talks"})
    _press(other, "Save this draft")
    assert _field(other, "figures.1.measure") == "injured"
    assert _field(other, "title") == "Talks"


def test_a_desk_that_is_killed_loses_nothing(desk: ServedDesk, open_page: Opener) -> None:
    address = _new(desk)
    page = open_page(address, javascript=False)
    _fill(page, {"title": "Talks"})
    _press(page, "Add a figure")
    _fill(page, {"figures.1.measure": "killed"})
    _press(page, "Save this draft")
    page.wait_for_load_state("networkidle")
    desk.kill()
    desk.start()
    page.goto(desk.entrance())
    page.goto(address)
    assert (_field(page, "title"), _field(page, "figures.1.measure")) == ("Talks", "killed")


def test_a_form_is_filled_in_with_the_keyboard_alone(desk: ServedDesk, open_page: Opener) -> None:
    page = open_page(_new(desk))
    seen: set[str] = set()
    typed = {"title": "Talks", "occurred": "15 April 2025", "author": "anna"}
    while not typed.keys() <= seen:
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.name") or ""
        if name in typed:
            page.keyboard.type(typed[name])
        seen.add(name)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert {name: _field(page, name) for name in typed} == typed


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_form_is_for_everyone(desk: ServedDesk, open_page: Opener, scheme: str) -> None:
    page = open_page(_new(desk, "strike-2"), width=320, scheme=scheme)
    for label in ("Replace figure 1", "Remove tag 1"):
        page.get_by_role("button", name=label).click()
    page.get_by_text("Ties to other events").click()
    page.get_by_role("button", name="Add a tie").click()
    _press(page, "See it as readers will")
    assert page.locator("h1").count() == 1
    assert is_within(page)
    check_access(page)


# --- Where the inbox does not keep it -----------------------------------------------------


@pytest.fixture
def screen(desk: ServedDesk) -> Iterator[Desk]:
    with (
        Timeline.open(desk.path) as timeline,
        Inbox.of(desk.path) as inbox,
        contextlib.closing(storage.connect(desk.path)) as log,
    ):
        yield Desk(desk.path, timeline, log, inbox)


def _sent(screen: Desk, draft_id: str, *fields: tuple[str, str]) -> object:
    path = f"/drafts/{draft_id}"
    parts = {"draft_id": draft_id}
    return drafts.save(Visit(screen, Session("s"), path, parts, [], fields, {}, "/k"))


@pytest.mark.parametrize("how", ["PRAGMA query_only = ON", "ALTER TABLE drafts RENAME TO d"])
def test_an_inbox_that_keeps_nothing_leaves_the_typed_text_in_the_page(
    screen: Desk, how: str, tmp_path: Path
) -> None:
    with Inbox(tmp_path / "an.inbox") as inbox:
        screen.inbox = inbox
        draft = inbox.new_draft(forms.for_new_event(screen.log))
        inbox._connection.execute(how)
        found = _sent(screen, draft.draft_id, ("title", "Talks"), ("do", "add-figure"))
    assert isinstance(found, Shown)
    assert found.status == 503
    assert found.context["texts"]["title"] == "Talks"
    assert "an.inbox" in found.context["unkept"]


def test_a_draft_is_given_up(screen: Desk) -> None:
    draft = screen.inbox.new_draft(forms.for_new_event(screen.log))
    assert _sent(screen, draft.draft_id, ("do", "give-up")) == Redirect("/")
    assert draft.draft_id not in [each.draft_id for each in screen.inbox.drafts(screen.log)]


def test_what_the_writer_refuses_is_told_at_its_field(screen: Desk) -> None:
    fields = forms.for_new_event(screen.log, [{"source_id": "article", "quote": "three ships"}])
    draft = screen.inbox.new_draft(fields)
    sent = {"title": "Strike", "occurred": "2025-04-15", "author": "anna", "do": "preview"}
    found = _sent(screen, draft.draft_id, *sent.items())
    assert isinstance(found, Shown)
    assert found.status == 400
    ((field, text),) = found.context["problems"]
    assert field == "citations.0.source_id"
    assert found.context["rows"]["citations"][0].row.texts["quote"] == "three ships"
    assert 'there is no source "article"' in text


def test_the_form_of_a_rejected_proposal_says_who_rejected_it(screen: Desk) -> None:
    source = {"title": "An article", "url": "https://example.org/article"}
    body = {
        "record": {
            "title": "Strike",
            "occurred": "2025-04-15",
            "citations": [{"source": source, "quote": "hit a ship"}],
        },
        "documents": [{"source": source, "text": "A strike hit a ship. Nobody was hurt."}],
    }
    added = screen.inbox.add(parse(body), way="propose", proposer="scraper", log=screen.log)
    waiting = screen.inbox.get(added.proposal_id, screen.log)
    fields, _ = forms.for_proposal(screen.log, waiting)
    draft = screen.inbox.new_draft(fields, of_proposal=added.proposal_id)
    ready = _sent(screen, draft.draft_id, ("author", "anna"), ("do", "preview"))
    assert ready == Redirect(f"/drafts/{draft.draft_id}/preview")
    screen.inbox.decide(added.proposal_id, "rejected", screen.log, by="ben", reason="A double")
    found = _sent(screen, draft.draft_id, ("author", "anna"), ("do", "preview"))
    assert isinstance(found, Shown)
    (shown,) = found.context["rows"]["citations"]
    assert shown.quote == ("A strike ", "hit a ship", ".")
    told = "The proposal was rejected by ben: A double. Reopen it first"
    assert [text for _, text in found.context["problems"]] == [told]
