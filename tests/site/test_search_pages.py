"""Search in every script on the pages: our own, Datasette's, of now and of the past.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from open_datasette import IS_STABLE
from site_in_process import Site, open_site

from timeline import Timeline
from timeline.site import index_cache

TITLES = {
    "zh-1": "北京会谈就<停火>达成一致",
    "ja-1": "東京で外相会談が開かれた",
    "ru-1": "Всё ещё идут переговоры",
    "pl-1": "Rozmowy w Łodzi",
    "th-1": "เจรจาหยุดยิงที่กรุงเทพ",
}
SOUGHT = {
    "停火": "zh-1",
    "达成一致": "zh-1",
    "致": "zh-1",
    "外相 東京": "ja-1",
    "все": "ru-1",
    "всё еще": "ru-1",
    "LODZI": "pl-1",
    "łodzi": "pl-1",
    "หยุดยิง": "th-1",
}


@pytest.fixture(scope="module", params=[0, 5_000], ids=["with the facet index", "without"])
def site(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Site]:
    path = tmp_path_factory.mktemp("search") / "story.db"
    with Timeline.create(path, title="Words") as timeline:
        timeline.record(
            {"event_id": key, "title": title, "occurred": "2025", "tags": [key]}
            for key, title in TITLES.items()
        )
        timeline.update({key: {"title": "Changed since"} for key in ("ja-1", "ru-1")})
    with pytest.MonkeyPatch.context() as patch, open_site(path) as opened:
        patch.setattr(index_cache, "SMALLEST", request.param)
        yield opened


@pytest.mark.parametrize("question", SOUGHT)
def test_a_word_finds_its_event_on_every_page(site: Site, question: str) -> None:
    found = SOUGHT[question]
    then = "as_of=%235"
    asked = urlencode({"q": question})
    assert site.titles(f"/?{asked}&{then}") == [TITLES[found]]
    (event,) = json.loads(site.page(f"/events.json?{asked}&{then}"))["events"]
    assert event["event_id"] == found
    is_changed = found in ("ja-1", "ru-1")
    assert site.titles(f"/?{asked}") == ([] if is_changed else [TITLES[found]])
    asked = urlencode({"_search": question, "_shape": "array"})
    rows = json.loads(site.page(f"/story/events.json?{asked}"))
    assert [row["event_id"] for row in rows] == ([] if is_changed else [found])
    asked = urlencode({"_search": question, "_facet_m2m": "tags"})
    facets = json.loads(site.page(f"/story/events.json?{asked}&_extra=facet_results"))
    found_facets = facets["facet_results"]
    tags = found_facets.get("results", found_facets)["tags"]["results"]
    assert [each["value"] for each in tags] == ([] if is_changed else [found])


def test_what_was_found_is_marked_in_the_text_as_it_is_written(site: Site) -> None:
    shown = site.page("/?" + urlencode({"q": "停火 一致"}))
    assert "北京会谈就&lt;<mark>停火</mark>&gt;达成<mark>一致</mark>" in shown
    assert "Rozmowy w <mark>Łodzi</mark>" in site.page("/?q=lodzi")


def test_sql_pages_fold_a_question_as_a_search_does(site: Site) -> None:
    sql = (
        "select event_id from event_search join events on event_key = event_search.rowid"
        " where event_search match escape_fts(:question)"
    )
    page = "/story.json" if IS_STABLE else "/story/-/query.json"
    for question, found in SOUGHT.items():
        asked = urlencode({"sql": sql, "question": question, "_shape": "array"})
        rows = json.loads(site.page(f"{page}?{asked}"))
        assert [row["event_id"] for row in rows] == (
            [] if found in ("ja-1", "ru-1") else [found]
        ), question


def test_each_character_without_blanks_counts_as_a_word(site: Site) -> None:
    for path, name in (("/", "q"), ("/story/events", "_search")):
        assert site.ask(f"{path}?{urlencode({name: '会' * 64})}").status_code == 200
        refused = site.ask(f"{path}?{urlencode({name: '会' * 65})}")
        assert refused.status_code == 400
        assert f"{name}: has 65 words: give at most 64" in refused.text
        assert site.ask(f"{path}?{urlencode({name: 'नेपाल ' * 64})}").status_code == 200


def test_few_characters_may_stand_alone_since_each_is_the_beginning_of_many_pairs(
    site: Site,
) -> None:
    for path, name in (("/", "q"), ("/story/events", "_search")):
        assert site.ask(f"{path}?{urlencode({name: '水 火 山 川'})}").status_code == 200
        refused = site.ask(f"{path}?{urlencode({name: '水 火 山 川 木'})}")
        assert refused.status_code == 400
        assert f"{name}: has 5 beginnings of words: give at most 4" in refused.text
