"""The facet index of a large timeline is built when a Datasette starts, before a page needs it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from site_in_process import open_site

from timeline import Timeline
from timeline.site import index_cache
from timeline.site.warm_start import build_indexes
from timeline.store import storage


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A timeline that counts as large."""
    monkeypatch.setattr(index_cache, "SMALLEST", 1)
    path = tmp_path / "story.db"
    with Timeline.create(path, title="A story") as timeline:
        timeline.record([{"title": "A ship sails", "occurred": "2025-04-15"}])
    return path


def test_an_index_is_there_before_the_first_page(story: Path) -> None:
    with open_site(story) as site:
        build_indexes(site.datasette, ["story"]).join()
        assert index_cache._indexes[site.datasette]["story"].seq == 1


def test_a_file_with_tables_of_another_version_is_left_to_its_pages(story: Path) -> None:
    with contextlib.closing(storage.connect(story, write=True)) as connection:
        connection.execute("UPDATE projection_state SET projection_version = 1")
    with open_site(story) as site:
        build_indexes(site.datasette, ["story"]).join()
        assert "story" not in index_cache._indexes.get(site.datasette, {})
        assert site.ask("/story").status_code == 200
