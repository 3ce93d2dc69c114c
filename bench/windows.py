"""Open windows of a browser that has loaded nothing before, and count what they load."""

from __future__ import annotations

from collections import Counter
from typing import Any

from playwright.sync_api import Browser

DESK = {"width": 1280, "height": 900}
BUSY = """
window.seen = {busy: 0};
new PerformanceObserver(list => list.getEntries().forEach(e => {
  seen.busy = Math.max(seen.busy, e.startTime + e.duration); }))
  .observe({type: "longtask", buffered: true});
"""
"""Keeps in `seen.busy` when the last task over 50 ms ended."""


class Window:
    """A new window counts the bytes that it is sent, by kind, and its requests."""

    def __init__(self, browser: Browser, size: dict[str, int], script: str) -> None:
        self.context = browser.new_context(viewport=size)  # type: ignore[arg-type]
        self.page = self.context.new_page()
        self.page.add_init_script(BUSY + script)
        self.session = self.context.new_cdp_session(self.page)
        self.session.send("Network.enable")
        self.kinds: dict[str, str] = {}
        self.sent = Counter[str]()
        self.session.on("Network.responseReceived", self._answered)
        self.session.on("Network.loadingFinished", self._finished)

    def _answered(self, event: dict[str, Any]) -> None:
        self.kinds[event["requestId"]] = event["type"]

    def _finished(self, event: dict[str, Any]) -> None:
        kind = self.kinds.get(event["requestId"], "Other")
        self.sent[kind] += int(event["encodedDataLength"])
