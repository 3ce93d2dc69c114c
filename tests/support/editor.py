"""An editor at the desk, with a mouse or with the keyboard alone: from an article to a chronicle.

`work` is the walk that docs/desk.md tells click by click. Nothing is asked of the page but what
the editor sees: labels, buttons, links. Texts are typed in both ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, Protocol

from playwright.sync_api import Locator, Page

TITLE = "Dockers in Marenhaven vote on an offer after nine days of strike"
ARTICLE = f"""{TITLE}

Dockers in Marenhaven began to vote on Thursday on an offer that could end a strike of nine \
days.

The strike began on 3 June, when the night shift walked out over a plan to cut 240 jobs. The \
dockers' union Havenwerk says that 1,200 people joined it. The port company, Marenhaven \
Terminals, speaks of about 800. "Nobody here wants to be on the street," said Ida Brandt, who \
leads the union.

On 5 June, a court refused to forbid the strike. The company had asked for an order within a \
day. "The right to strike does not end at a quay," wrote the judge, Tomas Lind.

Two ships, the Aurora and the Lady Margit, were sent to other ports on 6 June. The company puts \
its losses at €4 million a day. Economists at the University of Marenhaven think that €2.5 \
million is closer.

On 7 June, police cleared the northern gate, which strikers had blocked since the morning. \
Police said that nine people were held, and released in the evening. The union counted 14. \
Three people were hurt, according to the city's hospital. One of them, a crane driver, is still \
there.

A warehouse burned on 8 June. The fire service found a faulty cable, and no sign of arson. \
Nobody was hurt.

Talks began on 9 June at the town hall, with Mayor Elin Sund as mediator. They were broken off \
after six hours. "We were two worlds apart," said the director of the company, Paul Reimer.

On Wednesday the company offered to cut 90 jobs, and to pay for training. Brandt called the \
offer "a beginning". Reimer said that it was the last one.

The dockers will vote until Saturday. The result is expected on 15 June. Food shops in the \
region say that fruit is becoming scarce. A first ship with bananas waits outside the port.
"""
"""An article of 30 sentences about a place that does not exist."""


class ToldOf(NamedTuple):
    """What the editor writes about one event."""

    sentences: tuple[int, ...]
    title: str
    when: str
    basis: str = "the source states it"
    words: str = ""
    kind: str = ""
    people: tuple[tuple[str, str], ...] = ()
    """Each with a name and a role."""
    figures: tuple[tuple[str, str, str], ...] = ()
    """Each with what is counted, the figure, and who says so."""


_RESOLVED = "worked out from the words of the source"
EVENTS = (
    ToldOf(
        (3, 4, 5),
        "Dockers in Marenhaven go on strike",
        "3 June 2025",
        kind="Protest",
        people=(("Havenwerk", "actor"), ("Marenhaven Terminals", "recipient")),
        figures=(
            ("strikers", "1,200 people", "Havenwerk"),
            ("strikers", "about 800 people", "Marenhaven Terminals"),
        ),
    ),
    ToldOf((7, 8, 9), "A court refuses to forbid the strike", "5 June 2025"),
    ToldOf(
        (10, 11, 12),
        "Two ships are sent to other ports",
        "6 June 2025",
        figures=(
            ("losses per day", "EUR 4 million", "Marenhaven Terminals"),
            ("losses per day", "EUR 2.5 million", "University of Marenhaven"),
        ),
    ),
    ToldOf(
        (13, 14, 15, 16, 17),
        "Police clear the northern gate of the port",
        "7 June 2025",
        kind="Coercion",
        figures=(
            ("held", "9 people", "Police"),
            ("held", "14 people", "Havenwerk"),
            ("injured", "3", "Hospital of Marenhaven"),
        ),
    ),
    ToldOf((18, 19, 20), "A warehouse of the port burns", "7 June 2025"),
    ToldOf(
        (21, 22, 23),
        "Talks begin in the town hall, and are broken off",
        "9 June 2025",
        kind="Consultation",
        people=(("Elin Sund", "mediator"),),
    ),
    ToldOf(
        (24, 25, 26),
        "The company offers to cut 90 jobs",
        "11 June 2025",
        _RESOLVED,
        "On Wednesday",
        "Concession",
    ),
    ToldOf(
        (2, 27, 28), "Dockers begin to vote on the offer", "12 June 2025", _RESOLVED, "on Thursday"
    ),
)
COMMENTARY = {(1,): "A headline", (6, 29, 30): "Background"}
MISTAKE, MENDED = EVENTS[4].title, "8 June 2025"
"""The event that the editor corrects, and the day on which it happened."""


class Hand(Protocol):
    """How somebody works with a page."""

    page: Page
    steps: int
    """Clicks, or keys that are no text."""
    typed: int
    """Characters of text."""

    def press(self, name: str) -> None:
        """Press a button, or follow a link."""

    def tick(self, sentence: int) -> None:
        """Tick a sentence of an article."""

    def new_event(self) -> None:
        """Begin an event of the sentences that are ticked."""

    def submit(self, name: str) -> None:
        """Press the main button of a form."""

    def record(self) -> None:
        """Record what the preview shows."""

    def write(self, field: str, text: str, *, is_here: bool = False) -> None:
        """Write a text into a field, in the place of what is there.

        `is_here` tells that the page has gone to the field already.
        """

    def choose(self, field: str, label: str) -> None:
        """Choose one of a list."""


class Mouse:
    """A hand that clicks what it sees, and types texts alone."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.steps = self.typed = 0

    def press(self, name: str) -> None:
        with self.page.expect_navigation():
            self._click(seen(self.page, name))

    submit = press

    def tick(self, sentence: int) -> None:
        self._click(self.page.locator("input[type=checkbox]").nth(sentence - 1))

    def new_event(self) -> None:
        self.press("New event")

    def record(self) -> None:
        self.press("Record")

    def write(self, field: str, text: str, *, is_here: bool = False) -> None:
        if is_here:
            wait_for_focus(self.page, field)
        else:
            element = self.page.locator(f'[name="{field}"]')
            self._click(element)
            if element.input_value():
                element.click(click_count=3)
                self.steps += 2
        self.page.keyboard.type(text)
        self.typed += len(text)

    def choose(self, field: str, label: str) -> None:
        # A list of choices is drawn outside of the page: one click opens it, one chooses.
        self.page.locator(f'[name="{field}"]').select_option(label=label)
        self.steps += 2

    def _click(self, element: Locator) -> None:
        element.scroll_into_view_if_needed()
        box = element.bounding_box()
        assert box
        self.page.mouse.click(box["x"] + min(9, box["width"] / 2), box["y"] + box["height"] / 2)
        self.steps += 1


class Keyboard:
    """A hand that never leaves the keyboard."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.steps = self.typed = 0

    def go_to(self, element: Locator) -> None:
        """Go to an element with Tab."""
        self._tab_to(lambda: element.evaluate("each => each === document.activeElement"))

    def press(self, name: str) -> None:
        self.go_to(seen(self.page, name))
        with self.page.expect_navigation():
            self.key("Enter")

    def submit(self, name: str) -> None:
        with self.page.expect_navigation():
            self.key("Control+Enter")

    def tick(self, sentence: int) -> None:
        for _ in range(40):
            here = int(self.page.evaluate("document.activeElement.value ?? 0"))
            if here == sentence:
                self.key("Space")
                return
            self.key("j" if here < sentence else "k")
        raise AssertionError(f"j and k do not lead to sentence {sentence}")

    def new_event(self) -> None:
        self.key("e")
        with self.page.expect_navigation():
            self.key("Enter")

    def record(self) -> None:
        self.key("r")
        with self.page.expect_navigation():
            self.key("Enter")

    def write(self, field: str, text: str, *, is_here: bool = False) -> None:
        if is_here:
            wait_for_focus(self.page, field)
        else:
            self._to(field)
            self.key("Control+a")
        self.page.keyboard.type(text)
        self.typed += len(text)

    def choose(self, field: str, label: str) -> None:
        self._to(field)
        element = self.page.locator(f'[name="{field}"]')
        for _ in range(60):
            if element.evaluate("each => each.selectedOptions[0].label") == label:
                return
            self.key("ArrowDown")
        raise AssertionError(f"{field} has no choice {label}")

    def _to(self, field: str) -> None:
        self._tab_to(lambda: self.page.evaluate("document.activeElement?.name") == field)

    def _tab_to(self, is_there: Callable[[], bool]) -> None:
        for _ in range(150):
            if is_there():
                return
            self.key("Tab")
        raise AssertionError(f"Tab does not lead there: {self.page.url}")

    def key(self, key: str) -> None:
        """Press a key."""
        self.page.keyboard.press(key)
        self.steps += 1


def wait_for_focus(page: Page, field: str) -> None:
    """Wait until the page has gone to a field."""
    page.wait_for_function("name => document.activeElement?.name === name", arg=field)


def seen(page: Page, name: str) -> Locator:
    """The first button, link or summary with a name that a person can see."""
    words = re.compile(rf"^\s*{re.escape(name)}\s*$")
    found = page.locator("button:visible, a:visible, summary:visible").filter(has_text=words)
    return found.first


def work(hand: Hand, author: str, look: Callable[[str], object] = lambda name: None) -> None:
    """Work through the article: capture it, record its events, correct one; no sentence is left.

    The browser shows the inbox at the beginning. `look` is called with the name of each screen.
    """
    hand.press("Articles")
    hand.press("Capture an article")
    hand.write("text", ARTICLE)
    hand.typed -= len(ARTICLE) - 1  # it is pasted, with one key
    hand.submit("Look at what will be kept")
    look("check")
    hand.write("publisher", "Marenhaven Courier")
    hand.write("published", "12 June 2025")
    hand.write("author", author)
    hand.submit("Keep this text")
    for number, event in enumerate(EVENTS):
        for sentence in event.sentences:
            hand.tick(sentence)
        look(f"article {number}")
        hand.new_event()
        _fill(hand, event)
        look(f"form {number}")
        hand.submit("See it as readers will")
        look(f"preview {number}")
        hand.record()
        look(f"receipt {number}")
        hand.press("Next sentence without an event")
    for passages, why in COMMENTARY.items():
        for sentence in passages:
            hand.tick(sentence)
        hand.press("Commentary: why")
        hand.write("why", why)
        hand.submit("Mark as commentary")
    look("covered")
    hand.press("Events")
    hand.press(MISTAKE)
    hand.press("Correct: we were wrong")
    hand.write("occurred", MENDED)
    hand.write("reason", "The day was mistyped")
    hand.submit("See it as readers will")
    look("correction")
    hand.record()


def _fill(hand: Hand, event: ToldOf) -> None:
    """Fill in the form of an event, from its top to its bottom."""
    hand.write("title", event.title)
    hand.write("occurred", event.when)
    if event.words:
        hand.write("occurred_text", event.words)
    hand.choose("occurred_basis", event.basis)
    if event.kind:
        hand.choose("event_type", event.kind)
    hand.write("place.name", "Marenhaven")
    for number, (name, role) in enumerate(event.people):
        if number:
            hand.press("Add a person or a body")
        hand.write(f"people.{number}.name", name, is_here=number > 0)
        if role != "actor":
            hand.choose(f"people.{number}.role", role)
    for number, (measure, figure, speaker) in enumerate(event.figures):
        if number:
            hand.press("Add a figure")
        hand.write(f"figures.{number}.measure", measure, is_here=number > 0)
        hand.write(f"figures.{number}.figure", figure)
        hand.write(f"figures.{number}.said_by", speaker)
