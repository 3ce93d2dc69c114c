"""A page that takes too long ends, and says so in one line. Nothing is timed: no time is allowed.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from open_datasette import Site, serving
from site_in_process import FILES

from timeline import Timeline
from timeline.errors import TakesTooLong
from timeline.model.names import actor_id_of
from timeline.reading import deadline
from timeline.site import index_cache
from timeline.site.views.actor import actor_page
from timeline.site.views.address import Address
from timeline.site.views.browse import browse
from timeline.site.views.changes import changes_page
from timeline.site.views.event import event_page
from timeline.store import storage

RUTTE = actor_id_of("Mark Rutte")
SAID = (
    "this takes longer than this server allows (0 ms): ask for less, such as a shorter period, "
    "another filter, or fewer words"
)
READ = [
    *("/", "/events?q=odesa", "/events?as_of=%2340", "/events?as_of=%2340&q=odesa"),
    *("/events?as_reported=2025-04-14", "/events/sumy-strike", "/events/sumy-strike/2.json"),
    *(f"/actors/{RUTTE}", f"/actors/{RUTTE}.json?as_of=%2340"),
    *(
        "/changes",
        "/changes.json?from=2025-04-14",
        "/changes.atom",
        "/corrections.atom?actor=x",
        "/verify",
        "/verify.json",
    ),
    *(f"/{file}?type=ASSAULT" for file in FILES),
]


@pytest.fixture
def no_time(story: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site whose pages may take no time at all; SQLite looks at the clock at every step."""
    monkeypatch.setattr(deadline, "_STEPS", 1)
    with serving(story) as site:
        # Only now: Datasette 1.0 asks queries of its own when it starts.
        monkeypatch.setitem(site.datasette._settings, "sql_time_limit_ms", 0)
        yield site


@pytest.mark.parametrize("smallest", [1, 5_000], ids=["from the index", "from the tables"])
def test_every_page_ends_at_the_deadline_and_says_how_to_ask_for_less(
    smallest: int, no_time: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_cache, "SMALLEST", smallest)
    for path in READ:
        answer = no_time.ask(path)
        assert answer.status == 400, (path, answer.text)
        if path.partition("?")[0].endswith(".json"):
            assert json.loads(answer.text) == {"error": SAID}
        elif answer.headers["content-type"].startswith("text/html"):
            assert f"<p>{SAID}</p>" in answer.text
            assert "<h1>That takes too long</h1>" in answer.text
        else:
            assert answer.text == f"{SAID}\n"


def test_the_next_page_has_its_own_time_on_the_same_connection(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "_STEPS", 1)
    with serving(story, settings={"num_sql_threads": 1}) as site:
        allowed = site.datasette._settings
        for limit, status in ((0, 400), (60_000, 200), (0, 400), (60_000, 200)):
            monkeypatch.setitem(allowed, "sql_time_limit_ms", limit)
            for path in ("/events", "/events?as_of=%2340&q=odesa", "/changes?from=2025-04-14"):
                assert site.ask(path).status == status


def test_the_time_to_read_the_index_is_not_of_the_page(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All pages share the index. If a page had to read it in its own time, none would ever."""
    monkeypatch.setattr(deadline, "_STEPS", 1)
    monkeypatch.setattr(index_cache, "SMALLEST", 1)
    kept = Owner()

    def read(connection: sqlite3.Connection) -> Any:
        return index_cache.index_of(kept, "story", connection)

    with contextlib.closing(storage.connect(story)) as connection:
        monkeypatch.setattr(deadline, "_STEPS", 10**9)  # the question how large the timeline is
        with deadline.within(connection, 0):
            monkeypatch.setattr(deadline, "_STEPS", 1)
            assert read(connection) is not None
        with pytest.raises(TakesTooLong):
            in_no_time(connection, lambda again: again.execute("SELECT 1").fetchone())


class Owner:
    """Has an index, as a Datasette does."""


def in_no_time(connection: sqlite3.Connection, read: Callable[[sqlite3.Connection], Any]) -> Any:
    with deadline.within(connection, 0):
        return read(connection)


def test_work_in_python_ends_too(
    path: Path, timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where SQLite never looks at the clock, the views do."""
    monkeypatch.setattr(deadline, "_STEPS", 10**9)
    timeline.record(
        {"event_id": f"e-{number}", "title": "Talks", "occurred": "2025", "tags": [f"t-{number}"]}
        for number in range(9)
    )
    timeline.correct({f"e-{number}": {"title": "Talk"} for number in range(9)}, reason="one only")
    person = {"participants.-": {"name": "Ada", "office": "Mayor"}}
    timeline.update({f"e-{number}": person for number in range(9)})
    views: list[Callable[[sqlite3.Connection], Any]] = [
        lambda connection: browse(connection, Address()),
        lambda connection: changes_page(connection, {}),
        lambda connection: changes_page(connection, {"from": "#3"}),
        lambda connection: event_page(connection, "e-3", None),
        lambda connection: actor_page(connection, actor_id_of("Ada")),
    ]
    with contextlib.closing(storage.connect(path)) as connection:
        for view in views:
            with deadline.within(connection, 60):
                view(connection)
            with pytest.raises(TakesTooLong):
                in_no_time(connection, view)
