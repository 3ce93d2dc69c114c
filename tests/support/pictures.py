"""Make the pictures of the demonstration in docs/ anew: `make pictures`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from browsers import executable
from playwright.sync_api import sync_playwright
from running import CHECKOUT, done
from serving import serving

PICTURES = {"browse": "/", "event": "/events/sumy-strike"}
SIZE = {"width": 1100, "height": 860}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "demo.db"
        done("-d", path, "demo", "--no-serve")
        browser = playwright.chromium.launch(executable_path=executable())
        page = browser.new_page(viewport=SIZE, locale="en-GB")  # type: ignore[arg-type]
        with serving("timeline", "-d", path, "serve", cwd=path.parent) as address:
            for name, part in PICTURES.items():
                page.goto(address + part, wait_until="networkidle")
                page.screenshot(path=CHECKOUT / f"docs/{name}.png")


if __name__ == "__main__":
    main()
