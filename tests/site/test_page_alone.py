"""The page of an event that is drawn without a server."""

from __future__ import annotations

import contextlib
from pathlib import Path

from site_in_process import open_site

from timeline import Timeline
from timeline.model.content import Said
from timeline.site.alone import event_alone
from timeline.store import storage


def _story(path: Path) -> None:
    with Timeline.create(path, title="A story", origin="example.org") as timeline:
        timeline.record(
            {
                "event_id": "talks",
                "title": '<script>alert("1")</script> Talks',
                "occurred": "2025-04-15",
                "tags": ["<b>war</b>"],
                "quantities": [{"measure": "killed", "value": "3", "reported_by": "Police"}],
                "citations": [{"source": {"source_id": "report", "title": "A <i>report</i>"}}],
            },
            author="anna",
        )


def _main(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


def test_the_page_alone_is_the_page_of_the_site(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    _story(path)
    with contextlib.closing(storage.connect(path)) as log:
        alone = event_alone(log, "talks", "/k/static/site")
    with open_site(path, url="https://example.org/") as site:
        served = site.page("/events/talks")
    assert _main(alone) == _main(served) != ""
    assert "<script" not in alone
    assert '<base target="_blank">' in alone
    assert 'href="/k/static/site/event.css' in alone


def test_the_page_of_an_event_is_drawn_in_a_dry_run(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    _story(path)
    with (
        Timeline.open(path) as timeline,
        timeline.append(dry_run=True) as append,
    ):
        append.correct("talks", [("title", "Talks in Odesa")], Said(author="anna", reason="A slip"))
        alone = event_alone(append.settled(), "talks", "/static")
    assert "Talks in Odesa" in _main(alone)
    assert "A slip" in _main(alone)
