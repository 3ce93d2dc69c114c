"""Pages of changes end when they are long, and lead on to the rest.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from site_in_process import Site, open_site

from timeline import Timeline
from timeline.formats import prose_changes
from timeline.reading import comparison

IDS = ("one", "two", "three")
ROUNDS = 4


def claims(letter: str) -> list[dict[str, str]]:
    return [
        {"speaker": f"Speaker {number}", "stance": "denies", "statement": letter * 300}
        for number in range(10)
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path = tmp_path_factory.mktemp("long") / "t.db"
    with Timeline.create(path, title="T") as timeline:
        timeline.record(
            {"event_id": each, "title": each, "occurred": "2025", "claims": claims("a")}
            for each in IDS
        )
        for letter in "bcde"[:ROUNDS]:
            for each in IDS:
                timeline.correct(each, {"claims": claims(letter)}, reason=letter)
        timeline.correct("one", {"title": "The first"}, reason="short")
    with pytest.MonkeyPatch.context() as patch, open_site(path) as opened:
        patch.setattr(comparison, "LONGEST_PAGE", 10_000)
        patch.setattr(prose_changes, "_MOST_SHOWN", 1_000)
        yield opened


def read(site: Site, path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(site.page(path))
    return found


def test_the_stream_of_changes_comes_in_pages_that_are_not_too_long(site: Site) -> None:
    seqs: list[int] = []
    before = ""
    while before is not None:
        page = read(site, f"/changes.json?before={before}")
        sizes = [comparison.length_of(row["changes"]) for row in page["changes"]]
        assert sum(sizes[:-1]) < 10_000
        seqs += [row["seq"] for row in page["changes"]]
        before = page["before"]
    assert seqs == [*range(len(IDS) * (ROUNDS + 1) + 1, len(IDS), -1)]
    assert len(site.page("/changes.atom")) < 30_000


def test_a_comparison_comes_in_pages_that_are_not_too_long(site: Site) -> None:
    found: list[str] = []
    after = ""
    while after is not None:
        page = read(site, f"/changes.json?from=%234&after={after}")
        sizes = [comparison.length_of(row["changes"]) for row in page["compared"]]
        assert sum(sizes[:-1]) < 10_000
        assert sizes
        found += [row["event_id"] for row in page["compared"]]
        after = page["after"]
    assert sorted(found) == sorted(IDS)


def test_the_versions_of_an_event_come_in_pages_that_are_not_too_long(site: Site) -> None:
    pages = ["/events/one"]
    while more := [each for each in site.links(pages[-1]) if "?before=" in each]:
        pages.append(more[0].partition("#")[0])
    shown = [re.findall(r">Version (\d+)</a>", site.page(page)) for page in pages]
    assert len(shown) > 2
    assert [int(version) for versions in shown for version in versions] == [*range(6, 0, -1)]


@pytest.mark.parametrize("path", ["/changes", "/changes?from=%234", "/events/two", "/changes.atom"])
def test_a_long_entry_is_shortened_and_says_how_much_follows(path: str, site: Site) -> None:
    text = site.page(path)
    words = re.sub("</?(bdi|ins)[^>]*>", "", text)
    found = re.search(r"(\d+) more changes: too long for this page, see changes.json", words)
    assert found is not None
    assert int(found[1]) > 5
    assert len(text) < 60_000
