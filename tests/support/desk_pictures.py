"""Make the pictures of the desk in docs/ anew: `make pictures`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from browsers import launched, opener
from desks import desk_of
from editor import Mouse, work
from running import CHECKOUT

from timeline import Timeline

PICTURES = {
    "article 3": "article",
    "form 3": "form",
    "preview 3": "preview",
    "covered": "covered",
    "correction": "correction",
}
"""The screens of the walk, each with the name of its picture: docs/desk-article.png."""


def main() -> None:
    """Work through the article as an editor does, and take a picture of some screens."""
    path = Path(tempfile.mkdtemp()) / "story.db"
    title = "The dock strike of Marenhaven"
    with Timeline.create(path, title=title, time_zone="Europe/Amsterdam"):
        pass
    with desk_of(path) as desk, launched() as browser, opener(browser, width=1100) as opened:
        hand = Mouse(opened(desk.entrance()))

        def look(screen: str) -> None:
            if screen in PICTURES:
                hand.page.wait_for_load_state("networkidle")
                hand.page.screenshot(path=CHECKOUT / f"docs/desk-{PICTURES[screen]}.png")

        work(hand, "marta", look)


if __name__ == "__main__":
    main()
