"""Measure what a browser loads and how soon it shows a page: bytes, paints, shifts, and idleness.

Each page is opened three times by a browser that has loaded nothing before; each number is the
median. It opens the demonstration, and the first page and the map of a made-up story.
Run: python bench/pages.py [EVENTS]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import story
from playwright.sync_api import Browser, sync_playwright
from windows import DESK, Window

sys.path.append(str(Path(__file__).parent.parent / "tests" / "support"))
from browsers import executable
from running import done
from serving import serving

ROUNDS = 3
PHONE = {"width": 390, "height": 844}
WATCH = """
Object.assign(seen, {lcp: 0, cls: 0});
new PerformanceObserver(list => list.getEntries().forEach(e => { seen.lcp = e.startTime; }))
  .observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(list => list.getEntries().forEach(e => {
  if (!e.hadRecentInput) seen.cls += e.value; })).observe({type: "layout-shift", buffered: true});
"""
TIMES = """() => ({
  ...seen,
  first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
  loaded: performance.timing.loadEventEnd - performance.timing.navigationStart,
})"""


def opened(browser: Browser, address: str, size: dict[str, int]) -> dict[str, float]:
    """Open a page in a new window, and return what it took."""
    window = Window(browser, size, WATCH)
    window.page.goto(address, wait_until="networkidle")
    times = window.page.evaluate(TIMES)
    window.context.close()
    sent = window.sent
    bytes_of = {
        "html": sent["Document"],
        "css": sent["Stylesheet"],
        "js": sent["Script"],
        "font": sent["Font"],
        "all": sent.total() - sent["Image"],
        "images": sent["Image"],
    }
    return {
        **{kind: count / 1000 for kind, count in bytes_of.items()},
        "requests": len(window.kinds),
        "FCP": times["first"],
        "LCP": times["lcp"],
        "CLS": times["cls"],
        "idle": max(times["busy"], times["loaded"]),
    }


def report(browser: Browser, name: str, address: str, size: dict[str, int]) -> None:
    rounds = [opened(browser, address, size) for _ in range(ROUNDS)]
    row = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
    kilobytes = "  ".join(f"{key} {row[key]:.1f}" for key in list(row)[:6])
    times = "  ".join(f"{key} {row[key]:.0f} ms" for key in ("FCP", "LCP", "idle"))
    print(f"{name:28} {size['width']:5}  kB: {kilobytes}  {row['requests']:.0f} requests")
    print(f"{'':34} {times}  CLS {row['CLS']:.3f}", flush=True)


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable())
        demo, many = Path(folder) / "demo.db", Path(folder) / "many.db"
        done("-d", demo, "demo", "--no-serve")
        story.build(many, events)
        pages = {
            demo: {"demo": "/", "demo, map": "/?view=map", "demo, event": "/events/sumy-strike"},
            many: {f"{events:,} events": "/", f"{events:,} events, map": "/?view=map"},
        }
        for path, addresses in pages.items():
            with serving("timeline", "-d", path, "serve", cwd=path.parent) as site:
                for name, address in addresses.items():
                    opened(browser, site + address, DESK)  # the server has it in memory now
                    for size in (DESK, PHONE):
                        report(browser, name, site + address, size)


if __name__ == "__main__":
    main()
