"""Every page of a checked copy says whose log it is, in a real Datasette and as files.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import contextlib
import html
import json
import re
from pathlib import Path

import pytest
from running import done
from site_in_process import open_site

from timeline import Timeline
from timeline.store import follows, storage
from timeline.store.follows import Follows, Sighting

SAID = (
    "A copy of partner.example/story, kept by us since 3 March 2026, checked up to entry 1 on "
    "29 November 2026. Not our words."
)
FOLLOWS = Follows(
    url="/home/secret/partner",
    origin="partner.example/story",
    policy="log partner.example/story+0a1b2c3d+secret\nquorum none\n",
    since="2026-03-03T08:00:00.000000Z",
    seen_at="2026-11-29T18:02:00.000000Z",
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Two entries of a log that the file follows."""
    path = tmp_path / "partner.db"
    with Timeline.create(path, title="A strike", origin=FOLLOWS.origin) as timeline:
        timeline.record({"event_id": "talks", "title": "Talks", "occurred": "2025-04-15"})
    keep(path, FOLLOWS)
    return path


def keep(path: Path, row: Follows) -> None:
    with (
        contextlib.closing(storage.connect(path, write=True)) as connection,
        storage.immediate(connection),
    ):
        follows.put(connection, row)


def notices(page: str) -> list[str]:
    found = re.findall(r'<p class="notice[^"]*" role="note"[^>]*>(.*?)</p>', page)
    return [html.unescape(re.sub("<[^>]*>", "", each)) for each in found]


def test_every_page_of_a_copy_says_whose_log_it_is(copy: Path) -> None:
    with open_site(copy) as site:
        for path in ("/", "/events/talks", "/verify", "/about", "/partner", "/partner/events"):
            assert notices(site.page(path)) == [SAID], path
        for path in ("/events/nothing", "/events?since=never"):
            assert notices(site.ask(path).text) == [SAID], path
        (said,) = notices(site.page("/verify?lang=fr"))
        assert said.startswith("Copie de partner.example/story, que nous gardons depuis le 3 mars")
        assert "A copy of <bdi" in site.page("/embed/events/talks")


def test_what_is_wrong_with_their_log_stands_in_the_same_place(copy: Path) -> None:
    wrong = FOLLOWS._replace(problem="serves <b>1</b>", problem_since="2026-11-30T01:00:00.000000Z")
    keep(copy, wrong)
    with open_site(copy) as site:
        for path in ("/events/talks", "/partner"):
            assert notices(site.page(path)) == [
                f"{SAID} Since 30 November 2026, something is wrong with what they publish: "
                "serves <b>1</b>."
            ]
    with contextlib.closing(storage.connect(copy, write=True)) as connection:
        follows.stop(connection)
    with open_site(copy) as site:
        assert notices(site.page("/")) == notices(site.page("/partner")) == []


def test_the_site_does_not_show_the_folder_that_is_followed(copy: Path) -> None:
    with contextlib.closing(storage.connect(copy, write=True)) as connection:
        follows.see(connection, Sighting(1, b"r" * 32, "note", FOLLOWS.seen_at, FOLLOWS.url))
    with open_site(copy) as site:
        for table in ("follows", "sightings"):
            for path in (f"/partner/{table}.json", f"/partner.json?sql=select+*+from+{table}"):
                answer = site.ask(path)
                assert FOLLOWS.seen_at in answer.text or answer.status_code == 302
                assert FOLLOWS.url not in answer.text


def test_a_published_copy_says_it_too_and_not_where_it_was_fetched(
    copy: Path, tmp_path: Path
) -> None:
    done("-d", copy, "publish", tmp_path / "kit")
    metadata = (tmp_path / "kit" / "metadata.json").read_text()
    assert "secret" not in metadata
    with open_site(tmp_path / "kit" / copy.name, metadata=json.loads(metadata)) as site:
        for path in ("/events/talks", "/partner"):
            assert notices(site.page(path)) == [SAID]
    done("-d", copy, "publish", tmp_path / "files", "--static", "--no-cards")
    for page in ("index.html", "events/talks/1/index.html", "actors/index.html"):
        assert notices((tmp_path / "files" / page).read_text()) == [SAID]
