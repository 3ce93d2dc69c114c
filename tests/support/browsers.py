"""A Chromium for tests of pages.

Without one the tests are skipped; with TIMELINE_BROWSER=required they fail.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    """A browser of this machine, without a window."""
    names = ("chromium", "chromium-browser", "google-chrome")
    executable = next((path for path in map(shutil.which, names) if path), None)
    if executable is None:
        message = "no Chromium on this machine: apt-get install chromium"
        if os.environ.get("TIMELINE_BROWSER") == "required":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=executable, args=["--disable-gpu"])
        yield found
        found.close()
