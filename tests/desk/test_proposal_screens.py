"""Proposals in the browser: a person looks at each, and decides it; no script is needed."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import uvicorn
from browsers import Opener, check_access, is_within, launched, opener
from playwright.sync_api import Browser, Page, expect
from serving import free_port

from timeline import Timeline, demo
from timeline.desk.app import application
from timeline.desk.guard import Secrets
from timeline.desk.visit import Desk, Session
from timeline.intake.proposals.inbox import Inbox
from timeline.intake.proposals.proposal import Way, parse
from timeline.store import storage

BRIEFING = "odesa-briefing"
STRIKES = "Missile strikes have hit Sumy and killed many people."
STRIKE: dict[str, Any] = {
    "title": "Missile strike on Sumy kills many",
    "occurred": "2025-04-13",
    "occurred_text": "crowded moment",
    "occurred_basis": "resolved",
    "place": {"name": "Sumy", "country": "UKR"},
    "quantities": [{"measure": "killed", "value": "34"}],
    "citations": [{"source_id": BRIEFING, "quote": "killed many people"}],
}
PLAIN: dict[str, Any] = {
    "title": "Washington urges Europe",
    "occurred": "2024",
    "occurred_text": "until sanctions are eased",
    "occurred_basis": "stated",
    "citations": [{"source_id": BRIEFING, "quote": "None of this will be settled quickly."}],
}


class Served(NamedTuple):
    """A desk, and its address."""

    desk: Desk
    session: Session
    address: str

    def proposed(self, body: dict[str, Any], way: Way = "draft", proposer: str = "a-model") -> str:
        """The id of a proposal that waits."""
        added = self.desk.inbox.add(parse(body), way=way, proposer=proposer, log=self.desk.log)
        return added.proposal_id

    def of(self, proposal_id: str, query: str = "") -> str:
        return f"{self.address}/proposals/{proposal_id}{query}"

    def path(self, below: str) -> str:
        """The path of a page of the desk."""
        return f"/{self.address.split('/', 3)[3]}{below}"

    def state(self, proposal_id: str) -> tuple[str, str | None, str | None]:
        waiting = self.desk.inbox.get(proposal_id, self.desk.log)
        return waiting.state, waiting.decided_by, waiting.reason


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path = tmp_path_factory.mktemp("desk") / "timeline.db"
    demo.build(path)
    port = free_port()
    with Timeline.open(path) as timeline, Inbox.of(path) as inbox:
        desk = Desk(path, timeline, storage.connect(path), inbox, author="anna")
        keys, session = Secrets("a secret", "a run"), Session("only")
        screens = application(desk, keys)

        async def of_one_session(scope: Any, receive: Any, send: Any) -> None:
            scope["desk.session"] = session
            await screens(scope, receive, send)

        settings = uvicorn.Config(of_one_session, port=port, log_level="warning")
        server = uvicorn.Server(settings)
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Served(desk, session, f"http://127.0.0.1:{port}{keys.key}")
        server.should_exit = True
        thread.join()
        desk.log.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture
def refused() -> list[str]:
    """The paths that may be answered with a refusal."""
    return []


@pytest.fixture
def opened(browser: Browser, served: Served, refused: list[str]) -> Iterator[Opener]:
    """Opens an address in a browser; before each test, nothing waits."""
    inbox, log = served.desk.inbox, served.desk.log
    for waiting in inbox.proposals(log, states=("open", "later")):
        inbox.decide(waiting.proposal_id, "rejected", log, reason="before")
    served.desk.author, served.session.author = "anna", None
    with opener(browser, refused) as found:
        yield found


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_proposal_is_recorded_when_each_of_its_marks_is_ticked(
    served: Served, opened: Opener, refused: list[str]
) -> None:
    ours = {**STRIKE, "place": {"name": "Elsewhere"}, "title": "Other words"}
    proposal_id, following = served.proposed(ours), served.proposed({"record": PLAIN})
    refused.append(served.path(f"/proposals/{proposal_id}"))
    page = opened(f"{served.address}/", javascript=False)
    expect(page.get_by_role("listitem").filter(has_text="Other words")).to_contain_text("4 marks")
    page.get_by_role("link", name="Other words").click()
    press(page, "Record")
    problems = page.get_by_role("alert").get_by_role("link")
    expect(problems).to_have_count(4)
    for box in page.get_by_label("I have looked at it").all()[1:]:
        box.check()
    press(page, "Record")
    expect(problems).to_have_count(1)
    expect(page.get_by_label("I have looked at it").nth(1)).to_be_checked()
    problems.click()
    assert page.evaluate("location.hash").startswith("#mark-m-")
    page.get_by_label("I have looked at it").first.check()
    press(page, "Record")
    expect(page.get_by_role("status")).to_have_text("Recorded: Other words.")
    expect(page).to_have_url(served.of(following))
    assert served.state(proposal_id)[0] == "recorded"
    history = served.desk.timeline.history(proposal_id)
    assert (history[0]["author"], history[0]["proposed_by"]) == ("anna", "draft: a-model")


def test_the_quotes_stand_in_their_sentences_beside_the_event(
    served: Served, opened: Opener
) -> None:
    page = opened(served.of(served.proposed(STRIKE)))
    expect(page.locator("mark")).to_have_text("killed many people")
    expect(page.locator(".quoted article > p").last).to_contain_text(
        "The visit came at a crowded moment. Missile strikes have hit Sumy and killed many people."
    )
    expect(page.locator(".told")).to_contain_text("Sunday 13 April 2025 (2025-04-13)")
    expect(page.locator(".marks li").first).to_contain_text("Ballistic missile strike on Sumy")


def test_a_change_is_shown_old_beside_new(served: Served, opened: Opener) -> None:
    change = {
        "update": "nato-allies-pledge",
        "expect": 1,
        "set": {"title": "NATO allies pledge EUR 20 billion"},
        "cite": [{"source_id": BRIEFING, "quote": "pledged more than EUR 20 billion"}],
    }
    page = opened(served.of(served.proposed(change, "mcp", "claude-desktop")))
    row = page.get_by_role("row", name="title")
    expect(row.locator("del")).to_have_text(
        "NATO allies pledge over EUR 20bn of security assistance"
    )
    expect(row.locator("ins")).to_have_text("NATO allies pledge EUR 20 billion")
    expect(page.get_by_role("heading", name="What changed since")).to_be_visible()
    expect(page.locator(".marks li").first).to_contain_text("it is at version 2")


def test_a_person_may_change_it_first(served: Served, opened: Opener) -> None:
    proposal_id = served.proposed({**STRIKE, "title": "Change me"})
    page = opened(served.of(proposal_id), javascript=False)
    press(page, "Change first")
    expect(page).to_have_url(f"{served.address}/drafts/{proposal_id}")
    draft = served.desk.inbox.draft(proposal_id)
    assert dict(draft.fields["values"])["title"] == "Change me"
    page.goto(served.of(proposal_id))
    expect(page.get_by_role("link", name="go on with it")).to_be_visible()


def test_it_may_be_added_to_another_event(
    served: Served, opened: Opener, refused: list[str]
) -> None:
    proposal_id = served.proposed({**STRIKE, "title": "Add me, missile strike"})
    refused.append(served.path(f"/proposals/{proposal_id}"))
    page = opened(served.of(proposal_id), javascript=False)
    press(page, "Add to the chosen event")
    expect(page.get_by_role("alert")).to_contain_text("Choose the event")
    page.get_by_label("Search for an event").fill("minerals memorandum")
    press(page, "Search")
    expect(page.get_by_role("radio", name="Minerals consultations")).to_be_visible()
    page.get_by_role("radio", name="Ballistic missile strike on Sumy").check()
    press(page, "Add to the chosen event")
    expect(page).to_have_url(f"{served.address}/drafts/{proposal_id}")
    draft = served.desk.inbox.draft(proposal_id)
    assert (draft.event_id, draft.fields["kind"]) == ("sumy-strike", "update")
    page.goto(served.of(proposal_id))
    press(page, "Change first")
    expect(page.get_by_role("alert")).to_contain_text("There is another form of this proposal")


def test_a_rejected_one_says_why_and_can_be_reopened(
    served: Served, opened: Opener, refused: list[str]
) -> None:
    proposal_id = served.proposed({**STRIKE, "title": "Reject me"})
    refused.append(served.path(f"/proposals/{proposal_id}"))
    page = opened(served.of(proposal_id))
    page.locator("#reject summary").click()
    press(page, "Reject")
    page.get_by_role("link", name="Choose why you reject it").click()
    page.get_by_role("radio", name="Other", exact=True).check()
    press(page, "Reject")
    page.get_by_label("In your words").fill("Told in March already")
    press(page, "Reject")
    expect(page).to_have_url(f"{served.address}/")
    expect(page.locator(".empty")).to_contain_text("Nothing waits to be decided.")
    assert served.state(proposal_id) == ("rejected", "anna", "Told in March already")
    page.get_by_role("combobox", name="Show").select_option("rejected")
    press(page, "Show")
    page.get_by_role("link", name="Reject me").click()
    expect(page.locator(".state")).to_contain_text("This proposal was rejected by anna")
    press(page, "Reopen")
    expect(page.get_by_role("button", name="Record")).to_be_visible()
    assert served.state(proposal_id)[0] == "open"


def test_after_a_decision_the_next_one_of_the_same_choice_opens(
    served: Served, opened: Opener
) -> None:
    first = served.proposed({**STRIKE, "title": "First"}, "mcp")
    served.proposed({**STRIKE, "title": "By another way"})
    third = served.proposed({**STRIKE, "title": "Third"}, "mcp")
    page = opened(f"{served.address}/?way=mcp")
    page.get_by_role("link", name="First").click()
    press(page, "Later")
    expect(page).to_have_url(served.of(third, "?way=mcp"))
    expect(page.get_by_role("status")).to_have_text("Kept for later: First.")
    press(page, "Later")
    expect(page.locator(".empty")).to_contain_text("Nothing here.")
    page.goto(served.of(first))
    press(page, "Reopen")
    assert served.state(first)[0] == "open"


@pytest.mark.parametrize("name", ["Later", "Change first", "Record"])
def test_what_somebody_else_decided_meanwhile_stays(
    served: Served, opened: Opener, refused: list[str], name: str
) -> None:
    proposal_id = served.proposed({**STRIKE, "title": f"Meanwhile: {name}"})
    refused.append(served.path(f"/proposals/{proposal_id}"))
    page = opened(served.of(proposal_id))
    served.desk.inbox.decide(proposal_id, "rejected", served.desk.log, by="otto", reason="Double")
    with page.expect_response(lambda response: response.request.method == "POST") as answer:
        press(page, name)
    assert answer.value.status == 409
    expect(page.get_by_role("alert")).to_contain_text(
        "Nothing was done: this proposal was rejected by otto"
    )
    assert served.state(proposal_id) == ("rejected", "otto", "Double")


def test_one_that_was_recorded_meanwhile_is_not_recorded_again(
    served: Served, opened: Opener, refused: list[str]
) -> None:
    proposal_id = served.proposed({**PLAIN, "title": "Recorded meanwhile"})
    refused.append(served.path(f"/proposals/{proposal_id}"))
    page = opened(served.of(proposal_id))
    served.desk.timeline.record(
        {"title": "A", "occurred": "2025"}, entry_id=proposal_id, author="otto"
    )
    press(page, "Record")
    expect(page.get_by_role("alert")).to_contain_text("this proposal was recorded by otto")
    expect(page.get_by_role("link", name="See what was recorded")).to_be_visible()


def test_who_records_is_asked_first(served: Served, opened: Opener, refused: list[str]) -> None:
    served.desk.author = served.session.author = None
    proposal_id = served.proposed({**PLAIN, "title": "Who are you"})
    following = served.proposed({**PLAIN, "title": "The next one"})
    refused.append(served.path(f"/proposals/{proposal_id}"))
    page = opened(served.of(proposal_id), javascript=False)
    for box in page.get_by_label("I have looked at it").all():
        box.check()
    press(page, "Record")
    page.get_by_role("alert").get_by_role("link", name="Say who you are").click()
    page.get_by_label("Who are you?").fill("berta")
    press(page, "Record")
    expect(page).to_have_url(served.of(following))
    assert served.desk.timeline.history(proposal_id)[0]["author"] == "berta"


def test_all_of_one_draft_run_can_be_rejected_but_never_accepted(
    served: Served, opened: Opener, refused: list[str]
) -> None:
    run = [served.proposed({**STRIKE, "title": f"Of a run {number}"}) for number in range(3)]
    other = served.proposed({**STRIKE, "title": "Of another"}, "mcp")
    refused.append(served.path("/reject"))
    page = opened(f"{served.address}/", javascript=False)
    page.get_by_text("Reject the 3 drafts of a-model").click()
    press(page, "Reject 3 proposals")
    expect(page.get_by_role("alert")).to_contain_text("Choose why you reject")
    page.get_by_label("Not in the source").check()
    press(page, "Reject 3 proposals")
    expect(page.get_by_role("status")).to_have_text("3 proposals rejected: Not in the source.")
    assert {served.state(each) for each in run} == {("rejected", "anna", "Not in the source")}
    assert served.state(other)[0] == "open"
    assert page.get_by_role("button", name="Record").count() == 0


def test_an_empty_inbox_says_what_to_do_first(tmp_path: Path, served: Served) -> None:
    from timeline.desk.screens import inbox as screen
    from timeline.desk.visit import Session, Shown, Visit

    path = tmp_path / "new.db"
    with (
        Timeline.create(path, title="New") as timeline,
        Inbox.of(path) as inbox,
        contextlib.closing(storage.connect(path)) as log,
    ):
        desk = Desk(path, timeline, log, inbox)
        answer = screen.show(Visit(desk, Session(""), "/", {}, (), (), {}, "/k"))
    assert isinstance(answer, Shown)
    assert (answer.context["count"], answer.context["has_articles"]) == (0, False)


@pytest.fixture(scope="module")
def kinds(served: Served) -> dict[str, str]:
    """A proposal of each kind, with texts that would harm a careless page."""
    hostile = "<script>alert(1)</script> \u202egnp.exe \"'><b>x</b> " + "long" * 60
    quote = [{"source_id": BRIEFING, "quote": "Ukraine accepted the proposal of 30 days"}]
    found = {
        "record": {**STRIKE, "title": hostile, "summary": hostile},
        "correct": {
            "correct": "ukraine-accepts-ceasefire",
            "expect": 1,
            "set": {"title": hostile, "tags.-": "new"},
            "cite": quote,
            "reason": hostile,
        },
        "merge": {
            "merge": "rutte-zelenskyy-meeting",
            "expect": 1,
            "into": "rutte-odesa-visit",
            "reason": "One visit",
        },
    }
    return {kind: served.proposed(body) for kind, body in found.items()}


@pytest.mark.parametrize("kind", ["inbox", "record", "correct", "merge"])
def test_everybody_can_use_the_pages(
    served: Served, opened: Opener, kinds: dict[str, str], kind: str
) -> None:
    for waiting in kinds.values():
        served.desk.inbox.decide(waiting, "reopened", served.desk.log)
    address = f"{served.address}/" if kind == "inbox" else served.of(kinds[kind])
    for scheme in ("light", "dark"):
        check_access(opened(address, scheme=scheme))
    page = opened(address, width=320)
    assert is_within(page)
    assert page.locator("h1").count() == 1
    assert page.locator("main script, main b").count() == 0
    assert "\u202e" not in page.locator("h1, .queue").first.inner_text()
