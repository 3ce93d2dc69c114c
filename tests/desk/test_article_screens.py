"""Articles in Chromium: captured as they will be kept, and worked through sentence by sentence."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from browsers import Opener, check_access, is_within, launched, opener
from desks import ServedDesk, desk_of
from playwright.sync_api import Browser, Page

from timeline import Timeline
from timeline.intake.proposals.inbox import Inbox
from timeline.model.content import Said

_TEXT = """The harbour opens again

Mark Rutte came to Odesa on Tuesday. He met the mayor, who said that 35 ships wait. \
The harbour had been closed since March.

It is a beautiful city. A photo: Reuters."""
_HIDING = """<!doctype html><html lang="en"><head><title>A bridge falls - The Paper</title>
<meta property="og:site_name" content="The Paper">
<meta property="article:published_time" content="2025-04-16T08:00:00Z">
<meta name="author" content="Dana Orr"></head><body><article><h1>A bridge falls</h1>
<p>The bridge over the river fell on Wednesday, and nobody was hurt, the mayor said at night.</p>
<p style="display:none">SECRET words for machines.</p><p hidden>SECRET too.</p>
<p style="font-size:0">SECRET as well.</p>
<p>Engineers look for the cause, and the road will stay closed for at least three weeks.</p>
</article></body></html>"""
_HOSTILE = """<script>alert(1)</script> was its headline

He said \u202eeldda dna\u202c this, and \u200bmore. "><img src=x onerror=alert(2)> came next.

\u0634\u0631\u0637\u0629 \u0627\u0644\u0645\u062f\u064a\u0646\u0629 \u0648\u0635\u0644\u062a."""
_NUMBER = itertools.count(1)
_REFUSED = ["/favicon.ico"]
"""Paths that may be answered with 4xx: the console of Chromium tells each."""


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
        append.record_source({"source_id": "bare", "title": "A report without a text"}, Said())
    with desk_of(path, "--model", "no-such-model", "--author", "anna") as found:
        yield found


@pytest.fixture
def open_page(browser: Browser, desk: ServedDesk) -> Iterator[Opener]:
    with opener(browser, _REFUSED) as opened:
        yield desk.opener(opened)


def _captured(desk: ServedDesk, text: str = _TEXT, **fields: str) -> str:
    """The id of an article of its own, whose text nobody else has."""
    number = next(_NUMBER)
    source = {"source_id": f"article-{number}", "title": f"Article {number}", **fields}
    with Timeline.open(desk.path) as timeline:
        return timeline.capture(f"{text} Number {number} ends.", source, author="anna").id


def _press(page: Page, label: str) -> None:
    page.get_by_role("button", name=label, exact=True).click()


def _says(page: Page, words: str) -> bool:
    return words in " ".join(page.inner_text("main").split())


# --- Capturing --------------------------------------------------------------------------------


@pytest.mark.parametrize("javascript", [True, False])
def test_an_article_is_pasted_checked_and_worked_through(
    desk: ServedDesk, open_page: Opener, javascript: bool
) -> None:
    page = open_page(desk.at("/articles/new"), javascript=javascript)
    page.fill("#url", f"https://example.org/harbour-{javascript}")
    page.fill("#text", f"{_TEXT} {javascript}.")
    _press(page, "Look at what will be kept")
    assert _says(page, "7 sentences")
    assert _says(page, "This is a new article.")
    assert page.input_value("#title") == "The harbour opens again"
    page.fill("#published", "15 April 2025")
    _press(page, "Keep this text")
    assert _says(page, "0 of 7 covered, 0 commentary, 7 missing")
    article = page.url
    page.check("#sentence-2")
    page.check("#sentence-3")
    page.check("#sentence-5")
    _press(page, "New event")
    with Inbox.of(desk.path) as inbox:
        draft = inbox.draft(page.url.rpartition("/")[2])
    values = dict(draft.fields["values"])
    assert values["reported_at"] == "2025-04-15"
    quotes = [each["quote"] for each in draft.fields["content"]["citations"]]
    assert quotes == [
        "Mark Rutte came to Odesa on Tuesday. He met the mayor, who said that 35 ships wait.",
        "It is a beautiful city.",
    ]
    page.goto(article)
    page.check("#sentence-2")
    wanted = f"{desk.keys.key}/events?cite={article.rpartition('/')[2]}&span=25-61"
    _REFUSED.append(wanted)
    _press(page, "Cite for an existing event")
    assert page.url.endswith(wanted)


def test_a_page_is_uploaded_without_what_it_hides_and_fills_the_fields(
    desk: ServedDesk, open_page: Opener
) -> None:
    page = open_page(desk.at("/articles/new"), javascript=False)
    file = {"name": "bridge.html", "mimeType": "text/html", "buffer": _HIDING.encode()}
    page.set_input_files("#file", [file])  # type: ignore[list-item]
    _press(page, "Look at what will be kept")
    assert _says(page, "Left out: 3 hidden passages")
    assert not _says(page, "SECRET")
    assert _says(page, "The page also says: Written by Dana Orr.")
    values = [page.input_value(f"#{name}") for name in ("title", "publisher", "published")]
    assert values == ["A bridge falls", "The Paper", "2025-04-16T08:00:00Z"]
    page.fill("#published", "31 April 2025")
    _allow_refusals(page)
    _press(page, "Keep this text")
    assert page.locator("#problems a").get_attribute("href") == "#published"
    page.fill("#published", "16 April 2025")
    _press(page, "Keep this text")
    with Timeline.open(desk.path) as timeline:
        text = timeline.text(page.url.rpartition("/")[2]) or ""
    assert "SECRET" not in text
    assert "nobody was hurt" in text
    page.goto(desk.at("/articles"))
    assert _says(page, "of 3 covered")


def test_html_that_is_pasted_is_reduced_to_its_article(desk: ServedDesk, open_page: Opener) -> None:
    page = open_page(desk.at("/articles/new"))
    page.focus("#text")
    page.evaluate(
        """html => {
          const data = new DataTransfer();
          data.setData("text/html", html);
          const box = document.querySelector("#text");
          box.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
          box.value = "Menu Home A bridge falls";
          box.dispatchEvent(new InputEvent("input", {bubbles: true}));
        }""",
        _HIDING,
    )
    _press(page, "Look at what will be kept")
    assert "fell on Wednesday" in page.inner_text(".kept-text")
    assert _says(page, "Left out: 3 hidden passages")
    _press(page, "Change the text")
    page.fill("#text", "Only this sentence stays here.")
    _press(page, "Look at what will be kept")
    assert page.inner_text(".kept-text") == "Only this sentence stays here."


def test_what_cannot_be_read_comes_back_and_waits_in_the_inbox(
    desk: ServedDesk, open_page: Opener
) -> None:
    page = open_page(desk.at("/articles/new"), javascript=False)
    page.fill("#text", "?! ...")
    page.fill("#url", "https://example.org/nothing")
    _REFUSED.append(f"{desk.keys.key}/articles/new")
    _press(page, "Look at what will be kept")
    assert _says(page, "The text holds no words")
    assert (page.input_value("#text"), page.input_value("#url")) == (
        "?! ...",
        "https://example.org/nothing",
    )
    draft_id = page.locator("[name=draft]").input_value()
    page.goto(desk.at(f"/drafts/{draft_id}"))
    assert page.input_value("#text") == "?! ..."
    page.goto(desk.at("/"))
    assert _says(page, "an article")


def test_a_known_text_and_a_known_address_are_told_before_anything_is_kept(
    desk: ServedDesk, open_page: Opener
) -> None:
    known = _captured(desk, url="https://example.org/known")
    with Timeline.open(desk.path) as timeline:
        text = timeline.text(known) or ""
        quote = {"source_id": known, "quote": "He met the mayor, who said that 35 ships wait."}
        event = {"title": "A meeting", "occurred": "2025-04-15", "citations": [quote]}
        timeline.record(event, author="anna")
    page = open_page(desk.at("/articles/new"), javascript=False)
    page.fill("#text", text)
    page.fill("#url", "https://example.org/known")
    _press(page, "Look at what will be kept")
    assert _says(page, "This text is kept already")
    page.goto(desk.at("/articles/new"))
    page.fill("#text", text.replace("He met the mayor", "He met nobody"))
    page.fill("#url", "https://www.example.org/known/?utm_source=x")
    _press(page, "Look at what will be kept")
    assert _says(page, "This address is known already. What is this?")
    _allow_refusals(page)
    _press(page, "Keep this text")
    assert _says(page, "Say whether this is a newer text, or another article")
    page.get_by_label("A newer text of").check()
    _press(page, "Show what this does")
    assert _says(page, "This is a newer text")
    assert _says(page, "1 quote of an event is not in it:")
    _press(page, "Keep this text")
    assert page.url == desk.at(f"/articles/{known}")
    lost = " ".join(page.inner_text(".lost").split())
    assert "A meeting: He met the mayor" in lost
    assert "Now nearest to it: He met nobody, who said that 35 ships wait." in lost
    page.click("summary")
    page.get_by_role("link", name="Capture the text again").click()
    assert _says(page, "A newer text of")


# --- Sentences --------------------------------------------------------------------------------


def test_sentences_are_marked_as_commentary_and_the_mark_is_taken_back(
    desk: ServedDesk, open_page: Opener
) -> None:
    article = _captured(desk)
    page = open_page(desk.at(f"/articles/{article}"), javascript=False)
    page.check("#sentence-5")
    page.check("#sentence-6")
    _press(page, "Commentary: why")
    _allow_refusals(page)
    _press(page, "Mark as commentary")
    assert _says(page, "Say in a few words why this needs no event")
    page.fill("#why", "A credit")
    _press(page, "Mark as commentary")
    assert page.url.endswith(f"/articles/{article}?at=7#sentence-7")
    assert page.inner_text("#state-6") == "commentary: A credit"
    page.check("#sentence-6")
    _press(page, "Take the mark back")
    assert page.inner_text("#state-6") == "missing"
    assert page.inner_text("#state-5") == "commentary: A credit"
    _allow_refusals(page)
    _press(page, "New event")
    assert _says(page, "Tick the sentences first")


def test_words_are_selected_with_the_mouse_and_keys_are_enough(
    desk: ServedDesk, open_page: Opener
) -> None:
    article = _captured(desk, _HOSTILE)
    page = open_page(desk.at(f"/articles/{article}"))
    assert _says(page, "3 characters of this text are seen by nobody")
    assert "[U+202E]" in page.inner_text("#words-2")
    page.evaluate(
        """() => {
          const [one, , two] = document.querySelectorAll("#words-2 [data-start]");
          document.getSelection().setBaseAndExtent(one.firstChild, 3, two.firstChild, 4);
        }"""
    )
    page.wait_for_function("document.querySelector('[name=quote_end]').value")
    _press(page, "New event")
    with Inbox.of(desk.path) as inbox:
        draft = inbox.draft(page.url.rpartition("/")[2])
    (citation,) = draft.fields["content"]["citations"]
    with Timeline.open(desk.path) as timeline:
        text = timeline.text(article) or ""
    assert citation["quote"] == text[citation["quote_start"] : citation["quote_end"]]
    assert citation["quote"].startswith("said \u202eeldd")
    page.goto(desk.at(f"/articles/{article}"))
    page.locator("[data-next-missing]").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert page.is_checked("#sentence-1")
    page.locator("[data-next-missing]").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "sentence-2"
    page.keyboard.press("Space")
    assert page.inner_text(".chosen") == "2 sentences ticked"
    page.click("#words-1")
    assert not page.is_checked("#sentence-1")


def test_a_text_that_was_changed_meanwhile_is_looked_at_again(
    desk: ServedDesk, open_page: Opener
) -> None:
    article = _captured(desk)
    page = open_page(desk.at(f"/articles/{article}"), javascript=False)
    page.check("#sentence-2")
    with Timeline.open(desk.path) as timeline:
        timeline.capture(f"Another text of {article}.", {"source_id": article, "title": "A"})
    _allow_refusals(page)
    _press(page, "New event")
    assert _says(page, "The text of this article was changed meanwhile")


def test_a_source_is_withdrawn_with_a_reason_and_counts_again(
    desk: ServedDesk, open_page: Opener
) -> None:
    article = _captured(desk)
    page = open_page(desk.at(f"/articles/{article}"))
    page.click("summary")
    _REFUSED.append(f"{desk.keys.key}/articles/{article}/withdraw")
    _press(page, "Withdraw this source")
    assert _says(page, "Say why the source no longer counts")
    page.fill("#reason", "The publisher took it back")
    _press(page, "Withdraw this source")
    assert _says(page, "This source is withdrawn: The publisher took it back.")
    page.click("summary")
    _press(page, "Take the withdrawal back")
    assert not _says(page, "This source is withdrawn")


def test_a_source_without_a_text_and_an_unknown_one_say_what_to_do(
    desk: ServedDesk, open_page: Opener
) -> None:
    page = open_page(desk.at("/articles/bare"))
    assert _says(page, "Its text was not captured: capture it")
    page.get_by_role("link", name="Capture its text").click()
    assert _says(page, "A newer text of A report without a text")
    _REFUSED.append(f"{desk.keys.key}/articles/unknown")
    page.goto(desk.at("/articles/unknown"))
    assert _says(page, 'no source "unknown": look for it in the list of articles, or capture it')
    page.goto(desk.at("/articles?q=without"))
    assert _says(page, "The text was not captured. Capture its text")


def test_a_model_drafts_beside_the_desk(desk: ServedDesk, open_page: Opener) -> None:
    article = _captured(desk)
    page = open_page(desk.at(f"/articles/{article}"), javascript=False)
    _press(page, "Draft with no-such-model")
    while page.get_by_role("link", name="Look again").count():
        page.get_by_role("link", name="Look again").click()
        page.reload()
    assert _says(page, "The draft by no-such-model did not work")
    assert re.search("Error: .", page.inner_text("#drafting"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_screen_is_accessible_and_narrow(
    desk: ServedDesk, open_page: Opener, scheme: str
) -> None:
    article = _captured(desk, _HOSTILE)
    page = open_page(desk.at("/articles/new"), width=320, scheme=scheme)
    for path in (f"/articles/new?article={article}", f"/articles/{article}", "/articles"):
        page.goto(desk.at(path))
        check_access(page)
        assert is_within(page), path
    page.goto(desk.at("/articles/new"))
    page.fill("#text", f"{_HOSTILE} {scheme}")
    _press(page, "Look at what will be kept")
    check_access(page)
    assert is_within(page)
    page.goto(desk.at(f"/articles/{article}"))
    page.check("#sentence-2")
    _press(page, "Commentary: why")
    check_access(page)
    assert is_within(page)


def _allow_refusals(page: Page) -> None:
    """Let the next answers of the page's address be 4xx."""
    _REFUSED.append(page.url.partition("127.0.0.1")[2].partition("/")[2].join(["/", ""]))
    _REFUSED.append(_REFUSED[-1].partition("?")[0])
