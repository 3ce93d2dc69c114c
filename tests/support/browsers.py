"""A Chromium for tests of pages, which tells what is wrong with them.

Without one the tests are skipped; with TIMELINE_BROWSER=required they fail.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

Opener = Callable[..., Page]


def executable() -> str:
    """The Chromium of this machine; without one the test is skipped, or fails."""
    # The headless shell opens a page in a quarter of the time that the whole browser needs.
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        message = "no Chromium on this machine: apt-get install chromium-headless-shell"
        if os.environ.get("TIMELINE_BROWSER") == "required":
            pytest.fail(message)
        pytest.skip(message)
    return found


@contextlib.contextmanager
def launched(*arguments: str) -> Iterator[Browser]:
    """A browser of this machine, without a window."""
    path = executable()
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--disable-gpu", *arguments])
        yield found
        found.close()


@contextlib.contextmanager
def opener(
    browser: Browser, problems_of: Sequence[str] = (), width: int = 1200
) -> Iterator[Opener]:
    """A function that opens an address; `problems_of` are paths that may be answered with a 400.

    Fails on a message in the console, an error in a script, or a request to another machine.
    """
    problems: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        asked = message.location["url"].partition("127.0.0.1")[2].partition("/")[2]
        if message.type in ("error", "warning") and f"/{asked}" not in problems_of:
            problems.append(message.text)

    def requested(request: Request) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", "localhost", None):
            problems.append(f"requested {request.url}")

    contexts = []

    def opened(
        address: str, width: int = width, scheme: str = "light", javascript: bool = True
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=javascript,
        )
        contexts.append(context)
        context.on("request", requested)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", heard)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == [], problems


def is_within(page: Page) -> bool:
    """Whether a page is no wider than its window, with everything opened."""
    open_all(page)
    return bool(page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"))


def check_access(page: Page) -> None:
    """Fail if axe finds anything on a page with everything opened."""
    open_all(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
